//! `/api/v1/instruments`, `/api/v1/dead-letters`, `/api/v1/mappings`: the register, what could not be taken in, and
//! what the laboratory maps.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::certificates::Because;
use crate::action::Services;
use crate::http::body::Body;
use crate::http::permit::Permit;
use crate::http::permit::permission::{
    DeadLetterDecide, InstrumentAccept, InstrumentCalibrate, InstrumentRead, InstrumentRegisterManage,
    InstrumentRegisterRead,
};
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::run::{answer, created, done, run};
use crate::http::table::Table;
use crate::instruments::{
    self, DeadLetterView, FolderView, InstrumentView, NewCalibration, NewInstrument, NewRunList, Retried, RunListView,
};
use crate::mapping::Rule;
use crate::store::columns::{DeadLetterId, InstrumentId, RunListId};
use crate::store::rows::{CalibrationRow, DeadLetterRow};
use crate::store::views::{Listed, Page};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/api/v1/instruments", list)
        .post("/api/v1/instruments", register)
        .get("/api/v1/instruments/{id}", show)
        .put("/api/v1/instruments/{id}", change)
        .post("/api/v1/instruments/{id}/retire", retire)
        .get("/api/v1/instruments/{id}/calibrations", calibrations)
        .post("/api/v1/instruments/{id}/calibrations", calibrate)
        .get("/api/v1/instruments/{id}/folder", folder)
        .get("/api/v1/instruments/{id}/run-lists", run_lists)
        .post("/api/v1/instruments/{id}/run-lists", add_run_list)
        .post("/api/v1/run-lists/{id}/withdraw", withdraw_run_list)
        .get("/api/v1/dead-letters", dead_letters)
        .get("/api/v1/dead-letters/{id}", dead_letter)
        .get("/api/v1/dead-letters/{id}/content", content)
        .post("/api/v1/dead-letters/{id}/retry", retry)
        .post("/api/v1/dead-letters/{id}/dismiss", dismiss)
        .get("/api/v1/mappings", mappings)
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(
    list,
    register,
    show,
    change,
    retire,
    calibrations,
    calibrate,
    folder,
    run_lists,
    add_run_list,
    withdraw_run_list,
    dead_letters,
    dead_letter,
    content,
    retry,
    dismiss,
    mappings
))]
pub struct Docs;

/// An instrument as it is to be from now on, and why.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeInstrument {
    reason: String,
    instrument: NewInstrument,
}

/// Which dead letters are asked for.
#[derive(Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct LetterFilter {
    /// `open`, `resolved`, `dismissed`
    state: Option<String>,
    /// The id of an instrument
    instrument: Option<String>,
    limit: Option<i64>,
    offset: Option<i64>,
}

/// The rules in force, and what is wrong with the folder where something is.
#[derive(Clone, Serialize, ToSchema)]
pub struct MappingsView {
    rules: Vec<Rule>,
    /// File, line and field of a changed file that cannot be used; the rules are those of before it
    fault: Option<String>,
}

#[utoipa::path(get, path = "/api/v1/instruments", tag = "instruments", responses((status = 200, body = [InstrumentView])))]
async fn list(gate: Permit<InstrumentRegisterRead>, services: Data<Services>) -> Result<HttpResponse, Problem> {
    answer(move || instruments::instruments(&services, &gate.actor)).await
}

#[utoipa::path(post, path = "/api/v1/instruments", tag = "instruments", request_body = NewInstrument,
    responses((status = 201, body = InstrumentView), (status = 409, body = ProblemDocument),
              (status = 422, body = ProblemDocument)))]
async fn register(
    gate: Permit<InstrumentRegisterManage>,
    services: Data<Services>,
    body: Body<NewInstrument>,
) -> Result<HttpResponse, Problem> {
    created(move || instruments::register(&services, &gate.actor, &body.value)).await
}

#[utoipa::path(get, path = "/api/v1/instruments/{id}", tag = "instruments", params(("id" = String, Path)),
    responses((status = 200, body = InstrumentView), (status = 404, body = ProblemDocument)))]
async fn show(
    gate: Permit<InstrumentRegisterRead>,
    services: Data<Services>,
    id: Path<InstrumentId>,
) -> Result<HttpResponse, Problem> {
    answer(move || instruments::instrument_view(&services, &gate.actor, &id)).await
}

#[utoipa::path(put, path = "/api/v1/instruments/{id}", tag = "instruments", params(("id" = String, Path)),
    request_body = ChangeInstrument, responses((status = 200, body = InstrumentView), (status = 422, body = ProblemDocument)))]
async fn change(
    gate: Permit<InstrumentRegisterManage>,
    services: Data<Services>,
    id: Path<InstrumentId>,
    body: Body<ChangeInstrument>,
) -> Result<HttpResponse, Problem> {
    let ChangeInstrument { reason, instrument } = body.value;
    answer(move || instruments::change(&services, &gate.actor, &id, &instrument, &reason)).await
}

#[utoipa::path(post, path = "/api/v1/instruments/{id}/retire", tag = "instruments", params(("id" = String, Path)),
    request_body = Because, responses((status = 204), (status = 409, body = ProblemDocument)))]
async fn retire(
    gate: Permit<InstrumentRegisterManage>,
    services: Data<Services>,
    id: Path<InstrumentId>,
    body: Body<Because>,
) -> Result<HttpResponse, Problem> {
    done(move || instruments::retire(&services, &gate.actor, &id, &body.value.reason)).await
}

#[utoipa::path(get, path = "/api/v1/instruments/{id}/calibrations", tag = "instruments", params(("id" = String, Path)),
    responses((status = 200, body = [CalibrationRow], description = "校准记录 calibrations, newest first")))]
async fn calibrations(
    gate: Permit<InstrumentRegisterRead>,
    services: Data<Services>,
    id: Path<InstrumentId>,
) -> Result<HttpResponse, Problem> {
    answer(move || instruments::calibrations(&services, &gate.actor, &id)).await
}

#[utoipa::path(post, path = "/api/v1/instruments/{id}/calibrations", tag = "instruments", params(("id" = String, Path)),
    request_body = NewCalibration, responses((status = 201, body = CalibrationRow), (status = 422, body = ProblemDocument)))]
async fn calibrate(
    gate: Permit<InstrumentCalibrate>,
    services: Data<Services>,
    id: Path<InstrumentId>,
    body: Body<NewCalibration>,
) -> Result<HttpResponse, Problem> {
    created(move || instruments::calibrate(&services, &gate.actor, &id, &body.value)).await
}

#[utoipa::path(get, path = "/api/v1/instruments/{id}/folder", tag = "instruments", params(("id" = String, Path)),
    responses((status = 200, body = FolderView)))]
async fn folder(
    gate: Permit<InstrumentRegisterRead>,
    services: Data<Services>,
    id: Path<InstrumentId>,
) -> Result<HttpResponse, Problem> {
    answer(move || instruments::folder_view(&services, &gate.actor, &id)).await
}

#[utoipa::path(get, path = "/api/v1/instruments/{id}/run-lists", tag = "instruments", params(("id" = String, Path)),
    responses((status = 200, body = [RunListView])))]
async fn run_lists(
    gate: Permit<InstrumentRegisterRead>,
    services: Data<Services>,
    id: Path<InstrumentId>,
) -> Result<HttpResponse, Problem> {
    answer(move || instruments::run_lists(&services, &gate.actor, &id)).await
}

#[utoipa::path(post, path = "/api/v1/instruments/{id}/run-lists", tag = "instruments", params(("id" = String, Path)),
    request_body = NewRunList, responses((status = 201, body = RunListView), (status = 422, body = ProblemDocument)))]
async fn add_run_list(
    gate: Permit<InstrumentAccept>,
    services: Data<Services>,
    id: Path<InstrumentId>,
    body: Body<NewRunList>,
) -> Result<HttpResponse, Problem> {
    created(move || instruments::list_before_file(&services, &gate.actor, &id, &body.value)).await
}

#[utoipa::path(post, path = "/api/v1/run-lists/{id}/withdraw", tag = "instruments", params(("id" = String, Path)),
    request_body = Because, responses((status = 204), (status = 409, body = ProblemDocument)))]
async fn withdraw_run_list(
    gate: Permit<InstrumentAccept>,
    services: Data<Services>,
    id: Path<RunListId>,
    body: Body<Because>,
) -> Result<HttpResponse, Problem> {
    done(move || instruments::withdraw_list(&services, &gate.actor, &id, &body.value.reason)).await
}

#[utoipa::path(get, path = "/api/v1/dead-letters", tag = "instruments", params(LetterFilter),
    responses((status = 200, body = Listed<DeadLetterView>, description = "未导入 what could not be taken in, newest first")))]
async fn dead_letters(
    gate: Permit<InstrumentRead>,
    services: Data<Services>,
    filter: Query<LetterFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let page = Page::of(filter.limit, filter.offset);
        let instrument = filter.instrument.as_deref().map(InstrumentId::from);
        instruments::dead_letters(&services, &gate.actor, filter.state.as_deref(), instrument.as_ref(), page)
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/dead-letters/{id}", tag = "instruments", params(("id" = String, Path)),
    responses((status = 200, body = DeadLetterRow), (status = 404, body = ProblemDocument)))]
async fn dead_letter(
    gate: Permit<InstrumentRead>,
    services: Data<Services>,
    id: Path<DeadLetterId>,
) -> Result<HttpResponse, Problem> {
    answer(move || instruments::dead_letter(&services, &gate.actor, &id)).await
}

#[utoipa::path(get, path = "/api/v1/dead-letters/{id}/content", tag = "instruments", params(("id" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 404, body = ProblemDocument)))]
async fn content(
    gate: Permit<InstrumentRead>,
    services: Data<Services>,
    id: Path<DeadLetterId>,
) -> Result<HttpResponse, Problem> {
    let bytes = run(move || instruments::letter_content(&services, &gate.actor, &id).map(|(_, bytes)| bytes)).await?;
    Ok(HttpResponse::Ok()
        .insert_header(("cache-control", "no-store"))
        .insert_header(("content-disposition", "attachment"))
        .content_type("application/octet-stream")
        .body(bytes))
}

#[utoipa::path(post, path = "/api/v1/dead-letters/{id}/retry", tag = "instruments", params(("id" = String, Path)),
    responses((status = 200, body = Retried), (status = 409, body = ProblemDocument)))]
async fn retry(
    gate: Permit<DeadLetterDecide>,
    services: Data<Services>,
    id: Path<DeadLetterId>,
) -> Result<HttpResponse, Problem> {
    answer(move || instruments::retry(&services, &gate.actor, &id)).await
}

#[utoipa::path(post, path = "/api/v1/dead-letters/{id}/dismiss", tag = "instruments", params(("id" = String, Path)),
    request_body = Because, responses((status = 204), (status = 409, body = ProblemDocument)))]
async fn dismiss(
    gate: Permit<DeadLetterDecide>,
    services: Data<Services>,
    id: Path<DeadLetterId>,
    body: Body<Because>,
) -> Result<HttpResponse, Problem> {
    done(move || instruments::dismiss(&services, &gate.actor, &id, &body.value.reason)).await
}

#[utoipa::path(get, path = "/api/v1/mappings", tag = "instruments", responses((status = 200, body = MappingsView)))]
async fn mappings(_: Permit<InstrumentRegisterRead>, services: Data<Services>) -> Result<HttpResponse, Problem> {
    answer(move || {
        let rules = services.mappings.rules().as_ref().clone();
        Ok(MappingsView { rules, fault: services.mappings.fault().map(|fault| fault.to_string()) })
    })
    .await
}
