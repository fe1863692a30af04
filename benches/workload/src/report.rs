//! The table, in Markdown and as JSON.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use crate::parts::{AdapterMeasure, CertificateMeasure};

/// Intake and the server's own measures on one database.
#[derive(Serialize)]
pub struct DatabaseMeasure {
    pub database: &'static str,
    pub intakes: usize,
    pub connections: usize,
    pub rows_of_one_intake: String,
    pub per_second: f64,
    pub floor_per_second: f64,
    /// Intakes a second by the floor's, each over all rounds.
    pub ratio: f64,
    /// The lowest and the highest ratio of one round.
    pub ratio_of_rounds: (f64, f64),
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub worksheet_200_ms: f64,
    pub worksheet_2000_ms: Option<f64>,
    pub start_empty_ms: f64,
    pub start_again_ms: f64,
    pub first_page_ms: Option<f64>,
    pub memory_at_rest_mb: Option<f64>,
    pub memory_under_load_mb: Option<f64>,
    /// Comparing everything with the trail.
    pub audit_ms: f64,
    /// One SHA-256 over the same bytes.
    pub audit_hashing_ms: f64,
    pub audit_mb: f64,
    pub audit_ratio: f64,
}

/// All that was measured.
#[derive(Serialize)]
pub struct Report {
    pub version: &'static str,
    pub cores: usize,
    pub databases: Vec<DatabaseMeasure>,
    pub left_out: Vec<String>,
    pub certificates: Vec<CertificateMeasure>,
    pub adapters: Vec<AdapterMeasure>,
}

fn or_dash(value: Option<f64>, places: usize) -> String {
    value.map_or_else(|| "—".to_owned(), |value| format!("{value:.places$}"))
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "qianfa {}, {} cores\n", self.version, self.cores)?;
        writeln!(f, "| what | measured | beside it | ratio | target |")?;
        writeln!(f, "|---|---:|---:|---:|---|")?;
        for measure in &self.databases {
            self.database(f, measure)?;
        }
        for left_out in &self.left_out {
            writeln!(f, "| {left_out} | — | — | — | |")?;
        }
        for one in &self.certificates {
            let cpu = or_dash(one.cpu_ms, 1);
            writeln!(
                f,
                "| certificate `{}`, {} kB, typeset and signed | {cpu} ms CPU | {:.0}/s | | ≤ 30 ms CPU |",
                one.kind,
                one.bytes / 1000,
                one.per_second
            )?;
        }
        for one in &self.adapters {
            let what = format!("instrument file `{}` {}", one.adapter, one.file);
            writeln!(
                f,
                "| {what}, {:.1} kB, {} values | {:.3} ms | | | < 5 ms small, < 100 ms largest |",
                one.bytes as f64 / 1e3,
                one.values,
                one.ms
            )?;
        }
        Ok(())
    }
}

impl Report {
    fn database(&self, f: &mut Formatter<'_>, m: &DatabaseMeasure) -> fmt::Result {
        let name = m.database;
        let (low, high) = m.ratio_of_rounds;
        writeln!(
            f,
            "| {name}: intake over HTTP, {} connections, {} intakes | {:.0}/s | floor {:.0}/s | {:.2} ({low:.2}–{high:.2}) | ≥ 0.4 |",
            m.connections, m.intakes, m.per_second, m.floor_per_second, m.ratio
        )?;
        writeln!(
            f,
            "| {name}: its latency, median and 95th percentile | {:.1} ms | {:.1} ms | | |",
            m.p50_ms, m.p95_ms
        )?;
        writeln!(
            f,
            "| {name}: 200 results in one worksheet (beside it 2,000) | {:.0} ms | {} ms | | < 300 ms, linear |",
            m.worksheet_200_ms,
            or_dash(m.worksheet_2000_ms, 0)
        )?;
        writeln!(
            f,
            "| {name}: start to ready, empty (beside it: with its data) | {:.0} ms | {:.0} ms | | < 1 s |",
            m.start_empty_ms, m.start_again_ms
        )?;
        writeln!(f, "| {name}: start to first page | {} ms | | | < 1 s |", or_dash(m.first_page_ms, 0))?;
        writeln!(
            f,
            "| {name}: memory at rest (beside it: highest under this load) | {} MB | {} MB | | < 150 MB, < 400 MB |",
            or_dash(m.memory_at_rest_mb, 0),
            or_dash(m.memory_under_load_mb, 0)
        )?;
        writeln!(
            f,
            "| {name}: `audit verify` of {:.1} MB (beside it: SHA-256 over the same bytes) | {:.0} ms | {:.0} ms | {:.2} | ≥ 0.5 |",
            m.audit_mb, m.audit_ms, m.audit_hashing_ms, m.audit_ratio
        )
    }
}
