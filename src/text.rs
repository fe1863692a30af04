//! Reading what people typed: each check names the field and what was expected.

mod typed;

use chrono::NaiveDate;
use rust_decimal::Decimal;

pub use typed::{TypedDate, TypedDecimal, date_or_blank, decimal_or_blank};

use crate::refusal::{Code, Refusal};

/// The longest ordinary text field, in characters.
pub const TEXT: usize = 200;
/// The longest remark or reason, in characters.
pub const REMARK: usize = 2000;

/// Text that must be there, of at most `max` characters, trimmed, without control characters.
///
/// # Errors
/// Names the field.
pub fn required(field: &str, text: &str, max: usize) -> Result<String, Refusal> {
    let text = optional(field, text, max)?;
    if text.is_empty() {
        return Err(Refusal::field(field, "不能为空", "must not be empty"));
    }
    Ok(text)
}

/// Text that may be empty, of at most `max` characters, trimmed, without control characters.
///
/// # Errors
/// Names the field.
pub fn optional(field: &str, text: &str, max: usize) -> Result<String, Refusal> {
    let text = text.trim();
    if text.chars().count() > max {
        return Err(Refusal::field(field, format!("最多 {max} 个字符"), format!("at most {max} characters")));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(Refusal::field(field, "含有控制字符", "contains control characters"));
    }
    Ok(text.to_owned())
}

/// A text that ends up on a certificate: also every character must be in the certificate's font, so that a
/// missing one is an error at the form and not a failed issue.
///
/// # Errors
/// Names the field and the characters.
pub fn printed(field: &str, text: &str, max: usize) -> Result<String, Refusal> {
    let text = required(field, text, max)?;
    printable(field, &text)?;
    Ok(text)
}

/// Checks that every character is in the certificate's font.
///
/// # Errors
/// Names the field and the characters.
pub fn printable(field: &str, text: &str) -> Result<(), Refusal> {
    let missing = crate::documents::missing_glyphs(text);
    if missing.is_empty() {
        return Ok(());
    }
    let shown: String = missing.iter().collect();
    Err(Refusal::new(
        Code::GlyphMissing,
        format!("证书字体没有这些字：{shown}"),
        format!("the certificate's font lacks: {shown}"),
    )
    .at(field))
}

/// A plain decimal such as `0.25`: digits, at most one point, at most 28 digits; kept as written.
///
/// # Errors
/// Names the field.
pub fn decimal(field: &str, text: &str) -> Result<(String, Decimal), Refusal> {
    let text = text.trim();
    let expected = || Refusal::field(field, format!("“{text}”不是十进制数"), format!("{text:?} is no decimal number"));
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty()
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.ends_with(|c: char| c.is_ascii_digit());
    if !plain {
        return Err(expected());
    }
    let value = Decimal::from_str_exact(text).map_err(|_| expected())?;
    Ok((text.to_owned(), value))
}

/// A decimal above zero.
///
/// # Errors
/// Names the field.
pub fn positive(field: &str, text: &str) -> Result<(String, Decimal), Refusal> {
    let (text, value) = decimal(field, text)?;
    if value <= Decimal::ZERO {
        return Err(Refusal::field(field, "必须大于零", "must be above zero"));
    }
    Ok((text, value))
}

/// A decimal that is not negative.
///
/// # Errors
/// Names the field.
pub fn not_negative(field: &str, text: &str) -> Result<(String, Decimal), Refusal> {
    let (text, value) = decimal(field, text)?;
    if value < Decimal::ZERO {
        return Err(Refusal::field(field, "不能为负", "must not be negative"));
    }
    Ok((text, value))
}

/// A date `YYYY-MM-DD`.
///
/// # Errors
/// Names the field.
pub fn date(field: &str, text: &str) -> Result<NaiveDate, Refusal> {
    crate::regulation::parse_date(text.trim()).ok_or_else(|| {
        Refusal::field(field, format!("“{text}”不是日期（YYYY-MM-DD）"), format!("{text:?} is no date (YYYY-MM-DD)"))
    })
}

/// A date that may be left out.
///
/// # Errors
/// Names the field.
pub fn date_opt(field: &str, text: Option<&str>) -> Result<Option<NaiveDate>, Refusal> {
    text.filter(|t| !t.trim().is_empty()).map(|t| date(field, t)).transpose()
}

/// A word of a fixed vocabulary.
///
/// # Errors
/// Names the field and the word.
pub fn word<T>(field: &str, text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Refusal> {
    parse(text.trim()).ok_or_else(|| {
        Refusal::field(
            field,
            format!("“{text}”不是允许的值"),
            format!("{text:?} is not one of the values allowed here"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_plain_and_kept_as_written() {
        assert_eq!(decimal("x", " 0.50 ").map(|d| d.0).as_deref(), Ok("0.50"));
        for bad in
            ["", "-", ".5", "5.", "1e3", "1,5", "１", "+1", "1.2.3", "NaN", "0x1", "99999999999999999999999999999"]
        {
            assert!(decimal("x", bad).is_err(), "{bad}");
        }
        assert!(positive("x", "0").is_err() && not_negative("x", "0").is_ok());
    }

    #[test]
    fn dates_are_whole() {
        assert!(date("d", "2026-02-28").is_ok());
        for bad in ["2026-02-29", "2026-2-1", "26-02-01", "2026/02/01", "", "+2026-02-1"] {
            assert!(date("d", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn text_is_trimmed_and_bounded() {
        assert_eq!(required("n", " 人 ", 2).as_deref(), Ok("人"));
        assert!(
            required("n", "  ", 9).is_err() && required("n", "abc", 2).is_err() && required("n", "a\u{7}", 9).is_err()
        );
    }
}
