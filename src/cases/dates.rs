//! Dates that become known after the application: the clocks that start from them begin to run.

use serde::Deserialize;
use utoipa::ToSchema;

use super::case::Case;
use super::clocks::{later_clocks, start};
use super::load::{CaseFile, clocks_of};
use super::refusals::CasesRefusal;
use super::taken::Taken;
use crate::action::{Action, Context, Facts, Subject};
use crate::business::Line;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::{ApplicationId, Day};
use crate::store::revisions::Revised;
use crate::store::rows::ApplicationClockRow;
use crate::text::{TypedDate, date_or_blank};
use crate::vocabulary::{CaseState, Permission};

/// Records dates that became known. What was determined at acceptance stays; only clocks are added.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordDates {
    pub id: ApplicationId,
    #[serde(default, deserialize_with = "date_or_blank")]
    pub arrived_at_port_on: Option<TypedDate>,
    #[serde(default, deserialize_with = "date_or_blank")]
    pub notice_received_on: Option<TypedDate>,
    #[serde(default, deserialize_with = "date_or_blank")]
    pub sampled_on: Option<TypedDate>,
}

/// What later dates are decided from.
pub struct Loaded {
    case: Case,
    file: CaseFile,
    line: &'static dyn Line,
    clocks: Vec<ApplicationClockRow>,
}

/// The case with its dates, and the clocks that they start.
pub struct Plan {
    case: Case,
    clocks: Vec<ApplicationClockRow>,
}

/// Sets a date that was not known; another one than that is on record does not take its place.
fn set(case: &mut Case, field: &'static str, day: Option<TypedDate>) -> Result<(), CasesRefusal> {
    let Some(TypedDate(day)) = day else { return Ok(()) };
    let row = case.facts();
    let known = match field {
        "arrived_at_port_on" => &mut row.arrived_at_port_on,
        "notice_received_on" => &mut row.notice_received_on,
        _ => &mut row.sampled_on,
    };
    match known {
        Some(recorded) if recorded.date() == day => return Ok(()),
        Some(_) => return Err(CasesRefusal::DateRecorded { field }),
        None => *known = Some(Day::from(day)),
    }
    case.note(field, (), day.to_string());
    Ok(())
}

impl Action for RecordDates {
    const NAME: &'static str = "case.dates";
    const PERMISSION: Permission = Permission::PortSample;
    type Prepared = ();
    type Loaded = Loaded;
    type Plan = Plan;
    type Done = Taken;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Case, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Loaded> {
        let case = Case::of(cx, &self.id)?;
        Ok(Loaded {
            file: CaseFile::of(cx.conn, case.row())?,
            line: cx.services.lines.of(case.row().business)?,
            clocks: clocks_of(cx.conn, &self.id)?,
            case,
        })
    }

    fn decide(&self, facts: &Facts<'_>, loaded: &Loaded) -> Result<Plan, Refusal> {
        let mut case = loaded.case.clone();
        let state = case.row().state;
        if !CaseState::ENDABLE.contains(&state) {
            return Err(CasesRefusal::NoMoreDates(state).into());
        }
        set(&mut case, "arrived_at_port_on", self.arrived_at_port_on)?;
        set(&mut case, "notice_received_on", self.notice_received_on)?;
        set(&mut case, "sampled_on", self.sampled_on)?;
        case.dates().not_after(facts.today())?;
        loaded.line.check_dates(&case.dates())?;
        let clocks = later_clocks(facts.regulation, case.row(), &loaded.file, &loaded.clocks)?;
        Ok(Plan { case, clocks })
    }

    fn keep(&self, cx: &mut Context<'_>, _: Loaded, plan: Plan) -> Outcome<Taken> {
        let row = plan.case.keep(cx, Self::NAME)?;
        start(cx, &row.id, &plan.clocks)?;
        Ok(Taken::of(&row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::specimens::{self, World};
    use crate::regulation::ClockName;
    use crate::vocabulary::Business;

    fn decide(state: CaseState, record: &RecordDates) -> Result<Plan, Refusal> {
        let world = World::new();
        let mut row = specimens::application();
        row.business = Business::PortEntry;
        row.state = state;
        row.accepted_on = Some(Day::from(world.today()));
        row.notice_received_on = Some(Day::from(world.today()));
        let ground = world.ground(Business::PortEntry);
        let loaded = Loaded { case: Case::new(row), file: ground.file, line: ground.line, clocks: Vec::new() };
        record.decide(&world.facts(), &loaded)
    }

    fn dates(notice: Option<&str>, sampled: Option<&str>) -> RecordDates {
        let day = |text: Option<&str>| text.and_then(|text| text.parse().ok()).map(TypedDate);
        RecordDates {
            id: "a".into(),
            arrived_at_port_on: None,
            notice_received_on: day(notice),
            sampled_on: day(sampled),
        }
    }

    #[test]
    fn a_date_that_becomes_known_starts_its_clock() {
        let plan = decide(CaseState::Accepted, &dates(None, Some(specimens::TODAY))).expect("sampled");
        assert!(plan.clocks.iter().any(|clock| clock.name == ClockName::PortReport), "{:?}", plan.clocks);
    }

    #[test]
    fn a_later_date_does_not_open_what_acceptance_ended() {
        let world = World::new();
        let mut row = specimens::application();
        (row.business, row.state) = (Business::LotRelease, CaseState::Testing);
        row.accepted_on = Some(Day::from(world.today()));
        row.received_on = Some(Day::from(world.today()));
        let mut ground = world.ground(Business::LotRelease);
        ground.file.product.category = crate::regulation::Category::Vaccine;
        let clocks = later_clocks(world.facts().regulation, &row, &ground.file, &[]).expect("determined");
        let names: Vec<ClockName> = clocks.iter().map(|clock| clock.name).collect();
        assert_eq!(names, [ClockName::Testing], "the decision on acceptance is made");
    }

    #[test]
    fn a_date_on_record_is_not_replaced_and_none_lies_ahead() {
        assert!(decide(CaseState::Accepted, &dates(Some(specimens::TODAY), None)).is_ok());
        let other = decide(CaseState::Accepted, &dates(Some("2026-03-01"), None)).err().expect("another date");
        assert_eq!(other, CasesRefusal::DateRecorded { field: "notice_received_on" }.into());
        let ahead = decide(CaseState::Accepted, &dates(None, Some("2026-03-05"))).err().expect("tomorrow");
        assert_eq!(ahead.field.as_deref(), Some("sampled_on"));
    }

    #[test]
    fn a_case_that_ended_takes_no_dates() {
        for state in CaseState::ALL {
            let ended = decide(*state, &dates(None, Some(specimens::TODAY))).is_err();
            assert_eq!(ended, !CaseState::ENDABLE.contains(state), "{state}");
        }
    }
}
