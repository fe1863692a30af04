//! Plates: a row of column numbers, then rows that start with letters, for one or several readings.

use std::collections::BTreeSet;

use super::wells::Wells;
use super::{Open, PlacedCell, SheetPart, SheetRow, fits, observe};
use crate::model::{Locator, Severity};
use crate::sink::Sink;
use crate::spec::{ColumnSpec, Role, Spec, TableSpec};
use crate::tabular::{Base, Column};

/// A plate's row of column numbers.
pub(super) struct Grid<'a> {
    pub table: &'a TableSpec,
    /// Place of the row letters.
    letters: u32,
    columns: u32,
    /// The cell above the letters.
    corner: String,
}

/// The plate that this row heads: an optional word, then 1, 2, 3, … side by side.
pub(super) fn find<'a>(spec: &'a Spec, part: &SheetPart, title: &str, row: &SheetRow) -> Option<Grid<'a>> {
    let number = |cell: &PlacedCell| {
        let text = cell.raw.trim();
        let text = text.split_once(['.', ',']).map_or(text, |(whole, rest)| if rest == "0" { whole } else { text });
        text.parse::<u32>().ok()
    };
    let start = row.cells.iter().position(|c| number(c) == Some(1))?;
    let first = row.cells.get(start)?.place;
    let letters = first.checked_sub(1)?;
    let cells = row.cells.get(start..)?;
    let columns =
        (1..).zip(cells).take_while(|(n, c)| number(c) == Some(*n) && c.place == first + n - 1).count() as u32;
    let corner = match start {
        0 => String::new(),
        1 => row.cells.first().filter(|c| c.place == letters)?.raw.trim().to_owned(),
        _ => return None,
    };
    // Beside the numbers there is nothing but, at most, a word for the column of labels.
    if columns < 2 || cells.len() as u32 > columns + 1 {
        return None;
    }
    let known = spec.tables.iter().filter(|t| t.grid && fits(t, part, title));
    let table = known.into_iter().find(|t| t.requires.iter().all(|r| r.is_match(&corner)))?;
    Some(Grid { table, letters, columns, corner })
}

/// `AB` is the 28th row of a plate.
fn row_number(text: &str) -> Option<u32> {
    let text = text.trim();
    let fits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase());
    fits.then(|| crate::containers::workbook::column_of(text)).flatten()
}

/// Reads the plate; gives the number of rows that it takes up.
pub(super) fn read(
    sink: &mut Sink,
    part: &SheetPart,
    title: &str,
    grid: &Grid,
    rest: &[SheetRow],
    base: &Base,
    wells: &mut Wells,
) -> usize {
    let (heading, body) = match rest.split_first() {
        Some((first, body)) => (first, body),
        None => return 1,
    };
    sink.note(heading.line, format!("plate, table {}", grid.table.name));
    let mut taken = 0;
    let mut letter = String::new();
    let mut line_in_row = 0usize;
    // The labels of the first row's lines; every other row must have the same.
    let mut labels: Vec<String> = Vec::new();
    let mut uneven: Option<u32> = None;
    let mut first_row = true;
    let mut read = BTreeSet::new();
    let plate = Plate { sheet: &part.name, base };
    for row in body {
        let lead = row.at(grid.letters).map(|c| c.raw.trim().to_owned()).unwrap_or_default();
        let before = row_number(&letter).unwrap_or(0);
        let next = row_number(&lead).filter(|n| *n == before + 1 || (grid.table.row_gaps && *n > before));
        if next.is_some() {
            if !letter.is_empty() {
                first_row = false;
                uneven = uneven.or((line_in_row != labels.len()).then_some(row.line));
            }
            (letter, line_in_row) = (lead, 0);
        } else if !lead.is_empty() || letter.is_empty() || row.after_blank {
            break;
        }
        if !sink.spend(row.cells.len().max(1), Locator::line(row.line)) {
            return taken + 1;
        }
        let side = row.at(grid.letters + grid.columns + 1);
        let label = side.map(|c| c.raw.trim()).filter(|l| !l.is_empty()).unwrap_or(if grid.corner.is_empty() {
            title
        } else {
            &grid.corner
        });
        if first_row {
            labels.push(label.to_owned());
        } else if labels.get(line_in_row).is_none_or(|l| l != label) {
            uneven = uneven.or(Some(row.line));
        }
        line_in_row += 1;
        taken += 1;
        line(sink, grid, row, &letter, label, &plate, wells);
        read.insert(letter.clone());
    }
    let last = body.get(taken.saturating_sub(1)).map_or(heading.line, |r| r.line);
    if taken == 0 {
        sink.fault("plate_empty", "column numbers of a plate without rows below", Locator::line(heading.line));
    }
    if let Some(line) = uneven.or((line_in_row != labels.len()).then_some(last)) {
        let message = "the rows of the plate do not have the same readings; something is missing";
        sink.fault("plate_uneven", message, Locator::line(line));
    }
    let missing = wells.rows(&part.name, base).find(|letters| !read.contains(*letters)).cloned();
    if let Some(letters) = missing {
        let message = format!("the layout has wells in row {letters}, and there is no reading of that row");
        sink.problem("plate_rows", Severity::Error, message, Locator::line(last));
    }
    taken + 1
}

struct Plate<'p> {
    sheet: &'p str,
    base: &'p Base,
}

/// One line of a plate: a reading, or what the layout says, of each well of a row.
fn line(sink: &mut Sink, grid: &Grid, row: &SheetRow, letter: &str, label: &str, plate: &Plate, wells: &mut Wells) {
    if grid.table.ignore {
        sink.note(row.line, format!("table {}, not read", grid.table.name));
        return;
    }
    let known = grid.table.columns.iter().find(|c| c.heading.is_match(label));
    let Some(spec) = known else {
        let message =
            format!("the adapter does not know the reading \"{label}\" of table {}; not read", grid.table.name);
        sink.warn_once("unknown_column", message, Locator::line(row.line));
        return;
    };
    match spec.role {
        Role::Ignore => sink.note(row.line, "known, not read"),
        Role::Sample | Role::Context | Role::Analyte => {
            sink.note(row.line, format!("layout, row {letter}"));
            for (well, cell) in cells(grid, row, letter) {
                if spec.blank.iter().any(|b| b == cell.raw.trim()) {
                    continue;
                }
                let name = match spec.role {
                    Role::Sample => "",
                    _ => spec.name.as_deref().unwrap_or("layout"),
                };
                wells.put(plate.sheet, plate.base, &well, name, cell.raw.trim());
            }
        }
        _ => readings(sink, grid, row, letter, label, spec, plate),
    }
}

fn cells<'r>(grid: &Grid, row: &'r SheetRow, letter: &str) -> Vec<(String, &'r PlacedCell)> {
    (1..=grid.columns).filter_map(|n| Some((format!("{letter}{n}"), row.at(grid.letters + n)?))).collect()
}

fn readings(sink: &mut Sink, grid: &Grid, row: &SheetRow, letter: &str, label: &str, spec: &ColumnSpec, plate: &Plate) {
    let (mut columns, mut places) = (Vec::new(), Vec::new());
    let of_line = Column::of(spec, label, None, None);
    for (well, cell) in cells(grid, row, letter) {
        let mut column = of_line.clone();
        column.add("well", &well);
        columns.push(column);
        places.push(cell.place);
    }
    let open = Open { table: grid.table, columns, places, rows: 0 };
    observe(sink, &open, row, plate.base);
}
