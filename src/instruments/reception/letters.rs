//! Dead letters: what could not be taken in, with the reason and the bytes where there are any. A person has it tried
//! again, or dismisses it with a reason.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::action::{Action, Context, Facts, Services, Subject, TakenBack, act_as_program};
use crate::instruments::refusals::InstrumentRefusal;
use crate::record::{Actor, Author, Change};
use crate::refusal::Refusal;
use crate::store::columns::{AccountId, DeadLetterId, Instant, InstituteId, InstrumentFileId, InstrumentId};
use crate::store::revisions::Revised;
use crate::store::rows::{DeadLetterRow, InstrumentRow};
use crate::store::schema::{dead_letter, instrument, instrument_file};
use crate::store::views::Reader;
use crate::store::views::keyset::{self, After, Part};
use crate::store::{AnyConnection, Outcome};
use crate::text;
use crate::vocabulary::Permission;
use crate::vocabulary::instruments::{DeadLetterEvent, DeadLetterState, FileSource, FileState, LetterCode};

/// The longest reason that a letter keeps, in characters.
const REASON: usize = 4000;

/// Something that could not be taken in.
#[derive(Clone, Debug)]
pub struct Letter {
    pub instrument: Option<InstrumentId>,
    pub source: FileSource,
    pub name: String,
    pub path: Option<String>,
    pub code: LetterCode,
    /// One sentence, Chinese and English, with ` / ` between
    pub reason: String,
    pub sha256: Option<String>,
    pub size: Option<i64>,
    pub file: Option<InstrumentFileId>,
}

/// A dead letter as a list shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DeadLetterView {
    pub id: DeadLetterId,
    pub institute_id: InstituteId,
    pub instrument_id: Option<InstrumentId>,
    pub source: FileSource,
    pub name: String,
    pub path: Option<String>,
    pub code: LetterCode,
    pub reason: String,
    pub sha256: Option<String>,
    pub size: Option<i64>,
    pub tries: i64,
    pub first_at: Instant,
    pub last_at: Instant,
    pub state: DeadLetterState,
    pub state_reason: Option<String>,
    pub decided_by: Option<AccountId>,
    pub decided_at: Option<Instant>,
    pub instrument_file_id: Option<InstrumentFileId>,
    pub instrument_code: Option<String>,
    /// What a decision about it is made on
    pub revision: i64,
}

impl DeadLetterView {
    fn of((row, revision, instrument_code): (DeadLetterRow, i64, Option<String>)) -> Self {
        Self {
            id: row.id,
            institute_id: row.institute_id,
            instrument_id: row.instrument_id,
            source: row.source,
            name: row.name,
            path: row.path,
            code: row.code,
            reason: row.reason,
            sha256: row.sha256,
            size: row.size,
            tries: row.tries,
            first_at: row.first_at,
            last_at: row.last_at,
            state: row.state,
            state_reason: row.state_reason,
            decided_by: row.decided_by,
            decided_at: row.decided_at,
            instrument_file_id: row.instrument_file_id,
            instrument_code,
            revision,
        }
    }
}

/// Keeps what could not be taken in. The same thing from the same place is one letter that counts its tries.
#[derive(Clone, Debug)]
struct KeepLetter {
    letter: Letter,
    bytes: Option<Vec<u8>>,
}

impl Action for KeepLetter {
    const NAME: &'static str = "dead_letter.keep";
    const PERMISSION: Permission = Permission::InstrumentUpload;
    /// Under which content the bytes are kept.
    type Prepared = Option<(String, Option<i64>)>;
    type Loaded = Letter;
    type Plan = ();
    type Done = ();

    fn prepare(&self, services: &Services, _: &Actor) -> Outcome<Self::Prepared> {
        let Some(bytes) = self.bytes.as_ref().filter(|bytes| !bytes.is_empty()) else { return Ok(None) };
        Ok(Some((services.files.put(bytes)?, i64::try_from(bytes.len()).ok())))
    }

    fn load(&self, _: &mut Context<'_>, kept: &Self::Prepared) -> Outcome<Letter> {
        let mut letter = self.letter.clone();
        if let Some((sha256, size)) = kept {
            (letter.sha256, letter.size) = (Some(sha256.clone()), *size);
        }
        Ok(letter)
    }

    fn decide(&self, _: &Facts<'_>, _: &Letter) -> Result<(), Refusal> {
        Ok(())
    }

    fn keep(&self, cx: &mut Context<'_>, letter: Letter, (): ()) -> Outcome<()> {
        let own = cx.institute()?;
        put_in(cx, &own, &letter)
    }
}

/// Keeps what could not be taken in, in the name of the instrument that it comes from; `bytes` go to the files.
///
/// # Errors
/// The store's failure.
pub fn put(services: &Services, actor: &Actor, letter: Letter, bytes: Option<&[u8]>) -> Outcome<()> {
    let action = KeepLetter { letter, bytes: bytes.map(<[u8]>::to_vec) };
    act_as_program(services, actor, Author::from(actor), action)
}

/// How many letters of an instrument wait that came over its listener, counted up to `most`.
///
/// # Errors
/// The store's failure.
pub fn open_letters(services: &Services, of: &InstrumentRow, most: i64) -> Outcome<i64> {
    let listeners = [FileSource::Lis2, FileSource::Mllp, FileSource::Lines];
    services.db.read(|conn| {
        let open: Vec<DeadLetterId> = dead_letter::table
            .filter(dead_letter::institute_id.eq(&of.institute_id))
            .filter(dead_letter::state.eq(DeadLetterState::Open))
            .filter(dead_letter::instrument_id.eq(&of.id))
            .filter(dead_letter::source.eq_any(listeners))
            .select(dead_letter::id)
            .limit(most)
            .load(conn)?;
        Ok(i64::try_from(open.len()).unwrap_or(i64::MAX))
    })
}

/// A reason as it is kept.
pub(super) fn shortened(reason: &str) -> String {
    reason.chars().take(REASON).collect()
}

/// Keeps a letter inside the transaction of a larger action.
pub(super) fn put_in(cx: &mut Context<'_>, own: &InstituteId, letter: &Letter) -> Outcome<()> {
    let at = &Instant::from(cx.now);
    if let Some(old) = same(cx.conn, own, letter)? {
        diesel::update(dead_letter::table.find(&old))
            .set((
                dead_letter::tries.eq(dead_letter::tries + 1),
                dead_letter::last_at.eq(at),
                dead_letter::code.eq(letter.code),
                dead_letter::reason.eq(shortened(&letter.reason)),
                dead_letter::sha256.eq(&letter.sha256),
                dead_letter::size.eq(letter.size),
                dead_letter::instrument_file_id.eq(&letter.file),
            ))
            .execute(cx.conn)?;
        cx.record(Change::field(KeepLetter::NAME, "dead_letter", &old, "code", (), letter.code.as_str()));
        return Ok(());
    }
    let row = DeadLetterRow {
        id: DeadLetterId::new(),
        institute_id: own.clone(),
        instrument_id: letter.instrument.clone(),
        source: letter.source,
        name: letter.name.clone(),
        path: letter.path.clone(),
        code: letter.code,
        reason: shortened(&letter.reason),
        sha256: letter.sha256.clone(),
        size: letter.size,
        tries: 1,
        first_at: at.clone(),
        last_at: at.clone(),
        state: DeadLetterState::Open,
        state_reason: None,
        decided_by: None,
        decided_at: None,
        instrument_file_id: letter.file.clone(),
    };
    diesel::insert_into(dead_letter::table).values(&row).execute(cx.conn)?;
    let content = json!({"name": row.name, "source": row.source, "code": row.code, "sha256": row.sha256});
    cx.record(Change::created(KeepLetter::NAME, "dead_letter", &row.id, content));
    Ok(())
}

/// An open letter of the same place, or of the same bytes.
fn same(conn: &mut AnyConnection, own: &InstituteId, letter: &Letter) -> Outcome<Option<DeadLetterId>> {
    let mut query = dead_letter::table
        .filter(dead_letter::institute_id.eq(own))
        .filter(dead_letter::state.eq(DeadLetterState::Open))
        .into_boxed();
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
    cx: &mut Context<'_>,
    own: &InstituteId,
    instrument: &InstrumentId,
    path: &str,
    file: &InstrumentFileId,
) -> Outcome<()> {
    let open: Vec<DeadLetterId> = dead_letter::table
        .filter(dead_letter::institute_id.eq(own))
        .filter(dead_letter::instrument_id.eq(instrument))
        .filter(dead_letter::path.eq(path))
        .filter(dead_letter::state.eq(DeadLetterState::Open))
        .filter(dead_letter::instrument_file_id.is_null())
        .select(dead_letter::id)
        .load(cx.conn)?;
    for id in &open {
        diesel::update(dead_letter::table.find(id))
            .set((
                dead_letter::state.eq(DeadLetterState::Resolved),
                dead_letter::instrument_file_id.eq(file),
                dead_letter::decided_at.eq(Instant::from(cx.now)),
            ))
            .execute(cx.conn)?;
        let (old, new) = (DeadLetterState::Open.as_str(), DeadLetterState::Resolved.as_str());
        let change = Change::field("dead_letter.resolve", "dead_letter", id, "state", old, new);
        cx.record(change.and("file", (), file.to_string()));
    }
    Ok(())
}

/// Which dead letters are asked for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub struct LetterFilter {
    pub state: Option<DeadLetterState>,
    /// The id of an instrument
    pub instrument: Option<InstrumentId>,
    /// How many at most: 1 to 500, 100 without it
    pub limit: Option<i64>,
    /// Behind which row the part begins: `next` of the part before
    pub after: Option<String>,
    /// How many are skipped, at most 10 000; `after` goes further
    pub offset: Option<i64>,
}

/// The letters of the reader's institute, the newest first. Three statements, however many rows.
///
/// # Errors
/// A cursor that this list did not give, and the store's failure.
pub fn dead_letters(services: &Services, reader: &Reader, filter: &LetterFilter) -> Outcome<Part<DeadLetterView>> {
    let own = reader.staff()?;
    let (after, limit, offset) =
        (After::parse(filter.after.as_deref())?, keyset::limit(filter.limit), keyset::offset(filter.offset)?);
    services.db.read(|conn| {
        let filtered = || {
            let mut query = dead_letter::table
                .left_join(instrument::table.on(dead_letter::instrument_id.eq(instrument::id.nullable())))
                .left_join(
                    instrument_file::table.on(dead_letter::instrument_file_id.eq(instrument_file::id.nullable())),
                )
                .filter(dead_letter::institute_id.eq(own.clone()))
                .into_boxed();
            if let Some(state) = filter.state {
                query = query.filter(dead_letter::state.eq(state));
            }
            if filter.state == Some(DeadLetterState::Open) {
                // A file that was decided about in the inbox needs nobody any more.
                let waits =
                    instrument_file::state.is_null().or(instrument_file::state.eq(FileState::Unread).assume_not_null());
                query = query.filter(waits);
            }
            if let Some(id) = &filter.instrument {
                query = query.filter(dead_letter::instrument_id.eq(id.clone()));
            }
            query
        };
        let order = (dead_letter::last_at.desc(), dead_letter::id.desc());
        let beyond: Option<DeadLetterId> =
            filtered().select(dead_letter::id).order(order).offset(keyset::COUNTED).limit(1).first(conn).optional()?;
        let total = match &beyond {
            Some(_) => keyset::COUNTED,
            None => filtered().count().get_result(conn)?,
        };
        let mut part = filtered();
        if let Some(After { at, id }) = &after {
            part = part
                .filter(dead_letter::last_at.le(at.clone()))
                .filter(dead_letter::last_at.lt(at.clone()).or(dead_letter::id.lt(id.clone())));
        }
        let mut rows: Vec<(DeadLetterRow, i64, Option<String>)> = part
            .order(order)
            .limit(limit + 1)
            .offset(offset)
            .select((DeadLetterRow::as_select(), dead_letter::revision, instrument::code.nullable()))
            .load(conn)?;
        let next = keyset::next(&mut rows, limit, |(row, ..)| After::of(&row.last_at, &row.id));
        let items = rows.into_iter().map(DeadLetterView::of).collect();
        Ok(Part { total, total_at_least: beyond.is_some(), items, next })
    })
}

/// One letter.
///
/// # Errors
/// Where the reader's institute has none of this id.
pub fn dead_letter(services: &Services, reader: &Reader, id: &DeadLetterId) -> Outcome<DeadLetterView> {
    let own = reader.staff()?;
    let found: Option<(DeadLetterRow, i64, Option<String>)> = services.db.read(|conn| {
        Ok(dead_letter::table
            .left_join(instrument::table.on(dead_letter::instrument_id.eq(instrument::id.nullable())))
            .filter(dead_letter::id.eq(id))
            .filter(dead_letter::institute_id.eq(own))
            .select((DeadLetterRow::as_select(), dead_letter::revision, instrument::code.nullable()))
            .first(conn)
            .optional()?)
    })?;
    found.map(DeadLetterView::of).ok_or_else(|| InstrumentRefusal::NoLetter(id.to_string()).into())
}

pub(super) fn letter_of(conn: &mut AnyConnection, own: &InstituteId, id: &DeadLetterId) -> Outcome<DeadLetterRow> {
    let found: Option<DeadLetterRow> = dead_letter::table
        .find(id)
        .filter(dead_letter::institute_id.eq(own))
        .select(DeadLetterRow::as_select())
        .first(conn)
        .optional()?;
    found.ok_or_else(|| InstrumentRefusal::NoLetter(id.to_string()).into())
}

/// The name and the bytes of a letter.
///
/// # Errors
/// Where it has none.
pub fn letter_content(services: &Services, reader: &Reader, id: &DeadLetterId) -> Outcome<(String, Vec<u8>)> {
    let own = reader.staff()?;
    let row = services.db.read(|conn| letter_of(conn, own, id))?;
    let sha256 = row.sha256.ok_or_else(|| InstrumentRefusal::NoContent(id.to_string()))?;
    Ok((row.name, services.files.get(&sha256)?))
}

/// Dismisses a letter: nobody needs what is in it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DismissLetter {
    pub id: DeadLetterId,
    pub reason: String,
}

impl Action for DismissLetter {
    const NAME: &'static str = "dead_letter.dismiss";
    const PERMISSION: Permission = Permission::DeadLetterDecide;
    type Prepared = ();
    type Loaded = DeadLetterRow;
    type Plan = (DeadLetterState, String);
    type Done = ();

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::DeadLetter, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<DeadLetterRow> {
        let own = cx.institute()?;
        letter_of(cx.conn, &own, &self.id)
    }

    fn decide(&self, _: &Facts<'_>, old: &DeadLetterRow) -> Result<Self::Plan, Refusal> {
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        let state = old.state.on(DeadLetterEvent::Dismiss).map_err(InstrumentRefusal::from)?;
        Ok((state, reason))
    }

    fn keep(&self, cx: &mut Context<'_>, old: DeadLetterRow, (state, reason): Self::Plan) -> Outcome<()> {
        diesel::update(dead_letter::table.find(&self.id))
            .set((
                dead_letter::state.eq(state),
                dead_letter::state_reason.eq(&reason),
                dead_letter::decided_by.eq(&cx.actor.account),
                dead_letter::decided_at.eq(Instant::from(cx.now)),
            ))
            .execute(cx.conn)?;
        let change = Change::field(Self::NAME, "dead_letter", &self.id, "state", old.state.as_str(), state.as_str());
        cx.record(change.because(reason));
        Ok(())
    }
}

/// Takes back that a letter was dismissed: somebody needs what is in it after all.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreLetter {
    pub id: DeadLetterId,
    pub reason: String,
}

impl Action for RestoreLetter {
    const NAME: &'static str = "dead_letter.restore";
    const PERMISSION: Permission = Permission::DeadLetterDecide;
    type Prepared = ();
    type Loaded = DeadLetterRow;
    type Plan = (DeadLetterState, String);
    type Done = ();

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::DeadLetter, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<DeadLetterRow> {
        let own = cx.institute()?;
        letter_of(cx.conn, &own, &self.id)
    }

    fn decide(&self, _: &Facts<'_>, old: &DeadLetterRow) -> Result<Self::Plan, Refusal> {
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        let state = old.state.on(DeadLetterEvent::Restore).map_err(InstrumentRefusal::from)?;
        Ok((state, reason))
    }

    fn keep(&self, cx: &mut Context<'_>, old: DeadLetterRow, (state, reason): Self::Plan) -> Outcome<()> {
        let taken = TakenBack {
            of: ("dead_letter", self.id.as_str()),
            was: old.state.as_str(),
            becomes: state.as_str(),
            was_because: old.state_reason.as_deref(),
            reason: &reason,
        };
        cx.take_back(Revised::DeadLetter, &taken)?;
        diesel::update(dead_letter::table.find(&self.id))
            .set((
                dead_letter::state.eq(state),
                dead_letter::state_reason.eq(None::<String>),
                dead_letter::decided_by.eq(None::<AccountId>),
                dead_letter::decided_at.eq(None::<Instant>),
            ))
            .execute(cx.conn)?;
        let change = Change::field(Self::NAME, "dead_letter", &self.id, "state", old.state.as_str(), state.as_str());
        cx.record(change.because(reason));
        Ok(())
    }
}
