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
pub use desk::{LaterDates, Preview, TakenSample, take_in_with, submit_with, Intake, Taken, accept, preview, receive, record_dates, submit, take_in};
pub use ending::{Ending, end, refresh_provisional};
pub use load::CaseFile;
pub use receipt::{NewContainers, NewSample, Receipt};
