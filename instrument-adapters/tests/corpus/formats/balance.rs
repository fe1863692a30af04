//! Weighings.

use instrument_adapters::{Parsed, Status};
use serde_json::Value;

use crate::support::{one, same};

pub fn check(parsed: &Parsed, truth: &Value) -> usize {
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

pub fn mt_sics(parsed: &Parsed, truth: &Value) -> usize {
    let rows = truth["rows"].as_array().unwrap();
    let mut checked = 0;
    for row in rows {
        let line = row["line"].as_u64().unwrap();
        let here = |o: &&instrument_adapters::Observation| o.locator.line.map(u64::from) == Some(line);
        if let Some(serial) = row.get("serial") {
            assert_eq!(parsed.run["instrument_serial"], *serial);
        } else if let Some(date) = row.get("date") {
            assert_eq!(parsed.run["date"], *date);
        } else if row["status"] == "syntax error" {
            assert!(parsed.problems.iter().any(|p| p.locator.line.map(u64::from) == Some(line)));
            assert!(!parsed.observations.iter().any(|o| here(&o)));
        } else {
            let found = parsed.observations.iter().find(here).unwrap();
            let status = row["status"].as_str().unwrap();
            if row.get("value").is_some() {
                assert!(same(found, &row["value"]), "{row}");
                assert_eq!(found.unit.as_deref(), row["unit"].as_str());
                assert!(row.get("raw").is_none_or(|r| *r == found.raw));
            } else {
                assert_eq!(found.value, None);
            }
            assert_eq!(found.status == Status::Ok, status.starts_with("stable"), "{row}");
        }
        checked += 1;
    }
    assert_eq!(parsed.observations.len(), 7);
    checked
}

pub fn osmometer(parsed: &Parsed, truth: &Value) -> usize {
    let rows = truth["rows"].as_array().unwrap();
    assert_eq!(parsed.observations.len(), rows.len());
    for (found, row) in parsed.observations.iter().zip(rows) {
        assert_eq!(found.sample.as_deref().unwrap_or_default(), row["sample"]);
        if row["type"] == "E" {
            assert_eq!((&found.value, found.status), (&None, Status::Invalid));
            assert_eq!(found.raw.replace('|', " "), row["error"]);
            continue;
        }
        assert!(same(found, &row["value"]));
        assert_eq!(found.unit_raw.as_deref(), row["unit"].as_str());
        assert_eq!(found.acquired_at.as_deref(), row["when"].as_str());
        assert!(row.get("serial").is_none_or(|s| *s == parsed.run["instrument_serial"]));
    }
    rows.len() * 5
}
