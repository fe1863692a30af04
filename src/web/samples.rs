//! One sample: where its containers are, what became of them, its tests; and finding it by a scanned code.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::Deserialize;
use serde_json::{Value, json};

use super::form::Form;
use super::lists::{institute, unfolded};
use super::page::{Page, Refused, file, see_other};
use crate::action::Services;
use crate::certificates;
use crate::custody::{self, Move};
use crate::http::permit::permission::{CustodyDestroy, CustodyMove, CustodyRead, CustodyReturn, RawRecordRead};
use crate::http::{Permit, Problem, Table, run};
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::columns::SampleId;
use crate::store::views;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/find", find)
        .get("/samples/{id}", show)
        .get("/samples/{id}/raw-record", raw_record)
        .post("/samples/{id}/move", move_on)
        .post("/samples/{id}/return", give_back)
        .post("/samples/{id}/destroy", destroy)
}

#[derive(Deserialize)]
struct Code {
    #[serde(default)]
    code: String,
}

/// A scanner types the code and presses Enter.
async fn find(
    permit: Permit<CustodyRead>,
    services: Data<Services>,
    code: Query<Code>,
) -> Result<HttpResponse, Problem> {
    let (db, institute, code) = (services.db.clone(), institute(&permit.actor)?, code.code.trim().to_owned());
    let wanted = code.clone();
    let found = run(move || db.read(|conn| views::sample_by_number(conn, &institute, &wanted))).await?;
    let id = found.ok_or_else(|| Refusal::not_found("样品或标签", "sample or label", &code))?;
    Ok(see_other(&format!("/samples/{id}")))
}

async fn show(
    permit: Permit<CustodyRead>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let content = content(&services, &permit.actor, &id).await?;
    page.show("sample.html", content)
}

async fn content(services: &Services, actor: &Actor, id: &str) -> Result<Value, Problem> {
    let (db, institute, key) = (services.db.clone(), institute(actor)?, SampleId::from(id));
    let (found, names) = run(move || {
        db.read(|conn| {
            let found = views::sample(conn, &institute, &key)?;
            let movers = found.iter().flat_map(|one| &one.ledger).map(|entry| &entry.moved_by);
            let receivers = found.iter().map(|one| &one.sample.received_by);
            let people: Vec<_> = movers.chain(receivers).collect();
            let names = views::names(conn, &people)?;
            Ok((found, names))
        })
    })
    .await?;
    let found = found.ok_or_else(|| Refusal::not_found("样品", "sample", id))?;
    Ok(json!({"one": unfolded(&found)?, "names": names}))
}

async fn raw_record(
    permit: Permit<RawRecordRead>,
    services: Data<Services>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let key = SampleId::from(id.as_str());
    let pdf = run(move || certificates::raw_record(&services, &permit.actor, &key)).await?;
    Ok(file(pdf, "application/pdf", &format!("raw-record-{id}.pdf"), false))
}

async fn moved(
    actor: Actor,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
    to: String,
) -> Result<HttpResponse, Problem> {
    let new = Move {
        from: form.text("from"),
        to,
        quantity: form.text("quantity").parse().unwrap_or(0),
        reason: form.text("reason"),
    };
    let (services2, actor2, key) = (services.clone(), actor.clone(), SampleId::from(id.as_str()));
    match run(move || custody::move_containers(&services2, &actor2, &key, &new)).await {
        Ok(_) => Ok(see_other(&format!("/samples/{id}"))),
        Err(problem) => {
            let content = content(&services, &actor, &id).await?;
            page.again("sample.html", content, Some(&Refused::new(form, problem)))
        }
    }
}

/// Within the laboratory: used up, or set aside.
async fn move_on(
    permit: Permit<CustodyMove>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let to = if form.text("to") == "retention" { "retention" } else { "consumed" };
    moved(permit.actor, page, services, id, form, to.to_owned()).await
}

async fn give_back(
    permit: Permit<CustodyReturn>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    moved(permit.actor, page, services, id, form, "returned".to_owned()).await
}

async fn destroy(
    permit: Permit<CustodyDestroy>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    moved(permit.actor, page, services, id, form, "destroyed".to_owned()).await
}
