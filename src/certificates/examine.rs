//! What a file that somebody sends proves. Its SHA-256 is looked up first: that alone says whether it was issued here.
//! What it says of itself is read in a process of its own, never in the server's.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

use super::public::{PublicStatus, by_code, by_file};
use crate::action::Services;
use crate::documents::{VerifyReport, verify};
use crate::refusal::Code;
use crate::store::blobs::sha256_hex;
use crate::store::{Outcome, StoreError};

/// The word by which a worker is asked to read a document.
const DOCUMENT: &str = "document";

/// What is known about a file.
#[derive(Clone, Debug, Serialize)]
pub struct Examined {
    /// The certificate of the code that was asked for; without a code, the one issued as exactly this file.
    pub certificate: Option<PublicStatus>,
    /// What the file says of itself. It proves little: anybody can sign with a key of one's own.
    pub report: VerifyReport,
}

impl Examined {
    /// Whether it is, byte for byte, a file that was issued here.
    #[must_use]
    pub fn is_issued_here(&self) -> bool {
        self.certificate.as_ref().is_some_and(|found| found.file_matches == Some(true))
    }

    /// Whether it is as it was signed, by whomever.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.is_issued_here() || self.report.is_unchanged()
    }
}

/// Looks a file up, by the code beside it where one was given, and has it read.
///
/// # Errors
/// The store's failure.
pub fn examine(services: &Services, bytes: &[u8], code: Option<&str>) -> Outcome<Examined> {
    let sha256 = sha256_hex(bytes);
    let certificate = match code {
        Some(code) => known(by_code(services, code, Some(&sha256)))?,
        None => by_file(services, &sha256)?,
    };
    Ok(Examined { certificate, report: read(services, bytes, sha256)? })
}

/// No such certificate is an answer here, not an error.
///
/// # Errors
/// The store's failure.
pub fn known(found: Outcome<PublicStatus>) -> Outcome<Option<PublicStatus>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(failure) => {
            let refusal = failure.into_refusal();
            if refusal.code == Code::NotFound { Ok(None) } else { Err(refusal.into()) }
        }
    }
}

/// What a worker needs beside the document.
#[derive(Serialize, Deserialize)]
struct Beside {
    at: DateTime<Utc>,
    /// The roots that signatures are trusted by, in DER, as hexadecimal.
    roots: Vec<String>,
}

fn read(services: &Services, bytes: &[u8], sha256: String) -> Outcome<VerifyReport> {
    let inside = |error: String| StoreError::Other(error);
    let der = |root: &Certificate| root.to_der().map(hex::encode).map_err(|error| inside(error.to_string()));
    let roots = services.roots.iter().map(der).collect::<Result<_, _>>()?;
    let beside = serde_json::to_string(&Beside { at: services.clock.now(), roots });
    let beside = beside.map_err(|error| inside(error.to_string()))?;
    match services.strangers.read(DOCUMENT, &beside, bytes) {
        None => Ok(VerifyReport::unread(sha256)),
        Some(Ok(found)) => Ok(serde_json::from_str(&found).map_err(|error| inside(error.to_string()))?),
        Some(Err(failure)) => {
            tracing::warn!(code = failure.code, %failure, sha256, "a document that was sent for verification was not read");
            let mut report = VerifyReport::unread(sha256);
            report.problems.push(format!("not a readable PDF document: {failure}"));
            Ok(report)
        }
    }
}

/// The reading itself, in a worker process; `None` for what is not a document.
#[must_use]
pub fn read_in_worker(kind: &str, beside: &str, bytes: &[u8]) -> Option<String> {
    if kind != DOCUMENT {
        return None;
    }
    let beside: Beside = serde_json::from_str(beside).ok()?;
    let root = |text: &String| Certificate::from_der(&hex::decode(text).ok()?).ok();
    let roots: Vec<Certificate> = beside.roots.iter().map(root).collect::<Option<_>>()?;
    serde_json::to_string(&verify(bytes, &roots, beside.at)).ok()
}
