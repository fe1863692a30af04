//! The results of a valid evaluation become readings of the tasks of their samples.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::evaluate::{newest, row_of};
use super::tasks::{EvaluatedTask, of_evaluation};
use crate::action::Services;
use crate::bench::{self, Entered, Entry, Evaluated, NewReading};
use crate::instruments::{self, Accept};
use crate::record::{self, Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::store::columns::{Dec, EvaluationId};
use crate::store::rows::{EvaluationResultRow, EvaluationRow, InstrumentFileRow};
use crate::store::schema::{evaluation_file, evaluation_result, instrument_file};
use crate::store::{AnyConnection, Outcome};
use crate::text;

/// How an evaluation is accepted.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AcceptEvaluation {
    /// The tasks to enter; without it, all that it proposes
    pub tasks: Option<Vec<String>>,
    /// The files are whole, where their format cannot prove it
    pub confirm_complete: bool,
    /// Why the files count in spite of problems that the adapter calls errors
    pub despite_problems: Option<String>,
    pub reagents: String,
    pub note: String,
    /// Why readings that were entered before are changed
    pub reason: Option<String>,
}

/// What was entered.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AcceptedEvaluation {
    pub evaluation_id: String,
    pub entered: Vec<Entered>,
}

/// Accepts an evaluation: its results enter the tasks with its steps, and its files are accepted with it.
///
/// # Errors
/// Where it is invalid or not the newest version, a file is not sound, or a value does not fit; then nothing was
/// entered.
pub fn accept(
    services: &Services,
    actor: &Actor,
    id: &EvaluationId,
    new: &AcceptEvaluation,
) -> Outcome<AcceptedEvaluation> {
    let (actor, now, id, new) = (actor.clone(), services.clock.now(), id.clone(), new.clone());
    text::optional("reagents", &new.reagents, text::REMARK)?;
    services.db.write(move |conn| {
        let row = row_of(conn, &actor, &id)?;
        check(conn, &row)?;
        let tasks = chosen(conn, &row, &new)?;
        let of_file = Accept { confirm_complete: new.confirm_complete, despite_problems: new.despite_problems.clone() };
        let files: Vec<InstrumentFileRow> = instrument_file::table
            .inner_join(evaluation_file::table)
            .filter(evaluation_file::evaluation_id.eq(&id))
            .select(InstrumentFileRow::as_select())
            .load(conn)?;
        for file in &files {
            instruments::accept_with_evaluation(conn, &actor, now, file, &of_file, id.as_str())?;
        }
        let mut entered = Vec::with_capacity(tasks.len());
        for task in &tasks {
            let entry = entry(conn, task, &new)?;
            entered.push(bench::enter_in(conn, &actor, now, &task.task_id.as_str().into(), &entry)?);
        }
        let tasks: Vec<&str> = tasks.iter().map(|task| task.task_id.as_str()).collect();
        let change = Change::created("evaluation.accept", "evaluation", &id, json!({"tasks": tasks}));
        record::record(conn, &actor, now, vec![change])?;
        Ok(AcceptedEvaluation { evaluation_id: id.to_string(), entered })
    })
}

fn check(conn: &mut AnyConnection, row: &EvaluationRow) -> Outcome<()> {
    if row.verdict != "valid" {
        let found: crate::calculation::outcome::Outcome = row.outcome.read().unwrap_or_default();
        let refusal = Refusal::new(
            Code::WrongState,
            "评价无效，不能录入结果",
            "the evaluation is invalid: nothing is entered from it",
        );
        return Err(refusal.with(json!({"reasons": found.reasons})).into());
    }
    if newest(conn, &row.root_id)? != row.version {
        let refusal = Refusal::new(Code::WrongState, "已有更新版本的评价", "a newer version of the evaluation exists");
        return Err(refusal.into());
    }
    Ok(())
}

fn chosen(conn: &mut AnyConnection, row: &EvaluationRow, new: &AcceptEvaluation) -> Outcome<Vec<EvaluatedTask>> {
    let proposed = of_evaluation(conn, &row.id)?;
    let mut chosen: Vec<EvaluatedTask> = Vec::new();
    match &new.tasks {
        None => chosen.extend(proposed.into_iter().filter(|task| task.open_questions.is_empty())),
        Some(ids) => {
            for (index, id) in ids.iter().enumerate() {
                let found = proposed.iter().find(|task| task.task_id == *id).cloned();
                let found = found.filter(|task| task.open_questions.is_empty());
                chosen.push(found.ok_or_else(|| {
                    Refusal::field(
                        format!("tasks[{index}]"),
                        "该评价没有此任务的值",
                        "the evaluation has no values for this task",
                    )
                })?);
            }
        }
    }
    if chosen.is_empty() {
        return Err(Refusal::field("tasks", "没有可采用的值", "there is nothing to accept").into());
    }
    Ok(chosen)
}

fn entry(conn: &mut AnyConnection, task: &EvaluatedTask, new: &AcceptEvaluation) -> Outcome<Entry> {
    let mut readings = Vec::with_capacity(task.readings.len());
    for reading in &task.readings {
        let row: EvaluationResultRow = evaluation_result::table.find(reading.result_id.as_str()).first(conn)?;
        readings.push(NewReading {
            name: reading.name.clone(),
            position: reading.position,
            raw: row.raw.clone(),
            observed: None,
            evaluated: Some(Evaluated { result: row.id, value: row.value.as_ref().map(Dec::decimal), unit: row.unit }),
        });
    }
    Ok(Entry {
        readings,
        conforms: None,
        reagents: new.reagents.clone(),
        note: new.note.clone(),
        reason: new.reason.clone(),
    })
}
