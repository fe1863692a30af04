//! Writing an archive.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::trailer::Hashing;
use super::{DATABASE, FILES, KEYS, MANIFEST, Manifest, Member, SIGNATURE, signed};
use crate::record::{SealKey, WITNESS};

/// What goes into an archive.
pub struct ArchiveSource<'a> {
    /// The copy of the database.
    pub copy: &'a Path,
    /// The folder of files by content.
    pub files: &'a Path,
    /// The folder of keys.
    pub keys: &'a Path,
}

/// Writes the archive to `to`, for `recipients` alone where there are any. The answer is the manifest with its members.
///
/// # Errors
/// The file system's.
pub fn write(
    to: File,
    source: &ArchiveSource<'_>,
    manifest: Manifest,
    key: &SealKey,
    recipients: &[age::x25519::Recipient],
) -> io::Result<Manifest> {
    if recipients.is_empty() {
        let (file, manifest) = packed(to, source, manifest, key)?;
        file.sync_all()?;
        return Ok(manifest);
    }
    let encryptor = age::Encryptor::with_recipients(recipients.iter().map(|one| one as &dyn age::Recipient))
        .map_err(io::Error::other)?;
    let (stream, manifest) = packed(encryptor.wrap_output(to)?, source, manifest, key)?;
    stream.finish()?.sync_all()?;
    Ok(manifest)
}

fn packed<W: Write>(
    to: W,
    source: &ArchiveSource<'_>,
    mut manifest: Manifest,
    key: &SealKey,
) -> io::Result<(W, Manifest)> {
    let mut encoder = zstd::Encoder::new(Hashing::new(to), 3)?;
    encoder.include_checksum(true)?;
    let mut archive = Archive { tar: tar::Builder::new(encoder), members: Vec::new() };
    archive.add(source.copy, DATABASE)?;
    archive.add_folder(source.files, FILES)?;
    archive.add_folder(source.keys, KEYS)?;
    manifest.members = archive.members;
    manifest.key = Some(key.id().to_owned());
    let text = serde_json::to_vec_pretty(&manifest)?;
    append(&mut archive.tar, MANIFEST, text.len() as u64, text.as_slice())?;
    let signature = key.sign(&signed(&text));
    append(&mut archive.tar, SIGNATURE, signature.len() as u64, signature.as_bytes())?;
    Ok((archive.tar.into_inner()?.finish()?.finish()?, manifest))
}

struct Archive<W: Write> {
    tar: tar::Builder<W>,
    members: Vec<Member>,
}

/// A file for its owner alone, whatever it was like where it came from.
fn append<W: Write>(tar: &mut tar::Builder<W>, name: &str, bytes: u64, content: impl Read) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(0o600);
    tar.append_data(&mut header, name, content)
}

/// Reads on, and remembers what was read.
struct Noting<R> {
    inner: R,
    digest: Sha256,
    bytes: u64,
}

impl<R: Read> Read for Noting<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.digest.update(into.get(..count).unwrap_or_default());
        self.bytes += count as u64;
        Ok(count)
    }
}

impl<W: Write> Archive<W> {
    fn add(&mut self, path: &Path, name: &str) -> io::Result<()> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let mut noting = Noting { inner: file.take(bytes), digest: Sha256::new(), bytes: 0 };
        append(&mut self.tar, name, bytes, &mut noting)?;
        if noting.bytes != bytes {
            return Err(io::Error::other(format!("{} became shorter while it was read", path.display())));
        }
        let sha256 = hex::encode(noting.digest.finalize());
        self.members.push(Member { name: name.to_owned(), bytes, sha256 });
        Ok(())
    }

    /// Adds the files under `folder`, less what is still being written.
    fn add_folder(&mut self, folder: &Path, name: &str) -> io::Result<()> {
        let listed = match std::fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            listed => listed?,
        };
        for entry in listed {
            let entry = entry?;
            let own = entry.file_name();
            let own = own.to_str().ok_or_else(|| io::Error::other(format!("{}: not UTF-8", entry.path().display())))?;
            let inner = format!("{name}/{own}");
            if entry.file_type()?.is_dir() {
                if own != "incoming" {
                    self.add_folder(&entry.path(), &inner)?;
                }
            } else if own != WITNESS && !own.starts_with('.') {
                // The witness may have been made after the database was copied; the manifest has its own.
                self.add(&entry.path(), &inner)?;
            }
        }
        Ok(())
    }
}
