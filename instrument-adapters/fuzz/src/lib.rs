//! What the targets share: a file is read by every embedded adapter of a reader, and what comes out is held against
//! what must always hold.

use std::sync::LazyLock;

use instrument_adapters::embedded::{ADAPTERS, AdapterFiles};
use instrument_adapters::{Adapter, AdapterSet, Companion, Options, Parsed};

static SET: LazyLock<AdapterSet> = LazyLock::new(AdapterSet::embedded);

/// Parts the bytes of a file from those of its companion.
pub const MARK: &[u8] = b"\n\xff--companion--\xff\n";

/// The embedded adapters that are built on a reader.
pub fn of_reader(reader: &str) -> impl Iterator<Item = &'static AdapterFiles> {
    let set = &*SET;
    ADAPTERS.iter().filter(move |files| set.get(files.id).is_some_and(|adapter| adapter.reader() == reader))
}

/// Reads bytes with every embedded adapter of a reader, under the names of its samples.
pub fn reader(reader: &str, data: &[u8]) {
    let place = data.windows(MARK.len()).position(|window| window == MARK);
    let (main, beside) = match place {
        Some(at) => (&data[..at], Some(&data[at + MARK.len()..])),
        None => (data, None),
    };
    for files in of_reader(reader) {
        let adapter = SET.get(files.id).expect("it is embedded");
        let mut tried: Vec<&str> = Vec::new();
        for sample in files.samples {
            let extension = sample.name.rsplit_once('.').map_or("", |(_, end)| end);
            let companions = adapter.companion_names(sample.name);
            // One name of each kind is enough.
            if tried.contains(&extension) && (beside.is_none() || companions.is_empty()) {
                continue;
            }
            tried.push(extension);
            let companions = companions.into_iter().zip(beside);
            let companions = companions.map(|(name, bytes)| Companion { name, bytes: bytes.to_vec() }).collect();
            let options = Options { companions, ..Options::default() };
            if let Ok(explained) = SET.explain(sample.name, main, Some(files.id), &options) {
                holds(&explained.parsed, main);
                let parsed = SET.parse(sample.name, main, Some(files.id), &options).expect("it was recognised");
                assert_eq!(parsed, explained.parsed, "what is explained is what is read");
            }
        }
    }
}

/// Asks every adapter whether bytes are its own, under any name.
pub fn detect(data: &[u8]) {
    for name in ["a.txt", "a.csv", "a.json", "a.xml", "a.xlsx", "a.xls", "a.cdf", "a.jdx", "a.TX0", "REPORT01.CSV"] {
        let detection = SET.detect(name, data);
        for candidate in &detection.candidates {
            let parsed = SET.parse(name, data, Some(&candidate.adapter), &Options::default());
            holds(&parsed.expect("it was recognised"), data);
        }
    }
}

/// Reads bytes as a declaration, and a few samples with it.
pub fn declaration(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(adapter) = Adapter::from_toml(text) else { return };
    let dir = std::env::temp_dir().join(format!("instrument-adapters-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a folder");
    for files in ADAPTERS.iter().take(3) {
        for sample in files.samples.iter().take(1) {
            let path = dir.join(sample.name);
            std::fs::write(&path, sample.bytes).expect("written");
            let _ = instrument_adapters::fs::explain_with(&adapter, &path, &Options::default());
        }
    }
}

/// What holds of every reading.
fn holds(parsed: &Parsed, bytes: &[u8]) {
    assert!(parsed.problems.len() <= 210);
    assert_eq!(parsed.file_sha256, instrument_adapters::sha256(bytes));
    for observation in &parsed.observations {
        for value in [&observation.value, &observation.bound, &observation.x].into_iter().flatten() {
            let digits = value.strip_prefix('-').unwrap_or(value);
            let plain = |c: char| c.is_ascii_digit() || c == '.';
            assert!(digits.starts_with(|c: char| c.is_ascii_digit()) && digits.chars().all(plain), "{value:?}");
            assert!(digits.matches('.').count() <= 1 && !digits.ends_with('.'), "{value:?}");
        }
    }
}
