//! `qianfa certificate verify`: is this file, byte for byte, what was signed?

use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use crate::documents::{Trust, VerifyReport, certificates_from_pem, verify};

use super::place::{Installation, failure};
use super::{CommandError, CommandOutcome};
use crate::certificates::status_of;
use crate::clock::Clock;
use crate::vocabulary::CertificateState;

/// Where a data folder keeps the root certificates that it trusts.
const ROOTS: &str = "keys/root.pem";

/// Verifies the signature of a certificate.
#[derive(Debug, Clone, clap::Args)]
pub struct VerifyArgs {
    /// The signed PDF.
    pub file: PathBuf,
    /// Data folder: trusts its roots, and asks its database for the certificate's status.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Root certificates to trust (PEM), in place of those of the data folder.
    #[arg(long, value_name = "PEM")]
    pub roots: Option<PathBuf>,
    /// The status that the certificate must have by the database of the data folder (issued, superseded, withdrawn).
    #[arg(long, value_name = "STATUS", value_parser = expected)]
    pub expect_status: Option<CertificateState>,
    /// One JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

/// What is printed with `--json`; fields are added, never renamed.
#[derive(Debug, Serialize)]
struct Printed<'a> {
    signed: bool,
    intact: bool,
    covers_whole_file: bool,
    signer: Option<&'a str>,
    signed_at: Option<String>,
    trusted: Trust,
    status: &'a str,
    number: Option<&'a str>,
    sha256: &'a str,
    problems: &'a [String],
}

/// Verifies a file at the time `at`. `status_lookup` is given the file's SHA-256, and answers the state of the
/// certificate issued as that file where a database is in use. Success only where the document is unchanged since it was
/// signed, its one signature is trusted by the given roots, and its status is the expected one where one is expected.
pub fn run(
    args: &VerifyArgs,
    at: DateTime<Utc>,
    status_lookup: &dyn Fn(&str) -> Option<CertificateState>,
    out: &mut dyn Write,
) -> Result<CommandOutcome, CommandError> {
    let pdf = read(&args.file, "file")?;
    let roots = match roots_file(args) {
        Some((path, field)) => certificates_from_pem(&read_text(&path, field)?)
            .map_err(|e| error("roots_unusable", format!("{}: {e}", path.display()), field))?,
        None => Vec::new(),
    };
    let mut report = verify(&pdf, &roots, at);
    let state = status_lookup(&report.sha256);
    let status = state.map_or("unknown", CertificateState::as_str);
    let problems = doubts(&report, roots.is_empty(), args.expect_status, state);
    let in_order = report.is_unchanged() && report.trusted == Trust::Trusted && problems.is_empty();
    report.problems.extend(problems);
    if args.json { print_json(&report, status, out) } else { print_text(&report, status, out) }
        .map_err(|e| error("output", e.to_string(), "out"))?;
    Ok(if in_order { CommandOutcome::Success } else { CommandOutcome::Refusal })
}

/// Why an unchanged document is not to be relied on all the same.
fn doubts(
    report: &VerifyReport,
    rootless: bool,
    expected: Option<CertificateState>,
    state: Option<CertificateState>,
) -> Vec<String> {
    let mut found = Vec::new();
    if report.signatures.len() > 1 {
        found.push(format!("it has {} signatures; what was issued here has one", report.signatures.len()));
    }
    if report.signed && rootless {
        found.push("the signer is unknown: no root certificates were given (--roots, --data)".to_owned());
    } else if report.is_unchanged() && report.trusted != Trust::Trusted {
        found.push("the signer is not trusted by the given root certificates".to_owned());
    }
    if let Some(expected) = expected.filter(|expected| state != Some(*expected)) {
        let status = state.map_or("unknown", CertificateState::as_str);
        found.push(format!("its status is {status}, not {expected}"));
    }
    found
}

fn expected(word: &str) -> Result<CertificateState, String> {
    let words = [CertificateState::Issued, CertificateState::Superseded, CertificateState::Withdrawn];
    let found = words.into_iter().find(|state| state.as_str() == word);
    found.ok_or_else(|| "expected issued, superseded or withdrawn".to_owned())
}

/// The roots asked for; those of a data folder only where it has some.
fn roots_file(args: &VerifyArgs) -> Option<(PathBuf, &'static str)> {
    match (&args.roots, &args.data) {
        (Some(path), _) => Some((path.clone(), "roots")),
        (None, Some(folder)) => {
            let path = folder.join(ROOTS);
            path.is_file().then_some((path, "data"))
        }
        (None, None) => None,
    }
}

fn error(code: &'static str, message: String, field: &str) -> CommandError {
    CommandError { code, message, field: Some(field.to_owned()) }
}

fn read(path: &Path, field: &str) -> Result<Vec<u8>, CommandError> {
    std::fs::read(path).map_err(|e| error("file_unreadable", format!("{}: {e}", path.display()), field))
}

fn read_text(path: &Path, field: &str) -> Result<String, CommandError> {
    String::from_utf8(read(path, field)?).map_err(|_| {
        let message = format!("{}: expected PEM text", path.display());
        error("roots_unusable", message, field)
    })
}

fn signed_at(report: &VerifyReport) -> Option<String> {
    report.signed_at.map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

fn print_json(report: &VerifyReport, status: &str, out: &mut dyn Write) -> std::io::Result<()> {
    let printed = Printed {
        signed: report.signed,
        intact: report.intact,
        covers_whole_file: report.covers_whole_file,
        signer: report.signer_name.as_deref(),
        signed_at: signed_at(report),
        trusted: report.trusted,
        status,
        number: report.certificate_number.as_deref(),
        sha256: &report.sha256,
        problems: &report.problems,
    };
    serde_json::to_writer_pretty(&mut *out, &printed)?;
    writeln!(out)
}

fn print_text(report: &VerifyReport, status: &str, out: &mut dyn Write) -> std::io::Result<()> {
    let yes = |value: bool| if value { "是 yes" } else { "否 no" };
    let trusted = match report.trusted {
        Trust::Trusted => "是 yes",
        Trust::Untrusted => "否 no",
        Trust::Unknown => "未知 unknown",
    };
    let or_dash = |text: Option<&str>| text.unwrap_or("—").to_owned();
    let number = or_dash(report.certificate_number.as_deref());
    let signer = or_dash(report.signer_name.as_deref());
    let time = or_dash(signed_at(report).as_deref());
    writeln!(out, "编号 number            {number}")?;
    writeln!(out, "已签名 signed          {}", yes(report.signed))?;
    writeln!(out, "完好 intact            {}", yes(report.intact))?;
    let whole = yes(report.covers_whole_file);
    writeln!(out, "覆盖全文 whole file    {whole}")?;
    writeln!(out, "签名者 signer          {signer}")?;
    writeln!(out, "签名时间 signed at     {time}")?;
    writeln!(out, "可信 trusted           {trusted}")?;
    writeln!(out, "状态 status            {status}")?;
    writeln!(out, "SHA-256                {}", report.sha256)?;
    for problem in &report.problems {
        writeln!(out, "问题 problem           {problem}")?;
    }
    Ok(())
}

/// Verifies a file now, and asks the database of the data folder, where one is named, for its status.
pub fn run_here(args: &VerifyArgs, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    let at = Clock::system().now();
    let Some(data) = &args.data else { return run(args, at, &|_| None, out) };
    let place = Installation { data: Some(data.clone()), config: None };
    let (_, db) = place.to_look_at()?;
    let failed = std::cell::Cell::new(None);
    let lookup = |sha256: &str| match db.read(|conn| status_of(conn, sha256)) {
        Ok(status) => status,
        Err(error) => {
            failed.set(Some(failure(error)));
            None
        }
    };
    let outcome = run(args, at, &lookup, out)?;
    failed.take().map_or(Ok(outcome), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::{CertificateData, CertificateKind, OsRng, SignInfo, TestCa, Typesetter, sign};

    fn at() -> DateTime<Utc> {
        DateTime::from_timestamp(1_774_836_000, 0).expect("time")
    }

    fn data() -> CertificateData {
        let mut data =
            CertificateData { kind: CertificateKind::RawRecord, number: "R-1".into(), ..CertificateData::default() };
        data.institution.name.zh = "示范院".into();
        data.sample.name.zh = "示范片".into();
        data.sample.lot = "1".into();
        data.raw.push(Default::default());
        data
    }

    /// A data folder with a signed document and the demonstration root in it.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("folder");
        let ca = TestCa::create("示范院", &mut OsRng, at()).expect("test CA");
        ca.write(&folder.path().join("keys")).expect("written");
        let setter = Typesetter::new(None).expect("layouts");
        let plain = setter.render(&data(), at()).expect("typeset");
        let info = SignInfo { reason: String::new(), location: String::new(), name: "张三".to_owned(), time: at() };
        let pdf = sign(&plain, &ca.signing_key().expect("key"), &info).expect("signed");
        std::fs::write(folder.path().join("c.pdf"), pdf).expect("written");
        folder
    }

    fn verified(folder: &Path, json: bool) -> (CommandOutcome, String) {
        let args = VerifyArgs {
            file: folder.join("c.pdf"),
            data: Some(folder.to_owned()),
            roots: None,
            expect_status: None,
            json,
        };
        let lookup = |sha256: &str| (sha256.len() == 64).then_some(CertificateState::Issued);
        let mut out = Vec::new();
        let outcome = run(&args, at(), &lookup, &mut out).expect("verified");
        (outcome, String::from_utf8(out).expect("text"))
    }

    #[test]
    fn a_signed_document_is_described_in_the_public_fields() {
        let folder = folder();
        let (outcome, text) = verified(folder.path(), true);
        assert!(matches!(outcome, CommandOutcome::Success));
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let fields: Vec<&String> = value.as_object().expect("object").keys().collect();
        let expected = [
            "signed",
            "intact",
            "covers_whole_file",
            "signer",
            "signed_at",
            "trusted",
            "status",
            "number",
            "sha256",
            "problems",
        ];
        assert_eq!(fields.len(), expected.len());
        assert!(expected.iter().all(|name| value.get(name).is_some()), "{text}");
        assert_eq!(value["trusted"], true);
        assert_eq!(value["status"], "issued");
        assert_eq!(value["number"], "R-1");
        assert_eq!(value["signed_at"], "2026-03-30T02:00:00Z");
        let (_, text) = verified(folder.path(), false);
        assert!(text.contains("R-1") && text.contains("issued"), "{text}");
    }

    #[test]
    fn a_changed_file_is_a_refusal_and_a_missing_one_an_error() {
        let folder = folder();
        let path = folder.path().join("c.pdf");
        let mut pdf = std::fs::read(&path).expect("read");
        pdf[2000] ^= 1;
        std::fs::write(&path, pdf).expect("written");
        let (outcome, text) = verified(folder.path(), true);
        assert!(matches!(outcome, CommandOutcome::Refusal));
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_ne!(value["problems"], serde_json::json!([]));

        let args = VerifyArgs {
            file: folder.path().join("absent.pdf"),
            data: None,
            roots: None,
            expect_status: None,
            json: true,
        };
        let refused = run(&args, at(), &|_| None, &mut Vec::new());
        let failure = refused.expect_err("refused");
        assert_eq!(failure.code, "file_unreadable");
        assert_eq!(failure.field.as_deref(), Some("file"));
    }

    #[test]
    fn only_what_given_roots_trust_and_has_the_expected_status_succeeds() {
        let folder = folder();
        let told = |data: bool, expect_status: Option<CertificateState>, state: CertificateState| {
            let data = data.then(|| folder.path().to_owned());
            let args = VerifyArgs { file: folder.path().join("c.pdf"), data, roots: None, expect_status, json: true };
            let mut out = Vec::new();
            let outcome = run(&args, at(), &|_| Some(state), &mut out).expect("verified");
            (outcome == CommandOutcome::Success, String::from_utf8(out).expect("text"))
        };
        let issued = CertificateState::Issued;
        assert!(told(true, None, issued).0);
        assert!(told(true, Some(issued), issued).0);
        let (success, text) = told(true, Some(issued), CertificateState::Withdrawn);
        assert!(!success && text.contains("its status is withdrawn"), "{text}");
        let (success, text) = told(false, None, issued);
        assert!(!success && text.contains("signer is unknown"), "{text}");
        // Roots of somebody else.
        let other = TestCa::create("别的机构", &mut OsRng, at()).expect("test CA");
        let (root, _) = other.write(&folder.path().join("other")).expect("written");
        let file = folder.path().join("c.pdf");
        let args = VerifyArgs { file, data: None, roots: Some(root), expect_status: None, json: true };
        let mut out = Vec::new();
        assert_eq!(run(&args, at(), &|_| None, &mut out).expect("verified"), CommandOutcome::Refusal);
        assert!(String::from_utf8_lossy(&out).contains("not trusted"));
    }

    #[test]
    fn a_second_signature_is_a_problem() {
        let folder = folder();
        let path = folder.path().join("c.pdf");
        let pdf = std::fs::read(&path).expect("read");
        let ca = TestCa::create("别的机构", &mut OsRng, at()).expect("test CA");
        let info = SignInfo { reason: String::new(), location: String::new(), name: "李四".to_owned(), time: at() };
        std::fs::write(&path, sign(&pdf, &ca.signing_key().expect("key"), &info).expect("signed")).expect("written");
        let (outcome, text) = verified(folder.path(), true);
        assert!(outcome == CommandOutcome::Refusal && text.contains("2 signatures"), "{text}");
    }
}
