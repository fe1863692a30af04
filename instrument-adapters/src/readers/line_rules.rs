//! Printouts and protocols of lines: rules say what each line is.
//!
//! The first rule whose pattern fits takes the line (and the next ones too, where it says `more`). Its
//! captures are what the line says: `value`, `unit`, `sample`, `analyte`, `injection`, `date`, `time`,
//! `datetime`, `raw`, `flag`; any other name goes into the value's `context`, or into `run` where the rule
//! lists it there. A rule without a value and without a status sets what holds for the lines below it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use super::delimited::{split, squeeze};
use super::{Proof, ReaderInput};
use crate::model::{Locator, Severity, Status};
use crate::sink::Sink;
use crate::spec::{Pattern, TableSpec};
use crate::tabular::{self, Base, Column, Heading};
use crate::text::Line;

/// Layout of the printout.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    rules: Vec<Rule>,
    /// Characters that the device puts around lines.
    #[serde(default)]
    trim: Vec<char>,
    /// Of tables within the printout.
    delimiter: Option<char>,
}

/// What one kind of line is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Rule {
    line: Pattern,
    /// What its `value` is.
    quantity: Option<String>,
    /// Unit that the line does not write.
    unit: Option<String>,
    analyte: Option<String>,
    /// State of the value, or of a line in place of one.
    status: Option<Status>,
    /// Put on the value.
    flag: Option<String>,
    /// A word is a result.
    #[serde(default)]
    text: bool,
    /// Captures that are facts of the run.
    #[serde(default)]
    run: Vec<String>,
    /// Names of `context` that no longer hold.
    #[serde(default)]
    clears: Vec<String>,
    /// The line begins a measurement: what was said of the last one no longer holds.
    #[serde(default)]
    starts: bool,
    /// The line ends a measurement.
    #[serde(default)]
    ends: bool,
    /// The line ends the file.
    #[serde(default)]
    end: bool,
    /// The line is reported to a person with this severity.
    problem: Option<Severity>,
    /// The line holds the headings of a table.
    #[serde(default)]
    heading: bool,
    /// The rules behind this one may take the line too.
    #[serde(default)]
    more: bool,
}

/// A table within the printout.
struct Open<'a> {
    table: &'a TableSpec,
    columns: Vec<Column<'a>>,
    delimiter: char,
}

#[derive(Default)]
struct State<'a> {
    table: Option<Open<'a>>,
    base: Base,
    date: Option<String>,
    time: Option<String>,
    /// Line where the measurement that is open began.
    open: Option<u32>,
    ended: bool,
    readings: usize,
    /// Numbers seen of lines that say `2 of 3`, by that total.
    counted: BTreeMap<usize, BTreeSet<usize>>,
}

pub(crate) fn read(settings: &Settings, input: &ReaderInput, sink: &mut Sink) -> Proof {
    let mut state = State::default();
    for line in &input.text.lines {
        if !sink.spend(1, Locator::line(line.number)) {
            break;
        }
        let whole = line.text.trim_matches(|c| settings.trim.contains(&c));
        let text = whole.trim_end();
        if text.trim().is_empty() {
            state.table = None;
        } else if !sink.message(line.number, text) && !state.row(sink, line, whole) {
            state.line(settings, sink, line, text);
        }
    }
    let last = Locator::line(input.text.lines.last().map_or(1, |l| l.number));
    let has_ends = settings.rules.iter().any(|r| r.ends);
    if let Some(line) = state.open.filter(|_| has_ends) {
        sink.fault("measurement_open", format!("the measurement of line {line} has no end: it is cut"), last.clone());
    }
    if state.readings == 0 {
        sink.fault("no_reading", "no line holds a reading", last.clone());
    }
    for (total, seen) in &state.counted {
        if seen.len() != *total || seen.last() != Some(total) {
            let what = format!("{} of {total} parts that the file counts are there", seen.len());
            sink.fault("part_missing", what, last.clone());
        }
    }
    let has_end = settings.rules.iter().any(|r| r.end);
    if has_end && !state.ended {
        sink.fault("no_end", "the last line of the printout is missing: it is cut", last);
    }
    sink.flag_since(0);
    number_readings(sink);
    match (sink.broken, has_end) {
        (true, _) => Proof::Fails,
        (false, true) => Proof::Holds,
        (false, false) => Proof::None,
    }
}

impl<'a> State<'a> {
    /// A row of the table that is open; a line of another width ends it.
    fn row(&mut self, sink: &mut Sink, line: &Line, text: &str) -> bool {
        let Some(open) = self.table.take() else { return false };
        let cells = split(text, open.delimiter, true);
        if cells.len() != open.columns.len() || !sink.spend(cells.len(), Locator::line(line.number)) {
            return false;
        }
        if open.table.skip.iter().any(|s| s.is_match(text)) {
            sink.note(line.number, "skipped");
            self.table = Some(open);
            return true;
        }
        let before = sink.observations.len();
        self.fix_date(sink, line.number);
        tabular::row(sink, open.table, &open.columns, &cells, line.number, &self.base);
        self.readings += sink.observations.len() - before;
        self.ended = false;
        self.table = Some(open);
        true
    }

    fn open(&mut self, settings: &Settings, sink: &mut Sink<'a>, line: &Line) {
        let text = line.text.trim_matches(|c| settings.trim.contains(&c));
        let Some(delimiter) = settings.delimiter else { return };
        let headings: Vec<Heading> =
            split(text, delimiter, true).iter().map(|c| Heading { name: squeeze(&c.raw), unit: None }).collect();
        match tabular::table_for(sink.spec, "", &headings) {
            Some(table) => {
                let columns = tabular::resolve(sink, table, &headings, &Locator::line(line.number));
                self.table = Some(Open { table, columns, delimiter });
                // A table that is known holds what it declares, be it curves that are not asked for.
                self.readings += 1;
            }
            None => {
                let what = "the adapter declares no table with these headings";
                sink.problem("unknown_table", Severity::Error, what, Locator::line(line.number));
            }
        }
    }

    fn fix_date(&mut self, sink: &mut Sink, line: u32) {
        if let Some(date) = &self.date {
            self.base.acquired_at = sink.date(&moment(date, self.time.as_deref()), Locator::line(line));
        }
    }

    fn line(&mut self, settings: &Settings, sink: &mut Sink<'a>, line: &Line, text: &str) {
        let mut taken = false;
        for rule in &settings.rules {
            if !rule.line.is_match(text) {
                continue;
            }
            // A cut end mark may still look like one.
            self.ended = rule.end && line.terminated;
            self.apply(rule, sink, line, text);
            if rule.heading {
                self.open(settings, sink, line);
            }
            taken = true;
            if !rule.more {
                break;
            }
        }
        if !taken {
            self.ended = false;
            let shown: String = text.trim().chars().take(80).collect();
            let what = format!("no rule of the adapter takes this line: {shown}");
            sink.problem("not_consumed", Severity::Error, what, Locator::line(line.number));
        }
    }

    fn apply(&mut self, rule: &Rule, sink: &mut Sink, line: &Line, text: &str) {
        let number = line.number;
        if rule.starts {
            self.open = Some(number);
            self.base = Base::default();
            (self.date, self.time) = (None, None);
        }
        self.base.context.retain(|name, _| !rule.clears.contains(name));
        if rule.starts || rule.ends {
            self.table = None;
        }
        let mut said = tabular::named(&rule.line, text);
        for name in &rule.run {
            if let Some(fact) = said.remove(name) {
                sink.run_fact(name, fact);
            }
        }
        let number_of = |said: &mut BTreeMap<String, String>, name| said.remove(name).and_then(|n| n.parse().ok());
        if let (Some(nth), Some(total)) = (number_of(&mut said, "nth"), number_of(&mut said, "total")) {
            self.counted.entry(total).or_default().insert(nth);
        }
        if let (Some(key), Some(fact)) = (said.get("key"), said.get("fact")) {
            sink.run_fact(key, fact.clone());
            said.retain(|name, _| name != "key" && name != "fact");
        }
        let what = text.trim().to_owned();
        if let Some(severity) = rule.problem {
            sink.problem("instrument_says", severity, format!("the instrument says: {what}"), Locator::line(number));
        }
        if rule.quantity.is_some() || rule.status.is_some() || rule.text {
            self.value(rule, sink, line, text, said);
        } else {
            sink.note(number, "taken");
            self.label(sink, said, number);
        }
        if rule.ends {
            self.open = None;
        }
    }

    /// What holds from here on.
    fn label(&mut self, sink: &mut Sink, said: BTreeMap<String, String>, number: u32) {
        for (name, text) in said {
            match name.as_str() {
                "sample" => self.base.sample = Some(text),
                "analyte" => self.base.analyte = Some(text),
                "injection" => self.base.injection = Some(text),
                "date" => self.date = Some(text),
                "time" => self.time = Some(text),
                "datetime" => (self.date, self.time) = (Some(text), None),
                _ => {
                    self.base.context.insert(name, text);
                }
            }
        }
        if let (Some(date), None) = (&self.date, &self.base.acquired_at)
            && let Some(date) = sink.date(&moment(date, self.time.as_deref()), Locator::line(number))
        {
            sink.run_fact("date", date);
        }
    }

    fn value(&mut self, rule: &Rule, sink: &mut Sink, line: &Line, text: &str, mut said: BTreeMap<String, String>) {
        let place = |name: &str| {
            let found = rule.line.0.captures(text)?.name(name)?;
            let lead = line.text.find(text).unwrap_or_default();
            let before = line.text.get(..lead + found.start())?;
            let blanks = found.as_str().chars().take_while(|c| c.is_whitespace()).count();
            u32::try_from(before.chars().count() + blanks + 1).ok()
        };
        let at = Locator { column: place("value").or_else(|| place("raw")), ..Locator::line(line.number) };
        let value = said.remove("value");
        let raw = said.remove("raw").or_else(|| value.clone()).unwrap_or_else(|| text.trim().to_owned());
        let mut base = self.base.clone();
        let given = [&mut base.sample, &mut base.analyte, &mut base.injection];
        for (slot, name) in given.into_iter().zip(["sample", "analyte", "injection"]) {
            if let Some(text) = said.remove(name) {
                *slot = Some(text);
            }
        }
        base.analyte = base.analyte.or_else(|| rule.analyte.clone());
        let date = said.remove("datetime").or_else(|| said.remove("date")).or_else(|| self.date.clone());
        let time = said.remove("time").or_else(|| self.time.clone());
        if let Some(date) = date {
            let whole = if date.contains(':') { date } else { moment(&date, time.as_deref()) };
            base.acquired_at = sink.date(&whole, Locator::line(line.number));
        }
        let quantity = rule.quantity.as_deref().unwrap_or("reading");
        let mut o = tabular::observation(&base, quantity, &raw, at.clone());
        if let Some(value) = &value {
            let read = tabular::reading(sink, value, rule.text, &at);
            if read.status == Status::Invalid && !sink.spec.tokens.contains_key(value.as_str()) {
                sink.problem("not_a_number", Severity::Error, format!("\"{value}\" is no number"), at.clone());
            }
            (o.status, o.bound) = (read.status, read.bound);
            o.value = read.number.map(|n| n.value);
        } else {
            o.status = if rule.text { Status::Text } else { Status::Invalid };
        }
        if let Some(status) = rule.status.filter(|_| matches!(o.status, Status::Ok | Status::Invalid)) {
            o.status = status;
        }
        let unit = said.remove("unit").or_else(|| rule.unit.clone());
        if let Some(written) = unit.filter(|_| o.status != Status::Text) {
            (o.unit, o.unit_raw) = tabular::unit_of(sink.spec, &written);
        }
        o.flags.extend(rule.flag.clone());
        o.flags.extend(said.remove("flag"));
        o.context.extend(said);
        let names_sample = rule.line.0.capture_names().flatten().any(|n| n == "sample");
        if names_sample && o.sample.is_none() {
            sink.warn("sample_missing", "the line names no sample", Locator::line(line.number));
        }
        self.readings += 1;
        sink.observe(o);
    }
}

fn moment(date: &str, time: Option<&str>) -> String {
    match time {
        Some(time) => format!("{date} {time}"),
        None => date.to_owned(),
    }
}

/// Readings of the same kind are distinguished by their order.
fn number_readings(sink: &mut Sink) {
    let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, o) in sink.observations.iter().enumerate().filter(|(_, o)| o.injection.is_none()) {
        let key = (o.sample.clone(), o.analyte.clone(), o.quantity.clone(), (*o.context).clone());
        groups.entry(key).or_default().push(index);
    }
    for members in groups.into_values().filter(|m| m.len() > 1) {
        for (order, index) in members.into_iter().enumerate() {
            if let Some(o) = sink.observations.get_mut(index) {
                o.injection = Some((order + 1).to_string());
            }
        }
    }
}
