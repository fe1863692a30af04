//! Allotrope Simple Model: a document for every injection, well or weighing, with the measurements below it.
//!
//! Numbers keep the digits of the file and units are those of the file, in the model's spelling: minutes stay
//! minutes. A value that is not a number (`<0.05`, not detected) is not a quantity of the model: it is put as text in
//! the custom information, with an entry among the errors that says why. Whatever the model has no word for is put
//! in a `custom information document` under our own, so that nothing of a run is left out.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::ExportError;
use super::names::{self, ModelPlace};
use super::tree::{number, put_list, put_map, put_new, put_text, quantity};
use crate::model::{Observation, Parsed, Status};

/// What is known of a file beside its reading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExportedFile {
    /// The file's name.
    pub file_name: String,
    /// Instrument or software whose files the adapter reads.
    pub product: String,
}

/// The model's techniques that readings are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Technique {
    /// Peaks or curves over time.
    LiquidChromatography,
    /// The same, by a detector of gas chromatographs.
    GasChromatography,
    /// Values with a well.
    PlateReader,
    /// Cycle thresholds.
    Qpcr,
    /// Weights.
    Balance,
    /// Densities and viabilities of cells.
    CellCounting,
    /// pH values.
    Ph,
    /// Osmolalities.
    Osmolality,
    /// Absorbances, concentrations and spectra of single samples.
    Spectrophotometry,
    /// Anything else that an analyser finds in a solution.
    SolutionAnalyzer,
}

impl Technique {
    /// The technique's name, as in `plate reader aggregate document`.
    pub fn name(self) -> &'static str {
        match self {
            Self::LiquidChromatography => "liquid chromatography",
            Self::GasChromatography => "gas chromatography",
            Self::PlateReader => "plate reader",
            Self::Qpcr => "qpcr",
            Self::Balance => "balance",
            Self::CellCounting => "cell counting",
            Self::Ph => "pH",
            Self::Osmolality => "osmolality",
            Self::Spectrophotometry => "spectrophotometry",
            Self::SolutionAnalyzer => "solution analyzer",
        }
    }

    /// The address that names the technique and the model's version.
    pub fn manifest(self) -> &'static str {
        match self {
            Self::LiquidChromatography => {
                "http://purl.allotrope.org/manifests/liquid-chromatography/REC/2023/09/liquid-chromatography.manifest"
            }
            Self::GasChromatography => {
                "http://purl.allotrope.org/manifests/gas-chromatography/REC/2023/09/gas-chromatography.manifest"
            }
            Self::PlateReader => "http://purl.allotrope.org/manifests/plate-reader/REC/2024/06/plate-reader.manifest",
            Self::Qpcr => "http://purl.allotrope.org/manifests/pcr/REC/2024/09/qpcr.manifest",
            Self::Balance => "http://purl.allotrope.org/manifests/balance/REC/2024/03/balance.manifest",
            Self::CellCounting => {
                "http://purl.allotrope.org/manifests/cell-counting/REC/2024/09/cell-counting.manifest"
            }
            Self::Ph => "http://purl.allotrope.org/manifests/ph/REC/2024/03/ph.manifest",
            Self::Osmolality => "http://purl.allotrope.org/manifests/osmolality/REC/2024/03/osmolality.manifest",
            Self::Spectrophotometry => {
                "http://purl.allotrope.org/manifests/spectrophotometry/REC/2024/06/spectrophotometry.manifest"
            }
            Self::SolutionAnalyzer => {
                "http://purl.allotrope.org/manifests/solution-analyzer/REC/2024/03/solution-analyzer.manifest"
            }
        }
    }

    fn device(self) -> &'static str {
        match self {
            Self::LiquidChromatography => "liquid chromatograph",
            Self::GasChromatography => "gas chromatograph",
            Self::PlateReader => "plate reader",
            Self::Qpcr => "qPCR",
            Self::Balance => "balance",
            Self::CellCounting => "cell counter",
            Self::Ph => "pH meter",
            Self::Osmolality => "osmometer",
            Self::Spectrophotometry => "absorbance detector",
            Self::SolutionAnalyzer => "solution-analyzer",
        }
    }

    fn chromatographic(self) -> bool {
        matches!(self, Self::LiquidChromatography | Self::GasChromatography)
    }
}

/// The technique that a reading belongs to, by what was measured.
pub fn technique(parsed: &Parsed) -> Technique {
    let all = || parsed.observations.iter();
    let any = |words: &[&str]| all().any(|seen| words.contains(&seen.quantity.as_str()));
    let time = |seen: &Observation| matches!(seen.x_unit.as_deref(), Some("min" | "s"));
    let of_signal =
        |seen: &Observation| seen.context.contains_key("signal") && seen.x.as_ref().is_none_or(|_| time(seen));
    let well = |seen: &Observation| seen.context.contains_key("well");
    if any(&["ct", "cq", "cycle_threshold"]) {
        Technique::Qpcr
    } else if any(&["viability", "viable_cell_density", "total_cell_density"]) {
        Technique::CellCounting
    } else if any(&["retention_time"]) || all().any(|seen| of_signal(seen) && !well(seen)) {
        // The detectors of gas chromatographs, by the names that makers give their signals.
        let gas = ["FID", "TCD", "ECD", "NPD", "FPD"];
        let of_gas = |seen: &Observation| {
            let signal = seen.context.get("signal").map(|name| name.to_ascii_uppercase()).unwrap_or_default();
            gas.iter().any(|detector| signal.contains(detector))
        };
        if all().any(of_gas) { Technique::GasChromatography } else { Technique::LiquidChromatography }
    } else if all().any(well) {
        Technique::PlateReader
    } else if any(&["weight", "mass", "net_weight"]) {
        Technique::Balance
    } else if any(&["osmolality"]) {
        Technique::Osmolality
    } else if any(&["ph"]) {
        Technique::Ph
    } else if any(&["absorbance", "transmittance", "absorbance_ratio"]) || all().any(|seen| seen.x.is_some()) {
        Technique::Spectrophotometry
    } else {
        Technique::SolutionAnalyzer
    }
}

/// Writes a reading as Allotrope Simple Model JSON, in UTF-8.
///
/// # Errors
/// None for any reading there can be; the writer's failure is passed on.
pub fn asm(parsed: &Parsed, described: &ExportedFile) -> Result<Vec<u8>, ExportError> {
    Ok(serde_json::to_vec_pretty(&asm_tree(parsed, described))?)
}

/// The document of [`asm`] as a tree.
pub fn asm_tree(parsed: &Parsed, described: &ExportedFile) -> Value {
    let technique = technique(parsed);
    let mut documents = Vec::new();
    for group in grouped(&parsed.observations, technique) {
        documents.push(document(parsed, technique, &group, documents.len()));
    }
    let mut aggregate = Map::new();
    aggregate.insert(format!("{} document", technique.name()), Value::Array(documents));
    aggregate.insert("device system document".into(), device_system(parsed));
    aggregate.insert("data system document".into(), data_system(parsed, described));
    let mut root = Map::new();
    root.insert("$asm.manifest".into(), Value::String(technique.manifest().to_owned()));
    root.insert(format!("{} aggregate document", technique.name()), Value::Object(aggregate));
    Value::Object(root)
}

fn said<'a>(parsed: &'a Parsed, keys: &[&str]) -> Option<&'a str> {
    keys.iter().filter_map(|key| parsed.run.get(*key)).find_map(Value::as_str).filter(|text| !text.trim().is_empty())
}

fn device_system(parsed: &Parsed) -> Value {
    let mut device = Map::new();
    // The model wants a name for the device, and has a word for its absence.
    let id = said(parsed, &["instrument", "instrument_name", "device", "system", "system_name"]).unwrap_or("N/A");
    device.insert("device identifier".into(), Value::String(id.to_owned()));
    put_text(&mut device, "model number", said(parsed, &["model", "instrument_model", "uv_model_number"]));
    put_text(&mut device, "equipment serial number", said(parsed, &["serial", "serial_number", "instrument_serial"]));
    put_text(&mut device, "product manufacturer", said(parsed, &["manufacturer", "vendor"]));
    Value::Object(device)
}

fn data_system(parsed: &Parsed, described: &ExportedFile) -> Value {
    let mut data = Map::new();
    put_text(&mut data, "file name", Some(&described.file_name));
    put_text(&mut data, "software name", said(parsed, &["software"]).or(Some(&described.product)));
    put_text(&mut data, "software version", said(parsed, &["software_version"]));
    put_text(&mut data, "ASM converter name", Some("qianfa instrument-adapters"));
    put_text(&mut data, "ASM converter version", Some(env!("CARGO_PKG_VERSION")));
    let mut custom = Map::new();
    put_text(&mut custom, "file checksum (SHA-256)", Some(&parsed.file_sha256));
    put_text(&mut custom, "adapter", Some(&parsed.adapter));
    custom.insert("complete".into(), parsed.complete.map_or(Value::Null, Value::Bool));
    custom.insert("run".into(), Value::Object(parsed.run.clone()));
    let problems: Vec<Value> = parsed.problems.iter().map(|problem| json!(problem)).collect();
    if !problems.is_empty() {
        custom.insert("problems".into(), Value::Array(problems));
    }
    put_map(&mut data, "custom information document", custom);
    Value::Object(data)
}

/// The observations of one document: of an injection, of a well, of a sample.
fn grouped(observations: &[Observation], technique: Technique) -> Vec<Vec<&Observation>> {
    let mut index: BTreeMap<[&str; 4], usize> = BTreeMap::new();
    let mut groups: Vec<Vec<&Observation>> = Vec::new();
    for seen in observations {
        let context = |key: &str| seen.context.get(key).map_or("", String::as_str);
        let place = if technique.chromatographic() { ["", ""] } else { [context("plate"), context("well")] };
        let (sample, run) = (seen.sample.as_deref().unwrap_or(""), seen.injection.as_deref().unwrap_or(""));
        let at = *index.entry([sample, run, place[0], place[1]]).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(at) {
            group.push(seen);
        }
    }
    groups
}

/// What tells one measurement of a document from another.
const OF_A_MEASUREMENT: [&str; 13] = [
    "signal",
    "channel",
    "wavelength",
    "wavelength_number",
    "data",
    "read_mode",
    "read_type",
    "filter",
    "target",
    "dye",
    "cycle",
    "measurement",
    "read",
];

fn document(parsed: &Parsed, technique: Technique, group: &[&Observation], index: usize) -> Value {
    let mut index_of: BTreeMap<Vec<&str>, usize> = BTreeMap::new();
    let mut measurements: Vec<Vec<&Observation>> = Vec::new();
    for seen in group {
        let key: Vec<&str> =
            OF_A_MEASUREMENT.iter().map(|key| seen.context.get(*key).map_or("", String::as_str)).collect();
        let at = *index_of.entry(key).or_insert_with(|| {
            measurements.push(Vec::new());
            measurements.len() - 1
        });
        if let Some(measurement) = measurements.get_mut(at) {
            measurement.push(seen);
        }
    }
    let list: Vec<Value> = measurements
        .iter()
        .enumerate()
        .map(|(n, seen)| measurement(technique, seen, &format!("{}-{}", index + 1, n + 1)))
        .collect();
    let mut aggregate = Map::new();
    if technique == Technique::PlateReader {
        aggregate.insert("container type".into(), Value::String("well plate".into()));
    }
    put_text(&mut aggregate, "measurement time", group.iter().find_map(|seen| seen.acquired_at.as_deref()));
    aggregate.insert("measurement document".into(), Value::Array(list));
    let mut document = Map::new();
    document.insert("measurement aggregate document".into(), Value::Object(aggregate));
    put_text(&mut document, "analyst", said(parsed, &["operator", "analyst", "user"]));
    Value::Object(document)
}

fn measurement(technique: Technique, seen: &[&Observation], id: &str) -> Value {
    let mut node = Map::new();
    node.insert("measurement identifier".into(), Value::String(id.to_owned()));
    let Some(first) = seen.first() else { return Value::Object(node) };
    let context = |key: &str| first.context.get(key).map(String::as_str);
    if technique.chromatographic() {
        put_text(&mut node, "measurement time", first.acquired_at.as_deref());
    }
    node.insert("sample document".into(), sample(first));
    let mut control = Map::new();
    control.insert("device type".into(), Value::String(technique.device().to_owned()));
    put_text(&mut control, "detection type", context("read_mode").or(context("signal")));
    if let Some(wavelength) = context("wavelength").and_then(number) {
        control.insert("detector wavelength setting".into(), json!({"value": wavelength, "unit": "nm"}));
    }
    let control = vec![Value::Object(control)];
    put_list(&mut node, ("device control aggregate document", "device control document"), control);
    if technique.chromatographic() {
        node.insert("chromatography column document".into(), json!({"chromatography column serial number": "N/A"}));
        let mut injection = Map::new();
        put_text(&mut injection, "injection identifier", first.injection.as_deref());
        put_text(&mut injection, "injection time", first.acquired_at.as_deref());
        put_map(&mut node, "injection document", injection);
    }
    let (points, values): (Vec<&Observation>, Vec<&Observation>) = seen.iter().partition(|one| one.x.is_some());
    let mut rest = Rest::default();
    let peaks = if technique.chromatographic() { peaks(&values, &mut rest) } else { Vec::new() };
    let mut processed = Map::new();
    put_list(&mut processed, ("peak list", "peak"), peaks);
    if !technique.chromatographic() {
        plain(&values, &mut node, &mut processed, &mut rest);
    }
    put_map(&mut processed, "custom information document", std::mem::take(&mut rest.custom));
    if !processed.is_empty() {
        let processed = vec![Value::Object(processed)];
        put_list(&mut node, ("processed data aggregate document", "processed data document"), processed);
    }
    let lost: Vec<Value> = points
        .iter()
        .filter(|one| one.value.as_deref().and_then(number).is_none())
        .map(|one| json!({"x": one.x, "text": one.raw}))
        .collect();
    if let Some(cube) = cube(&points) {
        let key = if technique.chromatographic() { "chromatogram data cube" } else { "data cube" };
        node.insert(key.into(), cube);
    }
    put_list(&mut node, ("error aggregate document", "error document"), rest.errors);
    let mut told: Map<String, Value> =
        first.context.iter().map(|(key, text)| (key.replace('_', " "), Value::String(text.clone()))).collect();
    if !lost.is_empty() {
        told.insert("points without a number".into(), Value::Array(lost));
    }
    put_map(&mut node, "custom information document", told);
    Value::Object(node)
}

fn sample(seen: &Observation) -> Value {
    let context = |keys: &[&str]| keys.iter().find_map(|key| seen.context.get(*key)).map(String::as_str);
    let mut node = Map::new();
    let well = context(&["well"]);
    // A well without a sample's name is known by its place.
    let place = well.map(|well| context(&["plate"]).map_or_else(|| well.to_owned(), |plate| format!("{plate}_{well}")));
    let name = seen.sample.clone().or(place).unwrap_or_else(|| "N/A".to_owned());
    node.insert("sample identifier".into(), Value::String(name));
    put_text(&mut node, "location identifier", well.or(context(&["vial", "location", "injection_position"])));
    put_text(&mut node, "well plate identifier", context(&["plate"]));
    put_text(&mut node, "batch identifier", context(&["batch", "lot"]));
    put_text(&mut node, "sample role type", context(&["sample_role", "role", "sample_type"]));
    Value::Object(node)
}

/// What the model has no quantity for.
#[derive(Default)]
struct Rest {
    custom: Map<String, Value>,
    errors: Vec<Value>,
}

impl Rest {
    /// A value that is not a number: its text, and why.
    fn text(&mut self, into: &mut Map<String, Value>, name: &str, seen: &Observation) {
        put_new(into, name, Value::String(seen.raw.clone()));
        self.doubt(name, seen);
    }

    /// Why a value is not to be taken as it is: a number that the operator masked is still a number.
    fn doubt(&mut self, name: &str, seen: &Observation) {
        for flag in &seen.flags {
            self.errors.push(json!({"error": flag, "error feature": name}));
        }
        let why = match seen.status {
            Status::Below => "below the limit that is given",
            Status::Above => "above the limit that is given",
            Status::NotDetected => "not detected",
            Status::OverRange => "over range",
            Status::Masked => "masked by the operator",
            Status::Unstable => "unstable",
            Status::Text | Status::Ok => return,
            Status::Invalid => "no usable number",
            Status::Ambiguous => "can be read in two ways",
        };
        self.errors.push(json!({"error": format!("{}: {why}", seen.raw), "error feature": name}));
    }
}

fn own_name(seen: &Observation) -> String {
    let quantity = seen.quantity.replace('_', " ");
    seen.analyte.as_ref().map_or_else(|| quantity.clone(), |analyte| format!("{analyte} {quantity}"))
}

/// Values of a measurement that is not a chromatogram.
fn plain(values: &[&Observation], node: &mut Map<String, Value>, processed: &mut Map<String, Value>, rest: &mut Rest) {
    for seen in values {
        let Some(value) = quantity(seen) else {
            let mut custom = std::mem::take(&mut rest.custom);
            rest.text(&mut custom, &own_name(seen), seen);
            rest.custom = custom;
            continue;
        };
        rest.doubt(&own_name(seen), seen);
        match names::of_measurement(&seen.quantity, seen.unit.as_deref()).filter(|_| seen.analyte.is_none()) {
            Some((name, ModelPlace::Measured)) if !node.contains_key(name) => {
                node.insert(name.to_owned(), value);
            }
            Some((name, ModelPlace::Processed)) if !processed.contains_key(name) => {
                processed.insert(name.to_owned(), value);
            }
            // A second value of the same name, and what the model has no word for.
            _ => put_new(&mut rest.custom, &own_name(seen), value),
        }
    }
}

/// The peaks of a signal. A peak goes on while its name and number stay and no quantity comes twice.
fn peaks(values: &[&Observation], rest: &mut Rest) -> Vec<Value> {
    struct Open<'a> {
        key: (Option<&'a str>, Option<&'a str>),
        node: Map<String, Value>,
        custom: Map<String, Value>,
        seen: Vec<&'a str>,
    }
    let mut open: Vec<Open<'_>> = Vec::new();
    for seen in values {
        let key = (seen.analyte.as_deref(), seen.context.get("peak").map(String::as_str));
        let of_peak = names::of_peak(&seen.quantity);
        if key == (None, None) && of_peak.is_none() {
            // Of the signal as a whole: a total, a sum.
            match quantity(seen) {
                Some(value) => put_new(&mut rest.custom, &own_name(seen), value),
                None => {
                    let mut custom = std::mem::take(&mut rest.custom);
                    rest.text(&mut custom, &own_name(seen), seen);
                    rest.custom = custom;
                }
            }
            continue;
        }
        let word = seen.quantity.as_str();
        let goes_on = open.iter().rposition(|peak| peak.key == key && !peak.seen.contains(&word));
        let at = goes_on.unwrap_or_else(|| {
            let mut node = Map::new();
            node.insert("identifier".into(), Value::String((open.len() + 1).to_string()));
            put_text(&mut node, "written name", seen.analyte.as_deref());
            open.push(Open { key, node, custom: Map::new(), seen: Vec::new() });
            open.len() - 1
        });
        let Some(peak) = open.get_mut(at) else { continue };
        peak.seen.push(word);
        if quantity(seen).is_some() {
            rest.doubt(of_peak.unwrap_or(word), seen);
        }
        match (of_peak, quantity(seen)) {
            (Some(name), Some(value)) if !peak.node.contains_key(name) => {
                peak.node.insert(name.to_owned(), value);
            }
            (_, Some(value)) => put_new(&mut peak.custom, &seen.quantity.replace('_', " "), value),
            (name, None) => rest.text(&mut peak.custom, name.unwrap_or(word), seen),
        }
    }
    let closed = open.into_iter().map(|mut peak| {
        put_map(&mut peak.node, "custom information document", peak.custom);
        Value::Object(peak.node)
    });
    closed.collect()
}

/// The points of a curve. One that is not a number is `null` among the measures.
fn cube(points: &[&Observation]) -> Option<Value> {
    let first = points.first()?;
    let axis = |unit: Option<&str>| json!({"@componentDatatype": "double", "concept": names::concept(unit), "unit": names::unit(unit)});
    let (x_unit, unit) = (first.x_unit.as_deref(), first.unit.as_deref());
    let numbers = |text: Option<&str>| text.and_then(number).unwrap_or(Value::Null);
    let xs: Vec<Value> = points.iter().map(|seen| numbers(seen.x.as_deref())).collect();
    let ys: Vec<Value> = points.iter().map(|seen| numbers(seen.value.as_deref())).collect();
    Some(json!({
        "label": first.context.get("signal").map_or_else(|| names::concept(unit), String::as_str),
        "cube-structure": {"dimensions": [axis(x_unit)], "measures": [axis(unit)]},
        "data": {"dimensions": [xs], "measures": [ys]},
    }))
}
