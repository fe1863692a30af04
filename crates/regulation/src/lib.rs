//! The regulation, pure: dated provisions as data, working days, rounding and limits, quantities.
//!
//! Nothing here knows a database, a clock or another module of the program; the only thing ever read is the folder of
//! a laboratory's own provisions. Whoever asks brings the case with its dates.

pub mod authorisation;
pub mod calendar;
pub mod case;
mod conflict;
#[cfg(test)]
mod decision_tests;
pub mod determination;
pub mod error;
mod explain;
pub mod failing;
pub mod load;
pub mod numeric;
mod obligations;
pub mod practice;
pub mod provision;
pub mod quantities;
pub mod ranges;
pub mod register;
pub mod traits;

pub use authorisation::{Authorisation, AuthorisationRefused, authorised};
pub use calendar::Calendar;
pub use case::{CaseError, CaseFacts, Dates, Product, parse_date, statutory_date};
pub use determination::{CaseRefusal, Determination, Regulation, Remainder, Ruled, StatutoryClock};
pub use error::RegisterError;
pub use provision::Provision;
pub use register::Register;
pub use vocabulary::words::{
    Business, Category, ClockName, ClockUnit, Confidence, DateName, DeviceClass, Jurisdiction, Kind, Lane, Purpose,
    Trait, is_jurisdiction,
};
