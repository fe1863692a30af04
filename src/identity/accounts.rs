//! Accounts: made, changed and disabled by an administrator, each change on the trail.

use std::collections::BTreeSet;

use diesel::prelude::*;
use serde::Serialize;
use serde_json::json;

use super::session::{end_all, settle};
use super::{Authenticated, Identity, check_rule, find};
use crate::audit::{Actor, Change, record};
use crate::insert_all;
use crate::refusal::{Code, Refusal};
use crate::regulation::Role;
use crate::store::columns::{AccountId, ApplicantId, InstituteId};
use crate::store::rows::{AccountRoleRow, AccountRow};
use crate::store::schema::{account, account_role, applicant, institute};
use crate::store::{AnyConnection, Failure, Outcome, StoreError};

/// A new account. Has no `Debug`: it carries a password.
#[derive(Clone)]
pub struct NewAccount {
    /// Small letters, digits, `.`, `_` and `-`; compared in lower case.
    pub username: String,
    /// The name on records and certificates.
    pub display_name: String,
    /// At least 12 characters, not the user name.
    pub password: String,
    /// The institute, for staff.
    pub institute: Option<InstituteId>,
    /// The applicant, for an applicant's account.
    pub applicant: Option<ApplicantId>,
    /// At least one; [`Role::Applicant`] and an applicant go together.
    pub roles: Vec<Role>,
}

/// An account as an administrator sees it.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct AccountView {
    /// Its id.
    pub id: AccountId,
    /// Its user name.
    pub username: String,
    /// The name on records and certificates.
    pub display_name: String,
    /// The institute, for staff.
    pub institute: Option<InstituteId>,
    /// The applicant, for an applicant's account.
    pub applicant: Option<ApplicantId>,
    /// Its roles.
    pub roles: Vec<Role>,
    /// Whether it may not log in.
    pub disabled: bool,
    /// Until when it is locked, where it is.
    pub locked_until: Option<String>,
}

impl Identity {
    /// Makes an account.
    ///
    /// # Errors
    /// [`Code::InvalidField`] with the field; [`Code::Conflict`] where the user name is taken.
    pub fn create_account(&self, actor: &Actor, new: NewAccount) -> Outcome<AccountView> {
        let new = checked(new)?;
        let password_hash = self.hasher.hash(&new.password)?;
        let now = self.clock.now();
        let actor = actor.clone();
        self.db.write(move |conn| {
            belongs(conn, &new)?;
            let row = AccountRow {
                id: AccountId::new(),
                username: new.username.clone(),
                display_name: new.display_name.clone(),
                password_hash: password_hash.clone(),
                institute_id: new.institute.clone(),
                applicant_id: new.applicant.clone(),
                disabled: false,
                failed_logins: 0,
                locked_until: None,
                created_at: now.into(),
            };
            insert(conn, &row, &new.roles)?;
            let content = json!({"username": row.username, "display_name": row.display_name,
                "institute": row.institute_id, "applicant": row.applicant_id, "roles": new.roles});
            record(conn, &actor, now, vec![Change::created("account.create", "account", &row.id, content)])?;
            view(conn, &row)
        })
    }

    /// Every account, by user name.
    ///
    /// # Errors
    /// The store's failure.
    pub fn accounts(&self) -> Outcome<Vec<AccountView>> {
        self.db.read(|conn| {
            let rows: Vec<AccountRow> =
                account::table.order(account::username).select(AccountRow::as_select()).load(conn)?;
            let roles: Vec<AccountRoleRow> = account_role::table
                .order((account_role::account_id, account_role::role))
                .select(AccountRoleRow::as_select())
                .load(conn)?;
            let of = |id: &AccountId| roles.iter().filter(|r| r.account_id == *id).map(|r| r.role).collect();
            Ok(rows.iter().map(|row| view_of(row, of(&row.id))).collect())
        })
    }

    /// One account.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub fn account(&self, id: &AccountId) -> Outcome<AccountView> {
        self.db.read(|conn| {
            let row = find::by_id(conn, id)?;
            view(conn, &row)
        })
    }

    /// Sets the roles; they hold from the next request on.
    ///
    /// # Errors
    /// [`Code::InvalidField`]; [`Code::Conflict`] where no administrator would be left.
    pub fn set_roles(&self, actor: &Actor, id: &AccountId, roles: &[Role], reason: &str) -> Outcome<AccountView> {
        let roles: BTreeSet<Role> = roles.iter().copied().collect();
        let roles: Vec<Role> = roles.into_iter().collect();
        let reason = reason_given(reason)?;
        let (actor, id, now) = (actor.clone(), id.clone(), self.clock.now());
        self.db.write(move |conn| {
            let row = find::by_id(conn, &id)?;
            roles_fit(&roles, row.applicant_id.is_some())?;
            let old = find::roles(conn, &id)?;
            diesel::delete(account_role::table.filter(account_role::account_id.eq(&id))).execute(conn)?;
            insert_roles(conn, &id, &roles)?;
            administrator_left(conn)?;
            let change = Change::field("account.roles", "account", &id, "roles", json!(old), json!(roles));
            record(conn, &actor, now, vec![change.because(&reason)])?;
            view(conn, &row)
        })
    }

    /// Disables an account, which ends its sessions, or enables it again.
    ///
    /// # Errors
    /// [`Code::Conflict`] where no administrator would be left.
    pub fn set_disabled(&self, actor: &Actor, id: &AccountId, disabled: bool, reason: &str) -> Outcome<AccountView> {
        let reason = reason_given(reason)?;
        let (actor, id, now) = (actor.clone(), id.clone(), self.clock.now());
        self.db.write(move |conn| {
            let row = find::by_id(conn, &id)?;
            diesel::update(account::table.find(&id)).set(account::disabled.eq(disabled)).execute(conn)?;
            if disabled {
                end_all(conn, &id, None, now)?;
                administrator_left(conn)?;
            }
            let action = if disabled { "account.disable" } else { "account.enable" };
            let change = Change::field(action, "account", &id, "disabled", row.disabled, disabled);
            record(conn, &actor, now, vec![change.because(&reason)])?;
            let row = find::by_id(conn, &id)?;
            view(conn, &row)
        })
    }

    /// Changes one's own password; the other sessions of the account end.
    ///
    /// # Errors
    /// [`Code::BadCredentials`], [`Code::AccountLocked`], [`Code::InvalidField`].
    pub fn change_password(&self, who: &Authenticated, old: &str, new: &str) -> Outcome<()> {
        check_rule("new_password", &who.actor.username, new)?;
        let checked = self.check_password(&who.actor.username, old)?;
        let password_hash = self.hasher.hash(new)?;
        let (who, now, rules) = (who.clone(), self.clock.now(), self.rules.clone());
        self.db.write(move |conn| {
            let request = who.actor.request_id.as_deref();
            if let Err(refusal) = settle(conn, &checked, "password", &rules, now, request)? {
                return Ok(Err(refusal));
            }
            replace_password(conn, &who.actor.account, &password_hash)?;
            end_all(conn, &who.actor.account, Some(&who.session), now)?;
            let change = Change::field("account.password", "account", &who.actor.account, "password", "•", "••");
            record(conn, &who.actor, now, vec![change])?;
            Ok(Ok(()))
        })??;
        Ok(())
    }

    /// An administrator's new password for somebody else; it unlocks the account and ends its sessions.
    ///
    /// # Errors
    /// [`Code::NotFound`], [`Code::InvalidField`].
    pub fn reset_password(&self, actor: &Actor, id: &AccountId, new: &str, reason: &str) -> Outcome<()> {
        let reason = reason_given(reason)?;
        let row = self.db.read(|conn| find::by_id(conn, id))?;
        check_rule("password", &row.username, new)?;
        let password_hash = self.hasher.hash(new)?;
        let (actor, id, now) = (actor.clone(), id.clone(), self.clock.now());
        self.db.write(move |conn| {
            replace_password(conn, &id, &password_hash)?;
            end_all(conn, &id, None, now)?;
            let change = Change::field("account.password_reset", "account", &id, "password", "•", "••");
            record(conn, &actor, now, vec![change.because(&reason)])
        })
    }
}

fn replace_password(conn: &mut AnyConnection, id: &AccountId, hash: &str) -> Outcome<()> {
    diesel::update(account::table.find(id))
        .set((
            account::password_hash.eq(hash),
            account::failed_logins.eq(0),
            account::locked_until.eq(None::<crate::store::columns::Instant>),
        ))
        .execute(conn)?;
    Ok(())
}

/// Trims and checks everything that can be checked without the database.
pub(super) fn checked(mut new: NewAccount) -> Result<NewAccount, Refusal> {
    new.username = find::normal(&new.username);
    new.display_name = new.display_name.trim().to_owned();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
    if !(3..=64).contains(&new.username.len()) || !new.username.chars().all(fits) {
        return Err(Refusal::field(
            "username",
            "用户名为3至64个小写字母、数字或 . _ -",
            "a user name has 3 to 64 small letters, digits, or . _ -",
        ));
    }
    if new.display_name.is_empty() || new.display_name.chars().count() > 100 {
        return Err(Refusal::field("display_name", "姓名为1至100个字符", "a display name has 1 to 100 characters"));
    }
    if new.institute.is_some() == new.applicant.is_some() {
        return Err(Refusal::field(
            "institute",
            "账户须属于一个机构或一个申请人，二者择一",
            "an account belongs to either an institute or an applicant",
        ));
    }
    new.roles = new.roles.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    roles_fit(&new.roles, new.applicant.is_some())?;
    check_rule("password", &new.username, &new.password)?;
    Ok(new)
}

fn roles_fit(roles: &[Role], of_applicant: bool) -> Result<(), Refusal> {
    if roles.is_empty() {
        return Err(Refusal::field("roles", "至少须有一个角色", "an account has at least one role"));
    }
    // An applicant's eyes stay on its own cases: no role of the institute beside it.
    if roles.iter().any(|role| (*role == Role::Applicant) != of_applicant) {
        return Err(Refusal::field(
            "roles",
            "申请人账户仅有申请人角色，机构账户不得有申请人角色",
            "the role applicant goes with an applicant's account, and with no other",
        ));
    }
    Ok(())
}

fn reason_given(reason: &str) -> Result<String, Refusal> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(Refusal::field("reason", "须说明理由", "a reason is needed"));
    }
    Ok(reason.to_owned())
}

fn belongs(conn: &mut AnyConnection, new: &NewAccount) -> Outcome<()> {
    if let Some(id) = &new.institute {
        let there: i64 = institute::table.filter(institute::id.eq(id)).count().get_result(conn)?;
        if there == 0 {
            return Err(Refusal::field("institute", "未找到该机构", "there is no such institute").into());
        }
    }
    if let Some(id) = &new.applicant {
        let there: i64 = applicant::table.filter(applicant::id.eq(id)).count().get_result(conn)?;
        if there == 0 {
            return Err(Refusal::field("applicant", "未找到该申请人", "there is no such applicant").into());
        }
    }
    Ok(())
}

pub(super) fn insert(conn: &mut AnyConnection, row: &AccountRow, roles: &[Role]) -> Outcome<()> {
    let inserted = diesel::insert_into(account::table).values(row).execute(conn).map_err(StoreError::from);
    match inserted {
        Ok(_) => {}
        Err(StoreError::Unique { .. }) => {
            let taken = Refusal::new(
                Code::Conflict,
                format!("用户名 {} 已被使用", row.username),
                format!("the user name {} is taken", row.username),
            );
            return Err(taken.at("username").into());
        }
        Err(error) => return Err(Failure::Store(error)),
    }
    insert_roles(conn, &row.id, roles)
}

fn insert_roles(conn: &mut AnyConnection, id: &AccountId, roles: &[Role]) -> Outcome<()> {
    let rows: Vec<AccountRoleRow> =
        roles.iter().map(|role| AccountRoleRow { account_id: id.clone(), role: *role }).collect();
    insert_all!(conn, account_role::table, &rows)?;
    Ok(())
}

/// Nobody could undo the loss of the last administrator.
fn administrator_left(conn: &mut AnyConnection) -> Outcome<()> {
    let left: i64 = account_role::table
        .inner_join(account::table)
        .filter(account_role::role.eq(Role::Administrator))
        .filter(account::disabled.eq(false))
        .count()
        .get_result(conn)?;
    if left == 0 {
        return Err(Refusal::new(Code::Conflict, "至少须保留一名管理员", "at least one administrator must stay").into());
    }
    Ok(())
}

pub(super) fn view(conn: &mut AnyConnection, row: &AccountRow) -> Outcome<AccountView> {
    Ok(view_of(row, find::roles(conn, &row.id)?))
}

fn view_of(row: &AccountRow, roles: Vec<Role>) -> AccountView {
    AccountView {
        id: row.id.clone(),
        username: row.username.clone(),
        display_name: row.display_name.clone(),
        institute: row.institute_id.clone(),
        applicant: row.applicant_id.clone(),
        roles,
        disabled: row.disabled,
        locked_until: row.locked_until.as_ref().map(ToString::to_string),
    }
}
