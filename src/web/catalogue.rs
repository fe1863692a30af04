//! The laboratory's registers: products with their specifications, applicants, lot-release authorisations.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde_json::json;

use super::form::Form;
use super::lists::unfolded;
use super::page::{Page, Refused, see_other};
use crate::action::Services;
use crate::catalogue::{self, NewApplicant, NewAuthorisation, NewProduct};
use crate::http::permit::permission::{
    ApplicantManage, ApplicantRead, AuthorisationManage, CatalogueRead, ProductManage, SpecificationRelease,
};
use crate::http::{Permit, Problem, Table, run};
use crate::refusal::Refusal;
use crate::store::columns::{ProductId, SpecificationId};
use crate::store::views::{self, Page as Part};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/products", products)
        .post("/products", create_product)
        .get("/products/{id}", product)
        .post("/products/{id}/effective", make_effective)
        .get("/applicants", applicants)
        .post("/applicants", create_applicant)
        .get("/authorisations", authorisations)
        .post("/authorisations", authorise)
}

/// All that a list of a register shows at once.
fn all() -> Part {
    Part::of(Some(500), None)
}

async fn products(_: Permit<CatalogueRead>, page: Page, services: Data<Services>) -> Result<HttpResponse, Problem> {
    show_products(&page, &services, None).await
}

async fn show_products(page: &Page, services: &Services, refused: Option<&Refused>) -> Result<HttpResponse, Problem> {
    let db = services.db.clone();
    let listed = run(move || db.read(|conn| views::products(conn, all()))).await?;
    page.again("products.html", json!({"rows": listed.items, "total": listed.total}), refused)
}

async fn create_product(
    permit: Permit<ProductManage>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let new = new_product(&form);
    let services2 = services.clone();
    match run(move || catalogue::create_product(&services2, &permit.actor, &new)).await {
        Ok(row) => Ok(see_other(&format!("/products/{}", row.id))),
        Err(problem) => show_products(&page, &services, Some(&Refused::new(form, problem))).await,
    }
}

fn new_product(form: &Form) -> NewProduct {
    NewProduct {
        code: form.text("code"),
        name_zh: form.text("name_zh"),
        name_en: form.text("name_en"),
        category: form.text("category"),
        device_class: form.opt("device_class"),
        traits: form.all("traits"),
        strength: form.text("strength"),
        dosage_form: form.text("dosage_form"),
        package_spec: form.text("package_spec"),
        storage: form.text("storage"),
        manufacturer: form.text("manufacturer"),
        holder: form.text("holder"),
        approval_number: form.opt("approval_number"),
        container_name: form.text("container_name"),
        container_content: form.text("container_content"),
        content_unit: form.text("content_unit"),
    }
}

async fn product(
    _: Permit<CatalogueRead>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    show_product(&page, &services, &id, None).await
}

async fn show_product(
    page: &Page,
    services: &Services,
    id: &str,
    refused: Option<&Refused>,
) -> Result<HttpResponse, Problem> {
    let (db, key) = (services.db.clone(), ProductId::from(id));
    let (found, specifications) =
        run(move || db.read(|conn| Ok((views::product(conn, &key)?, views::specifications(conn, &key)?)))).await?;
    let found = found.ok_or_else(|| Refusal::not_found("品种", "product", id))?;
    let content = json!({"one": found, "specifications": unfolded(&specifications)?});
    page.again("product.html", content, refused)
}

async fn make_effective(
    permit: Permit<SpecificationRelease>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (services2, key) = (services.clone(), SpecificationId::from(form.text("specification_id")));
    let from = form.text("effective_from");
    match run(move || catalogue::make_effective(&services2, &permit.actor, &key, &from)).await {
        Ok(_) => Ok(see_other(&format!("/products/{id}"))),
        Err(problem) => show_product(&page, &services, &id, Some(&Refused::new(form, problem))).await,
    }
}

async fn applicants(_: Permit<ApplicantRead>, page: Page, services: Data<Services>) -> Result<HttpResponse, Problem> {
    show_applicants(&page, &services, None).await
}

async fn show_applicants(page: &Page, services: &Services, refused: Option<&Refused>) -> Result<HttpResponse, Problem> {
    let db = services.db.clone();
    let listed = run(move || db.read(|conn| views::applicants(conn, all()))).await?;
    page.again("applicants.html", json!({"rows": listed.items, "total": listed.total}), refused)
}

async fn create_applicant(
    permit: Permit<ApplicantManage>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let new = NewApplicant { name: form.text("name"), address: form.text("address"), contact: form.text("contact") };
    let services2 = services.clone();
    match run(move || catalogue::create_applicant(&services2, &permit.actor, &new)).await {
        Ok(_) => Ok(see_other("/applicants")),
        Err(problem) => show_applicants(&page, &services, Some(&Refused::new(form, problem))).await,
    }
}

async fn authorisations(
    _: Permit<CatalogueRead>,
    page: Page,
    services: Data<Services>,
) -> Result<HttpResponse, Problem> {
    show_authorisations(&page, &services, None).await
}

async fn show_authorisations(
    page: &Page,
    services: &Services,
    refused: Option<&Refused>,
) -> Result<HttpResponse, Problem> {
    let db = services.db.clone();
    let (rows, institutes, products) = run(move || {
        db.read(|conn| {
            Ok((views::authorisations(conn)?, views::institutes(conn)?, views::products(conn, all())?.items))
        })
    })
    .await?;
    let today = services.clock.today().to_string();
    let content = json!({"rows": rows, "institutes": institutes, "products": products, "today": today});
    page.again("authorisations.html", content, refused)
}

async fn authorise(
    permit: Permit<AuthorisationManage>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let new = NewAuthorisation {
        institute_id: form.text("institute_id"),
        product_id: form.opt("product_id"),
        category: form.opt("category"),
        item_code: form.opt("item_code"),
        valid_from: form.text("valid_from"),
        valid_to: form.opt("valid_to"),
        document: form.text("document"),
    };
    let services2 = services.clone();
    match run(move || catalogue::authorise(&services2, &permit.actor, &new)).await {
        Ok(_) => Ok(see_other("/authorisations")),
        Err(problem) => show_authorisations(&page, &services, Some(&Refused::new(form, problem))).await,
    }
}
