//! Corrections of what is on record: what waits, what was decided, and the certificates that carry the old text.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Reader;
use super::keyset;
use super::pages::names;
use crate::store::columns::{AccountId, ApplicationId, CertificateId, Instant, RecordCorrectionId};
use crate::store::rows::{RecordCorrectionDecisionRow, RecordCorrectionRow};
use crate::store::schema::{
    applicant, application, batch, certificate, corrected_certificate, institute, product, record_correction,
    record_correction_decision,
};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::{CertificateState, CorrectionOutcome, CorrectionSubject};

/// A correction (更正): proposed by one person, decided by another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RecordCorrectionView {
    pub id: RecordCorrectionId,
    pub subject: CorrectionSubject,
    pub subject_id: String,
    /// The number of the case, the lot, or the name of the product, applicant or institute
    pub what: String,
    /// The case, of which a case or a lot is
    pub application_id: Option<ApplicationId>,
    pub field: String,
    pub old_value: String,
    pub new_value: String,
    pub reason: String,
    pub evidence: String,
    pub proposed_by: String,
    pub proposed_at: Instant,
    /// None while it waits
    pub outcome: Option<CorrectionOutcome>,
    pub note: Option<String>,
    pub decided_by: Option<String>,
    pub decided_at: Option<Instant>,
    /// The certificates whose documents the correction changes
    pub certificates: Vec<CorrectedCertificate>,
}

/// A certificate that states the old text: where it is issued it is to be amended, where it is not it is discarded and
/// drafted anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CorrectedCertificate {
    pub id: CertificateId,
    pub number: Option<String>,
    pub state: CertificateState,
}

/// Which corrections are asked for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub struct CorrectionFilter {
    /// Of this case and its lots
    pub application_id: Option<ApplicationId>,
    /// Of this thing
    pub subject_id: Option<String>,
    /// Only those that wait for a decision, or name a certificate that is yet to be amended
    pub open: Option<bool>,
}

type Joined = (RecordCorrectionRow, Option<RecordCorrectionDecisionRow>);

/// The newest corrections of the reader's institute.
///
/// # Errors
/// [`crate::refusal::Code::Forbidden`] for an applicant; the store's failure.
pub fn corrections(
    conn: &mut AnyConnection,
    reader: &Reader,
    filter: &CorrectionFilter,
) -> Outcome<Vec<RecordCorrectionView>> {
    let own = reader.staff()?;
    let mut rows = record_correction::table
        .left_join(record_correction_decision::table)
        .filter(record_correction::institute_id.eq(own.clone()))
        .order((record_correction::proposed_at.desc(), record_correction::id.desc()))
        .limit(keyset::COUNTED)
        .select((RecordCorrectionRow::as_select(), Option::<RecordCorrectionDecisionRow>::as_select()))
        .into_boxed();
    if let Some(case) = &filter.application_id {
        rows = rows.filter(record_correction::application_id.eq(case.clone()));
    }
    if let Some(subject) = &filter.subject_id {
        rows = rows.filter(record_correction::subject_id.eq(subject.clone()));
    }
    if filter.open == Some(true) {
        let to_amend = corrected_certificate::table
            .inner_join(certificate::table)
            .filter(certificate::state.eq_any(CertificateState::LIVE))
            .select(corrected_certificate::correction_id);
        rows =
            rows.filter(record_correction_decision::correction_id.is_null().or(record_correction::id.eq_any(to_amend)));
    }
    let rows: Vec<Joined> = rows.load(conn)?;
    shown(conn, rows)
}

/// One of them.
///
/// # Errors
/// As [`corrections`].
pub fn correction(
    conn: &mut AnyConnection,
    reader: &Reader,
    id: &RecordCorrectionId,
) -> Outcome<Option<RecordCorrectionView>> {
    let own = reader.staff()?;
    let row: Option<Joined> = record_correction::table
        .left_join(record_correction_decision::table)
        .filter(record_correction::id.eq(id))
        .filter(record_correction::institute_id.eq(own.clone()))
        .select((RecordCorrectionRow::as_select(), Option::<RecordCorrectionDecisionRow>::as_select()))
        .first(conn)
        .optional()?;
    Ok(shown(conn, row.into_iter().collect())?.pop())
}

/// How many wait for a decision, for the menu.
///
/// # Errors
/// As [`corrections`].
pub fn corrections_waiting(conn: &mut AnyConnection, reader: &Reader) -> Outcome<i64> {
    let own = reader.staff()?;
    Ok(record_correction::table
        .left_join(record_correction_decision::table)
        .filter(record_correction::institute_id.eq(own.clone()))
        .filter(record_correction_decision::correction_id.is_null())
        .count()
        .get_result(conn)?)
}

fn shown(conn: &mut AnyConnection, rows: Vec<Joined>) -> Outcome<Vec<RecordCorrectionView>> {
    let ids: Vec<RecordCorrectionId> = rows.iter().map(|(row, _)| row.id.clone()).collect();
    type Carrying = (RecordCorrectionId, CertificateId, Option<String>, CertificateState);
    let carrying: Vec<Carrying> = corrected_certificate::table
        .inner_join(certificate::table)
        .filter(corrected_certificate::correction_id.eq_any(&ids))
        .order((certificate::drafted_at, certificate::id))
        .select((corrected_certificate::correction_id, certificate::id, certificate::number, certificate::state))
        .load(conn)?;
    let both = |(row, decision): &'_ Joined| {
        [Some(row.proposed_by.clone()), decision.as_ref().map(|one| one.decided_by.clone())]
    };
    let accounts: Vec<AccountId> = rows.iter().flat_map(both).flatten().collect();
    let people = names(conn, &accounts.iter().collect::<Vec<_>>())?;
    let what = subjects(conn, &rows)?;
    let name = |id: &AccountId| people.get(id.as_str()).cloned().unwrap_or_default();
    let view = |(row, decision): Joined| RecordCorrectionView {
        what: what.get(&row.subject_id).cloned().unwrap_or_else(|| row.subject_id.clone()),
        certificates: carrying
            .iter()
            .filter(|(of, ..)| *of == row.id)
            .map(|(_, id, number, state)| CorrectedCertificate {
                id: id.clone(),
                number: number.clone(),
                state: *state,
            })
            .collect(),
        proposed_by: name(&row.proposed_by),
        outcome: decision.as_ref().map(|one| one.outcome),
        note: decision.as_ref().map(|one| one.note.clone()),
        decided_by: decision.as_ref().map(|one| name(&one.decided_by)),
        decided_at: decision.as_ref().map(|one| one.decided_at.clone()),
        id: row.id,
        subject: row.subject,
        subject_id: row.subject_id,
        application_id: row.application_id,
        field: row.field,
        old_value: row.old_value,
        new_value: row.new_value,
        reason: row.reason,
        evidence: row.evidence,
        proposed_at: row.proposed_at,
    };
    Ok(rows.into_iter().map(view).collect())
}

/// What each thing is called: one statement a kind.
fn subjects(conn: &mut AnyConnection, rows: &[Joined]) -> Outcome<BTreeMap<String, String>> {
    let of = |subject: CorrectionSubject| -> Vec<&str> {
        rows.iter().filter(|(row, _)| row.subject == subject).map(|(row, _)| row.subject_id.as_str()).collect()
    };
    let mut found: Vec<(String, String)> = Vec::new();
    let cases = of(CorrectionSubject::Case);
    if !cases.is_empty() {
        let named = application::table.filter(application::id.eq_any(cases));
        let all: Vec<(ApplicationId, String)> = named.select((application::id, application::number)).load(conn)?;
        found.extend(all.into_iter().map(|(id, number)| (id.to_string(), number)));
    }
    let lots = of(CorrectionSubject::Batch);
    if !lots.is_empty() {
        let named = batch::table.inner_join(application::table).filter(batch::id.eq_any(lots));
        let all: Vec<(String, String, String)> =
            named.select((batch::id, application::number, batch::lot_number)).load(conn)?;
        found.extend(all.into_iter().map(|(id, number, lot)| (id, format!("{number} {lot}"))));
    }
    let products = of(CorrectionSubject::Product);
    if !products.is_empty() {
        let named = product::table.filter(product::id.eq_any(products));
        found.extend(named.select((product::id, product::name_zh)).load::<(String, String)>(conn)?);
    }
    let applicants = of(CorrectionSubject::Applicant);
    if !applicants.is_empty() {
        let named = applicant::table.filter(applicant::id.eq_any(applicants));
        found.extend(named.select((applicant::id, applicant::name)).load::<(String, String)>(conn)?);
    }
    let institutes = of(CorrectionSubject::Institute);
    if !institutes.is_empty() {
        let named = institute::table.filter(institute::id.eq_any(institutes));
        found.extend(named.select((institute::id, institute::name_zh)).load::<(String, String)>(conn)?);
    }
    Ok(found.into_iter().collect())
}
