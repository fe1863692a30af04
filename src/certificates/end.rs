//! Ending a certificate: discarding one not yet signed, withdrawing an issued one. Both keep number and content.

use diesel::prelude::*;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::find::{self, certificate_of, moved};
use crate::action::{Action, Context, Facts, Services, Subject};
use crate::people::{Grace, Reauthenticated, SignedContent};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::secrets::Password;
use crate::store::Outcome;
use crate::store::columns::CertificateId;
use crate::store::revisions::Revised;
use crate::store::rows::CertificateRow;
use crate::store::schema::certificate;
use crate::store::views::CertificateView;
use crate::text;
use crate::vocabulary::states::CertificateEvent;
use crate::vocabulary::{CertificateState, Permission, SignatureMeaning};

/// Discards a certificate that is drafted or reviewed. One that was numbered keeps its number.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscardCertificate {
    pub id: CertificateId,
    pub reason: String,
}

/// Withdraws an issued certificate; its verification page says so from now on. As its issue, it is signed with a
/// password of its own.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawCertificate {
    pub id: CertificateId,
    pub reason: String,
    /// Given for this signature
    #[serde(default)]
    #[schema(required)]
    pub password: Option<Password>,
    /// Of the second factor, where the account has one
    #[serde(default)]
    pub code: Option<String>,
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

impl Action for DiscardCertificate {
    const NAME: &'static str = "certificate.discard";
    const PERMISSION: Permission = Permission::CertificateDiscard;
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
        decide(*state, CertificateEvent::Discard, &self.reason)
    }

    fn keep(&self, cx: &mut Context<'_>, state: CertificateState, plan: EndedCertificate) -> Outcome<CertificateView> {
        keep(cx, Self::NAME, &self.id, (state, plan))
    }
}

/// An issued certificate, and who proved to withdraw it.
pub struct Withdrawable {
    row: CertificateRow,
    proof: Option<Reauthenticated>,
}

impl Action for WithdrawCertificate {
    const NAME: &'static str = "certificate.withdraw";
    const PERMISSION: Permission = Permission::CertificateWithdraw;
    type Prepared = Option<Reauthenticated>;
    type Loaded = Withdrawable;
    type Plan = EndedCertificate;
    type Done = CertificateView;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Certificate, &self.id))
    }

    fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<Option<Reauthenticated>> {
        services.identity.prove(actor, self.password.as_ref(), self.code.as_deref(), Grace::Never).map(Some)
    }

    fn load(&self, cx: &mut Context<'_>, proof: &Option<Reauthenticated>) -> Outcome<Withdrawable> {
        Ok(Withdrawable { row: certificate_of(cx.conn, cx.actor, &self.id)?, proof: proof.clone() })
    }

    fn decide(&self, _: &Facts<'_>, found: &Withdrawable) -> Result<EndedCertificate, Refusal> {
        decide(found.row.state, CertificateEvent::Withdraw, &self.reason)
    }

    fn keep(&self, cx: &mut Context<'_>, found: Withdrawable, plan: EndedCertificate) -> Outcome<CertificateView> {
        let Withdrawable { row, proof } = found;
        let content = SignedContent::of(&json!({"certificate": row.id, "number": row.number,
            "pdf_sha256": row.pdf_sha256, "reason": plan.reason}));
        let subject = ("certificate", self.id.as_str());
        cx.sign(proof.as_ref(), SignatureMeaning::CertificateWithdrawn, subject, &content)?;
        keep(cx, Self::NAME, &self.id, (row.state, plan))
    }
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
