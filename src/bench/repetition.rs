//! A test that is done again: what it takes from the retention portion, its tasks, and the repetition of a result that
//! decides nothing by a method that can tell.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::readings::current;
use super::refusals::BenchRefusal;
use super::signed;
use super::task::{TaskFile, latest_result, open_task_of, reviewed};
use crate::action::{Action, Context, Facts, Services, Subject};
use crate::custody::amounts::There;
use crate::people::{DutiesDone, Grace, Reauthenticated, SignedContent};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::regulation::quantities::{self, Content, ItemDemand, QuantityError};
use crate::secrets::Password;
use crate::store::columns::{AccountId, Dec, ResultId, TestTaskId};
use crate::store::revisions::Revised;
use crate::store::rows::{ResultRow, TestItemRow, TestTaskRow};
use crate::store::schema::{application, custody_entry, product, result, test_item, test_task};
use crate::store::{AnyConnection, Outcome, views};
use crate::vocabulary::states::TaskEvent;
use crate::vocabulary::{Duty, Permission, Place, ReviewOutcome, SignatureMeaning, TaskState, Verdict};
use crate::{custody, text};

/// What there is to repeat a test with.
#[derive(Clone, Debug)]
pub(super) struct Stock {
    /// What one complete test of the item consumes
    pub item: ItemDemand,
    /// What one container holds
    pub content: Content,
    /// What is over, which serves before what is retained
    pub over: There,
    /// What is in the retention portion
    pub retained: There,
    /// Containers in the re-test portion that no other repetition waits for
    pub free: i64,
    /// The last attempt at the item
    pub last: i64,
}

/// Tasks that are to be made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ordered {
    count: i64,
    /// Containers that come from what is over, and from the retention portion
    over: i64,
    containers: i64,
    /// Who alone does them, and which failing result they repeat
    under: Option<(AccountId, ResultId)>,
}

impl Ordered {
    pub(super) fn containers(&self) -> i64 {
        self.over + self.containers
    }
}

/// Loads what a repetition takes.
pub(super) fn stock(conn: &mut AnyConnection, file: &TaskFile) -> Outcome<Stock> {
    let content = content(conn, file)?;
    let last: Option<i64> = test_task::table
        .filter(test_task::sample_id.eq(&file.task.sample_id))
        .filter(test_task::test_item_id.eq(&file.task.test_item_id))
        .select(diesel::dsl::max(test_task::attempt))
        .first(conn)?;
    let retained = custody::there(conn, &file.sample.id, Place::Retention)?;
    let over = custody::there(conn, &file.sample.id, Place::Surplus)?;
    let kept = custody::there(conn, &file.sample.id, Place::Retest)?.containers;
    let waiting: Vec<TestItemRow> = test_task::table
        .inner_join(test_item::table)
        .filter(test_task::sample_id.eq(&file.task.sample_id))
        .filter(test_task::attempt.gt(1))
        .filter(test_task::state.eq(TaskState::Waiting))
        .filter(test_task::started_at.is_null())
        .select(TestItemRow::as_select())
        .load(conn)?;
    let mut promised = 0;
    for item in waiting {
        promised += containers(&item.demanded(), &content).map_err(BenchRefusal::RetestUncountable)?;
    }
    let item = file.item.demanded();
    let last = last.unwrap_or(file.task.attempt);
    Ok(Stock { item, content, over, retained, free: (kept - promised).max(0), last })
}

/// What a container of the sample holds: as it was received, or, where it came before that was asked, by the catalogue.
fn content(conn: &mut AnyConnection, file: &TaskFile) -> Outcome<Content> {
    if let Some(content) = custody::amounts::content_of(&file.sample) {
        return Ok(content);
    }
    let (amount, unit): (Dec, String) = application::table
        .find(&file.sample.application_id)
        .inner_join(product::table)
        .select((product::container_content, product::content_unit))
        .first(conn)?;
    Ok(Content { amount: amount.decimal(), unit })
}

/// Containers of its own that one test takes.
fn containers(item: &ItemDemand, content: &Content) -> Result<i64, QuantityError> {
    let demand = quantities::demand(std::slice::from_ref(item), Some(content), 1, true)?;
    Ok(i64::try_from(demand.full_test_containers).unwrap_or(i64::MAX))
}

impl Stock {
    /// So many complete tests, as far as the re-test portion, then what is over and then the retention portion suffice.
    pub(super) fn order(&self, count: i64, under: Option<(AccountId, ResultId)>) -> Result<Ordered, BenchRefusal> {
        let one = containers(&self.item, &self.content).map_err(BenchRefusal::RetestUncountable)?;
        let needed = one.saturating_mul(count);
        let (retained, over, free) = (self.retained.containers, self.over.containers, self.free);
        let available = retained.saturating_add(over).saturating_add(free);
        if available < needed {
            return Err(BenchRefusal::RetestShort { needed, available });
        }
        let wanted = (needed - free).max(0);
        let from_over = wanted.min(over);
        Ok(Ordered { count, over: from_over, containers: wanted - from_over, under })
    }
}

/// Makes the tasks; their containers come from the retention portion, through the ledger.
pub(super) fn keep(
    cx: &mut Context<'_>,
    file: &TaskFile,
    stock: &Stock,
    ordered: Ordered,
    reason: &str,
) -> Outcome<Vec<TestTaskId>> {
    let moves = [(Place::Surplus, ordered.over, stock.over), (Place::Retention, ordered.containers, stock.retained)];
    for (from, quantity, there) in moves.into_iter().filter(|(_, quantity, _)| *quantity > 0) {
        let why = format!("复试 re-test: {reason}");
        let entry = custody::entry(&file.sample, None, (from, Place::Retest), quantity, &why, cx.actor, cx.now);
        let entry = custody::by_container(&file.sample, there, entry);
        diesel::insert_into(custody_entry::table).values(&entry).execute(cx.conn)?;
    }
    let mut made = Vec::new();
    for number in 1..=ordered.count {
        let task = TestTaskRow {
            id: TestTaskId::new(),
            attempt: stock.last + number,
            state: TaskState::Waiting,
            available_at: cx.now.into(),
            started_at: None,
            analyst_id: None,
            assigned_to: ordered.under.as_ref().map(|(who, _)| who.clone()).or_else(|| file.task.assigned_to.clone()),
            repeats_result_id: ordered
                .under
                .as_ref()
                .map(|(_, result)| result.clone())
                .or_else(|| file.task.repeats_result_id.clone()),
            ..file.task.clone()
        };
        diesel::insert_into(test_task::table).values(&task).execute(cx.conn)?;
        made.push(task.id);
    }
    Ok(made)
}

/// Repeats a result that decides nothing (`<0.1` against ≤ 0.05) by a method that can tell. It is not a failing result.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RepeatUndecided {
    pub id: ResultId,
    /// The method that can tell
    pub method: String,
    pub reason: String,
    /// To sign with; not needed shortly after the log-in or another signature of the same session
    #[serde(default)]
    pub password: Option<Password>,
    /// Of the second factor, where the account has one
    #[serde(default)]
    pub code: Option<String>,
}

/// The task that repeats it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RepeatedUndecided {
    pub task_id: TestTaskId,
    pub containers: i64,
}

/// A result that decides nothing.
pub struct Undecided {
    file: TaskFile,
    row: ResultRow,
    latest: i64,
    done: DutiesDone,
    stock: Stock,
    content: SignedContent,
    proof: Option<Reauthenticated>,
}

/// How it is repeated.
pub struct Repeating {
    state: TaskState,
    note: String,
    ordered: Ordered,
}

impl Action for RepeatUndecided {
    const NAME: &'static str = "result.repeat";
    const PERMISSION: Permission = Permission::ResultReview;
    type Prepared = Option<Reauthenticated>;
    type Loaded = Undecided;
    type Plan = Repeating;
    type Done = RepeatedUndecided;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Result, &self.id))
    }

    fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<Option<Reauthenticated>> {
        let proof = services.identity.prove(actor, self.password.as_ref(), self.code.as_deref(), Grace::Counts);
        proof.map(Some)
    }

    fn load(&self, cx: &mut Context<'_>, proof: &Option<Reauthenticated>) -> Outcome<Undecided> {
        let row: Option<ResultRow> = result::table
            .inner_join(test_task::table)
            .filter(result::id.eq(&self.id))
            .filter(test_task::institute_id.nullable().eq(&cx.actor.institute))
            .select(ResultRow::as_select())
            .first(cx.conn)
            .optional()?;
        let row = row.ok_or_else(|| BenchRefusal::NoResult(self.id.clone()))?;
        let file = open_task_of(cx.conn, cx.actor, &row.test_task_id)?;
        let latest = latest_result(cx.conn, &file.task.id)?.map_or(0, |latest| latest.version);
        let facts = views::duties_of_task(cx.conn, &file.task.id)?;
        let done = DutiesDone { facts, more: cx.services.site.apart.clone() };
        let stock = stock(cx.conn, &file)?;
        let content = SignedContent::of(&signed::result(&row, &current(cx.conn, &file.task.id)?));
        Ok(Undecided { file, row, latest, done, stock, content, proof: proof.clone() })
    }

    fn decide(&self, facts: &Facts<'_>, of: &Undecided) -> Result<Repeating, Refusal> {
        let method = text::required("method", &self.method, text::REMARK)?;
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        of.done.allow(Duty::ResultReview, &facts.actor.account)?;
        if of.row.verdict != Verdict::Indeterminate || of.latest != of.row.version {
            return Err(BenchRefusal::NothingUndecided.into());
        }
        let state = of.file.after(TaskEvent::OrderRetest)?;
        let ordered = of.stock.order(1, None)?;
        Ok(Repeating { state, note: format!("{method}：{reason}"), ordered })
    }

    fn keep(&self, cx: &mut Context<'_>, of: Undecided, plan: Repeating) -> Outcome<RepeatedUndecided> {
        cx.sign(of.proof.as_ref(), SignatureMeaning::OtherMethodOrdered, ("result", self.id.as_str()), &of.content)?;
        if of.row.reviewer_id.is_none() {
            reviewed(cx.conn, &cx.actor.account, cx.now.into(), &self.id, ReviewOutcome::Approved, &plan.note)?;
        }
        let (id, old) = (&of.file.task.id, of.file.task.state);
        diesel::update(test_task::table.find(id)).set(test_task::state.eq(plan.state)).execute(cx.conn)?;
        let containers = plan.ordered.containers();
        let made = keep(cx, &of.file, &of.stock, plan.ordered, &plan.note)?;
        let task_id = made.first().cloned().ok_or(BenchRefusal::NothingUndecided)?;
        let change = Change::field(Self::NAME, "test_task", id, "state", old.as_str(), plan.state.as_str())
            .and("result", (), self.id.as_str())
            .and("retest_task", (), task_id.as_str())
            .and("containers_from_retention", (), containers)
            .because(&plan.note);
        cx.record(change);
        Ok(RepeatedUndecided { task_id, containers })
    }
}
