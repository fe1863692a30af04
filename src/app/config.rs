//! The configuration: read once from a file and the environment, checked whole, and passed down.
//!
//! Every field has a default, so that a data folder alone is a configuration. A field of the file `a.b` is
//! overridden by the environment variable `QIANFA_A_B`. What is not known is an error that names it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use instrument_adapters::isolated::{PoolSettings, Program};
use serde::Deserialize;
use toml::{Table, Value};

use super::settings;
use super::tls::TlsFiles;
use crate::action::{SigningFiles, Site};
use crate::documents::NumberPatterns;
use crate::people::{PasswordCost, SessionRules};
use crate::record::{AnchorSettings, Settings};
use crate::store::DbSettings;
use crate::vocabulary::{Duty, Hidden, Role, duties};

/// What a field holds, for reading it from the environment.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Flag,
}

/// Every field there is. A test holds this list against [`Raw`].
const FIELDS: &[(&str, Kind)] = &[
    ("listen", Kind::Text),
    ("public_url", Kind::Text),
    ("data", Kind::Text),
    ("workers", Kind::Number),
    ("tls.certificate", Kind::Text),
    ("tls.key", Kind::Text),
    ("shutdown_seconds", Kind::Number),
    ("database.url", Kind::Text),
    ("database.readers", Kind::Number),
    ("session.access_minutes", Kind::Number),
    ("session.hours", Kind::Number),
    ("session.idle_minutes", Kind::Number),
    ("session.cookie_secure", Kind::Flag),
    ("session.key_file", Kind::Text),
    ("login.failures", Kind::Number),
    ("login.source_failures", Kind::Number),
    ("login.name_failures", Kind::Number),
    ("login.lock_minutes", Kind::Number),
    ("login.sum_minutes", Kind::Number),
    ("login.servers", Kind::Number),
    ("login.second_factor", Kind::Text),
    ("session.sign_grace_seconds", Kind::Number),
    ("proxies.trusted", Kind::Text),
    ("password.memory_kib", Kind::Number),
    ("password.iterations", Kind::Number),
    ("password.parallelism", Kind::Number),
    ("password.at_once", Kind::Number),
    ("folders.regulation", Kind::Text),
    ("folders.adapters", Kind::Text),
    ("reading.workers", Kind::Number),
    ("reading.memory_mb", Kind::Number),
    ("reading.seconds", Kind::Number),
    ("reading.follow_millis", Kind::Number),
    ("folders.templates", Kind::Text),
    ("folders.mappings", Kind::Text),
    ("folders.instruments", Kind::Text),
    ("instruments.take_in", Kind::Flag),
    ("instruments.poll_millis", Kind::Number),
    ("instruments.settle_millis", Kind::Number),
    ("instruments.readers", Kind::Number),
    ("instruments.listen", Kind::Text),
    ("instruments.connections", Kind::Number),
    ("instruments.connections_per_address", Kind::Number),
    ("instruments.idle_seconds", Kind::Number),
    ("instruments.first_byte_seconds", Kind::Number),
    ("instruments.megabytes_per_hour", Kind::Number),
    ("instruments.letters_per_hour", Kind::Number),
    ("instruments.open_letters", Kind::Number),
    ("instruments.message_bytes", Kind::Number),
    ("signing.key", Kind::Text),
    ("signing.certificate", Kind::Text),
    ("signing.passphrase_env", Kind::Text),
    ("signing.roots", Kind::Text),
    ("certificate_numbers.test_report", Kind::Text),
    ("certificate_numbers.lot_release", Kind::Text),
    ("certificate_numbers.lot_release_refusal", Kind::Text),
    ("certificate_numbers.import_report", Kind::Text),
    ("log.format", Kind::Text),
    ("log.level", Kind::Text),
    ("limits.json_bytes", Kind::Number),
    ("limits.upload_bytes", Kind::Number),
    ("seal.every_seconds", Kind::Number),
    ("seal.check_hours", Kind::Number),
    ("seal.authority", Kind::Text),
    ("seal.authority_roots", Kind::Text),
    ("seal.syslog", Kind::Text),
    ("seal.show_seconds", Kind::Number),
    ("instruments.reviewer_checks_import", Kind::Flag),
    ("hidden.from_testers", Kind::Text),
    ("duties.apart", Kind::Text),
];

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{place}: {message}")]
pub struct ConfigError {
    /// The field, e.g. `session.hours`, or the file.
    pub place: String,
    /// What is wrong, and what was expected.
    pub message: String,
}

impl ConfigError {
    fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        // One line, whatever the parser wrote: it is shown in a terminal beside the program's name.
        let message: String = message.into();
        let message = message.split('\n').map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>();
        Self { place: place.into(), message: message.join("; ") }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For a terminal.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The configuration, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// What was said, by field.
    pub settings: Settings,
    /// Where the server listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the server itself speaks TLS.
    pub tls: Option<TlsFiles>,
    /// Threads that serve.
    pub workers: usize,
    /// How long requests may take to finish when the server stops.
    pub shutdown: Duration,
    /// The database.
    pub database: DbSettings,
    /// Lives of tokens and the lock-out.
    pub session: SessionRules,
    /// The file of the token key.
    pub session_key: PathBuf,
    /// What a password hash costs.
    pub password: PasswordCost,
    /// Provisions and calendars of the laboratory's own.
    pub regulation: Option<PathBuf>,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which are written, e.g. `info` or `qianfa=debug,info`.
    pub log_level: String,
    /// How certificates are numbered.
    pub numbers: NumberPatterns,
    /// Pause between two rounds of sealing.
    pub seal_every: Duration,
    /// Pause between two comparisons of everything with the trail.
    pub check_every: Duration,
    /// Where seals are shown outside.
    pub anchors: AnchorSettings,
    /// The roots of the authority that time-stamps seals.
    pub seal_roots: Option<PathBuf>,
    /// Pause between two looks for a new seal to show.
    pub show_every: Duration,
    /// Where instrument files are read, and what one may cost.
    pub reading: ReadingConfig,
    /// How files of instruments come in by themselves.
    pub ways: crate::jobs::ChannelSettings,
    /// Folders, addresses, limits.
    pub site: Site,
}

/// Where instrument files are read, and what one may cost.
#[derive(Clone, Debug)]
pub struct ReadingConfig {
    /// The program that reads them in processes of its own. A configuration cannot name it: the program sets itself.
    /// Without it they are read in this process, as tests of the library do.
    pub program: Option<Program>,
    /// How many at once, and the limits of one file.
    pub limits: PoolSettings,
    /// How often the laboratory's folder of adapters is looked at for changes.
    pub follow: Duration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Raw {
    listen: SocketAddr,
    public_url: Option<String>,
    data: PathBuf,
    workers: usize,
    tls: RawTls,
    shutdown_seconds: u64,
    database: RawDatabase,
    session: RawSession,
    login: RawLogin,
    proxies: RawProxies,
    password: RawPassword,
    folders: RawFolders,
    reading: RawReading,
    signing: RawSigning,
    certificate_numbers: NumberPatterns,
    log: RawLog,
    limits: RawLimits,
    seal: RawSeal,
    instruments: RawInstruments,
    hidden: RawHidden,
    duties: RawDuties,
}

/// Declares a section with its defaults.
macro_rules! section {
    ($name:ident { $($field:ident: $type:ty = $default:expr;)* }) => {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, default)]
        struct $name { $($field: $type,)* }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
}

section!(RawTls { certificate: Option<PathBuf> = None; key: Option<PathBuf> = None; });
section!(RawDatabase { url: Option<String> = None; readers: u32 = 6; });
section!(RawSession {
    access_minutes: i64 = 10;
    hours: i64 = 12;
    idle_minutes: i64 = 60;
    sign_grace_seconds: i64 = 300;
    cookie_secure: Option<bool> = None;
    key_file: Option<PathBuf> = None;
});
section!(RawLogin {
    failures: u32 = 5;
    source_failures: u32 = 50;
    name_failures: u32 = 20;
    lock_minutes: i64 = 15;
    sum_minutes: i64 = 5;
    servers: u32 = 1;
    second_factor: String = String::new();
});
section!(RawProxies { trusted: String = String::new(); });
section!(RawPassword {
    memory_kib: u32 = PasswordCost::default().memory_kib;
    iterations: u32 = PasswordCost::default().iterations;
    parallelism: u32 = PasswordCost::default().parallelism;
    at_once: usize = PasswordCost::default().at_once;
});
section!(RawReading {
    workers: usize = PoolSettings::default().workers;
    memory_mb: u64 = PoolSettings::default().memory_mb;
    seconds: u64 = PoolSettings::default().seconds;
    follow_millis: u64 = 5000;
});
section!(RawFolders {
    regulation: Option<PathBuf> = None;
    adapters: Option<PathBuf> = None;
    templates: Option<PathBuf> = None;
    mappings: Option<PathBuf> = None;
    instruments: Option<PathBuf> = None;
});
section!(RawInstruments {
    take_in: bool = true;
    poll_millis: u64 = 5000;
    settle_millis: u64 = 2000;
    readers: usize = 8;
    listen: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    connections: usize = 16;
    connections_per_address: usize = 4;
    idle_seconds: u64 = 3600;
    first_byte_seconds: u64 = 60;
    megabytes_per_hour: u64 = 256;
    letters_per_hour: u32 = 60;
    open_letters: i64 = 1000;
    message_bytes: usize = 4 << 20;
    reviewer_checks_import: bool = true;
});
section!(RawHidden {
    from_testers: String = "applicant, contacts, acceptance_number, who_entered".to_owned();
});
section!(RawDuties { apart: String = String::new(); });
section!(RawSigning {
    key: Option<PathBuf> = None;
    certificate: Option<PathBuf> = None;
    passphrase_env: Option<String> = None;
    roots: Option<PathBuf> = None;
});
section!(RawLog { format: LogFormat = LogFormat::Text; level: String = "info".into(); });
section!(RawLimits { json_bytes: usize = 1 << 20; upload_bytes: usize = 64 << 20; });
section!(RawSeal {
    every_seconds: u64 = 3;
    check_hours: u64 = 24;
    authority: Option<String> = None;
    authority_roots: Option<PathBuf> = None;
    syslog: Option<String> = None;
    show_seconds: u64 = 60;
});

impl Default for Raw {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            data: PathBuf::from("qianfa-data"),
            workers: 2,
            tls: RawTls::default(),
            shutdown_seconds: 30,
            database: RawDatabase::default(),
            session: RawSession::default(),
            login: RawLogin::default(),
            proxies: RawProxies::default(),
            password: RawPassword::default(),
            folders: RawFolders::default(),
            reading: RawReading::default(),
            signing: RawSigning::default(),
            certificate_numbers: NumberPatterns::default(),
            log: RawLog::default(),
            limits: RawLimits::default(),
            seal: RawSeal::default(),
            instruments: RawInstruments::default(),
            hidden: RawHidden::default(),
            duties: RawDuties::default(),
        }
    }
}

impl Config {
    /// Reads `file` where one is given, then the environment.
    ///
    /// # Errors
    /// [`ConfigError`] that names the field.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut table = match file {
            None => Table::new(),
            Some(path) => {
                let place = path.display().to_string();
                let text = std::fs::read_to_string(path).map_err(|e| ConfigError::new(&place, e.to_string()))?;
                text.parse().map_err(|e: toml::de::Error| ConfigError::new(&place, e.to_string()))?
            }
        };
        overlay(&mut table, environment)?;
        Self::read(table)
    }

    /// The configuration of a data folder: everything else as by default, and from the environment.
    ///
    /// # Errors
    /// [`ConfigError`] that names the field.
    pub fn of_data(data: &Path, environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut table = Table::new();
        overlay(&mut table, environment)?;
        let data = data.to_str().ok_or_else(|| ConfigError::new("data", "the path is not UTF-8"))?;
        table.insert("data".into(), Value::String(data.to_owned()));
        Self::read(table)
    }

    fn read(table: Table) -> Result<Self, ConfigError> {
        let settings = settings::said(&table);
        let raw: Raw = serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
            let path = error.path().to_string();
            ConfigError::new(if path == "." { "configuration".to_owned() } else { path }, error.inner().to_string())
        })?;
        Ok(Self { settings, ..checked(raw)? })
    }
}

impl Config {
    /// Listens elsewhere; where nobody said under which address the public reaches it, under that one.
    pub fn listen_on(&mut self, address: SocketAddr) {
        if self.site.public_url == self.own_url() {
            self.site.public_url = own_url(self.tls.is_some(), address);
        }
        (self.listen, self.site.listen) = (address, address);
    }

    /// The address of the server itself.
    #[must_use]
    pub fn own_url(&self) -> String {
        own_url(self.tls.is_some(), self.listen)
    }
}

fn variable(field: &str) -> String {
    format!("QIANFA_{}", field.replace('.', "_").to_uppercase())
}

/// Puts the variables of the environment over the fields of the file.
fn overlay(table: &mut Table, environment: impl IntoIterator<Item = (String, String)>) -> Result<(), ConfigError> {
    let mut unknown = Vec::new();
    for (name, text) in environment {
        // QIANFA_CONFIG names the file itself; QIANFA_TEST_… and QIANFA_CORPUS belong to the tests.
        if !name.starts_with("QIANFA_")
            || ["QIANFA_CONFIG", "QIANFA_CORPUS"].contains(&name.as_str())
            || name.starts_with("QIANFA_TEST_")
        {
            continue;
        }
        match FIELDS.iter().find(|(field, _)| variable(field) == name) {
            Some((field, kind)) => put(table, field, value(&name, *kind, &text)?)?,
            None => unknown.push((name, text)),
        }
    }
    let passphrase = table.get("signing").and_then(|s| s.get("passphrase_env")).and_then(Value::as_str);
    match unknown.iter().find(|(name, _)| passphrase != Some(name)) {
        None => Ok(()),
        Some((name, _)) => Err(ConfigError::new(name, "is no variable of this program")),
    }
}

fn value(name: &str, kind: Kind, text: &str) -> Result<Value, ConfigError> {
    match kind {
        Kind::Text => Ok(Value::String(text.to_owned())),
        Kind::Number => text
            .trim()
            .parse()
            .map(Value::Integer)
            .map_err(|_| ConfigError::new(name, format!("expected a whole number, found {text:?}"))),
        Kind::Flag => text
            .trim()
            .parse()
            .map(Value::Boolean)
            .map_err(|_| ConfigError::new(name, format!("expected true or false, found {text:?}"))),
    }
}

fn put(table: &mut Table, field: &str, value: Value) -> Result<(), ConfigError> {
    match field.split_once('.') {
        None => {
            table.insert(field.to_owned(), value);
            Ok(())
        }
        Some((section, rest)) => {
            let inner = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            let inner = inner.as_table_mut().ok_or_else(|| ConfigError::new(section, "expected a table"))?;
            put(inner, rest, value)
        }
    }
}

fn between<T: PartialOrd + std::fmt::Display + Copy>(
    field: &str,
    value: T,
    least: T,
    most: T,
) -> Result<T, ConfigError> {
    if value < least || value > most {
        return Err(ConfigError::new(field, format!("expected {least} to {most}, found {value}")));
    }
    Ok(value)
}

fn folder(field: &str, path: Option<PathBuf>) -> Result<Option<PathBuf>, ConfigError> {
    match path {
        Some(path) if !path.is_dir() => Err(ConfigError::new(field, format!("{} is no folder", path.display()))),
        other => Ok(other),
    }
}

fn file(field: &str, path: Option<PathBuf>) -> Result<Option<PathBuf>, ConfigError> {
    match path {
        Some(path) if !path.is_file() => Err(ConfigError::new(field, format!("{} is no file", path.display()))),
        other => Ok(other),
    }
}

fn checked(raw: Raw) -> Result<Config, ConfigError> {
    if raw.data.as_os_str().is_empty() {
        return Err(ConfigError::new("data", "expected the path of a folder"));
    }
    let url = match raw.database.url {
        Some(url) => url,
        None => format!("sqlite://{}", raw.data.join("qianfa.db").display()),
    };
    crate::store::Backend::parse(&url).map_err(|error| ConfigError::new("database.url", error.to_string()))?;
    let tls = tls(raw.tls)?;
    let public_url = public_url(raw.public_url, &own_url(tls.is_some(), raw.listen))?;
    tracing_subscriber::EnvFilter::try_new(&raw.log.level)
        .map_err(|error| ConfigError::new("log.level", error.to_string()))?;
    let hours = between("session.hours", raw.session.hours, 1, 24 * 30)?;
    // Each of several servers has its part, so that all together let through no more.
    let servers = between("login.servers", raw.login.servers, 1, 64)?;
    let part = |all: u32| all.div_ceil(servers);
    Ok(Config {
        listen: raw.listen,
        tls,
        workers: between("workers", raw.workers, 1, 256)?,
        shutdown: Duration::from_secs(between("shutdown_seconds", raw.shutdown_seconds, 1, 600)?),
        database: DbSettings { url, readers: between("database.readers", raw.database.readers, 1, 200)? },
        session: SessionRules {
            access: chrono::Duration::minutes(between("session.access_minutes", raw.session.access_minutes, 1, 60)?),
            session: chrono::Duration::hours(hours),
            idle: chrono::Duration::minutes(between("session.idle_minutes", raw.session.idle_minutes, 5, 24 * 60)?),
            failures: part(between("login.failures", raw.login.failures, 1, 100)?),
            source_attempts: part(between("login.source_failures", raw.login.source_failures, 1, 100_000)?),
            name_attempts: part(between("login.name_failures", raw.login.name_failures, 1, 100_000)?),
            lock: chrono::Duration::minutes(between("login.lock_minutes", raw.login.lock_minutes, 1, 24 * 60)?),
            summed_up: chrono::Duration::minutes(between("login.sum_minutes", raw.login.sum_minutes, 1, 24 * 60)?),
            sign_grace: chrono::Duration::seconds(between(
                "session.sign_grace_seconds",
                raw.session.sign_grace_seconds,
                0,
                3600,
            )?),
            second_factor: listed("login.second_factor", &raw.login.second_factor, Role::parse, &Role::words())?,
        },
        session_key: raw.session.key_file.unwrap_or_else(|| raw.data.join("keys").join("session.key")),
        password: PasswordCost {
            memory_kib: between("password.memory_kib", raw.password.memory_kib, 64, 1 << 20)?,
            iterations: between("password.iterations", raw.password.iterations, 1, 100)?,
            parallelism: between("password.parallelism", raw.password.parallelism, 1, 16)?,
            at_once: between("password.at_once", raw.password.at_once, 1, 64)?,
            ..PasswordCost::default()
        },
        regulation: folder("folders.regulation", raw.folders.regulation)?,
        numbers: numbers(raw.certificate_numbers)?,
        log_format: raw.log.format,
        log_level: raw.log.level,
        settings: Settings::new(),
        seal_every: Duration::from_secs(between("seal.every_seconds", raw.seal.every_seconds, 1, 3600)?),
        check_every: Duration::from_secs(3600 * between("seal.check_hours", raw.seal.check_hours, 1, 720)?),
        anchors: parts::anchors(&raw.seal)?,
        seal_roots: file("seal.authority_roots", raw.seal.authority_roots)?,
        show_every: Duration::from_secs(between("seal.show_seconds", raw.seal.show_seconds, 1, 86_400)?),
        reading: parts::reading(&raw.reading)?,
        ways: parts::ways(&raw.instruments)?,
        site: Site {
            mappings: folder("folders.mappings", raw.folders.mappings)?,
            watched: folder("folders.instruments", raw.folders.instruments)?,
            data: raw.data,
            demonstration: false,
            listen: raw.listen,
            cookie_secure: raw.session.cookie_secure.unwrap_or_else(|| public_url.starts_with("https://")),
            public_url,
            json_bytes: between("limits.json_bytes", raw.limits.json_bytes, 1 << 10, 64 << 20)?,
            reviewer_checks_import: raw.instruments.reviewer_checks_import,
            hidden_from_testers: hidden(&raw.hidden.from_testers)?,
            apart: listed("duties.apart", &raw.duties.apart, duties::pair, &format!("pairs of {}", Duty::words()))?,
            trusted_proxies: listed(
                "proxies.trusted",
                &raw.proxies.trusted,
                |text| text.parse::<IpAddr>().ok(),
                "addresses such as 10.0.0.1",
            )?,
            upload_bytes: between("limits.upload_bytes", raw.limits.upload_bytes, 1 << 10, 1 << 30)?,
            adapters: folder("folders.adapters", raw.folders.adapters)?,
            templates: folder("folders.templates", raw.folders.templates)?,
            roots: file("signing.roots", raw.signing.roots.clone())?,
            signing: signing(raw.signing)?,
        },
    })
}

fn tls(raw: RawTls) -> Result<Option<TlsFiles>, ConfigError> {
    match (file("tls.certificate", raw.certificate)?, file("tls.key", raw.key)?) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
        (None, Some(_)) => Err(ConfigError::new("tls.certificate", "is needed beside tls.key")),
        (Some(_), None) => Err(ConfigError::new("tls.key", "is needed beside tls.certificate")),
    }
}

fn own_url(tls: bool, listen: SocketAddr) -> String {
    format!("{}://{listen}", if tls { "https" } else { "http" })
}

fn public_url(given: Option<String>, own: &str) -> Result<String, ConfigError> {
    let Some(url) = given else { return Ok(own.to_owned()) };
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    match rest.map(|rest| rest.trim_end_matches('/')) {
        Some(rest) if !rest.is_empty() && !rest.contains([' ', '?', '#', '"']) => {
            Ok(url.trim_end_matches('/').to_owned())
        }
        _ => Err(ConfigError::new("public_url", format!("expected http://… or https://…, found {url:?}"))),
    }
}

/// Words separated by commas; empty for none.
fn listed<T>(
    field: &str,
    text: &str,
    parse: impl Fn(&str) -> Option<T>,
    expected: &str,
) -> Result<Vec<T>, ConfigError> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    let read = |word| parse(word).ok_or_else(|| ConfigError::new(field, format!("{word:?} is not one of: {expected}")));
    words.map(read).collect()
}

/// The facts of a case that a laboratory hides from those who test, separated by commas; empty for none.
fn hidden(text: &str) -> Result<Vec<Hidden>, ConfigError> {
    listed("hidden.from_testers", text, Hidden::parse, &Hidden::words())
}

fn numbers(patterns: NumberPatterns) -> Result<NumberPatterns, ConfigError> {
    match patterns.check() {
        Ok(()) => Ok(patterns),
        Err(error) => Err(ConfigError::new(format!("certificate_numbers.{}", error.pattern), error.en)),
    }
}

fn signing(raw: RawSigning) -> Result<Option<SigningFiles>, ConfigError> {
    match (file("signing.key", raw.key)?, file("signing.certificate", raw.certificate)?) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(ConfigError::new("signing.key", "is needed beside signing.certificate")),
        (Some(key), certificate) => Ok(Some(SigningFiles { key, certificate, passphrase_env: raw.passphrase_env })),
    }
}

mod parts;

#[cfg(test)]
mod tests;
