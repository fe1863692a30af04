//! 仪器登记 and 未导入: the instruments with their ways in, and what could not be taken in.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::form::Form;
use super::lists::{Onward, ROWS};
use super::outer::encoded;
use super::page::{Page, Refused, file, see_other, send};
use crate::action::{Action, Services};
use crate::http::permit::permission::{InstrumentRead, InstrumentRegisterRead};
use crate::http::{May, Permit, Problem, Table, run};
use crate::instruments::{
    self, AddRunList, Calibrate, ChangeInstrument, DismissLetter, InstrumentFilter, LetterFilter, MatchRule,
    NewInstrument, RegisterInstrument, RestoreInstrument, RestoreLetter, RetireInstrument, RetryLetter, RunListLine,
    WithdrawRunList,
};
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::{DeadLetterId, InstrumentId};
use crate::store::views::{self, Reader};
use crate::text;
use crate::vocabulary::instruments::{
    CalibrationResult, DayOrder, DeadLetterState, ListenerKind, MatchOn, MatchWay, RetryOutcome,
};

/// Files and letters that an instrument's own page shows.
const NEWEST: i64 = 20;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/instruments", list)
        .post("/instruments", register)
        .get("/instruments/choices", choices)
        .get("/instruments/{id}", show)
        .post("/instruments/{id}", change)
        .post("/instruments/{id}/retire", retire)
        .post("/instruments/{id}/restore", restore)
        .post("/instruments/{id}/calibrations", calibrate)
        .post("/instruments/{id}/run-lists", add_run_list)
        .post("/instruments/{id}/run-lists/{list}/withdraw", withdraw_run_list)
        .get("/dead-letters", letters)
        .get("/dead-letters/{id}/content", content)
        .post("/dead-letters/{id}/retry", retry)
        .post("/dead-letters/{id}/dismiss", dismiss)
        .post("/dead-letters/{id}/restore", restore_letter)
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Search {
    q: String,
    after: String,
}

async fn list(
    permit: Permit<InstrumentRegisterRead>,
    page: Page,
    services: Data<Services>,
    search: Query<Search>,
) -> Result<HttpResponse, Problem> {
    show_list(&permit.actor, &page, &services, search.into_inner(), None).await
}

async fn show_list(
    actor: &Actor,
    page: &Page,
    services: &Services,
    search: Search,
    refused: Option<&Refused>,
) -> Result<HttpResponse, Problem> {
    let (services, reader, fault) = (services.clone(), services.reader(actor)?, services.mappings.fault());
    let adapters = adapters(&services);
    let filter = InstrumentFilter {
        q: Some(search.q.clone()),
        after: Some(search.after.clone()).filter(|text| !text.is_empty()),
        limit: Some(ROWS),
        ..InstrumentFilter::default()
    };
    let rows = run(move || instruments::instruments(&services, &reader, &filter)).await?;
    let full = i64::try_from(rows.len()).is_ok_and(|count| count == ROWS);
    let last = rows.last().filter(|_| full).map(|row| encoded(&row.instrument.code).to_string());
    let later = last.map(|code| format!("/instruments?q={}&after={code}", encoded(&search.q)));
    let content = json!({"rows": rows, "adapters": adapters, "fault": fault.map(|one| one.to_string()),
                         "search": search, "later": later});
    page.again("instruments.html", content, refused)
}

/// What a field offers that takes an instrument: those whose code or name has what was typed in it.
async fn choices(
    permit: Permit<InstrumentRegisterRead>,
    page: Page,
    services: Data<Services>,
    typed: Query<Typed>,
) -> Result<HttpResponse, Problem> {
    let found = run(move || {
        let reader = services.reader(&permit.actor)?;
        instruments::instrument_choices(&services, &reader, &typed.instrument)
    })
    .await?;
    page.show("instrument_choices.html", json!({"choices": found}))
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    instrument: String,
}

fn adapters(services: &Services) -> Vec<Value> {
    services.adapters.set().list().into_iter().map(|one| json!({"id": one.id, "product": one.product})).collect()
}

/// What was typed as an instrument.
fn typed(form: &Form) -> Result<NewInstrument, Refusal> {
    let number = |field: &str| form.opt(field).map(|_| form.whole(field)).transpose();
    let by = form.all("by").into_iter().map(|way| text::word("matching.by", &way, MatchWay::parse));
    let mut by: Vec<MatchWay> = by.collect::<Result<_, _>>()?;
    if form.opt("by_shown").is_none() && by.is_empty() {
        by = MatchRule::default().by;
    }
    let on = form.opt("matching.on").map(|_| form.word("matching.on", MatchOn::parse)).transpose()?;
    Ok(NewInstrument {
        code: form.text("code"),
        name: form.text("name"),
        vendor: form.text("vendor"),
        model: form.text("model"),
        serial: form.text("serial"),
        adapter: form.opt("adapter"),
        date_order: form.opt("date_order").map(|_| form.word("date_order", DayOrder::parse)).transpose()?,
        zone: form.opt("zone"),
        matching: MatchRule { by, pattern: form.opt("matching.pattern"), on: on.unwrap_or(MatchOn::Sample) },
        folder: form.opt("folder"),
        folder_pattern: form.text("folder_pattern"),
        listener_kind: form
            .opt("listener_kind")
            .map(|_| form.word("listener_kind", ListenerKind::parse))
            .transpose()?,
        listener_port: number("listener_port")?,
        listener_idle_ms: number("listener_idle_ms")?,
        listener_peers: form.text("listener_peers"),
    })
}

async fn register(
    may: May<RegisterInstrument>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let done = match typed(&form) {
        Ok(new) => send(&services, &may, &page, &form, RegisterInstrument(new)).await,
        Err(refusal) => Err(refusal.into()),
    };
    match done {
        Ok(view) => Ok(see_other(&format!("/instruments/{}", view.instrument.id))),
        Err(problem) => {
            let refused = Refused::new(form, problem);
            show_list(&may.actor, &page, &services, Search::default(), Some(&refused)).await
        }
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
    let (services, reader, key) = (services.clone(), services.reader(actor)?, InstrumentId::from(id));
    let content = run(move || everything(&services, &reader, &key)).await?;
    page.again("instrument.html", content, refused)
}

fn everything(services: &Services, reader: &Reader, id: &InstrumentId) -> Outcome<Value> {
    let one = instruments::instrument_view(services, reader, id)?;
    let open = LetterFilter {
        state: Some(DeadLetterState::Open),
        instrument: Some(id.clone()),
        limit: Some(NEWEST),
        ..LetterFilter::default()
    };
    Ok(json!({
        "calibrations": instruments::calibrations(services, reader, id)?,
        "folder": instruments::folder_view(services, reader, id)?,
        "lists": instruments::run_lists(services, reader, id)?,
        "files": services.db.read(|conn| views::files_of_instrument(conn, reader, id, NEWEST))?,
        "letters": instruments::dead_letters(services, reader, &open)?,
        "one": one,
        "adapters": adapters(services),
    }))
}

/// Does something to an instrument and shows it again.
async fn acted_on<A: Action>(
    (may, page, services): (May<A>, Page, Data<Services>),
    (id, form): (&str, Form),
    action: Result<A, Refusal>,
) -> Result<HttpResponse, Problem> {
    let done = match action {
        Ok(action) => send(&services, &may, &page, &form, action).await.map(|_| ()),
        Err(refusal) => Err(refusal.into()),
    };
    match done {
        Ok(()) => Ok(see_other(&format!("/instruments/{id}"))),
        Err(problem) => show_one(&may.actor, &page, &services, id, Some(&Refused::new(form, problem))).await,
    }
}

async fn change(
    may: May<ChangeInstrument>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = typed(&form).map(|instrument| ChangeInstrument {
        id: id.as_str().into(),
        reason: form.text("reason"),
        instrument,
    });
    acted_on((may, page, services), (&id, form), action).await
}

async fn retire(
    may: May<RetireInstrument>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = RetireInstrument { id: id.as_str().into(), reason: form.text("reason") };
    acted_on((may, page, services), (&id, form), Ok(action)).await
}

async fn restore(
    may: May<RestoreInstrument>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = RestoreInstrument { id: id.as_str().into(), reason: form.text("reason") };
    acted_on((may, page, services), (&id, form), Ok(action)).await
}

async fn calibrate(
    may: May<Calibrate>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = form.word("result", CalibrationResult::parse).map(|result| Calibrate {
        id: id.as_str().into(),
        performed_on: form.text("performed_on"),
        due_on: form.opt("due_on"),
        result,
        certificate_number: form.text("certificate_number"),
        performed_by: form.text("performed_by"),
        note: form.text("note"),
    });
    acted_on((may, page, services), (&id, form), action).await
}

async fn add_run_list(
    may: May<AddRunList>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = RunListLine::all_of(&form.text("rows")).map(|rows| AddRunList {
        id: id.as_str().into(),
        rows,
        file_pattern: form.opt("file_pattern"),
    });
    acted_on((may, page, services), (&id, form), action).await
}

async fn withdraw_run_list(
    may: May<WithdrawRunList>,
    page: Page,
    services: Data<Services>,
    path: Path<(String, String)>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (id, list) = path.into_inner();
    let action = WithdrawRunList { id: list.into(), reason: form.text("reason") };
    acted_on((may, page, services), (&id, form), Ok(action)).await
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Filter {
    state: String,
    after: String,
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
    let state = DeadLetterState::parse(&filter.state).unwrap_or(DeadLetterState::Open);
    filter.state = state.as_str().to_owned();
    let (services, reader) = (services.clone(), services.reader(actor)?);
    let wanted = LetterFilter {
        state: Some(state),
        after: Some(filter.after.clone()),
        limit: Some(ROWS),
        ..LetterFilter::default()
    };
    let part = run(move || instruments::dead_letters(&services, &reader, &wanted)).await?;
    let onward = Onward::new("/dead-letters", &[("state", &filter.state)], &filter.after, &part);
    page.again("dead_letters.html", json!({"rows": part.items, "onward": onward, "filter": filter}), refused)
}

async fn content(
    permit: Permit<InstrumentRead>,
    services: Data<Services>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let key = DeadLetterId::from(id.as_str());
    let (name, bytes) = run(move || {
        let reader = services.reader(&permit.actor)?;
        instruments::letter_content(&services, &reader, &key)
    })
    .await?;
    Ok(file(bytes, "application/octet-stream", &name, true))
}

async fn retry(
    may: May<RetryLetter>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = RetryLetter { id: id.as_str().into() };
    match send(&services, &may, &page, &form, action).await {
        Ok(told) => Ok(see_other(&match (told.state, told.file_id) {
            (RetryOutcome::Resolved, Some(file)) => format!("/instrument-files/{file}"),
            (state, _) => format!("/dead-letters?retried={state}"),
        })),
        Err(problem) => again(&may.actor, &page, &services, form, problem).await,
    }
}

async fn dismiss(
    may: May<DismissLetter>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = DismissLetter { id: id.as_str().into(), reason: form.text("reason") };
    match send(&services, &may, &page, &form, action).await {
        Ok(()) => Ok(see_other("/dead-letters")),
        Err(problem) => again(&may.actor, &page, &services, form, problem).await,
    }
}

async fn restore_letter(
    may: May<RestoreLetter>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = RestoreLetter { id: id.as_str().into(), reason: form.text("reason") };
    match send(&services, &may, &page, &form, action).await {
        Ok(()) => Ok(see_other("/dead-letters")),
        Err(problem) => again(&may.actor, &page, &services, form, problem).await,
    }
}

/// The list of letters with what was refused.
async fn again(
    actor: &Actor,
    page: &Page,
    services: &Services,
    form: Form,
    problem: Problem,
) -> Result<HttpResponse, Problem> {
    let refused = Refused::new(form, problem);
    show_letters(actor, page, services, Filter::default(), Some(&refused)).await
}
