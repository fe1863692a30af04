//! Issue (签发): the authorised signatory signs with password and meaning; the PDF is typeset, signed and kept.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;

use super::compose;
use super::content::{content, data_sha256};
use super::find::{self, certificate_of, moved};
use super::now::{StatedNow, stated_now, unchanged};
use super::refusals::CertificateRefusal;
use crate::accounts::{SigningField, fields_of, in_field};
use crate::action::{Action, Context, Facts, Services, Subject};
use crate::documents::{self, Bilingual, CertificateData, SignInfo, Signatory, TrailSeal};
use crate::people::{DutiesDone, Grace, Reauthenticated, SignedContent};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::secrets::Password;
use crate::store::columns::{CertificateId, Instant};
use crate::store::revisions::Revised;
use crate::store::rows::CertificateRow;
use crate::store::schema::{application, certificate, product};
use crate::store::views::{self, CertificateView};
use crate::store::{Outcome, StoreError};
use crate::vocabulary::states::CertificateEvent;
use crate::vocabulary::{Business, Category, CertificateState, Duty, IssueMeaning, Permission};

/// Signs a reviewed certificate, with the signatory's password given again: whoever sits at a screen left open cannot
/// sign.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignCertificate {
    pub id: CertificateId,
    /// The signatory's own, given for this signature
    #[serde(default)]
    #[schema(required)]
    pub password: Option<Password>,
    /// Of the second factor, where the account has one
    #[serde(default)]
    pub code: Option<String>,
    /// What the signature stands for
    pub meaning: IssueMeaning,
}

/// The document as it was typeset and signed, and who proved to be its signatory.
#[derive(Clone)]
pub struct Signed {
    proof: Reauthenticated,
    /// What was typeset.
    row: CertificateRow,
    /// The instant in the signature.
    at: DateTime<Utc>,
    pdf: Arc<Vec<u8>>,
}

/// What signing is decided from.
pub struct Signable {
    row: CertificateRow,
    /// Nothing as long as it is only asked whether it might be signed.
    signed: Option<Signed>,
    /// Who did what about it and its results.
    done: DutiesDone,
    /// What the signatory may sign.
    fields: Vec<SigningField<NaiveDate>>,
    /// What the certificate is of.
    business: Business,
    category: Category,
    /// What the document would state by the records as they are now.
    now: StatedNow,
    /// The hash of the data that was reviewed; none where it was reviewed before reviews were signed.
    reviewed: Option<String>,
    /// The certificate that this one amends.
    amended: Option<(CertificateId, CertificateState)>,
}

/// The states that follow: of the certificate, and of the one that it amends.
#[derive(Debug, PartialEq)]
pub struct Issued {
    state: CertificateState,
    amended: Option<CertificateState>,
}

impl Action for SignCertificate {
    const NAME: &'static str = "certificate.sign";
    const PERMISSION: Permission = Permission::CertificateSign;
    type Prepared = Option<Signed>;
    type Loaded = Signable;
    type Plan = Issued;
    type Done = CertificateView;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Certificate, &self.id))
    }

    fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<Option<Signed>> {
        let proof = services.identity.prove(actor, self.password.as_ref(), self.code.as_deref(), Grace::Never)?;
        let at = services.clock.now();
        let (row, seal) =
            services.db.read(|conn| Ok((certificate_of(conn, actor, &self.id)?, crate::record::last_seal(conn)?)))?;
        moved(row.state, CertificateEvent::Sign)?;
        let seal = seal.map(|seal| TrailSeal { number: seal.seq.to_string().into(), sha256: seal.chained.into() });
        let data = CertificateData { seal, ..signed_content(&row, actor, self.meaning, at)? }.for_customer();
        let pdf = signed_pdf(services, &data, &self.id, self.meaning, at)?;
        // Not among the files yet: a signature that is refused after all must leave no document that verifies.
        Ok(Some(Signed { proof, row, at, pdf: Arc::new(pdf) }))
    }

    fn load(&self, cx: &mut Context<'_>, signed: &Option<Signed>) -> Outcome<Signable> {
        let row = certificate_of(cx.conn, cx.actor, &self.id)?;
        let amended = match &row.amends_id {
            Some(old) => {
                let state = certificate::table.find(old).select(certificate::state).first(cx.conn)?;
                Some((old.clone(), state))
            }
            None => None,
        };
        let facts = views::duties_of_certificate(cx.conn, &self.id)?;
        let done = DutiesDone { facts, more: cx.services.site.apart.clone() };
        let (business, category) = application::table
            .find(&row.application_id)
            .inner_join(product::table)
            .select((application::business, product::category))
            .first(cx.conn)?;
        let fields = fields_of(cx.conn, &cx.actor.account)?;
        let reviewed = find::reviewed_sha256(cx.conn, &self.id)?;
        let now = stated_now(cx, &row.sample_id)?;
        Ok(Signable { row, signed: signed.clone(), done, fields, business, category, now, reviewed, amended })
    }

    fn decide(&self, facts: &Facts<'_>, found: &Signable) -> Result<Issued, Refusal> {
        found.done.allow(Duty::Signatory, &facts.actor.account)?;
        if !in_field(&found.fields, found.business, found.category, &facts.today()) {
            return Err(CertificateRefusal::OutsideField { business: found.business, category: found.category }.into());
        }
        let signs = data_sha256(&found.row)?;
        if found.reviewed.as_ref().is_some_and(|reviewed| *reviewed != signs) {
            return Err(CertificateRefusal::ReviewedOther.into());
        }
        if let Some(now) = found.now.data() {
            unchanged(&content(&found.row)?, now)?;
        }
        let unchanged = found.signed.as_ref().is_none_or(|signed| signed.row.data == found.row.data);
        Ok(may_sign(found.row.state, unchanged, found.amended.as_ref().map(|(_, state)| *state))?)
    }

    fn keep(&self, cx: &mut Context<'_>, found: Signable, plan: Issued) -> Outcome<CertificateView> {
        let Signable { row, signed, amended, .. } = found;
        let signed = signed.ok_or_else(|| StoreError::Other("nothing was typeset to be signed".into()))?;
        let (subject, meaning) = (("certificate", self.id.as_str()), self.meaning.kept());
        let sha256 = cx.file(&signed.pdf)?;
        let content = SignedContent { sha256: sha256.clone(), data_sha256: Some(data_sha256(&row)?) };
        let signature = signed.proof.sign(cx.conn, cx.actor, cx.now, meaning, subject, &content)?;
        diesel::update(certificate::table.find(&self.id))
            .set((
                certificate::state.eq(plan.state),
                certificate::signed_by.eq(&cx.actor.account),
                certificate::signed_at.eq(Instant::from(signed.at)),
                certificate::signature_id.eq(&signature),
                certificate::pdf_sha256.eq(&sha256),
            ))
            .execute(cx.conn)?;
        let event =
            Change::field(Self::NAME, "certificate", &self.id, "state", row.state.as_str(), plan.state.as_str());
        cx.record(event.and("pdf_sha256", (), sha256).and("meaning", (), meaning.as_str()));
        if let (Some((old, state)), Some(next)) = (amended, plan.amended) {
            diesel::update(certificate::table.find(&old)).set(certificate::state.eq(next)).execute(cx.conn)?;
            let (from, to) = (state.as_str(), next.as_str());
            let event = Change::field("certificate.supersede", "certificate", &old, "state", from, to);
            cx.record(event.and("superseded_by", (), self.id.as_str()));
        }
        crate::cases::reported(cx, &row.application_id)?;
        find::view(cx, &self.id)
    }
}

/// A reviewed certificate is signed as it was typeset; one that amends another supersedes it.
fn may_sign(
    state: CertificateState,
    unchanged: bool,
    amended: Option<CertificateState>,
) -> Result<Issued, CertificateRefusal> {
    let state = moved(state, CertificateEvent::Sign)?;
    if !unchanged {
        return Err(CertificateRefusal::ContentMoved);
    }
    let amended = amended.map(|old| moved(old, CertificateEvent::Supersede)).transpose()?;
    Ok(Issued { state, amended })
}

/// The content with signatory and date.
fn signed_content(
    row: &CertificateRow,
    actor: &Actor,
    meaning: IssueMeaning,
    now: DateTime<Utc>,
) -> Result<CertificateData, Refusal> {
    let mut data = content(row)?;
    data.signatory = Signatory {
        name: actor.display_name.clone().into(),
        position: Bilingual::new("授权签字人", "Authorised signatory"),
        meaning: Bilingual::new(meaning.zh(), ""),
    };
    data.issued_on = compose::written(crate::clock::statutory_date(now)).into();
    Ok(data)
}

fn signed_pdf(
    services: &Services,
    data: &CertificateData,
    id: &CertificateId,
    meaning: IssueMeaning,
    now: DateTime<Utc>,
) -> Outcome<Vec<u8>> {
    let key = services.signing_key.as_ref().ok_or(CertificateRefusal::NoKey)?;
    let info = SignInfo {
        reason: meaning.zh().to_owned(),
        location: data.institution.name.zh.to_string(),
        name: data.signatory.name.to_string(),
        time: now,
    };
    let pdf = typeset(services, data, now)?;
    documents::sign(&pdf, key, &info).map_err(|error| {
        tracing::error!(%error, certificate = %id, "signing failed");
        CertificateRefusal::NotSigned { kind: data.kind, error: error.to_string() }.into()
    })
}

/// Typesets behind the gate that bounds how many documents are typeset at once.
pub(super) fn typeset(services: &Services, data: &CertificateData, at: DateTime<Utc>) -> Outcome<Vec<u8>> {
    services
        .press
        .through(|| services.typesetter.render(data, at))
        .map_err(|error| CertificateRefusal::NotTypeset { error: error.to_string() }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reviewed_certificate_is_signed_and_only_as_it_was_typeset() {
        for state in CertificateState::ALL {
            let signed = may_sign(*state, true, None).map(|issued| issued.state);
            match state {
                CertificateState::Reviewed => assert_eq!(signed, Ok(CertificateState::Issued)),
                _ => assert!(matches!(signed, Err(CertificateRefusal::State(_))), "{state}"),
            }
        }
        let changed = may_sign(CertificateState::Reviewed, false, None).err();
        assert_eq!(changed, Some(CertificateRefusal::ContentMoved));
    }

    #[test]
    fn an_amendment_supersedes_what_is_in_force_and_nothing_else() {
        let over = |old| may_sign(CertificateState::Reviewed, true, Some(old)).map(|issued| issued.amended);
        assert_eq!(over(CertificateState::Issued), Ok(Some(CertificateState::Superseded)));
        assert!(over(CertificateState::Withdrawn).is_err());
        assert!(over(CertificateState::Superseded).is_err());
    }

    #[test]
    fn what_signs_is_known_and_the_password_is_not_shown() {
        let sign: SignCertificate =
            serde_json::from_str(r#"{"id":"c-1","password":"correct horse battery","meaning":"授权签发"}"#)
                .expect("an input");
        assert_eq!(sign.meaning, IssueMeaning::Authorised);
        assert!(!format!("{sign:?}").contains("horse"));
        let other = serde_json::from_str::<SignCertificate>(r#"{"id":"c-1","password":"x","meaning":"同意"}"#);
        assert!(other.is_err_and(|error| error.to_string().contains("批准签发")), "says which meanings there are");
    }
}
