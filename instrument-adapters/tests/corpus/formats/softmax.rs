//! Groups of SoftMax Pro.

use instrument_adapters::{Observation, Parsed, Status};
use serde_json::Value;

use crate::support::{context, one, same};

pub fn check(parsed: &Parsed, truth: &Value) -> usize {
    let mut checked = 0;
    for row in truth["rows"].as_array().unwrap() {
        let well = row.get("Wells").or(row.get("Well")).unwrap();
        for (column, wanted) in row.as_object().unwrap() {
            let text = wanted.as_str().unwrap();
            if text.is_empty() || ["group", "Sample", "Wells", "Well", "Sample#"].contains(&column.as_str()) {
                continue;
            }
            let of_row = |o: &Observation| {
                context(o, "group") == row["group"]
                    && context(o, "well") == *well
                    && o.sample.as_deref() == row["Sample"].as_str()
            };
            if column == "R" {
                let result = one(parsed, column, |o| of_row(o) && o.quantity == "concentration");
                assert_eq!(result.status, Status::OverRange);
                assert_eq!(result.flags, [text]);
            } else {
                let name = column.split(' ').next().unwrap();
                let found = one(parsed, &format!("{row} {column}"), |o| of_row(o) && context(o, "column") == name);
                assert!(same(found, wanted) && found.raw == text, "{row} {column}: {found:?}");
                if let Some((_, unit)) = column.split_once(' ') {
                    assert_eq!(found.unit.as_deref(), Some(unit));
                }
            }
            checked += 1;
        }
    }
    for (name, wanted) in truth["meta"].as_object().unwrap() {
        let found = one(parsed, name, |o| o.quantity == "summary" && context(o, "name") == name);
        assert_eq!(Some(found.raw.as_str()), wanted.as_str());
        checked += 1;
    }
    checked
}
