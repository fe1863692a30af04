//! How a case ends before its report. Every number stays taken.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;

use super::case::Case;
use super::refusals::CasesRefusal;
use crate::action::{Action, Context, Facts, Subject};
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::{ApplicationId, SampleId, TestTaskId};
use crate::store::revisions::Revised;
use crate::store::schema::{certificate, result, sample, test_task};
use crate::text;
use crate::vocabulary::samples::SampleEvent;
use crate::vocabulary::states::{CaseEvent, TaskEvent};
use crate::vocabulary::{CaseState, CertificateState, Permission, SampleState, TaskState, Verdict};

/// Does not accept a draft (不予受理).
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefuseCase {
    pub id: ApplicationId,
    pub reason: String,
}

/// Ends a case that its applicant withdraws (申请人撤回).
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawCase {
    pub id: ApplicationId,
    pub reason: String,
}

/// Ends a case that was entered in error (录入错误作废).
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidCase {
    pub id: ApplicationId,
    pub reason: String,
}

/// Withdraws an applicant's own case, as long as no sample of it arrived.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawOwnCase {
    pub id: ApplicationId,
    pub reason: String,
}

/// A case with what ends with it.
#[derive(Clone)]
pub struct Standing {
    case: Case,
    samples: Vec<(SampleId, SampleState)>,
    tasks: Vec<(TestTaskId, TaskState)>,
    /// A certificate of it is in force: the case does not end beside it.
    in_force: bool,
    /// A valid result of it fails, reviewed or not.
    failing: bool,
}

/// What ends.
pub struct EndedCase {
    case: Case,
    samples: Vec<SampleId>,
    tasks: Vec<TestTaskId>,
}

fn load(cx: &mut Context<'_>, case: Case) -> Outcome<Standing> {
    let id = &case.row().id;
    let samples: Vec<(SampleId, SampleState)> =
        sample::table.filter(sample::application_id.eq(id)).select((sample::id, sample::state)).load(cx.conn)?;
    let ids: Vec<&SampleId> = samples.iter().map(|(id, _)| id).collect();
    let tasks = test_task::table
        .filter(test_task::sample_id.eq_any(ids))
        .select((test_task::id, test_task::state))
        .load(cx.conn)?;
    let in_force = certificate::table
        .filter(certificate::application_id.eq(&case.row().id))
        .filter(certificate::state.eq(CertificateState::Issued));
    let in_force = diesel::select(diesel::dsl::exists(in_force)).get_result(cx.conn)?;
    let results: Vec<(TestTaskId, Verdict)> = result::table
        .inner_join(test_task::table.inner_join(sample::table))
        .filter(sample::application_id.eq(&case.row().id))
        .filter(test_task::state.eq_any([TaskState::Entered, TaskState::Oos, TaskState::Confirmed]))
        .order((result::test_task_id, result::version))
        .select((result::test_task_id, result::verdict))
        .load(cx.conn)?;
    let latest: BTreeMap<TestTaskId, Verdict> = results.into_iter().collect();
    let failing = latest.values().any(|verdict| *verdict == Verdict::Fail);
    Ok(Standing { case, samples, tasks, in_force, failing })
}

/// Ends the case with every sample and every task of it that an event may still move.
fn decide(standing: &Standing, event: CaseEvent, reason: &str) -> Result<EndedCase, Refusal> {
    let reason = text::required("reason", reason, text::REMARK)?;
    let mut case = standing.case.clone();
    case.on(event)?;
    if standing.in_force {
        return Err(CasesRefusal::CertificateInForce.into());
    }
    if standing.failing {
        return Err(CasesRefusal::FailingResult.into());
    }
    case.because(&reason);
    let voided = |(id, state): &(SampleId, SampleState)| state.on(SampleEvent::Void).is_ok().then(|| id.clone());
    let cancelled = |(id, state): &(TestTaskId, TaskState)| state.on(TaskEvent::Cancel).is_ok().then(|| id.clone());
    let samples: Vec<SampleId> = standing.samples.iter().filter_map(voided).collect();
    let tasks: Vec<TestTaskId> = standing.tasks.iter().filter_map(cancelled).collect();
    if !samples.is_empty() {
        case.note("samples_voided", (), samples.len());
        case.note("tasks_cancelled", (), tasks.len());
    }
    Ok(EndedCase { case, samples, tasks })
}

fn keep(cx: &mut Context<'_>, name: &'static str, ended: EndedCase) -> Outcome<()> {
    let row = ended.case.keep(cx, name)?;
    for part in ended.samples.chunks(500) {
        diesel::update(sample::table.filter(sample::id.eq_any(part)))
            .set((sample::state.eq(SampleState::Voided), sample::state_reason.eq(&row.state_reason)))
            .execute(cx.conn)?;
    }
    for part in ended.tasks.chunks(500) {
        diesel::update(test_task::table.filter(test_task::id.eq_any(part)))
            .set(test_task::state.eq(TaskState::Cancelled))
            .execute(cx.conn)?;
    }
    Ok(())
}

/// The endings differ by their name, who may do them, whose case it is and what happens to it.
macro_rules! endings {
    ($($action:ident = $name:literal, $permission:ident, $whose:path, $event:ident, $while:expr;)+) => {$(
        impl Action for $action {
            const NAME: &'static str = $name;
            const PERMISSION: Permission = Permission::$permission;
            type Prepared = ();
            type Loaded = Standing;
            type Plan = EndedCase;
            type Done = ();

            fn subject(&self) -> Option<Subject> {
                Some(Subject::new(Revised::Case, &self.id))
            }

            fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Standing> {
                let case = $whose(cx, &self.id)?;
                load(cx, case)
            }

            fn decide(&self, _: &Facts<'_>, standing: &Standing) -> Result<EndedCase, Refusal> {
                in_time(standing.case.row().state, $while)?;
                decide(standing, CaseEvent::$event, &self.reason)
            }

            fn keep(&self, cx: &mut Context<'_>, _: Standing, plan: EndedCase) -> Outcome<()> {
                keep(cx, Self::NAME, plan)
            }
        }
    )+};
}

endings! {
    RefuseCase = "case.refuse", CaseRefuse, Case::of, Refuse, CaseState::ALL;
    WithdrawCase = "case.withdraw", CaseWithdraw, Case::of, Withdraw, CaseState::ALL;
    VoidCase = "case.void", CaseVoid, Case::of, Void, CaseState::ALL;
    WithdrawOwnCase = "own_case.withdraw", OwnCaseWithdraw, Case::of_applicant, Withdraw, CaseState::NOT_BEGUN;
}

/// Whether this way to the end is open at all in that state; the event itself is refused by the state.
fn in_time(state: CaseState, open: &[CaseState]) -> Result<(), CasesRefusal> {
    if open.contains(&state) {
        return Ok(());
    }
    Err(CasesRefusal::AskInstitute(state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::specimens;

    fn standing(state: CaseState) -> Standing {
        let mut row = specimens::application();
        row.state = state;
        let samples = SampleState::ALL.iter().map(|state| (SampleId::from(state.as_str()), *state)).collect();
        let tasks = TaskState::ALL.iter().map(|state| (TestTaskId::from(state.as_str()), *state)).collect();
        Standing { case: Case::new(row), samples, tasks, in_force: false, failing: false }
    }

    #[test]
    fn every_task_that_an_event_may_still_move_ends_with_its_case() {
        let ended = decide(&standing(CaseState::Testing), CaseEvent::Void, "录入错误").expect("voided");
        let movable: Vec<&str> = TaskState::CANCELLABLE.iter().map(|state| state.as_str()).collect();
        assert_eq!(ended.tasks.iter().map(TestTaskId::as_str).collect::<Vec<_>>(), movable);
        assert!(movable.contains(&"out_of_limit"));
        assert_eq!(ended.samples, [SampleId::from("received")]);
        assert_eq!(ended.case.row().state, CaseState::Voided);
        assert_eq!(ended.case.row().state_reason.as_deref(), Some("录入错误"));
    }

    #[test]
    fn an_ending_has_a_reason_and_comes_once() {
        let bare = decide(&standing(CaseState::Testing), CaseEvent::Void, " ").err().expect("no reason");
        assert_eq!(bare.field.as_deref(), Some("reason"));
        for state in CaseState::ALL {
            let ended = decide(&standing(*state), CaseEvent::Void, "录入错误");
            assert_eq!(ended.is_ok(), CaseState::ENDABLE.contains(state), "{state}");
        }
        let beside = Standing { in_force: true, ..standing(CaseState::Testing) };
        let refused = decide(&beside, CaseEvent::Withdraw, "来函").err();
        assert_eq!(refused, Some(CasesRefusal::CertificateInForce.into()));
        let failing = Standing { failing: true, ..standing(CaseState::Testing) };
        let refused = decide(&failing, CaseEvent::Withdraw, "来函").err();
        assert_eq!(refused, Some(CasesRefusal::FailingResult.into()));
    }

    #[test]
    fn an_applicant_withdraws_what_has_not_begun() {
        let allowed: Vec<CaseState> =
            CaseState::ALL.iter().copied().filter(|state| in_time(*state, CaseState::NOT_BEGUN).is_ok()).collect();
        assert_eq!(allowed, [CaseState::Draft, CaseState::Accepted]);
    }
}
