//! Around every page: the choice of language, refusals as pages, the way to the login page and back.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::web::Query;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse};

use super::page::{Page, see_other};
use super::rules;
use crate::http::cookies::session_cookies;
use crate::http::permit::services;
use crate::http::problem::refusal_of;
use crate::http::renewal::Renewed;
use crate::refusal::{Code, Refusal};

/// Wraps the application inside [`crate::http::edge::edge`] and outside [`crate::http::cookies::csrf`]. What
/// programs use passes untouched.
///
/// # Errors
/// Those of the layers inside, for programs.
pub async fn pages<B: MessageBody + 'static>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if ["/api/", "/health/"].iter().any(|program| req.path().starts_with(program)) {
        return Ok(next.call(req).await?.map_into_boxed_body());
    }
    if let Some(there) = language(req.request()) {
        return Ok(req.into_response(there));
    }
    let mut res = next.call(req).await?.map_into_boxed_body();
    if let Some(refusal) = refusal_of(&mut res) {
        let (req, old) = res.into_parts();
        let mut page = refused(&req, &refusal);
        if let Some(allow) = old.headers().get(header::ALLOW) {
            page.headers_mut().insert(header::ALLOW, allow.clone());
        }
        res = ServiceResponse::new(req, page);
    }
    renew(&mut res);
    Ok(res)
}

/// `?lang=en` is remembered and taken out of the address.
fn language(req: &HttpRequest) -> Option<HttpResponse> {
    if req.method() != Method::GET {
        return None;
    }
    let query = Query::<Vec<(String, String)>>::from_query(req.query_string()).ok()?;
    let chosen = query.iter().find(|(key, _)| key == "lang").map(|(_, value)| value.as_str())?;
    let chosen = if chosen.starts_with("en") { "en" } else { "zh-CN" };
    let kept: Vec<&str> = req.query_string().split('&').filter(|part| !part.starts_with("lang=")).collect();
    let mut there = req.path().to_owned();
    if !kept.is_empty() {
        there = format!("{there}?{}", kept.join("&"));
    }
    let cookie = Cookie::build("lang", chosen)
        .path("/")
        .same_site(SameSite::Lax)
        .http_only(true)
        .max_age(Duration::days(365))
        .finish();
    let mut response = see_other(&there);
    let _ = response.add_cookie(&cookie);
    Some(response)
}

/// A refusal as a page; who is not logged in is led to the login page, and from there back.
fn refused(req: &HttpRequest, refusal: &Refusal) -> HttpResponse {
    let page = Page::of(req);
    if matches!(refusal.code, Code::Unauthenticated | Code::SessionRevoked) {
        let to = login_address(req);
        if page.part {
            return HttpResponse::NoContent().insert_header(("hx-redirect", to)).finish();
        }
        return see_other(&to);
    }
    let due = match refusal.code {
        Code::PasswordChangeDue => Some("/password"),
        Code::SecondFactorDue => Some("/second-factor"),
        _ => None,
    };
    if let Some(to) = due.filter(|_| *req.method() == Method::GET && !page.part) {
        return see_other(to);
    }
    let cited = services(req).map(|services| rules::cited(&services.regulation, &refusal.provisions));
    page.problem(refusal, cited.unwrap_or_default())
}

fn login_address(req: &HttpRequest) -> String {
    let seen = match *req.method() {
        Method::GET => req.uri().path_and_query().map_or("/", |part| part.as_str()),
        // A form cannot be sent again by following an address.
        _ => "/",
    };
    if seen == "/" {
        return "/login".to_owned();
    }
    format!("/login?next={}", encoded(seen))
}

/// A text for the query of an address.
#[must_use]
pub fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// Hands out the cookies of a session that was refreshed on the way.
fn renew(res: &mut ServiceResponse<BoxBody>) {
    let Some(Renewed(session)) = res.request().extensions().get::<Renewed>().cloned() else { return };
    let Ok(services) = services(res.request()) else { return };
    let cookies = session_cookies(&session, services.clock.now(), services.site.cookie_secure);
    for cookie in cookies {
        // A cookie that the page itself set, as at the end of a session, is kept.
        let set = res.response().cookies().any(|other| other.name() == cookie.name());
        if !set {
            let _ = res.response_mut().add_cookie(&cookie);
        }
    }
}
