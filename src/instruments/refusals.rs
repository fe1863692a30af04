//! What the rooms of instruments refuse, in one place and in both languages.

use serde_json::json;

use crate::refusal::{Code, Refusal};
use crate::store::Failure;
use crate::store::views::ProblemView;
use crate::vocabulary::instruments::{FileEvent, FileState};
use crate::vocabulary::states;

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstrumentRefusal {
    /// The institute has no such instrument.
    NoInstrument(String),
    /// The institute has no such file.
    NoFile(String),
    /// The file has no such value.
    NoValue(String),
    /// The institute has no such dead letter.
    NoLetter(String),
    /// The dead letter has no bytes.
    NoContent(String),
    /// The institute has no such sequence list.
    NoRunList(String),
    /// The institute has received no such sample.
    NoSample(String),
    /// The state of the thing does not allow it.
    State(states::WrongState),
    /// The dead letter has neither bytes nor a folder to look into.
    NothingToTry,
    /// The file has no such name in it.
    NoSuchName,
    /// An equal import came in between.
    TakenMeanwhile,
    /// Files are written as `asm` or as `csv`.
    FormatUnknown,
    /// The file could not be written in the other format.
    NotExported(String),
    /// The file has no such figure.
    NoFigure(String),
    /// No adapter reads the file as it was taken in.
    NotReadAgain(String),
    /// The file cannot be shown line by line.
    NotShown(String),
    /// A file that is not whole is not accepted.
    Incomplete { problems: Vec<ProblemView> },
    /// The format cannot prove that the file is whole, and nobody says so.
    Unconfirmed,
    /// The file has problems that the adapter calls errors, and nobody says why it counts all the same.
    ProblemsUnanswered { errors: Vec<ProblemView> },
    /// A value has more digits than are kept.
    TooManyDigits { field: String, raw: String },
    /// The file was not recognised, or was rejected.
    NotEvaluable { file: String },
    /// A file that is not whole is not evaluated.
    IncompleteForEvaluation { file: String, problems: Vec<ProblemView> },
    /// A line of a sequence list has no place and sample number.
    RowMalformed { row: usize, line: String },
    /// A sequence list has so many rows.
    RowCount,
    /// A place is in the list twice.
    PlaceTwice { row: usize, place: String },
    /// A pattern of file names cannot be read.
    FilePattern { field: &'static str, why: String },
    /// A pattern that fits every file.
    PatternTooWide,
    /// A name in the file belongs to another sample already.
    OtherSample { text: String },
    /// The file has no bytes.
    FileEmpty,
    /// The file is too large to be taken in.
    FileTooLarge,
    /// A calibration that was not made yet.
    CalibratedInFuture,
    /// A calibration that ran out before it was made.
    DueBeforeCalibration,
    /// The pattern of sample names is not one.
    SamplePattern { at: String, why: String },
}

impl From<InstrumentRefusal> for Refusal {
    fn from(why: InstrumentRefusal) -> Self {
        match why {
            InstrumentRefusal::NoInstrument(id) => Self::not_found("仪器", "instrument", &id),
            InstrumentRefusal::NoFile(id) => Self::not_found("仪器文件", "instrument file", &id),
            InstrumentRefusal::NoValue(id) => Self::not_found("该文件中的值", "value in this file", &id),
            InstrumentRefusal::NoLetter(id) => Self::not_found("未导入的文件", "dead letter", &id),
            InstrumentRefusal::NoContent(id) => Self::not_found("内容", "content", &id),
            InstrumentRefusal::NoRunList(id) => Self::not_found("进样序列", "run list", &id),
            InstrumentRefusal::NoSample(number) => Self::not_found("样品", "sample", &number),
            InstrumentRefusal::State(states::WrongState::InstrumentFile(FileState::Unread, FileEvent::Accept)) => {
                Self::new(Code::FileNotRecognised, "没有适配器能识别该文件", "no adapter recognises the file")
            }
            InstrumentRefusal::State(refused) => refused.into(),
            InstrumentRefusal::NothingToTry => {
                Self::new(Code::WrongState, "没有可重试的内容", "there is nothing to try again")
            }
            InstrumentRefusal::NoSuchName => {
                Self::field("sample_text", "文件中没有此样品名", "the file has no such sample name")
            }
            InstrumentRefusal::TakenMeanwhile => {
                Self::new(Code::Busy, "相同内容正在导入，请重试", "the same content is being taken in: try again")
            }
            InstrumentRefusal::FormatUnknown => Self::field("format", "应为 asm 或 csv", "expected asm or csv"),
            InstrumentRefusal::NotExported(why) => Self::new(Code::Internal, why.clone(), why),
            InstrumentRefusal::NoFigure(name) => Self::not_found("图", "plot", &name),
            InstrumentRefusal::NotReadAgain(why) => {
                Self::new(Code::FileNotRecognised, format!("无法读取该文件：{why}"), why)
            }
            InstrumentRefusal::NotShown(why) => Self::new(Code::FileNotRecognised, format!("无法逐行显示：{why}"), why),
            InstrumentRefusal::Incomplete { problems } => {
                Self::new(Code::FileIncomplete, "文件不完整，不能采用", "the file is incomplete and cannot be used")
                    .with(json!({"problems": problems}))
            }
            InstrumentRefusal::Unconfirmed => Self::field(
                "confirm_complete",
                "该格式不能自证完整，须由人员确认",
                "the format cannot prove that the file is whole: a person confirms it",
            ),
            InstrumentRefusal::ProblemsUnanswered { errors } => Self::field(
                "despite_problems",
                format!("文件有 {} 个问题，采用须说明理由", errors.len()),
                format!("the file has {} problems: say why its results count all the same", errors.len()),
            )
            .with(json!({"problems": errors})),
            InstrumentRefusal::TooManyDigits { field, raw } => {
                Self::field(field, format!("“{raw}”超过 28 位数字"), format!("{raw:?} has more than 28 digits"))
            }
            InstrumentRefusal::NotEvaluable { file } => Self::new(
                Code::WrongState,
                format!("文件 {file} 未能识别或已被拒绝"),
                format!("{file} was not recognised, or was rejected"),
            ),
            InstrumentRefusal::IncompleteForEvaluation { file, problems } => Self::new(
                Code::FileIncomplete,
                format!("文件 {file} 不完整，不能评价"),
                format!("{file} is incomplete and cannot be evaluated"),
            )
            .with(json!({"problems": problems})),
            InstrumentRefusal::RowMalformed { row, line } => Self::field(
                format!("rows[{row}]"),
                format!("“{line}”应为：位置 样品编号"),
                format!("{line:?}: expected a place and a sample number"),
            ),
            InstrumentRefusal::RowCount => Self::field("rows", "应有 1 至 1000 行", "expected 1 to 1000 rows"),
            InstrumentRefusal::PlaceTwice { row, place } => Self::field(
                format!("rows[{row}].place"),
                format!("位置 {place} 重复"),
                format!("the place {place} stands twice"),
            ),
            InstrumentRefusal::FilePattern { field, why } => Self::field(field, why.clone(), why),
            InstrumentRefusal::PatternTooWide => {
                Self::field("file_pattern", "应指明文件名", "expected a pattern that names the file")
            }
            InstrumentRefusal::OtherSample { text } => Self::new(
                Code::Conflict,
                format!("文件中“{text}”已对应另一样品，与序列不一致"),
                format!("{text:?} in the file has another sample than the list says"),
            )
            .at("rows"),
            InstrumentRefusal::FileEmpty => Self::field("file", "文件为空", "the file is empty"),
            InstrumentRefusal::FileTooLarge => {
                Self::new(Code::TooLarge, "文件超过 32 MB", "the file is larger than 32 MB").at("file")
            }
            InstrumentRefusal::CalibratedInFuture => {
                Self::field("performed_on", "不得晚于今天", "must not lie in the future")
            }
            InstrumentRefusal::DueBeforeCalibration => {
                Self::field("due_on", "不得早于校准日期", "must not lie before the calibration")
            }
            InstrumentRefusal::SamplePattern { at, why } => {
                Self::field(format!("{at}.pattern"), format!("须为含 (?P<sample>…) 的正则表达式：{why}"), why)
            }
        }
    }
}

impl From<InstrumentRefusal> for Failure {
    fn from(why: InstrumentRefusal) -> Self {
        Refusal::from(why).into()
    }
}

impl From<states::WrongState> for InstrumentRefusal {
    fn from(refused: states::WrongState) -> Self {
        Self::State(refused)
    }
}

impl InstrumentRefusal {
    /// The refusal with the field at fault.
    #[must_use]
    pub fn at(self, field: impl Into<String>) -> Refusal {
        Refusal::from(self).at(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::walk;

    #[test]
    fn every_refusal_says_so_in_both_languages() {
        use InstrumentRefusal as Why;
        let (file, why) = (String::from("run.csv"), String::from("no adapter reads it"));
        walk::every_but(
            include_str!("refusals.rs"),
            &[
                Why::NoInstrument("i".into()),
                Why::NoFile("f".into()),
                Why::NoValue("v".into()),
                Why::NoLetter("l".into()),
                Why::NoContent("c".into()),
                Why::NoRunList("l".into()),
                Why::NoSample("s".into()),
                Why::State(states::WrongState::InstrumentFile(FileState::Unread, FileEvent::Accept)),
                Why::State(states::WrongState::InstrumentFile(FileState::Rejected, FileEvent::Accept)),
                Why::NothingToTry,
                Why::NoSuchName,
                Why::TakenMeanwhile,
                Why::FormatUnknown,
                Why::NotExported(why.clone()),
                Why::NoFigure("chromatogram".into()),
                Why::NotReadAgain(why.clone()),
                Why::NotShown(why.clone()),
                Why::Incomplete { problems: Vec::new() },
                Why::Unconfirmed,
                Why::ProblemsUnanswered { errors: Vec::new() },
                Why::TooManyDigits { field: "x[1]".into(), raw: "1.0".into() },
                Why::NotEvaluable { file: file.clone() },
                Why::IncompleteForEvaluation { file, problems: Vec::new() },
                Why::RowMalformed { row: 0, line: "1".into() },
                Why::RowCount,
                Why::PlaceTwice { row: 1, place: "1".into() },
                Why::FilePattern { field: "file_pattern", why: why.clone() },
                Why::PatternTooWide,
                Why::OtherSample { text: "s".into() },
                Why::FileEmpty,
                Why::FileTooLarge,
                Why::CalibratedInFuture,
                Why::DueBeforeCalibration,
                Why::SamplePattern { at: "matching".into(), why },
            ],
            &["NotExported", "FilePattern"],
        );
    }
}
