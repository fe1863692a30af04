//! Rows of the tables of audit.

use diesel::prelude::*;

use crate::store::columns::*;
use crate::store::schema::*;
use crate::vocabulary::AnchorKind;

#[derive(Clone, Debug, Queryable, Selectable, serde::Serialize)]
#[diesel(table_name = audit_entry)]
pub struct AuditEntryRow {
    pub seq: i64,
    pub at: Instant,
    pub actor_id: Option<String>,
    pub actor: String,
    pub action: String,
    pub subject_kind: String,
    pub subject_id: String,
    pub changes: Json,
    pub reason: Option<String>,
    pub request_id: Option<String>,
    pub event_version: i64,
    /// Whose entry it is; none for what no institute did
    pub institute_id: Option<InstituteId>,
    /// SHA-256 of the hashes of the rows that its transaction wrote; none for what was entered before there were any
    pub rows_sha256: Option<String>,
}

#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = audit_entry, treat_none_as_default_value = false)]
pub struct NewAuditEntry {
    pub seq: i64,
    pub at: Instant,
    pub actor_id: Option<String>,
    pub actor: String,
    pub action: String,
    pub subject_kind: String,
    pub subject_id: String,
    pub changes: Json,
    pub reason: Option<String>,
    pub request_id: Option<String>,
    pub event_version: i64,
    pub institute_id: Option<InstituteId>,
    pub rows_sha256: Option<String>,
}

/// A seal as it was shown outside.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = seal_anchor, treat_none_as_default_value = false)]
pub struct SealAnchorRow {
    pub id: SealAnchorId,
    pub seal_seq: i64,
    pub kind: AnchorKind,
    /// Where it was shown
    pub target: String,
    /// The chained hash of the seal, in hex
    pub chained: String,
    /// Of a time-stamp, its token: DER in base64
    pub token: Option<String>,
    pub anchored_at: Instant,
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable, serde::Serialize)]
#[diesel(table_name = audit_seal, treat_none_as_default_value = false)]
pub struct AuditSealRow {
    pub seq: i64,
    pub first_entry: i64,
    pub last_entry: i64,
    pub entry_count: i64,
    pub leaves: String,
    pub root: String,
    pub previous: String,
    pub chained: String,
    pub key_id: String,
    pub signature: String,
    pub sealed_at: Instant,
}
