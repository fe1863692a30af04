//! The bench: what was made on an old version is refused, nothing is decided of a case that has ended, and lists cost
//! the same however long they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use diesel::Connection;
use diesel::connection::InstrumentationEvent;
use qianfa::store::views::{self, QueueFilter, Reader, ReviewFilter};
use qianfa::vocabulary::Role;
use serde_json::{Value, json};

use crate::pages::Browser;
use crate::support::client::Client;
use crate::support::{TestApp, on_both, text};
use crate::world::{World, ok, one_item};

fn lots(world: &World<'_>, product: &str, lots: &[&str]) -> Vec<String> {
    let number = |lot: &&str| text(&world.take_in("drug_registration", product, lot, 4)["samples"][0], "number");
    lots.iter().map(number).collect()
}

#[test]
fn a_form_opened_before_a_correction_does_not_undo_it() {
    on_both(|app| {
        let world = World::new(app);
        let mut items = one_item("≤0.5");
        items[0]["formula"] = json!("(m1 - m2) / m1 * 100");
        items[0]["inputs"] = json!([{"name": "m1", "unit": "g"}, {"name": "m2", "unit": "g"}]);
        let product = world.product("P", "chemical", &["rare_disease"], &items);
        let number = lots(&world, &product, &["A"]).remove(0);
        let task = world.task(&number, "assay", "waiting");
        let enter = |m1: &str, m2: &str, reason: Option<&str>| {
            let body = json!({"readings": [{"name": "m1", "raw": m1}, {"name": "m2", "raw": m2}], "reason": reason});
            world.analyst.post(&format!("/api/v1/tasks/{task}/entry"), &body)
        };
        ok(&enter("10.000", "9.990", None), 201);
        let browser = Browser::logged_in(app, "analyst");
        let path = format!("/tasks/{task}");
        let revision = browser.revision(&path);
        ok(&enter("10.020", "9.990", Some("m1 笔误")), 201);
        let typed = |revision: &str| {
            let fields = [
                ("revision", revision),
                ("readings[0].name", "m1"),
                ("readings[0].position", "1"),
                ("readings[0].raw", "10.000"),
                ("readings[1].name", "m2"),
                ("readings[1].position", "1"),
                ("readings[1].raw", "9.995"),
                ("reason", "m2 笔误"),
            ];
            browser.form(&path, &fields)
        };
        let stale = typed(&revision);
        assert_eq!(stale.status, 409, "{}", stale.text);
        assert!(stale.text.contains("10.020"), "it says what changed meanwhile");
        assert!(stale.text.contains("value=\"9.995\"") && stale.text.contains("value=\"m2 笔误\""), "{}", stale.text);
        // A form that names no version has seen the first one only.
        assert_eq!(typed("").status, 409);
        let stands = ok(&world.analyst.get(&format!("/api/v1/tasks/{task}")), 200);
        let raws: Vec<&str> =
            stands["readings"].as_array().expect("readings").iter().filter_map(|r| r["raw"].as_str()).collect();
        assert_eq!(raws, ["10.000", "10.020", "9.990"]);
        // On what there is now, the same form is taken.
        assert_eq!(typed(&browser.revision(&path)).status, 303);
    });
}

#[test]
fn a_stale_line_of_a_worksheet_does_not_spoil_the_others() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        lots(&world, &product, &["A", "B"]);
        let queue = ok(&world.analyst.get("/api/v1/tasks"), 200);
        let (one, two) = (&queue["items"][0], &queue["items"][1]);
        world.enter(&text(one, "task_id"), "98.1");
        let line = |row: &Value, raw: &str| json!({"task_id": row["task_id"], "revision": row["revision"], "entry": {"readings": [{"name": "x", "raw": raw}], "reason": "复核"}});
        let sheet = json!({"lines": [line(one, "99.9"), line(two, "98.2")]});
        let answers = ok(&world.analyst.post("/api/v1/worksheets/entry", &sheet), 200);
        assert_eq!(answers[0]["refusal"]["code"], "stale", "{answers}");
        assert_eq!((&answers[0]["entered"], &answers[1]["refusal"]), (&Value::Null, &Value::Null));
        assert_eq!(answers[1]["entered"]["result"]["reported"], "98.2");
        let kept = ok(&world.analyst.get(&format!("/api/v1/tasks/{}", text(one, "task_id"))), 200);
        assert_eq!(kept["readings"].as_array().map(Vec::len), Some(1));
        let none = world.analyst.post("/api/v1/worksheets/entry", &json!({"lines": []}));
        assert_eq!(none.json()["field"], "lines");
    });
}

#[test]
fn nothing_is_decided_of_a_case_that_has_ended() {
    on_both(|app| {
        let world = World::new(app);
        let mut items = one_item("≥97.0");
        let mut second = items[0].clone();
        second["code"] = json!("water");
        items.as_array_mut().expect("items").push(second);
        let product = world.product("P", "chemical", &["rare_disease"], &items);
        let taken = world.take_in("drug_registration", &product, "A", 4);
        let number = text(&taken["samples"][0], "number");
        let (failing, waiting) = (world.task(&number, "assay", "waiting"), world.task(&number, "water", "waiting"));
        let result = text(&world.enter(&failing, "98.0"), "result_id");
        world.approve_all();
        let case = text(&taken, "application_id");
        let end = json!({"reason": "录入错误"});
        let ended = world.quality.post(&format!("/api/v1/applications/{case}/void"), &end);
        assert!(ended.status < 300, "{}", ended.text);
        let decide = json!({"reason": "调查"});
        let entry = json!({"readings": [{"name": "x", "raw": "98.0"}], "reason": "更正"});
        let approve = json!({"outcome": "approved"});
        for refused in [
            world.quality.post(&format!("/api/v1/tasks/{failing}/investigation/confirmation"), &decide),
            world.analyst.post(&format!("/api/v1/tasks/{waiting}/start"), &json!({})),
            world.analyst.post(&format!("/api/v1/tasks/{waiting}/entry"), &entry),
            world.reviewer.post(&format!("/api/v1/results/{result}/review"), &approve),
        ] {
            assert_eq!(refused.problem(), "wrong-state", "{}", refused.text);
        }
        assert_eq!(ok(&world.analyst.get("/api/v1/tasks"), 200)["total"], 0, "no work is put on the bench");
    });
}

#[test]
fn exceptions_come_first_over_all_pages() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let numbers = lots(&world, &product, &["A", "B", "C"]);
        let task = |at: usize| world.task(&numbers[at], "assay", "waiting");
        world.enter(&task(0), "98.0");
        let corrected = task(1);
        world.enter(&corrected, "98.0");
        let body = json!({"readings": [{"name": "x", "raw": "98.4"}], "reason": "笔误"});
        ok(&world.analyst.post(&format!("/api/v1/tasks/{corrected}/entry"), &body), 201);
        world.enter(&task(2), "90.0");
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let part = ok(&world.reviewer.get(&format!("/api/v1/reviews?limit=1&after={after}")), 200);
            assert_eq!((&part["total"], &part["total_at_least"]), (&json!(3), &json!(false)));
            seen.push(text(&part["items"][0]["task"], "sample_number"));
            match part["next"].as_str() {
                Some(next) => after = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(seen, [&numbers[2], &numbers[1], &numbers[0]].map(Clone::clone));
        assert_eq!(world.reviewer.get("/api/v1/reviews?after=17").json()["field"], "after");
    });
}

#[test]
fn the_queue_goes_on_where_the_part_before_ended() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let numbers = lots(&world, &product, &["A", "B", "C", "D", "E"]);
        let started = world.task(&numbers[1], "assay", "waiting");
        ok(&world.analyst.post(&format!("/api/v1/tasks/{started}/start"), &json!({})), 200);
        let all = ok(&world.analyst.get("/api/v1/tasks"), 200);
        assert_eq!((&all["total"], &all["next"]), (&json!(5), &Value::Null));
        let ids = |part: &Value| -> Vec<String> {
            part["items"].as_array().expect("items").iter().map(|row| text(row, "task_id")).collect()
        };
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let part = ok(&world.analyst.get(&format!("/api/v1/tasks?limit=2&after={after}")), 200);
            seen.extend(ids(&part));
            match part["next"].as_str() {
                Some(next) => after = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(seen, ids(&all));
        let skipped = ok(&world.analyst.get("/api/v1/tasks?limit=2&offset=3"), 200);
        assert_eq!(ids(&skipped), ids(&all)[3..]);
        assert_eq!(world.analyst.get("/api/v1/tasks?offset=10001").json()["field"], "offset");
    });
}

/// How many statements both lists of the bench run.
fn statements(app: &TestApp) -> (usize, usize) {
    let reader = Reader::Staff { institute: app.institute.clone(), hidden: Vec::new() };
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let counted = app.services.db.read(|conn| {
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if matches!(event, InstrumentationEvent::StartQuery { .. }) {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        views::queue(conn, &reader, &QueueFilter::default())?;
        let queue = count.swap(0, Ordering::SeqCst);
        views::to_review(conn, &reader, &ReviewFilter::default())?;
        Ok((queue, count.swap(0, Ordering::SeqCst)))
    });
    counted.unwrap_or_else(|_| panic!("the lists are read"))
}

#[test]
fn the_lists_cost_as_many_statements_for_many_rows_as_for_one() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let numbers = lots(&world, &product, &["A", "B"]);
        world.enter(&world.task(&numbers[0], "assay", "waiting"), "98.0");
        let few = statements(app);
        let more = lots(&world, &product, &["C", "D", "E", "F", "G", "H"]);
        for number in &more[..3] {
            world.enter(&world.task(number, "assay", "waiting"), "98.0");
        }
        assert_eq!(statements(app), few);
        assert!(few.0 > 0 && few.1 > 0 && few.1 <= 5, "{few:?}");
    });
}

#[test]
fn a_task_taken_by_mistake_is_handed_back_and_another_analyst_takes_it() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("95.0~105.0"));
        let number = lots(&world, &product, &["A"]).remove(0);
        let task = world.task(&number, "assay", "waiting");
        app.account("other", &[Role::Analyst]);
        let other = app.logged_in("other");
        let address = format!("/api/v1/tasks/{task}");
        let start = |by: &Client| by.post(&format!("{address}/start"), &json!({}));
        let hand_back =
            |by: &Client, reason: &str| by.post(&format!("{address}/hand-back"), &json!({"reason": reason}));

        assert_eq!(hand_back(&world.analyst, "尚未开始").problem(), "wrong-state");
        let first = ok(&start(&world.analyst), 200);
        assert_eq!(hand_back(&other, "不是我的").problem(), "forbidden");
        assert_eq!(hand_back(&world.analyst, " ").json()["field"], "reason");
        assert_eq!(hand_back(&world.receiver, "无权").status, 403);

        app.pass(TimeDelta::minutes(5));
        let browser = Browser::logged_in(app, "analyst");
        let page = format!("/tasks/{task}");
        let revision = browser.revision(&page);
        let form = [("revision", revision.as_str()), ("reason", "仪器故障")];
        assert_eq!(browser.form(&format!("{page}/hand-back"), &form).status, 303);
        let waiting = ok(&world.analyst.get(&address), 200);
        assert_eq!((&waiting["task"]["state"], &waiting["task"]["analyst_id"]), (&json!("waiting"), &Value::Null));
        assert!(!browser.page(&page).contains("/hand-back"), "what waits is not handed back");

        let again = ok(&start(&other), 200);
        assert_eq!(again["started_at"], first["started_at"], "the first start is kept");
        assert_ne!(again["analyst_id"], first["analyst_id"]);
        let trail = ok(&world.quality.get(&format!("/api/v1/audit?subject_kind=test_task&subject_id={task}")), 200);
        let handed = trail["entries"].as_array().expect("items").iter().find(|one| one["action"] == "task.hand_back");
        assert_eq!(handed.expect("on the trail")["reason"], "仪器故障");
    });
}
