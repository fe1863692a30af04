//! Chromeleon raw data as text.

use instrument_adapters::Parsed;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::support::{decimal, same};

pub fn check(parsed: &Parsed, truth: &Value) -> usize {
    let points: Vec<_> = parsed.observations.iter().filter(|o| o.quantity == "signal").collect();
    let (meta, checks) = (&truth["meta"], &truth["checks"]);
    assert_eq!(points.len() as u64, checks["points_read"].as_u64().unwrap());
    assert_eq!(points.len(), parsed.observations.len());
    let values: Vec<Decimal> = points.iter().map(|o| o.value.as_deref().unwrap().parse().unwrap()).collect();
    assert_eq!(values.iter().max().copied(), decimal(&checks["max_read"]));
    assert_eq!(values.iter().min().copied(), decimal(&checks["min_read"]));
    let mut checked = 3;
    for row in truth["rows"].as_array().unwrap() {
        let point = points[row["i"].as_u64().unwrap() as usize];
        assert!(same(point, &row["value"]), "{row}: {point:?}");
        let x: Decimal = point.x.as_deref().unwrap().parse().unwrap();
        assert_eq!(Some(x), decimal(&row["time_min"]));
        assert_eq!(point.x_unit.as_deref(), Some("min"));
        assert_eq!(point.sample.as_deref(), meta["sample"].as_str());
        assert_eq!(point.injection.as_deref(), meta["sample_no"].as_str());
        assert_eq!(point.unit.as_deref(), meta["signal_dimension"].as_str());
        assert_eq!(point.context["signal"], meta["channel"]);
        assert_eq!(point.context["sample_type"], meta["type"]);
        checked += 8;
    }
    for (key, name) in [("date", "injection_date"), ("time", "injection_time")] {
        assert_eq!(parsed.run[name], meta[key]);
        checked += 1;
    }
    assert_eq!(parsed.complete, Some(true));
    assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
    checked
}
