//! What is secret in the database: encrypted by a key of the server's own, which is in a file beside it.

use std::path::Path;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};

use crate::secrets;
use crate::store::{Outcome, StoreError};

const NONCE: usize = 12;

/// Encrypts and decrypts (AES-256-GCM). What was sealed for one owner does not open for another.
pub(crate) struct Vault(Aes256Gcm);

impl Vault {
    /// Under the key in `path`, made on first start.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn open(path: &Path) -> Result<Self, String> {
        let text = secrets::read_or_create(path, || Ok(hex::encode(secrets::random_key())))?;
        let key = hex::decode(text.trim()).ok().and_then(|key| Aes256Gcm::new_from_slice(&key).ok());
        key.map(Self).ok_or_else(|| format!("{}: expected a key of 64 hex digits", path.display()))
    }

    /// Seals a text for its owner.
    ///
    /// # Errors
    /// The cipher's.
    pub fn seal(&self, owner: &str, text: &str) -> Outcome<String> {
        let [first, ..] = [secrets::random_key()];
        let nonce = first.get(..NONCE).unwrap_or_default();
        let failed = || StoreError::Other("a secret could not be encrypted".into());
        let payload = Payload { msg: text.as_bytes(), aad: owner.as_bytes() };
        let cipher = self.0.encrypt(&nonce_of(nonce).ok_or_else(failed)?, payload).map_err(|_| failed())?;
        Ok(hex::encode([nonce, &cipher].concat()))
    }

    /// Opens what was sealed for that owner.
    ///
    /// # Errors
    /// Where it was sealed by another key or for another owner, or was changed.
    pub fn unseal(&self, owner: &str, sealed: &str) -> Outcome<String> {
        let failed = || StoreError::Other("a stored secret cannot be decrypted: is it of another key?".into());
        let bytes = hex::decode(sealed).map_err(|_| failed())?;
        let (nonce, cipher) = bytes.split_at_checked(NONCE).ok_or_else(failed)?;
        let payload = Payload { msg: cipher, aad: owner.as_bytes() };
        let text = self.0.decrypt(&nonce_of(nonce).ok_or_else(failed)?, payload).map_err(|_| failed())?;
        Ok(String::from_utf8(text).map_err(|_| failed())?)
    }
}

fn nonce_of(bytes: &[u8]) -> Option<Nonce<aes_gcm::aead::consts::U12>> {
    Nonce::try_from(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_for_its_owner_under_its_key_only() {
        let dir = tempfile::tempdir().unwrap();
        let vault = Vault::open(&dir.path().join("one.key")).unwrap();
        let sealed = vault.seal("a1", "secret").unwrap();
        assert!(!sealed.contains(&hex::encode("secret")));
        assert_ne!(sealed, vault.seal("a1", "secret").unwrap());
        assert_eq!(vault.unseal("a1", &sealed).unwrap(), "secret");
        assert!(vault.unseal("a2", &sealed).is_err());
        assert!(Vault::open(&dir.path().join("two.key")).unwrap().unseal("a1", &sealed).is_err());
        assert!(vault.unseal("a1", &sealed[2..]).is_err());
    }
}
