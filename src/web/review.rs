//! 复核 and 超标: what waits for somebody else's eyes, exceptions first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::Deserialize;
use serde_json::json;

use super::bench as desk;
use super::form::Form;
use super::lists::{Pager, ROWS, institute, offset, unfolded};
use super::page::{Page, Refused, see_other};
use crate::action::Services;
use crate::bench::{self, Decision, Verdict};
use crate::http::permit::permission::{OosDecide, ResultReview};
use crate::http::{Permit, Problem, Table, run};
use crate::record::Actor;
use crate::store::columns::{ResultId, TestTaskId};
use crate::store::views::{self, Page as Part};
use crate::vocabulary::TaskState;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/review", to_review)
        .post("/tasks/{id}/review", review)
        .get("/out-of-limit", out_of_limit)
        .post("/tasks/{id}/decision", decide)
}

#[derive(Deserialize)]
struct From {
    #[serde(default)]
    offset: String,
}

async fn to_review(
    permit: Permit<ResultReview>,
    page: Page,
    services: Data<Services>,
    from: Query<From>,
) -> Result<HttpResponse, Problem> {
    waiting(&permit.actor, &page, &services, ("/review", "review.html"), TaskState::Entered, &from.offset).await
}

async fn out_of_limit(
    permit: Permit<OosDecide>,
    page: Page,
    services: Data<Services>,
    from: Query<From>,
) -> Result<HttpResponse, Problem> {
    let place = ("/out-of-limit", "out_of_limit.html");
    waiting(&permit.actor, &page, &services, place, TaskState::Oos, &from.offset).await
}

async fn waiting(
    actor: &Actor,
    page: &Page,
    services: &Services,
    (path, template): (&str, &str),
    state: TaskState,
    from: &str,
) -> Result<HttpResponse, Problem> {
    let (db, institute) = (services.db.clone(), institute(actor)?);
    let part = Part::of(Some(ROWS), Some(offset(from)));
    let listed = run(move || db.read(|conn| views::to_review(conn, &institute, state, part))).await?;
    let pager = Pager::new(path, &[], listed.total, offset(from));
    let rows = unfolded(&listed.items)?;
    page.show(template, json!({"rows": rows, "pager": pager, "me": actor.account, "today": services.clock.today()}))
}

/// The form names the result that was looked at: a newer one is not approved by mistake.
async fn review(
    permit: Permit<ResultReview>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let verdict = Verdict {
        outcome: form.text("outcome"),
        note: form.text("note"),
        import_checked: form.ticked("import_checked"),
    };
    let (services2, actor, key) = (services.clone(), permit.actor.clone(), ResultId::from(form.text("result_id")));
    let done = run(move || bench::review(&services2, &actor, &key, &verdict).map(|_| ())).await;
    answer(&page, &services, &permit.actor, (&id, form), done, "/review").await
}

async fn decide(
    permit: Permit<OosDecide>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let decision = Decision { decision: form.text("decision"), reason: form.text("reason") };
    let (services2, actor, key) = (services.clone(), permit.actor.clone(), TestTaskId::from(id.as_str()));
    let done = run(move || bench::decide(&services2, &actor, &key, &decision).map(|_| ())).await;
    answer(&page, &services, &permit.actor, (&id, form), done, "/out-of-limit").await
}

async fn answer(
    page: &Page,
    services: &Services,
    actor: &Actor,
    (id, form): (&str, Form),
    outcome: Result<(), Problem>,
    then: &str,
) -> Result<HttpResponse, Problem> {
    match outcome {
        Ok(()) => Ok(see_other(then)),
        Err(problem) => {
            let content = desk::content(services, actor, id).await?;
            page.again("task.html", content, Some(&Refused::new(form, problem)))
        }
    }
}
