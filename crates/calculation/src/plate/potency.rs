//! Relative potency of a sample against a standard, with 95 % confidence limits and the tests of validity of the
//! pharmacopoeia's statistics of bioassay (ChP 1431), for completely randomised designs. In f64.

use nalgebra::{DMatrix, DVector};
use statrs::distribution::{ChiSquared, ContinuousCDF, FisherSnedecor, StudentsT};

use super::curve::{Weighed, logistic, logistic_start, minimise};

/// Dose and response of the standard or the sample.
pub type Doses = [(f64, f64)];

/// One line of the analysis of variance.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    pub name: &'static str,
    pub squares: f64,
    pub freedom: u32,
    pub f: Option<f64>,
    pub p: Option<f64>,
}

/// The ratio of the sample's potency to its assumed one.
#[derive(Clone, Debug, PartialEq)]
pub struct Potency {
    pub ratio: f64,
    pub lower: f64,
    pub upper: f64,
    /// lg ratio and its standard error.
    pub log_ratio: f64,
    pub standard_error: f64,
    pub freedom: u32,
    pub tests: Vec<Test>,
    /// The curves' parameters, for the record.
    pub parameters: Vec<(&'static str, f64)>,
    pub r_squared: f64,
}

impl Potency {
    /// 可信限率: half the confidence interval in per cent of the potency.
    #[must_use]
    pub fn fl_percent(&self) -> f64 {
        (self.upper - self.lower) / (2.0 * self.ratio) * 100.0
    }

    /// A test by its name.
    #[must_use]
    pub fn test(&self, name: &str) -> Option<&Test> {
        self.tests.iter().find(|test| test.name == name)
    }
}

/// The two-sided 95 % point of Student's t.
#[must_use]
pub fn t95(freedom: u32) -> Option<f64> {
    StudentsT::new(0.0, 1.0, f64::from(freedom)).ok().map(|t| t.inverse_cdf(0.975))
}

fn f_test(name: &'static str, squares: f64, freedom: u32, error: f64, error_freedom: u32) -> Test {
    let squares = squares.max(0.0);
    let f = if freedom == 0 { None } else { Some(squares / f64::from(freedom) / error) };
    // Exact data have no error: the test says nothing, or everything.
    let f = f.filter(|f| !f.is_nan());
    let p = f.and_then(|f| {
        let distribution = FisherSnedecor::new(f64::from(freedom), f64::from(error_freedom)).ok()?;
        Some(if f.is_infinite() { 0.0 } else { distribution.sf(f) })
    });
    Test { name, squares, freedom, f, p }
}

/// The residual sum of squares of a linear model with these columns; none where they are not independent.
fn residual(columns: &[Vec<f64>], y: &[f64]) -> Option<f64> {
    let x = DMatrix::from_fn(y.len(), columns.len(), |row, column| {
        columns.get(column).and_then(|values| values.get(row)).copied().unwrap_or(0.0)
    });
    let y = DVector::from_column_slice(y);
    let solved = (x.transpose() * &x).cholesky()?.solve(&(x.transpose() * &y));
    Some((y - x * solved).norm_squared())
}

/// The sum of squares within wells of one preparation and one dose, with its degrees of freedom and the levels.
fn within(standard: &Doses, sample: &Doses) -> (f64, u32, u32) {
    let (mut squares, mut freedom, mut levels) = (0.0, 0_u32, 0_u32);
    for preparation in [standard, sample] {
        let mut doses: Vec<f64> = preparation.iter().map(|one| one.0).collect();
        doses.sort_by(f64::total_cmp);
        doses.dedup();
        for dose in doses {
            let values: Vec<f64> = preparation.iter().filter(|one| one.0 == dose).map(|one| one.1).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            squares += values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
            freedom += u32::try_from(values.len()).unwrap_or(1).saturating_sub(1);
            levels += 1;
        }
    }
    (squares, freedom, levels)
}

/// Why no potency can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPotency {
    /// Too few doses or replicates, or doses that are not above zero.
    Design,
    /// The curves cannot be fitted.
    NoFit,
    /// The slope is not different from nothing: there are no confidence limits.
    NoLimits,
}

/// Parallel lines: response over lg dose. Limits by Fieller's theorem, tests against the variance within doses.
///
/// # Errors
/// Where the design or the slope does not allow it.
pub fn parallel_line(standard: &Doses, sample: &Doses) -> Result<Potency, NoPotency> {
    if standard.iter().chain(sample).any(|(dose, response)| *dose <= 0.0 || !response.is_finite()) {
        return Err(NoPotency::Design);
    }
    let y: Vec<f64> = standard.iter().chain(sample).map(|one| one.1).collect();
    let is = |wanted: bool| -> Vec<f64> {
        let marks = std::iter::repeat_n(wanted, standard.len()).chain(std::iter::repeat_n(!wanted, sample.len()));
        marks.map(|mark| f64::from(u8::from(mark))).collect()
    };
    let (of_standard, of_sample) = (is(true), is(false));
    let logs = |doses: &Doses| doses.iter().map(|one| one.0.log10()).collect::<Vec<f64>>();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (x_standard, x_sample) = (logs(standard), logs(sample));
    let (middle_s, middle_t) = (mean(&x_standard), mean(&x_sample));
    // Centred in each preparation: the columns are then nearly independent.
    let x: Vec<f64> = x_standard.iter().map(|x| x - middle_s).chain(x_sample.iter().map(|x| x - middle_t)).collect();
    let both = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).collect::<Vec<f64>>();
    let square = both(&x, &x);
    let (slope_s, slope_t) = (both(&x, &of_standard), both(&x, &of_sample));
    let rss = |columns: &[&Vec<f64>]| residual(&columns.iter().map(|one| (*one).clone()).collect::<Vec<_>>(), &y);
    let none = || NoPotency::Design;
    let total = rss(&[&vec![1.0; y.len()]]).ok_or_else(none)?;
    let intercepts = rss(&[&of_standard, &of_sample]).ok_or_else(none)?;
    let common = rss(&[&of_standard, &of_sample, &x]).ok_or_else(none)?;
    let separate = rss(&[&of_standard, &of_sample, &slope_s, &slope_t]).ok_or_else(none)?;
    let (error, error_freedom, levels) = within(standard, sample);
    if error_freedom == 0 || levels < 4 {
        return Err(none());
    }
    let variance = error / f64::from(error_freedom);
    let test = |name, squares, freedom| f_test(name, squares, freedom, variance, error_freedom);
    let mut tests = vec![
        test("preparations", total - intercepts, 1),
        test("regression", intercepts - common, 1),
        test("parallelism", common - separate, 1),
    ];
    // Three doses or more of each: curvature, common and opposed; what remains is lack of fit.
    let curved = rss(&[&of_standard, &of_sample, &slope_s, &slope_t, &square]);
    let opposed =
        rss(&[&of_standard, &of_sample, &slope_s, &slope_t, &both(&square, &of_standard), &both(&square, &of_sample)]);
    if let (Some(curved), Some(opposed), true) = (curved, opposed, levels >= 6) {
        tests.push(test("quadratic", separate - curved, 1));
        tests.push(test("opposed_quadratic", curved - opposed, 1));
        if levels > 6 {
            tests.push(test("lack_of_fit", opposed - error, levels - 6));
        }
    } else if levels > 4 {
        tests.push(test("quadratic", separate - error, levels - 4));
    }
    tests.push(Test { name: "error", squares: error, freedom: error_freedom, f: None, p: None });
    let spread: f64 = square.iter().sum();
    let slope = both(&x, &y).iter().sum::<f64>() / spread;
    let y_mean = |marks: &[f64]| both(marks, &y).iter().sum::<f64>() / marks.iter().sum::<f64>();
    let ratio = (y_mean(&of_sample) - y_mean(&of_standard)) / slope;
    let t = t95(error_freedom).ok_or_else(none)?;
    let g = t * t * variance / (slope * slope * spread);
    if g.is_nan() || g >= 1.0 || !ratio.is_finite() {
        return Err(NoPotency::NoLimits);
    }
    let groups = 1.0 / standard.len() as f64 + 1.0 / sample.len() as f64;
    let half = t * variance.sqrt() / slope.abs() * (groups * (1.0 - g) + ratio * ratio / spread).sqrt();
    let shift = middle_s - middle_t;
    let (low, high) = (shift + (ratio - half) / (1.0 - g), shift + (ratio + half) / (1.0 - g));
    Ok(Potency {
        ratio: 10_f64.powf(shift + ratio),
        lower: 10_f64.powf(low),
        upper: 10_f64.powf(high),
        log_ratio: shift + ratio,
        standard_error: (high - low) / (2.0 * t),
        freedom: error_freedom,
        tests,
        parameters: vec![
            ("a_standard", y_mean(&of_standard) - slope * middle_s),
            ("a_sample", y_mean(&of_sample) - slope * middle_t),
            ("b", slope),
        ],
        r_squared: 1.0 - separate / total,
    })
}

/// Two four-parameter curves that differ in their doses only. Limits by the delta method on the logarithm; the test of
/// parallelism compares with two free curves.
///
/// # Errors
/// Where the design does not allow it or no curve can be fitted.
pub fn parallel_curve(standard: &Doses, sample: &Doses) -> Result<Potency, NoPotency> {
    let weigh = |doses: &Doses| doses.iter().map(|(x, y)| (*x, *y, 1.0)).collect::<Vec<Weighed>>();
    let all: Vec<Weighed> = weigh(standard).into_iter().chain(weigh(sample)).collect();
    let n = u32::try_from(all.len()).unwrap_or(u32::MAX);
    if n <= 8 || all.iter().any(|(x, y, _)| *x < 0.0 || !y.is_finite()) {
        return Err(NoPotency::Design);
    }
    let of_standard = standard.len();
    // a, b, ln c of the standard, d, ln ratio
    let shared = |p: &[f64], index: usize, gradient: &mut [f64]| {
        let [a, b, ln_c, d, ln_ratio] = *p.first_chunk::<5>().unwrap_or(&[f64::NAN; 5]);
        let x = all.get(index).map_or(f64::NAN, |point| point.0);
        let sample = index >= of_standard;
        let mut five = [0.0; 5];
        let fitted = logistic(&[a, b, if sample { ln_c - ln_ratio } else { ln_c }, d, 0.0], x, &mut five);
        let by_c = five[2];
        gradient.copy_from_slice(&[five[0], five[1], by_c, five[3], if sample { -by_c } else { 0.0 }]);
        fitted
    };
    let start_s = logistic_start(&weigh(standard)).ok_or(NoPotency::Design)?;
    let start_t = logistic_start(&weigh(sample)).ok_or(NoPotency::Design)?;
    let starts = [1.0, 0.5, 2.0, 4.0].map(|b| [start_s[0], b, start_s[2], start_s[3], start_s[2] - start_t[2]]);
    let best =
        starts.iter().filter_map(|start| minimise(&all, start, &shared)).min_by(|a, b| a.squares.total_cmp(&b.squares));
    let reduced = best.ok_or(NoPotency::NoFit)?;
    let free = |points: Vec<Weighed>, start: [f64; 4]| {
        let response = |p: &[f64], index: usize, gradient: &mut [f64]| {
            let [a, b, ln_c, d] = *p.first_chunk::<4>().unwrap_or(&[f64::NAN; 4]);
            let x = points.get(index).map_or(f64::NAN, |point| point.0);
            let mut five = [0.0; 5];
            let fitted = logistic(&[a, b, ln_c, d, 0.0], x, &mut five);
            gradient.copy_from_slice(&five[..4]);
            fitted
        };
        let from_shared = reduced.parameters.first_chunk::<4>().copied().unwrap_or(start);
        let starts = [from_shared, start, [start[0], 2.0, start[2], start[3]]];
        let found = starts.iter().filter_map(|start| minimise(&points, start, &response)).map(|found| found.squares);
        found.min_by(f64::total_cmp)
    };
    let squares_s = free(weigh(standard), start_s).ok_or(NoPotency::NoFit)?;
    let squares_t = free(weigh(sample), start_t).ok_or(NoPotency::NoFit)?;
    let full = squares_s + squares_t;
    let mean = all.iter().map(|point| point.1).sum::<f64>() / f64::from(n);
    let total: f64 = all.iter().map(|point| (point.1 - mean).powi(2)).sum();
    let full_variance = full / f64::from(n - 8);
    let mut tests = vec![
        f_test("regression", total - reduced.squares, 4, reduced.squares / f64::from(n - 5), n - 5),
        f_test("parallelism", reduced.squares - full, 3, full_variance, n - 8),
    ];
    let (error, error_freedom, levels) = within(standard, sample);
    if error_freedom > 0 && levels > 8 {
        let variance = error / f64::from(error_freedom);
        tests.push(f_test("lack_of_fit", full - error, levels - 8, variance, error_freedom));
    }
    tests.push(Test { name: "error", squares: reduced.squares, freedom: n - 5, f: None, p: None });
    let variance = reduced.squares / f64::from(n - 5);
    let parameter = |k: usize| reduced.parameters.get(k).copied().unwrap_or(f64::NAN);
    let ln_ratio = parameter(4);
    let error = (reduced.inverse[(4, 4)] * variance).sqrt();
    let t = t95(n - 5).ok_or(NoPotency::Design)?;
    if !ln_ratio.is_finite() || !error.is_finite() {
        return Err(NoPotency::NoFit);
    }
    Ok(Potency {
        ratio: ln_ratio.exp(),
        lower: (ln_ratio - t * error).exp(),
        upper: (ln_ratio + t * error).exp(),
        log_ratio: ln_ratio / std::f64::consts::LN_10,
        standard_error: error / std::f64::consts::LN_10,
        freedom: n - 5,
        tests,
        parameters: vec![
            ("a", parameter(0)),
            ("b", parameter(1)),
            ("c_standard", parameter(2).exp()),
            ("d", parameter(3)),
        ],
        r_squared: 1.0 - reduced.squares / total,
    })
}

/// Several independent assays of one sample together.
#[derive(Clone, Debug, PartialEq)]
pub struct Combined {
    /// lg of the combined potency.
    pub log_potency: f64,
    pub standard_error: f64,
    pub freedom: u32,
    pub lower: f64,
    pub upper: f64,
    /// Heterogeneity: χ² with n − 1 degrees of freedom and its P.
    pub chi_squared: f64,
    pub p: f64,
    /// Whether the weights allow for a variance between the assays.
    pub semi_weighted: bool,
}

/// Combines assays given as lg potency, its standard error and degrees of freedom: weights W = 1/S²; where they are
/// not homogeneous (P < 0.05), W′ = 1/(S² + V) with the variance V between them.
#[must_use]
pub fn combine(assays: &[(f64, f64, u32)]) -> Option<Combined> {
    let n = assays.len();
    if n < 2 || assays.iter().any(|(m, s, _)| !m.is_finite() || !s.is_finite() || *s <= 0.0) {
        return None;
    }
    let weighted = |between: f64| {
        let weights: f64 = assays.iter().map(|(_, s, _)| 1.0 / (s * s + between)).sum();
        let mean = assays.iter().map(|(m, s, _)| m / (s * s + between)).sum::<f64>() / weights;
        (mean, weights)
    };
    let (mean, weights) = weighted(0.0);
    let chi_squared: f64 = assays.iter().map(|(m, s, _)| (m - mean).powi(2) / (s * s)).sum();
    let p = ChiSquared::new((n - 1) as f64).ok()?.sf(chi_squared);
    let simple = assays.iter().map(|(m, ..)| m).sum::<f64>() / n as f64;
    let spread = assays.iter().map(|(m, ..)| (m - simple).powi(2)).sum::<f64>() / (n - 1) as f64;
    let inner = assays.iter().map(|(_, s, _)| s * s).sum::<f64>() / n as f64;
    let semi_weighted = p < 0.05;
    // Where the difference is not above zero the second term is left out.
    let between = if spread > inner { spread - inner } else { spread };
    let (mean, weights) = if semi_weighted { weighted(between) } else { (mean, weights) };
    let freedom = assays.iter().map(|(_, _, freedom)| freedom).sum();
    let error = (1.0 / weights).sqrt();
    let t = t95(freedom)?;
    Some(Combined {
        log_potency: mean,
        standard_error: error,
        freedom,
        lower: 10_f64.powf(mean - t * error),
        upper: 10_f64.powf(mean + t * error),
        chi_squared,
        p,
        semi_weighted,
    })
}
