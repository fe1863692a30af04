//! Uploading a file and looking at it.

use diesel::prelude::*;
use instrument_adapters::Companion;
use serde::Serialize;
use utoipa::ToSchema;

use super::intake::{Incoming, Source, Taken, companions_wanted, take};
use super::matching::{self, NameInFile, Subject};
use super::pattern::MatchRule;
use super::proposals::{self, Proposal};
use super::run_lists::{self, RunListView};
use super::versions::{self, OtherVersion};
use crate::action::Services;
use crate::mapping::Rule;
use crate::record::Actor;
use crate::refusal::{Code, Refusal};
use crate::store::columns::{InstituteId, InstrumentFileId, Json, SampleId};
use crate::store::rows::{CompanionFileRow, InstrumentFileRow, InstrumentRow, ObservationRow};
use crate::store::schema::{application, companion_file, instrument, instrument_file, observation, sample};
use crate::store::{AnyConnection, Outcome};

/// An instrument file as the inbox shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FileView {
    pub file: InstrumentFileRow,
    /// The same content was imported before: this is that import
    pub known: bool,
    pub observations: Vec<ObservationRow>,
    /// What would be entered if it were accepted
    pub proposals: Vec<Proposal>,
    /// The names in the file, with their samples; for those without one a person decides
    pub names: Vec<NameInFile>,
    /// The registered instrument that it comes from
    pub instrument: Option<InstrumentRow>,
    /// The version before it and the one after it
    pub older: Option<OtherVersion>,
    pub newer: Option<OtherVersion>,
    /// The sequence list of this file
    pub run_list: Option<RunListView>,
    /// The files that were read beside it
    pub companions: Vec<CompanionFileRow>,
}

/// A file with its name.
#[derive(Clone, Debug)]
pub struct Named {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Takes an uploaded file in, from a registered instrument where one is named by its code or id.
///
/// # Errors
/// As [`take`]; where there is no such instrument.
pub fn upload(
    services: &Services,
    actor: &Actor,
    name: &str,
    bytes: &[u8],
    instrument: Option<&str>,
) -> Outcome<FileView> {
    let file = Named { name: name.to_owned(), bytes: bytes.to_vec() };
    let machine = machine(services, actor, instrument)?;
    let taken = take(services, actor, incoming(file, Vec::new(), machine))?;
    let mut view = view(services, actor, &taken.id)?;
    view.known = taken.known;
    Ok(view)
}

fn machine(services: &Services, actor: &Actor, instrument: Option<&str>) -> Outcome<Option<InstrumentRow>> {
    let named = instrument.map(str::trim).filter(|text| !text.is_empty());
    named.map(|text| super::register::named(services, actor, text)).transpose()
}

fn incoming(file: Named, beside: Vec<Companion>, instrument: Option<InstrumentRow>) -> Incoming {
    let Named { name, bytes } = file;
    Incoming { name, bytes, beside, source: Source::Upload, path: None, instrument, seen: None }
}

/// Takes several files in that were uploaded together: those that belong to one another are read together. One that
/// is refused does not hold up the others.
///
/// # Errors
/// Where there is no such instrument; what is wrong with one file stands in its place.
pub fn upload_set(
    services: &Services,
    actor: &Actor,
    files: &[Named],
    instrument: Option<&str>,
) -> Outcome<Vec<(String, Outcome<Taken>)>> {
    let machine = machine(services, actor, instrument)?;
    let adapter = machine.as_ref().and_then(|one| one.adapter.clone());
    let each = |file: &Named| {
        let wanted = companions_wanted(services, &file.name, &file.bytes, adapter.as_deref());
        let beside = files
            .iter()
            .filter(|other| wanted.iter().any(|name| name.eq_ignore_ascii_case(&other.name)))
            .map(|other| Companion { name: other.name.clone(), bytes: other.bytes.clone() })
            .collect();
        (file.name.clone(), take(services, actor, incoming(file.clone(), beside, machine.clone())))
    };
    Ok(files.iter().map(each).collect())
}

/// The institute that somebody works for.
pub(super) fn institute_of(actor: &Actor) -> Result<InstituteId, Refusal> {
    actor
        .institute
        .clone()
        .ok_or_else(|| Refusal::new(Code::Forbidden, "仅限机构人员", "for staff of an institute only"))
}

/// The file with its observations and what it proposes.
///
/// # Errors
/// Where the actor's institute has no such file.
pub fn view(services: &Services, actor: &Actor, id: &InstrumentFileId) -> Outcome<FileView> {
    let (institute, rules) = (institute_of(actor)?, services.mappings.rules());
    services.db.read(|conn| view_in(conn, &institute, id, &rules))
}

pub(super) fn view_in(
    conn: &mut AnyConnection,
    institute: &InstituteId,
    id: &InstrumentFileId,
    rules: &[Rule],
) -> Outcome<FileView> {
    let mut file = file_of(conn, institute, id)?;
    let observations: Vec<ObservationRow> =
        observation::table.filter(observation::instrument_file_id.eq(id)).order(observation::position).load(conn)?;
    let machine: Option<InstrumentRow> = match &file.instrument_id {
        Some(id) => instrument::table.find(id).select(InstrumentRow::as_select()).first(conn).optional()?,
        None => None,
    };
    let (mut proposals, mut names) = (Vec::new(), Vec::new());
    if file.state == "staged" {
        proposals = proposals::proposals(conn, &file, &observations, rules)?;
        let rule: MatchRule = machine.as_ref().and_then(|one| one.matching.read().ok()).unwrap_or_default();
        names = matching::names(conn, &Subject { file: &file, rule: &rule }, &observations)?;
    }
    let (older, newer) = versions::around(conn, &file)?;
    if let (Some(newer), "staged") = (&newer, file.state.as_str()) {
        // A newer version came after this one was stored: what is said of it is added as it is looked at.
        let mut problems = file.problems.tree().as_array().cloned().unwrap_or_default();
        problems.insert(0, versions::superseded(newer));
        file.problems = Json::of(&problems);
    }
    let run_list = run_lists::of_file(conn, id)?;
    let companions = companion_file::table
        .filter(companion_file::instrument_file_id.eq(id))
        .order(companion_file::name)
        .load(conn)?;
    Ok(FileView {
        file,
        known: false,
        observations,
        proposals,
        names,
        instrument: machine,
        older,
        newer,
        run_list,
        companions,
    })
}

/// The files that were read beside a file, with their bytes.
pub(super) fn companions(services: &Services, id: &InstrumentFileId) -> Outcome<Vec<Companion>> {
    let rows: Vec<CompanionFileRow> = services.db.read(|conn| {
        Ok(companion_file::table
            .filter(companion_file::instrument_file_id.eq(id))
            .order(companion_file::name)
            .load(conn)?)
    })?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        all.push(Companion { bytes: services.files.get(&row.sha256)?, name: row.name });
    }
    Ok(all)
}

/// How a file was read and is read again: with the word of its instrument, and with its companions.
pub(super) fn options_of(services: &Services, file: &InstrumentFileRow) -> Outcome<instrument_adapters::Options> {
    let machine: Option<InstrumentRow> = match &file.instrument_id {
        Some(id) => services
            .db
            .read(|conn| Ok(instrument::table.find(id).select(InstrumentRow::as_select()).first(conn).optional()?))?,
        None => None,
    };
    Ok(super::intake::options(machine.as_ref(), companions(services, &file.id)?))
}

pub(super) fn file_of(
    conn: &mut AnyConnection,
    institute: &InstituteId,
    id: &InstrumentFileId,
) -> Outcome<InstrumentFileRow> {
    let found: Option<InstrumentFileRow> = instrument_file::table
        .find(id)
        .filter(instrument_file::institute_id.eq(institute))
        .select(InstrumentFileRow::as_select())
        .first(conn)
        .optional()?;
    found.ok_or_else(|| Refusal::not_found("仪器文件", "instrument file", id.as_str()).into())
}

/// The samples of an institute by their numbers.
pub(super) fn samples_by_number(
    conn: &mut AnyConnection,
    institute: &InstituteId,
    numbers: &[String],
) -> Outcome<Vec<(String, SampleId)>> {
    Ok(sample::table
        .inner_join(application::table)
        .filter(application::institute_id.eq(institute))
        .filter(sample::state.eq(crate::vocabulary::SampleState::Received))
        .filter(sample::number.eq_any(numbers))
        .select((sample::number, sample::id))
        .load(conn)?)
}
