//! Reading in processes of their own: the same values, and whatever a process does, the pool goes on.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use instrument_adapters::embedded::{self, ADAPTERS};
use instrument_adapters::isolated::{Pool, PoolSettings, Program, WorkerFailure};
use instrument_adapters::{AdapterSet, Companion, NotRecognised, Options, Parsed};

fn settings() -> PoolSettings {
    PoolSettings { workers: 2, seconds: 60, memory_mb: 512, files_per_worker: 1000 }
}

fn real(settings: PoolSettings) -> Pool {
    Pool::new(Program::new(env!("CARGO_BIN_EXE_instrument-adapters-worker")), settings, AdapterSet::embedded())
}

const BALANCE: &str = "SH20260002_LOD.txt";

fn balance() -> &'static [u8] {
    embedded::sample("sartorius-sbi", BALANCE).unwrap()
}

fn reads_a_balance(pool: &Pool) {
    let parsed = pool.parse(BALANCE, balance(), None, &Options::default()).unwrap();
    assert_eq!((parsed.complete, parsed.problems.len()), (Some(true), 0));
    assert_eq!(parsed.observations[0].value.as_deref(), Some("25.10372"));
}

#[test]
fn every_sample_reads_as_in_process() {
    let pool = real(settings());
    let set = AdapterSet::embedded();
    for files in ADAPTERS {
        for sample in files.samples {
            let wanted = set.get(files.id).unwrap().companion_names(sample.name);
            let companions = files.samples.iter().filter(|f| wanted.iter().any(|w| w.eq_ignore_ascii_case(f.name)));
            let companions =
                companions.map(|f| Companion { name: f.name.to_owned(), bytes: f.bytes.to_vec() }).collect();
            let options = Options { companions, zone: Some("+08:00".into()), ..Options::default() };
            let here = set.explain(sample.name, sample.bytes, None, &options).unwrap();
            let there = pool.explain(sample.name, sample.bytes, None, &options).unwrap();
            assert_eq!(here.parsed, there.parsed, "{}", sample.name);
            assert_eq!(here.lines, there.lines, "{}", sample.name);
            for observation in &here.parsed.observations {
                assert_eq!(here.line_of(&observation.locator), there.line_of(&observation.locator));
            }
            let parsed = pool.parse(sample.name, sample.bytes, Some(files.id), &options).unwrap();
            assert_eq!(here.parsed, parsed);
            assert_eq!(set.detect(sample.name, sample.bytes), pool.detect(sample.name, sample.bytes).unwrap());
        }
    }
    assert_eq!(
        pool.parse("a.txt", b"x", None, &Options::default()),
        set.parse("a.txt", b"x", None, &Options::default())
    );
    assert!(matches!(pool.parse("a.txt", b"", None, &Options::default()), Err(NotRecognised::Empty)));
    // One process did all of it.
    assert_eq!(pool.running().len(), 1);
}

#[test]
fn nothing_runs_before_there_is_a_file_and_nothing_after_the_pool() {
    let pool = real(settings());
    assert!(pool.running().is_empty());
    reads_a_balance(&pool);
    let ids = pool.running();
    assert_eq!(ids.len(), 1);
    drop(pool);
    assert!(!Path::new(&format!("/proc/{}", ids[0])).exists());
}

/// The limits stand in the system's own account of the process.
#[test]
#[cfg(target_os = "linux")]
fn a_worker_has_given_up_what_it_does_not_need() {
    let pool = real(PoolSettings { memory_mb: 100, ..settings() });
    assert!(pool.limited().unwrap());
    reads_a_balance(&pool);
    let about = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", pool.running()[0])).unwrap();
    assert_eq!(about("environ"), "", "a worker knows nothing of its parent's environment");
    let limits = about("limits");
    let hard = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].split_whitespace().nth(1).unwrap().to_owned()
    };
    assert_eq!(hard("Max open files"), "3");
    assert_eq!(hard("Max core file size"), "0");
    assert_eq!(hard("Max file size"), "0");
    assert_eq!(hard("Max processes"), "0");
    assert_eq!(hard("Max data size").parse::<u64>().unwrap(), (100 + 96) << 20);
    let cpu: u64 = {
        let line = limits.lines().find(|line| line.starts_with("Max cpu time")).unwrap();
        line["Max cpu time".len()..].split_whitespace().next().unwrap().parse().unwrap()
    };
    assert!((60..=70).contains(&cpu), "{cpu}");
    assert!(about("status").lines().any(|line| line.split_whitespace().eq(["NoNewPrivs:", "1"])));
}

/// A file of the real layout that takes a while, and memory.
fn large(rows: usize) -> Vec<u8> {
    let sample = embedded::sample("thermo-nanodrop", "nanodrop_one_mrna.txt").or_else(|| {
        let files = ADAPTERS.iter().find(|a| a.id == "thermo-nanodrop")?;
        files.samples.iter().find(|s| s.name.ends_with("mrna.txt")).map(|s| s.bytes)
    });
    let text = String::from_utf8_lossy(sample.unwrap()).into_owned();
    let mut lines: Vec<&str> = text.lines().collect();
    let last = lines.pop().unwrap();
    let mut out = lines.join("\r\n") + "\r\n";
    for _ in 0..rows {
        out.push_str(last);
        out.push_str("\r\n");
    }
    out.into_bytes()
}

fn codes(parsed: &Parsed) -> Vec<&str> {
    parsed.problems.iter().map(|p| p.code.as_str()).collect()
}

fn is_record_of(parsed: &Parsed, code: &str, bytes: &[u8]) {
    assert_eq!(codes(parsed), [code], "{:?}", parsed.problems);
    assert_eq!((parsed.adapter.as_str(), parsed.complete), ("thermo-nanodrop", Some(false)));
    assert!(parsed.is_blocked() && parsed.observations.is_empty());
    assert_eq!(parsed.file_sha256, instrument_adapters::sha256(bytes));
}

#[test]
fn too_much_memory_is_a_problem_of_that_file() {
    let pool = real(PoolSettings { memory_mb: 1, workers: 1, ..settings() });
    let bytes = large(60_000);
    let parsed = pool.parse("a.txt", &bytes, Some("thermo-nanodrop"), &Options::default()).unwrap();
    is_record_of(&parsed, "reader_out_of_memory", &bytes);
    reads_a_balance(&pool);
}

#[test]
fn too_much_time_is_a_problem_of_that_file() {
    let pool = real(PoolSettings { seconds: 1, memory_mb: 4000, workers: 1, ..settings() });
    let bytes = large(80_000);
    let before = Instant::now();
    let parsed = pool.parse("a.txt", &bytes, Some("thermo-nanodrop"), &Options::default()).unwrap();
    assert!(before.elapsed() < Duration::from_secs(20));
    is_record_of(&parsed, "reader_timeout", &bytes);
    reads_a_balance(&pool);
}

/// An adapter may ask for less time and memory than the pool gives.
#[test]
fn an_adapter_sets_its_own_limits() {
    let files = ADAPTERS.iter().find(|a| a.id == "thermo-nanodrop").unwrap();
    let with = |limits: &str| {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("thermo-nanodrop");
        fs::create_dir_all(folder.join("samples")).unwrap();
        fs::create_dir_all(folder.join("expected")).unwrap();
        fs::write(folder.join("adapter.toml"), files.declaration.replace("[limits]", &format!("[limits]\n{limits}")))
            .unwrap();
        for (part, list) in [("samples", files.samples), ("expected", files.expected)] {
            for file in list {
                let name = if part == "expected" { format!("{}.json", file.name) } else { file.name.to_owned() };
                fs::write(folder.join(part).join(name), file.bytes).unwrap();
            }
        }
        let set = AdapterSet::with_folder(dir.path()).unwrap();
        assert!(set.loaded()[0].outcome.is_ok(), "{:?}", set.loaded());
        let settings = PoolSettings { memory_mb: 4000, workers: 1, ..settings() };
        Pool::new(Program::new(env!("CARGO_BIN_EXE_instrument-adapters-worker")), settings, set)
    };
    let bytes = large(60_000);
    for (limits, code) in [("memory_mb = 1", "reader_out_of_memory"), ("seconds = 1", "reader_timeout")] {
        let pool = with(limits);
        let parsed = pool.parse("a.txt", &bytes, None, &Options::default()).unwrap();
        is_record_of(&parsed, code, &bytes);
        reads_a_balance(&pool);
    }
}

#[test]
fn a_killed_worker_is_a_problem_of_its_file_alone() {
    let pool = real(PoolSettings { memory_mb: 4000, ..settings() });
    let bytes = large(80_000);
    let parsed = std::thread::scope(|scope| {
        let reading = scope.spawn(|| pool.parse("a.txt", &bytes, Some("thermo-nanodrop"), &Options::default()));
        let id = loop {
            if let [id] = pool.running()[..] {
                break id;
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        // The other worker reads on meanwhile.
        reads_a_balance(&pool);
        std::thread::sleep(Duration::from_millis(400));
        let killed = std::process::Command::new("kill").args(["-9", &id.to_string()]).status().unwrap();
        assert!(killed.success());
        reading.join().unwrap().unwrap()
    });
    is_record_of(&parsed, "reader_killed", &bytes);
    assert!(parsed.problems[0].message.contains("signal: 9"), "{}", parsed.problems[0].message);
    reads_a_balance(&pool);
}

/// A worker that ends while it waits costs no file anything.
#[test]
fn a_worker_killed_between_files_is_replaced() {
    let pool = real(PoolSettings { workers: 1, ..settings() });
    for _ in 0..3 {
        reads_a_balance(&pool);
        let id = pool.running()[0];
        std::process::Command::new("kill").args(["-9", &id.to_string()]).status().unwrap();
    }
    reads_a_balance(&pool);
    assert_eq!(pool.running().len(), 1);
}

#[test]
fn a_worker_is_replaced_after_some_files_and_with_other_adapters() {
    let pool = real(PoolSettings { workers: 1, files_per_worker: 2, ..settings() });
    reads_a_balance(&pool);
    let first = pool.running();
    reads_a_balance(&pool);
    reads_a_balance(&pool);
    let second = pool.running();
    assert_ne!(first, second);
    let dir = tempfile::tempdir().unwrap();
    // A laboratory's own sample that does not read as expected withdraws an embedded adapter.
    let samples = dir.path().join("sartorius-sbi/samples");
    fs::create_dir_all(&samples).unwrap();
    fs::write(samples.join("ours.txt"), balance()).unwrap();
    pool.replace(AdapterSet::with_folder(dir.path()).unwrap());
    let refused = pool.parse(BALANCE, balance(), None, &Options::default());
    assert!(matches!(refused, Err(NotRecognised::Nobody(_))), "{refused:?}");
    pool.replace(AdapterSet::embedded());
    reads_a_balance(&pool);
}

/// A program that says the first word of a worker and then does as it likes.
fn scripted(dir: &Path, then: &str) -> Pool {
    let path: PathBuf = dir.join("worker.sh");
    fs::write(&path, format!("#!/bin/sh\n{}\n{then}\n", say(r#"{"Ready":{"version":2,"limited":true}}"#))).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    // Through the shell: a file just written may still be open for writing in a test beside this one.
    let program = Program::new("/bin/sh").arg(&path);
    Pool::new(program, PoolSettings { seconds: 2, workers: 1, ..settings() }, AdapterSet::embedded())
}

/// A shell command that writes a message.
fn say(message: &str) -> String {
    let length = u32::try_from(message.len()).unwrap().to_le_bytes();
    let length: String = length.iter().map(|byte| format!("\\{byte:03o}")).collect();
    format!("printf '{length}'; printf '%s' '{message}'")
}

fn failure(pool: &Pool, bytes: &[u8]) -> WorkerFailure {
    match pool.parse("a.txt", bytes, None, &Options::default()) {
        Err(NotRecognised::Failed(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn whatever_a_worker_does_the_pool_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    // More than a pipe holds, so that the worker has to read.
    let bytes = vec![b'x'; 1 << 20];
    for (then, code) in [
        ("sleep 1000", "reader_timeout"),
        ("sleep 1000 & sleep 1000", "reader_timeout"),
        ("exit 3", "reader_killed"),
        ("kill -9 $$", "reader_killed"),
        ("kill -XCPU $$", "reader_timeout"),
        ("echo 'memory allocation of 7 bytes failed' >&2; kill -ABRT $$", "reader_out_of_memory"),
        ("echo hello world, this is no message at all; exit 0", "reader_broken"),
        ("yes", "reader_timeout"),
        ("exec 3<&0; cat <&3 >/dev/null & yes hello world", "reader_broken"),
        ("printf '\\004\\000\\000\\000null'; exit 0", "reader_broken"),
        ("printf '\\377\\000\\000\\000{'; exit 0", "reader_killed"),
        ("cat >/dev/null", "reader_timeout"),
    ] {
        let pool = scripted(dir.path(), then);
        for _ in 0..2 {
            let before = Instant::now();
            let found = failure(&pool, &bytes);
            assert_eq!((found.code.as_str(), found.adapter), (code, None), "{then}: {}", found.message);
            assert!(before.elapsed() < Duration::from_secs(15), "{then}");
        }
        assert!(pool.running().is_empty(), "{then}");
    }
}

#[test]
fn a_panic_is_a_record_and_the_process_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let began = say(r#"{"Began":{"adapter":"thermo-nanodrop","seconds":null}}"#);
    let panicked = say(r#"{"Panicked":{"message":"panicked at line 3"}}"#);
    let pool = scripted(dir.path(), &format!("{began}; {panicked}; {began}; {panicked}; sleep 1000"));
    let mut ids = Vec::new();
    for _ in 0..2 {
        let parsed = pool.parse("a.txt", b"x", None, &Options::default()).unwrap();
        is_record_of(&parsed, "reader_panicked", b"x");
        assert!(parsed.problems[0].message.contains("line 3"));
        ids.push(pool.running());
    }
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn a_program_that_is_no_worker_is_said_so() {
    for program in [Program::new("/no/such/program"), Program::new("/bin/true"), Program::new("/bin/echo")] {
        let pool = Pool::new(program, settings(), AdapterSet::embedded());
        let found = failure(&pool, b"x");
        assert_eq!(found.code, "reader_not_started", "{}", found.message);
    }
}
