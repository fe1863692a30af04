//! 签发: drafts to review, reviewed ones to sign, and the register of all.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::form::Form;
use super::lists::{Onward, ROWS};
use super::offered::{Asking, of_certificate};
use super::page::{Page, Refused, file, see_other, send};
use crate::action::{Action, Services};
use crate::certificates::{
    self, Amend, DiscardCertificate, DraftCertificate, ReviewCertificate, SignCertificate, WithdrawCertificate,
};
use crate::http::permit::permission::CertificateRead;
use crate::http::{May, Permit, Problem, Table, run};
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::columns::CertificateId;
use crate::store::views::{self, CertificateFilter, CertificateView};
use crate::vocabulary::{CertificateState, IssueMeaning};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/certificates", register)
        .post("/certificates", draft)
        .get("/certificates/{id}", show)
        .get("/certificates/{id}/pdf", pdf)
        .get("/certificates/{id}/internal-copy", internal_copy)
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
    after: String,
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
        state: CertificateState::parse(&filter.state),
        number: Some(filter.number.trim().to_owned()),
        limit: Some(ROWS),
        after: Some(filter.after.clone()),
        ..CertificateFilter::default()
    };
    let (db, reader) = (services.db.clone(), services.reader(actor)?);
    let (awaiting, listed) = run(move || {
        db.read(|conn| {
            let listed = views::certificates(conn, &reader, &wanted)?;
            Ok((views::awaiting_certificate(conn, &reader, None)?, listed))
        })
    })
    .await?;
    let fields = [("state", &*filter.state), ("number", &*filter.number)];
    let onward = Onward::new("/certificates", &fields, &filter.after, &listed);
    Ok(json!({"awaiting": awaiting, "rows": listed.items, "onward": onward, "filter": filter}))
}

async fn draft(
    may: May<DraftCertificate>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = DraftCertificate { sample_id: form.text("sample_id").into(), amends: None };
    match send(&services, &may, &page, &form, action).await {
        Ok(view) => Ok(see_other(&format!("/certificates/{}", view.id))),
        Err(problem) => {
            let content = register_content(&services, &may.actor, &Filter::default()).await?;
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
    let (db, reader, key) = (services.db.clone(), services.reader(actor)?, CertificateId::from(id));
    let (services2, actor2) = (services.clone(), actor.clone());
    let (found, why, signatures) = run(move || {
        db.read(|conn| {
            let found = views::certificate(conn, &reader, &key)?;
            let state = found.as_ref().map(|one| one.certificate.state);
            let mut asking = Asking { conn: &mut *conn, services: &services2, actor: &actor2 };
            let why = of_certificate(&mut asking, &key, state)?;
            let signatures = views::signatures(conn, &reader, "certificate", &[key.as_str()])?;
            Ok((found, why, signatures))
        })
    })
    .await?;
    let mut found = found.ok_or_else(|| Refusal::not_found("证书", "certificate", id))?;
    // Of the content, which the document beside shows, the page has the conclusion only.
    let conclusion = found.certificate.data.take()["conclusion"].take();
    Ok(json!({"one": found, "conclusion": conclusion, "me": actor.account, "key": services.signing_key.is_some(),
        "public_url": services.site.public_url, "signatures": signatures,
        "apart": why}))
}

/// The laboratory's own copy.
async fn internal_copy(
    permit: Permit<CertificateRead>,
    services: Data<Services>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let key = CertificateId::from(id.as_str());
    let bytes = run(move || certificates::internal_copy(&services, &permit.actor, &key)).await?;
    Ok(file(bytes, "application/pdf", &format!("{id}-internal.pdf"), false))
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

/// On to the certificate that was made or changed, or the page again with what was refused.
async fn done<A: Action<Done = CertificateView>>(
    (may, page, services): (May<A>, Page, Data<Services>),
    (id, form): (Path<String>, Form),
    action: Result<A, Refusal>,
) -> Result<HttpResponse, Problem> {
    let done = match action {
        Ok(action) => send(&services, &may, &page, &form, action).await,
        Err(refusal) => Err(refusal.into()),
    };
    match done {
        Ok(view) => Ok(see_other(&format!("/certificates/{}", view.id))),
        Err(problem) => {
            let content = content(&services, &may.actor, &id).await?;
            page.again("certificate.html", content, Some(&Refused::new(form, problem)))
        }
    }
}

async fn review(
    may: May<ReviewCertificate>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (password, code) = form.proof();
    let action = ReviewCertificate { id: id.as_str().into(), password, code };
    done((may, page, services), (id, form), Ok(action)).await
}

/// The password is asked for again: whoever sits at a screen left open cannot sign.
async fn sign(
    may: May<SignCertificate>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let meaning = form.word("meaning", IssueMeaning::parse);
    let (password, code) = form.proof();
    let action = meaning.map(|meaning| SignCertificate { id: id.as_str().into(), password, code, meaning });
    done((may, page, services), (id, form), action).await
}

async fn discard(
    may: May<DiscardCertificate>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = DiscardCertificate { id: id.as_str().into(), reason: form.text("reason") };
    done((may, page, services), (id, form), Ok(action)).await
}

async fn withdraw(
    may: May<WithdrawCertificate>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (password, code) = form.proof();
    let action = WithdrawCertificate { id: id.as_str().into(), reason: form.text("reason"), password, code };
    done((may, page, services), (id, form), Ok(action)).await
}

async fn amend(
    may: May<DraftCertificate>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let typed = form.text("changes");
    let changes = typed.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    let (certificate_id, reason) = (id.as_str().into(), form.text("amends.reason"));
    let amends = Some(Amend { certificate_id, reason, changes });
    let action = DraftCertificate { sample_id: form.text("sample_id").into(), amends };
    done((may, page, services), (id, form), Ok(action)).await
}
