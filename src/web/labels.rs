//! Labels to print: one for the sample, one for each container, each with its code as a QR symbol.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use serde::Deserialize;
use serde_json::json;

use super::lists::{offset, shown};
use super::page::Page;
use crate::action::Services;
use crate::http::permit::permission::CustodyRead;
use crate::http::{Permit, Problem, Table, run};
use crate::refusal::{Code, Refusal};
use crate::store::columns::SampleId;
use crate::store::views;

/// The most labels of one sheet of pages.
const SHEET: usize = 120;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default().get("/samples/{id}/labels", labels)
}

#[derive(Deserialize)]
struct From {
    #[serde(default)]
    from: String,
}

async fn labels(
    permit: Permit<CustodyRead>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    from: Query<From>,
) -> Result<HttpResponse, Problem> {
    let (db, reader, key) = (services.db.clone(), services.reader(&permit.actor)?, SampleId::from(id.as_str()));
    let found = run(move || db.read(|conn| views::sample(conn, &reader, &key))).await?;
    let found = found.ok_or_else(|| Refusal::not_found("样品", "sample", &id))?;
    let start = usize::try_from(offset(&from.from)).unwrap_or(0);
    let mut labels = Vec::new();
    for container in found.containers.iter().skip(start).take(SHEET) {
        labels.push(json!({"code": container.label_code, "position": container.position,
            "portion": container.portion, "qr": symbol(&container.label_code)?}));
    }
    let total = found.containers.len();
    let next = Some(start + SHEET).filter(|next| *next < total);
    let qr = symbol(&found.sample.number)?;
    page.show("labels.html", json!({"one": shown(&found)?, "qr": qr, "labels": labels, "total": total, "next": next}))
}

/// A QR symbol as an SVG element.
///
/// # Errors
/// Where the code is too long for a symbol.
pub(super) fn symbol(text: &str) -> Result<String, Refusal> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(|error| {
        Refusal::new(Code::Conflict, format!("无法生成二维码：{error}"), format!("no QR symbol can be made: {error}"))
    })?;
    let svg = code.render::<svg::Color<'_>>().min_dimensions(96, 96).quiet_zone(true).build();
    // An element of the page, not a document of its own.
    Ok(svg.split_once("?>").map_or(svg.clone(), |(_, element)| element.to_owned()))
}
