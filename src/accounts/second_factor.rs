//! The second factor of an account: set up and confirmed by its owner, reset by an administrator where it was lost.
//!
//! No answer of these actions carries the secret: answers are kept under the key of their request. Its owner reads it
//! until it is confirmed, and nobody does afterwards.

use diesel::prelude::*;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::write::own_account;
use crate::action::{Action, Context, Facts, Services, Subject};
use crate::insert_all;
use crate::people::{Offered, end_all, factor_of, kept, opened, sealed, step_of};
use crate::record::{Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::secrets::Password;
use crate::store::columns::AccountId;
use crate::store::revisions::Revised;
use crate::store::rows::{RecoveryCodeRow, SecondFactorRow};
use crate::store::schema::{account, recovery_code, second_factor};
use crate::store::{AnyConnection, Outcome};
use crate::text;
use crate::vocabulary::Permission;

/// Begins a second factor of one's own, in the place of one that was never confirmed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfferSecondFactor {
    /// One's own
    #[schema(value_type = String, format = Password)]
    pub password: Password,
}

/// A second factor that is to be offered.
#[derive(Clone, Default)]
pub struct Fresh {
    sealed: String,
    codes: Vec<String>,
}

fn not_confirmed(confirmed: bool) -> Result<(), Refusal> {
    if !confirmed {
        return Ok(());
    }
    let (zh, en) = (
        "双因素验证已启用；更换设备请由管理员重置",
        "it is set up already: for another device an administrator resets it",
    );
    Err(Refusal::new(Code::WrongState, zh, en))
}

fn is_confirmed(conn: &mut AnyConnection, id: &AccountId) -> Outcome<bool> {
    Ok(factor_of(conn, id)?.is_some_and(|row| row.confirmed_at.is_some()))
}

fn remove(conn: &mut AnyConnection, id: &AccountId) -> Outcome<()> {
    diesel::delete(recovery_code::table.filter(recovery_code::account_id.eq(id))).execute(conn)?;
    diesel::delete(second_factor::table.find(id)).execute(conn)?;
    Ok(())
}

impl Action for OfferSecondFactor {
    const NAME: &'static str = "second_factor.offer";
    const PERMISSION: Permission = Permission::OwnSecondFactor;
    const SECRET: bool = true;
    type Prepared = Fresh;
    type Loaded = (bool, Fresh);
    type Plan = ();
    type Done = ();

    fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<Fresh> {
        if self.password.reveal().is_empty() {
            return Err(Refusal::field("password", "请输入本人密码", "give your own password").into());
        }
        services.identity.confirm(actor, self.password.reveal(), "second factor")?;
        let offered = Offered::new();
        let codes = offered.recovery_codes.iter().map(|code| kept(&actor.account, code)).collect();
        Ok(Fresh { sealed: sealed(services.identity.vault(), &actor.account, &offered)?, codes })
    }

    fn load(&self, cx: &mut Context<'_>, fresh: &Fresh) -> Outcome<(bool, Fresh)> {
        Ok((is_confirmed(cx.conn, &cx.actor.account)?, fresh.clone()))
    }

    fn decide(&self, _: &Facts<'_>, (confirmed, _): &(bool, Fresh)) -> Result<(), Refusal> {
        not_confirmed(*confirmed)
    }

    fn keep(&self, cx: &mut Context<'_>, (_, fresh): (bool, Fresh), (): ()) -> Outcome<()> {
        let id = &cx.actor.account;
        remove(cx.conn, id)?;
        let row = SecondFactorRow {
            account_id: id.clone(),
            sealed: fresh.sealed,
            last_step: 0,
            offered_at: cx.now.into(),
            confirmed_at: None,
        };
        diesel::insert_into(second_factor::table).values(&row).execute(cx.conn)?;
        let code = |code_sha256| RecoveryCodeRow { account_id: id.clone(), code_sha256, used_at: None };
        let codes: Vec<RecoveryCodeRow> = fresh.codes.into_iter().map(code).collect();
        insert_all!(cx.conn, recovery_code::table, &codes)?;
        cx.record(Change::created(Self::NAME, "account", id, json!({"recovery_codes": codes.len()})));
        Ok(())
    }
}

/// Confirms one's own second factor by a code of the app: from now on it is asked for at the log-in.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmSecondFactor {
    /// What the app shows now
    pub code: String,
}

/// What a confirmation rests on.
pub struct Confirmation {
    row: Option<SecondFactorRow>,
    step: Option<i64>,
}

impl ConfirmSecondFactor {
    /// The step of the code.
    fn checked(&self, found: &Confirmation) -> Result<i64, Refusal> {
        let Some(row) = &found.row else {
            return Err(Refusal::new(Code::WrongState, "请先开始设置双因素验证", "begin to set it up first"));
        };
        not_confirmed(row.confirmed_at.is_some())?;
        let (zh, en) = (
            "验证码不正确：请输入应用当前显示的6位数字，并核对手机时间",
            "the code is not right: type the six digits that the app shows now, and check the phone's time",
        );
        found.step.ok_or_else(|| Refusal::field("code", zh, en))
    }
}

impl Action for ConfirmSecondFactor {
    const NAME: &'static str = "second_factor.confirm";
    const PERMISSION: Permission = Permission::OwnSecondFactor;
    const SECRET: bool = true;
    type Prepared = ();
    type Loaded = Confirmation;
    type Plan = i64;
    type Done = ();

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Confirmation> {
        let row = factor_of(cx.conn, &cx.actor.account)?;
        let step = match &row {
            Some(row) => {
                let offered = opened(cx.services.identity.vault(), row)?;
                step_of(&offered.secret, &self.code, cx.now, row.last_step)?
            }
            None => None,
        };
        Ok(Confirmation { row, step })
    }

    fn decide(&self, _: &Facts<'_>, found: &Confirmation) -> Result<i64, Refusal> {
        self.checked(found)
    }

    fn keep(&self, cx: &mut Context<'_>, found: Confirmation, step: i64) -> Outcome<()> {
        let Some(row) = found.row else { return Ok(()) };
        let (id, vault) = (&cx.actor.account, cx.services.identity.vault());
        // The recovery codes are shown no more: only what recognises them stays.
        let offered = Offered { recovery_codes: Vec::new(), ..opened(vault, &row)? };
        diesel::update(second_factor::table.find(id))
            .set((
                second_factor::sealed.eq(sealed(vault, id, &offered)?),
                second_factor::last_step.eq(step),
                second_factor::confirmed_at.eq(Some(crate::store::columns::Instant::from(cx.now))),
            ))
            .execute(cx.conn)?;
        cx.record(Change::field(Self::NAME, "account", id, "second_factor", false, true));
        Ok(())
    }
}

/// Takes the second factor of an account away, and why; its sessions end. Its owner sets up another.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetSecondFactor {
    pub id: AccountId,
    pub reason: String,
}

impl ResetSecondFactor {
    fn checked(&self, there: bool) -> Result<String, Refusal> {
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        if there {
            return Ok(reason);
        }
        Err(Refusal::new(Code::WrongState, "该账户未设置双因素验证", "the account has no second factor"))
    }
}

impl Action for ResetSecondFactor {
    const NAME: &'static str = "second_factor.reset";
    const PERMISSION: Permission = Permission::AccountManage;
    type Prepared = ();
    type Loaded = bool;
    type Plan = String;
    type Done = ();

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Account, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<bool> {
        own_account(cx.conn, cx.actor, &self.id)?;
        Ok(factor_of(cx.conn, &self.id)?.is_some())
    }

    fn decide(&self, _: &Facts<'_>, there: &bool) -> Result<String, Refusal> {
        self.checked(*there)
    }

    fn keep(&self, cx: &mut Context<'_>, _: bool, reason: String) -> Outcome<()> {
        remove(cx.conn, &self.id)?;
        end_all(cx.conn, &self.id, None, cx.now)?;
        // It is kept in a table of its own, and is part of what the account is: its revision rises with it.
        diesel::update(account::table.find(&self.id)).set(account::disabled.eq(account::disabled)).execute(cx.conn)?;
        cx.record(Change::field(Self::NAME, "account", &self.id, "second_factor", true, false).because(reason));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    fn found(confirmed: bool, step: Option<i64>) -> Confirmation {
        let at: DateTime<Utc> = "2026-03-02T01:00:00Z".parse().expect("an instant");
        let row = SecondFactorRow {
            account_id: "a1".into(),
            sealed: String::new(),
            last_step: 0,
            offered_at: at.into(),
            confirmed_at: confirmed.then(|| at.into()),
        };
        Confirmation { row: Some(row), step }
    }

    #[test]
    fn it_is_confirmed_once_and_by_a_right_code() {
        let confirm = ConfirmSecondFactor { code: "123456".into() };
        assert_eq!(confirm.checked(&found(false, Some(7))).ok(), Some(7));
        let wrong = confirm.checked(&found(false, None)).err();
        assert_eq!(wrong.and_then(|refusal| refusal.field).as_deref(), Some("code"));
        let code = |found: Confirmation| confirm.checked(&found).err().map(|refusal| refusal.code);
        assert_eq!(code(found(true, Some(7))), Some(Code::WrongState));
        assert_eq!(code(Confirmation { row: None, step: None }), Some(Code::WrongState));
    }

    #[test]
    fn a_reset_has_a_reason_and_something_to_reset() {
        let reset = |reason: &str, there| ResetSecondFactor { id: "a1".into(), reason: reason.into() }.checked(there);
        assert!(reset("手机丢失", true).is_ok());
        assert_eq!(reset(" ", true).err().and_then(|refusal| refusal.field).as_deref(), Some("reason"));
        assert_eq!(reset("手机丢失", false).err().map(|refusal| refusal.code), Some(Code::WrongState));
    }
}
