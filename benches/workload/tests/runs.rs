//! The measuring program does its whole round with the program as it is now: figures that nobody can make again are none.

use std::process::Command;

#[test]
fn a_short_round_is_measured_from_intake_to_certificates() {
    let options = ["--requests", "240", "--rounds", "1", "--connections", "2", "--certificates", "1"];
    let made = Command::new(env!("CARGO_BIN_EXE_workload"))
        .args(options)
        .args(["--database", "sqlite", "--json"])
        .output()
        .expect("the measuring program starts");
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{said}");
    let report: serde_json::Value = serde_json::from_slice(&made.stdout).expect("a report");
    assert!(report["databases"][0]["per_second"].as_f64().is_some_and(|rate| rate > 0.0), "{report}");
    assert_eq!(report["certificates"].as_array().map(Vec::len), Some(3), "{report}");
}
