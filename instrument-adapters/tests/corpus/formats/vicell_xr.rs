//! Samples of Vi-CELL XR.

use instrument_adapters::Parsed;
use serde_json::Value;

use crate::support::{one, same};

pub fn check(parsed: &Parsed, truth: &Value) -> usize {
    let rows = truth["rows"].as_array().unwrap();
    let columns = [
        ("total_cells", "total_cell_count", None),
        ("viable_cells", "viable_cell_count", None),
        ("viability_pct", "viability", Some("%")),
        ("total_1e6_per_ml", "total_cell_density", Some("10*6/mL")),
        ("viable_1e6_per_ml", "viable_cell_density", Some("10*6/mL")),
    ];
    for row in rows {
        for (key, quantity, unit) in columns {
            let found = one(parsed, &format!("{row} {key}"), |o| {
                o.sample.as_deref() == row["sample"].as_str() && o.quantity == quantity
            });
            assert!(same(found, &row[key]), "{row} {key}: {found:?}");
            assert_eq!(found.unit.as_deref(), unit);
            let written = row["date"].as_str().unwrap();
            let (day, year) = (written.split(' ').next().unwrap(), written.split(' ').nth(2).unwrap());
            let date = found.acquired_at.as_deref().unwrap();
            assert!(date.starts_with(year) && date[8..10].trim_start_matches('0') == day, "{date} {written}");
        }
    }
    // Columns that hold numbers, in every row.
    assert_eq!(parsed.observations.len(), rows.len() * 20);
    assert_eq!(parsed.complete, Some(true));
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    rows.len() * columns.len()
}
