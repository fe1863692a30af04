//! Who may import whom. The floors are those of ARCHITECTURE.md.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A module and the modules of ours that it may name.
const MAY: &[(&str, &[&str])] = &[
    ("regulation", &[]),
    ("refusal", &[]),
    ("secrets", &[]),
    ("plot", &[]),
    ("clock", &[]),
    ("store", &["regulation", "refusal"]),
    ("audit", &["store", "regulation", "refusal", "clock", "secrets"]),
    ("identity", &["audit", "store", "regulation", "refusal", "clock", "secrets"]),
    ("input", &["refusal", "regulation", "certificates"]),
    ("services", &["store", "audit", "identity", "certificates", "clock", "instruments", "regulation"]),
    ("catalogue", &["audit", "input", "refusal", "regulation", "services", "store", "testing"]),
    ("intake", &["audit", "clock", "custody", "input", "refusal", "regulation", "services", "store"]),
    ("custody", &["audit", "input", "refusal", "regulation", "services", "store"]),
    ("testing", &["audit", "catalogue", "custody", "input", "intake", "refusal", "regulation", "services", "store"]),
    ("instruments", &["audit", "catalogue", "input", "plot", "refusal", "regulation", "services", "store", "testing"]),
    ("evaluation", &["regulation", "testing"]),
    (
        "evidence",
        &[
            "audit",
            "catalogue",
            "evaluation",
            "input",
            "instruments",
            "refusal",
            "regulation",
            "services",
            "store",
            "testing",
        ],
    ),
    (
        "certificates",
        &[
            "audit",
            "clock",
            "custody",
            "identity",
            "input",
            "instruments",
            "intake",
            "plot",
            "refusal",
            "regulation",
            "services",
            "store",
            "testing",
        ],
    ),
];

/// The floors above the workflows: they never name diesel.
const ABOVE: &[&str] = &["api", "web", "jobs", "app"];

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read_to_string(&path).expect("text");
            found.push((path, text));
        }
    }
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The sources of a module: its folder, or its one file.
fn module(name: &str) -> Vec<(PathBuf, String)> {
    let (folder, file) = (root().join(name), root().join(format!("{name}.rs")));
    let mut found = if folder.is_dir() { sources(&folder) } else { Vec::new() };
    if file.is_file() {
        found.push((file.clone(), std::fs::read_to_string(file).expect("text")));
    }
    found
}

/// The modules that a source names as `crate::…`, outside comments and `#[cfg(test)]` modules at its end.
fn names(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut found = BTreeSet::new();
    for line in lines {
        for part in line.split("crate::").skip(1) {
            found.insert(part.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect());
        }
    }
    found.remove("");
    found
}

#[test]
fn every_module_imports_from_its_own_floor_down_only() {
    for (module_name, may) in MAY {
        let sources = module(module_name);
        assert!(!sources.is_empty(), "there is no module {module_name}");
        for (path, text) in sources {
            for name in names(&text) {
                let macro_of_store = ["on_each", "insert_all"].contains(&name.as_str());
                let allowed = name == *module_name || may.contains(&name.as_str()) || macro_of_store;
                assert!(allowed, "{}: {module_name} may not name {name}", path.display());
            }
        }
    }
}

#[test]
fn every_module_stands_on_a_floor() {
    let lib = std::fs::read_to_string(root().join("lib.rs")).expect("lib.rs");
    for line in lib.lines().filter_map(|line| line.strip_prefix("pub mod ")) {
        let name = line.trim_end_matches(';');
        let known = MAY.iter().any(|(known, _)| *known == name) || ABOVE.contains(&name);
        assert!(known, "{name} stands on no floor: add it to this test and to ARCHITECTURE.md");
    }
}

#[test]
fn handlers_pages_and_commands_do_not_know_the_database() {
    for name in ABOVE {
        for (path, text) in module(name) {
            assert!(!names_diesel(&text), "{} names diesel", path.display());
        }
    }
    for (path, text) in module("regulation").into_iter().chain(module("evaluation")) {
        for word in ["diesel", "actix_web", "tokio", "SystemTime::now", "Utc::now"] {
            assert!(!text.contains(word), "{} names {word}", path.display());
        }
    }
}

fn names_diesel(text: &str) -> bool {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).any(|line| line.contains("diesel::"))
}

#[test]
fn the_adapters_know_neither_server_nor_database() {
    let cargo = std::process::Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--edges", "normal", "-p", "instrument-adapters", "--prefix", "none"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo tree");
    let tree = String::from_utf8_lossy(&cargo.stdout);
    assert!(
        cargo.status.success() && tree.contains("instrument-adapters"),
        "{}",
        String::from_utf8_lossy(&cargo.stderr)
    );
    for unwanted in ["diesel", "actix", "tokio", "qianfa "] {
        assert!(!tree.lines().any(|line| line.starts_with(unwanted)), "{unwanted} in\n{tree}");
    }
}

#[test]
fn no_source_grows_past_its_welcome() {
    for (path, text) in sources(&root()) {
        // One declaration a table: it grows with the tables, and nobody reads it from top to bottom.
        if path.ends_with("store/schema.rs") {
            continue;
        }
        let lines = text.lines().count();
        assert!(lines <= 650, "{} has {lines} lines", path.display());
    }
}
