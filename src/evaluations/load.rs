//! What an evaluation works with, from the database.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use diesel::prelude::*;

use super::refusals::EvaluationRefusal;
use crate::action::Services;
use crate::calculation::setup::{Setup, StandardFacts};
use crate::calculation::{CURVE, Seen};
use crate::instruments::{self, FileInjection};
use crate::refusal::Refusal;
use crate::store::columns::{Dec, InstituteId, InstrumentFileId};
use crate::store::rows::{InstrumentFileRow, ObservationRow, ReferenceStandardRow};
use crate::store::schema::reference_standard;
use crate::store::stored::At;
use crate::store::{AnyConnection, Outcome};
use crate::text;
use crate::vocabulary::instruments::ObservationStatus;

/// The most files of one evaluation.
const FILES: usize = 200;

/// Files in the order in which they were taken in, and their observations.
pub(super) struct LoadedFiles {
    pub files: Vec<InstrumentFileRow>,
    pub seen: Vec<Seen>,
}

/// The injections that files have, by file; read before a transaction begins, which waits for no file.
pub(super) type InFiles = BTreeMap<String, Vec<FileInjection>>;

/// Reads which injections the files of an evaluation have.
///
/// # Errors
/// Where a file may not be evaluated.
pub(super) fn in_files(services: &Services, institute: &InstituteId, ids: &[InstrumentFileId]) -> Outcome<InFiles> {
    let rows = services.db.read(|conn| {
        let each = ids.iter().take(FILES);
        each.map(|id| Ok(instruments::evaluable(conn, institute, id)?.0)).collect()
    });
    let rows: Vec<InstrumentFileRow> = rows?;
    rows.iter().map(|row| Ok((row.id.to_string(), instruments::injections_of(services, row)?))).collect()
}

/// Loads the files of an evaluation.
///
/// # Errors
/// Where one may not be evaluated.
pub(super) fn files(
    conn: &mut AnyConnection,
    institute: &InstituteId,
    ids: &[InstrumentFileId],
    in_files: &InFiles,
) -> Outcome<LoadedFiles> {
    if ids.is_empty() || ids.len() > FILES {
        return Err(EvaluationRefusal::FileCount.into());
    }
    let mut pairs: Vec<(InstrumentFileRow, Vec<ObservationRow>)> = Vec::with_capacity(ids.len());
    for (index, id) in ids.iter().enumerate() {
        if pairs.iter().any(|(known, _)| known.id == *id) {
            return Err(EvaluationRefusal::FileTwice { index }.into());
        }
        pairs.push(instruments::evaluable(conn, institute, id)?);
    }
    pairs.sort_by(|(a, _), (b, _)| (&a.uploaded_at, &a.id).cmp(&(&b.uploaded_at, &b.id)));
    let mut loaded = LoadedFiles { files: Vec::new(), seen: Vec::new() };
    for (order, (file, rows)) in pairs.into_iter().enumerate() {
        if let Some(open) = rows.iter().find(|row| row.counted().0 == ObservationStatus::Ambiguous) {
            return Err(Refusal::field(
                "file_ids",
                format!("文件“{}”中的“{}”有两种读法，须先由人员认定", file.name, open.raw),
                format!("{} in {} can be read in two ways: a person chooses one first", open.raw, file.name),
            )
            .into());
        }
        let values: Vec<Seen> = rows.into_iter().map(|row| seen(order, row)).collect::<Result<_, _>>()?;
        let known: BTreeSet<Key> = values.iter().map(key).collect();
        for injection in in_files.get(file.id.as_str()).into_iter().flatten() {
            let one = silent(order, &file, injection);
            if !known.contains(&key(&one)) {
                loaded.seen.push(one);
            }
        }
        loaded.seen.extend(values);
        loaded.files.push(file);
    }
    Ok(loaded)
}

type Key<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);

fn key(seen: &Seen) -> Key<'_> {
    (seen.sample_text.as_deref(), seen.injection.as_deref(), seen.acquired_at.as_deref())
}

/// An injection of which the record has no value, so that it is seen that it was made.
fn silent(order: usize, file: &InstrumentFileRow, injection: &FileInjection) -> Seen {
    Seen {
        id: String::new(),
        file: file.id.to_string(),
        file_order: order,
        sample_text: injection.sample_text.clone(),
        analyte: None,
        quantity: CURVE.to_owned(),
        raw: String::new(),
        value: None,
        unit: None,
        status: "curve".to_owned(),
        flags: Vec::new(),
        injection: injection.injection.clone(),
        acquired_at: injection.acquired_at.clone(),
        context: injection.context.clone(),
        sample_id: None,
    }
}

/// An observation for the calculation: one whose number or marks cannot be read is an error, not a value without them.
fn seen(order: usize, row: ObservationRow) -> Result<Seen, Refusal> {
    let at = |column| At::new("observation", column, row.id.as_str());
    let (status, number) = row.counted();
    let value = number.map(|text| text.parse().map_err(|error| at("value").unreadable(error)));
    Ok(Seen {
        id: row.id.to_string(),
        file: row.instrument_file_id.to_string(),
        file_order: order,
        value: value.transpose()?,
        flags: at("flags").read(&row.flags)?,
        context: at("context").read(&row.context)?,
        sample_id: row.sample_id.map(|id| id.to_string()),
        sample_text: row.sample_text,
        analyte: row.analyte,
        quantity: row.quantity,
        raw: row.raw,
        unit: row.unit,
        status: status.as_str().to_owned(),
        injection: row.injection,
        acquired_at: row.acquired_at,
    })
}

/// The lots of reference standards that a setup names. A withdrawn or expired lot is refused: expired is one whose
/// last day lies before the run, or before today where the files say no date that can be read.
///
/// # Errors
/// Names the lot.
pub(super) fn standards(
    conn: &mut AnyConnection,
    institute: &InstituteId,
    setup: &Setup,
    seen: &[Seen],
    today: NaiveDate,
) -> Outcome<Vec<StandardFacts>> {
    let mut named: Vec<(String, &str)> = Vec::new();
    for (index, preparation) in setup.preparations.iter().enumerate() {
        named.push((format!("setup.preparations[{index}].standard_id"), preparation.standard_id.as_str()));
    }
    if let Some(plate) = &setup.plate {
        named.push(("setup.plate.standard_id".to_owned(), plate.standard_id.as_str()));
    }
    let day = run_day(seen).map_or(today, |day| day.min(today));
    let mut facts: Vec<StandardFacts> = Vec::new();
    for (field, id) in named.into_iter().filter(|(_, id)| !id.is_empty()) {
        if facts.iter().any(|known| known.id == id) {
            continue;
        }
        let found: Option<ReferenceStandardRow> = reference_standard::table
            .find(id)
            .filter(reference_standard::institute_id.eq(institute))
            .select(ReferenceStandardRow::as_select())
            .first(conn)
            .optional()?;
        let usable = found.ok_or_else(|| EvaluationRefusal::NoStandard(id.into()));
        let usable = usable.and_then(|row| check(&row, day).map(|()| row));
        let row = usable.map_err(|why| Refusal::from(why).at(&field))?;
        facts.push(StandardFacts {
            id: row.id.to_string(),
            name: row.name,
            batch: row.batch,
            purity: row.purity.to_string(),
            basis: row.basis.to_string(),
            water: row.water.as_ref().map(Dec::to_string).unwrap_or_default(),
        });
    }
    Ok(facts)
}

fn check(row: &ReferenceStandardRow, day: NaiveDate) -> Result<(), EvaluationRefusal> {
    let (name, batch) = (row.name.clone(), row.batch.clone());
    if row.withdrawn_by.is_some() {
        return Err(EvaluationRefusal::StandardWithdrawn { name, batch });
    }
    if row.expires_on.date() < day {
        let expired = row.expires_on.clone();
        return Err(EvaluationRefusal::StandardExpired { name, batch, expired, run: day });
    }
    Ok(())
}

/// The day of the run, where its times begin with a date that can be read in one way.
fn run_day(seen: &[Seen]) -> Option<NaiveDate> {
    let days = seen.iter().filter_map(|one| one.acquired_at.as_deref()?.get(..10)?.parse::<NaiveDate>().ok());
    days.max()
}

/// Checks the texts of a setup: bounded, without control characters.
///
/// # Errors
/// Names the field.
pub(super) fn check_setup(setup: &Setup) -> Result<(), Refusal> {
    let many = |field: &'static str, found: usize, most: usize| {
        if found <= most {
            return Ok(());
        }
        Err(EvaluationRefusal::TooMany { field, most })
    };
    many("injections", setup.injections.len(), 2000)?;
    many("preparations", setup.preparations.len(), 500)?;
    let unreadable = |error: serde_json::Error| EvaluationRefusal::SetupUnreadable(error.to_string());
    let tree = serde_json::to_value(setup).map_err(unreadable)?;
    texts("setup", &tree)?;
    let wells = setup.plate.iter().flat_map(|plate| &plate.wells).map(|set| set.wells.len()).sum();
    Ok(many("plate.wells", wells, 1536)?)
}

fn texts(path: &str, tree: &serde_json::Value) -> Result<(), Refusal> {
    match tree {
        serde_json::Value::String(text) => text::as_filed(path, text, text::REMARK).map(|_| ()),
        serde_json::Value::Array(list) => {
            list.iter().enumerate().try_for_each(|(index, one)| texts(&format!("{path}[{index}]"), one))
        }
        serde_json::Value::Object(map) => map.iter().try_for_each(|(key, one)| texts(&format!("{path}.{key}"), one)),
        _ => Ok(()),
    }
}
