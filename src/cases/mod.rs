//! Intake (收样与受理): an application with its batches, its acceptance under the regulation, and the receipt
//! of its samples, each step alone or all of them in one transaction.

mod acceptance;
mod application;
mod desk;
mod ending;
mod load;
mod receipt;

pub use acceptance::{Acceptance, case_of};
pub use application::{NewApplication, NewBatch, Particulars};
pub(crate) use desk::moved;
pub use desk::{
    Intake, LaterDates, Preview, Taken, TakenSample, accept, preview, receive, record_dates, submit, submit_with,
    take_in, take_in_with,
};
pub use ending::{Ending, end, refresh_provisional};
pub use load::CaseFile;
pub use receipt::{NewContainers, NewSample, Receipt};
