//! Rows of the tables of certificates.

use diesel::prelude::*;

use crate::store::columns::*;
use crate::store::schema::*;
use crate::vocabulary::{CertificateKind, CertificateState, CorrectionOutcome, CorrectionSubject, ProtocolOutcome};

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = certificate, treat_none_as_default_value = false)]
pub struct CertificateRow {
    pub id: CertificateId,
    pub kind: CertificateKind,
    pub number: Option<String>,
    pub application_id: ApplicationId,
    pub sample_id: SampleId,
    pub state: CertificateState,
    pub conforms: bool,
    pub data: Json,
    pub verification_code: String,
    pub amends_id: Option<CertificateId>,
    pub amendment_reason: Option<String>,
    pub drafted_by: AccountId,
    pub drafted_at: Instant,
    pub reviewed_by: Option<AccountId>,
    pub reviewed_at: Option<Instant>,
    pub signed_by: Option<AccountId>,
    pub signed_at: Option<Instant>,
    pub signature_id: Option<SignatureId>,
    pub pdf_sha256: Option<String>,
    pub state_reason: Option<String>,
    pub institute_id: InstituteId,
}

/// A finding about the summary protocol of a lot.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = protocol_review, treat_none_as_default_value = false)]
pub struct ProtocolReviewRow {
    pub id: ProtocolReviewId,
    pub institute_id: InstituteId,
    pub sample_id: SampleId,
    pub protocol_number: String,
    pub outcome: ProtocolOutcome,
    pub note: String,
    pub reviewed_by: AccountId,
    pub reviewed_at: Instant,
    pub signature_id: SignatureId,
}

/// Something on record that is said to be wrong, and what it should be.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = record_correction, treat_none_as_default_value = false)]
pub struct RecordCorrectionRow {
    pub id: RecordCorrectionId,
    pub institute_id: InstituteId,
    pub subject: CorrectionSubject,
    pub subject_id: String,
    /// The case, of which a case or a lot is
    pub application_id: Option<ApplicationId>,
    pub field: String,
    pub old_value: String,
    pub new_value: String,
    pub reason: String,
    pub evidence: String,
    pub proposed_by: AccountId,
    pub proposed_at: Instant,
}

/// What was decided about it.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = record_correction_decision, treat_none_as_default_value = false)]
pub struct RecordCorrectionDecisionRow {
    pub correction_id: RecordCorrectionId,
    pub outcome: CorrectionOutcome,
    pub note: String,
    pub decided_by: AccountId,
    pub decided_at: Instant,
    pub signature_id: Option<SignatureId>,
}
