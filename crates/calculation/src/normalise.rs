//! Area normalisation: each peak in per cent of all that were found.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::arith::{mean, percent, short};
use super::outcome::{Outcome, Replicate, ResultLine};
use super::sequence::Run;
use super::setup::Role;

/// Area normalisation: each peak in per cent of all.
pub fn normalise(run: &Run, outcome: &mut Outcome) {
    let left_out = |name: &str| run.method.exclude.iter().any(|one| one.eq_ignore_ascii_case(name));
    let injections = run.of(Role::Sample);
    if injections.is_empty() {
        outcome.refuse("no_samples", "序列中没有供试品进样 / the sequence has no injection of a sample");
    }
    let mut shares: BTreeMap<(Option<&str>, &str, &str), Vec<(String, Decimal)>> = BTreeMap::new();
    let mut counts: BTreeMap<(Option<&str>, &str), usize> = BTreeMap::new();
    for (one, label) in injections {
        *counts.entry((one.sample_id, if label.is_empty() { one.sample_text } else { label })).or_default() += 1;
        let mut areas: Vec<(&str, Decimal)> = Vec::new();
        for (name, values) in one.peaks.iter().filter(|(name, _)| !left_out(name)) {
            let Some(seen) = values.get(run.method.response.as_str()) else { continue };
            match seen.number() {
                Some(area) => areas.push((name, area)),
                None if seen.status == "not_detected" => outcome.find(
                    "not_detected",
                    format!("{} 未检出 {name} / {name} is not detected in {}", one.label(), one.label()),
                    Some(&seen.id),
                ),
                None => outcome.refuse(
                    "unusable",
                    format!("{} {name}：{} 不作数值使用 / not used as a number", one.label(), seen.why_not()),
                ),
            }
        }
        let total = areas.iter().try_fold(Decimal::ZERO, |sum, (_, area)| sum.checked_add(*area));
        let Some(total) = total.filter(|total| !total.is_zero()) else {
            outcome.refuse(
                "no_peaks",
                format!("进样 {} 没有可用的峰 / injection {} has no usable peak", one.label(), one.label()),
            );
            continue;
        };
        outcome.step(format!("{}：峰面积总和 = {total}（{} 个峰）", one.label(), areas.len()));
        for (name, area) in areas {
            let Some(share) = percent(area, total) else { continue };
            outcome.step(format!("{} {name}：{area} ÷ {total} × 100 = {} %", one.label(), short(share)));
            let label = if label.is_empty() { one.sample_text } else { label };
            shares.entry((one.sample_id, label, name)).or_default().push((one.key.clone(), share));
        }
    }
    for ((sample, label, name), values) in shares {
        let numbers: Vec<Decimal> = values.iter().map(|(_, value)| *value).collect();
        let Some(value) = mean(&numbers) else { continue };
        let injected = counts.get(&(sample, label)).copied().unwrap_or(0);
        if injected != numbers.len() {
            let (n, all) = (numbers.len(), injected);
            let text = format!("{label}：{all} 针中 {n} 针有 {name} / {name} in {n} of {all} injections of {label}");
            outcome.find("not_in_all", text, None);
        }
        let replicate = |(label, value): (String, Decimal)| Replicate {
            label,
            value: Some(value.to_string()),
            raw: value.to_string(),
        };
        outcome.results.push(ResultLine {
            sample_id: sample.map(str::to_owned),
            sample_text: label.to_owned(),
            analyte: name.to_owned(),
            quantity: run.method.quantity.clone(),
            value: Some(value.to_string()),
            raw: value.to_string(),
            unit: run.method.unit.clone(),
            replicates: values.into_iter().map(replicate).collect(),
            steps: outcome.steps.clone(),
        });
    }
}
