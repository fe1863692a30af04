//! One sample: where its containers are, what became of them, its tests; and finding it by a scanned code.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::Deserialize;
use serde_json::{Value, json};

use super::form::Form;
use super::lists::shown;
use super::offered::{Asking, of_sample};
use super::page::{Page, Refused, file, see_other, send};
use crate::action::{Action, Services};
use crate::cases::ReinstateSample;
use crate::certificates;
use crate::custody::{AskKeeping, DestroyContainers, MoveContainers, ReturnContainers, UndoMove};
use crate::http::permit::permission::{CustodyRead, RawRecordRead};
use crate::http::{May, Permit, Problem, Table, run};
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::columns::SampleId;
use crate::store::views;
use crate::vocabulary::{KeepingKind, Place};

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
        .post("/samples/{id}/undo-move", undo)
        .post("/samples/{id}/reinstate", reinstate)
        .post("/samples/{id}/keeping", ask)
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
    let (db, reader, code) = (services.db.clone(), services.reader(&permit.actor)?, code.code.trim().to_owned());
    let wanted = code.clone();
    let found = run(move || db.read(|conn| views::sample_by_number(conn, &reader, &wanted))).await?;
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
    let (db, reader, key) = (services.db.clone(), services.reader(actor)?, SampleId::from(id));
    let (services2, actor2) = (services.clone(), actor.clone());
    let (found, names, apart) = run(move || {
        db.read(|conn| {
            let found = views::sample(conn, &reader, &key)?;
            let mut asking = Asking { conn: &mut *conn, services: &services2, actor: &actor2 };
            let apart = found.as_ref().map(|one| of_sample(&mut asking, one)).transpose()?;
            let movers = found.iter().flat_map(|one| &one.ledger).map(|entry| &entry.moved_by);
            let receivers = found.iter().map(|one| &one.sample.received_by);
            let people: Vec<_> = movers.chain(receivers).collect();
            let names = views::names(conn, &people)?;
            Ok((found, names, apart))
        })
    })
    .await?;
    let found = found.ok_or_else(|| Refusal::not_found("样品", "sample", id))?;
    let holder = found.handovers.iter().rfind(|one| one.container_id.is_none()).map(|one| one.to_name.clone());
    let holder = holder.or_else(|| names.get(found.sample.received_by.as_str()).cloned());
    Ok(json!({"one": shown(&found)?, "names": names, "apart": apart, "holder": holder}))
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

/// On to the sample, or its page again with what was refused.
async fn moved<A: Action>(
    (may, page, services): (May<A>, Page, Data<Services>),
    (id, form): (Path<String>, Form),
    action: Result<A, Refusal>,
) -> Result<HttpResponse, Problem> {
    let done = match action {
        Ok(action) => send(&services, &may, &page, &form, action).await.map(|_| ()),
        Err(refusal) => Err(refusal.into()),
    };
    match done {
        Ok(()) => Ok(see_other(&format!("/samples/{id}"))),
        Err(problem) => {
            let content = content(&services, &may.actor, &id).await?;
            page.again("sample.html", content, Some(&Refused::new(form, problem)))
        }
    }
}

/// Within the laboratory: used up, or set aside.
async fn move_on(
    may: May<MoveContainers>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = || {
        let (from, to) = (form.word("from", Place::parse)?, form.word("to", Place::parse)?);
        let (quantity, reason) = (form.whole("quantity")?, form.text("reason"));
        Ok(MoveContainers { id: id.as_str().into(), from, to, quantity, reason })
    };
    let action = action();
    moved((may, page, services), (id, form), action).await
}

async fn give_back(
    may: May<ReturnContainers>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = || {
        let (from, quantity) = (form.word("from", Place::parse)?, form.whole("quantity")?);
        let (taken_by, receipt) = (form.opt("taken_by"), form.opt("receipt"));
        Ok(ReturnContainers { id: id.as_str().into(), from, quantity, reason: form.text("reason"), taken_by, receipt })
    };
    let action = action();
    moved((may, page, services), (id, form), action).await
}

async fn destroy(
    may: May<DestroyContainers>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = || {
        let (from, quantity) = (form.word("from", Place::parse)?, form.whole("quantity")?);
        Ok(DestroyContainers { id: id.as_str().into(), from, quantity, reason: form.text("reason") })
    };
    let action = action();
    moved((may, page, services), (id, form), action).await
}

/// A use, a return or a destruction that was recorded by mistake.
async fn undo(
    may: May<UndoMove>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (entry_id, reason) = (form.text("entry_id").into(), form.text("reason"));
    let action = UndoMove { id: id.as_str().into(), entry_id, reason };
    moved((may, page, services), (id, form), Ok(action)).await
}

/// A refusal that was recorded by mistake.
async fn reinstate(
    may: May<ReinstateSample>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = ReinstateSample { id: id.as_str().into(), reason: form.text("reason") };
    moved((may, page, services), (id, form), Ok(action)).await
}

/// The use of what is retained, or a destruction: somebody else decides about it.
async fn ask(
    may: May<AskKeeping>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = || {
        let (kind, from) = (form.word("kind", KeepingKind::parse)?, form.word("from", Place::parse)?);
        let quantity = form.whole("quantity")?;
        Ok(AskKeeping { id: id.as_str().into(), kind, from, quantity, reason: form.text("reason") })
    };
    let action = action();
    moved((may, page, services), (id, form), action).await
}
