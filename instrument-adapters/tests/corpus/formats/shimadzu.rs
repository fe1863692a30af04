//! Shimadzu ASCII conversion.

use instrument_adapters::{Observation, Parsed};
use serde_json::Value;

use crate::support::{context, one, same};

pub fn check(parsed: &Parsed, truth: &Value) -> usize {
    let mut checked = 0;
    let sample = truth["meta"]["Sample Information/Sample Name"].as_str();
    let rows = truth["rows"].as_array().unwrap();
    for row in rows {
        let compound = row["section"].as_str().unwrap().starts_with("Compound");
        let number = row["no"].to_string();
        let here = |o: &Observation| {
            o.sample.as_deref() == sample
                && context(o, "section") == row["section"]
                && context(o, if compound { "id" } else { "peak" }) == number
        };
        let name = row["name"].as_str().filter(|n| !n.is_empty());
        for (key, quantity) in
            [("rt", "retention_time"), ("area", "area"), ("height", "height"), ("conc", "concentration")]
        {
            let found = one(parsed, &format!("{row} {key}"), |o| here(o) && o.quantity == quantity);
            assert!(same(found, &row[key]) || found.raw == row[key], "{row} {key}: {found:?}");
            assert_eq!(found.analyte.as_deref(), name);
            assert_eq!(context(found, "mark"), row["mark"]);
            if key == "conc" {
                assert_eq!(found.raw, row["conc_raw"]);
            }
            checked += 1;
        }
    }
    let areas = parsed.observations.iter().filter(|o| o.quantity == "area").count();
    assert_eq!(areas as u64, truth["row_count"].as_u64().unwrap());
    let meta = truth["meta"].as_object().unwrap();
    for (key, name) in [
        ("Header/Application Name", "software"),
        ("Header/Version", "software_version"),
        ("Header/Data File Name", "data_file"),
        ("Header/Output Date", "output_date"),
        ("File Information/Modified", "modified"),
        ("Sample Information/Operator Name", "operator"),
        ("Sample Information/Acquired", "acquired"),
        ("Sample Information/Sample Type", "sample_type"),
        ("Sample Information/Sample Name", "sample_name"),
        ("Sample Information/Sample Amount", "sample_amount"),
        ("Sample Information/Dilution Factor", "dilution_factor"),
        ("Sample Information/Vial#", "vial"),
        ("Sample Information/Injection Volume", "injection_volume"),
    ] {
        assert_eq!(parsed.run[name], meta[key], "{key}");
        checked += 1;
    }
    for (key, wanted) in truth["checks"].as_object().unwrap() {
        let (section, key) = key.split_once('/').unwrap();
        let key = key.trim_start_matches("# ").to_lowercase().replace(' ', "_");
        assert_eq!(parsed.run["sections"][section][&key], *wanted, "{section} {key}");
        checked += 1;
    }
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    checked
}
