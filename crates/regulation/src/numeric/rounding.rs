//! Rounding by GB/T 8170-2008: once, half to even, on the absolute value, to any step.

use rust_decimal::Decimal;

use crate::numeric::NumericError;
use crate::numeric::value::{parse_decimal, scaled};

/// A rounding interval (修约间隔): 0.01, 1, 10, 0.5, 0.2, 20. Results carry as many decimals as it is written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundingStep(Decimal);

impl RoundingStep {
    /// Reads a step as written.
    ///
    /// # Errors
    /// The text is not a number above zero.
    pub fn parse(text: &str) -> Result<Self, NumericError> {
        match parse_decimal(text) {
            Ok(step) => RoundingStep::new(step),
            Err(error @ NumericError::TooManyDigits { .. }) => Err(error),
            Err(_) => Err(NumericError::NotAStep { text: text.to_owned() }),
        }
    }

    /// Takes a number as a step.
    ///
    /// # Errors
    /// The number is not above zero.
    pub fn new(step: Decimal) -> Result<Self, NumericError> {
        if step > Decimal::ZERO {
            Ok(RoundingStep(step))
        } else {
            Err(NumericError::NotAStep { text: step.to_string() })
        }
    }

    /// One unit of the last of so many decimals (2 → 0.01).
    ///
    /// # Errors
    /// More than 28 decimals.
    pub fn of_decimals(decimals: u32) -> Result<Self, NumericError> {
        Decimal::try_from_i128_with_scale(1, decimals)
            .map(RoundingStep)
            .map_err(|_| NumericError::TooManyDigits { text: format!("10^-{decimals}") })
    }

    /// The interval itself.
    pub const fn value(self) -> Decimal {
        self.0
    }
}

/// Rounds to a multiple of the step, ties to the even multiple, on the absolute value; the sign is put back, and zero
/// has none. With 0.5 and 0.2 units this is the same as doubling (or multiplying by five), rounding to the unit and
/// dividing again.
///
/// # Errors
/// The two numbers together have more digits than are computed exactly.
pub fn round_to(value: Decimal, step: RoundingStep) -> Result<Decimal, NumericError> {
    exact(value, step.0).ok_or_else(|| NumericError::TooManyDigits { text: format!("{value} to {}", step.0) })
}

fn exact(value: Decimal, step: Decimal) -> Option<Decimal> {
    let trimmed = value.normalize();
    let scale = trimmed.scale().max(step.scale());
    let at_scale = |number: Decimal| {
        let factor = 10_u128.checked_pow(scale - number.scale())?;
        number.mantissa().unsigned_abs().checked_mul(factor)
    };
    let amount = at_scale(trimmed)?;
    let multiple = match at_scale(step) {
        Some(interval) => nearest_multiple(amount, interval),
        // The step has more digits than fit beside the value's decimals: it is greater than twice any such value.
        None => 0,
    };
    let unsigned = multiple.checked_mul(step.mantissa().unsigned_abs())?;
    let number = i128::try_from(unsigned).ok()?;
    let signed = if value.is_sign_negative() { -number } else { number };
    scaled(signed, i64::from(step.scale()))
}

/// How many intervals, ties to even.
fn nearest_multiple(amount: u128, interval: u128) -> u128 {
    let (quotient, rest) = (amount / interval, amount % interval);
    let to_next = interval - rest;
    let up = rest > to_next || (rest == to_next && quotient % 2 == 1);
    quotient + u128::from(up)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rounded(value: &str, step: &str) -> String {
        let value = parse_decimal(value).expect(value);
        round_to(value, RoundingStep::parse(step).expect(step)).expect("rounds").to_string()
    }

    #[test]
    fn worked_examples_of_the_standard() {
        let table = [
            ("12.1498", "1", "12"),
            ("12.1498", "0.1", "12.1"),
            ("1268", "100", "1300"),
            ("10.5002", "1", "11"),
            ("1.050", "0.1", "1.0"),
            ("0.35", "0.1", "0.4"),
            ("2500", "1000", "2000"),
            ("3500", "1000", "4000"),
            ("-0.0365", "0.001", "-0.036"),
            ("8.53459", "0.01", "8.53"),
            ("60.25", "0.5", "60.0"),
            ("60.38", "0.5", "60.5"),
            ("60.28", "0.5", "60.5"),
            ("-60.75", "0.5", "-61.0"),
            ("830", "20", "840"),
            ("842", "20", "840"),
            ("832", "20", "840"),
            ("-930", "20", "-920"),
            ("2.005", "0.01", "2.00"),
            ("1.0150", "0.01", "1.02"),
            ("-0.04", "0.1", "0.0"),
            ("0", "0.01", "0.00"),
            ("5", "0.001", "5.000"),
            ("5", "10", "0"),
            ("15", "10", "20"),
        ];
        for (value, step, expected) in table {
            assert_eq!(rounded(value, step), expected, "{value} to {step}");
        }
    }

    #[test]
    fn big_and_tiny_numbers_are_exact_or_errors() {
        assert_eq!(rounded("0.0000000000000000000000000001", "1000000000000000000000000000"), "0");
        assert_eq!(rounded("79228162514264337593543950334", "10"), "79228162514264337593543950330");
    }

    #[test]
    fn a_result_that_does_not_fit_is_an_error() {
        let value = parse_decimal("79228162514264337593543950335").expect("the greatest");
        let error = round_to(value, RoundingStep::parse("0.1").expect("a step")).expect_err("29 digits and one more");
        assert_eq!(error.code(), "too_many_digits");
        for step in ["0", "-1", "abc", ""] {
            assert_eq!(RoundingStep::parse(step).expect_err(step).code(), "not_a_step", "{step}");
        }
    }

    proptest! {
        #[test]
        fn rounding_is_idempotent_symmetric_and_near(
            mantissa in -1_000_000_000_000_i64..1_000_000_000_000,
            scale in 0u32..9,
            step in prop::sample::select(vec!["0.0001", "0.01", "0.1", "0.2", "0.5", "1", "2", "5", "10", "20", "100"]),
        ) {
            let value = Decimal::new(mantissa, scale);
            let step = RoundingStep::parse(step).expect("a step");
            let once = round_to(value, step).expect("rounds");
            prop_assert_eq!(round_to(once, step).expect("rounds"), once);
            prop_assert_eq!(round_to(-value, step).expect("rounds"), -once);
            prop_assert!((value - once).abs() * Decimal::TWO <= step.value());
            prop_assert!((once % step.value()).is_zero());
            prop_assert_eq!(once.scale(), step.value().scale());
        }
    }
}
