//! 签发: drafts to review, reviewed ones to sign, and the register of all.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::form::Form;
use super::lists::{Pager, ROWS, institute, offset};
use super::page::{Page, Refused, file, see_other};
use crate::action::Services;
use crate::certificates::{self, Amend, CertificateView, Draft};
use crate::http::permit::permission::{
    CertificateDiscard, CertificateDraft, CertificateRead, CertificateReview, CertificateSign, CertificateWithdraw,
};
use crate::http::{Permit, Problem, Table, run};
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::CertificateId;
use crate::store::views::{self, CertificateFilter};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/certificates", register)
        .post("/certificates", draft)
        .get("/certificates/{id}", show)
        .get("/certificates/{id}/pdf", pdf)
        .post("/certificates/{id}/review", review)
        .post("/certificates/{id}/sign", sign)
        .post("/certificates/{id}/discard", discard)
        .post("/certificates/{id}/withdraw", withdraw)
        .post("/certificates/{id}/amend", amend)
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Filter {
    state: String,
    number: String,
    offset: String,
}

async fn register(
    permit: Permit<CertificateRead>,
    page: Page,
    services: Data<Services>,
    filter: Query<Filter>,
) -> Result<HttpResponse, Problem> {
    let content = register_content(&services, &permit.actor, &filter).await?;
    page.show("certificates.html", content)
}

async fn register_content(services: &Services, actor: &Actor, filter: &Filter) -> Result<Value, Problem> {
    let wanted = CertificateFilter {
        state: Some(filter.state.clone()).filter(|text| !text.is_empty()),
        kind: None,
        number: Some(filter.number.trim().to_owned()),
        limit: Some(ROWS),
        offset: Some(offset(&filter.offset)),
    };
    let (db, institute) = (services.db.clone(), institute(actor)?);
    let (awaiting, listed) = run(move || {
        db.read(|conn| {
            let listed = views::certificates(conn, Some(&institute), None, &wanted)?;
            Ok((views::awaiting_certificate(conn, &institute)?, listed))
        })
    })
    .await?;
    let fields = [("state", &*filter.state), ("number", &*filter.number)];
    let pager = Pager::new("/certificates", &fields, listed.total, offset(&filter.offset));
    Ok(json!({"awaiting": awaiting, "rows": listed.items, "pager": pager, "filter": filter}))
}

async fn draft(
    permit: Permit<CertificateDraft>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let new = Draft { sample_id: form.text("sample_id"), amends: None };
    let (services2, actor) = (services.clone(), permit.actor.clone());
    match run(move || certificates::draft(&services2, &actor, &new)).await {
        Ok(view) => Ok(see_other(&format!("/certificates/{}", view.id))),
        Err(problem) => {
            let content = register_content(&services, &permit.actor, &Filter::default()).await?;
            page.again("certificates.html", content, Some(&Refused::new(form, problem)))
        }
    }
}

async fn show(
    permit: Permit<CertificateRead>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let content = content(&services, &permit.actor, &id).await?;
    page.show("certificate.html", content)
}

async fn content(services: &Services, actor: &Actor, id: &str) -> Result<Value, Problem> {
    let (db, institute, key) = (services.db.clone(), institute(actor)?, CertificateId::from(id));
    let found = run(move || db.read(|conn| views::certificate(conn, &institute, &key))).await?;
    let found = found.ok_or_else(|| Refusal::not_found("证书", "certificate", id))?;
    let data = found.certificate.data.tree();
    let mut one = super::lists::unfolded(&found)?;
    one["certificate"]["data"] = Value::Null;
    Ok(json!({"one": one, "conclusion": data["conclusion"], "me": actor.account,
        "key": services.signing_key.is_some(), "public_url": services.site.public_url}))
}

/// The certificate as it will look, or as it was issued.
async fn pdf(
    permit: Permit<CertificateRead>,
    services: Data<Services>,
    id: Path<String>,
    keep: Query<Keep>,
) -> Result<HttpResponse, Problem> {
    let key = CertificateId::from(id.as_str());
    let bytes = run(move || certificates::preview(&services, &permit.actor, &key)).await?;
    let name = keep.name.clone().unwrap_or_else(|| id.to_string());
    Ok(file(bytes, "application/pdf", &format!("{name}.pdf"), keep.name.is_some()))
}

#[derive(Deserialize)]
struct Keep {
    name: Option<String>,
}

async fn act(
    actor: Actor,
    page: Page,
    services: Data<Services>,
    (id, form): (Path<String>, Form),
    work: impl FnOnce(&Services, &Actor, &CertificateId) -> Outcome<CertificateView> + Send + 'static,
) -> Result<HttpResponse, Problem> {
    let (services2, actor2, key) = (services.clone(), actor.clone(), CertificateId::from(id.as_str()));
    match run(move || work(&services2, &actor2, &key)).await {
        Ok(view) => Ok(see_other(&format!("/certificates/{}", view.id))),
        Err(problem) => {
            let content = content(&services, &actor, &id).await?;
            page.again("certificate.html", content, Some(&Refused::new(form, problem)))
        }
    }
}

async fn review(
    permit: Permit<CertificateReview>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    act(permit.actor, page, services, (id, form), certificates::review).await
}

/// The password is asked for again: whoever sits at a screen left open cannot sign.
async fn sign(
    permit: Permit<CertificateSign>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (password, meaning) = (form.raw("password"), form.text("meaning"));
    act(permit.actor, page, services, (id, form), move |services, actor, id| {
        let proof = services.identity.reauthenticate(actor, &password)?;
        certificates::issue(services, actor, proof, id, &meaning)
    })
    .await
}

async fn discard(
    permit: Permit<CertificateDiscard>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let reason = form.text("reason");
    let work = move |s: &Services, a: &Actor, id: &CertificateId| certificates::discard(s, a, id, &reason);
    act(permit.actor, page, services, (id, form), work).await
}

async fn withdraw(
    permit: Permit<CertificateWithdraw>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let reason = form.text("reason");
    let work = move |s: &Services, a: &Actor, id: &CertificateId| certificates::withdraw(s, a, id, &reason);
    act(permit.actor, page, services, (id, form), work).await
}

async fn amend(
    permit: Permit<CertificateDraft>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let sample_id = form.text("sample_id");
    let changes =
        form.text("changes").lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    let amends = Some(Amend { certificate_id: id.to_string(), reason: form.text("amends.reason"), changes });
    let new = Draft { sample_id, amends };
    let work = move |services: &Services, actor: &Actor, _: &CertificateId| certificates::draft(services, actor, &new);
    act(permit.actor, page, services, (id, form), work).await
}
