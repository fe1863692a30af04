//! ANDI chromatography. The truth writes its binary numbers out to the last digit, so they are compared as
//! the binary numbers they are.

use instrument_adapters::Parsed;
use serde_json::Value;

use crate::support::{context, one};

pub fn check(parsed: &Parsed, truth: &Value) -> usize {
    let mut checked = 0;
    let rows = truth["rows"].as_array().unwrap();
    let meta = &truth["meta"];
    for row in rows {
        let peak = row["peak"].to_string();
        for (key, quantity) in [("rt", "retention_time"), ("area", "area"), ("height", "height"), ("amount", "amount")]
        {
            let fits = |o: &&instrument_adapters::Observation| o.quantity == quantity && context(o, "peak") == peak;
            let Some(wanted) = row[key].as_f64() else {
                assert!(!parsed.observations.iter().any(|o| fits(&o)), "{key}");
                continue;
            };
            let found = one(parsed, &format!("{row} {key}"), |o| fits(&o));
            let value: f32 = found.value.as_ref().unwrap().parse().unwrap();
            assert_eq!(value, wanted as f32, "{found:?}");
            assert_eq!(found.sample.as_deref(), meta["sample_name"].as_str());
            assert_eq!(found.analyte.as_deref().unwrap_or_default(), row["name"]);
            let written = match key {
                "rt" => meta["retention_unit"].as_str(),
                "height" => meta["detector_unit"].as_str(),
                "amount" => meta["peak_amount_unit"].as_str(),
                _ => None,
            };
            assert_eq!(found.unit_raw.as_deref().or(found.unit.as_deref()), written);
            checked += 1;
        }
    }
    assert_eq!(parsed.observations.iter().filter(|o| o.quantity == "area").count(), rows.len());
    let points: Vec<_> = parsed.observations.iter().filter(|o| o.quantity == "signal").collect();
    assert_eq!(points.len() as u64, meta["points"].as_u64().unwrap());
    let step: f32 = parsed.run["actual_sampling_interval"].as_str().unwrap().parse().unwrap();
    assert_eq!(step, meta["sampling_interval"].as_f64().unwrap() as f32);
    checked + points.len()
}
