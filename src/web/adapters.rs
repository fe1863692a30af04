//! 适配器: what reads the laboratory's files, who has checked it, and what was refused and why.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::page::Page;
use crate::action::Services;
use crate::http::permit::permission::InstrumentRead;
use crate::http::{Permit, Problem, Table, run};
use crate::instruments;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default().get("/instrument-adapters", list)
}

async fn list(_: Permit<InstrumentRead>, page: Page, services: Data<Services>) -> Result<HttpResponse, Problem> {
    let view = run(move || Ok(instruments::adapters(&services))).await?;
    page.show("adapters.html", view)
}
