//! Everything that the server serves, in one table.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use serde_json::json;

use super::health::Readiness;
use crate::action::Services;
use crate::api;
use crate::http::run::json as answer;
use crate::http::{Problem, Public, Table, run};
use crate::vocabulary::AnchorKind;

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

/// The program can serve: it reads and writes, and its clock goes forward. `record` says what the last comparison of
/// everything with the trail found; nothing before the first.
async fn ready(_: Public, services: Data<Services>, readiness: Data<Readiness>) -> Result<HttpResponse, Problem> {
    let (services, readiness) = (services.into_inner(), readiness.into_inner());
    let checked = services.sealer.checked();
    let record = checked.map(|last| json!({"checked_at": last.at, "intact": last.report.intact}));
    // How showing seals outside does; nothing where they are shown nowhere.
    let shown = services.sealer.anchored();
    let failing: Vec<AnchorKind> = shown.failing.iter().map(|(kind, _)| *kind).collect();
    let any = shown.at.is_some() || !failing.is_empty();
    let shown = any.then(|| json!({"seal": shown.seal, "at": shown.at, "failing": failing}));
    let schema = run(move || Ok(readiness.ask(&services)?)).await?;
    Ok(answer(StatusCode::OK, &json!({"status": "ready", "schema": schema, "record": record, "shown": shown})))
}
