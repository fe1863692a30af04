//! What a tree says of itself: totals of its rows, and entries that replace others.

use std::collections::BTreeMap;
use std::ops::Range;

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::settings::{Settings, Total, Versions};
use super::{fields_of, simple};
use crate::model::Locator;
use crate::sink::Sink;
use crate::tabular::Base;

/// Compares the sums that an entry gives with its rows.
pub(super) fn totals(settings: &Settings, sink: &mut Sink, level: &str, node: &Map<String, Value>, path: &str) {
    for total in settings.totals.iter().filter(|t| t.level == level) {
        let own = fields_of(settings, node);
        let Some(printed) = own.and_then(|f| f.get(&total.key)).and_then(simple) else { continue };
        let at = Locator::path(format!("{}.{}", super::inner_path(settings, path), total.key));
        let Some(rows) = node.get(&total.of).and_then(Value::as_array) else { continue };
        if let Err(why) = compare(settings, sink, total, &printed, rows, &at) {
            sink.fault("total_differs", format!("{}: {why}", total.key), at);
        }
    }
}

fn compare(
    settings: &Settings,
    sink: &mut Sink,
    total: &Total,
    printed: &str,
    rows: &[Value],
    at: &Locator,
) -> Result<(), String> {
    let number = sink.number(printed, at).ok_or_else(|| format!("\"{printed}\" is no number"))?;
    let wanted = number.decimal().ok_or("the number is too long to be compared")?;
    let (mut sum, mut slack) = (Decimal::ZERO, number.half_unit());
    for row in rows.iter().filter_map(Value::as_object) {
        let Some(fields) = fields_of(settings, row) else { continue };
        let word = total.without.as_ref().and_then(|key| fields.get(key)).and_then(simple);
        let left_out = word.zip(total.without_is.as_ref()).is_some_and(|(word, is)| is.is_match(&word));
        let Some(raw) = fields.get(&total.field).and_then(simple).filter(|_| !left_out) else { continue };
        let Some(number) = sink.number(&raw, at) else { continue };
        let value = number.decimal().ok_or("a number is too long to be added up")?;
        sum = sum.saturating_add(value);
        slack = slack.saturating_add(number.half_unit());
    }
    let share: Decimal = total.relative.as_deref().and_then(|r| r.parse().ok()).unwrap_or_default();
    let allowed = slack.saturating_add(wanted.abs().checked_mul(share).unwrap_or_default());
    if sum.saturating_sub(wanted).abs() <= allowed {
        Ok(())
    } else {
        Err(format!("the rows add up to {sum}, the file says {wanted}"))
    }
}

/// One entry of a level with versions.
#[derive(Debug)]
pub(super) struct Version {
    alike: Vec<String>,
    id: String,
    newest: Vec<String>,
    signed: bool,
    replaced: bool,
    /// Its observations.
    range: Range<usize>,
    path: String,
}

impl Version {
    pub fn of(spec: &Versions, base: &Base, range: Range<usize>, path: &str) -> Self {
        let entry = |name: &String| base.context.get(name).cloned().unwrap_or_default();
        let is = |name: &String, fits: fn(&str) -> bool| base.context.get(name).is_some_and(|text| fits(text));
        Self {
            alike: spec.alike.iter().map(entry).chain(base.injection.clone()).collect(),
            id: entry(&spec.id),
            newest: spec.newest.iter().map(entry).collect(),
            signed: spec.signed.iter().any(|name| is(name, |text| text.parse::<u32>().is_ok_and(|n| n > 0))),
            replaced: spec.replaced.iter().any(|name| is(name, |text| text.eq_ignore_ascii_case("true"))),
            range,
            path: path.to_owned(),
        }
    }
}

/// Among several results of one injection the newest signed one counts, and the file's reader sees that.
pub(super) fn choose(sink: &mut Sink, versions: Vec<Version>) {
    let mut groups: BTreeMap<Vec<String>, Vec<Version>> = BTreeMap::new();
    for version in versions.into_iter().filter(|v| !v.replaced) {
        groups.entry(version.alike.clone()).or_default().push(version);
    }
    for group in groups.into_values().filter(|g| g.len() > 1) {
        let mut best = 0;
        for (index, version) in group.iter().enumerate().skip(1) {
            if group.get(best).is_some_and(|b| after(version, b)) {
                best = index;
            }
        }
        let Some(winner) = group.get(best) else { continue };
        let ids: Vec<&str> = group.iter().map(|v| v.id.as_str()).collect();
        let why = if winner.signed { "the newest that is signed off" } else { "the newest; none is signed off" };
        sink.warn(
            "several_results",
            format!("one injection has the results {}; {} is {why}, the others are flagged", ids.join(", "), winner.id),
            Locator::path(winner.path.as_str()),
        );
        for version in group.iter().enumerate().filter(|(i, _)| *i != best).map(|(_, v)| v) {
            for observation in sink.observations.get_mut(version.range.clone()).into_iter().flatten() {
                observation.flags.push("replaced_result".into());
                observation.context.insert("superseded".into(), "true".into());
                observation.context.insert("superseded_by".into(), winner.id.clone());
            }
        }
    }
}

/// Signed before unsigned, then by what orders them: numbers as numbers, dates as the ISO texts they are.
fn after(a: &Version, b: &Version) -> bool {
    if a.signed != b.signed {
        return a.signed;
    }
    for (x, y) in a.newest.iter().zip(&b.newest) {
        let order = match (x.parse::<Decimal>(), y.parse::<Decimal>()) {
            (Ok(x), Ok(y)) => x.cmp(&y),
            _ => x.cmp(y),
        };
        if order.is_ne() {
            return order.is_gt();
        }
    }
    false
}
