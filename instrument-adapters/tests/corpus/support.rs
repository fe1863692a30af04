//! What the checks of the formats share.

use std::path::{Path, PathBuf};

use instrument_adapters::{AdapterSet, Observation, Options, Parsed, fs};
use rust_decimal::Decimal;
use serde_json::Value;

pub fn corpus() -> Option<PathBuf> {
    let dir = std::env::var_os("QIANFA_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/instrument-corpus"), PathBuf::from);
    if dir.is_dir() {
        return Some(dir);
    }
    println!("the folder of real instrument files is absent ({}); nothing read", dir.display());
    None
}

pub fn data_files(dir: &Path) -> Vec<PathBuf> {
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

pub fn read(set: &AdapterSet, path: &Path) -> Parsed {
    fs::parse_file(set, path, None, &Options::default()).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

pub fn truth(path: &Path) -> Option<Value> {
    let truth = path.with_file_name(format!("{}.truth.json", fs::file_name(path)));
    Some(serde_json::from_str(&std::fs::read_to_string(truth).ok()?).unwrap())
}

/// An independent conversion, by its path in the folder.
pub fn asm_of(file: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(corpus().unwrap().join(file)).unwrap()).unwrap()
}

/// A truth's number in exact decimals: a JSON number is taken by its digits, a text by the adapter's rule.
pub fn decimal(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::Number(n) => n.to_string(),
        Value::String(s) => s.clone(),
        _ => return None,
    };
    Decimal::from_scientific(&text).or_else(|_| text.parse()).ok()
}

pub fn same(observation: &Observation, wanted: &Value) -> bool {
    let found = observation.value.as_deref().and_then(|v| v.parse::<Decimal>().ok());
    match decimal(wanted) {
        Some(wanted) => found == Some(wanted),
        None => wanted.as_str() == Some(observation.raw.as_str()),
    }
}

/// The one observation that fits; more or fewer fail.
pub fn one<'a>(parsed: &'a Parsed, what: &str, fits: impl Fn(&Observation) -> bool) -> &'a Observation {
    let found: Vec<_> = parsed.observations.iter().filter(|o| fits(o)).collect();
    assert_eq!(found.len(), 1, "{what}");
    found[0]
}

pub fn context<'a>(o: &'a Observation, key: &str) -> &'a str {
    o.context.get(key).map_or("", String::as_str)
}
