//! `/api/v1`: reference standards, method definitions, evaluations of sequences and plates.

use actix_web::HttpResponse;
use actix_web::http::Method as Verb;
use actix_web::web::{Data, Path, Query};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use crate::action::Services;
use crate::calculation::method::Method;
use crate::evaluations::{
    self, AcceptEvaluation, AddStandard, CombineEvaluations, CreateEvaluation, EvaluatedTask, EvaluationPreview,
    Proposed, RestoreStandard, ReviseEvaluation, Verified, WithdrawStandard,
};
use crate::http::body::Body;
use crate::http::permit::Permit;
use crate::http::permit::permission::{EvaluationCreate, EvaluationRead};
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::run::answer;
use crate::http::table::Table;
use crate::refusal::Refusal;
use crate::store::columns::{EvaluationId, InstrumentFileId};
use crate::store::views::keyset::Part;
use crate::store::views::{self, EvaluationDetail, EvaluationFilter, EvaluationListRow, StandardFilter, StandardView};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/api/v1/reference-standards", standards)
        .makes::<AddStandard>(Verb::POST, "/api/v1/reference-standards")
        .does::<WithdrawStandard>(Verb::POST, "/api/v1/reference-standards/{id}/withdraw")
        .does::<RestoreStandard>(Verb::POST, "/api/v1/reference-standards/{id}/restore")
        .get("/api/v1/evaluation-methods", methods)
        .get("/api/v1/evaluations", list)
        .makes::<CreateEvaluation>(Verb::POST, "/api/v1/evaluations")
        .post("/api/v1/evaluations/proposal", proposal)
        .post("/api/v1/evaluations/preview", preview)
        .makes::<CombineEvaluations>(Verb::POST, "/api/v1/evaluations/combine")
        .get("/api/v1/evaluations/{id}", show)
        .get("/api/v1/evaluations/{id}/tasks", tasks)
        .makes::<ReviseEvaluation>(Verb::POST, "/api/v1/evaluations/{id}/versions")
        .post("/api/v1/evaluations/{id}/verify", verify)
        .does::<AcceptEvaluation>(Verb::POST, "/api/v1/evaluations/{id}/accept")
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(standards, methods, list, proposal, preview, show, tasks, verify))]
pub struct Docs;

/// Files and the method by which they are to be evaluated.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposalOf {
    method_id: String,
    file_ids: Vec<InstrumentFileId>,
}

/// Every definition.
#[derive(Clone, Serialize, ToSchema)]
pub struct Methods {
    items: Vec<Method>,
}

/// The tasks that an evaluation proposes to enter.
#[derive(Clone, Serialize, ToSchema)]
pub struct Tasks {
    items: Vec<EvaluatedTask>,
}

#[utoipa::path(get, path = "/api/v1/reference-standards", tag = "evaluations", params(StandardFilter),
    responses((status = 200, body = Part<StandardView>, description = "对照品 lots of reference standards")))]
async fn standards(
    gate: Permit<EvaluationRead>,
    services: Data<Services>,
    filter: Query<StandardFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        services.db.read(|conn| views::standards(conn, &reader, &filter))
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/evaluation-methods", tag = "evaluations",
    responses((status = 200, body = Methods, description = "方法定义 with their limits and sources")))]
async fn methods(_gate: Permit<EvaluationRead>, services: Data<Services>) -> Result<HttpResponse, Problem> {
    answer(move || Ok(Methods { items: evaluations::methods(&services)? })).await
}

#[utoipa::path(get, path = "/api/v1/evaluations", tag = "evaluations", params(EvaluationFilter),
    responses((status = 200, body = Part<EvaluationListRow>, description = "评价 evaluations, the newest first")))]
async fn list(
    gate: Permit<EvaluationRead>,
    services: Data<Services>,
    filter: Query<EvaluationFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        services.db.read(|conn| views::evaluations(conn, &reader, &filter))
    })
    .await
}

#[utoipa::path(post, path = "/api/v1/evaluations/proposal", tag = "evaluations", request_body = ProposalOf,
    responses((status = 200, body = Proposed), (status = 422, body = ProblemDocument)))]
async fn proposal(
    gate: Permit<EvaluationCreate>,
    services: Data<Services>,
    body: Body<ProposalOf>,
) -> Result<HttpResponse, Problem> {
    answer(move || evaluations::propose(&services, &gate.actor, &body.value.file_ids, &body.value.method_id)).await
}

#[utoipa::path(post, path = "/api/v1/evaluations/preview", tag = "evaluations", request_body = CreateEvaluation,
    responses((status = 200, body = EvaluationPreview, description = "Calculated and not kept"),
              (status = 422, body = ProblemDocument)))]
async fn preview(
    gate: Permit<EvaluationCreate>,
    services: Data<Services>,
    body: Body<CreateEvaluation>,
) -> Result<HttpResponse, Problem> {
    answer(move || evaluations::preview(&services, &gate.actor, &body.value)).await
}

#[utoipa::path(get, path = "/api/v1/evaluations/{id}", tag = "evaluations", params(("id" = String, Path)),
    responses((status = 200, body = EvaluationDetail), (status = 404, body = ProblemDocument)))]
async fn show(
    gate: Permit<EvaluationRead>,
    services: Data<Services>,
    id: Path<EvaluationId>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        let found = services.db.read(|conn| views::evaluation(conn, &reader, &id))?;
        Ok(found.ok_or_else(|| Refusal::not_found("评价", "evaluation", id.as_str()))?)
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/evaluations/{id}/tasks", tag = "evaluations", params(("id" = String, Path)),
    responses((status = 200, body = Tasks), (status = 404, body = ProblemDocument)))]
async fn tasks(
    gate: Permit<EvaluationRead>,
    services: Data<Services>,
    id: Path<EvaluationId>,
) -> Result<HttpResponse, Problem> {
    answer(move || Ok(Tasks { items: evaluations::tasks(&services, &gate.actor, &id)? })).await
}

#[utoipa::path(post, path = "/api/v1/evaluations/{id}/verify", tag = "evaluations", params(("id" = String, Path)),
    responses((status = 200, body = Verified, description = "Calculated again and compared"),
              (status = 404, body = ProblemDocument)))]
async fn verify(
    gate: Permit<EvaluationRead>,
    services: Data<Services>,
    id: Path<EvaluationId>,
) -> Result<HttpResponse, Problem> {
    answer(move || evaluations::verify(&services, &gate.actor, &id)).await
}
