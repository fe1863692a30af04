//! What an adapter declares of a tree.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::Status;
use crate::spec::{Pattern, Role};

/// Layout of the tree.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Objects whose simple values describe the run, by their dotted path from the root.
    pub run: Vec<String>,
    /// The lists to walk down, an outer one before those within it.
    pub levels: Vec<Level>,
    /// The object of every entry that holds its simple values, where they are not in the entry itself.
    pub inner: Option<String>,
    /// Lists of which only the number of entries is given, in `run` under their last name.
    #[serde(default)]
    pub counted: Vec<String>,
    /// Parts that are known and say nothing, by their dotted path.
    #[serde(default)]
    pub skip: Vec<String>,
    /// What the keys on each level are for.
    pub fields: Vec<TreeKey>,
    /// Curves: lists of `x` and `y` below a level.
    #[serde(default)]
    pub curves: Vec<Curve>,
    /// Entries of which one may replace another.
    pub versions: Option<Versions>,
    /// Rows of components that were looked for and not found.
    pub missing: Option<Missing>,
    /// Sums that an outer level gives of an inner one.
    #[serde(default)]
    pub totals: Vec<Total>,
    /// A level without entries is worth a warning.
    #[serde(default)]
    pub wanted: Vec<String>,
}

/// A list of the tree: a bare name belongs to the level before it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Level {
    Name(String),
    Full(FullLevel),
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FullLevel {
    pub name: String,
    /// The level whose entries hold the list; the root where none is named.
    pub of: Option<String>,
    /// Dotted path of the list from there.
    pub at: String,
    /// Name in `context` for the number of the entry, from 1.
    pub number: Option<String>,
}

/// One kind of key.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TreeKey {
    pub level: String,
    pub key: Pattern,
    #[serde(default)]
    pub role: Role,
    pub quantity: Option<String>,
    pub unit: Option<String>,
    /// The unit is the text of this context entry.
    pub unit_from: Option<String>,
    /// The unit holds only where this context entry …
    pub unit_if: Option<String>,
    /// … matches this.
    pub unit_if_is: Option<Pattern>,
    /// Name in `context`; a name is made from the key where none is given.
    pub name: Option<String>,
    /// The words that are as they should be; any other one is reported and flags the values.
    #[serde(default)]
    pub expected: Vec<String>,
    /// The mark for such values, instead of the word itself …
    pub flag: Option<String>,
    /// … and what they become by it.
    pub status: Option<Status>,
    /// Without a number here the component was not found.
    #[serde(default)]
    pub decides: bool,
    /// A word here is a result, not a failed number.
    #[serde(default)]
    pub text: bool,
    /// The key beside this one that holds the abscissa: the value is a point of a curve.
    pub x: Option<String>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Curve {
    pub level: String,
    pub key: String,
    pub x: String,
    pub y: String,
    pub x_unit: Option<String>,
    pub unit: Option<String>,
    pub unit_from: Option<String>,
    pub unit_if: Option<String>,
    pub unit_if_is: Option<Pattern>,
    /// The only context entries that its points keep.
    pub context: Option<Vec<String>>,
}

/// Entries of which one may replace another: results of one injection and channel.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Versions {
    pub level: String,
    /// Context entries that are alike for the versions of one result.
    pub alike: Vec<String>,
    /// Context entry that names a version.
    pub id: String,
    /// Context entries that order the versions, the weightiest first.
    pub newest: Vec<String>,
    /// Context entry with the number of signatures.
    pub signed: Option<String>,
    /// Context entries of which one is `true` for a version that the source itself calls replaced.
    #[serde(default)]
    pub replaced: Vec<String>,
}

/// How a row says that its component was not found.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Missing {
    pub level: String,
    /// The context entry that says it …
    pub context: String,
    /// … by this word.
    pub is: Pattern,
}

/// A sum that an outer level gives of an inner one.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Total {
    pub level: String,
    pub key: String,
    /// List in the level's entries.
    pub of: String,
    pub field: String,
    /// Key of a row …
    pub without: Option<String>,
    /// … whose word leaves the row out.
    pub without_is: Option<Pattern>,
    /// Allowance beyond rounding, as a share of the total.
    pub relative: Option<String>,
}

impl Level {
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Full(level) => &level.name,
        }
    }

    /// Dotted path of the list from its parent.
    pub fn at(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Full(level) => &level.at,
        }
    }

    pub fn number(&self) -> Option<&str> {
        match self {
            Self::Name(_) => None,
            Self::Full(level) => level.number.as_deref(),
        }
    }
}

impl Settings {
    /// The levels within `parent`, or below the root.
    pub fn below<'a>(&'a self, parent: Option<&'a str>) -> impl Iterator<Item = &'a Level> {
        self.levels.iter().enumerate().filter_map(move |(index, level)| {
            let of = match level {
                Level::Name(_) => index.checked_sub(1).and_then(|i| self.levels.get(i)).map(Level::name),
                Level::Full(full) => full.of.as_deref(),
            };
            (of == parent).then_some(level)
        })
    }
}
