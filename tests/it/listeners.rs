//! Listeners: the real server over real sockets. What was acknowledged is kept, and what is no message is a dead letter.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use instrument_adapters::link::lis::{ACK, ENQ, EOT, ETX, NAK, Sender, SenderStep, frames};
use qianfa::store::blobs::sha256_hex;
use serde_json::{Value, json};

use crate::instruments_in::{QUICK, files, items, printout, register, wait};
use crate::invariants::sql;
use crate::kill::serve_with;
use crate::support::client::Client;
use crate::support::{On, TestApp, on_each, text};
use crate::world::{World, ok};

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").and_then(|one| one.local_addr()).expect("a port").port()
}

/// One frame of LIS01-A2.
fn frame(number: u8, body: &str, end: u8) -> Vec<u8> {
    let mut all = vec![b'0' + number];
    all.extend_from_slice(body.as_bytes());
    all.push(end);
    let sum = all.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    let mut framed = vec![2];
    framed.extend_from_slice(&all);
    framed.extend_from_slice(format!("{sum:02X}\r\n").as_bytes());
    framed
}

fn connect(port: u16) -> TcpStream {
    let stream = wait("the listener", || TcpStream::connect(("127.0.0.1", port)).ok());
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    stream
}

fn say(stream: &mut TcpStream, bytes: &[u8]) -> u8 {
    stream.write_all(bytes).expect("sent");
    let mut answer = [0_u8];
    stream.read_exact(&mut answer).expect("an answer");
    answer[0]
}

fn block(stream: &mut TcpStream, message: &[u8]) -> String {
    stream.write_all(&[&[0x0B], message, &[0x1C, b'\r']].concat()).expect("sent");
    let mut told = Vec::new();
    let mut byte = [0_u8];
    while !told.ends_with(&[0x1C, b'\r']) {
        stream.read_exact(&mut byte).expect("an answer");
        told.push(byte[0]);
    }
    String::from_utf8_lossy(&told).into_owned()
}

/// The imported file of this content.
fn file_of(client: &Client, bytes: &[u8]) -> Value {
    let sha = sha256_hex(bytes);
    wait("the message", || files(client).into_iter().find(|file| file["sha256"] == sha.as_str()))
}

/// The open dead letter of this content.
fn letter_of(client: &Client, bytes: &[u8]) -> Value {
    let sha = sha256_hex(bytes);
    let letters = || items(&client.get("/api/v1/dead-letters?state=open&limit=500"));
    wait("the dead letter", || letters().into_iter().find(|letter| letter["sha256"] == sha.as_str()))
}

fn listen(client: &Client, code: &str, kind: &str) -> u16 {
    let port = free_port();
    let new = json!({"code": code, "name": code, "listener_kind": kind, "listener_port": port});
    register(client, &new);
    port
}

/// A message of an analyser; the number makes it another one.
fn message(number: usize) -> String {
    format!("H|\\^&|||An|||||||P|LIS2-A2|20260302\rO|1|SX20260001\rR|1|^^^Na|{number}|mmol/L\rL|1|N\r")
}

/// While nothing can be stored in this table.
fn without<T>(app: &TestApp, table: &str, work: impl FnOnce() -> T) -> T {
    sql(app, &format!("ALTER TABLE {table} RENAME TO out_of_reach")).expect("renamed");
    let done = work();
    sql(app, &format!("ALTER TABLE out_of_reach RENAME TO {table}")).expect("renamed back");
    done
}

#[test]
fn analysers_and_balances_send_over_tcp() {
    on_each(|on| {
        let app = TestApp::start_with(on, &QUICK);
        let world = World::new(&app);
        let (lis, hl7, lines) = (free_port(), free_port(), free_port());
        let listen = |code: &str, kind: &str, port: u16| {
            let new = json!({"code": code, "name": code, "listener_kind": kind, "listener_port": port,
                             "listener_idle_ms": 150});
            register(&world.admin, &new)
        };
        listen("ASTM-1", "lis2", lis);
        let taken = json!({"code": "ASTM-2", "name": "x", "listener_kind": "lis2", "listener_port": lis});
        assert_eq!(world.admin.post("/api/v1/instruments", &taken).json()["field"], "listener_port");
        listen("HL7-1", "mllp", hl7);
        listen("BAL-3", "lines", lines);
        let content = |bytes: &[u8]| file_of(&world.analyst, bytes);
        let letters = || items(&world.analyst.get("/api/v1/dead-letters?state=open"));

        // LIS2: a wrong checksum is refused and sent again, a record over two frames is one.
        let mut stream = connect(lis);
        assert_eq!(say(&mut stream, &[5]), 6);
        let head = "H|\\^&|||Analyser^1.0|||||||P|LIS2-A2|20260302090000\r";
        let mut wrong = frame(1, head, 3);
        wrong[5] ^= 1;
        assert_eq!(say(&mut stream, &wrong), 0x15);
        assert_eq!(say(&mut stream, &frame(1, head, 3)), 6);
        assert_eq!(say(&mut stream, &frame(2, "O|1|SX2026", 0x17)), 6);
        assert_eq!(say(&mut stream, &frame(3, "0001\rR|1|^^^Na|140|mmol/L\r", 3)), 6);
        assert_eq!(say(&mut stream, &frame(4, "L|1|N\r", 3)), 6);
        stream.write_all(&[4]).unwrap();
        let whole = format!("{head}O|1|SX20260001\rR|1|^^^Na|140|mmol/L\rL|1|N\r");
        let file = content(whole.as_bytes());
        assert_eq!((&file["source"], &file["uploaded_by_name"]), (&json!("lis2"), &json!("仪器 ASTM-1")));
        // A transfer that ends without its terminator is no message; what came of it is not lost.
        assert_eq!(say(&mut stream, &[5]), 6);
        assert_eq!(say(&mut stream, &frame(1, head, 3)), 6);
        stream.write_all(&[4]).unwrap();
        let letter = wait("the broken transfer", || letters().into_iter().find(|one| one["code"] == "framing"));
        let kept = world.analyst.get(&format!("/api/v1/dead-letters/{}/content", text(&letter, "id")));
        assert_eq!(kept.bytes, head.as_bytes());

        // HL7: acknowledged by its control id once it is kept, and again where it is sent again.
        let mut stream = connect(hl7);
        let message = b"MSH|^~\\&|AN|LAB|LIS|QC|20260302090000||ORU^R01|C-77|P|2.3.1\rOBR|1||SX20260001\rOBX|1|NM|GLU||5.1|mmol/L\r";
        for _ in 0..2 {
            let told = block(&mut stream, message);
            assert!(told.contains("\rMSA|AA|C-77\r"), "{told}");
        }
        content(message);
        let told = block(&mut stream, b"hello");
        assert!(told.contains("\rMSA|AR||"), "{told}");
        let mut stream = connect(hl7);
        let big = [&b"MSH|^~\\&|"[..], &[b'x'; 5000]].concat();
        let told = block(&mut stream, &big);
        assert!(told.contains("\rMSA|AR||"), "{told}");
        wait("the large one", || letters().into_iter().find(|one| one["code"] == "too_large"));

        // A balance: silence ends a printout; the same printout again is not lost.
        let mut stream = connect(lines);
        let weight = printout("SX20260001", "7.7777", 9);
        let (half, rest) = weight.split_at(40);
        stream.write_all(half.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(30));
        stream.write_all(rest.as_bytes()).unwrap();
        let file = content(weight.as_bytes());
        assert_eq!((&file["state"], &file["adapter"]), (&json!("staged"), &json!("sartorius-sbi")));
        stream.write_all(weight.as_bytes()).unwrap();
        wait("the second weighing", || letters().into_iter().find(|one| one["code"] == "same_content"));
        let states = ok(&world.quality.get("/api/v1/instruments"), 200);
        let reached = |one: &&Value| one["ways"][0]["reached_at"].is_string() && one["ways"][0]["error"].is_null();
        assert_eq!(states.as_array().map(|all| all.iter().filter(reached).count()), Some(3), "{states}");
    });
}

#[test]
fn lis2_acknowledges_only_what_is_kept() {
    on_each(|on| {
        let app = TestApp::start_with(on, &QUICK);
        let world = World::new(&app);
        let port = listen(&world.admin, "ASTM-1", "lis2");
        let mut stream = connect(port);
        // The frame that completes the message is refused while the message cannot be kept, and taken when it can.
        let one = message(1);
        let (body, last) = one.split_at(one.len() - "L|1|N\r".len());
        assert_eq!(say(&mut stream, &[ENQ]), ACK);
        assert_eq!(say(&mut stream, &frame(1, body, ETX)), ACK);
        without(&app, "instrument_file", || {
            assert_eq!(say(&mut stream, &frame(2, last, ETX)), NAK);
            assert_eq!(say(&mut stream, &frame(2, last, ETX)), NAK);
        });
        assert_eq!(say(&mut stream, &frame(2, last, ETX)), ACK);
        // The moment it hears ACK, the file is there; it comes again where the ACK was lost, and is one file.
        assert_eq!(files(&world.analyst).len(), 1);
        assert_eq!(say(&mut stream, &frame(2, last, ETX)), ACK);
        stream.write_all(&[EOT]).unwrap();
        assert_eq!(file_of(&world.analyst, one.as_bytes())["source"], "lis2");

        // What was acknowledged and never became a message is kept before a new transfer may begin.
        assert_eq!(say(&mut stream, &[ENQ]), ACK);
        assert_eq!(say(&mut stream, &frame(1, "H|\\^&|||alone\r", ETX)), ACK);
        without(&app, "dead_letter", || {
            stream.write_all(&[EOT]).unwrap();
            assert_eq!(say(&mut stream, &[ENQ]), NAK);
        });
        assert_eq!(say(&mut stream, &[ENQ]), ACK);
        assert_eq!(letter_of(&world.analyst, b"H|\\^&|||alone\r")["code"], "framing");

        // Nor is it lost where the connection breaks off meanwhile.
        assert_eq!(say(&mut stream, &frame(1, "H|\\^&|||gone\r", ETX)), ACK);
        without(&app, "dead_letter", || {
            drop(stream);
            std::thread::sleep(Duration::from_millis(300));
        });
        let letter = letter_of(&world.analyst, b"H|\\^&|||gone\r");
        let reason = text(&letter, "reason");
        assert!(reason.contains("连接中断") && reason.contains("the connection broke off"), "{reason}");
        assert_eq!(files(&world.analyst).len(), 1);
    });
}

#[test]
fn lis2_has_an_answer_for_every_kind_of_break() {
    on_each(|on| {
        let app = TestApp::start_with(on, &QUICK);
        let world = World::new(&app);
        let port = listen(&world.admin, "ASTM-1", "lis2");
        let mut stream = connect(port);
        // A frame that never ended: by EOT, by a new ENQ, by the frame sent anew.
        for number in 1..=3 {
            assert_eq!(say(&mut stream, &[ENQ]), ACK);
            let whole = frame(1, &message(number), ETX);
            stream.write_all(&whole[..10 + number]).unwrap();
            match number {
                1 => assert_eq!(say(&mut stream, &[EOT, ENQ]), ACK),
                2 => assert_eq!(say(&mut stream, &[ENQ]), ACK),
                _ => {}
            }
            assert_eq!(say(&mut stream, &whole), ACK);
            stream.write_all(&[EOT]).unwrap();
            file_of(&world.analyst, message(number).as_bytes());
            if number < 3 {
                letter_of(&world.analyst, &whole[..10 + number]);
            }
        }
        // The number of an acknowledged frame with other bytes is not taken for that frame.
        assert_eq!(say(&mut stream, &[ENQ]), ACK);
        assert_eq!(say(&mut stream, &frame(1, "H|\\^&\r", ETX)), ACK);
        let other = frame(1, "R|1|^^^Na|999\r", ETX);
        assert_eq!(say(&mut stream, &other), NAK);
        assert_eq!(say(&mut stream, &frame(1, "H|\\^&\r", ETX)), ACK, "the very same is");
        assert_eq!(say(&mut stream, &other), NAK);
        // A new transfer in the middle: both are told.
        assert_eq!(say(&mut stream, &[ENQ]), ACK);
        letter_of(&world.analyst, b"H|\\^&\r");
        let reason = text(&letter_of(&world.analyst, &other), "reason");
        assert!(reason.contains("内容不同") && reason.contains("with other bytes"), "{reason}");
        stream.write_all(&[EOT]).unwrap();

        // What is not framed does not vanish, nor does what comes without ENQ.
        stream.write_all(b"H|\\^&\r\nR|1|^^^Na|5\r\nL|1\r\n").unwrap();
        stream.write_all(&[EOT]).unwrap();
        assert_eq!(letter_of(&world.analyst, b"H|\\^&\r\nR|1|^^^Na|5\r\nL|1\r\n")["code"], "framing");
        let unasked = frame(1, &message(7), ETX);
        stream.write_all(&unasked).unwrap();
        drop(stream);
        letter_of(&world.analyst, &unasked);

        // A checksum that is never right is refused six times; then the connection ends.
        let mut stream = connect(port);
        assert_eq!(say(&mut stream, &[ENQ]), ACK);
        let mut wrong = frame(1, &message(8), ETX);
        wrong[4] ^= 1;
        for _ in 0..7 {
            assert_eq!(say(&mut stream, &wrong), NAK);
        }
        assert_eq!(stream.read(&mut [0]).unwrap(), 0, "closed");
        let reason = text(&letter_of(&world.analyst, &wrong), "reason");
        assert!(reason.contains("校验和") && reason.contains("checksum"), "{reason}");

        // A message above the limit of 4096 bytes: refused, and its beginning is kept.
        let mut stream = connect(port);
        let (many, more) = (format!("C|{}\r", "x".repeat(3000)), format!("C|{}\r", "y".repeat(2000)));
        assert_eq!(say(&mut stream, &[ENQ]), ACK);
        assert_eq!(say(&mut stream, &frame(1, &many, ETX)), ACK);
        assert_eq!(say(&mut stream, &frame(2, &more, ETX)), NAK);
        stream.write_all(&[EOT]).unwrap();
        letter_of(&world.analyst, many.as_bytes());
        assert_eq!(letter_of(&world.analyst, &frame(2, &more, ETX))["code"], "too_large");
        assert_eq!(files(&world.analyst).len(), 3);
    });
}

#[test]
fn lis2_takes_bytes_as_they_come_and_finds_room() {
    on_each(|on| {
        let app = TestApp::start_with(on, &[&QUICK[..], &[("QIANFA_INSTRUMENTS_CONNECTIONS", "2")]].concat());
        let world = World::new(&app);
        let port = listen(&world.admin, "ASTM-1", "lis2");
        // A sender by the book, a byte at a time.
        let mut stream = connect(port);
        let mut sender = Sender::new(message(1).as_bytes());
        let mut step = SenderStep::Send(sender.begin());
        while let SenderStep::Send(bytes) = step {
            for byte in &bytes {
                stream.write_all(&[*byte]).unwrap();
            }
            let closes = bytes == [EOT];
            step = sender.answer(if closes { ACK } else { say(&mut stream, &[]) });
        }
        assert_eq!(step, SenderStep::Done);
        file_of(&world.analyst, message(1).as_bytes());
        // Two transfers of several messages at once.
        let two = frames([message(2), message(3)].concat().as_bytes(), 30).concat();
        let last = frame(1, &[message(4), message(5)].concat(), ETX);
        let all = [&[ENQ], two.as_slice(), &[EOT, ENQ], &last, &[EOT]].concat();
        stream.write_all(&all).unwrap();
        for number in 2..=5 {
            file_of(&world.analyst, message(number).as_bytes());
        }
        assert_eq!((files(&world.analyst).len(), items(&world.analyst.get("/api/v1/dead-letters")).len()), (5, 0));

        // Both places are taken by connections that say nothing. A third one finds room; one in a message stays.
        let mut busy = connect(port);
        assert_eq!(say(&mut busy, &[ENQ]), ACK);
        for number in 6..=8 {
            let mut late = connect(port);
            assert_eq!(say(&mut late, &[ENQ]), ACK);
            assert_eq!(say(&mut late, &frame(1, &message(number), ETX)), ACK);
            late.write_all(&[EOT]).unwrap();
            file_of(&world.analyst, message(number).as_bytes());
            std::mem::forget(late);
        }
        assert_eq!(say(&mut busy, &frame(1, &message(9), ETX)), ACK);
    });
}

#[test]
fn hl7_is_accepted_only_where_it_is_kept() {
    on_each(|on| {
        let app = TestApp::start_with(on, &QUICK);
        let world = World::new(&app);
        let port = listen(&world.admin, "HL7-1", "mllp");
        let mut stream = connect(port);
        let message =
            b"MSH|^~\\&|AN|LAB|LIS|QC|20260302090000||ORU^R01|C-1|P|2.5\rOBR|1||SX20260001\rOBX|1|NM|GLU||5.1|mmol/L\r";
        without(&app, "instrument_file", || {
            let told = block(&mut stream, message);
            assert!(told.contains("\rMSA|AE|C-1|"), "{told}");
        });
        let told = block(&mut stream, message);
        assert!(told.contains("\rMSA|AA|C-1\r"), "{told}");
        assert_eq!(files(&world.analyst).len(), 1);
        // What is no block, and a block that never ended.
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n\x0bMSH|half").unwrap();
        drop(stream);
        letter_of(&world.analyst, b"GET / HTTP/1.1\r\n\r\n");
        letter_of(&world.analyst, b"MSH|half");
    });
}

#[test]
fn silence_and_the_end_of_the_server_lose_nothing() {
    on_each(|on| {
        let mut app = TestApp::start_with(on, &[&QUICK[..], &[("QIANFA_INSTRUMENTS_IDLE_SECONDS", "1")]].concat());
        let (lis, balance);
        {
            let world = World::new(&app);
            (lis, balance) = (listen(&world.admin, "ASTM-1", "lis2"), listen(&world.admin, "BAL-1", "lines"));
            // A connection that stays open and silent is closed; what had come over it is there.
            let mut stream = connect(lis);
            assert_eq!(say(&mut stream, &[ENQ]), ACK);
            assert_eq!(say(&mut stream, &frame(1, "H|\\^&|||silent\r", ETX)), ACK);
            assert_eq!(stream.read(&mut [0]).unwrap(), 0, "closed");
            let reason = text(&letter_of(&world.analyst, b"H|\\^&|||silent\r"), "reason");
            assert!(reason.contains("发送方不再发送") && reason.contains("fell silent"), "{reason}");
            // A balance hears no answer and sends nothing again: what cannot be a file is a dead letter.
            let printed = printout("SX20260001", "3.3333", 3);
            without(&app, "instrument_file", || {
                connect(balance).write_all(printed.as_bytes()).unwrap();
                let sha = sha256_hex(printed.as_bytes());
                wait("the blob", || app.services.files.get(&sha).ok());
                std::thread::sleep(Duration::from_millis(300));
            });
            assert_eq!(letter_of(&world.analyst, printed.as_bytes())["code"], "refused");
        }
        let mut stream = connect(lis);
        assert_eq!(say(&mut stream, &[ENQ]), ACK);
        assert_eq!(say(&mut stream, &frame(1, "H|\\^&|||stopped\r", ETX)), ACK);
        app.stop();
        let db = qianfa::store::DbConn::open(&qianfa::store::DbSettings::new(app.ground.url())).expect("opens");
        let sha = sha256_hex(b"H|\\^&|||stopped\r");
        let letters = format!("SELECT count(*) AS count FROM dead_letter WHERE sha256 = '{sha}' AND state = 'open'");
        assert_eq!(crate::kill::count(&db, &letters), 1);
    });
}

#[test]
fn killed_in_the_middle_of_transfers_what_was_acknowledged_is_there() {
    on_each(|on| {
        let mut app = TestApp::start(on);
        let port = listen(&World::new(&app).admin, "ASTM-1", "lis2");
        app.stop();
        let mut acknowledged = Vec::new();
        for round in 0..2 {
            let (mut child, _) = serve_with(&app.ground, &QUICK);
            let mut stream = connect(port);
            let killer = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(1500));
                child.kill().expect("killed");
                child.wait().expect("gone");
            });
            for number in 0..100_000 {
                let text = message(round * 100_000 + number);
                let all = [&[EOT, ENQ], frame(1, &text, ETX).as_slice()].concat();
                let mut answers = [0_u8; 2];
                if stream.write_all(&all).is_err() || stream.read_exact(&mut answers).is_err() {
                    break;
                }
                assert_eq!(answers, [ACK, ACK]);
                acknowledged.push(text);
            }
            killer.join().expect("a clean end");
        }
        assert!(acknowledged.len() > 3, "{}", acknowledged.len());
        let db = qianfa::store::DbConn::open(&qianfa::store::DbSettings::new(app.ground.url())).expect("opens");
        for one in &acknowledged {
            let sha = sha256_hex(one.as_bytes());
            let files = format!("SELECT count(*) AS count FROM instrument_file WHERE sha256 = '{sha}'");
            assert_eq!(crate::kill::count(&db, &files), 1, "{one:?}");
            assert_eq!(app.services.files.get(&sha).expect("its bytes"), one.as_bytes());
        }
    });
}

/// The state of the listener of an instrument.
fn way(client: &Client, id: &str) -> Option<String> {
    let view = ok(&client.get(&format!("/api/v1/instruments/{id}")), 200);
    view["ways"][0]["error"].as_str().map(str::to_owned)
}

#[test]
fn a_stranger_is_turned_away_and_a_peer_takes_nobody_elses_place() {
    let more = [
        ("QIANFA_INSTRUMENTS_LISTEN", "0.0.0.0"),
        ("QIANFA_INSTRUMENTS_CONNECTIONS", "6"),
        ("QIANFA_INSTRUMENTS_CONNECTIONS_PER_ADDRESS", "2"),
        ("QIANFA_INSTRUMENTS_FIRST_BYTE_SECONDS", "4"),
    ];
    let app = TestApp::start_with(On::Sqlite, &[&QUICK[..], &more].concat());
    let world = World::new(&app);
    let new = |code: &str, port: u16, peers: &str| json!({"code": code, "name": code, "listener_kind": "lis2", "listener_port": port, "listener_peers": peers});
    let wrong = world.admin.post("/api/v1/instruments", &new("A", free_port(), "10.2.0.0/40"));
    assert_eq!(wrong.json()["field"], "listener_peers", "{}", wrong.text);
    let (shut, open) = (free_port(), free_port());
    register(&world.admin, &new("SHUT", shut, ""));
    let made = register(&world.admin, &new("OPEN", open, "192.0.2.0/24；10.0.0.0/8，172.16.0.0/12, 192.168.0.0/16"));
    assert_eq!(made["listener_peers"], "192.0.2.0/24, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16");

    // This machine's own address that is not its loopback is a stranger to a listener that names nobody.
    connect(shut);
    if let Some(own) = own_address() {
        let knock = |port: u16| {
            let mut stream = TcpStream::connect((own, port)).expect("connected");
            stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
            // A connection that is closed at once may also fail while it is written to.
            let _ = stream.write_all(&[ENQ]);
            let mut answer = [0_u8];
            matches!(stream.read(&mut answer), Ok(1)).then_some(answer[0])
        };
        assert_eq!(knock(shut), None, "a stranger was heard");
        wait("a change of the register", || (TcpStream::connect((own, open)).is_ok()).then_some(()));
        let id = text(&made, "id");
        let named = json!({"reason": "地址", "instrument": new("OPEN", open, &own.to_string())});
        ok(&world.admin.put(&format!("/api/v1/instruments/{id}"), &named), 200);
        wait("the named address", || (knock(open) == Some(ACK)).then_some(()));
    }

    // Two in the middle of a message hold what one address has; the third is closed, and another address has its place.
    connect(open);
    let heard = |stream: &mut TcpStream| {
        let _ = stream.write_all(&[ENQ]);
        let mut answer = [0_u8];
        matches!(stream.read(&mut answer), Ok(1)) && answer[0] == ACK
    };
    // A connection that was closed before holds its place until the listener has seen its end.
    let (one, two) = wait("both places of the address", || {
        let (mut one, mut two) = (connect(open), connect(open));
        (heard(&mut one) && heard(&mut two)).then_some((one, two))
    });
    let mut third = connect(open);
    let _ = third.write_all(&[ENQ]);
    assert!(!matches!(third.read(&mut [0]), Ok(1)), "one address has two places");
    drop((one, two));

    // Whoever says nothing leaves after four seconds, long before the hour that a silent instrument has.
    let started = std::time::Instant::now();
    let mut silent = connect(shut);
    assert_eq!(silent.read(&mut [0]).expect("closed in order"), 0);
    assert!(started.elapsed() < Duration::from_secs(30));
}

/// An address of this machine that is not its loopback, where it has one.
fn own_address() -> Option<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    // Nothing is sent: the system only says from where it would.
    socket.connect("192.0.2.1:9").ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_loopback() && !own.is_unspecified()).then_some(own)
}

#[test]
fn whoever_sends_rubbish_without_end_is_not_heard_for_an_hour() {
    on_each(|on| {
        let more = [("QIANFA_INSTRUMENTS_LETTERS_PER_HOUR", "5")];
        let app = TestApp::start_with(on, &[&QUICK[..], &more].concat());
        let world = World::new(&app);
        let port = free_port();
        let new = json!({"code": "ASTM-1", "name": "x", "listener_kind": "lis2", "listener_port": port});
        let id = text(&register(&world.admin, &new), "id");
        connect(port);
        for number in 0..40 {
            let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { continue };
            let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
            // A frame that is acknowledged and never followed by its message's end.
            let begun = [&[ENQ], frame(1, &format!("H|rubbish {number}\r"), ETX).as_slice(), &[EOT]].concat();
            if stream.write_all(&begun).is_ok() {
                let _ = stream.read_exact(&mut [0, 0]);
            }
        }
        let told = wait("the warning", || way(&world.admin, &id));
        assert!(told.contains("127.0.0.1") && told.contains("within an hour"), "{told}");
        let open = items(&world.analyst.get("/api/v1/dead-letters?state=open&limit=500")).len();
        // What was under way on the four places of the address when the limit was met is kept too.
        assert!((5..=9).contains(&open), "{open} dead letters");
    });
}
