//! The way of an instrument file into the laboratory (仪器文件): kept by content, read by an adapter, matched
//! to samples that exist, and accepted by a person. Nothing here ever creates a sample.

mod accept;
mod adapters;
mod assign;
mod calibrations;
mod check;
mod dead_letters;
mod evaluated;
mod export;
mod figures;
mod folders;
mod inbox;
mod intake;
mod matching;
mod pattern;
mod proposals;
mod read;
mod register;
mod run_lists;
mod source;
mod versions;

pub use accept::{Accept, Accepted, accept, reject};
pub use adapters::{AdapterStand, AdaptersView, Refused, adapters, tell_loaded};
pub use assign::{Assign, assign};
pub use calibrations::{NewCalibration, calibrate, calibrations};
pub use check::checks;
pub use dead_letters::{
    DeadLetterView, Letter, Retried, dead_letter, dead_letters, dismiss, letter_content, put, retry,
};
pub use evaluated::{FileInjection, accept_with_evaluation, evaluable, injections_of};
pub use export::{Export, export};
pub(crate) use figures::whole;
pub use figures::{Figure, figure, figures, figures_of};
pub use folders::{FolderView, Known, Seen, again, folder_view, known, refuse, report};
pub use inbox::{FileView, Named, upload, upload_set, view};
pub use intake::{Incoming, LARGEST, Source, Taken, companions_wanted, take};
pub use matching::NameInFile;
pub use pattern::{Globs, MatchRule, file_globs};
pub use proposals::{Proposal, ProposedReading};
pub use register::{
    InstrumentView, NewInstrument, Way, below, change, instrument_view, instruments, named, register, retire, ways,
};
pub use run_lists::{NewRunList, Place, RunListView, list_before_file, list_for_file, run_lists, withdraw_list};
pub use source::{Mark, SourceLine, SourceView, Wanted, source};
pub use versions::OtherVersion;
