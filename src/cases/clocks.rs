//! The clocks of a case: those whose start becomes known later, and due dates that were provisional.

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::acceptance::{case_of, clock_rows, determine, laboratory_due};
use super::load::{CaseFile, clocks_of};
use super::refusals::CasesRefusal;
use crate::action::{Action, Context, Facts};
use crate::insert_all;
use crate::record::Change;
use crate::refusal::Refusal;
use crate::regulation::{ClockName, Determination, Regulation, StatutoryClock};
use crate::store::columns::{ApplicationId, Day, Json};
use crate::store::rows::{ApplicationClockRow, ApplicationRow};
use crate::store::schema::{application, application_clock, sample, test_task};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::{Permission, TaskState};

/// The clocks of an accepted case that were not running yet, by its dates as they are now. What was determined at
/// acceptance stays; clocks are only added, and none that acceptance has ended.
pub(super) fn later_clocks(
    regulation: &Regulation,
    row: &ApplicationRow,
    file: &CaseFile,
    known: &[ApplicationClockRow],
) -> Result<Vec<ApplicationClockRow>, CasesRefusal> {
    let Some(accepted) = &row.accepted_on else { return Ok(Vec::new()) };
    let determination = determine(regulation, &case_of(row, file, accepted.date())?)?;
    let fresh = clock_rows(&row.id, &determination).into_iter();
    let running = |clock: &ApplicationClockRow| {
        !known.iter().any(|other| other.name == clock.name) && !ClockName::ENDED_BY_ACCEPTANCE.contains(&clock.name)
    };
    Ok(fresh.filter(running).collect())
}

/// What a corrected date does to the clocks of an accepted case.
#[derive(Debug, Default)]
pub(super) struct Restarted {
    /// Those that start on another day, as they run now.
    pub changed: Vec<ApplicationClockRow>,
    /// Those that start for the first time.
    pub added: Vec<ApplicationClockRow>,
    /// Those whose start has gone.
    pub gone: Vec<ClockName>,
    /// The former due dates of those that changed or have gone.
    was: Vec<(ClockName, Day)>,
}

impl Restarted {
    /// Each clock with its old and its new due date, for the trail.
    pub(super) fn said(&self) -> Vec<(ClockName, Option<String>, Option<String>)> {
        let old = |name: ClockName| self.was.iter().find(|(known, _)| *known == name).map(|(_, due)| due.to_string());
        let new = self.changed.iter().chain(&self.added).map(|clock| (clock.name, Some(clock.due.to_string())));
        let gone = self.gone.iter().map(|name| (*name, None));
        new.chain(gone).map(|(name, due)| (name, old(name), due)).collect()
    }
}

/// The clocks by corrected dates. The rules are those that the dates select now; a clock whose start did not change stays
/// as it was accepted.
pub(super) fn restarted(
    regulation: &Regulation,
    before: &ApplicationRow,
    after: &ApplicationRow,
    file: &CaseFile,
    known: &[ApplicationClockRow],
) -> Result<Restarted, CasesRefusal> {
    let Some(accepted) = &before.accepted_on else { return Ok(Restarted::default()) };
    let by = |row: &ApplicationRow| -> Result<Vec<ApplicationClockRow>, CasesRefusal> {
        let determination = determine(regulation, &case_of(row, file, accepted.date())?)?;
        Ok(clock_rows(&row.id, &determination))
    };
    let (old, new) = (by(before)?, by(after)?);
    let mut found = Restarted::default();
    for clock in &new {
        let was = old.iter().find(|one| one.name == clock.name);
        let running = known.iter().find(|one| one.name == clock.name);
        if was.is_some_and(|was| was.starts == clock.starts && was.due == clock.due) {
            continue;
        }
        match running {
            Some(running) => {
                found.was.push((running.name, running.due.clone()));
                found.changed.push(clock.clone());
            }
            None if ClockName::ENDED_BY_ACCEPTANCE.contains(&clock.name) => {}
            None => found.added.push(clock.clone()),
        }
    }
    for running in known {
        let of = |rows: &[ApplicationClockRow]| rows.iter().any(|one| one.name == running.name);
        if of(&old) && !of(&new) {
            found.was.push((running.name, running.due.clone()));
            found.gone.push(running.name);
        }
    }
    Ok(found)
}

/// Writes what became of the clocks; the work that is still open follows.
pub(super) fn restart(cx: &mut Context<'_>, id: &ApplicationId, clocks: &Restarted) -> Outcome<()> {
    for clock in &clocks.changed {
        diesel::update(application_clock::table.find((id, clock.name)))
            .set((
                application_clock::unit.eq(clock.unit),
                application_clock::limit_days.eq(clock.limit_days),
                application_clock::starts.eq(&clock.starts),
                application_clock::due.eq(&clock.due),
                application_clock::provisional.eq(clock.provisional),
                application_clock::provisions.eq(&clock.provisions),
            ))
            .execute(cx.conn)?;
    }
    for name in &clocks.gone {
        diesel::delete(application_clock::table.find((id, *name))).execute(cx.conn)?;
    }
    insert_all!(cx.conn, application_clock::table, &clocks.added)?;
    move_tasks(cx.conn, id)
}

/// Starts clocks; the work that is still open follows.
pub(super) fn start(cx: &mut Context<'_>, id: &ApplicationId, clocks: &[ApplicationClockRow]) -> Outcome<()> {
    if clocks.is_empty() {
        return Ok(());
    }
    insert_all!(cx.conn, application_clock::table, clocks)?;
    move_tasks(cx.conn, id)
}

/// Open tasks follow the laboratory's earliest due date.
fn move_tasks(conn: &mut AnyConnection, id: &ApplicationId) -> Outcome<()> {
    let due = laboratory_due(&clocks_of(conn, id)?);
    let samples = sample::table.filter(sample::application_id.eq(id)).select(sample::id);
    let open =
        test_task::table.filter(test_task::sample_id.eq_any(samples)).filter(test_task::state.eq_any(TaskState::OPEN));
    diesel::update(open).set(test_task::due.eq(due)).execute(conn)?;
    Ok(())
}

/// Counts due dates anew that ran into a year without a published calendar, where it is published now. The limit and
/// its provisions stay as accepted: only the counting of days is done again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RefreshClocks {}

/// A clock whose due date is provisional, with what its case was accepted under.
#[derive(Clone, Debug)]
pub struct Provisional {
    clock: ApplicationClockRow,
    determination: Determination,
}

/// A due date that was counted anew.
#[derive(Clone, Debug, PartialEq)]
pub struct Recounted {
    application_id: ApplicationId,
    name: crate::regulation::ClockName,
    was: NaiveDate,
    due: NaiveDate,
    provisional: bool,
}

impl Action for RefreshClocks {
    const NAME: &'static str = "clock.refresh";
    const PERMISSION: Permission = Permission::ClockRefresh;
    type Prepared = ();
    type Loaded = Vec<Provisional>;
    type Plan = Vec<Recounted>;
    type Done = usize;

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Vec<Provisional>> {
        let rows: Vec<(ApplicationClockRow, Option<Json>)> = application_clock::table
            .inner_join(application::table)
            .filter(application_clock::provisional.eq(true))
            .select((ApplicationClockRow::as_select(), application::determination))
            .load(cx.conn)?;
        let read = |(clock, stored): (ApplicationClockRow, Option<Json>)| -> Outcome<Option<Provisional>> {
            let Some(stored) = stored else { return Ok(None) };
            let determination = stored.stored("application", "determination", &clock.application_id)?;
            Ok(Some(Provisional { clock, determination }))
        };
        rows.into_iter().filter_map(|row| read(row).transpose()).collect()
    }

    fn decide(&self, facts: &Facts<'_>, open: &Vec<Provisional>) -> Result<Vec<Recounted>, Refusal> {
        let moved = open.iter().filter_map(|one| recount(facts.regulation, one).transpose());
        Ok(moved.collect::<Result<_, CasesRefusal>>()?)
    }

    fn keep(&self, cx: &mut Context<'_>, _: Vec<Provisional>, plan: Vec<Recounted>) -> Outcome<usize> {
        for one in &plan {
            diesel::update(application_clock::table.find((&one.application_id, one.name)))
                .set((
                    application_clock::due.eq(Day::from(one.due)),
                    application_clock::provisional.eq(one.provisional),
                ))
                .execute(cx.conn)?;
            move_tasks(cx.conn, &one.application_id)?;
            let (was, due) = (one.was.to_string(), one.due.to_string());
            let change = Change::field(Self::NAME, "application", &one.application_id, "due", was, due);
            cx.record(change.and("provisional", true, one.provisional).and("clock", (), one.name.as_str()));
        }
        Ok(plan.len())
    }
}

/// The due date of one clock as the calendar counts now; none where it is as before.
fn recount(regulation: &Regulation, one: &Provisional) -> Result<Option<Recounted>, CasesRefusal> {
    let (clock, mut determination) = (&one.clock, one.determination.clone());
    let unreadable = |column: &'static str, error: String| {
        tracing::error!(column, error, application = %clock.application_id, "a stored clock cannot be read");
        CasesRefusal::ClockUnreadable { case: clock.application_id.clone(), column }
    };
    determination.clocks = vec![StatutoryClock {
        name: clock.name,
        obligation: None,
        unit: clock.unit,
        limit: u32::try_from(clock.limit_days).map_err(|error| unreadable("limit_days", error.to_string()))?,
        starts: clock.starts.date(),
        due: clock.due.date(),
        provisional: clock.provisional,
        provisions: clock.provisions.read().map_err(|error| unreadable("provisions", error.to_string()))?,
    }];
    // A due date beyond every calendar stays provisional until there is one.
    let Ok(fresh) = regulation.recompute_due(&determination) else { return Ok(None) };
    let Some(counted) = fresh.clocks.first() else { return Ok(None) };
    if counted.due == clock.due.date() && counted.provisional {
        return Ok(None);
    }
    Ok(Some(Recounted {
        application_id: clock.application_id.clone(),
        name: clock.name,
        was: clock.due.date(),
        due: counted.due,
        provisional: counted.provisional,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::specimens::World;
    use crate::regulation::{ClockName, ClockUnit};
    use crate::vocabulary::Business;

    fn provisional(provisions: Json) -> Provisional {
        let world = World::new();
        let mut row = crate::cases::specimens::application();
        let ground = world.ground(Business::DrugRegistration);
        let day = |text: &str| Day::from(text.parse::<NaiveDate>().expect("a date"));
        row.accepted_on = Some(day("2026-03-04"));
        let case = case_of(&row, &ground.file, day("2026-03-04").date()).expect("a case");
        let clock = ApplicationClockRow {
            application_id: row.id.clone(),
            name: ClockName::Testing,
            unit: ClockUnit::CalendarDay,
            limit_days: 10,
            starts: day("2026-03-04"),
            due: day("2026-03-15"),
            provisional: true,
            provisions,
        };
        Provisional { clock, determination: determine(&world.regulation, &case).expect("a determination") }
    }

    #[test]
    fn a_provisional_due_date_becomes_final_where_the_calendar_is_published() {
        let world = World::new();
        let plan = RefreshClocks {}.decide(&world.facts(), &vec![provisional(Json::of(&["N-1"]))]).expect("a plan");
        let moved = plan.first().expect("one clock");
        assert!(!moved.provisional && moved.was != moved.due, "{moved:?}");
    }

    #[test]
    fn a_stored_clock_that_cannot_be_read_is_told_with_its_place() {
        let world = World::new();
        let told = RefreshClocks {}.decide(&world.facts(), &vec![provisional(Json::of(&"N-1"))]).expect_err("text");
        assert!(told.message_en.contains("application_clock.provisions"), "{}", told.message_en);
    }
}
