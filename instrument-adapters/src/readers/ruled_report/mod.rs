//! Printed reports whose tables hang under a ruler such as `----|-------|----|`.
//!
//! The ruler gives the column widths: cells may be empty or hold blanks, so rows are cut by it and
//! never at blanks. Pages may break a table; the head of a page repeats the head of the report.

pub(super) mod layout;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use layout::{column_of, cut, is_ruler, pair, place_words, ruler_columns, split_pairs, words};

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
    /// First line of a report, repeated on top of each page; capture `file`.
    start: Pattern,
    /// Sample name above the first frame; capture `sample`.
    sample: Pattern,
    /// The line that frames head and titles.
    frame: Pattern,
    /// A title between two frames.
    title: Pattern,
    /// Start of a signal's part; captures `signal` and `detail`.
    signal: Pattern,
    /// `Page 1 of 2`; captures `page` and `pages`.
    page: Pattern,
    /// The end mark.
    end: Pattern,
    /// The title that must occur once; without it nothing was reported.
    report: Pattern,
    /// Lines that are known and say nothing.
    notes: Vec<Pattern>,
    /// Start of a run stamp such as `Instrument 1 7/24/2023 9:49:13 PM`.
    stamp: Pattern,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Top,
    Head,
    Title,
    Body,
    After,
}

struct Open<'a> {
    table: Option<&'a TableSpec>,
    columns: Vec<Column<'a>>,
    ruler: Vec<(usize, usize)>,
    sums: Sums,
    totalled: bool,
    line: u32,
}

struct State<'s, 'a> {
    settings: &'s Settings,
    place: Place,
    base: Base,
    file: String,
    title: String,
    last_key: Option<String>,
    facts: BTreeMap<String, String>,
    pending: Vec<(u32, String)>,
    open: Option<Open<'a>>,
    pages: Option<(u32, u32)>,
    first: usize,
    ended: bool,
    all_ended: bool,
    reports: usize,
}

pub(crate) fn read(settings: &Settings, input: &ReaderInput, sink: &mut Sink) -> Proof {
    let mut state = State {
        settings,
        place: Place::Top,
        base: Base::default(),
        file: String::new(),
        title: String::new(),
        last_key: None,
        facts: BTreeMap::new(),
        pending: Vec::new(),
        open: None,
        pages: None,
        first: 0,
        ended: false,
        all_ended: true,
        reports: 0,
    };
    for line in &input.text.lines {
        if !sink.spend(line.text.len() / 8 + 1, Locator::line(line.number)) {
            break;
        }
        state.line(sink, line);
    }
    state.flush(sink);
    state.close_table(sink);
    sink.flag_since(state.first);
    let last = input.text.lines.last().map_or(0, |l| l.number);
    if !(state.ended && state.all_ended) {
        sink.fault(
            "end_mark_missing",
            "the report has no end mark: the file is cut or was not finished",
            Locator::line(last),
        );
    }
    if let Some((page, pages)) = state.pages.filter(|(page, pages)| page != pages) {
        sink.fault("page_missing", format!("the last page is number {page} of {pages}"), Locator::line(last));
    }
    if sink.broken { Proof::Fails } else { Proof::Holds }
}

impl<'a> State<'_, 'a> {
    fn line(&mut self, sink: &mut Sink<'a>, line: &Line) {
        let text = line.text.trim_start_matches('\u{c}');
        if line.is_blank() {
            self.flush(sink);
            return;
        }
        if let Some(found) = self.settings.page.0.captures(text) {
            let number = |n: &str| found.name(n).and_then(|m| m.as_str().parse().ok());
            if let (Some(page), Some(pages)) = (number("page"), number("pages")) {
                self.pages = Some((page, pages));
            }
            sink.note(line.number, "page mark");
            return;
        }
        if let Some(file) = self.settings.start.capture(text, "file") {
            self.start(sink, line.number, file);
            return;
        }
        if self.settings.end.is_match(text) {
            self.flush(sink);
            self.close_table(sink);
            sink.flag_since(self.first);
            self.ended = true;
            self.place = Place::After;
            sink.note(line.number, "end mark");
            return;
        }
        if self.settings.stamp.is_match(text) && self.place != Place::Head {
            sink.note(line.number, "stamp");
            return;
        }
        match self.place {
            Place::Top | Place::After => self.top(sink, line.number, text),
            Place::Head => self.head(sink, line.number, text),
            Place::Title => self.title(sink, line.number, text),
            Place::Body => self.body(sink, line.number, text),
        }
    }

    /// A report's first line, or the head of a further page of the same report.
    fn start(&mut self, sink: &mut Sink, line: u32, file: &str) {
        if self.reports > 0 && file == self.file && !self.ended {
            sink.note(line, "head of a further page");
            return;
        }
        if self.reports > 0 && !self.ended {
            self.all_ended = false;
            self.close_table(sink);
        }
        self.reports += 1;
        self.ended = false;
        self.place = Place::Top;
        self.file = file.to_owned();
        self.base = Base::default();
        self.title.clear();
        self.facts.clear();
        self.first = sink.observations.len();
        sink.run_fact("Data File", file);
        sink.note(line, "run: data file");
    }

    fn top(&mut self, sink: &mut Sink, line: u32, text: &str) {
        if let Some(sample) = self.settings.sample.capture(text, "sample") {
            if self.place == Place::Top {
                self.base.sample = (!sample.is_empty()).then(|| sample.to_owned());
                sink.run_fact("Sample Name", sample);
            }
            sink.note(line, "run: sample name");
        } else if self.settings.frame.is_match(text) && self.place == Place::Top {
            self.place = Place::Head;
            sink.note(line, "frame");
        } else if !self.is_note(text) {
            sink.not_consumed(line, text);
        } else {
            sink.note(line, "note");
        }
    }

    /// `left : value        right : value`, and values that wrap on to an indented line.
    fn head(&mut self, sink: &mut Sink, line: u32, text: &str) {
        if self.settings.frame.is_match(text) {
            self.end_head(sink, line);
            return;
        }
        // A sentence of the instrument may come among the facts, and counts as one of them.
        sink.message(line, text);
        let (left, right) = split_pairs(text);
        if let Some((key, value)) = right {
            self.fact(sink, line, &key, &value);
        }
        let Some(left) = left else { return };
        let indented = left.starts_with(' ');
        match pair(&left).filter(|_| !indented) {
            Some((key, value)) => {
                self.fact(sink, line, &key, &value);
                self.last_key = Some(key);
            }
            None if indented => self.continued(sink, line, left.trim()),
            None if self.is_note(&left) => sink.note(line, "note"),
            None => sink.not_consumed(line, &left),
        }
    }

    fn fact(&mut self, sink: &mut Sink, line: u32, key: &str, value: &str) {
        // "Last changed" follows both methods; the second one belongs to the one before it.
        let mut name = key.to_owned();
        if self.facts.contains_key(key)
            && let Some(last) = &self.last_key
        {
            name = format!("{key} ({last})");
        }
        self.facts.insert(name, value.to_owned());
        sink.note(line, format!("run: {key}"));
    }

    fn continued(&mut self, sink: &mut Sink, line: u32, text: &str) {
        let last = self.last_key.as_ref().and_then(|k| self.facts.get_mut(k));
        let Some(value) = last else {
            sink.not_consumed(line, text);
            return;
        };
        // Paths wrap in mid-word; a remark in brackets is a word of its own.
        if text.starts_with('(') {
            value.push(' ');
        }
        value.push_str(text);
        sink.note(line, "run: goes on");
    }

    fn end_head(&mut self, sink: &mut Sink, line: u32) {
        let run = &sink.spec.run;
        let find = |keys: &[String]| keys.iter().find_map(|k| self.facts.get(k).filter(|v| !v.is_empty()).cloned());
        let (sample, injection, date) = (find(&run.sample), find(&run.injection), find(&run.acquired_at));
        if self.base.sample.is_none() {
            self.base.sample = sample;
        }
        self.base.injection = injection;
        if let Some(date) = date {
            self.base.acquired_at = sink.date(&date, Locator::line(line));
        }
        for (key, value) in std::mem::take(&mut self.facts) {
            sink.run_fact(&key, value);
        }
        self.last_key = None;
        self.place = Place::Title;
        sink.note(line, "frame");
    }

    fn title(&mut self, sink: &mut Sink<'a>, line: u32, text: &str) {
        if self.settings.frame.is_match(text) {
            self.place = Place::Body;
            sink.note(line, "frame");
        } else if self.settings.title.is_match(text) {
            self.title = text.trim().to_owned();
            if self.settings.report.is_match(text) {
                sink.run_fact("Report Title", text.trim());
            }
            sink.note(line, "title");
        } else {
            // A frame that closed nothing: the body has begun.
            self.place = Place::Body;
            self.body(sink, line, text);
        }
    }

    fn body(&mut self, sink: &mut Sink<'a>, line: u32, text: &str) {
        if self.settings.frame.is_match(text) {
            self.flush(sink);
            self.close_table(sink);
            self.place = Place::Title;
            sink.note(line, "frame");
        } else if self.settings.sample.is_match(text) {
            sink.note(line, "head of a further page");
        } else if let Some(found) = self.settings.signal.0.captures(text) {
            self.close_table(sink);
            let part = |n| found.name(n).map_or("", |m| m.as_str().trim());
            let signal = part("signal").trim_end_matches(',').trim();
            self.base.context.insert("signal".into(), signal.to_owned());
            self.base.context.remove("signal_detail");
            let detail = part("detail");
            if !detail.is_empty() {
                self.base.context.insert("signal_detail".into(), detail.to_owned());
            }
            sink.note(line, "signal");
        } else if is_ruler(text) {
            self.open_table(sink, line, text);
        } else if sink.message(line, text) {
            self.flush(sink);
        } else if self.open.is_some() {
            self.row(sink, line, text);
        } else if self.is_note(text) {
            sink.note(line, "note");
        } else {
            // Headings of a table come before the ruler that tells their columns.
            self.pending.push((line, text.to_owned()));
        }
    }

    fn is_note(&self, text: &str) -> bool {
        self.settings.notes.iter().any(|n| n.is_match(text))
    }

    /// Lines that turned out to head no table: pairs go to the run, the rest is reported.
    fn flush(&mut self, sink: &mut Sink) {
        for (line, text) in std::mem::take(&mut self.pending) {
            match pair(&text) {
                Some((key, value)) => {
                    sink.run_fact(&key, value);
                    sink.note(line, format!("run: {key}"));
                }
                None => sink.not_consumed(line, &text),
            }
        }
    }

    fn open_table(&mut self, sink: &mut Sink<'a>, line: u32, text: &str) {
        self.close_table(sink);
        let ruler = ruler_columns(text);
        let keep = self.pending.len().saturating_sub(2);
        let heads = self.pending.split_off(keep);
        self.flush(sink);
        let mut headings = vec![Heading::default(); ruler.len()];
        for (row, (head_line, head)) in heads.iter().enumerate() {
            place_words(head, &ruler, &mut headings, row == 0 && heads.len() > 1 || heads.len() == 1);
            sink.note(*head_line, "table heading");
        }
        sink.note(line, "ruler");
        let table = tabular::table_for(sink.spec, &self.title, &headings);
        let at = Locator::line(line);
        let columns = match table {
            Some(table) => tabular::resolve(sink, table, &headings, &at),
            None => {
                sink.fault("unknown_table", format!("the adapter knows no such table under \"{}\"", self.title), at);
                Vec::new()
            }
        };
        self.open = Some(Open { table, columns, ruler, sums: Sums::default(), totalled: false, line });
    }

    fn row(&mut self, sink: &mut Sink, line: u32, text: &str) {
        let Some(open) = &mut self.open else { return };
        let Some(table) = open.table else {
            sink.note(line, "row of an unknown table");
            return;
        };
        if let Some(totals) = &table.totals
            && totals.line.as_ref().is_some_and(|t| t.is_match(text))
        {
            let without = totals.without.as_ref().is_some_and(|w| w.is_match(text));
            check_totals(sink, open, line, text, without);
            return;
        }
        if table.skip.iter().any(|s| s.is_match(text)) {
            sink.note(line, "skipped");
            return;
        }
        if open.totalled {
            if self.settings.notes.iter().any(|n| n.is_match(text)) {
                sink.note(line, "note");
            } else {
                self.pending.push((line, text.to_owned()));
            }
            return;
        }
        if table.ignore {
            sink.note(line, format!("table {}, not read", table.name));
            return;
        }
        let cells = match lost_row(table, &open.columns, text) {
            Some(cells) => Ok(cells),
            None => cut(text, &open.ruler),
        };
        let cells = match cells {
            Ok(cells) => cells,
            Err(column) => {
                sink.fault(
                    "column_overflow",
                    format!("the row does not keep to the ruler at column {column}; not read"),
                    Locator::at(line, column),
                );
                return;
            }
        };
        let row = tabular::row(sink, table, &open.columns, &cells, line, &self.base);
        if row.numbers.is_empty() && !row.not_found {
            sink.not_consumed(line, text);
        }
        open.sums.add(&row, table.totals.as_ref());
    }

    fn close_table(&mut self, sink: &mut Sink) {
        let Some(open) = self.open.take() else { return };
        let Some(table) = open.table else { return };
        let required = table.totals.as_ref().is_some_and(|t| t.required);
        if required && open.sums.rows > 0 && !open.totalled {
            sink.fault(
                "totals_missing",
                format!("table {} has no line of totals", table.name),
                Locator::line(open.line),
            );
        }
    }
}

fn check_totals(sink: &mut Sink, open: &mut Open, line: u32, text: &str, without: bool) {
    open.totalled = true;
    sink.note(line, "totals");
    let Some(totals) = open.table.and_then(|t| t.totals.as_ref()) else {
        return;
    };
    let after = totals.line.as_ref().and_then(|t| t.0.find(text)).map_or(0, |m| m.end());
    for (start, end, word) in words(text) {
        if text.char_indices().nth(start).is_none_or(|(byte, _)| byte < after) {
            continue;
        }
        let at = Locator::at(line, start as u32 + 1);
        let Some(number) = sink.number(&word, &at) else {
            sink.fault("totals_unread", format!("\"{word}\" is no total"), at);
            continue;
        };
        let column = column_of((start + end) / 2, &open.ruler);
        if let Err(why) = open.sums.check(column, &number, without, totals) {
            let heading = open.columns.get(column).map_or("", |c| c.heading.as_str());
            sink.fault("totals_differ", format!("{heading}: {why}"), at);
        }
    }
}

/// A row of a component that was not found: its time, marks instead of numbers, its name.
///
/// Such rows keep to the ruler less strictly than others, so they are taken by their marks.
fn lost_row(table: &TableSpec, columns: &[Column], text: &str) -> Option<Vec<Cell>> {
    let words = words(text);
    let (first, rest) = words.split_first()?;
    let marks = rest.iter().take_while(|(_, _, w)| table.not_found.contains(w)).count();
    let last = rest.get(marks.checked_sub(1)?)?;
    let name: String = text.chars().skip(last.1).collect();
    let cells = columns.iter().map(|column| {
        let cell = |start: usize, raw: &str| Cell { raw: raw.to_owned(), column: start as u32 + 1 };
        match column.spec.map(|s| (s.role, s.quantity.as_deref())) {
            Some((Role::Value, Some("retention_time"))) => cell(first.0, &first.2),
            Some((Role::Value, _)) => cell(last.0, &last.2),
            Some((Role::Analyte, _)) => cell(last.1, name.trim()),
            _ => Cell::default(),
        }
    });
    Some(cells.collect())
}
