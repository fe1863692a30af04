//! The adapters at hand: which one a file belongs to, and its reading.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::adapter::{Adapter, AdapterError, Explained};
use crate::containers::Heads;
use crate::embedded;
use crate::fs::{self, FolderError};
use crate::model::{Options, Parsed};
use crate::selftest::{self, TestReport};
use crate::spec::AdapterStatus;

/// One line of [`AdapterSet::list`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Name for `--adapter`.
    pub id: String,
    /// Version of the declaration.
    pub version: String,
    /// Draft or validated.
    pub status: AdapterStatus,
    /// Instrument or software.
    pub product: String,
}

/// An adapter that takes a file for its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// Its id.
    pub adapter: String,
    /// Why.
    pub reason: String,
}

/// What the adapters say of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Detection {
    /// Those that recognise it, the highest priority only.
    pub candidates: Vec<Candidate>,
    /// Those that do not, with the first rule that does not hold.
    pub refused: Vec<Candidate>,
    /// More than one recognises it: somebody has to name the adapter.
    pub ambiguous: bool,
}

/// No adapter read the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRecognised {
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// No rule of detection fits.
    #[error("no adapter recognises the file{}", list(.0))]
    Nobody(Vec<Candidate>),
    /// More than one recognises it.
    #[error("several adapters recognise the file, name one of them:{}", list(.0))]
    Several(Vec<Candidate>),
    /// The named adapter does not exist.
    #[error("there is no adapter \"{0}\"")]
    NoSuchAdapter(String),
    /// The named adapter refuses the file.
    #[error("adapter {0} does not recognise the file: {1}")]
    Refused(String, String),
}

fn list(candidates: &[Candidate]) -> String {
    candidates.iter().map(|c| format!("\n  {}: {}", c.adapter, c.reason)).collect()
}

/// A folder of a laboratory's own, and what became of its adapters.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Folder of the adapter.
    pub folder: PathBuf,
    /// Id where it was loaded, reason where it was refused.
    pub outcome: Result<String, String>,
}

/// The adapters at hand, by id.
#[derive(Debug, Clone)]
pub struct AdapterSet {
    adapters: BTreeMap<String, Adapter>,
    loaded: Vec<Loaded>,
}

impl AdapterSet {
    /// The adapters that come with the crate.
    ///
    /// # Errors
    /// [`AdapterError`] where a declaration cannot be read; the crate's own tests rule it out.
    pub fn try_embedded() -> Result<Self, AdapterError> {
        let mut adapters = BTreeMap::new();
        for text in embedded::declarations() {
            let adapter = Adapter::from_toml(text)?;
            adapters.insert(adapter.id().to_owned(), adapter);
        }
        Ok(Self { adapters, loaded: Vec::new() })
    }

    /// The adapters that come with the crate; one that could not be read is left out.
    pub fn embedded() -> Self {
        let adapters = embedded::declarations()
            .filter_map(|text| Adapter::from_toml(text).ok())
            .map(|a| (a.id().to_owned(), a))
            .collect();
        Self { adapters, loaded: Vec::new() }
    }

    /// The embedded adapters with those of a laboratory's folder on top.
    ///
    /// Each folder in `dir` that holds an `adapter.toml` is one adapter. Only one whose own samples
    /// and rejects all pass is loaded; it takes the place of an embedded one of the same id.
    /// [`AdapterSet::loaded`] says what became of each.
    ///
    /// # Errors
    /// [`FolderError`] where the folder itself cannot be listed.
    pub fn with_folder(dir: &Path) -> Result<Self, FolderError> {
        let mut set = Self::embedded();
        for folder in fs::adapter_folders(dir)? {
            let outcome = load(&folder);
            set.loaded.push(Loaded {
                folder,
                outcome: match &outcome {
                    Ok(adapter) => Ok(adapter.id().to_owned()),
                    Err(why) => Err(why.clone()),
                },
            });
            if let Ok(adapter) = outcome {
                set.adapters.insert(adapter.id().to_owned(), adapter);
            }
        }
        Ok(set)
    }

    /// What became of the adapters of a laboratory's folder.
    pub fn loaded(&self) -> &[Loaded] {
        &self.loaded
    }

    /// Id, version, status and product of every adapter, by id.
    pub fn list(&self) -> Vec<Summary> {
        self.adapters
            .values()
            .map(|a| Summary {
                id: a.id().to_owned(),
                version: a.version().to_owned(),
                status: a.status(),
                product: a.product().to_owned(),
            })
            .collect()
    }

    /// The adapter of that id.
    pub fn get(&self, id: &str) -> Option<&Adapter> {
        self.adapters.get(id)
    }

    /// All adapters, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Adapter> {
        self.adapters.values()
    }

    /// Asks every adapter whether the file is its own. `name` is the file's name without folder.
    pub fn detect(&self, name: &str, bytes: &[u8]) -> Detection {
        let mut found = Vec::new();
        let mut refused = Vec::new();
        let mut heads = Heads::of(bytes);
        for adapter in self.adapters.values() {
            let candidate = |reason| Candidate { adapter: adapter.id().to_owned(), reason };
            match adapter.recognises_by(name, &mut heads) {
                Ok(reason) => found.push((adapter.priority(), candidate(reason))),
                Err(reason) => refused.push(candidate(reason)),
            }
        }
        let best = found.iter().map(|(p, _)| *p).max();
        let candidates: Vec<_> = found.into_iter().filter(|(p, _)| Some(*p) == best).map(|(_, c)| c).collect();
        Detection { ambiguous: candidates.len() > 1, candidates, refused }
    }

    /// The adapter that is to read the file: the named one if it agrees, else the only candidate.
    ///
    /// # Errors
    /// [`NotRecognised`] with each adapter's reason.
    pub fn choose(&self, name: &str, bytes: &[u8], adapter: Option<&str>) -> Result<&Adapter, NotRecognised> {
        if bytes.is_empty() {
            return Err(NotRecognised::Empty);
        }
        if let Some(id) = adapter {
            let adapter = self.get(id).ok_or_else(|| NotRecognised::NoSuchAdapter(id.to_owned()))?;
            return match adapter.recognises(name, bytes) {
                Ok(_) => Ok(adapter),
                Err(why) => Err(NotRecognised::Refused(id.to_owned(), why)),
            };
        }
        let detection = self.detect(name, bytes);
        match detection.candidates.as_slice() {
            [] => Err(NotRecognised::Nobody(detection.refused)),
            [one] => self.get(&one.adapter).ok_or_else(|| NotRecognised::NoSuchAdapter(one.adapter.clone())),
            _ => Err(NotRecognised::Several(detection.candidates)),
        }
    }

    /// Reads a file. `name` is its name without folder; `adapter` names the adapter where known.
    ///
    /// # Errors
    /// [`NotRecognised`] where no adapter takes the file for its own. A file that is recognised and
    /// then turns out to be cut or wrong is no error: its problems stand in the result.
    pub fn parse(
        &self,
        name: &str,
        bytes: &[u8],
        adapter: Option<&str>,
        options: &Options,
    ) -> Result<Parsed, NotRecognised> {
        Ok(self.choose(name, bytes, adapter)?.read(name, bytes, options))
    }

    /// Reads a file and says what each line became.
    ///
    /// # Errors
    /// As [`AdapterSet::parse`].
    pub fn explain(
        &self,
        name: &str,
        bytes: &[u8],
        adapter: Option<&str>,
        options: &Options,
    ) -> Result<Explained, NotRecognised> {
        Ok(self.choose(name, bytes, adapter)?.explain(name, bytes, options))
    }

    /// Runs the samples and rejects: those of the crate, or of the adapters in a folder.
    ///
    /// # Errors
    /// [`FolderError`] where a folder cannot be read.
    pub fn self_test(&self, dir: Option<&Path>) -> Result<Vec<TestReport>, FolderError> {
        match dir {
            None => {
                Ok(embedded::ADAPTERS.iter().map(|files| selftest::run(files.declaration, &files.cases())).collect())
            }
            Some(dir) => fs::adapter_folders(dir)?
                .iter()
                .map(|folder| {
                    let (declaration, cases) = fs::read_adapter(folder)?;
                    Ok(selftest::run(&declaration, &cases))
                })
                .collect(),
        }
    }
}

fn load(folder: &Path) -> Result<Adapter, String> {
    let (declaration, cases) = fs::read_adapter(folder).map_err(|e| e.to_string())?;
    let report = selftest::run(&declaration, &cases);
    if !report.passed() {
        return Err(report.failures().join("; "));
    }
    Adapter::from_toml(&declaration).map_err(|e| e.to_string())
}
