//! Tables with a delimiter: an optional preamble of key and value, a line of headings, rows.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Proof, ReaderInput};
use crate::model::{Locator, Severity};
use crate::sink::Sink;
use crate::spec::{Pattern, Role, TableSpec};
use crate::tabular::{self, Base, Cell, Column, Heading, Row};
use crate::text::Line;

/// Layout of the file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The delimiters that may occur; the one that gives the heading of a table is taken for it.
    delimiters: Vec<char>,
    /// Whether quotes hold cells together.
    #[serde(default = "yes")]
    quotes: bool,
    /// The whole of the last line, for formats that have an end mark.
    end: Option<Pattern>,
    /// Keys of the cells of the first line, for formats that write values without their keys there.
    #[serde(default)]
    first_line: Vec<String>,
    /// Keys of the number of rows; with it the file is whole.
    #[serde(default)]
    count: Vec<String>,
}

fn yes() -> bool {
    true
}

pub(crate) fn read(settings: &Settings, input: &ReaderInput, sink: &mut Sink) -> Proof {
    let mut base = Base::default();
    let mut open: Option<Open> = None;
    let mut ended = false;
    let lines = &input.text.lines;
    let mut found_table = false;
    let (mut rows, mut facts) = (0usize, Vec::new());
    for (index, line) in lines.iter().enumerate() {
        if !sink.spend(1, Locator::line(line.number)) {
            break;
        }
        if line.is_blank() || line.text.trim_matches([',', ';', '\t', ' ']).is_empty() {
            open = None;
            continue;
        }
        if line.number == 1 && separator(&line.text) {
            sink.note(line.number, "the delimiter, for spreadsheets");
            continue;
        }
        if settings.end.as_ref().is_some_and(|e| e.is_match(&line.text)) {
            ended = true;
            sink.note(line.number, "end mark");
            continue;
        }
        if sink.message(line.number, &line.text) {
            continue;
        }
        if let Some(table) = &open {
            if table.spec.stop.iter().any(|s| s.is_match(&line.text)) {
                sink.note(line.number, "end of the table");
                open = None;
            } else {
                rows += usize::from(row(settings, sink, table, line, &base));
            }
            continue;
        }
        open = heading(settings, sink, line);
        if index == 0
            && open.is_none()
            && !settings.first_line.is_empty()
            && first_line(settings, sink, &mut base, line)
        {
            continue;
        }
        match &open {
            Some(table) => {
                found_table |= !table.spec.ignore;
                let has_sample = table.columns.iter().any(|c| c.spec.is_some_and(|s| s.role == Role::Sample));
                if base.sample.is_none() && !has_sample && !table.spec.ignore && !sink.spec.run.sample.is_empty() {
                    let at = Locator::line(line.number);
                    sink.warn_once("sample_missing", "the file names no sample above this table", at);
                }
            }
            None if preamble(settings, sink, &mut base, line, &mut facts) => {}
            None => sink.not_consumed(line.number, &line.text),
        }
    }
    if !found_table {
        let last = lines.last().map_or(0, |l| l.number);
        sink.fault("no_table", "no line holds the headings of the adapter's table", Locator::line(last));
    }
    sink.flag_since(0);
    let counted = counted(settings, sink, &facts, rows, lines);
    match (&settings.end, ended, sink.broken) {
        (_, _, true) | (Some(_), false, _) => Proof::Fails,
        (Some(_), true, _) => Proof::Holds,
        (None, ..) if counted => Proof::Holds,
        (None, ..) => Proof::None,
    }
}

/// `sep=,`, perhaps filled up with delimiters.
fn separator(text: &str) -> bool {
    let rest = text.trim().trim_start_matches('"').strip_prefix("sep=");
    rest.is_some_and(|r| r.trim_end_matches('"').chars().all(|c| matches!(c, ',' | ';' | '\t' | '|')))
}

/// True where the file declares its rows, has them all, and ends the last one.
fn counted(settings: &Settings, sink: &mut Sink, facts: &[(String, String)], rows: usize, lines: &[Line]) -> bool {
    let declared = settings.count.iter().find_map(|key| facts.iter().find(|(k, _)| k == key));
    let Some((key, written)) = declared else { return false };
    if written.parse() != Ok(rows) {
        let last = Locator::line(lines.last().map_or(0, |l| l.number));
        sink.fault("row_count", format!("{key} declares {written} rows, the file has {rows}"), last);
        return false;
    }
    lines.iter().rfind(|l| !l.is_blank()).is_some_and(|l| l.terminated)
}

/// Values of the first line under the keys that the adapter gives them.
fn first_line(settings: &Settings, sink: &mut Sink, base: &mut Base, line: &Line) -> bool {
    let cells = settings.delimiters.iter().map(|d| split(&line.text, *d, settings.quotes)).max_by_key(Vec::len);
    let cells = cells.unwrap_or_default();
    if cells.len() == 2 {
        // A key and its value.
        return false;
    }
    if cells.len() != settings.first_line.len() {
        sink.fault(
            "first_line",
            format!(
                "{} cells where {} are expected: {}",
                cells.len(),
                settings.first_line.len(),
                settings.first_line.join(", ")
            ),
            Locator::line(line.number),
        );
        return true;
    }
    for (key, cell) in settings.first_line.iter().zip(&cells) {
        fact(sink, base, key, &cell.raw, line.number);
    }
    true
}

/// A table whose headings have been read.
struct Open<'a> {
    spec: &'a TableSpec,
    columns: Vec<Column<'a>>,
    delimiter: char,
}

/// The table that this line heads, if the adapter knows it.
fn heading<'a>(settings: &Settings, sink: &mut Sink<'a>, line: &Line) -> Option<Open<'a>> {
    for delimiter in &settings.delimiters {
        let headings: Vec<Heading> = split(&line.text, *delimiter, settings.quotes)
            .iter()
            .map(|c| Heading { name: squeeze(&c.raw), unit: None })
            .collect();
        // A table that requires no heading is known by declaring all of them.
        let declared = |t: &TableSpec| {
            let known = |h: &Heading| h.name.is_empty() || t.columns.iter().any(|c| c.heading.is_match(&h.name));
            !t.requires.is_empty() || (headings.iter().all(known) && headings.iter().any(|h| !h.name.is_empty()))
        };
        let table = sink.spec.tables.iter().find(|t| tabular::is_table(t, "", &headings) && declared(t));
        if let Some(spec) = table {
            sink.note(line.number, format!("heading of table {}", spec.name));
            let columns = tabular::resolve(sink, spec, &headings, &Locator::line(line.number));
            return Some(Open { spec, columns, delimiter: *delimiter });
        }
    }
    None
}

/// Reads a row; false where the line is not a row.
fn row(settings: &Settings, sink: &mut Sink, open: &Open, line: &Line, base: &Base) -> bool {
    let (table, columns) = (open.spec, open.columns.as_slice());
    if table.skip.iter().any(|s| s.is_match(&line.text)) {
        sink.note(line.number, "skipped");
        return false;
    }
    if table.ignore {
        sink.note(line.number, format!("table {}, not read", table.name));
        return false;
    }
    let cells = split(&line.text, open.delimiter, settings.quotes);
    cells_row(sink, table, columns, cells, line.number, base, false);
    true
}

/// Reads the cells of one row; `short` rows may leave out the empty cells at their end.
pub(crate) fn cells_row(
    sink: &mut Sink,
    table: &TableSpec,
    columns: &[Column],
    mut cells: Vec<Cell>,
    line: u32,
    base: &Base,
    short: bool,
) -> Row {
    if !sink.spend(cells.len(), Locator::line(line)) {
        return Row::default();
    }
    if cells.len() < columns.len() && !short {
        sink.fault(
            "row_width",
            format!("{} cells where the heading has {}: the row is cut", cells.len(), columns.len()),
            Locator::line(line),
        );
        // The last cell of a cut row may have lost digits.
        cells.pop();
    }
    if let Some(extra) = cells.iter().skip(columns.len()).find(|c| !c.raw.is_empty()) {
        // A delimiter within a name has moved the cells: nobody can say which number belongs to which heading.
        sink.problem(
            "row_width",
            Severity::Error,
            format!("\"{}\" stands beyond the last heading; the row is not read", extra.raw),
            Locator::at(line, extra.column),
        );
        return Row::default();
    }
    let has_sample = columns.iter().any(|c| c.spec.is_some_and(|s| s.role == Role::Sample));
    let from = sink.observations.len();
    let row = tabular::row(sink, table, columns, &cells, line, base);
    let nameless = sink.observations.get(from).is_some_and(|o| o.sample.is_none());
    if has_sample && nameless {
        sink.warn("sample_missing", "the row names no sample", Locator::line(line));
    }
    row
}

/// `key: value` above the table, in two cells or one, with empty cells between.
fn preamble(
    settings: &Settings,
    sink: &mut Sink,
    base: &mut Base,
    line: &Line,
    facts: &mut Vec<(String, String)>,
) -> bool {
    let cells = settings
        .delimiters
        .iter()
        .map(|d| split(&line.text, *d, settings.quotes))
        .max_by_key(Vec::len)
        .unwrap_or_default();
    let full: Vec<&str> = cells.iter().map(|c| c.raw.as_str()).filter(|c| !c.is_empty()).collect();
    let (key, value) = match full.as_slice() {
        [one] => match one.split_once(':') {
            Some((key, value)) => (key.trim(), value.trim()),
            None => return false,
        },
        [key, value] => (key.trim().trim_end_matches(':').trim(), *value),
        _ => return false,
    };
    facts.push((key.to_owned(), value.to_owned()));
    fact(sink, base, key, value, line.number);
    true
}

fn fact(sink: &mut Sink, base: &mut Base, key: &str, value: &str, line: u32) {
    let run = &sink.spec.run;
    let holds = |keys: &[String]| keys.iter().any(|k| k.eq_ignore_ascii_case(key));
    let full = (!value.is_empty()).then(|| value.to_owned());
    if holds(&run.sample) {
        base.sample = full;
    } else if holds(&run.injection) {
        base.injection = full;
    } else if holds(&run.acquired_at) {
        base.acquired_at = sink.date(value, Locator::line(line));
    }
    sink.note(line, format!("run: {key}"));
    sink.run_fact(key, value);
}

/// Cells of a line, trimmed; a quote opens a cell only at its start.
pub(crate) fn split(text: &str, delimiter: char, quotes: bool) -> Vec<Cell> {
    let mut cells = Vec::new();
    let mut raw = String::new();
    let (mut inside, mut start) = (false, 0usize);
    let mut chars = text.chars().enumerate().peekable();
    while let Some((index, c)) = chars.next() {
        if c == '"' && quotes && inside {
            if chars.peek().is_some_and(|(_, next)| *next == '"') {
                raw.push('"');
                chars.next();
            } else {
                inside = false;
            }
        } else if c == '"' && quotes && raw.trim().is_empty() {
            inside = true;
            raw.clear();
        } else if c == delimiter && !inside {
            cells.push(cell(&raw, start));
            raw.clear();
            start = index + 1;
        } else {
            raw.push(c);
        }
    }
    cells.push(cell(&raw, start));
    cells
}

fn cell(raw: &str, start: usize) -> Cell {
    let lead = raw.chars().take_while(|c| c.is_whitespace()).count();
    let raw = raw.trim();
    Cell { column: (start + if raw.is_empty() { 0 } else { lead }) as u32 + 1, raw: raw.to_owned() }
}

/// One blank between words: headings carry stray ones.
pub(crate) fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_cells_together() {
        let cells = split(r#"a, "b, ""c""" ,d"#, ',', true);
        let raw: Vec<_> = cells.iter().map(|c| c.raw.as_str()).collect();
        assert_eq!(raw, ["a", r#"b, "c""#, "d"]);
        assert_eq!(cells[2].column, 16);
    }
}
