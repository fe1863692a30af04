//! The key that signs seals (ECDSA, P-256), and the public keys of all that ever did.
//!
//! Each key states which one it follows, signed by itself and by the one before it. The installation's own key therefore
//! names all that may have signed: a public key that somebody puts beside them is followed by none.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p256::SecretKey;
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{DerSignature, SigningKey, VerifyingKey};
use p256::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::canonical::{self, Hash};
use crate::secrets;

/// The file of the private key in the folder of keys.
const PRIVATE: &str = "seal.pem";
/// Public keys are kept beside it as `seal-ID.pub.pem`; those of former keys stay.
const PUBLIC_SUFFIX: &str = ".pub.pem";
/// What a key states of itself is kept beside it as `seal-ID.json`.
const STATEMENT_SUFFIX: &str = ".json";

/// What a key states: which one it follows.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    /// The key.
    id: String,
    /// The one before it; none for the first.
    previous: Option<String>,
    /// Its signature.
    by_self: String,
    /// The signature of the one before it.
    by_previous: Option<String>,
}

impl Statement {
    fn path(folder: &Path, id: &str) -> PathBuf {
        folder.join(format!("seal-{id}{STATEMENT_SUFFIX}"))
    }

    /// The key before `key`, where that is stated and signed by both; `None` where it is the first.
    ///
    /// # Errors
    /// A sentence that names the file.
    fn previous(folder: &Path, id: &str, keys: &BTreeMap<String, VerifyingKey>) -> Result<Option<String>, String> {
        let path = Self::path(folder, id);
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            // A key from before there were statements follows none.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(told(&error)),
        };
        let statement: Self = serde_json::from_str(&text).map_err(|e| told(&e))?;
        let stated = canonical::key_follows(id, statement.previous.as_deref());
        let signed = |by: &str, signature: &str| keys.get(by).is_some_and(|key| holds(key, &stated, signature));
        if statement.id != id || !signed(id, &statement.by_self) {
            return Err(told(&"the key did not sign this"));
        }
        let Some(previous) = statement.previous else { return Ok(None) };
        let by_previous = statement.by_previous.unwrap_or_default();
        if !signed(&previous, &by_previous) {
            return Err(told(&format!("the key {previous} did not sign this")));
        }
        Ok(Some(previous))
    }
}

fn holds(key: &VerifyingKey, hash: &Hash, signature: &str) -> bool {
    let bytes = STANDARD.decode(signature).ok();
    let signature = bytes.and_then(|bytes| DerSignature::from_bytes(&bytes).ok());
    signature.is_some_and(|signature| key.verify(hash, &signature).is_ok())
}

/// Signs seals.
pub struct SealKey {
    key: SigningKey,
    id: String,
}

impl SealKey {
    /// Opens the key in `folder`, made on first start; its public half is put beside it. Tells whether it was made now.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn open(folder: &Path) -> Result<(Self, bool), String> {
        let path = folder.join(PRIVATE);
        let fresh = !path.exists();
        let pem = secrets::read_or_create(&path, random_pem)?;
        let own = Self::read(&path, &pem)?;
        own.publish(folder, None)?;
        Ok((own, fresh))
    }

    fn read(path: &Path, pem: &str) -> Result<Self, String> {
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let key = SigningKey::from(SecretKey::from_pkcs8_pem(pem).map_err(|e| told(&e))?);
        let id = id_of(key.verifying_key()).map_err(|e| told(&e))?;
        Ok(Self { key, id })
    }

    /// Puts the public half and the statement of the key into `folder`, where they are not there yet.
    fn publish(&self, folder: &Path, previous: Option<&Self>) -> Result<(), String> {
        let path = folder.join(format!("seal-{}{PUBLIC_SUFFIX}", self.id));
        let public = || self.key.verifying_key().to_public_key_pem(LineEnding::LF).map_err(|error| error.to_string());
        secrets::read_or_create(&path, public)?;
        secrets::read_or_create(&Statement::path(folder, &self.id), || self.states(previous))?;
        Ok(())
    }

    /// What this key states of itself: that it follows that one.
    fn states(&self, previous: Option<&Self>) -> Result<String, String> {
        let before = previous.map(|key| key.id.clone());
        let stated = canonical::key_follows(&self.id, before.as_deref());
        let statement = Statement {
            id: self.id.clone(),
            by_self: self.sign(&stated),
            by_previous: previous.map(|key| key.sign(&stated)),
            previous: before,
        };
        serde_json::to_string_pretty(&statement).map_err(|error| error.to_string())
    }

    /// Whether `folder` has a key that seals.
    #[must_use]
    pub fn is_in(folder: &Path) -> bool {
        folder.join(PRIVATE).exists()
    }

    /// Carries the keys of one server to another: all files of the folder but that one. Tells the
    /// name of the key that seals.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn carry(from: &Path, to: &Path, but: &str) -> Result<String, String> {
        let told = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        if !Self::is_in(from) {
            return Err(told(&from.join(PRIVATE), &"there is no such file"));
        }
        // What the folder states is read first: nothing is carried that does not fit together.
        PublicKeys::open(from)?;
        std::fs::create_dir_all(to).map_err(|e| told(to, &e))?;
        for entry in std::fs::read_dir(from).map_err(|e| told(from, &e))? {
            let entry = entry.map_err(|e| told(from, &e))?;
            let (name, path) = (entry.file_name(), entry.path());
            let remembered = name.to_str().is_none_or(|name| name.starts_with('.') || name == but);
            if remembered || !path.is_file() {
                continue;
            }
            let bytes = std::fs::read(&path).map_err(|e| told(&path, &e))?;
            secrets::write_private(&to.join(&name), &bytes).map_err(|e| told(&to.join(&name), &e))?;
        }
        Self::open(to).map(|(key, _)| key.id)
    }

    /// Puts a new key in the place of the one in `folder`, which signs for it and is gone then. Tells both names.
    ///
    /// # Errors
    /// A sentence that names the file; then the old key is still there.
    pub fn renew(folder: &Path) -> Result<(String, String), String> {
        let told = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let (old, _) = Self::open(folder)?;
        let (path, pem) = (folder.join(PRIVATE), random_pem()?);
        let new = Self::read(&path, &pem)?;
        new.publish(folder, Some(&old))?;
        // Last: until the private key is in its place, the old one is the installation's.
        let fresh = folder.join(format!(".{PRIVATE}.new"));
        secrets::write_private(&fresh, pem.as_bytes()).map_err(|e| told(&fresh, &e))?;
        std::fs::rename(&fresh, &path).map_err(|e| told(&path, &e))?;
        Ok((old.id, new.id))
    }

    /// Names the key: the beginning of the SHA-256 of its public half.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Signs a seal's chained hash: DER in base64.
    #[must_use]
    pub fn sign(&self, chained: &Hash) -> String {
        let signature: DerSignature = self.key.sign(chained);
        STANDARD.encode(signature.as_bytes())
    }
}

/// A new private key.
fn random_pem() -> Result<String, String> {
    let key = (0..8).find_map(|_| SecretKey::from_slice(&secrets::random_key()).ok());
    let key = key.ok_or("no random key on the curve")?;
    key.to_pkcs8_pem(LineEnding::LF).map(|pem| pem.to_string()).map_err(|error| error.to_string())
}

fn id_of(key: &VerifyingKey) -> Result<String, p256::pkcs8::spki::Error> {
    let der = key.to_public_key_der()?;
    Ok(hex::encode(&Sha256::digest(der.as_bytes())[..8]))
}

/// The public keys that count, in the order in which they followed one another.
#[derive(Clone, Default)]
pub struct PublicKeys(Vec<(String, VerifyingKey)>);

impl PublicKeys {
    /// Reads the installation's key in `folder` and all that it followed. Where there is no private key, as in a folder
    /// that was put together for somebody who checks, the last key is the one that no other follows.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn open(folder: &Path) -> Result<Self, String> {
        let mut keys = BTreeMap::new();
        let listed = match std::fs::read_dir(folder) {
            Ok(listed) => listed,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(format!("{}: {error}", folder.display())),
        };
        for entry in listed.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !name.starts_with("seal-") || !name.ends_with(PUBLIC_SUFFIX) {
                continue;
            }
            let told = |error: &dyn std::fmt::Display| format!("{}: {error}", entry.path().display());
            let pem = std::fs::read_to_string(entry.path()).map_err(|e| told(&e))?;
            let key = VerifyingKey::from_public_key_pem(&pem).map_err(|e| told(&e))?;
            keys.insert(id_of(&key).map_err(|e| told(&e))?, key);
        }
        Self::followed(folder, &keys)
    }

    fn followed(folder: &Path, keys: &BTreeMap<String, VerifyingKey>) -> Result<Self, String> {
        let own = folder.join(PRIVATE);
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", own.display());
        let mut at = match std::fs::read_to_string(&own) {
            Ok(pem) => Some(SealKey::read(&own, &pem)?.id),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let mut last: Vec<&String> = keys.keys().collect();
                for id in keys.keys() {
                    if let Some(previous) = Statement::previous(folder, id, keys)? {
                        last.retain(|other| **other != previous);
                    }
                }
                match last[..] {
                    [] => None,
                    [one] => Some(one.clone()),
                    _ => {
                        let names: Vec<&str> = last.iter().map(|id| id.as_str()).collect();
                        return Err(format!(
                            "{}: several keys that no other follows: {}",
                            folder.display(),
                            names.join(", ")
                        ));
                    }
                }
            }
            Err(error) => return Err(told(&error)),
        };
        let mut chain = Vec::new();
        while let Some(id) = at {
            let Some(key) = keys.get(&id) else { break };
            if chain.iter().any(|(known, _)| *known == id) {
                return Err(format!("{}: the key {id} follows itself", folder.display()));
            }
            chain.push((id.clone(), *key));
            at = Statement::previous(folder, &id, keys)?;
        }
        chain.reverse();
        Ok(Self(chain))
    }

    /// The public key of one file.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn of_file(path: &Path) -> Result<Self, String> {
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let pem = std::fs::read_to_string(path).map_err(|e| told(&e))?;
        let key = VerifyingKey::from_public_key_pem(&pem).map_err(|e| told(&e))?;
        Ok(Self(vec![(id_of(&key).map_err(|e| told(&e))?, key)]))
    }

    /// Whether `signature` is that key's over `chained`; `None` where the key is not known.
    #[must_use]
    pub fn verify(&self, key_id: &str, chained: &Hash, signature: &str) -> Option<bool> {
        let (_, key) = &self.0[self.rank(key_id)?];
        Some(holds(key, chained, signature))
    }

    /// The place of a key in the order in which they followed one another; `None` where it is not known.
    #[must_use]
    pub fn rank(&self, key_id: &str) -> Option<usize> {
        self.0.iter().position(|(id, _)| id == key_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(from: &Path, to: &Path) {
        std::fs::copy(from, to).unwrap();
    }

    #[test]
    fn a_key_counts_where_the_one_before_it_signed_and_a_planted_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let (first, fresh) = SealKey::open(folder.path()).unwrap();
        assert!(fresh && !SealKey::open(folder.path()).unwrap().1);
        let hash = [7; 32];
        let old = first.sign(&hash);
        let (from, to) = SealKey::renew(folder.path()).unwrap();
        assert_eq!(from, first.id());
        let (second, _) = SealKey::open(folder.path()).unwrap();
        assert_eq!(to, second.id());
        let keys = PublicKeys::open(folder.path()).unwrap();
        assert_eq!(keys.verify(first.id(), &hash, &old), Some(true));
        assert_eq!(keys.verify(second.id(), &hash, &second.sign(&hash)), Some(true));
        assert_eq!(keys.verify(second.id(), &hash, &old), Some(false));
        assert_eq!((keys.rank(first.id()), keys.rank(second.id())), (Some(0), Some(1)));

        // Somebody who cannot read the private key puts one of his own beside it, and says what he likes.
        let elsewhere = tempfile::tempdir().unwrap();
        let (planted, _) = SealKey::open(elsewhere.path()).unwrap();
        for end in [PUBLIC_SUFFIX, STATEMENT_SUFFIX] {
            let name = format!("seal-{}{end}", planted.id());
            copied(&elsewhere.path().join(&name), &folder.path().join(&name));
        }
        let keys = PublicKeys::open(folder.path()).unwrap();
        assert_eq!(keys.verify(planted.id(), &hash, &planted.sign(&hash)), None);
        // Even that the installation's key follows it: that is not what this one states.
        let stated = canonical::key_follows(second.id(), Some(planted.id()));
        let forged = Statement {
            id: second.id().to_owned(),
            previous: Some(planted.id().to_owned()),
            by_self: planted.sign(&stated),
            by_previous: Some(planted.sign(&stated)),
        };
        let path = Statement::path(folder.path(), second.id());
        std::fs::write(path, serde_json::to_string(&forged).unwrap()).unwrap();
        assert!(PublicKeys::open(folder.path()).is_err());
    }

    #[test]
    fn without_the_private_key_the_last_one_is_that_which_none_follows() {
        let folder = tempfile::tempdir().unwrap();
        let (first, _) = SealKey::open(folder.path()).unwrap();
        let (_, second) = SealKey::renew(folder.path()).unwrap();
        std::fs::remove_file(folder.path().join(PRIVATE)).unwrap();
        let keys = PublicKeys::open(folder.path()).unwrap();
        assert_eq!((keys.rank(first.id()), keys.rank(&second)), (Some(0), Some(1)));
        assert_eq!(PublicKeys::open(&folder.path().join("nothing")).unwrap().rank(&second), None);
    }
}
