//! Groups: samples with their wells, and columns that the site defined.

use std::collections::BTreeMap;

use super::{Block, Owner, Settings, Wells, cells, summary};
use crate::model::{Locator, Severity, Status};
use crate::readers::delimited::squeeze;
use crate::sink::{Sink, slug};
use crate::spec::{ColumnSpec, Role, TableSpec};
use crate::tabular::{self, Base, Cell};
use crate::text::Line;
use crate::units;

/// Parts of a group block.
struct Parts<'t> {
    name: String,
    heading: Option<&'t Line>,
    rows: Vec<&'t Line>,
    /// Column name → formula.
    formulas: BTreeMap<String, String>,
    formula_lines: Vec<&'t Line>,
    /// Lines behind the table, and whether they come under the title of summaries.
    rest: Vec<(&'t Line, bool)>,
}

/// A column with its name parted from its unit.
struct Column<'a> {
    name: String,
    unit: Option<String>,
    spec: Option<&'a ColumnSpec>,
    formula: Option<String>,
}

impl Column<'_> {
    fn role(&self) -> Role {
        self.spec.map_or(Role::Value, |s| s.role)
    }

    fn quantity(&self) -> String {
        self.spec.and_then(|s| s.quantity.clone()).unwrap_or_else(|| slug(&self.name))
    }
}

fn parts<'t>(settings: &Settings, block: &Block<'t>) -> Parts<'t> {
    let mut parts = Parts {
        name: String::new(),
        heading: None,
        rows: Vec::new(),
        formulas: BTreeMap::new(),
        formula_lines: Vec::new(),
        rest: Vec::new(),
    };
    #[derive(PartialEq)]
    enum Place {
        Rows,
        Formulas,
        Rest,
    }
    let mut place = Place::Rows;
    let mut summaries = false;
    for (index, line) in block.lines.iter().enumerate() {
        if index == 0 {
            let name = settings.group.capture(&line.text, "name");
            parts.name = name.unwrap_or_default().to_owned();
        } else if settings.formulas.is_match(&line.text) {
            place = Place::Formulas;
            parts.formula_lines.push(line);
        } else if settings.summaries.is_match(&line.text) {
            place = Place::Rest;
            summaries = true;
            parts.formula_lines.push(line);
        } else if line.is_blank() {
            if parts.heading.is_some() {
                place = Place::Rest;
            }
        } else if place == Place::Formulas {
            let found = cells(line);
            if let [_, name, formula, ..] = found.as_slice() {
                parts.formulas.insert(name.raw.clone(), formula.raw.clone());
            }
            parts.formula_lines.push(line);
        } else if place == Place::Rest {
            parts.rest.push((line, summaries));
        } else if parts.heading.is_none() {
            parts.heading = Some(line);
        } else {
            parts.rows.push(line);
        }
    }
    parts
}

fn columns<'a>(table: Option<&'a TableSpec>, parts: &Parts) -> Vec<Column<'a>> {
    let Some(heading) = parts.heading else {
        return Vec::new();
    };
    let split = |text: &str| -> (String, Option<String>) {
        // The descriptor column carries its unit behind the name that its formula has.
        let named = parts.formulas.keys().find_map(|name| {
            let unit = text.strip_prefix(name.as_str())?.strip_prefix(' ')?;
            Some((name.clone(), Some(unit.trim().to_owned())))
        });
        if parts.formulas.contains_key(text) {
            return (text.to_owned(), None);
        }
        named.unwrap_or_else(|| match text.rsplit_once(' ') {
            Some((name, unit)) if units::ucum(unit).is_some() => (name.trim().to_owned(), Some(unit.to_owned())),
            _ => (text.to_owned(), None),
        })
    };
    cells(heading)
        .iter()
        .map(|cell| {
            let (name, unit) = split(&squeeze(&cell.raw));
            let spec = table.and_then(|t| t.columns.iter().find(|c| c.heading.is_match(&name)));
            Column {
                unit: unit.or_else(|| spec.and_then(|s| s.unit.clone())),
                formula: parts.formulas.get(&name).cloned(),
                name,
                spec,
            }
        })
        .collect()
}

fn table<'a>(sink: &Sink<'a>) -> Option<&'a TableSpec> {
    sink.spec.tables.iter().find(|t| t.name == "group")
}

/// Which sample owns which well; a well that two samples claim has none.
pub(super) fn wells(settings: &Settings, blocks: &[Block], several_plates: bool) -> Wells {
    let mut wells = Wells::new();
    for block in blocks.iter().filter(|b| super::is_kind(b, &settings.group)) {
        let parts = parts(settings, block);
        let heads: Vec<String> =
            parts.heading.map(|h| cells(h).into_iter().map(|c| c.raw).collect()).unwrap_or_default();
        let find = |names: &[&str]| heads.iter().position(|h| names.contains(&h.as_str()));
        let Some(well_at) = find(&["Well", "Wells"]) else {
            continue;
        };
        let plate_at = find(&["WellPlateName"]);
        if several_plates && plate_at.is_none() {
            continue;
        }
        let mut sample = String::new();
        for line in &parts.rows {
            let row = cells(line);
            let text = |i: usize| row.get(i).map_or("", |c| c.raw.as_str());
            if let Some(named) = find(&["Sample"]).map(text).filter(|t| !t.is_empty()) {
                sample = named.to_owned();
            }
            let plate = plate_at.filter(|_| several_plates).map(text).unwrap_or_default();
            let owner = Owner { group: parts.name.clone(), sample: sample.clone() };
            for well in text(well_at).split([',', ' ']).filter(|w| !w.is_empty()) {
                wells
                    .entry((plate.to_owned(), well.to_owned()))
                    .and_modify(|o| *o = None)
                    .or_insert_with(|| Some(owner.clone()));
            }
        }
    }
    wells
}

pub(super) fn read(settings: &Settings, sink: &mut Sink, block: &Block) {
    let parts = parts(settings, block);
    let first = block.lines.first().map_or(0, |l| l.number);
    sink.note(first, format!("group {}", parts.name));
    for line in &parts.formula_lines {
        sink.note(line.number, "formula");
    }
    let table = table(sink);
    let columns = columns(table, &parts);
    if let Some(heading) = parts.heading {
        sink.note(heading.number, "table heading");
    }
    let rows = carried(&columns, &parts.rows);
    let marked: Vec<String> = rows.iter().filter(|r| r.mark.is_some()).map(|r| r.sample.clone()).collect();
    let mut warned = Vec::new();
    for row in &rows {
        if !sink.spend(row.cells.len(), Locator::line(row.line)) {
            return;
        }
        if let Some(mark) = &row.mark
            && !warned.contains(&row.sample)
        {
            warned.push(row.sample.clone());
            sink.warn(
                "outside_standard_range",
                format!(
                    "sample {} of group {} is marked {mark}: its results lie outside the range of the standards",
                    row.sample, parts.name
                ),
                Locator::line(row.line),
            );
        }
        row_values(settings, sink, &parts, &columns, row, &marked);
    }
    let mut base = Base::default();
    base.context.insert("group".into(), parts.name.clone());
    let mut names: Vec<&String> = rows.iter().map(|r| &r.sample).collect();
    names.dedup();
    if let [only] = names.as_slice() {
        base.sample = Some((*only).clone());
    }
    for (line, under) in &parts.rest {
        let silent = !line.text.chars().any(|c| c.is_ascii_digit());
        if summary(sink, line, &base, &parts.name, *under) {
        } else if silent || settings.notes.iter().any(|n| n.is_match(&line.text)) {
            sink.note(line.number, "note");
        } else {
            sink.not_consumed(line.number, &line.text);
        }
    }
}

struct Row {
    line: u32,
    sample: String,
    mark: Option<String>,
    cells: Vec<Cell>,
}

/// Rows with the sample name carried down from the first of its replicates.
fn carried(columns: &[Column], lines: &[&Line]) -> Vec<Row> {
    let mut sample = String::new();
    lines
        .iter()
        .map(|line| {
            let cells = cells(line);
            let text = |role: Role| {
                columns
                    .iter()
                    .zip(&cells)
                    .find(|(c, cell)| c.role() == role && !cell.raw.is_empty())
                    .map(|(_, cell)| cell.raw.clone())
            };
            if let Some(named) = text(Role::Sample) {
                sample = named;
            }
            Row { line: line.number, sample: sample.clone(), mark: text(Role::Flag), cells }
        })
        .collect()
}

fn row_values(settings: &Settings, sink: &mut Sink, parts: &Parts, columns: &[Column], row: &Row, marked: &[String]) {
    let mut base = Base { sample: (!row.sample.is_empty()).then(|| row.sample.clone()), ..Base::default() };
    base.context.insert("group".into(), parts.name.clone());
    for (column, cell) in columns.iter().zip(&row.cells) {
        let Some(spec) = column.spec.filter(|s| s.role == Role::Context) else {
            continue;
        };
        if !cell.raw.is_empty() {
            let name = spec.name.clone().unwrap_or_else(|| slug(&column.name));
            base.context.insert(name, cell.raw.clone());
        }
    }
    for cell in row.cells.iter().skip(columns.len()).filter(|c| !c.raw.is_empty()) {
        sink.problem(
            "row_width",
            Severity::Error,
            format!("\"{}\" stands beyond the last heading", cell.raw),
            Locator::at(row.line, cell.column),
        );
    }
    for (column, cell) in columns.iter().zip(&row.cells) {
        if column.role() != Role::Value || cell.raw.is_empty() {
            continue;
        }
        let at = Locator::at(row.line, cell.column);
        if column.name.is_empty() {
            let message = format!("\"{}\" stands under no heading", cell.raw);
            sink.problem("row_width", Severity::Error, message, at);
            continue;
        }
        let text = column.spec.is_none_or(|s| s.text);
        let read = tabular::reading(sink, &cell.raw, text, &at);
        let quantity = column.quantity();
        let mut observation = tabular::observation(&base, &quantity, &cell.raw, at.clone());
        observation.context.insert("column".into(), column.name.clone());
        if let Some(formula) = &column.formula {
            observation.context.insert("formula".into(), formula.clone());
        }
        if read.status == Status::Invalid && !sink.spec.tokens.contains_key(cell.raw.as_str()) {
            let message = format!("\"{}\" in column {} is no number", cell.raw, column.name);
            sink.problem("not_a_number", Severity::Error, message, at);
        }
        observation.status = read.status;
        observation.bound = read.bound;
        observation.value = read.number.map(|n| n.value);
        if let Some(unit) = column.unit.as_deref().filter(|_| read.status != Status::Text) {
            (observation.unit, observation.unit_raw) = tabular::unit_of(sink.spec, unit);
        }
        // A mean is marked by any of its replicates.
        let of_sample = quantity.starts_with("mean") && marked.contains(&row.sample);
        let mark = row.mark.clone().or_else(|| of_sample.then(|| "R".to_owned()));
        if let Some(mark) = mark.filter(|_| settings.marked.contains(&quantity)) {
            observation.flags.push(mark);
            if observation.status == Status::Ok {
                observation.status = Status::OverRange;
            }
        }
        sink.observe(observation);
    }
}
