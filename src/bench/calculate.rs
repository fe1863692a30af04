//! From readings to a reported value and a verdict. Pure; every step is kept.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::refusals::BenchRefusal;
use crate::calculation::formula::Formula;
use crate::calculation::inputs::ReadingInput;
use crate::regulation::numeric::{self, CompareBy, Limit, Measured};
use crate::store::rows::TestItemRow;
use crate::vocabulary::{Comparison, ItemKind, Verdict};

/// One current reading.
#[derive(Clone, Debug)]
pub struct Reading {
    pub name: String,
    pub position: i64,
    /// As typed or as the instrument wrote it
    pub raw: String,
    /// Its number; none for a censored reading or a finding
    pub value: Option<Decimal>,
}

/// A calculated result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Calculation {
    /// Unrounded
    pub calculated: String,
    /// As on the report
    pub reported: String,
    pub verdict: Verdict,
    pub steps: Vec<String>,
    /// What lies outside its range, Chinese and English
    #[serde(default)]
    pub outside: Vec<String>,
}

/// Calculates, rounds and judges an item, of which `inputs` are the readings that it takes. `None` while readings are
/// still missing.
///
/// # Errors
/// Where the readings cannot be calculated with, or the finding's verdict is missing.
pub fn calculate(
    item: &TestItemRow,
    inputs: &[ReadingInput],
    readings: &[Reading],
    conforms: Option<bool>,
) -> Result<Option<Calculation>, BenchRefusal> {
    if !complete(inputs, item.replicates, readings) {
        return Ok(None);
    }
    match item.kind {
        ItemKind::Text => finding(item, readings, conforms).map(Some),
        ItemKind::Numeric => numeric_result(item, inputs, readings).map(Some),
    }
}

/// Every input has as many readings as it asks for; replicates multiply them.
fn complete(inputs: &[ReadingInput], replicates: i64, readings: &[Reading]) -> bool {
    inputs.iter().all(|input| {
        let have = readings.iter().filter(|reading| reading.name == input.name).count();
        let want = if input.count == 0 { 1 } else { input.count.saturating_mul(replicates) };
        i64::try_from(have).unwrap_or(i64::MAX) >= want
    })
}

fn finding(item: &TestItemRow, readings: &[Reading], conforms: Option<bool>) -> Result<Calculation, BenchRefusal> {
    let text: Vec<&str> = readings.iter().map(|reading| reading.raw.as_str()).collect();
    let text = text.join("；");
    let conforms = conforms.ok_or(BenchRefusal::VerdictMissing)?;
    let verdict = if conforms { Verdict::Pass } else { Verdict::Fail };
    Ok(Calculation {
        calculated: text.clone(),
        reported: text.clone(),
        verdict,
        steps: vec![format!("标准规定：{}；检验结果：{text}；判定：{}", item.limit_text, in_words(verdict))],
        outside: Vec::new(),
    })
}

fn numeric_result(
    item: &TestItemRow,
    inputs: &[ReadingInput],
    readings: &[Reading],
) -> Result<Calculation, BenchRefusal> {
    let not = |field| move |why| BenchRefusal::NotCalculable { field, why };
    let limit = Limit::parse(&item.limit_text).map_err(not("limit"))?;
    let by = match item.compare_by {
        Comparison::Full => CompareBy::Full,
        Comparison::Rounded => CompareBy::Rounded,
        Comparison::Text => return Err(BenchRefusal::ComparedAsText),
    };
    let (measured, mut steps) = measured(item, inputs, readings)?;
    let judged = numeric::judge(&limit, &measured, by).map_err(not("readings"))?;
    if let Some(step) = item.rounding_step.as_ref().map(|step| step.decimal()).filter(|step| *step != limit.step()) {
        steps.push(format!(
            "标准写明的修约间隔 {step} 与限度 {limit} 的位数不一致：按限度的位数（{}）修约、比较和报告 / the rounding step {step} contradicts the limit {limit}: its digits hold",
            limit.step(),
        ));
    }
    if let (Measured::Number(number), Measured::Number(rounded)) = (&measured, &judged.reported) {
        steps.push(format!("GB/T 8170：{number} → {rounded}（限度末位 {}）", limit.step()));
    }
    if let Some(most) = limit.at_most() {
        steps.push(format!("{limit}：可接受的最大值为 {most} / at most {most}"));
    }
    steps.push(format!(
        "{}：{} 与 {} 比较 → {}",
        item.compare_by.zh(),
        judged.compared,
        item.limit_text,
        in_words(judged.verdict),
    ));
    let (calculated, reported) = (measured.to_string(), judged.reported.to_string());
    Ok(Calculation { calculated, reported, verdict: judged.verdict, steps, outside: Vec::new() })
}

/// The value before rounding: the formula's, or the mean of the one reading's replicates.
fn measured(
    item: &TestItemRow,
    inputs: &[ReadingInput],
    readings: &[Reading],
) -> Result<(Measured, Vec<String>), BenchRefusal> {
    let unreadable = |why| BenchRefusal::NotCalculable { field: "readings", why };
    // A number is what it was read as; what is not a number is a bound or not detected, by its text.
    let of = |reading: &Reading| match reading.value {
        Some(number) => Ok(Measured::Number(number)),
        None => Measured::parse(&reading.raw).map_err(unreadable),
    };
    if let ([reading], None) = (readings, &item.formula) {
        // A single reading stands for itself, censored or not.
        return Ok((of(reading)?, vec![format!("{} = {}", reading.name, reading.raw)]));
    }
    let default = inputs.first().map_or_else(|| "mean(x)".to_owned(), |input| format!("mean({})", input.name));
    let text = item.formula.clone().unwrap_or(default);
    let formula = Formula::parse(&text).map_err(BenchRefusal::FormulaFails)?;
    let mut by_name: BTreeMap<String, Vec<Measured>> = BTreeMap::new();
    let mut steps = Vec::new();
    let mut ordered: Vec<&Reading> = readings.iter().collect();
    ordered.sort_by_key(|reading| reading.position);
    for reading in ordered {
        by_name.entry(reading.name.clone()).or_default().push(of(reading)?);
    }
    for (name, list) in &by_name {
        let shown: Vec<String> = list.iter().map(ToString::to_string).collect();
        steps.push(format!("{name} = {}", shown.join(", ")));
    }
    let calculated = formula.calculate(&by_name).map_err(BenchRefusal::FormulaFails)?;
    steps.extend(calculated.steps);
    Ok((calculated.value, steps))
}

/// A verdict as the record words it, Chinese before English.
fn in_words(verdict: Verdict) -> String {
    format!("{} {}", verdict.zh(), verdict.en())
}
