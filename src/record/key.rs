//! The key that signs seals (ECDSA, P-256), and the public keys of all that ever did.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p256::SecretKey;
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{DerSignature, SigningKey, VerifyingKey};
use p256::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use sha2::{Digest, Sha256};

use super::canonical::Hash;
use crate::secrets;

/// The file of the private key in the folder of keys.
const PRIVATE: &str = "seal.pem";
/// Public keys are kept beside it as `seal-ID.pub.pem`; those of former keys stay.
const PUBLIC_SUFFIX: &str = ".pub.pem";

/// Signs seals.
pub struct SealKey {
    key: SigningKey,
    id: String,
}

impl SealKey {
    /// Opens the key in `folder`, made on first start; its public half is put beside it.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn open(folder: &Path) -> Result<Self, String> {
        let path = folder.join(PRIVATE);
        let pem = secrets::read_or_create(&path, || {
            let key = (0..8).find_map(|_| SecretKey::from_slice(&secrets::random_key()).ok());
            let key = key.ok_or("no random key on the curve")?;
            key.to_pkcs8_pem(LineEnding::LF).map(|pem| pem.to_string()).map_err(|error| error.to_string())
        })?;
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let secret = SecretKey::from_pkcs8_pem(&pem).map_err(|e| told(&e))?;
        let key = SigningKey::from(secret);
        let id = id_of(key.verifying_key()).map_err(|e| told(&e))?;
        let public = key.verifying_key().to_public_key_pem(LineEnding::LF).map_err(|e| told(&e))?;
        secrets::read_or_create(&folder.join(format!("seal-{id}{PUBLIC_SUFFIX}")), || Ok(public))?;
        Ok(Self { key, id })
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

fn id_of(key: &VerifyingKey) -> Result<String, p256::pkcs8::spki::Error> {
    let der = key.to_public_key_der()?;
    Ok(hex::encode(&Sha256::digest(der.as_bytes())[..8]))
}

/// The public keys by id.
#[derive(Clone, Default)]
pub struct PublicKeys(BTreeMap<String, VerifyingKey>);

impl PublicKeys {
    /// Reads every `seal-*.pub.pem` of `folder`.
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
        Ok(Self(keys))
    }

    /// The public key of one file.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn of_file(path: &Path) -> Result<Self, String> {
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let pem = std::fs::read_to_string(path).map_err(|e| told(&e))?;
        let key = VerifyingKey::from_public_key_pem(&pem).map_err(|e| told(&e))?;
        Ok(Self(BTreeMap::from([(id_of(&key).map_err(|e| told(&e))?, key)])))
    }

    /// Whether `signature` is that key's over `chained`; `None` where the key is not known.
    #[must_use]
    pub fn verify(&self, key_id: &str, chained: &Hash, signature: &str) -> Option<bool> {
        let key = self.0.get(key_id)?;
        let bytes = STANDARD.decode(signature).ok();
        let signature = bytes.and_then(|bytes| DerSignature::from_bytes(&bytes).ok());
        Some(signature.is_some_and(|signature| key.verify(chained, &signature).is_ok()))
    }
}
