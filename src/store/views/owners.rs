//! Whose products and applicants are: what is open, and what is proposed.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Reader;
use super::keyset;
use super::pages::names;
use crate::store::columns::{ApplicantId, Instant, InstituteId, OwnerProposalId, ProductId};
use crate::store::rows::OwnerProposalRow;
use crate::store::schema::{applicant, institute, owner_proposal, product};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::Hidden;

/// Something that several institutes used before owners were kept: somebody has yet to say whose it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OwnerOpen {
    /// The product, or
    pub product_id: Option<ProductId>,
    /// the applicant
    pub applicant_id: Option<ApplicantId>,
    /// The code of a product
    pub code: Option<String>,
    pub name_zh: String,
    /// The English name of a product
    pub name_en: Option<String>,
}

/// A proposal whose a product or an applicant shall be (归属提议).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OwnerProposalView {
    pub id: OwnerProposalId,
    pub product_id: Option<ProductId>,
    pub applicant_id: Option<ApplicantId>,
    /// Of the product or the applicant
    pub name: String,
    /// The institute; none for the shared catalogue
    pub to_institute_id: Option<InstituteId>,
    pub to_zh: Option<String>,
    pub to_en: Option<String>,
    pub reason: String,
    pub proposed_by: String,
    pub proposed_at: Instant,
    /// Who confirmed it; none while it waits for somebody else
    pub confirmed_by: Option<String>,
    pub confirmed_at: Option<Instant>,
}

/// What has no owner yet: products by their codes, then applicants by their names.
///
/// # Errors
/// [`crate::refusal::Code::Forbidden`] for an applicant.
pub fn owners_open(conn: &mut AnyConnection, reader: &Reader) -> Outcome<Vec<OwnerOpen>> {
    reader.staff()?;
    let products: Vec<(ProductId, String, String, String)> = product::table
        .filter(product::owner_open)
        .order((product::code, product::id))
        .limit(keyset::COUNTED)
        .select((product::id, product::code, product::name_zh, product::name_en))
        .load(conn)?;
    let mut found: Vec<OwnerOpen> = products
        .into_iter()
        .map(|(id, code, name_zh, name_en)| OwnerOpen {
            product_id: Some(id),
            applicant_id: None,
            code: Some(code),
            name_zh,
            name_en: Some(name_en),
        })
        .collect();
    if reader.hides(Hidden::Applicant) {
        return Ok(found);
    }
    let applicants: Vec<(ApplicantId, String)> = applicant::table
        .filter(applicant::owner_open)
        .order((applicant::name, applicant::id))
        .limit(keyset::COUNTED)
        .select((applicant::id, applicant::name))
        .load(conn)?;
    found.extend(applicants.into_iter().map(|(id, name_zh)| OwnerOpen {
        product_id: None,
        applicant_id: Some(id),
        code: None,
        name_zh,
        name_en: None,
    }));
    Ok(found)
}

/// The proposals of the reader's institute, the newest first; at most 200.
///
/// # Errors
/// [`crate::refusal::Code::Forbidden`] for an applicant.
pub fn owner_proposals(conn: &mut AnyConnection, reader: &Reader) -> Outcome<Vec<OwnerProposalView>> {
    let own = reader.staff()?;
    type Named = (OwnerProposalRow, Option<String>, Option<String>);
    let rows: Vec<Named> = owner_proposal::table
        .left_join(product::table)
        .left_join(applicant::table)
        .filter(owner_proposal::institute_id.eq(own))
        .order((owner_proposal::proposed_at.desc(), owner_proposal::id.desc()))
        .limit(200)
        .select((OwnerProposalRow::as_select(), product::name_zh.nullable(), applicant::name.nullable()))
        .load(conn)?;
    let institutes: Vec<(InstituteId, String, String)> =
        institute::table.select((institute::id, institute::name_zh, institute::name_en)).load(conn)?;
    let institutes: BTreeMap<InstituteId, (String, String)> =
        institutes.into_iter().map(|(id, zh, en)| (id, (zh, en))).collect();
    let people: Vec<_> =
        rows.iter().flat_map(|(row, ..)| [Some(&row.proposed_by), row.confirmed_by.as_ref()]).flatten().collect();
    let people = names(conn, &people)?;
    let view = |(row, product, applicant): Named| {
        let to = row.to_institute_id.as_ref().and_then(|id| institutes.get(id)).cloned();
        let shown = applicant.and_then(|name| reader.shown(Hidden::Applicant, name));
        let person = |id: &str| people.get(id).cloned();
        OwnerProposalView {
            name: product.or(shown).unwrap_or_else(|| "—".to_owned()),
            to_zh: to.as_ref().map(|(zh, _)| zh.clone()),
            to_en: to.map(|(_, en)| en),
            proposed_by: person(row.proposed_by.as_str()).unwrap_or_else(|| row.proposed_by.to_string()),
            confirmed_by: row.confirmed_by.as_ref().and_then(|id| person(id.as_str())),
            id: row.id,
            product_id: row.product_id,
            applicant_id: row.applicant_id,
            to_institute_id: row.to_institute_id,
            reason: row.reason,
            proposed_at: row.proposed_at,
            confirmed_at: row.confirmed_at,
        }
    };
    Ok(rows.into_iter().map(view).collect())
}
