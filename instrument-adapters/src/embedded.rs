//! The adapters and samples that come with the crate, compiled in.

use crate::selftest::TestedFile;
use crate::spec::AdapterStatus;
use crate::validation::{self, AdapterStanding, Validation};

/// A file under an adapter's folder.
#[derive(Debug, Clone, Copy)]
pub struct SampleFile {
    /// File name without folder.
    pub name: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
}

/// An embedded adapter with its proofs.
#[derive(Debug, Clone, Copy)]
pub struct AdapterFiles {
    /// Folder name, which is the adapter's id.
    pub id: &'static str,
    /// `adapter.toml`.
    pub declaration: &'static str,
    /// `validation.toml`, where there is one.
    pub validation: Option<&'static str>,
    /// `samples/`.
    pub samples: &'static [SampleFile],
    /// `expected/`, named as the samples are.
    pub expected: &'static [SampleFile],
    /// `rejects/`.
    pub rejects: &'static [SampleFile],
}

impl AdapterFiles {
    pub(crate) fn standing(&self, claims: AdapterStatus, reader: &str) -> AdapterStanding {
        let record = self.validation.map(Validation::from_toml).transpose();
        validation::standing(claims, record, || validation::digest(self.declaration, &self.cases(), reader))
    }

    /// Its samples and rejects.
    pub fn cases(&self) -> Vec<TestedFile> {
        let case = |file: &SampleFile, reject: bool| TestedFile {
            name: file.name.to_owned(),
            bytes: file.bytes.to_vec(),
            expected: self
                .expected
                .iter()
                .find(|e| !reject && e.name == file.name)
                .map(|e| String::from_utf8_lossy(e.bytes).into_owned()),
            reject,
        };
        let samples = self.samples.iter().map(|f| case(f, false));
        let rejects = self.rejects.iter().map(|f| case(f, true));
        samples.chain(rejects).collect()
    }
}

pub(crate) fn declarations() -> impl Iterator<Item = &'static str> {
    ADAPTERS.iter().map(|a| a.declaration)
}

/// The bytes of an embedded sample, such as the demonstration's instrument files.
///
/// ```
/// let bytes = instrument_adapters::embedded::sample("sartorius-sbi", "SH20260002_LOD.txt");
/// assert!(bytes.is_some());
/// ```
pub fn sample(adapter: &str, name: &str) -> Option<&'static [u8]> {
    let adapter = ADAPTERS.iter().find(|a| a.id == adapter)?;
    let file = adapter.samples.iter().find(|f| f.name == name)?;
    Some(file.bytes)
}

/// Every embedded adapter, by id: the build lists the folders.
pub const ADAPTERS: &[AdapterFiles] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
