//! The instrument inbox.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Listed, Page};
use crate::store::columns::InstituteId;
use crate::store::rows::InstrumentFileRow;
use crate::store::schema::{account, instrument_file};
use crate::store::{AnyConnection, Outcome};

/// One file in the inbox.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FileRow {
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub file: InstrumentFileRow,
    pub uploaded_by_name: String,
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
        .load(conn)?;
    let mut items = Vec::with_capacity(rows.len());
    for file in rows {
        let name: Option<String> =
            account::table.find(&file.uploaded_by).select(account::display_name).first(conn).optional()?;
        items.push(FileRow { file, uploaded_by_name: name.unwrap_or_default() });
    }
    Ok(Listed { total, items })
}
