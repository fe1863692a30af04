//! Number formats of workbooks: which stored numbers are dates or shares of a hundred.

use chrono::{Duration, NaiveDate, NaiveDateTime};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// What a number format makes of a stored number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum CellFormat {
    #[default]
    General,
    /// Shown times a hundred with a `%`.
    Percent,
    Date,
    Time,
    DateTime,
    /// Hours that may exceed a day.
    Elapsed,
}

/// Formats that a workbook does not have to write (ECMA-376 part 1, 18.8.30).
pub(crate) fn built_in(id: u32) -> CellFormat {
    match id {
        9 | 10 => CellFormat::Percent,
        14..=17 | 27..=31 | 36 | 50..=54 | 57 | 58 => CellFormat::Date,
        18..=21 | 32..=35 | 45 | 47 | 55 | 56 => CellFormat::Time,
        22 => CellFormat::DateTime,
        46 => CellFormat::Elapsed,
        _ => CellFormat::General,
    }
}

/// The meaning of a format code such as `yyyy\-mm\-dd hh:mm`.
pub(crate) fn of_code(code: &str) -> CellFormat {
    let (mut plain, mut chars) = (String::new(), code.chars());
    let mut elapsed = false;
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                chars.by_ref().find(|c| *c == '"');
            }
            '\\' | '_' | '*' => {
                chars.next();
            }
            '[' => {
                let inside: String = chars.by_ref().take_while(|c| *c != ']').collect();
                elapsed |=
                    !inside.is_empty() && inside.chars().all(|c| matches!(c.to_ascii_lowercase(), 'h' | 'm' | 's'));
            }
            // The first section is the one for positive numbers.
            ';' => break,
            c => plain.push(c.to_ascii_lowercase()),
        }
    }
    if elapsed {
        return CellFormat::Elapsed;
    }
    if plain.contains("general") {
        return CellFormat::General;
    }
    if plain.contains('%') {
        return CellFormat::Percent;
    }
    let plain = plain.replace("am/pm", "h").replace("a/p", "h");
    let (day, hour) = (plain.contains(['y', 'd']), plain.contains(['h', 's']));
    match (day, hour, plain.contains('m')) {
        (true, true, _) => CellFormat::DateTime,
        (true, false, _) | (false, false, true) => CellFormat::Date,
        (false, true, _) => CellFormat::Time,
        (false, false, false) => CellFormat::General,
    }
}

/// A stored day number as ISO 8601 text; `None` where the number is not a date.
pub(crate) fn moment(stored: &str, format: CellFormat, epoch_1904: bool) -> Option<String> {
    let plain = crate::numbers::parse(stored, &['.'])?.value;
    let number: Decimal = plain.parse::<Decimal>().ok().filter(|n| !n.is_sign_negative())?;
    let milliseconds = ((number - number.trunc()) * Decimal::from(86_400_000)).round().to_i64()?;
    let days = number.trunc().to_i64().filter(|d| *d < 3_000_000)?;
    if format == CellFormat::Elapsed {
        let total = days * 86_400_000 + milliseconds;
        let (hours, rest) = (total / 3_600_000, total % 3_600_000);
        return Some(format!("{hours}:{:02}:{:02}", rest / 60_000, rest % 60_000 / 1000));
    }
    // The older calendar counts a 29 February 1900 that never was.
    let start = match (epoch_1904, days) {
        (true, _) => NaiveDate::from_ymd_opt(1904, 1, 1)?,
        (false, 0..=59) => NaiveDate::from_ymd_opt(1899, 12, 31)?,
        _ => NaiveDate::from_ymd_opt(1899, 12, 30)?,
    };
    let at: NaiveDateTime =
        start.and_hms_opt(0, 0, 0)?.checked_add_signed(Duration::milliseconds(days * 86_400_000 + milliseconds))?;
    // Stored with fifteen digits, a moment is some microseconds off; a second is what instruments give.
    let shown = match format {
        CellFormat::Time => "%H:%M:%S%.f",
        CellFormat::Date if milliseconds == 0 => "%Y-%m-%d",
        _ => "%Y-%m-%dT%H:%M:%S%.f",
    };
    Some(at.format(shown).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_say_what_a_number_is() {
        for (code, format) in [
            ("General", CellFormat::General),
            ("0.00", CellFormat::General),
            ("#,##0.00_ ;[Red]-#,##0.00", CellFormat::General),
            ("0.00E+00", CellFormat::General),
            ("0.0\" mg/d\"", CellFormat::General),
            ("0.00%", CellFormat::Percent),
            ("yyyy\\-mm\\-dd", CellFormat::Date),
            ("d/m/yy h:mm;@", CellFormat::DateTime),
            ("hh:mm:ss AM/PM", CellFormat::Time),
            ("[h]:mm:ss", CellFormat::Elapsed),
            ("[$-409]mmm\\-yy", CellFormat::Date),
            ("[$-804]yyyy\"年\"m\"月\"d\"日\"", CellFormat::Date),
        ] {
            assert_eq!(of_code(code), format, "{code}");
        }
    }

    #[test]
    fn day_numbers_are_moments() {
        let iso = |stored: &str, format, old| moment(stored, format, old).unwrap_or_default();
        assert_eq!(iso("45527.626736111109", CellFormat::DateTime, false), "2024-08-23T15:02:30");
        assert_eq!(iso("45527", CellFormat::Date, false), "2024-08-23");
        assert_eq!(iso("44065", CellFormat::Date, true), "2024-08-23");
        assert_eq!(iso("0.5", CellFormat::Time, false), "12:00:00");
        assert_eq!(iso("1.0625", CellFormat::Elapsed, false), "25:30:00");
        assert_eq!(iso("1", CellFormat::Date, false), "1900-01-01");
        assert_eq!(moment("-1", CellFormat::Date, false), None);
        assert_eq!(moment("1e99", CellFormat::Date, false), None);
    }
}
