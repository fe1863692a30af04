//! Plots of an instrument file, its export, and the second person's check of its import.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::Deserialize;
use serde_json::json;

use super::files;
use super::form::Form;
use super::page::{Page, file, send};
use crate::action::Services;
use crate::bench::CheckImport;
use crate::http::permit::permission::InstrumentRead;
use crate::http::{May, Permit, Problem, Table, run};
use crate::instruments;
use crate::store::columns::InstrumentFileId;
use crate::vocabulary::CheckOutcome;

/// Plots shown at once: a sequence has hundreds.
const AT_ONCE: usize = 6;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/instrument-files/{id}/plots", plots)
        .get("/instrument-files/{id}/plots/{name}", plot)
        .get("/instrument-files/{id}/export", export)
        .post("/instrument-files/{id}/check", check)
}

#[derive(Deserialize)]
struct From {
    #[serde(default)]
    from: usize,
}

/// A part of the plots: for the file's page, or as a page of its own where there is no script.
async fn plots(
    permit: Permit<InstrumentRead>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    part: Query<From>,
) -> Result<HttpResponse, Problem> {
    let (key, first) = (InstrumentFileId::from(id.as_str()), part.from);
    let (shown, total) = run(move || {
        let figures = instruments::figures(&services, &services.reader(&permit.actor)?, &key)?;
        let drawn = figures.iter().skip(first).take(AT_ONCE);
        let drawn: Vec<_> = drawn.map(|one| json!({"name": one.name, "title": one.title, "svg": one.svg()})).collect();
        Ok((drawn, figures.len()))
    })
    .await?;
    let later = (first + AT_ONCE < total).then_some(first + AT_ONCE);
    let earlier = (first > 0).then(|| first.saturating_sub(AT_ONCE));
    let content = json!({"file_id": *id, "figures": shown, "total": total, "first": first + 1,
        "last": first + shown.len(), "later": later, "earlier": earlier});
    page.show(if page.part { "file_plots.html" } else { "plots.html" }, content)
}

async fn plot(
    permit: Permit<InstrumentRead>,
    services: Data<Services>,
    at: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (id, name) = at.into_inner();
    let (key, wanted) = (InstrumentFileId::from(id.as_str()), name.clone());
    let svg = run(move || instruments::figure(&services, &services.reader(&permit.actor)?, &key, &wanted)).await?;
    Ok(file(svg.into_bytes(), "image/svg+xml", &name, false))
}

#[derive(Deserialize)]
struct Format {
    #[serde(default)]
    format: String,
}

async fn export(
    permit: Permit<InstrumentRead>,
    services: Data<Services>,
    id: Path<String>,
    wanted: Query<Format>,
) -> Result<HttpResponse, Problem> {
    let key = InstrumentFileId::from(id.as_str());
    let made = run(move || {
        let reader = services.reader(&permit.actor)?;
        instruments::export(&services, &reader, &key, &wanted.format)
    })
    .await?;
    Ok(file(made.bytes, made.content_type, &made.name, true))
}

async fn check(
    may: May<CheckImport>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let done = match form.word("outcome", CheckOutcome::parse) {
        Ok(outcome) => {
            let (reason, task_id) = (form.text("reason"), form.opt("task_id").map(Into::into));
            let (password, code) = form.proof();
            let check = CheckImport { id: id.as_str().into(), outcome, reason, task_id, password, code };
            send(&services, &may, &page, &form, check).await.map(|_| ())
        }
        Err(refusal) => Err(refusal.into()),
    };
    files::answer(&page, &services, &may.actor, (&id, form), done).await
}
