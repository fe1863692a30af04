//! Points of a curve without headings: abscissa and value, under an optional line of quoted names and
//! a line of their values.
//!
//! ```text
//! "SampleName"    "Channel"
//! "SX20260001"    "PDA 254 nm"
//! 0.000000    0.000012
//! 0.016667    0.000015
//! ```
//!
//! With several curves a line of their wavelengths comes first, each row then has a value for each.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::delimited::{split, squeeze};
use super::{Proof, ReaderInput};
use crate::model::Locator;
use crate::sink::Sink;
use crate::spec::Pattern;
use crate::tabular::{self, Base, Cell};
use crate::text::Line;

/// Layout of the file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    delimiters: Vec<char>,
    /// Unit of the abscissa.
    x_unit: String,
    /// First cell of the line that holds the wavelengths of several curves.
    wavelengths: Pattern,
    /// First cell of a line that says nothing more.
    axis: Pattern,
    /// Facts that go into the `context` of the points: key → name.
    #[serde(default)]
    context: BTreeMap<String, String>,
}

pub(crate) fn read(settings: &Settings, input: &ReaderInput, sink: &mut Sink) -> Proof {
    let mut base = Base::default();
    let mut names: Option<Vec<String>> = None;
    let mut wavelengths: Vec<String> = Vec::new();
    let mut rows = 0usize;
    let lines = &input.text.lines;
    let delimiter = settings.delimiters.iter().copied().find(|d| lines.iter().take(5).any(|l| l.text.contains(*d)));
    let delimiter = delimiter.or_else(|| settings.delimiters.first().copied()).unwrap_or('\t');
    for line in lines.iter().filter(|l| !l.is_blank()) {
        let cells = split(line.text.trim_end(), delimiter, true);
        let at = Locator::line(line.number);
        if !sink.spend(cells.len(), at.clone()) {
            break;
        }
        let first = cells.first().map_or("", |c| c.raw.as_str());
        if let Some(keys) = names.take() {
            facts(settings, sink, &mut base, &keys, &cells, line);
        } else if rows == 0 && settings.wavelengths.is_match(first) {
            wavelengths = cells.iter().skip(1).map(|c| c.raw.clone()).filter(|w| !w.is_empty()).collect();
            if let Some(bad) = wavelengths.iter().find(|w| crate::numbers::parse(w, &sink.spec.text.decimal).is_none())
            {
                sink.fault("wavelength_unread", format!("\"{bad}\" is no wavelength"), at);
            }
            sink.note(line.number, "wavelengths");
        } else if rows == 0 && settings.axis.is_match(first) {
            sink.note(line.number, "axis");
        } else if rows == 0 && wavelengths.is_empty() && sink.number(first, &at).is_none() {
            names = Some(cells.iter().map(|c| squeeze(&c.raw)).collect());
            sink.note(line.number, "names");
        } else {
            rows += 1;
            row(settings, sink, &base, &cells, &wavelengths, line.number);
        }
    }
    let last = lines.iter().rfind(|l| !l.is_blank());
    let at = Locator::line(last.map_or(0, |l| l.number));
    if rows == 0 {
        sink.fault("no_table", "the file holds no points", at.clone());
    } else if base.sample.is_none() {
        sink.warn("sample_missing", "the file names no sample", Locator::default());
    }
    if last.is_some_and(|l| !l.terminated) {
        sink.warn("line_not_ended", "the last row has no end of line: its last number may be cut", at);
    }
    if sink.broken { Proof::Fails } else { Proof::None }
}

fn facts(settings: &Settings, sink: &mut Sink, base: &mut Base, keys: &[String], cells: &[Cell], line: &Line) {
    if keys.len() != cells.len() {
        let message = format!("{} values under {} names", cells.len(), keys.len());
        sink.fault("row_width", message, Locator::line(line.number));
        return;
    }
    let run = &sink.spec.run;
    for (key, cell) in keys.iter().zip(cells).filter(|(_, cell)| !cell.raw.is_empty()) {
        let holds = |list: &[String]| list.iter().any(|k| k.eq_ignore_ascii_case(key));
        if holds(&run.sample) {
            base.sample = Some(cell.raw.clone());
        } else if holds(&run.injection) {
            base.injection = Some(cell.raw.clone());
        } else if holds(&run.acquired_at) {
            base.acquired_at = sink.date(&cell.raw, Locator::at(line.number, cell.column));
        }
        if let Some(name) = settings.context.get(key) {
            base.context.insert(name.clone(), cell.raw.clone());
        }
        sink.run_fact(key, cell.raw.clone());
    }
    sink.note(line.number, "run");
}

fn row(settings: &Settings, sink: &mut Sink, base: &Base, cells: &[Cell], wavelengths: &[String], line: u32) {
    let width = wavelengths.len().max(1) + 1;
    if cells.len() != width {
        let message = format!("{} cells where {width} are expected", cells.len());
        sink.fault("row_width", message, Locator::line(line));
        return;
    }
    if !sink.curves {
        return;
    }
    let Some((x, values)) = cells.split_first() else { return };
    let x_at = Locator::at(line, x.column);
    let Some(abscissa) = sink.number(&x.raw, &x_at) else {
        sink.fault("not_a_number", format!("\"{}\" is no number", x.raw), x_at);
        return;
    };
    for (index, cell) in values.iter().enumerate() {
        let at = Locator::at(line, cell.column);
        let read = tabular::reading(sink, &cell.raw, false, &at);
        if read.number.is_none() {
            sink.fault("not_a_number", format!("\"{}\" is no number", cell.raw), at.clone());
        }
        let mut observation = tabular::observation(base, "signal", &cell.raw, at);
        observation.status = read.status;
        observation.value = read.number.map(|n| n.value);
        observation.x = Some(abscissa.value.clone());
        observation.x_unit = Some(settings.x_unit.clone());
        if let Some(wavelength) = wavelengths.get(index) {
            observation.context.insert("wavelength".into(), wavelength.clone());
        }
        sink.observe(observation);
    }
}
