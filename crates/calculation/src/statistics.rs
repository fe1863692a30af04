//! Acceptance by sampling: content uniformity (ChP 0941) and dissolution (ChP 0931).
//!
//! Decisions are exact: values become integers on one scale and the inequalities are compared without a root or a
//! quotient. Only what is shown is rounded, to four decimals.

use rust_decimal::Decimal;
use serde::Serialize;

use regulation::numeric::{NumericError, RoundingStep, parse_decimal, round_to};

/// The verdict of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StageVerdict {
    Pass,
    Fail,
    /// More units are to be tested.
    Continue,
}

impl StageVerdict {
    /// The word of the public interface.
    pub const fn as_str(self) -> &'static str {
        match self {
            StageVerdict::Pass => "pass",
            StageVerdict::Fail => "fail",
            StageVerdict::Continue => "continue",
        }
    }
}

/// Content uniformity: the statistics, as text with four decimals, and the verdict of the stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContentUniformity {
    pub n: usize,
    pub stage: u8,
    pub limit: String,
    /// X̄
    pub mean: String,
    /// S, with n−1.
    pub s: String,
    /// A, the distance of the mean from 100 (or from the range 100 to T).
    pub a: String,
    /// What is compared with L: `A+2.2S` and `A+S`; of 30, `A+1.7S` and `A²+S²` (with 0.25 L²).
    pub criteria: Vec<StageComparison>,
    pub verdict: StageVerdict,
}

/// One compared quantity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StageComparison {
    pub name: &'static str,
    pub value: String,
    /// The value at the limit's digits (GB/T 8170): what is compared.
    pub compared: String,
    pub limit: String,
    pub met: bool,
}

/// Dissolution: counts, mean and the verdict of the stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Dissolution {
    pub n: usize,
    pub stage: u8,
    pub q: String,
    pub mean: String,
    /// The mean at Q's digits (GB/T 8170): what is compared, as each of the values.
    pub compared_mean: String,
    pub below_q: usize,
    pub below_q_minus_10: usize,
    pub below_q_minus_20: usize,
    /// Of twelve: what the first six had said. A second six is only due where that was `continue`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_stage: Option<StageVerdict>,
    pub verdict: StageVerdict,
}

/// Judges content uniformity by ChP 0941 from contents in per cent of the label; 10 values are the first stage, 30
/// (the first ten included) the second. `midpoint` is T, the middle of the content limits, where it exceeds 100.
///
/// # Errors
/// Another number of values, a limit that is not above zero, or values of too many digits.
pub fn content_uniformity(
    values: &[Decimal],
    limit: Decimal,
    midpoint: Option<Decimal>,
) -> Result<ContentUniformity, NumericError> {
    if !matches!(values.len(), 10 | 30) {
        return Err(wrong_count(format!("content uniformity takes 10 or 30 values, not {}", values.len())));
    }
    if limit <= Decimal::ZERO {
        return Err(wrong_count(format!("the limit L is above zero, not {limit}")));
    }
    Uniformity::new(values, limit, midpoint).and_then(Uniformity::judge).ok_or_else(too_many_digits)
}

/// Judges dissolution of ordinary forms by ChP 0931 from amounts in per cent of the label; 6 values are the first
/// stage, 12 (the first six included) the second and last.
///
/// # Errors
/// Another number of values, or values of too many digits.
pub fn dissolution(values: &[Decimal], q: Decimal) -> Result<Dissolution, NumericError> {
    let n = values.len();
    let verdict = |part: &[Decimal]| DissolutionCounts::of(part, q).map(|counts| counts.verdict());
    let (stage, first_stage) = match n {
        6 => (1, None),
        12 => {
            let first = values.get(..6).and_then(verdict).ok_or_else(too_many_digits)?;
            (2, Some(first))
        }
        _ => {
            return Err(wrong_count(format!("dissolution takes 6 or 12 values, not {n}")));
        }
    };
    let counts = DissolutionCounts::of(values, q).ok_or_else(too_many_digits)?;
    let mean = mean_text(values).ok_or_else(too_many_digits)?;
    Ok(Dissolution {
        n,
        stage,
        q: q.to_string(),
        mean,
        compared_mean: counts.mean.to_string(),
        below_q: counts.below,
        below_q_minus_10: counts.below_10,
        below_q_minus_20: counts.below_20,
        first_stage,
        verdict: counts.verdict(),
    })
}

fn wrong_count(what: String) -> NumericError {
    NumericError::WrongCount { what }
}

fn too_many_digits() -> NumericError {
    NumericError::TooManyDigits { text: "the values together".to_owned() }
}

struct DissolutionCounts {
    n: usize,
    below: usize,
    below_10: usize,
    below_20: usize,
    mean: Decimal,
    mean_reaches_q: bool,
}

impl DissolutionCounts {
    /// Every value, and the mean of the values as measured, is rounded once to Q's digits and then compared.
    fn of(values: &[Decimal], q: Decimal) -> Option<Self> {
        let step = RoundingStep::of_decimals(q.scale()).ok()?;
        let mean = sum(values)?.checked_div(Decimal::from(values.len()))?;
        let mean = round_to(mean, step).ok()?;
        let values: Vec<Decimal> = values.iter().map(|value| round_to(*value, step).ok()).collect::<Option<_>>()?;
        let ten = Decimal::TEN;
        let q10 = q.checked_sub(ten)?;
        let q20 = q10.checked_sub(ten)?;
        let below = |bound: Decimal| values.iter().filter(|value| **value < bound).count();
        Some(DissolutionCounts {
            n: values.len(),
            below: below(q),
            below_10: below(q10),
            below_20: below(q20),
            mean,
            mean_reaches_q: mean >= q,
        })
    }

    /// The decision rule of ChP 0931: six first, twelve last.
    fn verdict(&self) -> StageVerdict {
        if self.below == 0 {
            return StageVerdict::Pass;
        }
        let most_below = if self.n == 6 { 2 } else { 3 };
        let bearable = self.below <= most_below && self.below_10 <= 1 && self.below_20 == 0 && self.mean_reaches_q;
        match (bearable, self.n, self.below_10) {
            (false, ..) => StageVerdict::Fail,
            (true, 6, 1) => StageVerdict::Continue,
            (true, ..) => StageVerdict::Pass,
        }
    }
}

fn sum(values: &[Decimal]) -> Option<Decimal> {
    values.iter().try_fold(Decimal::ZERO, |sum, value| sum.checked_add(*value))
}

/// All numbers as integers on the scale of the one with the most decimals.
///
/// With N values xᵢ: `sum` = Σx, `spread` = NΣx² − (Σx)², so that S² = spread / N(N−1); `distance` = N·A.
struct Uniformity {
    n: i128,
    unit: i128,
    limit: i128,
    /// Half a unit beyond the limit's last digit: what lies below rounds to the limit or less.
    within: i128,
    /// 0.25 L² and half a unit of its last digit, four times, by `unit`².
    within_squares: i128,
    /// Whether what lies just half a unit beyond is rounded down, of the limit and of 0.25 L².
    even: (bool, bool),
    sum: i128,
    spread: i128,
    distance: i128,
    limit_text: String,
}

impl Uniformity {
    fn new(values: &[Decimal], limit: Decimal, midpoint: Option<Decimal>) -> Option<Self> {
        let limit_text = limit.to_string();
        let square = limit.checked_mul(limit)?.checked_div(Decimal::from(4))?.normalize();
        let even = (limit.mantissa() % 2 == 0, square.mantissa() % 2 == 0);
        let half_beyond = limit.checked_add(Decimal::try_from_i128_with_scale(5, limit.scale() + 1).ok()?)?;
        let limit = limit.normalize();
        let midpoint = midpoint.unwrap_or(Decimal::ONE_HUNDRED).normalize();
        let values: Vec<Decimal> = values.iter().map(Decimal::normalize).collect();
        let scale = values.iter().chain([&limit, &midpoint, &half_beyond]).map(Decimal::scale).max()?;
        let integer = |number: &Decimal| number.mantissa().checked_mul(10_i128.checked_pow(scale - number.scale())?);
        let unit = 10_i128.checked_pow(scale)?;
        let n = i128::try_from(values.len()).ok()?;
        let (mut sum, mut squares) = (0_i128, 0_i128);
        for value in &values {
            let value = integer(value)?;
            sum = sum.checked_add(value)?;
            squares = squares.checked_add(value.checked_mul(value)?)?;
        }
        let spread = n.checked_mul(squares)?.checked_sub(sum.checked_mul(sum)?)?;
        let hundred = unit.checked_mul(100)?.checked_mul(n)?;
        // T matters only above 100: then the distance is counted from the nearer end of 100..T.
        let upper = integer(&midpoint)?.checked_mul(n)?.max(hundred);
        let distance = if sum < hundred {
            hundred.checked_sub(sum)?
        } else if sum > upper {
            sum.checked_sub(upper)?
        } else {
            0
        };
        let (limit, within) = (integer(&limit)?, integer(&half_beyond)?);
        let half = unit.checked_mul(unit)?.checked_mul(2)?.checked_div(10_i128.checked_pow(square.scale())?)?;
        let within_squares = limit.checked_mul(limit)?.checked_add(half)?;
        Some(Uniformity { n, unit, limit, within, within_squares, even, sum, spread, distance, limit_text })
    }

    fn judge(self) -> Option<ContentUniformity> {
        let (criteria, verdict) = if self.n == 10 { self.first_stage()? } else { self.second_stage()? };
        Some(ContentUniformity {
            n: usize::try_from(self.n).ok()?,
            stage: if self.n == 10 { 1 } else { 2 },
            limit: self.limit_text.clone(),
            mean: quotient_text(self.sum, self.n.checked_mul(self.unit)?)?,
            s: decimal_text(self.s()?)?,
            a: quotient_text(self.distance, self.n.checked_mul(self.unit)?)?,
            criteria,
            verdict,
        })
    }

    fn first_stage(&self) -> Option<(Vec<StageComparison>, StageVerdict)> {
        let (wide, narrow) = (self.at_most(22)?, self.at_most(10)?);
        let criteria = vec![self.criterion("A+2.2S", 22, wide)?, self.criterion("A+S", 10, narrow)?];
        let verdict = match (wide, narrow) {
            (true, _) => StageVerdict::Pass,
            (false, false) => StageVerdict::Fail,
            (false, true) => StageVerdict::Continue,
        };
        Some((criteria, verdict))
    }

    fn second_stage(&self) -> Option<(Vec<StageComparison>, StageVerdict)> {
        // A ≤ 0.25 L decides by A² + S² ≤ 0.25 L²; a greater A by A + 1.7 S ≤ L.
        let near = self.distance.checked_mul(4)? <= self.limit.checked_mul(self.n)?;
        let criterion = if near {
            let met = self.squares_within()?;
            let square = |value: Decimal| value.checked_mul(value);
            let value = square(self.a()?)?.checked_add(square(self.s()?)?)?;
            let limit = square(self.decimal(self.limit)?)?.checked_div(Decimal::from(4))?;
            compared("A²+S²", value, limit.normalize(), met)?
        } else {
            self.criterion("A+1.7S", 17, self.at_most(17)?)?
        };
        let verdict = if criterion.met { StageVerdict::Pass } else { StageVerdict::Fail };
        Some((vec![criterion], verdict))
    }

    /// A + (tenths/10)·S, rounded to L's digits, ≤ L. With L' half a unit beyond L this is, exactly,
    /// tenths²·N·spread ≤ 100·(N−1)·(N·L' − N·A)², where N·L' ≥ N·A; just half a unit goes to the even digit.
    fn at_most(&self, tenths: i128) -> Option<bool> {
        let room = self.within.checked_mul(self.n)?.checked_sub(self.distance)?;
        if room < 0 {
            return Some(false);
        }
        let left = self.spread.checked_mul(self.n)?.checked_mul(tenths * tenths)?;
        let right = room.checked_mul(room)?.checked_mul(self.n - 1)?.checked_mul(100)?;
        Some(left < right || (self.even.0 && left == right))
    }

    /// A² + S², rounded to the digits of 0.25 L², ≤ 0.25 L²: 4·((N−1)(N·A)² + N·spread) ≤ N²(N−1)·(L² and two units).
    fn squares_within(&self) -> Option<bool> {
        let a = self.distance.checked_mul(self.distance)?.checked_mul(self.n - 1)?;
        let left = a.checked_add(self.spread.checked_mul(self.n)?)?.checked_mul(4)?;
        let right = self.within_squares.checked_mul(self.n * self.n * (self.n - 1))?;
        Some(left < right || (self.even.1 && left == right))
    }

    fn criterion(&self, name: &'static str, tenths: i64, met: bool) -> Option<StageComparison> {
        let spread = self.s()?.checked_mul(Decimal::new(tenths, 1))?;
        compared(name, self.a()?.checked_add(spread)?, parse_decimal(&self.limit_text).ok()?, met)
    }

    fn decimal(&self, number: i128) -> Option<Decimal> {
        Decimal::try_from_i128_with_scale(number, 0)
            .ok()?
            .checked_div(Decimal::try_from_i128_with_scale(self.unit, 0).ok()?)
    }

    fn a(&self) -> Option<Decimal> {
        self.decimal(self.distance)?.checked_div(Decimal::from_i128_with_scale(self.n, 0))
    }

    /// S to eight decimals or more, for display: the integer root of spread·10¹⁶ / N(N−1).
    fn s(&self) -> Option<Decimal> {
        let places = 10_i128.checked_pow(16)?;
        let square = self.spread.checked_mul(places)?.checked_div(self.n * (self.n - 1))?;
        let root = i128::try_from(square.unsigned_abs().isqrt()).ok()?;
        let root = Decimal::try_from_i128_with_scale(root, 8).ok()?;
        root.checked_div(Decimal::try_from_i128_with_scale(self.unit, 0).ok()?)
    }
}

/// A comparison with its value at the limit's digits. S is shown to eight decimals and compared exactly: what is shown
/// never contradicts the comparison.
fn compared(name: &'static str, value: Decimal, limit: Decimal, met: bool) -> Option<StageComparison> {
    let step = RoundingStep::of_decimals(limit.scale()).ok()?;
    let rounded = round_to(value, step).ok()?;
    let shown = if met { rounded.min(limit) } else { rounded.max(limit.checked_add(step.value())?) };
    let (value, compared) = (decimal_text(value)?, shown.to_string());
    Some(StageComparison { name, value, compared, limit: limit.to_string(), met })
}

fn mean_text(values: &[Decimal]) -> Option<String> {
    decimal_text(sum(values)?.checked_div(Decimal::from(values.len()))?)
}

fn quotient_text(number: i128, by: i128) -> Option<String> {
    let number = Decimal::try_from_i128_with_scale(number, 0).ok()?;
    decimal_text(number.checked_div(Decimal::try_from_i128_with_scale(by, 0).ok()?)?)
}

/// Four decimals, half to even.
fn decimal_text(number: Decimal) -> Option<String> {
    Some(format!("{:.4}", number.round_dp(4)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use regulation::numeric::parse_decimal;

    fn numbers(text: &str) -> Vec<Decimal> {
        text.split(',').map(|one| parse_decimal(one).expect(one)).collect()
    }

    fn uniformity(text: &str) -> ContentUniformity {
        content_uniformity(&numbers(text), Decimal::from(15), None).expect(text)
    }

    const TEN: &str = "88,92,104,99,91,106,95,102,90,98";
    const TWENTY: &str = "94,97,101,99,96,103,98,100,95,102,97,99,104,96,98,101,94,100,97,103";

    #[test]
    fn content_uniformity_passes_at_once() {
        let found = uniformity("99.2,101.3,98.7,100.5,97.9,102.1,100.8,99.6,98.4,101.5");
        assert_eq!((found.mean.as_str(), found.s.as_str(), found.a.as_str()), ("100.0000", "1.4414", "0.0000"));
        assert_eq!(found.criteria.first().map(|c| c.value.as_str()), Some("3.1712"));
        assert_eq!(found.verdict, StageVerdict::Pass);
    }

    #[test]
    fn content_uniformity_of_thirty() {
        let first = uniformity(TEN);
        assert_eq!((first.mean.as_str(), first.s.as_str(), first.a.as_str()), ("96.5000", "6.2583", "3.5000"));
        let values: Vec<&str> = first.criteria.iter().map(|c| c.value.as_str()).collect();
        assert_eq!(values, ["17.2683", "9.7583"]);
        assert_eq!(first.verdict, StageVerdict::Continue);
        let second = uniformity(&format!("{TEN},{TWENTY}"));
        assert_eq!((second.a.as_str(), second.s.as_str()), ("2.0333", "4.3824"));
        let square = second.criteria.first().expect("a criterion");
        assert_eq!((square.value.as_str(), square.limit.as_str()), ("23.3402", "56.25"));
        assert_eq!(second.verdict, StageVerdict::Pass);
    }

    #[test]
    fn content_uniformity_fails() {
        let found = uniformity("80,84,115,118,90,108,76,99,120,110");
        assert_eq!((found.a.as_str(), found.s.as_str()), ("0.0000", "16.4857"));
        assert_eq!(found.verdict, StageVerdict::Fail);
    }

    #[test]
    fn content_uniformity_at_its_edges() {
        // S = 0: A + 2.2 S is A, and equal to the limit is within it.
        let at = |value: &str| content_uniformity(&[parse_decimal(value).expect(value); 10], Decimal::from(15), None);
        assert_eq!(at("85").map(|found| found.verdict), Ok(StageVerdict::Pass));
        assert_eq!(at("84.9999").map(|found| found.verdict), Ok(StageVerdict::Pass), "15 at the limit's digits");
        assert_eq!(at("84.4").map(|found| found.verdict), Ok(StageVerdict::Fail));
        let tenths = |value: &str| {
            let values = [parse_decimal(value).expect(value); 10];
            let found = content_uniformity(&values, Decimal::new(150, 1), None).expect(value);
            (found.verdict, found.criteria.first().map(|one| one.compared.clone()).unwrap_or_default())
        };
        assert_eq!(tenths("84.96"), (StageVerdict::Pass, "15.0".into()));
        assert_eq!(tenths("84.95"), (StageVerdict::Pass, "15.0".into()), "half a unit goes to the even digit");
        assert_eq!(tenths("84.949"), (StageVerdict::Fail, "15.1".into()));
        assert_eq!(at("115").map(|found| found.verdict), Ok(StageVerdict::Pass));
        // T = 102: the mean may lie up to T without any distance.
        let with_t = |value: &str| {
            let values = vec![parse_decimal(value).expect(value); 10];
            content_uniformity(&values, Decimal::from(15), Some(Decimal::from(102))).expect(value).a
        };
        assert_eq!((with_t("101.5"), with_t("103"), with_t("99")), ("0.0000".into(), "1.0000".into(), "1.0000".into()));
    }

    #[test]
    fn wrong_numbers_of_values_are_errors() {
        for n in [0, 1, 9, 11, 29, 31] {
            let values = vec![Decimal::ONE_HUNDRED; n];
            assert!(content_uniformity(&values, Decimal::from(15), None).is_err(), "{n}");
        }
        for n in [0, 5, 7, 11, 13, 24] {
            assert!(dissolution(&vec![Decimal::from(85); n], Decimal::from(80)).is_err(), "{n}");
        }
        let long = vec![Decimal::MAX; 10];
        assert!(content_uniformity(&long, Decimal::from(15), None).is_err());
        assert!(dissolution(&[Decimal::MAX; 6], Decimal::from(80)).is_err());
    }

    #[test]
    fn dissolution_by_stages() {
        let table = [
            ("82,85,88,91,84,80", "pass"),
            ("69,85,88,91,84,86", "continue"),
            ("69,85,88,91,84,86,79,83,85,86,90,88", "pass"),
            ("59,95,95,95,95,95", "fail"),
            ("79,79,85,88,91,90", "pass"),
            ("79,79,79,88,95,95", "fail"),
            ("79,79,80,80,80,80", "pass"),
            ("79,79,80,80,79,80", "fail"),
            ("79,78,80,80,80,80", "pass"),
            ("78,77,80,80,80,80", "fail"),
            ("79.6,79.6,79.6,79.6,79.6,79.6", "pass"),
            ("79.4,79.4,79.4,79.4,79.4,79.4", "fail"),
            ("70,85,88,91,84,86", "pass"),
            ("69,69,95,95,95,95", "fail"),
            ("60,95,95,95,95,95", "continue"),
            ("69,85,88,91,84,86,79,79,85,86,90,88", "pass"),
            ("69,85,88,91,84,86,79,79,79,86,90,88", "fail"),
            ("69,85,88,91,84,86,69,85,85,86,90,88", "fail"),
            ("69,80,80,80,80,80,80,80,80,80,80,80", "fail"),
        ];
        for (values, verdict) in table {
            let found = dissolution(&numbers(values), Decimal::from(80)).expect(values);
            assert_eq!(found.verdict.as_str(), verdict, "{values}");
        }
        let found = dissolution(&numbers("69,85,88,91,84,86,79,83,85,86,90,88"), Decimal::from(80)).expect("twelve");
        assert_eq!(
            (found.mean.as_str(), found.below_q, found.first_stage),
            ("84.5000", 2, Some(StageVerdict::Continue))
        );
    }
}
