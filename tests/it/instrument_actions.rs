//! What is done to instruments and their files: nothing is lost because two people did it at once, nothing passes an
//! open question, and long lists go on by cursor.

use diesel::Connection;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

use crate::pages::Browser;
use crate::support::client::{Answer, Client};
use crate::support::{On, TestApp, on_each, text};
use crate::world::{World, ok};

fn upload(client: &Client, name: &str, content: &str) -> Answer {
    let path = format!("/api/v1/instrument-files?name={name}");
    client.send("POST", &path, Some("application/octet-stream"), content.as_bytes().to_vec())
}

/// A table of a spectrophotometer: sample names with their concentrations.
fn table(rows: &[(&str, &str)]) -> String {
    let mut all = String::from("Date,Sample Name,Nucleic Acid(ng/uL),A260/A280,A260/A230,A260,A280\r\n");
    for (index, (name, value)) in rows.iter().enumerate() {
        all.push_str(&format!("2/12/2026 10:{index:02}:11 AM,{name},{value},1.871,2.114,10.248,5.477\r\n"));
    }
    all
}

/// The revision that a page's form was made on.
fn revision(page: &str) -> String {
    let start = "name=\"revision\" value=\"";
    let at = page.find(start).expect("a form with a revision") + start.len();
    page[at..].chars().take_while(char::is_ascii_digit).collect()
}

#[test]
fn a_change_of_the_register_that_saw_less_is_refused() {
    on_each(|on| {
        let app = TestApp::start(on);
        let world = World::new(&app);
        let base = json!({"code": "HPLC-01", "name": "液相", "serial": "1"});
        let made = ok(&world.quality.post("/api/v1/instruments", &base), 201);
        assert_eq!(made["revision"], 1);
        let path = format!("/api/v1/instruments/{}", text(&made, "id"));
        let change = |field: &str, value: &str| {
            let mut instrument = base.clone();
            instrument[field] = json!(value);
            json!({"reason": "更正", "instrument": instrument})
        };
        // Whoever names no revision has seen the first.
        let changed = ok(&world.quality.put(&path, &change("serial", "SN-2")), 200);
        assert_eq!((&changed["serial"], &changed["revision"]), (&json!("SN-2"), &json!(2)));
        let admin = app.logged_in("admin");
        let stale = admin.put(&path, &change("model", "V30"));
        assert_eq!((stale.status, stale.problem()), (409, "stale".to_owned()), "{}", stale.text);
        let told = stale.json();
        let serial =
            told["numbers"]["changes"].as_array().expect("changes").iter().find(|one| one["field"] == "serial");
        let serial = serial.expect("the serial number");
        assert_eq!((&serial["old"], &serial["new"], &serial["by"]), (&json!("1"), &json!("SN-2"), &json!("quality")));
        assert_eq!(ok(&world.quality.get(&path), 200)["serial"], "SN-2");
        // Whoever has seen the second changes it.
        let seen = app.logged_in("admin").with("if-match", "\"2\"");
        let mut both = change("model", "V30");
        both["instrument"]["serial"] = json!("SN-2");
        assert_eq!(ok(&seen.put(&path, &both), 200)["model"], "V30");
        let late = app.logged_in("admin").with("if-match", "\"2\"");
        assert_eq!(late.put(&path, &both).problem(), "stale");
    });
}

#[test]
fn a_page_that_is_out_of_date_keeps_what_was_typed() {
    let app = TestApp::start(On::Sqlite);
    let world = World::new(&app);
    let made = ok(&world.quality.post("/api/v1/instruments", &json!({"code": "A-1", "name": "天平"})), 201);
    let here = format!("/instruments/{}", text(&made, "id"));
    let quality = Browser::logged_in(&app, "quality");
    let opened = revision(&quality.page(&here));
    let first = [("code", "A-1"), ("name", "天平甲"), ("reason", "改名"), ("revision", opened.as_str())];
    assert_eq!(quality.form(&here, &first).status, 303);
    let second = [("code", "A-1"), ("name", "天平乙"), ("reason", "改名"), ("revision", opened.as_str())];
    let refused = quality.form(&here, &second);
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert!(refused.text.contains("天平乙") && refused.text.contains("天平甲"), "{}", refused.text);
    // The page that came back was made on what is there now.
    let again = [("code", "A-1"), ("name", "天平乙"), ("reason", "改名"), ("revision", &revision(&refused.text))];
    assert_eq!(quality.form(&here, &again).status, 303);
}

#[test]
fn a_decision_about_a_file_rests_on_the_matches_that_were_seen() {
    on_each(|on| {
        let app = TestApp::start(on);
        let world = World::new(&app);
        let item = json!([{"code": "conc", "name_zh": "浓度", "name_en": "Concentration", "method": "UV",
            "kind": "numeric", "unit": "ng/uL", "limit": "≥1.0", "compare_by": "rounded", "consumes": "1",
            "inputs": [{"name": "x", "unit": "ng/uL", "source": {"quantity": "concentration", "unit": "ng/uL"}}]}]);
        let product = world.product("NA", "chemical", &["rare_disease"], &item);
        let number = text(&world.take_in("drug_registration", &product, "L1", 9)["samples"][0], "number");
        let file = ok(&upload(&world.analyst, "a.csv", &table(&[("Unknown", "5.0"), ("Second", "6.0")])), 201);
        let path = format!("/api/v1/instrument-files/{}", text(&file["file"], "id"));
        let seen = file["file"]["revision"].clone();
        let match_to = |name: &str| {
            let body = json!({"sample_text": name, "sample_number": number});
            ok(&world.analyst.post(&format!("{path}/match"), &body), 200)
        };
        let matched = match_to("Unknown");
        assert_ne!(matched["file"]["revision"], seen, "a match is a change of what is decided about");
        let task = matched["proposals"][0]["task_id"].clone();
        let accept = json!({"confirm_complete": true, "tasks": [task]});
        let late = app.logged_in("analyst").with("if-match", &format!("\"{seen}\""));
        assert_eq!(late.post(&format!("{path}/accept"), &accept).problem(), "stale");

        // A second value is one more than the item takes: a question, which naming the task does not answer.
        let two = match_to("Second");
        assert_eq!(two["proposals"][0]["open_questions"].as_array().map(Vec::len), Some(1), "{two}");
        let refused = world.analyst.post(&format!("{path}/accept"), &accept);
        assert_eq!((refused.status, &refused.json()["field"]), (422, &json!("tasks[0]")), "{}", refused.text);
        let back = json!({"sample_text": "Second", "sample_number": null});
        ok(&world.analyst.post(&format!("{path}/match"), &back), 200);
        let accepted = ok(&world.analyst.post(&format!("{path}/accept"), &accept), 200);
        assert_eq!(accepted["entered"][0]["task_id"], task);
        let again = world.analyst.post(&format!("{path}/reject"), &json!({"reason": "晚了"}));
        assert_eq!(again.problem(), "wrong-state");
    });
}

#[test]
fn a_retried_request_is_done_once() {
    on_each(|on| {
        let app = TestApp::start(on);
        let world = World::new(&app);
        let keyed = app.logged_in("quality").with("idempotency-key", "k-1");
        let new = json!({"code": "B-1", "name": "天平"});
        let first = ok(&keyed.post("/api/v1/instruments", &new), 201);
        let second = keyed.post("/api/v1/instruments", &new);
        assert_eq!((second.status, second.json()), (201, first));
        let plain = world.quality.post("/api/v1/instruments", &new);
        assert_eq!((plain.problem(), &plain.json()["field"]), ("conflict".to_owned(), &json!("code")));
    });
}

#[test]
fn lists_go_on_by_cursor_and_searches_find_the_rest() {
    on_each(|on| {
        let app = TestApp::start(on);
        let world = World::new(&app);
        for index in 0..7 {
            ok(&upload(&world.analyst, &format!("n{index}.xyz"), &format!("no instrument wrote this {index}")), 201);
            let new = json!({"code": format!("BAL-{index}"), "name": format!("天平 {index}")});
            ok(&world.quality.post("/api/v1/instruments", &new), 201);
        }
        for (path, name) in
            [("/api/v1/instrument-files?state=unread", "name"), ("/api/v1/dead-letters?state=open", "name")]
        {
            let mut found: Vec<String> = Vec::new();
            let mut after = String::new();
            loop {
                let part = ok(&world.analyst.get(&format!("{path}&limit=3{after}")), 200);
                assert_eq!((&part["total"], &part["total_at_least"]), (&json!(7), &json!(false)));
                let items = part["items"].as_array().expect("items");
                found.extend(items.iter().map(|one| text(one, name)));
                let Some(next) = part["next"].as_str() else { break };
                after = format!("&after={next}");
            }
            let mut all = found.clone();
            all.sort();
            all.dedup();
            assert_eq!((found.len(), all.len()), (7, 7), "{path}: {found:?}");
        }
        assert_eq!(world.analyst.get("/api/v1/dead-letters?after=17").json()["field"], "after");
        let codes = |query: &str| -> Vec<String> {
            let listed = ok(&world.analyst.get(&format!("/api/v1/instruments{query}")), 200);
            listed.as_array().expect("instruments").iter().map(|one| text(one, "code")).collect()
        };
        assert_eq!(codes("?limit=2&after=BAL-2"), ["BAL-3", "BAL-4"]);
        assert_eq!(codes("?q=BAL-5"), ["BAL-5"]);
        assert_eq!(codes("?state=retired"), Vec::<String>::new());
        let analyst = Browser::logged_in(&app, "analyst");
        let choices = analyst.page("/instruments/choices?instrument=BAL-6");
        assert!(choices.contains("value=\"BAL-6\"") && !choices.contains("BAL-5"), "{choices}");
        let page = analyst.page("/instrument-files");
        assert!(page.contains("n6.xyz") && !page.contains("<option"), "the picker holds no list");
    });
}

#[test]
fn what_is_stored_and_cannot_be_read_is_an_error_that_names_its_place() {
    let app = TestApp::start(On::Sqlite);
    let world = World::new(&app);
    let file = ok(&upload(&world.analyst, "n.xyz", "no instrument wrote this"), 201);
    assert!(file["file"]["problems"].is_array() && file["file"]["run"].is_null(), "JSON is JSON: {file}");
    let made = ok(&world.quality.post("/api/v1/instruments", &json!({"code": "C-1", "name": "x"})), 201);
    assert_eq!(made["matching"], json!({"by": ["number", "label", "run_list"], "pattern": null, "on": "sample"}));
    let id = text(&made, "id");
    let statement = format!("UPDATE instrument SET matching = '{{\"by\": [\"guess\"]}}' WHERE id = '{id}'");
    // By another program than this one, which writes nothing without an event.
    let mut stranger = diesel::sqlite::SqliteConnection::establish(app.ground.url().trim_start_matches("sqlite://"));
    stranger.as_mut().expect("opens").batch_execute(&statement).expect("written past the rules");
    let broken: Answer = world.quality.get(&format!("/api/v1/instruments/{id}"));
    assert_eq!(broken.status, 500, "{}", broken.text);
    let details: Value = broken.json()["numbers"].clone();
    assert_eq!(
        (&details["table"], &details["column"], &details["id"]),
        (&json!("instrument"), &json!("matching"), &json!(id))
    );
}

/// An item whose reading is an amount of a chromatogram.
fn solvent() -> Value {
    json!([{"code": "solv", "name_zh": "残留溶剂", "name_en": "Solvent", "method": "通则0861", "kind": "numeric",
            "unit": "ug/mL", "limit": "≤500", "compare_by": "rounded", "consumes": "1",
            "inputs": [{"name": "x", "unit": "ug/mL", "source": {"quantity": "amount", "analyte": "丙酮"}}]}])
}

/// `1,021` may be one and a bit or a thousand: it is no reading before a person has said which.
#[test]
fn a_value_of_two_readings_is_decided_by_a_person() {
    on_each(|on| {
        let app = TestApp::start(on);
        let world = World::new(&app);
        let product = world.product("AMB", "chemical", &["rare_disease"], &solvent());
        let number = text(&world.take_in("drug_registration", &product, "AMB1", 9)["samples"][0], "number");
        let content = format!(
            "SampleName\tVial\tRetentionTime\tArea\tResultId\tChannelName\tName\tAmount\tUnits\r\n\
             {number}\t1\t4\t2838\t1\tPDA\t丙酮\t1,021\tug/mL\r\n"
        );
        let path = "/api/v1/instrument-files?name=amb.txt";
        let sent = world.analyst.send("POST", path, Some("application/octet-stream"), content.into_bytes());
        let one = ok(&sent, 201);
        let id = text(&one["file"], "id");
        let seen = one["observations"].as_array().expect("values").iter().find(|o| o["quantity"] == "amount");
        let seen = seen.expect("the amount").clone();
        assert_eq!(
            (&seen["raw"], &seen["status"], &seen["value"]),
            (&json!("1,021"), &json!("ambiguous"), &Value::Null)
        );
        assert_eq!(seen["readings"], json!(["1.021", "1021"]));
        let open = one["proposals"][0]["open_questions"].to_string();
        assert!(open.contains("1.021 或 1021") && one["proposals"][0]["readings"] == json!([]), "{one}");
        let accept = || {
            let body = json!({"confirm_complete": true, "despite_problems": "已核对"});
            world.analyst.post(&format!("/api/v1/instrument-files/{id}/accept"), &body)
        };
        let refused = accept();
        assert!(refused.status >= 400, "{}", refused.text);

        // The page shows both readings, in both languages.
        let page = Browser::logged_in(&app, "analyst").page(&format!("/instrument-files/{id}"));
        assert!(page.contains("应读作 1.021") && page.contains("应读作 1021"), "{page}");

        let choose = |value: Value| {
            let body = json!({"observation_id": seen["id"], "value": value});
            world.analyst.post(&format!("/api/v1/instrument-files/{id}/readings"), &body)
        };
        assert_eq!(choose(json!("1,021")).json()["field"], "value");
        let chosen = ok(&choose(json!("1021")), 200);
        let now = chosen["observations"].as_array().expect("values").iter().find(|o| o["id"] == seen["id"]).cloned();
        let now = now.expect("the amount");
        assert_eq!((&now["raw"], &now["chosen"]), (&json!("1,021"), &json!("1021")), "what was written is kept");
        let trail = ok(&world.quality.get("/api/v1/audit?action=file.choose_reading"), 200);
        let entry = &trail["entries"][0];
        assert!(entry["actor"].as_str().is_some_and(|who| who.contains("analyst")), "{trail}");
        assert!(entry.to_string().contains("1021"), "{trail}");

        let accepted = ok(&accept(), 200);
        let result = &accepted["entered"][0]["result"];
        assert_eq!((&result["calculated"], &result["verdict"]), (&json!("1021"), &json!("fail")), "{accepted}");
        assert!(choose(json!("1.021")).status >= 400, "what was decided about stays");
    });
}

/// `Report.txt` of another sample is another run; the same run with other values is a version.
#[test]
fn a_run_is_not_its_files_name() {
    on_each(|on| {
        let app = TestApp::start(on);
        let world = World::new(&app);
        let kf = |sample: &str, minute: u32, value: &str| {
            format!("卡尔费休水分测定\r\n样品：{sample}\r\n日期：2026/11/30 14:{minute:02}\r\n水分：{value} ppm\r\n")
        };
        let new = json!({"code": "KF-1", "name": "水分仪", "serial": "1", "adapter": "karl-fischer-print"});
        ok(&world.quality.post("/api/v1/instruments", &new), 201);
        for machine in ["", "&instrument=KF-1"] {
            let send = |content: String| {
                let path = format!("/api/v1/instrument-files?name=Report.txt{machine}");
                let sent = world.analyst.send("POST", &path, Some("application/octet-stream"), content.into_bytes());
                ok(&sent, 201)["file"].clone()
            };
            let tag = machine.len();
            let first = send(kf(&format!("A{tag}"), 2, "300"));
            assert_eq!(send(kf(&format!("B{tag}"), 2, "310"))["version"], 1, "another sample");
            assert_eq!(send(kf(&format!("A{tag}"), 9, "305"))["version"], 1, "another measurement");
            let second = send(kf(&format!("A{tag}"), 2, "301"));
            assert_eq!((&second["version"], &second["supersedes"]), (&json!(2), &first["id"]));
        }
    });
}
