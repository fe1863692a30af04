//! Every rule of the databases is met on purpose: each trigger, on both, with the words that a person reads. The
//! database that it happens in was written by the version before, and upgraded.

mod cases;

use std::collections::{BTreeMap, BTreeSet};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use qianfa::store::columns::InstituteId;
use qianfa::store::invariants::NAMED;
use qianfa::store::views::{CertificateFilter, QueueFilter, Reader, certificates, queue};
use qianfa::store::{AnyConnection, Backend, DbConn, DbSettings, Failure, Invariant, StoreError};
use qianfa::vocabulary::{Role, TaskState};
use serde_json::json;
use tempfile::TempDir;

use crate::support::postgres::OwnDatabase;
use crate::support::{On, on_both, on_each, postgres, text};
use crate::world::{World, ok, one_item};
use cases::{CASES, Case};

/// A database that the version before wrote.
struct Landed {
    url: String,
    _folder: TempDir,
    _database: Option<OwnDatabase>,
}

impl Landed {
    fn new(on: On) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = (on == On::Postgres).then(OwnDatabase::empty);
        let url = match &database {
            Some(own) => own.url.clone(),
            None => format!("sqlite://{}", folder.path().join("qianfa.db").display()),
        };
        let landed = Self { url, _folder: folder, _database: database };
        let mut conn = landed.connect();
        match &mut conn {
            AnyConnection::Sqlite(raw) => run_to(raw, "sqlite", "0010"),
            AnyConnection::Postgres(raw) => run_to(raw, "postgres", "0010"),
        }
        conn.batch_execute(include_str!("codes/landed.sql")).expect("rows of the version before");
        landed
    }

    fn connect(&self) -> AnyConnection {
        match Backend::parse(&self.url).expect("a URL") {
            Backend::Sqlite(path) => {
                let mut raw = SqliteConnection::establish(path.to_str().expect("a path")).expect("opens");
                raw.batch_execute("PRAGMA foreign_keys = ON").expect("a setting");
                AnyConnection::Sqlite(raw)
            }
            Backend::Postgres(url) => AnyConnection::Postgres(postgres::connect(&url)),
        }
    }

    /// The program opens it, and with that brings it up to date.
    fn upgrade(&self) -> DbConn {
        DbConn::open(&DbSettings::new(self.url.clone())).expect("an upgrade")
    }
}

fn migrations(side: &str) -> FileBasedMigrations {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(side);
    FileBasedMigrations::from_path(root).expect("migrations")
}

fn run_to<DB: diesel::backend::Backend>(conn: &mut impl MigrationHarness<DB>, side: &str, last: &str) {
    loop {
        let ran = conn.run_next_migration(migrations(side)).expect("a migration");
        if ran.to_string() == last {
            break;
        }
    }
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn lines(conn: &mut AnyConnection, query: &str) -> Vec<String> {
    let rows: Vec<Line> = match conn {
        AnyConnection::Sqlite(raw) => diesel::sql_query(query).load(raw).expect(query),
        AnyConnection::Postgres(raw) => diesel::sql_query(query).load(raw).expect(query),
    };
    rows.into_iter().map(|row| row.line).collect()
}

fn execute(conn: &mut AnyConnection, statement: &str) -> QueryResult<usize> {
    match conn {
        AnyConnection::Sqlite(raw) => diesel::sql_query(statement).execute(raw),
        AnyConnection::Postgres(raw) => diesel::sql_query(statement).execute(raw),
    }
}

/// A trigger of a row needs one.
const ROW_HASHES: &str = "INSERT INTO audit_rows (seq, hashes) SELECT min(seq), 'x' FROM audit_entry";

/// Runs statements that are undone; the last one's answer.
fn tried(conn: &mut AnyConnection, statements: &[&str]) -> QueryResult<usize> {
    let (last, before) = statements.split_last().expect("a statement");
    execute(conn, "BEGIN").expect("begins");
    for statement in before {
        execute(conn, statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    let answer = execute(conn, last);
    execute(conn, "ROLLBACK").expect("undone");
    answer
}

/// The rule that a statement met, told as the program tells it.
fn rule_of(error: diesel::result::Error) -> Option<Invariant> {
    match StoreError::from(error) {
        StoreError::Unique { rule, .. } | StoreError::Invariant { rule, .. } => Some(rule),
        _ => None,
    }
}

/// What a person reads of it: a conflict or a wrong entry, never our failure, and nothing of the database's own text.
#[track_caller]
fn assert_words(error: diesel::result::Error, rule: Invariant) {
    let inside = error.to_string();
    let refusal = Failure::from(error).into_refusal();
    assert_eq!(refusal.details["invariant"], rule.as_str(), "{inside}");
    assert!(matches!(refusal.code.status(), 409 | 422), "{refusal}");
    assert!(refusal.message_zh.chars().any(|c| ('\u{4E00}'..='\u{9FFF}').contains(&c)), "{refusal}");
    for text in [&refusal.message_zh, &refusal.message_en] {
        for word in ["数据库", "database", "constraint", "trigger", "qianfa", "_", "NULL", "CHECK"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
        assert!(!text.is_empty() && !inside.contains(text.as_str()), "{text} is the database's own text");
    }
}

/// Triggers and their tables, as the database has them.
fn triggers(conn: &mut AnyConnection) -> BTreeMap<String, String> {
    let query = match conn {
        AnyConnection::Sqlite(_) => "SELECT name || ' ' || tbl_name AS line FROM sqlite_master WHERE type = 'trigger'",
        AnyConnection::Postgres(_) => {
            "SELECT tgname || ' ' || tgrelid::regclass::text AS line FROM pg_trigger WHERE NOT tgisinternal \
             AND tgname NOT LIKE 'touched\\_%'"
        }
    };
    let split = |line: String| line.split_once(' ').map(|(name, table)| (name.to_owned(), table.to_owned()));
    lines(conn, query).into_iter().filter_map(split).collect()
}

fn drop_trigger(on: On, name: &str, table: &str) -> String {
    match on {
        On::Sqlite => format!("DROP TRIGGER {name}"),
        On::Postgres => format!("DROP TRIGGER {name} ON {table}"),
    }
}

/// The tables with a revision.
fn revised(conn: &mut AnyConnection) -> Vec<String> {
    triggers(conn)
        .iter()
        .filter(|(name, table)| **name == format!("{table}_revision"))
        .map(|(_, t)| t.clone())
        .collect()
}

/// The cases that follow from a table's name: what is only added, what is never removed, what has a revision.
fn regular(conn: &mut AnyConnection, on: On) -> Vec<Case> {
    let mut found = Vec::new();
    let mut add = |trigger: &str, statement: String, rule: Invariant| {
        found.push(Case {
            sqlite: trigger.to_owned(),
            postgres: trigger.to_owned(),
            before: if statement.contains("audit_rows") { vec![ROW_HASHES.to_owned()] } else { Vec::new() },
            statement,
            rule,
        });
    };
    for (name, table) in triggers(conn) {
        let column = match table.as_str() {
            "companion_file" => "name",
            "run_list_row" => "place",
            "evaluation_file" | "evaluation_standard" => "evaluation_id",
            "audit_entry" | "audit_seal" | "audit_rows" => "seq",
            _ => "id",
        };
        let update = format!("UPDATE {table} SET {column} = {column}");
        let kind = name.strip_prefix(&format!("{table}_")).unwrap_or_default();
        match kind {
            "no_update" => add(&name, update, Invariant::AppendOnly),
            "append_only" => {
                add(&name, update, Invariant::AppendOnly);
                add(&name, format!("DELETE FROM {table}"), Invariant::AppendOnly);
                // A table that others refer to is not emptied by TRUNCATE anyway.
                if ["reading", "audit_rows"].contains(&table.as_str()) {
                    add(&name, format!("TRUNCATE {table}"), Invariant::AppendOnly);
                }
            }
            "no_delete" if on == On::Sqlite && cases::ONLY_ADDED.contains(&table.as_str()) => {
                add(&name, format!("DELETE FROM {table}"), Invariant::AppendOnly);
            }
            "no_delete" => add(&name, format!("DELETE FROM {table}"), Invariant::NeverDeleted),
            "revision" if on == On::Postgres => {
                add(&name, format!("UPDATE {table} SET revision = revision + 2"), Invariant::RevisionOrder);
                add(&name, format!("UPDATE {table} SET revision = revision - 1"), Invariant::RevisionOrder);
            }
            "revision_order" => {
                add(&name, format!("UPDATE {table} SET revision = revision + 2"), Invariant::RevisionOrder);
                add(&name, format!("UPDATE {table} SET revision = revision - 1"), Invariant::RevisionOrder);
            }
            _ => {}
        }
    }
    found
}

#[test]
fn every_trigger_refuses_in_words_and_never_as_our_failure() {
    on_each(|on| {
        let landed = Landed::new(on);
        drop(landed.upgrade());
        let mut conn = landed.connect();
        let there = triggers(&mut conn);
        let mut met = BTreeSet::new();
        let all: Vec<Case> = CASES.iter().map(Case::from).chain(regular(&mut conn, on)).collect();
        for case in &all {
            let name = match on {
                On::Sqlite => &case.sqlite,
                On::Postgres => &case.postgres,
            };
            let table = there.get(name).unwrap_or_else(|| panic!("no trigger {name} on {on:?}"));
            let mut statements: Vec<&str> = case.before.iter().map(String::as_str).collect();
            statements.push(&case.statement);
            let Err(error) = tried(&mut conn, &statements) else { panic!("{name}: {} is allowed", case.statement) };
            assert_words(error, case.rule);
            // It was this trigger that refused: without it, the statement meets another rule or none.
            let without = drop_trigger(on, name, table);
            statements.insert(0, &without);
            let other = tried(&mut conn, &statements).map_err(rule_of);
            assert_ne!(other, Err(Some(case.rule)), "{name} is not what refuses {}", case.statement);
            met.insert(name.clone());
        }
        // What raises a revision refuses nothing on SQLite; the next test looks at it.
        met.extend(revised(&mut conn).iter().map(|table| format!("{table}_revision")));
        let unmet: Vec<&String> = there.keys().filter(|name| !met.contains(*name)).collect();
        assert!(unmet.is_empty(), "triggers of {on:?} without a case: {unmet:?}");
    });
}

/// By how much the revisions of a table's rows were raised, all together.
fn raised(conn: &mut AnyConnection, table: &str) -> usize {
    let found = lines(conn, &format!("SELECT CAST(sum(revision) - count(*) AS TEXT) AS line FROM {table}"));
    found.concat().parse().expect("a number")
}

#[test]
fn every_change_raises_the_revision_by_one() {
    const REVISED: usize = 18;
    on_each(|on| {
        let landed = Landed::new(on);
        drop(landed.upgrade());
        let mut conn = landed.connect();
        let tables = revised(&mut conn);
        assert_eq!(tables.len(), REVISED, "{tables:?}");
        for table in &tables {
            // Rows of the version before begin at one; also an issued certificate and a voided sample have a revision.
            assert_eq!(raised(&mut conn, table), 0, "{table}");
            let rows = execute(&mut conn, &format!("UPDATE {table} SET id = id")).expect(table);
            assert!(rows > 0, "{table} has no row");
            assert_eq!(raised(&mut conn, table), rows, "{table}");
            // One that says itself what it raises is not raised twice.
            execute(&mut conn, &format!("UPDATE {table} SET revision = revision + 1")).expect(table);
            assert_eq!(raised(&mut conn, table), 2 * rows, "{table}");
        }
        // Under the cover of a revision nothing else moves.
        for statement in [
            "UPDATE certificate SET revision = revision + 1, pdf_sha256 = 'other' WHERE id = 'x1'",
            "UPDATE sample SET revision = revision + 1, state = 'received' WHERE id = 'm3'",
            "UPDATE result SET revision = revision + 1, review_note = 'other' WHERE id = 'z1'",
            "UPDATE specification SET revision = revision + 1, title = 'other' WHERE id = 'n1'",
        ] {
            let rule = tried(&mut conn, &[statement]).map_err(rule_of);
            assert!(matches!(rule, Err(Some(_))), "{statement}: {rule:?}");
        }
    });
}

#[test]
fn checks_and_keys_are_told_in_the_same_words_on_both() {
    const MET: [(&str, Invariant); 8] = [
        ("UPDATE account SET username = 'analyst' WHERE id = 'a2'", Invariant::UsernameTaken),
        (
            "INSERT INTO certificate (id, kind, application_id, sample_id, institute_id, state, conforms, data, verification_code, drafted_by, drafted_at) \
              SELECT 'x9', kind, application_id, sample_id, institute_id, 'drafted', conforms, data, 'other', drafted_by, drafted_at FROM certificate WHERE id = 'x1'",
            Invariant::CertificateTaken,
        ),
        ("UPDATE authorisation SET valid_to = '2025-01-01'", Invariant::PeriodOrder),
        ("UPDATE sample SET state = 'voided' WHERE id = 'm1'", Invariant::ReasonMissing),
        ("UPDATE batch SET application_id = 'nowhere' WHERE id = 'b1'", Invariant::ReferenceMissing),
        ("UPDATE application SET lane_rank = NULL", Invariant::ValueMissing),
        ("UPDATE application SET state = 'lost' WHERE id = 'c1'", Invariant::ValueNotAllowed),
        ("UPDATE session SET created_at = 'yesterday'", Invariant::ValueNotAllowed),
    ];
    on_each(|on| {
        let landed = Landed::new(on);
        drop(landed.upgrade());
        let mut conn = landed.connect();
        for (statement, rule) in MET {
            let Err(error) = tried(&mut conn, &[statement]) else { panic!("{statement} is allowed") };
            assert_words(error, rule);
        }
        // What the program knows by name is there, under that name.
        let there: BTreeSet<String> = match on {
            On::Postgres => lines(
                &mut conn,
                "SELECT conname::text AS line FROM pg_constraint UNION SELECT indexname::text FROM pg_indexes",
            ),
            On::Sqlite => lines(
                &mut conn,
                "SELECT group_concat(place, ', ') AS line FROM (SELECT m.name AS tab, l.name AS key, m.name || '.' || c.name AS place \
                 FROM sqlite_master m JOIN pragma_index_list(m.name) l JOIN pragma_index_info(l.name) c \
                 WHERE m.type = 'table' AND l.\"unique\" = 1 ORDER BY tab, key, c.seqno) GROUP BY tab, key",
            ),
        }
        .into_iter()
        .collect();
        let tables = match on {
            On::Sqlite => lines(&mut conn, "SELECT sql AS line FROM sqlite_master WHERE type = 'table'").concat(),
            On::Postgres => String::new(),
        };
        for (rule, postgres, sqlite) in NAMED {
            let known = match on {
                On::Postgres => there.contains(*postgres),
                On::Sqlite => there.contains(*sqlite) || tables.contains(&format!("CHECK ({sqlite})")),
            };
            assert!(known, "{rule:?}: {postgres} / {sqlite} on {on:?}");
        }
    });
}

/// Every row of every table, column by column, in the columns that the table has now; with `of`, of its tables and
/// columns alone.
type Content = BTreeMap<String, (Vec<String>, Vec<String>)>;

fn content(conn: &mut AnyConnection, of: Option<&Content>) -> Content {
    let query = match conn {
        AnyConnection::Sqlite(_) => {
            "SELECT m.name || ' ' || p.name AS line FROM sqlite_master m JOIN pragma_table_info(m.name) p \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\' ORDER BY 1"
        }
        AnyConnection::Postgres(_) => {
            "SELECT table_name || ' ' || column_name AS line FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%' ORDER BY 1"
        }
    };
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines(conn, query) {
        let (table, column) = line.split_once(' ').expect("two words");
        tables.entry(table.to_owned()).or_default().push(column.to_owned());
    }
    // A table that the version before did not have keeps nothing of it.
    tables.retain(|table, _| of.is_none_or(|old| old.contains_key(table)));
    let rows = |(table, now): (String, Vec<String>)| {
        let columns = of.and_then(|old| old.get(&table)).map_or(now, |(columns, _)| columns.clone());
        let each =
            columns.iter().map(|c| format!("coalesce(CAST(\"{c}\" AS TEXT), '-')")).collect::<Vec<_>>().join("||'|'||");
        let rows = lines(conn, &format!("SELECT {each} AS line FROM {table} ORDER BY 1"));
        (table, (columns, rows))
    };
    // A table that came later has nothing of before.
    tables.into_iter().filter(|(table, _)| of.is_none_or(|old| old.contains_key(table))).map(rows).collect()
}

#[test]
fn a_database_of_the_version_before_keeps_everything_and_learns_its_institutes() {
    on_each(|on| {
        let landed = Landed::new(on);
        let before = content(&mut landed.connect(), None);
        let empty: Vec<_> = before.iter().filter(|(_, (_, rows))| rows.is_empty()).map(|(table, _)| table).collect();
        assert!(empty.is_empty(), "the version before left {empty:?} empty");
        let db = landed.upgrade();
        let mut conn = landed.connect();
        // A series has its kind in its name, and goes on.
        let mut kept = before.clone();
        assert_eq!(before["number_series"].1, ["1|SX|2026"]);
        kept.get_mut("number_series").expect("series").1 = vec!["1|sample:SX|2026".to_owned()];
        assert_eq!(content(&mut conn, Some(&before)), kept);
        // What two institutes used is shared, and somebody has yet to say whose it is; a label is its institute's.
        for (query, expected) in [
            ("SELECT id || ' ' || coalesce(institute_id, '-') AS line FROM product WHERE owner_open", "d1 -"),
            ("SELECT id || ' ' || coalesce(institute_id, '-') AS line FROM applicant WHERE owner_open", "p1 -"),
            ("SELECT id || ' ' || institute_id AS line FROM container ORDER BY id LIMIT 1", "k1 i1"),
            ("SELECT DISTINCT institute_id AS line FROM audit_entry", "i1"),
        ] {
            assert_eq!(lines(&mut conn, query), [expected], "{query}");
        }
        for (query, expected) in [
            ("SELECT id || ' ' || institute_id AS line FROM sample ORDER BY 1", ["m1 i1", "m3 i2"]),
            ("SELECT id || ' ' || institute_id AS line FROM test_task ORDER BY 1", ["k1 i1", "k2 i1"]),
            ("SELECT id || ' ' || institute_id AS line FROM certificate ORDER BY 1", ["x1 i1", "x2 i1"]),
        ] {
            assert_eq!(lines(&mut conn, query), expected);
        }
        // The lists of the program show them to their institute and to no other.
        let listed = |institute: &str| {
            let id = InstituteId::from(institute);
            db.read(|conn| {
                let filter = QueueFilter { state: Some(TaskState::Entered.to_string()), ..QueueFilter::default() };
                let reader = Reader::Staff { institute: id.clone(), hidden: Vec::new() };
                let tasks = queue(conn, &reader, &filter)?;
                let register = certificates(conn, &reader, &CertificateFilter::default())?;
                Ok((tasks.total, register.total))
            })
            .expect("lists")
        };
        assert_eq!((listed("i1"), listed("i2")), ((1, 2), (0, 0)));
        // And the way back loses nothing that was there.
        drop(db);
        loop {
            let gone = match &mut conn {
                AnyConnection::Sqlite(raw) => raw.revert_last_migration(migrations("sqlite")),
                AnyConnection::Postgres(raw) => raw.revert_last_migration(migrations("postgres")),
            };
            if gone.expect("the way back").to_string() == "0011" {
                break;
            }
        }
        assert_eq!(content(&mut conn, None), before);
        drop(landed.upgrade());
        assert_eq!(content(&mut conn, Some(&before)), kept);
    });
}

/// What one institute used is that institute's, what nobody used is shared without a question; numbers go on.
#[test]
fn products_applicants_and_numbers_go_to_whose_they_were() {
    const BEFORE: [&str; 7] = [
        "INSERT INTO product (id, code, name_zh, name_en, category, strength, dosage_form, package_spec, storage, manufacturer, holder, container_name, container_content, content_unit, created_at) \
         SELECT 'd7', 'P7', name_zh, name_en, category, strength, dosage_form, package_spec, storage, manufacturer, holder, container_name, container_content, content_unit, created_at FROM product WHERE id = 'd1'",
        "INSERT INTO product (id, code, name_zh, name_en, category, strength, dosage_form, package_spec, storage, manufacturer, holder, container_name, container_content, content_unit, created_at) \
         SELECT 'd8', 'P8', name_zh, name_en, category, strength, dosage_form, package_spec, storage, manufacturer, holder, container_name, container_content, content_unit, created_at FROM product WHERE id = 'd1'",
        "INSERT INTO applicant (id, name, address, contact, created_at) SELECT 'p7', '另一申请人', address, contact, created_at FROM applicant WHERE id = 'p1'",
        "INSERT INTO specification (id, product_id, version, title, edition, status, effective_from, created_at) \
         SELECT 'n7', 'd7', 1, title, edition, 'draft', NULL, created_at FROM specification WHERE id = 'n1'",
        "INSERT INTO application (id, number, business, purpose, pre_submission, standard_verification, institute_id, applicant_id, product_id, specification_id, state, particulars, lane_rank, created_by, created_at) \
         SELECT 'c7', 'HBC20260007', business, purpose, pre_submission, standard_verification, 'i2', 'p7', 'd7', 'n7', 'draft', particulars, lane_rank, created_by, created_at FROM application WHERE id = 'c1'",
        "INSERT INTO number_series (series, year, last) VALUES ('SXC', 2026, 1)",
        "INSERT INTO account_role (account_id, role) VALUES ('a2', 'administrator')",
    ];
    on_each(|on| {
        let landed = Landed::new(on);
        let mut conn = landed.connect();
        for statement in BEFORE {
            execute(&mut conn, statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
        drop(landed.upgrade());
        let whose =
            "SELECT id || ' ' || coalesce(institute_id, '-') || CASE WHEN owner_open THEN ' open' ELSE '' END AS line";
        assert_eq!(lines(&mut conn, &format!("{whose} FROM product ORDER BY id")), ["d1 - open", "d7 i2", "d8 -"]);
        assert_eq!(lines(&mut conn, &format!("{whose} FROM applicant ORDER BY id")), ["p1 - open", "p7 i2"]);
        let series = "SELECT series || ' ' || last AS line FROM number_series ORDER BY series";
        assert_eq!(lines(&mut conn, series), ["application:SX 1", "sample:SX 1"]);
        let held = "SELECT account_id AS line FROM account_role WHERE role = 'installation'";
        assert_eq!(lines(&mut conn, held), ["a2"], "the first administrator has the installation");
    });
}

/// The one whose reading another has replaced is told why the result is not theirs to review, by API and page alike.
#[test]
fn who_entered_a_replaced_reading_is_refused_in_words() {
    on_both(|app| {
        let world = World::new(app);
        app.account("both", &[Role::Analyst, Role::Reviewer]);
        let both = app.logged_in("both");
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let taken = world.take_in("drug_registration", &product, "A", 2);
        let task = world.task(&text(&taken["samples"][0], "number"), "assay", "waiting");
        let entry = format!("/api/v1/tasks/{task}/entry");
        ok(&both.post(&entry, &json!({"readings": [{"name": "x", "raw": "99.0"}], "reagents": ""})), 201);
        let corrected = json!({"readings": [{"name": "x", "raw": "99.1"}], "reagents": "", "reason": "笔误"});
        let result = text(&ok(&world.analyst.post(&entry, &corrected), 201), "result_id");
        let review = format!("/api/v1/results/{result}/review");
        let refused = both.post(&review, &json!({"outcome": "approved", "import_checked": true}));
        assert_eq!(refused.status, 409, "{}", refused.text);
        assert_eq!(refused.problem(), "self-review");
        assert!(!refused.text.contains("数据库") && !refused.text.contains("qianfa:self-review"), "{}", refused.text);
        for told in ["both", "录入数据", "含量测定", "不得再由同一人办理结果复核"] {
            assert!(refused.text.contains(told), "{told}: {}", refused.text);
        }
    });
}
