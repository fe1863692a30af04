//! The imports that readings rest on, and what a second person found of them.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::names;
use crate::store::columns::{AccountId, InstrumentFileId, ObservationId, TestTaskId};
use crate::store::rows::{ImportCheckRow, ReadingRow};
use crate::store::schema::{import_check, instrument_file, observation};
use crate::store::{AnyConnection, Outcome};

/// A file that readings of a task were taken from.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ImportView {
    pub file_id: String,
    pub name: String,
    pub sha256: String,
    /// Who accepted the file
    pub accepted_by: Option<String>,
    /// `ok`, `rejected`, or none where nobody has compared it yet
    pub outcome: Option<String>,
    pub reason: Option<String>,
    pub checked_by: Option<String>,
    pub checked_at: Option<String>,
    /// The observations that readings, also replaced ones, were taken from
    pub observations: Vec<String>,
}

/// A check with its people, as a file's page shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CheckView {
    #[serde(flatten)]
    pub row: ImportCheckRow,
    pub checked_by_name: Option<String>,
}

impl ImportView {
    /// Whether a second person found the values to be those of the file, and nobody has found otherwise.
    #[must_use]
    pub fn checked(&self) -> bool {
        self.outcome.as_deref() == Some("ok")
    }

    /// Whether somebody found that they are not.
    #[must_use]
    pub fn rejected(&self) -> bool {
        self.outcome.as_deref() == Some("rejected")
    }
}

/// The files of the readings of one task, each with what was found of it: a rejection, of the file or of this
/// task's part of it, stands before an approval.
///
/// # Errors
/// The store's failure.
pub fn imports(conn: &mut AnyConnection, task: &TestTaskId, readings: &[ReadingRow]) -> Outcome<Vec<ImportView>> {
    let seen: Vec<ObservationId> = readings.iter().filter_map(|row| row.observation_id.clone()).collect();
    if seen.is_empty() {
        return Ok(Vec::new());
    }
    let mut files: BTreeMap<InstrumentFileId, Vec<String>> = BTreeMap::new();
    for part in seen.chunks(400) {
        let rows: Vec<(InstrumentFileId, ObservationId)> = observation::table
            .filter(observation::id.eq_any(part))
            .select((observation::instrument_file_id, observation::id))
            .load(conn)?;
        for (file, id) in rows {
            files.entry(file).or_default().push(id.to_string());
        }
    }
    let mut views = Vec::with_capacity(files.len());
    for (file, observations) in files {
        let found: (String, String, Option<AccountId>) = instrument_file::table
            .find(&file)
            .select((instrument_file::name, instrument_file::sha256, instrument_file::decided_by))
            .first(conn)?;
        let checks: Vec<ImportCheckRow> = import_check::table
            .filter(import_check::instrument_file_id.eq(&file))
            .filter(import_check::test_task_id.is_null().or(import_check::test_task_id.eq(task)))
            .order((import_check::outcome.desc(), import_check::checked_at))
            .load(conn)?;
        // "rejected" stands behind "ok" in the alphabet.
        let told = checks.into_iter().next();
        let people = names(conn, &found.2.iter().chain(told.iter().map(|row| &row.checked_by)).collect::<Vec<_>>())?;
        let name = |id: &AccountId| people.get(&id.to_string()).cloned();
        views.push(ImportView {
            file_id: file.to_string(),
            name: found.0,
            sha256: found.1,
            accepted_by: found.2.as_ref().and_then(name),
            checked_by: told.as_ref().and_then(|row| name(&row.checked_by)),
            checked_at: told.as_ref().map(|row| row.checked_at.to_string()),
            reason: told.as_ref().and_then(|row| row.reason.clone()),
            outcome: told.map(|row| row.outcome),
            observations,
        });
    }
    Ok(views)
}

/// What was found of a file's import, the oldest first.
///
/// # Errors
/// The store's failure.
pub fn import_checks(conn: &mut AnyConnection, file: &InstrumentFileId) -> Outcome<Vec<CheckView>> {
    let rows: Vec<ImportCheckRow> = import_check::table
        .filter(import_check::instrument_file_id.eq(file))
        .order((import_check::checked_at, import_check::id))
        .load(conn)?;
    let people = names(conn, &rows.iter().map(|row| &row.checked_by).collect::<Vec<_>>())?;
    let named = |row: ImportCheckRow| {
        let checked_by_name = people.get(&row.checked_by.to_string()).cloned();
        CheckView { row, checked_by_name }
    };
    Ok(rows.into_iter().map(named).collect())
}

/// How many files that readings of a task rest on were not compared by a second person, or were found wanting.
pub(super) fn unchecked_imports(conn: &mut AnyConnection, task: &TestTaskId) -> Outcome<usize> {
    use crate::store::schema::reading;
    let readings: Vec<ReadingRow> = reading::table
        .filter(reading::test_task_id.eq(task))
        .order((reading::name, reading::position, reading::version.desc()))
        .load(conn)?;
    // Of every reading the version that stands.
    let mut standing: Vec<ReadingRow> = readings;
    standing.dedup_by(|later, first| (&later.name, later.position) == (&first.name, first.position));
    Ok(imports(conn, task, &standing)?.iter().filter(|one| !one.checked()).count())
}
