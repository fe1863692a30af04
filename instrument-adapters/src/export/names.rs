//! Our words for quantities and units, and those of the Allotrope Simple Model.

/// What a quantity of a chromatographic peak is called.
pub(super) fn of_peak(quantity: &str) -> Option<&'static str> {
    Some(match quantity {
        "retention_time" => "retention time",
        "area" => "peak area",
        "height" => "peak height",
        "area_percent" | "relative_area" => "relative peak area",
        "height_percent" | "relative_height" => "relative peak height",
        "start_time" => "peak start",
        "end_time" => "peak end",
        "peak_width" | "width" => "peak width",
        "peak_width_at_half_height" => "peak width at half height",
        "peak_width_at_baseline" => "peak width at baseline",
        "theoretical_plates" => "number of theoretical plates (chromatography)",
        "resolution" => "chromatographic peak resolution",
        "asymmetry" => "chromatographic peak asymmetry factor",
        "capacity_factor" => "capacity factor (chromatography)",
        "selectivity" => "peak selectivity (chromatography)",
        "amount" | "concentration" => "peak analyte amount",
        "amount_percent" => "relative peak analyte amount",
        _ => return None,
    })
}

/// Where a measurement document has a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ModelPlace {
    /// On the measurement itself: what the detector gave.
    Measured,
    /// In its processed data.
    Processed,
}

/// What a quantity outside a chromatogram is called, and where it is put.
pub(super) fn of_measurement(quantity: &str, unit: Option<&str>) -> Option<(&'static str, ModelPlace)> {
    use ModelPlace::{Measured, Processed};
    Some(match quantity {
        "absorbance" => ("absorbance", Measured),
        "fluorescence" => ("fluorescence", Measured),
        "luminescence" => ("luminescence", Measured),
        "weight" | "mass" | "net_weight" => ("sample weight", Measured),
        "tare_weight" => ("tare weight", Measured),
        "gross_weight" => ("gross weight", Measured),
        "osmolality" => ("osmolality", Measured),
        "ph" => ("pH", Measured),
        "temperature" => ("temperature", Measured),
        "ct" | "cq" | "cycle_threshold" => ("cycle threshold result (qPCR)", Processed),
        "viability" => ("viability (cell counter)", Processed),
        "viable_cell_density" => ("viable cell density (cell counter)", Processed),
        "total_cell_density" => ("total cell density (cell counter)", Processed),
        "concentration" if unit.is_some_and(per_volume) => ("mass concentration", Processed),
        _ => return None,
    })
}

/// A mass in a volume, by its UCUM code.
fn per_volume(unit: &str) -> bool {
    unit.split_once('/').is_some_and(|(mass, volume)| {
        matches!(mass, "g" | "mg" | "ug" | "ng" | "pg" | "kg") && matches!(volume, "L" | "mL" | "uL" | "dL" | "nL")
    })
}

/// A UCUM code as the Allotrope vocabulary writes it; what it does not have stays. Where the file gives no unit
/// the model still wants one: `(unitless)`, as in published conversions.
pub(super) fn unit(code: Option<&str>) -> String {
    match code.map(str::trim).filter(|code| !code.is_empty()) {
        None | Some("1") => "(unitless)".to_owned(),
        Some("Cel") => "degC".to_owned(),
        Some("um") => "µm".to_owned(),
        Some("uL") => "μL".to_owned(),
        Some("ug/mL") => "μg/mL".to_owned(),
        Some("[pH]") => "pH".to_owned(),
        Some(code) => code.replace('*', "."),
    }
}

/// What an axis of a curve is, by its unit.
pub(super) fn concept(unit: Option<&str>) -> &'static str {
    match unit {
        Some("min" | "s" | "h" | "ms") => "retention time",
        Some("nm") => "wavelength",
        Some("1/cm" | "cm-1") => "wavenumber",
        Some("AU" | "mAU" | "uAU") => "absorbance",
        Some("pA" | "nA" | "uA" | "mA") => "electric current",
        Some("uV" | "mV" | "V") => "electric potential",
        _ => "intensity",
    }
}
