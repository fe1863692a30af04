//! The whole program measured: `./bench.sh` runs this.
//!
//! It starts the release server on fresh databases, drives it over HTTP on loopback, and measures beside it, in turns
//! and in the same run, what the bare database driver makes of the same rows in as many durable transactions. What
//! counts is the ratio: machines differ, and are noisy.

mod audit;
mod drive;
mod floor;
mod http;
mod laboratory;
mod parts;
mod report;
mod server;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use qianfa::store::Backend;

use floor::{Floor, Rows};
use laboratory::{Installation, Laboratory};
use report::{DatabaseMeasure, Report};
use server::Server;

/// Measures the release build beside the floor and prints one table
#[derive(Parser)]
struct Options {
    /// Intakes over HTTP on each database, over all rounds
    #[arg(long, default_value_t = 3000, value_parser = clap::value_parser!(u32).range(30..=1_000_000))]
    requests: u32,
    /// Rounds: floor and server take turns
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Connections, of the server's clients and of the floor on PostgreSQL
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=80))]
    connections: u32,
    /// Certificates of each kind
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    certificates: u32,
    /// Measure intake only
    #[arg(long)]
    intake_only: bool,
    /// Measure on this database only
    #[arg(long, value_parser = ["sqlite", "postgresql"])]
    database: Option<String>,
    /// The program that serves; without it, the one beside this
    #[arg(long, value_name = "FILE")]
    server: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Time for the background to seal what a round left, so that it does not run beside the floor.
const SEALING: Duration = Duration::from_secs(4);

fn main() -> ExitCode {
    let options = Options::parse();
    match measure(&options) {
        Ok(report) if options.json => match serde_json::to_string_pretty(&report) {
            Ok(text) => {
                println!("{text}");
                ExitCode::SUCCESS
            }
            Err(error) => failed(&error.to_string()),
        },
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

fn failed(why: &str) -> ExitCode {
    eprintln!("workload: {why}");
    ExitCode::FAILURE
}

fn measure(options: &Options) -> Result<Report, String> {
    let folder = Folder::create()?;
    let mut report = Report {
        version: env!("CARGO_PKG_VERSION"),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        databases: Vec::new(),
        left_out: Vec::new(),
        certificates: Vec::new(),
        adapters: Vec::new(),
    };
    let wanted = |name: &str| options.database.as_ref().is_none_or(|only| only == name);
    if wanted("sqlite") {
        let folder = folder.0.join("sqlite");
        let url = |name: &str| Ok(laboratory::sqlite_url(&folder.join(name)));
        report.databases.push(on_database("SQLite", &folder, url, options)?);
    }
    if wanted("postgresql") {
        match std::env::var("QIANFA_TEST_POSTGRES") {
            Ok(cluster) if !cluster.is_empty() => {
                let url = |name: &str| postgres_database(&cluster, name);
                report.databases.push(on_database("PostgreSQL", &folder.0.join("postgresql"), url, options)?);
            }
            _ => report.left_out.push("PostgreSQL: no server at hand (QIANFA_TEST_POSTGRES)".into()),
        }
    }
    if !options.intake_only {
        report.certificates = parts::certificates(&folder.0, options.certificates as usize)?;
        report.adapters = parts::adapters()?;
    }
    Ok(report)
}

/// A folder that goes away with this value.
struct Folder(PathBuf);

impl Folder {
    fn create() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("qianfa-workload-{}", std::process::id()));
        std::fs::create_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The server's program.
fn program(options: &Options) -> Result<PathBuf, String> {
    if let Some(given) = &options.server {
        return Ok(given.clone());
    }
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let beside = own.with_file_name("qianfa").with_extension(std::env::consts::EXE_EXTENSION);
    match beside.is_file() {
        true => Ok(beside),
        false => Err(format!("there is no {}: build the workspace first", beside.display())),
    }
}

/// A fresh database of the cluster; one of that name from an earlier run is replaced.
fn postgres_database(cluster: &str, name: &str) -> Result<String, String> {
    let name = format!("qianfa_bench_{name}");
    let (server, _) = cluster.rsplit_once('/').ok_or("QIANFA_TEST_POSTGRES names no database")?;
    let mut conn = PgConnection::establish(cluster).map_err(|error| error.to_string())?;
    conn.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        .and_then(|()| conn.batch_execute(&format!("CREATE DATABASE {name}")))
        .map_err(|error| error.to_string())?;
    Ok(format!("{server}/{name}"))
}

/// Everything that is measured with a database, on two fresh ones: the server's and the floor's.
fn on_database(
    name: &'static str,
    folder: &Path,
    url: impl Fn(&str) -> Result<String, String>,
    options: &Options,
) -> Result<DatabaseMeasure, String> {
    let (connections, rounds) = (options.connections as usize, options.rounds as usize);
    let intakes = options.requests as usize / rounds;
    let (floor_url, server_url) = (url("floor")?, url("server")?);
    let bare = Installation::create(folder.join("floor"), &floor_url)?;
    let (rows, backend) = {
        let services = bare.open()?;
        let laboratory = Laboratory::create(&services)?;
        (Rows::of_an_intake(&services, &laboratory)?, Backend::parse(&floor_url).map_err(|error| error.to_string())?)
    };
    let mut floor = Floor::open(&backend, &rows, connections)?;

    let installation = Installation::create(folder.join("server"), &server_url)?;
    let program = program(options)?;
    let start = || Server::start(&program, &installation.config, &installation.log());
    let empty = start()?;
    let start_empty = empty.ready;
    empty.stop()?;
    let laboratory = Laboratory::create(&installation.open()?)?;
    let server = start()?;
    std::thread::sleep(Duration::from_secs(1));
    let at_rest = server.memory().map(|(now, _)| now);
    let token = drive::log_in(server.address, "receiver")?;

    let mut from = 1;
    let mut round = |intakes: usize| {
        let driven = drive::intakes(server.address, &token, &laboratory, from, intakes, connections);
        from += intakes;
        std::thread::sleep(SEALING);
        driven
    };
    floor.run(intakes / 10)?;
    round(intakes / 10)?;
    let (mut floor_took, mut took, mut latencies) = (Duration::ZERO, Duration::ZERO, Vec::new());
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        let bare = floor.run(intakes)?;
        let driven = round(intakes)?;
        ratios.push(bare.as_secs_f64() / driven.took.as_secs_f64());
        floor_took += bare;
        took += driven.took;
        latencies.extend(driven.latencies);
    }
    let token = drive::log_in(server.address, "analyst")?;
    let worksheet_200 = drive::worksheet(server.address, &token, 200)?;
    let worksheet_2000 = match rounds * intakes >= 2200 {
        true => Some(drive::worksheet(server.address, &token, 2000)?),
        false => None,
    };
    let under_load = server.memory().map(|(_, highest)| highest);
    server.stop()?;
    let audited = audit::verified(&installation.open()?)?;
    let again = start()?;
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let per_second = |took: Duration| (rounds * intakes) as f64 / took.as_secs_f64();
    let measure = DatabaseMeasure {
        database: name,
        intakes: rounds * intakes,
        connections,
        rows_of_one_intake: rows.counts(),
        per_second: per_second(took),
        floor_per_second: per_second(floor_took),
        ratio: floor_took.as_secs_f64() / took.as_secs_f64(),
        ratio_of_rounds: (
            ratios.iter().copied().fold(f64::INFINITY, f64::min),
            ratios.iter().copied().fold(0.0, f64::max),
        ),
        p50_ms: ms(drive::percentile(&mut latencies, 50)),
        p95_ms: ms(drive::percentile(&mut latencies, 95)),
        worksheet_200_ms: ms(worksheet_200),
        worksheet_2000_ms: worksheet_2000.map(ms),
        start_empty_ms: ms(start_empty),
        start_again_ms: ms(again.ready),
        first_page_ms: again.first_page.map(ms),
        memory_at_rest_mb: at_rest,
        memory_under_load_mb: under_load,
        audit_ms: ms(audited.took),
        audit_hashing_ms: ms(audited.hashing),
        audit_mb: audited.bytes as f64 / 1e6,
        audit_ratio: audited.hashing.as_secs_f64() / audited.took.as_secs_f64(),
    };
    again.stop()?;
    Ok(measure)
}
