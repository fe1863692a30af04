//! Whose products and applicants are: what is open, and what is proposed and confirmed for the shared catalogue.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde_json::json;

use super::form::Form;
use super::named::{applicant_named, product_named};
use super::offered::{Asking, of_proposal};
use super::page::{Page, Refused, see_other, send};
use crate::action::Services;
use crate::catalogue::{ConfirmOwner, ProposeOwner};
use crate::http::permit::permission::CatalogueRead;
use crate::http::{May, Permit, Problem, Table, run};
use crate::store::views;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default().get("/owners", list).post("/owners", propose).post("/owner-proposals/{id}/confirm", confirm)
}

async fn list(_: Permit<CatalogueRead>, page: Page, services: Data<Services>) -> Result<HttpResponse, Problem> {
    show(&page, &services, None).await
}

async fn show(page: &Page, services: &Services, refused: Option<&Refused>) -> Result<HttpResponse, Problem> {
    let (db, reader) = (services.db.clone(), page.reader(services)?);
    let (services2, actor) = (services.clone(), page.actor.clone());
    let (open, proposals, apart, institutes) = run(move || {
        db.read(|conn| {
            let (open, proposals) = (views::owners_open(conn, &reader)?, views::owner_proposals(conn, &reader)?);
            let mut apart = serde_json::Map::new();
            for one in proposals.iter().filter(|one| one.confirmed_by.is_none()) {
                if let Some(actor) = &actor {
                    let mut asking = Asking { conn: &mut *conn, services: &services2, actor };
                    apart.insert(one.id.to_string(), of_proposal(&mut asking, &one.id)?);
                }
            }
            Ok((open, proposals, apart, views::institutes(conn)?))
        })
    })
    .await?;
    let own = page.reader(services)?.institute().cloned();
    let keeper = institutes.iter().find(|one| one.keeps_catalogue);
    let keeps = keeper.is_some_and(|one| Some(&one.id) == own.as_ref());
    let content = json!({"open": open, "proposals": proposals, "institutes": institutes, "keeper": keeper,
        "keeps": keeps, "apart": apart});
    page.again("owners.html", content, refused)
}

async fn propose(
    may: May<ProposeOwner>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let named = match product_named(&services, &page, &form).await {
        Ok(product) => applicant_named(&services, &page, &form).await.map(|applicant| (product, applicant)),
        Err(problem) => Err(problem),
    };
    let done = match named {
        Ok((product_id, applicant_id)) => {
            let institute_id = form.opt("institute_id").map(Into::into);
            let action = ProposeOwner { product_id, applicant_id, institute_id, reason: form.text("reason") };
            send(&services, &may, &page, &form, action).await.map(|_| ())
        }
        Err(problem) => Err(problem),
    };
    match done {
        Ok(()) => Ok(see_other("/owners")),
        Err(problem) => show(&page, &services, Some(&Refused::new(form, problem))).await,
    }
}

async fn confirm(
    may: May<ConfirmOwner>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = ConfirmOwner { id: id.as_str().into() };
    match send(&services, &may, &page, &form, action).await {
        Ok(_) => Ok(see_other("/owners")),
        Err(problem) => show(&page, &services, Some(&Refused::new(form, problem))).await,
    }
}
