//! What evaluations refuse, in one place and in both languages.

use chrono::NaiveDate;
use serde_json::json;

use crate::calculation::outcome::Note;
use crate::refusal::{Code, Refusal};
use crate::store::Failure;
use crate::store::columns::{Day, EvaluationId, EvaluationResultId, ReferenceStandardId};
use crate::vocabulary::states::WrongState;

/// Why nothing is evaluated, or nothing is entered of it.
#[derive(Clone, Debug, PartialEq)]
pub enum EvaluationRefusal {
    /// The institute has no such evaluation.
    NoEvaluation(EvaluationId),
    /// The evaluation has no such result.
    NoResult(EvaluationResultId),
    /// There is no such definition of a method.
    NoMethod(String),
    /// The institute has no such lot of a reference standard.
    NoStandard(ReferenceStandardId),
    /// An invalid evaluation gives no number.
    Invalid { reasons: Vec<Note> },
    /// A newer version of the evaluation exists.
    Superseded,
    /// Assays are combined by so many.
    AssayCount,
    /// The assay at that place cannot be combined with the others.
    Assay { index: usize, fault: AssayFault },
    /// A potency has no number that its weight could be made of.
    NoWeight { sample: String, text: String },
    /// So many files are evaluated together.
    FileCount,
    /// A file is named twice.
    FileTwice { index: usize },
    /// The lot was withdrawn.
    StandardWithdrawn { name: String, batch: String },
    /// The lot had expired on the day of the run.
    StandardExpired { name: String, batch: String, expired: Day, run: NaiveDate },
    /// A part of the setup has too many entries.
    TooMany { field: &'static str, most: usize },
    /// The setup cannot be written down.
    SetupUnreadable(String),
    /// A file with a definition of a method is not in order.
    MethodMalformed(String),
    /// Water is a percentage.
    WaterRange,
    /// The lot is registered already.
    StandardKnown,
    /// The state of the lot does not allow it.
    State(WrongState),
    /// A result has more digits than are kept.
    TooManyDigits(String),
}

/// Why an assay is not combined with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssayFault {
    Twice,
    NotInForce,
    NotOnePotency,
    OtherSample,
}

impl AssayFault {
    /// What is wrong in Chinese and English.
    fn said(self) -> (&'static str, &'static str) {
        match self {
            Self::Twice => ("评价重复", "the evaluation stands twice"),
            Self::NotInForce => ("不是有效的最新版本", "it is not valid, or not the newest version"),
            Self::NotOnePotency => ("应恰有一个效价", "expected exactly one potency"),
            Self::OtherSample => ("不是同一样品或单位", "another sample or unit"),
        }
    }
}

impl From<EvaluationRefusal> for Refusal {
    fn from(why: EvaluationRefusal) -> Self {
        use EvaluationRefusal as Why;
        match why {
            Why::NoEvaluation(id) => Self::not_found("评价", "evaluation", id.as_str()),
            Why::NoResult(id) => Self::not_found("评价结果", "result", id.as_str()),
            Why::NoMethod(id) => Self::not_found("方法定义", "method definition", &id).at("method_id"),
            Why::NoStandard(id) => Self::not_found("对照品", "reference standard", id.as_str()),
            Why::Invalid { reasons } => Self::new(
                Code::WrongState,
                "评价无效，不能录入结果",
                "the evaluation is invalid: nothing is entered from it",
            )
            .with(json!({"reasons": reasons})),
            Why::Superseded => {
                Self::new(Code::WrongState, "已有更新版本的评价", "a newer version of the evaluation exists")
            }
            Why::AssayCount => Self::field("evaluation_ids", "应为 2 至 50 次试验", "expected 2 to 50 assays"),
            Why::Assay { index, fault } => {
                let (zh, en) = fault.said();
                Self::field(format!("evaluation_ids[{index}]"), zh, en)
            }
            Why::NoWeight { sample, text } => Self::new(
                Code::Conflict,
                format!("“{sample}”的效价没有可用的 M 或 S：{text:?}"),
                format!("the potency of {sample} has no M or S that can be used: {text:?}"),
            ),
            Why::FileCount => Self::field("file_ids", "应选择 1 至 200 个文件", "choose 1 to 200 files"),
            Why::FileTwice { index } => Self::field(format!("file_ids[{index}]"), "文件重复", "the file stands twice"),
            Why::StandardWithdrawn { name, batch } => Self::new(
                Code::InvalidField,
                format!("对照品 {name} 批号 {batch} 已停用"),
                format!("lot {batch} of {name} is withdrawn"),
            ),
            Why::StandardExpired { name, batch, expired, run } => Self::new(
                Code::InvalidField,
                format!("对照品 {name} 批号 {batch} 有效期至 {expired}，检验日 {run} 已过期"),
                format!("lot {batch} of {name} expired on {expired}; the run is of {run}"),
            ),
            Why::TooMany { field, most } => {
                Self::field(format!("setup.{field}"), format!("最多 {most} 项"), format!("at most {most}"))
            }
            Why::SetupUnreadable(why) => Self::field("setup", why.clone(), why),
            Why::MethodMalformed(why) => Self::new(
                Code::Conflict,
                format!("方法定义不符合要求：{why}"),
                format!("a method definition is not in order: {why}"),
            ),
            Why::WaterRange => Self::field("water", "应为 0 至 100", "expected 0 to 100"),
            Why::StandardKnown => {
                Self::new(Code::Conflict, "该批号已登记", "this lot is registered already").at("batch")
            }
            Why::State(refused) => refused.into(),
            Why::TooManyDigits(text) => Self::new(
                Code::Conflict,
                format!("结果 {text} 超过 28 位数字"),
                format!("the result {text} has more than 28 digits"),
            ),
        }
    }
}

impl From<EvaluationRefusal> for Failure {
    fn from(why: EvaluationRefusal) -> Self {
        Refusal::from(why).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::walk;
    use crate::vocabulary::{ReferenceStandardEvent, ReferenceStandardState};

    #[test]
    fn every_refusal_says_so_in_both_languages() {
        use EvaluationRefusal as Why;
        let (name, batch) = (String::from("ceftriaxone"), String::from("130480"));
        let withdrawn = WrongState::Standard(ReferenceStandardState::Withdrawn, ReferenceStandardEvent::Withdraw);
        walk::every_but(
            include_str!("refusals.rs"),
            &[
                Why::NoEvaluation("e".into()),
                Why::NoResult("r".into()),
                Why::NoMethod("m".into()),
                Why::NoStandard("s".into()),
                Why::Invalid { reasons: Vec::new() },
                Why::Superseded,
                Why::AssayCount,
                Why::Assay { index: 0, fault: AssayFault::Twice },
                Why::Assay { index: 0, fault: AssayFault::NotInForce },
                Why::Assay { index: 0, fault: AssayFault::NotOnePotency },
                Why::Assay { index: 0, fault: AssayFault::OtherSample },
                Why::NoWeight { sample: "s".into(), text: String::new() },
                Why::FileCount,
                Why::FileTwice { index: 1 },
                Why::StandardWithdrawn { name: name.clone(), batch: batch.clone() },
                Why::StandardExpired { name, batch, expired: NaiveDate::MIN.into(), run: NaiveDate::MAX },
                Why::TooMany { field: "injections", most: 2000 },
                Why::SetupUnreadable("not a number".into()),
                Why::MethodMalformed("a.toml".into()),
                Why::WaterRange,
                Why::StandardKnown,
                Why::State(withdrawn),
                Why::TooManyDigits("1.0".into()),
            ],
            &["SetupUnreadable"],
        );
    }
}
