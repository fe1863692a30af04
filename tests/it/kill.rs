//! A server that is killed in the middle of intake leaves no half case and no gap in the numbers.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use qianfa::record::{Memory, PublicKeys, Witness, verify};
use qianfa::store::{AnyConnection, DbConn, DbSettings};

use crate::support::client::Client;
use crate::support::{Dice, Ground, PASSWORD, TestApp, on_each, rounds, text};
use crate::world::{World, one_item};

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

pub fn count(db: &DbConn, query: &str) -> i64 {
    let rows: Vec<Count> = db
        .read(|conn| {
            Ok(match conn {
                AnyConnection::Sqlite(raw) => diesel::sql_query(query).load(raw)?,
                AnyConnection::Postgres(raw) => diesel::sql_query(query).load(raw)?,
            })
        })
        .expect("counts");
    rows[0].count
}

/// The real program on the test's ground; its address is its first line.
fn serve(ground: &Ground) -> (Child, String) {
    serve_with(ground, &[])
}

pub fn serve_with(ground: &Ground, more: &[(&str, &str)]) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_qianfa"))
        .args(["serve", "--data", ground.dir.path().join("data").to_str().expect("a path"), "--listen", "127.0.0.1:0"])
        .env("QIANFA_DATABASE_URL", ground.url())
        .env("QIANFA_FOLDERS_INSTRUMENTS", ground.instruments())
        .env("QIANFA_PASSWORD_MEMORY_KIB", "64")
        .env("QIANFA_PASSWORD_ITERATIONS", "1")
        .envs(more.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("output")).read_line(&mut line).expect("an address");
    (child, line.trim().to_owned())
}

/// How many lots were made up.
static LOTS: AtomicUsize = AtomicUsize::new(0);

/// What one intake of [`killed_in_the_middle_of_intake`] leaves behind: each is there once a sample, or this often.
const WHOLE: &[(&str, i64)] = &[
    ("SELECT count(*) AS count FROM application", 1),
    ("SELECT count(*) AS count FROM batch", 1),
    ("SELECT count(*) AS count FROM container", 4),
    ("SELECT count(*) AS count FROM custody_entry", 7),
    ("SELECT count(*) AS count FROM test_task", 1),
    ("SELECT count(*) AS count FROM audit_entry WHERE action = 'sample.receive'", 1),
    ("SELECT last AS count FROM number_series WHERE series = 'sample:SX'", 1),
    ("SELECT last AS count FROM number_series WHERE series = 'application:SX'", 1),
    ("SELECT count(DISTINCT number) AS count FROM sample", 1),
];

/// Takes cases in by eight at once until the server is gone; it is killed once `enough` were answered, and then so many
/// milliseconds later. Tells how many were answered.
fn killed_at(ground: &Ground, body: &serde_json::Value, enough: usize, later: u64) -> i64 {
    let (mut child, base) = serve(ground);
    let mut client = Client::new(&base);
    let login = serde_json::json!({"username": "receiver", "password": PASSWORD});
    let token = text(&client.post("/api/v1/session", &login).json(), "access_token");
    client.bearer = Some(token.clone());
    let answered = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let (base, token, body, answered) = (base.clone(), token.clone(), body.clone(), answered.clone());
            std::thread::spawn(move || {
                let mut client = Client::new(&base);
                client.bearer = Some(token);
                // Until the server is gone; the bound only guards the test against a server that stays.
                for _ in 0..100_000 {
                    // Each of a lot of its own: the desk asks about one that it knows.
                    let lot = serde_json::json!(format!("L-{}", LOTS.fetch_add(1, Ordering::SeqCst)));
                    let mut body = body.clone();
                    body["application"]["batches"][0]["lot_number"] = lot.clone();
                    body["receipt"]["samples"][0]["lot_number"] = lot;
                    match client.try_post("/api/v1/intake", &body) {
                        Some(201) => answered.fetch_add(1, Ordering::SeqCst),
                        _ => return,
                    };
                }
            })
        })
        .collect();
    let patience = (0..3000).find(|_| {
        std::thread::sleep(Duration::from_millis(4));
        answered.load(Ordering::SeqCst) >= enough
    });
    assert!(patience.is_some(), "the server took nothing in");
    std::thread::sleep(Duration::from_millis(later));
    child.kill().expect("killed");
    child.wait().expect("gone");
    for worker in workers {
        worker.join().expect("a worker");
    }
    i64::try_from(answered.load(Ordering::SeqCst)).expect("a count")
}

#[test]
fn killed_in_the_middle_of_intake() {
    on_each(|on| {
        let mut app = TestApp::start(on);
        let body = {
            let world = World::new(&app);
            let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
            world.intake_body("drug_registration", &product, "A", 4)
        };
        app.stop();
        let (variable, mut dice) = (format!("NIGHTLY_KILLS_{on:?}").to_uppercase(), Dice(20_261_201));
        let mut answered = 0;
        for round in 0..rounds(&variable, 4) {
            // The first is killed in full swing, the others at any moment.
            let enough = if round == 0 { 40 } else { dice.below(12) };
            answered += killed_at(&app.ground, &body, enough, dice.below(30) as u64);
            let db = DbConn::open(&DbSettings::new(app.ground.url())).expect("opens again");
            let samples = count(&db, "SELECT count(*) AS count FROM sample");
            assert!(samples >= answered, "an answered intake is durable: {answered} answered, {samples} there");
            // Every case is whole, and the numbers go from 1 to as many as there are.
            for (query, each) in WHOLE {
                assert_eq!(count(&db, query), samples * each, "round {round}: {query}");
            }
            let keys = app.ground.dir.path().join("data/keys");
            let (keys, witness) = (PublicKeys::open(&keys).expect("keys"), Witness::read(&keys).expect("the witness"));
            // The trail is compared with every row; the more there are, the longer it takes.
            if round % 20 == 0 {
                let report = verify(&db, &keys, Memory::Kept(witness.as_ref()), None).expect("verified");
                assert!(report.intact, "round {round}: {report:?}");
            }
        }
    });
}
