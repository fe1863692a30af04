//! Instrument files as they are shown: the inbox, a file, its values, and what a person has to know of it.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::Reader;
use super::keyset::{self, After, Part};
use crate::refusal::Refusal;
use crate::store::columns::{AccountId, Instant, InstituteId, InstrumentFileId, InstrumentId, ObservationId, SampleId};
use crate::store::rows::{CompanionFileRow, InstrumentFileRow, ObservationRow};
use crate::store::schema::{account, instrument, instrument_file};
use crate::store::stored::At;
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::instruments::{FileSource, FileState, ObservationStatus, ProblemSeverity};

/// Where in a file something is. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LocatorView {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// Cell of a sheet, as `B7`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
    /// Path within a tree, as `$.injections[0].peaks[2].area`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl LocatorView {
    /// The place in words: `第 12 行`, `Sheet1!B7`, `$.injections[0].area`; none where the file has no places.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        match (self.line, &self.sheet, &self.cell, &self.path) {
            (Some(line), ..) => Some(format!("第 {line} 行")),
            (_, Some(sheet), Some(cell), _) => Some(format!("{sheet}!{cell}")),
            (.., Some(path)) => Some(path.clone()),
            _ => None,
        }
    }
}

/// Something that a person has to know of a file; as it is stored and as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemView {
    /// Stable word for programs
    pub code: String,
    pub severity: ProblemSeverity,
    /// One sentence; where it is in both languages, with ` / ` between
    pub message: String,
    #[serde(default)]
    pub locator: LocatorView,
}

/// An instrument file.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct InstrumentFileView {
    pub id: InstrumentFileId,
    pub sha256: String,
    pub name: String,
    pub size: i64,
    pub institute_id: InstituteId,
    pub adapter: Option<String>,
    pub adapter_version: Option<String>,
    /// `true` only where the format proves it, `false` where the proof fails
    pub complete: Option<bool>,
    /// What the file says of the run as a whole, in its own words
    pub run: Value,
    pub problems: Vec<ProblemView>,
    pub state: FileState,
    pub state_reason: Option<String>,
    pub uploaded_by: AccountId,
    pub uploaded_at: Instant,
    pub decided_by: Option<AccountId>,
    pub decided_at: Option<Instant>,
    pub instrument_id: Option<InstrumentId>,
    pub source: FileSource,
    /// Its path below the watched folder
    pub path: Option<String>,
    /// How often a file of this name was taken in from this instrument, this one included
    pub version: i64,
    pub supersedes: Option<InstrumentFileId>,
    /// What a decision about it is made on
    pub revision: i64,
}

impl InstrumentFileView {
    /// A file with the revision that it has.
    ///
    /// # Errors
    /// Where what is stored of it cannot be read.
    pub fn of(row: InstrumentFileRow, revision: i64) -> Outcome<Self> {
        Ok(Self {
            run: At::new("instrument_file", "run", row.id.as_str()).tree(&row.run)?,
            problems: problems_of(&row)?,
            id: row.id,
            sha256: row.sha256,
            name: row.name,
            size: row.size,
            institute_id: row.institute_id,
            adapter: row.adapter,
            adapter_version: row.adapter_version,
            complete: row.complete,
            state: row.state,
            state_reason: row.state_reason,
            uploaded_by: row.uploaded_by,
            uploaded_at: row.uploaded_at,
            decided_by: row.decided_by,
            decided_at: row.decided_at,
            instrument_id: row.instrument_id,
            source: row.source,
            path: row.path,
            version: row.version,
            supersedes: row.supersedes,
            revision,
        })
    }
}

/// What a person has to know of a file.
///
/// # Errors
/// Where it cannot be read.
pub fn problems_of(row: &InstrumentFileRow) -> Result<Vec<ProblemView>, Refusal> {
    At::new("instrument_file", "problems", row.id.as_str()).read(&row.problems)
}

/// A value of a file.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ObservationView {
    pub id: ObservationId,
    pub instrument_file_id: InstrumentFileId,
    pub position: i64,
    /// As the file has it
    pub sample_text: Option<String>,
    pub analyte: Option<String>,
    pub quantity: String,
    /// The text as written
    pub raw: String,
    /// Plain decimal text with a point
    pub value: Option<String>,
    pub unit: Option<String>,
    pub status: ObservationStatus,
    /// Marks of the instrument
    pub flags: Vec<String>,
    pub locator: LocatorView,
    pub injection: Option<String>,
    /// ISO 8601 where the date can be read in one way only, else as written
    pub acquired_at: Option<String>,
    pub bound: Option<String>,
    /// What else the file says of the value
    pub context: BTreeMap<String, String>,
    pub sample_id: Option<SampleId>,
    /// What an ambiguous value may be: its mark as a decimal one, and as one that parts thousands
    pub readings: Vec<String>,
    /// The reading that a person chose
    pub chosen: Option<String>,
    pub chosen_by: Option<AccountId>,
}

impl ObservationView {
    /// A value.
    ///
    /// # Errors
    /// Where what is stored of it cannot be read.
    pub fn of(row: ObservationRow) -> Outcome<Self> {
        Ok(Self {
            flags: At::new("observation", "flags", row.id.as_str()).read(&row.flags)?,
            locator: locator_of(&row)?,
            context: context_of(&row)?,
            readings: At::new("observation", "readings", row.id.as_str()).read(&row.readings)?,
            id: row.id,
            instrument_file_id: row.instrument_file_id,
            position: row.position,
            sample_text: row.sample_text,
            analyte: row.analyte,
            quantity: row.quantity,
            raw: row.raw,
            value: row.value,
            unit: row.unit,
            status: row.status,
            injection: row.injection,
            acquired_at: row.acquired_at,
            bound: row.bound,
            sample_id: row.sample_id,
            chosen: row.chosen,
            chosen_by: row.chosen_by,
        })
    }
}

/// Where a value is in its file.
///
/// # Errors
/// Where that cannot be read.
pub fn locator_of(row: &ObservationRow) -> Result<LocatorView, Refusal> {
    At::new("observation", "locator", row.id.as_str()).read(&row.locator)
}

/// What else the file says of a value.
///
/// # Errors
/// Where that cannot be read.
pub fn context_of(row: &ObservationRow) -> Result<BTreeMap<String, String>, Refusal> {
    At::new("observation", "context", row.id.as_str()).read(&row.context)
}

/// A file that was read beside another one.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CompanionView {
    pub instrument_file_id: InstrumentFileId,
    pub name: String,
    pub sha256: String,
    pub size: i64,
}

impl From<CompanionFileRow> for CompanionView {
    fn from(row: CompanionFileRow) -> Self {
        Self { instrument_file_id: row.instrument_file_id, name: row.name, sha256: row.sha256, size: row.size }
    }
}

/// One file in the inbox.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FileListRow {
    #[serde(flatten)]
    pub file: InstrumentFileView,
    pub uploaded_by_name: String,
    /// The registered instrument that it comes from
    pub instrument_code: Option<String>,
    /// There is a newer version of it
    pub superseded: bool,
}

/// Which files are asked for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct FileFilter {
    pub state: Option<FileState>,
    /// The id of an instrument
    pub instrument: Option<InstrumentId>,
    /// How many at most: 1 to 500, 100 without it
    pub limit: Option<i64>,
    /// Behind which row the part begins: `next` of the part before
    pub after: Option<String>,
    /// How many are skipped, at most 10 000; `after` goes further
    pub offset: Option<i64>,
}

/// The files of the reader's institute, the newest first. Five statements, however many rows.
///
/// # Errors
/// A cursor that this list did not give, and the store's failure.
pub fn files(conn: &mut AnyConnection, reader: &Reader, filter: &FileFilter) -> Outcome<Part<FileListRow>> {
    let own = reader.staff()?.clone();
    let (after, limit, offset) =
        (After::parse(filter.after.as_deref())?, keyset::limit(filter.limit), keyset::offset(filter.offset)?);
    let filtered = || {
        let mut query = instrument_file::table.filter(instrument_file::institute_id.eq(own.clone())).into_boxed();
        if let Some(state) = filter.state {
            query = query.filter(instrument_file::state.eq(state));
        }
        if let Some(id) = &filter.instrument {
            query = query.filter(instrument_file::instrument_id.eq(id.clone()));
        }
        query
    };
    let order = (instrument_file::uploaded_at.desc(), instrument_file::id.desc());
    let beyond: Option<InstrumentFileId> =
        filtered().select(instrument_file::id).order(order).offset(keyset::COUNTED).limit(1).first(conn).optional()?;
    let total = match &beyond {
        Some(_) => keyset::COUNTED,
        None => filtered().count().get_result(conn)?,
    };
    let mut part = filtered();
    if let Some(After { at, id }) = after {
        part = part
            .filter(instrument_file::uploaded_at.le(at.clone()))
            .filter(instrument_file::uploaded_at.lt(at).or(instrument_file::id.lt(id)));
    }
    let mut rows: Vec<(InstrumentFileRow, i64)> = part
        .order(order)
        .limit(limit + 1)
        .offset(offset)
        .select((InstrumentFileRow::as_select(), instrument_file::revision))
        .load(conn)?;
    let next = keyset::next(&mut rows, limit, |(row, _)| After::of(&row.uploaded_at, &row.id));
    Ok(Part { total, total_at_least: beyond.is_some(), items: named(conn, rows)?, next })
}

/// The newest files of an instrument.
///
/// # Errors
/// The store's failure.
pub fn files_of_instrument(
    conn: &mut AnyConnection,
    reader: &Reader,
    id: &InstrumentId,
    most: i64,
) -> Outcome<Part<FileListRow>> {
    let filter = FileFilter { instrument: Some(id.clone()), limit: Some(most), ..FileFilter::default() };
    files(conn, reader, &filter)
}

/// The rows with the names of people and instruments, and whether a newer version came.
fn named(conn: &mut AnyConnection, rows: Vec<(InstrumentFileRow, i64)>) -> Outcome<Vec<FileListRow>> {
    let people: BTreeSet<AccountId> = rows.iter().map(|(row, _)| row.uploaded_by.clone()).collect();
    let people: Vec<(AccountId, String)> =
        account::table.filter(account::id.eq_any(people)).select((account::id, account::display_name)).load(conn)?;
    let people: BTreeMap<AccountId, String> = people.into_iter().collect();
    let machines: BTreeSet<InstrumentId> = rows.iter().filter_map(|(row, _)| row.instrument_id.clone()).collect();
    let machines: Vec<(InstrumentId, String)> = instrument::table
        .filter(instrument::id.eq_any(machines))
        .select((instrument::id, instrument::code))
        .load(conn)?;
    let machines: BTreeMap<InstrumentId, String> = machines.into_iter().collect();
    let ids: Vec<InstrumentFileId> = rows.iter().map(|(row, _)| row.id.clone()).collect();
    let newer: Vec<Option<InstrumentFileId>> = instrument_file::table
        .filter(instrument_file::supersedes.eq_any(ids))
        .select(instrument_file::supersedes)
        .load(conn)?;
    let newer: BTreeSet<InstrumentFileId> = newer.into_iter().flatten().collect();
    rows.into_iter()
        .map(|(row, revision)| {
            Ok(FileListRow {
                // An account is never deleted: the name is there.
                uploaded_by_name: people.get(&row.uploaded_by).cloned().unwrap_or_else(|| row.uploaded_by.to_string()),
                instrument_code: row.instrument_id.as_ref().and_then(|id| machines.get(id).cloned()),
                superseded: newer.contains(&row.id),
                file: InstrumentFileView::of(row, revision)?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_in_words() {
        let at = |json: &str| serde_json::from_str::<LocatorView>(json).expect("a locator").words();
        assert_eq!(at(r#"{"line":12,"column":3}"#).as_deref(), Some("第 12 行"));
        assert_eq!(at(r#"{"sheet":"Sheet1","cell":"B7"}"#).as_deref(), Some("Sheet1!B7"));
        assert_eq!(at(r#"{"path":"$.peaks[2].area"}"#).as_deref(), Some("$.peaks[2].area"));
        assert_eq!(at("{}"), None);
    }
}
