//! Samples with their custody and tasks, and finding one by a scanned code. None of it names the applicant.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::Reader;
use super::cases::{CaseBatch, CaseSample};
use super::keeping::{self, HandoverView, KeepingView};
use crate::regulation::quantities::amount;
use crate::regulation::{Category, DeviceClass};
use crate::store::columns::{
    AccountId, ContainerId, CustodyEntryId, Day, Dec, Instant, ProductId, SampleId, TestItemId, TestTaskId,
};
use crate::store::rows::{
    BatchRow, ContainerRow, CustodyBalanceRow, CustodyEntryRow, ProductRow, SampleRow, TestItemRow, TestTaskRow,
};
use crate::store::schema::{
    account, application, batch, container, custody_balance, custody_entry, label_print, product, reversal, sample,
    test_item, test_task,
};
use crate::store::{AnyConnection, Outcome};
use crate::text::codes;
use crate::vocabulary::{Hidden, Place, Portion, TaskState};

/// What is tested, as a case and a sample name it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseProduct {
    pub id: ProductId,
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    pub category: Category,
    pub device_class: Option<DeviceClass>,
    pub strength: String,
    pub dosage_form: String,
    pub package_spec: String,
    pub storage: String,
    /// Null where the laboratory re-codes its samples
    pub manufacturer: Option<String>,
    /// Null where the laboratory re-codes its samples
    pub holder: Option<String>,
    pub approval_number: Option<String>,
    pub container_name: String,
    pub container_content: Dec,
    pub content_unit: String,
}

impl CaseProduct {
    pub(super) fn of(row: ProductRow, reader: &Reader) -> Self {
        Self {
            id: row.id,
            code: row.code,
            name_zh: row.name_zh,
            name_en: row.name_en,
            category: row.category,
            device_class: row.device_class,
            strength: row.strength,
            dosage_form: row.dosage_form,
            package_spec: row.package_spec,
            storage: row.storage,
            manufacturer: reader.shown(Hidden::Maker, row.manufacturer),
            holder: reader.shown(Hidden::Holder, row.holder),
            // The number in the register leads to the holder.
            approval_number: reader.shown(Hidden::Holder, row.approval_number).flatten(),
            container_name: row.container_name,
            container_content: row.container_content,
            content_unit: row.content_unit,
        }
    }
}

/// One sample with its custody and tasks.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SampleDetail {
    pub sample: CaseSample,
    pub batch: CaseBatch,
    pub product: CaseProduct,
    pub containers: Vec<SampleContainer>,
    pub balances: Vec<Balance>,
    pub ledger: Vec<LedgerEntry>,
    pub tasks: Vec<SampleTask>,
    /// Requests about its retained portion and its destruction, the newest first
    pub keeping: Vec<KeepingView>,
    /// From whom to whom it went, the oldest first
    pub handovers: Vec<HandoverView>,
    /// The revision to name when the sample is changed
    pub revision: i64,
}

/// A container.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SampleContainer {
    pub id: ContainerId,
    pub position: i64,
    pub label_code: String,
    pub portion: Portion,
}

/// What is at a place.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Balance {
    pub place: Place,
    /// Containers
    pub balance: i64,
    /// In the unit of the sample's content; null where its ledger counts containers alone
    pub amount: Option<String>,
}

impl From<CustodyBalanceRow> for Balance {
    fn from(row: CustodyBalanceRow) -> Self {
        let amount = row.billionths.map(|billionths| amount(billionths).to_string());
        Self { place: row.place, balance: row.balance, amount }
    }
}

/// What is at each place for a sample.
pub(super) fn balances(conn: &mut AnyConnection, id: &SampleId) -> Outcome<Vec<Balance>> {
    let rows: Vec<CustodyBalanceRow> = custody_balance::table
        .filter(custody_balance::sample_id.eq(id))
        .order(custody_balance::place)
        .select(CustodyBalanceRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Balance::from).collect())
}

/// An entry of the custody ledger.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LedgerEntry {
    pub id: CustodyEntryId,
    pub container_id: Option<ContainerId>,
    pub from_place: Place,
    pub to_place: Place,
    /// Containers; nothing where one was opened and stays
    pub quantity: i64,
    /// In the unit of the sample's content
    pub amount: Option<String>,
    pub reason: String,
    /// Who took what was returned, and the paper
    pub receipt: Option<String>,
    pub moved_by: AccountId,
    pub moved_at: Instant,
    /// The test that used it up, or gave it back
    pub test_task_id: Option<TestTaskId>,
    /// Whether it was taken back: it was recorded by mistake
    pub undone: bool,
    /// Whether somebody else may take it back
    pub undoable: bool,
}

/// A label as it was printed, first or again.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LabelPrint {
    pub code: String,
    pub copy_number: i64,
    pub reason: Option<String>,
    pub printed_by: String,
    pub printed_at: Instant,
}

/// A task in its sample's page.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SampleTask {
    pub task: SampleTaskFacts,
    pub item: ItemFacts,
}

/// The state of the task.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SampleTaskFacts {
    pub id: TestTaskId,
    pub sample_id: SampleId,
    pub test_item_id: TestItemId,
    pub attempt: i64,
    pub state: TaskState,
    pub lane_rank: i64,
    pub due: Option<Day>,
    pub available_at: Instant,
    pub started_at: Option<Instant>,
    pub analyst_id: Option<AccountId>,
}

/// What is tested by it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ItemFacts {
    pub id: TestItemId,
    pub position: i64,
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    pub method: String,
    pub kind: String,
    pub unit: String,
    pub limit_text: String,
    pub in_scope: bool,
}

impl SampleTask {
    fn of((task, item): (TestTaskRow, TestItemRow)) -> Self {
        Self {
            task: SampleTaskFacts {
                id: task.id,
                sample_id: task.sample_id,
                test_item_id: task.test_item_id,
                attempt: task.attempt,
                state: task.state,
                lane_rank: task.lane_rank,
                due: task.due,
                available_at: task.available_at,
                started_at: task.started_at,
                analyst_id: task.analyst_id,
            },
            item: ItemFacts {
                id: item.id,
                position: item.position,
                code: item.code,
                name_zh: item.name_zh,
                name_en: item.name_en,
                method: item.method,
                kind: item.kind.to_string(),
                unit: item.unit,
                limit_text: item.limit_text,
                in_scope: item.in_scope,
            },
        }
    }
}

impl From<ContainerRow> for SampleContainer {
    fn from(row: ContainerRow) -> Self {
        Self { id: row.id, position: row.position, label_code: row.label_code, portion: row.portion }
    }
}

impl LedgerEntry {
    fn of(row: CustodyEntryRow, undone: &[CustodyEntryId]) -> Self {
        let undone = undone.contains(&row.id);
        let ended = [Place::Consumed, Place::Returned, Place::Destroyed].contains(&row.to_place);
        // What a test used up is given back by its task.
        let undoable = !undone && ended && row.test_task_id.is_none() && row.from_place.leads_to(row.to_place);
        Self {
            id: row.id,
            container_id: row.container_id,
            from_place: row.from_place,
            to_place: row.to_place,
            quantity: row.quantity,
            amount: row.billionths.map(|billionths| amount(billionths).to_string()),
            reason: row.reason,
            receipt: row.receipt,
            moved_by: row.moved_by,
            moved_at: row.moved_at,
            test_task_id: row.test_task_id,
            undone,
            undoable,
        }
    }
}

/// One sample of the reader's institute; none of another's.
///
/// # Errors
/// The store's failure.
pub fn sample(conn: &mut AnyConnection, reader: &Reader, id: &SampleId) -> Outcome<Option<SampleDetail>> {
    let Some(institute) = reader.institute() else { return Ok(None) };
    let found: Option<(SampleRow, i64, BatchRow, ProductRow)> = sample::table
        .inner_join(batch::table)
        .inner_join(application::table.inner_join(product::table))
        .filter(sample::id.eq(id))
        .filter(sample::institute_id.eq(institute))
        .select((SampleRow::as_select(), sample::revision, BatchRow::as_select(), ProductRow::as_select()))
        .first(conn)
        .optional()?;
    let Some((row, revision, batch, product)) = found else { return Ok(None) };
    let tasks: Vec<(TestTaskRow, TestItemRow)> = test_task::table
        .inner_join(test_item::table)
        .filter(test_task::sample_id.eq(id))
        .order((test_item::position, test_task::attempt))
        .select((TestTaskRow::as_select(), TestItemRow::as_select()))
        .load(conn)?;
    let containers: Vec<ContainerRow> = container::table
        .filter(container::sample_id.eq(id))
        .order(container::position)
        .select(ContainerRow::as_select())
        .load(conn)?;
    let balances = balances(conn, id)?;
    let ledger: Vec<CustodyEntryRow> = custody_entry::table
        .filter(custody_entry::sample_id.eq(id))
        .order((custody_entry::moved_at, custody_entry::id))
        .select(CustodyEntryRow::as_select())
        .load(conn)?;
    let entries: Vec<&CustodyEntryId> = ledger.iter().map(|entry| &entry.id).collect();
    let undone: Vec<Option<CustodyEntryId>> = reversal::table
        .filter(reversal::custody_entry_id.eq_any(entries))
        .select(reversal::custody_entry_id)
        .load(conn)?;
    let undone: Vec<CustodyEntryId> = undone.into_iter().flatten().collect();
    Ok(Some(SampleDetail {
        sample: row.into(),
        batch: batch.into(),
        product: CaseProduct::of(product, reader),
        containers: containers.into_iter().map(SampleContainer::from).collect(),
        balances,
        ledger: ledger.into_iter().map(|row| LedgerEntry::of(row, &undone)).collect(),
        tasks: tasks.into_iter().map(SampleTask::of).collect(),
        keeping: keeping::keeping(conn, reader, Some(id))?,
        handovers: keeping::handovers(conn, reader, id)?,
        revision,
    }))
}

/// The labels of a sample as they were printed, newest first.
///
/// # Errors
/// The store's failure.
pub fn label_prints(conn: &mut AnyConnection, reader: &Reader, id: &SampleId) -> Outcome<Vec<LabelPrint>> {
    let rows: Vec<(String, i64, Option<String>, String, Instant)> = label_print::table
        .inner_join(account::table)
        .filter(label_print::sample_id.eq(id))
        .filter(label_print::institute_id.nullable().eq(reader.institute()))
        .order((label_print::printed_at.desc(), label_print::code, label_print::copy_number))
        .select((
            label_print::code,
            label_print::copy_number,
            label_print::reason,
            account::display_name,
            label_print::printed_at,
        ))
        .load(conn)?;
    let print = |(code, copy_number, reason, printed_by, printed_at)| LabelPrint {
        code,
        copy_number,
        reason,
        printed_by,
        printed_at,
    };
    Ok(rows.into_iter().map(print).collect())
}

/// The sample of that number, or of the container whose label was scanned, as a scanner sends it.
///
/// # Errors
/// The store's failure.
pub fn sample_by_number(conn: &mut AnyConnection, reader: &Reader, code: &str) -> Outcome<Option<SampleId>> {
    let Some(institute) = reader.institute() else { return Ok(None) };
    for code in codes::forms(code) {
        let by_number: Option<SampleId> = sample::table
            .filter(sample::number.eq(&code))
            .filter(sample::institute_id.eq(institute))
            .select(sample::id)
            .first(conn)
            .optional()?;
        if by_number.is_some() {
            return Ok(by_number);
        }
        let by_label: Option<SampleId> = container::table
            .inner_join(sample::table)
            .filter(container::institute_id.eq(institute))
            .filter(container::label_code.eq(&code))
            .select(sample::id)
            .first(conn)
            .optional()?;
        if by_label.is_some() {
            return Ok(by_label);
        }
    }
    Ok(None)
}
