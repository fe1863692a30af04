//! `/api/v1/instrument-files`: upload, look, accept, reject.

use actix_web::HttpResponse;
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, Path, Payload, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

use crate::action::{Action, Answered, Services};
use crate::http::body::collect;
use crate::http::command::{self, Command, act_blocking};
use crate::http::permit::permission::InstrumentRead;
use crate::http::permit::{May, Permit};
use crate::http::problem::{Problem, ProblemDocument};
use crate::http::run::{answer, created, run};
use crate::http::table::Table;
use crate::instruments::{
    self, AcceptFile, AddFileRunList, ChooseReading, FileView, MatchName, RejectFile, ReopenFile, SourceView,
    TakenFile, UploadFile, Wanted,
};
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::{InstrumentFileId, ObservationId};
use crate::store::views::keyset::Part;
use crate::store::views::{self, FileFilter, FileListRow};
use crate::vocabulary::instruments::FileState;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .get("/api/v1/instrument-files", list)
        .post("/api/v1/instrument-files", upload)
        .get("/api/v1/instrument-files/{id}", show)
        .get("/api/v1/instrument-files/{id}/source", source)
        .post("/api/v1/instrument-files/{id}/match", match_name)
        .post("/api/v1/instrument-files/{id}/readings", choose_reading)
        .post("/api/v1/instrument-files/{id}/run-list", run_list)
        .post("/api/v1/instrument-file-sets", upload_set)
        .does::<AcceptFile>(Method::POST, "/api/v1/instrument-files/{id}/accept")
        .ends::<RejectFile>(Method::POST, "/api/v1/instrument-files/{id}/reject")
        .ends::<ReopenFile>(Method::POST, "/api/v1/instrument-files/{id}/reopen")
}

/// Their description.
#[derive(OpenApi)]
#[openapi(paths(list, upload, upload_set, show, source, match_name, choose_reading, run_list))]
pub struct Docs;

/// The file's name.
#[derive(Clone, Deserialize, IntoParams)]
pub struct FileNameQuery {
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
    id: Option<InstrumentFileId>,
    /// The same content was imported before
    known: bool,
    state: Option<FileState>,
    refusal: Option<Refusal>,
}

/// Which value is looked for.
#[derive(Clone, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct MarkedQuery {
    /// An observation of this file: the value itself is marked within its line
    observation: Option<ObservationId>,
    /// A line that is shown with those around it
    line: Option<u32>,
    /// The first line of the part that is wanted, from 1
    from: Option<u32>,
}

#[utoipa::path(get, path = "/api/v1/instrument-files", tag = "instruments", params(FileFilter),
    responses((status = 200, body = Part<FileListRow>, description = "仪器文件 instrument files, newest first")))]
async fn list(
    gate: Permit<InstrumentRead>,
    services: Data<Services>,
    filter: Query<FileFilter>,
) -> Result<HttpResponse, Problem> {
    answer(move || {
        let reader = services.reader(&gate.actor)?;
        services.db.read(|conn| views::files(conn, &reader, &filter))
    })
    .await
}

#[utoipa::path(post, path = "/api/v1/instrument-files", tag = "instruments", params(FileNameQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file itself, unchanged"),
    responses((status = 201, body = FileView, description = "Staged; the same content twice is one import"),
              (status = 422, body = ProblemDocument)))]
async fn upload(
    may: May<UploadFile>,
    services: Data<Services>,
    named: Query<FileNameQuery>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let bytes = collect(Ok(payload), services.site.upload_bytes).await?;
    let FileNameQuery { name, instrument } = named.into_inner();
    created(move || {
        let file = instruments::NamedFile { name, bytes: bytes.to_vec() };
        let taken = instruments::upload(&services, &may.actor, file, instrument.as_deref())?;
        let view = instruments::view(&services, &services.reader(&may.actor)?, &taken.id)?;
        Ok(FileView { known: taken.known, ..view })
    })
    .await
}

#[utoipa::path(post, path = "/api/v1/instrument-file-sets", tag = "instruments", params(FromInstrument),
    request_body(content = FileSet, content_type = "multipart/form-data",
        description = "Files that belong together: a report with the files that its adapter reads beside it"),
    responses((status = 200, body = [OneOfSet]), (status = 422, body = ProblemDocument)))]
async fn upload_set(
    may: May<UploadFile>,
    services: Data<Services>,
    from: Query<FromInstrument>,
    parts: actix_multipart::Multipart,
) -> Result<HttpResponse, Problem> {
    let files = crate::http::upload::uploads(parts, services.site.upload_bytes).await?;
    let files: Vec<_> =
        files.into_iter().map(|one| instruments::NamedFile { name: one.name, bytes: one.bytes }).collect();
    let taken = run(move || instruments::upload_set(&services, &may.actor, &files, from.instrument.as_deref())).await?;
    answer(move || Ok(taken.into_iter().map(OneOfSet::from).collect::<Vec<_>>())).await
}

impl From<(String, Outcome<TakenFile>)> for OneOfSet {
    fn from((name, outcome): (String, Outcome<TakenFile>)) -> Self {
        match outcome {
            Ok(taken) => Self { name, id: Some(taken.id), known: taken.known, state: Some(taken.state), refusal: None },
            Err(failure) => {
                let refusal = Some(*Problem::from(failure).0);
                Self { name, id: None, known: false, state: None, refusal }
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
    answer(move || instruments::view(&services, &services.reader(&gate.actor)?, &id)).await
}

#[utoipa::path(get, path = "/api/v1/instrument-files/{id}/source", tag = "instruments",
    params(("id" = String, Path), MarkedQuery),
    responses((status = 200, body = SourceView), (status = 404, body = ProblemDocument)))]
async fn source(
    gate: Permit<InstrumentRead>,
    services: Data<Services>,
    id: Path<InstrumentFileId>,
    marked: Query<MarkedQuery>,
) -> Result<HttpResponse, Problem> {
    let MarkedQuery { observation, line, from } = marked.into_inner();
    answer(move || {
        let wanted = Wanted { observation, line, from };
        instruments::source(&services, &services.reader(&gate.actor)?, &id, &wanted)
    })
    .await
}

/// Does something to a file and answers with the file.
async fn acted_on<A: Action>(
    may: May<A>,
    services: Data<Services>,
    command: Command<A>,
    id: InstrumentFileId,
) -> Result<HttpResponse, Problem> {
    let answered = act_blocking(&services, &may, command.call, command.action).await?;
    let done = run(move || instruments::view(&services, &services.reader(&may.actor)?, &id)).await?;
    Ok(command::answer(StatusCode::OK, Answered { done, replayed: answered.replayed }))
}

#[utoipa::path(post, path = "/api/v1/instrument-files/{id}/match", tag = "instruments", params(("id" = String, Path)),
    request_body = MatchName, responses((status = 200, body = FileView), (status = 422, body = ProblemDocument)))]
async fn match_name(
    may: May<MatchName>,
    services: Data<Services>,
    command: Command<MatchName>,
) -> Result<HttpResponse, Problem> {
    let id = command.action.id.clone();
    acted_on(may, services, command, id).await
}

#[utoipa::path(post, path = "/api/v1/instrument-files/{id}/readings", tag = "instruments", params(("id" = String, Path)),
    request_body = ChooseReading, responses((status = 200, body = FileView), (status = 422, body = ProblemDocument)))]
async fn choose_reading(
    may: May<ChooseReading>,
    services: Data<Services>,
    command: Command<ChooseReading>,
) -> Result<HttpResponse, Problem> {
    let id = command.action.id.clone();
    acted_on(may, services, command, id).await
}

#[utoipa::path(post, path = "/api/v1/instrument-files/{id}/run-list", tag = "instruments", params(("id" = String, Path)),
    request_body = AddFileRunList, responses((status = 200, body = FileView), (status = 422, body = ProblemDocument)))]
async fn run_list(
    may: May<AddFileRunList>,
    services: Data<Services>,
    command: Command<AddFileRunList>,
) -> Result<HttpResponse, Problem> {
    let id = command.action.id.clone();
    acted_on(may, services, command, id).await
}
