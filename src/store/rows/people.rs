//! Rows of the tables of people.

use diesel::prelude::*;

use crate::store::columns::*;
use crate::store::schema::*;
use crate::vocabulary::{Business, Category, PasswordOrigin, Role, SignatureMeaning};

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = institute, treat_none_as_default_value = false)]
pub struct InstituteRow {
    pub id: InstituteId,
    pub code: String,
    pub name_zh: String,
    pub name_en: String,
    pub abbreviation: String,
    pub jurisdiction: String,
    pub address_zh: String,
    pub address_en: String,
    pub sample_prefix: String,
    pub created_at: Instant,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize, utoipa::ToSchema)]
#[diesel(table_name = applicant, treat_none_as_default_value = false)]
pub struct ApplicantRow {
    pub id: ApplicantId,
    pub name: String,
    pub address: String,
    pub contact: String,
    pub created_at: Instant,
    /// Whose it is; none for a shared one
    pub institute_id: Option<InstituteId>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize)]
#[diesel(table_name = account, treat_none_as_default_value = false)]
pub struct AccountRow {
    pub id: AccountId,
    pub username: String,
    pub display_name: String,
    pub password_hash: String,
    pub institute_id: Option<InstituteId>,
    pub applicant_id: Option<ApplicantId>,
    pub disabled: bool,
    pub failed_logins: i64,
    pub locked_until: Option<Instant>,
    pub created_at: Instant,
    pub password_origin: PasswordOrigin,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize)]
#[diesel(table_name = account_role, treat_none_as_default_value = false)]
pub struct AccountRoleRow {
    pub account_id: AccountId,
    pub role: Role,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize)]
#[diesel(table_name = session, treat_none_as_default_value = false)]
pub struct SessionRow {
    pub id: SessionId,
    pub account_id: AccountId,
    pub family: String,
    pub refresh_sha256: String,
    pub created_at: Instant,
    pub expires_at: Instant,
    pub used_at: Option<Instant>,
    pub revoked_at: Option<Instant>,
    pub source: Option<String>,
    pub agent: Option<String>,
    pub opened_at: Option<Instant>,
    pub seen_at: Option<Instant>,
    /// When the password was given last in this session
    pub proven_at: Option<Instant>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = second_factor, treat_none_as_default_value = false)]
pub struct SecondFactorRow {
    pub account_id: AccountId,
    pub sealed: String,
    pub last_step: i64,
    pub offered_at: Instant,
    pub confirmed_at: Option<Instant>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = recovery_code, treat_none_as_default_value = false)]
pub struct RecoveryCodeRow {
    pub account_id: AccountId,
    pub code_sha256: String,
    pub used_at: Option<Instant>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize)]
#[diesel(table_name = signature, treat_none_as_default_value = false)]
pub struct SignatureRow {
    pub id: SignatureId,
    pub account_id: AccountId,
    pub meaning: SignatureMeaning,
    pub subject_kind: String,
    pub subject_id: String,
    pub content_sha256: String,
    pub signed_at: Instant,
    /// When the password was given that it rests on; not known of old ones
    pub password_at: Option<Instant>,
    /// Of a signed document: the hash of its data
    pub data_sha256: Option<String>,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = signatory_field, treat_none_as_default_value = false)]
pub struct SignatoryFieldRow {
    pub id: SignatoryFieldId,
    pub account_id: AccountId,
    pub business: Business,
    /// None: products of every category
    pub category: Option<Category>,
    pub valid_from: Day,
    pub valid_to: Option<Day>,
    /// The paper of the appointment
    pub document: String,
    /// None where the upgrade of the program did
    pub appointed_by: Option<AccountId>,
    pub appointed_at: Instant,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = signatory_field_end, treat_none_as_default_value = false)]
pub struct SignatoryFieldEndRow {
    pub id: SignatoryFieldEndId,
    pub field_id: SignatoryFieldId,
    pub ends_on: Day,
    pub reason: String,
    pub ended_by: AccountId,
    pub ended_at: Instant,
}
