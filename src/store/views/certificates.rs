//! The register of certificates.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Listed, Page};
use crate::regulation::CertificateState;
use crate::store::columns::{ApplicantId, InstituteId};
use crate::store::rows::CertificateRow;
use crate::store::schema::{application, certificate, product, sample};
use crate::store::{AnyConnection, Outcome};

/// Which certificates are asked for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct CertificateFilter {
    pub state: Option<String>,
    pub kind: Option<String>,
    /// A number, or its beginning
    pub number: Option<String>,
    /// How many at most: 1 to 500, 100 without it
    pub limit: Option<i64>,
    /// How many are skipped
    pub offset: Option<i64>,
}

/// One certificate in the register.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CertificateListRow {
    pub id: String,
    pub kind: String,
    pub number: Option<String>,
    pub state: String,
    pub conforms: bool,
    pub sample_number: String,
    pub product_zh: String,
    pub product_en: String,
    pub drafted_at: String,
    pub signed_at: Option<String>,
    pub verification_code: String,
}

/// Certificates of an institute, or the issued ones of an applicant, the newest first.
///
/// # Errors
/// The store's failure.
pub fn certificates(
    conn: &mut AnyConnection,
    institute: Option<&InstituteId>,
    of: Option<&ApplicantId>,
    filter: &CertificateFilter,
) -> Outcome<Listed<CertificateListRow>> {
    let filtered = || {
        let mut query = certificate::table
            .inner_join(sample::table)
            .inner_join(application::table.inner_join(product::table))
            .into_boxed();
        query = match (institute, of) {
            (Some(institute), _) => query.filter(certificate::institute_id.eq(institute.clone())),
            (None, Some(of)) => {
                query.filter(application::applicant_id.eq(of.clone())).filter(certificate::signed_at.is_not_null())
            }
            (None, None) => query.filter(certificate::id.eq("")),
        };
        if let Some(state) = filter.state.as_deref().and_then(CertificateState::parse) {
            query = query.filter(certificate::state.eq(state));
        }
        if let Some(kind) = filter.kind.clone().filter(|text| !text.is_empty()) {
            query = query.filter(certificate::kind.eq(kind));
        }
        if let Some(number) = filter.number.clone().filter(|text| !text.is_empty()) {
            let end = format!("{number}\u{10FFFF}");
            query = query.filter(certificate::number.ge(number)).filter(certificate::number.lt(end));
        }
        query
    };
    let total = filtered().count().get_result(conn)?;
    let rows: Vec<(CertificateRow, String, (String, String))> = filtered()
        .order((certificate::drafted_at.desc(), certificate::id.desc()))
        .limit(Page::of(filter.limit, filter.offset).limit())
        .offset(Page::of(filter.limit, filter.offset).offset())
        .select((CertificateRow::as_select(), sample::number, (product::name_zh, product::name_en)))
        .load(conn)?;
    let items = rows.into_iter().map(|(row, sample_number, (product_zh, product_en))| CertificateListRow {
        id: row.id.to_string(),
        kind: row.kind,
        number: row.number,
        state: row.state.to_string(),
        conforms: row.conforms,
        sample_number,
        product_zh,
        product_en,
        drafted_at: row.drafted_at.to_string(),
        signed_at: row.signed_at.map(|at| at.to_string()),
        verification_code: row.verification_code,
    });
    Ok(Listed { total, items: items.collect() })
}
