//! What the watcher of an instrument's folder remembers, so that a new start does not read everything again, and how
//! its ways in are doing.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::inbox::institute_of;
use super::register::row_of;
use crate::action::Services;
use crate::on_each;
use crate::record::Actor;
use crate::store::columns::{Instant, InstrumentFileId, InstrumentId};
use crate::store::rows::{FolderEntryRow, InstrumentWayRow};
use crate::store::schema::{instrument_folder_entry as entry, instrument_way as way};
use crate::store::{AnyConnection, Outcome};

/// A file of a folder as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Below the folder, with `/`.
    pub path: String,
    pub size: i64,
    /// When it was changed, in nanoseconds since 1970.
    pub modified: i64,
}

/// Size and time of change of the files that are done with, by their path.
pub type Known = HashMap<String, (i64, i64)>;

/// What is known of an instrument's folder. Files that are to be read again are left out.
///
/// # Errors
/// The store's failure.
pub fn known(services: &Services, id: &InstrumentId) -> Outcome<Known> {
    services.db.read(|conn| {
        let rows: Vec<(String, (i64, i64))> = entry::table
            .filter(entry::instrument_id.eq(id))
            .filter(entry::state.ne("again"))
            .select((entry::path, (entry::size, entry::modified)))
            .load(conn)?;
        Ok(rows.into_iter().collect())
    })
}

/// The paths that a person asked to be read again.
///
/// # Errors
/// The store's failure.
pub fn again(services: &Services, id: &InstrumentId) -> Outcome<Vec<String>> {
    services.db.read(|conn| {
        let asked = entry::table.filter(entry::instrument_id.eq(id)).filter(entry::state.eq("again"));
        Ok(asked.select(entry::path).load(conn)?)
    })
}

/// Remembers what became of a file, inside the caller's transaction.
pub(super) fn remember(
    conn: &mut AnyConnection,
    id: &InstrumentId,
    seen: &Seen,
    sha256: Option<&str>,
    state: &str,
    file: Option<&InstrumentFileId>,
    now: DateTime<Utc>,
) -> Outcome<()> {
    let row = FolderEntryRow {
        instrument_id: id.clone(),
        path: seen.path.clone(),
        size: seen.size,
        modified: seen.modified,
        sha256: sha256.map(str::to_owned),
        state: state.to_owned(),
        instrument_file_id: file.cloned(),
        tries: 1,
        seen_at: now.into(),
    };
    on_each!(conn, c => diesel::insert_into(entry::table)
        .values(&row)
        .on_conflict((entry::instrument_id, entry::path))
        .do_update()
        .set((
            entry::size.eq(row.size),
            entry::modified.eq(row.modified),
            entry::sha256.eq(&row.sha256),
            entry::state.eq(&row.state),
            entry::instrument_file_id.eq(&row.instrument_file_id),
            entry::tries.eq(entry::tries + 1),
            entry::seen_at.eq(&row.seen_at),
        ))
        .execute(c))?;
    Ok(())
}

/// Remembers a file that is not to be tried again until it changes or a person asks.
///
/// # Errors
/// The store's failure.
pub fn refuse(services: &Services, id: &InstrumentId, seen: &Seen) -> Outcome<()> {
    let (id, seen, now) = (id.clone(), seen.clone(), services.clock.now());
    services.db.write(move |conn| remember(conn, &id, &seen, None, "refused", None, now))
}

/// Has a file of a folder read again at the next look.
pub(super) fn ask_again(conn: &mut AnyConnection, id: &InstrumentId, path: &str) -> Outcome<bool> {
    let asked = diesel::update(entry::table.find((id, path))).set(entry::state.eq("again")).execute(conn)?;
    Ok(asked > 0)
}

/// Says how a way in (`folder`, `listener`) is doing: `None` where it is reached, the error where it is not. The time
/// since when it fails is kept.
///
/// # Errors
/// The store's failure.
pub fn report(services: &Services, id: &InstrumentId, kind: &'static str, error: Option<String>) -> Outcome<()> {
    let (id, now) = (id.clone(), services.clock.now());
    services.db.write(move |conn| {
        let old: Option<InstrumentWayRow> = way::table.find((&id, kind)).first(conn).optional()?;
        let at = Instant::from(now);
        let since = old.as_ref().and_then(|old| old.failing_since.clone()).unwrap_or_else(|| at.clone());
        let row = InstrumentWayRow {
            instrument_id: id.clone(),
            kind: kind.to_owned(),
            reached_at: if error.is_none() { Some(at) } else { old.and_then(|old| old.reached_at) },
            failing_since: error.is_some().then_some(since),
            error: error.clone(),
        };
        on_each!(conn, c => diesel::insert_into(way::table)
            .values(&row)
            .on_conflict((way::instrument_id, way::kind))
            .do_update()
            .set((
                way::reached_at.eq(&row.reached_at),
                way::failing_since.eq(&row.failing_since),
                way::error.eq(&row.error),
            ))
            .execute(c))?;
        Ok(())
    })
}

/// How a folder stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FolderView {
    pub files: i64,
    pub refused: i64,
    /// The files seen last; at most 20
    pub latest: Vec<FolderEntryRow>,
}

/// What has been seen in an instrument's folder.
///
/// # Errors
/// Where the actor's institute has no such instrument.
pub fn folder_view(services: &Services, actor: &Actor, id: &InstrumentId) -> Outcome<FolderView> {
    let own = institute_of(actor)?;
    services.db.read(|conn| {
        row_of(conn, &own, id)?;
        let of = || entry::table.filter(entry::instrument_id.eq(id));
        Ok(FolderView {
            files: of().count().get_result(conn)?,
            refused: of().filter(entry::state.ne("taken")).count().get_result(conn)?,
            latest: of().order((entry::seen_at.desc(), entry::path)).limit(20).load(conn)?,
        })
    })
}
