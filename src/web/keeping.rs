//! What is retained and due, requests about it with their approval and witness, and handing over by scan.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use chrono::{Datelike, Months, NaiveDate};
use serde::Deserialize;
use serde_json::json;

use super::form::Form;
use super::lists::shown;
use super::page::{Page, Refused, see_other, send};
use crate::action::{Action, Services};
use crate::cases;
use crate::custody::{ApproveKeeping, CarryOutKeeping, HandOver, HandedOver, RefuseKeeping, WitnessKeeping};
use crate::http::permit::permission::CustodyRead;
use crate::http::{May, Permit, Problem, Table, run};
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::views;
use crate::text;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/retention", list)
        .post("/keeping/{id}/approve", approve)
        .post("/keeping/{id}/refuse", refuse)
        .post("/keeping/{id}/carry-out", carry_out)
        .post("/keeping/{id}/witness", witness)
        .get("/handover", scan)
        .post("/handover", hand_over)
}

#[derive(Deserialize)]
struct Month {
    /// `YYYY-MM`
    #[serde(default)]
    month: String,
}

/// The last day of a month, and the month as it is written.
fn month_end(typed: &str, today: NaiveDate) -> Result<(NaiveDate, String), Refusal> {
    let typed = typed.trim();
    let first = if typed.is_empty() {
        today.with_day(1).unwrap_or(today)
    } else {
        text::date("month", &format!("{typed}-01"))?
    };
    let end = first.checked_add_months(Months::new(1)).and_then(|next| next.pred_opt()).unwrap_or(first);
    Ok((end, first.format("%Y-%m").to_string()))
}

async fn list(
    permit: Permit<CustodyRead>,
    page: Page,
    services: Data<Services>,
    month: Query<Month>,
) -> Result<HttpResponse, Problem> {
    show(&page, &services, &permit.actor, &month.month, None).await
}

async fn show(
    page: &Page,
    services: &Services,
    actor: &Actor,
    month: &str,
    refused: Option<&Refused>,
) -> Result<HttpResponse, Problem> {
    let today = crate::clock::statutory_date(services.clock.now());
    let (until, month) = month_end(month, today)?;
    let (own, who, reader) = (services.clone(), actor.clone(), services.reader(actor)?);
    let (due, requests) = run(move || {
        let due = cases::retention_due(&own, &who, until)?;
        let requests = own.db.read(|conn| views::keeping(conn, &reader, None))?;
        Ok((due, requests))
    })
    .await?;
    let content = json!({"due": shown(&due)?, "requests": shown(&requests)?, "month": month, "today": today,
        "me": actor.account});
    page.again("retention.html", content, refused)
}

/// On to the list, or the list again with what was refused.
async fn done<A: Action>(
    (may, page, services): (May<A>, Page, Data<Services>),
    form: Form,
    action: Result<A, Refusal>,
) -> Result<HttpResponse, Problem> {
    let sent = match action {
        Ok(action) => send(&services, &may, &page, &form, action).await.map(|_| ()),
        Err(refusal) => Err(refusal.into()),
    };
    match sent {
        Ok(()) => Ok(see_other("/retention")),
        Err(problem) => show(&page, &services, &may.actor, "", Some(&Refused::new(form, problem))).await,
    }
}

async fn approve(
    may: May<ApproveKeeping>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (password, code) = form.proof();
    let action = ApproveKeeping { id: id.as_str().into(), note: form.text("note"), password, code };
    done((may, page, services), form, Ok(action)).await
}

async fn refuse(
    may: May<RefuseKeeping>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = RefuseKeeping { id: id.as_str().into(), reason: form.text("reason") };
    done((may, page, services), form, Ok(action)).await
}

async fn carry_out(
    may: May<CarryOutKeeping>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = CarryOutKeeping { id: id.as_str().into(), record: form.text("record") };
    done((may, page, services), form, Ok(action)).await
}

async fn witness(
    may: May<WitnessKeeping>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (password, code) = form.proof();
    let action = WitnessKeeping { id: id.as_str().into(), note: form.text("note"), password, code };
    done((may, page, services), form, Ok(action)).await
}

async fn scan(_: May<HandOver>, page: Page) -> Result<HttpResponse, Problem> {
    page.show("handover.html", json!({"done": null}))
}

/// One scan after the other: the page comes back with the last one, and its field is empty again.
async fn hand_over(
    may: May<HandOver>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = HandOver { code: form.text("code"), to: form.opt("to"), note: form.text("note") };
    match send(&services, &may, &page, &form, action).await {
        Ok(HandedOver { sample_id, sample_number, from_name, to_name, .. }) => {
            let done = json!({"sample_id": sample_id, "number": sample_number, "from": from_name, "to": to_name});
            let mut kept = Form::default();
            kept.set("to", form.text("to"));
            page.filled("handover.html", json!({"done": done}), &kept)
        }
        Err(problem) => page.again("handover.html", json!({"done": null}), Some(&Refused::new(form, problem))),
    }
}
