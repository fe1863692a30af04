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
use crate::certificates::{PublicStatus, by_code, by_file};
use crate::documents::verify as examine;
use crate::http::{Problem, Public, Table, run};
use crate::refusal::{Code, Refusal};
use crate::store::Outcome;

/// The largest document that the public may send, in bytes: certificates have a tenth of it.
const LARGEST: usize = 20 * 1024 * 1024;

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
    let mut content = json!({"code": null, "found": null, "unknown": null, "file": null});
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

/// No such certificate is an answer here, not an error.
fn known(found: Outcome<PublicStatus>) -> Outcome<Option<PublicStatus>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(failure) => {
            let refusal = failure.into_refusal();
            if refusal.code == Code::NotFound { Ok(None) } else { Err(refusal.into()) }
        }
    }
}

async fn one_file(parts: Multipart, services: &Services) -> Result<Vec<u8>, Refusal> {
    let files = uploads(parts, services.site.upload_bytes.min(LARGEST)).await?;
    let file = files.into_iter().map(|file| file.bytes).find(|bytes| !bytes.is_empty());
    file.ok_or_else(|| Refusal::field("file", "请选择文件", "choose a file"))
}

async fn ask_by_file(
    _: Public,
    page: Page,
    services: Data<Services>,
    parts: Multipart,
) -> Result<HttpResponse, Problem> {
    let bytes = one_file(parts, &services).await?;
    let (file, found) = run(move || {
        let report = examine(&bytes, &[], services.clock.now());
        let found = by_file(&services, &report.sha256)?;
        Ok((report, found))
    })
    .await?;
    show(&page, &json!({"file": file, "unchanged": file.is_unchanged(), "found": found, "unknown": found.is_none()}))
}

async fn by_code_and_file(
    _: Public,
    page: Page,
    services: Data<Services>,
    code: Path<String>,
    parts: Multipart,
) -> Result<HttpResponse, Problem> {
    let bytes = one_file(parts, &services).await?;
    let asked = code.clone();
    let (file, found) = run(move || {
        let report = examine(&bytes, &[], services.clock.now());
        let found = known(by_code(&services, &asked, Some(&report.sha256)))?;
        Ok((report, found))
    })
    .await?;
    let unknown = found.is_none();
    show(
        &page,
        &json!({"code": *code, "file": file, "unchanged": file.is_unchanged(), "found": found, "unknown": unknown}),
    )
}
