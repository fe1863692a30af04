//! Files that a transaction makes, such as a signed certificate. They lie in the database until the transaction is durable,
//! and only then among the files: what was refused leaves no file, and what was done has its bytes whatever the machine
//! does in between.

use diesel::prelude::*;

use super::blobs::{BlobError, Blobs, sha256_hex};
use super::schema::pending_file;
use super::{AnyConnection, DbConn, Outcome};
use crate::on_each;

/// Keeps bytes with the transaction. The answer is their SHA-256, by which they are found.
///
/// # Errors
/// The store's failure.
pub fn keep(conn: &mut AnyConnection, bytes: &[u8]) -> Outcome<String> {
    let sha256 = sha256_hex(bytes);
    on_each!(conn, c => diesel::insert_into(pending_file::table)
        .values((pending_file::sha256.eq(&sha256), pending_file::bytes.eq(bytes)))
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(sha256)
}

/// Moves what is durable to the files. What fails is moved by a later call: the next one, or that of the next start.
///
/// # Errors
/// The store's failure; what was not moved stays where it is.
pub fn settle(db: &DbConn, files: &Blobs) -> Outcome<usize> {
    let waiting: Vec<(String, Vec<u8>)> =
        db.read(|conn| Ok(pending_file::table.select((pending_file::sha256, pending_file::bytes)).load(conn)?))?;
    for (sha256, bytes) in &waiting {
        // The name is what the transaction recorded: bytes that are not of that name are not painted over it.
        if *sha256 != sha256_hex(bytes) {
            return Err(BlobError::Changed(sha256.clone()).into());
        }
        files.put(bytes)?;
    }
    let moved: Vec<String> = waiting.into_iter().map(|(sha256, _)| sha256).collect();
    if moved.is_empty() {
        return Ok(0);
    }
    let count = moved.len();
    db.write(move |conn| {
        for sha256 in &moved {
            diesel::delete(pending_file::table.find(sha256)).execute(conn)?;
        }
        Ok(())
    })?;
    Ok(count)
}

/// A file, wherever it is: also in the moment between its transaction and its place among the files.
///
/// # Errors
/// Where there is none of that name, and where its bytes changed.
pub fn get(db: &DbConn, files: &Blobs, sha256: &str) -> Outcome<Vec<u8>> {
    match files.get(sha256) {
        Err(BlobError::Missing(_)) => {}
        found => return Ok(found?),
    }
    let waiting: Option<Vec<u8>> =
        db.read(|conn| Ok(pending_file::table.find(sha256).select(pending_file::bytes).first(conn).optional()?))?;
    match waiting {
        Some(bytes) if sha256_hex(&bytes) == sha256 => Ok(bytes),
        Some(_) => Err(BlobError::Changed(sha256.to_owned()).into()),
        // Moved between the two looks.
        None => Ok(files.get(sha256)?),
    }
}
