//! What anybody with a certificate may ask: is it in force, and is this file the one that was issued?

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::refusals::CertificateRefusal;
use super::{compose, content};
use crate::action::Services;
use crate::clock::statutory_date;
use crate::store::rows::CertificateRow;
use crate::store::schema::certificate;
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::{CertificateKind, CertificateState};

/// What the verification page says.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PublicStatus {
    /// `issued`, `superseded`, `withdrawn`
    pub status: CertificateState,
    pub number: String,
    pub kind: CertificateKind,
    pub product: String,
    pub lot: String,
    pub institution: String,
    pub issued_on: String,
    pub conclusion: String,
    /// The number of the certificate that replaces it
    pub superseded_by: Option<String>,
    /// SHA-256 of the file that was issued
    pub sha256: String,
    /// Whether the file asked about is the one issued; none where no file was given
    pub file_matches: Option<bool>,
}

fn status(conn: &mut AnyConnection, row: &CertificateRow) -> Outcome<Option<PublicStatus>> {
    let (Some(number), Some(sha256), Some(signed_at), true) =
        (&row.number, &row.pdf_sha256, &row.signed_at, row.state.is_signed())
    else {
        return Ok(None);
    };
    let superseded_by: Option<Option<String>> = certificate::table
        .filter(certificate::amends_id.eq(&row.id))
        .filter(certificate::signed_at.is_not_null())
        .select(certificate::number)
        .first(conn)
        .optional()?;
    let published = content::published(row)?;
    Ok(Some(PublicStatus {
        status: row.state,
        number: number.clone(),
        kind: row.kind,
        product: published.product().to_owned(),
        lot: published.lot().to_owned(),
        institution: published.institution().to_owned(),
        issued_on: compose::written(statutory_date(signed_at.utc())),
        conclusion: published.conclusion().to_owned(),
        superseded_by: superseded_by.flatten(),
        sha256: sha256.clone(),
        file_matches: None,
    }))
}

/// The certificate of a verification code; `sha256` is of the file in the asker's hands, where given.
///
/// # Errors
/// Where no certificate that was ever issued has that code.
pub fn by_code(services: &Services, code: &str, sha256: Option<&str>) -> Outcome<PublicStatus> {
    let code = code.trim().to_ascii_uppercase();
    services.db.read(|conn| {
        let row: Option<CertificateRow> = certificate::table
            .filter(certificate::verification_code.eq(&code))
            .select(CertificateRow::as_select())
            .first(conn)
            .optional()?;
        let found = match row {
            Some(row) => status(conn, &row)?,
            None => None,
        };
        let mut found = found.ok_or(CertificateRefusal::NoCode(code))?;
        found.file_matches = sha256.map(|given| given == found.sha256);
        Ok(found)
    })
}

/// The certificate that was issued as exactly this file.
///
/// # Errors
/// The store's failure.
pub fn by_file(services: &Services, sha256: &str) -> Outcome<Option<PublicStatus>> {
    services.db.read(|conn| {
        let row: Option<CertificateRow> = certificate::table
            .filter(certificate::pdf_sha256.eq(sha256))
            .select(CertificateRow::as_select())
            .first(conn)
            .optional()?;
        let Some(row) = row else { return Ok(None) };
        Ok(status(conn, &row)?.map(|found| PublicStatus { file_matches: Some(true), ..found }))
    })
}

/// The state of the certificate issued as exactly this file. A file that only names a number has no state.
///
/// # Errors
/// The store's failure.
pub fn status_of(conn: &mut AnyConnection, sha256: &str) -> Outcome<Option<CertificateState>> {
    Ok(certificate::table
        .filter(certificate::pdf_sha256.eq(sha256))
        .select(certificate::state)
        .first(conn)
        .optional()?)
}
