//! The main job over HTTP, on both databases: from a sample at the desk to a signed certificate.

use serde_json::json;

use crate::support::client::Client;
use crate::support::{On, TestApp, on_both, text};
use crate::world::{World, ok, one_item};

#[test]
fn a_rare_disease_drug_from_the_desk_to_its_certificate() {
    on_both(|app| {
        let world = World::new(app);
        let items = json!([
            {"code": "description", "name_zh": "性状", "name_en": "Description", "method": "目视", "kind": "text",
             "limit": "应为白色粉末", "compare_by": "text", "consumes": "10"},
            {"code": "assay", "name_zh": "含量测定", "name_en": "Assay", "method": "通则0512", "kind": "numeric",
             "unit": "%", "limit": "95.0~105.0", "compare_by": "rounded", "consumes": "10",
             "inputs": [{"name": "x", "unit": "%", "source": {"quantity": "amount", "analyte": "Nitisinone"}}]},
        ]);
        let product = world.product("NTBC", "chemical", &["rare_disease"], &items);

        // What the regulation asks, before anything is stored.
        let body = world.intake_body("drug_registration", &product, "A1", 4);
        let preview = ok(&world.receiver.post("/api/v1/intake/preview", &body["application"]), 200);
        assert_eq!(preview["determination"]["batches"]["value"], 1);
        assert_eq!(preview["demand"]["required_containers"], 4);

        // The same request twice is one intake.
        let mut keyed = world.app.logged_in("receiver");
        keyed = keyed.with("Idempotency-Key", "desk-1");
        let taken = ok(&keyed.post("/api/v1/intake", &body), 201);
        let again = ok(&keyed.post("/api/v1/intake", &body), 201);
        assert_eq!(taken, again);
        let other = world.intake_body("drug_registration", &product, "A2", 4);
        assert_eq!(keyed.post("/api/v1/intake", &other).problem(), "idempotency-mismatch");
        assert_eq!(taken["determination"]["quantity_multiple"]["value"], 2);
        assert_eq!(taken["determination"]["clocks"][0]["limit"], 60);
        let number = text(&taken["samples"][0], "number");
        assert_eq!(number, "SX20260001");
        let sample = text(&taken["samples"][0], "id");

        // An instrument file brings the assay; nobody typed it.
        let name = "SX20260001_assay_Report.TXT";
        let bytes = instrument_adapters::embedded::sample("agilent-chemstation-report", name).expect("a sample");
        let path = format!("/api/v1/instrument-files?name={name}");
        let send = || world.analyst.send("POST", &path, Some("application/octet-stream"), bytes.to_vec());
        let file = ok(&send(), 201);
        assert_eq!(file["file"]["complete"], true, "{file}");
        assert_eq!(file["proposals"][0]["readings"][0]["raw"], "99.412870");
        let id = text(&file["file"], "id");
        let twice = ok(&send(), 201);
        assert_eq!((twice["known"].as_bool(), text(&twice["file"], "id")), (Some(true), id.clone()));
        let accepted = ok(&world.analyst.post(&format!("/api/v1/instrument-files/{id}/accept"), &json!({})), 200);
        assert_eq!(accepted["entered"][0]["result"]["reported"], "99.4");
        let observation = text(&file["proposals"][0]["readings"][0], "observation_id");
        let source =
            ok(&world.analyst.get(&format!("/api/v1/instrument-files/{id}/source?observation={observation}")), 200);
        let line = source["lines"].as_array().expect("lines").iter().find(|line| line["marked"] == true);
        assert!(line.is_some_and(|line| text(line, "text").contains("99.412870")), "{source}");

        // A finding by hand; the certificate waits until everything is reviewed by somebody else.
        let task = world.task(&number, "description", "waiting");
        let entry = json!({"readings": [{"name": "x", "raw": "白色粉末"}], "conforms": true});
        ok(&world.analyst.post(&format!("/api/v1/tasks/{task}/entry"), &entry), 201);
        let early = world.reviewer.post("/api/v1/certificates", &json!({"sample_id": sample}));
        assert_eq!(early.problem(), "results-missing");
        world.approve_all();
        let issued = world.issue(&sample);
        assert_eq!(issued["number"], "晋检20260001");
        assert_eq!(issued["state"], "issued");

        // Anybody with the file or its code can ask.
        let id = text(&issued, "id");
        let pdf = world.signatory.get(&format!("/api/v1/certificates/{id}/pdf"));
        assert!(pdf.bytes.starts_with(b"%PDF"));
        let public = app.client();
        let checked = ok(&public.send("POST", "/api/v1/verify", Some("application/pdf"), pdf.bytes.clone()), 200);
        assert_eq!((checked["unchanged"].as_bool(), &checked["certificate"]["status"]), (Some(true), &json!("issued")));
        let mut flipped = pdf.bytes.clone();
        flipped[pdf.bytes.len() / 2] ^= 1;
        let checked = ok(&public.send("POST", "/api/v1/verify", Some("application/pdf"), flipped), 200);
        assert_eq!((checked["unchanged"].as_bool(), checked["certificate"].is_null()), (Some(false), true));

        // An amendment is a new certificate; the old one is superseded and keeps its number.
        world.correct_strength(&sample);
        let amend = json!({"sample_id": sample, "amends": {"certificate_id": id, "reason": "更正规格"}});
        let second = world.issue_draft(&amend);
        assert_eq!(second["number"], "晋检20260002");
        let code = text(&issued, "verification_code");
        let status = ok(&public.get(&format!("/api/v1/verify/{code}")), 200);
        assert_eq!((&status["status"], &status["superseded_by"]), (&json!("superseded"), &json!("晋检20260002")));
        let second = text(&second, "id");
        let reason = json!({"reason": "发现标签错误", "password": crate::support::PASSWORD});
        ok(&world.quality.post(&format!("/api/v1/certificates/{second}/withdraw"), &reason), 200);
        let record = world.analyst.get(&format!("/api/v1/samples/{sample}/raw-record"));
        assert!(record.bytes.starts_with(b"%PDF"), "{}", record.text);
        let report = app.services.sealer.seal_all(std::time::Duration::from_secs(5)).expect("seals");
        assert!(report);
        assert_eq!(ok(&world.quality.get("/api/v1/audit/verification"), 200)["intact"], true);
    });
}

#[test]
fn what_is_short_is_refused_with_the_numbers_and_the_clause() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let body = world.intake_body("drug_registration", &product, "A", 1);
        let answer = world.receiver.post("/api/v1/intake", &body);
        assert_eq!((answer.status, answer.problem().as_str()), (422, "quantity-short"));
        let problem = answer.json();
        let details = &problem["numbers"];
        assert_eq!((&details["required_containers"], &details["short_by"]), (&json!(2), &json!(1)), "{problem}");
        assert!(problem["provisions"].as_array().is_some_and(|all| all.contains(&json!("SX-12"))), "{problem}");
        // The refused intake took no number.
        let taken = world.take_in("drug_registration", &product, "A", 2);
        assert_eq!(taken["samples"][0]["number"], "SX20260001");
    });
}

#[test]
fn lot_release_outside_the_authorisation_is_refused_at_acceptance() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("FLU", "vaccine", &["seasonal_influenza_vaccine"], &one_item("≥30.0"));
        let body = world.intake_body("lot_release", &product, "L1", 2);
        let refused = world.receiver.post("/api/v1/intake", &body);
        assert_eq!(refused.problem(), "institute-not-authorised");
        assert!(refused.text.contains("N-12a"), "{}", refused.text);
        let mut grant = json!({"institute_id": app.institute, "product_id": product, "document": "授权〔2026〕1号",
                               "valid_from": "2026-01-01", "valid_to": "2026-03-01"});
        ok(&world.quality.post("/api/v1/authorisations", &grant), 201);
        assert_eq!(
            world.receiver.post("/api/v1/intake", &body).problem(),
            "institute-not-authorised",
            "it has expired"
        );
        grant["valid_to"] = json!("2026-12-31");
        ok(&world.quality.post("/api/v1/authorisations", &grant), 201);
        let taken = world.take_in("lot_release", &product, "L1", 2);
        assert_eq!(taken["determination"]["clocks"][0]["limit"], 45, "Shanxi has no influenza limit of its own");
    });
}

#[test]
fn a_result_out_of_specification_blocks_until_it_is_decided() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("V", "vaccine", &[], &one_item("≥30.0"));
        let grant = json!({"institute_id": app.institute, "category": "vaccine", "document": "授权", "valid_from": "2026-01-01"});
        ok(&world.quality.post("/api/v1/authorisations", &grant), 201);
        let taken = world.take_in("lot_release", &product, "L1", 2);
        let (sample, number) = (text(&taken["samples"][0], "id"), text(&taken["samples"][0], "number"));
        let task = world.task(&number, "assay", "waiting");
        assert_eq!(world.enter(&task, "29.94")["result"]["verdict"], "fail");
        world.approve_all();
        let blocked = world.reviewer.post("/api/v1/certificates", &json!({"sample_id": sample}));
        assert_eq!(blocked.problem(), "out-of-limit-open");

        // The re-test consumes the retained portion, through the ledger.
        ok(&world.check_laboratory(&task, Some("instrument_fault")), 201);
        let decided = ok(&world.decide(&task, "cause-approval"), 201);
        assert_eq!(decided["containers"], 1);
        let custody = ok(&world.receiver.get(&format!("/api/v1/samples/{sample}")), 200);
        let at = |place: &str| {
            let all = custody["balances"].as_array().expect("balances");
            all.iter().find(|row| row["place"] == place).map(|row| row["balance"].as_i64())
        };
        assert_eq!((at("retention"), at("retest"), at("supplied")), (Some(Some(0)), Some(Some(1)), Some(Some(-2))));
        assert_eq!((at("test_portion"), at("consumed")), (Some(Some(0)), Some(Some(1))));
        let retest = decided["tasks"][0].as_str().expect("a task").to_owned();
        world.enter(&retest, "29.0");
        world.approve_all();
        // Nothing is left for a third test: the result is confirmed, and the lot is refused.
        ok(&world.check_laboratory(&retest, None), 201);
        ok(&world.decide(&retest, "confirmation"), 201);
        world.review_protocol(&sample);
        let issued = world.issue(&sample);
        assert_eq!((&issued["kind"], &issued["conforms"]), (&json!("lot_release_refusal"), &json!(false)));
        assert_eq!(issued["data"]["conclusion"]["verdict"], "fail");
    });
}

#[test]
fn nobody_reviews_an_own_result_and_corrections_keep_what_was_there() {
    on_both(|app| {
        let world = World::new(app);
        app.account("both", &[qianfa::vocabulary::Role::Analyst, qianfa::vocabulary::Role::Reviewer]);
        let both = app.logged_in("both");
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let taken = world.take_in("drug_registration", &product, "A", 2);
        let task = world.task(&text(&taken["samples"][0], "number"), "assay", "waiting");
        let enter = |raw: &str, reason: Option<&str>| {
            let body = json!({"readings": [{"name": "x", "raw": raw}], "reason": reason});
            both.post(&format!("/api/v1/tasks/{task}/entry"), &body)
        };
        ok(&enter("96.96", None), 201);
        assert_eq!(enter("98.0", None).json()["field"], "reason");
        let corrected = ok(&enter("98.0", Some("抄录错误")), 201);
        let result = text(&corrected, "result_id");
        let review = |who: &crate::support::client::Client| {
            who.post(&format!("/api/v1/results/{result}/review"), &json!({"outcome": "approved"}))
        };
        assert_eq!(review(&both).problem(), "self-review");
        assert_eq!(ok(&review(&world.reviewer), 200)["state"], "reviewed");
        let seen = ok(&both.get(&format!("/api/v1/tasks/{task}")), 200);
        let raws: Vec<&str> =
            seen["readings"].as_array().expect("a list").iter().filter_map(|r| r["raw"].as_str()).collect();
        assert_eq!(raws, ["96.96", "98.0"]);
        assert_eq!(seen["results"].as_array().map(Vec::len), Some(2));
    });
}

#[test]
fn the_bench_does_not_see_for_whom_it_tests() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let taken = world.take_in("drug_registration", &product, "A", 2);
        let (case, sample) = (text(&taken, "application_id"), text(&taken["samples"][0], "id"));
        let task = world.task(&text(&taken["samples"][0], "number"), "assay", "waiting");
        for path in [
            "/api/v1/applications".to_owned(),
            format!("/api/v1/applications/{case}"),
            format!("/api/v1/samples/{sample}"),
            "/api/v1/tasks".to_owned(),
            format!("/api/v1/tasks/{task}"),
        ] {
            let seen = world.analyst.get(&path);
            assert_eq!(seen.status, 200, "{path}: {}", seen.text);
            assert!(!seen.text.contains("示范申请人"), "{path}: {}", seen.text);
            assert!(!seen.text.contains(&world.applicant_id), "{path}: {}", seen.text);
        }
        assert_eq!(world.analyst.get("/api/v1/applicants").status, 403);
        assert!(world.receiver.get(&format!("/api/v1/applications/{case}")).text.contains("示范申请人"));
    });
}

#[test]
fn a_voided_case_keeps_its_numbers() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let taken = world.take_in("drug_registration", &product, "A", 2);
        let case = text(&taken, "application_id");
        let end = |how: &str, reason: &str| {
            world.quality.post(&format!("/api/v1/applications/{case}/{how}"), &json!({"reason": reason}))
        };
        assert_eq!(end("void", " ").json()["field"], "reason");
        assert_eq!(end("void", "录入错误").status, 204);
        assert_eq!(end("withdraw", "撤回").problem(), "wrong-state");
        let second = world.take_in("drug_registration", &product, "A", 2);
        assert_eq!(
            (&second["application_number"], &second["samples"][0]["number"]),
            (&json!("SXC20260002"), &json!("SX20260002"))
        );
        let open = ok(&world.analyst.get("/api/v1/tasks?sample=SX20260001"), 200);
        assert_eq!(open["total"], 0, "the voided sample is not worked on");
    });
}

#[test]
fn custody_is_never_negative_and_retention_stays_until_the_report() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let taken = world.take_in("drug_registration", &product, "A", 3);
        let sample = text(&taken["samples"][0], "id");
        let go = |from: &str, to: &str, quantity: i64| {
            let body = json!({"from": from, "to": to, "quantity": quantity, "reason": "检验消耗"});
            world.receiver.post(&format!("/api/v1/samples/{sample}/custody"), &body)
        };
        let destroy = json!({"from": "retention", "quantity": 1, "reason": "到期销毁"});
        let destroy = |who: &Client| who.post(&format!("/api/v1/samples/{sample}/destroy"), &destroy);
        assert_eq!(go("test_portion", "consumed", 2).problem(), "ledger-refused");
        assert_eq!(ok(&go("test_portion", "consumed", 1), 201)["left"], 0);
        assert_eq!(go("consumed", "received", 1).problem(), "ledger-refused");
        assert_eq!(destroy(&world.quality).problem(), "wrong-state");
        // Destruction is a permission of its own, and no way leads around it.
        assert_eq!(destroy(&world.receiver).problem(), "forbidden");
        assert_eq!(go("test_portion", "destroyed", 1).problem(), "ledger-refused");
        assert_eq!(go("retention", "consumed", 0).status, 422);
    });
}

#[test]
fn bad_files_are_told_and_never_used() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        world.take_in("drug_registration", &product, "A", 2);
        let send = |name: &str, bytes: &[u8]| {
            let path = format!("/api/v1/instrument-files?name={name}");
            world.analyst.send("POST", &path, Some("application/octet-stream"), bytes.to_vec())
        };
        assert_eq!(send("empty.txt", b"").json()["field"], "file");
        let unknown = ok(&send("notes.txt", b"hello, this is no instrument"), 201);
        assert_eq!(unknown["file"]["state"], "unread");
        let accept = |file: &serde_json::Value, body| {
            let id = text(&file["file"], "id");
            world.analyst.post(&format!("/api/v1/instrument-files/{id}/accept"), &body)
        };
        assert_eq!(accept(&unknown, json!({})).problem(), "file-not-recognised");
        let name = "SX20260001_assay_Report.TXT";
        let whole = instrument_adapters::embedded::sample("agilent-chemstation-report", name).expect("a sample");
        let cut = ok(&send(name, &whole[..whole.len() * 2 / 3 / 2 * 2]), 201);
        assert_ne!(cut["file"]["complete"], true, "{cut}");
        let answer = accept(&cut, json!({"confirm_complete": true, "despite_problems": "x"}));
        assert_eq!(answer.problem(), "file-incomplete", "{}", answer.text);
        let id = text(&cut["file"], "id");
        let rejected = world.analyst.post(&format!("/api/v1/instrument-files/{id}/reject"), &json!({"reason": "截断"}));
        assert_eq!(rejected.status, 204);
        assert_eq!(
            ok(&world.analyst.get("/api/v1/samples/by-code/SX20260001"), 200)["tasks"][0]["task"]["state"],
            "waiting"
        );
    });
}

#[test]
fn immediate_work_stands_before_the_green_channel_before_the_rest() {
    let app = TestApp::start(On::Sqlite);
    let world = World::new(&app);
    let traits: [(&str, &[&str]); 3] = [("R", &[]), ("G", &["innovative"]), ("I", &["clinically_urgent"])];
    for (code, traits) in traits {
        let product = world.product(code, "chemical", traits, &one_item("≥97.0"));
        let body = json!({
            "application": {"business": "drug_registration", "applicant_id": world.applicant_id, "product_id": product,
                            "batches": [{"lot_number": "1", "expires_on": "2028-12-31"}, {"lot_number": "2"}, {"lot_number": "3"}]},
            "receipt": {"samples": [{"lot_number": "1", "containers": 2}]},
        });
        ok(&world.receiver.post("/api/v1/intake", &body), 201);
    }
    let queue = ok(&world.analyst.get("/api/v1/tasks"), 200);
    let ranks: Vec<i64> =
        queue["items"].as_array().expect("a list").iter().filter_map(|row| row["lane_rank"].as_i64()).collect();
    assert_eq!(ranks, [0, 1, 2]);
}
