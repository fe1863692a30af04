//! `/api/v1/audit`: reading and verifying the trail.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi};

use crate::action::Services;
use crate::http::permit::Permit;
use crate::http::permit::permission::{AuditRead, AuditVerify};
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::run::answer;
use crate::http::table::Table;
use crate::record::{Entries, Report, TrailFilter, TrailPage, trail};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default().get("/api/v1/audit", list).get("/api/v1/audit/verification", verification)
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(list, verification))]
pub struct Docs;

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// The kind of thing, e.g. `sample`.
    subject_kind: Option<String>,
    /// Its id.
    subject_id: Option<String>,
    /// A user name.
    actor: Option<String>,
    /// An action, e.g. `sample.receive`.
    action: Option<String>,
    /// Not before.
    from: Option<DateTime<Utc>>,
    /// Before.
    to: Option<DateTime<Utc>>,
    /// The `next` of the page before.
    before: Option<i64>,
    /// Entries a page, at most 200.
    limit: Option<i64>,
}

/// The institute's own entries of the trail, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(Filter), responses(
    (status = 200, body = TrailPage), (status = 403, body = ProblemDocument)))]
async fn list(
    gate: Permit<AuditRead>,
    services: Data<Services>,
    filter: Query<Filter>,
) -> Result<HttpResponse, Problem> {
    let filter = filter.into_inner();
    let filter = TrailFilter {
        subject_kind: filter.subject_kind,
        subject_id: filter.subject_id,
        actor: filter.actor,
        action: filter.action,
        from: filter.from.map(Into::into),
        to: filter.to.map(Into::into),
        before: filter.before,
        limit: filter.limit,
    };
    let db = services.db.clone();
    answer(move || trail(&db, &Entries::for_actor(&gate.actor)?, &filter)).await
}

/// Recompute every seal; the first entry that does not fit is named.
#[utoipa::path(get, path = "/api/v1/audit/verification", tag = "audit", responses(
    (status = 200, body = Report), (status = 403, body = ProblemDocument)))]
async fn verification(_: Permit<AuditVerify>, services: Data<Services>) -> Result<HttpResponse, Problem> {
    let sealer = services.sealer.clone();
    answer(move || sealer.verify()).await
}
