//! Cases: the list, and one case with its determination and everything under it.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::desk::{in_sample_form, samples};
use super::form::Form;
use super::lists::{Onward, ROWS, shown};
use super::offered::{Asking, of_ended};
use super::page::{Page, Refused, see_other, send};
use super::rules;
use crate::action::{Action, Services};
use crate::business::{COMMON, Field};
use crate::cases::{
    AcceptCase, ReceiveSamples, RecordDates, RefuseCase, ReinstateBatch, ReinstateCase, VoidCase, WithdrawBatch,
    WithdrawCase,
};
use crate::certificates::{CertificateRefusal, ReviewProtocol};
use crate::http::permit::permission::CaseRead;
use crate::http::{May, Permit, Problem, Table, run};
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::columns::{ApplicationId, SampleId};
use crate::store::views::{self, CaseDetail, CaseFilter};
use crate::text::{TypedDate, date_opt};
use crate::vocabulary::{Business, CaseState, ProtocolOutcome, SampleState};

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
        .post("/cases/{id}/withdraw-batch", withdraw_batch)
        .post("/cases/{id}/protocol", review_protocol)
        .post("/cases/{id}/void", void)
        .post("/cases/{id}/reinstate", reinstate)
        .post("/cases/{id}/reinstate-batch", reinstate_batch)
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Filter {
    state: String,
    business: String,
    number: String,
    after: String,
}

async fn list(
    permit: Permit<CaseRead>,
    page: Page,
    services: Data<Services>,
    filter: Query<Filter>,
) -> Result<HttpResponse, Problem> {
    let filter = filter.into_inner();
    let wanted = CaseFilter {
        state: CaseState::parse(&filter.state),
        business: Business::parse(&filter.business),
        number: Some(filter.number.trim().to_owned()),
        limit: Some(ROWS),
        after: Some(filter.after.clone()),
        offset: None,
    };
    let (db, reader) = (services.db.clone(), services.reader(&permit.actor)?);
    let listed = run(move || db.read(|conn| views::cases(conn, &reader, &wanted))).await?;
    let fields = [("state", &*filter.state), ("business", &*filter.business), ("number", &*filter.number)];
    let pager = Onward::new("/cases", &fields, &filter.after, &listed);
    page.show("cases.html", json!({"rows": listed.items, "onward": pager, "filter": filter}))
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
    let mut content = content(&services, &permit.actor, &id).await?;
    content["done"] = json!(done.done);
    page.show("case.html", content)
}

/// The case as the reader sees it.
async fn content(services: &Services, actor: &Actor, id: &str) -> Result<Value, Problem> {
    let (db, reader, key) = (services.db.clone(), services.reader(actor)?, ApplicationId::from(id));
    let (services2, actor2) = (services.clone(), actor.clone());
    let (found, awaiting, apart) = run(move || {
        db.read(|conn| {
            let found = views::case(conn, &reader, &key)?;
            let mut asking = Asking { conn: &mut *conn, services: &services2, actor: &actor2 };
            let ended = found.as_ref().map(|case| of_ended(&mut asking, &key, case.application.state));
            let apart = ended.transpose()?;
            Ok((found, views::awaiting_certificate(conn, &reader, Some(&key))?, apart))
        })
    })
    .await?;
    let case = found.ok_or_else(|| Refusal::not_found("申请", "application", id))?;
    let ready: Vec<SampleId> = awaiting.into_iter().map(|one| one.sample_id).collect();
    let line = services.lines.of(case.application.business)?;
    let state = case.application.state;
    let steps: Vec<&str> =
        line.steps().iter().filter(|step| step.during.contains(&state)).map(|step| step.action).collect();
    let ways = json!({
        "protocols": line.reviews_protocols(),
        "receiving": CaseState::RECEIVING.contains(&state),
        "endable": CaseState::ENDABLE.contains(&state),
        "ended": CaseState::ENDED.contains(&state),
        "steps": steps,
    });
    let (lots, tree) = (missing(&case), shown(&case)?);
    let fields: Vec<&Field> = line.particulars().iter().chain(COMMON).collect();
    let cited = rules::cited_in(&services.regulation, &tree);
    Ok(json!({
        "case": tree, "cited": cited, "done": null, "lots": lots, "ready": ready, "ways": ways, "apart": apart,
        "fields": fields, "dates": line.dates(), "ticks": line.ticks(),
    }))
}

/// On to the case, or the case again with what was refused.
async fn acted<A: Action>(
    (may, page, services): (May<A>, Page, Data<Services>),
    (id, form): (Path<String>, Form),
    action: Result<A, Refusal>,
) -> Result<HttpResponse, Problem> {
    let done = match action {
        Ok(action) => send(&services, &may, &page, &form, action).await.map(|_| ()),
        Err(refusal) => Err(refusal.into()),
    };
    match done {
        Ok(()) => Ok(see_other(&format!("/cases/{id}"))),
        Err(problem) => {
            let content = content(&services, &may.actor, &id).await?;
            page.again("case.html", content, Some(&Refused::new(form, problem)))
        }
    }
}

async fn accept(
    may: May<AcceptCase>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = AcceptCase { id: id.as_str().into(), despite_duplicate: form.opt("despite_duplicate") };
    acted((may, page, services), (id, form), Ok(action)).await
}

async fn dates(
    may: May<RecordDates>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let date = |field: &str| date_opt(field, form.opt(field).as_deref()).map(|day| day.map(TypedDate));
    let action = || {
        Ok(RecordDates {
            id: id.as_str().into(),
            arrived_at_port_on: date("arrived_at_port_on")?,
            notice_received_on: date("notice_received_on")?,
            sampled_on: date("sampled_on")?,
        })
    };
    let action = action();
    acted((may, page, services), (id, form), action).await
}

async fn receive_page(
    may: May<ReceiveSamples>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let content = content(&services, &may.actor, &id).await?;
    let mut form = Form::default();
    let lots = content["lots"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (index, lot) in lots.iter().enumerate() {
        let at = |field: &str| format!("samples[{index}].{field}");
        form.set(&at("lot_number"), lot.as_str().unwrap_or_default());
        for (field, value) in
            [("packages", "1"), ("seals_intact", "1"), ("packages_intact", "1"), ("label_matches", "1")]
        {
            form.set(&at(field), value);
        }
    }
    page.filled("receive.html", content, &form)
}

/// The lots of which no sample was received yet.
fn missing(case: &CaseDetail) -> Vec<String> {
    let received = |batch: &&views::CaseBatch| {
        case.samples.iter().any(|sample| sample.batch_id == batch.id && sample.state == SampleState::Received)
    };
    let comes = |batch: &&views::CaseBatch| !received(batch) && batch.withdrawn_at.is_none();
    case.batches.iter().filter(comes).map(|batch| batch.lot_number.clone()).collect()
}

async fn receive(
    may: May<ReceiveSamples>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (found, at) = samples(&form, "samples", None);
    let done = match found {
        Ok(samples) => {
            let action = ReceiveSamples { id: id.as_str().into(), samples };
            send(&services, &may, &page, &form, action)
                .await
                .map_err(|problem| in_sample_form(problem, &form, "samples", &at))
        }
        Err(refusal) => Err(refusal.into()),
    };
    match done {
        Ok(_) => Ok(see_other(&format!("/cases/{id}?done=taken"))),
        Err(problem) => {
            let content = content(&services, &may.actor, &id).await?;
            page.again("receive.html", content, Some(&Refused::new(form, problem)))
        }
    }
}

async fn refuse(
    may: May<RefuseCase>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = RefuseCase { id: id.as_str().into(), reason: form.text("reason") };
    acted((may, page, services), (id, form), Ok(action)).await
}

async fn withdraw(
    may: May<WithdrawCase>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = WithdrawCase { id: id.as_str().into(), reason: form.text("reason") };
    acted((may, page, services), (id, form), Ok(action)).await
}

async fn withdraw_batch(
    may: May<WithdrawBatch>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action =
        WithdrawBatch { id: id.as_str().into(), lot_number: form.text("lot_number"), reason: form.text("reason") };
    acted((may, page, services), (id, form), Ok(action)).await
}

async fn review_protocol(
    may: May<ReviewProtocol>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (password, code) = form.proof();
    let outcome =
        ProtocolOutcome::parse(&form.text("outcome")).ok_or_else(|| Refusal::from(CertificateRefusal::OutcomeUnsaid));
    let action = outcome.map(|outcome| ReviewProtocol {
        id: form.text("sample_id").into(),
        protocol_number: form.text("protocol_number"),
        outcome,
        note: form.text("note"),
        password,
        code,
    });
    acted((may, page, services), (id, form), action).await
}

async fn reinstate(
    may: May<ReinstateCase>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = ReinstateCase { id: id.as_str().into(), reason: form.text("reason") };
    acted((may, page, services), (id, form), Ok(action)).await
}

async fn reinstate_batch(
    may: May<ReinstateBatch>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (lot_number, reason) = (form.text("lot_number"), form.text("reason"));
    let action = ReinstateBatch { id: id.as_str().into(), lot_number, reason };
    acted((may, page, services), (id, form), Ok(action)).await
}

async fn void(
    may: May<VoidCase>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = VoidCase { id: id.as_str().into(), reason: form.text("reason") };
    acted((may, page, services), (id, form), Ok(action)).await
}
