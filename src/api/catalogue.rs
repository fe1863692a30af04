//! `/api/v1`: institutes, applicants, products, specifications, authorisations.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::{Data, Path, Query};
use utoipa::OpenApi;

use crate::action::Services;
use crate::catalogue::{
    CatalogueRefusal, ConfirmOwner, CreateApplicant, CreateInstitute, CreateProduct, DraftSpecification,
    GrantAuthorisation, ProposeOwner, ReleaseSpecification,
};
use crate::http::permit::Permit;
use crate::http::permit::permission::{ApplicantRead, CatalogueRead};
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::run::answer;
use crate::http::table::Table;
use crate::store::columns::{Day, ProductId};
use crate::store::views::keyset::Part;
use crate::store::views::{
    self, ApplicantView, AuthorisationView, InstituteView, OwnerOpen, OwnerProposalView, ProductView, Search,
    SpecificationView,
};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/api/v1/institutes", institutes)
        .makes::<CreateInstitute>(Method::POST, "/api/v1/institutes")
        .get("/api/v1/applicants", applicants)
        .makes::<CreateApplicant>(Method::POST, "/api/v1/applicants")
        .get("/api/v1/products", products)
        .makes::<CreateProduct>(Method::POST, "/api/v1/products")
        .get("/api/v1/owners-open", owners_open)
        .get("/api/v1/owner-proposals", owner_proposals)
        .makes::<ProposeOwner>(Method::POST, "/api/v1/owner-proposals")
        .does::<ConfirmOwner>(Method::POST, "/api/v1/owner-proposals/{id}/confirm")
        .get("/api/v1/products/{id}", product)
        .get("/api/v1/products/{id}/specifications", specifications)
        .makes::<DraftSpecification>(Method::POST, "/api/v1/specifications")
        .does::<ReleaseSpecification>(Method::POST, "/api/v1/specifications/{id}/effective")
        .get("/api/v1/authorisations", authorisations)
        .makes::<GrantAuthorisation>(Method::POST, "/api/v1/authorisations")
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(
    institutes,
    applicants,
    products,
    owners_open,
    owner_proposals,
    product,
    specifications,
    authorisations
))]
pub struct Docs;

#[utoipa::path(get, path = "/api/v1/institutes", tag = "catalogue",
    responses((status = 200, body = [InstituteView], description = "机构 institutes")))]
async fn institutes(_: Permit<CatalogueRead>, services: Data<Services>) -> Result<HttpResponse, Problem> {
    answer(move || services.db.read(views::institutes)).await
}

#[utoipa::path(get, path = "/api/v1/applicants", tag = "catalogue", params(Search),
    responses((status = 200, body = Part<ApplicantView>, description = "申请人 applicants")))]
async fn applicants(
    gate: Permit<ApplicantRead>,
    services: Data<Services>,
    search: Query<Search>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        services.db.read(|conn| views::applicants(conn, &reader, &search))
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/products", tag = "catalogue", params(Search),
    responses((status = 200, body = Part<ProductView>, description = "品种 products")))]
async fn products(
    gate: Permit<CatalogueRead>,
    services: Data<Services>,
    search: Query<Search>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        services.db.read(|conn| views::products(conn, &reader, &search))
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/owners-open", tag = "catalogue",
    responses((status = 200, body = [OwnerOpen], description = "归属待定 products and applicants whose owner is open")))]
async fn owners_open(gate: Permit<CatalogueRead>, services: Data<Services>) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        services.db.read(|conn| views::owners_open(conn, &reader))
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/owner-proposals", tag = "catalogue",
    responses((status = 200, body = [OwnerProposalView], description = "归属提议 proposals of the own institute")))]
async fn owner_proposals(gate: Permit<CatalogueRead>, services: Data<Services>) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        services.db.read(|conn| views::owner_proposals(conn, &reader))
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/products/{id}", tag = "catalogue", params(("id" = String, Path)),
    responses((status = 200, body = ProductView), (status = 404, body = ProblemDocument)))]
async fn product(
    gate: Permit<CatalogueRead>,
    services: Data<Services>,
    id: Path<ProductId>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        let found = services.db.read(|conn| views::product(conn, &reader, &id))?;
        Ok(found.ok_or_else(|| CatalogueRefusal::NoProduct(id.clone()))?)
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/products/{id}/specifications", tag = "catalogue", params(("id" = String, Path)),
    responses((status = 200, body = [SpecificationView]), (status = 404, body = ProblemDocument)))]
async fn specifications(
    gate: Permit<CatalogueRead>,
    services: Data<Services>,
    id: Path<ProductId>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let (reader, today) = (services.reader(&gate.actor)?, Day::from(services.clock.today()));
        services.db.read(|conn| {
            let found = views::product(conn, &reader, &id)?;
            found.ok_or_else(|| CatalogueRefusal::NoProduct(id.clone()))?;
            views::specifications(conn, &reader, &id, &today)
        })
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/authorisations", tag = "catalogue", params(Search),
    responses((status = 200, body = Part<AuthorisationView>, description = "批签发授权 authorisations")))]
async fn authorisations(
    gate: Permit<CatalogueRead>,
    services: Data<Services>,
    search: Query<Search>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let (reader, today) = (services.reader(&gate.actor)?, Day::from(services.clock.today()));
        services.db.read(|conn| views::authorisations(conn, &reader, &search, &today))
    })
    .await
}
