//! Receipt of samples (收样): their condition, whether they suffice, their numbers, containers and custody.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::load::CaseFile;
use crate::audit::Actor;
use crate::custody;
use crate::input;
use crate::refusal::{Code, Refusal};
use crate::regulation::quantities::{self, ItemDemand};
use crate::regulation::{Determination, TaskState};
use crate::store::columns::{BatchId, ContainerId, Day, Dec, SampleId, TestTaskId};
use crate::store::rows::{
    ApplicationRow, BatchRow, ContainerRow, CustodyEntryRow, SampleRow, TestItemRow, TestTaskRow,
};

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
    /// °C on arrival
    pub temperature: Option<String>,
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

/// How many containers one batch must bring, and by which provisions.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Demand {
    /// Full-test quantity (全项检验用量), in whole containers
    pub full_test_containers: i64,
    /// The multiple; null where no provision sets one (devices)
    pub multiple: Option<u32>,
    /// multiple × full-test quantity, in whole containers
    pub required_containers: i64,
    pub provisions: Vec<String>,
}

/// What the regulation asks of each batch of this case.
///
/// # Errors
/// Where the quantities are beyond counting.
pub(super) fn demand(file: &CaseFile, determination: &Determination) -> Result<Demand, Refusal> {
    let items: Vec<ItemDemand> = file
        .items
        .iter()
        .map(|item| ItemDemand { code: item.code.clone(), amount_per_test: item.consumes.decimal(), replicates: 1 })
        .collect();
    let multiple = determination.quantity_multiple.value;
    let counted = quantities::demand(&items, file.product.container_content.decimal(), multiple.unwrap_or(1));
    let counted = counted.map_err(|error| Refusal::field("items", error.to_string(), error.to_string()))?;
    let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    Ok(Demand {
        full_test_containers: whole(counted.full_test_containers),
        multiple,
        required_containers: whole(counted.required_containers),
        provisions: determination.quantity_multiple.provisions.clone(),
    })
}

/// Checks one sample against its batch, its papers and the regulation.
///
/// # Errors
/// Names the field, or what is short with the numbers and the provisions.
pub(super) fn check(
    index: usize,
    new: &NewSample,
    batch: &BatchRow,
    need: &Demand,
    application: &ApplicationRow,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<Received, Refusal> {
    let at = |field: &str| format!("samples[{index}].{field}");
    let labels = labels(&at("containers"), &new.containers)?;
    let given = i64::try_from(labels.len()).unwrap_or(i64::MAX);
    let refused = new
        .refuse_because
        .as_deref()
        .map(|reason| input::printed(&at("refuse_because"), reason, input::REMARK))
        .transpose()?;
    let note = input::optional(&at("note"), &new.note, input::REMARK)?;
    if new.packages < 0 || new.packages > 100_000 {
        return Err(Refusal::field(at("packages"), "应为 0 至 100000", "expected 0 to 100000"));
    }
    let sample = SampleRow {
        id: SampleId::new(),
        number: String::new(),
        application_id: application.id.clone(),
        batch_id: batch.id.clone(),
        state: if refused.is_some() { "refused" } else { "received" }.into(),
        received_at: now.into(),
        received_by: actor.account.clone(),
        temperature: (new.temperature.as_deref().filter(|t| !t.trim().is_empty()))
            .map(|text| input::decimal(&at("temperature"), text).map(|(_, value)| Dec::from(value)))
            .transpose()?,
        seals_intact: new.seals_intact,
        packages: new.packages,
        packages_intact: new.packages_intact,
        label_matches: new.label_matches,
        condition_note: note,
        state_reason: refused.clone(),
        full_test_containers: need.full_test_containers,
        required_containers: need.required_containers,
        institute_id: application.institute_id.clone(),
    };
    if refused.is_none() {
        check_condition(&at, &sample, batch, now)?;
        check_quantity(&at("containers"), &batch.lot_number, need, given)?;
    }
    let containers = container_rows(&sample, labels, refused.is_some(), need.full_test_containers);
    let entries = custody::receive(&sample, &containers, refused.is_some(), need.full_test_containers, actor, now);
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
                let code = input::required(&format!("{field}[{index}]"), code, 80)?;
                if codes.iter().take(index).any(|other| other.trim() == code) {
                    return Err(Refusal::field(format!("{field}[{index}]"), "标签重复", "the label stands twice"));
                }
                Ok(code)
            })
            .collect(),
        _ => Err(Refusal::field(field, format!("应有 1 至 {MOST} 个容器"), format!("expected 1 to {MOST} containers"))),
    }
}

/// What is wrong on arrival is either a refusal or a remark: it is never passed over.
fn check_condition(
    at: &impl Fn(&str) -> String,
    sample: &SampleRow,
    batch: &BatchRow,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let faults = [
        (!sample.seals_intact, "seals_intact", "封签不完整", "a seal is broken"),
        (!sample.packages_intact, "packages_intact", "包装破损", "a package is damaged"),
        (!sample.label_matches, "label_matches", "标签与资料不符", "the label does not agree with the papers"),
    ];
    for (fault, field, zh, en) in faults {
        if fault && sample.condition_note.is_empty() {
            return Err(Refusal::field(
                at(field),
                format!("{zh}：请拒收并说明原因，或在备注中说明接收理由"),
                format!("{en}: refuse the sample with a reason, or say in the note why it is received"),
            ));
        }
    }
    let expires = batch.expires_on.as_deref().and_then(|text| input::date("expires_on", text).ok());
    if expires.is_some_and(|day| day < crate::clock::statutory_date(now)) {
        return Err(Refusal::field(
            at("lot_number"),
            "已过有效期，应予拒收",
            "the lot has expired: refuse the sample with the reason",
        ));
    }
    Ok(())
}

fn check_quantity(field: &str, lot: &str, need: &Demand, given: i64) -> Result<(), Refusal> {
    let short = need.required_containers - given;
    if short <= 0 {
        return Ok(());
    }
    let (full, required) = (need.full_test_containers, need.required_containers);
    let multiple = need.multiple.map_or_else(|| "1".to_owned(), |m| m.to_string());
    Err(Refusal::new(
        Code::QuantityShort,
        format!("批号 {lot}：全项检验用量 {full} 个容器 × {multiple} 倍 = 须送 {required} 个，实收 {given} 个，尚缺 {short} 个"),
        format!(
            "lot {lot}: full-test quantity {full} containers × {multiple} = {required} required, \
             {given} received, {short} short"
        ),
    )
    .at(field)
    .by(&need.provisions)
    .with(serde_json::json!({
        "lot_number": lot,
        "full_test_containers": full,
        "multiple": need.multiple,
        "required_containers": required,
        "received_containers": given,
        "short_by": short,
    })))
}

fn container_rows(sample: &SampleRow, labels: Vec<String>, refused: bool, full_test: i64) -> Vec<ContainerRow> {
    let rows = labels.into_iter().enumerate().map(|(index, label_code)| {
        let position = i64::try_from(index).unwrap_or(i64::MAX) + 1;
        let portion = match (refused, position <= full_test) {
            (true, _) => "returned",
            (false, true) => "test",
            (false, false) => "retention",
        };
        ContainerRow {
            id: ContainerId::new(),
            sample_id: sample.id.clone(),
            position,
            label_code,
            portion: portion.into(),
        }
    });
    rows.collect()
}

/// One task for each item of the specification.
pub(crate) fn tasks(
    sample: &SampleRow,
    items: &[TestItemRow],
    lane_rank: i64,
    due: Option<&Day>,
    now: DateTime<Utc>,
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
    };
    items.iter().map(task).collect()
}

/// Gives a sample its number, and its unlabelled containers their labels.
pub(super) fn number(received: &mut Received, number: String) {
    for container in &mut received.containers {
        if container.label_code.is_empty() {
            container.label_code = format!("{number}-{:02}", container.position);
        }
    }
    received.sample.number = number;
}

/// The batch of that lot number.
///
/// # Errors
/// Where the application has no such batch, or its sample was received already.
pub(super) fn batch_of<'a>(
    index: usize,
    lot: &str,
    batches: &'a [BatchRow],
    received: &[BatchId],
) -> Result<&'a BatchRow, Refusal> {
    let field = format!("samples[{index}].lot_number");
    let lot = lot.trim();
    let batch = batches.iter().find(|batch| batch.lot_number == lot).ok_or_else(|| {
        Refusal::field(&field, format!("该申请没有批号 {lot}"), format!("the application has no lot {lot}"))
    })?;
    if received.contains(&batch.id) {
        return Err(Refusal::new(
            Code::Conflict,
            format!("批号 {lot} 已收样"),
            format!("the sample of lot {lot} is received already"),
        )
        .at(field));
    }
    Ok(batch)
}
