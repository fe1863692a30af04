//! Which tasks the results of an evaluation belong to, and as which reading.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::kept::row_of;
use crate::action::Services;
use crate::calculation::inputs::{InputSource, ReadingInput};
use crate::record::Actor;
use crate::store::columns::{EvaluationId, EvaluationResultId, SampleId, TestTaskId};
use crate::store::rows::{EvaluationResultRow, SampleRow, TestItemRow, TestTaskRow};
use crate::store::schema::{evaluation_result, sample, test_item, test_task};
use crate::store::stored::At;
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::{ResultPart, TaskState};

/// The word of an input's source for which any evaluated result of the sample will do.
const EVALUATED: &str = "evaluated";

/// Readings that an evaluation would enter for one task.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EvaluatedTask {
    pub task_id: TestTaskId,
    pub sample_number: String,
    pub item_code: String,
    pub item_zh: String,
    pub item_en: String,
    pub readings: Vec<EvaluatedReading>,
    /// What keeps it from being entered
    pub open_questions: Vec<String>,
}

/// One reading with the result that it comes from.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EvaluatedReading {
    pub name: String,
    pub position: i64,
    pub raw: String,
    pub unit: String,
    pub label: String,
    pub result_id: EvaluationResultId,
}

/// The tasks that an evaluation proposes to enter.
///
/// # Errors
/// Where there is no such evaluation.
pub fn tasks(services: &Services, actor: &Actor, id: &EvaluationId) -> Outcome<Vec<EvaluatedTask>> {
    services.db.read(|conn| {
        let row = row_of(conn, actor, id)?;
        of_evaluation(conn, &row.id)
    })
}

/// The open tasks of the samples that an evaluation has results of, each with the readings that fit.
pub(super) fn of_evaluation(conn: &mut AnyConnection, id: &EvaluationId) -> Outcome<Vec<EvaluatedTask>> {
    let results: Vec<EvaluationResultRow> = evaluation_result::table
        .filter(evaluation_result::evaluation_id.eq(id))
        .order(evaluation_result::position)
        .load(conn)?;
    let mut samples: Vec<SampleId> = results.iter().filter_map(|row| row.sample_id.clone()).collect();
    samples.sort();
    samples.dedup();
    let mut found = Vec::new();
    for part in samples.chunks(400) {
        let tasks: Vec<(TestTaskRow, TestItemRow, SampleRow)> = test_task::table
            .inner_join(test_item::table)
            .inner_join(sample::table)
            .filter(test_task::sample_id.eq_any(part))
            .filter(test_task::state.eq_any([TaskState::Waiting, TaskState::InProgress, TaskState::Entered]))
            .order((sample::number, test_item::position))
            .select((TestTaskRow::as_select(), TestItemRow::as_select(), SampleRow::as_select()))
            .load(conn)?;
        for (task, item, sample) in &tasks {
            let of: Vec<&EvaluationResultRow> =
                results.iter().filter(|row| row.sample_id.as_ref() == Some(&sample.id)).collect();
            let inputs = At::new("test_item", "inputs", item.id.as_str()).read(&item.inputs)?;
            found.extend(proposal(task, (item, inputs), sample, &of));
        }
    }
    Ok(found)
}

fn fits(source: &InputSource, row: &EvaluationResultRow) -> bool {
    let same = |a: &str, b: &str| a.trim().eq_ignore_ascii_case(b.trim());
    (same(&source.quantity, &row.quantity) || same(&source.quantity, EVALUATED))
        && source.analyte.as_deref().is_none_or(|wanted| same(wanted, &row.analyte))
        && !source.except.iter().any(|left_out| same(left_out, &row.analyte))
}

fn proposal(
    task: &TestTaskRow,
    (item, inputs): (&TestItemRow, Vec<ReadingInput>),
    sample: &SampleRow,
    results: &[&EvaluationResultRow],
) -> Option<EvaluatedTask> {
    let (mut readings, mut open_questions) = (Vec::new(), Vec::new());
    for input in &inputs {
        let Some(source) = &input.source else { continue };
        let of: Vec<&&EvaluationResultRow> = results.iter().filter(|row| fits(source, row)).collect();
        let means: Vec<&&EvaluationResultRow> = of.iter().copied().filter(|row| row.part == ResultPart::Mean).collect();
        let single: Vec<&&EvaluationResultRow> =
            of.iter().copied().filter(|row| row.part == ResultPart::Replicate).collect();
        if means.is_empty() {
            continue;
        }
        let want = usize::try_from(input.count.saturating_mul(item.replicates)).unwrap_or(0);
        // Numbers in one unit are not entered as numbers in another.
        let wanted = if input.unit.is_empty() && item.formula.is_none() { &item.unit } else { &input.unit };
        let other = of.iter().find(|row| !wanted.is_empty() && !row.unit.is_empty() && !units::same(&row.unit, wanted));
        if let Some(row) = other {
            open_questions.push(format!(
                "{}：评价的单位为 {}，项目为 {wanted} / the evaluation is in {}, the item in {wanted}",
                input.name, row.unit, row.unit
            ));
            continue;
        }
        // As many as there are; the mean where one is wanted; the preparations where as many are wanted as there are.
        let chosen = match want {
            0 => means,
            _ if means.len() == want => means,
            _ if single.len() == want && means.len() == 1 => single,
            _ => {
                open_questions.push(format!(
                    "{}：评价有 {} 个值，项目需要 {want} 个 / the evaluation has {} values, the item takes {want}",
                    input.name,
                    means.len().max(single.len()),
                    means.len().max(single.len())
                ));
                continue;
            }
        };
        readings.extend(chosen.iter().zip(1_i64..).map(|(row, position)| EvaluatedReading {
            name: input.name.clone(),
            position,
            raw: row.raw.clone(),
            unit: row.unit.clone(),
            label: row.label.clone(),
            result_id: row.id.clone(),
        }));
    }
    if readings.is_empty() && open_questions.is_empty() {
        return None;
    }
    Some(EvaluatedTask {
        task_id: task.id.clone(),
        sample_number: sample.number.clone(),
        item_code: item.code.clone(),
        item_zh: item.name_zh.clone(),
        item_en: item.name_en.clone(),
        readings,
        open_questions,
    })
}
