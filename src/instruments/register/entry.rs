//! What is entered of an instrument, and what of it can be wrong.

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::pattern::{MatchRule, file_globs};
use super::rows::rule_of;
use crate::action::Services;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::Json;
use crate::store::rows::InstrumentRow;
use crate::text;
use crate::vocabulary::instruments::{DayOrder, ListenerKind};

/// The silence that ends a message of lines where nothing else is said, in milliseconds.
const IDLE: i64 = 1500;

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
    /// Where its software writes dates that can be read two ways
    pub date_order: Option<DayOrder>,
    /// Offset of its clock from UTC, e.g. `+08:00`
    pub zone: Option<String>,
    /// How the names in its files lead to samples
    pub matching: MatchRule,
    /// A folder of the server or of a network share that is watched, as an absolute path
    pub folder: Option<String>,
    /// Which files of the folder: patterns such as `*.txt`, separated by semicolons; without it, all
    pub folder_pattern: String,
    /// A TCP listener
    pub listener_kind: Option<ListenerKind>,
    pub listener_port: Option<i64>,
    /// For `lines`: the silence that ends a message, in milliseconds
    pub listener_idle_ms: Option<i64>,
}

/// What the installation says to an entry: looked up before the transaction, since it asks the file system.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// The adapter is loaded.
    adapter: bool,
    /// Where the folder leads, as far as it is there.
    folder: PathBuf,
    /// Where the data folder lies, which holds the keys.
    data: PathBuf,
    /// The folder below which all watched folders lie, as configured and where it leads.
    root: Option<(PathBuf, PathBuf)>,
}

impl Around {
    /// Looks around.
    pub(super) fn look(services: &Services, new: &NewInstrument) -> Self {
        // The folder need not be there yet; as far as it is, links count by where they lead.
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        Self {
            adapter: blank(new.adapter.as_deref()).is_none_or(|id| services.adapters.set().get(&id).is_some()),
            folder: blank(new.folder.as_deref()).map(|text| real(Path::new(&text))).unwrap_or_default(),
            data: real(&services.site.data),
            root: services.site.watched.as_ref().map(|root| (root.clone(), real(root))),
        }
    }
}

/// What an instrument is, in order: what the trail records.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InstrumentEntry {
    pub code: String,
    pub name: String,
    pub vendor: String,
    pub model: String,
    pub serial: String,
    pub adapter: Option<String>,
    pub date_order: Option<DayOrder>,
    pub zone: Option<String>,
    pub matching: MatchRule,
    pub folder: Option<String>,
    pub folder_pattern: String,
    pub listener_kind: Option<ListenerKind>,
    pub listener_port: Option<i64>,
    pub listener_idle_ms: i64,
}

impl InstrumentEntry {
    /// The entry of an instrument of the register.
    ///
    /// # Errors
    /// Where the stored rule of matching cannot be read.
    pub(super) fn of(row: &InstrumentRow) -> Outcome<Self> {
        Ok(Self {
            code: row.code.clone(),
            name: row.name.clone(),
            vendor: row.vendor.clone(),
            model: row.model.clone(),
            serial: row.serial.clone(),
            adapter: row.adapter.clone(),
            date_order: row.date_order,
            zone: row.zone.clone(),
            matching: rule_of(row)?,
            folder: row.folder.clone(),
            folder_pattern: row.folder_pattern.clone(),
            listener_kind: row.listener_kind,
            listener_port: row.listener_port,
            listener_idle_ms: row.listener_idle_ms,
        })
    }

    /// The instrument with this entry in place of what it was.
    pub(super) fn onto(self, row: InstrumentRow) -> InstrumentRow {
        InstrumentRow {
            matching: Json::of(&self.matching),
            code: self.code,
            name: self.name,
            vendor: self.vendor,
            model: self.model,
            serial: self.serial,
            adapter: self.adapter,
            date_order: self.date_order,
            zone: self.zone,
            folder: self.folder,
            folder_pattern: self.folder_pattern,
            listener_kind: self.listener_kind,
            listener_port: self.listener_port,
            listener_idle_ms: self.listener_idle_ms,
            ..row
        }
    }
}

fn blank(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Whether an entry is in order. Pure.
pub(super) fn checked(new: &NewInstrument, around: &Around) -> Result<InstrumentEntry, Refusal> {
    let adapter = blank(new.adapter.as_deref());
    if let (Some(id), false) = (&adapter, around.adapter) {
        return Err(Refusal::field("adapter", format!("没有适配器 {id}"), format!("there is no adapter {id}")));
    }
    new.matching.check("matching")?;
    file_globs(&new.folder_pattern).map_err(|why| Refusal::field("folder_pattern", why.clone(), why))?;
    let (listener_kind, listener_port) = listener(new.listener_kind, new.listener_port)?;
    let idle = new.listener_idle_ms.unwrap_or(IDLE);
    if !(50..=600_000).contains(&idle) {
        return Err(Refusal::field("listener_idle_ms", "应为 50 至 600000 毫秒", "expected 50 to 600000 ms"));
    }
    Ok(InstrumentEntry {
        code: code(&new.code)?,
        name: text::required("name", &new.name, text::TEXT)?,
        vendor: text::optional("vendor", &new.vendor, text::TEXT)?,
        model: text::optional("model", &new.model, text::TEXT)?,
        serial: text::optional("serial", &new.serial, text::TEXT)?,
        adapter,
        date_order: new.date_order,
        zone: blank(new.zone.as_deref()).map(zone).transpose()?,
        matching: new.matching.clone(),
        folder: blank(new.folder.as_deref()).map(|text| folder(&text, around)).transpose()?,
        folder_pattern: text::optional("folder_pattern", &new.folder_pattern, text::TEXT)?,
        listener_kind,
        listener_port,
        listener_idle_ms: idle,
    })
}

fn code(typed: &str) -> Result<String, Refusal> {
    let code = text::required("code", typed, 40)?;
    if code.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')) {
        return Ok(code);
    }
    Err(Refusal::field("code", "由字母、数字、-、_、. 组成", "expected letters, digits, '-', '_' and '.' only"))
}

fn zone(typed: String) -> Result<String, Refusal> {
    let sign = typed.starts_with(['+', '-']) && typed.len() == 6;
    if sign && typed.parse::<chrono::FixedOffset>().is_ok() {
        return Ok(typed);
    }
    Err(Refusal::field("zone", "应为 +08:00 的形式", "expected an offset such as +08:00"))
}

fn listener(kind: Option<ListenerKind>, port: Option<i64>) -> Result<(Option<ListenerKind>, Option<i64>), Refusal> {
    match (kind, port) {
        (None, None) => Ok((None, None)),
        (None, Some(_)) => Err(Refusal::field("listener_kind", "填写端口时须选择协议", "a port needs its protocol")),
        (Some(_), Some(1024..=65535)) => Ok((kind, port)),
        (Some(_), _) => Err(Refusal::field("listener_port", "应为 1024 至 65535", "expected 1024 to 65535")),
    }
}

/// A folder that may be watched: absolute, without `..`, apart from the data folder, where the keys lie, and
/// below the folder of instruments where the configuration names one.
fn folder(text: &str, around: &Around) -> Result<String, Refusal> {
    let text = text::required("folder", text, 1000)?;
    let path = Path::new(&text);
    let plain = path.is_absolute() && !path.components().any(|part| matches!(part, Component::ParentDir));
    if !plain {
        return Err(Refusal::field("folder", "应为不含 .. 的绝对路径", "expected an absolute path without '..'"));
    }
    let here = &around.folder;
    if here.starts_with(&around.data) || around.data.starts_with(here) {
        return Err(Refusal::field(
            "folder",
            "不得与系统数据文件夹重叠",
            "the folder must lie apart from the data folder of the system",
        ));
    }
    if let Some((root, real)) = &around.root
        && !here.starts_with(real)
    {
        return Err(Refusal::field(
            "folder",
            format!("须位于 {} 之下（配置 folders.instruments）", root.display()),
            format!("must lie below {} (folders.instruments of the configuration)", root.display()),
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> NewInstrument {
        NewInstrument { code: "HPLC-01".into(), name: "液相".into(), ..NewInstrument::default() }
    }

    fn around(folder: &str) -> Around {
        Around { adapter: true, folder: folder.into(), data: "/srv/data".into(), root: None }
    }

    fn field(new: &NewInstrument, around: &Around) -> Option<String> {
        checked(new, around).err().and_then(|refusal| refusal.field)
    }

    #[test]
    fn a_plain_entry_is_in_order() {
        let entry = checked(&new(), &around("")).expect("in order");
        assert_eq!((entry.listener_idle_ms, entry.matching), (IDLE, MatchRule::default()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let quiet = around("");
        assert_eq!(field(&NewInstrument { code: "A B".into(), ..new() }, &quiet).as_deref(), Some("code"));
        assert_eq!(field(&NewInstrument { zone: Some("Peking".into()), ..new() }, &quiet).as_deref(), Some("zone"));
        let port = NewInstrument { listener_port: Some(5000), ..new() };
        assert_eq!(field(&port, &quiet).as_deref(), Some("listener_kind"));
        let low = NewInstrument { listener_kind: Some(ListenerKind::Lis2), listener_port: Some(80), ..new() };
        assert_eq!(field(&low, &quiet).as_deref(), Some("listener_port"));
        let unknown = NewInstrument { adapter: Some("none".into()), ..new() };
        assert_eq!(field(&unknown, &Around { adapter: false, ..quiet }).as_deref(), Some("adapter"));
    }

    #[test]
    fn folders_of_the_system_itself_are_not_watched() {
        let at = |typed: &str| NewInstrument { folder: Some(typed.into()), ..new() };
        assert_eq!(field(&at("relative"), &around("relative")).as_deref(), Some("folder"));
        assert_eq!(field(&at("/mnt/../srv"), &around("/srv")).as_deref(), Some("folder"));
        assert_eq!(field(&at("/srv/data/keys"), &around("/srv/data/keys")).as_deref(), Some("folder"));
        assert_eq!(field(&at("/srv"), &around("/srv")).as_deref(), Some("folder"));
        assert_eq!(field(&at("/mnt/balance"), &around("/mnt/balance")), None);
        let rooted = Around { root: Some(("/mnt".into(), "/mnt".into())), ..around("/opt/balance") };
        assert_eq!(field(&at("/opt/balance"), &rooted).as_deref(), Some("folder"));
        // A link counts by where it leads.
        assert_eq!(field(&at("/mnt/link"), &around("/srv/data")).as_deref(), Some("folder"));
    }
}
