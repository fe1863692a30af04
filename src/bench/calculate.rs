//! From readings to a reported value and a verdict. Pure; every step is kept.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::refusals::BenchRefusal;
use crate::calculation::formula::{Formula, Input, Value};
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
    let step = item.rounding_step.as_ref().map(|step| step.decimal()).or_else(|| limit.step());
    let (calculated, reported) = match &measured {
        Measured::Number(number) => {
            let rounded = match step {
                Some(step) => numeric::round(*number, step).map_err(not("rounding_step"))?,
                None => number.to_string(),
            };
            if let Some(step) = step {
                steps.push(format!("GB/T 8170：{number} → {rounded}（修约间隔 {step}）"));
            }
            (number.to_string(), rounded)
        }
        other => (other.to_string(), other.to_string()),
    };
    let judged = numeric::judge(&limit, &measured, by).map_err(not("readings"))?;
    steps.push(format!(
        "{}：{} 与 {} 比较 → {}",
        item.compare_by.zh(),
        judged.compared,
        item.limit_text,
        in_words(judged.verdict),
    ));
    Ok(Calculation { calculated, reported, verdict: judged.verdict, steps })
}

/// The value before rounding: the formula's, or the mean of the one reading's replicates.
fn measured(
    item: &TestItemRow,
    inputs: &[ReadingInput],
    readings: &[Reading],
) -> Result<(Measured, Vec<String>), BenchRefusal> {
    if let ([reading], None) = (readings, &item.formula) {
        // A single reading stands for itself, censored or not.
        let measured = match reading.value {
            Some(number) => Measured::Number(number),
            None => {
                Measured::parse(&reading.raw).map_err(|why| BenchRefusal::NotCalculable { field: "readings", why })?
            }
        };
        return Ok((measured, vec![format!("{} = {}", reading.name, reading.raw)]));
    }
    let default = inputs.first().map_or_else(|| "mean(x)".to_owned(), |input| format!("mean({})", input.name));
    let text = item.formula.clone().unwrap_or(default);
    let formula = Formula::parse(&text).map_err(BenchRefusal::FormulaFails)?;
    let mut by_name: BTreeMap<String, Vec<Input>> = BTreeMap::new();
    let mut steps = Vec::new();
    let mut ordered: Vec<&Reading> = readings.iter().collect();
    ordered.sort_by_key(|reading| reading.position);
    for reading in ordered {
        let input = reading.value.map_or_else(|| Input::Censored(reading.raw.clone()), Input::Number);
        by_name.entry(reading.name.clone()).or_default().push(input);
    }
    for (name, list) in &by_name {
        let shown: Vec<String> = list
            .iter()
            .map(|input| match input {
                Input::Number(number) => number.to_string(),
                Input::Censored(text) => text.clone(),
            })
            .collect();
        steps.push(format!("{name} = {}", shown.join(", ")));
    }
    let calculated = formula.calculate(&by_name).map_err(BenchRefusal::FormulaFails)?;
    steps.extend(calculated.steps);
    let measured = match calculated.value {
        Value::Number(number) => Measured::Number(number),
        Value::NotDetected => Measured::not_detected(),
    };
    Ok((measured, steps))
}

/// A verdict as the record words it, Chinese before English.
fn in_words(verdict: Verdict) -> String {
    format!("{} {}", verdict.zh(), verdict.en())
}
