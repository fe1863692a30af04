//! The end of an archive: the SHA-256 of all bytes before it. Without it a few bits of the compression's own headers
//! could change unseen.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use sha2::{Digest, Sha256};

/// A frame that readers of zstd skip, the length of its content, and whose it is.
const BEGINNING: [u8; 16] = *b"\x5A\x2A\x4D\x18\x28\0\0\0QIANFA\x02\n";
const LENGTH: u64 = 48;

/// Writes on, and remembers what was written.
pub(super) struct Hashing<W> {
    inner: W,
    digest: Sha256,
}

impl<W: Write> Hashing<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, digest: Sha256::new() }
    }

    /// Ends the archive.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.inner.write_all(&BEGINNING)?;
        self.inner.write_all(&self.digest.finalize())?;
        Ok(self.inner)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.digest.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// What the end of a file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TrailerEnd {
    /// All bytes before it are those that were written.
    Whole,
    /// They are not.
    Changed,
    /// There is none: cut off, or written by a version before.
    Missing,
}

/// Reads the whole file, and leaves it at its beginning.
pub(super) fn end_of(file: &mut File) -> io::Result<TrailerEnd> {
    let length = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let Some(before) = length.checked_sub(LENGTH) else { return Ok(TrailerEnd::Missing) };
    let mut digest = Sha256::new();
    let mut part = file.take(before);
    io::copy(&mut part, &mut digest)?;
    let mut end = Vec::new();
    part.into_inner().read_to_end(&mut end)?;
    file.rewind()?;
    let Some(hash) = end.strip_prefix(&BEGINNING) else { return Ok(TrailerEnd::Missing) };
    Ok(if *hash == *digest.finalize() { TrailerEnd::Whole } else { TrailerEnd::Changed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_counts_and_a_reader_of_zstd_skips_the_end() {
        let text = b"what was written".repeat(50);
        let mut hashing = Hashing::new(Vec::new());
        hashing.write_all(&zstd::encode_all(text.as_slice(), 3).unwrap()).unwrap();
        let whole = hashing.finish().unwrap();
        assert_eq!(zstd::decode_all(whole.as_slice()).unwrap(), text);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let told = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            end_of(&mut File::open(&path).unwrap()).unwrap()
        };
        assert_eq!(told(&whole), TrailerEnd::Whole);
        for bit in 0..whole.len() * 8 {
            let mut other = whole.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(told(&other), TrailerEnd::Whole, "bit {bit}");
        }
        for length in 0..whole.len() {
            assert_ne!(told(&whole[..length]), TrailerEnd::Whole, "{length} bytes");
        }
        assert_ne!(told(&[&whole[..], b"x"].concat()), TrailerEnd::Whole);
    }
}
