//! 复核 and 超标: what waits for somebody else's eyes, exceptions first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::Deserialize;
use serde_json::json;

use super::bench as desk;
use super::form::Form;
use super::lists::{Onward, ROWS};
use super::page::{Page, send};
use crate::action::Services;
use crate::bench::{CorrectResult, ReviewResult};
use crate::http::permit::permission::{OosInvestigate, ResultReview};
use crate::http::{May, Permit, Problem, Table, run};
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::views::{self, ReviewFilter};
use crate::vocabulary::{ReviewOutcome, TaskState};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/review", to_review)
        .post("/tasks/{id}/review", review)
        .get("/oos", oos)
        .post("/tasks/{id}/correction", correct)
}

#[derive(Deserialize)]
struct From {
    #[serde(default)]
    after: String,
}

async fn to_review(
    permit: Permit<ResultReview>,
    page: Page,
    services: Data<Services>,
    from: Query<From>,
) -> Result<HttpResponse, Problem> {
    waiting(&permit.actor, &page, &services, ("/review", "review.html"), TaskState::Entered, &from.after).await
}

async fn oos(
    permit: Permit<OosInvestigate>,
    page: Page,
    services: Data<Services>,
    from: Query<From>,
) -> Result<HttpResponse, Problem> {
    let place = ("/oos", "oos.html");
    waiting(&permit.actor, &page, &services, place, TaskState::Oos, &from.after).await
}

async fn waiting(
    actor: &Actor,
    page: &Page,
    services: &Services,
    (path, template): (&str, &str),
    state: TaskState,
    after: &str,
) -> Result<HttpResponse, Problem> {
    let (db, reader) = (services.db.clone(), services.reader(actor)?);
    let filter =
        ReviewFilter { state: Some(state.to_string()), limit: Some(ROWS), after: Some(after.to_owned()), offset: None };
    let listed = run(move || db.read(|conn| views::to_review(conn, &reader, &filter))).await?;
    let onward = Onward::new(path, &[], after, &listed);
    let today = services.clock.today();
    page.show(template, json!({"rows": listed.items, "onward": onward, "me": actor.account, "today": today}))
}

/// The form names the result that was looked at: a newer one is not approved by mistake.
async fn review(
    may: May<ReviewResult>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = || {
        let (outcome, result) = (form.word("outcome", ReviewOutcome::parse)?, form.text("result_id"));
        let (note, import_checked) = (form.text("note"), form.ticked("import_checked"));
        let (password, code) = form.proof();
        Ok::<_, Refusal>(ReviewResult { id: result.as_str().into(), outcome, note, import_checked, password, code })
    };
    let done = match action() {
        Ok(action) => send(&services, &may, &page, &form, action).await.map(|_| ()),
        Err(refusal) => Err(refusal.into()),
    };
    desk::answer(&page, &services, &may.actor, (&id, form), done, "/review").await
}

/// Quality supersedes the approved result that the form names.
async fn correct(
    may: May<CorrectResult>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let result = form.text("result_id");
    let (reason, evidence) = (form.text("reason"), form.text("evidence"));
    let (password, code) = form.proof();
    let action = CorrectResult { id: result.as_str().into(), reason, evidence, password, code };
    let done = send(&services, &may, &page, &form, action).await.map(|_| ());
    desk::answer(&page, &services, &may.actor, (&id, form), done, &format!("/tasks/{id}")).await
}
