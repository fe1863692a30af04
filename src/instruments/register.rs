//! The register of instruments (仪器): what stands in the laboratory, how its files are read and by which way they
//! come. Every instrument has an account of its own that nobody can log in with: what it sends stands in its name.

use std::path::{Component, Path, PathBuf};

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::inbox::institute_of;
use super::pattern::{MatchRule, file_globs};
use crate::action::Services;
use crate::record::{self, Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::store::columns::{AccountId, InstituteId, InstrumentId, Json};
use crate::store::rows::{AccountRow, CalibrationRow, InstrumentRow, InstrumentWayRow};
use crate::store::schema::{account, calibration, dead_letter, institute, instrument, instrument_file, instrument_way};
use crate::store::{AnyConnection, Failure, Invariant, Outcome, StoreError};
use crate::text;

/// An instrument as it is entered and changed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewInstrument {
    /// The laboratory's own short code, e.g. `HPLC-01`
    pub code: String,
    pub name: String,
    pub vendor: String,
    pub model: String,
    pub serial: String,
    /// The adapter that reads its files; without it, the files are recognised
    pub adapter: Option<String>,
    /// `dmy` or `mdy`, where its software writes dates that can be read two ways
    pub date_order: Option<String>,
    /// Offset of its clock from UTC, e.g. `+08:00`
    pub zone: Option<String>,
    /// How the names in its files lead to samples
    pub matching: MatchRule,
    /// A folder of the server or of a network share that is watched, as an absolute path
    pub folder: Option<String>,
    /// Which files of the folder: patterns such as `*.txt`, separated by semicolons; without it, all
    pub folder_pattern: String,
    /// A TCP listener: `lis2`, `mllp` or `lines`
    pub listener_kind: Option<String>,
    pub listener_port: Option<i64>,
    /// For `lines`: the silence that ends a message, in milliseconds
    pub listener_idle_ms: Option<i64>,
}

/// An instrument with what is known of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InstrumentView {
    #[serde(flatten)]
    pub instrument: InstrumentRow,
    /// The newest calibration
    pub calibration: Option<CalibrationRow>,
    /// `ok`, `overdue`, `failed` or `none`, today
    pub calibration_state: String,
    /// The states of its folder and of its listener
    pub ways: Vec<InstrumentWayRow>,
    pub files: i64,
    pub open_dead_letters: i64,
}

const KINDS: [&str; 3] = ["lis2", "mllp", "lines"];

/// Enters an instrument.
///
/// # Errors
/// Where a field is not as expected, or the code is taken.
pub fn register(services: &Services, actor: &Actor, new: &NewInstrument) -> Outcome<InstrumentView> {
    let institute_id = institute_of(actor)?;
    let (now, id) = (services.clock.now(), InstrumentId::new());
    let row = InstrumentRow {
        id: id.clone(),
        institute_id: institute_id.clone(),
        account_id: AccountId::new(),
        state: "active".into(),
        state_reason: None,
        created_by: actor.account.clone(),
        created_at: now.into(),
        changed_by: None,
        changed_at: None,
        ..checked(services, new)?
    };
    let actor = actor.clone();
    services.db.write(move |conn| {
        let place: String = institute::table.find(&institute_id).select(institute::code).first(conn)?;
        diesel::insert_into(account::table).values(&machine(&row, &place)).execute(conn)?;
        diesel::insert_into(instrument::table).values(&row).execute(conn).map_err(taken)?;
        let change = Change::created("instrument.register", "instrument", &row.id, json!(row));
        record::record(conn, &actor, now, vec![change])
    })?;
    one(services, &institute_of_row(services, &id)?, &id)
}

fn institute_of_row(services: &Services, id: &InstrumentId) -> Outcome<InstituteId> {
    services.db.read(|conn| Ok(instrument::table.find(id).select(instrument::institute_id).first(conn)?))
}

/// The account under which an instrument's files come in: disabled, without roles, and with no password at all.
fn machine(row: &InstrumentRow, institute: &str) -> AccountRow {
    AccountRow {
        id: row.account_id.clone(),
        // No user name that a person can have contains a colon.
        username: format!("instrument:{}:{}", institute.to_lowercase(), row.code.to_lowercase()),
        display_name: format!("仪器 {}", row.code),
        password_hash: "!".into(),
        institute_id: Some(row.institute_id.clone()),
        applicant_id: None,
        disabled: true,
        failed_logins: 0,
        locked_until: None,
        created_at: row.created_at.clone(),
    }
}

fn taken(error: diesel::result::Error) -> Failure {
    match StoreError::from(error) {
        StoreError::Unique { rule: Invariant::ListenerPortTaken, .. } => {
            Refusal::new(Code::Conflict, "该端口已由另一台仪器使用", "another instrument listens on this port")
                .at("listener_port")
                .into()
        }
        StoreError::Unique { .. } => {
            Refusal::new(Code::Conflict, "该仪器编号已登记", "an instrument of this code is registered already")
                .at("code")
                .into()
        }
        other => other.into(),
    }
}

fn checked(services: &Services, new: &NewInstrument) -> Result<InstrumentRow, Refusal> {
    let blank = |text: &Option<String>| text.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
    let adapter = blank(&new.adapter);
    if let Some(id) = adapter.as_deref().filter(|id| services.adapters.set().get(id).is_none()) {
        return Err(Refusal::field("adapter", format!("没有适配器 {id}"), format!("there is no adapter {id}")));
    }
    let date_order = blank(&new.date_order);
    if date_order.as_deref().is_some_and(|order| !["dmy", "mdy"].contains(&order)) {
        return Err(Refusal::field("date_order", "应为 dmy 或 mdy", "expected dmy or mdy"));
    }
    let zone = blank(&new.zone);
    if let Some(zone) = &zone {
        let sign = zone.starts_with(['+', '-']) && zone.len() == 6;
        if !sign || zone.parse::<chrono::FixedOffset>().is_err() {
            return Err(Refusal::field("zone", "应为 +08:00 的形式", "expected an offset such as +08:00"));
        }
    }
    new.matching.check("matching")?;
    file_globs(&new.folder_pattern).map_err(|why| Refusal::field("folder_pattern", why.clone(), why))?;
    let (listener_kind, listener_port) = listener(blank(&new.listener_kind), new.listener_port)?;
    let idle = new.listener_idle_ms.unwrap_or(1500);
    if !(50..=600_000).contains(&idle) {
        return Err(Refusal::field("listener_idle_ms", "应为 50 至 600000 毫秒", "expected 50 to 600000 ms"));
    }
    let code = text::required("code", &new.code, 40)?;
    if !code.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        return Err(Refusal::field(
            "code",
            "由字母、数字、-、_、. 组成",
            "expected letters, digits, '-', '_' and '.' only",
        ));
    }
    Ok(InstrumentRow {
        id: InstrumentId::new(),
        institute_id: "".into(),
        account_id: "".into(),
        code,
        name: text::required("name", &new.name, text::TEXT)?,
        vendor: text::optional("vendor", &new.vendor, text::TEXT)?,
        model: text::optional("model", &new.model, text::TEXT)?,
        serial: text::optional("serial", &new.serial, text::TEXT)?,
        adapter,
        date_order,
        zone,
        matching: Json::of(&new.matching),
        folder: blank(&new.folder).map(|path| folder(services, &path)).transpose()?,
        folder_pattern: text::optional("folder_pattern", &new.folder_pattern, text::TEXT)?,
        listener_kind,
        listener_port,
        listener_idle_ms: idle,
        state: String::new(),
        state_reason: None,
        created_by: "".into(),
        created_at: services.clock.now().into(),
        changed_by: None,
        changed_at: None,
    })
}

fn listener(kind: Option<String>, port: Option<i64>) -> Result<(Option<String>, Option<i64>), Refusal> {
    match (&kind, port) {
        (None, None) => Ok((None, None)),
        (None, Some(_)) => Err(Refusal::field("listener_kind", "填写端口时须选择协议", "a port needs its protocol")),
        (Some(word), _) if !KINDS.contains(&word.as_str()) => {
            Err(Refusal::field("listener_kind", "应为 lis2、mllp 或 lines", "expected lis2, mllp or lines"))
        }
        (Some(_), Some(1024..=65535)) => Ok((kind, port)),
        (Some(_), _) => Err(Refusal::field("listener_port", "应为 1024 至 65535", "expected 1024 to 65535")),
    }
}

/// A folder that may be watched: absolute, without `..`, apart from the data folder, where the keys lie, and
/// below the folder of instruments where the configuration names one.
fn folder(services: &Services, text: &str) -> Result<String, Refusal> {
    let text = text::required("folder", text, 1000)?;
    let path = Path::new(&text);
    let plain = path.is_absolute() && !path.components().any(|part| matches!(part, Component::ParentDir));
    if !plain {
        return Err(Refusal::field("folder", "应为不含 .. 的绝对路径", "expected an absolute path without '..'"));
    }
    // The folder need not be there yet; as far as it is, links count by where they lead.
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let (here, data) = (real(path), real(&services.site.data));
    if here.starts_with(&data) || data.starts_with(&here) {
        return Err(Refusal::field(
            "folder",
            "不得与系统数据文件夹重叠",
            "the folder must lie apart from the data folder of the system",
        ));
    }
    if let Some(root) = &services.site.watched
        && !here.starts_with(real(root))
    {
        return Err(Refusal::field(
            "folder",
            format!("须位于 {} 之下（配置 folders.instruments）", root.display()),
            format!("must lie below {} (folders.instruments of the configuration)", root.display()),
        ));
    }
    Ok(text)
}

/// Changes an instrument; all fields are given anew.
///
/// # Errors
/// As [`register`]; where it is retired.
pub fn change(
    services: &Services,
    actor: &Actor,
    id: &InstrumentId,
    new: &NewInstrument,
    reason: &str,
) -> Outcome<InstrumentView> {
    let reason = text::required("reason", reason, text::REMARK)?;
    let institute = institute_of(actor)?;
    let fresh = checked(services, new)?;
    let (author, now, key, own) = (actor.clone(), services.clock.now(), id.clone(), institute.clone());
    services.db.write(move |conn| {
        let old = active(conn, &own, &key)?;
        if old.code != fresh.code {
            return Err(Refusal::field("code", "编号登记后不能更改", "the code stays as registered").into());
        }
        let row = InstrumentRow {
            id: old.id.clone(),
            institute_id: old.institute_id.clone(),
            account_id: old.account_id.clone(),
            state: old.state.clone(),
            created_by: old.created_by.clone(),
            created_at: old.created_at.clone(),
            changed_by: Some(author.account.clone()),
            changed_at: Some(now.into()),
            ..fresh.clone()
        };
        diesel::update(instrument::table.find(&key)).set(&row).execute(conn).map_err(taken)?;
        record::record(conn, &author, now, vec![difference(&old, &row).because(&reason)])
    })?;
    one(services, &institute, id)
}

/// What a change changed, field by field.
fn difference(old: &InstrumentRow, new: &InstrumentRow) -> Change {
    let (old, fresh) = (json!(old), json!(new));
    let mut change = Change::created("instrument.change", "instrument", &new.id, json!({}));
    for (field, value) in fresh.as_object().into_iter().flatten() {
        let before = old.get(field).cloned().unwrap_or_default();
        if before != *value && !field.starts_with("changed_") {
            change = change.and(field, before, value.clone());
        }
    }
    change
}

/// Takes an instrument out of use. Its files and records stay.
///
/// # Errors
/// Where it is retired already.
pub fn retire(services: &Services, actor: &Actor, id: &InstrumentId, reason: &str) -> Outcome<()> {
    let reason = text::required("reason", reason, text::REMARK)?;
    let institute = institute_of(actor)?;
    let (actor, now, id) = (actor.clone(), services.clock.now(), id.clone());
    services.db.write(move |conn| {
        active(conn, &institute, &id)?;
        diesel::update(instrument::table.find(&id))
            .set((
                instrument::state.eq("retired"),
                instrument::state_reason.eq(&reason),
                instrument::changed_by.eq(&actor.account),
                instrument::changed_at.eq(crate::store::columns::Instant::from(now)),
            ))
            .execute(conn)?;
        let change = Change::field("instrument.retire", "instrument", &id, "state", "active", "retired");
        record::record(conn, &actor, now, vec![change.because(&reason)])
    })
}

/// An instrument of the institute that is in use.
pub(super) fn active(conn: &mut AnyConnection, own: &InstituteId, id: &InstrumentId) -> Outcome<InstrumentRow> {
    let row = row_of(conn, own, id)?;
    if row.state != "active" {
        return Err(Refusal::new(Code::WrongState, "该仪器已停用", "the instrument is retired").into());
    }
    Ok(row)
}

/// An instrument of the institute.
pub(super) fn row_of(conn: &mut AnyConnection, own: &InstituteId, id: &InstrumentId) -> Outcome<InstrumentRow> {
    let found: Option<InstrumentRow> = instrument::table
        .find(id)
        .filter(instrument::institute_id.eq(own))
        .select(InstrumentRow::as_select())
        .first(conn)
        .optional()?;
    found.ok_or_else(|| Refusal::not_found("仪器", "instrument", id.as_str()).into())
}

/// The instrument in use that has this id or this code.
///
/// # Errors
/// Where the actor's institute has none.
pub fn named(services: &Services, actor: &Actor, text: &str) -> Outcome<InstrumentRow> {
    let own = institute_of(actor)?;
    services.db.read(|conn| {
        let found: Option<InstrumentRow> = instrument::table
            .filter(instrument::institute_id.eq(&own))
            .filter(instrument::code.eq(text.trim()).or(instrument::id.eq(InstrumentId::from(text.trim()))))
            .select(InstrumentRow::as_select())
            .first(conn)
            .optional()?;
        match found {
            None => Err(Refusal::not_found("仪器", "instrument", text).at("instrument").into()),
            Some(row) if row.state != "active" => {
                Err(Refusal::new(Code::WrongState, "该仪器已停用", "the instrument is retired").at("instrument").into())
            }
            Some(row) => Ok(row),
        }
    })
}

/// One instrument with its state.
///
/// # Errors
/// Where the actor's institute has no such instrument.
pub fn instrument_view(services: &Services, actor: &Actor, id: &InstrumentId) -> Outcome<InstrumentView> {
    one(services, &institute_of(actor)?, id)
}

fn one(services: &Services, own: &InstituteId, id: &InstrumentId) -> Outcome<InstrumentView> {
    let today = services.clock.today();
    services.db.read(|conn| {
        let row = row_of(conn, own, id)?;
        shown(conn, row, today)
    })
}

/// The instruments of the actor's institute, by code; at most 500.
///
/// # Errors
/// The store's failure.
pub fn instruments(services: &Services, actor: &Actor) -> Outcome<Vec<InstrumentView>> {
    let (own, today) = (institute_of(actor)?, services.clock.today());
    services.db.read(|conn| {
        let rows: Vec<InstrumentRow> = instrument::table
            .filter(instrument::institute_id.eq(&own))
            .order((instrument::state, instrument::code))
            .limit(500)
            .select(InstrumentRow::as_select())
            .load(conn)?;
        rows.into_iter().map(|row| shown(conn, row, today)).collect()
    })
}

fn shown(conn: &mut AnyConnection, row: InstrumentRow, today: chrono::NaiveDate) -> Outcome<InstrumentView> {
    let newest: Option<CalibrationRow> = calibration::table
        .filter(calibration::instrument_id.eq(&row.id))
        .order((calibration::performed_on.desc(), calibration::recorded_at.desc()))
        .first(conn)
        .optional()?;
    let state = match &newest {
        None => "none",
        Some(last) if last.result == "fail" => "failed",
        Some(last) if last.due_on.as_ref().is_some_and(|due| due.date() < today) => "overdue",
        Some(_) => "ok",
    };
    let ways = instrument_way::table
        .filter(instrument_way::instrument_id.eq(&row.id))
        .order(instrument_way::kind)
        .load(conn)?;
    let files = instrument_file::table.filter(instrument_file::instrument_id.eq(&row.id)).count().get_result(conn)?;
    let open_dead_letters = dead_letter::table
        .filter(dead_letter::instrument_id.eq(&row.id))
        .filter(dead_letter::state.eq("open"))
        .count()
        .get_result(conn)?;
    Ok(InstrumentView {
        calibration: newest,
        calibration_state: state.into(),
        ways,
        files,
        open_dead_letters,
        instrument: row,
    })
}

/// A way by which files come in, as the background work needs it.
#[derive(Clone, Debug)]
pub struct Way {
    pub instrument: InstrumentRow,
    /// The instrument itself, in whose name its files come in
    pub actor: Actor,
}

/// The instruments in use, of all institutes, that have a folder or a listener.
///
/// # Errors
/// The store's failure.
pub fn ways(services: &Services) -> Outcome<Vec<Way>> {
    services.db.read(|conn| {
        let rows: Vec<(InstrumentRow, (String, String))> = instrument::table
            .inner_join(account::table)
            .filter(instrument::state.eq("active"))
            .filter(instrument::folder.is_not_null().or(instrument::listener_kind.is_not_null()))
            .order(instrument::id)
            .select((InstrumentRow::as_select(), (account::username, account::display_name)))
            .load(conn)?;
        let way = |(row, (username, display_name)): (InstrumentRow, (String, String))| Way {
            actor: Actor {
                account: row.account_id.clone(),
                username,
                display_name,
                institute: Some(row.institute_id.clone()),
                applicant: None,
                roles: Vec::new(),
                request_id: None,
            },
            instrument: row,
        };
        Ok(rows.into_iter().map(way).collect())
    })
}

/// Where a file of a folder is kept relative to it.
#[must_use]
pub fn below(folder: &Path, path: &Path) -> Option<String> {
    let rest: PathBuf = path.strip_prefix(folder).ok()?.to_path_buf();
    Some(rest.to_str()?.replace('\\', "/"))
}
