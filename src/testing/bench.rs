//! Taking work: an analyst starts a task.

use diesel::prelude::*;

use crate::audit::{self, Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::regulation::TaskState;
use crate::regulation::states::TaskEvent;
use crate::services::Services;
use crate::store::columns::{Instant, TestTaskId};
use crate::store::dialect::columns_of;
use crate::store::rows::{SampleRow, TestItemRow, TestTaskRow};
use crate::store::schema::{application, sample, test_item, test_task};
use crate::store::{AnyConnection, Outcome};

/// A task with its item and sample.
#[derive(Clone, Debug)]
pub struct TaskFile {
    pub task: TestTaskRow,
    pub item: TestItemRow,
    pub sample: SampleRow,
}

/// The task, where it is of the actor's institute.
///
/// # Errors
/// Where there is none of that id.
pub fn task_of(conn: &mut AnyConnection, actor: &Actor, id: &TestTaskId) -> Outcome<TaskFile> {
    let found: Option<(TestTaskRow, TestItemRow, SampleRow)> = test_task::table
        .inner_join(test_item::table)
        .inner_join(sample::table.inner_join(application::table))
        .filter(test_task::id.eq(id))
        .filter(application::institute_id.nullable().eq(&actor.institute))
        .select((TestTaskRow::as_select(), TestItemRow::as_select(), SampleRow::as_select()))
        .first(conn)
        .optional()?;
    let (task, item, sample) = found.ok_or_else(|| Refusal::not_found("检验任务", "test task", id.as_str()))?;
    Ok(TaskFile { task, item, sample })
}

/// The state after an event, or a refusal that names both.
pub(super) fn moved(state: TaskState, event: TaskEvent) -> Result<TaskState, Refusal> {
    state.on(event).map_err(|refused| Refusal::new(Code::WrongState, refused.zh(), refused.en()))
}

/// Starts a task: the analyst and the time are recorded. Receipt-to-start is the time between.
///
/// # Errors
/// Where it was started already or does not wait.
pub fn start(services: &Services, actor: &Actor, id: &TestTaskId) -> Outcome<TestTaskRow> {
    let (actor, now, id) = (actor.clone(), services.clock.now(), id.clone());
    services.db.write(move |conn| {
        let file = task_of(conn, &actor, &id)?;
        let state = moved(file.task.state, TaskEvent::Start)?;
        let row = diesel::update(test_task::table.find(&id))
            .set((
                test_task::state.eq(state),
                test_task::started_at.eq(Instant::from(now)),
                test_task::analyst_id.eq(&actor.account),
            ))
            .returning(columns_of::<TestTaskRow>())
            .get_result::<TestTaskRow>(conn)?;
        let change = Change::field("task.start", "test_task", &id, "state", file.task.state.as_str(), state.as_str());
        audit::record(conn, &actor, now, vec![change])?;
        Ok(row)
    })
}
