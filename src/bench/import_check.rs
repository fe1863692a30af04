//! Second-person check of an import (导入复核): somebody other than the one who accepted a file compares its values
//! with the source. Without it no result of these values is approved; where it fails, nothing is undone: the
//! readings stay and are marked, and the tasks go back to the bench with the reason.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::readings::current;
use super::refusals::{BenchRefusal, ImportFault};
use super::signed;
use super::task::{TaskFile, latest_result, reviewed, task_of};
use crate::action::{Action, Context, Facts, Services, Subject};
use crate::people::{DutiesDone, Grace, Reauthenticated};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::secrets::Password;
use crate::store::columns::{ImportCheckId, InstrumentFileId, ReadingId, ResultId, TestTaskId};
use crate::store::revisions::Revised;
use crate::store::rows::{ImportCheckRow, ReadingRow, ResultRow};
use crate::store::schema::{import_check, instrument_file, observation, reading, test_task};
use crate::store::views::{self, ImportView};
use crate::store::{AnyConnection, Outcome};
use crate::text;
use crate::vocabulary::instruments::FileState;
use crate::vocabulary::states::TaskEvent;
use crate::vocabulary::{CheckOutcome, Duty, Permission, ReviewOutcome, SignatureMeaning, TaskState};

/// Records what a second person found of an accepted file. A rejection sends its tasks back to the bench.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckImport {
    pub id: InstrumentFileId,
    /// `ok`: every value is that of the file; `rejected`
    pub outcome: CheckOutcome,
    /// Why it is rejected
    #[serde(default)]
    pub reason: String,
    /// The values of this task only; without it, all that the file gave
    #[serde(default)]
    pub task_id: Option<TestTaskId>,
    /// To sign with; not needed shortly after the log-in or another signature of the same session
    #[serde(default)]
    pub password: Option<Password>,
    /// Of the second factor, where the account has one
    #[serde(default)]
    pub code: Option<String>,
}

/// What a check led to.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ImportChecked {
    pub file_id: InstrumentFileId,
    pub outcome: CheckOutcome,
    /// Tasks that went back to the bench
    pub sent_back: Vec<TestTaskId>,
}

/// What a check is decided from.
pub struct Import {
    accepted: bool,
    /// Who did what about the import
    done: DutiesDone,
    /// Whether the same was said before of the same values
    repeated: bool,
    /// The tasks whose current readings come from the file
    tasks: Vec<Touched>,
    proof: Option<Reauthenticated>,
}

/// A task that a rejection would touch.
struct Touched {
    file: TaskFile,
    /// Its latest result, where nobody has reviewed it
    result: Option<ResultRow>,
}

/// What a rejection does to one task.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// Nothing is entered: the trail says it.
    Mark,
    /// What was entered goes back to the bench.
    SendBack { state: TaskState, result: Option<ResultId> },
}

/// What a check leads to.
pub struct Plan {
    reason: Option<String>,
    /// One for each task, of a rejection
    steps: Vec<Option<Step>>,
}

impl Action for CheckImport {
    const NAME: &'static str = "import.check";
    const PERMISSION: Permission = Permission::InstrumentCheck;
    type Prepared = Option<Reauthenticated>;
    type Loaded = Import;
    type Plan = Plan;
    type Done = ImportChecked;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::InstrumentFile, &self.id))
    }

    fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<Option<Reauthenticated>> {
        let proof = services.identity.prove(actor, self.password.as_ref(), self.code.as_deref(), Grace::Counts);
        proof.map(Some)
    }

    fn load(&self, cx: &mut Context<'_>, proof: &Option<Reauthenticated>) -> Outcome<Import> {
        let institute = cx.institute()?;
        let found: Option<FileState> = instrument_file::table
            .find(&self.id)
            .filter(instrument_file::institute_id.eq(&institute))
            .select(instrument_file::state)
            .first(cx.conn)
            .optional()?;
        let state = found.ok_or_else(|| BenchRefusal::NoFile(self.id.clone()))?;
        let repeated = said(cx.conn, &self.id, self.task(), self.outcome)?;
        let mut tasks = Vec::new();
        for id in tasks_of(cx.conn, &self.id)? {
            let file = task_of(cx.conn, cx.actor, &id)?;
            let result = latest_result(cx.conn, &id)?.filter(|row| row.reviewer_id.is_none());
            tasks.push(Touched { file, result });
        }
        let facts = views::duties_of_import(cx.conn, &self.id, self.task())?;
        let done = DutiesDone { facts, more: cx.services.site.apart.clone() };
        Ok(Import { accepted: state == FileState::Accepted, done, repeated, tasks, proof: proof.clone() })
    }

    fn decide(&self, facts: &Facts<'_>, import: &Import) -> Result<Plan, Refusal> {
        let rejected = self.outcome == CheckOutcome::Rejected;
        let reason = match rejected {
            true => Some(text::required("reason", &self.reason, text::REMARK)?),
            false => Some(text::optional("reason", &self.reason, text::REMARK)?).filter(|text| !text.is_empty()),
        };
        let asked = self.task();
        if asked.is_some_and(|id| !import.tasks.iter().any(|one| one.file.task.id == *id)) {
            return Err(BenchRefusal::TaskNotOfFile.into());
        }
        if !import.accepted {
            return Err(BenchRefusal::FileNotAccepted.into());
        }
        import.done.allow(Duty::ImportCheck, &facts.actor.account)?;
        if import.repeated {
            return Err(BenchRefusal::CheckedAlready.into());
        }
        let touched = |one: &Touched| rejected && asked.is_none_or(|id| one.file.task.id == *id);
        let step = |one: &Touched| match touched(one) {
            true => {
                if one.result.is_some() {
                    import.done.allow(Duty::ResultReview, &facts.actor.account)?;
                }
                step(one).map(Some)
            }
            false => Ok(None),
        };
        let steps = import.tasks.iter().map(step).collect::<Result<_, Refusal>>()?;
        Ok(Plan { reason, steps })
    }

    fn keep(&self, cx: &mut Context<'_>, import: Import, plan: Plan) -> Outcome<ImportChecked> {
        let found = (self.outcome, plan.reason.as_deref());
        keep(cx, (&self.id, self.task()), found, import.proof.as_ref())?;
        let reason = plan.reason.unwrap_or_default();
        let mut sent_back = Vec::new();
        for (one, step) in import.tasks.iter().zip(plan.steps) {
            let task = &one.file.task;
            let state = match step {
                None => continue,
                Some(Step::Mark) => task.state,
                Some(Step::SendBack { state, result }) => {
                    if let Some(id) = result {
                        let note = format!("导入复核不通过：{reason}");
                        let (by, at) = (&cx.actor.account, cx.now.into());
                        reviewed(cx.conn, by, at, &id, ReviewOutcome::SentBack, &note)?;
                    }
                    diesel::update(test_task::table.find(&task.id)).set(test_task::state.eq(state)).execute(cx.conn)?;
                    sent_back.push(task.id.clone());
                    state
                }
            };
            let (old, new) = (task.state.as_str(), state.as_str());
            let change = Change::field("import.reject", "test_task", &task.id, "state", old, new).and(
                "instrument_file",
                (),
                self.id.as_str(),
            );
            cx.record(change.because(&reason));
        }
        Ok(ImportChecked { file_id: self.id.clone(), outcome: self.outcome, sent_back })
    }
}

impl CheckImport {
    /// The task whose values alone are meant.
    fn task(&self) -> Option<&TestTaskId> {
        self.task_id.as_ref().filter(|id| !id.as_str().is_empty())
    }
}

/// What a rejection does to a task. A result that was entered is sent back by the same person; readings and result
/// stay as they are.
fn step(one: &Touched) -> Result<Step, Refusal> {
    match one.file.task.state {
        TaskState::Waiting | TaskState::InProgress | TaskState::Cancelled | TaskState::RetestOrdered => Ok(Step::Mark),
        TaskState::Entered => {
            let state = one.file.after(TaskEvent::SendBack)?;
            Ok(Step::SendBack { state, result: one.result.as_ref().map(|row| row.id.clone()) })
        }
        state @ (TaskState::Reviewed | TaskState::Oos | TaskState::Confirmed) => {
            let (sample, item) = (&one.file.sample.number, &one.file.item);
            let (item_zh, item_en) = (item.name_zh.clone(), item.name_en.clone());
            let (sample, task) = (sample.clone(), one.file.task.id.clone());
            Err(BenchRefusal::ImportSettled { sample, item_zh, item_en, state, task }.into())
        }
    }
}

/// The tasks whose current readings come from a file.
fn tasks_of(conn: &mut AnyConnection, id: &InstrumentFileId) -> Outcome<Vec<TestTaskId>> {
    let candidates: Vec<TestTaskId> = reading::table
        .inner_join(observation::table)
        .filter(observation::instrument_file_id.eq(id))
        .select(reading::test_task_id)
        .distinct()
        .order(reading::test_task_id)
        .load(conn)?;
    let mut tasks = Vec::with_capacity(candidates.len());
    for task in candidates {
        let readings = current(conn, &task)?;
        if views::imports(conn, &task, &readings)?.iter().any(|import| import.file_id == *id) {
            tasks.push(task);
        }
    }
    Ok(tasks)
}

/// Whether the same was said before, of the same values.
fn said(
    conn: &mut AnyConnection,
    id: &InstrumentFileId,
    task: Option<&TestTaskId>,
    outcome: CheckOutcome,
) -> Outcome<bool> {
    let same =
        import_check::table.filter(import_check::instrument_file_id.eq(id)).filter(import_check::outcome.eq(outcome));
    Ok(match task {
        None => diesel::select(diesel::dsl::exists(same.filter(import_check::test_task_id.is_null()))).get_result(conn),
        Some(task) => {
            diesel::select(diesel::dsl::exists(same.filter(import_check::test_task_id.eq(task)))).get_result(conn)
        }
    }?)
}

/// Stores a check of a file, or of one task's part of it, with its signature and its event.
pub(super) fn keep(
    cx: &mut Context<'_>,
    (id, task): (&InstrumentFileId, Option<&TestTaskId>),
    (outcome, reason): (CheckOutcome, Option<&str>),
    proof: Option<&Reauthenticated>,
) -> Outcome<()> {
    let content = signed::import(cx.conn, id, task, (outcome, reason))?;
    let meaning = match outcome {
        CheckOutcome::Ok => SignatureMeaning::ImportConfirmed,
        CheckOutcome::Rejected => SignatureMeaning::ImportRejected,
    };
    cx.sign(proof, meaning, ("instrument_file", id.as_str()), &content)?;
    let row = ImportCheckRow {
        id: ImportCheckId::new(),
        instrument_file_id: id.clone(),
        test_task_id: task.cloned(),
        outcome,
        reason: reason.map(str::to_owned),
        checked_by: cx.actor.account.clone(),
        checked_at: cx.now.into(),
    };
    diesel::insert_into(import_check::table).values(&row).execute(cx.conn)?;
    let content = json!({"outcome": outcome, "task": task});
    let mut change = Change::created(CheckImport::NAME, "instrument_file", id, content);
    change.reason = reason.map(str::to_owned);
    cx.record(change);
    Ok(())
}

/// The readings, of those that are current, whose import was rejected: they are kept, and count no more.
pub(super) fn rejected(conn: &mut AnyConnection, task: &TestTaskId, current: &[ReadingRow]) -> Outcome<Vec<ReadingId>> {
    let imports = views::imports(conn, task, current)?;
    let void: Vec<_> = imports.iter().filter(|one| one.rejected()).flat_map(|one| &one.observations).collect();
    let of_void = |row: &&ReadingRow| row.observation_id.as_ref().is_some_and(|id| void.contains(&id));
    Ok(current.iter().filter(of_void).map(|row| row.id.clone()).collect())
}

/// An import that a result rests on and that no second person found to be in order.
#[derive(Clone, Debug)]
pub struct Unchecked {
    pub(super) file: InstrumentFileId,
    pub(super) name: String,
    pub(super) rejected: bool,
}

impl Unchecked {
    /// Of an import as it is shown.
    pub(super) fn of(import: &ImportView) -> Self {
        Self { file: import.file_id.clone(), name: import.name.clone(), rejected: import.rejected() }
    }

    /// Holds an approval to the rule: every import that a result rests on was checked. Where nobody has, and the
    /// laboratory lets the reviewer do both (`allowed`), the reviewer's own word (`confirmed`) counts as the check of
    /// this task's values.
    ///
    /// # Errors
    /// [`BenchRefusal::ImportOpen`].
    pub(super) fn may_count(&self, allowed: bool, confirmed: bool) -> Result<InstrumentFileId, BenchRefusal> {
        let fault = match (self.rejected, allowed) {
            (true, _) => ImportFault::Rejected,
            (false, false) => ImportFault::NeedsSecondPerson,
            (false, true) if confirmed => return Ok(self.file.clone()),
            (false, true) => ImportFault::NotConfirmed,
        };
        Err(BenchRefusal::ImportOpen { file: self.file.clone(), name: self.name.clone(), fault })
    }
}

#[cfg(test)]
mod tests {
    use super::super::specimens::{actor, did, facts_of, result_of, sheet_file};
    use super::*;
    use crate::refusal::Code;
    use crate::vocabulary::Verdict;

    fn import(state: TaskState) -> Import {
        let file = sheet_file(state, "analyst");
        let result = (state == TaskState::Entered).then(|| result_of(&file, Verdict::Pass));
        let facts = vec![did("analyst", Duty::ImportAcceptance), did("second", Duty::Entry)];
        let done = DutiesDone { facts, ..DutiesDone::default() };
        Import { accepted: true, done, repeated: false, tasks: vec![Touched { file, result }], proof: None }
    }

    fn check(outcome: CheckOutcome, reason: &str) -> CheckImport {
        CheckImport {
            id: InstrumentFileId::new(),
            outcome,
            reason: reason.into(),
            task_id: None,
            password: None,
            code: None,
        }
    }

    fn decided(who: &str, what: &CheckImport, of: &Import) -> Result<Vec<Option<Step>>, Refusal> {
        facts_of(&actor(who), |facts| what.decide(facts, of)).map(|plan| plan.steps)
    }

    #[test]
    fn a_rejection_sends_back_what_was_entered_and_marks_the_rest() {
        let reject = check(CheckOutcome::Rejected, "与原文不符");
        let back = decided("reviewer", &reject, &import(TaskState::Entered));
        assert!(matches!(
            back.as_deref(),
            Ok([Some(Step::SendBack { state: TaskState::InProgress, result: Some(_) })])
        ));
        for state in [TaskState::Waiting, TaskState::InProgress, TaskState::Cancelled, TaskState::RetestOrdered] {
            assert_eq!(decided("reviewer", &reject, &import(state)), Ok(vec![Some(Step::Mark)]), "{state}");
        }
        for state in [TaskState::Reviewed, TaskState::Oos, TaskState::Confirmed] {
            assert!(decided("reviewer", &reject, &import(state)).is_err(), "{state}");
        }
        assert_eq!(decided("reviewer", &check(CheckOutcome::Ok, ""), &import(TaskState::Reviewed)), Ok(vec![None]));
    }

    #[test]
    fn a_rejection_says_why_and_nobody_checks_an_own_import() {
        let of = import(TaskState::Entered);
        let refused = decided("reviewer", &check(CheckOutcome::Rejected, " "), &of).expect_err("no reason");
        assert_eq!(refused.field.as_deref(), Some("reason"));
        for own in ["analyst", "second"] {
            let refused = decided(own, &check(CheckOutcome::Ok, ""), &of).expect_err("who accepted or entered it");
            assert_eq!(refused.code, Code::SelfReview);
        }
    }

    #[test]
    fn a_check_is_of_an_accepted_file_and_said_once() {
        let mut of = import(TaskState::Entered);
        let ok = check(CheckOutcome::Ok, "");
        of.repeated = true;
        assert_eq!(decided("reviewer", &ok, &of).err(), Some(BenchRefusal::CheckedAlready.into()));
        of.repeated = false;
        of.accepted = false;
        assert_eq!(decided("reviewer", &ok, &of).err(), Some(BenchRefusal::FileNotAccepted.into()));
        let other = CheckImport { task_id: Some("other".into()), ..ok };
        let refused = decided("reviewer", &other, &of).expect_err("the file gave that task nothing");
        assert_eq!(refused, BenchRefusal::TaskNotOfFile.into());
    }
}
