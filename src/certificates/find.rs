//! A certificate for its actions: its row where it is of the actor's institute, and its view once something was done.

use diesel::prelude::*;

use super::refusals::CertificateRefusal;
use crate::action::Context;
use crate::record::Actor;
use crate::store::columns::CertificateId;
use crate::store::rows::CertificateRow;
use crate::store::schema::certificate;
use crate::store::views::{self, CertificateView};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::CertificateState;
use crate::vocabulary::states::CertificateEvent;

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
