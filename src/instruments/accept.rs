//! A person accepts or rejects a staged file.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::inbox::{file_of, view_in};
use super::proposals::Proposal;
use crate::action::Services;
use crate::bench::{self, Entered, Entry, NewReading, Observed, Proposed, Source};
use crate::record::{self, Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::store::columns::{Instant, InstrumentFileId, TestTaskId};
use crate::store::rows::InstrumentFileRow;
use crate::store::schema::instrument_file;
use crate::store::{AnyConnection, Outcome};
use crate::text;

/// How a file is accepted.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Accept {
    /// The tasks to enter; without it, all that the file proposes
    pub tasks: Option<Vec<String>>,
    /// The person has seen that the file is whole, where its format cannot prove it
    pub confirm_complete: bool,
    /// Why the results count in spite of problems that the adapter calls errors
    pub despite_problems: Option<String>,
    /// Reagents, reference standards and equipment, as text
    pub reagents: String,
    pub note: String,
    /// Why readings that stand are replaced, e.g. those of an import that was rejected
    pub reason: Option<String>,
}

/// What was entered.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Accepted {
    pub file_id: String,
    pub entered: Vec<Entered>,
}

/// Accepts a staged file: its values become readings of the tasks, each with its place in the file.
///
/// # Errors
/// Where the file is incomplete, has problems that nobody answered for, or a value does not fit; then nothing
/// was entered.
pub fn accept(services: &Services, actor: &Actor, id: &InstrumentFileId, new: &Accept) -> Outcome<Accepted> {
    let (actor, now, id, new) = (actor.clone(), services.clock.now(), id.clone(), new.clone());
    let rules = services.mappings.rules();
    services.db.write(move |conn| {
        let institute =
            actor.institute.clone().ok_or_else(|| Refusal::new(Code::Forbidden, "仅限机构人员", "for staff only"))?;
        let view = view_in(conn, &institute, &id, &rules)?;
        check_state(&view.file)?;
        let reason = check_sound(&view.file, &new)?;
        let entries = chosen(&view.proposals, &new)?;
        decided(conn, &id, &actor, now, "accepted", reason.as_deref())?;
        let mut entered = Vec::with_capacity(entries.len());
        for (task, entry) in &entries {
            entered.push(bench::enter_with(conn, &actor, now, task, entry)?);
        }
        let mut change = Change::field("instrument_file.accept", "instrument_file", &id, "state", "staged", "accepted")
            .and("confirmed_complete", (), new.confirm_complete)
            .and("tasks", (), json!(entered.iter().map(|e| &e.task_id).collect::<Vec<_>>()));
        change.reason = reason;
        record::record(conn, &actor, now, vec![change])?;
        Ok(Accepted { file_id: id.to_string(), entered })
    })
}

fn check_state(file: &InstrumentFileRow) -> Result<(), Refusal> {
    match file.state.as_str() {
        "staged" => Ok(()),
        "unread" => {
            Err(Refusal::new(Code::FileNotRecognised, "没有适配器能识别该文件", "no adapter recognises the file"))
        }
        _ => Err(Refusal::new(Code::WrongState, "该文件已处理", "the file was decided about already")),
    }
}

/// An incomplete file is never accepted; one that cannot prove itself needs a person's word, and problems
/// that the adapter calls errors need a reason.
pub(super) fn check_sound(file: &InstrumentFileRow, new: &Accept) -> Result<Option<String>, Refusal> {
    match file.complete {
        Some(false) => {
            return Err(Refusal::new(
                Code::FileIncomplete,
                "文件不完整，不能采用",
                "the file is incomplete and cannot be used",
            )
            .with(json!({"problems": file.problems.tree()})));
        }
        None if !new.confirm_complete => {
            return Err(Refusal::field(
                "confirm_complete",
                "该格式不能自证完整，须由人员确认",
                "the format cannot prove that the file is whole: a person confirms it",
            ));
        }
        _ => {}
    }
    let problems = file.problems.tree();
    let errors: Vec<&Value> =
        problems.as_array().into_iter().flatten().filter(|problem| problem["severity"] == "error").collect();
    let reason = new.despite_problems.as_deref().map(|text| text::required("despite_problems", text, text::REMARK));
    let reason = reason.transpose()?;
    if !errors.is_empty() && reason.is_none() {
        return Err(Refusal::field(
            "despite_problems",
            format!("文件有 {} 个问题，采用须说明理由", errors.len()),
            format!("the file has {} problems: say why its results count all the same", errors.len()),
        )
        .with(json!({"problems": errors})));
    }
    Ok(reason)
}

/// What is entered of the proposals: nothing that has an open question.
fn chosen(proposals: &[Proposal], new: &Accept) -> Result<Vec<(TestTaskId, Entry)>, Refusal> {
    let proposed = proposals.iter().map(proposed).collect::<Result<_, Refusal>>()?;
    let asked: Option<Vec<TestTaskId>> =
        new.tasks.as_ref().map(|ids| ids.iter().map(|id| id.as_str().into()).collect());
    let words = Entry {
        reagents: new.reagents.clone(),
        note: new.note.clone(),
        reason: new.reason.clone(),
        ..Entry::default()
    };
    bench::accept(proposed, asked.as_deref(), &words)
}

fn proposed(proposal: &Proposal) -> Result<Proposed, Refusal> {
    let readings = proposal
        .readings
        .iter()
        .map(|reading| {
            let value = reading.value.as_deref().map(str::parse).transpose();
            let value = value.map_err(|_| {
                Refusal::field(
                    format!("{}[{}]", reading.name, reading.position),
                    format!("“{}”超过 28 位数字", reading.raw),
                    format!("{:?} has more than 28 digits", reading.raw),
                )
            })?;
            Ok(NewReading {
                name: reading.name.clone(),
                position: reading.position,
                raw: reading.raw.clone(),
                source: Source::File(Observed {
                    observation: reading.observation_id.as_str().into(),
                    value,
                    unit: reading.unit.clone(),
                }),
            })
        })
        .collect::<Result<_, Refusal>>()?;
    let open_questions = proposal.open_questions.clone();
    Ok(Proposed { task: proposal.task_id.as_str().into(), readings, open_questions })
}

/// Rejects a staged or unread file, with the reason. It is kept.
///
/// # Errors
/// Where it was decided about already.
pub fn reject(services: &Services, actor: &Actor, id: &InstrumentFileId, reason: &str) -> Outcome<()> {
    let reason = text::required("reason", reason, text::REMARK)?;
    let (actor, now, id) = (actor.clone(), services.clock.now(), id.clone());
    services.db.write(move |conn| {
        let institute =
            actor.institute.clone().ok_or_else(|| Refusal::new(Code::Forbidden, "仅限机构人员", "for staff only"))?;
        let file = file_of(conn, &institute, &id)?;
        if !matches!(file.state.as_str(), "staged" | "unread") {
            return Err(Refusal::new(Code::WrongState, "该文件已处理", "the file was decided about already").into());
        }
        decided(conn, &id, &actor, now, "rejected", Some(&reason))?;
        let change =
            Change::field("instrument_file.reject", "instrument_file", &id, "state", file.state.clone(), "rejected");
        record::record(conn, &actor, now, vec![change.because(&reason)])
    })
}

pub(super) fn decided(
    conn: &mut AnyConnection,
    id: &InstrumentFileId,
    actor: &Actor,
    now: chrono::DateTime<chrono::Utc>,
    state: &str,
    reason: Option<&str>,
) -> Outcome<()> {
    diesel::update(instrument_file::table.find(id))
        .set((
            instrument_file::state.eq(state),
            instrument_file::state_reason.eq(reason),
            instrument_file::decided_by.eq(&actor.account),
            instrument_file::decided_at.eq(Instant::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}
