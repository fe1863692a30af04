//! A wrong number does not comply: units, ranges and rounding as a person meets them, on both databases.

use serde_json::{Value, json};

use crate::pages::Browser;
use crate::support::client::Answer;
use crate::support::{TestApp, on_both, text};
use crate::world::{World, ok};

/// A numeric item of one reading that is taken from a titrator's file.
fn item(code: &str, limit: &str, unit: &str) -> Value {
    json!({"code": code, "name_zh": format!("项目{code}"), "name_en": code, "method": "通则", "kind": "numeric",
        "unit": unit, "limit": limit, "compare_by": "rounded", "consumes": "1",
        "inputs": [{"name": "x", "unit": unit, "source": {"quantity": "water_content"}}]})
}

struct Lab<'a> {
    app: &'a TestApp,
    world: World<'a>,
    number: String,
}

impl<'a> Lab<'a> {
    fn new(app: &'a TestApp, items: &[Value]) -> Self {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &json!(items));
        let taken = world.take_in("drug_registration", &product, "A", 6);
        Self { app, number: text(&taken["samples"][0], "number"), world }
    }

    fn task(&self, code: &str) -> String {
        self.world.task(&self.number, code, "waiting")
    }

    fn enter(&self, task: &str, raws: &[&str], more: Value) -> Answer {
        let readings: Vec<Value> =
            raws.iter().zip(1..).map(|(raw, at)| json!({"name": "x", "position": at, "raw": raw})).collect();
        let mut body = json!({"readings": readings});
        body.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        self.world.analyst.post(&format!("/api/v1/tasks/{task}/entry"), &body)
    }

    fn titration(&self, value: &str, unit: &str) -> Value {
        let text =
            format!("卡尔费休水分测定\r\n样品：{}\r\n日期：2026/11/30 14:02\r\n水分：{value} {unit}\r\n", self.number);
        let path = "/api/v1/instrument-files?name=kf.txt";
        ok(&self.world.analyst.send("POST", path, Some("application/octet-stream"), text.into_bytes()), 201)
    }

    fn accept(&self, file: &Value, more: Value) -> Answer {
        let mut body = json!({"confirm_complete": true});
        body.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        let id = text(&file["file"], "id");
        self.world.analyst.post(&format!("/api/v1/instrument-files/{id}/accept"), &body)
    }
}

#[test]
fn a_value_in_another_unit_is_converted_with_the_conversion_shown() {
    on_both(|app| {
        let lab = Lab::new(app, &[item("water", "≤500", "ppm")]);
        let task = lab.task("water");
        let file = lab.titration("0.0811", "%");
        let reading = &file["proposals"][0]["readings"][0];
        assert_eq!(reading["conversion"], "0.0811 % = 811 ppm", "{file}");
        let id = text(&file["file"], "id");
        let browser = Browser::logged_in(app, "analyst");
        assert!(browser.get(&format!("/instrument-files/{id}")).text.contains("0.0811 % = 811 ppm"));
        let accepted = ok(&lab.accept(&file, json!({})), 200);
        let result = &accepted["entered"][0]["result"];
        assert_eq!((&result["reported"], &result["verdict"]), (&json!("811"), &json!("fail")), "{accepted}");
        let shown = ok(&lab.world.analyst.get(&format!("/api/v1/tasks/{task}")), 200);
        assert_eq!(shown["readings"][0]["conversion"], "0.0811 % = 811 ppm");
        assert_eq!((&shown["readings"][0]["unit"], &shown["readings"][0]["value"]), (&json!("ppm"), &json!("811")));
        assert!(browser.get(&format!("/tasks/{task}")).text.contains("0.0811 % = 811 ppm"));
    });
}

#[test]
fn a_unit_that_does_not_convert_or_is_not_known_is_an_open_question() {
    on_both(|app| {
        // Nothing is taken for the item's unit: not what the program does not know, not what is of another kind.
        let owns = ["mg/mL", "mmol/L", "quack", "cfu/g", "mg/g"];
        let items: Vec<Value> = owns.iter().zip(1..).map(|(own, at)| item(&format!("w{at}"), "≤500", own)).collect();
        let lab = Lab::new(app, &items);
        let file = lab.titration("0.0811", "%");
        assert_eq!(file["proposals"].as_array().map(Vec::len), Some(owns.len()), "{file}");
        for (own, proposal) in owns.iter().zip(file["proposals"].as_array().expect("proposals")) {
            let question = proposal["open_questions"][0].as_str().expect("a question").to_owned();
            assert!(question.contains(own) && question.contains('%'), "{question}");
            let refused = lab.accept(&file, json!({"tasks": [proposal["task_id"]]}));
            assert_eq!(refused.status, 422, "{}", refused.text);
            assert!(refused.text.contains(own) && refused.text.contains('%'), "{}", refused.text);
            let shown = lab.world.analyst.get(&format!("/api/v1/tasks/{}", text(proposal, "task_id")));
            assert_eq!(ok(&shown, 200)["readings"], json!([]), "nothing was entered");
        }
        assert_eq!(lab.accept(&file, json!({})).json()["field"], "tasks", "and nothing is left to accept");
    });
}

#[test]
fn a_value_outside_its_range_is_asked_about_recorded_and_reviewed_first() {
    on_both(|app| {
        // 998 typed for 99.8 makes a loss of 898 % below nothing, which is within "at most 0.5".
        let mut loss = item("lod", "≤0.5", "%");
        loss["formula"] = json!("100 - x");
        let assay = item("assay", "95.0~105.0", "%");
        let lab = Lab::new(app, &[loss, assay]);
        let (lod, assay) = (lab.task("lod"), lab.task("assay"));
        let refused = lab.enter(&lod, &["998"], json!({}));
        assert_eq!((refused.status, refused.problem().as_str()), (422, "value-outside-range"), "{}", refused.text);
        let told = refused.json();
        let outside = told["numbers"]["outside"].as_array().expect("what lies outside").clone();
        let of = |reading: &Value| {
            outside.iter().find(|one| one["reading"]["name"] == *reading).expect("one")["value"].clone()
        };
        assert_eq!(told["field"], "despite_range");
        // Both the reading of 998 % and the result that it makes.
        assert_eq!((of(&json!("x")), of(&Value::Null)), (json!("998"), json!("-898.0")));
        let browser = Browser::logged_in(app, "analyst");
        let path = format!("/tasks/{assay}");
        let typed = |reason: &str| {
            let revision = browser.revision(&path);
            let fields = [
                ("revision", revision.as_str()),
                ("readings[0].name", "x"),
                ("readings[0].position", "1"),
                ("readings[0].raw", "9.98"),
                ("despite_range", reason),
            ];
            browser.form(&path, &fields)
        };
        let asked = typed("");
        assert_eq!(asked.status, 422, "{}", asked.text);
        assert!(
            asked.text.contains("value=\"9.98\"") && asked.text.contains("name=\"despite_range\""),
            "{}",
            asked.text
        );
        assert!(asked.text.contains("50~150"), "{}", asked.text);
        assert_eq!(typed("降解样品，实测如此").status, 303);
        // Confirmed, the impossible still complies with nothing.
        let entered = ok(&lab.enter(&lod, &["998"], json!({"despite_range": "仪器如此"})), 201);
        assert_eq!(entered["result"]["verdict"], "indeterminate", "{entered}");
        let listed = ok(&lab.world.reviewer.get("/api/v1/reviews"), 200);
        assert!(
            listed["items"][0]["result"]["outside"][0]
                .as_str()
                .is_some_and(|text| text.contains("898") || text.contains("9.98")),
            "{listed}"
        );
        let shown = ok(&lab.world.reviewer.get(&format!("/api/v1/tasks/{assay}")), 200);
        assert_eq!(shown["results"][0]["despite_range"], "降解样品，实测如此");
        let page = Browser::logged_in(app, "reviewer").get(&path).text;
        let (outside, verdict) = (page.find("50~150"), page.find("class=\"result\""));
        assert!(outside.is_some() && outside < verdict, "the reviewer sees it first");
        let trail = ok(&lab.world.quality.get("/api/v1/audit?action=task.enter"), 200).to_string();
        assert!(trail.contains("降解样品，实测如此") && trail.contains("outside_range"), "{trail}");
    });
}

#[test]
fn a_reading_that_cannot_be_and_an_items_own_range_are_held() {
    on_both(|app| {
        let mut weighed = item("w", "≤5", "mg");
        weighed["formula"] = json!("x * x");
        let mut narrow = item("n", "95.0~105.0", "%");
        narrow["plausible"] = json!("90~110");
        narrow["inputs"] = json!([{"name": "x", "unit": "%"}]);
        let lab = Lab::new(app, &[weighed, narrow, item("f", "≤0.5", "%")]);
        let refused = lab.enter(&lab.task("w"), &["-1"], json!({}));
        assert_eq!(refused.problem(), "value-outside-range", "{}", refused.text);
        assert_eq!(refused.json()["numbers"]["outside"][0]["reading"]["name"], "x");
        let refused = lab.enter(&lab.task("n"), &["111"], json!({}));
        assert!(refused.text.contains("90~110"), "{}", refused.text);
        ok(&lab.enter(&lab.task("n"), &["109"], json!({})), 201);
        // What comes from a file is held to the same.
        let file = lab.titration("101", "%");
        let refused = lab.accept(&file, json!({"tasks": [lab.task("f")]}));
        assert_eq!(refused.problem(), "value-outside-range", "{}", refused.text);
        let despite = json!({"tasks": [lab.task("f")], "despite_range": "仪器如此"});
        let accepted = ok(&lab.accept(&file, despite), 200);
        assert_eq!(accepted["entered"][0]["result"]["verdict"], "fail", "{accepted}");
        let unreadable = json!([{"code": "x", "name_zh": "x", "name_en": "x", "method": "x", "kind": "numeric",
            "limit": "≤1", "compare_by": "rounded", "consumes": "1", "plausible": "about 1"}]);
        let product = lab.world.product("Q", "chemical", &[], &json!([item("a", "≤1", "%")]));
        let body = json!({"product_id": product, "title": "x", "edition": "x", "items": unreadable});
        assert_eq!(lab.world.quality.post("/api/v1/specifications", &body).json()["field"], "items[0].plausible");
    });
}

#[test]
fn value_and_limit_are_compared_and_shown_at_the_limits_digits() {
    on_both(|app| {
        let with = |code: &str, limit: &str, step: Option<&str>, by: &str| {
            let mut one = item(code, limit, "%");
            one["rounding_step"] = json!(step);
            one["compare_by"] = json!(by);
            one
        };
        let mut count = item("m", "≤10³", "cfu/g");
        count["inputs"] = json!([{"name": "x", "unit": "cfu/g"}]);
        let items = [
            with("fine", "≤0.1", Some("0.001"), "rounded"),
            with("coarse", "≤0.10", Some("0.1"), "rounded"),
            with("full", "≤0.5", None, "full"),
            count,
        ];
        let lab = Lab::new(app, &items);
        for (code, raw, reported, verdict) in [
            ("fine", "0.149", "0.1", "pass"),
            ("coarse", "0.149", "0.15", "fail"),
            ("full", "0.549", "0.55", "fail"),
            ("m", "1500", "1500", "pass"),
        ] {
            let task = lab.task(code);
            let result = ok(&lab.enter(&task, &[raw], json!({})), 201)["result"].clone();
            assert_eq!(
                (&result["reported"], &result["verdict"]),
                (&json!(reported), &json!(verdict)),
                "{code} {result}"
            );
            let page = Browser::logged_in(lab.app, "analyst").get(&format!("/tasks/{task}")).text;
            assert!(page.contains("按限度末位"), "the page says how: {code}");
            assert_eq!(page.contains("不一致"), matches!(code, "fine" | "coarse"), "{code}");
        }
    });
}

#[test]
fn censored_replicates_travel_to_the_result() {
    on_both(|app| {
        let twice = |code: &str, limit: &str| {
            let mut one = item(code, limit, "%");
            one["replicates"] = json!(2);
            one
        };
        let items = [twice("nd", "≤0.10"), twice("low", "≤0.05"), twice("mixed", "≤0.10"), twice("unknown", "≤0.10")];
        let lab = Lab::new(app, &items);
        for (code, raws, reported, verdict) in [
            ("nd", ["未检出", "未检出"], "未检出", "pass"),
            ("low", ["<0.1", "<0.1"], "<0.1", "indeterminate"),
            ("mixed", ["0.03", "<0.05"], "<0.04", "pass"),
        ] {
            let result = ok(&lab.enter(&lab.task(code), &raws, json!({})), 201)["result"].clone();
            assert_eq!(
                (&result["reported"], &result["verdict"]),
                (&json!(reported), &json!(verdict)),
                "{code} {result}"
            );
        }
        let refused = lab.enter(&lab.task("unknown"), &["0.03", "未检出"], json!({}));
        assert_eq!(refused.status, 422, "not detected beside a number has no mean: {}", refused.text);
        ok(&lab.enter(&lab.task("unknown"), &["0.03", "未检出（<0.02）"], json!({})), 201);
    });
}
