//! The lists of the bench: the queue by lane and due date, and what waits for review, exceptions first. A page costs a
//! constant number of statements, however many rows it has.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Reader;
use super::bench::{ResultView, results};
use super::keyset::{self, COUNTED, Part};
use crate::on_each;
use crate::refusal::Refusal;
use crate::store::columns::{AccountId, Day, Instant, InstituteId, ResultId, SampleId, TestTaskId};
use crate::store::rows::{ResultRow, TestTaskRow};
use crate::store::schema::{account, application, batch, product, result, sample, test_item, test_task};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::{CaseState, TaskState};

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
    /// What the part before gave as `next`
    pub after: Option<String>,
    /// How many are skipped, at most 10 000; `after` goes on without a bound
    pub offset: Option<i64>,
}

/// Which results are asked for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct ReviewFilter {
    /// `entered` (for review, without it) or `out_of_limit` (for a decision)
    pub state: Option<String>,
    /// How many at most: 1 to 500, 100 without it
    pub limit: Option<i64>,
    /// What the part before gave as `next`
    pub after: Option<String>,
    /// How many are skipped, at most 10 000
    pub offset: Option<i64>,
}

/// One task in the queue: by lane, then statutory due date.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct QueueRow {
    pub task_id: TestTaskId,
    pub sample_id: SampleId,
    pub sample_number: String,
    pub lot_number: String,
    pub product_zh: String,
    pub product_en: String,
    pub item_code: String,
    pub item_zh: String,
    pub item_en: String,
    pub method: String,
    pub state: TaskState,
    pub attempt: i64,
    /// 0 即收即检, 1 绿色通道, 2 常规
    pub lane_rank: i64,
    pub due: Option<Day>,
    pub received_at: Instant,
    pub started_at: Option<Instant>,
    pub analyst: Option<String>,
    /// What a change of the task is made on
    pub revision: i64,
}

/// A result that waits for its review, or out of specification for its decision.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReviewRow {
    pub task: QueueRow,
    pub result: ResultView,
    /// How many readings were changed after they were entered
    pub corrections: i64,
    /// How many instrument files, of those that readings rest on, no second person has compared yet
    pub imports_unchecked: i64,
    pub analyst: Option<String>,
}

/// The ranks of the lanes.
const LANES: [i64; 3] = [0, 1, 2];

/// The place of a task in the queue: by lane, due date (those without one last), when it became available, id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    lane: i64,
    undated: bool,
    due: Option<Day>,
    at: Instant,
    id: TestTaskId,
}

impl From<(i64, Option<Day>, Instant, TestTaskId)> for Place {
    fn from((lane, due, at, id): (i64, Option<Day>, Instant, TestTaskId)) -> Self {
        Self { lane, undated: due.is_none(), due, at, id }
    }
}

impl Place {
    fn cursor(&self) -> String {
        let due = self.due.as_ref().map_or("", Day::as_str);
        format!("{}~{due}~{}~{}", self.lane, self.at, self.id)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, '~');
        let (lane, due) = (parts.next()?.parse().ok()?, parts.next()?);
        let (at, id) = (parts.next()?, parts.next()?);
        let due = match due {
            "" => None,
            text => Some(text.parse::<chrono::NaiveDate>().ok()?.into()),
        };
        let at = chrono::DateTime::parse_from_rfc3339(at).ok()?.to_utc();
        (!id.is_empty()).then(|| Self::from((lane, due, at.into(), id.into())))
    }
}

fn no_cursor() -> Refusal {
    Refusal::field("after", "应为上一页给出的 next", "expected what the part before gave as `next`")
}

fn given(text: Option<&String>) -> Option<&String> {
    text.filter(|text| !text.is_empty())
}

/// The tasks of the institute that the filter leaves of those in some states, as a boxed query to go on with.
macro_rules! filtered {
    ($institute:expr, $in_states:expr, $filter:expr) => {{
        let mut query = test_task::table.filter(test_task::institute_id.eq($institute)).filter($in_states).into_boxed();
        if let Some(code) = given($filter.item.as_ref()) {
            let items = test_item::table.filter(test_item::code.eq(code.clone())).select(test_item::id);
            query = query.filter(test_task::test_item_id.eq_any(items));
        }
        if let Some(number) = given($filter.sample.as_ref()) {
            // A range instead of LIKE: LIKE ignores case on one of the two databases.
            // Our numbers are in capitals, whatever a scanner or an input method makes of them.
            let number = crate::text::codes::code(number).to_uppercase();
            let end = format!("{number}\u{10FFFF}");
            let samples =
                sample::table.filter(sample::number.ge(number)).filter(sample::number.lt(end)).select(sample::id);
            query = query.filter(test_task::sample_id.eq_any(samples));
        }
        if let Some(analyst) = given($filter.analyst.as_ref()) {
            query = query.filter(test_task::analyst_id.eq(analyst.clone()));
        }
        query
    }};
}

/// The queue of the reader's institute.
///
/// # Errors
/// Names a state that does not exist or a cursor that this list did not give; the store's failure.
pub fn queue(conn: &mut AnyConnection, reader: &Reader, filter: &QueueFilter) -> Outcome<Part<QueueRow>> {
    let states: Vec<TaskState> = match given(filter.state.as_ref()) {
        Some(text) => vec![crate::text::word("state", text, TaskState::parse)?],
        None => TaskState::ON_BENCH.to_vec(),
    };
    let (limit, offset) = (keyset::limit(filter.limit), keyset::offset(filter.offset)?);
    let after = given(filter.after.as_ref()).map(|text| Place::parse(text).ok_or_else(no_cursor)).transpose()?;
    let Some(institute) = reader.institute() else {
        return Ok(Part { total: 0, total_at_least: false, items: Vec::new(), next: None });
    };
    let total = filtered!(institute, test_task::state.eq_any(&states), filter)
        .select(test_task::id)
        .offset(COUNTED)
        .limit(1)
        .first::<TestTaskId>(conn)
        .optional()?;
    let (total, total_at_least) = match total {
        Some(_) => (COUNTED, true),
        None => (filtered!(institute, test_task::state.eq_any(&states), filter).count().get_result(conn)?, false),
    };
    let mut places = places(conn, institute, &states, filter, after.as_ref(), offset + limit + 1)?;
    places.drain(..usize::try_from(offset).unwrap_or(usize::MAX).min(places.len()));
    let next = keyset::next(&mut places, limit, Place::cursor);
    let mut rows = rows(conn, places.iter().map(|place| &place.id))?;
    let items = places.iter().filter_map(|place| rows.remove(&place.id)).collect();
    Ok(Part { total, total_at_least, items, next })
}

/// The first places behind `after`, in order. Each lane is read by state, those with a due date and those without, so
/// that the index gives every part in its order and both databases agree where tasks without a due date belong.
fn places(
    conn: &mut AnyConnection,
    institute: &InstituteId,
    states: &[TaskState],
    filter: &QueueFilter,
    after: Option<&Place>,
    most: i64,
) -> Outcome<Vec<Place>> {
    let mut found: Vec<Place> = Vec::new();
    for (lane, undated) in LANES.into_iter().flat_map(|lane| [(lane, false), (lane, true)]) {
        for state in states {
            let mut query = filtered!(institute, test_task::state.eq(*state), filter)
                .filter(test_task::lane_rank.eq(lane))
                .order((test_task::due, test_task::available_at, test_task::id))
                .limit(most)
                .select((test_task::lane_rank, test_task::due, test_task::available_at, test_task::id));
            query = match undated {
                true => query.filter(test_task::due.is_null()),
                false => query.filter(test_task::due.is_not_null()),
            };
            if let Some(place) = after {
                let later = test_task::available_at
                    .gt(place.at.clone())
                    .or(test_task::available_at.eq(place.at.clone()).and(test_task::id.gt(place.id.clone())));
                query = match ((lane, undated).cmp(&(place.lane, place.undated)), &place.due) {
                    (std::cmp::Ordering::Less, _) => continue,
                    (std::cmp::Ordering::Greater, _) => query,
                    // The plain bound is where the index begins to be read; the rest tells equals apart.
                    (std::cmp::Ordering::Equal, None) => {
                        query.filter(test_task::available_at.ge(place.at.clone())).filter(later)
                    }
                    (std::cmp::Ordering::Equal, Some(due)) => query.filter(test_task::due.ge(due.clone())).filter(
                        test_task::due.gt(due.clone()).or(test_task::due.eq(due.clone()).and(later.nullable())),
                    ),
                };
            }
            let part: Vec<(i64, Option<Day>, Instant, TestTaskId)> = query.load(conn)?;
            found.extend(part.into_iter().map(Place::from));
        }
    }
    found.sort();
    found.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    Ok(found)
}

/// The first task that waits, of a case that is worked on.
///
/// # Errors
/// The store's failure.
pub fn first_waiting(
    conn: &mut AnyConnection,
    institute: &InstituteId,
    who: &AccountId,
) -> Outcome<Option<TestTaskId>> {
    for (lane, undated) in LANES.into_iter().flat_map(|lane| [(lane, false), (lane, true)]) {
        let waiting = test_task::table
            .inner_join(sample::table.inner_join(application::table))
            .filter(test_task::institute_id.eq(institute))
            .filter(test_task::state.eq(TaskState::Waiting))
            .filter(test_task::assigned_to.is_null().or(test_task::assigned_to.eq(who)))
            .filter(test_task::lane_rank.eq(lane))
            .filter(application::state.eq(CaseState::Testing))
            .order((test_task::due, test_task::available_at, test_task::id))
            .select(test_task::id)
            .into_boxed();
        let waiting = match undated {
            true => waiting.filter(test_task::due.is_null()),
            false => waiting.filter(test_task::due.is_not_null()),
        };
        let found: Option<TestTaskId> = waiting.first(conn).optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

type Picked =
    (TestTaskRow, i64, (String, Instant, String), (String, String), (String, String, String, String), Option<String>);

/// The rows of tasks, in one statement.
fn rows<'a>(
    conn: &mut AnyConnection,
    ids: impl Iterator<Item = &'a TestTaskId>,
) -> Outcome<BTreeMap<TestTaskId, QueueRow>> {
    let picked: Vec<Picked> = test_task::table
        .inner_join(test_item::table)
        .inner_join(sample::table.inner_join(batch::table).inner_join(application::table.inner_join(product::table)))
        .left_join(account::table)
        .filter(test_task::id.eq_any(ids))
        .select((
            TestTaskRow::as_select(),
            test_task::revision,
            (sample::number, sample::received_at, batch::lot_number),
            (product::name_zh, product::name_en),
            (test_item::code, test_item::name_zh, test_item::name_en, test_item::method),
            account::display_name.nullable(),
        ))
        .load(conn)?;
    Ok(picked.into_iter().map(queue_row).map(|row| (row.task_id.clone(), row)).collect())
}

fn queue_row(picked: Picked) -> QueueRow {
    let (task, revision, (number, received_at, lot), (product_zh, product_en), item, analyst) = picked;
    QueueRow {
        task_id: task.id,
        sample_id: task.sample_id,
        sample_number: number,
        lot_number: lot,
        product_zh,
        product_en,
        item_code: item.0,
        item_zh: item.1,
        item_en: item.2,
        method: item.3,
        state: task.state,
        attempt: task.attempt,
        lane_rank: task.lane_rank,
        due: task.due,
        received_at,
        started_at: task.started_at,
        analyst,
        revision,
    }
}

/// The tasks of an institute in one state with their latest results and what is exceptional about them, exceptions
/// first. Each parameter is named once: SQLite counts them by their first appearance.
const EXCEPTIONS_FIRST: &str = "
SELECT * FROM (
    SELECT
        t.id AS id,
        r.id AS result_id,
        t.lane_rank AS lane_rank,
        t.due AS due,
        t.available_at AS available_at,
        CAST(CASE WHEN r.outside = '[]' THEN 0 ELSE 1 END AS BIGINT) AS outside,
        CAST(CASE WHEN r.verdict = 'pass' THEN 0 ELSE 1 END AS BIGINT) AS failing,
        (SELECT COUNT(*) FROM reading c WHERE c.test_task_id = t.id AND c.version > 1) AS corrections,
        (SELECT COUNT(DISTINCT o.instrument_file_id)
            FROM reading g JOIN observation o ON o.id = g.observation_id
            WHERE g.test_task_id = t.id
            AND NOT EXISTS (SELECT 1 FROM reading later WHERE later.test_task_id = g.test_task_id
                AND later.name = g.name AND later.position = g.position AND later.version > g.version)
            AND (NOT EXISTS (SELECT 1 FROM import_check k WHERE k.instrument_file_id = o.instrument_file_id
                    AND k.outcome = 'ok' AND (k.test_task_id IS NULL OR k.test_task_id = t.id))
                OR EXISTS (SELECT 1 FROM import_check k WHERE k.instrument_file_id = o.instrument_file_id
                    AND k.outcome = 'rejected' AND (k.test_task_id IS NULL OR k.test_task_id = t.id)))
        ) AS imports_unchecked
    FROM test_task t
    JOIN result r ON r.test_task_id = t.id
        AND r.version = (SELECT MAX(l.version) FROM result l WHERE l.test_task_id = t.id)
    WHERE t.institute_id = $1 AND t.state = $2
) q
ORDER BY q.outside DESC, q.failing DESC, q.corrections = 0, q.imports_unchecked = 0,
    q.lane_rank, q.due IS NULL, q.due, q.available_at, q.id
LIMIT 10001";

#[derive(QueryableByName)]
struct Waiting {
    #[diesel(sql_type = Text)]
    id: TestTaskId,
    #[diesel(sql_type = Text)]
    result_id: ResultId,
    #[diesel(sql_type = BigInt)]
    lane_rank: i64,
    #[diesel(sql_type = Nullable<Text>)]
    due: Option<Day>,
    #[diesel(sql_type = Text)]
    available_at: Instant,
    #[diesel(sql_type = BigInt)]
    outside: i64,
    #[diesel(sql_type = BigInt)]
    failing: i64,
    #[diesel(sql_type = BigInt)]
    corrections: i64,
    #[diesel(sql_type = BigInt)]
    imports_unchecked: i64,
}

/// The place of a result among those that wait: what lies outside its range first, then out of specification, then what was corrected, then what rests on
/// an import that nobody has checked; among equals as in the queue.
type ReviewPlace = (Exceptions, Place);

/// Outside its range, out of specification, corrected, unchecked.
type Exceptions = [Reverse<bool>; 4];

impl Waiting {
    fn place(&self) -> ReviewPlace {
        let place = Place::from((self.lane_rank, self.due.clone(), self.available_at.clone(), self.id.clone()));
        let counts = [self.outside, self.failing, self.corrections, self.imports_unchecked];
        (counts.map(|count| Reverse(count > 0)), place)
    }

    fn cursor(&self) -> String {
        let (exceptions, place) = self.place();
        let flags: String = exceptions.iter().map(|flag| if flag.0 { '1' } else { '0' }).collect();
        format!("{flags}~{}", place.cursor())
    }
}

fn review_place(text: &str) -> Option<ReviewPlace> {
    let (flags, place) = text.split_once('~')?;
    let flag = |at: usize| match flags.as_bytes().get(at) {
        Some(b'0') => Some(Reverse(false)),
        Some(b'1') => Some(Reverse(true)),
        _ => None,
    };
    (flags.len() == 4).then_some(())?;
    Some(([flag(0)?, flag(1)?, flag(2)?, flag(3)?], Place::parse(place)?))
}

/// What waits for review or for a decision, by exception: what lies outside its range first, then out of
/// specification, then what was corrected, then what rests on an unchecked import, then the rest by due date. Four statements, however many rows.
///
/// # Errors
/// Names a state that does not exist or a cursor that this list did not give; the store's failure.
pub fn to_review(conn: &mut AnyConnection, reader: &Reader, filter: &ReviewFilter) -> Outcome<Part<ReviewRow>> {
    let state = given(filter.state.as_ref()).map_or(TaskState::Entered.as_str(), String::as_str);
    let waits = |state: &TaskState| TaskState::UNDER_REVIEW.contains(state);
    let state = crate::text::word("state", state, |word| TaskState::parse(word).filter(waits))?;
    let (limit, offset) = (keyset::limit(filter.limit), keyset::offset(filter.offset)?);
    let after = given(filter.after.as_ref()).map(|text| review_place(text).ok_or_else(no_cursor)).transpose()?;
    let Some(institute) = reader.institute() else {
        return Ok(Part { total: 0, total_at_least: false, items: Vec::new(), next: None });
    };
    let mut waiting: Vec<Waiting> = on_each!(conn, c => diesel::sql_query(EXCEPTIONS_FIRST)
        .bind::<Text, _>(institute.as_str())
        .bind::<Text, _>(state.as_str())
        .load(c))?;
    let all = i64::try_from(waiting.len()).unwrap_or(i64::MAX);
    if let Some(place) = after {
        waiting.retain(|one| one.place() > place);
    }
    waiting.drain(..usize::try_from(offset).unwrap_or(usize::MAX).min(waiting.len()));
    let next = keyset::next(&mut waiting, limit, Waiting::cursor);
    let mut tasks = rows(conn, waiting.iter().map(|one| &one.id))?;
    let found: Vec<(ResultRow, i64)> = result::table
        .filter(result::id.eq_any(waiting.iter().map(|one| &one.result_id)))
        .select((ResultRow::as_select(), result::revision))
        .load(conn)?;
    let mut results: BTreeMap<ResultId, ResultView> =
        results(conn, found)?.into_iter().map(|one| (one.id.clone(), one)).collect();
    let row = |one: &Waiting| {
        let (task, result) = (tasks.remove(&one.id)?, results.remove(&one.result_id)?);
        let (corrections, imports_unchecked, analyst) =
            (one.corrections, one.imports_unchecked, result.analyst.clone());
        Some(ReviewRow { task, result, corrections, imports_unchecked, analyst })
    };
    let items = waiting.iter().filter_map(row).collect();
    Ok(Part { total: all.min(COUNTED), total_at_least: all > COUNTED, items, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(lane: i64, due: Option<&str>, id: &str) -> Place {
        let due = due.and_then(|text| text.parse::<chrono::NaiveDate>().ok()).map(Day::from);
        Place::from((lane, due, chrono::DateTime::UNIX_EPOCH.into(), id.into()))
    }

    #[test]
    fn tasks_without_a_due_date_come_last_in_their_lane() {
        let mut all = [
            place(1, None, "d"),
            place(0, None, "b"),
            place(1, Some("2026-03-01"), "c"),
            place(0, Some("2026-04-01"), "a"),
        ];
        all.sort();
        assert_eq!(all.map(|place| place.id.to_string()), ["a", "b", "c", "d"]);
    }

    #[test]
    fn a_cursor_goes_out_and_comes_back() {
        for one in [place(1, Some("2026-03-01"), "t"), place(2, None, "u~v")] {
            assert_eq!(Place::parse(&one.cursor()), Some(one.clone()));
            let text = format!("0101~{}", one.cursor());
            assert_eq!(review_place(&text), Some(([false, true, false, true].map(Reverse), one)));
        }
        for none in ["", "17", "0~~~", "0~yesterday~1970-01-01T00:00:00Z~t", "0~~soon~t"] {
            assert_eq!(Place::parse(none), None, "{none}");
            assert_eq!(review_place(&format!("0000~{none}")), None);
        }
    }

    #[test]
    fn exceptions_come_first() {
        let waiting = |id: &str, outside: i64, failing: i64, corrections: i64, imports_unchecked: i64| Waiting {
            id: id.into(),
            result_id: id.into(),
            lane_rank: 2,
            due: None,
            available_at: chrono::DateTime::UNIX_EPOCH.into(),
            outside,
            failing,
            corrections,
            imports_unchecked,
        };
        let mut all = [
            waiting("plain", 0, 0, 0, 0),
            waiting("import", 0, 0, 0, 1),
            waiting("oos", 0, 1, 0, 0),
            waiting("outside", 1, 0, 0, 0),
            waiting("edited", 0, 0, 2, 0),
        ];
        all.sort_by_key(Waiting::place);
        assert_eq!(all.map(|one| one.id.to_string()), ["outside", "oos", "edited", "import", "plain"]);
    }
}
