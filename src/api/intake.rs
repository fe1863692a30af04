//! `/api/v1`: applications, acceptance, receipt, custody; and the intake of all in one request.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::{Data, Path, Query};
use utoipa::OpenApi;

use crate::action::Services;
use crate::action::permitted;
use crate::cases::{self, Ending, Intake, LaterDates, NewApplication, Preview, Receipt, Taken};
use crate::custody::{DestroyContainers, MoveContainers, ReturnContainers};
use crate::http::body::Body;
use crate::http::idempotency::{IdempotencyKey, Once, idempotent};
use crate::http::permit::permission::{
    CaseAccept, CaseCreate, CaseRead, CustodyRead, OwnCaseRead, OwnCaseSubmit, PortSample, SampleReceive,
};
use crate::http::permit::{AnyAccount, Permit};
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::run::{answer, created, done, run};
use crate::http::table::Table;
use crate::record::Actor;
use crate::refusal::{Code, Refusal};
use crate::store::Outcome;
use crate::store::columns::{ApplicationId, InstituteId, SampleId};
use crate::store::views::{self, CaseDetail, CaseFilter, CaseRow, Listed, SampleDetail};
use crate::vocabulary::Permission;

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
        .makes::<MoveContainers>(Method::POST, "/api/v1/samples/{id}/custody")
        .makes::<ReturnContainers>(Method::POST, "/api/v1/samples/{id}/return")
        .makes::<DestroyContainers>(Method::POST, "/api/v1/samples/{id}/destroy")
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(
    preview, take_in, list, submit, show, accept, receive, dates, end, own_list, own_submit, own_show, sample, by_code
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
    answer(move || cases::preview(&services, &gate.actor, &body.value)).await
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
        let action = move |conn: &mut _| cases::take_in_with(conn, &regulation, &actor, now, &body.value);
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
        if permitted(&gate.actor, Permission::ApplicantRead).is_err() {
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
        let action = move |conn: &mut _| cases::submit_with(conn, &author, now, &body.value);
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
        if permitted(&gate.actor, Permission::ApplicantRead).is_err() {
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
    answer(move || cases::accept(&services, &gate.actor, &id)).await
}

#[utoipa::path(post, path = "/api/v1/applications/{id}/receipt", tag = "intake", params(("id" = String, Path)),
    request_body = Receipt, responses((status = 201, body = Taken), (status = 422, body = ProblemDocument)))]
async fn receive(
    gate: Permit<SampleReceive>,
    services: Data<Services>,
    id: Path<ApplicationId>,
    body: Body<Receipt>,
) -> Result<HttpResponse, Problem> {
    created(move || cases::receive(&services, &gate.actor, &id, &body.value)).await
}

#[utoipa::path(post, path = "/api/v1/applications/{id}/dates", tag = "intake", params(("id" = String, Path)),
    request_body = LaterDates, responses((status = 200, body = Taken), (status = 422, body = ProblemDocument)))]
async fn dates(
    gate: Permit<PortSample>,
    services: Data<Services>,
    id: Path<ApplicationId>,
    body: Body<LaterDates>,
) -> Result<HttpResponse, Problem> {
    answer(move || cases::record_dates(&services, &gate.actor, &id, &body.value)).await
}

#[utoipa::path(post, path = "/api/v1/applications/{id}/end", tag = "intake", params(("id" = String, Path)),
    request_body = Ending, responses((status = 204), (status = 409, body = ProblemDocument)))]
async fn end(
    gate: AnyAccount,
    services: Data<Services>,
    id: Path<ApplicationId>,
    body: Body<Ending>,
) -> Result<HttpResponse, Problem> {
    permitted(&gate.actor, ending_action(&body.value.how))?;
    done(move || cases::end(&services, &gate.actor, &id, &body.value)).await
}

/// Refusing, withdrawing and voiding are three permissions; an unknown word is refused by the workflow.
pub(crate) fn ending_action(how: &str) -> Permission {
    match how {
        "refuse" => Permission::CaseRefuse,
        "withdraw" => Permission::CaseWithdraw,
        _ => Permission::CaseVoid,
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
