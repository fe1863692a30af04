//! Documents of the Allotrope Simple Model as files to be read: those of their own folder, and the independent
//! conversions beside the files of other formats.

use std::collections::BTreeMap;
use std::path::PathBuf;

use instrument_adapters::{AdapterSet, Options, Parsed};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::asm::quantities;
use crate::support::{corpus, data_files};

/// The folder has no truth files: the document is its own.
pub fn check(_: &Parsed, _: &Value) -> usize {
    0
}

fn documents(corpus: &std::path::Path) -> Vec<PathBuf> {
    let mut files = data_files(&corpus.join("allotrope-asm-lc"));
    for folder in std::fs::read_dir(corpus).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()) {
        let inside = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
        files.extend(inside.filter(|p| p.to_string_lossy().ends_with(".asm.json")));
    }
    files.sort();
    files
}

/// Every quantity of every document is an observation at its path, or a setting in the context.
#[test]
fn every_quantity_is_found() {
    let Some(corpus) = corpus() else { return };
    let set = AdapterSet::embedded();
    let (mut files, mut observed, mut settings) = (0, 0, 0);
    for path in documents(&corpus) {
        let bytes = std::fs::read(&path).unwrap();
        let document: Value = serde_json::from_slice(&bytes).unwrap();
        let parsed = set.parse("document.json", &bytes, None, &Options::default()).unwrap();
        assert_eq!((parsed.adapter.as_str(), parsed.complete), ("allotrope-asm", Some(true)));
        assert!(!parsed.is_blocked(), "{:?}", parsed.problems);
        let at: BTreeMap<&str, _> =
            parsed.observations.iter().map(|o| (o.locator.path.as_deref().unwrap(), o)).collect();
        assert_eq!(at.len(), parsed.observations.len());
        for quantity in quantities(&document) {
            let mut place = String::from("$");
            for part in &quantity.path {
                place.push_str(&if part.parse::<usize>().is_ok() { format!("[{part}]") } else { format!(".{part}") });
            }
            let describes = ["device control", "data processing", "sample document", "injection document"];
            if describes.iter().any(|d| place.contains(d)) {
                assert!(!at.contains_key(format!("{place}.value").as_str()), "{place}");
                settings += 1;
                continue;
            }
            let found = at[format!("{place}.value").as_str()];
            if found.flags.is_empty() {
                assert_eq!(found.value.as_ref().unwrap().parse::<Decimal>().unwrap(), quantity.value, "{place}");
            } else {
                assert_eq!((quantity.value.is_zero(), &found.value), (true, &None), "{place}");
            }
            assert_eq!(found.unit_raw.as_ref().or(found.unit.as_ref()), Some(&quantity.unit), "{place}");
            observed += 1;
        }
        files += 1;
    }
    println!("{files} documents, {observed} quantities, {settings} settings");
    assert!(files >= 8 && observed > 600 && settings > 100, "{files} {observed} {settings}");
}
