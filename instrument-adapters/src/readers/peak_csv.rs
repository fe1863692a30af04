//! A peak list without headings whose columns and sample are named in a companion of keys and values.

use schemars::JsonSchema;
use serde::Deserialize;

use super::delimited::{split, squeeze};
use super::{Proof, ReaderInput};
use crate::model::{Locator, Severity};
use crate::sink::Sink;
use crate::spec::Pattern;
use crate::tabular::{self, Base, Cell, Heading};
use crate::text::{self, Text};

/// Layout of the set.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Name of a peak list; capture `signal` is the signal's number.
    list: Pattern,
    /// Key of the number of columns.
    columns_key: String,
    /// Start of the keys that name the columns.
    column_key: String,
    /// Start of the keys that name the signals.
    signal_key: String,
    /// Key that must come last but for the columns: the companion is whole.
    signals_key: String,
}

/// Keys with value and unit or second part.
struct Facts(Vec<(String, String, String)>);

impl Facts {
    fn read(text: &Text) -> Self {
        let facts = text.lines.iter().filter(|l| !l.is_blank()).map(|line| {
            let mut cells = split_facts(&line.text).into_iter();
            let mut next = || cells.next().unwrap_or_default();
            let key = squeeze(&next());
            (key, next().trim().to_owned(), next().trim().to_owned())
        });
        Self(facts.collect())
    }

    fn get(&self, key: &str) -> Option<&(String, String, String)> {
        self.0.iter().find(|(k, ..)| k == key)
    }

    fn first(&self, keys: &[String]) -> Option<String> {
        let found = keys.iter().find_map(|k| self.get(k))?;
        (!found.1.is_empty()).then(|| found.1.clone())
    }
}

/// Splits a line of keys and values. Windows paths end with `\"`, which is not an escape.
fn split_facts(line: &str) -> Vec<String> {
    split(line, ',', true).into_iter().map(|c| c.raw).collect()
}

pub(crate) fn read(settings: &Settings, input: &ReaderInput, sink: &mut Sink) -> Proof {
    let Some(signal) = settings.list.capture(input.name, "signal") else {
        // The companion itself: facts of the run and no values.
        let facts = Facts::read(input.text);
        take_facts(sink, &facts, input.text);
        headings(settings, sink, &facts, input.text);
        sink.warn(
            "no_values",
            "this file names the columns; the values stand in the peak lists beside it",
            Locator::default(),
        );
        return if sink.broken { Proof::Fails } else { Proof::None };
    };
    let Some(companion) = input.companions.first() else {
        sink.fault(
            "companion_missing",
            "the file that names the sample and the columns is not beside this one; nothing is read",
            Locator::default(),
        );
        return Proof::Fails;
    };
    let Some(decoded) = text::decode(&companion.bytes, &sink.spec.text.encodings) else {
        sink.fault("companion_unread", format!("{} is in no declared encoding", companion.name), Locator::default());
        return Proof::Fails;
    };
    crate::adapter::doubt_text(sink, &decoded);
    let facts = Facts::read(&decoded);
    let (headings, base) = describe(settings, sink, &facts, signal, &decoded);
    rows(sink, input, &headings, &base);
    if sink.broken { Proof::Fails } else { Proof::None }
}

fn take_facts(sink: &mut Sink, facts: &Facts, text: &Text) {
    for (key, value, more) in &facts.0 {
        if key.starts_with("Column ") {
            continue;
        }
        let whole =
            if value.ends_with('\\') { format!("{value}{more}") } else { format!("{value} {more}").trim().to_owned() };
        sink.run_fact(key, whole);
    }
    for line in &text.lines {
        sink.note(line.number, "run");
    }
}

/// Headings of the list's columns, and what holds for its rows.
fn describe(
    settings: &Settings,
    sink: &mut Sink,
    facts: &Facts,
    signal: &str,
    companion: &Text,
) -> (Vec<Heading>, Base) {
    let nowhere = Locator::default();
    let signal: String = signal.trim_start_matches('0').to_owned();
    let run = &sink.spec.run;
    let mut base = Base { sample: facts.first(&run.sample), injection: facts.first(&run.injection), ..Base::default() };
    if let Some(date) = facts.first(&run.acquired_at) {
        base.acquired_at = sink.date(&date, nowhere.clone());
    }
    match facts.get(&format!("{} {signal}", settings.signal_key)) {
        Some((_, name, _)) => {
            let name = name.split(',').next().unwrap_or_default().trim();
            base.context.insert("signal".into(), name.to_owned());
        }
        None => sink.fault("signal_unknown", format!("the companion names no signal {signal}"), nowhere),
    }
    let headings = headings(settings, sink, facts, companion);
    for (key, value, _) in &facts.0 {
        if !key.starts_with(&settings.column_key) {
            sink.run_fact(key, value.clone());
        }
    }
    (headings, base)
}

/// The columns that the companion names, with a check that it names as many as it says.
fn headings(settings: &Settings, sink: &mut Sink, facts: &Facts, companion: &Text) -> Vec<Heading> {
    let nowhere = Locator::default();
    if companion.broken_line.is_some() || facts.get(&settings.signals_key).is_none() {
        sink.fault("companion_cut", "the companion is not whole", nowhere.clone());
    }
    let count: usize = facts.get(&settings.columns_key).and_then(|(_, n, _)| n.parse().ok()).unwrap_or(0);
    let mut headings = Vec::new();
    for number in 1..=count.min(100) {
        let Some((_, name, unit)) = facts.get(&format!("{} {number}", settings.column_key)) else {
            let message = format!("the companion says {count} columns and does not name {number}");
            sink.fault("companion_cut", message, nowhere.clone());
            continue;
        };
        headings.push(Heading { name: squeeze(name), unit: (!unit.is_empty()).then(|| unit.clone()) });
    }
    if count == 0 {
        sink.fault("companion_cut", "the companion names no columns", nowhere);
    }
    headings
}

fn rows(sink: &mut Sink, input: &ReaderInput, headings: &[Heading], base: &Base) {
    let at = Locator::line(1);
    let Some(table) = tabular::table_for(sink.spec, "", headings) else {
        sink.fault("unknown_table", "the adapter knows no such columns", at);
        return;
    };
    let columns = tabular::resolve(sink, table, headings, &at);
    for line in input.text.lines.iter().filter(|l| !l.is_blank()) {
        let cells: Vec<Cell> = split(&line.text, ',', true);
        if !sink.spend(cells.len(), Locator::line(line.number)) {
            return;
        }
        if cells.len() != columns.len() {
            sink.fault(
                "row_width",
                format!("{} cells where {} columns are named", cells.len(), columns.len()),
                Locator::line(line.number),
            );
            continue;
        }
        let row = tabular::row(sink, table, &columns, &cells, line.number, base);
        if row.numbers.is_empty() && !row.not_found {
            sink.problem("not_consumed", Severity::Error, "the row holds no number", Locator::line(line.number));
        }
    }
}
