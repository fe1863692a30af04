//! The demonstration, as a newcomer runs it, and its three PDFs under independent tools.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn qianfa(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_qianfa")).args(words).output().expect("the program")
}

fn tool(name: &str, words: &[&str]) -> String {
    let out = Command::new(name).args(words).output().unwrap_or_else(|e| panic!("{name}: {e} (./test.sh installs it)"));
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

fn pdfs(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder.join("certificates"))
        .expect("certificates")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    found.sort();
    found
}

fn verified(path: &Path, data: &Path) -> (Option<i32>, Value) {
    let out = qianfa(&[
        "certificate",
        "verify",
        path.to_str().expect("a path"),
        "--data",
        data.to_str().expect("a path"),
        "--json",
    ]);
    (out.status.code(), serde_json::from_slice(&out.stdout).unwrap_or_default())
}

#[test]
fn three_cases_end_in_three_signed_certificates() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("demo");
    let out = qianfa(&["demo", "--data", data.to_str().expect("a path"), "--once"]);
    let told = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success(), "{told}{}", String::from_utf8_lossy(&out.stderr));
    for clause in ["[SX-12]", "[SH-12]", "[SH-11a]", "[N-10c]", "2026-06-01", "2026-04-21", "2026-03-18"] {
        assert!(told.contains(clause), "{clause} in {told}");
    }
    let found = pdfs(&data);
    assert_eq!(found.len(), 3, "{found:?}");
    for path in &found {
        let name = path.to_str().expect("a path");
        assert!(told.contains(name), "{name} in {told}");
        let signature = tool("pdfsig", &["-nocert", name]);
        assert!(signature.contains("Signature is Valid") && signature.contains("Total document signed"), "{signature}");
        let words = tool("pdftotext", &["-layout", name, "-"]);
        let number = path.file_stem().and_then(|stem| stem.to_str()).expect("a number");
        assert!(words.contains(number), "{number} in {words}");
        assert!(words.contains("药品检验演示研究院"), "{words}");
        let (code, report) = verified(path, &data);
        assert_eq!(
            (code, &report["status"], &report["trusted"]),
            (Some(0), &"issued".into(), &true.into()),
            "{report}"
        );
        flipped(path, &data, dir.path());
    }
    let all: String =
        found.iter().map(|path| tool("pdftotext", &["-layout", path.to_str().expect("a path"), "-"])).collect();
    for word in
        ["检 验 报 告 书", "生物制品批签发证明", "进 口 药 品", "尼替西农胶囊", "99.4", "31.2", "未检出", "符合"]
    {
        let (word, all) = (word.replace(' ', ""), all.replace(' ', ""));
        assert!(all.contains(&word), "{word}");
    }
    let again = qianfa(&["demo", "--data", data.to_str().expect("a path"), "--once"]);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(pdfs(&data).len(), 3, "a second run adds nothing");
}

/// One flipped byte is found, wherever it is.
fn flipped(path: &Path, data: &Path, scratch: &Path) {
    let bytes = std::fs::read(path).expect("bytes");
    let copy = scratch.join("flipped.pdf");
    for place in [bytes.len() / 7, bytes.len() / 2, bytes.len() - 9] {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        std::fs::write(&copy, changed).expect("written");
        let (code, report) = verified(&copy, data);
        assert_eq!(code, Some(1), "byte {place}: {report}");
    }
}

/// The same on real instrument files, where they are at hand.
#[test]
fn the_demonstration_runs_on_real_instrument_files() {
    let corpus = std::env::var_os("QIANFA_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/instrument-corpus"), PathBuf::from);
    if !corpus.is_dir() {
        eprintln!("no folder of real instrument files: the demonstration ran on the project's own samples only");
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("demo");
    let words = [
        "demo",
        "--data",
        data.to_str().expect("a path"),
        "--once",
        "--instrument-files",
        corpus.to_str().expect("a path"),
    ];
    let out = qianfa(&words);
    let told = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success(), "{told}{}", String::from_utf8_lossy(&out.stderr));
    let found = pdfs(&data);
    assert_eq!(found.len(), 3, "{told}");
    for path in &found {
        assert!(tool("pdfsig", &["-nocert", path.to_str().expect("a path")]).contains("Signature is Valid"));
    }
    eprintln!("the demonstration ran on real files:\n{told}");
}

/// Starts the program and has it stop again, where it does start; what it said.
fn begun(words: &[&str], environment: &[(&str, &str)]) -> (bool, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_qianfa"))
        .args(words)
        .envs(environment.iter().copied())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program");
    let mut line = String::new();
    let mut out = std::io::BufReader::new(child.stdout.take().expect("output"));
    std::io::BufRead::read_line(&mut out, &mut line).expect("read");
    let serves = line.starts_with("http://");
    // It is only asked whether it serves.
    let _ = child.kill();
    let mut told = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().expect("errors"), &mut told).expect("read");
    child.wait().expect("ended");
    (serves, format!("{line}{told}"))
}

#[test]
fn a_demonstration_is_served_on_its_own_machine_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("demo");
    let data = data.to_str().expect("a path");
    let open = qianfa(&["demo", "--data", data, "--once", "--listen", "0.0.0.0:0"]);
    assert_eq!(open.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&open.stderr).contains("everybody can read"), "{open:?}");
    assert!(!Path::new(data).exists(), "nothing was made");
    assert!(qianfa(&["demo", "--data", data, "--once"]).status.success());
    for (listen, environment) in [
        ("0.0.0.0:0", vec![]),
        ("[::]:0", vec![]),
        ("127.0.0.1:0", vec![("QIANFA_PUBLIC_URL", "https://lims.example.org")]),
    ] {
        let (serves, told) = begun(&["serve", "--data", data, "--listen", listen], &environment);
        assert!(!serves && told.contains("demonstration"), "{listen}: {told}");
    }
    let (serves, told) = begun(&["serve", "--data", data, "--listen", "127.0.0.1:0"], &[]);
    assert!(serves, "{told}");
}
