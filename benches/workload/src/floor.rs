//! The floor: the rows of one intake, written by the bare database driver in one durable transaction.
//!
//! The rows are those that the program itself wrote for an intake, with fresh ids and numbers; the tables are the
//! program's own, with their checks and triggers. Statements are prepared once a connection, rows of one table go in
//! together, and nothing is read, decided or turned into JSON. SQLite: one connection, `synchronous=FULL`.
//! PostgreSQL: as many connections as the server has clients, default settings.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use qianfa::action::{Services, act};
use qianfa::cases::TakeIn;
use qianfa::store::columns::*;
use qianfa::store::rows::*;
use qianfa::store::{AnyConnection, Backend, Outcome, schema};

use crate::laboratory::Laboratory;

/// The rows of one intake.
#[derive(Clone)]
pub struct Rows {
    application: ApplicationRow,
    batches: Vec<BatchRow>,
    clocks: Vec<ApplicationClockRow>,
    samples: Vec<SampleRow>,
    containers: Vec<ContainerRow>,
    entries: Vec<CustodyEntryRow>,
    tasks: Vec<TestTaskRow>,
    trail: Vec<NewAuditEntry>,
    /// What the first of them says of the rows.
    hashes: String,
}

impl Rows {
    /// Takes one intake through the program and reads what it wrote.
    pub fn of_an_intake(services: &Services, laboratory: &Laboratory) -> Result<Self, String> {
        let form: TakeIn = serde_json::from_value(laboratory.intake(0)).map_err(|error| error.to_string())?;
        let taken = act(services, &laboratory.receiver, form).map_err(|failure| failure.to_string())?;
        let id = taken.application_id;
        services.db.read(|conn| Self::load(conn, &id)).map_err(|failure| failure.to_string())
    }

    fn load(conn: &mut AnyConnection, id: &ApplicationId) -> Outcome<Self> {
        use schema::*;
        let samples: Vec<SampleRow> =
            sample::table.filter(sample::application_id.eq(id)).select(SampleRow::as_select()).load(conn)?;
        let ids: Vec<&SampleId> = samples.iter().map(|row| &row.id).collect();
        let subjects: Vec<&str> = ids.iter().map(|id| id.as_str()).chain([id.as_str()]).collect();
        let trail: Vec<AuditEntryRow> = audit_entry::table
            .filter(audit_entry::subject_id.eq_any(subjects))
            .select(AuditEntryRow::as_select())
            .load(conn)?;
        let hashes: Option<String> = audit_rows::table
            .filter(audit_rows::seq.eq_any(trail.iter().map(|entry| entry.seq)))
            .select(audit_rows::hashes)
            .first(conn)
            .optional()?;
        Ok(Self {
            hashes: hashes.unwrap_or_default(),
            application: application::table.find(id).select(ApplicationRow::as_select()).first(conn)?,
            batches: batch::table.filter(batch::application_id.eq(id)).select(BatchRow::as_select()).load(conn)?,
            clocks: application_clock::table
                .filter(application_clock::application_id.eq(id))
                .select(ApplicationClockRow::as_select())
                .load(conn)?,
            containers: container::table
                .filter(container::sample_id.eq_any(&ids))
                .select(ContainerRow::as_select())
                .load(conn)?,
            entries: custody_entry::table
                .filter(custody_entry::sample_id.eq_any(&ids))
                .order(custody_entry::id)
                .select(CustodyEntryRow::as_select())
                .load(conn)?,
            tasks: test_task::table
                .filter(test_task::sample_id.eq_any(&ids))
                .select(TestTaskRow::as_select())
                .load(conn)?,
            trail: trail.into_iter().map(entry).collect(),
            samples,
        })
    }

    /// How many rows of each kind, for the table.
    pub fn counts(&self) -> String {
        format!(
            "1 application, {} batch, {} clocks, {} sample, {} containers, {} custody entries, {} tasks, {} audit entries with their hashes, 3 numbers",
            self.batches.len(),
            self.clocks.len(),
            self.samples.len(),
            self.containers.len(),
            self.entries.len(),
            self.tasks.len(),
            self.trail.len()
        )
    }

    /// The same rows under fresh ids; one batch and one sample, as the form has.
    fn renew(&mut self) {
        let (application, batch, sample) = (ApplicationId::new(), BatchId::new(), SampleId::new());
        self.application.id = application.clone();
        for row in &mut self.batches {
            (row.id, row.application_id) = (batch.clone(), application.clone());
        }
        for row in &mut self.clocks {
            row.application_id = application.clone();
        }
        for row in &mut self.samples {
            (row.id, row.application_id, row.batch_id) = (sample.clone(), application.clone(), batch.clone());
        }
        for row in &mut self.containers {
            let old = std::mem::replace(&mut row.id, ContainerId::new());
            row.sample_id = sample.clone();
            for entry in self.entries.iter_mut().filter(|entry| entry.container_id.as_ref() == Some(&old)) {
                entry.container_id = Some(row.id.clone());
            }
        }
        for row in &mut self.entries {
            (row.id, row.sample_id) = (CustodyEntryId::new(), sample.clone());
        }
        for row in &mut self.tasks {
            (row.id, row.sample_id) = (TestTaskId::new(), sample.clone());
        }
        for row in &mut self.trail {
            row.subject_id = if row.subject_kind == "sample" { sample.to_string() } else { application.to_string() };
        }
    }

    fn number(&mut self, application: i64, sample: i64) {
        self.application.number = format!("SXC{YEAR}{application:04}");
        let number = format!("SX{YEAR}{sample:04}");
        for row in &mut self.containers {
            row.label_code = format!("{number}-{:02}", row.position);
        }
        for row in &mut self.samples {
            row.number.clone_from(&number);
        }
    }
}

fn entry(row: AuditEntryRow) -> NewAuditEntry {
    NewAuditEntry {
        seq: row.seq,
        at: row.at,
        actor_id: row.actor_id,
        actor: row.actor,
        action: row.action,
        event_version: row.event_version,
        subject_kind: row.subject_kind,
        subject_id: row.subject_id,
        changes: row.changes,
        reason: row.reason,
        request_id: row.request_id,
        institute_id: row.institute_id,
        rows_sha256: row.rows_sha256,
    }
}

/// Rows of one table in as few prepared statements as there are parts of fixed size.
macro_rules! put {
    ($conn:expr, $table:path, $rows:expr) => {{
        let mut rest: &[_] = $rows;
        while !rest.is_empty() {
            put!(@part $conn, $table, rest, 6 4 3 2 1);
        }
    }};
    (@part $conn:expr, $table:path, $rest:ident, $($size:literal)*) => {
        $(if let Some((part, after)) = $rest.split_first_chunk::<$size>() {
            diesel::insert_into($table).values(part).execute($conn)?;
            $rest = after;
            continue;
        })*
    };
}

/// One driver: the same statements, compiled for its connection.
macro_rules! driver {
    ($write:ident, $number:ident, $end:ident, $connection:ty, $begin:literal) => {
        fn $write(conn: &mut $connection, rows: &mut Rows, year: i64) -> QueryResult<()> {
            use schema::*;
            rows.renew();
            conn.batch_execute($begin)?;
            let application = $number(conn, "SXC", year)?;
            let sample = $number(conn, "SX", year)?;
            rows.number(application, sample);
            diesel::insert_into(application::table).values(&rows.application).execute(conn)?;
            put!(conn, batch::table, &rows.batches);
            put!(conn, application_clock::table, &rows.clocks);
            put!(conn, sample::table, &rows.samples);
            put!(conn, container::table, &rows.containers);
            put!(conn, custody_entry::table, &rows.entries);
            put!(conn, test_task::table, &rows.tasks);
            let first = $end(conn, i64::try_from(rows.trail.len()).unwrap_or(1))?;
            for (entry, seq) in rows.trail.iter_mut().zip(first..) {
                entry.seq = seq;
            }
            put!(conn, audit_entry::table, &rows.trail);
            diesel::insert_into(audit_rows::table)
                .values((audit_rows::seq.eq(first), audit_rows::hashes.eq(&rows.hashes)))
                .execute(conn)?;
            conn.batch_execute("COMMIT")
        }

        fn $end(conn: &mut $connection, count: i64) -> QueryResult<i64> {
            use schema::audit_end::dsl;
            let taken = diesel::update(dsl::audit_end.find(1_i64)).set(dsl::last.eq(dsl::last + count));
            let last: i64 = taken.returning(dsl::last).get_result(conn)?;
            Ok(last - count + 1)
        }

        fn $number(conn: &mut $connection, series: &str, year: i64) -> QueryResult<i64> {
            use schema::number_series::dsl;
            diesel::insert_into(dsl::number_series)
                .values((dsl::series.eq(series), dsl::year.eq(year), dsl::last.eq(1)))
                .on_conflict((dsl::series, dsl::year))
                .do_update()
                .set(dsl::last.eq(dsl::last + 1))
                .returning(dsl::last)
                .get_result(conn)
        }
    };
}

driver!(write_sqlite, number_sqlite, end_sqlite, SqliteConnection, "BEGIN IMMEDIATE");
driver!(write_postgres, number_postgres, end_postgres, PgConnection, "BEGIN");

/// The bare drivers' connections, opened once.
pub enum Floor {
    Sqlite(Box<SqliteConnection>, Box<Rows>),
    Postgres(Vec<(PgConnection, Rows)>),
}

/// What the floor counts its numbers under; the series of the template intake is left alone.
const YEAR: i64 = 9999;

impl Floor {
    pub fn open(backend: &Backend, rows: &Rows, connections: usize) -> Result<Self, String> {
        let told = |error: diesel::ConnectionError| error.to_string();
        match backend {
            Backend::Sqlite(path) => {
                let mut conn = SqliteConnection::establish(&path.display().to_string()).map_err(told)?;
                conn.batch_execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
                    .map_err(|error| error.to_string())?;
                Ok(Self::Sqlite(Box::new(conn), Box::new(rows.clone())))
            }
            Backend::Postgres(url) => {
                let open = |_| PgConnection::establish(url).map(|conn| (conn, rows.clone())).map_err(told);
                Ok(Self::Postgres((0..connections).map(open).collect::<Result<_, _>>()?))
            }
        }
    }

    /// Writes so many intakes; tells how long that took.
    pub fn run(&mut self, intakes: usize) -> Result<Duration, String> {
        let began = Instant::now();
        match self {
            Self::Sqlite(conn, rows) => {
                for _ in 0..intakes {
                    write_sqlite(conn, rows, YEAR).map_err(|error| error.to_string())?;
                }
            }
            Self::Postgres(connections) => {
                let taken = AtomicUsize::new(0);
                let work = |conn: &mut PgConnection, rows: &mut Rows| -> QueryResult<()> {
                    while taken.fetch_add(1, Ordering::Relaxed) < intakes {
                        write_postgres(conn, rows, YEAR)?;
                    }
                    Ok(())
                };
                std::thread::scope(|scope| {
                    let threads: Vec<_> =
                        connections.iter_mut().map(|(conn, rows)| scope.spawn(|| work(conn, rows))).collect();
                    threads.into_iter().try_for_each(|thread| match thread.join() {
                        Ok(ended) => ended.map_err(|error| error.to_string()),
                        Err(_) => Err("a thread of the floor panicked".to_owned()),
                    })
                })?;
            }
        }
        Ok(began.elapsed())
    }
}
