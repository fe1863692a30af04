//! A calibration: points, the fitted line or curve, and below it the residuals.

use super::scale::{Panel, Scale};
use super::svg::{AXIS, Anchor, COLOURS, Canvas, INK, SOFT, fitted, width_of};

/// A calibration with its residuals.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CurvePlot {
    /// What it shows.
    pub title: String,
    /// What else a reader who does not see it should know, e.g. the equation.
    pub desc: String,
    /// The standards.
    pub points: Vec<CalibrationPoint>,
    /// The fitted line or curve, point by point in the order of the abscissa.
    pub curve: Vec<(f64, f64)>,
    /// Label of the abscissa with its unit.
    pub x_label: String,
    /// Label of the ordinate with its unit.
    pub y_label: String,
    /// Whether the abscissa is logarithmic, as for dose–response curves.
    pub x_log: bool,
    /// Lines printed in the picture as they are: equation, r², range.
    pub notes: Vec<String>,
}

/// One standard.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CalibrationPoint {
    /// Place on the abscissa.
    pub x: f64,
    /// Place on the ordinate.
    pub y: f64,
    /// Measured less fitted, in the ordinate's unit; `None` where the point took no part.
    pub residual: Option<f64>,
    /// What the point is, shown under the pointer.
    pub label: String,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 470.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = 624.0;

/// Draws a calibration as SVG. A point without a residual (left out of the fit) is drawn hollow.
#[must_use]
pub fn calibration(data: &CurvePlot) -> String {
    let mut canvas = Canvas::new(WIDTH, HEIGHT, &data.title, &data.desc);
    canvas.text((LEFT, 20.0), &fitted(&data.title, 13.0, RIGHT - LEFT), 13.0, INK, Anchor::Start);
    let points = || data.points.iter().filter(|point| point.x.is_finite() && point.y.is_finite());
    let xs = points().map(|point| point.x).chain(data.curve.iter().map(|(x, _)| *x));
    let ys = points().map(|point| point.y).chain(data.curve.iter().map(|(_, y)| *y));
    let x = Scale::over(xs, 0.03, (LEFT, RIGHT), data.x_log);
    let y = Scale::over(ys, 0.05, (300.0, 34.0), false);
    // Zero belongs to the residuals, or their sign could not be seen.
    let residuals = points().filter_map(|point| point.residual);
    let below = Scale::over(residuals.chain([0.0]), 0.15, (424.0, 330.0), false);
    Panel { x, y, x_label: "", y_label: &data.y_label, numbered: false }.draw(&mut canvas);
    Panel { x, y: below, x_label: &data.x_label, y_label: "残差 Residual", numbered: true }.draw(&mut canvas);
    canvas.line((LEFT, below.at(0.0)), (RIGHT, below.at(0.0)), SOFT, 1.2);
    let curve: Vec<(f64, f64)> = data.curve.iter().map(|(cx, cy)| (x.at(*cx), y.at(*cy))).collect();
    canvas.path(&curve, COLOURS[0], 1.5);
    for point in points().filter(|point| x.at(point.x).is_finite()) {
        let px = x.at(point.x);
        let fill = if point.residual.is_some() { COLOURS[1] } else { AXIS };
        canvas.dot((px, y.at(point.y)), 4.0, fill, &point.label);
        if let Some(residual) = point.residual.filter(|residual| residual.is_finite()) {
            canvas.line((px, below.at(0.0)), (px, below.at(residual)), COLOURS[1], 1.2);
            canvas.dot((px, below.at(residual)), 3.2, COLOURS[1], &point.label);
        }
    }
    let widest = data.notes.iter().map(|note| width_of(note, 11.0)).fold(0.0, f64::max).min(RIGHT - LEFT - 16.0);
    for (line, note) in (0u32..).zip(&data.notes) {
        let at = (LEFT + 10.0, 48.0 + f64::from(line) * 15.0);
        canvas.text(at, &fitted(note, 11.0, widest), 11.0, INK, Anchor::Start);
    }
    canvas.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn straight() -> CurvePlot {
        let point = |x: f64, residual: Option<f64>| CalibrationPoint {
            x,
            y: 2.0 * x + residual.unwrap_or(5.0),
            residual,
            label: format!("对照 {x}"),
        };
        CurvePlot {
            title: "校准曲线".into(),
            desc: "y = 2x".into(),
            points: vec![point(1.0, Some(0.1)), point(2.0, Some(-0.2)), point(4.0, Some(0.1)), point(3.0, None)],
            curve: vec![(0.0, 0.0), (4.5, 9.0)],
            x_label: "浓度 Concentration (ug/mL)".into(),
            y_label: "峰面积 Area".into(),
            x_log: false,
            notes: vec!["y = 2x".into()],
        }
    }

    #[test]
    fn points_line_and_residuals_are_drawn() {
        let svg = calibration(&straight());
        // Four standards, and a residual for each of the three that took part.
        assert_eq!(svg.matches("<circle").count(), 4 + 3);
        assert_eq!(svg.matches("<path").count(), 1);
        assert!(svg.contains("残差 Residual") && svg.contains("浓度 Concentration (ug/mL)"));
        assert!(svg.contains("<title>对照 2</title>") && svg.contains("y = 2x"));
    }

    #[test]
    fn a_dose_of_zero_has_no_place_on_a_logarithmic_axis() {
        let mut data = straight();
        data.x_log = true;
        data.points.push(CalibrationPoint { x: 0.0, y: 0.0, residual: Some(0.0), label: "空白".into() });
        let svg = calibration(&data);
        assert!(!svg.contains("空白") && !svg.contains("inf") && !svg.contains("NaN"));
        assert!(calibration(&CurvePlot::default()).ends_with("</svg>"));
    }
}
