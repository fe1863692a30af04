//! Logging in and out, one's own password, and the first page.

use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq;

use super::form::Form;
use super::page::{Page, Refused, see_other, send};
use crate::accounts::ChangePassword;
use crate::action::Services;
use crate::http::caller::{caller, local};
use crate::http::cookies::{CSRF_FIELD, csrf_cookie, removal_cookies, session_cookies};
use crate::http::jar::{CSRF_COOKIE, held};
use crate::http::{AnyAccount, May, Problem, Public, Table, run};
use crate::people::{Credentials, DutyFirst, LoggedIn};
use crate::refusal::{Code, Refusal};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/", home)
        .get("/login", login_page)
        .post("/login", log_in)
        .post("/logout", log_out)
        .get("/password", password_page)
        .post("/password", change_password)
}

async fn home(_: AnyAccount, page: Page) -> Result<HttpResponse, Problem> {
    page.show("home.html", json!({}))
}

#[derive(Deserialize)]
struct Next {
    next: Option<String>,
}

async fn login_page(
    _: Public,
    mut page: Page,
    services: Data<Services>,
    next: Query<Next>,
) -> Result<HttpResponse, Problem> {
    login_form(&mut page, &services, local(next.next.as_deref().unwrap_or("/")), None)
}

/// The form carries a token from the first: nobody is logged in by another site's form.
fn login_form(
    page: &mut Page,
    services: &Services,
    next: &str,
    refused: Option<&Refused>,
) -> Result<HttpResponse, Problem> {
    let fresh = page.csrf.is_empty().then(|| csrf_cookie(services.site.cookie_secure));
    if let Some((_, token)) = &fresh {
        page.csrf.clone_from(token);
    }
    let mut response = page.again("login.html", json!({"next": next}), refused)?;
    if let Some((cookie, _)) = fresh {
        let _ = response.add_cookie(&cookie);
    }
    Ok(response)
}

async fn log_in(
    _: Public,
    req: HttpRequest,
    mut page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let next = local(form.opt("next").as_deref().unwrap_or("/")).to_owned();
    let (identity, from) = (services.identity.clone(), caller(&req));
    let password = form.raw("password").into();
    let credentials = Credentials { username: form.text("username"), password, code: form.opt("code_password") };
    let opened = match same_token(&req, &form) {
        Ok(()) => run(move || identity.login_from(&credentials, &from)).await,
        Err(refusal) => Err(refusal.into()),
    };
    match opened {
        Ok(session) => Ok(opened_for(&session, &services, &next)),
        Err(problem) => login_form(&mut page, &services, &next, Some(&Refused::new(form, problem))),
    }
}

fn same_token(req: &HttpRequest, form: &Form) -> Result<(), Refusal> {
    let expected = held(req, CSRF_COOKIE).unwrap_or_default();
    let given = form.text(CSRF_FIELD);
    if !expected.is_empty() && bool::from(given.as_bytes().ct_eq(expected.as_bytes())) {
        return Ok(());
    }
    Err(Refusal::new(Code::Csrf, "页面已过期，请再试一次", "the page was out of date: try again"))
}

fn opened_for(session: &LoggedIn, services: &Services, next: &str) -> HttpResponse {
    let mut response = see_other(next);
    let cookies = session_cookies(session, services.clock.now(), services.site.cookie_secure);
    for cookie in cookies {
        let _ = response.add_cookie(&cookie);
    }
    response
}

async fn log_out(gate: AnyAccount, services: Data<Services>) -> Result<HttpResponse, Problem> {
    let identity = services.identity.clone();
    run(move || identity.logout(&gate.authenticated())).await?;
    let mut response = see_other("/login");
    for cookie in removal_cookies(services.site.cookie_secure) {
        let _ = response.add_cookie(&cookie);
    }
    Ok(response)
}

async fn password_page(gate: AnyAccount, page: Page) -> Result<HttpResponse, Problem> {
    page.show("password.html", json!({"done": false, "due": gate.due == Some(DutyFirst::Password)}))
}

async fn change_password(
    may: May<ChangePassword>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (old, new, again) = (form.raw("old_password"), form.raw("new_password"), form.raw("again_password"));
    let changed = if new == again {
        let session = Some(may.session.clone());
        let action = ChangePassword { old_password: old.into(), new_password: new.into(), session };
        send(&services, &may, &page, &form, action).await
    } else {
        Err(Refusal::field("again_password", "两次输入不一致", "the two do not agree").into())
    };
    match changed {
        Ok(()) => page.show("password.html", json!({"done": true, "due": false})),
        Err(problem) => {
            page.again("password.html", json!({"done": false, "due": false}), Some(&Refused::new(form, problem)))
        }
    }
}
