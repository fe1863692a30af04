//! What the files of a run propose: injections with roles, peaks, signals, a plate's layout.

use serde::Serialize;
use utoipa::ToSchema;

use super::load;
use super::methods::method;
use crate::action::Services;
use crate::calculation::injections::{group, propose as roles};
use crate::calculation::method::{Method, MethodKind};
use crate::calculation::outcome::Outcome as Notes;
use crate::calculation::plate::layout;
use crate::calculation::setup::{PlateSetup, Preparation, Role, Setup};
use crate::record::Actor;
use crate::store::Outcome;
use crate::store::columns::InstrumentFileId;

/// A setup to be completed by a person.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Proposed {
    pub method: Method,
    pub files: Vec<ProposedFile>,
    pub injections: Vec<ProposedInjection>,
    /// The names of the peaks, the most frequent first
    pub analytes: Vec<String>,
    /// The detector signals
    pub signals: Vec<String>,
    /// The quantities, wavelengths and plates that wells were read with
    pub quantities: Vec<String>,
    pub wavelengths: Vec<String>,
    pub plates: Vec<String>,
    pub setup: Setup,
}

/// A file of the run.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProposedFile {
    pub id: InstrumentFileId,
    pub name: String,
    pub state: String,
    pub complete: Option<bool>,
}

/// An injection as the files have it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProposedInjection {
    pub key: String,
    pub sample_text: String,
    pub sample_type: String,
    pub acquired_at: String,
    pub sample_id: Option<String>,
    pub role: Role,
}

/// Proposes roles for the injections or wells of files.
///
/// # Errors
/// Where a file may not be evaluated, or there is no such method.
pub fn propose(
    services: &Services,
    actor: &Actor,
    file_ids: &[InstrumentFileId],
    method_id: &str,
) -> Outcome<Proposed> {
    let (institute, method) = (actor.institute()?, method(services, method_id)?);
    let in_files = load::in_files(services, &institute, file_ids)?;
    let loaded = services.db.read(|conn| load::files(conn, &institute, file_ids, &in_files))?;
    let seen = &loaded.seen;
    let injections = group(seen, "", &mut Notes::default());
    let injections_of = |kind: MethodKind| if method.kind == kind { roles(&injections, &method) } else { Vec::new() };
    let mut setup = Setup { injections: injections_of(MethodKind::Sequence), ..Setup::default() };
    let analytes =
        distinct(seen.iter().filter(|one| one.quantity == method.response).map(|one| one.analyte.as_deref()));
    setup.analyte = analytes.first().cloned().unwrap_or_default();
    for role in setup.injections.iter().filter(|role| !role.preparation.is_empty()) {
        if !setup.preparations.iter().any(|known| known.label == role.preparation) {
            setup.preparations.push(Preparation { label: role.preparation.clone(), ..Preparation::default() });
        }
    }
    let told = |key: &str| distinct(seen.iter().map(|one| one.told(key)));
    let wells = seen.iter().filter(|one| one.told("well").or_else(|| one.told("location")).is_some());
    let quantities = distinct(wells.map(|one| Some(one.quantity.as_str())));
    let (wavelengths, plates) = (told("wavelength"), told("plate"));
    if method.kind == MethodKind::Plate {
        let first =
            |list: &[String]| if list.len() > 1 { list.first().cloned().unwrap_or_default() } else { String::new() };
        let known = quantities.contains(&method.response);
        let mut plate = PlateSetup {
            quantity: if known { method.response.clone() } else { first(&quantities) },
            wavelength: first(&wavelengths),
            plate: first(&plates),
            unit: method.unit.clone(),
            ..PlateSetup::default()
        };
        plate.wells = layout::propose(&method, &plate, seen);
        let nominal = layout::nominal(seen);
        for set in plate.wells.iter_mut().filter(|set| set.dose.is_empty() && set.role == Role::Standard) {
            set.dose = nominal.get(&set.name).cloned().unwrap_or_default();
        }
        setup.plate = Some(plate);
    }
    let shown = injections.iter().map(|one| ProposedInjection {
        key: one.key.clone(),
        sample_text: one.sample_text.to_owned(),
        sample_type: one.sample_type.to_owned(),
        acquired_at: one.acquired_at.to_owned(),
        sample_id: one.sample_id.map(str::to_owned),
        role: method.role_of(one.sample_text, one.sample_type),
    });
    let shown = if method.kind == MethodKind::Sequence { shown.collect() } else { Vec::new() };
    let files = loaded.files.iter().map(|file| ProposedFile {
        id: file.id.clone(),
        name: file.name.clone(),
        state: file.state.to_string(),
        complete: file.complete,
    });
    let files = files.collect();
    let signals = told("signal");
    Ok(Proposed { method, files, injections: shown, analytes, signals, quantities, wavelengths, plates, setup })
}

/// Each text once, the most frequent first.
fn distinct<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> Vec<String> {
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for text in texts.flatten().filter(|text| !text.is_empty()) {
        match counted.iter_mut().find(|known| known.0 == text) {
            Some(known) => known.1 += 1,
            None => counted.push((text, 1)),
        }
    }
    counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counted.into_iter().map(|(text, _)| text.to_owned()).collect()
}
