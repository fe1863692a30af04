//! What an evaluation says: verdict, reasons, criteria, tables and steps. Its JSON is kept with the evaluation and
//! is what pages, plots and the recalculation check read.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Everything that an evaluation came to. Texts in both languages are written `中文 / English`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, ToSchema)]
#[serde(default)]
pub struct Outcome {
    /// Whether every criterion was met; results are proposed only then
    pub valid: bool,
    /// Why it is invalid
    pub reasons: Vec<Note>,
    /// What a person has to know, though it does not decide: values left out, peaks integrated by hand
    pub findings: Vec<Note>,
    pub criteria: Vec<Criterion>,
    pub injections: Vec<InjectionLine>,
    pub standards: Vec<StandardLine>,
    pub brackets: Vec<BracketLine>,
    pub calibration: Option<Calibration>,
    pub wells: Vec<WellLine>,
    pub groups: Vec<GroupLine>,
    pub potencies: Vec<PotencyLine>,
    pub results: Vec<ResultLine>,
    /// Every step with its numbers, in order
    pub steps: Vec<String>,
}

impl Outcome {
    /// Adds a reason for which it is invalid.
    pub fn refuse(&mut self, code: &str, text: impl Into<String>) {
        self.reasons.push(Note { code: code.to_owned(), text: text.into(), observation_id: None });
    }

    /// Adds a finding.
    pub fn find(&mut self, code: &str, text: impl Into<String>, observation: Option<&str>) {
        let note = Note { code: code.to_owned(), text: text.into(), observation_id: observation.map(str::to_owned) };
        if !self.findings.contains(&note) {
            self.findings.push(note);
        }
    }

    /// Adds a step.
    pub fn step(&mut self, text: impl Into<String>) {
        self.steps.push(text.into());
    }

    /// Judges: an unmet criterion is a reason, and with any reason nothing is proposed.
    #[must_use]
    pub fn judged(mut self) -> Self {
        for criterion in self.criteria.clone().into_iter().filter(|criterion| criterion.met == Some(false)) {
            let found = if criterion.found.is_empty() { "—".to_owned() } else { criterion.found };
            let (zh, en) = criterion.label.split_once(" / ").unwrap_or((&criterion.label, &criterion.label));
            let at = if criterion.at.is_empty() { String::new() } else { format!("（{}）", criterion.at) };
            let text = format!(
                "{zh}{at}：{found}，规定 {expected} / {en}{at}: {found}, required {expected}",
                expected = criterion.expected
            );
            self.refuse(&criterion.code, text);
        }
        self.valid = self.reasons.is_empty();
        if !self.valid {
            self.results.clear();
        }
        self
    }
}

/// One reason or finding.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, ToSchema)]
#[serde(default)]
pub struct Note {
    pub code: String,
    pub text: String,
    /// The value that it speaks of
    pub observation_id: Option<String>,
}

/// One criterion with what was found.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, ToSchema)]
#[serde(default)]
pub struct Criterion {
    pub code: String,
    pub label: String,
    /// What it speaks of: an injection, an analyte, a preparation
    pub at: String,
    /// The limit as the method definition has it
    pub expected: String,
    pub found: String,
    /// How many values it rests on
    pub n: usize,
    /// None where it could not be judged and the definition lets that pass
    pub met: Option<bool>,
}

/// One injection as it was used.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, ToSchema)]
#[serde(default)]
pub struct InjectionLine {
    pub key: String,
    pub file_id: String,
    pub sample_text: String,
    pub acquired_at: String,
    pub role: String,
    pub preparation: String,
    pub retention_time: Option<String>,
    pub response: Option<String>,
    pub plates: Option<String>,
    pub tailing: Option<String>,
    pub resolution: Option<String>,
    /// The main peak was integrated or altered by hand
    pub by_hand: bool,
    /// The value of the response
    pub observation_id: Option<String>,
}

/// One injection of a standard.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, ToSchema)]
#[serde(default)]
pub struct StandardLine {
    pub key: String,
    pub preparation: String,
    pub concentration: String,
    pub response: String,
    pub factor: String,
}

/// Between which standards a sample injection lies.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, ToSchema)]
#[serde(default)]
pub struct BracketLine {
    pub key: String,
    pub sample_text: String,
    pub before: Option<String>,
    pub after: Option<String>,
    /// The response factor's change from the one to the other, in per cent
    pub drift_percent: Option<String>,
    pub met: bool,
}

/// A calibration with its points: plots read `points`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, ToSchema)]
#[serde(default)]
pub struct Calibration {
    /// `linear`, `log_log`, `four_parameter`, `five_parameter`
    pub model: String,
    /// `1`, `1/x`, `1/x2`, `1/y`, `1/y2`
    pub weighting: String,
    pub equation: String,
    pub parameters: Vec<Parameter>,
    /// The correlation coefficient, of lines
    pub r: Option<String>,
    pub r_squared: Option<String>,
    pub x_label: String,
    pub y_label: String,
    pub points: Vec<Point>,
}

/// A fitted parameter.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, ToSchema)]
#[serde(default)]
pub struct Parameter {
    pub name: String,
    pub value: String,
    pub standard_error: Option<String>,
}

/// One point of a calibration.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, ToSchema)]
#[serde(default)]
pub struct Point {
    /// The injection or the standard's level
    pub label: String,
    /// The well, of plates
    pub well: Option<String>,
    pub x: String,
    pub y: String,
    pub fitted: String,
    /// `y − fitted`
    pub residual: String,
    /// Back-calculated x in per cent of the true one
    pub recovery_percent: Option<String>,
}

/// One well, as a heat map shows it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, ToSchema)]
#[serde(default)]
pub struct WellLine {
    pub well: String,
    /// From 1, downwards
    pub row: u32,
    /// From 1
    pub column: u32,
    pub role: String,
    pub name: String,
    pub dose: Option<String>,
    pub dilution: Option<String>,
    /// The value used, less the blank where the method says so; none where it may not be used
    pub value: Option<String>,
    pub raw: String,
    pub status: String,
    pub observation_id: String,
}

/// Replicate wells of one level.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, ToSchema)]
#[serde(default)]
pub struct GroupLine {
    pub role: String,
    pub name: String,
    pub dose: Option<String>,
    pub dilution: Option<String>,
    pub n: usize,
    pub mean: String,
    pub cv_percent: Option<String>,
    /// From the curve: a number, `<0.05` or `>8`
    pub concentration: Option<String>,
    /// Times the dilution
    pub corrected: Option<String>,
    pub wells: Vec<String>,
}

/// A relative potency with its limits and tests.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, ToSchema)]
#[serde(default)]
pub struct PotencyLine {
    pub sample: String,
    /// `parallel_line`, `parallel_curve`, `combination`
    pub model: String,
    pub ratio: String,
    pub potency: String,
    pub lower: String,
    pub upper: String,
    pub unit: String,
    /// 可信限率: half the confidence interval in per cent of the potency
    pub fl_percent: String,
    /// The decimal logarithm of the potency and its standard error, for combining assays
    pub log_potency: String,
    pub standard_error: String,
    pub freedom: u32,
    pub tests: Vec<TestLine>,
}

/// One line of the analysis of variance.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, ToSchema)]
#[serde(default)]
pub struct TestLine {
    pub name: String,
    pub sum_of_squares: String,
    pub freedom: u32,
    pub f: Option<String>,
    pub p: Option<String>,
    pub required: Option<String>,
    pub met: Option<bool>,
}

/// A result that may be entered for a sample.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, ToSchema)]
#[serde(default)]
pub struct ResultLine {
    /// The registered sample; empty where the file's name was not matched
    pub sample_id: Option<String>,
    pub sample_text: String,
    pub analyte: String,
    /// `content`, `concentration`, `area_percent`, `potency`
    pub quantity: String,
    /// The number; none of a censored result
    pub value: Option<String>,
    /// As it enters the record: the number, or `<0.05`, `>8`
    pub raw: String,
    pub unit: String,
    /// The values that the result is the mean of, a preparation each
    pub replicates: Vec<Replicate>,
    pub steps: Vec<String>,
}

/// One value under a mean.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, ToSchema)]
#[serde(default)]
pub struct Replicate {
    pub label: String,
    pub value: Option<String>,
    pub raw: String,
}
