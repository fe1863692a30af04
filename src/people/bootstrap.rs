//! The first institute and its administrator: without them nobody could make any other.

use diesel::prelude::*;
use serde_json::json;

use super::accounts::{checked, insert, view};
use super::{AccountView, Identity, NewAccount};
use crate::record::{Author, Change, record_by};
use crate::refusal::{Code, Refusal};
use crate::store::Outcome;
use crate::store::columns::{AccountId, InstituteId};
use crate::store::rows::{AccountRow, InstituteRow};
use crate::store::schema::{account, institute};
use crate::vocabulary::Role;

/// An institute to begin with.
#[derive(Clone, Debug)]
pub struct NewInstitute {
    /// A short code, e.g. `SXIDC`.
    pub code: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Its name in English.
    pub name_en: String,
    /// The one character or word in its numbers, e.g. `晋`.
    pub abbreviation: String,
    /// ISO 3166-2, e.g. `CN-SX`.
    pub jurisdiction: String,
    /// Its address in Chinese.
    pub address_zh: String,
    /// Its address in English.
    pub address_en: String,
    /// What its sample numbers begin with.
    pub sample_prefix: String,
}

/// Who administers it.
#[derive(Clone)]
pub struct FirstAdministrator {
    /// The user name.
    pub username: String,
    /// The name shown.
    pub display_name: String,
    /// At least 12 characters, not the user name.
    pub password: String,
}

impl Identity {
    /// Makes the first institute and its administrator, in a database that has no account yet.
    ///
    /// # Errors
    /// [`Code::Conflict`] where there is an account; [`Code::InvalidField`].
    pub fn bootstrap(&self, first: NewInstitute, admin: FirstAdministrator) -> Outcome<AccountView> {
        let institute_id = InstituteId::new();
        let new = checked(NewAccount {
            username: admin.username,
            display_name: admin.display_name,
            password: admin.password,
            institute: Some(institute_id.clone()),
            applicant: None,
            roles: vec![Role::Administrator],
        })?;
        let password_hash = self.hasher.hash(&new.password)?;
        let now = self.clock.now();
        self.db.write(move |conn| {
            let there: i64 = account::table.count().get_result(conn)?;
            if there > 0 {
                let text = ("系统已有账户，请由管理员添加", "there are accounts already: an administrator adds more");
                return Err(Refusal::new(Code::Conflict, text.0, text.1).into());
            }
            let place = row(&first, &institute_id, now.into());
            diesel::insert_into(institute::table).values(&place).execute(conn)?;
            let person = AccountRow {
                id: AccountId::new(),
                username: new.username.clone(),
                display_name: new.display_name.clone(),
                password_hash: password_hash.clone(),
                institute_id: Some(institute_id.clone()),
                applicant_id: None,
                disabled: false,
                failed_logins: 0,
                locked_until: None,
                created_at: now.into(),
            };
            insert(conn, &person, &new.roles)?;
            let changes = vec![
                Change::created("institute.create", "institute", &place.id, json!(place)),
                Change::created(
                    "account.create",
                    "account",
                    &person.id,
                    json!({"username": person.username, "display_name": person.display_name, "roles": new.roles}),
                ),
            ];
            record_by(conn, &Author::nobody("setup", None), now, changes)?;
            view(conn, &person)
        })
    }
}

fn row(first: &NewInstitute, id: &InstituteId, now: crate::store::columns::Instant) -> InstituteRow {
    InstituteRow {
        id: id.clone(),
        code: first.code.clone(),
        name_zh: first.name_zh.clone(),
        name_en: first.name_en.clone(),
        abbreviation: first.abbreviation.clone(),
        jurisdiction: first.jurisdiction.clone(),
        address_zh: first.address_zh.clone(),
        address_en: first.address_en.clone(),
        sample_prefix: first.sample_prefix.clone(),
        created_at: now,
    }
}
