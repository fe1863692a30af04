//! Standard curves: straight lines, log-log, four- and five-parameter logistic, by weighted least squares in f64.

use levenberg_marquardt::{LeastSquaresProblem, LevenbergMarquardt, TerminationReason};
use nalgebra::{DMatrix, DVector, Dyn, Owned};

/// The form of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// y = a + b·x
    Linear,
    /// lg y = a + b·lg x
    LogLog,
    /// y = d + (a − d) ÷ (1 + (x/c)^b)
    FourParameter,
    /// y = d + (a − d) ÷ (1 + (x/c)^b)^g
    FiveParameter,
}

impl Model {
    /// Its word in the record.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Model::Linear => "linear",
            Model::LogLog => "log_log",
            Model::FourParameter => "four_parameter",
            Model::FiveParameter => "five_parameter",
        }
    }

    /// Its parameters' names.
    #[must_use]
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Model::Linear | Model::LogLog => &["a", "b"],
            Model::FourParameter => &["a", "b", "c", "d"],
            Model::FiveParameter => &["a", "b", "c", "d", "g"],
        }
    }

    /// Its equation.
    #[must_use]
    pub fn equation(self) -> &'static str {
        match self {
            Model::Linear => "y = a + b·x",
            Model::LogLog => "lg y = a + b·lg x",
            Model::FourParameter => "y = d + (a − d) ÷ (1 + (x÷c)^b)",
            Model::FiveParameter => "y = d + (a − d) ÷ (1 + (x÷c)^b)^g",
        }
    }
}

/// A point: x, y and its weight.
pub type Weighed = (f64, f64, f64);

/// A fitted curve.
#[derive(Clone, Debug)]
pub struct Fit {
    pub model: Model,
    /// In the order of [`Model::names`].
    pub parameters: Vec<f64>,
    pub errors: Vec<f64>,
    /// The correlation coefficient, of lines.
    pub r: Option<f64>,
    pub r_squared: f64,
    /// The lowest and the highest x that it rests on.
    pub range: (f64, f64),
}

/// What x a response stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Back {
    Number(f64),
    /// Below the lowest standard.
    Below(f64),
    /// Above the highest standard.
    Above(f64),
}

impl Fit {
    /// The response at x.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        match (self.model, self.parameters.as_slice()) {
            (Model::Linear, [a, b]) => a + b * x,
            (Model::LogLog, [a, b]) => 10_f64.powf(a + b * x.log10()),
            (Model::FourParameter, [a, b, c, d]) => logistic(&[*a, *b, c.ln(), *d, 0.0], x, &mut [0.0; 5]),
            (Model::FiveParameter, [a, b, c, d, g]) => logistic(&[*a, *b, c.ln(), *d, g.ln()], x, &mut [0.0; 5]),
            _ => f64::NAN,
        }
    }

    /// The x without regard to the range; none where the curve never has that response.
    #[must_use]
    pub fn inverse(&self, y: f64) -> Option<f64> {
        let x = match (self.model, self.parameters.as_slice()) {
            (Model::Linear, [a, b]) => (y - a) / b,
            (Model::LogLog, [a, b]) => 10_f64.powf((y.log10() - a) / b),
            (Model::FourParameter, [a, b, c, d]) => c * ((a - d) / (y - d) - 1.0).powf(1.0 / b),
            (Model::FiveParameter, [a, b, c, d, g]) => c * (((a - d) / (y - d)).powf(1.0 / g) - 1.0).powf(1.0 / b),
            _ => f64::NAN,
        };
        x.is_finite().then_some(x)
    }

    /// The x of a response, censored where it lies outside the standards.
    #[must_use]
    pub fn back(&self, y: f64) -> Back {
        let (low, high) = self.range;
        match self.inverse(y) {
            Some(x) if x < low * (1.0 - 1e-9) => Back::Below(low),
            Some(x) if x > high * (1.0 + 1e-9) => Back::Above(high),
            Some(x) => Back::Number(x),
            // Beyond an asymptote: on the side of which end is it nearer?
            None if (y - self.at(low)).abs() <= (y - self.at(high)).abs() => Back::Below(low),
            None => Back::Above(high),
        }
    }
}

/// The five-parameter logistic at x with parameters a, b, ln c, d, ln g; writes the derivatives by them.
pub fn logistic(p: &[f64; 5], x: f64, gradient: &mut [f64; 5]) -> f64 {
    let [a, b, ln_c, d, ln_g] = *p;
    let (g, distance) = (ln_g.exp(), x.ln() - ln_c);
    // At dose zero the curve is at a, and no other parameter matters.
    let u = if x > 0.0 { (b * distance).exp() } else { 0.0 };
    let base = 1.0 + u;
    let share = base.powf(-g);
    let by_u = -g * (a - d) * share / base;
    let (by_b, by_c) = if x > 0.0 { (by_u * u * distance, -by_u * u * b) } else { (0.0, 0.0) };
    *gradient = [share, by_b, by_c, 1.0 - share, -(a - d) * share * base.ln() * g];
    d + (a - d) * share
}

/// The response at the index-th point with these parameters, and its derivatives into the slice.
pub type Response<'a> = dyn Fn(&[f64], usize, &mut [f64]) -> f64 + 'a;

struct Problem<'a> {
    parameters: DVector<f64>,
    points: &'a [Weighed],
    response: &'a Response<'a>,
}

impl Problem<'_> {
    fn each(&self) -> Option<(DVector<f64>, DMatrix<f64>)> {
        let (n, p) = (self.points.len(), self.parameters.len());
        let (mut residuals, mut jacobian) = (DVector::zeros(n), DMatrix::zeros(n, p));
        let mut gradient = vec![0.0; p];
        for (index, (_, y, weight)) in self.points.iter().enumerate() {
            let fitted = (self.response)(self.parameters.as_slice(), index, &mut gradient);
            let root = weight.sqrt();
            residuals[index] = (fitted - y) * root;
            for (column, by) in gradient.iter().enumerate() {
                jacobian[(index, column)] = by * root;
            }
        }
        let finite = residuals.iter().chain(jacobian.iter()).all(|value: &f64| value.is_finite());
        finite.then_some((residuals, jacobian))
    }
}

impl LeastSquaresProblem<f64, Dyn, Dyn> for Problem<'_> {
    type ParameterStorage = Owned<f64, Dyn>;
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, Dyn>;

    fn set_params(&mut self, parameters: &DVector<f64>) {
        self.parameters.copy_from(parameters);
    }

    fn params(&self) -> DVector<f64> {
        self.parameters.clone()
    }

    fn residuals(&self) -> Option<DVector<f64>> {
        self.each().map(|each| each.0)
    }

    fn jacobian(&self) -> Option<DMatrix<f64>> {
        self.each().map(|each| each.1)
    }
}

/// A least-squares solution: parameters, the weighted sum of squares, and the inverse of JᵀJ.
#[derive(Clone, Debug)]
pub struct Solution {
    pub parameters: Vec<f64>,
    pub squares: f64,
    pub inverse: DMatrix<f64>,
}

/// Minimises by Levenberg-Marquardt from `start`. None where it does not converge or the points do not determine the
/// parameters.
#[must_use]
pub fn minimise(points: &[Weighed], start: &[f64], response: &Response) -> Option<Solution> {
    if points.len() < start.len() {
        return None;
    }
    let problem = Problem { parameters: DVector::from_column_slice(start), points, response };
    let (problem, report) = LevenbergMarquardt::new().with_patience(300).minimize(problem);
    // "No improvement possible" is the end at the limits of f64, which the tolerances ask for.
    let ended = report.termination.was_successful()
        || matches!(report.termination, TerminationReason::NoImprovementPossible(_));
    let (residuals, jacobian) = problem.each().filter(|_| ended)?;
    let inverse = (jacobian.transpose() * &jacobian).try_inverse()?;
    let usable = inverse.iter().all(|value| value.is_finite());
    usable.then(|| Solution {
        parameters: problem.parameters.as_slice().to_vec(),
        squares: residuals.norm_squared(),
        inverse,
    })
}

/// Starting values of a logistic: the ends' responses, and the dose halfway between.
#[must_use]
pub fn logistic_start(points: &[Weighed]) -> Option<[f64; 4]> {
    let mut sorted: Vec<Weighed> = points.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let level = |x: f64| {
        let of: Vec<f64> = sorted.iter().filter(|point| point.0 == x).map(|point| point.1).collect();
        of.iter().sum::<f64>() / of.len() as f64
    };
    let (low, high) = (sorted.first()?.0, sorted.last()?.0);
    let (a, d) = (level(low), level(high));
    let middle = (a + d) / 2.0;
    let positive: Vec<&Weighed> = sorted.iter().filter(|point| point.0 > 0.0).collect();
    let nearest = positive.iter().min_by(|p, q| (p.1 - middle).abs().total_cmp(&(q.1 - middle).abs()))?;
    // The ends are rarely at the asymptotes: a little beyond them.
    let beyond = (a - d) * 0.05;
    Some([a + beyond, 1.0, nearest.0.ln(), d - beyond])
}

/// Fits a curve to points. None where they do not determine it.
#[must_use]
pub fn fit(model: Model, points: &[Weighed]) -> Option<Fit> {
    let range = points.iter().fold((f64::MAX, f64::MIN), |(low, high), p| (low.min(p.0), high.max(p.0)));
    match model {
        Model::Linear => straight(model, points.to_vec(), range),
        Model::LogLog => {
            if points.iter().any(|(x, y, _)| *x <= 0.0 || *y <= 0.0) {
                return None;
            }
            straight(model, points.iter().map(|(x, y, w)| (x.log10(), y.log10(), *w)).collect(), range)
        }
        Model::FourParameter | Model::FiveParameter => sigmoid(model, points, range),
    }
}

fn straight(model: Model, points: Vec<Weighed>, range: (f64, f64)) -> Option<Fit> {
    let n = points.len() as f64;
    let weights: f64 = points.iter().map(|p| p.2).sum();
    let (x_mean, y_mean) = (
        points.iter().map(|p| p.0 * p.2).sum::<f64>() / weights,
        points.iter().map(|p| p.1 * p.2).sum::<f64>() / weights,
    );
    let moment = |of: fn(f64, f64) -> f64| points.iter().map(|p| of(p.0 - x_mean, p.1 - y_mean) * p.2).sum::<f64>();
    let (xx, xy, yy) = (moment(|x, _| x * x), moment(|x, y| x * y), moment(|_, y| y * y));
    let b = xy / xx;
    let a = y_mean - b * x_mean;
    let r = xy / (xx * yy).sqrt();
    let residual = (yy - b * xy).max(0.0) / (n - 2.0);
    let errors = vec![(residual * (1.0 / weights + x_mean * x_mean / xx)).sqrt(), (residual / xx).sqrt()];
    (a.is_finite() && b.is_finite() && b != 0.0 && r.is_finite()).then(|| Fit {
        model,
        parameters: vec![a, b],
        errors,
        r: Some(r),
        r_squared: r * r,
        range,
    })
}

fn sigmoid(model: Model, points: &[Weighed], range: (f64, f64)) -> Option<Fit> {
    let [a, b, ln_c, d] = logistic_start(points)?;
    let five = model == Model::FiveParameter;
    let response = |p: &[f64], index: usize, gradient: &mut [f64]| {
        let x = points.get(index).map_or(f64::NAN, |point| point.0);
        let mut all = [0.0; 5];
        let at = |k: usize| p.get(k).copied().unwrap_or(0.0);
        let fitted = logistic(&[at(0), at(1), at(2), at(3), if five { at(4) } else { 0.0 }], x, &mut all);
        gradient.iter_mut().zip(all).for_each(|(to, from)| *to = from);
        fitted
    };
    // A five-parameter curve has several hills: the best of a few starts.
    let mut best: Option<Solution> = None;
    for slope in [b, 0.5, 2.0, 4.0] {
        for ln_g in if five { &[0.0, -0.7, 0.7][..] } else { &[0.0][..] } {
            let mut start = vec![a, slope, ln_c, d];
            if five {
                start.push(*ln_g);
            }
            let found = minimise(points, &start, &response);
            let better = |one: &Solution| best.as_ref().is_none_or(|known| one.squares < known.squares);
            if let Some(found) = found.filter(better) {
                best = Some(found);
            }
        }
    }
    let found = best?;
    let [a, b, ln_c, d] = *found.parameters.first_chunk::<4>()?;
    // The same curve has two sets of four parameters: the slope is positive by convention.
    let turned = b < 0.0 && !five;
    let (a, b, d) = if turned { (d, -b, a) } else { (a, b, d) };
    if b <= 0.0 {
        return None;
    }
    let (n, p) = (points.len() as f64, found.parameters.len() as f64);
    let variance = if n > p { found.squares / (n - p) } else { f64::NAN };
    let mut errors: Vec<f64> = found.inverse.diagonal().iter().map(|value| (value * variance).sqrt()).collect();
    if turned {
        errors.swap(0, 3);
    }
    let mut parameters = vec![a, b, ln_c.exp(), d];
    if let Some(error) = errors.get_mut(2) {
        *error *= ln_c.exp();
    }
    if five {
        let g = found.parameters.get(4)?.exp();
        parameters.push(g);
        if let Some(error) = errors.get_mut(4) {
            *error *= g;
        }
    }
    let weights: f64 = points.iter().map(|p| p.2).sum();
    let mean = points.iter().map(|p| p.1 * p.2).sum::<f64>() / weights;
    let total: f64 = points.iter().map(|p| (p.1 - mean).powi(2) * p.2).sum();
    let usable = parameters.iter().all(|value| value.is_finite()) && total > 0.0;
    usable.then(|| Fit { model, parameters, errors, r: None, r_squared: 1.0 - found.squares / total, range })
}
