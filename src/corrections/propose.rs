//! Saying that something on record is wrong.

use diesel::prelude::*;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::refusals::CorrectionRefusal;
use super::target::CorrectionTarget;
use crate::action::{Action, Context, Facts};
use crate::record::Change;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::RecordCorrectionId;
use crate::store::rows::RecordCorrectionRow;
use crate::store::schema::{record_correction, record_correction_decision};
use crate::store::views::{self, RecordCorrectionView};
use crate::text;
use crate::vocabulary::{CorrectionSubject, Permission};

/// Proposes that a field on record has another text: what is wrong, and what shows that.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposeCorrection {
    pub subject: CorrectionSubject,
    /// The id of the case, lot, product, applicant or institute
    pub subject_id: String,
    /// As it is called in the API, e.g. `lot_number`
    pub field: String,
    /// Empty where nothing should be on record
    #[serde(default)]
    pub new_value: String,
    pub reason: String,
    /// What shows it: the paper, the label, the letter
    pub evidence: String,
}

/// What a proposal is decided from.
pub struct Proposable {
    target: CorrectionTarget,
    /// Another proposal about the same field waits for its decision.
    waiting: bool,
}

/// A proposal that was found in order.
pub struct ProposedCorrection {
    old_value: String,
    new_value: String,
    reason: String,
    evidence: String,
}

impl Action for ProposeCorrection {
    const NAME: &'static str = "correction.propose";
    const PERMISSION: Permission = Permission::CorrectionPropose;
    type Prepared = ();
    type Loaded = Proposable;
    type Plan = ProposedCorrection;
    type Done = RecordCorrectionView;

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Proposable> {
        let target = CorrectionTarget::load(cx.conn, cx.services, cx.actor, self.subject, &self.subject_id)?;
        let open: i64 = record_correction::table
            .left_join(record_correction_decision::table)
            .filter(record_correction::subject.eq(self.subject))
            .filter(record_correction::subject_id.eq(&self.subject_id))
            .filter(record_correction::field.eq(&self.field))
            .filter(record_correction_decision::correction_id.is_null())
            .count()
            .get_result(cx.conn)?;
        Ok(Proposable { target, waiting: open > 0 })
    }

    fn decide(&self, facts: &Facts<'_>, found: &Proposable) -> Result<ProposedCorrection, Refusal> {
        let (new_value, _) = found.target.with(facts, &self.field, &self.new_value)?;
        let old_value = found.target.value(&self.field);
        if old_value == new_value {
            return Err(CorrectionRefusal::SameText.into());
        }
        if found.waiting {
            return Err(CorrectionRefusal::Waiting.into());
        }
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        let evidence = text::required("evidence", &self.evidence, text::REMARK)?;
        Ok(ProposedCorrection { old_value, new_value, reason, evidence })
    }

    fn keep(&self, cx: &mut Context<'_>, found: Proposable, plan: ProposedCorrection) -> Outcome<RecordCorrectionView> {
        let row = RecordCorrectionRow {
            id: RecordCorrectionId::new(),
            institute_id: cx.institute()?,
            subject: self.subject,
            subject_id: self.subject_id.clone(),
            application_id: found.target.case(&self.subject_id),
            field: self.field.clone(),
            old_value: plan.old_value,
            new_value: plan.new_value,
            reason: plan.reason,
            evidence: plan.evidence,
            proposed_by: cx.actor.account.clone(),
            proposed_at: cx.now.into(),
        };
        diesel::insert_into(record_correction::table).values(&row).execute(cx.conn)?;
        let content = json!({"subject": row.subject, "subject_id": row.subject_id, "field": row.field,
            "old_value": row.old_value, "new_value": row.new_value, "evidence": row.evidence});
        cx.record(Change::created(Self::NAME, "record_correction", &row.id, content).because(&row.reason));
        shown(cx, &row.id)
    }
}

/// The correction as it is now.
pub(super) fn shown(cx: &mut Context<'_>, id: &RecordCorrectionId) -> Outcome<RecordCorrectionView> {
    let reader = cx.services.reader(cx.actor)?;
    let found = views::correction(cx.conn, &reader, id)?;
    found.ok_or_else(|| CorrectionRefusal::NoCorrection(id.clone()).into())
}
