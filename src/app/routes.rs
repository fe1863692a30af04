//! Everything that the server serves, in one table.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use serde_json::json;

use crate::action::Services;
use crate::api;
use crate::http::run::json as answer;
use crate::http::{Problem, Public, Table, run};

/// The routes of the API, the pages and the program's own. The description of the API and its reader are kept beside it, in
/// [`super::serve`].
#[must_use]
pub fn table() -> Table {
    Table::default().get("/health/live", live).get("/health/ready", ready).and(api::table()).and(crate::web::table())
}

/// The program runs.
async fn live(_: Public) -> HttpResponse {
    answer(StatusCode::OK, &json!({"status": "live", "version": env!("CARGO_PKG_VERSION")}))
}

/// The program can serve: its database answers.
async fn ready(_: Public, services: Data<Services>) -> Result<HttpResponse, Problem> {
    let db = services.db.clone();
    let versions = run(move || db.read(|conn| Ok(crate::store::applied_versions(conn)?))).await?;
    Ok(answer(StatusCode::OK, &json!({"status": "ready", "schema": versions.last()})))
}
