//! Plots, the second person's check, the value marked in its source, and exports: over HTTP, on both databases,
//! and as a browser draws them.

use serde_json::{Value, json};

use crate::browser::{Door, chromium, opened, pictured};
use crate::pages::Browser;
use crate::support::client::Client;
use crate::support::{On, TestApp, on_both, on_each, text};
use crate::world::{World, ok};

/// The adapter's own sample with curves of six hundred points in the place of its three.
fn sequence() -> Vec<u8> {
    let bytes = instrument_adapters::embedded::sample("thermo-chromeleon-json", "SX20260001_sequence.json");
    let mut tree: Value = serde_json::from_slice(bytes.expect("a sample")).expect("JSON");
    for injection in tree["injections"].as_array_mut().expect("injections") {
        for signal in injection["signals"].as_array_mut().expect("signals") {
            // The drawing's own test data: no number of it is a result.
            let height = |t: f64| 120.0 * (-(t - 7.84).powi(2) * 30.0).exp() + 4.0 * (-(t - 5.11).powi(2) * 30.0).exp();
            let xs: Vec<f64> = (0..600).map(|n| f64::from(n) * 0.02).collect();
            let ys: Vec<f64> = xs.iter().map(|t| (height(*t) * 1000.0).round() / 1000.0).collect();
            signal["chromatogram"] = json!({"x": xs, "y": ys});
        }
    }
    serde_json::to_vec_pretty(&tree).expect("JSON")
}

/// An assay whose one reading is an area of the sequence, and whose certificate shows the chromatogram.
fn items() -> Value {
    json!([{"code": "assay", "name_zh": "含量测定", "name_en": "Assay", "method": "通则0512", "kind": "numeric",
            "unit": "mAU*min", "limit": "80.0~90.0", "compare_by": "rounded", "consumes": "10",
            "annex": ["chromatogram"],
            "inputs": [{"name": "x", "label_zh": "峰面积", "label_en": "Area",
                        "source": {"quantity": "area", "analyte": "Nitisinone", "nth": 1}}]}])
}

fn upload(client: &Client, name: &str, bytes: &[u8]) -> Value {
    let path = format!("/api/v1/instrument-files?name={name}");
    ok(&client.send("POST", &path, Some("application/octet-stream"), bytes.to_vec()), 201)
}

/// A received sample whose assay comes from an accepted file.
struct Imported {
    sample: String,
    task: String,
    file: String,
    observation: String,
    result: String,
}

fn imported(world: &World<'_>) -> Imported {
    let product = world.product("P", "chemical", &["rare_disease"], &items());
    let taken = world.take_in("drug_registration", &product, "A", 2);
    assert_eq!(text(&taken["samples"][0], "number"), "SX20260001");
    let file = upload(&world.analyst, "sequence.json", &sequence());
    let id = text(&file["file"], "id");
    let observation = text(&file["proposals"][0]["readings"][0], "observation_id");
    let task = text(&file["proposals"][0], "task_id");
    let body = json!({"confirm_complete": true, "despite_problems": "已核对"});
    let accepted = ok(&world.analyst.post(&format!("/api/v1/instrument-files/{id}/accept"), &body), 200);
    let result = text(&accepted["entered"][0], "result_id");
    Imported { sample: text(&taken["samples"][0], "id"), task, file: id, observation, result }
}

#[test]
fn a_file_is_drawn_exported_and_shown_in_the_annex() {
    on_both(|app| {
        let world = World::new(app);
        let one = imported(&world);
        let base = format!("/api/v1/instrument-files/{}", one.file);

        // Every injection of the file, with the peaks and the units that it names.
        let listed = ok(&world.analyst.get(&format!("{base}/plots")), 200);
        let names: Vec<String> = listed.as_array().expect("a list").iter().map(|plot| text(plot, "name")).collect();
        assert_eq!(names, ["chromatogram-1", "chromatogram-2", "chromatogram-3", "chromatogram-4", "chromatogram-5"]);
        let drawn = world.reviewer.get(&format!("{base}/plots/chromatogram-3.svg"));
        assert_eq!(drawn.status, 200, "{}", drawn.text);
        for part in ["<svg", "<title>SX20260001", "Nitisinone 7.842", "时间 Time (min)", "信号 Signal (mAU)"] {
            assert!(drawn.text.contains(part), "{part}: {}", drawn.text);
        }
        assert_eq!(world.analyst.get(&format!("{base}/plots/chromatogram-99")).status, 404);
        assert_eq!(world.receiver.get(&format!("{base}/plots")).status, 403);

        // Exports: the model's shape with the file's digits, and a table.
        let asm = ok(&world.analyst.get(&format!("{base}/export?format=asm")), 200);
        assert!(text(&asm, "$asm.manifest").contains("liquid-chromatography"));
        let raw = world.analyst.get(&format!("{base}/export?format=asm")).text;
        assert!(raw.contains("82.9681") && raw.contains("\"chromatogram data cube\""), "{raw}");
        let csv = world.analyst.get(&format!("{base}/export?format=csv"));
        assert!(csv.bytes.starts_with("\u{feff}sample,".as_bytes()) && csv.text.contains("82.9681"), "{}", csv.text);
        assert_eq!(world.analyst.get(&format!("{base}/export?format=xls")).problem(), "invalid-field");

        // The certificate carries the chromatogram of the result's own injection, and is still what it has to be.
        let body = json!({"outcome": "approved", "import_checked": true});
        ok(&world.reviewer.post(&format!("/api/v1/results/{}/review", one.result), &body), 200);
        let issued = world.issue(&one.sample);
        let annex = issued["data"]["annex"].as_array().expect("an annex");
        assert_eq!(annex.len(), 1, "one injection of two was the result's");
        assert!(text(&annex[0], "svg").contains("Nitisinone 7.842"));
        assert_eq!(annex[0]["file"], "sequence.json");
        let pdf = world.signatory.get(&format!("/api/v1/certificates/{}/pdf", text(&issued, "id")));
        assert!(pdf.bytes.starts_with(b"%PDF"));
        if let Some(folder) = std::env::var_os("QIANFA_TEST_PICTURES") {
            std::fs::write(std::path::Path::new(&folder).join("annex.pdf"), &pdf.bytes).expect("kept");
        }
    });
}

#[test]
fn a_value_leads_back_to_itself_in_the_file() {
    on_both(|app| {
        let world = World::new(app);
        let name = "SX20260001_assay_Report.TXT";
        let bytes = instrument_adapters::embedded::sample("agilent-chemstation-report", name).expect("a sample");
        let file = upload(&world.analyst, name, bytes);
        let base = format!("/api/v1/instrument-files/{}", text(&file["file"], "id"));
        let mut marked = 0;
        for seen in file["observations"].as_array().expect("values") {
            let source = ok(&world.analyst.get(&format!("{base}/source?observation={}", text(seen, "id"))), 200);
            let line = source["lines"].as_array().expect("lines").iter().find(|line| line["marked"] == true);
            let line = line.unwrap_or_else(|| panic!("no line of {seen}"));
            assert_eq!(line["mark"]["value"], seen["raw"], "{line}");
            assert!(!line["became"].as_array().expect("what it became").is_empty(), "{line}");
            let (before, value, after) =
                (text(&line["mark"], "before"), text(&line["mark"], "value"), text(&line["mark"], "after"));
            assert_eq!(text(line, "text"), format!("{before}{value}{after}"));
            marked += 1;
        }
        assert!(marked > 0);
        // Parts of the file follow each other.
        let part = ok(&world.analyst.get(&format!("{base}/source?from=3")), 200);
        assert_eq!((&part["lines"][0]["number"], &part["earlier"]), (&json!(3), &json!(1)));
    });
}

#[test]
fn a_second_person_checks_the_import_before_the_result_counts() {
    on_both(|app| {
        let world = World::new(app);
        let one = imported(&world);
        let review = |body: &Value| world.reviewer.post(&format!("/api/v1/results/{}/review", one.result), body);
        // Without anybody's word nothing is approved; sending back needs none.
        let refused = review(&json!({"outcome": "approved"}));
        assert_eq!(
            (refused.problem().as_str(), &refused.json()["field"]),
            ("import-unchecked", &json!("import_checked"))
        );
        let waiting = ok(&world.reviewer.get("/api/v1/reviews"), 200);
        assert_eq!(waiting["items"][0]["imports_unchecked"], 1);

        // Not the one who accepted it, neither by role nor by the rule.
        let checks = format!("/api/v1/instrument-files/{}/checks", one.file);
        assert_eq!(world.analyst.post(&checks, &json!({"outcome": "ok"})).status, 403);
        assert_eq!(world.reviewer.post(&checks, &json!({"outcome": "perhaps"})).problem(), "invalid-field");
        assert_eq!(world.reviewer.post(&checks, &json!({"outcome": "rejected"})).json()["field"], "reason");
        ok(&world.reviewer.post(&checks, &json!({"outcome": "ok"})), 201);
        assert_eq!(world.reviewer.post(&checks, &json!({"outcome": "ok"})).problem(), "wrong-state");
        let listed = ok(&world.analyst.get(&checks), 200);
        assert_eq!((&listed[0]["outcome"], &listed[0]["test_task_id"]), (&json!("ok"), &Value::Null));
        assert_eq!(ok(&review(&json!({"outcome": "approved"})), 200)["state"], "reviewed");
        // A reviewed result rests on it: it cannot be said otherwise any more.
        let late = world.reviewer.post(&checks, &json!({"outcome": "rejected", "reason": "太晚"}));
        assert_eq!(late.problem(), "wrong-state");
    });
}

/// A value that was typed waits for its review, and the instrument's file comes: once the reviewer has sent the result back,
/// the file takes the typed value's place with a reason, what was typed stays, and the new result waits for the check of the
/// import and for its review.
#[test]
fn a_file_takes_the_place_of_what_was_typed_with_a_reason() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &items());
        world.take_in("drug_registration", &product, "A", 2);
        let file = upload(&world.analyst, "sequence.json", &sequence());
        let (id, task) = (text(&file["file"], "id"), text(&file["proposals"][0], "task_id"));
        let typed = text(&world.enter(&task, "85.0"), "result_id");
        let accept = format!("/api/v1/instrument-files/{id}/accept");
        let mut body = json!({"confirm_complete": true, "despite_problems": "已核对"});
        // What waits for its reviewer is not replaced behind the reviewer's back: the reviewer sends it back first.
        let waiting = world.analyst.post(&accept, &body);
        assert_eq!((waiting.status, &waiting.json()["field"]), (422, &json!("tasks")), "{}", waiting.text);
        assert!(waiting.text.contains("由复核人退回"), "{}", waiting.text);
        let back = json!({"outcome": "sent_back", "note": "请采用仪器数据"});
        ok(&world.reviewer.post(&format!("/api/v1/results/{typed}/review"), &back), 200);
        let bare = world.analyst.post(&accept, &body);
        assert_eq!((bare.status, &bare.json()["field"]), (422, &json!("reason")), "{}", bare.text);
        body["reason"] = json!("以仪器数据代替手工录入");
        let accepted = ok(&world.analyst.post(&accept, &body), 200);
        let result = text(&accepted["entered"][0], "result_id");
        let seen = ok(&world.analyst.get(&format!("/api/v1/tasks/{task}")), 200);
        assert_eq!(seen["task"]["state"], "entered");
        let readings = seen["readings"].as_array().expect("readings");
        let sources: Vec<&str> = readings.iter().filter_map(|one| one["source"].as_str()).collect();
        assert_eq!((sources, &readings[0]["raw"]), (vec!["typed", "file"], &json!("85.0")));
        assert_eq!(readings[1]["reason"], "以仪器数据代替手工录入");
        let reagents: Vec<&str> =
            seen["results"].as_array().expect("results").iter().filter_map(|one| one["reagents"].as_str()).collect();
        assert_eq!(reagents, ["试剂 A 批号 1", "试剂 A 批号 1"], "what the file does not say stays as it was typed");
        // The typed result is not reviewed any more, and the new one not before its import was checked.
        let review = |result: &str| {
            world.reviewer.post(&format!("/api/v1/results/{result}/review"), &json!({"outcome": "approved"}))
        };
        assert_eq!(review(&typed).status, 409);
        assert_eq!(review(&result).problem(), "import-unchecked");
        let checks = format!("/api/v1/instrument-files/{id}/checks");
        ok(&world.reviewer.post(&checks, &json!({"outcome": "ok"})), 201);
        assert_eq!(ok(&review(&result), 200)["state"], "reviewed");
    });
}

#[test]
fn a_rejected_import_sends_its_tasks_back_and_keeps_everything() {
    on_both(|app| {
        let world = World::new(app);
        let one = imported(&world);
        let checks = format!("/api/v1/instrument-files/{}/checks", one.file);
        let rejected = json!({"outcome": "rejected", "reason": "样品对应错误"});
        let answer = ok(&world.reviewer.post(&checks, &rejected), 201);
        assert_eq!(answer["sent_back"], json!([one.task]));
        let task = |client: &Client| ok(&client.get(&format!("/api/v1/tasks/{}", one.task)), 200);
        let seen = task(&world.analyst);
        assert_eq!(
            (&seen["task"]["state"], seen["readings"].as_array().map(Vec::len)),
            (&json!("in_progress"), Some(1))
        );
        assert_eq!(
            (&seen["imports"][0]["outcome"], &seen["imports"][0]["reason"]),
            (&json!("rejected"), &json!("样品对应错误"))
        );
        assert_eq!(seen["results"][0]["review_outcome"], "sent_back");
        assert!(text(&seen["results"][0], "review_note").contains("样品对应错误"));
        let trail =
            ok(&world.quality.get(&format!("/api/v1/audit?subject_kind=test_task&subject_id={}", one.task)), 200);
        let told = trail.to_string();
        assert!(told.contains("import.reject") && told.contains("样品对应错误"), "{told}");

        // The reading counts no more: the same text is entered anew, with its reason, and a new version is reviewed.
        let enter = |reason: Option<&str>| {
            let body = json!({"readings": [{"name": "x", "raw": "82.9681"}], "reason": reason});
            world.analyst.post(&format!("/api/v1/tasks/{}/entry", one.task), &body)
        };
        assert_eq!(enter(None).json()["field"], "reason");
        let entered = ok(&enter(Some("导入退回，按原始图谱录入")), 201);
        assert_eq!((&entered["state"], &entered["version"]), (&json!("entered"), &json!(2)));
        let path = format!("/api/v1/results/{}/review", text(&entered, "result_id"));
        assert_eq!(ok(&world.reviewer.post(&path, &json!({"outcome": "approved"})), 200)["state"], "reviewed");
        let raws = task(&world.analyst)["readings"].as_array().map(Vec::len);
        assert_eq!(raws, Some(2), "nothing was overwritten");
        // The raw record names the reason.
        let record = world.analyst.get(&format!("/api/v1/samples/{}/raw-record", one.sample));
        assert!(record.bytes.starts_with(b"%PDF"), "{}", record.text);
    });
}

#[test]
fn a_laboratory_may_keep_check_and_review_apart() {
    on_each(|on| {
        let app = TestApp::start_with(on, &[("QIANFA_INSTRUMENTS_REVIEWER_CHECKS_IMPORT", "false")]);
        let world = World::new(&app);
        let one = imported(&world);
        let body = json!({"outcome": "approved", "import_checked": true});
        let path = format!("/api/v1/results/{}/review", one.result);
        assert_eq!(world.reviewer.post(&path, &body).problem(), "import-unchecked");
        let checks = format!("/api/v1/instrument-files/{}/checks", one.file);
        ok(&world.reviewer.post(&checks, &json!({"outcome": "ok", "task_id": one.task})), 201);
        assert_eq!(ok(&world.reviewer.post(&path, &body), 200)["state"], "reviewed");
    });
}

#[test]
fn the_databases_hold_the_check_by_themselves() {
    on_both(|app| {
        let world = World::new(app);
        let one = imported(&world);
        let insert = |by: &str| {
            format!(
                "INSERT INTO import_check (id, instrument_file_id, outcome, checked_by, checked_at) \
                 SELECT '{by}', id, 'ok', (SELECT id FROM account WHERE username = '{by}'), decided_at \
                 FROM instrument_file WHERE id = '{}'",
                one.file
            )
        };
        let approve = format!(
            "UPDATE result SET reviewer_id = (SELECT id FROM account WHERE username = 'reviewer'), \
             reviewed_at = entered_at, review_outcome = 'approved' WHERE id = '{}'",
            one.result
        );
        crate::invariants::refused(app, &insert("analyst"), "qianfa:self-import-check:");
        crate::invariants::refused(app, &approve, "qianfa:import-unchecked:");
        crate::invariants::refused(app, &insert("reviewer"), "qianfa:approval-unsigned:");
        let check = json!({"outcome": "ok"});
        ok(&world.reviewer.post(&format!("/api/v1/instrument-files/{}/checks", one.file), &check), 201);
        crate::invariants::refused(
            app,
            "UPDATE import_check SET outcome = 'rejected', reason = 'x'",
            "qianfa:append-only:",
        );
        crate::invariants::refused(app, "DELETE FROM import_check", "qianfa:append-only:");
        // Now it was checked, and what is still missing is the reviewer's signature.
        crate::invariants::refused(app, &approve, "qianfa:approval-unsigned:");
        let review = format!("/api/v1/results/{}/review", one.result);
        ok(&world.reviewer.post(&review, &json!({"outcome": "approved"})), 200);
    });
}

#[test]
fn the_pages_ask_for_the_check_and_a_browser_draws_the_plots() {
    let app = TestApp::start(On::Sqlite);
    let world = World::new(&app);
    let one = imported(&world);
    let reviewer = Browser::logged_in(&app, "reviewer");
    let file = format!("/instrument-files/{}", one.file);
    // Plots without a script: a page of their own; with one, a part of the file's.
    let plots = reviewer.page(&format!("{file}/plots"));
    assert!(plots.contains("<svg") && plots.contains("SX20260001") && plots.contains("</html>"), "{plots}");
    let page = reviewer.page(&format!("{file}?observation={}", one.observation));
    assert!(page.contains("尚无第二人与原文比对") && page.contains("导出 ASM"), "{page}");
    // The review page asks for the tick, and says so where it is missing.
    let task = format!("/tasks/{}", one.task);
    assert!(reviewer.page(&task).contains("import_checked"));
    let verdict = |more: &[(&str, &str)]| {
        let mut fields = vec![("result_id", one.result.as_str()), ("outcome", "approved")];
        fields.extend_from_slice(more);
        reviewer.form(&format!("{task}/review"), &fields)
    };
    let refused = verdict(&[]);
    assert!(refused.status == 422 && refused.text.contains("逐值比对"), "{} {}", refused.status, refused.text);
    let plate = instrument_adapters::embedded::sample("moldev-softmax-pro", "SH20260001_HA_potency.txt");
    let plate = text(&upload(&world.analyst, "plate.txt", plate.expect("a sample"))["file"], "id");
    if let Some(chromium) = chromium() {
        let door = Door::open(&app, &reviewer);
        let (drawn, console) = opened(&chromium, &format!("http://{}{file}", door.0), &[]);
        assert!(drawn.matches("<svg").count() >= 5 && drawn.contains("Nitisinone 7.842"), "{drawn}");
        assert_eq!(console, "");
        pictured(&chromium, &format!("http://{}{file}/plots", door.0), "plots");
        pictured(&chromium, &format!("http://{}{file}", door.0), "file");
        pictured(&chromium, &format!("http://{}{task}", door.0), "task");
        let (drawn, console) = opened(&chromium, &format!("http://{}/instrument-files/{plate}", door.0), &[]);
        assert!(drawn.contains("<svg") && console.is_empty(), "{console}");
        pictured(&chromium, &format!("http://{}/instrument-files/{plate}/plots", door.0), "plate");
        let view: Value = ok(&world.analyst.get(&format!("/api/v1/instrument-files/{plate}")), 200);
        let seen = text(&view["observations"][0], "id");
        let marked = format!("http://{}/instrument-files/{plate}?observation={seen}#marked", door.0);
        pictured(&chromium, &marked, "marked");
    }
    assert_eq!(verdict(&[("import_checked", "1")]).status, 303);
    assert!(reviewer.page(&file).contains("与原文一致"));
}
