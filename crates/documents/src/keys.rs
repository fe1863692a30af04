//! The institute's signing key, from PEM or PKCS#12.

use std::path::Path;

use der::asn1::ObjectIdentifier;
use der::{Any, Decode, Encode};
use p256::ecdsa::signature::{SignatureEncoding, Signer};
use p256::pkcs8::{DecodePrivateKey, EncodePublicKey};
use rsa::pkcs1::DecodeRsaPrivateKey;
use sha2::Sha256;
use x509_cert::Certificate;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::chain;

const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const SHA256_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");

/// Why a signing key cannot be used. Never contains key material or the passphrase.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not PEM, or a block of it is damaged.
    #[error("not usable as PEM: {0}")]
    Pem(String),
    /// Not PKCS#12, or the wrong passphrase.
    #[error("not usable as PKCS#12, or the passphrase is wrong: {0}")]
    Pkcs12(String),
    /// The key is encrypted and no passphrase was given.
    #[error("the private key is encrypted and no passphrase is given")]
    PassphraseMissing,
    /// No private key in the file.
    #[error("no private key found")]
    NoKey,
    /// No certificate in the file.
    #[error("no certificate found")]
    NoCertificate,
    /// The private key is neither P-256 nor RSA of at least 2048 bits.
    #[error("the private key is neither ECDSA P-256 nor RSA of 2048 bits or more")]
    Unsupported,
    /// No certificate of the file belongs to the private key.
    #[error("no certificate of the file belongs to the private key")]
    Mismatch,
    /// Making a key or certificate failed.
    #[error("cannot make a certificate: {0}")]
    Make(String),
}

enum PrivateKey {
    P256(p256::ecdsa::SigningKey),
    Rsa(Box<rsa::pkcs1v15::SigningKey<Sha256>>),
}

/// A private key with its certificate chain, the signer's certificate first.
pub struct SigningKey {
    key: PrivateKey,
    chain: Vec<Certificate>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("signer", &self.signer_name()).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Reads a PEM or PKCS#12 file, recognised by its content.
    pub fn load(path: &Path, passphrase: Option<&str>) -> Result<Self, KeyError> {
        let bytes = std::fs::read(path).map_err(|source| KeyError::Read { path: path.to_owned(), source })?;
        match std::str::from_utf8(&bytes) {
            Ok(text) if text.contains("-----BEGIN ") => Self::from_pem(text, passphrase),
            _ => Self::from_pkcs12(&bytes, passphrase.unwrap_or_default()),
        }
    }

    /// From PEM blocks in any order: one private key (PKCS#8, encrypted or not; SEC 1; PKCS#1)
    /// and the certificates.
    pub fn from_pem(pem: &str, passphrase: Option<&str>) -> Result<Self, KeyError> {
        let mut key = None;
        let mut certificates = Vec::new();
        for (label, der) in pem_blocks(pem)? {
            match label.as_str() {
                "CERTIFICATE" => {
                    certificates.push(Certificate::from_der(&der).map_err(|e| KeyError::Pem(e.to_string()))?)
                }
                "PRIVATE KEY" => key = Some(private_key_pkcs8(&der)?),
                "ENCRYPTED PRIVATE KEY" => {
                    key = Some(decrypt(&der, passphrase.ok_or(KeyError::PassphraseMissing)?)?);
                }
                "EC PRIVATE KEY" => {
                    let secret = p256::SecretKey::from_sec1_der(&der).map_err(|_| KeyError::Unsupported)?;
                    key = Some(PrivateKey::P256(secret.into()));
                }
                "RSA PRIVATE KEY" => {
                    let secret = rsa::RsaPrivateKey::from_pkcs1_der(&der).map_err(|_| KeyError::Unsupported)?;
                    key = Some(rsa_key(secret)?);
                }
                _ => {}
            }
        }
        Self::assemble(key.ok_or(KeyError::NoKey)?, certificates)
    }

    /// From a PKCS#12 file (`.p12`, `.pfx`).
    pub fn from_pkcs12(der: &[u8], passphrase: &str) -> Result<Self, KeyError> {
        let store =
            p12_keystore::KeyStore::from_pkcs12(der, passphrase).map_err(|e| KeyError::Pkcs12(e.to_string()))?;
        let (_, entry) = store.private_key_chain().ok_or(KeyError::NoKey)?;
        let certificates = entry
            .chain()
            .iter()
            .map(|c| Certificate::from_der(c.as_der()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| KeyError::Pkcs12(e.to_string()))?;
        Self::assemble(private_key_pkcs8(entry.key())?, certificates)
    }

    /// Puts the signer's certificate first and its issuers after it. A self-signed root is left
    /// out: whoever verifies has it already, or has no reason to trust it.
    fn assemble(key: PrivateKey, mut certificates: Vec<Certificate>) -> Result<Self, KeyError> {
        if certificates.is_empty() {
            return Err(KeyError::NoCertificate);
        }
        let public = key.public_der()?;
        let own = certificates
            .iter()
            .position(|c| c.tbs_certificate.subject_public_key_info.to_der().is_ok_and(|der| der == public))
            .ok_or(KeyError::Mismatch)?;
        let mut chain = vec![certificates.swap_remove(own)];
        while let Some(next) = certificates.iter().position(|c| chain.last().is_some_and(|last| chain::issued(c, last)))
        {
            let issuer = certificates.swap_remove(next);
            if issuer.tbs_certificate.issuer == issuer.tbs_certificate.subject {
                break;
            }
            chain.push(issuer);
        }
        Ok(Self { key, chain })
    }

    /// The signer's certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.chain[0]
    }

    /// The signer's certificate and its issuers below the root.
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// Common name of the signer's certificate.
    pub fn signer_name(&self) -> String {
        chain::common_name(self.certificate())
    }

    /// Signs `message` with SHA-256 and the key's scheme; deterministic.
    pub(super) fn sign_message(&self, message: &[u8]) -> Result<(AlgorithmIdentifierOwned, Vec<u8>), KeyError> {
        let failed = |e: p256::ecdsa::signature::Error| KeyError::Make(e.to_string());
        Ok(match &self.key {
            PrivateKey::P256(key) => {
                let signature: p256::ecdsa::DerSignature = key.try_sign(message).map_err(failed)?;
                let algorithm = AlgorithmIdentifierOwned { oid: ECDSA_WITH_SHA256, parameters: None };
                (algorithm, signature.to_vec())
            }
            PrivateKey::Rsa(key) => {
                let signature = key.try_sign(message).map_err(failed)?;
                let algorithm = AlgorithmIdentifierOwned { oid: SHA256_WITH_RSA, parameters: Some(Any::null()) };
                (algorithm, signature.to_vec())
            }
        })
    }
}

impl PrivateKey {
    fn public_der(&self) -> Result<Vec<u8>, KeyError> {
        use p256::ecdsa::signature::Keypair;
        match self {
            Self::P256(key) => key.verifying_key().to_public_key_der(),
            Self::Rsa(key) => key.verifying_key().to_public_key_der(),
        }
        .map(|document| document.as_bytes().to_vec())
        .map_err(|e| KeyError::Make(e.to_string()))
    }
}

fn private_key_pkcs8(der: &[u8]) -> Result<PrivateKey, KeyError> {
    if let Ok(secret) = p256::SecretKey::from_pkcs8_der(der) {
        return Ok(PrivateKey::P256(secret.into()));
    }
    rsa::RsaPrivateKey::from_pkcs8_der(der).map_err(|_| KeyError::Unsupported).and_then(rsa_key)
}

fn rsa_key(secret: rsa::RsaPrivateKey) -> Result<PrivateKey, KeyError> {
    use rsa::traits::PublicKeyParts;
    if secret.size() < 256 {
        return Err(KeyError::Unsupported);
    }
    Ok(PrivateKey::Rsa(Box::new(rsa::pkcs1v15::SigningKey::new(secret))))
}

fn decrypt(der: &[u8], passphrase: &str) -> Result<PrivateKey, KeyError> {
    let wrapped = pkcs8::EncryptedPrivateKeyInfo::try_from(der).map_err(|e| KeyError::Pem(e.to_string()))?;
    let plain = wrapped
        .decrypt(passphrase)
        .map_err(|_| KeyError::Pem("the passphrase does not open the private key".to_owned()))?;
    private_key_pkcs8(plain.as_bytes())
}

/// Every PEM block with its label; text between blocks is skipped, as OpenSSL writes some.
fn pem_blocks(text: &str) -> Result<Vec<(String, Vec<u8>)>, KeyError> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("-----BEGIN ") {
        let block = &rest[start..];
        let tail = block
            .find("-----END ")
            .and_then(|end| block[end + 9..].find("-----").map(|n| end + 9 + n + 5))
            .ok_or_else(|| KeyError::Pem("a block has no end".to_owned()))?;
        let (label, der) = der::pem::decode_vec(&block.as_bytes()[..tail]).map_err(|e| KeyError::Pem(e.to_string()))?;
        blocks.push((label.to_owned(), der));
        rest = &block[tail..];
    }
    Ok(blocks)
}

/// The certificates of a PEM text, for example the roots that a verifier trusts.
pub fn certificates_from_pem(pem: &str) -> Result<Vec<Certificate>, KeyError> {
    pem_blocks(pem)?
        .into_iter()
        .filter(|(label, _)| label == "CERTIFICATE")
        .map(|(_, der)| Certificate::from_der(&der).map_err(|e| KeyError::Pem(e.to_string())))
        .collect()
}
