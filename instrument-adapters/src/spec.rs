//! `adapter.toml`: what an adapter declares. The README explains every field to laboratories.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::OnceLock;

use regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::model::{DateOrder, Severity, Status};
use crate::readers::ReaderSpec;

/// A regular expression in a TOML file; a wrong one is an error when the adapter is loaded.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(pub Compiled);

/// A regular expression that is compiled when it is first asked: of forty adapters, a file needs the patterns of few.
#[derive(Debug, Clone)]
pub(crate) struct Compiled {
    text: String,
    made: OnceLock<Regex>,
}

fn compile(text: &str) -> Result<Regex, regex::Error> {
    regex::RegexBuilder::new(text).size_limit(1 << 20).build()
}

impl Deref for Compiled {
    type Target = Regex;

    fn deref(&self) -> &Regex {
        self.made.get_or_init(|| {
            // A declaration that was not checked when it was read has passed its check elsewhere, see `trusting`.
            // What matches nothing would be the answer to one that had not.
            #[allow(clippy::expect_used)]
            compile(&self.text).unwrap_or_else(|_| Regex::new(r"[^\s\S]").expect("a constant"))
        })
    }
}

impl std::fmt::Display for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

thread_local! {
    static TRUSTING: Cell<bool> = const { Cell::new(false) };
}

/// Reads declarations whose patterns have been checked before: they are compiled when they are first asked.
pub(crate) fn trusting<T>(read: impl FnOnce() -> T) -> T {
    /// Puts things back even where reading panics.
    struct Back(bool);
    impl Drop for Back {
        fn drop(&mut self) {
            TRUSTING.set(self.0);
        }
    }
    let _back = Back(TRUSTING.replace(true));
    read()
}

impl Pattern {
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// The named capture, trimmed.
    pub fn capture<'t>(&self, text: &'t str, name: &str) -> Option<&'t str> {
        Some(self.0.captures(text)?.name(name)?.as_str().trim())
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let made = OnceLock::new();
        if !TRUSTING.get() {
            // Just made, so empty.
            let _ = made.set(compile(&text).map_err(serde::de::Error::custom)?);
        }
        Ok(Pattern(Compiled { text, made }))
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A regular expression of the crate regex: no look-around. Single quotes keep backslashes."
        })
    }
}

/// How far a laboratory has taken an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AdapterStatus {
    /// Under work; a person looks at every file.
    #[default]
    Draft,
    /// Checked against files whose values are known.
    Validated,
}

/// The whole of an `adapter.toml`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Spec {
    /// Name for `--adapter`: small letters, digits and `-`.
    pub id: String,
    /// Version of this declaration; raise it with every change.
    pub version: String,
    /// What its author says of it; `validated` counts with a record only.
    #[serde(default)]
    pub status: AdapterStatus,
    /// Instrument or software.
    pub product: String,
    /// One sentence on what is read.
    #[serde(default)]
    pub description: String,
    /// Whose file is it.
    pub detect: Detect,
    /// Characters, numbers and dates.
    #[serde(default)]
    pub text: TextSpec,
    /// What one file may cost.
    #[serde(default)]
    pub limits: Limits,
    /// Which layout the file has, with the settings of its reader.
    pub reader: ReaderSpec,
    /// What the heads of a file say of the run.
    #[serde(default)]
    pub run: RunSpec,
    /// The tables of the file; the first that fits is taken.
    #[serde(default)]
    pub tables: Vec<TableSpec>,
    /// Words in the place of a number, and what they mean.
    #[serde(default)]
    pub tokens: BTreeMap<String, Status>,
    /// Unit as written → UCUM code, where the built-in table knows none.
    #[serde(default)]
    pub units: BTreeMap<String, String>,
    /// Sentences that the instrument prints.
    #[serde(default)]
    pub messages: Vec<MessageSpec>,
    /// Files that belong to the main one.
    #[serde(default)]
    pub companions: Vec<CompanionSpec>,
}

/// How a file is recognised. All that is given must hold.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Detect {
    /// Small letters, without the dot; any where none is given.
    #[serde(default)]
    pub extensions: Vec<String>,
    /// Pattern of the file name.
    pub name: Option<Pattern>,
    /// Each must match within the first `head_lines` lines.
    #[serde(default)]
    pub head: Vec<Pattern>,
    /// One of them must match within the first `head_lines` lines.
    #[serde(default)]
    pub head_any: Vec<Pattern>,
    /// None may match there.
    #[serde(default)]
    pub not_head: Vec<Pattern>,
    /// Relatives of the format that are known and not read, with the reason.
    #[serde(default)]
    pub refuse: Vec<Refuse>,
    /// Every finished, non-blank line of the head must match one of them.
    #[serde(default)]
    pub every_line: Vec<Pattern>,
    /// How many lines the head has (60).
    #[serde(default = "head_lines")]
    pub head_lines: usize,
    /// Of several adapters that recognise a file, the one of highest priority reads it.
    #[serde(default)]
    pub priority: i32,
}

fn one() -> usize {
    1
}

/// A line by which a file is known to be another kind, and why that is not read.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refuse {
    pub line: Pattern,
    pub why: String,
}

fn head_lines() -> usize {
    60
}

/// Characters, numbers and dates.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TextSpec {
    /// Code pages to be tried, in this order, where the file is neither UTF-8 nor UTF-16 nor GB18030, which every
    /// adapter reads.
    pub encodings: Vec<String>,
    /// The decimal marks that may occur. Of two, the file's numbers decide; one that stays open is for a person.
    pub decimal: Vec<char>,
    /// A line in which the file names its decimal mark, as the capture `mark`.
    pub decimal_line: Option<Pattern>,
    /// What separates thousands, where the software writes them so; three digits must follow each.
    pub thousands: Option<char>,
    /// chrono formats.
    pub dates: Vec<String>,
    /// How a date is to be read that can be read two ways.
    pub date_order: Option<DateOrder>,
    /// The order that one of the formats stands for, where the others leave it open.
    pub date_order_of: BTreeMap<String, DateOrder>,
    /// Offset of the instrument's clock, such as `+08:00`.
    pub zone: Option<String>,
}

impl Default for TextSpec {
    fn default() -> Self {
        Self {
            encodings: vec!["utf-8".into()],
            decimal: vec!['.'],
            decimal_line: None,
            thousands: None,
            dates: Vec::new(),
            date_order: None,
            date_order_of: BTreeMap::new(),
            zone: None,
        }
    }
}

/// What one file may cost. `cells` stands for time where the file is read in the calling process; `seconds` and
/// `memory_mb` are kept by the process that a [pool](crate::isolated) reads it in.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// Bytes of the file (32 MiB).
    pub bytes: usize,
    /// Lines of a text (400 000).
    pub lines: usize,
    /// Cells that are read (2 000 000).
    pub cells: usize,
    /// Bytes of a line (1 MiB).
    pub line_length: usize,
    /// Problems that are listed (200).
    pub problems: usize,
    /// Lists within lists of a tree.
    pub depth: usize,
    /// Seconds for one file, where it is read in a process of its own; less than that allows, never more.
    pub seconds: Option<u64>,
    /// MiB for one file, in the same way.
    pub memory_mb: Option<u64>,
    /// Archives: bytes of all entries when inflated, …
    pub inflated_bytes: usize,
    /// … how many times larger than packed an entry may be, …
    pub ratio: usize,
    /// … and their number.
    pub entries: usize,
    /// Sheets of a workbook.
    pub sheets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 32 << 20,
            lines: 400_000,
            cells: 2_000_000,
            line_length: 1 << 20,
            problems: 200,
            depth: 64,
            seconds: None,
            memory_mb: None,
            inflated_bytes: 128 << 20,
            ratio: 250,
            entries: 2000,
            sheets: 200,
        }
    }
}

/// What the heads of a file say of the run. Keys are given as the file writes them, without `:`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RunSpec {
    pub sample: Vec<String>,
    pub injection: Vec<String>,
    pub acquired_at: Vec<String>,
    /// Keys of the time of day, where it is apart from the date (reader `sectioned`).
    pub acquired_time: Vec<String>,
    /// Key of the file → name in `run`; a key without an entry is turned into a name.
    pub names: BTreeMap<String, String>,
}

/// A table of the file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TableSpec {
    /// For messages.
    pub name: String,
    /// Title of the section that the table must be in.
    pub title: Option<Pattern>,
    /// Name of the sheet of a workbook, or of the section of a text, that the table must be in.
    pub sheet: Option<Pattern>,
    /// Each must match a column heading, otherwise it is another table.
    #[serde(default)]
    pub requires: Vec<Pattern>,
    /// Rows that the headings take up; words one above the other are joined by a blank.
    #[serde(default = "one")]
    pub heading_rows: usize,
    /// A plate: a row of column numbers, then rows that start with letters.
    #[serde(default)]
    pub grid: bool,
    /// A plate may leave out rows that were not read.
    #[serde(default)]
    pub row_gaps: bool,
    /// Cells between the headings and the first row; captures go into the column's `context`.
    #[serde(default)]
    pub under: Vec<Pattern>,
    /// Blank rows do not end the table.
    #[serde(default)]
    pub gaps: bool,
    /// Known, and not read: its lines are noted, not reported.
    #[serde(default)]
    pub ignore: bool,
    /// Kinds of columns; the first whose heading fits is taken.
    #[serde(default)]
    pub columns: Vec<ColumnSpec>,
    /// Lines within the table that say nothing.
    #[serde(default)]
    pub skip: Vec<Pattern>,
    /// A line that ends the table.
    #[serde(default)]
    pub stop: Vec<Pattern>,
    /// Words that stand for a component that was not found.
    #[serde(default)]
    pub not_found: Vec<String>,
    /// The line of sums that closes the table.
    pub totals: Option<TotalsSpec>,
}

/// The line of sums that closes a table.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TotalsSpec {
    /// What starts the line, where it is not known by its place.
    pub line: Option<Pattern>,
    /// Such a line leaves out the rows with this mark …
    pub without: Option<Pattern>,
    /// … in the column of this context name.
    pub without_mark: Option<Pattern>,
    /// Name in `context` of the column that has the mark.
    #[serde(default)]
    pub without_context: String,
    /// Allowance beyond the rounding of rows and total, as a share of the total.
    #[serde(default)]
    pub relative: Option<String>,
    /// A table without its totals is incomplete.
    #[serde(default)]
    pub required: bool,
}

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// A reading: one observation a row.
    #[default]
    Value,
    Sample,
    Analyte,
    Injection,
    /// Unit of the value columns with `row_unit`.
    Unit,
    Date,
    Time,
    Datetime,
    /// Kept in `context` under `name`.
    Context,
    /// A mark on the row's values.
    Flag,
    /// Number of the row; its `not_found` word makes the row a component that was not found.
    Number,
    /// A point of a curve; the heading's `x` is the abscissa.
    Curve,
    /// The abscissa of the row's curve columns; of its values where it has none.
    X,
    /// Known and said elsewhere.
    Ignore,
}

/// One kind of column. The heading decides; the first entry that matches is taken.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ColumnSpec {
    /// Heading, blanks squeezed. The capture `unit` gives the unit, `x` the abscissa, any other
    /// one goes into `context`.
    pub heading: Pattern,
    /// The unit given with the heading must match.
    pub unit_is: Option<Pattern>,
    /// What the column is for (`value`).
    #[serde(default)]
    pub role: Role,
    /// What is measured: `area`, `amount`, `concentration`, `absorbance`, …
    pub quantity: Option<String>,
    /// Unit that the file does not write.
    pub unit: Option<String>,
    /// The unit is in the row's unit column.
    #[serde(default)]
    pub row_unit: bool,
    /// Name in `context`.
    pub name: Option<String>,
    /// `context` entries taken from other columns of the row; `{n}` stands for a capture.
    #[serde(default)]
    pub context_from: BTreeMap<String, String>,
    /// Unit of `x`.
    pub x_unit: Option<String>,
    /// A word here is a result, not a failed number.
    #[serde(default)]
    pub text: bool,
    /// How a cell is put together: capture `value` is the number, `unit` its unit, others go into
    /// `context`. A cell that does not match is read as it is.
    pub cell: Option<Pattern>,
    /// An empty cell is a value that was not determined, not one that is absent.
    #[serde(default)]
    pub required: bool,
    /// Words that stand for an empty cell.
    #[serde(default)]
    pub blank: Vec<String>,
    /// Words of this column in the place of a number; they have precedence over those of the adapter.
    #[serde(default)]
    pub tokens: BTreeMap<String, Status>,
    /// Marks of this column, and what they make of the row's values.
    #[serde(default)]
    pub flags: BTreeMap<String, Status>,
    /// Flags that a cell of this column puts on the row's values.
    #[serde(default)]
    pub flag_when: Vec<FlagWhen>,
    /// A `not_found` word here decides for the whole row, as it does in a `number` column.
    #[serde(default)]
    pub decides: bool,
    /// What the shares in this column come to, `"100"` (reader `sectioned`).
    pub adds_up_to: Option<String>,
    /// Words of a flag column that say that there is no mark.
    #[serde(default)]
    pub unmarked: Vec<String>,
    /// What every cell of the column looks like: the table ends where one does not.
    pub cells: Option<Pattern>,
}

/// A cell that flags its row: the `M` of a manual integration among the marks of a peak.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FlagWhen {
    pub cell: Pattern,
    pub flag: String,
}

/// A sentence that the instrument may print.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageSpec {
    pub line: Pattern,
    pub code: String,
    pub severity: Severity,
    /// Put on every value of the run.
    pub flag: Option<String>,
}

/// A file that belongs to the main one, in the same folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CompanionSpec {
    /// Main file's name; its captures may be used in `file`.
    pub main: Pattern,
    /// Name of the companion, `{capture}` replaced; compared without case.
    pub file: String,
}
