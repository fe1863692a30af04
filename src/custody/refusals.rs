//! What custody refuses, in one place and in both languages.

use rust_decimal::Decimal;

use crate::refusal::{Code, Refusal};
use crate::regulation::quantities::QuantityError;
use crate::store::Failure;
use crate::store::columns::SampleId;
use crate::vocabulary::Place;

/// Why no container moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustodyRefusal {
    /// The institute has no such sample.
    NoSample(SampleId),
    /// Nobody takes containers that way by hand, or not by this action.
    NoWay { from: Place, to: Place },
    /// A move is of one container or more.
    NotCountable,
    /// The retained containers answer questions about a report that is not issued yet.
    ReportOpen,
    /// Fewer containers are there than were asked for.
    TooFew { at: Place, available: i64, asked: i64 },
    /// Less is there than a test uses up.
    TooLittle { at: Place, available: Decimal, asked: Decimal, unit: String },
    /// What a test uses up cannot be computed.
    Uncountable(QuantityError),
    /// The regulation lets nothing of the case be sold.
    NotForSale(Vec<String>),
}

impl From<CustodyRefusal> for Refusal {
    fn from(why: CustodyRefusal) -> Self {
        match why {
            CustodyRefusal::NoSample(id) => Self::not_found("样品", "sample", id.as_str()),
            CustodyRefusal::NoWay { from, to } => Self::new(
                Code::LedgerRefused,
                format!("不能从“{}”转到“{}”", from.zh(), to.zh()),
                format!("nothing goes from {} to {} by hand", from.en(), to.en()),
            )
            .at("to"),
            CustodyRefusal::NotCountable => Self::field("quantity", "应为正整数", "expected a whole number above zero"),
            CustodyRefusal::ReportOpen => Self::new(
                Code::WrongState,
                "报告签发前留样不得退回或销毁",
                "the retention portion stays until the report is issued",
            ),
            CustodyRefusal::TooFew { at, available, asked } => Self::new(
                Code::LedgerRefused,
                format!("“{}”只有 {available} 个容器", at.zh()),
                format!("there are only {available} containers at {}", at.en()),
            )
            .at("quantity")
            .with(serde_json::json!({"available": available, "asked": asked})),
            CustodyRefusal::TooLittle { at, available, asked, unit } => Self::new(
                Code::LedgerRefused,
                format!("检验需用 {asked} {unit}，“{}”只有 {available} {unit}", at.zh()),
                format!("the test takes {asked} {unit}, and there are {available} {unit} at {}", at.en()),
            )
            .with(serde_json::json!({
                "available_amount": available.to_string(), "asked_amount": asked.to_string(), "unit": unit
            })),
            CustodyRefusal::Uncountable(why) => {
                let (zh, en) = why.sides();
                Self::new(Code::LedgerRefused, zh, en)
            }
            CustodyRefusal::NotForSale(provisions) => Self::new(
                Code::LedgerRefused,
                "没有条款允许该业务的剩余样品上市销售",
                "no provision lets what remains of this case be sold",
            )
            .at("to")
            .by(provisions),
        }
    }
}

impl From<CustodyRefusal> for Failure {
    fn from(why: CustodyRefusal) -> Self {
        Refusal::from(why).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::walk;

    #[test]
    fn every_refusal_says_so_in_both_languages() {
        walk::every_but(
            include_str!("refusals.rs"),
            &[
                CustodyRefusal::NoSample("s".into()),
                CustodyRefusal::NoWay { from: Place::Consumed, to: Place::TestPortion },
                CustodyRefusal::NotCountable,
                CustodyRefusal::ReportOpen,
                CustodyRefusal::TooFew { at: Place::Retention, available: 1, asked: 2 },
                CustodyRefusal::TooLittle {
                    at: Place::TestPortion,
                    available: Decimal::ONE,
                    asked: Decimal::TWO,
                    unit: "片".into(),
                },
                CustodyRefusal::Uncountable(QuantityError::TooGreat),
                CustodyRefusal::NotForSale(Vec::new()),
            ],
            &["Uncountable"],
        );
    }
}
