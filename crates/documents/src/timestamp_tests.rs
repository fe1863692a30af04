use sha2::{Digest, Sha256};

use super::*;
use crate::certificates_from_pem;

/// What OpenSSL's authority answered to a request about the SHA-256 of `x`, and the root above it.
const ANSWER: &[u8] = include_bytes!("data/timestamp/r.tsr");
const ROOT: &str = include_str!("data/timestamp/root.pem");
const NONCE: u64 = 0x3C41_3B01_A826_846E;

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

#[test]
fn a_request_names_the_hash_and_asks_for_the_certificate() {
    let request = timestamp_request(&hash("x"), NONCE).expect("a request");
    let read = TimeStampReq::from_der(&request).expect("DER");
    assert_eq!((read.version, read.nonce, read.cert_req), (1, Some(NONCE), true));
    assert_eq!(read.message_imprint.hashed_message.as_bytes(), hash("x"));
}

#[test]
fn the_token_of_an_answer_is_about_the_hash_and_the_request() {
    let token = timestamp_token(ANSWER, &hash("x"), NONCE).expect("a token");
    let roots = certificates_from_pem(ROOT).expect("a root");
    let stamp = check_timestamp(&token, &hash("x"), &roots).expect("it fits");
    assert_eq!((stamp.authority.as_str(), stamp.trust), ("Test time-stamp authority", Trust::Trusted));
    assert_eq!(stamp.at.format("%Y-%m-%dT%H:%M:%S%.3f").to_string(), "2026-12-01T05:15:36.962");
    assert_eq!(check_timestamp(&token, &hash("x"), &[]).map(|stamp| stamp.trust), Ok(Trust::Unknown));
    assert!(check_timestamp(&token, &hash("y"), &roots).is_err_and(|why| why.contains("another hash")));
    assert!(timestamp_token(ANSWER, &hash("x"), 7).is_err_and(|why| why.contains("another request")));
    assert!(timestamp_token(b"HTTP", &hash("x"), NONCE).is_err());
}

/// A bit of what is stamped, of the attributes or of the signature is never changed unseen.
#[test]
fn a_changed_token_does_not_fit() {
    let token = timestamp_token(ANSWER, &hash("x"), NONCE).expect("a token");
    let roots = certificates_from_pem(ROOT).expect("a root");
    let before = check_timestamp(&token, &hash("x"), &roots).expect("it fits");
    for at in 0..token.len() {
        let mut other = token.clone();
        other[at] ^= 1;
        if let Ok(after) = check_timestamp(&other, &hash("x"), &roots) {
            // What nothing signs says nothing: versions, and how the signer is named. Where a certificate was changed, the
            // token is trusted no more.
            assert_eq!(after.at, before.at);
            if after.trust == Trust::Trusted {
                assert_eq!(after.authority, before.authority);
            }
        }
    }
}
