//! One handle on the adapters, whether files are read here or in processes of their own.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use super::{Pool, WorkerFailure};
use crate::adapter::{Adapter, Explained};
use crate::folder::Folder;
use crate::fs::{self, FolderError, ReadError};
use crate::model::{Options, Parsed};
use crate::selftest::{self, TestReport, TestedFile};
use crate::set::{AdapterSet, Detection, LoadedFolder, NotRecognised};

/// The adapters in use and the place where files are read with them; the adapters can be replaced while it is used.
#[derive(Debug)]
pub struct Adapters {
    place: Place,
    folder: Option<Mutex<Folder>>,
}

/// A file with what is read beside it.
struct Opened {
    name: String,
    bytes: Vec<u8>,
    reads: Option<String>,
    options: Options,
}

#[derive(Debug)]
enum Place {
    Here(RwLock<Arc<AdapterSet>>),
    Apart(Pool),
}

impl Adapters {
    /// Files are read in the calling process: a panic is the caller's, and only the limits of the adapters hold.
    /// For tests and tools; a server reads [apart](Adapters::apart).
    pub fn in_process(set: AdapterSet) -> Self {
        Self { place: Place::Here(RwLock::new(Arc::new(set))), folder: None }
    }

    /// Files are read by the workers of a pool.
    pub fn apart(pool: Pool) -> Self {
        Self { place: Place::Apart(pool), folder: None }
    }

    /// Puts the adapters of a laboratory's folder on top of those that ship. Their samples are read where files are.
    ///
    /// # Errors
    /// [`FolderError`] where the folder cannot be listed.
    pub fn with_folder(mut self, dir: &Path) -> Result<Self, FolderError> {
        self.folder = Some(Mutex::new(Folder::new(dir)));
        self.refresh()?;
        Ok(self)
    }

    /// The laboratory's folder, where there is one.
    pub fn folder(&self) -> Option<PathBuf> {
        self.held().map(|folder| folder.path().to_owned())
    }

    /// What distinguishes one state of the laboratory's folder from another; empty without such a folder.
    ///
    /// # Errors
    /// [`FolderError`] where it cannot be listed.
    pub fn fingerprint(&self) -> Result<String, FolderError> {
        self.held().map_or(Ok(String::new()), |folder| folder.fingerprint())
    }

    /// Looks at the laboratory's folder again: what changed is tested, and used where it passes. Gives what became of
    /// the entries that changed.
    ///
    /// # Errors
    /// [`FolderError`] where it cannot be listed; then everything stays as it was.
    pub fn refresh(&self) -> Result<Vec<LoadedFolder>, FolderError> {
        let Some(mut folder) = self.held() else { return Ok(Vec::new()) };
        let changed = folder.refresh(&|declaration: &str, cases: &[TestedFile]| self.test(declaration, cases))?;
        if !changed.is_empty() {
            self.replace(folder.set());
        }
        Ok(changed)
    }

    fn held(&self) -> Option<MutexGuard<'_, Folder>> {
        Some(self.folder.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The pool, where there is one.
    pub fn pool(&self) -> Option<&Pool> {
        match &self.place {
            Place::Here(_) => None,
            Place::Apart(pool) => Some(pool),
        }
    }

    /// The adapters as they are now.
    pub fn set(&self) -> Arc<AdapterSet> {
        match &self.place {
            Place::Here(set) => Arc::clone(&set.read().unwrap_or_else(PoisonError::into_inner)),
            Place::Apart(pool) => pool.adapters(),
        }
    }

    /// Reads with other adapters from now on.
    pub fn replace(&self, set: AdapterSet) {
        match &self.place {
            Place::Here(held) => *held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(set),
            Place::Apart(pool) => pool.replace(set),
        }
    }

    /// As [`AdapterSet::parse`].
    ///
    /// # Errors
    /// As [`Pool::parse`].
    pub fn parse(
        &self,
        name: &str,
        bytes: &[u8],
        adapter: Option<&str>,
        options: &Options,
    ) -> Result<Parsed, NotRecognised> {
        match &self.place {
            Place::Here(_) => self.set().parse(name, bytes, adapter, options),
            Place::Apart(pool) => pool.parse(name, bytes, adapter, options),
        }
    }

    /// As [`AdapterSet::explain`].
    ///
    /// # Errors
    /// As [`Pool::parse`].
    pub fn explain(
        &self,
        name: &str,
        bytes: &[u8],
        adapter: Option<&str>,
        options: &Options,
    ) -> Result<Explained, NotRecognised> {
        match &self.place {
            Place::Here(_) => self.set().explain(name, bytes, adapter, options),
            Place::Apart(pool) => pool.explain(name, bytes, adapter, options),
        }
    }

    /// Reads a file with an adapter that is not loaded, as [`Pool::parse_with`].
    ///
    /// # Errors
    /// As [`Pool::parse_with`].
    pub fn parse_with(
        &self,
        declaration: &str,
        name: &str,
        bytes: &[u8],
        options: &Options,
    ) -> Result<Parsed, NotRecognised> {
        match &self.place {
            Place::Here(_) => {
                let adapter = Adapter::from_toml(declaration);
                let adapter = adapter.map_err(|why| NotRecognised::Refused("?".into(), why.to_string()))?;
                Ok(adapter.takes(name, bytes)?.read(name, bytes, options))
            }
            Place::Apart(pool) => pool.parse_with(declaration, name, bytes, options),
        }
    }

    /// Reads a file with its companions, as [`fs::parse_file`].
    ///
    /// # Errors
    /// [`ReadError`] where the file cannot be read or no adapter recognises it.
    pub fn parse_file(&self, path: &Path, adapter: Option<&str>, options: &Options) -> Result<Parsed, ReadError> {
        let file = self.open(path, adapter, options)?;
        Ok(self.parse(&file.name, &file.bytes, file.reads.as_deref(), &file.options)?)
    }

    /// Reads a file with its companions, as [`fs::explain_file`].
    ///
    /// # Errors
    /// As [`Adapters::parse_file`].
    pub fn explain_file(&self, path: &Path, adapter: Option<&str>, options: &Options) -> Result<Explained, ReadError> {
        let file = self.open(path, adapter, options)?;
        Ok(self.explain(&file.name, &file.bytes, file.reads.as_deref(), &file.options)?)
    }

    fn open(&self, path: &Path, adapter: Option<&str>, options: &Options) -> Result<Opened, ReadError> {
        let name = fs::file_name(path);
        let bytes = fs::read_file(path)?;
        let set = self.set();
        let mut options = options.clone();
        let mut reads = adapter.map(str::to_owned);
        // Whose companions they are is asked where files are read, and only where there are any.
        let wanted: Vec<String> = set.iter().flat_map(|adapter| adapter.companion_names(&name)).collect();
        if !wanted.is_empty() && !fs::beside(&wanted, path)?.is_empty() {
            if reads.is_none()
                && let [one] = self.detect(&name, &bytes).map_err(NotRecognised::Failed)?.candidates.as_slice()
            {
                reads = Some(one.adapter.clone());
            }
            if let Some(adapter) = reads.as_deref().and_then(|id| set.get(id)) {
                options.companions.extend(fs::companions(adapter, path)?);
            }
        }
        Ok(Opened { name, bytes, reads, options })
    }

    /// As [`AdapterSet::detect`].
    ///
    /// # Errors
    /// [`WorkerFailure`] where a worker did not come to an end.
    pub fn detect(&self, name: &str, bytes: &[u8]) -> Result<Detection, WorkerFailure> {
        match &self.place {
            Place::Here(_) => Ok(self.set().detect(name, bytes)),
            Place::Apart(pool) => pool.detect(name, bytes),
        }
    }

    /// Runs the samples and rejects of an adapter that is not loaded.
    pub fn test(&self, declaration: &str, cases: &[TestedFile]) -> TestReport {
        match &self.place {
            Place::Here(_) => selftest::run(declaration, cases),
            Place::Apart(pool) => pool.test(declaration, cases),
        }
    }
}
