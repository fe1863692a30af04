//! What a certificate is composed from: facts about one sample and its case, without rows and without a database, so
//! that a test can write them down.

use chrono::NaiveDate;

use super::refusals::CertificateRefusal;
use crate::cases::Particulars;
use crate::documents::{Basis, Bilingual, Institution, Party, PrintedVerdict};
use crate::regulation::{Business, ClockName, ClockUnit, Determination};
use crate::store::columns::{ResultId, TestItemId, TestTaskId};
use crate::vocabulary::{CertificateKind, ProtocolOutcome, TaskState};

/// Everything about one sample.
#[derive(Clone, Debug)]
pub(super) struct Dossier {
    pub business: Business,
    /// The document that the line of business ends in: where everything conforms, and where not.
    pub documents: (CertificateKind, CertificateKind),
    pub standard_verification: bool,
    pub acceptance_number: String,
    pub arrived_at_port_on: Option<NaiveDate>,
    pub sampled_on: Option<NaiveDate>,
    pub institution: Institution,
    pub customer: Party,
    pub product: TestedProduct,
    pub basis: Basis,
    pub lot: LabelledLot,
    pub sample: Sample,
    pub particulars: Particulars,
    /// What the review of the lot's summary protocol found; none where none is on record.
    pub protocol: Option<ProtocolFinding>,
    /// How many items the specification has.
    pub specified: usize,
    pub determination: Determination,
    pub clocks: Vec<RunningClock>,
    /// All attempts at all items, in the specification's order.
    pub attempts: Vec<Attempt>,
}

/// What was tested.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(Default))]
pub(super) struct TestedProduct {
    pub name: Bilingual,
    pub strength: String,
    pub dosage_form: String,
    pub packaging: String,
    pub container: String,
    pub manufacturer: String,
    pub holder: String,
    pub approval_number: String,
    pub storage: String,
}

/// The lot, as on the label.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(Default))]
pub(super) struct LabelledLot {
    pub number: String,
    pub produced_on: Option<String>,
    pub expires_on: Option<String>,
}

/// What was found about the maker's record of the lot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProtocolFinding {
    pub number: String,
    pub outcome: ProtocolOutcome,
    pub note: String,
    pub on: NaiveDate,
}

impl ProtocolFinding {
    pub(super) fn conforms(&self) -> bool {
        self.outcome == ProtocolOutcome::Conforms
    }
}

/// The sample, as it was received.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(Default))]
pub(super) struct Sample {
    pub number: String,
    pub received_on: NaiveDate,
    /// 检品数量: what was received but for the surplus
    pub containers: i64,
    pub full_test_containers: i64,
    pub required_containers: i64,
    pub seals_intact: bool,
    pub packages_intact: bool,
    pub label_matches: bool,
    pub temperature: Option<String>,
    pub note: String,
}

/// A time limit of the case.
#[derive(Clone, Debug)]
pub(super) struct RunningClock {
    pub name: ClockName,
    pub unit: ClockUnit,
    pub limit_days: i64,
    pub starts: NaiveDate,
    pub due: NaiveDate,
    pub provisions: Vec<String>,
}

/// One attempt at one item.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub task: TestTaskId,
    pub item_id: TestItemId,
    pub item: Bilingual,
    pub method: String,
    pub in_scope: bool,
    /// The specification compares full values with the limit.
    pub compares_full: bool,
    /// The plots that the item wants in the annex.
    pub annex: Vec<String>,
    pub number: i64,
    pub state: TaskState,
    pub started_on: Option<NaiveDate>,
    /// Its latest result.
    pub result: Option<LatestResult>,
}

/// A result.
#[derive(Clone, Debug)]
pub(super) struct LatestResult {
    pub id: ResultId,
    pub reported: String,
    pub limit: String,
    pub unit: String,
    pub verdict: PrintedVerdict,
    pub reviewed_on: Option<NaiveDate>,
}

/// A result of an item that counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Final<'a> {
    pub attempt: &'a Attempt,
    pub result: &'a LatestResult,
}

impl Final<'_> {
    pub(super) fn conforms(&self) -> bool {
        self.result.verdict == PrintedVerdict::Pass
    }
}

impl Dossier {
    /// The lot was imported: its registration is on record, or the day on which it came to the port.
    pub(super) fn imported(&self) -> bool {
        self.arrived_at_port_on.is_some() || !self.particulars.import_registration.is_empty()
    }

    /// All results that count: every attempt's at every item, but those that were invalid or decided nothing and were
    /// done again. A failing one is kept beside its repetitions.
    ///
    /// # Errors
    /// Where a result is missing, or an OOS one awaits its decision: these block the certificate.
    pub(super) fn finals(&self) -> Result<Vec<Final<'_>>, CertificateRefusal> {
        let counts = |one: &&Attempt| {
            one.state != TaskState::RetestOrdered
                || !self.attempts.iter().any(|other| other.item_id == one.item_id && other.number > one.number)
        };
        let finals: Vec<Final<'_>> = self.attempts.iter().filter(counts).map(settled).collect::<Result<_, _>>()?;
        if finals.is_empty() {
            return Err(CertificateRefusal::NoResults);
        }
        Ok(finals)
    }
}

/// The result of an attempt that nothing is open about.
fn settled(attempt: &Attempt) -> Result<Final<'_>, CertificateRefusal> {
    let (item, task) = (attempt.item.clone(), attempt.task.clone());
    match (attempt.state, &attempt.result) {
        (TaskState::Reviewed | TaskState::Confirmed, Some(result)) => Ok(Final { attempt, result }),
        (TaskState::Reviewed | TaskState::Confirmed, None) => Err(CertificateRefusal::ResultMissing { item, task }),
        (TaskState::Oos, _) => Err(CertificateRefusal::OosOpen { item, task }),
        (state, _) => Err(CertificateRefusal::TestOpen { item, task, state }),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::regulation::{Lane, Remainder, Ruled};

    pub(crate) fn attempt(item: &str, number: i64, state: TaskState, verdict: Option<PrintedVerdict>) -> Attempt {
        let result = verdict.map(|verdict| LatestResult {
            id: ResultId::from(format!("r-{item}-{number}")),
            reported: "99.2".into(),
            limit: "≥98.0".into(),
            unit: "%".into(),
            verdict,
            reviewed_on: None,
        });
        Attempt {
            task: TestTaskId::from(format!("t-{item}-{number}")),
            item_id: TestItemId::from(item),
            item: Bilingual::new(item, item),
            method: String::new(),
            in_scope: true,
            compares_full: false,
            annex: Vec::new(),
            number,
            state,
            started_on: None,
            result,
        }
    }

    pub(crate) fn dossier(attempts: Vec<Attempt>) -> Dossier {
        let none = || Ruled { value: None, provisions: Vec::new() };
        Dossier {
            business: Business::DrugRegistration,
            documents: (CertificateKind::TestReport, CertificateKind::TestReport),
            standard_verification: false,
            acceptance_number: String::new(),
            arrived_at_port_on: None,
            sampled_on: None,
            institution: Institution { name: Bilingual::new("某院", ""), ..Institution::default() },
            customer: Party { name: Bilingual::new("某公司", ""), ..Party::default() },
            product: TestedProduct {
                name: Bilingual::new("某片", ""),
                container: "瓶".into(),
                ..TestedProduct::default()
            },
            basis: Basis { title: "《中国药典》2025年版二部".into(), ..Basis::default() },
            lot: LabelledLot {
                number: "20260101".into(),
                expires_on: Some("2028-01-31".into()),
                ..LabelledLot::default()
            },
            sample: Sample { number: "S20260001".into(), containers: 9, ..Sample::default() },
            particulars: Particulars::default(),
            protocol: None,
            specified: 1,
            determination: Determination {
                batches: none(),
                quantity_multiple: none(),
                lane: Ruled { value: Lane::Routine, provisions: Vec::new() },
                clocks: Vec::new(),
                remainder: Remainder { may_be_sold: false, conditions: Vec::new(), provisions: Vec::new() },
                refusals: Vec::new(),
                amounts: Vec::new(),
                explanation: Vec::new(),
            },
            clocks: Vec::new(),
            attempts,
        }
    }

    fn refused(attempts: Vec<Attempt>) -> Option<CertificateRefusal> {
        dossier(attempts).finals().err()
    }

    #[test]
    fn what_is_open_blocks_the_draft() {
        let done = || attempt("a", 1, TaskState::Reviewed, Some(PrintedVerdict::Pass));
        let (item, task) = (Bilingual::new("b", "b"), TestTaskId::from("t-b-1"));
        assert_eq!(refused(vec![]), Some(CertificateRefusal::NoResults));
        assert_eq!(refused(vec![done()]), None);
        for state in [TaskState::Waiting, TaskState::InProgress, TaskState::Entered, TaskState::Cancelled] {
            let open = refused(vec![done(), attempt("b", 1, state, Some(PrintedVerdict::Fail))]);
            let (item, task) = (item.clone(), task.clone());
            assert_eq!(open, Some(CertificateRefusal::TestOpen { item, task, state }), "{state}");
        }
        let oos = refused(vec![done(), attempt("b", 1, TaskState::Oos, Some(PrintedVerdict::Fail))]);
        assert_eq!(oos, Some(CertificateRefusal::OosOpen { item: item.clone(), task: task.clone() }));
        let missing = refused(vec![attempt("b", 1, TaskState::Reviewed, None)]);
        assert_eq!(missing, Some(CertificateRefusal::ResultMissing { item, task }));
    }

    #[test]
    fn of_an_item_that_was_tested_again_every_valid_attempt_counts() {
        let first = attempt("a", 1, TaskState::RetestOrdered, Some(PrintedVerdict::Fail));
        let again = refused(vec![first.clone(), attempt("a", 2, TaskState::Waiting, None)]);
        assert!(matches!(again, Some(CertificateRefusal::TestOpen { state: TaskState::Waiting, .. })), "{again:?}");
        let both = dossier(vec![first, attempt("a", 2, TaskState::Confirmed, Some(PrintedVerdict::Fail))]);
        let finals = both.finals().expect("final results");
        assert_eq!(finals.iter().map(|one| one.attempt.number).collect::<Vec<_>>(), [2]);
        assert!(!finals[0].conforms());
        let valid = attempt("a", 1, TaskState::Confirmed, Some(PrintedVerdict::Fail));
        let repeated = attempt("a", 2, TaskState::Reviewed, Some(PrintedVerdict::Pass));
        let all = dossier(vec![valid, repeated]);
        let finals = all.finals().expect("final results");
        assert_eq!(finals.iter().map(Final::conforms).collect::<Vec<_>>(), [false, true]);
    }
}
