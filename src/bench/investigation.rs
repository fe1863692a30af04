//! The investigation of a result out of specification (超标调查): nothing is repeated before a laboratory check, a
//! result is invalid for an assignable cause that somebody else approves, and without one the repetitions are fixed
//! beforehand. The conclusion is made over all values that are valid, the failing one among them.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::readings::current;
use super::refusals::BenchRefusal;
use super::repetition::{self, Ordered};
use super::signed;
use super::task::{TaskFile, latest_result, open_task_of};
use crate::action::{Action, Context, Facts, Services, Subject};
use crate::cases;
use crate::people::{DutiesDone, Grace, Reauthenticated, SignedContent};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::regulation::failing::FailingRules;
use crate::secrets::Password;
use crate::store::columns::{AccountId, InvestigationStepId, Json, OosDecisionId, ResultId, TestTaskId};
use crate::store::revisions::Revised;
use crate::store::rows::{InvestigationStepRow, OosDecisionRow, ReadingRow, ResultRow};
use crate::store::schema::{account, account_role, investigation_step, out_of_limit_decision, result, test_task};
use crate::store::{Outcome, views};
use crate::text;
use crate::vocabulary::states::TaskEvent;
use crate::vocabulary::{
    CheckFinding, Duty, InvestigationEvent, InvestigationState, OosDecision, Permission, Role, SignatureMeaning,
    TaskState, Verdict,
};

/// What the laboratory check found about one point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PointAnswer {
    /// As the laboratory's list calls it, e.g. `instrument`
    pub point: String,
    pub finding: CheckFinding,
    /// What was looked at; needed for a deviation
    #[serde(default)]
    pub note: String,
}

/// The laboratory check (phase I): every point answered, and the assignable cause where there is one.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckLaboratory {
    pub id: TestTaskId,
    pub answers: Vec<PointAnswer>,
    /// The cause by its code; none where none was found
    #[serde(default)]
    pub cause: Option<String>,
    /// What shows the cause
    #[serde(default)]
    pub evidence: String,
    /// The finding in words
    pub reason: String,
}

/// Approves an assignable cause: the result is invalid, and the test is done again once.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveCause {
    pub id: TestTaskId,
    pub reason: String,
    /// To sign with; not needed shortly after the log-in or another signature of the same session
    #[serde(default)]
    pub password: Option<Password>,
    /// Of the second factor, where the account has one
    #[serde(default)]
    pub code: Option<String>,
}

/// Proposes the repetitions (phase II) of a failing result without an assignable cause.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposePlan {
    pub id: TestTaskId,
    pub repetitions: i64,
    /// Who alone does them, and had no part in the failing result
    pub second_analyst: AccountId,
    pub reason: String,
}

/// Approves the repetitions: exactly so many tasks are made, for the second analyst.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovePlan {
    pub id: TestTaskId,
    pub reason: String,
    /// To sign with; not needed shortly after the log-in or another signature of the same session
    #[serde(default)]
    pub password: Option<Password>,
    /// Of the second factor, where the account has one
    #[serde(default)]
    pub code: Option<String>,
}

/// Sends a cause or a plan back.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendBackInvestigation {
    pub id: TestTaskId,
    pub reason: String,
}

/// Confirms the failing result (确认不符合规定), over all valid values.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmFailure {
    pub id: TestTaskId,
    pub reason: String,
    /// To sign with; not needed shortly after the log-in or another signature of the same session
    #[serde(default)]
    pub password: Option<Password>,
    /// Of the second factor, where the account has one
    #[serde(default)]
    pub code: Option<String>,
}

/// Decides about a failing result in one word: `retest` approves the cause that was found, and the test is done again;
/// `confirm` is the conclusion. Neither comes before the investigation has come so far.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideTask {
    pub id: TestTaskId,
    pub decision: OosDecision,
    pub reason: String,
    /// To sign with; not needed shortly after the log-in or another signature of the same session
    #[serde(default)]
    pub password: Option<Password>,
    /// Of the second factor, where the account has one
    #[serde(default)]
    pub code: Option<String>,
}

/// Where a step led.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Investigated {
    pub task_id: TestTaskId,
    pub state: InvestigationState,
    /// The tasks that were made
    pub tasks: Vec<TestTaskId>,
    /// Containers taken from the retention portion
    pub containers: i64,
}

/// What is asked for, as every step is decided.
#[derive(Clone, Debug)]
pub struct StepAsked {
    event: InvestigationEvent,
    reason: String,
    answers: Vec<PointAnswer>,
    cause: Option<String>,
    evidence: Option<String>,
    plan: Option<(i64, AccountId)>,
}

impl StepAsked {
    fn of(event: InvestigationEvent, reason: &str) -> Self {
        let reason = reason.to_owned();
        Self { event, reason, answers: Vec::new(), cause: None, evidence: None, plan: None }
    }

    /// What a signature on the step stands for.
    fn meaning(&self) -> Option<SignatureMeaning> {
        match self.event {
            InvestigationEvent::ApproveCause => Some(SignatureMeaning::InvalidationApproved),
            InvestigationEvent::ApprovePlan => Some(SignatureMeaning::RepetitionApproved),
            InvestigationEvent::Confirm => Some(SignatureMeaning::FailureConfirmed),
            _ => None,
        }
    }
}

/// A failing result with everything that was found about it.
pub struct Failing {
    file: TaskFile,
    result: Option<ResultRow>,
    steps: Vec<InvestigationStepRow>,
    /// Who did what about the test
    done: DutiesDone,
    /// The readings that the result was calculated from
    readings: Vec<ReadingRow>,
    /// The tasks of the plan with the verdicts of their latest results
    repeated: Vec<(TestTaskId, TaskState, Option<Verdict>)>,
    /// A result of the same item and sample was invalid before
    invalid_before: bool,
    /// The second analyst is one of the institute
    analyst_known: bool,
    /// What a repetition takes
    stock: repetition::Stock,
    proof: Option<Reauthenticated>,
}

/// What follows.
#[derive(Debug)]
pub struct Plan {
    result: ResultRow,
    step: InvestigationStepRow,
    /// Of the failing task, where it changes
    task: Option<TaskState>,
    ordered: Option<Ordered>,
}

fn load(
    cx: &mut Context<'_>,
    id: &TestTaskId,
    analyst: Option<&AccountId>,
    proof: &Option<Reauthenticated>,
) -> Outcome<Failing> {
    let file = open_task_of(cx.conn, cx.actor, id)?;
    let result = latest_result(cx.conn, id)?;
    let of = result.as_ref().map(|row| row.id.clone());
    let steps = investigation_step::table
        .filter(investigation_step::result_id.nullable().eq(&of))
        .order(investigation_step::position)
        .select(InvestigationStepRow::as_select())
        .load(cx.conn)?;
    let tasks: Vec<(TestTaskId, TaskState)> = test_task::table
        .filter(test_task::repeats_result_id.eq(&of))
        .filter(test_task::state.ne(TaskState::RetestOrdered))
        .order(test_task::attempt)
        .select((test_task::id, test_task::state))
        .load(cx.conn)?;
    let mut repeated = Vec::new();
    for (task, state) in tasks {
        let verdict = latest_result(cx.conn, &task)?.map(|row| row.verdict);
        repeated.push((task, state, verdict));
    }
    let invalid = investigation_step::table
        .inner_join(result::table.inner_join(test_task::table))
        .filter(test_task::sample_id.eq(&file.task.sample_id))
        .filter(test_task::test_item_id.eq(&file.task.test_item_id))
        .filter(investigation_step::state.eq(InvestigationState::Invalidated));
    let invalid_before = diesel::select(diesel::dsl::exists(invalid)).get_result(cx.conn)?;
    let known = account_role::table
        .inner_join(account::table)
        .filter(account::id.nullable().eq(analyst))
        .filter(account::institute_id.eq(&cx.actor.institute))
        .filter(account::disabled.eq(false))
        .filter(account_role::role.eq(Role::Analyst));
    let analyst_known = diesel::select(diesel::dsl::exists(known)).get_result(cx.conn)?;
    let facts = views::duties_of_task(cx.conn, id)?;
    let done = DutiesDone { facts, more: cx.services.site.apart.clone() };
    let readings = current(cx.conn, id)?;
    let stock = repetition::stock(cx.conn, &file)?;
    let proof = proof.clone();
    Ok(Failing { file, result, steps, done, readings, repeated, invalid_before, analyst_known, stock, proof })
}

fn decide(facts: &Facts<'_>, asked: StepAsked, failing: &Failing) -> Result<Plan, Refusal> {
    let reason = text::required("reason", &asked.reason, text::REMARK)?;
    let confirmed = failing.file.after(TaskEvent::Confirm)?;
    let result = failing.result.clone().ok_or(BenchRefusal::NothingToDecide)?;
    if result.verdict != Verdict::Fail || failing.file.task.repeats_result_id.is_some() {
        return Err(BenchRefusal::NothingToInvestigate.into());
    }
    let before = failing.steps.last().map_or(InvestigationState::Open, |step| step.state);
    let state = before.on(asked.event).map_err(BenchRefusal::State)?;
    let (actor, item) = (&facts.actor.account, &failing.file.item);
    let entered = |who: &AccountId| {
        *who == result.analyst_id || failing.done.facts.iter().any(|one| one.duty == Duty::Entry && one.account == *who)
    };
    if asked.meaning().is_some() {
        failing.done.allow(Duty::Decision, actor)?;
        let proposed = failing.steps.last().filter(|_| asked.event != InvestigationEvent::Confirm);
        if proposed.is_some_and(|step| step.by_account == *actor) {
            return Err(BenchRefusal::OwnProposal.into());
        }
    }
    let rules = facts.regulation.failing();
    let allowed = rules.retest_allowed(item.retest_allowed, &[&item.code, &item.name_zh, &item.name_en, &item.method]);
    let (mut task, mut ordered) = (None, None);
    match asked.event {
        InvestigationEvent::FindCause | InvestigationEvent::FindNone => checked(rules, allowed, &asked)?,
        InvestigationEvent::ApproveCause => {
            if !allowed && failing.invalid_before {
                return Err(BenchRefusal::NoRetest.into());
            }
            task = Some(failing.file.after(TaskEvent::OrderRetest)?);
            ordered = Some(failing.stock.order(1, None)?);
        }
        InvestigationEvent::ProposePlan => {
            let Some((repetitions, analyst)) = &asked.plan else { return Err(BenchRefusal::NothingToDecide.into()) };
            if !allowed {
                return Err(BenchRefusal::NoRetest.into());
            }
            if !(1..=rules.most_repetitions).contains(repetitions) {
                return Err(BenchRefusal::PlanCount { most: rules.most_repetitions }.into());
            }
            if !failing.analyst_known || entered(analyst) {
                return Err(BenchRefusal::SecondAnalyst.into());
            }
        }
        InvestigationEvent::ApprovePlan => {
            let proposed = failing.steps.last().and_then(|step| step.repetitions.zip(step.second_analyst.clone()));
            let (repetitions, analyst) = proposed.ok_or(BenchRefusal::NothingToDecide)?;
            ordered = Some(failing.stock.order(repetitions, Some((analyst, result.id.clone())))?);
        }
        InvestigationEvent::Confirm => {
            let planned = failing.steps.iter().rev().find(|step| step.event == InvestigationEvent::ProposePlan);
            let planned = planned.filter(|_| before == InvestigationState::Repeating);
            conclusion(result.verdict, planned.and_then(|step| step.repetitions), &failing.repeated)?;
            task = Some(confirmed);
        }
        InvestigationEvent::Open | InvestigationEvent::SendBack => {}
    }
    let (repetitions, second_analyst) = asked.plan.unzip();
    let step = InvestigationStepRow {
        id: InvestigationStepId::new(),
        result_id: result.id.clone(),
        position: failing.steps.last().map_or(1, |step| step.position) + 1,
        event: asked.event,
        state,
        reason,
        answers: Json::of(&asked.answers),
        cause: asked.cause,
        evidence: asked.evidence,
        repetitions,
        second_analyst,
        by_account: actor.clone(),
        at: facts.now.into(),
    };
    Ok(Plan { result, step, task, ordered })
}

/// Every point of the list is answered once, and a cause is one of those that count, with its evidence.
fn checked(rules: &FailingRules, allowed: bool, asked: &StepAsked) -> Result<(), Refusal> {
    for point in &rules.point {
        if asked.answers.iter().filter(|one| one.point == point.code).count() != 1 {
            return Err(BenchRefusal::PointUnanswered { zh: point.zh.clone(), en: point.en.clone() }.into());
        }
    }
    if asked.answers.len() != rules.point.len() {
        return Err(BenchRefusal::PointUnknown.into());
    }
    for (index, one) in asked.answers.iter().enumerate() {
        if one.finding == CheckFinding::Deviation {
            text::required(&format!("answers[{index}].note"), &one.note, text::REMARK)?;
        }
    }
    let Some(cause) = &asked.cause else { return Ok(()) };
    let causes = rules.causes(allowed);
    if !causes.iter().any(|known| known.code == *cause) {
        let codes = causes.iter().map(|known| known.code.clone()).collect();
        return Err(BenchRefusal::CauseUnknown { codes }.into());
    }
    text::required("evidence", asked.evidence.as_deref().unwrap_or(""), text::REMARK)?;
    Ok(())
}

/// The conclusion over all valid values: it conforms only where every one complies, and the failing one stays valid.
fn conclusion(
    first: Verdict,
    planned: Option<i64>,
    repeated: &[(TestTaskId, TaskState, Option<Verdict>)],
) -> Result<Verdict, BenchRefusal> {
    let settled = |state: TaskState| matches!(state, TaskState::Reviewed | TaskState::Oos);
    let done = repeated.iter().filter(|(_, state, verdict)| settled(*state) && verdict.is_some()).count();
    let planned = planned.unwrap_or(0);
    if i64::try_from(done).ok() != Some(planned) || done != repeated.len() {
        return Err(BenchRefusal::RepetitionsOpen { planned, done });
    }
    let complies = first == Verdict::Pass && repeated.iter().all(|(_, _, verdict)| *verdict == Some(Verdict::Pass));
    if complies { Err(BenchRefusal::NothingToInvestigate) } else { Ok(Verdict::Fail) }
}

/// The first step, written as a failing result is approved, or where a task from before has none.
pub(super) fn open(cx: &mut Context<'_>, result: &ResultId) -> Outcome<()> {
    let step = InvestigationStepRow {
        id: InvestigationStepId::new(),
        result_id: result.clone(),
        position: 1,
        event: InvestigationEvent::Open,
        state: InvestigationState::Open,
        reason: String::new(),
        answers: Json::of(&Vec::<PointAnswer>::new()),
        cause: None,
        evidence: None,
        repetitions: None,
        second_analyst: None,
        by_account: cx.actor.account.clone(),
        at: cx.now.into(),
    };
    diesel::insert_into(investigation_step::table).values(&step).execute(cx.conn)?;
    cx.record(Change::created("investigation.open", "result", result.as_str(), json!({"state": step.state})));
    Ok(())
}

fn keep(
    cx: &mut Context<'_>,
    name: &'static str,
    meaning: Option<SignatureMeaning>,
    failing: Failing,
    plan: Plan,
) -> Outcome<Investigated> {
    let Plan { result, step, task, ordered } = plan;
    let id = failing.file.task.id.clone();
    if let Some(meaning) = meaning {
        let seen = signed::result(&result, &failing.readings);
        let before: Vec<Value> = failing.steps.iter().map(said).collect();
        let content = SignedContent::of(&json!({"result": seen, "steps": before, "step": said(&step)}));
        cx.sign(failing.proof.as_ref(), meaning, ("result", result.id.as_str()), &content)?;
    }
    if failing.steps.is_empty() {
        open(cx, &result.id)?;
    }
    diesel::insert_into(investigation_step::table).values(&step).execute(cx.conn)?;
    if let Some(state) = task {
        let decision = match step.event {
            InvestigationEvent::ApproveCause => OosDecision::Retest,
            _ => OosDecision::Confirm,
        };
        let row = OosDecisionRow {
            id: OosDecisionId::new(),
            result_id: result.id.clone(),
            decision,
            reason: step.reason.clone(),
            decided_by: step.by_account.clone(),
            decided_at: step.at.clone(),
        };
        diesel::insert_into(out_of_limit_decision::table).values(&row).execute(cx.conn)?;
        diesel::update(test_task::table.find(&id)).set(test_task::state.eq(state)).execute(cx.conn)?;
        if decision == OosDecision::Confirm {
            // The repetitions that failed too are confirmed with it.
            let failed = failing.repeated.iter().filter(|(_, state, _)| *state == TaskState::Oos).map(|(id, _, _)| id);
            let failed: Vec<&TestTaskId> = failed.collect();
            diesel::update(test_task::table.filter(test_task::id.eq_any(failed)))
                .set(test_task::state.eq(state))
                .execute(cx.conn)?;
        }
    }
    let containers = ordered.as_ref().map_or(0, Ordered::containers);
    let tasks = match ordered {
        Some(ordered) => repetition::keep(cx, &failing.file, &failing.stock, ordered, &step.reason)?,
        None => Vec::new(),
    };
    let old = failing.steps.last().map_or(InvestigationState::Open, |step| step.state);
    let change = Change::field(name, "test_task", &id, "investigation", old.as_str(), step.state.as_str())
        .and("result", (), result.id.as_str())
        .and("cause", (), step.cause.clone())
        .and("repetitions", (), step.repetitions)
        .and("second_analyst", (), step.second_analyst.as_ref().map(ToString::to_string))
        .and("tasks", (), tasks.iter().map(ToString::to_string).collect::<Vec<_>>())
        .and("containers_from_retention", (), containers)
        .because(&step.reason);
    cx.record(change);
    cases::all_tested(cx, &failing.file.sample.application_id)?;
    Ok(Investigated { task_id: id, state: step.state, tasks, containers })
}

fn said(step: &InvestigationStepRow) -> Value {
    json!({"position": step.position, "event": step.event, "reason": step.reason, "answers": step.answers.tree(),
        "cause": step.cause, "evidence": step.evidence, "repetitions": step.repetitions,
        "second_analyst": step.second_analyst, "by": step.by_account, "at": step.at})
}

/// The steps differ by their name, by who may do them, by what they ask and by whether they are signed.
macro_rules! steps {
    ($($action:ident = $name:literal, $permission:ident, |$one:ident| $asked:expr, $analyst:expr, $proof:expr;)+) => {$(
        #[allow(unused_variables)] // Not every step asks its input for an analyst or a password.
        impl Action for $action {
            const NAME: &'static str = $name;
            const PERMISSION: Permission = Permission::$permission;
            type Prepared = Option<Reauthenticated>;
            type Loaded = Failing;
            type Plan = Plan;
            type Done = Investigated;

            fn subject(&self) -> Option<Subject> {
                Some(Subject::new(Revised::Task, &self.id))
            }

            fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<Option<Reauthenticated>> {
                let $one = self;
                let proof: Option<(Option<&Password>, Option<&str>)> = $proof;
                proof.map(|(word, code)| services.identity.prove(actor, word, code, Grace::Counts)).transpose()
            }

            fn load(&self, cx: &mut Context<'_>, proof: &Option<Reauthenticated>) -> Outcome<Failing> {
                let $one = self;
                load(cx, &$one.id, $analyst, proof)
            }

            fn decide(&self, facts: &Facts<'_>, failing: &Failing) -> Result<Plan, Refusal> {
                let $one = self;
                decide(facts, $asked, failing)
            }

            fn keep(&self, cx: &mut Context<'_>, failing: Failing, plan: Plan) -> Outcome<Investigated> {
                let $one = self;
                let asked: StepAsked = $asked;
                keep(cx, Self::NAME, asked.meaning(), failing, plan)
            }
        }
    )+};
}

steps! {
    CheckLaboratory = "investigation.check", OosInvestigate, |one| one.asked(), None, None;
    ApproveCause = "investigation.approve_cause", OosDecide,
        |one| StepAsked::of(InvestigationEvent::ApproveCause, &one.reason), None,
        Some((one.password.as_ref(), one.code.as_deref()));
    ProposePlan = "investigation.propose_plan", OosInvestigate, |one| one.asked(), Some(&one.second_analyst), None;
    ApprovePlan = "investigation.approve_plan", OosDecide,
        |one| StepAsked::of(InvestigationEvent::ApprovePlan, &one.reason), None,
        Some((one.password.as_ref(), one.code.as_deref()));
    SendBackInvestigation = "investigation.send_back", OosDecide,
        |one| StepAsked::of(InvestigationEvent::SendBack, &one.reason), None, None;
    DecideTask = "task.decide", OosDecide, |one| one.asked(), None,
        Some((one.password.as_ref(), one.code.as_deref()));
    ConfirmFailure = "investigation.confirm", OosDecide,
        |one| StepAsked::of(InvestigationEvent::Confirm, &one.reason), None,
        Some((one.password.as_ref(), one.code.as_deref()));
}

impl CheckLaboratory {
    fn asked(&self) -> StepAsked {
        let cause = self.cause.clone().filter(|code| !code.is_empty());
        let event = if cause.is_some() { InvestigationEvent::FindCause } else { InvestigationEvent::FindNone };
        let evidence = cause.as_ref().map(|_| self.evidence.trim().to_owned());
        StepAsked { answers: self.answers.clone(), cause, evidence, ..StepAsked::of(event, &self.reason) }
    }
}

impl DecideTask {
    fn asked(&self) -> StepAsked {
        let event = match self.decision {
            OosDecision::Retest => InvestigationEvent::ApproveCause,
            OosDecision::Confirm => InvestigationEvent::Confirm,
        };
        StepAsked::of(event, &self.reason)
    }
}

impl ProposePlan {
    fn asked(&self) -> StepAsked {
        let plan = Some((self.repetitions, self.second_analyst.clone()));
        StepAsked { plan, ..StepAsked::of(InvestigationEvent::ProposePlan, &self.reason) }
    }
}

#[cfg(test)]
#[path = "investigation_tests.rs"]
mod tests;
