//! The laboratory's registers over HTTP: the date of a specification, and how products and applicants are found.

use chrono::Duration;
use serde_json::{Value, json};

use crate::support::{on_both, text};
use crate::world::{World, ok, one_item};

fn standings(world: &World, product: &str) -> Vec<(i64, Value)> {
    let all = ok(&world.quality.get(&format!("/api/v1/products/{product}/specifications")), 200);
    let of = |one: &Value| (one["version"].as_i64().expect("a version"), one["status"].clone());
    all.as_array().expect("a list").iter().map(of).collect()
}

/// A second version, released for a day: its id.
fn released(world: &World, product: &str, limit: &str, from: &str) -> String {
    let new = json!({"product_id": product, "title": "《示范标准》", "edition": "2027", "items": one_item(limit)});
    let id = text(&ok(&world.quality.post("/api/v1/specifications", &new), 201), "id");
    let effective = format!("/api/v1/specifications/{id}/effective");
    ok(&world.signatory.post(&effective, &json!({"effective_from": from})), 200);
    id
}

#[test]
fn a_released_specification_waits_for_its_date() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P-1", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let taken = |lot: &str| {
            let case = text(&world.take_in("drug_registration", &product, lot, 2), "application_id");
            text(
                &ok(&world.receiver.get(&format!("/api/v1/applications/{case}")), 200)["application"],
                "specification_id",
            )
        };
        let first = taken("L1");
        let second = released(&world, &product, "≥98.0", "2026-03-05");
        assert_eq!(standings(&world, &product), [(2, json!("coming")), (1, json!("effective"))]);
        assert_eq!(taken("L2"), first, "the old one until the day before");
        app.pass(Duration::days(3));
        let world = World { quality: app.logged_in("quality"), receiver: app.logged_in("receiver"), ..world };
        assert_eq!(standings(&world, &product), [(2, json!("effective")), (1, json!("superseded"))]);
        let case = text(&world.take_in("drug_registration", &product, "L3", 2), "application_id");
        let shown = ok(&world.receiver.get(&format!("/api/v1/applications/{case}")), 200);
        assert_eq!(shown["application"]["specification_id"], json!(second));
    });
}

#[test]
fn registers_are_searched_in_small_and_capital_letters_part_by_part() {
    on_both(|app| {
        let world = World::new(app);
        for code in ["AB-1", "AB-2", "ab-3", "X_Y"] {
            world.product(code, "chemical", &[], &one_item("≥97.0"));
        }
        let found = |query: &str| {
            let part = ok(&world.quality.get(&format!("/api/v1/products?{query}")), 200);
            let codes: Vec<String> =
                part["items"].as_array().expect("a list").iter().map(|one| text(one, "code")).collect();
            (codes, part)
        };
        let (mut all, part) = found("q=aB-");
        all.sort_unstable();
        assert_eq!((all, &part["total"]), (vec!["AB-1".into(), "AB-2".into(), "ab-3".into()], &json!(3)));
        assert_eq!(found("q=x_y").0, ["X_Y"], "the signs of patterns stand for themselves");
        assert_eq!(found("q=_").0, ["X_Y"]);
        assert_eq!(found("q=SPECIMEN").0.len(), 4, "by the name too");
        let (one, part) = found("q=ab&limit=2");
        let (rest, end) = found(&format!("q=ab&limit=2&after={}", text(&part, "next")));
        assert_eq!((one.len(), rest.len(), &end["next"]), (2, 1, &Value::Null));
        assert!(rest.iter().all(|code| !one.contains(code)));
        let applicants = ok(&world.receiver.get("/api/v1/applicants?q=%E7%A4%BA%E8%8C%83%E7%94%B3"), 200);
        assert_eq!(applicants["total"], 1);
    });
}
