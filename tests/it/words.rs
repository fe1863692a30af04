//! One word a thing, and plain English in comments: `docs/glossary.md` says which word, this test holds the code to it.
//!
//! One list here may only shrink: the names that several things still share. An entry that has become needless fails
//! the test as a new offender does, so that nobody has to remember to strike it off.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// A phrase that comments do not use, the ordinary phrases that hold it, and what to write in its place.
struct Phrase {
    phrase: &'static str,
    unless: &'static [&'static str],
    write: &'static str,
}

const fn phrase(phrase: &'static str, unless: &'static [&'static str], write: &'static str) -> Phrase {
    Phrase { phrase, unless, write }
}

/// The phrases of a private dialect, in lower case.
const PHRASES: &[Phrase] = &[
    phrase("how-manieth", &[], "the position, the attempt's number, the n-th"),
    phrase("is none", &["there is none"], "say what it is not: `is not a number`, `has no unit`"),
    phrase("are none", &["there are none"], "say what they are not"),
    phrase("is no", &["there is no", "is no longer", "is no more"], "is not a, has no"),
    phrase("are no", &["there are no", "are no longer", "are no more"], "are not, have no"),
    phrase("of theirs", &[], "their, of its own"),
    phrase("of ours", &[], "registered, the laboratory's, the program's"),
    phrase("told", &[], "reported, shown, answered, distinguished"),
    phrase("stands", &["stands for", "stands out"], "is, is kept, is written, comes, lies"),
    phrase("stand", &["stand for", "stand out"], "are, are kept, are written, come, lie"),
    phrase("stood", &["stood for", "stood out"], "was, was kept, was written"),
    phrase("at hand", &[], "available, in use, loaded"),
    phrase("of before", &[], "earlier, former"),
    phrase("past all measure", &[], "say the bound"),
];

/// Names declared once in each of several files by a convention, and never seen outside of it, each with the line that
/// shows the convention in its file: the description of one file's routes, the settings of one reader of instrument
/// files, and what one action loads and plans.
const ONE_A_FILE: &[(&str, &str)] = &[
    ("Docs", "#[derive(OpenApi)]"),
    ("Loaded", "type Loaded = Loaded;"),
    ("Plan", "type Plan = Plan;"),
    ("Settings", "pub(crate) struct Settings {"),
    ("Settings", "pub(crate) type Settings = Layout;"),
];

/// Whether a source declares the name by its convention.
fn is_conventional(name: &str, text: &str) -> bool {
    ONE_A_FILE.iter().any(|(conventional, sign)| *conventional == name && text.lines().any(|line| line.trim() == *sign))
}

/// Names that several things share, with how many things. `docs/glossary.md` says what each is to be called.
const SHARED_NAMES: &[(&str, usize)] = &[("Line", 2), ("Outcome", 2), ("Problem", 2), ("Role", 3)];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources_under(folder: &Path, found: &mut Vec<(String, String)>) {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            sources_under(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let name = path.strip_prefix(root()).expect("a path of this repository").display().to_string();
            found.push((name, std::fs::read_to_string(&path).expect("text")));
        }
    }
}

/// Every source of the program and of the adapters: its path from the root, and its text.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in ["src", "crates", "instrument-adapters/src"] {
        sources_under(&root().join(folder), &mut found);
    }
    found
}

/// The comment of a line: all of it, or what follows the code.
fn comment(line: &str) -> Option<&str> {
    let line = line.trim_start();
    if line.starts_with("//") {
        return Some(line.trim_start_matches(['/', '!']));
    }
    line.rsplit_once("; // ")
        .or_else(|| line.rsplit_once(", // "))
        .or_else(|| line.rsplit_once("{ // "))
        .map(|(_, c)| c)
}

/// The comments of a source as (line on which it begins, its words in lower case with a blank on both sides). Comment
/// lines that follow one another are one comment, so that a phrase is found across the end of a line.
fn comments(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut last = None;
    for (index, line) in text.lines().enumerate() {
        let Some(comment) = comment(line) else { continue };
        let mut words = String::from(" ");
        for c in comment.to_lowercase().chars() {
            // A mark keeps the words before it apart from those after it.
            match c {
                '-' | '\'' => words.push(c),
                c if c.is_alphanumeric() || c == '_' => words.push(c),
                c if c.is_whitespace() => words.push(' '),
                c => write!(words, " {c} ").expect("a string grows"),
            }
        }
        words.push(' ');
        match found.last_mut() {
            Some((_, before)) if last.is_some_and(|last| last + 1 == index) => before.push_str(&words),
            _ => found.push((index + 1, words)),
        }
        last = Some(index);
    }
    for (_, words) in &mut found {
        *words = format!(" {} ", words.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    found
}

/// The phrases that a comment uses and should not.
fn dialect(words: &str) -> Vec<&'static Phrase> {
    let uses = |phrase: &&Phrase| {
        let mut rest = words.to_owned();
        for ordinary in phrase.unless {
            rest = rest.replace(&format!(" {ordinary} "), " , ");
        }
        rest.contains(&format!(" {} ", phrase.phrase))
    };
    PHRASES.iter().filter(uses).collect()
}

#[test]
fn comments_are_plain_english() {
    let mut faults = String::new();
    for (path, text) in sources() {
        for (line, words) in comments(&text) {
            for phrase in dialect(&words) {
                writeln!(faults, "{path}:{line}: `{}`; write: {}", phrase.phrase, phrase.write)
                    .expect("a string grows");
            }
        }
    }
    assert!(faults.is_empty(), "the comments are not in plain English:\n{faults}");
}

/// The name that a line declares as a public struct, enum, trait or type.
fn declared(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub")?;
    let rest = match rest.strip_prefix('(') {
        Some(inner) => inner.split_once(')')?.1,
        None => rest,
    };
    let rest = rest.strip_prefix(' ')?;
    let rest = ["struct ", "enum ", "trait ", "type "].iter().find_map(|kind| rest.strip_prefix(kind))?;
    Some(word(rest))
}

fn word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// The public names of a source, those of `vocabulary!` included, without its unit tests.
fn names(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    let mut found = Vec::new();
    let mut in_vocabulary = false;
    for line in code.lines() {
        let bare = line.trim();
        if bare.ends_with("vocabulary! {") {
            in_vocabulary = true;
        } else if in_vocabulary && !bare.starts_with("//") && !bare.starts_with("#[") {
            in_vocabulary = false;
            found.push(word(bare).to_owned());
        }
        found.extend(declared(line).map(str::to_owned));
    }
    found
}

#[test]
fn no_name_stands_for_two_things() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in sources() {
        let counts = |name: &String| !name.is_empty() && !name.starts_with('$') && !is_conventional(name, &text);
        for name in names(&text).into_iter().filter(counts) {
            places.entry(name).or_default().push(path.clone());
        }
    }
    let mut faults = String::new();
    for (name, paths) in &places {
        let known = SHARED_NAMES.iter().find(|(shared, _)| shared == name).map_or(1, |(_, count)| *count);
        if paths.len() > known {
            writeln!(faults, "{name} is declared {} times, {known} known: {}", paths.len(), paths.join(", "))
                .expect("a string grows");
        }
    }
    for (name, count) in SHARED_NAMES {
        let now = places.get(*name).map_or(0, Vec::len);
        let instead = if now > 1 { format!("write {now}") } else { "strike it off".to_owned() };
        if now < *count {
            writeln!(faults, "{name} is declared {now} times and listed with {count} in SHARED_NAMES: {instead}")
                .expect("a string grows");
        }
    }
    assert!(faults.is_empty(), "one name, one thing (docs/glossary.md):\n{faults}");
}

#[test]
fn the_glossary_says_what_shared_names_are_to_be_called() {
    let glossary = std::fs::read_to_string(root().join("docs/glossary.md")).expect("docs/glossary.md");
    for (name, _) in SHARED_NAMES {
        assert!(glossary.contains(&format!("`{name}`")), "docs/glossary.md does not say what each `{name}` is called");
    }
}

/// The words of a source's `vocabulary!`: `Draft = "draft", "草稿", "draft";` gives `draft`.
fn vocabulary_words(text: &str) -> Vec<&str> {
    let entry = |line: &&str| line.ends_with("\";") && line.matches("\", \"").count() == 2;
    let word = |line: &'_ str| line.find(" = \"").map(|at| at + 4);
    text.lines().map(str::trim).filter(entry).filter_map(|line| line[word(line)?..].split('"').next()).collect()
}

#[test]
fn every_word_of_a_vocabulary_is_in_the_glossary() {
    let glossary = std::fs::read_to_string(root().join("docs/glossary.md")).expect("docs/glossary.md");
    let mut faults = String::new();
    for (path, text) in sources().iter().filter(|(_, text)| text.contains("vocabulary! {")) {
        for word in vocabulary_words(text).into_iter().filter(|word| !glossary.contains(&format!("`{word}`"))) {
            writeln!(faults, "{path}: `{word}`").expect("a string grows");
        }
    }
    assert!(faults.is_empty(), "docs/glossary.md does not explain these words:\n{faults}");
}

#[test]
fn phrases_are_found_across_lines_and_ordinary_ones_are_not() {
    let source = "/// A value that\n/// is no number, told apart.\nlet one = \"stands\";\n/// It stands for two; there is none.\n";
    let found: Vec<(usize, Vec<&str>)> = comments(source)
        .into_iter()
        .map(|(line, words)| (line, dialect(&words).iter().map(|phrase| phrase.phrase).collect()))
        .collect();
    assert_eq!(found, [(1, vec!["is no", "told"]), (4, vec![])]);
    assert_eq!(declared("    pub(crate) struct Found<'a> {"), Some("Found"));
    assert_eq!(declared("pub fn found() {}"), None);
}
