//! What a reading becomes: observations with their place in the file, and problems.
//!
//! The JSON form of [`Parsed`] is a public interface: fields are added, never renamed.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// The place of something in a file. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locator {
    /// Line of a text file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// First character of the value within its line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// Sheet of a workbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// Cell of a sheet, as `B7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
    /// Path within a tree, as `$.injections[0].peaks[2].area`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl Locator {
    /// A whole line.
    pub fn line(line: u32) -> Self {
        Self { line: Some(line), ..Self::default() }
    }

    /// A value within a line.
    pub fn at(line: u32, column: u32) -> Self {
        Self { line: Some(line), column: Some(column), ..Self::default() }
    }

    /// A node of a tree.
    pub fn path(path: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..Self::default() }
    }

    /// True where nothing is known of the place.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How a reading is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A number that the instrument gives without reservation.
    Ok,
    /// Less than [`Observation::bound`].
    Below,
    /// More than [`Observation::bound`].
    Above,
    /// Looked for and not found: no number, and not a zero.
    NotDetected,
    /// Outside the range of the detector, the balance or the calibration.
    OverRange,
    /// Left out by the operator.
    Masked,
    /// Taken before the instrument came to rest.
    Unstable,
    /// No usable number.
    Invalid,
    /// A word by nature, such as `Pass`.
    Text,
    /// A number that can be read in two ways, see [`Observation::readings`]: only a person can say which.
    Ambiguous,
}

/// What a file says of a value beyond its number. Values of one block share it until one differs.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObservationContext(Arc<BTreeMap<String, String>>);

impl ObservationContext {
    /// True where the file says nothing more.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for ObservationContext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ObservationContext {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self::from)
    }
}

impl Deref for ObservationContext {
    type Target = BTreeMap<String, String>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for ObservationContext {
    fn deref_mut(&mut self) -> &mut Self::Target {
        Arc::make_mut(&mut self.0)
    }
}

impl From<BTreeMap<String, String>> for ObservationContext {
    fn from(map: BTreeMap<String, String>) -> Self {
        Self(Arc::new(map))
    }
}

impl<'a> IntoIterator for &'a ObservationContext {
    type Item = (&'a String, &'a String);
    type IntoIter = std::collections::btree_map::Iter<'a, String, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// One value with its sample, its meaning and its place in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// Sample name as the file has it; nothing is looked up or created.
    pub sample: Option<String>,
    /// Component or compound, where the file names one.
    pub analyte: Option<String>,
    /// What is measured: `area`, `concentration`, `absorbance`, `retention_time`, `signal`, …
    pub quantity: String,
    /// The text as written.
    pub raw: String,
    /// Plain decimal text with a point, no power of ten; `None` where it is not a number.
    pub value: Option<String>,
    /// UCUM code where one is known, else the unit as written; from the file or the adapter.
    pub unit: Option<String>,
    /// How the value is to be taken.
    pub status: Status,
    /// Marks of the instrument that belong to this value.
    pub flags: Vec<String>,
    /// The place of the value in the file.
    pub locator: Locator,
    /// What tells repeated injections or measurements of one sample apart.
    pub injection: Option<String>,
    /// ISO 8601 where the date can be read in one way only, else as written.
    pub acquired_at: Option<String>,
    /// Abscissa of a point of a curve, plain decimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// Unit of `x`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x_unit: Option<String>,
    /// The number after `<` or `>` of a censored value, plain decimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<String>,
    /// The unit as written, where it differs from `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_raw: Option<String>,
    /// What an ambiguous number may be, plain decimals: its mark as a decimal one, and as one that parts thousands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readings: Vec<String>,
    /// What else the file says of this value: signal, peak, well, wavelength, group, …
    #[serde(default, skip_serializing_if = "ObservationContext::is_empty")]
    pub context: ObservationContext,
}

/// Weight of a [`Problem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Blocks the use of the file's results until a person has decided.
    Error,
    /// Must be seen, does not block.
    Warning,
}

/// Something that a person has to know of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// Stable word for programs.
    pub code: String,
    /// Whether it blocks.
    pub severity: Severity,
    /// One sentence for people.
    pub message: String,
    /// Where.
    pub locator: Locator,
}

/// What a file became.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parsed {
    /// Id of the adapter that read it.
    pub adapter: String,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub file_sha256: String,
    /// What the file says of the run as a whole, with the adapter's version and the companions.
    pub run: Map<String, Value>,
    /// The values, in the order of the file.
    pub observations: Vec<Observation>,
    /// What a person has to know.
    pub problems: Vec<Problem>,
    /// `true` only where the format proves it, `false` where the proof fails, `None` where there is none.
    pub complete: Option<bool>,
}

impl Parsed {
    /// True where a problem blocks the use of the results.
    pub fn is_blocked(&self) -> bool {
        self.problems.iter().any(|p| p.severity == Severity::Error)
    }
}

/// How an ambiguous numeric date is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DateOrder {
    /// Day before month.
    Dmy,
    /// Month before day.
    Mdy,
}

/// A file read beside the main one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Companion {
    /// File name without its folder.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Wishes of the caller for one reading.
#[derive(Debug, Clone)]
pub struct Options {
    /// Points of curves and spectra are observations too.
    pub curves: bool,
    /// Companion files; those that the adapter does not declare are refused.
    pub companions: Vec<Companion>,
    /// What the instrument register says of the order in dates; it has precedence over the adapter's word.
    pub date_order: Option<DateOrder>,
    /// Offset of the instrument's clock such as `+08:00`; it has precedence over the adapter's word.
    pub zone: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { curves: true, companions: Vec::new(), date_order: None, zone: None }
    }
}
