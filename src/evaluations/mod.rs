//! Sequences and plates as evidence (序列评价、板评价): the register of reference standards, evaluations kept in
//! versions with everything that they rest on, their acceptance into tasks, and the check that calculates them again.
//!
//! The calculation itself is [`crate::calculation`], which knows nothing of this.

mod accept;
mod combine;
mod create;
mod kept;
mod load;
mod methods;
mod proposal;
mod refusals;
mod standards;
mod tasks;
mod verify;
mod write;

pub use accept::{AcceptEvaluation, AcceptedEvaluation};
pub use combine::CombineEvaluations;
pub use create::{CreateEvaluation, EvaluationPreview, ReviseEvaluation, preview};
pub use methods::methods;
pub use proposal::{Proposed, propose};
pub use refusals::{AssayFault, EvaluationRefusal};
pub use standards::{AddStandard, RestoreStandard, WithdrawStandard};
pub use tasks::{EvaluatedReading, EvaluatedTask, tasks};
pub use verify::{Difference, Verified, verify};
