//! From a value back to the file: the lines of the source with the value itself marked, and what each line became.

use diesel::prelude::*;
use instrument_adapters::{Explained, Locator};
use serde::Serialize;
use utoipa::ToSchema;

use crate::action::Services;
use crate::instruments::reception::{file_of, options_of, read};
use crate::instruments::refusals::InstrumentRefusal;
use crate::store::Outcome;
use crate::store::columns::{InstrumentFileId, ObservationId};
use crate::store::revisions::{Revised, current};
use crate::store::rows::ObservationRow;
use crate::store::schema::observation;
use crate::store::views::{InstrumentFileView, LocatorView, ObservationView, Reader};

/// How many lines one answer has at most.
const LINES: usize = 500;
/// How many lines come before the one asked for.
const BEFORE: usize = 40;
/// How many characters of a line are shown at most, around the value where there is one: some formats are one line.
const WIDE: usize = 2000;

/// Which part of a file is asked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// A value whose place is marked.
    pub observation: Option<ObservationId>,
    /// A line to show, e.g. that of a problem.
    pub line: Option<u32>,
    /// The first line of the part, from 1; it comes before the others.
    pub from: Option<u32>,
}

/// A part of a file with what each line became.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SourceView {
    pub file: InstrumentFileView,
    /// The value asked for, where one was
    pub observation: Option<ObservationView>,
    /// Where the value is, in words: `第 12 行`, `Sheet1!B7`, `$.peaks[2].area`
    pub place: Option<String>,
    /// The line that it is in, of the file or of its rendering line by line
    pub marked_line: Option<u64>,
    pub lines: Vec<SourceLine>,
    /// How many lines the file has
    pub total: usize,
    /// The first line of the part before this one, where there is one
    pub earlier: Option<u32>,
    /// The first line of the part after this one, where there is one
    pub later: Option<u32>,
    /// Whether there are more lines than these
    pub cut: bool,
}

/// One line with what it became: values, a heading, or nothing.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SourceLine {
    pub number: u32,
    /// The text; of a very long line the part around the value
    pub text: String,
    pub became: Vec<String>,
    /// Whether the value asked for is in it
    pub marked: bool,
    /// The value itself within the text, where it was found there: `text` is `before` + `value` + `after`
    pub mark: Option<Mark>,
    /// Whether `text` is not the whole line
    pub shortened: bool,
}

/// A value within its line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Mark {
    pub before: String,
    pub value: String,
    pub after: String,
}

/// Shows a part of a file: around a value or a line, or from a line on.
///
/// # Errors
/// Where there is no such file or value, or no adapter reads the file.
pub fn source(services: &Services, reader: &Reader, id: &InstrumentFileId, wanted: &Wanted) -> Outcome<SourceView> {
    let (file, revision, observation) = services.db.read(|conn| {
        let file = file_of(conn, reader.staff()?, id)?;
        let found: Option<ObservationRow> = match &wanted.observation {
            Some(marked) => Some(
                observation::table
                    .find(marked)
                    .filter(observation::instrument_file_id.eq(id))
                    .first(conn)
                    .optional()?
                    .ok_or_else(|| InstrumentRefusal::NoValue(marked.to_string()))?,
            ),
            None => None,
        };
        Ok((file, current(conn, Revised::InstrumentFile, id.as_str())?.unwrap_or(1), found))
    })?;
    let observation = observation.map(ObservationView::of).transpose()?;
    let bytes = services.files.get(&file.sha256)?;
    let explained = read(services, &file.name, &bytes, file.adapter.as_deref(), &options_of(services, &file)?)
        .map_err(|error| InstrumentRefusal::NotShown(error.to_string()))?;
    Ok(part(explained, InstrumentFileView::of(file, revision)?, observation, wanted))
}

/// The line of the file's rendering in which a locator's value is.
fn line_of(explained: &Explained, locator: &LocatorView) -> Option<u32> {
    let LocatorView { line, column, sheet, cell, path } = locator.clone();
    explained.line_of(&Locator { line, column, sheet, cell, path })
}

fn part(
    explained: Explained,
    file: InstrumentFileView,
    observation: Option<ObservationView>,
    wanted: &Wanted,
) -> SourceView {
    let marked = observation.as_ref().and_then(|seen| line_of(&explained, &seen.locator));
    let column = observation.as_ref().and_then(|seen| seen.locator.column).map(u64::from);
    let raw = observation.as_ref().map(|seen| seen.raw.as_str());
    let total = explained.lines.len();
    let index = |line: u32| explained.lines.iter().position(|(number, ..)| *number >= line);
    let first = match (wanted.from, marked.or(wanted.line)) {
        (Some(from), _) => index(from).unwrap_or(total.saturating_sub(LINES)),
        (None, Some(line)) => index(line).unwrap_or(0).saturating_sub(BEFORE),
        (None, None) => 0,
    };
    let number_at = |at: usize| explained.lines.get(at).map(|(number, ..)| *number);
    let earlier = (first > 0).then(|| number_at(first.saturating_sub(LINES))).flatten();
    let later = number_at(first + LINES);
    let lines: Vec<SourceLine> = explained
        .lines
        .into_iter()
        .skip(first)
        .take(LINES)
        .map(|(number, text, became)| {
            let here = marked == Some(number);
            line(number, &text, became, raw.filter(|_| here), column.filter(|_| here), here)
        })
        .collect();
    SourceView {
        file,
        place: observation.as_ref().and_then(|seen| seen.locator.words()),
        observation,
        marked_line: marked.map(u64::from),
        cut: lines.len() < total,
        lines,
        total,
        earlier,
        later,
    }
}

fn line(
    number: u32,
    text: &str,
    became: Vec<String>,
    raw: Option<&str>,
    column: Option<u64>,
    marked: bool,
) -> SourceLine {
    let signs: Vec<char> = text.chars().collect();
    let span = raw.and_then(|raw| span(&signs, raw, column));
    // Of a line that is a whole file, the part around the value.
    let (from, to) = match span {
        _ if signs.len() <= WIDE => (0, signs.len()),
        Some((start, end)) => (start.saturating_sub(WIDE / 2), end.saturating_add(WIDE / 2).min(signs.len())),
        None => (0, WIDE),
    };
    let cut = |from: usize, to: usize| signs.get(from..to).unwrap_or_default().iter().collect::<String>();
    SourceLine {
        number,
        text: cut(from, to),
        became,
        marked,
        mark: span.map(|(start, end)| Mark { before: cut(from, start), value: cut(start, end), after: cut(end, to) }),
        shortened: (from, to) != (0, signs.len()),
    }
}

/// Where the value is in its line, in characters: at its column, or, where the file gives none, at the one
/// place where the text is a word of its own. Where it is written twice, nothing is marked rather than the
/// wrong one.
fn span(line: &[char], raw: &str, column: Option<u64>) -> Option<(usize, usize)> {
    let raw: Vec<char> = raw.trim().chars().collect();
    if raw.is_empty() {
        return None;
    }
    let stands = |at: usize| line.get(at..at + raw.len()) == Some(&raw[..]);
    if let Some(column) = column {
        let at = usize::try_from(column).ok()?.checked_sub(1)?;
        // A column may be that of the cell, with blanks or a quotation mark before the value.
        let shifted = (at..=at.saturating_add(40)).find(|at| stands(*at));
        return shifted.map(|at| (at, at + raw.len()));
    }
    let sign = |at: Option<usize>| at.and_then(|at| line.get(at)).copied().unwrap_or(' ');
    let alone = |at: usize| {
        let (before, end) = (at.checked_sub(1), at + raw.len());
        let (left, right) = (sign(before), sign(Some(end)));
        let mark = |c: char| matches!(c, '.' | ',');
        // `12` is not a word of its own in `0.12`, `12.5` or `A12`.
        let joined = |c: char, beyond: Option<usize>| {
            c.is_alphanumeric() || c == '_' || (mark(c) && sign(beyond).is_ascii_digit())
        };
        !joined(left, before.and_then(|before| before.checked_sub(1))) && !joined(right, Some(end + 1))
    };
    let mut places = (0..line.len()).filter(|at| stands(*at) && alone(*at));
    let first = places.next()?;
    places.next().is_none().then_some((first, first + raw.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, raw: &str, column: Option<u64>) -> Option<(String, String)> {
        let line = line(1, text, Vec::new(), Some(raw), column, true);
        let mark = line.mark?;
        assert_eq!(line.text, format!("{}{}{}", mark.before, mark.value, mark.after));
        Some((mark.before, mark.value))
    }

    fn found(before: &str, value: &str) -> Option<(String, String)> {
        Some((before.to_owned(), value.to_owned()))
    }

    #[test]
    fn the_value_itself_is_marked_at_its_column() {
        assert_eq!(marked("   1  2.824 BB  2.824", "2.824", Some(17)), found("   1  2.824 BB  ", "2.824"));
        assert_eq!(marked("含量,\"257,10\",%", "257,10", Some(4)), found("含量,\"", "257,10"));
        assert_eq!(marked("1 2 3", "9", Some(1)), None);
    }

    #[test]
    fn without_a_column_only_a_word_of_its_own_is_marked() {
        assert_eq!(marked("a: 0.98, b: 10.98", "0.98", None), found("a: ", "0.98"));
        assert_eq!(marked("x=1.50;y=1.505", "1.50", None), found("x=", "1.50"));
        assert_eq!(marked("5 and 5", "5", None), None, "twice: none rather than the wrong one");
        assert_eq!(marked("<0.05", "<0.05", None), found("", "<0.05"));
        assert_eq!(marked("anything", "", None), None);
    }

    #[test]
    fn of_a_file_in_one_line_the_part_around_the_value_is_shown() {
        let long = format!("{}\"area\":12.75,{}", "甲".repeat(5000), "b".repeat(9000));
        let shown = line(1, &long, Vec::new(), Some("12.75"), Some(5008), true);
        assert!(shown.shortened && shown.text.chars().count() < WIDE + 10);
        assert_eq!(shown.mark.map(|mark| mark.value), Some("12.75".to_owned()));
    }
}
