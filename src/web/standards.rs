//! 对照品: the register of reference standards.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde_json::json;

use super::form::Form;
use super::lists::institute;
use super::page::{Page, Refused, see_other};
use crate::action::Services;
use crate::evaluations::{self, NewStandard, Withdrawal};
use crate::http::permit::permission::{EvaluationRead, StandardManage};
use crate::http::{Permit, Problem, Table, run};
use crate::record::Actor;
use crate::store::columns::ReferenceStandardId;
use crate::store::views;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default().get("/standards", list).post("/standards", create).post("/standards/{id}/withdraw", withdraw)
}

async fn list(permit: Permit<EvaluationRead>, page: Page, services: Data<Services>) -> Result<HttpResponse, Problem> {
    show(&permit.actor, &page, &services, None).await
}

async fn show(
    actor: &Actor,
    page: &Page,
    services: &Services,
    refused: Option<&Refused>,
) -> Result<HttpResponse, Problem> {
    let (db, institute) = (services.db.clone(), institute(actor)?);
    let listed = run(move || db.read(|conn| views::standards(conn, &institute, false))).await?;
    let today = services.clock.today().to_string();
    page.again("standards.html", json!({"rows": listed.items, "total": listed.total, "today": today}), refused)
}

async fn create(
    permit: Permit<StandardManage>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let new = NewStandard {
        name: form.text("name"),
        batch: form.text("batch"),
        source: form.text("source"),
        purity: form.text("purity"),
        basis: form.text("basis"),
        water: form.opt("water"),
        expires_on: form.text("expires_on"),
        storage: form.text("storage"),
        note: form.text("note"),
    };
    let (services2, actor) = (services.clone(), permit.actor.clone());
    let done = run(move || evaluations::create_standard(&services2, &actor, &new).map(|_| ())).await;
    answer(&permit.actor, &page, &services, form, done).await
}

async fn withdraw(
    permit: Permit<StandardManage>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let new = Withdrawal { reason: form.text("reason") };
    let (services2, actor, key) = (services.clone(), permit.actor.clone(), ReferenceStandardId::from(id.as_str()));
    let done = run(move || evaluations::withdraw_standard(&services2, &actor, &key, &new).map(|_| ())).await;
    answer(&permit.actor, &page, &services, form, done).await
}

async fn answer(
    actor: &Actor,
    page: &Page,
    services: &Services,
    form: Form,
    done: Result<(), Problem>,
) -> Result<HttpResponse, Problem> {
    match done {
        Ok(()) => Ok(see_other("/standards")),
        Err(problem) => show(actor, page, services, Some(&Refused::new(form, problem))).await,
    }
}
