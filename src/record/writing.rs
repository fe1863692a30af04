//! Writing the trail.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::{Value, json};

use super::refusals::RecordRefusal;
use super::rows::{SealedRow, rows_sha256, write_rows};
use crate::refusal::{Code, Refusal};
use crate::store::columns::{AccountId, ApplicantId, Instant, InstituteId, Json};
use crate::store::rows::NewAuditEntry;
use crate::store::schema::{applicant, application, audit_end, audit_entry, audit_rows, demonstration};
use crate::store::{AnyConnection, Outcome, StoreError, touched};
use crate::vocabulary::Role;
use crate::{insert_all, on_each};

/// Who acts: a logged-in account with its roles, for one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Actor {
    /// The account.
    pub account: AccountId,
    /// Its user name, as the trail shows it.
    pub username: String,
    /// The name on records and certificates.
    pub display_name: String,
    /// The institute that it works for; none for an applicant.
    pub institute: Option<InstituteId>,
    /// The applicant that it acts for; none for staff.
    pub applicant: Option<ApplicantId>,
    /// Its roles.
    pub roles: Vec<Role>,
    /// The request, where the action came over HTTP.
    pub request_id: Option<String>,
    /// The session that it acts in; none for the program itself.
    pub session: Option<ActorSession>,
}

/// The session that somebody acts in, as far as signatures ask for it.
#[derive(Clone, Debug, PartialEq)]
pub struct ActorSession {
    /// From the log-in to the end, whatever tokens it had.
    pub family: String,
    /// When the password was given in it last.
    pub proven_at: Option<DateTime<Utc>>,
    /// Whether the account has a second factor.
    pub second_factor: bool,
}

impl Actor {
    /// The institute that a member of staff works for.
    ///
    /// # Errors
    /// [`RecordRefusal::StaffOnly`] for an applicant.
    pub fn institute(&self) -> Result<InstituteId, Refusal> {
        self.institute.clone().ok_or_else(|| RecordRefusal::StaffOnly.into())
    }
}

/// An event: what became of one thing.
///
/// What its fields mean is said by its name and its version: a reader of old entries need not guess. Whoever changes
/// the fields of an event raises its version.
#[derive(Clone, Debug)]
pub struct Change {
    /// What was done, e.g. `sample.receive`.
    pub action: &'static str,
    /// The version of the event's fields, from 1.
    pub version: i64,
    /// The kind of thing, e.g. `sample`.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// `{"field": {"old": …, "new": …}}`; for a new thing `old` is null.
    pub changes: Value,
    /// Why, where a reason was asked for.
    pub reason: Option<String>,
    /// Whose entry it is, where it is not the author's institute's.
    pub institute: Option<InstituteId>,
}

impl Change {
    /// A new thing with its content.
    #[must_use]
    pub fn created(action: &'static str, kind: &'static str, id: impl ToString, content: Value) -> Self {
        let changes = match content {
            Value::Object(fields) => {
                Value::Object(fields.into_iter().map(|(k, v)| (k, json!({"old": null, "new": v}))).collect())
            }
            other => json!({"content": {"old": null, "new": other}}),
        };
        Self { action, version: 1, kind, id: id.to_string(), changes, reason: None, institute: None }
    }

    /// One field that went from `old` to `new`.
    #[must_use]
    pub fn field(
        action: &'static str,
        kind: &'static str,
        id: impl ToString,
        field: &str,
        old: impl Into<Value>,
        new: impl Into<Value>,
    ) -> Self {
        Self {
            action,
            version: 1,
            kind,
            id: id.to_string(),
            changes: json!({ field: {"old": old.into(), "new": new.into()} }),
            reason: None,
            institute: None,
        }
    }

    /// The entry is that institute's, whoever makes it.
    #[must_use]
    pub fn of(mut self, institute: &InstituteId) -> Self {
        self.institute = Some(institute.clone());
        self
    }

    /// The same event in a later version of its fields.
    #[must_use]
    pub fn in_version(mut self, version: i64) -> Self {
        self.version = version;
        self
    }

    /// Adds one more field that changed.
    #[must_use]
    pub fn and(mut self, field: &str, old: impl Into<Value>, new: impl Into<Value>) -> Self {
        self.add(field, old, new);
        self
    }

    /// As [`Change::and`], on an event that was made already.
    pub fn add(&mut self, field: &str, old: impl Into<Value>, new: impl Into<Value>) {
        if let Value::Object(fields) = &mut self.changes {
            fields.insert(field.to_owned(), json!({"old": old.into(), "new": new.into()}));
        }
    }

    /// Adds the reason.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// The name that the trail shows where no account acts.
#[derive(Clone, Debug)]
pub struct Author {
    account: Option<AccountId>,
    name: String,
    request_id: Option<String>,
    institute: Option<InstituteId>,
    applicant: Option<ApplicantId>,
}

impl Author {
    /// The program itself.
    #[must_use]
    pub fn program() -> Self {
        Self::nobody("qianfa", None)
    }

    /// Somebody who did not prove who it was.
    #[must_use]
    pub fn nobody(name: &str, request_id: Option<&str>) -> Self {
        Self {
            account: None,
            name: name.to_owned(),
            request_id: request_id.map(str::to_owned),
            institute: None,
            applicant: None,
        }
    }
}

impl From<&Actor> for Author {
    fn from(actor: &Actor) -> Self {
        Self {
            account: Some(actor.account.clone()),
            name: actor.username.clone(),
            request_id: actor.request_id.clone(),
            institute: actor.institute.clone(),
            applicant: actor.applicant.clone(),
        }
    }
}

/// How far the clock may be behind the last events: servers that share a database do not agree to the second.
const TOLERANCE_SECONDS: i64 = 120;
/// Of how many events the latest counts, so that a clock cannot be set back by a little again and again.
const LAST: i64 = 16;

/// Refuses an event that lies before the last ones. Times of the trail, due dates and sessions rest on a clock that goes
/// forward.
///
/// # Errors
/// [`Code::ClockBack`], and the store's failure.
pub fn not_before_the_last(conn: &mut AnyConnection, at: DateTime<Utc>) -> Outcome<()> {
    let last: Vec<Instant> =
        audit_entry::table.order(audit_entry::seq.desc()).limit(LAST).select(audit_entry::at).load(conn)?;
    let Some(last) = last.iter().map(Instant::utc).max() else { return Ok(()) };
    if at + chrono::Duration::seconds(TOLERANCE_SECONDS) >= last {
        return Ok(());
    }
    // A demonstration tells of fixed days, whenever it is shown.
    if demonstration::table.count().get_result::<i64>(conn)? > 0 {
        return Ok(());
    }
    let (last, now) = (last.format("%Y-%m-%dT%H:%M:%SZ"), at.format("%Y-%m-%dT%H:%M:%SZ"));
    Err(Refusal::new(
        Code::ClockBack,
        format!("系统时钟（{now}）早于最后一条记录（{last}），请校正时钟"),
        format!("the clock says {now}, which is before the last event at {last}: set it right"),
    )
    .into())
}

/// Writes `changes` to the trail, inside the caller's transaction.
///
/// # Errors
/// The store's failure.
pub fn record(conn: &mut AnyConnection, actor: &Actor, at: DateTime<Utc>, changes: Vec<Change>) -> Outcome<()> {
    record_by(conn, &Author::from(actor), at, changes)
}

/// As [`record`], for changes that no account made. The first entry carries the hashes of all rows that the transaction
/// wrote until now.
///
/// # Errors
/// The store's failure.
pub fn record_by(conn: &mut AnyConnection, author: &Author, at: DateTime<Utc>, changes: Vec<Change>) -> Outcome<()> {
    let written: Vec<SealedRow> = touched::take(conn)?.iter().map(SealedRow::of).collect();
    if changes.is_empty() {
        return match written.first() {
            None => Ok(()),
            Some(row) => Err(StoreError::Other(format!("a row of {} was written without an event", row.table)).into()),
        };
    }
    enter(conn, author, at, changes, &write_rows(&written))
}

/// Enters events whose first carries the hashes of rows.
pub(super) fn enter(
    conn: &mut AnyConnection,
    author: &Author,
    at: DateTime<Utc>,
    changes: Vec<Change>,
    hashes: &str,
) -> Outcome<()> {
    not_before_the_last(conn, at)?;
    let own = house_of(conn, author)?;
    let first = numbers(conn, changes.len())?;
    let rows = changes.into_iter().zip(first..).map(|(change, seq)| {
        let institute_id = match change.institute.as_ref().or(own.as_ref()) {
            Some(institute) => Some(institute.clone()),
            None => house_of_case(conn, &change)?,
        };
        Ok(NewAuditEntry {
            seq,
            at: at.into(),
            actor_id: author.account.as_ref().map(ToString::to_string),
            actor: author.name.clone(),
            action: change.action.to_owned(),
            subject_kind: change.kind.to_owned(),
            subject_id: change.id,
            changes: Json::of(&change.changes),
            reason: change.reason,
            request_id: author.request_id.clone(),
            event_version: change.version,
            institute_id,
            rows_sha256: Some(rows_sha256(if seq == first { hashes } else { "" })),
        })
    });
    let rows: Vec<NewAuditEntry> = rows.collect::<Outcome<_>>()?;
    insert_all!(conn, audit_entry::table, &rows)?;
    if !hashes.is_empty() {
        let said = (audit_rows::seq.eq(first), audit_rows::hashes.eq(hashes));
        diesel::insert_into(audit_rows::table).values(said).execute(conn)?;
    }
    Ok(())
}

/// Takes as many numbers at the end of the trail, and tells the first. Part of the transaction: what is undone was never
/// taken.
fn numbers(conn: &mut AnyConnection, count: usize) -> Outcome<i64> {
    let count = i64::try_from(count).map_err(|_| StoreError::Other("too many entries".into()))?;
    let end = audit_end::table.find(1_i64);
    let last: i64 = on_each!(conn, c => diesel::update(end)
        .set(audit_end::last.eq(audit_end::last + count))
        .returning(audit_end::last)
        .get_result(c))?;
    Ok(last - count + 1)
}

/// The institute that the author works for, or that an applicant belongs to.
fn house_of(conn: &mut AnyConnection, author: &Author) -> Outcome<Option<InstituteId>> {
    match (&author.institute, &author.applicant) {
        (Some(institute), _) => Ok(Some(institute.clone())),
        (None, Some(id)) => {
            Ok(applicant::table.find(id).select(applicant::institute_id).first(conn).optional()?.flatten())
        }
        (None, None) => Ok(None),
    }
}

/// The institute of a case that the program itself or a shared applicant changes; none for anything else.
fn house_of_case(conn: &mut AnyConnection, change: &Change) -> Outcome<Option<InstituteId>> {
    if change.kind != "application" {
        return Ok(None);
    }
    let found = application::table.filter(application::id.eq(&change.id)).select(application::institute_id);
    Ok(found.first(conn).optional()?)
}
