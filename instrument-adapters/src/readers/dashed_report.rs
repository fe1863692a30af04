//! Printed reports whose tables have dashes above them, a group of dashes for each column.
//!
//! ```text
//!  Sample    : SX20260001
//!  Signal    : TIC: 01.D\data.ms
//!
//!  peak  R.T.  PK   peak      corr.
//!    #   min   TY  height     area
//!  ---  ----- ---  -------   -------
//!   1   6.055   M  1822685  14727243
//! ```
//!
//! Numbers may be wider than their dashes: a word belongs to the one group that it overlaps.

use schemars::JsonSchema;
use serde::Deserialize;

use super::delimited::squeeze;
use super::ruled_report::layout::{pair, split_pairs, words};
use super::{Proof, ReaderInput};
use crate::model::Locator;
use crate::sink::Sink;
use crate::spec::{Pattern, TableSpec};
use crate::tabular::{self, Base, Cell, Column, Heading, Sums};
use crate::text::Line;

/// Layout of the report.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The title of the report.
    title: Pattern,
    /// Key of a signal; its values follow.
    signal_key: Pattern,
    /// Value of that key; captures `signal` and `detail`.
    signal: Pattern,
    /// The end mark: a stamp under the last table.
    end: Pattern,
    /// A stamp under each page, after which another page may come.
    page: Option<Pattern>,
}

struct Open<'a> {
    spec: &'a TableSpec,
    columns: Vec<Column<'a>>,
    groups: Vec<(usize, usize)>,
    sums: Sums,
    totalled: bool,
    line: u32,
}

struct State<'s, 'a> {
    settings: &'s Settings,
    base: Base,
    /// Lines that may be headings.
    pending: Vec<(u32, String)>,
    open: Option<Open<'a>>,
    tables: usize,
    ended: bool,
    paged: bool,
}

pub(crate) fn read<'a>(settings: &Settings, input: &ReaderInput, sink: &mut Sink<'a>) -> Proof {
    let mut state = State {
        settings,
        base: Base::default(),
        pending: Vec::new(),
        open: None,
        tables: 0,
        ended: false,
        paged: false,
    };
    for line in &input.text.lines {
        if !sink.spend(line.text.len() / 8 + 1, Locator::line(line.number)) {
            break;
        }
        state.line(sink, line);
    }
    state.flush(sink);
    state.close_table(sink);
    sink.flag_since(0);
    let last = Locator::line(input.text.lines.last().map_or(0, |l| l.number));
    if state.tables == 0 {
        sink.fault("no_table", "no table that the adapter knows stands under dashes", last.clone());
    }
    if !state.ended && !state.paged {
        sink.fault("end_mark_missing", "the report has no end mark: the file is cut", last);
    }
    match (sink.broken, state.ended) {
        (true, _) => Proof::Fails,
        (false, true) => Proof::Holds,
        (false, false) => Proof::None,
    }
}

impl<'a> State<'_, 'a> {
    fn line(&mut self, sink: &mut Sink<'a>, line: &Line) {
        let text = line.text.trim_start_matches(['\u{c}', '\u{feff}']).trim_end();
        if text.trim().is_empty() {
            self.flush(sink);
            return;
        }
        if let Some(groups) = dashes(text) {
            self.open_table(sink, line.number, groups);
        } else if self.settings.end.is_match(text) {
            self.flush(sink);
            self.ended = true;
            sink.note(line.number, "end mark");
        } else if self.settings.page.as_ref().is_some_and(|p| p.is_match(text)) {
            self.flush(sink);
            self.paged = true;
            sink.note(line.number, "foot of a page");
        } else if sink.message(line.number, text) {
        } else if self.open.as_ref().is_some_and(|open| !open.totalled) {
            self.row(sink, line.number, text);
        } else if self.settings.title.is_match(text) {
            sink.run_fact("report_title", text.trim());
            sink.note(line.number, "title");
        } else {
            self.head(sink, line.number, text);
        }
    }

    /// `left : value      right : value`, or a line that may be a heading.
    fn head(&mut self, sink: &mut Sink<'a>, line: u32, text: &str) {
        let (left, right) = split_pairs(text);
        let left = left.and_then(|l| pair(&l).filter(|(key, _)| key.starts_with(char::is_alphabetic)));
        if left.is_none() && right.is_none() {
            self.pending.push((line, text.to_owned()));
            return;
        }
        for (key, value) in [left, right].into_iter().flatten() {
            self.fact(sink, line, &squeeze(&key), &squeeze(&value));
        }
    }

    fn fact(&mut self, sink: &mut Sink<'a>, line: u32, key: &str, value: &str) {
        sink.note(line, format!("run: {key}"));
        if self.settings.signal_key.is_match(key) {
            self.close_table(sink);
            let part = |name| self.settings.signal.capture(value, name).filter(|p| !p.is_empty()).map(str::to_owned);
            self.base.context.remove("signal_detail");
            self.base.context.insert("signal".into(), part("signal").unwrap_or_else(|| value.to_owned()));
            if let Some(detail) = part("detail") {
                self.base.context.insert("signal_detail".into(), detail);
            }
            return;
        }
        let run = &sink.spec.run;
        let holds = |keys: &[String]| !value.is_empty() && keys.iter().any(|k| k.eq_ignore_ascii_case(key));
        if holds(&run.sample) {
            self.base.sample = Some(value.to_owned());
        } else if holds(&run.injection) {
            self.base.injection = Some(value.to_owned());
        } else if holds(&run.acquired_at) {
            self.base.acquired_at = sink.date(value, Locator::line(line));
        }
        sink.run_fact(key, value);
    }

    fn open_table(&mut self, sink: &mut Sink<'a>, line: u32, groups: Vec<(usize, usize)>) {
        let mut headings = vec![Heading::default(); groups.len()];
        for (number, text) in std::mem::take(&mut self.pending) {
            for (start, end, word) in words(&text) {
                let Some(heading) = headings.get_mut(nearest(start + end, &groups)) else { continue };
                if !heading.name.is_empty() {
                    heading.name.push(' ');
                }
                heading.name.push_str(&word);
            }
            sink.note(number, "table heading");
        }
        sink.note(line, "ruler");
        let at = Locator::line(line);
        let Some(spec) = tabular::table_for(sink.spec, "", &headings) else {
            sink.fault("unknown_table", "the adapter knows no table with these headings", at);
            return;
        };
        self.close_table(sink);
        let columns = tabular::resolve(sink, spec, &headings, &at);
        self.tables += 1;
        self.open = Some(Open { spec, columns, groups, sums: Sums::default(), totalled: false, line });
    }

    fn row(&mut self, sink: &mut Sink<'a>, line: u32, text: &str) {
        let Some(open) = &mut self.open else { return };
        if let Some(totals) = open.spec.totals.as_ref()
            && let Some(pattern) = &totals.line
            && let Some(found) = pattern.0.find(text)
        {
            open.totalled = true;
            sink.note(line, "totals");
            let rest = text.get(found.end()..).unwrap_or_default();
            let at = Locator::line(line);
            let column =
                open.columns.iter().position(|c| c.spec.is_some_and(|s| s.quantity.as_deref() == Some("area")));
            match (sink.number(rest, &at), column) {
                (Some(number), Some(column)) => {
                    if let Err(why) = open.sums.check(column, &number, false, totals) {
                        sink.fault("totals_differ", why, at);
                    }
                }
                _ => sink.fault("totals_unread", format!("\"{}\" is no total", rest.trim()), at),
            }
            return;
        }
        let mut cells = vec![Cell::default(); open.groups.len()];
        let mut before: Option<(usize, usize)> = None;
        for (start, end, word) in words(text) {
            let at = start as u32 + 1;
            let mut over = overlaps(start, end, &open.groups);
            // The 2 of `VB 2` is printed beside the dashes of its column.
            if let (true, Some((index, _))) = (over.is_empty(), before.filter(|(_, end)| end + 1 == start)) {
                over.push(index);
            }
            let [index] = over[..] else {
                let message = format!("\"{word}\" stands under no single column; the row is not read");
                sink.fault("column_overflow", message, Locator::at(line, at));
                return;
            };
            before = Some((index, end));
            let Some(cell) = cells.get_mut(index) else { continue };
            if cell.raw.is_empty() {
                cell.column = at;
            } else {
                cell.raw.push(' ');
            }
            cell.raw.push_str(&word);
        }
        let row = tabular::row(sink, open.spec, &open.columns, &cells, line, &self.base);
        if row.numbers.is_empty() && !row.not_found {
            sink.not_consumed(line, text);
        }
        open.sums.add(&row, open.spec.totals.as_ref());
    }

    fn flush(&mut self, sink: &mut Sink<'a>) {
        for (line, text) in std::mem::take(&mut self.pending) {
            sink.not_consumed(line, &text);
        }
    }

    fn close_table(&mut self, sink: &mut Sink<'a>) {
        let Some(open) = self.open.take() else { return };
        let required = open.spec.totals.as_ref().is_some_and(|t| t.required);
        if required && !open.totalled {
            let message = format!("table {} has no line of totals", open.spec.name);
            sink.fault("totals_missing", message, Locator::line(open.line));
        }
    }
}

/// First and last (exclusive) character of each group, where a line is dashes and blanks only.
fn dashes(text: &str) -> Option<Vec<(usize, usize)>> {
    let groups: Vec<_> = words(text).into_iter().map(|(start, end, _)| (start, end)).collect();
    let only = text.chars().all(|c| c == '-' || c == ' ');
    (only && groups.len() > 2).then_some(groups)
}

/// The group whose middle is nearest to a word's; `twice` is twice the middle.
fn nearest(twice: usize, groups: &[(usize, usize)]) -> usize {
    let distance = |(start, end): &(usize, usize)| (start + end).abs_diff(twice);
    groups.iter().enumerate().min_by_key(|(_, g)| distance(g)).map_or(0, |(index, _)| index)
}

fn overlaps(start: usize, end: usize, groups: &[(usize, usize)]) -> Vec<usize> {
    let over = |(a, b): &(usize, usize)| start < *b && *a < end;
    groups.iter().enumerate().filter(|(_, g)| over(g)).map(|(index, _)| index).collect()
}
