//! The trail (审计追踪): who did what, when, from what to what, and why. Append-only, written in the same
//! transaction as the change itself, sealed in the background.

mod canonical;
mod key;
mod refusals;
mod seal;
mod trail;
mod verify;
mod writing;

pub use key::{PublicKeys, SealKey};
pub use refusals::RecordRefusal;
pub use seal::{Sealer, Sealing, WITNESS, Witness, last_seal};
pub use trail::{Entries, PAGE, TrailEntry, TrailFilter, TrailPage, latest, trail};
pub use verify::{Misfit, MisfitKind, Report, verify};
pub use writing::{Actor, ActorSession, Author, Change, not_before_the_last, record, record_by};
