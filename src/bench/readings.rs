//! Readings: what an analyst, a file or an evaluation says, and the check of it. What was typed is kept; a correction
//! is a new version with its reason.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::refusals::BenchRefusal;
use super::task::TaskFile;
use crate::calculation::inputs::ReadingInput;
use crate::refusal::Refusal;
use crate::regulation::numeric::Measured;
use crate::store::columns::{AccountId, Dec, EvaluationResultId, ObservationId, ReadingId, TestTaskId};
use crate::store::rows::ReadingRow;
use crate::store::schema::reading;
use crate::store::{AnyConnection, Outcome, StoreError};
use crate::text;
use crate::vocabulary::ItemKind;

/// What an analyst enters for one task.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TaskEntry {
    pub readings: Vec<NewReading>,
    /// For a finding: whether it conforms
    pub conforms: Option<bool>,
    /// Reagents, reference standards and equipment, as text
    pub reagents: String,
    pub note: String,
    /// Why readings are changed; needed where one is
    pub reason: Option<String>,
    /// Why values count that lie outside what they can be; needed where one does
    pub despite_range: Option<String>,
}

/// One reading as typed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReading {
    /// The input's name
    pub name: String,
    /// Its number among the readings of that input, from 1
    #[serde(default = "first")]
    pub position: i64,
    /// As typed: `0.1234`, `<0.05`, `未检出`; kept as it is
    pub raw: String,
    /// Where it comes from; nobody can say so from outside
    #[serde(skip)]
    pub source: Source,
}

/// Where a reading comes from.
#[derive(Clone, Debug, Default)]
pub enum Source {
    /// Somebody typed it.
    #[default]
    Typed,
    /// An instrument file says it.
    File(Observed),
    /// An evaluation of a sequence or a plate gave it.
    Evaluation(Evaluated),
}

/// A reading that an evaluation of a sequence or a plate gave.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// The result of the evaluation.
    pub result: EvaluationResultId,
    /// None of a censored result.
    pub value: Option<Decimal>,
    /// Its unit.
    pub unit: String,
}

/// A reading as an instrument wrote it: `raw` need not be in our own notation (`257,10`).
#[derive(Clone, Debug)]
pub struct Observed {
    /// The value's place in a file.
    pub observation: ObservationId,
    /// None of a censored value.
    pub value: Option<Decimal>,
    /// The unit that the file gives, or that the value was converted to.
    pub unit: Option<String>,
    /// How it was converted.
    pub conversion: Option<String>,
}

impl Source {
    fn observation(&self) -> Option<ObservationId> {
        match self {
            Source::File(seen) => Some(seen.observation.clone()),
            Source::Typed | Source::Evaluation(_) => None,
        }
    }

    pub(super) fn evaluation(&self) -> Option<EvaluationResultId> {
        match self {
            Source::Evaluation(found) => Some(found.result.clone()),
            Source::Typed | Source::File(_) => None,
        }
    }

    /// Whether a reading that has the value already would say nothing new with this source: what is typed again adds
    /// nothing, and a place in a file or an evaluation does unless the reading has it.
    fn adds_nothing(&self, old: &ReadingRow) -> bool {
        match self {
            Source::Typed => true,
            Source::File(seen) => old.observation_id.as_ref() == Some(&seen.observation),
            Source::Evaluation(found) => old.evaluation_result_id.as_ref() == Some(&found.result),
        }
    }

    /// Why a reading gets a new version though its value is the same.
    fn confirms(&self) -> &'static str {
        match self {
            Source::Typed => "数值相同",
            Source::File(_) => "仪器文件给出同一数值",
            Source::Evaluation(_) => "评价给出同一数值",
        }
    }

    fn conversion(&self) -> Option<String> {
        match self {
            Source::File(seen) => seen.conversion.clone(),
            Source::Typed | Source::Evaluation(_) => None,
        }
    }

    fn unit(&self) -> Option<String> {
        match self {
            Source::Typed => None,
            Source::File(seen) => seen.unit.clone(),
            Source::Evaluation(found) => Some(found.unit.clone()),
        }
    }
}

fn first() -> i64 {
    1
}

/// The current version of each reading.
///
/// # Errors
/// The store's failure.
pub(crate) fn current(conn: &mut AnyConnection, id: &TestTaskId) -> Outcome<Vec<ReadingRow>> {
    let rows: Vec<ReadingRow> = reading::table
        .filter(reading::test_task_id.eq(id))
        .order((reading::name, reading::position, reading::version))
        .load(conn)?;
    let mut latest: Vec<ReadingRow> = Vec::new();
    for row in rows {
        match latest.last_mut() {
            Some(last) if (&last.name, last.position) == (&row.name, row.position) => *last = row,
            _ => latest.push(row),
        }
    }
    Ok(latest)
}

/// The readings that an item takes, as it says.
///
/// # Errors
/// Where what is stored of the item cannot be read.
pub(super) fn inputs_of(file: &TaskFile) -> Result<Vec<ReadingInput>, StoreError> {
    file.item.inputs.stored("test_item", "inputs", &file.item.id)
}

/// The readings before an entry.
pub(super) struct FormerReadings<'a> {
    /// The current version of each.
    pub current: &'a [ReadingRow],
    /// Those of a rejected import: they are entered anew, with the reason, also where the text is the same.
    pub void: &'a [ReadingId],
}

/// Checks what was entered, and gives the new versions of readings; readings that did not change are left alone.
///
/// # Errors
/// Names the reading and what was expected.
pub(super) fn checked(
    file: &TaskFile,
    inputs: &[ReadingInput],
    before: &FormerReadings<'_>,
    new: &TaskEntry,
    by: &AccountId,
    now: DateTime<Utc>,
) -> Result<Vec<ReadingRow>, Refusal> {
    let reason = new.reason.as_deref().map(|text| text::required("reason", text, text::REMARK)).transpose()?;
    text::optional("reagents", &new.reagents, text::REMARK)?;
    text::optional("note", &new.note, text::REMARK)?;
    let mut rows: Vec<ReadingRow> = Vec::new();
    for (index, typed) in new.readings.iter().enumerate() {
        let at = |field: &str| format!("readings[{index}].{field}");
        let declared = inputs.iter().find(|input| input.name == typed.name).ok_or_else(|| {
            let names = inputs.iter().map(|input| input.name.clone()).collect();
            BenchRefusal::ReadingUnknown { index, names }
        })?;
        if !(1..=500).contains(&typed.position) {
            return Err(BenchRefusal::PositionRange { index }.into());
        }
        if rows.iter().any(|row| (&row.name, row.position) == (&typed.name, typed.position)) {
            return Err(BenchRefusal::ReadingTwice { index }.into());
        }
        let old = before.current.iter().find(|old| (&old.name, old.position) == (&typed.name, typed.position));
        let raw = raw_text(&at("raw"), typed, old)?;
        let value = match &typed.source {
            Source::File(seen) => seen.value,
            Source::Evaluation(found) => found.value,
            Source::Typed if file.item.kind == ItemKind::Text => None,
            Source::Typed => number(&at("raw"), &raw)?,
        };
        let unit = typed.source.unit().unwrap_or_else(|| declared.unit.clone());
        let kept = old.filter(|old| !before.void.contains(&old.id));
        let same = kept.is_some_and(|old| match &typed.source {
            // What a person types is kept as it was typed: `0.10` and `0.1` differ.
            Source::Typed => old.raw == raw,
            Source::File(_) | Source::Evaluation(_) => same_value(old, &raw, value, &unit),
        });
        if same && kept.is_some_and(|old| typed.source.adds_nothing(old)) {
            continue;
        }
        // The same value from a better source changes where it comes from, and says so by itself.
        let why = reason.clone().or_else(|| same.then(|| typed.source.confirms().to_owned()));
        if old.is_some() && why.is_none() {
            return Err(BenchRefusal::ChangeUnreasoned.into());
        }
        rows.push(ReadingRow {
            id: ReadingId::new(),
            test_task_id: file.task.id.clone(),
            name: typed.name.clone(),
            position: typed.position,
            version: old.map_or(1, |old| old.version + 1),
            raw,
            value: value.map(Dec::from),
            unit,
            observation_id: typed.source.observation(),
            reason: old.and(why),
            entered_by: by.clone(),
            entered_at: now.into(),
            evaluation_result_id: typed.source.evaluation(),
            conversion: typed.source.conversion(),
            despite_range: None,
        });
    }
    Ok(rows)
}

/// What a reading says. What an instrument wrote is taken as it is written; nothing is not a value, and it is not the
/// former value either.
fn raw_text(field: &str, typed: &NewReading, old: Option<&ReadingRow>) -> Result<String, Refusal> {
    if typed.raw.trim().is_empty()
        && let Some(old) = old
    {
        return Err(BenchRefusal::ReadingEmptied { field: field.to_owned(), before: old.raw.clone() }.into());
    }
    match typed.source {
        Source::File(_) => text::required_as_filed(field, &typed.raw, text::TEXT),
        Source::Typed | Source::Evaluation(_) => text::required(field, &typed.raw, text::TEXT),
    }
}

/// Whether a reading has the value already: as the number that it is, or as it was written where it is not a number.
fn same_value(old: &ReadingRow, raw: &str, value: Option<Decimal>, unit: &str) -> bool {
    let number = old.value.as_ref().map(Dec::decimal);
    old.unit == unit && number == value && (value.is_some() || old.raw == raw)
}

/// The number that was typed; `None` for a censored value, an error for anything else.
fn number(field: &str, raw: &str) -> Result<Option<Decimal>, BenchRefusal> {
    match Measured::parse(raw) {
        Ok(Measured::Number(number)) => Ok(Some(number)),
        Ok(_) => Ok(None),
        Err(why) => Err(BenchRefusal::NotAResult { field: field.to_owned(), raw: raw.to_owned(), why }),
    }
}
