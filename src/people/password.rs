//! Passwords: argon2id with parameters from the configuration, on a few threads of its own that keep their memory: a
//! flood of log-ins neither grows it nor takes the threads of other requests for long.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::{Output, ParamsString, PasswordHash, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use rand::RngCore;
use zxcvbn::{Score, zxcvbn};

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
    /// Threads that hash, each with its own memory: it is bounded by their number times `memory_kib`.
    pub at_once: usize,
    /// Hashes that may wait for their turn; the next one is asked to come back.
    pub waiting: usize,
}

impl Default for PasswordCost {
    /// The first choice of the OWASP password storage sheet for argon2id: 19 MiB, 2 passes, 1 lane.
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, parallelism: 1, at_once: 2, waiting: 32 }
    }
}

/// Whether a password is among the first that are tried: a common one, a pattern of the keyboard, a repetition, a date,
/// or made of the user name.
fn is_common(username: &str, password: &str) -> bool {
    let joined = username.replace(['.', '_', '-'], "");
    let parts = username.split(['.', '_', '-']).chain([username, joined.as_str()]);
    let known: Vec<&str> = parts.filter(|part| part.len() > 2).collect();
    zxcvbn(password, &known).score() < Score::Three
}

/// Refuses a password that is too short, too long, the user name, or easily guessed.
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
    if is_common(username, password) {
        return Err(Refusal::field(
            field,
            "密码过于常见或容易猜中（常用密码、键盘顺序、重复、日期、用户名），请另选",
            "the password is common or easily guessed (known ones, rows of keys, repetitions, dates, the user name): \
             choose another",
        ));
    }
    Ok(())
}

/// Hashes and verifies; clone it freely, the threads are shared.
#[derive(Clone)]
pub struct Hasher(Arc<Shared>);

struct Shared {
    jobs: SyncSender<Job>,
    /// What a password for an unknown user is compared with, so that it takes as long as a known one's.
    nobody: String,
}

/// What a thread is asked for. Its end answers whoever waits.
struct Job {
    password: String,
    /// The hash that it is compared with; none where one is to be made.
    with: Option<String>,
    answer: SyncSender<Result<Answer, String>>,
}

enum Answer {
    Hash(String),
    Matches(bool),
}

/// A thread's own memory, and what a new hash costs.
struct Furnace {
    params: Params,
    blocks: Vec<Block>,
}

impl Hasher {
    /// A hasher at that cost; its threads end with its last clone.
    ///
    /// # Errors
    /// Where argon2 does not take the parameters, or the system gives no thread.
    pub fn new(cost: &PasswordCost) -> Result<Self, String> {
        let params = Params::new(cost.memory_kib, cost.iterations, cost.parallelism, None)
            .map_err(|error| format!("password parameters: {error}"))?;
        let mut nobody = [0_u8; 32];
        rand::rng().fill_bytes(&mut nobody);
        let nobody = Furnace::new(params.clone()).hash(&nobody)?;
        let (jobs, waiting) = sync_channel(cost.waiting);
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..cost.at_once.max(1) {
            let (waiting, furnace) = (waiting.clone(), Furnace::new(params.clone()));
            let thread = std::thread::Builder::new().name(format!("password-{number}"));
            thread
                .spawn(move || work(&waiting, furnace))
                .map_err(|error| format!("a thread for passwords: {error}"))?;
        }
        Ok(Self(Arc::new(Shared { jobs, nobody })))
    }

    /// Hashes a password with a fresh salt. Blocks: call it where blocking is allowed.
    ///
    /// # Errors
    /// [`Code::Busy`] where too many wait already.
    pub fn hash(&self, password: &str) -> Outcome<String> {
        match self.ask(password, None)? {
            Answer::Hash(hash) => Ok(hash),
            Answer::Matches(_) => Err(StoreError::Other("a hash was asked for".into()).into()),
        }
    }

    /// Whether `password` is the one of `hash`; without a hash it works as long and says no.
    ///
    /// # Errors
    /// [`Code::Busy`] where too many wait already.
    pub fn verify(&self, password: &str, hash: Option<&str>) -> Outcome<bool> {
        if password.len() > LONGEST_BYTES {
            return Ok(false);
        }
        let known = hash.filter(|text| PasswordHash::new(text).is_ok());
        let matches = self.ask(password, Some(known.unwrap_or(&self.0.nobody)))?;
        Ok(matches!(matches, Answer::Matches(true)) && known.is_some())
    }

    fn ask(&self, password: &str, with: Option<&str>) -> Outcome<Answer> {
        let (answer, answered) = sync_channel(1);
        let job = Job { password: password.to_owned(), with: with.map(str::to_owned), answer };
        match self.0.jobs.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                return Err(
                    Refusal::new(Code::Busy, "登录请求过多，请稍后再试", "too many logins at once: try again").into()
                );
            }
            Err(TrySendError::Disconnected(_)) => {
                return Err(StoreError::Other("nobody hashes passwords".into()).into());
            }
        }
        let inside = |error: String| StoreError::Other(format!("password: {error}")).into();
        answered.recv().map_err(|error| inside(error.to_string()))?.map_err(inside)
    }
}

/// A thread's work: one password after the other, until nobody can ask any more.
fn work(jobs: &Mutex<Receiver<Job>>, mut furnace: Furnace) {
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { password, with, answer }) = next else { return };
        let done = match with {
            None => furnace.hash(password.as_bytes()).map(Answer::Hash),
            Some(hash) => furnace.matches(password.as_bytes(), &hash).map(Answer::Matches),
        };
        // Whoever asked may have gone.
        let _ = answer.send(done);
    }
}

impl Furnace {
    fn new(params: Params) -> Self {
        Self { params, blocks: Vec::new() }
    }

    fn hash(&mut self, password: &[u8]) -> Result<String, String> {
        let mut salt = [0_u8; 16];
        rand::rng().fill_bytes(&mut salt);
        let params = self.params.clone();
        let output = self.burn(Algorithm::Argon2id, Version::V0x13, &params, password, &salt)?;
        let told = |error: argon2::password_hash::Error| error.to_string();
        let salt = SaltString::encode_b64(&salt).map_err(told)?;
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).map_err(told)?,
            salt: Some(salt.as_salt()),
            hash: Some(output),
        };
        Ok(hash.to_string())
    }

    /// A stored hash is compared at its own cost, which an earlier configuration may have set.
    fn matches(&mut self, password: &[u8], hash: &str) -> Result<bool, String> {
        let told = |error: argon2::password_hash::Error| error.to_string();
        let stored = PasswordHash::new(hash).map_err(told)?;
        let algorithm = Algorithm::try_from(stored.algorithm).map_err(told)?;
        let version =
            stored.version.map_or(Ok(Version::V0x13), Version::try_from).map_err(|error| error.to_string())?;
        let params = Params::try_from(&stored).map_err(told)?;
        let (Some(salt), Some(output)) = (stored.salt, stored.hash) else { return Ok(false) };
        let mut bytes = [0_u8; 64];
        let salt = salt.decode_b64(&mut bytes).map_err(told)?;
        // The comparison of outputs takes the same time wherever they differ.
        Ok(self.burn(algorithm, version, &params, password, salt)? == output)
    }

    fn burn(
        &mut self,
        algorithm: Algorithm,
        version: Version,
        params: &Params,
        password: &[u8],
        salt: &[u8],
    ) -> Result<Output, String> {
        let (own, needed) = (self.params.block_count(), params.block_count());
        if self.blocks.len() < own {
            self.blocks.resize(own, Block::default());
        }
        let mut larger = Vec::new();
        let memory = match self.blocks.get_mut(..needed) {
            Some(blocks) => blocks,
            None => {
                larger.resize(needed, Block::default());
                larger.as_mut_slice()
            }
        };
        let argon = Argon2::new(algorithm, version, params.clone());
        let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let hashed = |out: &mut [u8]| {
            argon
                .hash_password_into_with_memory(password, salt, out, memory)
                .map_err(|_| argon2::password_hash::Error::Crypto)
        };
        Output::init_with(length, hashed).map_err(|error| error.to_string())
    }
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

    #[test]
    fn what_is_tried_first_is_refused() {
        for common in [
            "passwordpassword",
            "123456789012",
            "password1234",
            "qwertyuiop123",
            "aaaaaaaaaaaa",
            "abcdefghijkl",
            "iloveyou2024",
            "wangxiaoming1",
            "Passw0rd1234",
            "admin1234567",
            "abc123abc123",
        ] {
            assert!(check_rule("password", "wang.xiaoming", common).is_err(), "{common}");
        }
        for good in [
            "correct horse battery staple",
            "qianfa-demo-2026",
            "measured-in-one-run",
            "another long password",
            "correct horse battery",
            "签发检验报告书密码十二字",
        ] {
            assert!(check_rule("password", "admin", good).is_ok(), "{good}: {:?}", zxcvbn(good, &[]).guesses_log10());
        }
    }

    #[test]
    fn a_hash_of_another_cost_is_still_known() {
        let dear = Hasher::new(&PasswordCost { memory_kib: 256, iterations: 2, ..PasswordCost::default() }).unwrap();
        let hash = dear.hash("correct horse battery").unwrap();
        assert!(cheap().verify("correct horse battery", Some(&hash)).unwrap());
        assert!(!cheap().verify("correct horse batterz", Some(&hash)).unwrap());
        let hash = cheap().hash("correct horse battery").unwrap();
        assert!(dear.verify("correct horse battery", Some(&hash)).unwrap());
    }
}
