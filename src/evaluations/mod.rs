//! Sequences and plates as evidence (序列评价、板评价): the register of reference standards, evaluations kept in
//! versions with everything that they rest on, their acceptance into tasks, and the check that calculates them again.
//!
//! The calculation itself is [`crate::calculation`], which knows nothing of this.

mod accept;
mod combine;
mod evaluate;
mod load;
mod methods;
mod proposal;
mod standards;
mod tasks;
mod verify;

pub use accept::{AcceptEvaluation, AcceptedEvaluation, accept};
pub use combine::{Combination, combine};
pub use evaluate::{NewEvaluation, Preview, create, preview, version};
pub use methods::methods;
pub use proposal::{Proposed, propose};
pub use standards::{NewStandard, Withdrawal, create_standard, withdraw_standard};
pub use tasks::{EvaluatedReading, EvaluatedTask, tasks};
pub use verify::{Difference, Verified, verify};

use crate::record::Actor;
use crate::refusal::{Code, Refusal};
use crate::store::columns::InstituteId;

fn institute_of(actor: &Actor) -> Result<InstituteId, Refusal> {
    actor
        .institute
        .clone()
        .ok_or_else(|| Refusal::new(Code::Forbidden, "仅限机构人员", "for staff of an institute only"))
}
