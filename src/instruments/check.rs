//! The files of a check: thin, since what a check leads to is the bench's.

use super::inbox::file_of;
use crate::action::Services;
use crate::record::Actor;
use crate::refusal::{Code, Refusal};
use crate::store::Outcome;
use crate::store::columns::InstrumentFileId;
use crate::store::views::{self, CheckView};

/// What second persons found of a file's import, the oldest first.
///
/// # Errors
/// Where the actor's institute has no such file.
pub fn checks(services: &Services, actor: &Actor, id: &InstrumentFileId) -> Outcome<Vec<CheckView>> {
    let institute =
        actor.institute.clone().ok_or_else(|| Refusal::new(Code::Forbidden, "仅限机构人员", "for staff only"))?;
    services.db.read(|conn| {
        file_of(conn, &institute, id)?;
        views::import_checks(conn, id)
    })
}
