//! Connections to either database, and the handle that everything else holds.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::r2d2::{ManageConnection, Pool, PooledConnection};
use diesel::sqlite::SqliteConnection;

use super::unreadable::placed;
use super::writer::Writer;
use super::{Outcome, StoreError};

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
        let unavailable = |error: &dyn std::fmt::Display| StoreError::Unavailable(error.to_string());
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

struct Readers(Backend);

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
        Ok(Reader { conn: self.0.connect(true)?, broken: false })
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
    writer: Arc<Writer>,
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

    fn attach(backend: Backend, readers: u32) -> Result<Self, StoreError> {
        let pool = Pool::builder()
            .max_size(readers.max(1))
            .min_idle(Some(1))
            // `read` finds out when it begins its transaction: a question before that would cost a round trip.
            .test_on_check_out(false)
            .connection_timeout(Duration::from_secs(10))
            .build(Readers(backend.clone()))
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let writer = Arc::new(Writer::start(backend.clone())?);
        Ok(Self { backend, readers: pool, writer })
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
        ended?;
        found
    }

    /// A reader inside its transaction. Connections that went away while they waited, as all of them do when the
    /// database's server starts anew, are replaced.
    fn begun(&self) -> Result<PooledConnection<Readers>, StoreError> {
        let mut gone = 0;
        loop {
            let reader = self.readers.get();
            let mut reader = reader.map_err(|error| StoreError::Unavailable(error.to_string()))?;
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
        self.writer.run(action)
    }
}
