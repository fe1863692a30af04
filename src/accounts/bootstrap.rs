//! The first institute and its administrator: without them nobody could make any other.

use diesel::prelude::*;

use super::create::{CheckedAccount, CreateAccount};
use super::refusals::AccountRefusal;
use super::write::{PasswordHash, shown};
use crate::action::{Action, Context, Facts, Services, act_as_program};
use crate::catalogue::{CreateInstitute, insert_institute, institute_content};
use crate::record::{Actor, Author, Change};
use crate::refusal::Refusal;
use crate::secrets::Password;
use crate::store::Outcome;
use crate::store::columns::InstituteId;
use crate::store::schema::account;
use crate::store::views::AccountView;
use crate::vocabulary::{PasswordOrigin, Permission, Role};

/// Who administers the first institute.
#[derive(Clone, Debug)]
pub struct FirstAdministrator {
    /// The user name.
    pub username: String,
    /// The name shown.
    pub display_name: String,
    /// At least 12 characters, not the user name.
    pub password: Password,
    /// Who chose it: the demonstration's is published, and is not asked to be changed.
    pub origin: PasswordOrigin,
}

/// The first institute and its administrator, in a database that has no account yet.
#[derive(Clone, Debug)]
pub struct BootstrapInstitute {
    /// The institute.
    pub institute: CreateInstitute,
    /// Who administers it.
    pub administrator: FirstAdministrator,
}

/// What a beginning rests on.
pub struct BootstrapFacts {
    accounts: i64,
    hash: PasswordHash,
}

impl BootstrapInstitute {
    /// The administrator's account in the institute of that id.
    fn account(&self, institute: InstituteId) -> Result<CheckedAccount, Refusal> {
        let FirstAdministrator { username, display_name, password, origin: _ } = self.administrator.clone();
        let roles = vec![Role::Administrator];
        CreateAccount { username, display_name, password, institute: Some(institute), applicant: None, roles }.checked()
    }

    fn checked(&self, accounts: i64) -> Result<CreateInstitute, Refusal> {
        if accounts > 0 {
            return Err(AccountRefusal::NotTheFirst.into());
        }
        self.institute.checked(false)
    }
}

impl Action for BootstrapInstitute {
    const NAME: &'static str = "institute.bootstrap";
    const PERMISSION: Permission = Permission::InstituteManage;
    const SECRET: bool = true;
    type Prepared = PasswordHash;
    type Loaded = BootstrapFacts;
    type Plan = CreateInstitute;
    type Done = AccountView;

    fn prepare(&self, services: &Services, _: &Actor) -> Outcome<PasswordHash> {
        self.account(InstituteId::new())?;
        Ok(PasswordHash(services.identity.hash(self.administrator.password.reveal())?))
    }

    fn load(&self, cx: &mut Context<'_>, hash: &PasswordHash) -> Outcome<BootstrapFacts> {
        Ok(BootstrapFacts { accounts: account::table.count().get_result(cx.conn)?, hash: hash.clone() })
    }

    fn decide(&self, _: &Facts<'_>, ground: &BootstrapFacts) -> Result<CreateInstitute, Refusal> {
        self.checked(ground.accounts)
    }

    fn keep(&self, cx: &mut Context<'_>, ground: BootstrapFacts, plan: CreateInstitute) -> Outcome<AccountView> {
        let content = institute_content(&plan);
        let institute = insert_institute(cx.conn, plan, cx.now.into())?;
        cx.record(Change::created(Self::NAME, "institute", &institute, content));
        let (id, event) =
            self.account(institute)?.keep(cx.conn, ground.hash, self.administrator.origin, cx.now.into())?;
        cx.record(event);
        shown(cx, &id)
    }
}

/// Makes the first institute and its administrator. The program does it, since nobody else is there.
///
/// # Errors
/// [`AccountRefusal::NotTheFirst`], or the field that is not as expected.
pub fn bootstrap(
    services: &Services,
    institute: CreateInstitute,
    administrator: FirstAdministrator,
) -> Outcome<AccountView> {
    let program = Actor {
        account: "setup".into(),
        username: "setup".into(),
        display_name: "setup".into(),
        institute: None,
        applicant: None,
        roles: Vec::new(),
        request_id: None,
    };
    let action = BootstrapInstitute { institute, administrator };
    act_as_program(services, &program, Author::nobody("setup", None), action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_done_once_and_never_where_somebody_is() {
        let first = BootstrapInstitute {
            institute: CreateInstitute {
                code: "SXIDC".into(),
                name_zh: "山西示范药品检验所".into(),
                name_en: "Shanxi Demonstration Institute".into(),
                abbreviation: "晋".into(),
                jurisdiction: "CN-SX".into(),
                address_zh: String::new(),
                address_en: String::new(),
                sample_prefix: "SX".into(),
            },
            administrator: FirstAdministrator {
                username: "admin".into(),
                display_name: "管理员".into(),
                password: Password::from("correct horse battery".to_owned()),
                origin: PasswordOrigin::Own,
            },
        };
        assert!(first.checked(0).is_ok());
        assert_eq!(first.checked(1).err(), Some(AccountRefusal::NotTheFirst.into()));
    }
}
