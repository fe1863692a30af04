//! `/api/v1/session`: logging in and out.

use actix_web::cookie::Cookie;
use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use crate::accounts::{ChangePassword, ConfirmSecondFactor, EndSession, OfferSecondFactor};
use crate::action::Services;
use crate::http::body::Body;
use crate::http::caller::caller;
use crate::http::command::{Command, act_blocking};
use crate::http::cookies::{removal_cookies, session_cookies};
use crate::http::jar::{REFRESH_COOKIE, held};
use crate::http::permit::Permit;
use crate::http::permit::permission::OwnSessionEnd;
use crate::http::permit::{AnyAccount, May, Public};
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::request_id;
use crate::http::run::{answer, json, run};
use crate::http::table::Table;
use crate::people::{Authenticated, Credentials, DutyFirst, LoggedIn, OwnSecondFactor, OwnSession};
use crate::record::Actor;
use crate::refusal::{Code, Refusal};
use crate::store::columns::{AccountId, ApplicantId, InstituteId};
use crate::vocabulary::Role;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .post("/api/v1/session", log_in)
        .get("/api/v1/session", who_am_i)
        .delete("/api/v1/session", log_out)
        .post("/api/v1/session/refresh", refresh)
        .post("/api/v1/session/password", change_password)
        .get("/api/v1/sessions", sessions)
        .ends::<EndSession>(Method::DELETE, "/api/v1/sessions/{id}")
        .get("/api/v1/session/second-factor", second_factor)
        .ends::<OfferSecondFactor>(Method::POST, "/api/v1/session/second-factor")
        .ends::<ConfirmSecondFactor>(Method::POST, "/api/v1/session/second-factor/confirm")
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(log_in, who_am_i, log_out, refresh, change_password, sessions, second_factor))]
pub struct Docs;

/// How the tokens are handed over.
#[derive(Clone, Copy, Default, Deserialize, PartialEq, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// In the answer, for programs.
    #[default]
    Token,
    /// In cookies that scripts cannot read, for browsers.
    Cookie,
}

/// A user name and a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    username: String,
    #[schema(format = Password)]
    password: String,
    #[serde(default)]
    mode: Mode,
    /// Of the second factor, or a recovery code, where the account has one
    #[serde(default)]
    code: Option<String>,
}

/// A refresh token, unless it comes as a cookie.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    #[serde(default)]
    refresh_token: Option<String>,
}

/// Who is logged in.
#[derive(Serialize, ToSchema)]
pub struct Me {
    account: AccountId,
    username: String,
    display_name: String,
    institute: Option<InstituteId>,
    applicant: Option<ApplicantId>,
    roles: Vec<Role>,
    /// What the roles permit.
    may: Vec<String>,
    /// What is to be done before anything else: `password-change-due` or `second-factor-due`.
    due: Option<String>,
}

/// A session. With cookies the tokens are not repeated here.
#[derive(Serialize, ToSchema)]
pub struct Session {
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// For the header `X-CSRF-Token`, with cookies.
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf_token: Option<String>,
    access_expires_at: DateTime<Utc>,
    session_expires_at: DateTime<Utc>,
    account: Me,
}

impl Me {
    fn of(actor: &Actor, due: Option<DutyFirst>) -> Self {
        let may = crate::vocabulary::Permission::ALL
            .iter()
            .filter(|action| crate::action::permitted(actor, **action).is_ok())
            .map(|action| action.as_str().to_owned());
        Self {
            account: actor.account.clone(),
            username: actor.username.clone(),
            display_name: actor.display_name.clone(),
            institute: actor.institute.clone(),
            applicant: actor.applicant.clone(),
            roles: actor.roles.clone(),
            may: may.collect(),
            due: due.map(|due| due.refusal().code.as_str().to_owned()),
        }
    }
}

async fn hand_over(session: LoggedIn, mode: Mode, services: &Services) -> Result<HttpResponse, Problem> {
    let by_cookie = mode == Mode::Cookie;
    let (identity, access) = (services.identity.clone(), session.access.clone());
    let due = run(move || identity.authenticate(&access, None)).await?.due;
    let cookies = session_cookies(&session, services.clock.now(), services.site.cookie_secure);
    let body = Session {
        account: Me::of(&session.actor, due),
        access_expires_at: session.access_until,
        session_expires_at: session.session_until,
        access_token: (!by_cookie).then_some(session.access),
        refresh_token: (!by_cookie).then_some(session.refresh),
        csrf_token: by_cookie.then_some(session.csrf),
    };
    let mut response = json(StatusCode::OK, &body);
    if by_cookie {
        set_cookies(&mut response, cookies);
    }
    Ok(response)
}

fn set_cookies(response: &mut HttpResponse, cookies: impl IntoIterator<Item = Cookie<'static>>) {
    for cookie in cookies {
        // A cookie that the program writes is always a valid header.
        let _ = response.add_cookie(&cookie);
    }
}

/// Log in.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = Login, responses(
    (status = 200, body = Session), (status = 401, body = ProblemDocument), (status = 429, body = ProblemDocument)))]
async fn log_in(
    _: Public,
    req: HttpRequest,
    services: Data<Services>,
    body: Body<Login>,
) -> Result<HttpResponse, Problem> {
    let Login { username, password, mode, code } = body.value;
    let (identity, from) = (services.identity.clone(), caller(&req));
    let credentials = Credentials { username, password: password.into(), code };
    let session = run(move || identity.login_from(&credentials, &from)).await?;
    hand_over(session, mode, &services).await
}

/// Who is logged in, and what the roles permit.
#[utoipa::path(get, path = "/api/v1/session", tag = "session", responses(
    (status = 200, body = Me), (status = 401, body = ProblemDocument)))]
async fn who_am_i(gate: AnyAccount) -> Result<HttpResponse, Problem> {
    Ok(json(StatusCode::OK, &Me::of(&gate.actor, gate.due)))
}

/// Log out: the session and everything refreshed from it ends.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses(
    (status = 204), (status = 401, body = ProblemDocument)))]
async fn log_out(gate: AnyAccount, services: Data<Services>) -> Result<HttpResponse, Problem> {
    let identity = services.identity.clone();
    run(move || identity.logout(&gate.authenticated())).await?;
    let mut response = HttpResponse::NoContent().finish();
    set_cookies(&mut response, removal_cookies(services.site.cookie_secure));
    Ok(response)
}

/// Trade a refresh token for a new pair; each is good for one use.
#[utoipa::path(post, path = "/api/v1/session/refresh", tag = "session", request_body = Refresh, responses(
    (status = 200, body = Session), (status = 401, body = ProblemDocument)))]
async fn refresh(
    _: Public,
    req: HttpRequest,
    services: Data<Services>,
    body: Body<Refresh>,
) -> Result<HttpResponse, Problem> {
    let (token, mode) = match body.value.refresh_token {
        Some(token) => (Some(token), Mode::Token),
        None => (held(&req, REFRESH_COOKIE), Mode::Cookie),
    };
    let token =
        token.ok_or_else(|| Refusal::new(Code::Unauthenticated, "缺少刷新令牌", "there is no refresh token"))?;
    let (identity, request) = (services.identity.clone(), request_id(&req));
    let session = run(move || identity.refresh(&token, request.as_deref())).await?;
    hand_over(session, mode, &services).await
}

/// Change one's own password; one's other sessions end.
#[utoipa::path(post, path = "/api/v1/session/password", tag = "session", request_body = ChangePassword, responses(
    (status = 204), (status = 401, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn change_password(
    may: May<ChangePassword>,
    services: Data<Services>,
    command: Command<ChangePassword>,
) -> Result<HttpResponse, Problem> {
    let action = ChangePassword { session: Some(may.session.clone()), ..command.action };
    act_blocking(&services, &may, command.call, action).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// One's own open sessions, the one last used first.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "session", responses(
    (status = 200, body = [OwnSession]), (status = 401, body = ProblemDocument)))]
async fn sessions(gate: Permit<OwnSessionEnd>, services: Data<Services>) -> Result<HttpResponse, Problem> {
    let who = Authenticated { actor: gate.actor, session: gate.session, due: None };
    answer(move || services.identity.own_sessions(&who)).await
}

/// One's own second factor; its secret and its recovery codes only until it is confirmed.
#[utoipa::path(get, path = "/api/v1/session/second-factor", tag = "session", responses(
    (status = 200, body = OwnSecondFactor), (status = 401, body = ProblemDocument)))]
async fn second_factor(gate: AnyAccount, services: Data<Services>) -> Result<HttpResponse, Problem> {
    answer(move || services.identity.own_second_factor(&gate.authenticated())).await
}
