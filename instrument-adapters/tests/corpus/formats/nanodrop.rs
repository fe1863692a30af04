//! Tables of NanoDrop.

use instrument_adapters::{Observation, Parsed};
use serde_json::Value;

use crate::support::{context, one, same};

pub fn check(parsed: &Parsed, truth: &Value) -> usize {
    let mut checked = 0;
    for row in truth["rows"].as_array().unwrap() {
        let of_row = |o: &Observation| o.sample.as_deref() == row["sample"].as_str();
        let find = |quantity: &str, key: &str, value: &str| {
            one(parsed, &format!("{row} {quantity}"), |o| {
                of_row(o) && o.quantity == quantity && (key.is_empty() || context(o, key) == value)
            })
        };
        let concentration = find("concentration", "", "");
        assert_eq!(Some(concentration.raw.as_str()), row["raw"].as_str());
        assert!(same(concentration, &row["value"]));
        assert_eq!(concentration.unit.as_deref(), row["unit"].as_str());
        for (key, wavelength) in [("a1", "260"), ("a2", "280")] {
            let found = find("absorbance", "wavelength", wavelength);
            assert_eq!(Some(found.raw.as_str()), row[key].as_str());
        }
        let ratio = find("formula_value", "formula_name", "260/280");
        assert_eq!(Some(ratio.raw.as_str()), row["ratio_raw"].as_str());
        assert_eq!(ratio.value.is_none(), ratio.raw == "NaN");
        checked += 5;
    }
    checked
}
