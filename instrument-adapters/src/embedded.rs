//! The adapters and samples that come with the crate, compiled in.

use crate::selftest::Case;

/// A file under an adapter's folder.
#[derive(Debug, Clone, Copy)]
pub struct SampleFile {
    /// File name without folder.
    pub name: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
}

/// An embedded adapter with its proofs.
#[derive(Debug, Clone, Copy)]
pub struct AdapterFiles {
    /// Folder name, which is the adapter's id.
    pub id: &'static str,
    /// `adapter.toml`.
    pub declaration: &'static str,
    /// `samples/`.
    pub samples: &'static [SampleFile],
    /// `expected/`, named as the samples are.
    pub expected: &'static [SampleFile],
    /// `rejects/`.
    pub rejects: &'static [SampleFile],
}

impl AdapterFiles {
    pub(crate) fn cases(&self) -> Vec<Case> {
        let case = |file: &SampleFile, reject: bool| Case {
            name: file.name.to_owned(),
            bytes: file.bytes.to_vec(),
            expected: self
                .expected
                .iter()
                .find(|e| !reject && e.name == file.name)
                .map(|e| String::from_utf8_lossy(e.bytes).into_owned()),
            reject,
        };
        let samples = self.samples.iter().map(|f| case(f, false));
        let rejects = self.rejects.iter().map(|f| case(f, true));
        samples.chain(rejects).collect()
    }
}

pub(crate) fn declarations() -> impl Iterator<Item = &'static str> {
    ADAPTERS.iter().map(|a| a.declaration)
}

/// The bytes of an embedded sample, such as the demonstration's instrument files.
///
/// ```
/// let bytes = instrument_adapters::embedded::sample("sartorius-sbi", "SH20260002_LOD.txt");
/// assert!(bytes.is_some());
/// ```
pub fn sample(adapter: &str, name: &str) -> Option<&'static [u8]> {
    let adapter = ADAPTERS.iter().find(|a| a.id == adapter)?;
    let file = adapter.samples.iter().find(|f| f.name == name)?;
    Some(file.bytes)
}

macro_rules! adapter {
    ($id:literal, samples: [$($sample:literal),* $(,)?], rejects: [$($reject:literal),* $(,)?]) => {
        AdapterFiles {
            id: $id,
            declaration: include_str!(concat!("../adapters/", $id, "/adapter.toml")),
            samples: &[$(SampleFile {
                name: $sample,
                bytes: include_bytes!(concat!("../adapters/", $id, "/samples/", $sample)),
            }),*],
            expected: &[$(SampleFile {
                name: $sample,
                bytes: include_bytes!(concat!("../adapters/", $id, "/expected/", $sample, ".json")),
            }),*],
            rejects: &[$(SampleFile {
                name: $reject,
                bytes: include_bytes!(concat!("../adapters/", $id, "/rejects/", $reject)),
            }),*],
        }
    };
}

/// Every embedded adapter. A test compares the list with the folders.
pub const ADAPTERS: &[AdapterFiles] = &[
    adapter!(
        "agilent-chemstation-csv",
        samples: ["SX20260001_REPORT00.CSV", "SX20260001_REPORT01.CSV"],
        rejects: ["alone_REPORT01.CSV", "cut_REPORT00.CSV", "cut_REPORT01.CSV"]
    ),
    adapter!(
        "agilent-chemstation-report",
        samples: ["SX20260001_assay_Report.TXT", "SX20260001_related_Report.TXT", "fame_istd_Report.TXT"],
        rejects: ["cut_in_table_Report.TXT", "no_end_mark_Report.TXT", "not_a_report.TXT", "overflow_Report.TXT", "page_missing_Report.TXT", "totals_differ_Report.TXT"]
    ),
    adapter!(
        "moldev-softmax-pro",
        samples: ["SH20260001_HA_potency.txt", "kinetic_time_format.txt"],
        rejects: ["block_missing.txt", "cut_in_group.txt", "no_last_line.txt", "row_missing.txt", "wells_differ.txt"]
    ),
    adapter!(
        "perkinelmer-totalchrom",
        samples: ["SH20260002_solvents.TX0", "blank_comma.TX0"],
        rejects: ["cell_lost.TX0", "cut_in_table.TX0", "cut_last_line.TX0", "totals_differ.TX0"]
    ),
    adapter!(
        "sartorius-sbi",
        samples: ["SH20260002_LOD.txt", "plain_16.txt", "with_id_22.txt"],
        rejects: ["frame_cut.txt", "frame_open.txt", "line_cut.txt", "prose.txt"]
    ),
    adapter!(
        "thermo-chromeleon-json",
        samples: ["SX20260001_sequence.json"],
        rejects: ["curve_lengths.json", "cut.json", "other.json"]
    ),
    adapter!(
        "thermo-nanodrop",
        samples: ["nanodrop_8000_comma.txt", "nanodrop_8000_mrna.txt", "nanodrop_eight_rna.txt", "nanodrop_one_dna.csv"],
        rejects: ["cut_row.txt", "other_table.csv", "word_for_number.csv"]
    ),
];
