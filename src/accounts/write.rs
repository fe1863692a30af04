//! What the actions on accounts share: how an account is kept and shown, and that an administrator stays.

use diesel::prelude::*;

use super::refusals::AccountRefusal;
use crate::action::Context;
use crate::insert_all;
use crate::people::account_by_id;
use crate::record::Actor;
use crate::store::columns::{AccountId, Instant};
use crate::store::rows::{AccountRoleRow, AccountRow};
use crate::store::schema::{account, account_role, applicant};
use crate::store::views::{self, AccountView};
use crate::store::{AnyConnection, Failure, Outcome, StoreError};
use crate::vocabulary::{PasswordOrigin, Role};

/// A password as it is kept. Has no `Debug`.
#[derive(Clone, Default)]
pub struct PasswordHash(pub(super) String);

/// Keeps a new account with its roles.
pub(super) fn insert(conn: &mut AnyConnection, row: &AccountRow, roles: &[Role]) -> Outcome<()> {
    match diesel::insert_into(account::table).values(row).execute(conn).map_err(StoreError::from) {
        Ok(_) => insert_roles(conn, &row.id, roles),
        Err(StoreError::Unique { .. }) => Err(AccountRefusal::NameTaken(row.username.clone()).into()),
        Err(error) => Err(Failure::Store(error)),
    }
}

pub(super) fn insert_roles(conn: &mut AnyConnection, id: &AccountId, roles: &[Role]) -> Outcome<()> {
    let row = |role: &Role| AccountRoleRow { account_id: id.clone(), role: *role };
    let rows: Vec<AccountRoleRow> = roles.iter().map(row).collect();
    insert_all!(conn, account_role::table, &rows)?;
    Ok(())
}

/// What a password is that the actor sets for somebody else.
pub(super) fn given_by(cx: &mut Context<'_>) -> Outcome<PasswordOrigin> {
    let own = account::table.find(&cx.actor.account).select(account::password_origin).first(cx.conn).optional()?;
    Ok(own.unwrap_or(PasswordOrigin::Own).set_by())
}

/// Takes a new password for the old one; the account is locked no longer.
pub(super) fn replace_password(
    conn: &mut AnyConnection,
    id: &AccountId,
    hash: &PasswordHash,
    origin: PasswordOrigin,
) -> Outcome<()> {
    diesel::update(account::table.find(id))
        .set((
            account::password_hash.eq(&hash.0),
            account::password_origin.eq(origin),
            account::failed_logins.eq(0),
            account::locked_until.eq(None::<Instant>),
        ))
        .execute(conn)?;
    Ok(())
}

/// The account as an administrator of the actor's institute sees it.
pub(super) fn shown(cx: &mut Context<'_>, id: &AccountId) -> Outcome<AccountView> {
    let reader = cx.services.reader(cx.actor)?;
    views::account(cx.conn, &reader, id)?.ok_or_else(|| AccountRefusal::NoAccount(id.clone()).into())
}

/// An account of the actor's institute, or of one of its own applicants; another one is not there.
pub(super) fn own_account(conn: &mut AnyConnection, actor: &Actor, id: &AccountId) -> Outcome<AccountRow> {
    let own = actor.institute()?;
    let row = account_by_id(conn, id)?;
    let house = match &row.applicant_id {
        Some(of) => applicant::table.find(of).select(applicant::institute_id).first(conn)?,
        None => row.institute_id.clone(),
    };
    if house.as_ref() == Some(&own) { Ok(row) } else { Err(AccountRefusal::NoAccount(id.clone()).into()) }
}

/// Only who has the installation's role gives it, takes it, or touches the account of somebody who has it.
pub(super) fn installation_by_its_own(actor: &Actor, before: &[Role], after: &[Role]) -> Result<(), AccountRefusal> {
    let touched = before.contains(&Role::Installation) || after.contains(&Role::Installation);
    if touched && !actor.roles.contains(&Role::Installation) {
        return Err(AccountRefusal::InstallationOnly);
    }
    Ok(())
}

/// How many others of the actor's institute have that role and may log in.
pub(super) fn others_with(conn: &mut AnyConnection, actor: &Actor, role: Role, id: &AccountId) -> Outcome<i64> {
    let own = actor.institute()?;
    Ok(account_role::table
        .inner_join(account::table)
        .filter(account_role::role.eq(role))
        .filter(account::institute_id.eq(own))
        .filter(account::disabled.eq(false))
        .filter(account::id.ne(id))
        .count()
        .get_result(conn)?)
}

/// Nobody could undo the loss of the last administrator.
pub(super) fn administrator_stays(others: i64, this_one: bool) -> Result<(), AccountRefusal> {
    if others > 0 || this_one {
        return Ok(());
    }
    Err(AccountRefusal::LastAdministrator)
}

/// The roles of an account fit what it belongs to.
pub(super) fn roles_fit(roles: &[Role], of_applicant: bool) -> Result<(), AccountRefusal> {
    if roles.is_empty() {
        return Err(AccountRefusal::NoRole);
    }
    // An applicant's eyes stay on its own cases: no role of the institute beside it.
    if roles.iter().any(|role| (*role == Role::Applicant) != of_applicant) {
        return Err(AccountRefusal::RolesMisfit);
    }
    Ok(())
}

/// Each role once, in their order.
pub(super) fn each_once(roles: &[Role]) -> Vec<Role> {
    let mut roles = roles.to_vec();
    roles.sort_unstable();
    roles.dedup();
    roles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_administrator_stays() {
        assert!(administrator_stays(1, false).is_ok());
        assert!(administrator_stays(0, true).is_ok());
        assert_eq!(administrator_stays(0, false), Err(AccountRefusal::LastAdministrator));
    }

    #[test]
    fn an_applicants_account_has_that_role_and_no_other() {
        assert!(roles_fit(&[Role::Applicant], true).is_ok());
        assert!(roles_fit(&[Role::Analyst, Role::Reviewer], false).is_ok());
        assert_eq!(roles_fit(&[], false), Err(AccountRefusal::NoRole));
        for (roles, of_applicant) in [(vec![Role::Applicant, Role::Analyst], true), (vec![Role::Applicant], false)] {
            assert_eq!(roles_fit(&roles, of_applicant), Err(AccountRefusal::RolesMisfit), "{roles:?}");
        }
    }
}
