//! The imports that readings rest on, and what a second person found of them.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::names;
use crate::store::columns::{AccountId, ImportCheckId, Instant, InstrumentFileId, ObservationId, TestTaskId};
use crate::store::rows::{ImportCheckRow, ReadingRow};
use crate::store::schema::{import_check, instrument_file, observation};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::CheckOutcome;

/// A file that readings of a task were taken from.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ImportView {
    pub file_id: InstrumentFileId,
    pub name: String,
    pub sha256: String,
    /// Who accepted the file
    pub accepted_by: Option<String>,
    /// The account that accepted it
    #[serde(skip)]
    pub decided_by: Option<AccountId>,
    /// None where nobody has compared it yet
    pub outcome: Option<CheckOutcome>,
    pub reason: Option<String>,
    pub checked_by: Option<String>,
    pub checked_at: Option<Instant>,
    /// The observations that readings, also replaced ones, were taken from
    pub observations: Vec<ObservationId>,
}

/// A check with its people, as a file's page shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CheckView {
    pub id: ImportCheckId,
    pub instrument_file_id: InstrumentFileId,
    /// None where all values of the file are meant
    pub test_task_id: Option<TestTaskId>,
    pub outcome: CheckOutcome,
    pub reason: Option<String>,
    pub checked_by: AccountId,
    pub checked_at: Instant,
    pub checked_by_name: Option<String>,
}

impl ImportView {
    /// Whether a second person found the values to be those of the file, and nobody has found otherwise.
    #[must_use]
    pub fn checked(&self) -> bool {
        self.outcome == Some(CheckOutcome::Ok)
    }

    /// Whether somebody found that they are not.
    #[must_use]
    pub fn rejected(&self) -> bool {
        self.outcome == Some(CheckOutcome::Rejected)
    }
}

/// What counts of the checks of one import, given in the order in which they were made: the highest rank, and of the
/// same rank the first.
fn counts(checks: impl DoubleEndedIterator<Item = ImportCheckRow>) -> Option<ImportCheckRow> {
    checks.rev().max_by_key(|check| check.outcome.rank())
}

/// The files of the readings of one task, each with what was found of it: a rejection, of the file or of this
/// task's part of it, counts more than an approval.
///
/// # Errors
/// The store's failure.
pub fn imports(conn: &mut AnyConnection, task: &TestTaskId, readings: &[ReadingRow]) -> Outcome<Vec<ImportView>> {
    let seen: Vec<ObservationId> = readings.iter().filter_map(|row| row.observation_id.clone()).collect();
    if seen.is_empty() {
        return Ok(Vec::new());
    }
    let mut files: BTreeMap<InstrumentFileId, Vec<ObservationId>> = BTreeMap::new();
    for part in seen.chunks(400) {
        let rows: Vec<(InstrumentFileId, ObservationId)> = observation::table
            .filter(observation::id.eq_any(part))
            .select((observation::instrument_file_id, observation::id))
            .load(conn)?;
        for (file, id) in rows {
            files.entry(file).or_default().push(id);
        }
    }
    let found: Vec<(InstrumentFileId, String, String, Option<AccountId>)> = instrument_file::table
        .filter(instrument_file::id.eq_any(files.keys()))
        .order(instrument_file::id)
        .select((instrument_file::id, instrument_file::name, instrument_file::sha256, instrument_file::decided_by))
        .load(conn)?;
    let checks: Vec<ImportCheckRow> = import_check::table
        .filter(import_check::instrument_file_id.eq_any(files.keys()))
        .filter(import_check::test_task_id.is_null().or(import_check::test_task_id.eq(task)))
        .order((import_check::checked_at, import_check::id))
        .load(conn)?;
    let people = found.iter().filter_map(|file| file.3.as_ref()).chain(checks.iter().map(|row| &row.checked_by));
    let people = names(conn, &people.collect::<Vec<_>>())?;
    let name = |id: &AccountId| people.get(id.as_str()).cloned();
    let view = |(file_id, file_name, sha256, decided_by): (InstrumentFileId, String, String, Option<AccountId>)| {
        let check = counts(checks.iter().filter(|row| row.instrument_file_id == file_id).cloned());
        ImportView {
            name: file_name,
            sha256,
            accepted_by: decided_by.as_ref().and_then(name),
            decided_by,
            checked_by: check.as_ref().and_then(|row| name(&row.checked_by)),
            checked_at: check.as_ref().map(|row| row.checked_at.clone()),
            reason: check.as_ref().and_then(|row| row.reason.clone()),
            outcome: check.map(|row| row.outcome),
            observations: files.remove(&file_id).unwrap_or_default(),
            file_id,
        }
    };
    Ok(found.into_iter().map(view).collect())
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
    let view = |row: ImportCheckRow| CheckView {
        checked_by_name: people.get(row.checked_by.as_str()).cloned(),
        id: row.id,
        instrument_file_id: row.instrument_file_id,
        test_task_id: row.test_task_id,
        outcome: row.outcome,
        reason: row.reason,
        checked_by: row.checked_by,
        checked_at: row.checked_at,
    };
    Ok(rows.into_iter().map(view).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_counts_whenever_it_was_said() {
        let check = |id: &str, outcome: CheckOutcome| ImportCheckRow {
            id: id.into(),
            instrument_file_id: "f".into(),
            test_task_id: None,
            outcome,
            reason: None,
            checked_by: "a".into(),
            checked_at: chrono::DateTime::UNIX_EPOCH.into(),
        };
        let of = |list: Vec<ImportCheckRow>| counts(list.into_iter()).map(|check| check.id.to_string());
        let (ok, rejected) = (CheckOutcome::Ok, CheckOutcome::Rejected);
        assert_eq!(of(vec![check("1", ok), check("2", rejected), check("3", ok)]).as_deref(), Some("2"));
        assert_eq!(of(vec![check("1", rejected), check("2", ok)]).as_deref(), Some("1"));
        assert_eq!(of(vec![check("1", ok), check("2", ok)]).as_deref(), Some("1"));
        assert_eq!(of(Vec::new()), None);
    }
}
