//! A worksheet: many lines in one transaction. A line that is refused does not spoil the others.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::enter::{Entered, enter_in};
use super::readings::TaskEntry;
use super::refusals::BenchRefusal;
use crate::action::{Action, Context, Facts, Subject};
use crate::refusal::Refusal;
use crate::store::columns::TestTaskId;
use crate::store::revisions::Revised;
use crate::store::{Failure, Outcome};
use crate::vocabulary::Permission;

/// The most lines of one worksheet.
const LINES: usize = 5000;

/// Enters a worksheet: every good line is saved in one transaction, every bad one is answered with its refusal.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterWorksheet {
    pub lines: Vec<WorksheetLine>,
}

/// One line of a worksheet.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorksheetLine {
    pub task_id: TestTaskId,
    pub entry: TaskEntry,
    /// The revision of the task that the line was made on; a stale line is refused with what changed
    #[serde(default)]
    pub revision: Option<i64>,
}

/// The answer to each line, in their order.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct EnteredLines(pub Vec<EnteredLine>);

/// One line of a worksheet's answer.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EnteredLine {
    pub task_id: TestTaskId,
    pub entered: Option<Entered>,
    /// Why the line was not saved
    pub refusal: Option<Refusal>,
}

impl Action for EnterWorksheet {
    const NAME: &'static str = "worksheet.enter";
    const PERMISSION: Permission = Permission::ResultEnter;
    type Prepared = ();
    // Each line is loaded after the lines before it were saved: two lines may be of one task.
    type Loaded = ();
    type Plan = ();
    type Done = EnteredLines;

    fn load(&self, _: &mut Context<'_>, (): &()) -> Outcome<()> {
        Ok(())
    }

    fn decide(&self, _: &Facts<'_>, (): &()) -> Result<(), Refusal> {
        if self.lines.is_empty() || self.lines.len() > LINES {
            return Err(BenchRefusal::LineCount.into());
        }
        Ok(())
    }

    fn keep(&self, cx: &mut Context<'_>, (): (), (): ()) -> Outcome<EnteredLines> {
        let mut answers = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            let (entered, refusal) = match enter_line(cx, line) {
                Ok(entered) => (Some(entered), None),
                Err(Failure::Refused(refusal)) => (None, Some(*refusal)),
                Err(store) => return Err(store),
            };
            answers.push(EnteredLine { task_id: line.task_id.clone(), entered, refusal });
        }
        Ok(EnteredLines(answers))
    }
}

fn enter_line(cx: &mut Context<'_>, line: &WorksheetLine) -> Outcome<Entered> {
    if line.revision.is_some() {
        // Another institute's task is not there, whatever its revision.
        super::task::task_of(cx.conn, cx.actor, &line.task_id)?;
    }
    cx.expect(&Subject::new(Revised::Task, &line.task_id), line.revision)?;
    enter_in(cx, &line.task_id, &line.entry)
}

#[cfg(test)]
mod tests {
    use super::super::specimens::{actor, facts_of};
    use super::*;

    #[test]
    fn a_worksheet_has_lines_and_not_too_many() {
        let line = WorksheetLine { task_id: "t".into(), entry: TaskEntry::default(), revision: None };
        let of = |count: usize| {
            let sheet = EnterWorksheet { lines: vec![line.clone(); count] };
            facts_of(&actor("one"), |facts| sheet.decide(facts, &()))
        };
        assert_eq!(of(0).err().and_then(|refusal| refusal.field).as_deref(), Some("lines"));
        assert!(of(1).is_ok() && of(LINES).is_ok() && of(LINES + 1).is_err());
    }
}
