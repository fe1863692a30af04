//! Receipt of samples (收样): their condition, whether they suffice, their containers, custody and tasks.

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::application::{Series, numbered};
use super::demand::{LotDemand, demand, usual_content};
use super::label_questions::{DateQuestion, expired, questions};
use super::load::CaseFile;
use super::refusals::{ArrivalFault, CasesRefusal};
use crate::action::{Context, Facts};
use crate::custody;
use crate::insert_all;
use crate::record::Change;
use crate::refusal::Refusal;
use crate::regulation::Determination;
use crate::regulation::quantities::Content;
use crate::store::Outcome;
use crate::store::columns::{BatchId, ContainerId, Day, Dec, SampleId, TestTaskId};
use crate::store::rows::{
    ApplicationRow, BatchRow, ContainerRow, CustodyEntryRow, SampleRow, TestItemRow, TestTaskRow,
};
use crate::store::schema::{container, custody_entry, sample, test_task};
use crate::text::{self, TypedDecimal, decimal_or_blank};
use crate::vocabulary::samples::PortionEvent;
use crate::vocabulary::{Place, Portion, SampleState, TaskState};

/// What arrived.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// One for each batch that arrived
    pub samples: Vec<NewSample>,
}

/// The sample of one batch as it arrived.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSample {
    /// The batch, by its lot number
    pub lot_number: String,
    /// Its containers: a number of them, or their label codes one by one
    pub containers: NewContainers,
    /// How much one of these containers holds, where it is not what the product's containers hold
    #[serde(default, deserialize_with = "decimal_or_blank")]
    pub container_content: Option<TypedDecimal>,
    /// The unit of that content; without it, the product's
    #[serde(default)]
    pub content_unit: Option<String>,
    /// °C on arrival
    #[serde(default, deserialize_with = "decimal_or_blank")]
    pub temperature: Option<TypedDecimal>,
    #[serde(default = "yes")]
    pub seals_intact: bool,
    /// Outer packages (件)
    #[serde(default = "one")]
    pub packages: i64,
    #[serde(default = "yes")]
    pub packages_intact: bool,
    /// The label agrees with the papers
    #[serde(default = "yes")]
    pub label_matches: bool,
    #[serde(default)]
    pub note: String,
    /// Refuses the sample: why
    pub refuse_because: Option<String>,
}

fn yes() -> bool {
    true
}

fn one() -> i64 {
    1
}

/// Containers by number or by label.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(untagged)]
pub enum NewContainers {
    /// So many: the desk labels them `<sample number>-01` and so on
    Count(i64),
    /// The codes on their labels
    Labels(Vec<String>),
}

/// A sample ready to be stored, but for its number.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub sample: SampleRow,
    /// Labels still to be made from the sample's number are empty.
    pub containers: Vec<ContainerRow>,
    pub entries: Vec<CustodyEntryRow>,
    pub tasks: Vec<TestTaskRow>,
}

/// What arrives is checked against.
pub(super) struct Receiving<'a> {
    pub application: &'a ApplicationRow,
    pub file: &'a CaseFile,
    pub determination: &'a Determination,
    pub batches: &'a [BatchRow],
    /// The batches that have their sample already
    pub received: &'a [BatchId],
    /// What the case itself leaves open
    pub asked: &'a [DateQuestion],
}

/// What the containers of a sample hold, where the desk says so, or as the product says.
fn content_of(index: usize, new: &NewSample, file: &CaseFile) -> Result<Content, Refusal> {
    let usual = usual_content(file);
    let at = |field: &str| format!("samples[{index}].{field}");
    let unit = match new.content_unit.as_deref().map(str::trim).filter(|unit| !unit.is_empty()) {
        Some(unit) => text::required(&at("content_unit"), unit, 20)?,
        None => usual.unit,
    };
    let amount = match new.container_content {
        Some(TypedDecimal(amount)) => text::positive(&at("container_content"), &amount.to_string())?.1,
        None => usual.amount,
    };
    Ok(Content { amount, unit })
}

/// Checks what arrived, in the order given.
///
/// # Errors
/// Names the field, or what is short with the numbers and the provisions.
pub(super) fn check_all(
    facts: &Facts<'_>,
    samples: &[NewSample],
    of: &Receiving<'_>,
) -> Result<Vec<Received>, Refusal> {
    if samples.is_empty() {
        return Err(CasesRefusal::NoSamples.into());
    }
    let mut done = of.received.to_vec();
    let mut all = Vec::with_capacity(samples.len());
    for (index, new) in samples.iter().enumerate() {
        let batch = batch_of(index, &new.lot_number, of.batches, &done)?;
        all.push(check(facts, index, new, batch, of)?);
        done.push(batch.id.clone());
    }
    Ok(all)
}

/// Whether any sample of a receipt was taken: then the work begins.
pub(super) fn any_received(arrived: &[Received]) -> bool {
    arrived.iter().any(|one| one.sample.state == SampleState::Received)
}

/// Checks one sample against its batch, its papers and the regulation.
fn check(
    facts: &Facts<'_>,
    index: usize,
    new: &NewSample,
    batch: &BatchRow,
    of: &Receiving<'_>,
) -> Result<Received, Refusal> {
    let application = of.application;
    let content = content_of(index, new, of.file)?;
    let need = &demand(of.file, of.determination, &content, facts.regulation.practice());
    let at = |field: &str| format!("samples[{index}].{field}");
    let labels = labels(&at("containers"), &new.containers)?;
    let given = i64::try_from(labels.len()).unwrap_or(i64::MAX);
    let refused = new
        .refuse_because
        .as_deref()
        .map(|reason| text::required(&at("refuse_because"), reason, text::REMARK))
        .transpose()?;
    let note = text::optional(&at("note"), &new.note, text::REMARK)?;
    if new.packages < 0 || new.packages > 100_000 {
        return Err(CasesRefusal::PackageCount { sample: index }.into());
    }
    let sample = SampleRow {
        id: SampleId::new(),
        number: String::new(),
        application_id: application.id.clone(),
        batch_id: batch.id.clone(),
        state: if refused.is_some() { SampleState::Refused } else { SampleState::Received },
        received_at: facts.now.into(),
        received_by: facts.actor.account.clone(),
        temperature: new.temperature.map(|TypedDecimal(celsius)| Dec::from(celsius)),
        seals_intact: new.seals_intact,
        packages: new.packages,
        packages_intact: new.packages_intact,
        label_matches: new.label_matches,
        condition_note: note,
        state_reason: refused.clone(),
        full_test_containers: need.full_test_containers,
        required_containers: need.required_containers,
        institute_id: application.institute_id.clone(),
        content_amount: need.is_counted().then(|| content.amount.normalize().into()),
        content_unit: need.is_counted().then(|| content.unit.clone()),
    };
    if refused.is_none() {
        check_condition(index, &sample)?;
        check_dates(index, &sample, batch, facts.today(), of.asked)?;
        need.known(index)?;
        check_quantity(&at("containers"), &batch.lot_number, need, given)?;
    }
    let containers = container_rows(&sample, labels, need.full_test_containers)?;
    let (actor, now) = (facts.actor, facts.now);
    let places = if refused.is_some() { vec![(Place::Returned, given)] } else { need.places(given) };
    let entries = custody::receive(&sample, &containers, &places, actor, now);
    Ok(Received { sample, containers, entries, tasks: Vec::new() })
}

fn labels(field: &str, given: &NewContainers) -> Result<Vec<String>, Refusal> {
    const MOST: i64 = 5000;
    match given {
        NewContainers::Count(count) if (1..=MOST).contains(count) => {
            Ok(vec![String::new(); usize::try_from(*count).unwrap_or_default()])
        }
        NewContainers::Labels(codes) if !codes.is_empty() && codes.len() <= 5000 => codes
            .iter()
            .enumerate()
            .map(|(index, code)| {
                let code = text::required(&format!("{field}[{index}]"), &text::codes::code(code), 80)?;
                if codes.iter().take(index).any(|other| text::codes::same_code(other, &code)) {
                    return Err(CasesRefusal::LabelTwice { field: format!("{field}[{index}]") }.into());
                }
                Ok(code)
            })
            .collect(),
        _ => Err(CasesRefusal::ContainerCount { field: field.to_owned(), most: MOST }.into()),
    }
}

/// What is wrong on arrival is either a refusal or a remark: it is never passed over.
fn check_condition(index: usize, sample: &SampleRow) -> Result<(), CasesRefusal> {
    let faults = [
        (!sample.seals_intact, ArrivalFault::SealBroken),
        (!sample.packages_intact, ArrivalFault::PackageDamaged),
        (!sample.label_matches, ArrivalFault::LabelDiffers),
    ];
    match faults.into_iter().find(|(found, _)| *found) {
        Some((_, fault)) if sample.condition_note.is_empty() => Err(CasesRefusal::Unremarked { sample: index, fault }),
        _ => Ok(()),
    }
}

/// A lot that has expired is refused; where the label's dates leave questions, or the case has some, the note says what
/// was found.
fn check_dates(
    index: usize,
    sample: &SampleRow,
    batch: &BatchRow,
    today: NaiveDate,
    asked: &[DateQuestion],
) -> Result<(), CasesRefusal> {
    let (made, expires) = (batch.produced_on.as_deref(), batch.expires_on.as_deref());
    if expired(expires, today) {
        return Err(CasesRefusal::Expired { sample: index });
    }
    let mut questions = questions(made, expires, today);
    questions.extend_from_slice(asked);
    if questions.is_empty() || !sample.condition_note.is_empty() {
        return Ok(());
    }
    Err(CasesRefusal::DatesUnclear { sample: index, questions })
}

fn check_quantity(field: &str, lot: &str, need: &LotDemand, given: i64) -> Result<(), CasesRefusal> {
    if need.required_containers <= given {
        return Ok(());
    }
    Err(CasesRefusal::Short {
        field: field.to_owned(),
        lot: lot.to_owned(),
        full: need.full_test_containers,
        multiple: need.multiple,
        required: need.required_containers,
        given,
        by: need.provisions.clone(),
        computation: (need.computation_zh.clone(), need.computation_en.clone()),
    })
}

/// The containers in their portions: as many as a full test needs are for it, the others are retained.
fn container_rows(sample: &SampleRow, labels: Vec<String>, full_test: i64) -> Result<Vec<ContainerRow>, CasesRefusal> {
    let rows = labels.into_iter().enumerate().map(|(index, label_code)| {
        let position = i64::try_from(index).unwrap_or(i64::MAX) + 1;
        let event = match sample.state {
            SampleState::Received if position <= full_test => PortionEvent::TakeForTesting,
            SampleState::Received => PortionEvent::Retain,
            SampleState::Refused | SampleState::Voided => PortionEvent::GiveBack,
        };
        let portion = Portion::Received.on(event)?;
        Ok(ContainerRow {
            id: ContainerId::new(),
            sample_id: sample.id.clone(),
            position,
            label_code,
            portion,
            institute_id: sample.institute_id.clone(),
        })
    });
    rows.collect()
}

/// One task for each item of the specification.
pub(super) fn tasks(
    sample: &SampleRow,
    items: &[TestItemRow],
    lane_rank: i64,
    due: Option<&Day>,
    now: chrono::DateTime<chrono::Utc>,
) -> Vec<TestTaskRow> {
    let task = |item: &TestItemRow| TestTaskRow {
        id: TestTaskId::new(),
        sample_id: sample.id.clone(),
        test_item_id: item.id.clone(),
        attempt: 1,
        state: TaskState::Waiting,
        lane_rank,
        due: due.cloned(),
        available_at: now.into(),
        started_at: None,
        analyst_id: None,
        institute_id: sample.institute_id.clone(),
        assigned_to: None,
        repeats_result_id: None,
    };
    items.iter().map(task).collect()
}

/// Gives a sample its number, and its unlabelled containers their labels.
fn number(received: &mut Received, number: String) {
    for container in &mut received.containers {
        if container.label_code.is_empty() {
            container.label_code = format!("{number}-{:02}", container.position);
        }
    }
    received.sample.number = number;
}

/// Numbers and stores what arrived, with its containers, custody and tasks.
pub(super) fn store(
    cx: &mut Context<'_>,
    row: &ApplicationRow,
    file: &CaseFile,
    due: Option<&Day>,
    arrived: &mut [Received],
) -> Outcome<()> {
    for received in arrived.iter_mut() {
        let next = numbered(cx, Series::Sample, &file.institute)?;
        number(received, next);
        if received.sample.state == SampleState::Received {
            received.tasks = tasks(&received.sample, &file.items, row.lane_rank, due, cx.now);
        }
        cx.record(arrival(received));
    }
    let samples: Vec<SampleRow> = arrived.iter().map(|r| r.sample.clone()).collect();
    let containers: Vec<ContainerRow> = arrived.iter().flat_map(|r| r.containers.clone()).collect();
    let entries: Vec<CustodyEntryRow> = arrived.iter().flat_map(|r| r.entries.clone()).collect();
    let tasks: Vec<TestTaskRow> = arrived.iter().flat_map(|r| r.tasks.clone()).collect();
    insert_all!(cx.conn, sample::table, samples)?;
    insert_all!(cx.conn, container::table, containers)?;
    insert_all!(cx.conn, custody_entry::table, entries)?;
    insert_all!(cx.conn, test_task::table, tasks)?;
    Ok(())
}

/// What the trail says of a sample that arrived.
fn arrival(received: &Received) -> Change {
    let row = &received.sample;
    let event = if row.state == SampleState::Received { "sample.receive" } else { "sample.refuse" };
    let labels: Vec<&str> = received.containers.iter().map(|container| container.label_code.as_str()).collect();
    let content = json!({
        "number": row.number,
        "application_id": row.application_id,
        "batch_id": row.batch_id,
        "state": row.state,
        "temperature": row.temperature,
        "seals_intact": row.seals_intact,
        "packages": row.packages,
        "packages_intact": row.packages_intact,
        "label_matches": row.label_matches,
        "condition_note": row.condition_note,
        "containers": labels,
    });
    let mut change = Change::created(event, "sample", &row.id, content);
    change.reason.clone_from(&row.state_reason);
    change
}

/// The batch of that lot number.
///
/// # Errors
/// Where the application has no such batch, or its sample was received already.
fn batch_of<'a>(
    index: usize,
    lot: &str,
    batches: &'a [BatchRow],
    received: &[BatchId],
) -> Result<&'a BatchRow, CasesRefusal> {
    let (sample, lot) = (index, lot.trim());
    let exactly = batches.iter().find(|batch| batch.lot_number == lot);
    let batch = exactly
        .or_else(|| batches.iter().find(|batch| text::codes::lot_key(&batch.lot_number) == text::codes::lot_key(lot)))
        .ok_or_else(|| CasesRefusal::NoLot { sample, lot: lot.to_owned() })?;
    if batch.withdrawn_at.is_some() {
        return Err(CasesRefusal::LotWithdrawn { sample, lot: lot.to_owned() });
    }
    if received.contains(&batch.id) {
        return Err(CasesRefusal::LotReceived { sample, lot: lot.to_owned() });
    }
    Ok(batch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::specimens::{self, World};
    use crate::regulation::{Business, Ruled};

    fn determined(world: &World, file: &CaseFile) -> Determination {
        let case = crate::cases::acceptance::case_of(&specimens::application(), file, world.today()).expect("a case");
        let mut determination = world.regulation.determine(&case).expect("a determination");
        determination.quantity_multiple = Ruled { value: Some(2), provisions: vec!["N-1".into()] };
        determination
    }

    fn checked(samples: &[NewSample], batch: BatchRow, application: &ApplicationRow) -> Result<Vec<Received>, Refusal> {
        let world = World::new();
        let file = world.ground(Business::DrugRegistration).file;
        let determination = determined(&world, &file);
        let (batches, received, asked) = (&[batch], &[], &[]);
        let of = Receiving { application, file: &file, determination: &determination, batches, received, asked };
        check_all(&world.facts(), samples, &of)
    }

    fn arrive(change: impl Fn(&mut NewSample, &mut BatchRow)) -> Result<Vec<Received>, Refusal> {
        let application = specimens::application();
        let (mut sample, mut batch) = (specimens::arrived(), specimens::batch(&application));
        change(&mut sample, &mut batch);
        checked(&[sample], batch, &application)
    }

    #[test]
    fn what_suffices_is_split_into_its_portions() {
        let arrived = arrive(|sample, _| sample.containers = NewContainers::Count(2)).expect("two containers");
        let portions: Vec<Portion> = arrived[0].containers.iter().map(|one| one.portion).collect();
        assert_eq!(portions, [Portion::Test, Portion::Retention]);
        assert!(any_received(&arrived));
    }

    #[test]
    fn what_is_short_is_told_with_its_numbers() {
        let refused = arrive(|sample, _| sample.containers = NewContainers::Count(1)).expect_err("one of two");
        let (field, lot, by) = ("samples[0].containers".into(), "L-1".into(), vec!["N-1".into()]);
        let said = "每批须 2 瓶：2 × 10 片 = 20 片，每瓶 10 片，进位为 2 瓶";
        let en = "each batch needs 2 瓶: 2 × 10 片 = 20 片, 10 片 in one 瓶, rounded up to 2";
        let computation = (said.to_owned(), en.to_owned());
        let short =
            CasesRefusal::Short { field, lot, full: 1, multiple: Some(2), required: 2, given: 1, by, computation };
        assert_eq!((refused.details["short_by"].as_i64(), &refused), (Some(1), &short.into()));
        // What the desk says of these containers holds before what the product says.
        let smaller = arrive(|sample, _| sample.container_content = Some(TypedDecimal(5.into()))).expect("four of two");
        assert_eq!(smaller[0].sample.required_containers, 4);
        let grams = arrive(|sample, _| sample.content_unit = Some("g".into()));
        assert!(grams.is_ok(), "an item without a unit of its own is counted in the content's");
        let none = arrive(|sample, _| sample.containers = NewContainers::Count(0)).expect_err("none");
        let count = CasesRefusal::ContainerCount { field: "samples[0].containers".into(), most: 5000 };
        assert_eq!(none, count.into());
    }

    #[test]
    fn a_fault_is_a_refusal_or_a_remark() {
        let broken = arrive(|sample, _| sample.seals_intact = false).expect_err("nobody says why");
        assert_eq!(broken, CasesRefusal::Unremarked { sample: 0, fault: ArrivalFault::SealBroken }.into());
        let remarked = arrive(|sample, _| {
            sample.seals_intact = false;
            sample.note = "运输中破损，已拍照".into();
        });
        assert!(remarked.is_ok());
        let refused = arrive(|sample, _| sample.refuse_because = Some("破损".into())).expect("a refused sample");
        assert_eq!(refused[0].sample.state, SampleState::Refused);
        assert!(refused[0].containers.iter().all(|one| one.portion == Portion::Returned) && !any_received(&refused));
    }

    #[test]
    fn an_expired_lot_is_refused_however_its_label_writes_it() {
        let labelled = |label: &'static str| arrive(move |_, batch| batch.expires_on = Some(label.into()));
        for label in ["2025-10-31", "2025.10.31", "2025年10月", "31/10/2025", "2026年2月"] {
            let refused = labelled(label).expect_err(label);
            assert_eq!(refused, CasesRefusal::Expired { sample: 0 }.into(), "{label}");
        }
        for label in ["2028-12-31", "2026年3月", "2026.03.04", "31/08/2027"] {
            assert!(labelled(label).is_ok(), "{label}");
        }
        // Today is the fourth of March: the second of April, or the fourth of February.
        for label in ["36个月", "02/04/2026"] {
            let questions = vec![DateQuestion::Expiry { label: label.into() }];
            let unclear = CasesRefusal::DatesUnclear { sample: 0, questions };
            assert_eq!(labelled(label).expect_err(label), unclear.into(), "{label}");
            let told = arrive(|sample, batch| {
                batch.expires_on = Some(label.into());
                sample.note = "有效期至2026年4月2日".into();
            });
            assert!(told.is_ok(), "{label}");
        }
        let undated = arrive(|_, batch| batch.expires_on = None).expect_err("no date at all");
        let questions = vec![DateQuestion::Undated];
        assert_eq!(undated, CasesRefusal::DatesUnclear { sample: 0, questions }.into());
    }

    #[test]
    fn a_lot_is_received_once() {
        let application = specimens::application();
        let batch = specimens::batch(&application);
        let again = [specimens::arrived(), specimens::arrived()];
        let refused = checked(&again, batch, &application).expect_err("twice");
        assert_eq!(refused, CasesRefusal::LotReceived { sample: 1, lot: "L-1".into() }.into());
    }
}
