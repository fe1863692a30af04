//! Drafting and review. Review gives the number; from then on the content stands still.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::facts::Facts;
use super::{annex, compose};
use crate::action::Services;
use crate::documents::{Amendment, Bilingual, CertificateData, CertificateKind, Verification};
use crate::record::{self, Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::store::columns::{CertificateId, Instant, Json, SampleId};
use crate::store::dialect::columns_of;
use crate::store::rows::{ApplicationRow, CertificateRow};
use crate::store::schema::{account, application, certificate};
use crate::store::{AnyConnection, Outcome};
use crate::text;
use crate::vocabulary::states::CertificateEvent;
use crate::vocabulary::{CertificateState, Verdict};

/// What to draft.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    pub sample_id: String,
    /// Amends an issued certificate of this sample
    pub amends: Option<Amend>,
}

/// An amendment names the certificate that it replaces and says why.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Amend {
    pub certificate_id: String,
    pub reason: String,
    /// What was changed, one entry a change
    #[serde(default)]
    pub changes: Vec<String>,
}

/// A certificate as the register shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CertificateView {
    pub id: String,
    pub kind: String,
    pub number: Option<String>,
    pub state: String,
    pub sample_id: String,
    pub conforms: bool,
    pub verification_code: String,
    pub pdf_sha256: Option<String>,
    pub amends_id: Option<String>,
    #[schema(value_type = crate::documents::CertificateData)]
    pub data: serde_json::Value,
}

pub(super) fn view_of(row: &CertificateRow) -> CertificateView {
    CertificateView {
        id: row.id.to_string(),
        kind: row.kind.clone(),
        number: row.number.clone(),
        state: row.state.to_string(),
        sample_id: row.sample_id.to_string(),
        conforms: row.conforms,
        verification_code: row.verification_code.clone(),
        pdf_sha256: row.pdf_sha256.clone(),
        amends_id: row.amends_id.as_ref().map(ToString::to_string),
        data: row.data.tree(),
    }
}

/// The state after an event, or a refusal that names both.
pub(super) fn moved(state: CertificateState, event: CertificateEvent) -> Result<CertificateState, Refusal> {
    state.on(event).map_err(|refused| Refusal::new(Code::WrongState, refused.zh(), refused.en()))
}

/// A code that nobody guesses: 80 random bits in 16 letters and digits without look-alikes.
fn verification_code() -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let bits = uuid::Uuid::new_v4().as_u128() ^ uuid::Uuid::new_v4().as_u128().rotate_left(64);
    (0..16)
        .map(|index| {
            let five = usize::try_from((bits >> (index * 5)) & 31).unwrap_or_default();
            LETTERS.get(five).map_or('A', |letter| char::from(*letter))
        })
        .collect()
}

/// Drafts the certificate of a sample from its reviewed results.
///
/// # Errors
/// Where results are missing or one out of limit awaits its decision, or there is a live certificate already.
pub fn draft(services: &Services, actor: &Actor, new: &Draft) -> Outcome<CertificateView> {
    let (services2, actor, now, new) = (services.clone(), actor.clone(), services.clock.now(), new.clone());
    let code = verification_code();
    let sample_id: SampleId = new.sample_id.as_str().into();
    let annex = annex::annex(services, &actor, &sample_id)?;
    services.db.write(move |conn| {
        let sample_id = sample_id.clone();
        let facts = Facts::load(conn, &actor, &sample_id)?;
        let finals = facts.finals(conn)?;
        let url = format!("{}/verify/{code}", services2.site.public_url.trim_end_matches('/'));
        let verification = Verification { url, code: code.clone() };
        let mut data = compose::compose(&facts, &finals, &services2.regulation, verification);
        if finals.iter().map(|one| &one.result.id).ne(&annex.of) {
            let refusal = Refusal::new(Code::Conflict, "结果刚刚变化，请重试", "results have just changed: try again");
            return Err(refusal.into());
        }
        data.annex.clone_from(&annex.figures);
        let (amends_id, amendment_reason) = match &new.amends {
            None => (None, None),
            Some(amend) => {
                let (id, reason) = amendment(conn, &sample_id, amend, &mut data)?;
                (Some(id), Some(reason))
            }
        };
        let row = CertificateRow {
            id: CertificateId::new(),
            kind: data.kind.as_str().into(),
            number: None,
            application_id: facts.application.id.clone(),
            sample_id,
            state: CertificateState::Drafted,
            conforms: finals.iter().all(|one| one.result.verdict == Verdict::Pass),
            data: Json::of(&data),
            verification_code: code.clone(),
            amends_id,
            amendment_reason: amendment_reason.clone(),
            drafted_by: actor.account.clone(),
            drafted_at: now.into(),
            reviewed_by: None,
            reviewed_at: None,
            signed_by: None,
            signed_at: None,
            signature_id: None,
            pdf_sha256: None,
            state_reason: None,
            institute_id: facts.application.institute_id.clone(),
        };
        diesel::insert_into(certificate::table).values(&row).execute(conn)?;
        let mut change = Change::created("certificate.draft", "certificate", &row.id, json!(row));
        change.reason = amendment_reason;
        record::record(conn, &actor, now, vec![change])?;
        Ok(view_of(&row))
    })
}

fn amendment(
    conn: &mut AnyConnection,
    sample_id: &SampleId,
    amend: &Amend,
    data: &mut CertificateData,
) -> Outcome<(CertificateId, String)> {
    let reason = text::printed("amends.reason", &amend.reason, text::REMARK)?;
    let id: CertificateId = amend.certificate_id.as_str().into();
    let old: Option<CertificateRow> = certificate::table
        .find(&id)
        .filter(certificate::sample_id.eq(sample_id))
        .select(CertificateRow::as_select())
        .first(conn)
        .optional()?;
    let old = old.ok_or_else(|| Refusal::not_found("该样品的证书", "certificate of this sample", id.as_str()))?;
    if old.state != CertificateState::Issued {
        return Err(Refusal::new(Code::WrongState, "只能更正已签发的证书", "only an issued certificate is amended")
            .at("amends.certificate_id")
            .into());
    }
    for (index, change) in amend.changes.iter().enumerate() {
        text::printed(&format!("amends.changes[{index}]"), change, text::REMARK)?;
    }
    data.amendment = Some(Amendment {
        replaces_number: old.number.clone().unwrap_or_default(),
        replaces_date: old.signed_at.as_ref().map(compose::day_of).unwrap_or_default(),
        reason: Bilingual::new(&reason, ""),
        changes: amend.changes.clone(),
    });
    Ok((id, reason))
}

/// The certificate with its case, where it is of the actor's institute.
///
/// # Errors
/// Where there is none of that id.
pub(crate) fn certificate_of(
    conn: &mut AnyConnection,
    actor: &Actor,
    id: &CertificateId,
) -> Outcome<(CertificateRow, ApplicationRow)> {
    let found: Option<(CertificateRow, ApplicationRow)> = certificate::table
        .inner_join(application::table)
        .filter(certificate::id.eq(id))
        .filter(application::institute_id.nullable().eq(&actor.institute))
        .select((CertificateRow::as_select(), ApplicationRow::as_select()))
        .first(conn)
        .optional()?;
    found.ok_or_else(|| Refusal::not_found("证书", "certificate", id.as_str()).into())
}

/// Reviews a draft: the number is taken, and the content stands still from here.
///
/// # Errors
/// Where the reviewer drafted it, or results changed since.
pub fn review(services: &Services, actor: &Actor, id: &CertificateId) -> Outcome<CertificateView> {
    let (services2, actor, now, id) = (services.clone(), actor.clone(), services.clock.now(), id.clone());
    services.db.write(move |conn| {
        let (row, _) = certificate_of(conn, &actor, &id)?;
        let state = moved(row.state, CertificateEvent::Review)?;
        if row.drafted_by == actor.account {
            let refusal =
                Refusal::new(Code::SelfReview, "不得审核本人起草的证书", "the one who drafted it does not review it");
            return Err(refusal.into());
        }
        let facts = Facts::load(conn, &actor, &row.sample_id)?;
        let finals = facts.finals(conn)?;
        let mut data: CertificateData = row.data.read().map_err(|error| broken(&error))?;
        let fresh = compose::compose(&facts, &finals, &services2.regulation, data.verification.clone());
        if fresh.results != data.results {
            let refusal = Refusal::new(
                Code::Conflict,
                "起草后结果已变化，请重新起草",
                "results changed since the draft: draft it anew",
            );
            return Err(refusal.into());
        }
        let institute = &facts.case.institute;
        let today = crate::clock::statutory_date(now);
        let number = super::numbers::take(&services2.numbers, conn, data.kind, &institute.abbreviation, today)?;
        data.number.clone_from(&number);
        let row = diesel::update(certificate::table.find(&id))
            .set((
                certificate::state.eq(state),
                certificate::number.eq(&number),
                certificate::data.eq(Json::of(&data)),
                certificate::reviewed_by.eq(&actor.account),
                certificate::reviewed_at.eq(Instant::from(now)),
            ))
            .returning(columns_of::<CertificateRow>())
            .get_result::<CertificateRow>(conn)?;
        let change = Change::field("certificate.review", "certificate", &id, "state", "drafted", state.as_str()).and(
            "number",
            (),
            number,
        );
        record::record(conn, &actor, now, vec![change])?;
        Ok(view_of(&row))
    })
}

pub(super) fn broken(error: &serde_json::Error) -> Refusal {
    Refusal::new(
        Code::Internal,
        format!("证书内容无法读取：{error}"),
        format!("the certificate's content cannot be read: {error}"),
    )
}

/// The certificate as it will look, marked as a draft; an issued one as it was issued.
///
/// # Errors
/// Where there is none of that id, or it cannot be typeset.
pub fn preview(services: &Services, actor: &Actor, id: &CertificateId) -> Outcome<Vec<u8>> {
    let (row, signatory) = services.db.read(|conn| {
        let (row, _) = certificate_of(conn, actor, id)?;
        let name: Option<String> = match &row.signed_by {
            Some(by) => Some(account::table.find(by).select(account::display_name).first(conn)?),
            None => None,
        };
        Ok((row, name))
    })?;
    if let Some(sha256) = &row.pdf_sha256 {
        return Ok(services.files.get(sha256)?);
    }
    let mut data: CertificateData = row.data.read().map_err(|error| broken(&error))?;
    data.draft = true;
    if data.number.is_empty() {
        data.number = "（待编号）".into();
    }
    data.signatory.name = signatory.unwrap_or_else(|| "（待签发）".into());
    data.issued_on = compose::written(services.clock.today());
    super::issue::typeset(services, &data, services.clock.now())
}

/// One certificate of the actor's institute.
///
/// # Errors
/// Where there is none of that id.
pub fn show(services: &Services, actor: &Actor, id: &CertificateId) -> Outcome<CertificateView> {
    services.db.read(|conn| certificate_of(conn, actor, id).map(|(row, _)| view_of(&row)))
}

/// The file of a certificate that was issued to the actor's own applicant.
///
/// # Errors
/// Where there is none of that id.
pub fn own_file(services: &Services, actor: &Actor, id: &CertificateId) -> Outcome<Vec<u8>> {
    let sha256: Option<Option<String>> = services.db.read(|conn| {
        Ok(certificate::table
            .inner_join(application::table)
            .filter(certificate::id.eq(id))
            .filter(application::applicant_id.nullable().eq(&actor.applicant))
            .select(certificate::pdf_sha256)
            .first(conn)
            .optional()?)
    })?;
    let sha256 = sha256.flatten().ok_or_else(|| Refusal::not_found("证书", "certificate", id.as_str()))?;
    Ok(services.files.get(&sha256)?)
}

/// The kind by its stored name.
pub(super) fn kind_of(row: &CertificateRow) -> CertificateKind {
    CertificateKind::ALL.into_iter().find(|kind| kind.as_str() == row.kind).unwrap_or_default()
}
