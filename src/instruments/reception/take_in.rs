//! Taking one file in, by whichever way it came: kept by content, read, matched, staged. One transaction a file.

use chrono::NaiveDate;
use diesel::prelude::*;
use instrument_adapters::{Companion, NotRecognised, Parsed};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::files::machine_of;
use super::folders::{self, Became, SeenFile};
use super::letters::{self, Letter};
use super::matching::{Finder, MatchedFile, Ways, match_samples};
use super::read::{companions_wanted, options, parse};
use super::staged::{UNREAD, as_read, days, not_recognised, observations_of, problem};
use super::versions::{self, Earlier};
use crate::action::{Action, Context, Facts, Services, act, act_as_program};
use crate::insert_all;
use crate::instruments::refusals::InstrumentRefusal;
use crate::instruments::register::{self, rule_of};
use crate::record::{Actor, Author, Change};
use crate::refusal::Refusal;
use crate::store::blobs::sha256_hex;
use crate::store::columns::{InstituteId, InstrumentFileId, Json};
use crate::store::rows::{CalibrationRow, CompanionFileRow, InstrumentFileRow, InstrumentRow, ObservationRow};
use crate::store::schema::{companion_file, instrument_file, observation};
use crate::store::views::ProblemView;
use crate::store::{AnyConnection, Outcome};
use crate::text;
use crate::vocabulary::Permission;
use crate::vocabulary::instruments::{FileSource, FileState, FolderEntryState, LetterCode};

/// The largest file that is taken in, in bytes; adapters may set less.
pub const LARGEST: usize = 32 * 1024 * 1024;

/// A file on its way in.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Its name without folder.
    pub name: String,
    pub bytes: Vec<u8>,
    /// Files of the same folder that may belong to it; what its adapter does not declare is left out.
    pub beside: Vec<Companion>,
    pub source: FileSource,
    /// Its path below the watched folder.
    pub path: Option<String>,
    pub instrument: Option<InstrumentRow>,
    /// What the watcher remembers of it.
    pub seen: Option<SeenFile>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TakenFile {
    pub id: InstrumentFileId,
    /// The same content was taken in before: this is that import
    pub known: bool,
    /// `staged` or `unread`; whatever it is by now where it was known
    pub state: FileState,
}

/// A file with its name.
#[derive(Clone, Debug)]
pub struct NamedFile {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Takes a file in. The same content twice is one import; other content under the name of an earlier file of the
/// same instrument is a new version of it. A file that no adapter reads is kept and said so.
#[derive(Clone, Debug)]
pub struct UploadFile(pub Incoming);

impl Action for UploadFile {
    const NAME: &'static str = "file.upload";
    const PERMISSION: Permission = Permission::InstrumentUpload;
    type Prepared = Prepared;
    type Loaded = Met;
    type Plan = TakePlan;
    type Done = TakenFile;

    fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<Prepared> {
        prepare(services, actor, &self.0)
    }

    fn load(&self, cx: &mut Context<'_>, prepared: &Prepared) -> Outcome<Met> {
        load(cx, prepared)
    }

    fn decide(&self, facts: &Facts<'_>, met: &Met) -> Result<TakePlan, Refusal> {
        decide(facts.today(), met)
    }

    fn keep(&self, cx: &mut Context<'_>, _: Met, plan: TakePlan) -> Outcome<TakenFile> {
        keep(cx, plan)
    }
}

/// A file that was read before the transaction; the reading may take long and runs in a process of its own.
#[derive(Clone, Default)]
pub struct Prepared {
    sha256: String,
    instrument: Option<InstrumentRow>,
    seen: Option<SeenFile>,
    /// None where the same content was taken in before: then nothing is read again.
    draft: Option<FileRecord>,
}

/// A file as it will be stored, but for what the database says to it.
#[derive(Clone)]
pub struct FileRecord {
    row: InstrumentFileRow,
    observations: Vec<ObservationRow>,
    problems: Vec<ProblemView>,
    companions: Vec<CompanionFileRow>,
    letter: Option<Letter>,
}

/// What the database says to a file.
pub struct Met {
    prepared: Prepared,
    /// The import of the same content.
    known: Option<TakenFile>,
    says: Says,
}

/// What the register, the earlier files and the samples say to a file that was read.
#[derive(Default)]
pub struct Says {
    pub(super) calibrations: Vec<CalibrationRow>,
    pub(super) earlier: Vec<Earlier>,
    pub(super) finder: Finder,
}

/// What is kept of a file.
pub struct TakePlan {
    of: Prepared,
    taken: TakenFile,
    ways: Ways,
}

/// Reads a file, unless its content is known.
///
/// # Errors
/// Where the name is not a file's name, or the file is empty or too large.
pub(super) fn prepare(services: &Services, actor: &Actor, new: &Incoming) -> Outcome<Prepared> {
    let name = text::required_as_filed("name", &new.name, text::TEXT)?;
    let own = actor.institute()?;
    if new.bytes.is_empty() {
        return Err(InstrumentRefusal::FileEmpty.into());
    }
    if new.bytes.len() > LARGEST {
        return Err(InstrumentRefusal::FileTooLarge.into());
    }
    let sha256 = sha256_hex(&new.bytes);
    let known = services.db.read(|conn| of_content(conn, &own, &sha256))?.is_some();
    let draft = if known { None } else { Some(draft(services, actor, own, new, (name, &sha256))?) };
    Ok(Prepared { sha256, instrument: new.instrument.clone(), seen: new.seen.clone(), draft })
}

fn draft(
    services: &Services,
    actor: &Actor,
    own: InstituteId,
    new: &Incoming,
    (name, sha256): (String, &str),
) -> Outcome<FileRecord> {
    let adapter = new.instrument.as_ref().and_then(|one| one.adapter.as_deref());
    let wanted =
        if new.beside.is_empty() { Vec::new() } else { companions_wanted(services, &name, &new.bytes, adapter) };
    let belongs = |one: &&Companion| wanted.iter().any(|name| name.eq_ignore_ascii_case(&one.name));
    let beside: Vec<Companion> = new.beside.iter().filter(belongs).cloned().collect();
    let options = options(new.instrument.as_ref(), beside.clone());
    let outcome = parse(services, &name, &new.bytes, adapter, &options);
    services.files.put(&new.bytes)?;
    let row = unread(actor, own, new, (name, sha256), services.clock.now().into());
    let mut companions = Vec::with_capacity(beside.len());
    for one in beside {
        companions.push(CompanionFileRow {
            instrument_file_id: row.id.clone(),
            sha256: services.files.put(&one.bytes)?,
            size: size(one.bytes.len()),
            name: one.name,
        });
    }
    Ok(read(row, outcome, companions)?)
}

fn size(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// The row of a file before anybody has read it.
fn unread(
    actor: &Actor,
    own: InstituteId,
    new: &Incoming,
    (name, sha256): (String, &str),
    at: crate::store::columns::Instant,
) -> InstrumentFileRow {
    InstrumentFileRow {
        id: InstrumentFileId::new(),
        sha256: sha256.to_owned(),
        name,
        size: size(new.bytes.len()),
        institute_id: own,
        adapter: None,
        adapter_version: None,
        complete: None,
        run: Json::of(&()),
        problems: Json::of(&()),
        state: UNREAD,
        state_reason: None,
        uploaded_by: actor.account.clone(),
        uploaded_at: at,
        decided_by: None,
        decided_at: None,
        instrument_id: new.instrument.as_ref().map(|one| one.id.clone()),
        source: new.source,
        path: new.path.clone(),
        version: 1,
        supersedes: None,
    }
}

/// What the reading came to: values, or a letter that says why there are none.
fn read(
    mut row: InstrumentFileRow,
    outcome: Result<Parsed, NotRecognised>,
    companions: Vec<CompanionFileRow>,
) -> Result<FileRecord, InstrumentRefusal> {
    match outcome {
        Ok(parsed) => {
            let problems = as_read(&mut row, &parsed)?;
            let observations = observations_of(&row.id, &parsed);
            Ok(FileRecord { row, observations, problems, companions, letter: None })
        }
        Err(why) => {
            let (code, reason, problem) = match &why {
                NotRecognised::Failed(failure) => (
                    LetterCode::ReadingFailed,
                    format!("读取未完成：{failure} / the reading did not come to its end: {failure}"),
                    problem(&failure.problem()),
                ),
                other => (
                    LetterCode::NotRecognised,
                    format!("没有适配器能识别该文件：{other} / {other}"),
                    not_recognised("no adapter recognises the file"),
                ),
            };
            let letter = Letter {
                instrument: row.instrument_id.clone(),
                source: row.source,
                name: row.name.clone(),
                path: row.path.clone(),
                code,
                reason,
                sha256: Some(row.sha256.clone()),
                size: Some(row.size),
                file: Some(row.id.clone()),
            };
            Ok(FileRecord { row, observations: Vec::new(), problems: vec![problem], companions, letter: Some(letter) })
        }
    }
}

/// The import of the same content, where there is one.
fn of_content(conn: &mut AnyConnection, own: &InstituteId, sha256: &str) -> Outcome<Option<TakenFile>> {
    let found: Option<(InstrumentFileId, FileState)> = instrument_file::table
        .filter(instrument_file::sha256.eq(sha256))
        .filter(instrument_file::institute_id.eq(own))
        .select((instrument_file::id, instrument_file::state))
        .first(conn)
        .optional()?;
    Ok(found.map(|(id, state)| TakenFile { id, known: true, state }))
}

/// Looks up what the database says to a file.
pub(super) fn load(cx: &mut Context<'_>, prepared: &Prepared) -> Outcome<Met> {
    let own = cx.institute()?;
    let known = of_content(cx.conn, &own, &prepared.sha256)?;
    let says = match (&known, &prepared.draft) {
        (None, Some(draft)) => says(cx.conn, &draft.row, &draft.observations)?,
        _ => Says::default(),
    };
    Ok(Met { prepared: prepared.clone(), known, says })
}

/// What the register, the earlier files and the samples say to a file that was read.
pub(super) fn says(
    conn: &mut AnyConnection,
    row: &InstrumentFileRow,
    observations: &[ObservationRow],
) -> Outcome<Says> {
    let machine = machine_of(conn, row)?;
    let rule = machine.as_ref().map(rule_of).transpose()?.unwrap_or_default();
    Ok(Says {
        calibrations: match &machine {
            Some(one) => register::newest_first(conn, &one.id)?,
            None => Vec::new(),
        },
        earlier: versions::earlier(conn, row, observations)?,
        finder: Finder::load(conn, &MatchedFile { file: row, rule: &rule }, observations)?,
    })
}

/// Decides what a file becomes. Pure.
pub(super) fn decide(today: NaiveDate, met: &Met) -> Result<TakePlan, Refusal> {
    let mut of = met.prepared.clone();
    if let Some(known) = &met.known {
        of.draft = None;
        return Ok(TakePlan { of, taken: known.clone(), ways: Ways::new() });
    }
    let Some(draft) = &mut of.draft else { return Err(InstrumentRefusal::TakenMeanwhile.into()) };
    if let Some(machine) = &of.instrument {
        let days = days(&draft.observations, today);
        draft.problems.extend(register::against(&machine.code, &met.says.calibrations, &days));
    }
    let runs = versions::runs_of(&draft.observations);
    draft.problems.extend(versions::link(&mut draft.row, &runs, &met.says.earlier));
    draft.row.problems = Json::of(&draft.problems);
    let ways = match_samples(&met.says.finder, &mut draft.observations)?;
    let taken = TakenFile { id: draft.row.id.clone(), known: false, state: draft.row.state };
    Ok(TakePlan { of, taken, ways })
}

/// Keeps a file with its values, and what the watcher remembers of it.
pub(super) fn keep(cx: &mut Context<'_>, plan: TakePlan) -> Outcome<TakenFile> {
    let TakePlan { of, taken, ways } = plan;
    let (own, at) = (cx.institute()?, cx.now.into());
    if let Some(draft) = &of.draft {
        diesel::insert_into(instrument_file::table).values(&draft.row).execute(cx.conn)?;
        insert_all!(cx.conn, observation::table, &draft.observations)?;
        insert_all!(cx.conn, companion_file::table, &draft.companions)?;
        cx.record(told(draft, of.instrument.as_ref(), &ways));
    }
    if let (Some(instrument), Some(seen)) = (&of.instrument, &of.seen) {
        let became = Became { state: FolderEntryState::Taken, sha256: Some(&of.sha256), file: Some(&taken.id) };
        folders::remember(cx.conn, &instrument.id, seen, &became, &at)?;
        letters::settle(cx, &own, &instrument.id, &seen.path, &taken.id)?;
    }
    if let Some(letter) = of.draft.as_ref().and_then(|draft| draft.letter.as_ref()) {
        letters::put_in(cx, &own, letter)?;
    }
    Ok(taken)
}

fn told(draft: &FileRecord, instrument: Option<&InstrumentRow>, ways: &Ways) -> Change {
    let row = &draft.row;
    let companions: Vec<Value> =
        draft.companions.iter().map(|one| json!({"name": one.name, "sha256": one.sha256})).collect();
    let content = json!({"name": row.name, "sha256": row.sha256, "adapter": row.adapter, "complete": row.complete,
        "observations": draft.observations.len(), "problems": draft.problems, "source": row.source,
        "instrument": instrument.map(|one| one.code.clone()), "path": row.path, "version": row.version,
        "supersedes": row.supersedes, "matched": ways, "companions": companions});
    Change::created(UploadFile::NAME, "instrument_file", &row.id, content)
}

/// Takes in what an instrument of the register sends, in its own name.
///
/// # Errors
/// As [`prepare`].
pub fn take(services: &Services, machine: &Actor, new: Incoming) -> Outcome<TakenFile> {
    act_as_program(services, machine, Author::from(machine), UploadFile(new))
}

/// Takes an uploaded file in, from a registered instrument where one is named by its code or id.
///
/// # Errors
/// As [`prepare`]; where there is no such instrument.
pub fn upload(services: &Services, actor: &Actor, file: NamedFile, instrument: Option<&str>) -> Outcome<TakenFile> {
    let machine = machine(services, actor, instrument)?;
    act(services, actor, UploadFile(incoming(file, Vec::new(), machine)))
}

/// Takes several files in that were uploaded together: those that belong to one another are read together. One that
/// is refused does not hold up the others.
///
/// # Errors
/// Where there is no such instrument; what is wrong with one file is reported in its place.
pub fn upload_set(
    services: &Services,
    actor: &Actor,
    files: &[NamedFile],
    instrument: Option<&str>,
) -> Outcome<Vec<(String, Outcome<TakenFile>)>> {
    let machine = machine(services, actor, instrument)?;
    let adapter = machine.as_ref().and_then(|one| one.adapter.clone());
    let each = |file: &NamedFile| {
        let wanted = companions_wanted(services, &file.name, &file.bytes, adapter.as_deref());
        let beside = files
            .iter()
            .filter(|other| wanted.iter().any(|name| name.eq_ignore_ascii_case(&other.name)))
            .map(|other| Companion { name: other.name.clone(), bytes: other.bytes.clone() })
            .collect();
        let action = UploadFile(incoming(file.clone(), beside, machine.clone()));
        (file.name.clone(), act(services, actor, action))
    };
    Ok(files.iter().map(each).collect())
}

fn machine(services: &Services, actor: &Actor, instrument: Option<&str>) -> Outcome<Option<InstrumentRow>> {
    let named = instrument.map(str::trim).filter(|text| !text.is_empty());
    named.map(|text| register::named(services, &actor.institute()?, text)).transpose()
}

fn incoming(file: NamedFile, beside: Vec<Companion>, instrument: Option<InstrumentRow>) -> Incoming {
    let NamedFile { name, bytes } = file;
    Incoming { name, bytes, beside, source: FileSource::Upload, path: None, instrument, seen: None }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::store::columns::{Instant, ObservationId};
    use crate::vocabulary::instruments::ObservationStatus;

    /// A file that nobody has read.
    pub fn row(name: &str) -> InstrumentFileRow {
        let at = Instant::from(chrono::DateTime::UNIX_EPOCH);
        let new = Incoming {
            name: name.into(),
            bytes: b"x".to_vec(),
            beside: Vec::new(),
            source: FileSource::Upload,
            path: None,
            instrument: None,
            seen: None,
        };
        let actor = Actor {
            account: "a".into(),
            username: "analyst".into(),
            display_name: "检验".into(),
            institute: Some("i".into()),
            applicant: None,
            roles: Vec::new(),
            request_id: None,
            session: None,
        };
        unread(&actor, "i".into(), &new, (name.to_owned(), "00"), at)
    }

    /// A value of a sample of that name.
    pub fn seen(sample: &str) -> ObservationRow {
        ObservationRow {
            id: ObservationId::new(),
            instrument_file_id: "f".into(),
            position: 1,
            sample_text: Some(sample.into()),
            analyte: None,
            quantity: "mass".into(),
            raw: "1.0".into(),
            value: Some("1.0".into()),
            unit: Some("g".into()),
            status: ObservationStatus::Ok,
            flags: Json::of(&[""; 0]),
            locator: Json::of(&json!({})),
            injection: None,
            acquired_at: None,
            bound: None,
            context: Json::of(&json!({})),
            sample_id: None,
            readings: Json::of(&[""; 0]),
            chosen: None,
            chosen_by: None,
        }
    }

    fn met(known: Option<TakenFile>, draft: Option<FileRecord>) -> Met {
        let prepared = Prepared { sha256: "00".into(), instrument: None, seen: None, draft };
        Met { prepared, known, says: Says::default() }
    }

    fn today() -> NaiveDate {
        NaiveDate::default()
    }

    #[test]
    fn one_content_is_one_import() {
        let before = TakenFile { id: "f".into(), known: true, state: FileState::Rejected };
        let draft = read(row("a.txt"), Err(NotRecognised::Nobody(Vec::new())), Vec::new()).expect("a draft");
        let plan = decide(today(), &met(Some(before.clone()), Some(draft))).expect("a plan");
        assert_eq!(plan.taken, before);
        assert!(plan.of.draft.is_none(), "nothing is stored anew");
    }

    #[test]
    fn what_no_adapter_reads_is_kept_with_a_letter() {
        let draft = read(row("a.txt"), Err(NotRecognised::Nobody(Vec::new())), Vec::new()).expect("a draft");
        let plan = decide(today(), &met(None, Some(draft))).expect("a plan");
        assert_eq!((plan.taken.known, plan.taken.state), (false, FileState::Unread));
        let draft = plan.of.draft.expect("a draft");
        assert_eq!(draft.letter.map(|letter| letter.code), Some(LetterCode::NotRecognised));
        let stored: Vec<ProblemView> = draft.row.problems.read().expect("problems");
        assert_eq!(stored.len(), 1);
    }
}
