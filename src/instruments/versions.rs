//! A corrected file: other content under the name of an earlier file of the same instrument. It is a new version of
//! that one; nothing that was read or accepted before is overwritten.

use std::collections::BTreeSet;

use diesel::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::store::columns::InstrumentFileId;
use crate::store::rows::{InstrumentFileRow, ObservationRow};
use crate::store::schema::{instrument_file, observation};
use crate::store::{AnyConnection, Outcome};

/// Another version of a file.
#[derive(Clone, Debug, Serialize, Queryable, ToSchema)]
pub struct OtherVersion {
    #[schema(value_type = String)]
    pub id: InstrumentFileId,
    pub version: i64,
    pub state: String,
}

/// Links a new file to the version before it, where there is one; tells what a person has to know of it.
pub(super) fn link(
    conn: &mut AnyConnection,
    row: &mut InstrumentFileRow,
    observations: &[ObservationRow],
) -> Outcome<Option<Value>> {
    let Some(before) = before(conn, row, observations)? else { return Ok(None) };
    row.version = before.version.saturating_add(1);
    row.supersedes = Some(before.id.clone());
    if before.state != "accepted" {
        return Ok(None);
    }
    let version = before.version;
    Ok(Some(json!({"code": "supersedes_accepted", "severity": "warning", "locator": {}, "message": format!(
        "该文件的第 {version} 版已被采用；已录入的结果不会改变，如需更正请按更正程序处理 / \
         version {version} of this file was accepted already; its results stay as entered, \
         a correction is a new version of the reading with its reason")})))
}

fn before(
    conn: &mut AnyConnection,
    row: &InstrumentFileRow,
    observations: &[ObservationRow],
) -> Outcome<Option<InstrumentFileRow>> {
    let mut query = instrument_file::table
        .filter(instrument_file::institute_id.eq(&row.institute_id))
        .filter(instrument_file::name.eq(&row.name))
        .into_boxed();
    query = match &row.instrument_id {
        Some(instrument) => query.filter(instrument_file::instrument_id.eq(instrument)),
        None => query.filter(instrument_file::instrument_id.is_null()),
    };
    // An upload has no path: it is the file of that name at the top of the folder, not one of a folder below.
    let path = row.path.as_ref().unwrap_or(&row.name);
    query = query.filter(instrument_file::path.eq(path).or(instrument_file::path.is_null()));
    let candidates: Vec<InstrumentFileRow> = query
        .order((instrument_file::uploaded_at.desc(), instrument_file::id.desc()))
        .limit(20)
        .select(InstrumentFileRow::as_select())
        .load(conn)?;
    for candidate in candidates {
        let taken: i64 =
            instrument_file::table.filter(instrument_file::supersedes.eq(&candidate.id)).count().get_result(conn)?;
        if taken == 0 && same_series(conn, &candidate, row, observations)? {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

/// A path below a folder, or a name on a registered instrument, is a series by itself. What was uploaded without
/// naming an instrument may be called `Report.TXT` a hundred times: there the adapter must be the same, and a sample.
fn same_series(
    conn: &mut AnyConnection,
    old: &InstrumentFileRow,
    new: &InstrumentFileRow,
    observations: &[ObservationRow],
) -> Outcome<bool> {
    if new.instrument_id.is_some() {
        return Ok(true);
    }
    if old.adapter != new.adapter || new.adapter.is_none() {
        return Ok(false);
    }
    let texts: BTreeSet<&str> = observations.iter().filter_map(|seen| seen.sample_text.as_deref()).collect();
    let earlier: Vec<Option<String>> = observation::table
        .filter(observation::instrument_file_id.eq(&old.id))
        .select(observation::sample_text)
        .distinct()
        .load(conn)?;
    Ok(earlier.iter().flatten().any(|text| texts.contains(text.as_str())))
}

/// The version before a file and the one after it.
pub(super) fn around(
    conn: &mut AnyConnection,
    file: &InstrumentFileRow,
) -> Outcome<(Option<OtherVersion>, Option<OtherVersion>)> {
    let columns = (instrument_file::id, instrument_file::version, instrument_file::state);
    let older = match &file.supersedes {
        Some(id) => instrument_file::table.find(id).select(columns).first(conn).optional()?,
        None => None,
    };
    let newer = instrument_file::table
        .filter(instrument_file::supersedes.eq(&file.id))
        .select(columns)
        .first(conn)
        .optional()?;
    Ok((older, newer))
}

/// What is said of a file that has a newer version: it counts only with a reason.
pub(super) fn superseded(newer: &OtherVersion) -> Value {
    let version = newer.version;
    json!({"code": "superseded", "severity": "error", "locator": {}, "message": format!(
        "已有新版本（第 {version} 版），本版默认不得采用 / \
         there is a newer version ({version}); this one is not to be accepted")})
}
