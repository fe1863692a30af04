//! Noise and mutated samples: no reader panics, and every reading stays within its bounds.

use std::sync::LazyLock;

use instrument_adapters::embedded::ADAPTERS;
use instrument_adapters::{Adapter, AdapterSet, Options};
use proptest::prelude::*;

fn read_all(name: &str, bytes: &[u8]) {
    static SET: LazyLock<AdapterSet> = LazyLock::new(AdapterSet::embedded);
    let set = &*SET;
    let detection = set.detect(name, bytes);
    for candidate in &detection.candidates {
        let parsed = set.parse(name, bytes, Some(&candidate.adapter), &Options::default()).unwrap();
        assert!(parsed.problems.len() <= 210);
        assert!(parsed.observations.len() <= bytes.len() + 1);
        for observation in &parsed.observations {
            if let Some(value) = &observation.value {
                let digits = value.strip_prefix('-').unwrap_or(value);
                let plain = |c: char| c.is_ascii_digit() || c == '.';
                assert!(!digits.is_empty() && digits.chars().all(plain), "{value}");
                assert!(digits.starts_with(|c: char| c.is_ascii_digit()), "{value}");
            }
        }
    }
}

/// A change at one place of a sample.
#[derive(Debug, Clone)]
enum Change {
    Set(u8),
    Delete(usize),
    Repeat(usize),
    Insert(Vec<u8>),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        any::<u8>().prop_map(Change::Set),
        (1usize..200).prop_map(Change::Delete),
        (1usize..200).prop_map(Change::Repeat),
        prop::sample::select(vec![
            "\t",
            ",",
            "\"",
            "\r\n",
            "-",
            "1e99999",
            "Totals :",
            "~End",
            "Group: x\r\n",
            "]",
            "{",
            "\u{0}",
            "|",
            "\u{2}",
            "\u{3}",
            "<STX>",
            "MSH|^~\\&|",
            "\u{1c}",
        ])
        .prop_map(|s| Change::Insert(s.as_bytes().to_vec())),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Change::Insert),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn noise_is_read_by_nobody_or_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        for name in ["a.txt", "a.csv", "a.json", "a.TX0", "REPORT01.CSV", "a.xlsx"] {
            read_all(name, &bytes);
        }
    }

    #[test]
    fn mutated_samples_never_panic(
        adapter in 0..ADAPTERS.len(),
        sample in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), change()), 1..6),
    ) {
        let files = &ADAPTERS[adapter];
        let sample = &files.samples[sample.index(files.samples.len())];
        let mut bytes = sample.bytes.to_vec();
        for (place, change) in changes {
            if bytes.is_empty() { break; }
            let at = place.index(bytes.len());
            match change {
                Change::Set(byte) => bytes[at] = byte,
                Change::Delete(n) => { bytes.drain(at..(at + n).min(bytes.len())); }
                Change::Repeat(n) => {
                    let part = bytes[at..(at + n).min(bytes.len())].to_vec();
                    bytes.splice(at..at, part);
                }
                Change::Insert(new) => { bytes.splice(at..at, new); }
            }
        }
        read_all(sample.name, &bytes);
    }

    #[test]
    fn a_declaration_is_read_or_refused(text in ".{0,400}") {
        let _ = Adapter::from_toml(&text);
    }
}

/// Limits stop a reading with a problem, and a part is never called whole.
#[test]
fn limits_end_in_a_problem() {
    let files = ADAPTERS.iter().find(|a| a.id == "thermo-nanodrop").unwrap();
    let bytes = files.samples.iter().find(|s| s.name.ends_with("mrna.txt")).unwrap().bytes;
    for (limit, code) in
        [("cells = 3", "limit_cells"), ("lines = 1", "limit_lines"), ("line_length = 20", "limit_lines")]
    {
        let text = files.declaration.replace("bytes = 16_000_000", limit);
        assert_ne!(text, files.declaration);
        let dir = tempfile::tempdir().unwrap();
        // Loading from a folder demands passing samples, so the adapter is asked alone.
        let adapter = Adapter::from_toml(&text).unwrap();
        assert!(adapter.recognises("a.txt", bytes).is_ok());
        std::fs::write(dir.path().join("adapter.toml"), &text).unwrap();
        std::fs::create_dir(dir.path().join("samples")).unwrap();
        std::fs::write(dir.path().join("samples/a.txt"), bytes).unwrap();
        let report = AdapterSet::embedded().self_test(Some(dir.path())).unwrap();
        assert!(!report[0].passed());
        let read =
            instrument_adapters::fs::explain_with(&adapter, &dir.path().join("samples/a.txt"), &Options::default())
                .unwrap();
        assert_eq!(read.parsed.complete, Some(false));
        assert!(read.parsed.problems.iter().any(|p| p.code == code), "{:?}", read.parsed.problems);
    }
    let text = files.declaration.replace("bytes = 16_000_000", "bytes = 10");
    assert!(Adapter::from_toml(&text).unwrap().recognises("a.txt", bytes).is_err());
}

/// JSON nested beyond reason is refused by the parser's own depth limit.
#[test]
fn depth_is_limited() {
    let mut text = String::from("{\"sequence\": {}, \"injections\": ");
    text.push_str(&"[".repeat(100_000));
    let set = AdapterSet::embedded();
    let parsed = set.parse("deep.json", text.as_bytes(), None, &Options::default()).unwrap();
    assert_eq!(parsed.complete, Some(false));
    assert_eq!(parsed.problems[0].code, "limit_depth");
}
