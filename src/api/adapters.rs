//! `/api/v1/instrument-adapters`: what reads the laboratory's files, and what was refused.

use actix_web::HttpResponse;
use actix_web::web::Data;
use utoipa::OpenApi;

use crate::action::Services;
use crate::http::permit::Permit;
use crate::http::permit::permission::InstrumentRead;
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::run::answer;
use crate::http::table::Table;
use crate::instruments::{self, AdaptersView};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default().get("/api/v1/instrument-adapters", list)
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(list))]
pub struct Docs;

#[utoipa::path(get, path = "/api/v1/instrument-adapters", tag = "instruments",
    responses((status = 200, body = AdaptersView), (status = 403, body = ProblemDocument)))]
async fn list(_: Permit<InstrumentRead>, services: Data<Services>) -> Result<HttpResponse, Problem> {
    answer(move || Ok(instruments::adapters(&services))).await
}
