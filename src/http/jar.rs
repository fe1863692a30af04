//! The names of the cookies, and reading them. Where the site is reached by HTTPS they have the prefix `__Host-`: no
//! other host of the same domain can set one in their place.

use actix_web::HttpRequest;
use actix_web::web::Data;

use crate::action::Services;

/// The cookie with the access token.
pub const ACCESS_COOKIE: &str = "qf_access";
/// The cookie with the refresh token.
pub const REFRESH_COOKIE: &str = "qf_refresh";
/// The cookie that a page's scripts and forms repeat.
pub const CSRF_COOKIE: &str = "qf_csrf";

/// A cookie's name on this site.
#[must_use]
pub fn named(name: &str, secure: bool) -> String {
    if secure { format!("__Host-{name}") } else { name.to_owned() }
}

/// What the request's cookie of that name holds. On a site of HTTPS a cookie without the prefix is nobody's.
#[must_use]
pub fn held(req: &HttpRequest, name: &str) -> Option<String> {
    let secure = req.app_data::<Data<Services>>().is_some_and(|services| services.site.cookie_secure);
    req.cookie(&named(name, secure)).map(|cookie| cookie.value().to_owned())
}
