//! What is wrong with the machine is said so: a full disk, a locked or damaged database, a clock that was set back; TLS,
//! and the signals of the system.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use qianfa::documents::{OsRng, TestCa};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use serde_json::json;

use crate::pages::Browser;
use crate::support::client::{Answer, Client};
use crate::support::{On, TestApp, beginning, on_both};
use crate::world::{World, ok};

fn ready(app: &TestApp) -> Answer {
    // What was found a moment ago is answered for a second.
    std::thread::sleep(Duration::from_millis(1100));
    app.client().get("/health/ready")
}

fn applicant(client: &Client, name: &str) -> Answer {
    client.post("/api/v1/applicants", &json!({"name": name, "address": "x"}))
}

#[test]
fn a_clock_that_was_set_back_stops_every_event_and_the_health() {
    on_both(|app| {
        let admin = app.logged_in("admin");
        ok(&applicant(&admin, "一"), 201);
        assert_eq!(ready(app).status, 200);
        // Servers do not agree to the second.
        app.clock.set(beginning() - chrono::Duration::seconds(90));
        ok(&applicant(&admin, "二"), 201);
        app.clock.set(beginning() - chrono::Duration::hours(1));
        let refused = applicant(&admin, "三");
        assert_eq!((refused.status, refused.problem().as_str()), (503, "clock-back"), "{}", refused.text);
        assert!(refused.text.contains("2026-03-02T01:00:00Z"), "{}", refused.text);
        let told = ready(app);
        assert_eq!((told.status, told.problem().as_str()), (503, "clock-back"), "{}", told.text);
        app.clock.set(beginning() + chrono::Duration::minutes(1));
        ok(&applicant(&admin, "三"), 201);
        assert_eq!(ready(app).status, 200);
    });
}

fn open(app: &TestApp) -> SqliteConnection {
    let path = app.ground.dir.path().join("data/qianfa.db");
    SqliteConnection::establish(path.to_str().expect("a path")).expect("opens")
}

#[test]
fn a_database_that_another_program_holds_is_said_so() {
    let app = TestApp::start(On::Sqlite);
    let admin = app.logged_in("admin");
    let writer = app.logged_in("admin");
    let mut other = open(&app);
    other.batch_execute("BEGIN IMMEDIATE").expect("held");
    std::thread::scope(|scope| {
        let write = scope.spawn(move || applicant(&writer, "一"));
        let asked = Instant::now();
        let told = ready(&app);
        assert_eq!((told.status, told.problem().as_str()), (503, "database-locked"), "{}", told.text);
        assert!(asked.elapsed() < Duration::from_secs(8), "the question is answered at once");
        // What only reads goes on.
        assert_eq!(admin.get("/api/v1/applicants").status, 200);
        let refused = write.join().expect("an answer");
        assert_eq!((refused.status, refused.problem().as_str()), (503, "database-locked"), "{}", refused.text);
    });
    other.batch_execute("ROLLBACK").expect("let go");
    crate::instruments_in::wait("the server", || (ready(&app).status == 200).then_some(()));
    ok(&applicant(&admin, "一"), 201);
}

#[test]
fn a_damaged_database_is_said_so_and_the_server_is_not_ready() {
    let app = TestApp::start(On::Sqlite);
    let world = World::new(&app);
    assert_eq!(ready(&app).status, 200);
    open(&app).batch_execute("PRAGMA wal_checkpoint(TRUNCATE)").expect("written back");
    let path = app.ground.dir.path().join("data/qianfa.db");
    let length = std::fs::metadata(&path).expect("the database").len();
    let file = std::fs::OpenOptions::new().write(true).open(&path).expect("the database");
    // Beyond the pages of the schema's beginning, every one.
    for page in 8..length / 4096 {
        std::os::unix::fs::FileExt::write_all_at(&file, &[0xEE; 4096], page * 4096).expect("damaged");
    }
    let met = ["/api/v1/instrument-files", "/api/v1/instruments", "/api/v1/products", "/api/v1/audit"]
        .map(|path| world.quality.get(path));
    let codes: Vec<(u16, String)> =
        met.iter().filter(|answer| answer.status != 200).map(|answer| (answer.status, answer.problem())).collect();
    assert!(!codes.is_empty(), "nothing met the damage");
    assert!(codes.iter().all(|(status, code)| *status == 503 && code == "storage-damaged"), "{codes:?}");
    let told = ready(&app);
    assert_eq!((told.status, told.problem().as_str()), (503, "storage-damaged"), "{}", told.text);
}

#[test]
fn a_stored_file_that_was_damaged_is_said_so() {
    let app = TestApp::start(On::Sqlite);
    let world = World::new(&app);
    let sent = world.analyst.send(
        "POST",
        "/api/v1/instrument-files?name=a.txt",
        Some("application/octet-stream"),
        b"abc".to_vec(),
    );
    let id = crate::support::text(&ok(&sent, 201)["file"], "id");
    let sha256 = qianfa::store::blobs::sha256_hex(b"abc");
    std::fs::write(app.services.site.files().join(&sha256[..2]).join(&sha256), b"abd").expect("damaged");
    let refused = Browser::logged_in(&app, "analyst").get(&format!("/instrument-files/{id}/original"));
    let (title, _) = qianfa::refusal::Code::StorageDamaged.title();
    assert!(refused.status == 503 && refused.text.contains(title), "{}", refused.text);
}

/// A small file system in memory, as long as this lives. None where nobody may make one here.
struct Small(tempfile::TempDir);

impl Small {
    fn mount(size: &str) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a folder");
        let option = format!("size={size}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &option, "tmpfs"]).arg(dir.path()).status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(dir))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

struct Server {
    child: Child,
    base: String,
}

impl Server {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .env("QIANFA_PASSWORD_MEMORY_KIB", "64")
            .env("QIANFA_PASSWORD_ITERATIONS", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("its address");
        assert!(line.starts_with("http"), "{line:?}");
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

fn serve(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qianfa"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
    command
}

fn set_up(data: &Path) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_qianfa"))
        .args(["setup", "--institute", "SXIDC", "--name-zh", "山西", "--name-en", "Shanxi", "--abbreviation", "晋"])
        .args(["--jurisdiction", "CN-SX", "--data"])
        .arg(data)
        .env("QIANFA_PASSWORD_MEMORY_KIB", "64")
        .env("QIANFA_PASSWORD_ITERATIONS", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program");
    writeln!(child.stdin.take().expect("its input"), "{}", crate::support::PASSWORD).expect("the password");
    assert!(child.wait().expect("its end").success());
}

#[test]
fn a_full_disk_is_said_so_and_the_server_recovers_when_there_is_room() {
    let Some(small) = Small::mount("12m") else {
        eprintln!("not tried: nobody may mount a small file system here");
        return;
    };
    let data = small.0.path().join("data");
    set_up(&data);
    let server = Server::start(&mut serve(&data));
    let mut client = Client::new(&server.base);
    let login = json!({"username": "admin", "password": crate::support::PASSWORD});
    client.bearer = Some(crate::support::text(&ok(&client.post("/api/v1/session", &login), 200), "access_token"));
    let health = || {
        std::thread::sleep(Duration::from_millis(1100));
        client.get("/health/ready")
    };
    assert_eq!(health().status, 200);
    // Somebody else fills the disk to its last byte.
    let filler = small.0.path().join("filler");
    let mut file = std::fs::File::create(&filler).expect("a file");
    for size in [1 << 16, 1 << 12, 1] {
        while file.write_all(&vec![0_u8; size]).is_ok() {}
    }
    let mut kept = 0;
    let refused = (0..20_000)
        .map(|number| {
            let name = format!("{number} {}", "名".repeat(60));
            applicant(&client, &name)
        })
        .find(|answer| {
            kept += usize::from(answer.status == 201);
            answer.status != 201
        })
        .expect("the disk is full");
    assert_eq!((refused.status, refused.problem().as_str()), (503, "storage-full"), "{}", refused.text);
    let told = health();
    assert_eq!((told.status, told.problem().as_str()), (503, "storage-full"), "{}", told.text);
    assert_eq!(client.get("/api/v1/applicants").status, 200, "what only reads goes on");
    std::fs::remove_file(&filler).expect("gone");
    drop(file);
    crate::instruments_in::wait("room", || (health().status == 200).then_some(()));
    ok(&applicant(&client, "有空间了"), 201);
}

/// Trusts whatever it is shown, and remembers it.
#[derive(Debug, Default)]
struct Looking(Mutex<Vec<u8>>);

impl ServerCertVerifier for Looking {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.0.lock().expect("free") = shown.to_vec();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, signature, &known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, signature, &known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// Asks whether the server lives, over TLS: its answer, and the certificate that it showed.
fn asked(address: &str) -> (String, Vec<u8>) {
    let looking = Arc::new(Looking::default());
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(looking.clone())
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a connection");
    let stream = TcpStream::connect(address).expect("connected");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    let mut stream = StreamOwned::new(connection, stream);
    stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    // A peer that closes without the last word of TLS has said all the same what it had to say.
    let _ = stream.read_to_string(&mut answer);
    let shown = looking.0.lock().expect("free").clone();
    (answer, shown)
}

#[test]
fn the_server_speaks_tls_by_itself_and_takes_a_renewed_certificate() {
    let dir = tempfile::tempdir().expect("a folder");
    let renew = |name: &str| {
        let made = TestCa::create(name, &mut OsRng, beginning()).expect("an authority");
        made.write(dir.path()).expect("written").1
    };
    let pem = renew("第一");
    let mut command = serve(&dir.path().join("data"));
    let server = Server::start(command.env("QIANFA_TLS_CERTIFICATE", &pem).env("QIANFA_TLS_KEY", &pem));
    let address = server.base.strip_prefix("https://").expect("https").to_owned();
    let (answer, first) = asked(&address);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("live"), "{answer}");
    // Who speaks plainly is not answered plainly.
    let mut plain = TcpStream::connect(&address).expect("connected");
    plain.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    plain.write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
    let mut told = Vec::new();
    let _ = plain.read_to_end(&mut told);
    assert!(!told.starts_with(b"HTTP/"), "{told:?}");
    // What cannot be used changes nothing, a renewed one is taken.
    std::fs::write(&pem, "no certificate").expect("written");
    server.signal("-HUP");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(asked(&address).1, first);
    renew("第二");
    server.signal("-HUP");
    crate::instruments_in::wait("the renewed certificate", || (asked(&address).1 != first).then_some(()));
    let wrong = serve(&dir.path().join("other"))
        .env("QIANFA_TLS_CERTIFICATE", &pem)
        .env("QIANFA_TLS_KEY", dir.path().join("root.pem"))
        .output()
        .expect("the program");
    let told = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(wrong.status.code() == Some(1) && told.contains("tls.key"), "{told}");
}

#[test]
fn a_server_that_is_told_to_stop_while_it_starts_stops_in_order() {
    for round in 0..4_u64 {
        let dir = tempfile::tempdir().expect("a folder");
        let data = dir.path().join("data");
        let mut child = serve(&data).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program");
        // The folder is made after it began to listen for signals, and long before it serves.
        crate::instruments_in::wait("the beginning", || data.exists().then_some(()));
        std::thread::sleep(Duration::from_millis(round * 30));
        let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill");
        assert!(sent.success());
        assert_eq!(child.wait().expect("its end").code(), Some(0), "round {round}");
    }
}
