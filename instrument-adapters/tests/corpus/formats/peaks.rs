//! Peaks of printed chromatography reports.

use instrument_adapters::{Observation, Parsed, Status};
use serde_json::Value;

use crate::support::{context, one, same};

/// Peaks of a chromatography report: columns of the truth → quantities.
fn check(parsed: &Parsed, truth: &Value, names: &[(&str, &str)]) -> usize {
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

pub fn chemstation(parsed: &Parsed, truth: &Value) -> usize {
    let names = [
        ("rt_min", "retention_time"),
        ("width_min", "peak_width"),
        ("area", "area"),
        ("height", "height"),
        ("area_pct", "area_percent"),
    ];
    check(parsed, truth, &names)
}

pub fn totalchrom(parsed: &Parsed, truth: &Value) -> usize {
    let names = [("rt_min", "retention_time"), ("area", "area"), ("height", "height"), ("area_pct", "area_percent")];
    check(parsed, truth, &names)
}

/// `RESULTS.CSV`, which names no sample, and `rteres.txt`.
pub fn msd(parsed: &Parsed, truth: &Value) -> usize {
    let names = [
        ("rt_min", "retention_time"),
        ("area", "area"),
        ("height", "height"),
        ("pct_max", "percent_of_largest"),
        ("pct_total", "area_percent"),
    ];
    let mut checked = 0;
    let rows = truth["rows"].as_array().unwrap();
    for row in rows {
        let peak = row["peak"].to_string();
        for (key, quantity) in names {
            let found = one(parsed, &format!("{row} {key}"), |o| o.quantity == quantity && context(o, "peak") == peak);
            assert!(same(found, &row[key]), "{row} {key}: {found:?}");
            assert_eq!(row["type"], context(found, "peak_type"));
            assert_eq!(found.sample.as_deref(), truth["meta"]["sample"].as_str());
            if let Some(file) = truth["meta"]["data_file"].as_str() {
                assert_eq!(found.injection.as_deref(), Some(file));
            }
            checked += 1;
        }
    }
    assert_eq!(parsed.observations.len(), rows.len() * names.len());
    assert!(!parsed.is_blocked());
    checked
}

pub fn openlab(parsed: &Parsed, truth: &Value) -> usize {
    let names = [
        ("rt_min", "retention_time"),
        ("width_min", "peak_width"),
        ("area", "area"),
        ("height", "height"),
        ("area_pct", "area_percent"),
    ];
    check(parsed, truth, &names)
}
