//! The real server on a free port, with a clock that stands until it is set.

pub mod client;
pub mod cluster;
pub mod postgres;

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use chrono::{DateTime, Duration, TimeZone, Utc};
use instrument_adapters::isolated::Program;
use qianfa::accounts::{AppointAdministrator, AppointSignatory, CreateAccount, FirstAdministrator, bootstrap};
use qianfa::action::{Services, act};
use qianfa::app::config::Config;
use qianfa::app::serve::{Application, Stopper};
use qianfa::catalogue::CreateInstitute;
use qianfa::clock::Clock;
use qianfa::documents::{OsRng, TestCa};
use qianfa::record::Actor;
use qianfa::store::columns::{AccountId, InstituteId};
use qianfa::vocabulary::{Business, PasswordOrigin, Role};
use serde_json::{Value, json};
use tempfile::TempDir;

use client::Client;
use postgres::OwnDatabase;

/// The password of every account of the tests.
pub const PASSWORD: &str = "correct horse battery staple";

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    Sqlite,
    Postgres,
}

/// Runs a test on SQLite and on PostgreSQL. It fails where there is no PostgreSQL, and says what to install.
pub fn on_both(test: impl Fn(&TestApp)) {
    on_each(|on| test(&TestApp::start(on)));
}

/// The same for tests that start their application themselves.
pub fn on_each(test: impl Fn(On)) {
    test(On::Sqlite);
    test(On::Postgres);
}

/// A folder and a database, before any server runs on them.
pub struct Ground {
    pub dir: TempDir,
    pub on: On,
    database: Option<OwnDatabase>,
}

impl Ground {
    pub fn new(on: On) -> Self {
        let database = (on == On::Postgres).then(OwnDatabase::create);
        Self { dir: tempfile::tempdir().expect("a folder"), on, database }
    }

    /// The database's URL.
    pub fn url(&self) -> String {
        match &self.database {
            Some(own) => own.url.clone(),
            None => format!("sqlite://{}", self.dir.path().join("data/qianfa.db").display()),
        }
    }

    /// The folder below which each institute has one for its instruments.
    pub fn instruments(&self) -> PathBuf {
        self.dir.path().join("instruments")
    }

    /// A configuration for tests: a free port, cheap passwords, and `more` as of the environment.
    pub fn config(&self, more: &[(&str, &str)]) -> Config {
        let url = self.url();
        // Where the institute's instruments put their files.
        let instruments = self.instruments();
        std::fs::create_dir_all(instruments.join(institute().code)).expect("a folder");
        let instruments = instruments.display().to_string();
        let base = [
            ("QIANFA_FOLDERS_INSTRUMENTS", instruments.as_str()),
            ("QIANFA_LISTEN", "127.0.0.1:0"),
            ("QIANFA_DATABASE_URL", url.as_str()),
            ("QIANFA_PASSWORD_MEMORY_KIB", "64"),
            ("QIANFA_PASSWORD_ITERATIONS", "1"),
            ("QIANFA_SHUTDOWN_SECONDS", "10"),
        ];
        let all = base.iter().chain(more).map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let mut config = Config::of_data(&self.dir.path().join("data"), all).expect("a configuration");
        // Files are read apart, as in the real program.
        let program = Program::new(env!("CARGO_BIN_EXE_qianfa")).arg("adapters").arg("worker");
        config.reading.program = Some(program);
        config
    }
}

/// A running server with its first institute and administrator.
pub struct TestApp {
    pub base: String,
    pub services: Services,
    pub clock: Clock,
    pub admin: Actor,
    pub institute: InstituteId,
    pub ground: Ground,
    stopper: Stopper,
    thread: Option<JoinHandle<()>>,
}

/// A server that runs on a thread of its own.
struct Started {
    services: Services,
    base: String,
    stopper: Stopper,
    thread: JoinHandle<()>,
}

impl Started {
    fn with(config: &Config, clock: &Clock) -> Self {
        let app = Application::build(config, clock.clone()).expect("a server");
        let (services, base, stopper) = (app.services().clone(), format!("http://{}", app.address()), app.stopper());
        let thread = std::thread::spawn(move || actix_web::rt::System::new().block_on(app.run()).expect("a clean end"));
        Self { services, base, stopper, thread }
    }
}

/// When the tests' clock begins.
pub fn beginning() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 2, 1, 0, 0).single().expect("an instant")
}

impl TestApp {
    pub fn start(on: On) -> Self {
        Self::start_with(on, &[])
    }

    /// A server on the ground of another one that was stopped, or on a copy of it.
    pub fn again(ground: Ground, before: &TestApp) -> Self {
        let clock = Clock::set_to(before.clock.now());
        let Started { services, base, stopper, thread } = Started::with(&ground.config(&[]), &clock);
        let (admin, institute) = (before.admin.clone(), before.institute.clone());
        Self { base, services, clock, admin, institute, ground, stopper, thread: Some(thread) }
    }

    /// Stops the server and starts another one in its place.
    pub fn restart(&mut self) {
        self.stop();
        let Started { services, base, stopper, thread } = Started::with(&self.ground.config(&[]), &self.clock);
        (self.services, self.base, self.stopper, self.thread) = (services, base, stopper, Some(thread));
    }

    pub fn start_with(on: On, more: &[(&str, &str)]) -> Self {
        let ground = Ground::new(on);
        let clock = Clock::set_to(beginning());
        let config = ground.config(more);
        // A certification authority for this test alone, so that certificates can be signed.
        std::fs::create_dir_all(config.site.keys()).expect("a folder");
        let authority = TestCa::create("示范药品检验所", &mut OsRng, beginning()).expect("an authority");
        authority.write(&config.site.keys()).expect("keys");
        let Started { services, base, stopper, thread } = Started::with(&config, &clock);
        let made = bootstrap(&services, institute(), admin()).expect("the first account");
        let admin = Actor {
            account: made.id,
            username: made.username,
            display_name: made.display_name,
            institute: made.institute.clone(),
            applicant: None,
            roles: made.roles,
            request_id: None,
            session: None,
        };
        let institute = made.institute.expect("an institute");
        Self { base, services, clock, admin, institute, ground, stopper, thread: Some(thread) }
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        self.clock.set(self.clock.now() + time);
    }

    /// A client that is not logged in.
    pub fn client(&self) -> Client {
        Client::new(&self.base)
    }

    /// An account of the institute with these roles.
    pub fn account(&self, username: &str, roles: &[Role]) -> AccountId {
        let new = CreateAccount {
            username: username.to_owned(),
            display_name: username.to_owned(),
            password: PASSWORD.to_owned().into(),
            institute: Some(self.institute.clone()),
            applicant: None,
            roles: roles.to_vec(),
        };
        let id = act(&self.services, &self.admin, new).expect("an account").id;
        if roles.contains(&Role::AuthorisedSignatory) {
            for business in Business::ALL {
                self.appoint(&id, *business, "2026-01-01", "2036-12-31");
            }
        }
        id
    }

    /// Appoints a signatory for a line of business.
    pub fn appoint(&self, id: &AccountId, business: Business, from: &str, to: &str) {
        let appointment = AppointSignatory {
            id: id.clone(),
            business,
            category: None,
            valid_from: from.into(),
            valid_to: Some(to.into()),
            document: "任命〔2026〕1号".into(),
        };
        act(&self.services, &self.admin, appointment).expect("an appointment");
    }

    /// Another institute with its first administrator, made as the installation makes them.
    pub fn second_institute(&self) -> Actor {
        let second = CreateInstitute {
            code: "HBIDC".into(),
            name_zh: "河北示范药品检验所".into(),
            name_en: "Hebei Demonstration Institute for Drug Control".into(),
            abbreviation: "冀".into(),
            jurisdiction: "CN-HE".into(),
            address_zh: "石家庄市".into(),
            address_en: "Shijiazhuang".into(),
            sample_prefix: "SXC".into(),
        };
        let id = act(&self.services, &self.admin, second).expect("an institute").id;
        let appointed = AppointAdministrator {
            id: id.clone(),
            username: "admin.hb".into(),
            display_name: "河北管理员".into(),
            password: PASSWORD.to_owned().into(),
        };
        let made = act(&self.services, &self.admin, appointed).expect("an administrator");
        Actor {
            account: made.id,
            username: made.username,
            display_name: made.display_name,
            institute: Some(id),
            applicant: None,
            roles: made.roles,
            request_id: None,
            session: None,
        }
    }

    /// A client logged in as that user, with a bearer token.
    pub fn logged_in(&self, username: &str) -> Client {
        let mut client = self.client();
        let session = client.post("/api/v1/session", &json!({"username": username, "password": PASSWORD}));
        assert_eq!(session.status, 200, "{}", session.text);
        client.bearer = Some(text(&session.json(), "access_token"));
        client
    }

    /// Tells the server to stop and waits until it has.
    pub fn stop(&mut self) {
        self.stopper.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("a clean end");
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stopper.stop();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the server did not end cleanly");
        }
    }
}

pub fn institute() -> CreateInstitute {
    CreateInstitute {
        code: "SXIDC".into(),
        name_zh: "山西示范药品检验所".into(),
        name_en: "Shanxi Demonstration Institute for Drug Control".into(),
        abbreviation: "晋".into(),
        jurisdiction: "CN-SX".into(),
        address_zh: "太原市".into(),
        address_en: "Taiyuan".into(),
        sample_prefix: "SX".into(),
    }
}

pub fn admin() -> FirstAdministrator {
    FirstAdministrator {
        username: "admin".into(),
        display_name: "管理员".into(),
        password: PASSWORD.to_owned().into(),
        origin: PasswordOrigin::Demonstration,
    }
}

/// A field of a JSON object, as text.
pub fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("{field} is no text in {value}")).to_owned()
}

/// Numbers without an order, the same at every run.
pub struct Dice(pub u64);

impl Dice {
    /// A number below the bound.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("a number") % bound
    }
}

/// Every file below a folder.
pub fn walked(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(here) = folders.pop() {
        for entry in std::fs::read_dir(&here).expect("a folder").flatten() {
            match entry.file_type().expect("a kind").is_dir() {
                true => folders.push(entry.path()),
                false => found.push(entry.path()),
            }
        }
    }
    found.sort();
    found
}

/// How many rounds a test makes that has no natural end: a few, or as many as the environment asks for. Its variables do not
/// begin as those of the program do, which refuses what it does not know.
pub fn rounds(variable: &str, few: usize) -> usize {
    match std::env::var(variable) {
        Ok(asked) => asked.parse().unwrap_or_else(|_| panic!("{variable}={asked}: a number was expected")),
        Err(_) => few,
    }
}
