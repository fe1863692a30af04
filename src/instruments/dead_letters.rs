//! Dead letters: what could not be taken in, with the reason and the bytes where there are any. A person has it tried
//! again, or dismisses it with a reason.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::inbox::{file_of, institute_of};
use super::intake::{self, Incoming, Source, as_read, observations_of, take};
use super::read::read;
use super::{calibrations, folders};
use crate::action::Services;
use crate::insert_all;
use crate::record::{self, Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::store::columns::{DeadLetterId, Instant, InstituteId, InstrumentFileId, InstrumentId, Json};
use crate::store::rows::{DeadLetterRow, InstrumentFileRow, InstrumentRow};
use crate::store::schema::{dead_letter, instrument, instrument_file, observation};
use crate::store::views::{Listed, Page};
use crate::store::{AnyConnection, Outcome};
use crate::text;

/// Something that could not be taken in.
#[derive(Clone, Debug)]
pub struct Letter {
    pub instrument: Option<InstrumentId>,
    pub source: Source,
    pub name: String,
    pub path: Option<String>,
    /// A stable word: `not_recognised`, `unreadable`, `too_large`, `framing`, `refused`, …
    pub code: &'static str,
    /// One sentence, Chinese and English, with ` / ` between
    pub reason: String,
    pub sha256: Option<String>,
    pub size: Option<i64>,
    pub file: Option<InstrumentFileId>,
}

/// A dead letter as a list shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeadLetterView {
    #[serde(flatten)]
    pub letter: DeadLetterRow,
    pub instrument_code: Option<String>,
}

/// What a retry came to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Retried {
    /// `resolved`, `open` (it failed again) or `queued` (the folder is looked at again)
    pub state: String,
    pub reason: Option<String>,
    pub file_id: Option<String>,
}

/// Keeps what could not be taken in; `bytes` go to the files where there are any. The same thing from the same place
/// is one letter that counts its tries.
///
/// # Errors
/// The store's failure.
pub fn put(services: &Services, actor: &Actor, mut letter: Letter, bytes: Option<&[u8]>) -> Outcome<()> {
    let own = institute_of(actor)?;
    if let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) {
        letter.sha256 = Some(services.files.put(bytes)?);
        letter.size = i64::try_from(bytes.len()).ok();
    }
    let now = services.clock.now();
    services.db.write(move |conn| put_in(conn, &own, &letter, now).map(|_| ()))
}

pub(super) fn put_in(
    conn: &mut AnyConnection,
    own: &InstituteId,
    letter: &Letter,
    now: DateTime<Utc>,
) -> Outcome<DeadLetterId> {
    if let Some(old) = same(conn, own, letter)? {
        diesel::update(dead_letter::table.find(&old))
            .set((
                dead_letter::tries.eq(dead_letter::tries + 1),
                dead_letter::last_at.eq(Instant::from(now)),
                dead_letter::code.eq(letter.code),
                dead_letter::reason.eq(&letter.reason),
                dead_letter::sha256.eq(&letter.sha256),
                dead_letter::size.eq(letter.size),
                dead_letter::instrument_file_id.eq(&letter.file),
            ))
            .execute(conn)?;
        return Ok(old);
    }
    let row = DeadLetterRow {
        id: DeadLetterId::new(),
        institute_id: own.clone(),
        instrument_id: letter.instrument.clone(),
        source: letter.source.as_str().into(),
        name: letter.name.clone(),
        path: letter.path.clone(),
        code: letter.code.into(),
        reason: letter.reason.chars().take(4000).collect(),
        sha256: letter.sha256.clone(),
        size: letter.size,
        tries: 1,
        first_at: now.into(),
        last_at: now.into(),
        state: "open".into(),
        state_reason: None,
        decided_by: None,
        decided_at: None,
        instrument_file_id: letter.file.clone(),
    };
    diesel::insert_into(dead_letter::table).values(&row).execute(conn)?;
    Ok(row.id)
}

/// An open letter of the same place, or of the same bytes.
fn same(conn: &mut AnyConnection, own: &InstituteId, letter: &Letter) -> Outcome<Option<DeadLetterId>> {
    let mut query =
        dead_letter::table.filter(dead_letter::institute_id.eq(own)).filter(dead_letter::state.eq("open")).into_boxed();
    query = match &letter.instrument {
        Some(id) => query.filter(dead_letter::instrument_id.eq(id)),
        None => query.filter(dead_letter::instrument_id.is_null()),
    };
    query = match (&letter.path, &letter.sha256) {
        (Some(path), _) => query.filter(dead_letter::path.eq(path)),
        (None, Some(sha)) => query.filter(dead_letter::path.is_null()).filter(dead_letter::sha256.eq(sha)),
        (None, None) => return Ok(None),
    };
    Ok(query.select(dead_letter::id).first(conn).optional()?)
}

/// A file of a folder came in after all: its letter is resolved, unless nobody can read it still.
pub(super) fn settle(
    conn: &mut AnyConnection,
    own: Option<&InstituteId>,
    instrument: Option<&InstrumentId>,
    path: Option<&String>,
    file: &InstrumentFileId,
    now: DateTime<Utc>,
) -> Outcome<()> {
    let (Some(own), Some(instrument), Some(path)) = (own, instrument, path) else { return Ok(()) };
    diesel::update(
        dead_letter::table
            .filter(dead_letter::institute_id.eq(own))
            .filter(dead_letter::instrument_id.eq(instrument))
            .filter(dead_letter::path.eq(path))
            .filter(dead_letter::state.eq("open"))
            .filter(dead_letter::instrument_file_id.is_null()),
    )
    .set((
        dead_letter::state.eq("resolved"),
        dead_letter::instrument_file_id.eq(file),
        dead_letter::decided_at.eq(Instant::from(now)),
    ))
    .execute(conn)?;
    Ok(())
}

/// The letters of the actor's institute, the newest first; `state` narrows to `open`, `resolved` or `dismissed`.
///
/// # Errors
/// The store's failure.
pub fn dead_letters(
    services: &Services,
    actor: &Actor,
    state: Option<&str>,
    instrument_id: Option<&InstrumentId>,
    page: Page,
) -> Outcome<Listed<DeadLetterView>> {
    let own = institute_of(actor)?;
    services.db.read(|conn| {
        let filtered = || {
            let mut query = dead_letter::table
                .left_join(instrument::table.on(dead_letter::instrument_id.eq(instrument::id.nullable())))
                .left_join(
                    instrument_file::table.on(dead_letter::instrument_file_id.eq(instrument_file::id.nullable())),
                )
                .filter(dead_letter::institute_id.eq(own.clone()))
                .into_boxed();
            if let Some(state) = state.filter(|text| !text.is_empty()) {
                query = query.filter(dead_letter::state.eq(state.to_owned()));
                if state == "open" {
                    // A file that was decided about in the inbox needs nobody any more.
                    let waits =
                        instrument_file::state.is_null().or(instrument_file::state.eq("unread").assume_not_null());
                    query = query.filter(waits);
                }
            }
            if let Some(id) = instrument_id {
                query = query.filter(dead_letter::instrument_id.eq(id.clone()));
            }
            query
        };
        let total = filtered().count().get_result(conn)?;
        let rows: Vec<(DeadLetterRow, Option<String>)> = filtered()
            .order((dead_letter::last_at.desc(), dead_letter::id.desc()))
            .limit(page.limit())
            .offset(page.offset())
            .select((DeadLetterRow::as_select(), instrument::code.nullable()))
            .load(conn)?;
        let items = rows.into_iter().map(|(letter, instrument_code)| DeadLetterView { letter, instrument_code });
        Ok(Listed { total, items: items.collect() })
    })
}

/// One letter.
///
/// # Errors
/// Where the actor's institute has none of this id.
pub fn dead_letter(services: &Services, actor: &Actor, id: &DeadLetterId) -> Outcome<DeadLetterRow> {
    let own = institute_of(actor)?;
    services.db.read(|conn| letter_of(conn, &own, id))
}

fn letter_of(conn: &mut AnyConnection, own: &InstituteId, id: &DeadLetterId) -> Outcome<DeadLetterRow> {
    let found: Option<DeadLetterRow> = dead_letter::table
        .find(id)
        .filter(dead_letter::institute_id.eq(own))
        .select(DeadLetterRow::as_select())
        .first(conn)
        .optional()?;
    found.ok_or_else(|| Refusal::not_found("未导入的文件", "dead letter", id.as_str()).into())
}

/// The name and the bytes of a letter.
///
/// # Errors
/// Where it has none.
pub fn letter_content(services: &Services, actor: &Actor, id: &DeadLetterId) -> Outcome<(String, Vec<u8>)> {
    let row = dead_letter(services, actor, id)?;
    let sha256 = row.sha256.ok_or_else(|| Refusal::not_found("内容", "content", id.as_str()))?;
    Ok((row.name, services.files.get(&sha256)?))
}

fn open(row: &DeadLetterRow) -> Result<(), Refusal> {
    if row.state == "open" {
        return Ok(());
    }
    Err(Refusal::new(Code::WrongState, "该记录已处理", "it was decided about already"))
}

/// Tries again: a file that nobody could read is read by the adapters of today, bytes of a listener are taken in, a
/// file of a folder is looked at again.
///
/// # Errors
/// Where it was decided about already.
pub fn retry(services: &Services, actor: &Actor, id: &DeadLetterId) -> Outcome<Retried> {
    let own = institute_of(actor)?;
    let (row, machine) = services.db.read(|conn| {
        let row = letter_of(conn, &own, id)?;
        let machine: Option<InstrumentRow> = match &row.instrument_id {
            Some(id) => instrument::table.find(id).select(InstrumentRow::as_select()).first(conn).optional()?,
            None => None,
        };
        Ok((row, machine))
    })?;
    open(&row)?;
    if let Some(file) = row.instrument_file_id.clone() {
        return read_again(services, actor, &row, &file, machine.as_ref());
    }
    match (&row.sha256, &row.path, &row.instrument_id) {
        (Some(sha256), ..) => take_again(services, actor, &row, &sha256.clone(), machine),
        (None, Some(path), Some(instrument)) => queue(services, actor, &row, instrument.clone(), path.clone()),
        _ => Err(Refusal::new(Code::WrongState, "没有可重试的内容", "there is nothing to try again").into()),
    }
}

/// Reads a file in state `unread` again; it becomes staged in its place.
fn read_again(
    services: &Services,
    actor: &Actor,
    letter: &DeadLetterRow,
    id: &InstrumentFileId,
    machine: Option<&InstrumentRow>,
) -> Outcome<Retried> {
    let own = institute_of(actor)?;
    let file = services.db.read(|conn| file_of(conn, &own, id))?;
    if file.state != "unread" {
        return Err(Refusal::new(Code::WrongState, "该文件已处理", "the file was decided about already").into());
    }
    let bytes = services.files.get(&file.sha256)?;
    let adapter = machine.and_then(|one| one.adapter.as_deref());
    let companions = super::inbox::companions(services, id)?;
    let outcome = read(services, &file.name, &bytes, adapter, &intake::options(machine, companions));
    let mut fresh = file.clone();
    let observations = match &outcome {
        Ok(explained) => {
            as_read(&mut fresh, &explained.parsed);
            observations_of(id, &explained.parsed)
        }
        Err(_) => Vec::new(),
    };
    let why = outcome.err().map(|why| why.to_string());
    let (actor, now, letter, machine) = (actor.clone(), services.clock.now(), letter.clone(), machine.cloned());
    let today = services.clock.today();
    services.db.write(move |conn| {
        if let Some(why) = &why {
            let reason = format!("没有适配器能识别该文件：{why} / {why}");
            return failed_again(conn, &actor, &letter, &reason, now);
        }
        let (mut observations, mut fresh) = (observations.clone(), fresh.clone());
        let mut problems = fresh.problems.tree().as_array().cloned().unwrap_or_default();
        if let Some(machine) = &machine {
            problems.extend(calibrations::against(conn, machine, &intake::days(&observations, today))?);
        }
        fresh.problems = Json::of(&problems);
        staged_late(conn, &fresh)?;
        let matched = intake::matched(conn, &fresh, machine.as_ref(), &mut observations)?;
        insert_all!(conn, observation::table, &observations)?;
        let change =
            Change::field("instrument_file.read_again", "instrument_file", &fresh.id, "state", "unread", "staged")
                .and("adapter", (), fresh.adapter.clone())
                .and("observations", (), observations.len())
                .and("matched", (), matched);
        record::record(conn, &actor, now, vec![change])?;
        resolved(conn, &actor, &letter, &fresh.id, now)
    })
}

fn staged_late(conn: &mut AnyConnection, fresh: &InstrumentFileRow) -> Outcome<()> {
    diesel::update(instrument_file::table.find(&fresh.id))
        .set((
            instrument_file::state.eq(&fresh.state),
            instrument_file::adapter.eq(&fresh.adapter),
            instrument_file::adapter_version.eq(&fresh.adapter_version),
            instrument_file::complete.eq(fresh.complete),
            instrument_file::run.eq(&fresh.run),
            instrument_file::problems.eq(&fresh.problems),
        ))
        .execute(conn)?;
    Ok(())
}

fn failed_again(
    conn: &mut AnyConnection,
    actor: &Actor,
    letter: &DeadLetterRow,
    reason: &str,
    now: DateTime<Utc>,
) -> Outcome<Retried> {
    let reason: String = reason.chars().take(4000).collect();
    diesel::update(dead_letter::table.find(&letter.id))
        .set((
            dead_letter::tries.eq(dead_letter::tries + 1),
            dead_letter::last_at.eq(Instant::from(now)),
            dead_letter::reason.eq(&reason),
        ))
        .execute(conn)?;
    let change = Change::field("dead_letter.retry", "dead_letter", &letter.id, "tries", letter.tries, letter.tries + 1);
    record::record(conn, actor, now, vec![change])?;
    let file_id = letter.instrument_file_id.as_ref().map(ToString::to_string);
    Ok(Retried { state: "open".into(), reason: Some(reason), file_id })
}

fn resolved(
    conn: &mut AnyConnection,
    actor: &Actor,
    letter: &DeadLetterRow,
    file: &InstrumentFileId,
    now: DateTime<Utc>,
) -> Outcome<Retried> {
    diesel::update(dead_letter::table.find(&letter.id))
        .set((
            dead_letter::state.eq("resolved"),
            dead_letter::instrument_file_id.eq(file),
            dead_letter::decided_by.eq(&actor.account),
            dead_letter::decided_at.eq(Instant::from(now)),
        ))
        .execute(conn)?;
    let change = Change::field("dead_letter.retry", "dead_letter", &letter.id, "state", "open", "resolved").and(
        "file",
        (),
        file.to_string(),
    );
    record::record(conn, actor, now, vec![change])?;
    Ok(Retried { state: "resolved".into(), reason: None, file_id: Some(file.to_string()) })
}

/// Takes the kept bytes in.
fn take_again(
    services: &Services,
    actor: &Actor,
    letter: &DeadLetterRow,
    sha256: &str,
    machine: Option<InstrumentRow>,
) -> Outcome<Retried> {
    let incoming = Incoming {
        name: letter.name.clone(),
        bytes: services.files.get(sha256)?,
        beside: Vec::new(),
        source: Source::parse(&letter.source),
        path: letter.path.clone(),
        instrument: machine,
        seen: None,
    };
    let taken = take(services, actor, incoming)?;
    let (actor, now, letter) = (actor.clone(), services.clock.now(), letter.clone());
    services.db.write(move |conn| {
        if taken.known && letter.code == "same_content" {
            // Two equal printouts are two weighings: only a person can say that the second one is nothing.
            return failed_again(conn, &actor, &letter, &letter.reason, now);
        }
        if taken.state == "unread" && !taken.known {
            // The taking-in found this letter by its bytes and counted the try.
            let linked = dead_letter::table.find(&letter.id).select(dead_letter::reason).first(conn)?;
            let file_id = Some(taken.id.to_string());
            return Ok(Retried { state: "open".into(), reason: Some(linked), file_id });
        }
        resolved(conn, &actor, &letter, &taken.id, now)
    })
}

fn queue(
    services: &Services,
    actor: &Actor,
    letter: &DeadLetterRow,
    instrument: InstrumentId,
    path: String,
) -> Outcome<Retried> {
    let (actor, now, letter) = (actor.clone(), services.clock.now(), letter.clone());
    services.db.write(move |conn| {
        folders::ask_again(conn, &instrument, &path)?;
        let change = Change::field("dead_letter.retry", "dead_letter", &letter.id, "path", (), path.clone());
        record::record(conn, &actor, now, vec![change])?;
        Ok(Retried { state: "queued".into(), reason: None, file_id: None })
    })
}

/// Dismisses a letter: nobody needs what is in it.
///
/// # Errors
/// Where it was decided about already.
pub fn dismiss(services: &Services, actor: &Actor, id: &DeadLetterId, reason: &str) -> Outcome<()> {
    let reason = text::required("reason", reason, text::REMARK)?;
    let own = institute_of(actor)?;
    let (actor, now, id) = (actor.clone(), services.clock.now(), id.clone());
    services.db.write(move |conn| {
        let row = letter_of(conn, &own, &id)?;
        open(&row)?;
        diesel::update(dead_letter::table.find(&id))
            .set((
                dead_letter::state.eq("dismissed"),
                dead_letter::state_reason.eq(&reason),
                dead_letter::decided_by.eq(&actor.account),
                dead_letter::decided_at.eq(Instant::from(now)),
            ))
            .execute(conn)?;
        let change = Change::field("dead_letter.dismiss", "dead_letter", &id, "state", "open", "dismissed");
        record::record(conn, &actor, now, vec![change.because(&reason)])
    })
}
