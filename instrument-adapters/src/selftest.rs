//! An adapter's own proof: samples that must read as expected, rejects that must not pass.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::adapter::Adapter;
use crate::model::{Companion, Options, Parsed};

/// A file of `samples/` or `rejects/`.
#[derive(Debug, Clone)]
pub struct TestedFile {
    /// File name.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// `expected/<name>.json`, for samples.
    pub expected: Option<String>,
    /// True for a file of `rejects/`.
    pub reject: bool,
}

/// How one case went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseResult {
    /// `samples/<name>` or `rejects/<name>`.
    pub case: String,
    /// `Err` says what differs.
    pub outcome: Result<(), String>,
}

/// How an adapter's cases went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestReport {
    /// Its id, or the reason why the declaration could not be read.
    pub adapter: Result<String, String>,
    /// One entry a case.
    pub cases: Vec<CaseResult>,
}

impl TestReport {
    /// No case was run, for that reason.
    pub(crate) fn not_run(why: String) -> Self {
        Self { adapter: Err(why), cases: Vec::new() }
    }

    /// True where the declaration is readable, has a sample, and every case passed.
    pub fn passed(&self) -> bool {
        self.failures().is_empty()
    }

    /// What is wrong, one sentence each.
    pub fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        if let Err(why) = &self.adapter {
            failures.push(why.clone());
        } else if !self.cases.iter().any(|c| c.case.starts_with("samples/")) {
            failures.push("the adapter has no sample".into());
        }
        for case in &self.cases {
            if let Err(why) = &case.outcome {
                failures.push(format!("{}: {why}", case.case));
            }
        }
        failures
    }
}

/// Runs all cases of one adapter.
pub(crate) fn run(declaration: &str, cases: &[TestedFile]) -> TestReport {
    let adapter = match Adapter::from_toml(declaration) {
        Ok(adapter) => adapter,
        Err(why) => {
            return TestReport { adapter: Err(why.to_string()), cases: Vec::new() };
        }
    };
    let results = cases
        .iter()
        .map(|case| CaseResult {
            case: format!("{}/{}", if case.reject { "rejects" } else { "samples" }, case.name),
            outcome: if case.reject { reject(&adapter, case, cases) } else { sample(&adapter, case, cases) },
        })
        .collect();
    TestReport { adapter: Ok(adapter.id().to_owned()), cases: results }
}

fn read(adapter: &Adapter, case: &TestedFile, all: &[TestedFile]) -> Result<Parsed, String> {
    adapter.recognises(&case.name, &case.bytes)?;
    let wanted = adapter.companion_names(&case.name);
    let companions = all
        .iter()
        .filter(|c| c.reject == case.reject)
        .filter(|c| wanted.iter().any(|w| w.eq_ignore_ascii_case(&c.name)))
        .map(|c| Companion { name: c.name.clone(), bytes: c.bytes.clone() })
        .collect();
    let options = Options { companions, ..Options::default() };
    Ok(adapter.read(&case.name, &case.bytes, &options))
}

fn sample(adapter: &Adapter, case: &TestedFile, all: &[TestedFile]) -> Result<(), String> {
    let parsed = read(adapter, case, all).map_err(|why| format!("not recognised: {why}"))?;
    let Some(expected) = &case.expected else {
        return Err(format!("expected/{}.json is missing", case.name));
    };
    let expected: Value = serde_json::from_str(expected).map_err(|e| format!("expected/{}.json: {e}", case.name))?;
    let found = serde_json::to_value(&parsed).map_err(|e| e.to_string())?;
    match difference(&expected, &found, "$") {
        None => Ok(()),
        Some(difference) => Err(difference),
    }
}

/// A reject is refused, or blocked by an error. A whole file may be wrong: a word in the place of a number.
fn reject(adapter: &Adapter, case: &TestedFile, all: &[TestedFile]) -> Result<(), String> {
    match read(adapter, case, all) {
        Err(_) => Ok(()),
        Ok(parsed) if !parsed.is_blocked() => Err("was read without an error".into()),
        Ok(_) => Ok(()),
    }
}

/// The first place where two values differ.
fn difference(expected: &Value, found: &Value, path: &str) -> Option<String> {
    match (expected, found) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, value) in a {
                let path = format!("{path}.{key}");
                match b.get(key) {
                    None => return Some(format!("{path} is missing")),
                    Some(other) => {
                        if let Some(found) = difference(value, other, &path) {
                            return Some(found);
                        }
                    }
                }
            }
            b.keys().find(|k| !a.contains_key(*k)).map(|k| format!("{path}.{k} is not expected"))
        }
        (Value::Array(a), Value::Array(b)) => {
            let pairs = a.iter().zip(b).enumerate();
            pairs.into_iter().find_map(|(i, (a, b))| difference(a, b, &format!("{path}[{i}]"))).or_else(|| {
                (a.len() != b.len()).then(|| format!("{path}: {} entries expected, {} found", a.len(), b.len()))
            })
        }
        _ => (expected != found).then(|| format!("{path}: {expected} expected, {found} found")),
    }
}
