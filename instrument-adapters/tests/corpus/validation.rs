//! The records of the embedded adapters: validated is one whose real files with known values read right.
//!
//! `UPDATE_VALIDATION=2026-03-02 cargo test -p instrument-adapters --test corpus the_records` writes the records of
//! that day, with the folder of real files at hand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use instrument_adapters::embedded::ADAPTERS;
use instrument_adapters::{AdapterSet, AdapterStatus, Options, Validation, digest, fs};

use super::formats::FORMATS;
use super::support::{corpus, data_files, truth};

const HOW: &str = "look at what changed, then write the records anew with the folder of real files at hand:\n  \
                   UPDATE_VALIDATION=YYYY-MM-DD cargo test -p instrument-adapters --test corpus the_records";

/// What real files showed of an adapter.
#[derive(Default)]
struct Shown {
    files: usize,
    truths: usize,
    values: usize,
}

fn shown(set: &AdapterSet, corpus: &Path) -> BTreeMap<String, Shown> {
    let mut all: BTreeMap<String, Shown> = BTreeMap::new();
    let mut seen = Vec::new();
    for (folder, check) in FORMATS {
        for path in data_files(&corpus.join(folder)) {
            let Ok(read) = fs::parse_file(set, &path, None, &Options::default()) else { continue };
            if seen.contains(&path) {
                continue;
            }
            let one = all.entry(read.adapter.clone()).or_default();
            one.files += 1;
            if let Some(truth) = truth(&path) {
                // Panics where a value is not as the truth has it.
                one.values += check(&read, &truth);
                one.truths += 1;
            }
            seen.push(path);
        }
    }
    all
}

fn folder(id: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("adapters").join(id)
}

fn write(on: &str, set: &AdapterSet, corpus: &Path) {
    let shown = shown(set, corpus);
    for adapter in set.iter() {
        let found = fs::read_adapter(&folder(adapter.id())).unwrap();
        let path = folder(adapter.id()).join("validation.toml");
        let claims = found.declaration.lines().any(|line| line.trim() == "status = \"validated\"");
        let known = shown.get(adapter.id()).filter(|one| one.truths > 0 && claims);
        let Some(Shown { files, truths, values }) = known else {
            // A draft, or one without real files: no record stands for it.
            let _ = std::fs::remove_file(path);
            continue;
        };
        let digest = digest(&found.declaration, &found.cases, adapter.reader());
        let same = |old: &Validation| old.digest == digest;
        if found.validation.as_ref().is_ok_and(|old| old.as_ref().is_some_and(same)) {
            continue;
        }
        let record = Validation {
            by: "the project's tests".into(),
            on: on.to_owned(),
            against: Some(format!("{files} real files; of {truths} the values are known, and {values} were compared")),
            digest,
        };
        Validation::from_toml(&record.to_toml()).unwrap();
        std::fs::write(path, record.to_toml()).unwrap();
    }
}

/// Every embedded adapter that claims to be validated has a record of what it is now. Until one is refreshed its
/// adapter is a draft, which is safe; only this test minds.
#[test]
fn the_records_of_the_embedded_adapters_hold() {
    let set = AdapterSet::embedded();
    if let (Some(on), Some(corpus)) = (std::env::var_os("UPDATE_VALIDATION"), corpus()) {
        write(on.to_str().unwrap(), &set, &corpus);
    }
    // From the folders, not from the build: what was written just now counts.
    let mut stale = Vec::new();
    let mut validated = 0;
    for files in ADAPTERS {
        let standing = fs::read_adapter(&folder(files.id)).unwrap().standing().unwrap();
        validated += usize::from(standing.status == AdapterStatus::Validated);
        stale.extend(standing.reason.map(|why| format!("{}: {why}", files.id)));
    }
    assert!(stale.is_empty(), "{}\n{HOW}\nAn adapter without real files is a draft.", stale.join("\n"));
    assert!(validated >= 6, "{validated} of {} adapters are validated", ADAPTERS.len());
}
