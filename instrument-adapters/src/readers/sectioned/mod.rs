//! Text in sections under titles such as `[Peak Table]` or `Raw Data:`; each holds keys with values, a table, or prose.
//!
//! ```text
//! [Sample Information]
//! Sample Name,SX20260001
//!
//! [Peak Table(Detector A-Ch1)]
//! # of Peaks,2
//! Peak#,R.Time,Area
//! 1,2.677,7633
//! 2,3.113,74069
//! ```
//!
//! A line of a key and its value is split at the first delimiter only: paths hold commas. The delimiter
//! is the declared one that most lines of the head have. A table may follow keys of its own in the same
//! section; its rows are counted against the number that such a key declares. A blank line ends a table.
//! A section whose title starts another run (`restart`) makes the facts before it those of another run.

mod settings;

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::delimited::{self, split, squeeze};
pub(crate) use settings::Settings;
use settings::{SectionKind, SectionSpec};

use super::{Proof, ReaderInput};
use crate::model::Locator;
use crate::sink::{Sink, slug};
use crate::spec::{Role, TableSpec, TotalsSpec};
use crate::tabular::{self, Base, Cell, Column, Heading, Row, Sums};
use crate::text::Line;

/// A table whose headings have been read.
struct Open<'a> {
    spec: &'a TableSpec,
    columns: Vec<Column<'a>>,
    base: Base,
    sums: Sums,
    line: u32,
}

/// A section under way.
struct Section<'s, 'a> {
    title: String,
    spec: Option<&'s SectionSpec>,
    line: u32,
    facts: BTreeMap<String, String>,
    captures: BTreeMap<String, String>,
    prose: String,
    /// Headings that wait for their line of units.
    waiting: Option<(u32, &'a TableSpec, Vec<Heading>)>,
    open: Option<Open<'a>>,
    tables: usize,
    rows: usize,
    largest: Option<Decimal>,
    smallest: Option<Decimal>,
}

struct State<'s, 'a> {
    settings: &'s Settings,
    delimiter: char,
    base: Base,
    date: Option<(u32, String)>,
    time: Option<String>,
    facts: BTreeMap<String, String>,
    /// Facts of the runs after the first.
    further: Vec<Value>,
    run: Option<Map<String, Value>>,
    titles: BTreeSet<String>,
    section: Option<Section<'s, 'a>>,
    tables: usize,
    ended: bool,
    held: bool,
}

pub(crate) fn read<'a>(settings: &Settings, input: &ReaderInput, sink: &mut Sink<'a>) -> Proof {
    let lines = &input.text.lines;
    let mut state = State {
        settings,
        delimiter: sniff(settings, lines),
        base: Base::default(),
        date: None,
        time: None,
        facts: BTreeMap::new(),
        further: Vec::new(),
        run: None,
        titles: BTreeSet::new(),
        section: None,
        tables: 0,
        ended: false,
        held: false,
    };
    for line in lines {
        if !sink.spend(1, Locator::line(line.number)) {
            break;
        }
        state.line(sink, line);
    }
    state.finish(sink, lines)
}

/// The delimiter that most lines of the head have; of equals the one declared first.
fn sniff(settings: &Settings, lines: &[Line]) -> char {
    let head: Vec<&Line> = lines
        .iter()
        .filter(|l| !l.is_blank() && !settings.section.is_match(&l.text))
        .filter(|l| settings.fact.as_ref().is_none_or(|f| !f.is_match(&l.text)))
        .take(60)
        .collect();
    let count = |d: char| head.iter().filter(|l| l.text.contains(d)).count();
    let mut best = (settings.delimiters.first().copied().unwrap_or('\t'), 0);
    for delimiter in &settings.delimiters {
        let found = count(*delimiter);
        if found > best.1 {
            best = (*delimiter, found);
        }
    }
    best.0
}

impl<'s, 'a> State<'s, 'a> {
    fn line(&mut self, sink: &mut Sink<'a>, line: &Line) {
        let text = line.text.as_str();
        if self.settings.end.as_ref().is_some_and(|e| e.is_match(text)) {
            self.close_section(sink, true);
            self.ended = true;
            sink.note(line.number, "end mark");
            return;
        }
        // Most lines start no section, and to say so costs less than to look for the title.
        let starts = self.settings.section.is_match(text);
        if let Some(title) = starts.then(|| self.settings.section.capture(text, "title")).flatten() {
            self.close_section(sink, true);
            self.open_section(sink, line.number, title);
            return;
        }
        if line.is_blank() || text.trim_matches([self.delimiter, ' ']).is_empty() {
            if let Some(section) = &mut self.section {
                close_table(sink, section);
            }
            return;
        }
        if sink.message(line.number, text) {
            return;
        }
        let kind = match &self.section {
            None => SectionKind::Facts,
            Some(section) => section.spec.map_or(SectionKind::Ignore, |s| s.kind),
        };
        match kind {
            SectionKind::Facts => match self.pair(text) {
                Some((key, value)) => self.run_fact(sink, line.number, &key, &value),
                None => sink.not_consumed(line.number, text),
            },
            SectionKind::Table => self.table_line(sink, line),
            SectionKind::Text => {
                if let Some(section) = &mut self.section {
                    section.prose.push_str(text.trim());
                    section.prose.push('\n');
                }
                sink.note(line.number, "prose");
            }
            SectionKind::Ignore => sink.note(line.number, "not read"),
        }
    }

    fn open_section(&mut self, sink: &mut Sink<'a>, line: u32, title: &str) {
        let restart = self.settings.restart.as_ref().is_some_and(|r| r.is_match(title));
        if restart && self.titles.contains(title) {
            self.restart();
        }
        self.titles.insert(title.to_owned());
        let spec = self.settings.sections.iter().find(|s| s.title.is_match(title));
        match spec {
            Some(_) => sink.note(line, format!("section {title}")),
            None => sink.warn_once(
                "unknown_section",
                format!("the adapter does not know the section \"{title}\"; it is not read"),
                Locator::line(line),
            ),
        }
        let captures = spec.and_then(|s| s.title.0.captures(title).map(|c| (s, c))).map(|(spec, found)| {
            let names = spec.title.0.capture_names().flatten();
            names.filter_map(|n| Some((n.to_owned(), found.name(n)?.as_str().trim().to_owned()))).collect()
        });
        self.section = Some(Section {
            title: title.to_owned(),
            spec,
            line,
            facts: BTreeMap::new(),
            captures: captures.unwrap_or_default(),
            prose: String::new(),
            waiting: None,
            open: None,
            tables: 0,
            rows: 0,
            largest: None,
            smallest: None,
        });
    }

    /// The facts that follow are those of another run.
    fn restart(&mut self) {
        self.base = Base::default();
        self.facts.clear();
        self.date = None;
        self.time = None;
        if let Some(facts) = self.run.take() {
            self.further.push(Value::Object(facts));
        }
        self.run = Some(Map::new());
    }

    /// Key and value, parted at the first delimiter only.
    fn pair(&self, text: &str) -> Option<(String, String)> {
        let (key, value) = match &self.settings.fact {
            Some(pattern) => {
                let found = pattern.0.captures(text)?;
                (found.name("key")?.as_str(), found.name("value").map_or("", |v| v.as_str()))
            }
            None => text.split_once(self.delimiter)?,
        };
        let bare = |t: &str| {
            let t = t.trim().trim_end_matches(self.delimiter).trim();
            t.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(t).to_owned()
        };
        let key = squeeze(bare(key).trim_end_matches(':'));
        (!key.is_empty()).then(|| (key, bare(value)))
    }

    fn run_fact(&mut self, sink: &mut Sink<'a>, line: u32, key: &str, value: &str) {
        sink.note(line, format!("run: {key}"));
        self.facts.entry(key.to_owned()).or_insert_with(|| value.to_owned());
        if value.is_empty() {
            return;
        }
        let rank = |keys: &[String]| keys.iter().any(|k| k.eq_ignore_ascii_case(key));
        let run = &sink.spec.run;
        let (sample, injection) = (run.sample.clone(), run.injection.clone());
        if rank(&run.acquired_at) {
            self.date = Some((line, value.to_owned()));
        } else if rank(&run.acquired_time) {
            self.time = Some(value.to_owned());
        }
        self.base.sample = self.first(&sample);
        self.base.injection = self.first(&injection);
        if let Some(name) = self.settings.context.get(key) {
            self.base.context.insert(name.clone(), value.to_owned());
        }
        let title = self.section.as_ref().map_or("", |s| s.title.as_str());
        if let Some(run) = &mut self.run {
            let name = sink.spec.run.names.get(key).cloned().unwrap_or_else(|| slug(key));
            run.entry(name).or_insert_with(|| Value::from(value));
            return;
        }
        // The same key may say something else in another section.
        let name = sink.spec.run.names.get(key).cloned().unwrap_or_else(|| slug(key));
        if sink.run.get(&name).is_some_and(|v| v.as_str() != Some(value)) {
            sink.run.entry(format!("{}_{name}", slug(title))).or_insert_with(|| Value::from(value));
        } else {
            sink.run_fact(key, value);
        }
    }

    /// The value of the first key that the run has; the order of the declaration counts.
    fn first(&self, keys: &[String]) -> Option<String> {
        first(&self.facts, keys).filter(|v| !v.is_empty()).cloned()
    }

    /// Date and time of the run, read when its first table comes.
    fn acquired(&mut self, sink: &mut Sink<'a>) {
        let Some((line, date)) = self.date.take() else { return };
        let written = match self.time.take().filter(|_| !date.contains(':')) {
            Some(time) => format!("{date} {time}"),
            None => date,
        };
        self.base.acquired_at = sink.date(&written, Locator::line(line));
    }

    fn table_line(&mut self, sink: &mut Sink<'a>, line: &Line) {
        let stripped = self.settings.strip.as_ref().and_then(|p| p.0.find(&line.text)).map_or(0, |m| m.end());
        let body = line.text.get(stripped..).unwrap_or_default();
        let mut cells = split(body, self.delimiter, self.settings.quotes);
        let lead = line.text.get(..stripped).unwrap_or_default().chars().count() as u32;
        for cell in &mut cells {
            cell.column = cell.column.saturating_add(lead);
        }
        let Some(section) = &mut self.section else { return };
        if let Some((at, table, mut headings)) = section.waiting.take() {
            for (heading, cell) in headings.iter_mut().zip(&cells) {
                heading.unit = (!cell.raw.is_empty()).then(|| cell.raw.clone());
            }
            sink.note(line.number, "units");
            self.open_table(sink, at, table, &headings);
            return;
        }
        if section.open.is_some() {
            self.row(sink, line, cells);
            return;
        }
        let width = cells.iter().rposition(|c| !c.raw.is_empty()).map_or(0, |last| last + 1);
        let headings: Vec<Heading> =
            cells.iter().take(width).map(|c| Heading { name: squeeze(&c.raw), unit: None }).collect();
        if let Some(table) = tabular::table_for(sink.spec, &section.title, &headings).filter(|t| !t.requires.is_empty())
        {
            sink.note(line.number, format!("heading of table {}", table.name));
            if section.spec.is_some_and(|s| s.units_row) {
                section.waiting = Some((line.number, table, headings));
            } else {
                self.open_table(sink, line.number, table, &headings);
            }
            return;
        }
        match self.pair(&line.text) {
            Some((key, value)) => {
                sink.note(line.number, format!("section: {key}"));
                if let Some(section) = &mut self.section {
                    section.facts.entry(key).or_insert(value);
                }
            }
            None => sink.not_consumed(line.number, &line.text),
        }
    }

    fn open_table(&mut self, sink: &mut Sink<'a>, line: u32, table: &'a TableSpec, headings: &[Heading]) {
        self.acquired(sink);
        let columns = tabular::resolve(sink, table, headings, &Locator::line(line));
        let Some(section) = &mut self.section else { return };
        let mut base = self.base.clone();
        base.context.insert("section".into(), section.title.clone());
        base.context.extend(section.captures.clone());
        if let Some(spec) = section.spec {
            for (key, name) in &spec.context {
                if let Some(value) = section.facts.get(key).filter(|v| !v.is_empty()) {
                    base.context.insert(name.clone(), value.clone());
                }
            }
            base.analyte = first(&section.facts, &spec.analyte).cloned().or(base.analyte);
            base.unit = first(&section.facts, &spec.unit).cloned();
            if let Some(written) = first(&section.facts, &spec.factor) {
                base.factor = sink.number(written, &Locator::line(line)).and_then(|n| n.decimal());
                base.context.insert("factor".into(), written.clone());
                if base.factor.is_none() {
                    sink.fault("factor_unread", format!("\"{written}\" is no factor"), Locator::line(line));
                }
            }
        }
        let named = base.sample.is_some() || columns.iter().any(|c| c.spec.is_some_and(|s| s.role == Role::Sample));
        if !named && !table.ignore {
            sink.warn_once("sample_missing", "the file names no sample above this table", Locator::line(line));
        }
        section.tables += 1;
        section.open = Some(Open { spec: table, columns, base, sums: Sums::default(), line });
        self.tables += usize::from(!table.ignore);
    }

    fn row(&mut self, sink: &mut Sink<'a>, line: &Line, cells: Vec<Cell>) {
        let Some(section) = &mut self.section else { return };
        let Some(open) = &mut section.open else { return };
        if open.spec.stop.iter().any(|s| s.is_match(&line.text)) {
            sink.note(line.number, "end of the table");
            close_table(sink, section);
            return;
        }
        if open.spec.skip.iter().any(|s| s.is_match(&line.text)) {
            sink.note(line.number, "skipped");
            return;
        }
        section.rows += 1;
        if open.spec.ignore {
            sink.note(line.number, format!("table {}, not read", open.spec.name));
            return;
        }
        let short = section.spec.is_some_and(|s| s.short_rows) && line.terminated;
        let row = delimited::cells_row(sink, open.spec, &open.columns, cells, line.number, &open.base, short);
        if open.columns.iter().any(|c| c.spec.is_some_and(|s| s.adds_up_to.is_some())) {
            open.sums.add(&row, None);
        }
        extremes(section, &row);
    }

    fn close_section(&mut self, sink: &mut Sink<'a>, terminated: bool) {
        let Some(mut section) = self.section.take() else { return };
        close_table(sink, &mut section);
        let Some(spec) = section.spec else { return };
        let at = Locator::line(section.line);
        if spec.kind == SectionKind::Text && !section.prose.trim().is_empty() {
            sink.run_fact(&section.title, section.prose.trim());
        }
        if spec.kind != SectionKind::Table {
            return;
        }
        if section.waiting.is_some() {
            sink.fault("units_missing", "the line of units is missing: the table is cut", at.clone());
        }
        let counted = count(sink, &section, spec, &self.facts);
        if let Some(wanted) = counted {
            if wanted != section.rows {
                let title = &section.title;
                let rows = section.rows;
                sink.fault("row_count", format!("section {title} declares {wanted} rows and has {rows}"), at.clone());
            } else {
                check_extremes(sink, &section, spec, &self.facts);
                self.held |= spec.last && terminated && section.tables > 0;
            }
        }
        let facts: Map<String, Value> = std::mem::take(&mut section.facts)
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| (slug(&key), Value::from(value)))
            .collect();
        if !facts.is_empty() && self.run.is_none() {
            let all = sink.run.entry("sections").or_insert_with(|| Value::Object(Map::new()));
            if let Some(all) = all.as_object_mut() {
                all.entry(section.title).or_insert(Value::Object(facts));
            }
        }
    }

    fn finish(mut self, sink: &mut Sink<'a>, lines: &[Line]) -> Proof {
        let ended_line = lines.iter().rfind(|l| !l.is_blank()).is_none_or(|l| l.terminated);
        let last = Locator::line(lines.last().map_or(0, |l| l.number));
        let in_table = self.section.as_ref().is_some_and(|s| s.open.is_some());
        self.close_section(sink, ended_line);
        for spec in self.settings.sections.iter().filter(|s| s.required) {
            if !self.titles.iter().any(|t| spec.title.is_match(t)) {
                let title = spec.title.0.as_str();
                sink.fault("section_missing", format!("no section {title}: the file is cut"), last.clone());
            }
        }
        if let Some(listed) = &self.settings.listed {
            let wanted = self.facts.iter().filter(|(key, _)| listed.is_match(key)).map(|(_, title)| title);
            for title in wanted.filter(|t| !self.titles.contains(*t)) {
                let message = format!("the contents list the section \"{title}\", which is not there: the file is cut");
                sink.fault("section_missing", message, last.clone());
            }
        }
        if self.tables == 0 && !sink.broken && !self.counts_nothing() {
            sink.fault("no_table", "no section holds a table that the adapter knows", last.clone());
        }
        if in_table && !ended_line && !sink.broken {
            sink.warn("line_not_ended", "the last row has no end of line: its last number may be cut", last.clone());
        }
        if let Some(facts) = self.run.take() {
            self.further.push(Value::Object(facts));
        }
        if !self.further.is_empty() {
            sink.run.insert("further_runs".into(), Value::Array(std::mem::take(&mut self.further)));
        }
        sink.flag_since(0);
        if self.settings.end.is_some() && !self.ended {
            sink.fault("end_mark_missing", "the end mark is missing: the file is cut", last);
        }
        if sink.broken {
            Proof::Fails
        } else if self.ended || self.held {
            Proof::Holds
        } else {
            Proof::None
        }
    }

    /// True where every section with a count declares that it is empty.
    fn counts_nothing(&self) -> bool {
        let tables = self.settings.sections.iter().filter(|s| s.kind == SectionKind::Table);
        tables.into_iter().any(|s| !s.count.is_empty() && self.titles.iter().any(|t| s.title.is_match(t)))
    }
}

/// Ends a table: the shares of a column come to what the adapter says, or rows are missing.
fn close_table(sink: &mut Sink, section: &mut Section) {
    let Some(open) = section.open.take() else { return };
    let exact = TotalsSpec::default();
    for (index, column) in open.columns.iter().enumerate() {
        let Some(wanted) = column.spec.and_then(|s| s.adds_up_to.as_deref()) else { continue };
        let Some(number) = crate::numbers::parse(wanted, &['.']).filter(|_| open.sums.rows > 0) else { continue };
        if let Err(why) = open.sums.check(index, &number, false, &exact) {
            sink.fault(
                "totals_differ",
                format!("{}: {why}; rows are missing", column.heading),
                Locator::line(open.line),
            );
        }
    }
}

/// The value of the first of the keys that is there.
fn first<'f>(facts: &'f BTreeMap<String, String>, keys: &[String]) -> Option<&'f String> {
    keys.iter().find_map(|k| facts.get(k)).filter(|v| !v.is_empty())
}

/// The number of rows that the section or the run declares.
fn count(sink: &mut Sink, section: &Section, spec: &SectionSpec, facts: &BTreeMap<String, String>) -> Option<usize> {
    let written = first(&section.facts, &spec.count).or_else(|| first(facts, &spec.count))?;
    let number = written.parse().ok();
    if number.is_none() {
        sink.fault("count_unread", format!("\"{written}\" is no number of rows"), Locator::line(section.line));
    }
    number
}

/// Keeps the largest and the smallest number of a curve.
fn extremes(section: &mut Section, row: &Row) {
    if !section.spec.is_some_and(|s| !s.largest.is_empty() || !s.smallest.is_empty()) {
        return;
    }
    for value in row.numbers.values().filter_map(|n| n.decimal()) {
        section.largest = Some(section.largest.map_or(value, |l| l.max(value)));
        section.smallest = Some(section.smallest.map_or(value, |l| l.min(value)));
    }
}

/// Compares the extremes that were read with those that the file declares.
fn check_extremes(sink: &mut Sink, section: &Section, spec: &SectionSpec, facts: &BTreeMap<String, String>) {
    let pairs = [(section.largest, &spec.largest, "largest"), (section.smallest, &spec.smallest, "smallest")];
    for (found, keys, word) in pairs {
        let written = first(&section.facts, keys).or_else(|| first(facts, keys)).cloned();
        let (Some(found), Some(written)) = (found, written) else { continue };
        let at = Locator::line(section.line);
        let Some(declared) = sink.number(&written, &at) else { continue };
        let allowed = declared.half_unit();
        if declared.decimal().is_some_and(|d| d.saturating_sub(found).abs() > allowed) {
            sink.warn(
                "extreme_differs",
                format!("the {word} value is {found}, the file declares {}", declared.value),
                at,
            );
        }
    }
}
