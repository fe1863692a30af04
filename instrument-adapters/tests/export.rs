//! Every sample of every adapter as Allotrope Simple Model and CSV: nothing is lost, and the keys stand where the
//! published conversions have them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use instrument_adapters::export::{self, CsvOptions, ExportedFile, Technique};
use instrument_adapters::{AdapterSet, Options, Parsed};
use serde_json::Value;

fn samples() -> Vec<(String, Parsed)> {
    let set = AdapterSet::embedded();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("adapters");
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(root).expect("adapters").map(|e| e.expect("one").path()).collect();
    folders.sort();
    for folder in folders.iter().map(|folder| folder.join("samples")).filter(|folder| folder.is_dir()) {
        for file in std::fs::read_dir(folder).expect("samples").map(|e| e.expect("one").path()) {
            let name = file.file_name().expect("a name").to_string_lossy().into_owned();
            let bytes = std::fs::read(&file).expect("bytes");
            if let Ok(parsed) = set.parse(&name, &bytes, None, &Options::default()) {
                found.push((name, parsed));
            }
        }
    }
    assert!(found.len() >= 7, "{} samples", found.len());
    found
}

/// The digits of every number and the text of every string of a tree.
fn leaves(tree: &Value, into: &mut BTreeSet<String>) {
    match tree {
        Value::Object(map) => map.values().for_each(|value| leaves(value, into)),
        Value::Array(list) => list.iter().for_each(|value| leaves(value, into)),
        Value::Number(number) => {
            into.insert(number.to_string());
        }
        Value::String(text) => {
            into.insert(text.clone());
        }
        _ => {}
    }
}

#[test]
fn every_value_of_every_sample_is_in_both_with_its_own_digits() {
    for (name, parsed) in samples() {
        let described = ExportedFile { file_name: name.clone(), product: "P".into() };
        let json = export::asm(&parsed, &described).expect("ASM");
        let tree: Value = serde_json::from_slice(&json).expect("JSON");
        let mut said = BTreeSet::new();
        leaves(&tree, &mut said);
        let table = export::csv(&parsed, &CsvOptions::default()).expect("CSV");
        let rows = csv::Reader::from_reader(&table[..]).records().count();
        assert_eq!(rows, parsed.observations.len(), "{name}");
        for seen in &parsed.observations {
            let value = seen.value.clone().unwrap_or_else(|| seen.raw.clone());
            // JSON writes no leading zeros and no bare point; the digits are the same.
            let there = said.contains(&value) || said.contains(&seen.raw);
            assert!(there, "{name}: {value} of {} is not in the document", seen.quantity);
        }
        assert!(said.contains(&parsed.file_sha256), "{name}");
    }
}

/// Keys of a tree with their levels; the contents of custom information are the laboratory's own.
fn shape(tree: &Value, path: &str, into: &mut BTreeSet<String>) {
    match tree {
        Value::Object(map) => {
            for (key, value) in map {
                let path = format!("{path}/{key}");
                into.insert(path.clone());
                if key != "custom information document" {
                    shape(value, &path, into);
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| shape(value, path, into)),
        _ => {}
    }
}

fn shape_of(name_part: &str, technique: Technique) -> BTreeSet<String> {
    let mut shapes = BTreeSet::new();
    let mut met = 0;
    for (name, parsed) in samples() {
        if export::technique(&parsed) == technique && (name_part.is_empty() || parsed.adapter.contains(name_part)) {
            let described = ExportedFile { file_name: name, product: "P".into() };
            shape(&export::asm_tree(&parsed, &described), "", &mut shapes);
            met += 1;
        }
    }
    assert!(met > 0, "no sample of {technique:?}");
    shapes
}

fn has(shapes: &BTreeSet<String>, paths: &[&str]) {
    for path in paths {
        assert!(shapes.contains(*path), "no {path} in {shapes:#?}");
    }
}

#[test]
fn a_chromatographic_run_has_the_published_keys_at_their_levels() {
    let shapes = shape_of("chromeleon", Technique::LiquidChromatography);
    let measurement = "/liquid chromatography aggregate document/liquid chromatography document/measurement aggregate \
                       document/measurement document";
    let below = [
        "/measurement identifier",
        "/measurement time",
        "/sample document/sample identifier",
        "/device control aggregate document/device control document/device type",
        "/chromatography column document/chromatography column serial number",
        "/injection document/injection identifier",
        "/injection document/injection time",
        "/processed data aggregate document/processed data document/peak list/peak/identifier",
        "/processed data aggregate document/processed data document/peak list/peak/written name",
        "/processed data aggregate document/processed data document/peak list/peak/retention time/value",
        "/processed data aggregate document/processed data document/peak list/peak/retention time/unit",
        "/processed data aggregate document/processed data document/peak list/peak/peak area/value",
        "/processed data aggregate document/processed data document/peak list/peak/relative peak area/unit",
        "/chromatogram data cube/label",
        "/chromatogram data cube/cube-structure/dimensions/@componentDatatype",
        "/chromatogram data cube/cube-structure/dimensions/concept",
        "/chromatogram data cube/cube-structure/measures/unit",
        "/chromatogram data cube/data/dimensions",
        "/chromatogram data cube/data/measures",
    ];
    let paths: Vec<String> = below.iter().map(|end| format!("{measurement}{end}")).collect();
    has(&shapes, &paths.iter().map(String::as_str).collect::<Vec<_>>());
    has(
        &shapes,
        &[
            "/$asm.manifest",
            "/liquid chromatography aggregate document/device system document/device identifier",
            "/liquid chromatography aggregate document/data system document/file name",
            "/liquid chromatography aggregate document/data system document/ASM converter name",
            "/liquid chromatography aggregate document/data system document/ASM converter version",
        ],
    );
}

#[test]
fn plates_balances_and_photometers_have_documents_of_their_own() {
    let plate = shape_of("", Technique::PlateReader);
    let below = "/plate reader aggregate document/plate reader document/measurement aggregate document";
    for end in [
        "/container type",
        "/measurement document/absorbance/value",
        "/measurement document/sample document/location identifier",
    ] {
        has(&plate, &[&format!("{below}{end}")]);
    }
    let balance = shape_of("", Technique::Balance);
    let below = "/balance aggregate document/balance document/measurement aggregate document/measurement document";
    has(&balance, &[&format!("{below}/sample weight/value"), &format!("{below}/sample weight/unit")]);
    let photometer = shape_of("nanodrop", Technique::Spectrophotometry);
    let below = "/spectrophotometry aggregate document/spectrophotometry document/measurement aggregate document";
    has(&photometer, &[&format!("{below}/measurement document/sample document/sample identifier")]);
}

/// Where the folder of real files is at hand: the keys of an independent conversion stand in ours too.
#[test]
fn keys_of_independent_conversions_stand_at_the_same_levels() {
    let folder = std::env::var_os("QIANFA_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/instrument-corpus"), PathBuf::from);
    let Ok(formats) = std::fs::read_dir(&folder) else {
        eprintln!("no conversion was compared: the folder of real files is not here");
        return;
    };
    let set = AdapterSet::embedded();
    let mut compared = 0;
    for path in formats.flatten().flat_map(|e| std::fs::read_dir(e.path()).into_iter().flatten().flatten()) {
        let path = path.path();
        let Some(stem) = path.to_str().and_then(|p| p.strip_suffix(".asm.json")).map(PathBuf::from) else { continue };
        let main = ["json", "txt", "csv", "xlsx"].iter().map(|end| stem.with_extension(end)).find(|p| p.is_file());
        let Some(bytes) = main.as_ref().and_then(|main| std::fs::read(main).ok()) else { continue };
        let name = main.as_ref().and_then(|m| m.file_name()).expect("a name").to_string_lossy().into_owned();
        let Ok(parsed) = set.parse(&name, &bytes, None, &Options::default()) else { continue };
        let theirs: Value = serde_json::from_slice(&std::fs::read(&path).expect("bytes")).expect("JSON");
        let (mut own, mut other) = (BTreeSet::new(), BTreeSet::new());
        shape(&export::asm_tree(&parsed, &ExportedFile { file_name: name, product: "P".into() }), "", &mut own);
        shape(&theirs, "", &mut other);
        let root = |shapes: &BTreeSet<String>| {
            shapes.iter().any(|key| key.ends_with("aggregate document/data system document"))
        };
        assert!(root(&own) && root(&other), "{}", path.display());
        let common = own.intersection(&other).count();
        eprintln!("{}: {common} keys at the same levels, {} theirs, {} ours", stem.display(), other.len(), own.len());
        assert!(common >= 10, "{}: {own:#?}\n{other:#?}", path.display());
        compared += 1;
    }
    eprintln!("{compared} independent conversions compared");
}
