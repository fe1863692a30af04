//! Running an action: permission, once, version, load, decide, keep, events, in one transaction.

use serde::Serialize;

use super::stale;
use super::{Action, Context, Facts, Services};
use crate::record::{self, Actor, Author};
use crate::refusal::{Code, Refusal};
use crate::store::dialect::{forget_answer, remember_answer, remembered_answer};
use crate::store::revisions::current;
use crate::store::{AnyConnection, Failure, Outcome, StoreError, pending};
use crate::vocabulary::{Permission, allowed};

/// The version of its subject that an action was made on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Made {
    /// The caller named none, and its way in does not ask for one.
    #[default]
    Unsaid,
    /// The caller named none, though its way in asks for one: it has seen nothing but what was first recorded.
    Unseen,
    /// The version that the caller has seen.
    On(i64),
}

/// What tells one request from another, so that a repeated one is done once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// The caller's key.
    pub key: String,
    /// SHA-256 of the request: another request under the same key is refused.
    pub request_sha256: String,
    /// For how long the key speaks for this request; without it, as long as the key is kept.
    pub seconds: Option<i64>,
}

/// How an action was called.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// The request's key, where it has one.
    pub once: Option<Once>,
    /// The version that it was made on.
    pub made: Made,
}

/// An answer, given now or before.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered<T> {
    /// What was done.
    pub done: T,
    /// Whether it was done by an earlier call under the same key.
    pub replayed: bool,
}

/// Refuses an actor none of whose roles may do it.
///
/// # Errors
/// [`Code::Forbidden`].
pub fn permitted(actor: &Actor, permission: Permission) -> Result<(), Refusal> {
    if actor.roles.iter().any(|role| allowed(*role, permission)) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::Forbidden,
        format!("您的角色没有权限：{}", permission.as_str()),
        format!("none of your roles may do this: {}", permission.as_str()),
    )
    .with(serde_json::json!({"action": permission.as_str()})))
}

/// Why an action would be refused to the actor as things are now: a page says so in place of offering it. Nothing is
/// said where what is still to be typed decides.
///
/// # Errors
/// The store's failure.
pub fn hindered<A: Action>(
    conn: &mut AnyConnection,
    services: &Services,
    actor: &Actor,
    action: &A,
) -> Outcome<Option<Refusal>> {
    let now = services.clock.now();
    let facts = Facts { actor, now, regulation: &services.regulation };
    let mut cx = Context { conn, services, actor, now, events: Vec::new(), filed: false };
    let asked = permitted(actor, A::PERMISSION)
        .map_err(Failure::from)
        .and_then(|()| action.load(&mut cx, &A::Prepared::default()))
        .and_then(|loaded| action.decide(&facts, &loaded).map(|_| ()).map_err(Failure::from));
    match asked {
        Ok(()) => Ok(None),
        Err(Failure::Refused(refusal)) => {
            Ok(Some(refusal).filter(|refusal| refusal.field.is_none()).map(|refusal| *refusal))
        }
        Err(other) => Err(other),
    }
}

/// Runs an action that is called by hand: no key, no version.
///
/// # Errors
/// As [`act_called`].
pub fn act<A: Action>(services: &Services, actor: &Actor, action: A) -> Outcome<A::Done> {
    act_called(services, actor, Call::default(), action).map(|answered| answered.done)
}

/// Runs an action.
///
/// # Errors
/// [`Code::Forbidden`], [`Code::IdempotencyMismatch`], [`Code::Stale`]; else what the action refuses. Then nothing
/// was changed.
pub fn act_called<A: Action>(services: &Services, actor: &Actor, call: Call, action: A) -> Outcome<Answered<A::Done>> {
    permitted(actor, A::PERMISSION)?;
    run(services, actor, Author::from(actor), call, action)
}

/// Runs an action that the program itself or a machine of the register does: it needs no role, and the trail has the
/// author's name.
///
/// # Errors
/// As [`act_called`], without the permission.
pub fn act_as_program<A: Action>(services: &Services, actor: &Actor, author: Author, action: A) -> Outcome<A::Done> {
    run(services, actor, author, Call::default(), action).map(|answered| answered.done)
}

fn run<A: Action>(
    services: &Services,
    actor: &Actor,
    author: Author,
    call: Call,
    action: A,
) -> Outcome<Answered<A::Done>> {
    let span = tracing::info_span!("action", name = A::NAME);
    let _entered = span.enter();
    let call = if A::SECRET { without_digest::<A>(call) } else { call };
    // A repeated request is answered before anything is made ready anew.
    if let Some(once) = &call.once
        && let Some(done) = services.db.read(|conn| replayed::<A>(conn, actor, once, services.clock.now()))?
    {
        return Ok(Answered { done, replayed: true });
    }
    let prepared = action.prepare(services, actor)?;
    let (services2, actor, now) = (services.clone(), actor.clone(), services.clock.now());
    let (answered, filed) = services.db.write(move |conn| {
        if let Some(once) = &call.once
            && let Some(done) = replayed::<A>(conn, &actor, once, now)?
        {
            return Ok((Answered { done, replayed: true }, false));
        }
        let mut cx = Context { conn, services: &services2, actor: &actor, now, events: Vec::new(), filed: false };
        let loaded = action.load(&mut cx, &prepared)?;
        // After the load, which has found out that the thing is the actor's to see.
        let subject = action.subject();
        let before = match (&subject, call.made, A::REPLACES) {
            (Some(subject), Made::On(version), _) => Some(stale::hold(cx.conn, &actor, subject, version)?),
            (Some(subject), Made::Unseen, true) => Some(stale::hold(cx.conn, &actor, subject, 1)?),
            (Some(subject), ..) => current(cx.conn, subject.kind, &subject.id)?,
            (None, ..) => None,
        };
        let facts = Facts { actor: &actor, now, regulation: &services2.regulation };
        let plan = action.decide(&facts, &loaded)?;
        let done = action.keep(&mut cx, loaded, plan)?;
        let (mut events, filed) = (std::mem::take(&mut cx.events), cx.filed);
        if let Some(subject) = &subject {
            stale::mark(cx.conn, subject, before, &mut events)?;
        }
        record::record_by(cx.conn, &author, now, events)?;
        if let Some(once) = &call.once {
            let body = text(&done)?;
            if once.seconds.is_some() {
                forget_answer(cx.conn, &actor.account, &key::<A>(once))?;
            }
            remember_answer(cx.conn, &actor.account, &key::<A>(once), &once.request_sha256, 200, &body, now.into())?;
        }
        Ok((Answered { done, replayed: false }, filed))
    })?;
    if filed && let Err(error) = pending::settle(&services.db, &services.files) {
        // Done is done: its file is read from where it lies, and moved by the next action or at the next start.
        tracing::error!(%error, "a file is not in its place yet");
    }
    Ok(answered)
}

/// The call without a digest of its request, for an action whose input is secret.
fn without_digest<A: Action>(call: Call) -> Call {
    let nameless = |once: Once| Once { request_sha256: A::NAME.to_owned(), ..once };
    Call { once: call.once.map(nameless), ..call }
}

/// The key as it is kept: one key may serve several actions.
fn key<A: Action>(once: &Once) -> String {
    format!("{}:{}", A::NAME, once.key)
}

/// The answer that was given before under the same key.
fn replayed<A: Action>(
    conn: &mut AnyConnection,
    actor: &Actor,
    once: &Once,
    now: chrono::DateTime<chrono::Utc>,
) -> Outcome<Option<A::Done>> {
    let Some(old) = remembered_answer(conn, &actor.account, &key::<A>(once))? else { return Ok(None) };
    if old.request_sha256 != once.request_sha256 {
        return Err(Refusal::new(
            Code::IdempotencyMismatch,
            "该幂等键已用于另一请求",
            "the idempotency key served another request",
        )
        .into());
    }
    let age = now - old.created_at.utc();
    if once.seconds.is_some_and(|seconds| age.num_seconds() >= seconds) {
        return Ok(None);
    }
    let done = serde_json::from_str(&old.body).map_err(|error| StoreError::Other(error.to_string()))?;
    Ok(Some(done))
}

fn text(value: &impl Serialize) -> Outcome<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Other(error.to_string()).into())
}
