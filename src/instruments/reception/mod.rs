//! Reception (接收): how a file comes in, by whichever way: kept by content, read by an adapter, matched to samples that
//! exist, or kept as a dead letter until a person decides.
//!
//! Invariant: what comes in is kept, once a content, and is never overwritten; a corrected file is a new version.
//! Nothing in this room makes a sample or enters a reading.

mod adapters;
mod files;
mod folders;
mod letters;
mod match_name;
mod matching;
mod places;
mod read;
mod retry;
mod run_lists;
mod staged;
mod take_in;
mod versions;

pub use adapters::{AdapterStand, AdaptersView, RefusedFolder, adapters, tell_loaded};
pub(super) use files::{file_of, observations_of_file, options_of, touch};
pub use folders::{FolderEntryView, FolderView, Known, SeenFile, again, folder_view, known, refuse};
pub use letters::{
    DeadLetterView, DismissLetter, Letter, LetterFilter, RestoreLetter, dead_letter, dead_letters, letter_content,
    open_letters, put,
};
pub use match_name::{MatchName, Matched};
pub use matching::NameInFile;
pub(super) use matching::{MatchedFile, names};
pub use read::companions_wanted;
pub(super) use read::read;
pub use retry::{Retried, RetryLetter};
pub(super) use run_lists::of_file;
pub use run_lists::{AddFileRunList, AddRunList, RunListLine, RunListView, WithdrawRunList, run_lists};
pub use take_in::{Incoming, LARGEST, NamedFile, TakenFile, UploadFile, take, upload, upload_set};
pub use versions::OtherVersion;
pub(super) use versions::{around, superseded};
