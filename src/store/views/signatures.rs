//! Who signed what, with what meaning, and what signatories may sign.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Reader, names};
use crate::store::columns::{AccountId, Day, Instant, SignatoryFieldId, SignatureId};
use crate::store::rows::{SignatoryFieldEndRow, SignatoryFieldRow, SignatureRow};
use crate::store::schema::{account, signatory_field, signatory_field_end, signature};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::{Business, Category, SignatureMeaning};

/// A signature as everybody of the institute may see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SignatureView {
    pub id: SignatureId,
    pub account_id: AccountId,
    /// The name of who signed
    pub name: String,
    pub meaning: SignatureMeaning,
    /// What was signed: `result`, `instrument_file`, `specification`, `certificate`
    pub subject_kind: String,
    pub subject_id: String,
    /// SHA-256 of the canonical form of what was approved; of a certificate's issue, of the file
    pub content_sha256: String,
    /// Of a certificate's issue: the SHA-256 of its data, as it was reviewed
    pub data_sha256: Option<String>,
    pub signed_at: Instant,
    /// When the password was given that it rests on; not known of old ones
    pub password_at: Option<Instant>,
}

/// Of what signatures are asked for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct SignatureFilter {
    /// `result`, `instrument_file`, `specification` or `certificate`
    pub subject_kind: String,
    pub subject_id: String,
}

/// The signatures of some things of one kind, the oldest first; none of another institute's people.
///
/// # Errors
/// [`crate::refusal::Code::Forbidden`] for an applicant; the store's failure.
pub fn signatures(conn: &mut AnyConnection, reader: &Reader, kind: &str, ids: &[&str]) -> Outcome<Vec<SignatureView>> {
    let own = reader.staff()?;
    let mut found = Vec::new();
    for part in ids.chunks(400) {
        let rows: Vec<(SignatureRow, String)> = signature::table
            .inner_join(account::table)
            .filter(account::institute_id.eq(own))
            .filter(signature::subject_kind.eq(kind))
            .filter(signature::subject_id.eq_any(part.iter().copied()))
            .order((signature::signed_at, signature::id))
            .select((SignatureRow::as_select(), account::display_name))
            .load(conn)?;
        found.extend(rows.into_iter().map(view));
    }
    Ok(found)
}

fn view((row, name): (SignatureRow, String)) -> SignatureView {
    SignatureView {
        id: row.id,
        account_id: row.account_id,
        name,
        meaning: row.meaning,
        subject_kind: row.subject_kind,
        subject_id: row.subject_id,
        content_sha256: row.content_sha256,
        data_sha256: row.data_sha256,
        signed_at: row.signed_at,
        password_at: row.password_at,
    }
}

/// An appointment of a signatory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SignatoryFieldView {
    pub id: SignatoryFieldId,
    pub account_id: AccountId,
    pub business: Business,
    /// None: products of every category
    pub category: Option<Category>,
    pub valid_from: Day,
    pub valid_to: Option<Day>,
    pub document: String,
    /// Who appointed; none where the upgrade of the program did
    pub appointed_by: Option<String>,
    pub appointed_at: Instant,
    /// The last day, where it was ended
    pub ends_on: Option<Day>,
    pub end_reason: Option<String>,
    pub ended_by: Option<String>,
}

/// What the people of the reader's institute may sign, or one of them, the oldest appointment first.
///
/// # Errors
/// [`crate::refusal::Code::Forbidden`] for an applicant; the store's failure.
pub fn signatory_fields(
    conn: &mut AnyConnection,
    reader: &Reader,
    of: Option<&AccountId>,
) -> Outcome<Vec<SignatoryFieldView>> {
    let own = reader.staff()?;
    let mut query = signatory_field::table
        .inner_join(account::table)
        .left_join(signatory_field_end::table)
        .filter(account::institute_id.eq(own))
        .into_boxed();
    if let Some(id) = of {
        query = query.filter(signatory_field::account_id.eq(id.clone()));
    }
    let rows: Vec<(SignatoryFieldRow, Option<SignatoryFieldEndRow>)> = query
        .order((signatory_field::account_id, signatory_field::appointed_at, signatory_field::id))
        .select((SignatoryFieldRow::as_select(), Option::<SignatoryFieldEndRow>::as_select()))
        .load(conn)?;
    let by = rows.iter().filter_map(|(row, _)| row.appointed_by.as_ref());
    let people: Vec<&AccountId> = by.chain(rows.iter().filter_map(|(_, end)| Some(&end.as_ref()?.ended_by))).collect();
    let known = names(conn, &people)?;
    let name = |id: &AccountId| known.get(id.as_str()).cloned();
    let view = |(row, end): (SignatoryFieldRow, Option<SignatoryFieldEndRow>)| SignatoryFieldView {
        id: row.id,
        account_id: row.account_id,
        business: row.business,
        category: row.category,
        valid_from: row.valid_from,
        valid_to: row.valid_to,
        document: row.document,
        appointed_by: row.appointed_by.as_ref().and_then(name),
        appointed_at: row.appointed_at,
        ended_by: end.as_ref().and_then(|end| name(&end.ended_by)),
        ends_on: end.as_ref().map(|end| end.ends_on.clone()),
        end_reason: end.map(|end| end.reason),
    };
    Ok(rows.into_iter().map(view).collect())
}
