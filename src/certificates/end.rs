//! Ending a certificate: discarding one not yet signed, withdrawing an issued one. Both keep number and content.

use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;

use super::find::{self, certificate_of, moved};
use crate::action::{Action, Context, Facts, Subject};
use crate::record::Change;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::CertificateId;
use crate::store::revisions::Revised;
use crate::store::schema::certificate;
use crate::store::views::CertificateView;
use crate::text;
use crate::vocabulary::states::CertificateEvent;
use crate::vocabulary::{CertificateState, Permission};

/// Discards a certificate that is drafted or reviewed. One that was numbered keeps its number.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscardCertificate {
    pub id: CertificateId,
    pub reason: String,
}

/// Withdraws an issued certificate; its verification page says so from now on.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawCertificate {
    pub id: CertificateId,
    pub reason: String,
}

/// A state that was left, the one that follows, and why.
pub struct EndedCertificate {
    state: CertificateState,
    reason: String,
}

fn decide(state: CertificateState, event: CertificateEvent, reason: &str) -> Result<EndedCertificate, Refusal> {
    let reason = text::required("reason", reason, text::REMARK)?;
    Ok(EndedCertificate { state: moved(state, event)?, reason })
}

fn keep(
    cx: &mut Context<'_>,
    event: &'static str,
    id: &CertificateId,
    (old, plan): (CertificateState, EndedCertificate),
) -> Outcome<CertificateView> {
    let EndedCertificate { state, reason } = plan;
    diesel::update(certificate::table.find(id))
        .set((certificate::state.eq(state), certificate::state_reason.eq(&reason)))
        .execute(cx.conn)?;
    cx.record(Change::field(event, "certificate", id, "state", old.as_str(), state.as_str()).because(&reason));
    find::view(cx, id)
}

/// The two actions differ by their name, their permission and their event.
macro_rules! endings {
    ($($action:ident = $name:literal, $permission:ident, $event:ident;)+) => {$(
        impl Action for $action {
            const NAME: &'static str = $name;
            const PERMISSION: Permission = Permission::$permission;
            type Prepared = ();
            type Loaded = CertificateState;
            type Plan = EndedCertificate;
            type Done = CertificateView;

            fn subject(&self) -> Option<Subject> {
                Some(Subject::new(Revised::Certificate, &self.id))
            }

            fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<CertificateState> {
                Ok(certificate_of(cx.conn, cx.actor, &self.id)?.state)
            }

            fn decide(&self, _: &Facts<'_>, state: &CertificateState) -> Result<EndedCertificate, Refusal> {
                decide(*state, CertificateEvent::$event, &self.reason)
            }

            fn keep(&self, cx: &mut Context<'_>, state: CertificateState, plan: EndedCertificate) -> Outcome<CertificateView> {
                keep(cx, Self::NAME, &self.id, (state, plan))
            }
        }
    )+};
}

endings! {
    DiscardCertificate = "certificate.discard", CertificateDiscard, Discard;
    WithdrawCertificate = "certificate.withdraw", CertificateWithdraw, Withdraw;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Code;

    #[test]
    fn what_was_signed_is_withdrawn_and_what_was_not_is_discarded() {
        for state in CertificateState::ALL {
            let discarded = decide(*state, CertificateEvent::Discard, "抄写错误").is_ok();
            assert_eq!(discarded, CertificateState::UNDER_WAY.contains(state), "{state}");
            let withdrawn = decide(*state, CertificateEvent::Withdraw, "抄写错误").is_ok();
            assert_eq!(withdrawn, *state == CertificateState::Issued, "{state}");
        }
        let refused = decide(CertificateState::Drafted, CertificateEvent::Discard, " ").err();
        assert_eq!(
            refused.map(|refusal| (refusal.code, refusal.field)),
            Some((Code::InvalidField, Some("reason".into())))
        );
    }
}
