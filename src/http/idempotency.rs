//! The key by which a request that is repeated is done once.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::problem::Problem;
use crate::refusal::{Code, Refusal};

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
