//! `/api/v1/instruments`, `/api/v1/dead-letters`, `/api/v1/mappings`: the register, what could not be taken in, and
//! what the laboratory maps.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::{Data, Path, Query};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::action::Services;
use crate::http::permit::Permit;
use crate::http::permit::permission::{InstrumentRead, InstrumentRegisterRead};
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::run::{answer, run};
use crate::http::table::Table;
use crate::instruments::{
    self, AddRunList, Calibrate, CalibrationView, ChangeInstrument, DeadLetterView, DismissLetter, FolderView,
    InstrumentFilter, InstrumentView, LetterFilter, RegisterInstrument, RestoreInstrument, RestoreLetter,
    RetireInstrument, RetryLetter, RunListView, WithdrawRunList,
};
use crate::mapping::Rule;
use crate::store::columns::{DeadLetterId, InstrumentId};
use crate::store::views::keyset::Part;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/api/v1/instruments", list)
        .makes::<RegisterInstrument>(Method::POST, "/api/v1/instruments")
        .get("/api/v1/instruments/{id}", show)
        .does::<ChangeInstrument>(Method::PUT, "/api/v1/instruments/{id}")
        .ends::<RetireInstrument>(Method::POST, "/api/v1/instruments/{id}/retire")
        .ends::<RestoreInstrument>(Method::POST, "/api/v1/instruments/{id}/restore")
        .get("/api/v1/instruments/{id}/calibrations", calibrations)
        .makes::<Calibrate>(Method::POST, "/api/v1/instruments/{id}/calibrations")
        .get("/api/v1/instruments/{id}/folder", folder)
        .get("/api/v1/instruments/{id}/run-lists", run_lists)
        .makes::<AddRunList>(Method::POST, "/api/v1/instruments/{id}/run-lists")
        .ends::<WithdrawRunList>(Method::POST, "/api/v1/run-lists/{id}/withdraw")
        .get("/api/v1/dead-letters", dead_letters)
        .get("/api/v1/dead-letters/{id}", dead_letter)
        .get("/api/v1/dead-letters/{id}/content", content)
        .does::<RetryLetter>(Method::POST, "/api/v1/dead-letters/{id}/retry")
        .ends::<DismissLetter>(Method::POST, "/api/v1/dead-letters/{id}/dismiss")
        .ends::<RestoreLetter>(Method::POST, "/api/v1/dead-letters/{id}/restore")
        .get("/api/v1/mappings", mappings)
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(list, show, calibrations, folder, run_lists, dead_letters, dead_letter, content, mappings))]
pub struct Docs;

/// The rules in force, and what is wrong with the folder where something is.
#[derive(Clone, Serialize, ToSchema)]
pub struct MappingsView {
    rules: Vec<Rule>,
    /// File, line and field of a changed file that cannot be used; the rules are the former ones
    fault: Option<String>,
}

#[utoipa::path(get, path = "/api/v1/instruments", tag = "instruments", params(InstrumentFilter),
    responses((status = 200, body = [InstrumentView], description = "By code; `after` takes the code of the last one")))]
async fn list(
    gate: Permit<InstrumentRegisterRead>,
    services: Data<Services>,
    filter: Query<InstrumentFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || instruments::instruments(&services, &services.reader(&gate.actor)?, &filter)).await
}

#[utoipa::path(get, path = "/api/v1/instruments/{id}", tag = "instruments", params(("id" = String, Path)),
    responses((status = 200, body = InstrumentView), (status = 404, body = ProblemDocument)))]
async fn show(
    gate: Permit<InstrumentRegisterRead>,
    services: Data<Services>,
    id: Path<InstrumentId>,
) -> Result<HttpResponse, Problem> {
    answer(move || instruments::instrument_view(&services, &services.reader(&gate.actor)?, &id)).await
}

#[utoipa::path(get, path = "/api/v1/instruments/{id}/calibrations", tag = "instruments", params(("id" = String, Path)),
    responses((status = 200, body = [CalibrationView], description = "校准记录 calibrations, newest first")))]
async fn calibrations(
    gate: Permit<InstrumentRegisterRead>,
    services: Data<Services>,
    id: Path<InstrumentId>,
) -> Result<HttpResponse, Problem> {
    answer(move || instruments::calibrations(&services, &services.reader(&gate.actor)?, &id)).await
}

#[utoipa::path(get, path = "/api/v1/instruments/{id}/folder", tag = "instruments", params(("id" = String, Path)),
    responses((status = 200, body = FolderView)))]
async fn folder(
    gate: Permit<InstrumentRegisterRead>,
    services: Data<Services>,
    id: Path<InstrumentId>,
) -> Result<HttpResponse, Problem> {
    answer(move || instruments::folder_view(&services, &services.reader(&gate.actor)?, &id)).await
}

#[utoipa::path(get, path = "/api/v1/instruments/{id}/run-lists", tag = "instruments", params(("id" = String, Path)),
    responses((status = 200, body = [RunListView])))]
async fn run_lists(
    gate: Permit<InstrumentRegisterRead>,
    services: Data<Services>,
    id: Path<InstrumentId>,
) -> Result<HttpResponse, Problem> {
    answer(move || instruments::run_lists(&services, &services.reader(&gate.actor)?, &id)).await
}

#[utoipa::path(get, path = "/api/v1/dead-letters", tag = "instruments", params(LetterFilter),
    responses((status = 200, body = Part<DeadLetterView>, description = "未导入 what could not be taken in, newest first")))]
async fn dead_letters(
    gate: Permit<InstrumentRead>,
    services: Data<Services>,
    filter: Query<LetterFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || instruments::dead_letters(&services, &services.reader(&gate.actor)?, &filter)).await
}

#[utoipa::path(get, path = "/api/v1/dead-letters/{id}", tag = "instruments", params(("id" = String, Path)),
    responses((status = 200, body = DeadLetterView), (status = 404, body = ProblemDocument)))]
async fn dead_letter(
    gate: Permit<InstrumentRead>,
    services: Data<Services>,
    id: Path<DeadLetterId>,
) -> Result<HttpResponse, Problem> {
    answer(move || instruments::dead_letter(&services, &services.reader(&gate.actor)?, &id)).await
}

#[utoipa::path(get, path = "/api/v1/dead-letters/{id}/content", tag = "instruments", params(("id" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 404, body = ProblemDocument)))]
async fn content(
    gate: Permit<InstrumentRead>,
    services: Data<Services>,
    id: Path<DeadLetterId>,
) -> Result<HttpResponse, Problem> {
    let (_, bytes) = run(move || instruments::letter_content(&services, &services.reader(&gate.actor)?, &id)).await?;
    Ok(HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .insert_header(("content-disposition", "attachment"))
        .content_type("application/octet-stream")
        .body(bytes))
}

#[utoipa::path(get, path = "/api/v1/mappings", tag = "instruments", responses((status = 200, body = MappingsView)))]
async fn mappings(_: Permit<InstrumentRegisterRead>, services: Data<Services>) -> Result<HttpResponse, Problem> {
    answer(move || {
        let rules = services.mappings.rules().as_ref().clone();
        Ok(MappingsView { rules, fault: services.mappings.fault().map(|fault| fault.to_string()) })
    })
    .await
}
