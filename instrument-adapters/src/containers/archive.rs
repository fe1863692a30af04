//! Zip archives under limits. What the directory declares is checked before anything is inflated, and
//! what is inflated is counted as it comes out: a header is a claim, not a fact.

use std::io::{self, Cursor, Read};

use zip::ZipArchive;
use zip::read::ZipFile;

use crate::spec::Limits;

/// An entry smaller than this can do no harm, however well it was packed.
const SMALL: u64 = 1 << 20;

/// The record at the end of an archive that says where its directory is.
const END: [u8; 4] = *b"PK\x05\x06";
const END_LENGTH: usize = 22;

/// A zip archive in memory.
pub(crate) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    ratio: u64,
    left: u64,
}

impl<'a> Archive<'a> {
    /// Reads the directory; gives the reason where the archive is cut, or asks for too much.
    pub fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, String> {
        if !bytes.starts_with(b"PK\x03\x04") {
            return Err("it is no zip archive".into());
        }
        let declared = declared_entries(bytes).ok_or("the archive is cut: its directory is missing")?;
        let (most, limit) = (limits.entries, limits.inflated_bytes as u64);
        if declared > most {
            return Err(format!("{declared} entries in the archive, the limit is {most}"));
        }
        let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|e| format!("the archive is broken: {e}"))?;
        if zip.offset() != 0 || zip.len() != declared || zip.has_duplicate_names() {
            return Err("the archive's directory does not fit the file".into());
        }
        let (mut inflated, ratio) = (0u64, limits.ratio as u64);
        for index in 0..zip.len() {
            let entry = zip.by_index_raw(index).map_err(|e| format!("the archive is broken: {e}"))?;
            inflated = inflated.saturating_add(entry.size());
            if entry.size() > SMALL && entry.size() > entry.compressed_size().saturating_mul(ratio) {
                return Err(format!("{} is packed more than {ratio} times", entry.name().unwrap_or_default()));
            }
        }
        if inflated > limit || (inflated > SMALL && inflated > (bytes.len() as u64).saturating_mul(ratio)) {
            return Err(format!("{inflated} bytes when inflated, the limits are {limit} and {ratio} times the file"));
        }
        Ok(Self { zip, ratio, left: limit })
    }

    /// Names of the entries, as written.
    pub fn names(&self) -> Vec<String> {
        self.zip.file_names().filter_map(Result::ok).map(|n| n.into_owned()).collect()
    }

    /// True where there is an entry of that name.
    pub fn holds(&self, name: &str) -> bool {
        self.zip.index_for_name(name).is_some()
    }

    /// The inflated bytes of an entry as they come; an error from it is a limit, a wrong checksum or a cut.
    pub fn part(&mut self, name: &str) -> Result<ArchivePart<'_, 'a>, String> {
        let (ratio, left) = (self.ratio, &mut self.left);
        let file = self.zip.by_name(name).map_err(|e| format!("{name}: {e}"))?;
        let most = file.compressed_size().saturating_mul(ratio).max(SMALL);
        Ok(ArchivePart { file, most, left })
    }
}

/// An entry on its way out of the archive.
pub(crate) struct ArchivePart<'z, 'a> {
    file: ZipFile<'z, Cursor<&'a [u8]>>,
    most: u64,
    left: &'z mut u64,
}

impl Read for ArchivePart<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        let size = count as u64;
        if size > self.most || size > *self.left {
            return Err(io::Error::other("more bytes come out of it than the adapter's limits allow"));
        }
        self.most -= size;
        *self.left -= size;
        Ok(count)
    }
}

/// The number of entries in the record that ends the archive, where the record ends the file.
fn declared_entries(bytes: &[u8]) -> Option<usize> {
    let number = |at: usize| Some(usize::from(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])));
    let last = bytes.len().checked_sub(END_LENGTH)?;
    let first = last.saturating_sub(usize::from(u16::MAX));
    (first..=last)
        .rev()
        .find(|at| {
            bytes.get(*at..at + 4) == Some(&END[..])
                && number(at + 20).is_some_and(|n| at + END_LENGTH + n == bytes.len())
        })
        .and_then(|at| number(at + 10))
}
