//! What the bench refuses, in one place and in both languages.

use serde_json::json;

use super::outside::Outside;
use crate::action::Meanwhile;
use crate::calculation::formula::FormulaError;
use crate::refusal::{Code, Refusal};
use crate::regulation::numeric::NumericError;
use crate::regulation::quantities::QuantityError;
use crate::store::Failure;
use crate::store::columns::{InstrumentFileId, ResultId, TestTaskId};
use crate::vocabulary::TaskState;
use crate::vocabulary::states::WrongState;

/// Why nothing is entered, reviewed or decided.
#[derive(Clone, Debug, PartialEq)]
pub enum BenchRefusal {
    /// The institute has no such task.
    NoTask(TestTaskId),
    /// There is no such result.
    NoResult(ResultId),
    /// The institute has no such file.
    NoFile(InstrumentFileId),
    /// The state of the task does not allow it.
    State(WrongState),
    /// Nothing that was proposed can be accepted.
    NothingToAccept,
    /// What was proposed has no values for the task at that place.
    NoValues { index: usize },
    /// The task at that place has open questions.
    OpenQuestions { index: usize, task: TestTaskId, questions: Vec<String> },
    /// A finding needs the analyst's verdict.
    VerdictMissing,
    /// A numeric item is not compared as text.
    ComparedAsText,
    /// A number of the item or of its readings cannot be used.
    NotCalculable { field: &'static str, why: NumericError },
    /// The formula cannot be calculated with the readings.
    FormulaFails(FormulaError),
    /// The task has no result to decide about.
    NothingToDecide,
    /// How much a re-test takes cannot be counted.
    RetestUncountable(QuantityError),
    /// The retention portion does not suffice for a re-test.
    RetestShort { needed: i64, available: i64 },
    /// Only a failing result is investigated, and a repetition of a plan with the result that it repeats.
    NothingToInvestigate,
    /// Who found the cause or proposed the plan does not approve it.
    OwnProposal,
    /// The item has no re-test, or was done again before.
    NoRetest,
    /// A plan has so many repetitions.
    PlanCount { most: i64 },
    /// The second analyst is an analyst of the institute with no part in the failing result.
    SecondAnalyst,
    /// A point of the laboratory check has no answer, or more than one.
    PointUnanswered { zh: String, en: String },
    /// An answer is to no point of the list.
    PointUnknown,
    /// The cause is not on the list.
    CauseUnknown { codes: Vec<String> },
    /// Repetitions of the plan are not done.
    RepetitionsOpen { planned: i64, done: usize },
    /// The result decides nothing: it is repeated by a method that can tell.
    Undecided,
    /// The result decides, or is not the newest.
    NothingUndecided,
    /// The plan names somebody else for the repetition.
    AssignedElsewhere,
    /// Somebody else works on the task.
    OthersTask,
    /// Somebody else started the task.
    NotStartedByActor,
    /// The file gave the task no value.
    TaskNotOfFile,
    /// The file was not accepted.
    FileNotAccepted,
    /// The import was checked already.
    CheckedAlready,
    /// A result that rests on the import was reviewed.
    ImportSettled { sample: String, item_zh: String, item_en: String, state: TaskState, task: TestTaskId },
    /// The result rests on an import that may not count yet.
    ImportOpen { file: InstrumentFileId, name: String, fault: ImportFault },
    /// The item has no such reading.
    ReadingUnknown { index: usize, names: Vec<String> },
    /// So many readings of one name are not believed.
    PositionRange { index: usize },
    /// A reading is entered twice.
    ReadingTwice { index: usize },
    /// A reading that was entered before is changed without a reason.
    ChangeUnreasoned,
    /// A reading that was entered before is left empty.
    ReadingEmptied { field: String, before: String },
    /// What was typed is not a result.
    NotAResult { field: String, raw: String, why: NumericError },
    /// The result was reviewed, or is not the newest.
    ReviewedAlready { changes: Vec<Meanwhile> },
    /// Only the newest result of a task is corrected, and only once it is approved.
    NothingToCorrect,
    /// Whoever entered a value of a result does not order its correction, nor approve it anew after ordering it.
    OwnCorrection { approving: bool },
    /// Certificates carry the result: quality corrects it.
    OnCertificates { numbers: Vec<String> },
    /// A worksheet has so many lines.
    LineCount,
    /// Values lie outside what they can be, and nobody said why they count.
    OutsideRange(Vec<Outside>),
}

/// Why an import does not count in a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportFault {
    Rejected,
    NeedsSecondPerson,
    NotConfirmed,
}

impl ImportFault {
    /// What has to be done first, in Chinese and English.
    fn said(self) -> (&'static str, &'static str) {
        match self {
            Self::Rejected => {
                ("导入复核不通过，须重新录入或导入", "its import was rejected: the values are entered or imported anew")
            }
            Self::NeedsSecondPerson => {
                ("仪器文件的导入须先由第二人复核", "a second person checks the import of the instrument file first")
            }
            Self::NotConfirmed => (
                "请先与仪器文件原文逐值比对，并确认（import_checked）",
                "compare every value with the instrument file, then confirm it (import_checked)",
            ),
        }
    }
}

/// The two languages of a question: `中文 / English`.
fn sides(text: &str) -> (&str, &str) {
    text.split_once(" / ").unwrap_or((text, text))
}

/// A field of the reading at that place.
fn of_reading(index: usize, field: &str) -> String {
    format!("readings[{index}].{field}")
}

impl From<BenchRefusal> for Refusal {
    fn from(why: BenchRefusal) -> Self {
        use BenchRefusal as Why;
        match why {
            Why::NoTask(id) => Self::not_found("检验任务", "test task", id.as_str()),
            Why::NoResult(id) => Self::not_found("结果", "result", id.as_str()),
            Why::NoFile(id) => Self::not_found("仪器文件", "instrument file", id.as_str()),
            Why::State(refused) => refused.into(),
            Why::NothingToAccept => Self::field(
                "tasks",
                "没有可采用的值：相应任务的结果如已录入待复核，须先由复核人退回",
                "there is nothing to accept: where the results of its tasks wait for their review, the reviewer sends them \
                 back first",
            ),
            Why::NoValues { index } => {
                Self::field(format!("tasks[{index}]"), "没有此任务的值", "there are no values for this task")
            }
            Why::OpenQuestions { index, task, questions } => {
                let (zh, en): (Vec<&str>, Vec<&str>) = questions.iter().map(|text| sides(text)).unzip();
                Self::field(
                    format!("tasks[{index}]"),
                    format!("此任务尚有未决问题，不能采用：{}", zh.join("；")),
                    format!("this task has open questions and is not accepted: {}", en.join("; ")),
                )
                .with(json!({"task_id": task, "open_questions": questions}))
            }
            Why::VerdictMissing => {
                Self::field("conforms", "文字结果须由检验人员判定是否符合规定", "a finding needs the analyst's verdict")
            }
            Why::ComparedAsText => {
                Self::field("compare_by", "数值项目应为 rounded 或 full", "expected rounded or full for a numeric item")
            }
            Why::NotCalculable { field, why } => Self::field(field, why.to_string(), why.to_string()),
            Why::FormulaFails(why) => Self::field("readings", why.to_string(), why.to_string()),
            Why::NothingToDecide => {
                Self::new(Code::WrongState, "没有可决定的结果", "there is no result to decide about")
            }
            Why::RetestUncountable(why) => Self::new(Code::LedgerRefused, why.to_string(), why.to_string()),
            Why::RetestShort { needed, available } => Self::new(
                Code::LedgerRefused,
                format!("复试需 {needed} 个容器，留样仅有 {available} 个"),
                format!("the re-test needs {needed} containers, the retention portion has {available}"),
            )
            .with(json!({"needed": needed, "available": available})),
            Why::NothingToInvestigate => Self::new(
                Code::WrongState,
                "只对不符合规定的原结果进行超标调查",
                "only a failing result is investigated, and a repetition together with the result that it repeats",
            ),
            Why::OwnProposal => Self::new(
                Code::SelfReview,
                "原因或复试方案须由提出人以外的人批准",
                "a cause or a plan is approved by somebody else than the one who proposed it",
            ),
            Why::NoRetest => Self::new(
                Code::WrongState,
                "该项目不得复试；仅在检验被证明无效时重新检验一次",
                "this test has no re-test: only one that is proven invalid is done again, and once",
            ),
            Why::PlanCount { most } => {
                Self::field("repetitions", format!("应为 1 至 {most}"), format!("expected 1 to {most}"))
            }
            Why::SecondAnalyst => Self::field(
                "second_analyst",
                "应为本机构未参与原检验的检验人员",
                "expected an analyst of the institute who had no part in the failing result",
            ),
            Why::PointUnanswered { zh, en } => Self::field(
                "answers",
                format!("检查项须逐项回答一次：{zh}"),
                format!("every point is answered once: {en}"),
            ),
            Why::PointUnknown => {
                Self::field("answers", "含有检查表以外的检查项", "an answer is to no point of the list")
            }
            Why::CauseUnknown { codes } => {
                let codes = codes.join(", ");
                Self::field("cause", format!("应为 {codes} 之一"), format!("expected one of {codes}"))
            }
            Why::RepetitionsOpen { planned, done } => Self::new(
                Code::WrongState,
                format!("复试方案共 {planned} 次，已完成 {done} 次"),
                format!("the plan has {planned} repetitions, {done} are done"),
            )
            .with(json!({"planned": planned, "done": done})),
            Why::Undecided => Self::new(
                Code::WrongState,
                "结果无法判定，不得批准：须换用能够判定的方法复试",
                "the result decides nothing and is not approved: repeat it by a method that can tell",
            ),
            Why::NothingUndecided => Self::new(
                Code::WrongState,
                "只有最新的、无法判定的结果才换方法复试",
                "only the newest result of a task that decides nothing is repeated by another method",
            ),
            Why::AssignedElsewhere => Self::new(
                Code::Forbidden,
                "复试须由方案指定的检验人进行",
                "a repetition is done by the analyst whom the plan names",
            ),
            Why::OthersTask => Self::new(Code::WrongState, "该任务由他人检验中", "somebody else works on this task"),
            Why::NotStartedByActor => Self::new(
                Code::Forbidden,
                "只有开始该检验任务的检验人可以交回",
                "only the analyst who started the task hands it back",
            ),
            Why::TaskNotOfFile => Self::field("task_id", "该文件没有此任务的值", "the file gave this task no value"),
            Why::FileNotAccepted => Self::new(Code::WrongState, "该文件尚未采用", "the file was not accepted"),
            Why::CheckedAlready => Self::new(Code::WrongState, "该导入已复核", "the import was checked already"),
            Why::ImportSettled { sample, item_zh, item_en, state, task } => Self::new(
                Code::WrongState,
                format!("{sample} {item_zh}：结果已复核（{}），不能再退回导入", state.zh()),
                format!("{sample} {item_en}: its result is {}; the import cannot be rejected any more", state.en()),
            )
            .with(json!({"task_id": task})),
            Why::ImportOpen { file, name, fault } => {
                let (zh, en) = fault.said();
                Self::new(Code::ImportUnchecked, format!("{name}：{zh}"), format!("{name}: {en}"))
                    .at("import_checked")
                    .with(json!({"file_id": file, "file": name}))
            }
            Why::ReadingUnknown { index, names } => {
                let names = names.join(", ");
                let field = of_reading(index, "name");
                Self::field(field, format!("应为 {names} 之一"), format!("expected one of {names}"))
            }
            Why::PositionRange { index } => {
                Self::field(of_reading(index, "position"), "应为 1 至 500", "expected 1 to 500")
            }
            Why::ReadingTwice { index } => {
                Self::field(of_reading(index, "position"), "同一读数出现两次", "the same reading is there twice")
            }
            Why::ChangeUnreasoned => {
                Self::field("reason", "修改已录入的读数须说明原因", "a changed reading needs a reason")
            }
            Why::ReadingEmptied { field, before } => Self::field(
                field,
                format!("该读数已录入为“{before}”，不能清空：请填写更正后的值并说明原因"),
                format!(
                    "this reading was entered as {before:?} and is not emptied: enter the corrected value with its reason"
                ),
            ),
            Why::NotAResult { field, raw, why } => Self::field(
                field,
                format!("“{raw}”不是数值，也不是“<0.05”“未检出”一类的结果：{why}"),
                format!("{raw:?} is neither a number nor a censored value such as <0.05: {why}"),
            ),
            Why::NothingToCorrect => Self::new(
                Code::WrongState,
                "只能更正最新的、已批准且未被更正的结果",
                "only the newest result of a task is corrected, once it is approved and not corrected yet",
            ),
            Why::OwnCorrection { approving: false } => Self::new(
                Code::SelfReview,
                "更正须由未录入过该结果数据的人提出",
                "a correction is ordered by somebody who entered none of the result's values",
            ),
            Why::OwnCorrection { approving: true } => Self::new(
                Code::SelfReview,
                "更正后的结果须由提出更正以外的人批准",
                "the corrected result is approved by somebody else than the one who ordered the correction",
            ),
            Why::OnCertificates { numbers } => Self::new(
                Code::WrongState,
                format!("证书已载有该结果（{}），须由质量管理人员按更正程序处理", numbers.join("、")),
                format!("certificates carry the result ({}): quality corrects it", numbers.join(", ")),
            )
            .with(serde_json::json!({"certificates": numbers})),
            Why::ReviewedAlready { changes } => Self::new(
                Code::WrongState,
                "该结果已复核或已被新版本取代",
                "it was reviewed, or a newer version exists",
            )
            .with(json!({"changes": changes})),
            Why::OutsideRange(outside) => {
                let (zh, en): (Vec<String>, Vec<String>) = outside.iter().map(Outside::words).unzip();
                Self::new(
                    Code::OutsideRange,
                    format!("{}。请核对；确实如此的，须说明理由", zh.join("；")),
                    format!("{}: look at it again, or say why it counts", en.join("; ")),
                )
                .at("despite_range")
                .with(json!({"outside": outside.iter().map(Outside::details).collect::<Vec<_>>()}))
            }
            Why::LineCount => Self::field("lines", "应有 1 至 5000 行", "expected 1 to 5000 lines"),
        }
    }
}

impl From<BenchRefusal> for Failure {
    fn from(why: BenchRefusal) -> Self {
        Refusal::from(why).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::walk;
    use crate::regulation::numeric::Limit;
    use crate::vocabulary::states::TaskEvent;

    #[test]
    fn every_refusal_says_so_in_both_languages() {
        use BenchRefusal as Why;
        let (file, name) = (InstrumentFileId::from("f"), String::from("run.csv"));
        let open = |fault| Why::ImportOpen { file: file.clone(), name: name.clone(), fault };
        let number = || NumericError::NotANumber { text: "x".into() };
        walk::every_but(
            include_str!("refusals.rs"),
            &[
                Why::NoTask("t".into()),
                Why::NoResult("r".into()),
                Why::NoFile("f".into()),
                Why::State(WrongState::Task(TaskState::Cancelled, TaskEvent::Start)),
                Why::NothingToAccept,
                Why::NoValues { index: 0 },
                Why::OpenQuestions { index: 0, task: "t".into(), questions: vec!["无单位 / no unit".into()] },
                Why::VerdictMissing,
                Why::ComparedAsText,
                Why::NotCalculable { field: "limit", why: number() },
                Why::FormulaFails(FormulaError::Missing("x".into())),
                Why::NothingToDecide,
                Why::RetestUncountable(QuantityError::TooGreat),
                Why::RetestShort { needed: 2, available: 1 },
                Why::NothingToInvestigate,
                Why::OwnProposal,
                Why::NoRetest,
                Why::PlanCount { most: 6 },
                Why::SecondAnalyst,
                Why::PointUnanswered { zh: "仪器".into(), en: "instrument".into() },
                Why::PointUnknown,
                Why::CauseUnknown { codes: vec!["operation_fault".into()] },
                Why::RepetitionsOpen { planned: 2, done: 1 },
                Why::Undecided,
                Why::NothingUndecided,
                Why::AssignedElsewhere,
                Why::OthersTask,
                Why::NotStartedByActor,
                Why::TaskNotOfFile,
                Why::FileNotAccepted,
                Why::CheckedAlready,
                Why::ImportSettled {
                    sample: "s20260001".into(),
                    item_zh: "含量".into(),
                    item_en: "assay".into(),
                    state: TaskState::Reviewed,
                    task: "t".into(),
                },
                open(ImportFault::Rejected),
                open(ImportFault::NeedsSecondPerson),
                open(ImportFault::NotConfirmed),
                Why::ReadingUnknown { index: 0, names: vec!["x".into()] },
                Why::PositionRange { index: 0 },
                Why::ReadingTwice { index: 0 },
                Why::ChangeUnreasoned,
                Why::ReadingEmptied { field: "readings[0].raw".into(), before: "1.0".into() },
                Why::NotAResult { field: "readings[0].raw".into(), raw: "x".into(), why: number() },
                Why::ReviewedAlready { changes: Vec::new() },
                Why::NothingToCorrect,
                Why::OwnCorrection { approving: false },
                Why::OwnCorrection { approving: true },
                Why::OnCertificates { numbers: vec!["B20260001".into()] },
                Why::LineCount,
                Why::OutsideRange(vec![Outside {
                    reading: Some(("x".into(), 1)),
                    value: "998".into(),
                    range: Limit::parse("50~150").expect("a range"),
                    impossible: false,
                }]),
            ],
            &["NotCalculable", "FormulaFails", "RetestUncountable"],
        );
    }
}
