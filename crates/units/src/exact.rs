//! Exact numbers: quotients of integers of any size, to and from decimals.

use num_bigint::{BigInt, Sign};
use num_rational::BigRational;
use num_traits::{One, Pow, Signed, ToPrimitive, Zero};
use rust_decimal::Decimal;

/// Reads a plain decimal number, with or without a power of ten.
pub(crate) fn read(text: &str) -> Option<BigRational> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        None => (text, 0),
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok().filter(|by| by.abs() <= 400)?),
    };
    let (negative, digits) = mantissa.strip_prefix('-').map_or((false, mantissa), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || all.len() > 400 || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: BigInt = all.parse().ok()?;
    let places = i32::try_from(fraction.len()).ok()?;
    let found = BigRational::from(number) * power(&ten(), exponent - places)?;
    Some(if negative { -found } else { found })
}

pub(crate) fn ten() -> BigRational {
    BigRational::from(BigInt::from(10))
}

/// A power; none of zero with a negative exponent, nor of absurd size.
pub(crate) fn power(base: &BigRational, exponent: i32) -> Option<BigRational> {
    if exponent.abs() > 400 || (exponent < 0 && base.is_zero()) {
        return None;
    }
    let up = base.clone().pow(exponent.unsigned_abs());
    Some(if exponent < 0 { up.recip() } else { up })
}

/// A decimal as a quotient.
pub(crate) fn of_decimal(value: Decimal) -> BigRational {
    let scale = BigInt::from(10).pow(value.scale());
    BigRational::new(BigInt::from(value.mantissa()), scale)
}

/// The least number of a dozen digits.
const FEWEST: u64 = 100_000_000_000;

/// The decimal that a quotient is, and whether it is that exactly; where it has no end or too many digits, it is
/// rounded half to even to as many digits as fit. `None` where it is beyond what decimals hold.
pub(crate) fn to_decimal(value: &BigRational) -> Option<(Decimal, bool)> {
    if value.is_zero() {
        return Some((Decimal::ZERO, true));
    }
    for places in 0..=28_u32 {
        let scaled = value * BigRational::from(BigInt::from(10).pow(places));
        if scaled.is_integer() {
            let held = scaled.to_integer().to_i128();
            if let Some(found) = held.and_then(|number| Decimal::try_from_i128_with_scale(number, places).ok()) {
                return Some((found, true));
            }
            break;
        }
    }
    // As many decimals as fit beside the digits before the point.
    for places in (0..=28_u32).rev() {
        let scaled = value * BigRational::from(BigInt::from(10).pow(places));
        let rounded = half_even(&scaled);
        // Fewer than a dozen digits left are no longer the value.
        if rounded.magnitude() < &FEWEST.into() {
            return None;
        }
        let held = rounded.to_i128().and_then(|number| Decimal::try_from_i128_with_scale(number, places).ok());
        if let Some(found) = held {
            return Some((found, false));
        }
    }
    None
}

fn half_even(value: &BigRational) -> BigInt {
    let floor = value.floor().to_integer();
    let rest = value - BigRational::from(floor.clone());
    let half = BigRational::new(BigInt::one(), BigInt::from(2));
    let odd = (&floor % BigInt::from(2)).sign() != Sign::NoSign;
    let up = rest.abs() > half || (rest == half && odd);
    if up { floor + BigInt::one() } else { floor }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_in_and_go_out() {
        for (text, decimal, exactly) in [
            ("1e-3", "0.001", true),
            ("5.67", "5.67", true),
            ("-0.25", "-0.25", true),
            ("1.66053906660e-14", "0.000000000000016605390666", true),
        ] {
            let (found, exact) = to_decimal(&read(text).expect(text)).expect(text);
            assert_eq!((found.to_string().as_str(), exact), (decimal, exactly), "{text}");
        }
        let third = BigRational::new(1.into(), 3.into());
        assert_eq!(
            to_decimal(&third).map(|(found, exact)| (found.to_string(), exact)),
            Some(("0.3333333333333333333333333333".into(), false))
        );
        assert_eq!(to_decimal(&read("1.66053906660e-24").expect("a number")), None);
        assert_eq!(to_decimal(&read("1e40").expect("a number")), None);
        assert_eq!((read(""), read("1e999"), read("1_0"), read("x")), (None, None, None, None));
    }
}
