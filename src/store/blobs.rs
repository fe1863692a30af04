//! Files by content: a file's name is the SHA-256 of its bytes, so it cannot change unseen and is stored once.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Why a file was not stored or not found.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// Not 64 small hex digits.
    #[error("{0:?} is not a SHA-256 in hex")]
    Name(String),
    /// No such content.
    #[error("there is no file with SHA-256 {0}")]
    Missing(String),
    /// The bytes on disk are not the ones that were stored.
    #[error("the file {0} on disk does not have that SHA-256 any more")]
    Changed(String),
    /// The file system.
    #[error("file store: {0}")]
    Io(#[from] std::io::Error),
}

impl From<BlobError> for super::Failure {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Name(ref name) | BlobError::Missing(ref name) => {
                crate::refusal::Refusal::not_found("文件", "file", name).into()
            }
            BlobError::Io(error) => super::StoreError::of_io(&error).into(),
            changed @ BlobError::Changed(_) => super::StoreError::Damaged(changed.to_string()).into(),
        }
    }
}

/// A folder of files by content. Clone it freely.
#[derive(Clone, Debug)]
pub struct Blobs {
    folder: PathBuf,
}

/// SHA-256 as it names a file: 64 small hex digits.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

impl Blobs {
    /// Opens the store in `folder`, made where it is not there. What an interrupted write left behind is removed.
    ///
    /// # Errors
    /// The file system's.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, BlobError> {
        let folder = folder.into();
        let incoming = folder.join("incoming");
        std::fs::create_dir_all(&incoming)?;
        for entry in std::fs::read_dir(&incoming)?.flatten() {
            // Another process may write right now: only what has been lying for long is rubbish.
            let age = entry.metadata().and_then(|m| m.modified()).ok().and_then(|at| at.elapsed().ok());
            if age.is_some_and(|age| age.as_secs() > 3600) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
        Ok(Self { folder })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Stores `bytes` durably and tells their SHA-256. A crash leaves the whole file or none.
    ///
    /// # Errors
    /// The file system's.
    pub fn put(&self, bytes: &[u8]) -> Result<String, BlobError> {
        let sha256 = sha256_hex(bytes);
        let target = self.path(&sha256)?;
        if target.exists() {
            // Never replaced; a damaged copy is an incident that `get` reports, not something to paint over.
            return Ok(sha256);
        }
        let incoming = self.folder.join("incoming").join(uuid::Uuid::new_v4().to_string());
        let written = File::create_new(&incoming).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        if let Err(error) = written {
            let _ = std::fs::remove_file(&incoming);
            return Err(error.into());
        }
        let shelf = self.folder.join(&sha256[..2]);
        std::fs::create_dir_all(&shelf)?;
        std::fs::rename(&incoming, &target)?;
        // The new name, and the shelf's own name, last only when their folders are on disk.
        File::open(&shelf)?.sync_all()?;
        File::open(&self.folder)?.sync_all()?;
        Ok(sha256)
    }

    /// Whether there is room for a file; nothing is kept.
    ///
    /// # Errors
    /// The file system's.
    pub fn probe(&self) -> Result<(), BlobError> {
        let path = self.folder.join("incoming").join(format!("probe-{}", uuid::Uuid::new_v4()));
        let written = File::create_new(&path).and_then(|mut file| file.write_all(&[0; 1 << 20]));
        // What could not be made need not be removed.
        let _ = std::fs::remove_file(&path);
        Ok(written?)
    }

    /// Reads a file and checks that it is still what was stored.
    ///
    /// # Errors
    /// [`BlobError`].
    pub fn get(&self, sha256: &str) -> Result<Vec<u8>, BlobError> {
        let path = self.path(sha256)?;
        let mut bytes = Vec::new();
        match File::open(&path) {
            Ok(mut file) => file.read_to_end(&mut bytes)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(BlobError::Missing(sha256.to_owned()));
            }
            Err(error) => return Err(error.into()),
        };
        if sha256_hex(&bytes) != sha256 {
            return Err(BlobError::Changed(sha256.to_owned()));
        }
        Ok(bytes)
    }

    /// Whether there is a file of that name.
    #[must_use]
    pub fn has(&self, sha256: &str) -> bool {
        self.path(sha256).is_ok_and(|path| path.exists())
    }

    fn path(&self, sha256: &str) -> Result<PathBuf, BlobError> {
        let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        if sha256.len() != 64 || !sha256.bytes().all(hex) {
            return Err(BlobError::Name(sha256.chars().take(80).collect()));
        }
        Ok(self.folder.join(&sha256[..2]).join(sha256))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_content_is_one_file_and_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let name = blobs.put(b"abc").unwrap();
        assert_eq!(name, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(blobs.put(b"abc").unwrap(), name);
        assert_eq!(blobs.get(&name).unwrap(), b"abc");
        assert_eq!(std::fs::read_dir(dir.path().join("incoming")).unwrap().count(), 0);
    }

    #[test]
    fn names_that_are_no_hashes_reach_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        for name in ["", "../../etc/passwd", &"A".repeat(64), &"0".repeat(63), &"é".repeat(32)] {
            assert!(matches!(blobs.get(name), Err(BlobError::Name(_))), "{name}");
        }
        assert!(matches!(blobs.get(&"0".repeat(64)), Err(BlobError::Missing(_))));
    }

    #[test]
    fn a_changed_file_is_not_handed_out() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let name = blobs.put(b"as stored").unwrap();
        std::fs::write(dir.path().join(&name[..2]).join(&name), b"as forged").unwrap();
        assert!(matches!(blobs.get(&name), Err(BlobError::Changed(_))));
    }
}
