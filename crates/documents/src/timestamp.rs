//! Time-stamps of an outside authority (RFC 3161): the request, what of an answer is kept, and whether a kept token says
//! that its authority saw a hash at a time.

use chrono::{DateTime, NaiveDateTime, Utc};
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerInfo};
use der::asn1::{BitString, Int, ObjectIdentifier, OctetString};
use der::{Any, Decode, Encode, Sequence, Tag, Tagged};
use x509_cert::Certificate;
use x509_cert::ext::pkix::ExtendedKeyUsage;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::chain::{self, Trust};
use super::cms::{CONTENT_TYPE, MESSAGE_DIGEST, SHA256, digest, single, split_certificates};

const ID_SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const ID_TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");

#[derive(Sequence)]
struct MessageImprint {
    hash_algorithm: AlgorithmIdentifierOwned,
    hashed_message: OctetString,
}

#[derive(Sequence)]
struct TimeStampReq {
    version: u8,
    message_imprint: MessageImprint,
    #[asn1(optional = "true")]
    req_policy: Option<ObjectIdentifier>,
    #[asn1(optional = "true")]
    nonce: Option<u64>,
    cert_req: bool,
}

#[derive(Sequence)]
struct StatusInfo {
    status: u8,
    #[asn1(optional = "true")]
    text: Option<Vec<Any>>,
    #[asn1(optional = "true")]
    failure: Option<BitString>,
}

#[derive(Sequence)]
struct TimeStampResp {
    status: StatusInfo,
    #[asn1(optional = "true")]
    token: Option<ContentInfo>,
}

#[derive(Sequence)]
struct Accuracy {
    #[asn1(optional = "true")]
    seconds: Option<Int>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    millis: Option<Int>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    micros: Option<Int>,
}

#[derive(Sequence)]
struct TstInfo {
    version: u8,
    policy: ObjectIdentifier,
    message_imprint: MessageImprint,
    serial_number: Int,
    /// May have a fraction of a second, which the type of the crate does not read.
    gen_time: Any,
    #[asn1(optional = "true")]
    accuracy: Option<Accuracy>,
    #[asn1(default = "Default::default")]
    ordering: bool,
    #[asn1(optional = "true")]
    nonce: Option<Int>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    tsa: Option<Any>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    extensions: Option<Vec<Any>>,
}

/// What a token says.
#[derive(Clone, Debug)]
pub struct TimeStamp {
    /// When the authority saw the hash.
    pub at: DateTime<Utc>,
    /// Whose certificate signed it.
    pub authority: String,
    /// Whether the given roots trust that certificate.
    pub trust: Trust,
}

/// The body of a request for a time-stamp on a SHA-256, with the authority's certificate in the answer.
///
/// # Errors
/// What the encoder says.
pub fn timestamp_request(hash: &[u8; 32], nonce: u64) -> Result<Vec<u8>, String> {
    let told = |error: der::Error| error.to_string();
    let request = TimeStampReq {
        version: 1,
        message_imprint: MessageImprint {
            hash_algorithm: AlgorithmIdentifierOwned { oid: SHA256, parameters: None },
            hashed_message: OctetString::new(hash.to_vec()).map_err(told)?,
        },
        req_policy: None,
        nonce: Some(nonce),
        cert_req: true,
    };
    request.to_der().map_err(told)
}

/// The token in an answer to that request, once it was found to be about the hash and the request.
///
/// # Errors
/// What the authority refused, or what is wrong with its answer.
pub fn timestamp_token(answer: &[u8], hash: &[u8; 32], nonce: u64) -> Result<Vec<u8>, String> {
    let answer = TimeStampResp::from_der(answer).map_err(|e| format!("the answer is no time-stamp response: {e}"))?;
    // 0 is granted, 1 granted with modifications.
    if answer.status.status > 1 {
        let failure = answer.status.failure.map(|bits| hex::encode(bits.raw_bytes())).unwrap_or_default();
        return Err(format!("the authority refused (status {}, failure {failure})", answer.status.status));
    }
    let token = answer.token.ok_or("the answer carries no token")?.to_der().map_err(|e| e.to_string())?;
    check_timestamp(&token, hash, &[])?;
    let (_, info, _) = parts(&token)?;
    let asked = nonce.to_der().map_err(|e| e.to_string())?;
    let given = info.nonce.map(|nonce| nonce.to_der()).transpose().map_err(|e| e.to_string())?;
    if given.as_deref() != Some(&asked) {
        return Err("the token answers another request".to_owned());
    }
    Ok(token)
}

/// Checks that a token is a time-stamp on the hash, signed by the certificate that it carries.
///
/// # Errors
/// What does not fit.
pub fn check_timestamp(token: &[u8], hash: &[u8; 32], roots: &[Certificate]) -> Result<TimeStamp, String> {
    let (signed, info, content) = parts(token)?;
    let imprint = &info.message_imprint;
    if imprint.hash_algorithm.oid != SHA256 || imprint.hashed_message.as_bytes() != hash {
        return Err("the time-stamp is on another hash".to_owned());
    }
    let signer_info = match signed.signer_infos.0.as_slice() {
        [info] => info,
        others => return Err(format!("{} signers, expected one", others.len())),
    };
    let (signer, others) = split_certificates(&signed, signer_info)?;
    check_signature(signer_info, &signer, &content)?;
    let usage = chain::extension::<ExtendedKeyUsage>(&signer);
    if !usage.is_some_and(|usage| usage.0.contains(&TIME_STAMPING)) {
        return Err("the signer's key is not meant for time-stamps".to_owned());
    }
    let at = time_of(&info.gen_time)?;
    let (trust, _) = chain::trust(&signer, &others, roots, at, at);
    Ok(TimeStamp { at, authority: chain::common_name(&signer), trust })
}

/// The structure, what is stamped, and the bytes that are signed.
fn parts(token: &[u8]) -> Result<(SignedData, TstInfo, Vec<u8>), String> {
    let malformed = |e: der::Error| format!("the token is malformed: {e}");
    let outer = ContentInfo::from_der(token).map_err(malformed)?;
    if outer.content_type != ID_SIGNED_DATA {
        return Err("the token is no CMS SignedData".to_owned());
    }
    let signed: SignedData = outer.content.decode_as().map_err(malformed)?;
    let inner = &signed.encap_content_info;
    let content = inner.econtent.as_ref().filter(|_| inner.econtent_type == ID_TST_INFO);
    let content: OctetString = content.ok_or("the token has no TSTInfo")?.decode_as().map_err(malformed)?;
    let content = content.into_bytes();
    let info = TstInfo::from_der(&content).map_err(malformed)?;
    Ok((signed, info, content))
}

fn check_signature(info: &SignerInfo, signer: &Certificate, content: &[u8]) -> Result<(), String> {
    let attributes = info.signed_attrs.as_ref().ok_or("no signed attributes")?;
    if single::<ObjectIdentifier>(attributes, CONTENT_TYPE)? != ID_TST_INFO {
        return Err("the signed content type is not a time-stamp".to_owned());
    }
    let stated = single::<OctetString>(attributes, MESSAGE_DIGEST)?;
    if stated.as_bytes() != digest(info.digest_alg.oid, &[content])? {
        return Err("the time-stamp was changed after signing (digest differs)".to_owned());
    }
    let message = attributes.to_der().map_err(|e| e.to_string())?;
    let algorithm = chain::with_digest(&info.signature_algorithm, info.digest_alg.oid);
    chain::verify_signature(signer, &algorithm, &message, info.signature.as_bytes())
}

/// `YYYYMMDDhhmmss[.f…]Z`.
fn time_of(value: &Any) -> Result<DateTime<Utc>, String> {
    let text = std::str::from_utf8(value.value()).ok().filter(|_| value.tag() == Tag::GeneralizedTime);
    let text = text.and_then(|text| text.strip_suffix('Z')).ok_or("the time-stamp has no time in UTC")?;
    let read = NaiveDateTime::parse_from_str(text, "%Y%m%d%H%M%S%.f");
    read.map(|at| at.and_utc()).map_err(|e| format!("the time of the time-stamp is {text}: {e}"))
}

#[cfg(test)]
#[path = "timestamp_tests.rs"]
mod tests;
