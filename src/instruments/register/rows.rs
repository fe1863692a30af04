//! Instruments of the register as they are kept.

use diesel::prelude::*;

use super::pattern::MatchRule;
use crate::instruments::refusals::InstrumentRefusal;
use crate::store::columns::{InstituteId, InstrumentId};
use crate::store::rows::InstrumentRow;
use crate::store::schema::instrument;
use crate::store::stored::At;
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::instruments::InstrumentEvent;

/// An instrument of the institute that is in use.
pub(in crate::instruments) fn active(
    conn: &mut AnyConnection,
    own: &InstituteId,
    id: &InstrumentId,
) -> Outcome<InstrumentRow> {
    let row = row_of(conn, own, id)?;
    row.state.on(InstrumentEvent::Serve).map_err(InstrumentRefusal::from)?;
    Ok(row)
}

/// An instrument of the institute.
pub(in crate::instruments) fn row_of(
    conn: &mut AnyConnection,
    own: &InstituteId,
    id: &InstrumentId,
) -> Outcome<InstrumentRow> {
    let found: Option<InstrumentRow> = instrument::table
        .find(id)
        .filter(instrument::institute_id.eq(own))
        .select(InstrumentRow::as_select())
        .first(conn)
        .optional()?;
    found.ok_or_else(|| InstrumentRefusal::NoInstrument(id.to_string()).into())
}

/// How the names in an instrument's files lead to samples.
///
/// # Errors
/// Where the stored rule cannot be read.
pub(in crate::instruments) fn rule_of(row: &InstrumentRow) -> Outcome<MatchRule> {
    Ok(At::new("instrument", "matching", row.id.as_str()).read(&row.matching)?)
}
