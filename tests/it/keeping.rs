//! What is retained: its period, its use by approval, its destruction before a witness; hand-overs from person to person; and
//! lots that are asked for twice, in whichever institute.

use qianfa::vocabulary::Role;
use serde_json::{Value, json};

use crate::amounts::{at, item, tablets};
use crate::invariants::refused;
use crate::support::client::Client;
use crate::support::{PASSWORD, on_both, text};
use crate::world::{World, ok, one_item};

/// A reported sample with one retained bottle: sample and case.
fn reported(world: &World, lot: &str) -> (String, String) {
    let product = tablets(world, &format!("T-{lot}"), &json!([item("assay", "25", None, 0)]));
    let taken = world.take_in("drug_registration", &product, lot, 3);
    let (sample, number) = (text(&taken["samples"][0], "id"), text(&taken["samples"][0], "number"));
    world.enter(&world.task(&number, "assay", "waiting"), "99.0");
    world.approve_all();
    world.issue(&sample);
    (sample, text(&taken, "application_id"))
}

fn step(who: &Client, request: &str, step: &str, body: &Value) -> crate::support::client::Answer {
    who.post(&format!("/api/v1/keeping-requests/{request}/{step}"), body)
}

#[test]
fn retained_containers_are_destroyed_as_approved_and_before_a_witness() {
    on_both(|app| {
        let world = World::new(app);
        app.account("keeper", &[Role::Quality]);
        let keeper = app.logged_in("keeper");
        let (sample, _) = reported(&world, "A");
        let alone = json!({"from": "retention", "quantity": 1, "reason": "到期"});
        assert_eq!(
            world.quality.post(&format!("/api/v1/samples/{sample}/destroy"), &alone).problem(),
            "ledger-refused"
        );

        let ask = json!({"kind": "destroy", "quantity": 1, "reason": "留样到期"});
        let asked = |quantity: i64| {
            let mut body = ask.clone();
            body["quantity"] = json!(quantity);
            world.quality.post(&format!("/api/v1/samples/{sample}/keeping"), &body)
        };
        assert_eq!(asked(2).problem(), "ledger-refused", "there is one");
        let request = text(&ok(&asked(1), 201), "id");
        let sign = json!({"password": PASSWORD});
        assert_eq!(step(&world.quality, &request, "approve", &sign).problem(), "self-review");
        assert_eq!(step(&world.receiver, &request, "approve", &sign).problem(), "forbidden");
        assert_eq!(step(&keeper, &request, "carry-out", &json!({"record": "粉碎"})).problem(), "wrong-state");
        assert_eq!(ok(&step(&keeper, &request, "approve", &sign), 200)["state"], "approved");
        assert_eq!(at(&world, &sample, "retention").0, 1, "an approval destroys nothing");
        // The database holds the same: nothing is destroyed that nobody destroyed before a witness.
        refused(
            app,
            &format!(
                "INSERT INTO custody_entry (id, sample_id, from_place, to_place, quantity, reason, moved_by, moved_at, billionths) \
                 SELECT 'x', '{sample}', 'retention', 'destroyed', 1, 'x', received_by, received_at, 0 FROM sample WHERE id = '{sample}'"
            ),
            "qianfa:retention-unapproved:",
        );
        assert_eq!(step(&world.receiver, &request, "carry-out", &json!({"record": " "})).status, 422);
        let record = json!({"record": "2026-03-02 于危废间粉碎后交有资质单位处置"});
        assert_eq!(ok(&step(&world.receiver, &request, "carry-out", &record), 200)["state"], "carried_out");
        assert_eq!(step(&world.receiver, &request, "witness", &sign).problem(), "self-review");
        assert_eq!(ok(&step(&world.quality, &request, "witness", &sign), 200)["state"], "done");
        assert_eq!(at(&world, &sample, "destroyed"), (1, "24".to_owned()));
        assert_eq!(at(&world, &sample, "retention"), (0, "0".to_owned()));
        let listed = ok(&world.quality.get("/api/v1/keeping-requests"), 200);
        let steps: Vec<&str> =
            listed[0]["steps"].as_array().expect("steps").iter().filter_map(|one| one["event"].as_str()).collect();
        assert_eq!(steps, ["approve", "carry_out", "witness"]);
        assert!(listed[0]["steps"][1]["note"].as_str().is_some_and(|note| note.contains("危废间")), "{listed}");
        let signed =
            ok(&world.quality.get(&format!("/api/v1/signatures?subject_kind=sample&subject_id={sample}")), 200);
        assert!(signed.to_string().contains("见证样品销毁"), "{signed}");
    });
}

#[test]
fn what_is_retained_serves_a_re_test_by_approval_and_goes_back_with_a_receipt() {
    on_both(|app| {
        let world = World::new(app);
        let (sample, _) = reported(&world, "B");
        let ask = json!({"kind": "use", "quantity": 1, "reason": "申请人申请复验"});
        let request = text(&ok(&world.receiver.post(&format!("/api/v1/samples/{sample}/keeping"), &ask), 201), "id");
        let no = step(&world.quality, &request, "refuse", &json!({"reason": "未附复验申请"}));
        assert_eq!(ok(&no, 200)["state"], "refused");
        assert_eq!(step(&world.quality, &request, "approve", &json!({})).problem(), "wrong-state");
        let request = text(&ok(&world.receiver.post(&format!("/api/v1/samples/{sample}/keeping"), &ask), 201), "id");
        ok(&step(&world.quality, &request, "approve", &json!({"password": PASSWORD})), 200);
        assert_eq!(at(&world, &sample, "retest"), (1, "24".to_owned()));
        let back =
            json!({"from": "retest", "quantity": 1, "reason": "申请人取回", "taken_by": "张三", "receipt": "收条 7"});
        ok(&world.receiver.post(&format!("/api/v1/samples/{sample}/return"), &back), 201);
        let found = ok(&world.receiver.get(&format!("/api/v1/samples/{sample}")), 200);
        let receipts: Vec<&str> =
            found["ledger"].as_array().expect("a ledger").iter().filter_map(|row| row["receipt"].as_str()).collect();
        assert_eq!(receipts, ["张三 · 收条 7"]);
    });
}

#[test]
fn what_is_due_is_listed_with_the_rule_that_says_so() {
    on_both(|app| {
        let world = World::new(app);
        let (sample, _) = reported(&world, "C");
        let due =
            |until: &str| ok(&world.quality.get(&format!("/api/v1/retention?until={until}")), 200)["items"].clone();
        // The lot expires at the end of 2028; the laboratory's default is a year more.
        assert_eq!(due("2029-12-30"), json!([]));
        let listed = due("2029-12-31");
        assert_eq!((&listed[0]["sample_id"], &listed[0]["kept_until"]), (&json!(sample), &json!("2029-12-31")));
        assert_eq!((&listed[0]["provision"], &listed[0]["confidence"]), (&Value::Null, &json!("M-M")), "{listed}");
        // An import is kept until it expires, by the provision.
        let product = world.product("IMP", "chemical", &[], &one_item("≥97.0"));
        world.take_in("port_entry", &product, "D", 4);
        let listed = due("2028-12-31");
        assert_eq!((&listed[0]["kept_until"], &listed[0]["provision"]), (&json!("2028-12-31"), &json!("IM-28")));
        // A label that cannot be read is shown, never passed over.
        let mut body = world.intake_body("port_entry", &product, "E", 4);
        body["application"]["batches"][0]["expires_on"] = json!("36个月");
        ok(&world.receiver.post("/api/v1/intake", &body), 201);
        let unclear = due("2026-03-31");
        assert_eq!((unclear[0]["kept_until"].is_null(), &unclear[0]["lot_number"]), (true, &json!("E")), "{unclear}");
        let page = crate::pages::Browser::logged_in(app, "quality").page("/retention?month=2028-12");
        assert!(page.contains("IM-28") && page.contains("2028-12-31"), "{page}");
    });
}

#[test]
fn a_sample_goes_from_person_to_person_by_a_scan() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let taken = world.take_in("drug_registration", &product, "A", 2);
        let (sample, number) = (text(&taken["samples"][0], "id"), text(&taken["samples"][0], "number"));
        let scan = |who: &Client, code: &str, to: Option<&str>| {
            who.post("/api/v1/handovers", &json!({"code": code, "to": to}))
        };
        let first = ok(&scan(&world.analyst, &format!("]d2{number}\r"), None), 201);
        assert_eq!((&first["sample_id"], first["from"] == first["to"]), (&json!(sample), false));
        assert_eq!(scan(&world.analyst, &number, None).problem(), "conflict", "it is there already");
        // Nobody gives what somebody else has; who has it gives it by name.
        assert_eq!(scan(&world.receiver, &number, Some("reviewer")).problem(), "forbidden");
        assert_eq!(scan(&world.analyst, &number, Some("nobody")).json()["field"], "to");
        let second = ok(&scan(&world.analyst, &number, Some("reviewer")), 201);
        assert_eq!(second["from"], first["to"]);
        assert_eq!(scan(&world.analyst, "SX20269999", None).status, 404);
        // A container goes by its label, from who has the sample.
        let container = ok(&scan(&world.analyst, &format!("{number}-01"), None), 201);
        assert_eq!(container["from"], second["to"]);
        assert!(container["container_id"].is_string(), "{container}");
        let found = ok(&world.receiver.get(&format!("/api/v1/samples/{sample}")), 200);
        assert_eq!(found["handovers"].as_array().map(Vec::len), Some(3));
        let browser = crate::pages::Browser::logged_in(app, "receiver");
        let page = crate::forms::form(&browser.page("/handover"), "/handover");
        let answer = page.with(&[("code", &number)]).send(&browser);
        assert!(answer.status == 200 && answer.text.contains(&number), "{}", answer.text);
    });
}

#[test]
fn a_lot_that_is_asked_for_twice_is_seen_in_every_institute() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        world.take_in("drug_registration", &product, "202506022（1-2）", 2);
        let mut body = world.intake_body("drug_registration", &product, "202506022 (1～2)", 2);
        let preview = ok(&world.receiver.post("/api/v1/intake/preview", &body["application"]), 200);
        assert_eq!(preview["duplicates"][0]["application_number"], "SXC20260001");
        let asked = world.receiver.post("/api/v1/intake", &body);
        let field = json!("application.batches[0].despite_duplicate");
        assert_eq!((asked.status, &asked.json()["field"]), (422, &field), "{}", asked.text);
        body["application"]["batches"][0]["despite_duplicate"] = json!("申请人补送，前次已撤回");
        let case = text(&ok(&world.receiver.post("/api/v1/intake", &body), 201), "application_id");
        let kept = ok(&world.receiver.get(&format!("/api/v1/applications/{case}")), 200);
        assert_eq!(kept["batches"][0]["despite_duplicate"], "申请人补送，前次已撤回");

        // The other house sees the name, the number and what became of it, and nothing else.
        let institute = app.second_institute().institute.expect("an institute");
        let admin = app.logged_in("admin.hb");
        for (username, roles) in [("all.hb", json!(["receiver", "quality"])), ("release.hb", json!(["quality"]))] {
            let person = json!({"username": username, "display_name": "x", "password": PASSWORD,
                "institute": institute, "roles": roles});
            ok(&admin.post("/api/v1/accounts", &person), 201);
        }
        let receiver = app.logged_in("all.hb");
        let applicant = ok(&receiver.post("/api/v1/applicants", &json!({"name": "示范申请人有限公司"})), 201);
        let other = World {
            quality: app.logged_in("all.hb"),
            signatory: app.logged_in("release.hb"),
            receiver,
            applicant_id: text(&applicant, "id"),
            ..world
        };
        let theirs = other.product("P-2", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let mut body = other.intake_body("drug_registration", &theirs, "２０２５０６０２２（１－２）", 2);
        let known = ok(&other.receiver.post("/api/v1/intake/preview", &body["application"]), 200)["duplicates"].clone();
        let mut fields: Vec<&String> = known[0].as_object().expect("a row").keys().collect();
        fields.sort();
        assert_eq!(
            fields,
            ["application_number", "conforms", "institute_en", "institute_zh", "lot_number", "own", "state"]
        );
        assert_eq!((known.as_array().map(Vec::len), &known[0]["own"]), (Some(2), &json!(false)), "{known}");
        assert_eq!(other.receiver.post("/api/v1/intake", &body).status, 422);
        body["application"]["batches"][0]["despite_duplicate"] = json!("另一省份生产场地变更");
        ok(&other.receiver.post("/api/v1/intake", &body), 201);
    });
}
