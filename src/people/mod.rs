//! People: who somebody is. Sessions, tokens, passwords and electronic signatures.
//!
//! What an administrator does to accounts are actions, a floor above: `crate::accounts`.
//!
//! [`Identity`] is the handle. It reads and writes its own tables and records everything it does on the trail in the same
//! transaction; failed log-ins of strangers are summed up. Its methods block: call them where blocking is allowed.

mod duties;
mod failures;
mod find;
mod limits;
mod own;
mod password;
mod second_factor;
mod session;
mod signature;
mod token;
mod vault;

use std::path::Path;
use std::sync::Arc;

use chrono::Duration;

use self::failures::Failures;
use self::limits::LoginLimits;
use crate::clock::Clock;
use crate::store::{DbConn, Outcome};
use crate::vocabulary::Role;

pub use duties::{DutiesDone, DutyConflict, may_have};
pub(crate) use find::{account_by_id, normal_username, roles_of};
pub use own::{OwnSecondFactor, OwnSession};
pub use password::{Hasher, PasswordCost, check_rule};
pub use second_factor::Offered;
pub(crate) use second_factor::{factor_of, kept, opened, sealed, step_of};
pub use session::{Authenticated, Caller, Credentials, DutyFirst, LoggedIn};
pub(crate) use session::{end_all, end_family};
pub use signature::{FRESH_SECONDS, Grace, Reauthenticated, SignedContent, canonical_sha256};
pub use token::{Claims, RefreshToken, Tokens, random_text};
pub(crate) use vault::Vault;

/// How long sessions live, and how often a password may be tried.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionRules {
    /// Life of an access token.
    pub access: Duration,
    /// Life of a session; refreshing does not prolong it.
    pub session: Duration,
    /// How long a session may be left alone.
    pub idle: Duration,
    /// Wrong passwords in a row: from one source for one name, and of somebody logged in who confirms with it.
    pub failures: u32,
    /// Wrong passwords from one source, whatever the names.
    pub source_attempts: u32,
    /// Wrong passwords for one name from all sources where its owner has not been before.
    pub name_attempts: u32,
    /// The time in which so many may be tried again.
    pub lock: Duration,
    /// The interval for which the failures of one source are one entry of the trail.
    pub summed_up: Duration,
    /// The roles that ask for a second factor.
    pub second_factor: Vec<Role>,
    /// For how long a password counts for a series of reviews in its session; nought asks for it every time.
    pub sign_grace: Duration,
}

impl Default for SessionRules {
    fn default() -> Self {
        Self {
            access: Duration::minutes(10),
            session: Duration::hours(12),
            idle: Duration::minutes(60),
            failures: 5,
            source_attempts: 50,
            name_attempts: 20,
            lock: Duration::minutes(15),
            summed_up: Duration::minutes(5),
            second_factor: Vec::new(),
            sign_grace: Duration::minutes(5),
        }
    }
}

/// Accounts and sessions of one database.
#[derive(Clone)]
pub struct Identity {
    db: DbConn,
    clock: Clock,
    hasher: Hasher,
    tokens: Arc<Tokens>,
    rules: SessionRules,
    limits: Arc<LoginLimits>,
    failures: Arc<Failures>,
    denials: Arc<Failures>,
    vault: Arc<Vault>,
}

impl Identity {
    /// Opens it; `key` is the file of the token key, made on first start, and the key of second factors is kept beside it.
    ///
    /// # Errors
    /// A sentence that names what is wrong.
    pub fn open(
        db: DbConn,
        clock: Clock,
        cost: &PasswordCost,
        rules: SessionRules,
        key: &Path,
    ) -> Result<Self, String> {
        let vault = Vault::open(&key.with_file_name("second-factor.key"))?;
        Ok(Self {
            limits: Arc::new(LoginLimits::new(&clock, &rules)),
            failures: Arc::new(Failures::of("login.fail")),
            denials: Arc::new(Failures::of("access.deny")),
            vault: Arc::new(vault),
            hasher: Hasher::new(cost)?,
            tokens: Arc::new(Tokens::open(key)?),
            db,
            clock,
            rules,
        })
    }

    /// Hashes a password with a fresh salt. Blocks: call it where blocking is allowed.
    ///
    /// # Errors
    /// [`crate::refusal::Code::Busy`] where too many wait already.
    pub fn hash(&self, password: &str) -> Outcome<String> {
        self.hasher.hash(password)
    }

    /// What encrypts the secrets of second factors.
    pub(crate) fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The rules that it was opened with.
    #[must_use]
    pub fn rules(&self) -> &SessionRules {
        &self.rules
    }
}
