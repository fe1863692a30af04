//! Arithmetic with values of which only a bound is known, or which were not detected.
//!
//! The rules, so that a bound never silently becomes a number:
//! - `<b` stands for every value below `b`, `>b` for every value above it; `≤` and `≥` include the bound. A sum, a
//!   difference or a mean of such values and of numbers is again a bound, calculated from the bounds: the mean of 0.03
//!   and `<0.05` is `<0.04`, 1 − `<0.05` is `>0.95`. Values that are bounded on different sides have no sum.
//! - Multiplied or divided by a number other than zero, the bound goes with it; a negative number turns its side.
//!   Two bounds have no product, and nothing is divided by one.
//! - The maximum of `<b` and a number is the number where it is not below `b`, and otherwise below `b`; that of `>b` and
//!   anything is above. The minimum likewise, the other way round.
//! - 未检出 gives no bound. Not detected in all replicates is not detected as their sum, mean, maximum or minimum, also
//!   multiplied or divided by a number above zero. Beside a number or a bound it is the smaller of the two; a sum or a
//!   mean with it has no value, since its bound is not known: it is typed with its bound, `未检出（<0.05）`, or left out
//!   visibly by `detected()`.

use std::cmp::Ordering;

use regulation::numeric::Measured;
use rust_decimal::Decimal;

use crate::formula::FormulaError;

/// One side that a value is known on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Exact,
    Below,
    Above,
}

/// A number with the side that the value lies on; `None` of what was not detected.
fn parts(value: &Measured) -> Option<(Side, Decimal, bool)> {
    match *value {
        Measured::Number(number) => Some((Side::Exact, number, true)),
        Measured::Below { bound, inclusive } => Some((Side::Below, bound, inclusive)),
        Measured::Above { bound, inclusive } => Some((Side::Above, bound, inclusive)),
        Measured::NotDetected => None,
    }
}

fn value(side: Side, at: Decimal, inclusive: bool) -> Measured {
    match side {
        Side::Exact => Measured::Number(at),
        Side::Below => Measured::Below { bound: at, inclusive },
        Side::Above => Measured::Above { bound: at, inclusive },
    }
}

fn refused(value: &Measured) -> FormulaError {
    FormulaError::Censored(value.to_string())
}

/// The negative of a value.
pub(crate) fn negative(of: &Measured) -> Result<Measured, FormulaError> {
    match *of {
        Measured::Number(number) => Ok(Measured::Number(-number)),
        Measured::Below { bound, inclusive } => Ok(Measured::Above { bound: -bound, inclusive }),
        Measured::Above { bound, inclusive } => Ok(Measured::Below { bound: -bound, inclusive }),
        Measured::NotDetected => Err(refused(of)),
    }
}

/// The amount of a value without its sign.
pub(crate) fn absolute(of: &Measured) -> Result<Measured, FormulaError> {
    match of {
        Measured::Number(number) => Ok(Measured::Number(number.abs())),
        Measured::Above { bound, .. } if *bound >= Decimal::ZERO => Ok(of.clone()),
        Measured::NotDetected => Ok(Measured::NotDetected),
        Measured::Below { .. } | Measured::Above { .. } => Err(refused(of)),
    }
}

/// `+ - * /` of two values.
pub(crate) fn apply(operator: char, a: &Measured, b: &Measured) -> Result<Measured, FormulaError> {
    match operator {
        '+' => plus(a, b),
        '-' => match (a, b) {
            (Measured::NotDetected, _) | (_, Measured::NotDetected) => Err(refused(&Measured::NotDetected)),
            _ => plus(a, &negative(b)?),
        },
        '*' => match (a, b) {
            (_, Measured::Number(by)) => scaled(a, *by, Decimal::checked_mul),
            (Measured::Number(by), _) => scaled(b, *by, Decimal::checked_mul),
            _ => Err(refused(a)),
        },
        _ => match b {
            Measured::Number(by) if by.is_zero() => Err(FormulaError::DivisionByZero),
            Measured::Number(by) => scaled(a, *by, Decimal::checked_div),
            _ => Err(refused(b)),
        },
    }
}

fn plus(a: &Measured, b: &Measured) -> Result<Measured, FormulaError> {
    let ((side_a, at_a, with_a), (side_b, at_b, with_b)) = match (parts(a), parts(b)) {
        (Some(a), Some(b)) => (a, b),
        (None, None) => return Ok(Measured::NotDetected),
        _ => return Err(refused(&Measured::NotDetected)),
    };
    let side = match (side_a, side_b) {
        (Side::Exact, other) | (other, Side::Exact) => other,
        (one, other) if one == other => one,
        _ => return Err(refused(b)),
    };
    let at = at_a.checked_add(at_b).ok_or(FormulaError::Overflow)?;
    Ok(value(side, at, with_a && with_b))
}

type Operation = fn(Decimal, Decimal) -> Option<Decimal>;

fn scaled(of: &Measured, by: Decimal, operation: Operation) -> Result<Measured, FormulaError> {
    let Some((side, at, inclusive)) = parts(of) else {
        return if by > Decimal::ZERO { Ok(Measured::NotDetected) } else { Err(refused(of)) };
    };
    let found = operation(at, by).ok_or(FormulaError::Overflow)?;
    Ok(match (side, by.cmp(&Decimal::ZERO)) {
        (Side::Exact, _) => Measured::Number(found),
        (_, Ordering::Equal) => Measured::Number(Decimal::ZERO),
        (Side::Below, Ordering::Less) => value(Side::Above, found, inclusive),
        (Side::Above, Ordering::Less) => value(Side::Below, found, inclusive),
        (side, Ordering::Greater) => value(side, found, inclusive),
    })
}

/// The sum of a list; of an empty one nothing.
pub(crate) fn sum(list: &[Measured]) -> Result<Option<Measured>, FormulaError> {
    let Some((first, rest)) = list.split_first() else { return Ok(None) };
    rest.iter().try_fold(first.clone(), |sum, one| plus(&sum, one)).map(Some)
}

/// The mean of a list; of an empty one nothing.
pub(crate) fn mean(list: &[Measured]) -> Result<Option<Measured>, FormulaError> {
    let Some(sum) = sum(list)? else { return Ok(None) };
    scaled(&sum, Decimal::from(list.len()), Decimal::checked_div).map(Some)
}

/// The greatest of a list; of an empty one nothing.
pub(crate) fn max(list: &[Measured]) -> Option<Measured> {
    list.iter().cloned().reduce(|a, b| greater(&a, &b))
}

/// The least of a list; of an empty one nothing.
pub(crate) fn min(list: &[Measured]) -> Option<Measured> {
    list.iter().cloned().reduce(|a, b| lesser(&a, &b))
}

fn greater(a: &Measured, b: &Measured) -> Measured {
    let (Some((side_a, at_a, with_a)), Some((side_b, at_b, with_b))) = (parts(a), parts(b)) else {
        // What was not detected is the smaller one.
        return if *a == Measured::NotDetected { b.clone() } else { a.clone() };
    };
    let at = at_a.max(at_b);
    let at_top = |with: bool, own: Decimal| own == at && with;
    match (side_a, side_b) {
        (Side::Exact, Side::Exact) => Measured::Number(at),
        (Side::Below, Side::Below) => value(Side::Below, at, at_top(with_a, at_a) || at_top(with_b, at_b)),
        (Side::Above, Side::Above) => value(Side::Above, at, (at_a < at || with_a) && (at_b < at || with_b)),
        // At least the one that is known from below.
        (Side::Above, Side::Exact) => above(at_a, with_a, at_b),
        (Side::Exact, Side::Above) => above(at_b, with_b, at_a),
        (Side::Above, Side::Below) => a.clone(),
        (Side::Below, Side::Above) => b.clone(),
        (Side::Below, Side::Exact) => below(at_a, with_a, at_b),
        (Side::Exact, Side::Below) => below(at_b, with_b, at_a),
    }
}

/// The greater of `>bound` and a number.
fn above(bound: Decimal, inclusive: bool, number: Decimal) -> Measured {
    if number > bound { value(Side::Above, number, true) } else { value(Side::Above, bound, inclusive) }
}

/// The greater of `<bound` and a number: the number, where nothing below the bound exceeds it.
fn below(bound: Decimal, inclusive: bool, number: Decimal) -> Measured {
    if number >= bound { Measured::Number(number) } else { value(Side::Below, bound, inclusive) }
}

fn lesser(a: &Measured, b: &Measured) -> Measured {
    if *a == Measured::NotDetected || *b == Measured::NotDetected {
        return Measured::NotDetected;
    }
    match (negative(a), negative(b)) {
        (Ok(x), Ok(y)) => negative(&greater(&x, &y)).unwrap_or(Measured::NotDetected),
        _ => Measured::NotDetected,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(texts: &[&str]) -> Vec<Measured> {
        texts.iter().map(|text| Measured::parse(text).expect(text)).collect()
    }

    #[test]
    fn bounds_travel() {
        for (texts, sum_of, mean_of, max_of, min_of) in [
            (&["未检出", "未检出"][..], "未检出", "未检出", "未检出", "未检出"),
            (&["<0.05", "<0.05"], "<0.10", "<0.05", "<0.05", "<0.05"),
            (&["0.03", "<0.05"], "<0.08", "<0.04", "<0.05", "≤0.03"),
            (&["0.07", "<0.05"], "<0.12", "<0.06", "0.07", "<0.05"),
            (&["≤0.05", "≤0.07"], "≤0.12", "≤0.06", "≤0.07", "≤0.05"),
            (&[">100", "98"], ">198", ">99", ">100", "98"),
            (&[">100", "120"], ">220", ">110", "≥120", ">100"),
            (&["未检出", "0.1"], "-", "-", "0.1", "未检出"),
            (&["未检出", "<0.1"], "-", "-", "<0.1", "未检出"),
            (&["<1", ">3"], "-", "-", ">3", "<1"),
            (&["1", "2", "3"], "6", "2", "3", "1"),
        ] {
            let list = list(texts);
            let told = |found: Result<Option<Measured>, FormulaError>| match found {
                Ok(found) => found.map_or_else(String::new, |found| match found {
                    Measured::Number(number) => number.normalize().to_string(),
                    other => other.to_string(),
                }),
                Err(_) => "-".to_owned(),
            };
            assert_eq!(told(sum(&list)), sum_of, "sum {texts:?}");
            assert_eq!(told(mean(&list)), mean_of, "mean {texts:?}");
            assert_eq!(told(Ok(max(&list))), max_of, "max {texts:?}");
            assert_eq!(told(Ok(min(&list))), min_of, "min {texts:?}");
        }
    }

    #[test]
    fn operations_keep_what_is_known() {
        let of = |operator: char, a: &str, b: &str| {
            let found = apply(operator, &Measured::parse(a).expect(a), &Measured::parse(b).expect(b));
            found.map_or_else(|_| "-".to_owned(), |found| found.to_string())
        };
        for (operator, a, b, expected) in [
            ('*', "<0.05", "2", "<0.10"),
            ('*', "-2", "<0.05", ">-0.10"),
            ('/', "≤1.0", "4", "≤0.250"),
            ('/', "1", "<0.05", "-"),
            ('/', "<1", "0", "-"),
            ('*', "<1", "0", "0"),
            ('*', "<1", "<2", "-"),
            ('-', "1.00", "<0.05", ">0.95"),
            ('-', "<0.05", "<0.02", "-"),
            ('-', "未检出", "未检出", "-"),
            ('*', "未检出", "10", "未检出"),
            ('*', "未检出", "-1", "-"),
            ('+', "未检出", "1", "-"),
        ] {
            assert_eq!(of(operator, a, b), expected, "{a} {operator} {b}");
        }
    }

    /// A value that a statement may stand for: itself, or what lies `off` beyond its bound.
    fn possible(value: &Measured, off: Decimal) -> Decimal {
        match *value {
            Measured::Number(number) => number,
            Measured::Below { bound, .. } => bound - off,
            Measured::Above { bound, .. } => bound + off,
            Measured::NotDetected => Decimal::ZERO,
        }
    }

    fn holds(statement: &Measured, number: Decimal) -> bool {
        match *statement {
            Measured::Number(at) => at == number,
            Measured::Below { bound, inclusive } => number < bound || (inclusive && number == bound),
            Measured::Above { bound, inclusive } => number > bound || (inclusive && number == bound),
            Measured::NotDetected => true,
        }
    }

    proptest! {
        /// Whatever the values truly are: the statement about their sum, maximum and minimum is true of them.
        #[test]
        fn no_statement_is_wrong(all in prop::collection::vec((0_usize..3, 0_i64..200, 1_i64..50), 1..6)) {
            let values: Vec<Measured> = all
                .iter()
                .map(|(side, at, _)| value([Side::Exact, Side::Below, Side::Above][*side], Decimal::new(*at, 2), false))
                .collect();
            let truth: Vec<Decimal> =
                values.iter().zip(&all).map(|(value, (.., off))| possible(value, Decimal::new(*off, 2))).collect();
            let total = truth.iter().copied().sum::<Decimal>();
            if let Ok(Some(found)) = sum(&values) {
                prop_assert!(holds(&found, total), "{values:?}");
            }
            if let Some(found) = max(&values) {
                prop_assert!(holds(&found, truth.iter().copied().max().unwrap_or_default()), "{values:?} {found}");
            }
            if let Some(found) = min(&values) {
                prop_assert!(holds(&found, truth.iter().copied().min().unwrap_or_default()), "{values:?} {found}");
            }
        }
    }
}
