//! Rows of the tables of instruments.

use diesel::prelude::*;

use crate::store::columns::*;
use crate::store::schema::*;
use crate::vocabulary::CheckOutcome;
use crate::vocabulary::instruments::{
    CalibrationResult, DayOrder, DeadLetterState, FileSource, FileState, FolderEntryState, InstrumentState, LetterCode,
    ListenerKind, ObservationStatus, WayKind,
};

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = instrument_file, treat_none_as_default_value = false)]
pub struct InstrumentFileRow {
    pub id: InstrumentFileId,
    pub sha256: String,
    pub name: String,
    pub size: i64,
    pub institute_id: InstituteId,
    pub adapter: Option<String>,
    pub adapter_version: Option<String>,
    pub complete: Option<bool>,
    pub run: Json,
    pub problems: Json,
    pub state: FileState,
    pub state_reason: Option<String>,
    pub uploaded_by: AccountId,
    pub uploaded_at: Instant,
    pub decided_by: Option<AccountId>,
    pub decided_at: Option<Instant>,
    pub instrument_id: Option<InstrumentId>,
    pub source: FileSource,
    pub path: Option<String>,
    pub version: i64,
    pub supersedes: Option<InstrumentFileId>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = observation, treat_none_as_default_value = false)]
pub struct ObservationRow {
    pub id: ObservationId,
    pub instrument_file_id: InstrumentFileId,
    pub position: i64,
    pub sample_text: Option<String>,
    pub analyte: Option<String>,
    pub quantity: String,
    pub raw: String,
    pub value: Option<String>,
    pub unit: Option<String>,
    pub status: ObservationStatus,
    pub flags: Json,
    pub locator: Json,
    pub injection: Option<String>,
    pub acquired_at: Option<String>,
    pub bound: Option<String>,
    pub context: Json,
    pub sample_id: Option<SampleId>,
    /// What an ambiguous number may be.
    pub readings: Json,
    /// The one of them that a person chose.
    pub chosen: Option<String>,
    pub chosen_by: Option<AccountId>,
}

impl ObservationRow {
    /// How the value counts, and its number: of an ambiguous one the reading that a person chose.
    #[must_use]
    pub fn counted(&self) -> (ObservationStatus, Option<&str>) {
        match (self.status, &self.chosen) {
            (ObservationStatus::Ambiguous, Some(chosen)) => (ObservationStatus::Ok, Some(chosen)),
            (status, _) => (status, self.value.as_deref()),
        }
    }
}

/// What a second person found who compared an import with its file: of all its values, or of those of one task.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = import_check, treat_none_as_default_value = false)]
pub struct ImportCheckRow {
    pub id: ImportCheckId,
    pub instrument_file_id: InstrumentFileId,
    pub test_task_id: Option<TestTaskId>,
    pub outcome: CheckOutcome,
    pub reason: Option<String>,
    pub checked_by: AccountId,
    pub checked_at: Instant,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = instrument, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct InstrumentRow {
    pub id: InstrumentId,
    pub institute_id: InstituteId,
    pub account_id: AccountId,
    pub code: String,
    pub name: String,
    pub vendor: String,
    pub model: String,
    pub serial: String,
    pub adapter: Option<String>,
    pub date_order: Option<DayOrder>,
    pub zone: Option<String>,
    pub matching: Json,
    pub folder: Option<String>,
    pub folder_pattern: String,
    pub listener_kind: Option<ListenerKind>,
    pub listener_port: Option<i64>,
    pub listener_idle_ms: i64,
    pub listener_peers: String,
    pub state: InstrumentState,
    pub state_reason: Option<String>,
    pub created_by: AccountId,
    pub created_at: Instant,
    pub changed_by: Option<AccountId>,
    pub changed_at: Option<Instant>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = calibration, treat_none_as_default_value = false)]
pub struct CalibrationRow {
    pub id: CalibrationId,
    pub instrument_id: InstrumentId,
    pub performed_on: Day,
    pub due_on: Option<Day>,
    pub result: CalibrationResult,
    pub certificate_number: String,
    pub performed_by: String,
    pub note: String,
    pub recorded_by: AccountId,
    pub recorded_at: Instant,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = instrument_way, treat_none_as_default_value = false)]
pub struct InstrumentWayRow {
    pub instrument_id: InstrumentId,
    pub kind: WayKind,
    pub reached_at: Option<Instant>,
    pub failing_since: Option<Instant>,
    pub error: Option<String>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = instrument_folder_entry, treat_none_as_default_value = false)]
pub struct FolderEntryRow {
    pub instrument_id: InstrumentId,
    pub path: String,
    pub size: i64,
    /// When the file was changed, in nanoseconds since 1970.
    pub modified: i64,
    pub sha256: Option<String>,
    pub state: FolderEntryState,
    pub instrument_file_id: Option<InstrumentFileId>,
    pub tries: i64,
    pub seen_at: Instant,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = companion_file, treat_none_as_default_value = false)]
pub struct CompanionFileRow {
    pub instrument_file_id: InstrumentFileId,
    pub name: String,
    pub sha256: String,
    pub size: i64,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = dead_letter, treat_none_as_default_value = false)]
pub struct DeadLetterRow {
    pub id: DeadLetterId,
    pub institute_id: InstituteId,
    pub instrument_id: Option<InstrumentId>,
    pub source: FileSource,
    pub name: String,
    pub path: Option<String>,
    pub code: LetterCode,
    pub reason: String,
    pub sha256: Option<String>,
    pub size: Option<i64>,
    pub tries: i64,
    pub first_at: Instant,
    pub last_at: Instant,
    pub state: DeadLetterState,
    pub state_reason: Option<String>,
    pub decided_by: Option<AccountId>,
    pub decided_at: Option<Instant>,
    pub instrument_file_id: Option<InstrumentFileId>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = run_list, treat_none_as_default_value = false)]
pub struct RunListRow {
    pub id: RunListId,
    pub institute_id: InstituteId,
    pub instrument_id: Option<InstrumentId>,
    pub instrument_file_id: Option<InstrumentFileId>,
    pub file_pattern: Option<String>,
    pub created_by: AccountId,
    pub created_at: Instant,
    pub withdrawn_at: Option<Instant>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = run_list_row, treat_none_as_default_value = false)]
pub struct RunListLineRow {
    pub run_list_id: RunListId,
    pub position: i64,
    pub place: String,
    pub sample_id: SampleId,
}
