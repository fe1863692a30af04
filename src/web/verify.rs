//! The public's page: is this certificate in force, and is this file the one that was issued?

use actix_multipart::Multipart;
use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use serde::Deserialize;
use serde_json::{Value, json};

use super::form::uploads;
use super::outer::encoded;
use super::page::{Page, see_other};
use crate::action::Services;
use crate::certificates::{Examined, by_code, known};
use crate::http::stranger::{LARGEST, examined};
use crate::http::{Problem, Public, Table, run};
use crate::refusal::Refusal;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/verify", ask)
        .post("/verify", ask_by_file)
        .get("/verify/{code}", by_its_code)
        .post("/verify/{code}", by_code_and_file)
}

#[derive(Deserialize)]
struct Asked {
    code: Option<String>,
}

async fn ask(_: Public, page: Page, asked: Query<Asked>) -> Result<HttpResponse, Problem> {
    let typed: String = asked.code.iter().flat_map(|code| code.chars()).filter(char::is_ascii_alphanumeric).collect();
    if !typed.is_empty() {
        return Ok(see_other(&format!("/verify/{}", encoded(&typed))));
    }
    show(&page, &json!({}))
}

fn show(page: &Page, found: &Value) -> Result<HttpResponse, Problem> {
    let mut content = json!({"code": null, "found": null, "unknown": null, "file": null, "issued_here": false,
                             "unchanged": false});
    for (key, value) in found.as_object().into_iter().flatten() {
        content[key] = value.clone();
    }
    page.show("verify.html", content)
}

async fn by_its_code(
    _: Public,
    page: Page,
    services: Data<Services>,
    code: Path<String>,
) -> Result<HttpResponse, Problem> {
    let asked = code.clone();
    let found = run(move || known(by_code(&services, &asked, None))).await?;
    show(&page, &json!({"code": *code, "unknown": found.is_none(), "found": found}))
}

/// The first file of a form.
async fn one_file(parts: Multipart) -> Result<Vec<u8>, Refusal> {
    let files = uploads(parts, LARGEST).await?;
    Ok(files.into_iter().map(|file| file.bytes).find(|bytes| !bytes.is_empty()).unwrap_or_default())
}

async fn ask_by_file(
    _: Public,
    page: Page,
    services: Data<Services>,
    parts: Multipart,
) -> Result<HttpResponse, Problem> {
    let found = examined(&services, None, one_file(parts)).await?;
    show(&page, &about_file(None, &found))
}

async fn by_code_and_file(
    _: Public,
    page: Page,
    services: Data<Services>,
    code: Path<String>,
    parts: Multipart,
) -> Result<HttpResponse, Problem> {
    let found = examined(&services, Some(code.clone()), one_file(parts)).await?;
    show(&page, &about_file(Some(&code), &found))
}

/// What the page says of a file. That a signature fits its file does not prove who signed: only a file that was issued
/// here, byte for byte, is shown as good.
fn about_file(code: Option<&str>, found: &Examined) -> Value {
    json!({
        "code": code,
        "file": found.report,
        "issued_here": found.is_issued_here(),
        "unchanged": found.is_unchanged(),
        "found": found.certificate,
        "unknown": found.certificate.is_none(),
    })
}
