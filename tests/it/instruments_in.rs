//! The ways into the laboratory: folders and uploads; versions, matching, mapping, dead letters.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use qianfa::store::blobs::sha256_hex;
use serde_json::{Value, json};

use crate::kill::serve_with;
use crate::pages::Browser;
use crate::support::client::{Answer, Client};
use crate::support::{On, PASSWORD, TestApp, on_each, text};
use crate::world::{World, ok};

pub const QUICK: [(&str, &str); 3] = [
    ("QIANFA_INSTRUMENTS_POLL_MILLIS", "40"),
    ("QIANFA_INSTRUMENTS_SETTLE_MILLIS", "120"),
    ("QIANFA_INSTRUMENTS_MESSAGE_BYTES", "4096"),
];

/// A printout of a balance in a protocol's frame.
pub fn printout(sample: &str, weight: &str, minute: u32) -> String {
    let frame = "-".repeat(20);
    let rest = minute / 60 % 14 + 8;
    format!(
        "{frame}\r\n12-Feb-2026 {rest:02}:{:02}\r\nModel       ABC123\r\nSerNo.    0034500001\r\nID           BAL-9\r\n\
         {frame}\r\nS ID      {sample}\r\nN     + {weight:>8} g  \r\n{frame}\r\n12-Feb-2026 23:47\r\nName:\r\n\r\n{frame}\r\n",
        minute % 60
    )
}

/// A table of a spectrophotometer: sample names with their concentrations.
fn table(rows: &[(&str, &str)]) -> String {
    let mut all = String::from("Date,Sample Name,Nucleic Acid(ng/uL),A260/A280,A260/A230,A260,A280\r\n");
    for (index, (name, value)) in rows.iter().enumerate() {
        all.push_str(&format!("2/12/2026 10:{index:02}:11 AM,{name},{value},1.871,2.114,10.248,5.477\r\n"));
    }
    all
}

pub fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(30));
    }
}

pub fn items(answer: &Answer) -> Vec<Value> {
    ok(answer, 200)["items"].as_array().expect("items").clone()
}

pub fn files(client: &Client) -> Vec<Value> {
    items(&client.get("/api/v1/instrument-files?limit=500"))
}

fn named(client: &Client, name: &str, version: i64) -> Option<Value> {
    files(client).into_iter().find(|file| file["name"] == name && file["version"] == version)
}

fn view(client: &Client, file: &Value) -> Value {
    ok(&client.get(&format!("/api/v1/instrument-files/{}", text(file, "id"))), 200)
}

fn upload(client: &Client, name: &str, content: &str, more: &str) -> Answer {
    let path = format!("/api/v1/instrument-files?name={name}{more}");
    client.send("POST", &path, Some("application/octet-stream"), content.as_bytes().to_vec())
}

pub fn register(client: &Client, new: &Value) -> Value {
    ok(&client.post("/api/v1/instruments", new), 201)
}

fn codes(view: &Value) -> Vec<String> {
    let problems = view["file"]["problems"].as_array().expect("a list of problems");
    problems.iter().map(|one| text(one, "code")).collect()
}

/// An item whose reading is the net weight of a balance.
fn weighing() -> Value {
    json!([{"code": "mass", "name_zh": "装量", "name_en": "Mass", "method": "称量", "kind": "numeric", "unit": "g",
            "limit": "≤50", "compare_by": "rounded", "consumes": "1",
            "inputs": [{"name": "x", "unit": "g", "source": {"quantity": "net_weight"}}]}])
}

fn sample(world: &World, items: &Value, code: &str) -> String {
    let product = world.product(code, "chemical", &["rare_disease"], items);
    text(&world.take_in("drug_registration", &product, code, 9)["samples"][0], "number")
}

fn folder(app: &TestApp, name: &str) -> PathBuf {
    let path = app.ground.instruments().join(crate::support::institute().code).join(name);
    std::fs::create_dir_all(&path).expect("a folder");
    path
}

#[test]
fn a_watched_folder_brings_files_and_their_corrections() {
    on_each(|on| {
        let app = TestApp::start_with(on, &QUICK);
        let world = World::new(&app);
        let number = sample(&world, &weighing(), "P1");
        let watched = folder(&app, "balance");
        let new =
            json!({"code": "BAL-01", "name": "天平", "serial": "S1", "folder": watched, "folder_pattern": "*.txt"});
        let machine = register(&world.admin, &new);
        let id = text(&machine, "id");
        let calibration = json!({"performed_on": "2025-01-10", "due_on": "2026-01-10", "result": "pass",
                                 "certificate_number": "JZ-1", "performed_by": "计量院"});
        ok(&world.quality.post(&format!("/api/v1/instruments/{id}/calibrations"), &calibration), 201);
        std::fs::write(watched.join("half.txt.part"), printout(&number, "1.0", 1)).unwrap();
        std::fs::write(watched.join("other.dat"), "no file of this instrument").unwrap();
        std::fs::create_dir(watched.join("day")).unwrap();
        let path = watched.join("day/w1.txt");
        std::fs::write(&path, printout(&number, "25.1034", 2)).unwrap();

        let first = wait("the first file", || named(&world.analyst, "w1.txt", 1));
        assert_eq!((&first["source"], &first["path"]), (&json!("folder"), &json!("day/w1.txt")));
        assert_eq!(first["uploaded_by_name"], "仪器 BAL-01");
        let one = view(&world.analyst, &first);
        assert_eq!(one["proposals"][0]["readings"][0]["value"], "25.1034", "{one}");
        assert!(codes(&one).contains(&"calibration_overdue".into()), "{one}");
        let trail = ok(&world.quality.get("/api/v1/audit?action=file.upload"), 200);
        let trail = trail["entries"].as_array().expect("entries");
        assert!(
            !trail.is_empty() && trail.iter().all(|entry| entry["actor"] == "instrument:sxidc:bal-01"),
            "{trail:?}"
        );

        // The same weighing with another value is a new version; the older one is not to be accepted without a reason.
        std::fs::write(&path, printout(&number, "25.2222", 2)).unwrap();
        let second = wait("the second version", || named(&world.analyst, "w1.txt", 2));
        assert_eq!(second["supersedes"], first["id"]);
        let old = view(&world.analyst, &first);
        assert!(codes(&old).contains(&"superseded".into()), "{old}");
        let accept = |file: &Value, body: Value| {
            world.analyst.post(&format!("/api/v1/instrument-files/{}/accept", text(file, "id")), &body)
        };
        let refused = accept(&first, json!({"confirm_complete": true}));
        assert_eq!(refused.json()["field"], "despite_problems", "{}", refused.text);
        let accepted = ok(&accept(&second, json!({"confirm_complete": true})), 200);
        assert_eq!(accepted["entered"][0]["result"]["calculated"], "25.2222", "{accepted}");

        // A version after an accepted one is flagged, and changes no result.
        std::fs::write(&path, printout(&number, "26.9999", 2)).unwrap();
        let third = wait("the third version", || named(&world.analyst, "w1.txt", 3));
        let third = view(&world.analyst, &third);
        assert!(codes(&third).contains(&"supersedes_accepted".into()), "{third}");
        assert_eq!(third["older"]["state"], "accepted");
        assert_eq!(third["proposals"], json!([]), "the task is done");
        // The same content again is known, and nothing else was taken from the folder.
        std::fs::write(watched.join("again.txt"), printout(&number, "25.1034", 2)).unwrap();
        let seen = wait("the copy", || {
            let seen = ok(&world.quality.get(&format!("/api/v1/instruments/{id}/folder")), 200);
            (seen["files"] == 2).then_some(seen)
        });
        assert_eq!(files(&world.analyst).len(), 3, "{seen}");
        assert!(path.exists() && watched.join("half.txt.part").exists());

        // A folder that goes away is said to be away, since when; then it is there again.
        let away = watched.with_extension("away");
        std::fs::rename(&watched, &away).unwrap();
        let state = |failing: bool| {
            wait("the folder's state", || {
                let one = ok(&world.quality.get(&format!("/api/v1/instruments/{id}")), 200);
                (one["ways"][0]["error"].is_string() == failing).then_some(one)
            })
        };
        assert!(state(true)["ways"][0]["failing_since"].is_string());
        std::fs::rename(&away, &watched).unwrap();
        state(false);
        std::fs::write(watched.join("w2.txt"), printout(&number, "3.3333", 5)).unwrap();
        wait("the next file", || named(&world.analyst, "w2.txt", 1));
        // Retired, nothing comes from it any more.
        let retire = json!({"reason": "报废"});
        assert_eq!(world.quality.post(&format!("/api/v1/instruments/{id}/retire"), &retire).status, 204);
        let upload = upload(&world.analyst, "x.txt", &printout(&number, "1.1", 9), "&instrument=BAL-01");
        assert_eq!(upload.problem(), "wrong-state");
    });
}

fn log_in(base: &str) -> Client {
    let mut client = Client::new(base);
    let login = json!({"username": "analyst", "password": PASSWORD});
    client.bearer = Some(text(&client.post("/api/v1/session", &login).json(), "access_token"));
    client
}

#[test]
fn killed_in_the_middle_of_a_folder_every_file_comes_once() {
    on_each(|on| {
        let mut app = TestApp::start(on);
        let watched = folder(&app, "many");
        {
            let world = World::new(&app);
            register(&world.admin, &json!({"code": "BAL-02", "name": "天平", "folder": watched}));
        }
        app.stop();
        const MANY: usize = 240;
        for index in 0..MANY {
            let weight = format!("{}.{index:03}", index % 40);
            std::fs::write(watched.join(format!("{index:04}.txt")), printout("X", &weight, 7)).unwrap();
        }
        let (mut child, base) = serve_with(&app.ground, &QUICK);
        let client = log_in(&base);
        let total = |client: &Client| ok(&client.get("/api/v1/instrument-files?limit=1"), 200)["total"].as_u64();
        wait("some of the files", || total(&client).filter(|total| *total >= 20));
        child.kill().expect("killed");
        child.wait().expect("gone");
        let (mut child, base) = serve_with(&app.ground, &QUICK);
        let client = log_in(&base);
        wait("all of the files", || total(&client).filter(|total| *total == MANY as u64));
        let contents = |client: &Client| -> Vec<(String, i64)> {
            let all = files(client);
            let mut all: Vec<_> = all.iter().map(|f| (text(f, "sha256"), f["version"].as_i64().unwrap())).collect();
            all.sort();
            all
        };
        let before = contents(&client);
        assert!(before.iter().all(|(_, version)| *version == 1));
        child.kill().expect("killed");
        child.wait().expect("gone");
        // A new start reads nothing again: the files may even have become unreadable nonsense of the same look.
        let entries = || {
            let db = qianfa::store::DbConn::open(&qianfa::store::DbSettings::new(app.ground.url())).expect("opens");
            crate::kill::count(&db, "SELECT CAST(sum(tries) AS BIGINT) AS count FROM instrument_folder_entry")
        };
        let tries = entries();
        let (mut child, base) = serve_with(&app.ground, &QUICK);
        std::fs::write(watched.join("new.txt"), printout("X", "9.99999", 8)).unwrap();
        let client = log_in(&base);
        wait("the new file", || named(&client, "new.txt", 1));
        assert_eq!(contents(&client).len(), MANY + 1);
        child.kill().expect("killed");
        child.wait().expect("gone");
        assert_eq!(entries(), tries + 1);
    });
}

#[test]
fn names_lead_to_samples_as_the_laboratory_says() {
    on_each(|on| {
        let app = TestApp::start(on);
        let world = World::new(&app);
        let one = sample(&world, &weighing(), "A");
        let two = sample(&world, &weighing(), "B");
        let detail = items(&world.analyst.get("/api/v1/tasks?item=mass"));
        assert_eq!(detail.len(), 2);
        let found = ok(&world.receiver.get(&format!("/api/v1/samples/{}", text(&detail[0], "sample_id"))), 200);
        let label = text(&found["containers"][0], "label_code");
        let owner = text(&detail[0], "sample_number");
        let of = |file: &Value| -> Vec<(Value, Value, Value)> {
            let names = file["names"].as_array().expect("names");
            names.iter().map(|n| (n["sample_text"].clone(), n["assigned"].clone(), n["candidates"].clone())).collect()
        };

        // By number among words, by a whole label; two numbers are for a person.
        let both = format!("{one} / {two}");
        let rows =
            [(format!("{one} prep 1"), "1.0"), (label.clone(), "2.0"), (both.clone(), "3.0"), ("Blank".into(), "0.1")];
        let rows: Vec<(&str, &str)> = rows.iter().map(|(a, b)| (a.as_str(), *b)).collect();
        let file = ok(&upload(&world.analyst, "plain.csv", &table(&rows), ""), 201);
        let found = of(&file);
        assert_eq!(found[0].1, json!([one]));
        assert_eq!(found[1].1, json!([owner]), "{label}");
        assert_eq!((found[2].1.clone(), found[2].2.clone()), (json!([]), json!([one, two])));
        assert_eq!((found[3].1.clone(), found[3].2.clone()), (json!([]), json!([])));
        // The person decides, and nothing makes a sample.
        let path = format!("/api/v1/instrument-files/{}/match", text(&file["file"], "id"));
        let assigned = ok(&world.analyst.post(&path, &json!({"sample_text": both, "sample_number": two})), 200);
        assert_eq!(of(&assigned)[2].1, json!([two]));
        let nobody = world.analyst.post(&path, &json!({"sample_text": "Blank", "sample_number": "SX20269999"}));
        assert_eq!(nobody.problem(), "not-found");

        // The laboratory's pattern: what does not fit it names no sample.
        let strict = json!({"code": "UV-1", "name": "UV", "adapter": "thermo-nanodrop",
                            "matching": {"by": ["number"], "pattern": "^(?P<sample>SX\\d+)_", "on": "sample"}});
        register(&world.quality, &strict);
        let rows = [(format!("{one}_a"), "4.0"), (format!("old {two}"), "5.0")];
        let rows: Vec<(&str, &str)> = rows.iter().map(|(a, b)| (a.as_str(), *b)).collect();
        let file = ok(&upload(&world.analyst, "strict.csv", &table(&rows), "&instrument=UV-1"), 201);
        assert_eq!((of(&file)[0].1.clone(), of(&file)[1].1.clone()), (json!([one]), json!([])));
        // Against the file's name: only where the file has one name in it.
        let by_file = json!({"code": "UV-2", "name": "UV",
                             "matching": {"by": ["number"], "pattern": "^(?P<sample>SX\\d+)_", "on": "file"}});
        register(&world.quality, &by_file);
        let file = ok(
            &upload(&world.analyst, &format!("{two}_1.csv"), &table(&[("cuvette", "6.0")]), "&instrument=UV-2"),
            201,
        );
        assert_eq!(of(&file)[0].1, json!([two]));
        let rows = [("cuvette", "7.0"), ("Blank", "0.2")];
        let file = ok(&upload(&world.analyst, &format!("{two}_2.csv"), &table(&rows), "&instrument=UV-2"), 201);
        assert!(of(&file).iter().all(|name| name.1 == json!([])), "{file}");
        let broken =
            json!({"code": "UV-3", "name": "UV", "matching": {"by": ["number"], "pattern": "(", "on": "file"}});
        assert_eq!(world.quality.post("/api/v1/instruments", &broken).json()["field"], "matching.pattern");

        // A sequence list, for the wells of a plate; before the file by its name, or for the file.
        let machine = register(&world.quality, &json!({"code": "ND-8", "name": "八通道"}));
        let wells = |value: &str| {
            format!(
                "Plate ID\tWell \tSample ID\tUser ID\tDate \tTime \tConc. \tUnits \tnm 1\tAbs 1\r\n\
                 P1\tA1\t\tDefault\t2/17/2026\t1:45 PM\t{value}\tmg/ml\t260\t1.028\r\n\
                 P1\tB1\t\tDefault\t2/17/2026\t1:46 PM\t0.5\tmg/ml\t260\t0.9\r\n"
            )
        };
        let lists = format!("/api/v1/instruments/{}/run-lists", text(&machine, "id"));
        let list = json!({"file_pattern": "plate7_*", "rows": [{"place": "a1", "sample_number": one}, {"place": "B1", "sample_number": two}]});
        let all = json!({"file_pattern": "*.*", "rows": list["rows"]});
        assert_eq!(world.analyst.post(&lists, &all).json()["field"], "file_pattern");
        ok(&world.analyst.post(&lists, &list), 201);
        let file = ok(&upload(&world.analyst, "plate7_1.txt", &wells("0.4"), "&instrument=ND-8"), 201);
        assert_eq!(of(&file)[0].1, json!([one, two]), "{file}");
        let file = ok(&upload(&world.analyst, "plate8_1.txt", &wells("0.3"), "&instrument=ND-8"), 201);
        assert_eq!(of(&file)[0].1, json!([]));
        let path = format!("/api/v1/instrument-files/{}/run-list", text(&file["file"], "id"));
        let rows = json!({"rows": [{"place": "B1", "sample_number": one}]});
        assert_eq!(of(&ok(&world.analyst.post(&path, &rows), 200))[0].1, json!([one]));
        let unknown = json!({"rows": [{"place": "B1", "sample_number": "SX1"}]});
        assert_eq!(world.analyst.post(&path, &unknown).json()["field"], "rows[0].sample_number");
        // A list that says otherwise than what is decided is refused.
        let other = json!({"rows": [{"place": "B1", "sample_number": two}]});
        assert_eq!(world.analyst.post(&path, &other).problem(), "conflict");
    });
}

#[test]
fn what_no_adapter_reads_is_kept_and_tried_again() {
    on_each(|on| {
        let app = TestApp::start_with(on, &QUICK);
        let world = World::new(&app);
        let new = json!({"code": "BAL-7", "name": "天平", "adapter": "thermo-nanodrop"});
        let machine = register(&world.quality, &new);
        let file = ok(&upload(&world.analyst, "w.txt", &printout("X", "1.2345", 1), "&instrument=BAL-7"), 201);
        assert_eq!(file["file"]["state"], "unread");
        let letters = |state: &str| items(&world.analyst.get(&format!("/api/v1/dead-letters?state={state}")));
        let letter = letters("open").remove(0);
        assert!(text(&letter, "reason").contains("thermo-nanodrop"), "{letter}");
        let retry = format!("/api/v1/dead-letters/{}/retry", text(&letter, "id"));
        assert_eq!(ok(&world.analyst.post(&retry, &json!({})), 200)["state"], "open");
        assert_eq!(letters("open")[0]["tries"], 2);
        // The register was wrong: once it is right, the file is read in its place.
        let id = text(&machine, "id");
        let right = json!({"reason": "适配器选错", "instrument": {"code": "BAL-7", "name": "天平", "adapter": "sartorius-sbi"}});
        ok(&world.quality.put(&format!("/api/v1/instruments/{id}"), &right), 200);
        let told = ok(&world.analyst.post(&retry, &json!({})), 200);
        assert_eq!((&told["state"], &told["file_id"]), (&json!("resolved"), &file["file"]["id"]));
        let read = view(&world.analyst, &file["file"]);
        assert_eq!((&read["file"]["state"], &read["observations"][0]["value"]), (&json!("staged"), &json!("1.2345")));
        assert_eq!(world.analyst.post(&retry, &json!({})).problem(), "wrong-state");
        assert_eq!(letters("open").len(), 0);

        // Dismissed with its reason, by who may.
        ok(&upload(&world.analyst, "n.xyz", "no instrument wrote this", ""), 201);
        let letter = text(&letters("open")[0], "id");
        let dismiss = format!("/api/v1/dead-letters/{letter}/dismiss");
        assert_eq!(world.reviewer.post(&dismiss, &json!({"reason": "x"})).problem(), "forbidden");
        assert_eq!(world.analyst.post(&dismiss, &json!({"reason": ""})).json()["field"], "reason");
        assert_eq!(world.quality.post(&dismiss, &json!({"reason": "误传"})).status, 204);
        assert_eq!(letters("dismissed")[0]["state_reason"], "误传");

        // A failed calibration is told to whoever accepts.
        let failed =
            json!({"performed_on": "2026-02-01", "result": "fail", "certificate_number": "J2", "performed_by": "院"});
        ok(&world.quality.post(&format!("/api/v1/instruments/{id}/calibrations"), &failed), 201);
        let file = ok(&upload(&world.analyst, "w2.txt", &printout("X", "2.5", 3), "&instrument=BAL-7"), 201);
        assert!(codes(&file).contains(&"calibration_failed".into()), "{file}");
        // Folders of the system itself are not watched.
        for wrong in
            [app.services.site.data.join("keys"), PathBuf::from("relative"), app.ground.dir.path().to_path_buf()]
        {
            let new = json!({"code": "BAD", "name": "x", "folder": wrong});
            assert_eq!(world.admin.post("/api/v1/instruments", &new).json()["field"], "folder", "{wrong:?}");
        }
        let too_large = folder(&app, "large");
        let large = std::fs::File::create(too_large.join("huge.txt")).unwrap();
        large.set_len(40 << 20).unwrap();
        register(&world.admin, &json!({"code": "BIG", "name": "x", "folder": too_large}));
        wait("the large file", || letters("open").into_iter().find(|one| one["code"] == "too_large"));
    });
}

#[test]
fn files_uploaded_together_are_read_together() {
    let app = TestApp::start(On::Sqlite);
    let world = World::new(&app);
    let sample = |name: &str| instrument_adapters::embedded::sample("agilent-chemstation-csv", name).expect("a sample");
    let mut body = Vec::new();
    for name in ["SX20260001_REPORT01.CSV", "SX20260001_REPORT00.CSV"] {
        body.extend_from_slice(
            format!("--cut\r\ncontent-disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\r\n").as_bytes(),
        );
        body.extend_from_slice(sample(name));
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--cut--\r\n");
    let answer =
        world.analyst.send("POST", "/api/v1/instrument-file-sets", Some("multipart/form-data; boundary=cut"), body);
    let told = ok(&answer, 200);
    let id = text(&told[0], "id");
    let one = ok(&world.analyst.get(&format!("/api/v1/instrument-files/{id}")), 200);
    assert_eq!(one["companions"][0]["sha256"], sha256_hex(sample("SX20260001_REPORT00.CSV")).as_str());
    assert!(one["observations"].as_array().is_some_and(|all| all.len() > 5), "{one}");
    let kept = app.services.files.get(one["companions"][0]["sha256"].as_str().unwrap()).unwrap();
    assert_eq!(kept, sample("SX20260001_REPORT00.CSV"));
    // Opened again at its lines, it is read with its companion.
    let source = ok(&world.analyst.get(&format!("/api/v1/instrument-files/{id}/source")), 200);
    assert!(source["lines"].as_array().is_some_and(|all| !all.is_empty()));
    // The same by a folder, whichever is written first.
    let quick = TestApp::start_with(On::Sqlite, &QUICK);
    let watched = folder(&quick, "cs");
    let world = World::new(&quick);
    register(
        &world.admin,
        &json!({"code": "LC-1", "name": "LC", "folder": watched, "folder_pattern": "*REPORT01.CSV"}),
    );
    std::fs::write(watched.join("SX20260001_REPORT01.CSV"), sample("SX20260001_REPORT01.CSV")).unwrap();
    std::thread::sleep(Duration::from_millis(400));
    std::fs::write(watched.join("SX20260001_REPORT00.CSV"), sample("SX20260001_REPORT00.CSV")).unwrap();
    let file = wait("the report", || named(&world.analyst, "SX20260001_REPORT01.CSV", 1));
    assert_eq!(view(&world.analyst, &file)["companions"].as_array().map(Vec::len), Some(1));
}

#[test]
fn the_register_and_the_dead_letters_have_their_pages() {
    let app = TestApp::start_with(On::Sqlite, &QUICK);
    let world = World::new(&app);
    let number = sample(&world, &weighing(), "P1");
    let quality = Browser::logged_in(&app, "quality");
    let analyst = Browser::logged_in(&app, "analyst");
    assert!(quality.page("/instruments").contains("登记仪器"));
    assert!(!analyst.page("/instruments").contains("登记仪器</h2>"));
    let missing = app.ground.instruments().join("SXIDC/not there");
    let fields = [
        ("code", "BAL-01"),
        ("name", "电子天平"),
        ("zone", "+08:00"),
        ("by_shown", "1"),
        ("by", "number"),
        ("by", "run_list"),
        ("folder", missing.to_str().unwrap()),
        ("folder_pattern", "*.txt"),
        ("listener_idle_ms", "1500"),
    ];
    let wrong: Vec<(&str, &str)> =
        fields.iter().map(|(k, v)| if *k == "zone" { (*k, "Peking") } else { (*k, *v) }).collect();
    let refused = quality.form("/instruments", &wrong);
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains("value=\"电子天平\"") && refused.text.contains("+08:00 的形式"), "{}", refused.text);
    let made = quality.form("/instruments", &fields);
    assert_eq!(made.status, 303, "{}", made.text);
    let here = made.headers["location"].clone();
    let page = wait("the folder's state", || {
        let page = quality.page(&here);
        page.contains("监视文件夹无法访问").then_some(page)
    });
    assert!(page.contains("自 2026-03-02 09:00"), "{page}");
    let calibration = [
        ("performed_on", "2026-01-05"),
        ("due_on", "2027-01-05"),
        ("result", "pass"),
        ("certificate_number", "JZ-2026-1"),
        ("performed_by", "计量院"),
    ];
    assert_eq!(quality.form(&format!("{here}/calibrations"), &calibration).status, 303);
    assert!(quality.page(&here).contains("JZ-2026-1"));
    let change = [
        ("code", "BAL-01"),
        ("name", "电子天平二号"),
        ("reason", "改名"),
        ("listener_idle_ms", "1500"),
        ("by", "number"),
    ];
    assert_eq!(quality.form(&here, &change).status, 303);
    let page = quality.page(&here);
    assert!(page.contains("电子天平二号") && page.contains("仅手工导入"), "{page}");
    let list = [("file_pattern", "run7*"), ("rows", &format!("1 {number}"))];
    assert_eq!(analyst.form(&format!("{here}/run-lists"), &list).status, 303);
    assert!(analyst.page(&here).contains("run7*"));

    // A name in a file is assigned by the page, and a sequence is entered there.
    let file = ok(
        &upload(&world.analyst, "t.csv", &table(&[("Unknown", "1.5"), ("Blank", "0.1")]), "&instrument=BAL-01"),
        201,
    );
    let place = format!("/instrument-files/{}", text(&file["file"], "id"));
    assert!(analyst.page(&place).contains("未对应"));
    assert_eq!(
        analyst.form(&format!("{place}/match"), &[("sample_text", "Unknown"), ("sample_number", &number)]).status,
        303
    );
    assert!(analyst.page(&place).contains(&format!("mark good\">{number}")));
    let wrong = analyst.form(&format!("{place}/run-list"), &[("rows", "B1 SX1")]);
    assert_eq!(wrong.status, 404);
    assert!(wrong.text.contains("B1 SX1"), "what was typed comes back");

    let unread = upload(&world.analyst, "n.xyz", "no instrument wrote this", "");
    assert_eq!(unread.status, 201);
    let page = analyst.page("/dead-letters");
    assert!(page.contains("n.xyz") && page.contains("无法识别"), "{page}");
    let id = text(&items(&world.analyst.get("/api/v1/dead-letters?state=open"))[0], "id");
    let retried = analyst.form(&format!("/dead-letters/{id}/retry"), &[]);
    assert!(analyst.page(&retried.headers["location"]).contains("重试仍未成功"));
    assert_eq!(analyst.form(&format!("/dead-letters/{id}/dismiss"), &[("reason", "误传")]).status, 303);
    assert!(!analyst.page("/dead-letters").contains("n.xyz"));
    assert!(analyst.page("/dead-letters?state=dismissed").contains("误传"));
    assert!(analyst.page("/instrument-files").contains("BAL-01"));
    for page in ["/instruments", &here, "/dead-letters?state=dismissed", "/instrument-files", &place] {
        quality.get(&format!("{page}{}lang=en", if page.contains('?') { "&" } else { "?" }));
        let english = quality.page(page);
        assert!(english.contains("Instruments"), "{page}");
    }
}

fn write_map(folder: &Path, text: &str) {
    std::fs::write(folder.join("nucleic.toml"), text).unwrap();
}

#[test]
fn the_laboratorys_mapping_decides_what_a_value_is() {
    on_each(|on| {
        let maps = tempfile::tempdir().unwrap();
        let head = "[analytes]\n\n[[map]]\nproduct = \"NA\"\nitem = \"conc\"\nadapters = [\"thermo-nanodrop\"]\n\
                    quantity = \"concentration\"\nreplicates = 2\n";
        write_map(maps.path(), &format!("{head}dilution = \"10\"\nunit = \"mg/mL\"\n"));
        let place = maps.path().to_str().unwrap().to_owned();
        let app = TestApp::start_with(on, &[("QIANFA_FOLDERS_MAPPINGS", place.as_str())]);
        let world = World::new(&app);
        let item = json!([{"code": "conc", "name_zh": "浓度", "name_en": "Concentration", "method": "UV", "kind": "numeric",
                           "unit": "mg/mL", "limit": "≥0.1", "compare_by": "rounded", "consumes": "1", "replicates": 2}]);
        let number = sample(&world, &item, "NA");
        let rows = |a: &str, b: &str| table(&[(&number, a), (&number, b)]);
        let file = ok(&upload(&world.analyst, "a.csv", &rows("88.127", "87.940"), ""), 201);
        let question = file["proposals"][0]["open_questions"][0].as_str().unwrap_or_default().to_owned();
        assert!(question.contains("ng/uL") && question.contains("mg/mL"), "{file}");
        assert_eq!(file["proposals"][0]["readings"], json!([]));

        // A declared factor converts; without a restart.
        write_map(
            maps.path(),
            &format!("{head}dilution = \"10\"\nunit = \"mg/mL\"\nunits = {{ \"ng/uL\" = \"0.001\" }}\n"),
        );
        let one = wait("the changed mapping", || {
            let one = view(&world.analyst, &file["file"]);
            (one["proposals"][0]["readings"].as_array().is_some_and(|all| all.len() == 2)).then_some(one)
        });
        let reading = &one["proposals"][0]["readings"][0];
        assert_eq!((&reading["raw"], &reading["value"]), (&json!("88.127 ×0.010"), &json!("0.881270")));
        assert_eq!((&reading["unit"], &reading["mapping"]), (&json!("mg/mL"), &json!("nucleic.toml:3")));
        // A bad change leaves the rules of before in force and is told.
        write_map(maps.path(), &format!("{head}dilution = \"ten\"\n"));
        let fault = wait("the fault", || {
            let told = ok(&world.analyst.get("/api/v1/mappings"), 200);
            told["fault"].as_str().map(str::to_owned)
        });
        assert!(fault.contains("nucleic.toml, line 3: map[0].dilution"), "{fault}");
        // Too few values are a question.
        let short = ok(&upload(&world.analyst, "b.csv", &table(&[(&number, "5.0")]), ""), 201);
        assert!(short["proposals"][0]["open_questions"][0].as_str().is_some_and(|text| text.contains("2")), "{short}");
        let accept = format!("/api/v1/instrument-files/{}/accept", text(&file["file"], "id"));
        let superseded = json!({"confirm_complete": true, "despite_problems": "示例"});
        let done = ok(&world.analyst.post(&accept, &superseded), 200);
        assert_eq!(done["entered"][0]["result"]["reported"], "0.9", "{done}");

        // At the start a bad mapping is an error with file, line and field.
        let ground = crate::support::Ground::new(On::Sqlite);
        let config = ground.config(&[("QIANFA_FOLDERS_MAPPINGS", place.as_str())]);
        let clock = qianfa::clock::Clock::set_to(crate::support::beginning());
        let error = qianfa::app::serve::Application::build(&config, clock).err().expect("refused").to_string();
        assert!(error.contains("nucleic.toml, line 3: map[0].dilution"), "{error}");
    });
}

#[test]
fn nothing_outside_the_institutes_own_folder_is_read_nor_the_servers_own_port_taken() {
    on_each(|on| {
        let app = TestApp::start_with(on, &QUICK);
        let world = World::new(&app);
        let own = folder(&app, "lc");
        let other = app.ground.instruments().join("SHIDC/lc");
        std::fs::create_dir_all(&other).unwrap();
        let secret = app.ground.dir.path().join("etc");
        std::fs::create_dir_all(&secret).unwrap();
        std::fs::write(secret.join("secret.txt"), printout("X", "9.9", 9)).unwrap();
        let new = |folder: &Path| json!({"code": "LC-1", "name": "液相", "folder": folder});
        let refused = |client: &Client, new: &Value| {
            let answer = client.post("/api/v1/instruments", new);
            (answer.status, answer.json()["field"].as_str().map(str::to_owned))
        };
        let at = |status: u16, field: &str| (status, Some(field.to_owned()));
        // Nobody has the server read what lies elsewhere.
        let mut elsewhere = vec![secret.clone(), other, PathBuf::from("/etc"), app.ground.instruments()];
        #[cfg(unix)]
        {
            let link = own.join("link");
            std::os::unix::fs::symlink(&secret, &link).unwrap();
            elsewhere.push(link);
        }
        for folder in elsewhere {
            for client in [&world.quality, &world.admin] {
                assert_eq!(refused(client, &new(&folder)), at(422, "folder"), "{}", folder.display());
            }
        }
        let own_port: u16 = app.base.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("a port");
        let port = json!({"code": "LC-1", "name": "液相", "listener_kind": "lis2", "listener_port": own_port});
        assert_eq!(refused(&world.admin, &port), at(422, "listener_port"));

        // A change of something else leaves the folder as it is.
        let id = text(&register(&world.admin, &new(&own)), "id");
        let path = format!("/api/v1/instruments/{id}");
        let change =
            |folder: &Path| json!({"reason": "更改", "instrument": {"code": "LC-1", "name": "改名", "folder": folder}});
        assert_eq!(ok(&world.quality.put(&path, &change(&own)), 200)["name"], "改名");
        std::fs::write(own.join("a.txt"), printout("X", "1.1", 1)).unwrap();
        wait("the file", || named(&world.analyst, "a.txt", 1));
        // The folder becomes a link that leads out: nothing is read through it, and the register says so.
        #[cfg(unix)]
        {
            std::fs::rename(&own, own.with_file_name("away")).unwrap();
            std::os::unix::fs::symlink(&secret, &own).unwrap();
            let told = wait("the refusal", || {
                let view = ok(&world.admin.get(&path), 200);
                view["ways"][0]["error"].as_str().map(str::to_owned).filter(|why| why.contains("folders.instruments"))
            });
            assert!(told.contains("本机构文件夹"), "{told}");
            assert!(named(&world.analyst, "secret.txt", 1).is_none());
        }
    });
}

#[test]
fn without_a_folder_for_instruments_none_is_watched() {
    let app = TestApp::start(On::Sqlite);
    let mut site = (*app.services.site).clone();
    site.watched = None;
    let services = qianfa::action::Services { site: std::sync::Arc::new(site), ..app.services.clone() };
    let new = |folder: &str| {
        serde_json::from_value(json!({"code": "LC-1", "name": "x", "folder": folder})).expect("an instrument")
    };
    let watched = folder(&app, "lc");
    for one in ["/etc", "/mnt/lc", watched.to_str().expect("a path")] {
        let act = qianfa::action::act(&services, &app.admin, qianfa::instruments::RegisterInstrument(new(one)));
        let refusal = act.expect_err("refused").into_refusal();
        assert_eq!(refusal.field.as_deref(), Some("folder"), "{refusal}");
        assert!(refusal.message_en.contains("without folders.instruments"), "{refusal}");
    }
}
