//! Electronic signatures: who signs proves it with the password, and with the second factor where there is one (21 CFR
//! 11.200; GMP 计算机化系统 appendix: a signature is equal to one by hand).
//!
//! A series of reviews rests on one password for a short time, within one session: the grace. The log-in of the session
//! counts as the first. What leaves the house, and what is taken back, is signed with a password of its own.

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Identity;
use super::session::Confirming;
use crate::record::{Actor, Change, record};
use crate::refusal::{Code, Refusal};
use crate::secrets::Password;
use crate::store::columns::{AccountId, SignatureId};
use crate::store::rows::SignatureRow;
use crate::store::schema::signature;
use crate::store::{AnyConnection, Failure, Outcome};
use crate::vocabulary::SignatureMeaning;

/// For how many seconds a proof just made stands for its owner.
pub const FRESH_SECONDS: i64 = 120;

/// Whether a password that was given a short time ago counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grace {
    /// One of a series of reviews.
    Counts,
    /// Every signature asks for the password.
    Never,
}

/// Proof that the actor gave the right password just now, or within the grace of the session. Only
/// [`Identity::prove`] makes one.
#[derive(Clone, Debug)]
pub struct Reauthenticated {
    account: AccountId,
    /// When it was proven that the password counts.
    at: DateTime<Utc>,
    /// When the password was given.
    password_at: DateTime<Utc>,
}

/// What a signature is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedContent {
    /// SHA-256 of what was approved: of its canonical form, or of the file that was issued.
    pub sha256: String,
    /// Of a file, that of the data in it.
    pub data_sha256: Option<String>,
}

impl SignedContent {
    /// The canonical form of what was approved.
    #[must_use]
    pub fn of(content: &Value) -> Self {
        Self { sha256: canonical_sha256(content), data_sha256: None }
    }
}

/// SHA-256 of a tree in one form: names in their order, nothing between the tokens. How a map orders its names is a
/// choice of the build, and makes no difference here.
#[must_use]
pub fn canonical_sha256(content: &Value) -> String {
    let mut text = String::new();
    write_canonical(content, &mut text);
    hex::encode(Sha256::digest(text))
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort();
            for (at, name) in names.into_iter().enumerate() {
                text.push(if at == 0 { '{' } else { ',' });
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write_canonical(&fields[name], text);
            }
            text.push_str(if fields.is_empty() { "{}" } else { "}" });
        }
        Value::Array(all) => {
            for (at, one) in all.iter().enumerate() {
                text.push(if at == 0 { '[' } else { ',' });
                write_canonical(one, text);
            }
            text.push_str(if all.is_empty() { "[]" } else { "]" });
        }
        plain => text.push_str(&plain.to_string()),
    }
}

impl Identity {
    /// Proves that somebody who is logged in is still the one who acts: by the password, with the code of the second
    /// factor where the account has one, or, where `grace` counts, by a password that was given in the same session a
    /// short time ago. Wrong ones stop the confirming of passwords for a while; a stranger cannot add to them.
    ///
    /// # Errors
    /// [`Code::SignatureNeeded`] without a password, [`Code::BadCredentials`], [`Code::AccountLocked`], [`Code::Busy`].
    pub fn prove(
        &self,
        actor: &Actor,
        password: Option<&Password>,
        code: Option<&str>,
        grace: Grace,
    ) -> Outcome<Reauthenticated> {
        let now = self.clock.now();
        let given = password.map(Password::reveal).filter(|text| !text.is_empty());
        let Some(given) = given else {
            let password_at = self.graced(actor, now).filter(|_| grace == Grace::Counts).ok_or_else(needed)?;
            return Ok(Reauthenticated { account: actor.account.clone(), at: now, password_at });
        };
        let session = actor.session.as_ref().map(|own| own.family.clone());
        let code = Some(code.map(str::to_owned));
        let asked = Confirming { purpose: "signature", code, session };
        let proven = self.confirm_as(actor, given, asked).map_err(at_password)?;
        if proven.account != actor.account {
            return Err(somebody_else().into());
        }
        Ok(Reauthenticated { account: proven.account, at: now, password_at: now })
    }

    /// When the password was given that still counts for a series of reviews.
    #[must_use]
    pub fn graced(&self, actor: &Actor, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let proven = actor.session.as_ref()?.proven_at?;
        within(proven, now, self.rules.sign_grace).then_some(proven)
    }
}

/// Whether a password given then still counts.
fn within(proven: DateTime<Utc>, now: DateTime<Utc>, grace: Duration) -> bool {
    let age = now - proven;
    grace > Duration::zero() && age >= Duration::zero() && age <= grace
}

fn somebody_else() -> Refusal {
    Refusal::new(Code::Forbidden, "只能以本人身份签名", "one signs for oneself only")
}

/// A wrong password is shown at its field.
fn at_password(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(refusal) => refusal.at("password").into(),
        other => other,
    }
}

fn needed() -> Refusal {
    Refusal::new(
        Code::SignatureNeeded,
        "此项须以密码签名（启用双因素验证的，还须验证码）",
        "this is signed: give the password (and the code, where the account has a second factor)",
    )
    .at("password")
}

impl Reauthenticated {
    /// Whose password it was.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// Signs `subject` with the hash of its content, inside the caller's transaction, and tells the trail.
    ///
    /// # Errors
    /// [`Code::Forbidden`] where the proof is somebody else's, [`Code::BadCredentials`] where it is older than
    /// [`FRESH_SECONDS`], [`Code::InvalidField`] where a hash is not one.
    pub fn sign(
        &self,
        conn: &mut AnyConnection,
        actor: &Actor,
        at: DateTime<Utc>,
        meaning: SignatureMeaning,
        subject: (&'static str, &str),
        content: &SignedContent,
    ) -> Outcome<SignatureId> {
        self.check(actor, at)?;
        let (kind, id) = subject;
        let is_hash = |text: &str| text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !is_hash(&content.sha256) || content.data_sha256.as_deref().is_some_and(|text| !is_hash(text)) {
            return Err(Refusal::field("content_sha256", "不是SHA-256值", "is not a SHA-256 in hex").into());
        }
        let row = SignatureRow {
            id: SignatureId::new(),
            account_id: actor.account.clone(),
            meaning,
            subject_kind: kind.to_owned(),
            subject_id: id.to_owned(),
            content_sha256: content.sha256.clone(),
            signed_at: at.into(),
            password_at: Some(self.password_at.into()),
            data_sha256: content.data_sha256.clone(),
        };
        diesel::insert_into(signature::table).values(&row).execute(conn)?;
        let content = json!({"signature": row.id, "meaning": meaning, "content_sha256": row.content_sha256,
            "data_sha256": row.data_sha256, "password_at": row.password_at});
        record(conn, actor, at, vec![Change::created("signature.give", kind, id, content).in_version(2)])?;
        Ok(row.id)
    }

    fn check(&self, actor: &Actor, at: DateTime<Utc>) -> Result<(), Refusal> {
        if actor.account != self.account {
            return Err(somebody_else());
        }
        let age = at - self.at;
        if age > Duration::seconds(FRESH_SECONDS) || age < Duration::zero() {
            return Err(Refusal::new(
                Code::BadCredentials,
                "密码确认已过期，请重新输入密码",
                "the password was given too long ago: give it again",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_grace_is_short_and_none_where_it_is_nought() {
        let then = DateTime::UNIX_EPOCH;
        let after = |seconds| then + Duration::seconds(seconds);
        let grace = Duration::seconds(300);
        assert!(within(then, then, grace) && within(then, after(300), grace));
        assert!(!within(then, after(301), grace) && !within(after(1), then, grace), "over, and a clock set back");
        assert!(!within(then, then, Duration::zero()), "every time");
    }

    #[test]
    fn the_databases_know_the_same_meanings() {
        let both = [
            include_str!("../../migrations/sqlite/0029_keeping/up.sql"),
            include_str!("../../migrations/postgres/0029_keeping/up.sql"),
        ];
        for text in both {
            let list = text.split("NEW.meaning NOT IN (").nth(1).and_then(|rest| rest.split(')').next());
            let known: BTreeSet<&str> =
                list.unwrap_or_default().split(", ").map(|word| word.trim_matches('\'')).collect();
            let words: BTreeSet<&str> = SignatureMeaning::ALL.iter().map(|one| one.as_str()).collect();
            assert_eq!(known, words);
        }
    }

    #[test]
    fn one_content_has_one_hash_and_another_has_another() {
        let one = serde_json::from_str::<Value>(r#"{"b": [1, "x"], "a": {"d": null, "c": {}}}"#).expect("a tree");
        let same = serde_json::from_str::<Value>(r#"{"a":{"c":{},"d":null},"b":[1,"x"]}"#).expect("a tree");
        assert_eq!(canonical_sha256(&one), canonical_sha256(&same));
        let known = hex::encode(Sha256::digest(r#"{"a":{"c":{},"d":null},"b":[1,"x"]}"#));
        assert_eq!(canonical_sha256(&one), known);
        for other in [r#"{"a":{"c":{},"d":null},"b":["x",1]}"#, r#"{"a":{"c":[],"d":null},"b":[1,"x"]}"#] {
            assert_ne!(canonical_sha256(&serde_json::from_str(other).expect("a tree")), known);
        }
    }
}
