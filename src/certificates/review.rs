//! Review gives the number; from then on the content does not change.

use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;

use super::content::{content, data_sha256, numbered};
use super::facts::TestedSample;
use super::find::{self, certificate_of, moved};
use super::{compose, numbers};
use crate::action::{Action, Context, Facts, Services, Subject};
use crate::documents::CertificateData;
use crate::people::{DutiesDone, Grace, Reauthenticated, SignedContent};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::secrets::Password;
use crate::store::Outcome;
use crate::store::columns::{AccountId, CertificateId, Instant};
use crate::store::revisions::Revised;
use crate::store::rows::CertificateRow;
use crate::store::schema::certificate;
use crate::store::views::{self, CertificateView};
use crate::vocabulary::states::CertificateEvent;
use crate::vocabulary::{CertificateState, Duty, Permission, SignatureMeaning};

/// Reviews a draft: its number is taken, and the content does not change from here on.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewCertificate {
    pub id: CertificateId,
    /// To sign with; not needed shortly after the log-in or another signature of the same session
    #[serde(default)]
    pub password: Option<Password>,
    /// Of the second factor, where the account has one
    #[serde(default)]
    pub code: Option<String>,
}

/// What a review is decided from.
pub struct Reviewable {
    row: CertificateRow,
    data: CertificateData,
    /// Who did what about it and its results
    done: DutiesDone,
    sample: TestedSample,
    proof: Option<Reauthenticated>,
}

impl Action for ReviewCertificate {
    const NAME: &'static str = "certificate.review";
    const PERMISSION: Permission = Permission::CertificateReview;
    type Prepared = Option<Reauthenticated>;
    type Loaded = Reviewable;
    type Plan = CertificateState;
    type Done = CertificateView;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Certificate, &self.id))
    }

    /// The document is made before its number is given.
    fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<Option<Reauthenticated>> {
        let proof = services.identity.prove(actor, self.password.as_ref(), self.code.as_deref(), Grace::Counts)?;
        let row = services.db.read(|conn| certificate_of(conn, actor, &self.id))?;
        if row.state == CertificateState::Drafted {
            super::read::proof(services, &row)?;
        }
        Ok(Some(proof))
    }

    fn load(&self, cx: &mut Context<'_>, proof: &Option<Reauthenticated>) -> Outcome<Reviewable> {
        let row = certificate_of(cx.conn, cx.actor, &self.id)?;
        // Who may not review it learns nothing about the results.
        let facts = views::duties_of_certificate(cx.conn, &self.id)?;
        let done = DutiesDone { facts, more: cx.services.site.apart.clone() };
        may_review(row.state, &done, &cx.actor.account)?;
        let sample = TestedSample::load(cx.conn, &cx.services.lines, cx.actor, &row.sample_id)?;
        Ok(Reviewable { data: content(&row)?, done, sample, row, proof: proof.clone() })
    }

    fn decide(&self, facts: &Facts<'_>, found: &Reviewable) -> Result<CertificateState, Refusal> {
        let state = may_review(found.row.state, &found.done, &facts.actor.account)?;
        let dossier = &found.sample.dossier;
        let finals = dossier.finals()?;
        let fresh = compose::compose(dossier, &finals, facts.regulation, found.data.verification.clone());
        super::now::unchanged(&found.data, &fresh)?;
        Ok(state)
    }

    fn keep(&self, cx: &mut Context<'_>, found: Reviewable, state: CertificateState) -> Outcome<CertificateView> {
        // Before the number, the date and the seal: what is signed is what was read.
        let content = SignedContent { sha256: data_sha256(&found.row)?, data_sha256: None };
        let subject = ("certificate", self.id.as_str());
        cx.sign(found.proof.as_ref(), SignatureMeaning::CertificateReviewed, subject, &content)?;
        let institution = &found.sample.dossier.institution.abbreviation;
        let imported = found.sample.dossier.imported();
        let (kind, today) = (found.row.kind, cx.today());
        let number = numbers::take(&cx.services.numbers, cx.conn, kind, institution, imported, today)?;
        diesel::update(certificate::table.find(&self.id))
            .set((
                certificate::state.eq(state),
                certificate::number.eq(&number),
                certificate::data.eq(numbered(&found.row, &number)?),
                certificate::reviewed_by.eq(&cx.actor.account),
                certificate::reviewed_at.eq(Instant::from(cx.now)),
            ))
            .execute(cx.conn)?;
        let (old, new) = (found.row.state.as_str(), state.as_str());
        let event = Change::field(Self::NAME, "certificate", &self.id, "state", old, new);
        cx.record(event.and("number", (), number));
        find::view(cx, &self.id)
    }
}

/// A draft is reviewed by somebody else than the one who drafted it.
fn may_review(state: CertificateState, done: &DutiesDone, reviewer: &AccountId) -> Result<CertificateState, Refusal> {
    let state = moved(state, CertificateEvent::Review)?;
    done.allow(Duty::CertificateReview, reviewer)?;
    Ok(state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Code;
    use crate::store::views::DutyFact;

    pub(in crate::certificates) fn did(who: &str, duty: Duty) -> DutyFact {
        DutyFact {
            duty,
            account: who.into(),
            name: who.into(),
            what_zh: "SX20260001".into(),
            what_en: "SX20260001".into(),
            at: chrono::DateTime::UNIX_EPOCH.into(),
        }
    }

    #[test]
    fn a_draft_is_reviewed_once_and_by_somebody_else() {
        let (author, other) = (AccountId::from("a"), AccountId::from("b"));
        let facts = vec![did("a", Duty::CertificateDraft), did("b", Duty::ResultReview), did("c", Duty::Entry)];
        let done = DutiesDone { facts, ..DutiesDone::default() };
        assert_eq!(may_review(CertificateState::Drafted, &done, &other), Ok(CertificateState::Reviewed));
        let own = may_review(CertificateState::Drafted, &done, &author).expect_err("the own draft");
        assert_eq!(own.code, Code::SelfReview);
        for state in CertificateState::ALL.iter().filter(|state| **state != CertificateState::Drafted) {
            let refused = may_review(*state, &done, &other).expect_err("no draft");
            assert_eq!(refused.code, Code::WrongState, "{state}");
        }
    }
}
