//! The set of adapters: which one a file belongs to, and its reading.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::adapter::{Adapter, AdapterError, Explained, Origin};
use crate::containers::Heads;
use crate::embedded;
use crate::folder::Folder;
use crate::fs::{self, FolderError};
use crate::isolated::WorkerFailure;
use crate::model::{Options, Parsed};
use crate::selftest::{self, TestReport};
use crate::spec::AdapterStatus;

/// One line of [`AdapterSet::list`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Name for `--adapter`.
    pub id: String,
    /// Version of the declaration.
    pub version: String,
    /// Draft or validated.
    pub status: AdapterStatus,
    /// Instrument or software.
    pub product: String,
    /// Who validated it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validated_by: Option<String>,
    /// When, as `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validated_on: Option<String>,
    /// Against what, in the words of whoever validated it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validated_against: Option<String>,
    /// Why it is a draft, where it says of itself that it is validated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft_because: Option<String>,
}

impl Summary {
    fn of(adapter: &Adapter) -> Self {
        let standing = adapter.standing();
        let record = standing.validation.as_ref();
        Self {
            id: adapter.id().to_owned(),
            version: adapter.version().to_owned(),
            status: standing.status,
            product: adapter.product().to_owned(),
            validated_by: record.map(|r| r.by.clone()),
            validated_on: record.map(|r| r.on.clone()),
            validated_against: record.and_then(|r| r.against.clone()),
            draft_because: standing.reason.clone(),
        }
    }
}

/// An adapter that takes a file for its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its id.
    pub adapter: String,
    /// Why.
    pub reason: String,
}

/// What the adapters say of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detection {
    /// Those that recognise it, the highest priority only.
    pub candidates: Vec<Candidate>,
    /// Those that do not, with the first rule that does not hold.
    pub refused: Vec<Candidate>,
    /// More than one recognises it: somebody has to name the adapter.
    pub ambiguous: bool,
}

/// No adapter read the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
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
    /// The reading did not come to its end; only where a file is read in a process of its own.
    #[error("{0}")]
    Failed(WorkerFailure),
}

fn list(candidates: &[Candidate]) -> String {
    candidates.iter().map(|c| format!("\n  {}: {}", c.adapter, c.reason)).collect()
}

/// A folder of a laboratory's own, and what became of its adapters.
#[derive(Debug, Clone)]
pub struct LoadedFolder {
    /// Folder of the adapter.
    pub folder: PathBuf,
    /// Id where it was loaded, reason where it was refused.
    pub outcome: Result<String, String>,
    /// Id and version of an earlier state that stays in use while this one is refused.
    pub keeps: Option<String>,
}

/// The adapters that files are read with, by id.
#[derive(Debug, Clone)]
pub struct AdapterSet {
    adapters: BTreeMap<String, Adapter>,
    loaded: Vec<LoadedFolder>,
    /// Declarations of those that are not embedded.
    own: BTreeMap<String, String>,
    withdrawn: BTreeSet<String>,
}

impl AdapterSet {
    /// The adapters that come with the crate.
    ///
    /// # Errors
    /// [`AdapterError`] where a declaration cannot be read; the crate's own tests rule it out.
    pub fn try_embedded() -> Result<Self, AdapterError> {
        let mut adapters = BTreeMap::new();
        for text in embedded::declarations() {
            let mut adapter = Adapter::from_toml(text)?;
            adapter.origin = Origin::Embedded;
            adapters.insert(adapter.id().to_owned(), adapter);
        }
        Ok(Self::of(adapters))
    }

    /// The adapters that come with the crate; one that could not be read is left out.
    pub fn embedded() -> Self {
        let adapters = embedded::declarations()
            .filter_map(|text| Adapter::from_tested(text, Origin::Embedded).ok())
            .map(|a| (a.id().to_owned(), a))
            .collect();
        Self::of(adapters)
    }

    fn of(adapters: BTreeMap<String, Adapter>) -> Self {
        Self { adapters, loaded: Vec::new(), own: BTreeMap::new(), withdrawn: BTreeSet::new() }
    }

    /// The embedded adapters with others on top that have passed their tests, and without those withdrawn.
    pub(crate) fn of_tested(own: &[String], withdrawn: &[String]) -> Result<Self, AdapterError> {
        let mut set = Self::embedded();
        for text in own {
            set.put(Adapter::from_tested(text, Origin::Text)?, Some(text.clone()));
        }
        withdrawn.iter().for_each(|id| set.withdraw(id));
        Ok(set)
    }

    /// What tells this set from the embedded one: declarations on top, and ids of those withdrawn.
    pub(crate) fn departures(&self) -> (Vec<String>, Vec<String>) {
        (self.own.values().cloned().collect(), self.withdrawn.iter().cloned().collect())
    }

    /// Puts an adapter in, in the place of one of the same id; with its text where it is not embedded.
    pub(crate) fn put(&mut self, adapter: Adapter, declaration: Option<String>) {
        if let Some(text) = declaration {
            self.own.insert(adapter.id().to_owned(), text);
        }
        self.withdrawn.remove(adapter.id());
        self.adapters.insert(adapter.id().to_owned(), adapter);
    }

    /// Takes an embedded adapter out, unless one of the laboratory replaces it.
    pub(crate) fn withdraw(&mut self, id: &str) {
        if !self.own.contains_key(id) {
            self.adapters.remove(id);
            self.withdrawn.insert(id.to_owned());
        }
    }

    pub(crate) fn told(&mut self, loaded: Vec<LoadedFolder>) {
        self.loaded = loaded;
    }

    /// The embedded adapters with those of a laboratory's folder on top.
    ///
    /// Each folder in `dir` that holds an `adapter.toml` is one adapter. Only one whose own samples
    /// and rejects all pass is loaded; it takes the place of an embedded one of the same id. A folder without
    /// one that is named like an embedded adapter adds samples, rejects and a `validation.toml` to it.
    /// [`AdapterSet::loaded`] says what became of each. The samples are read in the calling process; a
    /// [`Folder`] has them read elsewhere, and follows changes.
    ///
    /// # Errors
    /// [`FolderError`] where the folder itself cannot be listed.
    pub fn with_folder(dir: &Path) -> Result<Self, FolderError> {
        let mut folder = Folder::new(dir);
        folder.refresh(&selftest::run)?;
        Ok(folder.set())
    }

    /// What became of the adapters of a laboratory's folder.
    pub fn loaded(&self) -> &[LoadedFolder] {
        &self.loaded
    }

    /// Id, version, status and product of every adapter, by id.
    pub fn list(&self) -> Vec<Summary> {
        self.adapters.values().map(Summary::of).collect()
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
            return adapter.takes(name, bytes);
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
    /// then turns out to be cut or wrong is not an error: its problems are in the result.
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
                    let found = fs::read_adapter(folder)?;
                    Ok(selftest::run(&found.declaration, &found.cases))
                })
                .collect(),
        }
    }
}
