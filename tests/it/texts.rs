//! Texts that people type, and results that were wrong: nothing of either is a dead end.

use std::collections::BTreeSet;

use qianfa::app::routes;
use qianfa::vocabulary::Role;
use serde_json::{Value, json};

use crate::pages::Browser;
use crate::support::client::Client;
use crate::support::{On, TestApp, on_both, text};
use crate::world::{World, ok, one_item};

/// A letter that no font of the documents has.
const MISSING: &str = "ཀ";
/// An id that nothing has.
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

/// Texts of bodies that are taken although no document could print them: the address begins so, the field begins so, and
/// the reason. Any other text of any action is refused with its name; a new field is, too, unless it is written here.
const TAKEN: &[(&str, &str, &str)] = &[
    ("POST /api/v1/accounts", "password", "a password is taken to the letter"),
    ("PUT /api/v1/accounts/", "password", "a password is taken to the letter"),
    ("POST /api/v1/certificates/{id}/sign", "password", "a password is taken to the letter"),
    ("POST /api/v1/certificates/{id}/review", "password", "a password is taken to the letter"),
    ("POST /api/v1/certificates/{id}/withdraw", "password", "a password is taken to the letter"),
    ("POST /api/v1/instrument-files/{id}/checks", "password", "a password is taken to the letter"),
    ("POST /api/v1/corrections/{id}/decision", "password", "a password is taken to the letter"),
    ("POST /api/v1/results/{id}/correction", "password", "a password is taken to the letter"),
    ("POST /api/v1/results/{id}/review", "password", "a password is taken to the letter"),
    ("POST /api/v1/specifications/{id}/effective", "password", "a password is taken to the letter"),
    ("POST /api/v1/tasks/{id}/investigation/cause-approval", "password", "a password is taken to the letter"),
    ("POST /api/v1/tasks/{id}/investigation/plan-approval", "password", "a password is taken to the letter"),
    ("POST /api/v1/tasks/{id}/investigation/confirmation", "password", "a password is taken to the letter"),
    ("POST /api/v1/results/{id}/repetition", "password", "a password is taken to the letter"),
    ("POST /api/v1/keeping-requests/{id}/approve", "password", "a password is taken to the letter"),
    ("POST /api/v1/keeping-requests/{id}/witness", "password", "a password is taken to the letter"),
    ("POST /api/v1/tasks/{id}/decision", "password", "a password is taken to the letter"),
    ("POST /api/v1/samples/{id}/protocol-review", "password", "a password is taken to the letter"),
    ("POST /api/v1/institutes/{id}/administrator", "password", "a password is taken to the letter"),
    ("POST /api/v1/session", "", "who logs in is known by these"),
    ("POST /api/v1/evaluations/preview", "", "nothing is kept"),
    ("POST /api/v1/evaluations/proposal", "", "nothing is kept"),
    ("POST /api/v1/intake/preview", "", "nothing is kept"),
    ("POST /api/v1/my/applications/preview", "", "nothing is kept"),
    ("POST /api/v1/regulation/determinations", "", "nothing is kept"),
    ("POST /api/v1/evaluations", "setup.analyte", "a substance is called as the file calls it"),
    ("POST /api/v1/evaluations", "setup.internal_standard", "a substance is called as the file calls it"),
    ("POST /api/v1/evaluations", "setup.signal", "a signal is called as the file calls it"),
    ("POST /api/v1/evaluations", "setup.injections[0].injection", "an injection is called as the file calls it"),
    ("POST /api/v1/evaluations", "setup.plate.plate", "a plate is called as the file calls it"),
    ("POST /api/v1/evaluations", "setup.plate.quantity", "a quantity is called as the file calls it"),
    ("POST /api/v1/evaluations", "setup.plate.wavelength", "a wavelength is called as the file calls it"),
    ("POST /api/v1/evaluations", "setup.plate.reference_wavelength", "a wavelength is called as the file calls it"),
    ("POST /api/v1/evaluations", "setup.plate.wells[0].name", "a well is called as the file calls it"),
    ("POST /api/v1/evaluations", "setup.plate.controls[0].name", "a well is called as the file calls it"),
    ("POST /api/v1/evaluations", "setup.plate.samples[0].name", "a well is called as the file calls it"),
    ("POST /api/v1/instrument-files/{id}/match", "sample_text", "a sample is called as the file calls it"),
    ("POST /api/v1/instrument-files/{id}/run-list", "rows[0]", "a place is called as the instrument calls it"),
    ("POST /api/v1/instruments/{id}/run-lists", "", "places and files are called as the instrument calls them"),
    ("POST /api/v1/instruments", "folder", "a folder is called as it is called"),
    ("PUT /api/v1/instruments/{id}", "instrument.folder", "a folder is called as it is called"),
    ("POST /api/v1/specifications", "items[0].inputs[0].source.analyte", "a substance is called as the file calls it"),
];

/// The paths of the texts that a schema has, each as the body that says nothing else.
fn texts(document: &Value, schema: &Value, depth: usize) -> Vec<(String, Value)> {
    if depth > 12 {
        return Vec::new();
    }
    if let Some(at) = schema["$ref"].as_str() {
        let meant = document.pointer(at.trim_start_matches('#')).expect("a schema");
        return texts(document, meant, depth + 1);
    }
    let mut found = Vec::new();
    for choice in ["oneOf", "anyOf", "allOf"] {
        for one in schema[choice].as_array().into_iter().flatten() {
            found.extend(texts(document, one, depth + 1));
        }
    }
    let is =
        |kind: &str| schema["type"] == kind || schema["type"].as_array().is_some_and(|all| all.contains(&json!(kind)));
    if is("string") {
        found.push((String::new(), json!(MISSING)));
    }
    for (path, value) in texts_of(document, &schema["items"], depth) {
        found.push((format!("[0]{}{path}", dot(&path)), json!([value])));
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        for (path, value) in texts(document, property, depth + 1) {
            found.push((format!("{name}{}{path}", dot(&path)), json!({ name: value })));
        }
    }
    found
}

fn texts_of(document: &Value, schema: &Value, depth: usize) -> Vec<(String, Value)> {
    if schema.is_null() { Vec::new() } else { texts(document, schema, depth + 1) }
}

fn dot(path: &str) -> &'static str {
    if path.is_empty() || path.starts_with('[') { "" } else { "." }
}

#[test]
fn every_text_of_every_action_is_refused_where_no_document_could_print_it() {
    let app = TestApp::start(On::Sqlite);
    let staff: Vec<Role> = Role::ALL.iter().copied().filter(|role| *role != Role::Applicant).collect();
    app.account("everybody", &staff);
    let everybody = app.logged_in("everybody");
    let document = serde_json::to_value(qianfa::api::openapi::document(&routes::table())).expect("JSON");
    let (mut taken, mut refused) = (BTreeSet::new(), 0);
    let world = World::new(&app);
    let applicant = crate::cases::applicant(&app, "own", &world.applicant_id);
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("an item") {
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            if body.is_null() {
                continue;
            }
            let address: String = path
                .split('/')
                .map(|part| if part.starts_with('{') { NOBODY } else { part })
                .collect::<Vec<_>>()
                .join("/");
            for (field, value) in texts(&document, body, 0) {
                let bytes = value.to_string().into_bytes();
                let by = if path.contains("/my/") { &applicant } else { &everybody };
                let answer = by.send(&method.to_uppercase(), &address, Some("application/json"), bytes);
                let told = answer.json();
                if answer.status == 422 && told["code"] == "glyph-missing" && told["field"] == field.as_str() {
                    refused += 1;
                } else {
                    taken.insert(format!("{} {path}: {field}", method.to_uppercase()));
                }
            }
        }
    }
    assert!(refused > 100, "{refused}");
    let known = |told: &&String| {
        TAKEN.iter().any(|(address, field, _)| {
            told.split_once(": ").is_some_and(|(at, name)| at.starts_with(address) && name.starts_with(field))
        })
    };
    let unknown: Vec<&String> = taken.iter().filter(|told| !known(told)).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
}

/// A sample of one lot with one task: its number and the task.
fn begun(world: &World<'_>, lot: &str, limit: &str) -> (Value, String) {
    let product = world.product(&format!("P-{lot}"), "chemical", &["rare_disease"], &one_item(limit));
    let taken = world.take_in("drug_registration", &product, lot, 2);
    let task = world.task(&text(&taken["samples"][0], "number"), "assay", "waiting");
    (taken, task)
}

#[test]
fn a_remark_of_two_lines_is_taken_however_its_lines_end() {
    on_both(|app| {
        let world = World::new(app);
        let (taken, task) = begun(&world, "A", "≥97.0");
        let browser = Browser::logged_in(app, "analyst");
        let path = format!("/tasks/{task}");
        let fields = [
            ("readings[0].name", "x"),
            ("readings[0].position", "1"),
            ("readings[0].raw", "99.5"),
            ("reagents", "试剂一\r\n试剂二"),
            ("note", "甲\t乙"),
        ];
        assert_eq!(browser.form(&path, &fields).status, 303);
        let seen = ok(&world.analyst.get(&format!("/api/v1{path}")), 200);
        assert_eq!(
            (&seen["results"][0]["reagents"], &seen["results"][0]["note"]),
            (&json!("试剂一\n试剂二"), &json!("甲\t乙"))
        );
        // The lines are on the document, and what stands in one line stays one.
        let record = world.analyst.get(&format!("/api/v1/samples/{}/raw-record", text(&taken["samples"][0], "id")));
        assert_eq!(record.status, 200);
        let named = world.admin.post("/api/v1/applicants", &json!({"name": "某公司\r\n分公司"}));
        assert_eq!((named.status, named.json()["field"].as_str()), (422, Some("name")), "{}", named.text);
        // A form that is refused comes back as it was typed, with the refusal at its field.
        let again = browser.form(
            &path,
            &[
                ("readings[0].name", "x"),
                ("readings[0].position", "1"),
                ("readings[0].raw", "99.6"),
                ("note", MISSING),
                ("reason", "笔误"),
            ],
        );
        assert_eq!(again.status, 422);
        assert!(again.text.contains("U+0F40") && again.text.contains("value=\"99.6\""), "{}", again.text);
    });
}

#[test]
fn what_a_file_says_is_shown_on_the_record_with_a_substitute() {
    on_both(|app| {
        let world = World::new(app);
        let mut items = one_item("≤0.5");
        items[0]["inputs"] = json!([{"name": "x", "unit": "%", "source": {"quantity": "water_content"}}]);
        let product = world.product("P", "chemical", &["rare_disease"], &items);
        let taken = world.take_in("drug_registration", &product, "A", 2);
        let file = karl_fischer(&text(&taken["samples"][0], "number"));
        let path = "/api/v1/instrument-files?name=%E0%BD%80%F0%9F%98%80.txt";
        let sent = world.analyst.send("POST", path, Some("application/octet-stream"), file);
        let id = text(&ok(&sent, 201)["file"], "id");
        let accept = json!({"confirm_complete": true});
        ok(&world.analyst.post(&format!("/api/v1/instrument-files/{id}/accept"), &accept), 200);
        let record = world.analyst.get(&format!("/api/v1/samples/{}/raw-record", text(&taken["samples"][0], "id")));
        assert_eq!(record.status, 200, "{}", record.text);
    });
}

fn karl_fischer(number: &str) -> Vec<u8> {
    format!("卡尔费休水分测定\r\n样品：{number}\r\n日期：2026/03/02 14:02\r\n水分：0.0811 %\r\n").into_bytes()
}

#[test]
fn no_number_is_given_to_a_document_that_cannot_be_made() {
    let layouts = tempfile::tempdir().expect("a folder");
    std::fs::write(layouts.path().join("test_report.typ"), "#panic(\"no such layout\")").expect("a layout");
    let app =
        TestApp::start_with(On::Sqlite, &[("QIANFA_FOLDERS_TEMPLATES", layouts.path().to_str().expect("a path"))]);
    let world = World::new(&app);
    let (taken, task) = begun(&world, "A", "≥97.0");
    world.enter(&task, "99.5");
    world.approve_all();
    let draft = json!({"sample_id": taken["samples"][0]["id"]});
    let id = text(&ok(&world.reviewer.post("/api/v1/certificates", &draft), 201), "id");
    let reviewed = world.quality.post(&format!("/api/v1/certificates/{id}/review"), &json!({}));
    assert_eq!(reviewed.status, 409, "{}", reviewed.text);
    let kept = ok(&world.quality.get(&format!("/api/v1/certificates/{id}")), 200);
    assert_eq!((&kept["state"], &kept["number"]), (&json!("drafted"), &Value::Null));
}

#[test]
fn an_accepted_value_stands_with_its_place_where_it_was_typed_before() {
    on_both(|app| {
        let world = World::new(app);
        let mut items = one_item("≤0.5");
        items[0]["formula"] = json!("x * m / m");
        items[0]["inputs"] = json!([{"name": "x", "unit": "%", "source": {"quantity": "water_content"}},
            {"name": "m", "unit": "g"}]);
        let product = world.product("P", "chemical", &["rare_disease"], &items);
        let taken = world.take_in("drug_registration", &product, "A", 2);
        let number = text(&taken["samples"][0], "number");
        let task = world.task(&number, "assay", "waiting");
        world.enter(&task, "0.0811");
        let path = "/api/v1/instrument-files?name=kf.txt";
        let sent = world.analyst.send("POST", path, Some("application/octet-stream"), karl_fischer(&number));
        let id = text(&ok(&sent, 201)["file"], "id");
        ok(
            &world.analyst.post(&format!("/api/v1/instrument-files/{id}/accept"), &json!({"confirm_complete": true})),
            200,
        );
        let seen = ok(&world.analyst.get(&format!("/api/v1/tasks/{task}")), 200);
        let readings = seen["readings"].as_array().expect("readings");
        assert_eq!(readings.len(), 2, "{readings:?}");
        assert!(readings[0]["observation_id"].is_null() && readings[1]["observation_id"].is_string(), "{readings:?}");
        assert_eq!(readings[1]["reason"], "仪器文件给出同一数值");
        // A form that is sent again says nothing new, and one that empties the reading is refused with its value.
        let browser = Browser::logged_in(app, "analyst");
        let page = format!("/tasks/{task}");
        let typed = |raw: &str| {
            let revision = browser.revision(&page);
            browser.form(
                &page,
                &[
                    ("revision", revision.as_str()),
                    ("readings[0].name", "x"),
                    ("readings[0].position", "1"),
                    ("readings[0].entered", "1"),
                    ("readings[0].raw", raw),
                    ("reason", "更正"),
                ],
            )
        };
        assert_eq!(typed("0.0811").status, 303);
        let emptied = typed("");
        assert_eq!(emptied.status, 422, "{}", emptied.text);
        assert!(emptied.text.contains("0.0811") && emptied.text.contains("不能清空"), "{}", emptied.text);
        let after = ok(&world.analyst.get(&format!("/api/v1/tasks/{task}")), 200);
        assert_eq!(after["readings"].as_array().map(Vec::len), Some(2));
    });
}

fn review(who: &Client, result: &str, outcome: &str, note: &str) -> crate::support::client::Answer {
    who.post(&format!("/api/v1/results/{result}/review"), &json!({"outcome": outcome, "note": note}))
}

fn entered(world: &World<'_>, task: &str, raw: &str, reason: &str) -> String {
    let body = json!({"readings": [{"name": "x", "raw": raw}], "reason": reason});
    text(&ok(&world.analyst.post(&format!("/api/v1/tasks/{task}/entry"), &body), 201), "result_id")
}

#[test]
fn a_reviewer_takes_an_approval_back_before_a_certificate_carries_it() {
    on_both(|app| {
        let world = World::new(app);
        let (taken, task) = begun(&world, "A", "≥97.0");
        let first = text(&world.enter(&task, "99.5"), "result_id");
        ok(&review(&world.reviewer, &first, "approved", ""), 200);
        let case = format!("/api/v1/applications/{}", text(&taken, "application_id"));
        let state = || ok(&world.receiver.get(&case), 200).to_string();
        assert!(state().contains("\"tested\""), "{}", state());
        assert_eq!(review(&world.reviewer, &first, "sent_back", "").json()["field"], "note");
        let back = ok(&review(&world.reviewer, &first, "sent_back", "抄写错误"), 200);
        assert_eq!(back["state"], "waiting");
        assert!(state().contains("\"testing\""), "{}", state());
        // Once is enough, and no certificate is drafted on what counts no more.
        assert_eq!(review(&world.reviewer, &first, "sent_back", "抄写错误").problem(), "wrong-state");
        let sample = json!({"sample_id": taken["samples"][0]["id"]});
        assert_eq!(world.reviewer.post("/api/v1/certificates", &sample).status, 409);
        let second = entered(&world, &task, "98.5", "抄写错误");
        ok(&review(&world.reviewer, &second, "approved", ""), 200);
        let seen = ok(&world.analyst.get(&format!("/api/v1/tasks/{task}")), 200);
        assert_eq!(seen["results"][0]["correction"]["kind"], "taken_back");
        assert_eq!(
            (&seen["results"][0]["review_outcome"], &seen["results"][0]["reported"]),
            (&json!("approved"), &json!("99.5"))
        );
        let issued = world.issue(&text(&taken["samples"][0], "id"));
        assert_eq!(issued["data"]["results"][0]["result"], "98.5");
        // Now a certificate carries it: the reviewer asks quality.
        let late = review(&world.reviewer, &second, "sent_back", "又错");
        assert!(late.status == 409 && late.text.contains(&text(&issued, "number")), "{}", late.text);
    });
}

#[test]
fn quality_corrects_what_certificates_carry_and_they_are_named() {
    on_both(|app| {
        let world = World::new(app);
        let (taken, task) = begun(&world, "A", "≥97.0");
        let first = text(&world.enter(&task, "99.5"), "result_id");
        ok(&review(&world.reviewer, &first, "approved", ""), 200);
        let sample = text(&taken["samples"][0], "id");
        let issued = world.issue(&sample);
        let certificate = text(&issued, "id");
        // An amendment for another reason is under way when the result is found wrong.
        let amends =
            |reason: &str| json!({"sample_id": sample, "amends": {"certificate_id": certificate, "reason": reason}});
        world.correct_strength(&sample);
        let other = text(&ok(&world.reviewer.post("/api/v1/certificates", &amends("更正规格")), 201), "id");
        ok(&world.quality.post(&format!("/api/v1/certificates/{other}/review"), &json!({})), 200);

        let correct = |who: &Client, body: &Value| who.post(&format!("/api/v1/results/{first}/correction"), body);
        assert_eq!(correct(&world.quality, &json!({"reason": "抄写错误", "evidence": ""})).json()["field"], "evidence");
        let body = json!({"reason": "抄写错误", "evidence": "天平打印记录 2026-03-02"});
        assert_eq!(correct(&world.reviewer, &body).status, 403);
        let done = ok(&correct(&world.quality, &body), 201);
        assert_eq!(done["state"], "waiting");
        let named: Vec<&Value> =
            done["certificates"].as_array().expect("certificates").iter().map(|c| &c["state"]).collect();
        assert_eq!(named, [&json!("issued"), &json!("reviewed")]);

        // What carries it says so, on the page too; nothing is signed on it, by the program or past it.
        let seen = ok(&world.quality.get(&format!("/api/v1/certificates/{certificate}")), 200);
        assert_eq!(seen["superseded"][0]["result_id"], first.as_str());
        let page = Browser::logged_in(app, "quality").page(&format!("/certificates/{certificate}"));
        assert!(page.contains("须更正或撤销本证书") && page.contains("抄写错误"), "{page}");
        let sign = json!({"password": crate::support::PASSWORD, "meaning": "授权签发"});
        let signed = world.signatory.post(&format!("/api/v1/certificates/{other}/sign"), &sign);
        assert_eq!(signed.status, 409, "{}", signed.text);
        crate::invariants::refused(
            app,
            &format!("UPDATE certificate SET state = 'issued' WHERE id = '{other}'"),
            "qianfa:certificate-superseded:",
        );
        let case = format!("/api/v1/applications/{}", text(&taken, "application_id"));
        let withdrawn = world.quality.post(&format!("{case}/withdraw"), &json!({"reason": "来函"}));
        assert_eq!(withdrawn.status, 409, "a certificate is in force: {}", withdrawn.text);

        // The new result is entered and approved as any other, and the amendment carries it.
        let second = entered(&world, &task, "98.1", "抄写错误，见更正");
        ok(&review(&world.reviewer, &second, "approved", ""), 200);
        ok(
            &world.reviewer.post(&format!("/api/v1/certificates/{other}/discard"), &json!({"reason": "结果已更正"})),
            200,
        );
        let amended = world.issue_draft(&amends("更正检验结果"));
        assert_eq!((&amended["state"], &amended["data"]["results"][0]["result"]), (&json!("issued"), &json!("98.1")));
        assert!(amended["superseded"].as_array().is_some_and(Vec::is_empty), "{amended}");
        let old = ok(&world.quality.get(&format!("/api/v1/certificates/{certificate}")), 200);
        assert_eq!((&old["state"], &old["data"]["results"][0]["result"]), (&json!("superseded"), &json!("99.5")));
        let record = world.analyst.get(&format!("/api/v1/samples/{sample}/raw-record"));
        assert_eq!(record.status, 200);
    });
}

#[test]
fn who_ordered_a_correction_or_entered_the_result_is_not_its_second_person() {
    on_both(|app| {
        let world = World::new(app);
        app.account("both", &[Role::Quality, Role::Reviewer, Role::Analyst]);
        let both = app.logged_in("both");
        let (_, task) = begun(&world, "A", "≥97.0");
        let first = text(&world.enter(&task, "99.5"), "result_id");
        ok(&review(&world.reviewer, &first, "approved", ""), 200);
        let body = json!({"reason": "抄写错误", "evidence": "记录"});
        ok(&both.post(&format!("/api/v1/results/{first}/correction"), &body), 201);
        let second = entered(&world, &task, "98.1", "更正");
        let own = review(&both, &second, "approved", "");
        assert_eq!(own.problem(), "self-review", "{}", own.text);
        ok(&review(&world.reviewer, &second, "approved", ""), 200);
        // Whoever entered a value orders no correction of it.
        let (_, other) = begun(&world, "B", "≥97.0");
        let typed = json!({"readings": [{"name": "x", "raw": "99.0"}]});
        let own = text(&ok(&both.post(&format!("/api/v1/tasks/{other}/entry"), &typed), 201), "result_id");
        ok(&review(&world.reviewer, &own, "approved", ""), 200);
        assert_eq!(both.post(&format!("/api/v1/results/{own}/correction"), &body).problem(), "self-review");
    });
}
