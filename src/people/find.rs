//! Reading accounts.

use diesel::prelude::*;

use crate::record::Actor;
use crate::refusal::{Code, Refusal};
use crate::store::columns::AccountId;
use crate::store::rows::AccountRow;
use crate::store::schema::{account, account_role};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::Role;

/// User names are compared in lower case.
pub(crate) fn normal_username(username: &str) -> String {
    username.trim().to_lowercase()
}

pub(super) fn by_username(conn: &mut AnyConnection, username: &str) -> Outcome<Option<AccountRow>> {
    Ok(account::table.filter(account::username.eq(username)).select(AccountRow::as_select()).first(conn).optional()?)
}

pub(crate) fn account_by_id(conn: &mut AnyConnection, id: &AccountId) -> Outcome<AccountRow> {
    account::table
        .find(id)
        .select(AccountRow::as_select())
        .first(conn)
        .optional()?
        .ok_or_else(|| Refusal::not_found("账户", "account", id.as_str()).into())
}

pub(crate) fn roles_of(conn: &mut AnyConnection, id: &AccountId) -> Outcome<Vec<Role>> {
    Ok(account_role::table
        .filter(account_role::account_id.eq(id))
        .order(account_role::role)
        .select(account_role::role)
        .load(conn)?)
}

pub(super) fn actor(row: &AccountRow, roles: Vec<Role>, request_id: Option<&str>) -> Actor {
    Actor {
        account: row.id.clone(),
        username: row.username.clone(),
        display_name: row.display_name.clone(),
        institute: row.institute_id.clone(),
        applicant: row.applicant_id.clone(),
        roles,
        request_id: request_id.map(str::to_owned),
        session: None,
    }
}

pub(super) fn revoked() -> Refusal {
    Refusal::new(Code::SessionRevoked, "会话已失效，请重新登录", "the session is no longer valid: log in again")
}
