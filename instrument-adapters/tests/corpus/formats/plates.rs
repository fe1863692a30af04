//! Wells of plate readers that write workbooks, against truth and independent conversion.

use instrument_adapters::{Observation, Parsed};
use serde_json::Value;

use crate::asm;
use crate::support::{asm_of, context, one, same};

/// Every well of the truth, and none besides.
fn wells(parsed: &Parsed, truth: &Value, fits: impl Fn(&Observation, &Value) -> bool) -> usize {
    let rows = truth["rows"].as_array().unwrap();
    assert_eq!(parsed.observations.len(), rows.len());
    assert_eq!(parsed.complete, Some(true));
    for row in rows {
        let found = one(parsed, &row.to_string(), |o| context(o, "well") == row["well"].as_str().unwrap());
        assert!(same(found, &row["value"]), "{row}: {found:?}");
        assert!(fits(found, row), "{row}: {found:?}");
    }
    rows.len()
}

/// Every value of the conversion, with the well that its document names.
fn converted(parsed: &Parsed, file: &str, name: &str, unit: impl Fn(&Observation, &str) -> bool) -> usize {
    let document = asm_of(file);
    let list = document["plate reader aggregate document"]["plate reader document"].as_array().unwrap();
    let mut checked = 0;
    for entry in list {
        for measured in entry["measurement aggregate document"]["measurement document"].as_array().unwrap() {
            let sample = &measured["sample document"];
            let found = one(parsed, &sample.to_string(), |o| {
                context(o, "well") == sample["location identifier"].as_str().unwrap()
            });
            let values: Vec<_> = asm::quantities(measured).into_iter().filter(|q| q.name() == name).collect();
            assert_eq!(values.len(), 1);
            assert!(same(found, &measured[name]["value"]) && found.quantity == name);
            assert!(unit(found, &values[0].unit), "{found:?} {}", values[0].unit);
            checked += 1;
        }
    }
    assert_eq!(checked, parsed.observations.len());
    checked
}

pub fn skanit(parsed: &Parsed, truth: &Value) -> usize {
    let count = wells(parsed, truth, |o, row| {
        o.unit.as_deref() == row["unit"].as_str()
            && context(o, "plate") == truth["meta"]["plate"]
            && context(o, "step") == truth["meta"]["step"]
            && o.acquired_at.as_deref() == Some("2024-08-23T15:02:30")
    });
    let file = format!("thermo-skanit/{}", truth["file"].as_str().unwrap()).replace(".xlsx", ".asm.json");
    count + converted(parsed, &file, "luminescence", |o, unit| o.unit.as_deref() == Some(unit))
}

pub fn magellan(parsed: &Parsed, truth: &Value) -> usize {
    // The conversion writes mAU for numbers that the file gives in OD, a thousand times as much.
    let count = wells(parsed, truth, |o, row| context(o, "label") == row["label"] && o.unit.as_deref() == Some("OD"));
    let file = format!("tecan-magellan/{}", truth["file"].as_str().unwrap()).replace(".xlsx", ".asm.json");
    let temperature = |o: &Observation| context(o, "temperature") == "23.4 °C" && context(o, "wavelength") == "595 nm";
    count + converted(parsed, &file, "absorbance", |o, unit| unit == "mAU" && temperature(o))
}
