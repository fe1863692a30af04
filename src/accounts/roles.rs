//! The roles of an account: given as a whole, so that who did not see the last change would take it back.

use diesel::prelude::*;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::refusals::AccountRefusal;
use super::write::{
    administrator_stays, each_once, insert_roles, installation_by_its_own, others_with, own_account, roles_fit, shown,
};
use crate::action::{Action, Context, Facts, Subject};
use crate::people::roles_of;
use crate::record::Change;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::AccountId;
use crate::store::revisions::Revised;
use crate::store::schema::{account, account_role};
use crate::store::views::AccountView;
use crate::text;
use crate::vocabulary::{Permission, Role};

/// New roles, and why; they hold from the next request on.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRoles {
    pub id: AccountId,
    pub roles: Vec<Role>,
    pub reason: String,
}

/// What the roles are decided from.
pub struct Holder {
    roles: Vec<Role>,
    of_applicant: bool,
    disabled: bool,
    other_administrators: i64,
}

/// Roles that were found in order.
pub struct NewRoles {
    roles: Vec<Role>,
    reason: String,
}

impl SetRoles {
    fn checked(&self, holder: &Holder) -> Result<NewRoles, Refusal> {
        let roles = each_once(&self.roles);
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        roles_fit(&roles, holder.of_applicant)?;
        administrator_stays(holder.other_administrators, roles.contains(&Role::Administrator) && !holder.disabled)?;
        Ok(NewRoles { roles, reason })
    }
}

impl Action for SetRoles {
    const NAME: &'static str = "account.roles";
    const PERMISSION: Permission = Permission::AccountManage;
    const REPLACES: bool = true;
    type Prepared = ();
    type Loaded = Holder;
    type Plan = NewRoles;
    type Done = AccountView;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Account, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Holder> {
        let row = own_account(cx.conn, cx.actor, &self.id)?;
        Ok(Holder {
            roles: roles_of(cx.conn, &self.id)?,
            of_applicant: row.applicant_id.is_some(),
            disabled: row.disabled,
            other_administrators: others_with(cx.conn, cx.actor, Role::Administrator, &self.id)?,
        })
    }

    fn decide(&self, facts: &Facts<'_>, holder: &Holder) -> Result<NewRoles, Refusal> {
        if facts.actor.account == self.id {
            return Err(AccountRefusal::OwnRoles.into());
        }
        let plan = self.checked(holder)?;
        if holder.roles.contains(&Role::Installation) != plan.roles.contains(&Role::Installation) {
            installation_by_its_own(facts.actor, &holder.roles, &plan.roles)?;
        }
        Ok(plan)
    }

    fn keep(&self, cx: &mut Context<'_>, holder: Holder, plan: NewRoles) -> Outcome<AccountView> {
        diesel::delete(account_role::table.filter(account_role::account_id.eq(&self.id))).execute(cx.conn)?;
        insert_roles(cx.conn, &self.id, &plan.roles)?;
        // Roles are kept in a table of their own, and are part of what the account is: its revision rises with them.
        diesel::update(account::table.find(&self.id)).set(account::disabled.eq(account::disabled)).execute(cx.conn)?;
        let (old, new) = (json!(holder.roles), json!(plan.roles));
        cx.record(Change::field(Self::NAME, "account", &self.id, "roles", old, new).because(plan.reason));
        shown(cx, &self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Code;

    fn set(roles: &[Role], reason: &str) -> SetRoles {
        SetRoles { id: "a1".into(), roles: roles.to_vec(), reason: reason.into() }
    }

    fn holder(other_administrators: i64) -> Holder {
        Holder { roles: vec![Role::Administrator], of_applicant: false, disabled: false, other_administrators }
    }

    #[test]
    fn the_last_administrator_keeps_that_role() {
        let code = |set: SetRoles, others| set.checked(&holder(others)).err().map(|refusal| refusal.code);
        assert_eq!(code(set(&[Role::Quality], "岗位变动"), 0), Some(Code::Conflict));
        assert_eq!(code(set(&[Role::Quality], "岗位变动"), 1), None);
        assert_eq!(code(set(&[Role::Quality, Role::Administrator], "岗位变动"), 0), None);
    }

    #[test]
    fn a_change_of_roles_has_a_reason() {
        let refused = set(&[Role::Administrator], " ").checked(&holder(1)).err();
        assert_eq!(refused.and_then(|refusal| refusal.field).as_deref(), Some("reason"));
    }
}
