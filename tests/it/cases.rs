//! Cases over HTTP and by pages: who may, once only, what is hidden, what ends with what.

use chrono::Duration;
use qianfa::accounts::CreateAccount;
use qianfa::action::act;
use qianfa::store::columns::ApplicantId;
use qianfa::vocabulary::Role;
use serde_json::{Value, json};

use crate::pages::{Browser, to, value};
use crate::support::client::Client;
use crate::support::{On, PASSWORD, TestApp, on_both, text};
use crate::world::{World, ok, one_item};

fn items(codes: &[&str]) -> Value {
    let item = |code: &&str| {
        let mut item = one_item("≥97.0")[0].clone();
        item["code"] = json!(code);
        item
    };
    codes.iter().map(item).collect()
}

/// A port case that is accepted: its id.
fn port_case(world: &World<'_>, product: &str) -> String {
    let new = json!({"business": "port_entry", "applicant_id": world.applicant_id, "product_id": product,
                     "arrived_at_port_on": "2026-03-01", "notice_received_on": "2026-03-02",
                     "batches": [{"lot_number": "D-1", "expires_on": "2028-12-31"}]});
    let id = text(&ok(&world.receiver.post("/api/v1/applications", &new), 201), "application_id");
    ok(&world.receiver.post(&format!("/api/v1/applications/{id}/accept"), &json!({})), 200);
    id
}

/// An account of the applicant, logged in.
pub fn applicant(app: &TestApp, name: &str, of: &str) -> Client {
    let new = CreateAccount {
        username: name.to_owned(),
        display_name: name.to_owned(),
        password: PASSWORD.to_owned().into(),
        institute: None,
        applicant: Some(ApplicantId::from(of)),
        roles: vec![Role::Applicant],
    };
    act(&app.services, &app.admin, new).expect("an account");
    app.logged_in(name)
}

#[test]
fn what_an_event_may_still_move_ends_with_its_case() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &items(&["a", "b", "c", "d", "e"]));
        let taken = world.take_in("drug_registration", &product, "A", 10);
        let (case, number) = (text(&taken, "application_id"), text(&taken["samples"][0], "number"));
        let task = |item: &str| world.task(&number, item, "waiting");
        // One task in every state that an event may still move, and one that is final.
        let (begun, entered, failed, passed) = (task("b"), task("c"), task("d"), task("e"));
        ok(&world.analyst.post(&format!("/api/v1/tasks/{begun}/start"), &json!({})), 200);
        for (task, raw) in [(&failed, "98.0"), (&passed, "99.0")] {
            world.enter(task, raw);
        }
        world.approve_all();
        world.enter(&entered, "99.0");
        let void = json!({"reason": "录入错误"});
        assert_eq!(world.quality.post(&format!("/api/v1/applications/{case}/void"), &void).status, 204);
        let sample = ok(&world.analyst.get(&format!("/api/v1/samples/by-code/{number}")), 200);
        let states: Vec<(String, String)> = sample["tasks"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|row| (text(&row["item"], "code"), text(&row["task"], "state")))
            .collect();
        for (item, state) in &states {
            assert_eq!(state, if item == "e" || item == "d" { "reviewed" } else { "cancelled" }, "{item}: {states:?}");
        }
        assert_eq!(sample["sample"]["state"], "voided");
        // Nothing is decided on it any more, and no new work comes of it.
        assert_eq!(world.decide(&failed, "confirmation").problem(), "wrong-state");
        assert_eq!(ok(&world.analyst.get("/api/v1/tasks"), 200)["total"], 0);
    });
}

#[test]
fn a_port_case_is_due_by_the_laboratorys_own_clock_wherever_it_is_listed() {
    on_both(|app| {
        let world = World::new(app);
        app.account("sampler", &[Role::PortSampler]);
        let sampler = app.logged_in("sampler");
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let id = port_case(&world, &product);
        let listed = || ok(&world.receiver.get("/api/v1/applications"), 200)["items"][0].clone();
        let sampled = json!({"sampled_on": "2026-03-02"});
        ok(&sampler.post(&format!("/api/v1/applications/{id}/dates"), &sampled), 200);
        let samples = json!({"samples": [{"lot_number": "D-1", "containers": 6}]});
        ok(&world.receiver.post(&format!("/api/v1/applications/{id}/receipt"), &samples), 201);
        let case = ok(&world.receiver.get(&format!("/api/v1/applications/{id}")), 200);
        let own = ["testing", "port_report"];
        let due = case["clocks"]
            .as_array()
            .expect("clocks")
            .iter()
            .filter(|clock| own.contains(&text(clock, "name").as_str()));
        let due = due.map(|clock| text(clock, "due")).min().expect("a clock of the laboratory");
        assert_eq!(listed()["due"], due, "{case}");
        assert_eq!(ok(&world.analyst.get("/api/v1/tasks"), 200)["items"][0]["due"], due);
    });
}

#[test]
fn later_dates_are_one_permission_whichever_way_they_come() {
    let app = TestApp::start(On::Sqlite);
    let world = World::new(&app);
    app.account("sampler", &[Role::PortSampler]);
    let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
    let id = port_case(&world, &product);
    for (name, may) in [("receiver", true), ("sampler", true), ("analyst", false), ("reviewer", false)] {
        let (client, browser) = (app.logged_in(name), Browser::logged_in(&app, name));
        let dates = json!({"sampled_on": "2026-03-02"});
        let over_api = client.post(&format!("/api/v1/applications/{id}/dates"), &dates).status;
        let by_page = browser.form(&format!("/cases/{id}/dates"), &[("sampled_on", "2026-03-02")]).status;
        assert_eq!((over_api, by_page), if may { (200, 303) } else { (403, 403) }, "{name}");
        assert_eq!(browser.page(&format!("/cases/{id}")).contains(&format!("/cases/{id}/dates")), may, "{name}");
    }
}

#[test]
fn two_clicks_make_one_case_and_an_older_form_undoes_nothing() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P-1", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let browser = Browser::logged_in(app, "receiver");
        let once = value(&browser.page("/desk"), "once");
        let form = [
            ("once", once.as_str()),
            ("application.business", "drug_registration"),
            ("application.product_id", &product),
            ("application.applicant_id", &world.applicant_id),
            ("application.batches[0].lot_number", "L-1"),
        ];
        let clicks = [browser.form("/desk/submit", &form), browser.form("/desk/submit", &form)];
        assert_eq!(clicks[0].status, 303, "{}", clicks[0].text);
        assert_eq!(to(&clicks[0]), to(&clicks[1]));
        let listed = ok(&world.receiver.get("/api/v1/applications"), 200);
        assert_eq!(listed["total"], 1, "{listed}");
        // A case page that was opened before somebody else accepted it.
        let id = text(&listed["items"][0], "id");
        let seen = value(&browser.page(&format!("/cases/{id}")), "revision");
        ok(&world.receiver.post(&format!("/api/v1/applications/{id}/accept"), &json!({})), 200);
        let late = [("revision", seen.as_str()), ("reason", "申请人来电撤回")];
        let stale = browser.form(&format!("/cases/{id}/withdraw"), &late);
        assert_eq!(stale.status, 409);
        assert!(stale.text.contains("申请人来电撤回") && stale.text.contains("draft → accepted"), "{}", stale.text);
    });
}

#[test]
fn those_who_test_see_what_the_laboratory_shows_them() {
    let app = TestApp::start(On::Sqlite);
    let world = World::new(&app);
    let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
    let mut body = world.intake_body("drug_registration", &product, "A", 2);
    body["application"]["acceptance_number"] = json!("CXHS2699555");
    body["application"]["particulars"] = json!({"supplier": "示范供样单位"});
    let taken = ok(&world.receiver.post("/api/v1/intake", &body), 201);
    let (id, sample) = (text(&taken, "application_id"), text(&taken["samples"][0], "id"));
    let path = format!("/api/v1/applications/{id}");
    let receiver = ok(&world.receiver.get(&path), 200);
    let entered_by = text(&receiver["application"], "created_by");
    assert_eq!(receiver["application"]["particulars"]["supplier"], "示范供样单位");
    assert!(receiver["determination"]["lane"]["value"].is_string() && receiver["clocks"][0]["provisions"].is_array());
    let seen = ok(&world.analyst.get(&path), 200);
    for hidden in ["created_by", "acceptance_number", "applicant_id", "particulars"] {
        assert!(seen["application"][hidden].is_null(), "{hidden}: {seen}");
    }
    assert!(seen["applicant"].is_null());
    assert_eq!(seen["product"]["manufacturer"], "示范制药有限公司", "it is on the label that the analyst compares");
    let analyst = Browser::logged_in(&app, "analyst");
    for page in [format!("/cases/{id}"), format!("/samples/{sample}"), "/cases".to_owned()] {
        let text = analyst.page(&page);
        for secret in ["CXHS2699555", "示范申请人", "示范供样单位", &entered_by] {
            // Who received the sample is custody, and stays.
            assert!(!text.contains(secret), "{page} tells {secret}");
        }
    }
}

#[test]
fn an_applicant_sees_what_is_theirs_and_withdraws_what_has_not_begun() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let own = applicant(app, "own", &world.applicant_id);
        let made = app.logged_in("admin").post("/api/v1/applicants", &json!({"name": "他人", "address": "x"}));
        let other = applicant(app, "other", &text(&ok(&made, 201), "id"));
        let new = json!({"business": "drug_registration", "product_id": product, "institute_id": app.institute,
                         "batches": [{"lot_number": "A"}]});
        let id = text(&ok(&own.post("/api/v1/my/applications", &new), 201), "application_id");
        ok(&world.receiver.post(&format!("/api/v1/applications/{id}/accept"), &json!({})), 200);
        let path = format!("/api/v1/my/applications/{id}");
        let seen = ok(&own.get(&path), 200);
        assert_eq!((&seen["state"], &seen["asked"][0]["lot_number"]), (&json!("accepted"), &json!("A")));
        assert_eq!(other.get(&path).status, 404);
        assert_eq!(other.post(&format!("{path}/withdraw"), &json!({"reason": "x"})).status, 404);
        // What the desk notes and what is being tested are the laboratory's own.
        let samples = json!({"samples": [{"lot_number": "A", "containers": 2, "note": "内部备注"}]});
        let taken = ok(&world.receiver.post(&format!("/api/v1/applications/{id}/receipt"), &samples), 201);
        let task = world.task(&text(&taken["samples"][0], "number"), "assay", "waiting");
        world.enter(&task, "98.76");
        world.approve_all();
        ok(&world.reviewer.post("/api/v1/certificates", &json!({"sample_id": taken["samples"][0]["id"]})), 201);
        let seen = own.get(&path);
        assert_eq!(seen.json()["state"], "tested");
        for secret in ["内部备注", "98.76", "98.8", "determination", "state_reason", "created_by"] {
            assert!(!seen.text.contains(secret), "{secret}: {}", seen.text);
        }
        assert_eq!(seen.json()["certificates"], json!([]), "a draft is nobody's but the laboratory's");
        assert_eq!(own.post(&format!("{path}/withdraw"), &json!({"reason": "不再申请"})).problem(), "wrong-state");
        let second = text(&ok(&own.post("/api/v1/my/applications", &new), 201), "application_id");
        let withdraw = format!("/api/v1/my/applications/{second}/withdraw");
        assert_eq!(own.post(&withdraw, &json!({"reason": "不再申请"})).status, 204);
        let listed = ok(&own.get("/api/v1/my/applications?state=withdrawn"), 200);
        assert_eq!((&listed["total"], &listed["items"][0]["id"]), (&json!(1), &json!(second)));
        assert_eq!(ok(&other.get("/api/v1/my/applications"), 200)["total"], 0);
    });
}

#[test]
fn a_list_is_walked_by_cursor_without_a_gap_and_without_a_repeat() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let new = |lot: &str| {
            json!({"business": "drug_registration", "applicant_id": world.applicant_id, "product_id": product,
                   "batches": [{"lot_number": lot}]})
        };
        let made: Vec<String> = (0..5)
            .map(|index| {
                // Two of the same instant stand beside one another.
                if index % 2 == 0 {
                    app.pass(Duration::seconds(1));
                }
                text(&ok(&world.receiver.post("/api/v1/applications", &new(&index.to_string())), 201), "application_id")
            })
            .collect();
        let (mut seen, mut path) = (Vec::new(), "/api/v1/applications?limit=2".to_owned());
        loop {
            let part = ok(&world.receiver.get(&path), 200);
            assert_eq!(part["total"], 5);
            seen.extend(part["items"].as_array().expect("a list").iter().map(|row| text(row, "id")));
            let Some(next) = part["next"].as_str() else { break };
            path = format!("/api/v1/applications?limit=2&after={}", next.replace('+', "%2B"));
        }
        assert_eq!(seen.len(), 5, "{seen:?}");
        assert!(made.iter().all(|id| seen.contains(id)));
        assert_eq!(world.receiver.get("/api/v1/applications?offset=2").json()["field"], "offset");
        assert_eq!(world.receiver.get("/api/v1/applications?after=x").json()["field"], "after");
        let browser = Browser::logged_in(app, "receiver");
        assert!(browser.page("/cases").contains("共 5 条"));
    });
}

#[test]
fn a_scanned_code_is_found_as_scanners_send_it() {
    let app = TestApp::start(On::Sqlite);
    let world = World::new(&app);
    let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
    world.take_in("drug_registration", &product, "A", 2);
    let browser = Browser::logged_in(&app, "receiver");
    for code in ["SX20260001", "sx20260001", "SX20260001%1D", "%5Dd2SX20260001", "sx20260001-02%0D%0A"] {
        assert_eq!(browser.get(&format!("/find?code={code}")).status, 303, "{code}");
    }
    assert_eq!(browser.get("/find?code=SX20260002").status, 404);
    assert_eq!(browser.get("/find?code=%1D").status, 404);
}

#[test]
fn dates_are_typed_and_a_label_is_compared_however_it_is_written() {
    let app = TestApp::start(On::Sqlite);
    let world = World::new(&app);
    let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
    let with = |change: &dyn Fn(&mut Value)| {
        let mut body = world.intake_body("drug_registration", &product, "A", 2);
        change(&mut body);
        world.receiver.post("/api/v1/intake", &body)
    };
    for bad in ["2026-3-1", "01/03/2026", "2026-02-30"] {
        let refused = with(&|body| body["application"]["sampled_on"] = json!(bad));
        assert_eq!((refused.status, refused.json()["field"].as_str()), (422, Some("application.sampled_on")), "{bad}");
    }
    for (field, bad) in [("business", "export"), ("purpose", "fun")] {
        let refused = with(&|body| body["application"][field] = json!(bad));
        assert_eq!(refused.json()["field"], format!("application.{field}"));
    }
    let warm = with(&|body| body["receipt"]["samples"][0]["temperature"] = json!("warm"));
    assert_eq!(warm.json()["field"], "receipt.samples[0].temperature");
    for expired in ["2025年10月", "2025.10.31", "31/10/2025", "OCT 2025"] {
        let refused = with(&|body| body["application"]["batches"][0]["expires_on"] = json!(expired));
        assert_eq!(refused.json()["field"], "receipt.samples[0].lot_number", "{expired}");
    }
    let unsure = |body: &mut Value| body["application"]["batches"][0]["expires_on"] = json!("02/04/2026");
    assert_eq!(with(&unsure).json()["field"], "receipt.samples[0].note");
    let told = with(&|body| {
        unsure(body);
        body["receipt"]["samples"][0]["note"] = json!("有效期至2026年4月2日");
    });
    assert_eq!(told.status, 201, "{}", told.text);
}

#[test]
fn a_specification_is_taken_from_the_day_on_which_it_is_effective() {
    let app = TestApp::start(On::Sqlite);
    let world = World::new(&app);
    let new = json!({
        "code": "F", "name_zh": "示范品", "name_en": "Specimen", "category": "chemical", "traits": ["rare_disease"],
        "strength": "10 mg", "dosage_form": "片剂", "package_spec": "10 片/瓶", "storage": "室温",
        "manufacturer": "示范制药有限公司", "holder": "示范制药有限公司",
        "container_name": "瓶", "container_content": "10", "content_unit": "片",
    });
    let product = text(&ok(&world.quality.post("/api/v1/products", &new), 201), "id");
    let draft = json!({"product_id": product, "title": "《示范标准》", "edition": "2026", "items": one_item("≥97.0")});
    let draft = text(&ok(&world.quality.post("/api/v1/specifications", &draft), 201), "id");
    let effective = format!("/api/v1/specifications/{draft}/effective");
    ok(&world.signatory.post(&effective, &json!({"effective_from": "2026-03-05"})), 200);
    let body = world.intake_body("drug_registration", &product, "A", 2);
    let early = world.receiver.post("/api/v1/intake", &body);
    assert_eq!((early.status, early.json()["field"].as_str()), (422, Some("application.specification_id")));
    app.pass(Duration::days(4));
    let receiver = app.logged_in("receiver");
    ok(&receiver.post("/api/v1/intake", &body), 201);
}

/// The lots of a case arrive when they arrive: it ends when the last of them has ended, each with its own certificate.
#[test]
fn a_case_ends_with_the_last_of_its_lots() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &[], &one_item("≥97.0"));
        let mut new = world.intake_body("drug_registration", &product, "A", 4)["application"].take();
        new["batches"] =
            ["A", "B", "C", "D"].iter().map(|lot| json!({"lot_number": lot, "expires_on": "2028-12"})).collect();
        let case = text(&ok(&world.receiver.post("/api/v1/applications", &new), 201), "application_id");
        let at = |way: &str| format!("/api/v1/applications/{case}/{way}");
        ok(&world.receiver.post(&at("accept"), &json!({})), 200);
        let state =
            || text(&ok(&world.receiver.get(&format!("/api/v1/applications/{case}")), 200)["application"], "state");
        let receive = |lot: &str, refused: Option<&str>| {
            let sample = json!({"lot_number": lot, "containers": 4, "refuse_because": refused});
            world.receiver.post(&at("receipt"), &json!({"samples": [sample]}))
        };
        let test = |taken: &Value| {
            let sample = &taken["samples"][0];
            world.enter(&world.task(&text(sample, "number"), "assay", "waiting"), "99.0");
            world.approve_all();
            text(sample, "id")
        };
        // The first arrives.
        let first = test(&ok(&receive("A", None), 201));
        assert_eq!(state(), "testing", "three lots are still to come");
        // Its certificate does not wait for the others, and does not end the case.
        assert!(world.issue(&first)["number"].is_string());
        assert_eq!(state(), "testing");
        // Later one lot is refused at the desk, and comes again.
        app.pass(Duration::minutes(5));
        ok(&receive("B", Some("包装破损")), 201);
        assert_eq!(state(), "testing");
        let second = test(&ok(&receive("B", None), 201));
        // Of the third the applicant sends nothing, and says so.
        let withdraw = |lot: &str, reason: &str| {
            world.receiver.post(&at("withdraw-batch"), &json!({"lot_number": lot, "reason": reason}))
        };
        assert_eq!((withdraw("C", " ").status, withdraw("A", "x").status, withdraw("Z", "x").status), (422, 409, 422));
        let refused = world.analyst.post(&at("withdraw-batch"), &json!({"lot_number": "C", "reason": "x"}));
        assert_eq!(refused.status, 403);
        ok(&withdraw("C", "申请人来函不再送样"), 200);
        // Three lots were asked for, and three are left.
        let short = withdraw("D", "不再送样");
        assert_eq!((short.status, short.problem().as_str()), (422, "batches-missing"), "{}", short.text);
        assert_eq!((withdraw("C", "x").status, receive("C", None).status), (409, 409));
        ok(&world.quality.get("/api/v1/audit?action=batch.withdraw"), 200);
        // The last one arrives.
        let fourth = test(&ok(&receive("D", None), 201));
        assert_eq!(state(), "tested");
        world.issue(&second);
        assert_eq!(state(), "tested");
        world.issue(&fourth);
        assert_eq!(state(), "reported");
    });
}

#[test]
fn the_last_lot_of_a_case_is_not_withdrawn_alone_and_what_was_waited_for_ends_the_case() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let mut new = world.intake_body("drug_registration", &product, "A", 4)["application"].take();
        new["batches"] =
            json!([{"lot_number": "A", "expires_on": "2028-12"}, {"lot_number": "B", "expires_on": "2028-12"}]);
        let case = text(&ok(&world.receiver.post("/api/v1/applications", &new), 201), "application_id");
        let at = |way: &str| format!("/api/v1/applications/{case}/{way}");
        ok(&world.receiver.post(&at("accept"), &json!({})), 200);
        let sample = json!({"samples": [{"lot_number": "A", "containers": 4}]});
        let taken = ok(&world.receiver.post(&at("receipt"), &sample), 201);
        let sample = &taken["samples"][0];
        world.enter(&world.task(&text(sample, "number"), "assay", "waiting"), "99.0");
        world.approve_all();
        world.issue(&text(sample, "id"));
        let end = json!({"lot_number": "B", "reason": "不再送样"});
        ok(&world.receiver.post(&at("withdraw-batch"), &end), 200);
        let found = ok(&world.receiver.get(&format!("/api/v1/applications/{case}")), 200);
        assert_eq!(
            (&found["application"]["state"], &found["batches"][1]["withdrawn_because"]),
            (&json!("reported"), &json!("不再送样"))
        );

        let other = json!({"business": "drug_registration", "applicant_id": world.applicant_id, "product_id": product,
                           "batches": [{"lot_number": "C", "expires_on": "2028-12"}]});
        let case = text(&ok(&world.receiver.post("/api/v1/applications", &other), 201), "application_id");
        ok(&world.receiver.post(&format!("/api/v1/applications/{case}/accept"), &json!({})), 200);
        let end = json!({"lot_number": "C", "reason": "不再送样"});
        let refused = world.receiver.post(&format!("/api/v1/applications/{case}/withdraw-batch"), &end);
        assert!(refused.status == 409 && refused.text.contains("撤回整个业务"), "{}", refused.text);
    });
}
