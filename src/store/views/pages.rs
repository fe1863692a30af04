//! What only pages ask for: a certificate with its people, samples that await one, names for ids.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::Serialize;

use super::name_of;
use crate::store::columns::{AccountId, CertificateId, InstituteId};
use crate::store::rows::CertificateRow;
use crate::store::schema::{account, application, batch, certificate, product, sample};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::{CaseState, CertificateState};

/// A certificate with what it belongs to and who made it.
#[derive(Clone, Debug, Serialize)]
pub struct CertificateDetail {
    pub certificate: CertificateRow,
    pub case_number: String,
    pub sample_number: String,
    pub lot_number: String,
    pub product_zh: String,
    pub product_en: String,
    pub drafted_by: Option<String>,
    pub reviewed_by: Option<String>,
    pub signed_by: Option<String>,
    /// The number of the one that it amends
    pub amends_number: Option<String>,
    /// The one that amends it: id and number
    pub amended_by: Option<(CertificateId, Option<String>)>,
}

type Belongs = (CertificateRow, String, String, String, (String, String));

/// One certificate of the institute; none of another's.
///
/// # Errors
/// The store's failure.
pub fn certificate(
    conn: &mut AnyConnection,
    institute: &InstituteId,
    id: &CertificateId,
) -> Outcome<Option<CertificateDetail>> {
    let found: Option<Belongs> = certificate::table
        .inner_join(sample::table.inner_join(batch::table))
        .inner_join(application::table.inner_join(product::table))
        .filter(certificate::id.eq(id))
        .filter(application::institute_id.eq(institute))
        .select((
            CertificateRow::as_select(),
            application::number,
            sample::number,
            batch::lot_number,
            (product::name_zh, product::name_en),
        ))
        .first(conn)
        .optional()?;
    let Some((row, case_number, sample_number, lot_number, (product_zh, product_en))) = found else { return Ok(None) };
    let amends_number: Option<Option<String>> = match &row.amends_id {
        Some(old) => certificate::table.find(old).select(certificate::number).first(conn).optional()?,
        None => None,
    };
    let amended_by = certificate::table
        .filter(certificate::amends_id.eq(&row.id))
        .filter(certificate::state.ne(CertificateState::Discarded))
        .select((certificate::id, certificate::number))
        .first(conn)
        .optional()?;
    Ok(Some(CertificateDetail {
        drafted_by: name_of(conn, Some(&row.drafted_by))?,
        reviewed_by: name_of(conn, row.reviewed_by.as_ref())?,
        signed_by: name_of(conn, row.signed_by.as_ref())?,
        certificate: row,
        case_number,
        sample_number,
        lot_number,
        product_zh,
        product_en,
        amends_number: amends_number.flatten(),
        amended_by,
    }))
}

/// A sample whose tests are done and that has no certificate under way.
#[derive(Clone, Debug, Serialize)]
pub struct AwaitingCertificate {
    pub sample_id: String,
    pub sample_number: String,
    pub lot_number: String,
    pub case_id: String,
    pub case_number: String,
    pub product_zh: String,
    pub product_en: String,
}

/// The samples of the institute's tested cases without a certificate, the oldest first; at most 200.
///
/// # Errors
/// The store's failure.
pub fn awaiting_certificate(conn: &mut AnyConnection, institute: &InstituteId) -> Outcome<Vec<AwaitingCertificate>> {
    let live = certificate::table
        .filter(certificate::state.ne_all([CertificateState::Discarded, CertificateState::Withdrawn]))
        .select(certificate::sample_id);
    let rows: Vec<(String, String, String, String, String, (String, String))> = sample::table
        .inner_join(batch::table)
        .inner_join(application::table.inner_join(product::table))
        .filter(application::institute_id.eq(institute))
        .filter(application::state.eq(CaseState::Tested))
        .filter(sample::state.eq(crate::vocabulary::SampleState::Received))
        .filter(sample::id.ne_all(live))
        .order(sample::number)
        .limit(200)
        .select((
            sample::id,
            sample::number,
            batch::lot_number,
            application::id,
            application::number,
            (product::name_zh, product::name_en),
        ))
        .load(conn)?;
    let row = |(sample_id, sample_number, lot_number, case_id, case_number, (product_zh, product_en))| {
        AwaitingCertificate { sample_id, sample_number, lot_number, case_id, case_number, product_zh, product_en }
    };
    Ok(rows.into_iter().map(row).collect())
}

/// The display names of accounts.
///
/// # Errors
/// The store's failure.
pub fn names(conn: &mut AnyConnection, ids: &[&AccountId]) -> Outcome<BTreeMap<String, String>> {
    let rows: Vec<(String, String)> = account::table
        .filter(account::id.eq_any(ids.iter().copied()))
        .select((account::id, account::display_name))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}
