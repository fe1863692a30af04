//! Electronic signatures: who signs proves it with the password, at that moment (21 CFR 11.200; GMP
//! 计算机化系统 appendix: a signature is equal to one by hand).

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use serde_json::json;

use super::Identity;
use crate::record::{Actor, Change, record};
use crate::refusal::{Code, Refusal};
use crate::store::columns::{AccountId, SignatureId};
use crate::store::rows::SignatureRow;
use crate::store::schema::signature;
use crate::store::{AnyConnection, Outcome};

/// For how many seconds a password just given stands for its owner.
pub const FRESH_SECONDS: i64 = 120;

/// Proof that the actor gave the right password just now. Only [`Identity::reauthenticate`] makes one.
#[derive(Clone, Debug)]
pub struct Reauthenticated {
    account: AccountId,
    at: DateTime<Utc>,
}

impl Identity {
    /// Checks the password of somebody already logged in. Failures lock signing for a while, and a stranger cannot add to
    /// them.
    ///
    /// # Errors
    /// [`Code::BadCredentials`], [`Code::AccountLocked`], [`Code::Busy`].
    pub fn reauthenticate(&self, actor: &Actor, password: &str) -> Outcome<Reauthenticated> {
        let now = self.clock.now();
        let proven = self.confirm(actor, password, "signature")?;
        if proven.account != actor.account {
            return Err(Refusal::new(Code::Forbidden, "只能以本人身份签名", "one signs for oneself only").into());
        }
        Ok(Reauthenticated { account: proven.account, at: now })
    }
}

impl Reauthenticated {
    /// Whose password it was.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// Signs `subject` with its content's SHA-256, inside the caller's transaction, and tells the trail.
    /// `meaning` is what the signature stands for, e.g. `authorised`.
    ///
    /// # Errors
    /// [`Code::Forbidden`] where the proof is somebody else's, [`Code::BadCredentials`] where it is older than
    /// [`FRESH_SECONDS`], [`Code::InvalidField`] where `content_sha256` is not one.
    pub fn sign(
        &self,
        conn: &mut AnyConnection,
        actor: &Actor,
        at: DateTime<Utc>,
        meaning: &str,
        subject: (&'static str, &str),
        content_sha256: &str,
    ) -> Outcome<SignatureId> {
        self.check(actor, at)?;
        let (kind, id) = subject;
        if content_sha256.len() != 64 || !content_sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(Refusal::field("content_sha256", "不是SHA-256值", "is not a SHA-256 in hex").into());
        }
        let row = SignatureRow {
            id: SignatureId::new(),
            account_id: actor.account.clone(),
            meaning: meaning.to_owned(),
            subject_kind: kind.to_owned(),
            subject_id: id.to_owned(),
            content_sha256: content_sha256.to_owned(),
            signed_at: at.into(),
        };
        diesel::insert_into(signature::table).values(&row).execute(conn)?;
        let content = json!({"signature": row.id, "meaning": meaning, "content_sha256": content_sha256});
        record(conn, actor, at, vec![Change::created("signature.give", kind, id, content)])?;
        Ok(row.id)
    }

    fn check(&self, actor: &Actor, at: DateTime<Utc>) -> Result<(), Refusal> {
        if actor.account != self.account {
            return Err(Refusal::new(Code::Forbidden, "只能以本人身份签名", "one signs for oneself only"));
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
