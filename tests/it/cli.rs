//! The program as people script it: words in, JSON and exit codes out.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn run(words: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_qianfa"))
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    // A command that does not read its input may be gone already.
    let _ = child.stdin.take().expect("input").write_all(input.as_bytes());
    child.wait_with_output().expect("an end")
}

#[track_caller]
fn printed(words: &[&str], input: &str) -> Value {
    let out = run(words, input);
    assert_eq!(out.status.code(), Some(0), "{words:?}: {}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&out.stdout)))
}

#[track_caller]
fn failed(words: &[&str], input: &str, code: i32) -> String {
    let out = run(words, input);
    assert_eq!(out.status.code(), Some(code), "{words:?}: {}", String::from_utf8_lossy(&out.stdout));
    String::from_utf8_lossy(&out.stderr).into_owned()
}

#[test]
fn the_worked_case_of_the_interface() {
    let case = json!({"business": "lot_release", "jurisdiction": "CN-SH", "dates": {"accepted": "2025-11-03"},
                      "product": {"category": "vaccine", "traits": ["seasonal_influenza_vaccine"]}});
    let made = printed(&["regulation", "determine", "-"], &case.to_string());
    assert_eq!((&made["batches"]["value"], &made["quantity_multiple"]["value"]), (&Value::Null, &json!(2)));
    assert_eq!(made["lane"]["value"], "routine");
    let clock = &made["clocks"][0];
    assert_eq!((&clock["name"], &clock["limit"], &clock["due"]), (&json!("testing"), &json!(30), &json!("2025-12-15")));
    assert_eq!(made["remainder"]["may_be_sold"], false);
}

#[test]
fn a_wrong_case_names_its_field() {
    let case = json!({"business": "lot_release", "jurisdiction": "CN-SH", "dates": {"accepted": "2025-02-30"},
                      "product": {"category": "vaccine"}});
    assert!(failed(&["regulation", "determine", "-"], &case.to_string(), 1).contains("dates.accepted"));
    let case = json!({"business": "lot_release", "jurisdiction": "CN-SH", "dates": {"accepted": "2025-02-03"},
                      "product": {"category": "vaccine", "traits": ["quick"]}});
    assert!(failed(&["regulation", "determine", "-"], &case.to_string(), 1).contains("traits"));
    assert!(failed(&["regulation", "determine", "-"], "{", 1).contains("JSON"));
    // What contradicts itself is not determined.
    for (product, field) in [
        (json!({"category": "chemical", "device_class": "II"}), "product.device_class"),
        (json!({"category": "device"}), "product.device_class"),
        (json!({"category": "chemical", "traits": ["influenza_vaccine"]}), "product.traits"),
    ] {
        let case = json!({"business": "drug_registration", "jurisdiction": "CN-SH", "product": product,
                          "dates": {"accepted": "2025-02-03"}});
        assert!(failed(&["regulation", "determine", "-"], &case.to_string(), 1).contains(field), "{case}");
    }
    let case = json!({"business": "port_entry", "jurisdiction": "CN-SH", "product": {"category": "chemical"},
                      "dates": {"accepted": "2025-02-03", "arrived_at_port": "2025-02-05", "sampled": "2025-02-04"}});
    assert!(failed(&["regulation", "determine", "-"], &case.to_string(), 1).contains("dates.sampled"));
}

#[test]
fn days_and_numbers() {
    let due = printed(&["calendar", "due", "--from", "2026-01-05", "--working-days", "30", "--json"], "");
    assert_eq!((&due["due"], &due["provisional"]), (&json!("2026-02-14"), &json!(false)), "a make-up Saturday");
    let count = printed(&["calendar", "count", "--from", "2026-01-05", "--to", "2026-02-14", "--json"], "");
    assert_eq!(count["working_days"], 30);
    let late = printed(&["calendar", "due", "--from", "2026-12-28", "--working-days", "10", "--json"], "");
    assert_eq!(late["provisional"], true, "2027 is not published");
    let rounded = |value: &str, step: &str| {
        printed(&["numeric", "round", "--to", step, "--json", "--", value], "")["rounded"].clone()
    };
    assert_eq!(rounded("2.005", "0.01"), "2.00");
    assert_eq!(rounded("-60.75", "0.5"), "-61.0");
    assert_eq!(rounded("1268", "100"), "1300");
    let judged = |limit: &str, value: &str, by: &str| {
        printed(&["numeric", "judge", "--limit", limit, "--value", value, "--by", by, "--json"], "")
    };
    assert_eq!(judged("≥97.0", "96.96", "rounded")["verdict"], "pass");
    assert_eq!(judged("≥97.0", "96.96", "full")["verdict"], "fail");
    assert_eq!(judged("≤0.5", "<0.8", "full")["verdict"], "indeterminate");
    assert!(
        failed(&["numeric", "judge", "--limit", "≥97.0", "--value", "much", "--by", "full"], "", 1).contains("much")
    );
    failed(&["numeric", "judge", "--limit", "≥97.0"], "", 2);
}

#[test]
fn adapters_by_hand() {
    let list = printed(&["adapters", "list", "--json"], "");
    assert!(list.as_array().is_some_and(|all| all.len() >= 6), "{list}");
    let dir = tempfile::tempdir().expect("a folder");
    let name = "SH20260002_LOD.txt";
    let path = dir.path().join(name);
    let bytes = instrument_adapters::embedded::sample("sartorius-sbi", name).expect("a sample");
    std::fs::write(&path, bytes).expect("written");
    let file = path.to_str().expect("a path");
    let parsed = printed(&["adapters", "parse", file, "--json"], "");
    assert_eq!(parsed["observations"][0]["value"], "25.10372");
    assert_eq!(parsed["complete"], true);
    let asm = printed(&["adapters", "export", file, "--format", "asm"], "");
    let weighed = &asm["balance aggregate document"]["balance document"][0]["measurement aggregate document"];
    assert!(weighed["measurement document"][0]["sample weight"].to_string().contains("25.10372"), "{asm}");
    let out = dir.path().join("out.csv");
    let words = ["adapters", "export", file, "--format", "csv", "-o", out.to_str().expect("a path")];
    assert_eq!(run(&words, "").status.code(), Some(0));
    assert!(std::fs::read_to_string(&out).expect("written").contains(",25.10372,"));
    failed(&["adapters", "export", file, "--format", "xls"], "", 2);
    let notes = dir.path().join("notes.txt");
    std::fs::write(&notes, "no instrument").expect("written");
    failed(&["adapters", "parse", notes.to_str().expect("a path"), "--json"], "", 1);
    assert_eq!(run(&["adapters", "test"], "").status.code(), Some(0));
}

#[test]
fn help_is_everywhere() {
    for words in [
        &["--help"] as &[&str],
        &["demo", "--help"],
        &["serve", "--help"],
        &["migrate", "--help"],
        &["backup", "--help"],
        &["restore", "--help"],
        &["regulation", "determine", "--help"],
        &["calendar", "due", "--help"],
        &["numeric", "judge", "--help"],
        &["adapters", "parse", "--help"],
        &["certificate", "verify", "--help"],
        &["audit", "verify", "--help"],
    ] {
        assert_eq!(run(words, "").status.code(), Some(0), "{words:?}");
    }
    assert_eq!(run(&["dance"], "").status.code(), Some(2));
}
