//! What comes in: JSON bodies, queries and paths whose faults are problems that name the place.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{self, PathConfig, QueryConfig};
use actix_web::{FromRequest, HttpRequest, error};
use serde::de::DeserializeOwned;

use super::permit::services;
use super::problem::Problem;
use crate::refusal::{Code, Refusal};

/// A JSON body, read as `T`.
pub struct Body<T> {
    /// What it says.
    pub value: T,
}

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let req = req.clone();
        let payload = web::Payload::from_request(&req, payload).into_inner();
        Box::pin(async move {
            is_json(&req)?;
            let limit = services(&req)?.site.json_bytes;
            let bytes = collect(payload, limit).await?;
            Ok(Self { value: parse(&bytes)? })
        })
    }
}

pub(super) fn is_json(req: &HttpRequest) -> Result<(), Refusal> {
    let told = req.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = told.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Refusal::new(
        Code::UnsupportedMedia,
        format!("内容类型应为 application/json，现为“{essence}”"),
        format!("the content type is application/json, not {essence:?}"),
    ))
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// [`Code::TooLarge`], [`Code::BadRequest`] where the connection broke off.
pub async fn collect(payload: Result<web::Payload, actix_web::Error>, limit: usize) -> Result<web::Bytes, Refusal> {
    let broken = |error: actix_web::Error| {
        Refusal::new(
            Code::BadRequest,
            format!("请求未能完整接收：{error}"),
            format!("the request did not arrive whole: {error}"),
        )
    };
    match payload.map_err(broken)?.to_bytes_limited(limit).await {
        Ok(bytes) => bytes.map_err(broken),
        Err(_) => Err(Refusal::new(
            Code::TooLarge,
            format!("内容超过{limit}字节"),
            format!("the content has more than {limit} bytes"),
        )
        .with(serde_json::json!({"limit_bytes": limit}))),
    }
}

/// Reads JSON as `T`.
///
/// # Errors
/// [`Code::BadRequest`] with line and column where it is not JSON; [`Code::InvalidField`] with the field's path
/// where it is JSON of another shape.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        refused(error.inner(), (path != ".").then_some(path))
    })?;
    reader.end().map_err(|error| refused(&error, None))?;
    Ok(value)
}

fn refused(error: &serde_json::Error, path: Option<String>) -> Refusal {
    let place = serde_json::json!({"line": error.line(), "column": error.column()});
    match error.classify() {
        serde_json::error::Category::Data => {
            let mut refusal = Refusal::new(
                Code::InvalidField,
                format!("内容不符合要求：{error}"),
                format!("not as expected: {error}"),
            );
            refusal.field = path;
            refusal.with(place)
        }
        _ => Refusal::new(Code::BadRequest, format!("不是有效的JSON：{error}"), format!("not valid JSON: {error}"))
            .with(place),
    }
}

/// Faults of a query string as problems.
#[must_use]
pub fn query_config() -> QueryConfig {
    QueryConfig::default().error_handler(|error, _| {
        let told = match &error {
            error::QueryPayloadError::Deserialize(inner) => inner.to_string(),
            other => other.to_string(),
        };
        let refusal = Refusal::new(
            Code::BadRequest,
            format!("查询参数不符合要求：{told}"),
            format!("the query is not as expected: {told}"),
        );
        Problem::from(refusal).into()
    })
}

/// A path whose parts do not fit names nothing.
#[must_use]
pub fn path_config() -> PathConfig {
    PathConfig::default().error_handler(|_, req| {
        let path = req.path();
        Problem::from(Refusal::new(Code::NotFound, format!("没有 {path}"), format!("there is no {path}"))).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Order {
        lines: Vec<Line>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[allow(dead_code)]
    struct Line {
        count: u32,
    }

    #[test]
    fn faults_name_their_place() {
        let broken = parse::<Order>(b"{\"lines\": [\n{\"count\": }]}").unwrap_err();
        assert_eq!(broken.code, Code::BadRequest);
        assert_eq!(broken.details["line"], 2);
        let wrong = parse::<Order>(br#"{"lines": [{"count": 1}, {"count": "x"}]}"#).unwrap_err();
        assert_eq!(wrong.code, Code::InvalidField);
        assert_eq!(wrong.field.as_deref(), Some("lines[1].count"));
        let unknown = parse::<Order>(br#"{"lines": [], "colour": 1}"#).unwrap_err();
        assert!(unknown.message_en.contains("colour"), "{unknown}");
        assert_eq!(parse::<Order>(br#"{"lines": []} x"#).unwrap_err().code, Code::BadRequest);
        assert_eq!(parse::<Order>(b"").unwrap_err().code, Code::BadRequest);
    }
}
