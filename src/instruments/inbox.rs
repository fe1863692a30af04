//! Uploading a file and looking at it.

use diesel::prelude::*;
use instrument_adapters::{NotRecognised, Parsed};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::matching::{self, Proposal};
use super::read::{parse, values_only};
use crate::audit::{self, Actor, Change};
use crate::input;
use crate::insert_all;
use crate::refusal::{Code, Refusal};
use crate::services::Services;
use crate::store::columns::{InstituteId, InstrumentFileId, Json, ObservationId, SampleId};
use crate::store::rows::{InstrumentFileRow, ObservationRow};
use crate::store::schema::{application, instrument_file, observation, sample};
use crate::store::{AnyConnection, Outcome};

/// The largest file that is taken in, in bytes; adapters may set less.
pub const LARGEST: usize = 32 * 1024 * 1024;

/// An instrument file as the inbox shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FileView {
    #[schema(value_type = Object)]
    pub file: InstrumentFileRow,
    /// The same content was imported before: this is that import
    pub known: bool,
    #[schema(value_type = Vec<Object>)]
    pub observations: Vec<ObservationRow>,
    /// What would be entered if it were accepted
    pub proposals: Vec<Proposal>,
}

/// Takes a file in: stored unchanged by its SHA-256, read, matched and staged. The same content twice is one
/// import.
///
/// # Errors
/// Where the name is none or the file is empty or too large. A file that no adapter reads is kept and said so.
pub fn upload(services: &Services, actor: &Actor, name: &str, bytes: &[u8]) -> Outcome<FileView> {
    let name = input::required("name", name, input::TEXT)?;
    let institute = institute_of(actor)?;
    if bytes.is_empty() {
        return Err(Refusal::field("file", "文件为空", "the file is empty").into());
    }
    if bytes.len() > LARGEST {
        return Err(Refusal::new(Code::TooLarge, "文件超过 32 MB", "the file is larger than 32 MB").at("file").into());
    }
    let parsed = parse(services, &name, bytes, None, &values_only());
    let sha256 = services.files.put(bytes)?;
    let (row, observations) = staged(services, actor, &institute, name, sha256, bytes.len(), &parsed);
    let (actor, now) = (actor.clone(), services.clock.now());
    let (id, known) = services.db.write(move |conn| {
        let before: Option<InstrumentFileId> = instrument_file::table
            .filter(instrument_file::sha256.eq(&row.sha256))
            .filter(instrument_file::institute_id.eq(&row.institute_id))
            .select(instrument_file::id)
            .first(conn)
            .optional()?;
        if let Some(id) = before {
            return Ok((id, true));
        }
        diesel::insert_into(instrument_file::table).values(&row).execute(conn)?;
        let mut observations = observations.clone();
        matching::match_samples(conn, &row.institute_id, &mut observations)?;
        insert_all!(conn, observation::table, &observations)?;
        let change = Change::created(
            "instrument_file.upload",
            "instrument_file",
            &row.id,
            json!({"name": row.name, "sha256": row.sha256, "adapter": row.adapter, "complete": row.complete,
                   "observations": observations.len(), "problems": row.problems.tree()}),
        );
        audit::record(conn, &actor, now, vec![change])?;
        Ok((row.id.clone(), false))
    })?;
    let mut view = services.db.read(|conn| view_in(conn, &institute, &id))?;
    view.known = known;
    Ok(view)
}

fn institute_of(actor: &Actor) -> Result<InstituteId, Refusal> {
    actor
        .institute
        .clone()
        .ok_or_else(|| Refusal::new(Code::Forbidden, "仅限机构人员", "for staff of an institute only"))
}

fn staged(
    services: &Services,
    actor: &Actor,
    institute: &InstituteId,
    name: String,
    sha256: String,
    size: usize,
    parsed: &Result<Parsed, NotRecognised>,
) -> (InstrumentFileRow, Vec<ObservationRow>) {
    let id = InstrumentFileId::new();
    let unread = match parsed {
        Err(NotRecognised::Failed(failure)) => json!([failure.problem()]),
        _ => json!([{"code": "not_recognised", "severity": "error", "locator": {},
            "message": "没有适配器能识别该文件 / no adapter recognises the file"}]),
    };
    let parsed = parsed.as_ref().ok();
    let row = InstrumentFileRow {
        id: id.clone(),
        sha256,
        name,
        size: i64::try_from(size).unwrap_or(i64::MAX),
        institute_id: institute.clone(),
        adapter: parsed.map(|p| p.adapter.clone()),
        adapter_version: parsed.and_then(|p| p.run.get("adapter_version")).and_then(|v| v.as_str()).map(str::to_owned),
        complete: parsed.and_then(|p| p.complete),
        run: Json::of(&parsed.map(|p| &p.run)),
        problems: parsed.map_or_else(|| Json::of(&unread), |p| Json::of(&p.problems)),
        state: if parsed.is_some() { "staged" } else { "unread" }.into(),
        state_reason: None,
        uploaded_by: actor.account.clone(),
        uploaded_at: services.clock.now().into(),
        decided_by: None,
        decided_at: None,
    };
    let observations = parsed.iter().flat_map(|p| &p.observations).enumerate().map(|(index, seen)| ObservationRow {
        id: ObservationId::new(),
        instrument_file_id: id.clone(),
        position: i64::try_from(index).unwrap_or(i64::MAX) + 1,
        sample_text: seen.sample.clone(),
        analyte: seen.analyte.clone(),
        quantity: seen.quantity.clone(),
        raw: seen.raw.clone(),
        value: seen.value.clone(),
        unit: seen.unit.clone(),
        status: json!(seen.status).as_str().unwrap_or("invalid").to_owned(),
        flags: Json::of(&seen.flags),
        locator: Json::of(&seen.locator),
        injection: seen.injection.clone(),
        acquired_at: seen.acquired_at.clone(),
        bound: seen.bound.clone(),
        context: Json::of(&seen.context),
        sample_id: None,
    });
    let observations = observations.collect();
    (row, observations)
}

/// The file with its observations and what it proposes.
///
/// # Errors
/// Where the actor's institute has no such file.
pub fn view(services: &Services, actor: &Actor, id: &InstrumentFileId) -> Outcome<FileView> {
    let institute = institute_of(actor)?;
    services.db.read(|conn| view_in(conn, &institute, id))
}

pub(super) fn view_in(conn: &mut AnyConnection, institute: &InstituteId, id: &InstrumentFileId) -> Outcome<FileView> {
    let file = file_of(conn, institute, id)?;
    let observations: Vec<ObservationRow> =
        observation::table.filter(observation::instrument_file_id.eq(id)).order(observation::position).load(conn)?;
    let proposals = if file.state == "staged" { matching::proposals(conn, &observations)? } else { Vec::new() };
    Ok(FileView { file, known: false, observations, proposals })
}

pub(super) fn file_of(
    conn: &mut AnyConnection,
    institute: &InstituteId,
    id: &InstrumentFileId,
) -> Outcome<InstrumentFileRow> {
    let found: Option<InstrumentFileRow> =
        instrument_file::table.find(id).filter(instrument_file::institute_id.eq(institute)).first(conn).optional()?;
    found.ok_or_else(|| Refusal::not_found("仪器文件", "instrument file", id.as_str()).into())
}

/// The samples of an institute by their numbers.
pub(super) fn samples_by_number(
    conn: &mut AnyConnection,
    institute: &InstituteId,
    numbers: &[String],
) -> Outcome<Vec<(String, SampleId)>> {
    Ok(sample::table
        .inner_join(application::table)
        .filter(application::institute_id.eq(institute))
        .filter(sample::state.eq("received"))
        .filter(sample::number.eq_any(numbers))
        .select((sample::number, sample::id))
        .load(conn)?)
}
