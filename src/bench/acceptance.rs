//! The one way of values from files and evaluations into tasks: what is proposed, which tasks were asked for, and what
//! is still open about each. Nothing passes its open questions, whoever asks for it.

use super::enter::{Entered, enter_in};
use super::readings::{NewReading, TaskEntry};
use super::refusals::BenchRefusal;
use crate::action::Context;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::TestTaskId;

/// What a file or an evaluation would enter for one task.
#[derive(Clone, Debug)]
pub struct ProposedReadings {
    /// The task.
    pub task: TestTaskId,
    /// Its readings, each with the place that it comes from.
    pub readings: Vec<NewReading>,
    /// What keeps them from being entered.
    pub open_questions: Vec<String>,
}

/// Chooses what is entered: without `asked`, everything that has no open question; else the tasks that were asked for,
/// in their order. `words` is what every entry says beside its readings.
///
/// # Errors
/// Names the task that is not proposed, or that has an open question, with the question; or says that nothing is left.
pub fn accept(
    proposed: Vec<ProposedReadings>,
    asked: Option<&[TestTaskId]>,
    words: &TaskEntry,
) -> Result<Vec<(TestTaskId, TaskEntry)>, Refusal> {
    let chosen: Vec<ProposedReadings> = match asked {
        None => proposed.into_iter().filter(|one| one.open_questions.is_empty()).collect(),
        Some(ids) => {
            ids.iter().enumerate().map(|(index, id)| pick(&proposed, index, id)).collect::<Result<_, BenchRefusal>>()?
        }
    };
    if chosen.is_empty() {
        return Err(BenchRefusal::NothingToAccept.into());
    }
    let entry = |one: ProposedReadings| (one.task, TaskEntry { readings: one.readings, ..words.clone() });
    Ok(chosen.into_iter().map(entry).collect())
}

fn pick(proposed: &[ProposedReadings], index: usize, id: &TestTaskId) -> Result<ProposedReadings, BenchRefusal> {
    let found = proposed.iter().find(|one| one.task == *id).ok_or(BenchRefusal::NoValues { index })?;
    match found.open_questions.as_slice() {
        [] => Ok(found.clone()),
        questions => Err(BenchRefusal::OpenQuestions { index, task: id.clone(), questions: questions.to_vec() }),
    }
}

/// Enters what was chosen, in the transaction of the action that accepts.
///
/// # Errors
/// Names the reading that is not as expected; then the whole acceptance is refused.
pub fn enter_proposed(cx: &mut Context<'_>, entries: &[(TestTaskId, TaskEntry)]) -> Outcome<Vec<Entered>> {
    entries.iter().map(|(task, entry)| enter_in(cx, task, entry)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proposed(task: &str, open: &[&str]) -> ProposedReadings {
        let open_questions = open.iter().map(|text| (*text).to_owned()).collect();
        ProposedReadings { task: task.into(), readings: Vec::new(), open_questions }
    }

    fn accepted(asked: Option<&[&str]>) -> Result<Vec<String>, Refusal> {
        let all = vec![proposed("a", &[]), proposed("b", &["单位不明 / the unit is not known"]), proposed("c", &[])];
        let asked: Option<Vec<TestTaskId>> = asked.map(|ids| ids.iter().map(|id| (*id).into()).collect());
        let words = TaskEntry { note: "批量".into(), ..TaskEntry::default() };
        let entries = accept(all, asked.as_deref(), &words)?;
        assert!(entries.iter().all(|(_, entry)| entry.note == "批量"));
        Ok(entries.into_iter().map(|(task, _)| task.to_string()).collect())
    }

    #[test]
    fn without_asking_only_what_has_no_open_question_is_accepted() {
        assert_eq!(accepted(None), Ok(vec!["a".to_owned(), "c".to_owned()]));
    }

    #[test]
    fn naming_a_task_does_not_pass_its_open_question() {
        let refused = accepted(Some(&["a", "b"])).expect_err("b has an open question");
        assert_eq!(refused.field.as_deref(), Some("tasks[1]"));
        assert!(refused.message_zh.contains("单位不明") && refused.message_en.contains("the unit is not known"));
        assert!(!refused.message_en.contains("单位"));
    }

    #[test]
    fn what_is_asked_for_must_be_proposed_and_something_must_be_left() {
        assert_eq!(accepted(Some(&["c", "a"])), Ok(vec!["c".to_owned(), "a".to_owned()]));
        assert_eq!(accepted(Some(&["z"])).err(), Some(BenchRefusal::NoValues { index: 0 }.into()));
        assert_eq!(accepted(Some(&[])).err(), Some(BenchRefusal::NothingToAccept.into()));
    }
}
