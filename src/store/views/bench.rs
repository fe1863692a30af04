//! The bench: its queue, one task, and what waits for review. None of it names the applicant.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{ImportView, Listed, Page, name_of};
use crate::store::columns::{InstituteId, TestTaskId};
use crate::store::rows::{ObservationRow, OutOfLimitDecisionRow, ReadingRow, ResultRow, TestItemRow, TestTaskRow};
use crate::store::schema::{
    account, application, batch, evaluation, evaluation_result, observation, out_of_limit_decision, product, reading,
    result, sample, test_item, test_task,
};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::TaskState;

/// Which tasks are asked for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct QueueFilter {
    /// `waiting`, `in_progress`, `entered`, `out_of_limit`, …; without it, waiting and in progress
    pub state: Option<String>,
    /// A test item by its code
    pub item: Option<String>,
    /// A sample number, or its beginning
    pub sample: Option<String>,
    /// Only the tasks of this account
    pub analyst: Option<String>,
    /// How many at most: 1 to 500, 100 without it
    pub limit: Option<i64>,
    /// How many are skipped
    pub offset: Option<i64>,
}

/// One task in the queue: by lane, then statutory due date.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QueueRow {
    pub task_id: String,
    pub sample_id: String,
    pub sample_number: String,
    pub lot_number: String,
    pub product_zh: String,
    pub product_en: String,
    pub item_code: String,
    pub item_zh: String,
    pub item_en: String,
    pub method: String,
    pub state: String,
    pub attempt: i64,
    /// 0 即收即检, 1 绿色通道, 2 常规
    pub lane_rank: i64,
    pub due: Option<String>,
    pub received_at: String,
    pub started_at: Option<String>,
    pub analyst: Option<String>,
}

/// The institute's queue.
///
/// # Errors
/// The store's failure.
pub fn queue(conn: &mut AnyConnection, institute: &InstituteId, filter: &QueueFilter) -> Outcome<Listed<QueueRow>> {
    let states: Vec<TaskState> = match filter.state.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => TaskState::parse(text).into_iter().collect(),
        None => vec![TaskState::Waiting, TaskState::InProgress],
    };
    let filtered = || {
        let mut query = test_task::table
            .inner_join(test_item::table)
            .inner_join(
                sample::table.inner_join(batch::table).inner_join(application::table.inner_join(product::table)),
            )
            .left_join(account::table)
            .filter(test_task::institute_id.eq(institute.clone()))
            .filter(test_task::state.eq_any(states.clone()))
            .into_boxed();
        if let Some(code) = filter.item.clone().filter(|text| !text.is_empty()) {
            query = query.filter(test_item::code.eq(code));
        }
        if let Some(number) = filter.sample.clone().filter(|text| !text.is_empty()) {
            // A range instead of LIKE: LIKE ignores case on one of the two databases.
            let end = format!("{number}\u{10FFFF}");
            query = query.filter(sample::number.ge(number)).filter(sample::number.lt(end));
        }
        if let Some(analyst) = filter.analyst.clone().filter(|text| !text.is_empty()) {
            query = query.filter(test_task::analyst_id.eq(analyst));
        }
        query
    };
    let total = filtered().count().get_result(conn)?;
    let rows: Vec<Picked> = filtered()
        .order((test_task::lane_rank, test_task::due, sample::number, test_item::position))
        .limit(Page::of(filter.limit, filter.offset).limit())
        .offset(Page::of(filter.limit, filter.offset).offset())
        .select((
            TestTaskRow::as_select(),
            (sample::number, sample::received_at, batch::lot_number),
            (product::name_zh, product::name_en),
            (test_item::code, test_item::name_zh, test_item::name_en, test_item::method),
            account::display_name.nullable(),
        ))
        .load(conn)?;
    Ok(Listed { total, items: rows.into_iter().map(queue_row).collect() })
}

type Picked =
    (TestTaskRow, (String, String, String), (String, String), (String, String, String, String), Option<String>);

fn queue_row((task, (number, received_at, lot), (product_zh, product_en), item, analyst): Picked) -> QueueRow {
    QueueRow {
        task_id: task.id.to_string(),
        sample_id: task.sample_id.to_string(),
        sample_number: number,
        lot_number: lot,
        product_zh,
        product_en,
        item_code: item.0,
        item_zh: item.1,
        item_en: item.2,
        method: item.3,
        state: task.state.to_string(),
        attempt: task.attempt,
        lane_rank: task.lane_rank,
        due: task.due.map(|day| day.to_string()),
        received_at,
        started_at: task.started_at.map(|at| at.to_string()),
        analyst,
    }
}

/// A result with the names of its people.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ResultView {
    #[serde(flatten)]
    pub row: ResultRow,
    pub analyst: Option<String>,
    pub reviewer: Option<String>,
    pub decision: Option<OutOfLimitDecisionRow>,
}

/// One task with everything entered for it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaskView {
    pub task: TestTaskRow,
    pub item: TestItemRow,
    pub sample_number: String,
    pub received_at: String,
    pub product_zh: String,
    pub product_en: String,
    pub analyst: Option<String>,
    /// Every version of every reading: nothing is overwritten
    pub readings: Vec<ReadingRow>,
    /// The values of instrument files that readings were taken from
    pub observations: Vec<ObservationRow>,
    pub results: Vec<ResultView>,
    /// The instrument files that the readings, also replaced ones, were taken from, and who compared them
    pub imports: Vec<ImportView>,
    /// The evaluations of sequences and plates that readings rest on
    pub evaluations: Vec<TaskEvaluation>,
    /// The other attempts of this item on this sample
    pub attempts: Vec<String>,
}

/// An evaluation that readings of a task rest on.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaskEvaluation {
    pub evaluation_id: String,
    pub result_id: String,
    pub title: String,
    pub version: i64,
    pub calculation_version: String,
}

fn evaluations_of(conn: &mut AnyConnection, readings: &[ReadingRow]) -> Outcome<Vec<TaskEvaluation>> {
    let ids: Vec<_> = readings.iter().filter_map(|row| row.evaluation_result_id.clone()).collect();
    let found: Vec<(String, String, String, i64, String)> = evaluation_result::table
        .inner_join(evaluation::table)
        .filter(evaluation_result::id.eq_any(ids))
        .order((evaluation::created_at, evaluation_result::position))
        .select((
            evaluation::id,
            evaluation_result::id,
            evaluation::title,
            evaluation::version,
            evaluation::calculation_version,
        ))
        .load(conn)?;
    let each = found.into_iter().map(|(evaluation_id, result_id, title, version, calculation_version)| {
        TaskEvaluation { evaluation_id, result_id, title, version, calculation_version }
    });
    Ok(each.collect())
}

/// One task of the institute; none of another's.
///
/// # Errors
/// The store's failure.
pub fn task(conn: &mut AnyConnection, institute: &InstituteId, id: &TestTaskId) -> Outcome<Option<TaskView>> {
    let found: Option<(TestTaskRow, TestItemRow, (String, String, String, String))> = test_task::table
        .inner_join(test_item::table)
        .inner_join(sample::table.inner_join(application::table.inner_join(product::table)))
        .filter(test_task::id.eq(id))
        .filter(application::institute_id.eq(institute))
        .select((
            TestTaskRow::as_select(),
            TestItemRow::as_select(),
            (sample::number, sample::received_at, product::name_zh, product::name_en),
        ))
        .first(conn)
        .optional()?;
    let Some((task, item, (sample_number, received_at, product_zh, product_en))) = found else { return Ok(None) };
    let readings: Vec<ReadingRow> = reading::table
        .filter(reading::test_task_id.eq(id))
        .order((reading::name, reading::position, reading::version))
        .load(conn)?;
    let seen: Vec<_> = readings.iter().filter_map(|row| row.observation_id.clone()).collect();
    let observations = observation::table.filter(observation::id.eq_any(seen)).load(conn)?;
    let rows: Vec<ResultRow> = result::table
        .filter(result::test_task_id.eq(id))
        .order(result::version)
        .select(ResultRow::as_select())
        .load(conn)?;
    let imports = super::imports(conn, id, &readings)?;
    let mut results = Vec::with_capacity(rows.len());
    for row in rows {
        results.push(result_view(conn, row)?);
    }
    let attempts: Vec<TestTaskId> = test_task::table
        .filter(test_task::sample_id.eq(&task.sample_id))
        .filter(test_task::test_item_id.eq(&task.test_item_id))
        .order(test_task::attempt)
        .select(test_task::id)
        .load(conn)?;
    Ok(Some(TaskView {
        analyst: name_of(conn, task.analyst_id.as_ref())?,
        attempts: attempts.iter().map(ToString::to_string).collect(),
        task,
        item,
        sample_number,
        received_at,
        product_zh,
        product_en,
        evaluations: evaluations_of(conn, &readings)?,
        readings,
        observations,
        results,
        imports,
    }))
}

fn result_view(conn: &mut AnyConnection, row: ResultRow) -> Outcome<ResultView> {
    let decision =
        out_of_limit_decision::table.filter(out_of_limit_decision::result_id.eq(&row.id)).first(conn).optional()?;
    Ok(ResultView {
        analyst: name_of(conn, Some(&row.analyst_id))?,
        reviewer: name_of(conn, row.reviewer_id.as_ref())?,
        decision,
        row,
    })
}

/// A result that waits for its review, or out of limit for its decision.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReviewRow {
    pub task: QueueRow,
    pub result: ResultRow,
    /// How many readings were changed after they were entered
    pub corrections: i64,
    /// How many instrument files, of those that readings rest on, no second person has compared yet
    pub imports_unchecked: usize,
    pub analyst: Option<String>,
}

/// What waits for review, by exception: out of limit first, then what was corrected, then the rest by due date.
///
/// # Errors
/// The store's failure.
pub fn to_review(
    conn: &mut AnyConnection,
    institute: &InstituteId,
    state: TaskState,
    page: Page,
) -> Outcome<Listed<ReviewRow>> {
    let filter = QueueFilter {
        state: Some(state.to_string()),
        limit: page.limit,
        offset: page.offset,
        ..QueueFilter::default()
    };
    let listed = queue(conn, institute, &filter)?;
    let mut items = Vec::with_capacity(listed.items.len());
    for task in listed.items {
        let id: TestTaskId = task.task_id.as_str().into();
        let latest: Option<ResultRow> = result::table
            .filter(result::test_task_id.eq(&id))
            .order(result::version.desc())
            .select(ResultRow::as_select())
            .first(conn)
            .optional()?;
        let Some(result) = latest else { continue };
        let corrections = reading::table
            .filter(reading::test_task_id.eq(&id))
            .filter(reading::version.gt(1))
            .count()
            .get_result(conn)?;
        let imports_unchecked = super::unchecked_imports(conn, &id)?;
        let analyst = name_of(conn, Some(&result.analyst_id))?;
        items.push(ReviewRow { analyst, task, result, corrections, imports_unchecked });
    }
    items.sort_by_key(|row| (row.result.verdict == "pass", row.corrections == 0));
    Ok(Listed { total: listed.total, items })
}
