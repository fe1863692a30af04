//! Sheets of a workbook as rows of cells, whatever file they come from.

use super::xlsx::Xlsx;
use crate::spec::Limits;
use crate::text::{Line, Text};

/// Rows of each sheet that the head shows, and lines of the whole head.
const HEAD_ROWS: usize = 60;
const HEAD_LINES: usize = 1500;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SheetName {
    pub name: String,
    pub hidden: bool,
}

/// What a cell holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CellKind {
    Text,
    /// A number, as the text that the file stores.
    Number,
    /// A number that is shown times a hundred.
    Percent,
    /// A moment as ISO 8601 text, with the number that the file stores.
    Date {
        stored: String,
    },
    /// `#N/A` and its like.
    Error,
    /// A formula whose result the file does not store.
    NoValue,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WorkbookCell {
    /// Counts from 1.
    pub column: u32,
    pub text: String,
    pub kind: CellKind,
    /// The text is in another cell of a merged area.
    pub spread: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct WorkbookRow {
    pub number: u32,
    pub hidden: bool,
    /// Those with something in them, by column.
    pub cells: Vec<WorkbookCell>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct WorkbookSheet {
    pub name: SheetName,
    pub rows: Vec<WorkbookRow>,
    pub hidden_columns: Vec<(u32, u32)>,
}

/// Cells that were merged into one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Area {
    rows: (u32, u32),
    columns: (u32, u32),
}

impl Area {
    /// `A1:B3`.
    pub fn parse(text: &str) -> Option<Self> {
        let corner = |text: &str| {
            let digits = text.trim_start_matches(|c: char| c.is_ascii_alphabetic());
            Some((digits.parse::<u32>().ok()?, column_of(text.get(..text.len() - digits.len())?)?))
        };
        let (from, to) = text.split_once(':')?;
        let ((top, left), (bottom, right)) = (corner(from)?, corner(to)?);
        Some(Self { rows: (top, bottom), columns: (left, right) })
    }
}

impl WorkbookSheet {
    /// Rows and cells by their numbers; two at one place are an error, since either may be meant.
    pub fn put_in_order(&mut self) -> Result<(), String> {
        self.rows.sort_by_key(|r| r.number);
        for row in &mut self.rows {
            row.cells.sort_by_key(|c| c.column);
            if row.cells.windows(2).any(|w| matches!(w, [a, b] if a.column == b.column)) {
                return Err(format!("row {} of sheet \"{}\" has two cells at one place", row.number, self.name.name));
            }
        }
        if self.rows.windows(2).any(|w| matches!(w, [a, b] if a.number == b.number)) {
            return Err(format!("sheet \"{}\" has two rows of one number", self.name.name));
        }
        Ok(())
    }

    /// Repeats the text of a merged cell in the rows and columns that it covers. Numbers are kept once:
    /// a mean beside three replicates is one value.
    pub fn spread(&mut self, areas: &[Area], budget: &mut usize) -> Result<(), String> {
        for area in areas {
            let first = self.rows.partition_point(|r| r.number < area.rows.0);
            let source = self.rows.get(first).filter(|r| r.number == area.rows.0);
            let source = source.and_then(|r| r.cells.iter().find(|c| c.column == area.columns.0));
            let Some(source) = source.filter(|c| c.kind == CellKind::Text).cloned() else { continue };
            for row in self.rows.iter_mut().skip(first).take_while(|r| r.number <= area.rows.1) {
                let last = row.cells.last().map_or(0, |c| c.column).min(area.columns.1);
                for column in area.columns.0..=last {
                    *budget = budget.checked_sub(1).ok_or("more merged cells than the adapter's limit")?;
                    if let Err(at) = row.cells.binary_search_by_key(&column, |c| c.column) {
                        row.cells.insert(at, WorkbookCell { column, spread: true, ..source.clone() });
                    }
                }
            }
        }
        Ok(())
    }

    pub fn hides(&self, column: u32) -> bool {
        self.hidden_columns.iter().any(|(first, last)| (*first..=*last).contains(&column))
    }
}

/// `AB` → 28.
pub(crate) fn column_of(letters: &str) -> Option<u32> {
    if letters.is_empty() || letters.len() > 3 {
        return None;
    }
    letters.chars().try_fold(0, |sum, c| {
        Some(sum * 26 + (c.to_ascii_uppercase() as u32).checked_sub(64).filter(|n| (1..=26).contains(n))?)
    })
}

/// 28 → `AB`.
pub(crate) fn letters_of(mut column: u32) -> String {
    let mut letters = Vec::new();
    while column > 0 {
        column -= 1;
        letters.push(char::from(b'A' + (column % 26) as u8));
        column /= 26;
    }
    letters.iter().rev().collect()
}

/// A workbook of any kind that is read.
pub(crate) struct Workbook<'a>(Xlsx<'a>);

impl<'a> Workbook<'a> {
    pub fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, String> {
        if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
            return Err("an xls or an encrypted workbook; save it as xlsx".into());
        }
        Xlsx::open(bytes, limits).map(Self)
    }

    pub fn sheets(&self) -> &[SheetName] {
        &self.0.sheets
    }

    pub fn sheet(&mut self, index: usize) -> Result<WorkbookSheet, String> {
        self.0.sheet(index, usize::MAX)
    }

    pub fn not_followed(&self) -> Vec<&'static str> {
        self.0.not_followed()
    }
}

/// The head of a workbook: `[WorkbookSheet1]`, then its first rows, cells joined by TAB.
pub(crate) fn head(bytes: &[u8]) -> Result<Text, String> {
    let mut book = Workbook::open(bytes, &Limits::default())?;
    let mut lines: Vec<String> = Vec::new();
    for index in 0..book.sheets().len() {
        if lines.len() > HEAD_LINES {
            break;
        }
        let sheet = book.0.sheet(index, HEAD_ROWS)?;
        lines.push(format!("[{}]", sheet.name.name));
        lines.extend(sheet.rows.iter().map(line));
    }
    let lines = (1..).zip(lines).map(|(number, text)| Line { number, text, terminated: true }).collect();
    Ok(Text { encoding: "a workbook", lines, broken_line: None, whole: String::new() })
}

/// A row with its cells at their places, joined by TAB; a line end within a cell is a blank.
pub(crate) fn line(row: &WorkbookRow) -> String {
    let mut text = String::new();
    let mut column = 1;
    for cell in row.cells.iter().filter(|c| !c.spread) {
        // A far cell is not worth thousands of tabs.
        for _ in column..cell.column.min(column + 300) {
            text.push('\t');
        }
        column = cell.column;
        text.extend(cell.text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_letters() {
        for (number, letters) in [(1, "A"), (26, "Z"), (27, "AA"), (702, "ZZ"), (703, "AAA"), (16384, "XFD")] {
            assert_eq!(letters_of(number), letters);
            assert_eq!(column_of(letters), Some(number));
        }
        assert_eq!(column_of("A1"), None);
    }
}
