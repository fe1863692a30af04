//! `/api/v1`: reference standards, method definitions, evaluations of sequences and plates.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::intake::institute;
use crate::action::Services;
use crate::calculation::method::Method;
use crate::evaluations::{
    self, AcceptEvaluation, AcceptedEvaluation, Combination, EvaluatedTask, NewEvaluation, NewStandard, Preview,
    Proposed, Verified, Withdrawal,
};
use crate::http::body::Body;
use crate::http::permit::Permit;
use crate::http::permit::permission::{EvaluationCreate, EvaluationRead, ResultEnter, StandardManage};
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::run::{answer, created};
use crate::http::table::Table;
use crate::refusal::Refusal;
use crate::store::columns::{EvaluationId, InstrumentFileId, ReferenceStandardId};
use crate::store::rows::{EvaluationRow, ReferenceStandardRow};
use crate::store::views::{self, EvaluationDetail, EvaluationListRow, Listed, Page};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/api/v1/reference-standards", standards)
        .post("/api/v1/reference-standards", create_standard)
        .post("/api/v1/reference-standards/{id}/withdraw", withdraw_standard)
        .get("/api/v1/evaluation-methods", methods)
        .get("/api/v1/evaluations", list)
        .post("/api/v1/evaluations", create)
        .post("/api/v1/evaluations/proposal", proposal)
        .post("/api/v1/evaluations/preview", preview)
        .post("/api/v1/evaluations/combine", combine)
        .get("/api/v1/evaluations/{id}", show)
        .get("/api/v1/evaluations/{id}/tasks", tasks)
        .post("/api/v1/evaluations/{id}/versions", version)
        .post("/api/v1/evaluations/{id}/verify", verify)
        .post("/api/v1/evaluations/{id}/accept", accept)
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(
    standards,
    create_standard,
    withdraw_standard,
    methods,
    list,
    create,
    proposal,
    preview,
    combine,
    show,
    tasks,
    version,
    verify,
    accept
))]
pub struct Docs;

/// Which standards are asked for.
#[derive(Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct StandardFilter {
    /// `true` leaves out withdrawn lots
    in_use: bool,
}

/// Which evaluations are asked for.
#[derive(Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct EvaluationFilter {
    /// Those that rest on this file
    file: Option<String>,
    limit: Option<i64>,
    offset: Option<i64>,
}

/// Files and the method by which they are to be evaluated.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposalOf {
    method_id: String,
    file_ids: Vec<String>,
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
    responses((status = 200, body = Listed<ReferenceStandardRow>, description = "对照品 lots of reference standards")))]
async fn standards(
    gate: Permit<EvaluationRead>,
    services: Data<Services>,
    filter: Query<StandardFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let institute = institute(&gate.actor)?;
        services.db.read(|conn| views::standards(conn, &institute, filter.in_use))
    })
    .await
}

#[utoipa::path(post, path = "/api/v1/reference-standards", tag = "evaluations", request_body = NewStandard,
    responses((status = 201, body = ReferenceStandardRow, description = "The lot"), (status = 422, body = ProblemDocument)))]
async fn create_standard(
    gate: Permit<StandardManage>,
    services: Data<Services>,
    body: Body<NewStandard>,
) -> Result<HttpResponse, Problem> {
    created(move || evaluations::create_standard(&services, &gate.actor, &body.value)).await
}

#[utoipa::path(post, path = "/api/v1/reference-standards/{id}/withdraw", tag = "evaluations",
    params(("id" = String, Path)), request_body = Withdrawal,
    responses((status = 200, body = ReferenceStandardRow, description = "The lot"), (status = 409, body = ProblemDocument)))]
async fn withdraw_standard(
    gate: Permit<StandardManage>,
    services: Data<Services>,
    id: Path<ReferenceStandardId>,
    body: Body<Withdrawal>,
) -> Result<HttpResponse, Problem> {
    answer(move || evaluations::withdraw_standard(&services, &gate.actor, &id, &body.value)).await
}

#[utoipa::path(get, path = "/api/v1/evaluation-methods", tag = "evaluations",
    responses((status = 200, body = Methods, description = "方法定义 with their limits and sources")))]
async fn methods(_gate: Permit<EvaluationRead>, services: Data<Services>) -> Result<HttpResponse, Problem> {
    answer(move || Ok(Methods { items: evaluations::methods(&services)? })).await
}

#[utoipa::path(get, path = "/api/v1/evaluations", tag = "evaluations", params(EvaluationFilter),
    responses((status = 200, body = Listed<EvaluationListRow>, description = "评价 evaluations, the newest first")))]
async fn list(
    gate: Permit<EvaluationRead>,
    services: Data<Services>,
    filter: Query<EvaluationFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let institute = institute(&gate.actor)?;
        let (file, page) = (filter.file.as_deref().map(InstrumentFileId::from), Page::of(filter.limit, filter.offset));
        services.db.read(|conn| views::evaluations(conn, &institute, file.as_ref(), page))
    })
    .await
}

#[utoipa::path(post, path = "/api/v1/evaluations", tag = "evaluations", request_body = NewEvaluation,
    responses((status = 201, body = EvaluationRow, description = "Kept, valid or not"), (status = 422, body = ProblemDocument)))]
async fn create(
    gate: Permit<EvaluationCreate>,
    services: Data<Services>,
    body: Body<NewEvaluation>,
) -> Result<HttpResponse, Problem> {
    created(move || evaluations::create(&services, &gate.actor, &body.value)).await
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

#[utoipa::path(post, path = "/api/v1/evaluations/preview", tag = "evaluations", request_body = NewEvaluation,
    responses((status = 200, body = Preview, description = "Calculated and not kept"),
              (status = 422, body = ProblemDocument)))]
async fn preview(
    gate: Permit<EvaluationCreate>,
    services: Data<Services>,
    body: Body<NewEvaluation>,
) -> Result<HttpResponse, Problem> {
    answer(move || evaluations::preview(&services, &gate.actor, &body.value)).await
}

#[utoipa::path(post, path = "/api/v1/evaluations/combine", tag = "evaluations", request_body = Combination,
    responses((status = 201, body = EvaluationRow, description = "Independent assays of one sample together"),
              (status = 422, body = ProblemDocument)))]
async fn combine(
    gate: Permit<EvaluationCreate>,
    services: Data<Services>,
    body: Body<Combination>,
) -> Result<HttpResponse, Problem> {
    created(move || evaluations::combine(&services, &gate.actor, &body.value)).await
}

#[utoipa::path(get, path = "/api/v1/evaluations/{id}", tag = "evaluations", params(("id" = String, Path)),
    responses((status = 200, body = EvaluationDetail), (status = 404, body = ProblemDocument)))]
async fn show(
    gate: Permit<EvaluationRead>,
    services: Data<Services>,
    id: Path<EvaluationId>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let institute = institute(&gate.actor)?;
        let found = services.db.read(|conn| views::evaluation(conn, &institute, &id))?;
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

#[utoipa::path(post, path = "/api/v1/evaluations/{id}/versions", tag = "evaluations", params(("id" = String, Path)),
    request_body = NewEvaluation,
    responses((status = 201, body = EvaluationRow, description = "A new version"), (status = 422, body = ProblemDocument)))]
async fn version(
    gate: Permit<EvaluationCreate>,
    services: Data<Services>,
    id: Path<EvaluationId>,
    body: Body<NewEvaluation>,
) -> Result<HttpResponse, Problem> {
    created(move || evaluations::version(&services, &gate.actor, &id, &body.value)).await
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

#[utoipa::path(post, path = "/api/v1/evaluations/{id}/accept", tag = "evaluations", params(("id" = String, Path)),
    request_body = AcceptEvaluation,
    responses((status = 200, body = AcceptedEvaluation), (status = 409, body = ProblemDocument)))]
async fn accept(
    gate: Permit<ResultEnter>,
    services: Data<Services>,
    id: Path<EvaluationId>,
    body: Body<AcceptEvaluation>,
) -> Result<HttpResponse, Problem> {
    answer(move || evaluations::accept(&services, &gate.actor, &id, &body.value)).await
}
