//! Sequences and plates as evidence (序列评价、板评价), pure: from the observations of a run, the roles of its
//! injections or wells and the weighings to a result, with every step kept as text.
//!
//! Nothing here reads a file, knows the database or asks for the time. Sequences are calculated in decimals
//! throughout; curve fits and statistics of plates in f64, which [`plate`] says of itself. Limits are data: method
//! definitions in TOML ([`method`]), of which the shipped ones are examples that a laboratory replaces by its own.

pub mod arith;
pub mod censored;
pub mod content;
pub mod formula;
pub mod injections;
pub mod inputs;
pub mod method;
pub mod normalise;
pub mod outcome;
pub mod plate;
pub mod sequence;
#[cfg(test)]
mod sequence_tests;
pub mod setup;
pub mod statistics;
pub mod suitability;

/// The version of the calculation, kept with every evaluation: raised whenever the same input could give another
/// outcome.
pub const CALCULATION_VERSION: &str = "1.0.0";

use rust_decimal::Decimal;

use std::collections::BTreeMap;

/// One observation of an instrument file, as it was stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The observation's id.
    pub id: String,
    /// The file's id.
    pub file: String,
    /// The file's place among those chosen: a later one was taken in later.
    pub file_order: usize,
    /// The sample as the file names it.
    pub sample_text: Option<String>,
    /// The analyte as the file names it.
    pub analyte: Option<String>,
    /// `area`, `retention_time`, `absorbance`, …
    pub quantity: String,
    /// As written.
    pub raw: String,
    /// Its number, where it has one.
    pub value: Option<Decimal>,
    /// The unit, where the file or the adapter says it.
    pub unit: Option<String>,
    /// `ok`, `below`, `masked`, …
    pub status: String,
    /// The instrument's marks.
    pub flags: Vec<String>,
    /// What tells injections apart.
    pub injection: Option<String>,
    /// When, as the file has it.
    pub acquired_at: Option<String>,
    /// What else the file says of it.
    pub context: BTreeMap<String, String>,
    /// The registered sample that it was matched to.
    pub sample_id: Option<String>,
}

/// The quantity of a curve's point: drawn, not evaluated. It shows that an injection was made.
pub const CURVE: &str = "signal";

/// Marks of a peak that a person integrated or altered: such values count, and are named.
const BY_HAND: &[&str] = &["manual", "altered", "manual_integration", "manually_integrated", "manually_reintegrated"];

impl Seen {
    /// The number that may be calculated with; `None` for censored, not detected, masked, over-range and otherwise
    /// marked values.
    #[must_use]
    pub fn number(&self) -> Option<Decimal> {
        let marked = self.flags.iter().any(|flag| !BY_HAND.contains(&flag.to_lowercase().as_str()));
        self.value.filter(|_| self.status == "ok" && !marked)
    }

    /// Whether a person integrated or altered it.
    #[must_use]
    pub fn by_hand(&self) -> bool {
        self.flags.iter().any(|flag| BY_HAND.contains(&flag.to_lowercase().as_str()))
            || BY_HAND.iter().any(|key| self.told(key).is_some_and(yes))
    }

    /// What the file says of it under a key.
    #[must_use]
    pub fn told(&self, key: &str) -> Option<&str> {
        self.context.get(key).map(String::as_str)
    }

    /// Why it cannot be used as a number.
    #[must_use]
    pub fn why_not(&self) -> String {
        let marks = if self.flags.is_empty() { String::new() } else { format!(" [{}]", self.flags.join(", ")) };
        format!("{}：{}{marks}", self.status, self.raw)
    }
}

/// Whether a file's word means yes.
pub(crate) fn yes(text: &str) -> bool {
    matches!(text.trim().to_lowercase().as_str(), "true" | "yes" | "y" | "1" | "是")
}
