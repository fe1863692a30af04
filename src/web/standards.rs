//! 对照品: the register of reference standards.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::form::Form;
use super::lists::{Onward, ROWS};
use super::page::{Page, Refused, see_other, send};
use crate::action::{Action, Services};
use crate::evaluations::{AddStandard, RestoreStandard, WithdrawStandard};
use crate::http::permit::permission::EvaluationRead;
use crate::http::{May, Permit, Problem, Table, run};
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::views::{self, StandardFilter};
use crate::vocabulary::StandardBasis;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/standards", list)
        .post("/standards", add)
        .post("/standards/{id}/withdraw", withdraw)
        .post("/standards/{id}/restore", restore)
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Filter {
    search: String,
    after: String,
}

async fn list(
    permit: Permit<EvaluationRead>,
    page: Page,
    services: Data<Services>,
    filter: Query<Filter>,
) -> Result<HttpResponse, Problem> {
    show(&permit.actor, &page, &services, &filter, None).await
}

async fn show(
    actor: &Actor,
    page: &Page,
    services: &Services,
    filter: &Filter,
    refused: Option<&Refused>,
) -> Result<HttpResponse, Problem> {
    let (db, reader) = (services.db.clone(), services.reader(actor)?);
    let wanted = StandardFilter {
        search: Some(filter.search.clone()),
        limit: Some(ROWS),
        after: Some(filter.after.as_str()).filter(|id| !id.is_empty()).map(Into::into),
        ..StandardFilter::default()
    };
    let listed = run(move || db.read(|conn| views::standards(conn, &reader, &wanted))).await?;
    let onward = Onward::new("/standards", &[("search", &filter.search)], &filter.after, &listed);
    let today = services.clock.today().to_string();
    let content = json!({"rows": listed.items, "onward": onward, "filter": filter, "today": today});
    page.again("standards.html", content, refused)
}

async fn add(may: May<AddStandard>, page: Page, services: Data<Services>, form: Form) -> Result<HttpResponse, Problem> {
    let action = form.word("basis", StandardBasis::parse).map(|basis| AddStandard {
        name: form.text("name"),
        batch: form.text("batch"),
        source: form.text("source"),
        purity: form.text("purity"),
        basis,
        water: form.opt("water"),
        expires_on: form.text("expires_on"),
        storage: form.text("storage"),
        note: form.text("note"),
    });
    done((may, page, services), form, action).await
}

async fn withdraw(
    may: May<WithdrawStandard>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = WithdrawStandard { id: id.as_str().into(), reason: form.text("reason") };
    done((may, page, services), form, Ok(action)).await
}

async fn restore(
    may: May<RestoreStandard>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = RestoreStandard { id: id.as_str().into(), reason: form.text("reason") };
    done((may, page, services), form, Ok(action)).await
}

/// On to the register, or its page again with what was refused.
async fn done<A: Action>(
    (may, page, services): (May<A>, Page, Data<Services>),
    form: Form,
    action: Result<A, Refusal>,
) -> Result<HttpResponse, Problem> {
    let done = match action {
        Ok(action) => send(&services, &may, &page, &form, action).await.map(|_| ()),
        Err(refusal) => Err(refusal.into()),
    };
    match done {
        Ok(()) => Ok(see_other("/standards")),
        Err(problem) => {
            show(&may.actor, &page, &services, &Filter::default(), Some(&Refused::new(form, problem))).await
        }
    }
}
