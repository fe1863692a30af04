//! The second factor: codes of an authenticator app (RFC 6238), each good once, and recovery codes for a lost one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use totp_rs::{Builder, Secret, Totp};

use super::token::sha256_of;
use super::vault::Vault;
use crate::secrets;
use crate::store::columns::{AccountId, Instant};
use crate::store::rows::SecondFactorRow;
use crate::store::schema::{recovery_code, second_factor};
use crate::store::{AnyConnection, Outcome, StoreError};

/// How many recovery codes there are.
const RECOVERY_CODES: usize = 10;
/// Letters and digits of a recovery code (Crockford's base 32), without letters that are taken for digits.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A second factor before it is confirmed: what its owner puts into the app, and what to keep for the day it is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// The secret, in base 32.
    pub secret: String,
    /// Each opens a session once.
    pub recovery_codes: Vec<String>,
}

impl Offered {
    /// A fresh one.
    #[must_use]
    pub fn new() -> Self {
        let secret = Secret::from(secrets::random_key().get(..20).unwrap_or_default().to_vec());
        Self { secret: secret.to_base32(), recovery_codes: (0..RECOVERY_CODES).map(|_| recovery()).collect() }
    }

    /// The address that an authenticator app reads from a picture.
    ///
    /// # Errors
    /// The library's.
    pub fn address(&self, username: &str) -> Outcome<String> {
        let name = username.replace(':', "-");
        let totp = builder(&self.secret)?.with_issuer(Some("Qianfa")).with_account_name(name).build();
        let address = totp.and_then(|totp| totp.to_url());
        Ok(address.map_err(|error| StoreError::Other(format!("second factor: {error}")))?)
    }
}

impl Default for Offered {
    fn default() -> Self {
        Self::new()
    }
}

/// Ten letters in two groups: fifty bits.
fn recovery() -> String {
    let letter = |byte: &u8| LETTERS.get(usize::from(byte % 32)).copied().map_or('a', char::from);
    let text: String = secrets::random_key().iter().take(10).map(letter).collect();
    let (one, other) = text.split_at(5);
    format!("{one}-{other}")
}

fn builder(secret: &str) -> Outcome<Builder> {
    let secret =
        Secret::try_from_base32(secret).map_err(|error| StoreError::Other(format!("second factor: {error}")))?;
    Ok(Builder::new().with_secret(secret))
}

/// The step of a code that is right at `now` and later than `last`.
///
/// # Errors
/// A stored secret that cannot be read.
pub(crate) fn step_of(secret: &str, code: &str, now: DateTime<Utc>, last: i64) -> Outcome<Option<i64>> {
    let totp: Totp = builder(secret)?
        .with_account_name("account")
        .build()
        .map_err(|error| StoreError::Other(format!("second factor: {error}")))?;
    let (Ok(seconds), code) = (u64::try_from(now.timestamp()), plain(code)) else { return Ok(None) };
    let step = totp.check(&code, seconds).and_then(|step| i64::try_from(step).ok());
    Ok(step.filter(|step| *step > last))
}

/// A code as it was typed, without blanks and in small letters.
fn plain(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

/// How a recovery code is kept. It has too many values to be guessed from a fast hash of one account's.
pub(crate) fn kept(account: &AccountId, code: &str) -> String {
    let plain: String = plain(code).chars().filter(|c| *c != '-').collect();
    sha256_of(&format!("{account}:{plain}"))
}

/// What is sealed of a second factor.
pub(crate) fn sealed(vault: &Vault, account: &AccountId, offered: &Offered) -> Outcome<String> {
    let text = serde_json::to_string(offered).map_err(|error| StoreError::Other(error.to_string()))?;
    vault.seal(account.as_str(), &STANDARD.encode(text))
}

/// The same, opened.
pub(crate) fn opened(vault: &Vault, row: &SecondFactorRow) -> Outcome<Offered> {
    let unreadable = |error: String| StoreError::Other(format!("second factor of {}: {error}", row.account_id));
    let text = vault.unseal(row.account_id.as_str(), &row.sealed)?;
    let bytes = STANDARD.decode(text).map_err(|error| unreadable(error.to_string()))?;
    Ok(serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?)
}

/// The second factor of an account, confirmed or not.
pub(crate) fn factor_of(conn: &mut AnyConnection, account: &AccountId) -> Outcome<Option<SecondFactorRow>> {
    Ok(second_factor::table.find(account).select(SecondFactorRow::as_select()).first(conn).optional()?)
}

/// Whether an account has one that it confirmed.
pub(super) fn is_confirmed(conn: &mut AnyConnection, account: &AccountId) -> Outcome<bool> {
    Ok(factor_of(conn, account)?.is_some_and(|row| row.confirmed_at.is_some()))
}

/// How somebody passed the second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    /// The account has none.
    None,
    App,
    Recovery,
}

/// Uses a code up, inside the caller's transaction; `None` where it is not right. An account without a confirmed second
/// factor passes with any.
pub(super) fn pass(
    conn: &mut AnyConnection,
    vault: &Vault,
    account: &AccountId,
    code: Option<&str>,
    now: DateTime<Utc>,
) -> Outcome<Option<Passed>> {
    let Some(row) = factor_of(conn, account)?.filter(|row| row.confirmed_at.is_some()) else {
        return Ok(Some(Passed::None));
    };
    let Some(code) = code.filter(|code| !code.trim().is_empty()) else { return Ok(None) };
    if let Some(step) = step_of(&opened(vault, &row)?.secret, code, now, row.last_step)? {
        diesel::update(second_factor::table.find(account)).set(second_factor::last_step.eq(step)).execute(conn)?;
        return Ok(Some(Passed::App));
    }
    let used = diesel::update(
        recovery_code::table.find((account, kept(account, code))).filter(recovery_code::used_at.is_null()),
    )
    .set(recovery_code::used_at.eq(Instant::from(now)))
    .execute(conn)?;
    Ok((used == 1).then_some(Passed::Recovery))
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    /// RFC 6238, appendix B, cut to six digits.
    const RFC: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn the_codes_are_those_of_the_standard_and_none_counts_twice() {
        let at = |seconds| Utc.timestamp_opt(seconds, 0).single().unwrap();
        let step = |code: &str, seconds, last| step_of(RFC, code, at(seconds), last).unwrap();
        assert_eq!(step("287082", 59, 0), Some(1));
        assert_eq!(step("081804", 1_111_111_109, 0), Some(37_037_036));
        assert_eq!(step(" 081 804 ", 1_111_111_109, 0), Some(37_037_036), "as an app shows it");
        assert_eq!(step("081804", 1_111_111_109, 37_037_036), None, "used");
        assert_eq!(step("081804", 1_111_111_139, 0), Some(37_037_036), "the clocks differ by one step");
        assert_eq!(step("081804", 1_111_111_171, 0), None, "too old");
        for wrong in ["", "081805", "81804", "0818040", "abcdef", "０８１８０４"] {
            assert_eq!(step(wrong, 1_111_111_109, 0), None, "{wrong}");
        }
    }

    #[test]
    fn recovery_codes_differ_and_are_known_as_typed() {
        let offered = Offered::new();
        let each: std::collections::BTreeSet<&String> = offered.recovery_codes.iter().collect();
        assert_eq!(each.len(), RECOVERY_CODES);
        let account = AccountId::from("a1");
        assert_eq!(kept(&account, "abcde-fghjk"), kept(&account, " ABCDE FGHJK "));
        assert_ne!(kept(&account, "abcde-fghjk"), kept(&AccountId::from("a2"), "abcde-fghjk"));
        assert!(offered.address("wang").unwrap().starts_with("otpauth://totp/"));
    }
}
