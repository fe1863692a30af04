//! The whole way of every kind of document: typeset, signed, verified, and tampered with.

use std::process::Command;

use chrono::{DateTime, Duration, Utc};
use x509_cert::Certificate;

use super::specimens::specimen;
use super::*;

fn created() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-03-30T02:00:00Z").expect("date").to_utc()
}

fn setter() -> Typesetter {
    Typesetter::new(None).expect("layouts")
}

fn info() -> SignInfo {
    SignInfo {
        reason: "批准并签发".to_owned(),
        location: "示范市".to_owned(),
        name: "张㛃".to_owned(),
        time: created(),
    }
}

struct Signed {
    plain: Vec<u8>,
    pdf: Vec<u8>,
    roots: Vec<Certificate>,
}

fn demonstration_ca() -> TestCa {
    TestCa::create("示范药检院, 一部", &mut OsRng, created()).expect("test CA")
}

fn signed(kind: CertificateKind) -> Signed {
    let ca = demonstration_ca();
    let plain = setter().render(&specimen(kind), created()).expect("typeset");
    let key = ca.signing_key().expect("key");
    Signed {
        pdf: sign(&plain, &key, &info()).expect("signed"),
        plain,
        roots: certificates_from_pem(&ca.root_pem).expect("root"),
    }
}

/// Runs a tool on a file with these bytes; None where the tool is not installed.
fn tool(pdf: &[u8], program: &str, args: &[&str]) -> Option<(bool, String)> {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("document.pdf");
    std::fs::write(&path, pdf).expect("written");
    let args: Vec<&str> = args.iter().map(|a| if *a == "FILE" { path.to_str().expect("path") } else { a }).collect();
    match Command::new(program).args(args).output() {
        Ok(output) => Some((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("{program} is not installed: its check is left out");
            None
        }
        Err(error) => panic!("{program}: {error}"),
    }
}

#[test]
fn every_kind_is_signed_and_verifies() {
    for kind in CertificateKind::ALL.iter().copied() {
        let document = signed(kind);
        assert!(document.pdf.starts_with(&document.plain));
        let report = verify(&document.pdf, &document.roots, created() + Duration::days(90));
        assert!(report.is_unchanged(), "{kind:?}: {report:?}");
        assert_eq!(report.trusted, Trust::Trusted, "{report:?}");
        assert_eq!(report.signed_at, Some(created()));
        assert_eq!(report.problems, Vec::<String>::new());
        assert_eq!(report.certificate_number, Some(specimen(kind).number.into()));
        let name = report.signer_name.expect("signer");
        assert!(name.contains("示范药检院, 一部"), "{name}");
    }
}

#[test]
fn the_attached_data_are_the_data() {
    let document = signed(CertificateKind::TestReport);
    let json = attached_json(&document.pdf).expect("attached");
    let read: CertificateData = serde_json::from_slice(&json).expect("JSON");
    assert_eq!(read, specimen(CertificateKind::TestReport));
}

#[test]
fn other_tools_agree() {
    for kind in CertificateKind::ALL.iter().copied() {
        let document = signed(kind);
        if let Some((_, out)) = tool(&document.pdf, "pdfsig", &["-nocert", "FILE"]) {
            assert!(out.contains("Signature is Valid"), "{kind:?}: {out}");
            assert!(out.contains("Total document signed"), "{kind:?}: {out}");
            assert!(out.contains("ETSI.CAdES.detached"), "{kind:?}: {out}");
        }
        if let Some((ok, out)) = tool(&document.pdf, "qpdf", &["--check", "FILE"]) {
            assert!(ok, "{kind:?}: {out}");
        }
        if let Some((ok, text)) = tool(&document.pdf, "pdftotext", &["FILE", "-"]) {
            assert!(ok);
            let data = specimen(kind);
            for wanted in [&data.number, &data.sample.name.zh, &data.institution.name.zh] {
                assert!(text.contains(wanted.as_str()), "{kind:?}: {wanted}");
            }
            if kind != CertificateKind::RawRecord {
                assert!(text.contains("张㛃"), "{kind:?}");
            }
            assert!(text.contains("Page 1 of"), "{kind:?}");
            assert!(text.contains("以下空白"), "{kind:?}");
        }
    }
    let report = signed(CertificateKind::TestReport);
    if let Some((_, text)) = tool(&report.pdf, "pdftotext", &["FILE", "-"]) {
        assert!(text.contains("王䶮"));
        assert!(text.contains("≤10³ cfu/g"));
    }
}

#[test]
fn the_qr_code_reads_as_the_verification_address() {
    let document = signed(CertificateKind::LotRelease);
    let folder = tempfile::tempdir().expect("folder");
    let pdf = folder.path().join("d.pdf");
    std::fs::write(&pdf, &document.pdf).expect("written");
    let page = folder.path().join("page");
    let drawn = Command::new("pdftoppm")
        .args(["-r", "150", "-png", "-f", "1", "-l", "1", "-singlefile"])
        .args([&pdf, &page])
        .output();
    let Ok(_) = drawn else {
        eprintln!("pdftoppm is not installed: the QR code is not read");
        return;
    };
    let read = Command::new("zbarimg").args(["-q", "--raw"]).arg(page.with_extension("png")).output();
    let Ok(read) = read else {
        eprintln!("zbarimg is not installed: the QR code is not read");
        return;
    };
    assert_eq!(String::from_utf8_lossy(&read.stdout).trim(), specimen(CertificateKind::LotRelease).verification.url);
}

#[test]
fn the_same_data_give_the_same_document() {
    let data = specimen(CertificateKind::ImportReport);
    let first = setter().render(&data, created()).expect("typeset");
    let second = setter().render(&data, created()).expect("typeset");
    assert_eq!(first, second);
}

/// Unoptimised code looks at fewer places: one verification takes a hundred times as long there.
fn stride(optimised: usize, unoptimised: usize) -> usize {
    if cfg!(debug_assertions) { unoptimised } else { optimised }
}

fn assert_flips_are_found(document: &Signed, spots: impl Iterator<Item = usize>) {
    let unchanged = |pdf: &[u8]| verify(pdf, &document.roots, created()).is_unchanged();
    let mut pdf = document.pdf.clone();
    for (n, at) in spots.enumerate() {
        // 0x20 is the case of a letter, also of a hexadecimal digit.
        let bit = [0x01, 0x20, 0x80, 0x02, 0x20, 0x10][n % 6];
        pdf[at] ^= bit;
        assert!(!unchanged(&pdf), "byte {at}, bit {bit:#x}");
        pdf[at] ^= bit;
    }
    assert!(unchanged(&pdf));
}

#[test]
fn a_flipped_byte_is_found_wherever_it_is() {
    let document = signed(CertificateKind::LotReleaseRefusal);
    let (typeset, all) = (document.plain.len(), document.pdf.len());
    let spots = (0..typeset).step_by(stride(397, 9973)).chain((typeset..all).step_by(stride(31, 997))).chain([all - 1]);
    assert_flips_are_found(&document, spots);
}

#[test]
fn every_byte_of_the_signature_value_counts() {
    let document = signed(CertificateKind::LotRelease);
    let start = find(&document.pdf, b"/Contents<3082").expect("contents") + 9;
    let length = document.pdf[start..].iter().position(|b| *b == b'>');
    let end = start + length.expect("end") + 1;
    // The value of a P-256 signature with one certificate takes about 2,300 digits; then zeros.
    let padding = start + 3000;
    let digits = (start..padding).step_by(stride(1, 53));
    let spots = digits.chain((padding..end).step_by(stride(501, 5003)));
    assert_flips_are_found(&document, spots.chain([end - 2, end - 1]));
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

#[test]
fn what_is_added_afterwards_is_found() {
    let document = signed(CertificateKind::TestReport);
    for tail in [b"\n".as_slice(), b"%", b"\n1 0 obj\n<<>>\nendobj\n"] {
        let mut pdf = document.pdf.clone();
        pdf.extend_from_slice(tail);
        let report = verify(&pdf, &document.roots, created());
        assert!(!report.covers_whole_file, "{tail:?}");
        assert!(!report.is_unchanged());
    }
    // A proper incremental update: a field is hidden after signing.
    let previous = lopdf::Document::load_mem(&document.pdf).expect("read");
    let mut update = lopdf::IncrementalDocument::create_from(document.pdf.clone(), previous);
    update.new_document.add_object(lopdf::Dictionary::new());
    let mut changed = Vec::new();
    update.save_to(&mut changed).expect("saved");
    let report = verify(&changed, &document.roots, created());
    assert!(report.signed && report.intact && !report.covers_whole_file);
    assert!(!report.problems.is_empty());
}

#[test]
fn a_second_signature_leaves_the_first_valid() {
    let document = signed(CertificateKind::TestReport);
    let other = TestCa::create("复核机构", &mut OsRng, created()).expect("test CA");
    let key = other.signing_key().expect("key");
    let again = SignInfo { time: created() + Duration::hours(1), ..info() };
    let twice = sign(&document.pdf, &key, &again).expect("co-signed");
    assert!(twice.starts_with(&document.pdf));
    let mut roots = document.roots.clone();
    roots.extend(certificates_from_pem(&other.root_pem).expect("root"));
    let report = verify(&twice, &roots, created() + Duration::days(1));
    assert!(report.is_unchanged(), "{report:?}");
    assert_eq!(report.trusted, Trust::Trusted);
    assert_eq!(report.signatures.len(), 2);
    assert!(!report.signatures[0].covers_whole_file && report.signatures[0].intact);
    assert!(report.signer_name.expect("signer").contains("复核机构"));
    // With only the first root, the document is not trusted.
    let report = verify(&twice, &document.roots, created() + Duration::days(1));
    assert_eq!(report.trusted, Trust::Untrusted);
    if let Some((_, out)) = tool(&twice, "pdfsig", &["-nocert", "FILE"]) {
        assert_eq!(out.matches("Signature is Valid").count(), 2, "{out}");
    }
}

#[test]
fn trust_depends_on_roots_and_dates() {
    let document = signed(CertificateKind::ImportReport);
    let trust = |roots: &[Certificate], at| verify(&document.pdf, roots, at).trusted;
    assert_eq!(trust(&[], created()), Trust::Unknown);
    let stranger = certificates_from_pem(&demonstration_ca().root_pem).expect("root");
    assert_eq!(trust(&stranger, created()), Trust::Untrusted);
    assert_eq!(trust(&document.roots, created() + Duration::days(20 * 365)), Trust::Unknown);
    let ca = TestCa::create("院", &mut OsRng, created() + Duration::days(30)).expect("test CA");
    let early = sign(&document.plain, &ca.signing_key().expect("key"), &info()).expect("signed");
    let roots = certificates_from_pem(&ca.root_pem).expect("root");
    assert_eq!(verify(&early, &roots, created() + Duration::days(60)).trusted, Trust::Untrusted);
}

#[test]
fn the_update_keeps_what_pdf_a_asks_for() {
    let document = signed(CertificateKind::LotRelease);
    let before = lopdf::Document::load_mem(&document.plain).expect("read");
    let after = lopdf::Document::load_mem(&document.pdf).expect("read");
    assert_eq!(before.trailer.get(b"ID").expect("ID"), after.trailer.get(b"ID").expect("ID"));
    let widget = after
        .objects
        .values()
        .filter_map(|o| o.as_dict().ok())
        .find(|d| d.get(b"Subtype").and_then(lopdf::Object::as_name).ok() == Some(b"Widget"))
        .expect("widget");
    assert_eq!(widget.get(b"F").and_then(lopdf::Object::as_i64).ok(), Some(4));
    let appearance = widget.get(b"AP").and_then(lopdf::Object::as_dict).expect("AP");
    assert!(appearance.get_deref(b"N", &after).expect("N").as_stream().is_ok());
    let rect = widget.get(b"Rect").and_then(lopdf::Object::as_array).expect("Rect");
    let width = rect[2].as_float().expect("x") - rect[0].as_float().expect("x");
    assert!(width > 100.0, "the field lies at the place of the seal");
    let key = widget.get(b"StructParent").expect("tagged").as_i64().expect("key");
    let tree = after
        .catalog()
        .and_then(|c| c.get_deref(b"StructTreeRoot", &after))
        .and_then(lopdf::Object::as_dict)
        .expect("tree");
    let parents = tree.get_deref(b"ParentTree", &after).and_then(lopdf::Object::as_dict);
    let numbers = parents.and_then(|p| p.get_deref(b"Nums", &after)).expect("Nums");
    let pairs = numbers.as_array().expect("array");
    let entry = pairs.chunks(2).find(|p| p[0].as_i64().ok() == Some(key)).expect("entry");
    let (_, element) = after.dereference(&entry[1]).expect("element");
    let kind = element.as_dict().expect("element").get(b"S").expect("S");
    assert_eq!(kind.as_name().expect("name"), b"Form");
    let metadata = after
        .objects
        .values()
        .filter_map(|o| o.as_stream().ok())
        .filter_map(|s| s.get_plain_content().ok())
        .find(|content| find(content, b"pdfaid:part").is_some())
        .expect("XMP");
    assert!(find(&metadata, b"3</pdfaid:part>").is_some() || find(&metadata, b"part=\"3\"").is_some());
}

#[test]
fn drafts_and_bad_data_are_refused() {
    let ca = demonstration_ca();
    let mut data = specimen(CertificateKind::TestReport);
    data.draft = true;
    let draft = setter().render(&data, created()).expect("a draft is typeset");
    let refused = sign(&draft, &ca.signing_key().expect("key"), &info());
    assert!(matches!(refused, Err(SignError::Draft)));

    let render = |change: fn(&mut CertificateData)| {
        let mut data = specimen(CertificateKind::TestReport);
        change(&mut data);
        setter().render(&data, created()).expect_err("refused").to_string()
    };
    assert_eq!(render(|d| d.signatory.name.clear()), "empty: signatory.name");
    assert!(render(|d| d.results[4].verdict = PrintedVerdict::Fail).contains("results[4]"));
    assert!(render(|d| d.verification.url = "x".repeat(4000).into()).contains("verification.url"));
    let refusal = |verdict| {
        let mut data = specimen(CertificateKind::LotReleaseRefusal);
        data.conclusion.verdict = verdict;
        setter().render(&data, created()).is_err()
    };
    assert!(refusal(PrintedVerdict::Pass) && refusal(PrintedVerdict::None));
}

/// What was kept before the fonts were asked, or what a file says, keeps no document from being made.
#[test]
fn data_with_a_character_that_the_fonts_lack_are_typeset_with_its_substitute() {
    let mut tree = serde_json::to_value(specimen(CertificateKind::TestReport)).expect("a tree");
    tree["results"][3]["item"]["zh"] = serde_json::json!("含量😀测定");
    tree["customer"]["address"] = serde_json::json!("某路\tཀ");
    let data: CertificateData = serde_json::from_value(tree).expect("data");
    assert_eq!(data.results[3].item.zh, "含量[U+1F600]测定");
    assert_eq!(data.customer.address, "某路    [U+0F40]");
    setter().render(&data, created()).expect("is typeset");
}

#[test]
fn a_laboratory_changes_a_layout_without_compiling() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("test_report.typ");
    std::fs::write(
        &path,
        "#import \"lib.typ\": *\n#let d = json(\"data.json\")\n\
         #show: certificate.with(d, \"本院报告\", \"Our report\")\n本院自有版式 #d.number",
    )
    .expect("written");
    let setter = Typesetter::new(Some(folder.path())).expect("layouts");
    let data = specimen(CertificateKind::TestReport);
    let pdf = setter.render(&data, created()).expect("typeset");
    if let Some((_, text)) = tool(&pdf, "pdftotext", &["FILE", "-"]) {
        assert!(text.contains("本院自有版式"), "{text}");
    }
    // Without a place for the seal the signature is there all the same.
    let ca = demonstration_ca();
    let signed = sign(&pdf, &ca.signing_key().expect("key"), &info()).expect("signed");
    assert!(verify(&signed, &[], created()).is_unchanged());

    std::fs::write(&path, "line one\n#unknown-thing()").expect("written");
    let setter = Typesetter::new(Some(folder.path())).expect("layouts");
    let error = setter.render(&data, created()).expect_err("refused").to_string();
    assert!(error.contains("test_report.typ line 2"), "{error}");
    std::fs::write(&path, [0xff, 0xfe]).expect("written");
    assert!(matches!(Typesetter::new(Some(folder.path())), Err(TemplateError::NotText(_))));
}

#[test]
fn unsigned_and_hostile_files_are_reported() {
    let plain = setter().render(&specimen(CertificateKind::TestReport), created()).expect("typeset");
    let report = verify(&plain, &[], created());
    assert!(!report.signed && !report.intact);
    assert_eq!(report.certificate_number.as_deref(), Some("YJ20260123"));
    for bytes in [b"".as_slice(), b"%PDF-1.7", b"not a pdf", &plain[..plain.len() / 2]] {
        let report = verify(bytes, &[], created());
        assert!(!report.is_unchanged() && !report.problems.is_empty());
    }
}
