//! Making an account.

use diesel::prelude::*;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::refusals::AccountRefusal;
use super::write::{PasswordHash, each_once, given_by, insert, installation_by_its_own, roles_fit, shown};
use crate::action::{Action, Context, Facts, Services};
use crate::people::{check_rule, normal_username};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::secrets::Password;
use crate::store::columns::{AccountId, ApplicantId, Instant, InstituteId};
use crate::store::rows::AccountRow;
use crate::store::schema::applicant;
use crate::store::views::AccountView;
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::{PasswordOrigin, Permission, Role};

/// A new account: of an institute, or of an applicant.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAccount {
    /// Small letters, digits, `.`, `_` and `-`; compared in lower case
    #[schema(example = "wang.xiaoming")]
    pub username: String,
    /// The name on records and certificates
    #[schema(example = "王晓明")]
    pub display_name: String,
    /// At least 12 characters, not the user name and not a common one; its owner changes it at the first log-in
    #[schema(value_type = String, format = Password, min_length = 12)]
    pub password: Password,
    /// The institute, for staff: one's own
    #[serde(default)]
    pub institute: Option<InstituteId>,
    /// The applicant, for an applicant's account: one of the own institute
    #[serde(default)]
    pub applicant: Option<ApplicantId>,
    /// At least one; `applicant` goes with an applicant's account
    pub roles: Vec<Role>,
}

/// What an account rests on.
pub struct Belonging {
    institute: bool,
    applicant: bool,
    hash: PasswordHash,
    origin: PasswordOrigin,
}

/// An account that was found in order.
pub struct CheckedAccount {
    username: String,
    display_name: String,
    institute: Option<InstituteId>,
    applicant: Option<ApplicantId>,
    roles: Vec<Role>,
}

impl CheckedAccount {
    /// The row that is kept.
    fn row(self, hash: PasswordHash, origin: PasswordOrigin, now: Instant) -> (AccountRow, Vec<Role>) {
        let row = AccountRow {
            id: AccountId::new(),
            username: self.username,
            display_name: self.display_name,
            password_hash: hash.0,
            institute_id: self.institute,
            applicant_id: self.applicant,
            disabled: false,
            failed_logins: 0,
            locked_until: None,
            created_at: now,
            password_origin: origin,
        };
        (row, self.roles)
    }

    /// Keeps it; its id, and what the trail says of it.
    pub(super) fn keep(
        self,
        conn: &mut AnyConnection,
        hash: PasswordHash,
        origin: PasswordOrigin,
        now: Instant,
    ) -> Outcome<(AccountId, Change)> {
        let (row, roles) = self.row(hash, origin, now);
        insert(conn, &row, &roles)?;
        let content = json!({"username": row.username, "display_name": row.display_name,
            "institute": row.institute_id, "applicant": row.applicant_id, "roles": roles});
        let event = Change::created(CreateAccount::NAME, "account", &row.id, content);
        Ok((row.id, event))
    }
}

impl CreateAccount {
    /// Everything that can be checked without the database.
    pub(super) fn checked(&self) -> Result<CheckedAccount, Refusal> {
        let (username, display_name) = (normal_username(&self.username), self.display_name.trim().to_owned());
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
        if !(3..=64).contains(&username.len()) || !username.chars().all(fits) {
            return Err(AccountRefusal::UserName.into());
        }
        if display_name.is_empty() || display_name.chars().count() > 100 {
            return Err(AccountRefusal::DisplayName.into());
        }
        if self.institute.is_some() == self.applicant.is_some() {
            return Err(AccountRefusal::BelongsToOne.into());
        }
        let roles = each_once(&self.roles);
        roles_fit(&roles, self.applicant.is_some())?;
        check_rule("password", &username, self.password.reveal())?;
        Ok(CheckedAccount {
            username,
            display_name,
            institute: self.institute.clone(),
            applicant: self.applicant.clone(),
            roles,
        })
    }
}

impl Action for CreateAccount {
    const NAME: &'static str = "account.create";
    const PERMISSION: Permission = Permission::AccountManage;
    const SECRET: bool = true;
    type Prepared = PasswordHash;
    type Loaded = Belonging;
    type Plan = CheckedAccount;
    type Done = AccountView;

    fn prepare(&self, services: &Services, _: &Actor) -> Outcome<PasswordHash> {
        self.checked()?;
        Ok(PasswordHash(services.identity.hash(self.password.reveal())?))
    }

    fn load(&self, cx: &mut Context<'_>, hash: &PasswordHash) -> Outcome<Belonging> {
        // Another institute is not there, nor is an applicant that is not the institute's own.
        let own = cx.institute()?;
        let applicants: i64 = match &self.applicant {
            Some(id) => applicant::table
                .filter(applicant::id.eq(id))
                .filter(applicant::institute_id.eq(&own))
                .count()
                .get_result(cx.conn)?,
            None => 1,
        };
        let institute = self.institute.as_ref().is_none_or(|named| *named == own);
        Ok(Belonging { institute, applicant: applicants == 1, hash: hash.clone(), origin: given_by(cx)? })
    }

    fn decide(&self, facts: &Facts<'_>, belonging: &Belonging) -> Result<CheckedAccount, Refusal> {
        let checked = self.checked()?;
        installation_by_its_own(facts.actor, &[], &checked.roles)?;
        if !belonging.institute {
            return Err(AccountRefusal::InstituteUnknown.into());
        }
        if !belonging.applicant {
            return Err(AccountRefusal::ApplicantUnknown.into());
        }
        Ok(checked)
    }

    fn keep(&self, cx: &mut Context<'_>, loaded: Belonging, plan: CheckedAccount) -> Outcome<AccountView> {
        let (id, event) = plan.keep(cx.conn, loaded.hash, loaded.origin, cx.now.into())?;
        cx.record(event);
        shown(cx, &id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> CreateAccount {
        CreateAccount {
            username: " Wang.Xiaoming ".into(),
            display_name: "王晓明".into(),
            password: Password::from("correct horse battery".to_owned()),
            institute: Some("i1".into()),
            applicant: None,
            roles: vec![Role::Reviewer, Role::Analyst, Role::Reviewer],
        }
    }

    fn fault(new: &CreateAccount) -> Option<String> {
        new.checked().err().and_then(|refusal| refusal.field)
    }

    #[test]
    fn a_user_name_is_in_small_letters_and_a_role_counts_once() {
        let Ok(checked) = account().checked() else { panic!("an account") };
        assert_eq!(checked.username, "wang.xiaoming");
        assert_eq!(checked.roles, [Role::Analyst, Role::Reviewer]);
    }

    #[test]
    fn each_fault_names_its_field() {
        assert_eq!(fault(&CreateAccount { username: "x y".into(), ..account() }).as_deref(), Some("username"));
        assert_eq!(fault(&CreateAccount { display_name: " ".into(), ..account() }).as_deref(), Some("display_name"));
        assert_eq!(fault(&CreateAccount { institute: None, ..account() }).as_deref(), Some("institute"));
        assert_eq!(fault(&CreateAccount { roles: vec![Role::Applicant], ..account() }).as_deref(), Some("roles"));
        let short = CreateAccount { password: Password::from("short".to_owned()), ..account() };
        assert_eq!(fault(&short).as_deref(), Some("password"));
        assert!(!format!("{short:?}").contains("short"), "a password does not show itself");
    }
}
