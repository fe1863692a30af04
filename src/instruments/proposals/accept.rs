//! A person accepts or rejects a staged file.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::propose::Proposal;
use super::reject::{Decided, decided};
use super::view::view_in;
use crate::action::Services;
use crate::bench::{self, Entered, Entry, NewReading, Observed};
use crate::instruments::refusals::InstrumentRefusal;
use crate::record::{self, Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::store::Outcome;
use crate::store::columns::{InstrumentFileId, TestTaskId};
use crate::store::views::ProblemView;
use crate::text;
use crate::vocabulary::instruments::{FileEvent, ProblemSeverity};

/// How a file is accepted.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Accept {
    /// The tasks to enter; without it, all that the file proposes
    pub tasks: Option<Vec<TestTaskId>>,
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
    pub file_id: InstrumentFileId,
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
        let state = view.file.state.on(FileEvent::Accept).map_err(InstrumentRefusal::from)?;
        let reason = check_sound(view.file.complete, &view.file.problems, &new)?;
        let chosen = chosen(&view.proposals, &new)?;
        let by = Decided { state, reason: reason.as_deref(), by: &actor.account, at: now.into() };
        decided(conn, &id, &by)?;
        let mut entered = Vec::with_capacity(chosen.len());
        for proposal in chosen {
            let entry = entry_of(proposal, &new)?;
            entered.push(bench::enter_in(conn, &actor, now, &proposal.task_id, &entry)?);
        }
        let mut change =
            Change::field("file.accept", "instrument_file", &id, "state", view.file.state.as_str(), state.as_str())
                .and("confirmed_complete", (), new.confirm_complete)
                .and("tasks", (), json!(entered.iter().map(|e| &e.task_id).collect::<Vec<_>>()));
        change.reason = reason;
        record::record(conn, &actor, now, vec![change])?;
        Ok(Accepted { file_id: id.clone(), entered })
    })
}

/// An incomplete file is never accepted; one that cannot prove itself needs a person's word, and problems
/// that the adapter calls errors need a reason.
pub(super) fn check_sound(
    complete: Option<bool>,
    problems: &[ProblemView],
    new: &Accept,
) -> Result<Option<String>, Refusal> {
    match complete {
        Some(false) => {
            return Err(Refusal::new(
                Code::FileIncomplete,
                "文件不完整，不能采用",
                "the file is incomplete and cannot be used",
            )
            .with(json!({"problems": problems})));
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
    let errors: Vec<&ProblemView> =
        problems.iter().filter(|problem| problem.severity == ProblemSeverity::Error).collect();
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

fn chosen<'a>(proposals: &'a [Proposal], new: &Accept) -> Result<Vec<&'a Proposal>, Refusal> {
    let chosen: Vec<&Proposal> = match &new.tasks {
        None => proposals.iter().filter(|p| p.open_questions.is_empty()).collect(),
        Some(ids) => ids
            .iter()
            .enumerate()
            .map(|(index, id)| {
                let at = format!("tasks[{index}]");
                let found = proposals.iter().find(|p| p.task_id == *id).ok_or_else(|| {
                    Refusal::field(&at, "该文件没有此任务的值", "the file has no values for this task")
                })?;
                match found.open_questions.first() {
                    None => Ok(found),
                    Some(question) => Err(Refusal::field(
                        &at,
                        format!("尚有未决问题：{question}"),
                        format!("a question is open: {question}"),
                    )
                    .with(json!({"open_questions": found.open_questions}))),
                }
            })
            .collect::<Result<_, _>>()?,
    };
    if chosen.is_empty() {
        return Err(Refusal::field("tasks", "没有可采用的值", "there is nothing to accept"));
    }
    Ok(chosen)
}

fn entry_of(proposal: &Proposal, new: &Accept) -> Result<Entry, Refusal> {
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
                observed: Some(Observed {
                    observation: reading.observation_id.clone(),
                    value,
                    unit: reading.unit.clone(),
                }),
                evaluated: None,
            })
        })
        .collect::<Result<_, Refusal>>()?;
    Ok(Entry {
        readings,
        conforms: None,
        reagents: new.reagents.clone(),
        note: new.note.clone(),
        reason: new.reason.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::views::LocatorView;

    fn problem(severity: ProblemSeverity) -> ProblemView {
        ProblemView { code: "c".into(), severity, message: "m".into(), locator: LocatorView::default() }
    }

    fn proposal(task: &str, questions: &[&str]) -> Proposal {
        Proposal {
            task_id: task.into(),
            sample_number: "SX1".into(),
            item_code: "assay".into(),
            item_zh: "含量".into(),
            item_en: "Assay".into(),
            readings: Vec::new(),
            open_questions: questions.iter().map(|one| (*one).to_owned()).collect(),
        }
    }

    #[test]
    fn a_cut_file_is_never_accepted_and_an_unproven_one_by_a_persons_word() {
        let sure = Accept { confirm_complete: true, ..Accept::default() };
        let code = |complete, new: &Accept| check_sound(complete, &[], new).err().map(|refusal| refusal.code);
        assert_eq!(code(Some(false), &sure), Some(Code::FileIncomplete));
        assert_eq!(code(None, &Accept::default()), Some(Code::InvalidField));
        assert_eq!((code(None, &sure), code(Some(true), &Accept::default())), (None, None));
    }

    #[test]
    fn errors_want_a_reason_and_warnings_none() {
        let field = |problems: &[ProblemView], new: &Accept| {
            check_sound(Some(true), problems, new).err().and_then(|refusal| refusal.field)
        };
        assert_eq!(field(&[problem(ProblemSeverity::Warning)], &Accept::default()), None);
        let errors = [problem(ProblemSeverity::Error)];
        assert_eq!(field(&errors, &Accept::default()).as_deref(), Some("despite_problems"));
        let despite = Accept { despite_problems: Some("已核对".into()), ..Accept::default() };
        assert_eq!(check_sound(Some(true), &errors, &despite), Ok(Some("已核对".into())));
    }

    #[test]
    fn nobody_gets_past_an_open_question_by_naming_the_task() {
        let all = [proposal("a", &[]), proposal("b", &["单位"])];
        let named = |tasks: &[&str]| Accept {
            tasks: Some(tasks.iter().map(|one| TestTaskId::from(*one)).collect()),
            ..Accept::default()
        };
        let ids = |new: &Accept| -> Result<Vec<String>, Option<String>> {
            let found = chosen(&all, new).map_err(|refusal| refusal.field)?;
            Ok(found.into_iter().map(|one| one.task_id.to_string()).collect())
        };
        assert_eq!(ids(&Accept::default()), Ok(vec!["a".to_owned()]));
        assert_eq!(ids(&named(&["a"])), Ok(vec!["a".to_owned()]));
        assert_eq!(ids(&named(&["a", "b"])), Err(Some("tasks[1]".to_owned())));
        assert_eq!(ids(&named(&["c"])), Err(Some("tasks[0]".to_owned())));
        assert_eq!(ids(&named(&[])), Err(Some("tasks".to_owned())));
    }
}
