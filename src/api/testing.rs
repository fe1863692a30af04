//! `/api/v1`: the bench queue, results, review, decisions and the raw record.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::intake::institute;
use crate::action::Services;
use crate::bench::{self, Decided, Decision, Entered, EnteredLine, Entry, Verdict};
use crate::certificates;
use crate::http::body::Body;
use crate::http::permit::Permit;
use crate::http::permit::permission::{
    OutOfLimitDecide, RawRecordRead, ResultEnter, ResultReview, TaskRead, TaskStart,
};
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::run::{answer, created, run};
use crate::http::table::Table;
use crate::refusal::Refusal;
use crate::store::columns::{ResultId, SampleId, TestTaskId};
use crate::store::rows::TestTaskRow;
use crate::store::views::{self, Listed, Page, QueueFilter, QueueRow, ReviewRow, TaskView};
use crate::vocabulary::TaskState;

/// The most lines of one worksheet.
const WORKSHEET: usize = 5000;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/api/v1/tasks", queue)
        .get("/api/v1/tasks/{id}", show)
        .post("/api/v1/tasks/{id}/start", start)
        .post("/api/v1/tasks/{id}/entry", enter)
        .post("/api/v1/tasks/{id}/decision", decide)
        .post("/api/v1/worksheets/entry", enter_many)
        .get("/api/v1/reviews", reviews)
        .post("/api/v1/results/{id}/review", review)
        .get("/api/v1/samples/{id}/raw-record", raw_record)
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(queue, show, start, enter, decide, enter_many, reviews, review, raw_record))]
pub struct Docs;

/// A worksheet's lines.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Worksheet {
    lines: Vec<Line>,
}

/// One line of a worksheet.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    task_id: String,
    entry: Entry,
}

/// Which results are asked for.
#[derive(Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct ReviewFilter {
    /// `entered` (for review) or `out_of_limit` (for a decision)
    state: Option<String>,
    limit: Option<i64>,
    offset: Option<i64>,
}

/// The state after a step.
#[derive(Serialize, ToSchema)]
pub struct After {
    state: String,
}

#[utoipa::path(get, path = "/api/v1/tasks", tag = "testing", params(QueueFilter),
    responses((status = 200, body = Listed<QueueRow>, description = "待检任务 the queue: by lane, then due date")))]
async fn queue(
    gate: Permit<TaskRead>,
    services: Data<Services>,
    filter: Query<QueueFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let institute = institute(&gate.actor)?;
        services.db.read(|conn| views::queue(conn, &institute, &filter))
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/tasks/{id}", tag = "testing", params(("id" = String, Path)),
    responses((status = 200, body = TaskView), (status = 404, body = ProblemDocument)))]
async fn show(gate: Permit<TaskRead>, services: Data<Services>, id: Path<TestTaskId>) -> Result<HttpResponse, Problem> {
    answer(move || {
        let institute = institute(&gate.actor)?;
        let found = services.db.read(|conn| views::task(conn, &institute, &id))?;
        Ok(found.ok_or_else(|| Refusal::not_found("检验任务", "test task", id.as_str()))?)
    })
    .await
}

#[utoipa::path(post, path = "/api/v1/tasks/{id}/start", tag = "testing", params(("id" = String, Path)),
    responses((status = 200, body = TestTaskRow, description = "检验中 in progress"), (status = 409, body = ProblemDocument)))]
async fn start(
    gate: Permit<TaskStart>,
    services: Data<Services>,
    id: Path<TestTaskId>,
) -> Result<HttpResponse, Problem> {
    answer(move || bench::start(&services, &gate.actor, &id)).await
}

#[utoipa::path(post, path = "/api/v1/tasks/{id}/entry", tag = "testing", params(("id" = String, Path)),
    request_body = Entry, responses((status = 201, body = Entered), (status = 422, body = ProblemDocument)))]
async fn enter(
    gate: Permit<ResultEnter>,
    services: Data<Services>,
    id: Path<TestTaskId>,
    body: Body<Entry>,
) -> Result<HttpResponse, Problem> {
    created(move || bench::enter(&services, &gate.actor, &id, &body.value)).await
}

#[utoipa::path(post, path = "/api/v1/tasks/{id}/decision", tag = "testing", params(("id" = String, Path)),
    request_body = Decision, responses((status = 201, body = Decided), (status = 409, body = ProblemDocument)))]
async fn decide(
    gate: Permit<OutOfLimitDecide>,
    services: Data<Services>,
    id: Path<TestTaskId>,
    body: Body<Decision>,
) -> Result<HttpResponse, Problem> {
    created(move || bench::decide(&services, &gate.actor, &id, &body.value)).await
}

#[utoipa::path(post, path = "/api/v1/worksheets/entry", tag = "testing", request_body = Worksheet,
    responses((status = 200, body = [EnteredLine], description = "Good lines are saved in one transaction; each bad one says why"),
              (status = 422, body = ProblemDocument)))]
async fn enter_many(
    gate: Permit<ResultEnter>,
    services: Data<Services>,
    body: Body<Worksheet>,
) -> Result<HttpResponse, Problem> {
    let lines = body.value.lines;
    if lines.is_empty() || lines.len() > WORKSHEET {
        return Err(Refusal::field("lines", "应有 1 至 5000 行", "expected 1 to 5000 lines").into());
    }
    let lines: Vec<(TestTaskId, Entry)> =
        lines.into_iter().map(|line| (line.task_id.as_str().into(), line.entry)).collect();
    answer(move || bench::enter_many(&services, &gate.actor, &lines)).await
}

#[utoipa::path(get, path = "/api/v1/reviews", tag = "testing", params(ReviewFilter),
    responses((status = 200, body = Listed<ReviewRow>, description = "待复核 to be reviewed, exceptions first")))]
async fn reviews(
    gate: Permit<TaskRead>,
    services: Data<Services>,
    filter: Query<ReviewFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let institute = institute(&gate.actor)?;
        let state = filter.state.as_deref().unwrap_or("entered");
        let state = crate::text::word("state", state, TaskState::parse)?;
        let page = Page::of(filter.limit, filter.offset);
        services.db.read(|conn| views::to_review(conn, &institute, state, page))
    })
    .await
}

#[utoipa::path(post, path = "/api/v1/results/{id}/review", tag = "testing", params(("id" = String, Path)),
    request_body = Verdict, responses((status = 200, body = After), (status = 422, body = ProblemDocument)))]
async fn review(
    gate: Permit<ResultReview>,
    services: Data<Services>,
    id: Path<ResultId>,
    body: Body<Verdict>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let state = bench::review(&services, &gate.actor, &id, &body.value)?;
        Ok(After { state: state.to_string() })
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/samples/{id}/raw-record", tag = "testing", params(("id" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/pdf", description = "检验原始记录 the raw record"),
              (status = 404, body = ProblemDocument)))]
async fn raw_record(
    gate: Permit<RawRecordRead>,
    services: Data<Services>,
    id: Path<SampleId>,
) -> Result<HttpResponse, Problem> {
    let pdf = run(move || certificates::raw_record(&services, &gate.actor, &id)).await?;
    Ok(crate::http::run::pdf(pdf))
}
