//! Reading what people typed: each check names the field and what was expected.

pub mod codes;
mod form;
mod typed;

use chrono::NaiveDate;
use rust_decimal::Decimal;

pub use form::{fault, one_form, refuse_unprintable, tidy};
pub use typed::{TypedDate, TypedDecimal, date_or_blank, decimal_or_blank};

use crate::refusal::{Code, Refusal};

/// The longest ordinary text field, in characters.
pub const TEXT: usize = 200;
/// The longest remark or reason, in characters. Remarks and reasons are the texts of several lines.
pub const REMARK: usize = 2000;

/// Text that must be there, of at most `max` characters, in one form and printable.
///
/// # Errors
/// Names the field.
pub fn required(field: &str, text: &str, max: usize) -> Result<String, Refusal> {
    there(field, optional(field, text, max)?)
}

/// Text that may be empty, of at most `max` characters, in one form and printable: whatever a person types may end up on
/// a document, so what cannot be printed is refused where it is typed.
///
/// # Errors
/// Names the field, and the characters that cannot be printed.
pub fn optional(field: &str, text: &str, max: usize) -> Result<String, Refusal> {
    let text = as_filed(field, text, max)?;
    // A tab is printed as blanks.
    printable(field, &text.replace('\t', " "))?;
    Ok(text)
}

/// Text that repeats what a file or an instrument says, such as a name: in one form, and never refused for a character
/// that a document would show by a substitute.
///
/// # Errors
/// Names the field.
pub fn as_filed(field: &str, text: &str, max: usize) -> Result<String, Refusal> {
    let text = one_form(text).trim().to_owned();
    if text.chars().count() > max {
        return Err(Refusal::field(field, format!("最多 {max} 个字符"), format!("at most {max} characters")));
    }
    let lines = max >= REMARK;
    let fault = if !lines && text.contains('\n') {
        Some(("只能填写一行", "must be one line"))
    } else if text.chars().any(|c| c.is_control() && c != '\n' && !(lines && c == '\t')) {
        Some(("含有控制字符", "contains control characters"))
    } else {
        None
    };
    if let Some((zh, en)) = fault {
        return Err(Refusal::field(field, zh, en));
    }
    Ok(text)
}

/// As [`as_filed`], where the text must be there.
///
/// # Errors
/// Names the field.
pub fn required_as_filed(field: &str, text: &str, max: usize) -> Result<String, Refusal> {
    there(field, as_filed(field, text, max)?)
}

fn there(field: &str, text: String) -> Result<String, Refusal> {
    if text.is_empty() {
        return Err(Refusal::field(field, "不能为空", "must not be empty"));
    }
    Ok(text)
}

/// Checks that every character is in the fonts of the documents.
///
/// # Errors
/// Names the field and the characters.
pub fn printable(field: &str, text: &str) -> Result<(), Refusal> {
    let missing = crate::documents::missing_glyphs(text);
    if missing.is_empty() {
        return Ok(());
    }
    let shown: Vec<String> = missing.iter().map(|sign| named(*sign)).collect();
    let codes: Vec<String> = missing.iter().map(|sign| format!("U+{:04X}", u32::from(*sign))).collect();
    Err(Refusal::new(
        Code::GlyphMissing,
        format!("文件的字体不能印出这些字符：{}", shown.join("、")),
        format!("the fonts of the documents cannot print: {}", shown.join(", ")),
    )
    .at(field)
    .with(serde_json::json!({"characters": codes})))
}

/// A character with its code; one that cannot be seen by its code alone.
fn named(sign: char) -> String {
    let code = u32::from(sign);
    if sign.is_control() || sign.is_whitespace() || crate::documents::unseen(sign) {
        format!("U+{code:04X}")
    } else {
        format!("{sign}（U+{code:04X}）")
    }
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

    #[test]
    fn a_remark_has_lines_and_a_name_has_one() {
        for (typed, kept) in [("a\r\nb", "a\nb"), ("a\rb", "a\nb"), ("a\nb\r\n", "a\nb"), ("a\tb", "a\tb")] {
            assert_eq!(optional("note", typed, REMARK).as_deref(), Ok(kept), "{typed:?}");
            let refused = optional("name", typed, TEXT).expect_err("one line");
            assert_eq!((refused.code, refused.field.as_deref()), (Code::InvalidField, Some("name")), "{typed:?}");
        }
        // A line end after the only line is the keyboard's or the scanner's.
        assert_eq!(optional("name", "甲\r\n", TEXT).as_deref(), Ok("甲"));
    }

    #[test]
    fn what_cannot_be_printed_is_refused_with_its_characters() {
        for (typed, code) in [
            ("路ཀ", "U+0F40"),
            ("a😀", "U+1F600"),
            ("a\u{202e}b", "U+202E"),
            ("a\u{2066}b", "U+2066"),
            ("a\u{e000}", "U+E000"),
            ("a\u{fffe}", "U+FFFE"),
        ] {
            let refused = required("address", typed, TEXT).expect_err(typed);
            assert_eq!((refused.code, refused.field.as_deref()), (Code::GlyphMissing, Some("address")));
            assert_eq!(refused.details["characters"], serde_json::json!([code]));
            assert!(refused.message_zh.contains(code) && refused.message_en.contains(code), "{refused}");
            assert!(required_as_filed("name", typed, TEXT).is_ok(), "a file is called as it is called");
        }
        assert_eq!(required("name", "王\u{200b}䶮\u{feff}", TEXT).as_deref(), Ok("王䶮"));
    }
}
