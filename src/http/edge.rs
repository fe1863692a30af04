//! The outermost layer: a request's id, its log line, the security headers, and problems in their final form.

use std::net::{IpAddr, SocketAddr};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Uri;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpRequest};
use tracing::Instrument;

use super::permit::services;
use super::problem::{finish, respond};
use crate::action::Services;
use crate::refusal::{Code, Refusal};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// No page asks for anything of the device: codes are scanned by scanners that type.
const PERMISSIONS: &str = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=()";

/// Pages load what this server serves and nothing else; they are framed by nobody.
const CSP: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; \
                   form-action 'self'; frame-ancestors 'none'";
/// The vendored API reader styles itself inline.
const CSP_DOCS: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                        object-src 'none'; base-uri 'self'; frame-ancestors 'none'";

/// A document of the program may be shown inside one of its pages; a browser's own reader styles itself inline.
const CSP_PDF: &str = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; base-uri 'none'; \
                       frame-ancestors 'self'";

/// The id of a request, as logged, recorded on the trail and reported to the client.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// The id of this request.
#[must_use]
pub fn request_id(req: &HttpRequest) -> Option<String> {
    req.extensions().get::<RequestId>().map(|id| id.0.clone())
}

/// A proxy's id is kept where it cannot spoil a log line.
fn id_of(req: &ServiceRequest) -> String {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    req.headers()
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| (8..=64).contains(&id.len()) && id.bytes().all(fits))
        .map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned)
}

/// Whether a request comes from this machine, also where a proxy on it hands requests on for others.
fn is_from_here(peer: Option<SocketAddr>, headers: &HeaderMap) -> bool {
    const PROXIES: [&str; 4] = ["x-forwarded-for", "forwarded", "x-real-ip", "via"];
    peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback())
        && PROXIES.iter().all(|name| !headers.contains_key(*name))
}

/// Whether an address of pages is one of this machine.
#[must_use]
pub fn is_local_url(url: &str) -> bool {
    let Ok(url) = url.parse::<Uri>() else { return false };
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn demonstration() -> Refusal {
    Refusal::new(
        Code::Forbidden,
        "演示系统仅供本机使用：其账户口令是公开的",
        "a demonstration answers its own machine alone: the password of its accounts is public",
    )
}

/// Wraps the whole application. Queries and headers are not logged: they may carry secrets.
///
/// # Errors
/// None of its own: errors become responses here.
pub async fn edge<B: MessageBody + 'static>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = id_of(&req);
    let started = std::time::Instant::now();
    let (method, path) = (req.method().clone(), req.path().to_owned());
    let docs = path.starts_with("/api/docs");
    let secure = services(req.request()).is_ok_and(|services| services.site.cookie_secure);
    req.extensions_mut().insert(RequestId(id.clone()));
    let span = tracing::info_span!("request", id, %method, path);
    let closed = req.app_data::<Data<Services>>().is_some_and(|services| services.site.demonstration)
        && !is_from_here(req.peer_addr(), req.headers());
    async move {
        if closed {
            return Ok(finish(req.into_response(respond(&demonstration())).map_into_boxed_body(), &id));
        }
        // Inner layers answer with responses, never with errors: an error has lost the request, and a copy of
        // the request kept here would get in the router's way.
        let res = next.call(req).await?.map_into_boxed_body();
        let mut res = finish(res, &id);
        let headers = res.headers_mut();
        if let Ok(value) = HeaderValue::from_str(&id) {
            headers.insert(REQUEST_ID, value);
        }
        let pdf = headers.get(header::CONTENT_TYPE).is_some_and(|told| told == "application/pdf");
        let (csp, frames) = match (docs, pdf) {
            (true, _) => (CSP_DOCS, "DENY"),
            (_, true) => (CSP_PDF, "SAMEORIGIN"),
            _ => (CSP, "DENY"),
        };
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(csp));
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static(frames));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        headers.insert(header::PERMISSIONS_POLICY, HeaderValue::from_static(PERMISSIONS));
        headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
        headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
        if secure {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
        }
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(status = res.status().as_u16(), millis, "answered");
        Ok(res)
    }
    .instrument(span)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_from_this_machine_is_from_here() {
        let peer = |text: &str| Some(text.parse().expect("an address"));
        let none = HeaderMap::new();
        assert!(is_from_here(peer("127.0.0.1:5"), &none) && is_from_here(peer("[::1]:5"), &none));
        assert!(!is_from_here(peer("10.0.0.1:5"), &none) && !is_from_here(None, &none));
        let mut proxied = HeaderMap::new();
        proxied.insert(HeaderName::from_static("x-forwarded-for"), HeaderValue::from_static("127.0.0.1"));
        assert!(!is_from_here(peer("127.0.0.1:5"), &proxied));
    }

    #[test]
    fn addresses_of_this_machine_are_known() {
        for url in ["http://127.0.0.1:8080", "http://localhost", "https://[::1]:8443", "http://127.9.9.9/"] {
            assert!(is_local_url(url), "{url}");
        }
        for url in ["http://lims.example", "http://10.0.0.1", "https://localhost.example", "http://[fd00::1]", "x"] {
            assert!(!is_local_url(url), "{url}");
        }
    }
}
