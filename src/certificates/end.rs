//! Ending a certificate: discarding one not yet issued, withdrawing an issued one. Both keep number and content.

use diesel::prelude::*;

use super::draft::{CertificateView, certificate_of, moved, view_of};
use crate::audit::{self, Actor, Change};
use crate::input;
use crate::regulation::states::CertificateEvent;
use crate::services::Services;
use crate::store::Outcome;
use crate::store::columns::CertificateId;
use crate::store::dialect::columns_of;
use crate::store::rows::CertificateRow;
use crate::store::schema::certificate;

/// Discards a certificate that is drafted or reviewed.
///
/// # Errors
/// Where it is issued, or the reason is missing.
pub fn discard(services: &Services, actor: &Actor, id: &CertificateId, reason: &str) -> Outcome<CertificateView> {
    end(services, actor, id, CertificateEvent::Discard, "certificate.discard", reason)
}

/// Withdraws an issued certificate; its verification page says so from now on.
///
/// # Errors
/// Where it is not issued, or the reason is missing.
pub fn withdraw(services: &Services, actor: &Actor, id: &CertificateId, reason: &str) -> Outcome<CertificateView> {
    end(services, actor, id, CertificateEvent::Withdraw, "certificate.withdraw", reason)
}

fn end(
    services: &Services,
    actor: &Actor,
    id: &CertificateId,
    event: CertificateEvent,
    action: &'static str,
    reason: &str,
) -> Outcome<CertificateView> {
    let reason = input::required("reason", reason, input::REMARK)?;
    let (actor, now, id) = (actor.clone(), services.clock.now(), id.clone());
    services.db.write(move |conn| {
        let (row, _) = certificate_of(conn, &actor, &id)?;
        let state = moved(row.state, event)?;
        let ended = diesel::update(certificate::table.find(&id))
            .set((certificate::state.eq(state), certificate::state_reason.eq(&reason)))
            .returning(columns_of::<CertificateRow>())
            .get_result::<CertificateRow>(conn)?;
        let change = Change::field(action, "certificate", &id, "state", row.state.as_str(), state.as_str());
        audit::record(conn, &actor, now, vec![change.because(&reason)])?;
        Ok(view_of(&ended))
    })
}
