//! A task with what it is about, as every action of the bench loads it.

use diesel::prelude::*;

use super::refusals::BenchRefusal;
use crate::record::Actor;
use crate::store::columns::{AccountId, Instant, ResultId, TestTaskId};
use crate::store::rows::{ResultRow, SampleRow, TestItemRow, TestTaskRow};
use crate::store::schema::{result, sample, test_item, test_task};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::states::TaskEvent;
use crate::vocabulary::{ReviewOutcome, TaskState};

/// A task with its item and sample.
#[derive(Clone, Debug)]
pub struct TaskFile {
    /// The task.
    pub task: TestTaskRow,
    /// Its revision when it was loaded.
    pub revision: i64,
    /// What is tested.
    pub item: TestItemRow,
    /// Of which sample.
    pub sample: SampleRow,
}

impl TaskFile {
    /// The state after an event.
    ///
    /// # Errors
    /// Names the state and the event, where they do not fit.
    pub fn after(&self, event: TaskEvent) -> Result<TaskState, BenchRefusal> {
        moved(self.task.state, event)
    }
}

/// The task, where it is of the actor's institute.
///
/// # Errors
/// Where there is none of that id.
pub fn task_of(conn: &mut AnyConnection, actor: &Actor, id: &TestTaskId) -> Outcome<TaskFile> {
    let found: Option<(TestTaskRow, i64, TestItemRow, SampleRow)> = test_task::table
        .inner_join(test_item::table)
        .inner_join(sample::table)
        .filter(test_task::id.eq(id))
        .filter(test_task::institute_id.nullable().eq(&actor.institute))
        .select((TestTaskRow::as_select(), test_task::revision, TestItemRow::as_select(), SampleRow::as_select()))
        .first(conn)
        .optional()?;
    let (task, revision, item, sample) = found.ok_or_else(|| BenchRefusal::NoTask(id.clone()))?;
    Ok(TaskFile { task, revision, item, sample })
}

/// As [`task_of`], where its case is still worked on.
///
/// # Errors
/// Where there is none of that id, or its case has ended.
pub(super) fn open_task_of(conn: &mut AnyConnection, actor: &Actor, id: &TestTaskId) -> Outcome<TaskFile> {
    let file = task_of(conn, actor, id)?;
    crate::cases::still_open(conn, &file.sample.application_id)?;
    Ok(file)
}

/// The state after an event, or a refusal that names both.
pub(super) fn moved(state: TaskState, event: TaskEvent) -> Result<TaskState, BenchRefusal> {
    state.on(event).map_err(BenchRefusal::State)
}

/// Refuses work on a repetition by somebody else than the plan names.
pub(super) fn assigned(task: &TestTaskRow, who: &AccountId) -> Result<(), BenchRefusal> {
    match &task.assigned_to {
        Some(named) if named != who => Err(BenchRefusal::AssignedElsewhere),
        _ => Ok(()),
    }
}

/// The latest result of a task.
///
/// # Errors
/// The store's failure.
pub(super) fn latest_result(conn: &mut AnyConnection, id: &TestTaskId) -> Outcome<Option<ResultRow>> {
    Ok(result::table
        .filter(result::test_task_id.eq(id))
        .order(result::version.desc())
        .select(ResultRow::as_select())
        .first(conn)
        .optional()?)
}

/// Writes down who reviewed a result, and how.
pub(super) fn reviewed(
    conn: &mut AnyConnection,
    reviewer: &AccountId,
    at: Instant,
    id: &ResultId,
    outcome: ReviewOutcome,
    note: &str,
) -> Outcome<()> {
    diesel::update(result::table.find(id))
        .set((
            result::reviewer_id.eq(reviewer),
            result::reviewed_at.eq(at),
            result::review_outcome.eq(outcome),
            result::review_note.eq(note),
        ))
        .execute(conn)?;
    Ok(())
}
