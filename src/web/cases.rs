//! Cases: the list, and one case with its determination and everything under it.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::desk::{in_sample_form, samples};
use super::form::Form;
use super::lists::{Pager, ROWS, institute, offset, unfolded};
use super::page::{Page, Refused, see_other};
use super::rules;
use crate::action::Services;
use crate::cases::{self, Ending, LaterDates, Receipt};
use crate::http::permit::permission::{CaseAccept, CaseRead, CaseRefuse, CaseVoid, CaseWithdraw, SampleReceive};
use crate::http::{Permit, Problem, Table, run};
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::columns::ApplicationId;
use crate::store::views::{self, CaseFilter};
use crate::vocabulary::Permission;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/cases", list)
        .get("/cases/{id}", show)
        .post("/cases/{id}/accept", accept)
        .post("/cases/{id}/dates", dates)
        .get("/cases/{id}/receive", receive_page)
        .post("/cases/{id}/receive", receive)
        .post("/cases/{id}/refuse", refuse)
        .post("/cases/{id}/withdraw", withdraw)
        .post("/cases/{id}/void", void)
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Filter {
    state: String,
    business: String,
    number: String,
    offset: String,
}

async fn list(
    permit: Permit<CaseRead>,
    page: Page,
    services: Data<Services>,
    filter: Query<Filter>,
) -> Result<HttpResponse, Problem> {
    let (filter, institute) = (filter.into_inner(), institute(&permit.actor)?);
    let wanted = CaseFilter {
        state: Some(filter.state.clone()).filter(|text| !text.is_empty()),
        business: Some(filter.business.clone()),
        number: Some(filter.number.trim().to_owned()),
        limit: Some(ROWS),
        offset: Some(offset(&filter.offset)),
    };
    let db = services.db.clone();
    let mut listed = run(move || db.read(|conn| views::cases(conn, Some(&institute), None, &wanted))).await?;
    if !page.may(Permission::ApplicantRead) {
        listed.items.iter_mut().for_each(|row| row.applicant.clear());
    }
    let fields = [("state", &*filter.state), ("business", &*filter.business), ("number", &*filter.number)];
    let pager = Pager::new("/cases", &fields, listed.total, offset(&filter.offset));
    page.show("cases.html", json!({"rows": listed.items, "pager": pager, "filter": filter}))
}

#[derive(Deserialize)]
struct Done {
    done: Option<String>,
}

async fn show(
    permit: Permit<CaseRead>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    done: Query<Done>,
) -> Result<HttpResponse, Problem> {
    let mut content = content(&page, &services, &permit.actor, &id).await?;
    content["done"] = json!(done.done);
    page.show("case.html", content)
}

/// The case without what the reader may not see: those who test do not know for whom.
async fn content(page: &Page, services: &Services, actor: &Actor, id: &str) -> Result<Value, Problem> {
    let (db, institute, key) = (services.db.clone(), institute(actor)?, ApplicationId::from(id));
    let found = run(move || db.read(|conn| views::case(conn, Some(&institute), None, &key))).await?;
    let found = found.ok_or_else(|| Refusal::not_found("申请", "application", id))?;
    let mut case = unfolded(&found)?;
    if let Some(list) = case["certificates"].as_array_mut() {
        list.iter_mut().for_each(|row| row["data"] = Value::Null);
    }
    if !page.may(Permission::CertificateRead) {
        case["certificates"] = json!([]);
    }
    if !page.may(Permission::ApplicantRead) {
        case["applicant"] = Value::Null;
        case["application"]["applicant_id"] = Value::Null;
        case["application"]["particulars"] = json!({});
    }
    case["application"]["determination"] = Value::Null;
    let cited = rules::cited_in(&services.regulation, &case);
    Ok(json!({"case": case, "cited": cited, "done": null}))
}

/// Back to the case, or the case again with what was refused.
async fn answer(
    page: &Page,
    services: &Services,
    actor: &Actor,
    (id, form): (&str, Form),
    outcome: Result<(), Problem>,
) -> Result<HttpResponse, Problem> {
    match outcome {
        Ok(()) => Ok(see_other(&format!("/cases/{id}"))),
        Err(problem) => {
            let content = content(page, services, actor, id).await?;
            page.again("case.html", content, Some(&Refused::new(form, problem)))
        }
    }
}

async fn accept(
    permit: Permit<CaseAccept>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (services2, actor, key) = (services.clone(), permit.actor.clone(), ApplicationId::from(id.as_str()));
    let done = run(move || cases::accept(&services2, &actor, &key).map(|_| ())).await;
    answer(&page, &services, &permit.actor, (&id, form), done).await
}

async fn dates(
    permit: Permit<CaseAccept>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let new = LaterDates {
        arrived_at_port_on: form.opt("arrived_at_port_on"),
        notice_received_on: form.opt("notice_received_on"),
        sampled_on: form.opt("sampled_on"),
    };
    let (services2, actor, key) = (services.clone(), permit.actor.clone(), ApplicationId::from(id.as_str()));
    let done = run(move || cases::record_dates(&services2, &actor, &key, &new).map(|_| ())).await;
    answer(&page, &services, &permit.actor, (&id, form), done).await
}

async fn receive_page(
    permit: Permit<SampleReceive>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let content = content(&page, &services, &permit.actor, &id).await?;
    let mut form = Form::default();
    for (index, lot) in missing(&content).iter().enumerate() {
        let at = |field: &str| format!("samples[{index}].{field}");
        form.set(&at("lot_number"), lot.clone());
        for (field, value) in
            [("packages", "1"), ("seals_intact", "1"), ("packages_intact", "1"), ("label_matches", "1")]
        {
            form.set(&at(field), value);
        }
    }
    page.filled("receive.html", receiving(content), &form)
}

/// The lots of which no sample was received yet.
fn missing(content: &Value) -> Vec<String> {
    let list = |name: &str| content["case"][name].as_array().cloned().unwrap_or_default();
    let received = list("samples");
    let has = |batch: &Value| {
        received.iter().any(|sample| sample["batch_id"] == batch["id"] && sample["state"] == "received")
    };
    let lots = list("batches").into_iter().filter(|batch| !has(batch));
    lots.filter_map(|batch| batch["lot_number"].as_str().map(str::to_owned)).collect()
}

fn receiving(mut content: Value) -> Value {
    content["lots"] = json!(missing(&content));
    content
}

async fn receive(
    permit: Permit<SampleReceive>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (samples, at) = samples(&form, "samples", None);
    let receipt = Receipt { samples };
    let (services2, actor, key) = (services.clone(), permit.actor.clone(), ApplicationId::from(id.as_str()));
    match run(move || cases::receive(&services2, &actor, &key, &receipt)).await {
        Ok(_) => Ok(see_other(&format!("/cases/{id}?done=taken"))),
        Err(problem) => {
            let content = content(&page, &services, &permit.actor, &id).await?;
            let problem = in_sample_form(problem, &form, "samples", &at);
            page.again("receive.html", receiving(content), Some(&Refused::new(form, problem)))
        }
    }
}

async fn end(
    how: &'static str,
    actor: Actor,
    page: Page,
    services: Data<Services>,
    (id, form): (Path<String>, Form),
) -> Result<HttpResponse, Problem> {
    let new = Ending { how: how.to_owned(), reason: form.text("reason") };
    let (services2, actor2, key) = (services.clone(), actor.clone(), ApplicationId::from(id.as_str()));
    let done = run(move || cases::end(&services2, &actor2, &key, &new)).await;
    answer(&page, &services, &actor, (&id, form), done).await
}

async fn refuse(
    permit: Permit<CaseRefuse>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    end("refuse", permit.actor, page, services, (id, form)).await
}

async fn withdraw(
    permit: Permit<CaseWithdraw>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    end("withdraw", permit.actor, page, services, (id, form)).await
}

async fn void(
    permit: Permit<CaseVoid>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    end("void", permit.actor, page, services, (id, form)).await
}
