//! A chromatogram: signals over time, with the peaks that the file names.

use super::scale::{Panel, Scale};
use super::svg::{Anchor, COLOURS, Canvas, INK, SOFT, fitted, width_of};

/// A chromatogram, or a spectrum: any ordinate over any abscissa.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chromatogram {
    /// What it shows, for people who see it and for those who hear it.
    pub title: String,
    /// What else a reader who does not see it should know.
    pub desc: String,
    /// Label of the abscissa with its unit as the file has it.
    pub x_label: String,
    /// Label of the ordinate with its unit as the file has it.
    pub y_label: String,
    /// The signals, all of the same units.
    pub traces: Vec<Trace>,
    /// The peaks that the file names.
    pub peaks: Vec<Peak>,
}

/// One signal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// The signal's name as the file has it.
    pub name: String,
    /// Abscissa and ordinate in the order of the file; a point that is not a number lifts the pen.
    pub points: Vec<(f64, f64)>,
}

/// A peak as the file names it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Peak {
    /// Component's name; a peak without one is marked by its time alone.
    pub name: String,
    /// Place on the abscissa.
    pub at: f64,
    /// The retention time as written in the file.
    pub text: String,
    /// Which trace it belongs to, by its place in [`Chromatogram::traces`].
    pub trace: usize,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 74.0;
const RIGHT: f64 = 744.0;
const BOTTOM: f64 = 350.0;
/// Room above the signals for the labels of peaks.
const LABEL: f64 = 112.0;

/// Draws a chromatogram as SVG. Long traces are drawn by the smallest and the largest value of every pixel column,
/// so that no peak is lost.
#[must_use]
pub fn chromatogram(data: &Chromatogram) -> String {
    let mut canvas = Canvas::new(WIDTH, HEIGHT, &data.title, &data.desc);
    canvas.text((LEFT, 20.0), &fitted(&data.title, 13.0, RIGHT - LEFT), 13.0, INK, Anchor::Start);
    let legend = data.traces.len() > 1;
    let named = data.peaks.iter().any(|peak| !peak.name.is_empty() || !peak.text.is_empty());
    // The labels of peaks run upwards above the highest signal.
    let top = 32.0 + if legend { 18.0 } else { 0.0 };
    let signal_top = top + if named { LABEL + 8.0 } else { 8.0 };
    let points = || data.traces.iter().flat_map(|trace| &trace.points).filter(|(x, y)| x.is_finite() && y.is_finite());
    let x = Scale::over(points().map(|(x, _)| *x), 0.0, (LEFT, RIGHT), false);
    let y = Scale::over(points().map(|(_, y)| *y), 0.03, (BOTTOM, signal_top), false);
    Panel { x, y, x_label: &data.x_label, y_label: &data.y_label, numbered: true }.draw(&mut canvas);
    for (index, trace) in data.traces.iter().enumerate() {
        let placed: Vec<(f64, f64)> = trace.points.iter().map(|(px, py)| (x.at(*px), y.at(*py))).collect();
        canvas.path(&thinned(&placed), colour(index), 1.2);
    }
    if legend {
        draw_legend(&mut canvas, &data.traces);
    }
    draw_peaks(&mut canvas, data, (x, y));
    if points().next().is_none() {
        let at = (f64::midpoint(LEFT, RIGHT), f64::midpoint(signal_top, BOTTOM));
        canvas.text(at, "没有数据点 no points", 12.0, SOFT, Anchor::Middle);
    }
    canvas.finish()
}

fn colour(index: usize) -> &'static str {
    COLOURS.get(index % COLOURS.len()).copied().unwrap_or(INK)
}

fn draw_legend(canvas: &mut Canvas, traces: &[Trace]) {
    let mut at = LEFT;
    for (index, trace) in traces.iter().enumerate() {
        let name = fitted(&trace.name, 11.0, 180.0);
        let wide = 30.0 + width_of(&name, 11.0);
        if at + wide > RIGHT {
            canvas.text((at, 38.0), "…", 11.0, SOFT, Anchor::Start);
            break;
        }
        canvas.line((at, 34.0), (at + 16.0, 34.0), colour(index), 2.0);
        canvas.text((at + 20.0, 38.0), &name, 11.0, INK, Anchor::Start);
        at += wide;
    }
}

/// Marks every peak; where labels would cover each other, those of the lower peaks are left out of the picture and
/// stay under the pointer.
fn draw_peaks(canvas: &mut Canvas, data: &Chromatogram, (x, y): (Scale, Scale)) {
    let mut marked: Vec<(f64, f64, &Peak)> = data
        .peaks
        .iter()
        .filter_map(|peak| {
            let height = apex(data.traces.get(peak.trace)?, peak.at)?;
            let (px, py) = (x.at(peak.at), y.at(height));
            ((LEFT..=RIGHT).contains(&px) && py.is_finite()).then_some((px, py, peak))
        })
        .collect();
    marked.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut labelled: Vec<f64> = Vec::new();
    for (px, py, peak) in marked {
        let label = [peak.name.trim(), peak.text.trim()].into_iter().filter(|part| !part.is_empty());
        let label = label.collect::<Vec<_>>().join(" ");
        canvas.dot((px, py), 2.2, colour(peak.trace), &label);
        if labelled.iter().all(|other| (other - px).abs() >= 11.0) {
            // The time is never cut: it tells the peaks apart.
            let time = peak.text.trim();
            let name = fitted(peak.name.trim(), 10.5, LABEL - width_of(time, 10.5) - 6.0);
            canvas.upright((px + 4.0, py - 6.0), format!("{name} {time}").trim(), 10.5, INK, Anchor::Start);
            labelled.push(px);
        }
    }
}

/// The signal's height at a time: of the nearest point.
fn apex(trace: &Trace, at: f64) -> Option<f64> {
    let usable = trace.points.iter().filter(|(px, py)| px.is_finite() && py.is_finite());
    usable.min_by(|a, b| (a.0 - at).abs().total_cmp(&(b.0 - at).abs())).map(|(_, height)| *height)
}

/// Points in pixels with at most four in a column: the first, the lowest, the highest and the last, in the order
/// in which they came. Whichever way the abscissa runs, nothing that could be seen is lost.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut kept = Vec::with_capacity(points.len().min(4096));
    let column =
        |point: &(f64, f64)| if point.0.is_finite() && point.1.is_finite() { point.0.floor() } else { f64::NAN };
    for run in points.chunk_by(|a, b| column(a) == column(b)) {
        let by = |order: fn(&f64, &f64) -> std::cmp::Ordering| {
            run.iter().enumerate().min_by(|a, b| order(&a.1.1, &b.1.1)).map_or(0, |(index, _)| index)
        };
        let mut chosen = [0, by(|a, b| a.total_cmp(b)), by(|a, b| b.total_cmp(a)), run.len().saturating_sub(1)];
        chosen.sort_unstable();
        let mut last = None;
        for index in chosen {
            if last != Some(index) {
                kept.extend(run.get(index));
            }
            last = Some(index);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points of all paths of a picture.
    fn drawn(svg: &str) -> Vec<(f64, f64)> {
        let mut found: Vec<(f64, f64)> = Vec::new();
        for path in svg.split("<path d=\"").skip(1) {
            for stroke in path.split('"').next().unwrap_or_default().split('M').filter(|stroke| !stroke.is_empty()) {
                let numbers = stroke.replace('-', " -").replace('l', " ");
                let numbers: Vec<f64> = numbers.split_whitespace().map(|n| n.parse().expect("a number")).collect();
                let mut at = (0.0, 0.0);
                for pair in numbers.chunks_exact(2) {
                    at = (at.0 + pair[0], at.1 + pair[1]);
                    found.push(at);
                }
            }
        }
        found
    }

    fn spike() -> Chromatogram {
        // A spike of one point among a hundred thousand, and a dip: both must be seen.
        let height = |n: u32| match n {
            43_210 => 900.0,
            77_000 => -40.0,
            n => f64::from(n % 7) * 0.01,
        };
        let points = (0..100_000).map(|n| (f64::from(n) * 0.0001, height(n))).collect();
        Chromatogram {
            title: "对照 <A> & B".into(),
            desc: "UV_VIS_1".into(),
            x_label: "保留时间 Retention time (min)".into(),
            y_label: "信号 Signal (mAU)".into(),
            traces: vec![Trace { name: "UV".into(), points }],
            peaks: vec![Peak { name: "主成分".into(), at: 4.321, text: "4.3210".into(), trace: 0 }],
        }
    }

    #[test]
    fn a_long_trace_keeps_its_extremes_and_little_else() {
        let svg = chromatogram(&spike());
        let points = drawn(&svg);
        assert!(points.len() < 4 * 700 && svg.len() < 32_000, "{} points, {} bytes", points.len(), svg.len());
        let highest = points.iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
        let lowest = points.iter().map(|p| p.1).fold(f64::NEG_INFINITY, f64::max);
        // 900 and -40 with 3 % margin, on the panel's pixels from 350 up to 152.
        assert!((highest - 157.6).abs() < 0.2 && (lowest - 344.4).abs() < 0.2, "{highest} {lowest}");
        assert!(svg.contains("主成分 4.3210") && svg.contains("<title>对照 &lt;A&gt; &amp; B</title>"));
        assert!(svg.contains("Retention time (min)") && !svg.contains("style="));
    }

    #[test]
    fn the_pen_is_lifted_where_a_point_is_no_number() {
        let points = vec![(0.0, 1.0), (1.0, f64::NAN), (2.0, 3.0), (3.0, 2.0)];
        let svg = chromatogram(&Chromatogram {
            traces: vec![Trace { name: String::new(), points }],
            ..Chromatogram::default()
        });
        let d = svg.split("<path d=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a path");
        assert_eq!(d.matches('M').count(), 2);
        // A point on its own is drawn as a line of no length.
        assert_eq!(drawn(&svg).len(), 1 + 1 + 2);
    }

    #[test]
    fn without_points_it_says_so() {
        let svg = chromatogram(&Chromatogram::default());
        assert!(svg.contains("没有数据点") && svg.ends_with("</svg>") && !svg.contains("NaN"));
    }

    #[test]
    fn labels_that_would_cover_each_other_are_left_under_the_pointer() {
        let mut data = spike();
        for n in 0..40 {
            data.peaks.push(Peak { name: format!("P{n}"), at: 5.0 + f64::from(n) * 0.01, text: "5".into(), trace: 0 });
        }
        let svg = chromatogram(&data);
        assert_eq!(svg.matches("<circle").count(), 41);
        assert!(svg.matches("rotate(-90)").count() < 12);
    }

    proptest::proptest! {
        #[test]
        fn thinning_never_loses_the_extremes(ys in proptest::collection::vec(-1e6f64..1e6, 1..3000)) {
            let points: Vec<(f64, f64)> = ys.iter().enumerate().map(|(n, y)| (n as f64 / 10.0, *y)).collect();
            let kept = thinned(&points);
            let of = |points: &[(f64, f64)], pick: fn(f64, f64) -> f64| points.iter().map(|p| p.1).reduce(pick);
            proptest::prop_assert_eq!(of(&points, f64::min), of(&kept, f64::min));
            proptest::prop_assert_eq!(of(&points, f64::max), of(&kept, f64::max));
            proptest::prop_assert!(kept.len() <= 4 * (points.len() / 10 + 1));
            proptest::prop_assert_eq!((points.first(), points.last()), (kept.first(), kept.last()));
        }
    }
}
