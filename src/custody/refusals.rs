//! What custody refuses, in one place and in both languages.

use rust_decimal::Decimal;

use crate::refusal::{Code, Refusal};
use crate::regulation::quantities::QuantityError;
use crate::store::Failure;
use crate::store::columns::{CustodyEntryId, KeepingRequestId, SampleId};
use crate::vocabulary::states::WrongState;
use crate::vocabulary::{KeepingEvent, Place};

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
    /// The ledger of the sample has no such entry.
    NoEntry(CustodyEntryId),
    /// The entry was taken back before.
    UndoneAlready,
    /// The program moved the containers with something else, which is taken back instead.
    NotByHand,
    /// Who recorded a move does not take it back.
    OwnMove,
    /// A sample has labels from 0, its own, to that of its last container.
    NoLabels { last: i64 },
    /// One sheet has so many labels.
    TooManyLabels { most: i64 },
    /// A label that was printed before is printed again for a reason.
    Reprint { code: String, times: i64 },
    /// Less is there than a test uses up.
    TooLittle { sample: String, at: Place, available: Decimal, asked: Decimal, unit: String },
    /// What a test uses up cannot be computed.
    Uncountable(QuantityError),
    /// What is retained is destroyed on request, with an approval and a witness.
    DestroyedOnRequest,
    /// The institute has no such request.
    NoRequest(KeepingRequestId),
    /// The step does not fit.
    State(WrongState),
    /// A use is done with its approval.
    NothingToCarryOut,
    /// It is for somebody else to do.
    OwnRequest(KeepingEvent),
    /// Neither a sample nor a container has that code.
    NothingScanned(String),
    /// The institute has nobody of that name.
    NoPerson(String),
    /// The sample was refused on arrival.
    NotInTheHouse,
    /// It is with that person already.
    HasItAlready,
    /// Only who has it gives it, and only who takes it takes it.
    SomebodyElses,
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
            CustodyRefusal::NoEntry(id) => Self::not_found("流转记录", "entry of the ledger", id.as_str()),
            CustodyRefusal::UndoneAlready => {
                Self::new(Code::WrongState, "该流转已撤销", "the move was taken back already")
            }
            CustodyRefusal::NotByHand => Self::new(
                Code::WrongState,
                "只能撤销人工登记的消耗、退回和销毁",
                "only a use, a return or a destruction that somebody recorded by hand is taken back",
            ),
            CustodyRefusal::OwnMove => Self::new(
                Code::SelfReview,
                "误记的流转须由记录人以外的人撤销",
                "somebody else than the one who recorded the move takes it back",
            ),
            CustodyRefusal::NoLabels { last } => Self::new(
                Code::InvalidField,
                format!("标签序号应为 0（样品）至 {last}，起始不得大于终止"),
                format!("labels go from 0, the sample's own, to {last}, and the first is not after the last"),
            )
            .at("first"),
            CustodyRefusal::TooManyLabels { most } => Self::new(
                Code::InvalidField,
                format!("一次最多打印 {most} 张标签"),
                format!("one sheet has at most {most} labels"),
            )
            .at("last"),
            CustodyRefusal::Reprint { code, times } => Self::new(
                Code::InvalidField,
                format!("标签 {code} 已打印 {times} 次，重印须说明原因"),
                format!("the label {code} was printed {times} times: say why it is printed again"),
            )
            .at("reason")
            .with(serde_json::json!({"code": code, "printed": times})),
            CustodyRefusal::TooLittle { sample, at, available, asked, unit } => Self::new(
                Code::LedgerRefused,
                format!("样品 {sample} 的检验需用 {asked} {unit}，“{}”只有 {available} {unit}", at.zh()),
                format!("the test of {sample} takes {asked} {unit}; {available} {unit} are there ({})", at.en()),
            )
            .with(serde_json::json!({
                "available_amount": available.to_string(), "asked_amount": asked.to_string(), "unit": unit
            })),
            CustodyRefusal::Uncountable(why) => {
                let (zh, en) = why.sides();
                Self::new(Code::LedgerRefused, zh, en)
            }
            CustodyRefusal::DestroyedOnRequest => Self::new(
                Code::LedgerRefused,
                "留样的销毁须先提出申请，经他人批准并有见证人",
                "what is retained is destroyed on request, approved by somebody else and with a witness",
            )
            .at("from"),
            CustodyRefusal::NoRequest(id) => Self::not_found("留样申请", "request", id.as_str()),
            CustodyRefusal::State(refused) => refused.into(),
            CustodyRefusal::NothingToCarryOut => Self::new(
                Code::WrongState,
                "动用留样经批准即完成，无须执行登记",
                "a use is done with its approval: nothing is carried out",
            ),
            CustodyRefusal::OwnRequest(event) => Self::new(
                Code::SelfReview,
                format!("“{}”须由他人进行", event.zh()),
                format!("it is for somebody else to {}", event.en()),
            ),
            CustodyRefusal::NothingScanned(code) => Self::not_found("样品或标签", "sample or label", &code).at("code"),
            CustodyRefusal::NoPerson(named) => {
                Self::field("to", format!("本机构没有账户“{named}”"), format!("the institute has no account {named:?}"))
            }
            CustodyRefusal::NotInTheHouse => {
                Self::new(Code::WrongState, "该样品已拒收退回", "the sample was refused and went back")
            }
            CustodyRefusal::HasItAlready => {
                Self::new(Code::Conflict, "样品已在该人员处", "the sample is with that person already").at("to")
            }
            CustodyRefusal::SomebodyElses => Self::new(
                Code::Forbidden,
                "样品只能由持有人交出，或由接收人扫码接收",
                "a sample is given by who has it, or taken by who scans it",
            ),
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
    use crate::vocabulary::KeepingState;

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
                CustodyRefusal::NoEntry("e".into()),
                CustodyRefusal::UndoneAlready,
                CustodyRefusal::NotByHand,
                CustodyRefusal::OwnMove,
                CustodyRefusal::NoLabels { last: 3 },
                CustodyRefusal::TooManyLabels { most: 120 },
                CustodyRefusal::Reprint { code: "S-01".into(), times: 2 },
                CustodyRefusal::TooLittle {
                    sample: "S20260001".into(),
                    at: Place::TestPortion,
                    available: Decimal::ONE,
                    asked: Decimal::TWO,
                    unit: "mL".into(),
                },
                CustodyRefusal::Uncountable(QuantityError::TooGreat),
                CustodyRefusal::DestroyedOnRequest,
                CustodyRefusal::NoRequest("k".into()),
                CustodyRefusal::State(WrongState::Keeping(KeepingState::Asked, KeepingEvent::Witness)),
                CustodyRefusal::NothingToCarryOut,
                CustodyRefusal::OwnRequest(KeepingEvent::Approve),
                CustodyRefusal::NothingScanned("x".into()),
                CustodyRefusal::NoPerson("x".into()),
                CustodyRefusal::NotInTheHouse,
                CustodyRefusal::HasItAlready,
                CustodyRefusal::SomebodyElses,
                CustodyRefusal::NotForSale(Vec::new()),
            ],
            &["Uncountable"],
        );
    }
}
