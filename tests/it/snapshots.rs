//! One body per answer of the API, and every page, as they were agreed. A change is seen in the diff of the snapshots
//! (`INSTA_UPDATE=always cargo test --test it snapshots`), and read there.

use std::collections::{BTreeMap, BTreeSet};

use qianfa::app::routes;
use qianfa::vocabulary::Role;
use serde_json::{Value, json};

use crate::pages::Browser;
use crate::support::client::{Client, recorded};
use crate::support::{On, TestApp, on_both, text};
use crate::world::{World, ok};

/// Fields whose values are made by chance or grow with the program, not with the work.
const CHANCE: &[&str] = &[
    "access_token",
    "refresh_token",
    "csrf",
    "verification_code",
    "sha256",
    "file_sha256",
    "pdf_sha256",
    "data_sha256",
    "signature",
    "chained",
    "root",
    "key_id",
    "request_id",
    "digest",
    "version_of_program",
];
/// How many elements of a list a snapshot shows.
const SHOWN: usize = 2;

/// Ids in the order in which they turn up.
#[derive(Default)]
struct Ids(BTreeMap<String, usize>);

impl Ids {
    /// The text with every UUID as `id-1`, `id-2`, … and every digest as `sha256`.
    fn plain(&mut self, text: &str) -> String {
        let uuid =
            regex::Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").expect("a pattern");
        let digest = regex::Regex::new("\\b[0-9a-f]{64}\\b").expect("a pattern");
        let text = uuid.replace_all(text, |found: &regex::Captures| {
            let next = self.0.len() + 1;
            format!("id-{}", self.0.entry(found[0].to_owned()).or_insert(next))
        });
        let text = digest.replace_all(&text, "sha256");
        // The server's port and the code of a certificate are chance.
        let port = regex::Regex::new(r"127\.0\.0\.1:\d+").expect("a pattern");
        let code = regex::Regex::new(r"\b[A-Z0-9]{16}\b").expect("a pattern");
        let text = port.replace_all(&text, "127.0.0.1");
        code.replace_all(&text, "CODE").into_owned()
    }

    fn body(&mut self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    if CHANCE.contains(&name.as_str()) && field.is_string() {
                        *field = json!("…");
                    } else {
                        self.body(field);
                    }
                }
            }
            Value::Array(list) => {
                let more = list.len().saturating_sub(SHOWN);
                list.truncate(SHOWN);
                list.iter_mut().for_each(|one| self.body(one));
                if more > 0 {
                    list.push(json!("…"));
                }
            }
            Value::String(text) => *text = self.plain(text),
            _ => {}
        }
    }
}

/// The route that a request went to, as the table has it.
fn route(method: &str, path: &str) -> Option<String> {
    let path = path.split('?').next().unwrap_or(path);
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |pattern: &str| {
        let wanted: Vec<&str> = pattern.split('/').collect();
        wanted.len() == parts.len()
            && wanted.iter().zip(&parts).all(|(want, part)| want.starts_with('{') || want == part)
    };
    let table = routes::table();
    let entries = table.entries().iter().filter(|entry| entry.method.as_str() == method);
    // A path without parameters is more exact than one with.
    let mut found: Vec<&str> = entries.map(|entry| entry.path).filter(|pattern| fits(pattern)).collect();
    found.sort_by_key(|pattern| pattern.matches('{').count());
    found.first().map(|pattern| format!("{method} {pattern}"))
}

/// Everybody and everything that the routes speak of, made over HTTP.
struct Shop<'a> {
    world: World<'a>,
    all: Client,
    ids: BTreeMap<&'static str, String>,
}

fn shop(app: &TestApp) -> Shop<'_> {
    let world = World::new(app);
    let staff: Vec<Role> = Role::ALL.iter().copied().filter(|role| *role != Role::Applicant).collect();
    app.account("everything", &staff);
    let all = app.logged_in("everything");
    let items = json!([
        {"code": "description", "name_zh": "性状", "name_en": "Description", "method": "目视", "kind": "text",
         "limit": "应为白色粉末", "compare_by": "text", "consumes": "10"},
        {"code": "assay", "name_zh": "含量测定", "name_en": "Assay", "method": "通则0512", "kind": "numeric",
         "unit": "%", "limit": "95.0~105.0", "compare_by": "rounded", "consumes": "10",
         "inputs": [{"name": "x", "unit": "%", "source": {"quantity": "amount", "analyte": "Nitisinone"}}]},
    ]);
    let mut ids = BTreeMap::new();
    let product = world.product("NTBC", "chemical", &["rare_disease"], &items);
    let body = world.intake_body("drug_registration", &product, "A1", 4);
    ok(&world.receiver.post("/api/v1/intake/preview", &body["application"]), 200);
    let taken = ok(&world.receiver.post("/api/v1/intake", &body), 201);
    let sample = text(&taken["samples"][0], "id");
    let number = text(&taken["samples"][0], "number");
    ids.insert("applications", text(&taken, "application_id"));
    ids.insert("samples", sample.clone());
    ids.insert("by-code", number.clone());
    ids.insert("products", product.clone());

    let name = "SX20260001_assay_Report.TXT";
    let bytes = instrument_adapters::embedded::sample("agilent-chemstation-report", name).expect("a sample");
    let upload = |client: &Client, name: &str, bytes: &[u8]| {
        let path = format!("/api/v1/instrument-files?name={name}");
        ok(&client.send("POST", &path, Some("application/octet-stream"), bytes.to_vec()), 201)
    };
    let file = upload(&world.analyst, name, bytes);
    let file = text(&file["file"], "id");
    ok(&world.analyst.post(&format!("/api/v1/instrument-files/{file}/accept"), &json!({})), 200);
    ids.insert("instrument-files", file.clone());
    let task = world.task(&number, "description", "waiting");
    ok(&world.analyst.post(&format!("/api/v1/tasks/{task}/start"), &json!({})), 200);
    let entry = json!({"readings": [{"name": "x", "raw": "白色粉末"}], "conforms": true});
    ok(&world.analyst.post(&format!("/api/v1/tasks/{task}/entry"), &entry), 201);
    ids.insert("tasks", task);
    world.approve_all();
    let issued = world.issue(&sample);
    ids.insert("certificates", text(&issued, "id"));
    ids.insert("verify", text(&issued, "verification_code"));

    let draft = json!({
        "business": "drug_registration", "applicant_id": world.applicant_id, "product_id": product,
        "batches": [{"lot_number": "B1", "expires_on": "2028-12-31"}],
    });
    let draft = ok(&world.receiver.post("/api/v1/applications", &draft), 201);
    ok(
        &world.receiver.post(&format!("/api/v1/applications/{}/accept", text(&draft, "application_id")), &json!({})),
        200,
    );
    let receipt = json!({"samples": [{"lot_number": "B1", "containers": 4, "temperature": "5.0"}]});
    let path = format!("/api/v1/applications/{}/receipt", text(&draft, "application_id"));
    let received = ok(&world.receiver.post(&path, &receipt), 201);
    let second = text(&received["samples"][0], "id");
    let moved = json!({"from": "test_portion", "to": "consumed", "quantity": 1, "reason": "检验"});
    ok(&world.analyst.post(&format!("/api/v1/samples/{second}/custody"), &moved), 201);

    let instrument = json!({"code": "HPLC-01", "name": "液相色谱仪", "serial": "SN-1"});
    let made = ok(&world.quality.post("/api/v1/instruments", &instrument), 201);
    ids.insert("instruments", text(&made, "id"));
    let lot = json!({"name": "示范对照品", "batch": "A", "source": "中国食品药品检定研究院", "purity": "99.6",
                     "basis": "as_is", "expires_on": "2027-12-31"});
    ok(&world.quality.post("/api/v1/reference-standards", &lot), 201);
    Shop { world, all, ids }
}

/// The address of a route with the ids of what was made; none where nothing of its kind was.
fn address(pattern: &str, ids: &BTreeMap<&'static str, String>) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in pattern.split('/') {
        if part.starts_with('{') {
            let kind = match parts.last().map(String::as_str)? {
                "cases" => "applications",
                other => other,
            };
            parts.push(ids.get(kind)?.clone());
        } else {
            parts.push(part.to_owned());
        }
    }
    Some(parts.join("/"))
}

fn named(route: &str) -> String {
    if route == "/" {
        return "home".to_owned();
    }
    route.replace(['/', ' ', '{', '}', '-', '.'], "_").replace("__", "_").trim_matches('_').to_owned()
}

#[test]
fn every_answer_of_the_api_is_as_agreed() {
    on_both(|app| {
        let answers = recorded(|| {
            let shop = shop(app);
            for entry in routes::table().entries() {
                let api = entry.path.starts_with("/api/v1/") && !entry.path.starts_with("/api/v1/my/");
                // How far the trail is sealed is chance.
                if !(api && entry.method == "GET") || entry.path.starts_with("/api/v1/audit") {
                    continue;
                }
                if let Some(path) = address(entry.path, &shop.ids) {
                    shop.all.get(&path);
                }
            }
            drop(shop.world);
        });
        let (mut ids, mut seen) = (Ids::default(), BTreeSet::new());
        for answer in answers {
            let Some(route) = route(&answer.method, &answer.path) else { continue };
            let api = route.contains(" /api/v1/") && answer.json && (200..300).contains(&answer.status);
            if !api || answer.text.is_empty() || !seen.insert(route.clone()) {
                continue;
            }
            let mut body: Value = serde_json::from_str(&answer.text).expect("JSON");
            ids.body(&mut body);
            insta::with_settings!({prepend_module_to_snapshot => false, snapshot_path => "snapshots/api", omit_expression => true}, {
                insta::assert_snapshot!(named(&route), format!("{}\n{:#}", answer.status, body));
            });
        }
        assert!(seen.len() > 55, "{} answers", seen.len());
    });
}

/// What differs from one run to the next, or from one build to the next, in a page.
fn steady(ids: &mut Ids, page: &str) -> String {
    // The trail is sealed in the background: how far is chance.
    let mut text = ids.plain(page).replace("<span class=\"good\" title=\"已封存\"> ●</span>", "");
    for (start, end) in [
        ("name=\"csrf\" value=\"", "\""),
        ("name=\"once\"\n  value=\"", "\""),
        ("csrf=", "\""),
        ("?v=", "\""),
        ("data-request=\"", "\""),
    ] {
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find(start) {
            let (before, after) = rest.split_at(at + start.len());
            out.push_str(before);
            out.push('…');
            rest = after.find(end).map_or("", |cut| &after[cut..]);
        }
        out.push_str(rest);
        text = out;
    }
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_page_is_as_agreed() {
    let app = TestApp::start(On::Sqlite);
    let shop = shop(&app);
    let browser = Browser::logged_in(&app, "everything");
    let table = qianfa::web::table();
    let mut seen = 0;
    for entry in table.entries().iter().filter(|entry| entry.method == "GET") {
        let part = entry.path.ends_with("/choices") || entry.path.ends_with("/options");
        if part || entry.path.starts_with("/static") || ["/find", "/favicon.ico"].contains(&entry.path) {
            continue;
        }
        let Some(path) = address(entry.path, &shop.ids) else { continue };
        let answer = browser.get(&path);
        // An export asks in which form; the order of fields on the page of the trail is a choice of the build.
        if entry.path.ends_with("/export")
            // How far the trail is sealed is chance.
            || entry.path.starts_with("/audit")
            || !answer.headers.get("content-type").is_some_and(|kind| kind.starts_with("text/html"))
        {
            continue;
        }
        assert_eq!(answer.status, 200, "{path}");
        // Each page counts its own ids, so that one page's change is that page's diff.
        let text = steady(&mut Ids::default(), &answer.text);
        insta::with_settings!({prepend_module_to_snapshot => false, snapshot_path => "snapshots/pages", omit_expression => true}, {
            insta::assert_snapshot!(named(entry.path), text);
        });
        seen += 1;
    }
    assert!(seen > 30, "{seen} pages");
}
