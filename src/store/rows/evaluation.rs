//! Rows of the tables of evaluations.

use diesel::prelude::*;

use crate::store::columns::*;
use crate::store::schema::*;
use crate::vocabulary::{EvaluationKind, EvaluationVerdict, ResultPart, StandardBasis};

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = reference_standard, treat_none_as_default_value = false)]
pub struct ReferenceStandardRow {
    pub id: ReferenceStandardId,
    pub institute_id: InstituteId,
    pub name: String,
    pub batch: String,
    pub source: String,
    pub purity: Dec,
    pub basis: StandardBasis,
    pub water: Option<Dec>,
    pub expires_on: Day,
    pub storage: String,
    pub note: String,
    pub created_by: AccountId,
    pub created_at: Instant,
    pub withdrawn_by: Option<AccountId>,
    pub withdrawn_at: Option<Instant>,
    pub withdrawn_reason: Option<String>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = evaluation, treat_none_as_default_value = false)]
pub struct EvaluationRow {
    pub id: EvaluationId,
    pub root_id: EvaluationId,
    pub version: i64,
    pub institute_id: InstituteId,
    pub kind: EvaluationKind,
    pub title: String,
    pub method_id: String,
    pub method_version: String,
    pub method: Json,
    pub calculation_version: String,
    pub setup: Json,
    pub standards: Json,
    pub outcome: Json,
    pub verdict: EvaluationVerdict,
    pub reason: Option<String>,
    pub created_by: AccountId,
    pub created_at: Instant,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize)]
#[diesel(table_name = evaluation_file, treat_none_as_default_value = false)]
pub struct EvaluationFileRow {
    pub evaluation_id: EvaluationId,
    pub instrument_file_id: InstrumentFileId,
    pub position: i64,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize)]
#[diesel(table_name = evaluation_standard, treat_none_as_default_value = false)]
pub struct EvaluationStandardRow {
    pub evaluation_id: EvaluationId,
    pub reference_standard_id: ReferenceStandardId,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize)]
#[diesel(table_name = evaluation_result, treat_none_as_default_value = false)]
pub struct EvaluationResultRow {
    pub id: EvaluationResultId,
    pub evaluation_id: EvaluationId,
    pub position: i64,
    pub sample_id: Option<SampleId>,
    pub label: String,
    pub analyte: String,
    pub quantity: String,
    pub part: ResultPart,
    pub raw: String,
    pub value: Option<Dec>,
    pub unit: String,
    pub steps: Json,
}
