//! The API's document: what it leaves untyped, what an outside validator says of it, and how far a client that was
//! generated from it gets against the real server.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use qianfa::app::routes;
use qianfa::vocabulary::Role;
use serde_json::Value;

use crate::support::{PASSWORD, on_both, rounds};

/// Operations with something in their body or in their answer that has no type. The list only ever becomes shorter.
const UNTYPED: &str = "tests/golden/openapi-untyped.txt";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn document() -> Value {
    serde_json::to_value(qianfa::api::openapi::document(&routes::table())).expect("JSON")
}

/// Every operation with its path.
fn operations(document: &Value) -> Vec<(&str, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let of = |(path, item)| {
        let item: &Value = item;
        item.as_object().expect("an item").values().map(move |one| (String::as_str(path), one))
    };
    paths.iter().flat_map(of).collect()
}

fn id(operation: &Value) -> &str {
    operation["operationId"].as_str().expect("an id")
}

#[test]
fn every_operation_has_an_id_of_its_own_and_names_its_parameters() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (path, operation) in operations(&document) {
        assert!(ids.insert(id(operation)), "{} is the id of two operations", id(operation));
        let given: BTreeSet<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
        let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let named: BTreeSet<&str> =
            parameters.iter().filter(|one| one["in"] == "path").filter_map(|one| one["name"].as_str()).collect();
        assert_eq!(given, named, "{path}");
        for (status, answer) in operation["responses"].as_object().expect("responses") {
            let shared = answer["$ref"].as_str().and_then(|at| document.pointer(at.trim_start_matches('#')));
            let answer = shared.unwrap_or(answer);
            assert!(answer["description"].as_str().is_some_and(|text| !text.is_empty()), "{path} {status}");
            if status.starts_with('4') || status == "default" {
                let of = &answer["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(of, "#/components/schemas/ProblemDocument", "{path} {status}");
            }
        }
    }
}

/// The document keeps schemas by their names alone: of two types with one name it would show one, for both.
#[test]
fn no_two_types_have_one_name_in_the_document() {
    let mut places: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    let mut folders = vec![root().join("src"), root().join("crates")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|kind| kind != "rs") {
                continue;
            }
            for name in described(&std::fs::read_to_string(&path).expect("text")) {
                places.entry(name).or_default().push(path.clone());
            }
        }
    }
    assert!(places.len() > 100, "{places:?}");
    places.retain(|_, of| of.len() > 1);
    assert!(places.is_empty(), "give all but one another name with #[schema(as = …)]: {places:#?}");
}

/// The names under which a source describes its types.
fn described(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut derives, mut renamed, mut words) = (false, None, false);
    for line in source.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
        // A derive that is broken over lines ends in a line with its last names.
        if (line.starts_with("#[derive(") || line.ends_with(",")) && line.contains("ToSchema") {
            derives = true;
        } else if line == "vocabulary! {" {
            words = true;
        } else if std::mem::take(&mut words) {
            found.extend(line.strip_suffix(" {").map(str::to_owned));
        } else if let Some((_, name)) = line.split_once("#[schema(as = ") {
            renamed = Some(name.split([')', ',']).next().unwrap_or_default().to_owned());
        } else if let Some(name) = line.split("struct ").nth(1).or_else(|| line.split("enum ").nth(1)) {
            let own = name.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default().to_owned();
            if std::mem::take(&mut derives) && !own.is_empty() {
                found.push(renamed.take().unwrap_or(own));
            }
            renamed = None;
        }
    }
    found
}

#[test]
fn what_is_untyped_only_becomes_less() {
    let document = document();
    let mut found = BTreeSet::new();
    for (_, operation) in operations(&document) {
        for place in untyped(&document, operation) {
            found.insert(format!("{}: {place}", id(operation)));
        }
    }
    let path = root().join(UNTYPED);
    let text = std::fs::read_to_string(&path).expect("the list");
    let agreed: BTreeSet<String> = text.lines().map(str::to_owned).collect();
    let new: Vec<_> = found.difference(&agreed).collect();
    assert!(new.is_empty(), "these have no type; name one in the handler's attribute or derive it: {new:#?}");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let lines: String = found.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, lines).expect("the file");
        return;
    }
    let gone: Vec<_> = agreed.difference(&found).collect();
    assert!(gone.is_empty(), "these have a type now: UPDATE_GOLDEN=1 takes them off {UNTYPED}: {gone:#?}");
}

/// The places of an operation's body and answers that have no type.
fn untyped(document: &Value, operation: &Value) -> Vec<String> {
    let mut seen = Seen { document, components: BTreeSet::new(), found: Vec::new() };
    let mut contents = vec![("body", &operation["requestBody"]["content"])];
    for (status, answer) in operation["responses"].as_object().expect("responses") {
        if status.starts_with('2') {
            if answer["content"].is_null() && status != "204" {
                seen.found.push("the answer (none)".to_owned());
            }
            contents.push(("answer", &answer["content"]));
        }
    }
    for (place, content) in contents {
        for (_, media) in content.as_object().into_iter().flatten() {
            seen.schema(&media["schema"], place);
        }
    }
    seen.found
}

struct Seen<'a> {
    document: &'a Value,
    components: BTreeSet<&'a str>,
    found: Vec<String>,
}

impl<'a> Seen<'a> {
    fn schema(&mut self, schema: &'a Value, place: &str) {
        if let Some(at) = schema["$ref"].as_str() {
            let component = self.document.pointer(at.trim_start_matches('#')).expect("a component");
            if component["properties"].is_null() && component["allOf"].is_null() {
                self.schema(component, place);
            } else if self.components.insert(at) {
                self.schema(component, at.rsplit('/').next().unwrap_or_default());
            }
            return;
        }
        let parts: Vec<&Value> =
            ["allOf", "oneOf", "anyOf"].iter().filter_map(|key| schema[*key].as_array()).flatten().collect();
        let (fields, others) = (&schema["properties"], &schema["additionalProperties"]);
        let is = |word: &str| {
            schema["type"] == word || schema["type"].as_array().is_some_and(|all| all.contains(&word.into()))
        };
        if is("string") && schema["contentMediaType"] == "application/json" {
            self.found.push(format!("{place} (JSON in a text)"));
        } else if is("array") {
            self.schema(&schema["items"], &format!("{place}[]"));
        } else if is("object") && fields.is_null() && !others.is_object() && parts.is_empty() {
            self.found.push(format!("{place} (an object of any fields)"));
        } else if schema["type"].is_null() && schema["enum"].is_null() && parts.is_empty() {
            self.found.push(format!("{place} (any value)"));
        }
        for part in parts {
            self.schema(part, place);
        }
        for (name, field) in fields.as_object().into_iter().flatten() {
            self.schema(field, &format!("{place}.{name}"));
        }
        if others.is_object() {
            self.schema(others, &format!("{place}.*"));
        }
    }
}

/// A program of the environment that `scripts/python-tests.sh` makes.
fn python(program: &str) -> Command {
    let path = root().join("target/python-tests/bin").join(program);
    assert!(path.exists(), "{} is missing: sh scripts/python-tests.sh makes it", path.display());
    Command::new(path)
}

fn run(command: &mut Command) -> String {
    let ended = command.output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&ended.stdout), text(&ended.stderr));
    assert!(ended.status.success(), "{command:?}: {}\n{out}\n{err}", ended.status);
    out
}

#[test]
fn a_generated_client_walks_from_the_log_in_to_the_verified_certificate() {
    let dir = tempfile::tempdir().expect("a folder");
    let (file, client) = (dir.path().join("openapi.json"), dir.path().join("qianfa_client"));
    std::fs::write(&file, document().to_string()).expect("a file");
    run(python("openapi-spec-validator").arg(&file));
    run(python("openapi-python-client")
        .args(["generate", "--meta", "none", "--fail-on-warning", "--config"])
        .arg(root().join("tests/openapi/client.yaml"))
        .arg("--path")
        .arg(&file)
        .arg("--output-path")
        .arg(&client));
    on_both(|app| {
        assert_eq!(app.client().get("/api/openapi.json").json(), document(), "the document is the one served");
        let mut walk = python("python");
        walk.arg(root().join("tests/openapi/walk.py")).args([app.base.as_str(), &file.to_string_lossy(), PASSWORD]);
        run(walk.env("PYTHONPATH", dir.path()).env("PYTHONDONTWRITEBYTECODE", "1").env("NO_PROXY", "127.0.0.1"));
    });
}

/// Requests that are made from the document, fitting and unfitting ones: none is answered with a failure, or otherwise than
/// the document says. `NIGHTLY_GENERATED` has it go on for so many seconds for each role; a few in the suite.
#[test]
fn generated_requests_meet_no_failure_and_nothing_that_the_document_does_not_say() {
    on_both(|app| {
        for (name, role) in [("quality", Role::Quality), ("receiver", Role::Receiver)] {
            app.account(name, &[role]);
            let token = app.logged_in(name).bearer.expect("a token");
            let dir = tempfile::tempdir().expect("a folder");
            let mut generator = python("schemathesis");
            generator
                .args(["run", &format!("{}/api/openapi.json", app.base), "--seed", "20261201", "--no-shrink"])
                .args(["--header", &format!("Authorization: Bearer {token}"), "--phases", "coverage,fuzzing"])
                .args(["--checks", CHECKS, "--max-examples", "2", "--continue-on-failure", "--warnings", "off"])
                .args(["--max-time", &rounds("NIGHTLY_GENERATED", 20).to_string()])
                // Ends its own session, or sets what the next role logs in with.
                .args(["--exclude-path-regex", "session|password|second-factor"])
                // Documents of strangers are PDF, which the generator cannot write.
                .args(["--exclude-path", "/api/v1/verify"])
                .current_dir(dir.path());
            run(generator.env("NO_PROXY", "127.0.0.1").env("PYTHONDONTWRITEBYTECODE", "1"));
        }
    });
}

/// What every answer is held against. That unfitting input is refused is the business of other tests: the document says
/// less than the regulation does.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance";
