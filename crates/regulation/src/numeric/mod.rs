//! Numbers on a report: reading them as written, rounding by GB/T 8170-2008, comparing with limits.
//!
//! All of it is exact decimal arithmetic of up to 28 digits; what needs more is an error, never another number.

mod limit;
mod rounding;
mod value;

pub use limit::{CompareBy, Judgement, Limit};
pub use rounding::{RoundingStep, round_to};
pub use value::{Measured, parse_decimal, to_ascii};
pub use vocabulary::Verdict;

use rust_decimal::Decimal;
use thiserror::Error;

/// Rounds to a step by GB/T 8170, as text with the step's decimals.
///
/// # Errors
/// The step is not above zero, or the numbers have more digits than are computed exactly.
pub fn round(value: Decimal, step: Decimal) -> Result<String, NumericError> {
    Ok(round_to(value, RoundingStep::new(step)?)?.to_string())
}

/// Compares a result with its limit: [`Limit::judge`].
///
/// # Errors
/// The result has too many digits to be rounded exactly.
pub fn judge(limit: &Limit, value: &Measured, by: CompareBy) -> Result<Judgement, NumericError> {
    limit.judge(value, by)
}

/// Text that cannot be read as a number, step, limit or result.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NumericError {
    #[error("`{text}` is not a decimal number (expected digits with at most one point, as in -0.0365)")]
    NotANumber { text: String },
    #[error("`{text}` has more digits than are computed exactly (28)")]
    TooManyDigits { text: String },
    #[error("`{text}` is not a rounding step (expected a number above zero, as in 0.01, 1, 10, 0.5, 0.2, 20)")]
    NotAStep { text: String },
    #[error("`{text}` is not a limit ({expected})")]
    NotALimit { text: String, expected: &'static str },
    #[error("`{text}` is not a result (expected a number, <0.05, >100, 未检出 or ND)")]
    NotAResult { text: String },
    #[error("{what}")]
    WrongCount { what: String },
}

impl NumericError {
    /// A stable word for the kind of problem.
    pub const fn code(&self) -> &'static str {
        match self {
            NumericError::NotANumber { .. } => "not_a_number",
            NumericError::TooManyDigits { .. } => "too_many_digits",
            NumericError::NotAStep { .. } => "not_a_step",
            NumericError::NotALimit { .. } => "not_a_limit",
            NumericError::NotAResult { .. } => "not_a_result",
            NumericError::WrongCount { .. } => "wrong_count",
        }
    }
}
