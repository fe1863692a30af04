//! Reference standards and evaluations, as lists show them.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Listed, Page, name_of};
use crate::store::columns::{EvaluationId, InstituteId, InstrumentFileId};
use crate::store::rows::{EvaluationRow, InstrumentFileRow, ReferenceStandardRow};
use crate::store::schema::{
    evaluation, evaluation_file, evaluation_result, instrument_file, reading, reference_standard, sample, test_item,
    test_task,
};
use crate::store::{AnyConnection, Outcome};

/// The institute's reference standards, by name and lot; `in_use` leaves out withdrawn ones.
///
/// # Errors
/// The store's failure.
pub fn standards(
    conn: &mut AnyConnection,
    institute: &InstituteId,
    in_use: bool,
) -> Outcome<Listed<ReferenceStandardRow>> {
    let mut query = reference_standard::table.filter(reference_standard::institute_id.eq(institute)).into_boxed();
    if in_use {
        query = query.filter(reference_standard::withdrawn_at.is_null());
    }
    let items: Vec<ReferenceStandardRow> = query
        .order((reference_standard::name, reference_standard::batch))
        .limit(2000)
        .select(ReferenceStandardRow::as_select())
        .load(conn)?;
    Ok(Listed { total: i64::try_from(items.len()).unwrap_or(i64::MAX), items })
}

/// One evaluation in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EvaluationListRow {
    pub id: String,
    pub root_id: String,
    pub version: i64,
    pub kind: String,
    pub title: String,
    pub method_id: String,
    pub method_version: String,
    /// `valid` or `invalid`
    pub verdict: String,
    pub created_at: String,
    pub created_by_name: String,
    /// A newer version exists
    pub superseded: bool,
}

fn list_row(conn: &mut AnyConnection, row: &EvaluationRow) -> Outcome<EvaluationListRow> {
    let newest: Option<i64> = evaluation::table
        .filter(evaluation::root_id.eq(&row.root_id))
        .select(diesel::dsl::max(evaluation::version))
        .first(conn)?;
    Ok(EvaluationListRow {
        id: row.id.to_string(),
        root_id: row.root_id.to_string(),
        version: row.version,
        kind: row.kind.clone(),
        title: row.title.clone(),
        method_id: row.method_id.clone(),
        method_version: row.method_version.clone(),
        verdict: row.verdict.clone(),
        created_at: row.created_at.to_string(),
        created_by_name: name_of(conn, Some(&row.created_by))?.unwrap_or_default(),
        superseded: newest.is_some_and(|newest| newest > row.version),
    })
}

/// The institute's evaluations, the newest first.
///
/// # Errors
/// The store's failure.
pub fn evaluations(
    conn: &mut AnyConnection,
    institute: &InstituteId,
    file: Option<&InstrumentFileId>,
    page: Page,
) -> Outcome<Listed<EvaluationListRow>> {
    let filtered = || {
        let mut query = evaluation::table.filter(evaluation::institute_id.eq(institute.clone())).into_boxed();
        if let Some(file) = file {
            let of_file = evaluation_file::table
                .filter(evaluation_file::instrument_file_id.eq(file.clone()))
                .select(evaluation_file::evaluation_id);
            query = query.filter(evaluation::id.eq_any(of_file));
        }
        query
    };
    let total = filtered().count().get_result(conn)?;
    let rows: Vec<EvaluationRow> = filtered()
        .order((evaluation::created_at.desc(), evaluation::id.desc()))
        .limit(page.limit())
        .offset(page.offset())
        .load(conn)?;
    let items = rows.iter().map(|row| list_row(conn, row)).collect::<Outcome<Vec<_>>>()?;
    Ok(Listed { total, items })
}

/// A reading that rests on an evaluation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EnteredFrom {
    pub task_id: String,
    pub sample_number: String,
    pub item_zh: String,
    pub item_en: String,
    pub name: String,
    pub raw: String,
}

/// One evaluation with its files, its other versions and what was entered from it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EvaluationDetail {
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub row: EvaluationRow,
    pub created_by_name: String,
    #[schema(value_type = Vec<Object>)]
    pub files: Vec<InstrumentFileRow>,
    pub versions: Vec<EvaluationListRow>,
    pub superseded: bool,
    pub entered: Vec<EnteredFrom>,
    /// The numbers of the samples that results belong to, by id
    pub samples: std::collections::BTreeMap<String, String>,
}

/// An evaluation of the institute; none of another's.
///
/// # Errors
/// The store's failure.
pub fn evaluation(
    conn: &mut AnyConnection,
    institute: &InstituteId,
    id: &EvaluationId,
) -> Outcome<Option<EvaluationDetail>> {
    let found: Option<EvaluationRow> =
        evaluation::table.find(id).filter(evaluation::institute_id.eq(institute)).first(conn).optional()?;
    let Some(row) = found else { return Ok(None) };
    let files: Vec<InstrumentFileRow> = instrument_file::table
        .inner_join(evaluation_file::table)
        .filter(evaluation_file::evaluation_id.eq(id))
        .order(evaluation_file::position)
        .select(InstrumentFileRow::as_select())
        .load(conn)?;
    let series: Vec<EvaluationRow> =
        evaluation::table.filter(evaluation::root_id.eq(&row.root_id)).order(evaluation::version).load(conn)?;
    let versions = series.iter().map(|row| list_row(conn, row)).collect::<Outcome<Vec<_>>>()?;
    let entered: Vec<(String, String, String, String, String, String)> = reading::table
        .inner_join(evaluation_result::table)
        .inner_join(test_task::table.inner_join(test_item::table).inner_join(sample::table))
        .filter(evaluation_result::evaluation_id.eq(id))
        .order((sample::number, reading::name, reading::position))
        .select((test_task::id, sample::number, test_item::name_zh, test_item::name_en, reading::name, reading::raw))
        .load(conn)?;
    let samples: Vec<(String, String)> = evaluation_result::table
        .inner_join(sample::table)
        .filter(evaluation_result::evaluation_id.eq(id))
        .select((sample::id, sample::number))
        .load(conn)?;
    Ok(Some(EvaluationDetail {
        created_by_name: name_of(conn, Some(&row.created_by))?.unwrap_or_default(),
        files,
        superseded: versions.iter().any(|one| one.version > row.version),
        versions,
        entered: entered
            .into_iter()
            .map(|(task_id, sample_number, item_zh, item_en, name, raw)| EnteredFrom {
                task_id,
                sample_number,
                item_zh,
                item_en,
                name,
                raw,
            })
            .collect(),
        samples: samples.into_iter().collect(),
        row,
    }))
}
