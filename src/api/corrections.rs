//! `/api/v1`: corrections of what is on record.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::{Data, Path, Query};
use utoipa::OpenApi;

use crate::action::Services;
use crate::corrections::{CorrectionRefusal, DecideCorrection, ProposeCorrection};
use crate::http::permit::Permit;
use crate::http::permit::permission::CorrectionRead;
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::run::answer;
use crate::http::table::Table;
use crate::store::columns::RecordCorrectionId;
use crate::store::views::{self, CorrectionFilter, RecordCorrectionView};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/api/v1/corrections", list)
        .makes::<ProposeCorrection>(Method::POST, "/api/v1/corrections")
        .get("/api/v1/corrections/{id}", show)
        .does::<DecideCorrection>(Method::POST, "/api/v1/corrections/{id}/decision")
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(list, show))]
pub struct Docs;

#[utoipa::path(get, path = "/api/v1/corrections", tag = "corrections", params(CorrectionFilter),
    responses((status = 200, body = [RecordCorrectionView], description = "更正 corrections, the newest first")))]
async fn list(
    gate: Permit<CorrectionRead>,
    services: Data<Services>,
    filter: Query<CorrectionFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        services.db.read(|conn| views::corrections(conn, &reader, &filter))
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/corrections/{id}", tag = "corrections", params(("id" = String, Path)),
    responses((status = 200, body = RecordCorrectionView), (status = 404, body = ProblemDocument)))]
async fn show(
    gate: Permit<CorrectionRead>,
    services: Data<Services>,
    id: Path<RecordCorrectionId>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        let found = services.db.read(|conn| views::correction(conn, &reader, &id))?;
        Ok(found.ok_or_else(|| CorrectionRefusal::NoCorrection(id.clone()))?)
    })
    .await
}
