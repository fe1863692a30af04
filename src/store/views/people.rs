//! Accounts, as an administrator sees them.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Reader;
use super::catalogue::{Search, lower};
use super::keyset::{self, Part};
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

/// The accounts of the reader's institute and of its own applicants, by user name.
///
/// Two lists are read, each in the order of its index, and merged: people of the house, and applicants.
///
/// # Errors
/// [`crate::refusal::Code::Forbidden`] for an applicant; [`crate::refusal::Code::InvalidField`] for an offset beyond
/// what is counted.
pub fn accounts(conn: &mut AnyConnection, reader: &Reader, search: &Search) -> Outcome<Part<AccountView>> {
    let own = reader.staff()?;
    let (limit, offset, pattern) = (keyset::limit(search.limit), keyset::offset(search.offset)?, search.pattern());
    let after = search.after.as_deref().unwrap_or_default();
    macro_rules! found {
        () => {
            account::table.left_join(applicant::table).filter(
                lower(account::username)
                    .like(lower(pattern.clone()))
                    .escape('\\')
                    .or(lower(account::display_name).like(lower(pattern.clone())).escape('\\')),
            )
        };
    }
    macro_rules! part {
        ($whose:expr) => {
            found!()
                .filter($whose)
                .filter(account::username.gt(after))
                .order(account::username)
                .limit(limit + offset + 1)
                .select((Listing::as_select(), applicant::name.nullable()))
                .load::<(Listing, Option<String>)>(conn)?
        };
    }
    let mut rows = part!(account::institute_id.eq(own));
    rows.extend(part!(applicant::institute_id.eq(own)));
    rows.sort_by(|one, other| one.0.username.cmp(&other.0.username));
    let mut rows: Vec<_> = rows.into_iter().skip(usize::try_from(offset).unwrap_or(usize::MAX)).collect();
    let next = keyset::next(&mut rows, limit, |(row, _)| row.username.clone());
    let staff: i64 = found!().filter(account::institute_id.eq(own)).count().get_result(conn)?;
    let applicants: i64 = found!().filter(applicant::institute_id.eq(own)).count().get_result(conn)?;
    let total = staff + applicants;
    let mut roles = roles_of(conn, rows.iter().map(|(row, _)| &row.id).collect())?;
    let ids: Vec<&AccountId> = rows.iter().map(|(row, _)| &row.id).collect();
    let factors: Vec<AccountId> = confirmed().filter(second_factor::account_id.eq_any(ids)).load(conn)?;
    let view = |(row, name): (Listing, Option<String>)| {
        let own = roles.remove(&row.id).unwrap_or_default();
        let second_factor = factors.contains(&row.id);
        AccountView::new(row, name, own, second_factor)
    };
    let items = rows.into_iter().map(view).collect();
    Ok(Part { total: total.min(keyset::COUNTED), total_at_least: total > keyset::COUNTED, items, next })
}

fn roles_of(conn: &mut AnyConnection, ids: Vec<&AccountId>) -> Outcome<BTreeMap<AccountId, Vec<Role>>> {
    let held: Vec<(AccountId, Role)> = account_role::table
        .filter(account_role::account_id.eq_any(ids))
        .order((account_role::account_id, account_role::role))
        .select((account_role::account_id, account_role::role))
        .load(conn)?;
    let mut roles: BTreeMap<AccountId, Vec<Role>> = BTreeMap::new();
    for (id, role) in held {
        roles.entry(id).or_default().push(role);
    }
    Ok(roles)
}

/// One account of the reader's institute, or of one of its own applicants.
///
/// # Errors
/// [`crate::refusal::Code::Forbidden`] for an applicant.
pub fn account(conn: &mut AnyConnection, reader: &Reader, id: &AccountId) -> Outcome<Option<AccountView>> {
    let own = reader.staff()?;
    let found: Option<(Listing, Option<String>)> = account::table
        .left_join(applicant::table)
        .filter(account::id.eq(id))
        .filter(account::institute_id.eq(own).or(applicant::institute_id.eq(own)))
        .select((Listing::as_select(), applicant::name.nullable()))
        .first(conn)
        .optional()?;
    let Some((row, name)) = found else { return Ok(None) };
    let roles = roles_of(conn, vec![id])?.remove(id).unwrap_or_default();
    let factor: Option<AccountId> = confirmed().filter(second_factor::account_id.eq(id)).first(conn).optional()?;
    Ok(Some(AccountView::new(row, name, roles, factor.is_some())))
}
