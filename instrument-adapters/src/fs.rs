//! The thin part of the crate that opens files: a main file with its declared companions, and
//! folders of adapters. Nothing outside the folder of the main file is ever read.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::adapter::{Adapter, Explained};
use crate::embedded;
use crate::model::{Companion, Options, Parsed};
use crate::selftest::TestedFile;
use crate::set::{AdapterSet, NotRecognised};
use crate::spec::AdapterStatus;
use crate::validation::{self, AdapterStanding, Validation};

/// No file is read further than this, whatever its adapter allows.
const MAX_BYTES: u64 = 256 << 20;

/// A file or folder could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The system's word on it.
    #[error("{path}: {source}")]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is larger than anything that an instrument writes.
    #[error("{path}: larger than {MAX_BYTES} bytes")]
    TooLarge {
        /// Which one.
        path: PathBuf,
    },
}

/// A file could not be read, or is nobody's.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not readable.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Readable, and no adapter's.
    #[error(transparent)]
    NotRecognised(#[from] NotRecognised),
}

/// Name of a file without its folder; what is not Unicode is replaced.
pub fn file_name(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Reads a file up to the outermost limit.
///
/// # Errors
/// [`FolderError`].
pub fn read_file(path: &Path) -> Result<Vec<u8>, FolderError> {
    let io = |source| FolderError::Io { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(io)?;
    let read = file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(io)?;
    if read as u64 > MAX_BYTES {
        return Err(FolderError::TooLarge { path: path.to_owned() });
    }
    Ok(bytes)
}

/// The declared companions found beside `path`.
///
/// # Errors
/// [`FolderError`] where one of them is there and cannot be read.
pub fn companions(adapter: &Adapter, path: &Path) -> Result<Vec<Companion>, FolderError> {
    beside(&adapter.companion_names(&file_name(path)), path)
}

/// The files of these names in the folder of `path`.
pub(crate) fn beside(wanted: &[String], path: &Path) -> Result<Vec<Companion>, FolderError> {
    let mut found = Vec::new();
    if wanted.is_empty() {
        return Ok(found);
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    for (name, entry) in entries(folder)? {
        // A link could lead anywhere.
        let plain = fs::symlink_metadata(&entry).is_ok_and(|m| m.is_file());
        if plain && wanted.iter().any(|w| w.eq_ignore_ascii_case(&name)) {
            let bytes = read_file(&entry)?;
            found.push(Companion { name, bytes });
        }
    }
    Ok(found)
}

/// Reads a file with its companions.
///
/// # Errors
/// [`ReadError`] where the file cannot be read or no adapter recognises it.
pub fn parse_file(
    set: &AdapterSet,
    path: &Path,
    adapter: Option<&str>,
    options: &Options,
) -> Result<Parsed, ReadError> {
    let file = open(path, options, |name, bytes| Ok(set.choose(name, bytes, adapter)?))?;
    Ok(file.adapter.read(&file.name, &file.bytes, &file.options))
}

/// Reads a file with its companions, and says what each line became.
///
/// # Errors
/// As [`parse_file`].
pub fn explain_file(
    set: &AdapterSet,
    path: &Path,
    adapter: Option<&str>,
    options: &Options,
) -> Result<Explained, ReadError> {
    let file = open(path, options, |name, bytes| Ok(set.choose(name, bytes, adapter)?))?;
    Ok(file.adapter.explain(&file.name, &file.bytes, &file.options))
}

/// Reads a file with one adapter, whether or not it is loaded, and says what each line became; for work on
/// a draft.
///
/// # Errors
/// [`ReadError`] where the file cannot be read or the adapter refuses it.
pub fn explain_with(adapter: &Adapter, path: &Path, options: &Options) -> Result<Explained, ReadError> {
    let file = open(path, options, |name, bytes| match adapter.recognises(name, bytes) {
        Ok(_) => Ok(adapter),
        Err(why) => Err(NotRecognised::Refused(adapter.id().to_owned(), why).into()),
    })?;
    Ok(adapter.explain(&file.name, &file.bytes, &file.options))
}

/// A file that is read, with its adapter and companions.
struct Opened<'a> {
    name: String,
    bytes: Vec<u8>,
    adapter: &'a Adapter,
    options: Options,
}

fn open<'a>(
    path: &Path,
    options: &Options,
    choose: impl FnOnce(&str, &[u8]) -> Result<&'a Adapter, ReadError>,
) -> Result<Opened<'a>, ReadError> {
    let name = file_name(path);
    let bytes = read_file(path)?;
    let adapter = choose(&name, &bytes)?;
    let mut options = options.clone();
    options.companions.extend(companions(adapter, path)?);
    Ok(Opened { name, bytes, adapter, options })
}

/// The embedded adapter that a folder without an `adapter.toml` adds samples or a record to.
pub(crate) fn embedded_id(folder: &Path) -> Option<&'static str> {
    let name = file_name(folder);
    let known = embedded::ADAPTERS.iter().find(|files| files.id == name)?;
    let adds = ["validation.toml", "samples", "rejects"].iter().any(|part| folder.join(part).exists());
    (adds && !folder.join("adapter.toml").is_file()).then_some(known.id)
}

/// Folders of adapters: `dir` itself, or those in it, by name.
///
/// # Errors
/// [`FolderError`] where `dir` cannot be listed.
pub fn adapter_folders(dir: &Path) -> Result<Vec<PathBuf>, FolderError> {
    if dir.join("adapter.toml").is_file() {
        return Ok(vec![dir.to_owned()]);
    }
    let is_one = |path: &PathBuf| path.join("adapter.toml").is_file() || embedded_id(path).is_some();
    Ok(entries(dir)?.into_iter().map(|(_, path)| path).filter(is_one).collect())
}

/// What tells one state of a folder of adapters from another: names, sizes and times of its files.
pub(crate) fn fingerprint(dir: &Path) -> Result<String, FolderError> {
    let mut text = String::new();
    let mut note = |path: &Path| {
        if let Ok(about) = fs::metadata(path)
            && about.is_file()
        {
            text.push_str(&format!("{path:?} {} {:?}\n", about.len(), about.modified().ok()));
        }
    };
    for folder in adapter_folders(dir)? {
        for file in ["adapter.toml", "validation.toml"] {
            note(&folder.join(file));
        }
        for part in ["samples", "expected", "rejects"] {
            // A part that is not there has no files.
            entries(&folder.join(part)).unwrap_or_default().iter().for_each(|(_, path)| note(path));
        }
    }
    Ok(crate::sha256(text.as_bytes()))
}

/// What an adapter's folder holds.
#[derive(Debug, Clone)]
pub struct AdapterFolder {
    /// `adapter.toml`, or that of the embedded adapter that the folder adds to.
    pub declaration: String,
    /// `samples/` and `rejects/`, with those of the embedded adapter.
    pub cases: Vec<TestedFile>,
    /// `validation.toml`; a sentence that says why where it cannot be read.
    pub validation: Result<Option<Validation>, String>,
    /// The folder adds to an embedded adapter.
    pub is_embedded: bool,
}

impl AdapterFolder {
    /// Draft or validated, and by whom.
    ///
    /// # Errors
    /// Where its `adapter.toml` cannot be read.
    pub fn standing(&self) -> Result<AdapterStanding, String> {
        Adapter::from_toml(&self.declaration)
            .map(|adapter| self.standing_of(&adapter))
            .map_err(|error| error.to_string())
    }

    pub(crate) fn standing_of(&self, adapter: &Adapter) -> AdapterStanding {
        let shipped = embedded::ADAPTERS.iter().find(|files| self.is_embedded && files.declaration == self.declaration);
        match shipped {
            // Where the laboratory only adds samples, the crate's own word on its adapter stays.
            Some(files) if self.validation == Ok(None) => files.standing(adapter.claims(), adapter.reader()),
            // For an adapter that ships with the crate, the laboratory's own record counts, whatever the crate claims.
            _ => {
                let claims = if self.is_embedded { AdapterStatus::Validated } else { adapter.claims() };
                let digest = || validation::digest(&self.declaration, &self.cases, adapter.reader());
                validation::standing(claims, self.validation.clone(), digest)
            }
        }
    }

    /// What tells two states apart.
    pub(crate) fn content(&self) -> String {
        format!("{} {:?}", crate::digest(&self.declaration, &self.cases, ""), self.validation)
    }
}

/// Declaration, cases and record of an adapter's folder.
///
/// # Errors
/// [`FolderError`] where a file of it cannot be read.
pub fn read_adapter(folder: &Path) -> Result<AdapterFolder, FolderError> {
    let text = |path: PathBuf| Ok(String::from_utf8_lossy(&read_file(&path)?).into_owned());
    let record = folder.join("validation.toml");
    let validation = if record.is_file() { Validation::from_toml(&text(record)?).map(Some) } else { Ok(None) };
    let mut cases = read_cases(folder)?;
    let embedded = embedded_id(folder).and_then(|id| embedded::ADAPTERS.iter().find(|files| files.id == id));
    let declaration = match embedded {
        None => text(folder.join("adapter.toml"))?,
        Some(files) => {
            // The laboratory's own take the place of those of the same name.
            let shipped: Vec<TestedFile> = files.cases();
            let mine = |case: &TestedFile| cases.iter().any(|own| own.reject == case.reject && own.name == case.name);
            let shipped: Vec<TestedFile> = shipped.into_iter().filter(|case| !mine(case)).collect();
            cases.extend(shipped);
            files.declaration.to_owned()
        }
    };
    Ok(AdapterFolder { declaration, cases, validation, is_embedded: embedded.is_some() })
}

fn read_cases(folder: &Path) -> Result<Vec<TestedFile>, FolderError> {
    let mut cases = Vec::new();
    for (sub, reject) in [("samples", false), ("rejects", true)] {
        let sub = folder.join(sub);
        if !sub.is_dir() {
            continue;
        }
        for (name, path) in entries(&sub)?.into_iter().filter(|(_, p)| p.is_file()) {
            let expected = folder.join("expected").join(format!("{name}.json"));
            let expected = match (reject, expected.is_file()) {
                (false, true) => Some(String::from_utf8_lossy(&read_file(&expected)?).into_owned()),
                _ => None,
            };
            cases.push(TestedFile { bytes: read_file(&path)?, name, expected, reject });
        }
    }
    Ok(cases)
}

fn entries(dir: &Path) -> Result<Vec<(String, PathBuf)>, FolderError> {
    let io = |source| FolderError::Io { path: dir.to_owned(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(io)? {
        let path = entry.map_err(io)?.path();
        found.push((file_name(&path), path));
    }
    found.sort();
    Ok(found)
}
