//! `/api/v1/accounts`: an administrator's matter.
//!
//! The pattern of every handler: its gate, what came in, one workflow call.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use crate::action::Services;
use crate::http::body::Body;
use crate::http::permit::Permit;
use crate::http::permit::permission::AccountManage;
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::run::{answer, created, done};
use crate::http::table::Table;
use crate::people::{AccountView, NewAccount};
use crate::refusal::Refusal;
use crate::store::columns::AccountId;
use crate::vocabulary::Role;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/api/v1/accounts", list)
        .post("/api/v1/accounts", create)
        .get("/api/v1/accounts/{id}", show)
        .put("/api/v1/accounts/{id}/roles", set_roles)
        .put("/api/v1/accounts/{id}/disabled", set_disabled)
        .put("/api/v1/accounts/{id}/password", reset_password)
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(list, create, show, set_roles, set_disabled, reset_password))]
pub struct Docs;

/// An account.
#[derive(Serialize, ToSchema)]
pub struct Account {
    id: String,
    username: String,
    display_name: String,
    institute: Option<String>,
    applicant: Option<String>,
    roles: Vec<String>,
    disabled: bool,
    locked_until: Option<String>,
}

impl From<AccountView> for Account {
    fn from(view: AccountView) -> Self {
        Self {
            id: view.id.to_string(),
            username: view.username,
            display_name: view.display_name,
            institute: view.institute.map(|id| id.to_string()),
            applicant: view.applicant.map(|id| id.to_string()),
            roles: view.roles.iter().map(|role| role.as_str().to_owned()).collect(),
            disabled: view.disabled,
            locked_until: view.locked_until,
        }
    }
}

/// A new account: of an institute, or of an applicant.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAccount {
    #[schema(example = "wang.xiaoming")]
    username: String,
    #[schema(example = "王晓明")]
    display_name: String,
    #[schema(format = Password, min_length = 12)]
    password: String,
    #[serde(default)]
    institute: Option<String>,
    #[serde(default)]
    applicant: Option<String>,
    #[schema(example = json!(["analyst"]))]
    roles: Vec<String>,
}

/// New roles, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRoles {
    roles: Vec<String>,
    reason: String,
}

/// Disabled or not, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetDisabled {
    disabled: bool,
    reason: String,
}

/// A new password, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetPassword {
    #[schema(format = Password, min_length = 12)]
    password: String,
    reason: String,
}

fn roles(words: &[String]) -> Result<Vec<Role>, Refusal> {
    words
        .iter()
        .enumerate()
        .map(|(i, word)| {
            Role::parse(word).ok_or_else(|| {
                Refusal::field(
                    format!("roles[{i}]"),
                    format!("未知角色“{word}”，应为：{}", Role::words()),
                    format!("{word:?} is no role; one of: {}", Role::words()),
                )
            })
        })
        .collect()
}

/// Every account.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "accounts", responses(
    (status = 200, body = [Account]), (status = 403, body = ProblemDocument)))]
async fn list(_: Permit<AccountManage>, services: Data<Services>) -> Result<HttpResponse, Problem> {
    let identity = services.identity.clone();
    answer(move || Ok(identity.accounts()?.into_iter().map(Account::from).collect::<Vec<_>>())).await
}

/// Make an account.
#[utoipa::path(post, path = "/api/v1/accounts", tag = "accounts", request_body = CreateAccount, responses(
    (status = 201, body = Account), (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn create(
    permit: Permit<AccountManage>,
    services: Data<Services>,
    body: Body<CreateAccount>,
) -> Result<HttpResponse, Problem> {
    let body = body.value;
    let new = NewAccount {
        roles: roles(&body.roles)?,
        username: body.username,
        display_name: body.display_name,
        password: body.password,
        institute: body.institute.map(Into::into),
        applicant: body.applicant.map(Into::into),
    };
    let identity = services.identity.clone();
    created(move || identity.create_account(&permit.actor, new.clone()).map(Account::from)).await
}

/// One account.
#[utoipa::path(get, path = "/api/v1/accounts/{id}", tag = "accounts", params(("id" = String, Path)), responses(
    (status = 200, body = Account), (status = 404, body = ProblemDocument)))]
async fn show(_: Permit<AccountManage>, services: Data<Services>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let identity = services.identity.clone();
    answer(move || identity.account(&AccountId::from(id.into_inner())).map(Account::from)).await
}

/// Set the roles of an account.
#[utoipa::path(put, path = "/api/v1/accounts/{id}/roles", tag = "accounts", params(("id" = String, Path)),
    request_body = SetRoles, responses(
    (status = 200, body = Account), (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn set_roles(
    permit: Permit<AccountManage>,
    services: Data<Services>,
    id: Path<String>,
    body: Body<SetRoles>,
) -> Result<HttpResponse, Problem> {
    let roles = roles(&body.value.roles)?;
    let (identity, id) = (services.identity.clone(), AccountId::from(id.into_inner()));
    answer(move || identity.set_roles(&permit.actor, &id, &roles, &body.value.reason).map(Account::from)).await
}

/// Disable an account, or enable it again.
#[utoipa::path(put, path = "/api/v1/accounts/{id}/disabled", tag = "accounts", params(("id" = String, Path)),
    request_body = SetDisabled, responses(
    (status = 200, body = Account), (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn set_disabled(
    permit: Permit<AccountManage>,
    services: Data<Services>,
    id: Path<String>,
    body: Body<SetDisabled>,
) -> Result<HttpResponse, Problem> {
    let (identity, id) = (services.identity.clone(), AccountId::from(id.into_inner()));
    let SetDisabled { disabled, reason } = body.value;
    answer(move || identity.set_disabled(&permit.actor, &id, disabled, &reason).map(Account::from)).await
}

/// Give an account a new password.
#[utoipa::path(put, path = "/api/v1/accounts/{id}/password", tag = "accounts", params(("id" = String, Path)),
    request_body = ResetPassword, responses(
    (status = 204), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn reset_password(
    permit: Permit<AccountManage>,
    services: Data<Services>,
    id: Path<String>,
    body: Body<ResetPassword>,
) -> Result<HttpResponse, Problem> {
    let (identity, id) = (services.identity.clone(), AccountId::from(id.into_inner()));
    let ResetPassword { password, reason } = body.value;
    done(move || identity.reset_password(&permit.actor, &id, &password, &reason)).await
}
