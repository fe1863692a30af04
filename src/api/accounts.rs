//! `/api/v1/accounts`: an administrator's matter.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode, header};
use actix_web::web::{Data, Path, Query};
use utoipa::OpenApi;

use crate::accounts::{
    AppointAdministrator, AppointSignatory, CreateAccount, DisableAccount, EndSignatoryField, ResetPassword,
    ResetSecondFactor, SetRoles,
};
use crate::action::Services;
use crate::http::permit::Permit;
use crate::http::permit::permission::{AccountManage, AccountRead};
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::run::{answer, json, run};
use crate::http::table::Table;
use crate::refusal::Refusal;
use crate::store::columns::AccountId;
use crate::store::views::keyset::Part;
use crate::store::views::{self, AccountView, Reader, Search, SignatoryFieldView};
use crate::store::{AnyConnection, Outcome};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/api/v1/accounts", list)
        .makes::<AppointAdministrator>(Method::POST, "/api/v1/institutes/{id}/administrator")
        .makes::<CreateAccount>(Method::POST, "/api/v1/accounts")
        .get("/api/v1/accounts/{id}", show)
        .does::<SetRoles>(Method::PUT, "/api/v1/accounts/{id}/roles")
        .does::<DisableAccount>(Method::PUT, "/api/v1/accounts/{id}/disabled")
        .ends::<ResetPassword>(Method::PUT, "/api/v1/accounts/{id}/password")
        .ends::<ResetSecondFactor>(Method::POST, "/api/v1/accounts/{id}/second-factor/reset")
        .get("/api/v1/accounts/{id}/fields", fields)
        .makes::<AppointSignatory>(Method::POST, "/api/v1/accounts/{id}/fields")
        .does::<EndSignatoryField>(Method::POST, "/api/v1/signatory-fields/{id}/end")
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(list, show, fields))]
pub struct Docs;

/// The accounts of the own institute and of its applicants, by user name.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "accounts", params(Search), responses(
    (status = 200, body = Part<AccountView>), (status = 403, body = ProblemDocument)))]
async fn list(
    gate: Permit<AccountManage>,
    services: Data<Services>,
    search: Query<Search>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        services.db.read(|conn| views::accounts(conn, &reader, &search))
    })
    .await
}

/// One account; its revision is also its `ETag`, for `If-Match`.
#[utoipa::path(get, path = "/api/v1/accounts/{id}", tag = "accounts", params(("id" = String, Path)), responses(
    (status = 200, body = AccountView), (status = 404, body = ProblemDocument)))]
async fn show(
    gate: Permit<AccountManage>,
    services: Data<Services>,
    id: Path<AccountId>,
) -> Result<HttpResponse, Problem> {
    let found = run(move || {
        let reader = services.reader(&gate.actor)?;
        services.db.read(|conn| account_of(conn, &reader, &id))
    })
    .await?;
    let mut response = json(StatusCode::OK, &found);
    if let Ok(revision) = header::HeaderValue::from_str(&format!("\"{}\"", found.revision)) {
        response.headers_mut().insert(header::ETAG, revision);
    }
    Ok(response)
}

/// What a signatory may sign (授权签字领域), from when on and until when.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/fields", tag = "accounts", params(("id" = String, Path)), responses(
    (status = 200, body = Vec<SignatoryFieldView>), (status = 404, body = ProblemDocument)))]
async fn fields(
    gate: Permit<AccountRead>,
    services: Data<Services>,
    id: Path<AccountId>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        services.db.read(|conn| {
            account_of(conn, &reader, &id)?;
            views::signatory_fields(conn, &reader, Some(&id))
        })
    })
    .await
}

/// The account, where it is the reader's to see.
fn account_of(conn: &mut AnyConnection, reader: &Reader, id: &AccountId) -> Outcome<AccountView> {
    let found = views::account(conn, reader, id)?;
    found.ok_or_else(|| Refusal::not_found("账户", "account", id.as_str()).into())
}
