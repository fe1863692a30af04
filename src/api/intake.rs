//! `/api/v1`: applications, acceptance, receipt, custody; and the intake of all in one request.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use utoipa::OpenApi;

use super::body::Body;
use super::idempotency::{IdempotencyKey, Once, idempotent};
use super::permit::permission::{
    CaseAccept, CaseCreate, CaseRead, CustodyRead, OwnCaseRead, OwnCaseSubmit, PortSample, SampleReceive,
};
use super::permit::{AnyAccount, Permit, may};
use super::problem::{Problem, ProblemDocument};
use super::run::{answer, created, done, run};
use super::table::Table;
use crate::audit::Actor;
use crate::custody::{self, Move, Moved, Place};
use crate::intake::{self, Ending, Intake, LaterDates, NewApplication, Preview, Receipt, Taken};
use crate::refusal::{Code, Refusal};
use crate::regulation::Action;
use crate::services::Services;
use crate::store::Outcome;
use crate::store::columns::{ApplicationId, InstituteId, SampleId};
use crate::store::views::{self, CaseDetail, CaseFilter, CaseRow, Listed, SampleDetail};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .post("/api/v1/intake/preview", preview)
        .post("/api/v1/intake", take_in)
        .get("/api/v1/applications", list)
        .post("/api/v1/applications", submit)
        .get("/api/v1/applications/{id}", show)
        .post("/api/v1/applications/{id}/accept", accept)
        .post("/api/v1/applications/{id}/receipt", receive)
        .post("/api/v1/applications/{id}/dates", dates)
        .post("/api/v1/applications/{id}/end", end)
        .get("/api/v1/my/applications", own_list)
        .post("/api/v1/my/applications", own_submit)
        .get("/api/v1/my/applications/{id}", own_show)
        .get("/api/v1/samples/{id}", sample)
        .get("/api/v1/samples/by-code/{code}", by_code)
        .post("/api/v1/samples/{id}/custody", move_containers)
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(
    preview,
    take_in,
    list,
    submit,
    show,
    accept,
    receive,
    dates,
    end,
    own_list,
    own_submit,
    own_show,
    sample,
    by_code,
    move_containers
))]
pub struct Docs;

/// The institute that a member of staff works for.
///
/// # Errors
/// [`Code::Forbidden`] for an applicant.
pub(super) fn institute(actor: &Actor) -> Outcome<InstituteId> {
    let own = actor.institute.clone();
    Ok(own.ok_or_else(|| Refusal::new(Code::Forbidden, "仅限机构人员", "for staff of an institute only"))?)
}

#[utoipa::path(post, path = "/api/v1/intake/preview", tag = "intake", request_body = NewApplication,
    responses((status = 200, body = Preview, description = "What the regulation asks for; nothing is stored"),
              (status = 422, body = ProblemDocument)))]
async fn preview(
    gate: AnyAccount,
    services: Data<Services>,
    body: Body<NewApplication>,
) -> Result<HttpResponse, Problem> {
    answer(move || intake::preview(&services, &gate.actor, &body.value)).await
}

#[utoipa::path(post, path = "/api/v1/intake", tag = "intake", request_body = Intake,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeat with this key is done once")),
    responses((status = 201, body = Taken, description = "Application, acceptance and receipt, in one transaction"),
              (status = 422, body = ProblemDocument)))]
async fn take_in(
    gate: Permit<SampleReceive>,
    services: Data<Services>,
    key: IdempotencyKey,
    body: Body<Intake>,
) -> Result<HttpResponse, Problem> {
    let stored = run(move || {
        let once = Once { key: key.0, request_sha256: body.sha256, status: 201 };
        let (now, regulation, actor) = (services.clock.now(), services.regulation.clone(), gate.actor.clone());
        let action = move |conn: &mut _| intake::take_in_with(conn, &regulation, &actor, now, &body.value);
        idempotent(&services.db, &gate.actor, once, now, action)
    })
    .await?;
    Ok(stored.respond())
}

#[utoipa::path(get, path = "/api/v1/applications", tag = "intake", params(CaseFilter),
    responses((status = 200, body = Listed<CaseRow>, description = "申请 cases of the institute, newest first")))]
async fn list(
    gate: Permit<CaseRead>,
    services: Data<Services>,
    filter: Query<CaseFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let institute = institute(&gate.actor)?;
        let mut listed = services.db.read(|conn| views::cases(conn, Some(&institute), None, &filter))?;
        if may(&gate.actor, Action::ApplicantRead).is_err() {
            listed.items.iter_mut().for_each(|row| row.applicant.clear());
        }
        Ok(listed)
    })
    .await
}

#[utoipa::path(post, path = "/api/v1/applications", tag = "intake", request_body = NewApplication,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeat with this key is done once")),
    responses((status = 201, body = Taken), (status = 422, body = ProblemDocument)))]
async fn submit(
    gate: Permit<CaseCreate>,
    services: Data<Services>,
    key: IdempotencyKey,
    body: Body<NewApplication>,
) -> Result<HttpResponse, Problem> {
    submit_once(gate.actor, services, key, body).await
}

async fn submit_once(
    actor: Actor,
    services: Data<Services>,
    key: IdempotencyKey,
    body: Body<NewApplication>,
) -> Result<HttpResponse, Problem> {
    let stored = run(move || {
        let once = Once { key: key.0, request_sha256: body.sha256, status: 201 };
        let (now, author) = (services.clock.now(), actor.clone());
        let action = move |conn: &mut _| intake::submit_with(conn, &author, now, &body.value);
        idempotent(&services.db, &actor, once, now, action)
    })
    .await?;
    Ok(stored.respond())
}

#[utoipa::path(get, path = "/api/v1/applications/{id}", tag = "intake", params(("id" = String, Path)),
    responses((status = 200, body = CaseDetail), (status = 404, body = ProblemDocument)))]
async fn show(
    gate: Permit<CaseRead>,
    services: Data<Services>,
    id: Path<ApplicationId>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let institute = institute(&gate.actor)?;
        let found = services.db.read(|conn| views::case(conn, Some(&institute), None, &id))?;
        let mut case = found.ok_or_else(|| Refusal::not_found("申请", "application", id.as_str()))?;
        if may(&gate.actor, Action::ApplicantRead).is_err() {
            case.hide_applicant();
        }
        Ok(case)
    })
    .await
}

#[utoipa::path(post, path = "/api/v1/applications/{id}/accept", tag = "intake", params(("id" = String, Path)),
    responses((status = 200, body = Taken), (status = 422, body = ProblemDocument)))]
async fn accept(
    gate: Permit<CaseAccept>,
    services: Data<Services>,
    id: Path<ApplicationId>,
) -> Result<HttpResponse, Problem> {
    answer(move || intake::accept(&services, &gate.actor, &id)).await
}

#[utoipa::path(post, path = "/api/v1/applications/{id}/receipt", tag = "intake", params(("id" = String, Path)),
    request_body = Receipt, responses((status = 201, body = Taken), (status = 422, body = ProblemDocument)))]
async fn receive(
    gate: Permit<SampleReceive>,
    services: Data<Services>,
    id: Path<ApplicationId>,
    body: Body<Receipt>,
) -> Result<HttpResponse, Problem> {
    created(move || intake::receive(&services, &gate.actor, &id, &body.value)).await
}

#[utoipa::path(post, path = "/api/v1/applications/{id}/dates", tag = "intake", params(("id" = String, Path)),
    request_body = LaterDates, responses((status = 200, body = Taken), (status = 422, body = ProblemDocument)))]
async fn dates(
    gate: Permit<PortSample>,
    services: Data<Services>,
    id: Path<ApplicationId>,
    body: Body<LaterDates>,
) -> Result<HttpResponse, Problem> {
    answer(move || intake::record_dates(&services, &gate.actor, &id, &body.value)).await
}

#[utoipa::path(post, path = "/api/v1/applications/{id}/end", tag = "intake", params(("id" = String, Path)),
    request_body = Ending, responses((status = 204), (status = 409, body = ProblemDocument)))]
async fn end(
    gate: AnyAccount,
    services: Data<Services>,
    id: Path<ApplicationId>,
    body: Body<Ending>,
) -> Result<HttpResponse, Problem> {
    may(&gate.actor, ending_action(&body.value.how))?;
    done(move || intake::end(&services, &gate.actor, &id, &body.value)).await
}

/// Refusing, withdrawing and voiding are three permissions; an unknown word is refused by the workflow.
pub(crate) fn ending_action(how: &str) -> Action {
    match how {
        "refuse" => Action::CaseRefuse,
        "withdraw" => Action::CaseWithdraw,
        _ => Action::CaseVoid,
    }
}

#[utoipa::path(get, path = "/api/v1/my/applications", tag = "applicant", params(CaseFilter),
    responses((status = 200, body = Listed<CaseRow>, description = "本单位的申请 the applicant's own cases")))]
async fn own_list(
    gate: Permit<OwnCaseRead>,
    services: Data<Services>,
    filter: Query<CaseFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || services.db.read(|conn| views::cases(conn, None, gate.actor.applicant.as_ref(), &filter))).await
}

#[utoipa::path(post, path = "/api/v1/my/applications", tag = "applicant", request_body = NewApplication,
    params(("Idempotency-Key" = Option<String>, Header, description = "A repeat with this key is done once")),
    responses((status = 201, body = Taken), (status = 422, body = ProblemDocument)))]
async fn own_submit(
    gate: Permit<OwnCaseSubmit>,
    services: Data<Services>,
    key: IdempotencyKey,
    body: Body<NewApplication>,
) -> Result<HttpResponse, Problem> {
    submit_once(gate.actor, services, key, body).await
}

#[utoipa::path(get, path = "/api/v1/my/applications/{id}", tag = "applicant", params(("id" = String, Path)),
    responses((status = 200, body = CaseDetail), (status = 404, body = ProblemDocument)))]
async fn own_show(
    gate: Permit<OwnCaseRead>,
    services: Data<Services>,
    id: Path<ApplicationId>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let found = services.db.read(|conn| views::case(conn, None, gate.actor.applicant.as_ref(), &id))?;
        Ok(found.ok_or_else(|| Refusal::not_found("申请", "application", id.as_str()))?)
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/samples/{id}", tag = "custody", params(("id" = String, Path)),
    responses((status = 200, body = SampleDetail), (status = 404, body = ProblemDocument)))]
async fn sample(
    gate: Permit<CustodyRead>,
    services: Data<Services>,
    id: Path<SampleId>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let institute = institute(&gate.actor)?;
        let found = services.db.read(|conn| views::sample(conn, &institute, &id))?;
        Ok(found.ok_or_else(|| Refusal::not_found("样品", "sample", id.as_str()))?)
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/samples/by-code/{code}", tag = "custody", params(("code" = String, Path)),
    responses((status = 200, body = SampleDetail), (status = 404, body = ProblemDocument)))]
async fn by_code(
    gate: Permit<CustodyRead>,
    services: Data<Services>,
    code: Path<String>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let institute = institute(&gate.actor)?;
        services.db.read(|conn| {
            let id = views::sample_by_number(conn, &institute, &code)?;
            let found = id.map(|id| views::sample(conn, &institute, &id)).transpose()?.flatten();
            Ok(found.ok_or_else(|| Refusal::not_found("样品或标签", "sample or label", &code))?)
        })
    })
    .await
}

#[utoipa::path(post, path = "/api/v1/samples/{id}/custody", tag = "custody", params(("id" = String, Path)),
    request_body = Move, responses((status = 201, body = Moved), (status = 422, body = ProblemDocument)))]
async fn move_containers(
    gate: AnyAccount,
    services: Data<Services>,
    id: Path<SampleId>,
    body: Body<Move>,
) -> Result<HttpResponse, Problem> {
    may(&gate.actor, move_action(&body.value.to))?;
    created(move || custody::move_containers(&services, &gate.actor, &id, &body.value)).await
}

/// Returning and destroying are permissions of their own.
pub(crate) fn move_action(to: &str) -> Action {
    match Place::parse(to) {
        Some(Place::Returned) => Action::CustodyReturn,
        Some(Place::Destroyed) => Action::CustodyDestroy,
        _ => Action::CustodyMove,
    }
}
