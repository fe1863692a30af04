//! What is on record and was found wrong is put right by two people, and what was issued on it is amended.

use serde_json::{Value, json};

use crate::pages::Browser;
use crate::support::client::Answer;
use crate::support::{On, PASSWORD, TestApp, on_both, text};
use crate::world::{World, ok, one_item};

fn proposed(world: &World<'_>, body: &Value) -> Answer {
    world.receiver.post("/api/v1/corrections", body)
}

fn of(subject: &str, id: &str, field: &str, new: &str) -> Value {
    json!({"subject": subject, "subject_id": id, "field": field, "new_value": new, "reason": "录入有误",
           "evidence": "外包装标签照片 2026-03-02"})
}

fn decide(world: &World<'_>, id: &str, outcome: &str) -> Answer {
    let body = json!({"outcome": outcome, "note": if outcome == "rejected" { "依据不足" } else { "" }});
    world.quality.post(&format!("/api/v1/corrections/{id}/decision"), &body)
}

/// A sample with its certificate, and its case.
fn reported(world: &World<'_>) -> (String, Value, Value) {
    let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
    let taken = world.take_in("drug_registration", &product, "2026001", 2);
    let (sample, number) = (text(&taken["samples"][0], "id"), text(&taken["samples"][0], "number"));
    world.enter(&world.task(&number, "assay", "waiting"), "99.5");
    world.approve_all();
    let issued = world.issue(&sample);
    let case = ok(&world.receiver.get(&format!("/api/v1/applications/{}", text(&taken, "application_id"))), 200);
    (sample, issued, case)
}

#[test]
fn a_wrong_lot_number_is_put_right_by_two_and_the_amendment_shows_old_and_new() {
    on_both(|app| {
        let world = World::new(app);
        let (sample, issued, case) = reported(&world);
        let batch = text(&case["batches"][0], "id");
        let certificate = text(&issued, "id");
        let amend = json!({"sample_id": sample, "amends": {"certificate_id": certificate, "reason": "批号录入有误"}});
        let nothing = world.reviewer.post("/api/v1/certificates", &amend);
        assert_eq!((nothing.status, nothing.json()["field"].as_str()), (409, Some("amends")), "{}", nothing.text);

        // Who tests neither sees nor proposes; what is proposed has a reason, evidence and another text.
        assert_eq!(
            world.analyst.post("/api/v1/corrections", &of("batch", &batch, "lot_number", "2026007")).status,
            403
        );
        let field = |body: &Value| text(&proposed(&world, body).json(), "field");
        assert_eq!(field(&of("batch", &batch, "lot_number", " ")), "new_value");
        assert_eq!(field(&of("batch", &batch, "lot_number", "2026001")), "new_value");
        assert_eq!(field(&of("batch", &batch, "position", "2")), "field");
        let mut without = of("batch", &batch, "lot_number", "2026007");
        without["evidence"] = json!(" ");
        assert_eq!(field(&without), "evidence");

        let made = ok(&proposed(&world, &of("batch", &batch, "lot_number", "2026007")), 201);
        let id = text(&made, "id");
        assert_eq!((&made["old_value"], &made["new_value"]), (&json!("2026001"), &json!("2026007")));
        assert_eq!(proposed(&world, &of("batch", &batch, "lot_number", "2026008")).status, 409, "one at a time");
        assert_eq!(
            world.receiver.post(&format!("/api/v1/corrections/{id}/decision"), &json!({"outcome": "applied"})).status,
            403
        );
        let case_now =
            || ok(&world.receiver.get(&format!("/api/v1/applications/{}", text(&case["application"], "id"))), 200);
        assert_eq!(case_now()["batches"][0]["lot_number"], "2026001", "nothing is changed by a proposal");

        let done = ok(&decide(&world, &id, "applied"), 200);
        assert_eq!(case_now()["batches"][0]["lot_number"], "2026007");
        // The lot is found by its right number from now on, and no longer by the wrong one.
        let again = |lot: &str| {
            let body = world.intake_body("drug_registration", &text(&case["application"], "product_id"), lot, 2);
            world.receiver.post("/api/v1/intake", &body).status
        };
        assert_eq!((again("2026007"), again("2026001")), (422, 201));
        assert_eq!(done["certificates"], json!([{"id": certificate, "number": issued["number"], "state": "issued"}]));
        assert_eq!(decide(&world, &id, "applied").problem(), "wrong-state", "once");
        let open = ok(&world.quality.get("/api/v1/corrections?open=true"), 200);
        assert_eq!(open.as_array().map(Vec::len), Some(1), "its certificate is yet to be amended: {open}");

        let amended = world.issue_draft(&amend);
        assert_eq!(amended["data"]["sample"]["lot"], "2026007");
        assert_eq!(amended["data"]["amendment"]["changes"], json!(["批号：原为“2026001”，现为“2026007”"]));
        assert_eq!(ok(&world.quality.get("/api/v1/corrections?open=true"), 200), json!([]));
        let trail = ok(&world.quality.get("/api/v1/audit?action=correction.apply"), 200).to_string();
        assert!(trail.contains("2026001") && trail.contains("2026007") && trail.contains("录入有误"), "{trail}");
        let kind = "subject_kind=record_correction";
        let signed = ok(&world.quality.get(&format!("/api/v1/signatures?{kind}&subject_id={id}")), 200);
        assert!(signed.to_string().contains("批准更正"), "{signed}");
    });
}

#[test]
fn nobody_approves_the_own_correction_and_a_rejected_one_changes_nothing() {
    on_both(|app| {
        let world = World::new(app);
        let (_, _, case) = reported(&world);
        let id = text(&case["application"], "id");
        let own = ok(&world.quality.post("/api/v1/corrections", &of("case", &id, "supplier", "示范医院")), 201);
        let refused = decide(&world, &text(&own, "id"), "applied");
        assert_eq!((refused.status, refused.problem().as_str()), (409, "self-review"), "{}", refused.text);
        let at = format!("/api/v1/corrections/{}/decision", text(&own, "id"));
        let unsaid = world.signatory.post(&at, &json!({"outcome": "rejected"}));
        assert_eq!(unsaid.json()["field"], "note");
        let rejected = ok(&world.signatory.post(&at, &json!({"outcome": "rejected", "note": "依据不足"})), 200);
        assert_eq!((&rejected["outcome"], &rejected["certificates"]), (&json!("rejected"), &json!([])));
        let seen = ok(&world.receiver.get(&format!("/api/v1/applications/{id}")), 200);
        assert_eq!(seen["application"]["particulars"]["supplier"], "");
    });
}

#[test]
fn a_draft_that_states_what_was_put_right_meanwhile_is_neither_reviewed_nor_issued() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let taken = world.take_in("drug_registration", &product, "2026001", 2);
        let (sample, number) = (text(&taken["samples"][0], "id"), text(&taken["samples"][0], "number"));
        world.enter(&world.task(&number, "assay", "waiting"), "99.5");
        world.approve_all();
        let draft =
            || text(&ok(&world.reviewer.post("/api/v1/certificates", &json!({"sample_id": sample})), 201), "id");
        let put_right = |field: &str, new: &str| {
            let made = ok(&proposed(&world, &of("product", &product, field, new)), 201);
            ok(&decide(&world, &text(&made, "id"), "applied"), 200)
        };
        let first = draft();
        let named = put_right("strength", "20 mg");
        assert_eq!(named["certificates"][0]["id"], first.as_str());
        let review = |id: &str| world.quality.post(&format!("/api/v1/certificates/{id}/review"), &json!({}));
        let refused = review(&first);
        assert_eq!(refused.status, 409, "{}", refused.text);
        assert!(refused.text.contains("规格：原为“10 mg”，现为“20 mg”"), "{}", refused.text);
        let discard = |id: &str| {
            let because = json!({"reason": "规格已更正"});
            ok(&world.reviewer.post(&format!("/api/v1/certificates/{id}/discard"), &because), 200)
        };
        discard(&first);
        // The same between review and issue.
        let second = draft();
        ok(&review(&second), 200);
        put_right("storage", "2～8℃");
        let sign = json!({"password": PASSWORD, "meaning": "授权签发"});
        let signed = world.signatory.post(&format!("/api/v1/certificates/{second}/sign"), &sign);
        assert_eq!(signed.status, 409, "{}", signed.text);
        assert!(signed.text.contains("贮藏"), "{}", signed.text);
        // What no document states names no certificate.
        let unnamed = put_right("dosage_form", "");
        assert_eq!(unnamed["certificates"][0]["id"], second.as_str());
        discard(&second);
        assert_eq!(world.issue(&sample)["data"]["sample"]["strength"], "20 mg");
    });
}

#[test]
fn mistyped_dates_are_put_right_and_the_clock_that_starts_from_them_with_them() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &[], &one_item("≥97.0"));
        let mut body = world.intake_body("port_entry", &product, "L1", 3);
        body["application"]["arrived_at_port_on"] = json!("2026-02-02");
        body["application"]["sampled_on"] = json!("2026-02-03");
        let taken = ok(&world.receiver.post("/api/v1/intake", &body), 201);
        let id = text(&taken, "application_id");
        let case = || ok(&world.receiver.get(&format!("/api/v1/applications/{id}")), 200);
        let clock = |case: &Value| {
            let all = case["clocks"].as_array().cloned().unwrap_or_default();
            let found = all.into_iter().find(|one| one["name"] == "port_report");
            found.map(|one| (text(&one, "starts"), text(&one, "due")))
        };
        let before = clock(&case()).expect("it runs from the sampling");
        assert_eq!(before.0, "2026-02-03");
        let fault = |field: &str, new: &str| text(&proposed(&world, &of("case", &id, field, new)).json(), "field");
        for new in ["2026-02-31", "2026-02-01", "2027-01-01"] {
            assert_eq!(fault("sampled_on", new), "new_value", "no day, before the arrival, not yet: {new}");
        }
        let put_right = |field: &str, new: &str| {
            let made = ok(&proposed(&world, &of("case", &id, field, new)), 201);
            ok(&decide(&world, &text(&made, "id"), "applied"), 200);
        };
        put_right("sampled_on", "2026-02-27");
        let after = case();
        assert_eq!(after["application"]["sampled_on"], "2026-02-27");
        let moved = clock(&after).expect("it runs");
        assert!(moved.0 == "2026-02-27" && moved.1 > before.1, "{moved:?}");
        put_right("arrived_at_port_on", "2026-02-26");
        assert_eq!(
            (case()["application"]["arrived_at_port_on"].as_str(), clock(&case())),
            (Some("2026-02-26"), Some(moved.clone()))
        );
        let trail = ok(&world.quality.get("/api/v1/audit?action=correction.apply"), 200).to_string();
        assert!(trail.contains(&before.1) && trail.contains(&moved.1), "the due dates are said: {trail}");
        // What was not sampled after all has no such clock.
        put_right("sampled_on", "");
        assert_eq!(clock(&case()), None);
    });
}

#[test]
fn what_another_institute_has_is_not_there_to_be_put_right() {
    on_both(|app| {
        let world = World::new(app);
        let (_, _, case) = reported(&world);
        for (subject, id) in
            [("case", "none"), ("batch", "none"), ("product", "none"), ("applicant", "none"), ("institute", "none")]
        {
            let refused = proposed(&world, &of(subject, id, "name", "x"));
            assert_eq!(refused.status, 404, "{subject}: {}", refused.text);
        }
        let institute = text(&case["application"], "institute_id");
        let made = ok(&proposed(&world, &of("institute", &institute, "address_zh", "示范路 2 号")), 201);
        let done = ok(&decide(&world, &text(&made, "id"), "applied"), 200);
        assert_eq!(done["certificates"].as_array().map(Vec::len), Some(1), "its address is on every document");
    });
}

#[test]
fn the_pages_do_the_same() {
    let app = TestApp::start(On::Sqlite);
    let world = World::new(&app);
    let (_, issued, case) = reported(&world);
    let (receiver, quality) = (Browser::logged_in(&app, "receiver"), Browser::logged_in(&app, "quality"));
    let batch = text(&case["batches"][0], "id");
    let link = format!("/corrections/new?subject=batch&amp;id={batch}");
    assert!(receiver.page(&format!("/cases/{}", text(&case["application"], "id"))).contains(&link));
    let form = receiver.page(&link.replace("&amp;", "&"));
    assert!(form.contains("批号") && form.contains("2026001"), "{form}");
    let mut fields = vec![("subject", "batch"), ("subject_id", batch.as_str()), ("field", "lot_number")];
    fields.extend([("new_value", "2026009"), ("reason", "录入有误"), ("evidence", "")]);
    let refused = receiver.form("/corrections", &fields);
    assert!(refused.status == 422 && refused.text.contains("2026009"), "what was typed is kept: {}", refused.text);
    fields.pop();
    fields.push(("evidence", "标签照片"));
    assert_eq!(receiver.form("/corrections", &fields).status, 303);
    let waiting = quality.page("/corrections");
    assert!(waiting.contains("<del>2026001</del>") && waiting.contains("<b>2026009</b>"), "{waiting}");
    let id = text(&ok(&world.quality.get("/api/v1/corrections"), 200)[0], "id");
    let at = format!("/corrections/{id}/decision");
    assert_eq!(quality.form(&at, &[("outcome", "applied"), ("note", "")]).status, 303);
    let settled = quality.page("/corrections");
    assert!(settled.contains(&text(&issued, "number")), "its certificate is yet to be amended: {settled}");
}
