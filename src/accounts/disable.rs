//! Disabling an account, which ends its sessions, and enabling it again.
//!
//! It takes the place of nothing that somebody wrote: an account can be stopped at once, whatever was changed of it
//! meanwhile. A page still sends the revision that it shows.

use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;

use super::refusals::AccountRefusal;
use super::write::{administrator_stays, installation_by_its_own, others_with, own_account, shown};
use crate::action::{Action, Context, Facts, Subject};
use crate::people::{end_all, roles_of};
use crate::record::Change;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::AccountId;
use crate::store::revisions::Revised;
use crate::store::schema::account;
use crate::store::views::AccountView;
use crate::text;
use crate::vocabulary::register::AccountEvent;
use crate::vocabulary::{AccountState, Permission, Role};

/// Disabled or not, and why.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = SetDisabled)]
#[serde(deny_unknown_fields)]
pub struct DisableAccount {
    pub id: AccountId,
    pub disabled: bool,
    pub reason: String,
}

/// What is decided from.
pub struct Availability {
    state: AccountState,
    roles: Vec<Role>,
    other_administrators: i64,
}

/// The state that follows, and why.
pub struct NextState {
    state: AccountState,
    reason: String,
}

impl DisableAccount {
    fn event(&self) -> AccountEvent {
        if self.disabled { AccountEvent::Disable } else { AccountEvent::Enable }
    }

    fn checked(&self, standing: &Availability) -> Result<NextState, Refusal> {
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        let state = standing.state.on(self.event()).map_err(AccountRefusal::State)?;
        if state.is_disabled() {
            administrator_stays(standing.other_administrators, false)?;
        }
        Ok(NextState { state, reason })
    }
}

impl Action for DisableAccount {
    const NAME: &'static str = "account.disable";
    const PERMISSION: Permission = Permission::AccountManage;
    type Prepared = ();
    type Loaded = Availability;
    type Plan = NextState;
    type Done = AccountView;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Account, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Availability> {
        let state = AccountState::of(own_account(cx.conn, cx.actor, &self.id)?.disabled);
        Ok(Availability {
            state,
            roles: roles_of(cx.conn, &self.id)?,
            other_administrators: others_with(cx.conn, cx.actor, Role::Administrator, &self.id)?,
        })
    }

    fn decide(&self, facts: &Facts<'_>, standing: &Availability) -> Result<NextState, Refusal> {
        let plan = self.checked(standing)?;
        installation_by_its_own(facts.actor, &standing.roles, &[])?;
        if standing.roles.contains(&Role::Installation) && facts.actor.account == self.id {
            // Nobody else could be sure to give the role again.
            return Err(AccountRefusal::OwnRoles.into());
        }
        Ok(plan)
    }

    fn keep(&self, cx: &mut Context<'_>, standing: Availability, plan: NextState) -> Outcome<AccountView> {
        let (before, after) = (standing.state.is_disabled(), plan.state.is_disabled());
        diesel::update(account::table.find(&self.id)).set(account::disabled.eq(after)).execute(cx.conn)?;
        if after {
            end_all(cx.conn, &self.id, None, cx.now)?;
        }
        let name = if after { Self::NAME } else { "account.enable" };
        cx.record(Change::field(name, "account", &self.id, "disabled", before, after).because(plan.reason));
        shown(cx, &self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(disabled: bool) -> DisableAccount {
        DisableAccount { id: "a1".into(), disabled, reason: "离职".into() }
    }

    #[test]
    fn the_last_administrator_is_not_disabled() {
        let standing =
            |others| Availability { state: AccountState::Active, roles: Vec::new(), other_administrators: others };
        assert_eq!(set(true).checked(&standing(0)).err(), Some(AccountRefusal::LastAdministrator.into()));
        assert_eq!(set(true).checked(&standing(1)).ok().map(|next| next.state), Some(AccountState::Disabled));
    }

    #[test]
    fn a_repetition_is_no_fault() {
        let disabled = Availability { state: AccountState::Disabled, roles: Vec::new(), other_administrators: 1 };
        assert_eq!(set(true).checked(&disabled).ok().map(|next| next.state), Some(AccountState::Disabled));
        assert_eq!(set(false).checked(&disabled).ok().map(|next| next.state), Some(AccountState::Active));
    }
}
