//! What was done by mistake has a way back: with a reason, by a permission, on the trail, and nothing of what was is gone.

use serde_json::{Value, json};

use crate::invariants::refused;
use crate::support::client::Client;
use crate::support::{TestApp, on_both, text};
use crate::world::{World, ok, one_item};

/// The events of a thing, newest first: action and reason.
fn events(app: &TestApp, kind: &str, id: &str) -> Vec<(String, Value)> {
    let path = format!("/api/v1/audit?subject_kind={kind}&subject_id={id}");
    let found = ok(&app.logged_in("quality").get(&path), 200);
    let entries = found["entries"].as_array().expect("entries").clone();
    entries.into_iter().map(|one| (text(&one, "action"), one["reason"].clone())).collect()
}

fn done(who: &Client, path: &str, reason: &str) {
    let answer = who.post(path, &json!({"reason": reason}));
    assert_eq!(answer.status, 204, "{path}: {}", answer.text);
}

#[test]
fn a_case_that_ended_by_mistake_goes_on_where_it_was() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let taken = world.take_in("drug_registration", &product, "L1", 2);
        let (case, sample) = (text(&taken, "application_id"), text(&taken["samples"][0], "id"));
        let number = text(&taken["samples"][0], "number");
        let task = world.task(&number, "assay", "waiting");
        world.enter(&task, "99.0");
        let path = format!("/api/v1/applications/{case}");
        done(&world.quality, &format!("{path}/void"), "录入错误");
        assert_eq!(ok(&world.quality.get(&path), 200)["application"]["state"], "voided");
        // The database lets nothing come back by itself, and a receiver takes nothing back.
        refused(app, &format!("UPDATE application SET state = 'testing' WHERE id = '{case}'"), "qianfa:case-identity:");
        refused(app, &format!("UPDATE sample SET state = 'received' WHERE id = '{sample}'"), "qianfa:sample-identity:");
        let back = format!("{path}/reinstate");
        assert_eq!(world.receiver.post(&back, &json!({"reason": "点错"})).status, 403);
        assert_eq!(world.quality.post(&back, &json!({"reason": " "})).json()["field"], "reason");
        done(&world.quality, &back, "作废的是另一申请，点错");
        let seen = ok(&world.quality.get(&path), 200);
        assert_eq!(seen["application"]["state"], "testing");
        assert_eq!(seen["application"]["state_reason"], Value::Null);
        assert_eq!(ok(&world.quality.get(&format!("/api/v1/samples/{sample}")), 200)["sample"]["state"], "received");
        // What was entered waits for its review as before, and the case ends with its report.
        world.task(&number, "assay", "entered");
        world.approve_all();
        assert_eq!(ok(&world.quality.get(&path), 200)["application"]["state"], "tested");
        let trail = events(app, "application", &case);
        let what: Vec<&str> = trail.iter().map(|(action, _)| action.as_str()).collect();
        assert!(what.contains(&"case.void") && what.contains(&"case.reinstate"), "{what:?}");
        world.issue(&sample);
        // Nothing is taken back that did not happen.
        assert_eq!(world.quality.post(&back, &json!({"reason": "点错"})).status, 409);
        assert!(app.services.sealer.verify().expect("verified").intact);
    });
}

#[test]
fn a_refusal_and_a_withdrawal_are_taken_back() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        // Not accepted: the draft is there again.
        let body = world.intake_body("drug_registration", &product, "L1", 2);
        let draft =
            text(&ok(&world.receiver.post("/api/v1/applications", &body["application"]), 201), "application_id");
        let path = format!("/api/v1/applications/{draft}");
        done(&world.receiver, &format!("{path}/refuse"), "资料不全");
        done(&world.quality, &format!("{path}/reinstate"), "看错申请");
        assert_eq!(ok(&world.quality.get(&path), 200)["application"]["state"], "draft");

        // A refused sample: its containers did not go, and it is tested.
        let mut body = world.intake_body("drug_registration", &product, "L2", 2);
        body["receipt"]["samples"][0]["refuse_because"] = json!("封签破损");
        let taken = ok(&world.receiver.post("/api/v1/intake", &body), 201);
        let sample = text(&taken["samples"][0], "id");
        let at = format!("/api/v1/samples/{sample}");
        let places = |sample: &Value| -> Vec<(String, i64)> {
            let all = sample["balances"].as_array().expect("balances").iter();
            let all = all.map(|one| (text(one, "place"), one["balance"].as_i64().expect("a number")));
            all.filter(|(place, balance)| place != "supplied" && *balance != 0).collect()
        };
        assert_eq!(places(&ok(&world.quality.get(&at), 200)), [("returned".to_owned(), 2)]);
        done(&world.quality, &format!("{at}/reinstate"), "看错样品，封签完好");
        let seen = ok(&world.quality.get(&at), 200);
        assert_eq!((&seen["sample"]["state"], &seen["sample"]["state_reason"]), (&json!("received"), &Value::Null));
        assert_eq!(places(&seen), [("retention".to_owned(), 1), ("test_portion".to_owned(), 1)]);
        world.enter(&world.task(&text(&taken["samples"][0], "number"), "assay", "waiting"), "99.0");
        assert_eq!(world.quality.post(&format!("{at}/reinstate"), &json!({"reason": "再次"})).status, 409);

        // A lot that was withdrawn comes after all.
        let mut body = world.intake_body("drug_registration", &product, "L3", 2);
        let batches = body["application"]["batches"].as_array_mut().expect("batches");
        batches.push(json!({"lot_number": "L4", "expires_on": "2028-12-31"}));
        let case = text(&ok(&world.receiver.post("/api/v1/applications", &body["application"]), 201), "application_id");
        let path = format!("/api/v1/applications/{case}");
        ok(&world.receiver.post(&format!("{path}/accept"), &json!({})), 200);
        let lot = json!({"lot_number": "L4", "reason": "不再送样"});
        ok(&world.receiver.post(&format!("{path}/withdraw-batch"), &lot), 200);
        let receipt = json!({"samples": [{"lot_number": "L4", "containers": 2}]});
        assert_eq!(world.receiver.post(&format!("{path}/receipt"), &receipt).status, 409);
        refused(app, "UPDATE batch SET withdrawn_at = NULL, withdrawn_because = NULL", "qianfa:reversal-missing:");
        ok(
            &world.quality.post(&format!("{path}/reinstate-batch"), &json!({"lot_number": "L4", "reason": "点错"})),
            200,
        );
        ok(&world.receiver.post(&format!("{path}/receipt"), &receipt), 201);
        assert!(app.services.sealer.verify().expect("verified").intact);
    });
}

#[test]
fn a_move_that_did_not_happen_is_taken_back_by_somebody_else() {
    on_both(|app| {
        let world = World::new(app);
        app.account("second", &[qianfa::vocabulary::Role::Quality]);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let taken = world.take_in("drug_registration", &product, "L1", 3);
        let sample = text(&taken["samples"][0], "id");
        world.enter(&world.task(&text(&taken["samples"][0], "number"), "assay", "waiting"), "99.0");
        world.approve_all();
        world.issue(&sample);
        let at = format!("/api/v1/samples/{sample}");
        let destroyed = json!({"from": "surplus", "quantity": 1, "reason": "到期"});
        ok(&world.quality.post(&format!("{at}/destroy"), &destroyed), 201);
        let ledger = ok(&world.quality.get(&at), 200)["ledger"].clone();
        let entry = ledger.as_array().expect("a ledger").iter().find(|one| one["to_place"] == "destroyed").cloned();
        let entry = entry.expect("the destruction");
        assert_eq!((&entry["undoable"], &entry["undone"]), (&json!(true), &json!(false)));
        let undo = json!({"entry_id": entry["id"], "reason": "容器仍在库，误点"});
        let path = format!("{at}/undo-move");
        let own = world.quality.post(&path, &undo);
        assert_eq!((own.status, own.problem().as_str()), (409, "self-review"), "{}", own.text);
        let page = crate::pages::Browser::logged_in(app, "quality").page(&format!("/samples/{sample}"));
        assert!(page.contains("记录人以外的人") && !page.contains("/undo-move"), "{page}");
        // Past the program nothing comes back.
        let again = format!(
            "INSERT INTO custody_entry (id, sample_id, from_place, to_place, quantity, billionths, reason, moved_by, moved_at) \
             SELECT 'x', sample_id, to_place, from_place, quantity, billionths, 'x', moved_by, moved_at FROM custody_entry \
             WHERE id = '{}'",
            text(&entry, "id")
        );
        refused(app, &again, "qianfa:reversal-missing:");
        let second = app.logged_in("second");
        let back = ok(&second.post(&path, &undo), 201);
        assert_eq!(
            (&back["from"], &back["to"], &back["quantity"]),
            (&json!("destroyed"), &json!("surplus"), &json!(1))
        );
        assert_eq!(second.post(&path, &undo).status, 409, "once only");
        let seen = ok(&world.quality.get(&at), 200);
        let entries = seen["ledger"].as_array().expect("a ledger");
        let known = entries.iter().find(|one| one["id"] == entry["id"]).expect("it stays");
        assert_eq!((&known["undone"], &known["undoable"]), (&json!(true), &json!(false)));
        assert!(app.services.sealer.verify().expect("verified").intact);
    });
}

#[test]
fn an_instrument_a_standard_and_a_dead_letter_come_back() {
    on_both(|app| {
        let world = World::new(app);
        let new = json!({"code": "BAL-01", "name": "电子天平", "serial": "1"});
        let instrument = text(&ok(&world.quality.post("/api/v1/instruments", &new), 201), "id");
        let path = format!("/api/v1/instruments/{instrument}");
        done(&world.quality, &format!("{path}/retire"), "报废");
        refused(app, "UPDATE instrument SET state = 'active', state_reason = NULL", "qianfa:reversal-missing:");
        done(&world.quality, &format!("{path}/restore"), "停错仪器");
        assert_eq!(ok(&world.quality.get(&path), 200)["state"], "active");
        let trail = events(app, "instrument", &instrument);
        assert_eq!(trail[0], ("instrument.restore".to_owned(), json!("停错仪器")));
        assert_eq!(world.quality.post(&format!("{path}/restore"), &json!({"reason": "x"})).status, 409);

        let lot = json!({"name": "示范对照品", "batch": "1", "source": "中检院", "purity": "99.5", "basis": "as_is",
            "expires_on": "2028-01-01"});
        let lot = text(&ok(&world.quality.post("/api/v1/reference-standards", &lot), 201), "id");
        let path = format!("/api/v1/reference-standards/{lot}");
        ok(&world.quality.post(&format!("{path}/withdraw"), &json!({"reason": "用尽"})), 200);
        let back = ok(&world.quality.post(&format!("{path}/restore"), &json!({"reason": "停错批号"})), 200);
        assert_eq!((&back["state"], &back["withdrawn_reason"]), (&json!("in_use"), &Value::Null));
        assert_eq!(events(app, "reference_standard", &lot).len(), 3);

        let upload = "/api/v1/instrument-files?name=n.xyz";
        let bytes = b"no instrument wrote this".to_vec();
        ok(&world.analyst.send("POST", upload, Some("application/octet-stream"), bytes), 201);
        let letters = ok(&world.quality.get("/api/v1/dead-letters?state=open"), 200);
        let letter = text(&letters["items"][0], "id");
        done(&world.quality, &format!("/api/v1/dead-letters/{letter}/dismiss"), "无用");
        assert_eq!(ok(&world.quality.get("/api/v1/dead-letters?state=open"), 200)["items"], json!([]));
        done(&world.quality, &format!("/api/v1/dead-letters/{letter}/restore"), "仍需要");
        let open = ok(&world.quality.get("/api/v1/dead-letters?state=open"), 200);
        assert_eq!(text(&open["items"][0], "id"), letter);
        assert!(app.services.sealer.verify().expect("verified").intact);
    });
}
