//! A page goes on where the access token has expired and the refresh token is still good: nobody loses a half
//! filled form to a clock. Programs refresh by themselves.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use actix_web::{HttpMessage, HttpRequest};
use chrono::{DateTime, Duration, Utc};
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use super::jar::{REFRESH_COOKIE, held};
use super::permit::services;
use super::problem::Problem;
use super::request_id;
use super::run::run;
use crate::people::{Authenticated, LoggedIn};

/// A browser sends several requests at once with the same refresh token, which is good for one use only: those
/// that follow the first within this time get what the first one got.
const SHARED_SECONDS: i64 = 30;

/// What was given lately, by the digest of the refresh token that it was given for. The lock is held while a
/// token is traded, so that two requests with one token do not look like a stolen one.
static LATELY: LazyLock<Mutex<HashMap<[u8; 32], Given>>> = LazyLock::new(Mutex::default);

struct Given {
    at: DateTime<Utc>,
    session: Arc<LoggedIn>,
}

/// The session that a page's request was given in passing; its cookies go out with the answer.
#[derive(Clone)]
pub struct Renewed(pub Arc<LoggedIn>);

/// Trades the refresh cookie of a page's request, and leaves [`Renewed`] with it. `None` where there is nothing
/// to trade, or it is no longer good.
///
/// # Errors
/// [`crate::refusal::Code::Internal`] where the application was built without its services.
pub async fn renew(req: &HttpRequest) -> Result<Option<Authenticated>, Problem> {
    if req.path().starts_with("/api/") {
        return Ok(None);
    }
    let Some(token) = held(req, REFRESH_COOKIE) else {
        return Ok(None);
    };
    let services = services(req)?;
    let (now, key) = (services.clock.now(), Sha256::digest(&token).into());
    let mut lately = LATELY.lock().await;
    lately.retain(|_, given| (now - given.at).abs() < Duration::seconds(SHARED_SECONDS));
    let session = match lately.get(&key) {
        Some(given) => given.session.clone(),
        None => {
            let (request, identity) = (request_id(req), services.identity.clone());
            let Ok(session) = run(move || identity.refresh(&token, request.as_deref())).await else {
                return Ok(None);
            };
            let session = Arc::new(session);
            lately.insert(key, Given { at: now, session: session.clone() });
            session
        }
    };
    drop(lately);
    let (access, identity, request) = (session.access.clone(), services.identity.clone(), request_id(req));
    // It may have ended meanwhile.
    let Ok(who) = run(move || identity.authenticate(&access, request.as_deref())).await else { return Ok(None) };
    req.extensions_mut().insert(Renewed(session));
    Ok(Some(who))
}
