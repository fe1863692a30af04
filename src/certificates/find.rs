//! A certificate for its actions: its row where it is of the actor's institute, and its view once something was done.

use diesel::prelude::*;

use super::refusals::CertificateRefusal;
use crate::action::Context;
use crate::record::Actor;
use crate::store::columns::CertificateId;
use crate::store::rows::CertificateRow;
use crate::store::schema::{certificate, signature};
use crate::store::views::{self, CertificateView};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::states::CertificateEvent;
use crate::vocabulary::{CertificateState, SignatureMeaning};

/// The certificate, where it is of the actor's institute.
///
/// # Errors
/// Where there is none of that id.
pub(super) fn certificate_of(conn: &mut AnyConnection, actor: &Actor, id: &CertificateId) -> Outcome<CertificateRow> {
    let found: Option<CertificateRow> = certificate::table
        .find(id)
        .filter(certificate::institute_id.eq(actor.institute()?))
        .select(CertificateRow::as_select())
        .first(conn)
        .optional()?;
    found.ok_or_else(|| CertificateRefusal::NoCertificate(id.clone()).into())
}

/// The hash of the data that a certificate's reviewer signed; none where reviews were not signed yet.
pub(super) fn reviewed_sha256(conn: &mut AnyConnection, id: &CertificateId) -> Outcome<Option<String>> {
    Ok(signature::table
        .filter(signature::subject_kind.eq("certificate"))
        .filter(signature::subject_id.eq(id.as_str()))
        .filter(signature::meaning.eq(SignatureMeaning::CertificateReviewed))
        .order(signature::signed_at.desc())
        .select(signature::content_sha256)
        .first(conn)
        .optional()?)
}

/// The certificate as it is now, for who acted.
pub(super) fn view(cx: &mut Context<'_>, id: &CertificateId) -> Outcome<CertificateView> {
    let reader = cx.services.reader(cx.actor)?;
    let found = views::certificate_view(cx.conn, &reader, id)?;
    found.ok_or_else(|| CertificateRefusal::NoCertificate(id.clone()).into())
}

/// The state after an event, or a refusal that names both.
pub(super) fn moved(state: CertificateState, event: CertificateEvent) -> Result<CertificateState, CertificateRefusal> {
    state.on(event).map_err(CertificateRefusal::State)
}
