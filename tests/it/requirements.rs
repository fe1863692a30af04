//! `docs/requirements.toml` claims nothing that does not exist: every route, command and test that it names is there,
//! and a `yes` names both a place and a test.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How many requirements buyers have; they are numbered from 1.
const REQUIREMENTS: usize = 237;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirements {
    requirement: Vec<Requirement>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirement {
    id: usize,
    group: String,
    text: String,
    status: Status,
    #[serde(default)]
    note: String,
    #[serde(default, rename = "where")]
    places: Vec<String>,
    #[serde(default, rename = "test")]
    tests: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Yes,
    Partly,
    No,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Adds the tests of all sources under a folder as `path/from/root.rs::test_name`.
fn tests_under(folder: &Path, found: &mut Vec<String>) {
    let paths: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    for path in paths {
        if path.is_dir() {
            tests_under(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let name = path.strip_prefix(root()).expect("a path of this repository").display().to_string();
            let text = std::fs::read_to_string(&path).expect("text");
            found.extend(tests_of(&text).into_iter().map(|test| format!("{name}::{test}")));
        }
    }
}

/// The functions of a source that carry `#[test]`.
fn tests_of(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut marked = false;
    for line in text.lines().map(str::trim) {
        if line == "#[test]" {
            marked = true;
        } else if let Some(rest) = line.strip_prefix("fn ").filter(|_| marked) {
            found.extend(rest.split('(').next());
            marked = false;
        }
    }
    found
}

/// Whether the program has a command of these words: its help says how it is used.
fn is_command(words: &str) -> bool {
    let out = Command::new(env!("CARGO_BIN_EXE_qianfa"))
        .args(words.split_whitespace().skip(1))
        .arg("--help")
        .output()
        .expect("the program");
    let help = String::from_utf8_lossy(&out.stdout);
    out.status.success() && help.lines().any(|line| format!("{line} ").starts_with(&format!("Usage: {words} ")))
}

/// What a row claims and does not hold, one sentence each.
fn faults(
    row: &Requirement,
    routes: &BTreeSet<String>,
    tests: &[String],
    commands: &BTreeMap<&str, bool>,
) -> Vec<String> {
    let mut found = Vec::new();
    if row.text.is_empty() || row.group.is_empty() {
        found.push("has no text or no group".to_owned());
    }
    if row.status == Status::Yes && (row.places.is_empty() || row.tests.is_empty()) {
        found.push("is a yes, which needs both `where` and `test`".to_owned());
    }
    if row.status == Status::Partly && row.note.is_empty() {
        found.push("is partly met, and no note says what is missing".to_owned());
    }
    if row.status == Status::No && !(row.places.is_empty() && row.tests.is_empty()) {
        found.push("is a no, and names a place or a test: partly?".to_owned());
    }
    for place in &row.places {
        if place.starts_with("qianfa ") {
            if commands.get(place.as_str()) != Some(&true) {
                found.push(format!("names the command `{place}`, which the program does not have"));
            }
        } else if !routes.contains(place) {
            found.push(format!("names the route `{place}`, which is not in the table (tests/golden/routes.txt)"));
        }
    }
    for test in &row.tests {
        let ending = format!("/{test}");
        match tests.iter().filter(|known| *known == test || known.ends_with(&ending)).count() {
            1 => {}
            0 => found.push(format!("names the test `{test}`, which does not exist")),
            n => found.push(format!("names the test `{test}`, of which there are {n}: write more of its path")),
        }
    }
    found
}

#[test]
fn the_requirements_claim_nothing_that_is_not_there() {
    let text = std::fs::read_to_string(root().join("docs/requirements.toml")).expect("docs/requirements.toml");
    let rows =
        toml::from_str::<Requirements>(&text).unwrap_or_else(|e| panic!("docs/requirements.toml: {e}")).requirement;

    let mut wrong = String::new();
    let mut seen = BTreeSet::new();
    for row in &rows {
        if !seen.insert(row.id) {
            writeln!(wrong, "requirement {} is listed twice", row.id).expect("a string grows");
        }
    }
    for id in (1..=REQUIREMENTS).filter(|id| !seen.contains(id)) {
        writeln!(wrong, "requirement {id} is missing").expect("a string grows");
    }
    for id in seen.iter().filter(|id| !(1..=REQUIREMENTS).contains(*id)) {
        writeln!(wrong, "requirement {id} is not one of 1 to {REQUIREMENTS}").expect("a string grows");
    }

    let routes: BTreeSet<String> =
        qianfa::app::routes::table().entries().iter().map(|entry| format!("{} {}", entry.method, entry.path)).collect();
    let mut tests = Vec::new();
    for folder in ["tests/it", "instrument-adapters/tests", "src", "crates", "instrument-adapters/src"] {
        tests_under(&root().join(folder), &mut tests);
    }
    let named = rows.iter().flat_map(|row| &row.places).filter(|place| place.starts_with("qianfa "));
    let commands: BTreeMap<&str, bool> = named
        .map(String::as_str)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(|words| (words, is_command(words)))
        .collect();
    for row in &rows {
        for fault in faults(row, &routes, &tests, &commands) {
            writeln!(wrong, "requirement {} ({}) {fault}", row.id, row.text).expect("a string grows");
        }
    }
    assert!(wrong.is_empty(), "docs/requirements.toml:\n{wrong}");

    let mut counts: BTreeMap<Status, usize> = BTreeMap::new();
    for row in &rows {
        *counts.entry(row.status).or_default() += 1;
    }
    println!("requirements: {} in all, {counts:?}", rows.len());
}

/// A provision in the register for information promises a function by the test that shows it, or says that there is
/// none; a note that promises nothing says that it is for information.
#[test]
fn notes_of_provisions_promise_nothing_that_is_not_there() {
    let mut tests = Vec::new();
    for folder in ["src", "crates", "tests"] {
        tests_under(&root().join(folder), &mut tests);
    }
    let regulation = qianfa::regulation::Regulation::embedded().expect("the shipped regulation");
    let mut faults = Vec::new();
    for one in regulation.register().provisions() {
        if let Some(shown) = one.shown_by.as_ref().filter(|shown| !tests.contains(shown)) {
            faults.push(format!("{}: there is no test `{shown}`", one.id));
        }
        let says = |zh: &str, en: &str| {
            let (note_zh, note_en) = (one.note_zh.as_deref(), one.note_en.as_deref());
            note_zh.is_some_and(|note| note.contains(zh)) && note_en.is_some_and(|note| note.contains(en))
        };
        let open = says("未实现", "Not implemented") || says("信息，不自动适用", "For information");
        if one.sets == Default::default() && one.shown_by.is_none() && !open {
            faults.push(format!("{}: its note names no test, and does not say that nothing shows it", one.id));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_false_claim_is_named() {
    let row = |more: &str| -> Requirement {
        toml::from_str(&format!("id = 1\ngroup = \"g\"\ntext = \"t\"\n{more}")).expect("a row")
    };
    let routes = BTreeSet::from(["GET /cases".to_owned()]);
    let tests = ["tests/it/flow.rs::one".to_owned(), "src/a/mod.rs::two".to_owned(), "src/b/mod.rs::two".to_owned()];
    let commands = BTreeMap::from([("qianfa serve", true), ("qianfa dance", false)]);
    let said = |more: &str| faults(&row(more), &routes, &tests, &commands).join("; ");
    assert_eq!(said("status = \"yes\"\nwhere = [\"GET /cases\", \"qianfa serve\"]\ntest = [\"flow.rs::one\"]"), "");
    assert!(said("status = \"yes\"\nwhere = [\"GET /cases\"]").contains("needs both"));
    assert!(said("status = \"partly\"").contains("no note"));
    assert!(said("status = \"partly\"\nnote = \"n\"\nwhere = [\"POST /cases\"]").contains("`POST /cases`"));
    assert!(said("status = \"partly\"\nnote = \"n\"\nwhere = [\"qianfa dance\"]").contains("`qianfa dance`"));
    assert!(said("status = \"partly\"\nnote = \"n\"\ntest = [\"low.rs::one\"]").contains("does not exist"));
    assert!(said("status = \"partly\"\nnote = \"n\"\ntest = [\"mod.rs::two\"]").contains("there are 2"));
    assert_eq!(said("status = \"partly\"\nnote = \"n\"\ntest = [\"b/mod.rs::two\"]"), "");
    assert!(toml::from_str::<Requirement>("id = 1\ngroup = \"g\"\ntext = \"t\"\nstatus = \"no\"\nwehre = []").is_err());
    assert_eq!(tests_of("#[test]\n#[ignore]\nfn one() {}\nfn two() {}"), ["one"]);
}
