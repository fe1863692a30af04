//! Passwords: argon2id with parameters from the configuration, and a bound on how many are hashed at once.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use rand::RngCore;

use crate::refusal::{Code, Refusal};
use crate::store::{Outcome, StoreError};

/// The fewest characters of a password.
pub const SHORTEST: usize = 12;
/// The most bytes of a password: argon2 itself would take 4 GiB from a stranger.
pub const LONGEST_BYTES: usize = 1024;

/// What one hash costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
    /// Hashes that run at the same time; memory is bounded by this times `memory_kib`.
    pub at_once: usize,
    /// Hashes that may wait for their turn; the next one is asked to come back.
    pub waiting: usize,
}

impl Default for PasswordCost {
    /// The first choice of the OWASP password storage sheet for argon2id: 19 MiB, 2 passes, 1 lane.
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, parallelism: 1, at_once: 2, waiting: 64 }
    }
}

/// Refuses a password that is too short, too long, or the user name.
///
/// # Errors
/// [`Refusal`] that names `field`.
pub fn check_rule(field: &str, username: &str, password: &str) -> Result<(), Refusal> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Err(Refusal::field(
            field,
            format!("密码至少{SHORTEST}个字符，现为{length}个"),
            format!("a password has at least {SHORTEST} characters, this one has {length}"),
        ));
    }
    if password.len() > LONGEST_BYTES {
        return Err(Refusal::field(
            field,
            format!("密码不得超过{LONGEST_BYTES}字节"),
            format!("a password has at most {LONGEST_BYTES} bytes"),
        ));
    }
    if password.trim().to_lowercase() == username.to_lowercase() {
        return Err(Refusal::field(field, "密码不得与用户名相同", "a password is not the user name"));
    }
    Ok(())
}

/// Hashes and verifies; clone it freely, the bound is shared.
#[derive(Clone)]
pub struct Hasher(Arc<Shared>);

struct Shared {
    argon: Argon2<'static>,
    /// What a password for an unknown user is compared with, so that it takes as long as a known one's.
    nobody: String,
    turns: Mutex<Turns>,
    free: Condvar,
    at_once: usize,
    waiting: usize,
}

#[derive(Default)]
struct Turns {
    running: usize,
    waiting: usize,
}

/// A turn at hashing, given back when dropped.
struct Turn<'a>(&'a Shared);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.turns.lock().unwrap_or_else(PoisonError::into_inner).running -= 1;
        self.0.free.notify_one();
    }
}

impl Hasher {
    /// A hasher at that cost.
    ///
    /// # Errors
    /// Where argon2 does not take the parameters.
    pub fn new(cost: &PasswordCost) -> Result<Self, String> {
        let params = Params::new(cost.memory_kib, cost.iterations, cost.parallelism, None)
            .map_err(|error| format!("password parameters: {error}"))?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut nobody = [0_u8; 32];
        rand::rng().fill_bytes(&mut nobody);
        let nobody = hash_with(&argon, &nobody)?;
        Ok(Self(Arc::new(Shared {
            argon,
            nobody,
            turns: Mutex::default(),
            free: Condvar::new(),
            at_once: cost.at_once.max(1),
            waiting: cost.waiting,
        })))
    }

    /// Hashes a password with a fresh salt. Blocks: call it where blocking is allowed.
    ///
    /// # Errors
    /// [`Code::Busy`] where too many wait already.
    pub fn hash(&self, password: &str) -> Outcome<String> {
        let _turn = self.turn()?;
        hash_with(&self.0.argon, password.as_bytes()).map_err(|text| StoreError::Other(text).into())
    }

    /// Whether `password` is the one of `hash`; without a hash it works as long and says no.
    ///
    /// # Errors
    /// [`Code::Busy`] where too many wait already.
    pub fn verify(&self, password: &str, hash: Option<&str>) -> Outcome<bool> {
        if password.len() > LONGEST_BYTES {
            return Ok(false);
        }
        let _turn = self.turn()?;
        let known = hash.and_then(|text| PasswordHash::new(text).ok());
        let stored = match &known {
            Some(stored) => stored.clone(),
            None => PasswordHash::new(&self.0.nobody).map_err(|e| StoreError::Other(e.to_string()))?,
        };
        let matches = self.0.argon.verify_password(password.as_bytes(), &stored).is_ok();
        Ok(matches && known.is_some())
    }

    fn turn(&self) -> Result<Turn<'_>, Refusal> {
        let shared = &*self.0;
        let mut turns = shared.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.running >= shared.at_once {
            if turns.waiting >= shared.waiting {
                return Err(Refusal::new(Code::Busy, "登录请求过多，请稍后再试", "too many logins at once: try again"));
            }
            turns.waiting += 1;
            while turns.running >= shared.at_once {
                turns = shared.free.wait(turns).unwrap_or_else(PoisonError::into_inner);
            }
            turns.waiting -= 1;
        }
        turns.running += 1;
        Ok(Turn(shared))
    }
}

fn hash_with(argon: &Argon2<'_>, password: &[u8]) -> Result<String, String> {
    let mut salt = [0_u8; 16];
    rand::rng().fill_bytes(&mut salt);
    let salt = SaltString::encode_b64(&salt).map_err(|error| error.to_string())?;
    argon.hash_password(password, &salt).map(|hash| hash.to_string()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap() -> Hasher {
        Hasher::new(&PasswordCost { memory_kib: 64, iterations: 1, ..PasswordCost::default() }).unwrap()
    }

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let hasher = cheap();
        let hash = hasher.hash("correct horse battery").unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(hasher.verify("correct horse battery", Some(&hash)).unwrap());
        assert!(!hasher.verify("correct horse batterz", Some(&hash)).unwrap());
        assert!(!hasher.verify("correct horse battery", None).unwrap());
        assert!(!hasher.verify("correct horse battery", Some("not a hash")).unwrap());
    }

    #[test]
    fn the_rule_counts_characters_and_refuses_the_user_name() {
        assert!(check_rule("password", "wang", "签发检验报告书密码十二字").is_ok());
        assert!(check_rule("password", "wang", "short").is_err());
        assert!(check_rule("password", "wang.xiaoming", "Wang.Xiaoming").is_err());
        assert!(check_rule("password", "wang", &"x".repeat(LONGEST_BYTES + 1)).is_err());
    }
}
