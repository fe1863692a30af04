//! The small differences between the two databases, in one place.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::columns::{AccountId, Instant};
use super::rows::IdempotencyKeyRow;
use super::schema::{audit_entry, idempotency_key, number_series};
use super::{AnyConnection, Outcome, StoreError};

/// Runs a query that is written once and compiled for each database.
#[macro_export]
macro_rules! on_each {
    ($conn:expr, $inner:ident => $query:expr) => {
        match $conn {
            $crate::store::AnyConnection::Sqlite($inner) => $query,
            $crate::store::AnyConnection::Postgres($inner) => $query,
        }
    };
}

/// Takes the next number of a series, starting at 1. Part of the caller's transaction: what is undone was
/// never taken, so a series has no gaps.
///
/// # Errors
/// The store's failure.
pub fn next_number(conn: &mut AnyConnection, series: &str, year: i64) -> Outcome<i64> {
    let number = on_each!(conn, c => diesel::insert_into(number_series::table)
        .values((number_series::series.eq(series), number_series::year.eq(year), number_series::last.eq(1)))
        .on_conflict((number_series::series, number_series::year))
        .do_update()
        .set(number_series::last.eq(number_series::last + 1))
        .returning(number_series::last)
        .get_result::<i64>(c))?;
    Ok(number)
}

/// The columns of a row, for `returning`: diesel's own `as_returning` is not SQL where both databases are compiled in.
#[must_use]
pub fn columns_of<R: Selectable<<AnyConnection as Connection>::Backend>>() -> R::SelectExpression {
    R::construct_selection()
}

/// Inserts many rows of one table, in parts of a few fixed sizes: each size is one statement, which stays prepared
/// on its connection.
#[macro_export]
macro_rules! insert_all {
    ($conn:expr, $table:path, $rows:expr) => {{
        let rows = $rows;
        let (mut rest, mut sum) = (&rows[..], 0_usize);
        loop {
            $crate::insert_all!(@part $conn, $table, rest, sum, 128 32 8 4 2 1);
            break diesel::QueryResult::Ok(sum);
        }
    }};
    (@part $conn:expr, $table:path, $rest:ident, $sum:ident, $($size:literal)*) => {
        $(if let Some((part, after)) = $rest.split_first_chunk::<$size>() {
            match $crate::on_each!(&mut *$conn, c => diesel::insert_into($table).values(part).execute(c)) {
                Ok(inserted) => $sum += inserted,
                Err(error) => break Err(error),
            }
            $rest = after;
            continue;
        })*
    };
}

/// Forgets idempotency keys older than `before`.
///
/// # Errors
/// The store's failure.
pub fn forget_idempotency_keys(conn: &mut AnyConnection, before: &Instant) -> Outcome<usize> {
    Ok(diesel::delete(idempotency_key::table.filter(idempotency_key::created_at.lt(before))).execute(conn)?)
}

/// The answer kept under an account's idempotency key.
///
/// # Errors
/// The store's failure.
pub fn remembered_answer(
    conn: &mut AnyConnection,
    account: &AccountId,
    key: &str,
) -> Outcome<Option<IdempotencyKeyRow>> {
    Ok(idempotency_key::table.find((account, key)).select(IdempotencyKeyRow::as_select()).first(conn).optional()?)
}

/// Forgets what was answered under a key that speaks for a short time only.
///
/// # Errors
/// The store's failure.
pub fn forget_answer(conn: &mut AnyConnection, account: &AccountId, key: &str) -> Outcome<()> {
    diesel::delete(idempotency_key::table.find((account, key))).execute(conn)?;
    Ok(())
}

/// Keeps an answer under an account's idempotency key.
///
/// # Errors
/// The store's failure; where another process was quicker the transaction runs again and finds its answer.
pub fn remember_answer(
    conn: &mut AnyConnection,
    account: &AccountId,
    key: &str,
    request_sha256: &str,
    status: u16,
    body: &str,
    at: Instant,
) -> Outcome<()> {
    let row = IdempotencyKeyRow {
        account_id: account.clone(),
        request_key: key.to_owned(),
        request_sha256: request_sha256.to_owned(),
        status: i64::from(status),
        body: body.to_owned(),
        created_at: at,
    };
    match diesel::insert_into(idempotency_key::table).values(&row).execute(conn).map_err(StoreError::from) {
        Ok(_) => Ok(()),
        Err(StoreError::Unique { .. }) => Err(StoreError::Serialization.into()),
        Err(error) => Err(error.into()),
    }
}

/// How far the trail can be sealed once the transactions of this moment have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// The last entry seen.
    pub last_entry: i64,
    /// The first transaction that had not begun (PostgreSQL); nothing on SQLite, which has one writer.
    first_not_begun: Option<i64>,
}

/// The horizon of this moment; `None` where the trail is empty.
///
/// # Errors
/// The store's failure.
pub fn audit_horizon(conn: &mut AnyConnection) -> Outcome<Option<Horizon>> {
    let last: Option<i64> = audit_entry::table.select(diesel::dsl::max(audit_entry::seq)).first(conn)?;
    let first_not_begun = match conn {
        AnyConnection::Sqlite(_) => None,
        AnyConnection::Postgres(raw) => {
            Some(diesel::select(sql::<BigInt>("txid_snapshot_xmax(txid_current_snapshot())")).get_result::<i64>(raw)?)
        }
    };
    Ok(last.map(|last_entry| Horizon { last_entry, first_not_begun }))
}

/// Whether every transaction that could still add an entry up to the horizon has ended.
///
/// # Errors
/// The store's failure.
pub fn horizon_passed(conn: &mut AnyConnection, horizon: &Horizon) -> Outcome<bool> {
    match (conn, horizon.first_not_begun) {
        (AnyConnection::Postgres(raw), Some(first)) => {
            let oldest: i64 =
                diesel::select(sql::<BigInt>("txid_snapshot_xmin(txid_current_snapshot())")).get_result(raw)?;
            Ok(oldest >= first)
        }
        _ => Ok(true),
    }
}
