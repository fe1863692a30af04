//! Passwords: one's own is changed by who knows it; somebody else's is reset by an administrator.

use serde::Deserialize;
use utoipa::ToSchema;

use super::write::{PasswordHash, given_by, installation_by_its_own, own_account, replace_password};
use crate::action::{Action, Context, Facts, Services, Subject};
use crate::people::{check_rule, end_all, roles_of};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::secrets::Password;
use crate::store::Outcome;
use crate::store::columns::{AccountId, SessionId};
use crate::store::revisions::Revised;
use crate::text;
use crate::vocabulary::{PasswordOrigin, Permission, Role};

/// The old and the new password of one's own account; its other sessions end.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = NewPassword)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    #[schema(value_type = String, format = Password)]
    pub old_password: Password,
    #[schema(value_type = String, format = Password, min_length = 12)]
    pub new_password: Password,
    /// The session that goes on: the one that asks.
    #[serde(skip)]
    pub session: Option<SessionId>,
}

impl Action for ChangePassword {
    const NAME: &'static str = "password.change";
    const PERMISSION: Permission = Permission::OwnPasswordChange;
    const SECRET: bool = true;
    type Prepared = PasswordHash;
    type Loaded = PasswordHash;
    type Plan = ();
    type Done = ();

    /// A wrong old password counts towards the lock and is written to the trail, though the action is refused: it is
    /// settled in a transaction of its own.
    fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<PasswordHash> {
        check_rule("new_password", &actor.username, self.new_password.reveal())?;
        if self.new_password.reveal() == self.old_password.reveal() {
            return Err(Refusal::field("new_password", "新密码与原密码相同", "the new password is the old one").into());
        }
        services.identity.confirm(actor, self.old_password.reveal(), "password")?;
        Ok(PasswordHash(services.identity.hash(self.new_password.reveal())?))
    }

    fn load(&self, _: &mut Context<'_>, hash: &PasswordHash) -> Outcome<PasswordHash> {
        Ok(hash.clone())
    }

    fn decide(&self, _: &Facts<'_>, _: &PasswordHash) -> Result<(), Refusal> {
        Ok(())
    }

    fn keep(&self, cx: &mut Context<'_>, hash: PasswordHash, (): ()) -> Outcome<()> {
        let id = &cx.actor.account;
        replace_password(cx.conn, id, &hash, PasswordOrigin::Own)?;
        end_all(cx.conn, id, self.session.as_ref(), cx.now)?;
        cx.record(Change::field(Self::NAME, "account", id, "password", "•", "••"));
        Ok(())
    }
}

/// An administrator's new password for somebody else, and why; it unlocks the account, ends its
/// sessions, and is changed by its owner at the next log-in.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetPassword {
    pub id: AccountId,
    #[schema(value_type = String, format = Password, min_length = 12)]
    pub password: Password,
    pub reason: String,
}

impl Action for ResetPassword {
    const NAME: &'static str = "account.reset_password";
    const PERMISSION: Permission = Permission::AccountManage;
    const SECRET: bool = true;
    type Prepared = PasswordHash;
    /// With the roles that the account has.
    type Loaded = (PasswordHash, Vec<Role>);
    type Plan = String;
    type Done = ();

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Account, &self.id))
    }

    fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<PasswordHash> {
        text::required("reason", &self.reason, text::REMARK)?;
        let row = services.db.read(|conn| own_account(conn, actor, &self.id))?;
        check_rule("password", &row.username, self.password.reveal())?;
        Ok(PasswordHash(services.identity.hash(self.password.reveal())?))
    }

    fn load(&self, cx: &mut Context<'_>, hash: &PasswordHash) -> Outcome<(PasswordHash, Vec<Role>)> {
        own_account(cx.conn, cx.actor, &self.id)?;
        Ok((hash.clone(), roles_of(cx.conn, &self.id)?))
    }

    fn decide(&self, facts: &Facts<'_>, (_, roles): &(PasswordHash, Vec<Role>)) -> Result<String, Refusal> {
        installation_by_its_own(facts.actor, roles, &[])?;
        text::required("reason", &self.reason, text::REMARK)
    }

    fn keep(&self, cx: &mut Context<'_>, (hash, _): (PasswordHash, Vec<Role>), reason: String) -> Outcome<()> {
        let origin = given_by(cx)?;
        replace_password(cx.conn, &self.id, &hash, origin)?;
        end_all(cx.conn, &self.id, None, cx.now)?;
        cx.record(Change::field(Self::NAME, "account", &self.id, "password", "•", "••").because(reason));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_does_not_show_itself() {
        let change: ChangePassword =
            serde_json::from_str(r#"{"old_password": "correct horse", "new_password": "battery staple"}"#)
                .expect("a change");
        assert!(change.session.is_none());
        let shown = format!("{change:?}");
        assert!(!shown.contains("horse") && !shown.contains("staple"), "{shown}");
        let session = r#"{"old_password": "a", "new_password": "b", "session": "s1"}"#;
        assert!(serde_json::from_str::<ChangePassword>(session).is_err(), "nobody names the session");
    }
}
