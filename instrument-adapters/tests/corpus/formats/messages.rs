//! Results that are sent as messages.

use instrument_adapters::Parsed;
use serde_json::Value;

use crate::support::{context, one, same};

pub fn results(parsed: &Parsed, truth: &Value) -> usize {
    let rows = truth["rows"].as_array().unwrap();
    assert_eq!(parsed.observations.len(), rows.len());
    for row in rows {
        let found = one(parsed, &row.to_string(), |o| {
            context(o, "record").rsplit('.').next() == row["set"].as_str() && context(o, "code") == row["code"]
        });
        assert!(same(found, &row["value"]), "{row}");
        assert_eq!(Some(found.raw.as_str()), row["raw"].as_str());
        assert_eq!(found.unit.as_deref(), row["unit"].as_str());
        assert_eq!(found.analyte.as_deref(), row["name"].as_str());
        assert_eq!(context(found, "value_type"), row["type"]);
        assert_eq!(context(found, "range"), row["range"]);
        assert_eq!(context(found, "result_state"), row["status"]);
        assert_eq!(found.flags, [row["flag"].as_str().unwrap()]);
    }
    rows.len() * 8
}
