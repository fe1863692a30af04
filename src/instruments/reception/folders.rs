//! What the watcher of an instrument's folder remembers, so that a new start does not read everything again.

use std::collections::HashMap;

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use crate::action::{Action, Context, Facts, Services, act_as_program};
use crate::instruments::register::{Way, row_of};
use crate::on_each;
use crate::record::Author;
use crate::refusal::Refusal;
use crate::store::columns::{Instant, InstrumentFileId, InstrumentId};
use crate::store::rows::FolderEntryRow;
use crate::store::schema::instrument_folder_entry as entry;
use crate::store::views::Reader;
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::Permission;
use crate::vocabulary::instruments::FolderEntryState;

/// A file of a folder as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenFile {
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
            .filter(entry::state.eq_any(FolderEntryState::SETTLED))
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
        let asked = entry::table.filter(entry::instrument_id.eq(id)).filter(entry::state.eq(FolderEntryState::Again));
        Ok(asked.select(entry::path).load(conn)?)
    })
}

/// What became of a file of a folder.
pub(super) struct Became<'a> {
    pub state: FolderEntryState,
    pub sha256: Option<&'a str>,
    pub file: Option<&'a InstrumentFileId>,
}

/// Remembers what became of a file.
pub(super) fn remember(
    conn: &mut AnyConnection,
    id: &InstrumentId,
    seen: &SeenFile,
    became: &Became<'_>,
    at: &Instant,
) -> Outcome<()> {
    let row = FolderEntryRow {
        instrument_id: id.clone(),
        path: seen.path.clone(),
        size: seen.size,
        modified: seen.modified,
        sha256: became.sha256.map(str::to_owned),
        state: became.state,
        instrument_file_id: became.file.cloned(),
        tries: 1,
        seen_at: at.clone(),
    };
    on_each!(conn, c => diesel::insert_into(entry::table)
        .values(&row)
        .on_conflict((entry::instrument_id, entry::path))
        .do_update()
        .set((
            entry::size.eq(row.size),
            entry::modified.eq(row.modified),
            entry::sha256.eq(&row.sha256),
            entry::state.eq(row.state),
            entry::instrument_file_id.eq(&row.instrument_file_id),
            entry::tries.eq(entry::tries + 1),
            entry::seen_at.eq(&row.seen_at),
        ))
        .execute(c))?;
    Ok(())
}

/// Has a file of a folder read again at the next look.
pub(super) fn ask_again(conn: &mut AnyConnection, id: &InstrumentId, path: &str) -> Outcome<()> {
    diesel::update(entry::table.find((id, path))).set(entry::state.eq(FolderEntryState::Again)).execute(conn)?;
    Ok(())
}

/// Remembers a file that is not to be tried again until it changes or a person asks.
#[derive(Clone, Debug)]
struct RefuseEntry {
    instrument: InstrumentId,
    seen: SeenFile,
}

impl Action for RefuseEntry {
    const NAME: &'static str = "folder_entry.refuse";
    const PERMISSION: Permission = Permission::InstrumentUpload;
    type Prepared = ();
    type Loaded = ();
    type Plan = ();
    type Done = ();

    fn load(&self, _: &mut Context<'_>, (): &()) -> Outcome<()> {
        Ok(())
    }

    fn decide(&self, _: &Facts<'_>, (): &()) -> Result<(), Refusal> {
        Ok(())
    }

    fn keep(&self, cx: &mut Context<'_>, (): (), (): ()) -> Outcome<()> {
        let became = Became { state: FolderEntryState::Refused, sha256: None, file: None };
        remember(cx.conn, &self.instrument, &self.seen, &became, &cx.now.into())
    }
}

/// Remembers a file that is not to be tried again until it changes or a person asks.
///
/// # Errors
/// The store's failure.
pub fn refuse(services: &Services, way: &Way, seen: &SeenFile) -> Outcome<()> {
    let action = RefuseEntry { instrument: way.instrument.id.clone(), seen: seen.clone() };
    act_as_program(services, &way.actor, Author::from(&way.actor), action)
}

/// A file of a folder as the watcher remembers it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FolderEntryView {
    pub instrument_id: InstrumentId,
    pub path: String,
    pub size: i64,
    /// When it was changed, in nanoseconds since 1970
    pub modified: i64,
    pub sha256: Option<String>,
    pub state: FolderEntryState,
    pub instrument_file_id: Option<InstrumentFileId>,
    pub tries: i64,
    pub seen_at: Instant,
}

impl From<FolderEntryRow> for FolderEntryView {
    fn from(row: FolderEntryRow) -> Self {
        Self {
            instrument_id: row.instrument_id,
            path: row.path,
            size: row.size,
            modified: row.modified,
            sha256: row.sha256,
            state: row.state,
            instrument_file_id: row.instrument_file_id,
            tries: row.tries,
            seen_at: row.seen_at,
        }
    }
}

/// The state of a folder.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FolderView {
    pub files: i64,
    pub refused: i64,
    /// The files seen last; at most 20
    pub latest: Vec<FolderEntryView>,
}

/// What has been seen in an instrument's folder.
///
/// # Errors
/// Where the reader's institute has no such instrument.
pub fn folder_view(services: &Services, reader: &Reader, id: &InstrumentId) -> Outcome<FolderView> {
    services.db.read(|conn| {
        row_of(conn, reader.staff()?, id)?;
        let of = || entry::table.filter(entry::instrument_id.eq(id));
        let outside = of().filter(entry::state.eq_any(FolderEntryState::OUTSIDE));
        let latest: Vec<FolderEntryRow> = of().order((entry::seen_at.desc(), entry::path)).limit(20).load(conn)?;
        Ok(FolderView {
            files: of().count().get_result(conn)?,
            refused: outside.count().get_result(conn)?,
            latest: latest.into_iter().map(FolderEntryView::from).collect(),
        })
    })
}
