//! Taking one file in, by whichever way it came: kept by content, read, matched, staged. One transaction a file.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use diesel::prelude::*;
use instrument_adapters::{Companion, DateOrder, NotRecognised, Options, Parsed};
use serde_json::{Value, json};

use super::dead_letters::{self, Letter};
use super::folders::{self, Seen};
use super::inbox::institute_of;
use super::matching::{self, Subject};
use super::pattern::MatchRule;
use super::read::{parse, values_only};
use super::{calibrations, versions};
use crate::action::Services;
use crate::insert_all;
use crate::record::{self, Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::store::blobs::sha256_hex;
use crate::store::columns::{InstituteId, InstrumentFileId, Json, ObservationId};
use crate::store::rows::{CompanionFileRow, InstrumentFileRow, InstrumentRow, ObservationRow};
use crate::store::schema::{companion_file, instrument_file, observation};
use crate::store::{AnyConnection, Outcome};
use crate::text;

/// The largest file that is taken in, in bytes; adapters may set less.
pub const LARGEST: usize = 32 * 1024 * 1024;

/// By which way a file came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Upload,
    Folder,
    Lis2,
    Mllp,
    Lines,
}

impl Source {
    /// As stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Folder => "folder",
            Self::Lis2 => "lis2",
            Self::Mllp => "mllp",
            Self::Lines => "lines",
        }
    }

    /// The way of that word; an upload where it is none.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        [Self::Folder, Self::Lis2, Self::Mllp, Self::Lines]
            .into_iter()
            .find(|one| one.as_str() == word)
            .unwrap_or(Self::Upload)
    }
}

/// A file on its way in.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Its name without folder.
    pub name: String,
    pub bytes: Vec<u8>,
    /// Files of the same folder that may belong to it; what its adapter does not declare is left out.
    pub beside: Vec<Companion>,
    pub source: Source,
    /// Its path below the watched folder.
    pub path: Option<String>,
    pub instrument: Option<InstrumentRow>,
    /// What the watcher remembers of it.
    pub seen: Option<Seen>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub id: InstrumentFileId,
    /// The same content was taken in before: this is that import.
    pub known: bool,
    /// `staged` or `unread`; whatever it is by now where it was known.
    pub state: String,
}

/// The names of the files beside it that the file's adapter asks for. Empty where none recognises it.
#[must_use]
pub fn companions_wanted(services: &Services, name: &str, bytes: &[u8], adapter: Option<&str>) -> Vec<String> {
    // Most files have no companions at all: then nobody needs to look into the file.
    let set = services.adapters.set();
    if set.iter().all(|one| one.companion_names(name).is_empty()) {
        return Vec::new();
    }
    let found = services.adapters.detect(name, bytes).map(|detection| detection.candidates).unwrap_or_default();
    let id = match (adapter, found.as_slice()) {
        (Some(id), _) => id,
        (None, [one]) => one.adapter.as_str(),
        _ => return Vec::new(),
    };
    set.get(id).map(|one| one.companion_names(name)).unwrap_or_default()
}

/// What the register says of an instrument's files.
pub(super) fn options(instrument: Option<&InstrumentRow>, companions: Vec<Companion>) -> Options {
    let order = |word: &str| if word == "dmy" { DateOrder::Dmy } else { DateOrder::Mdy };
    Options {
        companions,
        date_order: instrument.and_then(|one| one.date_order.as_deref()).map(order),
        zone: instrument.and_then(|one| one.zone.clone()),
        ..values_only()
    }
}

/// Takes a file in. The same content twice is one import; other content under the name of an earlier file of the
/// same instrument is a new version of it.
///
/// # Errors
/// Where the name is none or the file is empty or too large. A file that no adapter reads is kept and said so.
pub fn take(services: &Services, actor: &Actor, new: Incoming) -> Outcome<Taken> {
    let name = text::required("name", &new.name, text::TEXT)?;
    let institute = institute_of(actor)?;
    if new.bytes.is_empty() {
        return Err(Refusal::field("file", "文件为空", "the file is empty").into());
    }
    if new.bytes.len() > LARGEST {
        return Err(Refusal::new(Code::TooLarge, "文件超过 32 MB", "the file is larger than 32 MB").at("file").into());
    }
    let sha256 = sha256_hex(&new.bytes);
    if let Some(taken) = known_before(services, actor, &institute, &sha256, &new)? {
        return Ok(taken);
    }
    let adapter = new.instrument.as_ref().and_then(|one| one.adapter.as_deref());
    let wanted =
        if new.beside.is_empty() { Vec::new() } else { companions_wanted(services, &name, &new.bytes, adapter) };
    let beside: Vec<Companion> = new
        .beside
        .iter()
        .filter(|one| wanted.iter().any(|name| name.eq_ignore_ascii_case(&one.name)))
        .cloned()
        .collect();
    let options = options(new.instrument.as_ref(), beside.clone());
    let outcome = parse(services, &name, &new.bytes, adapter, &options);
    services.files.put(&new.bytes)?;
    let mut companions = Vec::with_capacity(beside.len());
    for one in &beside {
        companions.push((one.name.clone(), services.files.put(&one.bytes)?, one.bytes.len()));
    }
    let parsed = outcome.as_ref().ok();
    let (row, observations) = staged(services, actor, (&institute, &new), (name, sha256), parsed);
    let mut row = row;
    if let Err(NotRecognised::Failed(failure)) = &outcome {
        row.problems = Json::of(&json!([failure.problem()]));
    }
    let letter = outcome.as_ref().err().map(|why| unread(&row, why));
    let draft = Draft { row, observations, companions, letter, instrument: new.instrument, seen: new.seen };
    store(services, actor, draft)
}

/// A file as it will be stored.
#[derive(Clone)]
struct Draft {
    row: InstrumentFileRow,
    observations: Vec<ObservationRow>,
    companions: Vec<(String, String, usize)>,
    letter: Option<Letter>,
    instrument: Option<InstrumentRow>,
    seen: Option<Seen>,
}

/// The import of the same content, where there is one: then nothing is read again.
fn known_before(
    services: &Services,
    actor: &Actor,
    institute: &InstituteId,
    sha256: &str,
    new: &Incoming,
) -> Outcome<Option<Taken>> {
    let Some(taken) = services.db.read(|conn| of_content(conn, institute, sha256))? else { return Ok(None) };
    if let (Some(instrument), Some(seen)) = (&new.instrument, &new.seen) {
        let (id, seen, now) = (instrument.id.clone(), seen.clone(), services.clock.now());
        let (file, sha256, letters) = (taken.id.clone(), sha256.to_owned(), actor.institute.clone());
        services.db.write(move |conn| {
            folders::remember(conn, &id, &seen, Some(&sha256), "taken", Some(&file), now)?;
            dead_letters::settle(conn, letters.as_ref(), Some(&id), Some(&seen.path), &file, now)
        })?;
    }
    Ok(Some(taken))
}

fn of_content(conn: &mut AnyConnection, institute: &InstituteId, sha256: &str) -> Outcome<Option<Taken>> {
    let found: Option<(InstrumentFileId, String)> = instrument_file::table
        .filter(instrument_file::sha256.eq(sha256))
        .filter(instrument_file::institute_id.eq(institute))
        .select((instrument_file::id, instrument_file::state))
        .first(conn)
        .optional()?;
    Ok(found.map(|(id, state)| Taken { id, known: true, state }))
}

fn store(services: &Services, actor: &Actor, draft: Draft) -> Outcome<Taken> {
    let (actor, now, today) = (actor.clone(), services.clock.now(), services.clock.today());
    services.db.write(move |conn| {
        let mut draft = draft.clone();
        if let Some(taken) = of_content(conn, &draft.row.institute_id, &draft.row.sha256)? {
            return Ok(taken);
        }
        let mut problems = draft.row.problems.tree().as_array().cloned().unwrap_or_default();
        if let Some(instrument) = &draft.instrument {
            problems.extend(calibrations::against(conn, instrument, &days(&draft.observations, today))?);
        }
        problems.extend(versions::link(conn, &mut draft.row, &draft.observations)?);
        draft.row.problems = Json::of(&problems);
        diesel::insert_into(instrument_file::table).values(&draft.row).execute(conn)?;
        let matched = matched(conn, &draft.row, draft.instrument.as_ref(), &mut draft.observations)?;
        insert_all!(conn, observation::table, &draft.observations)?;
        keep_companions(conn, &draft)?;
        let created =
            Change::created("instrument_file.upload", "instrument_file", &draft.row.id, told(&draft, matched));
        record::record(conn, &actor, now, vec![created])?;
        if let (Some(instrument), Some(seen)) = (&draft.instrument, &draft.seen) {
            let sha = Some(draft.row.sha256.as_str());
            folders::remember(conn, &instrument.id, seen, sha, "taken", Some(&draft.row.id), now)?;
            let own = Some(&draft.row.institute_id);
            dead_letters::settle(conn, own, Some(&instrument.id), Some(&seen.path), &draft.row.id, now)?;
        }
        if let Some(letter) = &draft.letter {
            dead_letters::put_in(conn, &draft.row.institute_id, letter, now)?;
        }
        Ok(Taken { id: draft.row.id.clone(), known: false, state: draft.row.state.clone() })
    })
}

/// The days on which the values were taken; today, where the file does not say so plainly.
pub(super) fn days(observations: &[ObservationRow], today: NaiveDate) -> BTreeSet<NaiveDate> {
    let day = |text: &str| text.get(..10).and_then(|day| day.parse::<NaiveDate>().ok());
    let found: BTreeSet<NaiveDate> =
        observations.iter().filter_map(|seen| seen.acquired_at.as_deref().and_then(day)).collect();
    if found.is_empty() { BTreeSet::from([today]) } else { found }
}

/// Gives the values their samples and tells by which way, for the trail.
pub(super) fn matched(
    conn: &mut AnyConnection,
    row: &InstrumentFileRow,
    instrument: Option<&InstrumentRow>,
    observations: &mut [ObservationRow],
) -> Outcome<Value> {
    let rule: MatchRule = instrument.and_then(|one| one.matching.read().ok()).unwrap_or_default();
    let subject = Subject { file: row, rule: &rule };
    matching::match_samples(conn, &subject, observations)
}

fn keep_companions(conn: &mut AnyConnection, draft: &Draft) -> Outcome<()> {
    let rows: Vec<CompanionFileRow> = draft
        .companions
        .iter()
        .map(|(name, sha256, size)| CompanionFileRow {
            instrument_file_id: draft.row.id.clone(),
            name: name.clone(),
            sha256: sha256.clone(),
            size: i64::try_from(*size).unwrap_or(i64::MAX),
        })
        .collect();
    insert_all!(conn, companion_file::table, &rows)?;
    Ok(())
}

fn told(draft: &Draft, matched: Value) -> Value {
    let row = &draft.row;
    json!({"name": row.name, "sha256": row.sha256, "adapter": row.adapter, "complete": row.complete,
           "observations": draft.observations.len(), "problems": row.problems.tree(), "source": row.source,
           "instrument": draft.instrument.as_ref().map(|one| one.code.clone()), "path": row.path,
           "version": row.version, "supersedes": row.supersedes, "matched": matched,
           "companions": draft.companions.iter().map(|(name, sha, _)| json!({"name": name, "sha256": sha}))
               .collect::<Vec<_>>()})
}

/// What is said of a file that no adapter reads.
pub(super) fn unread_problem(why: &str) -> Value {
    let why: String = why.chars().take(2000).collect();
    json!([{"code": "not_recognised", "severity": "error", "locator": {},
        "message": format!("没有适配器能识别该文件：{why} / {why}")}])
}

fn unread(row: &InstrumentFileRow, why: &NotRecognised) -> Letter {
    let (code, reason) = match why {
        NotRecognised::Failed(failure) => {
            ("reading_failed", format!("读取未完成：{failure} / the reading did not come to its end: {failure}"))
        }
        other => ("not_recognised", format!("没有适配器能识别该文件：{other} / {other}")),
    };
    Letter {
        instrument: row.instrument_id.clone(),
        source: Source::parse(&row.source),
        name: row.name.clone(),
        path: row.path.clone(),
        code,
        reason,
        sha256: Some(row.sha256.clone()),
        size: Some(row.size),
        file: Some(row.id.clone()),
    }
}

fn staged(
    services: &Services,
    actor: &Actor,
    (institute, new): (&InstituteId, &Incoming),
    (name, sha256): (String, String),
    parsed: Option<&Parsed>,
) -> (InstrumentFileRow, Vec<ObservationRow>) {
    let mut row = InstrumentFileRow {
        id: InstrumentFileId::new(),
        sha256,
        name,
        size: i64::try_from(new.bytes.len()).unwrap_or(i64::MAX),
        institute_id: institute.clone(),
        adapter: None,
        adapter_version: None,
        complete: None,
        run: Json::of(&()),
        problems: Json::of(&unread_problem("no adapter recognises the file")),
        state: "unread".into(),
        state_reason: None,
        uploaded_by: actor.account.clone(),
        uploaded_at: services.clock.now().into(),
        decided_by: None,
        decided_at: None,
        instrument_id: new.instrument.as_ref().map(|one| one.id.clone()),
        source: new.source.as_str().into(),
        path: new.path.clone(),
        version: 1,
        supersedes: None,
    };
    let Some(parsed) = parsed else { return (row, Vec::new()) };
    as_read(&mut row, parsed);
    let observations = observations_of(&row.id, parsed);
    (row, observations)
}

/// Fills in what the adapter said.
pub(super) fn as_read(row: &mut InstrumentFileRow, parsed: &Parsed) {
    row.adapter = Some(parsed.adapter.clone());
    row.adapter_version = parsed.run.get("adapter_version").and_then(|v| v.as_str()).map(str::to_owned);
    row.complete = parsed.complete;
    row.run = Json::of(&parsed.run);
    row.problems = Json::of(&parsed.problems);
    row.state = "staged".into();
}

/// The values as rows.
pub(super) fn observations_of(id: &InstrumentFileId, parsed: &Parsed) -> Vec<ObservationRow> {
    let row = |(index, seen): (usize, &instrument_adapters::Observation)| ObservationRow {
        id: ObservationId::new(),
        instrument_file_id: id.clone(),
        position: i64::try_from(index).unwrap_or(i64::MAX).saturating_add(1),
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
    };
    parsed.observations.iter().enumerate().map(row).collect()
}
