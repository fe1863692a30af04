//! Giving work back: a task that was started by mistake, or that its analyst cannot go on with, waits again for
//! whoever takes it.

use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;

use super::refusals::BenchRefusal;
use super::start::Started;
use super::task::{TaskFile, open_task_of};
use crate::action::{Action, Context, Facts, Subject};
use crate::custody;
use crate::record::Change;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::TestTaskId;
use crate::store::revisions::Revised;
use crate::store::rows::TestTaskRow;
use crate::store::schema::test_task;
use crate::text;
use crate::vocabulary::states::TaskEvent;
use crate::vocabulary::{Permission, TaskState};

/// Hands a started task back: it waits again, without an analyst. When it was first started, and the readings that
/// were entered, stay as they are. What it took of the sample goes back to its portion.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HandBackTask {
    pub id: TestTaskId,
    /// Why; it is kept on the trail
    pub reason: String,
}

/// The state after it, and the reason without blanks around it.
#[derive(Debug, PartialEq)]
pub struct Plan {
    state: TaskState,
    reason: String,
}

impl Action for HandBackTask {
    const NAME: &'static str = "task.hand_back";
    const PERMISSION: Permission = Permission::TaskStart;
    type Prepared = ();
    type Loaded = TaskFile;
    type Plan = Plan;
    type Done = Started;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Task, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<TaskFile> {
        open_task_of(cx.conn, cx.actor, &self.id)
    }

    fn decide(&self, facts: &Facts<'_>, file: &TaskFile) -> Result<Plan, Refusal> {
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        let state = file.after(TaskEvent::HandBack)?;
        if file.task.analyst_id.as_ref() != Some(&facts.actor.account) {
            return Err(BenchRefusal::NotStartedByActor.into());
        }
        Ok(Plan { state, reason })
    }

    fn keep(&self, cx: &mut Context<'_>, file: TaskFile, plan: Plan) -> Outcome<Started> {
        let old = file.task;
        let task = TestTaskRow { state: plan.state, analyst_id: None, ..old.clone() };
        diesel::update(test_task::table.find(&task.id))
            .set((test_task::state.eq(task.state), test_task::analyst_id.eq(&task.analyst_id)))
            .execute(cx.conn)?;
        let (before, after) = (old.state.as_str(), task.state.as_str());
        custody::give_back(cx, &file.sample, &task.id, &plan.reason)?;
        let mut change = Change::field(Self::NAME, "test_task", &task.id, "state", before, after);
        change.reason = Some(plan.reason);
        cx.record(change);
        Ok(task.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::specimens::{actor, facts_of, sheet_file};
    use crate::refusal::Code;

    #[test]
    fn whoever_started_a_task_hands_it_back_with_a_reason_and_nobody_else_does() {
        let decide = |by: &str, state: TaskState, reason: &str| {
            let file = sheet_file(state, "ana");
            let action = HandBackTask { id: file.task.id.clone(), reason: reason.into() };
            facts_of(&actor(by), |facts| action.decide(facts, &file))
        };
        let waiting = Plan { state: TaskState::Waiting, reason: "仪器故障".into() };
        assert_eq!(decide("ana", TaskState::InProgress, " 仪器故障 ").expect("handed back"), waiting);
        assert_eq!(decide("ana", TaskState::InProgress, " ").expect_err("no reason").field.as_deref(), Some("reason"));
        assert_eq!(decide("bob", TaskState::InProgress, "仪器故障").expect_err("another's").code, Code::Forbidden);
        for state in TaskState::ALL.iter().filter(|state| **state != TaskState::InProgress) {
            assert_eq!(decide("ana", *state, "仪器故障").expect_err(state.as_str()).code, Code::WrongState);
        }
    }
}
