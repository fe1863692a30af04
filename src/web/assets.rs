//! What pages load beside themselves: embedded, and served by this program alone.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Path;
use sha2::{Digest, Sha256};

use crate::http::{Problem, Public, Table};
use crate::refusal::Refusal;

const FILES: &[(&str, &str, &str)] = &[
    ("app.css", "text/css; charset=utf-8", include_str!("../../static/app.css")),
    ("app.js", "text/javascript; charset=utf-8", include_str!("../../static/app.js")),
    ("htmx.min.js", "text/javascript; charset=utf-8", include_str!("../../static/htmx/htmx.min.js")),
    ("icon.svg", "image/svg+xml", include_str!("../../static/icon.svg")),
];

/// Changes with the files, so that a browser may keep them for long.
pub static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for (_, _, content) in FILES {
        hash.update(content);
    }
    hex::encode(hash.finalize()).chars().take(12).collect()
});

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default().get("/static/{file}", asset).get("/favicon.ico", icon)
}

async fn asset(_: Public, name: Path<String>) -> Result<HttpResponse, Problem> {
    serve(&name)
}

async fn icon(_: Public) -> Result<HttpResponse, Problem> {
    serve("icon.svg")
}

fn serve(name: &str) -> Result<HttpResponse, Problem> {
    let found = FILES.iter().find(|(file, ..)| *file == name);
    let (_, kind, content) = found.ok_or_else(|| Refusal::not_found("文件", "file", name))?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .content_type(*kind)
        .body(*content))
}
