//! What the actor of an entry may not do, in one place and in both languages.

use crate::refusal::{Code, Refusal};
use crate::store::Failure;

/// Why an actor does not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordRefusal {
    /// The actor works for no institute.
    StaffOnly,
}

impl From<RecordRefusal> for Refusal {
    fn from(why: RecordRefusal) -> Self {
        match why {
            RecordRefusal::StaffOnly => Self::new(Code::Forbidden, "仅限机构人员", "for staff of an institute only"),
        }
    }
}

impl From<RecordRefusal> for Failure {
    fn from(why: RecordRefusal) -> Self {
        Refusal::from(why).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::walk;

    #[test]
    fn every_refusal_says_so_in_both_languages() {
        walk::every(include_str!("refusals.rs"), &[RecordRefusal::StaffOnly]);
    }
}
