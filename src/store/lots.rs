//! Earlier lots in the form in which lots are compared: made when the program starts, where a version that did not know
//! them wrote them.

use diesel::prelude::*;

use super::columns::BatchId;
use super::rows::LotKeyRow;
use super::schema::{batch, lot_key};
use super::{AnyConnection, StoreError};
use crate::insert_all;
use crate::text::codes;

/// How many are made at once.
const PART: i64 = 5000;

/// Makes the keys that are missing.
pub(super) fn fill(conn: &mut AnyConnection) -> Result<(), StoreError> {
    loop {
        let missing: Vec<(BatchId, String)> = batch::table
            .left_join(lot_key::table)
            .filter(lot_key::batch_id.is_null())
            .select((batch::id, batch::lot_number))
            .limit(PART)
            .load(conn)?;
        if missing.is_empty() {
            return Ok(());
        }
        let of = |(batch_id, lot): (BatchId, String)| LotKeyRow { batch_id, lot: codes::lot_key(&lot) };
        let rows: Vec<LotKeyRow> = missing.into_iter().map(of).collect();
        insert_all!(conn, lot_key::table, rows)?;
    }
}
