//! Reading numbers and censored results as they are written.

use std::fmt;

use rust_decimal::Decimal;

use crate::numeric::NumericError;

/// A result as reported: a number, or a statement that it lies beyond a bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measured {
    Number(Decimal),
    /// `<0.05` (or `≤0.05`, with `inclusive`).
    Below {
        bound: Decimal,
        inclusive: bool,
    },
    /// `>100` (or `≥100`, with `inclusive`).
    Above {
        bound: Decimal,
        inclusive: bool,
    },
    /// 未检出, ND: an amount below the detection limit, of which no number is given.
    NotDetected,
}

/// Words for "not detected", compared without regard to case and blanks.
const NOT_DETECTED: &[&str] =
    &["未检出", "未检测到", "低于检测限", "低于检出限", "nd", "n.d.", "n.d", "notdetected", "<lod"];

impl Measured {
    /// 未检出.
    pub const fn not_detected() -> Self {
        Measured::NotDetected
    }

    /// Reads a result: `96.96`, `<0.05`, `≥ 100`, `未检出`, `ND`, `未检出（<0.05）`; fullwidth forms too.
    ///
    /// # Errors
    /// The text has none of these forms, or too many digits.
    pub fn parse(text: &str) -> Result<Self, NumericError> {
        let plain = to_ascii(text);
        let squeezed: String = plain.to_lowercase().split_whitespace().collect();
        if NOT_DETECTED.contains(&squeezed.as_str()) {
            return Ok(Measured::NotDetected);
        }
        if let Some(bounded) = not_detected_below(&squeezed) {
            return Measured::parse(bounded);
        }
        let (below, inclusive, rest) = match operator(&plain) {
            Some((Operator::Less, rest)) => (true, false, rest),
            Some((Operator::LessOrEqual, rest)) => (true, true, rest),
            Some((Operator::Greater, rest)) => (false, false, rest),
            Some((Operator::GreaterOrEqual, rest)) => (false, true, rest),
            None => {
                return parse_decimal(&plain).map(Measured::Number).map_err(|e| as_result(e, text));
            }
        };
        let bound = parse_decimal(rest).map_err(|error| as_result(error, text))?;
        Ok(if below { Measured::Below { bound, inclusive } } else { Measured::Above { bound, inclusive } })
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = |strict: &'static str, or_equal: &'static str, inclusive: bool| {
            if inclusive { or_equal } else { strict }
        };
        match self {
            Measured::Number(number) => write!(f, "{number}"),
            Measured::Below { bound, inclusive } => {
                write!(f, "{}{bound}", sign("<", "≤", *inclusive))
            }
            Measured::Above { bound, inclusive } => {
                write!(f, "{}{bound}", sign(">", "≥", *inclusive))
            }
            Measured::NotDetected => f.write_str("未检出"),
        }
    }
}

/// `未检出(<0.05)`: the bound given after the words.
fn not_detected_below(squeezed: &str) -> Option<&str> {
    let inner = NOT_DETECTED.iter().find_map(|word| squeezed.strip_prefix(word))?;
    let inner = inner.strip_prefix('(')?.strip_suffix(')')?;
    inner.starts_with('<').then_some(inner)
}

fn as_result(error: NumericError, text: &str) -> NumericError {
    match error {
        NumericError::TooManyDigits { .. } => error,
        _ => NumericError::NotAResult { text: text.to_owned() },
    }
}

/// An order relation as written in front of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// The relation in front of a text that went through [`to_ascii`], and what follows it.
pub(super) fn operator(text: &str) -> Option<(Operator, &str)> {
    let table = [
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("≤", Operator::LessOrEqual),
        ("≥", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ];
    let text = text.trim();
    table.iter().find_map(|(sign, operator)| Some((*operator, text.strip_prefix(sign)?.trim_start())))
}

/// Fullwidth characters and the variants of one sign as one plain sign each; the words of the text are not touched.
pub fn to_ascii(text: &str) -> String {
    text.trim()
        .chars()
        .map(|letter| match letter {
            // The fullwidth block mirrors ASCII at a fixed distance.
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(letter) - 0xFEE0).unwrap_or(letter),
            '\u{3000}' | '\u{00A0}' => ' ',
            '\u{2212}' => '-',
            '≦' | '⩽' | '≲' => '≤',
            '≧' | '⩾' | '≳' => '≥',
            other => other,
        })
        .collect()
}

/// Reads a decimal number as written, trailing zeros kept: optional sign, digits with at most one point, optional
/// power of ten (`4.57e4`). Fullwidth digits and the minus sign U+2212 serve too; separators of thousands do not.
///
/// # Errors
/// The text is not a number, or cannot be held exactly in 28 digits.
pub fn parse_decimal(text: &str) -> Result<Decimal, NumericError> {
    let plain = to_ascii(text);
    let not_a_number = || NumericError::NotANumber { text: text.to_owned() };
    let too_many = || NumericError::TooManyDigits { text: text.to_owned() };
    let (negative, body) = match plain.as_bytes().first() {
        Some(b'-') => (true, &plain[1..]),
        Some(b'+') => (false, &plain[1..]),
        _ => (false, plain.as_str()),
    };
    let (mantissa, exponent) = match body.split_once(['e', 'E']) {
        None => (body, 0_i64),
        Some((mantissa, exponent)) => (mantissa, read_exponent(exponent).ok_or_else(not_a_number)?),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return Err(not_a_number());
    }
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let number: i128 = match significant {
        "" => 0,
        digits if digits.len() > 38 => return Err(too_many()),
        digits => digits.parse().map_err(|_| too_many())?,
    };
    let places = i64::try_from(fraction.len()).map_err(|_| too_many())? - exponent;
    let signed = if negative { -number } else { number };
    scaled(signed, places).ok_or_else(too_many)
}

/// The exponent of a power of ten; absurd ones are held at a bound that no number passes.
fn read_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let size: i64 = digits.parse().unwrap_or(10_000).min(10_000);
    Some(if text.starts_with('-') { -size } else { size })
}

/// `number` × 10^−`places`, exactly, or nothing.
pub(super) fn scaled(number: i128, places: i64) -> Option<Decimal> {
    if places >= 0 {
        if number == 0 && places > 28 {
            return Some(Decimal::ZERO);
        }
        return Decimal::try_from_i128_with_scale(number, u32::try_from(places).ok()?).ok();
    }
    if number == 0 {
        return Some(Decimal::ZERO);
    }
    let factor = 10_i128.checked_pow(u32::try_from(-places).ok()?)?;
    Decimal::try_from_i128_with_scale(number.checked_mul(factor)?, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_kept_as_written() {
        let table = [
            ("1.050", "1.050"),
            ("-0.0365", "-0.0365"),
            ("−0.0365", "-0.0365"),
            ("＋１２．５０", "12.50"),
            (".5", "0.5"),
            ("5.", "5"),
            ("007", "7"),
            ("4.57137e4", "45713.7"),
            ("1e-3", "0.001"),
            ("1E+2", "100"),
            ("0e99999999999999999999", "0"),
            ("79228162514264337593543950335", "79228162514264337593543950335"),
        ];
        for (text, expected) in table {
            assert_eq!(parse_decimal(text).expect(text).to_string(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_an_error() {
        for text in
            ["", " ", "-", ".", "1,000", "1_000", "1.2.3", "abc", "NaN", "inf", "1e", "1e1.5", "--1", "1 2", "12%"]
        {
            let error = parse_decimal(text).expect_err(text);
            assert_eq!(error.code(), "not_a_number", "{text}");
        }
        let long = "9".repeat(1000);
        for text in ["1e29", "1e999999999999999999999", "1e-29", "123456789012345678901234567890", &long] {
            let error = parse_decimal(text).expect_err(text);
            assert_eq!(error.code(), "too_many_digits", "{text}");
        }
    }

    #[test]
    fn censored_results() {
        let table = [
            ("<0.05", "<0.05"),
            ("＜ 0.05", "<0.05"),
            ("<=0.05", "≤0.05"),
            ("≥100", "≥100"),
            (">100", ">100"),
            ("未检出", "未检出"),
            (" N.D. ", "未检出"),
            ("Not detected", "未检出"),
            ("未检出（＜0.05）", "<0.05"),
            ("96.960", "96.960"),
        ];
        for (text, expected) in table {
            assert_eq!(Measured::parse(text).expect(text).to_string(), expected, "{text}");
        }
        for text in ["", "<", "< LOQ", "abc", "n/a", "-", "<>1", "0.05 J", "未检出(x)"] {
            assert_eq!(Measured::parse(text).expect_err(text).code(), "not_a_result", "{text}");
        }
    }
}
