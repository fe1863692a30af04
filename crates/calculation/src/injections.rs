//! Observations grouped to injections with their peaks. Of several versions of a result the newest that is not
//! superseded is taken, and the others are named.

use std::collections::{BTreeMap, BTreeSet};

use super::method::Method;
use super::outcome::Outcome;
use super::setup::{AssignedRole, Role, Setup};
use super::{CURVE, Seen, yes};

/// One injection.
#[derive(Clone, Debug)]
pub struct Injection<'a> {
    /// Tells it apart within the evaluation.
    pub key: String,
    /// The file.
    pub file: &'a str,
    /// The sample as the file names it.
    pub sample_text: &'a str,
    /// The type that the instrument gives it.
    pub sample_type: &'a str,
    /// When.
    pub acquired_at: &'a str,
    /// The registered sample, where all values were matched to one.
    pub sample_id: Option<&'a str>,
    /// Peak name → quantity → value.
    pub peaks: BTreeMap<&'a str, BTreeMap<&'a str, &'a Seen>>,
}

impl<'a> Injection<'a> {
    /// A value of a peak.
    #[must_use]
    pub fn value(&self, peak: &str, quantity: &str) -> Option<&'a Seen> {
        self.peaks.get(peak)?.get(quantity).copied()
    }

    /// As steps call it: its name and when it was made, or what else tells it apart.
    #[must_use]
    pub fn label(&self) -> String {
        match (self.acquired_at, self.key.split('|').nth(1)) {
            ("", Some(injection)) => format!("{} {injection}", self.sample_text).trim().to_owned(),
            (at, _) => format!("{} {at}", self.sample_text).trim().to_owned(),
        }
    }

    /// The first of several quantities that the peak has.
    #[must_use]
    pub fn any(&self, peak: &str, quantities: &[impl AsRef<str>]) -> Option<&'a Seen> {
        quantities.iter().find_map(|quantity| self.value(peak, quantity.as_ref()))
    }

    /// Whether a person integrated or altered the peak.
    #[must_use]
    pub fn by_hand(&self, peak: &str) -> bool {
        self.peaks.get(peak).is_some_and(|values| values.values().any(|seen| seen.by_hand()))
    }
}

/// The key of the injection that a value belongs to.
fn key(seen: &Seen) -> String {
    let parts = [
        seen.sample_text.as_deref().unwrap_or_default(),
        seen.injection.as_deref().unwrap_or_default(),
        seen.acquired_at.as_deref().unwrap_or_default(),
    ];
    parts.join("|")
}

/// The type that the instrument gives a value's sample.
fn sample_type(seen: &Seen) -> &str {
    ["sample_type", "sample_role", "injection_type", "group", "well_type"]
        .iter()
        .find_map(|key| seen.told(key))
        .unwrap_or_default()
}

/// What orders versions of one result: not superseded first, then signed off, then the number that the data system
/// gives it, then the file taken in later.
fn rank(seen: &Seen) -> (bool, bool, u64, usize) {
    let superseded = seen.told("superseded").is_some_and(yes) || seen.flags.iter().any(|flag| flag == "superseded");
    let number = |key: &str| seen.told(key).and_then(|text| text.trim().parse::<u64>().ok());
    let signed = ["sign_offs", "number_of_sign_offs"].iter().find_map(|key| number(key)).unwrap_or(0) > 0;
    let version = ["result_version", "result_id", "result_number"].iter().find_map(|key| number(key)).unwrap_or(0);
    (!superseded, signed, version, seen.file_order)
}

/// Groups observations to injections, in the order in which they were made as far as the files say.
#[must_use]
pub fn group<'a>(seen: &'a [Seen], signal: &str, outcome: &mut Outcome) -> Vec<Injection<'a>> {
    let mut by_key: BTreeMap<String, Vec<&Seen>> = BTreeMap::new();
    let mut order: Vec<String> = Vec::new();
    for one in seen {
        let key = key(one);
        if !order.contains(&key) {
            order.push(key.clone());
        }
        by_key.entry(key).or_default().push(one);
    }
    let mut injections: Vec<Injection> = Vec::new();
    for key in order {
        let Some(values) = by_key.get(&key) else { continue };
        injections.push(one(key, values, signal, outcome));
    }
    // The times of one data system sort as text; injections without one stay as the file has them.
    if injections.iter().all(|one| !one.acquired_at.is_empty()) {
        injections.sort_by(|a, b| a.acquired_at.cmp(b.acquired_at));
    }
    injections
}

fn one<'a>(key: String, values: &[&'a Seen], signal: &str, outcome: &mut Outcome) -> Injection<'a> {
    let (kept, best) = newest(&key, values, outcome);
    let mut peaks: BTreeMap<&'a str, BTreeMap<&'a str, &'a Seen>> = BTreeMap::new();
    let mut twice: BTreeSet<(&str, &str)> = BTreeSet::new();
    for seen in kept.iter().filter(|seen| seen.quantity != CURVE) {
        if !signal.is_empty() && seen.told("signal").is_some_and(|told| told != signal) {
            continue;
        }
        let Some(name) = seen.analyte.as_deref().or_else(|| seen.told("peak")) else { continue };
        let before = peaks.entry(name).or_default().insert(seen.quantity.as_str(), *seen);
        if before.is_some() {
            twice.insert((name, seen.quantity.as_str()));
        }
    }
    for (name, quantity) in twice {
        // Two values of one peak: neither is taken.
        if let Some(values) = peaks.get_mut(name) {
            values.remove(quantity);
        }
        outcome.find(
            "ambiguous",
            format!("{key} 的 {name} 有多个 {quantity}，均未采用（请选定信号） / {name} of {key} has several values of {quantity}: none is used (name the signal)"),
            None,
        );
    }
    let samples: BTreeSet<Option<&str>> = kept.iter().map(|seen| seen.sample_id.as_deref()).collect();
    let first = best.or_else(|| kept.first().copied());
    Injection {
        key,
        file: first.map_or("", |seen| seen.file.as_str()),
        sample_text: first.and_then(|seen| seen.sample_text.as_deref()).unwrap_or_default(),
        sample_type: first.map_or("", sample_type),
        acquired_at: first.and_then(|seen| seen.acquired_at.as_deref()).unwrap_or_default(),
        sample_id: if samples.len() == 1 { samples.into_iter().next().flatten() } else { None },
        peaks,
    }
}

/// The values of the newest version of an injection's result.
fn newest<'a>(key: &str, values: &[&'a Seen], outcome: &mut Outcome) -> (Vec<&'a Seen>, Option<&'a Seen>) {
    let best = values.iter().copied().max_by_key(|seen| rank(seen));
    let Some(top) = best.map(rank) else { return (Vec::new(), None) };
    let (kept, left): (Vec<&Seen>, Vec<&Seen>) = values.iter().copied().partition(|seen| rank(seen) == top);
    if !left.is_empty() {
        outcome.find(
            "older_version",
            format!("{key}：另有 {} 个较早或已被取代的结果值，未采用 / {} values of earlier or superseded results of this injection are not used", left.len(), left.len()),
            left.first().map(|seen| seen.id.as_str()),
        );
    }
    if !top.0 {
        outcome.refuse(
            "superseded",
            format!("{key} 的全部结果均已被取代 / every result of this injection is superseded: {key}"),
        );
        return (Vec::new(), best);
    }
    (kept, best)
}

/// The roles that the method's patterns propose.
#[must_use]
pub fn propose(injections: &[Injection], method: &Method) -> Vec<AssignedRole> {
    injections
        .iter()
        .map(|one| {
            let role = method.role_of(one.sample_text, one.sample_type);
            // One preparation a name: injections of one name are repetitions of it.
            let named = matches!(role, Role::Standard | Role::CheckStandard | Role::Sample);
            let preparation = if named { one.sample_text.to_owned() } else { String::new() };
            AssignedRole {
                injection: one.key.clone(),
                role,
                preparation,
                proposed: Some(role),
                ..AssignedRole::default()
            }
        })
        .collect()
}

/// The role and preparation of each injection, as assigned.
#[must_use]
pub fn assigned<'s>(setup: &'s Setup, key: &str) -> (Role, &'s str) {
    let found = setup.injections.iter().find(|one| one.injection == key);
    found.map_or((Role::Other, ""), |one| (one.role, one.preparation.as_str()))
}
