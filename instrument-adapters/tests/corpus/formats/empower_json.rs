//! Empower drawn as JSON, and its independent conversion.

use std::collections::BTreeMap;

use instrument_adapters::{Observation, Parsed};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::asm::quantities;
use crate::support::{context, corpus, one, same};

pub fn check(parsed: &Parsed, truth: &Value) -> usize {
    let mut checked = 0;
    let rows = truth["rows"].as_array().unwrap();
    for row in rows {
        let result = row["result_id"].to_string();
        for (key, quantity) in [("rt", "retention_time"), ("area", "area"), ("amount", "amount")] {
            let found = one(parsed, &format!("{row} {key}"), |o| {
                o.quantity == quantity
                    && o.sample.as_deref() == row["sample"].as_str()
                    && o.analyte.as_deref() == row["peak"].as_str()
                    && context(o, "result_id") == result
                    && Some(context(o, "signal")) == row["channel"].as_str().map(str::trim)
            });
            assert!(same(found, &row[key]), "{row} {key}: {found:?}");
            for name in ["sample_type", "vial"] {
                assert_eq!(Some(context(found, name)), row[name].as_str());
            }
            assert_eq!(context(found, "injection_number"), row["injection"].to_string());
            for (name, flag) in [("manual", "manual_integration"), ("altered", "altered"), ("superseded", "superseded")]
            {
                assert_eq!(context(found, name), row[name].to_string());
                assert_eq!(found.flags.iter().any(|f| f == flag), row[name] == true, "{name}");
            }
            let unit = match key {
                "rt" => Some("min"),
                "area" => Some("uV.s"),
                _ => row["units"].as_str(),
            };
            assert_eq!(found.unit.as_deref(), unit);
            checked += 1;
        }
    }
    let areas = parsed.observations.iter().filter(|o| o.quantity == "area").count();
    assert_eq!(areas, rows.len());
    checked + against_asm(parsed, truth)
}

/// The conversion reckons minutes to seconds and microvolts to milli absorbance units in binary floats.
fn against_asm(parsed: &Parsed, truth: &Value) -> usize {
    let Some(corpus) = corpus() else { return 0 };
    let name = truth["file"].as_str().unwrap().replace(".json", ".asm.json");
    let Ok(text) = std::fs::read_to_string(corpus.join("waters-empower-json").join(name)) else { return 0 };
    let document: Value = serde_json::from_str(&text).unwrap();
    // Name there → quantity here, factor, unit there, unit here.
    let names: BTreeMap<&str, (&str, Decimal, &str, Option<&str>)> = [
        ("retention time", ("retention_time", Decimal::from(60), "s", Some("min"))),
        ("peak start", ("start_time", Decimal::from(60), "s", Some("min"))),
        ("peak end", ("end_time", Decimal::from(60), "s", Some("min"))),
        ("baseline value at start of peak", ("baseline_start", Decimal::from(60), "s", Some("min"))),
        ("baseline value at end of peak", ("baseline_end", Decimal::from(60), "s", Some("min"))),
        ("peak area", ("area", Decimal::new(1, 3), "mAU.s", Some("uV.s"))),
        ("peak height", ("height", Decimal::new(1, 3), "mAU", Some("uV"))),
        ("relative peak area", ("area_percent", Decimal::ONE, "%", Some("%"))),
        ("relative peak height", ("height_percent", Decimal::ONE, "%", Some("%"))),
        ("relative peak analyte amount", ("amount_percent", Decimal::ONE, "%", Some("%"))),
        ("peak width", ("peak_width", Decimal::ONE, "s", Some("s"))),
        ("peak analyte amount", ("amount", Decimal::ONE, "(unitless)", None)),
    ]
    .into();
    let mut checked = 0;
    for quantity in quantities(&document) {
        let Some(at) = quantity.path.iter().position(|p| p == "peak") else { continue };
        let Some((name, factor, unit, ours)) = names.get(quantity.name()) else {
            panic!("{:?}", quantity.path);
        };
        assert_eq!(*unit, quantity.unit);
        // The conversion numbers documents and peaks in the order of the file.
        let place = |after: &str| -> usize {
            let index = quantity.path.iter().position(|p| p == after).unwrap();
            quantity.path[index + 1].parse().unwrap()
        };
        let prefix =
            format!("$.values.results[{}].peaks[{}].", place("liquid chromatography document"), quantity.path[at + 1]);
        let found = one(parsed, name, |o| o.quantity == *name && path(o).starts_with(&prefix));
        let value: Decimal = found.value.as_ref().unwrap().parse().unwrap();
        let difference = (value * factor - quantity.value).abs();
        assert!(difference <= quantity.value.abs() * Decimal::new(1, 12), "{:?}: {found:?}", quantity);
        assert_eq!(found.unit.as_deref(), *ours);
        checked += 1;
    }
    checked + curve(parsed, &document)
}

fn curve(parsed: &Parsed, document: &Value) -> usize {
    let documents = document["liquid chromatography aggregate document"]["liquid chromatography document"].as_array();
    let mut checked = 0;
    for (index, run) in documents.unwrap().iter().enumerate() {
        let cube = &run["measurement aggregate document"]["measurement document"][0]["chromatogram data cube"]["data"];
        let prefix = format!("$.values.channels[{index}].");
        let points: Vec<&Observation> = parsed.observations.iter().filter(|o| path(o).starts_with(&prefix)).collect();
        let list = |name: &str| cube[name][0].as_array().unwrap();
        assert_eq!(points.len(), list("measures").len());
        for ((point, x), y) in points.iter().zip(list("dimensions")).zip(list("measures")) {
            for (found, factor, wanted) in [(&point.x, 60, x), (&point.value, 1000, y)] {
                let found: Decimal = found.as_ref().unwrap().parse::<Decimal>().unwrap() * Decimal::from(factor);
                let wanted = crate::support::decimal(wanted).unwrap();
                assert!((found - wanted).abs() <= wanted.abs() * Decimal::new(1, 9), "{point:?}");
            }
            checked += 1;
        }
    }
    checked
}

fn path(o: &Observation) -> &str {
    o.locator.path.as_deref().unwrap_or_default()
}
