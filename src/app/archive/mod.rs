//! Archives of a whole installation: one file that says of itself what is in it, signed, and in which no bit can change
//! without being found.
//!
//! A tar archive compressed with zstd, whose last members are the manifest (every other member with its SHA-256) and its
//! signature by the key of the seals; behind it, in a frame that every reader of zstd skips, the SHA-256 of all bytes
//! before. Encrypted by age where somebody is to be able to read it alone.

mod examine;
mod trailer;
mod write;

use serde::{Deserialize, Serialize};

use crate::record::Witness;
use crate::store::Backend;

pub use examine::{ArchiveProblem, Demands, ExaminedArchive, examine};
pub use write::{ArchiveSource, write};

/// The form of the archive.
pub const FORMAT: u32 = 2;
/// The form without hashes and signature, as the versions before wrote it.
pub const OLDER: u32 = 1;
pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const SIGNATURE: &str = "manifest.sig";
pub const DATABASE: &str = "database";
pub const FILES: &str = "files";
pub const KEYS: &str = "keys";

/// One file in an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub name: String,
    pub bytes: u64,
    pub sha256: String,
}

/// What an archive says of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    pub program: String,
    pub database: String,
    pub schema: Option<String>,
    pub made_at: String,
    /// Everything in it but the manifest and its signature, in its order.
    #[serde(default)]
    pub members: Vec<Member>,
    /// The last seal of the trail when it was made: the trail in it has at least this one.
    #[serde(default)]
    pub last_seal: Option<Witness>,
    /// The key that signed it.
    #[serde(default)]
    pub key: Option<String>,
}

/// How a manifest names the kind of a database.
#[must_use]
pub fn kind(backend: &Backend) -> &'static str {
    match backend {
        Backend::Sqlite(_) => "sqlite",
        Backend::Postgres(_) => "postgres",
    }
}

/// What is signed: never mistaken for a seal, which the same key signs.
fn signed(manifest: &[u8]) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    let mut digest = Sha256::new();
    digest.update(b"qianfa: manifest of an archive\n");
    digest.update(manifest);
    digest.finalize().into()
}
