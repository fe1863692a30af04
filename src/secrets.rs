//! Secrets in files of the data folder: made on first start, readable by their owner only. And passwords on their way
//! to their check.

use std::io::{ErrorKind, Write};
use std::path::Path;

use rand::RngCore;
use serde::Deserialize;

/// A password on its way to its check: it is not shown, not logged and not written.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// The password itself, for its check.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

impl utoipa::PartialSchema for Password {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        let format = SchemaFormat::KnownFormat(KnownFormat::Password);
        ObjectBuilder::new().schema_type(Type::String).format(Some(format)).into()
    }
}

impl utoipa::ToSchema for Password {}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_does_not_show_itself() {
        let password: Password = serde_json::from_str("\"correct horse battery\"").expect("a text");
        assert_eq!(password.reveal(), "correct horse battery");
        assert!(!format!("{password:?}").contains("horse"));
    }
}
