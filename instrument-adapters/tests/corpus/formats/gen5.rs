//! Readings of every well of Gen5.

use std::collections::BTreeSet;

use instrument_adapters::{Parsed, Status};
use serde_json::Value;

use crate::support::{context, one, same};

pub fn check(parsed: &Parsed, truth: &Value) -> usize {
    let rows = truth["rows"].as_array().unwrap();
    for row in rows {
        let found = one(parsed, &row.to_string(), |o| {
            context(o, "well") == row["well"].as_str().unwrap() && context(o, "label") == row["read"]
        });
        assert_eq!(Some(found.raw.as_str()), row["raw"].as_str());
        assert!(row["value"].is_null() && found.status != Status::Ok || same(found, &row["value"]), "{row}: {found:?}");
        assert_eq!(found.sample.as_deref(), row["sample"].as_str());
        if let Some(amount) = row.get("conc_or_dilution").and_then(Value::as_str) {
            assert_eq!(context(found, "concentration_or_dilution"), amount);
        }
    }
    // Readings, and no more of them.
    let of_wells = parsed.observations.iter().filter(|o| o.context.contains_key("well"));
    assert_eq!(of_wells.count() as u64, truth["checks"]["n"].as_u64().unwrap());
    let labels: BTreeSet<_> =
        parsed.observations.iter().map(|o| context(o, "label")).filter(|l| !l.is_empty()).collect();
    let wanted: BTreeSet<_> =
        truth["checks"]["reads"].as_array().unwrap().iter().map(|r| r.as_str().unwrap()).collect();
    assert_eq!(labels, wanted);
    for (key, quantity, parameter) in
        [("A", "curve_parameter", "A"), ("B", "curve_parameter", "B"), ("R2", "r_squared", "")]
    {
        let Some(wanted) = truth["meta"].get(key) else { continue };
        let found = one(parsed, key, |o| o.quantity == quantity && context(o, "parameter") == parameter);
        assert!(same(found, wanted));
        assert_eq!(context(found, "formula"), truth["meta"]["curve"]);
    }
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    rows.len() * 3
}
