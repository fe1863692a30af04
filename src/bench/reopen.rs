//! Putting an approved result right. The result is superseded and kept, its task waits for a new entry, and the new result
//! is approved by the usual review. As long as no certificate carries the result, a reviewer takes the approval back with
//! a reason; afterwards, or once an OOS result was confirmed, quality orders the correction with reason and evidence, and
//! every certificate that carries the result is named: one that is not issued yet is never issued, and one that is issued
//! is to be amended or withdrawn.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::readings::current;
use super::refusals::BenchRefusal;
use super::signed;
use super::task::{TaskFile, latest_result, task_of};
use crate::action::{Action, Context, Facts, Services, Subject};
use crate::cases;
use crate::insert_all;
use crate::people::{Grace, Reauthenticated, SignedContent};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::secrets::Password;
use crate::store::columns::{AccountId, CertificateId, ResultCorrectionId, ResultId, TestTaskId};
use crate::store::revisions::Revised;
use crate::store::rows::{ResultCorrectionRow, ResultRow};
use crate::store::schema::{certificate, certificate_correction, result, result_correction, test_task};
use crate::store::{AnyConnection, Failure, Outcome, views};
use crate::text;
use crate::vocabulary::states::TaskEvent;
use crate::vocabulary::{
    CaseState, CertificateState, CorrectionKind, Duty, Permission, ReviewOutcome, SignatureMeaning, TaskState,
};

/// Supersedes an approved result that was found wrong. Its task waits for a new entry; certificates that carry the
/// result are named.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrectResult {
    pub id: ResultId,
    /// What is wrong with it
    pub reason: String,
    /// What shows that: the record, the file or the investigation
    pub evidence: String,
    /// To sign with; not needed shortly after the log-in or another signature of the same session
    #[serde(default)]
    pub password: Option<Password>,
    /// Of the second factor, where the account has one
    #[serde(default)]
    pub code: Option<String>,
}

/// What a correction led to.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Corrected {
    pub task_id: TestTaskId,
    pub state: TaskState,
    /// The certificates that carry the superseded result
    pub certificates: Vec<CarryingCertificate>,
}

/// A certificate that carries a superseded result: where it is issued it is to be amended or withdrawn, else it is
/// discarded and drafted anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CarryingCertificate {
    pub id: CertificateId,
    pub number: Option<String>,
    pub state: CertificateState,
}

/// An approved result with what a correction of it is decided from.
pub struct ApprovedResult {
    pub(super) file: TaskFile,
    row: ResultRow,
    latest: i64,
    /// It was superseded before
    corrected: bool,
    /// Who entered a value that it was calculated from, or it itself
    entered_by: Vec<AccountId>,
    case: CaseState,
    certificates: Vec<CarryingCertificate>,
    /// The result with the readings that it was calculated from
    seen: Value,
    proof: Option<Reauthenticated>,
}

/// How a result is superseded.
#[derive(Debug)]
pub struct Reopening {
    pub(super) state: TaskState,
    kind: CorrectionKind,
    reason: String,
    evidence: String,
}

impl ApprovedResult {
    /// The result of that id, where it is of the actor's institute; `none` is what is said where it is not.
    pub(super) fn load(cx: &mut Context<'_>, id: &ResultId) -> Outcome<Self> {
        let none = || BenchRefusal::NoResult(id.clone());
        let row: Option<ResultRow> = result::table.find(id).select(ResultRow::as_select()).first(cx.conn).optional()?;
        let row = row.ok_or_else(none)?;
        let file = task_of(cx.conn, cx.actor, &row.test_task_id).map_err(|failure| match failure {
            // A result of another institute is not there, and neither is its task.
            Failure::Refused(_) => none().into(),
            other => other,
        })?;
        let latest = latest_result(cx.conn, &file.task.id)?.map_or(0, |latest| latest.version);
        let known = result_correction::table.filter(result_correction::result_id.eq(id));
        let corrected = diesel::select(diesel::dsl::exists(known)).get_result(cx.conn)?;
        let done = views::duties_of_task(cx.conn, &file.task.id)?;
        let entered_by = done.into_iter().filter(|one| one.duty == Duty::Entry).map(|one| one.account).collect();
        let case = cases::state_of(cx.conn, &file.sample.application_id)?;
        // Every certificate of the sample has the final results of all its items.
        let certificates = certificate::table
            .filter(certificate::sample_id.eq(&file.sample.id))
            .filter(certificate::state.eq_any(CertificateState::LIVE))
            .order((certificate::drafted_at, certificate::id))
            .select((certificate::id, certificate::number, certificate::state))
            .load::<(CertificateId, Option<String>, CertificateState)>(cx.conn)?;
        let carrying = |(id, number, state)| CarryingCertificate { id, number, state };
        let certificates = certificates.into_iter().map(carrying).collect();
        let seen = signed::result(&row, &current(cx.conn, &file.task.id)?);
        Ok(Self { file, row, latest, corrected, entered_by, case, certificates, seen, proof: None })
    }

    /// Whether the result is one that a review has approved.
    pub(super) fn approved(&self) -> bool {
        self.row.review_outcome == Some(ReviewOutcome::Approved)
    }

    /// A reviewer takes the approval back: before any certificate carries the result, and before quality confirmed it.
    pub(super) fn taken_back(&self, by: &AccountId, note: &str) -> Result<Reopening, Refusal> {
        let reason = text::required("note", note, text::REMARK)?;
        let state = self.reopened(by)?;
        if self.file.task.state == TaskState::Confirmed {
            return Err(BenchRefusal::NothingToCorrect.into());
        }
        if !self.certificates.is_empty() {
            let name = |one: &CarryingCertificate| one.number.clone().unwrap_or_else(|| one.state.zh().to_owned());
            return Err(BenchRefusal::OnCertificates { numbers: self.certificates.iter().map(name).collect() }.into());
        }
        Ok(Reopening { state, kind: CorrectionKind::TakenBack, reason, evidence: String::new() })
    }

    /// The state of the task after its approved result was superseded.
    fn reopened(&self, by: &AccountId) -> Result<TaskState, Refusal> {
        if !self.approved() || self.corrected || self.latest != self.row.version {
            return Err(BenchRefusal::NothingToCorrect.into());
        }
        if *by == self.row.analyst_id || self.entered_by.contains(by) {
            return Err(BenchRefusal::OwnCorrection { approving: false }.into());
        }
        let state = self.file.after(TaskEvent::Reopen)?;
        cases::reopenable(self.case)?;
        Ok(state)
    }
}

impl Action for CorrectResult {
    const NAME: &'static str = "result.correct";
    const PERMISSION: Permission = Permission::ResultCorrect;
    type Prepared = Option<Reauthenticated>;
    type Loaded = ApprovedResult;
    type Plan = Reopening;
    type Done = Corrected;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Result, &self.id))
    }

    fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<Option<Reauthenticated>> {
        let proof = services.identity.prove(actor, self.password.as_ref(), self.code.as_deref(), Grace::Counts);
        proof.map(Some)
    }

    fn load(&self, cx: &mut Context<'_>, proof: &Option<Reauthenticated>) -> Outcome<ApprovedResult> {
        Ok(ApprovedResult { proof: proof.clone(), ..ApprovedResult::load(cx, &self.id)? })
    }

    fn decide(&self, facts: &Facts<'_>, found: &ApprovedResult) -> Result<Reopening, Refusal> {
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        let evidence = text::required("evidence", &self.evidence, text::REMARK)?;
        let state = found.reopened(&facts.actor.account)?;
        Ok(Reopening { state, kind: CorrectionKind::Corrected, reason, evidence })
    }

    fn keep(&self, cx: &mut Context<'_>, found: ApprovedResult, plan: Reopening) -> Outcome<Corrected> {
        let content =
            SignedContent::of(&json!({"result": found.seen, "reason": plan.reason, "evidence": plan.evidence}));
        let subject = ("result", self.id.as_str());
        cx.sign(found.proof.as_ref(), SignatureMeaning::ResultCorrected, subject, &content)?;
        keep(cx, Self::NAME, found, plan)
    }
}

/// Supersedes the result and lets its task wait; result, review and readings stay as they are.
pub(super) fn keep(
    cx: &mut Context<'_>,
    name: &'static str,
    found: ApprovedResult,
    plan: Reopening,
) -> Outcome<Corrected> {
    let ApprovedResult { file, row, certificates, .. } = found;
    let correction = ResultCorrectionRow {
        id: ResultCorrectionId::new(),
        result_id: row.id.clone(),
        kind: plan.kind,
        reason: plan.reason.clone(),
        evidence: plan.evidence.clone(),
        ordered_by: cx.actor.account.clone(),
        ordered_at: cx.now.into(),
    };
    diesel::insert_into(result_correction::table).values(&correction).execute(cx.conn)?;
    let named: Vec<_> = certificates
        .iter()
        .map(|one| {
            (
                certificate_correction::certificate_id.eq(one.id.clone()),
                certificate_correction::result_correction_id.eq(correction.id.clone()),
            )
        })
        .collect();
    insert_all!(cx.conn, certificate_correction::table, &named)?;
    diesel::update(test_task::table.find(&file.task.id))
        .set((test_task::state.eq(plan.state), test_task::analyst_id.eq(None::<AccountId>)))
        .execute(cx.conn)?;
    let (old, new) = (file.task.state.as_str(), plan.state.as_str());
    let mut change = Change::field(name, "result", &row.id, "state", old, new)
        .and("correction", (), plan.kind.as_str())
        .and("task", (), file.task.id.as_str());
    if !plan.evidence.is_empty() {
        change = change.and("evidence", (), plan.evidence);
    }
    if !certificates.is_empty() {
        change = change.and("certificates", (), json!(certificates));
    }
    cx.record(change.because(&plan.reason));
    for one in &certificates {
        let event =
            Change::field("certificate.contest", "certificate", &one.id, "superseded_result", (), row.id.as_str());
        cx.record(event.because(&plan.reason));
    }
    cases::reopened(cx, &file.sample.application_id)?;
    Ok(Corrected { task_id: file.task.id, state: plan.state, certificates })
}

/// Whether that person ordered a correction of the task as quality: somebody else approves the new result.
pub(super) fn ordered_by(conn: &mut AnyConnection, task: &TestTaskId, who: &AccountId) -> Outcome<bool> {
    let own = result_correction::table
        .inner_join(result::table)
        .filter(result::test_task_id.eq(task))
        .filter(result_correction::kind.eq(CorrectionKind::Corrected))
        .filter(result_correction::ordered_by.eq(who));
    Ok(diesel::select(diesel::dsl::exists(own)).get_result(conn)?)
}

#[cfg(test)]
mod tests {
    use super::super::specimens::{actor, facts_of, result_of, sheet_file};
    use super::*;
    use crate::vocabulary::Verdict;

    fn approved(state: TaskState, case: CaseState) -> ApprovedResult {
        let file = sheet_file(state, "analyst");
        let mut row = result_of(&file, Verdict::Pass);
        row.review_outcome = Some(ReviewOutcome::Approved);
        let latest = row.version;
        ApprovedResult {
            file,
            row,
            latest,
            corrected: false,
            entered_by: vec!["second".into()],
            case,
            certificates: vec![],
            seen: Value::Null,
            proof: None,
        }
    }

    fn corrected(who: &str, reason: &str, evidence: &str, of: &ApprovedResult) -> Result<Reopening, Refusal> {
        let (id, reason, evidence) = (of.row.id.clone(), reason.into(), evidence.into());
        let action = CorrectResult { id, reason, evidence, password: None, code: None };
        facts_of(&actor(who), |facts| action.decide(facts, of))
    }

    #[test]
    fn an_approved_result_is_superseded_with_reason_and_evidence_by_somebody_else() {
        for state in TaskState::ALL {
            for case in CaseState::ALL {
                let plan = corrected("quality", "抄写错误", "原始记录第 3 页", &approved(*state, *case));
                let settled = matches!(state, TaskState::Reviewed | TaskState::Confirmed);
                let worked = matches!(case, CaseState::Testing | CaseState::Tested | CaseState::Reported);
                assert_eq!(plan.map(|plan| plan.state).ok(), (settled && worked).then_some(TaskState::Waiting));
            }
        }
        let of = approved(TaskState::Reviewed, CaseState::Reported);
        let field = |reason: &str, evidence: &str| corrected("quality", reason, evidence, &of).expect_err("bare").field;
        assert_eq!(field(" ", "x").as_deref(), Some("reason"));
        assert_eq!(field("x", " ").as_deref(), Some("evidence"));
        for who in ["analyst", "second"] {
            let own = corrected(who, "抄写错误", "记录", &of).expect_err("the own result");
            assert_eq!(own, BenchRefusal::OwnCorrection { approving: false }.into());
        }
    }

    #[test]
    fn what_is_not_approved_or_not_the_newest_or_corrected_before_is_left() {
        let changes: [fn(&mut ApprovedResult); 3] =
            [|of| of.row.review_outcome = Some(ReviewOutcome::SentBack), |of| of.latest += 1, |of| of.corrected = true];
        for change in changes {
            let mut of = approved(TaskState::Reviewed, CaseState::Tested);
            change(&mut of);
            let refused = corrected("quality", "抄写错误", "记录", &of).expect_err("nothing to correct");
            assert_eq!(refused, BenchRefusal::NothingToCorrect.into());
        }
    }

    #[test]
    fn a_reviewer_takes_back_what_no_certificate_carries() {
        let mut of = approved(TaskState::Reviewed, CaseState::Tested);
        let back = |of: &ApprovedResult| of.taken_back(&"reviewer".into(), "抄写错误").map(|plan| plan.state);
        assert_eq!(back(&of), Ok(TaskState::Waiting));
        assert_eq!(of.taken_back(&"reviewer".into(), "").err().and_then(|r| r.field).as_deref(), Some("note"));
        of.certificates = vec![CarryingCertificate {
            id: "c".into(),
            number: Some("B20260001".into()),
            state: CertificateState::Issued,
        }];
        let refused = back(&of).expect_err("a certificate carries it");
        assert_eq!(refused, BenchRefusal::OnCertificates { numbers: vec!["B20260001".into()] }.into());
        let confirmed = back(&approved(TaskState::Confirmed, CaseState::Testing)).expect_err("quality confirmed it");
        assert_eq!(confirmed, BenchRefusal::NothingToCorrect.into());
    }
}
