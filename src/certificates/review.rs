//! Review gives the number; from then on the content does not change.

use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;

use super::content::{content, numbered};
use super::facts::TestedSample;
use super::find::{self, certificate_of, moved};
use super::refusals::CertificateRefusal;
use super::{compose, numbers};
use crate::action::{Action, Context, Facts, Services, Subject};
use crate::documents::CertificateData;
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::{AccountId, CertificateId, Instant};
use crate::store::revisions::Revised;
use crate::store::rows::CertificateRow;
use crate::store::schema::certificate;
use crate::store::views::CertificateView;
use crate::vocabulary::states::CertificateEvent;
use crate::vocabulary::{CertificateState, Permission};

/// Reviews a draft: its number is taken, and the content does not change from here on.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewCertificate {
    pub id: CertificateId,
}

/// What a review is decided from.
pub struct Reviewable {
    row: CertificateRow,
    data: CertificateData,
    sample: TestedSample,
}

impl Action for ReviewCertificate {
    const NAME: &'static str = "certificate.review";
    const PERMISSION: Permission = Permission::CertificateReview;
    type Prepared = ();
    type Loaded = Reviewable;
    type Plan = CertificateState;
    type Done = CertificateView;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Certificate, &self.id))
    }

    /// The document is made before its number is given.
    fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<()> {
        let row = services.db.read(|conn| certificate_of(conn, actor, &self.id))?;
        if row.state == CertificateState::Drafted {
            super::read::proof(services, &row)?;
        }
        Ok(())
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Reviewable> {
        let row = certificate_of(cx.conn, cx.actor, &self.id)?;
        // Who may not review it learns nothing about the results.
        may_review(row.state, &row.drafted_by, &cx.actor.account)?;
        let sample = TestedSample::load(cx.conn, &cx.services.lines, cx.actor, &row.sample_id)?;
        Ok(Reviewable { data: content(&row)?, sample, row })
    }

    fn decide(&self, facts: &Facts<'_>, found: &Reviewable) -> Result<CertificateState, Refusal> {
        let state = may_review(found.row.state, &found.row.drafted_by, &facts.actor.account)?;
        let dossier = &found.sample.dossier;
        let finals = dossier.finals()?;
        let fresh = compose::compose(dossier, &finals, facts.regulation, found.data.verification.clone());
        if fresh.results != found.data.results {
            return Err(CertificateRefusal::ChangedSinceDraft.into());
        }
        Ok(state)
    }

    fn keep(&self, cx: &mut Context<'_>, found: Reviewable, state: CertificateState) -> Outcome<CertificateView> {
        let institution = &found.sample.dossier.institution.abbreviation;
        let (kind, today) = (found.row.kind, cx.today());
        let number = numbers::take(&cx.services.numbers, cx.conn, kind, institution, today)?;
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
fn may_review(
    state: CertificateState,
    drafted_by: &AccountId,
    reviewer: &AccountId,
) -> Result<CertificateState, CertificateRefusal> {
    let state = moved(state, CertificateEvent::Review)?;
    if drafted_by == reviewer {
        return Err(CertificateRefusal::OwnDraft);
    }
    Ok(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_reviewed_once_and_by_somebody_else() {
        let (author, other) = (AccountId::from("a"), AccountId::from("b"));
        let reviewed = may_review(CertificateState::Drafted, &author, &other);
        assert_eq!(reviewed, Ok(CertificateState::Reviewed));
        let own = may_review(CertificateState::Drafted, &author, &author);
        assert_eq!(own, Err(CertificateRefusal::OwnDraft));
        for state in CertificateState::ALL.iter().filter(|state| **state != CertificateState::Drafted) {
            let refused = may_review(*state, &author, &other);
            assert!(matches!(refused, Err(CertificateRefusal::State(_))), "{state}");
        }
    }
}
