//! One way to say no over HTTP: `application/problem+json` (RFC 9457), in the reader's language.
//!
//! A refusal travels in the response's extensions; [`finish`] writes the document once, at the edge, where the
//! language and the request's id are known. What the server library itself refuses ends here too.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::people::Authenticated;
use crate::refusal::{Code, Refusal};
use crate::store::Failure;

/// The content type of a problem document.
pub const CONTENT_TYPE: &str = "application/problem+json";
/// Marks a refusal whose body is written already, such as a page; it does not leave the server.
pub const OWN_BODY: &str = "x-own-body";

/// The language of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// Chinese.
    Zh,
    /// English.
    En,
}

impl Lang {
    /// The reader's: the cookie `lang`, then `Accept-Language`, then Chinese.
    #[must_use]
    pub fn of(req: &HttpRequest) -> Self {
        let cookie = req.cookie("lang").and_then(|cookie| Self::parse(cookie.value()));
        cookie.or_else(|| Self::accepted(req.headers())).unwrap_or(Self::Zh)
    }

    fn parse(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?;
        if primary.eq_ignore_ascii_case("zh") {
            Some(Self::Zh)
        } else if primary.eq_ignore_ascii_case("en") {
            Some(Self::En)
        } else {
            None
        }
    }

    fn accepted(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
        let mut ranked: Vec<(f32, Self)> = text
            .split(',')
            .filter_map(|part| {
                let mut pieces = part.split(';');
                let lang = Self::parse(pieces.next()?)?;
                let weight = pieces.find_map(|p| p.trim().strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
                Some((weight, lang))
            })
            .collect();
        // Stable: of equal weights the first stays first.
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        ranked.first().map(|(_, lang)| *lang)
    }

    /// The text of the two in this language.
    #[must_use]
    pub fn pick<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

/// The problem document.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemDocument {
    /// `urn:qianfa:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:qianfa:problem:quantity-short")]
    pub type_: String,
    /// What kind of problem it is.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong here, and what was expected.
    pub detail: String,
    /// The stable code.
    #[schema(example = "quantity-short")]
    pub code: String,
    /// The field at fault, as a JSON path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The provisions that made the decision.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub provisions: Vec<String>,
    /// Numbers and ids that a program can read.
    #[serde(skip_serializing_if = "serde_json::Value::is_null")]
    pub numbers: serde_json::Value,
    /// The request, as in the server's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl ProblemDocument {
    /// The document of a refusal.
    #[must_use]
    pub fn of(refusal: &Refusal, lang: Lang, request_id: Option<String>) -> Self {
        let (zh, en) = refusal.code.title();
        Self {
            type_: format!("urn:qianfa:problem:{}", refusal.code.as_str()),
            title: lang.pick(zh, en).to_owned(),
            status: refusal.code.status(),
            detail: lang.pick(&refusal.message_zh, &refusal.message_en).to_owned(),
            code: refusal.code.as_str().to_owned(),
            field: refusal.field.clone(),
            provisions: refusal.provisions.clone(),
            numbers: refusal.details.clone(),
            request_id,
        }
    }
}

/// A refusal on its way out.
#[derive(Debug)]
pub struct Problem(pub Box<Refusal>);

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self(Box::new(refusal))
    }
}

impl From<Failure> for Problem {
    /// Logs the store's own failures here, once: this is where they are handled, and the client is shown nothing
    /// of the inside.
    fn from(failure: Failure) -> Self {
        let inside = match &failure {
            Failure::Store(error) => Some(error.to_string()),
            Failure::Refused(_) => None,
        };
        let refusal = failure.into_refusal();
        if let Some(error) = inside {
            match refusal.code {
                Code::Internal => tracing::error!(error, "internal error"),
                code => tracing::warn!(error, code = code.as_str(), "refused by the store"),
            }
        }
        Self(Box::new(refusal))
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        status(self.0.code)
    }

    fn error_response(&self) -> HttpResponse {
        respond(&self.0)
    }
}

fn status(code: Code) -> StatusCode {
    StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// A response that carries the refusal; [`finish`] writes its document.
#[must_use]
pub fn respond(refusal: &Refusal) -> HttpResponse {
    let mut response = HttpResponse::new(status(refusal.code));
    response.extensions_mut().insert(refusal.clone());
    response
}

/// Why a response refuses, whoever refused; `None` where it does not, or says why itself.
pub fn refusal_of<B>(res: &mut ServiceResponse<B>) -> Option<Refusal> {
    let carried = res.response_mut().extensions_mut().remove::<Refusal>();
    carried.or_else(|| foreign_refusal(res))
}

/// Writes the problem document of a response that refuses, whoever refused.
pub fn finish<B: MessageBody + 'static>(mut res: ServiceResponse<B>, request_id: &str) -> ServiceResponse<BoxBody> {
    let Some(mut refusal) = refusal_of(&mut res) else {
        res.headers_mut().remove(OWN_BODY);
        return res.map_into_boxed_body();
    };
    // Where in the database something is broken is for those who can have it mended.
    if refusal.code == Code::RecordUnreadable && res.request().extensions().get::<Authenticated>().is_none() {
        refusal = Refusal::new(Code::Internal, "内部错误", "internal error");
    }
    let lang = Lang::of(res.request());
    let document = ProblemDocument::of(&refusal, lang, Some(request_id.to_owned()));
    let body = serde_json::to_vec(&document).unwrap_or_default();
    let (req, old) = res.into_parts();
    let mut new = HttpResponse::build(status(refusal.code));
    for (name, value) in old.headers() {
        if *name != header::CONTENT_TYPE && *name != header::CONTENT_LENGTH {
            new.append_header((name, value));
        }
    }
    new.insert_header((header::CONTENT_TYPE, CONTENT_TYPE));
    new.insert_header((header::CONTENT_LANGUAGE, lang.pick("zh-CN", "en")));
    new.insert_header((header::CACHE_CONTROL, "no-store"));
    match refusal.code {
        Code::Unauthenticated | Code::BadCredentials | Code::SessionRevoked => {
            new.insert_header((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        }
        Code::TooManyAttempts => {
            let seconds = refusal.details["retry_after_seconds"].as_u64().unwrap_or(1);
            new.insert_header((header::RETRY_AFTER, seconds));
        }
        Code::Busy => {
            new.insert_header((header::RETRY_AFTER, HeaderValue::from_static("2")));
        }
        _ => {}
    }
    ServiceResponse::new(req, new.body(body))
}

/// What the server library refused by itself, in our words.
fn foreign_refusal<B>(res: &ServiceResponse<B>) -> Option<Refusal> {
    let status = res.status();
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    // A body that the program wrote and that is not a problem document, such as a page, keeps what it says.
    if res.headers().contains_key(OWN_BODY) {
        return None;
    }
    let told = res.response().error().map(ToString::to_string).unwrap_or_default();
    let path = res.request().path();
    let refusal = match status {
        StatusCode::NOT_FOUND => Refusal::new(Code::NotFound, format!("没有 {path}"), format!("there is no {path}")),
        StatusCode::METHOD_NOT_ALLOWED => {
            let method = res.request().method();
            Refusal::new(
                Code::MethodNotAllowed,
                format!("{path} 不支持 {method}"),
                format!("{path} does not take {method}"),
            )
        }
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::new(Code::TooLarge, "内容过大", "the content is too large"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Refusal::new(Code::UnsupportedMedia, "不支持的内容类型", "the content type is not supported")
        }
        // The health page reports a busy database with this.
        StatusCode::SERVICE_UNAVAILABLE => Refusal::new(Code::Busy, "系统繁忙，请重试", "busy: try again"),
        status if status.is_server_error() => {
            tracing::error!(error = told, path, "internal error");
            Refusal::new(Code::Internal, "内部错误", "internal error")
        }
        _ => Refusal::new(
            Code::BadRequest,
            format!("请求无法读取：{told}"),
            format!("the request cannot be read: {told}"),
        ),
    };
    Some(refusal)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn lang(accept: &str) -> Lang {
        Lang::of(&TestRequest::default().insert_header(("accept-language", accept)).to_http_request())
    }

    #[test]
    fn chinese_first_unless_english_is_preferred() {
        assert_eq!(Lang::of(&TestRequest::default().to_http_request()), Lang::Zh);
        assert_eq!(lang("en-US,en;q=0.9,zh-CN;q=0.8"), Lang::En);
        assert_eq!(lang("en;q=0.3, zh-CN;q=0.8"), Lang::Zh);
        assert_eq!(lang("fr-FR"), Lang::Zh);
        assert_eq!(lang("*"), Lang::Zh);
    }
}
