//! The server: built whole or not at all, then run until it is asked to stop.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use instrument_adapters::AdapterSet;
use instrument_adapters::isolated::{Adapters, Pool};
use utoipa_swagger_ui::SwaggerUi;

use super::config::{Config, ConfigError, ReadingConfig};
use super::follow::Following;
use super::health::Readiness;
use super::modes::wider_than_the_owner;
use super::routes;
use super::signals::Signals;
pub use super::signals::Stopper;
use super::tls::Tls;
use crate::accounts::is_demonstration;
use crate::action::{Services, Site, Strangers, act_as_program};
use crate::api::openapi;
use crate::cases::RefreshClocks;
use crate::clock::Clock;
use crate::documents::Press;
use crate::documents::Typesetter;
use crate::http::{body, cookies, edge, problem};
use crate::jobs::{self, Jobs};
use crate::mapping::Mappings;
use crate::people::Identity;
use crate::record::{Actor, Author, Sealer, Sealing, record_settings, take_over};
use crate::refusal::{Code, Refusal};
use crate::regulation::{RegisterError, Regulation};
use crate::store::blobs::{BlobError, Blobs};
use crate::store::dialect::forget_idempotency_keys;
use crate::store::{Backend, DbConn, Outcome, StoreError, pending};

/// How many requests of one serving thread may wait for the database: more than any group commit takes along.
const BLOCKING_THREADS: usize = 64;
/// How often it is looked whether failed log-ins are due on the trail.
const SUMMING: Duration = Duration::from_secs(60);

/// Why the program cannot start: one plain line.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration.
    #[error("configuration: {0}")]
    Config(#[from] ConfigError),
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {why}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        why: String,
    },
    /// The database.
    #[error("{}", one_line(.0))]
    Database(#[from] StoreError),
    /// The provisions.
    #[error("{0}")]
    Regulation(#[from] RegisterError),
    /// The folder of files.
    #[error("{0}")]
    Files(#[from] BlobError),
    /// A key, or the parameters of passwords.
    #[error("{0}")]
    Keys(String),
    /// A demonstration that others could reach.
    #[error(
        "the database is a demonstration's, whose accounts have a password that everybody can read: it is served on \
         this machine alone (listen and public_url on a loopback address), not as {0}"
    )]
    Demonstration(String),
    /// A folder or thread that the system does not give.
    #[error("{0}")]
    System(String),
}

fn one_line(error: &StoreError) -> String {
    error.to_string().lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

/// The first comparison of everything with the trail comes when the start is over.
const FIRST_CHECK: Duration = Duration::from_secs(60);

/// Opens everything that workflows need.
///
/// # Errors
/// [`StartError`].
pub fn open_services(config: &Config, clock: Clock) -> Result<Services, StartError> {
    let mut site = config.site.clone();
    let made = |error: std::io::Error| StartError::System(format!("{}: {error}", config.site.data.display()));
    std::fs::create_dir_all(&site.data).map_err(made)?;
    if let Backend::Sqlite(path) = Backend::parse(&config.database.url)?
        && let Some(folder) = path.parent()
    {
        std::fs::create_dir_all(folder).map_err(made)?;
    }
    let db = DbConn::open(&config.database)?;
    take_over(&db, clock.now()).map_err(|error| StartError::System(error.to_string()))?;
    site.demonstration = is_demonstration(&db).map_err(|error| StartError::System(error.to_string()))?;
    let regulation = Regulation::load(config.regulation.as_deref())?;
    let files = Blobs::open(site.files())?;
    let identity =
        Identity::open(db.clone(), clock.clone(), &config.password, config.session.clone(), &config.session_key)
            .map_err(StartError::Keys)?;
    let (signing_key, roots) = super::keys::load(&site)?;
    let adapters = Arc::new(open_adapters(&config.reading, site.adapters.as_deref())?);
    let mappings = Mappings::open(site.mappings.clone(), adapters.clone()).map_err(|error| {
        StartError::Config(ConfigError { place: "folders.mappings".into(), message: error.to_string() })
    })?;
    let typesetter =
        Typesetter::new(site.templates.as_deref()).map_err(|error| StartError::System(error.to_string()))?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let sealer = Sealer::open(db.clone(), clock.clone(), site.keys(), files.clone()).map_err(StartError::Keys)?;
    Ok(Services {
        db,
        clock,
        regulation: Arc::new(regulation),
        lines: crate::lines::all(),
        files,
        adapters,
        strangers: Strangers::new(config.reading.program.clone()),
        mappings: Arc::new(mappings),
        typesetter,
        press: Arc::new(Press::new(cores)),
        signing_key: signing_key.map(Arc::new),
        roots: Arc::new(roots),
        numbers: config.numbers.clone(),
        identity: Arc::new(identity),
        sealer: Arc::new(sealer),
        site: Arc::new(site),
    })
}

/// The adapters that ship with those of the laboratory on top, whose samples are read where its files will be.
fn open_adapters(reading: &ReadingConfig, folder: Option<&Path>) -> Result<Adapters, StartError> {
    let embedded = AdapterSet::embedded();
    let adapters = match &reading.program {
        Some(program) => Adapters::apart(Pool::new(program.clone(), reading.limits, embedded)),
        None => {
            tracing::warn!("instrument files are read in this process: no program for them was named");
            Adapters::in_process(embedded)
        }
    };
    let Some(folder) = folder else { return Ok(adapters) };
    let adapters = adapters.with_folder(folder).map_err(|error| StartError::System(error.to_string()))?;
    crate::instruments::tell_loaded(adapters.set().loaded());
    Ok(adapters)
}

/// A demonstration is served on this machine alone.
fn refuse_strangers(site: &Site) -> Result<(), StartError> {
    if site.demonstration && !site.listen.ip().is_loopback() {
        return Err(StartError::Demonstration(site.listen.to_string()));
    }
    if site.demonstration && !edge::is_local_url(&site.public_url) {
        return Err(StartError::Demonstration(site.public_url.clone()));
    }
    Ok(())
}

/// What an operator should know before anything goes wrong.
fn warn(config: &Config) {
    if config.tls.is_none() && !config.listen.ip().is_loopback() {
        tracing::warn!(
            address = %config.listen,
            "plain http beyond this machine: whoever listens in on the network reads passwords and sessions; \
             configure [tls], or listen on a loopback address behind a proxy that speaks TLS"
        );
    }
    let Ok(backend) = Backend::parse(&config.database.url) else { return };
    for path in wider_than_the_owner(&config.site, &backend) {
        tracing::warn!(path = %path.display(), "others of this machine can reach it: chmod go-rwx takes that away");
    }
}

/// An idempotency key guards against a repeat of minutes or days, not for ever.
fn forget_old_keys(services: &Services) -> Result<(), StartError> {
    let before = (services.clock.now() - chrono::Duration::days(30)).into();
    let forgotten = services.db.write(move |conn| forget_idempotency_keys(conn, &before));
    forgotten.map(|_| ()).map_err(|error| StartError::System(error.to_string()))
}

/// A calendar that was published since makes due dates final. Calendars are read at the start, so this is when.
fn refresh_clocks(services: &Services) {
    let program = Actor {
        account: "".into(),
        username: "qianfa".into(),
        display_name: "qianfa".into(),
        institute: None,
        applicant: None,
        roles: Vec::new(),
        request_id: None,
        session: None,
    };
    match act_as_program(services, &program, Author::program(), RefreshClocks {}) {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "due dates were counted anew"),
        Err(error) => tracing::error!(%error, "due dates were not counted anew"),
    }
}

/// A server with everything open and its port taken.
pub struct Application {
    services: Services,
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Arc<Tls>>,
    workers: usize,
    shutdown: Duration,
    sealing: Sealing,
    checking: Sealing,
    showing: Option<Sealing>,
    following: Option<Following>,
    ways: jobs::ChannelSettings,
    stopper: Stopper,
}

impl Application {
    /// Opens everything; the port first, since that fails soonest.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn build(config: &Config, clock: Clock) -> Result<Self, StartError> {
        let taken = |error: std::io::Error| StartError::Listen { address: config.listen, why: error.to_string() };
        let listener = TcpListener::bind(config.listen).map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        let mut config = config.clone();
        config.listen_on(address);
        warn(&config);
        let services = open_services(&config, clock)?;
        refuse_strangers(&services.site)?;
        // A server whose trail waits for a decision starts all the same: it says so, and shows what there is.
        if services.db.held().is_none() {
            pending::settle(&services.db, &services.files).map_err(|error| StartError::System(error.to_string()))?;
            forget_old_keys(&services)?;
            record_settings(&services.db, services.clock.now(), &config.settings)
                .map_err(|error| StartError::System(error.to_string()))?;
            refresh_clocks(&services);
        }
        Self::with_services(services, &config, listener)
    }

    /// The same around services that are open already.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn with_services(services: Services, config: &Config, listener: TcpListener) -> Result<Self, StartError> {
        let system = |error: std::io::Error| StartError::System(error.to_string());
        let address = listener.local_addr().map_err(system)?;
        let sealing = services.sealer.in_background(config.seal_every).map_err(system)?;
        let checking = services.sealer.check_in_background(FIRST_CHECK, config.check_every).map_err(system)?;
        let anchors = config.anchors.clone();
        let showing = match anchors.authority.is_some() || anchors.syslog.is_some() {
            true => Some(services.sealer.show_in_background(anchors, config.show_every).map_err(system)?),
            false => None,
        };
        let tls = config.tls.clone().map(Tls::open).transpose().map_err(StartError::Keys)?;
        let following = Following::start(services.adapters.clone(), config.reading.follow).map_err(system)?;
        Ok(Self {
            services,
            listener,
            address,
            tls,
            workers: config.workers,
            shutdown: config.shutdown,
            sealing,
            checking,
            showing,
            following,
            ways: config.ways.clone(),
            stopper: Stopper::default(),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it answers.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.address)
    }

    /// What its handlers work with.
    #[must_use]
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// Stops it from outside.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Serves until asked to stop by [`Stopper`], SIGTERM or SIGINT, then finishes what was begun.
    ///
    /// # Errors
    /// What the system says of the listening socket.
    pub async fn run(self) -> std::io::Result<()> {
        let signals = Signals::register()?;
        self.run_with(signals).await
    }

    /// The same, with signals that are listened for already: one that came before the server was ready counts too.
    ///
    /// # Errors
    /// As [`Application::run`].
    pub async fn run_with(self, signals: Signals) -> std::io::Result<()> {
        let table = routes::table();
        let document = openapi::document(&table);
        let jobs = Jobs::start(&self.services, &self.ways)?;
        let services_of_people = self.services.clone();
        let services = Data::new(self.services);
        let readiness = Data::new(Readiness::default());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(services.clone())
                .app_data(readiness.clone())
                .app_data(body::query_config())
                .app_data(body::path_config())
                .wrap(from_fn(cookies::csrf))
                .wrap(from_fn(crate::web::pages))
                .wrap(from_fn(edge::edge))
                .configure(|config| table.configure(config))
                .service(web::redirect("/api/docs", "/api/docs/"))
                .service(SwaggerUi::new("/api/docs/{_:.*}").url("/api/openapi.json", document.clone()))
                .default_service(web::to(nothing_here))
        })
        .workers(self.workers)
        .worker_max_blocking_threads(BLOCKING_THREADS)
        .shutdown_timeout(self.shutdown.as_secs())
        .disable_signals();
        let server = match &self.tls {
            Some(tls) => server.listen_rustls_0_23(self.listener, tls.server().map_err(std::io::Error::other)?)?,
            None => server.listen(self.listener)?,
        };
        let server = server.run();
        let handle = server.handle();
        let (stopper, tls) = (self.stopper, self.tls);
        let waiting = tokio::spawn(async move {
            signals.told_to_stop(&stopper, tls.as_deref()).await;
            tracing::info!("stopping: requests under way are finished");
            handle.stop(true).await;
        });
        let identity = services_of_people.identity.clone();
        let summing = tokio::spawn(async move {
            loop {
                tokio::time::sleep(SUMMING).await;
                let (identity, age) = (identity.clone(), identity.rules().summed_up);
                record_failures(move || identity.record_failures(age)).await;
            }
        });
        tracing::info!(address = %self.address, "serving");
        let ended = server.await;
        waiting.abort();
        summing.abort();
        record_failures(move || services_of_people.identity.record_failures(chrono::Duration::zero())).await;
        // Seals what is left; joins threads, which may take a moment.
        let (background, patience) = ((self.sealing, self.checking, self.showing, self.following), self.shutdown);
        let _ = web::block(move || {
            // What the ways in have begun is finished first, so that it is sealed too.
            jobs.stop(patience);
            drop(background);
        })
        .await;
        tracing::info!("stopped");
        ended
    }
}

/// Writes the failed log-ins of strangers that are due to the trail.
async fn record_failures(write: impl FnOnce() -> Outcome<()> + Send + 'static) {
    match web::block(write).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "failed log-ins were not put on the trail"),
        Err(error) => tracing::error!(%error, "failed log-ins were not put on the trail"),
    }
}

async fn nothing_here(req: HttpRequest) -> HttpResponse {
    let path = req.path();
    problem::respond(&Refusal::new(Code::NotFound, format!("没有 {path}"), format!("there is no {path}")))
}
