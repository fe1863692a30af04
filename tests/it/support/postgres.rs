//! A database of its own for each test, copied from a template that is migrated once.

use std::sync::OnceLock;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use qianfa::store::blobs::sha256_hex;
use qianfa::store::{DbConn, DbSettings};

use super::cluster::cluster;

pub fn connect(url: &str) -> PgConnection {
    PgConnection::establish(url).unwrap_or_else(|error| panic!("the cluster of the tests at {url}: {error}"))
}

/// The URL of a database of the cluster.
fn url_of(database: &str) -> String {
    let (server, _) = cluster().rsplit_once('/').expect("a database in QIANFA_TEST_POSTGRES");
    format!("{server}/{database}")
}

/// The migrated template, named after the migrations so that a stale one is never used.
fn template() -> &'static str {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let name = format!("qianfa_template_{}", &migrations_hash()[..16]);
        let mut conn = connect(cluster());
        conn.batch_execute("SELECT pg_advisory_lock(7409422)").expect("the lock");
        let there: i64 = diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(&format!(
            "(SELECT count(*) FROM pg_database WHERE datname = '{name}')"
        )))
        .get_result(&mut conn)
        .expect("a count");
        if there == 0 {
            let fresh = format!("{name}_new");
            conn.batch_execute(&format!("DROP DATABASE IF EXISTS {fresh} WITH (FORCE)")).expect("a drop");
            conn.batch_execute(&format!("CREATE DATABASE {fresh}")).expect("a database");
            drop(DbConn::open(&DbSettings::new(url_of(&fresh))).expect("migrations"));
            // A renamed database is complete: whoever sees the name may copy it.
            retry(|| conn.batch_execute(&format!("ALTER DATABASE {fresh} RENAME TO {name}")));
        }
        conn.batch_execute("SELECT pg_advisory_unlock(7409422)").expect("the lock");
        name
    })
}

/// Connections just closed take a moment to leave the server.
fn retry(mut action: impl FnMut() -> QueryResult<()>) {
    for _ in 0..100 {
        if action().is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    action().expect("the database without connections");
}

fn migrations_hash() -> String {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/postgres");
    let mut folders: Vec<_> =
        std::fs::read_dir(root).expect("migrations").map(|e| e.expect("a folder").path()).collect();
    folders.sort();
    let text: String = folders.iter().map(|f| std::fs::read_to_string(f.join("up.sql")).expect("up.sql")).collect();
    sha256_hex(text.as_bytes())
}

/// A database that goes away with its test.
pub struct OwnDatabase {
    pub url: String,
    name: String,
}

impl OwnDatabase {
    /// A migrated one.
    pub fn create() -> Self {
        let template = template();
        Self::make(&format!("TEMPLATE {template}"))
    }

    /// An empty one.
    pub fn empty() -> Self {
        Self::make("")
    }

    fn make(with: &str) -> Self {
        let name = format!("qianfa_test_{}", uuid::Uuid::new_v4().simple());
        let mut conn = connect(cluster());
        retry(|| conn.batch_execute(&format!("CREATE DATABASE {name} {with}")));
        Self { url: url_of(&name), name }
    }
}

impl Drop for OwnDatabase {
    fn drop(&mut self) {
        if let Ok(mut conn) = PgConnection::establish(cluster()) {
            let _ = conn.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        }
    }
}
