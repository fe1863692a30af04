//! Entering readings of a task: by hand, on a worksheet, from a file or an evaluation. The result is calculated as soon
//! as all readings are there.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::calculate::{self, Calculation, Reading};
use super::import_check;
use super::plausible::{self, Held};
use super::readings::{self, FormerReadings, NewReading, TaskEntry, current};
use super::refusals::BenchRefusal;
use super::task::{TaskFile, assigned, moved, open_task_of};
use crate::action::{Action, Context, Facts, Subject};
use crate::calculation::inputs::ReadingInput;
use crate::custody;
use crate::insert_all;
use crate::people::DutiesDone;
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::store::columns::{Dec, EvaluationResultId, Instant, Json, ReadingId, ResultId, TestTaskId};
use crate::store::revisions::{self, Revised};
use crate::store::rows::{ReadingRow, ResultRow};
use crate::store::schema::{evaluation, evaluation_result, reading, result, test_task};
use crate::store::{AnyConnection, Outcome, views};
use crate::vocabulary::states::TaskEvent;
use crate::vocabulary::{Duty, Permission, TaskState};

/// Enters readings of one task.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterReadings {
    pub id: TestTaskId,
    #[serde(default)]
    pub readings: Vec<NewReading>,
    /// For a finding: whether it conforms
    #[serde(default)]
    pub conforms: Option<bool>,
    /// Reagents, reference standards and equipment, as text
    #[serde(default)]
    pub reagents: String,
    #[serde(default)]
    pub note: String,
    /// Why readings are changed; needed where one is
    #[serde(default)]
    pub reason: Option<String>,
    /// Why values count that lie outside what they can be; needed where one does
    #[serde(default)]
    pub despite_range: Option<String>,
}

/// What an entry gave.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Entered {
    pub task_id: TestTaskId,
    pub state: TaskState,
    /// The result, once all readings are there
    pub result: Option<Calculation>,
    pub result_id: Option<ResultId>,
    pub version: Option<i64>,
}

/// What an entry is decided from.
pub struct Sheet {
    file: TaskFile,
    inputs: Vec<ReadingInput>,
    before: Vec<ReadingRow>,
    /// Readings of a rejected import
    void: Vec<ReadingId>,
    /// The steps of the evaluations that readings rest on or would rest on
    evaluated: Vec<EvaluatedSteps>,
    /// The version of the latest result
    version: i64,
    /// Reagents and note of the latest result
    said: (String, String),
    /// Who did what about the test
    done: DutiesDone,
}

struct EvaluatedSteps {
    result: EvaluationResultId,
    steps: Vec<String>,
}

/// Who enters, and when.
type By<'a> = (&'a Actor, DateTime<Utc>);

/// What an entry leads to.
#[derive(Debug)]
pub struct Plan {
    rows: Vec<ReadingRow>,
    calculation: Option<Calculation>,
    /// Why values count that lie outside what they can be.
    despite_range: Option<String>,
    state: TaskState,
    started_at: Option<Instant>,
}

impl Sheet {
    /// What a file or an evaluation does not say of reagents, of standards and of the test stays as somebody typed it.
    fn carried(&self, entry: &TaskEntry) -> TaskEntry {
        let kept = |new: &str, before: &str| if new.trim().is_empty() { before.to_owned() } else { new.to_owned() };
        TaskEntry {
            reagents: kept(&entry.reagents, &self.said.0),
            note: kept(&entry.note, &self.said.1),
            ..entry.clone()
        }
    }
}

impl EnterReadings {
    /// An entry of that task.
    #[must_use]
    pub fn of(id: TestTaskId, entry: TaskEntry) -> Self {
        let TaskEntry { readings, conforms, reagents, note, reason, despite_range } = entry;
        Self { id, readings, conforms, reagents, note, reason, despite_range }
    }

    fn entry(&self) -> TaskEntry {
        TaskEntry {
            readings: self.readings.clone(),
            conforms: self.conforms,
            reagents: self.reagents.clone(),
            note: self.note.clone(),
            reason: self.reason.clone(),
            despite_range: self.despite_range.clone(),
        }
    }
}

impl Action for EnterReadings {
    const NAME: &'static str = "task.enter";
    const PERMISSION: Permission = Permission::ResultEnter;
    const REPLACES: bool = true;
    type Prepared = ();
    type Loaded = Sheet;
    type Plan = Plan;
    type Done = Entered;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Task, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Sheet> {
        load(cx, &self.id, &self.entry())
    }

    fn decide(&self, facts: &Facts<'_>, sheet: &Sheet) -> Result<Plan, Refusal> {
        decide(facts, sheet, &self.entry())
    }

    fn keep(&self, cx: &mut Context<'_>, sheet: Sheet, plan: Plan) -> Outcome<Entered> {
        used(cx, &sheet)?;
        let (entered, event) = keep(cx.conn, (cx.actor, cx.now), sheet, plan, &self.entry())?;
        cx.record(event);
        Ok(entered)
    }
}

/// Enters readings of one task as a part of a larger action. Everything is checked before anything is stored, so a
/// refusal leaves no trace.
///
/// # Errors
/// Names the reading that is not as expected.
pub(super) fn enter_in(cx: &mut Context<'_>, id: &TestTaskId, entry: &TaskEntry) -> Outcome<Entered> {
    let sheet = load(cx, id, entry)?;
    let entry = &sheet.carried(entry);
    let facts = Facts { actor: cx.actor, now: cx.now, regulation: &cx.services.regulation };
    let plan = decide(&facts, &sheet, entry)?;
    used(cx, &sheet)?;
    let (entered, event) = keep(cx.conn, (cx.actor, cx.now), sheet, plan, entry)?;
    cx.record(event);
    Ok(entered)
}

/// Entering starts a task that waits: what the test uses up is taken with it.
fn used(cx: &mut Context<'_>, sheet: &Sheet) -> Outcome<()> {
    let TaskFile { task, item, sample, .. } = &sheet.file;
    if task.state == TaskState::Waiting { custody::use_up(cx, sample, task, item) } else { Ok(()) }
}

fn load(cx: &mut Context<'_>, id: &TestTaskId, entry: &TaskEntry) -> Outcome<Sheet> {
    let file = open_task_of(cx.conn, cx.actor, id)?;
    let conn = &mut *cx.conn;
    let inputs = readings::inputs_of(&file)?;
    let before = current(conn, id)?;
    let void = import_check::rejected(conn, id, &before)?;
    let rests_on = before.iter().filter_map(|row| row.evaluation_result_id.clone());
    let rests_on = rests_on.chain(entry.readings.iter().filter_map(|new| new.source.evaluation()));
    let evaluated = evaluated_steps(conn, rests_on.collect())?;
    let latest: Option<(i64, String, String)> = result::table
        .filter(result::test_task_id.eq(id))
        .order(result::version.desc())
        .select((result::version, result::reagents, result::note))
        .first(conn)
        .optional()?;
    let (version, reagents, note) = latest.unwrap_or_default();
    // Of what nobody has entered, nobody has reviewed, checked or decided anything.
    let facts = if before.is_empty() { Vec::new() } else { views::duties_of_task(conn, id)? };
    let done = DutiesDone { facts, more: cx.services.site.apart.clone() };
    Ok(Sheet { file, inputs, before, void, evaluated, version, said: (reagents, note), done })
}

/// The steps of evaluations, so that they are kept with the result.
fn evaluated_steps(conn: &mut AnyConnection, ids: Vec<EvaluationResultId>) -> Outcome<Vec<EvaluatedSteps>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found: Vec<(EvaluationResultId, String, i64, String, String, Json)> = evaluation_result::table
        .inner_join(evaluation::table)
        .filter(evaluation_result::id.eq_any(ids))
        .order((evaluation_result::evaluation_id, evaluation_result::position))
        .select((
            evaluation_result::id,
            evaluation::title,
            evaluation::version,
            evaluation::method_id,
            evaluation::calculation_version,
            evaluation_result::steps,
        ))
        .load(conn)?;
    let mut all = Vec::with_capacity(found.len());
    for (result, title, version, method, calculation, list) in found {
        let head = format!("评价“{title}”第 {version} 版（方法 {method}，计算程序 {calculation}）");
        let list: Vec<String> = list.stored("evaluation_result", "steps", &result)?;
        all.push(EvaluatedSteps { result, steps: std::iter::once(head).chain(list).collect() });
    }
    Ok(all)
}

fn decide(facts: &Facts<'_>, sheet: &Sheet, new: &TaskEntry) -> Result<Plan, Refusal> {
    let (actor, now) = (facts.actor, facts.now);
    let (file, task) = (&sheet.file, &sheet.file.task);
    if task.state == TaskState::InProgress && task.analyst_id.as_ref() != Some(&actor.account) {
        return Err(BenchRefusal::OthersTask.into());
    }
    assigned(task, &actor.account)?;
    sheet.done.allow(Duty::Entry, &actor.account)?;
    let before = FormerReadings { current: &sheet.before, void: &sheet.void };
    let mut rows = readings::checked(file, &sheet.inputs, &before, new, &actor.account, now)?;
    let all = after(sheet, &rows);
    let mut calculation = calculate::calculate(&file.item, &sheet.inputs, &as_read(&all), new.conforms)?;
    let seen = Held { ranges: facts.regulation.ranges(), item: &file.item, inputs: &sheet.inputs };
    let despite_range = plausible::judged(&seen, &mut rows, &all, calculation.as_mut(), new.despite_range.as_deref())?;
    if let Some(calculation) = &mut calculation {
        let converted = all.iter().filter_map(|row| Some((row, row.conversion.as_deref()?)));
        let converted = converted.map(|(row, how)| format!("{}[{}]：{how}（单位换算）", row.name, row.position));
        calculation.steps.splice(0..0, steps_of(sheet, &all).into_iter().chain(converted));
    }
    let waiting = task.state == TaskState::Waiting;
    let mut state = if waiting { file.after(TaskEvent::Start)? } else { task.state };
    if calculation.is_some() {
        state = moved(state, TaskEvent::Enter)?;
    }
    // A task that waits again was started before: it keeps its start.
    let started_at = task.started_at.clone().or_else(|| waiting.then(|| now.into()));
    Ok(Plan { rows, calculation, despite_range, state, started_at })
}

/// The readings that count after an entry: one of a rejected import stays in the record and counts no more.
fn after(sheet: &Sheet, rows: &[ReadingRow]) -> Vec<ReadingRow> {
    let replaced = |old: &ReadingRow| rows.iter().any(|row| (&row.name, row.position) == (&old.name, old.position));
    let kept = sheet.before.iter().filter(|old| !sheet.void.contains(&old.id) && !replaced(old));
    kept.chain(rows).cloned().collect()
}

fn as_read(rows: &[ReadingRow]) -> Vec<Reading> {
    let read = |row: &ReadingRow| Reading {
        name: row.name.clone(),
        position: row.position,
        raw: row.raw.clone(),
        value: row.value.as_ref().map(Dec::decimal),
    };
    rows.iter().map(read).collect()
}

/// The steps of the evaluations that these readings rest on, each once.
fn steps_of(sheet: &Sheet, rows: &[ReadingRow]) -> Vec<String> {
    let mut steps: Vec<String> = Vec::new();
    let used = |one: &&EvaluatedSteps| rows.iter().any(|row| row.evaluation_result_id.as_ref() == Some(&one.result));
    for step in sheet.evaluated.iter().filter(used).flat_map(|one| &one.steps) {
        if !steps.contains(step) {
            steps.push(step.clone());
        }
    }
    steps
}

fn keep(
    conn: &mut AnyConnection,
    (actor, now): By<'_>,
    sheet: Sheet,
    plan: Plan,
    new: &TaskEntry,
) -> Outcome<(Entered, Change)> {
    let task = &sheet.file.task;
    let stored = plan.calculation.as_ref().map(|found| result_row(&sheet, (found, &plan), new, (actor, now)));
    insert_all!(conn, reading::table, &plan.rows)?;
    if let Some(row) = &stored {
        diesel::insert_into(result::table).values(row).execute(conn)?;
    }
    diesel::update(test_task::table.find(&task.id))
        .set((
            test_task::state.eq(plan.state),
            test_task::started_at.eq(&plan.started_at),
            test_task::analyst_id.eq(&actor.account),
        ))
        .execute(conn)?;
    let revision = revisions::current(conn, Revised::Task, task.id.as_str())?;
    let event = event(&sheet, &plan, stored.as_ref(), new).and("version", sheet.file.revision, revision);
    let entered = Entered {
        task_id: task.id.clone(),
        state: plan.state,
        result: plan.calculation,
        version: stored.as_ref().map(|row| row.version),
        result_id: stored.map(|row| row.id),
    };
    Ok((entered, event))
}

fn event(sheet: &Sheet, plan: &Plan, stored: Option<&ResultRow>, new: &TaskEntry) -> Change {
    let task = &sheet.file.task;
    let (old, state) = (task.state.as_str(), plan.state.as_str());
    let mut change = Change::field(EnterReadings::NAME, "test_task", &task.id, "state", old, state);
    for row in &plan.rows {
        let old = sheet.before.iter().find(|old| (&old.name, old.position) == (&row.name, row.position));
        let field = format!("{}[{}]", row.name, row.position);
        change.add(&field, old.map(|old| old.raw.clone()), row.raw.clone());
    }
    if let Some(row) = stored {
        change.add("result", (), json!({"version": row.version, "reported": row.reported, "verdict": row.verdict}));
        if !row.outside.is_empty_list() {
            change.add("outside_range", (), json!(row.outside));
        }
    }
    if let Some(reason) = &plan.despite_range {
        change.add("despite_range", (), reason.clone());
    }
    change.reason.clone_from(&new.reason);
    change
}

fn result_row(
    sheet: &Sheet,
    (calculation, plan): (&Calculation, &Plan),
    new: &TaskEntry,
    (actor, now): By<'_>,
) -> ResultRow {
    let item = &sheet.file.item;
    ResultRow {
        id: ResultId::new(),
        test_task_id: sheet.file.task.id.clone(),
        version: sheet.version + 1,
        calculated: calculation.calculated.clone(),
        reported: calculation.reported.clone(),
        unit: item.unit.clone(),
        limit_text: item.limit_text.clone(),
        compare_by: item.compare_by,
        verdict: calculation.verdict,
        steps: Json::of(&calculation.steps),
        reagents: new.reagents.trim().to_owned(),
        note: new.note.trim().to_owned(),
        analyst_id: actor.account.clone(),
        entered_at: now.into(),
        reviewer_id: None,
        reviewed_at: None,
        review_outcome: None,
        review_note: None,
        outside: Json::of(&calculation.outside),
        despite_range: plan.despite_range.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::specimens::{actor, facts_of, sheet_file};
    use super::*;

    fn sheet(state: TaskState, analyst: &str) -> Sheet {
        let file = sheet_file(state, analyst);
        let inputs = readings::inputs_of(&file).expect("the item's inputs");
        Sheet {
            file,
            inputs,
            before: Vec::new(),
            void: Vec::new(),
            evaluated: Vec::new(),
            version: 0,
            said: <(String, String)>::default(),
            done: DutiesDone::default(),
        }
    }

    fn entered(who: &Actor, sheet: &Sheet, entry: &TaskEntry) -> Result<Plan, Refusal> {
        facts_of(who, |facts| decide(facts, sheet, entry))
    }

    fn typed(raw: &str, reason: Option<&str>) -> TaskEntry {
        let source = readings::Source::Typed;
        let reading = NewReading { name: "x".into(), position: 1, raw: raw.into(), source };
        TaskEntry { readings: vec![reading], reason: reason.map(str::to_owned), ..TaskEntry::default() }
    }

    #[test]
    fn a_complete_entry_starts_the_task_and_gives_its_result() {
        let one = actor("one");
        let plan = entered(&one, &sheet(TaskState::Waiting, ""), &typed("99.84", None));
        let plan = plan.expect("a complete entry");
        assert_eq!((plan.state, plan.rows.len()), (TaskState::Entered, 1));
        assert!(plan.started_at.is_some());
        let result = plan.calculation.expect("its result");
        assert_eq!((result.reported.as_str(), result.verdict.as_str()), ("99.8", "pass"));
    }

    #[test]
    fn nobody_enters_what_somebody_else_works_on() {
        let (one, two) = (actor("one"), actor("two"));
        let of = |who| entered(who, &sheet(TaskState::InProgress, "one"), &typed("99", None));
        assert_eq!(of(&two).err(), Some(BenchRefusal::OthersTask.into()));
        assert!(of(&one).is_ok());
    }

    #[test]
    fn a_correction_needs_a_reason_and_is_a_version_of_its_own() {
        let two = actor("two");
        let mut sheet = sheet(TaskState::Waiting, "");
        sheet.before = entered(&two, &sheet, &typed("99.8", None)).expect("an entry").rows;
        sheet.file.task.state = TaskState::Entered;
        let again = |raw, reason| entered(&two, &sheet, &typed(raw, reason));
        assert_eq!(again("99.9", None).err().and_then(|refusal| refusal.field).as_deref(), Some("reason"));
        let corrected = again("99.9", Some("笔误")).expect("a correction with its reason");
        assert_eq!(corrected.rows.first().map(|row| row.version), Some(2));
        let same = again("99.8", None).expect("what did not change needs no reason");
        assert!(same.rows.is_empty());
    }

    #[test]
    fn a_reading_of_a_rejected_import_counts_no_more() {
        let one = actor("one");
        let mut sheet = sheet(TaskState::Waiting, "");
        sheet.before = entered(&one, &sheet, &typed("99.8", None)).expect("an entry").rows;
        sheet.void = sheet.before.iter().map(|row| row.id.clone()).collect();
        let nothing = entered(&one, &sheet, &TaskEntry::default()).expect("no reading");
        assert_eq!((nothing.state, nothing.calculation.is_none()), (TaskState::InProgress, true));
        let again = entered(&one, &sheet, &typed("99.8", Some("重新录入")));
        assert_eq!(again.expect("the same text, entered anew").rows.len(), 1);
    }

    #[test]
    fn a_finding_needs_its_verdict_and_a_number_is_a_number() {
        let one = actor("one");
        let refused = entered(&one, &sheet(TaskState::Waiting, ""), &typed("9,9", None));
        assert_eq!(refused.err().and_then(|refusal| refusal.field).as_deref(), Some("readings[0].raw"));
    }
}
