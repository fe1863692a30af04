//! Tables with headings: one row a sample, a well, a peak.

use super::{Open, SheetPart, SheetRow, fits, observe};
use crate::model::Locator;
use crate::readers::delimited::squeeze;
use crate::sink::Sink;
use crate::spec::{Role, TableSpec};
use crate::tabular::{self, Base, Column, Heading};

/// The table that the first of these rows heads, and the number of rows that its headings take up.
pub(super) fn open<'a>(
    sink: &mut Sink<'a>,
    part: &SheetPart,
    title: &str,
    rest: &[SheetRow],
) -> Option<(Open<'a>, usize)> {
    let spec = sink.spec;
    let known = spec.tables.iter().filter(|t| !t.grid && !t.requires.is_empty() && fits(t, part, title));
    for table in known {
        let Some((places, headings)) = headings(table, rest) else { continue };
        if !table.requires.iter().all(|r| headings.iter().any(|h| r.is_match(&h.name))) {
            continue;
        }
        let heads = table.heading_rows;
        let at = Locator::line(rest.first().map_or(0, |r| r.line));
        for row in rest.iter().take(heads) {
            sink.note(row.line, format!("heading of table {}", table.name));
        }
        let columns = tabular::resolve(sink, table, &headings, &at);
        let mut open = Open { table, columns, places, rows: 0 };
        let under = if table.ignore { 0 } else { under(sink, &mut open, rest.get(heads..).unwrap_or_default()) };
        find_key(&mut open, rest.get(heads + under));
        return Some((open, heads + under));
    }
    None
}

/// Headings by place, those of several rows joined.
fn headings(table: &TableSpec, rest: &[SheetRow]) -> Option<(Vec<u32>, Vec<Heading>)> {
    let rows = rest.get(..table.heading_rows)?;
    let several = rows.len() > 1;
    if rows.iter().skip(1).any(|r| r.after_blank) {
        return None;
    }
    let mut places: Vec<u32> =
        rows.iter().flat_map(|r| r.cells.iter()).filter(|c| several || !c.spread).map(|c| c.place).collect();
    places.sort_unstable();
    places.dedup();
    let headings = places
        .iter()
        .map(|place| {
            let mut parts: Vec<String> = Vec::new();
            for cell in rows.iter().filter_map(|r| r.at(*place)) {
                let text = squeeze(&cell.raw);
                if parts.last() != Some(&text) {
                    parts.push(text);
                }
            }
            Heading { name: parts.join(" "), unit: None }
        })
        .collect();
    Some((places, headings))
}

/// Rows between the headings and the values, such as units, times and temperatures; gives their number.
fn under(sink: &mut Sink, open: &mut Open, rest: &[SheetRow]) -> usize {
    let mut count = 0;
    for row in rest.iter().take_while(|r| !r.after_blank) {
        let mut taken = Vec::new();
        for cell in row.own() {
            let found = open.table.under.iter().find_map(|p| Some((p, p.0.captures(cell.raw.trim())?)));
            let Some((pattern, captures)) = found else { return count };
            let named = pattern.0.capture_names().flatten();
            taken.extend(named.filter_map(|n| Some((cell.place, n, captures.name(n)?.as_str().to_owned()))));
        }
        for (place, name, text) in taken {
            let column = open.places.iter().position(|p| *p == place).and_then(|i| open.columns.get_mut(i));
            if let Some(column) = column {
                column.add(name, &text);
            }
        }
        sink.note(row.line, "belongs to the headings");
        count += 1;
    }
    count
}

/// A column known by its cells rather than by its heading.
fn find_key(open: &mut Open, first: Option<&SheetRow>) {
    let has = |columns: &[Column], role: Role| columns.iter().any(|c| c.spec.is_some_and(|s| s.role == role));
    let Some(first) = first else { return };
    for spec in open.table.columns.iter() {
        let known = open.columns.iter().any(|c| c.spec.is_some_and(|s| std::ptr::eq(s, spec)));
        let Some(pattern) = spec.cells.as_ref().filter(|_| !known) else { continue };
        if matches!(spec.role, Role::Sample) && has(&open.columns, spec.role) {
            continue;
        }
        let Some(cell) = first.own().find(|c| pattern.is_match(c.raw.trim())) else { continue };
        let column = Column::of(spec, "", None, None);
        match open.places.binary_search(&cell.place) {
            Ok(index) => {
                if let Some(place) = open.columns.get_mut(index).filter(|c| c.spec.is_none()) {
                    *place = column;
                }
            }
            Err(index) => {
                open.places.insert(index, cell.place);
                open.columns.insert(index, column);
            }
        }
    }
}

/// Takes a row of the table; false where it is no longer one.
pub(super) fn take(sink: &mut Sink, open: &mut Open, row: &SheetRow, base: &Base) -> bool {
    let table = open.table;
    if table.stop.iter().any(|s| s.is_match(&row.text)) {
        return false;
    }
    let key = open.columns.iter().zip(&open.places).find_map(|(c, p)| Some((c.spec?.cells.as_ref()?, *p)));
    if key.is_some_and(|(pattern, place)| !row.at(place).is_some_and(|c| pattern.is_match(c.raw.trim()))) {
        return false;
    }
    open.rows += 1;
    if table.skip.iter().any(|s| s.is_match(&row.text)) {
        sink.note(row.line, "skipped");
        return true;
    }
    if table.ignore {
        sink.note(row.line, format!("table {}, not read", table.name));
        return true;
    }
    for cell in row.own().filter(|c| open.places.binary_search(&c.place).is_err()) {
        let message = format!("\"{}\" stands under no heading", cell.raw);
        sink.problem("row_width", crate::model::Severity::Error, message, Locator::at(row.line, cell.column));
    }
    if curves_only(open, sink.curves) {
        return true;
    }
    let from = sink.observations.len();
    observe(sink, open, row, base);
    let has_sample = open.columns.iter().any(|c| c.spec.is_some_and(|s| s.role == Role::Sample));
    let nameless = sink.observations.get(from).is_some_and(|o| o.sample.is_none());
    let of_well = sink.observations.get(from).is_some_and(|o| o.context.contains_key("well"));
    if has_sample && nameless && !of_well {
        sink.warn("sample_missing", "the row names no sample", Locator::line(row.line));
    }
    true
}

/// True where a row can only be points of curves, and those are not wanted.
fn curves_only(open: &Open, curves: bool) -> bool {
    let has = |role: Role| open.columns.iter().any(|c| c.spec.is_some_and(|s| s.role == role));
    !curves && (has(Role::X) || !has(Role::Value))
}
