//! The table of formats in the docs: what is read, how much of it, and how long it takes.
//!
//! `UPDATE_DOCS=1 cargo test --release -p instrument-adapters --test corpus the_table` writes it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use instrument_adapters::{AdapterSet, Options, embedded, fs};

use super::formats::FORMATS;
use super::support::{corpus, data_files, truth};

#[derive(Default)]
struct Row {
    samples: usize,
    real: usize,
    observations: usize,
    truths: usize,
    values: usize,
    slowest: Duration,
}

/// Median of five readings.
fn time(read: impl Fn()) -> Duration {
    let mut times: Vec<Duration> = (0..5)
        .map(|_| {
            let before = Instant::now();
            read();
            before.elapsed()
        })
        .collect();
    times.sort();
    times[2]
}

fn rows(set: &AdapterSet, corpus: &Path) -> BTreeMap<String, Row> {
    let mut rows: BTreeMap<String, Row> = set.iter().map(|a| (a.id().to_owned(), Row::default())).collect();
    for adapter in embedded::ADAPTERS {
        rows.entry(adapter.id.to_owned()).or_default().samples = adapter.samples.len();
    }
    let options = Options::default();
    for (folder, check) in FORMATS {
        for path in data_files(&corpus.join(folder)) {
            let Ok(read) = fs::parse_file(set, &path, None, &options) else { continue };
            let row = rows.entry(read.adapter.clone()).or_default();
            row.real += 1;
            row.observations += read.observations.len();
            if let Some(truth) = truth(&path) {
                row.truths += 1;
                row.values += check(&read, &truth);
            }
            row.slowest = row.slowest.max(time(|| drop(fs::parse_file(set, &path, None, &options))));
        }
    }
    rows
}

fn write(set: &AdapterSet, rows: &BTreeMap<String, Row>) -> String {
    let mut text = String::from(
        "# Instrument formats\n\nMade by `UPDATE_DOCS=1 cargo test --release -p instrument-adapters --test corpus \
         the_table` with the folder of real\nfiles at hand. *Samples* are ours, by hand in the vendor's layout, and \
         ship with the crate; *real files* come from public\nrepositories and do not. A *truth* lists what a file \
         says; *values* is how many were compared. *Time* is the slowest real\nfile of the adapter, recognised and \
         read in-process, median of five.\n\n| adapter | instrument or software | reader | samples | real files | \
         observations | truths met | values | time |\n|---|---|---|---:|---:|---:|---:|---:|---:|\n",
    );
    for adapter in set.iter() {
        let Some(row) = rows.get(adapter.id()) else { continue };
        let number = |n: usize| if row.real == 0 { String::new() } else { n.to_string() };
        let time = if row.real == 0 { String::new() } else { format!("{:.2} ms", row.slowest.as_secs_f64() * 1000.0) };
        let _ = writeln!(
            text,
            "| `{}` | {} | `{}` | {} | {} | {} | {} | {} | {time} |",
            adapter.id(),
            adapter.product(),
            adapter.reader(),
            row.samples,
            number(row.real),
            number(row.observations),
            number(row.truths),
            number(row.values),
        );
    }
    let sum = |count: fn(&Row) -> usize| rows.values().map(count).sum::<usize>();
    let _ = writeln!(
        text,
        "\n{} adapters, {} samples; {} real files, {} observations, {} truths met in {} values.",
        rows.len(),
        sum(|r| r.samples),
        sum(|r| r.real),
        sum(|r| r.observations),
        sum(|r| r.truths),
        sum(|r| r.values),
    );
    text
}

/// The table in the docs names every adapter; with the real files at hand its counts are the present ones.
#[test]
fn the_table_names_every_adapter() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/instrument-formats.md");
    let set = AdapterSet::embedded();
    if std::env::var_os("UPDATE_DOCS").is_some()
        && let Some(corpus) = corpus()
    {
        std::fs::write(&file, write(&set, &rows(&set, &corpus))).unwrap();
    }
    let text = std::fs::read_to_string(&file).unwrap();
    for adapter in set.iter() {
        assert!(text.contains(&format!("| `{}` |", adapter.id())), "{} is not in the table", adapter.id());
    }
}
