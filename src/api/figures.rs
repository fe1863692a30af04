//! `/api/v1/instrument-files/{id}`: its plots, its export in other formats, and the second person's check.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::{Data, Path, Query};
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi};

use crate::action::Services;
use crate::bench::CheckImport;
use crate::http::permit::Permit;
use crate::http::permit::permission::InstrumentRead;
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::run::{answer, kept, run, svg};
use crate::http::table::Table;
use crate::instruments::{self, Figure};
use crate::store::columns::InstrumentFileId;
use crate::store::views::CheckView;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/api/v1/instrument-files/{id}/plots", figures)
        .get("/api/v1/instrument-files/{id}/plots/{name}", figure)
        .get("/api/v1/instrument-files/{id}/export", export)
        .get("/api/v1/instrument-files/{id}/checks", checks)
        .makes::<CheckImport>(Method::POST, "/api/v1/instrument-files/{id}/checks")
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(figures, figure, export, checks))]
pub struct Docs;

/// In which format a file is wanted.
#[derive(Clone, Deserialize, IntoParams)]
pub struct Format {
    /// `asm` (Allotrope Simple Model) or `csv`
    format: String,
}

#[utoipa::path(get, path = "/api/v1/instrument-files/{id}/plots", tag = "instruments", params(("id" = String, Path)),
    responses((status = 200, body = [Figure], description = "Chromatograms and plates of the file"),
              (status = 404, body = ProblemDocument)))]
async fn figures(
    gate: Permit<InstrumentRead>,
    services: Data<Services>,
    id: Path<InstrumentFileId>,
) -> Result<HttpResponse, Problem> {
    answer(move || instruments::figures(&services, &services.reader(&gate.actor)?, &id)).await
}

#[utoipa::path(get, path = "/api/v1/instrument-files/{id}/plots/{name}", tag = "instruments",
    params(("id" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = String, content_type = "image/svg+xml", description = "One plot, drawn from the file"),
              (status = 404, body = ProblemDocument)))]
async fn figure(
    gate: Permit<InstrumentRead>,
    services: Data<Services>,
    at: Path<(InstrumentFileId, String)>,
) -> Result<HttpResponse, Problem> {
    Ok(svg(run(move || instruments::figure(&services, &services.reader(&gate.actor)?, &at.0, &at.1)).await?))
}

#[utoipa::path(get, path = "/api/v1/instrument-files/{id}/export", tag = "instruments",
    params(("id" = String, Path), Format),
    responses((status = 200, description = "The run as Allotrope Simple Model JSON or as CSV",
                   content((Object = "application/json"), (String = "text/csv"))),
              (status = 422, body = ProblemDocument)))]
async fn export(
    gate: Permit<InstrumentRead>,
    services: Data<Services>,
    id: Path<InstrumentFileId>,
    wanted: Query<Format>,
) -> Result<HttpResponse, Problem> {
    let made = run(move || instruments::export(&services, &services.reader(&gate.actor)?, &id, &wanted.format)).await?;
    Ok(kept(made.bytes, made.content_type, &made.name))
}

#[utoipa::path(get, path = "/api/v1/instrument-files/{id}/checks", tag = "instruments", params(("id" = String, Path)),
    responses((status = 200, body = [CheckView]), (status = 404, body = ProblemDocument)))]
async fn checks(
    gate: Permit<InstrumentRead>,
    services: Data<Services>,
    id: Path<InstrumentFileId>,
) -> Result<HttpResponse, Problem> {
    answer(move || instruments::checks(&services, &services.reader(&gate.actor)?, &id)).await
}
