//! Rows that say something of the run, the plate or the values: by their form, or as key and value.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Course, Layout, SheetCellKind, SheetPart, SheetRow};
use crate::model::{Locator, Observation};
use crate::sink::{Sink, slug};
use crate::spec::Pattern;
use crate::tabular::{self, Base};

/// What a fact bears on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    /// The run as a whole.
    #[default]
    Run,
    /// The values that follow, up to the next such row.
    Following,
    /// All values of the sheet, those above too. Of several such rows, each bears on a column of values.
    Sheet,
}

/// A row known by its form. The captures `sample`, `injection`, `acquired_at`, `date`, `time`, `unit` and
/// `quantity` have their meaning; any other goes to `run`, or into the `context` of the values.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fact {
    row: Pattern,
    #[serde(default)]
    scope: Scope,
    /// What the rows below must look like, for rows that only their place tells apart.
    #[serde(default)]
    next: Vec<Pattern>,
    /// Captures that must agree with the `context` of a value for the fact to bear on it; one that the row
    /// does not have is that of an earlier row.
    #[serde(default)]
    only: Vec<String>,
    /// Here starts another plate or run: what was said for the values so far holds no longer.
    #[serde(default)]
    resets: bool,
}

/// The quantity of values of which only the file knows what they are.
const OPEN: &str = "signal";

/// What was said and waits for the end of the sheet.
#[derive(Debug, Default)]
pub(super) struct State {
    date: Option<String>,
    time: Option<String>,
    whole: Vec<Said>,
    /// The last text of every capture.
    recent: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Said {
    line: u32,
    /// Which fact of the adapter.
    fact: usize,
    named: Vec<(String, String)>,
    only: Vec<(String, String)>,
}

/// Takes a row that one of the adapter's facts describes.
pub(super) fn take(sink: &mut Sink, layout: &Layout, part: &SheetPart, course: &mut Course, rest: &[SheetRow]) -> bool {
    let Some((row, below)) = rest.split_first() else { return false };
    let placed =
        |f: &Fact| (0..).zip(&f.next).all(|(i, p)| below.get(i).is_some_and(|r: &SheetRow| p.is_match(&r.text)));
    let found = layout.facts.iter().enumerate().find_map(|(index, f)| {
        let captures = f.row.0.captures(&row.text)?;
        placed(f).then_some((index, f, captures))
    });
    let Some((index, fact, captures)) = found else { return false };
    let named: Vec<(String, String)> = fact
        .row
        .0
        .capture_names()
        .flatten()
        .filter_map(|name| Some((name.to_owned(), captures.name(name)?.as_str().trim().to_owned())))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    let at = Locator::line(row.line);
    if fact.resets {
        course.base = Base::default();
        (course.facts.date, course.facts.time) = (None, None);
    }
    course.facts.recent.extend(named.iter().cloned());
    for (name, text) in &named {
        match name.as_str() {
            "sample" => course.base.sample = Some(text.clone()),
            "injection" => course.base.injection = Some(text.clone()),
            "acquired_at" => course.base.acquired_at = sink.date(text, at.clone()),
            "date" => course.facts.date = Some(text.clone()),
            "time" => course.facts.time = Some(text.clone()),
            _ if fact.scope == Scope::Run => sink.run_fact(name, text.as_str()),
            "unit" | "quantity" => {}
            _ if fact.scope == Scope::Following => {
                course.base.context.insert(name.clone(), text.clone());
            }
            _ => {}
        }
    }
    if named.iter().any(|(name, _)| name == "date" || name == "time")
        && let (Some(date), Some(time)) = (&course.facts.date, &course.facts.time)
    {
        course.base.acquired_at = sink.date(&format!("{date} {time}"), at);
    }
    sink.note(row.line, format!("{}: fact", if fact.scope == Scope::Run { "run" } else { part.name.as_str() }));
    if fact.scope == Scope::Sheet {
        let recent = &course.facts.recent;
        let only = fact.only.iter().filter_map(|n| Some((n.clone(), recent.get(n)?.clone()))).collect();
        let named = named.into_iter().filter(|(name, _)| !fact.only.contains(name)).collect();
        course.facts.whole.push(Said { line: row.line, fact: index, named, only });
    }
    true
}

/// Gives the values of a sheet what was said of all of them, above or below.
pub(super) fn complete(sink: &mut Sink, from: usize, state: &State, base: &Base) {
    // Where an adapter leaves it open what is measured, it is those values that the file speaks of.
    // The points of a curve stay signals.
    let open = |o: &Observation| o.quantity == OPEN && o.x.is_none();
    let any_open = sink.observations.iter().skip(from).any(open);
    let meant = |o: &Observation| !any_open || open(o);
    let mut columns: Vec<u32> = Vec::new();
    for observation in sink.observations.iter().skip(from).filter(|o| meant(o)) {
        let column = observation.locator.column.unwrap_or(0);
        if !columns.contains(&column) {
            columns.push(column);
        }
        if columns.len() > 100 {
            break;
        }
    }
    columns.sort_unstable();
    let facts: BTreeSet<usize> = state.whole.iter().map(|s| s.fact).collect();
    for fact in facts {
        let said: Vec<&Said> = state.whole.iter().filter(|s| s.fact == fact).collect();
        let same = said.iter().all(|s| said.first().is_some_and(|f| f.named == s.named && f.only.is_empty()));
        let free: Vec<&&Said> = said.iter().filter(|s| s.only.is_empty()).collect();
        if !same && !free.is_empty() && free.len() != columns.len() {
            let line = free.first().map_or(0, |s| s.line);
            let message = "said several times, and there are not as many columns of values; not given to any";
            sink.warn("fact_unassigned", message, Locator::line(line));
            continue;
        }
        for (index, said) in said.iter().enumerate() {
            // One of several for a column each.
            let column = if same || !said.only.is_empty() { None } else { columns.get(index) };
            for observation in sink.observations.iter_mut().skip(from) {
                let at = observation.locator.column.unwrap_or(0);
                let elsewhere = column.map_or_else(|| !columns.contains(&at), |c| at != *c);
                let other = said.only.iter().any(|(name, text)| observation.context.get(name) != Some(text));
                if elsewhere || other {
                    continue;
                }
                for (name, text) in &said.named {
                    match name.as_str() {
                        "unit" if observation.unit.is_none() => {
                            (observation.unit, observation.unit_raw) = tabular::unit_of(sink.spec, text);
                        }
                        "quantity" if open(observation) => observation.quantity = slug(text),
                        "unit" | "quantity" | "sample" | "injection" | "acquired_at" | "date" | "time" => {}
                        _ => {
                            observation.context.entry(name.clone()).or_insert_with(|| text.clone());
                        }
                    }
                }
            }
        }
    }
    for observation in sink.observations.iter_mut().skip(from) {
        if observation.acquired_at.is_none() {
            observation.acquired_at.clone_from(&base.acquired_at);
        }
        if observation.sample.is_none() && !observation.context.contains_key("well") {
            observation.sample.clone_from(&base.sample);
        }
    }
}

/// `key: value` in one cell, key and value in two, or as the adapter says.
pub(super) fn key_and_value(sink: &mut Sink, layout: &Layout, course: &mut Course, row: &SheetRow) -> bool {
    let declared = layout.keys.iter().find_map(|p| {
        Some((p.capture(&row.text, "key")?.to_owned(), p.capture(&row.text, "value").unwrap_or_default().to_owned()))
    });
    let own: Vec<_> = row.own().collect();
    let found = declared.or_else(|| match own.as_slice() {
        // A path of Windows has its colon too.
        [one] => {
            let (key, value) = one.raw.split_once(':')?;
            let sound = key.trim().chars().count() > 1 && !value.starts_with(['\\', '/']);
            sound.then(|| (key.trim().to_owned(), value.trim().to_owned()))
        }
        [key, value] if key.kind == SheetCellKind::Text => {
            Some((key.raw.trim_end_matches(':').trim().to_owned(), value.raw.clone()))
        }
        _ => None,
    });
    let Some((key, value)) = found else {
        // Below other keys, a lone text is a key without a value.
        let lone = matches!(own.as_slice(), [one] if Some(one.place) == course.key && !row.after_blank);
        if lone {
            sink.note(row.line, "run: without a value");
        }
        return lone;
    };
    course.key = own.first().map(|c| c.place);
    let run = &sink.spec.run;
    let holds = |keys: &[String]| keys.iter().any(|k| k.eq_ignore_ascii_case(&key));
    let full = (!value.is_empty()).then(|| value.clone());
    if holds(&run.sample) {
        course.base.sample = full;
    } else if holds(&run.injection) {
        course.base.injection = full;
    } else if holds(&run.acquired_at) {
        course.base.acquired_at = sink.date(&value, Locator::line(row.line));
    }
    sink.note(row.line, format!("run: {key}"));
    sink.run_fact(&key, value);
    true
}
