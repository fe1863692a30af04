//! Workbooks: sheets with facts, tables and plates, of an instrument's software or of a laboratory's own.
//!
//! Each sheet is read from its first row to its last. A number is taken as the file stores it; one with
//! more than fifteen digits in its shortest form that is the same binary number, which is what the
//! software held. A moment is given as ISO text, a percentage times a hundred, a formula by its stored
//! result. Text of merged cells counts for all rows that they span. The archive's directory and the
//! checksums of its parts prove that the file is whole.

use super::{Proof, ReaderInput};
use crate::containers::workbook::{self, Workbook, WorkbookSheet, letters_of};
use crate::model::{Locator, Severity};
use crate::numbers;
use crate::sheets::{Layout, PlacedCell, SheetCellKind, SheetPart, SheetReading, SheetRow};
use crate::sink::Sink;

pub(crate) type Settings = Layout;

/// Digits that a binary number carries whatever it is: a text with fewer is the number as it was given.
const SURE_DIGITS: usize = 15;

pub(crate) fn read(layout: &Layout, input: &ReaderInput, sink: &mut Sink) -> Proof {
    let mut book = match Workbook::open(input.bytes, &sink.spec.limits) {
        Ok(book) => book,
        Err(why) => {
            sink.fault("workbook_refused", why, Locator::default());
            return Proof::Fails;
        }
    };
    for what in book.not_followed() {
        sink.warn("not_followed", format!("the workbook has {what}; they are not followed"), Locator::default());
    }
    let mut reading = SheetReading::new(layout);
    let mut places = Places::default();
    for (index, known) in book.sheets().to_vec().into_iter().enumerate() {
        if sink.stopped {
            break;
        }
        let at = Locator { sheet: Some(known.name.clone()), ..Locator::default() };
        if reading.ignores(&known.name) {
            continue;
        }
        let sheet = match book.sheet(index) {
            Ok(sheet) => sheet,
            Err(why) => {
                sink.fault("sheet_broken", why, at);
                return Proof::Fails;
            }
        };
        if known.hidden && !sheet.rows.is_empty() {
            sink.warn("hidden_sheet", format!("sheet \"{}\" is hidden", known.name), at);
        }
        let from = (sink.observations.len(), sink.problems.len());
        let part = part(sink, sheet, &mut places);
        reading.part(sink, &part);
        places.put(sink, from);
    }
    let from = (sink.observations.len(), sink.problems.len());
    reading.finish(sink);
    places.put(sink, from);
    let wrong = sink.problems.iter().any(|p| p.severity == Severity::Error);
    match (sink.broken, wrong) {
        (true, _) => Proof::Fails,
        // The archive is whole; that a cell is what the instrument wrote is not proven by that.
        (false, true) => Proof::None,
        (false, false) => Proof::Holds,
    }
}

/// Lines of the rendering: the sheet and row that each stands for.
#[derive(Default)]
struct Places {
    lines: Vec<(usize, u32)>,
    sheets: Vec<String>,
}

impl Places {
    /// Lines and columns of what was found since `from` become sheets and cells.
    fn put(&self, sink: &mut Sink, from: (usize, usize)) {
        let observations = sink.observations.iter_mut().skip(from.0).map(|o| &mut o.locator);
        let problems = sink.problems.iter_mut().skip(from.1).map(|p| &mut p.locator);
        for locator in observations.chain(problems) {
            let Some(line) = locator.line else { continue };
            let Some((sheet, row)) = self.lines.get((line as usize).saturating_sub(1)) else { continue };
            let column = letters_of(locator.column.unwrap_or(1));
            let sheet = self.sheets.get(*sheet).cloned();
            *locator = Locator { sheet, cell: Some(format!("{column}{row}")), ..Locator::default() };
        }
    }
}

/// A sheet as the rows that readers take, written out as lines as it goes.
fn part(sink: &mut Sink, sheet: WorkbookSheet, places: &mut Places) -> SheetPart {
    let number = places.sheets.len();
    places.sheets.push(sheet.name.name.clone());
    let mut out = |sink: &mut Sink, row: u32, text: String| {
        let at = Locator { sheet: Some(sheet.name.name.clone()), cell: Some(format!("A{row}")), ..Locator::default() };
        places.lines.push((number, row));
        sink.rendering.line(&at, text)
    };
    let title = out(sink, 0, format!("[{}]", sheet.name.name));
    sink.note(title, if sheet.name.hidden { "hidden sheet" } else { "sheet" });
    let mut before = 0;
    let mut rows = Vec::with_capacity(sheet.rows.len());
    for row in &sheet.rows {
        let text = workbook::line(row);
        let line = out(sink, row.number, text.clone());
        let cells: Vec<PlacedCell> = row.cells.iter().map(|c| cell(sink, c, sheet.hides(c.column))).collect();
        rows.push(SheetRow { line, after_blank: row.number != before + 1, hidden: row.hidden, cells, text });
        before = row.number;
    }
    SheetPart { name: sheet.name.name, hidden: sheet.name.hidden, rows }
}

fn cell(sink: &Sink, cell: &workbook::WorkbookCell, hidden: bool) -> PlacedCell {
    let stored = cell.text.trim().to_owned();
    let (raw, kind) = match &cell.kind {
        workbook::CellKind::Text | workbook::CellKind::Error => (stored, SheetCellKind::Text),
        workbook::CellKind::NoValue => (stored, SheetCellKind::NoValue),
        workbook::CellKind::Date { stored: number } => (stored, SheetCellKind::Date(number.clone())),
        workbook::CellKind::Number => {
            let raw = local(sink, shortest(&stored).unwrap_or_else(|| stored.clone()));
            let kind = SheetCellKind::Number((raw != stored).then_some(stored));
            (raw, kind)
        }
        workbook::CellKind::Percent => {
            let plain = shortest(&stored).unwrap_or_else(|| stored.clone());
            let hundred = numbers::parse(&format!("{plain}e2"), &['.']).map_or(plain, |n| n.value);
            (local(sink, hundred), SheetCellKind::Percent(stored))
        }
    };
    PlacedCell { place: cell.column, column: cell.column, raw, kind, spread: cell.spread, hidden }
}

/// Numbers of a workbook have a point, whatever the adapter says of its texts.
fn local(sink: &Sink, plain: String) -> String {
    let marks = &sink.spec.text.decimal;
    if marks.contains(&'.') { plain } else { plain.replace('.', ",") }
}

/// `5.8999999999999997E-2` is how a binary number nearest to 0.059 is stored: the shortest text of the
/// same number is the one that was written. A float is passed through here since the file holds one; zeros
/// behind the last digit, which it cannot hold, say nothing.
fn shortest(stored: &str) -> Option<String> {
    let plain = numbers::parse(stored, &['.'])?;
    let mantissa = stored.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    if digits.trim_start_matches('0').len() <= SURE_DIGITS {
        let short = match plain.value.split_once('.') {
            Some(_) => plain.value.trim_end_matches('0').trim_end_matches('.'),
            None => plain.value.as_str(),
        };
        return Some(if short == "-0" { "0".into() } else { short.to_owned() });
    }
    let number: f64 = stored.parse().ok()?;
    number.is_finite().then(|| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::shortest;

    #[test]
    fn a_stored_number_is_read_as_it_was_given() {
        let read = |stored: &str| shortest(stored).unwrap_or_default();
        assert_eq!(read("5.8999999999999997E-2"), "0.059");
        assert_eq!(read("11.32002067565918"), "11.32002067565918");
        assert_eq!(read("1087.0"), "1087");
        assert_eq!(read("10.50"), "10.5");
        assert_eq!(read("100"), "100");
        assert_eq!(read("1E-10"), "0.0000000001");
        assert_eq!(read("0.10000000000000001"), "0.1");
        assert_eq!(read("26.776044845581055"), "26.776044845581055");
    }
}
