//! 仪器文件: what came in, what each line became, and what would be entered.

use actix_multipart::Multipart;
use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::form::{Form, with_fields};
use super::lists::{Pager, ROWS, institute, offset, unfolded};
use super::page::{Page, Refused, file, see_other};
use crate::action::Services;
use crate::http::permit::permission::{InstrumentAccept, InstrumentRead, InstrumentReject, InstrumentUpload};
use crate::http::{Permit, Problem, Table, run};
use crate::instruments::{self, Accept, Assign, FileView, Named, NewRunList, SourceView, Taken, Wanted};
use crate::record::Actor;
use crate::store::Outcome;
use crate::store::columns::{InstrumentFileId, ObservationId};
use crate::store::views::{self, CheckView, Page as Part};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/instrument-files", inbox)
        .post("/instrument-files", upload)
        .get("/instrument-files/{id}", show)
        .get("/instrument-files/{id}/original", original)
        .post("/instrument-files/{id}/match", assign)
        .post("/instrument-files/{id}/run-list", run_list)
        .post("/instrument-files/{id}/accept", accept)
        .post("/instrument-files/{id}/reject", reject)
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Filter {
    state: String,
    offset: String,
}

async fn inbox(
    permit: Permit<InstrumentRead>,
    page: Page,
    services: Data<Services>,
    filter: Query<Filter>,
) -> Result<HttpResponse, Problem> {
    show_inbox(&permit.actor, &page, &services, filter.into_inner(), Vec::new()).await
}

async fn show_inbox(
    actor: &Actor,
    page: &Page,
    services: &Services,
    filter: Filter,
    outcomes: Vec<Value>,
) -> Result<HttpResponse, Problem> {
    let (db, institute, state) = (services.db.clone(), institute(actor)?, filter.state.clone());
    let part = Part::of(Some(ROWS), Some(offset(&filter.offset)));
    let listed = run(move || db.read(|conn| views::files(conn, &institute, Some(&state), part))).await?;
    let pager = Pager::new("/instrument-files", &[("state", &filter.state)], listed.total, offset(&filter.offset));
    let rows = unfolded(&listed.items)?;
    let (services, actor) = (services.clone(), actor.clone());
    let (known, letters) = run(move || {
        let letters = instruments::dead_letters(&services, &actor, Some("open"), None, Part::of(Some(1), None))?;
        Ok((instruments::instruments(&services, &actor)?, letters.total))
    })
    .await?;
    page.show(
        "files.html",
        json!({"rows": rows, "pager": pager, "filter": filter, "outcomes": outcomes, "instruments": known,
               "letters": letters}),
    )
}

async fn upload(
    permit: Permit<InstrumentUpload>,
    page: Page,
    services: Data<Services>,
    parts: Multipart,
) -> Result<HttpResponse, Problem> {
    let (files, fields) = with_fields(parts, services.site.upload_bytes).await?;
    let files: Vec<Named> = files.into_iter().map(|one| Named { name: one.name, bytes: one.bytes }).collect();
    let (services2, actor) = (services.clone(), permit.actor.clone());
    let instrument = fields.get("instrument").cloned();
    let taken = run(move || instruments::upload_set(&services2, &actor, &files, instrument.as_deref())).await?;
    let outcomes: Vec<Value> = taken.into_iter().map(told).collect();
    if let [one] = &outcomes[..]
        && let Some(id) = one["id"].as_str()
    {
        return Ok(see_other(&format!("/instrument-files/{id}")));
    }
    show_inbox(&permit.actor, &page, &services, Filter::default(), outcomes).await
}

/// What became of one uploaded file: one that is refused does not hold up the others.
fn told((name, outcome): (String, Outcome<Taken>)) -> Value {
    match outcome {
        Ok(taken) => json!({"name": name, "id": taken.id, "known": taken.known, "state": taken.state}),
        Err(failure) => {
            let refusal = *Problem::from(failure).0;
            json!({"name": name, "zh": refusal.message_zh, "en": refusal.message_en})
        }
    }
}

#[derive(Clone, Default, Deserialize)]
struct Marked {
    observation: Option<String>,
    line: Option<u32>,
    from: Option<u32>,
}

async fn show(
    permit: Permit<InstrumentRead>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    marked: Query<Marked>,
) -> Result<HttpResponse, Problem> {
    let content = content(&services, &permit.actor, &id, marked.into_inner()).await?;
    page.show("file.html", content)
}

async fn content(services: &Services, actor: &Actor, id: &str, marked: Marked) -> Result<Value, Problem> {
    let (services, me, actor, key) =
        (services.clone(), actor.account.clone(), actor.clone(), InstrumentFileId::from(id));
    let observation = marked.observation.as_deref().filter(|text| !text.is_empty()).map(ObservationId::from);
    let wanted = Wanted { observation, line: marked.line, from: marked.from };
    let (view, source, checks) = run(move || both(&services, &actor, &key, &wanted)).await?;
    let marked = source.as_ref().and_then(|source| source.observation.as_ref()).map(|one| one.id.to_string());
    Ok(json!({"one": unfolded(&view)?, "source": unfolded(&source)?, "marked": marked, "checks": checks, "me": me}))
}

/// The file with its text and the checks of its import; one that no adapter reads has no lines to show.
fn both(
    services: &Services,
    actor: &Actor,
    id: &InstrumentFileId,
    wanted: &Wanted,
) -> Outcome<(FileView, Option<SourceView>, Vec<CheckView>)> {
    let view = instruments::view(services, actor, id)?;
    let checks = instruments::checks(services, actor, id)?;
    if view.file.adapter.is_none() {
        return Ok((view, None, checks));
    }
    let source = instruments::source(services, actor, id, wanted)?;
    Ok((view, Some(source), checks))
}

async fn original(
    permit: Permit<InstrumentRead>,
    services: Data<Services>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let key = InstrumentFileId::from(id.as_str());
    let (name, bytes) = run(move || {
        let found = instruments::view(&services, &permit.actor, &key)?.file;
        Ok((found.name, services.files.get(&found.sha256)?))
    })
    .await?;
    // Never shown by the browser itself: it is somebody else's content.
    Ok(file(bytes, "application/octet-stream", &name, true))
}

async fn assign(
    permit: Permit<InstrumentAccept>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    // Values without a name have an empty one here.
    let new = Assign { sample_text: form.opt("sample_text"), sample_number: form.opt("sample_number") };
    let (services2, actor, key) = (services.clone(), permit.actor.clone(), InstrumentFileId::from(id.as_str()));
    let done = run(move || instruments::assign(&services2, &actor, &key, &new).map(|_| ())).await;
    answer(&page, &services, &permit.actor, (&id, form), done).await
}

async fn run_list(
    permit: Permit<InstrumentAccept>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let text = form.text("rows");
    let (services2, actor, key) = (services.clone(), permit.actor.clone(), InstrumentFileId::from(id.as_str()));
    let done = run(move || {
        let new = NewRunList { rows: NewRunList::of_text(&text)?, file_pattern: None };
        instruments::list_for_file(&services2, &actor, &key, &new).map(|_| ())
    })
    .await;
    answer(&page, &services, &permit.actor, (&id, form), done).await
}

async fn accept(
    permit: Permit<InstrumentAccept>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let new = Accept {
        tasks: Some(form.all("tasks")),
        confirm_complete: form.ticked("confirm_complete"),
        despite_problems: form.opt("despite_problems"),
        reagents: form.text("reagents"),
        note: form.text("note"),
        reason: form.opt("reason"),
    };
    let (services2, actor, key) = (services.clone(), permit.actor.clone(), InstrumentFileId::from(id.as_str()));
    let done = run(move || instruments::accept(&services2, &actor, &key, &new).map(|_| ())).await;
    answer(&page, &services, &permit.actor, (&id, form), done).await
}

async fn reject(
    permit: Permit<InstrumentReject>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let reason = form.text("reason");
    let (services2, actor, key) = (services.clone(), permit.actor.clone(), InstrumentFileId::from(id.as_str()));
    let done = run(move || instruments::reject(&services2, &actor, &key, &reason)).await;
    answer(&page, &services, &permit.actor, (&id, form), done).await
}

/// The file's page again, or with what was refused.
///
/// # Errors
/// Where the file is not the institute's.
pub(super) async fn answer(
    page: &Page,
    services: &Services,
    actor: &Actor,
    (id, form): (&str, Form),
    outcome: Result<(), Problem>,
) -> Result<HttpResponse, Problem> {
    match outcome {
        Ok(()) => Ok(see_other(&format!("/instrument-files/{id}"))),
        Err(problem) => {
            let content = content(services, actor, id, Marked::default()).await?;
            page.again("file.html", content, Some(&Refused::new(form, problem)))
        }
    }
}
