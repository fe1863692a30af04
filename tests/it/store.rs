//! The store: one schema on two databases, one way to write, files by content.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};
use qianfa::action::{Action, Call, Context, Facts, Made, Once, act_called};
use qianfa::refusal::{Code, Refusal};
use qianfa::store::dialect::next_number;
use qianfa::store::{AnyConnection, DbConn, Outcome};
use qianfa::vocabulary::Permission;

use crate::support::{On, TestApp, on_both};

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Integer)]
    nullable: i32,
}

/// Table and column to nullability, as the database has them.
fn columns(db: &DbConn) -> BTreeMap<(String, String), bool> {
    const SQLITE: &str = "SELECT m.name AS table_name, p.name AS column_name, \
        CASE WHEN p.\"notnull\" = 1 OR p.pk > 0 THEN 0 ELSE 1 END AS nullable \
        FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type = 'table' \
        AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\'";
    const POSTGRES: &str = "SELECT table_name::text, column_name::text, \
        CASE is_nullable WHEN 'YES' THEN 1 ELSE 0 END AS nullable FROM information_schema.columns \
        WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%'";
    let rows: Vec<Column> = db
        .read(|conn| {
            Ok(match conn {
                AnyConnection::Sqlite(raw) => diesel::sql_query(SQLITE).load(raw)?,
                AnyConnection::Postgres(raw) => diesel::sql_query(POSTGRES).load(raw)?,
            })
        })
        .unwrap();
    rows.into_iter().map(|c| ((c.table_name, c.column_name), c.nullable == 1)).collect()
}

/// The same from `schema.rs`, read as text: that is what every query is compiled against.
fn declared() -> BTreeMap<(String, String), bool> {
    let text = include_str!("../../src/store/schema.rs");
    let mut found = BTreeMap::new();
    let mut table = None;
    for line in text.lines().map(str::trim) {
        if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with("{")) {
            table = Some(name.to_owned());
        } else if let (Some(table), Some((column, kind))) = (&table, line.split_once(" -> "))
            && !line.starts_with("diesel::")
        {
            found.insert((table.clone(), column.to_owned()), kind.starts_with("Nullable"));
        }
    }
    found
}

#[test]
fn both_databases_have_the_schema_that_the_program_declares() {
    on_both(|app| assert_eq!(columns(&app.services.db), declared()));
}

#[test]
fn both_folders_of_migrations_have_equal_versions() {
    let versions = |side: &str| -> BTreeSet<String> {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(side);
        std::fs::read_dir(root).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(versions("sqlite"), versions("postgres"));
    assert!(!versions("sqlite").is_empty());
}

fn take(db: &DbConn, series: &'static str) -> i64 {
    db.write(move |conn| next_number(conn, series, 2026)).unwrap()
}

#[test]
fn two_hundred_increments_at_once_leave_no_gap_and_no_double() {
    on_both(|app| {
        let taken: BTreeSet<i64> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| (0..25).map(|_| take(&app.services.db, "t")).collect::<Vec<_>>()))
                .collect();
            workers.into_iter().flat_map(|w| w.join().unwrap()).collect()
        });
        assert_eq!(taken, (1..=200).collect());
    });
}

/// Two processes have two writers: they meet in the database.
#[test]
fn increments_of_two_writers_leave_no_gap_either() {
    on_both(|app| {
        let settings = app.ground.config(&[]).database;
        let other = DbConn::open(&settings).unwrap();
        let taken: BTreeSet<i64> = std::thread::scope(|scope| {
            let workers = [&app.services.db, &other]
                .map(|db| scope.spawn(move || (0..50).map(|_| take(db, "two")).collect::<Vec<_>>()));
            workers.into_iter().flat_map(|w| w.join().unwrap()).collect()
        });
        assert_eq!(taken, (1..=100).collect());
    });
}

#[test]
fn what_is_refused_leaves_nothing_behind() {
    on_both(|app| {
        take(&app.services.db, "gap");
        let refused = app.services.db.write(|conn| {
            next_number(conn, "gap", 2026)?;
            Err::<(), _>(Refusal::new(Code::Conflict, "否", "no").into())
        });
        assert!(refused.is_err());
        let panicked = app.services.db.write(|conn| {
            next_number(conn, "gap", 2026)?;
            let faulty: Vec<i64> = Vec::new();
            Ok(faulty[faulty.len()])
        });
        assert!(panicked.is_err());
        assert_eq!(take(&app.services.db, "gap"), 2);
    });
}

/// An action that takes the next number of a series, whatever else is asked of it.
#[derive(Clone)]
struct TakeNumber;

impl Action for TakeNumber {
    const NAME: &'static str = "test.number";
    const PERMISSION: Permission = Permission::InstituteManage;
    type Prepared = ();
    type Loaded = ();
    type Plan = ();
    type Done = i64;

    fn load(&self, _: &mut Context<'_>, (): &()) -> Outcome<()> {
        Ok(())
    }

    fn decide(&self, _: &Facts<'_>, (): &()) -> Result<(), Refusal> {
        Ok(())
    }

    fn keep(&self, cx: &mut Context<'_>, (): (), (): ()) -> Outcome<i64> {
        next_number(cx.conn, "once", 2026)
    }
}

#[test]
fn a_repeated_request_is_done_once() {
    on_both(|app: &TestApp| {
        let call = |key: Option<&str>, sha: &str| {
            let once = key.map(|key| Once { key: key.to_owned(), request_sha256: sha.to_owned(), seconds: None });
            act_called(&app.services, &app.admin, Call { once, made: Made::Unsaid }, TakeNumber)
        };
        let first = call(Some("k1"), "a").unwrap();
        assert_eq!((first.done, first.replayed), (1, false));
        let again = call(Some("k1"), "a").unwrap();
        assert_eq!((again.done, again.replayed), (1, true));
        let other = call(Some("k1"), "b").unwrap_err().into_refusal();
        assert_eq!(other.code, Code::IdempotencyMismatch);
        assert_eq!(call(Some("k2"), "b").unwrap().done, 2);
        assert_eq!(call(None, "b").unwrap().done, 3);
        let at_once: BTreeSet<i64> = std::thread::scope(|scope| {
            let calls: Vec<_> = (0..16).map(|_| scope.spawn(|| call(Some("k3"), "c").unwrap().done)).collect();
            calls.into_iter().map(|c| c.join().unwrap()).collect()
        });
        assert_eq!(at_once, BTreeSet::from([4]));
    });
}

#[test]
fn a_failing_migration_is_a_message() {
    let ground = crate::support::Ground::new(On::Sqlite);
    let config = ground.config(&[]);
    std::fs::create_dir_all(&config.site.data).unwrap();
    let path = config.site.data.join("qianfa.db");
    let mut raw = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    diesel::connection::SimpleConnection::batch_execute(&mut raw, "CREATE TABLE account (something TEXT)").unwrap();
    drop(raw);
    let error = DbConn::open(&config.database).err().unwrap().to_string();
    assert!(error.starts_with("migration failed: "), "{error}");
}

/// Writers that wait share a commit: those of them that are refused, by us or by the database, or panic, are undone
/// alone.
#[test]
fn one_refused_among_many_is_undone_alone() {
    let pause = |millis| std::thread::sleep(std::time::Duration::from_millis(millis));
    on_both(|app| {
        let db = &app.services.db;
        let write = move |nth: usize| {
            db.write(move |conn| {
                let number = next_number(conn, "group", 2026)?;
                match nth % 5 {
                    0 => Err(Refusal::new(Code::Conflict, "否", "no").into()),
                    1 => {
                        let other = "INSERT INTO number_series (series, year, last) VALUES ('other', 2026, 7)";
                        diesel::sql_query(other).execute(conn)?;
                        Ok(number)
                    }
                    2 if nth == 12 => panic!("meant to"),
                    _ => Ok(number),
                }
            })
        };
        let answers: Vec<_> = std::thread::scope(|scope| {
            // While this one holds the writer, the others gather behind it.
            let first = scope.spawn(|| {
                db.write(move |conn| {
                    pause(300);
                    next_number(conn, "group", 2026)
                })
            });
            pause(100);
            let rest: Vec<_> = (0..30).map(|nth| scope.spawn(move || write(nth))).collect();
            std::iter::once(first).chain(rest).map(|thread| thread.join().unwrap()).collect()
        });
        let kept: Vec<i64> = answers.iter().filter_map(|answer| answer.as_ref().ok().copied()).collect();
        assert_eq!(kept.len(), 1 + 30 - 6 - 6 - 1);
        assert_eq!(kept.iter().copied().collect::<BTreeSet<_>>(), (1..=18).collect());
        assert_eq!(take(db, "group"), 19);
        assert_eq!(take(db, "other"), 1);
    });
}
