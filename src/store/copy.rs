//! Copies of a whole database: out into a file, and back into an empty one.

use std::path::Path;
use std::process::Command;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::{AnyConnection, Backend, Outcome, StoreError};
use crate::on_each;

/// Whether a database holds nothing: no file, or no table.
///
/// # Errors
/// Where it cannot be reached.
pub fn is_empty(backend: &Backend) -> Result<bool, StoreError> {
    match backend {
        Backend::Sqlite(path) => Ok(!path.exists()),
        Backend::Postgres(_) => {
            let AnyConnection::Postgres(mut raw) = backend.connect(true)? else {
                return Err(StoreError::Other("not a PostgreSQL connection".into()));
            };
            let tables: i64 = diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(
                "(SELECT count(*) FROM information_schema.tables \
                 WHERE table_schema NOT IN ('pg_catalog', 'information_schema'))",
            ))
            .get_result(&mut raw)?;
            Ok(tables == 0)
        }
    }
}

#[derive(QueryableByName)]
struct Fault {
    #[diesel(sql_type = Text)]
    fault: String,
}

/// What is wrong with a database in a file by the database's own checks, which change nothing of it.
///
/// # Errors
/// Where it is not a database at all.
pub fn faults_of(path: &Path) -> Result<Vec<String>, StoreError> {
    let AnyConnection::Sqlite(mut raw) = super::connection::read_only(path)? else { return Ok(Vec::new()) };
    let mut faults = Vec::new();
    for query in [
        "SELECT integrity_check AS fault FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
        "SELECT DISTINCT 'a row of ' || \"table\" || ' names one of ' || parent || ' that is not there' AS fault \
         FROM pragma_foreign_key_check LIMIT 20",
    ] {
        let found: Vec<Fault> = diesel::sql_query(query).load(&mut raw)?;
        faults.extend(found.into_iter().map(|row| row.fault));
    }
    Ok(faults)
}

/// The SHA-256 of every file that a row names, less those that lie in the database itself.
///
/// # Errors
/// The store's failure.
pub fn content_named(conn: &mut AnyConnection) -> Outcome<Vec<String>> {
    const NAMED: &str = "SELECT DISTINCT fault FROM (\
         SELECT sha256 AS fault FROM instrument_file UNION SELECT sha256 FROM companion_file \
         UNION SELECT sha256 FROM dead_letter UNION SELECT pdf_sha256 FROM certificate) AS named \
         WHERE fault IS NOT NULL AND fault NOT IN (SELECT sha256 FROM pending_file) ORDER BY fault";
    let found: Vec<Fault> = on_each!(conn, c => diesel::sql_query(NAMED).load(c))?;
    Ok(found.into_iter().map(|row| row.fault).collect())
}

/// Writes a consistent copy to `to`, while others read and write.
///
/// # Errors
/// The database's, or that `pg_dump` is not installed or failed.
pub fn copy_out(backend: &Backend, to: &Path) -> Result<(), StoreError> {
    match backend {
        Backend::Sqlite(_) => {
            let text = to.to_str().ok_or_else(|| StoreError::Other("the path is not UTF-8".into()))?;
            let quoted = text.replace('\'', "''");
            backend.connect(false)?.batch_execute(&format!("VACUUM INTO '{quoted}'"))?;
            let file = std::fs::File::open(to).and_then(|file| file.sync_all());
            file.map_err(|error| StoreError::Other(error.to_string()))
        }
        Backend::Postgres(url) => {
            let (url, password) = split_password(url);
            let mut command = Command::new("pg_dump");
            command.args(["--format=custom", "--no-owner", "--no-privileges", "--file"]).arg(to);
            run(command.arg("--dbname").arg(url), "pg_dump", password)
        }
    }
}

/// Fills an empty database from what [`copy_out`] wrote.
///
/// # Errors
/// Where the database is not empty, or `pg_restore` is not installed or failed.
pub fn copy_in(backend: &Backend, from: &Path) -> Result<(), StoreError> {
    if !is_empty(backend)? {
        return Err(StoreError::Other("the database is not empty".into()));
    }
    match backend {
        Backend::Sqlite(path) => {
            let copied = std::fs::copy(from, path).and_then(|_| std::fs::File::open(path)?.sync_all());
            copied.map_err(|error| StoreError::Other(format!("{}: {error}", path.display())))
        }
        Backend::Postgres(url) => {
            let (url, password) = split_password(url);
            let mut command = Command::new("pg_restore");
            command.args(["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", "--dbname"]);
            run(command.arg(url).arg(from), "pg_restore", password)
        }
    }
}

fn run(command: &mut Command, name: &str, password: Option<String>) -> Result<(), StoreError> {
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    let output = command.output().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            StoreError::Other(format!("{name} is needed and not installed (Debian: postgresql-client)"))
        }
        _ => StoreError::Other(format!("{name}: {error}")),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    let told: Vec<&str> = told.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    Err(StoreError::Other(format!("{name}: {}", told.join("; "))))
}

/// A URL as it may be shown.
#[must_use]
pub fn without_password(url: &str) -> String {
    split_password(url).0
}

/// Takes the password out of a URL: arguments of a process are there for everybody to read.
fn split_password(url: &str) -> (String, Option<String>) {
    let Some((scheme, rest)) = url.split_once("://") else { return (url.to_owned(), None) };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let Some(at) = rest[..end].rfind('@') else { return (url.to_owned(), None) };
    let (user, host) = (&rest[..at], &rest[at..]);
    match user.split_once(':') {
        None => (url.to_owned(), None),
        Some((user, password)) => (format!("{scheme}://{user}{host}"), Some(percent_decoded(password))),
    }
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut i) = (Vec::new(), 0);
    while i < bytes.len() {
        let pair = bytes.get(i + 1..i + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match (bytes[i], pair.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                i += 3;
            }
            (byte, _) => {
                out.push(byte);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_leaves_the_url() {
        let (url, password) = split_password("postgres://lims:p%40ss@db.example:5432/qianfa?sslmode=require");
        assert_eq!(url, "postgres://lims@db.example:5432/qianfa?sslmode=require");
        assert_eq!(password.as_deref(), Some("p@ss"));
        let plain = "postgres://postgres@127.0.0.1/qianfa";
        assert_eq!(split_password(plain), (plain.to_owned(), None));
    }
}
