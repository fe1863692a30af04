//! From data to pixels: the range of an axis, its ticks and their texts.

use super::svg::{AXIS, Anchor, Canvas, GRID, INK, SOFT};

/// An axis: data from `low` to `high` on pixels from `start` to `end`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    start: f64,
    end: f64,
    log: bool,
}

impl Scale {
    /// The axis that holds all values, with `margin` (a share of the range) at both ends. Values that are not
    /// numbers count for nothing; without any the axis runs from 0 to 1.
    pub(super) fn over(values: impl Iterator<Item = f64>, margin: f64, (start, end): (f64, f64), log: bool) -> Self {
        let usable = values.filter(|value| value.is_finite() && (!log || *value > 0.0));
        let placed = usable.map(|value| if log { value.log10() } else { value });
        let (mut low, mut high) =
            placed.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        // One value only, or a range that floats cannot part: open it by a share of its size.
        if !(high - low).is_finite() {
            (low, high) = (low / 4.0, high / 4.0);
        }
        if high - low <= f64::EPSILON * low.abs().max(high.abs()) {
            let by = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
            (low, high) = (low - by, high + by);
        }
        let by = (high - low) * margin;
        Self { low: low - by, high: high + by, start, end, log }
    }

    /// The pixel of a value; no number where the axis has no place for it.
    pub(super) fn at(&self, value: f64) -> f64 {
        let value = if self.log { value.log10() } else { value };
        self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)
    }

    /// Ticks at 1, 2 or 5 of a power of ten (on a logarithmic axis at the powers), with their texts.
    pub(super) fn ticks(&self, about: u32) -> Vec<(f64, String)> {
        if self.log {
            return self.decades();
        }
        let rough = (self.high - self.low) / f64::from(about.max(1));
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|step| *step >= rough).unwrap_or(rough);
        if !(step.is_finite() && step > 0.0) {
            return Vec::new();
        }
        let first = (self.low / step).ceil();
        (0..64)
            .map(|n| (first + f64::from(n)) * step)
            .take_while(|value| *value <= self.high)
            .map(|value| (value, text_of(value, step)))
            .collect()
    }

    fn decades(&self) -> Vec<(f64, String)> {
        let (first, last) = (self.low.ceil(), self.high.floor());
        if first > last {
            // Less than a decade: its ends are all there is to say.
            return [self.low, self.high].map(|at| 10f64.powf(at)).map(|v| (v, format!("{v:.3e}"))).to_vec();
        }
        let every = ((last - first) / 8.0).ceil().max(1.0);
        (0..64)
            .map(|n| first + f64::from(n) * every)
            .take_while(|at| *at <= last)
            .map(|at| (10f64.powf(at), power_text(at)))
            .collect()
    }
}

fn power_text(exponent: f64) -> String {
    if (-3.0..=5.0).contains(&exponent) {
        text_of(10f64.powf(exponent), 10f64.powf(exponent))
    } else {
        format!("1e{exponent}")
    }
}

/// A tick with as many decimals as its step has; very large and very small ones by powers of ten.
fn text_of(value: f64, step: f64) -> String {
    if value.abs() < step / 1e3 {
        return "0".to_owned();
    }
    if !(1e-4..1e7).contains(&value.abs()) {
        return format!("{value:.1e}").replace(".0e", "e");
    }
    let decimals = (-step.log10().floor()).clamp(0.0, 9.0);
    // Truncation is meant: the decimals are a whole number from 0 to 9.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let decimals = decimals as usize;
    format!("{value:.decimals$}")
}

/// Frame, grid, ticks and labels of a panel.
pub(super) struct Panel<'a> {
    pub(super) x: Scale,
    pub(super) y: Scale,
    pub(super) x_label: &'a str,
    pub(super) y_label: &'a str,
    /// Whether the abscissa's numbers are written below; a panel above another uses the numbers of the lower one.
    pub(super) numbered: bool,
}

impl Panel<'_> {
    pub(super) fn draw(&self, canvas: &mut Canvas) {
        let (left, right, bottom, top) = (self.x.start, self.x.end, self.y.start, self.y.end);
        for (value, text) in self.y.ticks(5) {
            let y = self.y.at(value);
            canvas.line((left, y), (right, y), GRID, 1.0);
            canvas.text((left - 6.0, y + 4.0), &text, 11.0, SOFT, Anchor::End);
        }
        for (value, text) in self.x.ticks(9) {
            let x = self.x.at(value);
            canvas.line((x, bottom), (x, bottom + 4.0), AXIS, 1.0);
            if self.numbered {
                canvas.text((x, bottom + 17.0), &text, 11.0, SOFT, Anchor::Middle);
            }
        }
        canvas.line((left, bottom), (right, bottom), AXIS, 1.0);
        canvas.line((left, top), (left, bottom), AXIS, 1.0);
        let label = |canvas: &mut Canvas| {
            canvas.text((f64::midpoint(left, right), bottom + 36.0), self.x_label, 12.0, INK, Anchor::Middle);
        };
        if self.numbered {
            label(canvas);
        }
        canvas.upright((16.0, f64::midpoint(top, bottom)), self.y_label, 12.0, INK, Anchor::Middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(values: &[f64]) -> Vec<String> {
        let scale = Scale::over(values.iter().copied(), 0.0, (0.0, 100.0), false);
        scale.ticks(5).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_stand_at_round_numbers() {
        assert_eq!(texts(&[0.0, 10.0]), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(texts(&[0.1, 0.31]), ["0.10", "0.15", "0.20", "0.25", "0.30"]);
        assert_eq!(texts(&[-3.0, 3.0]), ["-2", "0", "2"]);
        assert_eq!(texts(&[0.0, 4e8]), ["0", "1e8", "2e8", "3e8", "4e8"]);
    }

    #[test]
    fn odd_ranges_neither_loop_nor_break() {
        for values in [&[][..], &[7.0], &[0.0], &[f64::NAN], &[-1e308, 1e308], &[1e-300, 2e-300], &[5e15, 5e15 + 1.0]] {
            let scale = Scale::over(values.iter().copied(), 0.05, (0.0, 100.0), false);
            assert!(scale.ticks(5).len() <= 64);
            assert!(values.iter().all(|value| value.is_nan() || scale.at(*value).is_finite()), "{values:?}");
        }
        let log = Scale::over([0.0, -1.0, 0.5, 2000.0].into_iter(), 0.0, (0.0, 100.0), true);
        let texts: Vec<String> = log.ticks(5).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["1", "10", "100", "1000"]);
        assert!(!log.at(-1.0).is_finite());
    }
}
