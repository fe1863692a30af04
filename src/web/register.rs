//! 仪器登记 and 未导入: the instruments with their ways in, and what could not be taken in.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::form::Form;
use super::lists::{Pager, ROWS, offset, unfolded};
use super::page::{Page, Refused, file, see_other};
use crate::action::Services;
use crate::http::permit::permission::{
    DeadLetterDecide, InstrumentAccept, InstrumentCalibrate, InstrumentRead, InstrumentRegisterManage,
    InstrumentRegisterRead,
};
use crate::http::{Permit, Problem, Table, run};
use crate::instruments::{self, MatchRule, NewCalibration, NewInstrument, NewRunList};
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::{DeadLetterId, InstrumentId, RunListId};
use crate::store::views::{self, Page as Part};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/instruments", list)
        .post("/instruments", register)
        .get("/instruments/{id}", show)
        .post("/instruments/{id}", change)
        .post("/instruments/{id}/retire", retire)
        .post("/instruments/{id}/calibrations", calibrate)
        .post("/instruments/{id}/run-lists", add_run_list)
        .post("/instruments/{id}/run-lists/{list}/withdraw", withdraw_run_list)
        .get("/dead-letters", letters)
        .get("/dead-letters/{id}/content", content)
        .post("/dead-letters/{id}/retry", retry)
        .post("/dead-letters/{id}/dismiss", dismiss)
}

async fn list(
    permit: Permit<InstrumentRegisterRead>,
    page: Page,
    services: Data<Services>,
) -> Result<HttpResponse, Problem> {
    show_list(&permit.actor, &page, &services, None).await
}

async fn show_list(
    actor: &Actor,
    page: &Page,
    services: &Services,
    refused: Option<&Refused>,
) -> Result<HttpResponse, Problem> {
    let (services, actor, fault) = (services.clone(), actor.clone(), services.mappings.fault());
    let adapters = adapters(&services);
    let rows = run(move || instruments::instruments(&services, &actor)).await?;
    let content = json!({"rows": unfolded(&rows)?, "adapters": adapters, "fault": fault.map(|one| one.to_string())});
    page.again("instruments.html", content, refused)
}

fn adapters(services: &Services) -> Vec<Value> {
    services.adapters.set().list().into_iter().map(|one| json!({"id": one.id, "product": one.product})).collect()
}

/// What was typed as an instrument.
fn typed(form: &Form) -> Result<NewInstrument, Refusal> {
    let number = |field: &str| -> Result<Option<i64>, Refusal> {
        let text = form.opt(field);
        text.map(|text| text.parse().map_err(|_| Refusal::field(field, "应为整数", "expected a whole number")))
            .transpose()
    };
    let mut by = form.all("by");
    if form.opt("by_shown").is_none() && by.is_empty() {
        by = MatchRule::default().by;
    }
    Ok(NewInstrument {
        code: form.text("code"),
        name: form.text("name"),
        vendor: form.text("vendor"),
        model: form.text("model"),
        serial: form.text("serial"),
        adapter: form.opt("adapter"),
        date_order: form.opt("date_order"),
        zone: form.opt("zone"),
        matching: MatchRule {
            by,
            pattern: form.opt("matching.pattern"),
            on: form.opt("matching.on").unwrap_or_else(|| "sample".into()),
        },
        folder: form.opt("folder"),
        folder_pattern: form.text("folder_pattern"),
        listener_kind: form.opt("listener_kind"),
        listener_port: number("listener_port")?,
        listener_idle_ms: number("listener_idle_ms")?,
    })
}

async fn register(
    permit: Permit<InstrumentRegisterManage>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (services2, actor, new) = (services.clone(), permit.actor.clone(), typed(&form));
    match run(move || instruments::register(&services2, &actor, &new?)).await {
        Ok(view) => Ok(see_other(&format!("/instruments/{}", view.instrument.id))),
        Err(problem) => show_list(&permit.actor, &page, &services, Some(&Refused::new(form, problem))).await,
    }
}

async fn show(
    permit: Permit<InstrumentRegisterRead>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    show_one(&permit.actor, &page, &services, &id, None).await
}

async fn show_one(
    actor: &Actor,
    page: &Page,
    services: &Services,
    id: &str,
    refused: Option<&Refused>,
) -> Result<HttpResponse, Problem> {
    let (services, actor, key) = (services.clone(), actor.clone(), InstrumentId::from(id));
    let adapters = adapters(&services);
    let content = run(move || everything(&services, &actor, &key)).await?;
    let mut content = unfolded(&content)?;
    if let Value::Object(fields) = &mut content {
        fields.insert("adapters".into(), json!(adapters));
    }
    page.again("instrument.html", content, refused)
}

fn everything(services: &Services, actor: &Actor, id: &InstrumentId) -> Outcome<Value> {
    let one = instruments::instrument_view(services, actor, id)?;
    let part = Part::of(Some(20), None);
    let files = services.db.read(|conn| views::files_of_instrument(conn, id, part))?;
    let letters = instruments::dead_letters(services, actor, Some("open"), Some(id), part)?;
    Ok(json!({
        "calibrations": instruments::calibrations(services, actor, id)?,
        "folder": instruments::folder_view(services, actor, id)?,
        "lists": instruments::run_lists(services, actor, id)?,
        "files": files,
        "letters": letters,
        "one": one,
    }))
}

/// Does something to an instrument and shows it again.
async fn answer(
    (page, services, actor): (&Page, &Services, &Actor),
    id: &str,
    form: Form,
    work: impl FnOnce() -> Outcome<()> + Send + 'static,
) -> Result<HttpResponse, Problem> {
    match run(work).await {
        Ok(()) => Ok(see_other(&format!("/instruments/{id}"))),
        Err(problem) => show_one(actor, page, services, id, Some(&Refused::new(form, problem))).await,
    }
}

async fn change(
    permit: Permit<InstrumentRegisterManage>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (services2, actor, key) = (services.clone(), permit.actor.clone(), InstrumentId::from(id.as_str()));
    let (new, reason) = (typed(&form), form.text("reason"));
    let work = move || instruments::change(&services2, &actor, &key, &new?, &reason).map(|_| ());
    answer((&page, &services, &permit.actor), &id, form, work).await
}

async fn retire(
    permit: Permit<InstrumentRegisterManage>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (services2, actor, key) = (services.clone(), permit.actor.clone(), InstrumentId::from(id.as_str()));
    let reason = form.text("reason");
    let work = move || instruments::retire(&services2, &actor, &key, &reason);
    answer((&page, &services, &permit.actor), &id, form, work).await
}

async fn calibrate(
    permit: Permit<InstrumentCalibrate>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (services2, actor, key) = (services.clone(), permit.actor.clone(), InstrumentId::from(id.as_str()));
    let new = NewCalibration {
        performed_on: form.text("performed_on"),
        due_on: form.opt("due_on"),
        result: form.text("result"),
        certificate_number: form.text("certificate_number"),
        performed_by: form.text("performed_by"),
        note: form.text("note"),
    };
    let work = move || instruments::calibrate(&services2, &actor, &key, &new).map(|_| ());
    answer((&page, &services, &permit.actor), &id, form, work).await
}

async fn add_run_list(
    permit: Permit<InstrumentAccept>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (services2, actor, key) = (services.clone(), permit.actor.clone(), InstrumentId::from(id.as_str()));
    let (rows, file_pattern) = (form.text("rows"), form.opt("file_pattern"));
    let work = move || {
        let new = NewRunList { rows: NewRunList::of_text(&rows)?, file_pattern };
        instruments::list_before_file(&services2, &actor, &key, &new).map(|_| ())
    };
    answer((&page, &services, &permit.actor), &id, form, work).await
}

async fn withdraw_run_list(
    permit: Permit<InstrumentAccept>,
    page: Page,
    services: Data<Services>,
    path: Path<(String, String)>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (id, list) = path.into_inner();
    let (services2, actor, reason) = (services.clone(), permit.actor.clone(), form.text("reason"));
    let work = move || instruments::withdraw_list(&services2, &actor, &RunListId::from(list), &reason);
    answer((&page, &services, &permit.actor), &id, form, work).await
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Filter {
    state: String,
    offset: String,
    /// What a retry came to.
    retried: String,
}

async fn letters(
    permit: Permit<InstrumentRead>,
    page: Page,
    services: Data<Services>,
    filter: Query<Filter>,
) -> Result<HttpResponse, Problem> {
    show_letters(&permit.actor, &page, &services, filter.into_inner(), None).await
}

async fn show_letters(
    actor: &Actor,
    page: &Page,
    services: &Services,
    mut filter: Filter,
    refused: Option<&Refused>,
) -> Result<HttpResponse, Problem> {
    if filter.state.is_empty() {
        filter.state = "open".into();
    }
    let (services, actor, state) = (services.clone(), actor.clone(), filter.state.clone());
    let part = Part::of(Some(ROWS), Some(offset(&filter.offset)));
    let listed = run(move || instruments::dead_letters(&services, &actor, Some(&state), None, part)).await?;
    let pager = Pager::new("/dead-letters", &[("state", &filter.state)], listed.total, offset(&filter.offset));
    page.again("dead_letters.html", json!({"rows": listed.items, "pager": pager, "filter": filter}), refused)
}

async fn content(
    permit: Permit<InstrumentRead>,
    services: Data<Services>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let key = DeadLetterId::from(id.as_str());
    let (name, bytes) = run(move || instruments::letter_content(&services, &permit.actor, &key)).await?;
    Ok(file(bytes, "application/octet-stream", &name, true))
}

async fn retry(
    permit: Permit<DeadLetterDecide>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (services2, actor, key) = (services.clone(), permit.actor.clone(), DeadLetterId::from(id.as_str()));
    match run(move || instruments::retry(&services2, &actor, &key)).await {
        Ok(told) if told.state == "resolved" => {
            Ok(see_other(&format!("/instrument-files/{}", told.file_id.unwrap_or_default())))
        }
        Ok(told) => Ok(see_other(&format!("/dead-letters?retried={}", told.state))),
        Err(problem) => {
            let refused = Refused::new(form, problem);
            show_letters(&permit.actor, &page, &services, Filter::default(), Some(&refused)).await
        }
    }
}

async fn dismiss(
    permit: Permit<DeadLetterDecide>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (services2, actor, key) = (services.clone(), permit.actor.clone(), DeadLetterId::from(id.as_str()));
    let reason = form.text("reason");
    match run(move || instruments::dismiss(&services2, &actor, &key, &reason)).await {
        Ok(()) => Ok(see_other("/dead-letters")),
        Err(problem) => {
            let refused = Refused::new(form, problem);
            show_letters(&permit.actor, &page, &services, Filter::default(), Some(&refused)).await
        }
    }
}
