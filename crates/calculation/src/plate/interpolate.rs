//! The standard curve, its criteria, controls, and the samples' concentrations; endotoxin with its spiked samples.

use super::curve::{Back, Fit, Model, fit};
use super::{Level, Plate, judge, shown, text};
use crate::method::MethodCalculation;
use crate::outcome::{Calibration, Outcome, Parameter, Point, Replicate, ResultLine};
use crate::setup::Role;

/// Fits the curve and reads the samples from it.
pub(super) fn concentrations(plate: &Plate, levels: &[Level], outcome: &mut Outcome) {
    let model = match plate.method.calculation {
        MethodCalculation::Linear => Model::Linear,
        MethodCalculation::LogLog | MethodCalculation::Endotoxin => Model::LogLog,
        MethodCalculation::FiveParameter => Model::FiveParameter,
        _ => Model::FourParameter,
    };
    let standards: Vec<&Level> = levels.iter().filter(|level| level.role == Role::Standard).collect();
    if standards.iter().any(|level| level.dose.is_none()) {
        outcome.refuse("no_dose", "有标准孔未给出浓度 / a standard well has no concentration");
        return;
    }
    let Some(curve) = curve(plate, model, &standards, outcome) else { return };
    blanks(plate, &curve, outcome);
    let mut read: Vec<(&Level, Back)> = Vec::new();
    for (level, line) in levels.iter().zip(outcome.groups.clone()) {
        let found = curve.back(level.mean());
        let (concentration, corrected) = (raw(found, 1.0), raw(found, level.dilution));
        if let Some(group) = outcome.groups.iter_mut().find(|group| group.wells == line.wells) {
            group.concentration = Some(concentration.clone());
            group.corrected = Some(corrected.clone());
        }
        if level.role != Role::Standard {
            outcome.step(format!(
                "{} {}：均值 {} → {concentration}，× {} = {corrected}",
                level.name,
                level.wells.join(" "),
                shown(level.mean()),
                shown(level.dilution)
            ));
        }
        read.push((level, found));
    }
    controls(plate, &read, outcome);
    if plate.method.calculation == MethodCalculation::Endotoxin {
        spikes(plate, &read, outcome);
    }
    samples(plate, &read, outcome);
}

/// A number or a bound, times the dilution.
fn raw(found: Back, dilution: f64) -> String {
    match found {
        Back::Number(value) => text(value * dilution),
        Back::Below(bound) => format!("<{}", shown(bound * dilution)),
        Back::Above(bound) => format!(">{}", shown(bound * dilution)),
    }
}

fn curve(plate: &Plate, model: Model, standards: &[&Level], outcome: &mut Outcome) -> Option<Fit> {
    let weight = |x: f64, y: f64| match plate.method.weighting.as_str() {
        "1/x" => 1.0 / x,
        "1/x2" => 1.0 / (x * x),
        "1/y" => 1.0 / y.abs(),
        "1/y2" => 1.0 / (y * y),
        _ => 1.0,
    };
    let each = standards.iter().flat_map(|level| {
        let x = level.dose.unwrap_or(f64::NAN);
        level.values.iter().map(move |y| (x, *y, weight(x, *y)))
    });
    let points: Vec<_> = each.collect();
    let found = fit(model, &points);
    let Some(curve) = found.filter(|_| points.iter().all(|point| point.2.is_finite())) else {
        outcome.refuse("no_curve", "标准曲线无法拟合 / no curve can be fitted to the standards");
        return None;
    };
    let named: Vec<String> = model
        .names()
        .iter()
        .zip(&curve.parameters)
        .map(|(name, value)| format!("{name} = {}", shown(*value)))
        .collect();
    outcome.step(format!(
        "标准曲线 {}（权重 {}，n = {}）：{}；{}R² = {}",
        model.equation(),
        plate.method.weighting,
        points.len(),
        named.join("，"),
        curve.r.map(|r| format!("r = {}，", shown(r))).unwrap_or_default(),
        shown(curve.r_squared)
    ));
    let limits = &plate.method.limits;
    let n = points.len();
    judge(outcome, "r_squared", "R² / R²", "", &limits.r_squared, (Some(curve.r_squared), n));
    judge(
        outcome,
        "correlation",
        "相关系数 |r| / Correlation |r|",
        "",
        &limits.correlation,
        (curve.r.map(f64::abs), n),
    );
    for level in standards.iter().filter(|level| level.dose.is_some_and(|dose| dose > 0.0)) {
        let recovery = curve.inverse(level.mean()).zip(level.dose).map(|(found, dose)| found / dose * 100.0);
        let name = "标准点回算（%） / Back-calculated standard (%)";
        judge(
            outcome,
            "recovery",
            name,
            &level.wells.join(" "),
            &limits.recovery_percent,
            (recovery, level.values.len()),
        );
    }
    outcome.calibration = Some(calibration(plate, &curve, standards));
    Some(curve)
}

fn calibration(plate: &Plate, curve: &Fit, standards: &[&Level]) -> Calibration {
    let mut points = Vec::new();
    for level in standards {
        let x = level.dose.unwrap_or(f64::NAN);
        // Values are in the order of the wells that may be used.
        let usable = plate.wells.iter().filter(|well| level.wells.contains(&well.well) && well.value.is_some());
        for (well, y) in usable.zip(&level.values) {
            let fitted = curve.at(x);
            let recovery = curve.inverse(*y).filter(|_| x > 0.0).map(|found| found / x * 100.0);
            points.push(Point {
                label: level.name.clone(),
                well: Some(well.well.clone()),
                x: text(x),
                y: text(*y),
                fitted: text(fitted),
                residual: text(y - fitted),
                recovery_percent: recovery.map(text),
            });
        }
    }
    let parameters = curve.model.names().iter().zip(&curve.parameters).zip(&curve.errors);
    Calibration {
        model: curve.model.as_str().into(),
        weighting: plate.method.weighting.clone(),
        equation: curve.model.equation().into(),
        parameters: parameters
            .map(|((name, value), error)| Parameter {
                name: (*name).into(),
                value: text(*value),
                standard_error: error.is_finite().then(|| text(*error)),
            })
            .collect(),
        r: curve.r.map(text),
        r_squared: Some(text(curve.r_squared)),
        x_label: "dose".into(),
        y_label: plate.method.response.clone(),
        points,
    }
}

/// A blank of an endotoxin test reacts later than the lowest standard, or not at all.
fn blanks(plate: &Plate, curve: &Fit, outcome: &mut Outcome) {
    if plate.method.calculation != MethodCalculation::Endotoxin {
        return;
    }
    let blanks: Vec<_> = plate.wells.iter().filter(|well| well.role == Role::Blank).collect();
    if blanks.is_empty() {
        outcome.refuse("no_blank", "没有阴性对照孔 / there is no negative control");
    }
    for well in blanks {
        let reacts = well.value.is_some_and(|value| !matches!(curve.back(value), Back::Below(_)));
        let unclear = well.seen.is_some_and(|seen| matches!(seen.status.as_str(), "masked" | "invalid" | "unstable"));
        if reacts || unclear {
            outcome.refuse(
                "blank_reacts",
                format!(
                    "阴性对照 {} 不低于最低标准浓度 / the negative control {} is not below the lowest standard",
                    well.well, well.well
                ),
            );
        }
    }
}

fn controls(plate: &Plate, read: &[(&Level, Back)], outcome: &mut Outcome) {
    for (level, found) in read.iter().filter(|(level, _)| level.role == Role::Control) {
        let expected = plate.setup.controls.iter().find(|control| control.name == level.name);
        match expected {
            Some(control) => {
                let value = match found {
                    Back::Number(value) => Some(value * level.dilution),
                    _ => None,
                };
                let name = "质控 / Control";
                judge(outcome, "control", name, &level.name, &control.expected, (value, level.values.len()));
            }
            None => outcome.refuse(
                "no_expectation",
                format!("质控“{}”未给出预期范围 / control {:?} has no expected range", level.name, level.name),
            ),
        }
    }
}

/// 回收率: what of an added amount (the spiked wells' dose) is found beside the sample's own.
fn spikes(plate: &Plate, read: &[(&Level, Back)], outcome: &mut Outcome) {
    for name in plate.samples() {
        for (sample, own) in read.iter().filter(|(level, _)| level.role == Role::Sample && level.name == name) {
            let spiked = read.iter().find(|(level, _)| {
                level.role == Role::Spike && level.name == name && level.dilution == sample.dilution
            });
            let Some((level, found)) = spiked else {
                outcome
                    .refuse("no_spike", format!("供试品“{name}”没有阳性对照孔 / sample {name:?} has no spiked wells"));
                continue;
            };
            let own = match own {
                Back::Number(value) => *value,
                // Below the lowest standard: the sample adds nothing that could be measured.
                Back::Below(_) => 0.0,
                Back::Above(_) => f64::NAN,
            };
            let recovery = match (found, level.dose) {
                (Back::Number(value), Some(dose)) if dose > 0.0 => Some((value - own) / dose * 100.0),
                _ => None,
            };
            outcome.step(format!(
                "{name} 加标回收率 =（{} − {}）÷ {} × 100 = {} %",
                raw(*found, 1.0),
                shown(own),
                level.dose.map(shown).unwrap_or_default(),
                recovery.map(shown).unwrap_or_default()
            ));
            let label = "加标回收率（%） / Recovery of the spike (%)";
            judge(
                outcome,
                "spike_recovery",
                label,
                name,
                &plate.method.limits.spike_recovery,
                (recovery, level.values.len()),
            );
        }
    }
}

fn samples(plate: &Plate, read: &[(&Level, Back)], outcome: &mut Outcome) {
    for name in plate.samples() {
        let of: Vec<_> = read.iter().filter(|(level, _)| level.role == Role::Sample && level.name == name).collect();
        let inside: Vec<f64> = of
            .iter()
            .filter_map(|(level, found)| match found {
                Back::Number(value) => Some(value * level.dilution),
                _ => None,
            })
            .collect();
        let sample_id = plate.sample_of(name);
        if sample_id.is_none() {
            let text = format!(
                "“{name}”未对应到样品，结果不能录入 / {name:?} is matched to no sample: its result cannot be entered"
            );
            outcome.find("no_sample", text, None);
        }
        let (value, shown_raw) = match inside.as_slice() {
            [] => match bound(&of) {
                Some(raw) => (None, raw),
                None => {
                    outcome.refuse(
                        "no_reading",
                        format!("供试品“{name}”没有可用读数 / sample {name:?} has no usable reading"),
                    );
                    continue;
                }
            },
            some => {
                let mean = some.iter().sum::<f64>() / some.len() as f64;
                if some.len() < of.len() {
                    let text = format!(
                        "“{name}”有 {} 个稀释度在曲线外，未计入 / {} dilutions of {name:?} lie outside the curve",
                        of.len() - some.len(),
                        of.len() - some.len()
                    );
                    outcome.find("outside_curve", text, None);
                }
                (Some(text(mean)), text(mean))
            }
        };
        outcome.step(format!("{name}：{} 个稀释度 → {shown_raw} {}", inside.len(), unit(plate)));
        outcome.results.push(ResultLine {
            sample_id,
            sample_text: name.to_owned(),
            analyte: String::new(),
            quantity: plate.method.quantity.clone(),
            value,
            raw: shown_raw,
            unit: unit(plate).to_owned(),
            replicates: of
                .iter()
                .map(|(level, found)| {
                    let raw = raw(*found, level.dilution);
                    Replicate { label: level.wells.join(" "), value: raw.parse::<f64>().ok().map(|_| raw.clone()), raw }
                })
                .collect(),
            steps: outcome.steps.clone(),
        });
    }
}

fn unit<'a>(plate: &'a Plate) -> &'a str {
    if plate.setup.unit.is_empty() { &plate.method.unit } else { &plate.setup.unit }
}

/// Where every level lies outside the curve on one side: the bound that says most. Levels on both sides say nothing.
fn bound(of: &[&(&Level, Back)]) -> Option<String> {
    let (mut below, mut above): (Option<f64>, Option<f64>) = (None, None);
    for (level, found) in of {
        match found {
            Back::Below(bound) => below = Some(below.map_or(bound * level.dilution, |b| b.min(bound * level.dilution))),
            Back::Above(bound) => above = Some(above.map_or(bound * level.dilution, |b| b.max(bound * level.dilution))),
            Back::Number(_) => return None,
        }
    }
    match (below, above) {
        (Some(bound), None) => Some(format!("<{}", shown(bound))),
        (None, Some(bound)) => Some(format!(">{}", shown(bound))),
        _ => None,
    }
}
