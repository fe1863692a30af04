//! 仪器文件: what came in, what each line became, and what would be entered.

use actix_multipart::Multipart;
use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::form::{Form, with_fields};
use super::lists::{Onward, ROWS};
use super::page::{Page, Refused, file, kept_from, see_other, send};
use crate::action::{Action, Services};
use crate::http::permit::permission::InstrumentRead;
use crate::http::{May, Permit, Problem, Table, run};
use crate::instruments::{
    self, AcceptFile, AddFileRunList, ChooseReading, FileView, LetterFilter, MatchName, NamedFile, RejectFile,
    ReopenFile, RunListLine, SourceView, TakenFile, UploadFile, Wanted,
};
use crate::people::DutiesDone;
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::{InstrumentFileId, ObservationId};
use crate::store::views::{self, CheckView, FileFilter, Reader};
use crate::vocabulary::Duty;
use crate::vocabulary::instruments::{DeadLetterState, FileState};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/instrument-files", inbox)
        .post("/instrument-files", upload)
        .get("/instrument-files/{id}", show)
        .get("/instrument-files/{id}/original", original)
        .post("/instrument-files/{id}/match", match_name)
        .post("/instrument-files/{id}/readings", choose_reading)
        .post("/instrument-files/{id}/run-list", run_list)
        .post("/instrument-files/{id}/accept", accept)
        .post("/instrument-files/{id}/reject", reject)
        .post("/instrument-files/{id}/reopen", reopen)
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Filter {
    state: String,
    after: String,
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
    let (services, reader) = (services.clone(), services.reader(actor)?);
    let wanted = FileFilter {
        state: FileState::parse(&filter.state),
        after: Some(filter.after.clone()),
        limit: Some(ROWS),
        ..FileFilter::default()
    };
    let open = LetterFilter { state: Some(DeadLetterState::Open), limit: Some(1), ..LetterFilter::default() };
    let (part, letters) = run(move || {
        let part = services.db.read(|conn| views::files(conn, &reader, &wanted))?;
        Ok((part, instruments::dead_letters(&services, &reader, &open)?.total))
    })
    .await?;
    let onward = Onward::new("/instrument-files", &[("state", &filter.state)], &filter.after, &part);
    page.show(
        "files.html",
        json!({"rows": part.items, "onward": onward, "filter": filter, "outcomes": outcomes, "letters": letters}),
    )
}

async fn upload(
    may: May<UploadFile>,
    page: Page,
    services: Data<Services>,
    parts: Multipart,
) -> Result<HttpResponse, Problem> {
    let (files, fields) = with_fields(parts, services.site.upload_bytes).await?;
    let files: Vec<NamedFile> = files.into_iter().map(|one| NamedFile { name: one.name, bytes: one.bytes }).collect();
    let (services2, actor) = (services.clone(), may.actor.clone());
    let instrument = fields.get("instrument").cloned();
    let taken = run(move || instruments::upload_set(&services2, &actor, &files, instrument.as_deref())).await?;
    if let [(_, Ok(one))] = taken.as_slice() {
        return Ok(see_other(&format!("/instrument-files/{}", one.id)));
    }
    let outcomes = taken.into_iter().map(told).collect();
    show_inbox(&may.actor, &page, &services, Filter::default(), outcomes).await
}

/// What became of one uploaded file: one that is refused does not hold up the others.
fn told((name, outcome): (String, Outcome<TakenFile>)) -> Value {
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
    let (services, reader, me) = (services.clone(), services.reader(actor)?, actor.account.clone());
    let (key, db, own) = (InstrumentFileId::from(id), services.db.clone(), reader.clone());
    let more = services.site.apart.clone();
    let asked = key.clone();
    let (done, signatures) = run(move || {
        db.read(|conn| {
            let facts = views::duties_of_import(conn, &asked, None)?;
            let signatures = views::signatures(conn, &own, "instrument_file", &[asked.as_str()])?;
            Ok((DutiesDone { facts, more }, signatures))
        })
    })
    .await?;
    let apart = kept_from(&done, Duty::ImportCheck, actor);
    let observation = marked.observation.as_deref().filter(|text| !text.is_empty()).map(ObservationId::from);
    let wanted = Wanted { observation, line: marked.line, from: marked.from };
    let (view, source, checks) = run(move || both(&services, &reader, &key, &wanted)).await?;
    let marked = source.as_ref().and_then(|source| source.observation.as_ref()).map(|one| one.id.clone());
    Ok(json!({"one": view, "source": source, "marked": marked, "checks": checks, "me": me,
        "apart": apart, "signatures": signatures}))
}

/// The file with its text and the checks of its import; one that no adapter reads has no lines to show.
fn both(
    services: &Services,
    reader: &Reader,
    id: &InstrumentFileId,
    wanted: &Wanted,
) -> Outcome<(FileView, Option<SourceView>, Vec<CheckView>)> {
    let view = instruments::view(services, reader, id)?;
    let checks = instruments::checks(services, reader, id)?;
    if view.file.adapter.is_none() {
        return Ok((view, None, checks));
    }
    let source = instruments::source(services, reader, id, wanted)?;
    Ok((view, Some(source), checks))
}

async fn original(
    permit: Permit<InstrumentRead>,
    services: Data<Services>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let key = InstrumentFileId::from(id.as_str());
    let (name, bytes) = run(move || {
        let found = instruments::view(&services, &services.reader(&permit.actor)?, &key)?.file;
        Ok((found.name, services.files.get(&found.sha256)?))
    })
    .await?;
    // Never shown by the browser itself: it is somebody else's content.
    Ok(file(bytes, "application/octet-stream", &name, true))
}

/// Does something to a file: on to the file, or its page again with what was refused.
async fn acted_on<A: Action>(
    (may, page, services): (May<A>, Page, Data<Services>),
    (id, form): (Path<String>, Form),
    action: Result<A, Refusal>,
) -> Result<HttpResponse, Problem> {
    let done = match action {
        Ok(action) => send(&services, &may, &page, &form, action).await.map(|_| ()),
        Err(refusal) => Err(refusal.into()),
    };
    answer(&page, &services, &may.actor, (&id, form), done).await
}

async fn match_name(
    may: May<MatchName>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    // Values without a name have an empty one here.
    let (sample_text, sample_number) = (form.opt("sample_text"), form.opt("sample_number"));
    let action = MatchName { id: id.as_str().into(), sample_text, sample_number };
    acted_on((may, page, services), (id, form), Ok(action)).await
}

async fn choose_reading(
    may: May<ChooseReading>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let observation_id = form.text("observation_id").as_str().into();
    let action = ChooseReading { id: id.as_str().into(), observation_id, value: form.opt("value") };
    acted_on((may, page, services), (id, form), Ok(action)).await
}

async fn run_list(
    may: May<AddFileRunList>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let rows = RunListLine::all_of(&form.text("rows"));
    let action = rows.map(|rows| AddFileRunList { id: id.as_str().into(), rows });
    acted_on((may, page, services), (id, form), action).await
}

async fn accept(
    may: May<AcceptFile>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = AcceptFile {
        id: id.as_str().into(),
        tasks: Some(form.all("tasks").into_iter().map(Into::into).collect()),
        confirm_complete: form.ticked("confirm_complete"),
        despite_problems: form.opt("despite_problems"),
        reagents: form.text("reagents"),
        note: form.text("note"),
        reason: form.opt("reason"),
        despite_range: form.opt("despite_range"),
    };
    acted_on((may, page, services), (id, form), Ok(action)).await
}

async fn reject(
    may: May<RejectFile>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = RejectFile { id: id.as_str().into(), reason: form.text("reason") };
    acted_on((may, page, services), (id, form), Ok(action)).await
}

async fn reopen(
    may: May<ReopenFile>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = ReopenFile { id: id.as_str().into(), reason: form.text("reason") };
    acted_on((may, page, services), (id, form), Ok(action)).await
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
