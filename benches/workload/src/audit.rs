//! How long it takes to compare everything with the trail, beside one SHA-256 over the same bytes.

use std::time::{Duration, Instant};

use diesel::prelude::*;
use qianfa::action::Services;
use qianfa::store::Outcome;
use qianfa::store::copy::content_named;
use qianfa::store::schema::{audit_entry, audit_rows, audit_seal};
use qianfa::store::touched::{SEALED, each_row};
use sha2::{Digest, Sha256};

/// What `audit verify` took of a database, and what it went over.
pub struct AuditMeasure {
    pub took: Duration,
    pub hashing: Duration,
    pub bytes: usize,
}

/// Measures both, in turns.
///
/// # Errors
/// Where something does not fit, or the store fails.
pub fn verified(services: &Services) -> Result<AuditMeasure, String> {
    let bytes = everything(services).map_err(|failure| failure.to_string())?;
    let (mut took, mut hashing) = (Duration::MAX, Duration::MAX);
    for _ in 0..3 {
        let begun = Instant::now();
        let report = services.sealer.verify().map_err(|failure| failure.to_string())?;
        took = took.min(begun.elapsed());
        if !report.intact {
            return Err(format!("the record is not intact: {:?}", report.misfit));
        }
        let begun = Instant::now();
        std::hint::black_box(Sha256::digest(&bytes));
        hashing = hashing.min(begun.elapsed());
    }
    Ok(AuditMeasure { took, hashing, bytes: bytes.len() })
}

/// The bytes that are compared: every row of every sealed table as it is hashed, the entries with the hashes that they
/// carry, the seals with their leaves, and the files.
fn everything(services: &Services) -> Outcome<Vec<u8>> {
    let mut bytes = Vec::new();
    let named = services.db.read(|conn| {
        for table in SEALED {
            each_row(conn, table, |key, content| {
                bytes.extend_from_slice(key.as_bytes());
                bytes.extend_from_slice(content.as_bytes());
            })?;
        }
        let hashes: Vec<String> = audit_rows::table.select(audit_rows::hashes).load(conn)?;
        let leaves: Vec<String> = audit_seal::table.select(audit_seal::leaves).load(conn)?;
        let entries: Vec<(String, String, String, String)> = audit_entry::table
            .select((audit_entry::at, audit_entry::actor, audit_entry::subject_id, audit_entry::changes))
            .load(conn)?;
        hashes.iter().chain(&leaves).for_each(|text| bytes.extend_from_slice(text.as_bytes()));
        for (at, actor, subject, changes) in &entries {
            [at, actor, subject, changes].iter().for_each(|text| bytes.extend_from_slice(text.as_bytes()));
        }
        content_named(conn)
    })?;
    for sha256 in named {
        if let Ok(file) = services.files.get(&sha256) {
            bytes.extend_from_slice(&file);
        }
    }
    Ok(bytes)
}
