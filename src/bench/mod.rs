//! At the bench (检验): tasks, readings, calculated results, review by somebody else, and what follows a
//! result out of limit.

mod bench;
mod calculate;
mod decide;
mod entry;
mod import_check;
mod review;

pub use bench::{start, task_of};
pub use calculate::{Calculation, calculate};
pub use decide::{Decided, Decision, decide};
pub(crate) use entry::current as standing_readings;
pub use entry::{Entered, EnteredLine, Entry, Evaluated, NewReading, Observed, enter, enter_in, enter_many};
pub use import_check::{ImportCheck, ImportChecked, check_import};
pub use review::{Verdict, review};
