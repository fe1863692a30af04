//! Draft and validated: who has checked an adapter, when, and whether it is still what was checked.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::selftest::TestedFile;
use crate::spec::AdapterStatus;

/// Raised when the common part of reading (numbers, dates, tables) comes to other values from the same file.
const READING: u32 = 2;

/// `validation.toml`: the record that a person has checked an adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validation {
    /// Who.
    pub by: String,
    /// When, as `YYYY-MM-DD`.
    pub on: String,
    /// Against what, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
    /// What was checked, see [`digest`].
    pub digest: String,
}

impl Validation {
    /// Reads a record.
    ///
    /// # Errors
    /// A sentence that names the line and the field.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        let read: Self = toml::from_str(text).map_err(|error| format!("validation.toml: {error}"))?;
        if read.by.trim().is_empty() {
            return Err("validation.toml: by: a name is expected".into());
        }
        if !is_date(&read.on) {
            return Err(format!("validation.toml: on: expected a date as YYYY-MM-DD, found {:?}", read.on));
        }
        Ok(read)
    }

    /// The text of the file.
    pub fn to_toml(&self) -> String {
        let line = |name: &str, value: &str| format!("{name} = {}\n", toml::Value::String(value.to_owned()));
        let mut text =
            String::from("# Written by `adapters validate`. Any change of the adapter makes it a draft again.\n");
        text.push_str(&line("by", &self.by));
        text.push_str(&line("on", &self.on));
        if let Some(against) = &self.against {
            text.push_str(&line("against", against));
        }
        text.push_str(&line("digest", &self.digest));
        text
    }
}

/// True for `YYYY-MM-DD`, a day that there is.
pub(crate) fn is_date(text: &str) -> bool {
    text.len() == 10 && chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

/// How far an adapter has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdapterStanding {
    /// Draft or validated.
    pub status: AdapterStatus,
    /// The record, where there is one that still holds.
    pub validation: Option<Validation>,
    /// Why it is a draft, where it says of itself that it is more.
    pub reason: Option<String>,
}

impl AdapterStanding {
    fn draft(reason: Option<String>) -> Self {
        Self { status: AdapterStatus::Draft, validation: None, reason }
    }
}

/// The standing of an adapter that declares `claims` and has that record, if any, of `digest`.
pub(crate) fn standing(
    claims: AdapterStatus,
    record: Result<Option<Validation>, String>,
    digest: impl FnOnce() -> String,
) -> AdapterStanding {
    match (claims, record) {
        (_, Err(why)) => AdapterStanding::draft(Some(why)),
        (AdapterStatus::Draft, Ok(None)) => AdapterStanding::draft(None),
        (AdapterStatus::Draft, Ok(Some(_))) => {
            AdapterStanding::draft(Some("adapter.toml says draft, whatever validation.toml says".into()))
        }
        (AdapterStatus::Validated, Ok(None)) => AdapterStanding::draft(Some(
            "adapter.toml says validated, and there is no validation.toml that says by whom".into(),
        )),
        (AdapterStatus::Validated, Ok(Some(record))) if record.digest == digest() => {
            AdapterStanding { status: AdapterStatus::Validated, validation: Some(record), reason: None }
        }
        (AdapterStatus::Validated, Ok(Some(record))) => {
            let reason = format!("changed since it was validated by {} on {}", record.by, record.on);
            AdapterStanding::draft(Some(reason))
        }
    }
}

/// SHA-256 over everything that decides what an adapter makes of a file and how that is proven: the declaration,
/// the samples, what is expected of them, the rejects, and the version of the reader.
///
/// Names and contents go in behind their lengths, so that no two folders give the same bytes.
pub fn digest(declaration: &str, cases: &[TestedFile], reader: &str) -> String {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    part(b"instrument-adapters");
    part(&READING.to_le_bytes());
    part(reader.as_bytes());
    part(&crate::readers::version(reader).to_le_bytes());
    part(declaration.as_bytes());
    let mut cases: Vec<&TestedFile> = cases.iter().collect();
    cases.sort_by(|a, b| (a.reject, &a.name).cmp(&(b.reject, &b.name)));
    for case in cases {
        part(if case.reject { b"reject" } else { b"sample" });
        part(case.name.as_bytes());
        part(&case.bytes);
        part(case.expected.as_deref().unwrap_or_default().as_bytes());
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str, bytes: &[u8], reject: bool) -> TestedFile {
        TestedFile { name: name.into(), bytes: bytes.to_vec(), expected: None, reject }
    }

    #[test]
    fn any_change_is_another_digest() {
        let base = digest("a", &[case("x", b"1", false)], "delimited");
        assert_eq!(base, digest("a", &[case("x", b"1", false)], "delimited"));
        for other in [
            digest("b", &[case("x", b"1", false)], "delimited"),
            digest("a", &[case("x", b"1", true)], "delimited"),
            digest("a", &[case("x", b"2", false)], "delimited"),
            digest("a", &[case("y", b"1", false)], "delimited"),
            digest("a", &[case("x", b"1", false)], "fixed_lines"),
            digest("a", &[case("x", b"1", false), case("y", b"", true)], "delimited"),
        ] {
            assert_ne!(base, other);
        }
        let two = [case("x", b"1", false), case("y", b"2", true)];
        let turned = [case("y", b"2", true), case("x", b"1", false)];
        assert_eq!(digest("a", &two, "d"), digest("a", &turned, "d"));
    }

    #[test]
    fn a_record_holds_until_something_changes() {
        let record = |digest: &str| {
            Ok(Some(Validation { by: "李".into(), on: "2026-03-02".into(), against: None, digest: digest.into() }))
        };
        let is = |record, now: &str| standing(AdapterStatus::Validated, record, || now.to_owned());
        assert_eq!(is(record("d"), "d").status, AdapterStatus::Validated);
        assert_eq!(is(record("d"), "e").reason.unwrap(), "changed since it was validated by 李 on 2026-03-02");
        assert!(is(Ok(None), "d").reason.is_some());
        assert_eq!(standing(AdapterStatus::Draft, record("d"), || "d".into()).status, AdapterStatus::Draft);
    }

    #[test]
    fn records_are_checked_and_written_as_they_are_read() {
        let record = Validation {
            by: "李 \"雷\"".into(),
            on: "2026-03-02".into(),
            against: Some("three reports".into()),
            digest: "00".into(),
        };
        assert_eq!(Validation::from_toml(&record.to_toml()).unwrap(), record);
        for wrong in ["", "by = ''\non = '2026-03-02'\ndigest = ''", "by = 'a'\non = '2026-02-30'\ndigest = ''"] {
            assert!(Validation::from_toml(wrong).is_err(), "{wrong}");
        }
    }
}
