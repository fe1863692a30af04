//! Logging in, refreshing, logging out, and who is behind a token.

use std::net::IpAddr;
use std::time::Duration as Wait;

use chrono::{DateTime, Duration, Utc};
use diesel::prelude::*;
use serde_json::json;

use super::find;
use super::limits::Stopped;
use super::second_factor::{self, Passed};
use super::token::{RefreshToken, sha256_of};
use super::vault::Vault;
use super::{Identity, SessionRules};
use crate::clock::local_time;
use crate::record::{Actor, ActorSession, Author, Change, record, record_by};
use crate::refusal::{Code, Refusal};
use crate::secrets::Password;
use crate::store::columns::{AccountId, Instant, SessionId};
use crate::store::rows::{AccountRow, SessionRow};
use crate::store::schema::{account, account_role, second_factor as factor, session};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::{PasswordOrigin, Permission, Role};

/// How exactly it is kept when somebody was last seen: not every request writes.
const SEEN_SECONDS: i64 = 60;
/// How long a source is remembered from which somebody has logged in.
const KNOWN_DAYS: i64 = 90;

/// What somebody logs in with.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub username: String,
    pub password: Password,
    /// Of the second factor, where the account has one.
    pub code: Option<String>,
}

/// Who asks, as far as the connection tells.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// The address; none for the program itself, which no limit stops.
    pub source: Option<IpAddr>,
    /// What the browser or the program calls itself.
    pub agent: Option<String>,
    /// The request.
    pub request_id: Option<String>,
}

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
    /// The token against forged requests, which is the session's own.
    pub csrf: String,
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
    /// What is to be done before anything else.
    pub due: Option<DutyFirst>,
}

/// What an account has to do before it may do anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DutyFirst {
    /// Somebody else knows the password.
    Password,
    /// One of its roles asks for a second factor.
    SecondFactor,
}

impl DutyFirst {
    /// The refusal of everything else.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        match self {
            Self::Password => Refusal::new(
                Code::PasswordChangeDue,
                "密码由他人设置，请先修改密码",
                "somebody else set your password: change it first",
            ),
            Self::SecondFactor => Refusal::new(
                Code::SecondFactorDue,
                "您的角色须启用双因素验证，请先设置",
                "your role asks for a second factor: set it up first",
            ),
        }
    }
}

/// A refusal that must not undo what the transaction wrote: the failure itself is on record.
type Settled<T> = Outcome<Result<T, Refusal>>;

/// A session's row with the refresh token that only the client gets.
type Opened = (Actor, SessionRow, String);

impl Identity {
    /// Opens a session for the program itself, which no limit stops.
    ///
    /// # Errors
    /// [`Code::BadCredentials`], [`Code::Busy`].
    pub fn login(&self, username: &str, password: &str, request_id: Option<&str>) -> Outcome<LoggedIn> {
        let password = Password::from(password.to_owned());
        let credentials = Credentials { username: username.to_owned(), password, code: None };
        let request_id = request_id.map(str::to_owned);
        self.login_from(&credentials, &Caller { request_id, ..Caller::default() })
    }

    /// Opens a session. An unknown user, a wrong password, a wrong code and a name that was tried too often are answered
    /// alike; the unknown user takes as long as a known one.
    ///
    /// # Errors
    /// [`Code::BadCredentials`], [`Code::TooManyAttempts`] where the source has tried too often, [`Code::Busy`].
    pub fn login_from(&self, credentials: &Credentials, caller: &Caller) -> Outcome<LoggedIn> {
        let now = self.clock.now();
        self.record_failures(self.rules.summed_up)?;
        let username = find::normal_username(&credentials.username);
        let found = self.db.read(|conn| find::by_username(conn, &username))?;
        let shown = found.as_ref().map_or_else(|| hidden(&username), |row| row.username.clone());
        let attempt = match caller.source {
            None => None,
            Some(source) => {
                match self.limits.enter(source, &username, || self.is_known(found.as_ref(), source, now))? {
                    Ok(attempt) => Some(attempt),
                    Err(stopped) => {
                        self.failures.count(caller.source, shown, true, now);
                        return Err(stopped_refusal(&stopped).into());
                    }
                }
            }
        };
        let checked = self.compare(username, found, credentials.password.reveal())?;
        let (rules, vault, code, caller2) =
            (self.rules.clone(), self.vault.clone(), credentials.code.clone(), caller.clone());
        let opened = self.db.write(move |conn| {
            match admit(conn, &checked, &vault, code.as_deref(), now, caller2.request_id.as_deref())? {
                Ok((actor, passed)) => {
                    let opening = Opening { caller: &caller2, passed, now, until: now + rules.session };
                    open(conn, actor, &opening).map(Ok)
                }
                Err(refusal) => Ok(Err(refusal)),
            }
        })?;
        match opened {
            Ok(opened) => {
                if let Some(attempt) = &attempt {
                    self.limits.succeeded(attempt);
                }
                self.hand_out(opened, now)
            }
            Err(refusal) => {
                tracing::warn!(source = ?caller.source, name = shown, "a log-in failed");
                self.failures.count(caller.source, shown, false, now);
                Err(refusal.into())
            }
        }
    }

    /// Whether the owner of a name has logged in from there before.
    fn is_known(&self, found: Option<&AccountRow>, source: IpAddr, now: DateTime<Utc>) -> Outcome<bool> {
        let Some(row) = found else { return Ok(false) };
        let since = Instant::from(now - Duration::days(KNOWN_DAYS));
        let there = session::table
            .filter(session::account_id.eq(&row.id))
            .filter(session::created_at.gt(since))
            .filter(session::source.eq(source.to_string()));
        self.db.read(|conn| Ok(there.select(session::id).first::<SessionId>(conn).optional()?.is_some()))
    }

    /// Counts that an account tried what none of its roles may do.
    pub fn denied(&self, actor: &Actor, permission: Permission, source: Option<IpAddr>) {
        let what = format!("{} {}", actor.username, permission.as_str());
        self.denials.count(source, what, false, self.clock.now());
    }

    /// Writes the failures of strangers, and what was denied, that are older than `age` to the trail: an entry a source.
    ///
    /// # Errors
    /// The store's failure.
    pub fn record_failures(&self, age: Duration) -> Outcome<()> {
        let now = self.clock.now();
        let mut events = self.failures.due(age, now);
        events.extend(self.denials.due(age, now));
        if events.is_empty() {
            return Ok(());
        }
        self.db.write(move |conn| record_by(conn, &Author::nobody("anonymous", None), now, events.clone()))
    }

    /// Trades a refresh token for a new pair. One that was used before has leaked: its whole family ends.
    ///
    /// # Errors
    /// [`Code::SessionRevoked`].
    pub fn refresh(&self, refresh: &str, request_id: Option<&str>) -> Outcome<LoggedIn> {
        let now = self.clock.now();
        let sha256 = sha256_of(refresh);
        let (request, idle) = (request_id.map(str::to_owned), self.rules.idle);
        let opened = self.db.write(move |conn| rotate(conn, &sha256, idle, now, request.as_deref()))??;
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
        type Found = (AccountRow, SessionRow, Option<Role>, Option<Instant>);
        let rows: Vec<Found> = self.db.read(|conn| {
            Ok(session::table
                .inner_join(account::table)
                .left_join(account_role::table.on(account_role::account_id.eq(account::id)))
                .left_join(factor::table.on(factor::account_id.eq(account::id)))
                .filter(session::id.eq(&session_id))
                .order(account_role::role)
                .select((
                    AccountRow::as_select(),
                    SessionRow::as_select(),
                    account_role::role.nullable(),
                    factor::confirmed_at.nullable(),
                ))
                .load(conn)?)
        })?;
        let (row, own, _, confirmed) = rows.first().ok_or_else(find::revoked)?;
        if own.revoked_at.is_some()
            || row.disabled
            || row.id.as_str() != claims.sub
            || is_idle(own, self.rules.idle, now)
        {
            return Err(find::revoked().into());
        }
        let roles: Vec<Role> = rows.iter().filter_map(|(_, _, role, _)| *role).collect();
        let due = self.due(row, &roles)?;
        self.seen(own, now);
        let session = acting(own, confirmed.is_some());
        let actor = Actor { session: Some(session), ..find::actor(row, roles, request_id) };
        Ok(Authenticated { actor, session: session_id, due })
    }

    /// What an account has to do first.
    fn due(&self, row: &AccountRow, roles: &[Role]) -> Outcome<Option<DutyFirst>> {
        if row.password_origin == PasswordOrigin::Given {
            return Ok(Some(DutyFirst::Password));
        }
        if !roles.iter().any(|role| self.rules.second_factor.contains(role)) {
            return Ok(None);
        }
        let confirmed = self.db.read(|conn| second_factor::is_confirmed(conn, &row.id))?;
        Ok((!confirmed).then_some(DutyFirst::SecondFactor))
    }

    /// Keeps that somebody was seen, once a minute. A database that cannot be written to does not keep anybody from
    /// reading.
    fn seen(&self, own: &SessionRow, now: DateTime<Utc>) {
        if now - last_seen(own) < Duration::seconds(SEEN_SECONDS) {
            return;
        }
        let id = own.id.clone();
        let kept = self.db.write(move |conn| {
            diesel::update(session::table.find(&id)).set(session::seen_at.eq(Instant::from(now))).execute(conn)?;
            Ok(())
        });
        if let Err(error) = kept {
            tracing::warn!(%error, "that a session is in use was not kept");
        }
    }

    fn hand_out(&self, (actor, row, secret): Opened, now: DateTime<Utc>) -> Outcome<LoggedIn> {
        let session_until = row.expires_at.utc();
        // An access token does not outlive its session.
        let access_until = (now + self.rules.access).min(session_until);
        let access = self.tokens.issue(&actor, (&row.id, &row.family), now, access_until - now)?;
        let csrf = self.tokens.csrf(&row.family);
        Ok(LoggedIn { actor, session: row.id, access, access_until, refresh: secret, csrf, session_until })
    }

    /// The token against forged requests of the session that an access token is of, whether or not the token is over;
    /// none for one that is not genuine.
    #[must_use]
    pub fn csrf_of(&self, access: &str) -> Option<String> {
        self.tokens.family_of(access).map(|family| self.tokens.csrf(&family))
    }

    /// Checks the password of somebody already logged in. Failures here lock the confirming of passwords for a while, and
    /// nobody who is not logged in as that account adds to them; `purpose` is what the trail says that it was given for.
    ///
    /// # Errors
    /// [`Code::BadCredentials`], [`Code::AccountLocked`], [`Code::Busy`].
    pub fn confirm(&self, actor: &Actor, password: &str, purpose: &'static str) -> Outcome<Actor> {
        self.confirm_as(actor, password, Confirming { purpose, code: None, session: None })
    }

    /// As [`Identity::confirm`], with what else is asked for.
    pub(super) fn confirm_as(&self, actor: &Actor, password: &str, asked: Confirming) -> Outcome<Actor> {
        let username = find::normal_username(&actor.username);
        let found = self.db.read(|conn| find::by_username(conn, &username))?;
        let checked = self.compare(username, found, password)?;
        let (rules, vault) = (self.rules.clone(), self.vault.clone());
        let (now, request) = (self.clock.now(), actor.request_id.clone());
        Ok(self.db.write(move |conn| settle(conn, &checked, (&asked, &vault), &rules, now, request.as_deref()))??)
    }

    /// The slow part of a password check, outside any transaction.
    fn compare(&self, username: String, found: Option<AccountRow>, password: &str) -> Outcome<Checked> {
        let hash = found.as_ref().map(|row| row.password_hash.as_str());
        let matches = self.hasher.verify(password, hash)?;
        Ok(Checked { username, account: found.map(|row| (row.id, row.password_hash)), matches })
    }
}

/// What somebody who is logged in confirms with the password.
pub(super) struct Confirming {
    /// What the trail says that it was given for.
    pub purpose: &'static str,
    /// The code of the second factor, where one is asked for (of an account that has one).
    pub code: Option<Option<String>>,
    /// The session that remembers when the password was given.
    pub session: Option<String>,
}

/// A session as its owner acts in it.
fn acting(row: &SessionRow, second_factor: bool) -> ActorSession {
    let proven_at = row.proven_at.as_ref().map(Instant::utc);
    ActorSession { family: row.family.clone(), proven_at, second_factor }
}

/// A password as compared: with which account's hash, and how it came out.
pub(super) struct Checked {
    username: String,
    account: Option<(AccountId, String)>,
    matches: bool,
}

/// A name that nobody has. A password typed into the wrong field must not end in the trail: only a digest does.
fn hidden(username: &str) -> String {
    let sha256 = sha256_of(username);
    format!("sha256:{}", sha256.get(..16).unwrap_or_default())
}

/// Decides a log-in: the account that it is, and how it passed the second factor.
fn admit(
    conn: &mut AnyConnection,
    checked: &Checked,
    vault: &Vault,
    code: Option<&str>,
    now: DateTime<Utc>,
    request: Option<&str>,
) -> Settled<(Actor, Passed)> {
    let Some((id, verified_hash)) = &checked.account else { return Ok(Err(bad_credentials())) };
    let row = find::account_by_id(conn, id)?;
    // A password changed since the comparison was not compared at all.
    if row.disabled || !checked.matches || row.password_hash != *verified_hash {
        return Ok(Err(bad_credentials()));
    }
    let Some(passed) = second_factor::pass(conn, vault, id, code, now)? else { return Ok(Err(bad_credentials())) };
    if row.failed_logins != 0 || row.locked_until.is_some() {
        set_failures(conn, id, 0, None)?;
    }
    Ok(Ok((find::actor(&row, find::roles_of(conn, id)?, request), passed)))
}

/// The part of a confirmed password: counts, locks, and writes the trail. Attempts that ran beside each other meet here
/// one after the other, so no number of them gets past the lock.
fn settle(
    conn: &mut AnyConnection,
    checked: &Checked,
    (asked, vault): (&Confirming, &Vault),
    rules: &SessionRules,
    now: DateTime<Utc>,
    request: Option<&str>,
) -> Settled<Actor> {
    let purpose = asked.purpose;
    let Some((id, verified_hash)) = &checked.account else {
        let why = json!({"why": "gone", "for": purpose});
        let change = Change::created("password.fail", "account", hidden(&checked.username), why);
        record_by(conn, &Author::nobody("anonymous", request), now, vec![change])?;
        return Ok(Err(wrong_password()));
    };
    let row = find::account_by_id(conn, id)?;
    let actor = find::actor(&row, find::roles_of(conn, id)?, request);
    let fail = |conn: &mut AnyConnection, changes: Vec<Change>| record(conn, &actor, now, changes);
    if let Some(until) = row.locked_until.as_ref().filter(|until| until.utc() > now) {
        let why = json!({"why": "locked", "for": purpose});
        fail(conn, vec![Change::created("password.fail", "account", id, why)])?;
        return Ok(Err(locked(until)));
    }
    if row.disabled {
        fail(conn, vec![Change::created("password.fail", "account", id, json!({"why": "disabled", "for": purpose}))])?;
        return Ok(Err(wrong_password()));
    }
    // A password changed since the comparison was not compared at all.
    let mut right = checked.matches && row.password_hash == *verified_hash;
    if let (true, Some(code)) = (right, &asked.code) {
        right = second_factor::pass(conn, vault, id, code.as_deref(), now)?.is_some();
    }
    if right {
        if row.failed_logins != 0 || row.locked_until.is_some() {
            set_failures(conn, id, 0, None)?;
        }
        if let Some(family) = &asked.session {
            let own = session::table.filter(session::account_id.eq(id)).filter(session::family.eq(family));
            diesel::update(own).set(session::proven_at.eq(Instant::from(now))).execute(conn)?;
        }
        return Ok(Ok(actor));
    }
    let failures = row.failed_logins + 1;
    let failed = Change::field("password.fail", "account", id, "failures", row.failed_logins, failures);
    let mut changes = vec![failed.and("for", serde_json::Value::Null, purpose)];
    if failures >= i64::from(rules.failures) {
        let until = Instant::from(now + rules.lock);
        changes.push(Change::field("account.lock", "account", id, "locked_until", None::<String>, until.as_str()));
        // Counting starts afresh when the lock ends.
        set_failures(conn, id, 0, Some(until))?;
    } else {
        set_failures(conn, id, failures, None)?;
    }
    fail(conn, changes)?;
    Ok(Err(wrong_password()))
}

fn set_failures(conn: &mut AnyConnection, id: &AccountId, count: i64, until: Option<Instant>) -> Outcome<()> {
    diesel::update(account::table.find(id))
        .set((account::failed_logins.eq(count), account::locked_until.eq(until)))
        .execute(conn)?;
    Ok(())
}

/// How a session is opened.
struct Opening<'a> {
    caller: &'a Caller,
    passed: Passed,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
}

fn open(conn: &mut AnyConnection, actor: Actor, opening: &Opening<'_>) -> Outcome<Opened> {
    let (id, now) = (SessionId::new(), opening.now);
    let token = RefreshToken::new();
    let row = SessionRow {
        family: id.to_string(),
        id,
        account_id: actor.account.clone(),
        refresh_sha256: token.sha256,
        created_at: now.into(),
        expires_at: opening.until.into(),
        used_at: None,
        revoked_at: None,
        source: opening.caller.source.map(|source| source.to_string()),
        agent: opening.caller.agent.as_deref().map(short),
        opened_at: Some(now.into()),
        seen_at: Some(now.into()),
        proven_at: Some(now.into()),
    };
    diesel::insert_into(session::table).values(&row).execute(conn)?;
    let factor = match opening.passed {
        Passed::None => None,
        Passed::App => Some("app"),
        Passed::Recovery => Some("recovery_code"),
    };
    let content = json!({"expires_at": row.expires_at, "source": row.source, "second_factor": factor});
    record(conn, &actor, now, vec![Change::created("session.open", "session", &row.family, content).in_version(2)])?;
    let session = acting(&row, opening.passed != Passed::None);
    Ok((Actor { session: Some(session), ..actor }, row, token.secret))
}

/// What a browser calls itself, no longer than it is worth.
fn short(agent: &str) -> String {
    agent.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// When the owner of a session was last seen in it.
fn last_seen(row: &SessionRow) -> DateTime<Utc> {
    row.seen_at.as_ref().unwrap_or(&row.created_at).utc()
}

/// Whether a session was left alone for too long.
fn is_idle(row: &SessionRow, idle: Duration, now: DateTime<Utc>) -> bool {
    now - last_seen(row) >= idle
}

fn rotate(
    conn: &mut AnyConnection,
    sha256: &str,
    idle: Duration,
    now: DateTime<Utc>,
    request: Option<&str>,
) -> Settled<Opened> {
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
    if old.revoked_at.is_some() || row.disabled || old.expires_at.utc() <= now || is_idle(&old, idle, now) {
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
        source: old.source,
        agent: old.agent,
        opened_at: old.opened_at,
        seen_at: Some(now.into()),
        proven_at: old.proven_at,
    };
    diesel::insert_into(session::table).values(&next).execute(conn)?;
    let change = Change::created("session.refresh", "session", &next.family, json!({"session": next.id}));
    record(conn, &actor, now, vec![change])?;
    let session = acting(&next, second_factor::is_confirmed(conn, &actor.account)?);
    Ok(Ok((Actor { session: Some(session), ..actor }, next, token.secret)))
}

pub(crate) fn end_family(conn: &mut AnyConnection, family: &str, now: DateTime<Utc>) -> Outcome<()> {
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

/// One answer for everything that a stranger could learn something from.
fn bad_credentials() -> Refusal {
    Refusal::new(
        Code::BadCredentials,
        "用户名、密码或验证码错误；多次错误后须稍候再试",
        "the user name, the password or the code is wrong; after several failures wait before you try again",
    )
}

fn wrong_password() -> Refusal {
    Refusal::new(Code::BadCredentials, "密码错误，或验证码错误", "the password, or the code, is wrong")
}

fn stopped_refusal(stopped: &Stopped) -> Refusal {
    let Stopped::Source(wait) = stopped else { return bad_credentials() };
    let seconds = wait.max(&Wait::from_secs(1)).as_secs_f64().ceil();
    Refusal::new(
        Code::TooManyAttempts,
        format!("登录尝试过多，请{seconds}秒后再试"),
        format!("too many attempts to log in from here: try again in {seconds} seconds"),
    )
    .with(json!({"retry_after_seconds": seconds as u64}))
}

fn locked(until: &Instant) -> Refusal {
    let told = local_time(until.utc());
    Refusal::new(
        Code::AccountLocked,
        format!("密码多次错误，{told}之前不能再确认"),
        format!("too many wrong passwords: none is taken before {told}"),
    )
    .with(json!({"locked_until": until}))
}
