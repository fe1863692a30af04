//! The layouts: those that ship with the program, and a laboratory's own in their place.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use typst::diag::{FileError, FileResult};
use typst::foundations::Bytes;
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};

/// Largest file taken from a laboratory's folder: a seal as an image is far below it.
const MAX_FILE: u64 = 4 * 1024 * 1024;

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../templates/certificates/", $name)))),*]
    };
}

static SHIPPED: &[(&str, &str)] = shipped![
    "lib.typ",
    "test_report.typ",
    "lot_release.typ",
    "lot_release_refusal.typ",
    "import_report.typ",
    "raw_record.typ",
];

/// A folder of layouts that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The folder or one of its files cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A layout is not UTF-8 text.
    #[error("{0} is not UTF-8 text")]
    NotText(PathBuf),
    /// A file is too large to be part of a layout.
    #[error("{path} is {size} bytes, at most {MAX_FILE} are taken")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
    /// A file name that the typesetter cannot address.
    #[error("{0} cannot be used as a file name in a layout")]
    Name(PathBuf),
}

/// Layout texts and images by file id. Immutable once loaded, so that every document of one
/// process is set from the same layouts.
pub(super) struct Templates {
    sources: HashMap<FileId, Source>,
    files: HashMap<FileId, Bytes>,
    seal: Option<String>,
}

/// The id of a file of the virtual folder. The typesetter keeps ids forever, so ids are made for
/// the few fixed names only and never for a document.
pub(super) fn file_id(name: &str) -> Option<FileId> {
    let path = VirtualPath::new(format!("/{name}")).ok()?;
    Some(RootedPath::new(VirtualRoot::Project, path).intern())
}

impl Templates {
    /// The shipped layouts, each replaced by the file of the same name in `folder`, plus that
    /// folder's images (a `seal.svg` or `seal.png` is printed at the place of the seal).
    pub(super) fn load(folder: Option<&Path>) -> Result<Self, TemplateError> {
        let mut loaded = Self { sources: HashMap::new(), files: HashMap::new(), seal: None };
        for (name, text) in SHIPPED {
            loaded.add_source(name, (*text).to_owned())?;
        }
        if let Some(folder) = folder {
            loaded.add_folder(folder)?;
        }
        Ok(loaded)
    }

    fn add_folder(&mut self, folder: &Path) -> Result<(), TemplateError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| TemplateError::Read { path, source }
        };
        for entry in std::fs::read_dir(folder).map_err(failed(folder))? {
            let path = entry.map_err(failed(folder))?.path();
            let size = std::fs::metadata(&path).map_err(failed(&path))?;
            let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
            if !size.is_file() || !matches!(extension, "typ" | "svg" | "png" | "jpg") {
                continue;
            }
            if size.len() > MAX_FILE {
                return Err(TemplateError::TooLarge { size: size.len(), path });
            }
            let name =
                path.file_name().and_then(|n| n.to_str()).ok_or_else(|| TemplateError::Name(path.clone()))?.to_owned();
            let bytes = std::fs::read(&path).map_err(failed(&path))?;
            if extension == "typ" {
                let text = String::from_utf8(bytes).map_err(|_| TemplateError::NotText(path.clone()))?;
                self.add_source(&name, text)?;
            } else {
                self.add_file(&name, bytes)?;
            }
        }
        Ok(())
    }

    fn add_source(&mut self, name: &str, text: String) -> Result<(), TemplateError> {
        let id = file_id(name).ok_or_else(|| TemplateError::Name(name.into()))?;
        self.sources.insert(id, Source::new(id, text));
        Ok(())
    }

    fn add_file(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), TemplateError> {
        let id = file_id(name).ok_or_else(|| TemplateError::Name(name.into()))?;
        if name.starts_with("seal.") {
            self.seal = Some(name.to_owned());
        }
        self.files.insert(id, Bytes::new(bytes));
        Ok(())
    }

    /// Name of the laboratory's image of its seal, if it has given one.
    pub(super) fn seal(&self) -> Option<&str> {
        self.seal.as_deref()
    }

    pub(super) fn source(&self, id: FileId) -> FileResult<Source> {
        self.sources.get(&id).cloned().ok_or_else(|| not_found(id))
    }

    pub(super) fn file(&self, id: FileId) -> FileResult<Bytes> {
        if let Some(bytes) = self.files.get(&id) {
            return Ok(bytes.clone());
        }
        self.sources.get(&id).map(|source| Bytes::from_string(source.clone())).ok_or_else(|| not_found(id))
    }
}

fn not_found(id: FileId) -> FileError {
    FileError::NotFound(id.get().vpath().get_without_slash().into())
}
