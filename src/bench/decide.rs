//! After a result out of limit (超标): an authorised decision with a reason, either a re-test from the
//! retention portion or the confirmation that the sample does not conform. Nothing is overwritten.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::bench::{TaskFile, moved, task_of};
use super::review::latest_result;
use crate::action::Services;
use crate::custody;
use crate::record::{self, Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::regulation::quantities::{self, ItemDemand};
use crate::store::columns::{Dec, OutOfLimitDecisionId, TestTaskId};
use crate::store::rows::{OutOfLimitDecisionRow, TestTaskRow};
use crate::store::schema::{application, custody_entry, out_of_limit_decision, product, test_task};
use crate::store::{AnyConnection, Outcome};
use crate::text;
use crate::vocabulary::Place;
use crate::vocabulary::TaskState;
use crate::vocabulary::states::TaskEvent;

/// A decision about a result out of limit.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// `retest` (复验) or `confirm` (确认不符合规定)
    pub decision: String,
    pub reason: String,
}

/// What a decision led to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Decided {
    pub task_id: String,
    pub state: String,
    /// The new task of a re-test
    pub retest_task_id: Option<String>,
    /// Containers taken from the retention portion
    pub containers: i64,
}

/// Decides about the latest result of a task that is out of limit.
///
/// # Errors
/// Where it is not out of limit, the one who decides is its analyst, or the retention portion does not suffice.
pub fn decide(services: &Services, actor: &Actor, id: &TestTaskId, new: &Decision) -> Outcome<Decided> {
    let retest = match new.decision.as_str() {
        "retest" => true,
        "confirm" => false,
        _ => return Err(Refusal::field("decision", "应为 retest 或 confirm", "expected retest or confirm").into()),
    };
    let reason = text::required("reason", &new.reason, text::REMARK)?;
    let (actor, now, id, word) = (actor.clone(), services.clock.now(), id.clone(), new.decision.clone());
    services.db.write(move |conn| {
        let file = task_of(conn, &actor, &id)?;
        let event = if retest { TaskEvent::OrderRetest } else { TaskEvent::Confirm };
        let state = moved(file.task.state, event)?;
        let result = latest_result(conn, &id)?
            .ok_or_else(|| Refusal::new(Code::WrongState, "没有可决定的结果", "there is no result to decide about"))?;
        if result.analyst_id == actor.account {
            let refusal = Refusal::new(
                Code::SelfReview,
                "不得由检验人员本人决定",
                "the analyst does not decide about an own result",
            );
            return Err(refusal.into());
        }
        let row = OutOfLimitDecisionRow {
            id: OutOfLimitDecisionId::new(),
            result_id: result.id.clone(),
            decision: word.clone(),
            reason: reason.clone(),
            decided_by: actor.account.clone(),
            decided_at: now.into(),
        };
        diesel::insert_into(out_of_limit_decision::table).values(&row).execute(conn)?;
        diesel::update(test_task::table.find(&id)).set(test_task::state.eq(state)).execute(conn)?;
        let (next, containers) = if retest { order(conn, &actor, now, &file, &reason)? } else { (None, 0) };
        let change = Change::field("task.decide", "test_task", &id, "state", file.task.state.as_str(), state.as_str())
            .and("retest_task", (), next.as_ref().map(|task| task.id.to_string()))
            .and("containers_from_retention", (), containers)
            .because(&reason);
        record::record(conn, &actor, now, vec![change])?;
        crate::cases::all_tested_with(conn, &actor, now, &file.sample.application_id)?;
        Ok(Decided {
            task_id: id.to_string(),
            state: state.to_string(),
            retest_task_id: next.map(|task| task.id.to_string()),
            containers,
        })
    })
}

/// Orders the re-test: its containers come from the retention portion, through the ledger.
fn order(
    conn: &mut AnyConnection,
    actor: &Actor,
    now: chrono::DateTime<chrono::Utc>,
    file: &TaskFile,
    reason: &str,
) -> Outcome<(Option<TestTaskRow>, i64)> {
    let content: Dec = application::table
        .find(&file.sample.application_id)
        .inner_join(product::table)
        .select(product::container_content)
        .first(conn)?;
    let item =
        ItemDemand { code: file.item.code.clone(), amount_per_test: file.item.consumes.decimal(), replicates: 1 };
    let needed = quantities::demand(&[item], content.decimal(), 1)
        .map_err(|error| Refusal::new(Code::LedgerRefused, error.to_string(), error.to_string()))?;
    let needed = i64::try_from(needed.full_test_containers).unwrap_or(i64::MAX);
    let there = custody::balance(conn, &file.sample.id, Place::Retention)?;
    if there < needed {
        return Err(Refusal::new(
            Code::LedgerRefused,
            format!("复验需 {needed} 个容器，留样仅有 {there} 个"),
            format!("the re-test needs {needed} containers, the retention portion has {there}"),
        )
        .with(serde_json::json!({"needed": needed, "available": there}))
        .into());
    }
    if needed > 0 {
        let places = (Place::Retention, Place::TestPortion);
        let entry = custody::entry(&file.sample, None, places, needed, &format!("复验 re-test: {reason}"), actor, now);
        diesel::insert_into(custody_entry::table).values(&entry).execute(conn)?;
    }
    let task = TestTaskRow {
        id: TestTaskId::new(),
        attempt: file.task.attempt + 1,
        state: TaskState::Waiting,
        available_at: now.into(),
        started_at: None,
        analyst_id: None,
        ..file.task.clone()
    };
    diesel::insert_into(test_task::table).values(&task).execute(conn)?;
    Ok((Some(task), needed))
}
