//! `/api/v1`: institutes, applicants, products, specifications, authorisations.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::Deserialize;
use utoipa::{OpenApi, ToSchema};

use crate::action::Services;
use crate::catalogue::{self, NewApplicant, NewAuthorisation, NewInstitute, NewProduct, NewSpecification};
use crate::http::body::Body;
use crate::http::permit::Permit;
use crate::http::permit::permission::{
    ApplicantManage, ApplicantRead, AuthorisationManage, CatalogueRead, InstituteManage, ProductManage,
    SpecificationDraft, SpecificationRelease,
};
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::run::{answer, created};
use crate::http::table::Table;
use crate::refusal::Refusal;
use crate::store::columns::ProductId;
use crate::store::rows::{ApplicantRow, AuthorisationRow, InstituteRow, ProductRow, SpecificationRow};
use crate::store::views::{self, Listed, Page, ProductView, SpecificationView};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/api/v1/institutes", institutes)
        .post("/api/v1/institutes", create_institute)
        .get("/api/v1/applicants", applicants)
        .post("/api/v1/applicants", create_applicant)
        .get("/api/v1/products", products)
        .post("/api/v1/products", create_product)
        .get("/api/v1/products/{id}", product)
        .get("/api/v1/products/{id}/specifications", specifications)
        .post("/api/v1/specifications", create_specification)
        .post("/api/v1/specifications/{id}/effective", make_effective)
        .get("/api/v1/authorisations", authorisations)
        .post("/api/v1/authorisations", authorise)
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(
    institutes,
    create_institute,
    applicants,
    create_applicant,
    products,
    create_product,
    product,
    specifications,
    create_specification,
    make_effective,
    authorisations,
    authorise
))]
pub struct Docs;

/// From when on a specification is effective.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Effective {
    /// `YYYY-MM-DD`
    effective_from: String,
}

#[utoipa::path(get, path = "/api/v1/institutes", tag = "catalogue", responses((status = 200, body = [InstituteRow], description = "机构 institutes")))]
async fn institutes(_: Permit<CatalogueRead>, services: Data<Services>) -> Result<HttpResponse, Problem> {
    answer(move || services.db.read(views::institutes)).await
}

#[utoipa::path(post, path = "/api/v1/institutes", tag = "catalogue", request_body = NewInstitute,
    responses((status = 201, body = InstituteRow, description = "机构 institute"), (status = 422, body = ProblemDocument)))]
async fn create_institute(
    gate: Permit<InstituteManage>,
    services: Data<Services>,
    body: Body<NewInstitute>,
) -> Result<HttpResponse, Problem> {
    created(move || catalogue::create_institute(&services, &gate.actor, &body.value)).await
}

#[utoipa::path(get, path = "/api/v1/applicants", tag = "catalogue", params(Page),
    responses((status = 200, body = Listed<ApplicantRow>, description = "申请人 applicants")))]
async fn applicants(
    _: Permit<ApplicantRead>,
    services: Data<Services>,
    page: Query<Page>,
) -> Result<HttpResponse, Problem> {
    answer(move || services.db.read(|conn| views::applicants(conn, *page))).await
}

#[utoipa::path(post, path = "/api/v1/applicants", tag = "catalogue", request_body = NewApplicant,
    responses((status = 201, body = ApplicantRow, description = "申请人 applicant"), (status = 422, body = ProblemDocument)))]
async fn create_applicant(
    gate: Permit<ApplicantManage>,
    services: Data<Services>,
    body: Body<NewApplicant>,
) -> Result<HttpResponse, Problem> {
    created(move || catalogue::create_applicant(&services, &gate.actor, &body.value)).await
}

#[utoipa::path(get, path = "/api/v1/products", tag = "catalogue", params(Page),
    responses((status = 200, body = Listed<ProductView>, description = "品种 products")))]
async fn products(
    _: Permit<CatalogueRead>,
    services: Data<Services>,
    page: Query<Page>,
) -> Result<HttpResponse, Problem> {
    answer(move || services.db.read(|conn| views::products(conn, *page))).await
}

#[utoipa::path(post, path = "/api/v1/products", tag = "catalogue", request_body = NewProduct,
    responses((status = 201, body = ProductRow, description = "品种 product"), (status = 422, body = ProblemDocument)))]
async fn create_product(
    gate: Permit<ProductManage>,
    services: Data<Services>,
    body: Body<NewProduct>,
) -> Result<HttpResponse, Problem> {
    created(move || catalogue::create_product(&services, &gate.actor, &body.value)).await
}

#[utoipa::path(get, path = "/api/v1/products/{id}", tag = "catalogue", params(("id" = String, Path)),
    responses((status = 200, body = ProductView), (status = 404, body = ProblemDocument)))]
async fn product(
    _: Permit<CatalogueRead>,
    services: Data<Services>,
    id: Path<ProductId>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let found = services.db.read(|conn| views::product(conn, &id))?;
        Ok(found.ok_or_else(|| Refusal::not_found("品种", "product", id.as_str()))?)
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/products/{id}/specifications", tag = "catalogue", params(("id" = String, Path)),
    responses((status = 200, body = [SpecificationView])))]
async fn specifications(
    _: Permit<CatalogueRead>,
    services: Data<Services>,
    id: Path<ProductId>,
) -> Result<HttpResponse, Problem> {
    answer(move || services.db.read(|conn| views::specifications(conn, &id))).await
}

#[utoipa::path(post, path = "/api/v1/specifications", tag = "catalogue", request_body = NewSpecification,
    responses((status = 201, body = SpecificationRow, description = "质量标准（草稿） draft specification"), (status = 422, body = ProblemDocument)))]
async fn create_specification(
    gate: Permit<SpecificationDraft>,
    services: Data<Services>,
    body: Body<NewSpecification>,
) -> Result<HttpResponse, Problem> {
    created(move || catalogue::create_specification(&services, &gate.actor, &body.value)).await
}

#[utoipa::path(post, path = "/api/v1/specifications/{id}/effective", tag = "catalogue", request_body = Effective,
    params(("id" = String, Path)),
    responses((status = 200, body = SpecificationRow, description = "已生效 effective"), (status = 409, body = ProblemDocument)))]
async fn make_effective(
    gate: Permit<SpecificationRelease>,
    services: Data<Services>,
    id: Path<crate::store::columns::SpecificationId>,
    body: Body<Effective>,
) -> Result<HttpResponse, Problem> {
    answer(move || catalogue::make_effective(&services, &gate.actor, &id, &body.value.effective_from)).await
}

#[utoipa::path(get, path = "/api/v1/authorisations", tag = "catalogue",
    responses((status = 200, body = [AuthorisationRow], description = "批签发授权 authorisations")))]
async fn authorisations(_: Permit<CatalogueRead>, services: Data<Services>) -> Result<HttpResponse, Problem> {
    answer(move || services.db.read(views::authorisations)).await
}

#[utoipa::path(post, path = "/api/v1/authorisations", tag = "catalogue", request_body = NewAuthorisation,
    responses((status = 201, body = AuthorisationRow, description = "批签发授权 authorisation"), (status = 422, body = ProblemDocument)))]
async fn authorise(
    gate: Permit<AuthorisationManage>,
    services: Data<Services>,
    body: Body<NewAuthorisation>,
) -> Result<HttpResponse, Problem> {
    created(move || catalogue::authorise(&services, &gate.actor, &body.value)).await
}
