//! The shipped layouts with little and with much to say: page numbers settle, nothing is lost, and
//! pages are used.

use chrono::{DateTime, Utc};
use lopdf::Document;

use super::specimens::specimen;
use super::*;

fn created() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-03-30T02:00:00Z").expect("date").to_utc()
}

/// Number of pages. A warning of the typesetter fails the test: a layout that does not converge
/// prints wrong page numbers.
fn pages(setter: &Typesetter, data: &CertificateData, what: &str) -> usize {
    let kind = data.kind;
    let set = match setter.set(data, created()) {
        Ok(set) => set,
        Err(error) => panic!("{kind:?}, {what}: {error}"),
    };
    assert_eq!(set.warnings, "", "{kind:?}, {what}");
    let document = Document::load_mem(&set.pdf).expect("read");
    document.get_pages().len()
}

fn setter() -> Typesetter {
    Typesetter::new(None).expect("layouts")
}

/// A row of two printed lines.
fn row(n: usize) -> PrintedResult {
    PrintedResult {
        item: Bilingual::new(format!("项目 {n}"), format!("Item {n}")),
        standard: "≤0.5%".into(),
        result: "0.2".into(),
        unit: "%".into(),
        verdict: PrintedVerdict::Pass,
        method: "通则 0512".into(),
        ..PrintedResult::default()
    }
}

/// The specimen with this many rows (tests, in a raw record).
fn with_rows(kind: CertificateKind, count: usize) -> CertificateData {
    let mut data = specimen(kind);
    if kind == CertificateKind::RawRecord {
        let test = data.raw.remove(0);
        data.raw = vec![test; count.clamp(1, 12)];
    } else {
        data.results = (0..count.max(1)).map(row).collect();
    }
    data
}

/// Unoptimised code sets fewer documents: one takes more than ten times as long there.
fn stride(optimised: usize, unoptimised: usize) -> usize {
    if cfg!(debug_assertions) { unoptimised } else { optimised }
}

#[test]
fn every_number_of_rows_converges() {
    let setter = setter();
    for kind in CertificateKind::ALL.iter().copied() {
        let mut before = 0;
        for count in (0..24).step_by(stride(1, 8)).chain([37]) {
            let now = pages(&setter, &with_rows(kind, count), &format!("{count} rows"));
            assert!(now >= before, "{kind:?}: {count} rows on {now} pages");
            before = now;
        }
        assert!(before > 1, "{kind:?}: {before}");
    }
}

#[test]
fn every_length_of_the_other_parts_converges() {
    let setter = setter();
    for kind in CertificateKind::ALL.iter().copied() {
        for length in (0..=40).step_by(stride(4, 40)) {
            let mut data = with_rows(kind, 3);
            let text = "样品在送检途中温度记录完整，未见异常。".repeat(length);
            data.sample.condition.clone_from(&text.as_str().into());
            data.remarks = vec!["备注一行。".into(); length];
            data.conclusion.review_opinion = Bilingual::new(&text, "");
            let provision = |n: usize| ProvisionFact {
                id: format!("P-{n}").into(),
                document: format!("第 {n} 号文件").into(),
                clause: "（十一）".into(),
                effect: "检验用量；检验时限".into(),
            };
            if let Some(decision) = &mut data.decision {
                decision.provisions = (0..length).map(provision).collect();
            }
            if let Some(refusal) = &mut data.refusal {
                refusal.reasons = vec![Bilingual::new(&text, "Reason."); length / 8 + 1];
            }
            pages(&setter, &data, &format!("{length} parts"));
        }
    }
}

#[test]
fn a_cell_longer_than_a_page_is_divided() {
    let mut data = with_rows(CertificateKind::TestReport, 2);
    data.results[1].standard = "溶液应澄清无色；如显浑浊，与对照液比较，不得更浓。".repeat(150).into();
    assert!(pages(&setter(), &data, "long cell") >= 3);
}

/// The texts of the pages, where the tool that reads them is installed.
fn texts(pdf: &[u8]) -> Option<Vec<String>> {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("document.pdf");
    std::fs::write(&path, pdf).expect("written");
    let output =
        std::process::Command::new("pdftotext").args(["-layout".as_ref(), path.as_os_str(), "-".as_ref()]).output();
    let Ok(output) = output else {
        eprintln!("pdftotext is not installed: the pages are not read");
        return None;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let pages = text.split_terminator('\u{c}').map(str::to_owned);
    Some(pages.collect())
}

#[test]
fn every_page_says_which_of_how_many_it_is() {
    let setter = setter();
    for kind in CertificateKind::ALL.iter().copied() {
        let data = with_rows(kind, 50);
        let pdf = setter.render(&data, created()).expect("typeset");
        let Some(pages) = texts(&pdf) else { return };
        assert!(pages.len() > 1, "{kind:?}");
        for (n, page) in pages.iter().enumerate() {
            let line = format!("Page {} of {}", n + 1, pages.len());
            assert!(page.contains(&line), "{kind:?}: {line} in {page}");
            assert!(page.contains(data.number.as_str()), "{kind:?}: page {}", n + 1);
        }
        let ends = pages.iter().filter(|page| page.contains("以下空白"));
        assert_eq!(ends.count(), 1, "{kind:?}");
        assert!(pages.last().is_some_and(|page| page.contains("以下空白")));
    }
}

#[test]
fn a_certificate_of_one_lot_takes_one_page() {
    let mut data = with_rows(CertificateKind::LotRelease, 4);
    data.amendment = None;
    // As certificates are composed: without the details of containers and of the laboratory's air.
    data.testing.deviations.clear();
    data.testing.environment.clear();
    data.testing.basis.truncate(1);
    if let Some(release) = &mut data.release {
        release.container.clear();
        release.doses_per_container.clear();
        release.containers.clear();
    }
    assert_eq!(pages(&setter(), &data, "four rows"), 1);
    let pdf = setter().render(&data, created()).expect("typeset");
    if let Some(texts) = texts(&pdf) {
        // The page shows who signed, when and what for beside the seal.
        for wanted in ["张㛃", "2026-03-30", "批准并签发", "批签发专用章"] {
            assert!(texts[0].contains(wanted), "{wanted}");
        }
    }
}

#[test]
fn what_is_empty_leaves_no_trace() {
    let mut data = with_rows(CertificateKind::TestReport, 2);
    data.sample.approval_number.clear();
    data.sample.strength.clear();
    data.testing.deviations.clear();
    data.results[0].result = "未检出".into();
    data.results[0].unit = "ppm".into();
    let pdf = setter().render(&data, created()).expect("typeset");
    if let Some(pages) = texts(&pdf) {
        let text = pages.concat();
        assert!(!text.contains("批准文号") && !text.contains("偏离"), "{text}");
        // What identifies the item is printed, with a dash where it is empty.
        assert!(text.contains("规格"), "{text}");
        assert!(!text.contains("ppm"), "{text}");
    }
}
