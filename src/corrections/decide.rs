//! Deciding about a correction that somebody else proposed.

use diesel::prelude::*;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::propose::shown;
use super::refusals::CorrectionRefusal;
use super::target::{CorrectedText, CorrectionTarget, speaking_of};
use crate::action::{Action, Context, Facts, Services};
use crate::certificates;
use crate::insert_all;
use crate::people::{Grace, Reauthenticated, SignedContent};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::secrets::Password;
use crate::store::Outcome;
use crate::store::columns::{CertificateId, Instant, RecordCorrectionId, SampleId};
use crate::store::rows::{RecordCorrectionDecisionRow, RecordCorrectionRow};
use crate::store::schema::{corrected_certificate, record_correction, record_correction_decision};
use crate::store::views::RecordCorrectionView;
use crate::text;
use crate::vocabulary::{CorrectionOutcome, Permission, SignatureMeaning};

/// Approves a correction, with a signature, or does not.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideCorrection {
    pub id: RecordCorrectionId,
    pub outcome: CorrectionOutcome,
    /// Why not; needed where it is rejected
    #[serde(default)]
    pub note: String,
    /// To sign with; not needed shortly after the log-in or another signature of the same session
    #[serde(default)]
    pub password: Option<Password>,
    /// Of the second factor, where the account has one
    #[serde(default)]
    pub code: Option<String>,
}

/// What it is decided from.
pub struct Decidable {
    row: RecordCorrectionRow,
    decided: bool,
    target: CorrectionTarget,
    /// The certificates that speak of it, each with what its document would state now.
    certificates: Vec<(CertificateId, SampleId, certificates::StatedNow)>,
    proof: Option<Reauthenticated>,
}

/// What becomes of it.
pub struct Decided {
    note: String,
    corrected: Option<CorrectedText>,
}

impl Action for DecideCorrection {
    const NAME: &'static str = "correction.decide";
    const PERMISSION: Permission = Permission::CorrectionDecide;
    type Prepared = Option<Reauthenticated>;
    type Loaded = Decidable;
    type Plan = Decided;
    type Done = RecordCorrectionView;

    fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<Option<Reauthenticated>> {
        if self.outcome == CorrectionOutcome::Rejected {
            return Ok(None);
        }
        services.identity.prove(actor, self.password.as_ref(), self.code.as_deref(), Grace::Counts).map(Some)
    }

    fn load(&self, cx: &mut Context<'_>, proof: &Option<Reauthenticated>) -> Outcome<Decidable> {
        let found: Option<RecordCorrectionRow> = record_correction::table
            .find(&self.id)
            .filter(record_correction::institute_id.eq(cx.institute()?))
            .select(RecordCorrectionRow::as_select())
            .first(cx.conn)
            .optional()?;
        let row = found.ok_or_else(|| CorrectionRefusal::NoCorrection(self.id.clone()))?;
        let known = record_correction_decision::table.find(&self.id);
        let decided: bool = diesel::select(diesel::dsl::exists(known)).get_result(cx.conn)?;
        let target = CorrectionTarget::load(cx.conn, cx.services, cx.actor, row.subject, &row.subject_id)?;
        let mut certificates = Vec::new();
        if self.outcome == CorrectionOutcome::Applied && !decided {
            for (id, sample) in speaking_of(cx, row.subject, &row.subject_id)? {
                let stated = certificates::stated_now(cx, &sample)?;
                certificates.push((id, sample, stated));
            }
        }
        Ok(Decidable { row, decided, target, certificates, proof: proof.clone() })
    }

    fn decide(&self, facts: &Facts<'_>, found: &Decidable) -> Result<Decided, Refusal> {
        if found.decided {
            return Err(CorrectionRefusal::DecidedAlready.into());
        }
        if self.outcome == CorrectionOutcome::Rejected {
            let note = text::required("note", &self.note, text::REMARK)?;
            return Ok(Decided { note, corrected: None });
        }
        let row = &found.row;
        if row.proposed_by == facts.actor.account {
            return Err(CorrectionRefusal::OwnProposal.into());
        }
        if found.target.value(&row.field) != row.old_value {
            return Err(CorrectionRefusal::ChangedMeanwhile.into());
        }
        let (_, corrected) = found.target.with(facts, &row.field, &row.new_value)?;
        let note = text::optional("note", &self.note, text::REMARK)?;
        Ok(Decided { note, corrected: Some(corrected) })
    }

    fn keep(&self, cx: &mut Context<'_>, found: Decidable, plan: Decided) -> Outcome<RecordCorrectionView> {
        let Decidable { row, target, certificates, proof, .. } = found;
        let applied = plan.corrected.is_some();
        let signature_id = match applied {
            true => Some(signed(cx, proof.as_ref(), &row)?),
            false => None,
        };
        let decision = RecordCorrectionDecisionRow {
            correction_id: row.id.clone(),
            outcome: self.outcome,
            note: plan.note.clone(),
            decided_by: cx.actor.account.clone(),
            decided_at: Instant::from(cx.now),
            signature_id,
        };
        diesel::insert_into(record_correction_decision::table).values(&decision).execute(cx.conn)?;
        let mut carrying: Vec<CertificateId> = Vec::new();
        if let Some(corrected) = plan.corrected {
            target.keep(cx, "correction.apply", corrected, (&row.field, &row.new_value), &row.reason)?;
            for (id, sample, before) in certificates {
                if before.differs_from(&certificates::stated_now(cx, &sample)?) {
                    carrying.push(id);
                }
            }
            let named: Vec<_> = carrying
                .iter()
                .map(|id| {
                    (
                        corrected_certificate::certificate_id.eq(id.clone()),
                        corrected_certificate::correction_id.eq(row.id.clone()),
                    )
                })
                .collect();
            insert_all!(cx.conn, corrected_certificate::table, &named)?;
        }
        let mut event =
            Change::field(Self::NAME, "record_correction", &row.id, "outcome", "proposed", self.outcome.as_str());
        if !carrying.is_empty() {
            event = event.and("certificates", (), json!(carrying));
        }
        cx.record(if plan.note.is_empty() { event } else { event.because(plan.note) });
        shown(cx, &row.id)
    }
}

/// The signature is bound to the old text and the new one.
fn signed(
    cx: &mut Context<'_>,
    proof: Option<&Reauthenticated>,
    row: &RecordCorrectionRow,
) -> Outcome<crate::store::columns::SignatureId> {
    let content = SignedContent::of(&json!({
        "subject": row.subject, "subject_id": row.subject_id, "field": row.field, "old_value": row.old_value,
        "new_value": row.new_value, "reason": row.reason, "evidence": row.evidence,
    }));
    cx.sign(proof, SignatureMeaning::CorrectionApproved, ("record_correction", row.id.as_str()), &content)
}
