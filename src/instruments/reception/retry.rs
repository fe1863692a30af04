//! Trying a dead letter again: a file that nobody could read is read by the adapters of today, bytes of a listener are
//! taken in, a file of a folder is looked at again.

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::files::{companions, file_of};
use super::folders;
use super::letters::{letter_of, shortened};
use super::matching::{Ways, match_samples};
use super::read::{options, read};
use super::staged::{as_read, days, observations_of};
use super::take_in::{self, Incoming, Says, TakenFile};
use crate::action::{Action, Context, Facts, Services, Subject};
use crate::insert_all;
use crate::instruments::refusals::InstrumentRefusal;
use crate::instruments::register::{self, row_of};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::{DeadLetterId, Instant, InstrumentFileId, InstrumentId, Json};
use crate::store::revisions::Revised;
use crate::store::rows::{DeadLetterRow, InstrumentFileRow, InstrumentRow, ObservationRow};
use crate::store::schema::{dead_letter, instrument_file, observation};
use crate::store::views::ProblemView;
use crate::vocabulary::Permission;
use crate::vocabulary::instruments::{DeadLetterEvent, FileEvent, FileState, LetterCode, RetryOutcome};

/// Tries a dead letter again.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryLetter {
    pub id: DeadLetterId,
}

/// What a retry came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Retried {
    pub state: RetryOutcome,
    /// Why it failed again
    pub reason: Option<String>,
    pub file_id: Option<InstrumentFileId>,
}

/// What can be tried with a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// The file is kept: it is read again in its place.
    ReadAgain(InstrumentFileId),
    /// The bytes are kept: they are taken in.
    TakeIn(String),
    /// The file lies in a folder: it is looked at again.
    Ask(InstrumentId, String),
}

/// What can be tried with a letter. Pure.
fn step(letter: &DeadLetterRow) -> Result<Step, InstrumentRefusal> {
    letter.state.on(DeadLetterEvent::Resolve)?;
    match (&letter.instrument_file_id, &letter.sha256, &letter.path, &letter.instrument_id) {
        (Some(file), ..) => Ok(Step::ReadAgain(file.clone())),
        (None, Some(sha256), ..) => Ok(Step::TakeIn(sha256.clone())),
        (None, None, Some(path), Some(instrument)) => Ok(Step::Ask(instrument.clone(), path.clone())),
        _ => Err(InstrumentRefusal::NothingToTry),
    }
}

/// What taking the bytes of a letter in means for the letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AfterTaking {
    Resolved,
    /// Two equal printouts are two weighings: only a person can say that the second one is nothing.
    SameContent,
    /// Taken in, but nobody reads it: the taking-in found this letter by its bytes and counted the try.
    StillUnread,
}

/// What taking the bytes of a letter in means for the letter. Pure.
fn after_taking(code: LetterCode, taken: &TakenFile) -> AfterTaking {
    if taken.known && code == LetterCode::SameContent {
        AfterTaking::SameContent
    } else if taken.state == FileState::Unread && !taken.known {
        AfterTaking::StillUnread
    } else {
        AfterTaking::Resolved
    }
}

/// A file that was read again.
#[derive(Clone)]
pub struct Reread {
    row: InstrumentFileRow,
    observations: Vec<ObservationRow>,
    problems: Vec<ProblemView>,
}

/// What was made ready.
#[derive(Clone, Default)]
pub enum Tried {
    #[default]
    Nothing,
    /// The file as read, or why nobody reads it.
    ReadAgain(Box<Again>),
    TakeIn(Box<take_in::Prepared>),
}

/// A file that was read again, or why nobody reads it.
#[derive(Clone)]
pub struct Again {
    machine: Option<InstrumentRow>,
    outcome: Result<Reread, String>,
}

/// What is decided from.
pub struct LetterFound {
    letter: DeadLetterRow,
    tried: Ready,
}

enum Ready {
    Ask,
    ReadAgain { state: FileState, again: Box<Again>, says: Says },
    TakeIn(Box<take_in::Met>),
}

/// What is done.
pub enum RetryPlan {
    Ask(InstrumentId, String),
    FailedAgain(String),
    Stage { row: InstrumentFileRow, observations: Vec<ObservationRow>, ways: Ways },
    TakeIn(Box<take_in::TakePlan>),
}

impl Action for RetryLetter {
    const NAME: &'static str = "dead_letter.retry";
    const PERMISSION: Permission = Permission::DeadLetterDecide;
    type Prepared = Tried;
    type Loaded = LetterFound;
    type Plan = RetryPlan;
    type Done = Retried;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::DeadLetter, &self.id))
    }

    fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<Tried> {
        let own = actor.institute()?;
        let (letter, machine) = services.db.read(|conn| {
            let letter = letter_of(conn, &own, &self.id)?;
            let machine = letter.instrument_id.as_ref().map(|id| row_of(conn, &own, id)).transpose()?;
            Ok((letter, machine))
        })?;
        match step(&letter)? {
            Step::Ask(..) => Ok(Tried::Nothing),
            Step::ReadAgain(id) => {
                let file = services.db.read(|conn| file_of(conn, &own, &id))?;
                file.state.on(FileEvent::ReadAgain).map_err(InstrumentRefusal::from)?;
                let outcome = reread(services, file, machine.as_ref())?;
                Ok(Tried::ReadAgain(Box::new(Again { machine, outcome })))
            }
            Step::TakeIn(sha256) => {
                let incoming = Incoming {
                    name: letter.name,
                    bytes: services.files.get(&sha256)?,
                    beside: Vec::new(),
                    source: letter.source,
                    path: letter.path,
                    instrument: machine,
                    seen: None,
                };
                Ok(Tried::TakeIn(Box::new(take_in::prepare(services, actor, &incoming)?)))
            }
        }
    }

    fn load(&self, cx: &mut Context<'_>, tried: &Tried) -> Outcome<LetterFound> {
        let own = cx.institute()?;
        let letter = letter_of(cx.conn, &own, &self.id)?;
        let tried = match tried {
            Tried::Nothing => Ready::Ask,
            Tried::TakeIn(prepared) => Ready::TakeIn(Box::new(take_in::load(cx, prepared)?)),
            Tried::ReadAgain(again) => {
                let says = match &again.outcome {
                    Ok(reread) => take_in::says(cx.conn, &reread.row, &reread.observations)?,
                    Err(_) => Says::default(),
                };
                let file = letter.instrument_file_id.clone().ok_or(InstrumentRefusal::NothingToTry)?;
                let state = file_of(cx.conn, &own, &file)?.state;
                Ready::ReadAgain { state, again: again.clone(), says }
            }
        };
        Ok(LetterFound { letter, tried })
    }

    fn decide(&self, facts: &Facts<'_>, found: &LetterFound) -> Result<RetryPlan, Refusal> {
        let step = step(&found.letter)?;
        match (&found.tried, step) {
            (Ready::Ask, Step::Ask(instrument, path)) => Ok(RetryPlan::Ask(instrument, path)),
            (Ready::TakeIn(met), Step::TakeIn(_)) => {
                Ok(RetryPlan::TakeIn(Box::new(take_in::decide(facts.today(), met)?)))
            }
            (Ready::ReadAgain { state, again, says }, Step::ReadAgain(_)) => {
                state.on(FileEvent::ReadAgain).map_err(InstrumentRefusal::from)?;
                staged(facts.today(), again, says)
            }
            // Somebody else tried it in between.
            _ => Err(InstrumentRefusal::TakenMeanwhile.into()),
        }
    }

    fn keep(&self, cx: &mut Context<'_>, found: LetterFound, plan: RetryPlan) -> Outcome<Retried> {
        let letter = &found.letter;
        match plan {
            RetryPlan::Ask(instrument, path) => {
                folders::ask_again(cx.conn, &instrument, &path)?;
                cx.record(Change::field(Self::NAME, "dead_letter", &letter.id, "path", (), path));
                Ok(Retried { state: RetryOutcome::Queued, reason: None, file_id: None })
            }
            RetryPlan::FailedAgain(reason) => failed_again(cx, letter, &reason),
            RetryPlan::Stage { row, observations, ways } => {
                stage(cx, &row, &observations)?;
                let event = FileState::Unread;
                let change = Change::field(
                    "instrument_file.read_again",
                    "instrument_file",
                    &row.id,
                    "state",
                    event.as_str(),
                    row.state.as_str(),
                );
                cx.record(
                    change.and("adapter", (), row.adapter.clone()).and("observations", (), observations.len()).and(
                        "matched",
                        (),
                        serde_json::json!(ways),
                    ),
                );
                resolved(cx, letter, &row.id)
            }
            RetryPlan::TakeIn(plan) => {
                let taken = take_in::keep(cx, *plan)?;
                match after_taking(letter.code, &taken) {
                    AfterTaking::Resolved => resolved(cx, letter, &taken.id),
                    AfterTaking::SameContent => failed_again(cx, letter, &letter.reason),
                    AfterTaking::StillUnread => {
                        let reason = dead_letter::table.find(&letter.id).select(dead_letter::reason).first(cx.conn)?;
                        Ok(Retried { state: RetryOutcome::Open, reason: Some(reason), file_id: Some(taken.id) })
                    }
                }
            }
        }
    }
}

/// Has a kept file read by the adapters of today.
fn reread(
    services: &Services,
    mut file: InstrumentFileRow,
    machine: Option<&InstrumentRow>,
) -> Outcome<Result<Reread, String>> {
    let bytes = services.files.get(&file.sha256)?;
    let adapter = machine.and_then(|one| one.adapter.as_deref());
    let options = options(machine, companions(services, &file.id)?);
    match read(services, &file.name, &bytes, adapter, &options) {
        Ok(explained) => {
            let problems = as_read(&mut file, &explained.parsed).map_err(InstrumentRefusal::from)?;
            let observations = observations_of(&file.id, &explained.parsed);
            Ok(Ok(Reread { row: file, observations, problems }))
        }
        Err(why) => Ok(Err(why.to_string())),
    }
}

/// What a file that was read again becomes. Pure.
fn staged(today: NaiveDate, again: &Again, says: &Says) -> Result<RetryPlan, Refusal> {
    let reread = match &again.outcome {
        Ok(reread) => reread,
        Err(why) => return Ok(RetryPlan::FailedAgain(format!("没有适配器能识别该文件：{why} / {why}"))),
    };
    let Reread { mut row, mut observations, mut problems } = reread.clone();
    if let Some(machine) = &again.machine {
        problems.extend(register::against(&machine.code, &says.calibrations, &days(&observations, today)));
    }
    row.problems = Json::of(&problems);
    let ways = match_samples(&says.finder, &mut observations)?;
    Ok(RetryPlan::Stage { row, observations, ways })
}

/// Keeps a file that was read again: it becomes staged in its place.
fn stage(cx: &mut Context<'_>, fresh: &InstrumentFileRow, observations: &[ObservationRow]) -> Outcome<()> {
    diesel::update(instrument_file::table.find(&fresh.id))
        .set((
            instrument_file::state.eq(fresh.state),
            instrument_file::adapter.eq(&fresh.adapter),
            instrument_file::adapter_version.eq(&fresh.adapter_version),
            instrument_file::complete.eq(fresh.complete),
            instrument_file::run.eq(&fresh.run),
            instrument_file::problems.eq(&fresh.problems),
        ))
        .execute(cx.conn)?;
    insert_all!(cx.conn, observation::table, observations)?;
    Ok(())
}

fn failed_again(cx: &mut Context<'_>, letter: &DeadLetterRow, reason: &str) -> Outcome<Retried> {
    let reason = shortened(reason);
    let state = letter.state.on(DeadLetterEvent::FailAgain).map_err(InstrumentRefusal::from)?;
    diesel::update(dead_letter::table.find(&letter.id))
        .set((
            dead_letter::state.eq(state),
            dead_letter::tries.eq(dead_letter::tries + 1),
            dead_letter::last_at.eq(Instant::from(cx.now)),
            dead_letter::reason.eq(&reason),
        ))
        .execute(cx.conn)?;
    let tries = (letter.tries, letter.tries + 1);
    cx.record(Change::field(RetryLetter::NAME, "dead_letter", &letter.id, "tries", tries.0, tries.1));
    let file_id = letter.instrument_file_id.clone();
    Ok(Retried { state: RetryOutcome::Open, reason: Some(reason), file_id })
}

fn resolved(cx: &mut Context<'_>, letter: &DeadLetterRow, file: &InstrumentFileId) -> Outcome<Retried> {
    let state = letter.state.on(DeadLetterEvent::Resolve).map_err(InstrumentRefusal::from)?;
    diesel::update(dead_letter::table.find(&letter.id))
        .set((
            dead_letter::state.eq(state),
            dead_letter::instrument_file_id.eq(file),
            dead_letter::decided_by.eq(&cx.actor.account),
            dead_letter::decided_at.eq(Instant::from(cx.now)),
        ))
        .execute(cx.conn)?;
    let (before, after) = (letter.state.as_str(), state.as_str());
    let change = Change::field(RetryLetter::NAME, "dead_letter", &letter.id, "state", before, after);
    cx.record(change.and("file", (), file.to_string()));
    Ok(Retried { state: RetryOutcome::Resolved, reason: None, file_id: Some(file.clone()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instruments::reception::take_in::tests::{row, seen};
    use crate::vocabulary::instruments::{DeadLetterState, FileSource};

    fn letter() -> DeadLetterRow {
        let at = Instant::from(chrono::DateTime::UNIX_EPOCH);
        DeadLetterRow {
            id: "l".into(),
            institute_id: "i".into(),
            instrument_id: None,
            source: FileSource::Upload,
            name: "a.txt".into(),
            path: None,
            code: LetterCode::NotRecognised,
            reason: "r".into(),
            sha256: None,
            size: None,
            tries: 1,
            first_at: at.clone(),
            last_at: at,
            state: DeadLetterState::Open,
            state_reason: None,
            decided_by: None,
            decided_at: None,
            instrument_file_id: None,
        }
    }

    #[test]
    fn a_file_comes_before_bytes_and_bytes_before_a_folder() {
        let folder = DeadLetterRow { path: Some("d/a.txt".into()), instrument_id: Some("m".into()), ..letter() };
        assert_eq!(step(&folder), Ok(Step::Ask("m".into(), "d/a.txt".into())));
        let bytes = DeadLetterRow { sha256: Some("00".into()), ..folder };
        assert_eq!(step(&bytes), Ok(Step::TakeIn("00".into())));
        let file = DeadLetterRow { instrument_file_id: Some("f".into()), ..bytes };
        assert_eq!(step(&file), Ok(Step::ReadAgain("f".into())));
        assert_eq!(step(&letter()), Err(InstrumentRefusal::NothingToTry));
    }

    #[test]
    fn what_was_decided_about_is_not_tried() {
        let over = DeadLetterRow { state: DeadLetterState::Dismissed, sha256: Some("00".into()), ..letter() };
        assert!(matches!(step(&over), Err(InstrumentRefusal::State(_))));
    }

    #[test]
    fn a_second_equal_weighing_stays_for_a_person() {
        let taken = |known, state| TakenFile { id: "f".into(), known, state };
        let same = after_taking(LetterCode::SameContent, &taken(true, FileState::Staged));
        assert_eq!(same, AfterTaking::SameContent);
        let again = after_taking(LetterCode::Framing, &taken(true, FileState::Staged));
        assert_eq!(again, AfterTaking::Resolved);
        let unread = after_taking(LetterCode::Framing, &taken(false, FileState::Unread));
        assert_eq!(unread, AfterTaking::StillUnread);
        assert_eq!(after_taking(LetterCode::Framing, &taken(false, FileState::Staged)), AfterTaking::Resolved);
    }

    #[test]
    fn a_file_that_is_read_again_is_staged_in_its_place() {
        let read = Reread { row: row("a.txt"), observations: vec![seen("S1")], problems: Vec::new() };
        let again = Again { machine: None, outcome: Ok(read) };
        let plan = staged(NaiveDate::default(), &again, &Says::default()).expect("a plan");
        assert!(matches!(plan, RetryPlan::Stage { row, .. } if row.problems.as_str() == "[]"));
        let again = Again { machine: None, outcome: Err("nobody".into()) };
        let plan = staged(NaiveDate::default(), &again, &Says::default()).expect("a plan");
        assert!(matches!(plan, RetryPlan::FailedAgain(why) if why.contains("nobody")));
    }
}
