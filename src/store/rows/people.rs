//! Rows of the tables of people.

use diesel::prelude::*;

use crate::store::columns::*;
use crate::store::schema::*;
use crate::vocabulary::{PasswordOrigin, Role};

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
    pub meaning: String,
    pub subject_kind: String,
    pub subject_id: String,
    pub content_sha256: String,
    pub signed_at: Instant,
}
