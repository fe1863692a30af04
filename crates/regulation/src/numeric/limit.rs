//! Limits as a report prints them, and the comparison of a result with them.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use vocabulary::Verdict;

use crate::numeric::value::{Measured, Operator, operator, parse_decimal, to_ascii};
use crate::numeric::{NumericError, RoundingStep, round_to};

/// An acceptance limit: the acceptable values, and the last digit to which it is written.
///
/// A microbial limit that is written as a power of ten is read as the pharmacopoeia counts: `≤10³` accepts at most
/// 2000, twice the power. One with a factor (`≤5×10²`) is a plain number to that factor's last digit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    low: Option<Bound>,
    high: Option<Bound>,
    /// One unit of the last digit that is written.
    last: RoundingStep,
    /// As written, where that is a power of ten.
    power: Option<String>,
}

/// One end of the acceptable values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bound {
    at: Decimal,
    inclusive: bool,
}

/// How a result is compared with its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompareBy {
    /// 全数值比较法: as measured (the default of GB/T 8170).
    Full,
    /// 修约值比较法: rounded once to the limit's last digit (the pharmacopoeia's general notices).
    Rounded,
}

impl CompareBy {
    /// The word of the public interface.
    pub const fn as_str(self) -> &'static str {
        match self {
            CompareBy::Full => "full",
            CompareBy::Rounded => "rounded",
        }
    }

    /// Reads the word of the public interface.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "full" => Some(CompareBy::Full),
            "rounded" => Some(CompareBy::Rounded),
            _ => None,
        }
    }
}

/// What was compared, as written in the decision, and the verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub compared: Measured,
    pub verdict: Verdict,
    /// As it is printed beside the limit: at the limit's digits, or with as many more as show the verdict. Whoever
    /// compares the two comes to the same verdict.
    pub reported: Measured,
}

const EXPECTED: &str = "expected ≥97.0, ≤0.5, <1.0, >2, ≤10³, ≥1.0×10⁷, 95.0~105.0, 95.0–105.0 or 10.0±0.1, with (excl) where the ends do not count";

/// Words of the pharmacopoeia in front of a number, longest first.
const WORDS: &[(&str, Operator)] = &[
    ("不得少于", Operator::GreaterOrEqual),
    ("不得低于", Operator::GreaterOrEqual),
    ("不得过", Operator::LessOrEqual),
    ("不得超过", Operator::LessOrEqual),
    ("不得大于", Operator::LessOrEqual),
    ("不少于", Operator::GreaterOrEqual),
    ("不低于", Operator::GreaterOrEqual),
    ("不小于", Operator::GreaterOrEqual),
    ("不大于", Operator::LessOrEqual),
    ("不高于", Operator::LessOrEqual),
    ("不多于", Operator::LessOrEqual),
    ("不超过", Operator::LessOrEqual),
    ("大于", Operator::Greater),
    ("高于", Operator::Greater),
    ("小于", Operator::Less),
    ("低于", Operator::Less),
    ("nlt", Operator::GreaterOrEqual),
    ("nmt", Operator::LessOrEqual),
];

/// Signs between the ends of a range.
const SEPARATORS: &[char] = &['~', '–', '—', '―', '‒', '‐', '‑', '-', '∼', '〜', '至', '−'];

impl Limit {
    /// Reads a limit as written on a report.
    ///
    /// # Errors
    /// The text is not a limit, its ends are in the wrong order, or it has too many digits.
    pub fn parse(text: &str) -> Result<Self, NumericError> {
        let error = || NumericError::NotALimit { text: text.to_owned(), expected: EXPECTED };
        let plain = to_ascii(text);
        let (body, exclusive) = without_exclusion(&plain);
        if let Some((operator, rest)) = operator(body).or_else(|| word(body)) {
            if exclusive {
                return Err(error());
            }
            return one_sided(operator, rest).ok_or_else(error);
        }
        if let Some((centre, width)) = body.split_once('±').or_else(|| body.split_once("+/-")) {
            let centre = plain_number(centre).ok_or_else(error)?;
            let width = plain_number(width).filter(|width| *width >= Decimal::ZERO).ok_or_else(error)?;
            let low = centre.checked_sub(width).ok_or_else(error)?;
            let high = centre.checked_add(width).ok_or_else(error)?;
            return range(low, high, !exclusive).ok_or_else(error);
        }
        let (low, high) = ends(body).ok_or_else(error)?;
        range(low, high, !exclusive).ok_or_else(error)
    }

    /// One unit of the limit's last digit: results are rounded to it.
    pub const fn step(&self) -> Decimal {
        self.last.value()
    }

    /// The lowest acceptable value, and the highest.
    pub fn bounds(&self) -> (Option<Decimal>, Option<Decimal>) {
        (self.low.map(|low| low.at), self.high.map(|high| high.at))
    }

    /// The greatest acceptable number of a limit that is written as a power of ten: 2000 of `≤10³`.
    pub fn at_most(&self) -> Option<Decimal> {
        self.power.as_ref().and(self.high).filter(|high| high.at.is_sign_positive()).map(|high| high.at)
    }

    /// Whether a result lies within these bounds, or may: a censored one is outside where all of it is.
    pub fn may_hold(&self, value: &Measured) -> bool {
        self.verdict(value) != Verdict::Fail || *value == Measured::NotDetected
    }

    /// Compares a result. A number is compared as measured or rounded once; a censored result by its bound, and never
    /// becomes a number.
    ///
    /// # Errors
    /// The result has too many digits to be rounded exactly.
    pub fn judge(&self, value: &Measured, by: CompareBy) -> Result<Judgement, NumericError> {
        let compared = match by {
            CompareBy::Full => value.clone(),
            CompareBy::Rounded => self.rounded(value)?,
        };
        let verdict = self.verdict(&compared);
        let reported = self.reported(value, &compared, verdict)?;
        Ok(Judgement { compared, verdict, reported })
    }

    /// The verdict of a result as it is.
    fn verdict(&self, value: &Measured) -> Verdict {
        match *value {
            Measured::Number(number) => self.of_number(number),
            Measured::Below { bound, inclusive } => self.of_below(bound, inclusive),
            Measured::Above { bound, inclusive } => self.of_above(bound, inclusive),
            Measured::NotDetected => self.of_not_detected(),
        }
    }

    /// A number at the limit's digits, or at as few more as do not contradict the verdict; a censored result with its
    /// bound as stated, or as it was compared where only that shows the verdict.
    fn reported(&self, value: &Measured, compared: &Measured, verdict: Verdict) -> Result<Measured, NumericError> {
        let Measured::Number(number) = *value else {
            return Ok(if self.verdict(value) == verdict { value.clone() } else { compared.clone() });
        };
        let coarse = round_to(number, self.last)?;
        if self.of_number(coarse) == verdict {
            return Ok(Measured::Number(coarse));
        }
        for decimals in self.last.value().scale()..number.scale() {
            let finer = round_to(number, RoundingStep::of_decimals(decimals)?)?;
            if self.of_number(finer) == verdict {
                return Ok(Measured::Number(finer));
            }
        }
        Ok(Measured::Number(number))
    }

    /// Rounds to the limit's last digit. A bound that has that many decimals or fewer stays a bound as stated; one
    /// that loses digits can be reached by values below it, so it counts as reached from then on.
    fn rounded(&self, value: &Measured) -> Result<Measured, NumericError> {
        let step = self.last;
        let bound = |at: Decimal, inclusive: bool| {
            let to = round_to(at, step)?;
            Ok(if to == at { (at, inclusive) } else { (to, true) })
        };
        Ok(match value {
            Measured::Number(number) => Measured::Number(round_to(*number, step)?),
            Measured::Below { bound: at, inclusive } => {
                let (bound, inclusive) = bound(*at, *inclusive)?;
                Measured::Below { bound, inclusive }
            }
            Measured::Above { bound: at, inclusive } => {
                let (bound, inclusive) = bound(*at, *inclusive)?;
                Measured::Above { bound, inclusive }
            }
            Measured::NotDetected => Measured::NotDetected,
        })
    }

    fn of_number(&self, number: Decimal) -> Verdict {
        if self.reaches_low(number) && self.reaches_high(number) { Verdict::Pass } else { Verdict::Fail }
    }

    fn reaches_low(&self, number: Decimal) -> bool {
        self.low.is_none_or(|low| number > low.at || (low.inclusive && number == low.at))
    }

    fn reaches_high(&self, number: Decimal) -> bool {
        self.high.is_none_or(|high| number < high.at || (high.inclusive && number == high.at))
    }

    /// All values below `bound` (and itself, if inclusive).
    fn of_below(&self, bound: Decimal, inclusive: bool) -> Verdict {
        let all_under_low =
            self.low.is_some_and(|low| bound < low.at || (bound == low.at && !(inclusive && low.inclusive)));
        if all_under_low {
            return Verdict::Fail;
        }
        let all_under_high =
            self.high.is_none_or(|high| bound < high.at || (bound == high.at && (high.inclusive || !inclusive)));
        if self.low.is_none() && all_under_high { Verdict::Pass } else { Verdict::Indeterminate }
    }

    /// All values above `bound` (and itself, if inclusive).
    fn of_above(&self, bound: Decimal, inclusive: bool) -> Verdict {
        let all_over_high =
            self.high.is_some_and(|high| bound > high.at || (bound == high.at && !(inclusive && high.inclusive)));
        if all_over_high {
            return Verdict::Fail;
        }
        let all_over_low =
            self.low.is_none_or(|low| bound > low.at || (bound == low.at && (low.inclusive || !inclusive)));
        if self.high.is_none() && all_over_low { Verdict::Pass } else { Verdict::Indeterminate }
    }

    /// Not detected lies between nothing and a detection limit that the method was chosen for: below every limit above
    /// zero, and not reliably apart from zero.
    fn of_not_detected(&self) -> Verdict {
        if self.low.is_some_and(|low| low.at > Decimal::ZERO) {
            return Verdict::Fail;
        }
        let room_above = self.high.is_none_or(|high| high.at > Decimal::ZERO);
        let zero_allowed = self.reaches_low(Decimal::ZERO);
        if room_above && zero_allowed { Verdict::Pass } else { Verdict::Indeterminate }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(power) = &self.power {
            return f.write_str(power);
        }
        match (self.low, self.high) {
            (Some(low), Some(high)) => {
                let mark = if low.inclusive { "" } else { " (excl)" };
                write!(f, "{}~{}{mark}", low.at, high.at)
            }
            (Some(low), None) => write!(f, "{}{}", if low.inclusive { "≥" } else { ">" }, low.at),
            (None, Some(high)) => {
                write!(f, "{}{}", if high.inclusive { "≤" } else { "<" }, high.at)
            }
            (None, None) => Ok(()),
        }
    }
}

/// The text without a closing `(excl)`, and whether there was one.
fn without_exclusion(text: &str) -> (&str, bool) {
    for mark in ["(excl)", "(excl.)", "(exclusive)", "(不含端点)", "(不含)"] {
        if let Some(body) = text.trim_end().strip_suffix(mark) {
            return (body.trim_end(), true);
        }
    }
    (text, false)
}

fn word(text: &str) -> Option<(Operator, &str)> {
    WORDS.iter().find_map(|(word, operator)| {
        let head = text.get(..word.len())?;
        let rest = text.get(word.len()..)?;
        head.eq_ignore_ascii_case(word).then_some((*operator, rest.trim_start()))
    })
}

/// A number without a power of ten: of a limit its last digit counts.
fn plain_number(text: &str) -> Option<Decimal> {
    let text = text.trim();
    if text.contains(['e', 'E']) { None } else { parse_decimal(text).ok() }
}

fn one_sided(operator: Operator, text: &str) -> Option<Limit> {
    let sign = match operator {
        Operator::Greater => ">",
        Operator::GreaterOrEqual => "≥",
        Operator::Less => "<",
        Operator::LessOrEqual => "≤",
    };
    let (at, last, power) = match power_of_ten(text) {
        None => {
            let at = plain_number(text)?;
            (at, RoundingStep::of_decimals(at.scale()).ok()?, None)
        }
        Some(power) => {
            let shown = Some(format!("{sign}{}", power.shown));
            match (power.factor, operator) {
                // "At most 10³" is a class of the pharmacopoeia; "less than" is not.
                (None, Operator::Less) => return None,
                (None, Operator::LessOrEqual) => {
                    (power.tens.checked_mul(Decimal::TWO)?, RoundingStep::of_decimals(0).ok()?, shown)
                }
                (None, _) => (power.tens, RoundingStep::of_decimals(0).ok()?, shown),
                (Some(factor), _) => {
                    let last = RoundingStep::of_decimals(factor.scale()).ok()?.value().checked_mul(power.tens)?;
                    let step = if last >= Decimal::ONE { last.trunc() } else { last.normalize() };
                    (factor.checked_mul(power.tens)?.normalize(), RoundingStep::new(step).ok()?, shown)
                }
            }
        }
    };
    let bound = |inclusive| Some(Bound { at, inclusive });
    let (low, high) = match operator {
        Operator::Greater => (bound(false), None),
        Operator::GreaterOrEqual => (bound(true), None),
        Operator::Less => (None, bound(false)),
        Operator::LessOrEqual => (None, bound(true)),
    };
    Some(Limit { low, high, last, power })
}

/// `10³`, `10^3`, `5×10²`, `1.0x10^7`.
struct PowerOfTen {
    factor: Option<Decimal>,
    tens: Decimal,
    shown: String,
}

fn power_of_ten(text: &str) -> Option<PowerOfTen> {
    const RAISED: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let (before, exponent) = match text.rsplit_once('^') {
        Some((before, exponent)) => (before, exponent.trim().to_owned()),
        None => {
            let at = text.find(RAISED)?;
            let digit = |c: char| RAISED.iter().position(|raised| *raised == c).map(|digit| digit.to_string());
            (text.get(..at)?, text.get(at..)?.trim().chars().map(digit).collect::<Option<String>>()?)
        }
    };
    let exponent: u32 = exponent.parse().ok().filter(|exponent| *exponent <= 20)?;
    let factor = before.trim_end().strip_suffix("10")?.trim_end();
    let factor = match factor {
        "" => None,
        _ => Some(plain_number(factor.strip_suffix(['×', 'x', 'X', '*', '·'])?)?),
    };
    let tens = Decimal::from_i128_with_scale(10_i128.checked_pow(exponent)?, 0);
    let raised: String = exponent.to_string().chars().filter_map(|c| RAISED.get(c.to_digit(10)? as usize)).collect();
    let shown = factor.map_or_else(|| format!("10{raised}"), |factor| format!("{factor}×10{raised}"));
    Some(PowerOfTen { factor, tens, shown })
}

fn range(low: Decimal, high: Decimal, inclusive: bool) -> Option<Limit> {
    if low > high || (low == high && !inclusive) {
        return None;
    }
    let bound = |at| Some(Bound { at, inclusive });
    let last = RoundingStep::of_decimals(low.scale().max(high.scale())).ok()?;
    Some(Limit { low: bound(low), high: bound(high), last, power: None })
}

/// The two numbers of a range. The first sign of the text belongs to the first number, not to the range.
fn ends(text: &str) -> Option<(Decimal, Decimal)> {
    let after_sign = text.chars().next().filter(|first| matches!(first, '-' | '+')).map_or(0, char::len_utf8);
    let at = after_sign + text.get(after_sign..)?.find(SEPARATORS)?;
    let separator = text.get(at..)?.chars().next()?;
    let low = plain_number(text.get(..at)?)?;
    let high = plain_number(text.get(at + separator.len_utf8()..)?)?;
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(limit: &str, value: &str, by: CompareBy) -> (String, &'static str) {
        let limit = Limit::parse(limit).expect(limit);
        let value = Measured::parse(value).expect(value);
        let judgement = limit.judge(&value, by).expect("judged");
        (judgement.compared.to_string(), judgement.verdict.as_str())
    }

    #[test]
    fn worked_examples_by_both_ways() {
        let table = [
            ("≥97.0", "96.96", "fail", "97.0", "pass"),
            ("≥97.0", "96.94", "fail", "96.9", "fail"),
            ("≤0.5", "0.549", "fail", "0.5", "pass"),
            ("1.2–1.6", "1.651", "fail", "1.7", "fail"),
            ("95.0–105.0", "94.95", "fail", "95.0", "pass"),
            ("95.0–105.0", "105.05", "fail", "105.0", "pass"),
            ("10.0±0.1 (excl)", "9.94", "pass", "9.9", "fail"),
            ("10.0±0.1", "9.94", "pass", "9.9", "pass"),
            ("<1.0", "1.0", "fail", "1.0", "fail"),
            ("<1.0", "0.96", "pass", "1.0", "fail"),
            (">2", "2.4", "pass", "2", "fail"),
            ("≤100", "100.5", "fail", "100", "pass"),
        ];
        for (limit, value, full, rounded, by_rounded) in table {
            assert_eq!(judged(limit, value, CompareBy::Full), (value.to_owned(), full), "{limit} {value}");
            let expected = (rounded.to_owned(), by_rounded);
            assert_eq!(judged(limit, value, CompareBy::Rounded), expected, "{limit} {value}");
        }
    }

    #[test]
    fn a_microbial_limit_of_a_power_of_ten_accepts_twice_the_power() {
        for (limit, value, verdict) in [
            ("≤10³", "2000", "pass"),
            ("不得过10³", "2001", "fail"),
            ("≤10^2", "200", "pass"),
            ("≤10²", "201", "fail"),
            ("NMT 10¹", "20", "pass"),
            ("≤10¹", "21", "fail"),
            ("≤10²", "<10", "pass"),
            ("≤1000", "1500", "fail"),
            ("≤5×10²", "500", "pass"),
            ("≤5×10²", "560", "fail"),
            ("≥10⁶", "999999", "fail"),
            ("≥10⁶", "1000000", "pass"),
            ("≥1.0×10⁷", "10000000", "pass"),
            ("≥1.0×10⁷", "9400000", "fail"),
        ] {
            assert_eq!(judged(limit, value, CompareBy::Rounded).1, verdict, "{limit} {value}");
        }
        assert_eq!(Limit::parse("不得过10^3").expect("a limit").to_string(), "≤10³");
        assert_eq!(Limit::parse("≤10³").expect("a limit").at_most(), Some(Decimal::from(2000)));
        assert_eq!(Limit::parse("≤1000").expect("a limit").at_most(), None);
    }

    #[test]
    fn what_is_printed_shows_the_verdict() {
        for (limit, value, by, reported) in [
            ("≤0.1", "0.149", CompareBy::Rounded, "0.1"),
            ("≤0.10", "0.149", CompareBy::Rounded, "0.15"),
            ("≤0.5", "0.549", CompareBy::Full, "0.55"),
            ("≤0.5", "0.5004", CompareBy::Full, "0.5004"),
            ("≤0.5", "0.3333333333333333333333333333", CompareBy::Full, "0.3"),
            ("<1.0", "0.96", CompareBy::Full, "0.96"),
            ("≤0.1", "<0.149", CompareBy::Rounded, "≤0.1"),
            ("≤0.5", "<0.05", CompareBy::Rounded, "<0.05"),
        ] {
            let found =
                Limit::parse(limit).expect(limit).judge(&Measured::parse(value).expect(value), by).expect(value);
            assert_eq!(found.reported.to_string(), reported, "{limit} {value}");
        }
    }

    proptest::proptest! {
        /// Value and limit on one line always give the verdict beside them.
        #[test]
        fn the_line_of_a_report_never_contradicts_itself(
            low in -2000_i64..2000, width in 0_i64..3000, decimals in 0_u32..4, shape in 0_usize..6,
            mantissa in -50_000_i64..50_000, scale in 0_u32..7, censored in 0_usize..4, full in proptest::bool::ANY,
        ) {
            let (low, high) = (Decimal::new(low, decimals), Decimal::new(low + width, decimals));
            let limit = match shape {
                0 => format!("≥{low}"),
                1 => format!("≤{high}"),
                2 => format!(">{low}"),
                3 => format!("<{high}"),
                4 => format!("{low}~{high}"),
                _ => format!("≤10{}", ["¹", "²", "³"][usize::try_from(decimals).unwrap_or(0) % 3]),
            };
            let sign = ["", "", "<", ">"][censored];
            let value = format!("{sign}{}", Decimal::new(mantissa, scale));
            let (limit, value) = (Limit::parse(&limit).expect("a limit"), Measured::parse(&value).expect("a value"));
            let by = if full { CompareBy::Full } else { CompareBy::Rounded };
            let found = limit.judge(&value, by).expect("judged");
            let again = limit.judge(&Measured::parse(&found.reported.to_string()).expect("as printed"), CompareBy::Full);
            proptest::prop_assert_eq!(again.expect("judged").verdict, found.verdict, "{} {} {}", limit, value, found.reported);
        }
    }

    #[test]
    fn every_way_of_writing_a_limit() {
        for text in [
            "95.0~105.0",
            "95.0～105.0",
            "95.0–105.0",
            "95.0—105.0",
            "95.0-105.0",
            "95.0 ∼ 105.0",
            "95.0至105.0",
            "９５．０～１０５．０",
            "95.0〜105.0",
            "100.0±5.0",
            "100.0+/-5.0",
        ] {
            assert_eq!(Limit::parse(text).expect(text).to_string(), "95.0~105.0", "{text}");
        }
        for (text, shown) in [
            (">=97.0", "≥97.0"),
            ("＞＝97.0", "≥97.0"),
            ("≧97.0", "≥97.0"),
            ("⩾ 97.0", "≥97.0"),
            ("不低于97.0", "≥97.0"),
            ("NLT 97.0", "≥97.0"),
            ("<=0.5", "≤0.5"),
            ("不得过0.5", "≤0.5"),
            ("＜1.0", "<1.0"),
            ("＞2", ">2"),
            ("-5.0~-1.0", "-5.0~-1.0"),
            ("-5.0--1.0", "-5.0~-1.0"),
            ("-1~1 (excl)", "-1~1 (excl)"),
            ("≥-1", "≥-1"),
            ("10.0±0.1（excl）", "9.9~10.1 (excl)"),
        ] {
            assert_eq!(Limit::parse(text).expect(text).to_string(), shown, "{text}");
        }
        for text in [
            "",
            "97.0",
            "≥",
            "≥97.0%",
            "105~95",
            "5±",
            "±5",
            "1~2~3",
            "5~5 (excl)",
            "≥1 (excl)",
            "≤1e3",
            "abc",
            "≥97,0",
        ] {
            assert_eq!(Limit::parse(text).expect_err(text).code(), "not_a_limit", "{text}");
        }
    }

    #[test]
    fn censored_results_compare_by_their_bound() {
        let table = [
            ("≤0.5", "<0.05", "pass"),
            ("≤0.5", "<0.5", "pass"),
            ("<0.5", "<0.5", "pass"),
            ("<0.5", "≤0.5", "indeterminate"),
            ("≤0.02", "<0.05", "indeterminate"),
            ("≥97.0", "<0.05", "fail"),
            ("≥0.5", "<0.5", "fail"),
            ("≥0.5", "≤0.5", "indeterminate"),
            (">0.5", "≤0.5", "fail"),
            ("0.01~0.10", "<0.05", "indeterminate"),
            ("1.0~2.0", "<0.05", "fail"),
            ("1.0~2.0", "<1.0", "fail"),
            ("≥97.0", ">100", "pass"),
            (">100", ">100", "pass"),
            (">100", "≥100", "indeterminate"),
            ("≥100", ">100", "pass"),
            ("≤0.5", ">100", "fail"),
            ("≤100", ">100", "fail"),
            ("≤100", "≥100", "indeterminate"),
            ("≤200", ">100", "indeterminate"),
            ("95.0~105.0", ">100", "indeterminate"),
            ("95.0~105.0", ">110", "fail"),
            ("≤0.5", "未检出", "pass"),
            ("<0.5", "ND", "pass"),
            ("≥97.0", "未检出", "fail"),
            ("95.0~105.0", "未检出", "fail"),
            ("0~5", "未检出", "pass"),
            ("≤0", "未检出", "indeterminate"),
        ];
        for (limit, value, verdict) in table {
            for by in [CompareBy::Full, CompareBy::Rounded] {
                assert_eq!(judged(limit, value, by).1, verdict, "{limit} {value} {by:?}");
            }
        }
        // A bound that loses digits by rounding can be reached from below.
        assert_eq!(judged("≤0.5", "<0.549", CompareBy::Full).1, "indeterminate");
        assert_eq!(judged("≤0.5", "<0.549", CompareBy::Rounded), ("≤0.5".to_owned(), "pass"));
        assert_eq!(judged("<0.5", "<0.549", CompareBy::Rounded).1, "indeterminate");
    }
}
