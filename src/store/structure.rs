//! The structure of the database: its tables, checks, keys and triggers hold the invariants, so a trail says what they
//! were, and whoever takes one away is seen.

use diesel::prelude::*;
use diesel::sql_types::Text;
use sha2::{Digest, Sha256};

use super::migrations::applied_versions;
use super::{AnyConnection, Outcome};

/// Tables with their checks and keys, indexes and triggers, as SQLite keeps them.
const SQLITE: &str = "SELECT type || ' ' || name || ' ' || coalesce(sql, '') AS line FROM sqlite_master \
     WHERE name NOT LIKE 'sqlite_%'";

/// The same out of PostgreSQL's catalogue; whether a trigger runs is part of it.
const POSTGRES: &[&str] = &[
    "SELECT concat_ws(' ', 'column', table_name, column_name, coalesce(domain_name, data_type), is_nullable, \
     column_default) AS line FROM information_schema.columns WHERE table_schema = current_schema()",
    "SELECT concat_ws(' ', 'constraint', coalesce(conrelid::regclass::text, contypid::regtype::text), conname, \
     convalidated, pg_get_constraintdef(oid)) AS line FROM pg_constraint \
     WHERE connamespace = current_schema()::regnamespace",
    "SELECT concat_ws(' ', 'index', indexname, indexdef) AS line FROM pg_indexes WHERE schemaname = current_schema()",
    "SELECT concat_ws(' ', 'trigger', tgenabled, pg_get_triggerdef(t.oid)) AS line FROM pg_trigger t \
     JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace",
    "SELECT concat_ws(' ', 'function', pg_get_functiondef(oid)) AS line FROM pg_proc \
     WHERE pronamespace = current_schema()::regnamespace AND prokind = 'f'",
];

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// What SQLite says of its file.
#[derive(QueryableByName)]
struct Checked {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

/// What the structure of a database is, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Structure {
    /// The newest migration that it has.
    pub version: String,
    /// SHA-256 of all that its structure consists of.
    pub sha256: String,
}

/// Looks at the structure of the database.
///
/// # Errors
/// The store's failure.
pub fn structure(conn: &mut AnyConnection) -> Outcome<Structure> {
    let mut lines: Vec<String> = Vec::new();
    match conn {
        AnyConnection::Sqlite(raw) => {
            let found: Vec<Line> = diesel::sql_query(SQLITE).load(raw)?;
            lines.extend(found.into_iter().map(|found| found.line));
        }
        AnyConnection::Postgres(raw) => {
            for query in POSTGRES {
                let found: Vec<Line> = diesel::sql_query(*query).load(raw)?;
                lines.extend(found.into_iter().map(|found| found.line));
            }
        }
    }
    lines.sort();
    let mut hash = Sha256::new();
    for line in lines {
        hash.update(line.as_bytes());
        hash.update([0]);
    }
    let version = applied_versions(conn)?.pop().unwrap_or_default();
    Ok(Structure { version, sha256: hex::encode(hash.finalize()) })
}

/// What the database itself finds wrong with its file, its indexes and its keys; PostgreSQL looks after its own.
///
/// # Errors
/// The store's failure.
pub fn damage(conn: &mut AnyConnection) -> Outcome<Option<String>> {
    let AnyConnection::Sqlite(raw) = conn else { return Ok(None) };
    let found: Vec<Checked> = diesel::sql_query("PRAGMA integrity_check(3)").load(raw)?;
    let found: Vec<String> = found.into_iter().map(|found| found.integrity_check).filter(|said| said != "ok").collect();
    Ok((!found.is_empty()).then(|| found.join("; ")))
}
