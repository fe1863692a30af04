//! What `adapter.toml` says of a file in sections.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::spec::Pattern;

/// Layout of the file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The delimiters that may occur.
    pub(super) delimiters: Vec<char>,
    /// Whether quotes hold the cells of a row together.
    #[serde(default = "yes")]
    pub(super) quotes: bool,
    /// A line that starts a section; capture `title`.
    pub(super) section: Pattern,
    /// A line of a key and its value in a notation of its own, captures `key` and `value`;
    /// without it the first delimiter parts them.
    pub(super) fact: Option<Pattern>,
    /// What is taken off a line of a table before its cells are cut.
    pub(super) strip: Option<Pattern>,
    /// Title of the section that starts another run when it comes again.
    pub(super) restart: Option<Pattern>,
    /// The end mark, for formats that have one.
    pub(super) end: Option<Pattern>,
    /// Keys of facts that name a section which must be there.
    pub(super) listed: Option<Pattern>,
    /// Facts of the run that go into the `context` of its values: key → name.
    #[serde(default)]
    pub(super) context: BTreeMap<String, String>,
    /// What the sections hold; the first whose title matches is taken.
    pub(super) sections: Vec<SectionSpec>,
}

/// What a section holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum SectionKind {
    /// Keys and values of the run.
    Facts,
    /// Keys and values of the section, then a table that the adapter declares.
    Table,
    /// Prose, kept as one fact.
    Text,
    /// Known, and not read.
    Ignore,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SectionSpec {
    /// Its captures go into the `context` of the section's values.
    pub(super) title: Pattern,
    pub(super) kind: SectionKind,
    /// Keys of the number of rows; those of the section have precedence over those of the run.
    #[serde(default)]
    pub(super) count: Vec<String>,
    /// Keys of the component that the whole section is about.
    #[serde(default)]
    pub(super) analyte: Vec<String>,
    /// Keys of the unit of values whose column has none.
    #[serde(default)]
    pub(super) unit: Vec<String>,
    /// Keys of the factor of a curve's points.
    #[serde(default)]
    pub(super) factor: Vec<String>,
    /// Keys of the largest and the smallest value of a curve.
    #[serde(default)]
    pub(super) largest: Vec<String>,
    #[serde(default)]
    pub(super) smallest: Vec<String>,
    /// Facts of the section that go into the `context` of its values: key → name.
    #[serde(default)]
    pub(super) context: BTreeMap<String, String>,
    /// The line under the headings holds their units.
    #[serde(default)]
    pub(super) units_row: bool,
    /// Rows may end before the last heading, where the cells that follow are empty.
    #[serde(default)]
    pub(super) short_rows: bool,
    /// A file without this section is cut.
    #[serde(default)]
    pub(super) required: bool,
    /// Nothing follows this section: with its declared number of rows the file is whole.
    #[serde(default)]
    pub(super) last: bool,
}

fn yes() -> bool {
    true
}
