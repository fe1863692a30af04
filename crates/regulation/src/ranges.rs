//! What a result or a reading can plausibly be, and what it can physically be, as data.
//!
//! Outside the plausible range a person is asked; a value that is physically impossible complies with no limit, also
//! not with one that has a single side. 998 typed for 99.8 must not become an assay of −898 % that complies.

use rust_decimal::Decimal;
use serde::Deserialize;
use units::Unit;
use vocabulary::words::Confidence;

use crate::error::RegisterError;
use crate::numeric::{Limit, Measured, parse_decimal};

const SHIPPED: &str = include_str!("data/ranges.toml");

/// What a range is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RangeOf {
    Result,
    Reading,
}

/// Kinds of units that rules tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum UnitKind {
    Percent,
    Fraction,
    Count,
    Mass,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    confidence: Option<Confidence>,
    #[serde(default)]
    range: Vec<RawRule>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: String,
    of: RangeOf,
    #[serde(default)]
    words: Vec<String>,
    unit: Option<UnitKind>,
    low_at_least: Option<String>,
    plausible: Option<String>,
    physical: Option<String>,
}

#[derive(Clone, Debug)]
struct Rule {
    id: String,
    of: RangeOf,
    words: Vec<String>,
    unit: Option<UnitKind>,
    low_at_least: Option<Decimal>,
    plausible: Option<Limit>,
    physical: Option<Limit>,
}

/// The rules: those of the program, with a laboratory's own on top.
#[derive(Clone, Debug)]
pub struct Ranges {
    rules: Vec<Rule>,
    /// How sure the shipped rules are.
    pub confidence: Confidence,
}

/// What is asked about.
#[derive(Clone, Copy, Debug, Default)]
pub struct RangedValue<'a> {
    /// Code, names, labels, quantity: all that says what it is.
    pub words: &'a [&'a str],
    pub unit: &'a str,
    /// The limit of a result.
    pub limit: Option<&'a Limit>,
}

/// The two ranges of one value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    pub plausible: Option<Limit>,
    pub physical: Option<Limit>,
}

/// Where a value lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RangePlace {
    Within,
    /// Possible, and a person is asked about it: the range that it is outside of.
    Implausible(Limit),
    /// Nothing can be so.
    Impossible(Limit),
}

impl Range {
    /// Where a value lies. A censored one is outside where all of it is.
    #[must_use]
    pub fn place(&self, value: &Measured) -> RangePlace {
        let outside = |range: &Option<Limit>| range.clone().filter(|range| !range.may_hold(value));
        match (outside(&self.physical), outside(&self.plausible)) {
            (Some(range), _) => RangePlace::Impossible(range),
            (None, Some(range)) => RangePlace::Implausible(range),
            (None, None) => RangePlace::Within,
        }
    }
}

impl Ranges {
    /// The rules that ship with the program.
    ///
    /// # Errors
    /// The shipped data are wrong, which a test excludes.
    pub fn shipped() -> Result<Self, RegisterError> {
        let mut ranges = Self { rules: Vec::new(), confidence: Confidence::MemoryMedium };
        ranges.add("ranges.toml", SHIPPED)?;
        Ok(ranges)
    }

    /// A laboratory's rules: a known id replaces that rule, a new one is tried before the others.
    ///
    /// # Errors
    /// Names the file and the rule.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), RegisterError> {
        let raw: RawFile = toml::from_str(text)
            .map_err(|error| RegisterError::Syntax { file: file.to_owned(), detail: error.to_string() })?;
        if let Some(confidence) = raw.confidence {
            self.confidence = confidence;
        }
        let mut new = Vec::new();
        for rule in raw.range {
            let rule = checked(file, rule)?;
            match self.rules.iter_mut().find(|known| known.id == rule.id) {
                Some(known) => *known = rule,
                None => new.push(rule),
            }
        }
        self.rules.splice(0..0, new);
        Ok(())
    }

    /// The ranges of a result. What the item says itself decides about what is plausible.
    #[must_use]
    pub fn of_result(&self, what: &RangedValue<'_>, own: Option<Limit>) -> Range {
        let bounds = what.limit.map(Limit::bounds);
        let mut range = self.first(RangeOf::Result, what).unwrap_or_default();
        if let Some(bounds) = bounds {
            let (plausible, physical) = by_limit(bounds);
            range.plausible = range.plausible.or(plausible);
            range.physical = range.physical.or(physical);
        }
        if let Some(own) = own {
            // A laboratory that expects values below zero knows them to be possible.
            let below = own.bounds().0.is_none_or(|low| low < Decimal::ZERO);
            range.physical = range.physical.filter(|_| !below);
            range.plausible = Some(own);
        }
        range
    }

    /// The ranges of a reading.
    #[must_use]
    pub fn of_reading(&self, what: &RangedValue<'_>, own: Option<Limit>) -> Range {
        match own {
            Some(own) => Range { plausible: None, physical: Some(own) },
            None => self.first(RangeOf::Reading, what).unwrap_or_default(),
        }
    }

    fn first(&self, of: RangeOf, what: &RangedValue<'_>) -> Option<Range> {
        let found = self.rules.iter().find(|rule| rule.of == of && rule.fits(what))?;
        Some(Range { plausible: found.plausible.clone(), physical: found.physical.clone() })
    }
}

impl Rule {
    fn fits(&self, what: &RangedValue<'_>) -> bool {
        let said: Vec<String> = what.words.iter().map(|text| text.to_lowercase()).collect();
        let low = what.limit.and_then(|limit| limit.bounds().0);
        (self.words.is_empty() || self.words.iter().any(|word| said.iter().any(|text| text.contains(word.as_str()))))
            && self.unit.is_none_or(|kind| kind.is(what.unit))
            && self.low_at_least.is_none_or(|least| low.is_some_and(|low| low >= least))
    }
}

impl UnitKind {
    fn is(self, text: &str) -> bool {
        if text.trim().is_empty() {
            return false;
        }
        let Ok(unit) = Unit::read(text) else { return false };
        match self {
            UnitKind::Percent => unit.is_fraction() && text.contains(['%', '％']),
            UnitKind::Fraction => unit.is_fraction(),
            UnitKind::Count => unit.is_count(),
            UnitKind::Mass => unit.is_mass(),
        }
    }
}

/// From nothing to ten times the limit, and nothing below zero; where the limit itself lies below, as far down.
fn by_limit((low, high): (Option<Decimal>, Option<Decimal>)) -> (Option<Limit>, Option<Limit>) {
    let far = [low, high].into_iter().flatten().map(|bound| bound.abs()).max();
    let Some(far) = far.and_then(|far| far.checked_mul(Decimal::TEN)) else { return (None, None) };
    let below = [low, high].into_iter().flatten().any(|bound| bound < Decimal::ZERO);
    let plausible = match (below, far.is_zero()) {
        (true, _) => Limit::parse(&format!("-{far}~{far}")),
        (false, true) => Limit::parse("≥0"),
        (false, false) => Limit::parse(&format!("0~{far}")),
    };
    let physical = if below { None } else { Limit::parse("≥0").ok() };
    (plausible.ok(), physical)
}

fn checked(file: &str, raw: RawRule) -> Result<Rule, RegisterError> {
    let wrong =
        |detail: String| RegisterError::File { file: file.to_owned(), detail: format!("range `{}`: {detail}", raw.id) };
    let limit =
        |text: &Option<String>| text.as_deref().map(Limit::parse).transpose().map_err(|error| wrong(error.to_string()));
    let (plausible, physical) = (limit(&raw.plausible)?, limit(&raw.physical)?);
    let low = raw.low_at_least.as_deref().map(parse_decimal).transpose().map_err(|error| wrong(error.to_string()))?;
    if plausible.is_none() && physical.is_none() {
        return Err(wrong("expected `plausible` or `physical`".to_owned()));
    }
    let words = raw.words.iter().map(|word| word.to_lowercase()).collect();
    Ok(Rule { id: raw.id.clone(), of: raw.of, words, unit: raw.unit, low_at_least: low, plausible, physical })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(words: &[&str], unit: &str, limit: &str, value: &str) -> &'static str {
        let limit = Limit::parse(limit).expect(limit);
        let ranges = Ranges::shipped().expect("the shipped ranges");
        let range = ranges.of_result(&RangedValue { words, unit, limit: Some(&limit) }, None);
        match range.place(&Measured::parse(value).expect(value)) {
            RangePlace::Within => "within",
            RangePlace::Implausible(_) => "implausible",
            RangePlace::Impossible(_) => "impossible",
        }
    }

    #[test]
    fn a_result_outside_what_is_plausible_is_asked_about() {
        for (words, unit, limit, value, expected) in [
            (&["assay", "含量测定"][..], "%", "95.0~105.0", "99.8", "within"),
            (&["assay"], "%", "≥97.0", "998", "implausible"),
            (&["assay"], "%", "95.0~105.0", "9.98", "implausible"),
            (&["assay"], "%", "≤105.0", "-898", "impossible"),
            (&["lod", "干燥失重"], "%", "≤0.5", "-898", "impossible"),
            (&["lod", "干燥失重"], "%", "≤0.5", "12", "within"),
            (&["lod"], "%", "≤0.5", "101", "impossible"),
            (&["杂质含量"], "%", "≤0.5", "7", "within"),
            (&["microbial"], "cfu/g", "≤10³", "-1", "impossible"),
            (&["microbial"], "cfu/g", "≤10³", "19000", "within"),
            (&["microbial"], "cfu/g", "≤10³", "21000", "implausible"),
            (&["rotation"], "°", "-5.0~-1.0", "-7", "within"),
            (&["rotation"], "°", "-5.0~-1.0", "-70", "implausible"),
            (&["solvent"], "ppm", "≤500", "811", "within"),
            (&["solvent"], "ppm", "≤500", "8110", "implausible"),
            (&["solvent"], "ppm", "≤500", "<10", "within"),
            (&["solvent"], "ppm", "≤500", "未检出", "within"),
            (&["none"], "", "≤0", "0", "within"),
        ] {
            assert_eq!(place(words, unit, limit, value), expected, "{words:?} {limit} {value}");
        }
    }

    #[test]
    fn readings_have_physical_ranges() {
        let ranges = Ranges::shipped().expect("the shipped ranges");
        let impossible = |words: &[&str], unit: &str, value: &str| {
            let range = ranges.of_reading(&RangedValue { words, unit, limit: None }, None);
            matches!(range.place(&Measured::parse(value).expect(value)), RangePlace::Impossible(_))
        };
        assert!(impossible(&["w"], "mg", "-1") && impossible(&["area"], "mAU*s", "-0.1"));
        assert!(impossible(&["水分"], "%", "101") && impossible(&["loss"], "％", "-0.1"));
        assert!(
            !impossible(&["w"], "mg", "0") && !impossible(&["x"], "℃", "-20") && !impossible(&["rotation"], "", "-3")
        );
    }

    #[test]
    fn a_laboratory_changes_rules_and_an_item_its_own() {
        let mut ranges = Ranges::shipped().expect("the shipped ranges");
        let limit = Limit::parse("95.0~105.0").expect("a limit");
        let what = RangedValue { words: &["assay"], unit: "%", limit: Some(&limit) };
        let value = Measured::parse("49").expect("a number");
        assert!(matches!(ranges.of_result(&what, None).place(&value), RangePlace::Implausible(_)));
        let own = "[[range]]\nid = \"result-assay\"\nof = \"result\"\nunit = \"percent\"\nlow_at_least = \"50\"\nplausible = \"20~150\"\n";
        ranges.add("own.toml", own).expect("a rule");
        assert_eq!(ranges.of_result(&what, None).place(&value), RangePlace::Within);
        let strict = Limit::parse("90~110").ok();
        assert!(matches!(ranges.of_result(&what, strict).place(&value), RangePlace::Implausible(_)));
        assert!(ranges.add("own.toml", "[[range]]\nid = \"x\"\nof = \"result\"\n").is_err());
        assert!(ranges.add("own.toml", "[[range]]\nid = \"x\"\nof = \"result\"\nplausible = \"much\"\n").is_err());
    }
}
