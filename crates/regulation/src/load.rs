//! Provisions and calendars from TOML: those that ship with the program, and a laboratory's own folder on top.
//!
//! Reading the folder is the only input that the regulation has; everything else here works on text.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde::Deserialize;
use toml::{Table, Value};

use crate::calendar::Calendar;
use crate::conflict;
use crate::error::RegisterError;
use crate::failing::FailingRules;
use crate::practice::Practice;
use crate::provision::{Applies, Provision, Sets};
use crate::ranges::Ranges;
use crate::register::Register;
use vocabulary::words::{ClockUnit, Confidence, DateName, Jurisdiction};

/// The provisions that ship with the program.
const PROVISIONS: &[(&str, &str)] = &[
    ("baseline.toml", include_str!("data/provisions/baseline.toml")),
    ("n24.toml", include_str!("data/provisions/n24.toml")),
    ("notices.toml", include_str!("data/provisions/notices.toml")),
    ("n21.toml", include_str!("data/provisions/n21.toml")),
    ("order33.toml", include_str!("data/provisions/order33.toml")),
    ("order27.toml", include_str!("data/provisions/order27.toml")),
    ("order4.toml", include_str!("data/provisions/order4.toml")),
    ("laws.toml", include_str!("data/provisions/laws.toml")),
    ("sh.toml", include_str!("data/provisions/sh.toml")),
    ("sx.toml", include_str!("data/provisions/sx.toml")),
    ("jl.toml", include_str!("data/provisions/jl.toml")),
];

/// Fields that a file's `[document]` gives to each of its provisions, and their names in a provision.
const INHERITED: &[(&str, &str)] = &[
    ("id", "document"),
    ("title", "document_title"),
    ("number", "document_number"),
    ("issuer", "issuer"),
    ("issued", "issued"),
    ("jurisdiction", "jurisdiction"),
    ("text_note", "text_note"),
    ("source_note", "source_note"),
    ("confidence", "document_confidence"),
    ("effective_note", "effective_note"),
];

/// A file as text, with the name that messages call it by.
#[derive(Clone, Debug)]
pub struct SourceFile {
    pub name: String,
    pub text: String,
}

/// A provision as TOML, before it is checked.
struct Draft {
    file: String,
    table: Table,
}

/// Everything that is loaded: provisions in file order, the calendar, the ranges of results, and what a laboratory decides.
pub(crate) struct Loaded {
    pub register: Register,
    pub calendar: Calendar,
    pub ranges: Ranges,
    pub failing: FailingRules,
    pub practice: Practice,
}

/// The shipped files with others on top.
pub(crate) fn load(extra: &[SourceFile]) -> Result<Loaded, RegisterError> {
    let mut drafts = Drafts::default();
    let mut seen = BTreeSet::new();
    for (name, text) in PROVISIONS {
        drafts.add_file(name, parse(name, text)?, &mut seen)?;
    }
    let mut calendar = Calendar::embedded()?;
    let mut ranges = Ranges::shipped()?;
    let mut failing = FailingRules::shipped()?;
    let mut practice = Practice::shipped()?;
    let mut seen = BTreeSet::new();
    for file in extra {
        let table = parse(&file.name, &file.text)?;
        // A calendar file says which year it is for; nothing else has that key.
        if table.contains_key("year") {
            calendar.add_year(&file.name, table)?;
        } else if table.contains_key("range") {
            ranges.add(&file.name, &file.text)?;
        } else if table.contains_key("failing") {
            failing = FailingRules::read(&file.name, &file.text)?;
        } else if table.contains_key("practice") {
            practice = Practice::read(&file.name, &file.text)?;
        } else {
            drafts.add_file(&file.name, table, &mut seen)?;
        }
    }
    let (provisions, files) = drafts.finish()?;
    conflict::check(&provisions, &files)?;
    Ok(Loaded { register: Register::new(provisions), calendar, ranges, failing, practice })
}

/// The TOML files of a laboratory's folder (in it, and in its `provisions` and `calendar`), by name.
///
/// # Errors
/// The folder is missing, or a file cannot be read.
pub fn read_folder(folder: &Path) -> Result<Vec<SourceFile>, RegisterError> {
    let mut paths = toml_files(folder)?;
    for inner in ["calendar", "provisions"] {
        let inner = folder.join(inner);
        if inner.is_dir() {
            paths.extend(toml_files(&inner)?);
        }
    }
    paths
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).map_err(|source| unreadable(&path, source))?;
            Ok(SourceFile { name: path.display().to_string(), text })
        })
        .collect()
}

fn toml_files(folder: &Path) -> Result<Vec<PathBuf>, RegisterError> {
    let entries = std::fs::read_dir(folder).map_err(|source| unreadable(folder, source))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|source| unreadable(folder, source))?.path();
        if path.is_file() && path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn unreadable(path: &Path, source: std::io::Error) -> RegisterError {
    RegisterError::Read { path: path.display().to_string(), source }
}

pub(crate) fn parse(name: &str, text: &str) -> Result<Table, RegisterError> {
    text.parse::<Table>().map_err(|error| RegisterError::Syntax { file: name.to_owned(), detail: error.to_string() })
}

#[derive(Default)]
struct Drafts {
    order: Vec<String>,
    by_id: BTreeMap<String, Draft>,
}

impl Drafts {
    /// Takes a file's provisions: a new id is a new provision, a known one changes the fields that are given.
    /// `seen` holds the ids of this layer, in which no id may be repeated.
    fn add_file(&mut self, file: &str, mut table: Table, seen: &mut BTreeSet<String>) -> Result<(), RegisterError> {
        let fail = |detail: String| RegisterError::File { file: file.to_owned(), detail };
        let document = match table.remove("document") {
            None => Table::new(),
            Some(Value::Table(document)) => document,
            Some(_) => return Err(fail("`document` is not a table".to_owned())),
        };
        if let Some(key) = document.keys().find(|key| !INHERITED.iter().any(|(known, _)| key == known)) {
            return Err(fail(format!("`document` has an unknown field `{key}`")));
        }
        let provisions = match table.remove("provision") {
            None => Vec::new(),
            Some(Value::Array(provisions)) => provisions,
            Some(_) => {
                return Err(fail("`provision` is not a list of tables ([[provision]])".to_owned()));
            }
        };
        if let Some(key) = table.keys().next() {
            return Err(fail(format!("unknown field `{key}`")));
        }
        for (index, provision) in provisions.into_iter().enumerate() {
            let Value::Table(provision) = provision else {
                return Err(fail(format!("provision number {} is not a table", index + 1)));
            };
            let Some(Value::String(id)) = provision.get("id").cloned() else {
                return Err(fail(format!("provision number {}: missing field `id`", index + 1)));
            };
            if !seen.insert(id.clone()) {
                return Err(fail(format!("provision `{id}` stands twice")));
            }
            self.add(file, id, &document, provision);
        }
        Ok(())
    }

    fn add(&mut self, file: &str, id: String, document: &Table, provision: Table) {
        if let Some(known) = self.by_id.get_mut(&id) {
            known.file = file.to_owned();
            known.table.extend(provision);
            return;
        }
        let mut table = Table::new();
        for (from, to) in INHERITED {
            if let Some(value) = document.get(*from) {
                table.insert((*to).to_owned(), value.clone());
            }
        }
        table.extend(provision);
        self.order.push(id.clone());
        self.by_id.insert(id, Draft { file: file.to_owned(), table });
    }

    fn finish(mut self) -> Result<(Vec<Provision>, Vec<String>), RegisterError> {
        let mut provisions = Vec::with_capacity(self.order.len());
        let mut files = Vec::with_capacity(self.order.len());
        for id in &self.order {
            if let Some(draft) = self.by_id.remove(id) {
                provisions.push(finish_one(&draft.file, id, draft.table)?);
                files.push(draft.file);
            }
        }
        Ok((provisions, files))
    }
}

/// A provision as a file writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    id: String,
    document: String,
    document_confidence: Option<Confidence>,
    document_title: String,
    document_number: Option<String>,
    issuer: Option<String>,
    issued: Option<Value>,
    jurisdiction: Jurisdiction,
    clause: String,
    title_zh: String,
    title_en: String,
    #[serde(default)]
    text: String,
    text_note: Option<String>,
    source_note: Option<String>,
    effective_from: Value,
    effective_to: Option<Value>,
    effective_note: Option<String>,
    #[serde(default = "accepted")]
    selected_by: DateName,
    confidence: Confidence,
    #[serde(default)]
    changeable: bool,
    #[serde(default = "yes")]
    active: bool,
    note_zh: Option<String>,
    note_en: Option<String>,
    shown_by: Option<String>,
    #[serde(default)]
    applies: Applies,
    #[serde(default)]
    sets: Sets,
}

const fn accepted() -> DateName {
    DateName::Accepted
}

const fn yes() -> bool {
    true
}

fn finish_one(file: &str, id: &str, table: Table) -> Result<Provision, RegisterError> {
    let fail = |detail: String| RegisterError::Provision { file: file.to_owned(), id: id.to_owned(), detail };
    let raw: Raw = table.try_into().map_err(|error: toml::de::Error| fail(error.to_string()))?;
    let effective_from = effective_from(&raw).map_err(&fail)?;
    let effective_to = optional_date("effective_to", raw.effective_to.as_ref()).map_err(&fail)?;
    let issued = optional_date("issued", raw.issued.as_ref()).map_err(&fail)?;
    if let (Some(from), Some(to)) = (effective_from, effective_to)
        && to < from
    {
        return Err(fail(format!("field `effective_to`: {to} is before `effective_from` {from}")));
    }
    check_sets(&raw.sets).map_err(&fail)?;
    Ok(Provision {
        id: raw.id,
        document: raw.document,
        document_confidence: raw.document_confidence,
        document_title: raw.document_title,
        document_number: raw.document_number,
        issuer: raw.issuer,
        issued,
        clause: raw.clause,
        title_zh: raw.title_zh,
        title_en: raw.title_en,
        text: raw.text,
        text_note: raw.text_note.filter(|note| !note.is_empty()),
        source_note: raw.source_note.filter(|note| !note.is_empty()),
        jurisdiction: raw.jurisdiction,
        effective_from,
        effective_to,
        effective_note: raw.effective_note,
        selected_by: raw.selected_by,
        confidence: raw.confidence,
        changeable: raw.changeable,
        active: raw.active,
        note_zh: raw.note_zh,
        note_en: raw.note_en,
        shown_by: raw.shown_by,
        applies: raw.applies,
        sets: raw.sets,
    })
}

/// A date, `"always"`, or, in an inactive provision, `"unset"`.
fn effective_from(raw: &Raw) -> Result<Option<NaiveDate>, String> {
    match &raw.effective_from {
        Value::String(word) if word == "always" => Ok(None),
        Value::String(word) if word == "unset" && !raw.active => Ok(None),
        Value::String(word) if word == "unset" => {
            Err("field `effective_from`: an active provision needs its date".to_owned())
        }
        value => date("effective_from", value).map(Some),
    }
}

fn optional_date(field: &str, value: Option<&Value>) -> Result<Option<NaiveDate>, String> {
    value.map(|value| date(field, value)).transpose()
}

/// A TOML date, or the same in quotes.
pub(crate) fn date(field: &str, value: &Value) -> Result<NaiveDate, String> {
    let text = match value {
        Value::Datetime(date) => date.to_string(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    crate::case::parse_date(&text)
        .ok_or_else(|| format!("field `{field}`: `{text}` is not a date (expected YYYY-MM-DD)"))
}

/// Numbers that no rule can mean, and refusals without a word or a reason.
fn check_sets(sets: &Sets) -> Result<(), String> {
    let range = |field: &str, value: Option<u32>, most: u32| match value {
        Some(value) if value == 0 || value > most => {
            Err(format!("field `sets.{field}`: {value} is not between 1 and {most}"))
        }
        _ => Ok(()),
    };
    range("batches", sets.batches, 1000)?;
    range("quantity_multiple", sets.quantity_multiple, 1000)?;
    for clock in &sets.clocks {
        range("clocks.limit", Some(clock.limit), 5000)?;
        if clock.name.counts_back() && clock.unit != ClockUnit::WorkingDay {
            return Err(format!("field `sets.clocks`: `{}` is counted back in working days", clock.name));
        }
        if sets.clocks.iter().filter(|other| other.name == clock.name).count() > 1 {
            return Err(format!("field `sets.clocks`: `{}` stands twice", clock.name));
        }
    }
    let complete = |code: &str, zh: &str, en: &str| !(code.is_empty() || zh.is_empty() || en.is_empty());
    if let Some(permission) = &sets.pre_submission
        && !permission.allow
        && !complete(&permission.code, &permission.zh, &permission.en)
    {
        return Err("field `sets.pre_submission`: a denial needs `code`, `zh` and `en`".to_owned());
    }
    if let Some(refusal) = &sets.refusal
        && !complete(&refusal.code, &refusal.zh, &refusal.en)
    {
        return Err("field `sets.refusal`: needs `code`, `zh` and `en`".to_owned());
    }
    Ok(())
}
