//! System suitability (系统适用性): values of the injections against the criteria of the method definition.

use rust_decimal::Decimal;

use super::arith::{rsd, short};
use super::injections::Injection;
use super::method::{Absent, Method, MethodRule, Statistic};
use super::outcome::{Criterion, Outcome};
use super::setup::Role;
use regulation::numeric::{CompareBy, Limit, Measured, Verdict};

/// Compares a number with a limit of a definition: rounded to the limit's last digit first, as the pharmacopoeia's
/// general notices do.
#[must_use]
pub fn meets(limit: &str, value: Decimal) -> bool {
    let Ok(limit) = Limit::parse(limit) else { return false };
    // Roots and quotients have more digits than a limit is rounded with: 15 significant ones are ample.
    let value = value.round_sf(15).unwrap_or(value);
    limit.judge(&Measured::Number(value), CompareBy::Rounded).is_ok_and(|judged| judged.verdict == Verdict::Pass)
}

/// A criterion of a calculated value; none where the definition sets no limit. A value that could not be calculated
/// does not meet it.
pub fn judge(
    outcome: &mut Outcome,
    code: &str,
    label: &str,
    at: &str,
    limit: &str,
    (found, n): (Option<Decimal>, usize),
) -> Option<bool> {
    if limit.is_empty() {
        return None;
    }
    let met = found.is_some_and(|value| meets(limit, value));
    outcome.criteria.push(Criterion {
        code: code.to_owned(),
        label: label.to_owned(),
        at: at.to_owned(),
        expected: limit.to_owned(),
        found: found.map(short).unwrap_or_default(),
        n,
        met: Some(met),
    });
    Some(met)
}

/// Judges every rule of the method on the peak of the analyte.
pub fn check(method: &Method, analyte: &str, injections: &[(&Injection, Role)], outcome: &mut Outcome) {
    for rule in &method.criteria {
        let over: Vec<&Injection> =
            injections.iter().filter(|(_, role)| *role == rule.over).map(|(one, _)| *one).collect();
        match rule.statistic {
            Statistic::Each => each(rule, analyte, &over, outcome),
            Statistic::Rsd => spread(rule, analyte, &over, outcome),
        }
    }
}

fn criterion(rule: &MethodRule, at: &str) -> Criterion {
    Criterion {
        code: rule.code.clone(),
        label: format!("{} / {}", rule.label_zh, rule.label_en),
        at: at.to_owned(),
        expected: rule.limit.clone(),
        ..Criterion::default()
    }
}

fn absent(rule: &MethodRule, at: &str, why: &str, outcome: &mut Outcome) {
    let fails = rule.absent == Absent::Fail;
    outcome.find(
        "not_evaluated",
        format!("{}：{at} {why} / {} cannot be judged: {at} {why}", rule.label_zh, rule.label_en),
        None,
    );
    outcome.criteria.push(Criterion { met: if fails { Some(false) } else { None }, ..criterion(rule, at) });
}

fn each(rule: &MethodRule, analyte: &str, over: &[&Injection], outcome: &mut Outcome) {
    if over.len() < rule.n.max(1) {
        absent(rule, rule.over.names().0, &format!("n = {} < {}", over.len(), rule.n.max(1)), outcome);
    }
    for one in over {
        let at = format!("{} {}", one.sample_text, one.acquired_at);
        match one.any(analyte, &rule.quantities) {
            None => absent(rule, at.trim(), "—", outcome),
            Some(seen) => match seen.number() {
                None => absent(rule, at.trim(), &seen.why_not(), outcome),
                Some(value) => {
                    let met = meets(&rule.limit, value);
                    outcome.step(format!(
                        "{} {}：{} {} {}",
                        rule.label_zh,
                        at.trim(),
                        seen.raw,
                        if met { "符合" } else { "不符合" },
                        rule.limit
                    ));
                    let found =
                        Criterion { found: seen.raw.clone(), n: 1, met: Some(met), ..criterion(rule, at.trim()) };
                    outcome.criteria.push(found);
                }
            },
        }
    }
}

fn spread(rule: &MethodRule, analyte: &str, over: &[&Injection], outcome: &mut Outcome) {
    let mut values = Vec::with_capacity(over.len());
    for one in over {
        match one.any(analyte, &rule.quantities).map(|seen| (seen.number(), seen)) {
            Some((Some(value), _)) => values.push(value),
            Some((None, seen)) => return absent(rule, one.sample_text, &seen.why_not(), outcome),
            None => return absent(rule, one.sample_text, "—", outcome),
        }
    }
    let least = rule.n.max(2);
    if values.len() < least {
        return absent(rule, rule.over.names().0, &format!("n = {} < {least}", values.len()), outcome);
    }
    let Some(found) = rsd(&values) else { return absent(rule, rule.over.names().0, "—", outcome) };
    let met = meets(&rule.limit, found);
    let shown: Vec<String> = values.iter().map(ToString::to_string).collect();
    outcome.step(format!(
        "{}：n = {}，{} → RSD(n−1) = {} %，{} {}",
        rule.label_zh,
        values.len(),
        shown.join("、"),
        short(found),
        if met { "符合" } else { "不符合" },
        rule.limit
    ));
    let at = rule.over.names().0;
    outcome.criteria.push(Criterion { found: short(found), n: values.len(), met: Some(met), ..criterion(rule, at) });
}
