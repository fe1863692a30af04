//! Keys in every form that an institute may have them in.

use std::process::Command;

use chrono::{DateTime, Utc};

use super::specimens::specimen;
use super::*;

fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-03-30T02:00:00Z").expect("date").to_utc()
}

fn sign_and_verify(key: &SigningKey, root_pem: &str) -> VerifyReport {
    let data = specimen(CertificateKind::LotRelease);
    let plain = Typesetter::new(None).expect("layouts").render(&data, now()).expect("typeset");
    let info = SignInfo { reason: String::new(), location: String::new(), name: "张三".to_owned(), time: now() };
    let pdf = sign(&plain, key, &info).expect("signed");
    verify(&pdf, &certificates_from_pem(root_pem).expect("root"), now())
}

/// Runs openssl in `folder`; false where it is not installed.
fn openssl(folder: &std::path::Path, line: &str) -> bool {
    let run = Command::new("openssl").args(line.split_whitespace()).current_dir(folder).output();
    match run {
        Ok(output) => {
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "openssl {line}: {error}");
            true
        }
        Err(_) => {
            eprintln!("openssl is not installed: its keys are not tried");
            false
        }
    }
}

#[test]
fn the_demonstration_key_is_written_and_read_back() {
    let folder = tempfile::tempdir().expect("folder");
    let ca = TestCa::create("示范院", &mut OsRng, now()).expect("test CA");
    let (root, signer) = ca.write(&folder.path().join("keys")).expect("written");
    let key = SigningKey::load(&signer, None).expect("key");
    let root = std::fs::read_to_string(root).expect("root");
    assert!(!root.contains("PRIVATE"));
    let report = sign_and_verify(&key, &root);
    assert!(report.is_unchanged() && report.trusted == Trust::Trusted, "{report:?}");
    assert!(!format!("{key:?}").contains("BEGIN"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&signer).expect("file").permissions().mode();
        assert_eq!(mode & 0o077, 0, "the key is its owner's alone");
    }
}

#[test]
fn keys_that_do_not_fit_are_refused() {
    let one = TestCa::create("甲", &mut OsRng, now()).expect("test CA");
    let two = TestCa::create("乙", &mut OsRng, now()).expect("test CA");
    let (key, _) = one.signer_pem.split_once("-----BEGIN CERTIFICATE").expect("parts");
    let mixed = format!("{key}{}", two.root_pem);
    assert!(matches!(SigningKey::from_pem(&mixed, None), Err(KeyError::Mismatch)));
    assert!(matches!(SigningKey::from_pem(key, None), Err(KeyError::NoCertificate)));
    assert!(matches!(SigningKey::from_pem(&one.root_pem, None), Err(KeyError::NoKey)));
    assert!(matches!(SigningKey::from_pem("", None), Err(KeyError::NoKey)));
    assert!(matches!(SigningKey::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA", None), Err(KeyError::Pem(_))));
    assert!(matches!(SigningKey::from_pkcs12(b"nothing", "x"), Err(KeyError::Pkcs12(_))));
}

#[test]
fn keys_made_by_openssl_sign() {
    let folder = tempfile::tempdir().expect("folder");
    let dir = folder.path();
    for kind in ["rsa:2048", "ec -pkeyopt ec_paramgen_curve:P-256"] {
        // The certificates' dates are those of today, and the documents of this test are not
        // trusted for that; that they are intact is what is asked here.
        let root = format!(
            "req -x509 -nodes -newkey {kind} -keyout root.key -out root.pem -days 9000 \
             -subj /O=Institute/CN=Root"
        );
        if !openssl(dir, &root) {
            return;
        }
        openssl(dir, &format!("req -nodes -newkey {kind} -keyout leaf.key -out leaf.csr -subj /O=Institute/CN=Signer"));
        openssl(dir, "x509 -req -in leaf.csr -CA root.pem -CAkey root.key -CAcreateserial -out leaf.pem -days 3000");
        openssl(dir, "pkcs8 -topk8 -in leaf.key -out leaf.enc -passout pass:geheim");
        openssl(
            dir,
            "pkcs12 -export -inkey leaf.key -in leaf.pem -certfile root.pem -out leaf.p12 -passout pass:geheim",
        );

        let read = |name: &str| std::fs::read_to_string(dir.join(name)).expect("file");
        let root = read("root.pem");
        let plain = format!("{}{}{root}", read("leaf.pem"), read("leaf.key"));
        let encrypted = format!("{}{}", read("leaf.enc"), read("leaf.pem"));
        let keys = [
            SigningKey::from_pem(&plain, None).expect("plain"),
            SigningKey::from_pem(&encrypted, Some("geheim")).expect("encrypted"),
            SigningKey::load(&dir.join("leaf.p12"), Some("geheim")).expect("PKCS#12"),
        ];
        for key in &keys {
            assert_eq!(key.signer_name(), "Signer");
            assert_eq!(key.chain().len(), 1, "the root is not sent along");
            let report = sign_and_verify(key, &root);
            assert!(report.is_unchanged(), "{kind}: {report:?}");
        }
        assert!(matches!(SigningKey::from_pem(&encrypted, None), Err(KeyError::PassphraseMissing)));
        assert!(SigningKey::from_pem(&encrypted, Some("wrong")).is_err());
        assert!(SigningKey::load(&dir.join("leaf.p12"), Some("wrong")).is_err());
    }
}
