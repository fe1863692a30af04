//! Weighings.

use instrument_adapters::Parsed;
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
