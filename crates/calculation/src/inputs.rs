//! What a formula asks for: the readings of an item, and where an instrument file has them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One reading of an item.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadingInput {
    /// Its name in the formula
    pub name: String,
    #[serde(default)]
    pub label_zh: String,
    #[serde(default)]
    pub label_en: String,
    #[serde(default)]
    pub unit: String,
    /// How many such readings there are; 0 for as many as the file has (peaks of impurities)
    #[serde(default = "once")]
    pub count: i64,
    /// What it can physically be, as a limit is written (`≥0`, `0~100`); without it, the laboratory's rules say so
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// Where it is in an instrument file
    pub source: Option<InputSource>,
}

/// Where a reading is among the observations of an instrument file.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InputSource {
    /// What was measured, as the adapter says: `area`, `concentration`, `mass`, …
    pub quantity: String,
    /// The analyte as the file names it; without it, any
    pub analyte: Option<String>,
    /// Analytes left out
    #[serde(default)]
    pub except: Vec<String>,
    /// What else the file must say of the value, e.g. `{"name": "HA_content"}`
    #[serde(default)]
    pub context: std::collections::BTreeMap<String, String>,
    /// The position among these observations, from 1; without it, all in their order
    pub nth: Option<i64>,
    /// Other names that the analyte goes by
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// The adapters whose files it speaks of; without them, all
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adapters: Vec<String>,
    /// How many such values there must be; without it, at most as many as the item takes
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicates: Option<i64>,
    /// Every value is multiplied by it: a decimal
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dilution: Option<String>,
    /// The unit that the file must give
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Other units that it may give, each with the decimal factor that leads to `unit`
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub units: std::collections::BTreeMap<String, String>,
}

impl InputSource {
    /// Whether it speaks of files that this adapter read.
    #[must_use]
    pub fn reads(&self, adapter: &str) -> bool {
        self.adapters.is_empty() || self.adapters.iter().any(|one| one == adapter)
    }

    /// Checks its numbers.
    ///
    /// # Errors
    /// The field, and what was expected.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let above_zero = |text: &str| {
            let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.');
            plain && rust_decimal::Decimal::from_str_exact(text).is_ok_and(|value| value > rust_decimal::Decimal::ZERO)
        };
        if let Some(text) = self.dilution.as_deref().filter(|text| !above_zero(text)) {
            return Err(("dilution", format!("expected a decimal above zero such as \"10\", found {text:?}")));
        }
        if let Some((unit, text)) = self.units.iter().find(|(_, text)| !above_zero(text)) {
            return Err(("units", format!("{unit}: expected a decimal factor above zero, found {text:?}")));
        }
        if let Some(unit) = &self.unit {
            for (other, text) in &self.units {
                contradiction(other, unit, text).map_or(Ok(()), |why| Err(("units", why)))?;
            }
        }
        if !self.units.is_empty() && self.unit.is_none() {
            return Err(("unit", "is needed where factors for other units are given".to_owned()));
        }
        if self.replicates.is_some_and(|count| !(1..=500).contains(&count)) {
            return Err(("replicates", "expected 1 to 500".to_owned()));
        }
        if self.nth.is_some_and(|nth| nth < 1) {
            return Err(("nth", "expected 1 or more".to_owned()));
        }
        Ok(())
    }
}

/// Why a declared factor cannot be: the two units convert by another. Where they do not convert by themselves (a mass
/// to an amount), the laboratory's factor says how.
fn contradiction(from: &str, to: &str, declared: &str) -> Option<String> {
    let conversion = units::Unit::read(from).ok()?.to(&units::Unit::read(to).ok()?).ok()?;
    let factor = conversion.factor()?;
    let declared: rust_decimal::Decimal = declared.parse().ok()?;
    (factor != declared).then(|| format!("{from}: 1 {from} is {} {to}, found {declared}", factor.normalize()))
}

fn once() -> i64 {
    1
}
