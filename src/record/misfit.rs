//! What does not fit where the record is compared with the trail.

use serde::Serialize;
use utoipa::ToSchema;

/// What does not fit.
#[derive(Clone, Debug, Serialize, ToSchema, PartialEq, Eq)]
pub struct Misfit {
    /// What kind of misfit it is.
    pub kind: MisfitKind,
    /// The entry, where one entry is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<i64>,
    /// The seal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seal: Option<i64>,
    /// A sentence in Chinese.
    pub message_zh: String,
    /// A sentence in English.
    pub message_en: String,
}

/// The kinds of misfits.
#[derive(Clone, Copy, Debug, Serialize, ToSchema, PartialEq, Eq)]
#[schema(as = TrailFaultKind)]
#[serde(rename_all = "snake_case")]
pub enum MisfitKind {
    /// An entry is not what was sealed.
    EntryChanged,
    /// A sealed entry is not there.
    EntryMissing,
    /// An entry lies in a sealed range, but was not sealed.
    EntryInserted,
    /// A seal does not follow the one before it.
    ChainBroken,
    /// A seal's root or hash is not that of its content.
    SealChanged,
    /// A seal's signature is not its key's.
    SignatureInvalid,
    /// A seal was signed by a key that is not known here.
    KeyUnknown,
    /// Seals that were made are not there.
    SealMissing,
    /// A row is not what the last entry about it left.
    RowChanged,
    /// A row is not there, and no entry says that it was removed.
    RowMissing,
    /// No entry speaks of a row.
    RowUnknown,
    /// The structure of the database is not what the trail says.
    StructureChanged,
    /// The database finds its own file damaged.
    DatabaseDamaged,
    /// A file that a row names is not there.
    FileMissing,
    /// A file is not what its name says.
    FileChanged,
    /// What was shown of a seal outside is not the seal.
    AnchorDiffers,
}

impl Misfit {
    pub(super) fn new(kind: MisfitKind, entry: Option<i64>, seal: i64, zh: String, en: String) -> Self {
        Self { kind, entry, seal: Some(seal), message_zh: zh, message_en: en }
    }
}
