//! A small HTTP client: keeps cookies when asked, and shows every answer, whatever its status.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;

thread_local! {
    /// What this thread's clients were answered, while somebody records it: method, path, status and body.
    static ANSWERS: RefCell<Option<Vec<Recorded>>> = const { RefCell::new(None) };
}

/// One answer as it was recorded.
#[derive(Clone)]
pub struct Recorded {
    pub method: String,
    pub path: String,
    pub status: u16,
    pub json: bool,
    pub text: String,
}

/// Records every answer of this thread's clients while `work` runs.
pub fn recorded(work: impl FnOnce()) -> Vec<Recorded> {
    ANSWERS.with(|answers| *answers.borrow_mut() = Some(Vec::new()));
    work();
    ANSWERS.with(|answers| answers.borrow_mut().take()).unwrap_or_default()
}

pub struct Client {
    agent: Agent,
    base: String,
    /// Sent as `Authorization: Bearer …`.
    pub bearer: Option<String>,
    /// Sent with every request.
    pub headers: Vec<(String, String)>,
    /// Kept from answers.
    pub cookies: RefCell<BTreeMap<String, String>>,
}

pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub set_cookies: Vec<String>,
    pub bytes: Vec<u8>,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The code of a problem document, which it must be.
    pub fn problem(&self) -> String {
        assert_eq!(
            self.headers.get("content-type").map(String::as_str),
            Some("application/problem+json"),
            "{}",
            self.text
        );
        let document = self.json();
        assert_eq!(document["status"], self.status);
        document["code"].as_str().expect("a code").to_owned()
    }
}

impl Client {
    pub fn new(base: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            // The server closes what is idle for five seconds; a request sent just then would be lost.
            .max_idle_age(Duration::from_secs(2))
            .build();
        Self {
            agent: Agent::new_with_config(config),
            base: base.to_owned(),
            bearer: None,
            headers: Vec::new(),
            cookies: RefCell::default(),
        }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, Vec::new())
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None, Vec::new())
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some("application/json"), body.to_string().into_bytes())
    }

    /// The status of an answer, or none where the server is gone.
    pub fn try_post(&self, path: &str, body: &Value) -> Option<u16> {
        let mut request = self.agent.post(format!("{}{path}", self.base)).header("content-type", "application/json");
        if let Some(token) = &self.bearer {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.send(body.to_string()).ok().map(|answer| answer.status().as_u16())
    }

    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, Some("application/json"), body.to_string().into_bytes())
    }

    pub fn send(&self, method: &str, path: &str, content_type: Option<&str>, body: Vec<u8>) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        if let Some(token) = &self.bearer {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let cookies: Vec<String> = self.cookies.borrow().iter().map(|(k, v)| format!("{k}={v}")).collect();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        let request = request.body(body).expect("a request");
        // A kept connection may end just as the next request is sent; what only reads is asked for once more.
        let second = (method == "GET").then(|| request.clone());
        let answered = self.agent.run(request);
        let answered = match (answered, second) {
            (Err(ureq::Error::Io(_)), Some(second)) => self.agent.run(second),
            (answered, _) => answered,
        };
        let mut response = answered.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let headers: BTreeMap<String, String> = response
            .headers()
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_str().unwrap_or_default().to_owned()))
            .collect();
        let set_cookies: Vec<String> = response
            .headers()
            .get_all("set-cookie")
            .iter()
            .filter_map(|value| value.to_str().ok().map(str::to_owned))
            .collect();
        for cookie in &set_cookies {
            let pair = cookie.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.borrow_mut().insert(name.to_owned(), value.to_owned());
            }
        }
        let status = response.status().as_u16();
        let bytes = response.body_mut().read_to_vec().expect("a body");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        ANSWERS.with(|answers| {
            if let Some(answers) = answers.borrow_mut().as_mut() {
                let json = headers.get("content-type").is_some_and(|kind| kind.contains("json"));
                let (method, path, text) = (method.to_owned(), path.to_owned(), text.clone());
                answers.push(Recorded { method, path, status, json, text });
            }
        });
        Answer { status, headers, set_cookies, bytes, text }
    }
}
