//! A request that is repeated is done once.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::problem::Problem;
use crate::record::Actor;
use crate::refusal::{Code, Refusal};
use crate::store::dialect::{remember_answer, remembered_answer};
use crate::store::{AnyConnection, DbConn, Outcome};

/// The header `Idempotency-Key`, where the client sent one: 1 to 200 visible ASCII characters.
#[derive(Clone, Debug)]
pub struct IdempotencyKey(pub Option<String>);

impl FromRequest for IdempotencyKey {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(req))
    }
}

impl IdempotencyKey {
    /// The key of a request.
    ///
    /// # Errors
    /// [`Code::BadRequest`] where it is not one.
    pub fn of(req: &HttpRequest) -> Result<Self, Problem> {
        match req.headers().get("idempotency-key") {
            None => Ok(Self(None)),
            Some(value) => match value.to_str() {
                Ok(key) if (1..=200).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) => {
                    Ok(Self(Some(key.to_owned())))
                }
                _ => Err(Refusal::new(
                    Code::BadRequest,
                    "Idempotency-Key 为1至200个可见ASCII字符",
                    "an Idempotency-Key has 1 to 200 visible ASCII characters",
                )
                .into()),
            },
        }
    }
}

/// An answer, given now or before.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: String,
    /// Whether it was given before.
    pub replayed: bool,
}

impl Stored {
    /// As a response; a repeated one says so in `Idempotent-Replayed`.
    #[must_use]
    pub fn respond(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = HttpResponse::build(status);
        response.insert_header(("cache-control", "no-store"));
        if self.replayed {
            response.insert_header(("idempotent-replayed", "true"));
        }
        response.content_type("application/json").body(self.body)
    }
}

/// One request under a key.
#[derive(Clone, Debug)]
pub struct Once {
    /// The client's key; without one the action simply runs.
    pub key: Option<String>,
    /// Tells this request from another one ([`super::body::Body::sha256`]).
    pub request_sha256: String,
    /// The status of success.
    pub status: u16,
}

/// Runs `action` and keeps its answer under the key, in one transaction; a repeat gets the same answer. A
/// refusal is not kept: it changed nothing, and may be mended.
///
/// # Errors
/// [`Code::IdempotencyMismatch`] where the key served another request; else what `action` refuses.
pub fn idempotent<T: Serialize>(
    db: &DbConn,
    actor: &Actor,
    once: Once,
    now: DateTime<Utc>,
    mut action: impl FnMut(&mut AnyConnection) -> Outcome<T> + Send + 'static,
) -> Outcome<Stored> {
    let account = actor.account.clone();
    db.write(move |conn| {
        let Some(key) = &once.key else {
            let body = text(&action(conn)?)?;
            return Ok(Stored { status: once.status, body, replayed: false });
        };
        if let Some(old) = remembered_answer(conn, &account, key)? {
            if old.request_sha256 != once.request_sha256 {
                return Err(Refusal::new(
                    Code::IdempotencyMismatch,
                    "该幂等键已用于另一请求",
                    "the idempotency key served another request",
                )
                .into());
            }
            let status = u16::try_from(old.status).unwrap_or(200);
            return Ok(Stored { status, body: old.body, replayed: true });
        }
        let body = text(&action(conn)?)?;
        remember_answer(conn, &account, key, &once.request_sha256, once.status, &body, now.into())?;
        Ok(Stored { status: once.status, body, replayed: false })
    })
}

fn text(value: &impl Serialize) -> Outcome<String> {
    serde_json::to_string(value).map_err(|error| crate::store::StoreError::Other(error.to_string()).into())
}
