//! What the rooms of instruments refuse, in one place and in both languages.

use crate::refusal::{Code, Refusal};
use crate::store::Failure;
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
            InstrumentRefusal::State(refused) => Self::new(Code::WrongState, refused.zh(), refused.en()),
            InstrumentRefusal::NothingToTry => {
                Self::new(Code::WrongState, "没有可重试的内容", "there is nothing to try again")
            }
            InstrumentRefusal::NoSuchName => {
                Self::field("sample_text", "文件中没有此样品名", "the file has no such sample name")
            }
            InstrumentRefusal::TakenMeanwhile => {
                Self::new(Code::Busy, "相同内容正在导入，请重试", "the same content is being taken in: try again")
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
