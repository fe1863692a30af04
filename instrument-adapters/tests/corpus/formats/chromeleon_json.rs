//! Chromeleon drawn as JSON.

use std::collections::BTreeMap;

use instrument_adapters::{Observation, Parsed};
use serde_json::Value;

use crate::support::{context, one, same};

pub fn check(parsed: &Parsed, truth: &Value) -> usize {
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
