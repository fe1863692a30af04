//! The laboratory's registers: products with their specifications, applicants, lot-release authorisations.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde_json::json;

use super::form::Form;
use super::lists::{Onward, ROWS, RegisterSearch};
use super::named::product_named;
use super::offered::{Asking, of_draft};
use super::page::{Page, Refused, see_other, send};
use crate::action::Services;
use crate::catalogue::{CreateApplicant, CreateProduct, GrantAuthorisation, ReleaseSpecification};
use crate::http::permit::permission::{ApplicantRead, CatalogueRead};
use crate::http::{May, Permit, Problem, Table, run};
use crate::refusal::Refusal;
use crate::regulation::{Category, DeviceClass, Trait};
use crate::store::columns::{Day, InstituteId, ProductId, SpecificationId};
use crate::store::views;
use crate::vocabulary::SpecificationStanding;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/products", products)
        .post("/products", create_product)
        .get("/products/options", product_options)
        .get("/products/{id}", product)
        .post("/products/{id}/effective", release)
        .get("/applicants", applicants)
        .post("/applicants", create_applicant)
        .get("/applicants/options", applicant_options)
        .get("/authorisations", authorisations)
        .post("/authorisations", grant)
}

/// How many a field offers while somebody types.
const OFFERED: i64 = 20;

async fn products(
    _: Permit<CatalogueRead>,
    page: Page,
    services: Data<Services>,
    wanted: Query<RegisterSearch>,
) -> Result<HttpResponse, Problem> {
    show_products(&page, &services, &wanted, None).await
}

async fn show_products(
    page: &Page,
    services: &Services,
    wanted: &RegisterSearch,
    refused: Option<&Refused>,
) -> Result<HttpResponse, Problem> {
    let (db, reader, search) = (services.db.clone(), page.reader(services)?, wanted.search(ROWS));
    let (part, open) = run(move || {
        db.read(|conn| Ok((views::products(conn, &reader, &search)?, views::owners_open(conn, &reader)?.len())))
    })
    .await?;
    let onward = Onward::new("/products", &[("q", &wanted.q)], &wanted.after, &part);
    let content = json!({"rows": part.items, "onward": onward, "filter": wanted, "open": open});
    page.again("products.html", content, refused)
}

/// The products whose code or name has what was typed, for a field of another form.
async fn product_options(
    _: Permit<CatalogueRead>,
    page: Page,
    services: Data<Services>,
    wanted: Query<RegisterSearch>,
) -> Result<HttpResponse, Problem> {
    let (db, reader, search) = (services.db.clone(), page.reader(&services)?, wanted.search(OFFERED));
    let part = run(move || db.read(|conn| views::products(conn, &reader, &search))).await?;
    let offer = |one: views::ProductView| json!({"value": one.code, "zh": one.name_zh, "en": one.name_en});
    let offered: Vec<_> = part.items.into_iter().map(offer).collect();
    page.show("options.html", json!({"offered": offered}))
}

async fn create_product(
    may: May<CreateProduct>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let made = match new_product(&form) {
        Ok(action) => send(&services, &may, &page, &form, action).await,
        Err(refusal) => Err(refusal.into()),
    };
    match made {
        Ok(made) => Ok(see_other(&format!("/products/{}", made.id))),
        Err(problem) => {
            let refused = Refused::new(form, problem);
            show_products(&page, &services, &RegisterSearch::default(), Some(&refused)).await
        }
    }
}

fn new_product(form: &Form) -> Result<CreateProduct, Refusal> {
    let traits = form.all("traits").into_iter().enumerate();
    let trait_of = |(index, word): (usize, String)| crate::text::word(&format!("traits[{index}]"), &word, Trait::parse);
    Ok(CreateProduct {
        code: form.text("code"),
        name_zh: form.text("name_zh"),
        name_en: form.text("name_en"),
        category: form.word("category", Category::parse)?,
        device_class: form.opt("device_class").map(|_| form.word("device_class", DeviceClass::parse)).transpose()?,
        traits: traits.map(trait_of).collect::<Result<_, _>>()?,
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
    })
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
    let (db, reader, key) = (services.db.clone(), page.reader(services)?, ProductId::from(id));
    let today = Day::from(services.clock.today());
    let (services2, actor) = (services.clone(), page.actor.clone());
    let (found, specifications, apart, signatures) = run(move || {
        db.read(|conn| {
            let found = views::product(conn, &reader, &key)?;
            let specifications = views::specifications(conn, &reader, &key, &today)?;
            let mut apart = serde_json::Map::new();
            for one in specifications.iter().filter(|one| one.status == SpecificationStanding::Draft) {
                if let Some(actor) = &actor {
                    let mut asking = Asking { conn: &mut *conn, services: &services2, actor };
                    apart.insert(one.id.to_string(), of_draft(&mut asking, &one.id)?);
                }
            }
            let ids: Vec<&str> = specifications.iter().map(|one| one.id.as_str()).collect();
            let signatures = views::signatures(conn, &reader, "specification", &ids)?;
            Ok((found, specifications, apart, signatures))
        })
    })
    .await?;
    let found = found.ok_or_else(|| Refusal::not_found("品种", "product", id))?;
    let content = json!({"one": found, "specifications": specifications, "apart": apart, "signatures": signatures});
    page.again("product.html", content, refused)
}

async fn release(
    may: May<ReleaseSpecification>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (password, code) = form.proof();
    let action = ReleaseSpecification {
        id: SpecificationId::from(form.text("specification_id")),
        effective_from: form.text("effective_from"),
        password,
        code,
    };
    match send(&services, &may, &page, &form, action).await {
        Ok(_) => Ok(see_other(&format!("/products/{id}"))),
        Err(problem) => show_product(&page, &services, &id, Some(&Refused::new(form, problem))).await,
    }
}

async fn applicants(
    _: Permit<ApplicantRead>,
    page: Page,
    services: Data<Services>,
    wanted: Query<RegisterSearch>,
) -> Result<HttpResponse, Problem> {
    show_applicants(&page, &services, &wanted, None).await
}

async fn show_applicants(
    page: &Page,
    services: &Services,
    wanted: &RegisterSearch,
    refused: Option<&Refused>,
) -> Result<HttpResponse, Problem> {
    let (db, reader, search) = (services.db.clone(), page.reader(services)?, wanted.search(ROWS));
    let part = run(move || db.read(|conn| views::applicants(conn, &reader, &search))).await?;
    let onward = Onward::new("/applicants", &[("q", &wanted.q)], &wanted.after, &part);
    page.again("applicants.html", json!({"rows": part.items, "onward": onward, "filter": wanted}), refused)
}

/// The applicants whose name has what was typed, for a field of another form.
async fn applicant_options(
    _: Permit<ApplicantRead>,
    page: Page,
    services: Data<Services>,
    wanted: Query<RegisterSearch>,
) -> Result<HttpResponse, Problem> {
    let (db, reader, search) = (services.db.clone(), page.reader(&services)?, wanted.search(OFFERED));
    let part = run(move || db.read(|conn| views::applicants(conn, &reader, &search))).await?;
    let offer = |one: views::ApplicantView| json!({"value": one.name, "zh": one.address, "en": one.address});
    let offered: Vec<_> = part.items.into_iter().map(offer).collect();
    page.show("options.html", json!({"offered": offered}))
}

async fn create_applicant(
    may: May<CreateApplicant>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action =
        CreateApplicant { name: form.text("name"), address: form.text("address"), contact: form.text("contact") };
    match send(&services, &may, &page, &form, action).await {
        Ok(_) => Ok(see_other("/applicants")),
        Err(problem) => {
            let refused = Refused::new(form, problem);
            show_applicants(&page, &services, &RegisterSearch::default(), Some(&refused)).await
        }
    }
}

async fn authorisations(
    _: Permit<CatalogueRead>,
    page: Page,
    services: Data<Services>,
    wanted: Query<RegisterSearch>,
) -> Result<HttpResponse, Problem> {
    show_authorisations(&page, &services, &wanted, None).await
}

async fn show_authorisations(
    page: &Page,
    services: &Services,
    wanted: &RegisterSearch,
    refused: Option<&Refused>,
) -> Result<HttpResponse, Problem> {
    let (db, reader, today) = (services.db.clone(), page.reader(services)?, Day::from(services.clock.today()));
    let search = wanted.search(ROWS);
    let part = run(move || db.read(|conn| views::authorisations(conn, &reader, &search, &today))).await?;
    let onward = Onward::new("/authorisations", &[("q", &wanted.q)], &wanted.after, &part);
    page.again("authorisations.html", json!({"rows": part.items, "onward": onward, "filter": wanted}), refused)
}

async fn grant(
    may: May<GrantAuthorisation>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let own = page.reader(&services)?.staff()?.clone();
    let action = product_named(&services, &page, &form).await;
    let action = action.and_then(|product| Ok(new_grant(own, &form, product)?));
    let done = match action {
        Ok(action) => send(&services, &may, &page, &form, action).await.map(|_| ()),
        Err(problem) => Err(problem),
    };
    match done {
        Ok(()) => Ok(see_other("/authorisations")),
        Err(problem) => {
            show_authorisations(&page, &services, &RegisterSearch::default(), Some(&Refused::new(form, problem))).await
        }
    }
}

fn new_grant(
    institute_id: InstituteId,
    form: &Form,
    product_id: Option<ProductId>,
) -> Result<GrantAuthorisation, Refusal> {
    Ok(GrantAuthorisation {
        institute_id,
        product_id,
        category: form.opt("category").map(|_| form.word("category", Category::parse)).transpose()?,
        item_code: form.opt("item_code"),
        valid_from: form.text("valid_from"),
        valid_to: form.opt("valid_to"),
        document: form.text("document"),
    })
}
