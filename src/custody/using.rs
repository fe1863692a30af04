//! What a test uses up: in the transaction that starts it, from the portion that it is for, and back only with a reason.

use diesel::prelude::*;
use serde_json::json;

use super::amounts::{self, There, amount, content_of};
use super::entry;
use super::refusals::CustodyRefusal;
use crate::action::Context;
use crate::record::Change;
use crate::regulation::quantities::QuantityError;
use crate::store::columns::{SampleId, TestTaskId};
use crate::store::rows::{CustodyEntryRow, SampleRow, TestItemRow, TestTaskRow};
use crate::store::schema::{custody_balance, custody_entry};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::Place;

/// What is at a place.
///
/// # Errors
/// The store's failure.
pub(crate) fn there(conn: &mut AnyConnection, id: &SampleId, place: Place) -> Outcome<There> {
    let found: Option<(i64, Option<i64>)> = custody_balance::table
        .find((id, place))
        .select((custody_balance::balance, custody_balance::billionths))
        .first(conn)
        .optional()?;
    Ok(found.map_or_else(There::default, |(containers, billionths)| There { containers, billionths }))
}

/// What a test took and did not give back.
#[derive(Clone, Copy, Debug)]
struct Held {
    from: Place,
    containers: i64,
    billionths: i64,
}

fn held(conn: &mut AnyConnection, task: &TestTaskId) -> Outcome<Vec<Held>> {
    let entries: Vec<CustodyEntryRow> = custody_entry::table
        .filter(custody_entry::test_task_id.eq(task))
        .select(CustodyEntryRow::as_select())
        .load(conn)?;
    let mut found: Vec<Held> = Vec::new();
    for row in entries {
        let (from, sign) = if row.to_place == Place::Consumed { (row.from_place, 1) } else { (row.to_place, -1) };
        let (containers, billionths) = (sign * row.quantity, sign * row.billionths.unwrap_or(0));
        match found.iter_mut().find(|one| one.from == from) {
            Some(one) => {
                one.containers += containers;
                one.billionths += billionths;
            }
            None => found.push(Held { from, containers, billionths }),
        }
    }
    found.retain(|one| one.billionths > 0);
    Ok(found)
}

/// The portion that a test is done from: a repetition has one of its own.
fn portion(task: &TestTaskRow) -> Place {
    if task.attempt > 1 { Place::Retest } else { Place::TestPortion }
}

fn uncountable(why: QuantityError) -> CustodyRefusal {
    CustodyRefusal::Uncountable(why)
}

/// A test that starts uses up what its item consumes, once: it is taken from its portion, with its amount. Where the
/// sample does not say what a container holds, the ledger counts containers alone and a person moves them.
///
/// # Errors
/// Where the portion has not so much.
pub(crate) fn use_up(cx: &mut Context<'_>, sample: &SampleRow, task: &TestTaskRow, item: &TestItemRow) -> Outcome<()> {
    let Some(content) = content_of(sample) else { return Ok(()) };
    let needed = amounts::taken_by(&item.demanded(), &content).map_err(uncountable)?;
    let held: i64 = held(cx.conn, &task.id)?.iter().map(|one| one.billionths).sum();
    // What it took before and could not give back counts.
    let needed = needed.saturating_sub(held);
    if needed <= 0 {
        return Ok(());
    }
    let from = portion(task);
    let at = there(cx.conn, &sample.id, from)?;
    let one = amounts::billionths(content.amount).ok_or_else(|| uncountable(QuantityError::TooGreat))?;
    let part = amounts::take(at, needed, one).ok_or_else(|| CustodyRefusal::TooLittle {
        sample: sample.number.clone(),
        at: from,
        available: amount(at.billionths.unwrap_or(0)),
        asked: amount(needed),
        unit: content.unit.clone(),
    })?;
    let reason = format!("检验耗用 used by the test: {}", item.name_zh);
    moved(cx, sample, &task.id, ((from, Place::Consumed), part), &reason)
}

/// A test that is given back unused gives back what it took.
///
/// # Errors
/// The store's failure.
pub(crate) fn give_back(cx: &mut Context<'_>, sample: &SampleRow, task: &TestTaskId, reason: &str) -> Outcome<()> {
    let Some(content) = content_of(sample) else { return Ok(()) };
    let one = amounts::billionths(content.amount).ok_or_else(|| uncountable(QuantityError::TooGreat))?;
    for Held { from, billionths, .. } in held(cx.conn, task)? {
        let (to, gone) = (there(cx.conn, &sample.id, from)?, there(cx.conn, &sample.id, Place::Consumed)?);
        let part = amounts::put_back(to, billionths, one, gone.containers);
        if part.containers > 0 || part.billionths > 0 {
            moved(cx, sample, task, ((Place::Consumed, from), part), reason)?;
        }
    }
    Ok(())
}

fn moved(
    cx: &mut Context<'_>,
    sample: &SampleRow,
    task: &TestTaskId,
    (places, part): ((Place, Place), amounts::Portioned),
    reason: &str,
) -> Outcome<()> {
    let row = CustodyEntryRow {
        billionths: Some(part.billionths),
        test_task_id: Some(task.clone()),
        ..entry(sample, None, places, part.containers, reason, cx.actor, cx.now)
    };
    diesel::insert_into(custody_entry::table).values(&row).execute(cx.conn)?;
    let content = json!({"entry": row.id, "task": task, "from": places.0, "to": places.1, "quantity": part.containers,
        "amount": amount(part.billionths).to_string(), "unit": sample.content_unit});
    cx.record(Change::created("custody.use", "sample", &sample.id, content).because(reason));
    Ok(())
}
