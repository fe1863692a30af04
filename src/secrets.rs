//! Secrets in files of the data folder: made on first start, readable by their owner only.

use std::io::{ErrorKind, Write};
use std::path::Path;

use rand::RngCore;

/// 32 random bytes.
#[must_use]
pub fn random_key() -> [u8; 32] {
    let mut key = [0_u8; 32];
    rand::rng().fill_bytes(&mut key);
    key
}

/// Reads the secret in `path`; where there is none, `make` makes it. Two processes that start together agree:
/// a file appears whole or not at all, and the first one stays.
///
/// # Errors
/// A sentence that names the file.
pub fn read_or_create(path: &Path, make: impl FnOnce() -> Result<String, String>) -> Result<String, String> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    match std::fs::read_to_string(path) {
        Ok(text) => return Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(told(error)),
    }
    let folder = path.parent().ok_or_else(|| format!("{}: has no folder", path.display()))?;
    std::fs::create_dir_all(folder).map_err(told)?;
    let fresh = folder.join(format!(".new-{}", uuid::Uuid::new_v4()));
    write_private(&fresh, make()?.as_bytes()).map_err(told)?;
    // A hard link fails where the name is taken; a rename would replace the other process's secret.
    let linked = std::fs::hard_link(&fresh, path);
    std::fs::remove_file(&fresh).map_err(told)?;
    match linked {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(told(error)),
    }
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(told)?;
    std::fs::read_to_string(path).map_err(told)
}

/// Writes a file that only its owner can read, durably.
///
/// # Errors
/// What the file system says.
pub fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}
