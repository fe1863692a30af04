//! `/api/v1/instrument-files`: upload, look, accept, reject.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Payload, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::certificates::Because;
use super::intake::institute;
use crate::action::Services;
use crate::http::body::{Body, collect};
use crate::http::permit::Permit;
use crate::http::permit::permission::{InstrumentAccept, InstrumentRead, InstrumentReject, InstrumentUpload};
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::run::{answer, created, done, run};
use crate::http::table::Table;
use crate::instruments::{self, Accept, Accepted, Assign, FileView, NewRunList, SourceView, Wanted};
use crate::store::columns::{InstrumentFileId, ObservationId};
use crate::store::views::{self, FileRow, Listed, Page};

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/api/v1/instrument-files", list)
        .post("/api/v1/instrument-files", upload)
        .get("/api/v1/instrument-files/{id}", show)
        .get("/api/v1/instrument-files/{id}/source", source)
        .post("/api/v1/instrument-files/{id}/match", assign)
        .post("/api/v1/instrument-files/{id}/run-list", run_list)
        .post("/api/v1/instrument-file-sets", upload_set)
        .post("/api/v1/instrument-files/{id}/accept", accept)
        .post("/api/v1/instrument-files/{id}/reject", reject)
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(list, upload, upload_set, show, source, assign, run_list, accept, reject))]
pub struct Docs;

/// Which files are asked for.
#[derive(Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct FileFilter {
    /// `staged`, `unread`, `accepted`, `rejected`
    state: Option<String>,
    limit: Option<i64>,
    offset: Option<i64>,
}

/// The file's name.
#[derive(Clone, Deserialize, IntoParams)]
pub struct Named {
    /// As on the instrument, without its folder
    name: String,
    /// The code or id of a registered instrument
    instrument: Option<String>,
}

/// Where a set of files comes from.
#[derive(Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct FromInstrument {
    /// The code or id of a registered instrument
    instrument: Option<String>,
}

/// The parts of the form: every part with a file name is a file, whatever its field is called.
#[derive(ToSchema)]
#[allow(dead_code)]
struct FileSet {
    #[schema(value_type = Vec<String>, format = Binary)]
    file: Vec<Vec<u8>>,
}

/// What became of one file of a set.
#[derive(Clone, Serialize, ToSchema)]
pub struct OneOfSet {
    name: String,
    id: Option<String>,
    /// The same content was imported before
    known: bool,
    state: Option<String>,
    refusal: Option<crate::refusal::Refusal>,
}

/// Which value is looked for.
#[derive(Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct Marked {
    /// An observation of this file: the value itself is marked within its line
    observation: Option<String>,
    /// A line that is shown with those around it
    line: Option<u32>,
    /// The first line of the part that is wanted, from 1
    from: Option<u32>,
}

#[utoipa::path(get, path = "/api/v1/instrument-files", tag = "instruments", params(FileFilter),
    responses((status = 200, body = Listed<FileRow>, description = "仪器文件 instrument files, newest first")))]
async fn list(
    gate: Permit<InstrumentRead>,
    services: Data<Services>,
    filter: Query<FileFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let institute = institute(&gate.actor)?;
        let page = Page::of(filter.limit, filter.offset);
        services.db.read(|conn| views::files(conn, &institute, filter.state.as_deref(), page))
    })
    .await
}

#[utoipa::path(post, path = "/api/v1/instrument-files", tag = "instruments", params(Named),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file itself, unchanged"),
    responses((status = 201, body = FileView, description = "Staged; the same content twice is one import"),
              (status = 422, body = ProblemDocument)))]
async fn upload(
    gate: Permit<InstrumentUpload>,
    services: Data<Services>,
    named: Query<Named>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let bytes = collect(Ok(payload), services.site.upload_bytes).await?;
    created(move || instruments::upload(&services, &gate.actor, &named.name, &bytes, named.instrument.as_deref())).await
}

#[utoipa::path(post, path = "/api/v1/instrument-file-sets", tag = "instruments", params(FromInstrument),
    request_body(content = FileSet, content_type = "multipart/form-data",
        description = "Files that belong together: a report with the files that its adapter reads beside it"),
    responses((status = 200, body = [OneOfSet]), (status = 422, body = ProblemDocument)))]
async fn upload_set(
    gate: Permit<InstrumentUpload>,
    services: Data<Services>,
    from: Query<FromInstrument>,
    parts: actix_multipart::Multipart,
) -> Result<HttpResponse, Problem> {
    let files = crate::http::upload::uploads(parts, services.site.upload_bytes).await?;
    let files: Vec<_> = files.into_iter().map(|one| instruments::Named { name: one.name, bytes: one.bytes }).collect();
    let taken =
        run(move || instruments::upload_set(&services, &gate.actor, &files, from.instrument.as_deref())).await?;
    answer(move || Ok(taken.into_iter().map(OneOfSet::from).collect::<Vec<_>>())).await
}

impl From<(String, crate::store::Outcome<instruments::Taken>)> for OneOfSet {
    fn from((name, outcome): (String, crate::store::Outcome<instruments::Taken>)) -> Self {
        match outcome {
            Ok(taken) => Self {
                name,
                id: Some(taken.id.to_string()),
                known: taken.known,
                state: Some(taken.state),
                refusal: None,
            },
            Err(failure) => {
                Self { name, id: None, known: false, state: None, refusal: Some(*Problem::from(failure).0) }
            }
        }
    }
}

#[utoipa::path(get, path = "/api/v1/instrument-files/{id}", tag = "instruments", params(("id" = String, Path)),
    responses((status = 200, body = FileView), (status = 404, body = ProblemDocument)))]
async fn show(
    gate: Permit<InstrumentRead>,
    services: Data<Services>,
    id: Path<InstrumentFileId>,
) -> Result<HttpResponse, Problem> {
    answer(move || instruments::view(&services, &gate.actor, &id)).await
}

#[utoipa::path(get, path = "/api/v1/instrument-files/{id}/source", tag = "instruments",
    params(("id" = String, Path), Marked),
    responses((status = 200, body = SourceView), (status = 404, body = ProblemDocument)))]
async fn source(
    gate: Permit<InstrumentRead>,
    services: Data<Services>,
    id: Path<InstrumentFileId>,
    marked: Query<Marked>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let observation = marked.observation.as_deref().map(ObservationId::from);
        let wanted = Wanted { observation, line: marked.line, from: marked.from };
        instruments::source(&services, &gate.actor, &id, &wanted)
    })
    .await
}

#[utoipa::path(post, path = "/api/v1/instrument-files/{id}/match", tag = "instruments", params(("id" = String, Path)),
    request_body = Assign, responses((status = 200, body = FileView), (status = 422, body = ProblemDocument)))]
async fn assign(
    gate: Permit<InstrumentAccept>,
    services: Data<Services>,
    id: Path<InstrumentFileId>,
    body: Body<Assign>,
) -> Result<HttpResponse, Problem> {
    answer(move || instruments::assign(&services, &gate.actor, &id, &body.value)).await
}

#[utoipa::path(post, path = "/api/v1/instrument-files/{id}/run-list", tag = "instruments", params(("id" = String, Path)),
    request_body = NewRunList, responses((status = 200, body = FileView), (status = 422, body = ProblemDocument)))]
async fn run_list(
    gate: Permit<InstrumentAccept>,
    services: Data<Services>,
    id: Path<InstrumentFileId>,
    body: Body<NewRunList>,
) -> Result<HttpResponse, Problem> {
    answer(move || instruments::list_for_file(&services, &gate.actor, &id, &body.value)).await
}

#[utoipa::path(post, path = "/api/v1/instrument-files/{id}/accept", tag = "instruments", params(("id" = String, Path)),
    request_body = Accept, responses((status = 200, body = Accepted), (status = 422, body = ProblemDocument)))]
async fn accept(
    gate: Permit<InstrumentAccept>,
    services: Data<Services>,
    id: Path<InstrumentFileId>,
    body: Body<Accept>,
) -> Result<HttpResponse, Problem> {
    answer(move || instruments::accept(&services, &gate.actor, &id, &body.value)).await
}

#[utoipa::path(post, path = "/api/v1/instrument-files/{id}/reject", tag = "instruments", params(("id" = String, Path)),
    request_body = Because, responses((status = 204), (status = 409, body = ProblemDocument)))]
async fn reject(
    gate: Permit<InstrumentReject>,
    services: Data<Services>,
    id: Path<InstrumentFileId>,
    body: Body<Because>,
) -> Result<HttpResponse, Problem> {
    done(move || instruments::reject(&services, &gate.actor, &id, &body.value.reason)).await
}
