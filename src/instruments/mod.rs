//! The way of an instrument file into the laboratory (仪器文件), in four rooms, each of which knows only those before it:
//! the register of instruments, the reception of files, what their values propose, and looking at a file.
//!
//! Invariant: nothing here ever creates a sample, and a value becomes a reading only because a person accepts it.

mod looking;
mod proposals;
mod reception;
mod refusals;
mod register;

pub(crate) use looking::whole;
pub use looking::{
    Export, Figure, Mark, SourceLine, SourceView, Wanted, checks, export, figure, figures, figures_of, source,
};
pub use proposals::{
    Accept, AcceptFile, Accepted, ChooseReading, ChosenReading, FileInjection, FileView, Proposal, ProposedReading,
    RejectFile, ReopenFile, accept_with_evaluation, evaluable, injections_of, view,
};
pub use reception::{
    AdapterStand, AdaptersView, AddFileRunList, AddRunList, DeadLetterView, DismissLetter, FolderEntryView, FolderView,
    Incoming, Known, LARGEST, Letter, LetterFilter, MatchName, Matched, NameInFile, NamedFile, OtherVersion,
    RefusedFolder, RestoreLetter, Retried, RetryLetter, RunListLine, RunListView, SeenFile, TakenFile, UploadFile,
    WithdrawRunList, adapters, again, companions_wanted, dead_letter, dead_letters, folder_view, known, letter_content,
    open_letters, put, refuse, run_lists, take, tell_loaded, upload, upload_set,
};
pub use register::{
    Calibrate, CalibrationView, ChangeInstrument, Globs, InstrumentChoice, InstrumentFilter, InstrumentRecord,
    InstrumentView, MatchRule, NewInstrument, Peers, RegisterInstrument, RestoreInstrument, RetireInstrument,
    Unwatchable, Way, WayView, calibrations, file_globs, instrument_choices, instrument_view, instruments, report,
    watchable, ways,
};

/// By which way a file came in.
pub use crate::vocabulary::instruments::FileSource as Source;
