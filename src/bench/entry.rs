//! Entering readings. What was typed is kept; a correction is a new version with its reason; the result is
//! calculated as soon as all readings are there.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::bench::{TaskFile, moved, task_of};
use super::calculate::{self, Calculation, Reading};
use super::import_check;
use crate::action::Services;
use crate::calculation::inputs::ReadingInput;
use crate::insert_all;
use crate::record::{self, Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::regulation::numeric::Measured;
use crate::store::columns::{Dec, EvaluationResultId, Instant, Json, ObservationId, ReadingId, ResultId, TestTaskId};
use crate::store::rows::{ReadingRow, ResultRow};
use crate::store::schema::{evaluation, evaluation_result, reading, result, test_task};
use crate::store::{AnyConnection, Failure, Outcome};
use crate::text;
use crate::vocabulary::TaskState;
use crate::vocabulary::states::TaskEvent;

/// What an analyst enters for one task.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Entry {
    pub readings: Vec<NewReading>,
    /// For a finding: whether it conforms
    pub conforms: Option<bool>,
    /// Reagents, reference standards and equipment, as text
    pub reagents: String,
    pub note: String,
    /// Why readings are changed; needed where one is
    pub reason: Option<String>,
}

/// One reading as typed.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReading {
    /// The input's name
    pub name: String,
    /// The how-manieth, from 1
    #[serde(default = "first")]
    pub position: i64,
    /// As typed: `0.1234`, `<0.05`, `未检出`; kept as it is
    pub raw: String,
    /// What an instrument file says; set by the instrument inbox only
    #[serde(skip)]
    pub observed: Option<Observed>,
    /// What an evaluation found; set by the acceptance of one only
    #[serde(skip)]
    pub evaluated: Option<Evaluated>,
}

/// A reading that an evaluation of a sequence or a plate gave.
#[derive(Clone, Debug)]
pub struct Evaluated {
    pub result: EvaluationResultId,
    /// None of a censored result
    pub value: Option<rust_decimal::Decimal>,
    pub unit: String,
}

/// A reading as an instrument wrote it: `raw` need not be in our own notation (`257,10`).
#[derive(Clone, Debug)]
pub struct Observed {
    pub observation: ObservationId,
    pub value: Option<rust_decimal::Decimal>,
    pub unit: Option<String>,
}

fn first() -> i64 {
    1
}

/// What an entry gave.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Entered {
    pub task_id: String,
    pub state: String,
    /// The result, once all readings are there
    pub result: Option<Calculation>,
    pub result_id: Option<String>,
    pub version: Option<i64>,
}

/// One line of a worksheet's answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EnteredLine {
    pub task_id: String,
    pub entered: Option<Entered>,
    pub refusal: Option<Refusal>,
}

/// Enters readings of one task.
///
/// # Errors
/// Names the reading that is not as expected; then nothing was entered.
pub fn enter(services: &Services, actor: &Actor, id: &TestTaskId, new: &Entry) -> Outcome<Entered> {
    let (actor, now, id, new) = (actor.clone(), services.clock.now(), id.clone(), new.clone());
    services.db.write(move |conn| enter_in(conn, &actor, now, &id, &new))
}

/// Enters a worksheet: every good line is saved in one transaction, every bad one is told why.
///
/// # Errors
/// The store's failure; a bad line is no failure.
pub fn enter_many(services: &Services, actor: &Actor, lines: &[(TestTaskId, Entry)]) -> Outcome<Vec<EnteredLine>> {
    let (actor, now, lines) = (actor.clone(), services.clock.now(), lines.to_vec());
    services.db.write(move |conn| {
        let mut answers = Vec::with_capacity(lines.len());
        for (id, entry) in &lines {
            // Everything is checked before anything of the line is stored, so a refusal leaves no trace.
            let (entered, refusal) = match enter_in(conn, &actor, now, id, entry) {
                Ok(entered) => (Some(entered), None),
                Err(Failure::Refused(refusal)) => (None, Some(*refusal)),
                Err(store) => return Err(store),
            };
            answers.push(EnteredLine { task_id: id.to_string(), entered, refusal });
        }
        Ok(answers)
    })
}

/// [`enter`] inside a transaction of the caller's.
///
/// # Errors
/// As [`enter`].
pub fn enter_in(
    conn: &mut AnyConnection,
    actor: &Actor,
    now: DateTime<Utc>,
    id: &TestTaskId,
    new: &Entry,
) -> Outcome<Entered> {
    let file = task_of(conn, actor, id)?;
    if file.task.state == TaskState::InProgress && file.task.analyst_id.as_ref() != Some(&actor.account) {
        return Err(Refusal::new(Code::WrongState, "该任务由他人检验中", "somebody else works on this task").into());
    }
    let before: Vec<ReadingRow> = current(conn, id)?;
    let void = import_check::rejected(conn, id, &before)?;
    let rows = checked(&file, (&before, &void), new, actor, now)?;
    // A reading of a rejected import stays in the record and counts no more.
    let mut all: Vec<ReadingRow> = before.iter().filter(|row| !void.contains(&row.id)).cloned().collect();
    for row in &rows {
        all.retain(|old| (&old.name, old.position) != (&row.name, row.position));
        all.push(row.clone());
    }
    let mut calculation = calculate::calculate(&file.item, &readings(&all), new.conforms)?;
    if let Some(calculation) = &mut calculation {
        calculation.steps.splice(0..0, evaluation_steps(conn, &all)?);
    }
    let (mut state, waiting) = (file.task.state, file.task.state == TaskState::Waiting);
    if waiting {
        state = moved(state, TaskEvent::Start)?;
    }
    if calculation.is_some() {
        state = moved(state, TaskEvent::Enter)?;
    }
    insert_all!(conn, reading::table, &rows)?;
    let stored = match &calculation {
        Some(calculation) => Some(store_result(conn, &file, calculation, new, actor, now)?),
        None => None,
    };
    let started: Option<Instant> = if waiting { Some(now.into()) } else { file.task.started_at.clone() };
    diesel::update(test_task::table.find(id))
        .set((test_task::state.eq(state), test_task::started_at.eq(started), test_task::analyst_id.eq(&actor.account)))
        .execute(conn)?;
    record::record(conn, actor, now, vec![trail(&file, &before, &rows, stored.as_ref(), state, new)])?;
    Ok(Entered {
        task_id: id.to_string(),
        state: state.to_string(),
        result: calculation,
        result_id: stored.as_ref().map(|row| row.id.to_string()),
        version: stored.as_ref().map(|row| row.version),
    })
}

/// The steps of the evaluations that readings rest on, so that they are kept with the result.
fn evaluation_steps(conn: &mut AnyConnection, rows: &[ReadingRow]) -> Outcome<Vec<String>> {
    let ids: Vec<EvaluationResultId> = rows.iter().filter_map(|row| row.evaluation_result_id.clone()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found: Vec<(String, i64, String, String, Json)> = evaluation_result::table
        .inner_join(evaluation::table)
        .filter(evaluation_result::id.eq_any(ids))
        .order((evaluation_result::evaluation_id, evaluation_result::position))
        .select((
            evaluation::title,
            evaluation::version,
            evaluation::method_id,
            evaluation::calculation_version,
            evaluation_result::steps,
        ))
        .load(conn)?;
    let mut steps: Vec<String> = Vec::new();
    for (title, version, method, calculation, list) in found {
        let head = format!("评价“{title}”第 {version} 版（方法 {method}，计算程序 {calculation}）");
        for step in std::iter::once(head).chain(list.read::<Vec<String>>().unwrap_or_default()) {
            if !steps.contains(&step) {
                steps.push(step);
            }
        }
    }
    Ok(steps)
}

fn trail(
    file: &TaskFile,
    before: &[ReadingRow],
    rows: &[ReadingRow],
    stored: Option<&ResultRow>,
    state: TaskState,
    new: &Entry,
) -> Change {
    let mut change =
        Change::field("result.enter", "test_task", &file.task.id, "state", file.task.state.as_str(), state.as_str());
    for row in rows {
        let old = before.iter().find(|old| (&old.name, old.position) == (&row.name, row.position));
        change =
            change.and(&format!("{}[{}]", row.name, row.position), old.map(|old| old.raw.clone()), row.raw.clone());
    }
    if let Some(row) = stored {
        change =
            change.and("result", (), json!({"version": row.version, "reported": row.reported, "verdict": row.verdict}));
    }
    change.reason.clone_from(&new.reason);
    change
}

/// The current version of each reading.
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

fn readings(rows: &[ReadingRow]) -> Vec<Reading> {
    rows.iter()
        .map(|row| Reading {
            name: row.name.clone(),
            position: row.position,
            raw: row.raw.clone(),
            value: row.value.as_ref().map(Dec::decimal),
        })
        .collect()
}

/// Checks what was typed; unchanged readings are left alone, but for those of a rejected import (`void`): these
/// are entered anew, with the reason, also where the text is the same.
fn checked(
    file: &TaskFile,
    (before, void): (&[ReadingRow], &[ReadingId]),
    new: &Entry,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<Vec<ReadingRow>, Refusal> {
    let inputs: Vec<ReadingInput> = file.item.inputs.read().unwrap_or_default();
    let reason = new.reason.as_deref().map(|text| text::required("reason", text, text::REMARK)).transpose()?;
    text::optional("reagents", &new.reagents, text::REMARK)?;
    text::optional("note", &new.note, text::REMARK)?;
    let mut rows: Vec<ReadingRow> = Vec::new();
    for (index, typed) in new.readings.iter().enumerate() {
        let at = |field: &str| format!("readings[{index}].{field}");
        let declared = inputs.iter().find(|input| input.name == typed.name).ok_or_else(|| {
            let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
            let names = names.join(", ");
            Refusal::field(at("name"), format!("应为 {names} 之一"), format!("expected one of {names}"))
        })?;
        if !(1..=500).contains(&typed.position) {
            return Err(Refusal::field(at("position"), "应为 1 至 500", "expected 1 to 500"));
        }
        if rows.iter().any(|row| (&row.name, row.position) == (&typed.name, typed.position)) {
            return Err(Refusal::field(at("position"), "同一读数出现两次", "the same reading stands twice"));
        }
        let raw = text::required(&at("raw"), &typed.raw, text::TEXT)?;
        text::printable(&at("raw"), &raw)?;
        let value = match (&typed.observed, &typed.evaluated) {
            (Some(observed), _) => observed.value,
            (None, Some(evaluated)) => evaluated.value,
            (None, None) if file.item.kind == "text" => None,
            (None, None) => number(&at("raw"), &raw)?,
        };
        let observed = typed.observed.as_ref();
        let old = before.iter().find(|old| (&old.name, old.position) == (&typed.name, typed.position));
        if old.is_some_and(|old| old.raw == raw && !void.contains(&old.id)) {
            continue;
        }
        if old.is_some() && reason.is_none() {
            return Err(Refusal::field("reason", "修改已录入的读数须说明原因", "a changed reading needs a reason"));
        }
        rows.push(ReadingRow {
            id: ReadingId::new(),
            test_task_id: file.task.id.clone(),
            name: typed.name.clone(),
            position: typed.position,
            version: old.map_or(1, |old| old.version + 1),
            raw,
            value: value.map(Dec::from),
            unit: observed
                .and_then(|seen| seen.unit.clone())
                .or_else(|| typed.evaluated.as_ref().map(|found| found.unit.clone()))
                .unwrap_or_else(|| declared.unit.clone()),
            observation_id: observed.map(|seen| seen.observation.clone()),
            reason: old.and(reason.clone()),
            entered_by: actor.account.clone(),
            entered_at: now.into(),
            evaluation_result_id: typed.evaluated.as_ref().map(|found| found.result.clone()),
        });
    }
    Ok(rows)
}

/// The number that was typed; `None` for a censored value, an error for anything else.
fn number(field: &str, raw: &str) -> Result<Option<rust_decimal::Decimal>, Refusal> {
    match Measured::parse(raw) {
        Ok(Measured::Number(number)) => Ok(Some(number)),
        Ok(_) => Ok(None),
        Err(error) => Err(Refusal::field(
            field,
            format!("“{raw}”不是数值，也不是“<0.05”“未检出”一类的结果：{error}"),
            format!("{raw:?} is neither a number nor a censored value such as <0.05: {error}"),
        )),
    }
}

fn store_result(
    conn: &mut AnyConnection,
    file: &TaskFile,
    calculation: &Calculation,
    new: &Entry,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Outcome<ResultRow> {
    let last: Option<i64> = result::table
        .filter(result::test_task_id.eq(&file.task.id))
        .select(diesel::dsl::max(result::version))
        .first(conn)?;
    let row = ResultRow {
        id: ResultId::new(),
        test_task_id: file.task.id.clone(),
        version: last.unwrap_or(0) + 1,
        calculated: calculation.calculated.clone(),
        reported: calculation.reported.clone(),
        unit: file.item.unit.clone(),
        limit_text: file.item.limit_text.clone(),
        compare_by: file.item.compare_by.clone(),
        verdict: calculation.verdict.clone(),
        steps: Json::of(&calculation.steps),
        reagents: new.reagents.trim().to_owned(),
        note: new.note.trim().to_owned(),
        analyst_id: actor.account.clone(),
        entered_at: now.into(),
        reviewer_id: None,
        reviewed_at: None,
        review_outcome: None,
        review_note: None,
    };
    diesel::insert_into(result::table).values(&row).execute(conn)?;
    Ok(row)
}
