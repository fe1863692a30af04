//! Corrections (更正) of what is on record: entries of a case and its lots, products, applicants, the institute itself. One
//! person says what is wrong, what it should be and what shows that; another one approves with a signature, and only then
//! does the record have the new text. The certificates that state the old one are named: one that is not issued yet is
//! never issued as it is, and one that is issued is to be amended.
//!
//! Results have a way of their own (`bench`), since they are entered and reviewed anew.

mod decide;
mod propose;
mod refusals;
mod target;

pub use decide::DecideCorrection;
pub use propose::ProposeCorrection;
pub use refusals::CorrectionRefusal;
pub use target::{field_named, recorded};
