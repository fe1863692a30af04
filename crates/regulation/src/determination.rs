//! A determination: what the law asks of one case, each part with the provisions that it rests on.

use std::path::Path;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, CalendarError};
use crate::case::{CaseError, CaseFacts, Product};
use crate::error::RegisterError;
use crate::explain;
use crate::failing::FailingRules;
use crate::load::{self, Loaded, SourceFile};
use crate::obligations;
use crate::practice::Practice;
use crate::provision::{ClockRule, Provision, RemainderRule};
use crate::ranges::Ranges;
use crate::register::{Register, decide};
use crate::traits::TraitRules;
use vocabulary::words::{Business, ClockName, ClockUnit, Lane};

/// The register and the calendar together: everything that a determination is made with.
#[derive(Clone, Debug)]
pub struct Regulation {
    register: Register,
    calendar: Calendar,
    ranges: Ranges,
    traits: TraitRules,
    failing: FailingRules,
    practice: Practice,
}

/// What the law asks of a case. The field names are a public interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Determination {
    /// How many batches are tested; `None` where each lot is judged alone, and for devices.
    pub batches: Ruled<Option<u32>>,
    /// How many times the full-test amount is required of each batch; `None` for devices.
    pub quantity_multiple: Ruled<Option<u32>>,
    pub lane: Ruled<Lane>,
    pub clocks: Vec<StatutoryClock>,
    pub remainder: Remainder,
    pub refusals: Vec<CaseRefusal>,
    /// How the amount of each batch is computed from what the items consume; empty where nothing was computed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amounts: Vec<String>,
    /// One sentence a decision, in Chinese and English.
    pub explanation: Vec<String>,
}

/// A value and the ids of the provisions that set it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Ruled<T> {
    pub value: T,
    pub provisions: Vec<String>,
}

/// A time limit with its last day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StatutoryClock {
    pub name: ClockName,
    /// Which of several obligations it is of; none where the case has one alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obligation: Option<Business>,
    pub unit: ClockUnit,
    pub limit: u32,
    /// The day from which it runs, itself not counted; where it is counted back, the day that it ends before.
    pub starts: NaiveDate,
    pub due: NaiveDate,
    /// `due` depends on a year whose working days are not published.
    pub provisional: bool,
    pub provisions: Vec<String>,
}

/// Whether remaining samples may be sold, in principle, and what must be met in the case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Remainder {
    pub may_be_sold: bool,
    pub conditions: Vec<String>,
    pub provisions: Vec<String>,
}

/// Why the case, or what it asks for, is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = DeterminationRefusal)]
pub struct CaseRefusal {
    pub code: String,
    pub message: String,
    pub provisions: Vec<String>,
}

impl Regulation {
    /// The register and the calendar that ship with the program.
    ///
    /// # Errors
    /// The shipped data are wrong, which a test excludes.
    pub fn embedded() -> Result<Self, RegisterError> {
        Regulation::with_files(&[])
    }

    /// The shipped regulation with a laboratory's folder on top: provisions by id, calendars by year,
    /// ranges of results by id.
    ///
    /// # Errors
    /// A file cannot be read or is wrong, or two provisions contradict each other at equal rank.
    pub fn load(extra: Option<&Path>) -> Result<Self, RegisterError> {
        match extra {
            None => Regulation::embedded(),
            Some(folder) => Regulation::with_files(&load::read_folder(folder)?),
        }
    }

    /// The shipped regulation with further files on top, given as text.
    ///
    /// # Errors
    /// As [`Regulation::load`].
    pub fn with_files(files: &[SourceFile]) -> Result<Self, RegisterError> {
        let Loaded { register, calendar, ranges, failing, practice } = load::load(files)?;
        Ok(Regulation { register, calendar, ranges, traits: TraitRules::shipped()?, failing, practice })
    }

    pub fn register(&self) -> &Register {
        &self.register
    }

    pub fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// How failing results are investigated.
    pub fn failing(&self) -> &FailingRules {
        &self.failing
    }

    /// What the texts leave open and the laboratory decides.
    #[must_use]
    pub fn practice(&self) -> &Practice {
        &self.practice
    }

    /// What results and readings can be.
    #[must_use]
    pub fn ranges(&self) -> &Ranges {
        &self.ranges
    }

    /// What a case says against itself, such as a device without its class: nothing is determined of it.
    pub fn contradiction(&self, case: &CaseFacts) -> Option<CaseError> {
        self.traits.contradiction(case)
    }

    /// What a product says against itself.
    pub fn product_contradiction(&self, product: &Product) -> Option<CaseError> {
        self.traits.product_contradiction(product)
    }

    /// Decides a case. The same case under the same regulation always has the same determination. Of several obligations
    /// each brings its clocks; amounts and lane are decided once, and the stricter holds.
    ///
    /// # Errors
    /// A clock runs out of the calendar.
    pub fn determine(&self, case: &CaseFacts) -> Result<Determination, CalendarError> {
        if case.obligations.is_empty() {
            return self.determine_one(case);
        }
        let mut each = Vec::new();
        for business in std::iter::once(&case.business).chain(&case.obligations) {
            let alone = CaseFacts { business: *business, obligations: Vec::new(), ..case.clone() };
            each.push((*business, self.determine_one(&alone)?));
        }
        Ok(obligations::together(each))
    }

    fn determine_one(&self, case: &CaseFacts) -> Result<Determination, CalendarError> {
        let case = &self.traits.completed(case);
        let speaking = self.register.speaking_to(case);
        let batches = number(&speaking, |one| one.sets.batches);
        let quantity_multiple = number(&speaking, |one| one.sets.quantity_multiple);
        let lane = lane(&speaking);
        let clocks = self.clocks(case, &speaking)?;
        let (remainder, conditions) = remainder(&speaking);
        let refusals = refusals(&self.register, case, &speaking);
        let mut determination = Determination {
            batches,
            quantity_multiple,
            lane,
            clocks,
            remainder,
            refusals,
            amounts: Vec::new(),
            explanation: Vec::new(),
        };
        determination.explanation = explain::sentences(&self.register, &determination, &conditions);
        Ok(determination)
    }

    /// The same determination with the due dates that the calendar gives now: what a provisional date becomes when
    /// its year is published. Limits and provisions of an accepted case stay as they were decided.
    ///
    /// # Errors
    /// A clock runs out of the calendar.
    pub fn recompute_due(&self, determination: &Determination) -> Result<Determination, CalendarError> {
        let mut fresh = determination.clone();
        let rule = self
            .register
            .provisions()
            .iter()
            .find(|one| one.active && one.sets.day_off_moves_to_next_working_day == Some(true));
        for clock in &mut fresh.clocks {
            let rule = rule.filter(|_| clock.unit == ClockUnit::CalendarDay);
            let cited = rule.map(|one| one.id.as_str());
            clock.provisions.retain(|id| Some(id.as_str()) != cited);
            self.set_due(clock, rule)?;
        }
        let none = RemainderRule { conditions: Vec::new() };
        let conditions = self
            .register
            .provisions()
            .iter()
            .find(|one| fresh.remainder.provisions.first() == Some(&one.id))
            .and_then(|one| one.sets.remainder.clone())
            .unwrap_or(none);
        fresh.explanation = explain::sentences(&self.register, &fresh, &conditions);
        Ok(fresh)
    }

    fn clocks(&self, case: &CaseFacts, speaking: &[&Provision]) -> Result<Vec<StatutoryClock>, CalendarError> {
        let day_off = decide(speaking, |one| one.sets.day_off_moves_to_next_working_day)
            .filter(|decided| decided.value)
            .and_then(|decided| decided.provisions.first().copied());
        let mut clocks = Vec::new();
        for name in ClockName::ALL {
            let rule = |one: &Provision| one.sets.clocks.iter().find(|clock| clock.name == *name).copied();
            let Some(decided) = decide(speaking, rule) else {
                continue;
            };
            let ClockRule { name, unit, limit, starts } = decided.value;
            let Some(starts) = case.dates.get(starts) else {
                continue;
            };
            // What acceptance ends cannot begin after it: such a date was only recorded late.
            if ClockName::ENDED_BY_ACCEPTANCE.contains(&name) && starts > case.dates.accepted {
                continue;
            }
            let mut clock = StatutoryClock {
                name,
                obligation: None,
                unit,
                limit,
                starts,
                due: starts,
                provisional: false,
                provisions: ids(&decided.provisions),
            };
            self.set_due(&mut clock, day_off)?;
            clocks.push(clock);
        }
        Ok(clocks)
    }

    /// Sets due date and provisional mark; cites the rule on days off where it moved the date.
    fn set_due(&self, clock: &mut StatutoryClock, day_off: Option<&Provision>) -> Result<(), CalendarError> {
        let due = match clock.unit {
            ClockUnit::WorkingDay if clock.name.counts_back() => {
                self.calendar.working_days_before(clock.starts, clock.limit)?
            }
            ClockUnit::WorkingDay => self.calendar.add_working_days(clock.starts, clock.limit)?,
            ClockUnit::CalendarDay => self.calendar.add_calendar_days(clock.starts, clock.limit, day_off.is_some())?,
        };
        if let (ClockUnit::CalendarDay, Some(rule)) = (clock.unit, day_off) {
            let plain = self.calendar.add_calendar_days(clock.starts, clock.limit, false)?;
            if plain.date != due.date {
                clock.provisions.push(rule.id.clone());
            }
        }
        clock.due = due.date;
        clock.provisional = due.provisional;
        Ok(())
    }
}

impl Determination {
    /// With how the amount of each batch is computed, behind the sentence about its multiple.
    #[must_use]
    pub fn with_amounts(mut self, (zh, en): (&str, &str)) -> Self {
        let said = explain::both(zh, en);
        self.explanation.insert(explain::QUANTITY.min(self.explanation.len()), said.clone());
        self.amounts.push(said);
        self
    }
}

fn ids(provisions: &[&Provision]) -> Vec<String> {
    provisions.iter().map(|one| one.id.clone()).collect()
}

fn number(speaking: &[&Provision], answer: impl Fn(&Provision) -> Option<u32>) -> Ruled<Option<u32>> {
    match decide(speaking, answer) {
        None => Ruled { value: None, provisions: Vec::new() },
        Some(decided) => Ruled { value: Some(decided.value), provisions: ids(&decided.provisions) },
    }
}

/// The highest lane that any provision grants, whatever its rank; without one, routine.
fn lane(speaking: &[&Provision]) -> Ruled<Lane> {
    let highest = speaking.iter().filter_map(|one| one.sets.lane).max().unwrap_or(Lane::Routine);
    let granted = |one: &&&Provision| one.sets.lane == Some(highest);
    let provisions: Vec<&Provision> = speaking.iter().filter(granted).copied().collect();
    Ruled { value: highest, provisions: ids(&provisions) }
}

fn remainder(speaking: &[&Provision]) -> (Remainder, RemainderRule) {
    match decide(speaking, |one| one.sets.remainder.clone()) {
        None => (
            Remainder { may_be_sold: false, conditions: Vec::new(), provisions: Vec::new() },
            RemainderRule { conditions: Vec::new() },
        ),
        Some(decided) => {
            let conditions = decided.value.conditions.iter().map(|one| one.code.clone()).collect();
            let provisions = ids(&decided.provisions);
            (Remainder { may_be_sold: true, conditions, provisions }, decided.value)
        }
    }
}

fn refusals(register: &Register, case: &CaseFacts, speaking: &[&Provision]) -> Vec<CaseRefusal> {
    let mut refusals: Vec<CaseRefusal> = Vec::new();
    for one in speaking {
        let Some(rule) = &one.sets.refusal else {
            continue;
        };
        match refusals.iter_mut().find(|refusal| refusal.code == rule.code) {
            Some(refusal) => refusal.provisions.push(one.id.clone()),
            None => refusals.push(CaseRefusal {
                code: rule.code.clone(),
                message: explain::both(&rule.zh, &rule.en),
                provisions: vec![one.id.clone()],
            }),
        }
    }
    refusals.extend(pre_submission_refusal(register, case, speaking));
    refusals
}

/// Testing before the application is submitted needs a provision that allows it.
fn pre_submission_refusal(register: &Register, case: &CaseFacts, speaking: &[&Provision]) -> Option<CaseRefusal> {
    if !case.pre_submission {
        return None;
    }
    let Some(decided) = decide(speaking, |one| one.sets.pre_submission.clone()) else {
        let (zh, en) = explain::no_pre_submission(case);
        return Some(CaseRefusal {
            code: "pre_submission_not_provided".to_owned(),
            message: explain::both(&zh, &en),
            provisions: permitting_otherwise(register, case),
        });
    };
    let permission = decided.value;
    (!permission.allow).then(|| CaseRefusal {
        code: permission.code,
        message: explain::both(&permission.zh, &permission.en),
        provisions: ids(&decided.provisions),
    })
}

/// The provisions in force that allow testing before submission in this business, for other purposes or products than
/// the case's: a refusal cites them as what it would take.
fn permitting_otherwise(register: &Register, case: &CaseFacts) -> Vec<String> {
    let permits = |one: &&Provision| {
        one.jurisdiction.covers(case.jurisdiction)
            && case.dates.get(one.selected_by).is_some_and(|day| one.in_force_on(day))
            && one.applies.business.contains(&case.business)
            && one.sets.pre_submission.as_ref().is_some_and(|permission| permission.allow)
    };
    register.provisions().iter().filter(permits).map(|one| one.id.clone()).collect()
}
