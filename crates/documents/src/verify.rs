//! Verification: what a signed document proves, checked with our own eyes and no other tool.
//!
//! Every byte of the file is checked: those outside the gap of the signature value by the digest,
//! those inside by a strict reading (canonical hexadecimal, DER, zeros up to the end).

use chrono::{DateTime, Utc};
use der::{Decode, Encode, SliceReader};
use lopdf::{Dictionary, Document, Object};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use x509_cert::Certificate;

use super::chain::{self, Trust};
use super::cms;
use super::pdf;

/// More signatures than this in one document are not looked at.
const MAX_SIGNATURES: usize = 32;

/// One signature of a document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SignatureReport {
    /// Common name of the signer's certificate.
    pub signer: Option<String>,
    /// Time of signing as the signature states it.
    pub signed_at: Option<DateTime<Utc>>,
    /// Reason as the signature states it.
    pub reason: Option<String>,
    /// The signature fits the bytes it covers.
    pub intact: bool,
    /// It covers the whole file except its own value.
    pub covers_whole_file: bool,
    /// Trust by the given roots.
    pub trusted: Trust,
    /// What is wrong, one sentence each.
    pub problems: Vec<String>,
}

/// What a document proves.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VerifyReport {
    /// There is a signature.
    pub signed: bool,
    /// Every signature fits the bytes it covers.
    pub intact: bool,
    /// The last signature covers the whole file except its own value.
    pub covers_whole_file: bool,
    /// Signer of the last signature.
    pub signer_name: Option<String>,
    /// Time of the last signature.
    pub signed_at: Option<DateTime<Utc>>,
    /// Trusted only where every signature is.
    pub trusted: Trust,
    /// `number` of the attached data.
    pub certificate_number: Option<String>,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: String,
    /// What is wrong, one sentence each.
    pub problems: Vec<String>,
    /// Every signature, in the order of signing.
    pub signatures: Vec<SignatureReport>,
}

impl VerifyReport {
    /// Intact and covering the whole file: the document is as it was signed. Whether its signer
    /// is trusted and the certificate still in force are questions of their own.
    pub fn is_unchanged(&self) -> bool {
        self.signed && self.intact && self.covers_whole_file
    }

    /// Of a file that was not read, or not to its end: it proves nothing.
    pub fn unread(sha256: String) -> Self {
        Self {
            signed: false,
            intact: false,
            covers_whole_file: false,
            signer_name: None,
            signed_at: None,
            trusted: Trust::Unknown,
            certificate_number: None,
            sha256,
            problems: Vec::new(),
            signatures: Vec::new(),
        }
    }
}

/// Verifies a document against `roots` at the time `at`. Never fails: what cannot be read is
/// reported as not intact.
pub fn verify(pdf: &[u8], roots: &[Certificate], at: DateTime<Utc>) -> VerifyReport {
    let mut report = VerifyReport::unread(hex::encode(Sha256::digest(pdf)));
    match pdf::load(pdf) {
        Ok(document) => examine(&document, pdf, roots, at, &mut report),
        Err(error) => report.problems.push(format!("not a readable PDF document: {error}")),
    }
    report
}

/// The attached `data.json` of a document, without any check of its signature.
pub fn attached_json(pdf: &[u8]) -> Option<Vec<u8>> {
    pdf::attached_data(&pdf::load(pdf).ok()?)
}

fn examine(document: &Document, file: &[u8], roots: &[Certificate], at: DateTime<Utc>, report: &mut VerifyReport) {
    report.certificate_number = number(document);
    let mut values = signature_values(document);
    if values.is_empty() {
        report.problems.push("the document is not signed".to_owned());
        return;
    }
    values.sort_by_key(|value| byte_range(value).map(|[.., from, length]| from.saturating_add(length)));
    report.signatures = values.iter().map(|value| examine_one(value, file, roots, at)).collect();
    summarise(report);
}

fn summarise(report: &mut VerifyReport) {
    let Some(last) = report.signatures.last() else {
        return;
    };
    report.signed = true;
    report.covers_whole_file = last.covers_whole_file;
    report.signer_name = last.signer.clone();
    report.signed_at = last.signed_at;
    report.intact = report.signatures.iter().all(|s| s.intact);
    let all = |trust| report.signatures.iter().all(|s| s.trusted == trust);
    report.trusted = if !report.intact || report.signatures.iter().any(|s| s.trusted == Trust::Untrusted) {
        Trust::Untrusted
    } else if all(Trust::Trusted) {
        Trust::Trusted
    } else {
        Trust::Unknown
    };
    report.problems.extend(report.signatures.iter().flat_map(|s| s.problems.clone()));
    if !report.covers_whole_file {
        report.problems.push("the document was added to after the last signature".to_owned());
    }
}

fn number(document: &Document) -> Option<String> {
    let json: serde_json::Value = serde_json::from_slice(&pdf::attached_data(document)?).ok()?;
    Some(json.get("number")?.as_str()?.to_owned())
}

fn signature_values(document: &Document) -> Vec<&Dictionary> {
    let fields = || {
        let form = pdf::dictionary(document, document.catalog().ok()?, b"AcroForm")?;
        form.get_deref(b"Fields", document).ok()?.as_array().ok()
    };
    fields().into_iter().flatten().take(MAX_SIGNATURES).filter_map(|field| signature_value(document, field)).collect()
}

fn signature_value<'a>(document: &'a Document, field: &'a Object) -> Option<&'a Dictionary> {
    let (_, field) = document.dereference(field).ok()?;
    let field = field.as_dict().ok()?;
    let kind = field.get(b"FT").and_then(Object::as_name).ok()?;
    (kind == b"Sig").then(|| pdf::dictionary(document, field, b"V")).flatten()
}

fn byte_range(value: &Dictionary) -> Option<[usize; 4]> {
    let list = value.get(b"ByteRange").and_then(Object::as_array).ok()?;
    let numbers: Vec<usize> = list.iter().filter_map(|n| usize::try_from(n.as_i64().ok()?).ok()).collect();
    <[usize; 4]>::try_from(numbers).ok().filter(|_| list.len() == 4)
}

fn examine_one(value: &Dictionary, file: &[u8], roots: &[Certificate], at: DateTime<Utc>) -> SignatureReport {
    let text = |key: &[u8]| value.get(key).ok().and_then(pdf::text);
    let mut report = SignatureReport {
        signer: None,
        signed_at: text(b"M").and_then(|date| parse_date(&date)),
        reason: text(b"Reason"),
        intact: false,
        covers_whole_file: false,
        trusted: Trust::Unknown,
        problems: Vec::new(),
    };
    match check(value, file, &mut report) {
        Ok(checked) => {
            report.intact = true;
            report.signer = Some(chain::common_name(&checked.signer));
            let signed_at = report.signed_at.unwrap_or(at);
            let (trusted, problems) = chain::trust(&checked.signer, &checked.others, roots, signed_at, at);
            report.trusted = trusted;
            report.problems.extend(problems);
        }
        Err(problem) => {
            report.trusted = Trust::Untrusted;
            report.problems.push(problem);
        }
    }
    report
}

fn check(value: &Dictionary, file: &[u8], report: &mut SignatureReport) -> Result<cms::VerifiedSignature, String> {
    let kind = value.get(b"SubFilter").and_then(Object::as_name);
    if kind.map_err(|e| e.to_string())? != b"ETSI.CAdES.detached" {
        return Err("the signature is not of the kind ETSI.CAdES.detached".to_owned());
    }
    let range = byte_range(value).ok_or("the byte range is malformed")?;
    let (before, gap, after) = split(file, range).ok_or("the byte range does not lie in the file")?;
    report.covers_whole_file = before.len() + gap.len() + after.len() == file.len();
    let bytes = unwrap_hex(gap)?;
    let contents = value.get(b"Contents").and_then(Object::as_str);
    if contents.map_err(|e| e.to_string())? != bytes {
        return Err("the byte range does not leave out the signature value".to_owned());
    }
    cms::check(der_value(&bytes)?, &[before, after])
}

/// The covered bytes before the gap, the gap, and the covered bytes after it.
fn split(file: &[u8], [start, length, from, rest]: [usize; 4]) -> Option<(&[u8], &[u8], &[u8])> {
    if start != 0 || from < length {
        return None;
    }
    let end = from.checked_add(rest)?;
    Some((file.get(..length)?, file.get(length..from)?, file.get(from..end)?))
}

/// Exactly `<`, hexadecimal digits in one case, `>`: anything looser would leave bytes of the
/// file that can be changed without being noticed.
fn unwrap_hex(gap: &[u8]) -> Result<Vec<u8>, String> {
    let digits = gap
        .strip_prefix(b"<")
        .and_then(|rest| rest.strip_suffix(b">"))
        .ok_or("the gap of the byte range holds more than the signature value")?;
    let bytes = hex::decode(digits).map_err(|e| format!("the signature value is not hexadecimal: {e}"))?;
    let canonical = digits == hex::encode_upper(&bytes).as_bytes() || digits == hex::encode(&bytes).as_bytes();
    if !canonical {
        return Err("the signature value is not canonical hexadecimal".to_owned());
    }
    Ok(bytes)
}

/// The DER value at the start; what follows must be zeros.
fn der_value(bytes: &[u8]) -> Result<&[u8], String> {
    let malformed = |e: der::Error| format!("the signature value is malformed: {e}");
    let mut reader = SliceReader::new(bytes).map_err(malformed)?;
    let header = der::Header::decode(&mut reader).map_err(malformed)?;
    let length =
        header.encoded_len().and_then(|head| head + header.length).and_then(usize::try_from).map_err(malformed)?;
    let (value, padding) = bytes.split_at_checked(length).ok_or("the signature value is cut off")?;
    if padding.iter().any(|byte| *byte != 0) {
        return Err("the padding of the signature value is not zero".to_owned());
    }
    Ok(value)
}

/// `D:YYYYMMDDHHmmSS+hh'mm'` or with `Z`.
fn parse_date(text: &str) -> Option<DateTime<Utc>> {
    let text = text.strip_prefix("D:")?;
    let (stamp, zone) = text.split_at_checked(14)?;
    let zone = match zone.replace('\'', "").as_str() {
        "" | "Z" | "Z0000" => "+0000".to_owned(),
        other => other.to_owned(),
    };
    DateTime::parse_from_str(&format!("{stamp}{zone}"), "%Y%m%d%H%M%S%z").ok().map(|time| time.to_utc())
}
