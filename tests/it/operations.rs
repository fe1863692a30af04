//! The program as an operator meets it: its words, its messages, its end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use qianfa::store::blobs::Blobs;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::postgres::OwnDatabase;
use crate::support::{Ground, On, PASSWORD, on_each};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qianfa"));
    command.env("QIANFA_PASSWORD_MEMORY_KIB", "64").env("QIANFA_PASSWORD_ITERATIONS", "1");
    command
}

fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().expect("the program")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A server in a process of its own.
struct Server {
    child: Child,
    base: String,
}

impl Server {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("its address");
        assert!(line.starts_with("http://"), "{line:?}");
        Self { child, base: line.trim().to_owned() }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status().expect("kill");
        assert!(sent.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn set_up(command: &mut Command) -> Output {
    let mut child = command
        .args(["setup", "--institute", "SXIDC", "--name-zh", "山西", "--name-en", "Shanxi", "--abbreviation", "晋"])
        .args(["--jurisdiction", "CN-SX", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    writeln!(child.stdin.take().expect("its input"), "{PASSWORD}").expect("the password");
    child.wait_with_output().expect("its end")
}

#[test]
fn exit_codes_tell_success_refusal_and_wrong_usage() {
    assert_eq!(run(program().arg("--help")).status.code(), Some(0));
    assert_eq!(run(program().arg("--version")).status.code(), Some(0));
    let usage = run(program().args(["numeric", "--json", "--nonsense"]));
    assert_eq!(usage.status.code(), Some(2));
    let problem: Value = serde_json::from_slice(&usage.stderr).expect("one object");
    assert_eq!(problem["code"], "usage");
    let dir = tempfile::tempdir().unwrap();
    let missing = run(program().args(["audit", "verify", "--json", "--data"]).arg(dir.path().join("none")));
    assert_eq!(missing.status.code(), Some(1));
    let problem: Value = serde_json::from_slice(&missing.stderr).expect("one object");
    assert_eq!(problem["code"], "database");
    assert!(!dir.path().join("none/qianfa.db").exists(), "a check made a database");
}

#[test]
fn a_wrong_start_is_one_plain_line() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let refused = |command: &mut Command, part: &str| {
        let output = run(command);
        let text = told(&output);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert_eq!(text.trim_end().lines().count(), 1, "{text}");
        assert!(text.contains(part), "{text}");
    };
    let config = dir.path().join("qianfa.toml");
    std::fs::write(&config, "[session]\nhours = 100000\n").unwrap();
    refused(program().arg("serve").arg("--config").arg(&config), "session.hours");
    std::fs::write(&config, "lissten = \"x\"\n").unwrap();
    refused(program().arg("serve").arg("--config").arg(&config), "lissten");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refused(program().args(["serve", "--listen", &address, "--data"]).arg(&data), "cannot listen on");
    let nowhere = "postgres://nobody@127.0.0.1:9/none?connect_timeout=2";
    refused(program().arg("migrate").arg("--data").arg(&data).env("QIANFA_DATABASE_URL", nowhere), "cannot be opened");
}

#[test]
fn a_server_told_to_stop_finishes_what_was_begun() {
    for signal in ["-TERM", "-INT"] {
        let dir = tempfile::tempdir().unwrap();
        let mut server = Server::start(program().env("QIANFA_DATA", dir.path().join("d")));
        let address = server.base.trim_start_matches("http://").to_owned();
        // Half a request is under way when the signal comes.
        let body = json!({"username": "nobody", "password": PASSWORD}).to_string();
        let (begin, rest) = body.split_at(10);
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(
            stream,
            "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{begin}",
            body.len()
        )
        .unwrap();
        stream.flush().unwrap();
        assert_eq!(Client::new(&server.base).get("/health/live").status, 200);
        // A busy machine reads it a little later; what no worker has begun to read is not under way.
        std::thread::sleep(Duration::from_millis(700));
        server.signal(signal);
        std::thread::sleep(Duration::from_millis(300));
        stream.write_all(rest.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        assert!(answer.contains("bad-credentials"), "{answer}");
        assert_eq!(server.child.wait().unwrap().code(), Some(0));
        assert!(TcpStream::connect(&address).is_err());
    }
}

#[test]
fn secrets_stay_out_of_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let at = |command: &mut Command| -> Command {
        let mut fresh = Command::new(command.get_program());
        fresh.envs(command.get_envs().filter_map(|(k, v)| Some((k, v?))));
        fresh
            .env("QIANFA_DATA", dir.path().join("d"))
            .env("QIANFA_LOG_LEVEL", "trace")
            .env("QIANFA_LOG_FORMAT", "json");
        fresh
    };
    assert!(set_up(&mut at(&mut program())).status.success());
    let mut server = Server::start(&mut at(&mut program()));
    let client = Client::new(&server.base);
    let session = client.post("/api/v1/session", &json!({"username": "admin", "password": PASSWORD}));
    assert_eq!(session.status, 200, "{}", session.text);
    let session = session.json();
    assert_eq!(
        client.post("/api/v1/session", &json!({"username": "admin", "password": "not the password"})).status,
        401
    );
    client.get("/health/live?token=very-secret-token");
    server.signal("-TERM");
    let mut log = String::new();
    server.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.lines().count() > 3, "{log}");
    assert!(log.lines().filter(|l| l.contains("answered")).all(|l| serde_json::from_str::<Value>(l).is_ok()), "{log}");
    let secrets = [PASSWORD, "not the password", "very-secret-token"].map(str::to_owned);
    let tokens = ["access_token", "refresh_token"].map(|name| session[name].as_str().unwrap().to_owned());
    for secret in secrets.iter().chain(&tokens) {
        assert!(!log.contains(secret.as_str()), "the log holds {secret}");
    }
}

#[cfg(unix)]
#[test]
fn keys_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("d");
    assert!(run(program().arg("migrate").arg("--data").arg(&data)).status.success());
    for name in ["session.key", "seal.pem"] {
        let mode = std::fs::metadata(data.join("keys").join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }
}

/// An installation with an account, sealed entries and a file, then its copy brought back elsewhere.
#[test]
fn a_copy_brings_back_everything_and_spares_what_is_there() {
    on_each(|on| {
        let from = Ground::new(on);
        let to = tempfile::tempdir().unwrap();
        let target = (on == On::Postgres).then(OwnDatabase::empty);
        let (data, archive) = (from.dir.path().join("data"), from.dir.path().join("copy.qianfa"));
        let here = |command: &mut Command| {
            command.arg("--data").arg(&data).env("QIANFA_DATABASE_URL", from.url());
        };
        let mut setup = program();
        setup.env("QIANFA_DATABASE_URL", from.url()).env("QIANFA_DATA", &data);
        assert!(set_up(&mut setup).status.success());
        let mut server = Server::start(program().env("QIANFA_DATABASE_URL", from.url()).env("QIANFA_DATA", &data));
        let sha256 = Blobs::open(data.join("files")).unwrap().put(b"an instrument file").unwrap();
        let mut backup = program();
        here(backup.arg("backup").arg(&archive));
        let copied = run(&mut backup);
        assert!(copied.status.success(), "{}", told(&copied));
        let mut again = program();
        here(again.arg("backup").arg(&archive));
        assert_eq!(run(&mut again).status.code(), Some(1), "it was overwritten");
        server.signal("-TERM");
        assert_eq!(server.child.wait().unwrap().code(), Some(0));

        let back = to.path().join("d");
        let url =
            target.as_ref().map_or_else(|| format!("sqlite://{}", back.join("qianfa.db").display()), |t| t.url.clone());
        let restore = |data: &Path| {
            run(program().arg("restore").arg(&archive).arg("--data").arg(data).env("QIANFA_DATABASE_URL", &url))
        };
        let full = to.path().join("full");
        std::fs::create_dir_all(&full).unwrap();
        std::fs::write(full.join("something"), "of value").unwrap();
        assert_eq!(restore(&full).status.code(), Some(1));
        let restored = restore(&back);
        assert!(restored.status.success(), "{}", told(&restored));
        assert_eq!(restore(&back).status.code(), Some(1));
        assert_eq!(Blobs::open(back.join("files")).unwrap().get(&sha256).unwrap(), b"an instrument file");
        let server = Server::start(program().env("QIANFA_DATABASE_URL", &url).env("QIANFA_DATA", &back));
        let session =
            Client::new(&server.base).post("/api/v1/session", &json!({"username": "admin", "password": PASSWORD}));
        assert_eq!(session.status, 200, "{}", session.text);
        let verified =
            run(program().args(["audit", "verify", "--json", "--data"]).arg(&back).env("QIANFA_DATABASE_URL", &url));
        assert!(verified.status.success(), "{}", told(&verified));
    });
}

#[test]
fn a_file_that_is_no_copy_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x");
    std::fs::write(&file, "not a copy").unwrap();
    let refused = run(program().arg("restore").arg(&file).arg("--data").arg(dir.path().join("d")));
    assert_eq!(refused.status.code(), Some(1));
    assert!(told(&refused).contains("no copy that backup wrote"), "{}", told(&refused));
}

/// A process killed while it writes files leaves whole ones or none.
#[test]
fn a_kill_leaves_no_half_file() {
    let dir = tempfile::tempdir().unwrap();
    if let Some(folder) = std::env::var_os("QIANFA_TEST_WRITE_FILES") {
        let blobs = Blobs::open(Path::new(&folder)).unwrap();
        for n in 0_u64.. {
            blobs.put(&n.to_be_bytes().repeat(40_000)).unwrap();
        }
    }
    let folder = dir.path().join("files");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "operations::a_kill_leaves_no_half_file", "--nocapture"])
        .env("QIANFA_TEST_WRITE_FILES", &folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(700));
    child.kill().unwrap();
    child.wait().unwrap();
    let blobs = Blobs::open(&folder).unwrap();
    let mut seen = 0;
    for shelf in std::fs::read_dir(&folder).unwrap().flatten().filter(|s| s.file_name() != "incoming") {
        for file in std::fs::read_dir(shelf.path()).unwrap().flatten() {
            blobs.get(&file.file_name().to_string_lossy()).expect("a whole file");
            seen += 1;
        }
    }
    assert!(seen > 0, "nothing was written before the kill");
}
