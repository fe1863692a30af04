//! Plots as SVG text (色谱图、校准曲线、微孔板图): data in, picture out. Pure.
//!
//! Coordinates are binary floats because a picture has only pixels; no number of a picture is calculated with
//! afterwards, and every number that is printed as a value is the text of its source (`0.0120`, `<0.05`), handed
//! through unchanged. Numbers at the axes are those of the scale.
//!
//! The SVG is written by hand and not by a charting crate: a page, a screen reader and the typesetter of
//! certificates read the same text, so it needs `<title>` and `<desc>`, presentation attributes only (pages forbid
//! inline styles), fonts by family, no ids that could meet those of another picture, and a trace of a hundred
//! thousand points in a few kilobytes that keeps its extremes. `plotters` offers none of these with its SVG
//! backend.

mod calibration;
mod chromatogram;
mod plate;
mod scale;
mod svg;

pub use calibration::{CalibrationPoint, CurvePlot, calibration};
pub use chromatogram::{Chromatogram, Peak, Trace, chromatogram};
pub use plate::{DrawnWell, Plate, plate, well_at, well_name};

/// `label`, with its unit where the file gives one: `保留时间 Retention time (min)`.
#[must_use]
pub fn with_unit(label: &str, unit: Option<&str>) -> String {
    match unit.map(str::trim).filter(|unit| !unit.is_empty() && *unit != "1") {
        Some(unit) => format!("{label} ({unit})"),
        None => label.to_owned(),
    }
}

/// The binary float nearest to a decimal text, for a place in a picture and for nothing else. `None` where the
/// text is not a number.
#[must_use]
pub fn coordinate(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}
