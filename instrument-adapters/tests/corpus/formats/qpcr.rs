//! Wells and targets of QuantStudio.

use instrument_adapters::Parsed;
use serde_json::Value;

use crate::support::{context, one, same};

pub fn check(parsed: &Parsed, truth: &Value) -> usize {
    let mut checked = 0;
    let rows = truth["rows"].as_array().unwrap();
    for row in rows {
        for (key, quantity) in [("ct", "cq"), ("quantity", "amount"), ("quantity_mean", "amount_mean")] {
            let found = one(parsed, &format!("{row} {key}"), |o| {
                o.quantity == quantity
                    && context(o, "well") == row["well"]
                    && o.analyte.as_deref() == row["target"].as_str()
            });
            assert!(same(found, &row[key]), "{row} {key}: {found:?}");
            assert_eq!(found.sample.as_deref(), row["sample"].as_str());
            assert_eq!(context(found, "task"), row["task"]);
            if let Some(raw) = row.get(format!("{key}_raw")) {
                assert_eq!(raw.as_str(), Some(found.raw.as_str()));
            }
            checked += 1;
        }
    }
    assert_eq!(parsed.observations.iter().filter(|o| o.quantity == "cq").count(), rows.len());
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    checked
}
