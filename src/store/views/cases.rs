//! Cases and samples.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Listed, Page};
use crate::store::columns::{ApplicantId, ApplicationId, InstituteId, Json, SampleId};
use crate::store::rows::{
    ApplicantRow, ApplicationClockRow, ApplicationRow, BatchRow, CertificateRow, ContainerRow, CustodyBalanceRow,
    CustodyEntryRow, ProductRow, SampleRow, TestItemRow, TestTaskRow,
};
use crate::store::schema::{
    applicant, application, application_clock, batch, certificate, container, custody_balance, custody_entry, product,
    sample, test_item, test_task,
};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::CaseState;

/// Which cases are asked for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct CaseFilter {
    pub state: Option<String>,
    pub business: Option<String>,
    /// A case number, or its beginning
    pub number: Option<String>,
    /// How many at most: 1 to 500, 100 without it
    pub limit: Option<i64>,
    /// How many are skipped
    pub offset: Option<i64>,
}

/// One case in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseRow {
    pub id: String,
    pub number: String,
    pub business: String,
    pub state: String,
    pub lane: Option<String>,
    pub product_zh: String,
    pub product_en: String,
    pub applicant: String,
    pub accepted_on: Option<String>,
    /// The due date of the testing clock
    pub due: Option<String>,
    pub provisional: Option<bool>,
    pub created_at: String,
}

/// Cases of an institute, or of an applicant, the newest first.
///
/// # Errors
/// The store's failure.
pub fn cases(
    conn: &mut AnyConnection,
    institute: Option<&InstituteId>,
    of: Option<&ApplicantId>,
    filter: &CaseFilter,
) -> Outcome<Listed<CaseRow>> {
    let filtered = || {
        let mut query = application::table.inner_join(product::table).inner_join(applicant::table).into_boxed();
        match (institute, of) {
            (Some(institute), _) => query = query.filter(application::institute_id.eq(institute.clone())),
            (None, Some(of)) => query = query.filter(application::applicant_id.eq(of.clone())),
            (None, None) => query = query.filter(application::id.eq("")),
        }
        if let Some(state) = filter.state.as_deref().and_then(CaseState::parse) {
            query = query.filter(application::state.eq(state));
        }
        if let Some(business) = filter.business.clone().filter(|text| !text.is_empty()) {
            query = query.filter(application::business.eq(business));
        }
        if let Some(number) = filter.number.clone().filter(|text| !text.is_empty()) {
            let end = format!("{number}\u{10FFFF}");
            query = query.filter(application::number.ge(number)).filter(application::number.lt(end));
        }
        query
    };
    let total = filtered().count().get_result(conn)?;
    let rows: Vec<(ApplicationRow, (String, String), String)> = filtered()
        .order((application::created_at.desc(), application::id.desc()))
        .limit(Page::of(filter.limit, filter.offset).limit())
        .offset(Page::of(filter.limit, filter.offset).offset())
        .select((ApplicationRow::as_select(), (product::name_zh, product::name_en), applicant::name))
        .load(conn)?;
    let ids: Vec<ApplicationId> = rows.iter().map(|(row, ..)| row.id.clone()).collect();
    let clocks: Vec<ApplicationClockRow> = application_clock::table
        .filter(application_clock::application_id.eq_any(&ids))
        .filter(application_clock::name.eq("testing"))
        .load(conn)?;
    let items = rows.into_iter().map(|(row, (product_zh, product_en), applicant)| {
        let clock = clocks.iter().find(|clock| clock.application_id == row.id);
        CaseRow {
            id: row.id.to_string(),
            number: row.number,
            business: row.business.to_string(),
            state: row.state.to_string(),
            lane: row.lane.map(|lane| lane.to_string()),
            product_zh,
            product_en,
            applicant,
            accepted_on: row.accepted_on.map(|day| day.to_string()),
            due: clock.map(|clock| clock.due.to_string()),
            provisional: clock.map(|clock| clock.provisional),
            created_at: row.created_at.to_string(),
        }
    });
    Ok(Listed { total, items: items.collect() })
}

/// One case with everything under it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseDetail {
    pub application: ApplicationRow,
    #[schema(value_type = Option<crate::regulation::Determination>)]
    pub determination: serde_json::Value,
    pub product: ProductRow,
    pub applicant: ApplicantRow,
    pub batches: Vec<BatchRow>,
    pub clocks: Vec<ApplicationClockRow>,
    pub samples: Vec<SampleRow>,
    pub certificates: Vec<CertificateRow>,
}

impl CaseDetail {
    /// Leaves out who applied: those who test do not see for whom.
    pub fn hide_applicant(&mut self) {
        self.application.applicant_id = "".into();
        self.applicant.id = "".into();
        self.applicant.name.clear();
        self.applicant.address.clear();
        self.applicant.contact.clear();
        self.application.particulars = Json::of(&serde_json::Value::Object(serde_json::Map::default()));
        self.certificates.clear();
    }
}

/// One case of an institute or an applicant; none of another's.
///
/// # Errors
/// The store's failure.
pub fn case(
    conn: &mut AnyConnection,
    institute: Option<&InstituteId>,
    of: Option<&ApplicantId>,
    id: &ApplicationId,
) -> Outcome<Option<CaseDetail>> {
    let found: Option<(ApplicationRow, ProductRow, ApplicantRow)> = application::table
        .inner_join(product::table)
        .inner_join(applicant::table)
        .filter(application::id.eq(id))
        .select((ApplicationRow::as_select(), ProductRow::as_select(), ApplicantRow::as_select()))
        .first(conn)
        .optional()?;
    let Some((row, product, applicant)) = found else { return Ok(None) };
    let own = institute == Some(&row.institute_id) || (institute.is_none() && of == Some(&row.applicant_id));
    if !own {
        return Ok(None);
    }
    Ok(Some(CaseDetail {
        determination: row.determination.as_ref().map(|json| json.tree()).unwrap_or_default(),
        product,
        applicant,
        batches: batch::table
            .filter(batch::application_id.eq(id))
            .order(batch::position)
            .select(BatchRow::as_select())
            .load(conn)?,
        clocks: application_clock::table
            .filter(application_clock::application_id.eq(id))
            .order(application_clock::due)
            .load(conn)?,
        samples: sample::table
            .filter(sample::application_id.eq(id))
            .order(sample::number)
            .select(SampleRow::as_select())
            .load(conn)?,
        certificates: certificate::table
            .filter(certificate::application_id.eq(id))
            .order(certificate::drafted_at)
            .select(CertificateRow::as_select())
            .load(conn)?,
        application: row,
    }))
}

/// One sample with its custody and tasks. It names no applicant.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SampleDetail {
    pub sample: SampleRow,
    pub batch: BatchRow,
    pub product: ProductRow,
    pub containers: Vec<ContainerRow>,
    pub balances: Vec<CustodyBalanceRow>,
    pub ledger: Vec<CustodyEntryRow>,
    pub tasks: Vec<SampleTask>,
}

/// A task in its sample's page.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SampleTask {
    pub task: TestTaskRow,
    pub item: TestItemRow,
}

/// One sample of the institute; none of another's.
///
/// # Errors
/// The store's failure.
pub fn sample(conn: &mut AnyConnection, institute: &InstituteId, id: &SampleId) -> Outcome<Option<SampleDetail>> {
    let found: Option<(SampleRow, BatchRow, ProductRow)> = sample::table
        .inner_join(batch::table)
        .inner_join(application::table.inner_join(product::table))
        .filter(sample::id.eq(id))
        .filter(application::institute_id.eq(institute))
        .select((SampleRow::as_select(), BatchRow::as_select(), ProductRow::as_select()))
        .first(conn)
        .optional()?;
    let Some((row, batch, product)) = found else { return Ok(None) };
    let tasks: Vec<(TestTaskRow, TestItemRow)> = test_task::table
        .inner_join(test_item::table)
        .filter(test_task::sample_id.eq(id))
        .order((test_item::position, test_task::attempt))
        .select((TestTaskRow::as_select(), TestItemRow::as_select()))
        .load(conn)?;
    Ok(Some(SampleDetail {
        sample: row,
        batch,
        product,
        containers: container::table
            .filter(container::sample_id.eq(id))
            .order(container::position)
            .select(ContainerRow::as_select())
            .load(conn)?,
        balances: custody_balance::table
            .filter(custody_balance::sample_id.eq(id))
            .order(custody_balance::place)
            .load(conn)?,
        ledger: custody_entry::table
            .filter(custody_entry::sample_id.eq(id))
            .order((custody_entry::moved_at, custody_entry::id))
            .load(conn)?,
        tasks: tasks.into_iter().map(|(task, item)| SampleTask { task, item }).collect(),
    }))
}

/// The sample of that number, or of the container whose label was scanned.
///
/// # Errors
/// The store's failure.
pub fn sample_by_number(conn: &mut AnyConnection, institute: &InstituteId, code: &str) -> Outcome<Option<SampleId>> {
    let of_institute = || sample::table.inner_join(application::table).filter(application::institute_id.eq(institute));
    let by_number = of_institute().filter(sample::number.eq(code)).select(sample::id).first(conn).optional()?;
    if by_number.is_some() {
        return Ok(by_number);
    }
    let by_label: Option<SampleId> =
        container::table.filter(container::label_code.eq(code)).select(container::sample_id).first(conn).optional()?;
    let Some(id) = by_label else { return Ok(None) };
    Ok(of_institute().filter(sample::id.eq(&id)).select(sample::id).first(conn).optional()?)
}
