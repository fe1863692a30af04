//! Decimal statistics: nothing here passes through a binary float. Roots are taken to the 28 digits of a decimal.

use rust_decimal::{Decimal, MathematicalOps};

/// One hundred.
pub const HUNDRED: Decimal = Decimal::ONE_HUNDRED;

/// The arithmetic mean; none of nothing, or beyond 28 digits.
#[must_use]
pub fn mean(values: &[Decimal]) -> Option<Decimal> {
    let total = values.iter().try_fold(Decimal::ZERO, |sum, value| sum.checked_add(*value))?;
    total.checked_div(Decimal::from(values.len()))
}

/// The sample standard deviation, with n−1; none of fewer than two values.
#[must_use]
pub fn standard_deviation(values: &[Decimal]) -> Option<Decimal> {
    let mean = mean(values)?;
    let squares = values.iter().try_fold(Decimal::ZERO, |sum, value| {
        let distance = value.checked_sub(mean)?;
        sum.checked_add(distance.checked_mul(distance)?)
    })?;
    let freedom = values.len().checked_sub(1).filter(|freedom| *freedom > 0)?;
    squares.checked_div(Decimal::from(freedom))?.sqrt()
}

/// The relative standard deviation (RSD), with n−1, in per cent of the mean's size.
#[must_use]
pub fn rsd(values: &[Decimal]) -> Option<Decimal> {
    let mean = mean(values)?.abs();
    standard_deviation(values)?.checked_mul(HUNDRED)?.checked_div(mean)
}

/// `part` in per cent of `whole`.
#[must_use]
pub fn percent(part: Decimal, whole: Decimal) -> Option<Decimal> {
    part.checked_mul(HUNDRED)?.checked_div(whole)
}

/// A product of many, none where it has too many digits.
#[must_use]
pub fn product(factors: &[Decimal]) -> Option<Decimal> {
    factors.iter().try_fold(Decimal::ONE, |product, factor| product.checked_mul(*factor))
}

/// A number as steps show it: ten significant digits, no zeros at the end. What is calculated with keeps all.
#[must_use]
pub fn short(value: Decimal) -> String {
    value.round_sf(10).unwrap_or(value).normalize().to_string()
}

/// A weighted straight line `y = a + b·x`.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedLine {
    /// The intercept.
    pub a: Decimal,
    /// The slope.
    pub b: Decimal,
    /// The (weighted) correlation coefficient.
    pub r: Decimal,
}

/// Fits a straight line by weighted least squares; each point is `(x, y, weight)`.
///
/// None where fewer than two different x are given, or where the arithmetic needs more than 28 digits.
#[must_use]
pub fn line(points: &[(Decimal, Decimal, Decimal)]) -> Option<FittedLine> {
    let sum = |of: &dyn Fn(&(Decimal, Decimal, Decimal)) -> Option<Decimal>| {
        points.iter().try_fold(Decimal::ZERO, |sum, point| sum.checked_add(of(point)?))
    };
    let weights = sum(&|(_, _, w)| Some(*w))?;
    let x_mean = sum(&|(x, _, w)| x.checked_mul(*w))?.checked_div(weights)?;
    let y_mean = sum(&|(_, y, w)| y.checked_mul(*w))?.checked_div(weights)?;
    let moment = |of: &dyn Fn(Decimal, Decimal) -> Option<Decimal>| {
        sum(&|(x, y, w)| of(x.checked_sub(x_mean)?, y.checked_sub(y_mean)?)?.checked_mul(*w))
    };
    let xx = moment(&|x, _| x.checked_mul(x))?;
    let xy = moment(&|x, y| x.checked_mul(y))?;
    let yy = moment(&|_, y| y.checked_mul(y))?;
    let b = xy.checked_div(xx)?;
    let a = y_mean.checked_sub(b.checked_mul(x_mean)?)?;
    let r = xy.checked_div(xx.sqrt()?)?.checked_div(yy.sqrt()?)?;
    Some(FittedLine { a, b, r })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().expect("a decimal")
    }

    #[test]
    fn statistics_of_a_known_series() {
        // The trend series of the pharmacopoeia's example, computed independently: 99.84 and 0.91554.
        let series: Vec<Decimal> =
            ["98.2", "99.1", "100.4", "101.0", "99.7", "100.2", "98.9", "100.8", "99.5", "100.6"].map(d).to_vec();
        assert_eq!(mean(&series), Some(d("99.84")));
        assert_eq!(standard_deviation(&series).map(|s| s.round_dp(5)), Some(d("0.91554")));
        assert_eq!(rsd(&series).map(|s| s.round_dp(4)), Some(d("0.9170")));
        assert_eq!(rsd(&[d("5")]), None);
        assert_eq!(rsd(&[d("1"), d("-1")]), None);
        assert_eq!(mean(&[]), None);
    }

    #[test]
    fn lines_by_three_weightings() {
        // Independent: numpy.polyfit with w = 1, x**-0.5, 1/x.
        let points = [("1", "10.2"), ("2", "20.1"), ("5", "49.0"), ("10", "101.5"), ("20", "198.0")];
        let fit = |weight: fn(Decimal) -> Decimal| {
            let points: Vec<_> = points.iter().map(|(x, y)| (d(x), d(y), weight(d(x)))).collect();
            line(&points).map(|l| (l.a.round_dp(6), l.b.round_dp(6), l.r.round_dp(7))).expect("a line")
        };
        assert_eq!(fit(|_| Decimal::ONE), (d("0.405307"), d("9.915091"), d("0.9998888")));
        assert_eq!(fit(|x| Decimal::ONE / x), (d("0.216336"), d("9.939956"), d("0.9998809")));
        assert_eq!(fit(|x| Decimal::ONE / x / x), (d("0.255663"), d("9.925405"), d("0.9998447")));
        assert!(line(&[(d("1"), d("1"), d("1")), (d("1"), d("2"), d("1"))]).is_none());
    }
}
