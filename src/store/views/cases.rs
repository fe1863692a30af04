//! Cases as staff of an institute see them.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::keyset::{self, After, COUNTED, Part};
use super::{CaseProduct, Reader};
use crate::business::{Particulars, StoredParticulars};
use crate::refusal::Refusal;
use crate::regulation::quantities::amount;
use crate::regulation::{Determination, Lane};
use crate::store::columns::{
    AccountId, ApplicantId, ApplicationId, BatchId, CertificateId, Day, Dec, Instant, InstituteId, ProductId, SampleId,
    SpecificationId,
};
use crate::store::rows::{
    ApplicantRow, ApplicationClockRow, ApplicationRow, BatchRow, CertificateRow, CustodyBalanceRow, ProductRow,
    ProtocolReviewRow, SampleRow,
};
use crate::store::schema::{
    account, applicant, application, application_clock, batch, certificate, custody_balance, product, protocol_review,
    sample,
};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::{
    Business, CaseState, CertificateKind, CertificateState, ClockName, ClockUnit, Hidden, Place, ProtocolOutcome,
    Purpose, SampleState,
};

/// Which cases are asked for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct CaseFilter {
    pub state: Option<CaseState>,
    pub business: Option<Business>,
    /// A case number, or its beginning
    pub number: Option<String>,
    /// How many at most: 1 to 500, 100 without it
    pub limit: Option<i64>,
    /// The cursor that the part before gave as `next`
    pub after: Option<String>,
    /// Gone: lists go on by `after`
    pub offset: Option<i64>,
}

impl CaseFilter {
    /// Where the part of the list begins.
    pub(super) fn begins(&self) -> Result<Option<After>, Refusal> {
        if self.offset.is_some_and(|offset| offset != 0) {
            return Err(Refusal::field(
                "offset",
                "列表按游标翻页：请用上一页给出的 next 作为 after",
                "lists go on by cursor: send as `after` what the part before gave as `next`",
            ));
        }
        After::parse(self.after.as_deref())
    }
}

/// One case in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseRow {
    pub id: ApplicationId,
    pub number: String,
    pub business: Business,
    pub state: CaseState,
    pub lane: Option<Lane>,
    pub product_zh: String,
    pub product_en: String,
    /// Null where the laboratory hides it from the reader
    pub applicant: Option<String>,
    pub accepted_on: Option<Day>,
    /// When the laboratory's work is due: the earliest of its own clocks
    pub due: Option<Day>,
    pub provisional: Option<bool>,
    pub created_at: Instant,
}

/// Cases of the reader's institute, the newest first.
///
/// # Errors
/// A cursor that this list did not give, and the store's failure.
pub fn cases(conn: &mut AnyConnection, reader: &Reader, filter: &CaseFilter) -> Outcome<Part<CaseRow>> {
    let Some(institute) = reader.institute() else { return Ok(Part::empty()) };
    let (after, limit) = (filter.begins()?, keyset::limit(filter.limit));
    macro_rules! filtered {
        ($of:expr) => {{
            let mut query = $of.filter(application::institute_id.eq(institute.clone())).into_boxed();
            if let Some(state) = filter.state {
                query = query.filter(application::state.eq(state));
            }
            if let Some(business) = filter.business {
                query = query.filter(application::business.eq(business));
            }
            if let Some(number) = filter.number.clone().filter(|text| !text.is_empty()) {
                let end = format!("{number}\u{10FFFF}");
                query = query.filter(application::number.ge(number)).filter(application::number.lt(end));
            }
            query
        }};
    }
    let total: i64 = crate::on_each!(&mut *conn, c => {
        let some = filtered!(application::table).select(application::id).limit(COUNTED);
        application::table.filter(application::id.eq_any(some)).count().get_result(c)
    })?;
    let mut query = filtered!(application::table.inner_join(product::table).inner_join(applicant::table));
    if let Some(After { at, id }) = after {
        let older = application::created_at.lt(at.clone());
        query = query.filter(older.or(application::created_at.eq(at).and(application::id.lt(ApplicationId::from(id)))));
    }
    let mut rows: Vec<(ApplicationRow, (String, String), String)> = query
        .order((application::created_at.desc(), application::id.desc()))
        .limit(limit + 1)
        .select((ApplicationRow::as_select(), (product::name_zh, product::name_en), applicant::name))
        .load(conn)?;
    let next = keyset::next(&mut rows, limit, |(row, ..)| After::of(&row.created_at, &row.id));
    let ids: Vec<&ApplicationId> = rows.iter().map(|(row, ..)| &row.id).collect();
    let clocks = laboratory_clocks(conn, &ids)?;
    let items = rows.into_iter().map(|(row, (product_zh, product_en), applicant)| {
        let clock = due_of(&clocks, &row.id);
        CaseRow {
            number: row.number,
            business: row.business,
            state: row.state,
            lane: row.lane,
            product_zh,
            product_en,
            applicant: reader.shown(Hidden::Applicant, applicant),
            accepted_on: row.accepted_on,
            due: clock.map(|clock| clock.due.clone()),
            provisional: clock.map(|clock| clock.provisional),
            created_at: row.created_at,
            id: row.id,
        }
    });
    Ok(Part { total, total_at_least: total >= COUNTED, items: items.collect(), next })
}

/// The laboratory's own clocks of those cases.
pub(super) fn laboratory_clocks(conn: &mut AnyConnection, ids: &[&ApplicationId]) -> Outcome<Vec<ApplicationClockRow>> {
    Ok(application_clock::table
        .filter(application_clock::application_id.eq_any(ids))
        .filter(application_clock::name.eq_any(ClockName::LABORATORY))
        .select(ApplicationClockRow::as_select())
        .load(conn)?)
}

/// The clock by which the work on a case is due: the earliest.
pub(super) fn due_of<'a>(clocks: &'a [ApplicationClockRow], id: &ApplicationId) -> Option<&'a ApplicationClockRow> {
    clocks.iter().filter(|clock| clock.application_id == *id).min_by(|a, b| a.due.cmp(&b.due))
}

/// One case with everything under it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseDetail {
    pub application: CaseHead,
    /// What the regulation asked when it was accepted; null before
    pub determination: Option<Determination>,
    pub product: CaseProduct,
    /// Null where the laboratory hides it from the reader
    pub applicant: Option<CaseApplicant>,
    pub batches: Vec<CaseBatch>,
    pub clocks: Vec<CaseClock>,
    pub samples: Vec<CaseSample>,
    /// What is left of each sample
    pub left: Vec<SampleLeft>,
    /// Empty where the laboratory hides the applicant from the reader
    pub certificates: Vec<CaseCertificate>,
    /// What was found about the summary protocols of its lots, the newest last
    pub protocol_reviews: Vec<CaseProtocolReview>,
}

/// A finding about the summary protocol of a lot.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseProtocolReview {
    pub sample_id: SampleId,
    pub protocol_number: String,
    pub outcome: ProtocolOutcome,
    pub note: String,
    /// Display name
    pub reviewed_by: String,
    pub reviewed_at: Instant,
}

/// The application.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseHead {
    pub id: ApplicationId,
    pub number: String,
    pub business: Business,
    pub purpose: Purpose,
    pub pre_submission: bool,
    pub standard_verification: bool,
    pub institute_id: InstituteId,
    /// Null where hidden
    pub applicant_id: Option<ApplicantId>,
    pub product_id: ProductId,
    pub specification_id: SpecificationId,
    pub state: CaseState,
    pub accepted_on: Option<Day>,
    pub arrived_at_port_on: Option<Day>,
    pub notice_received_on: Option<Day>,
    pub sampled_on: Option<Day>,
    pub received_on: Option<Day>,
    /// Null where hidden, and where there is none
    pub acceptance_number: Option<String>,
    /// Null where hidden: they tell for whom it is tested
    pub particulars: Option<Particulars>,
    pub lane: Option<Lane>,
    pub lane_rank: i64,
    pub state_reason: Option<String>,
    /// Null where hidden
    pub created_by: Option<AccountId>,
    pub created_at: Instant,
    /// The revision to name when it is changed
    pub revision: i64,
}

/// Who applied.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseApplicant {
    pub id: ApplicantId,
    pub name: String,
    /// Null where hidden
    pub address: Option<String>,
    /// Null where hidden
    pub contact: Option<String>,
}

/// A batch.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseBatch {
    pub id: BatchId,
    pub application_id: ApplicationId,
    pub position: i64,
    pub lot_number: String,
    pub produced_on: Option<String>,
    pub expires_on: Option<String>,
    pub lot_size: Option<String>,
    /// Since when it comes no more
    pub withdrawn_at: Option<Instant>,
    pub withdrawn_because: Option<String>,
    /// Why it was taken although there was a case of the same lot
    pub despite_duplicate: Option<String>,
}

/// A clock.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseClock {
    pub application_id: ApplicationId,
    pub name: ClockName,
    pub unit: ClockUnit,
    pub limit_days: i64,
    pub starts: Day,
    pub due: Day,
    pub provisional: bool,
    pub provisions: Vec<String>,
}

/// A sample as it arrived.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseSample {
    pub id: SampleId,
    pub number: String,
    pub application_id: ApplicationId,
    pub batch_id: BatchId,
    pub state: SampleState,
    pub received_at: Instant,
    pub received_by: AccountId,
    pub temperature: Option<Dec>,
    pub seals_intact: bool,
    pub packages: i64,
    pub packages_intact: bool,
    pub label_matches: bool,
    pub condition_note: String,
    pub state_reason: Option<String>,
    pub full_test_containers: i64,
    pub required_containers: i64,
    /// What one of its containers holds; null where its ledger counts containers alone
    pub content_amount: Option<Dec>,
    pub content_unit: Option<String>,
}

/// What is left of a sample in the house.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SampleLeft {
    pub sample_id: SampleId,
    pub containers: i64,
    /// In `unit`; null where its ledger counts containers alone
    pub amount: Option<String>,
    pub unit: Option<String>,
}

/// A certificate in its case.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseCertificate {
    pub id: CertificateId,
    pub kind: CertificateKind,
    pub number: Option<String>,
    pub sample_id: SampleId,
    pub state: CertificateState,
    pub conforms: bool,
    pub amends_id: Option<CertificateId>,
    pub drafted_by: AccountId,
    pub drafted_at: Instant,
    pub reviewed_by: Option<AccountId>,
    pub reviewed_at: Option<Instant>,
    pub signed_by: Option<AccountId>,
    pub signed_at: Option<Instant>,
    pub pdf_sha256: Option<String>,
    pub state_reason: Option<String>,
}

impl From<BatchRow> for CaseBatch {
    fn from(row: BatchRow) -> Self {
        Self {
            id: row.id,
            application_id: row.application_id,
            position: row.position,
            lot_number: row.lot_number,
            produced_on: row.produced_on,
            expires_on: row.expires_on,
            lot_size: row.lot_size,
            withdrawn_at: row.withdrawn_at,
            withdrawn_because: row.withdrawn_because,
            despite_duplicate: row.despite_duplicate,
        }
    }
}

impl From<(ProtocolReviewRow, String)> for CaseProtocolReview {
    fn from((row, reviewed_by): (ProtocolReviewRow, String)) -> Self {
        let ProtocolReviewRow { sample_id, protocol_number, outcome, note, reviewed_at, .. } = row;
        Self { sample_id, protocol_number, outcome, note, reviewed_by, reviewed_at }
    }
}

impl CaseClock {
    pub(super) fn of(row: ApplicationClockRow) -> Outcome<Self> {
        let provisions = row.provisions.stored("application_clock", "provisions", &row.application_id)?;
        let ApplicationClockRow { application_id, name, unit, limit_days, starts, due, provisional, .. } = row;
        Ok(Self { application_id, name, unit, limit_days, starts, due, provisional, provisions })
    }
}

impl From<SampleRow> for CaseSample {
    fn from(row: SampleRow) -> Self {
        Self {
            id: row.id,
            number: row.number,
            application_id: row.application_id,
            batch_id: row.batch_id,
            state: row.state,
            received_at: row.received_at,
            received_by: row.received_by,
            temperature: row.temperature,
            seals_intact: row.seals_intact,
            packages: row.packages,
            packages_intact: row.packages_intact,
            label_matches: row.label_matches,
            condition_note: row.condition_note,
            state_reason: row.state_reason,
            full_test_containers: row.full_test_containers,
            required_containers: row.required_containers,
            content_amount: row.content_amount,
            content_unit: row.content_unit,
        }
    }
}

/// What is left of these samples.
fn left(conn: &mut AnyConnection, samples: &[SampleRow]) -> Outcome<Vec<SampleLeft>> {
    let ids: Vec<&SampleId> = samples.iter().map(|sample| &sample.id).collect();
    let rows: Vec<CustodyBalanceRow> = custody_balance::table
        .filter(custody_balance::sample_id.eq_any(ids))
        .filter(custody_balance::place.eq_any(Place::LEFT))
        .select(CustodyBalanceRow::as_select())
        .load(conn)?;
    let of = |sample: &SampleRow| {
        let own = rows.iter().filter(|row| row.sample_id == sample.id);
        let billionths = own.clone().filter_map(|row| row.billionths).sum();
        SampleLeft {
            sample_id: sample.id.clone(),
            containers: own.map(|row| row.balance).sum(),
            amount: sample.content_amount.as_ref().map(|_| amount(billionths).to_string()),
            unit: sample.content_unit.clone(),
        }
    };
    Ok(samples.iter().map(of).collect())
}

impl From<CertificateRow> for CaseCertificate {
    fn from(row: CertificateRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            number: row.number,
            sample_id: row.sample_id,
            state: row.state,
            conforms: row.conforms,
            amends_id: row.amends_id,
            drafted_by: row.drafted_by,
            drafted_at: row.drafted_at,
            reviewed_by: row.reviewed_by,
            reviewed_at: row.reviewed_at,
            signed_by: row.signed_by,
            signed_at: row.signed_at,
            pdf_sha256: row.pdf_sha256,
            state_reason: row.state_reason,
        }
    }
}

impl CaseHead {
    fn of(row: ApplicationRow, revision: i64, reader: &Reader) -> Outcome<Self> {
        let stored: StoredParticulars = row.particulars.stored("application", "particulars", &row.id)?;
        Ok(Self {
            id: row.id,
            number: row.number,
            business: row.business,
            purpose: row.purpose,
            pre_submission: row.pre_submission,
            standard_verification: row.standard_verification,
            institute_id: row.institute_id,
            applicant_id: reader.shown(Hidden::Applicant, row.applicant_id),
            product_id: row.product_id,
            specification_id: row.specification_id,
            state: row.state,
            accepted_on: row.accepted_on,
            arrived_at_port_on: row.arrived_at_port_on,
            notice_received_on: row.notice_received_on,
            sampled_on: row.sampled_on,
            received_on: row.received_on,
            acceptance_number: reader.shown(Hidden::AcceptanceNumber, row.acceptance_number).flatten(),
            particulars: reader.shown(Hidden::Applicant, stored.into()),
            lane: row.lane,
            lane_rank: row.lane_rank,
            state_reason: row.state_reason,
            created_by: reader.shown(Hidden::WhoEntered, row.created_by),
            created_at: row.created_at,
            revision,
        })
    }
}

impl CaseApplicant {
    fn of(row: ApplicantRow, reader: &Reader) -> Option<Self> {
        let applicant = Self {
            id: row.id,
            name: row.name,
            address: reader.shown(Hidden::Contacts, row.address),
            contact: reader.shown(Hidden::Contacts, row.contact),
        };
        reader.shown(Hidden::Applicant, applicant)
    }
}

/// One case of the reader's institute; none of another's.
///
/// # Errors
/// What is stored and cannot be read, and the store's failure.
pub fn case(conn: &mut AnyConnection, reader: &Reader, id: &ApplicationId) -> Outcome<Option<CaseDetail>> {
    let Some(institute) = reader.institute() else { return Ok(None) };
    let found: Option<(ApplicationRow, i64, ProductRow, ApplicantRow)> = application::table
        .inner_join(product::table)
        .inner_join(applicant::table)
        .filter(application::id.eq(id))
        .filter(application::institute_id.eq(institute))
        .select((
            ApplicationRow::as_select(),
            application::revision,
            ProductRow::as_select(),
            ApplicantRow::as_select(),
        ))
        .first(conn)
        .optional()?;
    let Some((row, revision, product, applicant)) = found else { return Ok(None) };
    let stored = row.determination.as_ref();
    let determination = stored.map(|stored| stored.stored("application", "determination", id)).transpose()?;
    let batches: Vec<BatchRow> = batch::table
        .filter(batch::application_id.eq(id))
        .order(batch::position)
        .select(BatchRow::as_select())
        .load(conn)?;
    let clocks: Vec<ApplicationClockRow> = application_clock::table
        .filter(application_clock::application_id.eq(id))
        .order(application_clock::due)
        .select(ApplicationClockRow::as_select())
        .load(conn)?;
    let samples: Vec<SampleRow> = sample::table
        .filter(sample::application_id.eq(id))
        .order(sample::number)
        .select(SampleRow::as_select())
        .load(conn)?;
    let certificates: Vec<CertificateRow> = if reader.hides(Hidden::Applicant) {
        Vec::new()
    } else {
        certificate::table
            .filter(certificate::application_id.eq(id))
            .order(certificate::drafted_at)
            .select(CertificateRow::as_select())
            .load(conn)?
    };
    let reviews: Vec<(ProtocolReviewRow, String)> = protocol_review::table
        .inner_join(sample::table)
        .inner_join(account::table)
        .filter(sample::application_id.eq(id))
        .order(protocol_review::reviewed_at)
        .select((ProtocolReviewRow::as_select(), account::display_name))
        .load(conn)?;
    let left = left(conn, &samples)?;
    Ok(Some(CaseDetail {
        left,
        protocol_reviews: reviews.into_iter().map(CaseProtocolReview::from).collect(),
        application: CaseHead::of(row, revision, reader)?,
        determination,
        product: CaseProduct::of(product, reader),
        applicant: CaseApplicant::of(applicant, reader),
        batches: batches.into_iter().map(CaseBatch::from).collect(),
        clocks: clocks.into_iter().map(CaseClock::of).collect::<Outcome<_>>()?,
        samples: samples.into_iter().map(CaseSample::from).collect(),
        certificates: certificates.into_iter().map(CaseCertificate::from).collect(),
    }))
}
