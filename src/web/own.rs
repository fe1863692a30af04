//! One's own sessions and second factor.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde_json::json;

use super::form::Form;
use super::labels::symbol;
use super::page::{Page, Refused, see_other, send};
use crate::accounts::{ConfirmSecondFactor, EndSession, OfferSecondFactor};
use crate::action::{Action, Services};
use crate::http::permit::permission::OwnSessionEnd;
use crate::http::{AnyAccount, May, Permit, Problem, Table, run};
use crate::people::{Authenticated, DutyFirst};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/sessions", sessions)
        .post("/sessions/{id}/end", end_session)
        .get("/second-factor", second_factor)
        .post("/second-factor", offer)
        .post("/second-factor/confirm", confirm)
}

async fn sessions(gate: Permit<OwnSessionEnd>, page: Page, services: Data<Services>) -> Result<HttpResponse, Problem> {
    let (identity, idle) = (services.identity.clone(), services.identity.rules().idle.num_minutes());
    let who = Authenticated { actor: gate.actor, session: gate.session, due: None };
    let found = run(move || identity.own_sessions(&who)).await?;
    page.show("sessions.html", json!({"sessions": found, "idle": idle}))
}

async fn end_session(
    may: May<EndSession>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    send(&services, &may, &page, &form, EndSession { id: id.clone() }).await?;
    Ok(see_other("/sessions"))
}

async fn second_factor(gate: AnyAccount, page: Page, services: Data<Services>) -> Result<HttpResponse, Problem> {
    show(&page, &services, gate.authenticated(), None).await
}

async fn show(
    page: &Page,
    services: &Services,
    who: Authenticated,
    refused: Option<&Refused>,
) -> Result<HttpResponse, Problem> {
    let (identity, due) = (services.identity.clone(), who.due == Some(DutyFirst::SecondFactor));
    let found = run(move || identity.own_second_factor(&who)).await?;
    let picture = found.address.as_deref().map(symbol).transpose()?;
    page.again("second_factor.html", json!({"factor": found, "picture": picture, "due": due}), refused)
}

/// Back to the page, or the page again with what was refused.
async fn sent<A: Action>(
    (may, page, services): (May<A>, Page, Data<Services>),
    form: Form,
    action: A,
) -> Result<HttpResponse, Problem> {
    match send(&services, &may, &page, &form, action).await {
        Ok(_) => Ok(see_other("/second-factor")),
        Err(problem) => {
            let who = Authenticated { actor: may.actor, session: may.session, due: None };
            show(&page, &services, who, Some(&Refused::new(form, problem))).await
        }
    }
}

async fn offer(
    may: May<OfferSecondFactor>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = OfferSecondFactor { password: form.raw("password").into() };
    sent((may, page, services), form, action).await
}

async fn confirm(
    may: May<ConfirmSecondFactor>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = ConfirmSecondFactor { code: form.text("code") };
    sent((may, page, services), form, action).await
}
