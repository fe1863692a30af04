//! Connections to either database, and the handle that everything else holds.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::r2d2::{ManageConnection, Pool, PooledConnection};
use diesel::sqlite::SqliteConnection;

use super::health::Health;
use super::migrations::applied_versions;
use super::schema::health_probe;
use super::unreadable::placed;
use super::writer::Writer;
use super::{Outcome, StoreError};
use crate::refusal::Refusal;

/// A connection to either database; queries are written once against it.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    /// The embedded database.
    Sqlite(SqliteConnection),
    /// The server.
    Postgres(PgConnection),
}

/// Which database a URL names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backend {
    /// `sqlite://PATH`
    Sqlite(PathBuf),
    /// `postgres://…`, handed to libpq unchanged (`sslmode=` and the like included)
    Postgres(String),
}

impl Backend {
    /// Reads a database URL.
    ///
    /// # Errors
    /// Where it begins with neither `sqlite://` nor `postgres://`.
    pub fn parse(url: &str) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            if path.is_empty() {
                return Err(StoreError::Unavailable("sqlite:// is followed by a path".into()));
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        Err(StoreError::Unavailable("a database URL begins with sqlite:// or postgres://".into()))
    }

    /// Opens a connection; `read_only` is enforced by the database.
    pub(super) fn connect(&self, read_only: bool) -> Result<AnyConnection, StoreError> {
        let unavailable = |error: &dyn std::fmt::Display| StoreError::unreached(error.to_string());
        match self {
            Self::Sqlite(path) => {
                let text = path.to_str().ok_or_else(|| StoreError::Unavailable("the path is not UTF-8".into()))?;
                let mut raw = SqliteConnection::establish(text).map_err(|e| unavailable(&e))?;
                let only = if read_only { "PRAGMA query_only = ON;" } else { "" };
                raw.batch_execute(&format!(
                    "PRAGMA busy_timeout = 15000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                     PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; {only}"
                ))
                .map_err(|e| unavailable(&e))?;
                Ok(AnyConnection::Sqlite(raw))
            }
            Self::Postgres(url) => {
                let mut raw = PgConnection::establish(url).map_err(|e| unavailable(&e))?;
                let only = if read_only { "SET default_transaction_read_only = on;" } else { "" };
                raw.batch_execute(&format!("SET TIME ZONE 'UTC'; SET client_min_messages = warning; {only}"))
                    .map_err(|e| unavailable(&e))?;
                Ok(AnyConnection::Postgres(raw))
            }
        }
    }
}

/// How to open the database.
#[derive(Clone, Debug)]
pub struct DbSettings {
    /// `sqlite://PATH` or `postgres://…`
    pub url: String,
    /// Connections kept for reading.
    pub readers: u32,
}

impl DbSettings {
    /// Settings for `url` with the default number of readers.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), readers: 6 }
    }
}

/// How the connections of a handle are opened.
#[derive(Clone)]
enum Opened {
    /// By the backend.
    Plainly(Backend),
    /// The database of this file, which must not be changed by being looked at.
    Untouched(PathBuf),
}

impl Opened {
    fn reader(&self) -> Result<AnyConnection, StoreError> {
        match self {
            Self::Plainly(backend) => backend.connect(true),
            Self::Untouched(path) => read_only(path),
        }
    }
}

/// Opens a database in a file without a lock, a log or any other trace of it. Where a server has it open or left its
/// log behind, through that log.
pub(super) fn read_only(path: &Path) -> Result<AnyConnection, StoreError> {
    let text = path.to_str().ok_or_else(|| StoreError::Unavailable("the path is not UTF-8".into()))?;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let logged = std::fs::metadata(&log).is_ok_and(|log| log.len() > 0);
    // In an address of SQLite these three begin something else.
    let text = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let how = if logged { "mode=ro" } else { "mode=ro&immutable=1" };
    let unavailable = |error: &dyn std::fmt::Display| StoreError::unreached(format!("{}: {error}", path.display()));
    if !path.is_file() {
        return Err(unavailable(&"there is no such file"));
    }
    let mut raw = SqliteConnection::establish(&format!("file:{text}?{how}")).map_err(|error| unavailable(&error))?;
    raw.batch_execute("PRAGMA busy_timeout = 15000; PRAGMA query_only = ON; PRAGMA trusted_schema = OFF;")
        .map_err(|error| unavailable(&error))?;
    Ok(AnyConnection::Sqlite(raw))
}

struct Readers(Opened);

/// A connection for reading; one that failed to begin or to end a transaction is not used again.
struct Reader {
    conn: AnyConnection,
    broken: bool,
}

impl Reader {
    fn begin(&mut self) -> Result<(), StoreError> {
        let begin = match &self.conn {
            AnyConnection::Sqlite(_) => "BEGIN DEFERRED",
            AnyConnection::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        };
        self.execute(begin)
    }

    fn execute(&mut self, text: &str) -> Result<(), StoreError> {
        let done = self.conn.batch_execute(text).map_err(StoreError::from);
        self.broken |= done.is_err();
        done
    }
}

impl ManageConnection for Readers {
    type Connection = Reader;
    type Error = StoreError;

    fn connect(&self) -> Result<Reader, StoreError> {
        Ok(Reader { conn: self.0.reader()?, broken: false })
    }

    fn is_valid(&self, reader: &mut Reader) -> Result<(), StoreError> {
        reader.execute("SELECT 1")
    }

    fn has_broken(&self, reader: &mut Reader) -> bool {
        reader.broken
    }
}

/// The handle to the database: clone it freely.
#[derive(Clone)]
pub struct DbConn {
    backend: Backend,
    readers: Pool<Readers>,
    /// None where the database was opened to be looked at.
    writer: Option<Arc<Writer>>,
    /// The copy that is looked at where the database itself cannot be; it goes with the handle.
    _copy: Option<Arc<tempfile::TempDir>>,
    health: Arc<Health>,
}

impl DbConn {
    /// Opens the database and brings its schema up to date.
    ///
    /// # Errors
    /// Where it cannot be reached or a migration fails; the message says which.
    pub fn open(settings: &DbSettings) -> Result<Self, StoreError> {
        let backend = Backend::parse(&settings.url)?;
        super::migrations::migrate(&mut backend.connect(false)?)?;
        Self::attach(backend, settings.readers)
    }

    /// Opens the database to look at it: it is neither migrated nor changed, and may lie where nothing can be written.
    ///
    /// # Errors
    /// Where it cannot be reached, or its schema is not this version's.
    pub fn open_read_only(settings: &DbSettings) -> Result<Self, StoreError> {
        let backend = Backend::parse(&settings.url)?;
        let (opened, copy) = match &backend {
            Backend::Postgres(_) => (Opened::Plainly(backend.clone()), None),
            Backend::Sqlite(path) => match read_only(path).and_then(|mut conn| applied_versions(&mut conn)) {
                Ok(_) => (Opened::Untouched(path.clone()), None),
                // A log that needs what cannot be written beside it: looked at elsewhere, log and all.
                Err(error) => {
                    let copy = copied(path).map_err(|_| error)?;
                    let name = copy.path().join("database");
                    (Opened::Untouched(name), Some(Arc::new(copy)))
                }
            },
        };
        let (has, known) = (applied_versions(&mut opened.reader()?)?, super::migrations::known_versions()?);
        if has.last() != known.last() {
            let name = |all: &[String]| all.last().cloned().unwrap_or_else(|| "none".into());
            return Err(StoreError::Migration(format!(
                "the database has the schema {}, this program {}: it is looked at by the version that wrote it, or as a \
                 copy that `qianfa migrate` brought up to date",
                name(&has),
                name(&known)
            )));
        }
        let readers = Self::pool(opened, settings.readers)?;
        Ok(Self { backend, readers, writer: None, _copy: copy, health: Arc::default() })
    }

    fn pool(opened: Opened, readers: u32) -> Result<Pool<Readers>, StoreError> {
        Pool::builder()
            .max_size(readers.max(1))
            .min_idle(Some(1))
            // `read` finds out when it begins its transaction: a question before that would cost a round trip.
            .test_on_check_out(false)
            .connection_timeout(Duration::from_secs(10))
            .build(Readers(opened))
            .map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    fn attach(backend: Backend, readers: u32) -> Result<Self, StoreError> {
        let readers = Self::pool(Opened::Plainly(backend.clone()), readers)?;
        let writer = Some(Arc::new(Writer::start(backend.clone())?));
        Ok(Self { backend, readers, writer, _copy: None, health: Arc::default() })
    }

    /// Which database this is.
    #[must_use]
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Reads in one consistent snapshot; the database refuses any change.
    ///
    /// # Errors
    /// What `query` returns, or the store's failure.
    pub fn read<T>(&self, query: impl FnOnce(&mut AnyConnection) -> Outcome<T>) -> Outcome<T> {
        let mut reader = self.begun()?;
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            query(&mut reader.conn).map_err(|failure| placed(&mut reader.conn, failure))
        }));
        let ended = reader.execute("ROLLBACK");
        let found = found.unwrap_or_else(|_| Err(StoreError::Panicked("a query panicked".into()).into()));
        self.health.read(&found);
        ended?;
        found
    }

    /// A reader inside its transaction. Connections that went away while they waited, as all of them do when the
    /// database's server starts anew, are replaced.
    fn begun(&self) -> Result<PooledConnection<Readers>, StoreError> {
        let mut gone = 0;
        loop {
            let reader = self.readers.get();
            let mut reader = reader.map_err(|error| StoreError::unreached(error.to_string()))?;
            match reader.begin() {
                Ok(()) => return Ok(reader),
                Err(_) if gone < self.readers.max_size() => gone += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes: one transaction, all or nothing, durable when this returns.
    ///
    /// SQLite: `BEGIN IMMEDIATE`; PostgreSQL: `SERIALIZABLE` with bounded retry. Waiting writers share one
    /// commit; where one of them is refused, it is undone alone. `action` may run more
    /// than once and must have no effect outside the database.
    ///
    /// # Errors
    /// What `action` returns (then nothing was changed), or the store's failure.
    pub fn write<T: Send + 'static>(
        &self,
        action: impl FnMut(&mut AnyConnection) -> Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        if let Some(why) = self.health.held() {
            return Err(why.into());
        }
        self.write_held(action)
    }

    /// Writes although writing is held: the decision that ends it.
    ///
    /// # Errors
    /// As [`DbConn::write`].
    pub fn write_held<T: Send + 'static>(
        &self,
        action: impl FnMut(&mut AnyConnection) -> Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        let done = match &self.writer {
            Some(writer) => writer.run(action),
            None => Err(StoreError::Unavailable("it was opened to be looked at".into()).into()),
        };
        self.health.wrote(&done);
        done
    }

    /// Writes something that nobody reads, durably.
    ///
    /// # Errors
    /// The store's failure.
    pub fn probe(&self) -> Outcome<()> {
        self.write(|conn| {
            diesel::update(health_probe::table.find(1_i64))
                .set(health_probe::probes.eq(health_probe::probes + 1))
                .execute(conn)?;
            Ok(())
        })
    }

    /// Why no write is taken at the moment, if that is so.
    #[must_use]
    pub fn held(&self) -> Option<Refusal> {
        self.health.held()
    }

    /// Refuses every write with that reason, until it is called with none.
    pub fn hold(&self, why: Option<Refusal>) {
        self.health.hold(why);
    }

    /// The trouble of the machine that the last write met, or any read that found damage.
    #[must_use]
    pub fn trouble(&self) -> Option<Refusal> {
        self.health.trouble()
    }
}

/// A database with its log, in a folder of its own.
fn copied(path: &Path) -> std::io::Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    std::fs::copy(path, folder.path().join("database"))?;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::copy(log, folder.path().join("database-wal"))?;
    Ok(folder)
}
