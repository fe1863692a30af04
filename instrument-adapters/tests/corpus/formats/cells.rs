//! Tables of wells and of cells: qPCR, digital PCR, cell counters.

use instrument_adapters::{Observation, Parsed};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::asm::quantities;
use crate::support::{context, corpus, one, same};

fn fits(o: &Observation, row: &Value) -> bool {
    o.sample.as_deref() == row["sample"].as_str() && row.get("well").is_none_or(|w| *w == context(o, "well"))
}

fn count(parsed: &Parsed, quantity: &str) -> usize {
    parsed.observations.iter().filter(|o| o.quantity == quantity).count()
}

pub fn cfx(parsed: &Parsed, truth: &Value) -> usize {
    let rows = truth["rows"].as_array().unwrap();
    assert_eq!(count(parsed, "cq"), rows.len());
    for row in rows {
        let found = one(parsed, &row.to_string(), |o| {
            o.quantity == "cq" && fits(o, row) && context(o, "fluorophore") == row["fluor"]
        });
        assert_eq!(Some(found.raw.as_str()), row["cq_raw"].as_str());
        assert_eq!(context(found, "sample_type"), row["content"]);
        match &row["cq"] {
            Value::Null => assert_eq!(found.value, None),
            wanted => assert!(same(found, wanted), "{row}"),
        }
    }
    let names = [("cycle threshold result (qPCR)", "cq")];
    // The threshold cannot be in this file: the conversion writes -0.0 with an error document.
    rows.len() * 5 + against_asm(parsed, "qpcr-cfx", truth, "", &names, &["cycle threshold value setting (qPCR)"])
}

pub fn qiacuity(parsed: &Parsed, truth: &Value) -> usize {
    let rows = truth["rows"].as_array().unwrap();
    assert_eq!(count(parsed, "concentration"), rows.len());
    for row in rows {
        let find = |quantity: &str, kind: &str| {
            one(parsed, &format!("{row} {quantity}"), |o| {
                o.quantity == quantity && fits(o, row) && context(o, "kind") == kind
            })
        };
        let found = find("concentration", "");
        assert!(same(found, &row["value"]));
        assert_eq!(found.unit_raw.as_deref(), row["unit"].as_str());
        assert_eq!(found.analyte.as_deref(), row["target"].as_str());
        assert_eq!(context(found, "sample_type"), row["type"]);
        assert_eq!(Some(find("confidence_interval", "").raw.as_str()), row["ci95"].as_str());
        for kind in ["valid", "positive"] {
            assert!(same(find("partitions", kind), &row[kind]));
        }
    }
    let names = [
        ("number concentration", "concentration"),
        ("total partition count", "partitions valid"),
        ("positive partition count", "partitions positive"),
        ("negative partition count", "partitions negative"),
        ("fluorescence intensity threshold setting", "threshold"),
    ];
    rows.len() * 7 + against_asm(parsed, "dpcr-qiacuity", truth, "_sep_line", &names, &[])
}

pub fn vicell(parsed: &Parsed, truth: &Value) -> usize {
    let names = [
        ("Cell count", "total_cell_count"),
        ("Viable cells", "viable_cell_count"),
        ("Total (x10^6) cells/mL", "total_cell_density"),
        ("Viable (x10^6) cells/mL", "viable_cell_density"),
        ("Viability (%)", "viability"),
    ];
    let rows = truth["rows"].as_array().unwrap();
    for row in rows {
        let (_, quantity) = names.iter().find(|(name, _)| row["quantity"] == *name).unwrap();
        let found = one(parsed, &row.to_string(), |o| o.quantity == *quantity && fits(o, row));
        assert_eq!(Some(found.raw.as_str()), row["raw"].as_str());
        match &row["value"] {
            Value::Null => assert_eq!(found.value, None),
            wanted => assert!(same(found, wanted), "{row}"),
        }
    }
    assert_eq!(names.iter().map(|(_, q)| count(parsed, q)).sum::<usize>(), rows.len());
    let names = [
        ("viability (cell counter)", "viability"),
        ("viable cell density (cell counter)", "viable_cell_density"),
        ("total cell density (cell counter)", "total_cell_density"),
        ("average total cell diameter", "average_diameter"),
        ("average live cell diameter (cell counter)", "average_viable_diameter"),
        ("total cell count", "total_cell_count"),
        ("viable cell count", "viable_cell_count"),
        ("average total cell circularity", "average_circularity"),
        ("average viable cell circularity", "average_viable_circularity"),
        ("cell density dilution factor", "dilution_factor"),
        ("minimum cell diameter setting", "minimum_diameter_setting"),
        ("maximum cell diameter setting", "maximum_diameter_setting"),
    ];
    rows.len() * 2 + against_asm(parsed, "cellcounter-vicell-blu", truth, "_utf8", &names, &[])
}

pub fn envision(parsed: &Parsed, truth: &Value) -> usize {
    let rows = truth["rows"].as_array().unwrap();
    let readings: Vec<_> = parsed.observations.iter().filter(|o| o.context.contains_key("well")).collect();
    assert_eq!(readings.len(), rows.len());
    assert_eq!(parsed.complete, Some(true));
    // Plates follow each other; the truth names wells as A01.
    for (found, row) in readings.iter().zip(rows) {
        let well = context(found, "well");
        let (letters, number) = well.split_at(well.find(|c: char| c.is_ascii_digit()).unwrap());
        assert_eq!(row["well"], format!("{letters}{:02}", number.parse::<u32>().unwrap()));
        assert!(same(found, &row["value"]), "{row}");
        assert_eq!(row["raw"], found.raw);
        let block = row["block"].as_str().unwrap();
        assert!(block.contains(context(found, "label")) && !context(found, "plate").is_empty());
    }
    rows.len() * 4
}

/// Every number of the independent conversion is read too, in the same unit.
fn against_asm(
    parsed: &Parsed,
    folder: &str,
    truth: &Value,
    suffix: &str,
    names: &[(&str, &str)],
    not_in_file: &[&str],
) -> usize {
    let stem = truth["file"].as_str().unwrap().trim_end_matches(".csv").trim_end_matches(suffix);
    let path = corpus().unwrap().join(folder).join(format!("{stem}.asm.json"));
    let Ok(text) = std::fs::read_to_string(path) else { return 0 };
    let mut documents = Vec::new();
    let whole: Value = serde_json::from_str(&text).unwrap();
    measurements(&whole, &mut documents);
    assert!(!documents.is_empty());
    let mut checked = 0;
    for document in &documents {
        let sample = &document["sample document"];
        for wanted in quantities(document) {
            if not_in_file.contains(&wanted.name()) {
                continue;
            }
            let (_, quantity) =
                names.iter().find(|(name, _)| *name == wanted.name()).unwrap_or_else(|| panic!("{wanted:?}"));
            let (quantity, kind) = quantity.split_once(' ').unwrap_or((quantity, ""));
            let dye = &document["device control aggregate document"]["device control document"][0];
            let found = one(parsed, &format!("{wanted:?} {sample}"), |o| {
                o.quantity == quantity
                    && context(o, "kind") == kind
                    && o.sample.as_deref() == sample["sample identifier"].as_str()
                    && sample.get("well location identifier").is_none_or(|w| *w == context(o, "well"))
                    && dye.get("reporter dye setting").is_none_or(|d| *d == context(o, "fluorophore"))
            });
            assert_eq!(found.value.as_deref().unwrap().parse::<Decimal>().unwrap(), wanted.value, "{wanted:?}");
            let unit = match found.unit.as_deref().unwrap_or("(unitless)") {
                "10*6/mL" => "10^6 cells/mL",
                "{cells}" => "cell",
                "um" => "µm",
                "{copies}/uL" => "#/μL",
                other if kind.is_empty() => other,
                _ => "#",
            };
            assert!(unit == wanted.unit || (quantity == "partitions" && wanted.unit == "#"), "{found:?} {wanted:?}");
            checked += 1;
        }
    }
    checked
}

fn measurements<'a>(node: &'a Value, found: &mut Vec<&'a Value>) {
    match node {
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::Array(list) if key == "measurement document" => found.extend(list),
                    _ => measurements(value, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|v| measurements(v, found)),
        _ => {}
    }
}
