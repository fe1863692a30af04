//! What tells two readings apart: of one file by two adapters, or of two files.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::{Observation, Parsed, Problem};

/// One thing that is not the same on both sides. A side that does not have it is null.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DiffLine {
    /// What it is, in words: a fact's name, or a value's place, sample and quantity.
    pub what: String,
    /// The field that differs; without it, the whole is on one side only.
    pub field: Option<String>,
    /// On the old side.
    pub old: Option<Value>,
    /// On the new side.
    pub new: Option<Value>,
}

/// Everything that differs between two readings.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ReadingDiff {
    /// Facts of the run, without the adapter's version.
    pub run: Vec<DiffLine>,
    /// Values.
    pub observations: Vec<DiffLine>,
    /// Problems.
    pub problems: Vec<DiffLine>,
    /// Whether the file is whole.
    pub complete: Option<DiffLine>,
}

impl ReadingDiff {
    /// True where both readings say the same.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many things differ.
    pub fn len(&self) -> usize {
        self.run.len() + self.observations.len() + self.problems.len() + usize::from(self.complete.is_some())
    }

    /// All of it, in order.
    pub fn changes(&self) -> impl Iterator<Item = (&'static str, &DiffLine)> {
        let named = |name: &'static str| move |change| (name, change);
        let run = self.run.iter().map(named("run"));
        let values = self.observations.iter().map(named("observation"));
        let problems = self.problems.iter().map(named("problem"));
        run.chain(values).chain(problems).chain(self.complete.iter().map(named("file")))
    }
}

/// Compares two readings.
///
/// Of one file, values belong together by their place in it; of two files, by sample, analyte, quantity, injection,
/// abscissa and context, and places are not compared.
pub fn difference(old: &Parsed, new: &Parsed) -> ReadingDiff {
    let same_file = old.file_sha256 == new.file_sha256;
    let complete = (old.complete != new.complete).then(|| DiffLine {
        what: "complete".into(),
        field: None,
        old: Some(old.complete.into()),
        new: Some(new.complete.into()),
    });
    ReadingDiff {
        run: facts(&old.run, &new.run),
        observations: paired(&old.observations, &new.observations, |o| key(o, same_file), name, same_file),
        problems: paired(&old.problems, &new.problems, problem_key, problem_name, same_file),
        complete,
    }
}

fn facts(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<DiffLine> {
    let mut changes = Vec::new();
    let change = |name: &String, old: Option<&Value>, new: Option<&Value>| DiffLine {
        what: name.clone(),
        field: None,
        old: old.cloned(),
        new: new.cloned(),
    };
    for (name, value) in old.iter().filter(|(name, _)| *name != "adapter_version") {
        let other = new.get(name);
        if other != Some(value) {
            changes.push(change(name, Some(value), other));
        }
    }
    let added = new.iter().filter(|(name, _)| *name != "adapter_version" && !old.contains_key(*name));
    changes.extend(added.map(|(name, value)| change(name, None, Some(value))));
    changes
}

fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn key(o: &Observation, same_file: bool) -> String {
    if same_file && !o.locator.is_empty() {
        return text(&(&o.locator, &o.x));
    }
    text(&(&o.sample, &o.analyte, &o.quantity, &o.injection, &o.x, &o.context))
}

fn name(o: &Observation) -> String {
    let l = &o.locator;
    let line = match (l.line, l.column) {
        (Some(line), Some(column)) => Some(format!("line {line}, column {column}")),
        (Some(line), None) => Some(format!("line {line}")),
        _ => None,
    };
    let cell = l.cell.as_ref().map(|cell| format!("{}!{cell}", l.sheet.as_deref().unwrap_or_default()));
    let parts = [line, cell, l.path.clone(), o.sample.clone(), o.analyte.clone(), Some(o.quantity.clone())];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn problem_key(p: &Problem) -> String {
    text(&(&p.code, &p.message))
}

fn problem_name(p: &Problem) -> String {
    p.code.clone()
}

/// Pairs what has the same key, the n-th with the n-th, in the old order; then what is new.
fn paired<T: Serialize>(
    old: &[T],
    new: &[T],
    key: impl Fn(&T) -> String,
    name: impl Fn(&T) -> String,
    places: bool,
) -> Vec<DiffLine> {
    let mut waiting: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, one) in new.iter().enumerate().rev() {
        waiting.entry(key(one)).or_default().push(index);
    }
    let mut taken = vec![false; new.len()];
    let mut changes = Vec::new();
    let whole = |one: &T| serde_json::to_value(one).unwrap_or_default();
    for one in old {
        let other = waiting.get_mut(&key(one)).and_then(Vec::pop);
        let found = other.and_then(|index| {
            *taken.get_mut(index)? = true;
            new.get(index)
        });
        match found {
            Some(other) => changes.extend(fields(&name(one), &whole(one), &whole(other), places)),
            None => changes.push(DiffLine { what: name(one), field: None, old: Some(whole(one)), new: None }),
        }
    }
    let added = new.iter().zip(taken).filter(|(_, taken)| !taken);
    changes.extend(added.map(|(one, _)| DiffLine { what: name(one), field: None, old: None, new: Some(whole(one)) }));
    changes
}

/// The fields of two objects that differ.
fn fields(what: &str, old: &Value, new: &Value, places: bool) -> Vec<DiffLine> {
    let empty = Map::new();
    let (old, new) = (old.as_object().unwrap_or(&empty), new.as_object().unwrap_or(&empty));
    let mut names: Vec<&String> = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))).collect();
    names.retain(|name| (places || *name != "locator") && old.get(*name) != new.get(*name));
    let change = |name: &String| DiffLine {
        what: what.to_owned(),
        field: Some(name.clone()),
        old: old.get(name).cloned(),
        new: new.get(name).cloned(),
    };
    names.into_iter().map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AdapterSet, Options, embedded};

    fn balance() -> Parsed {
        let name = "SH20260002_LOD.txt";
        let bytes = embedded::sample("sartorius-sbi", name).unwrap();
        AdapterSet::embedded().parse(name, bytes, None, &Options::default()).unwrap()
    }

    #[test]
    fn the_same_is_no_difference() {
        assert!(difference(&balance(), &balance()).is_empty());
    }

    #[test]
    fn each_change_is_named_once() {
        let (old, mut new) = (balance(), balance());
        new.observations[0].value = Some("25.2".into());
        new.observations[1].quantity = "gross_weight".into();
        let lost = new.observations.pop().unwrap();
        new.run.insert("operator".into(), "li".into());
        new.run.insert("adapter_version".into(), "9".into());
        new.complete = None;
        let found = difference(&old, &new);
        assert_eq!(found.len(), 5, "{found:?}");
        let value = &found.observations[0];
        assert_eq!((value.field.as_deref(), value.new.as_ref().unwrap().as_str()), (Some("value"), Some("25.2")));
        assert!(value.what.starts_with("line 8"), "{}", value.what);
        assert_eq!(found.observations[1].field.as_deref(), Some("quantity"));
        let gone = &found.observations[2];
        assert_eq!((gone.field.as_deref(), &gone.new), (None, &None));
        assert_eq!(gone.old.as_ref().unwrap()["raw"], serde_json::json!(lost.raw));
        assert_eq!(found.run[0].what, "operator");
        assert!(found.complete.is_some());
    }

    #[test]
    fn in_two_files_places_do_not_count() {
        let (old, mut new) = (balance(), balance());
        new.file_sha256 = "other".into();
        for observation in &mut new.observations {
            observation.locator.line = observation.locator.line.map(|line| line + 3);
        }
        assert!(difference(&old, &new).is_empty());
        new.observations[0].raw = "1".into();
        assert_eq!(difference(&old, &new).len(), 1);
    }
}
