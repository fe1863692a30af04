//! First administrators: of the first institute, without whom nobody could make any other, and of every institute that
//! the installation makes. Whoever makes an institute gives it an administrator once, and has nothing to say in it after.

use diesel::prelude::*;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::create::{CheckedAccount, CreateAccount};
use super::refusals::AccountRefusal;
use super::write::{PasswordHash, given_by};
use crate::action::{Action, Context, Facts, Services, act_as_program};
use crate::catalogue::{CatalogueRefusal, CreateInstitute, insert_institute, institute_content};
use crate::record::{Actor, Author, Change};
use crate::refusal::Refusal;
use crate::secrets::Password;
use crate::store::Outcome;
use crate::store::columns::{AccountId, InstituteId};
use crate::store::schema::{account, account_role, institute};
use crate::store::views::{self, AccountView, Reader};
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
        let roles = vec![Role::Administrator, Role::Installation];
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
        cx.record(Change::created(Self::NAME, "institute", &institute, content).of(&institute));
        let (id, event) =
            self.account(institute.clone())?.keep(cx.conn, ground.hash, self.administrator.origin, cx.now.into())?;
        cx.record(event.of(&institute));
        shown_in(cx, institute, &id)
    }
}

/// The account as its own institute sees it, whoever made it.
fn shown_in(cx: &mut Context<'_>, institute: InstituteId, id: &AccountId) -> Outcome<AccountView> {
    let reader = Reader::Staff { institute, hidden: Vec::new() };
    views::account(cx.conn, &reader, id)?.ok_or_else(|| AccountRefusal::NoAccount(id.clone()).into())
}

/// The first administrator of an institute that never had one. Its last one stays, so this cannot be done again.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppointAdministrator {
    pub id: InstituteId,
    /// Small letters, digits, `.`, `_` and `-`; compared in lower case
    pub username: String,
    /// The name on records
    pub display_name: String,
    /// At least 12 characters, not the user name
    #[schema(value_type = String, format = Password, min_length = 12)]
    pub password: Password,
}

/// What an appointment rests on.
pub struct Vacancy {
    institute: bool,
    administrators: i64,
    hash: PasswordHash,
    origin: PasswordOrigin,
}

impl AppointAdministrator {
    fn account(&self) -> Result<CheckedAccount, Refusal> {
        let (username, display_name) = (self.username.clone(), self.display_name.clone());
        let (password, institute) = (self.password.clone(), Some(self.id.clone()));
        let roles = vec![Role::Administrator];
        CreateAccount { username, display_name, password, institute, applicant: None, roles }.checked()
    }
}

impl Action for AppointAdministrator {
    const NAME: &'static str = "institute.appoint";
    const PERMISSION: Permission = Permission::InstituteManage;
    const SECRET: bool = true;
    type Prepared = PasswordHash;
    type Loaded = Vacancy;
    type Plan = CheckedAccount;
    type Done = AccountView;

    fn prepare(&self, services: &Services, _: &Actor) -> Outcome<PasswordHash> {
        self.account()?;
        Ok(PasswordHash(services.identity.hash(self.password.reveal())?))
    }

    fn load(&self, cx: &mut Context<'_>, hash: &PasswordHash) -> Outcome<Vacancy> {
        let institutes: i64 = institute::table.filter(institute::id.eq(&self.id)).count().get_result(cx.conn)?;
        let administrators = account_role::table
            .inner_join(account::table)
            .filter(account_role::role.eq(Role::Administrator))
            .filter(account::institute_id.eq(&self.id))
            .count()
            .get_result(cx.conn)?;
        Ok(Vacancy { institute: institutes == 1, administrators, hash: hash.clone(), origin: given_by(cx)? })
    }

    fn decide(&self, _: &Facts<'_>, vacancy: &Vacancy) -> Result<CheckedAccount, Refusal> {
        if !vacancy.institute {
            return Err(CatalogueRefusal::NoInstitute(self.id.clone()).into());
        }
        if vacancy.administrators > 0 {
            return Err(AccountRefusal::NotItsFirst.into());
        }
        self.account()
    }

    fn keep(&self, cx: &mut Context<'_>, vacancy: Vacancy, plan: CheckedAccount) -> Outcome<AccountView> {
        let (id, event) = plan.keep(cx.conn, vacancy.hash, vacancy.origin, cx.now.into())?;
        cx.record(event.of(&self.id));
        cx.record(Change::created(Self::NAME, "institute", &self.id, json!({"administrator": self.username.trim()})));
        shown_in(cx, self.id.clone(), &id)
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
        session: None,
    };
    let action = BootstrapInstitute { institute, administrator };
    act_as_program(services, &program, Author::nobody("setup", None), action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_institute_gets_its_administrator_once() {
        let appoint = AppointAdministrator {
            id: "i2".into(),
            username: "admin.sh".into(),
            display_name: "管理员".into(),
            password: Password::from("correct horse battery".to_owned()),
        };
        assert!(appoint.account().is_ok());
        let short = AppointAdministrator { password: Password::from("short".to_owned()), ..appoint };
        assert_eq!(short.account().err().and_then(|refusal| refusal.field).as_deref(), Some("password"));
    }

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
