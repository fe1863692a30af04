//! What the configuration says, on the trail: every start that finds it changed adds an event.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::Value as Json;

use super::writing::{Author, Change, record_by};
use crate::store::schema::audit_entry;
use crate::store::stored::At;
use crate::store::{AnyConnection, DbConn, Outcome};

/// The event of a configuration that is not what it was.
const EVENT: &str = "configuration.change";

/// What was said, by field: `session.hours` → `8`. What was not said is as by default and not among it.
pub type Settings = BTreeMap<String, String>;

/// What changed from one configuration to the next: field, before, after.
fn changed(before: &Settings, after: &Settings) -> Vec<(String, Option<String>, Option<String>)> {
    let mut fields: Vec<&String> = before.keys().chain(after.keys()).collect();
    fields.sort();
    fields.dedup();
    let differs = |field: &&String| before.get(*field) != after.get(*field);
    let both = |field: &String| (field.clone(), before.get(field).cloned(), after.get(field).cloned());
    fields.into_iter().filter(differs).map(both).collect()
}

/// The settings that the trail knows: all changes one after the other.
fn known(conn: &mut AnyConnection) -> Outcome<Settings> {
    let entries: Vec<(i64, crate::store::columns::Json)> = audit_entry::table
        .filter(audit_entry::subject_kind.eq("configuration"))
        .filter(audit_entry::subject_id.eq("installation"))
        .order(audit_entry::seq)
        .select((audit_entry::seq, audit_entry::changes))
        .load(conn)?;
    let mut settings = Settings::new();
    for (seq, changes) in entries {
        let changes: BTreeMap<String, Json> = At::new("audit_entry", "changes", &seq.to_string()).read(&changes)?;
        for (field, change) in changes {
            match change.get("new").and_then(Json::as_str) {
                Some(value) => settings.insert(field, value.to_owned()),
                None => settings.remove(&field),
            };
        }
    }
    Ok(settings)
}

/// Adds what changed since the last start to the trail.
///
/// # Errors
/// The store's failure.
pub fn record_settings(db: &DbConn, now: DateTime<Utc>, settings: &Settings) -> Outcome<()> {
    let settings = settings.clone();
    if changed(&db.read(known)?, &settings).is_empty() {
        return Ok(());
    }
    db.write(move |conn| {
        let mut changes = changed(&known(conn)?, &settings).into_iter();
        let Some((field, old, new)) = changes.next() else { return Ok(()) };
        let first = Change::field(EVENT, "configuration", "installation", &field, old, new);
        let event = changes.fold(first, |event, (field, old, new)| event.and(&field, old, new));
        record_by(conn, &Author::program(), now, vec![event])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(said: &[(&str, &str)]) -> Settings {
        said.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_was_taken_out_changed_too() {
        let found = changed(&of(&[("workers", "2"), ("session.hours", "8")]), &of(&[("workers", "3")]));
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            found,
            [("session.hours".to_owned(), text("8"), None), ("workers".to_owned(), text("2"), text("3"))]
        );
    }
}
