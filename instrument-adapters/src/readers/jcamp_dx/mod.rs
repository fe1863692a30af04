//! JCAMP-DX (4.24, 5.x): labelled records `##LABEL=value`, blocks from `##TITLE=` to `##END=`, and tables.
//!
//! Labels are compared without case, blanks, `-`, `/` and `_`; `$$` begins a comment; a value goes on until
//! the next `##`. A table's values are reckoned in exact decimals: ordinate × YFACTOR. The marks `##END=`,
//! NPOINTS, the abscissa of every line and the check values of differences prove that nothing is missing.

mod asdf;
mod tables;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Proof, ReaderInput};
use crate::model::{Locator, Severity};
use crate::numbers::{self, Number};
use crate::sink::Sink;
use crate::spec::Pattern;
use crate::tabular::Base;

/// Blocks within blocks.
const MAX_DEPTH: usize = 8;

/// What the adapter adds to the format.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Labels that the format asks for; one that is missing is worth a warning.
    #[serde(default)]
    required: Vec<String>,
    /// Labels that go into the context of every value: label → name.
    #[serde(default)]
    context: BTreeMap<String, String>,
    /// Labels with date and time in one, and those that belong together.
    #[serde(default)]
    date_time: Vec<String>,
    #[serde(default)]
    plausible: Vec<Plausible>,
}

/// What spectra of a kind reach, where they are what they say.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Plausible {
    data_type: Pattern,
    x_units: Pattern,
    /// The largest abscissa is at least this.
    reaches: String,
}

/// One labelled record.
#[derive(Debug, Clone, Default)]
struct Record {
    /// Without what does not count.
    label: String,
    /// As written.
    written: String,
    line: u32,
    /// The text behind the sign and the lines below it, with their numbers; comments are left out.
    lines: Vec<(u32, String)>,
}

impl Record {
    fn text(&self) -> String {
        let parts: Vec<&str> = self.lines.iter().map(|(_, text)| text.trim()).filter(|t| !t.is_empty()).collect();
        parts.join(" ")
    }
}

/// The records between a title and its end.
#[derive(Debug, Default)]
struct Block {
    records: Vec<Record>,
    inner: usize,
}

impl Block {
    fn record(&self, label: &str) -> Option<&Record> {
        let label = normal(label);
        self.records.iter().find(|r| r.label == label)
    }

    fn text(&self, label: &str) -> Option<String> {
        self.record(label).map(Record::text).filter(|t| !t.is_empty())
    }

    fn number(&self, label: &str) -> Option<Number> {
        numbers::parse(&self.text(label)?, &['.'])
    }

    fn decimal(&self, label: &str) -> Option<Decimal> {
        self.number(label)?.decimal()
    }
}

/// A label without case, blanks and the marks that do not count.
fn normal(label: &str) -> String {
    label.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '/' | '_')).flat_map(char::to_uppercase).collect()
}

pub(crate) fn read(settings: &Settings, input: &ReaderInput, sink: &mut Sink) -> Proof {
    let mut open: Vec<Block> = Vec::new();
    let (mut number, mut ended) = (0, false);
    for record in records(input, sink) {
        if !sink.spend(1, Locator::line(record.line)) {
            return Proof::Fails;
        }
        match record.label.as_str() {
            "TITLE" => {
                if open.len() >= MAX_DEPTH {
                    sink.fault("depth", "blocks within blocks beyond reason", Locator::line(record.line));
                    return Proof::Fails;
                }
                if open.is_empty() && ended {
                    sink.warn(
                        "several_files",
                        "another block follows the end of the first",
                        Locator::line(record.line),
                    );
                }
                if let Some(outer) = open.last_mut() {
                    outer.inner += 1;
                }
                open.push(Block { records: vec![record], inner: 0 });
            }
            "END" => match open.pop() {
                Some(block) => {
                    number += 1;
                    close(settings, &block, open.len(), number, sink);
                    ended = true;
                }
                None => sink.fault("end_without_title", "##END= without its ##TITLE=", Locator::line(record.line)),
            },
            _ => match open.last_mut() {
                Some(block) => block.records.push(record),
                None => sink.not_consumed(record.line, &record.written),
            },
        }
    }
    for block in open.iter().rev() {
        let line = block.records.first().map_or(1, |r| r.line);
        sink.fault("end_missing", "the block that begins here has no ##END=", Locator::line(line));
        number += 1;
        close(settings, block, 1, number, sink);
    }
    // A comment may follow the last mark: without an end of line it may be cut.
    let last = input.text.lines.iter().rfind(|l| !l.is_blank());
    match last {
        _ if !ended || !open.is_empty() => Proof::Fails,
        Some(line) if line.terminated => Proof::Holds,
        _ => Proof::None,
    }
}

/// All records of the file, in their order.
fn records(input: &ReaderInput, sink: &mut Sink) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    for line in &input.text.lines {
        let text = line.text.split_once("$$").map_or(line.text.as_str(), |(text, _)| text);
        if let Some((label, value)) = text.trim_start().strip_prefix("##").and_then(|rest| rest.split_once('=')) {
            records.push(Record {
                label: normal(label),
                written: label.trim().to_owned(),
                line: line.number,
                lines: vec![(line.number, value.to_owned())],
            });
        } else if let Some(record) = records.last_mut() {
            record.lines.push((line.number, text.to_owned()));
        } else if !text.trim().is_empty() {
            sink.not_consumed(line.number, text);
        }
    }
    records
}

/// Reads a block whose records are all there. `outer` is the number of blocks around it.
fn close(settings: &Settings, block: &Block, outer: usize, number: usize, sink: &mut Sink) {
    let line = block.records.first().map_or(1, |r| r.line);
    let kind = block.text("DATA TYPE").unwrap_or_default();
    let link = block.inner > 0 || kind.eq_ignore_ascii_case("link");
    facts(block, outer, number, sink);
    if link {
        let declared = block.text("BLOCKS").and_then(|t| t.parse::<usize>().ok());
        // Some programs count the outer block too.
        if declared.is_some_and(|n| n != block.inner && n != block.inner + 1) {
            let message = format!("{} blocks announced, {} found", declared.unwrap_or_default(), block.inner);
            sink.fault("blocks", message, Locator::line(line));
        }
        return;
    }
    for label in settings.required.iter().filter(|l| block.record(l).is_none()) {
        sink.warn("label_missing", format!("the block has no ##{label}="), Locator::line(line));
    }
    let base = base(settings, block, (outer > 0 || number > 1).then_some(number), sink);
    let mut tables = 0;
    for record in &block.records {
        match record.label.as_str() {
            "XYDATA" | "XYPOINTS" | "PEAKTABLE" => {
                tables += 1;
                tables::read(block, record, &base, sink);
            }
            "NTUPLES" | "RADATA" | "PEAKASSIGNMENTS" | "DATATABLE" | "PAGE" | "ASSIGNMENTS" => {
                tables += 1;
                let message = format!("##{}= is not read: only XYDATA, XYPOINTS and PEAK TABLE are", record.written);
                sink.fault("form_unread", message, Locator::line(record.line));
            }
            _ => {}
        }
    }
    if tables == 0 {
        sink.problem("no_table", Severity::Error, "the block has no table", Locator::line(line));
    }
    plausible(settings, block, &kind, sink);
}

/// What belongs to a table alone is not put into `run`.
fn is_table(label: &str) -> bool {
    matches!(
        label,
        "XYDATA" | "XYPOINTS" | "PEAKTABLE" | "NTUPLES" | "RADATA" | "PEAKASSIGNMENTS" | "DATATABLE" | "PAGE"
    )
}

fn facts(block: &Block, outer: usize, number: usize, sink: &mut Sink) {
    let mut seen: BTreeMap<&str, String> = BTreeMap::new();
    for record in block.records.iter().filter(|r| !is_table(&r.label)) {
        let text = record.text();
        let known = seen.entry(&record.label).or_insert_with(|| text.clone());
        if *known != text && !record.label.starts_with('$') {
            let message = format!("##{}= stands twice, as {known} and as {text}", record.written);
            sink.warn("label_twice", message, Locator::line(record.line));
        }
        // Of blocks within a block each has its own facts.
        let key = if outer == 0 { record.written.clone() } else { format!("block {number} {}", record.written) };
        sink.note(record.line, format!("run: {}", record.written));
        sink.run_fact(&key, text);
    }
}

fn base(settings: &Settings, block: &Block, number: Option<usize>, sink: &mut Sink) -> Base {
    let spec = sink.spec;
    let first = |labels: &[String]| labels.iter().find_map(|l| block.text(l));
    let mut base = Base { sample: first(&spec.run.sample), injection: first(&spec.run.injection), ..Base::default() };
    base.acquired_at = date(settings, block, sink);
    for (label, name) in &settings.context {
        if let Some(text) = block.text(label) {
            base.context.insert(name.clone(), text);
        }
    }
    if let Some(number) = number {
        base.context.insert("block".into(), number.to_string());
    }
    base
}

fn date(settings: &Settings, block: &Block, sink: &mut Sink) -> Option<String> {
    let spec = sink.spec;
    let whole = spec.run.acquired_at.iter().find_map(|l| Some((l, block.text(l)?)));
    let (label, text) = match whole {
        Some((label, text)) => (label.clone(), text),
        None => {
            let parts: Vec<String> = settings.date_time.iter().filter_map(|l| block.text(l)).collect();
            (settings.date_time.first()?.clone(), parts.join(" "))
        }
    };
    let line = block.record(&label).map_or(1, |r| r.line);
    sink.date(&text, Locator::line(line))
}

/// Spectra are exported under a wrong heading now and then.
fn plausible(settings: &Settings, block: &Block, kind: &str, sink: &mut Sink) {
    let units = block.text("XUNITS").unwrap_or_default();
    for rule in settings.plausible.iter().filter(|p| p.data_type.is_match(kind) && p.x_units.is_match(&units)) {
        let largest =
            [block.decimal("FIRSTX"), block.decimal("LASTX"), block.decimal("MAXX")].into_iter().flatten().max();
        let reaches = rule.reaches.parse::<Decimal>().unwrap_or_default();
        if let Some(largest) = largest.filter(|l| *l < reaches) {
            let line = block.record("XUNITS").map_or(1, |r| r.line);
            let message = format!("{kind} in {units} that ends at {largest}: kind or unit is doubtful");
            sink.problem("implausible_unit", Severity::Error, message, Locator::line(line));
        }
    }
}
