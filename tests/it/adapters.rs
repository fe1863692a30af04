//! Instrument files are read in processes of their own, with adapters that follow their folder.

use std::path::Path;
use std::time::{Duration, Instant};

use qianfa::vocabulary::Role;
use serde_json::Value;

use crate::support::client::Client;
use crate::support::{Ground, On, TestApp};
use crate::world::ok;

const BALANCE: &str = "SH20260002_LOD.txt";

fn balance() -> &'static [u8] {
    instrument_adapters::embedded::sample("sartorius-sbi", BALANCE).expect("a sample")
}

fn upload(client: &Client, name: &str, bytes: &[u8]) -> Value {
    let path = format!("/api/v1/instrument-files?name={name}");
    let answer = client.send("POST", &path, Some("application/octet-stream"), bytes.to_vec());
    ok(&answer, 201)
}

fn workers(app: &TestApp) -> Vec<u32> {
    app.services.adapters.pool().expect("files are read apart").running()
}

/// Rows of a table that is read for a while.
fn large(rows: usize) -> Vec<u8> {
    let files = instrument_adapters::embedded::ADAPTERS.iter().find(|one| one.id == "thermo-nanodrop");
    let sample = files.and_then(|files| files.samples.iter().find(|one| one.name.ends_with("mrna.txt")));
    let text = String::from_utf8_lossy(sample.expect("a sample").bytes).into_owned();
    let mut lines: Vec<&str> = text.lines().collect();
    let row = lines.pop().expect("a row");
    lines.extend(std::iter::repeat_n(row, rows));
    (lines.join("\r\n") + "\r\n").into_bytes()
}

#[test]
fn a_killed_reader_is_a_problem_of_its_file_and_the_server_goes_on() {
    let app = TestApp::start(On::Sqlite);
    app.account("analyst", &[Role::Analyst]);
    let client = app.logged_in("analyst");
    assert!(workers(&app).is_empty(), "nothing is started before there is a file");
    assert_eq!(upload(&client, BALANCE, balance())["file"]["state"], "staged");
    let idle = workers(&app);
    assert_eq!(idle.len(), 1);
    let bytes = large(60_000);
    let view = std::thread::scope(|scope| {
        let uploading = scope.spawn(|| upload(&app.logged_in("analyst"), "long.txt", &bytes));
        // Processor time tells that the idle worker has begun to read.
        let begun = Instant::now();
        while ticks(idle[0]) < 20 && begun.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let killed = std::process::Command::new("kill").args(["-9", &idle[0].to_string()]).status().expect("kill");
        assert!(killed.success());
        uploading.join().expect("an answer")
    });
    let problems = view["file"]["problems"].as_array().expect("problems");
    assert!(problems.iter().any(|one| one["code"] == "reader_killed"), "{}", view["file"]);
    assert_eq!(view["observations"].as_array().map(Vec::len), Some(0));
    assert_ne!(view["file"]["complete"], true);
    let id = view["file"]["id"].as_str().expect("an id");
    let accepted = client.post(&format!("/api/v1/instrument-files/{id}/accept"), &serde_json::json!({}));
    assert!(accepted.status >= 400, "{}", accepted.text);
    // Another file is read as ever, by another process.
    let mut other = balance().to_vec();
    other.extend_from_slice(b"\r\n");
    assert_eq!(upload(&client, "again.txt", &other)["file"]["state"], "staged");
    assert!(!workers(&app).contains(&idle[0]));
}

/// Processor time of a process so far.
fn ticks(id: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after.split_whitespace().nth(11).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Writes an adapter that reads `kf.csv` into the folder.
fn write_adapter(own: &Path, version: &str, quantity: &str) {
    let folder = own.join("kf");
    for part in ["samples", "expected", "rejects"] {
        std::fs::create_dir_all(folder.join(part)).expect("a folder");
    }
    let declaration = format!(
        "id = 'kf'\nversion = '{version}'\nstatus = 'draft'\nproduct = 'Titrator'\n[detect]\nhead = ['^Sample;Water']\n\
         [reader]\nkind = 'delimited'\ndelimiters = [';']\n[[tables]]\nname = 'table'\n[[tables.columns]]\nheading = \
         '^Sample$'\nrole = 'sample'\n[[tables.columns]]\nheading = '^Water'\nquantity = '{quantity}'\nunit = '%'\n"
    );
    let adapter = instrument_adapters::Adapter::from_toml(&declaration).expect("a declaration");
    let sample = folder.join("samples/kf.csv");
    std::fs::write(&sample, "Sample;Water\nA-1;0.312\n").expect("written");
    let read = instrument_adapters::fs::explain_with(&adapter, &sample, &instrument_adapters::Options::default());
    let expected = serde_json::to_string(&read.expect("a reading").parsed).expect("JSON");
    std::fs::write(folder.join("expected/kf.csv.json"), expected).expect("written");
    std::fs::write(folder.join("adapter.toml"), declaration).expect("written");
}

fn until(app: &TestApp, client: &Client, what: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..400 {
        let view = ok(&client.get("/api/v1/instrument-adapters"), 200);
        if what(&view) {
            return view;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{:?}", app.services.adapters.set().loaded());
}

fn one<'v>(view: &'v Value, id: &str) -> Option<&'v Value> {
    view["adapters"].as_array()?.iter().find(|one| one["id"] == id)
}

#[test]
fn adapters_are_loaded_again_without_a_restart() {
    let own = tempfile::tempdir().expect("a folder");
    let folder = own.path().to_str().expect("a path");
    let more = [("QIANFA_FOLDERS_ADAPTERS", folder), ("QIANFA_READING_FOLLOW_MILLIS", "100")];
    let app = TestApp::start_with(On::Sqlite, &more);
    app.account("analyst", &[Role::Analyst]);
    let client = app.logged_in("analyst");
    let file = b"Sample;Water\nSX1;0.250\n";
    assert_eq!(upload(&client, "before.csv", file)["file"]["state"], "unread");

    write_adapter(own.path(), "1", "water");
    let view = until(&app, &client, |view| one(view, "kf").is_some());
    let stand = one(&view, "kf").expect("it is there");
    assert_eq!((&stand["status"], &stand["own"], &view["apart"]), (&"draft".into(), &true.into(), &true.into()));
    let read = upload(&client, "first.csv", b"Sample;Water\nSX1;0.251\n");
    assert_eq!(
        (&read["file"]["adapter_version"], &read["observations"][0]["quantity"]),
        (&"1".into(), &"water".into()),
        "{read}"
    );

    // Somebody validates it: the record counts at once.
    let validate = ["adapters", "validate", &format!("{folder}/kf"), "--by", "李雷", "--on", "2026-03-02"];
    let made = std::process::Command::new(env!("CARGO_BIN_EXE_qianfa")).args(validate).output().expect("the program");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let view = until(&app, &client, |view| one(view, "kf").is_some_and(|one| one["status"] == "validated"));
    let stand = one(&view, "kf").expect("it is there");
    assert_eq!((&stand["validated_by"], &stand["validated_on"]), (&"李雷".into(), &"2026-03-02".into()));

    // A changed one is a draft again, and read with from the next file on.
    write_adapter(own.path(), "2", "moisture");
    let view = until(&app, &client, |view| one(view, "kf").is_some_and(|one| one["version"] == "2"));
    assert_eq!(one(&view, "kf").expect("it is there")["status"], "draft");
    let read = upload(&client, "second.csv", b"Sample;Water\nSX1;0.252\n");
    assert_eq!(read["observations"][0]["quantity"], "moisture");

    // A broken one is refused with its reason, and the one before stays.
    let expected = own.path().join("kf/expected/kf.csv.json");
    let text = std::fs::read_to_string(&expected).expect("text").replace("0.312", "0.313");
    std::fs::write(&expected, text).expect("written");
    let view = until(&app, &client, |view| view["refused"].as_array().is_some_and(|all| !all.is_empty()));
    let refused = &view["refused"][0];
    assert_eq!((&refused["folder"], &refused["keeps"]), (&"kf".into(), &"kf 2".into()));
    assert!(refused["reason"].as_str().is_some_and(|text| text.contains("0.312")), "{refused}");
    let read = upload(&client, "third.csv", b"Sample;Water\nSX1;0.253\n");
    assert_eq!(read["observations"][0]["value"], "0.253");
    let page = client.get("/instrument-adapters");
    assert!(page.status == 200 && page.text.contains("kf 2"), "{}", page.text);

    // One that is taken away reads nothing more.
    std::fs::remove_dir_all(own.path().join("kf")).expect("removed");
    until(&app, &client, |view| one(view, "kf").is_none());
    assert_eq!(upload(&client, "fourth.csv", b"Sample;Water\nSX1;0.254\n")["file"]["state"], "unread");
}

/// Where no program is named, files are read in the server's process, and the page says so.
#[test]
fn reading_in_the_servers_process_is_said() {
    let ground = Ground::new(On::Sqlite);
    let mut config = ground.config(&[]);
    assert!(config.reading.program.is_some());
    config.reading.program = None;
    let clock = qianfa::clock::Clock::set_to(crate::support::beginning());
    let services = qianfa::app::serve::open_services(&config, clock).expect("services");
    assert!(services.adapters.pool().is_none());
    assert!(!qianfa::instruments::adapters(&services).apart);
    assert!(services.adapters.parse(BALANCE, balance(), None, &instrument_adapters::Options::default()).is_ok());
}
