//! `/api/v1`: applications, acceptance, receipt, custody; and the intake of all in one request.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::{Data, Path, Query};
use utoipa::OpenApi;

use crate::action::Services;
use crate::cases::{
    self, AcceptCase, IntakePreview, NewApplication, ReceiveSamples, RecordDates, RefuseCase, ReinstateBatch,
    ReinstateCase, ReinstateSample, SubmitCase, SubmitOwnCase, TakeIn, VoidCase, WithdrawBatch, WithdrawCase,
    WithdrawOwnCase,
};
use crate::custody::{DestroyContainers, MoveContainers, PrintLabels, ReturnContainers, UndoMove};
use crate::http::body::Body;
use crate::http::permit::Permit;
use crate::http::permit::permission::{CaseCreate, CaseRead, CustodyRead, OwnCaseRead, OwnCaseSubmit};
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::run::answer;
use crate::http::table::Table;
use crate::refusal::Refusal;
use crate::store::columns::{ApplicationId, SampleId};
use crate::store::views::keyset::Part;
use crate::store::views::{self, CaseDetail, CaseFilter, CaseRow, OwnCaseDetail, OwnCaseRow, SampleDetail};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .post("/api/v1/intake/preview", preview)
        .makes::<TakeIn>(Method::POST, "/api/v1/intake")
        .get("/api/v1/applications", list)
        .makes::<SubmitCase>(Method::POST, "/api/v1/applications")
        .get("/api/v1/applications/{id}", show)
        .does::<AcceptCase>(Method::POST, "/api/v1/applications/{id}/accept")
        .does::<WithdrawBatch>(Method::POST, "/api/v1/applications/{id}/withdraw-batch")
        .makes::<ReceiveSamples>(Method::POST, "/api/v1/applications/{id}/receipt")
        .does::<RecordDates>(Method::POST, "/api/v1/applications/{id}/dates")
        .ends::<RefuseCase>(Method::POST, "/api/v1/applications/{id}/refuse")
        .ends::<WithdrawCase>(Method::POST, "/api/v1/applications/{id}/withdraw")
        .ends::<VoidCase>(Method::POST, "/api/v1/applications/{id}/void")
        .ends::<ReinstateCase>(Method::POST, "/api/v1/applications/{id}/reinstate")
        .does::<ReinstateBatch>(Method::POST, "/api/v1/applications/{id}/reinstate-batch")
        .post("/api/v1/my/applications/preview", own_preview)
        .get("/api/v1/my/applications", own_list)
        .makes::<SubmitOwnCase>(Method::POST, "/api/v1/my/applications")
        .get("/api/v1/my/applications/{id}", own_show)
        .ends::<WithdrawOwnCase>(Method::POST, "/api/v1/my/applications/{id}/withdraw")
        .get("/api/v1/samples/{id}", sample)
        .get("/api/v1/samples/by-code/{code}", by_code)
        .makes::<MoveContainers>(Method::POST, "/api/v1/samples/{id}/custody")
        .makes::<ReturnContainers>(Method::POST, "/api/v1/samples/{id}/return")
        .makes::<DestroyContainers>(Method::POST, "/api/v1/samples/{id}/destroy")
        .makes::<UndoMove>(Method::POST, "/api/v1/samples/{id}/undo-move")
        .makes::<PrintLabels>(Method::POST, "/api/v1/samples/{id}/labels")
        .ends::<ReinstateSample>(Method::POST, "/api/v1/samples/{id}/reinstate")
}

/// The description of what is read.
#[derive(OpenApi)]
#[openapi(paths(preview, own_preview, list, show, own_list, own_show, sample, by_code))]
pub struct Docs;

fn none(kind_zh: &str, kind_en: &str, id: &str) -> Refusal {
    Refusal::not_found(kind_zh, kind_en, id)
}

#[utoipa::path(post, path = "/api/v1/intake/preview", tag = "intake", request_body = NewApplication,
    responses((status = 200, body = IntakePreview, description = "What the regulation asks for; nothing is stored"),
              (status = 422, body = ProblemDocument, description = "A field is not as expected")))]
async fn preview(
    gate: Permit<CaseCreate>,
    services: Data<Services>,
    body: Body<NewApplication>,
) -> Result<HttpResponse, Problem> {
    answer(move || cases::preview(&services, &gate.actor, &body.value)).await
}

#[utoipa::path(post, path = "/api/v1/my/applications/preview", tag = "applicant", request_body = NewApplication,
    responses((status = 200, body = IntakePreview, description = "What the regulation asks for; nothing is stored"),
              (status = 422, body = ProblemDocument, description = "A field is not as expected")))]
async fn own_preview(
    gate: Permit<OwnCaseSubmit>,
    services: Data<Services>,
    body: Body<NewApplication>,
) -> Result<HttpResponse, Problem> {
    answer(move || cases::preview(&services, &gate.actor, &body.value)).await
}

#[utoipa::path(get, path = "/api/v1/applications", tag = "intake", params(CaseFilter),
    responses((status = 200, body = Part<CaseRow>, description = "申请 cases of the institute, newest first")))]
async fn list(
    gate: Permit<CaseRead>,
    services: Data<Services>,
    filter: Query<CaseFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        services.db.read(|conn| views::cases(conn, &reader, &filter))
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/applications/{id}", tag = "intake", params(("id" = String, Path)),
    responses((status = 200, body = CaseDetail, description = "The case with everything under it"),
              (status = 404, body = ProblemDocument, description = "There is no such case")))]
async fn show(
    gate: Permit<CaseRead>,
    services: Data<Services>,
    id: Path<ApplicationId>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        let found = services.db.read(|conn| views::case(conn, &reader, &id))?;
        Ok(found.ok_or_else(|| none("申请", "application", id.as_str()))?)
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/my/applications", tag = "applicant", params(CaseFilter),
    responses((status = 200, body = Part<OwnCaseRow>, description = "本单位的申请 the applicant's own cases")))]
async fn own_list(
    gate: Permit<OwnCaseRead>,
    services: Data<Services>,
    filter: Query<CaseFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        services.db.read(|conn| views::own_cases(conn, &reader, &filter))
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/my/applications/{id}", tag = "applicant", params(("id" = String, Path)),
    responses((status = 200, body = OwnCaseDetail, description = "The case as its applicant sees it"),
              (status = 404, body = ProblemDocument, description = "There is no such case")))]
async fn own_show(
    gate: Permit<OwnCaseRead>,
    services: Data<Services>,
    id: Path<ApplicationId>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        let found = services.db.read(|conn| views::own_case(conn, &reader, &id))?;
        Ok(found.ok_or_else(|| none("申请", "application", id.as_str()))?)
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/samples/{id}", tag = "custody", params(("id" = String, Path)),
    responses((status = 200, body = SampleDetail, description = "The sample with its custody and tasks"),
              (status = 404, body = ProblemDocument, description = "There is no such sample")))]
async fn sample(
    gate: Permit<CustodyRead>,
    services: Data<Services>,
    id: Path<SampleId>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        let found = services.db.read(|conn| views::sample(conn, &reader, &id))?;
        Ok(found.ok_or_else(|| none("样品", "sample", id.as_str()))?)
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/samples/by-code/{code}", tag = "custody", params(("code" = String, Path)),
    responses((status = 200, body = SampleDetail, description = "The sample of that number or label"),
              (status = 404, body = ProblemDocument, description = "There is no such sample")))]
async fn by_code(
    gate: Permit<CustodyRead>,
    services: Data<Services>,
    code: Path<String>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        services.db.read(|conn| {
            let id = views::sample_by_number(conn, &reader, &code)?;
            let found = id.map(|id| views::sample(conn, &reader, &id)).transpose()?.flatten();
            Ok(found.ok_or_else(|| none("样品或标签", "sample or label", &code))?)
        })
    })
    .await
}
