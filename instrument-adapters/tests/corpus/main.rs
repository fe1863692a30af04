//! The folder of real instrument files, where it is present: every truth value by value, and no
//! file taken by another format's adapter.

mod asm;
mod formats;
mod support;
mod table;
mod validation;

use instrument_adapters::{AdapterSet, Options, Status, fs};
use support::{corpus, data_files, one, read, same, truth};

use formats::FORMATS;

#[test]
fn every_truth_is_met() {
    let Some(corpus) = corpus() else { return };
    let set = AdapterSet::embedded();
    let (mut files, mut truths, mut values) = (0, 0, 0);
    for (format, check) in FORMATS {
        for path in data_files(&corpus.join(format)) {
            files += 1;
            if fs::file_name(&path).starts_with("INVALID") {
                let read = fs::parse_file(&set, &path, None, &Options::default());
                assert!(read.is_err() || read.is_ok_and(|r| r.is_blocked()), "{}", path.display());
                continue;
            }
            let parsed = read(&set, &path);
            let Some(truth) = truth(&path) else { continue };
            truths += 1;
            let checked = check(&parsed, &truth);
            // A sample set may have no results.
            assert!(checked > 0 || truth["row_count"] == 0, "{}", path.display());
            values += checked;
        }
    }
    println!("{files} files read, {truths} truths met in {values} values");
    assert!(truths >= 7 && values > 800, "{truths} {values}");
}

/// What the truth notes ask for beyond the values.
#[test]
fn warnings_and_missing_components_are_kept() {
    let Some(corpus) = corpus() else { return };
    let set = AdapterSet::embedded();
    for path in data_files(&corpus.join("perkinelmer-totalchrom")) {
        let parsed = read(&set, &path);
        let truth = truth(&path).unwrap();
        assert_eq!(parsed.run["sample_name"], truth["meta"]["sample"]);
        assert_eq!(parsed.run["data_acquisition_time"], truth["meta"]["acquired"]);
        for missing in truth["meta"]["missing_components"].as_array().unwrap() {
            let lost = one(&parsed, "missing", |o| {
                o.quantity == "area" && o.analyte.as_deref() == missing["component"].as_str()
            });
            assert_eq!((lost.status, &lost.value), (Status::NotDetected, &None));
            let time =
                one(&parsed, "expected", |o| o.quantity == "expected_retention_time" && o.analyte == lost.analyte);
            assert!(same(time, &missing["expected_rt"]));
        }
        assert!(parsed.is_blocked());
        assert!(parsed.problems.iter().any(|p| p.code == "ambiguous_date"));
    }
}

#[test]
fn other_formats_and_hostile_files_are_refused() {
    let Some(corpus) = corpus() else { return };
    let set = AdapterSet::embedded();
    let mut refused = 0;
    let mut folders: Vec<std::path::PathBuf> = std::fs::read_dir(&corpus)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir() && !FORMATS.iter().any(|(folder, _)| *folder == fs::file_name(p)))
        .collect();
    folders.sort();
    for path in folders.iter().flat_map(|f| data_files(f)) {
        let name = fs::file_name(&path);
        let bytes = std::fs::read(&path).unwrap();
        if name.starts_with("chemstation_truncated") {
            let parsed = read(&set, &path);
            assert_eq!(parsed.complete, Some(false));
            assert!(parsed.is_blocked());
            assert!(parsed.problems.iter().any(|p| p.locator.line.is_some()));
            continue;
        }
        // Neither under its own name nor under one that an adapter would like.
        for name in [name.as_str(), "a.txt", "a.csv", "a.json", "a.TX0", "REPORT01.CSV", "a.xlsx"] {
            let detection = set.detect(name, &bytes);
            assert!(detection.candidates.is_empty(), "{}: {:?}", path.display(), detection.candidates);
        }
        refused += 1;
    }
    println!("{refused} files of other formats refused");
    assert!(refused >= 6);
}

/// Property on the real files: cut anywhere beyond trailing blanks, never complete.
#[test]
fn cut_files_are_never_complete() {
    let Some(corpus) = corpus() else { return };
    let set = AdapterSet::embedded();
    for path in FORMATS.iter().flat_map(|(folder, _)| data_files(&corpus.join(folder))) {
        let name = fs::file_name(&path);
        let bytes = std::fs::read(&path).unwrap();
        let blank = |b: &u8| matches!(b, b' ' | b'\r' | b'\n' | b'\t' | 0);
        let solid = bytes.iter().rposition(|b| !blank(b)).map_or(0, |p| p + 1);
        // Large files at some places and around their end.
        let Ok(whole) = fs::parse_file(&set, &path, None, &Options::default()) else { continue };
        let proves = whole.complete == Some(true);
        let step = if bytes.len() > 20_000 || !proves { 997.max(bytes.len() / 40) } else { 7 };
        let tail = if bytes.len() > 200_000 { 20 } else { 80 };
        let places = (0..solid).step_by(step).chain(solid.saturating_sub(tail)..solid);
        for end in places {
            if let Ok(parsed) = set.parse(&name, &bytes[..end], Some(&whole.adapter), &Options::default()) {
                assert_ne!(parsed.complete, Some(true), "{name} cut after {end} bytes");
            }
        }
    }
}
