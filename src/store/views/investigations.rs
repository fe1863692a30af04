//! The investigation of a failing result, step by step, and who may do its repetitions.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Reader, names};
use crate::store::columns::{AccountId, Instant, ResultId, TestTaskId};
use crate::store::rows::InvestigationStepRow;
use crate::store::schema::{account, account_role, investigation_step, result, test_task};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::{CheckFinding, InvestigationEvent, InvestigationState, Role, TaskState};

/// An investigation with its steps.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InvestigationView {
    /// The failing result
    pub result_id: ResultId,
    /// The task of the failing result; a repetition shows the same investigation
    pub task_id: TestTaskId,
    pub state: InvestigationState,
    pub steps: Vec<InvestigationStepView>,
    /// The tasks of the plan
    pub repetitions: Vec<RepetitionView>,
}

/// What the laboratory check found about one point of its list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StepAnswer {
    pub point: String,
    pub finding: CheckFinding,
    #[serde(default)]
    pub note: String,
}

/// One step.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InvestigationStepView {
    pub event: InvestigationEvent,
    pub state: InvestigationState,
    pub reason: String,
    /// The answers to the points of the laboratory check, as they were given
    pub answers: Vec<StepAnswer>,
    pub cause: Option<String>,
    pub evidence: Option<String>,
    pub repetitions: Option<i64>,
    pub second_analyst: Option<AccountId>,
    pub second_analyst_name: Option<String>,
    pub by_account: AccountId,
    pub by_name: Option<String>,
    pub at: Instant,
}

/// A repetition under the plan.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RepetitionView {
    pub task_id: TestTaskId,
    pub attempt: i64,
    pub state: TaskState,
}

/// The investigation of a result; none where it was never approved as failing.
pub(super) fn of_result(conn: &mut AnyConnection, id: &ResultId) -> Outcome<Option<InvestigationView>> {
    let rows: Vec<InvestigationStepRow> = investigation_step::table
        .filter(investigation_step::result_id.eq(id))
        .order(investigation_step::position)
        .select(InvestigationStepRow::as_select())
        .load(conn)?;
    let Some(state) = rows.last().map(|row| row.state) else { return Ok(None) };
    let people: Vec<&AccountId> =
        rows.iter().flat_map(|row| std::iter::once(&row.by_account).chain(&row.second_analyst)).collect();
    let people = names(conn, &people)?;
    let name = |id: &AccountId| people.get(id.as_str()).cloned();
    let mut steps = Vec::new();
    for row in &rows {
        steps.push(InvestigationStepView {
            event: row.event,
            state: row.state,
            reason: row.reason.clone(),
            answers: row.answers.stored("investigation_step", "answers", &row.id)?,
            cause: row.cause.clone(),
            evidence: row.evidence.clone(),
            repetitions: row.repetitions,
            second_analyst: row.second_analyst.clone(),
            second_analyst_name: row.second_analyst.as_ref().and_then(name),
            by_account: row.by_account.clone(),
            by_name: name(&row.by_account),
            at: row.at.clone(),
        });
    }
    let repetitions: Vec<(TestTaskId, i64, TaskState)> = test_task::table
        .filter(test_task::repeats_result_id.eq(id))
        .order(test_task::attempt)
        .select((test_task::id, test_task::attempt, test_task::state))
        .load(conn)?;
    let repetitions = repetitions.into_iter();
    let repetitions = repetitions.map(|(task_id, attempt, state)| RepetitionView { task_id, attempt, state }).collect();
    let task_id = result::table.find(id).select(result::test_task_id).first(conn)?;
    Ok(Some(InvestigationView { result_id: id.clone(), task_id, state, steps, repetitions }))
}

/// Somebody who may repeat a test.
#[derive(Clone, Debug, Serialize)]
pub struct AnalystName {
    pub id: AccountId,
    pub name: String,
}

/// The analysts of the reader's institute, by name.
///
/// # Errors
/// The store's failure.
pub fn analysts(conn: &mut AnyConnection, reader: &Reader) -> Outcome<Vec<AnalystName>> {
    let Some(institute) = reader.institute() else { return Ok(Vec::new()) };
    let found: Vec<(AccountId, String)> = account_role::table
        .inner_join(account::table)
        .filter(account::institute_id.eq(institute))
        .filter(account::disabled.eq(false))
        .filter(account_role::role.eq(Role::Analyst))
        .order((account::display_name, account::id))
        .select((account::id, account::display_name))
        .load(conn)?;
    Ok(found.into_iter().map(|(id, name)| AnalystName { id, name }).collect())
}
