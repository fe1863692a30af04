//! `/api/v1`: what is retained and until when, requests about it, and hand-overs from person to person.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::{Data, Query};
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi};

use crate::action::Services;
use crate::cases::{self, RetentionDue};
use crate::custody::{ApproveKeeping, AskKeeping, CarryOutKeeping, HandOver, RefuseKeeping, WitnessKeeping};
use crate::http::permit::Permit;
use crate::http::permit::permission::CustodyRead;
use crate::http::problem::Problem;
use crate::http::run::answer;
use crate::http::table::Table;
use crate::store::views::{self, KeepingView};
use crate::text;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/api/v1/retention", due)
        .get("/api/v1/keeping-requests", requests)
        .makes::<AskKeeping>(Method::POST, "/api/v1/samples/{id}/keeping")
        .does::<ApproveKeeping>(Method::POST, "/api/v1/keeping-requests/{id}/approve")
        .does::<RefuseKeeping>(Method::POST, "/api/v1/keeping-requests/{id}/refuse")
        .does::<CarryOutKeeping>(Method::POST, "/api/v1/keeping-requests/{id}/carry-out")
        .does::<WitnessKeeping>(Method::POST, "/api/v1/keeping-requests/{id}/witness")
        .makes::<HandOver>(Method::POST, "/api/v1/handovers")
}

/// The description of what is read.
#[derive(OpenApi)]
#[openapi(paths(due, requests))]
pub struct Docs;

/// Until when.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct DueFilter {
    /// The last day, `YYYY-MM-DD`; without it, today
    pub until: Option<String>,
}

#[utoipa::path(get, path = "/api/v1/retention", tag = "custody", params(DueFilter),
    responses((status = 200, body = RetentionDue, description = "留样到期 retained portions whose period ends by that day")))]
async fn due(
    gate: Permit<CustodyRead>,
    services: Data<Services>,
    filter: Query<DueFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let until = text::date_opt("until", filter.until.as_deref())?;
        let until = until.unwrap_or_else(|| crate::clock::statutory_date(services.clock.now()));
        cases::retention_due(&services, &gate.actor, until)
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/keeping-requests", tag = "custody",
    responses((status = 200, body = Vec<KeepingView>, description = "Requests about retained samples, the newest first")))]
async fn requests(gate: Permit<CustodyRead>, services: Data<Services>) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        services.db.read(|conn| views::keeping(conn, &reader, None))
    })
    .await
}
