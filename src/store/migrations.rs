//! The schema: two folders with equal version names, embedded in the binary.

use diesel::migration::{MigrationSource, MigrationVersion};
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::StoreError;
use super::connection::AnyConnection;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Brings the schema up to date. Two servers that start together take turns.
pub(super) fn migrate(conn: &mut AnyConnection) -> Result<(), StoreError> {
    brought_up_to_date(conn)?;
    super::lots::fill(conn)
}

fn brought_up_to_date(conn: &mut AnyConnection) -> Result<(), StoreError> {
    match conn {
        AnyConnection::Sqlite(raw) => run(raw.run_pending_migrations(SQLITE)),
        AnyConnection::Postgres(raw) => {
            let lock = |raw: &mut _, sql: &str| {
                diesel::sql_query(sql).execute(raw).map(|_| ()).map_err(|e| StoreError::Migration(e.to_string()))
            };
            lock(raw, "SELECT pg_advisory_lock(7409421)")?;
            let ran = run(raw.run_pending_migrations(POSTGRES));
            let installed = ran.and_then(|()| super::touched::install(raw));
            lock(raw, "SELECT pg_advisory_unlock(7409421)")?;
            installed
        }
    }
}

fn run(ran: diesel::migration::Result<Vec<MigrationVersion<'_>>>) -> Result<(), StoreError> {
    ran.map(|_| ()).map_err(|error| StoreError::Migration(error.to_string()))
}

/// The versions that this program knows, oldest first.
///
/// # Errors
/// Where the embedded migrations cannot be listed.
pub(super) fn known_versions() -> Result<Vec<String>, StoreError> {
    let all =
        MigrationSource::<Sqlite>::migrations(&SQLITE).map_err(|error| StoreError::Migration(error.to_string()))?;
    let mut versions: Vec<String> = all.iter().map(|one| one.name().version().to_string()).collect();
    versions.sort();
    Ok(versions)
}

/// The versions that the database has, oldest first.
///
/// # Errors
/// Where the database cannot be read.
pub fn applied_versions(conn: &mut AnyConnection) -> Result<Vec<String>, StoreError> {
    diesel::table! {
        __diesel_schema_migrations (version) { version -> Text, }
    }
    __diesel_schema_migrations::table
        .select(__diesel_schema_migrations::version)
        .order(__diesel_schema_migrations::version)
        .load(conn)
        .map_err(StoreError::from)
}
