//! What corrections refuse, in one place and in both languages.

use crate::refusal::{Code, Refusal};
use crate::store::Failure;
use crate::store::columns::RecordCorrectionId;

/// Why nothing becomes of a correction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorrectionRefusal {
    /// The actor may see no such correction.
    NoCorrection(RecordCorrectionId),
    /// The new text is the one on record.
    SameText,
    /// Another proposal about the field waits for its decision.
    Waiting,
    /// It was decided before.
    DecidedAlready,
    /// Nobody approves what they proposed.
    OwnProposal,
    /// The record has another text by now than when the correction was proposed.
    ChangedMeanwhile,
}

impl From<CorrectionRefusal> for Refusal {
    fn from(why: CorrectionRefusal) -> Self {
        use CorrectionRefusal as Why;
        match why {
            Why::NoCorrection(id) => Self::not_found("更正", "correction", id.as_str()),
            Why::SameText => Self::field(
                "new_value",
                "与现有记录相同，无需更正",
                "this is what is on record: there is nothing to correct",
            ),
            Why::Waiting => Self::new(
                Code::Conflict,
                "该字段已有待批准的更正，请先处理",
                "a correction of this field waits for its decision: settle that one first",
            )
            .at("field"),
            Why::DecidedAlready => Self::new(Code::WrongState, "该更正已处理", "the correction was decided before"),
            Why::OwnProposal => Self::new(
                Code::SelfReview,
                "更正须由提出人以外的人批准",
                "a correction is approved by somebody else than the one who proposed it",
            ),
            Why::ChangedMeanwhile => Self::new(
                Code::Conflict,
                "提出更正后记录已变化，请不予更正后重新提出",
                "the record was changed after the correction was proposed: reject it and propose it anew",
            ),
        }
    }
}

impl From<CorrectionRefusal> for Failure {
    fn from(why: CorrectionRefusal) -> Self {
        Refusal::from(why).into()
    }
}

#[cfg(test)]
mod tests {
    use super::CorrectionRefusal as Why;
    use crate::refusal::walk;

    #[test]
    fn every_refusal_says_so_in_both_languages() {
        let given = [
            Why::NoCorrection("c".into()),
            Why::SameText,
            Why::Waiting,
            Why::DecidedAlready,
            Why::OwnProposal,
            Why::ChangedMeanwhile,
        ];
        walk::every(include_str!("refusals.rs"), &given);
    }
}
