//! A certificate for its actions: its row where it is of the actor's institute, and its view once something was done.

use diesel::prelude::*;

use crate::action::Context;
use crate::record::Actor;
use crate::refusal::{Code, Refusal};
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
    found.ok_or_else(|| Refusal::not_found("证书", "certificate", id.as_str()).into())
}

/// The certificate as it is now, for who acted.
pub(super) fn view(cx: &mut Context<'_>, id: &CertificateId) -> Outcome<CertificateView> {
    let reader = cx.services.reader(cx.actor)?;
    let found = views::certificate_view(cx.conn, &reader, id)?;
    found.ok_or_else(|| Refusal::not_found("证书", "certificate", id.as_str()).into())
}

/// The state after an event, or a refusal that names both.
pub(super) fn moved(state: CertificateState, event: CertificateEvent) -> Result<CertificateState, Refusal> {
    state.on(event).map_err(|refused| Refusal::new(Code::WrongState, refused.zh(), refused.en()))
}
