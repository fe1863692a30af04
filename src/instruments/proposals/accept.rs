//! A person accepts a staged file.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::propose::Proposal;
use super::reject::{FileDecision, decided};
use super::view::{FileView, view_in};
use crate::action::{Action, Context, Facts, Subject};
use crate::bench::{self, Entered, NewReading, Observed, ProposedReadings, Source, TaskEntry};
use crate::instruments::refusals::InstrumentRefusal;
use crate::record::Change;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::{InstrumentFileId, TestTaskId};
use crate::store::revisions::Revised;
use crate::store::views::ProblemView;
use crate::text;
use crate::vocabulary::Permission;
use crate::vocabulary::instruments::{FileEvent, FileState, ProblemSeverity};

/// Accepts a staged file: its values become readings of the tasks, each with its place in the file.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptFile {
    pub id: InstrumentFileId,
    /// The tasks to enter; without it, all that the file proposes
    #[serde(default)]
    pub tasks: Option<Vec<TestTaskId>>,
    /// The person has seen that the file is whole, where its format cannot prove it
    #[serde(default)]
    pub confirm_complete: bool,
    /// Why the results count in spite of problems that the adapter calls errors
    #[serde(default)]
    pub despite_problems: Option<String>,
    /// Reagents, reference standards and equipment, as text
    #[serde(default)]
    pub reagents: String,
    #[serde(default)]
    pub note: String,
    /// Why readings in force are replaced, e.g. those of an import that was rejected
    #[serde(default)]
    pub reason: Option<String>,
    /// Why values count that lie outside what they can be; needed where one does
    #[serde(default)]
    pub despite_range: Option<String>,
}

impl AcceptFile {
    /// Accepts everything that a file proposes.
    #[must_use]
    pub fn all_of(id: InstrumentFileId) -> Self {
        Self {
            id,
            tasks: None,
            confirm_complete: false,
            despite_problems: None,
            reagents: String::new(),
            note: String::new(),
            reason: None,
            despite_range: None,
        }
    }

    fn word(&self) -> Accept {
        Accept { confirm_complete: self.confirm_complete, despite_problems: self.despite_problems.clone() }
    }
}

/// What a person says to a file that cannot prove itself, or has problems.
#[derive(Clone, Debug, Default)]
pub struct Accept {
    /// The person has seen that the file is whole, where its format cannot prove it
    pub confirm_complete: bool,
    /// Why the results count in spite of problems that the adapter calls errors
    pub despite_problems: Option<String>,
}

/// What was entered.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Accepted {
    pub file_id: InstrumentFileId,
    pub entered: Vec<Entered>,
}

/// An acceptance that was found in order.
pub struct AcceptPlan {
    state: FileState,
    reason: Option<String>,
    entries: Vec<(TestTaskId, TaskEntry)>,
}

impl Action for AcceptFile {
    const NAME: &'static str = "file.accept";
    const PERMISSION: Permission = Permission::InstrumentAccept;
    type Prepared = ();
    type Loaded = FileView;
    type Plan = AcceptPlan;
    type Done = Accepted;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::InstrumentFile, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<FileView> {
        let (own, rules) = (cx.institute()?, cx.services.mappings.rules());
        view_in(cx.conn, &own, &self.id, &rules)
    }

    fn decide(&self, _: &Facts<'_>, view: &FileView) -> Result<AcceptPlan, Refusal> {
        let state = view.file.state.on(FileEvent::Accept).map_err(InstrumentRefusal::from)?;
        let reason = check_sound(view.file.complete, &view.file.problems, &self.word())?;
        let proposed = view.proposals.iter().map(proposed).collect::<Result<_, InstrumentRefusal>>()?;
        let words = TaskEntry {
            reagents: self.reagents.clone(),
            note: self.note.clone(),
            reason: self.reason.clone(),
            despite_range: self.despite_range.clone(),
            ..TaskEntry::default()
        };
        let entries = bench::accept(proposed, self.tasks.as_deref(), &words)?;
        Ok(AcceptPlan { state, reason, entries })
    }

    fn keep(&self, cx: &mut Context<'_>, view: FileView, plan: AcceptPlan) -> Outcome<Accepted> {
        let by = FileDecision {
            state: plan.state,
            reason: plan.reason.as_deref(),
            by: &cx.actor.account,
            at: cx.now.into(),
        };
        decided(cx.conn, &self.id, &by)?;
        let entered = bench::enter_proposed(cx, &plan.entries)?;
        let (before, after) = (view.file.state.as_str(), plan.state.as_str());
        let tasks: Vec<&TestTaskId> = plan.entries.iter().map(|(task, _)| task).collect();
        let mut change = Change::field(Self::NAME, "instrument_file", &self.id, "state", before, after)
            .and("confirmed_complete", (), self.confirm_complete)
            .and("tasks", (), json!(tasks));
        change.reason = plan.reason;
        cx.record(change);
        Ok(Accepted { file_id: self.id.clone(), entered })
    }
}

/// An incomplete file is never accepted; one that cannot prove itself needs a person's word, and problems
/// that the adapter calls errors need a reason.
pub(super) fn check_sound(
    complete: Option<bool>,
    problems: &[ProblemView],
    new: &Accept,
) -> Result<Option<String>, Refusal> {
    match complete {
        Some(false) => {
            return Err(InstrumentRefusal::Incomplete { problems: problems.to_vec() }.into());
        }
        None if !new.confirm_complete => {
            return Err(InstrumentRefusal::Unconfirmed.into());
        }
        _ => {}
    }
    let errors: Vec<ProblemView> =
        problems.iter().filter(|problem| problem.severity == ProblemSeverity::Error).cloned().collect();
    let reason = new.despite_problems.as_deref().map(|text| text::required("despite_problems", text, text::REMARK));
    let reason = reason.transpose()?;
    if !errors.is_empty() && reason.is_none() {
        return Err(InstrumentRefusal::ProblemsUnanswered { errors }.into());
    }
    Ok(reason)
}

/// What a file would enter for one task.
fn proposed(proposal: &Proposal) -> Result<ProposedReadings, InstrumentRefusal> {
    let reading = |one: &super::propose::ProposedReading| {
        let value = one.value.as_deref().map(str::parse).transpose();
        let value = value.map_err(|_| InstrumentRefusal::TooManyDigits {
            field: format!("{}[{}]", one.name, one.position),
            raw: one.raw.clone(),
        })?;
        Ok(NewReading {
            name: one.name.clone(),
            position: one.position,
            raw: one.raw.clone(),
            source: Source::File(Observed {
                observation: one.observation_id.clone(),
                value,
                unit: one.unit.clone(),
                conversion: one.conversion.clone(),
            }),
        })
    };
    Ok(ProposedReadings {
        task: proposal.task_id.clone(),
        readings: proposal.readings.iter().map(reading).collect::<Result<_, InstrumentRefusal>>()?,
        open_questions: proposal.open_questions.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::views::LocatorView;

    fn problem(severity: ProblemSeverity) -> ProblemView {
        ProblemView { code: "c".into(), severity, message: "m".into(), locator: LocatorView::default() }
    }

    #[test]
    fn a_cut_file_is_never_accepted_and_an_unproven_one_by_a_persons_word() {
        let sure = Accept { confirm_complete: true, ..Accept::default() };
        let refused = |complete, new: &Accept| check_sound(complete, &[], new).err();
        let incomplete = InstrumentRefusal::Incomplete { problems: Vec::new() };
        assert_eq!(refused(Some(false), &sure), Some(incomplete.into()));
        assert_eq!(refused(None, &Accept::default()), Some(InstrumentRefusal::Unconfirmed.into()));
        assert_eq!((refused(None, &sure), refused(Some(true), &Accept::default())), (None, None));
    }

    #[test]
    fn errors_want_a_reason_and_warnings_none() {
        let field = |problems: &[ProblemView], new: &Accept| {
            check_sound(Some(true), problems, new).err().and_then(|refusal| refusal.field)
        };
        assert_eq!(field(&[problem(ProblemSeverity::Warning)], &Accept::default()), None);
        let errors = [problem(ProblemSeverity::Error)];
        assert_eq!(field(&errors, &Accept::default()).as_deref(), Some("despite_problems"));
        let despite = Accept { despite_problems: Some("已核对".into()), ..Accept::default() };
        assert_eq!(check_sound(Some(true), &errors, &despite), Ok(Some("已核对".into())));
    }
}
