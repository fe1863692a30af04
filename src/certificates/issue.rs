//! Issue (签发): the authorised signatory signs with password and meaning; the PDF is typeset, signed and kept.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::json;

use super::compose;
use super::draft::{CertificateView, broken, certificate_of, kind_of, moved, view_of};
use crate::action::Services;
use crate::documents::{self, Bilingual, CertificateData, RenderError, SignInfo, Signatory};
use crate::people::Reauthenticated;
use crate::record::{self, Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::store::columns::{CertificateId, Instant};
use crate::store::dialect::columns_of;
use crate::store::rows::CertificateRow;
use crate::store::schema::certificate;
use crate::store::{AnyConnection, Failure, Outcome};
use crate::vocabulary::CertificateState;
use crate::vocabulary::states::CertificateEvent;

/// Typesets behind the gate.
pub(super) fn typeset(services: &Services, data: &CertificateData, at: DateTime<Utc>) -> Outcome<Vec<u8>> {
    services.press.through(|| services.typesetter.render(data, at)).map_err(|error| cannot(&error).into())
}

fn cannot(error: &RenderError) -> Refusal {
    let refusal = |code| {
        Refusal::new(code, format!("证书无法排版：{error}"), format!("the certificate cannot be typeset: {error}"))
    };
    match error {
        RenderError::MissingGlyph { field, .. } => refusal(Code::GlyphMissing).at(field.clone()),
        _ => refusal(Code::Conflict),
    }
}

/// Issues a reviewed certificate. `proof` is the signatory's password, given just now; `meaning` is what the
/// signature stands for.
///
/// # Errors
/// Where it is not reviewed, the signing key is not at hand, or it cannot be typeset; then nothing was issued.
pub fn issue(
    services: &Services,
    actor: &Actor,
    proof: Reauthenticated,
    id: &CertificateId,
    meaning: &str,
) -> Outcome<CertificateView> {
    let meaning = crate::text::printed("meaning", meaning, 100)?;
    let now = services.clock.now();
    let (row, _) = services.db.read(|conn| certificate_of(conn, actor, id))?;
    moved(row.state, CertificateEvent::Sign)?;
    let data = signed_content(&row, actor, &meaning, now)?;
    let pdf = signed_pdf(services, &data, &row, actor, &meaning, now)?;
    let sha256 = services.files.put(&pdf)?;
    let (actor, id) = (actor.clone(), id.clone());
    services.db.write(move |conn| {
        let (current, case) = certificate_of(conn, &actor, &id)?;
        let state = moved(current.state, CertificateEvent::Sign)?;
        if current.data != row.data {
            return Err(Refusal::new(Code::Conflict, "证书内容已变化", "the certificate's content changed").into());
        }
        let subject = ("certificate", id.as_str());
        let signature = proof.sign(conn, &actor, now, &meaning, subject, &sha256)?;
        let row = diesel::update(certificate::table.find(&id))
            .set((
                certificate::state.eq(state),
                certificate::signed_by.eq(&actor.account),
                certificate::signed_at.eq(Instant::from(now)),
                certificate::signature_id.eq(&signature),
                certificate::pdf_sha256.eq(&sha256),
            ))
            .returning(columns_of::<CertificateRow>())
            .get_result::<CertificateRow>(conn)?;
        let mut changes = vec![
            Change::field("certificate.issue", "certificate", &id, "state", current.state.as_str(), state.as_str())
                .and("pdf_sha256", (), sha256.clone())
                .and("meaning", (), meaning.clone()),
        ];
        changes.extend(supersede(conn, &row)?);
        record::record(conn, &actor, now, changes)?;
        crate::cases::reported_with(conn, &actor, now, &case.id)?;
        Ok(view_of(&row))
    })
}

/// The content with signatory and date.
fn signed_content(
    row: &CertificateRow,
    actor: &Actor,
    meaning: &str,
    now: DateTime<Utc>,
) -> Result<CertificateData, Refusal> {
    let mut data: CertificateData = row.data.read().map_err(|error| broken(&error))?;
    data.signatory = Signatory {
        name: actor.display_name.clone(),
        position: Bilingual::new("授权签字人", "Authorised signatory"),
        meaning: Bilingual::new(meaning, ""),
    };
    data.issued_on = compose::written(crate::clock::statutory_date(now));
    Ok(data)
}

fn signed_pdf(
    services: &Services,
    data: &CertificateData,
    row: &CertificateRow,
    actor: &Actor,
    meaning: &str,
    now: DateTime<Utc>,
) -> Outcome<Vec<u8>> {
    let key = services.signing_key.as_ref().ok_or_else(|| {
        Refusal::new(
            Code::SignatureKey,
            "未配置签名密钥（signing.key_file）",
            "no signing key is configured (signing.key_file)",
        )
    })?;
    let info = SignInfo {
        reason: meaning.to_owned(),
        location: data.institution.name.zh.clone(),
        name: actor.display_name.clone(),
        time: now,
    };
    let pdf = typeset(services, data, now)?;
    documents::sign(&pdf, key, &info).map_err(|error| {
        tracing::error!(%error, certificate = %row.id, "signing failed");
        Failure::from(Refusal::new(
            Code::SignatureKey,
            format!("{}无法签名：{error}", kind_of(row).as_str()),
            format!("the certificate cannot be signed: {error}"),
        ))
    })
}

/// The certificate that this one amends is superseded.
fn supersede(conn: &mut AnyConnection, row: &CertificateRow) -> Outcome<Option<Change>> {
    let Some(old) = &row.amends_id else { return Ok(None) };
    let state: CertificateState = certificate::table.find(old).select(certificate::state).first(conn)?;
    let next = moved(state, CertificateEvent::Supersede)?;
    diesel::update(certificate::table.find(old)).set(certificate::state.eq(next)).execute(conn)?;
    let change = Change::field("certificate.supersede", "certificate", old, "state", state.as_str(), next.as_str());
    Ok(Some(change.and("superseded_by", (), json!(row.id))))
}
