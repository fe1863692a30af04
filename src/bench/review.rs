//! Review (复核), by somebody who neither calculated the result nor entered any version of a reading of it. The database
//! holds to that too.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::import_check::{self, Unchecked};
use super::investigation;
use super::readings::current;
use super::refusals::BenchRefusal;
use super::reopen::{self, ApprovedResult, Reopening};
use super::signed;
use super::task::{TaskFile, latest_result, open_task_of, reviewed};
use crate::action::{Action, Context, Facts, Meanwhile, Services, Subject};
use crate::cases;
use crate::people::{DutiesDone, Grace, Reauthenticated, SignedContent};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::secrets::Password;
use crate::store::columns::{InstrumentFileId, ResultId};
use crate::store::revisions::Revised;
use crate::store::rows::ResultRow;
use crate::store::schema::{result, test_task};
use crate::store::{Failure, Outcome, views};
use crate::text;
use crate::vocabulary::states::TaskEvent;
use crate::vocabulary::{CheckOutcome, Duty, Permission, ReviewOutcome, SignatureMeaning, TaskState, Verdict};

/// Reviews a result: it is approved, or sent back to the bench.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewResult {
    pub id: ResultId,
    pub outcome: ReviewOutcome,
    /// Why it goes back; a remark otherwise
    #[serde(default)]
    pub note: String,
    /// The reviewer has compared the values that come from instrument files with these files. Needed to approve
    /// where no second person has checked the import yet; it is then recorded as that check
    #[serde(default)]
    pub import_checked: bool,
    /// To sign with; not needed shortly after the log-in or another signature of the same session
    #[serde(default)]
    pub password: Option<Password>,
    /// Of the second factor, where the account has one
    #[serde(default)]
    pub code: Option<String>,
}

/// Where a review leads.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AfterReview {
    pub state: TaskState,
}

/// What a review is decided from.
pub struct UnderReview {
    file: TaskFile,
    row: ResultRow,
    /// The version of the task's latest result
    latest: i64,
    /// What was entered after the result under review
    newer: Vec<Meanwhile>,
    /// Who did what about the test and its unchecked imports
    done: DutiesDone,
    /// Imports that they rest on and that nobody has checked, or that were rejected
    unchecked: Vec<Unchecked>,
    /// Whether the laboratory lets the reviewer check imports
    reviewer_checks: bool,
    /// What is signed
    content: SignedContent,
    proof: Option<Reauthenticated>,
    /// The result was approved before: it may be taken back
    approved: Option<ApprovedResult>,
    /// The reviewer ordered the correction that led to it
    ordered: bool,
}

/// What a review leads to.
#[derive(Debug)]
pub struct Plan {
    state: TaskState,
    note: String,
    /// Imports that the reviewer's own word is the check of
    checked: Vec<InstrumentFileId>,
    /// An approval that is taken back
    back: Option<Reopening>,
}

impl Action for ReviewResult {
    const NAME: &'static str = "result.review";
    const PERMISSION: Permission = Permission::ResultReview;
    type Prepared = Option<Reauthenticated>;
    type Loaded = UnderReview;
    type Plan = Plan;
    type Done = AfterReview;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Result, &self.id))
    }

    fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<Option<Reauthenticated>> {
        let proof = services.identity.prove(actor, self.password.as_ref(), self.code.as_deref(), Grace::Counts);
        proof.map(Some)
    }

    fn load(&self, cx: &mut Context<'_>, proof: &Option<Reauthenticated>) -> Outcome<UnderReview> {
        let row: Option<ResultRow> =
            result::table.find(&self.id).select(ResultRow::as_select()).first(cx.conn).optional()?;
        let row = row.ok_or_else(|| BenchRefusal::NoResult(self.id.clone()))?;
        // A result of another institute is not there, and neither is its task.
        let approved = match self.outcome {
            ReviewOutcome::SentBack => Some(ApprovedResult::load(cx, &self.id)?).filter(ApprovedResult::approved),
            ReviewOutcome::Approved => None,
        };
        let missing = Refusal::from(BenchRefusal::NoTask(row.test_task_id.clone()));
        let file = match &approved {
            // An approval is taken back also where the case is tested already.
            Some(found) => found.file.clone(),
            None => open_task_of(cx.conn, cx.actor, &row.test_task_id).map_err(|failure| match failure {
                Failure::Refused(refused) if *refused == missing => BenchRefusal::NoResult(self.id.clone()).into(),
                other => other,
            })?,
        };
        let latest = latest_result(cx.conn, &file.task.id)?.map_or(0, |latest| latest.version);
        let newer = if latest > row.version { entered_after(cx, &row)? } else { Vec::new() };
        let readings = current(cx.conn, &file.task.id)?;
        let imports = views::imports(cx.conn, &file.task.id, &readings)?;
        let unchecked: Vec<Unchecked> = imports.iter().filter(|one| !one.checked()).map(Unchecked::of).collect();
        let mut facts = views::duties_of_task(cx.conn, &file.task.id)?;
        for import in &unchecked {
            facts.extend(views::duties_of_import(cx.conn, &import.file, Some(&file.task.id))?);
        }
        let done = DutiesDone { facts, more: cx.services.site.apart.clone() };
        let reviewer_checks = cx.services.site.reviewer_checks_import;
        let content = SignedContent::of(&signed::result(&row, &readings));
        let proof = proof.clone();
        let ordered = reopen::ordered_by(cx.conn, &file.task.id, &cx.actor.account)?;
        Ok(UnderReview {
            file,
            row,
            latest,
            newer,
            done,
            unchecked,
            reviewer_checks,
            content,
            proof,
            approved,
            ordered,
        })
    }

    fn decide(&self, facts: &Facts<'_>, under: &UnderReview) -> Result<Plan, Refusal> {
        if let Some(found) = &under.approved {
            let back = found.taken_back(&facts.actor.account, &self.note)?;
            return Ok(Plan { state: back.state, note: String::new(), checked: Vec::new(), back: Some(back) });
        }
        let approved = self.outcome == ReviewOutcome::Approved;
        let note = if approved {
            text::optional("note", &self.note, text::REMARK)?
        } else {
            text::required("note", &self.note, text::REMARK)?
        };
        under.done.allow(Duty::ResultReview, &facts.actor.account)?;
        if under.row.reviewer_id.is_some() || under.latest != under.row.version {
            return Err(BenchRefusal::ReviewedAlready { changes: under.newer.clone() }.into());
        }
        if approved && under.ordered {
            return Err(BenchRefusal::OwnCorrection { approving: true }.into());
        }
        let state = under.file.after(event(self.outcome, under.row.verdict)?)?;
        let mut checked = Vec::new();
        if approved {
            for import in &under.unchecked {
                checked.push(import.may_count(under.reviewer_checks, self.import_checked)?);
                under.done.allow(Duty::ImportCheck, &facts.actor.account)?;
            }
        }
        Ok(Plan { state, note, checked, back: None })
    }

    fn keep(&self, cx: &mut Context<'_>, under: UnderReview, plan: Plan) -> Outcome<AfterReview> {
        let meaning = match self.outcome {
            ReviewOutcome::Approved => SignatureMeaning::ResultApproved,
            ReviewOutcome::SentBack => SignatureMeaning::ResultSentBack,
        };
        cx.sign(under.proof.as_ref(), meaning, ("result", self.id.as_str()), &under.content)?;
        if let (Some(found), Some(back)) = (under.approved, plan.back) {
            return Ok(AfterReview { state: reopen::keep(cx, "result.take_back", found, back)?.state });
        }
        let task = &under.file.task;
        for file in &plan.checked {
            import_check::keep(cx, (file, Some(&task.id)), (CheckOutcome::Ok, None), under.proof.as_ref())?;
        }
        reviewed(cx.conn, &cx.actor.account, cx.now.into(), &self.id, self.outcome, &plan.note)?;
        diesel::update(test_task::table.find(&task.id)).set(test_task::state.eq(plan.state)).execute(cx.conn)?;
        // What a plan repeats is judged with the result that it repeats.
        if plan.state == TaskState::Oos && task.repeats_result_id.is_none() {
            investigation::open(cx, &self.id)?;
        }
        let (old, new) = (task.state.as_str(), plan.state.as_str());
        let mut change = Change::field(Self::NAME, "result", &self.id, "state", old, new)
            .and("outcome", (), self.outcome.as_str())
            .and("task", (), task.id.as_str());
        change.reason = Some(plan.note).filter(|note| !note.is_empty());
        cx.record(change);
        cases::all_tested(cx, &under.file.sample.application_id)?;
        Ok(AfterReview { state: plan.state })
    }
}

/// What a review means for the task: a result that does not comply is approved as one out of specification.
fn event(outcome: ReviewOutcome, verdict: Verdict) -> Result<TaskEvent, BenchRefusal> {
    match (outcome, verdict) {
        (ReviewOutcome::SentBack, _) => Ok(TaskEvent::SendBack),
        (ReviewOutcome::Approved, Verdict::Pass) => Ok(TaskEvent::Approve),
        (ReviewOutcome::Approved, Verdict::Fail) => Ok(TaskEvent::FindOos),
        (ReviewOutcome::Approved, Verdict::Indeterminate) => Err(BenchRefusal::Undecided),
    }
}

/// What was entered of a task after one of its results.
fn entered_after(cx: &mut Context<'_>, row: &ResultRow) -> Outcome<Vec<Meanwhile>> {
    let version = row.version;
    let made = |field: &Value| field["new"]["version"].as_i64().is_some_and(|made| made <= version);
    cx.since(&Subject::new(Revised::Task, &row.test_task_id), |fields| fields.get("result").is_some_and(made))
}

#[cfg(test)]
mod tests {
    use super::super::specimens::{actor, did, facts_of, result_of, sheet_file};
    use super::*;
    use crate::bench::refusals::ImportFault;
    use crate::refusal::Code;

    fn under(verdict: Verdict) -> UnderReview {
        let file = sheet_file(TaskState::Entered, "analyst");
        let row = result_of(&file, verdict);
        UnderReview {
            file,
            row,
            latest: 1,
            newer: Vec::new(),
            done: DutiesDone::default(),
            unchecked: Vec::new(),
            reviewer_checks: false,
            content: SignedContent { sha256: String::new(), data_sha256: None },
            proof: None,
            approved: None,
            ordered: false,
        }
    }

    fn verdict(outcome: ReviewOutcome, note: &str, import_checked: bool) -> ReviewResult {
        ReviewResult { id: ResultId::new(), outcome, note: note.into(), import_checked, password: None, code: None }
    }

    fn decided(who: &str, what: &ReviewResult, under: &UnderReview) -> Result<Plan, Refusal> {
        facts_of(&actor(who), |facts| what.decide(facts, under))
    }

    #[test]
    fn a_result_that_does_not_comply_is_approved_as_out_of_specification() {
        let approve = verdict(ReviewOutcome::Approved, "", false);
        let state = |of: Verdict| decided("reviewer", &approve, &under(of)).map(|plan| plan.state);
        assert_eq!(state(Verdict::Pass), Ok(TaskState::Reviewed));
        assert_eq!(state(Verdict::Fail), Ok(TaskState::Oos));
        assert_eq!(state(Verdict::Indeterminate), Err(BenchRefusal::Undecided.into()));
    }

    #[test]
    fn what_goes_back_says_why() {
        let under = under(Verdict::Pass);
        let back = |note| decided("reviewer", &verdict(ReviewOutcome::SentBack, note, false), &under);
        assert_eq!(back("").err().and_then(|refusal| refusal.field).as_deref(), Some("note"));
        assert_eq!(back("复核：平行差大").map(|plan| plan.state), Ok(TaskState::InProgress));
    }

    #[test]
    fn nobody_reviews_an_own_result_or_an_old_one() {
        let approve = verdict(ReviewOutcome::Approved, "", false);
        let mut of = under(Verdict::Pass);
        of.done.facts = vec![did("analyst", Duty::Entry), did("checker", Duty::ImportCheck)];
        let refused = |who: &str, of: &UnderReview| decided(who, &approve, of).err();
        let own = refused("analyst", &of).expect("an own result");
        assert_eq!(own.code, Code::SelfReview);
        assert_eq!(refused("checker", &of), None, "who checked the import may review the result");
        of.ordered = true;
        assert_eq!(refused("reviewer", &of), Some(BenchRefusal::OwnCorrection { approving: true }.into()));
        of.ordered = false;
        of.latest = 2;
        assert_eq!(refused("reviewer", &of), Some(BenchRefusal::ReviewedAlready { changes: Vec::new() }.into()));
    }

    #[test]
    fn an_unchecked_import_holds_the_approval_and_not_the_way_back() {
        let mut of = under(Verdict::Pass);
        of.unchecked = vec![Unchecked { file: "f".into(), name: "a.txt".into(), rejected: false }];
        let approve = |confirmed| verdict(ReviewOutcome::Approved, "", confirmed);
        let refused = decided("reviewer", &approve(true), &of).expect_err("the laboratory wants a second person");
        let (file, name, fault) = ("f".into(), "a.txt".into(), ImportFault::NeedsSecondPerson);
        assert_eq!(refused, BenchRefusal::ImportOpen { file, name, fault }.into());
        of.reviewer_checks = true;
        assert!(decided("reviewer", &approve(false), &of).is_err());
        assert_eq!(decided("reviewer", &approve(true), &of).map(|plan| plan.checked.len()), Ok(1));
        if let Some(import) = of.unchecked.first_mut() {
            import.rejected = true;
        }
        assert!(decided("reviewer", &approve(true), &of).is_err());
        assert!(decided("reviewer", &verdict(ReviewOutcome::SentBack, "导入不符", false), &of).is_ok());
    }
}
