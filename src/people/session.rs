//! Logging in, refreshing, logging out, and who is behind a token.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::json;

use super::find;
use super::token::{RefreshToken, sha256_of};
use super::{Identity, SessionRules};
use crate::record::{Actor, Author, Change, record, record_by};
use crate::refusal::{Code, Refusal};
use crate::store::columns::{AccountId, Instant, SessionId};
use crate::store::rows::{AccountRow, SessionRow};
use crate::store::schema::{account, account_role, session};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::Role;

/// A session just opened or refreshed, with its tokens. Has no `Debug`: tokens stay out of logs.
pub struct LoggedIn {
    /// Who logged in.
    pub actor: Actor,
    /// The session.
    pub session: SessionId,
    /// The access token.
    pub access: String,
    /// When it ends.
    pub access_until: DateTime<Utc>,
    /// The refresh token, good for one use.
    pub refresh: String,
    /// When the session ends.
    pub session_until: DateTime<Utc>,
}

/// Who is behind a request.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// The account with its roles of this moment.
    pub actor: Actor,
    /// Its session.
    pub session: SessionId,
}

/// A refusal that must not undo what the transaction wrote: the failure itself is on record.
type Settled<T> = Outcome<Result<T, Refusal>>;

/// A session's row with the refresh token that only the client gets.
type Opened = (Actor, SessionRow, String);

impl Identity {
    /// Opens a session. An unknown user takes as long as a known one.
    ///
    /// # Errors
    /// [`Code::BadCredentials`], [`Code::AccountLocked`] (details: `locked_until`), [`Code::Busy`].
    pub fn login(&self, username: &str, password: &str, request_id: Option<&str>) -> Outcome<LoggedIn> {
        let now = self.clock.now();
        let checked = self.check_password(username, password)?;
        let rules = self.rules.clone();
        let request = request_id.map(str::to_owned);
        let opened = self.db.write(move |conn| {
            let request = request.as_deref();
            match settle(conn, &checked, "session.open", &rules, now, request)? {
                Ok(actor) => open(conn, actor, now, now + rules.session).map(Ok),
                Err(refusal) => Ok(Err(refusal)),
            }
        })??;
        self.hand_out(opened, now)
    }

    /// Trades a refresh token for a new pair. One that was used before has leaked: its whole family ends.
    ///
    /// # Errors
    /// [`Code::SessionRevoked`].
    pub fn refresh(&self, refresh: &str, request_id: Option<&str>) -> Outcome<LoggedIn> {
        let now = self.clock.now();
        let sha256 = sha256_of(refresh);
        let request = request_id.map(str::to_owned);
        let opened = self.db.write(move |conn| rotate(conn, &sha256, now, request.as_deref()))??;
        self.hand_out(opened, now)
    }

    /// Ends a session with its whole family.
    ///
    /// # Errors
    /// The store's failure.
    pub fn logout(&self, who: &Authenticated) -> Outcome<()> {
        let now = self.clock.now();
        let who = who.clone();
        self.db.write(move |conn| {
            let row: SessionRow = session::table.find(&who.session).select(SessionRow::as_select()).first(conn)?;
            end_family(conn, &row.family, now)?;
            let change = Change::field("session.close", "session", &row.family, "state", "open", "closed");
            record(conn, &who.actor, now, vec![change])
        })
    }

    /// Who is behind an access token: the account must not be disabled, nor its session revoked.
    ///
    /// # Errors
    /// [`Code::Unauthenticated`], [`Code::SessionRevoked`].
    pub fn authenticate(&self, access: &str, request_id: Option<&str>) -> Outcome<Authenticated> {
        let now = self.clock.now();
        let claims = self.tokens.read(access, now)?;
        let session_id = SessionId::from(claims.sid);
        let rows: Vec<(AccountRow, Option<Instant>, Option<Role>)> = self.db.read(|conn| {
            Ok(session::table
                .inner_join(account::table)
                .left_join(account_role::table.on(account_role::account_id.eq(account::id)))
                .filter(session::id.eq(&session_id))
                .order(account_role::role)
                .select((AccountRow::as_select(), session::revoked_at, account_role::role.nullable()))
                .load(conn)?)
        })?;
        let (row, revoked_at, _) = rows.first().ok_or_else(find::revoked)?;
        if revoked_at.is_some() || row.disabled || row.id.as_str() != claims.sub {
            return Err(find::revoked().into());
        }
        let roles = rows.iter().filter_map(|(_, _, role)| *role).collect();
        Ok(Authenticated { actor: find::actor(row, roles, request_id), session: session_id })
    }

    fn hand_out(&self, (actor, row, secret): Opened, now: DateTime<Utc>) -> Outcome<LoggedIn> {
        let session_until = row.expires_at.utc();
        // An access token does not outlive its session.
        let access_until = (now + self.rules.access).min(session_until);
        let access = self.tokens.issue(&actor, &row.id, now, access_until - now)?;
        Ok(LoggedIn { actor, session: row.id, access, access_until, refresh: secret, session_until })
    }

    /// Checks the password of somebody already logged in. Failures count towards the lock, as at login; `purpose` is
    /// what the trail says that it was given for.
    ///
    /// # Errors
    /// [`Code::BadCredentials`], [`Code::AccountLocked`], [`Code::Busy`].
    pub fn confirm(&self, actor: &Actor, password: &str, purpose: &'static str) -> Outcome<Actor> {
        let checked = self.check_password(&actor.username, password)?;
        let (rules, now, request) = (self.rules.clone(), self.clock.now(), actor.request_id.clone());
        Ok(self.db.write(move |conn| settle(conn, &checked, purpose, &rules, now, request.as_deref()))??)
    }

    /// The slow part of a password check, outside any transaction.
    pub(super) fn check_password(&self, username: &str, password: &str) -> Outcome<Checked> {
        let username = find::normal_username(username);
        let found = self.db.read(|conn| find::by_username(conn, &username))?;
        let hash = found.as_ref().map(|row| row.password_hash.as_str());
        let matches = self.hasher.verify(password, hash)?;
        Ok(Checked { username, account: found.map(|row| (row.id, row.password_hash)), matches })
    }
}

/// A password as compared: with which account's hash, and how it came out.
pub(super) struct Checked {
    username: String,
    account: Option<(AccountId, String)>,
    matches: bool,
}

/// The quick part of a password check: counts, locks, and writes the trail. Attempts that ran beside each other
/// meet here one after the other, so no number of them gets past the lock.
pub(super) fn settle(
    conn: &mut AnyConnection,
    checked: &Checked,
    purpose: &'static str,
    rules: &SessionRules,
    now: DateTime<Utc>,
    request: Option<&str>,
) -> Settled<Actor> {
    let Some((id, verified_hash)) = &checked.account else {
        // A password typed into the wrong field must not end in the trail: only a digest of the name does.
        let name = &sha256_of(&checked.username)[..16];
        let change = Change::created("login.fail", "account", "unknown", json!({"username_sha256": name}));
        record_by(conn, &Author::nobody("anonymous", request), now, vec![change])?;
        return Ok(Err(bad_credentials()));
    };
    let row = find::account_by_id(conn, id)?;
    let actor = find::actor(&row, find::roles_of(conn, id)?, request);
    let fail = |conn: &mut AnyConnection, changes: Vec<Change>| record(conn, &actor, now, changes);
    if let Some(until) = row.locked_until.as_ref().filter(|until| until.utc() > now) {
        let why = json!({"why": "locked", "for": purpose});
        fail(conn, vec![Change::created("login.fail", "account", id, why)])?;
        return Ok(Err(locked(until)));
    }
    if row.disabled {
        fail(conn, vec![Change::created("login.fail", "account", id, json!({"why": "disabled", "for": purpose}))])?;
        return Ok(Err(bad_credentials()));
    }
    // A password changed since the comparison was not compared at all.
    if checked.matches && row.password_hash == *verified_hash {
        if row.failed_logins != 0 || row.locked_until.is_some() {
            set_failures(conn, id, 0, None)?;
        }
        return Ok(Ok(actor));
    }
    let failures = row.failed_logins + 1;
    let mut changes =
        vec![Change::field("login.fail", "account", id, "failed_logins", row.failed_logins, failures).and(
            "for",
            serde_json::Value::Null,
            purpose,
        )];
    if failures >= i64::from(rules.failures) {
        let until = Instant::from(now + rules.lock);
        changes.push(Change::field("account.lock", "account", id, "locked_until", None::<String>, until.as_str()));
        // Counting starts afresh when the lock ends.
        set_failures(conn, id, 0, Some(until))?;
    } else {
        set_failures(conn, id, failures, None)?;
    }
    fail(conn, changes)?;
    Ok(Err(bad_credentials()))
}

fn set_failures(conn: &mut AnyConnection, id: &AccountId, count: i64, until: Option<Instant>) -> Outcome<()> {
    diesel::update(account::table.find(id))
        .set((account::failed_logins.eq(count), account::locked_until.eq(until)))
        .execute(conn)?;
    Ok(())
}

fn open(conn: &mut AnyConnection, actor: Actor, now: DateTime<Utc>, until: DateTime<Utc>) -> Outcome<Opened> {
    let id = SessionId::new();
    let token = RefreshToken::new();
    let row = SessionRow {
        family: id.to_string(),
        id,
        account_id: actor.account.clone(),
        refresh_sha256: token.sha256,
        created_at: now.into(),
        expires_at: until.into(),
        used_at: None,
        revoked_at: None,
    };
    diesel::insert_into(session::table).values(&row).execute(conn)?;
    let change = Change::created("session.open", "session", &row.family, json!({"expires_at": row.expires_at}));
    record(conn, &actor, now, vec![change])?;
    Ok((actor, row, token.secret))
}

fn rotate(conn: &mut AnyConnection, sha256: &str, now: DateTime<Utc>, request: Option<&str>) -> Settled<Opened> {
    let found: Option<SessionRow> = session::table
        .filter(session::refresh_sha256.eq(sha256))
        .select(SessionRow::as_select())
        .first(conn)
        .optional()?;
    let Some(old) = found else {
        return Ok(Err(find::revoked()));
    };
    let row = find::account_by_id(conn, &old.account_id)?;
    let actor = find::actor(&row, find::roles_of(conn, &row.id)?, request);
    if old.used_at.is_some() && old.revoked_at.is_none() {
        end_family(conn, &old.family, now)?;
        let change = Change::field("session.revoke", "session", &old.family, "state", "open", "revoked")
            .because("refresh token used twice");
        record(conn, &actor, now, vec![change])?;
        return Ok(Err(find::revoked()));
    }
    if old.revoked_at.is_some() || row.disabled || old.expires_at.utc() <= now {
        return Ok(Err(find::revoked()));
    }
    diesel::update(session::table.find(&old.id)).set(session::used_at.eq(Instant::from(now))).execute(conn)?;
    let token = RefreshToken::new();
    let next = SessionRow {
        id: SessionId::new(),
        account_id: old.account_id,
        family: old.family,
        refresh_sha256: token.sha256,
        created_at: now.into(),
        expires_at: old.expires_at,
        used_at: None,
        revoked_at: None,
    };
    diesel::insert_into(session::table).values(&next).execute(conn)?;
    let change = Change::created("session.refresh", "session", &next.family, json!({"session": next.id}));
    record(conn, &actor, now, vec![change])?;
    Ok(Ok((actor, next, token.secret)))
}

fn end_family(conn: &mut AnyConnection, family: &str, now: DateTime<Utc>) -> Outcome<()> {
    diesel::update(session::table.filter(session::family.eq(family)).filter(session::revoked_at.is_null()))
        .set(session::revoked_at.eq(Instant::from(now)))
        .execute(conn)?;
    Ok(())
}

/// Ends every session of an account but the family of `keep`.
pub(crate) fn end_all(
    conn: &mut AnyConnection,
    id: &AccountId,
    keep: Option<&SessionId>,
    now: DateTime<Utc>,
) -> Outcome<()> {
    let kept: Option<String> = match keep {
        Some(session_id) => session::table.find(session_id).select(session::family).first(conn).optional()?,
        None => None,
    };
    diesel::update(
        session::table
            .filter(session::account_id.eq(id))
            .filter(session::revoked_at.is_null())
            .filter(session::family.ne(kept.unwrap_or_default())),
    )
    .set(session::revoked_at.eq(Instant::from(now)))
    .execute(conn)?;
    Ok(())
}

fn bad_credentials() -> Refusal {
    Refusal::new(Code::BadCredentials, "用户名或密码错误", "the user name or the password is wrong")
}

fn locked(until: &Instant) -> Refusal {
    Refusal::new(
        Code::AccountLocked,
        format!("密码多次错误，账户锁定至 {until}"),
        format!("too many wrong passwords: the account is locked until {until}"),
    )
    .with(json!({"locked_until": until}))
}
