//! The register (仪器登记): what is set up in the laboratory, how its files are read and by which way they come.
//!
//! Invariant: every instrument has an account of its own that nobody can log in with, and what it sends is recorded in that
//! name. Its code stays as it was registered. Nothing in this room reads a file.

mod calibrations;
mod entry;
mod instrument;
mod pattern;
mod peers;
mod rows;
mod view;
mod watched;
mod ways;

pub use calibrations::{Calibrate, CalibrationView};
pub(super) use calibrations::{against, newest_first};
pub use entry::NewInstrument;
pub use instrument::{ChangeInstrument, RegisterInstrument, RestoreInstrument, RetireInstrument};
pub use pattern::{Globs, MatchRule, file_globs};
pub use peers::Peers;
pub(super) use rows::{active, row_of, rule_of};
pub(super) use view::record_of;
pub use view::{
    InstrumentChoice, InstrumentFilter, InstrumentRecord, InstrumentView, WayView, calibrations, instrument_choices,
    instrument_view, instruments,
};
pub use watched::{Unwatchable, watchable};
pub(super) use ways::named;
pub use ways::{Way, report, ways};
