//! Taking work: an analyst starts a task, or the first that waits.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::task::{TaskFile, assigned, open_task_of};
use crate::action::{Action, Context, Facts, Subject};
use crate::custody;
use crate::record::Change;
use crate::refusal::Refusal;
use crate::store::columns::{AccountId, Day, Instant, InstituteId, SampleId, TestItemId, TestTaskId};
use crate::store::revisions::Revised;
use crate::store::rows::TestTaskRow;
use crate::store::schema::test_task;
use crate::store::{Outcome, views};
use crate::vocabulary::states::TaskEvent;
use crate::vocabulary::{Permission, TaskState};

/// Starts a task: the analyst and the time are recorded, and what the test uses up is taken from its portion.
/// Receipt-to-start is the time between.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartTask {
    pub id: TestTaskId,
}

/// Starts the first task that waits: by lane, then by due date.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeNext {}

/// A task that was started.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Started {
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
}

/// What was taken.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Next {
    /// None where nothing waits
    pub task: Option<Started>,
}

impl From<TestTaskRow> for Started {
    fn from(row: TestTaskRow) -> Self {
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
        }
    }
}

impl Action for StartTask {
    const NAME: &'static str = "task.start";
    const PERMISSION: Permission = Permission::TaskStart;
    type Prepared = ();
    type Loaded = TaskFile;
    type Plan = TaskState;
    type Done = Started;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Task, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<TaskFile> {
        open_task_of(cx.conn, cx.actor, &self.id)
    }

    fn decide(&self, facts: &Facts<'_>, file: &TaskFile) -> Result<TaskState, Refusal> {
        assigned(&file.task, &facts.actor.account)?;
        Ok(file.after(TaskEvent::Start)?)
    }

    fn keep(&self, cx: &mut Context<'_>, file: TaskFile, state: TaskState) -> Outcome<Started> {
        keep(cx, file, state)
    }
}

impl Action for TakeNext {
    const NAME: &'static str = "task.next";
    const PERMISSION: Permission = Permission::TaskStart;
    type Prepared = ();
    type Loaded = Option<TaskFile>;
    type Plan = Option<TaskState>;
    type Done = Next;

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Option<TaskFile>> {
        let institute = cx.institute()?;
        let first = views::first_waiting(cx.conn, &institute, &cx.actor.account)?;
        first.map(|id| open_task_of(cx.conn, cx.actor, &id)).transpose()
    }

    fn decide(&self, _: &Facts<'_>, file: &Option<TaskFile>) -> Result<Option<TaskState>, Refusal> {
        Ok(file.as_ref().map(|file| file.after(TaskEvent::Start)).transpose()?)
    }

    fn keep(&self, cx: &mut Context<'_>, file: Option<TaskFile>, state: Option<TaskState>) -> Outcome<Next> {
        let task = match (file, state) {
            (Some(file), Some(state)) => Some(keep(cx, file, state)?),
            _ => None,
        };
        Ok(Next { task })
    }
}

/// The task is the actor's from now on. The trail calls it the same, however it was taken.
fn keep(cx: &mut Context<'_>, file: TaskFile, state: TaskState) -> Outcome<Started> {
    custody::use_up(cx, &file.sample, &file.task, &file.item)?;
    let old = file.task;
    let task = TestTaskRow {
        state,
        // One that was handed back keeps when it was first started.
        started_at: Some(old.started_at.clone().unwrap_or_else(|| cx.now.into())),
        analyst_id: Some(cx.actor.account.clone()),
        ..old.clone()
    };
    diesel::update(test_task::table.find(&task.id))
        .set((
            test_task::state.eq(task.state),
            test_task::started_at.eq(&task.started_at),
            test_task::analyst_id.eq(&task.analyst_id),
        ))
        .execute(cx.conn)?;
    cx.record(Change::field(StartTask::NAME, "test_task", &task.id, "state", old.state.as_str(), state.as_str()));
    Ok(task.into())
}
