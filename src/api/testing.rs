//! `/api/v1`: the bench queue, results, review, decisions and the raw record.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::{Data, Path, Query};
use utoipa::OpenApi;

use crate::action::Services;
use crate::bench::{
    ApproveCause, ApprovePlan, CheckLaboratory, ConfirmFailure, CorrectResult, DecideTask, EnterReadings,
    EnterWorksheet, HandBackTask, ProposePlan, RepeatUndecided, ReviewResult, SendBackInvestigation, StartTask,
};
use crate::certificates;
use crate::http::permit::Permit;
use crate::http::permit::permission::{RawRecordRead, TaskRead};
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::run::{answer, run};
use crate::http::table::Table;
use crate::refusal::Refusal;
use crate::store::columns::{SampleId, TestTaskId};
use crate::store::views::keyset::Part;
use crate::store::views::{
    self, QueueFilter, QueueRow, ReviewFilter, ReviewRow, SignatureFilter, SignatureView, TaskView,
};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/api/v1/tasks", queue)
        .get("/api/v1/tasks/{id}", show)
        .does::<StartTask>(Method::POST, "/api/v1/tasks/{id}/start")
        .does::<HandBackTask>(Method::POST, "/api/v1/tasks/{id}/hand-back")
        .makes::<EnterReadings>(Method::POST, "/api/v1/tasks/{id}/entry")
        .makes::<CheckLaboratory>(Method::POST, "/api/v1/tasks/{id}/investigation/check")
        .makes::<ApproveCause>(Method::POST, "/api/v1/tasks/{id}/investigation/cause-approval")
        .makes::<ProposePlan>(Method::POST, "/api/v1/tasks/{id}/investigation/plan")
        .makes::<ApprovePlan>(Method::POST, "/api/v1/tasks/{id}/investigation/plan-approval")
        .makes::<SendBackInvestigation>(Method::POST, "/api/v1/tasks/{id}/investigation/send-back")
        .makes::<DecideTask>(Method::POST, "/api/v1/tasks/{id}/decision")
        .makes::<ConfirmFailure>(Method::POST, "/api/v1/tasks/{id}/investigation/confirmation")
        .makes::<RepeatUndecided>(Method::POST, "/api/v1/results/{id}/repetition")
        .does::<EnterWorksheet>(Method::POST, "/api/v1/worksheets/entry")
        .get("/api/v1/reviews", reviews)
        .does::<ReviewResult>(Method::POST, "/api/v1/results/{id}/review")
        .makes::<CorrectResult>(Method::POST, "/api/v1/results/{id}/correction")
        .get("/api/v1/samples/{id}/raw-record", raw_record)
        .get("/api/v1/signatures", signatures)
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(queue, show, reviews, raw_record, signatures))]
pub struct Docs;

#[utoipa::path(get, path = "/api/v1/tasks", tag = "testing", params(QueueFilter),
    responses((status = 200, body = Part<QueueRow>, description = "待检任务 the queue: by lane, then due date"),
              (status = 422, body = ProblemDocument, description = "A state or a cursor that is not one of ours")))]
async fn queue(
    gate: Permit<TaskRead>,
    services: Data<Services>,
    filter: Query<QueueFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        services.db.read(|conn| views::queue(conn, &reader, &filter))
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/tasks/{id}", tag = "testing", params(("id" = String, Path)),
    responses((status = 200, body = TaskView, description = "The task with everything entered for it"),
              (status = 404, body = ProblemDocument, description = "There is no such task")))]
async fn show(gate: Permit<TaskRead>, services: Data<Services>, id: Path<TestTaskId>) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        let found = services.db.read(|conn| views::task(conn, &reader, &id))?;
        Ok(found.ok_or_else(|| Refusal::not_found("检验任务", "test task", id.as_str()))?)
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/reviews", tag = "testing", params(ReviewFilter),
    responses((status = 200, body = Part<ReviewRow>, description = "待复核 to be reviewed, exceptions first"),
              (status = 422, body = ProblemDocument, description = "A state or a cursor that is not one of ours")))]
async fn reviews(
    gate: Permit<TaskRead>,
    services: Data<Services>,
    filter: Query<ReviewFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        services.db.read(|conn| views::to_review(conn, &reader, &filter))
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/samples/{id}/raw-record", tag = "testing", params(("id" = String, Path)),
    responses((status = 200, content_type = "application/pdf", description = "检验原始记录 the raw record"),
              (status = 404, body = ProblemDocument, description = "There is no such sample")))]
async fn raw_record(
    gate: Permit<RawRecordRead>,
    services: Data<Services>,
    id: Path<SampleId>,
) -> Result<HttpResponse, Problem> {
    let pdf = run(move || certificates::raw_record(&services, &gate.actor, &id)).await?;
    Ok(crate::http::run::pdf(pdf))
}

#[utoipa::path(get, path = "/api/v1/signatures", tag = "testing", params(SignatureFilter),
    responses((status = 200, body = Vec<SignatureView>,
        description = "电子签名 who approved a thing, with what meaning and when, the oldest first")))]
async fn signatures(
    gate: Permit<TaskRead>,
    services: Data<Services>,
    filter: Query<SignatureFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        services.db.read(|conn| views::signatures(conn, &reader, &filter.subject_kind, &[&filter.subject_id]))
    })
    .await
}
