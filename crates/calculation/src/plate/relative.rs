//! Relative potency of each sample on a plate against the standard.

use super::potency::{NoPotency, Potency, parallel_curve, parallel_line};
use super::{Level, Plate, decimal, judge, shown, text};
use crate::method::{MethodCalculation, MethodLimits};
use crate::outcome::{Calibration, Outcome, Parameter, Point, PotencyLine, Replicate, ResultLine, TestLine};
use crate::setup::{Role, number};
use rust_decimal::prelude::ToPrimitive;

/// The potency of every sample.
pub(super) fn potencies(plate: &Plate, levels: &[Level], outcome: &mut Outcome) {
    if levels.iter().any(|level| level.role != Role::Control && dose(level).is_none()) {
        outcome.refuse("no_dose", "有孔未给出剂量或稀释倍数 / a well has neither dose nor dilution");
        return;
    }
    let doses = |role: Role, name: &str| -> Vec<(f64, f64)> {
        let of = levels.iter().filter(|level| level.role == role && (role == Role::Standard || level.name == name));
        of.flat_map(|level| level.values.iter().map(move |value| (dose(level).unwrap_or(f64::NAN), *value))).collect()
    };
    let standard = doses(Role::Standard, "");
    if plate.samples().is_empty() || standard.is_empty() {
        outcome.refuse("no_samples", "布局中缺少标准或供试品 / the layout lacks the standard or a sample");
    }
    for name in plate.samples() {
        let sample = doses(Role::Sample, name);
        let line = plate.method.calculation == MethodCalculation::ParallelLine;
        let found = if line { parallel_line(&standard, &sample) } else { parallel_curve(&standard, &sample) };
        match found {
            Ok(found) => {
                describe(plate, name, &found, outcome);
                outcome.calibration.get_or_insert_with(|| calibration(plate, &found, levels, line));
            }
            Err(why) => {
                let (zh, en) = match why {
                    NoPotency::Design => ("剂量组数或重复数不足", "too few doses or replicates"),
                    NoPotency::NoFit => ("曲线无法拟合", "the curves cannot be fitted"),
                    NoPotency::NoLimits => ("回归不显著，无可信限", "the slope is not significant: no limits"),
                };
                outcome.refuse("no_potency", format!("“{name}”：{zh} / {name:?}: {en}"));
            }
        }
    }
}

/// The dose of a level: as given, or one part in the dilution.
fn dose(level: &Level) -> Option<f64> {
    level.dose.or_else(|| (level.dilution != 1.0).then(|| 1.0 / level.dilution)).filter(|dose| *dose >= 0.0)
}

/// The potency that the sample was assumed to have: its own, or the standard's.
fn assumed(plate: &Plate, name: &str, outcome: &mut Outcome) -> Option<f64> {
    let own = plate.setup.samples.iter().find(|sample| sample.name == name).map_or("", |s| s.assumed_potency.as_str());
    let typed = if own.trim().is_empty() { plate.setup.standard_potency.as_str() } else { own };
    match number(typed) {
        Ok(Some(value)) => value.to_f64().filter(|value| *value > 0.0),
        Ok(None) => Some(1.0),
        Err(text) => {
            outcome.refuse("not_a_number", format!("效价“{text}”不是数值 / the potency {text:?} is no number"));
            None
        }
    }
}

/// What a test asks for; none where the definition sets nothing.
fn required<'a>(limits: &'a MethodLimits, test: &str) -> Option<&'a str> {
    let limit = match test {
        "regression" => &limits.p_regression,
        "parallelism" => &limits.p_parallelism,
        "quadratic" | "opposed_quadratic" | "lack_of_fit" => &limits.p_curvature,
        _ => return None,
    };
    Some(limit.as_str()).filter(|limit| !limit.is_empty())
}

const NAMES: &[(&str, &str)] = &[
    ("preparations", "供试品间 / Between preparations"),
    ("regression", "回归 / Regression"),
    ("parallelism", "偏离平行 / Deviation from parallelism"),
    ("quadratic", "二次曲线 / Quadratic curvature"),
    ("opposed_quadratic", "反向二次曲线 / Opposed quadratic curvature"),
    ("lack_of_fit", "失拟 / Lack of fit"),
    ("error", "误差 / Error"),
];

fn describe(plate: &Plate, name: &str, found: &Potency, outcome: &mut Outcome) {
    let Some(assumed) = assumed(plate, name, outcome) else { return };
    let from = outcome.steps.len();
    let model =
        if plate.method.calculation == MethodCalculation::ParallelLine { "parallel_line" } else { "parallel_curve" };
    let fitted: Vec<String> =
        found.parameters.iter().map(|(name, value)| format!("{name} = {}", shown(*value))).collect();
    outcome.step(format!("{name} 与标准：{}", fitted.join("，")));
    let limits = &plate.method.limits;
    let mut tests = Vec::with_capacity(found.tests.len());
    for test in &found.tests {
        let label = NAMES.iter().find(|known| known.0 == test.name).map_or(test.name, |known| known.1);
        let required = required(limits, test.name);
        // Exact data leave no error to test against: nothing contradicts.
        let p = test.p.or_else(|| (required.is_some() && test.name != "regression").then_some(1.0));
        let met = required.map(|limit| p.and_then(decimal).is_some_and(|p| meets_p(limit, p)));
        if let (Some(limit), Some(met)) = (required, met) {
            outcome.criteria.push(crate::outcome::Criterion {
                code: test.name.to_owned(),
                label: format!("P {label}").replacen(" / ", " / P ", 1),
                at: name.to_owned(),
                expected: limit.to_owned(),
                found: p.map(shown).unwrap_or_default(),
                n: found.freedom as usize,
                met: Some(met),
            });
        }
        outcome.step(format!(
            "{}：SS = {}，df = {}{}{}",
            label.split(" / ").next().unwrap_or(label),
            shown(test.squares),
            test.freedom,
            test.f.map(|f| format!("，F = {}", shown(f))).unwrap_or_default(),
            p.map(|p| format!("，P = {}", shown(p))).unwrap_or_default()
        ));
        tests.push(TestLine {
            name: label.to_owned(),
            sum_of_squares: text(test.squares),
            freedom: test.freedom,
            f: test.f.filter(|f| f.is_finite()).map(text),
            p: p.map(text),
            required: required.map(str::to_owned),
            met,
        });
    }
    judge(outcome, "r_squared", "R² / R²", name, &limits.r_squared, (Some(found.r_squared), found.freedom as usize));
    let fl = found.fl_percent();
    judge(
        outcome,
        "fl_percent",
        "可信限率 FL（%） / Confidence limits FL (%)",
        name,
        &limits.fl_percent,
        (Some(fl), 1),
    );
    let potency = found.ratio * assumed;
    outcome.step(format!(
        "{name}：R = {}，效价 = {} × {} = {}，95% 可信限 {} ~ {}，FL = {} %",
        shown(found.ratio),
        shown(found.ratio),
        shown(assumed),
        shown(potency),
        shown(found.lower * assumed),
        shown(found.upper * assumed),
        shown(fl)
    ));
    outcome.potencies.push(PotencyLine {
        sample: name.to_owned(),
        model: model.to_owned(),
        ratio: text(found.ratio),
        potency: text(potency),
        lower: text(found.lower * assumed),
        upper: text(found.upper * assumed),
        unit: plate.setup.unit.clone(),
        fl_percent: text(fl),
        log_potency: text(potency.log10()),
        standard_error: text(found.standard_error),
        freedom: found.freedom,
        tests,
    });
    let sample_id = plate.sample_of(name);
    if sample_id.is_none() {
        let text = format!(
            "“{name}”未对应到样品，结果不能录入 / {name:?} is matched to no sample: its result cannot be entered"
        );
        outcome.find("no_sample", text, None);
    }
    let steps =
        outcome.steps.first().into_iter().chain(outcome.steps.get(from..).unwrap_or_default()).cloned().collect();
    outcome.results.push(ResultLine {
        sample_id,
        sample_text: name.to_owned(),
        analyte: String::new(),
        quantity: plate.method.quantity.clone(),
        value: Some(text(potency)),
        raw: text(potency),
        unit: plate.setup.unit.clone(),
        replicates: vec![Replicate { label: name.to_owned(), value: Some(text(potency)), raw: text(potency) }],
        steps,
    });
}

/// P is compared as calculated: rounding to the limit's digits would turn 0.0496 into 0.05.
fn meets_p(limit: &str, p: rust_decimal::Decimal) -> bool {
    use regulation::numeric::{CompareBy, Limit, Measured, Verdict};
    let judged = Limit::parse(limit).and_then(|limit| limit.judge(&Measured::Number(p), CompareBy::Full));
    judged.is_ok_and(|judged| judged.verdict == Verdict::Pass)
}

/// Points of the standard and the samples for the plot, against the first sample's curves.
fn calibration(plate: &Plate, found: &Potency, levels: &[Level], line: bool) -> Calibration {
    let value = |name: &str| found.parameters.iter().find(|one| one.0 == name).map_or(f64::NAN, |one| one.1);
    let first = plate.samples().first().copied().unwrap_or_default().to_owned();
    let fitted = |sample: bool, dose: f64| {
        if line {
            value(if sample { "a_sample" } else { "a_standard" }) + value("b") * dose.log10()
        } else {
            let c = value("c_standard") / if sample { found.ratio } else { 1.0 };
            value("d") + (value("a") - value("d")) / (1.0 + (dose / c).powf(value("b")))
        }
    };
    let mut points = Vec::new();
    for level in levels.iter().filter(|level| level.role == Role::Standard || level.name == first) {
        let sample = level.role == Role::Sample;
        let Some(x) = dose(level) else { continue };
        let usable = plate.wells.iter().filter(|well| level.wells.contains(&well.well) && well.value.is_some());
        for (well, y) in usable.zip(&level.values) {
            let fitted = fitted(sample, x);
            points.push(Point {
                label: level.name.clone(),
                well: Some(well.well.clone()),
                x: text(x),
                y: text(*y),
                fitted: text(fitted),
                residual: text(y - fitted),
                recovery_percent: None,
            });
        }
    }
    Calibration {
        model: if line { "parallel_line" } else { "parallel_curve" }.into(),
        weighting: "1".into(),
        equation: if line { "y = a + b·lg x" } else { "y = d + (a − d) ÷ (1 + (x÷c)^b)" }.into(),
        parameters: found
            .parameters
            .iter()
            .map(|(name, value)| Parameter { name: (*name).into(), value: text(*value), standard_error: None })
            .collect(),
        r: None,
        r_squared: Some(text(found.r_squared)),
        x_label: "dose".into(),
        y_label: plate.method.response.clone(),
        points,
    }
}
