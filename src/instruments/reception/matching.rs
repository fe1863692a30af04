//! Which sample a value belongs to: by sample number, by the label of a container, by its place in a sequence. Where
//! the ways do not agree, or lead to several samples, a person decides. Nothing here creates a sample.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use regex::Regex;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::files::samples_by_number;
use super::places::{self, Places};
use crate::instruments::register::MatchRule;
use crate::refusal::Refusal;
use crate::store::columns::{InstituteId, SampleId};
use crate::store::rows::{InstrumentFileRow, ObservationRow};
use crate::store::schema::{container, sample};
use crate::store::stored::At;
use crate::store::views::context_of;
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::SampleState;
use crate::vocabulary::instruments::{MatchOn, MatchWay};

/// What an adapter may call the place of a sample: a vial, a position, a well, a line of the sequence.
const PLACES: [&str; 10] = [
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
pub(in crate::instruments) struct MatchedFile<'a> {
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
type Found = BTreeMap<SampleId, BTreeSet<MatchWay>>;

/// By which ways the names of a file were matched, for the trail.
pub(super) type Ways = BTreeMap<String, BTreeSet<MatchWay>>;

/// Everything that is needed to match the values of one file.
#[derive(Clone, Default)]
pub(super) struct Finder {
    regex: Option<Regex>,
    rule: MatchRule,
    numbers: BTreeMap<String, SampleId>,
    labels: BTreeMap<String, SampleId>,
    places: Places,
    whole_file: Option<String>,
    run_places: Vec<String>,
}

impl Finder {
    /// Looks up what the names of a file may mean.
    pub fn load(conn: &mut AnyConnection, subject: &MatchedFile<'_>, observations: &[ObservationRow]) -> Outcome<Self> {
        if observations.is_empty() {
            return Ok(Self::default());
        }
        let mut finder = Self::unlooked(subject, observations)?;
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        let texts: BTreeSet<&str> = observations.iter().filter_map(|seen| seen.sample_text.as_deref()).collect();
        for text in texts.into_iter().map(Some).chain([None]) {
            let (words, whole) = finder.said(text);
            wanted.extend(words);
            wanted.extend(whole);
        }
        let wanted: Vec<String> = wanted.into_iter().collect();
        for part in wanted.chunks(400) {
            if finder.rule.counts(MatchWay::Number) {
                finder.numbers.extend(samples_by_number(conn, &subject.file.institute_id, part)?);
            }
            if finder.rule.counts(MatchWay::Label) {
                finder.labels.extend(samples_by_label(conn, &subject.file.institute_id, part)?);
            }
        }
        if finder.rule.counts(MatchWay::RunList) {
            finder.places = places::places(conn, subject.file)?;
        }
        Ok(finder)
    }

    /// The same with what a list says that is entered now, in place of what the earlier lists say.
    #[must_use]
    pub fn with_places(self, places: Places) -> Self {
        let places = if self.rule.counts(MatchWay::RunList) { places } else { Places::default() };
        Self { places, ..self }
    }

    /// What the names of a file may say, before anything is looked up.
    pub fn unlooked(subject: &MatchedFile<'_>, observations: &[ObservationRow]) -> Result<Self, Refusal> {
        let (file, rule) = (subject.file, subject.rule);
        // A pattern was checked when it was entered; one that is broken all the same matches nothing.
        let (regex, broken) = match rule.regex() {
            Ok(regex) => (regex, false),
            Err(_) => (None, true),
        };
        let rule = if broken { MatchRule { by: vec![MatchWay::RunList], ..rule.clone() } } else { rule.clone() };
        let texts: BTreeSet<&str> = observations.iter().filter_map(|seen| seen.sample_text.as_deref()).collect();
        // The name of a file speaks of one sample only where the file has no more than one name in it.
        let whole_file = (rule.on == MatchOn::File && texts.len() <= 1)
            .then(|| regex.as_ref().and_then(|regex| captured(regex, &file.name)))
            .flatten();
        let run: Option<Map<String, Value>> = At::new("instrument_file", "run", file.id.as_str()).read(&file.run)?;
        let run_places = run.filter(|_| texts.len() <= 1).map(|run| places_of_run(&run)).unwrap_or_default();
        Ok(Self {
            regex,
            rule,
            numbers: BTreeMap::new(),
            labels: BTreeMap::new(),
            places: Places::default(),
            whole_file,
            run_places,
        })
    }

    /// The words that may be sample numbers, and the one text that may be a label.
    fn said(&self, text: Option<&str>) -> (BTreeSet<String>, Option<String>) {
        if self.rule.on == MatchOn::File && self.regex.is_some() {
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

    fn find(&self, text: Option<&str>, context: &BTreeMap<String, String>) -> Found {
        let mut found = Found::new();
        let (words, whole) = self.said(text);
        for word in &words {
            if let Some(id) = self.numbers.get(word) {
                found.entry(id.clone()).or_default().insert(MatchWay::Number);
            }
        }
        // A label is compared as a whole: a short one such as `01` is a word of many texts.
        if let Some(id) = whole.as_ref().and_then(|whole| self.labels.get(whole)) {
            found.entry(id.clone()).or_default().insert(MatchWay::Label);
        }
        let told = places_of(context);
        for place in if told.is_empty() { &self.run_places } else { &told } {
            for id in self.places.at(place) {
                found.entry(id.clone()).or_default().insert(MatchWay::RunList);
            }
        }
        found
    }
}

fn captured(regex: &Regex, text: &str) -> Option<String> {
    let found = regex.captures(text)?.name("sample")?.as_str().trim();
    (!found.is_empty()).then(|| found.to_owned())
}

/// The places that a context names.
fn places_of(context: &BTreeMap<String, String>) -> Vec<String> {
    let text = |key: &&str| context.get(*key).map(|text| text.trim()).filter(|text| !text.is_empty());
    PLACES.iter().filter_map(text).map(str::to_owned).collect()
}

/// The places that a run names.
fn places_of_run(run: &Map<String, Value>) -> Vec<String> {
    let text = |key: &&str| match run.get(*key) {
        Some(Value::String(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    PLACES.iter().filter_map(text).collect()
}

/// Gives every observation that has none the one sample that it leads to; tells by which way, for the trail. Pure.
///
/// # Errors
/// Where what is stored of a value cannot be read.
pub(super) fn match_samples(finder: &Finder, observations: &mut [ObservationRow]) -> Result<Ways, Refusal> {
    let mut seen_before: BTreeMap<(Option<String>, String), Found> = BTreeMap::new();
    let mut told = Ways::new();
    for seen in observations.iter_mut().filter(|seen| seen.sample_id.is_none()) {
        let key = (seen.sample_text.clone(), seen.context.as_str().to_owned());
        if !seen_before.contains_key(&key) {
            let found = finder.find(seen.sample_text.as_deref(), &context_of(seen)?);
            seen_before.insert(key.clone(), found);
        }
        let Some(found) = seen_before.get(&key) else { continue };
        if let (1, Some((id, ways))) = (found.len(), found.first_key_value()) {
            seen.sample_id = Some(id.clone());
            told.entry(seen.sample_text.clone().unwrap_or_default()).or_default().extend(ways);
        }
    }
    Ok(told)
}

/// The names in a file with what they lead to.
pub(in crate::instruments) fn names(
    conn: &mut AnyConnection,
    subject: &MatchedFile<'_>,
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
                entry.2.extend(finder.find(text, &context_of(seen)?).into_keys());
            }
            None => {}
        }
    }
    let ids: BTreeSet<&SampleId> =
        of.values().flat_map(|(_, assigned, candidates)| assigned.iter().copied().chain(candidates)).collect();
    let numbers = numbers_of(conn, &ids.into_iter().cloned().collect::<Vec<_>>())?;
    let told = |ids: &mut dyn Iterator<Item = &SampleId>| -> Vec<String> {
        let mut all: Vec<String> = ids.filter_map(|id| numbers.get(id).cloned()).collect();
        all.sort();
        all
    };
    let named = |text: Option<&str>| {
        let (values, assigned, candidates) = of.get(&text)?;
        Some(NameInFile {
            sample_text: text.map(str::to_owned),
            values: *values,
            assigned: told(&mut assigned.iter().copied()),
            candidates: told(&mut candidates.iter()),
        })
    };
    Ok(order.into_iter().filter_map(named).collect())
}

fn numbers_of(conn: &mut AnyConnection, ids: &[SampleId]) -> Outcome<BTreeMap<SampleId, String>> {
    let mut all = BTreeMap::new();
    for part in ids.chunks(400) {
        let part: Vec<(SampleId, String)> =
            sample::table.filter(sample::id.eq_any(part)).select((sample::id, sample::number)).load(conn)?;
        all.extend(part);
    }
    Ok(all)
}

/// The samples of an institute by the labels of their containers.
fn samples_by_label(
    conn: &mut AnyConnection,
    institute: &InstituteId,
    labels: &[String],
) -> Outcome<Vec<(String, SampleId)>> {
    Ok(container::table
        .inner_join(sample::table)
        .filter(sample::institute_id.eq(institute))
        .filter(sample::state.eq(SampleState::Received))
        .filter(container::label_code.eq_any(labels))
        .select((container::label_code, sample::id))
        .load(conn)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instruments::reception::take_in::tests::{row, seen};

    fn finder(rule: &MatchRule, file: &str, values: &[ObservationRow]) -> Finder {
        let file = row(file);
        let mut finder = Finder::unlooked(&MatchedFile { file: &file, rule }, values).expect("readable");
        finder.numbers = [("SX1", "one"), ("SX2", "two")].map(|(number, id)| (number.into(), id.into())).into();
        finder.labels = [("01", "two"), ("SX1-02", "one")].map(|(label, id)| (label.into(), id.into())).into();
        finder
    }

    fn matched(finder: &Finder, mut values: Vec<ObservationRow>) -> Vec<Option<String>> {
        match_samples(finder, &mut values).expect("readable");
        values.into_iter().map(|one| one.sample_id.map(|id| id.to_string())).collect()
    }

    fn only(by: &[MatchWay], pattern: Option<&str>, on: MatchOn) -> MatchRule {
        MatchRule { by: by.to_vec(), pattern: pattern.map(str::to_owned), on }
    }

    #[test]
    fn numbers_are_words_and_labels_are_whole() {
        let values = vec![seen("SX1 prep 1"), seen("01"), seen("vial 01"), seen("Blank"), seen("SX1-02")];
        let finder = finder(&MatchRule::default(), "a.csv", &values);
        let told = matched(&finder, values);
        let told: Vec<Option<&str>> = told.iter().map(Option::as_deref).collect();
        assert_eq!(told, [Some("one"), Some("two"), None, None, Some("one")]);
    }

    #[test]
    fn two_samples_are_for_a_person() {
        let values = vec![seen("SX1 / SX2")];
        let finder = finder(&MatchRule::default(), "a.csv", &values);
        assert_eq!(finder.find(Some("SX1 / SX2"), &BTreeMap::new()).len(), 2);
        assert_eq!(matched(&finder, values), [None]);
    }

    #[test]
    fn what_does_not_fit_the_pattern_names_no_sample() {
        let values = vec![seen("SX1_a"), seen("old SX2")];
        let rule = only(&[MatchWay::Number], Some(r"^(?P<sample>SX\d+)_"), MatchOn::Sample);
        let finder = finder(&rule, "a.csv", &values);
        assert_eq!(matched(&finder, values), [Some("one".to_owned()), None]);
    }

    #[test]
    fn the_name_of_a_file_speaks_of_one_sample_only() {
        let rule = only(&[MatchWay::Number], Some(r"^(?P<sample>SX\d+)_"), MatchOn::File);
        let one = vec![seen("cuvette"), seen("cuvette")];
        let both = vec![seen("cuvette"), seen("Blank")];
        assert_eq!(matched(&finder(&rule, "SX2_1.csv", &one), one), [Some("two".to_owned()), Some("two".to_owned())]);
        assert_eq!(matched(&finder(&rule, "SX2_1.csv", &both), both), [None, None]);
    }

    #[test]
    fn a_place_leads_to_its_sample_where_lists_count() {
        let mut value = seen("");
        value.sample_text = None;
        value.context = crate::store::columns::Json::of(&serde_json::json!({"well": "A1"}));
        let mut places = Places::default();
        places.add("a1", "one".into());
        let values = vec![value];
        let listed = finder(&MatchRule::default(), "p.txt", &values).with_places(places.clone());
        assert_eq!(matched(&listed, values.clone()), [Some("one".to_owned())]);
        let unlisted = finder(&only(&[MatchWay::Number], None, MatchOn::Sample), "p.txt", &values).with_places(places);
        assert_eq!(matched(&unlisted, values), [None]);
    }

    #[test]
    fn what_has_a_sample_keeps_it() {
        let mut value = seen("SX1");
        value.sample_id = Some("two".into());
        let values = vec![value];
        let finder = finder(&MatchRule::default(), "a.csv", &values);
        assert_eq!(matched(&finder, values), [Some("two".to_owned())]);
    }
}
