//! Delimited text that is laid out like the sheet of a workbook: facts known by their form, tables and
//! plates in any number, in sections where the software writes their titles.

use schemars::JsonSchema;
use serde::Deserialize;

use super::delimited::split;
use super::{Proof, ReaderInput};
use crate::model::Locator;
use crate::sheets::{Fact, Layout, PlacedCell, Prose, SheetCellKind, SheetPart, SheetReading, SheetRow};
use crate::sink::Sink;
use crate::spec::Pattern;
use crate::text::Line;

/// Layout of the text; the fields of a workbook's layout come beside its own.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, from = "Declared")]
pub(crate) struct Settings {
    delimiters: Vec<char>,
    quotes: bool,
    section: Option<Pattern>,
    end: Option<Pattern>,
    end_finished: bool,
    layout: Layout,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Declared {
    /// The delimiters that may occur; the most frequent one is taken.
    delimiters: Vec<char>,
    /// Whether quotes hold cells together.
    #[serde(default)]
    quotes: bool,
    /// A line that starts a section; capture `title`.
    section: Option<Pattern>,
    /// The whole of the last line, for formats that have an end mark.
    end: Option<Pattern>,
    /// The end mark varies, so that a cut one may look like it: its line must be finished.
    #[serde(default)]
    end_finished: bool,
    #[serde(default)]
    facts: Vec<Fact>,
    #[serde(default)]
    keys: Vec<Pattern>,
    #[serde(default)]
    notes: Vec<Pattern>,
    #[serde(default)]
    prose: Vec<Prose>,
    #[serde(default)]
    ignore: Vec<Pattern>,
}

impl From<Declared> for Settings {
    fn from(d: Declared) -> Self {
        let layout = Layout { facts: d.facts, keys: d.keys, notes: d.notes, prose: d.prose, ignore: d.ignore };
        Self {
            delimiters: d.delimiters,
            quotes: d.quotes,
            section: d.section,
            end: d.end,
            end_finished: d.end_finished,
            layout,
        }
    }
}

pub(crate) fn read(settings: &Settings, input: &ReaderInput, sink: &mut Sink) -> Proof {
    let lines = &input.text.lines;
    let delimiter = delimiter(settings, lines);
    let mut reading = SheetReading::new(&settings.layout);
    let mut part = SheetPart::default();
    let (mut blank, mut ended) = (true, false);
    for line in lines {
        let row = row(settings, delimiter, line, std::mem::take(&mut blank));
        if row.cells.is_empty() {
            blank = true;
        } else if let Some(title) = settings.section.as_ref().and_then(|p| p.capture(&line.text, "title")) {
            sink.note(line.number, "section");
            take(&mut reading, sink, &part);
            part = SheetPart { name: title.to_owned(), ..SheetPart::default() };
            blank = true;
        } else if settings.end.as_ref().is_some_and(|p| p.is_match(&line.text)) {
            sink.note(line.number, "end mark");
            ended = line.terminated || !settings.end_finished;
        } else {
            // What comes behind the end mark belongs to another file.
            ended = false;
            part.rows.push(row);
        }
    }
    take(&mut reading, sink, &part);
    reading.finish(sink);
    if settings.end.is_some() && !ended {
        let last = lines.last().map_or(1, |l| l.number);
        sink.fault("no_end", "the end mark is missing: the file is cut", Locator::line(last));
    }
    match (&settings.end, sink.broken) {
        (_, true) => Proof::Fails,
        (Some(_), false) if ended => Proof::Holds,
        (Some(_), false) => Proof::Fails,
        (None, false) => Proof::None,
    }
}

fn take(reading: &mut SheetReading, sink: &mut Sink, part: &SheetPart) {
    if reading.ignores(&part.name) {
        for row in &part.rows {
            sink.note(row.line, format!("section {}, not read", part.name));
        }
    } else {
        reading.part(sink, part);
    }
}

fn delimiter(settings: &Settings, lines: &[Line]) -> char {
    let count = |d: char| lines.iter().map(|l| l.text.matches(d).count()).sum::<usize>();
    settings.delimiters.iter().copied().max_by_key(|d| count(*d)).unwrap_or('\t')
}

fn row(settings: &Settings, delimiter: char, line: &Line, after_blank: bool) -> SheetRow {
    let found = split(&line.text, delimiter, settings.quotes);
    let mut text = String::new();
    let mut cells = Vec::new();
    let last = found.iter().rposition(|c| !c.raw.is_empty()).map_or(0, |i| i + 1);
    for (place, mut cell) in (1..).zip(found.into_iter().take(last)) {
        // Text that spreadsheets shall not take for a number is written as a formula.
        if let Some(inner) = cell.raw.strip_prefix("=\"").and_then(|r| r.strip_suffix('"')) {
            cell.raw = inner.to_owned();
        }
        if place > 1 {
            text.push('\t');
        }
        text.push_str(&cell.raw);
        if !cell.raw.is_empty() {
            cells.push(PlacedCell {
                place,
                column: cell.column,
                raw: cell.raw,
                kind: SheetCellKind::Text,
                spread: false,
                hidden: false,
            });
        }
    }
    SheetRow { line: line.number, after_blank, hidden: false, cells, text }
}
