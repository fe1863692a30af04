//! What an adapter said of a file, as rows.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use instrument_adapters::{Locator, Observation, Parsed, Problem, Severity, Status};

use crate::store::columns::{InstrumentFileId, Json, ObservationId};
use crate::store::rows::{InstrumentFileRow, ObservationRow};
use crate::store::views::{LocatorView, ProblemView};
use crate::vocabulary::instruments::{FileEvent, FileState, ObservationStatus, ProblemSeverity};
use crate::vocabulary::states;

/// Fills in what the adapter said; its problems are given back, since more may be added to them.
///
/// # Errors
/// Where the file was read before.
pub(super) fn as_read(row: &mut InstrumentFileRow, parsed: &Parsed) -> Result<Vec<ProblemView>, states::WrongState> {
    row.state = row.state.on(FileEvent::ReadAgain)?;
    row.adapter = Some(parsed.adapter.clone());
    row.adapter_version = parsed.run.get("adapter_version").and_then(|v| v.as_str()).map(str::to_owned);
    row.complete = parsed.complete;
    row.run = Json::of(&parsed.run);
    Ok(parsed.problems.iter().map(problem).collect())
}

/// The state of a file before anybody has read it.
pub(super) const UNREAD: FileState = FileState::Unread;

/// What is said of a file that no adapter reads.
pub(super) fn not_recognised(why: &str) -> ProblemView {
    let why: String = why.chars().take(2000).collect();
    ProblemView {
        code: "not_recognised".into(),
        severity: ProblemSeverity::Error,
        message: format!("没有适配器能识别该文件：{why} / {why}"),
        locator: LocatorView::default(),
    }
}

pub(super) fn problem(one: &Problem) -> ProblemView {
    ProblemView {
        code: one.code.clone(),
        severity: match one.severity {
            Severity::Error => ProblemSeverity::Error,
            Severity::Warning => ProblemSeverity::Warning,
        },
        message: one.message.clone(),
        locator: locator(&one.locator),
    }
}

fn locator(one: &Locator) -> LocatorView {
    LocatorView {
        line: one.line,
        column: one.column,
        sheet: one.sheet.clone(),
        cell: one.cell.clone(),
        path: one.path.clone(),
    }
}

fn status(one: Status) -> ObservationStatus {
    match one {
        Status::Ok => ObservationStatus::Ok,
        Status::Below => ObservationStatus::Below,
        Status::Above => ObservationStatus::Above,
        Status::NotDetected => ObservationStatus::NotDetected,
        Status::OverRange => ObservationStatus::OverRange,
        Status::Masked => ObservationStatus::Masked,
        Status::Unstable => ObservationStatus::Unstable,
        Status::Invalid => ObservationStatus::Invalid,
        Status::Text => ObservationStatus::Text,
        Status::Ambiguous => ObservationStatus::Ambiguous,
    }
}

/// The values as rows.
pub(super) fn observations_of(id: &InstrumentFileId, parsed: &Parsed) -> Vec<ObservationRow> {
    let row = |(seen, position): (&Observation, i64)| ObservationRow {
        id: ObservationId::new(),
        instrument_file_id: id.clone(),
        position,
        sample_text: seen.sample.clone(),
        analyte: seen.analyte.clone(),
        quantity: seen.quantity.clone(),
        raw: seen.raw.clone(),
        value: seen.value.clone(),
        unit: seen.unit.clone(),
        status: status(seen.status),
        flags: Json::of(&seen.flags),
        locator: Json::of(&seen.locator),
        injection: seen.injection.clone(),
        acquired_at: seen.acquired_at.clone(),
        bound: seen.bound.clone(),
        context: Json::of(&seen.context),
        sample_id: None,
        readings: Json::of(&seen.readings),
        chosen: None,
        chosen_by: None,
    };
    parsed.observations.iter().zip(1_i64..).map(row).collect()
}

/// The days on which the values were taken; today, where the file does not say so plainly.
pub(super) fn days(observations: &[ObservationRow], today: NaiveDate) -> BTreeSet<NaiveDate> {
    let day = |text: &str| text.get(..10).and_then(|day| day.parse::<NaiveDate>().ok());
    let found: BTreeSet<NaiveDate> =
        observations.iter().filter_map(|seen| seen.acquired_at.as_deref().and_then(day)).collect();
    if found.is_empty() { BTreeSet::from([today]) } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_adapters_are_ours() {
        let all = [
            Status::Ok,
            Status::Below,
            Status::Above,
            Status::NotDetected,
            Status::OverRange,
            Status::Masked,
            Status::Unstable,
            Status::Invalid,
            Status::Text,
            Status::Ambiguous,
        ];
        for one in all {
            assert_eq!(serde_json::json!(one), serde_json::json!(status(one)));
        }
        assert_eq!(all.len(), ObservationStatus::ALL.len());
        let found = Problem {
            code: "cut".into(),
            severity: Severity::Error,
            message: "m".into(),
            locator: Locator { line: Some(3), ..Locator::default() },
        };
        assert_eq!(serde_json::json!(found), serde_json::json!(problem(&found)));
    }
}
