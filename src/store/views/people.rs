//! Accounts, as an administrator sees them.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::store::columns::{AccountId, ApplicantId, Instant, InstituteId};
use crate::store::schema::{account, account_role, applicant, second_factor};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::Role;

/// An account as an administrator sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Account)]
pub struct AccountView {
    pub id: AccountId,
    pub username: String,
    /// The name on records and certificates
    pub display_name: String,
    /// The institute, for staff
    pub institute: Option<InstituteId>,
    /// The applicant, for an applicant's account
    pub applicant: Option<ApplicantId>,
    /// Its name
    pub applicant_name: Option<String>,
    pub roles: Vec<Role>,
    /// Whether it may not log in
    pub disabled: bool,
    /// Until when it is locked, where it is
    pub locked_until: Option<Instant>,
    /// Whether it has set up a second factor
    pub second_factor: bool,
    pub revision: i64,
}

/// What is read of an account: not its password's hash.
#[derive(Queryable, Selectable)]
#[diesel(table_name = account)]
struct Listing {
    id: AccountId,
    username: String,
    display_name: String,
    institute_id: Option<InstituteId>,
    applicant_id: Option<ApplicantId>,
    disabled: bool,
    locked_until: Option<Instant>,
    revision: i64,
}

impl AccountView {
    fn new(row: Listing, applicant_name: Option<String>, roles: Vec<Role>, second_factor: bool) -> Self {
        Self {
            id: row.id,
            username: row.username,
            display_name: row.display_name,
            institute: row.institute_id,
            applicant: row.applicant_id,
            applicant_name,
            roles,
            disabled: row.disabled,
            locked_until: row.locked_until,
            second_factor,
            revision: row.revision,
        }
    }
}

/// The accounts with a second factor that was confirmed.
#[diesel::dsl::auto_type(no_type_alias)]
fn confirmed() -> _ {
    second_factor::table.filter(second_factor::confirmed_at.is_not_null()).select(second_factor::account_id)
}

/// Every account, by user name.
///
/// # Errors
/// The store's failure.
pub fn accounts(conn: &mut AnyConnection) -> Outcome<Vec<AccountView>> {
    let rows: Vec<(Listing, Option<String>)> = account::table
        .left_join(applicant::table)
        .order(account::username)
        .select((Listing::as_select(), applicant::name.nullable()))
        .load(conn)?;
    let held: Vec<(AccountId, Role)> = account_role::table
        .order((account_role::account_id, account_role::role))
        .select((account_role::account_id, account_role::role))
        .load(conn)?;
    let mut roles: BTreeMap<AccountId, Vec<Role>> = BTreeMap::new();
    for (id, role) in held {
        roles.entry(id).or_default().push(role);
    }
    let factors: BTreeSet<AccountId> = confirmed().load(conn)?.into_iter().collect();
    let view = |(row, name): (Listing, Option<String>)| {
        let own = roles.remove(&row.id).unwrap_or_default();
        let second_factor = factors.contains(&row.id);
        AccountView::new(row, name, own, second_factor)
    };
    Ok(rows.into_iter().map(view).collect())
}

/// One account.
///
/// # Errors
/// The store's failure.
pub fn account(conn: &mut AnyConnection, id: &AccountId) -> Outcome<Option<AccountView>> {
    let found: Option<(Listing, Option<String>)> = account::table
        .left_join(applicant::table)
        .filter(account::id.eq(id))
        .select((Listing::as_select(), applicant::name.nullable()))
        .first(conn)
        .optional()?;
    let Some((row, name)) = found else { return Ok(None) };
    let roles = account_role::table
        .filter(account_role::account_id.eq(id))
        .order(account_role::role)
        .select(account_role::role)
        .load(conn)?;
    let factor: Option<AccountId> = confirmed().filter(second_factor::account_id.eq(id)).first(conn).optional()?;
    Ok(Some(AccountView::new(row, name, roles, factor.is_some())))
}
