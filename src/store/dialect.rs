//! The small differences between the two databases, in one place.

use diesel::prelude::*;

use super::schema::{idempotency_key, number_series};
use super::{AnyConnection, Outcome};

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

/// Inserts many rows, a few hundred a statement: both databases bound the parameters of one.
#[macro_export]
macro_rules! insert_all {
    ($conn:expr, $table:path, $rows:expr) => {{
        let rows = $rows;
        rows.chunks(400).try_fold(0, |sum, part| {
            let part = part.to_vec();
            $crate::on_each!(&mut *$conn, c => diesel::insert_into($table).values(part).execute(c)).map(|n| sum + n)
        })
    }};
}

/// Forgets idempotency keys older than `before`.
///
/// # Errors
/// The store's failure.
pub fn forget_idempotency_keys(conn: &mut AnyConnection, before: &super::columns::Instant) -> Outcome<usize> {
    Ok(diesel::delete(idempotency_key::table.filter(idempotency_key::created_at.lt(before))).execute(conn)?)
}
