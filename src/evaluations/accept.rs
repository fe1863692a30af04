//! The results of a valid evaluation become readings of the tasks of their samples.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::kept::{self, newest, row_of};
use super::refusals::EvaluationRefusal;
use super::tasks::{EvaluatedTask, of_evaluation};
use crate::action::{Action, Context, Facts};
use crate::bench::{self, Entered, Evaluated, NewReading, ProposedReadings, Source, TaskEntry};
use crate::calculation::outcome::Note;
use crate::instruments::{self, Accept};
use crate::record::Change;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::{Dec, EvaluationId, TestTaskId};
use crate::store::rows::{EvaluationResultRow, InstrumentFileRow};
use crate::store::schema::{evaluation_file, evaluation_result, instrument_file};
use crate::text;
use crate::vocabulary::{EvaluationVerdict, Permission};

/// Enters the results of an evaluation into the tasks of their samples, and accepts its files with it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptEvaluation {
    pub id: EvaluationId,
    /// The tasks to enter; without it, all that it proposes
    #[serde(default)]
    pub tasks: Option<Vec<TestTaskId>>,
    /// The files are whole, where their format cannot prove it
    #[serde(default)]
    pub confirm_complete: bool,
    /// Why the files count in spite of problems that the adapter calls errors
    #[serde(default)]
    pub despite_problems: Option<String>,
    #[serde(default)]
    pub reagents: String,
    #[serde(default)]
    pub note: String,
    /// Why readings that were entered before are changed
    #[serde(default)]
    pub reason: Option<String>,
    /// Why values count that lie outside what they can be; needed where one does
    #[serde(default)]
    pub despite_range: Option<String>,
}

/// What was entered.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AcceptedEvaluation {
    pub evaluation_id: EvaluationId,
    pub entered: Vec<Entered>,
}

/// What acceptance is decided from.
pub struct Acceptable {
    validity: EvaluationVerdict,
    /// It is the newest version of its series.
    newest: bool,
    /// Why it is invalid.
    reasons: Vec<Note>,
    tasks: Vec<EvaluatedTask>,
    results: Vec<EvaluationResultRow>,
    files: Vec<InstrumentFileRow>,
}

impl Action for AcceptEvaluation {
    const NAME: &'static str = "evaluation.accept";
    const PERMISSION: Permission = Permission::ResultEnter;
    type Prepared = ();
    type Loaded = Acceptable;
    /// A line for each task.
    type Plan = Vec<(TestTaskId, TaskEntry)>;
    type Done = AcceptedEvaluation;

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Acceptable> {
        let row = row_of(cx.conn, cx.actor, &self.id)?;
        let results = evaluation_result::table
            .filter(evaluation_result::evaluation_id.eq(&self.id))
            .order(evaluation_result::position)
            .load(cx.conn)?;
        let files = instrument_file::table
            .inner_join(evaluation_file::table)
            .filter(evaluation_file::evaluation_id.eq(&self.id))
            .select(InstrumentFileRow::as_select())
            .load(cx.conn)?;
        Ok(Acceptable {
            validity: row.verdict,
            newest: newest(cx.conn, &row.root_id)? == row.version,
            reasons: kept::found(&row)?.reasons,
            tasks: of_evaluation(cx.conn, &self.id)?,
            results,
            files,
        })
    }

    fn decide(&self, _: &Facts<'_>, found: &Acceptable) -> Result<Vec<(TestTaskId, TaskEntry)>, Refusal> {
        text::optional("reagents", &self.reagents, text::REMARK)?;
        check(found)?;
        let proposed = found.tasks.iter().map(|task| proposed(task, &found.results)).collect::<Result<_, _>>()?;
        let words = TaskEntry {
            reagents: self.reagents.clone(),
            note: self.note.clone(),
            reason: self.reason.clone(),
            despite_range: self.despite_range.clone(),
            ..TaskEntry::default()
        };
        bench::accept(proposed, self.tasks.as_deref(), &words)
    }

    fn keep(
        &self,
        cx: &mut Context<'_>,
        found: Acceptable,
        lines: Vec<(TestTaskId, TaskEntry)>,
    ) -> Outcome<AcceptedEvaluation> {
        let of_file =
            Accept { confirm_complete: self.confirm_complete, despite_problems: self.despite_problems.clone() };
        for file in &found.files {
            instruments::accept_with_evaluation(cx, file, &of_file, self.id.as_str())?;
        }
        let entered = bench::enter_proposed(cx, &lines)?;
        let tasks: Vec<&TestTaskId> = lines.iter().map(|(task, _)| task).collect();
        cx.record(Change::created(Self::NAME, "evaluation", &self.id, json!({"tasks": tasks})));
        Ok(AcceptedEvaluation { evaluation_id: self.id.clone(), entered })
    }
}

/// What an evaluation would enter for one task.
fn proposed(task: &EvaluatedTask, results: &[EvaluationResultRow]) -> Result<ProposedReadings, EvaluationRefusal> {
    let mut readings = Vec::with_capacity(task.readings.len());
    for reading in &task.readings {
        let row = results.iter().find(|row| row.id == reading.result_id);
        let row = row.ok_or_else(|| EvaluationRefusal::NoResult(reading.result_id.clone()))?;
        let value = row.value.as_ref().map(Dec::decimal);
        readings.push(NewReading {
            name: reading.name.clone(),
            position: reading.position,
            raw: row.raw.clone(),
            source: Source::Evaluation(Evaluated { result: row.id.clone(), value, unit: row.unit.clone() }),
        });
    }
    Ok(ProposedReadings { task: task.task_id.clone(), readings, open_questions: task.open_questions.clone() })
}

/// Only a valid evaluation is entered, and only in its newest version.
fn check(found: &Acceptable) -> Result<(), EvaluationRefusal> {
    if found.validity != EvaluationVerdict::Valid {
        return Err(EvaluationRefusal::Invalid { reasons: found.reasons.clone() });
    }
    if !found.newest {
        return Err(EvaluationRefusal::Superseded);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proposal(validity: EvaluationVerdict, newest: bool) -> Acceptable {
        let (tasks, results, files) = (Vec::new(), Vec::new(), Vec::new());
        Acceptable { validity, newest, reasons: Vec::new(), tasks, results, files }
    }

    #[test]
    fn nothing_is_entered_from_an_invalid_or_older_evaluation() {
        assert!(check(&proposal(EvaluationVerdict::Valid, true)).is_ok());
        let invalid = check(&proposal(EvaluationVerdict::Invalid, true));
        assert_eq!(invalid, Err(EvaluationRefusal::Invalid { reasons: Vec::new() }));
        assert_eq!(check(&proposal(EvaluationVerdict::Valid, false)), Err(EvaluationRefusal::Superseded));
    }
}
