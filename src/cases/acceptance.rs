//! Acceptance (受理): the determination that the regulation makes of a case, and what follows from it. Pure.

use chrono::NaiveDate;

use super::asked::KnownLot;
use super::case::Case;
use super::demand::{LotDemand, demand, usual_content};
use super::load::CaseFile;
use super::refusals::CasesRefusal;
use crate::action::Facts;
use crate::business::{Accepting, Line};
use crate::refusal::Refusal;
use crate::regulation::{self, Authorisation, ClockName, Dates, Determination, Jurisdiction, Lane, Regulation};
use crate::store::columns::{ApplicationId, Day, Json};
use crate::store::rows::{ApplicationClockRow, ApplicationRow};
use crate::vocabulary::states::CaseEvent;

/// What acceptance decided.
#[derive(Clone, Debug)]
pub(super) struct Acceptance {
    pub determination: Determination,
    /// What each batch must bring, where its containers hold what the product says
    pub need: LotDemand,
    pub clocks: Vec<ApplicationClockRow>,
}

/// What acceptance looks at beside the case.
#[derive(Clone)]
pub(super) struct Ground {
    pub file: CaseFile,
    pub line: &'static dyn Line,
    /// Empty where the line does not work under authorisations.
    pub authorisations: Vec<Authorisation>,
    /// The cases of the same lots that there are
    pub known: Vec<KnownLot>,
}

/// The case that an application is, accepted on `accepted`.
///
/// # Errors
/// Where the institute's jurisdiction cannot be read.
pub(super) fn case_of(
    row: &ApplicationRow,
    file: &CaseFile,
    accepted: NaiveDate,
) -> Result<regulation::CaseFacts, CasesRefusal> {
    let jurisdiction = Jurisdiction::parse(&file.institute.jurisdiction).ok_or(CasesRefusal::JurisdictionUnknown)?;
    let mut dates = Dates::accepted_on(accepted);
    dates.arrived_at_port = row.arrived_at_port_on.as_ref().map(|day| day.date());
    dates.notice_received = row.notice_received_on.as_ref().map(|day| day.date());
    dates.sampled = row.sampled_on.as_ref().map(|day| day.date());
    dates.received = row.received_on.as_ref().map(|day| day.date());
    Ok(regulation::CaseFacts {
        business: row.business,
        obligations: Vec::new(),
        jurisdiction,
        dates,
        product: regulation::Product {
            category: file.product.category,
            device_class: file.product.device_class,
            traits: file.traits.iter().copied().collect(),
        },
        purpose: row.purpose,
        pre_submission: row.pre_submission,
        standard_verification: row.standard_verification,
    })
}

/// The determination of a case.
///
/// # Errors
/// Where a clock runs out of the calendar.
pub(super) fn determine(regulation: &Regulation, case: &regulation::CaseFacts) -> Result<Determination, CasesRefusal> {
    regulation.determine(case).map_err(CasesRefusal::NotDetermined)
}

/// The determination with how the amount of each batch is computed, and that amount.
pub(super) fn with_demand(
    regulation: &Regulation,
    file: &CaseFile,
    determination: Determination,
) -> (Determination, LotDemand) {
    let need = demand(file, &determination, &usual_content(file), regulation.practice());
    let determination = match &need.question {
        Some(question) => determination
            .with_amounts((&format!("用量待定：{}", question.zh), &format!("the amount is open: {}", question.en))),
        None if need.computation_zh.is_empty() => determination,
        None => determination.with_amounts((&need.computation_zh, &need.computation_en)),
    };
    (determination, need)
}

/// Accepts the case today: its determination is frozen with it.
///
/// # Errors
/// Its state, a provision or its line refuses it, or batches are missing.
pub(super) fn accept(
    facts: &Facts<'_>,
    case: &mut Case,
    ground: &Ground,
    batches: usize,
) -> Result<Acceptance, Refusal> {
    case.on(CaseEvent::Accept)?;
    let (file, today) = (&ground.file, facts.today());
    let of_today = case_of(case.row(), file, today)?;
    if let Some(error) = facts.regulation.contradiction(&of_today) {
        return Err(CasesRefusal::Contradicts(error).into());
    }
    let (determination, need) = with_demand(facts.regulation, file, determine(facts.regulation, &of_today)?);
    if let Some(first) = determination.refusals.first() {
        let (first, all) = (first.clone(), determination.refusals.clone());
        return Err(CasesRefusal::ByProvisions { first, all }.into());
    }
    let items: Vec<&str> = file.items.iter().map(|item| item.code.as_str()).collect();
    ground.line.check_acceptance(&Accepting {
        authorisations: &ground.authorisations,
        institute: file.institute.id.as_str(),
        product: file.product.id.as_str(),
        category: file.product.category,
        items: &items,
        on: today,
    })?;
    if let Some(needed) = determination.batches.value
        && batches < needed as usize
    {
        let provisions = determination.batches.provisions.clone();
        return Err(CasesRefusal::BatchesMissing { needed, given: batches, provisions }.into());
    }
    let lane = determination.lane.value;
    let row = case.facts();
    row.specification_id = file.specification.id.clone();
    row.accepted_on = Some(today.into());
    row.lane = Some(lane);
    row.lane_rank = lane_rank(lane);
    row.determination = Some(Json::of(&determination));
    let clocks = clock_rows(&row.id, &determination);
    case.note("accepted_on", (), today.to_string());
    case.note("determination", (), serde_json::json!(determination));
    Ok(Acceptance { determination, need, clocks })
}

/// The clocks of a determination as rows.
pub(super) fn clock_rows(id: &ApplicationId, determination: &Determination) -> Vec<ApplicationClockRow> {
    determination
        .clocks
        .iter()
        .map(|clock| ApplicationClockRow {
            application_id: id.clone(),
            name: clock.name,
            unit: clock.unit,
            limit_days: i64::from(clock.limit),
            starts: clock.starts.into(),
            due: clock.due.into(),
            provisional: clock.provisional,
            provisions: Json::of(&clock.provisions),
        })
        .collect()
}

/// When the laboratory's work on a case is due: the earliest of its own clocks.
pub(super) fn laboratory_due(clocks: &[ApplicationClockRow]) -> Option<Day> {
    clocks.iter().filter(|clock| ClockName::LABORATORY.contains(&clock.name)).map(|clock| clock.due.clone()).min()
}

/// The order of lanes at the bench: immediate first.
fn lane_rank(lane: Lane) -> i64 {
    match lane {
        Lane::Immediate => 0,
        Lane::GreenChannel => 1,
        Lane::Routine => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::specimens;
    use crate::refusal::Code;
    use crate::regulation::ClockUnit;
    use crate::vocabulary::states::WrongState;
    use crate::vocabulary::{Business, CaseState};

    #[test]
    fn a_case_is_accepted_once_with_what_the_regulation_asks() {
        let world = specimens::World::new();
        let ground = world.ground(Business::DrugRegistration);
        let mut case = Case::new(specimens::application());
        let accepted = accept(&world.facts(), &mut case, &ground, 3).expect("three batches");
        assert_eq!(case.row().state, CaseState::Accepted);
        assert!(accepted.clocks.iter().any(|clock| clock.name == ClockName::Testing));
        assert_eq!(case.row().accepted_on.as_ref().map(Day::as_str), Some(specimens::TODAY));
        let again = accept(&world.facts(), &mut case, &ground, 3).expect_err("twice");
        assert_eq!(again, WrongState::Case(CaseState::Accepted, CaseEvent::Accept).into());
        let mut short = Case::new(specimens::application());
        let refused = accept(&world.facts(), &mut short, &ground, 1).expect_err("one of three");
        let provisions = refused.provisions.clone();
        assert_eq!(refused, CasesRefusal::BatchesMissing { needed: 3, given: 1, provisions }.into());
    }

    #[test]
    fn a_lot_without_authorisation_is_not_accepted() {
        let world = specimens::World::new();
        let mut row = specimens::application();
        row.business = Business::LotRelease;
        let mut ground = world.ground(Business::LotRelease);
        ground.file.product.category = crate::regulation::Category::Vaccine;
        let refused = accept(&world.facts(), &mut Case::new(row), &ground, 1).expect_err("no authorisation");
        assert_eq!(refused.code, Code::NotAuthorised);
    }

    #[test]
    fn a_case_that_contradicts_itself_is_not_accepted() {
        let world = specimens::World::new();
        let mut ground = world.ground(Business::DrugRegistration);
        ground.file.traits = vec![crate::regulation::Trait::InfluenzaVaccine];
        let mut case = Case::new(specimens::application());
        let refused = accept(&world.facts(), &mut case, &ground, 3).expect_err("a chemical is no influenza vaccine");
        assert_eq!((refused.code, refused.field.as_deref()), (Code::InvalidField, Some("product_id")));
        assert!(refused.message_zh.contains("流感疫苗"), "{}", refused.message_zh);
    }

    #[test]
    fn the_work_is_due_by_the_laboratorys_own_clocks() {
        let clock = |name: ClockName, due: &str| ApplicationClockRow {
            application_id: "a".into(),
            name,
            unit: ClockUnit::WorkingDay,
            limit_days: 1,
            starts: Day::from(due.parse::<NaiveDate>().expect("a date")),
            due: Day::from(due.parse::<NaiveDate>().expect("a date")),
            provisional: false,
            provisions: Json::of(&[""; 0]),
        };
        for name in ClockName::ALL {
            let due = laboratory_due(&[clock(*name, "2026-05-01")]);
            assert_eq!(due.is_some(), ClockName::LABORATORY.contains(name), "{name}");
        }
        let both = [clock(ClockName::Testing, "2026-05-02"), clock(ClockName::PortReport, "2026-05-01")];
        assert_eq!(laboratory_due(&both).as_ref().map(Day::as_str), Some("2026-05-01"));
    }
}
