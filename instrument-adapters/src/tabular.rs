//! Rows to observations: what the readers of tables share.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::model::{Locator, Observation, ObservationContext, Severity, Status};
use crate::numbers::Number;
use crate::sink::Sink;
use crate::spec::{ColumnSpec, Pattern, Role, Spec, TableSpec, TotalsSpec};
use crate::units;

/// What holds for all values of a run or block.
#[derive(Debug, Clone, Default)]
pub(crate) struct Base {
    pub sample: Option<String>,
    pub analyte: Option<String>,
    pub injection: Option<String>,
    pub acquired_at: Option<String>,
    pub context: ObservationContext,
    /// Unit of the values whose column has none.
    pub unit: Option<String>,
    /// What the points of a curve are to be multiplied by; the text as written stays in `raw`.
    pub factor: Option<Decimal>,
}

/// A heading of a table with the unit given under or beside it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heading {
    pub name: String,
    pub unit: Option<String>,
}

/// A heading with the adapter's word on it.
#[derive(Debug, Clone)]
pub(crate) struct Column<'a> {
    pub heading: String,
    pub unit: Option<String>,
    pub spec: Option<&'a ColumnSpec>,
    captures: BTreeMap<String, String>,
}

/// A cell as written, trimmed, with the column of its first character.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    pub raw: String,
    pub column: u32,
}

/// What a cell says.
#[derive(Debug, Clone)]
pub(crate) struct CellReading {
    pub status: Status,
    pub number: Option<Number>,
    pub bound: Option<String>,
}

/// Reads a cell that should hold a number: a declared word, a censored or a plain number.
pub(crate) fn reading(sink: &mut Sink, raw: &str, text: bool, at: &Locator) -> CellReading {
    let raw = raw.trim();
    if let Some(status) = sink.spec.tokens.get(raw) {
        return CellReading { status: *status, number: None, bound: None };
    }
    let censored = [("<", Status::Below), ("≤", Status::Below), (">", Status::Above), ("≥", Status::Above)];
    for (sign, status) in censored {
        let rest = raw.strip_prefix(sign).map(|r| r.trim_start_matches('='));
        if let Some(bound) = rest.and_then(|r| sink.number(r, at)) {
            return CellReading { status, number: None, bound: Some(bound.value) };
        }
    }
    let number = sink.number(raw, at);
    let status = match (&number, text) {
        (Some(_), _) => Status::Ok,
        (None, true) => Status::Text,
        (None, false) => Status::Invalid,
    };
    CellReading { status, number, bound: None }
}

/// UCUM code and the text as written, where they differ.
pub(crate) fn unit_of(spec: &Spec, written: &str) -> (Option<String>, Option<String>) {
    let written = written.trim();
    if written.is_empty() {
        return (None, None);
    }
    let code = spec.units.get(written).cloned().or_else(|| units::ucum(written)).unwrap_or_else(|| written.to_owned());
    let raw = (code != written).then(|| written.to_owned());
    (Some(code), raw)
}

/// The first declared table whose title and headings fit.
pub(crate) fn table_for<'a>(spec: &'a Spec, title: &str, headings: &[Heading]) -> Option<&'a TableSpec> {
    spec.tables.iter().find(|table| is_table(table, title, headings))
}

/// True where title and headings are those that the table requires.
pub(crate) fn is_table(table: &TableSpec, title: &str, headings: &[Heading]) -> bool {
    table.title.as_ref().is_none_or(|t| t.is_match(title))
        && table.requires.iter().all(|r| headings.iter().any(|h| r.is_match(&h.name)))
}

/// Joins headings and declarations; a heading without a declaration is reported.
pub(crate) fn resolve<'a>(
    sink: &mut Sink,
    table: &'a TableSpec,
    headings: &[Heading],
    at: &Locator,
) -> Vec<Column<'a>> {
    let mut columns = Vec::new();
    for heading in headings {
        let unit = heading.unit.clone().unwrap_or_default();
        let spec = table
            .columns
            .iter()
            .find(|c| c.heading.is_match(&heading.name) && c.unit_is.as_ref().is_none_or(|u| u.is_match(&unit)));
        if spec.is_none() && !heading.name.is_empty() && !table.ignore {
            sink.warn_once(
                "unknown_column",
                format!(
                    "the adapter does not know the column \"{}\" of table {}; its values are not read",
                    heading.name, table.name
                ),
                at.clone(),
            );
        }
        let captures: BTreeMap<String, String> = spec.map(|s| captures(s, &heading.name)).unwrap_or_default();
        let unit = captures
            .get("unit")
            .cloned()
            .or_else(|| heading.unit.clone())
            .or_else(|| spec.and_then(|s| s.unit.clone()));
        columns.push(Column { heading: heading.name.clone(), unit, spec, captures });
    }
    columns
}

impl<'a> Column<'a> {
    /// A column that has its place in a layout rather than a heading of its own: `well` goes into `context`.
    pub fn of(spec: &'a ColumnSpec, heading: &str, unit: Option<&str>, well: Option<String>) -> Self {
        let mut captures = captures(spec, heading);
        let own = captures.get("unit").cloned();
        let unit = own.or_else(|| unit.map(str::to_owned)).or_else(|| spec.unit.clone());
        captures.extend(well.map(|w| ("well".to_owned(), w)));
        Self { heading: heading.to_owned(), unit, spec: Some(spec), captures }
    }

    /// Adds what is found under the heading to the `context` of the column's values.
    pub fn add(&mut self, name: &str, text: &str) {
        self.captures.insert(name.to_owned(), text.to_owned());
    }
}

fn captures(spec: &ColumnSpec, heading: &str) -> BTreeMap<String, String> {
    named(&spec.heading, heading)
}

/// The filled captures of a pattern, by name.
pub(crate) fn named(pattern: &Pattern, text: &str) -> BTreeMap<String, String> {
    let Some(found) = pattern.0.captures(text) else {
        return BTreeMap::new();
    };
    pattern
        .0
        .capture_names()
        .flatten()
        .filter_map(|name| {
            let text = found.name(name)?.as_str().trim();
            (!text.is_empty()).then(|| (name.to_owned(), text.to_owned()))
        })
        .collect()
}

/// The row without the words that stand for empty cells, where it has any.
fn blanked(columns: &[Column], cells: &[Cell]) -> Option<Vec<Cell>> {
    let blank = |(column, cell): (&Column, &Cell)| column.spec.is_some_and(|s| s.blank.contains(&cell.raw));
    if !columns.iter().zip(cells).any(blank) {
        return None;
    }
    let mut cells = cells.to_vec();
    for (column, cell) in columns.iter().zip(cells.iter_mut()) {
        if blank((column, cell)) {
            cell.raw.clear();
        }
    }
    Some(cells)
}

/// What a row was, for the checks that follow it.
#[derive(Debug, Default)]
pub(crate) struct Row {
    /// Column → the number read there.
    pub numbers: BTreeMap<usize, Number>,
    pub context: ObservationContext,
    pub not_found: bool,
}

/// Turns one row into observations.
pub(crate) fn row(
    sink: &mut Sink,
    table: &TableSpec,
    columns: &[Column],
    cells: &[Cell],
    line: u32,
    base: &Base,
) -> Row {
    let blanked = blanked(columns, cells);
    let cells = blanked.as_deref().unwrap_or(cells);
    let has = |role: Role| columns.iter().position(|c| c.spec.is_some_and(|s| s.role == role));
    let abscissa = has(Role::X).filter(|_| has(Role::Curve).is_none());
    if let Some(index) = abscissa {
        if !sink.curves {
            return Row::default();
        }
        if columns.iter().all(|c| c.spec.is_none_or(|s| matches!(s.role, Role::X | Role::Value | Role::Ignore))) {
            return points(sink, columns, cells, index, line, base);
        }
    }
    let pairs = || columns.iter().zip(cells.iter());
    let text_of = |role: Role| {
        pairs()
            .find(|(c, cell)| c.spec.is_some_and(|s| s.role == role) && !cell.raw.is_empty())
            .map(|(_, cell)| cell.raw.clone())
    };
    let mut base = base.clone();
    base.sample = text_of(Role::Sample).or(base.sample);
    base.analyte = text_of(Role::Analyte).or(base.analyte);
    base.injection = text_of(Role::Injection).or(base.injection);
    let date = match (text_of(Role::Datetime), text_of(Role::Date), text_of(Role::Time)) {
        (Some(both), ..) => Some(both),
        (None, Some(date), Some(time)) => Some(format!("{date} {time}")),
        (None, Some(date), None) => Some(date),
        _ => None,
    };
    if let Some(date) = date {
        base.acquired_at = sink.date(&date, Locator::line(line));
    }
    let row_unit = text_of(Role::Unit);
    let row_x = text_of(Role::X);
    let mut flags: Vec<(String, Status)> = Vec::new();
    let mut out = Row { not_found: all_missing(table, columns, cells), ..Row::default() };
    let mut decided = false;
    for (column, cell) in pairs() {
        let Some(spec) = column.spec else { continue };
        match spec.role {
            Role::Context if !cell.raw.is_empty() => {
                let name = spec.name.clone().unwrap_or_default();
                base.context.insert(name, cell.raw.clone());
                let said = column.captures.iter().filter(|(name, _)| !matches!(name.as_str(), "unit" | "x" | "n"));
                base.context.extend(said.map(|(name, text)| (name.clone(), text.clone())));
            }
            Role::Flag if !cell.raw.is_empty() && !spec.unmarked.contains(&cell.raw) => {
                let status = spec.flags.get(&cell.raw).copied().unwrap_or_else(|| {
                    sink.warn_once(
                        "unknown_flag",
                        format!("the adapter does not know the mark \"{}\"", cell.raw),
                        Locator::at(line, cell.column),
                    );
                    Status::Ok
                });
                let mut name = spec.name.clone().unwrap_or_else(|| cell.raw.clone());
                for (key, text) in &column.captures {
                    name = name.replace(&format!("{{{key}}}"), text);
                }
                flags.push((name, status));
            }
            _ => {}
        }
        let marked = spec.flag_when.iter().filter(|f| f.cell.is_match(&cell.raw));
        flags.extend(marked.map(|f| (f.flag.clone(), Status::Ok)));
        if (spec.role == Role::Number || spec.decides) && table.not_found.contains(&cell.raw) {
            out.not_found = true;
            decided |= spec.decides;
        }
        if spec.role == Role::Number && !cell.raw.is_empty() && !out.not_found {
            let name = spec.name.clone().unwrap_or_else(|| "row".into());
            base.context.insert(name, cell.raw.clone());
        }
    }
    out.context = base.context.clone();
    for (index, (column, cell)) in pairs().enumerate() {
        let Some(spec) = column.spec else { continue };
        let is_value = matches!(spec.role, Role::Value) || (spec.role == Role::Curve && sink.curves);
        // A lone mark in a row that has other numbers says that this one does not apply.
        let no_value = !out.not_found && table.not_found.contains(&cell.raw);
        // What a component that was not found would have had is said, even where its cell is empty.
        let lacks = decided && matches!(spec.quantity.as_deref(), Some("area" | "concentration" | "amount"));
        let empty = cell.raw.is_empty();
        if !is_value || no_value || (empty && !lacks && !spec.required) {
            continue;
        }
        let at = Locator::at(line, cell.column);
        if empty && !lacks {
            let quantity = spec.quantity.clone().unwrap_or_else(|| "value".into());
            let mut missing = observation(&base, &quantity, "", at);
            missing.status = Status::Invalid;
            missing.flags.push("no_value".into());
            put_context(&mut missing, column, spec, columns, cells);
            sink.observe(missing);
            continue;
        }
        let parts = spec.cell.as_ref().map(|p| named(p, &cell.raw)).unwrap_or_default();
        // A percent sign may follow the number as well as be in the heading.
        let bare = cell.raw.strip_suffix('%').filter(|_| column.unit.as_deref() == Some("%"));
        let number_text = parts.get("value").map(String::as_str).or(bare).unwrap_or(&cell.raw);
        let mut read = match spec.tokens.get(number_text) {
            Some(status) => CellReading { status: *status, number: None, bound: None },
            None => reading(sink, number_text, spec.text, &at),
        };
        let quantity = spec.quantity.clone().unwrap_or_else(|| "value".into());
        let mut observation = observation(&base, &quantity, &cell.raw, at.clone());
        if out.not_found && quantity == "retention_time" && read.number.is_some() {
            observation.quantity = "expected_retention_time".into();
        } else if out.not_found {
            // The instrument prints a zero for what it did not find.
            read.status = Status::NotDetected;
            read.number = None;
            observation.flags.push("component_not_found".into());
        }
        let token = sink.spec.tokens.contains_key(cell.raw.trim()) || spec.tokens.contains_key(number_text);
        if read.status == Status::Invalid && !token {
            sink.problem(
                "not_a_number",
                Severity::Error,
                format!("\"{}\" in column \"{}\" is no number", cell.raw, column.heading),
                at,
            );
        }
        let in_row = row_unit.as_deref().filter(|_| spec.row_unit);
        let in_cell = parts.get("unit").map(String::as_str);
        let written = in_cell.or(in_row).or(column.unit.as_deref()).or(base.unit.as_deref());
        if let Some(written) = written.filter(|_| read.status != Status::Text) {
            (observation.unit, observation.unit_raw) = unit_of(sink.spec, written);
        }
        observation.status = read.status;
        observation.bound = read.bound;
        observation.value = read.number.as_ref().map(|n| n.value.clone());
        for (flag, status) in &flags {
            observation.flags.push(flag.clone());
            if observation.status == Status::Ok {
                observation.status = *status;
            }
        }
        put_context(&mut observation, column, spec, columns, cells);
        let others = parts.into_iter().filter(|(name, _)| !matches!(name.as_str(), "value" | "unit"));
        observation.context.extend(others);
        if spec.role == Role::Curve
            && let Some(x) = column.captures.get("x").or(row_x.as_ref())
        {
            observation.quantity = "signal".into();
            observation.x = on_axis(sink, x, spec.x_unit.as_deref(), &Locator::line(line));
            observation.x_unit = spec.x_unit.clone();
        }
        if let Some((x, x_unit)) = abscissa.and_then(|index| abscissa_of(sink, columns, cells, index, line)) {
            observation.x = Some(x);
            observation.x_unit = x_unit;
            scale(&mut observation, base.factor);
        }
        sink.observe(observation);
        if let Some(number) = read.number {
            out.numbers.insert(index, number);
        }
    }
    out
}

/// The abscissa of a row with its unit.
fn abscissa_of(
    sink: &mut Sink,
    columns: &[Column],
    cells: &[Cell],
    index: usize,
    line: u32,
) -> Option<(String, Option<String>)> {
    let (column, cell) = columns.get(index).zip(cells.get(index))?;
    let at = Locator::at(line, cell.column);
    let seconds = clock(&cell.raw).filter(|_| column.unit.as_deref() == Some("s"));
    let Some(value) = seconds.or_else(|| sink.number(&cell.raw, &at).map(|n| n.value)) else {
        let message = format!("\"{}\" in column \"{}\" is no number", cell.raw, column.heading);
        sink.problem("not_a_number", Severity::Error, message, at);
        return None;
    };
    Some((value, sink.unit(column.unit.as_deref().unwrap_or_default()).0))
}

/// A row that is a point of a curve and nothing else; curves have tens of thousands of them.
fn points(sink: &mut Sink, columns: &[Column], cells: &[Cell], index: usize, line: u32, base: &Base) -> Row {
    let mut out = Row::default();
    let Some((x, x_unit)) = abscissa_of(sink, columns, cells, index, line) else {
        return out;
    };
    for (index, (column, cell)) in columns.iter().zip(cells).enumerate() {
        let Some(spec) = column.spec.filter(|s| s.role == Role::Value && !cell.raw.is_empty()) else {
            continue;
        };
        let at = Locator::at(line, cell.column);
        let read = reading(sink, &cell.raw, spec.text, &at);
        if read.status == Status::Invalid && !sink.spec.tokens.contains_key(cell.raw.as_str()) {
            let message = format!("\"{}\" in column \"{}\" is no number", cell.raw, column.heading);
            sink.problem("not_a_number", Severity::Error, message, at.clone());
        }
        let quantity = spec.quantity.as_deref().unwrap_or("signal");
        let mut observation = observation(base, quantity, &cell.raw, at);
        let unit = column.unit.as_deref().or(base.unit.as_deref()).unwrap_or_default();
        (observation.unit, observation.unit_raw) = sink.unit(unit);
        observation.status = read.status;
        observation.bound = read.bound;
        observation.value = read.number.as_ref().map(|n| n.value.clone());
        for (name, text) in &column.captures {
            if !matches!(name.as_str(), "unit" | "x" | "n") {
                observation.context.insert(name.clone(), text.clone());
            }
        }
        observation.x = Some(x.clone());
        observation.x_unit = x_unit.clone();
        scale(&mut observation, base.factor);
        sink.observe(observation);
        if let Some(number) = read.number {
            out.numbers.insert(index, number);
        }
    }
    out
}

/// Multiplies a point by the factor that the file declares for its curve, exactly.
fn scale(observation: &mut Observation, factor: Option<Decimal>) {
    let Some(factor) = factor else { return };
    let product = observation.value.as_deref().and_then(|v| v.parse::<Decimal>().ok()?.checked_mul(factor));
    if observation.value.is_some() && product.is_none() {
        // More digits than an exact product can hold.
        observation.status = Status::Invalid;
    }
    observation.value = product.map(|p| p.to_string());
}

/// Hours, minutes and seconds as seconds.
fn clock(written: &str) -> Option<String> {
    let parts: Vec<Decimal> = written.trim().split(':').map(|p| p.parse().ok()).collect::<Option<_>>()?;
    let sum = parts.iter().try_fold(Decimal::ZERO, |sum, p| sum.checked_mul(Decimal::from(60))?.checked_add(*p))?;
    (2..=3).contains(&parts.len()).then(|| sum.normalize().to_string())
}

/// A plain number, or hours, minutes and seconds where the abscissa is declared in seconds.
fn on_axis(sink: &mut Sink, written: &str, unit: Option<&str>, at: &Locator) -> Option<String> {
    if let Some(seconds) = clock(written).filter(|_| unit == Some("s")) {
        return Some(seconds);
    }
    let found = sink.number(written, at).map(|n| n.value);
    if found.is_none() {
        sink.fault("not_a_number", format!("\"{written}\" is no place on an axis"), at.clone());
    }
    found
}

/// True where a row has its time at most, and marks instead of numbers.
fn all_missing(table: &TableSpec, columns: &[Column], cells: &[Cell]) -> bool {
    let mut marks = 0;
    for (column, cell) in columns.iter().zip(cells) {
        let Some(spec) = column.spec.filter(|s| s.role == Role::Value) else {
            continue;
        };
        if table.not_found.contains(&cell.raw) {
            marks += 1;
        } else if !cell.raw.is_empty() && spec.quantity.as_deref() != Some("retention_time") {
            return false;
        }
    }
    marks > 0
}

fn put_context(observation: &mut Observation, column: &Column, spec: &ColumnSpec, columns: &[Column], cells: &[Cell]) {
    for (name, text) in &column.captures {
        if !matches!(name.as_str(), "unit" | "x" | "n") {
            observation.context.insert(name.clone(), text.clone());
        }
    }
    for (name, template) in &spec.context_from {
        let mut wanted = template.clone();
        for (key, text) in &column.captures {
            wanted = wanted.replace(&format!("{{{key}}}"), text);
        }
        let found = columns.iter().zip(cells).find(|(c, cell)| c.heading == wanted && !cell.raw.is_empty());
        if let Some((_, cell)) = found {
            observation.context.insert(name.clone(), cell.raw.clone());
        }
    }
}

/// An observation with what its run says of it.
pub(crate) fn observation(base: &Base, quantity: &str, raw: &str, at: Locator) -> Observation {
    Observation {
        sample: base.sample.clone(),
        analyte: base.analyte.clone(),
        quantity: quantity.to_owned(),
        raw: raw.to_owned(),
        value: None,
        unit: None,
        status: Status::Ok,
        flags: Vec::new(),
        locator: at,
        injection: base.injection.clone(),
        acquired_at: base.acquired_at.clone(),
        x: None,
        x_unit: None,
        bound: None,
        unit_raw: None,
        readings: Vec::new(),
        context: base.context.clone(),
    }
}

/// Adds up the columns of one table.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    all: BTreeMap<usize, (Decimal, Decimal)>,
    /// The same without the rows that the totals leave out.
    some: BTreeMap<usize, (Decimal, Decimal)>,
    pub rows: usize,
    too_big: bool,
}

impl Sums {
    pub fn add(&mut self, row: &Row, totals: Option<&TotalsSpec>) {
        self.rows += 1;
        let left_out = totals.is_some_and(|t| {
            let mark = row.context.get(&t.without_context);
            t.without_mark.as_ref().zip(mark).is_some_and(|(pattern, text)| pattern.is_match(text))
        });
        for (index, number) in &row.numbers {
            let Some(value) = number.decimal() else {
                self.too_big = true;
                continue;
            };
            let half = number.half_unit();
            let put = |sums: &mut BTreeMap<usize, (Decimal, Decimal)>| {
                let (sum, slack) = sums.entry(*index).or_default();
                *sum = sum.saturating_add(value);
                *slack = slack.saturating_add(half);
            };
            put(&mut self.all);
            if !left_out {
                put(&mut self.some);
            }
        }
    }

    /// Compares a printed total with the sum of its column; says what is wrong.
    pub fn check(&self, index: usize, total: &Number, without: bool, spec: &TotalsSpec) -> Result<(), String> {
        let sums = if without { &self.some } else { &self.all };
        let (sum, slack) = sums.get(&index).copied().unwrap_or_default();
        let Some(printed) = total.decimal().filter(|_| !self.too_big) else {
            return Err("a number is too long to be added up".into());
        };
        let share: Decimal = spec.relative.as_deref().and_then(|r| r.parse().ok()).unwrap_or_default();
        let allowed = slack
            .saturating_add(total.half_unit())
            .saturating_add(printed.abs().checked_mul(share).unwrap_or_default());
        if sum.saturating_sub(printed).abs() <= allowed {
            Ok(())
        } else {
            Err(format!("the rows add up to {sum}, the file says {printed}"))
        }
    }
}
