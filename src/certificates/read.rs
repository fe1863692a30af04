//! Reading certificates: as the register has them, and as files.

use super::content::content;
use super::find::certificate_of;
use super::refusals::CertificateRefusal;
use super::{compose, sign};
use crate::action::Services;
use crate::clock::statutory_date;
use crate::record::Actor;
use crate::store::columns::CertificateId;
use crate::store::rows::CertificateRow;
use crate::store::views::{self, CertificateView};
use crate::store::{Outcome, pending};

fn none(id: &CertificateId) -> CertificateRefusal {
    CertificateRefusal::NoCertificate(id.clone())
}

/// One certificate, where the actor may see it.
///
/// # Errors
/// Where there is none of that id.
pub fn show(services: &Services, actor: &Actor, id: &CertificateId) -> Outcome<CertificateView> {
    let reader = services.reader(actor)?;
    let found = services.db.read(|conn| views::certificate_view(conn, &reader, id))?;
    found.ok_or_else(|| none(id).into())
}

/// The certificate as it will look, marked as a draft; an issued one as it was issued.
///
/// # Errors
/// Where there is none of that id, or it cannot be typeset.
pub fn preview(services: &Services, actor: &Actor, id: &CertificateId) -> Outcome<Vec<u8>> {
    let row = services.db.read(|conn| certificate_of(conn, actor, id))?;
    if let Some(sha256) = &row.pdf_sha256 {
        return pending::get(&services.db, &services.files, sha256);
    }
    proof(services, &row)
}

/// The document of a certificate that is not signed, with words in the place of what it does not have yet. A certificate
/// is typeset so before it is numbered: no number is given to a document that cannot be made.
///
/// # Errors
/// Where it cannot be typeset.
pub(super) fn proof(services: &Services, row: &CertificateRow) -> Outcome<Vec<u8>> {
    let mut data = content(row)?.for_customer();
    data.draft = true;
    if data.number.is_empty() {
        data.number = "（待编号）".into();
    }
    data.signatory.name = "（待签发）".into();
    data.issued_on = compose::written(services.clock.today()).into();
    sign::typeset(services, &data, services.clock.now())
}

/// The copy that the laboratory keeps: the same content with the rules under which the case ran, its lane and its terms.
/// It is not signed, and says on every page what it is.
///
/// # Errors
/// As [`preview`].
pub fn internal_copy(services: &Services, actor: &Actor, id: &CertificateId) -> Outcome<Vec<u8>> {
    let (row, signatory) = services.db.read(|conn| {
        let row = certificate_of(conn, actor, id)?;
        let names = views::names(conn, &row.signed_by.iter().collect::<Vec<_>>())?;
        let signatory = row.signed_by.as_ref().and_then(|account| names.get(account.as_str()).cloned());
        Ok((row, signatory))
    })?;
    let mut data = content(&row)?;
    data.internal = true;
    data.draft = row.signed_at.is_none();
    if data.number.is_empty() {
        data.number = "（待编号）".into();
    }
    data.signatory.name = signatory.unwrap_or_else(|| "（待签发）".to_owned()).into();
    let day = row.signed_at.as_ref().map_or_else(|| services.clock.today(), |at| statutory_date(at.utc()));
    data.issued_on = compose::written(day).into();
    sign::typeset(services, &data, services.clock.now())
}

/// The file of a certificate that was issued to the actor's own applicant.
///
/// # Errors
/// Where there is none of that id.
pub fn own_file(services: &Services, actor: &Actor, id: &CertificateId) -> Outcome<Vec<u8>> {
    let own = actor.applicant.as_ref().ok_or_else(|| none(id))?;
    let sha256 = services.db.read(|conn| views::own_certificate_file(conn, own, id))?;
    pending::get(&services.db, &services.files, &sha256.ok_or_else(|| none(id))?)
}
