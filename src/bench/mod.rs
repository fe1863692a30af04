//! At the bench (检验): tasks, readings, calculated results, their review by somebody else, and what follows a result
//! out of specification (OOS).
//!
//! Invariants: readings, results and decisions are added, never changed; nothing is decided on a task whose case is not
//! worked on any more; whoever had a hand in a result does not judge it.

mod acceptance;
mod calculate;
mod enter;
mod hand_back;
mod import_check;
mod investigation;
mod outside;
mod plausible;
mod readings;
mod refusals;
mod reopen;
mod repetition;
mod review;
mod signed;
#[cfg(test)]
mod specimens;
mod start;
mod task;
mod worksheet;

pub use acceptance::{ProposedReadings, accept, enter_proposed};
pub use calculate::Calculation;
pub use enter::{EnterReadings, Entered};
pub use hand_back::HandBackTask;
pub use import_check::{CheckImport, ImportChecked};
pub use investigation::{
    ApproveCause, ApprovePlan, CheckLaboratory, ConfirmFailure, DecideTask, Investigated, PointAnswer, ProposePlan,
    SendBackInvestigation,
};
pub(crate) use readings::current as standing_readings;
pub use readings::{Evaluated, NewReading, Observed, Source, TaskEntry};
pub use refusals::{BenchRefusal, ImportFault};
pub use reopen::{CarryingCertificate, CorrectResult, Corrected};
pub use repetition::{RepeatUndecided, RepeatedUndecided};
pub use review::{AfterReview, ReviewResult};
pub use start::{Next, StartTask, Started, TakeNext};
pub use worksheet::{EnterWorksheet, EnteredLine, EnteredLines, WorksheetLine};
