//! An application (申请) with its batches, as it is written down.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::load::CaseFile;
use crate::record::Actor;
use crate::refusal::{Code, Refusal};
use crate::regulation::{Business, Purpose};
use crate::store::columns::{ApplicantId, ApplicationId, BatchId, Json};
use crate::store::rows::{ApplicationRow, BatchRow};
use crate::text;
use crate::vocabulary::CaseState;

/// A new application.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApplication {
    /// `drug_registration`, `device_registration`, `lot_release`, `port_entry`
    pub business: String,
    /// `initial`, `supplement`, `site_change`, `major_change`
    #[serde(default = "initial")]
    pub purpose: String,
    #[serde(default)]
    pub pre_submission: bool,
    /// 标准复核
    #[serde(default)]
    pub standard_verification: bool,
    /// The institute; without it, the actor's own
    pub institute_id: Option<String>,
    /// The applicant; an applicant's own account leaves it out
    pub applicant_id: Option<String>,
    pub product_id: String,
    /// Without it, the product's effective specification
    pub specification_id: Option<String>,
    pub arrived_at_port_on: Option<String>,
    pub notice_received_on: Option<String>,
    pub sampled_on: Option<String>,
    /// 受理号, where there is one
    pub acceptance_number: Option<String>,
    #[serde(default)]
    pub particulars: Particulars,
    pub batches: Vec<NewBatch>,
}

fn initial() -> String {
    "initial".into()
}

/// What the reports carry beside the results; all of it may be left empty.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Particulars {
    /// 供样／被抽样单位
    pub supplier: String,
    /// 检验目的
    pub test_purpose: String,
    /// 签发量
    pub release_quantity: String,
    /// 进口药品注册证号
    pub import_registration: String,
    /// 进口药品口岸检验通知书编号
    pub notice_number: String,
    /// 通关单编号
    pub customs_number: String,
    /// 合同号
    pub contract_number: String,
    /// 进口量
    pub import_quantity: String,
    /// 口岸
    pub port: String,
    /// 抽样地点
    pub sampling_place: String,
    /// 抽样件数
    pub sampling_packages: String,
    /// 原厂检验报告号
    pub manufacturer_report: String,
    /// 批生产及检验记录摘要编号
    pub summary_protocol: String,
    /// 备注
    pub remarks: String,
}

/// A batch or lot of the application.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBatch {
    /// As the manufacturer writes it, sub-lots included: `202506022（1-2）`
    pub lot_number: String,
    /// As on the label: the forms differ, so it is kept as written
    pub produced_on: Option<String>,
    /// As on the label; `YYYY-MM-DD` lets the desk compare it with today
    pub expires_on: Option<String>,
    pub lot_size: Option<String>,
}

/// An application that was read and found in order, not yet numbered.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub row: ApplicationRow,
    pub batches: Vec<BatchRow>,
}

/// Reads a new application.
///
/// # Errors
/// Names the field that is not as expected.
pub(crate) fn draft(
    new: &NewApplication,
    file: &CaseFile,
    actor: &Actor,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Draft, Refusal> {
    let business = text::word("business", &new.business, Business::parse)?;
    let date = |field: &str, text: &Option<String>| text::date_opt(field, text.as_deref());
    let row = ApplicationRow {
        id: ApplicationId::new(),
        number: String::new(),
        business,
        purpose: text::word("purpose", &new.purpose, Purpose::parse)?,
        pre_submission: new.pre_submission,
        standard_verification: new.standard_verification,
        institute_id: file.institute.id.clone(),
        applicant_id: applicant_of(new, actor)?,
        product_id: file.product.id.clone(),
        specification_id: file.specification.id.clone(),
        state: CaseState::Draft,
        accepted_on: None,
        arrived_at_port_on: date("arrived_at_port_on", &new.arrived_at_port_on)?.map(Into::into),
        notice_received_on: date("notice_received_on", &new.notice_received_on)?.map(Into::into),
        sampled_on: date("sampled_on", &new.sampled_on)?.map(Into::into),
        received_on: None,
        acceptance_number: (new.acceptance_number.as_deref())
            .map(|text| text::printed("acceptance_number", text, 60))
            .transpose()?,
        particulars: Json::of(&check_particulars(&new.particulars)?),
        lane: None,
        lane_rank: 0,
        determination: None,
        state_reason: None,
        created_by: actor.account.clone(),
        created_at: now.into(),
    };
    check_dates(&row, crate::clock::statutory_date(now))?;
    let batches = check_batches(&row.id, &new.batches)?;
    Ok(Draft { row, batches })
}

fn applicant_of(new: &NewApplication, actor: &Actor) -> Result<ApplicantId, Refusal> {
    match (&actor.applicant, &new.applicant_id) {
        (Some(own), None) => Ok(own.clone()),
        (Some(own), Some(named)) if own.as_str() == named => Ok(own.clone()),
        (Some(_), Some(_)) => {
            Err(Refusal::new(Code::Forbidden, "只能以本单位名义申请", "apply in your own name only").at("applicant_id"))
        }
        (None, Some(named)) => Ok(named.as_str().into()),
        (None, None) => Err(Refusal::field("applicant_id", "不能为空", "must not be empty")),
    }
}

fn check_particulars(given: &Particulars) -> Result<Particulars, Refusal> {
    let mut checked = given.clone();
    let fields: [(&str, &mut String); 14] = [
        ("supplier", &mut checked.supplier),
        ("test_purpose", &mut checked.test_purpose),
        ("release_quantity", &mut checked.release_quantity),
        ("import_registration", &mut checked.import_registration),
        ("notice_number", &mut checked.notice_number),
        ("customs_number", &mut checked.customs_number),
        ("contract_number", &mut checked.contract_number),
        ("import_quantity", &mut checked.import_quantity),
        ("port", &mut checked.port),
        ("sampling_place", &mut checked.sampling_place),
        ("sampling_packages", &mut checked.sampling_packages),
        ("manufacturer_report", &mut checked.manufacturer_report),
        ("summary_protocol", &mut checked.summary_protocol),
        ("remarks", &mut checked.remarks),
    ];
    for (name, text) in fields {
        let field = format!("particulars.{name}");
        *text = text::optional(&field, text, text::REMARK)?;
        text::printable(&field, text)?;
    }
    Ok(checked)
}

/// Nothing has happened yet that is dated tomorrow, and sampling follows arrival.
fn check_dates(row: &ApplicationRow, today: NaiveDate) -> Result<(), Refusal> {
    for (field, day) in [
        ("arrived_at_port_on", &row.arrived_at_port_on),
        ("notice_received_on", &row.notice_received_on),
        ("sampled_on", &row.sampled_on),
    ] {
        if day.as_ref().is_some_and(|day| day.date() > today) {
            return Err(Refusal::field(field, "晚于今天", "lies in the future"));
        }
    }
    if let (Some(arrived), Some(sampled)) = (&row.arrived_at_port_on, &row.sampled_on)
        && sampled.date() < arrived.date()
    {
        return Err(Refusal::field("sampled_on", "抽样早于到港", "sampling lies before the arrival at the port"));
    }
    Ok(())
}

fn check_batches(application_id: &ApplicationId, new: &[NewBatch]) -> Result<Vec<BatchRow>, Refusal> {
    if new.is_empty() || new.len() > 50 {
        return Err(Refusal::field("batches", "应有 1 至 50 批", "expected 1 to 50 batches"));
    }
    let mut rows: Vec<BatchRow> = Vec::with_capacity(new.len());
    for (index, batch) in new.iter().enumerate() {
        let at = |field: &str| format!("batches[{index}].{field}");
        let text = |field: &str, text: &Option<String>| {
            let text = text.as_deref().map(str::trim).filter(|t| !t.is_empty());
            text.map(|t| text::printed(&at(field), t, 60)).transpose()
        };
        let row = BatchRow {
            id: BatchId::new(),
            application_id: application_id.clone(),
            position: i64::try_from(index).unwrap_or(i64::MAX) + 1,
            lot_number: text::printed(&at("lot_number"), &batch.lot_number, 60)?,
            produced_on: text("produced_on", &batch.produced_on)?,
            expires_on: text("expires_on", &batch.expires_on)?,
            lot_size: text("lot_size", &batch.lot_size)?,
        };
        if rows.iter().any(|other| other.lot_number == row.lot_number) {
            return Err(Refusal::field(at("lot_number"), "批号重复", "the lot number stands twice"));
        }
        rows.push(row);
    }
    Ok(rows)
}
