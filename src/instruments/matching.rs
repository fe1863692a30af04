//! Which sample a value belongs to: by sample number, by the label of a container, by its place in a sequence. Where
//! the ways do not agree, or lead to several samples, a person decides. Nothing here creates a sample.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use regex::Regex;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::pattern::MatchRule;
use super::run_lists::{self, Places};
use crate::store::columns::{InstituteId, SampleId};
use crate::store::rows::{InstrumentFileRow, ObservationRow};
use crate::store::schema::{application, container, sample};
use crate::store::{AnyConnection, Outcome};

/// What an adapter may call the place of a sample: a vial, a position, a well, a line of the sequence.
pub(super) const PLACES: [&str; 10] = [
    "vial",
    "vial_position",
    "location",
    "position",
    "sample_position",
    "injection_position",
    "location_identifier",
    "well",
    "sequence_line",
    "line",
];

/// A file whose values look for their samples.
pub(super) struct Subject<'a> {
    pub file: &'a InstrumentFileRow,
    pub rule: &'a MatchRule,
}

/// A name in a file, and what it leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NameInFile {
    /// As the file has it; `None` for values without a name
    pub sample_text: Option<String>,
    pub values: usize,
    /// The samples that its values have, by number
    pub assigned: Vec<String>,
    /// The samples that it may stand for, where it has none: a person decides
    pub candidates: Vec<String>,
}

/// What was found for one name and place: sample to the ways that led there.
type Found = BTreeMap<SampleId, BTreeSet<&'static str>>;

/// Everything that is needed to match the values of one file.
struct Finder {
    regex: Option<Regex>,
    rule: MatchRule,
    numbers: BTreeMap<String, SampleId>,
    labels: BTreeMap<String, SampleId>,
    places: Places,
    whole_file: Option<String>,
    run_places: Vec<String>,
}

impl Finder {
    fn load(conn: &mut AnyConnection, subject: &Subject<'_>, observations: &[ObservationRow]) -> Outcome<Self> {
        let (file, rule) = (subject.file, subject.rule);
        // A pattern was checked when it was entered; one that is broken all the same matches nothing.
        let (regex, broken) = match rule.regex() {
            Ok(regex) => (regex, false),
            Err(_) => (None, true),
        };
        let rule = if broken { MatchRule { by: vec!["run_list".into()], ..rule.clone() } } else { rule.clone() };
        let texts: BTreeSet<&str> = observations.iter().filter_map(|seen| seen.sample_text.as_deref()).collect();
        // The name of a file speaks of one sample only where the file has no more than one name in it.
        let whole_file = (rule.on == "file" && texts.len() <= 1)
            .then(|| regex.as_ref().and_then(|regex| captured(regex, &file.name)))
            .flatten();
        let run = file.run.tree();
        let run_places = if texts.len() <= 1 { places_of(&run) } else { Vec::new() };
        let mut finder = Self {
            regex,
            rule,
            numbers: BTreeMap::new(),
            labels: BTreeMap::new(),
            places: Places::default(),
            whole_file,
            run_places,
        };
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        for text in texts.iter().copied().map(Some).chain([None]) {
            let (words, whole) = finder.said(text);
            wanted.extend(words);
            wanted.extend(whole);
        }
        let wanted: Vec<String> = wanted.into_iter().collect();
        for part in wanted.chunks(400) {
            if finder.rule.counts("number") {
                finder.numbers.extend(super::inbox::samples_by_number(conn, &file.institute_id, part)?);
            }
            if finder.rule.counts("label") {
                finder.labels.extend(samples_by_label(conn, &file.institute_id, part)?);
            }
        }
        if finder.rule.counts("run_list") {
            finder.places = run_lists::places(conn, file)?;
        }
        Ok(finder)
    }

    /// The words that may be sample numbers, and the one text that may be a label.
    fn said(&self, text: Option<&str>) -> (BTreeSet<String>, Option<String>) {
        if self.rule.on == "file" && self.regex.is_some() {
            return (self.whole_file.clone().into_iter().collect(), self.whole_file.clone());
        }
        let Some(text) = text else { return (BTreeSet::new(), None) };
        if let Some(regex) = &self.regex {
            let found = captured(regex, text);
            return (found.clone().into_iter().collect(), found);
        }
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let whole = text.trim().to_owned();
        (words.map(str::to_owned).chain([whole.clone()]).collect(), Some(whole))
    }

    fn find(&self, text: Option<&str>, context: &Value) -> Found {
        let mut found = Found::new();
        let (words, whole) = self.said(text);
        for word in &words {
            if let Some(id) = self.numbers.get(word) {
                found.entry(id.clone()).or_default().insert("number");
            }
        }
        // A label is compared as a whole: a short one such as `01` is a word of many texts.
        if let Some(id) = whole.as_ref().and_then(|whole| self.labels.get(whole)) {
            found.entry(id.clone()).or_default().insert("label");
        }
        let told = places_of(context);
        for place in if told.is_empty() { &self.run_places } else { &told } {
            for id in self.places.at(place) {
                found.entry(id.clone()).or_default().insert("run_list");
            }
        }
        found
    }
}

fn captured(regex: &Regex, text: &str) -> Option<String> {
    let found = regex.captures(text)?.name("sample")?.as_str().trim();
    (!found.is_empty()).then(|| found.to_owned())
}

/// The places that a context or a run names.
fn places_of(told: &Value) -> Vec<String> {
    let text = |key: &&str| match told.get(*key) {
        Some(Value::String(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    PLACES.iter().filter_map(text).collect()
}

/// Gives every observation that has none the one sample that it leads to; tells by which way, for the trail.
pub(super) fn match_samples(
    conn: &mut AnyConnection,
    subject: &Subject<'_>,
    observations: &mut [ObservationRow],
) -> Outcome<Value> {
    if observations.is_empty() {
        return Ok(json!({}));
    }
    let finder = Finder::load(conn, subject, observations)?;
    let mut seen_before: BTreeMap<(Option<String>, String), Found> = BTreeMap::new();
    let mut told: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    for seen in observations.iter_mut().filter(|seen| seen.sample_id.is_none()) {
        let key = (seen.sample_text.clone(), seen.context.as_str().to_owned());
        let found =
            seen_before.entry(key).or_insert_with(|| finder.find(seen.sample_text.as_deref(), &seen.context.tree()));
        if let (1, Some((id, ways))) = (found.len(), found.first_key_value()) {
            seen.sample_id = Some(id.clone());
            told.entry(seen.sample_text.clone().unwrap_or_default()).or_default().extend(ways);
        }
    }
    Ok(json!(told))
}

/// The names in a file with what they lead to.
pub(super) fn names(
    conn: &mut AnyConnection,
    subject: &Subject<'_>,
    observations: &[ObservationRow],
) -> Outcome<Vec<NameInFile>> {
    let finder = Finder::load(conn, subject, observations)?;
    let mut order: Vec<Option<&str>> = Vec::new();
    let mut of: BTreeMap<Option<&str>, (usize, BTreeSet<&SampleId>, BTreeSet<SampleId>)> = BTreeMap::new();
    let mut tried: BTreeSet<(Option<&str>, &str)> = BTreeSet::new();
    for seen in observations {
        let text = seen.sample_text.as_deref();
        let entry = of.entry(text).or_insert_with(|| {
            order.push(text);
            (0, BTreeSet::new(), BTreeSet::new())
        });
        entry.0 += 1;
        match &seen.sample_id {
            Some(id) => {
                entry.1.insert(id);
            }
            None if tried.insert((text, seen.context.as_str())) => {
                entry.2.extend(finder.find(text, &seen.context.tree()).into_keys());
            }
            None => {}
        }
    }
    let mut all = Vec::with_capacity(order.len());
    for text in order {
        let Some((values, assigned, candidates)) = of.get(&text) else { continue };
        let assigned: Vec<SampleId> = assigned.iter().map(|id| (*id).clone()).collect();
        let candidates: Vec<SampleId> = candidates.iter().cloned().collect();
        all.push(NameInFile {
            sample_text: text.map(str::to_owned),
            values: *values,
            assigned: numbers_of(conn, &assigned)?,
            candidates: numbers_of(conn, &candidates)?,
        });
    }
    Ok(all)
}

fn numbers_of(conn: &mut AnyConnection, ids: &[SampleId]) -> Outcome<Vec<String>> {
    let mut all = Vec::with_capacity(ids.len());
    for part in ids.chunks(400) {
        let part: Vec<String> = sample::table.filter(sample::id.eq_any(part)).select(sample::number).load(conn)?;
        all.extend(part);
    }
    all.sort();
    Ok(all)
}

/// The samples of an institute by the labels of their containers.
fn samples_by_label(
    conn: &mut AnyConnection,
    institute: &InstituteId,
    labels: &[String],
) -> Outcome<Vec<(String, SampleId)>> {
    Ok(container::table
        .inner_join(sample::table.inner_join(application::table))
        .filter(application::institute_id.eq(institute))
        .filter(sample::state.eq(crate::vocabulary::SampleState::Received))
        .filter(container::label_code.eq_any(labels))
        .select((container::label_code, sample::id))
        .load(conn)?)
}
