//! The annex of plots: the document prints it with its captions, and the document stays what it has to be.

use std::process::Command;

use chrono::{DateTime, Utc};

use super::specimens::specimen;
use super::*;
use crate::plot::{Chromatogram, Peak, Trace, chromatogram};

fn created() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-03-30T02:00:00Z").expect("date").to_utc()
}

fn figure(n: u32) -> AnnexFigure {
    let height = |t: f64| 80.0 * (-(t - 3.2).powi(2) * 60.0).exp() + 20.0 * (-(t - 5.1).powi(2) * 60.0).exp();
    let points = (0..3000).map(|n| f64::from(n) * 0.003).map(|t| (t, height(t))).collect();
    let peak = |name: &str, at: f64, text: &str| Peak { name: name.into(), at, text: text.into(), trace: 0 };
    let svg = chromatogram(&Chromatogram {
        title: format!("SX20260001 · 进样 {n}"),
        desc: "3000 points".into(),
        x_label: "时间 Time (min)".into(),
        y_label: "信号 Signal (mAU)".into(),
        traces: vec![Trace { name: "UV_VIS_1".into(), points }],
        peaks: vec![peak("主成分 Principal", 3.2, "3.200"), peak("杂质A β", 5.1, "5.100")],
    });
    AnnexFigure {
        item: Bilingual::new("有关物质", "Related substances"),
        kind: "chromatogram".into(),
        file: "2026-03-11 序列_Nitisinone_related_substances_sequence.json".into(),
        sha256: "9f".repeat(32).into(),
        sample: "SX20260001".into(),
        injection: n.to_string().into(),
        signals: vec!["UV_VIS_1".into()],
        svg: svg.into(),
    }
}

fn tool(program: &str, args: &[&str]) -> Option<String> {
    match Command::new(program).args(args).output() {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(_) => {
            eprintln!("{program} is not installed: its check is left out");
            None
        }
    }
}

#[test]
fn plots_stand_in_the_annex_of_a_signed_document() {
    let ca = TestCa::create("示范药检院", &mut OsRng, created()).expect("test CA");
    let key = ca.signing_key().expect("key");
    let setter = Typesetter::new(None).expect("layouts");
    for kind in [CertificateKind::TestReport, CertificateKind::ImportReport, CertificateKind::LotRelease] {
        let mut data = specimen(kind);
        data.annex = vec![figure(1), figure(2), AnnexFigure { svg: String::new().into(), ..figure(3) }];
        let set = setter.set(&data, created()).expect("typeset");
        assert_eq!(set.warnings, "", "{kind:?}");
        let info =
            SignInfo { reason: "签发".into(), location: "示范市".into(), name: "张㛃".into(), time: created() };
        let pdf = sign(&set.pdf, &key, &info).expect("signed");
        let roots = certificates_from_pem(&ca.root_pem).expect("root");
        assert!(verify(&pdf, &roots, created()).is_unchanged(), "{kind:?}");
        let attached: CertificateData = serde_json::from_slice(&attached_json(&pdf).expect("attached")).expect("JSON");
        assert_eq!(attached.annex, data.annex);
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("document.pdf");
        std::fs::write(&path, &pdf).expect("written");
        let path = path.to_str().expect("path");
        if let Some(text) = tool("pdftotext", &[path, "-"]) {
            assert!(text.contains("附：图谱") && text.contains("该文件不含此样品的曲线"), "{kind:?}: {text}");
            assert_eq!(text.matches("以下空白").count(), 1, "{kind:?}");
            let (annex, end) = (text.find("附：图谱"), text.find("以下空白"));
            assert!(annex < end, "{kind:?}: what follows the end is not the document's");
            // Of a picture the words too are text: they can be found and read aloud.
            assert!(text.contains("3.200") && text.contains("9f9f9f9f"), "{kind:?}: {text}");
        }
        if let Some(text) = tool("pdfsig", &["-nocert", path]) {
            assert!(text.contains("Signature is Valid") && text.contains("Total document signed"), "{kind:?}: {text}");
        }
    }
}

#[test]
fn a_name_that_the_fonts_lack_has_its_substitute_in_a_picture_too() {
    let mut data = specimen(CertificateKind::TestReport);
    let mut one = figure(1);
    one.svg = one.svg.replace("主成分", "\u{10380}").into();
    data.annex = vec![one];
    let setter = Typesetter::new(None).expect("layouts");
    assert!(data.annex[0].svg.contains("[U+10380]"));
    setter.render(&data, created()).expect("the picture shows a substitute");
}
