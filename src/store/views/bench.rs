//! The bench: one task with everything entered for it. None of it names the applicant, nor who entered the case.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::investigations::{self, InvestigationView};
use super::samples::{self, Balance};
use super::{ImportView, ObservationView, Reader, names};
use crate::calculation::inputs::ReadingInput;
use crate::regulation::numeric::Limit;
use crate::store::columns::{
    AccountId, Day, Dec, EvaluationId, EvaluationResultId, Instant, InstituteId, ObservationId, OosDecisionId,
    ReadingId, ResultId, SampleId, SpecificationId, TestItemId, TestTaskId,
};
use crate::store::rows::{
    ObservationRow, OosDecisionRow, ReadingRow, ResultCorrectionRow, ResultRow, TestItemRow, TestTaskRow,
};
use crate::store::schema::{
    application, evaluation, evaluation_result, observation, out_of_limit_decision, product, reading, result,
    result_correction, sample, test_item, test_task,
};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::{
    Comparison, CorrectionKind, ItemKind, OosDecision, ReadingSource, ReviewOutcome, TaskState, Verdict,
};

/// One task with everything entered for it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaskView {
    pub task: TaskFacts,
    pub item: TaskItem,
    pub sample_number: String,
    pub received_at: Instant,
    pub product_zh: String,
    pub product_en: String,
    pub analyst: Option<String>,
    /// Every version of every reading: nothing is overwritten
    pub readings: Vec<ReadingView>,
    /// The values of instrument files that readings were taken from
    pub observations: Vec<ObservationView>,
    pub results: Vec<ResultView>,
    /// The instrument files that the readings, also replaced ones, were taken from, and who compared them
    pub imports: Vec<ImportView>,
    /// The evaluations of sequences and plates that readings rest on
    pub evaluations: Vec<TaskEvaluation>,
    /// The investigation of its latest result, or of the one that it repeats under a plan
    pub investigation: Option<InvestigationView>,
    /// All attempts of this item on this sample
    pub attempts: Vec<TestTaskId>,
    /// What is left of the sample, by place
    pub balances: Vec<Balance>,
    /// The unit of the amounts there
    pub content_unit: Option<String>,
}

/// The task itself.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaskFacts {
    pub id: TestTaskId,
    pub sample_id: SampleId,
    pub test_item_id: TestItemId,
    pub attempt: i64,
    pub state: TaskState,
    pub lane_rank: i64,
    pub due: Option<Day>,
    pub available_at: Instant,
    pub started_at: Option<Instant>,
    pub analyst_id: Option<AccountId>,
    pub institute_id: InstituteId,
    /// Who alone does it, where a plan of repetitions says so
    pub assigned_to: Option<AccountId>,
    /// What a change of it is made on
    pub revision: i64,
}

/// What is tested.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaskItem {
    pub id: TestItemId,
    pub specification_id: SpecificationId,
    pub position: i64,
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    pub method: String,
    pub kind: ItemKind,
    pub unit: String,
    pub limit_text: String,
    pub compare_by: Comparison,
    pub rounding_step: Option<Dec>,
    pub formula: Option<String>,
    /// The readings that it takes
    pub inputs: Vec<ReadingInput>,
    pub replicates: i64,
    pub consumes: Dec,
    /// The unit of that; null is the product's content unit
    pub consumes_unit: Option<String>,
    /// Containers that one test needs whole
    pub whole_containers: Option<i64>,
    pub in_scope: bool,
    pub annex: Vec<String>,
    /// Whether a failing result may be repeated, where the specification says so
    pub retest_allowed: Option<bool>,
    /// What its result can plausibly be, where the specification says so
    pub plausible: Option<String>,
    /// One unit of the limit's last digit: at it the result is rounded, compared and printed
    pub limit_step: Option<String>,
    /// Where the rounding step of the specification contradicts the limit: the limit's digits hold
    pub step_contradicts: bool,
}

/// One version of one reading.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReadingView {
    pub id: ReadingId,
    pub test_task_id: TestTaskId,
    pub name: String,
    pub position: i64,
    pub version: i64,
    pub raw: String,
    pub value: Option<Dec>,
    pub unit: String,
    pub source: ReadingSource,
    pub observation_id: Option<ObservationId>,
    pub reason: Option<String>,
    pub entered_by: AccountId,
    pub entered_at: Instant,
    pub evaluation_result_id: Option<EvaluationResultId>,
    /// How the value came from the unit of the file
    pub conversion: Option<String>,
    /// Why it counts although it lies outside what it can be
    pub despite_range: Option<String>,
}

/// A result with the names of its people.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ResultView {
    pub id: ResultId,
    pub test_task_id: TestTaskId,
    pub version: i64,
    pub calculated: String,
    pub reported: String,
    pub unit: String,
    pub limit_text: String,
    pub compare_by: Comparison,
    pub verdict: Verdict,
    pub steps: Vec<String>,
    pub reagents: String,
    pub note: String,
    pub analyst_id: AccountId,
    pub entered_at: Instant,
    pub reviewer_id: Option<AccountId>,
    pub reviewed_at: Option<Instant>,
    pub review_outcome: Option<ReviewOutcome>,
    pub review_note: Option<String>,
    /// What lies outside its range, Chinese and English: a reviewer sees it first
    pub outside: Vec<String>,
    /// Why it counts all the same
    pub despite_range: Option<String>,
    /// What its review is made on
    pub revision: i64,
    pub analyst: Option<String>,
    pub reviewer: Option<String>,
    pub decision: Option<DecisionView>,
    /// How it was superseded after it was approved
    pub correction: Option<CorrectionView>,
}

/// Why an approved result counts no more.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CorrectionView {
    pub kind: CorrectionKind,
    pub reason: String,
    /// What shows that the result is wrong; empty where a reviewer took the approval back
    pub evidence: String,
    pub ordered_by: AccountId,
    pub orderer: Option<String>,
    pub ordered_at: Instant,
}

/// The decision about a result out of specification (OOS).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DecisionView {
    pub id: OosDecisionId,
    pub result_id: ResultId,
    pub decision: OosDecision,
    pub reason: String,
    pub decided_by: AccountId,
    pub decided_at: Instant,
}

/// An evaluation that readings of a task rest on.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaskEvaluation {
    pub evaluation_id: EvaluationId,
    pub result_id: EvaluationResultId,
    pub title: String,
    pub version: i64,
    pub calculation_version: String,
}

impl TaskFacts {
    fn of(row: TestTaskRow, revision: i64) -> Self {
        Self {
            id: row.id,
            sample_id: row.sample_id,
            test_item_id: row.test_item_id,
            attempt: row.attempt,
            state: row.state,
            lane_rank: row.lane_rank,
            due: row.due,
            available_at: row.available_at,
            started_at: row.started_at,
            analyst_id: row.analyst_id,
            institute_id: row.institute_id,
            assigned_to: row.assigned_to,
            revision,
        }
    }
}

impl TaskItem {
    fn of(row: TestItemRow) -> Outcome<Self> {
        let limit = (row.kind == ItemKind::Numeric).then(|| Limit::parse(&row.limit_text).ok()).flatten();
        let limit_step = limit.map(|limit| limit.step());
        let step = row.rounding_step.as_ref().map(Dec::decimal);
        Ok(Self {
            step_contradicts: limit_step.zip(step).is_some_and(|(limit, step)| limit != step),
            limit_step: limit_step.map(|step| step.to_string()),
            retest_allowed: row.retest_allowed,
            plausible: row.plausible,
            inputs: row.inputs.stored("test_item", "inputs", &row.id)?,
            annex: row.annex.stored("test_item", "annex", &row.id)?,
            id: row.id,
            specification_id: row.specification_id,
            position: row.position,
            code: row.code,
            name_zh: row.name_zh,
            name_en: row.name_en,
            method: row.method,
            kind: row.kind,
            unit: row.unit,
            limit_text: row.limit_text,
            compare_by: row.compare_by,
            rounding_step: row.rounding_step,
            formula: row.formula,
            replicates: row.replicates,
            consumes: row.consumes,
            consumes_unit: row.consumes_unit,
            whole_containers: row.whole_containers,
            in_scope: row.in_scope,
        })
    }
}

impl From<ReadingRow> for ReadingView {
    fn from(row: ReadingRow) -> Self {
        let source = match (&row.observation_id, &row.evaluation_result_id) {
            (Some(_), _) => ReadingSource::File,
            (None, Some(_)) => ReadingSource::Evaluation,
            (None, None) => ReadingSource::Typed,
        };
        Self {
            id: row.id,
            test_task_id: row.test_task_id,
            name: row.name,
            position: row.position,
            version: row.version,
            raw: row.raw,
            value: row.value,
            unit: row.unit,
            source,
            observation_id: row.observation_id,
            reason: row.reason,
            entered_by: row.entered_by,
            entered_at: row.entered_at,
            evaluation_result_id: row.evaluation_result_id,
            conversion: row.conversion,
            despite_range: row.despite_range,
        }
    }
}

impl From<OosDecisionRow> for DecisionView {
    fn from(row: OosDecisionRow) -> Self {
        Self {
            id: row.id,
            result_id: row.result_id,
            decision: row.decision,
            reason: row.reason,
            decided_by: row.decided_by,
            decided_at: row.decided_at,
        }
    }
}

/// One task of the reader's institute; none of another's.
///
/// # Errors
/// The store's failure, and where something stored cannot be read.
pub fn task(conn: &mut AnyConnection, reader: &Reader, id: &TestTaskId) -> Outcome<Option<TaskView>> {
    let Some(institute) = reader.institute() else { return Ok(None) };
    type Found = (TestTaskRow, i64, TestItemRow, (String, Instant, String, String, Option<String>));
    let found: Option<Found> = test_task::table
        .inner_join(test_item::table)
        .inner_join(sample::table.inner_join(application::table.inner_join(product::table)))
        .filter(test_task::id.eq(id))
        .filter(test_task::institute_id.eq(institute))
        .select((
            TestTaskRow::as_select(),
            test_task::revision,
            TestItemRow::as_select(),
            (sample::number, sample::received_at, product::name_zh, product::name_en, sample::content_unit),
        ))
        .first(conn)
        .optional()?;
    let Some((task, revision, item, (sample_number, received_at, product_zh, product_en, content_unit))) = found else {
        return Ok(None);
    };
    let readings: Vec<ReadingRow> = reading::table
        .filter(reading::test_task_id.eq(id))
        .order((reading::name, reading::position, reading::version))
        .load(conn)?;
    let seen: Vec<_> = readings.iter().filter_map(|row| row.observation_id.clone()).collect();
    let observations: Vec<ObservationRow> = observation::table.filter(observation::id.eq_any(seen)).load(conn)?;
    let rows: Vec<(ResultRow, i64)> = result::table
        .filter(result::test_task_id.eq(id))
        .order(result::version)
        .select((ResultRow::as_select(), result::revision))
        .load(conn)?;
    let imports = super::imports(conn, id, &readings)?;
    let attempts = test_task::table
        .filter(test_task::sample_id.eq(&task.sample_id))
        .filter(test_task::test_item_id.eq(&task.test_item_id))
        .order(test_task::attempt)
        .select(test_task::id)
        .load(conn)?;
    let balances = samples::balances(conn, &task.sample_id)?;
    let about = task.repeats_result_id.clone().or_else(|| rows.last().map(|(row, _)| row.id.clone()));
    let investigation = match about {
        Some(about) => investigations::of_result(conn, &about)?,
        None => None,
    };
    let people = names(conn, &task.analyst_id.iter().collect::<Vec<_>>())?;
    Ok(Some(TaskView {
        analyst: task.analyst_id.as_ref().and_then(|id| people.get(id.as_str()).cloned()),
        task: TaskFacts::of(task, revision),
        item: TaskItem::of(item)?,
        sample_number,
        received_at,
        product_zh,
        product_en,
        evaluations: evaluations_of(conn, &readings)?,
        readings: readings.into_iter().map(Into::into).collect(),
        observations: observations.into_iter().map(ObservationView::of).collect::<Outcome<_>>()?,
        results: results(conn, rows)?,
        imports,
        investigation,
        attempts,
        balances,
        content_unit,
    }))
}

fn evaluations_of(conn: &mut AnyConnection, readings: &[ReadingRow]) -> Outcome<Vec<TaskEvaluation>> {
    let ids: Vec<_> = readings.iter().filter_map(|row| row.evaluation_result_id.clone()).collect();
    let found: Vec<(EvaluationId, EvaluationResultId, String, i64, String)> = evaluation_result::table
        .inner_join(evaluation::table)
        .filter(evaluation_result::id.eq_any(ids))
        .order((evaluation::created_at, evaluation_result::position))
        .select((
            evaluation::id,
            evaluation_result::id,
            evaluation::title,
            evaluation::version,
            evaluation::calculation_version,
        ))
        .load(conn)?;
    let each = found.into_iter().map(|(evaluation_id, result_id, title, version, calculation_version)| {
        TaskEvaluation { evaluation_id, result_id, title, version, calculation_version }
    });
    Ok(each.collect())
}

/// Results with their people and decisions, in the order given: two statements, however many they are.
pub(super) fn results(conn: &mut AnyConnection, rows: Vec<(ResultRow, i64)>) -> Outcome<Vec<ResultView>> {
    let ids: Vec<&ResultId> = rows.iter().map(|(row, _)| &row.id).collect();
    // Only what was reviewed can have been superseded.
    let reviewed = rows.iter().any(|(row, _)| row.review_outcome.is_some());
    let corrected: Vec<ResultCorrectionRow> = match reviewed {
        true => result_correction::table.filter(result_correction::result_id.eq_any(&ids)).load(conn)?,
        false => Vec::new(),
    };
    let people: Vec<&AccountId> = rows
        .iter()
        .flat_map(|(row, _)| std::iter::once(&row.analyst_id).chain(&row.reviewer_id))
        .chain(corrected.iter().map(|one| &one.ordered_by))
        .collect();
    let people = names(conn, &people)?;
    let correction = |row: ResultCorrectionRow| {
        let orderer = people.get(row.ordered_by.as_str()).cloned();
        let ResultCorrectionRow { result_id, kind, reason, evidence, ordered_by, ordered_at, .. } = row;
        (result_id, CorrectionView { kind, reason, evidence, ordered_by, orderer, ordered_at })
    };
    let mut corrections: BTreeMap<ResultId, CorrectionView> = corrected.into_iter().map(correction).collect();
    let decided: Vec<OosDecisionRow> =
        out_of_limit_decision::table.filter(out_of_limit_decision::result_id.eq_any(ids)).load(conn)?;
    let mut decisions: BTreeMap<ResultId, DecisionView> =
        decided.into_iter().map(|row| (row.result_id.clone(), row.into())).collect();
    rows.into_iter()
        .map(|(row, revision)| {
            Ok(ResultView {
                steps: row.steps.stored("result", "steps", &row.id)?,
                outside: row.outside.stored("result", "outside", &row.id)?,
                analyst: people.get(row.analyst_id.as_str()).cloned(),
                reviewer: row.reviewer_id.as_ref().and_then(|id| people.get(id.as_str()).cloned()),
                decision: decisions.remove(&row.id),
                correction: corrections.remove(&row.id),
                id: row.id,
                test_task_id: row.test_task_id,
                version: row.version,
                calculated: row.calculated,
                reported: row.reported,
                unit: row.unit,
                limit_text: row.limit_text,
                compare_by: row.compare_by,
                verdict: row.verdict,
                reagents: row.reagents,
                note: row.note,
                analyst_id: row.analyst_id,
                entered_at: row.entered_at,
                reviewer_id: row.reviewer_id,
                reviewed_at: row.reviewed_at,
                review_outcome: row.review_outcome,
                review_note: row.review_note,
                despite_range: row.despite_range,
                revision,
            })
        })
        .collect()
}
