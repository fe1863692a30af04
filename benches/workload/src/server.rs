//! The release server as a process: started, asked for its memory, stopped.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::http::Connection;

/// A running server; it ends with this value.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// From the start of the process to the first 200 of `/health/ready`.
    pub ready: Duration,
    /// From the start of the process to the first page; nothing where this build has no pages.
    pub first_page: Option<Duration>,
}

impl Server {
    /// Starts `program` as a server on a configuration file; its log goes to `log`.
    pub fn start(program: &Path, config: &Path, log: &Path) -> Result<Self, String> {
        let told = |error: std::io::Error| format!("the server does not start: {error}");
        let began = Instant::now();
        let mut command = Command::new(program);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("QIANFA_")) {
            command.env_remove(name);
        }
        let mut child = command
            .args(["serve", "--config"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(log).map_err(told)?)
            .spawn()
            .map_err(told)?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line).map_err(told)?;
        }
        let Some(address) = line.trim().strip_prefix("http://").and_then(|text| text.parse().ok()) else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("the server does not start: {}", std::fs::read_to_string(log).unwrap_or_default()));
        };
        let mut server = Self { child, address, ready: Duration::ZERO, first_page: None };
        server.until_ready(began)?;
        server.first_page = server.page("/").map(|()| began.elapsed());
        Ok(server)
    }

    fn until_ready(&mut self, began: Instant) -> Result<(), String> {
        while began.elapsed() < Duration::from_secs(30) {
            let answer = Connection::open(self.address).and_then(|mut c| c.get("/health/ready", None));
            if answer.is_ok_and(|answer| answer.status == 200) {
                self.ready = began.elapsed();
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err("the server was not ready within 30 seconds".into())
    }

    /// Fetches a page, by way of one redirection (to the log-in) at most.
    fn page(&self, path: &str) -> Option<()> {
        let mut connection = Connection::open(self.address).ok()?;
        let mut answer = connection.get(path, None).ok()?;
        if (300..400).contains(&answer.status) {
            answer = connection.get(&answer.location?, None).ok()?;
        }
        (answer.status == 200).then_some(())
    }

    /// Resident memory now and at its highest, in MB (10⁶ bytes), where the system tells.
    pub fn memory(&self) -> Option<(f64, f64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let field = |name: &str| -> Option<f64> {
            let line = status.lines().find(|line| line.starts_with(name))?;
            let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
            Some(kib * 1024.0 / 1e6)
        };
        Some((field("VmRSS:")?, field("VmHWM:")?))
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(mut self) -> Result<(), String> {
        // There is no safe call for a signal in the standard library.
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        asked.map_err(|error| error.to_string())?;
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(30) {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(format!("the server ended with {status}")),
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Err(error) => return Err(error.to_string()),
            }
        }
        Err("the server did not stop within 30 seconds".into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
