//! Duties are kept apart whatever roles an account has, approvals are signed, and signatories have fields.

use chrono::Duration;
use qianfa::vocabulary::{Business, Role};
use serde_json::{Value, json};

use crate::invariants::refused;
use crate::pages::{Browser, to};
use crate::support::client::{Answer, Client};
use crate::support::{On, PASSWORD, TestApp, on_both, text};
use crate::world::{World, ok, one_item};

/// Somebody with every role of staff.
fn everything(app: &TestApp, name: &str) -> Client {
    let staff = Role::ALL.iter().copied().filter(|role| !matches!(role, Role::Applicant | Role::Installation));
    app.account(name, &staff.collect::<Vec<_>>());
    app.logged_in(name)
}

/// The refusal that one person has both duties: it names who did what, in people's words.
#[track_caller]
fn assert_apart(answer: &Answer, who: &str, had: &str) {
    assert_eq!((answer.status, answer.problem().as_str()), (409, "self-review"), "{}", answer.text);
    assert!(answer.text.contains(who) && answer.text.contains(had), "{}", answer.text);
    assert!(!answer.text.contains("数据库") && !answer.text.contains("qianfa:self"), "{}", answer.text);
}

fn reading(raw: &str, reason: Option<&str>) -> Value {
    json!({"readings": [{"name": "x", "raw": raw}], "reagents": "", "reason": reason})
}

/// A test of a sample with a reading by `who` that somebody else has replaced: task, result and sample.
fn replaced(world: &World, product: &str, lot: &str, raw: &str, who: &Client) -> (String, String, String) {
    let taken = world.take_in("drug_registration", product, lot, 2);
    let sample = &taken["samples"][0];
    let task = world.task(&text(sample, "number"), "assay", "waiting");
    let entry = format!("/api/v1/tasks/{task}/entry");
    ok(&who.post(&entry, &reading("99.9", None)), 201);
    let result = text(&ok(&world.analyst.post(&entry, &reading(raw, Some("笔误"))), 201), "result_id");
    (task, result, text(sample, "id"))
}

/// All pairs, as siblings: whoever has had the one duty has not the other, though a reading was replaced long ago.
#[test]
fn one_person_has_no_two_duties_about_the_same_thing() {
    on_both(|app| {
        let world = World::new(app);
        let all = everything(app, "all");
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let approve = json!({"outcome": "approved"});
        let review = |who: &Client, id: &str| who.post(&format!("/api/v1/results/{id}/review"), &approve);

        // Entered × reviewed, decided, signed.
        let (_, result, sample) = replaced(&world, &product, "L1", "98.0", &all);
        assert_apart(&review(&all, &result), "all", "录入数据");
        ok(&review(&world.reviewer, &result), 200);
        let draft = |who: &Client, sample: &str| {
            text(&ok(&who.post("/api/v1/certificates", &json!({"sample_id": sample})), 201), "id")
        };
        let examine = |who: &Client, id: &str| who.post(&format!("/api/v1/certificates/{id}/review"), &json!({}));
        let issue = |who: &Client, id: &str| {
            let body = json!({"password": PASSWORD, "meaning": "授权签发"});
            who.post(&format!("/api/v1/certificates/{id}/sign"), &body)
        };
        let certificate = draft(&world.reviewer, &sample);
        ok(&examine(&world.quality, &certificate), 200);
        assert_apart(&issue(&all, &certificate), "all", "录入数据");
        ok(&issue(&world.signatory, &certificate), 200);

        let (task, result, _) = replaced(&world, &product, "L2", "90.0", &all);
        ok(&review(&world.reviewer, &result), 200);
        let decide = json!({"reason": "调查完毕"});
        let decision = format!("/api/v1/tasks/{task}/investigation/confirmation");
        ok(&world.check_laboratory(&task, None), 201);
        assert_apart(&all.post(&decision, &decide), "all", "录入数据");
        ok(&world.quality.post(&decision, &decide), 201);

        // Drafted × reviewed, signed; reviewed × signed; the result reviewed × signed.
        let tested = |lot: &str, reviewer: &Client| {
            let (_, result, sample) = replaced(&world, &product, lot, "98.0", &world.analyst);
            ok(&review(reviewer, &result), 200);
            sample
        };
        let own = draft(&all, &tested("L3", &world.reviewer));
        assert_apart(&examine(&all, &own), "all", "起草证书");
        ok(&examine(&world.quality, &own), 200);
        assert_apart(&issue(&all, &own), "all", "起草证书");
        ok(&issue(&world.signatory, &own), 200);
        let examined = draft(&world.reviewer, &tested("L4", &world.reviewer));
        ok(&examine(&all, &examined), 200);
        assert_apart(&issue(&all, &examined), "all", "审核证书");
        let seen = draft(&world.reviewer, &tested("L5", &all));
        ok(&examine(&world.quality, &seen), 200);
        assert_apart(&issue(&all, &seen), "all", "结果复核");

        // Reviewed × entered, the other way round: who sent a result back does not enter what takes its place.
        let (task, result, _) = replaced(&world, &product, "L6", "98.0", &world.analyst);
        let back = json!({"outcome": "sent_back", "note": "请复核称量"});
        ok(&all.post(&format!("/api/v1/results/{result}/review"), &back), 200);
        let entry = format!("/api/v1/tasks/{task}/entry");
        ok(&world.analyst.post(&entry, &reading("98.1", Some("重新称量"))), 201);
        assert_apart(&all.post(&entry, &reading("98.2", Some("重新称量"))), "all", "结果复核");

        // Drafted × released.
        let new =
            json!({"product_id": product, "title": "《示范标准》", "edition": "2027", "items": one_item("≥98.0")});
        let specification = text(&ok(&all.post("/api/v1/specifications", &new), 201), "id");
        let release = format!("/api/v1/specifications/{specification}/effective");
        let from = json!({"effective_from": "2026-03-10"});
        assert_apart(&all.post(&release, &from), "all", "起草质量标准");
        ok(&world.signatory.post(&release, &from), 200);
    });
}

/// The database holds the same pairs, whoever writes to it.
#[test]
fn the_databases_keep_the_duties_apart_by_themselves() {
    on_both(|app| {
        let world = World::new(app);
        let all = everything(app, "all");
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let (_, result, sample) = replaced(&world, &product, "L1", "98.0", &all);
        let who = |name: &str| format!("(SELECT id FROM account WHERE username = '{name}')");
        let review = format!(
            "UPDATE result SET reviewer_id = {}, reviewed_at = entered_at, review_outcome = 'approved' WHERE id = '{result}'",
            who("all")
        );
        refused(app, &review, "qianfa:self-review:");
        let decided = format!(
            "INSERT INTO out_of_limit_decision (id, result_id, decision, reason, decided_by, decided_at) \
             SELECT 'd1', id, 'confirm', 'x', {}, entered_at FROM result WHERE id = '{result}'",
            who("all")
        );
        refused(app, &decided, "qianfa:self-decision:");
        world.approve_all();
        let entered = format!(
            "INSERT INTO reading (id, test_task_id, name, position, version, raw, value, unit, reason, entered_by, entered_at) \
             SELECT 'r9', test_task_id, name, position, 9, raw, value, unit, 'x', {}, entered_at FROM reading WHERE version = 1",
            who("reviewer")
        );
        refused(app, &entered, "qianfa:self-entry:");
        let draft = text(&ok(&world.reviewer.post("/api/v1/certificates", &json!({"sample_id": sample})), 201), "id");
        ok(&world.quality.post(&format!("/api/v1/certificates/{draft}/review"), &json!({})), 200);
        for name in ["all", "analyst", "reviewer", "quality"] {
            let signed = format!(
                "UPDATE certificate SET signed_by = {}, signed_at = drafted_at WHERE id = '{draft}'",
                who(name)
            );
            refused(app, &signed, "qianfa:s");
        }
        let new =
            json!({"product_id": product, "title": "《示范标准》", "edition": "2027", "items": one_item("≥98.0")});
        let id = text(&ok(&world.quality.post("/api/v1/specifications", &new), 201), "id");
        let from = json!({"effective_from": "2026-03-10"});
        let released = |name: &str| {
            format!(
                "UPDATE specification SET status = 'effective', effective_from = '2026-03-02', released_by = {} WHERE id = '{id}'",
                who(name)
            )
        };
        refused(app, &released("quality"), "qianfa:self-release:");
        refused(app, &released("signatory"), "qianfa:approval-unsigned:");
        ok(&world.signatory.post(&format!("/api/v1/specifications/{id}/effective"), &from), 200);
    });
}

/// A superseded specification serves the cases that have it; one that waits for its day serves nobody.
#[test]
fn only_the_specification_in_force_is_named_for_a_new_case() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let kept = text(&world.take_in("drug_registration", &product, "L1", 2), "application_id");
        let versions = ok(&world.quality.get(&format!("/api/v1/products/{product}/specifications")), 200);
        let first = text(&versions[0], "id");
        let new =
            json!({"product_id": product, "title": "《示范标准》", "edition": "2027", "items": one_item("≥98.0")});
        let second = text(&ok(&world.quality.post("/api/v1/specifications", &new), 201), "id");
        let release = format!("/api/v1/specifications/{second}/effective");
        ok(&world.signatory.post(&release, &json!({"effective_from": "2026-03-05"})), 200);
        let named = |who: &Client, id: &str, lot: &str| {
            let mut body = world.intake_body("drug_registration", &product, lot, 2);
            body["application"]["specification_id"] = json!(id);
            let (taken, sent) =
                (who.post("/api/v1/intake", &body), who.post("/api/v1/applications", &body["application"]));
            assert_eq!(taken.status, sent.status, "{} {}", taken.text, sent.text);
            (taken.status, taken.json()["field"].clone(), taken.text)
        };
        let refused = json!("application.specification_id");
        assert_eq!(named(&world.receiver, &first, "L2").0, 201);
        let early = named(&world.receiver, &second, "L3");
        assert_eq!((early.0, &early.1), (422, &refused), "{}", early.2);
        assert!(early.2.contains("自2026-03-05起实施"), "{}", early.2);
        app.pass(Duration::days(3));
        let receiver = app.logged_in("receiver");
        let late = named(&receiver, &first, "L4");
        assert_eq!((late.0, &late.1), (422, &refused), "{}", late.2);
        assert!(late.2.contains("已被替代"), "{}", late.2);
        assert_eq!(named(&receiver, &second, "L5").0, 201);
        let shown = ok(&receiver.get(&format!("/api/v1/applications/{kept}")), 200);
        assert_eq!(shown["application"]["specification_id"], json!(first), "a case at hand keeps its own");
    });
}

/// A session that was opened long enough ago for its password to count no more.
fn later(app: &TestApp, name: &str) -> Client {
    let client = app.logged_in(name);
    app.pass(Duration::seconds(301));
    client
}

/// Every approval asks for the password once the grace is over, and each has its signature with its content's hash.
#[test]
fn every_approval_is_signed_and_the_signature_names_what_it_is_of() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let (_, result, sample) = replaced(&world, &product, "L1", "98.0", &world.analyst);
        let signed = |kind: &str, id: &str| {
            ok(&app.logged_in("quality").get(&format!("/api/v1/signatures?subject_kind={kind}&subject_id={id}")), 200)
        };
        let review = format!("/api/v1/results/{result}/review");
        let reviewer = later(app, "reviewer");
        let bare = reviewer.post(&review, &json!({"outcome": "approved"}));
        assert_eq!((bare.status, bare.problem().as_str()), (403, "signature-needed"), "{}", bare.text);
        assert_eq!(bare.json()["field"], "password");
        let wrong = reviewer.post(&review, &json!({"outcome": "approved", "password": "wrong horse battery staple"}));
        assert_eq!((wrong.status, wrong.problem().as_str()), (401, "bad-credentials"));
        assert!(signed("result", &result).as_array().is_some_and(Vec::is_empty), "nothing was signed");
        ok(&reviewer.post(&review, &json!({"outcome": "approved", "password": PASSWORD})), 200);
        let of_result = signed("result", &result);
        assert_eq!((&of_result[0]["meaning"], &of_result[0]["name"]), (&json!("复核通过"), &json!("reviewer")));
        assert_eq!(text(&of_result[0], "content_sha256").len(), 64);

        // The certificate: its data are signed at the review, data and file at the issue, which has no grace.
        let draft = text(&ok(&reviewer.post("/api/v1/certificates", &json!({"sample_id": sample})), 201), "id");
        ok(&app.logged_in("quality").post(&format!("/api/v1/certificates/{draft}/review"), &json!({})), 200);
        let signatory = app.logged_in("signatory");
        let issue = format!("/api/v1/certificates/{draft}/sign");
        let bare = signatory.post(&issue, &json!({"meaning": "授权签发"}));
        assert_eq!((bare.status, bare.problem().as_str()), (403, "signature-needed"), "{}", bare.text);
        let issued = ok(&signatory.post(&issue, &json!({"meaning": "授权签发", "password": PASSWORD})), 200);
        let withdraw = format!("/api/v1/certificates/{draft}/withdraw");
        assert_eq!(signatory.post(&withdraw, &json!({"reason": "标签错误"})).problem(), "signature-needed");
        ok(&signatory.post(&withdraw, &json!({"reason": "标签错误", "password": PASSWORD})), 200);
        let all = signed("certificate", &draft);
        let meanings: Vec<&str> =
            all.as_array().expect("a list").iter().filter_map(|s| s["meaning"].as_str()).collect();
        assert_eq!(meanings, ["审核证书", "授权签发", "批准撤销证书"]);
        assert_eq!(all[1]["data_sha256"], all[0]["content_sha256"], "what was issued is what was reviewed");
        assert_eq!(all[1]["content_sha256"], issued["pdf_sha256"]);

        // A failing result, and a specification.
        let (task, result, _) = replaced(&world, &product, "L2", "90.0", &app.logged_in("analyst"));
        ok(
            &app.logged_in("reviewer")
                .post(&format!("/api/v1/results/{result}/review"), &json!({"outcome": "approved"})),
            200,
        );
        let quality = later(app, "quality");
        ok(&world_check(&app.logged_in("reviewer"), &task), 201);
        let decision = format!("/api/v1/tasks/{task}/investigation/confirmation");
        let mut body = json!({"reason": "调查完毕"});
        assert_eq!(quality.post(&decision, &body).problem(), "signature-needed");
        body["password"] = json!(PASSWORD);
        ok(&quality.post(&decision, &body), 201);
        assert_eq!(signed("result", &result)[1]["meaning"], "确认不符合规定");
        // One password for a series: the same session goes on without it.
        let new =
            json!({"product_id": product, "title": "《示范标准》", "edition": "2027", "items": one_item("≥98.0")});
        let id = text(&ok(&world_of(app, "quality").post("/api/v1/specifications", &new), 201), "id");
        let release = format!("/api/v1/specifications/{id}/effective");
        let signatory = later(app, "signatory");
        let from = json!({"effective_from": "2026-03-10"});
        assert_eq!(signatory.post(&release, &from).problem(), "signature-needed");
        ok(&signatory.post(&release, &json!({"effective_from": "2026-03-10", "password": PASSWORD})), 200);
        assert_eq!(signed("specification", &id)[0]["meaning"], "批准质量标准");
    });
}

fn world_of(app: &TestApp, name: &str) -> Client {
    app.logged_in(name)
}

/// The grace is of a session, lasts as long as the laboratory says, and each signature of a series has its own hash.
#[test]
fn a_series_of_reviews_rests_on_one_password_for_a_while() {
    let told = |seconds: &'static str| {
        let app = TestApp::start_with(On::Sqlite, &[("QIANFA_SESSION_SIGN_GRACE_SECONDS", seconds)]);
        let world = World::new(&app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let results: Vec<String> =
            ["L1", "L2", "L3"].iter().map(|lot| replaced(&world, &product, lot, "98.0", &world.analyst).1).collect();
        let review = |who: &Client, at: usize, body: &Value| {
            who.post(&format!("/api/v1/results/{}/review", results[at]), body).status
        };
        let (bare, given) = (json!({"outcome": "approved"}), json!({"outcome": "approved", "password": PASSWORD}));
        let (one, other) = (app.logged_in("reviewer"), app.logged_in("reviewer"));
        app.pass(Duration::seconds(61));
        let before = review(&one, 0, &bare);
        let with = review(&one, 0, &given);
        let after = review(&one, 1, &bare);
        let another = review(&other, 2, &bare);
        let listed = |id: &str| ok(&one.get(&format!("/api/v1/signatures?subject_kind=result&subject_id={id}")), 200);
        let hashes = [0, 1].map(|at| listed(&results[at])[0]["content_sha256"].clone());
        (before, with, after, another, hashes[0] != hashes[1])
    };
    assert_eq!(told("60"), (403, 200, 200, 403, true), "within the minute, in the same session");
    let (before, with, after, another, _) = told("0");
    assert_eq!((before, with, after, another), (403, 200, 403, 403), "every time");
}

/// A signature of somebody with a second factor takes its code, and wrong ones stop the confirming of passwords.
#[test]
fn a_signature_takes_the_code_where_there_is_a_second_factor() {
    let app = TestApp::start(On::Sqlite);
    let world = World::new(&app);
    let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
    let (_, result, _) = replaced(&world, &product, "L1", "98.0", &world.analyst);
    let factor = "/api/v1/session/second-factor";
    let reviewer = app.logged_in("reviewer");
    assert_eq!(reviewer.post(factor, &json!({"password": PASSWORD})).status, 204);
    let secret = text(&ok(&reviewer.get(factor), 200), "secret");
    let code = || crate::strangers::code(&secret, app.clock.now());
    assert_eq!(reviewer.post(&format!("{factor}/confirm"), &json!({"code": code()})).status, 204);
    app.pass(Duration::seconds(301));
    let review = format!("/api/v1/results/{result}/review");
    let without = reviewer.post(&review, &json!({"outcome": "approved", "password": PASSWORD}));
    assert_eq!((without.status, without.problem().as_str()), (401, "bad-credentials"), "{}", without.text);
    let with = json!({"outcome": "approved", "password": PASSWORD, "code": code()});
    ok(&reviewer.post(&review, &with), 200);
    // Five wrong ones, and none is taken for a while.
    let wrong = json!({"outcome": "approved", "password": "wrong horse battery staple"});
    for _ in 0..5 {
        assert_eq!(reviewer.post(&review, &wrong).problem(), "bad-credentials");
    }
    assert_eq!(
        reviewer.post(&review, &json!({"outcome": "approved", "password": PASSWORD})).problem(),
        "account-locked"
    );
}

/// Who may not, is not offered the button and is told why; who signs, sees the field once the grace is over, and a
/// wrong password blanks nothing.
#[test]
fn pages_offer_what_may_be_done_and_ask_for_the_password() {
    let app = TestApp::start(On::Sqlite);
    let world = World::new(&app);
    let all = everything(&app, "all");
    let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
    let (task, result, sample) = replaced(&world, &product, "L1", "98.0", &all);
    let page = Browser::logged_in(&app, "all").page(&format!("/tasks/{task}"));
    assert!(!page.contains(&format!("/tasks/{task}/review")), "offered to who entered a reading");
    assert!(page.contains("all于") && page.contains("录入数据"), "{page}");
    let reviewer = Browser::logged_in(&app, "reviewer");
    let fresh = reviewer.page(&format!("/tasks/{task}"));
    assert!(!fresh.contains("name=\"password\"") && fresh.contains("无须再次输入"), "{fresh}");
    app.pass(Duration::seconds(301));
    assert!(reviewer.page(&format!("/tasks/{task}")).contains("autocomplete=\"current-password\""));
    let review = format!("/tasks/{task}/review");
    let fields = [("result_id", result.as_str()), ("outcome", "approved"), ("note", "核对无误")];
    let bare = reviewer.form(&review, &fields);
    assert!(bare.status == 403 && bare.text.contains("核对无误"), "{} {}", bare.status, bare.text);
    let mut wrong = fields.to_vec();
    wrong.push(("password", "wrong horse battery staple"));
    let wrong = reviewer.form(&review, &wrong);
    assert!(wrong.status == 401 && wrong.text.contains("核对无误"), "{} {}", wrong.status, wrong.text);
    assert!(!wrong.text.contains("wrong horse"), "a password is not sent back");
    let mut right = fields.to_vec();
    right.push(("password", PASSWORD));
    let done = reviewer.form(&review, &right);
    assert_eq!((done.status, to(&done)), (303, "/review"));
    let shown = reviewer.page(&format!("/tasks/{task}"));
    assert!(shown.contains("电子签名") && shown.contains("复核通过"), "{shown}");
    let drafted = reviewer.form("/certificates", &[("sample_id", &sample)]);
    let certificate = to(&drafted).to_owned();
    assert!(!reviewer.page(&certificate).contains(&format!("{certificate}/review")), "the own draft");
    let record = world_of(&app, "analyst").get(&format!("/api/v1/samples/{sample}/raw-record"));
    assert!(record.bytes.starts_with(b"%PDF"), "{}", record.text);
}

/// What was approved is put right with a signature too, and a page offers that to whom it would be allowed.
#[test]
fn a_correction_is_signed_and_offered_to_whom_it_is_allowed() {
    on_both(|app| {
        let world = World::new(app);
        let all = everything(app, "all");
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let (task, result, _) = replaced(&world, &product, "L1", "98.0", &all);
        let approve = json!({"outcome": "approved"});
        ok(&world.reviewer.post(&format!("/api/v1/results/{result}/review"), &approve), 200);
        let page = |who: &str| Browser::logged_in(app, who).page(&format!("/tasks/{task}"));
        let (correction, review) = (format!("/tasks/{task}/correction"), format!("/tasks/{task}/review"));
        let own = page("all");
        assert!(!own.contains(&correction) && !own.contains(&review), "offered to who entered a value: {own}");
        assert!(own.contains("更正须由未录入过该结果数据的人提出"), "{own}");
        assert!(page("quality").contains(&correction) && page("reviewer").contains(&review));
        // Once the grace is over both ask for the password.
        let reviewer = later(app, "reviewer");
        let back = json!({"outcome": "sent_back", "note": "称量有误"});
        let bare = reviewer.post(&format!("/api/v1/results/{result}/review"), &back);
        assert_eq!(bare.problem(), "signature-needed");
        let path = format!("/api/v1/results/{result}/correction");
        let quality = later(app, "quality");
        let mut body = json!({"reason": "称量有误", "evidence": "原始记录第3页"});
        assert_eq!(quality.post(&path, &body).problem(), "signature-needed");
        body["password"] = json!(PASSWORD);
        ok(&quality.post(&path, &body), 201);
        let signed = format!("/api/v1/signatures?subject_kind=result&subject_id={result}");
        let signed = ok(&quality.get(&signed), 200);
        let meanings: Vec<&str> =
            signed.as_array().expect("a list").iter().filter_map(|one| one["meaning"].as_str()).collect();
        assert_eq!(meanings, ["复核通过", "批准更正结果"]);
    });
}

/// A signatory signs within the field and the dates, and not beyond them.
#[test]
fn a_signatory_signs_within_the_field_and_the_dates() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let made = json!({"username": "narrow", "display_name": "窄域", "password": PASSWORD, "institute": app.institute,
                          "roles": ["authorised_signatory"]});
        let id = text(&ok(&world.admin.post("/api/v1/accounts", &made), 201), "id");
        let fields = format!("/api/v1/accounts/{id}/fields");
        let certificate = |lot: &str| {
            let (_, result, sample) = replaced(&world, &product, lot, "98.0", &world.analyst);
            let approve = json!({"outcome": "approved"});
            ok(&world.reviewer.post(&format!("/api/v1/results/{result}/review"), &approve), 200);
            let draft =
                text(&ok(&world.reviewer.post("/api/v1/certificates", &json!({"sample_id": sample})), 201), "id");
            ok(&world.quality.post(&format!("/api/v1/certificates/{draft}/review"), &json!({})), 200);
            format!("/api/v1/certificates/{draft}/sign")
        };
        let sign = json!({"password": PASSWORD, "meaning": "授权签发"});
        let (first, second) = (certificate("L1"), certificate("L2"));
        let narrow = || app.logged_in("narrow").post(&first, &sign);
        let outside = |answer: Answer| {
            assert_eq!((answer.status, answer.problem().as_str()), (403, "outside-signing-field"), "{}", answer.text);
        };
        let appoint = |business: &str, category: Option<&str>, from: &str, to: Option<&str>| {
            let body = json!({"business": business, "category": category, "valid_from": from, "valid_to": to,
                              "document": "任命〔2026〕9号"});
            world.admin.post(&fields, &body)
        };
        outside(narrow());
        // The page does not offer it either, and says why not.
        let address = first.trim_start_matches("/api/v1").to_owned();
        let shown = || Browser::logged_in(app, "narrow").page(address.trim_end_matches("/sign"));
        let page = shown();
        assert!(!page.contains(&address) && page.contains("没有“药品注册检验·化学药品”的授权签字领域"), "{page}");
        assert_eq!(appoint("lot_release", None, "2026-01-01", None).json()["field"], "valid_to");
        ok(&appoint("lot_release", None, "2026-01-01", Some("2027-01-01")), 201);
        outside(narrow());
        ok(&appoint("drug_registration", Some("vaccine"), "2026-01-01", None), 201);
        outside(narrow());
        ok(&appoint("drug_registration", Some("chemical"), "2026-01-01", Some("2026-03-01")), 201);
        outside(narrow());
        ok(&appoint("drug_registration", Some("chemical"), "2026-03-03", None), 201);
        outside(narrow());
        let held = text(&ok(&appoint("drug_registration", Some("chemical"), "2026-03-02", None), 201), "id");
        // The database holds to it by itself, and to the appointments.
        refused(app, "UPDATE signatory_field SET valid_to = '2099-01-01'", "qianfa:append-only:");
        assert!(shown().contains(&address), "within the field it is offered");
        ok(&narrow(), 200);
        let end = json!({"ends_on": "2026-03-01", "reason": "岗位变动"});
        ok(&world.quality.post(&format!("/api/v1/signatory-fields/{held}/end"), &end), 200);
        outside(app.logged_in("narrow").post(&second, &sign));
        let told = ok(&world.quality.get(&fields), 200);
        assert_eq!(told.as_array().map(Vec::len), Some(5));
        assert_eq!(told[4]["end_reason"], "岗位变动");
        // Nobody appoints themselves, and an analyst is no signatory.
        let own = text(&ok(&world.admin.get("/api/v1/session"), 200), "account");
        let all = json!({"business": Business::PortEntry, "valid_from": "2026-01-01", "document": "x"});
        let refused = world.admin.post(&format!("/api/v1/accounts/{own}/fields"), &all);
        assert_eq!(refused.problem(), "self-review", "{}", refused.text);
    });
}

/// The laboratory check without a cause.
fn world_check(who: &Client, task: &str) -> crate::support::client::Answer {
    let points = ["analyst", "instrument", "standard", "solution", "calculation"];
    let answers: Vec<_> = points.iter().map(|point| json!({"point": point, "finding": "in_order"})).collect();
    who.post(&format!("/api/v1/tasks/{task}/investigation/check"), &json!({"answers": answers, "reason": "检查"}))
}
