//! The signature value inside the PDF: CMS `SignedData` as PAdES baseline B asks (ETSI EN 319 142-1:
//! content-type, message-digest and signing-certificate-v2 signed; the time of signing is in
//! the PDF and not here), detached, in DER.

use cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{
    CertificateSet, EncapsulatedContentInfo, SignedData, SignerIdentifier, SignerInfo, SignerInfos,
};
use der::asn1::{ObjectIdentifier, OctetString, SetOfVec};
use der::{Any, Decode, Encode, Sequence};
use sha2::{Digest, Sha256, Sha384, Sha512};
use x509_cert::Certificate;
use x509_cert::attr::{Attribute, Attributes};
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::chain;
use super::keys::{KeyError, SigningKey};

const ID_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ID_SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
pub(super) const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
pub(super) const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
pub(super) const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

/// RFC 5035.
#[derive(Sequence)]
struct SigningCertificateV2 {
    certs: Vec<EssCertIdV2>,
    #[asn1(optional = "true")]
    policies: Option<Any>,
}

/// RFC 5035; the hash algorithm is SHA-256 where it is left out.
#[derive(Sequence)]
struct EssCertIdV2 {
    #[asn1(optional = "true")]
    hash_algorithm: Option<AlgorithmIdentifierOwned>,
    cert_hash: OctetString,
    #[asn1(optional = "true")]
    issuer_serial: Option<IssuerSerial>,
}

/// RFC 5035; the names are not looked into, the hash identifies the certificate.
#[derive(Sequence)]
struct IssuerSerial {
    issuer: Any,
    serial_number: x509_cert::serial_number::SerialNumber,
}

/// Signs the SHA-256 digest of a document.
///
/// signing-certificate-v2 lists the signer and every certificate sent along, so that no byte of
/// the whole structure can be changed unnoticed.
pub(super) fn sign_digest(key: &SigningKey, digest: &[u8; 32]) -> Result<Vec<u8>, KeyError> {
    let make = |e: der::Error| KeyError::Make(e.to_string());
    let attributes = signed_attributes(key.chain(), digest).map_err(make)?;
    let message = attributes.to_der().map_err(make)?;
    let (signature_algorithm, signature) = key.sign_message(&message)?;
    assemble(key, attributes, signature_algorithm, signature).map_err(make)
}

fn signed_attributes(chain: &[Certificate], digest: &[u8; 32]) -> der::Result<Attributes> {
    let certs = chain
        .iter()
        .map(|certificate| {
            Ok(EssCertIdV2 {
                hash_algorithm: None,
                cert_hash: OctetString::new(Sha256::digest(certificate.to_der()?).to_vec())?,
                issuer_serial: None,
            })
        })
        .collect::<der::Result<Vec<_>>>()?;
    let signing_certificate = SigningCertificateV2 { certs, policies: None };
    SetOfVec::try_from(vec![
        attribute(CONTENT_TYPE, Any::encode_from(&ID_DATA)?)?,
        attribute(MESSAGE_DIGEST, Any::encode_from(&OctetString::new(digest.to_vec())?)?)?,
        attribute(SIGNING_CERTIFICATE_V2, Any::encode_from(&signing_certificate)?)?,
    ])
}

fn attribute(oid: ObjectIdentifier, value: Any) -> der::Result<Attribute> {
    Ok(Attribute { oid, values: SetOfVec::try_from(vec![value])? })
}

fn assemble(
    key: &SigningKey,
    attributes: Attributes,
    signature_algorithm: AlgorithmIdentifierOwned,
    signature: Vec<u8>,
) -> der::Result<Vec<u8>> {
    let signer = &key.certificate().tbs_certificate;
    let digest_alg = AlgorithmIdentifierOwned { oid: SHA256, parameters: None };
    let info = SignerInfo {
        version: CmsVersion::V1,
        sid: SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
            issuer: signer.issuer.clone(),
            serial_number: signer.serial_number.clone(),
        }),
        digest_alg: digest_alg.clone(),
        signed_attrs: Some(attributes),
        signature_algorithm,
        signature: OctetString::new(signature)?,
        unsigned_attrs: None,
    };
    let certificates: Vec<CertificateChoices> =
        key.chain().iter().cloned().map(CertificateChoices::Certificate).collect();
    let signed = SignedData {
        version: CmsVersion::V1,
        digest_algorithms: SetOfVec::try_from(vec![digest_alg])?,
        encap_content_info: EncapsulatedContentInfo { econtent_type: ID_DATA, econtent: None },
        certificates: Some(CertificateSet(SetOfVec::try_from(certificates)?)),
        crls: None,
        signer_infos: SignerInfos(SetOfVec::try_from(vec![info])?),
    };
    ContentInfo { content_type: ID_SIGNED_DATA, content: Any::encode_from(&signed)? }.to_der()
}

/// A signature value that fits its document.
pub(super) struct VerifiedSignature {
    /// The signer's certificate.
    pub signer: Certificate,
    /// The other certificates sent along.
    pub others: Vec<Certificate>,
}

/// Checks a signature value against the bytes it covers. Whatever a strict reading does not
/// expect is an error: a byte that nobody checks is a byte that can be changed.
pub(super) fn check(der_bytes: &[u8], covered: &[&[u8]]) -> Result<VerifiedSignature, String> {
    let signed = parse(der_bytes)?;
    let info = match signed.signer_infos.0.as_slice() {
        [info] => info,
        others => return Err(format!("{} signers, expected one", others.len())),
    };
    check_shape(&signed, info)?;
    let (signer, others) = split_certificates(&signed, info)?;
    let attributes = info.signed_attrs.as_ref().ok_or("no signed attributes")?;
    if single::<ObjectIdentifier>(attributes, CONTENT_TYPE)? != ID_DATA {
        return Err("the signed content type is not data".to_owned());
    }
    let stated = single::<OctetString>(attributes, MESSAGE_DIGEST)?;
    if stated.as_bytes() != digest(info.digest_alg.oid, covered)? {
        return Err("the document was changed after signing (digest differs)".to_owned());
    }
    check_signing_certificate(attributes, &signer, &others)?;
    let message = attributes.to_der().map_err(|e| e.to_string())?;
    chain::verify_signature(&signer, &info.signature_algorithm, &message, info.signature.as_bytes())?;
    if !chain::may_sign_documents(&signer) {
        return Err("the signer's key is not meant for signatures".to_owned());
    }
    Ok(VerifiedSignature { signer, others })
}

fn parse(der_bytes: &[u8]) -> Result<SignedData, String> {
    let malformed = |e: der::Error| format!("the signature value is malformed: {e}");
    let content = ContentInfo::from_der(der_bytes).map_err(malformed)?;
    if content.content_type != ID_SIGNED_DATA {
        return Err("the signature value is no CMS SignedData".to_owned());
    }
    let signed: SignedData = content.content.decode_as().map_err(malformed)?;
    let again = ContentInfo { content_type: ID_SIGNED_DATA, content: Any::encode_from(&signed).map_err(malformed)? };
    if again.to_der().map_err(malformed)? != der_bytes {
        return Err("the signature value is not in DER".to_owned());
    }
    Ok(signed)
}

fn check_shape(signed: &SignedData, info: &SignerInfo) -> Result<(), String> {
    let digests = signed.digest_algorithms.as_slice();
    let ok = signed.version == CmsVersion::V1
        && info.version == CmsVersion::V1
        && digests == std::slice::from_ref(&info.digest_alg)
        && info.digest_alg.parameters.as_ref().is_none_or(Any::is_null)
        && signed.encap_content_info.econtent_type == ID_DATA
        && signed.encap_content_info.econtent.is_none()
        && signed.crls.is_none();
    if !ok {
        return Err("the signature value is not a detached PAdES baseline signature".to_owned());
    }
    if info.unsigned_attrs.is_some() {
        return Err("the signature value carries attributes that are not signed".to_owned());
    }
    Ok(())
}

pub(super) fn split_certificates(
    signed: &SignedData,
    info: &SignerInfo,
) -> Result<(Certificate, Vec<Certificate>), String> {
    let SignerIdentifier::IssuerAndSerialNumber(id) = &info.sid else {
        return Err("the signer is not named by issuer and serial number".to_owned());
    };
    let mut others = Vec::new();
    let mut signer = None;
    let all = signed.certificates.iter().flat_map(|set| set.0.iter());
    for choice in all {
        let CertificateChoices::Certificate(certificate) = choice else {
            return Err("a certificate of an unknown kind is sent along".to_owned());
        };
        let tbs = &certificate.tbs_certificate;
        if tbs.issuer == id.issuer && tbs.serial_number == id.serial_number {
            signer = Some(certificate.clone());
        } else {
            others.push(certificate.clone());
        }
    }
    let signer = signer.ok_or("the signer's certificate is missing")?;
    Ok((signer, others))
}

/// The only value of an attribute that must be there exactly once.
pub(super) fn single<T: for<'a> Decode<'a>>(attributes: &Attributes, oid: ObjectIdentifier) -> Result<T, String> {
    let mut found = attributes.iter().filter(|a| a.oid == oid);
    let (Some(attribute), None) = (found.next(), found.next()) else {
        return Err(format!("signed attribute {oid} is missing or repeated"));
    };
    let [value] = attribute.values.as_slice() else {
        return Err(format!("signed attribute {oid} has not exactly one value"));
    };
    value.to_der().and_then(|der| T::from_der(&der)).map_err(|e| format!("signed attribute {oid} is malformed: {e}"))
}

pub(super) fn digest(algorithm: ObjectIdentifier, parts: &[&[u8]]) -> Result<Vec<u8>, String> {
    fn of<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
        let mut hasher = D::new();
        for part in parts {
            hasher.update(part);
        }
        hasher.finalize().to_vec()
    }
    match algorithm {
        SHA256 => Ok(of::<Sha256>(parts)),
        SHA384 => Ok(of::<Sha384>(parts)),
        SHA512 => Ok(of::<Sha512>(parts)),
        other => Err(format!("digest algorithm {other} is not supported")),
    }
}

/// The first entry must be the signer; every other certificate must be listed too, or be vouched
/// for by the signature of one that is here.
fn check_signing_certificate(
    attributes: &Attributes,
    signer: &Certificate,
    others: &[Certificate],
) -> Result<(), String> {
    let listed: SigningCertificateV2 = single(attributes, SIGNING_CERTIFICATE_V2)?;
    let names = |id: &EssCertIdV2, certificate: &Certificate| -> Result<bool, String> {
        let algorithm = id.hash_algorithm.as_ref().map_or(SHA256, |a| a.oid);
        let der = certificate.to_der().map_err(|e| e.to_string())?;
        Ok(id.cert_hash.as_bytes() == digest(algorithm, &[&der])?)
    };
    let first = listed.certs.first().ok_or("signing-certificate-v2 is empty")?;
    if !names(first, signer)? {
        return Err("signing-certificate-v2 names another certificate".to_owned());
    }
    for other in others {
        let mut vouched = others.iter().any(|issuer| chain::issued(issuer, other));
        for id in &listed.certs {
            vouched = vouched || names(id, other)?;
        }
        if !vouched {
            let name = chain::common_name(other);
            return Err(format!("nothing vouches for the certificate of {name}"));
        }
    }
    Ok(())
}
