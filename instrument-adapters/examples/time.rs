//! Times files in-process: `cargo run --release -p instrument-adapters --example time -- FILE…` prints one
//! JSON object a file: adapter, observations, milliseconds (median of repeated recognitions and readings)
//! and the process's largest memory so far in kB (Linux), which is the file's own with one file a call.

use std::path::Path;
use std::time::{Duration, Instant};

use instrument_adapters::{AdapterSet, Options, fs};

/// Repeats until this much time is spent on a file, and at least [`LEAST`] times.
const BUDGET: Duration = Duration::from_millis(300);
const LEAST: usize = 5;

fn main() {
    let set = AdapterSet::embedded();
    for name in std::env::args().skip(1) {
        let path = Path::new(&name);
        let options = Options::default();
        let read = match fs::parse_file(&set, path, None, &options) {
            Ok(read) => read,
            Err(why) => {
                println!("{}", serde_json::json!({"file": name, "error": why.to_string()}));
                continue;
            }
        };
        let mut times = Vec::new();
        let started = Instant::now();
        while times.len() < LEAST || started.elapsed() < BUDGET {
            let before = Instant::now();
            let again = fs::parse_file(&set, path, None, &options);
            times.push(before.elapsed());
            drop(again);
        }
        times.sort();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        println!(
            "{}",
            serde_json::json!({
                "file": name,
                "adapter": read.adapter,
                "observations": read.observations.len(),
                "ms": median.as_secs_f64() * 1000.0,
                "peak_kb": peak_kb(),
            })
        );
    }
}

/// `VmHWM` of this process.
fn peak_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
