//! One institute is one house: somebody of another one, with every role, walks every view and every action over
//! everything that has an owner. Nothing is read, nothing is changed, and the answer is that of an id that there is not.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::sql_types::Text;
use qianfa::accounts::CreateAccount;
use qianfa::action::act;
use qianfa::app::routes;
use qianfa::http::permit::Requirement;
use qianfa::http::table::RouteEntry;
use qianfa::store::AnyConnection;
use qianfa::vocabulary::Role;
use serde_json::{Value, json};

use crate::forms::every_form;
use crate::pages::Browser;
use crate::support::client::{Answer, Client};
use crate::support::{On, PASSWORD, TestApp, on_both, on_each, text};
use crate::world::ok;

/// An id that nothing has.
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

/// Tables without an owner of their own: by which foreign key each reaches one.
const REACHES: &[(&str, &str, &str)] = &[
    ("account_role", "account_id", "account"),
    ("application_clock", "application_id", "application"),
    ("batch", "application_id", "application"),
    ("calibration", "instrument_id", "instrument"),
    ("certificate_correction", "certificate_id", "certificate"),
    ("companion_file", "instrument_file_id", "instrument_file"),
    ("corrected_certificate", "certificate_id", "certificate"),
    ("custody_balance", "sample_id", "sample"),
    ("custody_entry", "sample_id", "sample"),
    ("evaluation_file", "evaluation_id", "evaluation"),
    ("evaluation_result", "evaluation_id", "evaluation"),
    ("evaluation_standard", "evaluation_id", "evaluation"),
    ("idempotency_key", "account_id", "account"),
    ("import_check", "instrument_file_id", "instrument_file"),
    ("instrument_folder_entry", "instrument_id", "instrument"),
    ("instrument_way", "instrument_id", "instrument"),
    ("observation", "instrument_file_id", "instrument_file"),
    ("investigation_step", "result_id", "result"),
    ("keeping_step", "request_id", "keeping_request"),
    ("lot_key", "batch_id", "batch"),
    ("out_of_limit_decision", "result_id", "result"),
    ("product_trait", "product_id", "product"),
    ("reading", "test_task_id", "test_task"),
    ("result", "test_task_id", "test_task"),
    ("audit_rows", "seq", "audit_entry"),
    ("record_correction_decision", "correction_id", "record_correction"),
    ("result_correction", "result_id", "result"),
    ("run_list_row", "run_list_id", "run_list"),
    ("recovery_code", "account_id", "account"),
    ("second_factor", "account_id", "account"),
    ("session", "account_id", "account"),
    ("signatory_field", "account_id", "account"),
    ("signatory_field_end", "field_id", "signatory_field"),
    ("signature", "account_id", "account"),
    ("specification", "product_id", "product"),
    ("test_item", "specification_id", "specification"),
];

/// Tables that nobody owns, and why.
const NOBODYS: &[(&str, &str)] = &[
    ("institute", "it is the owner"),
    ("audit_end", "the last number of the whole trail"),
    ("demonstration", "says what the whole database is"),
    ("health_probe", "a counter of the installation that nobody reads"),
    ("pending_file", "bytes under their own hash, found by whoever may read the row that names it"),
    ("seal_anchor", "what others saw of a seal, which is over the whole trail"),
    ("audit_seal", "a seal is over the whole trail, and says nothing of what is in it"),
    ("number_series", "a series has the prefix of its institute in its name, which no other institute has"),
];

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn lines(app: &TestApp, query: &str) -> Vec<String> {
    let read = |conn: &mut AnyConnection| {
        let rows: Vec<Line> = match conn {
            AnyConnection::Sqlite(raw) => diesel::sql_query(query).load(raw)?,
            AnyConnection::Postgres(raw) => diesel::sql_query(query).load(raw)?,
        };
        Ok(rows.into_iter().map(|row| row.line).collect())
    };
    app.services.db.read(read).unwrap_or_else(|error| panic!("{query}: {error}"))
}

/// Every table with its columns.
fn columns(app: &TestApp) -> BTreeMap<String, BTreeSet<String>> {
    let query = match app.ground.on {
        On::Sqlite => {
            "SELECT m.name || ' ' || p.name AS line FROM sqlite_master m JOIN pragma_table_info(m.name) p \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\'"
        }
        On::Postgres => {
            "SELECT table_name || ' ' || column_name AS line FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%'"
        }
    };
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in lines(app, query) {
        let (table, column) = line.split_once(' ').expect("two words");
        found.entry(table.to_owned()).or_default().insert(column.to_owned());
    }
    found
}

/// Every foreign key: table, column, table.
fn foreign_keys(app: &TestApp) -> BTreeSet<String> {
    let query = match app.ground.on {
        On::Sqlite => {
            "SELECT m.name || ' ' || f.\"from\" || ' ' || f.\"table\" AS line FROM sqlite_master m \
             JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'"
        }
        On::Postgres => {
            "SELECT c.conrelid::regclass::text || ' ' || a.attname || ' ' || c.confrelid::regclass::text AS line \
             FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] \
             WHERE c.contype = 'f'"
        }
    };
    lines(app, query).into_iter().collect()
}

#[test]
fn every_table_has_an_owner_or_reaches_one() {
    on_both(|app| {
        let (tables, keys) = (columns(app), foreign_keys(app));
        let owned = |table: &str| tables.get(table).is_some_and(|columns| columns.contains("institute_id"));
        for (table, column, of) in REACHES {
            assert!(keys.contains(&format!("{table} {column} {of}")), "{table}.{column} is no key of {of}");
            assert!(!owned(table), "{table} has an owner of its own: take it off the list");
        }
        let mut faults = Vec::new();
        for table in tables.keys() {
            let mut at = table.as_str();
            // A chain ends, since every step is on the list at most once.
            for _ in 0..=REACHES.len() {
                let Some((_, _, of)) = REACHES.iter().find(|(from, ..)| *from == at) else { break };
                at = of;
            }
            let nobodys = NOBODYS.iter().any(|(exempt, why)| *exempt == table && !why.is_empty());
            if owned(at) == nobodys {
                faults.push(table);
            }
        }
        assert!(faults.is_empty(), "neither an owner, nor a way to one, nor a reason (or two of them): {faults:?}");
    });
}

/// Every row of every table but what a request itself leaves behind: sessions, kept answers, the trail and its seals.
fn kept(app: &TestApp) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for (table, columns) in columns(app) {
        if ["session", "idempotency_key", "health_probe"].contains(&table.as_str()) || table.starts_with("audit_") {
            continue;
        }
        let each: Vec<String> =
            columns.iter().map(|column| format!("coalesce(CAST(\"{column}\" AS TEXT), '-')")).collect();
        let query = format!("SELECT {} AS line FROM {table} ORDER BY 1", each.join("||'|'||"));
        found.insert(table, lines(app, &query));
    }
    found
}

/// What of the rows the first institute has, or shares with nobody: no row of it may change or come.
fn first_house(rows: &BTreeMap<String, Vec<String>>, strangers: &[String]) -> BTreeMap<String, Vec<String>> {
    let own = |row: &&String| !strangers.iter().any(|id| row.contains(id.as_str()));
    rows.iter().map(|(table, rows)| (table.clone(), rows.iter().filter(own).cloned().collect())).collect()
}

/// The words of an address that stand for a table.
fn table_of(path: &str) -> Option<&'static str> {
    let before = path.split("/{").next()?;
    Some(match before.rsplit('/').next()? {
        "accounts" => "account",
        "applications" | "cases" => "application",
        "certificates" => "certificate",
        "corrections" => "record_correction",
        "dead-letters" => "dead_letter",
        "evaluations" => "evaluation",
        "owner-proposals" => "owner_proposal",
        "instrument-files" => "instrument_file",
        "instruments" => "instrument",
        "keeping" | "keeping-requests" => "keeping_request",
        "products" => "product",
        "reference-standards" | "standards" => "reference_standard",
        "results" => "result",
        "run-lists" => "run_list",
        "samples" => "sample",
        "sessions" => "session",
        "signatory-fields" => "signatory_field",
        "specifications" => "specification",
        "tasks" => "test_task",
        "by-code" => "sample_number",
        _ => return None,
    })
}

/// Routes whose address names nothing that an institute owns, and why.
const NOT_OWNED: &[(&str, &str)] = &[
    ("/api/v1/institutes/{id}/administrator", "the installation's: refused below, since the institute has one"),
    ("/api/v1/regulation/provisions/{id}", "the regulation is everybody's"),
    ("/regulation/{id}", "the regulation is everybody's"),
    ("/api/v1/verify/{code}", "public: whoever has the code has the certificate"),
    ("/verify/{code}", "public: whoever has the code has the certificate"),
    ("/static/{file}", "public"),
    ("/api/v1/my/applications/{id}", "an applicant's own, walked in cases.rs"),
    ("/api/v1/my/applications/{id}/withdraw", "an applicant's own, walked in cases.rs"),
    ("/api/v1/my/certificates/{id}/pdf", "an applicant's own, walked in cases.rs"),
];

/// The two houses: everything at work in the first, and of the second somebody with every role, and its few records.
struct Houses {
    ids: BTreeMap<&'static str, Vec<String>>,
    api: Client,
    browser: Browser,
    /// The second institute's own: product and applicant.
    own: BTreeMap<&'static str, String>,
    /// Marks of rows of the second house.
    marks: Vec<String>,
}

fn houses(app: &TestApp) -> Houses {
    let admin = app.second_institute();
    let institute = admin.institute.clone().expect("an institute");
    let staff = Role::ALL.iter().copied().filter(|role| !matches!(role, Role::Applicant | Role::Installation));
    let new = CreateAccount {
        username: "stranger".into(),
        display_name: "外人".into(),
        password: PASSWORD.to_owned().into(),
        institute: Some(institute.clone()),
        applicant: None,
        roles: staff.collect(),
    };
    let stranger = act(&app.services, &admin, new).expect("an account");
    let api = app.logged_in("stranger");
    let applicant = json!({"name": "示范申请人有限公司"});
    let applicant = text(&ok(&api.post("/api/v1/applicants", &applicant), 201), "id");
    let product = json!({"code": "P-1", "name_zh": "外品", "name_en": "Other", "category": "chemical",
        "traits": ["rare_disease"], "manufacturer": "外厂", "container_name": "瓶", "container_content": "10",
        "content_unit": "片"});
    let product = text(&ok(&api.post("/api/v1/products", &product), 201), "id");
    let specification = json!({"product_id": product, "title": "《外标准》", "edition": "2026",
                               "items": crate::world::one_item("≥97.0")});
    let specification = text(&ok(&api.post("/api/v1/specifications", &specification), 201), "id");
    let effective = format!("/api/v1/specifications/{specification}/effective");
    let another = CreateAccount {
        username: "releaser".into(),
        display_name: "发布人".into(),
        password: PASSWORD.to_owned().into(),
        institute: Some(institute.clone()),
        applicant: None,
        roles: vec![Role::Quality],
    };
    let another = act(&app.services, &admin, another).expect("an account");
    ok(&app.logged_in("releaser").post(&effective, &json!({"effective_from": "2026-01-01"})), 200);
    let of =
        |table: &str, filter: &str| lines(app, &format!("SELECT id AS line FROM {table} WHERE {filter} ORDER BY id"));
    let first = format!("institute_id = '{}'", app.institute);
    let mut ids = BTreeMap::new();
    for table in [
        "account",
        "application",
        "certificate",
        "dead_letter",
        "evaluation",
        "instrument_file",
        "instrument",
        "keeping_request",
        "product",
        "reference_standard",
        "run_list",
        "sample",
        "test_task",
        "applicant",
        "owner_proposal",
        "record_correction",
    ] {
        ids.insert(table, of(table, &first));
    }
    ids.insert("specification", of("specification", &format!("product_id IN (SELECT id FROM product WHERE {first})")));
    ids.insert("result", of("result", &format!("test_task_id IN (SELECT id FROM test_task WHERE {first})")));
    ids.insert("session", of("session", &format!("account_id IN (SELECT id FROM account WHERE {first})")));
    ids.insert("sample_number", lines(app, &format!("SELECT number AS line FROM sample WHERE {first}")));
    let fields = format!("account_id IN (SELECT id FROM account WHERE {first})");
    ids.insert("signatory_field", of("signatory_field", &fields));
    for (table, found) in &ids {
        assert!(!found.is_empty(), "nothing in {table}: this walk would not see it");
    }
    let own = BTreeMap::from([("product_id", product), ("applicant_id", applicant)]);
    let mut marks: Vec<String> = own.values().cloned().collect();
    marks.extend([institute.to_string(), stranger.id.to_string(), another.id.to_string()]);
    marks.extend([admin.account.to_string(), specification]);
    Houses { ids, api, browser: Browser::logged_in(app, "stranger"), own, marks }
}

/// A body that an action of this address would take, had the caller the thing.
fn body(path: &str) -> Value {
    let end = path.rsplit('/').next().unwrap_or_default();
    let reason = json!({"reason": "外人的理由"});
    match (path.contains("/accounts/"), end) {
        (true, "roles") => json!({"roles": ["analyst"], "reason": "x"}),
        (true, "disabled") => json!({"disabled": true, "reason": "x"}),
        (true, "password") => json!({"password": "correct horse battery other", "reason": "x"}),
        (_, "decision") if path.contains("/corrections/") => json!({"outcome": "rejected", "note": "x"}),
        (_, "decision") => json!({"decision": "confirm", "reason": "x"}),
        (_, "withdraw-batch" | "reinstate-batch") => json!({"lot_number": "L1", "reason": "x"}),
        (_, "protocol-review") => json!({"protocol_number": "1", "outcome": "conforms"}),
        (_, "dates") => json!({"sampled_on": "2026-03-01"}),
        (_, "receipt") => json!({"samples": [{"lot_number": "L9", "containers": 2}]}),
        (_, "sign") => json!({"password": PASSWORD, "meaning": "授权签发"}),
        (_, "review") if path.contains("/results/") => json!({"outcome": "approved"}),
        (_, "custody") => json!({"from": "received", "to": "consumed", "quantity": 1, "reason": "x"}),
        (_, "undo-move") => json!({"entry_id": NOBODY, "reason": "x"}),
        (_, "labels") => json!({}),
        (_, "destroy" | "return") => json!({"from": "received", "quantity": 1, "reason": "x"}),
        (_, "keeping") => json!({"kind": "use", "quantity": 1, "reason": "x"}),
        (_, "carry-out") => json!({"record": "x"}),
        (_, "approve" | "witness") => json!({}),
        (_, "correction") => json!({"reason": "x", "evidence": "x"}),
        (_, "cause-approval" | "plan-approval" | "send-back" | "confirmation") => reason,
        (_, "check") => json!({"answers": [], "reason": "x"}),
        (_, "plan") => json!({"repetitions": 1, "second_analyst": NOBODY, "reason": "x"}),
        (_, "repetition") => json!({"method": "x", "reason": "x"}),
        (_, "fields") => json!({"business": "port_entry", "valid_from": "2026-03-02", "document": "x"}),
        (_, "withdraw") if path.contains("/certificates/") => json!({"reason": "x", "password": PASSWORD}),
        (_, "end") => json!({"ends_on": "2026-03-02", "reason": "x"}),
        (_, "entry") => json!({"readings": [{"name": "x", "raw": "99.0"}], "reagents": ""}),
        (_, "effective") => json!({"effective_from": "2026-03-02"}),
        (_, "hand-back") => reason,
        (_, "match") => json!({"sample_number": "SX20260001"}),
        (_, "checks") => json!({"outcome": "ok"}),
        (_, "run-list") => json!({"rows": [{"place": "1", "sample_number": "SX20260001"}]}),
        (_, "run-lists") => json!({"file_pattern": "x*", "rows": [{"place": "1", "sample_number": "SX20260001"}]}),
        (_, "calibrations") => {
            json!({"performed_on": "2026-03-01", "result": "pass", "certificate_number": "1", "performed_by": "x"})
        }
        (_, "{id}") if path.contains("/instruments/") => {
            json!({"reason": "x", "instrument": {"code": "BAL-02", "name": "天平", "serial": "2"}})
        }
        (_, "readings") => json!({"observation_id": NOBODY, "value": "1"}),
        (_, "versions") => json!({"reason": "x"}),
        (_, "accept") if path.contains("/evaluations/") => json!({}),
        (_, "accept" | "retry" | "start" | "verify" | "confirm") => json!({}),
        (_, "review") => json!({}),
        _ => reason,
    }
}

/// The answer without what names the id that was asked for.
fn plain(answer: &Answer, id: &str) -> (u16, String) {
    let request = regex::Regex::new("<code>[0-9a-f-]{36}</code>").expect("a pattern");
    let mut told = request.replace_all(&answer.text.replace(id, "ID"), "").into_owned();
    // A page and a problem name the request; a form's key is its own.
    for (start, end) in [("\"request_id\":\"", "\""), ("data-request=\"", "\""), ("name=\"once\"\n  value=\"", "\"")] {
        let mut out = String::new();
        let mut rest = told.as_str();
        while let Some(at) = rest.find(start) {
            let (before, after) = rest.split_at(at + start.len());
            out.push_str(before);
            rest = after.find(end).map_or("", |cut| &after[cut..]);
        }
        out.push_str(rest);
        told = out;
    }
    (answer.status, told)
}

fn call(client: &Client, entry: &RouteEntry, path: &str) -> Answer {
    let content = match entry.method.as_str() {
        "GET" | "DELETE" => Vec::new(),
        _ => body(entry.path).to_string().into_bytes(),
    };
    client.send(entry.method.as_str(), path, Some("application/json"), content)
}

#[test]
fn somebody_of_another_institute_reads_and_changes_nothing_by_any_address() {
    on_each(|on| {
        let app = TestApp::start(on);
        let forms = every_form(&app);
        let houses = houses(&app);
        let before = first_house(&kept(&app), &houses.marks);
        let mut faults = Vec::new();
        let table = routes::table();
        for entry in table.entries().iter().filter(|entry| entry.path.contains('{')) {
            let name = format!("{} {}", entry.method, entry.path);
            if NOT_OWNED.iter().any(|(path, why)| *path == entry.path && !why.is_empty()) {
                continue;
            }
            let Some(kind) = table_of(entry.path) else {
                faults.push(format!("{name}: of which table is its id? It is walked, or exempt with a reason."));
                continue;
            };
            // Pages that write are walked by their own forms below.
            if entry.method != "GET" && !entry.path.starts_with("/api/") {
                continue;
            }
            let client = if entry.path.starts_with("/api/") { &houses.api } else { &houses.browser.0 };
            let address = |id: &str| {
                let mut parts: Vec<String> = Vec::new();
                for part in entry.path.split('/') {
                    let first = part.starts_with('{') && !parts.iter().any(|done| done == id);
                    parts.push(match part.starts_with('{') {
                        true if first => id.to_owned(),
                        true => "chromatogram".to_owned(),
                        false => part.to_owned(),
                    });
                }
                let asked = if entry.path.ends_with("/export") { "?format=csv" } else { "" };
                parts.join("/") + asked
            };
            let nobody = if kind == "sample_number" { "SX20269999" } else { NOBODY };
            let unknown = call(client, entry, &address(nobody));
            if unknown.status != 404 {
                faults.push(format!("{name}: an id that there is not gives {}: {}", unknown.status, unknown.text));
            }
            for id in houses.ids[kind].iter().take(4) {
                let foreign = call(client, entry, &address(id));
                let (foreign, unknown) = (plain(&foreign, id), plain(&unknown, nobody));
                if foreign != unknown {
                    faults.push(format!("{name}: {foreign:?}\n  and not as an unknown id: {unknown:?}"));
                }
            }
        }
        // Every form of every page of the first house, sent by the stranger.
        for (route, of) in &forms {
            for form in of.iter().filter(|form| route.contains('{') && !form.files).take(6) {
                let fields: Vec<(&str, &str)> = form
                    .fields
                    .iter()
                    .filter(|(field, _)| field != "csrf" && field != "once")
                    .map(|(field, value)| (field.as_str(), filled(field, value)))
                    .collect();
                let answer = houses.browser.form(&form.action, &fields);
                if answer.status != 404 && !NOT_OWNED.iter().any(|(path, _)| path == route) {
                    let told: String = answer.text.chars().take(600).collect();
                    faults.push(format!("POST {} ({route}): {} {told}", form.action, answer.status));
                }
            }
        }
        assert!(faults.is_empty(), "{} faults on {on:?}:\n{}", faults.len(), faults.join("\n"));
        assert_eq!(first_house(&kept(&app), &houses.marks), before, "something was changed");
    });
}

/// A field as somebody would fill it in.
fn filled<'a>(field: &str, value: &'a str) -> &'a str {
    match field {
        _ if !value.is_empty() => value,
        "password" => "correct horse battery other",
        "reason" | "note" | "certificate_number" | "performed_by" => "x",
        "effective_from" | "performed_on" | "sampled_on" => "2026-03-02",
        "quantity" => "1",
        _ => value,
    }
}

#[test]
fn nothing_of_another_institute_is_named_in_a_body_or_shown_in_a_list() {
    on_each(|on| {
        let app = TestApp::start(on);
        every_form(&app);
        let houses = houses(&app);
        let before = first_house(&kept(&app), &houses.marks);
        let mut faults = Vec::new();
        // Lists: no id and no number of the first house.
        let table = routes::table();
        for entry in table.entries().iter().filter(|entry| entry.method == "GET" && !entry.path.contains('{')) {
            let client = if entry.path.starts_with("/api/") { &houses.api } else { &houses.browser.0 };
            let answer = client.get(entry.path);
            // The names of institutes are on every certificate.
            let of = houses.ids.iter().flat_map(|(table, ids)| ids.iter().map(move |id| (table, id)));
            for (table, id) in of {
                if answer.text.contains(id.as_str()) {
                    faults.push(format!("GET {} shows {id} of {table}", entry.path));
                }
            }
        }
        // Bodies: each place of an id, with everything else of the own house.
        let application = |field: &str, id: &str| {
            let mut new = json!({"business": "drug_registration", "applicant_id": houses.own["applicant_id"],
                "product_id": houses.own["product_id"], "batches": [{"lot_number": "A", "expires_on": "2028-12-31"}]});
            new[field] = json!(id);
            new
        };
        let named = |body: &dyn Fn(&str) -> Value, path: &str, table: &str, faults: &mut Vec<String>| {
            let unknown = houses.api.post(path, &body(NOBODY));
            for id in houses.ids[table].iter().take(3) {
                let foreign = houses.api.post(path, &body(id));
                let same = plain(&foreign, id) == plain(&unknown, NOBODY);
                // What a form would come to does not depend on the applicant, who is not looked for.
                let asks = path.ends_with("/preview") && table == "applicant";
                if !same || (foreign.status < 400 && !asks) {
                    faults.push(format!(
                        "POST {path} with {table}: {} {}\n  and not {} {}",
                        foreign.status, foreign.text, unknown.status, unknown.text
                    ));
                }
            }
        };
        for (field, table) in
            [("product_id", "product"), ("applicant_id", "applicant"), ("specification_id", "specification")]
        {
            let new = |id: &str| application(field, id);
            named(&new, "/api/v1/applications", table, &mut faults);
            named(&new, "/api/v1/intake/preview", table, &mut faults);
            let taken = |id: &str| {
                json!({"application": application(field, id),
                       "receipt": {"samples": [{"lot_number": "A", "containers": 2, "temperature": "5.0"}]}})
            };
            named(&taken, "/api/v1/intake", table, &mut faults);
        }
        let item = crate::world::one_item("≥97.0");
        named(
            &|id| json!({"product_id": id, "title": "x", "edition": "1", "items": item}),
            "/api/v1/specifications",
            "product",
            &mut faults,
        );
        named(&|id| json!({"sample_id": id}), "/api/v1/certificates", "sample", &mut faults);
        named(&|id| json!({"code": id}), "/api/v1/handovers", "sample_number", &mut faults);
        named(
            &|id| json!({"amends_id": id, "sample_id": houses.ids["sample"][0], "reason": "x"}),
            "/api/v1/certificates",
            "certificate",
            &mut faults,
        );
        named(&|id| json!({"product_id": id, "reason": "x"}), "/api/v1/owner-proposals", "product", &mut faults);
        for (subject, table, field) in [
            ("case", "application", "remarks"),
            ("product", "product", "storage"),
            ("applicant", "applicant", "contact"),
        ] {
            let wrong = |id: &str| {
                json!({"subject": subject, "subject_id": id, "field": field, "new_value": "y", "reason": "x",
                       "evidence": "x"})
            };
            named(&wrong, "/api/v1/corrections", table, &mut faults);
        }
        let second = houses.marks.iter().find(|mark| lines(&app, "SELECT id AS line FROM institute").contains(mark));
        named(
            &|id| json!({"institute_id": second, "product_id": id, "valid_from": "2026-01-01", "document": "x"}),
            "/api/v1/authorisations",
            "product",
            &mut faults,
        );
        let account = |field: &str, id: &str| {
            let role = if field == "applicant" { "applicant" } else { "analyst" };
            json!({"username": "another", "display_name": "x", "password": PASSWORD, field: id, "roles": [role]})
        };
        named(&|id| account("applicant", id), "/api/v1/accounts", "applicant", &mut faults);
        named(
            &|id| json!({"entries": [{"task_id": id, "readings": [{"name": "x", "raw": "99.0"}], "reagents": ""}]}),
            "/api/v1/worksheets/entry",
            "test_task",
            &mut faults,
        );
        named(
            &|id| json!({"title": "x", "method_id": "lc-external-standard", "file_ids": [id], "setup": {}}),
            "/api/v1/evaluations",
            "instrument_file",
            &mut faults,
        );
        // Another institute itself: no account in it, and no authorisation for it.
        let first = app.institute.to_string();
        for (path, new) in [
            ("/api/v1/accounts", account("institute", &first)),
            (
                "/api/v1/authorisations",
                json!({"institute_id": first, "category": "vaccine", "valid_from": "2026-01-01", "document": "x"}),
            ),
        ] {
            let refused = houses.api.post(path, &new);
            if refused.status < 400 {
                faults.push(format!("POST {path} for the first institute: {}", refused.text));
            }
        }
        assert!(faults.is_empty(), "{} faults on {on:?}:\n{}", faults.len(), faults.join("\n"));
        assert_eq!(first_house(&kept(&app), &houses.marks), before, "something was changed");
    });
}

/// Who is behind an action of the walk: every action of the table has a way in that the walk takes.
#[test]
fn every_action_is_walked() {
    let table = routes::table();
    let mut walked = BTreeSet::new();
    let mut all = BTreeSet::new();
    for entry in table.entries() {
        let Requirement::Action { name, .. } = entry.requires else { continue };
        all.insert(name);
        if entry.path.contains('{') && table_of(entry.path).is_some() || IN_BODIES.contains(&name) {
            walked.insert(name);
        }
    }
    let missed: Vec<&&str> = all.difference(&walked).filter(|name| !NAMES_NOTHING.contains(*name)).collect();
    assert!(missed.is_empty(), "no walk over {missed:?}");
}

/// Actions that name what there is in their body.
const IN_BODIES: &[&str] = &[
    "account.create",
    "authorisation.grant",
    "case.submit",
    "case.take_in",
    "certificate.draft",
    "correction.propose",
    "custody.hand_over",
    "evaluation.create",
    "evaluation.combine",
    "owner.propose",
    "specification.draft",
    "worksheet.enter",
];

/// Actions that name nothing that is there already.
const NAMES_NOTHING: &[&str] = &[
    "applicant.create",
    "file.upload",
    "institute.create",
    "institute.appoint",
    "instrument.register",
    "own_case.submit",
    "own_case.withdraw",
    "password.change",
    "product.create",
    "second_factor.confirm",
    "second_factor.offer",
    "standard.add",
    "task.next",
];
