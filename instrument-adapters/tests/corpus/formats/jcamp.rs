//! JCAMP-DX. The truth reckons in binary floats, so its last digits are not ours.

use instrument_adapters::Parsed;
use serde_json::Value;

pub fn check(parsed: &Parsed, truth: &Value) -> usize {
    let values: Vec<f64> = parsed
        .observations
        .iter()
        .filter(|o| o.quantity == "signal")
        .map(|o| o.value.as_ref().unwrap().parse().unwrap())
        .collect();
    let near = |found: f64, wanted: &Value| {
        let wanted = wanted.as_f64().unwrap();
        assert!((found - wanted).abs() <= wanted.abs() * 1e-12, "{found} {wanted}");
    };
    let checks = &truth["checks"];
    assert_eq!(values.len() as u64, checks["points"].as_u64().unwrap());
    near(values.iter().copied().fold(f64::MIN, f64::max), &checks["max"]);
    near(values.iter().copied().fold(f64::MAX, f64::min), &checks["min"]);
    let rows = truth["rows"].as_array().unwrap();
    for row in rows {
        near(values[row["i"].as_u64().unwrap() as usize], &row["y"]);
    }
    let names = [("JCAMPDX", "jcamp_dx"), ("DATATYPE", "data_type")];
    for (key, wanted) in truth["meta"].as_object().unwrap() {
        let name = names.iter().find(|(theirs, _)| theirs == key).map_or(key.to_lowercase(), |(_, n)| (*n).to_owned());
        let wanted = wanted.as_str().filter(|t| !t.is_empty());
        assert_eq!(parsed.run.get(&name).and_then(Value::as_str), wanted, "{key}");
    }
    assert_eq!(checks["y_checks_failed"], 0);
    assert!(!parsed.is_blocked() && parsed.complete == Some(true), "{:?}", parsed.problems);
    if let Some(first) = parsed.run.get("firstx") {
        let x = parsed.observations[0].x.as_deref();
        assert_eq!(x, first.as_str());
        let last = parsed.observations.last().unwrap().x.as_deref();
        assert!(parsed.run.get("lastx").is_none_or(|wanted| wanted.as_str() == last));
    }
    rows.len() + values.len()
}
