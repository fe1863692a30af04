//! Cases (申请): an application with its batches, its acceptance under the regulation, the receipt of its samples, and
//! its end.
//!
//! Invariants: nothing outside of this module writes `application`, `batch`, `sample`, `container` or
//! `application_clock`; a case comes to a state by [`Case::on`] only; what other modules found out about a case, they
//! tell it ([`all_tested`], [`reported`]), and what follows is decided here.

mod accept;
mod acceptance;
mod application;
mod asked;
mod batch_end;
mod case;
mod clocks;
mod correcting;
mod dates;
mod demand;
mod duplicates;
mod ending;
mod label_date;
mod label_questions;
mod load;
mod preview;
mod receipt;
mod receive;
mod refusals;
mod reinstate;
mod reinstate_sample;
mod retention;
#[cfg(test)]
mod specimens;
mod submit;
mod take_in;
mod taken;
mod told;

pub use crate::business::{Line, Lines, Particulars};
pub use accept::AcceptCase;
pub use application::{NewApplication, NewBatch};
pub use asked::{AmountQuestion, KnownLot};
pub use batch_end::WithdrawBatch;
pub use case::{Case, determination_of, particulars_of};
pub use clocks::RefreshClocks;
pub use correcting::{CorrectableBatch, CorrectableCase, CorrectedCase};
pub use dates::RecordDates;
pub use demand::LotDemand;
pub use ending::{RefuseCase, VoidCase, WithdrawCase, WithdrawOwnCase};
pub use load::CaseFile;
pub use preview::{IntakePreview, preview};
pub use receipt::{NewContainers, NewSample, Receipt};
pub use receive::ReceiveSamples;
pub use refusals::{ArrivalFault, CasesRefusal};
pub use reinstate::ReinstateCase;
pub use reinstate_sample::{ReinstateBatch, ReinstateSample};
pub use retention::{RetainedPortion, RetentionDue, retention_due};
pub use submit::{SubmitCase, SubmitOwnCase};
pub use take_in::TakeIn;
pub use taken::{Taken, TakenSample};
pub use told::{all_tested, reopenable, reopened, reported, state_of, still_open};
