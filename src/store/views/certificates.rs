//! The register of certificates: lists, and one certificate as it is kept there.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::Reader;
use super::keyset::{self, After, Part};
use crate::store::columns::{
    AccountId, ApplicantId, ApplicationId, CertificateId, Instant, ResultId, SampleId, TestTaskId,
};
use crate::store::rows::CertificateRow;
use crate::store::schema::{
    application, certificate, certificate_correction, product, result, result_correction, sample, test_item, test_task,
};
use crate::store::stored::At;
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::{CertificateKind, CertificateState, Hidden};

/// Which certificates are asked for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct CertificateFilter {
    pub state: Option<CertificateState>,
    pub kind: Option<CertificateKind>,
    /// A number, or its beginning
    pub number: Option<String>,
    /// How many at most: 1 to 500, 100 without it
    pub limit: Option<i64>,
    /// Behind which row the part begins: `next` of the part before
    pub after: Option<String>,
    /// How many are skipped, at most 10 000; `after` goes further
    pub offset: Option<i64>,
}

/// One certificate in the register.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CertificateListRow {
    pub id: CertificateId,
    pub kind: CertificateKind,
    pub number: Option<String>,
    pub state: CertificateState,
    pub conforms: bool,
    pub sample_number: String,
    pub product_zh: String,
    pub product_en: String,
    pub drafted_at: Instant,
    pub signed_at: Option<Instant>,
    pub verification_code: String,
}

/// What a list reads of a certificate: not its content, which may be large.
#[derive(Queryable, Selectable)]
#[diesel(table_name = certificate)]
struct Listing {
    id: CertificateId,
    kind: CertificateKind,
    number: Option<String>,
    state: CertificateState,
    conforms: bool,
    drafted_at: Instant,
    signed_at: Option<Instant>,
    verification_code: String,
}

/// Certificates of the reader's institute, or an applicant's own signed ones, the newest first.
///
/// # Errors
/// A cursor that this list did not give, and the store's failure.
pub fn certificates(
    conn: &mut AnyConnection,
    reader: &Reader,
    filter: &CertificateFilter,
) -> Outcome<Part<CertificateListRow>> {
    let (after, limit, offset) =
        (After::parse(filter.after.as_deref())?, keyset::limit(filter.limit), keyset::offset(filter.offset)?);
    let filtered = || {
        let mut query = certificate::table
            .inner_join(sample::table)
            .inner_join(application::table.inner_join(product::table))
            .into_boxed();
        query = match reader {
            Reader::Staff { institute, .. } => query.filter(certificate::institute_id.eq(institute.clone())),
            Reader::Applicant(own) => query
                .filter(application::applicant_id.eq(own.clone()))
                .filter(certificate::state.eq_any(CertificateState::SIGNED)),
        };
        if let Some(state) = filter.state {
            query = query.filter(certificate::state.eq(state));
        }
        if let Some(kind) = filter.kind {
            query = query.filter(certificate::kind.eq(kind));
        }
        if let Some(number) = filter.number.clone().filter(|text| !text.is_empty()) {
            let end = format!("{number}\u{10FFFF}");
            query = query.filter(certificate::number.ge(number)).filter(certificate::number.lt(end));
        }
        query
    };
    let order = (certificate::drafted_at.desc(), certificate::id.desc());
    let beyond: Option<CertificateId> =
        filtered().select(certificate::id).order(order).offset(keyset::COUNTED).limit(1).first(conn).optional()?;
    let total = match &beyond {
        Some(_) => keyset::COUNTED,
        None => filtered().count().get_result(conn)?,
    };
    let mut part = filtered();
    if let Some(After { at, id }) = after {
        part = part
            .filter(certificate::drafted_at.le(at.clone()))
            .filter(certificate::drafted_at.lt(at).or(certificate::id.lt(id)));
    }
    let mut rows: Vec<(Listing, String, (String, String))> = part
        .order(order)
        .limit(limit + 1)
        .offset(offset)
        .select((Listing::as_select(), sample::number, (product::name_zh, product::name_en)))
        .load(conn)?;
    let next = keyset::next(&mut rows, limit, |(row, ..)| After::of(&row.drafted_at, &row.id));
    let items = rows.into_iter().map(|(row, sample_number, (product_zh, product_en))| CertificateListRow {
        id: row.id,
        kind: row.kind,
        number: row.number,
        state: row.state,
        conforms: row.conforms,
        sample_number,
        product_zh,
        product_en,
        drafted_at: row.drafted_at,
        signed_at: row.signed_at,
        verification_code: row.verification_code,
    });
    Ok(Part { total, total_at_least: beyond.is_some(), items: items.collect(), next })
}

/// One certificate as the register shows it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CertificateView {
    pub id: CertificateId,
    /// How often it was changed: what `If-Match` takes
    pub revision: i64,
    pub kind: CertificateKind,
    pub number: Option<String>,
    pub state: CertificateState,
    /// Why it was discarded or withdrawn
    pub state_reason: Option<String>,
    pub application_id: ApplicationId,
    pub sample_id: SampleId,
    pub conforms: bool,
    pub verification_code: String,
    /// SHA-256 of the file that was issued
    pub pdf_sha256: Option<String>,
    pub amends_id: Option<CertificateId>,
    pub amendment_reason: Option<String>,
    pub drafted_by: AccountId,
    pub drafted_at: Instant,
    pub reviewed_at: Option<Instant>,
    pub signed_at: Option<Instant>,
    /// Results in it that were superseded after it was drafted: it is to be amended or withdrawn, or drafted anew
    #[serde(default)]
    pub superseded: Vec<SupersededResult>,
    /// What it says, as it is attached to the PDF
    #[schema(value_type = crate::documents::CertificateData)]
    pub data: Value,
}

/// A result that a certificate carries and that was found wrong since.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SupersededResult {
    pub result_id: ResultId,
    pub task_id: TestTaskId,
    pub item_zh: String,
    pub item_en: String,
    pub reason: String,
    pub ordered_at: Instant,
}

/// One certificate; none of another institute, and of an applicant's own only signed ones.
///
/// # Errors
/// The store's failure, and a content that cannot be read.
pub fn certificate_view(
    conn: &mut AnyConnection,
    reader: &Reader,
    id: &CertificateId,
) -> Outcome<Option<CertificateView>> {
    let visible = certificate::table.inner_join(application::table).filter(certificate::id.eq(id)).into_boxed();
    let visible = match reader {
        Reader::Staff { institute, .. } => visible.filter(certificate::institute_id.eq(institute.clone())),
        Reader::Applicant(own) => visible
            .filter(application::applicant_id.eq(own.clone()))
            .filter(certificate::state.eq_any(CertificateState::SIGNED)),
    };
    let found: Option<(CertificateRow, i64)> =
        visible.select((CertificateRow::as_select(), certificate::revision)).first(conn).optional()?;
    let Some((row, revision)) = found else { return Ok(None) };
    // What went wrong at the bench is shown to the laboratory; the applicant gets the amendment.
    let superseded = match reader {
        Reader::Staff { .. } => superseded(conn, &row.id)?,
        Reader::Applicant(_) => Vec::new(),
    };
    view_of(reader, row, revision, superseded).map(Some)
}

fn superseded(conn: &mut AnyConnection, id: &CertificateId) -> Outcome<Vec<SupersededResult>> {
    let found: Vec<(ResultId, TestTaskId, (String, String), String, Instant)> = certificate_correction::table
        .inner_join(
            result_correction::table
                .inner_join(result::table.inner_join(test_task::table.inner_join(test_item::table))),
        )
        .filter(certificate_correction::certificate_id.eq(id))
        .order((result_correction::ordered_at, result_correction::id))
        .select((
            result::id,
            test_task::id,
            (test_item::name_zh, test_item::name_en),
            result_correction::reason,
            result_correction::ordered_at,
        ))
        .load(conn)?;
    let each = found.into_iter().map(|(result_id, task_id, (item_zh, item_en), reason, ordered_at)| SupersededResult {
        result_id,
        task_id,
        item_zh,
        item_en,
        reason,
        ordered_at,
    });
    Ok(each.collect())
}

/// The file of an applicant's own signed certificate, as its SHA-256.
///
/// # Errors
/// The store's failure.
pub fn own_certificate_file(
    conn: &mut AnyConnection,
    own: &ApplicantId,
    id: &CertificateId,
) -> Outcome<Option<String>> {
    let found: Option<Option<String>> = certificate::table
        .inner_join(application::table)
        .filter(certificate::id.eq(id))
        .filter(application::applicant_id.eq(own))
        .filter(certificate::state.eq_any(CertificateState::SIGNED))
        .select(certificate::pdf_sha256)
        .first(conn)
        .optional()?;
    Ok(found.flatten())
}

fn view_of(
    reader: &Reader,
    row: CertificateRow,
    revision: i64,
    superseded: Vec<SupersededResult>,
) -> Outcome<CertificateView> {
    let mut data = At::new("certificate", "data", row.id.as_str()).tree(&row.data)?;
    hide(reader, &mut data);
    Ok(CertificateView {
        id: row.id,
        revision,
        kind: row.kind,
        number: row.number,
        state: row.state,
        state_reason: row.state_reason,
        application_id: row.application_id,
        sample_id: row.sample_id,
        conforms: row.conforms,
        verification_code: row.verification_code,
        pdf_sha256: row.pdf_sha256,
        amends_id: row.amends_id,
        amendment_reason: row.amendment_reason,
        drafted_by: row.drafted_by,
        drafted_at: row.drafted_at,
        reviewed_at: row.reviewed_at,
        signed_at: row.signed_at,
        superseded,
        data,
    })
}

/// Takes out of the content what the laboratory hides from the reader.
fn hide(reader: &Reader, data: &mut Value) {
    const PLACES: [(Hidden, &str); 6] = [
        (Hidden::Applicant, "/customer"),
        (Hidden::Applicant, "/sample/supplier"),
        (Hidden::Applicant, "/import/declarant"),
        (Hidden::AcceptanceNumber, "/sample/acceptance_number"),
        (Hidden::Maker, "/sample/manufacturer"),
        (Hidden::Holder, "/sample/marketing_authorisation_holder"),
    ];
    for (fact, place) in PLACES {
        if let (true, Some(value)) = (reader.hides(fact), data.pointer_mut(place)) {
            *value = Value::Null;
        }
    }
}
