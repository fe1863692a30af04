//! The folder of real instrument files, where it is present: every truth value by value, and no
//! file of another format taken.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use instrument_adapters::{AdapterSet, Observation, Options, Parsed, Status, fs};
use rust_decimal::Decimal;
use serde_json::Value;

const SUPPORTED: [&str; 6] = [
    "agilent-chemstation-report",
    "thermo-chromeleon-json",
    "perkinelmer-totalchrom",
    "moldev-softmax-pro",
    "thermo-nanodrop",
    "SPEC-balance-sartorius-sbi",
];

fn corpus() -> Option<PathBuf> {
    let dir = std::env::var_os("QIANFA_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/instrument-corpus"), PathBuf::from);
    if dir.is_dir() {
        return Some(dir);
    }
    println!("the folder of real instrument files is absent ({}); nothing read", dir.display());
    None
}

fn data_files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| {
            let name = fs::file_name(p);
            p.is_file() && ![".md", ".truth.json", ".asm.json"].iter().any(|e| name.ends_with(e))
        })
        .collect();
    files.sort();
    files
}

fn read(set: &AdapterSet, path: &Path) -> Parsed {
    fs::parse_file(set, path, None, &Options::default()).unwrap_or_else(|e| panic!("{}: {e}", path.display())).parsed
}

fn truth(path: &Path) -> Option<Value> {
    let truth = path.with_file_name(format!("{}.truth.json", fs::file_name(path)));
    Some(serde_json::from_str(&std::fs::read_to_string(truth).ok()?).unwrap())
}

/// A truth's number in exact decimals: a JSON number is taken by its digits, a text by the adapter's rule.
fn decimal(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::Number(n) => n.to_string(),
        Value::String(s) => s.clone(),
        _ => return None,
    };
    Decimal::from_scientific(&text).or_else(|_| text.parse()).ok()
}

fn same(observation: &Observation, wanted: &Value) -> bool {
    let found = observation.value.as_deref().and_then(|v| v.parse::<Decimal>().ok());
    match decimal(wanted) {
        Some(wanted) => found == Some(wanted),
        None => wanted.as_str() == Some(observation.raw.as_str()),
    }
}

/// The one observation that fits; more or fewer fail.
fn one<'a>(parsed: &'a Parsed, what: &str, fits: impl Fn(&Observation) -> bool) -> &'a Observation {
    let found: Vec<_> = parsed.observations.iter().filter(|o| fits(o)).collect();
    assert_eq!(found.len(), 1, "{what}");
    found[0]
}

fn context<'a>(o: &'a Observation, key: &str) -> &'a str {
    o.context.get(key).map_or("", String::as_str)
}

/// Peaks of a chromatography report: columns of the truth → quantities.
fn check_peaks(parsed: &Parsed, truth: &Value, names: &[(&str, &str)]) -> usize {
    let mut checked = 0;
    for row in truth["rows"].as_array().unwrap() {
        let peak = row["peak"].to_string();
        for (key, quantity) in names {
            if row.get(*key).is_none() {
                continue;
            }
            let found = one(parsed, &format!("{row} {key}"), |o| {
                o.quantity == *quantity
                    && o.status != Status::NotDetected
                    && o.sample.as_deref() == row["sample"].as_str()
                    && row.get("signal").is_none_or(|s| s.as_str() == Some(context(o, "signal")))
                    && context(o, "peak") == peak
            });
            assert!(same(found, &row[*key]), "{row} {key}: {found:?}");
            if let Some(raw) = row.get(format!("{key}_raw")) {
                assert_eq!(raw.as_str(), Some(found.raw.as_str()));
            }
            if let Some(unit) = row.get(format!("{key}_unit")) {
                let written = found.unit_raw.as_ref().or(found.unit.as_ref());
                assert_eq!(unit.as_str(), written.map(String::as_str));
            }
            if let Some(kind) = row.get("type") {
                assert_eq!(kind.as_str(), Some(context(found, "peak_type")));
            }
            checked += 1;
        }
    }
    let areas = |o: &&Observation| o.quantity == "area" && o.status == Status::Ok;
    let rows = truth["row_count"].as_u64().unwrap();
    assert_eq!(parsed.observations.iter().filter(areas).count() as u64, rows);
    checked
}

fn check_groups(parsed: &Parsed, truth: &Value) -> usize {
    let mut checked = 0;
    for row in truth["rows"].as_array().unwrap() {
        let well = row.get("Wells").or(row.get("Well")).unwrap();
        for (column, wanted) in row.as_object().unwrap() {
            let text = wanted.as_str().unwrap();
            if text.is_empty() || ["group", "Sample", "Wells", "Well", "Sample#"].contains(&column.as_str()) {
                continue;
            }
            let of_row = |o: &Observation| {
                context(o, "group") == row["group"]
                    && context(o, "well") == *well
                    && o.sample.as_deref() == row["Sample"].as_str()
            };
            if column == "R" {
                let result = one(parsed, column, |o| of_row(o) && o.quantity == "concentration");
                assert_eq!(result.status, Status::OverRange);
                assert_eq!(result.flags, [text]);
            } else {
                let name = column.split(' ').next().unwrap();
                let found = one(parsed, &format!("{row} {column}"), |o| of_row(o) && context(o, "column") == name);
                assert!(same(found, wanted) && found.raw == text, "{row} {column}: {found:?}");
                if let Some((_, unit)) = column.split_once(' ') {
                    assert_eq!(found.unit.as_deref(), Some(unit));
                }
            }
            checked += 1;
        }
    }
    for (name, wanted) in truth["meta"].as_object().unwrap() {
        let found = one(parsed, name, |o| o.quantity == "summary" && context(o, "name") == name);
        assert_eq!(Some(found.raw.as_str()), wanted.as_str());
        checked += 1;
    }
    checked
}

fn check_chromeleon(parsed: &Parsed, truth: &Value) -> usize {
    let quantities: BTreeMap<&str, &str> = [
        ("start time", "start_time"),
        ("end time", "end_time"),
        ("area", "area"),
        ("height", "height"),
        ("relative peak area", "area_percent"),
        ("relative peak height", "height_percent"),
        ("peak width at 5 % of height", "peak_width_at_5_of_height"),
        ("asymmetry factor measured at 5 % height", "asymmetry"),
        ("retention time", "retention_time"),
        ("relative retention time", "relative_retention_time"),
    ]
    .into();
    let mut checked = 0;
    for row in truth["rows"].as_array().unwrap() {
        let number = row["inj_no"].to_string();
        for (key, quantity) in &quantities {
            let fits = |o: &Observation| {
                o.quantity == *quantity
                    && o.sample.as_deref() == row["injection"].as_str()
                    && o.analyte.as_deref() == row["name"].as_str()
                    && context(o, "injection_number") == number
                    && context(o, "signal") == row["signal"]
                    && context(o, "sample_type") == row["type"]
            };
            if row[*key].is_null() {
                assert!(!parsed.observations.iter().any(fits), "{key}");
                continue;
            }
            let found = one(parsed, &format!("{row} {key}"), fits);
            assert_eq!(found.raw, row[*key].to_string());
            assert!(same(found, &row[*key]));
            checked += 1;
        }
    }
    checked
}

fn check_nanodrop(parsed: &Parsed, truth: &Value) -> usize {
    let mut checked = 0;
    for row in truth["rows"].as_array().unwrap() {
        let of_row = |o: &Observation| o.sample.as_deref() == row["sample"].as_str();
        let find = |quantity: &str, key: &str, value: &str| {
            one(parsed, &format!("{row} {quantity}"), |o| {
                of_row(o) && o.quantity == quantity && (key.is_empty() || context(o, key) == value)
            })
        };
        let concentration = find("concentration", "", "");
        assert_eq!(Some(concentration.raw.as_str()), row["raw"].as_str());
        assert!(same(concentration, &row["value"]));
        assert_eq!(concentration.unit.as_deref(), row["unit"].as_str());
        for (key, wavelength) in [("a1", "260"), ("a2", "280")] {
            let found = find("absorbance", "wavelength", wavelength);
            assert_eq!(Some(found.raw.as_str()), row[key].as_str());
        }
        let ratio = find("formula_value", "formula_name", "260/280");
        assert_eq!(Some(ratio.raw.as_str()), row["ratio_raw"].as_str());
        assert_eq!(ratio.value.is_none(), ratio.raw == "NaN");
        checked += 5;
    }
    checked
}

fn check_balance(parsed: &Parsed, truth: &Value) -> usize {
    let rows = truth["rows"].as_array().unwrap();
    assert_eq!(parsed.observations.len(), rows.len());
    for row in rows {
        let line = row["line"].as_u64();
        let found = one(parsed, "line", |o| o.locator.line.map(u64::from) == line);
        assert!(same(found, &row["value"]));
        assert_eq!(found.unit.as_deref(), row["unit"].as_str());
    }
    rows.len() * 2
}

#[test]
fn every_truth_is_met() {
    let Some(corpus) = corpus() else { return };
    let set = AdapterSet::embedded();
    let (mut files, mut truths, mut values) = (0, 0, 0);
    for format in SUPPORTED {
        for path in data_files(&corpus.join(format)) {
            let parsed = read(&set, &path);
            files += 1;
            let Some(truth) = truth(&path) else { continue };
            truths += 1;
            let checked = match format {
                "agilent-chemstation-report" => check_peaks(
                    &parsed,
                    &truth,
                    &[
                        ("rt_min", "retention_time"),
                        ("width_min", "peak_width"),
                        ("area", "area"),
                        ("height", "height"),
                        ("area_pct", "area_percent"),
                    ],
                ),
                "perkinelmer-totalchrom" => check_peaks(
                    &parsed,
                    &truth,
                    &[
                        ("rt_min", "retention_time"),
                        ("area", "area"),
                        ("height", "height"),
                        ("area_pct", "area_percent"),
                    ],
                ),
                "moldev-softmax-pro" => check_groups(&parsed, &truth),
                "thermo-chromeleon-json" => check_chromeleon(&parsed, &truth),
                "thermo-nanodrop" => check_nanodrop(&parsed, &truth),
                _ => check_balance(&parsed, &truth),
            };
            assert!(checked > 0);
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
    let mut folders: Vec<PathBuf> = std::fs::read_dir(&corpus)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_dir() && !SUPPORTED.contains(&fs::file_name(p).as_str()))
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
        for name in [name.as_str(), "a.txt", "a.csv", "a.json", "a.TX0", "REPORT01.CSV"] {
            let detection = set.detect(name, &bytes);
            assert!(detection.candidates.is_empty(), "{}: {:?}", path.display(), detection.candidates);
        }
        refused += 1;
    }
    println!("{refused} files of other formats refused");
    assert!(refused > 30);
}

/// Property on the real files: cut anywhere beyond trailing blanks, never complete.
#[test]
fn cut_files_are_never_complete() {
    let Some(corpus) = corpus() else { return };
    let set = AdapterSet::embedded();
    for path in SUPPORTED.iter().flat_map(|f| data_files(&corpus.join(f))) {
        let name = fs::file_name(&path);
        let bytes = std::fs::read(&path).unwrap();
        let blank = |b: &u8| matches!(b, b' ' | b'\r' | b'\n' | b'\t' | 0);
        let solid = bytes.iter().rposition(|b| !blank(b)).map_or(0, |p| p + 1);
        // Large files at every 97th place and around their end.
        let step = if bytes.len() > 20_000 { 997 } else { 7 };
        let places = (0..solid).step_by(step).chain(solid.saturating_sub(80)..solid);
        for end in places {
            if let Ok(parsed) = set.parse(&name, &bytes[..end], None, &Options::default()) {
                assert_ne!(parsed.complete, Some(true), "{name} cut after {end} bytes");
            }
        }
    }
}
