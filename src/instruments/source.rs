//! From a value back to the file: the lines of the source, each with what it became.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::inbox::{file_of, options_of};
use super::read::read;
use crate::audit::Actor;
use crate::refusal::{Code, Refusal};
use crate::services::Services;
use crate::store::Outcome;
use crate::store::columns::{InstrumentFileId, ObservationId};
use crate::store::rows::{InstrumentFileRow, ObservationRow};
use crate::store::schema::observation;

/// How many lines one answer has at most.
const LINES: usize = 2000;

/// A file's text with what each line became.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SourceView {
    #[schema(value_type = Object)]
    pub file: InstrumentFileRow,
    /// The value asked for, where one was
    #[schema(value_type = Object)]
    pub observation: Option<ObservationRow>,
    /// The line that it stands in
    pub marked_line: Option<u64>,
    pub lines: Vec<SourceLine>,
    /// The file has more lines than are shown
    pub cut: bool,
}

/// One line of the source.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SourceLine {
    pub number: u32,
    pub text: String,
    pub became: Vec<String>,
    pub marked: bool,
}

/// Shows a file, with the line of `marked` where given.
///
/// # Errors
/// Where there is no such file, or it is none that an adapter reads as text.
pub fn source(
    services: &Services,
    actor: &Actor,
    id: &InstrumentFileId,
    marked: Option<&ObservationId>,
) -> Outcome<SourceView> {
    let institute =
        actor.institute.clone().ok_or_else(|| Refusal::new(Code::Forbidden, "仅限机构人员", "for staff only"))?;
    let (file, observation) = services.db.read(|conn| {
        let file = file_of(conn, &institute, id)?;
        let found: Option<ObservationRow> = match marked {
            Some(marked) => Some(
                observation::table
                    .find(marked)
                    .filter(observation::instrument_file_id.eq(id))
                    .first(conn)
                    .optional()?
                    .ok_or_else(|| Refusal::not_found("该文件中的值", "value in this file", marked.as_str()))?,
            ),
            None => None,
        };
        Ok((file, found))
    })?;
    let bytes = services.files.get(&file.sha256)?;
    let explained = read(services, &file.name, &bytes, file.adapter.as_deref(), &options_of(services, &file)?)
        .map_err(|error| Refusal::new(Code::FileNotRecognised, format!("无法逐行显示：{error}"), error.to_string()))?;
    let line = observation.as_ref().and_then(|seen| seen.locator.tree().get("line").and_then(|line| line.as_u64()));
    let first = line.map_or(0, |line| usize::try_from(line).unwrap_or(0).saturating_sub(LINES / 2));
    let total = explained.lines.len();
    let lines: Vec<SourceLine> = explained
        .lines
        .into_iter()
        .skip(first)
        .take(LINES)
        .map(|(number, text, became)| SourceLine { number, text, became, marked: line == Some(u64::from(number)) })
        .collect();
    let cut = lines.len() < total;
    Ok(SourceView { file, observation, marked_line: line, lines, cut })
}
