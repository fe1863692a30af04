//! An action out of a request: its input from the address and the JSON body together, its key and its version from
//! the headers.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::{Method, StatusCode, header};
use actix_web::web::{self, Data};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::body::{collect, is_json, parse};
use super::idempotency::IdempotencyKey;
use super::permit::{May, services};
use super::problem::Problem;
use super::run::run;
use crate::action::{Action, Answered, Call, Made, Once, Services, act_called};
use crate::refusal::{Code, Refusal};
use crate::text;

/// An action that a request asks for.
pub struct Command<A> {
    /// The action with its input.
    pub action: A,
    /// Its key and its version.
    pub call: Call,
}

impl<A: Action + DeserializeOwned> FromRequest for Command<A> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let req = req.clone();
        let payload = web::Payload::from_request(&req, payload).into_inner();
        Box::pin(async move {
            let limit = services(&req)?.site.json_bytes;
            let bytes = collect(payload, limit).await?;
            if !bytes.is_empty() {
                is_json(&req)?;
            }
            let action = parse(&with_address(&req, &bytes, A::AS_FILED)?)?;
            let call = Call { once: once(&req, &bytes)?, made: made(&req)? };
            Ok(Self { action, call })
        })
    }
}

/// The body with the parts of the address as further fields. They come after the body's own, so that the places
/// that a fault names are those of the body. Its texts are brought into one form on the way, and what no document can
/// print is refused, in every field but those that are `as_filed`.
fn with_address(req: &HttpRequest, bytes: &[u8], as_filed: &[&str]) -> Result<Vec<u8>, Refusal> {
    let bytes = if bytes.is_empty() { b"{}".as_slice() } else { bytes };
    let mut body: Value = parse(bytes)?;
    text::refuse_unprintable(&body, as_filed)?;
    let tidied = text::tidy(&mut body).then(|| body.to_string().into_bytes());
    let bytes = tidied.as_deref().unwrap_or(bytes);
    let Value::Object(fields) = &body else {
        return Err(Refusal::new(Code::InvalidField, "请求体应为JSON对象", "expected a JSON object as the body"));
    };
    let mut text = bytes.trim_ascii_end().to_vec();
    text.pop();
    let mut first = fields.is_empty();
    for (name, value) in req.match_info().iter() {
        if fields.contains_key(name) {
            return Err(Refusal::field(name, "该字段由地址给出", "the address says this field"));
        }
        if !first {
            text.push(b',');
        }
        first = false;
        let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy();
        text.extend_from_slice(Value::from(name).to_string().as_bytes());
        text.push(b':');
        text.extend_from_slice(Value::from(value.as_ref()).to_string().as_bytes());
    }
    text.push(b'}');
    Ok(text)
}

fn once(req: &HttpRequest, bytes: &[u8]) -> Result<Option<Once>, Problem> {
    let key = IdempotencyKey::of(req)?;
    let told = without_passwords(bytes);
    Ok(key.0.map(|key| Once { key, request_sha256: digest(req, &told), seconds: None }))
}

/// A body without its passwords: what tells requests apart is kept as a hash that is fast to guess.
fn without_passwords(bytes: &[u8]) -> Vec<u8> {
    let Ok(Value::Object(mut fields)) = serde_json::from_slice::<Value>(bytes) else { return bytes.to_vec() };
    let before = fields.len();
    fields.retain(|name, _| !name.contains("password"));
    if fields.len() == before { bytes.to_vec() } else { Value::Object(fields).to_string().into_bytes() }
}

/// SHA-256 of method, path and bytes: tells a repeated request from another one.
pub fn digest(req: &HttpRequest, bytes: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(req.method().as_str());
    hash.update([0]);
    hash.update(req.path());
    hash.update([0]);
    hash.update(bytes);
    hex::encode(hash.finalize())
}

/// The revision that the caller has seen: `If-Match: "3"`. A `PUT` without it has seen none.
fn made(req: &HttpRequest) -> Result<Made, Refusal> {
    let Some(value) = req.headers().get(header::IF_MATCH) else {
        return Ok(if *req.method() == Method::PUT { Made::Unseen } else { Made::Unsaid });
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(Made::Unsaid);
    }
    text.trim_matches('"').parse().map(Made::On).map_err(|_| {
        Refusal::field(
            "If-Match",
            "If-Match 应为记录的版次，如 \"3\"",
            "If-Match is the record's revision, such as \"3\"",
        )
    })
}

/// Runs an action where blocking is allowed.
///
/// # Errors
/// What it refuses, as a problem.
pub async fn act_blocking<A: Action>(
    services: &Services,
    may: &May<A>,
    call: Call,
    action: A,
) -> Result<Answered<A::Done>, Problem> {
    let (services, actor) = (services.clone(), may.actor.clone());
    run(move || act_called(&services, &actor, call, action)).await
}

/// The handler of every route that is one action: 200 with what was done.
pub(super) async fn acted<A: Action + DeserializeOwned>(
    may: May<A>,
    services: Data<Services>,
    command: Command<A>,
) -> Result<HttpResponse, Problem> {
    let answered = act_blocking(&services, &may, command.call, command.action).await?;
    Ok(answer(StatusCode::OK, answered))
}

/// As [`acted`], 201: something was made.
pub(super) async fn created<A: Action + DeserializeOwned>(
    may: May<A>,
    services: Data<Services>,
    command: Command<A>,
) -> Result<HttpResponse, Problem> {
    let answered = act_blocking(&services, &may, command.call, command.action).await?;
    Ok(answer(StatusCode::CREATED, answered))
}

/// As [`acted`], 204: nothing is answered.
pub(super) async fn ended<A: Action + DeserializeOwned>(
    may: May<A>,
    services: Data<Services>,
    command: Command<A>,
) -> Result<HttpResponse, Problem> {
    act_blocking(&services, &may, command.call, command.action).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What was done as JSON; a repeated request's answer says so in `Idempotent-Replayed`.
pub fn answer<T: Serialize>(status: StatusCode, answered: Answered<T>) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if answered.replayed {
        response.insert_header(("idempotent-replayed", "true"));
    }
    response.json(answered.done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_no_part_of_what_is_kept_of_a_request() {
        let told = without_passwords(br#"{"password":"correct horse","meaning":"x"}"#);
        assert_eq!(told, without_passwords(br#"{"password":"another","meaning":"x"}"#));
        assert_ne!(told, without_passwords(br#"{"password":"another","meaning":"y"}"#));
        assert_eq!(without_passwords(b"{ \"reason\": 1 }"), b"{ \"reason\": 1 }", "all else is told as it was sent");
    }
}
