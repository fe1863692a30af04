//! Numbers as text: what was written becomes a plain decimal without passing through a float.

use rust_decimal::Decimal;

/// Longest plain decimal that is written out; a number beyond it is hostile, not measured.
const MAX_DIGITS: i64 = 420;

/// A number as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Number {
    /// Plain decimal text, trailing zeros kept.
    pub value: String,
    /// The decimal mark that was written, if any.
    pub mark: Option<char>,
    /// Power of ten of the last written digit.
    pub last_place: i64,
}

/// Reads `raw` as one number written with one of `marks`; `None` where it is anything else.
pub(crate) fn parse(raw: &str, marks: &[char]) -> Option<Number> {
    let text = raw.trim();
    let (negative, text) = match text.chars().next()? {
        '-' | '\u{2212}' => (true, text.get(text.chars().next()?.len_utf8()..)?),
        '+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let text = text.trim_start();
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((m, e)) => (m, exponent(e)?),
        None => (text, 0),
    };
    let mark = mantissa.chars().find(|c| marks.contains(c));
    let (whole, fraction) = match mark {
        Some(m) => mantissa.split_once(m)?,
        None => (mantissa, ""),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return None;
    }
    let places = i64::try_from(fraction.len()).ok()?;
    let total = i64::try_from(whole.len()).ok()? + places + exponent.abs();
    if total > MAX_DIGITS {
        return None;
    }
    Some(Number { value: plain(negative, whole, fraction, exponent), mark, last_place: exponent - places })
}

/// Reads a number whose thousands are separated: `5,720.562`. Groups of other sizes are not read as a number.
pub(crate) fn parse_grouped(raw: &str, marks: &[char], thousands: char) -> Option<Number> {
    let text = raw.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == thousands || "+-".contains(c))).unwrap_or(text.len());
    let (whole, rest) = text.split_at(end);
    let mut groups = whole.trim_start_matches(['+', '-']).split(thousands);
    let first = groups.next()?;
    let three = |group: &str| group.len() == 3 && group.bytes().all(|b| b.is_ascii_digit());
    let fits = (1..=3).contains(&first.len()) && groups.clone().next().is_some() && groups.all(three);
    let marks: Vec<char> = marks.iter().copied().filter(|m| *m != thousands).collect();
    fits.then(|| parse(&format!("{}{rest}", whole.replace(thousands, "")), &marks)).flatten()
}

fn exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let size: i64 = digits.parse().ok()?;
    Some(if text.starts_with('-') { -size } else { size })
}

/// Moves the decimal point by `exponent` places.
fn plain(negative: bool, whole: &str, fraction: &str, exponent: i64) -> String {
    let mut digits: String = format!("{whole}{fraction}");
    let mut point = whole.len() as i64 + exponent;
    if point <= 0 {
        digits.insert_str(0, &"0".repeat((1 - point) as usize));
        point = 1;
    }
    let missing = point - digits.len() as i64;
    if missing > 0 {
        digits.push_str(&"0".repeat(missing as usize));
    }
    let (left, right) = digits.split_at(point as usize);
    // One zero is written before the point; others in front say nothing.
    let left = match left.trim_start_matches('0') {
        "" => "0",
        trimmed => trimmed,
    };
    let sign = if negative { "-" } else { "" };
    if right.is_empty() { format!("{sign}{left}") } else { format!("{sign}{left}.{right}") }
}

impl Number {
    /// The value for sums; `None` beyond 28 digits.
    pub fn decimal(&self) -> Option<Decimal> {
        self.value.parse().ok()
    }

    /// Half a unit of the last written digit: how far the true value may be from the written one.
    pub fn half_unit(&self) -> Decimal {
        let half = Decimal::new(5, 1);
        let place = self.last_place.clamp(-27, 27);
        if place < 0 {
            Decimal::try_new(5, (1 - place) as u32).unwrap_or(half)
        } else {
            (0..place).fold(half, |acc, _| acc.saturating_mul(Decimal::TEN))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(raw: &str) -> Option<String> {
        parse(raw, &['.', ',']).map(|n| n.value)
    }

    #[test]
    fn powers_of_ten_are_written_out_and_zeros_kept() {
        assert_eq!(value("4.57137e4").as_deref(), Some("45713.7"));
        assert_eq!(value("1.000e2").as_deref(), Some("100.0"));
        assert_eq!(value("2.500E+1").as_deref(), Some("25.00"));
        assert_eq!(value("-1.01e-08").as_deref(), Some("-0.0000000101"));
        assert_eq!(value("1,97e+06").as_deref(), Some("1970000"));
        assert_eq!(value("257,10").as_deref(), Some("257.10"));
        assert_eq!(value("-  10.0023").as_deref(), Some("-10.0023"));
        assert_eq!(value(".5").as_deref(), Some("0.5"));
        assert_eq!(value("007").as_deref(), Some("7"));
        assert_eq!(value("0.000").as_deref(), Some("0.000"));
    }

    #[test]
    fn thousands_come_in_threes() {
        let value = |raw: &str| parse_grouped(raw, &['.'], ',').map(|n| n.value);
        assert_eq!(value("5,720.562").as_deref(), Some("5720.562"));
        assert_eq!(value("-1,005,720").as_deref(), Some("-1005720"));
        for raw in ["5,72", "5720,562.1", "1,2345", ",562", "5,720,", "5,720.562,1", "5,,720", "5.720", "1,-50"] {
            assert_eq!(value(raw), None, "{raw}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for raw in ["", "-", "NaN", "1.2.3", "1,234.5", "0x10", "1e", "1e99999", "12 3", "."] {
            assert_eq!(value(raw), None, "{raw}");
        }
    }

    #[test]
    fn half_a_unit_follows_the_last_digit() {
        let half = |raw: &str| parse(raw, &['.']).map(|n| n.half_unit().normalize().to_string());
        assert_eq!(half("4.57137e4").as_deref(), Some("0.05"));
        assert_eq!(half("2608.15039").as_deref(), Some("0.000005"));
        assert_eq!(half("1.97e+06").as_deref(), Some("5000"));
    }
}
