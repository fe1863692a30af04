//! Sequence lists (进样序列): which sample stands at which position or in which vial. A person enters one for a file,
//! or before it for the files of an instrument whose name fits a pattern.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::inbox::{FileView, file_of, institute_of, samples_by_number, view_in};
use super::intake;
use super::pattern::file_globs;
use super::register::{active, row_of};
use crate::action::Services;
use crate::insert_all;
use crate::record::{self, Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::store::columns::{Instant, InstituteId, InstrumentFileId, InstrumentId, RunListId, SampleId};
use crate::store::rows::{InstrumentFileRow, InstrumentRow, ObservationRow, RunListLineRow, RunListRow};
use crate::store::schema::{instrument, observation, run_list, run_list_row, sample};
use crate::store::{AnyConnection, Outcome};
use crate::text;

/// One line of a list.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The position or vial as the instrument writes it, e.g. `12`, `1:A,3`
    pub place: String,
    /// A sample that exists
    pub sample_number: String,
}

/// A sequence list as it is entered.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewRunList {
    pub rows: Vec<Place>,
    /// For a list that is entered before its file: the file's name, or a pattern such as `20260302_*.txt`
    pub file_pattern: Option<String>,
}

impl NewRunList {
    /// Reads lines `place, number` as they are typed or pasted from a sheet.
    ///
    /// # Errors
    /// Names the line.
    pub fn of_text(text: &str) -> Result<Vec<Place>, Refusal> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines
            .enumerate()
            .map(|(index, line)| {
                let parts = line.rsplit_once(['\t', ';', '；', '，', ' ']).or_else(|| line.rsplit_once(','));
                let (place, number) = parts.ok_or_else(|| {
                    Refusal::field(
                        format!("rows[{index}]"),
                        format!("“{line}”应为：位置 样品编号"),
                        format!("{line:?}: expected a place and a sample number"),
                    )
                })?;
                let place = place.trim().trim_end_matches([',', ';']).trim().to_owned();
                Ok(Place { place, sample_number: number.trim().to_owned() })
            })
            .collect()
    }
}

/// A list with its lines.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RunListView {
    #[serde(flatten)]
    pub list: RunListRow,
    pub rows: Vec<Place>,
}

/// What stands where.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(BTreeMap<String, Vec<SampleId>>);

impl Places {
    /// The samples at a place; more than one where lists disagree.
    pub fn at(&self, place: &str) -> &[SampleId] {
        self.0.get(&plain(place)).map_or(&[], Vec::as_slice)
    }
}

/// Two ways to write one place: `Vial 12`, `12`.
fn plain(place: &str) -> String {
    let lower = place.trim().to_lowercase();
    let rest = lower.strip_prefix("vial").unwrap_or(&lower).trim_start();
    rest.to_owned()
}

/// The places that lists name for a file: its own list; without one, those of its instrument whose pattern its name
/// fits.
pub(super) fn places(conn: &mut AnyConnection, file: &InstrumentFileRow) -> Outcome<Places> {
    let mut ids = ids_of_file(conn, &file.id)?;
    if ids.is_empty()
        && let Some(instrument) = &file.instrument_id
    {
        let all: Vec<(RunListId, Option<String>)> = run_list::table
            .filter(run_list::instrument_id.eq(instrument))
            .filter(run_list::withdrawn_at.is_null())
            .order(run_list::created_at.desc())
            .limit(500)
            .select((run_list::id, run_list::file_pattern))
            .load(conn)?;
        let path = file.path.as_deref().unwrap_or(&file.name);
        let fits = |pattern: &Option<String>| {
            pattern.as_deref().and_then(|text| file_globs(text).ok().flatten()).is_some_and(|globs| globs.fit(path))
        };
        ids = all.into_iter().filter(|(_, pattern)| fits(pattern)).map(|(id, _)| id).collect();
    }
    let mut found = Places::default();
    for id in ids {
        let rows: Vec<RunListLineRow> = run_list_row::table.filter(run_list_row::run_list_id.eq(&id)).load(conn)?;
        for row in rows {
            let at = found.0.entry(plain(&row.place)).or_default();
            if !at.contains(&row.sample_id) {
                at.push(row.sample_id);
            }
        }
    }
    Ok(found)
}

fn ids_of_file(conn: &mut AnyConnection, file: &InstrumentFileId) -> Outcome<Vec<RunListId>> {
    Ok(run_list::table
        .filter(run_list::instrument_file_id.eq(file))
        .filter(run_list::withdrawn_at.is_null())
        .select(run_list::id)
        .load(conn)?)
}

/// Enters the list of a file, in place of an earlier one, and matches the values that have no sample yet.
///
/// # Errors
/// Where the file is decided about, a sample does not exist, or the file itself names another sample at a place.
pub fn list_for_file(services: &Services, actor: &Actor, id: &InstrumentFileId, new: &NewRunList) -> Outcome<FileView> {
    let own = institute_of(actor)?;
    let (actor, now, id, new) = (actor.clone(), services.clock.now(), id.clone(), new.clone());
    let rules = services.mappings.rules();
    services.db.write(move |conn| {
        let file = file_of(conn, &own, &id)?;
        if file.state != "staged" {
            return Err(Refusal::new(Code::WrongState, "该文件已处理", "the file was decided about already").into());
        }
        for old in ids_of_file(conn, &id)? {
            withdrawn(conn, &old, now)?;
        }
        let list = RunListRow {
            id: RunListId::new(),
            institute_id: own.clone(),
            instrument_id: None,
            instrument_file_id: Some(id.clone()),
            file_pattern: None,
            created_by: actor.account.clone(),
            created_at: now.into(),
            withdrawn_at: None,
        };
        insert(conn, &own, &list, &new.rows)?;
        let count = apply(conn, &file)?;
        let change = Change::created("run_list.create", "instrument_file", &id, json!({"rows": new.rows})).and(
            "matched",
            (),
            count,
        );
        record::record(conn, &actor, now, vec![change])?;
        view_in(conn, &own, &id, &rules)
    })
}

/// Matches the values without a sample; refuses a list that says otherwise than the file.
fn apply(conn: &mut AnyConnection, file: &InstrumentFileRow) -> Outcome<usize> {
    let machine: Option<InstrumentRow> = match &file.instrument_id {
        Some(id) => instrument::table.find(id).select(InstrumentRow::as_select()).first(conn).optional()?,
        None => None,
    };
    let mut rows: Vec<ObservationRow> = observation::table
        .filter(observation::instrument_file_id.eq(&file.id))
        .order(observation::position)
        .load(conn)?;
    let before: Vec<Option<SampleId>> = rows.iter().map(|row| row.sample_id.clone()).collect();
    let mut blank = rows.clone();
    blank.iter_mut().for_each(|row| row.sample_id = None);
    intake::matched(conn, file, machine.as_ref(), &mut rows)?;
    intake::matched(conn, file, machine.as_ref(), &mut blank)?;
    for (old, now) in before.iter().zip(&blank) {
        if old.is_some() && *old != now.sample_id {
            let text = now.sample_text.clone().unwrap_or_default();
            return Err(Refusal::new(
                Code::Conflict,
                format!("文件中“{text}”已对应另一样品，与序列不一致"),
                format!("{text:?} in the file has another sample than the list says"),
            )
            .at("rows")
            .into());
        }
    }
    let mut count = 0;
    for (old, row) in before.iter().zip(&rows) {
        if old.is_none() && row.sample_id.is_some() {
            count += diesel::update(observation::table.find(&row.id))
                .set(observation::sample_id.eq(&row.sample_id))
                .execute(conn)?;
        }
    }
    Ok(count)
}

/// Enters a list before its file.
///
/// # Errors
/// Where a sample does not exist, or the pattern is none.
pub fn list_before_file(
    services: &Services,
    actor: &Actor,
    id: &InstrumentId,
    new: &NewRunList,
) -> Outcome<RunListView> {
    let own = institute_of(actor)?;
    let pattern = text::required("file_pattern", new.file_pattern.as_deref().unwrap_or_default(), text::TEXT)?;
    let useless = |why: String| Refusal::field("file_pattern", why.clone(), why);
    file_globs(&pattern).map_err(useless)?;
    if pattern.chars().all(|c| matches!(c, '*' | '?' | '.' | ';' | '/')) {
        // A list for every file there will ever be would name samples that stood there on another day.
        return Err(useless("应指明文件名 / expected a pattern that names the file".into()).into());
    }
    let (actor, now, id, rows) = (actor.clone(), services.clock.now(), id.clone(), new.rows.clone());
    services.db.write(move |conn| {
        active(conn, &own, &id)?;
        let list = RunListRow {
            id: RunListId::new(),
            institute_id: own.clone(),
            instrument_id: Some(id.clone()),
            instrument_file_id: None,
            file_pattern: Some(pattern.clone()),
            created_by: actor.account.clone(),
            created_at: now.into(),
            withdrawn_at: None,
        };
        insert(conn, &own, &list, &rows)?;
        let content = json!({"file_pattern": pattern, "rows": rows});
        record::record(conn, &actor, now, vec![Change::created("run_list.create", "instrument", &id, content)])?;
        Ok(RunListView { list, rows: rows.clone() })
    })
}

fn insert(conn: &mut AnyConnection, own: &InstituteId, list: &RunListRow, rows: &[Place]) -> Outcome<()> {
    if rows.is_empty() || rows.len() > 1000 {
        return Err(Refusal::field("rows", "应有 1 至 1000 行", "expected 1 to 1000 rows").into());
    }
    let mut lines: Vec<RunListLineRow> = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let at = |field: &str| format!("rows[{index}].{field}");
        let place = text::required(&at("place"), &row.place, 100)?;
        if lines.iter().any(|line| plain(&line.place) == plain(&place)) {
            let (zh, en) = (format!("位置 {place} 重复"), format!("the place {place} stands twice"));
            return Err(Refusal::field(at("place"), zh, en).into());
        }
        let number = text::required(&at("sample_number"), &row.sample_number, text::TEXT)?;
        let found = samples_by_number(conn, own, std::slice::from_ref(&number))?;
        let Some((_, sample_id)) = found.into_iter().next() else {
            return Err(Refusal::not_found("样品", "sample", &number).at(at("sample_number")).into());
        };
        let position = i64::try_from(index).unwrap_or(i64::MAX).saturating_add(1);
        lines.push(RunListLineRow { run_list_id: list.id.clone(), position, place, sample_id });
    }
    diesel::insert_into(run_list::table).values(list).execute(conn)?;
    insert_all!(conn, run_list_row::table, &lines)?;
    Ok(())
}

fn withdrawn(conn: &mut AnyConnection, id: &RunListId, now: chrono::DateTime<chrono::Utc>) -> Outcome<()> {
    diesel::update(run_list::table.find(id)).set(run_list::withdrawn_at.eq(Instant::from(now))).execute(conn)?;
    Ok(())
}

/// Withdraws a list that was entered before its file.
///
/// # Errors
/// Where the actor's institute has no such list, or it is withdrawn.
pub fn withdraw_list(services: &Services, actor: &Actor, id: &RunListId, reason: &str) -> Outcome<()> {
    let reason = text::required("reason", reason, text::REMARK)?;
    let own = institute_of(actor)?;
    let (actor, now, id) = (actor.clone(), services.clock.now(), id.clone());
    services.db.write(move |conn| {
        let found: Option<RunListRow> = run_list::table
            .find(&id)
            .filter(run_list::institute_id.eq(&own))
            .select(RunListRow::as_select())
            .first(conn)
            .optional()?;
        let list = found.ok_or_else(|| Refusal::not_found("进样序列", "run list", id.as_str()))?;
        if list.withdrawn_at.is_some() {
            return Err(Refusal::new(Code::WrongState, "该序列已撤销", "the list is withdrawn already").into());
        }
        withdrawn(conn, &id, now)?;
        let change = Change::field("run_list.withdraw", "run_list", &id, "withdrawn_at", (), now.to_rfc3339());
        record::record(conn, &actor, now, vec![change.because(&reason)])
    })
}

/// The lists of an instrument that count, the newest first; at most 100.
///
/// # Errors
/// Where the actor's institute has no such instrument.
pub fn run_lists(services: &Services, actor: &Actor, id: &InstrumentId) -> Outcome<Vec<RunListView>> {
    let own = institute_of(actor)?;
    services.db.read(|conn| {
        row_of(conn, &own, id)?;
        let lists: Vec<RunListRow> = run_list::table
            .filter(run_list::instrument_id.eq(id))
            .filter(run_list::withdrawn_at.is_null())
            .order(run_list::created_at.desc())
            .limit(100)
            .select(RunListRow::as_select())
            .load(conn)?;
        lists.into_iter().map(|list| shown(conn, list)).collect()
    })
}

/// The list of a file, where it has one.
pub(super) fn of_file(conn: &mut AnyConnection, id: &InstrumentFileId) -> Outcome<Option<RunListView>> {
    let list: Option<RunListRow> = run_list::table
        .filter(run_list::instrument_file_id.eq(id))
        .filter(run_list::withdrawn_at.is_null())
        .select(RunListRow::as_select())
        .first(conn)
        .optional()?;
    list.map(|list| shown(conn, list)).transpose()
}

fn shown(conn: &mut AnyConnection, list: RunListRow) -> Outcome<RunListView> {
    let rows: Vec<(String, String)> = run_list_row::table
        .inner_join(sample::table)
        .filter(run_list_row::run_list_id.eq(&list.id))
        .order(run_list_row::position)
        .select((run_list_row::place, sample::number))
        .load(conn)?;
    let rows = rows.into_iter().map(|(place, sample_number)| Place { place, sample_number }).collect();
    Ok(RunListView { list, rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_are_pasted() {
        let rows =
            NewRunList::of_text("12\tSX20260001\n\n 1:A,3  SX20260002 \nB7, SX20260003\nP1-A1,SX20260004").unwrap();
        let told: Vec<(&str, &str)> = rows.iter().map(|r| (r.place.as_str(), r.sample_number.as_str())).collect();
        assert_eq!(
            told,
            [("12", "SX20260001"), ("1:A,3", "SX20260002"), ("B7", "SX20260003"), ("P1-A1", "SX20260004")]
        );
        assert_eq!(NewRunList::of_text("12").unwrap_err().field.as_deref(), Some("rows[0]"));
        assert_eq!(plain("Vial 12"), plain(" 12"));
    }
}
