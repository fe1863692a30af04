//! Sequences and plates as evidence, over HTTP: from the file to the reading, and everything that stands in between.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use qianfa::store::Backend;
use qianfa::vocabulary::Role;
use serde_json::{Value, json};

use crate::pages::Browser;
use crate::support::client::Client;
use crate::support::{TestApp, on_both, postgres, text};
use crate::world::{World, ok};

/// Name, type and area of each injection; areas are of the one peak, blanks have none.
type Injections<'a> = &'a [(&'a str, &'a str, Option<f64>)];

/// A sequence in the layout of the JSON export, written here.
fn chromeleon(name: &str, injections: Injections, plates: f64) -> Vec<u8> {
    let one = |index: usize, (name, kind, area): &(&str, &str, Option<f64>)| {
        let peaks: Vec<Value> = area
            .iter()
            .map(|area| {
                json!({
                    "name": "Main", "identifier": "1", "start time": 7.63, "end time": 8.17, "area": area, "height": 410.1,
                    "relative peak area": 100.0, "retention time": 7.84, "amount": 1.0,
                    "chromatographic peak resolution": 9.307, "asymmetry factor measured at 5 % height": 1.12,
                    "number of theoretical plates by peak width at half height": plates, "peak type": "BMB",
                })
            })
            .collect();
        json!({
            "injection number": index + 1, "injection name": name,
            "injection identifier": format!("6f1c0a5e-2026-4311-9a00-{:012}", index + 1),
            "injection time": format!("2026-03-11T{:02}:{:02}:00+08:00", 8 + index / 6, index % 6 * 10),
            "injection position": "RA1", "injection status": "Finished", "injection type": kind, "description": "",
            "sample identifier": "", "location identifier": "RA1", "injection volume setting": 20.0,
            "injection volume setting unit": "µl", "custom variables": {},
            "signals": [{
                "signal name": "UV_VIS_1", "detection type": "single channel", "wavelength setting": 278.0,
                "bandwidth setting": 4.0, "chromatogram": {"x": [0.0, 0.002], "y": [0.0, 0.0003]}, "peaks": peaks,
            }],
        })
    };
    let all: Vec<Value> = injections.iter().enumerate().map(|(index, injection)| one(index, injection)).collect();
    let sequence = json!({
        "device information": {"pump model number": "LPG-3400SD", "uv model number": "DAD-3000", "sampler model number": null},
        "sequence": {
            "sequence creation time": "2026-03-11T08:02:10.5+08:00", "sequence directory": "Assay 2026",
            "sequence name": name, "sequence update operator": "zhao.l",
            "sequence update time": "2026-03-11T12:40:02.11+08:00", "custom formulas": [],
        },
        "injections": all,
    });
    serde_json::to_vec_pretty(&sequence).expect("JSON")
}

/// The run whose content is known: f̄ = 0.00016008…, the mean of the two weighings 98.98384770 %.
fn run(sample: &str, plates: f64) -> Vec<u8> {
    let (a, b) = (format!("{sample}-1"), format!("{sample}-2"));
    let injections = [
        ("Blank", "Blank", None),
        ("SST", "Unknown", Some(2501.0)),
        ("SST", "Unknown", Some(2503.0)),
        ("SST", "Unknown", Some(2499.0)),
        ("SST", "Unknown", Some(2502.0)),
        ("SST", "Unknown", Some(2500.0)),
        ("STD-1", "CalibrationStandard", Some(2500.0)),
        ("STD-1", "CalibrationStandard", Some(2510.0)),
        ("STD-2", "CalibrationStandard", Some(2475.0)),
        ("STD-2", "CalibrationStandard", Some(2470.0)),
        (a.as_str(), "Unknown", Some(2520.0)),
        (a.as_str(), "Unknown", Some(2524.0)),
        (b.as_str(), "Unknown", Some(2485.0)),
        (b.as_str(), "Unknown", Some(2488.0)),
        ("CHK", "CheckStandard", Some(2490.0)),
    ];
    chromeleon(&format!("run {plates}"), &injections, plates)
}

fn upload(client: &Client, name: &str, bytes: Vec<u8>) -> Value {
    let path = format!("/api/v1/instrument-files?name={name}");
    ok(&client.send("POST", &path, Some("application/octet-stream"), bytes), 201)
}

fn lot(expires: &str, batch: &str) -> Value {
    json!({"name": "示范对照品", "batch": batch, "source": "中国食品药品检定研究院", "purity": "99.6", "basis": "as_is",
           "expires_on": expires})
}

fn assay_items() -> Value {
    json!([{"code": "assay", "name_zh": "含量测定", "name_en": "Assay", "method": "通则0512", "kind": "numeric",
            "unit": "%", "limit": "98.0~102.0", "compare_by": "rounded", "consumes": "10",
            "inputs": [{"name": "content", "label_zh": "含量", "unit": "%", "count": 2, "source": {"quantity": "content"}}],
            "formula": "mean(content)"}])
}

/// A taken-in sample: its id and number.
fn sample(world: &World, code: &str, items: &Value) -> (String, String) {
    let product = world.product(code, "chemical", &["rare_disease"], items);
    let taken = world.take_in("drug_registration", &product, code, 3);
    (text(&taken["samples"][0], "id"), text(&taken["samples"][0], "number"))
}

/// The setup that the files propose, with the weighings of [`run`].
fn completed(world: &World, file: &str, number: &str, lot: &str) -> Value {
    let asked = json!({"method_id": "lc-external-standard", "file_ids": [file]});
    let proposed = ok(&world.analyst.post("/api/v1/evaluations/proposal", &asked), 200);
    let mut setup = proposed["setup"].clone();
    let roles: Vec<&str> =
        setup["injections"].as_array().unwrap().iter().map(|one| one["role"].as_str().unwrap()).collect();
    let (sst, std) = ("system_suitability", "standard");
    let expected = [
        "blank",
        sst,
        sst,
        sst,
        sst,
        sst,
        std,
        std,
        std,
        std,
        "sample",
        "sample",
        "sample",
        "sample",
        "check_standard",
    ];
    assert_eq!(roles, expected);
    assert_eq!(setup["analyte"], "Main");
    let weight = |label: &str, standard: &str, weight: &str| json!({"label": label, "standard_id": standard, "weight": weight, "volume": "50"});
    setup["preparations"] = json!([
        weight("STD-1", lot, "20.12"),
        weight("STD-2", lot, "19.88"),
        weight("CHK", lot, "20.00"),
        weight(&format!("{number}-1"), "", "20.40"),
        weight(&format!("{number}-2"), "", "20.10"),
    ]);
    setup
}

fn body(title: &str, file: &str, setup: &Value) -> Value {
    json!({"title": title, "method_id": "lc-external-standard", "file_ids": [file], "setup": setup})
}

fn outcome(row: &Value) -> Value {
    assert!(row["outcome"].is_object(), "JSON is JSON: {row}");
    row["outcome"].clone()
}

fn codes(outcome: &Value) -> Vec<String> {
    outcome["reasons"].as_array().unwrap().iter().map(|note| text(note, "code")).collect()
}

/// Runs SQL past the program; the database's complaint, if any.
pub fn sql(app: &TestApp, statement: &str) -> Result<(), String> {
    let told = |error: diesel::result::Error| error.to_string();
    match Backend::parse(&app.ground.url()).expect("a URL") {
        Backend::Sqlite(path) => {
            let mut conn = SqliteConnection::establish(path.to_str().expect("a path")).expect("opens");
            conn.batch_execute("PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 10000;").expect("settings");
            conn.batch_execute(statement).map_err(told)
        }
        Backend::Postgres(url) => postgres::connect(&url).batch_execute(statement).map_err(told),
    }
}

/// A valid evaluation of a sequence: its id.
pub fn kept_sequence(world: &World) -> String {
    let (_, number) = sample(world, "P-9", &assay_items());
    let lot_id = text(&ok(&world.quality.post("/api/v1/reference-standards", &lot("2027-12-31", "Z")), 201), "id");
    let file = text(&upload(&world.analyst, "kept.json", run(&number, 8215.0))["file"], "id");
    let setup = completed(world, &file, &number, &lot_id);
    text(&ok(&world.analyst.post("/api/v1/evaluations", &body("示范含量序列", &file, &setup)), 201), "id")
}

/// An evaluation of a potency plate: what was kept.
pub fn kept_potency(world: &World, number: &str, lift: i64) -> Value {
    let taken = upload(&world.analyst, &format!("potency-{lift}.txt"), potency_plate(number, lift));
    assert_eq!(taken["file"]["state"], "staged", "{}", taken["file"]);
    let file = text(&taken["file"], "id");
    // The plate names no samples: a person says which sample its values are of.
    let assign = format!("/api/v1/instrument-files/{file}/match");
    ok(&world.analyst.post(&assign, &json!({"sample_number": number})), 200);
    let mut layout = Vec::new();
    for (row, dose) in [("A", "1"), ("B", "1.5"), ("C", "2.25")] {
        let of = |columns: [u8; 4]| columns.map(|column| format!("{row}{column}"));
        layout.push(json!({"wells": of([1, 2, 3, 4]), "role": "standard", "name": "REF", "dose": dose}));
        layout.push(json!({"wells": of([5, 6, 7, 8]), "role": "sample", "name": number, "dose": dose}));
    }
    let plate = json!({"wells": layout, "standard_potency": "1000", "unit": "[IU]/mL"});
    let new = json!({"title": format!("效价 {lift}"), "method_id": "potency-parallel-line", "file_ids": [file],
                     "setup": {"plate": plate}});
    let row = ok(&world.analyst.post("/api/v1/evaluations", &new), 201);
    assert_eq!(row["verdict"], "valid", "{}", outcome(&row)["reasons"]);
    row
}

/// A sample of which the potency is tested: its number.
pub fn potency_sample(world: &World) -> String {
    let items = json!([{"code": "potency", "name_zh": "效价", "name_en": "Potency", "method": "通则1431", "kind": "numeric",
        "unit": "[IU]/mL", "limit": "≥800", "compare_by": "rounded", "consumes": "10",
        "inputs": [{"name": "p", "source": {"quantity": "potency"}}]}]);
    sample(world, "V-1", &items).1
}

#[test]
fn a_sequence_becomes_a_result_with_all_its_steps() {
    on_both(|app| {
        let world = World::new(app);
        let (sample_id, number) = sample(&world, "P-1", &assay_items());
        let lot_id = text(&ok(&world.quality.post("/api/v1/reference-standards", &lot("2027-12-31", "A")), 201), "id");
        let file = text(&upload(&world.analyst, "run.json", run(&number, 8214.0))["file"], "id");
        let setup = completed(&world, &file, &number, &lot_id);
        // Tried first: nothing is kept.
        let tried = ok(&world.analyst.post("/api/v1/evaluations/preview", &body("t", &file, &setup)), 200);
        assert_eq!(tried["outcome"]["valid"], true, "{}", tried["outcome"]["reasons"]);
        assert_eq!(ok(&world.analyst.get("/api/v1/evaluations"), 200)["total"], 0);
        let row = ok(&world.analyst.post("/api/v1/evaluations", &body("含量 2026-03-11", &file, &setup)), 201);
        let found = outcome(&row);
        assert_eq!((&row["verdict"], &row["version"]), (&json!("valid"), &json!(1)));
        let value: rust_decimal::Decimal = text(&found["results"][0], "raw").parse().unwrap();
        assert_eq!(value.round_dp(8).to_string(), "98.98384770");
        assert_eq!(found["results"][0]["sample_id"], json!(sample_id));
        // Roles keep who gave them, and what was proposed.
        let kept = &row["setup"];
        assert_eq!(kept["injections"][6]["assigned_by"], "analyst");
        assert_eq!(kept["injections"][6]["proposed"], "standard");
        let id = text(&row, "id");
        let verified = ok(&world.reviewer.post(&format!("/api/v1/evaluations/{id}/verify"), &json!({})), 200);
        assert_eq!(verified["same"], true, "{verified}");
        let tasks = ok(&world.analyst.get(&format!("/api/v1/evaluations/{id}/tasks")), 200);
        assert_eq!(tasks["items"][0]["readings"].as_array().unwrap().len(), 2, "{tasks}");
        // Only who enters results accepts; the format proves itself or a person confirms.
        let accept = format!("/api/v1/evaluations/{id}/accept");
        assert_eq!(world.reviewer.post(&accept, &json!({})).status, 403);
        let entered = ok(&world.analyst.post(&accept, &json!({"confirm_complete": true})), 200);
        assert_eq!(entered["entered"][0]["result"]["reported"], "99.0", "{entered}");
        assert_eq!(
            ok(&world.analyst.get(&format!("/api/v1/instrument-files/{file}")), 200)["file"]["state"],
            "accepted"
        );
        // The steps stand with the result, on the reviewer's page and in the raw record.
        let task = text(&entered["entered"][0], "task_id");
        let view = ok(&world.reviewer.get(&format!("/api/v1/tasks/{task}")), 200);
        let steps = view["results"][0]["steps"].to_string();
        for part in ["含量 2026-03-11", "20.12 × 0.996", "RSD(n−1)", "lc-external-standard", "漂移"] {
            assert!(steps.contains(part), "{part} is not in {steps}");
        }
        assert_eq!(view["evaluations"][0]["evaluation_id"], json!(id));
        let page = Browser::logged_in(app, "reviewer").page(&format!("/tasks/{task}"));
        assert!(page.contains(&format!("/evaluations/{id}")) && page.contains("结果一致"), "{page}");
        let pdf = world.reviewer.get(&format!("/api/v1/samples/{sample_id}/raw-record"));
        assert_eq!(pdf.status, 200);
        assert!(pdf.bytes.starts_with(b"%PDF"));
        world.approve_all();
    });
}

#[test]
fn a_failing_sequence_enters_nothing_and_versions_stay() {
    on_both(|app| {
        let world = World::new(app);
        let (_, number) = sample(&world, "P-1", &assay_items());
        let lot_id = text(&ok(&world.analyst.post("/api/v1/reference-standards", &lot("2027-12-31", "A")), 201), "id");
        let expired = text(&ok(&world.analyst.post("/api/v1/reference-standards", &lot("2026-03-01", "B")), 201), "id");
        assert_eq!(world.analyst.post("/api/v1/reference-standards", &lot("2027-12-31", "A")).status, 409);
        assert_eq!(world.reviewer.post("/api/v1/reference-standards", &lot("2027-12-31", "C")).status, 403);
        let bad = text(&upload(&world.analyst, "bad.json", run(&number, 1500.0))["file"], "id");
        let good = text(&upload(&world.analyst, "good.json", run(&number, 8214.0))["file"], "id");
        // An expired lot is refused, and so is a withdrawn one.
        let refused =
            world.analyst.post("/api/v1/evaluations", &body("x", &good, &completed(&world, &good, &number, &expired)));
        assert_eq!(
            (refused.status, refused.json()["field"].clone()),
            (422, json!("setup.preparations[0].standard_id"))
        );
        assert!(refused.text.contains("过期"), "{}", refused.text);
        let setup = completed(&world, &bad, &number, &lot_id);
        let row = ok(&world.analyst.post("/api/v1/evaluations", &body("x", &bad, &setup)), 201);
        let (id, found) = (text(&row, "id"), outcome(&row));
        assert_eq!(row["verdict"], "invalid");
        assert!(codes(&found).iter().all(|code| code == "plates"), "{:?}", codes(&found));
        assert_eq!(found["results"], json!([]));
        let accept = |id: &str| {
            world.analyst.post(&format!("/api/v1/evaluations/{id}/accept"), &json!({"confirm_complete": true}))
        };
        assert_eq!((accept(&id).status, accept(&id).problem()), (409, "wrong-state".to_owned()));
        // Evaluated again, with the reason; the earlier version stays as it was.
        let again = format!("/api/v1/evaluations/{id}/versions");
        let mut new = body("x", &good, &completed(&world, &good, &number, &lot_id));
        assert_eq!(world.analyst.post(&again, &new).json()["field"], "reason");
        new["reason"] = json!("更换色谱柱后重新进样");
        let second = ok(&world.analyst.post(&again, &new), 201);
        assert_eq!((&second["version"], &second["verdict"]), (&json!(2), &json!("valid")));
        let shown = ok(&world.reviewer.get(&format!("/api/v1/evaluations/{id}")), 200);
        assert_eq!((&shown["superseded"], &shown["verdict"]), (&json!(true), &json!("invalid")));
        let third = ok(&world.analyst.post(&again, &new), 201);
        let (second, third) = (text(&second, "id"), text(&third, "id"));
        // The second is valid, but not the newest.
        assert_eq!(accept(&second).status, 409);
        let task = world.task(&number, "assay", "waiting");
        // What the database refuses by itself.
        let cite = |evaluation: &str, raw: &str| {
            sql(
                app,
                &format!(
                    "INSERT INTO reading (id, test_task_id, name, position, version, raw, value, unit, entered_by, entered_at, evaluation_result_id) \
                 SELECT 'r-{raw}', '{task}', 'content', 1, 1, {}, NULL, '%', e.created_by, e.created_at, r.id \
                 FROM evaluation_result r JOIN evaluation e ON e.id = r.evaluation_id WHERE e.id = '{evaluation}' AND r.part = 'mean'",
                    if raw == "own" { "r.raw".to_owned() } else { format!("'{raw}'") }
                ),
            )
        };
        let keeps = |answer: Result<(), String>| {
            assert!(answer.as_ref().is_err_and(|told| told.contains("qianfa:reading-evaluation:")), "{answer:?}")
        };
        keeps(cite(&second, "own"));
        keeps(cite(&third, "101.0"));
        let invalid = format!(
            "INSERT INTO evaluation_result (id, evaluation_id, position, label, analyte, quantity, part, raw, unit, steps) \
             VALUES ('x', '{id}', 1, 'a', '', 'content', 'mean', '99', '%', '[]')"
        );
        assert!(sql(app, &invalid).is_err_and(|told| told.contains("qianfa:evaluation-invalid:")));
        for statement in [
            "UPDATE evaluation SET verdict = 'valid'",
            "DELETE FROM evaluation_result",
            "UPDATE evaluation_file SET position = 9",
        ] {
            assert!(sql(app, statement).is_err_and(|told| told.contains("qianfa:append-only:")), "{statement}");
        }
        assert!(
            sql(app, "UPDATE reference_standard SET purity = '100.0'")
                .is_err_and(|told| told.contains("qianfa:reference-standard-identity:"))
        );
        // Another sample's task does not take it.
        let (_, other) = sample(&world, "P-2", &assay_items());
        let foreign = world.task(&other, "assay", "waiting");
        let refused = world.analyst.post(
            &format!("/api/v1/evaluations/{third}/accept"),
            &json!({"confirm_complete": true, "tasks": [foreign]}),
        );
        assert_eq!((refused.status, refused.json()["field"].clone()), (422, json!("tasks[0]")));
        assert_eq!(accept(&third).status, 200);
        // Withdrawn, the lot is not used again.
        let withdraw = format!("/api/v1/reference-standards/{lot_id}/withdraw");
        ok(&world.quality.post(&withdraw, &json!({"reason": "标签受损"})), 200);
        new["reason"] = json!("再次");
        assert_eq!(world.analyst.post(&again, &new).status, 422);
        // What was kept is calculated as before; a value changed past the program shows.
        let verify = |id: &str| ok(&world.quality.post(&format!("/api/v1/evaluations/{id}/verify"), &json!({})), 200);
        assert_eq!(verify(&id)["same"], true);
        if app.ground.on == crate::support::On::Sqlite {
            sql(app, "DROP TRIGGER observation_identity; UPDATE observation SET value = '2600', raw = '2600' WHERE quantity = 'area' AND value = '2520.0'").unwrap();
            let changed = verify(&third);
            assert_eq!(changed["same"], false);
            assert!(!changed["differences"].as_array().unwrap().is_empty());
        }
    });
}

/// A laboratory's own definition: no blank on the plate, and the limits of its validation.
const OWN_ELISA: &str = r#"
id = "own-elisa"
version = "3"
kind = "plate"
name_zh = "本所血凝素含量 ELISA"
name_en = "HA content, own"
source = "本所方法验证报告 V-2026-07"
confidence = "S"
calculation = "four_parameter"
weighting = "1"
quantity = "concentration"
unit = "ug/mL"
response = "absorbance"

[[roles]]
role = "standard"
sample_type = "standards"

[[roles]]
role = "control"
sample_type = "control"

[[roles]]
role = "sample"
sample_text = "^S[HX][0-9]{8}"

[limits]
r_squared = "≥0.990"
recovery_percent = "80~120"
cv_percent = "≤15"
"#;

fn softmax(number: &str) -> Vec<u8> {
    let bytes =
        include_bytes!("../../instrument-adapters/adapters/moldev-softmax-pro/samples/SH20260001_HA_potency.txt");
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let text = String::from_utf16(&units).expect("UTF-16").replace("SH20260001", number);
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn wells(wells: &[&str], role: &str, name: &str, dose: &str, dilution: &str) -> Value {
    json!({"wells": wells, "role": role, "name": name, "dose": dose, "dilution": dilution})
}

#[test]
fn a_plate_becomes_a_content() {
    on_both(|app| {
        let world = World::new(app);
        let folder = app.ground.dir.path().join("data/methods");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("own.toml"), OWN_ELISA).unwrap();
        let items = json!([{"code": "ha", "name_zh": "血凝素含量", "name_en": "HA", "method": "ELISA", "kind": "numeric",
            "unit": "ug/mL", "limit": "≥30.0", "compare_by": "rounded", "rounding_step": "0.1", "consumes": "10",
            "inputs": [{"name": "ha", "unit": "ug/mL", "source": {"quantity": "evaluated"}}]}]);
        let (_, number) = sample(&world, "V-1", &items);
        let file = text(&upload(&world.analyst, "plate.txt", softmax(&number))["file"], "id");
        let asked = json!({"method_id": "own-elisa", "file_ids": [file]});
        let proposed = ok(&world.analyst.post("/api/v1/evaluations/proposal", &asked), 200);
        let layout = proposed["setup"]["plate"]["wells"].as_array().unwrap().clone();
        let of = |well: &str| {
            layout.iter().find(|set| set["wells"].as_array().unwrap().iter().any(|w| w == well)).unwrap().clone()
        };
        assert_eq!((&of("A1")["role"], &of("A1")["dose"]), (&json!("standard"), &json!("60")));
        assert_eq!((&of("B4")["role"], &of("B4")["wells"]), (&json!("sample"), &json!(["B3", "B4"])));
        assert_eq!(of("D3")["role"], "control");
        let mut plate = proposed["setup"]["plate"].clone();
        plate["wavelength"] = json!("450");
        plate["reference_wavelength"] = json!("650");
        let mut all: Vec<Value> =
            layout.into_iter().filter(|set| ["standard", "control"].contains(&set["role"].as_str().unwrap())).collect();
        for (pair, dilution) in [(["A3", "A4"], "1"), (["B3", "B4"], "2"), (["C3", "C4"], "4")] {
            all.push(wells(&pair, "sample", &number, "", dilution));
        }
        plate["wells"] = json!(all);
        plate["controls"] = json!([{"name": "QC-15", "expected": "13.0~17.0"}]);
        let new = json!({"title": "HA", "method_id": "own-elisa", "file_ids": [file], "setup": {"plate": plate}});
        let row = ok(&world.analyst.post("/api/v1/evaluations", &new), 201);
        let found = outcome(&row);
        assert_eq!(row["verdict"], "valid", "{}", found["reasons"]);
        // The masked control well is a finding and no number.
        assert!(
            found["findings"].as_array().unwrap().iter().any(|note| note["code"] == "unusable"),
            "{}",
            found["findings"]
        );
        // As scipy's curve_fit reads the same wells: 31.475606.
        let value: f64 = text(&found["results"][0], "raw").parse().unwrap();
        assert!((value - 31.475605823).abs() < 1e-4, "{value}");
        let id = text(&row, "id");
        assert_eq!(
            ok(&world.reviewer.post(&format!("/api/v1/evaluations/{id}/verify"), &json!({})), 200)["same"],
            true
        );
        let entered = ok(
            &world.analyst.post(&format!("/api/v1/evaluations/{id}/accept"), &json!({"confirm_complete": true})),
            200,
        );
        assert_eq!(entered["entered"][0]["result"]["reported"], "31.5", "{entered}");
        // A control out of its range: nothing.
        let mut out = new.clone();
        out["setup"]["plate"]["controls"][0]["expected"] = json!("16.0~17.0");
        let tried = ok(&world.analyst.post("/api/v1/evaluations/preview", &out), 200);
        assert_eq!((&tried["outcome"]["valid"], &tried["outcome"]["results"]), (&json!(false), &json!([])));
        // A definition that is not in order is named.
        std::fs::write(folder.join("own.toml"), OWN_ELISA.replace("≥0.990", "about one")).unwrap();
        let refused = world.analyst.get("/api/v1/evaluation-methods");
        assert!(refused.status == 409 && refused.text.contains("own.toml"), "{}", refused.text);
    });
}

/// Doses 1, 1.5 and 2.25 in four wells each, standard and sample, as wavelength 450 of a plate; the reference is zero.
fn potency_plate(number: &str, lift: i64) -> Vec<u8> {
    let standard = [[161, 151, 162, 164], [187, 193, 184, 190], [215, 209, 216, 218]];
    let sample = [[155, 148, 157, 151], [181, 178, 186, 174], [207, 212, 204, 199]];
    let row = |levels: [[i64; 4]; 2], lift: i64| -> String {
        let cells = levels[0].iter().map(|y| y.to_string()).chain(levels[1].iter().map(|y| (y + lift).to_string()));
        cells.map(|y| format!("{:.4}", y.parse::<f64>().unwrap() / 100.0)).collect::<Vec<_>>().join("\t")
    };
    let mut text = "##BLOCKS= 1\n".to_owned();
    text +=
        "Plate:\tPlate1\t1.3\tPlateFormat\tEndpoint\tAbsorbance\tRaw\tFALSE\t1\t\t\t\t\t\t1\t450 \t1\t8\t96\t1\t3\n";
    text += "\tTemperature(¡C)\t1\t2\t3\t4\t5\t6\t7\t8\n";
    for (index, (s, t)) in standard.into_iter().zip(sample).enumerate() {
        text += &format!("\t{}\t{}\n", if index == 0 { "24.1" } else { "" }, row([s, t], lift));
    }
    text += "\n~End\n";
    text += &format!("Original Filename: {number} potency {lift}; Date Last Saved: 3/17/2026 4:20:09 PM\n");
    text.into_bytes()
}

#[test]
fn a_potency_is_calculated_assigned_and_combined() {
    on_both(|app| {
        let world = World::new(app);
        let number = potency_sample(&world);
        let rows: Vec<Value> = [0, 1, 2].iter().map(|lift| kept_potency(&world, &number, *lift)).collect();
        let potency: f64 = text(&outcome(&rows[0])["potencies"][0], "potency").parse().unwrap();
        assert!((potency - 884.3297814346269).abs() < 1e-6, "{potency}");
        let ids: Vec<String> = rows.iter().map(|row| text(row, "id")).collect();
        let all = json!({"title": "三次合并", "evaluation_ids": ids});
        let row = ok(&world.analyst.post("/api/v1/evaluations/combine", &all), 201);
        let found = outcome(&row);
        assert_eq!((&row["kind"], &row["verdict"]), (&json!("combination"), &json!("valid")));
        assert_eq!(found["potencies"].as_array().unwrap().len(), 4);
        let id = text(&row, "id");
        assert_eq!(ok(&world.quality.post(&format!("/api/v1/evaluations/{id}/verify"), &json!({})), 200)["same"], true);
        let entered = ok(&world.analyst.post(&format!("/api/v1/evaluations/{id}/accept"), &json!({})), 200);
        assert_eq!(entered["entered"][0]["result"]["verdict"], "pass", "{entered}");
        let twice = json!({"title": "x", "evaluation_ids": [ids[0], ids[0]]});
        assert_eq!(world.analyst.post("/api/v1/evaluations/combine", &twice).status, 422);
    });
}

#[test]
fn by_the_pages_from_the_file_to_the_result() {
    let app = TestApp::start(crate::support::On::Sqlite);
    let world = World::new(&app);
    let (_, number) = sample(&world, "P-1", &assay_items());
    let browser = Browser::logged_in(&app, "analyst");
    let lot = [
        ("name", "示范对照品"),
        ("batch", "A"),
        ("source", "中国食品药品检定研究院"),
        ("purity", "99.6"),
        ("basis", "as_is"),
        ("expires_on", "2027-12-31"),
    ];
    assert_eq!(browser.form("/standards", &lot).status, 303);
    // A second click is no second lot, and another form about the same lot is refused.
    assert_eq!(browser.form("/standards", &lot).status, 303);
    assert_eq!(ok(&world.analyst.get("/api/v1/reference-standards"), 200)["total"], 1);
    let other = lot.map(|(name, value)| if name == "purity" { (name, "99.7") } else { (name, value) });
    assert_eq!(browser.form("/standards", &other).status, 409);
    assert!(browser.page("/standards?search=%E7%A4%BA%E8%8C%83").contains("示范对照品"));
    assert!(!browser.page("/standards?search=zzz").contains("示范对照品"));
    let lot_id = text(&ok(&world.analyst.get("/api/v1/reference-standards"), 200)["items"][0], "id");
    let file = text(&upload(&world.analyst, "run.json", run(&number, 8214.0))["file"], "id");
    assert!(browser.page(&format!("/instrument-files/{file}")).contains(&format!("/evaluations/new?file={file}")));
    assert!(browser.page("/evaluations/new").contains("run.json"));
    let new = browser.page(&format!("/evaluations/new?file={file}&method=lc-external-standard"));
    assert!(new.contains("injections[14].injection") && new.contains("外标法"), "{new}");
    let setup = completed(&world, &file, &number, &lot_id);
    let mut fields: Vec<(String, String)> =
        [("method_id", "lc-external-standard"), ("file", &file), ("title", "页面评价"), ("analyte", "Main")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .to_vec();
    for (index, one) in setup["injections"].as_array().unwrap().iter().enumerate() {
        for name in ["injection", "role", "preparation"] {
            fields.push((format!("injections[{index}].{name}"), text(one, name)));
        }
    }
    for (index, one) in setup["preparations"].as_array().unwrap().iter().enumerate() {
        for name in ["label", "standard_id", "weight", "volume"] {
            fields.push((format!("preparations[{index}].{name}"), text(one, name)));
        }
    }
    let send = |fields: &[(String, String)], go: &str| {
        let mut all: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        all.push(("go", go));
        browser.form("/evaluations", &all)
    };
    let tried = send(&fields, "preview");
    assert!(tried.status == 200 && tried.text.contains("98.98385") && tried.text.contains("试算"), "{}", tried.text);
    // A refused form comes back as typed.
    let mut untitled = fields.clone();
    untitled[2].1 = String::new();
    let refused = send(&untitled, "keep");
    assert!(refused.status == 422 && refused.text.contains("20.12"), "{}", refused.text);
    let kept = send(&fields, "keep");
    assert_eq!(kept.status, 303, "{}", kept.text);
    let place = kept.headers["location"].clone();
    let page = browser.page(&place);
    for part in ["页面评价", "有效", "98.98385", "结果一致", "理论板数", "20.12 × 0.996", "通则 0512"]
    {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let task = world.task(&number, "assay", "waiting");
    assert_eq!(browser.form(&format!("{place}/accept"), &[("tasks", &task), ("confirm_complete", "1")]).status, 303);
    assert!(browser.page(&place).contains("已录入"));
    // The reviewer sees the same, in both languages.
    let reviewer = Browser::logged_in(&app, "reviewer");
    assert!(reviewer.page(&place).contains("98.98385"));
    assert_eq!(reviewer.get(&format!("{place}?lang=en")).status, 303);
    assert!(reviewer.page(&place).contains("Calculated again from the record: the same."));
    assert!(reviewer.page(&format!("/tasks/{task}")).contains("页面评价"));
    assert!(browser.page(&format!("/evaluations/new?of={}", place.rsplit('/').next().unwrap())).contains("20.12"));
    app.account("taker", &[Role::Receiver]);
    assert_eq!(Browser::logged_in(&app, "taker").get(&place).status, 403);
}
