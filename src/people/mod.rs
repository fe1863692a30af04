//! People: who somebody is. Sessions, tokens, passwords and electronic signatures.
//!
//! What an administrator does to accounts are actions, a floor above: `crate::accounts`.
//!
//! [`Identity`] is the handle. It reads and writes its own tables and tells the trail of everything it does,
//! failed logins included, in the same transaction. Its methods block: call them where blocking is allowed.

mod find;
mod password;
mod session;
mod signature;
mod token;

use std::path::Path;
use std::sync::Arc;

use chrono::Duration;

use crate::clock::Clock;
use crate::store::{DbConn, Outcome};

pub(crate) use find::{account_by_id, normal_username, roles_of};
pub use password::{Hasher, PasswordCost, check_rule};
pub(crate) use session::end_all;
pub use session::{Authenticated, LoggedIn};
pub use signature::{FRESH_SECONDS, Reauthenticated};
pub use token::{Claims, RefreshToken, Tokens, random_text};

/// How long sessions live and when an account is locked.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionRules {
    /// Life of an access token.
    pub access: Duration,
    /// Life of a session; refreshing does not prolong it.
    pub session: Duration,
    /// Failed passwords in a row that lock an account.
    pub failures: u32,
    /// How long it stays locked.
    pub lock: Duration,
}

impl Default for SessionRules {
    fn default() -> Self {
        Self { access: Duration::minutes(10), session: Duration::hours(12), failures: 5, lock: Duration::minutes(15) }
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
}

impl Identity {
    /// Opens it; `key` is the file of the token key, made on first start.
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
        Ok(Self { db, clock, hasher: Hasher::new(cost)?, tokens: Arc::new(Tokens::open(key)?), rules })
    }

    /// Hashes a password with a fresh salt. Blocks: call it where blocking is allowed.
    ///
    /// # Errors
    /// [`crate::refusal::Code::Busy`] where too many wait already.
    pub fn hash(&self, password: &str) -> Outcome<String> {
        self.hasher.hash(password)
    }

    /// The rules that it was opened with.
    #[must_use]
    pub fn rules(&self) -> &SessionRules {
        &self.rules
    }
}
