//! Certificates over HTTP, on both databases: what is asked of who signs, what an amendment may amend, what a caller
//! who is late is told, and what is read of them by whom.

use std::time::Duration;

use qianfa::record::{MisfitKind, Witness, seal_misfit};
use serde_json::{Value, json};

use crate::evaluation::sql;
use crate::support::{PASSWORD, TestApp, on_both, text};
use crate::world::{World, ok, one_item};

/// A tested sample: its id.
fn tested(world: &World, lot: &str) -> String {
    let product = world.product(&format!("P-{lot}"), "chemical", &["rare_disease"], &one_item("≥97.0"));
    let taken = world.take_in("drug_registration", &product, lot, 2);
    let task = world.task(&text(&taken["samples"][0], "number"), "assay", "waiting");
    world.enter(&task, "99.2");
    world.approve_all();
    text(&taken["samples"][0], "id")
}

fn draft(world: &World, sample: &str) -> String {
    text(&ok(&world.reviewer.post("/api/v1/certificates", &json!({"sample_id": sample})), 201), "id")
}

fn at(id: &str, what: &str) -> String {
    format!("/api/v1/certificates/{id}/{what}")
}

/// The words of a PDF.
fn words(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("one.pdf");
    std::fs::write(&file, bytes).expect("written");
    let made = std::process::Command::new("pdftotext").arg("-layout").arg(&file).arg("-").output().expect("pdftotext");
    String::from_utf8_lossy(&made.stdout).replace(' ', "")
}

#[test]
fn lane_and_terms_are_on_the_copy_of_the_laboratory_alone() {
    let app = crate::support::TestApp::start(crate::support::On::Sqlite);
    let world = World::new(&app);
    let sample = tested(&world, "A");
    let first = draft(&world, &sample);
    let unsigned = words(&world.quality.get(&at(&first, "internal-copy")).bytes);
    assert!(unsigned.contains("办理通道") && unsigned.contains("（待签发）"), "{unsigned}");
    ok(&world.reviewer.post(&at(&first, "discard"), &json!({"reason": "重拟"})), 200);
    let id = text(&world.issue(&sample), "id");
    let (given, kept) = (world.quality.get(&at(&id, "pdf")).bytes, world.quality.get(&at(&id, "internal-copy")).bytes);
    let (given_words, kept_words) = (words(&given), words(&kept));
    for own in ["办理通道", "适用规定", "届满"] {
        assert!(kept_words.contains(own), "{own} in {kept_words}");
        assert!(!given_words.contains(own), "{own} in {given_words}");
    }
    assert!(kept_words.contains("未经电子签名") && given_words.contains("本文件以电子签名签发"), "{kept_words}");
    let data = qianfa::documents::attached_json(&given).expect("the attached data");
    let data: Value = serde_json::from_slice(&data).expect("JSON");
    assert!(data["decision"].is_null(), "machines read no terms either: {data}");
    assert_eq!(world.analyst.get(&at(&id, "internal-copy")).status, 403);
}

#[test]
fn who_signs_gives_the_password_and_one_of_the_meanings_there_are() {
    on_both(|app| {
        let world = World::new(app);
        let id = draft(&world, &tested(&world, "A"));
        ok(&world.quality.post(&at(&id, "review"), &json!({})), 200);
        let sign = |body: &Value| world.signatory.post(&at(&id, "sign"), body);
        let other = sign(&json!({"password": PASSWORD, "meaning": "同意"}));
        assert_eq!((other.status, other.json()["field"].as_str()), (422, Some("meaning")), "{}", other.text);
        assert!(other.text.contains("授权签发"), "says which there are: {}", other.text);
        let wrong = sign(&json!({"password": "not the password", "meaning": "授权签发"}));
        assert_eq!(wrong.status, 401, "{}", wrong.text);
        let signed = ok(&sign(&json!({"password": PASSWORD, "meaning": "授权签发"})), 200);
        assert_eq!(signed["state"], "issued");
        // The trail says what was signed, bound to the file, and nowhere the password.
        let path = format!("/api/v1/audit?subject_kind=certificate&subject_id={id}");
        let trail = world.quality.get(&path);
        assert!(trail.text.contains("certificate.sign") && trail.text.contains(&text(&signed, "pdf_sha256")));
        assert!(!trail.text.contains(PASSWORD));
    });
}

#[test]
fn a_key_does_not_keep_a_password() {
    on_both(|app| {
        let world = World::new(app);
        let id = draft(&world, &tested(&world, "A"));
        ok(&world.quality.post(&at(&id, "review"), &json!({})), 200);
        let keyed = app.logged_in("signatory").with("Idempotency-Key", "sign-1");
        let body = json!({"password": PASSWORD, "meaning": "授权签发"});
        let first = ok(&keyed.post(&at(&id, "sign"), &body), 200);
        // Whoever repeats the request is answered as before; what tells it from another holds no password.
        let again = ok(&keyed.post(&at(&id, "sign"), &json!({"password": "another", "meaning": "授权签发"})), 200);
        assert_eq!(first, again);
        let other = keyed.post(&at(&id, "sign"), &json!({"password": PASSWORD, "meaning": "批准签发"}));
        assert_eq!(other.problem(), "idempotency-mismatch");
    });
}

#[test]
fn one_amendment_at_a_time_and_only_of_what_is_in_force() {
    on_both(|app| {
        let world = World::new(app);
        let sample = tested(&world, "A");
        let first = text(&world.issue(&sample), "id");
        world.correct_strength(&sample);
        let amend = |id: &str| json!({"sample_id": sample, "amends": {"certificate_id": id, "reason": "更正规格"}});
        let open = text(&ok(&world.reviewer.post("/api/v1/certificates", &amend(&first)), 201), "id");
        let second = world.reviewer.post("/api/v1/certificates", &amend(&first));
        assert_eq!((second.status, second.json()["field"].as_str()), (409, Some("amends.certificate_id")));
        // A discarded amendment makes room for another.
        ok(&world.reviewer.post(&at(&open, "discard"), &json!({"reason": "起草有误"})), 200);
        let third = world.issue_draft(&amend(&first));
        assert_eq!(third["state"], "issued");
        let late = world.reviewer.post("/api/v1/certificates", &amend(&first));
        assert_eq!(late.problem(), "wrong-state", "{}", late.text);
    });
}

#[test]
fn who_saw_an_older_version_is_told_what_changed() {
    on_both(|app| {
        let world = World::new(app);
        let id = draft(&world, &tested(&world, "A"));
        let seen = ok(&world.reviewer.get(&format!("/api/v1/certificates/{id}")), 200)["revision"].to_string();
        ok(&world.quality.post(&at(&id, "review"), &json!({})), 200);
        let late = app.logged_in("reviewer").with("If-Match", &format!("\"{seen}\""));
        let refused = late.post(&at(&id, "discard"), &json!({"reason": "抄写错误"}));
        assert_eq!(refused.problem(), "stale", "{}", refused.text);
        assert!(refused.text.contains("reviewed") && refused.text.contains("quality"), "{}", refused.text);
        ok(&world.reviewer.post(&at(&id, "discard"), &json!({"reason": "抄写错误"})), 200);
    });
}

#[test]
fn particulars_that_cannot_be_read_make_no_certificate_with_blanks() {
    on_both(|app| {
        let world = World::new(app);
        let sample = tested(&world, "A");
        let broken = "UPDATE application SET particulars = '{\"supplier\": 1}'";
        assert_eq!(sql(app, broken), Ok(()));
        let refused = world.reviewer.post("/api/v1/certificates", &json!({"sample_id": sample}));
        assert_eq!(refused.status, 500, "{}", refused.text);
        assert!(refused.text.contains("application.particulars"), "names the place: {}", refused.text);
        assert_eq!(ok(&world.reviewer.get("/api/v1/certificates"), 200)["total"], 0);
    });
}

#[test]
fn the_register_goes_on_by_cursor() {
    on_both(|app| {
        let world = World::new(app);
        let drafts: Vec<String> = ["A", "B", "C"].iter().map(|lot| draft(&world, &tested(&world, lot))).collect();
        let mut seen = Vec::new();
        let mut path = "/api/v1/certificates?limit=2".to_owned();
        loop {
            let part = ok(&world.reviewer.get(&path), 200);
            assert_eq!((&part["total"], &part["total_at_least"]), (&json!(3), &json!(false)));
            seen.extend(part["items"].as_array().unwrap().iter().map(|row| text(row, "id")));
            let Some(next) = part["next"].as_str() else { break };
            path = format!("/api/v1/certificates?limit=2&after={next}");
        }
        assert_eq!(seen, drafts.iter().rev().cloned().collect::<Vec<_>>(), "the newest first, each once");
        assert_eq!(world.reviewer.get("/api/v1/certificates?after=17").status, 422);
        assert_eq!(world.reviewer.get("/api/v1/certificates?offset=10001").status, 422);
    });
}

fn own(app: &TestApp, applicant: &str) -> crate::support::client::Client {
    let new = json!({"username": "firm", "display_name": "示范公司", "password": PASSWORD, "applicant": applicant,
                     "roles": ["applicant"]});
    ok(&app.logged_in("admin").post("/api/v1/accounts", &new), 201);
    app.logged_in("firm")
}

#[test]
fn an_applicant_sees_what_was_signed_for_it_and_no_draft() {
    on_both(|app| {
        let world = World::new(app);
        let firm = own(app, &world.applicant_id);
        let (open, signed) = (draft(&world, &tested(&world, "A")), world.issue(&tested(&world, "B")));
        let listed = ok(&firm.get("/api/v1/my/certificates"), 200);
        assert_eq!((&listed["total"], &listed["items"][0]["id"]), (&json!(1), &signed["id"]));
        assert_eq!(firm.get(&format!("/api/v1/my/certificates/{open}/pdf")).status, 404);
        let id = text(&signed, "id");
        assert_eq!(firm.get(&format!("/api/v1/my/certificates/{id}/pdf")).status, 200);
        // What was withdrawn stays visible to whom it was issued.
        ok(&world.quality.post(&at(&id, "withdraw"), &json!({"reason": "标签有误", "password": PASSWORD})), 200);
        assert_eq!(ok(&firm.get("/api/v1/my/certificates"), 200)["items"][0]["state"], "withdrawn");
    });
}

const PENDING: &str = "SELECT count(*) AS count FROM pending_file";

/// The signed documents among the stored files.
fn signed_files(app: &TestApp) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![app.services.site.files()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read(&path).expect("a file").windows(10).any(|part| part == b"/ByteRange") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn a_signature_that_is_refused_leaves_no_signed_document() {
    on_both(|app| {
        let world = World::new(app);
        let id = draft(&world, &tested(&world, "A"));
        ok(&world.quality.post(&at(&id, "review"), &json!({})), 200);
        let body = json!({"password": PASSWORD, "meaning": "授权签发"});
        // Typeset and signed, and then the transaction fails: once at the signature, once at its last statement.
        for table in ["signature", "audit_entry"] {
            crate::invariants::sql(app, &format!("ALTER TABLE {table} RENAME TO out_of_reach")).expect("renamed");
            let failed = world.signatory.post(&at(&id, "sign"), &body);
            crate::invariants::sql(app, &format!("ALTER TABLE out_of_reach RENAME TO {table}")).expect("renamed");
            assert!(failed.status >= 500, "{table}: {}", failed.text);
            assert_eq!(signed_files(app), Vec::<std::path::PathBuf>::new(), "{table}");
            assert_eq!(crate::kill::count(&app.services.db, PENDING), 0);
        }
        let signed = ok(&world.signatory.post(&at(&id, "sign"), &body), 200);
        let sha256 = text(&signed, "pdf_sha256");
        assert_eq!(signed_files(app).len(), 1);
        assert_eq!(crate::kill::count(&app.services.db, PENDING), 0);

        // A crash between the commit and the file: the document is read from where it lies, and is moved at the next
        // start.
        let pdf = app.services.files.get(&sha256).expect("the document");
        let there = signed_files(app).remove(0);
        std::fs::remove_file(&there).expect("gone");
        let kept = pdf.clone();
        app.services
            .db
            .write(move |conn| qianfa::store::pending::keep(conn, &kept))
            .expect("as the transaction left it");
        assert_eq!(world.quality.get(&at(&id, "pdf")).bytes, pdf);
        assert_eq!(qianfa::store::pending::settle(&app.services.db, &app.services.files).ok(), Some(1));
        assert_eq!(app.services.files.get(&sha256).expect("the document"), pdf);
        assert_eq!(world.quality.get(&at(&id, "pdf")).bytes, pdf);
    });
}

#[test]
fn a_certificate_prints_the_newest_seal_of_the_trail_and_the_trail_is_held_to_it() {
    on_both(|app| {
        let world = World::new(app);
        let sample = tested(&world, "A");
        assert!(app.services.sealer.seal_all(Duration::from_secs(10)).expect("sealed"));
        let issued = world.issue(&sample);
        assert!(issued["data"]["seal"].is_null(), "what was reviewed has none");
        let pdf = app.services.files.get(&text(&issued, "pdf_sha256")).expect("the document");
        let data = qianfa::documents::attached_json(&pdf).expect("its data");
        let seal = serde_json::from_slice::<Value>(&data).expect("JSON")["seal"].take();
        let written = format!("{}:{}", text(&seal, "number"), text(&seal, "sha256"));
        let printed = Witness::parse(&written).expect("a seal as `audit verify --seal` takes it");
        let misfit = |seal: &Witness| app.services.db.read(|conn| seal_misfit(conn, seal)).expect("looked up");
        assert_eq!(misfit(&printed), None);
        let other = Witness { chained: "0".repeat(64), ..printed.clone() };
        assert_eq!(misfit(&other).map(|one| one.kind), Some(MisfitKind::SealChanged));
        let cut = Witness { seq: printed.seq + 1_000, ..printed };
        assert_eq!(misfit(&cut).map(|one| one.kind), Some(MisfitKind::SealMissing));
    });
}
