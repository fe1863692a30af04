//! Rows of the tables of testing.

use diesel::prelude::*;

use crate::store::columns::*;
use crate::store::schema::*;
use crate::vocabulary::{
    Comparison, CorrectionKind, InvestigationEvent, InvestigationState, OosDecision, ReviewOutcome, TaskState, Verdict,
};

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = test_task, treat_none_as_default_value = false)]
pub struct TestTaskRow {
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
    /// The failing result that it repeats under a plan
    pub repeats_result_id: Option<ResultId>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = reading, treat_none_as_default_value = false)]
pub struct ReadingRow {
    pub id: ReadingId,
    pub test_task_id: TestTaskId,
    pub name: String,
    pub position: i64,
    pub version: i64,
    pub raw: String,
    pub value: Option<Dec>,
    pub unit: String,
    pub observation_id: Option<ObservationId>,
    pub reason: Option<String>,
    pub entered_by: AccountId,
    pub entered_at: Instant,
    pub evaluation_result_id: Option<EvaluationResultId>,
    pub conversion: Option<String>,
    pub despite_range: Option<String>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = result, treat_none_as_default_value = false)]
pub struct ResultRow {
    pub id: ResultId,
    pub test_task_id: TestTaskId,
    pub version: i64,
    pub calculated: String,
    pub reported: String,
    pub unit: String,
    pub limit_text: String,
    pub compare_by: Comparison,
    pub verdict: Verdict,
    pub steps: Json,
    pub reagents: String,
    pub note: String,
    pub analyst_id: AccountId,
    pub entered_at: Instant,
    pub reviewer_id: Option<AccountId>,
    pub reviewed_at: Option<Instant>,
    pub review_outcome: Option<ReviewOutcome>,
    pub review_note: Option<String>,
    pub outside: Json,
    pub despite_range: Option<String>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = out_of_limit_decision, treat_none_as_default_value = false)]
pub struct OosDecisionRow {
    pub id: OosDecisionId,
    pub result_id: ResultId,
    pub decision: OosDecision,
    pub reason: String,
    pub decided_by: AccountId,
    pub decided_at: Instant,
}

/// A step of an investigation.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = investigation_step, treat_none_as_default_value = false)]
pub struct InvestigationStepRow {
    pub id: InvestigationStepId,
    pub result_id: ResultId,
    pub position: i64,
    pub event: InvestigationEvent,
    pub state: InvestigationState,
    pub reason: String,
    pub answers: Json,
    pub cause: Option<String>,
    pub evidence: Option<String>,
    pub repetitions: Option<i64>,
    pub second_analyst: Option<AccountId>,
    pub by_account: AccountId,
    pub at: Instant,
}

/// An approved result that was superseded, and why.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = result_correction, treat_none_as_default_value = false)]
pub struct ResultCorrectionRow {
    pub id: ResultCorrectionId,
    pub result_id: ResultId,
    pub kind: CorrectionKind,
    pub reason: String,
    pub evidence: String,
    pub ordered_by: AccountId,
    pub ordered_at: Instant,
}
