//! Reading the trail.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::Actor;
use crate::refusal::Refusal;
use crate::store::columns::{Instant, InstituteId};
use crate::store::rows::AuditEntryRow;
use crate::store::schema::{audit_entry, audit_seal};
use crate::store::stored::At;
use crate::store::{AnyConnection, DbConn, Outcome};
use crate::vocabulary::Role;

/// The most entries of one page.
pub const PAGE: i64 = 200;

/// Whose entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entries {
    /// An institute's own.
    Of(InstituteId),
    /// An institute's own, and what no institute did: strangers at the log-in, the program itself.
    WithInstallation(InstituteId),
    /// All, for whoever has the installation itself in hand.
    Whole,
}

impl Entries {
    /// What the actor may read of the trail.
    ///
    /// # Errors
    /// [`crate::refusal::Code::Forbidden`] for an applicant.
    pub fn for_actor(actor: &Actor) -> Result<Self, Refusal> {
        let own = actor.institute()?;
        let installation = actor.roles.contains(&Role::Installation);
        Ok(if installation { Self::WithInstallation(own) } else { Self::Of(own) })
    }
}

/// Which entries.
#[derive(Clone, Debug, Default)]
pub struct TrailFilter {
    /// Of that kind of thing.
    pub subject_kind: Option<String>,
    /// Of the thing with that id.
    pub subject_id: Option<String>,
    /// By that user name.
    pub actor: Option<String>,
    /// Of that action, e.g. `sample.receive`.
    pub action: Option<String>,
    /// Not before that instant (RFC 3339, UTC).
    pub from: Option<Instant>,
    /// Before that instant.
    pub to: Option<Instant>,
    /// Older than that entry: the `next` of the page before.
    pub before: Option<i64>,
    /// At most that many, up to [`PAGE`].
    pub limit: Option<i64>,
}

/// A page of the trail, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TrailPage {
    /// The entries.
    pub entries: Vec<TrailEntry>,
    /// Where the next page begins; none on the last.
    pub next: Option<i64>,
}

/// One entry.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TrailEntry {
    /// Its place in the trail.
    pub seq: i64,
    /// When, RFC 3339 in UTC.
    pub at: Instant,
    /// Who.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// The version of the event's fields.
    pub event_version: i64,
    /// To what kind of thing.
    pub subject_kind: String,
    /// To which.
    pub subject_id: String,
    /// Each field that changed, by its name.
    pub changes: BTreeMap<String, FieldChange>,
    /// Why, where a reason was asked for.
    pub reason: Option<String>,
    /// The request, as in the server's log.
    pub request_id: Option<String>,
    /// Whether a seal holds it.
    pub sealed: bool,
}

/// What became of one field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    /// What it was; null for a new thing.
    #[schema(value_type = serde_json::Value)]
    pub old: Value,
    /// What it is.
    #[schema(value_type = serde_json::Value)]
    pub new: Value,
}

/// Reads a page of the trail.
///
/// # Errors
/// The store's failure.
pub fn trail(db: &DbConn, whose: &Entries, filter: &TrailFilter) -> Outcome<TrailPage> {
    let limit = filter.limit.unwrap_or(50).clamp(1, PAGE);
    db.read(|conn| {
        let mut query = audit_entry::table.select(AuditEntryRow::as_select()).into_boxed();
        query = match whose {
            Entries::Of(own) => query.filter(audit_entry::institute_id.eq(own)),
            Entries::WithInstallation(own) => {
                query.filter(audit_entry::institute_id.eq(own).or(audit_entry::institute_id.is_null()))
            }
            Entries::Whole => query,
        };
        if let Some(kind) = &filter.subject_kind {
            query = query.filter(audit_entry::subject_kind.eq(kind));
        }
        if let Some(id) = &filter.subject_id {
            query = query.filter(audit_entry::subject_id.eq(id));
        }
        if let Some(actor) = &filter.actor {
            query = query.filter(audit_entry::actor.eq(actor));
        }
        if let Some(action) = &filter.action {
            query = query.filter(audit_entry::action.eq(action));
        }
        if let Some(from) = &filter.from {
            query = query.filter(audit_entry::at.ge(from));
        }
        if let Some(to) = &filter.to {
            query = query.filter(audit_entry::at.lt(to));
        }
        if let Some(before) = filter.before {
            query = query.filter(audit_entry::seq.lt(before));
        }
        let rows: Vec<AuditEntryRow> = query.order(audit_entry::seq.desc()).limit(limit + 1).load(conn)?;
        let sealed: Option<i64> = audit_seal::table.select(diesel::dsl::max(audit_seal::last_entry)).first(conn)?;
        let sealed = sealed.unwrap_or(0);
        let more = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        let shown: Vec<TrailEntry> = rows
            .into_iter()
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .map(|row| entry(row, sealed))
            .collect::<Outcome<_>>()?;
        let next = if more { shown.last().map(|entry| entry.seq) } else { None };
        Ok(TrailPage { entries: shown, next })
    })
}

fn entry(row: AuditEntryRow, sealed: i64) -> Outcome<TrailEntry> {
    let changes = At::new("audit_entry", "changes", &row.seq.to_string()).read(&row.changes)?;
    Ok(TrailEntry {
        seq: row.seq,
        at: row.at,
        actor: row.actor,
        action: row.action,
        event_version: row.event_version,
        subject_kind: row.subject_kind,
        subject_id: row.subject_id,
        changes,
        reason: row.reason,
        request_id: row.request_id,
        sealed: row.seq <= sealed,
    })
}

/// The latest entries of one thing, the newest first.
///
/// # Errors
/// The store's failure.
pub fn latest(conn: &mut AnyConnection, kind: &str, id: &str, most: usize) -> Outcome<Vec<AuditEntryRow>> {
    Ok(audit_entry::table
        .filter(audit_entry::subject_kind.eq(kind))
        .filter(audit_entry::subject_id.eq(id))
        .order(audit_entry::seq.desc())
        .limit(i64::try_from(most).unwrap_or(i64::MAX))
        .select(AuditEntryRow::as_select())
        .load(conn)?)
}
