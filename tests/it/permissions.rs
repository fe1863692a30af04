//! What each route asks of its caller, held against a file, and against the running server.

use qianfa::app::routes;
use qianfa::http::permit::Requirement;
use qianfa::vocabulary::{Role, allowed};

use crate::golden;
use crate::support::client::{Answer, Client};
use crate::support::{TestApp, on_both};

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

/// Every route refuses a stranger, and everybody whose role does not permit it, before it reads anything else.
#[test]
fn the_server_asks_what_the_table_says() {
    on_both(|app| {
        for role in Role::ALL.iter().filter(|role| **role != Role::Applicant) {
            app.account(&format!("u.{}", role.as_str()), &[*role]);
        }
        for role in Role::ALL.iter().filter(|role| **role != Role::Applicant) {
            check(app, *role);
        }
    });
}

fn check(app: &TestApp, role: Role) {
    let (stranger, client) = (app.client(), app.logged_in(&format!("u.{}", role.as_str())));
    for entry in routes::table().entries() {
        let path = entry.path.replace('{', "no-such-").replace('}', "");
        let call = |c: &Client| c.send(entry.method.as_str(), &path, Some("application/json"), b"not json".to_vec());
        let name = format!("{} {} as {role}", entry.method, entry.path);
        match entry.requires {
            Requirement::Public => {}
            Requirement::AnyAccount => unknown(&call(&stranger), entry.path, &name),
            Requirement::Permission(permission) | Requirement::Action { permission, .. } => {
                unknown(&call(&stranger), entry.path, &name);
                // A call that may be made could change something: only the others are made.
                if !allowed(role, permission) {
                    let refused = call(&client);
                    assert_eq!(refused.status, 403, "{name}");
                    if entry.path.starts_with("/api/") {
                        assert_eq!(refused.problem(), "forbidden", "{name}");
                    }
                }
            }
        }
    }
}

/// The API answers a stranger with a problem; a page leads to the login.
fn unknown(answer: &Answer, path: &str, name: &str) {
    if path.starts_with("/api/") {
        assert_eq!((answer.status, answer.problem().as_str()), (401, "unauthenticated"), "{name}");
        return;
    }
    let there = answer.headers.get("location").map(String::as_str).unwrap_or_default();
    assert!(answer.status == 401 || there.starts_with("/login"), "{name}: {} {there}", answer.status);
}
