//! Exports in declared blocks: notes with summaries, plates of wells, groups of samples.
//!
//! The first line counts the blocks, each block has its end mark, and the last line names the
//! original: all three must fit for the file to be whole.

mod groups;
mod plates;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Proof, ReaderInput};
use crate::model::{Locator, Severity, Status};
use crate::sink::Sink;
use crate::spec::Pattern;
use crate::tabular::{self, Base};
use crate::text::Line;
use crate::units;

/// Layout of the export.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// First line; capture `count`.
    blocks: Pattern,
    /// End mark of a block.
    end: Pattern,
    /// First lines of the kinds of blocks; capture `name` for groups.
    note: Pattern,
    plate: Pattern,
    group: Pattern,
    /// The whole of the last line; captures `file` and `saved`.
    last: Pattern,
    /// A last line that a cut could have shortened without a trace: it needs its line end.
    last_open: Pattern,
    /// Read mode → quantity and unit.
    modes: BTreeMap<String, Mode>,
    /// Read types whose wells are points of a curve, with the unit of the abscissa.
    curves: BTreeMap<String, String>,
    /// A line that starts the list of formulas of a group, and the one that starts its summaries.
    formulas: Pattern,
    summaries: Pattern,
    /// Quantities that a mark of the range column bears on.
    marked: Vec<String>,
    /// Lines between the parts of a block that say nothing.
    notes: Vec<Pattern>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Mode {
    quantity: String,
    unit: Option<String>,
    /// The place of the number of plate rows, counted from the data type in the plate's head.
    rows_at: usize,
}

/// The lines of a block without its end mark.
struct Block<'t> {
    lines: &'t [Line],
    ended: bool,
}

/// Whose well it is.
#[derive(Debug, Clone)]
struct Owner {
    group: String,
    sample: String,
}

/// (plate, well) → owner; the plate is empty where the groups do not name it.
type Wells = BTreeMap<(String, String), Option<Owner>>;

pub(crate) fn read(settings: &Settings, input: &ReaderInput, sink: &mut Sink) -> Proof {
    let lines = &input.text.lines;
    let mut rest = lines.iter().enumerate().skip_while(|(_, l)| l.is_blank());
    let count = rest.next().and_then(|(index, line)| {
        let count = settings.blocks.capture(&line.text, "count")?.parse().ok()?;
        sink.note(line.number, "number of blocks");
        Some((index, count))
    });
    let Some((start, count)): Option<(usize, usize)> = count else {
        sink.fault("count_missing", "the first line does not count the blocks", Locator::line(1));
        return Proof::Fails;
    };
    let body = lines.get(start + 1..).unwrap_or_default();
    let (blocks, tail) = cut(settings, body);
    let plates = blocks.iter().filter(|b| is_kind(b, &settings.plate)).count();
    let wells = groups::wells(settings, &blocks, plates > 1);
    for block in &blocks {
        take(settings, sink, block, &wells);
    }
    let whole = blocks.iter().filter(|b| b.ended).count();
    let last = lines.last().map_or(1, |l| l.number);
    if whole != count {
        sink.fault(
            "block_count",
            format!("the file declares {count} blocks, {whole} are there with their end marks"),
            Locator::line(last),
        );
    }
    let closing = closing(settings, sink, tail);
    match (sink.broken, closing) {
        (true, _) => Proof::Fails,
        (false, Some(proof)) => proof,
        (false, None) => {
            sink.fault(
                "end_mark_missing",
                "the last line, which names the original file, is missing or cut",
                Locator::line(last),
            );
            Proof::Fails
        }
    }
}

/// Blocks, and the lines after the last one.
fn cut<'t>(settings: &Settings, lines: &'t [Line]) -> (Vec<Block<'t>>, &'t [Line]) {
    let starts = |l: &Line| [&settings.note, &settings.plate, &settings.group].iter().any(|p| p.is_match(&l.text));
    let mut blocks = Vec::new();
    let mut rest = lines;
    loop {
        let skip = rest.iter().take_while(|l| l.is_blank()).count();
        let from = rest.get(skip..).unwrap_or_default();
        let end = from.iter().position(|l| settings.end.is_match(&l.text));
        match (from.first(), end) {
            (Some(_), Some(end)) => {
                let lines = from.get(..end).unwrap_or_default();
                blocks.push(Block { lines, ended: true });
                rest = from.get(end + 1..).unwrap_or_default();
            }
            (Some(first), None) if starts(first) => {
                blocks.push(Block { lines: from, ended: false });
                return (blocks, &[]);
            }
            _ => return (blocks, from),
        }
    }
}

fn is_kind(block: &Block, kind: &Pattern) -> bool {
    block.lines.first().is_some_and(|l| kind.is_match(&l.text))
}

fn take(settings: &Settings, sink: &mut Sink, block: &Block, wells: &Wells) {
    let Some(first) = block.lines.first() else {
        return;
    };
    let at = Locator::line(first.number);
    if !sink.spend(block.lines.len(), at.clone()) {
        return;
    }
    if is_kind(block, &settings.note) {
        sink.note(first.number, "block of notes");
        let base = Base::default();
        for line in block.lines.iter().skip(1).filter(|l| !l.is_blank()) {
            if !summary(sink, line, &base, "Note", false) {
                sink.note(line.number, "note");
            }
        }
    } else if is_kind(block, &settings.group) {
        groups::read(settings, sink, block);
    } else if is_kind(block, &settings.plate) {
        plates::read(settings, sink, block, wells);
    } else {
        let kind: String = first.text.chars().take(40).collect();
        sink.problem(
            "unknown_block",
            Severity::Error,
            format!("the adapter does not know blocks of this kind: {}", kind.trim()),
            at,
        );
        for line in block.lines {
            sink.note(line.number, "block of an unknown kind");
        }
    }
}

fn closing(settings: &Settings, sink: &mut Sink, tail: &[Line]) -> Option<Proof> {
    let mut proof = None;
    for line in tail.iter().filter(|l| !l.is_blank()) {
        let pattern = [&settings.last, &settings.last_open].into_iter().find(|p| p.is_match(&line.text));
        let Some(pattern) = pattern.filter(|_| proof.is_none()) else {
            sink.not_consumed(line.number, &line.text);
            continue;
        };
        for (key, name) in [("Original Filename", "file"), ("Date Last Saved", "saved")] {
            if let Some(value) = pattern.capture(&line.text, name) {
                sink.run_fact(key, value);
            }
        }
        sink.note(line.number, "run: original file");
        let safe = settings.last.is_match(&line.text) || line.terminated;
        proof = Some(if safe { Proof::Holds } else { Proof::None });
    }
    proof
}

/// Cells between tabs, trimmed, with the column of their first character.
fn cells(line: &Line) -> Vec<tabular::Cell> {
    super::delimited::split(&line.text, '\t', false)
}

/// `name, description, value, formula, precision, notation`: a value that the software computed.
///
/// Some versions leave out precision and notation; then only a line `under` the title of summaries is one.
fn summary(sink: &mut Sink, line: &Line, base: &Base, place: &str, under: bool) -> bool {
    let cells = cells(line);
    let text = |i: usize| cells.get(i).map_or("", |c| c.raw.as_str());
    let marked = cells.len() >= 5 && cells.iter().skip(3).any(|c| c.raw.ends_with("Notation"));
    let is_summary = marked || (under && (3..=4).contains(&cells.len()) && !text(0).is_empty());
    if !is_summary {
        return false;
    }
    let (name, description, value) = (text(0), text(1), text(2));
    if value.is_empty() {
        sink.note(line.number, "summary without a value");
        return true;
    }
    let at = Locator::at(line.number, cells.get(2).map_or(1, |c| c.column));
    let read = tabular::reading(sink, value, true, &at);
    let mut observation = tabular::observation(base, "summary", value, at);
    observation.status = read.status;
    observation.bound = read.bound;
    observation.value = read.number.map(|n| n.value);
    // The description is free text; only one that is a unit and nothing else is taken for it.
    let unit = description.strip_prefix("in ").unwrap_or(description);
    if observation.status != Status::Text && units::ucum(unit).is_some() {
        (observation.unit, observation.unit_raw) = tabular::unit_of(sink.spec, unit);
    }
    let mut put = |key: &str, text: &str| {
        if !text.is_empty() {
            observation.context.insert(key.to_owned(), text.to_owned());
        }
    };
    put("block", place);
    put("name", name);
    put("description", description);
    put("formula", text(3));
    sink.observe(observation);
    true
}
