//! What each route asks of its caller, held against a file, and against the running server.

use std::collections::BTreeMap;

use qianfa::app::routes;
use qianfa::http::permit::Requirement;
use qianfa::http::table::RouteEntry;
use qianfa::vocabulary::{Permission, Role, allowed};
use serde_json::json;

use crate::golden;
use crate::support::client::{Answer, Client};
use crate::support::{PASSWORD, TestApp, on_both, text};
use crate::world::ok;

/// Routes that anybody may call. A new one is a decision, to be made here.
const PUBLIC: &[&str] = &[
    "GET /health/live",
    "GET /health/ready",
    "POST /api/v1/session",
    "POST /api/v1/session/refresh",
    // What anybody with a certificate may ask.
    "GET /api/v1/verify/{code}",
    "POST /api/v1/verify",
    "GET /verify",
    "POST /verify",
    "GET /verify/{code}",
    "POST /verify/{code}",
    // What the login page needs.
    "GET /login",
    "POST /login",
    "GET /static/{file}",
    "GET /favicon.ico",
];

#[test]
fn the_matrix_of_roles_and_actions_is_the_one_agreed() {
    golden::compare("permissions.txt", &qianfa::vocabulary::roles::matrix());
}

#[test]
fn the_table_of_routes_is_the_one_agreed() {
    let mut lines: Vec<String> = routes::table()
        .entries()
        .iter()
        .map(|entry| format!("{:<6} {:<60} {}\n", entry.method.as_str(), entry.path, entry.requires))
        .collect();
    lines.sort_by(|a, b| a[7..].cmp(&b[7..]));
    golden::compare("routes.txt", &lines.concat());
}

/// Every action with its ways in, its permission and who has it.
#[test]
fn the_table_of_actions_is_the_one_agreed() {
    let mut actions: BTreeMap<&str, (Permission, Vec<String>)> = BTreeMap::new();
    for entry in routes::table().entries() {
        let Requirement::Action { name, permission } = entry.requires else { continue };
        let (agreed, ways) = actions.entry(name).or_insert_with(|| (permission, Vec::new()));
        assert_eq!(*agreed, permission, "{name} asks for two permissions");
        ways.push(format!("{} {}", entry.method, entry.path));
    }
    let mut text = String::new();
    for (name, (permission, mut ways)) in actions {
        ways.sort();
        let roles: Vec<&str> = permission.roles().iter().map(|role| role.as_str()).collect();
        text.push_str(&format!("{name}\n    permission {}: {}\n", permission.as_str(), roles.join(" ")));
        ways.iter().for_each(|way| text.push_str(&format!("    {way}\n")));
    }
    golden::compare("actions.txt", &text);
}

/// Routes that are called with POST, PUT or DELETE and do nothing to the laboratory: sessions, previews, verification.
const NO_ACTION: &[&str] = &[
    "POST /api/v1/session",
    "POST /api/v1/session/refresh",
    "DELETE /api/v1/session",
    "POST /login",
    "POST /logout",
    "POST /api/v1/intake/preview",
    "POST /desk/preview",
    // Adds a line to the form, or takes one away.
    "POST /desk/form",
    "POST /api/v1/my/applications/preview",
    "POST /api/v1/regulation/determinations",
    "POST /api/v1/evaluations/preview",
    "POST /api/v1/evaluations/proposal",
    "POST /api/v1/evaluations/{id}/verify",
    "POST /api/v1/verify",
    "POST /verify",
    "POST /verify/{code}",
];

/// What changes the laboratory is an action: with one name, one permission, once only and on a revision.
#[test]
fn every_write_is_an_action() {
    let mut faults = Vec::new();
    for entry in routes::table().entries().iter().filter(|entry| entry.method.as_str() != "GET") {
        let name = format!("{} {}", entry.method, entry.path);
        let action = matches!(entry.requires, Requirement::Action { .. });
        if action == NO_ACTION.contains(&name.as_str()) {
            faults.push(name);
        }
    }
    assert!(faults.is_empty(), "neither an action nor on the list, or both:\n{}", faults.join("\n"));
}

#[test]
fn the_table_of_states_is_the_one_agreed() {
    golden::compare("states.txt", &qianfa::vocabulary::states::table());
}

/// A permission that guards nothing is a promise that nobody keeps.
#[test]
fn every_permission_guards_something() {
    let table = routes::table();
    let guards =
        |permission: Permission| table.entries().iter().any(|entry| entry.requires.permission() == Some(permission));
    // One decides what a view shows, not who may open it; one is asked of what the program does at its start.
    let within = [Permission::ApplicantRead, Permission::ClockRefresh];
    let idle: Vec<&str> = Permission::ALL
        .iter()
        .filter(|permission| !guards(**permission) && !within.contains(permission))
        .map(|permission| permission.as_str())
        .collect();
    assert_eq!(idle, Vec::<&str>::new());
}

#[test]
fn every_public_route_is_on_the_list() {
    let mut found = Vec::new();
    for entry in routes::table().entries() {
        if entry.requires == Requirement::Public {
            let name = format!("{} {}", entry.method, entry.path);
            assert!(PUBLIC.contains(&name.as_str()), "{name} asks for nothing");
            found.push(name);
        }
    }
    for name in PUBLIC {
        assert!(found.iter().any(|route| route == name), "{name} is public here and nowhere else");
    }
}

#[test]
fn every_route_of_the_api_is_described() {
    let table = routes::table();
    let document = serde_json::to_value(qianfa::api::openapi::document(&table)).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let mut described: Vec<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |m| format!("{} {path}", m.to_uppercase())))
        .collect();
    let mut served: Vec<String> = table
        .entries()
        .iter()
        .filter(|entry| entry.path.starts_with("/api/"))
        .map(|entry| format!("{} {}", entry.method, entry.path))
        .collect();
    described.sort();
    served.sort();
    assert_eq!(described, served);
}

/// Where a password or a token is what is asked about: 401 and 403 are answers to a wrong one, whoever calls.
const ABOUT_CREDENTIALS: &[&str] =
    &["POST /login", "POST /password", "POST /api/v1/session", "POST /api/v1/session/refresh"];

/// These end the session that they are called in.
const ENDING: [&str; 2] = ["POST /logout", "DELETE /api/v1/session"];

/// Done as asked, without a body and without an id: the next test where none waits, the end of a session, what the
/// desk would be asked for, and the public's question whether these bytes are a certificate.
const DOING: &[&str] =
    &["POST /bench/next", "POST /logout", "DELETE /api/v1/session", "POST /desk/preview", "POST /api/v1/verify"];

/// Every route refuses a stranger, and everybody whose role does not permit it, before it reads anything else; and
/// who is permitted comes past the gate. No call, however senseless, is an error of the server.
#[test]
fn the_server_asks_what_the_table_says() {
    on_both(|app| {
        let clients = |role: Role| {
            account_of(app, role);
            let session = || app.logged_in(&format!("u.{role}"));
            (role, session(), [session(), session()])
        };
        let roles: Vec<_> = Role::ALL.iter().map(|role| clients(*role)).collect();
        let mut faults = as_stranger(&app.client());
        // The roles side by side, each with clients of its own.
        std::thread::scope(|scope| {
            let walks: Vec<_> = roles
                .into_iter()
                .map(|(role, client, to_be_ended)| scope.spawn(move || as_role(role, &client, &to_be_ended)))
                .collect();
            faults.extend(walks.into_iter().flat_map(|walk| walk.join().expect("a walk")));
        });
        assert!(faults.is_empty(), "{} of {:?}:\n{}", faults.len(), app.ground.on, faults.join("\n"));
    });
}

/// An account with that role alone: of the institute, or of an applicant.
fn account_of(app: &TestApp, role: Role) {
    let username = format!("u.{role}");
    if role != Role::Applicant {
        app.account(&username, &[role]);
        return;
    }
    let admin = app.logged_in("admin");
    let applicant = text(&ok(&admin.post("/api/v1/applicants", &json!({"name": "示范申请人有限公司"})), 201), "id");
    let new = json!({"username": username, "display_name": username, "password": PASSWORD, "applicant": applicant,
                     "roles": [role.as_str()]});
    ok(&admin.post("/api/v1/accounts", &new), 201);
}

/// A call that means nothing: ids that there are not, and a body that is neither JSON nor a form's.
fn call(client: &Client, entry: &RouteEntry) -> Answer {
    let path = entry.path.replace('{', "no-such-").replace('}', "");
    client.send(entry.method.as_str(), &path, Some("application/json"), b"not json".to_vec())
}

fn named(entry: &RouteEntry) -> String {
    format!("{} {}", entry.method, entry.path)
}

fn as_stranger(stranger: &Client) -> Vec<String> {
    let table = routes::table();
    let mut faults = Vec::new();
    for entry in table.entries() {
        let answer = call(stranger, entry);
        let fault = if entry.requires == Requirement::Public {
            past_the_gate(&answer, entry)
        } else {
            led_to_the_login(&answer, entry.path)
        };
        faults.extend(fault.map(|why| format!("{} as a stranger: {why}", named(entry))));
    }
    faults
}

fn as_role(role: Role, client: &Client, to_be_ended: &[Client; 2]) -> Vec<String> {
    let table = routes::table();
    let mut faults = Vec::new();
    for entry in table.entries() {
        let name = named(entry);
        let permitted = match entry.requires {
            Requirement::Public => continue,
            Requirement::AnyAccount => true,
            Requirement::Permission(permission) | Requirement::Action { permission, .. } => allowed(role, permission),
        };
        let ending = ENDING.iter().position(|ending| *ending == name);
        let client = ending.map_or(client, |index| &to_be_ended[index]);
        let answer = call(client, entry);
        let fault = if permitted { past_the_gate(&answer, entry) } else { forbidden(&answer, entry.path) };
        faults.extend(fault.map(|why| format!("{name} as {role}: {why}")));
        if ending.is_some() && client.get("/api/v1/session").status != 401 {
            faults.push(format!("{name} as {role}: the session goes on"));
        }
    }
    let still = client.get("/api/v1/session").status;
    faults.extend((still != 200).then(|| format!("the session of {role} ended on the way: {still}")));
    faults
}

/// Who may call is answered about the call: a list, or what is wrong with it. A senseless write does nothing.
fn past_the_gate(answer: &Answer, entry: &RouteEntry) -> Option<String> {
    let (name, status) = (named(entry), answer.status);
    let told = || format!("{status} {}", answer.text.chars().take(300).collect::<String>());
    let barred = matches!(status, 401 | 403) && !ABOUT_CREDENTIALS.contains(&name.as_str());
    let done = status < 400 && entry.method != "GET" && ![DOING, NO_ACTION].concat().contains(&name.as_str());
    (barred || status >= 500 || done).then(told)
}

fn forbidden(answer: &Answer, path: &str) -> Option<String> {
    let api = path.starts_with("/api/");
    let refused = answer.status == 403 && (!api || answer.problem() == "forbidden");
    (!refused).then(|| format!("{}, and not forbidden", answer.status))
}

/// The API answers a stranger with a problem; a page leads to the login.
fn led_to_the_login(answer: &Answer, path: &str) -> Option<String> {
    let there = answer.headers.get("location").map(String::as_str).unwrap_or_default();
    let led = if path.starts_with("/api/") {
        answer.status == 401 && answer.problem() == "unauthenticated"
    } else {
        answer.status == 401 || there.starts_with("/login")
    };
    (!led).then(|| format!("{} {there}, and no login", answer.status))
}
