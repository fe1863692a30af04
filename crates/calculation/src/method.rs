//! Method definitions: what a run of a method must show, and how its content is calculated. TOML; the shipped ones
//! are examples with their source and how far it was verified, and a laboratory's own of the same id replaces one.

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::setup::Role;
use crate::formula::Formula;
use regulation::numeric::Limit;

/// The definitions that ship with the program.
const SHIPPED: &[(&str, &str)] = &[
    ("lc_external_standard.toml", include_str!("data/methods/lc_external_standard.toml")),
    ("lc_internal_standard.toml", include_str!("data/methods/lc_internal_standard.toml")),
    ("lc_calibration_line.toml", include_str!("data/methods/lc_calibration_line.toml")),
    ("lc_area_normalisation.toml", include_str!("data/methods/lc_area_normalisation.toml")),
    ("elisa_4pl.toml", include_str!("data/methods/elisa_4pl.toml")),
    ("potency_parallel_line.toml", include_str!("data/methods/potency_parallel_line.toml")),
    ("potency_parallel_curve.toml", include_str!("data/methods/potency_parallel_curve.toml")),
    ("endotoxin_kinetic.toml", include_str!("data/methods/endotoxin_kinetic.toml")),
];

/// A definition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Method {
    pub id: String,
    pub version: String,
    pub kind: MethodKind,
    pub name_zh: String,
    pub name_en: String,
    /// Where its limits come from
    pub source: String,
    /// How far the source was verified, as provisions mark it
    pub confidence: String,
    #[serde(default)]
    pub note: String,
    pub calculation: MethodCalculation,
    /// The weighting of a line or curve: `1`, `1/x`, `1/x2`, `1/y`, `1/y2`
    #[serde(default = "even")]
    pub weighting: String,
    /// The content from the concentration: `c`, `volume`, `dilution`, `weight`, `water`, `label`, `average`
    #[serde(default)]
    pub formula: String,
    /// The result's quantity and unit
    #[serde(default)]
    pub quantity: String,
    #[serde(default)]
    pub unit: String,
    /// The quantity that is measured: `area`, `absorbance`, `onset_time`
    pub response: String,
    /// Peaks left out of an area normalisation, e.g. of the solvent
    #[serde(default)]
    pub exclude: Vec<String>,
    #[serde(default)]
    pub roles: Vec<RolePattern>,
    #[serde(default)]
    pub criteria: Vec<MethodRule>,
    #[serde(default)]
    pub limits: MethodLimits,
}

fn even() -> String {
    "1".to_owned()
}

/// What is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MethodKind {
    Sequence,
    Plate,
}

/// How the result is calculated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MethodCalculation {
    ExternalStandard,
    InternalStandard,
    CalibrationLine,
    AreaNormalisation,
    /// Plates: the samples' concentrations from the curve
    Linear,
    LogLog,
    FourParameter,
    FiveParameter,
    /// Kinetic endotoxin test: log onset time over log concentration
    Endotoxin,
    /// Relative potency: response over log dose
    ParallelLine,
    /// Relative potency: two four-parameter curves
    ParallelCurve,
}

/// What an injection or well of a role is called.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RolePattern {
    pub role: Role,
    /// A regular expression over the sample's name
    pub sample_text: String,
    /// A regular expression over the type that the instrument gives it (`sample_type`, `group`)
    pub sample_type: String,
}

/// A criterion on a measured or calculated value of the injections of a role.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MethodRule {
    pub code: String,
    pub label_zh: String,
    pub label_en: String,
    /// The quantities, any of which is it: instruments name them differently
    pub quantities: Vec<String>,
    /// `each` or `rsd`
    pub statistic: Statistic,
    pub over: Role,
    /// As on a report: `≥2000`, `0.95~1.05`, `≤2.0`
    pub limit: String,
    /// The least number of values
    pub n: usize,
    /// Whether a file that does not say it fails (`fail`) or lets it pass as a finding (`finding`)
    pub absent: Absent,
}

/// What of the values is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    #[default]
    Each,
    /// Relative standard deviation, n−1, in per cent
    Rsd,
}

/// What follows where a file does not say a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Absent {
    #[default]
    Fail,
    Finding,
}

/// Limits of the calculation; empty means that none is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MethodLimits {
    /// The blank's peak in per cent of the standards' mean response
    pub blank_percent: String,
    /// The RSD of the response factors
    pub factor_rsd: String,
    /// The mean factors of two weighings, one in per cent of the other
    pub standards_agreement: String,
    /// A check standard's content in per cent of the true one
    pub bracket_recovery: String,
    /// The factor's change between the standards on either side of a sample, in per cent
    pub drift_percent: String,
    /// Every sample injection lies between two standards
    pub bracketed: bool,
    /// The difference of two preparations of a sample in per cent of their mean
    pub duplicates_percent: String,
    /// |r| of a line
    pub correlation: String,
    pub r_squared: String,
    /// Back-calculated standards, in per cent
    pub recovery_percent: String,
    /// Coefficient of variation of replicate wells, in per cent
    pub cv_percent: String,
    /// Recovery of an added amount, in per cent
    pub spike_recovery: String,
    /// Confidence limits: half the interval in per cent of the potency
    pub fl_percent: String,
    /// P of the regression, of parallelism and of curvature, and of homogeneity of several assays
    pub p_regression: String,
    pub p_parallelism: String,
    pub p_curvature: String,
    pub p_homogeneity: String,
    /// Whether the blank wells' mean is subtracted
    pub subtract_blank: bool,
}

impl MethodLimits {
    fn all(&self) -> [(&'static str, &str); 16] {
        [
            ("blank_percent", &self.blank_percent),
            ("factor_rsd", &self.factor_rsd),
            ("standards_agreement", &self.standards_agreement),
            ("bracket_recovery", &self.bracket_recovery),
            ("drift_percent", &self.drift_percent),
            ("duplicates_percent", &self.duplicates_percent),
            ("correlation", &self.correlation),
            ("r_squared", &self.r_squared),
            ("recovery_percent", &self.recovery_percent),
            ("cv_percent", &self.cv_percent),
            ("spike_recovery", &self.spike_recovery),
            ("fl_percent", &self.fl_percent),
            ("p_regression", &self.p_regression),
            ("p_parallelism", &self.p_parallelism),
            ("p_curvature", &self.p_curvature),
            ("p_homogeneity", &self.p_homogeneity),
        ]
    }
}

impl Method {
    /// Reads and checks a definition.
    ///
    /// # Errors
    /// A sentence that names the field and what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let method: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        method.check()?;
        Ok(method)
    }

    fn check(&self) -> Result<(), String> {
        for (field, value) in [("id", &self.id), ("version", &self.version), ("source", &self.source)] {
            if value.trim().is_empty() {
                return Err(format!("{field} must not be empty"));
            }
        }
        for (field, text) in self.limits.all().into_iter().filter(|(_, text)| !text.is_empty()) {
            Limit::parse(text).map_err(|error| format!("limits.{field}: {error}"))?;
        }
        for (index, rule) in self.criteria.iter().enumerate() {
            Limit::parse(&rule.limit).map_err(|error| format!("criteria[{index}].limit: {error}"))?;
            if rule.code.is_empty() || rule.quantities.is_empty() {
                return Err(format!("criteria[{index}] needs code and quantities"));
            }
        }
        for (index, pattern) in self.roles.iter().enumerate() {
            for text in [&pattern.sample_text, &pattern.sample_type] {
                pattern_of(text).map_err(|error| format!("roles[{index}]: {error}"))?;
            }
        }
        let plate = !matches!(
            self.calculation,
            MethodCalculation::ExternalStandard
                | MethodCalculation::InternalStandard
                | MethodCalculation::CalibrationLine
                | MethodCalculation::AreaNormalisation
        );
        if plate != (self.kind == MethodKind::Plate) {
            return Err("calculation does not belong to this kind".to_owned());
        }
        if !["1", "1/x", "1/x2", "1/y", "1/y2"].contains(&self.weighting.as_str()) {
            return Err(format!("weighting: expected 1, 1/x, 1/x2, 1/y or 1/y2, found {:?}", self.weighting));
        }
        if !self.formula.is_empty() {
            let formula = Formula::parse(&self.formula).map_err(|error| format!("formula: {error}"))?;
            let known = ["c", "volume", "dilution", "weight", "water", "label", "average"];
            if let Some(other) = formula.names().iter().find(|name| !known.contains(&name.as_str())) {
                return Err(format!("formula: {other} is none of {}", known.join(", ")));
            }
        } else if self.kind == MethodKind::Sequence && self.calculation != MethodCalculation::AreaNormalisation {
            return Err("formula: expected the content from c".to_owned());
        }
        Ok(())
    }

    /// The role that an injection or well looks like, by the first pattern that fits.
    #[must_use]
    pub fn role_of(&self, sample_text: &str, sample_type: &str) -> Role {
        let fits = |pattern: &RolePattern| {
            let one = |text: &str, over: &str| {
                !text.is_empty() && pattern_of(text).is_ok_and(|found| found.is_some_and(|regex| regex.is_match(over)))
            };
            one(&pattern.sample_type, sample_type) || one(&pattern.sample_text, sample_text)
        };
        self.roles.iter().find(|pattern| fits(pattern)).map_or(Role::Other, |pattern| pattern.role)
    }
}

/// A pattern, ignoring case; bounded, since a laboratory writes it.
fn pattern_of(text: &str) -> Result<Option<Regex>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    RegexBuilder::new(text)
        .case_insensitive(true)
        .size_limit(1 << 18)
        .build()
        .map(Some)
        .map_err(|error| error.to_string())
}

/// The definitions: the shipped ones, each replaced by one of the laboratory's with the same id, and its others.
/// `own` are files as text with their names.
///
/// # Errors
/// Names the file and what is wrong with it.
pub fn methods(own: &[(String, String)]) -> Result<Vec<Method>, String> {
    let shipped = SHIPPED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let mut found: Vec<Method> = Vec::new();
    for (name, text) in shipped.chain(own.iter().cloned()) {
        let method = Method::parse(&text).map_err(|error| format!("{name}: {error}"))?;
        found.retain(|known| known.id != method.id);
        found.push(method);
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_definitions_are_in_order_and_name_their_source() {
        let methods = methods(&[]).expect("definitions");
        assert_eq!(methods.len(), SHIPPED.len());
        assert!(methods.iter().all(|method| !method.source.is_empty() && !method.confidence.is_empty()));
    }

    #[test]
    fn a_laboratory_replaces_one_and_faults_are_named() {
        let text = include_str!("data/methods/lc_external_standard.toml");
        let own = text.replace("version = \"1\"", "version = \"7-own\"");
        let found = methods(&[("own.toml".to_owned(), own.clone())]).expect("definitions");
        let one = found.iter().find(|method| method.id == "lc-external-standard").expect("it");
        assert_eq!(one.version, "7-own");
        assert_eq!(found.len(), SHIPPED.len());
        for (from, to, told) in [
            ("≥2000", "about 2000", "criteria[0].limit"),
            ("98.0~102.0", "98..102", "limits."),
            ("c * volume", "concentration * volume", "formula"),
            ("kind = \"sequence\"", "kind = \"plate\"", "calculation"),
            ("weighting = \"1\"", "weighting = \"2\"", "weighting"),
        ] {
            let error = methods(&[("own.toml".to_owned(), own.replace(from, to))]).expect_err(from);
            assert!(error.contains(told) && error.starts_with("own.toml"), "{error}");
        }
    }

    #[test]
    fn roles_are_recognised_by_name_and_by_type() {
        let methods = methods(&[]).expect("definitions");
        let method = methods.iter().find(|method| method.id == "lc-external-standard").expect("it");
        for (name, kind, role) in [
            ("空白溶剂", "", Role::Blank),
            ("Blank", "", Role::Blank),
            ("SST-01", "", Role::SystemSuitability),
            ("系统适用性溶液", "", Role::SystemSuitability),
            ("对照品溶液1", "", Role::Standard),
            ("STD-A", "", Role::Standard),
            ("随行对照", "", Role::CheckStandard),
            ("QC check", "", Role::CheckStandard),
            ("SX20260001", "", Role::Sample),
            ("SX20260001-1", "Unknown", Role::Sample),
            ("x", "CheckStandard", Role::CheckStandard),
            ("x", "Calibration Standard", Role::Standard),
            ("x", "", Role::Other),
        ] {
            assert_eq!(method.role_of(name, kind), role, "{name} {kind}");
        }
    }
}
