//! What only pages ask for: a certificate with its people, samples that await one, names for ids.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::Serialize;

use super::Reader;
use super::certificates::{CertificateView, certificate_view};
use crate::store::columns::{AccountId, ApplicationId, CertificateId, SampleId};
use crate::store::schema::{account, application, batch, certificate, product, sample, test_task};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::{CaseState, CertificateState, TaskState};

/// A certificate with what it belongs to and who made it.
#[derive(Clone, Debug, Serialize)]
pub struct CertificateDetail {
    pub certificate: CertificateView,
    pub case_number: String,
    pub sample_number: String,
    pub lot_number: String,
    pub product_zh: String,
    pub product_en: String,
    pub drafted_by: Option<String>,
    pub reviewed_by: Option<String>,
    pub signed_by: Option<String>,
    /// The number of the one that it amends
    pub amends_number: Option<String>,
    /// The one that amends it: id and number
    pub amended_by: Option<(CertificateId, Option<String>)>,
}

/// Numbers of case, sample and lot; the names of the product; who reviewed and who signed.
type Belongs = (String, String, String, (String, String), Option<AccountId>, Option<AccountId>);

/// One certificate, where the reader may see it.
///
/// # Errors
/// The store's failure, and a content that cannot be read.
pub fn certificate(
    conn: &mut AnyConnection,
    reader: &Reader,
    id: &CertificateId,
) -> Outcome<Option<CertificateDetail>> {
    let Some(view) = certificate_view(conn, reader, id)? else { return Ok(None) };
    let (case_number, sample_number, lot_number, (product_zh, product_en), reviewed_by, signed_by): Belongs =
        certificate::table
            .inner_join(sample::table.inner_join(batch::table))
            .inner_join(application::table.inner_join(product::table))
            .filter(certificate::id.eq(id))
            .select((
                application::number,
                sample::number,
                batch::lot_number,
                (product::name_zh, product::name_en),
                certificate::reviewed_by,
                certificate::signed_by,
            ))
            .first(conn)?;
    let amends_number: Option<Option<String>> = match &view.amends_id {
        Some(old) => certificate::table.find(old).select(certificate::number).first(conn).optional()?,
        None => None,
    };
    let amended_by = certificate::table
        .filter(certificate::amends_id.eq(id))
        .filter(certificate::state.ne(CertificateState::Discarded))
        .select((certificate::id, certificate::number))
        .first(conn)
        .optional()?;
    let people: Vec<&AccountId> =
        [Some(&view.drafted_by), reviewed_by.as_ref(), signed_by.as_ref()].into_iter().flatten().collect();
    let names = names(conn, &people)?;
    let name = |id: Option<&AccountId>| id.and_then(|id| names.get(id.as_str()).cloned());
    Ok(Some(CertificateDetail {
        drafted_by: name(Some(&view.drafted_by)),
        reviewed_by: name(reviewed_by.as_ref()),
        signed_by: name(signed_by.as_ref()),
        certificate: view,
        case_number,
        sample_number,
        lot_number,
        product_zh,
        product_en,
        amends_number: amends_number.flatten(),
        amended_by,
    }))
}

/// A sample whose tests are done and that has no certificate under way.
#[derive(Clone, Debug, Serialize)]
pub struct AwaitingCertificate {
    pub sample_id: SampleId,
    pub sample_number: String,
    pub lot_number: String,
    pub case_id: ApplicationId,
    pub case_number: String,
    pub product_zh: String,
    pub product_en: String,
}

/// The samples of the reader's institute that are tested and have no certificate, the oldest first; at most 200, and of
/// one case where one is asked for. A sample does not wait for the other lots of its case.
///
/// # Errors
/// The store's failure.
pub fn awaiting_certificate(
    conn: &mut AnyConnection,
    reader: &Reader,
    case: Option<&ApplicationId>,
) -> Outcome<Vec<AwaitingCertificate>> {
    let Some(institute) = reader.institute() else { return Ok(Vec::new()) };
    let live =
        certificate::table.filter(certificate::state.ne_all(CertificateState::GIVEN_UP)).select(certificate::sample_id);
    let mut query = sample::table
        .inner_join(batch::table)
        .inner_join(application::table.inner_join(product::table))
        .filter(application::institute_id.eq(institute))
        .filter(application::state.eq_any([CaseState::Testing, CaseState::Tested]))
        .filter(sample::state.eq(crate::vocabulary::SampleState::Received))
        .filter(diesel::dsl::not(diesel::dsl::exists(
            test_task::table
                .filter(test_task::sample_id.eq(sample::id))
                .filter(test_task::state.eq_any(TaskState::OPEN)),
        )))
        .filter(sample::id.ne_all(live))
        .order(sample::number)
        .limit(200)
        .select((
            sample::id,
            sample::number,
            batch::lot_number,
            application::id,
            application::number,
            (product::name_zh, product::name_en),
        ))
        .into_boxed();
    if let Some(case) = case {
        query = query.filter(application::id.eq(case));
    }
    let rows: Vec<(SampleId, String, String, ApplicationId, String, (String, String))> = query.load(conn)?;
    let row = |(sample_id, sample_number, lot_number, case_id, case_number, (product_zh, product_en))| {
        AwaitingCertificate { sample_id, sample_number, lot_number, case_id, case_number, product_zh, product_en }
    };
    Ok(rows.into_iter().map(row).collect())
}

/// The display names of accounts.
///
/// # Errors
/// The store's failure.
pub fn names(conn: &mut AnyConnection, ids: &[&AccountId]) -> Outcome<BTreeMap<String, String>> {
    let rows: Vec<(String, String)> = account::table
        .filter(account::id.eq_any(ids.iter().copied()))
        .select((account::id, account::display_name))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}
