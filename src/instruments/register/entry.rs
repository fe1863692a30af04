//! What is entered of an instrument, and what of it can be wrong.

use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use diesel::prelude::*;

use super::pattern::{MatchRule, file_globs};
use super::peers::Peers;
use super::rows::rule_of;
use super::watched::{Unwatchable, nameable};
use crate::action::Services;
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::Json;
use crate::store::rows::InstrumentRow;
use crate::store::schema::institute;
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
    /// Who may speak to the listener: addresses and networks such as `10.2.0.0/24`, separated by commas; without any,
    /// this machine alone
    pub listener_peers: String,
}

/// What the installation says to an entry: looked up before the transaction, since it asks the file system.
#[derive(Clone, Debug)]
pub struct Around {
    /// The adapter is loaded.
    adapter: bool,
    /// Whether the folder, where one is named, may be watched.
    folder: Result<(), Unwatchable>,
    /// Where the server itself listens.
    own_port: u16,
}

impl Default for Around {
    fn default() -> Self {
        Self { adapter: true, folder: Ok(()), own_port: 0 }
    }
}

impl Around {
    /// Looks around.
    pub(super) fn look(services: &Services, actor: &Actor, new: &NewInstrument) -> Outcome<Self> {
        let own = actor.institute()?;
        let code: String =
            services.db.read(|conn| Ok(institute::table.find(&own).select(institute::code).first(conn)?))?;
        // It need not be there yet; what it leads to is asked again at every look.
        let folder = blank(new.folder.as_deref()).map(|text| nameable(&services.site, &code, Path::new(&text)));
        Ok(Self {
            adapter: blank(new.adapter.as_deref()).is_none_or(|id| services.adapters.set().get(&id).is_some()),
            folder: folder.unwrap_or(Ok(())),
            own_port: services.site.listen.port(),
        })
    }

    /// A folder that is named already may stay named, wherever it lies: nobody need be able to watch it to change the
    /// instrument's name. Whether it is looked at is asked at every look.
    pub(super) fn as_it_stands(&self, old: &InstrumentRow, new: &NewInstrument) -> Self {
        let same = blank(new.folder.as_deref()) == old.folder;
        Self { folder: if same { Ok(()) } else { self.folder.clone() }, ..self.clone() }
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
    pub listener_peers: String,
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
            listener_peers: row.listener_peers.clone(),
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
            listener_peers: self.listener_peers,
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
    let (listener_kind, listener_port) = listener(new.listener_kind, new.listener_port, around.own_port)?;
    let peers = Peers::parse(&new.listener_peers).map_err(|part| {
        Refusal::field(
            "listener_peers",
            format!("{part} 不是地址或网段（如 10.2.0.0/24）"),
            format!("{part} is neither an address nor a network such as 10.2.0.0/24"),
        )
    })?;
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
        folder_pattern: text::as_filed("folder_pattern", &new.folder_pattern, text::TEXT)?,
        listener_kind,
        listener_port,
        listener_idle_ms: idle,
        listener_peers: peers.to_string(),
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

fn listener(
    kind: Option<ListenerKind>,
    port: Option<i64>,
    own: u16,
) -> Result<(Option<ListenerKind>, Option<i64>), Refusal> {
    match (kind, port) {
        (_, Some(port)) if port == i64::from(own) => {
            Err(Refusal::field("listener_port", "这是本系统自身的端口", "this is the server's own port"))
        }
        (None, None) => Ok((None, None)),
        (None, Some(_)) => Err(Refusal::field("listener_kind", "填写端口时须选择协议", "a port needs its protocol")),
        (Some(_), Some(1024..=65535)) => Ok((kind, port)),
        (Some(_), _) => Err(Refusal::field("listener_port", "应为 1024 至 65535", "expected 1024 to 65535")),
    }
}

/// A folder that may be watched: absolute, without `..`, and where the configuration lets the institute's folders lie.
fn folder(text: &str, around: &Around) -> Result<String, Refusal> {
    let text = text::required_as_filed("folder", text, 1000)?;
    let path = Path::new(&text);
    let plain = path.is_absolute() && !path.components().any(|part| matches!(part, Component::ParentDir));
    if !plain {
        return Err(Refusal::field("folder", "应为不含 .. 的绝对路径", "expected an absolute path without '..'"));
    }
    match &around.folder {
        Ok(()) => Ok(text),
        Err(why) => Err(Refusal::field("folder", why.zh(), why.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> NewInstrument {
        NewInstrument { code: "HPLC-01".into(), name: "液相".into(), ..NewInstrument::default() }
    }

    fn field(new: &NewInstrument, around: &Around) -> Option<String> {
        checked(new, around).err().and_then(|refusal| refusal.field)
    }

    #[test]
    fn a_plain_entry_is_in_order() {
        let entry = checked(&new(), &Around::default()).expect("in order");
        assert_eq!((entry.listener_idle_ms, entry.matching), (IDLE, MatchRule::default()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let quiet = Around { own_port: 8080, ..Around::default() };
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
    fn the_port_of_the_server_and_what_is_no_address_are_refused() {
        let around = Around { own_port: 8080, ..Around::default() };
        let own = NewInstrument { listener_kind: Some(ListenerKind::Mllp), listener_port: Some(8080), ..new() };
        assert_eq!(field(&own, &around).as_deref(), Some("listener_port"));
        let peers = NewInstrument { listener_peers: "10.2.0.0/40".into(), ..new() };
        assert_eq!(field(&peers, &around).as_deref(), Some("listener_peers"));
    }

    #[test]
    fn a_folder_is_watched_where_the_configuration_lets_it_lie() {
        let at = |typed: &str| NewInstrument { folder: Some(typed.into()), ..new() };
        assert_eq!(field(&at("relative"), &Around::default()).as_deref(), Some("folder"));
        assert_eq!(field(&at("/mnt/../srv"), &Around::default()).as_deref(), Some("folder"));
        assert_eq!(field(&at("/mnt/balance"), &Around::default()), None);
        let none = Around { folder: Err(Unwatchable::NoRoot), ..Around::default() };
        assert_eq!(field(&at("/mnt/balance"), &none).as_deref(), Some("folder"));
    }
}
