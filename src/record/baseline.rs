//! Taking over the rows that were there before entries carried hashes: once, after the upgrade.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::json;

use super::canonical::row;
use super::compare::{BASELINE, last_said};
use super::rows::{SealedRow, write_rows};
use super::structure::record_structure;
use super::writing::{Author, Change, enter};
use crate::store::schema::audit_end;
use crate::store::touched::{SEALED, each_row};
use crate::store::{DbConn, Outcome};

/// Rows of one entry.
const ROWS: usize = 2000;

/// Writes entries with the hash of every row that no entry speaks of, where that was not done yet, and with the structure
/// of the database, where it is another than before; tells how many rows there were.
///
/// # Errors
/// The store's failure.
pub fn take_over(db: &DbConn, now: DateTime<Utc>) -> Outcome<u64> {
    let rows = take_over_rows(db, now)?;
    record_structure(db, now)?;
    Ok(rows)
}

fn take_over_rows(db: &DbConn, now: DateTime<Utc>) -> Outcome<u64> {
    let done = |conn: &mut _| Ok(audit_end::table.find(1_i64).select(audit_end::baseline).first::<i64>(conn)? > 0);
    if db.read(done)? {
        return Ok(0);
    }
    db.write(move |conn| {
        if done(conn)? {
            return Ok(0);
        }
        let said = last_said(conn, &mut Vec::new())?;
        let mut unsaid = Vec::new();
        for (at, table) in SEALED.iter().enumerate() {
            each_row(conn, table, |key, content| {
                if !said.speaks_of(at, key) {
                    let hash = Some(row(table.name, key, content));
                    unsaid.push(SealedRow { table: table.name.to_owned(), key: key.to_owned(), hash });
                }
            })?;
        }
        let program = Author::program();
        for part in unsaid.chunks(ROWS) {
            let change = Change::created(BASELINE, "record", "baseline", json!({"rows": part.len()}));
            enter(conn, &program, now, vec![change], &write_rows(part))?;
        }
        diesel::update(audit_end::table.find(1_i64)).set(audit_end::baseline.eq(1)).execute(conn)?;
        Ok(u64::try_from(unsaid.len()).unwrap_or_default())
    })
}
