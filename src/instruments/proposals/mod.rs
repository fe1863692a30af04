//! Proposals (拟录入): what the values of a file would be as readings, and what a person decides about the file.
//!
//! Invariant: nothing becomes a reading but by a person, of a file that is whole, and without an open question; nothing
//! is converted but by a declared factor.

mod accept;
mod choose;
mod evaluated;
mod propose;
mod reject;
mod view;

pub use accept::{Accept, AcceptFile, Accepted};
pub use choose::{ChooseReading, ChosenReading};
pub use evaluated::{FileInjection, accept_with_evaluation, evaluable, injections_of};
pub use propose::{Proposal, ProposedReading};
pub use reject::{RejectFile, ReopenFile};
pub use view::{FileView, view};
