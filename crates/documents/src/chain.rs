//! Who issued whom: signatures of certificates, their dates, and the way up to a trusted root.

use chrono::{DateTime, Utc};
use const_oid::AssociatedOid;
use der::asn1::ObjectIdentifier;
use der::{Decode, Encode};
use p256::ecdsa::signature::Verifier;
use p256::pkcs8::DecodePublicKey;
use sha2::{Sha256, Sha384, Sha512};
use x509_cert::Certificate;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, KeyUsages};
use x509_cert::spki::AlgorithmIdentifierOwned;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const SHA256_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const SHA384_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const SHA512_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");

/// More issuers than this in one chain are not followed.
const MAX_CHAIN: usize = 8;

/// Whether a signer is trusted by the given roots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The chain reaches a given root, and every date holds.
    Trusted,
    /// The chain does not reach a given root, or a date or signature in it fails.
    Untrusted,
    /// No root was given, or the certificate has expired since the stated time of signing.
    Unknown,
}

impl<'de> serde::Deserialize<'de> for Trust {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Written {
            Known(bool),
            Unknown(String),
        }
        Ok(match Written::deserialize(from)? {
            Written::Known(true) => Self::Trusted,
            Written::Known(false) => Self::Untrusted,
            Written::Unknown(word) if word == "unknown" => Self::Unknown,
            Written::Unknown(word) => return Err(serde::de::Error::custom(format!("{word:?} says nothing of trust"))),
        })
    }
}

impl serde::Serialize for Trust {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Trusted => serializer.serialize_bool(true),
            Self::Untrusted => serializer.serialize_bool(false),
            Self::Unknown => serializer.serialize_str("unknown"),
        }
    }
}

/// Common name of a certificate's subject, or the whole subject where it has none.
pub(super) fn common_name(certificate: &Certificate) -> String {
    let subject = &certificate.tbs_certificate.subject;
    subject
        .0
        .iter()
        .flat_map(|rdn| rdn.0.iter())
        .find(|attribute| attribute.oid == COMMON_NAME)
        .and_then(|attribute| String::from_utf8(attribute.value.value().to_vec()).ok())
        .unwrap_or_else(|| subject.to_string())
}

/// An algorithm that leaves the digest to the signature's own field, with that digest in it.
pub(super) fn with_digest(algorithm: &AlgorithmIdentifierOwned, digest: ObjectIdentifier) -> AlgorithmIdentifierOwned {
    let oid = match (algorithm.oid, digest.to_string().as_str()) {
        (RSA_ENCRYPTION, "2.16.840.1.101.3.4.2.2") => SHA384_WITH_RSA,
        (RSA_ENCRYPTION, "2.16.840.1.101.3.4.2.3") => SHA512_WITH_RSA,
        (other, _) => other,
    };
    AlgorithmIdentifierOwned { oid, parameters: algorithm.parameters.clone() }
}

/// Checks a signature over `message` by the key of `certificate`. The error says what is wrong or
/// not supported.
pub(super) fn verify_signature(
    certificate: &Certificate,
    algorithm: &AlgorithmIdentifierOwned,
    message: &[u8],
    signature: &[u8],
) -> Result<(), String> {
    let spki = certificate.tbs_certificate.subject_public_key_info.to_der().map_err(|e| e.to_string())?;
    let wrong = |_| "the signature does not verify".to_owned();
    let parameters = algorithm.parameters.as_ref();
    if algorithm.oid == ECDSA_WITH_SHA256 {
        if parameters.is_some() {
            return Err("unexpected parameters of the signature algorithm".to_owned());
        }
        let key =
            p256::ecdsa::VerifyingKey::from_public_key_der(&spki).map_err(|_| "the key is not P-256".to_owned())?;
        let signature = p256::ecdsa::DerSignature::try_from(signature)
            .map_err(|_| "the signature value is malformed".to_owned())?;
        return key.verify(message, &signature).map_err(wrong);
    }
    if parameters.is_some_and(|p| !p.is_null()) {
        return Err("unexpected parameters of the signature algorithm".to_owned());
    }
    let key = rsa::RsaPublicKey::from_public_key_der(&spki)
        .map_err(|_| format!("signature algorithm {} is not supported", algorithm.oid))?;
    let signature =
        rsa::pkcs1v15::Signature::try_from(signature).map_err(|_| "the signature value is malformed".to_owned())?;
    match algorithm.oid {
        RSA_ENCRYPTION | SHA256_WITH_RSA => {
            rsa::pkcs1v15::VerifyingKey::<Sha256>::new(key).verify(message, &signature).map_err(wrong)
        }
        SHA384_WITH_RSA => rsa::pkcs1v15::VerifyingKey::<Sha384>::new(key).verify(message, &signature).map_err(wrong),
        SHA512_WITH_RSA => rsa::pkcs1v15::VerifyingKey::<Sha512>::new(key).verify(message, &signature).map_err(wrong),
        other => Err(format!("signature algorithm {other} is not supported")),
    }
}

/// Whether `issuer` signed `certificate` and is allowed to issue.
pub(super) fn issued(issuer: &Certificate, certificate: &Certificate) -> bool {
    let tbs = &certificate.tbs_certificate;
    issuer.tbs_certificate.subject == tbs.issuer
        && may_issue(issuer)
        && tbs.signature == certificate.signature_algorithm
        && tbs.to_der().is_ok_and(|message| {
            verify_signature(issuer, &certificate.signature_algorithm, &message, certificate.signature.raw_bytes())
                .is_ok()
        })
}

fn may_issue(issuer: &Certificate) -> bool {
    let is_authority = extension::<BasicConstraints>(issuer).is_some_and(|c| c.ca);
    let may_sign = extension::<KeyUsage>(issuer).is_none_or(|usage| usage.0.contains(KeyUsages::KeyCertSign));
    is_authority && may_sign
}

/// Whether the certificate's key may sign documents.
pub(super) fn may_sign_documents(certificate: &Certificate) -> bool {
    extension::<KeyUsage>(certificate).is_none_or(|usage| {
        usage.0.contains(KeyUsages::DigitalSignature) || usage.0.contains(KeyUsages::NonRepudiation)
    })
}

pub(super) fn extension<T: AssociatedOid + for<'a> Decode<'a>>(certificate: &Certificate) -> Option<T> {
    certificate
        .tbs_certificate
        .extensions
        .as_ref()?
        .iter()
        .find(|e| e.extn_id == T::OID)
        .and_then(|e| T::from_der(e.extn_value.as_bytes()).ok())
}

fn valid_at(certificate: &Certificate, at: DateTime<Utc>) -> bool {
    let validity = &certificate.tbs_certificate.validity;
    let seconds = |time: x509_cert::time::Time| time.to_unix_duration().as_secs();
    u64::try_from(at.timestamp())
        .is_ok_and(|now| (seconds(validity.not_before)..=seconds(validity.not_after)).contains(&now))
}

/// Follows the chain from `signer` through `embedded` up to one of `roots`.
///
/// Every date must hold at the stated time of signing and at `at`. Without a time-stamp nobody
/// proves when an expired certificate signed: that is [`Trust::Unknown`].
pub(super) fn trust(
    signer: &Certificate,
    embedded: &[Certificate],
    roots: &[Certificate],
    signed_at: DateTime<Utc>,
    at: DateTime<Utc>,
) -> (Trust, Vec<String>) {
    if roots.is_empty() {
        return (Trust::Unknown, Vec::new());
    }
    let Some(path) = path_to_root(signer, embedded, roots) else {
        let problem = "the signer's certificate does not lead to a given root".to_owned();
        return (Trust::Untrusted, vec![problem]);
    };
    let invalid = |when: DateTime<Utc>| path.iter().find(|c| !valid_at(c, when));
    if let Some(certificate) = invalid(signed_at) {
        let name = common_name(certificate);
        let problem = format!("the certificate of {name} was not valid at the time of signing");
        return (Trust::Untrusted, vec![problem]);
    }
    if let Some(certificate) = invalid(at) {
        let name = common_name(certificate);
        let problem = format!("the certificate of {name} has expired since it signed");
        return (Trust::Unknown, vec![problem]);
    }
    (Trust::Trusted, Vec::new())
}

fn path_to_root<'a>(
    signer: &'a Certificate,
    embedded: &'a [Certificate],
    roots: &'a [Certificate],
) -> Option<Vec<&'a Certificate>> {
    let mut path = vec![signer];
    while path.len() <= MAX_CHAIN {
        let last = *path.last()?;
        if roots.contains(last) {
            return Some(path);
        }
        if let Some(root) = roots.iter().find(|root| issued(root, last)) {
            path.push(root);
            return Some(path);
        }
        let next = embedded.iter().find(|c| !path.contains(c) && issued(c, last))?;
        path.push(next);
    }
    None
}
