//! Reports stored line by line as quoted cells, with a framed head of `"Key:",value` pairs.
//!
//! Where the decimal mark is a comma, numbers outside quotes fall apart at it: head lines are
//! taken by their keys, and table rows are put together again where their number of cells proves it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Proof, ReaderInput};
use crate::model::{Locator, Status};
use crate::sink::Sink;
use crate::spec::{Pattern, TableSpec};
use crate::tabular::{self, Base, Cell, Column, Heading, Sums};
use crate::text::Line;

/// Layout of the report.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The line above and below the head.
    frame: Pattern,
    /// Title of the list of expected components that were not found.
    missing_title: Pattern,
    /// The whole of the last line; a cut line does not match.
    end: Pattern,
    /// Lines that are known and say nothing.
    notes: Vec<Pattern>,
}

/// A token of a line, with or without quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    text: String,
    quoted: bool,
    column: u32,
}

struct Open<'a> {
    table: Option<&'a TableSpec>,
    columns: Vec<Column<'a>>,
    sums: Sums,
    closed: bool,
    totalled: bool,
    line: u32,
}

/// An expected component of which the table has a row without a name.
struct Missing {
    observation: usize,
    time: String,
}

struct State<'s, 'a> {
    settings: &'s Settings,
    frames: u32,
    base: Base,
    title: String,
    heads: Vec<(u32, Vec<Token>)>,
    open: Option<Open<'a>>,
    not_found: Vec<Missing>,
    in_missing: bool,
    ended: Option<u32>,
}

pub(crate) fn read(settings: &Settings, input: &ReaderInput, sink: &mut Sink) -> Proof {
    let mut state = State {
        settings,
        frames: 0,
        base: Base::default(),
        title: String::new(),
        heads: Vec::new(),
        open: None,
        not_found: Vec::new(),
        in_missing: false,
        ended: None,
    };
    for line in &input.text.lines {
        if !sink.spend(line.text.len() / 8 + 1, Locator::line(line.number)) {
            break;
        }
        state.line(sink, line);
    }
    state.report_heads(sink);
    state.close_table(sink);
    sink.flag_since(0);
    if state.ended.is_none() {
        let last = input.text.lines.last().map_or(0, |l| l.number);
        sink.fault("end_mark_missing", "the last line of the report is missing or cut", Locator::line(last));
    }
    if sink.broken { Proof::Fails } else { Proof::Holds }
}

impl<'a> State<'_, 'a> {
    fn line(&mut self, sink: &mut Sink<'a>, line: &Line) {
        let text = line.text.trim_end();
        let number = line.number;
        if text.trim_matches(['"', ',', ' ']).is_empty() {
            return;
        }
        if self.ended.is_some() {
            sink.not_consumed(number, text);
        } else if self.settings.frame.is_match(text) {
            self.frames += 1;
            sink.note(number, "frame");
        } else if self.settings.end.is_match(text) {
            self.ended = Some(number);
            sink.note(number, "end mark");
        } else if self.frames < 2 {
            self.head(sink, number, text);
        } else if sink.message(number, text) {
            // Said among the problems.
        } else if self.settings.missing_title.is_match(text) {
            self.report_heads(sink);
            self.close_table(sink);
            self.in_missing = true;
            sink.note(number, "title: missing components");
        } else if is_ruler(text) {
            self.ruler(sink, number, text);
        } else if self.in_missing {
            self.missing(sink, number, text);
        } else if self.open.is_some() {
            self.row(sink, number, text);
        } else if self.settings.notes.iter().any(|n| n.is_match(text)) {
            sink.note(number, "note");
        } else {
            self.heads.push((number, tokens(text)));
        }
    }

    fn head(&mut self, sink: &mut Sink, line: u32, text: &str) {
        let pairs = head_pairs(&tokens(text));
        if pairs.is_empty() {
            sink.not_consumed(line, text);
        }
        for (key, value) in pairs {
            let run = &sink.spec.run;
            let full = (!value.is_empty()).then(|| value.clone());
            if run.sample.contains(&key) {
                self.base.sample = full;
            } else if run.injection.contains(&key) {
                self.base.injection = full;
            } else if run.acquired_at.contains(&key) {
                self.base.acquired_at = sink.date(&value, Locator::line(line));
            }
            sink.note(line, format!("run: {key}"));
            sink.run_fact(&key, value);
        }
    }

    /// A ruler opens a table after two lines of headings, and closes it before the totals.
    fn ruler(&mut self, sink: &mut Sink<'a>, line: u32, text: &str) {
        sink.note(line, "ruler");
        if self.in_missing {
            self.heads.clear();
            return;
        }
        if let Some(open) = &mut self.open {
            open.closed = true;
            return;
        }
        let keep = self.heads.len().saturating_sub(2);
        let heads = self.heads.split_off(keep);
        let width = text.split(',').count();
        let [(first, names), (second, units)] = heads.as_slice() else {
            sink.fault("heading_missing", "a ruler without its two lines of headings", Locator::line(line));
            return;
        };
        sink.note(*first, "table heading");
        sink.note(*second, "table heading");
        self.report_heads(sink);
        let headings = headings(names, units);
        let at = Locator::line(*first);
        if headings.len() != width {
            sink.fault("heading_width", format!("{} headings over {width} columns", headings.len()), at.clone());
        }
        let table = tabular::table_for(sink.spec, &self.title, &headings);
        let columns = match table {
            Some(table) => tabular::resolve(sink, table, &headings, &at),
            None => {
                sink.fault("unknown_table", "the adapter knows no such table", at);
                Vec::new()
            }
        };
        self.open = Some(Open { table, columns, sums: Sums::default(), closed: false, totalled: false, line });
    }

    fn row(&mut self, sink: &mut Sink, line: u32, text: &str) {
        let Some(open) = &mut self.open else { return };
        let Some(table) = open.table else {
            sink.note(line, "row of an unknown table");
            return;
        };
        if open.totalled || table.skip.iter().any(|s| s.is_match(text)) {
            if self.settings.notes.iter().any(|n| n.is_match(text)) {
                sink.note(line, "note");
            } else {
                sink.not_consumed(line, text);
            }
            return;
        }
        let cells = match whole_row(tokens(text), open.columns.len()) {
            Ok(cells) => cells,
            Err(count) => {
                let width = open.columns.len();
                sink.fault(
                    "row_width",
                    format!("{count} cells where the table has {width} columns; not read"),
                    Locator::line(line),
                );
                return;
            }
        };
        if open.closed {
            check_totals(sink, open, table, line, &cells);
            return;
        }
        let from = sink.observations.len();
        let row = tabular::row(sink, table, &open.columns, &cells, line, &self.base);
        if row.numbers.is_empty() && !row.not_found {
            sink.not_consumed(line, text);
        }
        if row.not_found {
            let new = sink.observations.iter().enumerate().skip(from);
            let time = new
                .clone()
                .find(|(_, o)| o.quantity == "expected_retention_time")
                .map(|(_, o)| o.raw.clone())
                .unwrap_or_default();
            for (observation, _) in new.filter(|(_, o)| o.analyte.is_none()) {
                self.not_found.push(Missing { observation, time: time.clone() });
            }
        }
        open.sums.add(&row, table.totals.as_ref());
    }

    /// Gives the components that were not found their names, by their expected time.
    fn missing(&mut self, sink: &mut Sink, line: u32, text: &str) {
        let cells = tokens(text);
        let [name, time] = cells.as_slice() else {
            sink.not_consumed(line, text);
            return;
        };
        let time_at = Locator::at(line, time.column);
        if sink.number(&time.text, &time_at).is_none() {
            sink.note(line, "table heading");
            self.heads.push((line, cells));
            return;
        }
        let mut known = false;
        for missing in self.not_found.iter().filter(|m| m.time == time.text.trim()) {
            if let Some(observation) = sink.observations.get_mut(missing.observation) {
                observation.analyte = Some(name.text.trim().to_owned());
                known = true;
            }
        }
        let named = |o: &&crate::model::Observation| {
            o.status == Status::NotDetected && o.analyte.as_deref() == Some(name.text.trim())
        };
        if !known && sink.observations.iter().find(named).is_none() {
            let mut base = self.base.clone();
            base.analyte = Some(name.text.trim().to_owned());
            let mut lost = tabular::observation(&base, "area", &name.text, Locator::at(line, name.column));
            lost.status = Status::NotDetected;
            lost.flags.push("component_not_found".into());
            sink.observe(lost);
        }
        sink.note(line, format!("component not found: {}", name.text.trim()));
        sink.warn(
            "component_not_found",
            format!("{}, expected at {}, was not found", name.text.trim(), time.text.trim()),
            Locator::line(line),
        );
    }

    /// Lines that turned out to head no table: the first of them is the title.
    fn report_heads(&mut self, sink: &mut Sink) {
        for (line, cells) in std::mem::take(&mut self.heads) {
            if let [title] = cells.as_slice()
                && self.title.is_empty()
                && self.open.is_none()
            {
                self.title = title.text.trim().to_owned();
                sink.run_fact("Report Title", self.title.clone());
                sink.note(line, "title");
            } else if !self.in_missing {
                let text: Vec<_> = cells.iter().map(|c| c.text.as_str()).collect();
                sink.not_consumed(line, &text.join(","));
            }
        }
    }

    fn close_table(&mut self, sink: &mut Sink) {
        let Some(open) = self.open.take() else { return };
        let required = open.table.and_then(|t| t.totals.as_ref()).is_some_and(|t| t.required);
        if required && open.sums.rows > 0 && !open.totalled {
            sink.fault("totals_missing", "the table has no line of totals", Locator::line(open.line));
        }
    }
}

fn check_totals(sink: &mut Sink, open: &mut Open, table: &TableSpec, line: u32, cells: &[Cell]) {
    open.totalled = true;
    sink.note(line, "totals");
    let Some(totals) = &table.totals else { return };
    for (index, cell) in cells.iter().enumerate() {
        if cell.raw.is_empty() || cell.raw.chars().all(|c| c == '-') {
            continue;
        }
        let at = Locator::at(line, cell.column);
        let heading = open.columns.get(index).map_or("", |c| c.heading.as_str());
        match sink.number(&cell.raw, &at) {
            None => sink.fault("totals_unread", format!("\"{}\" is no total", cell.raw), at),
            Some(number) => {
                if let Err(why) = open.sums.check(index, &number, false, totals) {
                    sink.fault("totals_differ", format!("{heading}: {why}"), at);
                }
            }
        }
    }
}

fn is_ruler(text: &str) -> bool {
    text.contains("--") && text.split(',').all(|c| c.trim().trim_matches('"').chars().all(|c| c == '-'))
}

/// Tokens between commas; commas within quotes belong to the token, `""` is a quote.
fn tokens(text: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut current = Token { text: String::new(), quoted: false, column: 1 };
    let mut inside = false;
    let mut chars = text.chars().enumerate().peekable();
    while let Some((index, c)) = chars.next() {
        match c {
            '"' if inside && chars.peek().is_some_and(|(_, next)| *next == '"') => {
                current.text.push('"');
                chars.next();
            }
            '"' => {
                inside = !inside;
                if inside {
                    current.quoted = true;
                    current.column = index as u32 + 2;
                }
            }
            ',' if !inside => {
                out.push(std::mem::replace(
                    &mut current,
                    Token { text: String::new(), quoted: false, column: index as u32 + 2 },
                ));
            }
            _ => current.text.push(c),
        }
    }
    out.push(current);
    out
}

/// Keys are quoted and end with a colon; what follows up to the next key is the value.
fn head_pairs(tokens: &[Token]) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, Vec<&Token>)> = Vec::new();
    for token in tokens {
        // Right after its key a quoted text is a value, even one that ends with a colon.
        let follows_key = pairs.last().is_some_and(|(_, values)| values.is_empty());
        let is_key = token.quoted && token.text.trim_end().ends_with(':');
        if is_key && !follows_key {
            let key = token.text.trim().trim_end_matches(':').trim();
            pairs.push((key.to_owned(), Vec::new()));
        } else if let Some((_, values)) = pairs.last_mut() {
            values.push(token);
        }
    }
    pairs.into_iter().map(|(key, values)| (key, join(&values))).collect()
}

/// Unquoted neighbours are one number that fell apart at its decimal comma.
fn join(values: &[&Token]) -> String {
    let mut out = String::new();
    let mut before: Option<&Token> = None;
    for token in values {
        let text = token.text.trim();
        if text.is_empty() {
            continue;
        }
        match before {
            Some(last) if !last.quoted && !token.quoted => out.push(','),
            Some(_) => out.push(' '),
            None => {}
        }
        out.push_str(text);
        before = Some(token);
    }
    out
}

/// Names from the first heading line; bracketed units, or the rest of the name, from the second.
fn headings(names: &[Token], units: &[Token]) -> Vec<Heading> {
    names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let below = units.get(index).map_or("", |u| u.text.trim());
            let unit = below.strip_prefix('[').and_then(|u| u.strip_suffix(']'));
            let mut name = name.text.trim().to_owned();
            if unit.is_none() && !below.is_empty() && below != "#" {
                name = format!("{name} {below}").trim().to_owned();
            }
            Heading { name, unit: unit.map(str::to_owned) }
        })
        .collect()
}

/// Brings a row to the table's width; `Err` is the number of cells that it has.
fn whole_row(mut tokens: Vec<Token>, width: usize) -> Result<Vec<Cell>, usize> {
    let count = tokens.len();
    while tokens.len() > width {
        let split = tokens.windows(2).position(|pair| {
            let [whole, fraction] = pair else {
                return false;
            };
            let digits = whole.text.trim().trim_start_matches(['+', '-']);
            let is_number = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
            let mantissa = fraction.text.trim().split(['e', 'E']).next();
            !whole.quoted && !fraction.quoted && is_number(digits) && mantissa.is_some_and(is_number)
        });
        let Some(at) = split else {
            // Empty cells at the end are not columns.
            match tokens.last() {
                Some(last) if last.text.trim().is_empty() => {
                    tokens.pop();
                    continue;
                }
                _ => return Err(count),
            }
        };
        let fraction = tokens.remove(at + 1);
        if let Some(whole) = tokens.get_mut(at) {
            whole.text = format!("{},{}", whole.text.trim(), fraction.text.trim());
        }
    }
    if tokens.len() < width {
        return Err(count);
    }
    Ok(tokens.into_iter().map(|t| Cell { raw: t.text.trim().to_owned(), column: t.column }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_lines_by_their_keys() {
        let pairs = head_pairs(&tokens(r#""Delay Time:",0,00,"min","End Time:",14,00,"min""#));
        assert_eq!(
            pairs,
            [("Delay Time".to_owned(), "0,00 min".to_owned()), ("End Time".to_owned(), "14,00 min".to_owned())]
        );
        let pairs = head_pairs(&tokens(r#""Reprocess Number:","kt-pr-lab2:  27919",,"#));
        assert_eq!(pairs[0].1, "kt-pr-lab2:  27919");
        let pairs = head_pairs(&tokens(r#""Sample Name:","odd:","Study:"," ""#));
        assert_eq!(pairs[0].1, "odd:");
        assert_eq!(pairs[1].1, "");
    }

    #[test]
    fn a_number_that_fell_apart_is_joined() {
        let row = tokens(r#""","","5627371,87",1,97e+06,"100,00","100,00","","""#);
        let cells = whole_row(row, 8).unwrap();
        assert_eq!(cells[3].raw, "1,97e+06");
        assert!(whole_row(tokens("1,2"), 3).is_err());
    }
}
