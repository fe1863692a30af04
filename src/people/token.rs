//! Tokens: short signed ones for access, long random ones for refreshing.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use hmac::{Hmac, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::record::Actor;
use crate::refusal::{Code, Refusal};
use crate::secrets;
use crate::store::StoreError;
use crate::store::columns::SessionId;
use crate::vocabulary::Role;

const ISSUER: &str = "qianfa";

/// What an access token says.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Claims {
    /// Who issued it: this program.
    pub iss: String,
    /// The account.
    pub sub: String,
    /// The session's row, which changes with every refresh.
    pub sid: String,
    /// The session from its log-in to its end.
    #[serde(default)]
    pub fam: String,
    /// The roles at the time; what is permitted is decided by the account's roles now.
    pub roles: Vec<Role>,
    /// The institute, for staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inst: Option<String>,
    /// The applicant, for an applicant's account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appl: Option<String>,
    /// Seconds since 1970 when it was issued.
    pub iat: i64,
    /// Seconds since 1970 when it ends.
    pub exp: i64,
}

/// Issues and reads tokens.
pub struct Tokens {
    sign: EncodingKey,
    read: DecodingKey,
    check: Validation,
    key: Vec<u8>,
}

impl Tokens {
    /// Tokens under the key in `path`, made on first start.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn open(path: &Path) -> Result<Self, String> {
        let text = secrets::read_or_create(path, || Ok(hex::encode(secrets::random_key())))?;
        let key = hex::decode(text.trim()).ok().filter(|key| key.len() >= 32);
        let key = key.ok_or_else(|| format!("{}: expected a key of at least 64 hex digits", path.display()))?;
        let mut check = Validation::new(Algorithm::HS256);
        check.set_issuer(&[ISSUER]);
        check.required_spec_claims = ["iss", "sub", "exp"].into_iter().map(str::to_owned).collect();
        // The end of a token is compared with the injected clock, below.
        check.validate_exp = false;
        check.validate_aud = false;
        Ok(Self { sign: EncodingKey::from_secret(&key), read: DecodingKey::from_secret(&key), check, key })
    }

    /// An access token for `actor` in `session`, from `now` for `life`.
    ///
    /// # Errors
    /// The signing library's.
    pub fn issue(
        &self,
        actor: &Actor,
        (session, family): (&SessionId, &str),
        now: DateTime<Utc>,
        life: Duration,
    ) -> Result<String, StoreError> {
        let claims = Claims {
            iss: ISSUER.into(),
            sub: actor.account.to_string(),
            sid: session.to_string(),
            fam: family.to_owned(),
            roles: actor.roles.clone(),
            inst: actor.institute.as_ref().map(ToString::to_string),
            appl: actor.applicant.as_ref().map(ToString::to_string),
            iat: now.timestamp(),
            exp: (now + life).timestamp(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.sign)
            .map_err(|error| StoreError::Other(format!("access token: {error}")))
    }

    /// The token against forged requests of a session: who does not know the key cannot make one for another session.
    #[must_use]
    pub fn csrf(&self, family: &str) -> String {
        // A key of any length is taken.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return random_text() };
        mac.update(b"csrf:");
        mac.update(family.as_bytes());
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }

    /// Which session a genuine access token is of, over or not.
    #[must_use]
    pub fn family_of(&self, token: &str) -> Option<String> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.read, &self.check).ok()?.claims;
        Some(claims.fam).filter(|family| !family.is_empty())
    }

    /// Reads an access token that is genuine and not over at `now`.
    ///
    /// # Errors
    /// [`Code::Unauthenticated`].
    pub fn read(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, Refusal> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.read, &self.check)
            .map_err(|_| Refusal::new(Code::Unauthenticated, "访问令牌无效", "the access token is not valid"))?
            .claims;
        if claims.exp <= now.timestamp() {
            return Err(Refusal::new(Code::Unauthenticated, "访问令牌已过期", "the access token has expired"));
        }
        Ok(claims)
    }
}

/// A refresh token: as handed out, and as stored.
pub struct RefreshToken {
    /// 32 random bytes, for the client alone.
    pub secret: String,
    /// SHA-256 of it, for the database.
    pub sha256: String,
}

impl RefreshToken {
    /// A fresh one.
    #[must_use]
    pub fn new() -> Self {
        let secret = random_text();
        let sha256 = sha256_of(&secret);
        Self { secret, sha256 }
    }
}

impl Default for RefreshToken {
    fn default() -> Self {
        Self::new()
    }
}

/// 32 random bytes as text.
#[must_use]
pub fn random_text() -> String {
    URL_SAFE_NO_PAD.encode(secrets::random_key())
}

/// How a refresh token is stored.
#[must_use]
pub fn sha256_of(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}
