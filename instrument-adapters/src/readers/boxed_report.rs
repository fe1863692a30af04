//! Reports printed as text in boxes of line-drawing characters.
//!
//! ```text
//!   ┌───────┬────────┬──────────┐
//!   │    RT │   Area │Name      │
//!   │ [min] │        │          │
//!   ├───────┼────────┼──────────┤
//!   │ 1.169 │  6094. │Aspirin   │
//!   │       │   3336 │          │
//!   └───────┴────────┴──────────┘
//! ```
//!
//! A record ends at the next rule; what does not fit into its cell goes on in the line below, numbers
//! too. Boxes of one cell are titles, those of an even number keys with their values, others tables.
//! A page ends with its number and a double line.

use schemars::JsonSchema;
use serde::Deserialize;

use super::delimited::squeeze;
use super::{Proof, ReaderInput};
use crate::model::Locator;
use crate::sink::Sink;
use crate::spec::{Pattern, Role, TableSpec};
use crate::tabular::{self, Base, Cell, Column, Heading, Sums};
use crate::text::Line;

/// Layout of the report.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// `Page 1 of 2`; captures `page` and `pages`.
    page: Pattern,
    /// Other cells at the foot of a page; the captures' names are those in `run`.
    #[serde(default)]
    foot: Vec<Pattern>,
    /// Key of a signal.
    signal_key: Pattern,
    /// Value of that key; captures `signal` and `detail`.
    signal: Pattern,
}

/// One line of a cell.
#[derive(Debug, Clone)]
struct Piece {
    text: String,
    line: u32,
    column: u32,
    /// It leaves no blank at its end: a word may have been cut.
    full: bool,
}

type Pieces = Vec<Piece>;

struct Open<'a> {
    spec: &'a TableSpec,
    columns: Vec<Column<'a>>,
    sums: Sums,
    totalled: bool,
    line: u32,
}

struct State<'s, 'a> {
    settings: &'s Settings,
    base: Base,
    /// The record under way, cell by cell.
    record: Vec<Pieces>,
    open: Option<Open<'a>>,
    /// The box under way has begun on this page.
    fresh: bool,
    pages: Option<(u32, u32)>,
    tables: usize,
    width: usize,
    ended: bool,
}

pub(crate) fn read<'a>(settings: &Settings, input: &ReaderInput, sink: &mut Sink<'a>) -> Proof {
    let mut state = State {
        settings,
        base: Base::default(),
        record: Vec::new(),
        open: None,
        fresh: false,
        pages: None,
        tables: 0,
        width: 0,
        ended: false,
    };
    for line in &input.text.lines {
        if !sink.spend(line.text.len() / 16 + 1, Locator::line(line.number)) {
            break;
        }
        state.line(sink, line);
    }
    state.end_record(sink);
    state.close_table(sink);
    sink.flag_since(0);
    let last = Locator::line(input.text.lines.last().map_or(0, |l| l.number));
    match state.pages {
        None => sink.fault("end_mark_missing", "no page is numbered: the report is cut", last.clone()),
        Some((page, pages)) if page != pages => {
            sink.fault("page_missing", format!("the last page is number {page} of {pages}"), last.clone());
        }
        Some(_) => {}
    }
    if state.tables == 0 {
        sink.fault("no_table", "no box holds a table that the adapter knows", last);
    }
    match (sink.broken, state.ended) {
        (true, _) => Proof::Fails,
        (false, true) => Proof::Holds,
        // The line under the last page is not whole; nothing else follows the page's number.
        (false, false) => Proof::None,
    }
}

impl<'a> State<'_, 'a> {
    fn line(&mut self, sink: &mut Sink<'a>, line: &Line) {
        let text = line.text.trim_matches(|c: char| c.is_whitespace() || c == '\u{c}' || c == '\u{feff}');
        self.width = self.width.max(line.text.trim_end().chars().count());
        match text.chars().next() {
            None => {}
            Some('┌' | '╔') => {
                self.end_record(sink);
                self.fresh = true;
                sink.note(line.number, "box");
            }
            Some('├' | '╠') => {
                self.end_record(sink);
                sink.note(line.number, "rule");
            }
            Some('└' | '╚') => {
                self.end_record(sink);
                self.close_if_totalled(sink);
                sink.note(line.number, "end of a box");
            }
            Some('═') if text.chars().all(|c| c == '═') => {
                self.end_record(sink);
                // A shorter line is a cut one.
                self.ended =
                    text.chars().count() >= self.width && self.pages.is_some_and(|(page, pages)| page == pages);
                sink.note(line.number, "end of a page");
            }
            Some('│' | '║') => self.cells(sink, line),
            Some(_) if sink.message(line.number, text) => {}
            Some(_) => sink.not_consumed(line.number, &line.text),
        }
    }

    /// Adds a line to the cells of the record.
    fn cells(&mut self, sink: &mut Sink<'a>, line: &Line) {
        let mut found = Vec::new();
        let mut part = String::new();
        let mut start = None;
        for (index, c) in line.text.chars().enumerate() {
            if matches!(c, '│' | '║') {
                if let Some(start) = start {
                    found.push(piece(&part, start, line.number));
                }
                start = Some(index + 1);
                part.clear();
            } else {
                part.push(c);
            }
        }
        if !part.trim().is_empty() {
            sink.fault("row_width", "the line does not reach the edge of its box", Locator::line(line.number));
            return;
        }
        if !sink.spend(found.len(), Locator::line(line.number)) {
            return;
        }
        if !self.record.is_empty() && self.record.len() != found.len() {
            self.end_record(sink);
        }
        self.record.resize(found.len(), Vec::new());
        for (cell, piece) in self.record.iter_mut().zip(found) {
            cell.extend((!piece.text.is_empty()).then_some(piece));
        }
    }

    fn end_record(&mut self, sink: &mut Sink<'a>) {
        let record = std::mem::take(&mut self.record);
        let Some(line) = record.iter().flatten().map(|p| p.line).min() else { return };
        let fresh = std::mem::take(&mut self.fresh);
        if record.iter().any(|cell| self.settings.page.is_match(&plain(cell))) {
            self.foot(sink, &record, line);
            return;
        }
        let headings: Vec<Heading> = record.iter().map(|cell| heading(cell)).collect();
        let table = tabular::table_for(sink.spec, "", &headings).filter(|t| !t.requires.is_empty());
        if let Some(table) = table {
            self.heading(sink, table, &headings, line);
            return;
        }
        // A table that a page has cut goes on without its headings.
        if self.open.as_ref().is_some_and(|o| o.columns.len() == record.len() && record.len() > 2) {
            self.row(sink, &record, line);
            return;
        }
        match record.len() {
            1 if fresh => {
                let title = record.first().map(|cell| plain(cell)).unwrap_or_default();
                sink.note(line, format!("title: {title}"));
                sink.run_fact("report_title", title);
            }
            0 | 1 => sink.not_consumed(line, &record.first().map(|c| plain(c)).unwrap_or_default()),
            count if count % 2 == 0 && record.chunks(2).all(|pair| is_key(pair.first(), count)) => {
                for pair in record.chunks(2) {
                    if let [key, value] = pair {
                        self.fact(sink, key, value, line);
                    }
                }
            }
            _ => {
                let text: Vec<String> = record.iter().map(|c| plain(c)).collect();
                sink.fault(
                    "unknown_table",
                    format!("the adapter knows no such table: {}", text.join(" | ")),
                    Locator::line(line),
                );
            }
        }
    }

    fn foot(&mut self, sink: &mut Sink<'a>, record: &[Pieces], line: u32) {
        self.ended = false;
        for cell in record {
            let text = plain(cell);
            if let Some(found) = self.settings.page.0.captures(&text) {
                let number = |n: &str| found.name(n).and_then(|m| m.as_str().parse::<u32>().ok());
                if let (Some(page), Some(pages)) = (number("page"), number("pages")) {
                    // A report that has ended may be followed by another.
                    let before =
                        self.pages.filter(|(page, pages)| page != pages || page + 1 == number("page").unwrap_or(0));
                    let before = before.map_or(0, |(page, _)| page);
                    if page != before + 1 {
                        sink.fault("page_missing", format!("page {page} follows page {before}"), Locator::line(line));
                    }
                    self.pages = Some((page, pages));
                }
                continue;
            }
            for pattern in &self.settings.foot {
                let names = pattern.0.capture_names().flatten();
                for (name, value) in names.filter_map(|n| Some((n, pattern.capture(&text, n)?))) {
                    sink.run_fact(name, value);
                }
            }
        }
        sink.note(line, "foot of a page");
    }

    fn fact(&mut self, sink: &mut Sink<'a>, key: &[Piece], value: &[Piece], line: u32) {
        let key = squeeze(plain(key).trim_end_matches(':'));
        let value = joined(sink, value, true);
        sink.note(line, format!("run: {key}"));
        if key.is_empty() || value.is_empty() {
            return;
        }
        if self.settings.signal_key.is_match(&key) {
            self.close_table(sink);
            let part = |name| self.settings.signal.capture(&value, name).map(str::to_owned);
            let (signal, detail) = (part("signal"), part("detail").filter(|d| !d.is_empty()));
            self.base.context.remove("signal_detail");
            self.base.context.insert("signal".into(), signal.unwrap_or(value));
            if let Some(detail) = detail {
                self.base.context.insert("signal_detail".into(), detail);
            }
            return;
        }
        let run = &sink.spec.run;
        let holds = |keys: &[String]| keys.iter().any(|k| k.eq_ignore_ascii_case(&key));
        if holds(&run.sample) {
            // The next sample of a report over several.
            self.close_table(sink);
            self.base = Base { sample: Some(value.clone()), ..Base::default() };
        } else if holds(&run.injection) {
            self.base.injection = Some(value.clone());
        } else if holds(&run.acquired_at) {
            self.base.acquired_at = sink.date(&value, Locator::line(line));
        }
        sink.run_fact(&key, value);
    }

    fn heading(&mut self, sink: &mut Sink<'a>, table: &'a TableSpec, headings: &[Heading], line: u32) {
        let same = |open: &Open| open.columns.iter().map(|c| &c.heading).eq(headings.iter().map(|h| &h.name));
        sink.note(line, format!("heading of table {}", table.name));
        if self.open.as_ref().is_some_and(|open| !open.totalled && same(open) && self.pages.is_some()) {
            return;
        }
        self.close_table(sink);
        let columns = tabular::resolve(sink, table, headings, &Locator::line(line));
        self.tables += 1;
        self.open = Some(Open { spec: table, columns, sums: Sums::default(), totalled: false, line });
    }

    fn row(&mut self, sink: &mut Sink<'a>, record: &[Pieces], line: u32) {
        let Some(open) = &mut self.open else { return };
        let totals = open.spec.totals.as_ref();
        let mut cells = Vec::new();
        for (column, pieces) in open.columns.iter().zip(record) {
            let words = column.spec.is_some_and(|s| matches!(s.role, Role::Sample | Role::Analyte | Role::Context));
            let raw = if words { joined(sink, pieces, true) } else { joined(sink, pieces, false) };
            cells.push(Cell { raw, column: pieces.first().map_or(1, |p| p.column) });
        }
        let total = totals.and_then(|t| t.line.as_ref()).is_some_and(|p| cells.iter().any(|c| p.is_match(&c.raw)));
        if let Some(totals) = totals.filter(|_| total) {
            open.totalled = true;
            sink.note(line, "totals");
            for (index, cell) in cells.iter().enumerate() {
                let at = Locator::at(line, cell.column);
                let Some(number) = sink.number(&cell.raw, &at) else { continue };
                if let Err(why) = open.sums.check(index, &number, false, totals) {
                    let heading = open.columns.get(index).map_or("", |c| c.heading.as_str());
                    sink.fault("totals_differ", format!("{heading}: {why}"), at);
                }
            }
            return;
        }
        if open.totalled {
            let text: Vec<String> = cells.into_iter().map(|c| c.raw).collect();
            sink.not_consumed(line, &text.join(" | "));
            return;
        }
        let row = tabular::row(sink, open.spec, &open.columns, &cells, line, &self.base);
        if row.numbers.is_empty() && !row.not_found {
            sink.fault("row_unread", "the row holds no number", Locator::line(line));
        }
        open.sums.add(&row, open.spec.totals.as_ref());
    }

    fn close_if_totalled(&mut self, sink: &mut Sink<'a>) {
        if self.open.as_ref().is_some_and(|o| o.totalled) {
            self.close_table(sink);
        }
    }

    fn close_table(&mut self, sink: &mut Sink<'a>) {
        let Some(open) = self.open.take() else { return };
        let required = open.spec.totals.as_ref().is_some_and(|t| t.required);
        if required && open.sums.rows > 0 && !open.totalled {
            let message = format!("table {} has no row of totals", open.spec.name);
            sink.fault("totals_missing", message, Locator::line(open.line));
        }
    }
}

/// A key is a word; where a line has more than one, each ends with a colon.
fn is_key(cell: Option<&Pieces>, count: usize) -> bool {
    let key = cell.map(|c| plain(c)).unwrap_or_default();
    key.is_empty() || (key.starts_with(char::is_alphabetic) && (count == 2 || key.ends_with(':')))
}

fn piece(part: &str, start: usize, line: u32) -> Piece {
    let lead = part.chars().take_while(|c| c.is_whitespace()).count();
    Piece {
        text: part.trim().to_owned(),
        line,
        column: (start + lead) as u32 + 1,
        full: part.chars().next_back().is_some_and(|c| !c.is_whitespace()),
    }
}

/// Name and unit of a column; names are cut anywhere, so they are compared without blanks.
fn heading(cell: &[Piece]) -> Heading {
    let whole: String = cell.iter().map(|p| p.text.as_str()).collect();
    let whole: String = whole.split_whitespace().collect();
    match whole.split_once('[') {
        Some((name, unit)) => Heading { name: name.to_owned(), unit: Some(unit.trim_end_matches(']').to_owned()) },
        None => Heading { name: whole, unit: None },
    }
}

/// A cell's lines put together as prose.
fn plain(cell: &[Piece]) -> String {
    squeeze(&words(cell).0)
}

/// A cell's lines put together: numbers without a blank, words as [`words`] has them.
fn joined(sink: &mut Sink, cell: &[Piece], prose: bool) -> String {
    if !prose {
        return cell.iter().map(|p| p.text.as_str()).collect();
    }
    let (text, doubtful) = words(cell);
    if let Some(piece) = doubtful {
        sink.warn_once(
            "wrapped_name",
            format!(
                "\"{text}\" is put together from lines; whether a blank stood before \"{}\" is not told",
                piece.text
            ),
            Locator::at(piece.line, piece.column),
        );
    }
    text
}

/// Words with a blank between the lines, unless a line ends with a joining character or a word has
/// filled it to the edge; the latter is a guess, and the line that follows is given.
fn words(cell: &[Piece]) -> (String, Option<&Piece>) {
    let mut out = String::new();
    let mut doubtful = None;
    let mut before: Option<&Piece> = None;
    for piece in cell {
        if let Some(before) = before
            && !before.text.ends_with(['_', '-', '\\', '/', '.'])
        {
            if before.full {
                doubtful = doubtful.or(Some(piece));
            } else {
                out.push(' ');
            }
        }
        out.push_str(&piece.text);
        before = Some(piece);
    }
    (out, doubtful)
}
