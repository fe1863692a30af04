//! `/api/v1`: the regulation register, determinations and the calendar.

use actix_web::HttpResponse;
use actix_web::web::{Data, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

use crate::action::Services;
use crate::http::body::Body;
use crate::http::permit::Permit;
use crate::http::permit::permission::RegulationRead;
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::run::answer;
use crate::http::table::Table;
use crate::refusal::{Code, Refusal};
use crate::regulation::{CaseError, CaseFacts, Determination, Jurisdiction, Provision};
use crate::store::Outcome;
use crate::text;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/api/v1/regulation/provisions", provisions)
        .post("/api/v1/regulation/determinations", determine)
        .get("/api/v1/calendar/due", due)
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(provisions, determine, due))]
pub struct Docs;

/// Which provisions are asked for.
#[derive(Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct InForce {
    /// `YYYY-MM-DD`: those in force on that day
    on: Option<String>,
    /// ISO 3166-2: those that reach this jurisdiction
    jurisdiction: Option<String>,
}

/// So many working days after a date.
#[derive(Clone, Deserialize, IntoParams)]
pub struct DueAfter {
    /// `YYYY-MM-DD`; itself not counted
    from: String,
    working_days: u32,
}

/// The last day.
#[derive(Serialize, ToSchema)]
struct Due {
    from: String,
    working_days: u32,
    due: String,
    provisional: bool,
}

#[utoipa::path(get, path = "/api/v1/regulation/provisions", tag = "regulation", params(InForce),
    responses((status = 200, body = [Provision], description = "法规条款 provisions with clause and text"), (status = 422, body = ProblemDocument)))]
async fn provisions(
    _: Permit<RegulationRead>,
    services: Data<Services>,
    asked: Query<InForce>,
) -> Result<HttpResponse, Problem> {
    let on = text::date_opt("on", asked.on.as_deref())?;
    let place = asked.jurisdiction.as_deref().filter(|text| !text.is_empty());
    let place = place.map(|text| text::word("jurisdiction", text, Jurisdiction::parse)).transpose()?;
    Ok(crate::http::run::json(actix_web::http::StatusCode::OK, &services.regulation.register().list(on, place)))
}

#[utoipa::path(post, path = "/api/v1/regulation/determinations", tag = "regulation", request_body = CaseFacts,
    responses((status = 200, body = Determination, description = "判定 a determination; nothing is stored"), (status = 422, body = ProblemDocument)))]
async fn determine(
    _: Permit<RegulationRead>,
    services: Data<Services>,
    body: Body<serde_json::Value>,
) -> Result<HttpResponse, Problem> {
    answer(move || -> Outcome<_> {
        let wrong = |error: CaseError| {
            let (zh, en) = error.sides();
            let refusal = Refusal::new(Code::InvalidField, zh, en);
            match error.field() {
                Some(field) => refusal.at(field),
                None => refusal,
            }
        };
        let case = CaseFacts::from_value(&body.value).map_err(wrong)?;
        services.regulation.contradiction(&case).map_or(Ok(()), |error| Err(wrong(error)))?;
        let determined = services.regulation.determine(&case);
        Ok(determined.map_err(|error| Refusal::new(Code::NotDetermined, error.to_string(), error.to_string()))?)
    })
    .await
}

#[utoipa::path(get, path = "/api/v1/calendar/due", tag = "regulation", params(DueAfter),
    responses((status = 200, body = Due, description = "到期日 the last day"), (status = 422, body = ProblemDocument)))]
async fn due(
    _: Permit<RegulationRead>,
    services: Data<Services>,
    asked: Query<DueAfter>,
) -> Result<HttpResponse, Problem> {
    answer(move || -> Outcome<_> {
        let from = text::date("from", &asked.from)?;
        let found = services.regulation.calendar().add_working_days(from, asked.working_days);
        let found = found.map_err(|error| Refusal::field("working_days", error.to_string(), error.to_string()))?;
        Ok(Due {
            from: from.to_string(),
            working_days: asked.working_days,
            due: found.date.to_string(),
            provisional: found.provisional,
        })
    })
    .await
}
