//! Logging in, refreshing, locking out, forged requests, and signing.

use chrono::Duration;
use qianfa::people::{Grace, SignedContent};
use qianfa::record::{Entries, TrailFilter, trail};
use qianfa::refusal::Code;
use qianfa::vocabulary::{Role, SignatureMeaning};
use serde_json::json;

use crate::support::{PASSWORD, TestApp, on_both, on_each, text};

const WRONG: &str = "wrong horse battery staple";

fn login(app: &TestApp, username: &str, password: &str) -> crate::support::client::Answer {
    app.client().post("/api/v1/session", &json!({"username": username, "password": password}))
}

#[test]
fn a_session_is_opened_used_and_closed() {
    on_both(|app| {
        let client = app.logged_in("admin");
        let me = client.get("/api/v1/session").json();
        assert_eq!(me["username"], "admin");
        assert_eq!(me["roles"], json!(["administrator", "installation"]));
        assert!(me["may"].as_array().unwrap().contains(&json!("account.manage")));
        assert_eq!(client.delete("/api/v1/session").status, 204);
        assert_eq!(client.get("/api/v1/session").problem(), "session-revoked");
    });
}

#[test]
fn an_access_token_ends_by_the_clock_and_a_forged_one_never_begins() {
    on_both(|app| {
        let mut client = app.logged_in("admin");
        app.pass(Duration::seconds(599));
        assert_eq!(client.get("/api/v1/session").status, 200);
        app.pass(Duration::seconds(1));
        assert_eq!(client.get("/api/v1/session").problem(), "unauthenticated");
        let token = client.bearer.clone().unwrap();
        let (head, mac) = token.rsplit_once('.').unwrap();
        let (_, claims) = head.split_once('.').unwrap();
        for forged in [
            format!("{head}.{}", mac.replace(['A', 'B', 'C', 'D'], "E")),
            format!("eyJhbGciOiJub25lIn0.{claims}."),
            "x".into(),
        ] {
            client.bearer = Some(forged);
            assert_eq!(client.get("/api/v1/session").problem(), "unauthenticated");
        }
    });
}

#[test]
fn repeated_failures_stop_who_makes_them_for_a_while() {
    on_both(|app| {
        for _ in 0..5 {
            let refused = login(app, "admin", WRONG);
            assert_eq!((refused.status, refused.problem().as_str()), (401, "bad-credentials"));
        }
        // Answered as a wrong password is, so that nobody learns whether it was right.
        let stopped = login(app, "admin", PASSWORD);
        assert_eq!((stopped.status, stopped.problem().as_str()), (401, "bad-credentials"));
        app.pass(Duration::minutes(15));
        assert_eq!(login(app, "admin", PASSWORD).status, 200);
        // A success in between starts the count afresh.
        for _ in 0..2 {
            for _ in 0..4 {
                assert_eq!(login(app, "admin", WRONG).status, 401);
            }
            assert_eq!(login(app, "admin", PASSWORD).status, 200);
        }
    });
}

#[test]
fn attempts_side_by_side_do_not_get_past_the_limit() {
    on_both(|app| {
        let statuses = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..24).map(|_| scope.spawn(|| login(app, "admin", WRONG).status)).collect();
            tries.into_iter().map(|t| t.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(statuses.iter().all(|status| *status == 401), "{statuses:?}");
        assert_eq!(login(app, "admin", PASSWORD).status, 401);
        app.services.identity.record_failures(Duration::zero()).unwrap();
        let filter = TrailFilter { action: Some("login.fail".into()), ..TrailFilter::default() };
        let entry =
            serde_json::to_value(&trail(&app.services.db, &Entries::Whole, &filter).unwrap().entries[0]).unwrap();
        let count = |field: &str| entry["changes"][field]["new"].clone();
        assert_eq!((count("attempts"), count("stopped_by_limit")), (json!(25), json!(20)), "{entry}");
    });
}

#[test]
fn an_unknown_user_looks_like_a_wrong_password() {
    on_both(|app| {
        let (unknown, wrong) = (login(app, "nobody", WRONG), login(app, "admin", WRONG));
        let strip = |text: &str| {
            let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
            value["request_id"] = json!(null);
            value
        };
        assert_eq!(strip(&unknown.text), strip(&wrong.text));
    });
}

#[test]
fn a_refresh_token_serves_once_and_its_reuse_ends_the_family() {
    on_both(|app| {
        let refresh = |token: &str| app.client().post("/api/v1/session/refresh", &json!({"refresh_token": token}));
        let first = login(app, "admin", PASSWORD).json();
        let second = refresh(&text(&first, "refresh_token"));
        assert_eq!(second.status, 200);
        let second = second.json();
        assert_ne!(first["refresh_token"], second["refresh_token"]);
        let mut client = app.client();
        client.bearer = Some(text(&second, "access_token"));
        assert_eq!(client.get("/api/v1/session").status, 200);
        assert_eq!(refresh(&text(&first, "refresh_token")).problem(), "session-revoked");
        assert_eq!(client.get("/api/v1/session").problem(), "session-revoked");
        assert_eq!(refresh(&text(&second, "refresh_token")).problem(), "session-revoked");
        assert_eq!(refresh("no such token").problem(), "session-revoked");
    });
}

#[test]
fn refreshing_does_not_prolong_a_session() {
    on_each(|on| {
        // Nobody is taken to be away.
        let app = TestApp::start_with(on, &[("QIANFA_SESSION_IDLE_MINUTES", "1440")]);
        let app = &app;
        let mut session = login(app, "admin", PASSWORD).json();
        let refresh = |token: String| app.client().post("/api/v1/session/refresh", &json!({"refresh_token": token}));
        for _ in 0..11 {
            app.pass(Duration::hours(1));
            session = refresh(text(&session, "refresh_token")).json();
        }
        app.pass(Duration::hours(1));
        assert_eq!(refresh(text(&session, "refresh_token")).problem(), "session-revoked");
    });
}

#[test]
fn cookies_are_closed_to_scripts_and_need_the_token() {
    on_both(|app| {
        let mut client = app.client();
        let body = json!({"username": "admin", "password": PASSWORD, "mode": "cookie"});
        let session = client.post("/api/v1/session", &body);
        assert!(session.json().get("access_token").is_none());
        for name in ["qf_access", "qf_refresh"] {
            let cookie = session.set_cookies.iter().find(|c| c.starts_with(name)).unwrap();
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        }
        assert_eq!(client.get("/api/v1/session").status, 200);
        let account = json!({"username": "new.one", "display_name": "n", "password": PASSWORD, "roles": ["analyst"],
            "institute": app.institute});
        assert_eq!(client.post("/api/v1/accounts", &account).problem(), "csrf");
        client.headers = vec![("x-csrf-token".into(), "guess".into())];
        assert_eq!(client.post("/api/v1/accounts", &account).problem(), "csrf");
        client.headers = vec![("x-csrf-token".into(), text(&session.json(), "csrf_token"))];
        assert_eq!(client.post("/api/v1/accounts", &account).status, 201);
        assert_eq!(client.post("/api/v1/session/refresh", &json!({})).status, 200);
        client.headers = vec![("x-csrf-token".into(), client.cookies.borrow()["qf_csrf"].clone())];
        assert_eq!(client.delete("/api/v1/session").status, 204);
        // A bearer token is nothing that a browser sends by itself.
        assert_eq!(app.logged_in("admin").delete("/api/v1/session").status, 204);
    });
}

#[test]
fn roles_and_disabling_hold_from_the_next_request_on() {
    on_both(|app| {
        let id = app.account("wang", &[Role::Analyst]);
        let (admin, wang) = (app.logged_in("admin"), app.logged_in("wang"));
        assert_eq!(wang.get("/api/v1/accounts").problem(), "forbidden");
        let roles = json!({"roles": ["administrator"], "reason": "接任"});
        assert_eq!(admin.put(&format!("/api/v1/accounts/{id}/roles"), &roles).status, 200);
        assert_eq!(wang.get("/api/v1/accounts").status, 200);
        let disable = json!({"disabled": true, "reason": "离职"});
        assert_eq!(admin.put(&format!("/api/v1/accounts/{id}/disabled"), &disable).status, 200);
        assert_eq!(wang.get("/api/v1/session").problem(), "session-revoked");
        assert_eq!(login(app, "wang", PASSWORD).problem(), "bad-credentials");
        let last = format!("/api/v1/accounts/{}/disabled", app.admin.account);
        assert_eq!(admin.put(&last, &disable).problem(), "conflict");
        assert_eq!(admin.get("/api/v1/session").status, 200);
    });
}

#[test]
fn passwords_follow_the_rule_and_a_change_ends_other_sessions() {
    on_both(|app| {
        let (one, other) = (app.logged_in("admin"), app.logged_in("admin"));
        let change = |old: &str, new: &str| {
            one.post("/api/v1/session/password", &json!({"old_password": old, "new_password": new}))
        };
        let short = change(PASSWORD, "short");
        assert_eq!(
            (short.problem().as_str(), text(&short.json(), "field").as_str()),
            ("invalid-field", "new_password")
        );
        assert_eq!(change(WRONG, "another long password").problem(), "bad-credentials");
        assert_eq!(change(PASSWORD, "another long password").status, 204);
        assert_eq!(one.get("/api/v1/session").status, 200);
        assert_eq!(other.get("/api/v1/session").problem(), "session-revoked");
        assert_eq!(login(app, "admin", PASSWORD).status, 401);
        assert_eq!(login(app, "admin", "another long password").status, 200);
    });
}

#[test]
fn a_signature_needs_ones_own_fresh_password() {
    on_both(|app| {
        let identity = &app.services.identity;
        let hash = "a".repeat(64);
        let sign = |proof: qianfa::people::Reauthenticated, actor: &qianfa::record::Actor| {
            let (actor, at, hash) = (actor.clone(), app.clock.now(), hash.clone());
            let content = SignedContent { sha256: hash, data_sha256: None };
            let subject = ("certificate", "c1");
            let meaning = SignatureMeaning::AuthorisedIssue;
            app.services.db.write(move |conn| proof.sign(conn, &actor, at, meaning, subject, &content))
        };
        let code = |outcome: Result<_, qianfa::store::Failure>| outcome.err().map(|f| f.into_refusal().code);
        let prove = |password: &str| identity.prove(&app.admin, Some(&password.to_owned().into()), None, Grace::Never);
        assert_eq!(prove(WRONG).unwrap_err().into_refusal().code, Code::BadCredentials);
        let proof = || prove(PASSWORD).unwrap();
        assert_eq!(code(sign(proof(), &app.admin)), None);
        let mut other = app.admin.clone();
        other.account = app.account("other", &[Role::AuthorisedSignatory]);
        assert_eq!(code(sign(proof(), &other)), Some(Code::Forbidden));
        let stale = proof();
        app.pass(Duration::seconds(121));
        assert_eq!(code(sign(stale, &app.admin)), Some(Code::BadCredentials));
        let filter = TrailFilter { action: Some("signature.give".into()), ..TrailFilter::default() };
        assert_eq!(trail(&app.services.db, &Entries::Of(app.institute.clone()), &filter).unwrap().entries.len(), 1);
    });
}
