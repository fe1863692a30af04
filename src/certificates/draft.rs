//! Drafting a certificate from reviewed results, also as the amendment of one that was issued.

use chrono::NaiveDate;
use diesel::prelude::*;
use rand::seq::IndexedRandom;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::annex::{self, Annex};
use super::content::content;
use super::facts::TestedSample;
use super::find;
use super::refusals::CertificateRefusal;
use super::{compose, dossier::Dossier};
use crate::action::{Action, Context, Facts, Services, Subject};
use crate::clock::statutory_date;
use crate::documents::{
    Amendment, Bilingual, CertificateData, Printed, PrintedVerdict, StatedChange, Verification, stated_changes,
};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::store::columns::{ApplicationId, CertificateId, InstituteId, Json, SampleId};
use crate::store::revisions::Revised;
use crate::store::rows::CertificateRow;
use crate::store::schema::certificate;
use crate::store::views::CertificateView;
use crate::store::{AnyConnection, Outcome};
use crate::text;
use crate::vocabulary::{CertificateState, Permission};

/// Drafts the certificate of a sample from its reviewed results.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftCertificate {
    pub sample_id: SampleId,
    /// Amends an issued certificate of this sample
    pub amends: Option<Amend>,
}

/// An amendment names the certificate that it replaces and says why.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Amend {
    pub certificate_id: CertificateId,
    pub reason: String,
    /// What was changed, one entry a change
    #[serde(default)]
    pub changes: Vec<String>,
}

/// What is drawn before the transaction, and the code that the certificate will have.
#[derive(Default)]
pub struct Drawn {
    annex: Annex,
    code: String,
}

/// What a draft is decided from.
pub struct Sources {
    case: ApplicationId,
    institute: InstituteId,
    dossier: Dossier,
    annex: Annex,
    verification: Verification,
    amended: Option<Amended>,
}

/// The certificate that is to be amended.
struct Amended {
    state: CertificateState,
    number: Option<String>,
    signed_on: Option<NaiveDate>,
    /// Another amendment of it is under way, or was signed.
    amended_already: bool,
    /// What it states.
    data: CertificateData,
}

/// The content of the draft.
pub struct Drafted {
    data: CertificateData,
    amendment_reason: Option<String>,
}

/// Refuses a document that could not state what its kind states.
pub(super) fn complete(data: &CertificateData) -> Result<(), Refusal> {
    let missing = data.facts_missing().map_err(|error| CertificateRefusal::FactsUnreadable { error })?;
    if missing.is_empty() {
        return Ok(());
    }
    Err(CertificateRefusal::FactsMissing { kind: data.kind, facts: missing }.into())
}

impl Action for DraftCertificate {
    const NAME: &'static str = "certificate.draft";
    const PERMISSION: Permission = Permission::CertificateDraft;
    type Prepared = Drawn;
    type Loaded = Sources;
    type Plan = Drafted;
    type Done = CertificateView;

    /// An amendment is made on a version of what it amends.
    fn subject(&self) -> Option<Subject> {
        self.amends.as_ref().map(|amend| Subject::new(Revised::Certificate, &amend.certificate_id))
    }

    fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<Drawn> {
        Ok(Drawn { annex: annex::annex(services, actor, &self.sample_id)?, code: verification_code() })
    }

    fn load(&self, cx: &mut Context<'_>, drawn: &Drawn) -> Outcome<Sources> {
        let TestedSample { case, institute, dossier, .. } =
            TestedSample::load(cx.conn, &cx.services.lines, cx.actor, &self.sample_id)?;
        let url = format!("{}/verify/{}", cx.services.site.public_url.trim_end_matches('/'), drawn.code);
        let amended = match &self.amends {
            Some(amend) => Some(amended(cx.conn, &self.sample_id, &amend.certificate_id)?),
            None => None,
        };
        let verification = Verification { url: url.into(), code: drawn.code.clone().into() };
        Ok(Sources { case, institute, dossier, annex: drawn.annex.clone(), verification, amended })
    }

    fn decide(&self, facts: &Facts<'_>, sources: &Sources) -> Result<Drafted, Refusal> {
        let finals = sources.dossier.finals()?;
        if finals.iter().map(|one| &one.result.id).ne(&sources.annex.of) {
            return Err(CertificateRefusal::ResultsMoved.into());
        }
        let verification = sources.verification.clone();
        let mut data = compose::compose(&sources.dossier, &finals, facts.regulation, verification);
        data.annex.clone_from(&sources.annex.figures);
        complete(&data)?;
        let mut amendment_reason = None;
        if let (Some(amend), Some(amended)) = (&self.amends, &sources.amended) {
            let amendment = amendment(amend, amended, &data)?;
            amendment_reason = Some(amendment.reason.zh.to_string());
            data.amendment = Some(amendment);
        }
        Ok(Drafted { data, amendment_reason })
    }

    fn keep(&self, cx: &mut Context<'_>, sources: Sources, plan: Drafted) -> Outcome<CertificateView> {
        let Drafted { data, amendment_reason } = plan;
        let row = CertificateRow {
            id: CertificateId::new(),
            kind: data.kind,
            number: None,
            application_id: sources.case,
            sample_id: self.sample_id.clone(),
            state: CertificateState::Drafted,
            conforms: data.conclusion.verdict == PrintedVerdict::Pass,
            verification_code: data.verification.code.to_string(),
            data: Json::of(&data),
            amends_id: self.amends.as_ref().map(|amend| amend.certificate_id.clone()),
            amendment_reason: amendment_reason.clone(),
            drafted_by: cx.actor.account.clone(),
            drafted_at: cx.now.into(),
            reviewed_by: None,
            reviewed_at: None,
            signed_by: None,
            signed_at: None,
            signature_id: None,
            pdf_sha256: None,
            state_reason: None,
            institute_id: sources.institute,
        };
        diesel::insert_into(certificate::table).values(&row).execute(cx.conn)?;
        let results: Vec<_> = sources.annex.of.iter().collect();
        let content = json!({"state": row.state, "kind": row.kind, "sample": row.sample_id, "conforms": row.conforms,
            "results": results, "amends": row.amends_id});
        let mut event = Change::created(Self::NAME, "certificate", &row.id, content);
        event.reason = amendment_reason;
        cx.record(event);
        find::view(cx, &row.id)
    }
}

fn amended(conn: &mut AnyConnection, sample: &SampleId, id: &CertificateId) -> Outcome<Amended> {
    let found: Option<CertificateRow> = certificate::table
        .find(id)
        .filter(certificate::sample_id.eq(sample))
        .select(CertificateRow::as_select())
        .first(conn)
        .optional()?;
    let row = found.ok_or_else(|| CertificateRefusal::NoneToAmend(id.clone()))?;
    let others = certificate::table
        .filter(certificate::amends_id.eq(id))
        .filter(certificate::state.ne_all(CertificateState::GIVEN_UP));
    Ok(Amended {
        data: content(&row)?,
        state: row.state,
        number: row.number,
        signed_on: row.signed_at.as_ref().map(|at| statutory_date(at.utc())),
        amended_already: diesel::select(diesel::dsl::exists(others)).get_result(conn)?,
    })
}

/// What an amendment says of the certificate that it replaces: that one is in force, no other amends it, and something in it
/// was put right. Each change is said with its old text and its new one, found by comparing both documents; what somebody
/// has to say beside that follows.
fn amendment(amend: &Amend, old: &Amended, new: &CertificateData) -> Result<Amendment, Refusal> {
    let reason = text::required("amends.reason", &amend.reason, text::REMARK)?;
    let (CertificateState::Issued, Some(number), Some(signed_on)) = (old.state, &old.number, old.signed_on) else {
        return Err(CertificateRefusal::NotIssued.into());
    };
    if old.amended_already {
        return Err(CertificateRefusal::AmendedAlready.into());
    }
    let change = |(index, said): (usize, &String)| {
        text::required(&format!("amends.changes[{index}]"), said, text::REMARK).map(Printed::from)
    };
    let said = amend.changes.iter().enumerate().map(change).collect::<Result<Vec<_>, _>>()?;
    let stated = stated_changes(&old.data, new);
    if stated.is_empty() {
        return Err(CertificateRefusal::NothingAmended.into());
    }
    let changes = stated.iter().map(StatedChange::line).chain(said).collect();
    Ok(Amendment {
        replaces_number: number.clone().into(),
        replaces_date: compose::written(signed_on).into(),
        reason: Bilingual::new(&reason, ""),
        changes,
    })
}

/// A code that nobody guesses: 80 random bits in 16 letters and digits without look-alikes.
fn verification_code() -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut random = rand::rng();
    (0..16).filter_map(|_| LETTERS.choose(&mut random)).map(|letter| char::from(*letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amend(reason: &str) -> Amend {
        Amend {
            certificate_id: CertificateId::from("c-1"), reason: reason.into(), changes: vec!["包装规格".into()]
        }
    }

    fn old(state: CertificateState) -> Amended {
        let signed_on = NaiveDate::from_ymd_opt(2026, 3, 2);
        let data = CertificateData::default();
        Amended { state, number: Some("B20260001".into()), signed_on, amended_already: false, data }
    }

    fn new() -> CertificateData {
        let mut data = CertificateData::default();
        data.sample.lot = "2026002".into();
        data
    }

    #[test]
    fn only_an_issued_certificate_is_amended_and_only_once_at_a_time() {
        for state in CertificateState::ALL {
            let refused = amendment(&amend("更正"), &old(*state), &new()).err();
            let expected = (*state != CertificateState::Issued).then(|| CertificateRefusal::NotIssued.into());
            assert_eq!(refused, expected, "{state}");
        }
        let twice = Amended { amended_already: true, ..old(CertificateState::Issued) };
        let refused = amendment(&amend("更正"), &twice, &new()).expect_err("a second amendment");
        assert_eq!(refused, CertificateRefusal::AmendedAlready.into());
    }

    #[test]
    fn an_amendment_says_why_and_names_what_it_replaces() {
        let refused = amendment(&amend(" "), &old(CertificateState::Issued), &new()).expect_err("no reason");
        assert_eq!(refused.field.as_deref(), Some("amends.reason"));
        let issued = old(CertificateState::Issued);
        let said = amendment(&amend("更正包装规格"), &issued, &new()).expect("an amendment");
        assert_eq!(said.changes, ["批号：原为（空），现为“2026002”", "包装规格"], "what differs, then what was typed");
        assert_eq!((said.replaces_number.as_str(), said.replaces_date.as_str()), ("B20260001", "2026年3月2日"));
    }

    #[test]
    fn an_amendment_of_nothing_is_refused() {
        let refused = amendment(&amend("更正"), &old(CertificateState::Issued), &CertificateData::default());
        assert_eq!(refused.err(), Some(CertificateRefusal::NothingAmended.into()));
    }

    #[test]
    fn no_code_is_like_another() {
        let codes: std::collections::BTreeSet<String> = (0..200).map(|_| verification_code()).collect();
        assert_eq!(codes.len(), 200);
        assert!(codes.iter().all(|code| code.len() == 16 && !code.contains(['0', 'O', '1', 'I'])));
    }
}
