//! The institute's signing key and the roots that signatures are trusted by.

use x509_cert::Certificate;

use super::serve::StartError;
use crate::action::{SigningFiles, Site};
use crate::documents::{KeyError, SigningKey, certificates_from_pem};

/// Loads the configured key and roots; without a configuration, those of the data folder, if it has any.
///
/// # Errors
/// Where a file cannot be read or the passphrase is wrong; the message names the file.
pub fn load(site: &Site) -> Result<(Option<SigningKey>, Vec<Certificate>), StartError> {
    let own = SigningFiles { key: site.keys().join("signer.pem"), certificate: None, passphrase_env: None };
    let key = match &site.signing {
        Some(files) => Some(signing_key(files)?),
        None if own.key.exists() => Some(signing_key(&own)?),
        None => None,
    };
    let own_roots = site.keys().join("root.pem");
    let roots = match &site.roots {
        Some(path) => roots(path)?,
        None if own_roots.exists() => roots(&own_roots)?,
        None => Vec::new(),
    };
    Ok((key, roots))
}

fn signing_key(files: &SigningFiles) -> Result<SigningKey, StartError> {
    let place = files.key.display();
    let wrong = |error: KeyError| StartError::Keys(format!("{place}: {error}"));
    let passphrase = match &files.passphrase_env {
        Some(name) => Some(std::env::var(name).map_err(|_| {
            StartError::Keys(format!("signing.passphrase_env: the environment variable {name} is not set"))
        })?),
        None => None,
    };
    let Some(certificate) = &files.certificate else {
        return SigningKey::load(&files.key, passphrase.as_deref()).map_err(wrong);
    };
    let read = |path: &std::path::Path| {
        std::fs::read_to_string(path).map_err(|error| StartError::Keys(format!("{}: {error}", path.display())))
    };
    let pem = format!("{}\n{}", read(&files.key)?, read(certificate)?);
    SigningKey::from_pem(&pem, passphrase.as_deref()).map_err(wrong)
}

fn roots(path: &std::path::Path) -> Result<Vec<Certificate>, StartError> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| StartError::Keys(format!("{}: {error}", path.display())))?;
    certificates_from_pem(&text).map_err(|error| StartError::Keys(format!("{}: {error}", path.display())))
}
