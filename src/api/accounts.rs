//! `/api/v1/accounts`: an administrator's matter.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode, header};
use actix_web::web::{Data, Path};
use utoipa::OpenApi;

use crate::accounts::{CreateAccount, DisableAccount, ResetPassword, ResetSecondFactor, SetRoles};
use crate::action::Services;
use crate::http::permit::Permit;
use crate::http::permit::permission::AccountManage;
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::run::{answer, json, run};
use crate::http::table::Table;
use crate::refusal::Refusal;
use crate::store::columns::AccountId;
use crate::store::views::{self, AccountView};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/api/v1/accounts", list)
        .makes::<CreateAccount>(Method::POST, "/api/v1/accounts")
        .get("/api/v1/accounts/{id}", show)
        .does::<SetRoles>(Method::PUT, "/api/v1/accounts/{id}/roles")
        .does::<DisableAccount>(Method::PUT, "/api/v1/accounts/{id}/disabled")
        .ends::<ResetPassword>(Method::PUT, "/api/v1/accounts/{id}/password")
        .ends::<ResetSecondFactor>(Method::POST, "/api/v1/accounts/{id}/second-factor/reset")
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(list, show))]
pub struct Docs;

/// Every account.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "accounts", responses(
    (status = 200, body = [AccountView]), (status = 403, body = ProblemDocument)))]
async fn list(_: Permit<AccountManage>, services: Data<Services>) -> Result<HttpResponse, Problem> {
    answer(move || services.db.read(views::accounts)).await
}

/// One account; its revision is also its `ETag`, for `If-Match`.
#[utoipa::path(get, path = "/api/v1/accounts/{id}", tag = "accounts", params(("id" = String, Path)), responses(
    (status = 200, body = AccountView), (status = 404, body = ProblemDocument)))]
async fn show(
    _: Permit<AccountManage>,
    services: Data<Services>,
    id: Path<AccountId>,
) -> Result<HttpResponse, Problem> {
    let found = run(move || {
        let found = services.db.read(|conn| views::account(conn, &id))?;
        Ok(found.ok_or_else(|| Refusal::not_found("账户", "account", id.as_str()))?)
    })
    .await?;
    let mut response = json(StatusCode::OK, &found);
    if let Ok(revision) = header::HeaderValue::from_str(&format!("\"{}\"", found.revision)) {
        response.headers_mut().insert(header::ETAG, revision);
    }
    Ok(response)
}
