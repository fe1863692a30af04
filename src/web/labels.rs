//! Labels: one for the sample, one for each container, each with its code as a QR symbol. The page says what was printed;
//! a sheet is the answer to a print, and nothing shows it without one.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use serde_json::{Value, json};

use super::form::Form;
use super::lists::shown;
use super::page::{Page, Refused, send};
use crate::action::Services;
use crate::custody::{LABELS_AT_ONCE, PrintLabels};
use crate::http::permit::permission::CustodyRead;
use crate::http::{May, Permit, Problem, Table, run};
use crate::record::Actor;
use crate::refusal::{Code, Refusal};
use crate::store::columns::SampleId;
use crate::store::views;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default().get("/samples/{id}/labels", labels).post("/samples/{id}/labels", print)
}

async fn labels(
    permit: Permit<CustodyRead>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let content = content(&services, &permit.actor, &id).await?;
    page.show("labels.html", content)
}

async fn content(services: &Services, actor: &Actor, id: &str) -> Result<Value, Problem> {
    let (db, reader, key) = (services.db.clone(), services.reader(actor)?, SampleId::from(id));
    let (found, prints) = run(move || {
        db.read(|conn| Ok((views::sample(conn, &reader, &key)?, views::label_prints(conn, &reader, &key)?)))
    })
    .await?;
    let found = found.ok_or_else(|| Refusal::not_found("样品", "sample", id))?;
    // Of many containers each sheet has a part: the first that was not printed yet is offered next.
    let printed = |code: &str| prints.iter().any(|print| print.code == code);
    let codes = std::iter::once(found.sample.number.as_str());
    let codes: Vec<&str> = codes.chain(found.containers.iter().map(|one| one.label_code.as_str())).collect();
    let first = codes.iter().position(|code| !printed(code)).unwrap_or(0);
    let end = codes.len().saturating_sub(1);
    let most = usize::try_from(LABELS_AT_ONCE).unwrap_or(1);
    let (last, rest) = ((first + most - 1).min(end), codes.iter().filter(|code| !printed(code)).count());
    Ok(json!({"one": shown(&found)?, "prints": prints, "first": first, "last": last, "end": end, "rest": rest}))
}

/// Prints, and shows the sheet.
async fn print(
    may: May<PrintLabels>,
    page: Page,
    services: Data<Services>,
    id: Path<String>,
    form: Form,
) -> Result<HttpResponse, Problem> {
    let action = || {
        let (first, last) = (Some(form.whole("first")?), Some(form.whole("last")?));
        Ok::<_, Refusal>(PrintLabels { id: id.as_str().into(), first, last, reason: form.opt("reason") })
    };
    let done = match action() {
        Ok(action) => send(&services, &may, &page, &form, action).await,
        Err(refusal) => Err(refusal.into()),
    };
    match done {
        Ok(sheet) => {
            let mut tree = shown(&sheet)?;
            for (index, label) in sheet.labels.iter().enumerate() {
                tree["labels"][index]["qr"] = json!(symbol(&label.code)?);
            }
            page.show("label_sheet.html", json!({"sheet": tree}))
        }
        Err(problem) => {
            let content = content(&services, &may.actor, &id).await?;
            page.again("labels.html", content, Some(&Refused::new(form, problem)))
        }
    }
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
