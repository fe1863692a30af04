//! Workflows block; handlers do not.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Serialize;

use super::problem::Problem;
use crate::refusal::{Code, Refusal};
use crate::store::Outcome;

/// Runs a workflow where blocking is allowed. The log lines that it writes belong to the request.
///
/// # Errors
/// What the workflow refuses, as a problem; its internal failures are logged here and shown to nobody.
pub async fn run<T: Send + 'static>(work: impl FnOnce() -> Outcome<T> + Send + 'static) -> Result<T, Problem> {
    let span = tracing::Span::current();
    match web::block(move || span.in_scope(work)).await {
        Ok(outcome) => outcome.map_err(Problem::from),
        Err(error) => {
            tracing::error!(%error, "a workflow was cancelled");
            Err(Refusal::new(Code::Internal, "内部错误", "internal error").into())
        }
    }
}

/// Runs a workflow and answers 200 with what it returns, as JSON.
///
/// # Errors
/// As [`run`].
pub async fn answer<T: Serialize + Send + 'static>(
    work: impl FnOnce() -> Outcome<T> + Send + 'static,
) -> Result<HttpResponse, Problem> {
    Ok(json(StatusCode::OK, &run(work).await?))
}

/// Runs a workflow that makes something and answers 201 with it.
///
/// # Errors
/// As [`run`].
pub async fn created<T: Serialize + Send + 'static>(
    work: impl FnOnce() -> Outcome<T> + Send + 'static,
) -> Result<HttpResponse, Problem> {
    Ok(json(StatusCode::CREATED, &run(work).await?))
}

/// Runs a workflow and answers 204.
///
/// # Errors
/// As [`run`].
pub async fn done(work: impl FnOnce() -> Outcome<()> + Send + 'static) -> Result<HttpResponse, Problem> {
    run(work).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// JSON that no cache keeps.
#[must_use]
pub fn json(status: StatusCode, body: &impl Serialize) -> HttpResponse {
    HttpResponse::build(status).insert_header(("cache-control", "no-store")).json(body)
}

/// A PDF that no cache keeps.
#[must_use]
pub fn pdf(bytes: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .insert_header(("content-disposition", "inline"))
        .content_type("application/pdf")
        .body(bytes)
}

/// A picture that no cache keeps.
#[must_use]
pub fn svg(text: String) -> HttpResponse {
    HttpResponse::Ok().insert_header(("cache-control", "no-store")).content_type("image/svg+xml").body(text)
}

/// A file for the caller to keep, by its name.
#[must_use]
pub fn kept(bytes: Vec<u8>, content_type: &str, name: &str) -> HttpResponse {
    use actix_web::http::header::{Charset, ContentDisposition, DispositionParam, DispositionType, ExtendedValue};
    let name = ExtendedValue { charset: Charset::Ext("UTF-8".into()), language_tag: None, value: name.into() };
    let disposition = DispositionType::Attachment;
    HttpResponse::Ok()
        .insert_header(ContentDisposition { disposition, parameters: vec![DispositionParam::FilenameExt(name)] })
        .insert_header(("cache-control", "no-store"))
        .content_type(content_type)
        .body(bytes)
}
