//! 法规: the register on any day and in any place, and the clause behind every decision.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::page::Page;
use crate::action::Services;
use crate::http::permit::permission::RegulationRead;
use crate::http::{Permit, Problem, Table};
use crate::refusal::Refusal;
use crate::regulation::{Jurisdiction, Provision, Regulation};
use crate::text;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default().get("/regulation", register).get("/regulation/{id}", provision)
}

/// A provision as pages cite it.
#[derive(Clone, Debug, Serialize)]
pub struct Cited {
    #[serde(flatten)]
    provision: Provision,
    citation: String,
}

impl From<&Provision> for Cited {
    fn from(provision: &Provision) -> Self {
        Self { citation: provision.citation(), provision: provision.clone() }
    }
}

/// The provisions of those ids, by id.
#[must_use]
pub fn cited<'a>(regulation: &Regulation, ids: impl IntoIterator<Item = &'a String>) -> BTreeMap<String, Cited> {
    let found = ids.into_iter().filter_map(|id| regulation.register().get(id));
    found.map(|one| (one.id.clone(), one.into())).collect()
}

/// Every provision that a stored document names under a key `provisions`, however deep.
#[must_use]
pub fn cited_in(regulation: &Regulation, document: &serde_json::Value) -> BTreeMap<String, Cited> {
    let mut ids = Vec::new();
    collect(document, &mut ids);
    cited(regulation, &ids)
}

fn collect(value: &serde_json::Value, ids: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value.as_array()) {
                    ("provisions", Some(list)) => {
                        ids.extend(list.iter().filter_map(|id| id.as_str()).map(str::to_owned));
                    }
                    _ => collect(value, ids),
                }
            }
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| collect(value, ids)),
        _ => {}
    }
}

/// Which part of the register.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Filter {
    on: String,
    place: String,
    all: String,
    text: String,
}

async fn register(
    _: Permit<RegulationRead>,
    page: Page,
    services: Data<Services>,
    filter: Query<Filter>,
) -> Result<HttpResponse, Problem> {
    let mut filter = filter.into_inner();
    if filter.on.is_empty() {
        filter.on = services.clock.today().to_string();
    }
    let day = text::date("on", &filter.on)?;
    let found = listed(&services.regulation, day, &filter);
    let places: Vec<Jurisdiction> = places(&services.regulation);
    let places: Vec<_> =
        places.iter().map(|place| json!({"code": place.code(), "zh": place.zh(), "en": place.en()})).collect();
    let total = services.regulation.register().provisions().len();
    page.show("regulation.html", json!({"provisions": found, "filter": filter, "places": places, "total": total}))
}

fn listed(regulation: &Regulation, day: NaiveDate, filter: &Filter) -> Vec<Cited> {
    let place = Jurisdiction::parse(&filter.place);
    let on = filter.all.is_empty().then_some(day);
    let needle = filter.text.trim().to_lowercase();
    let mentions = |one: &&Provision| {
        let hay = [&one.id, &one.document_title, &one.clause, &one.title_zh, &one.title_en, &one.text];
        needle.is_empty() || hay.iter().any(|text| text.to_lowercase().contains(&needle))
    };
    regulation.register().list(on, place).into_iter().filter(mentions).map(Cited::from).collect()
}

/// The places that have rules of their own.
fn places(regulation: &Regulation) -> Vec<Jurisdiction> {
    let mut places: Vec<Jurisdiction> = regulation.register().provisions().iter().map(|one| one.jurisdiction).collect();
    places.sort();
    places.dedup();
    places
}

async fn provision(
    _: Permit<RegulationRead>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let found = services.regulation.register().get(&id);
    let found = found.ok_or_else(|| Refusal::not_found("条款", "provision", &id))?;
    page.show("provision.html", json!({"one": Cited::from(found)}))
}
