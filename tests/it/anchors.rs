//! Seals are shown outside: an authority time-stamps them, the log of another machine has them; and a second server seals for
//! the same installation.

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use qianfa::app::config::Config;
use qianfa::app::serve::Application;
use qianfa::clock::Clock;
use qianfa::record::{Entries, MisfitKind, TrailFilter, trail};
use serde_json::{Value, json};

use crate::sealed_rows::past_triggers_of;
use crate::support::{On, TestApp, on_each};
use crate::world::ok;

const SETTINGS: &str = "[tsa]\ndefault_tsa = one\n[one]\nserial = ./serial\nsigner_cert = ./tsa.pem\ncerts = ./root.pem\n\
    signer_key = ./tsa.key\nsigner_digest = sha256\ndefault_policy = 1.2.3.4.1\ndigests = sha256\naccuracy = secs:1\n\
    ess_cert_id_alg = sha256\n[stamps]\nextendedKeyUsage = critical,timeStamping\nkeyUsage = critical,digitalSignature\n\
    [issues]\nbasicConstraints = critical,CA:TRUE\nkeyUsage = critical,keyCertSign\n[req]\ndistinguished_name = dn\n[dn]\n";

fn openssl(folder: &Path, words: &str) {
    let done = Command::new("openssl").current_dir(folder).args(words.split(' ')).output();
    let done = done.expect("openssl: install it (Debian: apt-get install openssl)");
    assert!(done.status.success(), "openssl {words}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A time-stamp authority on this machine, as OpenSSL has one.
struct Authority {
    folder: tempfile::TempDir,
    url: String,
    /// Answers nothing that could be read.
    out_of_order: Arc<AtomicBool>,
}

impl Authority {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path().to_owned();
        std::fs::write(at.join("tsa.cnf"), SETTINGS).expect("settings");
        std::fs::write(at.join("serial"), "01\n").expect("a serial number");
        for words in [
            "ecparam -name prime256v1 -genkey -noout -out root.key",
            "req -x509 -new -key root.key -days 3650 -subj /CN=Root -config tsa.cnf -extensions issues -out root.pem",
            "ecparam -name prime256v1 -genkey -noout -out tsa.key",
            "req -new -key tsa.key -subj /CN=Authority -config tsa.cnf -out tsa.csr",
            "x509 -req -in tsa.csr -CA root.pem -CAkey root.key -set_serial 5 -days 3650 -extfile tsa.cnf -extensions stamps -out tsa.pem",
        ] {
            openssl(&at, words);
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let out_of_order = Arc::new(AtomicBool::new(false));
        let broken = out_of_order.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let Some(query) = body_of(&mut stream) else { continue };
                let answer = if broken.load(Ordering::SeqCst) { b"closed".to_vec() } else { answered(&at, &query) };
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/timestamp-reply\r\nContent-Length: {}\r\n\
                     Connection: close\r\n\r\n",
                    answer.len()
                );
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&answer));
            }
        });
        Self { folder, url, out_of_order }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }
}

fn answered(at: &Path, query: &[u8]) -> Vec<u8> {
    std::fs::write(at.join("q.tsq"), query).expect("a query");
    openssl(at, "ts -reply -config tsa.cnf -queryfile q.tsq -out r.tsr");
    std::fs::read(at.join("r.tsr")).expect("an answer")
}

/// The body of a request.
fn body_of(stream: &mut impl Read) -> Option<Vec<u8>> {
    let (mut all, mut part) = (Vec::new(), [0_u8; 4096]);
    loop {
        let read = stream.read(&mut part).ok().filter(|read| *read > 0)?;
        all.extend_from_slice(&part[..read]);
        let Some(end) = all.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&all[..end]).to_lowercase();
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length:"))?.trim().parse::<usize>().ok()?;
        if all.len() >= end + 4 + length {
            return Some(all[end + 4..].to_vec());
        }
    }
}

/// Waits until the server says so of what it shows outside.
fn shown(app: &TestApp, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let ready = ok(&app.client().get("/health/ready"), 200);
        if fits(&ready["shown"]) {
            return ready["shown"].clone();
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}: {ready}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn the_newest_seal_is_shown_outside_and_compared_with_the_answers() {
    on_each(|on| {
        let authority = Authority::start();
        let log = UdpSocket::bind("127.0.0.1:0").expect("a port");
        log.set_read_timeout(Some(Duration::from_secs(30))).expect("a patience");
        let syslog = format!("udp://{}", log.local_addr().expect("an address"));
        let more = [
            ("QIANFA_SEAL_AUTHORITY", authority.url.as_str()),
            ("QIANFA_SEAL_SYSLOG", syslog.as_str()),
            ("QIANFA_SEAL_SHOW_SECONDS", "1"),
            ("QIANFA_SEAL_EVERY_SECONDS", "1"),
        ];
        let app = TestApp::start_with(on, &more);
        let newest = shown(&app, "both", |shown| shown["seal"].as_i64() > Some(0) && shown["failing"] == json!([]));
        assert!(newest["at"].is_string());
        let mut message = [0_u8; 2048];
        let (length, _) = log.recv_from(&mut message).expect("a message");
        let message = String::from_utf8_lossy(&message[..length]).into_owned();
        assert!(message.starts_with("<109>1 2026-03-02T01:00:00.000Z - qianfa "), "{message}");
        assert!(message.contains(" seal - seal "), "{message}");
        let report = app.services.sealer.verify().expect("verified");
        assert!(report.intact && report.anchors >= 2, "{report:?}");

        // An authority that does not answer is an event, health says so, and the work goes on.
        authority.out_of_order.store(true, Ordering::SeqCst);
        app.account("anybody", &[qianfa::vocabulary::Role::Analyst]);
        shown(&app, "failing", |shown| shown["failing"] == json!(["time_stamp"]));
        let filter = TrailFilter { action: Some("record.anchor".into()), ..TrailFilter::default() };
        let entries = trail(&app.services.db, &Entries::Whole, &filter).expect("the trail").entries;
        assert_eq!(entries.len(), 1, "once, however often it is tried");
        authority.out_of_order.store(false, Ordering::SeqCst);
        shown(&app, "going on", |shown| shown["failing"] == json!([]));

        // A token that was exchanged fits no seal.
        let exchanged = "UPDATE seal_anchor SET token = (SELECT b.token FROM seal_anchor b WHERE b.kind = 'time_stamp' \
             ORDER BY b.seal_seq DESC LIMIT 1) WHERE kind = 'time_stamp' AND seal_seq = \
             (SELECT MIN(c.seal_seq) FROM seal_anchor c WHERE c.kind = 'time_stamp')";
        past_triggers_of(&app.ground, "seal_anchor", exchanged);
        let report = app.services.sealer.verify().expect("verified");
        let kinds: Vec<MisfitKind> = report.misfit.iter().chain(&report.more).map(|one| one.kind).collect();
        assert_eq!(kinds, [MisfitKind::AnchorDiffers], "{report:?}");
        // By command too, which asks the roots that the configuration names.
        let verified = Command::new(env!("CARGO_BIN_EXE_qianfa"))
            .args(["audit", "verify", "--json", "--data"])
            .arg(app.ground.dir.path().join("data"))
            .env("QIANFA_DATABASE_URL", app.ground.url())
            .env("QIANFA_SEAL_AUTHORITY_ROOTS", authority.root())
            .output()
            .expect("the program");
        assert_eq!(verified.status.code(), Some(1), "{}", String::from_utf8_lossy(&verified.stderr));
        let told: Value = serde_json::from_slice(&verified.stdout).expect("JSON");
        assert_eq!(told["misfit"]["kind"], "anchor_differs", "{told}");
    });
}

/// Two servers share one PostgreSQL: the second is introduced, and both seal; one that is not waits for a person.
#[test]
fn a_second_server_of_an_installation_joins_the_first() {
    let app = TestApp::start(On::Postgres);
    app.services.sealer.seal_all(Duration::from_secs(10)).expect("sealed");
    let folder = tempfile::tempdir().expect("a folder");
    let second = |name: &str| {
        let environment = [
            ("QIANFA_LISTEN", "127.0.0.1:0".to_owned()),
            ("QIANFA_DATABASE_URL", app.ground.url()),
            ("QIANFA_PASSWORD_MEMORY_KIB", "64".to_owned()),
            ("QIANFA_PASSWORD_ITERATIONS", "1".to_owned()),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value));
        Config::of_data(&folder.path().join(name), environment).expect("a configuration")
    };
    let stranger = Application::build(&second("stranger"), app.clock.clone()).expect("a server");
    assert!(stranger.services().db.held().is_some(), "a server with keys of its own writes nothing");
    drop(stranger);

    let join = || {
        Command::new(env!("CARGO_BIN_EXE_qianfa"))
            .args(["audit", "join", "--by", "安装负责人", "--data"])
            .arg(folder.path().join("second"))
            .arg("--from")
            .arg(app.ground.dir.path().join("data/keys"))
            .env("QIANFA_DATABASE_URL", app.ground.url())
            .output()
            .expect("the program")
    };
    std::fs::create_dir_all(folder.path().join("second")).expect("a folder");
    let joined = join();
    assert_eq!(joined.status.code(), Some(0), "{}", String::from_utf8_lossy(&joined.stderr));
    // The command has the time of the machine.
    app.clock.set(Clock::system().now());
    assert_eq!(join().status.code(), Some(1), "once only");
    let beside = Application::build(&second("second"), app.clock.clone()).expect("a server");
    assert!(beside.services().db.held().is_none(), "{:?}", beside.services().db.held());
    app.account("first-server", &[qianfa::vocabulary::Role::Analyst]);
    beside.services().sealer.seal_all(Duration::from_secs(20)).expect("sealed by the second");
    app.account("again", &[qianfa::vocabulary::Role::Analyst]);
    app.services.sealer.seal_all(Duration::from_secs(20)).expect("sealed by the first");
    for sealer in [&app.services.sealer, &beside.services().sealer] {
        let report = sealer.verify().expect("verified");
        assert!(report.intact && report.unsealed == 0, "{report:?}");
    }
}
