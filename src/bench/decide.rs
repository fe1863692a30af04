//! After a result out of specification (OOS, 超标): an authorised decision with a reason, either a re-test from the
//! retention portion or the confirmation that the sample does not conform. Nothing is overwritten.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::readings::current;
use super::refusals::BenchRefusal;
use super::signed;
use super::task::{TaskFile, latest_result, open_task_of};
use crate::action::{Action, Context, Facts, Services, Subject};
use crate::people::{DutiesDone, Grace, Reauthenticated, SignedContent};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::regulation::quantities::{self, ItemDemand};
use crate::secrets::Password;
use crate::store::columns::{Dec, OosDecisionId, TestTaskId};
use crate::store::revisions::Revised;
use crate::store::rows::{OosDecisionRow, ReadingRow, ResultRow, TestTaskRow};
use crate::store::schema::{application, custody_entry, out_of_limit_decision, product, test_task};
use crate::store::{Outcome, views};
use crate::text;
use crate::vocabulary::states::TaskEvent;
use crate::vocabulary::{Duty, OosDecision, Permission, Place, SignatureMeaning, TaskState};
use crate::{cases, custody};

/// Decides about the latest result of a task that is out of specification.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideTask {
    pub id: TestTaskId,
    /// `retest` (复验) or `confirm` (确认不符合规定)
    pub decision: OosDecision,
    pub reason: String,
    /// To sign with; not needed shortly after the log-in or another signature of the same session
    #[serde(default)]
    pub password: Option<Password>,
    /// Of the second factor, where the account has one
    #[serde(default)]
    pub code: Option<String>,
}

/// What a decision led to.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Decided {
    pub task_id: TestTaskId,
    pub state: TaskState,
    /// The new task of a re-test
    pub retest_task_id: Option<TestTaskId>,
    /// Containers taken from the retention portion
    pub containers: i64,
}

/// What a decision is made from.
pub struct Failing {
    file: TaskFile,
    result: Option<ResultRow>,
    /// Who did what about the test
    done: DutiesDone,
    /// What one container holds, in the product's content unit
    content: Dec,
    /// Containers in the retention portion
    retained: i64,
    /// The readings that the result was calculated from
    readings: Vec<ReadingRow>,
    proof: Option<Reauthenticated>,
}

/// What was decided.
#[derive(Debug)]
pub struct Plan {
    state: TaskState,
    result: ResultRow,
    reason: String,
    /// Containers of a re-test
    retest: Option<i64>,
}

impl Action for DecideTask {
    const NAME: &'static str = "task.decide";
    const PERMISSION: Permission = Permission::OosDecide;
    type Prepared = Option<Reauthenticated>;
    type Loaded = Failing;
    type Plan = Plan;
    type Done = Decided;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Task, &self.id))
    }

    fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<Option<Reauthenticated>> {
        let proof = services.identity.prove(actor, self.password.as_ref(), self.code.as_deref(), Grace::Counts);
        proof.map(Some)
    }

    fn load(&self, cx: &mut Context<'_>, proof: &Option<Reauthenticated>) -> Outcome<Failing> {
        let file = open_task_of(cx.conn, cx.actor, &self.id)?;
        let result = latest_result(cx.conn, &self.id)?;
        let content: Dec = application::table
            .find(&file.sample.application_id)
            .inner_join(product::table)
            .select(product::container_content)
            .first(cx.conn)?;
        let retained = custody::balance(cx.conn, &file.sample.id, Place::Retention)?;
        let facts = views::duties_of_task(cx.conn, &self.id)?;
        let done = DutiesDone { facts, more: cx.services.site.apart.clone() };
        let readings = current(cx.conn, &self.id)?;
        let proof = proof.clone();
        Ok(Failing { file, result, done, content, retained, readings, proof })
    }

    fn decide(&self, facts: &Facts<'_>, failing: &Failing) -> Result<Plan, Refusal> {
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        let event = match self.decision {
            OosDecision::Retest => TaskEvent::OrderRetest,
            OosDecision::Confirm => TaskEvent::Confirm,
        };
        let state = failing.file.after(event)?;
        let result = failing.result.clone().ok_or(BenchRefusal::NothingToDecide)?;
        failing.done.allow(Duty::Decision, &facts.actor.account)?;
        let retest = match self.decision {
            OosDecision::Retest => Some(containers(failing)?),
            OosDecision::Confirm => None,
        };
        Ok(Plan { state, result, reason, retest })
    }

    fn keep(&self, cx: &mut Context<'_>, failing: Failing, plan: Plan) -> Outcome<Decided> {
        let Plan { state, result, reason, retest } = plan;
        let (seen, decision) = (signed::result(&result, &failing.readings), self.decision);
        let content = SignedContent::of(&json!({"result": seen, "decision": decision, "reason": reason}));
        let meaning = match decision {
            OosDecision::Retest => SignatureMeaning::RetestOrdered,
            OosDecision::Confirm => SignatureMeaning::FailureConfirmed,
        };
        cx.sign(failing.proof.as_ref(), meaning, ("result", result.id.as_str()), &content)?;
        let row = OosDecisionRow {
            id: OosDecisionId::new(),
            result_id: result.id,
            decision: self.decision,
            reason: reason.clone(),
            decided_by: cx.actor.account.clone(),
            decided_at: cx.now.into(),
        };
        diesel::insert_into(out_of_limit_decision::table).values(&row).execute(cx.conn)?;
        diesel::update(test_task::table.find(&self.id)).set(test_task::state.eq(state)).execute(cx.conn)?;
        let next = retest.map(|containers| order(cx, &failing.file, containers, &reason)).transpose()?;
        let (old, containers) = (failing.file.task.state, retest.unwrap_or(0));
        let change = Change::field(Self::NAME, "test_task", &self.id, "state", old.as_str(), state.as_str())
            .and("decision", (), self.decision.as_str())
            .and("retest_task", (), next.as_ref().map(ToString::to_string))
            .and("containers_from_retention", (), containers)
            .because(&reason);
        cx.record(change);
        cases::all_tested(cx, &failing.file.sample.application_id)?;
        Ok(Decided { task_id: self.id.clone(), state, retest_task_id: next, containers })
    }
}

/// How many containers of the retention portion a re-test takes: one complete test of the item.
fn containers(failing: &Failing) -> Result<i64, BenchRefusal> {
    let item = &failing.file.item;
    let item = ItemDemand { code: item.code.clone(), amount_per_test: item.consumes.decimal(), replicates: 1 };
    let demand = quantities::demand(&[item], failing.content.decimal(), 1).map_err(BenchRefusal::RetestUncountable)?;
    let (needed, there) = (i64::try_from(demand.full_test_containers).unwrap_or(i64::MAX), failing.retained);
    if there < needed {
        return Err(BenchRefusal::RetestShort { needed, available: there });
    }
    Ok(needed)
}

/// Orders the re-test: its containers come from the retention portion, through the ledger.
fn order(cx: &mut Context<'_>, file: &TaskFile, containers: i64, reason: &str) -> Outcome<TestTaskId> {
    if containers > 0 {
        let places = (Place::Retention, Place::TestPortion);
        let why = format!("复验 re-test: {reason}");
        let entry = custody::entry(&file.sample, None, places, containers, &why, cx.actor, cx.now);
        diesel::insert_into(custody_entry::table).values(&entry).execute(cx.conn)?;
    }
    let task = TestTaskRow {
        id: TestTaskId::new(),
        attempt: file.task.attempt + 1,
        state: TaskState::Waiting,
        available_at: cx.now.into(),
        started_at: None,
        analyst_id: None,
        ..file.task.clone()
    };
    diesel::insert_into(test_task::table).values(&task).execute(cx.conn)?;
    Ok(task.id)
}

#[cfg(test)]
mod tests {
    use super::super::specimens::{actor, did, facts_of, result_of, sheet_file};
    use super::*;
    use crate::refusal::Code;
    use crate::vocabulary::Verdict;
    use crate::vocabulary::states::WrongState;

    fn failing(retained: i64) -> Failing {
        let file = sheet_file(TaskState::Oos, "analyst");
        let result = Some(result_of(&file, Verdict::Fail));
        let done = DutiesDone { facts: vec![did("analyst", Duty::Entry)], ..DutiesDone::default() };
        let content = Dec::from(rust_decimal::Decimal::from(4));
        Failing { file, result, done, content, retained, readings: Vec::new(), proof: None }
    }

    fn decided(who: &str, decision: OosDecision, reason: &str, of: &Failing) -> Result<Plan, Refusal> {
        let what = DecideTask { id: TestTaskId::new(), decision, reason: reason.into(), password: None, code: None };
        facts_of(&actor(who), |facts| what.decide(facts, of))
    }

    #[test]
    fn a_retest_takes_one_complete_test_from_the_retention_portion() {
        // The item consumes 10 of a content of 4 a container: three containers.
        let plan = decided("quality", OosDecision::Retest, "调查", &failing(3)).expect("a re-test");
        assert_eq!((plan.state, plan.retest), (TaskState::RetestOrdered, Some(3)));
        let refused = decided("quality", OosDecision::Retest, "调查", &failing(2)).expect_err("two are not enough");
        assert_eq!(refused, BenchRefusal::RetestShort { needed: 3, available: 2 }.into());
        let confirmed = decided("quality", OosDecision::Confirm, "调查", &failing(0)).expect("needs no container");
        assert_eq!((confirmed.state, confirmed.retest), (TaskState::Confirmed, None));
    }

    #[test]
    fn the_analyst_does_not_decide_and_a_decision_says_why() {
        let own = decided("analyst", OosDecision::Confirm, "调查", &failing(3)).expect_err("the analyst's own");
        assert_eq!(own.code, Code::SelfReview);
        let silent = decided("quality", OosDecision::Confirm, "", &failing(3)).expect_err("no reason");
        assert_eq!(silent.field.as_deref(), Some("reason"));
    }

    #[test]
    fn only_a_result_out_of_specification_is_decided_about() {
        for state in TaskState::ALL.iter().copied().filter(|state| *state != TaskState::Oos) {
            let mut of = failing(3);
            of.file.task.state = state;
            let refused = decided("quality", OosDecision::Confirm, "调查", &of).expect_err("not out of specification");
            assert_eq!(refused, BenchRefusal::State(WrongState::Task(state, TaskEvent::Confirm)).into(), "{state}");
        }
    }
}
