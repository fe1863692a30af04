//! Rows of the tables of instruments.

use diesel::prelude::*;

use crate::store::columns::*;
use crate::store::schema::*;

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize)]
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
    pub state: String,
    pub state_reason: Option<String>,
    pub uploaded_by: AccountId,
    pub uploaded_at: Instant,
    pub decided_by: Option<AccountId>,
    pub decided_at: Option<Instant>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize)]
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
    pub status: String,
    pub flags: Json,
    pub locator: Json,
    pub injection: Option<String>,
    pub acquired_at: Option<String>,
    pub bound: Option<String>,
    pub context: Json,
    pub sample_id: Option<SampleId>,
}

/// What a second person found who compared an import with its file: of all its values, or of those of one task.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize)]
#[diesel(table_name = import_check, treat_none_as_default_value = false)]
pub struct ImportCheckRow {
    pub id: ImportCheckId,
    pub instrument_file_id: InstrumentFileId,
    pub test_task_id: Option<TestTaskId>,
    pub outcome: String,
    pub reason: Option<String>,
    pub checked_by: AccountId,
    pub checked_at: Instant,
}
