//! Plates (板评价): layout, blanks, replicates, standard curve, controls, interpolation, endotoxin, relative potency.
//!
//! Fits and statistics are in f64: a curve has no exact decimal solution. What a well reads is taken from the
//! decimal as the file has it, and what comes out is the shortest decimal that stands for the f64.

pub mod curve;
mod interpolate;
pub mod layout;
pub mod potency;
mod relative;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use self::layout::Well;
use super::method::{Method, MethodCalculation};
use super::outcome::{GroupLine, Outcome};
use super::setup::{PlateSetup, Role, Setup};
use super::suitability::meets;
use super::{CALCULATION_VERSION, Seen};
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

/// What the parts of a plate's evaluation work with.
struct Plate<'a> {
    method: &'a Method,
    setup: &'a PlateSetup,
    wells: Vec<Well<'a>>,
    blank: f64,
}

/// Replicate wells of one level.
#[derive(Clone, Debug)]
struct Level {
    role: Role,
    name: String,
    dose: Option<f64>,
    dilution: f64,
    values: Vec<f64>,
    wells: Vec<String>,
}

impl Level {
    fn mean(&self) -> f64 {
        self.values.iter().sum::<f64>() / self.values.len() as f64
    }

    /// The coefficient of variation, n−1, in per cent.
    fn cv(&self) -> Option<f64> {
        let (n, mean) = (self.values.len(), self.mean());
        let squares: f64 = self.values.iter().map(|value| (value - mean).powi(2)).sum();
        let cv = (squares / (n as f64 - 1.0)).sqrt() / mean.abs() * 100.0;
        (n > 1 && cv.is_finite()).then_some(cv)
    }
}

/// A number as the record has it: the shortest decimal that stands for it.
fn text(value: f64) -> String {
    format!("{value}")
}

/// A number as steps show it: seven significant digits.
fn shown(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let rounded: f64 = format!("{value:.6e}").parse().unwrap_or(value);
    format!("{rounded}")
}

fn decimal(value: f64) -> Option<Decimal> {
    Decimal::from_f64(value)
}

/// As [`super::suitability::judge`], of a number in f64.
fn judge(outcome: &mut Outcome, code: &str, label: &str, at: &str, limit: &str, (found, n): (Option<f64>, usize)) {
    if limit.is_empty() {
        return;
    }
    let met = found.and_then(decimal).is_some_and(|value| meets(limit, value));
    outcome.criteria.push(super::outcome::Criterion {
        code: code.to_owned(),
        label: label.to_owned(),
        at: at.to_owned(),
        expected: limit.to_owned(),
        found: found.map(shown).unwrap_or_default(),
        n,
        met: Some(met),
    });
}

/// Evaluates a plate from its observations and its layout.
#[must_use]
pub fn evaluate(method: &Method, setup: &Setup, seen: &[Seen]) -> Outcome {
    let mut outcome = Outcome::default();
    outcome.step(format!(
        "方法定义 {} {}（第 {} 版），计算程序 {CALCULATION_VERSION}（拟合与统计为双精度浮点）；来源：{}",
        method.id, method.name_zh, method.version, method.source
    ));
    let Some(plate) = &setup.plate else {
        outcome.refuse("no_layout", "未给出板布局 / there is no plate layout");
        return outcome.judged();
    };
    let wells = layout::wells(method, plate, seen, &mut outcome);
    let blank = blank(method, &wells, &mut outcome);
    let plate = Plate { method, setup: plate, wells, blank };
    let levels = plate.levels(&mut outcome);
    match method.calculation {
        MethodCalculation::ParallelLine | MethodCalculation::ParallelCurve => {
            relative::potencies(&plate, &levels, &mut outcome)
        }
        _ => interpolate::concentrations(&plate, &levels, &mut outcome),
    }
    plate.describe(&mut outcome);
    outcome.judged()
}

/// The blank wells' mean, where the method subtracts it.
fn blank(method: &Method, wells: &[Well], outcome: &mut Outcome) -> f64 {
    if !method.limits.subtract_blank {
        return 0.0;
    }
    let values: Vec<f64> = wells.iter().filter(|well| well.role == Role::Blank).filter_map(|well| well.value).collect();
    if values.is_empty() {
        outcome.refuse("no_blank", "没有可用的空白孔 / there is no usable blank well");
        return 0.0;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    outcome.step(format!("空白孔均值 = {}（n = {}），各孔扣除", shown(mean), values.len()));
    mean
}

impl Plate<'_> {
    fn levels(&self, outcome: &mut Outcome) -> Vec<Level> {
        let mut levels: Vec<Level> = Vec::new();
        let used = [Role::Standard, Role::Control, Role::Sample, Role::Spike];
        for well in self.wells.iter().filter(|well| used.contains(&well.role)) {
            let same = |level: &&mut Level| {
                level.role == well.role
                    && level.name == well.name
                    && level.dose == well.dose
                    && level.dilution == well.dilution
            };
            let value = well.value.map(|value| value - self.blank);
            let level = match levels.iter_mut().find(same) {
                Some(level) => level,
                None => {
                    levels.push(Level {
                        role: well.role,
                        name: well.name.to_owned(),
                        dose: well.dose,
                        dilution: well.dilution,
                        values: Vec::new(),
                        wells: Vec::new(),
                    });
                    let Some(level) = levels.last_mut() else { continue };
                    level
                }
            };
            level.values.extend(value);
            level.wells.push(well.well.clone());
        }
        for level in levels.iter().filter(|level| level.values.is_empty() && level.role != Role::Sample) {
            outcome.refuse(
                "level_lost",
                format!(
                    "{} {} 没有可用的孔 / no usable well of {}",
                    level.role.names().0,
                    level.wells.join(" "),
                    level.wells.join(" ")
                ),
            );
        }
        levels.retain(|level| !level.values.is_empty());
        for level in &levels {
            let at = format!("{} {}", level.name, level.wells.join(" "));
            if let Some(cv) = level.cv() {
                let name = "复孔变异系数（%） / CV of replicate wells (%)";
                judge(outcome, "cv", name, at.trim(), &self.method.limits.cv_percent, (Some(cv), level.values.len()));
            }
            outcome.groups.push(GroupLine {
                role: level.role.as_str().to_owned(),
                name: level.name.clone(),
                dose: level.dose.map(text),
                dilution: (level.dilution != 1.0).then(|| text(level.dilution)),
                n: level.values.len(),
                mean: text(level.mean()),
                cv_percent: level.cv().map(text),
                concentration: None,
                corrected: None,
                wells: level.wells.clone(),
            });
        }
        levels
    }

    /// The wells as a heat map shows them.
    fn describe(&self, outcome: &mut Outcome) {
        outcome.wells = self.wells.iter().map(|well| well.line(self.blank)).collect();
    }

    /// The registered sample that all wells of a name were matched to.
    fn sample_of(&self, name: &str) -> Option<String> {
        let of = self.wells.iter().filter(|well| well.role == Role::Sample && well.name == name);
        let found: BTreeSet<Option<&str>> =
            of.map(|well| well.seen.and_then(|seen| seen.sample_id.as_deref())).collect();
        let one = if found.len() == 1 { found.into_iter().next().flatten() } else { None };
        one.map(str::to_owned)
    }

    /// The names of the samples, in the order of the layout.
    fn samples(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for well in self.wells.iter().filter(|well| well.role == Role::Sample) {
            if !names.contains(&well.name) {
                names.push(well.name);
            }
        }
        names
    }
}
