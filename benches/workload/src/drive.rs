//! Drives the server over HTTP on loopback.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::{Answer, Connection};
use crate::laboratory::{Laboratory, PASSWORD};

/// How a round of intakes went.
pub struct Round {
    pub took: Duration,
    /// Of each request, from its first byte sent to its last byte received.
    pub latencies: Vec<Duration>,
}

/// Logs in and tells the access token.
pub fn log_in(address: SocketAddr, username: &str) -> Result<String, String> {
    let mut connection = Connection::open(address).map_err(|error| error.to_string())?;
    let form = json!({"username": username, "password": PASSWORD});
    let answer = expect(connection.post("/api/v1/session", None, form.to_string().as_bytes()), 200)?;
    Ok(answer.json()["access_token"].as_str().unwrap_or_default().to_owned())
}

fn expect(answer: std::io::Result<Answer>, status: u16) -> Result<Answer, String> {
    let answer = answer.map_err(|error| error.to_string())?;
    if answer.status == status {
        return Ok(answer);
    }
    Err(format!("expected {status}, got {}: {}", answer.status, answer.text()))
}

/// Takes in `intakes` lots, numbered from `from`, over so many connections; every answer must be 201.
pub fn intakes(
    address: SocketAddr,
    token: &str,
    laboratory: &Laboratory,
    from: usize,
    intakes: usize,
    connections: usize,
) -> Result<Round, String> {
    let bodies: Vec<Vec<u8>> =
        (from..from + intakes).map(|nth| laboratory.intake(nth).to_string().into_bytes()).collect();
    let mut open = (0..connections)
        .map(|_| Connection::open(address).map_err(|error| error.to_string()))
        .collect::<Result<Vec<_>, _>>()?;
    let next = AtomicUsize::new(0);
    let work = |connection: &mut Connection| -> Result<Vec<Duration>, String> {
        let mut latencies = Vec::new();
        while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
            let began = Instant::now();
            expect(connection.post("/api/v1/intake", Some(token), body), 201)?;
            latencies.push(began.elapsed());
        }
        Ok(latencies)
    };
    let began = Instant::now();
    let ended: Vec<Result<Vec<Duration>, String>> = std::thread::scope(|scope| {
        let threads: Vec<_> = open.iter_mut().map(|connection| scope.spawn(|| work(connection))).collect();
        let gone = |_| Err("a client panicked".to_owned());
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(gone)).collect()
    });
    let took = began.elapsed();
    let mut latencies = Vec::with_capacity(intakes);
    for of_one in ended {
        latencies.extend(of_one?);
    }
    Ok(Round { took, latencies })
}

/// Enters `lines` results in one request, of tasks that are waiting; tells how long it took.
pub fn worksheet(address: SocketAddr, token: &str, lines: usize) -> Result<Duration, String> {
    let mut connection = Connection::open(address).map_err(|error| error.to_string())?;
    let mut tasks: Vec<Value> = Vec::with_capacity(lines);
    let mut after = String::new();
    while tasks.len() < lines {
        let path = format!("/api/v1/tasks?state=waiting&item=assay&limit=500&after={after}");
        let listed = expect(connection.get(&path, Some(token)), 200)?.json();
        let part = listed["items"].as_array().cloned().unwrap_or_default();
        if part.is_empty() {
            return Err(format!("only {} tasks are waiting, {lines} are needed", tasks.len()));
        }
        tasks.extend(part);
        match listed["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None if tasks.len() < lines => {
                return Err(format!("only {} tasks are waiting, {lines} are needed", tasks.len()));
            }
            None => break,
        }
    }
    let line = |(nth, task): (usize, &Value)| {
        let raw = format!("99.{:02}", nth % 100);
        json!({"task_id": task["task_id"], "entry": {"readings": [{"name": "x", "raw": raw}]}})
    };
    let form = json!({"lines": tasks.iter().take(lines).enumerate().map(line).collect::<Vec<_>>()}).to_string();
    let began = Instant::now();
    let answer = expect(connection.post("/api/v1/worksheets/entry", Some(token), form.as_bytes()), 200)?;
    let took = began.elapsed();
    let answers = answer.json();
    let saved = answers.as_array().map_or(0, |all| all.iter().filter(|line| !line["entered"].is_null()).count());
    if saved != lines {
        return Err(format!("{saved} of {lines} results were saved: {}", answers[0]));
    }
    Ok(took)
}

/// The value below which so many percent of the latencies lie.
pub fn percentile(latencies: &mut [Duration], percent: usize) -> Duration {
    latencies.sort_unstable();
    let at = latencies.len().saturating_sub(1) * percent / 100;
    latencies.get(at).copied().unwrap_or_default()
}
