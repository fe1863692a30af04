//! Who may import whom. The floors are those of ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The modules of `src/` and their floors: nobody imports from a floor above, and no two modules import each other.
const FLOORS: &[(&str, u8)] = &[
    ("refusal", 0),
    ("clock", 0),
    ("secrets", 0),
    ("text", 0),
    ("business", 1),
    ("store", 1),
    ("mapping", 1),
    ("record", 2),
    ("people", 2),
    ("action", 2),
    ("catalogue", 3),
    ("accounts", 3),
    ("custody", 3),
    ("cases", 3),
    ("bench", 4),
    ("corrections", 6),
    ("instruments", 5),
    ("evaluations", 5),
    ("certificates", 5),
    ("lines", 6),
    ("http", 7),
    ("api", 8),
    ("web", 8),
    ("jobs", 8),
    ("app", 9),
];

/// The faces of the same actions and views: they never import one another.
const FACES: &[&str] = &["api", "web", "jobs"];

/// The crates that know no database, and what of ours each may name.
const CRATES: &[(&str, &[&str])] = &[
    ("vocabulary", &[]),
    ("units", &[]),
    ("regulation", &["units", "vocabulary"]),
    ("calculation", &["regulation", "units", "vocabulary"]),
    ("documents", &["vocabulary"]),
];

/// Circles of files inside a module that stand for now. The list only shrinks.
const CIRCLES: &[&str] = &["store: connection migrations writer", "http: caller permit renewal", "app: keys serve"];

/// Files that still write a sentence of a refusal in the middle of the code, with how many. The list only shrinks: a
/// module's refusals are an enum in its `refusals.rs`.
const SENTENCES: &[(&str, usize)] = &[
    ("accounts/passwords.rs", 1),
    ("accounts/second_factor.rs", 5),
    ("accounts/sessions.rs", 1),
    ("action/act.rs", 2),
    ("action/services.rs", 1),
    ("action/stale.rs", 2),
    ("action/strangers.rs", 1),
    ("api/accounts.rs", 1),
    ("api/evaluations.rs", 1),
    ("api/intake.rs", 1),
    ("api/regulation.rs", 3),
    ("api/session.rs", 1),
    ("api/testing.rs", 1),
    ("app/health.rs", 1),
    ("app/serve.rs", 1),
    ("evaluations/load.rs", 1),
    ("http/body.rs", 7),
    ("http/command.rs", 3),
    ("http/cookies.rs", 1),
    ("http/edge.rs", 1),
    ("http/idempotency.rs", 1),
    ("http/permit.rs", 2),
    ("http/problem.rs", 8),
    ("http/run.rs", 1),
    ("http/stranger.rs", 2),
    ("http/table.rs", 1),
    ("http/upload.rs", 2),
    ("instruments/proposals/choose.rs", 2),
    ("instruments/register/entry.rs", 11),
    ("instruments/register/instrument.rs", 3),
    ("people/find.rs", 2),
    ("people/password.rs", 5),
    ("people/session.rs", 6),
    ("people/signature.rs", 4),
    ("people/token.rs", 2),
    ("record/writing.rs", 1),
    ("store/blobs.rs", 1),
    ("store/failure.rs", 4),
    ("store/invariants.rs", 1),
    ("store/stored.rs", 1),
    ("store/views/cases.rs", 1),
    ("store/views/catalogue.rs", 1),
    ("store/views/keyset.rs", 2),
    ("store/views/queue.rs", 1),
    ("store/views/reader.rs", 1),
    ("text.rs", 9),
    ("web/assets.rs", 1),
    ("web/bench.rs", 1),
    ("web/cases.rs", 1),
    ("web/catalogue.rs", 1),
    ("web/certificates.rs", 1),
    ("web/evaluation_form.rs", 1),
    ("web/evaluations.rs", 2),
    ("web/form.rs", 2),
    ("web/labels.rs", 2),
    ("web/lists.rs", 2),
    ("web/page.rs", 1),
    ("web/rules.rs", 1),
    ("web/samples.rs", 2),
    ("web/session.rs", 2),
    ("web/views.rs", 1),
];

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

/// Every module of `src/` with the other modules that it names.
fn graph() -> BTreeMap<String, BTreeSet<String>> {
    let known: Vec<&str> = FLOORS.iter().map(|(name, _)| *name).collect();
    let imports = |name: &str| {
        let named = module(name).into_iter().flat_map(|(_, text)| names(&text));
        named.filter(|other| other != name && known.contains(&other.as_str())).collect()
    };
    known.iter().filter(|name| !module(name).is_empty()).map(|name| ((*name).to_owned(), imports(name))).collect()
}

fn floor(name: &str) -> u8 {
    FLOORS.iter().find(|(known, _)| *known == name).map(|(_, floor)| *floor).expect("a floor")
}

/// The circles of a graph: its strongly connected parts of more than one node, each in the order of the alphabet.
fn circles(graph: &BTreeMap<String, BTreeSet<String>>) -> Vec<Vec<String>> {
    let reach = |from: &String| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(at) = open.pop() {
            for next in graph.get(&at).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    open.push(next.clone());
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&String, BTreeSet<String>> = graph.keys().map(|node| (node, reach(node))).collect();
    let mut found: BTreeSet<Vec<String>> = BTreeSet::new();
    for (node, there) in &reached {
        let ring: Vec<String> =
            there.iter().filter(|other| reached.get(other).is_some_and(|back| back.contains(*node))).cloned().collect();
        if ring.len() > 1 {
            found.insert(ring);
        }
    }
    found.into_iter().collect()
}

#[test]
fn no_arrow_runs_up_and_no_modules_stand_in_a_circle() {
    let graph = graph();
    for (name, imports) in &graph {
        for other in imports {
            assert!(
                floor(other) <= floor(name),
                "{name} (floor {}) names {other} (floor {})",
                floor(name),
                floor(other)
            );
            assert!(!(FACES.contains(&name.as_str()) && FACES.contains(&other.as_str())), "{name} names {other}");
        }
    }
    assert_eq!(circles(&graph), Vec::<Vec<String>>::new());
}

#[test]
fn every_module_stands_on_a_floor() {
    let lib = std::fs::read_to_string(root().join("lib.rs")).expect("lib.rs");
    for line in lib.lines().filter_map(|line| line.strip_prefix("pub mod ")) {
        let name = line.trim_end_matches(';');
        let known = FLOORS.iter().any(|(known, _)| *known == name);
        assert!(known, "{name} stands on no floor: add it to this test and to ARCHITECTURE.md");
    }
}

/// The files of a module as they name one another: `crate::module::file` and `super::file`.
fn files_of(name: &str) -> BTreeMap<String, BTreeSet<String>> {
    let folder = root().join(name);
    let sources: Vec<(String, String)> = module(name)
        .into_iter()
        .filter_map(|(path, text)| {
            let inside = path.strip_prefix(&folder).ok()?.with_extension("");
            let inside = inside.to_str()?.replace('\\', "/");
            (inside != "mod").then(|| (inside.trim_end_matches("/mod").to_owned(), text))
        })
        .collect();
    let known: BTreeSet<String> = sources.iter().map(|(file, _)| file.clone()).collect();
    let mut graph = BTreeMap::new();
    for (file, text) in &sources {
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        let within = file.rsplit_once('/').map_or("", |(above, _)| above);
        let mut named = BTreeSet::new();
        let word =
            |rest: &str| -> String { rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect() };
        for rest in lines.split("super::").skip(1) {
            let (up, rest) = match rest.strip_prefix("super::") {
                Some(rest) => (within.rsplit_once('/').map_or("", |(above, _)| above), rest),
                None => (within, rest),
            };
            let one = word(rest);
            named.insert(if up.is_empty() { one } else { format!("{up}/{one}") });
        }
        for rest in lines.split(&format!("crate::{name}::")).skip(1) {
            named.insert(word(rest));
        }
        named.retain(|other| other != file && known.contains(other));
        // Whoever names a room names what is in it: two rooms that name each other are a circle.
        named.extend(
            known.iter().filter(|other| other.strip_prefix(file).is_some_and(|rest| rest.starts_with('/'))).cloned(),
        );
        graph.insert(file.clone(), named);
    }
    graph
}

#[test]
fn circles_of_files_inside_a_module_only_become_fewer() {
    let mut found = Vec::new();
    for (name, _) in FLOORS {
        found.extend(circles(&files_of(name)).into_iter().map(|ring| format!("{name}: {}", ring.join(" "))));
    }
    let known: Vec<String> = CIRCLES.iter().map(|ring| (*ring).to_owned()).collect();
    assert_eq!(found, known, "a new circle is mended, one that is gone leaves the list");
}

#[test]
fn the_crates_without_a_database_name_what_stands_below_them() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates");
    for (name, may) in CRATES {
        let manifest = std::fs::read_to_string(crates.join(name).join("Cargo.toml")).expect("a manifest");
        for (other, _) in CRATES {
            let names = manifest.lines().any(|line| line.starts_with(&format!("{other}.")));
            assert!(!names || may.contains(other), "{name} names {other}");
        }
        for (path, text) in sources(&crates.join(name).join("src")) {
            for word in ["actix_web", "tokio", "SystemTime::now", "Utc::now", "AnyConnection"] {
                assert!(!text.contains(word), "{} names {word}", path.display());
            }
            // The words of the vocabulary are also text columns, behind a feature.
            assert!(*name == "vocabulary" || !names_diesel(&text), "{} names diesel", path.display());
        }
    }
}

#[test]
fn handlers_pages_and_commands_do_not_know_the_database() {
    for name in ["http", "api", "web", "jobs", "app"] {
        for (path, text) in module(name) {
            assert!(!names_diesel(&text), "{} names diesel", path.display());
        }
    }
}

/// What only the case's own module writes. Copying a database whole is not a change.
#[test]
fn the_case_has_one_writer_and_one_way_to_a_state() {
    const OWN: [&str; 5] = ["application", "batch", "sample", "container", "application_clock"];
    for (name, _) in FLOORS.iter().filter(|(name, _)| *name != "cases") {
        for (path, text) in module(name).into_iter().filter(|(path, _)| !path.ends_with("store/copy.rs")) {
            let plain: String = text.split_whitespace().collect::<String>().replace("schema::", "");
            for table in OWN {
                for verb in ["insert_into(", "update(", "delete(", "insert_all!(conn,", "insert_all!(cx.conn,"] {
                    let written = format!("{verb}{table}::table");
                    assert!(!plain.contains(&written), "{} writes {table}", path.display());
                }
            }
            assert!(!text.contains("CaseEvent"), "{} moves a case by itself", path.display());
        }
    }
}

/// A line of business is named where it lives, and where the table of lines is put together.
#[test]
fn nothing_below_names_a_line_of_business() {
    for (name, _) in FLOORS.iter().filter(|(name, _)| !["lines", "app"].contains(name)) {
        for (path, text) in module(name) {
            assert!(!text.contains("crate::lines"), "{} names a line", path.display());
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

/// The files that may name the library that reads PDF documents, and who may ask for a document to be read: the worker's
/// own reader and the command of who checks a file of one's own.
#[test]
fn nothing_that_a_stranger_sends_is_parsed_in_the_server() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let naming = |word: &dyn Fn(&str) -> bool| {
        let mut found: Vec<String> = ["src", "crates", "instrument-adapters/src"]
            .iter()
            .flat_map(|folder| sources(&repository.join(folder)))
            .filter(|(_, text)| word(text))
            .map(|(path, _)| path.strip_prefix(repository).expect("inside").display().to_string())
            .collect();
        found.sort();
        found
    };
    let lopdf = naming(&|text| text.contains("lopdf"));
    let allowed = ["layout_tests", "pdf", "sign", "tagging", "tests", "verify"];
    assert_eq!(lopdf, allowed.map(|name| format!("crates/documents/src/{name}.rs")));
    let asks = naming(&|text| {
        let imports = text.lines().filter(|line| line.contains("documents::"));
        imports.into_iter().any(|line| line.contains("verify") || line.contains("attached_json"))
    });
    assert_eq!(asks, ["src/app/commands/certificate.rs", "src/certificates/examine.rs"]);
    let reads = naming(&|text| text.contains("read_in_worker") && !text.contains("pub fn read_in_worker"));
    assert_eq!(reads, ["src/app/commands/adapters/mod.rs", "src/certificates/mod.rs"]);
}

#[test]
fn no_source_grows_past_its_welcome() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates");
    for (path, text) in sources(&root()).into_iter().chain(sources(&crates)) {
        // One declaration a table: it grows with the tables, and nobody reads it from top to bottom.
        if path.ends_with("store/schema.rs") {
            continue;
        }
        let lines = text.lines().count();
        assert!(lines <= 650, "{} has {lines} lines", path.display());
    }
}

/// A line of a page is one that a comparison of two versions can show.
#[test]
fn lines_of_templates_are_short() {
    let pages = root().join("../templates/pages");
    let mut seen = 0;
    for entry in std::fs::read_dir(pages).expect("the pages") {
        let path = entry.expect("a page").path();
        let text = std::fs::read_to_string(&path).expect("a page");
        for (number, line) in text.lines().enumerate() {
            let length = line.chars().count();
            assert!(length <= 150, "{}:{} has {length} characters", path.display(), number + 1);
        }
        seen += 1;
    }
    assert!(seen > 40, "{seen} pages");
}

/// The names that the walks of ARCHITECTURE.md give as `module::Name`.
#[test]
fn the_walks_name_what_there_is() {
    let page = std::fs::read_to_string(root().join("../ARCHITECTURE.md")).expect("the page");
    let walks = page.split("## Three walks").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("the walks");
    let mut seen = 0;
    for name in walks.split('`').skip(1).step_by(2).filter(|name| name.contains("::")) {
        let (place, item) = name.split_once("::").expect("a path");
        let crate_folder = root().join("../crates").join(place).join("src");
        let found: Vec<(PathBuf, String)> = if crate_folder.is_dir() { sources(&crate_folder) } else { module(place) };
        let declared = ["struct", "enum", "trait", "fn"].iter().any(|kind| {
            let start = format!("{kind} {item}");
            found.iter().any(|(_, text)| {
                text.split(&start)
                    .skip(1)
                    .any(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
            })
        });
        assert!(declared, "{name} is named in ARCHITECTURE.md and is nowhere in {place}");
        seen += 1;
    }
    assert!(seen >= 15, "{seen} names");
    for kind in ["**A lot", "**A file", "**A certificate"] {
        assert!(walks.contains(kind), "there is no walk of {kind}");
    }
}

/// A refusal is decided as a variant; what it says is written in `refusals.rs` of its module.
#[test]
fn what_is_refused_is_said_in_one_place() {
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    // The specimens of a module are compiled for its tests only.
    let said_there =
        |inside: &str| ["refusal.rs", "refusals.rs", "specimens.rs"].iter().any(|end| inside.ends_with(end));
    for (path, text) in sources(&root()) {
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(&text);
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let written = |line: &str| {
            let ways = ["Refusal::new(", "Refusal::field(", "Refusal::not_found("];
            ways.iter().map(|way| line.matches(way).count()).sum::<usize>()
        };
        let sentences: usize = lines.map(written).sum();
        let inside = path.strip_prefix(root()).expect("a source").display().to_string().replace('\\', "/");
        if sentences > 0 && !said_there(&inside) {
            found.insert(inside, sentences);
        }
    }
    let known: BTreeMap<String, usize> = SENTENCES.iter().map(|(path, count)| ((*path).to_owned(), *count)).collect();
    let named: BTreeSet<&String> = found.keys().chain(known.keys()).collect();
    let count = |in_list: &BTreeMap<String, usize>, path: &str| in_list.get(path).copied().unwrap_or(0);
    let faults: Vec<String> = named
        .into_iter()
        .filter(|path| count(&found, path) != count(&known, path))
        .map(|path| format!("{path}: {} in the code, {} in the list", count(&found, path), count(&known, path)))
        .collect();
    // A new sentence belongs into the module's refusals.rs; where one is gone, the list has a lower count.
    assert_eq!(faults, Vec::<String>::new());
}
