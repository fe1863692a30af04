//! Acceptance (受理): the determination that the regulation makes of a case, and what follows from it.

use chrono::NaiveDate;

use super::load::CaseFile;
use crate::refusal::{Code, Refusal};
use crate::regulation::{self, Business, Case, Dates, Determination, Jurisdiction, Lane, Regulation};
use crate::store::columns::{ApplicationId, Json};
use crate::store::rows::{ApplicationClockRow, ApplicationRow};

/// What acceptance decided.
#[derive(Clone, Debug)]
pub struct Acceptance {
    pub determination: Determination,
    pub clocks: Vec<ApplicationClockRow>,
}

/// The case that an application is, accepted on `accepted`.
///
/// # Errors
/// Where the institute's jurisdiction is none.
pub fn case_of(row: &ApplicationRow, file: &CaseFile, accepted: NaiveDate) -> Result<Case, Refusal> {
    let jurisdiction = Jurisdiction::parse(&file.institute.jurisdiction).ok_or_else(|| {
        Refusal::field("institute.jurisdiction", "机构的辖区代码无效", "the institute's jurisdiction is no code")
    })?;
    let mut dates = Dates::accepted_on(accepted);
    dates.arrived_at_port = row.arrived_at_port_on.as_ref().map(|day| day.date());
    dates.notice_received = row.notice_received_on.as_ref().map(|day| day.date());
    dates.sampled = row.sampled_on.as_ref().map(|day| day.date());
    dates.received = row.received_on.as_ref().map(|day| day.date());
    Ok(Case {
        business: row.business,
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
pub(super) fn determine(regulation: &Regulation, case: &Case) -> Result<Determination, Refusal> {
    regulation
        .determine(case)
        .map_err(|error| Refusal::new(Code::NotDetermined, format!("无法判定：{error}"), error.to_string()))
}

/// Decides whether the case is accepted on `accepted`, and if so with which determination and clocks.
///
/// # Errors
/// A provision refuses it, the institute is not authorised for the lot's product, or batches are missing.
pub(super) fn decide(
    regulation: &Regulation,
    row: &ApplicationRow,
    file: &CaseFile,
    batches: usize,
    accepted: NaiveDate,
) -> Result<Acceptance, Refusal> {
    let determination = determine(regulation, &case_of(row, file, accepted)?)?;
    if let Some(refusal) = determination.refusals.first() {
        return Err(Refusal::new(Code::RefusedByRegulation, &*refusal.message, &*refusal.message)
            .by(&refusal.provisions)
            .with(serde_json::json!({"refusals": determination.refusals})));
    }
    if row.business == Business::LotRelease {
        check_authorised(file, accepted)?;
    }
    if let Some(needed) = determination.batches.value
        && batches < needed as usize
    {
        return Err(Refusal::new(
            Code::BatchesMissing,
            format!("须送检 {needed} 批，实有 {batches} 批"),
            format!("{needed} batches are needed, {batches} given"),
        )
        .at("batches")
        .by(&determination.batches.provisions)
        .with(serde_json::json!({"required": needed, "given": batches})));
    }
    let clocks = clock_rows(&row.id, &determination);
    Ok(Acceptance { determination, clocks })
}

/// Every item of the specification must be within the institute's lot-release authorisation on that date.
fn check_authorised(file: &CaseFile, on: NaiveDate) -> Result<(), Refusal> {
    let rows: Vec<regulation::Authorisation> = file
        .authorisations
        .iter()
        .map(|row| regulation::Authorisation {
            institute: row.institute_id.to_string(),
            product: row.product_id.as_ref().map(ToString::to_string),
            category: row.category,
            item: row.item_code.clone(),
            valid_from: row.valid_from.date(),
            valid_to: row.valid_to.as_ref().map(|day| day.date()),
            document: row.document.clone(),
        })
        .collect();
    let items: Vec<&str> = file.items.iter().map(|item| item.code.as_str()).collect();
    regulation::authorised(
        &rows,
        file.institute.id.as_str(),
        file.product.id.as_str(),
        file.product.category,
        &items,
        on,
    )
    .map(|_| ())
    .map_err(|refused| {
        Refusal::new(Code::NotAuthorised, refused.message_zh, refused.message_en)
            .by(refused.provisions)
            .at("product_id")
    })
}

/// The clocks of a determination as rows.
pub(super) fn clock_rows(id: &ApplicationId, determination: &Determination) -> Vec<ApplicationClockRow> {
    determination
        .clocks
        .iter()
        .map(|clock| ApplicationClockRow {
            application_id: id.clone(),
            name: clock.name.to_string(),
            unit: clock.unit.to_string(),
            limit_days: i64::from(clock.limit),
            starts: clock.starts.into(),
            due: clock.due.into(),
            provisional: clock.provisional,
            provisions: Json::of(&clock.provisions),
        })
        .collect()
}

/// The order of lanes at the bench: immediate first.
pub(super) fn lane_rank(lane: Lane) -> i64 {
    match lane {
        Lane::Immediate => 0,
        Lane::GreenChannel => 1,
        Lane::Routine => 2,
    }
}
