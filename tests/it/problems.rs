//! Whatever a client sends, the answer is a problem document in its language, and never a failure of ours.

use serde_json::json;

use crate::support::{PASSWORD, on_both, text};

#[test]
fn what_the_server_library_refuses_is_a_problem_too() {
    on_both(|app| {
        let client = app.logged_in("admin");
        assert_eq!(client.get("/api/v1/no/such/thing").problem(), "not-found");
        let other = client.put("/api/v1/session", &json!({}));
        assert_eq!(other.problem(), "method-not-allowed");
        assert_eq!(other.headers["allow"], "POST, GET, DELETE");
        assert_eq!(client.get("/api/v1/audit?limit=many").problem(), "bad-request");
        assert_eq!(client.get("/api/v1/audit?colour=red").problem(), "bad-request");
        let plain = client.send("POST", "/api/v1/accounts", Some("text/plain"), b"{}".to_vec());
        assert_eq!((plain.status, plain.problem().as_str()), (415, "unsupported-media-type"));
        let broken = client.send("POST", "/api/v1/accounts", Some("application/json"), b"{\n \"username\": ]".to_vec());
        assert_eq!((broken.status, broken.problem().as_str()), (400, "bad-request"));
        assert_eq!(broken.json()["numbers"]["line"], 2);
        let large = client.send("POST", "/api/v1/accounts", Some("application/json"), vec![b' '; 1_100_000]);
        assert_eq!((large.status, large.problem().as_str()), (413, "too-large"));
        for bytes in [&b"\xff\xfe"[..], b"null", b"[]", b"1e999", b"\"\\ud800\"", b"{\"username\": null}"] {
            let refused = client.send("POST", "/api/v1/accounts", Some("application/json"), bytes.to_vec());
            assert!((400..500).contains(&refused.status), "{}: {}", refused.status, refused.text);
            refused.problem();
        }
    });
}

#[test]
fn a_fault_names_its_field_and_speaks_the_readers_language() {
    on_both(|app| {
        let account = json!({"username": "x y", "display_name": "n", "password": PASSWORD, "roles": ["analyst"],
            "institute": app.institute});
        let client = app.logged_in("admin");
        let zh = client.post("/api/v1/accounts", &account);
        assert_eq!((zh.status, text(&zh.json(), "field").as_str()), (422, "username"));
        assert_eq!(text(&zh.json(), "title"), "字段不符合要求");
        assert_eq!(zh.headers["content-language"], "zh-CN");
        let client = client.with("accept-language", "en-GB,en;q=0.8");
        let en = client.post("/api/v1/accounts", &account);
        assert_eq!(text(&en.json(), "title"), "A field is not as expected");
        assert_eq!(en.json()["request_id"], en.headers["x-request-id"].as_str());
        let mut typed = account;
        typed["roles"] = json!(["analyst", "king"]);
        typed["username"] = json!("wang");
        assert_eq!(text(&client.post("/api/v1/accounts", &typed).json(), "field"), "roles[1]");
        typed["roles"] = json!([1]);
        assert_eq!(text(&client.post("/api/v1/accounts", &typed).json(), "field"), "roles[0]");
    });
}

#[test]
fn headers_guard_every_answer() {
    on_both(|app| {
        let client = app.client().with("x-request-id", "from-the-proxy.1");
        for path in ["/health/live", "/no/such/page", "/api/docs/", "/api/openapi.json"] {
            let answer = client.get(path);
            assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{path}");
            assert_eq!(answer.headers["x-frame-options"], "DENY");
            assert!(answer.headers["content-security-policy"].starts_with("default-src 'self'"));
            assert_eq!(answer.headers["x-request-id"], "from-the-proxy.1");
        }
        let odd = app.client().with("x-request-id", "a b\"c").get("/health/live");
        assert_ne!(odd.headers["x-request-id"], "a b\"c");
        assert_eq!(client.get("/health/ready").status, 200);
        assert!(client.get("/api/docs/").text.contains("swagger"));
        assert_eq!(client.get("/api/openapi.json").json()["openapi"], "3.1.0");
    });
}
