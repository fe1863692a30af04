//! Second-person check of an import (导入复核): somebody other than the one who accepted a file compares its values
//! with the source. Without it no result of these values is approved; where it fails, nothing is undone: the
//! readings stay and are marked, and the tasks go back to the bench with the reason.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::bench::{TaskFile, moved, task_of};
use super::entry::current;
use super::review::{check_other, latest_result};
use crate::action::Services;
use crate::record::{self, Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::store::columns::{ImportCheckId, Instant, InstrumentFileId, ReadingId, TestTaskId};
use crate::store::rows::{ImportCheckRow, InstrumentFileRow, ReadingRow};
use crate::store::schema::{import_check, instrument_file, observation, reading, result, test_task};
use crate::store::{AnyConnection, Outcome, views};
use crate::text;
use crate::vocabulary::states::TaskEvent;
use crate::vocabulary::{CheckOutcome, ReviewOutcome, TaskState};

/// What the second person found.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ImportCheck {
    /// `ok`: every value is that of the file; `rejected`
    pub outcome: String,
    /// Why it is rejected
    pub reason: String,
    /// The values of this task only; without it, all that the file gave
    pub task_id: Option<String>,
}

/// What a check led to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ImportChecked {
    pub file_id: String,
    pub outcome: String,
    /// Tasks that went back to the bench
    pub sent_back: Vec<String>,
}

/// Records what a second person found of an accepted file.
///
/// # Errors
/// Where the file is not accepted, the actor accepted it, it was said before, or a rejection comes after a result
/// of these values was reviewed.
pub fn check_import(
    services: &Services,
    actor: &Actor,
    id: &InstrumentFileId,
    new: &ImportCheck,
) -> Outcome<ImportChecked> {
    let outcome = text::word("outcome", &new.outcome, CheckOutcome::parse)?;
    let rejected = outcome == CheckOutcome::Rejected;
    let reason = match rejected {
        true => Some(text::required("reason", &new.reason, text::REMARK)?),
        false => Some(text::optional("reason", &new.reason, text::REMARK)?).filter(|text| !text.is_empty()),
    };
    let (actor, now, id, new) = (actor.clone(), services.clock.now(), id.clone(), new.clone());
    services.db.write(move |conn| {
        let task = new.task_id.as_deref().filter(|text| !text.is_empty()).map(TestTaskId::from);
        let touched = tasks_of(conn, &id)?;
        if task.as_ref().is_some_and(|task| !touched.contains(task)) {
            return Err(Refusal::field("task_id", "该文件没有此任务的值", "the file gave this task no value").into());
        }
        record(conn, &actor, now, &id, task.as_ref(), outcome, reason.as_deref())?;
        let mut sent_back = Vec::new();
        if let (true, Some(reason)) = (rejected, &reason) {
            for one in touched.iter().filter(|one| task.as_ref().is_none_or(|task| task == *one)) {
                sent_back.extend(send_back(conn, &actor, now, &id, one, reason)?);
            }
        }
        Ok(ImportChecked { file_id: id.to_string(), outcome: new.outcome.clone(), sent_back })
    })
}

/// The tasks whose current readings come from a file.
fn tasks_of(conn: &mut AnyConnection, id: &InstrumentFileId) -> Outcome<Vec<TestTaskId>> {
    let candidates: Vec<TestTaskId> = reading::table
        .inner_join(observation::table)
        .filter(observation::instrument_file_id.eq(id))
        .select(reading::test_task_id)
        .distinct()
        .order(reading::test_task_id)
        .load(conn)?;
    let mut tasks = Vec::with_capacity(candidates.len());
    for task in candidates {
        let standing = current(conn, &task)?;
        if views::imports(conn, &task, &standing)?.iter().any(|import| import.file_id == id.to_string()) {
            tasks.push(task);
        }
    }
    Ok(tasks)
}

/// Stores a check with its trail.
fn record(
    conn: &mut AnyConnection,
    actor: &Actor,
    now: DateTime<Utc>,
    id: &InstrumentFileId,
    task: Option<&TestTaskId>,
    outcome: CheckOutcome,
    reason: Option<&str>,
) -> Outcome<()> {
    let institute = actor.institute.clone();
    let file: Option<InstrumentFileRow> = instrument_file::table
        .find(id)
        .filter(instrument_file::institute_id.nullable().eq(institute))
        .select(InstrumentFileRow::as_select())
        .first(conn)
        .optional()?;
    let file = file.ok_or_else(|| Refusal::not_found("仪器文件", "instrument file", id.as_str()))?;
    if file.state != "accepted" {
        let refusal = Refusal::new(Code::WrongState, "该文件尚未采用", "the file was not accepted");
        return Err(refusal.into());
    }
    if file.decided_by.as_ref() == Some(&actor.account) {
        return Err(own().into());
    }
    let same =
        import_check::table.filter(import_check::instrument_file_id.eq(id)).filter(import_check::outcome.eq(outcome));
    let before: i64 = match task {
        None => same.filter(import_check::test_task_id.is_null()).count().get_result(conn)?,
        Some(task) => same.filter(import_check::test_task_id.eq(task)).count().get_result(conn)?,
    };
    if before > 0 {
        return Err(Refusal::new(Code::WrongState, "该导入已复核", "the import was checked already").into());
    }
    let row = ImportCheckRow {
        id: ImportCheckId::new(),
        instrument_file_id: id.clone(),
        test_task_id: task.cloned(),
        outcome,
        reason: reason.map(str::to_owned),
        checked_by: actor.account.clone(),
        checked_at: now.into(),
    };
    diesel::insert_into(import_check::table).values(&row).execute(conn)?;
    let mut change = Change::created("import.check", "instrument_file", id, json!({"outcome": outcome, "task": task}));
    change.reason = reason.map(str::to_owned);
    record::record(conn, actor, now, vec![change])
}

fn own() -> Refusal {
    Refusal::new(
        Code::SelfReview,
        "不得复核本人采用的导入",
        "an import is checked by somebody other than the one who accepted it",
    )
}

/// Sends one task back whose readings come from a rejected import. A result that was entered is sent back by the
/// same person; readings and result stay as they are.
fn send_back(
    conn: &mut AnyConnection,
    actor: &Actor,
    now: DateTime<Utc>,
    id: &InstrumentFileId,
    task: &TestTaskId,
    reason: &str,
) -> Outcome<Option<String>> {
    let file = task_of(conn, actor, task)?;
    match file.task.state {
        TaskState::Entered => {}
        TaskState::Waiting | TaskState::InProgress | TaskState::Cancelled | TaskState::RetestOrdered => {
            record::record(conn, actor, now, vec![marked(&file, id, file.task.state, reason)])?;
            return Ok(None);
        }
        state => {
            let (sample, item) = (&file.sample.number, &file.item);
            return Err(Refusal::new(
                Code::WrongState,
                format!("{sample} {}：结果已复核（{}），不能再退回导入", item.name_zh, state.zh()),
                format!(
                    "{sample} {}: its result is {}; the import cannot be rejected any more",
                    item.name_en,
                    state.en()
                ),
            )
            .with(json!({"task_id": task}))
            .into());
        }
    }
    let state = moved(file.task.state, TaskEvent::SendBack)?;
    if let Some(row) = latest_result(conn, task)?.filter(|row| row.reviewer_id.is_none()) {
        check_other(conn, actor, &row)?;
        diesel::update(result::table.find(&row.id))
            .set((
                result::reviewer_id.eq(&actor.account),
                result::reviewed_at.eq(Instant::from(now)),
                result::review_outcome.eq(ReviewOutcome::SentBack),
                result::review_note.eq(format!("导入复核不通过：{reason}")),
            ))
            .execute(conn)?;
    }
    diesel::update(test_task::table.find(task)).set(test_task::state.eq(state)).execute(conn)?;
    record::record(conn, actor, now, vec![marked(&file, id, state, reason)])?;
    Ok(Some(task.to_string()))
}

fn marked(file: &TaskFile, id: &InstrumentFileId, state: TaskState, reason: &str) -> Change {
    Change::field("import.reject", "test_task", &file.task.id, "state", file.task.state.as_str(), state.as_str())
        .and("instrument_file", (), id.to_string())
        .because(reason)
}

/// The readings, of those that stand, whose import was rejected: they are kept, and count no more.
pub(super) fn rejected(
    conn: &mut AnyConnection,
    task: &TestTaskId,
    standing: &[ReadingRow],
) -> Outcome<Vec<ReadingId>> {
    let imports = views::imports(conn, task, standing)?;
    let void: Vec<&String> = imports.iter().filter(|one| one.rejected()).flat_map(|one| &one.observations).collect();
    let of_void = |row: &&ReadingRow| row.observation_id.as_ref().is_some_and(|id| void.contains(&&id.to_string()));
    Ok(standing.iter().filter(of_void).map(|row| row.id.clone()).collect())
}

/// Holds an approval to the rule: every import that the result rests on was checked. Where nobody has, and the
/// laboratory lets the reviewer do both, the reviewer's own word (`confirmed`) is recorded as the check of this
/// task's values.
pub(super) fn hold_approval(
    conn: &mut AnyConnection,
    actor: &Actor,
    now: DateTime<Utc>,
    task: &TestTaskId,
    (allowed, confirmed): (bool, bool),
) -> Outcome<()> {
    let standing = current(conn, task)?;
    for import in views::imports(conn, task, &standing)?.iter().filter(|one| !one.checked()) {
        let details = json!({"file_id": import.file_id, "file": import.name});
        let (zh, en) = match (import.rejected(), allowed) {
            (true, _) => {
                ("导入复核不通过，须重新录入或导入", "its import was rejected: the values are entered or imported anew")
            }
            (false, false) => {
                ("仪器文件的导入须先由第二人复核", "a second person checks the import of the instrument file first")
            }
            (false, true) if confirmed => {
                let id = InstrumentFileId::from(import.file_id.as_str());
                record(conn, actor, now, &id, Some(task), CheckOutcome::Ok, None)?;
                continue;
            }
            (false, true) => (
                "请先与仪器文件原文逐值比对，并确认（import_checked）",
                "compare every value with the instrument file, then confirm it (import_checked)",
            ),
        };
        let (zh, en) = (format!("{}：{zh}", import.name), format!("{}: {en}", import.name));
        return Err(Refusal::new(Code::ImportUnchecked, zh, en).at("import_checked").with(details).into());
    }
    Ok(())
}
