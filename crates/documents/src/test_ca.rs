//! A throw-away certificate authority for demonstrations and tests.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use der::asn1::{Any, GeneralizedTime, SetOfVec, Utf8StringRef};
use der::{EncodePem, Tag};
use p256::ecdsa::{DerSignature, SigningKey as EcdsaKey};
use p256::elliptic_curve::rand_core::CryptoRngCore;
use p256::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use x509_cert::Certificate;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::builder::{Builder, CertificateBuilder, Profile};
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_cert::time::{Time, Validity};

use super::keys::{KeyError, SigningKey};

const DAY: u64 = 24 * 3600;

/// A root and one signer below it, P-256, in PEM. The root's private key is gone once this is
/// made: nothing more can be issued under it. Its names say that it proves nothing.
pub struct TestCa {
    /// The root certificate.
    pub root_pem: String,
    /// The signer's private key (PKCS#8) followed by its certificate.
    pub signer_pem: String,
}

impl TestCa {
    /// Makes both certificates for `institute`, valid from one day before `now` for ten years.
    pub fn create(institute: &str, rng: &mut impl CryptoRngCore, now: DateTime<Utc>) -> Result<Self, KeyError> {
        let root_name = name(institute, &format!("演示根证书 (demonstration root) {institute}"))?;
        let signer_name = name(institute, &format!("演示签名 (demonstration only) {institute}"))?;
        let validity = validity(now)?;
        let root_key = EcdsaKey::random(rng);
        let signer_key = EcdsaKey::random(rng);
        let root = build(Profile::Root, &root_name, &root_key, &root_key, validity, rng)?;
        let profile = Profile::Leaf { issuer: root_name, enable_key_agreement: false, enable_key_encipherment: false };
        let signer = build(profile, &signer_name, &signer_key, &root_key, validity, rng)?;
        let private = signer_key.to_pkcs8_pem(LineEnding::LF).map_err(make)?;
        Ok(Self {
            root_pem: root.to_pem(LineEnding::LF).map_err(make)?,
            signer_pem: format!("{}{}", private.as_str(), signer.to_pem(LineEnding::LF).map_err(make)?),
        })
    }

    /// The signer's key, ready to sign.
    pub fn signing_key(&self) -> Result<SigningKey, KeyError> {
        SigningKey::from_pem(&self.signer_pem, None)
    }

    /// Writes `root.pem` and `signer.pem` (readable by its owner only) into `folder`.
    pub fn write(&self, folder: &Path) -> Result<(PathBuf, PathBuf), KeyError> {
        let root = folder.join("root.pem");
        let signer = folder.join("signer.pem");
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| KeyError::Write { path, source }
        };
        std::fs::create_dir_all(folder).map_err(failed(folder))?;
        std::fs::write(&root, &self.root_pem).map_err(failed(&root))?;
        write_private(&signer, self.signer_pem.as_bytes()).map_err(failed(&signer))?;
        Ok((root, signer))
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}

fn make(error: impl std::fmt::Display) -> KeyError {
    KeyError::Make(error.to_string())
}

fn build(
    profile: Profile,
    subject: &Name,
    subject_key: &EcdsaKey,
    issuer_key: &EcdsaKey,
    validity: Validity,
    rng: &mut impl CryptoRngCore,
) -> Result<Certificate, KeyError> {
    let public = subject_key.verifying_key().to_public_key_der().map_err(make)?;
    let spki = SubjectPublicKeyInfoOwned::try_from(public.as_bytes()).map_err(make)?;
    let mut serial = [0u8; 16];
    rng.fill_bytes(&mut serial);
    // Positive and of full length, as RFC 5280 4.1.2.2 asks.
    serial[0] = (serial[0] & 0x7f) | 0x40;
    let serial = SerialNumber::new(&serial).map_err(make)?;
    CertificateBuilder::new(profile, serial, validity, subject.clone(), spki, issuer_key)
        .and_then(|builder| builder.build::<DerSignature>())
        .map_err(make)
}

fn validity(now: DateTime<Utc>) -> Result<Validity, KeyError> {
    let now = u64::try_from(now.timestamp()).map_err(make)?;
    let time = |seconds: u64| {
        GeneralizedTime::from_unix_duration(Duration::from_secs(seconds)).map(Time::GeneralTime).map_err(make)
    };
    Ok(Validity { not_before: time(now.saturating_sub(DAY))?, not_after: time(now + 3653 * DAY)? })
}

/// A distinguished name built from parts: parsing a text would trip over commas in a name.
fn name(institute: &str, common_name: &str) -> Result<Name, KeyError> {
    let part = |oid: &str, value: &str| -> Result<RelativeDistinguishedName, KeyError> {
        // X.520 allows 64 characters.
        let value: String = value.chars().take(64).collect();
        let text = Utf8StringRef::new(&value).map_err(make)?;
        let attribute = AttributeTypeAndValue {
            oid: der::asn1::ObjectIdentifier::from_str(oid).map_err(make)?,
            value: Any::new(Tag::Utf8String, text.as_str().as_bytes()).map_err(make)?,
        };
        Ok(RelativeDistinguishedName(SetOfVec::try_from(vec![attribute]).map_err(make)?))
    };
    Ok(RdnSequence(vec![part("2.5.4.10", institute)?, part("2.5.4.3", common_name)?]))
}
