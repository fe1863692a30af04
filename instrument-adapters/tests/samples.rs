//! The embedded adapters against their own samples, and every sample against every cut.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use instrument_adapters::embedded::ADAPTERS;
use instrument_adapters::{AdapterSet, Companion, Options};

/// The sample's companions, as the file system would give them.
fn options(set: &AdapterSet, files: &instrument_adapters::embedded::AdapterFiles, name: &str) -> Options {
    let wanted = set.get(files.id).unwrap().companion_names(name);
    let companions = files
        .samples
        .iter()
        .filter(|f| wanted.iter().any(|w| w.eq_ignore_ascii_case(f.name)))
        .map(|f| Companion { name: f.name.to_owned(), bytes: f.bytes.to_vec() })
        .collect();
    Options { companions, ..Options::default() }
}

#[test]
fn every_declaration_is_readable() {
    let set = AdapterSet::try_embedded().unwrap();
    assert_eq!(set.list().len(), ADAPTERS.len());
    for (summary, files) in set.list().iter().zip(ADAPTERS) {
        assert_eq!(summary.id, files.id);
    }
}

#[test]
fn samples_read_as_expected_and_rejects_do_not_pass() {
    let reports = AdapterSet::embedded().self_test(None).unwrap();
    let failures: Vec<_> = reports.iter().flat_map(|r| r.failures()).collect();
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(reports.iter().map(|r| r.cases.len()).sum::<usize>() > 40);
}

#[test]
fn the_list_holds_every_file_of_the_folders() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("adapters");
    let names = |dir: &Path| -> BTreeSet<String> {
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    };
    let listed: BTreeSet<String> = ADAPTERS.iter().map(|a| a.id.to_owned()).collect();
    assert_eq!(names(&root), listed);
    for files in ADAPTERS {
        let list = |files: &[instrument_adapters::embedded::SampleFile]| -> BTreeSet<String> {
            files.iter().map(|f| f.name.to_owned()).collect()
        };
        let dir = root.join(files.id);
        assert_eq!(names(&dir.join("samples")), list(files.samples));
        assert_eq!(names(&dir.join("rejects")), list(files.rejects));
        assert_eq!(names(&dir.join("expected")).len(), files.samples.len());
    }
}

/// Bytes that remain when trailing blanks are taken off, in the sample's own encoding.
fn solid_length(bytes: &[u8]) -> usize {
    let wide = bytes.starts_with(&[0xff, 0xfe]);
    let mut end = bytes.len();
    loop {
        let tail = &bytes[..end];
        end -= match tail {
            [.., b' ' | b'\r' | b'\n' | b'\t', 0] if wide => 2,
            [.., b' ' | b'\r' | b'\n' | b'\t'] if !wide => 1,
            _ => return end,
        };
    }
}

/// Property: a file cut anywhere is never complete, and no cut makes a reading panic.
#[test]
fn a_cut_file_is_never_complete() {
    let set = AdapterSet::embedded();
    let (mut cuts, mut proven) = (0, 0);
    for files in ADAPTERS {
        for sample in files.samples {
            let options = options(&set, files, sample.name);
            let whole = set.parse(sample.name, sample.bytes, None, &options).unwrap();
            proven += usize::from(whole.complete == Some(true));
            // Where the whole proves nothing, a few cuts show that a part does not either.
            let proves = whole.complete == Some(true);
            let solid = solid_length(sample.bytes);
            for end in (0..solid).filter(|end| proves || end % 29 == 0 || solid - end < 40) {
                cuts += 1;
                // A cut head is nobody's file, which is an answer too.
                if let Ok(parsed) = set.parse(sample.name, &sample.bytes[..end], Some(files.id), &options) {
                    assert_ne!(parsed.complete, Some(true), "{} cut after {end} bytes", sample.name);
                }
            }
        }
    }
    assert!(cuts > 35_000 && proven >= 20, "{cuts} cuts, {proven} proven");
}

/// A number that lost its end to a cut is not passed on as a number.
#[test]
fn a_cut_number_is_no_number() {
    let set = AdapterSet::embedded();
    let adapter = "agilent-chemstation-report";
    let name = "SX20260001_related_Report.TXT";
    let bytes = instrument_adapters::embedded::sample(adapter, name).unwrap();
    let text: String = char::decode_utf16(bytes[2..].chunks(2).map(|c| u16::from_le_bytes([c[0], c[1]])))
        .map(Result::unwrap)
        .collect();
    let place = text.find("2489.04712").unwrap() + 4;
    let chars = text[..place].chars().count();
    let parsed = set.parse(name, &bytes[..2 + 2 * chars], None, &Options::default()).unwrap();
    let last = parsed.observations.last().unwrap();
    assert_eq!((last.raw.as_str(), &last.value), ("2489", &None));
    assert_eq!(parsed.complete, Some(false));
}

#[test]
fn curves_can_be_left_out() {
    let set = AdapterSet::embedded();
    for (adapter, name) in [
        ("thermo-chromeleon-json", "SX20260001_sequence.json"),
        ("moldev-softmax-pro", "kinetic_time_format.txt"),
        ("thermo-nanodrop", "nanodrop_eight_rna.txt"),
    ] {
        let bytes = instrument_adapters::embedded::sample(adapter, name).unwrap();
        let points = |curves| {
            let options = Options { curves, ..Options::default() };
            let parsed = set.parse(name, bytes, None, &options).unwrap();
            parsed.observations.iter().filter(|o| o.x.is_some()).count()
        };
        assert!(points(true) > 0, "{name}");
        assert_eq!(points(false), 0, "{name}");
    }
}

/// The register's word on the order of dates stands before the adapter's silence.
#[test]
fn an_ambiguous_date_is_settled_by_the_register() {
    use instrument_adapters::DateOrder;
    let set = AdapterSet::embedded();
    let name = "blank_comma.TX0";
    let bytes = instrument_adapters::embedded::sample("perkinelmer-totalchrom", name).unwrap();
    let read = |date_order| {
        let options = Options { date_order, zone: Some("+08:00".into()), ..Options::default() };
        let parsed = set.parse(name, bytes, None, &options).unwrap();
        parsed.observations[0].acquired_at.clone().unwrap()
    };
    assert_eq!(read(None), "03-04-2026 09:14:20");
    assert_eq!(read(Some(DateOrder::Mdy)), "2026-03-04T09:14:20+08:00");
    assert_eq!(read(Some(DateOrder::Dmy)), "2026-04-03T09:14:20+08:00");
}

#[test]
fn nobody_reads_what_is_not_theirs() {
    let set = AdapterSet::embedded();
    for bytes in [
        &b""[..],
        b"\xef\xbb\xbf",
        b"   \r\n\r\n",
        b"Sample,Result,Unit\r\n\"=HYPERLINK(\"\"http://example.invalid\"\")\",1.0,mg\r\n",
        b"<?xml version=\"1.0\"?><!DOCTYPE r [<!ENTITY a \"b\">]><r>&a;</r>",
        b"\x00\x01\x02\xff\xfe",
        b"PK\x03\x04",
    ] {
        for name in ["a.csv", "a.txt", "a.json", "a.xml", "Report.TXT", "REPORT01.CSV"] {
            assert!(set.parse(name, bytes, None, &Options::default()).is_err(), "{name}");
        }
    }
    let named = set.parse("a.txt", b"x", Some("sartorius-sbi"), &Options::default());
    assert!(named.is_err());
}

/// A companion that was not declared is refused by name, never read.
#[test]
fn undeclared_companions_are_refused() {
    let set = AdapterSet::embedded();
    let bytes = instrument_adapters::embedded::sample("agilent-chemstation-csv", "SX20260001_REPORT01.CSV").unwrap();
    let options = Options {
        companions: vec![Companion { name: "passwd".into(), bytes: b"root:x".to_vec() }],
        ..Options::default()
    };
    let parsed = set.parse("SX20260001_REPORT01.CSV", bytes, None, &options).unwrap();
    let codes: Vec<_> = parsed.problems.iter().map(|p| p.code.as_str()).collect();
    assert_eq!(codes, ["companion_undeclared", "companion_missing"]);
    assert!(parsed.observations.is_empty());
    let adapter = set.get("agilent-chemstation-csv").unwrap();
    assert_eq!(adapter.companion_names("SX20260001_REPORT01.CSV"), ["SX20260001_REPORT00.CSV"]);
    assert!(adapter.companion_names("..\\..\\x_REPORT01.CSV").is_empty());
}
