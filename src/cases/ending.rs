//! How a case ends before its report, and how provisional due dates become final.

use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;

use super::acceptance;
use super::desk::moved;
use super::load::{self, CaseFile};
use crate::action::Services;
use crate::insert_all;
use crate::record::{self, Actor, Change};
use crate::regulation::{ClockName, ClockUnit, Determination, Regulation};
use crate::store::columns::{ApplicationId, Day, Json, SampleId};
use crate::store::rows::{ApplicationClockRow, ApplicationRow};
use crate::store::schema::{application, application_clock, sample, test_task};
use crate::store::{AnyConnection, Outcome};
use crate::text;
use crate::vocabulary::TaskState;
use crate::vocabulary::states::CaseEvent;

/// How a case ends without a report. Its numbers stay taken.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// `refuse` (不予受理), `withdraw` (申请人撤回), `void` (录入错误作废)
    pub how: String,
    pub reason: String,
}

fn event(how: &str) -> Option<(CaseEvent, &'static str)> {
    match how {
        "refuse" => Some((CaseEvent::Refuse, "application.refuse")),
        "withdraw" => Some((CaseEvent::Withdraw, "application.withdraw")),
        "void" => Some((CaseEvent::Void, "application.void")),
        _ => None,
    }
}

/// Ends a case: open tasks are cancelled, samples voided, every number kept.
///
/// # Errors
/// Where the state does not allow it or the reason is missing.
pub fn end(services: &Services, actor: &Actor, id: &ApplicationId, new: &Ending) -> Outcome<()> {
    let (event, action) = text::word("how", &new.how, event)?;
    let reason = text::required("reason", &new.reason, text::REMARK)?;
    let (actor, now, id) = (actor.clone(), services.clock.now(), id.clone());
    services.db.write(move |conn| {
        let row = load::application_of(conn, actor.institute.as_ref(), &id)?;
        let state = moved(row.state, event)?;
        diesel::update(application::table.find(&id))
            .set((application::state.eq(state), application::state_reason.eq(&reason)))
            .execute(conn)?;
        let samples: Vec<SampleId> = sample::table
            .filter(sample::application_id.eq(&id))
            .filter(sample::state.eq("received"))
            .select(sample::id)
            .load(conn)?;
        diesel::update(sample::table.filter(sample::id.eq_any(&samples)))
            .set((sample::state.eq("voided"), sample::state_reason.eq(&reason)))
            .execute(conn)?;
        let open = test_task::table.filter(test_task::sample_id.eq_any(&samples)).filter(test_task::state.eq_any([
            TaskState::Waiting,
            TaskState::InProgress,
            TaskState::Entered,
        ]));
        diesel::update(open).set(test_task::state.eq(TaskState::Cancelled)).execute(conn)?;
        let change = Change::field(action, "application", &id, "state", row.state.as_str(), state.as_str());
        record::record(conn, &actor, now, vec![change.because(&reason)])
    })
}

/// Adds the clocks whose start became known after acceptance.
pub(super) fn add_clocks(conn: &mut AnyConnection, regulation: &Regulation, row: &ApplicationRow) -> Outcome<()> {
    let fresh = clocks_now(conn, regulation, row)?;
    let known: Vec<String> = application_clock::table
        .filter(application_clock::application_id.eq(&row.id))
        .select(application_clock::name)
        .load(conn)?;
    let new: Vec<ApplicationClockRow> = fresh.into_iter().filter(|clock| !known.contains(&clock.name)).collect();
    insert_all!(conn, application_clock::table, &new)?;
    Ok(())
}

fn clocks_now(
    conn: &mut AnyConnection,
    regulation: &Regulation,
    row: &ApplicationRow,
) -> Outcome<Vec<ApplicationClockRow>> {
    let Some(accepted) = &row.accepted_on else { return Ok(Vec::new()) };
    let file = CaseFile::of(conn, row)?;
    let case = acceptance::case_of(row, &file, accepted.date())?;
    Ok(acceptance::clock_rows(&row.id, &acceptance::determine(regulation, &case)?))
}

/// Recomputes due dates that ran into a year without a published calendar, where it is published now.
/// The limit and its provisions stay as accepted: only the counting of days is done again.
///
/// # Errors
/// The store's failure.
pub fn refresh_provisional(services: &Services, actor: &Actor) -> Outcome<usize> {
    let (regulation, actor, now) = (services.regulation.clone(), actor.clone(), services.clock.now());
    services.db.write(move |conn| {
        let open: Vec<ApplicationClockRow> =
            application_clock::table.filter(application_clock::provisional.eq(true)).load(conn)?;
        let mut changes = Vec::new();
        for clock in open {
            let Some((due, provisional)) = recount(conn, &regulation, &clock)? else { continue };
            if due == clock.due.date() && provisional {
                continue;
            }
            let key = (&clock.application_id, &clock.name);
            diesel::update(application_clock::table.find(key))
                .set((application_clock::due.eq(Day::from(due)), application_clock::provisional.eq(provisional)))
                .execute(conn)?;
            move_tasks(conn, &clock.application_id)?;
            let (old, new) = (clock.due.to_string(), due.to_string());
            let change = Change::field("clock.refresh", "application", &clock.application_id, "due", old, new);
            changes.push(change.and("provisional", true, provisional).and("clock", (), clock.name));
        }
        let count = changes.len();
        record::record(conn, &actor, now, changes)?;
        Ok(count)
    })
}

/// The due date of one clock as the calendar counts now.
fn recount(
    conn: &mut AnyConnection,
    regulation: &Regulation,
    row: &ApplicationClockRow,
) -> Outcome<Option<(chrono::NaiveDate, bool)>> {
    let stored: Option<Json> =
        application::table.find(&row.application_id).select(application::determination).first::<Option<Json>>(conn)?;
    let determination = stored.and_then(|json| json.read::<Determination>().ok());
    let (Some(mut determination), Some(name), Some(unit)) =
        (determination, ClockName::parse(&row.name), ClockUnit::parse(&row.unit))
    else {
        return Ok(None);
    };
    determination.clocks = vec![crate::regulation::Clock {
        name,
        unit,
        limit: u32::try_from(row.limit_days).unwrap_or(u32::MAX),
        starts: row.starts.date(),
        due: row.due.date(),
        provisional: row.provisional,
        provisions: row.provisions.read().unwrap_or_default(),
    }];
    let fresh = regulation.recompute_due(&determination).ok();
    Ok(fresh.and_then(|d| d.clocks.first().map(|clock| (clock.due, clock.provisional))))
}

/// Open tasks follow the laboratory's earliest due date.
fn move_tasks(conn: &mut AnyConnection, id: &ApplicationId) -> Outcome<()> {
    let due: Option<String> = application_clock::table
        .filter(application_clock::application_id.eq(id))
        .filter(application_clock::name.eq_any(["testing", "port_report"]))
        .select(diesel::dsl::min(application_clock::due))
        .first(conn)?;
    let samples = sample::table.filter(sample::application_id.eq(id)).select(sample::id);
    diesel::update(test_task::table.filter(test_task::sample_id.eq_any(samples)))
        .set(test_task::due.eq(due))
        .execute(conn)?;
    Ok(())
}
