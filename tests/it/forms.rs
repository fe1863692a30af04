//! The forms of a page, as a browser without scripts reads and sends them; and what every form that writes carries.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use qianfa::action::act_as_program;
use qianfa::catalogue::NameKeeper;
use qianfa::record::Author;
use qianfa::vocabulary::Role;
use serde_json::{Value, json};

use crate::evaluation::kept_sequence;
use crate::pages::Browser;
use crate::strangers::code;
use crate::support::client::Answer;
use crate::support::{On, PASSWORD, TestApp, text};
use crate::world::{World, ok};

/// A form with the fields that a browser would send.
#[derive(Clone, Debug)]
pub struct PageForm {
    pub action: String,
    pub post: bool,
    /// Whether it sends files.
    pub files: bool,
    pub fields: Vec<(String, String)>,
}

impl PageForm {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// With these fields typed over.
    pub fn with(&self, typed: &[(&str, &str)]) -> Self {
        let mut form = self.clone();
        form.fields.retain(|(field, _)| typed.iter().all(|(name, _)| name != field));
        form.fields.extend(typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        form
    }

    /// As a client sends it that does not know of this field.
    pub fn without(&self, name: &str) -> Self {
        let mut form = self.clone();
        form.fields.retain(|(field, _)| field != name);
        form
    }

    pub fn send(&self, browser: &Browser) -> Answer {
        // The browser adds its own token.
        let fields: Vec<(&str, &str)> =
            self.fields.iter().filter(|(name, _)| name != "csrf").map(|(n, v)| (n.as_str(), v.as_str())).collect();
        browser.form(&self.action, &fields)
    }

    /// Whether a hidden field is there and says something; a form with files has it in its address.
    fn carries(&self, name: &str) -> bool {
        let in_address = self.action.split(['?', '&']).skip(1).find_map(|part| part.strip_prefix(&format!("{name}=")));
        self.get(name).or(in_address).is_some_and(|value| !value.is_empty())
    }
}

/// The form of a page that goes to this address.
pub fn form(page: &str, action: &str) -> PageForm {
    let found = forms(page).into_iter().find(|form| form.post && form.action == action);
    found.unwrap_or_else(|| panic!("no form goes to {action} in {page}"))
}

/// The forms of a page in their order.
pub fn forms(page: &str) -> Vec<PageForm> {
    let mut forms: Vec<PageForm> = Vec::new();
    let (mut open, mut select) = (false, None);
    // A button may send its form elsewhere.
    let mut elsewhere: BTreeSet<(usize, String)> = BTreeSet::new();
    for (tag, attributes, content) in tags(page) {
        let of = |name: &str| attributes.get(name).cloned();
        if tag == "form" {
            let post = of("method").is_some_and(|method| method == "post");
            let files = of("enctype").is_some_and(|kind| kind == "multipart/form-data");
            forms.push(PageForm { action: of("action").unwrap_or_default(), post, files, fields: Vec::new() });
            open = true;
        }
        open &= tag != "/form";
        let count = forms.len();
        let Some(form) = forms.last_mut().filter(|_| open) else { continue };
        if let Some(action) = of("formaction").filter(|_| tag == "button") {
            elsewhere.insert((count - 1, action));
        }
        let name = of("name").filter(|name| !name.is_empty());
        match (tag, name) {
            ("input", Some(name)) => {
                let kind = of("type").unwrap_or_default();
                let ticked = !matches!(kind.as_str(), "checkbox" | "radio") || attributes.contains_key("checked");
                if ticked && !matches!(kind.as_str(), "file" | "submit") {
                    form.fields.push((name, of("value").unwrap_or_default()));
                }
            }
            ("textarea", Some(name)) => form.fields.push((name, unescaped(content))),
            ("select", name) => select = name,
            ("option", _) => {
                // The first one is chosen until another says that it is.
                let Some(name) = &select else { continue };
                let value = of("value").unwrap_or_default();
                let chosen = attributes.contains_key("selected");
                match form.fields.iter_mut().find(|(field, _)| field == name) {
                    None => form.fields.push((name.clone(), value)),
                    Some((_, old)) if chosen => *old = value,
                    Some(_) => {}
                }
            }
            ("/select", _) => select = None,
            _ => {}
        }
    }
    for (at, action) in elsewhere {
        let sent = PageForm { action, ..forms[at].clone() };
        forms.push(sent);
    }
    forms
}

/// The tags of a page, each with its attributes and with the text behind it.
fn tags(page: &str) -> Vec<(&str, BTreeMap<String, String>, &str)> {
    page.split('<')
        .skip(1)
        .map(|part| {
            let end = closing(part);
            let (inside, content) = (&part[..end], part.get(end + 1..).unwrap_or_default());
            let (tag, rest) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
            (tag, attributes(rest), content)
        })
        .collect()
}

/// Where a tag ends: at the first `>` outside quotation marks.
fn closing(part: &str) -> usize {
    let mut quoted = false;
    for (at, letter) in part.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            '>' if !quoted => return at,
            _ => {}
        }
    }
    part.len()
}

fn attributes(mut rest: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    loop {
        rest = rest.trim_start();
        let end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
        if end == 0 {
            return found;
        }
        let (name, behind) = rest.split_at(end);
        let value = behind.strip_prefix("=\"").and_then(|value| value.split_once('"'));
        let (value, behind) = value.unwrap_or(("", behind));
        found.insert(name.to_owned(), unescaped(value));
        rest = behind.strip_prefix('=').unwrap_or(behind);
    }
}

fn unescaped(text: &str) -> String {
    [("&#x2F;", "/"), ("&#x27;", "'"), ("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (written, meant)| text.replace(written, meant))
}

/// Posts that are no write of an account: they open or end a session, or only ask.
const NO_WRITE: &[&str] = &["/login", "/logout", "/verify", "/verify/{code}", "/desk/preview", "/desk/form"];

/// Forms that add a thing to what their address names, or make another one from it, and change nothing of it. An
/// evaluation never changes: its acceptance enters readings elsewhere, and says why where there are some already. An own
/// session is ended whatever became of it meanwhile: nothing that somebody wrote is lost with it.
const ADDING: &[&str] = &[
    "/instruments/{id}/calibrations",
    "/instruments/{id}/run-lists",
    "/certificates/{id}/amend",
    // A finding about a protocol is only added; the newest counts.
    "/cases/{id}/protocol",
    "/evaluations/{id}/versions",
    // Labels are printed: nothing of the sample changes.
    "/samples/{id}/labels",
    "/evaluations/{id}/accept",
    "/sessions/{id}/end",
    // An appointment is only added, and so is its end.
    "/accounts/{id}/fields",
    "/signatory-fields/{id}/end",
    // A proposal is confirmed once, and never changes; a correction is decided once.
    "/corrections/{id}/decision",
    "/owner-proposals/{id}/confirm",
    // The steps of a request are only added, in their order.
    "/keeping/{id}/approve",
    "/keeping/{id}/refuse",
    "/keeping/{id}/carry-out",
    "/keeping/{id}/witness",
];

/// Every form of every page that any member of staff reaches, in a laboratory where something waits for everybody.
pub fn every_form(app: &TestApp) -> BTreeMap<String, Vec<PageForm>> {
    at_work(app);
    let mut found: BTreeMap<String, Vec<PageForm>> = BTreeMap::new();
    for who in ["receiver", "analyst", "reviewer", "quality", "signatory", "sampler", "admin"] {
        for form in reached(&Browser::logged_in(app, who)) {
            let path = form.action.split('?').next().unwrap_or_default();
            let route = route_of(path).unwrap_or_else(|| panic!("{path} is no address of a form"));
            found.entry(route).or_default().push(form);
        }
    }
    found
}

/// The route that serves a form's address.
fn route_of(path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    let table = qianfa::web::table();
    let fits = |route: &str| {
        let wanted: Vec<&str> = route.split('/').collect();
        wanted.len() == parts.len() && wanted.iter().zip(&parts).all(|(w, p)| w.starts_with('{') || w == p)
    };
    let mut posts = table.entries().iter().filter(|entry| entry.method == "POST").map(|entry| entry.path);
    posts.find(|route| *route == path || fits(route)).map(str::to_owned)
}

/// The forms of every page that is reached by links from the first page and from the pages without an id.
fn reached(browser: &Browser) -> Vec<PageForm> {
    let table = qianfa::web::table();
    let gets = table.entries().iter().filter(|entry| entry.method == "GET" && !entry.path.contains(['{', '.']));
    let mut waiting: VecDeque<String> = gets.map(|entry| entry.path.to_owned()).collect();
    let mut seen: BTreeSet<String> = waiting.iter().cloned().collect();
    let mut variants: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::new();
    while let Some(address) = waiting.pop_front() {
        let answer = browser.get(&address);
        let page = answer.headers.get("content-type").is_some_and(|kind| kind.starts_with("text/html"));
        if answer.status != 200 || !page {
            continue;
        }
        found.extend(forms(&answer.text).into_iter().filter(|form| form.post));
        for (tag, attributes, _) in tags(&answer.text) {
            let href = attributes.get("href").filter(|_| tag == "a").map(String::as_str).unwrap_or_default();
            let href = href.split('#').next().unwrap_or_default();
            if href.starts_with("/evaluations/new?file=") {
                // What the page asks next: by which method.
                let chosen = format!("{href}&method=lc-external-standard");
                if seen.insert(chosen.clone()) {
                    waiting.push_back(chosen);
                }
            }
            let inside = href.starts_with('/') && !href.starts_with("/static") && !href.contains("lang=");
            let path = href.split('?').next().unwrap_or_default().to_owned();
            if inside && seen.insert(href.to_owned()) {
                // A few filters of a list are enough.
                let variant = variants.entry(path).or_default();
                *variant += 1;
                if *variant <= 5 {
                    waiting.push_back(href.to_owned());
                }
            }
        }
        assert!(seen.len() < 2000, "pages without end: {address}");
    }
    found
}

/// The first institute keeps the shared catalogue, as the command line says it.
pub fn keeper(app: &TestApp) {
    let code = crate::support::institute().code;
    act_as_program(&app.services, &app.admin, Author::nobody("installation", None), NameKeeper { code })
        .expect("a keeper");
}

fn ok_empty(answer: &Answer) {
    assert_eq!(answer.status, 204, "{}", answer.text);
}

/// A laboratory in which something waits at every step.
fn at_work(app: &TestApp) {
    let world = World::new(app);
    app.account("sampler", &[Role::PortSampler]);
    let items = json!([{"code": "assay", "name_zh": "含量测定", "name_en": "Assay", "method": "通则0512",
        "kind": "numeric", "unit": "%", "limit": "95.0~105.0", "compare_by": "rounded", "consumes": "10",
        "inputs": [{"name": "x", "unit": "%", "source": {"quantity": "amount", "analyte": "Nitisinone"}}]}]);
    let product = world.product("P-1", "chemical", &["rare_disease"], &items);
    let draft = json!({"product_id": product, "title": "《示范标准》", "edition": "2027", "items": items});
    ok(&world.quality.post("/api/v1/specifications", &draft), 201);

    // One correction waits for its decision, another one was applied.
    world.correct("product", &product, "dosage_form", "胶囊");
    let wrong = json!({"subject": "product", "subject_id": product, "field": "storage", "new_value": "2～8℃",
        "reason": "录入有误", "evidence": "说明书"});
    ok(&world.receiver.post("/api/v1/corrections", &wrong), 201);
    // A lot whose summary protocol nobody has reviewed yet.
    let vaccine = world.product("V-1", "vaccine", &[], &items);
    let institute = ok(&world.quality.get(&format!("/api/v1/products/{vaccine}")), 200)["institute_id"].clone();
    let grant =
        json!({"institute_id": institute, "category": "vaccine", "document": "授权", "valid_from": "2026-01-01"});
    ok(&world.quality.post("/api/v1/authorisations", &grant), 201);
    // The first sample's result comes from a file, which waits for its second person.
    let take_in = |lot: &str| world.take_in("drug_registration", &product, lot, 2);
    take_in("L1");
    let upload = |name: &str, bytes: &[u8]| {
        let path = format!("/api/v1/instrument-files?name={name}");
        ok(&world.analyst.send("POST", &path, Some("application/octet-stream"), bytes.to_vec()), 201)
    };
    let name = "SX20260001_assay_Report.TXT";
    let report = instrument_adapters::embedded::sample("agilent-chemstation-report", name).expect("a sample");
    let file = text(&upload(name, report)["file"], "id");
    ok(&world.analyst.post(&format!("/api/v1/instrument-files/{file}/accept"), &json!({})), 200);
    upload("n.xyz", b"no instrument wrote this");
    let wrong = text(&upload("w.xyz", b"nor this")["file"], "id");
    let rejected = world.analyst.post(&format!("/api/v1/instrument-files/{wrong}/reject"), &json!({"reason": "误传"}));
    assert!(rejected.status < 300, "{}", rejected.text);

    // A value that can be read in two ways waits for a person, and a second factor for its first code.
    let head = "SampleName\tVial\tRetentionTime\tArea\tResultId\tChannelName\tName\tAmount\tUnits\r\n";
    let row = "SX20260001\t1\t4\t2838\t1\tPDA\tNitisinone\t1,021\tug/mL\r\n";
    upload("ambiguous.txt", format!("{head}{row}").as_bytes());
    let begun = app.logged_in("sampler").post("/api/v1/session/second-factor", &json!({"password": PASSWORD}));
    assert_eq!(begun.status, 204, "{}", begun.text);
    app.account("guarded", &[Role::Analyst]);
    let guarded = app.logged_in("guarded");
    let factor = "/api/v1/session/second-factor";
    assert_eq!(guarded.post(factor, &json!({"password": PASSWORD})).status, 204);
    let secret = text(&ok(&guarded.get(factor), 200), "secret");
    let confirmed = guarded.post(&format!("{factor}/confirm"), &json!({"code": code(&secret, app.clock.now())}));
    assert_eq!(confirmed.status, 204, "{}", confirmed.text);

    // Results at each step behind it.
    let entered = |lot: &str, raw: &str| -> Value {
        let taken = take_in(lot);
        world.enter(&world.task(&text(&taken["samples"][0], "number"), "assay", "waiting"), raw);
        taken
    };
    let begun = text(&take_in("L11")["samples"][0], "number");
    ok(
        &world.analyst.post(&format!("/api/v1/tasks/{}/start", world.task(&begun, "assay", "waiting")), &json!({})),
        200,
    );
    let failing = entered("L2", "80.0");
    let investigated: Vec<Value> = ["L12", "L13", "L14"].iter().map(|lot| entered(lot, "80.0")).collect();
    entered("L15", "<100");
    let done: Vec<Value> = ["L3", "L4", "L5", "L6"].iter().map(|lot| entered(lot, "99.0")).collect();
    for row in ok(&world.reviewer.get("/api/v1/reviews"), 200)["items"].as_array().expect("a list") {
        let (result, sample) = (text(&row["result"], "id"), row["task"]["sample_number"].clone());
        if [&failing].into_iter().chain(&investigated).chain(&done).any(|taken| taken["samples"][0]["number"] == sample)
        {
            let approved = json!({"outcome": "approved"});
            ok(&world.reviewer.post(&format!("/api/v1/results/{result}/review"), &approved), 200);
        }
    }
    // Of the failing ones one has a cause, one has none, and one has a plan; another result decides nothing.
    let failed = |taken: &Value| world.task(&text(&taken["samples"][0], "number"), "assay", "out_of_limit");
    ok(&world.check_laboratory(&failed(&investigated[0]), Some("instrument_fault")), 201);
    ok(&world.check_laboratory(&failed(&investigated[1]), None), 201);
    ok(&world.check_laboratory(&failed(&investigated[2]), None), 201);
    let second = app.account("second", &[Role::Analyst]);
    let plan = json!({"repetitions": 1, "second_analyst": second, "reason": "复试"});
    let path = format!("/api/v1/tasks/{}/investigation/plan", failed(&investigated[2]));
    ok(&world.reviewer.post(&path, &plan), 201);
    // One waits for its certificate; of the others one is drafted, one reviewed, one issued.
    let sample = |taken: &Value| text(&taken["samples"][0], "id");
    let drafted = |taken: &Value| {
        let draft = json!({"sample_id": sample(taken)});
        text(&ok(&world.reviewer.post("/api/v1/certificates", &draft), 201), "id")
    };
    drafted(&done[1]);
    let reviewed = drafted(&done[2]);
    ok(&world.quality.post(&format!("/api/v1/certificates/{reviewed}/review"), &json!({})), 200);
    world.issue(&sample(&done[3]));

    // Of what is retained of the last: a request at each step.
    let retained = sample(&done[3]);
    for steps in [0, 1, 2] {
        let ask = json!({"kind": "destroy", "quantity": 1, "reason": "到期"});
        let asked = ok(&world.receiver.post(&format!("/api/v1/samples/{retained}/keeping"), &ask), 201);
        let request = format!("/api/v1/keeping-requests/{}", text(&asked, "id"));
        if steps > 0 {
            ok(&world.quality.post(&format!("{request}/approve"), &json!({"password": PASSWORD})), 200);
        }
        if steps > 1 {
            ok(&world.quality.post(&format!("{request}/carry-out"), &json!({"record": "粉碎"})), 200);
        }
    }

    ok(&world.receiver.post("/api/v1/intake", &world.intake_body("lot_release", &vaccine, "V1", 2)), 201);

    // At the desk: a draft, and a case that was accepted and whose samples have not arrived.
    let submit = |business: &str, lot: &str| {
        let body = world.intake_body(business, &product, lot, 2);
        text(&ok(&world.receiver.post("/api/v1/applications", &body["application"]), 201), "application_id")
    };
    submit("drug_registration", "L7");
    submit("port_entry", "L8");
    // Of its two lots one may come no more.
    let accepted = {
        let mut body = world.intake_body("drug_registration", &product, "L9", 2);
        let batches = body["application"]["batches"].as_array_mut().expect("batches");
        batches.push(json!({"lot_number": "L10", "expires_on": "2028-12-31"}));
        text(&ok(&world.receiver.post("/api/v1/applications", &body["application"]), 201), "application_id")
    };
    ok(&world.receiver.post(&format!("/api/v1/applications/{accepted}/accept"), &json!({})), 200);

    // What was done by mistake, and can be taken back: a case and a sample that were refused, a lot that was withdrawn, a use
    // of containers, and what was retired, withdrawn or dismissed.
    let mistaken = submit("drug_registration", "L20");
    ok_empty(&world.receiver.post(&format!("/api/v1/applications/{mistaken}/refuse"), &json!({"reason": "点错"})));
    let mut refused = world.intake_body("drug_registration", &product, "L21", 2);
    refused["receipt"]["samples"][0]["refuse_because"] = json!("误认包装破损");
    ok(&world.receiver.post("/api/v1/intake", &refused), 201);
    let two = {
        let mut body = world.intake_body("drug_registration", &product, "L22", 2);
        let batches = body["application"]["batches"].as_array_mut().expect("batches");
        batches.push(json!({"lot_number": "L23", "expires_on": "2028-12-31"}));
        text(&ok(&world.receiver.post("/api/v1/applications", &body["application"]), 201), "application_id")
    };
    ok(&world.receiver.post(&format!("/api/v1/applications/{two}/accept"), &json!({})), 200);
    let withdrawn = json!({"lot_number": "L23", "reason": "点错"});
    ok(&world.receiver.post(&format!("/api/v1/applications/{two}/withdraw-batch"), &withdrawn), 200);
    let used = json!({"from": "test_portion", "to": "consumed", "quantity": 1, "reason": "检验"});
    let spare = text(&take_in("L24")["samples"][0], "id");
    ok(&world.analyst.post(&format!("/api/v1/samples/{spare}/custody"), &used), 201);

    // Of the shared catalogue: a proposal that waits for a second person.
    keeper(app);
    let shared = json!({"product_id": product, "reason": "全国共用"});
    ok(&world.quality.post("/api/v1/owner-proposals", &shared), 201);

    // At the bench: a sequence that was evaluated, its standard and its file; an instrument with a list of its runs.
    kept_sequence(&world);
    take_in("L16");
    let new = json!({"code": "BAL-01", "name": "电子天平", "serial": "1"});
    let instrument = text(&ok(&world.quality.post("/api/v1/instruments", &new), 201), "id");
    let old = json!({"code": "BAL-09", "name": "旧天平", "serial": "9"});
    let old = text(&ok(&world.quality.post("/api/v1/instruments", &old), 201), "id");
    for step in ["retire", "restore", "retire"] {
        ok_empty(&world.quality.post(&format!("/api/v1/instruments/{old}/{step}"), &json!({"reason": "点错"})));
    }
    ok(&world.receiver.post(&format!("/api/v1/samples/{}/labels", sample(&done[0])), &json!({})), 201);
    let lot = json!({"name": "误停用对照品", "batch": "9", "source": "中检院", "purity": "99.5", "basis": "as_is",
        "expires_on": "2028-01-01"});
    let lot = text(&ok(&world.quality.post("/api/v1/reference-standards", &lot), 201), "id");
    ok(&world.quality.post(&format!("/api/v1/reference-standards/{lot}/withdraw"), &json!({"reason": "点错"})), 200);
    upload("m.xyz", b"nor did one write this");
    let letters = ok(&world.quality.get("/api/v1/dead-letters?state=open"), 200);
    let letter = text(&letters["items"][0], "id");
    ok_empty(&world.quality.post(&format!("/api/v1/dead-letters/{letter}/dismiss"), &json!({"reason": "点错"})));
    let list = json!({"file_pattern": "run7*", "rows": [{"place": "1", "sample_number": "SX20260001"}]});
    ok(&world.analyst.post(&format!("/api/v1/instruments/{instrument}/run-lists"), &list), 201);
}

#[test]
fn every_form_that_writes_is_sent_once_only_and_names_the_version_that_it_was_made_on() {
    let app = TestApp::start(On::Sqlite);
    let found = every_form(&app);
    let table = qianfa::web::table();
    let unseen: Vec<&str> = table
        .entries()
        .iter()
        .filter(|entry| entry.method == "POST" && !NO_WRITE.contains(&entry.path) && !found.contains_key(entry.path))
        .map(|entry| entry.path)
        .collect();
    assert!(unseen.is_empty(), "no page was found with a form to {unseen:?}: this test has not seen them");
    let mut faults = BTreeSet::new();
    for (route, forms) in found.iter().filter(|(route, _)| !NO_WRITE.contains(&route.as_str())) {
        for form in forms {
            let changes = route.contains('{') && !ADDING.contains(&route.as_str());
            for field in ["csrf", "once"].into_iter().chain(changes.then_some("revision")) {
                // A form with files is known by their content.
                let spared = field == "once" && form.files;
                if !spared && !form.carries(field) {
                    faults.insert(format!("{route} carries no {field}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.into_iter().collect::<Vec<_>>().join("\n"));
    // Two forms made one after the other are two: a key is a form's own.
    let browser = Browser::logged_in(&app, "receiver");
    let key = || form(&browser.page("/desk"), "/desk").get("once").map(str::to_owned);
    assert_ne!(key(), key());
}
