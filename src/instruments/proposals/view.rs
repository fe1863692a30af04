//! An instrument file with everything that a person needs to decide about it.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::propose::{self, Proposal};
use crate::action::Services;
use crate::instruments::reception::{
    self, MatchedFile, NameInFile, OtherVersion, RunListView, around, file_of, observations_of_file, superseded,
};
use crate::instruments::register::{InstrumentRecord, record_of};
use crate::mapping::Rule;
use crate::store::columns::{InstituteId, InstrumentFileId};
use crate::store::revisions::{Revised, current};
use crate::store::rows::{CompanionFileRow, InstrumentFileRow, InstrumentRow};
use crate::store::schema::companion_file;
use crate::store::views::{CompanionView, InstrumentFileView, ObservationView, Reader};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::instruments::{FileEvent, FileState};

/// An instrument file as the inbox shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FileView {
    pub file: InstrumentFileView,
    /// The same content was imported before: this is that import
    pub known: bool,
    pub observations: Vec<ObservationView>,
    /// What would be entered if it were accepted
    pub proposals: Vec<Proposal>,
    /// The names in the file, with their samples; for those without one a person decides
    pub names: Vec<NameInFile>,
    /// The registered instrument that it comes from
    pub instrument: Option<InstrumentRecord>,
    /// The version before it
    pub older: Option<OtherVersion>,
    /// The version after it
    pub newer: Option<OtherVersion>,
    /// The sequence list of this file
    pub run_list: Option<RunListView>,
    /// The files that were read beside it
    pub companions: Vec<CompanionView>,
}

/// The file with its observations and what it proposes.
///
/// # Errors
/// Where the reader's institute has no such file.
pub fn view(services: &Services, reader: &Reader, id: &InstrumentFileId) -> Outcome<FileView> {
    let rules = services.mappings.rules();
    services.db.read(|conn| view_in(conn, reader.staff()?, id, &rules))
}

pub(super) fn view_in(
    conn: &mut AnyConnection,
    own: &InstituteId,
    id: &InstrumentFileId,
    rules: &[Rule],
) -> Outcome<FileView> {
    let row = file_of(conn, own, id)?;
    let revision = current(conn, Revised::InstrumentFile, id.as_str())?.unwrap_or(1);
    let observations = observations_of_file(conn, id)?;
    let machine = match &row.instrument_id {
        Some(id) => record_of(conn, id)?,
        None => None,
    };
    let (machine, instrument) = machine.unzip();
    let (mut proposals, mut names) = (Vec::new(), Vec::new());
    if row.state.on(FileEvent::Match).is_ok() {
        proposals = propose::proposals(conn, &row, machine.as_ref(), &observations, rules)?;
        names = names_in(conn, &row, machine.as_ref(), &observations)?;
    }
    let (older, newer) = around(conn, &row)?;
    let run_list = reception::of_file(conn, id)?;
    let companions: Vec<CompanionFileRow> = companion_file::table
        .filter(companion_file::instrument_file_id.eq(id))
        .order(companion_file::name)
        .load(conn)?;
    let mut file = InstrumentFileView::of(row, revision)?;
    if let (Some(newer), FileState::Staged) = (&newer, file.state) {
        // A newer version came after this one was stored: what is said of it is added as it is looked at.
        file.problems.insert(0, superseded(newer));
    }
    Ok(FileView {
        file,
        known: false,
        observations: observations.into_iter().map(ObservationView::of).collect::<Outcome<_>>()?,
        proposals,
        names,
        instrument,
        older,
        newer,
        run_list,
        companions: companions.into_iter().map(CompanionView::from).collect(),
    })
}

fn names_in(
    conn: &mut AnyConnection,
    file: &InstrumentFileRow,
    machine: Option<&InstrumentRow>,
    observations: &[crate::store::rows::ObservationRow],
) -> Outcome<Vec<NameInFile>> {
    let rule = machine.map(crate::instruments::register::rule_of).transpose()?.unwrap_or_default();
    reception::names(conn, &MatchedFile { file, rule: &rule }, observations)
}
