//! Copies of an installation: everything in one is checked, every damage found, and nothing is moved before.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use age::secrecy::ExposeSecret;
use qianfa::app::archive::{ArchiveSource, Demands, examine, write};
use qianfa::record::SealKey;
use serde_json::{Value, json};

use crate::support::{Dice, Ground, On, TestApp, on_each, rounds, walked};
use crate::world::{World, ok};

fn qianfa(ground: &Ground, words: &[&str]) -> Output {
    let data = ground.dir.path().join("data");
    Command::new(env!("CARGO_BIN_EXE_qianfa"))
        .args(words)
        .env("QIANFA_DATA", data)
        .env("QIANFA_DATABASE_URL", ground.url())
        .stdin(Stdio::null())
        .output()
        .expect("the program")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// An installation with sealed entries and two stored files, and its copy.
fn copied(on: On, more: &[&str]) -> (TestApp, PathBuf) {
    let mut app = TestApp::start(on);
    {
        let world = World::new(&app);
        for content in ["what no instrument wrote", "and another one"] {
            let sent = content.as_bytes().to_vec();
            let path = format!("/api/v1/instrument-files?name={}.txt", content.len());
            ok(&world.analyst.send("POST", &path, Some("application/octet-stream"), sent), 201);
        }
    }
    app.services.sealer.seal_all(std::time::Duration::from_secs(5)).expect("sealed");
    app.stop();
    let archive = app.ground.dir.path().join("copy.qianfa");
    let output = qianfa(&app.ground, &[&["backup", text(&archive), "--json"], more].concat());
    assert!(output.status.success(), "{}", told(&output));
    (app, archive)
}

fn damage(archive: &Path, identity: Option<&Path>) -> Vec<String> {
    let work = tempfile::tempdir().expect("a folder");
    let demands = Demands { identity, trusted: None, older: false, unpack: false };
    let found = examine(archive, work.path(), &demands).expect("a file that can be read");
    found.damage.iter().chain(&found.findings).map(|one| format!("{}: {}", one.code, one.message)).collect()
}

fn all_found(archive: &Path, identity: Option<&Path>, flips: usize, cuts: usize) {
    let whole = std::fs::read(archive).expect("the copy");
    let other = archive.with_extension("damaged");
    let mut dice = Dice(20_261_130);
    let mut not_found = Vec::new();
    for _ in 0..flips {
        let (at, bit) = (dice.below(whole.len()), dice.below(8));
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << bit;
        std::fs::write(&other, bytes).expect("written");
        if damage(&other, identity).is_empty() {
            not_found.push(format!("bit {bit} of byte {at} of {}", whole.len()));
        }
    }
    for round in 0..cuts {
        // The last bytes are where a cut is least of all seen.
        let length = if round < 10 { whole.len() - 1 - round } else { dice.below(whole.len()) };
        std::fs::write(&other, &whole[..length]).expect("written");
        if damage(&other, identity).is_empty() {
            not_found.push(format!("cut to {length} of {}", whole.len()));
        }
    }
    assert!(not_found.is_empty(), "not found: {not_found:?}");
}

#[test]
fn every_damage_of_a_copy_is_found_and_none_of_it_is_brought_back() {
    let (app, archive) = copied(On::Sqlite, &[]);
    assert_eq!(damage(&archive, None), Vec::<String>::new());
    let verified = qianfa(&app.ground, &["backup", "verify", text(&archive), "--json"]);
    let report: Value = serde_json::from_slice(&verified.stdout).expect("one object");
    assert!(verified.status.success(), "{report}");
    assert_eq!((&report["intact"], &report["audit"]["intact"]), (&json!(true), &json!(true)), "{report}");
    assert!(report["last_seal"]["seq"].as_i64().is_some_and(|seq| seq > 0), "{report}");
    all_found(&archive, None, rounds("NIGHTLY_FLIPS", 160), 40);

    let damaged = archive.with_extension("damaged");
    let mut bytes = std::fs::read(&archive).expect("the copy");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&damaged, bytes).expect("written");
    let to = app.ground.dir.path().join("back");
    let restore = |file: &Path, more: &[&str]| {
        let url = format!("sqlite://{}", to.join("qianfa.db").display());
        Command::new(env!("CARGO_BIN_EXE_qianfa"))
            .args(["restore", text(file), "--data", text(&to)])
            .args(more)
            .env("QIANFA_DATABASE_URL", url)
            .output()
            .expect("the program")
    };
    let refused = restore(&damaged, &[]);
    assert_eq!(refused.status.code(), Some(1), "{}", told(&refused));
    assert_eq!(std::fs::read_dir(&to).map_or(0, Iterator::count), 0, "nothing is left in the target");
    let verified = qianfa(&app.ground, &["backup", "verify", text(&damaged)]);
    assert!(verified.status.code() == Some(1) && told(&verified).contains("NOT in order"), "{}", told(&verified));
    let restored = restore(&archive, &[]);
    assert!(restored.status.success(), "{}", told(&restored));
}

#[test]
fn what_was_not_in_order_already_is_found_and_brought_back_on_demand_only() {
    let (app, archive) = copied(On::Sqlite, &[]);
    // A stored file is lost, then a copy is made: it is whole, and says what is missing.
    std::fs::remove_file(&archive).expect("gone");
    let files = app.services.site.files();
    let sha256 = qianfa::store::blobs::sha256_hex(b"and another one");
    std::fs::remove_file(files.join(&sha256[..2]).join(&sha256)).expect("gone");
    assert!(qianfa(&app.ground, &["backup", text(&archive)]).status.success());
    let found = damage(&archive, None);
    assert!(found.len() == 1 && found[0].contains(&sha256), "{found:?}");
    let restore = |to: &str, more: &[&str]| {
        let to = app.ground.dir.path().join(to);
        let output = Command::new(env!("CARGO_BIN_EXE_qianfa"))
            .args(["restore", text(&archive), "--data", text(&to)])
            .args(more)
            .output()
            .expect("the program");
        (output.status.code(), told(&output))
    };
    let (code, text) = restore("one", &[]);
    assert!(code == Some(1) && text.contains("file-missing"), "{text}");
    let (code, text) = restore("two", &["--despite-findings"]);
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn a_copy_that_somebody_else_signed_is_told_from_ours() {
    let (app, archive) = copied(On::Sqlite, &[]);
    let own = std::fs::read_dir(app.services.site.keys()).expect("keys").flatten().map(|entry| entry.path());
    let own = own.into_iter().find(|path| text(path).ends_with(".pub.pem")).expect("a public key");
    let verify = |file: &Path, more: &[&str]| {
        let output = qianfa(&app.ground, &[&["backup", "verify", text(file), "--json"], more].concat());
        (output.status.success(), told(&output))
    };
    assert!(verify(&archive, &["--trusted-key", text(&own)]).0);
    // Unpacked, a file added under its right name, and packed again with a key of one's own that is put beside the others.
    let work = tempfile::tempdir().expect("a folder");
    let demands = Demands { identity: None, trusted: None, older: false, unpack: true };
    let mut manifest = examine(&archive, work.path(), &demands).expect("unpacked").manifest.expect("a manifest");
    let planted = work.path().join("keys");
    std::fs::remove_file(planted.join("seal.pem")).expect("gone");
    let (key, _) = SealKey::open(&planted).expect("a key");
    manifest.members.clear();
    let (copy, files) = (work.path().join("database"), work.path().join("files"));
    let source = ArchiveSource { copy: &copy, files: &files, keys: &planted };
    let forged = archive.with_extension("forged");
    let file = std::fs::File::create(&forged).expect("a file");
    write(file, &source, manifest, &key, &[]).expect("written");
    let (trusted, told) = verify(&forged, &["--trusted-key", text(&own)]);
    assert!(!trusted && told.contains("signature"), "{told}");
}

#[test]
fn a_copy_for_one_recipient_is_opened_by_that_one() {
    on_each(|on| {
        let identity = age::x25519::Identity::generate();
        let recipient = identity.to_public().to_string();
        let (app, archive) = copied(on, &["--recipient", &recipient]);
        let key = app.ground.dir.path().join("key.txt");
        std::fs::write(&key, identity.to_string().expose_secret()).expect("written");
        let other = app.ground.dir.path().join("other.txt");
        std::fs::write(&other, age::x25519::Identity::generate().to_string().expose_secret()).expect("written");
        let bytes = std::fs::read(&archive).expect("the copy");
        assert!(bytes.starts_with(b"age-encryption.org/v1"));
        assert!(damage(&archive, None)[0].contains("--identity"));
        assert!(damage(&archive, Some(&other))[0].contains("cannot be decrypted"));
        assert_eq!(damage(&archive, Some(&key)), Vec::<String>::new());
        all_found(&archive, Some(&key), 20, 20);
        if on == On::Sqlite {
            let to = app.ground.dir.path().join("back");
            let words = ["restore", text(&archive), "--data", text(&to), "--identity", text(&key)];
            let output = Command::new(env!("CARGO_BIN_EXE_qianfa")).args(words).output().expect("the program");
            assert!(output.status.success(), "{}", told(&output));
        }
    });
}

#[test]
fn a_copy_of_a_version_before_is_taken_when_that_is_said() {
    let (app, archive) = copied(On::Sqlite, &[]);
    let work = tempfile::tempdir().expect("a folder");
    let demands = Demands { identity: None, trusted: None, older: false, unpack: true };
    examine(&archive, work.path(), &demands).expect("unpacked");
    let manifest = json!({"format": 1, "program": "0.1.0", "database": "sqlite", "schema": null, "made_at": ""});
    std::fs::write(work.path().join("manifest.json"), manifest.to_string()).expect("written");
    std::fs::remove_file(work.path().join("manifest.sig")).expect("gone");
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_path_with_name(work.path().join("manifest.json"), "manifest.json").expect("added");
    tar.append_path_with_name(work.path().join("database"), "database").expect("added");
    for folder in ["files", "keys"] {
        for path in walked(&work.path().join(folder)) {
            let name = path.strip_prefix(work.path()).expect("below").to_owned();
            tar.append_path_with_name(&path, name).expect("added");
        }
    }
    let older = archive.with_extension("older");
    let packed = zstd::encode_all(tar.into_inner().expect("packed").as_slice(), 3).expect("compressed");
    std::fs::write(&older, packed).expect("written");
    let restore = |to: &str, more: &[&str]| {
        let to = app.ground.dir.path().join(to);
        let words = [&["restore", text(&older), "--data", text(&to)], more].concat();
        Command::new(env!("CARGO_BIN_EXE_qianfa")).args(words).output().expect("the program")
    };
    let refused = restore("one", &[]);
    assert!(!refused.status.success() && told(&refused).contains("--older"), "{}", told(&refused));
    let taken = restore("two", &["--older"]);
    assert!(taken.status.success(), "{}", told(&taken));
}

/// Every file and folder below a folder, with its mode.
#[cfg(unix)]
fn modes(folder: &Path) -> Vec<(PathBuf, u32)> {
    use std::os::unix::fs::PermissionsExt;
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(here) = folders.pop() {
        let Ok(listed) = std::fs::read_dir(&here) else { continue };
        for entry in listed.flatten() {
            // What goes away while it is looked at is looked at no more.
            let Ok(meta) = entry.metadata() else { continue };
            if meta.is_dir() {
                folders.push(entry.path());
            }
            found.push((entry.path(), meta.permissions().mode() & 0o7777));
        }
    }
    found
}

#[cfg(unix)]
struct Ended<'a>(&'a std::sync::atomic::AtomicBool);

#[cfg(unix)]
impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, std::sync::atomic::Ordering::SeqCst);
    }
}

/// Whatever a demonstration, a copy and its way back make is for their owner alone, also while it is being made.
#[cfg(unix)]
#[test]
fn what_the_program_makes_is_for_its_owner_alone() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let dir = tempfile::tempdir().expect("a folder");
    let here = dir.path();
    let done = AtomicBool::new(false);
    let wide: Vec<(PathBuf, u32)> = std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let mut seen = std::collections::BTreeMap::new();
            while !done.load(Ordering::SeqCst) {
                seen.extend(modes(here).into_iter().filter(|(_, mode)| mode & 0o077 != 0));
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            seen.extend(modes(here).into_iter().filter(|(_, mode)| mode & 0o077 != 0));
            seen.into_iter().collect()
        });
        // However this ends, the looking ends with it.
        let _end = Ended(&done);
        let run = |words: &[&str]| {
            let output = Command::new("sh")
                .args(["-c", "umask 022; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_qianfa")])
                .args(words)
                .output()
                .expect("the program");
            assert!(output.status.success(), "{}", told(&output));
        };
        let (demo, archive, back) = (here.join("demo"), here.join("copy"), here.join("back"));
        run(&["demo", "--data", text(&demo), "--once"]);
        run(&["backup", text(&archive), "--data", text(&demo)]);
        run(&["backup", "verify", text(&archive), "--work", text(here)]);
        run(&["restore", text(&archive), "--data", text(&back)]);
        run(&["audit", "verify", "--data", text(&back)]);
        done.store(true, Ordering::SeqCst);
        looking.join().expect("looked")
    });
    assert!(modes(here).len() > 50, "{}", modes(here).len());
    assert!(wide.is_empty(), "{wide:?}");
}

/// What is there, byte for byte.
fn state(folder: &Path) -> Vec<(PathBuf, String)> {
    let hash = |path: &PathBuf| qianfa::store::blobs::sha256_hex(&std::fs::read(path).expect("a file"));
    walked(folder).into_iter().map(|path| (path.clone(), hash(&path))).collect()
}

#[test]
fn looking_at_the_trail_changes_nothing_and_brings_nothing_up_to_date() {
    let (app, archive) = copied(On::Sqlite, &[]);
    let to = app.ground.dir.path().join("evidence");
    let run = |words: &[&str]| Command::new(env!("CARGO_BIN_EXE_qianfa")).args(words).output().expect("the program");
    assert!(run(&["restore", text(&archive), "--data", text(&to)]).status.success());
    let before = state(&to);
    let verified = run(&["audit", "verify", "--data", text(&to), "--json"]);
    assert!(verified.status.success(), "{}", told(&verified));
    assert_eq!(state(&to), before);
    // A database of a version before is named, and stays one.
    let path = to.join("qianfa.db");
    let mut conn = <diesel::SqliteConnection as diesel::Connection>::establish(text(&path)).expect("opens");
    diesel::connection::SimpleConnection::batch_execute(
        &mut conn,
        "PRAGMA journal_mode = DELETE; DELETE FROM __diesel_schema_migrations WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)",
    )
    .expect("as a version before");
    drop(conn);
    let before = state(&to);
    let verified = run(&["audit", "verify", "--data", text(&to), "--json"]);
    assert_eq!(verified.status.code(), Some(1));
    assert!(told(&verified).contains("the database has the schema"), "{}", told(&verified));
    assert_eq!(state(&to), before);
}

#[test]
fn a_log_that_was_left_behind_is_looked_at_too() {
    let (app, _) = copied(On::Sqlite, &[]);
    // As a killed server leaves it: the newest entries stand in the log alone.
    let data = app.ground.dir.path().join("data");
    let db = qianfa::store::DbConn::open(&qianfa::store::DbSettings::new(app.ground.url())).expect("opens");
    let unsealed = |data: &Path| {
        let words = ["audit", "verify", "--data", text(data), "--json"];
        let output = Command::new(env!("CARGO_BIN_EXE_qianfa")).args(words).output().expect("the program");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", told(&output)));
        report["unsealed"].as_u64()
    };
    assert_eq!(unsealed(&data), Some(0));
    let event = qianfa::record::Change::created("test", "test", "1", json!({}));
    let author = qianfa::record::Author::nobody("test", None);
    let now = app.clock.now();
    db.write(move |conn| qianfa::record::record_by(conn, &author, now, vec![event.clone()])).expect("written");
    let left = app.ground.dir.path().join("left");
    std::fs::create_dir_all(left.join("keys")).expect("a folder");
    for path in walked(&data.join("keys")) {
        std::fs::copy(&path, left.join("keys").join(path.file_name().expect("a name"))).expect("copied");
    }
    for name in ["qianfa.db", "qianfa.db-wal"] {
        std::fs::copy(data.join(name), left.join(name)).expect("copied");
    }
    assert_eq!(unsealed(&left), Some(1));
    assert_eq!(unsealed(&data), Some(1));
}
