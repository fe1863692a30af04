//! The review of a lot's summary protocol (批生产及检验记录摘要审核): a person's signed finding about the maker's own record.
//! A certificate says that the protocol was reviewed only where a row of this says so.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::refusals::CertificateRefusal;
use crate::action::{Action, Context, Facts, Services};
use crate::custody;
use crate::people::{Grace, Reauthenticated, SignedContent};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::secrets::Password;
use crate::store::columns::{Instant, ProtocolReviewId, SampleId};
use crate::store::rows::{ProtocolReviewRow, SampleRow};
use crate::store::schema::{application, protocol_review};
use crate::store::{AnyConnection, Outcome};
use crate::text;
use crate::vocabulary::{Business, Permission, ProtocolOutcome, SampleState, SignatureMeaning};

/// Records the finding about the summary protocol of a lot. A later one takes the place of an earlier one, which stays.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewProtocol {
    /// The sample of the lot
    pub id: SampleId,
    /// The number on the protocol
    pub protocol_number: String,
    pub outcome: ProtocolOutcome,
    /// What was found; needed where the protocol is deficient
    #[serde(default)]
    pub note: String,
    /// To sign with; not needed shortly after the log-in or another signature of the same session
    #[serde(default)]
    pub password: Option<Password>,
    /// Of the second factor, where the account has one
    #[serde(default)]
    pub code: Option<String>,
}

/// A finding as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProtocolReviewed {
    pub id: ProtocolReviewId,
    pub sample_id: SampleId,
    pub protocol_number: String,
    pub outcome: ProtocolOutcome,
    pub note: String,
}

/// What it is decided from.
pub struct Reviewed {
    sample: SampleRow,
    business: Business,
    /// The line of the case looks at protocols at all.
    protocols: bool,
    proof: Option<Reauthenticated>,
}

/// The texts as they are kept.
#[derive(Debug, PartialEq)]
pub struct Finding {
    protocol_number: String,
    note: String,
}

impl Action for ReviewProtocol {
    const NAME: &'static str = "protocol.review";
    const PERMISSION: Permission = Permission::ProtocolReview;
    type Prepared = Option<Reauthenticated>;
    type Loaded = Reviewed;
    type Plan = Finding;
    type Done = ProtocolReviewed;

    fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<Option<Reauthenticated>> {
        let proof = services.identity.prove(actor, self.password.as_ref(), self.code.as_deref(), Grace::Counts);
        proof.map(Some)
    }

    fn load(&self, cx: &mut Context<'_>, proof: &Option<Reauthenticated>) -> Outcome<Reviewed> {
        let sample = custody::sample_of(cx.conn, cx.actor, &self.id)?;
        let business: Business =
            application::table.find(&sample.application_id).select(application::business).first(cx.conn)?;
        let protocols = cx.services.lines.of(business)?.reviews_protocols();
        Ok(Reviewed { sample, business, protocols, proof: proof.clone() })
    }

    fn decide(&self, _: &Facts<'_>, found: &Reviewed) -> Result<Finding, Refusal> {
        if !found.protocols {
            return Err(CertificateRefusal::NoProtocols(found.business).into());
        }
        if found.sample.state != SampleState::Received {
            return Err(CertificateRefusal::SampleGone.into());
        }
        let protocol_number = text::required("protocol_number", &self.protocol_number, 80)?;
        let note = match self.outcome {
            ProtocolOutcome::Conforms => text::optional("note", &self.note, text::REMARK)?,
            ProtocolOutcome::Deficient => text::required("note", &self.note, text::REMARK)?,
        };
        Ok(Finding { protocol_number, note })
    }

    fn keep(&self, cx: &mut Context<'_>, found: Reviewed, plan: Finding) -> Outcome<ProtocolReviewed> {
        let Finding { protocol_number, note } = plan;
        let (outcome, sample) = (self.outcome, found.sample);
        let content = SignedContent::of(&json!({
            "sample": sample.number, "protocol_number": protocol_number, "outcome": outcome, "note": note,
        }));
        let subject = ("sample", sample.id.as_str());
        let signature_id = cx.sign(found.proof.as_ref(), SignatureMeaning::ProtocolReviewed, subject, &content)?;
        let row = ProtocolReviewRow {
            id: ProtocolReviewId::new(),
            institute_id: sample.institute_id.clone(),
            sample_id: sample.id.clone(),
            protocol_number: protocol_number.clone(),
            outcome,
            note: note.clone(),
            reviewed_by: cx.actor.account.clone(),
            reviewed_at: Instant::from(cx.now),
            signature_id,
        };
        diesel::insert_into(protocol_review::table).values(&row).execute(cx.conn)?;
        let said = json!({"protocol_number": protocol_number, "outcome": outcome, "note": note});
        cx.record(Change::created(Self::NAME, "sample", &sample.id, said));
        Ok(ProtocolReviewed { id: row.id, sample_id: sample.id, protocol_number, outcome, note })
    }
}

/// The finding that counts: the newest.
pub(super) fn latest(conn: &mut AnyConnection, sample: &SampleId) -> Outcome<Option<ProtocolReviewRow>> {
    Ok(protocol_review::table
        .filter(protocol_review::sample_id.eq(sample))
        .order((protocol_review::reviewed_at.desc(), protocol_review::id.desc()))
        .select(ProtocolReviewRow::as_select())
        .first(conn)
        .optional()?)
}
