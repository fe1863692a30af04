//! Blocks between marks, one within another, each with rows whose fields are known by their place.
//!
//! ```text
//! $S DETERM V1
//! $S Results V1
//! $S Result 1C.R1 V1
//! Content<TAB>99.71<TAB>%<TAB>2
//! $E
//! $E
//! $E
//! ```
//!
//! The name of a block, with its version, decides which fields it has. Every block that opens must close.

use schemars::JsonSchema;
use serde::Deserialize;

use super::delimited::{split, squeeze};
use super::{Proof, ReaderInput};
use crate::model::{Locator, Severity, Status};
use crate::sink::Sink;
use crate::spec::{Pattern, Role};
use crate::tabular::{self, Base, Cell, Column, Heading};

/// Layout of the file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// A line that opens a block; capture `name`.
    open: Pattern,
    /// A line that closes the block that was opened last.
    close: Pattern,
    delimiter: char,
    /// Most blocks within one another.
    #[serde(default = "depth")]
    depth: usize,
    /// What the blocks hold; the first whose name matches is taken.
    blocks: Vec<Block>,
}

fn depth() -> usize {
    32
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Block {
    /// Its captures go into the `context` of the block's values.
    name: Pattern,
    /// Names of the fields by their place; `[[tables]]` with this title says what they mean. Without
    /// them the block is known and not read.
    #[serde(default)]
    headings: Vec<String>,
    /// What its rows say holds for the whole file.
    #[serde(default)]
    holds: bool,
    /// All lines of the block make one row.
    #[serde(default)]
    join: bool,
    /// Its lines are reported to a person with this severity.
    problem: Option<Severity>,
    /// A field whose word is a state of the whole file.
    state: Option<State>,
}

/// A state: what does not match is reported to a person and marked on all values.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct State {
    heading: String,
    regular: Pattern,
}

/// A block with its rows, in the order of the file.
struct Found<'s> {
    block: &'s Block,
    name: String,
    rows: Vec<(u32, Vec<Cell>)>,
}

pub(crate) fn read(settings: &Settings, input: &ReaderInput, sink: &mut Sink) -> Proof {
    let (blocks, outermost) = blocks(settings, input, sink);
    let mut base = Base::default();
    let mut flag = None;
    // A state may come after the values that it holds for.
    for found in blocks.iter().filter(|f| f.block.holds) {
        for row in &found.rows {
            hold(sink, found, row, &mut base, &mut flag);
        }
    }
    for found in &blocks {
        let mut base = base.clone();
        base.context.extend(tabular::named(&found.block.name, &found.name));
        for (line, cells) in &found.rows {
            if !sink.spend(cells.len(), Locator::line(*line)) {
                break;
            }
            value(sink, found, *line, cells, &base);
        }
    }
    if !sink.observations.iter().any(|o| o.x.is_none()) && !sink.stopped {
        sink.fault("no_value", "no block holds a result", Locator::line(1));
    }
    if base.sample.is_none() {
        sink.warn("sample_missing", "no block names the sample", Locator::default());
    }
    for o in &mut sink.observations {
        o.flags.extend(flag.clone());
    }
    // Of several blocks in a row the last ones may be cut off; one that frames all the rest is whole.
    let framed = outermost == 1 && base.sample.is_some() && base.acquired_at.is_some();
    match (sink.broken, framed) {
        (true, _) => Proof::Fails,
        (false, true) => Proof::Holds,
        (false, false) => Proof::None,
    }
}

/// Takes the file apart, and counts the blocks that are in no other; marks that do not balance are faults.
fn blocks<'s>(settings: &'s Settings, input: &ReaderInput, sink: &mut Sink) -> (Vec<Found<'s>>, usize) {
    let mut found: Vec<Found> = Vec::new();
    // For each open block its line, and its place in `found` where it is read.
    let mut stack: Vec<(u32, Option<usize>)> = Vec::new();
    let mut outermost = 0;
    for line in &input.text.lines {
        if line.is_blank() || !sink.spend(1, Locator::line(line.number)) {
            continue;
        }
        let text = line.text.trim_end_matches(['\r', ' ']);
        if let Some(name) = settings.open.capture(text, "name") {
            let name = squeeze(name);
            sink.note(line.number, format!("block {name}"));
            outermost += usize::from(stack.is_empty());
            if stack.len() >= settings.depth {
                sink.fault("limit_depth", "too many blocks within one another", Locator::line(line.number));
                break;
            }
            let block = settings.blocks.iter().find(|b| b.name.is_match(&name));
            if block.is_none() {
                let what = format!("the adapter does not know the block \"{name}\"; it is not read");
                sink.warn_once("unknown_block", what, Locator::line(line.number));
            }
            let place = block.map(|block| {
                found.push(Found { block, name, rows: Vec::new() });
                found.len() - 1
            });
            stack.push((line.number, place));
        } else if settings.close.is_match(text) {
            sink.note(line.number, "end of a block");
            if stack.pop().is_none() {
                sink.fault("block_not_open", "a block ends that was not opened", Locator::line(line.number));
            }
        } else {
            let Some((_, place)) = stack.last() else {
                sink.not_consumed(line.number, text);
                continue;
            };
            let block = place.and_then(|p| found.get_mut(p));
            if let Some(severity) = block.as_ref().and_then(|f| f.block.problem) {
                let what = format!("the instrument says: {}", squeeze(text));
                sink.problem("instrument_says", severity, what, Locator::line(line.number));
                continue;
            }
            let Some(block) = block.filter(|f| !f.block.headings.is_empty()) else {
                sink.note(line.number, "not read");
                continue;
            };
            let cells = split(&line.text, settings.delimiter, false);
            match block.rows.last_mut().filter(|_| block.block.join) {
                Some((_, row)) => row.extend(cells),
                None => block.rows.push((line.number, cells)),
            }
        }
    }
    let last = input.text.lines.last().map_or(1, |l| l.number);
    if let Some((line, _)) = stack.last() {
        sink.fault(
            "block_open",
            format!("the block of line {line} is not closed: the file is cut"),
            Locator::line(last),
        );
    }
    (found, outermost)
}

fn columns<'a>(sink: &mut Sink<'a>, found: &Found, line: u32) -> Option<(&'a crate::spec::TableSpec, Vec<Column<'a>>)> {
    let headings: Vec<Heading> = found.block.headings.iter().map(|h| Heading { name: h.clone(), unit: None }).collect();
    let table = tabular::table_for(sink.spec, &found.name, &headings)?;
    Some((table, tabular::resolve(sink, table, &headings, &Locator::line(line))))
}

/// A row that says something of the whole file.
fn hold(sink: &mut Sink, found: &Found, row: &(u32, Vec<Cell>), base: &mut Base, flag: &mut Option<String>) {
    let (line, cells) = row;
    let Some((_, columns)) = columns(sink, found, *line) else { return };
    for (column, cell) in columns.iter().zip(cells).filter(|(_, cell)| !cell.raw.is_empty()) {
        let Some(spec) = column.spec else { continue };
        let text = cell.raw.clone();
        match spec.role {
            Role::Sample => base.sample = Some(text),
            Role::Analyte => base.analyte = Some(text),
            Role::Injection => base.injection = Some(text),
            Role::Datetime => base.acquired_at = sink.date(&text, Locator::at(*line, cell.column)),
            Role::Context => {
                let name = spec.name.clone().unwrap_or_default();
                sink.run_fact(&name, text.clone());
                base.context.insert(name, text);
            }
            _ => {}
        }
        let state = found.block.state.as_ref().filter(|s| s.heading == column.heading);
        if state.is_some_and(|s| !s.regular.is_match(&cell.raw)) {
            sink.problem(
                "not_regular",
                Severity::Error,
                format!("the instrument says: {}", cell.raw),
                Locator::at(*line, cell.column),
            );
            *flag = Some(cell.raw.clone());
        }
    }
}

fn value(sink: &mut Sink, found: &Found, line: u32, cells: &[Cell], base: &Base) {
    let Some((table, columns)) = columns(sink, found, line) else {
        sink.note(line, "not read");
        return;
    };
    if table.ignore {
        sink.note(line, format!("table {}, not read", table.name));
        return;
    }
    for extra in cells.iter().skip(columns.len()).filter(|c| !c.raw.is_empty()) {
        sink.warn_once(
            "row_width",
            format!("block \"{}\" has more fields than the adapter knows", found.name),
            Locator::at(line, extra.column),
        );
    }
    let mut cells = cells.to_vec();
    // Fields that are left out at the end of a line are empty ones.
    cells.resize_with(columns.len().max(cells.len()), Cell::default);
    let from = sink.observations.len();
    tabular::row(sink, table, &columns, &cells, line, base);
    for o in sink.observations.iter_mut().skip(from).filter(|o| o.status == Status::Ok && o.sample.is_none()) {
        o.sample = base.sample.clone();
    }
}
