//! What the databases refuse by themselves, whoever writes to them.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use qianfa::store::Backend;

use crate::support::{TestApp, on_both, postgres, text};
use crate::world::{World, one_item};

/// Runs SQL past the program; the database's complaint, if any.
pub fn sql(app: &TestApp, statement: &str) -> Result<(), String> {
    let told = |error: diesel::result::Error| error.to_string();
    match Backend::parse(&app.ground.url()).expect("a URL") {
        Backend::Sqlite(path) => {
            let mut conn = SqliteConnection::establish(path.to_str().expect("a path")).expect("opens");
            conn.batch_execute("PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 10000;").expect("settings");
            conn.batch_execute(statement).map_err(told)
        }
        Backend::Postgres(url) => postgres::connect(&url).batch_execute(statement).map_err(told),
    }
}

#[track_caller]
pub fn refused(app: &TestApp, statement: &str, why: &str) {
    let answer = sql(app, statement);
    assert!(answer.as_ref().is_err_and(|text| text.contains(why)), "{statement}: {answer:?}");
}

#[test]
fn ledger_review_trail_numbers_and_certificates_hold_by_themselves() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let taken = world.take_in("drug_registration", &product, "A", 2);
        let (sample, number) = (text(&taken["samples"][0], "id"), text(&taken["samples"][0], "number"));
        let entered = world.enter(&world.task(&number, "assay", "waiting"), "99.0");
        let result = text(&entered, "result_id");

        // Custody: nothing negative, nothing moved but by the ledger, nothing rewritten.
        let overdraw = format!(
            "INSERT INTO custody_entry (id, sample_id, from_place, to_place, quantity, reason, moved_by, moved_at, billionths) \
             SELECT 'x', '{sample}', 'test_portion', 'consumed', 2, 'x', received_by, received_at, 0 FROM sample WHERE id = '{sample}'"
        );
        let overdrawn = sql(app, &overdraw);
        assert!(overdrawn.as_ref().is_err_and(|e| e.to_lowercase().contains("check")), "{overdrawn:?}");
        refused(
            app,
            &format!("UPDATE custody_balance SET balance = 9 WHERE sample_id = '{sample}' AND place = 'retention'"),
            "qianfa:custody-balance:",
        );
        refused(app, "UPDATE custody_entry SET quantity = 5", "qianfa:append-only:");
        refused(app, "DELETE FROM custody_entry", "qianfa:append-only:");

        // Review by somebody else.
        let review = format!(
            "UPDATE result SET reviewer_id = analyst_id, reviewed_at = entered_at, review_outcome = 'approved' WHERE id = '{result}'"
        );
        let reviewed = sql(app, &review);
        assert!(reviewed.is_err(), "{reviewed:?}");
        refused(app, &format!("UPDATE result SET reported = '100.0' WHERE id = '{result}'"), "qianfa:result-frozen:");
        refused(app, "UPDATE reading SET raw = '1'", "qianfa:append-only:");

        // Numbers without gaps.
        refused(app, "UPDATE number_series SET last = last + 2", "qianfa:number-gap:");
        refused(app, "INSERT INTO number_series (series, year, last) VALUES ('zz', 2026, 7)", "qianfa:number-gap:");
        refused(
            app,
            &format!("UPDATE sample SET number = 'SX20269999' WHERE id = '{sample}'"),
            "qianfa:sample-identity:",
        );
        refused(app, &format!("DELETE FROM sample WHERE id = '{sample}'"), "");

        // The trail.
        refused(app, "UPDATE audit_entry SET actor = 'nobody'", "qianfa:append-only:");
        refused(app, "DELETE FROM audit_entry", "qianfa:append-only:");

        // Specifications and certificates.
        refused(app, "UPDATE specification SET title = 'x'", "qianfa:specification-locked:");
        refused(app, "UPDATE test_item SET limit_text = '≥1'", "qianfa:specification-locked:");
        world.approve_all();
        let issued = world.issue(&sample);
        let id = text(&issued, "id");
        refused(app, &format!("UPDATE certificate SET data = '{{}}' WHERE id = '{id}'"), "qianfa:certificate-");
        refused(
            app,
            &format!("UPDATE certificate SET pdf_sha256 = 'x' WHERE id = '{id}'"),
            "qianfa:certificate-immutable:",
        );
        refused(
            app,
            &format!("UPDATE certificate SET state = 'drafted' WHERE id = '{id}'"),
            "qianfa:certificate-immutable:",
        );
        refused(app, &format!("DELETE FROM certificate WHERE id = '{id}'"), "");
        refused(app, "UPDATE application SET determination = '{}'", "qianfa:acceptance-frozen:");

        // Foreign keys and forms.
        refused(app, &format!("UPDATE test_task SET analyst_id = 'nobody' WHERE sample_id = '{sample}'"), "");
        refused(
            app,
            &format!(
                "UPDATE application SET received_on = '2026-02-30' WHERE id = '{}'",
                text(&taken, "application_id")
            ),
            "",
        );
    });
}
