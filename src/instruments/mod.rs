//! The way of an instrument file into the laboratory (仪器文件): kept by content, read by an adapter, matched
//! to samples that exist, and accepted by a person. Nothing here ever creates a sample.

mod accept;
mod adapters;
mod assign;
mod check;
mod evaluated;
mod export;
mod figures;
mod inbox;
mod matching;
mod read;
mod source;

pub use accept::{Accept, Accepted, accept, reject};
pub use adapters::{AdapterStand, AdaptersView, Refused, adapters, tell_loaded};
pub use assign::{Assign, assign};
pub use check::checks;
pub use evaluated::{FileInjection, accept_with_evaluation, evaluable, injections_of};
pub use export::{Export, export};
pub(crate) use figures::whole;
pub use figures::{Figure, figure, figures, figures_of};
pub use inbox::{FileView, upload, view};
pub use matching::{Proposal, ProposedReading};
pub use source::{Mark, SourceLine, SourceView, Wanted, source};
