//! The thin part of the crate that opens files: a main file with its declared companions, and
//! folders of adapters. Nothing outside the folder of the main file is ever read.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::adapter::{Adapter, Explained};
use crate::model::{Companion, Options, Parsed};
use crate::selftest::Case;
use crate::set::{AdapterSet, NotRecognised};

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

/// Name of a file without its folder; what is no Unicode is replaced.
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

/// The declared companions that stand beside `path`.
///
/// # Errors
/// [`FolderError`] where one of them is there and cannot be read.
pub fn companions(adapter: &Adapter, path: &Path) -> Result<Vec<Companion>, FolderError> {
    let wanted = adapter.companion_names(&file_name(path));
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

/// Folders with an `adapter.toml`: `dir` itself, or those in it, by name.
pub(crate) fn adapter_folders(dir: &Path) -> Result<Vec<PathBuf>, FolderError> {
    if dir.join("adapter.toml").is_file() {
        return Ok(vec![dir.to_owned()]);
    }
    let folders = entries(dir)?;
    Ok(folders.into_iter().map(|(_, path)| path).filter(|path| path.join("adapter.toml").is_file()).collect())
}

/// Declaration and cases of an adapter's folder.
pub(crate) fn read_adapter(folder: &Path) -> Result<(String, Vec<Case>), FolderError> {
    let declaration = read_file(&folder.join("adapter.toml"))?;
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
            cases.push(Case { bytes: read_file(&path)?, name, expected, reject });
        }
    }
    Ok((String::from_utf8_lossy(&declaration).into_owned(), cases))
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
