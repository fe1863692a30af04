//! Rows of cells, of a workbook's sheet or a text's section, to observations: facts above, between and
//! below, tables with headings, plates with row letters and column numbers.

mod facts;
mod grid;
mod table;
mod wells;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::{Locator, Severity};
use crate::sink::Sink;
use crate::spec::{Pattern, TableSpec};
use crate::tabular::{self, Base, Column};

pub(crate) use facts::Fact;

/// What the readers of workbooks and of sectioned texts have in common.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Layout {
    /// Rows that say something by their form.
    pub facts: Vec<Fact>,
    /// Rows of key and value; captures `key` and `value`. `key: value` and two cells need no entry.
    pub keys: Vec<Pattern>,
    /// Rows that say nothing.
    pub notes: Vec<Pattern>,
    /// Text that goes on for several rows and is not read.
    pub prose: Vec<Prose>,
    /// Sheets or sections that are known and not read.
    pub ignore: Vec<Pattern>,
}

/// Free text between two rows; facts within it are taken.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Prose {
    from: Pattern,
    /// The first row that is no longer part of it.
    to: Pattern,
}

/// What a cell holds, where that is more than its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SheetCellKind {
    Text,
    /// A number; its text as stored, where another form of it is read.
    Number(Option<String>),
    /// A number times a hundred; its text as stored.
    Percent(String),
    /// ISO text; the number that is stored.
    Date(String),
    NoValue,
}

#[derive(Debug, Clone)]
pub(crate) struct PlacedCell {
    /// Which column it is in: cells of one place lie one above the other.
    pub place: u32,
    /// Where a person finds it: the place, or the first character of a text.
    pub column: u32,
    pub raw: String,
    pub kind: SheetCellKind,
    pub spread: bool,
    pub hidden: bool,
}

/// A row with something in it.
#[derive(Debug, Clone)]
pub(crate) struct SheetRow {
    /// Number of the line in the file, or in what stands for it.
    pub line: u32,
    pub after_blank: bool,
    pub hidden: bool,
    /// Its cells with something in them, by place.
    pub cells: Vec<PlacedCell>,
    /// The cells joined by TAB, those of the left side too that are empty.
    pub text: String,
}

impl SheetRow {
    pub fn at(&self, place: u32) -> Option<&PlacedCell> {
        let index = self.cells.binary_search_by_key(&place, |c| c.place).ok()?;
        self.cells.get(index)
    }

    /// The cells that stand for themselves.
    pub fn own(&self) -> impl Iterator<Item = &PlacedCell> {
        self.cells.iter().filter(|c| !c.spread)
    }
}

/// A sheet of a workbook or a section of a text.
#[derive(Debug, Clone, Default)]
pub(crate) struct SheetPart {
    pub name: String,
    pub hidden: bool,
    pub rows: Vec<SheetRow>,
}

/// A table whose headings have been read.
pub(crate) struct Open<'a> {
    table: &'a TableSpec,
    columns: Vec<Column<'a>>,
    places: Vec<u32>,
    rows: usize,
}

/// One file on its way through its sheets.
pub(crate) struct SheetReading<'l> {
    layout: &'l Layout,
    wells: wells::Wells,
    found_table: bool,
    /// What comes before the first section of a text holds for all of them.
    base: Base,
    /// Every moment that the file gives for its values.
    moments: BTreeSet<String>,
}

/// What holds from row to row of a part.
struct Course<'a> {
    base: Base,
    facts: facts::State,
    title: String,
    open: Option<Open<'a>>,
    /// Where a row of key and value had its key.
    key: Option<u32>,
    /// The prose that the rows belong to.
    prose: Option<usize>,
}

impl<'l> SheetReading<'l> {
    pub fn new(layout: &'l Layout) -> Self {
        Self {
            layout,
            wells: wells::Wells::default(),
            found_table: false,
            base: Base::default(),
            moments: BTreeSet::new(),
        }
    }

    /// True where the adapter knows the part and does not read it.
    pub fn ignores(&self, name: &str) -> bool {
        self.layout.ignore.iter().any(|p| p.is_match(name))
    }

    /// Reads a part.
    pub fn part(&mut self, sink: &mut Sink, part: &SheetPart) {
        let from = sink.observations.len();
        let mut course = Course {
            base: self.base.clone(),
            facts: facts::State::default(),
            title: String::new(),
            open: None,
            key: None,
            prose: None,
        };
        let mut index = 0;
        while let Some(row) = part.rows.get(index) {
            if !sink.spend(row.cells.len().max(1), Locator::line(row.line)) {
                break;
            }
            let rest = part.rows.get(index..).unwrap_or_default();
            index += self.row(sink, part, &mut course, row, rest).max(1);
        }
        let hidden = part.hidden;
        for observation in sink.observations.iter_mut().skip(from).filter(|_| hidden) {
            observation.flags.push("hidden_sheet".into());
        }
        facts::complete(sink, from, &course.facts, &course.base);
        self.moments.extend(course.base.acquired_at.clone());
        if part.name.is_empty() {
            self.base = course.base;
        }
    }

    /// Closes the reading: names of wells that other tables give, and whether there was a table at all.
    pub fn finish(self, sink: &mut Sink) {
        self.wells.give(sink);
        // A sheet of its own may tell when the run was, for all others.
        if let Some(moment) = self.moments.first().filter(|_| self.moments.len() == 1) {
            for observation in sink.observations.iter_mut().filter(|o| o.acquired_at.is_none()) {
                observation.acquired_at = Some(moment.clone());
            }
        }
        if !self.found_table && !sink.stopped {
            sink.fault("no_table", "no row holds the headings of one of the adapter's tables", Locator::default());
        }
        sink.flag_since(0);
    }

    /// Takes a row, or several that belong together; gives their number.
    fn row<'a>(
        &mut self,
        sink: &mut Sink<'a>,
        part: &SheetPart,
        course: &mut Course<'a>,
        row: &SheetRow,
        rest: &[SheetRow],
    ) -> usize {
        if row.after_blank {
            course.key = None;
            if course.open.as_ref().is_some_and(|o| !o.table.gaps) {
                course.open = None;
            }
        }
        if let Some(open) = &mut course.open {
            if table::take(sink, open, row, &course.base) {
                return 1;
            }
            course.open = None;
        }
        if sink.message(row.line, &row.text) {
            return 1;
        }
        if facts::take(sink, self.layout, part, course, rest) {
            return 1;
        }
        if self.prose(course, row) {
            sink.note(row.line, "text, not read");
            return 1;
        }
        if let Some(grid) = grid::find(sink.spec, part, &course.title, row) {
            self.found_table |= !grid.table.ignore;
            let title = std::mem::take(&mut course.title);
            return grid::read(sink, part, &title, &grid, rest, &course.base, &mut self.wells);
        }
        if let Some((open, rows)) = table::open(sink, part, &course.title, rest) {
            self.found_table |= !open.table.ignore;
            course.open = Some(open);
            return rows;
        }
        if self.layout.notes.iter().any(|p| p.is_match(&row.text)) {
            sink.note(row.line, "says nothing");
            return 1;
        }
        // A title may have a colon too: what a table asks for is not a key.
        if wanted(sink, row) && title(sink, course, row) {
            return 1;
        }
        if facts::key_and_value(sink, self.layout, course, row) {
            return 1;
        }
        if title(sink, course, row) {
            return 1;
        }
        sink.not_consumed(row.line, &row.text);
        1
    }

    fn prose(&self, course: &mut Course, row: &SheetRow) -> bool {
        if let Some(open) = course.prose.and_then(|index| self.layout.prose.get(index)) {
            if !open.to.is_match(&row.text) {
                return true;
            }
            course.prose = None;
        }
        course.prose = self.layout.prose.iter().position(|p| p.from.is_match(&row.text));
        course.prose.is_some()
    }
}

/// A row of one text is the title of what follows, where a table asks for it.
fn title(sink: &mut Sink, course: &mut Course, row: &SheetRow) -> bool {
    let mut own = row.own();
    let (Some(cell), None) = (own.next(), own.next()) else { return false };
    course.title = cell.raw.clone();
    let wanted = wanted(sink, row);
    if wanted {
        sink.note(row.line, "title");
    }
    wanted
}

/// Whether a table asks for a title such as this row's one text.
fn wanted(sink: &Sink, row: &SheetRow) -> bool {
    let mut own = row.own();
    let (Some(cell), None) = (own.next(), own.next()) else { return false };
    sink.spec.tables.iter().any(|t| t.title.as_ref().is_some_and(|p| p.is_match(&cell.raw)))
}

/// Where a table may be.
fn fits(table: &TableSpec, part: &SheetPart, title: &str) -> bool {
    table.sheet.as_ref().is_none_or(|p| p.is_match(&part.name))
        && table.title.as_ref().is_none_or(|p| p.is_match(title))
}

/// Turns cells into observations and puts right what a number's form in a workbook means for them.
fn observe(sink: &mut Sink, open: &Open, row: &SheetRow, base: &Base) {
    let from = sink.observations.len();
    let cells: Vec<tabular::Cell> = open
        .places
        .iter()
        .map(|place| match row.at(*place) {
            Some(cell) => tabular::Cell { raw: cell.raw.clone(), column: cell.column },
            None => tabular::Cell::default(),
        })
        .collect();
    for cell in open.places.iter().filter_map(|p| row.at(*p)).filter(|c| c.kind == SheetCellKind::NoValue) {
        let at = Locator::at(row.line, cell.column);
        let message = "a formula without its result: calculate and save the workbook, then take it in again";
        sink.problem("formula_without_value", Severity::Error, message, at);
    }
    tabular::row(sink, open.table, &open.columns, &cells, row.line, base);
    let mut wrong = Vec::new();
    for observation in sink.observations.iter_mut().skip(from) {
        let cell = row.cells.iter().find(|c| Some(c.column) == observation.locator.column);
        let Some(cell) = cell else { continue };
        match &cell.kind {
            SheetCellKind::Number(Some(stored)) | SheetCellKind::Date(stored) => observation.raw.clone_from(stored),
            SheetCellKind::Percent(stored) => {
                observation.raw.clone_from(stored);
                if observation.unit.is_none() {
                    observation.unit = Some("%".into());
                } else if observation.unit.as_deref() != Some("%") {
                    wrong.push(observation.locator.clone());
                    observation.value = None;
                    observation.status = crate::model::Status::Invalid;
                }
            }
            _ => {}
        }
        if row.hidden || cell.hidden {
            observation.flags.push(if row.hidden { "hidden_row" } else { "hidden_column" }.into());
        }
    }
    for at in wrong {
        let message = "the cell is shown as percent, the column has another unit";
        sink.problem("percent_format", Severity::Error, message, at);
    }
}
