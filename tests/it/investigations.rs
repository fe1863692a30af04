//! Failing results as an institute handles them: investigated, never tested into compliance.

use qianfa::vocabulary::Role;
use serde_json::{Value, json};

use crate::support::{on_both, text};
use crate::world::{World, ok, one_item};

/// A failing assay of a lot, approved as such: case, sample, task.
fn failed(world: &World<'_>, items: &Value, lot: &str) -> (String, String, String) {
    let product = world.product(&format!("P-{lot}"), "chemical", &["rare_disease"], items);
    let taken = world.take_in("drug_registration", &product, lot, 6);
    let sample = &taken["samples"][0];
    let task = world.task(&text(sample, "number"), "assay", "waiting");
    world.enter(&task, "90.1");
    (text(&taken, "application_id"), text(sample, "id"), task)
}

fn account(world: &World<'_>, name: &str) -> String {
    let all = ok(&world.admin.get("/api/v1/accounts"), 200);
    let rows = all["items"].as_array().or(all.as_array()).expect("accounts");
    let found = rows.iter().find(|row| row["username"] == name).expect("the account");
    text(found, "id")
}

#[test]
fn nothing_is_tested_into_compliance() {
    on_both(|app| {
        let world = World::new(app);
        app.account("second", &[Role::Analyst]);
        let second = app.logged_in("second");
        let (_, sample, task) = failed(&world, &one_item("≥97.0"), "A");
        world.approve_all();
        // Before the laboratory check nothing is approved, planned or confirmed, and there is no certificate.
        for step in ["cause-approval", "plan-approval", "confirmation"] {
            assert_eq!(world.decide(&task, step).problem(), "wrong-state", "{step}");
        }
        let draft = || world.reviewer.post("/api/v1/certificates", &json!({"sample_id": sample}));
        assert_eq!(draft().problem(), "out-of-limit-open");
        ok(&world.check_laboratory(&task, None), 201);
        let plan = |count: i64, who: &str| {
            let body = json!({"repetitions": count, "second_analyst": account(&world, who), "reason": "复试"});
            world.reviewer.post(&format!("/api/v1/tasks/{task}/investigation/plan"), &body)
        };
        assert_eq!(plan(2, "analyst").json()["field"], "second_analyst");
        assert_eq!(plan(99, "second").json()["field"], "repetitions");
        ok(&plan(2, "second"), 201);
        let approved = ok(&world.decide(&task, "plan-approval"), 201);
        assert_eq!((approved["tasks"].as_array().map(Vec::len), &approved["containers"]), (Some(2), &json!(2)));
        assert_eq!(plan(1, "second").problem(), "wrong-state", "nobody orders more than the plan says");
        let entry = json!({"readings": [{"name": "x", "raw": "99.0"}]});
        for one in approved["tasks"].as_array().expect("tasks") {
            let path = format!("/api/v1/tasks/{}/entry", one.as_str().expect("an id"));
            assert_eq!(world.analyst.post(&path, &entry).problem(), "forbidden");
            assert_eq!(world.decide(&task, "confirmation").problem(), "wrong-state", "repetitions are open");
            ok(&second.post(&path, &entry), 201);
            world.approve_all();
        }
        assert_eq!(draft().problem(), "out-of-limit-open");
        let confirmed = ok(&world.decide(&task, "confirmation"), 201);
        assert_eq!(confirmed["state"], "confirmed");
        let issued = world.issue(&sample);
        assert_eq!(issued["conforms"], false, "the failing value stays valid");
        let results = issued["data"]["results"].as_array().expect("results");
        assert_eq!(results.len(), 3, "all attempts that count");
        let printed = issued["data"]["remarks"].to_string();
        assert!(printed.contains("复试") && !printed.contains("复验"), "{printed}");
    });
}

#[test]
fn an_assignable_cause_is_approved_by_another_and_frees_the_case() {
    on_both(|app| {
        let world = World::new(app);
        let (case, sample, task) = failed(&world, &one_item("≥97.0"), "A");
        let withdraw = || {
            let body = json!({"reason": "申请人来函"});
            world.quality.post(&format!("/api/v1/applications/{case}/withdraw"), &body)
        };
        assert_eq!(withdraw().problem(), "wrong-state", "calculated is enough");
        world.approve_all();
        assert_eq!(withdraw().problem(), "wrong-state");
        assert_eq!(world.check_laboratory(&task, Some("weather")).json()["field"], "cause");
        ok(&world.check_laboratory(&task, Some("instrument_fault")), 201);
        let decided = ok(&world.decide(&task, "cause-approval"), 201);
        let again = decided["tasks"][0].as_str().expect("one task").to_owned();
        assert_eq!(decided["tasks"].as_array().map(Vec::len), Some(1));
        assert_eq!(world.decide(&task, "cause-approval").problem(), "wrong-state");
        world.enter(&again, "99.0");
        world.approve_all();
        let seen = ok(&world.quality.get(&format!("/api/v1/tasks/{task}")), 200);
        assert_eq!(seen["investigation"]["state"], "invalidated", "the invalid result stays visible");
        assert_eq!(withdraw().status, 204, "free again");
        let _ = sample;
    });
}

#[test]
fn sterility_with_growth_has_no_retest() {
    on_both(|app| {
        let world = World::new(app);
        let mut items = one_item("≥97.0");
        items[0]["name_zh"] = json!("无菌检查");
        items[0]["name_en"] = json!("Sterility");
        let (_, _, task) = failed(&world, &items, "A");
        world.approve_all();
        assert_eq!(world.check_laboratory(&task, Some("instrument_fault")).json()["field"], "cause");
        ok(&world.check_laboratory(&task, Some("negative_control")), 201);
        let again = ok(&world.decide(&task, "cause-approval"), 201)["tasks"][0].as_str().expect("a task").to_owned();
        world.enter(&again, "90.2");
        world.approve_all();
        ok(&world.check_laboratory(&again, Some("environment")), 201);
        assert_eq!(world.decide(&again, "cause-approval").problem(), "wrong-state", "once only");
        ok(&world.decide(&again, "send-back"), 201);
        ok(&world.check_laboratory(&again, None), 201);
        let body = json!({"repetitions": 1, "second_analyst": account(&world, "analyst"), "reason": "复试"});
        let plan = world.reviewer.post(&format!("/api/v1/tasks/{again}/investigation/plan"), &body);
        assert_eq!(plan.problem(), "wrong-state", "no re-test");
        ok(&world.decide(&again, "confirmation"), 201);
    });
}

#[test]
fn what_decides_nothing_is_repeated_and_is_no_failure() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≤0.05"));
        let taken = world.take_in("drug_registration", &product, "A", 4);
        let task = world.task(&text(&taken["samples"][0], "number"), "assay", "waiting");
        let entered = world.enter(&task, "<0.1");
        assert_eq!(entered["result"]["verdict"], "indeterminate");
        let result = text(&entered, "result_id");
        let approve = world.reviewer.post(&format!("/api/v1/results/{result}/review"), &json!({"outcome": "approved"}));
        assert_eq!(approve.problem(), "wrong-state", "{}", approve.text);
        assert_eq!(world.decide(&task, "confirmation").problem(), "wrong-state");
        let repeat = json!({"method": "ICP-MS（通则0412）", "reason": "检出限不足"});
        let again = ok(&world.reviewer.post(&format!("/api/v1/results/{result}/repetition"), &repeat), 201);
        world.enter(&text(&again, "task_id"), "0.02");
        world.approve_all();
        let issued = world.issue(&text(&taken["samples"][0], "id"));
        assert_eq!(issued["conforms"], true);
    });
}

/// A decision in one word is a step of the investigation, and comes no sooner than that step.
#[test]
fn a_decision_in_one_word_waits_for_the_investigation() {
    on_both(|app| {
        let world = World::new(app);
        let (_, _, task) = failed(&world, &one_item("≥97.0"), "W");
        world.approve_all();
        let say = |word: &str| {
            let body = json!({"decision": word, "reason": "实验室差错"});
            world.quality.post(&format!("/api/v1/tasks/{task}/decision"), &body)
        };
        for word in ["retest", "confirm"] {
            assert_eq!(say(word).problem(), "wrong-state", "{word} before the laboratory check");
        }
        ok(&world.check_laboratory(&task, Some("instrument_fault")), 201);
        assert_eq!(say("confirm").problem(), "wrong-state", "there is a cause");
        let again = ok(&say("retest"), 201);
        assert_eq!((&again["state"], again["tasks"].as_array().map(Vec::len)), (&json!("invalidated"), Some(1)));
        assert_eq!(say("retest").problem(), "wrong-state", "a cause serves once");
        // The test that was done again fails as well, and no cause is found.
        let repeated = again["tasks"][0].as_str().expect("a task").to_owned();
        world.enter(&repeated, "90.2");
        world.approve_all();
        ok(&world.check_laboratory(&repeated, None), 201);
        let body = json!({"decision": "confirm", "reason": "未查明原因"});
        let confirmed = ok(&world.quality.post(&format!("/api/v1/tasks/{repeated}/decision"), &body), 201);
        assert_eq!(confirmed["state"], "confirmed");
    });
}
