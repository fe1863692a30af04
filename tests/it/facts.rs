//! A document states what is on record, and is not made where something that it states is missing.

use serde_json::{Value, json};

use crate::pages::Browser;
use crate::support::{On, TestApp, on_both, text};
use crate::world::{World, ok, one_item};

/// A vaccine whose one test is done and reviewed: the sample.
fn tested_vaccine(world: &World<'_>, app: &TestApp, change: impl Fn(&mut Value)) -> String {
    let product = world.product("FLU", "vaccine", &[], &one_item("≥30.0"));
    let grant =
        json!({"institute_id": app.institute, "category": "vaccine", "document": "授权", "valid_from": "2026-01-01"});
    ok(&world.quality.post("/api/v1/authorisations", &grant), 201);
    let mut body = world.intake_body("lot_release", &product, "L1", 2);
    change(&mut body);
    let taken = ok(&world.receiver.post("/api/v1/intake", &body), 201);
    let (sample, number) = (text(&taken["samples"][0], "id"), text(&taken["samples"][0], "number"));
    world.enter(&world.task(&number, "assay", "waiting"), "31.0");
    world.approve_all();
    sample
}

#[test]
fn a_release_certificate_speaks_of_the_protocol_only_where_its_review_is_on_record() {
    on_both(|app| {
        let world = World::new(app);
        let sample = tested_vaccine(&world, app, |body| {
            body["application"]["particulars"]["summary_protocol"] = json!("SJ-LP-2026-013");
        });
        let draft = || world.reviewer.post("/api/v1/certificates", &json!({"sample_id": sample}));
        let refused = draft();
        assert_eq!((refused.status, refused.problem().as_str()), (409, "facts-missing"), "{}", refused.text);
        assert!(refused.text.contains("批生产及检验记录摘要的审核"), "a number alone is no review: {}", refused.text);

        let at = format!("/api/v1/samples/{sample}/protocol-review");
        let review = |found: &Value| world.reviewer.post(&at, found);
        let found = json!({"protocol_number": "SJ-LP-2026-013", "outcome": "conforms"});
        assert_eq!(world.analyst.post(&at, &found).status, 403);
        assert_eq!(review(&json!({"protocol_number": " ", "outcome": "conforms"})).json()["field"], "protocol_number");
        assert_eq!(review(&json!({"protocol_number": "1", "outcome": "deficient"})).json()["field"], "note");
        // A deficient record keeps the lot from release, whatever the tests say.
        ok(
            &review(&json!({"protocol_number": "SJ-LP-2026-013", "outcome": "deficient", "note": "缺原液检定记录"})),
            201,
        );
        let refusal = ok(&draft(), 201);
        assert_eq!((&refusal["kind"], &refusal["conforms"]), (&json!("lot_release_refusal"), &json!(false)));
        assert!(refusal["data"]["refusal"]["reasons"].to_string().contains("缺原液检定记录"), "{refusal}");
        let discard = format!("/api/v1/certificates/{}/discard", text(&refusal, "id"));
        assert!(world.reviewer.post(&discard, &json!({"reason": "补齐后重新审核"})).status < 300);
        // What was made good is found so by a review of its own.
        ok(&review(&found), 201);
        let issued = world.issue(&sample);
        assert_eq!(issued["kind"], "lot_release");
        let release = &issued["data"]["release"];
        assert!(text(&release["basis"], "zh").starts_with("经审核批生产及检验记录摘要并检验，符合"), "{release}");
        assert!(text(&release["dossier_review"], "zh").contains("2026年3月2日审核，符合要求"), "{release}");
        assert_eq!(release["quantity"], "86000 支");
        let signed =
            ok(&world.quality.get(&format!("/api/v1/signatures?subject_kind=sample&subject_id={sample}")), 200);
        assert!(signed.to_string().contains("审核批记录摘要"), "{signed}");
        let case = text(&issued, "application_id");
        let case = ok(&world.receiver.get(&format!("/api/v1/applications/{case}")), 200);
        assert_eq!(case["protocol_reviews"].as_array().map(Vec::len), Some(2), "{case}");
    });
}

#[test]
fn a_release_certificate_without_expiry_or_quantity_is_not_drafted() {
    on_both(|app| {
        let world = World::new(app);
        let sample = tested_vaccine(&world, app, |body| {
            body["application"]["particulars"] = json!({});
            body["application"]["batches"][0] = json!({"lot_number": "L1", "lot_size": "90000 支"});
            body["receipt"]["samples"][0]["note"] = json!("标签无日期");
        });
        world.review_protocol(&sample);
        let refused = world.reviewer.post("/api/v1/certificates", &json!({"sample_id": sample}));
        assert_eq!(refused.problem(), "facts-missing", "{}", refused.text);
        let facts = &refused.json()["numbers"]["facts"];
        assert_eq!(facts, &json!(["sample.expiry", "release.quantity"]), "the size of the lot is not what is released");
    });
}

#[test]
fn a_protocol_is_reviewed_where_the_line_of_business_has_one() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let taken = world.take_in("drug_registration", &product, "A", 2);
        let sample = text(&taken["samples"][0], "id");
        let found = json!({"protocol_number": "1", "outcome": "conforms"});
        let refused = world.reviewer.post(&format!("/api/v1/samples/{sample}/protocol-review"), &found);
        assert_eq!((refused.status, refused.problem().as_str()), (409, "wrong-state"), "{}", refused.text);
    });
}

#[test]
fn the_case_page_has_the_review_of_the_protocol() {
    let app = TestApp::start(On::Sqlite);
    let world = World::new(&app);
    let sample = tested_vaccine(&world, &app, |_| {});
    let listed = ok(&world.receiver.get("/api/v1/applications"), 200);
    let page = format!("/cases/{}", text(&listed["items"][0], "id"));
    let reviewer = Browser::logged_in(&app, "reviewer");
    assert!(reviewer.page(&page).contains("尚无审核记录"));
    let unsaid = reviewer.form(&format!("{page}/protocol"), &[("sample_id", &sample), ("protocol_number", "SJ-7")]);
    assert!(
        unsaid.status == 422 && unsaid.text.contains("请选择审核结论") && unsaid.text.contains("SJ-7"),
        "{}",
        unsaid.text
    );
    let fields = [("sample_id", sample.as_str()), ("protocol_number", "SJ-7"), ("outcome", "conforms")];
    assert_eq!(reviewer.form(&format!("{page}/protocol"), &fields).status, 303);
    assert!(reviewer.page(&page).contains("<b>SJ-7</b>"));
}
