//! Units of measure, pure: UCUM over the whole language, compared by dimension and converted exactly, and the spellings
//! that instruments and people use instead.
//!
//! What does not convert is refused with both units named; nothing is ever taken for another unit. Three things are
//! stricter than UCUM, which is made for messages and not for judging results:
//! - An amount is a kind of its own. UCUM counts moles as plain numbers; a mass is not an amount without a molar mass.
//! - A fraction has a basis. `%` by mass, by volume and by amount are three; one that does not say its basis agrees
//!   with another that does not say it, and with none that does.
//! - Annotations count. `{copies}/mL` and `{cells}/mL` are both "per millilitre" to UCUM.
//!
//! Special scales convert where they are linear (temperatures); logarithms convert to themselves only.

mod alias;
mod essence;
mod exact;
mod parse;

use std::collections::BTreeSet;

use num_rational::BigRational;
use num_traits::{One, Zero};
use rust_decimal::Decimal;

use parse::Worth;

/// Why a unit is not understood, or two do not convert.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    #[error("单位“{text}”无法识别 / the unit {text:?} is not known")]
    Unknown { text: String },
    #[error("单位 {from} 与 {to} 量纲不同，不能换算 / {from} and {to} are of different dimensions and do not convert")]
    Dimension { from: String, to: String },
    #[error(
        "{from} 与 {to} 为质量与物质的量之间的换算，须有摩尔质量 / {from} against {to}: mass against amount needs a molar mass"
    )]
    MolarMass { from: String, to: String },
    #[error(
        "{from} 与 {to} 的基准（质量、体积或物质的量之比）不同或未写明，不能换算 / the bases of {from} and {to} (by mass, volume or amount) differ or are not stated"
    )]
    Basis { from: String, to: String },
    #[error("{from} 与 {to} 计数的对象不同或未写明，不能换算 / {from} and {to} do not say that they count the same")]
    Counted { from: String, to: String },
    #[error(
        "{from} 与 {to} 的标度不是线性的，不能换算 / the scales of {from} and {to} are not linear and do not convert"
    )]
    Scale { from: String, to: String },
    #[error("由 {from} 换算为 {to} 的数值超出范围 / the number is out of range when converted from {from} to {to}")]
    Range { from: String, to: String },
}

/// A unit that was understood.
#[derive(Clone, Debug)]
pub struct Unit {
    written: String,
    worth: Worth,
}

/// A converted value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    pub value: Decimal,
    /// Whether it is the value itself; otherwise it was rounded to 28 digits.
    pub exact: bool,
}

/// What leads from one unit to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversion {
    factor: BigRational,
    offset: BigRational,
    from: String,
    to: String,
}

impl Unit {
    /// Reads a unit as an instrument or a person writes it: by the table of spellings, then as UCUM.
    ///
    /// # Errors
    /// The text is not a known unit.
    pub fn read(text: &str) -> Result<Self, UnitError> {
        let code = alias::ucum(text);
        let worth = parse::worth(&code).map_err(|_| UnitError::Unknown { text: text.trim().to_owned() })?;
        Ok(Self { written: text.trim().to_owned(), worth })
    }

    /// Reads a UCUM code (case sensitive).
    ///
    /// # Errors
    /// The text is not a unit of UCUM.
    pub fn of_ucum(code: &str) -> Result<Self, UnitError> {
        Ok(Self { written: code.to_owned(), worth: parse::worth(code)? })
    }

    /// As it was written.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Whether it measures a mass.
    #[must_use]
    pub fn is_mass(&self) -> bool {
        self.is_only("g")
    }

    /// Whether it is a fraction: a percentage, parts per million, a mass by mass.
    #[must_use]
    pub fn is_fraction(&self) -> bool {
        self.worth.dimension.is_empty() && self.worth.special.is_none() && !self.worth.opaque
    }

    /// Whether it counts what is alive or infectious: colonies, plaques, infectious doses.
    #[must_use]
    pub fn is_count(&self) -> bool {
        ["[CFU]", "[PFU]", "[FFU]", "[TCID_50]", "[CCID_50]", "[EID_50]"]
            .iter()
            .any(|name| self.worth.dimension.contains_key(*name))
    }

    fn is_only(&self, base: &str) -> bool {
        self.worth.dimension.len() == 1 && self.worth.dimension.get(base) == Some(&1) && self.worth.special.is_none()
    }

    /// What leads from this unit to another.
    ///
    /// # Errors
    /// They do not convert, and why.
    pub fn to(&self, other: &Self) -> Result<Conversion, UnitError> {
        let (from, to) = (self.written.clone(), other.written.clone());
        let (a, b) = (&self.worth, &other.worth);
        if a == b {
            return Ok(Conversion { factor: BigRational::one(), offset: BigRational::zero(), from, to });
        }
        if a.dimension != b.dimension {
            return Err(if differ_by_amount(a, b) {
                UnitError::MolarMass { from, to }
            } else {
                UnitError::Dimension { from, to }
            });
        }
        if a.opaque || b.opaque {
            return Err(UnitError::Scale { from, to });
        }
        if a.dimension.is_empty() && basis(a) != basis(b) {
            return Err(UnitError::Basis { from, to });
        }
        if !a.dimension.is_empty() && a.annotations != b.annotations {
            return Err(UnitError::Counted { from, to });
        }
        let (Some(zero_a), Some(zero_b)) = (zero(a), zero(b)) else { return Err(UnitError::Scale { from, to }) };
        // value × scale + zero is the same point of the common scale for both.
        let (scale_a, scale_b) = (scale(a), scale(b));
        Ok(Conversion { factor: &scale_a / &scale_b, offset: (zero_a - zero_b) / scale_b, from, to })
    }
}

/// What a fraction is a fraction of.
#[derive(Debug, PartialEq, Eq)]
enum Basis {
    Unstated,
    Mass,
    Volume,
    Amount,
    /// Something else that the annotations or the unit's parts say.
    Other(Vec<String>),
}

/// Annotations that say a basis.
const BY_MASS: &[&str] = &["m/m", "w/w", "g/g", "mass", "by_mass"];
const BY_VOLUME: &[&str] = &["v/v", "vol", "vol/vol", "by_volume"];
const BY_AMOUNT: &[&str] = &["n/n", "x/x", "mol/mol", "by_amount"];

fn basis(worth: &Worth) -> Basis {
    let mut said: BTreeSet<&str> = worth.annotations.iter().map(String::as_str).collect();
    let parts: Vec<(&str, i32)> = worth.above.iter().map(|(name, exponent)| (name.as_str(), *exponent)).collect();
    let of = match parts.as_slice() {
        [] => None,
        [("g", 1)] => Some(Basis::Mass),
        [("m", 3)] => Some(Basis::Volume),
        [("mol", 1)] => Some(Basis::Amount),
        _ => Some(Basis::Other(parts.iter().map(|(name, exponent)| format!("{name}{exponent}")).collect())),
    };
    let named = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let by_word = if named(BY_MASS) {
        Some(Basis::Mass)
    } else if named(BY_VOLUME) {
        Some(Basis::Volume)
    } else if named(BY_AMOUNT) {
        Some(Basis::Amount)
    } else {
        None
    };
    said.retain(|word| ![BY_MASS, BY_VOLUME, BY_AMOUNT].iter().any(|words| words.contains(word)));
    if !said.is_empty() {
        return Basis::Other(said.iter().map(|word| (*word).to_owned()).collect());
    }
    match (by_word, of) {
        (None, None) => Basis::Unstated,
        (Some(one), None) | (None, Some(one)) => one,
        (Some(one), Some(other)) if one == other => one,
        (Some(_), Some(_)) => Basis::Other(vec!["contradiction".to_owned()]),
    }
}

/// Whether one has an amount of substance where the other has a mass.
fn differ_by_amount(a: &Worth, b: &Worth) -> bool {
    let of = |worth: &Worth, name: &str| worth.dimension.get(name).copied().unwrap_or(0);
    let rest = |worth: &Worth| {
        let kept = worth.dimension.iter().filter(|(name, _)| !matches!(name.as_str(), "g" | "mol"));
        kept.map(|(name, exponent)| (name.clone(), *exponent)).collect::<Vec<_>>()
    };
    let (mass, amount) = (of(a, "g") - of(b, "g"), of(a, "mol") - of(b, "mol"));
    amount != 0 && mass == -amount && rest(a) == rest(b)
}

/// Where a linear scale begins, in the units that it counts; none of a logarithm.
fn zero(worth: &Worth) -> Option<BigRational> {
    let Some(special) = &worth.special else { return Some(BigRational::zero()) };
    match special.function.as_str() {
        "Cel" | "degRe" => exact::read("273.15"),
        // 459.67 degrees Fahrenheit below its zero.
        "degF" => Some(exact::read("459.67")? * &worth.factor),
        _ => None,
    }
}

fn scale(worth: &Worth) -> BigRational {
    worth.special.as_ref().map_or_else(|| worth.factor.clone(), |special| &worth.factor * &special.prefix)
}

impl Conversion {
    /// Converts a value.
    ///
    /// # Errors
    /// The number is beyond what decimals hold.
    pub fn of(&self, value: Decimal) -> Result<Converted, UnitError> {
        let found = exact::of_decimal(value) * &self.factor + &self.offset;
        let (found, exact) = exact::to_decimal(&found)
            .ok_or_else(|| UnitError::Range { from: self.from.clone(), to: self.to.clone() })?;
        Ok(Converted { value: found, exact })
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.factor.is_one() && self.offset.is_zero()
    }

    /// What a value is multiplied by, where that is all, and it is a decimal.
    #[must_use]
    pub fn factor(&self) -> Option<Decimal> {
        let (factor, exact) = exact::to_decimal(&self.factor)?;
        Some(factor).filter(|_| exact && self.offset.is_zero())
    }
}

/// Whether two spellings are one unit: the same text, or the same by UCUM.
#[must_use]
pub fn same(a: &str, b: &str) -> bool {
    if a.trim() == b.trim() || alias::ucum(a) == alias::ucum(b) {
        return true;
    }
    match (Unit::read(a), Unit::read(b)) {
        (Ok(a), Ok(b)) => a.to(&b).is_ok_and(|conversion| conversion.is_none()),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
