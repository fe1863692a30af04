//! What is signed at the bench: the canonical form of what somebody saw when they approved it.

use diesel::prelude::*;
use serde_json::{Value, json};

use crate::people::SignedContent;
use crate::store::columns::{InstrumentFileId, TestTaskId};
use crate::store::rows::{ReadingRow, ResultRow};
use crate::store::schema::{instrument_file, observation, reading};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::CheckOutcome;

/// A result with the readings that it was calculated from, without what its review adds.
pub(super) fn result(row: &ResultRow, readings: &[ReadingRow]) -> Value {
    json!({"result": row.id, "task": row.test_task_id, "version": row.version, "calculated": row.calculated,
        "reported": row.reported, "unit": row.unit, "limit": row.limit_text, "compare_by": row.compare_by,
        "verdict": row.verdict, "steps": row.steps.tree(), "reagents": row.reagents, "note": row.note,
        "analyst": row.analyst_id, "entered_at": row.entered_at, "outside": row.outside.tree(),
        "despite_range": row.despite_range, "readings": readings.iter().map(one).collect::<Vec<_>>()})
}

fn one(row: &ReadingRow) -> Value {
    json!({"id": row.id, "name": row.name, "position": row.position, "version": row.version, "raw": row.raw,
        "value": row.value, "unit": row.unit, "observation": row.observation_id,
        "evaluation_result": row.evaluation_result_id, "entered_by": row.entered_by, "entered_at": row.entered_at})
}

/// A file with the readings that were taken from it, of one task or of all, and what was found of them.
pub(super) fn import(
    conn: &mut AnyConnection,
    file: &InstrumentFileId,
    task: Option<&TestTaskId>,
    found: (CheckOutcome, Option<&str>),
) -> Outcome<SignedContent> {
    let sha256: String = instrument_file::table.find(file).select(instrument_file::sha256).first(conn)?;
    let mut query =
        reading::table.inner_join(observation::table).filter(observation::instrument_file_id.eq(file)).into_boxed();
    if let Some(task) = task {
        query = query.filter(reading::test_task_id.eq(task));
    }
    let rows: Vec<ReadingRow> = query.order(reading::id).select(ReadingRow::as_select()).load(conn)?;
    let (outcome, reason) = found;
    Ok(SignedContent::of(&json!({"file": file, "sha256": sha256, "task": task, "outcome": outcome, "reason": reason,
        "readings": rows.iter().map(one).collect::<Vec<_>>()})))
}

#[cfg(test)]
mod tests {
    use super::super::specimens::{result_of, sheet_file};
    use super::*;
    use crate::vocabulary::{TaskState, Verdict};

    #[test]
    fn a_review_is_no_part_of_what_it_signs_and_every_value_is() {
        let file = sheet_file(TaskState::Entered, "analyst");
        let row = result_of(&file, Verdict::Pass);
        let signed = SignedContent::of(&result(&row, &[]));
        let reviewed = ResultRow { reviewer_id: Some("reviewer".into()), ..row.clone() };
        assert_eq!(SignedContent::of(&result(&reviewed, &[])), signed);
        let other = ResultRow { reported: "99.8".into(), ..row };
        assert_ne!(SignedContent::of(&result(&other, &[])), signed);
    }
}
