//! From standards to the content of samples: by external standard, internal standard or a calibration line.
//!
//! The response of an injection is its peak's area; with an internal standard, the area over the internal standard's
//! area per amount. A standard's factor is its concentration over its response.

use std::collections::BTreeMap;

use regulation::numeric::Measured;
use rust_decimal::Decimal;

use super::Seen;
use super::arith::{self, FittedLine, mean, percent, product, rsd, short};
use super::injections::Injection;
use super::method::MethodCalculation;
use super::outcome::{BracketLine, Calibration, Outcome, Parameter, Point, Replicate, ResultLine, StandardLine};
use super::sequence::Run;
use super::setup::{Preparation, Role, StandardFacts, number};
use super::suitability::{judge, meets};
use crate::formula::Formula;

/// What the standards of a sequence gave.
pub struct Standards {
    /// The mean factor, of methods with one.
    pub factor: Decimal,
    /// The line, of methods with one.
    pub line: Option<FittedLine>,
    /// The standards' mean response, which blanks are compared with.
    pub mean_response: Decimal,
    /// The lowest and the highest response that the line rests on.
    pub range: (Decimal, Decimal),
}

impl Standards {
    /// The concentration that a response stands for.
    fn concentration(&self, response: Decimal) -> Option<Decimal> {
        match &self.line {
            Some(line) => response.checked_sub(line.a)?.checked_div(line.b),
            None => self.factor.checked_mul(response),
        }
    }
}

/// A weighing's number, or a reason why there is none.
fn given(preparation: &Preparation, name: &str, text: &str, outcome: &mut Outcome) -> Option<Decimal> {
    match number(text) {
        Ok(value) => value,
        Err(text) => {
            outcome.refuse(
                "not_a_number",
                format!(
                    "{}：{name} “{text}”不是数值 / {}: {name} {text:?} is no number",
                    preparation.label, preparation.label
                ),
            );
            None
        }
    }
}

fn preparation<'a>(run: &Run<'a>, label: &str) -> Option<&'a Preparation> {
    run.setup.preparations.iter().find(|one| one.label == label)
}

/// The purity that a weighing counts with, as a part of one.
fn effective_purity(facts: &StandardFacts, preparation: &Preparation, outcome: &mut Outcome) -> Option<Decimal> {
    let purity = number(&facts.purity).ok().flatten()?.checked_div(arith::HUNDRED)?;
    if facts.basis == "as_is" || preparation.dried {
        outcome.step(format!("对照品 {} 批号 {}：纯度 {} %", facts.name, facts.batch, facts.purity));
        return Some(purity);
    }
    // Weighed as it is, but its purity is of the dried or water-free substance.
    let Some(water) = number(&facts.water).ok().flatten() else {
        outcome.refuse(
            "water_missing",
            format!(
                "对照品 {} 按干燥品（无水物）计，缺少水分或干燥失重 / the purity of {} is of the dried substance: its water is missing",
                facts.name, facts.name
            ),
        );
        return None;
    };
    let found = purity.checked_mul(arith::HUNDRED.checked_sub(water)?)?.checked_div(arith::HUNDRED)?;
    outcome.step(format!(
        "对照品 {} 批号 {}：{} % ×（100 − {}）÷ 100 = {} %",
        facts.name,
        facts.batch,
        facts.purity,
        facts.water,
        found.checked_mul(arith::HUNDRED).map(short).unwrap_or_default()
    ));
    Some(found)
}

/// The concentration of a standard's solution: weight × purity ÷ (volume × dilution).
fn standard_concentration(run: &Run, label: &str, outcome: &mut Outcome) -> Option<Decimal> {
    let Some(preparation) = preparation(run, label) else {
        outcome.refuse("no_weighing", format!("对照“{label}”没有称量 / there is no weighing for standard {label:?}"));
        return None;
    };
    let Some(facts) = run.standards.iter().find(|facts| facts.id == preparation.standard_id) else {
        outcome.refuse("no_standard", format!("对照“{label}”未指明对照品批号 / standard {label:?} names no lot"));
        return None;
    };
    let weight = given(preparation, "称样量", &preparation.weight, outcome);
    let volume = given(preparation, "定容体积", &preparation.volume, outcome);
    let dilution = given(preparation, "稀释倍数", &preparation.dilution, outcome).unwrap_or(Decimal::ONE);
    let purity = effective_purity(facts, preparation, outcome)?;
    let (Some(weight), Some(volume)) = (weight, volume) else {
        outcome.refuse(
            "no_weighing",
            format!("对照“{label}”缺少称样量或定容体积 / standard {label:?} lacks weight or volume"),
        );
        return None;
    };
    let found = product(&[weight, purity])?.checked_div(product(&[volume, dilution])?)?;
    outcome.step(format!(
        "对照溶液 {label}：c = {weight} × {} ÷（{volume} × {dilution}）= {}",
        short(purity),
        short(found)
    ));
    Some(found)
}

/// A value of a peak that counts, or a reason why there is none.
fn counted<'a>(one: &Injection<'a>, peak: &str, quantity: &str, outcome: &mut Outcome) -> Option<(Decimal, &'a Seen)> {
    let Some(seen) = one.value(peak, quantity) else {
        outcome.refuse(
            "no_peak",
            format!(
                "进样 {} 没有 {peak} 的 {quantity} / injection {} has no {quantity} of {peak}",
                one.label(),
                one.label()
            ),
        );
        return None;
    };
    let Some(value) = seen.number() else {
        outcome.find(
            "unusable",
            format!("{} {peak}：{} 不作数值使用 / not used as a number", one.label(), seen.why_not()),
            Some(&seen.id),
        );
        outcome.refuse(
            "unusable",
            format!(
                "进样 {} 的 {peak} 不是可用数值 / the {quantity} of {peak} in {} is no usable number",
                one.label(),
                one.label()
            ),
        );
        return None;
    };
    Some((value, seen))
}

/// The response of an injection.
fn response(run: &Run, one: &Injection, label: &str, outcome: &mut Outcome) -> Option<Decimal> {
    let (area, _) = counted(one, &run.setup.analyte, &run.method.response, outcome)?;
    if run.method.calculation != MethodCalculation::InternalStandard {
        return Some(area);
    }
    let (internal, _) = counted(one, &run.setup.internal_standard, &run.method.response, outcome)?;
    let amount = preparation(run, label).and_then(|found| given(found, "内标量", &found.internal_amount, outcome));
    let Some(amount) = amount else {
        outcome.refuse("no_internal", format!("“{label}”缺少内标量 / {label:?} lacks the internal standard's amount"));
        return None;
    };
    let found = area.checked_mul(amount)?.checked_div(internal)?;
    outcome.step(format!("{}：A ÷（A内 ÷ c内）= {area} ÷（{internal} ÷ {amount}）= {}", one.label(), short(found)));
    Some(found)
}

/// Factors, their spread and agreement, or the line.
pub fn standards(run: &Run, outcome: &mut Outcome) -> Option<Standards> {
    let mut concentrations: BTreeMap<&str, Decimal> = BTreeMap::new();
    let mut known: Vec<(&Injection, &str, Decimal, Decimal)> = Vec::new();
    for (one, label) in run.calibrating() {
        if !concentrations.contains_key(label) {
            concentrations.insert(label, standard_concentration(run, label, outcome)?);
        }
        let concentration = concentrations.get(label).copied()?;
        known.push((one, label, concentration, response(run, one, label, outcome)?));
    }
    let responses: Vec<Decimal> = known.iter().map(|one| one.3).collect();
    let mean_response = mean(&responses)?;
    let range = (responses.iter().min().copied()?, responses.iter().max().copied()?);
    let mut factors = Vec::with_capacity(known.len());
    for (one, label, concentration, response) in &known {
        let factor = concentration.checked_div(*response)?;
        outcome.step(format!(
            "{}：f = {} ÷ {} = {}",
            one.label(),
            short(*concentration),
            short(*response),
            short(factor)
        ));
        outcome.standards.push(StandardLine {
            key: one.key.clone(),
            preparation: (*label).to_owned(),
            concentration: concentration.to_string(),
            response: response.to_string(),
            factor: factor.to_string(),
        });
        factors.push((*label, factor));
    }
    let line = if run.method.calculation == MethodCalculation::CalibrationLine {
        Some(calibrate(run, &known, outcome)?)
    } else {
        agreement(run, &factors, outcome)?;
        None
    };
    let all: Vec<Decimal> = factors.iter().map(|(_, factor)| *factor).collect();
    let factor = mean(&all)?;
    Some(Standards { factor, line, mean_response, range })
}

fn agreement(run: &Run, factors: &[(&str, Decimal)], outcome: &mut Outcome) -> Option<()> {
    let all: Vec<Decimal> = factors.iter().map(|(_, factor)| *factor).collect();
    let (found, spread) = (mean(&all)?, rsd(&all));
    let shown = spread.map(short).unwrap_or_else(|| "—".to_owned());
    outcome.step(format!("平均响应因子 f = {}，n = {}，RSD(n−1) = {shown} %", short(found), all.len()));
    let limits = &run.method.limits;
    judge(
        outcome,
        "factor_rsd",
        "响应因子 RSD（%） / RSD of response factors (%)",
        "",
        &limits.factor_rsd,
        (spread, all.len()),
    );
    let mut labels: Vec<&str> = Vec::new();
    for (label, _) in factors {
        if !labels.contains(label) {
            labels.push(label);
        }
    }
    let of = |wanted: &str| {
        mean(&factors.iter().filter(|(label, _)| *label == wanted).map(|(_, factor)| *factor).collect::<Vec<_>>())
    };
    let Some((first, rest)) = labels.split_first() else { return Some(()) };
    if rest.is_empty() && !limits.standards_agreement.is_empty() {
        outcome.find(
            "one_weighing",
            "对照品仅一份称量，未作一致性比较 / one weighing of the standard: no agreement of two",
            None,
        );
    }
    for label in rest {
        let found = percent(of(label)?, of(first)?);
        outcome.step(format!("{label} 与 {first} 响应因子之比 = {} %", found.map(short).unwrap_or_default()));
        let at = format!("{label} : {first}");
        let name = "两份对照品一致性（%） / Agreement of two weighings (%)";
        judge(outcome, "standards_agreement", name, &at, &limits.standards_agreement, (found, 2));
    }
    Some(())
}

fn calibrate(run: &Run, known: &[(&Injection, &str, Decimal, Decimal)], outcome: &mut Outcome) -> Option<FittedLine> {
    let weighting = run.method.weighting.as_str();
    let weight = |x: Decimal, y: Decimal| {
        let by = match weighting {
            "1/x" => x,
            "1/x2" => x.checked_mul(x)?,
            "1/y" => y,
            "1/y2" => y.checked_mul(y)?,
            _ => Decimal::ONE,
        };
        Decimal::ONE.checked_div(by)
    };
    let points: Option<Vec<_>> = known.iter().map(|(_, _, x, y)| Some((*x, *y, weight(*x, *y)?))).collect();
    let fitted = points.as_deref().and_then(arith::line);
    let Some(line) = fitted.filter(|line| !line.b.is_zero()) else {
        outcome.refuse("no_line", "标准曲线无法拟合 / no line can be fitted to the standards");
        return None;
    };
    let equation = format!("y = {} + {} · x", short(line.a), short(line.b));
    outcome.step(format!("标准曲线（权重 {weighting}，n = {}）：{equation}，r = {}", known.len(), short(line.r)));
    let limits = &run.method.limits;
    let mut points = Vec::with_capacity(known.len());
    for (one, label, x, y) in known {
        let fitted = line.a.checked_add(line.b.checked_mul(*x)?)?;
        let recovery = y.checked_sub(line.a)?.checked_div(line.b).and_then(|back| percent(back, *x));
        let name = "标准点回算（%） / Back-calculated standard (%)";
        judge(outcome, "recovery", name, label, &limits.recovery_percent, (recovery, 1));
        points.push(Point {
            label: format!("{label} {}", one.acquired_at).trim().to_owned(),
            well: None,
            x: x.to_string(),
            y: y.to_string(),
            fitted: fitted.to_string(),
            residual: y.checked_sub(fitted)?.to_string(),
            recovery_percent: recovery.map(|value| value.to_string()),
        });
    }
    judge(
        outcome,
        "correlation",
        "相关系数 |r| / Correlation |r|",
        "",
        &limits.correlation,
        (Some(line.r.abs()), known.len()),
    );
    let parameter =
        |name: &str, value: Decimal| Parameter { name: name.into(), value: value.to_string(), standard_error: None };
    outcome.calibration = Some(Calibration {
        model: "linear".into(),
        weighting: weighting.into(),
        equation,
        parameters: vec![parameter("a", line.a), parameter("b", line.b)],
        r: Some(line.r.to_string()),
        r_squared: line.r.checked_mul(line.r).map(|value| value.to_string()),
        x_label: "c".into(),
        y_label: run.method.response.clone(),
        points,
    });
    Some(line)
}

/// Every sample injection between standards that pass; check standards against their true content.
pub fn brackets(run: &Run, calibrated: &Standards, outcome: &mut Outcome) {
    let limits = &run.method.limits;
    // Place in the run, key, factor, whether it passes.
    let mut posts: Vec<(usize, String, Decimal, bool)> = Vec::new();
    for line in outcome.standards.clone() {
        let (Ok(factor), Ok(response), Ok(truth)) =
            (line.factor.parse::<Decimal>(), line.response.parse::<Decimal>(), line.concentration.parse::<Decimal>())
        else {
            continue;
        };
        let recovery = calibrated.concentration(response).and_then(|found| percent(found, truth));
        let passes = limits.bracket_recovery.is_empty() || recovery.is_some_and(|r| meets(&limits.bracket_recovery, r));
        posts.push((run.place(&line.key), line.key.clone(), factor, passes));
    }
    for (one, label) in run.of(Role::CheckStandard) {
        let truth = standard_concentration(run, label, outcome);
        let found =
            response(run, one, label, outcome).and_then(|found| Some((found, calibrated.concentration(found)?)));
        let (Some(truth), Some((response, found))) = (truth, found) else { continue };
        let recovery = percent(found, truth);
        outcome.step(format!(
            "随行对照 {}：测得 {} ÷ 真值 {} = {} %",
            one.label(),
            short(found),
            short(truth),
            recovery.map(short).unwrap_or_default()
        ));
        let name = "随行对照回收率（%） / Recovery of the check standard (%)";
        let met = judge(outcome, "bracket_recovery", name, &one.label(), &limits.bracket_recovery, (recovery, 1));
        if let Some(factor) = truth.checked_div(response) {
            posts.push((run.place(&one.key), one.key.clone(), factor, met.unwrap_or(true)));
        }
    }
    posts.sort_by_key(|post| post.0);
    for (one, _) in run.of(Role::Sample) {
        let place = run.place(&one.key);
        let before = posts.iter().rev().find(|post| post.0 < place);
        let after = posts.iter().find(|post| post.0 > place);
        let drift = before.zip(after).and_then(|(b, a)| percent(a.2.checked_sub(b.2)?, b.2));
        let met = before.is_some_and(|post| post.3) && after.is_some_and(|post| post.3);
        outcome.brackets.push(BracketLine {
            key: one.key.clone(),
            sample_text: one.sample_text.to_owned(),
            before: before.map(|post| post.1.clone()),
            after: after.map(|post| post.1.clone()),
            drift_percent: drift.map(short),
            met,
        });
        let failing = before.is_some_and(|post| !post.3) || after.is_some_and(|post| !post.3);
        if failing || (limits.bracketed && !met) {
            outcome.refuse(
                "not_bracketed",
                format!(
                    "进样 {} 前后没有均合格的对照 / injection {} does not lie between standards that pass",
                    one.label(),
                    one.label()
                ),
            );
        }
        if let Some(drift) = drift {
            outcome.step(format!("{}：前后对照响应因子漂移 {} %", one.label(), short(drift)));
            judge(outcome, "drift", "漂移（%） / Drift (%)", &one.label(), &limits.drift_percent, (Some(drift), 2));
        }
    }
}

/// The contents of the samples, a mean of their preparations.
pub fn samples(run: &Run, calibrated: &Standards, outcome: &mut Outcome) {
    let mut by_preparation: Vec<(&str, Option<&str>, Vec<Decimal>, Vec<String>)> = Vec::new();
    // Suitability, standards and brackets are every result's; of the samples only its own.
    let general = outcome.steps.clone();
    let injections = run.of(Role::Sample);
    if injections.is_empty() {
        outcome.refuse("no_samples", "序列中没有供试品进样 / the sequence has no injection of a sample");
    }
    for (one, label) in injections {
        let from = outcome.steps.len();
        let Some(value) = content(run, calibrated, one, label, outcome) else {
            outcome.refuse(
                "no_content",
                format!("进样 {} 无法计算含量 / no content can be calculated for {}", one.label(), one.label()),
            );
            continue;
        };
        let steps = outcome.steps.get(from..).unwrap_or_default().to_vec();
        match by_preparation.iter_mut().find(|known| known.0 == label && known.1 == one.sample_id) {
            Some(known) => {
                known.2.push(value);
                known.3.extend(steps);
            }
            None => by_preparation.push((label, one.sample_id, vec![value], steps)),
        }
    }
    let mut results: Vec<ResultLine> = Vec::new();
    for (label, sample, values, steps) in by_preparation {
        let Some(value) = mean(&values) else { continue };
        if values.len() > 1 {
            outcome.step(format!("{label}：{} 针平均 = {}", values.len(), short(value)));
        }
        let replicate = Replicate { label: label.to_owned(), value: Some(value.to_string()), raw: value.to_string() };
        match results.iter_mut().find(|known| sample.is_some() && known.sample_id.as_deref() == sample) {
            Some(known) => {
                known.replicates.push(replicate);
                known.steps.extend(steps);
            }
            None => results.push(ResultLine {
                sample_id: sample.map(str::to_owned),
                sample_text: label.to_owned(),
                analyte: run.setup.analyte.clone(),
                quantity: run.method.quantity.clone(),
                unit: run.method.unit.clone(),
                replicates: vec![replicate],
                steps: general.iter().cloned().chain(steps).collect(),
                ..ResultLine::default()
            }),
        }
    }
    for mut result in results {
        finish(run, &mut result, outcome);
        outcome.results.push(result);
    }
}

fn finish(run: &Run, result: &mut ResultLine, outcome: &mut Outcome) {
    let values: Vec<Decimal> =
        result.replicates.iter().filter_map(|one| one.value.as_deref()?.parse::<Decimal>().ok()).collect();
    let Some(value) = mean(&values) else { return };
    if let (Some(low), Some(high), true) = (values.iter().min(), values.iter().max(), values.len() > 1) {
        let difference = high.checked_sub(*low).and_then(|d| percent(d, value));
        let step = format!(
            "{}：{} 份平均 = {}，相对极差 {} %",
            result.sample_text,
            values.len(),
            short(value),
            difference.map(short).unwrap_or_default()
        );
        outcome.step(step.clone());
        result.steps.push(step);
        let name = "平行样相对极差（%） / Difference of preparations (%)";
        judge(
            outcome,
            "duplicates",
            name,
            &result.sample_text,
            &run.method.limits.duplicates_percent,
            (difference, values.len()),
        );
    }
    if result.sample_id.is_none() {
        outcome.find(
            "no_sample",
            format!(
                "“{}”未对应到样品，结果不能录入 / {:?} is matched to no sample: its result cannot be entered",
                result.sample_text, result.sample_text
            ),
            None,
        );
    }
    result.value = Some(value.to_string());
    result.raw = value.to_string();
}

fn content(run: &Run, calibrated: &Standards, one: &Injection, label: &str, outcome: &mut Outcome) -> Option<Decimal> {
    let Some(preparation) = preparation(run, label) else {
        outcome.refuse("no_weighing", format!("供试品“{label}”没有称量 / there is no weighing for sample {label:?}"));
        return None;
    };
    let response = response(run, one, label, outcome)?;
    if calibrated.line.is_some() && (response < calibrated.range.0 || response > calibrated.range.1) {
        outcome.refuse(
            "out_of_range",
            format!(
                "进样 {} 的响应 {response} 超出标准曲线范围 / the response of {} lies outside the line",
                one.label(),
                one.label()
            ),
        );
        return None;
    }
    let c = calibrated.concentration(response)?;
    outcome.step(match &calibrated.line {
        Some(line) => {
            format!("{}：c =（{} − {}）÷ {} = {}", one.label(), short(response), short(line.a), short(line.b), short(c))
        }
        None => {
            format!("{}：c = f × A = {} × {} = {}", one.label(), short(calibrated.factor), short(response), short(c))
        }
    });
    let mut inputs: BTreeMap<String, Vec<Measured>> = BTreeMap::new();
    inputs.insert("c".into(), vec![Measured::Number(c)]);
    inputs.insert("dilution".into(), vec![Measured::Number(Decimal::ONE)]);
    for (name, text) in [
        ("weight", &preparation.weight),
        ("volume", &preparation.volume),
        ("dilution", &preparation.dilution),
        ("water", &preparation.water),
        ("label", &preparation.label_amount),
        ("average", &preparation.average_weight),
    ] {
        if let Some(value) = given(preparation, name, text, outcome) {
            inputs.insert(name.into(), vec![Measured::Number(value)]);
        }
    }
    let calculated = Formula::parse(&run.method.formula).and_then(|formula| formula.calculate(&inputs));
    match calculated.map(|found| (found.value, found.steps)) {
        Ok((Measured::Number(value), steps)) => {
            let last = steps.last().cloned().unwrap_or_default();
            let inputs: Vec<String> = inputs
                .iter()
                .filter_map(|(name, list)| match list.first() {
                    Some(Measured::Number(value)) => Some(format!("{name} = {}", short(*value))),
                    _ => None,
                })
                .collect();
            outcome.step(format!("{}：{}；{last}", one.label(), inputs.join("，")));
            Some(value)
        }
        Ok(_) => None,
        Err(error) => {
            outcome.refuse("formula", format!("{label}：{error}"));
            None
        }
    }
}
