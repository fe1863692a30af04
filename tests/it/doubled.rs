//! Once only, and no update lost. A form or a request that comes twice is done once. One that was made before somebody
//! else's change is refused with what changed meanwhile: field by field, who, when, old and new.

use std::sync::Barrier;

use chrono::{DateTime, Duration, Utc};
use qianfa::vocabulary::Role;
use serde_json::{Value, json};

use crate::forms::{PageForm, form};
use crate::pages::Browser;
use crate::support::client::{Answer, Client};
use crate::support::{TestApp, on_both, text};
use crate::world::{World, ok, one_item};

/// Another tab of the same browser.
fn tab(app: &TestApp, browser: &Browser) -> Browser {
    let tab = Browser(app.client());
    *tab.0.cookies.borrow_mut() = browser.0.cookies.borrow().clone();
    tab
}

/// Runs the two at the same moment.
fn at_once<C: Send, T: Send>(pair: [C; 2], work: impl Fn(C) -> T + Sync) -> [T; 2] {
    let gate = Barrier::new(2);
    std::thread::scope(|scope| {
        let (gate, work) = (&gate, &work);
        let running = pair.map(|one| {
            scope.spawn(move || {
                gate.wait();
                work(one)
            })
        });
        running.map(|one| one.join().expect("an answer"))
    })
}

/// Two clicks: both lead on to the same place.
fn clicked_twice(app: &TestApp, browser: &Browser, form: &PageForm) -> String {
    let answers = at_once([tab(app, browser), tab(app, browser)], |tab| form.send(&tab));
    let led = answers.map(|answer| {
        assert_eq!(answer.status, 303, "{}: {}", form.action, answer.text);
        answer.headers["location"].clone()
    });
    assert_eq!(led[0], led[1], "{}", form.action);
    led[0].clone()
}

fn total(client: &Client, path: &str) -> i64 {
    let listed = ok(&client.get(path), 200);
    listed["total"].as_i64().or_else(|| listed.as_array().map(|all| all.len() as i64)).expect("a list")
}

/// The desk's form for one lot, as it is when the last field is filled.
fn desk(browser: &Browser, product: &str, applicant: &str, lot: &str) -> PageForm {
    form(&browser.page("/desk"), "/desk").with(&[
        ("do", "take_in"),
        ("application.business", "drug_registration"),
        ("application.product_id", product),
        ("application.applicant_id", applicant),
        ("application.batches[0].lot_number", lot),
        ("application.batches[0].expires_on", "2028-12-31"),
        ("receipt.samples[0].containers", "4"),
        ("receipt.samples[0].temperature", "5"),
    ])
}

/// Why a lot is taken a second time, so that the desk does not ask.
const AGAIN: (&str, &str) = ("application.batches[0].despite_duplicate", "补送");

#[test]
fn two_clicks_at_the_desk_make_one_case() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P-1", "chemical", &["rare_disease"], &one_item("95.0~105.0"));
        let browser = Browser::logged_in(app, "receiver");
        let cases = || total(&world.receiver, "/api/v1/applications");

        let filled = || desk(&browser, &product, &world.applicant_id, "L1").with(&[AGAIN]);
        let first = filled();
        let there = clicked_twice(app, &browser, &first);
        assert!(there.starts_with("/cases/"), "{there}");
        assert_eq!(cases(), 1);
        // The browser's way back, and the button once more.
        let late = first.send(&browser);
        assert_eq!((late.status, late.headers.get("location")), (303, Some(&there)), "{}", late.text);
        assert_eq!(cases(), 1);
        // Another form with the same in it is another case: somebody opened it and filled it.
        let second = clicked_twice(app, &browser, &filled());
        assert_ne!(second, there);
        assert_eq!(cases(), 2);
        // What was typed over in a form that was sent is another case: the key stands for one content.
        let other = first.with(&[("application.batches[0].lot_number", "L2")]);
        let third = clicked_twice(app, &browser, &other);
        assert!(third != there && third != second, "{third}");
        assert_eq!(cases(), 3);
    });
}

/// A page of before, or a program that fills forms: there is no key, and two clicks are still one case.
#[test]
fn without_a_key_the_same_form_within_seconds_is_one() {
    on_both(|app| {
        let world = World::new(app);
        app.account("receiver.two", &[Role::Receiver]);
        let product = world.product("P-1", "chemical", &["rare_disease"], &one_item("95.0~105.0"));
        let browser = Browser::logged_in(app, "receiver");
        let bare = desk(&browser, &product, &world.applicant_id, "L1").with(&[AGAIN]).without("once");
        let there = clicked_twice(app, &browser, &bare);
        app.pass(Duration::seconds(2));
        assert_eq!(bare.send(&browser).headers.get("location"), Some(&there), "two seconds later");
        assert_eq!(total(&world.receiver, "/api/v1/applications"), 1);
        // Somebody else's is somebody else's; another content is another case; and tomorrow it is meant.
        let second = Browser::logged_in(app, "receiver.two");
        assert_eq!(bare.send(&second).status, 303);
        assert_eq!(bare.with(&[("application.batches[0].lot_number", "L2")]).send(&browser).status, 303);
        assert_eq!(total(&world.receiver, "/api/v1/applications"), 3);
        app.pass(Duration::days(1));
        assert_eq!(bare.send(&Browser::logged_in(app, "receiver")).status, 303);
        assert_eq!(total(&app.logged_in("receiver"), "/api/v1/applications"), 4);
    });
}

/// A refusal is no use of the key: what is mended in the form that came back is sent with it.
#[test]
fn a_form_that_was_refused_is_mended_and_done_once() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P-1", "chemical", &["rare_disease"], &one_item("95.0~105.0"));
        let browser = Browser::logged_in(app, "receiver");
        let short = desk(&browser, &product, &world.applicant_id, "L1").with(&[("receipt.samples[0].containers", "1")]);
        let refused = short.send(&browser);
        assert_eq!(refused.status, 422, "{}", refused.text);
        let again = form(&refused.text, "/desk");
        assert!(again.get("once").is_some_and(|key| !key.is_empty()), "the form that comes back carries a key");
        let mended = again.with(&[("do", "take_in"), ("receipt.samples[0].containers", "4")]);
        clicked_twice(app, &browser, &mended);
        assert_eq!(total(&world.receiver, "/api/v1/applications"), 1);
    });
}

/// The same of other pages: what is moved, entered in a register and recorded.
#[test]
fn two_clicks_anywhere_are_one() {
    on_both(|app| {
        let world = World::new(app);
        let items = json!([{"code": "assay", "name_zh": "含量", "name_en": "Assay", "method": "通则", "kind": "numeric",
            "unit": "%", "limit": "≥97.0", "compare_by": "rounded", "consumes": "30"}]);
        let product = world.product("P-1", "chemical", &["rare_disease"], &items);
        let taken = world.take_in("drug_registration", &product, "L1", 6);
        let sample = text(&taken["samples"][0], "id");
        let (receiver, quality) = (Browser::logged_in(app, "receiver"), Browser::logged_in(app, "quality"));

        // One container is used, of the three for the test.
        let page = format!("/samples/{sample}");
        let used = form(&receiver.page(&page), &format!("{page}/move")).with(&[
            ("to", "consumed"),
            ("quantity", "1"),
            ("reason", "检验消耗"),
        ]);
        clicked_twice(app, &receiver, &used);
        let custody = ok(&world.receiver.get(&format!("/api/v1/samples/{sample}")), 200);
        let left = custody["balances"].as_array().and_then(|all| all.iter().find(|row| row["place"] == "test_portion"));
        assert_eq!(left.map(|row| &row["balance"]), Some(&json!(2)), "{custody}");

        // A name that is taken is no refusal for the second click of who took it.
        let before = total(&world.receiver, "/api/v1/applicants");
        let applicant = form(&receiver.page("/applicants"), "/applicants").with(&[("name", "新申请人有限公司")]);
        clicked_twice(app, &receiver, &applicant);
        assert_eq!(total(&world.receiver, "/api/v1/applicants"), before + 1);
        let instrument = form(&quality.page("/instruments"), "/instruments").with(&[
            ("code", "BAL-01"),
            ("name", "电子天平"),
            ("by", "number"),
        ]);
        let here = clicked_twice(app, &quality, &instrument);
        let calibration = form(&quality.page(&here), &format!("{here}/calibrations")).with(&[
            ("performed_on", "2026-01-05"),
            ("result", "pass"),
            ("certificate_number", "JZ-2026-1"),
            ("performed_by", "计量院"),
        ]);
        clicked_twice(app, &quality, &calibration);
        assert_eq!(total(&world.quality, &format!("/api/v1{here}/calibrations")), 1);
    });
}

/// Whatever a program makes by the API, a repeat under its key is answered from memory.
#[test]
fn every_making_request_takes_a_key() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P-1", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let sample = text(&world.take_in("drug_registration", &product, "L1", 3)["samples"][0], "id");
        let move_one = json!({"from": "test_portion", "to": "consumed", "quantity": 1, "reason": "检验消耗"});
        let requests = [
            ("receiver", format!("/api/v1/samples/{sample}/custody"), move_one),
            ("receiver", "/api/v1/applicants".to_owned(), json!({"name": "新申请人有限公司"})),
            ("quality", "/api/v1/instruments".to_owned(), json!({"code": "BAL-01", "name": "电子天平"})),
        ];
        for (who, path, body) in requests {
            let keyed = || app.logged_in(who).with("Idempotency-Key", "once-1");
            let [first, second] = at_once([keyed(), keyed()], |client| client.post(&path, &body));
            assert_eq!(ok(&first, 201), ok(&second, 201), "{path}");
            let replayed = |answer: &Answer| answer.headers.get("idempotent-replayed").is_some_and(|it| it == "true");
            assert!(replayed(&first) != replayed(&second), "{path}: one of the two was done");
        }
    });
}

/// The revision that an answer is of, as `If-Match` names it: the view's own, or that of the thing in its middle.
fn version(answer: &Answer) -> String {
    let view = answer.json();
    let own = view.get("revision").or_else(|| view["task"].get("revision"));
    let revision = own.and_then(Value::as_i64).unwrap_or_else(|| panic!("no revision in {}", answer.text));
    format!("\"{revision}\"")
}

/// Holds that a request was refused because it was made before somebody's change of a field, and says which.
#[track_caller]
fn stale(app: &TestApp, answer: &Answer, field: &str, by: &str) -> (Value, Value) {
    assert_eq!((answer.status, answer.problem().as_str()), (409, "stale"), "{}", answer.text);
    let problem = answer.json();
    let changes = problem["numbers"]["changes"].as_array().unwrap_or_else(|| panic!("no changes in {problem}"));
    let change = changes.iter().find(|change| change["field"] == field);
    let change = change.unwrap_or_else(|| panic!("{field} is not among the changes: {problem}"));
    assert!(change["by"].to_string().contains(by), "who: {change}");
    let at = DateTime::parse_from_rfc3339(change["at"].as_str().expect("an instant")).expect("an instant");
    assert!((app.clock.now() - at.with_timezone(&Utc)).abs() < Duration::minutes(1), "when: {change}");
    (change["old"].clone(), change["new"].clone())
}

/// Holds that a page says what changed meanwhile, beyond what the page says anyhow.
#[track_caller]
fn told(refused: &Answer, plain: &str, said: &[&str]) {
    for text in said {
        let more = refused.text.matches(text).count() > plain.matches(text).count();
        assert!(more, "{text} is not among what changed: {}", refused.text);
    }
}

/// Two readings by weight.
fn weighings() -> Value {
    json!([{"code": "lod", "name_zh": "干燥失重", "name_en": "Loss on drying", "method": "通则0831", "kind": "numeric",
        "unit": "%", "limit": "≤0.5", "compare_by": "rounded", "consumes": "10", "formula": "(m1 - m2) / m1 * 100",
        "inputs": [{"name": "m1", "label_zh": "干燥前", "unit": "g", "count": 1},
                   {"name": "m2", "label_zh": "干燥后", "unit": "g", "count": 1}]}])
}

/// A task with both weighings entered by `one`, whose colleague is `two`.
fn weighed(world: &World) -> String {
    for name in ["one", "two"] {
        world.app.account(name, &[Role::Analyst]);
    }
    let product = world.product("P-1", "chemical", &["rare_disease"], &weighings());
    let taken = world.take_in("drug_registration", &product, "L1", 2);
    let task = world.task(&text(&taken["samples"][0], "number"), "lod", "waiting");
    ok(&enter(&world.app.logged_in("one"), &task, ["10.000", "9.990"], None), 201);
    task
}

fn enter(who: &Client, task: &str, [m1, m2]: [&str; 2], reason: Option<&str>) -> Answer {
    let body = json!({"readings": [{"name": "m1", "raw": m1}, {"name": "m2", "raw": m2}], "reason": reason});
    who.post(&format!("/api/v1/tasks/{task}/entry"), &body)
}

/// The readings that stand.
fn standing(world: &World, task: &str) -> [String; 2] {
    let seen = ok(&world.reviewer.get(&format!("/api/v1/tasks/{task}")), 200);
    let readings = seen["readings"].as_array().expect("readings").clone();
    ["m1", "m2"].map(|name| text(readings.iter().rfind(|row| row["name"] == name).expect("a reading"), "raw"))
}

#[test]
fn a_page_of_readings_that_was_opened_before_a_correction_does_not_undo_it() {
    on_both(|app| {
        let world = World::new(app);
        let task = weighed(&world);
        let page = format!("/tasks/{task}");
        let one = Browser::logged_in(app, "one");
        let opened = form(&one.page(&page), &page);
        assert_eq!(opened.get("readings[0].raw"), Some("10.000"));

        app.pass(Duration::minutes(5));
        ok(&enter(&app.logged_in("two"), &task, ["10.020", "9.990"], Some("m1 笔误")), 201);
        let refused = opened.with(&[("readings[1].raw", "9.995"), ("reason", "m2 笔误")]).send(&one);
        assert_eq!(refused.status, 409, "{}", refused.text);
        assert_eq!(refused.headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(standing(&world, &task), ["10.020", "9.990"], "nothing of the stale form was kept");
        // What changed meanwhile: which field, who, when, old and new.
        told(&refused, &one.page(&page), &["m1", "two", "2026-03-02 09:05", "10.000", "10.020"]);
        let again = form(&refused.text, &page);
        assert_eq!((again.get("readings[1].raw"), again.get("reason")), (Some("9.995"), Some("m2 笔误")), "as typed");
        assert_ne!(again.get("revision"), opened.get("revision"), "the form that comes back is of today's revision");

        // Now it is known what changed: the same correction is sent again, and both stand.
        let sent = again.with(&[("readings[0].raw", "10.020")]).send(&one);
        assert_eq!(sent.status, 303, "{}", sent.text);
        assert_eq!(standing(&world, &task), ["10.020", "9.995"]);
    });
}

#[test]
fn a_request_of_readings_made_before_a_correction_does_not_undo_it() {
    on_both(|app| {
        let world = World::new(app);
        let task = weighed(&world);
        let seen = version(&world.analyst.get(&format!("/api/v1/tasks/{task}")));
        let on_seen = |who: &str| app.logged_in(who).with("If-Match", &seen);
        ok(&enter(&on_seen("two"), &task, ["10.020", "9.990"], Some("m1 笔误")), 201);
        let late = enter(&on_seen("one"), &task, ["10.000", "9.995"], Some("m2 笔误"));
        assert_eq!(stale_reading(app, &late, "m1"), (json!("10.000"), json!("10.020")));
        assert_eq!(standing(&world, &task), ["10.020", "9.990"]);
        let now = version(&world.analyst.get(&format!("/api/v1/tasks/{task}")));
        let again = app.logged_in("one").with("If-Match", &now);
        ok(&enter(&again, &task, ["10.020", "9.995"], Some("m2 笔误")), 201);
        assert_eq!(standing(&world, &task), ["10.020", "9.995"]);
    });
}

/// A reading's field is its name, with its place where it has several.
fn stale_reading(app: &TestApp, answer: &Answer, name: &str) -> (Value, Value) {
    let problem = answer.json();
    let changes = problem["numbers"]["changes"].as_array().cloned().unwrap_or_default();
    let fields: Vec<String> = changes.iter().filter_map(|one| one["field"].as_str().map(str::to_owned)).collect();
    let field = fields.iter().find(|field| field.contains(name)).cloned().unwrap_or_else(|| name.to_owned());
    stale(app, answer, &field, "two")
}

/// Who reviews decides about what was on the page, not about what came after it.
#[test]
fn a_review_of_what_was_corrected_meanwhile_is_refused() {
    on_both(|app| {
        let world = World::new(app);
        let task = weighed(&world);
        let page = format!("/tasks/{task}");
        let reviewer = Browser::logged_in(app, "reviewer");
        let opened = form(&reviewer.page(&page), &format!("{page}/review"));
        app.pass(Duration::minutes(5));
        ok(&enter(&app.logged_in("two"), &task, ["10.040", "9.990"], Some("m1 笔误")), 201);
        let refused = opened.with(&[("outcome", "approved")]).send(&reviewer);
        assert_eq!(refused.status, 409, "{}", refused.text);
        told(&refused, &reviewer.page(&page), &["m1", "two", "2026-03-02 09:05", "10.040"]);
        assert_eq!(ok(&world.reviewer.get(&format!("/api/v1/tasks/{task}")), 200)["task"]["state"], "entered");
    });
}

fn instrument(world: &World) -> (String, Value) {
    let new = json!({"code": "BAL-01", "name": "电子天平", "serial": "1"});
    let made = ok(&world.quality.post("/api/v1/instruments", &new), 201);
    (format!("/api/v1/instruments/{}", text(of_view(&made), "id")), new)
}

fn of_view(view: &Value) -> &Value {
    view.get("instrument").unwrap_or(view)
}

fn changed(new: &Value, field: &str, value: &str, reason: &str) -> Value {
    let mut new = new.clone();
    new[field] = json!(value);
    json!({"reason": reason, "instrument": new})
}

#[test]
fn a_put_that_was_made_before_a_change_does_not_undo_it() {
    on_both(|app| {
        let world = World::new(app);
        let admin = app.logged_in("admin");
        let (path, new) = instrument(&world);
        let first = version(&world.quality.get(&path));
        // Without a version a request counts as made on the first one: it is taken as long as nothing changed.
        ok(&world.quality.put(&path, &changed(&new, "serial", "SN-2", "序列号")), 200);
        for late in [app.logged_in("admin"), app.logged_in("admin").with("If-Match", &first)] {
            let refused = late.put(&path, &changed(&new, "model", "V30", "型号"));
            assert_eq!(stale(app, &refused, "serial", "quality"), (json!("1"), json!("SN-2")));
        }
        let seen = admin.get(&path);
        assert_eq!((&of_view(&seen.json())["serial"], &of_view(&seen.json())["model"]), (&json!("SN-2"), &json!("")));
        // On the version that stands it is done, and nothing is undone.
        let mut now = new.clone();
        now["serial"] = json!("SN-2");
        let current = app.logged_in("admin").with("If-Match", &version(&seen));
        let done = current.put(&path, &changed(&now, "model", "V30", "型号"));
        assert_eq!(
            (&of_view(&ok(&done, 200))["serial"], &of_view(&done.json())["model"]),
            (&json!("SN-2"), &json!("V30"))
        );
        // Two who both saw the same version: one is first.
        let seen = version(&admin.get(&path));
        let writers =
            [("admin", "A"), ("quality", "B")].map(|(who, name)| (app.logged_in(who).with("If-Match", &seen), name));
        let answers = at_once(writers, |(who, name)| who.put(&path, &changed(&now, "name", name, "改名")));
        let mut statuses = answers.map(|answer| answer.status);
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    });
}

#[test]
fn a_page_of_an_instrument_that_was_opened_before_a_change_does_not_undo_it() {
    on_both(|app| {
        let world = World::new(app);
        let (path, new) = instrument(&world);
        let page = path.replace("/api/v1", "");
        let admin = Browser::logged_in(app, "admin");
        let opened = form(&admin.page(&page), &page);
        assert_eq!(opened.get("serial"), Some("1"));
        app.pass(Duration::minutes(5));
        ok(&app.logged_in("quality").put(&path, &changed(&new, "serial", "SN-2", "序列号")), 200);
        let refused = opened.with(&[("model", "V30"), ("reason", "型号")]).send(&admin);
        assert_eq!(refused.status, 409, "{}", refused.text);
        told(&refused, &admin.page(&page), &["quality", "2026-03-02 09:05", "SN-2"]);
        let again = form(&refused.text, &page);
        assert_eq!((again.get("model"), again.get("reason")), (Some("V30"), Some("型号")), "as typed");
        let sent = again.with(&[("serial", "SN-2")]).send(&admin);
        assert_eq!(sent.status, 303, "{}", sent.text);
        let seen = ok(&world.quality.get(&path), 200);
        assert_eq!((&of_view(&seen)["serial"], &of_view(&seen)["model"]), (&json!("SN-2"), &json!("V30")));
    });
}

/// Roles are given as a whole: who did not see the last change would take it back.
#[test]
fn roles_that_were_given_meanwhile_are_not_taken_away() {
    on_both(|app| {
        app.account("second", &[Role::Administrator]);
        let path = format!("/api/v1/accounts/{}", app.account("worker", &[Role::Analyst]));
        let admin = Browser::logged_in(app, "admin");
        let on_page = path.replace("/api/v1", "") + "/roles";
        let opened = form(&admin.page("/accounts"), &on_page);
        let seen = version(&app.logged_in("admin").get(&path));

        app.pass(Duration::minutes(5));
        let roles = |who: Client, roles: &[&str]| {
            who.put(&format!("{path}/roles"), &json!({"roles": roles, "reason": "岗位变动"}))
        };
        ok(&roles(app.logged_in("second"), &["analyst", "port_sampler"]), 200);
        let late = roles(app.logged_in("admin").with("If-Match", &seen), &["analyst", "receiver"]);
        let (old, new) = stale(app, &late, "roles", "second");
        assert!(!old.to_string().contains("port_sampler") && new.to_string().contains("port_sampler"), "{}", late.text);
        let refused = opened.with(&[("roles", "receiver"), ("reason", "岗位变动")]).send(&admin);
        assert_eq!(refused.status, 409, "{}", refused.text);
        told(&refused, &admin.page("/accounts"), &["second", "2026-03-02 09:05", "口岸抽样员"]);
        let now = ok(&app.logged_in("admin").get(&path), 200);
        assert_eq!(now["roles"], json!(["analyst", "port_sampler"]));
    });
}
