//! The pages in Chromium, headless: what the content policy and the scripts really do. Without Chromium the tests
//! say that they saw nothing; `test.sh` installs it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use crate::pages::Browser;
use crate::support::{On, TestApp, text};
use crate::world::{World, one_item};

pub fn chromium() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = std::env::split_paths(&folders)
        .find_map(|folder| names.iter().map(|name| folder.join(name)).find(|path| path.is_file()));
    if found.is_none() {
        eprintln!("no page was looked at in a browser: Chromium is not installed");
    }
    found
}

/// Passes requests on with the cookies of somebody logged in: Chromium's one-shot mode cannot fill in a form.
pub struct Door(pub SocketAddr);

impl Door {
    pub fn open(app: &TestApp, browser: &Browser) -> Self {
        let pairs: Vec<String> =
            browser.0.cookies.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies: Arc<str> = pairs.join("; ").into();
        let server = app.base.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (cookies, server) = (cookies.clone(), server.clone());
                std::thread::spawn(move || pass(stream, &server, &cookies));
            }
        });
        Self(address)
    }
}

/// One request a connection: the head with the cookies, the body, and the answer until it ends.
fn pass(mut from: TcpStream, server: &str, cookies: &str) -> Option<()> {
    let mut seen = Vec::new();
    let mut buffer = [0_u8; 8192];
    let end = loop {
        let read = from.read(&mut buffer).ok().filter(|read| *read > 0)?;
        seen.extend_from_slice(buffer.get(..read)?);
        if let Some(at) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
    };
    let head = String::from_utf8_lossy(seen.get(..end)?).into_owned();
    let length: usize = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(|n| n.trim().to_owned()))
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    let mut body = seen.get(end + 4..)?.to_vec();
    while body.len() < length {
        let read = from.read(&mut buffer).ok().filter(|read| *read > 0)?;
        body.extend_from_slice(buffer.get(..read)?);
    }
    let kept: Vec<&str> = head
        .lines()
        .filter(|line| !["cookie:", "connection:"].iter().any(|name| line.to_ascii_lowercase().starts_with(name)))
        .collect();
    let mut to = TcpStream::connect(server).ok()?;
    to.write_all(format!("{}\r\ncookie: {cookies}\r\nconnection: close\r\n\r\n", kept.join("\r\n")).as_bytes()).ok()?;
    to.write_all(&body).ok()?;
    std::io::copy(&mut to, &mut from).ok()?;
    Some(())
}

/// The page after its scripts ran, and what the console said.
pub fn opened(chromium: &Path, url: &str, more: &[&str]) -> (String, String) {
    let profile = tempfile::tempdir().expect("a folder");
    let output = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-proxy-server"])
        .args(["--enable-logging=stderr", "--virtual-time-budget=8000", "--timeout=30000", "--accept-lang=zh-CN"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(more)
        .args(["--dump-dom", url])
        .output()
        .expect("Chromium runs");
    let console: Vec<String> = String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .map(str::to_owned)
        .collect();
    (String::from_utf8_lossy(&output.stdout).into_owned(), console.join("\n"))
}

/// Draws a page as a person sees it, and keeps the picture where `QIANFA_TEST_PICTURES` names a folder.
pub fn pictured(chromium: &Path, url: &str, name: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = std::env::var_os("QIANFA_TEST_PICTURES").map_or_else(|| folder.path().to_owned(), PathBuf::from);
    let picture = kept.join(format!("{name}.png"));
    let drawn = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-proxy-server"])
        .args(["--window-size=1366,1600", "--hide-scrollbars", "--virtual-time-budget=8000", "--accept-lang=zh-CN"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("--screenshot={}", picture.display()))
        .arg(url)
        .output()
        .expect("Chromium runs");
    let size = std::fs::metadata(&picture).map(|file| file.len()).unwrap_or(0);
    assert!(size > 10_000, "{size} bytes: {}", String::from_utf8_lossy(&drawn.stderr));
}

#[test]
fn chromium_opens_the_pages_without_a_complaint() {
    let Some(chromium) = chromium() else { return };
    let app = TestApp::start(On::Sqlite);
    let world = World::new(&app);
    let product = world.product("P-1", "chemical", &["rare_disease", "clinically_urgent"], &one_item("95.0~105.0"));
    let taken = world.take_in("drug_registration", &product, "L-1", 9);
    let task = world.task(&text(&taken["samples"][0], "number"), "assay", "waiting");
    app.pass(chrono::Duration::minutes(95));
    let open = |user: &str, path: &str| {
        let door = Door::open(&app, &Browser::logged_in(&app, user));
        let (page, console) = opened(&chromium, &format!("http://{}{path}", door.0), &[]);
        assert!(page.contains("</html>"), "{path}: {page}");
        assert_eq!(console, "", "{path}");
        page
    };
    // htmx asks for the determination as soon as the desk is open; the policy lets it.
    let desk = open("receiver", "/desk");
    assert!(desk.contains("选择业务类别和品种后") && !desk.contains("正在判定"), "{desk}");
    // The time from receipt to start runs, by the server's clock.
    let bench = open("analyst", "/bench");
    assert!(bench.contains(">1:35<"), "{bench}");
    open("analyst", &format!("/tasks/{task}"));
    open("receiver", &format!("/samples/{}/labels", text(&taken["samples"][0], "id")));
    for path in ["/", "/cases", "/review", "/certificates", "/regulation", "/products", "/verify", "/login"] {
        open("reviewer", path);
    }
}

#[test]
fn chromium_draws_the_evaluations() {
    let Some(chromium) = chromium() else { return };
    let app = TestApp::start(On::Sqlite);
    let world = World::new(&app);
    let sequence = crate::evaluation::kept_sequence(&world);
    let number = crate::evaluation::potency_sample(&world);
    let plate = text(&crate::evaluation::kept_potency(&world, &number, 0), "id");
    let folder = tempfile::tempdir().expect("a folder");
    // Somebody who wants to look at the pages names a folder where the pictures stay.
    let kept = std::env::var_os("QIANFA_TEST_PICTURES").map(PathBuf::from);
    let pictures = kept.unwrap_or_else(|| folder.path().to_owned());
    let (of_sequence, of_plate) = (format!("/evaluations/{sequence}"), format!("/evaluations/{plate}"));
    let again = format!("/evaluations/new?of={sequence}");
    let pages = [
        ("sequence", of_sequence.as_str(), "98.98385"),
        ("plate", of_plate.as_str(), "884.3298"),
        ("again", again.as_str(), "20.12"),
        ("list", "/evaluations", "示范含量序列"),
        ("standards", "/standards", "示范对照品"),
    ];
    for (name, path, told) in pages {
        let door = Door::open(&app, &Browser::logged_in(&app, "analyst"));
        let url = format!("http://{}{path}", door.0);
        let (page, console) = opened(&chromium, &url, &[]);
        assert!(page.contains(told), "{path}: {page}");
        assert_eq!(console, "", "{path}");
        let picture = pictures.join(format!("{name}.png"));
        let drawn = Command::new(&chromium)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--no-proxy-server",
            ])
            .args(["--window-size=1400,2600", "--hide-scrollbars"])
            .arg(format!("--user-data-dir={}", folder.path().join(name).display()))
            .arg(format!("--screenshot={}", picture.display()))
            .arg(&url)
            .output()
            .expect("Chromium runs");
        let size = std::fs::metadata(&picture).map(|file| file.len()).unwrap_or(0);
        assert!(size > 20_000, "{name}: {size} bytes: {}", String::from_utf8_lossy(&drawn.stderr));
    }
}

#[test]
fn chromium_draws_the_verification_page_on_a_telephone() {
    let Some(chromium) = chromium() else { return };
    let app = TestApp::start(On::Sqlite);
    let folder = tempfile::tempdir().expect("a folder");
    let picture = folder.path().join("page.png");
    let url = format!("{}/verify/AAAABBBBCCCCDDDD", app.base);
    let (page, console) = opened(&chromium, &url, &[]);
    assert!(page.contains("没有该验证码的证书"));
    assert_eq!(console, "");
    let drawn = Command::new(&chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-proxy-server"])
        .args(["--window-size=390,844", "--hide-scrollbars"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("--screenshot={}", picture.display()))
        .arg(&url)
        .output()
        .expect("Chromium runs");
    let size = std::fs::metadata(&picture).map(|file| file.len()).unwrap_or(0);
    assert!(size > 10_000, "{size} bytes: {}", String::from_utf8_lossy(&drawn.stderr));
}
