//! Files as they are kept, with what belongs to them.

use diesel::prelude::*;
use instrument_adapters::{Companion, Options};

use super::read;
use crate::action::Services;
use crate::instruments::refusals::InstrumentRefusal;
use crate::store::columns::{InstituteId, InstrumentFileId, SampleId};
use crate::store::rows::{CompanionFileRow, InstrumentFileRow, InstrumentRow, ObservationRow};
use crate::store::schema::{companion_file, instrument, instrument_file, observation, sample};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::SampleState;

/// A file of the institute.
pub(in crate::instruments) fn file_of(
    conn: &mut AnyConnection,
    own: &InstituteId,
    id: &InstrumentFileId,
) -> Outcome<InstrumentFileRow> {
    let found: Option<InstrumentFileRow> = instrument_file::table
        .find(id)
        .filter(instrument_file::institute_id.eq(own))
        .select(InstrumentFileRow::as_select())
        .first(conn)
        .optional()?;
    found.ok_or_else(|| InstrumentRefusal::NoFile(id.to_string()).into())
}

/// The values of a file, in its order.
pub(in crate::instruments) fn observations_of_file(
    conn: &mut AnyConnection,
    id: &InstrumentFileId,
) -> Outcome<Vec<ObservationRow>> {
    Ok(observation::table.filter(observation::instrument_file_id.eq(id)).order(observation::position).load(conn)?)
}

/// The registered instrument that a file comes from.
pub(in crate::instruments) fn machine_of(
    conn: &mut AnyConnection,
    file: &InstrumentFileRow,
) -> Outcome<Option<InstrumentRow>> {
    let Some(id) = &file.instrument_id else { return Ok(None) };
    Ok(instrument::table.find(id).select(InstrumentRow::as_select()).first(conn).optional()?)
}

/// A decision about a file rests on its values and on their samples: it gets a new revision where those change.
pub(in crate::instruments) fn touch(conn: &mut AnyConnection, id: &InstrumentFileId) -> Outcome<()> {
    diesel::update(instrument_file::table.find(id))
        .set(instrument_file::revision.eq(instrument_file::revision + 1))
        .execute(conn)?;
    Ok(())
}

/// The files that were read beside a file, with their bytes.
pub(super) fn companions(services: &Services, id: &InstrumentFileId) -> Outcome<Vec<Companion>> {
    let rows: Vec<CompanionFileRow> = services.db.read(|conn| {
        Ok(companion_file::table
            .filter(companion_file::instrument_file_id.eq(id))
            .order(companion_file::name)
            .load(conn)?)
    })?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        all.push(Companion { bytes: services.files.get(&row.sha256)?, name: row.name });
    }
    Ok(all)
}

/// How a file was read and is read again: with the word of its instrument, and with its companions.
pub(in crate::instruments) fn options_of(services: &Services, file: &InstrumentFileRow) -> Outcome<Options> {
    let machine = services.db.read(|conn| machine_of(conn, file))?;
    Ok(read::options(machine.as_ref(), companions(services, &file.id)?))
}

/// The received samples of an institute by their numbers.
pub(super) fn samples_by_number(
    conn: &mut AnyConnection,
    own: &InstituteId,
    numbers: &[String],
) -> Outcome<Vec<(String, SampleId)>> {
    Ok(sample::table
        .filter(sample::institute_id.eq(own))
        .filter(sample::state.eq(SampleState::Received))
        .filter(sample::number.eq_any(numbers))
        .select((sample::number, sample::id))
        .load(conn)?)
}
