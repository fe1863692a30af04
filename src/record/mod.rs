//! The trail (审计追踪): who did what, when, from what to what, and why. Append-only, written in the same
//! transaction as the change itself, sealed in the background.

mod anchor;
mod baseline;
mod canonical;
mod compare;
mod key;
mod misfit;
mod outside;
mod refusals;
mod rows;
mod seal;
mod settings;
mod structure;
mod trail;
mod verify;
mod witness;
mod writing;

pub use baseline::take_over;
pub use key::{PublicKeys, SealKey};
pub use misfit::{Misfit, MisfitKind};
pub use outside::{AnchorSettings, Anchored, SyslogAddress, compare_anchors};
pub use refusals::{Misremembered, RecordRefusal};
pub use seal::{RecordCheck, Sealer, Sealing};
pub use settings::{Settings, record_settings};
pub use structure::record_structure;
pub use trail::{Entries, PAGE, TrailEntry, TrailFilter, TrailPage, latest, trail};
pub use verify::{Memory, Report, verify};
pub use witness::{
    RecordAcceptance, WITNESS, Witness, accept, join, last_seal, remember_restored, renewed, seal_misfit,
};
pub use writing::{Actor, ActorSession, Author, Change, not_before_the_last, record, record_by};
