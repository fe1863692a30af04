//! The instrument inbox.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Listed, Page};
use crate::store::columns::{InstituteId, InstrumentId};
use crate::store::rows::InstrumentFileRow;
use crate::store::schema::{account, instrument, instrument_file};
use crate::store::{AnyConnection, Outcome};

/// One file in the inbox.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FileRow {
    #[serde(flatten)]
    pub file: InstrumentFileRow,
    pub uploaded_by_name: String,
    /// The registered instrument that it comes from
    pub instrument_code: Option<String>,
    /// There is a newer version of it
    pub superseded: bool,
}

/// The institute's files, the newest first; `state` narrows to `staged`, `unread`, `accepted` or `rejected`.
///
/// # Errors
/// The store's failure.
pub fn files(
    conn: &mut AnyConnection,
    institute: &InstituteId,
    state: Option<&str>,
    page: Page,
) -> Outcome<Listed<FileRow>> {
    let filtered = || {
        let mut query = instrument_file::table.filter(instrument_file::institute_id.eq(institute.clone())).into_boxed();
        if let Some(state) = state.filter(|text| !text.is_empty()) {
            query = query.filter(instrument_file::state.eq(state.to_owned()));
        }
        query
    };
    let total = filtered().count().get_result(conn)?;
    let rows: Vec<InstrumentFileRow> = filtered()
        .order((instrument_file::uploaded_at.desc(), instrument_file::id.desc()))
        .limit(page.limit())
        .offset(page.offset())
        .select(InstrumentFileRow::as_select())
        .load(conn)?;
    Ok(Listed { total, items: named(conn, rows)? })
}

/// The files of an instrument, the newest first.
///
/// # Errors
/// The store's failure.
pub fn files_of_instrument(conn: &mut AnyConnection, id: &InstrumentId, page: Page) -> Outcome<Listed<FileRow>> {
    let of = || instrument_file::table.filter(instrument_file::instrument_id.eq(id));
    let total = of().count().get_result(conn)?;
    let rows: Vec<InstrumentFileRow> = of()
        .order((instrument_file::uploaded_at.desc(), instrument_file::id.desc()))
        .limit(page.limit())
        .offset(page.offset())
        .select(InstrumentFileRow::as_select())
        .load(conn)?;
    Ok(Listed { total, items: named(conn, rows)? })
}

fn named(conn: &mut AnyConnection, rows: Vec<InstrumentFileRow>) -> Outcome<Vec<FileRow>> {
    let mut items = Vec::with_capacity(rows.len());
    for file in rows {
        let name: Option<String> =
            account::table.find(&file.uploaded_by).select(account::display_name).first(conn).optional()?;
        let instrument_code = match &file.instrument_id {
            Some(id) => instrument::table.find(id).select(instrument::code).first(conn).optional()?,
            None => None,
        };
        let newer: i64 =
            instrument_file::table.filter(instrument_file::supersedes.eq(&file.id)).count().get_result(conn)?;
        items.push(FileRow {
            file,
            uploaded_by_name: name.unwrap_or_default(),
            instrument_code,
            superseded: newer > 0,
        });
    }
    Ok(items)
}
