//! The files of a check: thin, since what a check leads to is the bench's.

use crate::action::Services;
use crate::instruments::reception::file_of;
use crate::store::Outcome;
use crate::store::columns::InstrumentFileId;
use crate::store::views::{self, CheckView, Reader};

/// What second persons found of a file's import, the oldest first.
///
/// # Errors
/// Where the reader's institute has no such file.
pub fn checks(services: &Services, reader: &Reader, id: &InstrumentFileId) -> Outcome<Vec<CheckView>> {
    services.db.read(|conn| {
        file_of(conn, reader.staff()?, id)?;
        views::import_checks(conn, id)
    })
}
