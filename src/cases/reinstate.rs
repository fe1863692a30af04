//! Ways back from an ending, a refusal or a withdrawal that was recorded by mistake. What was stays on the record; how far
//! the work was is said by its own facts. Nothing comes back once a certificate was issued.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;

use super::case::Case;
use super::refusals::CasesRefusal;
use super::told::all_tested;
use crate::action::{Action, Context, Facts, Subject, TakenBack};
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::{AccountId, ApplicationId, SampleId, TestTaskId};
use crate::store::revisions::Revised;
use crate::store::schema::{certificate, result, sample, test_task};
use crate::text;
use crate::vocabulary::samples::SampleEvent;
use crate::vocabulary::states::{CaseEvent, TaskEvent};
use crate::vocabulary::{CertificateState, Permission, SampleState, TaskState};

/// Takes back that a case was refused, withdrawn or voided: that was recorded by mistake.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReinstateCase {
    pub id: ApplicationId,
    /// What the mistake was
    pub reason: String,
}

/// A task that ended with its case, and what was done of it.
#[derive(Clone, Debug)]
pub struct CancelledTask {
    id: TestTaskId,
    analyst: Option<AccountId>,
    /// Whether its latest result waits for its review
    waits: bool,
}

impl CancelledTask {
    /// The state that it had, as what was entered of it says.
    fn state(&self) -> Result<TaskState, CasesRefusal> {
        let mut state = TaskState::Cancelled.on(TaskEvent::Reinstate)?;
        if self.analyst.is_some() {
            state = state.on(TaskEvent::Start)?;
        }
        if self.waits {
            state = state.on(TaskEvent::Enter)?;
        }
        Ok(state)
    }
}

/// An ended case with what ended with it.
#[derive(Clone)]
pub struct EndedByMistake {
    case: Case,
    samples: Vec<(SampleId, SampleState, Option<String>)>,
    tasks: Vec<CancelledTask>,
    /// A certificate of it was issued, whatever became of that.
    issued: bool,
}

/// What comes back.
pub struct Reinstated {
    case: Case,
    samples: Vec<(SampleId, Option<String>)>,
    tasks: Vec<(TestTaskId, TaskState)>,
    reason: String,
}

/// Whether a certificate of the case was issued, whatever became of it since.
pub(super) fn ever_issued(cx: &mut Context<'_>, id: &ApplicationId) -> Outcome<bool> {
    let issued = certificate::table
        .filter(certificate::application_id.eq(id))
        .filter(certificate::state.eq_any(CertificateState::EVER_ISSUED));
    Ok(diesel::select(diesel::dsl::exists(issued)).get_result(cx.conn)?)
}

impl Action for ReinstateCase {
    const NAME: &'static str = "case.reinstate";
    const PERMISSION: Permission = Permission::ReversalMake;
    type Prepared = ();
    type Loaded = EndedByMistake;
    type Plan = Reinstated;
    type Done = ();

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Case, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<EndedByMistake> {
        let case = Case::of(cx, &self.id)?;
        let samples: Vec<(SampleId, SampleState, Option<String>)> = sample::table
            .filter(sample::application_id.eq(&self.id))
            .order(sample::number)
            .select((sample::id, sample::state, sample::state_reason))
            .load(cx.conn)?;
        let ids: Vec<&SampleId> = samples.iter().map(|(id, ..)| id).collect();
        let cancelled: Vec<(TestTaskId, Option<AccountId>)> = test_task::table
            .filter(test_task::sample_id.eq_any(ids))
            .filter(test_task::state.eq(TaskState::Cancelled))
            .order(test_task::id)
            .select((test_task::id, test_task::analyst_id))
            .load(cx.conn)?;
        let results: Vec<(TestTaskId, bool)> = result::table
            .inner_join(test_task::table.inner_join(sample::table))
            .filter(sample::application_id.eq(&self.id))
            .filter(test_task::state.eq(TaskState::Cancelled))
            .order((result::test_task_id, result::version))
            .select((result::test_task_id, result::reviewer_id.is_null()))
            .load(cx.conn)?;
        let latest: BTreeMap<TestTaskId, bool> = results.into_iter().collect();
        let task = |(id, analyst)| CancelledTask { waits: latest.get(&id).copied().unwrap_or(false), id, analyst };
        let tasks = cancelled.into_iter().map(task).collect();
        let issued = ever_issued(cx, &self.id)?;
        Ok(EndedByMistake { case, samples, tasks, issued })
    }

    fn decide(&self, _: &Facts<'_>, ended: &EndedByMistake) -> Result<Reinstated, Refusal> {
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        let mut case = ended.case.clone();
        case.on(CaseEvent::Reinstate)?;
        if ended.issued {
            return Err(CasesRefusal::CertificateIssued.into());
        }
        let voided = |(_, state, _): &&(SampleId, SampleState, Option<String>)| *state == SampleState::Voided;
        let samples: Vec<_> =
            ended.samples.iter().filter(voided).map(|(id, _, why)| (id.clone(), why.clone())).collect();
        // The way that it went before: accepted, and work begun once a sample was received.
        if case.row().accepted_on.is_some() {
            case.on(CaseEvent::Accept)?;
        }
        if !samples.is_empty() {
            case.on(CaseEvent::Receive)?;
        }
        let tasks: Vec<(TestTaskId, TaskState)> =
            ended.tasks.iter().map(|one| Ok((one.id.clone(), one.state()?))).collect::<Result<_, CasesRefusal>>()?;
        if !samples.is_empty() {
            case.note("samples_reinstated", (), samples.len());
            case.note("tasks_reinstated", (), tasks.len());
        }
        case.because(&reason);
        // A case that goes on has no reason for its end.
        case.facts().state_reason = None;
        Ok(Reinstated { case, samples, tasks, reason })
    }

    fn keep(&self, cx: &mut Context<'_>, ended: EndedByMistake, plan: Reinstated) -> Outcome<()> {
        let was = ended.case.row();
        let taken = TakenBack {
            of: ("application", self.id.as_str()),
            was: was.state.as_str(),
            becomes: plan.case.row().state.as_str(),
            was_because: was.state_reason.as_deref(),
            reason: &plan.reason,
        };
        cx.take_back(Revised::Case, &taken)?;
        for (id, why) in &plan.samples {
            let becomes = SampleState::Voided.on(SampleEvent::Reinstate).map_err(CasesRefusal::from)?;
            let taken = TakenBack {
                of: ("sample", id.as_str()),
                was: SampleState::Voided.as_str(),
                becomes: becomes.as_str(),
                was_because: why.as_deref(),
                reason: &plan.reason,
            };
            cx.take_back(Revised::Sample, &taken)?;
            diesel::update(sample::table.find(id))
                .set((sample::state.eq(becomes), sample::state_reason.eq(None::<String>)))
                .execute(cx.conn)?;
        }
        for state in [TaskState::Waiting, TaskState::InProgress, TaskState::Entered] {
            let these: Vec<&TestTaskId> = plan.tasks.iter().filter(|(_, to)| *to == state).map(|(id, _)| id).collect();
            for part in these.chunks(500) {
                diesel::update(test_task::table.filter(test_task::id.eq_any(part)))
                    .set(test_task::state.eq(state))
                    .execute(cx.conn)?;
            }
        }
        plan.case.keep(cx, Self::NAME)?;
        if !plan.samples.is_empty() {
            all_tested(cx, &self.id)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::specimens::{self, World};
    use crate::vocabulary::CaseState;

    fn ended(state: CaseState, accepted: bool, samples: &[SampleState]) -> EndedByMistake {
        let mut row = specimens::application();
        row.state = state;
        row.accepted_on = accepted.then(|| "2026-03-02".parse::<chrono::NaiveDate>().expect("a day").into());
        let samples = samples.iter().map(|state| (SampleId::new(), *state, Some("误录".into()))).collect();
        let task = |analyst: Option<&str>, waits| CancelledTask {
            id: TestTaskId::new(),
            analyst: analyst.map(Into::into),
            waits,
        };
        let tasks = vec![task(None, false), task(Some("a"), false), task(Some("a"), true)];
        EndedByMistake { case: Case::new(row), samples, tasks, issued: false }
    }

    fn decided(of: &EndedByMistake, reason: &str) -> Result<Reinstated, Refusal> {
        ReinstateCase { id: "c".into(), reason: reason.into() }.decide(&World::new().facts(), of)
    }

    #[test]
    fn a_case_goes_on_where_it_was() {
        let state = |of| decided(&of, "点错").map(|plan| plan.case.row().state).ok();
        let voided = [SampleState::Voided, SampleState::Refused];
        assert_eq!(state(ended(CaseState::Refused, false, &[])), Some(CaseState::Draft));
        assert_eq!(state(ended(CaseState::Withdrawn, true, &[])), Some(CaseState::Accepted));
        assert_eq!(state(ended(CaseState::Withdrawn, true, &[SampleState::Refused])), Some(CaseState::Accepted));
        assert_eq!(state(ended(CaseState::Voided, true, &voided)), Some(CaseState::Testing));
        for open in [CaseState::Draft, CaseState::Accepted, CaseState::Testing, CaseState::Tested, CaseState::Reported]
        {
            assert_eq!(state(ended(open, true, &[])), None, "{open} has not ended by mistake");
        }
        let plan = match decided(&ended(CaseState::Voided, true, &voided), "点错") {
            Ok(plan) => plan,
            Err(refusal) => panic!("it goes on: {refusal}"),
        };
        assert_eq!(plan.samples.len(), 1, "what was refused stays so");
        let states: Vec<TaskState> = plan.tasks.iter().map(|(_, state)| *state).collect();
        assert_eq!(states, [TaskState::Waiting, TaskState::InProgress, TaskState::Entered]);
        assert_eq!(plan.case.row().state_reason, None);
    }

    #[test]
    fn it_has_a_reason_and_comes_before_any_certificate() {
        let of = ended(CaseState::Voided, true, &[SampleState::Voided]);
        assert_eq!(decided(&of, " ").err().and_then(|refusal| refusal.field).as_deref(), Some("reason"));
        let issued = EndedByMistake { issued: true, ..of };
        assert_eq!(decided(&issued, "点错").err(), Some(CasesRefusal::CertificateIssued.into()));
    }
}
