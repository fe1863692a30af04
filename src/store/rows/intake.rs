//! Rows of the tables of intake.

use diesel::prelude::*;

use crate::regulation::{Business, ClockName, ClockUnit, Lane, Purpose};
use crate::store::columns::*;
use crate::store::schema::*;
use crate::vocabulary::{CaseState, KeepingEvent, KeepingKind, KeepingState, Place, Portion, SampleState};

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize)]
#[diesel(table_name = number_series, treat_none_as_default_value = false)]
pub struct NumberSeriesRow {
    pub series: String,
    pub year: i64,
    pub last: i64,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = application, treat_none_as_default_value = false)]
pub struct ApplicationRow {
    pub id: ApplicationId,
    pub number: String,
    pub business: Business,
    pub purpose: Purpose,
    pub pre_submission: bool,
    pub standard_verification: bool,
    pub institute_id: InstituteId,
    pub applicant_id: ApplicantId,
    pub product_id: ProductId,
    pub specification_id: SpecificationId,
    pub state: CaseState,
    pub accepted_on: Option<Day>,
    pub arrived_at_port_on: Option<Day>,
    pub notice_received_on: Option<Day>,
    pub sampled_on: Option<Day>,
    pub received_on: Option<Day>,
    pub acceptance_number: Option<String>,
    pub particulars: Json,
    pub lane: Option<Lane>,
    pub lane_rank: i64,
    pub determination: Option<Json>,
    pub state_reason: Option<String>,
    pub created_by: AccountId,
    pub created_at: Instant,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = application_clock, treat_none_as_default_value = false)]
pub struct ApplicationClockRow {
    pub application_id: ApplicationId,
    pub name: ClockName,
    pub unit: ClockUnit,
    pub limit_days: i64,
    pub starts: Day,
    pub due: Day,
    pub provisional: bool,
    pub provisions: Json,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = batch, treat_none_as_default_value = false)]
pub struct BatchRow {
    pub id: BatchId,
    pub application_id: ApplicationId,
    pub position: i64,
    pub lot_number: String,
    pub produced_on: Option<String>,
    pub expires_on: Option<String>,
    pub lot_size: Option<String>,
    pub withdrawn_at: Option<Instant>,
    pub withdrawn_because: Option<String>,
    /// Why it is taken although there is a case of the same lot
    pub despite_duplicate: Option<String>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = sample, treat_none_as_default_value = false)]
pub struct SampleRow {
    pub id: SampleId,
    pub number: String,
    pub application_id: ApplicationId,
    pub batch_id: BatchId,
    pub state: SampleState,
    pub received_at: Instant,
    pub received_by: AccountId,
    pub temperature: Option<Dec>,
    pub seals_intact: bool,
    pub packages: i64,
    pub packages_intact: bool,
    pub label_matches: bool,
    pub condition_note: String,
    pub state_reason: Option<String>,
    pub full_test_containers: i64,
    pub required_containers: i64,
    pub institute_id: InstituteId,
    /// What one container holds; none where the ledger counts containers alone
    pub content_amount: Option<Dec>,
    pub content_unit: Option<String>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = container, treat_none_as_default_value = false)]
pub struct ContainerRow {
    pub id: ContainerId,
    pub sample_id: SampleId,
    pub position: i64,
    pub label_code: String,
    pub portion: Portion,
    pub institute_id: InstituteId,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = custody_balance, treat_none_as_default_value = false)]
pub struct CustodyBalanceRow {
    pub sample_id: SampleId,
    pub place: Place,
    pub balance: i64,
    /// In billionths of the unit of the content
    pub billionths: Option<i64>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = custody_entry, treat_none_as_default_value = false)]
pub struct CustodyEntryRow {
    pub id: CustodyEntryId,
    pub sample_id: SampleId,
    pub container_id: Option<ContainerId>,
    pub from_place: Place,
    pub to_place: Place,
    pub quantity: i64,
    pub reason: String,
    pub moved_by: AccountId,
    pub moved_at: Instant,
    /// In billionths of the unit of the content
    pub billionths: Option<i64>,
    /// The test that used it up, or gave it back
    pub test_task_id: Option<TestTaskId>,
    /// Who took what was returned, and the paper
    pub receipt: Option<String>,
}

/// What is asked for about the containers of a sample.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = keeping_request, treat_none_as_default_value = false)]
pub struct KeepingRequestRow {
    pub id: KeepingRequestId,
    pub institute_id: InstituteId,
    pub sample_id: SampleId,
    pub kind: KeepingKind,
    pub from_place: Place,
    pub quantity: i64,
    pub reason: String,
    pub asked_by: AccountId,
    pub asked_at: Instant,
}

/// A step of such a request.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = keeping_step, treat_none_as_default_value = false)]
pub struct KeepingStepRow {
    pub id: KeepingStepId,
    pub request_id: KeepingRequestId,
    pub position: i64,
    pub event: KeepingEvent,
    pub state: KeepingState,
    pub note: String,
    pub by_account: AccountId,
    pub at: Instant,
    pub signature_id: Option<SignatureId>,
    pub custody_entry_id: Option<CustodyEntryId>,
}

/// From whom to whom a sample or a container went.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = handover, treat_none_as_default_value = false)]
pub struct HandoverRow {
    pub id: HandoverId,
    pub institute_id: InstituteId,
    pub sample_id: SampleId,
    pub container_id: Option<ContainerId>,
    pub position: i64,
    pub from_account: AccountId,
    pub to_account: AccountId,
    pub scanned: String,
    pub note: String,
    pub recorded_by: AccountId,
    pub at: Instant,
}

/// A lot in the form in which lots are compared.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = lot_key, treat_none_as_default_value = false)]
pub struct LotKeyRow {
    pub batch_id: BatchId,
    pub lot: String,
}

/// A label as it was printed, first or again.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = label_print, treat_none_as_default_value = false)]
pub struct LabelPrintRow {
    pub id: LabelPrintId,
    pub institute_id: InstituteId,
    pub sample_id: SampleId,
    /// None for the label of the sample itself
    pub container_id: Option<ContainerId>,
    pub code: String,
    pub copy_number: i64,
    pub reason: Option<String>,
    pub printed_by: AccountId,
    pub printed_at: Instant,
}

/// An action that was taken by mistake, and why it is taken back.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = reversal, treat_none_as_default_value = false)]
pub struct ReversalRow {
    pub id: ReversalId,
    pub institute_id: InstituteId,
    pub subject_kind: String,
    pub subject_id: String,
    pub was: String,
    pub becomes: String,
    pub revision: Option<i64>,
    pub custody_entry_id: Option<CustodyEntryId>,
    pub was_because: Option<String>,
    pub reason: String,
    pub by_account: AccountId,
    pub at: Instant,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize)]
#[diesel(table_name = idempotency_key, treat_none_as_default_value = false)]
pub struct IdempotencyKeyRow {
    pub account_id: AccountId,
    pub request_key: String,
    pub request_sha256: String,
    pub status: i64,
    pub body: String,
    pub created_at: Instant,
}
