//! 更正: what is said to be wrong on record, what was decided, and which certificates are yet to be amended.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::Deserialize;
use serde_json::{Value, json};

use super::form::Form;
use super::page::{Page, Refused, see_other, send};
use crate::action::Services;
use crate::corrections::{self, DecideCorrection, ProposeCorrection};
use crate::http::permit::permission::CorrectionRead;
use crate::http::{May, Permit, Problem, Table, run};
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::views::{self, CorrectionFilter, RecordCorrectionView};
use crate::vocabulary::{CorrectionOutcome, CorrectionSubject};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/corrections", list)
        .get("/corrections/new", new)
        .post("/corrections", propose)
        .post("/corrections/{id}/decision", decide)
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    all: String,
    application_id: String,
}

async fn list(
    permit: Permit<CorrectionRead>,
    page: Page,
    services: Data<Services>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Problem> {
    show(&permit.actor, &page, &services, &asked, None).await
}

async fn show(
    actor: &Actor,
    page: &Page,
    services: &Services,
    asked: &Asked,
    refused: Option<&Refused>,
) -> Result<HttpResponse, Problem> {
    let (db, reader) = (services.db.clone(), services.reader(actor)?);
    let case = Some(asked.application_id.as_str()).filter(|id| !id.is_empty());
    let all = !asked.all.is_empty() || case.is_some();
    let filter =
        CorrectionFilter { application_id: case.map(Into::into), open: Some(!all), ..CorrectionFilter::default() };
    let found = run(move || db.read(|conn| views::corrections(conn, &reader, &filter))).await?;
    let rows = found.iter().map(|one| row(services, one)).collect::<Result<Vec<_>, _>>()?;
    let institute = actor.institute.as_ref().map(ToString::to_string);
    page.again("corrections.html", json!({"rows": rows, "all": all, "institute": institute}), refused)
}

/// A correction with the names of its field.
fn row(services: &Services, one: &RecordCorrectionView) -> Result<Value, Problem> {
    let mut tree = super::lists::shown(one)?;
    let named = corrections::field_named(&services.lines, one.subject, &one.field);
    tree["field_zh"] = json!(named.map_or(one.field.as_str(), |field| field.zh));
    tree["field_en"] = json!(named.map_or(one.field.as_str(), |field| field.en));
    Ok(tree)
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Of {
    subject: String,
    id: String,
}

async fn new(
    may: May<ProposeCorrection>,
    page: Page,
    services: Data<Services>,
    of: Query<Of>,
) -> Result<HttpResponse, Problem> {
    form_of(&may.actor, &page, &services, &of, None).await
}

/// The form for one thing, with what is on record of it.
async fn form_of(
    actor: &Actor,
    page: &Page,
    services: &Services,
    of: &Of,
    refused: Option<&Refused>,
) -> Result<HttpResponse, Problem> {
    // Without a thing it is the institute itself.
    let (subject, id) = match (of.subject.as_str(), &actor.institute) {
        ("", Some(own)) => (CorrectionSubject::Institute, own.to_string()),
        (word, _) => (crate::text::word("subject", word, CorrectionSubject::parse)?, of.id.clone()),
    };
    let (again, actor, at) = (services.clone(), actor.clone(), id.clone());
    let fields = run(move || again.db.read(|conn| corrections::recorded(conn, &again, &actor, subject, &at))).await?;
    page.again("correction_new.html", json!({"subject": subject, "id": id, "fields": fields}), refused)
}

async fn propose(
    may: May<ProposeCorrection>,
    page: Page,
    services: Data<Services>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let of = Of { subject: form.text("subject"), id: form.text("subject_id") };
    let action = form.word("subject", CorrectionSubject::parse).map(|subject| ProposeCorrection {
        subject,
        subject_id: of.id.clone(),
        field: form.text("field"),
        new_value: form.text("new_value"),
        reason: form.text("reason"),
        evidence: form.text("evidence"),
    });
    let done = match action {
        Ok(action) => send(&services, &may, &page, &form, action).await.map(|_| ()),
        Err(refusal) => Err(refusal.into()),
    };
    match done {
        Ok(()) => Ok(see_other("/corrections")),
        Err(problem) => form_of(&may.actor, &page, &services, &of, Some(&Refused::new(form, problem))).await,
    }
}

async fn decide(
    may: May<DecideCorrection>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let (password, code) = form.proof();
    let action: Result<DecideCorrection, Refusal> = form
        .word("outcome", CorrectionOutcome::parse)
        .map(|outcome| DecideCorrection { id: id.as_str().into(), outcome, note: form.text("note"), password, code });
    let done = match action {
        Ok(action) => send(&services, &may, &page, &form, action).await.map(|_| ()),
        Err(refusal) => Err(refusal.into()),
    };
    match done {
        Ok(()) => Ok(see_other("/corrections")),
        Err(problem) => {
            let refused = Refused::new(form, problem);
            show(&may.actor, &page, &services, &Asked::default(), Some(&refused)).await
        }
    }
}
