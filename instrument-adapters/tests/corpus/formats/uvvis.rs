//! Thermo photometers.

use instrument_adapters::{Observation, Parsed};
use serde_json::Value;

use crate::support::{context, one, same};

pub fn check(parsed: &Parsed, truth: &Value) -> usize {
    let mut checked = 0;
    for row in truth["rows"].as_array().unwrap() {
        let sample = row.get("sample").or_else(|| row.get("Sample Name")).and_then(Value::as_str);
        for (key, wanted) in row.as_object().unwrap() {
            let (quantity, wavelength) = match (key.as_str(), key.split_once(" nm")) {
                ("sample" | "Sample Name", _) => continue,
                (_, Some((wavelength, _))) => ("absorbance", wavelength),
                (other, None) => (if other.eq_ignore_ascii_case("result") { "result" } else { other }, ""),
            };
            let fits = |o: &Observation| {
                o.sample.as_deref() == sample && o.quantity == quantity && context(o, "wavelength") == wavelength
            };
            let found = one(parsed, &format!("{row} {key}"), fits);
            assert!(same(found, wanted) || found.raw == *wanted, "{row} {key}: {found:?}");
            checked += 1;
        }
    }
    assert_eq!(parsed.observations.len(), checked);
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    checked
}
