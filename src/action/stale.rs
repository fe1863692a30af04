//! The version that an action was made on: a stale one is refused with what changed meanwhile, field by field.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::Subject;
use crate::record::{self, Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::store::revisions::{Revised, current};
use crate::store::{AnyConnection, Outcome};

/// The fields of an entry of the trail.
pub type Fields = serde_json::Map<String, Value>;

/// The most changes that a refusal tells.
const MOST: usize = 40;

/// One field that somebody changed meanwhile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Meanwhile {
    /// The field's name
    pub field: String,
    /// What it was
    pub old: Value,
    /// What it is now
    pub new: Value,
    /// The user name of who changed it
    pub by: String,
    /// When, RFC 3339
    pub at: String,
}

/// Holds the subject to the revision named, and gives the current one back.
pub(super) fn hold(conn: &mut AnyConnection, actor: &Actor, subject: &Subject, version: i64) -> Outcome<i64> {
    let Some(now) = current(conn, subject.kind, &subject.id)? else {
        return Err(Refusal::not_found(subject.kind.zh(), subject.kind.en(), &subject.id).into());
    };
    if now == version {
        return Ok(now);
    }
    // The caller knows the entry that made the version named, and all before it.
    let seen = |fields: &Fields| {
        fields.get("version").and_then(|field| field["new"].as_i64()).is_some_and(|new| new <= version)
    };
    let changes = meanwhile(conn, actor, subject, seen)?;
    Err(refusal(subject.kind, version, now, &changes).into())
}

fn refusal(kind: Revised, made: i64, now: i64, changes: &[Meanwhile]) -> Refusal {
    let told = |change: &Meanwhile| {
        format!("{}：{} → {}（{}）", change.field, plain(&change.old), plain(&change.new), change.by)
    };
    let list: Vec<String> = changes.iter().take(6).map(told).collect();
    let list = if list.is_empty() { String::new() } else { format!(" {}", list.join("；")) };
    Refusal::new(
        Code::Stale,
        format!("{}已被他人修改，您看到的不是最新内容。{list}", kind.zh()),
        format!("the {} was changed meanwhile; what you saw is not the latest.{list}", kind.en()),
    )
    .with(json!({"made_on": made, "version": now, "changes": changes}))
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "—".to_owned(),
        Value::String(text) => text.clone(),
        // A whole document is among the changes that a program reads; a sentence only says that there is one.
        other => Some(other.to_string()).filter(|text| text.len() <= 60).unwrap_or_else(|| "…".to_owned()),
    }
}

/// What the trail says of the subject since the entry that the caller has seen, the newest first. It is for staff: an
/// applicant learns only that something changed.
pub(super) fn meanwhile(
    conn: &mut AnyConnection,
    actor: &Actor,
    subject: &Subject,
    seen: impl Fn(&Fields) -> bool,
) -> Outcome<Vec<Meanwhile>> {
    let mut found = Vec::new();
    if actor.applicant.is_some() {
        return Ok(found);
    }
    for entry in record::latest(conn, subject.kind.as_str(), &subject.id, MOST)? {
        let Value::Object(fields) = entry.changes.tree() else { continue };
        if seen(&fields) {
            break;
        }
        for (field, change) in fields.into_iter().filter(|(field, _)| field != "version") {
            let (old, new) = (change["old"].clone(), change["new"].clone());
            if old != new {
                found.push(Meanwhile { field, old, new, by: entry.actor.clone(), at: entry.at.to_string() });
            }
        }
        if found.len() >= MOST {
            break;
        }
    }
    Ok(found)
}

/// Writes the step of the version into the first event of the subject.
pub(super) fn mark(
    conn: &mut AnyConnection,
    subject: &Subject,
    before: Option<i64>,
    events: &mut [Change],
) -> Outcome<()> {
    let of_subject = |event: &&mut Change| event.kind == subject.kind.as_str() && event.id == subject.id;
    let Some(event) = events.iter_mut().find(of_subject) else { return Ok(()) };
    let after = current(conn, subject.kind, &subject.id)?;
    if after != before {
        event.add("version", before, after);
    }
    Ok(())
}
