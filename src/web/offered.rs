//! What a page does not offer its reader, and why: each action is asked itself whether it would be refused as things are.

use serde_json::{Value, json};

use crate::action::{Action, Services, hindered};
use crate::bench::{
    ApproveCause, ApprovePlan, ConfirmFailure, CorrectResult, RepeatUndecided, ReviewResult, StartTask,
};
use crate::cases::{ReinstateCase, ReinstateSample};
use crate::catalogue::{ConfirmOwner, ReleaseSpecification};
use crate::certificates::{ReviewCertificate, SignCertificate};
use crate::custody::UndoMove;
use crate::record::Actor;
use crate::store::columns::{ApplicationId, CertificateId, OwnerProposalId, SpecificationId};
use crate::store::views::{SampleDetail, TaskView};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::{
    CaseState, CertificateState, InvestigationState, IssueMeaning, ReviewOutcome, SampleState, TaskState, Verdict,
    allowed,
};

/// In place of what is still to be typed.
const TYPED: &str = "-";

/// Who asks, in a transaction that only reads.
pub struct Asking<'a> {
    pub conn: &'a mut AnyConnection,
    pub services: &'a Services,
    pub actor: &'a Actor,
}

impl Asking<'_> {
    /// Why an action would be refused, in both languages; null where nothing keeps the reader from it, or where no page
    /// would offer it, since no role of the reader's has it.
    fn why<A: Action>(&mut self, action: &A) -> Outcome<Value> {
        if !self.actor.roles.iter().any(|role| allowed(*role, A::PERMISSION)) {
            return Ok(Value::Null);
        }
        let why = hindered(self.conn, self.services, self.actor, action)?;
        Ok(why.map_or(Value::Null, |refusal| json!({"zh": refusal.message_zh, "en": refusal.message_en})))
    }
}

/// The step of a certificate that comes next.
///
/// # Errors
/// The store's failure.
pub fn of_certificate(asking: &mut Asking<'_>, id: &CertificateId, state: Option<CertificateState>) -> Outcome<Value> {
    let (id, password, code) = (id.clone(), None, None);
    let (mut review, mut sign) = (Value::Null, Value::Null);
    match state {
        Some(CertificateState::Drafted) => review = asking.why(&ReviewCertificate { id, password, code })?,
        Some(CertificateState::Reviewed) => {
            sign = asking.why(&SignCertificate { id, password, code, meaning: IssueMeaning::Approved })?;
        }
        _ => {}
    }
    Ok(json!({"review": review, "sign": sign}))
}

/// The release of a draft, from today on.
///
/// # Errors
/// The store's failure.
pub fn of_draft(asking: &mut Asking<'_>, id: &SpecificationId) -> Outcome<Value> {
    let effective_from = asking.services.clock.today().to_string();
    asking.why(&ReleaseSpecification { id: id.clone(), effective_from, password: None, code: None })
}

/// The confirmation of whose a product or an applicant is.
///
/// # Errors
/// The store's failure.
pub fn of_proposal(asking: &mut Asking<'_>, id: &OwnerProposalId) -> Outcome<Value> {
    asking.why(&ConfirmOwner { id: id.clone() })
}

/// The ways back from a refusal and from moves of containers: each entry of the ledger that can be taken back at all, with
/// why the reader may not.
///
/// # Errors
/// The store's failure.
pub fn of_sample(asking: &mut Asking<'_>, found: &SampleDetail) -> Outcome<Value> {
    let id = &found.sample.id;
    let mut why = json!({"reinstate": null, "moves": {}});
    if found.sample.state == SampleState::Refused {
        why["reinstate"] = asking.why(&ReinstateSample { id: id.clone(), reason: TYPED.to_owned() })?;
    }
    for entry in found.ledger.iter().filter(|entry| entry.undoable) {
        let action = UndoMove { id: id.clone(), entry_id: entry.id.clone(), reason: TYPED.to_owned() };
        why["moves"][entry.id.as_str()] = asking.why(&action)?;
    }
    Ok(why)
}

/// A case that has ended.
///
/// # Errors
/// The store's failure.
pub fn of_ended(asking: &mut Asking<'_>, id: &ApplicationId, state: CaseState) -> Outcome<Value> {
    if !CaseState::ENDED.contains(&state) {
        return Ok(Value::Null);
    }
    asking.why(&ReinstateCase { id: id.clone(), reason: TYPED.to_owned() })
}

/// What is approved, sent back or put right of a test. The lines for its readings ask for themselves.
///
/// # Errors
/// The store's failure.
pub fn of_task(asking: &mut Asking<'_>, found: &TaskView) -> Outcome<Value> {
    let (task, last) = (&found.task, found.results.last());
    let typed = || TYPED.to_owned();
    let mut why = json!({"start": null, "approve": null, "take_back": null, "correct": null, "decide": null,
        "repeat": null});
    if task.state == TaskState::Waiting {
        why["start"] = asking.why(&StartTask { id: task.id.clone() })?;
    }
    if let Some(last) = last {
        let reviewed = |outcome, note: &str| ReviewResult {
            id: last.id.clone(),
            outcome,
            note: note.to_owned(),
            import_checked: true,
            password: None,
            code: None,
        };
        if task.state == TaskState::Entered {
            why["approve"] = asking.why(&reviewed(ReviewOutcome::Approved, ""))?;
        }
        if last.review_outcome == Some(ReviewOutcome::Approved) && last.correction.is_none() {
            let (id, reason, evidence) = (last.id.clone(), typed(), typed());
            why["take_back"] = asking.why(&reviewed(ReviewOutcome::SentBack, TYPED))?;
            why["correct"] = asking.why(&CorrectResult { id, reason, evidence, password: None, code: None })?;
        }
        if last.verdict == Verdict::Indeterminate && [TaskState::Entered, TaskState::Oos].contains(&task.state) {
            let (id, method, reason) = (last.id.clone(), typed(), typed());
            why["repeat"] = asking.why(&RepeatUndecided { id, method, reason, password: None, code: None })?;
        }
    }
    if task.state == TaskState::Oos && task.assigned_to.is_none() {
        let (id, reason, password, code) = (task.id.clone(), typed(), None, None);
        why["decide"] = match found.investigation.as_ref().map(|inquiry| inquiry.state) {
            Some(InvestigationState::CauseFound) => asking.why(&ApproveCause { id, reason, password, code })?,
            Some(InvestigationState::Planned) => asking.why(&ApprovePlan { id, reason, password, code })?,
            Some(InvestigationState::NoCause | InvestigationState::Repeating) => {
                asking.why(&ConfirmFailure { id, reason, password, code })?
            }
            _ => Value::Null,
        };
    }
    Ok(why)
}
