//! What somebody can do who is not logged in, or has only just been: nothing that costs others anything.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Barrier;

use chrono::Duration;
use qianfa::documents::{OsRng, SignInfo, TestCa, sign};
use qianfa::people::Grace;
use qianfa::record::{Entries, TrailFilter, trail};
use qianfa::vocabulary::{PasswordOrigin, Role};
use serde_json::{Value, json};

use crate::evaluation::sql;
use crate::kill::serve_with;
use crate::support::client::{Answer, Client};
use crate::support::{On, PASSWORD, TestApp, beginning, on_both, on_each, text};
use crate::world::{World, ok, one_item};

const WRONG: &str = "wrong horse battery staple";
/// The proxy of these tests is this machine: the header says who is behind it.
const BEHIND_PROXY: &[(&str, &str)] = &[("QIANFA_PROXIES_TRUSTED", "127.0.0.1")];

fn login_from(app: &TestApp, source: &str, username: &str, password: &str) -> Answer {
    let client = app.client().with("x-forwarded-for", source);
    client.post("/api/v1/session", &json!({"username": username, "password": password}))
}

/// An answer without what differs by itself.
fn told(answer: &Answer) -> (u16, Value) {
    let mut value = answer.json();
    value["request_id"] = json!(null);
    (answer.status, value)
}

#[test]
fn a_stranger_stops_nobody_and_learns_nothing() {
    on_each(|on| {
        let app = TestApp::start_with(on, BEHIND_PROXY);
        app.account("signatory", &[Role::AuthorisedSignatory]);
        assert_eq!(login_from(&app, "10.1.1.1", "signatory", PASSWORD).status, 200, "the owner's own place");
        let wrong = told(&login_from(&app, "203.0.113.1", "signatory", WRONG));
        assert_eq!(wrong.0, 401);
        for _ in 0..30 {
            assert_eq!(told(&login_from(&app, "203.0.113.1", "signatory", WRONG)), wrong);
        }
        // The right password too, an unknown name too, and that one tried as often.
        assert_eq!(told(&login_from(&app, "203.0.113.1", "signatory", PASSWORD)), wrong, "from there no more");
        for _ in 0..12 {
            assert_eq!(told(&login_from(&app, "203.0.113.2", "nobody.of.that.name", WRONG)), wrong);
        }
        // A hundred strangers use the name up for strangers, and not for its owner.
        for number in 0..100 {
            assert_eq!(told(&login_from(&app, &format!("198.51.100.{number}"), "signatory", WRONG)), wrong);
        }
        assert_eq!(told(&login_from(&app, "192.0.2.1", "signatory", PASSWORD)), wrong, "a stranger who guessed it");
        assert_eq!(login_from(&app, "10.1.1.1", "signatory", PASSWORD).status, 200, "its owner logs in as ever");
        let signatory = app.services.identity.login("signatory", PASSWORD, None).expect("in");
        let password = PASSWORD.to_owned().into();
        let proof = app.services.identity.prove(&signatory.actor, Some(&password), None, Grace::Never);
        assert!(proof.is_ok(), "and signs");
        // What was used up comes back with time.
        app.pass(Duration::minutes(15));
        assert_eq!(login_from(&app, "203.0.113.1", "signatory", PASSWORD).status, 200);
    });
}

#[test]
fn a_source_that_tries_too_often_is_told_when_to_try_again() {
    let app = TestApp::start_with(On::Sqlite, BEHIND_PROXY);
    let tries: Vec<Answer> =
        (0..60).map(|number| login_from(&app, "203.0.113.1", &format!("name{number}"), WRONG)).collect();
    assert_eq!(tries.iter().filter(|answer| answer.status == 401).count(), 50);
    let stopped = &tries[59];
    assert_eq!((stopped.status, stopped.problem().as_str()), (429, "too-many-attempts"));
    let seconds: u64 = stopped.headers["retry-after"].parse().expect("seconds");
    assert!((1..=18).contains(&seconds), "{seconds}");
    assert!(!text(&stopped.json(), "detail").contains('Z'), "{}", stopped.text);
    assert_eq!(login_from(&app, "203.0.113.2", "admin", PASSWORD).status, 200, "its neighbour is not asked to wait");
    app.pass(Duration::seconds(i64::try_from(seconds).unwrap()));
    assert_eq!(login_from(&app, "203.0.113.1", "admin", PASSWORD).status, 200);
    // Without a trusted proxy the header is the sender's own invention.
    let app = TestApp::start(On::Sqlite);
    let tries = (0..60).map(|number| login_from(&app, &format!("203.0.113.{number}"), &format!("name{number}"), WRONG));
    assert_eq!(tries.filter(|answer| answer.status == 429).count(), 10);
}

#[test]
fn failures_of_a_source_are_one_entry_of_the_trail() {
    on_each(|on| {
        let app = TestApp::start_with(on, BEHIND_PROXY);
        for _ in 0..8 {
            login_from(&app, "203.0.113.1", "admin", WRONG);
            login_from(&app, "203.0.113.2", "my-secret-in-the-wrong-place", WRONG);
        }
        app.pass(Duration::minutes(5));
        app.services.identity.record_failures(Duration::minutes(5)).expect("written");
        let filter = TrailFilter { action: Some("login.fail".into()), ..TrailFilter::default() };
        let page = trail(&app.services.db, &Entries::Whole, &filter).unwrap();
        assert_eq!(page.entries.len(), 2);
        let all = serde_json::to_string(&page).unwrap();
        assert!(all.contains("203.0.113.1") && all.contains("admin") && all.contains("\"attempts\""), "{all}");
        for secret in [WRONG, "my-secret", "argon2"] {
            assert!(!all.contains(secret), "{secret} is on the trail: {all}");
        }
    });
}

#[test]
fn who_confirms_a_password_in_a_session_has_a_counter_of_its_own_and_is_told_the_local_time() {
    on_both(|app| {
        let client = app.logged_in("admin");
        let change = |old: &str| {
            client.post(
                "/api/v1/session/password",
                &json!({"old_password": old, "new_password": "another long password"}),
            )
        };
        for _ in 0..5 {
            assert_eq!(change(WRONG).problem(), "bad-credentials");
        }
        let locked = change(PASSWORD);
        assert_eq!((locked.status, locked.problem().as_str()), (423, "account-locked"));
        // The tests' clock begins at one o'clock UTC, which is nine in the morning here.
        let detail = text(&locked.json(), "detail");
        assert!(detail.contains("2026-03-02 09:15") && !detail.contains('Z'), "{detail}");
        app.pass(Duration::minutes(5));
        app.logged_in("admin");
    });
}

#[test]
fn no_address_sends_a_browser_elsewhere() {
    let app = TestApp::start(On::Sqlite);
    let elsewhere = [
        "//evil.com",
        "///evil.com",
        "/%5Cevil.com",
        "/%09/evil.com",
        "/%0A/evil.com",
        "/%C2%A0/evil.com",
        "https:%2F%2Fevil.com",
        "%2F%2Fevil.com",
        "javascript:alert(1)",
        "%5C%5Cevil.com",
        "/%20/evil.com",
    ];
    let fine = |location: &str| {
        let mut letters = location.chars();
        letters.next() == Some('/')
            && !matches!(letters.next(), Some('/' | '\\'))
            && !location.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\')
    };
    // The language, before any log-in.
    for path in ["//evil.com?lang=en", "///evil.com?lang=en", "//evil.com/%2e%2e?lang=zh", "//evil.com//?a=b&lang=en"] {
        let mut stream = TcpStream::connect(app.base.trim_start_matches("http://")).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let location =
            answer.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("location: ").map(str::to_owned));
        assert!(location.as_deref().is_some_and(fine), "{path}: {answer}");
    }
    // The log-in, by its address and by its form.
    for next in elsewhere {
        let client = app.client();
        let page = client.get(&format!("/login?next={next}"));
        assert!(page.text.contains(r#"name="next" value="&#x2F;""#), "{next}: {}", page.text);
        let csrf = client.cookies.borrow()["qf_csrf"].clone();
        let form = format!("username=admin&password={}&next={next}&csrf={csrf}", PASSWORD.replace(' ', "+"));
        let sent = client.send("POST", "/login", Some("application/x-www-form-urlencoded"), form.into_bytes());
        assert_eq!((sent.status, sent.headers["location"].as_str()), (303, "/"), "{next}");
    }
}

#[test]
fn nothing_else_sends_a_browser_on() {
    // `see_other` is behind every redirect, and asks `local`.
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut open = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                if ["LOCATION", "hx-redirect", "web::redirect", "Redirect::"].iter().any(|word| source.contains(word)) {
                    found.push(path.strip_prefix(&root).unwrap().display().to_string());
                }
            }
        }
    }
    found.sort();
    assert_eq!(
        found,
        ["app/serve.rs", "web/outer.rs", "web/page.rs"],
        "the fixed address of the API's reader, the way to \
        the log-in, and `see_other`"
    );
}

#[test]
fn a_password_that_somebody_else_set_is_changed_first() {
    on_both(|app| {
        // The accounts of the tests are a demonstration's; this one is a laboratory's.
        assert_eq!(sql(app, "UPDATE account SET password_origin = 'own'"), Ok(()));
        let admin = app.logged_in("admin");
        let new = json!({"username": "wang", "display_name": "王", "password": PASSWORD, "institute": app.institute,
            "roles": ["analyst", "quality"]});
        let id = text(&ok(&admin.post("/api/v1/accounts", &new), 201), "id");
        let wang = app.logged_in("wang");
        assert_eq!(wang.get("/api/v1/session").json()["due"], "password-change-due");
        for path in
            ["/api/v1/tasks", "/api/v1/audit", "/api/v1/accounts", "/api/v1/sessions", "/api/v1/my/certificates"]
        {
            let refused = wang.get(path);
            assert_eq!((refused.status, refused.problem().as_str()), (403, "password-change-due"), "{path}");
        }
        let page = wang.get("/bench");
        assert_eq!((page.status, page.headers["location"].as_str()), (303, "/password"));
        assert_eq!(wang.get("/password").status, 200);
        let change =
            |new: &str| wang.post("/api/v1/session/password", &json!({"old_password": PASSWORD, "new_password": new}));
        assert_eq!(change(PASSWORD).problem(), "invalid-field", "the same is not another");
        assert_eq!(change("another long password").status, 204);
        assert_eq!(wang.get("/api/v1/tasks").status, 200);
        // A reset is such a password again.
        let reset = json!({"password": "yet another password", "reason": "忘记密码"});
        assert_eq!(admin.put(&format!("/api/v1/accounts/{id}/password"), &reset).status, 204);
        let mut wang = app.client();
        let body = json!({"username": "wang", "password": "yet another password"});
        wang.bearer = Some(text(&ok(&wang.post("/api/v1/session", &body), 200), "access_token"));
        assert_eq!(wang.get("/api/v1/tasks").problem(), "password-change-due");
        // A demonstration makes more of itself.
        assert_eq!(PasswordOrigin::Demonstration.set_by(), PasswordOrigin::Demonstration);
    });
}

#[test]
fn common_passwords_are_refused_wherever_one_is_set() {
    let app = TestApp::start(On::Sqlite);
    let (admin, id) = (app.logged_in("admin"), app.account("wang", &[Role::Analyst]));
    for common in ["passwordpassword", "123456789012", "qwertyuiop123", "aaaaaaaaaaaa", "Password1234"] {
        let new = json!({"username": "lihua", "display_name": "李", "password": common, "institute": app.institute, "roles": ["analyst"]});
        assert_eq!(admin.post("/api/v1/accounts", &new).json()["field"], "password", "{common}");
        let reset = json!({"password": common, "reason": "忘记密码"});
        assert_eq!(
            admin.put(&format!("/api/v1/accounts/{id}/password"), &reset).json()["field"],
            "password",
            "{common}"
        );
        let change = json!({"old_password": PASSWORD, "new_password": common});
        assert_eq!(admin.post("/api/v1/session/password", &change).json()["field"], "new_password", "{common}");
    }
}

#[test]
fn a_session_is_listed_ended_and_ends_by_itself() {
    on_both(|app| {
        let (one, other) = (app.logged_in("admin"), app.logged_in("admin").with("user-agent", "x"));
        let stranger = {
            app.account("wang", &[Role::Analyst]);
            app.logged_in("wang")
        };
        let listed = ok(&one.get("/api/v1/sessions"), 200);
        let sessions = listed.as_array().unwrap().clone();
        assert_eq!(sessions.len(), 2, "{listed}");
        assert_eq!(sessions.iter().filter(|session| session["current"] == true).count(), 1);
        assert_eq!(sessions[0]["source"], "127.0.0.1");
        let id = text(sessions.iter().find(|session| session["current"] == false).unwrap(), "id");
        assert_eq!(stranger.delete(&format!("/api/v1/sessions/{id}")).status, 404, "of somebody else");
        assert_eq!(one.delete(&format!("/api/v1/sessions/{id}")).status, 204);
        assert_eq!(other.get("/api/v1/session").problem(), "session-revoked");
        assert_eq!(ok(&one.get("/api/v1/sessions"), 200).as_array().unwrap().len(), 1);
        assert!(one.get("/sessions").text.contains("127.0.0.1"));
        // Used every half hour it goes on; left alone for an hour it ends.
        let mut session =
            app.client().post("/api/v1/session", &json!({"username": "admin", "password": PASSWORD})).json();
        let refresh = |session: &Value| {
            app.client().post("/api/v1/session/refresh", &json!({"refresh_token": text(session, "refresh_token")}))
        };
        for _ in 0..4 {
            app.pass(Duration::minutes(59));
            session = ok(&refresh(&session), 200);
        }
        app.pass(Duration::minutes(60));
        assert_eq!(refresh(&session).problem(), "session-revoked");
    });
}

/// The code of an app that was given that secret.
pub fn code(secret: &str, at: chrono::DateTime<chrono::Utc>) -> String {
    let totp = totp_rs::Builder::new()
        .with_secret(totp_rs::Secret::try_from_base32(secret).expect("a secret"))
        .with_account_name("wang")
        .build()
        .expect("a second factor");
    totp.generate(u64::try_from(at.timestamp()).unwrap()).to_string()
}

#[test]
fn a_second_factor_is_set_up_asked_for_and_reset() {
    on_each(|on| {
        let app = TestApp::start_with(on, &[("QIANFA_LOGIN_SECOND_FACTOR", "authorised_signatory")]);
        let id = app.account("wang", &[Role::AuthorisedSignatory]);
        app.account("lihua", &[Role::Analyst]);
        assert_eq!(app.logged_in("lihua").get("/api/v1/tasks").status, 200, "asked of nobody else");
        let wang = app.logged_in("wang");
        let login = |code: Option<&str>| {
            app.client().post("/api/v1/session", &json!({"username": "wang", "password": PASSWORD, "code": code}))
        };
        assert_eq!(wang.get("/api/v1/certificates").problem(), "second-factor-due");
        let page = wang.get("/certificates");
        assert_eq!((page.status, page.headers["location"].as_str()), (303, "/second-factor"));
        let at = "/api/v1/session/second-factor";
        assert_eq!(wang.post(at, &json!({"password": WRONG})).problem(), "bad-credentials");
        assert_eq!(wang.post(at, &json!({"password": PASSWORD})).status, 204);
        let offered = ok(&wang.get(at), 200);
        let (secret, recovery) = (text(&offered, "secret"), offered["recovery_codes"].clone());
        assert!(text(&offered, "address").starts_with("otpauth://totp/"), "{offered}");
        assert!(wang.get("/second-factor").text.contains("<svg"), "a picture for the phone");
        assert_eq!(login(None).status, 200, "not asked for before it is confirmed");
        let confirm = format!("{at}/confirm");
        assert_eq!(wang.post(&confirm, &json!({"code": "000000"})).json()["field"], "code");
        let now = code(&secret, app.clock.now());
        assert_eq!(wang.post(&confirm, &json!({"code": now})).status, 204);
        assert_eq!(wang.get("/api/v1/certificates").status, 200);
        let shown = wang.get(at);
        assert!(!shown.text.contains(&secret) && shown.json()["secret"].is_null(), "{}", shown.text);
        // Asked for now; none counts twice, the one that confirmed it neither.
        for wrong in [None, Some(""), Some("000000"), Some(now.as_str())] {
            assert_eq!((login(wrong).status, login(wrong).problem().as_str()), (401, "bad-credentials"), "{wrong:?}");
            app.pass(Duration::minutes(6));
        }
        let fresh = code(&secret, app.clock.now());
        assert_eq!(login(Some(&fresh)).status, 200);
        assert_eq!(login(Some(&fresh)).status, 401, "used");
        let spare = recovery[0].as_str().unwrap();
        assert_eq!(login(Some(&spare.to_uppercase())).status, 200);
        assert_eq!(login(Some(spare)).status, 401, "used");
        // Nothing secret is in the database, nor on the trail.
        for column in ["sealed LIKE '%'", "sealed NOT LIKE '{%'"] {
            assert_eq!(
                sql(&app, &format!("UPDATE second_factor SET last_step = last_step + 1 WHERE {column}")),
                Ok(())
            );
        }
        let trail =
            serde_json::to_string(&trail(&app.services.db, &Entries::Whole, &TrailFilter::default()).unwrap()).unwrap();
        assert!(!trail.contains(&secret) && !trail.contains(spare), "{trail}");
        // Lost: an administrator takes it away, on the record.
        let admin = app.logged_in("admin");
        assert_eq!(ok(&admin.get(&format!("/api/v1/accounts/{id}")), 200)["second_factor"], true);
        let reset = json!({"reason": "手机丢失"});
        assert_eq!(admin.post(&format!("/api/v1/accounts/{id}/second-factor/reset"), &reset).status, 204);
        let again = ok(&login(None), 200);
        assert_eq!(again["account"]["due"], "second-factor-due");
        let reset = admin.get("/api/v1/audit?action=second_factor.reset").text;
        assert!(reset.contains("手机丢失"), "{reset}");
    });
}

#[test]
fn cookies_and_headers_under_https() {
    let app = TestApp::start_with(On::Sqlite, &[("QIANFA_PUBLIC_URL", "https://lims.example")]);
    let client = app.client();
    let session = client.post("/api/v1/session", &json!({"username": "admin", "password": PASSWORD, "mode": "cookie"}));
    for cookie in &session.set_cookies {
        assert!(cookie.starts_with("__Host-qf_") && cookie.contains("Secure") && cookie.contains("Path=/"), "{cookie}");
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
    assert_eq!(session.headers["strict-transport-security"], "max-age=31536000");
    for name in ["permissions-policy", "cross-origin-opener-policy", "cross-origin-resource-policy"] {
        assert!(session.headers.contains_key(name), "{name}");
    }
    assert_eq!(client.get("/api/v1/session").status, 200);
    // A cookie that a neighbouring host could set is nobody's.
    let kept = client.cookies.borrow().clone();
    let planted = app.client();
    for (name, value) in &kept {
        planted.cookies.borrow_mut().insert(name.trim_start_matches("__Host-").to_owned(), value.clone());
    }
    assert_eq!(planted.get("/api/v1/session").status, 401);
}

#[test]
fn the_token_against_forged_requests_is_the_sessions_own() {
    let app = TestApp::start(On::Sqlite);
    let open = || {
        let client = app.client();
        client.post("/api/v1/session", &json!({"username": "admin", "password": PASSWORD, "mode": "cookie"}));
        client
    };
    let (mut one, other) = (open(), open());
    // The cookie and the header agree, and are of another session: whoever plants both gets nowhere.
    let planted = other.cookies.borrow()["qf_csrf"].clone();
    let own = one.cookies.borrow()["qf_csrf"].clone();
    assert_ne!(planted, own);
    one.cookies.borrow_mut().insert("qf_csrf".into(), planted.clone());
    one.headers = vec![("x-csrf-token".into(), planted)];
    assert_eq!(one.delete("/api/v1/session").problem(), "csrf");
    one.headers = vec![("x-csrf-token".into(), own)];
    assert_eq!(one.delete("/api/v1/session").status, 204);
}

/// A PDF of one object stream, deflated: small as it is sent, large as it is read.
fn object_stream(inside: &str) -> Vec<u8> {
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(format!("2 0 [{inside}]").as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let head = "<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length";
    let mut pdf = format!("%PDF-1.5\n1 0 obj\n{head} {}>>stream\n", packed.len()).into_bytes();
    pdf.extend_from_slice(&packed);
    pdf.extend_from_slice(b"\nendstream\nendobj\n");
    let at = pdf.len();
    pdf.extend_from_slice(b"3 0 obj\n<</Type/XRef/Size 4/W[1 4 1]/Root 2 0 R/Length 24>>stream\n");
    for (kind, place) in [(0_u8, 0_u32), (1, 9), (2, 1), (1, u32::try_from(at).unwrap())] {
        pdf.push(kind);
        pdf.extend_from_slice(&place.to_be_bytes());
        pdf.push(0);
    }
    pdf.extend_from_slice(format!("\nendstream\nendobj\nstartxref\n{at}\n%%EOF").as_bytes());
    pdf
}

/// A PDF whose catalogue holds that text.
fn plain(inside: &str) -> Vec<u8> {
    let mut pdf = b"%PDF-1.5\n".to_vec();
    let at = pdf.len();
    pdf.extend_from_slice(format!("1 0 obj\n<</Type/Catalog/X[{inside}]>>\nendobj\n").as_bytes());
    let table = pdf.len();
    pdf.extend_from_slice(format!("xref\n0 2\n0000000000 65535 f \n{at:010} 00000 n \ntrailer\n<</Size 2/Root 1 0 R>>\nstartxref\n{table}\n%%EOF").as_bytes());
    pdf
}

/// The most memory that a process ever had, in MiB.
fn peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches("kB").trim().parse::<u64>().expect("a number") / 1024
}

/// Above what the server had before, in MiB: bodies of 2 MB that arrive side by side, and nothing that is read of them.
const BOUND: u64 = 150;

#[test]
fn documents_of_strangers_cost_the_server_nothing() {
    let mut app = TestApp::start(On::Sqlite);
    app.stop();
    let (mut child, base) = serve_with(&app.ground, &[]);
    let client = Client::new(&base);
    let send = |bytes: Vec<u8>| client.send("POST", "/api/v1/verify", Some("application/pdf"), bytes);
    assert_eq!(send(plain("1")).status, 200);
    let before = peak(child.id());
    for large in ["1 ".repeat(10_000_000), "[]".repeat(10_000_000), "[]".repeat(1_100_000)] {
        assert!(matches!(sent(&base, &plain(&large)), None | Some(413)));
    }
    let dense = [
        plain(&"[]".repeat(1_000_000)),
        plain(&"1 ".repeat(1_000_000)),
        plain(&"<<>>".repeat(500_000)),
        plain(&"[".repeat(2_000_000)),
        object_stream(&"[]".repeat(15_500_000)),
        vec![0; 2_000_000],
    ];
    assert!(dense[4].len() < 40_000, "as small as the one that took ten gigabytes");
    for bytes in &dense {
        let answer = send(bytes.clone());
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!((&answer.json()["certificate"], &answer.json()["unchanged"]), (&Value::Null, &json!(false)));
    }
    // Many at once: some are asked to come back, none is the end of the server.
    let together = Barrier::new(40);
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let (dense, together, base) = (&dense, &together, &base);
        let sender = |number: usize| {
            scope.spawn(move || {
                together.wait();
                // None where the connection ended before the answer was read.
                sent(base, &dense[number % dense.len()]).unwrap_or(503)
            })
        };
        let all: Vec<_> = (0..40).map(sender).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|status| matches!(status, 200 | 503)), "{answers:?}");
    assert!(answers.contains(&200) && answers.contains(&503), "{answers:?}");
    let after = peak(child.id());
    assert!(after < before + BOUND, "the server took {} MiB more", after - before);
    child.kill().expect("killed");
    child.wait().expect("gone");
}

#[test]
fn a_flood_of_log_ins_does_not_grow_the_memory() {
    let mut app = TestApp::start(On::Sqlite);
    app.stop();
    // Hashes as costly as in service.
    let costly = [("QIANFA_PASSWORD_MEMORY_KIB", "19456"), ("QIANFA_LOGIN_SOURCE_FAILURES", "100000")];
    let (mut child, base) = serve_with(&app.ground, &costly);
    let attempt = |number: usize| {
        let body = json!({"username": format!("name{number}"), "password": WRONG});
        Client::new(&base).post("/api/v1/session", &body).status
    };
    assert_eq!(attempt(0), 401);
    let before = peak(child.id());
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..100).map(|number| scope.spawn(move || attempt(number))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|status| matches!(status, 401 | 503)), "{statuses:?}");
    let after = peak(child.id());
    assert!(after < before + 100, "the server took {} MiB more", after - before);
    child.kill().expect("killed");
    child.wait().expect("gone");
}

#[test]
fn a_document_that_a_stranger_signed_is_not_shown_as_good() {
    on_both(|app| {
        let world = World::new(app);
        let product = world.product("P", "chemical", &["rare_disease"], &one_item("≥97.0"));
        let taken = world.take_in("drug_registration", &product, "A", 2);
        world.enter(&world.task(&text(&taken["samples"][0], "number"), "assay", "waiting"), "99.2");
        world.approve_all();
        let issued = world.issue(&text(&taken["samples"][0], "id"));
        let genuine = world.signatory.get(&format!("/api/v1/certificates/{}/pdf", text(&issued, "id"))).bytes;
        let send =
            |bytes: &[u8]| app.client().send("POST", "/api/v1/verify", Some("application/pdf"), bytes.to_vec()).json();
        let known = send(&genuine);
        assert_eq!(
            (&known["certificate"]["status"], &known["unchanged"], &known["trusted"]),
            (&json!("issued"), &json!(true), &json!(true))
        );
        // Somebody else's authority signs a document of its own.
        let stranger = TestCa::create("冒名药品检验所", &mut OsRng, beginning()).expect("an authority");
        let info =
            SignInfo {
                reason: "授权签发".into(), location: "某地".into(), name: "郭正".into(), time: beginning()
            };
        let forged = sign(&genuine, &stranger.signing_key().expect("a key"), &info).expect("signed");
        let found = send(&forged);
        assert_eq!((&found["certificate"], &found["trusted"]), (&Value::Null, &json!(false)), "{found}");
        let page = |bytes: &[u8]| {
            let mut body = b"--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"x.pdf\"\r\n\r\n".to_vec();
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n--b--\r\n");
            app.client().send("POST", "/verify", Some("multipart/form-data; boundary=b"), body)
        };
        assert!(page(&genuine).text.contains("state good"));
        let shown = page(&forged);
        assert_eq!(shown.status, 200);
        assert!(!shown.text.contains("state good") && !shown.text.contains("answer good"), "{}", shown.text);
        assert_eq!(page(&vec![b'x'; 3_000_000]).status, 413);
    });
}

/// Sends a body whatever becomes of the connection: a server that refuses need not read it to its end.
fn sent(base: &str, bytes: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(base.trim_start_matches("http://")).ok()?;
    let head = format!(
        "POST /api/v1/verify HTTP/1.1\r\nhost: x\r\ncontent-type: application/pdf\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        bytes.len()
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(bytes));
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).split(' ').nth(1)?.parse().ok()
}
