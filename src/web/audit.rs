//! The trail: who did what, to one thing or to all, and whether its seals hold.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::lists::offset;
use super::page::Page;
use crate::action::Services;
use crate::http::permit::permission::{AuditRead, AuditVerify};
use crate::http::{Permit, Problem, Table, run};
use crate::record::{Actor, Entries, Report, TrailFilter, trail};
use crate::store::columns::Instant;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default().get("/audit", list).get("/audit/verification", verification)
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Filter {
    subject_kind: String,
    subject_id: String,
    actor: String,
    action: String,
    before: String,
}

async fn list(
    gate: Permit<AuditRead>,
    page: Page,
    services: Data<Services>,
    filter: Query<Filter>,
) -> Result<HttpResponse, Problem> {
    show(&gate.actor, &page, &services, filter.into_inner(), None).await
}

async fn verification(
    gate: Permit<AuditVerify>,
    page: Page,
    services: Data<Services>,
) -> Result<HttpResponse, Problem> {
    let sealer = services.sealer.clone();
    let report = run(move || sealer.verify()).await?;
    show(&gate.actor, &page, &services, Filter::default(), Some(report)).await
}

async fn show(
    actor: &Actor,
    page: &Page,
    services: &Services,
    filter: Filter,
    report: Option<Report>,
) -> Result<HttpResponse, Problem> {
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let wanted = TrailFilter {
        subject_kind: given(&filter.subject_kind),
        subject_id: given(&filter.subject_id),
        actor: given(&filter.actor),
        action: given(&filter.action),
        before: Some(offset(&filter.before)).filter(|before| *before > 0),
        ..TrailFilter::default()
    };
    let db = services.db.clone();
    let whose = Entries::for_actor(actor)?;
    let found = run(move || trail(&db, &whose, &wanted)).await?;
    let checked = services.sealer.checked();
    let checked = checked.map(|last| json!({"at": Instant::from(last.at), "report": last.report}));
    page.show("audit.html", json!({"found": found, "filter": filter, "report": report, "checked": checked}))
}
