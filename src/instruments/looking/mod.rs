//! Looking at a file (查看): its lines with what each became, its plots, its export, and the checks of its import.
//!
//! Invariant: this room changes nothing. What it shows is drawn from the file as it was taken in, read anew each time.

mod check;
mod export;
mod figures;
mod source;

pub use check::checks;
pub use export::{Export, export};
pub(crate) use figures::whole;
pub use figures::{Figure, figure, figures, figures_of};
pub use source::{Mark, SourceLine, SourceView, Wanted, source};
