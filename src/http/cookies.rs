//! Sessions of browsers: cookies that scripts cannot read, and a second token against forged requests.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::{Error, FromRequest, HttpRequest, ResponseError, web};
use chrono::{DateTime, Utc};
use subtle::ConstantTimeEq;

use super::body::collect;
use super::jar::{ACCESS_COOKIE, CSRF_COOKIE, REFRESH_COOKIE, held, named};
use super::permit::services;
use super::problem::Problem;
use crate::people::{LoggedIn, random_text};
use crate::refusal::{Code, Refusal};

/// The header that repeats it.
pub const CSRF_HEADER: &str = "x-csrf-token";
/// The form field that repeats it.
pub const CSRF_FIELD: &str = "csrf";

/// Where a password, not a cookie, is the credential.
const BY_PASSWORD: &[&str] = &["/api/v1/session"];

fn cookie(name: &str, value: String, secure: bool, seconds: i64, script: bool) -> Cookie<'static> {
    Cookie::build(named(name, secure), value)
        .path("/")
        .same_site(SameSite::Strict)
        .secure(secure)
        .http_only(!script)
        .max_age(Duration::seconds(seconds.max(0)))
        .finish()
}

/// The cookies of a session: access, refresh, and the token against forged requests. That one stays the same as long as
/// the session, so that the forms of other open pages can still be sent.
#[must_use]
pub fn session_cookies(session: &LoggedIn, now: DateTime<Utc>, secure: bool) -> [Cookie<'static>; 3] {
    let life = (session.session_until - now).num_seconds();
    [
        cookie(ACCESS_COOKIE, session.access.clone(), secure, life, false),
        cookie(REFRESH_COOKIE, session.refresh.clone(), secure, life, false),
        cookie(CSRF_COOKIE, session.csrf.clone(), secure, life, true),
    ]
}

/// A token for a page that has no session yet, such as the login page.
#[must_use]
pub fn csrf_cookie(secure: bool) -> (Cookie<'static>, String) {
    let csrf = random_text();
    (cookie(CSRF_COOKIE, csrf.clone(), secure, 3600, true), csrf)
}

/// Cookies that remove a session's.
#[must_use]
pub fn removal_cookies(secure: bool) -> [Cookie<'static>; 3] {
    [ACCESS_COOKIE, REFRESH_COOKIE, CSRF_COOKIE].map(|name| cookie(name, String::new(), secure, 0, name == CSRF_COOKIE))
}

/// Wraps the application: an unsafe request whose credential is a cookie must repeat the session's token, which the
/// cookie `qf_csrf` has, in the header `X-CSRF-Token` or in the field `csrf` of a URL-encoded form. A form with files has it
/// in the query of its address instead: its body is read by the handler alone, in pieces.
///
/// # Errors
/// [`Code::Csrf`].
pub async fn csrf<B: MessageBody + 'static>(
    mut req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    // A response, not an error: the layers outside shape it by what it carries.
    match check(&mut req).await {
        Ok(()) => Ok(next.call(req).await?.map_into_left_body()),
        Err(problem) => Ok(req.into_response(problem.error_response()).map_into_right_body()),
    }
}

async fn check(req: &mut ServiceRequest) -> Result<(), Problem> {
    if needs_token(req.request()) {
        let given = given_token(req).await?;
        let (access, identity) = (held(req.request(), ACCESS_COOKIE), services(req.request())?.identity);
        // What the session's own token must be, whatever the cookie of that name holds.
        let expected = access.and_then(|access| identity.csrf_of(&access));
        let same = match (&given, &expected) {
            (Some(given), Some(expected)) => !expected.is_empty() && given.as_bytes().ct_eq(expected.as_bytes()).into(),
            _ => false,
        };
        if !same {
            return Err(Problem::from(Refusal::new(
                Code::Csrf,
                "缺少或不符的CSRF令牌，请刷新页面",
                "the CSRF token is missing or another: reload the page",
            )));
        }
    }
    Ok(())
}

fn needs_token(req: &HttpRequest) -> bool {
    let safe = matches!(*req.method(), Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
    let by_header = req.headers().contains_key(header::AUTHORIZATION);
    let by_cookie = held(req, ACCESS_COOKIE).is_some() || held(req, REFRESH_COOKIE).is_some();
    let by_password = *req.method() == Method::POST && BY_PASSWORD.contains(&req.path());
    !safe && !by_header && by_cookie && !by_password
}

async fn given_token(req: &mut ServiceRequest) -> Result<Option<String>, Problem> {
    if let Some(value) = req.headers().get(CSRF_HEADER) {
        return Ok(value.to_str().ok().map(str::to_owned));
    }
    let told = req
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_ascii_lowercase();
    if told.starts_with("multipart/form-data") {
        return Ok(field(req.query_string()));
    }
    if !told.starts_with("application/x-www-form-urlencoded") {
        return Ok(None);
    }
    let limit = services(req.request())?.site.json_bytes;
    let (http, payload) = req.parts_mut();
    let body = collect(web::Payload::from_request(http, payload).into_inner(), limit).await?;
    let given = field(std::str::from_utf8(&body).unwrap_or_default());
    // The handler reads the form again.
    req.set_payload(Payload::from(body));
    Ok(given)
}

/// The token among URL-encoded fields.
fn field(encoded: &str) -> Option<String> {
    let fields = web::Query::<Vec<(String, String)>>::from_query(encoded).ok()?;
    let found = fields.into_inner().into_iter().find(|(name, _)| name == CSRF_FIELD);
    found.map(|(_, value)| value)
}
