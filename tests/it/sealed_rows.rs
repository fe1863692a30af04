//! What is changed beside the program is found: rows of every table, files, entries, an older copy of the database.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use qianfa::record::{MisfitKind, RecordAcceptance, Report, WITNESS, accept};
use qianfa::store::touched::{EXEMPT, SEALED, SealedTable};
use serde_json::json;

use crate::forms::every_form;
use crate::support::{Ground, On, PASSWORD, TestApp, on_both, on_each};
use crate::world::ok;

/// Somebody with the database in hand, and another program than this one.
enum Stranger {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

impl Stranger {
    fn at(ground: &Ground) -> Self {
        match ground.on {
            On::Sqlite => {
                let path = ground.url().trim_start_matches("sqlite://").to_owned();
                let mut raw = SqliteConnection::establish(&path).expect("opens");
                raw.batch_execute(
                    // The program seals its trail meanwhile.
                    "PRAGMA busy_timeout = 15000; PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON",
                )
                .expect("at will");
                Self::Sqlite(raw)
            }
            On::Postgres => {
                let mut raw = PgConnection::establish(&ground.url()).expect("opens");
                // No trigger and no foreign key holds anybody who may say this.
                raw.batch_execute("SET session_replication_role = replica").expect("at will");
                Self::Postgres(raw)
            }
        }
    }

    fn lines(&mut self, query: &str) -> Vec<String> {
        let rows: Vec<Line> = match self {
            Self::Sqlite(raw) => diesel::sql_query(query).load(raw).unwrap_or_else(|e| panic!("{query}: {e}")),
            Self::Postgres(raw) => diesel::sql_query(query).load(raw).unwrap_or_else(|e| panic!("{query}: {e}")),
        };
        rows.into_iter().map(|row| row.line).collect()
    }

    /// Runs a statement past the triggers of its table.
    fn past_triggers(&mut self, table: &str, statement: &str) -> Result<(), String> {
        match self {
            Self::Postgres(raw) => raw.batch_execute(statement).map_err(|error| error.to_string()),
            Self::Sqlite(_) => {
                let made = self.lines(&format!(
                    "SELECT sql AS line FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{table}'"
                ));
                let names = self.lines(&format!(
                    "SELECT name AS line FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{table}'"
                ));
                let dropped: String = names.iter().map(|name| format!("DROP TRIGGER {name};")).collect();
                let made = made.join(";\n");
                let Self::Sqlite(raw) = self else { unreachable!("it is SQLite") };
                let done = raw.batch_execute(&format!("BEGIN IMMEDIATE; {dropped} {statement}; {made}; COMMIT"));
                if done.is_err() {
                    raw.batch_execute("ROLLBACK").expect("undone");
                }
                done.map_err(|error| error.to_string())
            }
        }
    }

    /// The columns of a table with their types.
    fn columns(&mut self, table: &str) -> Vec<String> {
        match self {
            Self::Sqlite(_) => {
                self.lines(&format!("SELECT name AS line FROM pragma_table_info('{table}') ORDER BY cid"))
            }
            Self::Postgres(_) => self.lines(&format!(
                "SELECT column_name::text AS line FROM information_schema.columns WHERE table_name = '{table}' \
                 ORDER BY ordinal_position"
            )),
        }
    }

    /// What finds one row of a table.
    fn a_row(&mut self, table: &SealedTable) -> Option<String> {
        let parts: Vec<String> =
            table.key.iter().map(|column| format!("'{column} = ''' || {column} || ''''")).collect();
        let parts = parts.join(" || ' AND ' || ");
        self.lines(&format!("SELECT {parts} AS line FROM {} LIMIT 1", table.name)).pop()
    }

    /// A value as a literal of SQL.
    fn literal(&mut self, table: &str, column: &str, row: &str) -> String {
        let query = format!("SELECT coalesce('=' || CAST({column} AS TEXT), '') AS line FROM {table} WHERE {row}");
        match self.lines(&query).pop().expect("the row").strip_prefix('=') {
            Some(value) => format!("'{}'", value.replace('\'', "''")),
            None => "NULL".to_owned(),
        }
    }
}

/// Changes a table as somebody does who has the database in hand.
pub fn past_triggers_of(ground: &Ground, table: &str, statement: &str) {
    Stranger::at(ground).past_triggers(table, statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
}

fn verified(app: &TestApp) -> Report {
    app.services.sealer.verify().expect("verified")
}

/// Everything that does not fit, as one text.
fn misfits(report: &Report) -> String {
    report.misfit.iter().chain(&report.more).map(|one| format!("{:?} {}\n", one.kind, one.message_en)).collect()
}

#[test]
fn every_table_is_sealed_or_exempt_for_a_reason() {
    on_both(|app| {
        let mut stranger = Stranger::at(&app.ground);
        let (all, key) = match app.ground.on {
            On::Sqlite => (
                "SELECT name AS line FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                 AND name NOT LIKE '\\_\\_%' ESCAPE '\\'",
                "SELECT group_concat(name, ' ') AS line FROM (SELECT name FROM pragma_table_info('?') WHERE pk > 0 \
                 ORDER BY pk)",
            ),
            On::Postgres => (
                "SELECT table_name::text AS line FROM information_schema.tables WHERE table_schema = 'public' \
                 AND table_name NOT LIKE '\\_\\_%'",
                "SELECT string_agg(a.attname, ' ' ORDER BY array_position(i.indkey::smallint[], a.attnum)) AS line \
                 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) \
                 WHERE i.indrelid = '?'::regclass AND i.indisprimary",
            ),
        };
        let all: BTreeSet<String> = stranger.lines(all).into_iter().collect();
        let sealed = SEALED.iter().map(|table| table.name.to_owned());
        let exempt = EXEMPT.iter().filter(|(_, why)| !why.is_empty()).map(|(name, _)| (*name).to_owned());
        let known: Vec<String> = sealed.chain(exempt).collect();
        assert_eq!(known.len(), known.iter().collect::<BTreeSet<_>>().len(), "a table is on one list, and once");
        assert_eq!(all, known.into_iter().collect::<BTreeSet<_>>());
        for table in SEALED {
            assert_eq!(stranger.lines(&key.replace('?', table.name)), [table.key.join(" ")], "{}", table.name);
            let columns = stranger.columns(table.name);
            for passing in table.passing {
                assert!(columns.contains(&(*passing).to_owned()), "{}.{passing}", table.name);
            }
        }
    });
}

/// What a column may be set to, until something is taken that it was not: its type may refuse some.
const CHANGES: &[&str] = &["'x'", "c || '1'", "c + 1", "NOT c", "1 - c", "'2026-01-01T00:00:00.000000Z'"];

/// Changes every column of one row of a table, one at a time and back; tells how many, and which were not found.
fn unseen(app: &TestApp, stranger: &mut Stranger, table: &SealedTable) -> (usize, Vec<String>) {
    let name = table.name;
    let (mut tried, mut faults) = (0, Vec::new());
    let Some(row) = stranger.a_row(table) else { return (0, Vec::new()) };
    let columns = stranger.columns(name);
    let sealed = |column: &&String| !table.passing.contains(&column.as_str()) && !table.key.contains(&column.as_str());
    for column in columns.iter().filter(sealed) {
        let before = stranger.literal(name, column, &row);
        let set = |stranger: &mut Stranger, to: &str| {
            stranger.past_triggers(name, &format!("UPDATE {name} SET {column} = {to} WHERE {row}"))
        };
        let changed = CHANGES.iter().any(|change| {
            set(stranger, &change.replace('c', column)).is_ok() && stranger.literal(name, column, &row) != before
        });
        if !changed {
            continue;
        }
        tried += 1;
        let report = verified(app);
        let found = report.misfit.iter().chain(&report.more).any(|one| {
            one.kind == MisfitKind::RowChanged && one.message_en.starts_with(&format!("{name} ")) && one.entry.is_some()
        });
        if !found {
            faults.push(format!("{name}.{column} changed: {}", misfits(&report)));
        }
        set(stranger, &before).expect("as it was");
    }
    // Gone, and there again.
    stranger.past_triggers(name, &format!("CREATE TEMP TABLE kept AS SELECT * FROM {name} WHERE {row}")).expect("kept");
    stranger.past_triggers(name, &format!("DELETE FROM {name} WHERE {row}")).expect("removed");
    let report = verified(app);
    if !misfits(&report).contains(&format!("RowMissing {name} ")) {
        faults.push(format!("{name} removed: {}", misfits(&report)));
    }
    stranger
        .past_triggers(name, &format!("INSERT INTO {name} SELECT * FROM kept; DROP TABLE kept;"))
        .expect("as it was");
    (tried + 1, faults)
}

#[test]
fn a_row_that_is_changed_or_removed_beside_the_program_is_found_in_every_table() {
    on_both(|app| {
        every_form(app);
        assert!(verified(app).intact, "{}", misfits(&verified(app)));
        let mut stranger = Stranger::at(&app.ground);
        let (mut tried, mut faults) = (0, Vec::new());
        let mut empty = Vec::new();
        for table in SEALED {
            let (changes, unseen) = unseen(app, &mut stranger, table);
            if changes == 0 {
                empty.push(table.name);
            }
            tried += changes;
            faults.extend(unseen);
        }
        assert_eq!(faults, Vec::<String>::new());
        assert!(tried > 250, "{tried} changes were tried");
        assert!(empty.len() < 12, "too little is at work: nothing in {empty:?}");
        assert!(verified(app).intact, "put back as it was: {}", misfits(&verified(app)));
    });
}

#[test]
fn a_rule_of_the_database_that_is_taken_away_is_found_and_comes_onto_the_trail() {
    on_each(|on| {
        let mut app = TestApp::start(on);
        assert!(verified(&app).intact, "{}", misfits(&verified(&app)));
        let mut stranger = Stranger::at(&app.ground);
        let statement = match &stranger {
            Stranger::Sqlite(_) => "DROP TRIGGER audit_entry_no_update",
            Stranger::Postgres(_) => "ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_append_only",
        };
        match &mut stranger {
            Stranger::Sqlite(raw) => raw.batch_execute(statement),
            Stranger::Postgres(raw) => raw.batch_execute(statement),
        }
        .expect("taken away");
        let report = verified(&app);
        assert_eq!(report.misfit.map(|one| one.kind), Some(MisfitKind::StructureChanged));
        drop(stranger);
        app.restart();
        let entries = Stranger::at(&app.ground).lines(
            "SELECT CAST(changes AS TEXT) AS line FROM audit_entry WHERE action = 'record.structure' ORDER BY seq",
        );
        assert_eq!(entries.len(), 2, "{entries:?}");
        assert!(entries[1].contains("\"old\":\""), "what it was is said: {entries:?}");
    });
}

#[test]
fn a_row_that_no_entry_speaks_of_is_found() {
    on_both(|app| {
        let admin = app.logged_in("admin");
        let mut stranger = Stranger::at(&app.ground);
        stranger
            .past_triggers(
                "account_role",
                "INSERT INTO account_role (account_id, role) SELECT id, 'authorised_signatory' FROM account \
                 WHERE username = 'admin';",
            )
            .expect("planted");
        let report = verified(app);
        assert!(misfits(&report).contains("RowUnknown no audit entry speaks of account_role"), "{}", misfits(&report));
        // The program's next entry does not take it for its own.
        ok(&admin.post("/api/v1/applicants", &json!({"name": "一", "address": "x"})), 201);
        assert_eq!(verified(app).misfit, report.misfit);
    });
}

#[test]
fn a_file_that_is_gone_or_was_changed_is_found() {
    on_both(|app| {
        every_form(app);
        let report = verified(app);
        assert!(report.intact && report.files > 2, "{report:?}");
        let mut stack = vec![app.services.site.files()];
        let mut files = Vec::new();
        while let Some(folder) = stack.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
                let path = entry.path();
                if path.is_dir() { &mut stack } else { &mut files }.push(path);
            }
        }
        files.retain(|path| path.file_name().is_some_and(|name| name.len() == 64));
        files.sort();
        let [first, second, ..] = &files[..] else { panic!("{files:?}") };
        let (one, two) = (std::fs::read(first).expect("read"), std::fs::read(second).expect("read"));
        let put = |path: &Path, bytes: &[u8]| {
            std::fs::remove_file(path).expect("removed");
            std::fs::write(path, bytes).expect("written");
        };
        put(first, &two);
        put(second, &one);
        let swapped = misfits(&verified(app));
        assert_eq!(swapped.matches("FileChanged").count(), 2, "{swapped}");
        put(first, &one);
        put(second, &two);
        assert!(verified(app).intact);
        std::fs::remove_file(first).expect("removed");
        let gone = misfits(&verified(app));
        assert!(gone.starts_with("FileMissing") && gone.lines().count() == 1, "{gone}");
    });
}

#[test]
fn entries_that_are_not_sealed_yet_are_missed_too_and_numbers_have_no_gaps() {
    on_both(|app| {
        let admin = app.logged_in("admin");
        for name in ["一", "二", "三"] {
            ok(&admin.post("/api/v1/applicants", &json!({"name": name, "address": "x"})), 201);
            // What is refused takes no number.
            assert_eq!(admin.post("/api/v1/applicants", &json!({"name": "", "address": "x"})).status, 422);
        }
        let mut stranger = Stranger::at(&app.ground);
        let numbers = stranger.lines("SELECT CAST(seq AS TEXT) AS line FROM audit_entry ORDER BY audit_entry.seq");
        let numbers: Vec<usize> = numbers.iter().map(|number| number.parse().expect("a number")).collect();
        let last = numbers.len();
        assert_eq!(numbers, (1..=last).collect::<Vec<_>>());
        stranger.past_triggers("audit_rows", &format!("DELETE FROM audit_rows WHERE seq = {last};")).expect("removed");
        stranger
            .past_triggers("audit_entry", &format!("DELETE FROM audit_entry WHERE seq = {last};"))
            .expect("removed");
        let report = verified(app);
        assert!(misfits(&report).contains("EntryMissing"), "{}", misfits(&report));
    });
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// The same installation at another place, as its folder is now.
fn moved(app: &TestApp) -> Ground {
    let ground = Ground::new(On::Sqlite);
    copy_folder(&app.ground.dir.path().join("data"), &ground.dir.path().join("data"));
    ground
}

#[test]
fn an_older_copy_of_the_database_is_not_written_to_until_a_person_decides() {
    let mut app = TestApp::start(On::Sqlite);
    let mut sealed = app.services.sealer.seal_all(Duration::from_secs(5)).expect("sealed");
    let older = moved(&app);
    ok(&app.logged_in("admin").post("/api/v1/applicants", &json!({"name": "一", "address": "x"})), 201);
    sealed &= app.services.sealer.seal_all(Duration::from_secs(5)).expect("sealed");
    assert!(sealed);
    app.stop();
    // The database is the older one; what is remembered beside the keys is newer.
    let keys = |ground: &Ground| ground.dir.path().join("data/keys");
    std::fs::copy(keys(&app.ground).join(WITNESS), keys(&older).join(WITNESS)).expect("copied");
    let app = TestApp::again(older, &app);
    // Whoever looks at the health sees why.
    let ready = app.client().get("/health/ready");
    assert_eq!((ready.status, ready.problem().as_str()), (503, "record-held"), "{}", ready.text);
    let login = json!({"username": "admin", "password": PASSWORD});
    let refused = app.client().post("/api/v1/session", &login);
    assert_eq!((refused.status, refused.problem().as_str()), (503, "record-held"), "{}", refused.text);
    let report = verified(&app);
    assert!(misfits(&report).contains("SealMissing"), "{}", misfits(&report));
    let decide = |by: &str, reason: &str| {
        let acceptance = RecordAcceptance { by: by.into(), reason: reason.into() };
        accept(&app.services.db, &app.services.clock, &keys(&app.ground), &acceptance)
    };
    for (by, reason) in [("", "备份恢复"), ("质量负责人", " ")] {
        decide(by, reason).expect_err("a decision says who made it, and why");
    }
    decide("质量负责人", "备份恢复，之后的记录重新录入").expect("decided");
    decide("质量负责人", "再次").expect_err("there is nothing to decide any more");
    // The running server sees it by its next round.
    app.services.sealer.round().expect("a round");
    let admin = app.logged_in("admin");
    ok(&admin.post("/api/v1/applicants", &json!({"name": "一", "address": "x"})), 201);
    let trail = lines_of(&app, "SELECT actor || ' ' || reason AS line FROM audit_entry WHERE action = 'record.accept'");
    assert_eq!(trail, ["质量负责人 备份恢复，之后的记录重新录入"]);
    assert!(verified(&app).intact, "{}", misfits(&verified(&app)));
}

fn lines_of(app: &TestApp, query: &str) -> Vec<String> {
    Stranger::at(&app.ground).lines(query)
}

#[test]
fn what_is_remembered_of_the_trail_is_missed() {
    let mut app = TestApp::start(On::Sqlite);
    assert!(app.services.sealer.seal_all(Duration::from_secs(5)).expect("sealed"));
    app.stop();
    let forgetful = moved(&app);
    std::fs::remove_file(forgetful.dir.path().join("data/keys").join(WITNESS)).expect("removed");
    let app = TestApp::again(forgetful, &app);
    let ready = app.client().get("/health/ready");
    assert_eq!((ready.status, ready.problem().as_str()), (503, "record-held"), "{}", ready.text);
    assert!(misfits(&verified(&app)).contains("nothing is remembered"), "{}", misfits(&verified(&app)));
}
