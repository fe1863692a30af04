//! A file whose values count by way of an evaluation is decided about with it.

use instrument_adapters::Options;

use super::accept::{Accept, AcceptFile, check_sound};
use super::reject::{FileDecision, decided};
use crate::action::{Action, Context, Services};
use crate::instruments::reception::{file_of, observations_of_file, read};
use crate::instruments::refusals::InstrumentRefusal;
use crate::record::Change;
use crate::store::columns::{InstituteId, InstrumentFileId};
use crate::store::rows::{InstrumentFileRow, ObservationRow};
use crate::store::views::problems_of;
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::instruments::{FileEvent, FileState};

/// A file that may be evaluated, with its observations.
///
/// # Errors
/// Where the institute has no such file, no adapter reads it, it was rejected, or it is incomplete.
pub fn evaluable(
    conn: &mut AnyConnection,
    institute: &InstituteId,
    id: &InstrumentFileId,
) -> Outcome<(InstrumentFileRow, Vec<ObservationRow>)> {
    let file = file_of(conn, institute, id)?;
    if !file.state.is_evaluable() {
        return Err(InstrumentRefusal::NotEvaluable { file: file.name }.into());
    }
    if file.complete == Some(false) {
        let problems = problems_of(&file)?;
        return Err(InstrumentRefusal::IncompleteForEvaluation { file: file.name, problems }.into());
    }
    let observations = observations_of_file(conn, id)?;
    Ok((file, observations))
}

/// An injection as a file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileInjection {
    pub sample_text: Option<String>,
    pub injection: Option<String>,
    pub acquired_at: Option<String>,
    pub context: std::collections::BTreeMap<String, String>,
}

/// The injections of a file, those too of which no value was taken in: a blank without a peak has only its curve, and
/// curves stay in the file.
///
/// # Errors
/// Where the file is lost. One that its adapter no longer reads has none.
pub fn injections_of(services: &Services, file: &InstrumentFileRow) -> Outcome<Vec<FileInjection>> {
    let bytes = services.files.get(&file.sha256)?;
    let whole = Options { curves: true, ..Options::default() };
    let Ok(read) = read(services, &file.name, &bytes, file.adapter.as_deref(), &whole) else { return Ok(Vec::new()) };
    let mut found: Vec<FileInjection> = Vec::new();
    for one in read.parsed.observations {
        let same = |known: &FileInjection| {
            known.sample_text == one.sample && known.injection == one.injection && known.acquired_at == one.acquired_at
        };
        if (one.injection.is_some() || one.acquired_at.is_some()) && !found.iter().rev().any(same) {
            found.push(FileInjection {
                sample_text: one.sample,
                injection: one.injection,
                acquired_at: one.acquired_at,
                context: (*one.context).clone(),
            });
        }
    }
    Ok(found)
}

/// Accepts a file together with the evaluation that rests on it; one that was accepted before stays so.
///
/// # Errors
/// As the acceptance of the file itself.
pub fn accept_with_evaluation(
    cx: &mut Context<'_>,
    file: &InstrumentFileRow,
    new: &Accept,
    evaluation: &str,
) -> Outcome<()> {
    if file.state == FileState::Accepted {
        return Ok(());
    }
    let reason = check_sound(file.complete, &problems_of(file)?, new)?;
    let state = file.state.on(FileEvent::Accept).map_err(InstrumentRefusal::from)?;
    let by = FileDecision { state, reason: reason.as_deref(), by: &cx.actor.account, at: cx.now.into() };
    decided(cx.conn, &file.id, &by)?;
    let (before, after) = (file.state.as_str(), state.as_str());
    let mut change = Change::field(AcceptFile::NAME, "instrument_file", &file.id, "state", before, after)
        .and("confirmed_complete", (), new.confirm_complete)
        .and("evaluation", (), evaluation);
    change.reason = reason;
    cx.record(change);
    Ok(())
}
