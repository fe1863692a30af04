//! The trail: append-only by the database itself, sealed, and verified entry by entry.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use qianfa::record::{Change, MisfitKind, Report, record};
use serde_json::json;

use crate::support::{On, TestApp, on_both};

/// Statements past every trigger, as somebody with the database's own password could.
fn as_superuser(app: &TestApp, sql: &str) {
    let sql = match app.ground.on {
        On::Sqlite => format!(
            "DROP TRIGGER IF EXISTS audit_entry_no_update; DROP TRIGGER IF EXISTS audit_entry_no_delete; \
             DROP TRIGGER IF EXISTS audit_seal_no_update; DROP TRIGGER IF EXISTS audit_seal_no_delete; {sql}"
        ),
        On::Postgres => {
            format!("ALTER TABLE audit_entry DISABLE TRIGGER ALL; ALTER TABLE audit_seal DISABLE TRIGGER ALL; {sql}")
        }
    };
    app.services
        .db
        .write(move |conn| {
            conn.batch_execute(&sql)?;
            Ok(())
        })
        .unwrap();
}

fn entries(app: &TestApp, count: usize) {
    let actor = app.admin.clone();
    let at = app.clock.now();
    app.services
        .db
        .write(move |conn| {
            for n in 0..count {
                record(conn, &actor, at, vec![Change::created("thing.make", "thing", n, json!({"n": n}))])?;
            }
            Ok(())
        })
        .unwrap();
}

fn sealed(app: &TestApp) {
    assert!(app.services.sealer.seal_all(Duration::from_secs(20)).unwrap());
}

fn verified(app: &TestApp) -> Report {
    app.services.sealer.verify().unwrap()
}

#[test]
fn the_database_refuses_to_change_the_trail() {
    on_both(|app| {
        sealed(app);
        for sql in [
            "UPDATE audit_entry SET actor = 'x' WHERE seq = 1",
            "DELETE FROM audit_entry WHERE seq = 1",
            "UPDATE audit_seal SET root = 'x'",
            "DELETE FROM audit_seal",
        ] {
            let refused = app.services.db.write(move |conn| {
                conn.batch_execute(sql)?;
                Ok(())
            });
            let told = refused.unwrap_err().to_string();
            assert!(told.contains("append-only"), "{sql}: {told}");
        }
        let read_only = app.services.db.read(|conn| {
            conn.batch_execute("INSERT INTO number_series VALUES ('x', 2026, 1)")?;
            Ok(())
        });
        assert!(read_only.is_err());
    });
}

#[test]
fn what_was_written_is_sealed_and_fits() {
    on_both(|app| {
        entries(app, 20);
        let before = verified(app);
        assert!(before.intact && before.unsealed >= 20, "{before:?}");
        sealed(app);
        let after = verified(app);
        assert!(after.intact && after.unsealed == 0 && after.entries >= 20 && after.seals >= 1, "{after:?}");
        entries(app, 5);
        sealed(app);
        let more = verified(app);
        assert_eq!((more.entries, more.unsealed), (after.entries + 5, 0));
        assert!(more.seals > after.seals);
        let report = app.logged_in("admin").get("/api/v1/audit/verification").json();
        assert_eq!(report["intact"], true);
    });
}

/// Seals, does `sql`, and tells what no longer fits.
fn after(app: &TestApp, sql: &str) -> (MisfitKind, Option<i64>, Option<i64>) {
    entries(app, 10);
    sealed(app);
    entries(app, 10);
    sealed(app);
    assert!(verified(app).intact);
    as_superuser(app, sql);
    let report = verified(app);
    assert!(!report.intact, "{sql} went unseen");
    let misfit = report.misfit.unwrap();
    (misfit.kind, misfit.entry, misfit.seal)
}

#[test]
fn a_changed_entry_is_named() {
    on_both(|app| {
        let found = after(app, "UPDATE audit_entry SET actor = 'somebody else' WHERE seq IN (7, 9)");
        assert_eq!((found.0, found.1), (MisfitKind::EntryChanged, Some(7)));
    });
    on_both(|app| {
        let found = after(app, "UPDATE audit_entry SET event_version = 2 WHERE seq = 9");
        assert_eq!((found.0, found.1), (MisfitKind::EntryChanged, Some(9)), "the version of an event is sealed too");
    });
}

#[test]
fn a_missing_entry_is_named() {
    on_both(|app| {
        let found = after(app, "DELETE FROM audit_entry WHERE seq = 8");
        assert_eq!((found.0, found.1), (MisfitKind::EntryMissing, Some(8)));
    });
}

#[test]
fn a_missing_last_entry_of_a_seal_is_named() {
    on_both(|app| {
        let found = after(app, "DELETE FROM audit_entry WHERE seq = (SELECT max(last_entry) FROM audit_seal)");
        assert_eq!(found.0, MisfitKind::EntryMissing);
    });
}

#[test]
fn an_entry_put_back_elsewhere_is_named() {
    on_both(|app| {
        // Takes entry 5 out and puts it at a place before the beginning, inside the first sealed range.
        let found = after(app, "UPDATE audit_entry SET seq = 0 WHERE seq = 5");
        assert_eq!((found.0, found.1), (MisfitKind::EntryMissing, Some(5)));
    });
}

#[test]
fn a_rewritten_list_of_leaves_does_not_help() {
    on_both(|app| {
        // Forges the entry and drops it from the seal's own list: the root still knows.
        let found = after(
            app,
            "DELETE FROM audit_entry WHERE seq = (SELECT max(last_entry) FROM audit_seal); \
             UPDATE audit_seal SET leaves = substr(leaves, 1, length(leaves) - 68) \
             WHERE seq = (SELECT max(seq) FROM audit_seal)",
        );
        assert!(matches!(found.0, MisfitKind::SealChanged | MisfitKind::EntryMissing), "{found:?}");
    });
}

#[test]
fn seals_hold_each_other() {
    on_both(|app| {
        let found = after(app, "UPDATE audit_seal SET sealed_at = '2020-01-01T00:00:00.000000Z' WHERE seq = 1");
        assert_eq!((found.0, found.2), (MisfitKind::SealChanged, Some(1)));
    });
    on_both(|app| {
        let found = after(app, "UPDATE audit_seal SET signature = 'AAAA' WHERE seq = 1");
        assert_eq!((found.0, found.2), (MisfitKind::SignatureInvalid, Some(1)));
    });
    on_both(|app| {
        let found = after(app, "DELETE FROM audit_seal WHERE seq = 1");
        assert_eq!((found.0, found.2), (MisfitKind::SealMissing, Some(1)));
    });
}

#[test]
fn seals_cut_off_the_end_are_missed() {
    on_both(|app| {
        let found = after(
            app,
            "DELETE FROM audit_entry WHERE seq >= (SELECT max(first_entry) FROM audit_seal); \
             DELETE FROM audit_seal WHERE seq = (SELECT max(seq) FROM audit_seal)",
        );
        assert_eq!(found.0, MisfitKind::SealMissing);
    });
}

/// On PostgreSQL a transaction that began early may end late: its entries have a lower place than sealed ones
/// would, so nothing above may be sealed before it ends.
#[test]
fn an_entry_in_flight_is_not_sealed_over() {
    on_both(|app| {
        if app.ground.on == On::Sqlite {
            return;
        }
        sealed(app);
        let mut late = crate::support::postgres::connect(&app.ground.url());
        late.batch_execute(
            "BEGIN; INSERT INTO audit_entry (seq, at, actor, action, subject_kind, subject_id, changes) \
             VALUES (0, '2026-03-02T01:00:00.000000Z', 'late', 'thing.make', 'thing', '1', '{}')",
        )
        .unwrap();
        entries(app, 3);
        assert!(!app.services.sealer.seal_all(Duration::from_millis(300)).unwrap());
        assert_eq!(verified(app).unsealed, 3);
        late.batch_execute("COMMIT").unwrap();
        sealed(app);
        let report = verified(app);
        assert!(report.intact && report.unsealed == 0, "{report:?}");
    });
}
