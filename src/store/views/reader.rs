//! Who reads, and what the laboratory hides from whom. A view takes the reader and hides by itself.

use crate::refusal::{Code, Refusal};
use crate::store::columns::{ApplicantId, InstituteId};
use crate::vocabulary::Hidden;

/// Who reads.
#[derive(Clone, Debug)]
pub enum Reader {
    /// Staff of an institute: sees its records and no other's.
    Staff {
        /// The institute.
        institute: InstituteId,
        /// What the laboratory hides from this reader.
        hidden: Vec<Hidden>,
    },
    /// An applicant: sees its own cases and what is issued of them.
    Applicant(ApplicantId),
}

impl Reader {
    /// The institute whose records are read; none for an applicant.
    #[must_use]
    pub fn institute(&self) -> Option<&InstituteId> {
        match self {
            Self::Staff { institute, .. } => Some(institute),
            Self::Applicant(_) => None,
        }
    }

    /// The institute of a member of staff.
    ///
    /// # Errors
    /// [`Code::Forbidden`] for an applicant.
    pub fn staff(&self) -> Result<&InstituteId, Refusal> {
        let own = self.institute();
        own.ok_or_else(|| Refusal::new(Code::Forbidden, "仅限机构人员", "for staff of an institute only"))
    }

    /// Whether the laboratory hides this fact from the reader.
    #[must_use]
    pub fn hides(&self, fact: Hidden) -> bool {
        match self {
            Self::Staff { hidden, .. } => hidden.contains(&fact),
            Self::Applicant(_) => false,
        }
    }

    /// The fact as the reader sees it.
    #[must_use]
    pub fn shown<T>(&self, fact: Hidden, value: T) -> Option<T> {
        (!self.hides(fact)).then_some(value)
    }
}
