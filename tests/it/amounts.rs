//! Amounts: what is demanded of a batch, what a test uses up, and what is left, over HTTP.

use serde_json::{Value, json};

use crate::support::{Dice, PASSWORD, TestApp, on_both, text};
use crate::world::{World, ok};

/// Tablets in bottles of 24, with an item that takes so many of them.
pub fn tablets(world: &World, code: &str, items: &Value) -> String {
    let new = json!({
        "code": code, "name_zh": "示范片", "name_en": "Specimen tablets", "category": "chemical",
        "traits": ["rare_disease"], "strength": "10 mg", "dosage_form": "片剂", "package_spec": "24 片/瓶",
        "storage": "室温", "manufacturer": "示范制药有限公司", "holder": "示范制药有限公司",
        "container_name": "瓶", "container_content": "24", "content_unit": "片",
    });
    let product = text(&ok(&world.quality.post("/api/v1/products", &new), 201), "id");
    let drafted = ok(&draft(world, &product, items), 201);
    let effective = format!("/api/v1/specifications/{}/effective", text(&drafted, "id"));
    ok(&world.signatory.post(&effective, &json!({"effective_from": "2026-01-01", "password": PASSWORD})), 200);
    product
}

fn draft(world: &World, product: &str, items: &Value) -> crate::support::client::Answer {
    let specification = json!({"product_id": product, "title": "《示范标准》", "edition": "2026", "items": items});
    world.quality.post("/api/v1/specifications", &specification)
}

pub fn item(code: &str, consumes: &str, unit: Option<&str>, whole: i64) -> Value {
    json!({"code": code, "name_zh": code, "name_en": code, "method": "通则0512", "kind": "numeric", "unit": "%",
        "limit": "≥97.0", "compare_by": "rounded", "consumes": consumes, "consumes_unit": unit,
        "whole_containers": whole})
}

/// Containers and amount at a place.
pub fn at(world: &World, sample: &str, place: &str) -> (i64, String) {
    let found = ok(&world.receiver.get(&format!("/api/v1/samples/{sample}")), 200);
    let all = found["balances"].as_array().cloned().unwrap_or_default();
    let row = all.into_iter().find(|row| row["place"] == place).unwrap_or_default();
    (row["balance"].as_i64().unwrap_or(0), row["amount"].as_str().unwrap_or("0").to_owned())
}

fn amounts(containers: i64, amount: &str) -> (i64, String) {
    (containers, amount.to_owned())
}

#[test]
fn twenty_five_tablets_in_bottles_of_24_are_three_bottles_at_twice() {
    on_both(|app| {
        let world = World::new(app);
        let product = tablets(&world, "T-24", &json!([item("assay", "25", Some("{tbl}"), 0)]));
        let body = |containers: i64| world.intake_body("drug_registration", &product, "A", containers);
        let preview = ok(&world.receiver.post("/api/v1/intake/preview", &body(3)["application"]), 200);
        let demand = &preview["demand"];
        assert_eq!((&demand["required_containers"], &demand["full_test_containers"]), (&json!(3), &json!(2)));
        assert_eq!(demand["portions"], json!([2, 1]));
        let computed = demand["computation_zh"].as_str().expect("the computation");
        assert!(computed.contains("2 × 25 片 = 50 片"), "{computed}");
        let short = world.receiver.post("/api/v1/intake", &body(2));
        assert_eq!((short.status, short.problem().as_str()), (422, "quantity-short"));
        assert_eq!(short.json()["numbers"]["required_containers"], 3, "{}", short.text);
        assert!(short.text.contains("2 × 25 片 = 50 片"), "{}", short.text);

        let taken = ok(&world.receiver.post("/api/v1/intake", &body(3)), 201);
        let said = taken["determination"]["explanation"].to_string();
        assert!(said.contains("2 × 25 片 = 50 片"), "{said}");
        let sample = text(&taken["samples"][0], "id");
        assert_eq!(at(&world, &sample, "test_portion"), amounts(2, "48"));
        assert_eq!(at(&world, &sample, "retention"), amounts(1, "24"));

        // A start takes its tablets: one bottle is empty, the other one opened. It is taken once.
        let task = world.task(&text(&taken["samples"][0], "number"), "assay", "waiting");
        let start = || world.analyst.post(&format!("/api/v1/tasks/{task}/start"), &json!({}));
        ok(&start(), 200);
        assert_eq!(at(&world, &sample, "test_portion"), amounts(1, "23"));
        assert_eq!(at(&world, &sample, "consumed"), amounts(1, "25"));
        let case = ok(&world.receiver.get(&format!("/api/v1/applications/{}", text(&taken, "application_id"))), 200);
        let left = json!({"sample_id": sample, "containers": 2, "amount": "47", "unit": "片"});
        assert_eq!(case["left"], json!([left]));
        let sheet = ok(&world.analyst.get(&format!("/api/v1/tasks/{task}")), 200);
        assert_eq!(sheet["content_unit"], "片");
        assert!(sheet["balances"].to_string().contains("\"23\""), "{}", sheet["balances"]);

        // Back only with a reason; then it is there again, and the next start takes it again.
        let hand_back =
            |reason: &str| world.analyst.post(&format!("/api/v1/tasks/{task}/hand-back"), &json!({"reason": reason}));
        assert_eq!(hand_back(" ").status, 422);
        assert_eq!(at(&world, &sample, "consumed"), amounts(1, "25"));
        ok(&hand_back("仪器故障，未开瓶"), 200);
        assert_eq!(at(&world, &sample, "test_portion"), amounts(2, "48"));
        assert_eq!(at(&world, &sample, "consumed"), amounts(0, "0"));
        world.enter(&task, "99.0");
        assert_eq!(at(&world, &sample, "consumed"), amounts(1, "25"));
        // A value that is entered anew uses up nothing more.
        let again = json!({"readings": [{"name": "x", "raw": "99.1"}], "reason": "笔误"});
        ok(&world.analyst.post(&format!("/api/v1/tasks/{task}/entry"), &again), 201);
        assert_eq!(at(&world, &sample, "consumed"), amounts(1, "25"));
    });
}

#[test]
fn whole_containers_are_never_pooled_and_the_surplus_is_no_test_quantity() {
    on_both(|app| {
        let world = World::new(app);
        let items = json!([item("assay", "25", None, 0), item("sterility", "0", None, 20)]);
        let product = tablets(&world, "T-24", &items);
        let taken = world.take_in("drug_registration", &product, "A", 45);
        assert_eq!(taken["demand"]["required_containers"], 43);
        let computed = taken["demand"]["computation_zh"].as_str().expect("the computation");
        assert!(computed.contains("实验室默认规则〔M-M〕"), "a default says so: {computed}");
        let sample = text(&taken["samples"][0], "id");
        assert_eq!(at(&world, &sample, "test_portion"), amounts(22, "528"));
        assert_eq!(at(&world, &sample, "retention"), amounts(21, "504"));
        assert_eq!(at(&world, &sample, "surplus"), amounts(2, "48"));
        let number = text(&taken["samples"][0], "number");
        world.enter(&world.task(&number, "sterility", "waiting"), "99.0");
        assert_eq!(at(&world, &sample, "consumed"), amounts(20, "480"));
        world.enter(&world.task(&number, "assay", "waiting"), "99.0");
        assert_eq!(at(&world, &sample, "test_portion"), amounts(1, "23"));
        world.approve_all();
        let issued = world.issue(&sample);
        assert_eq!(issued["data"]["sample"]["quantity"], "43 瓶", "{}", issued["data"]["sample"]);
        assert!(!issued["data"].to_string().contains("M-M"), "a default is never printed as authority");
    });
}

#[test]
fn what_cannot_be_computed_is_asked_about_by_its_field() {
    on_both(|app| {
        let world = World::new(app);
        let product = tablets(&world, "T-24", &json!([item("assay", "25", Some("{tbl}"), 0)]));
        let grams = draft(&world, &product, &json!([item("assay", "2", Some("g"), 0)]));
        assert_eq!((grams.status, &grams.json()["field"]), (422, &json!("items[0].consumes_unit")), "{}", grams.text);
        // These bottles are not what the product's usually are.
        let mut body = world.intake_body("drug_registration", &product, "A", 4);
        body["receipt"]["samples"][0]["container_content"] = json!("12");
        let short = world.receiver.post("/api/v1/intake", &body);
        assert_eq!(short.json()["numbers"]["required_containers"], 5, "{}", short.text);
        body["receipt"]["samples"][0]["content_unit"] = json!("g");
        let unknown = world.receiver.post("/api/v1/intake", &body);
        let field = json!("receipt.samples[0].consumes_unit");
        assert_eq!((unknown.status, &unknown.json()["field"]), (422, &field), "{}", unknown.text);
        body["receipt"]["samples"][0]["content_unit"] = json!("{tbl}");
        body["receipt"]["samples"][0]["containers"] = json!(5);
        let taken = ok(&world.receiver.post("/api/v1/intake", &body), 201);
        assert_eq!(at(&world, &text(&taken["samples"][0], "id"), "test_portion"), amounts(3, "36"));
    });
}

#[test]
fn a_test_takes_what_its_portion_has_and_not_more() {
    on_both(|app: &TestApp| {
        let world = World::new(app);
        let product = tablets(&world, "T-24", &json!([item("assay", "25", None, 0)]));
        let taken = world.take_in("drug_registration", &product, "A", 4);
        let (sample, number) = (text(&taken["samples"][0], "id"), text(&taken["samples"][0], "number"));
        let go = |from: &str, to: &str| {
            let body = json!({"from": from, "to": to, "quantity": 1, "reason": "破损"});
            world.receiver.post(&format!("/api/v1/samples/{sample}/custody"), &body)
        };
        ok(&go("test_portion", "consumed"), 201);
        let task = world.task(&number, "assay", "waiting");
        let refused = world.analyst.post(&format!("/api/v1/tasks/{task}/start"), &json!({}));
        assert_eq!(refused.problem(), "ledger-refused");
        assert!(refused.text.contains("25 片") && refused.text.contains("24 片"), "{}", refused.text);
        // What is retained does not help by hand; what is over does.
        assert_eq!(go("retention", "test_portion").problem(), "ledger-refused");
        assert_eq!(go("retention", "retest").problem(), "ledger-refused");
        ok(&go("surplus", "test_portion"), 201);
        ok(&world.analyst.post(&format!("/api/v1/tasks/{task}/start"), &json!({})), 200);
        assert_eq!(at(&world, &sample, "test_portion"), amounts(1, "23"));
        assert_eq!(at(&world, &sample, "supplied"), amounts(-4, "-96"));
    });
}

/// Whatever people and tests do, in whichever order: containers and amounts over all places stay nothing, and no place in the
/// house falls below nothing.
#[test]
fn random_moves_conserve_containers_and_amounts() {
    on_both(|app: &TestApp| {
        let world = World::new(app);
        let items = json!([
            item("assay", "25", None, 0),
            item("water", "7", Some("{tbl}"), 0),
            item("sterility", "0", None, 2)
        ]);
        let product = tablets(&world, "T-24", &items);
        let taken = world.take_in("drug_registration", &product, "A", 12);
        let (sample, number) = (text(&taken["samples"][0], "id"), text(&taken["samples"][0], "number"));
        let tasks: Vec<String> =
            ["assay", "water", "sterility"].iter().map(|code| world.task(&number, code, "waiting")).collect();
        let places = ["test_portion", "retest", "retention", "surplus", "for_sale", "sent_out", "consumed"];
        let mut random = Dice(9);
        let mut done = 0;
        for _ in 0..60 {
            let task = &tasks[random.below(tasks.len())];
            let answer = match random.below(4) {
                0 => world.analyst.post(&format!("/api/v1/tasks/{task}/start"), &json!({})),
                1 => world.analyst.post(&format!("/api/v1/tasks/{task}/hand-back"), &json!({"reason": "随机"})),
                2 => {
                    let body = json!({"from": places[random.below(5)], "quantity": 1, "reason": "随机"});
                    world.receiver.post(&format!("/api/v1/samples/{sample}/return"), &body)
                }
                _ => {
                    let (from, to) = (places[random.below(6)], places[random.below(7)]);
                    let body = json!({"from": from, "to": to, "quantity": 1 + random.below(2), "reason": "随机"});
                    world.receiver.post(&format!("/api/v1/samples/{sample}/custody"), &body)
                }
            };
            assert!(answer.status < 500, "{}", answer.text);
            done += u32::from(answer.status < 300);
            let found = ok(&world.receiver.get(&format!("/api/v1/samples/{sample}")), 200);
            let (mut containers, mut sum) = (0, rust_decimal::Decimal::ZERO);
            for row in found["balances"].as_array().expect("balances") {
                let (count, amount) =
                    (row["balance"].as_i64().expect("a count"), row["amount"].as_str().expect("an amount"));
                let amount: rust_decimal::Decimal = amount.parse().expect("a decimal");
                let outside = row["place"] == "supplied";
                assert!(outside || (count >= 0 && !amount.is_sign_negative()), "{row}");
                // An opened container holds less, and none holds more.
                let used = row["place"] == "consumed" || outside;
                assert!(used || amount <= rust_decimal::Decimal::from(count * 24), "{row}");
                containers += count;
                sum += amount;
            }
            assert_eq!((containers, sum.is_zero()), (0, true), "{}", found["balances"]);
        }
        assert!(done > 10, "the walk went nowhere: {done}");
    });
}
