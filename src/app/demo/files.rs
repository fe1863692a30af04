//! The instrument files of the demonstration: the adapters' own samples, or real ones from a folder.
//!
//! Of a real file nobody knows beforehand what is in it, so the demonstration's test items are mapped to what
//! the file has: the largest peak, the first result, the first weight.

use std::path::{Path, PathBuf};

use instrument_adapters::isolated::Adapters;
use instrument_adapters::{Options, Parsed};
use rust_decimal::Decimal;

use super::{DemoError, file_error};
use crate::calculation::inputs::InputSource;

/// One file.
#[derive(Clone, Debug)]
pub struct DemoFile {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// The files of the three cases.
#[derive(Clone, Debug)]
pub enum DemoFiles {
    /// The adapters' own samples, whose sample names are our numbers
    Own { assay: DemoFile, related: DemoFile, plate: DemoFile, gas: DemoFile, balance: DemoFile },
    /// Real files, with what was picked from each
    Real { liquid: Picked, plate: Picked, gas: Picked, balance: Picked },
}

/// A real file with the value that the demonstration takes from it.
#[derive(Clone, Debug)]
pub struct Picked {
    pub file: DemoFile,
    /// The sample's name in the file
    pub sample_text: Option<String>,
    pub unit: String,
    pub source: Box<InputSource>,
}

impl DemoFiles {
    /// The samples that ship with the adapters.
    ///
    /// # Errors
    /// Where one is missing, which a test excludes.
    pub fn own() -> Result<Self, DemoError> {
        Ok(Self::Own {
            assay: sample("agilent-chemstation-report", "SX20260001_assay_Report.TXT")?,
            related: sample("agilent-chemstation-report", "SX20260001_related_Report.TXT")?,
            plate: sample("moldev-softmax-pro", "SH20260001_HA_potency.txt")?,
            gas: sample("perkinelmer-totalchrom", "SH20260002_solvents.TX0")?,
            balance: sample("sartorius-sbi", "SH20260002_LOD.txt")?,
        })
    }

    /// Real files from a folder: of each kind the first, by path, that is whole and has a usable value.
    ///
    /// # Errors
    /// Where the folder cannot be read or lacks a kind.
    pub fn real(folder: &Path, adapters: &Adapters) -> Result<Self, DemoError> {
        let mut paths = Vec::new();
        walk(folder, 0, &mut paths)?;
        paths.sort();
        let read: Vec<(DemoFile, Parsed)> = paths.iter().filter_map(|path| read(path, adapters)).collect();
        let find = |kinds: &[&str], quantities: &[&str], largest: bool, what: &str| {
            let whole = |parsed: &Parsed| kinds.contains(&parsed.adapter.as_str()) && parsed.complete != Some(false);
            read.iter()
                .filter(|(_, parsed)| whole(parsed))
                .find_map(|(file, parsed)| pick(file, parsed, quantities, largest))
                .ok_or_else(|| DemoError::Missing(format!("{}: no usable {what} among the files", folder.display())))
        };
        let liquid = ["agilent-chemstation-report", "thermo-chromeleon-json"];
        let shares = ["area_percent", "relative_area", "area"];
        Ok(Self::Real {
            liquid: find(&liquid, &shares, true, "chromatography report (ChemStation, Chromeleon)")?,
            plate: find(
                &["moldev-softmax-pro"],
                &["mean_concentration", "concentration", "absorbance"],
                false,
                "SoftMax Pro export",
            )?,
            gas: find(&["perkinelmer-totalchrom"], &["amount", "area_percent"], true, "TotalChrom report")?,
            balance: find(&["sartorius-sbi"], &["net_weight", "weight"], false, "balance printout (SBI)")?,
        })
    }
}

fn sample(adapter: &str, name: &str) -> Result<DemoFile, DemoError> {
    let bytes = instrument_adapters::embedded::sample(adapter, name)
        .ok_or_else(|| DemoError::Missing(format!("{adapter}: no sample {name}")))?;
    Ok(DemoFile { name: name.to_owned(), bytes: bytes.to_vec() })
}

/// The files below a folder, not too deep: a link that leads in a circle must not keep us.
fn walk(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> Result<(), DemoError> {
    const DEEPEST: usize = 6;
    for entry in std::fs::read_dir(folder).map_err(|error| file_error(folder, &error))? {
        let path = entry.map_err(|error| file_error(folder, &error))?.path();
        if path.is_dir() && depth < DEEPEST {
            walk(&path, depth + 1, paths)?;
        } else if path.is_file() {
            paths.push(path);
        }
    }
    Ok(())
}

fn read(path: &Path, adapters: &Adapters) -> Option<(DemoFile, Parsed)> {
    const LARGEST: u64 = 32 * 1024 * 1024;
    let small = std::fs::metadata(path).is_ok_and(|meta| meta.len() <= LARGEST);
    let bytes = small.then(|| std::fs::read(path).ok()).flatten()?;
    let name = path.file_name()?.to_str()?.to_owned();
    let parsed = adapters.parse(&name, &bytes, None, &Options::default()).ok()?;
    Some((DemoFile { name, bytes }, parsed))
}

/// The largest or the first positive value of the first quantity that the file has.
fn pick(file: &DemoFile, parsed: &Parsed, quantities: &[&str], largest: bool) -> Option<Picked> {
    for quantity in quantities {
        let usable = |seen: &&instrument_adapters::Observation| {
            seen.quantity == *quantity && seen.status == instrument_adapters::Status::Ok
        };
        let value =
            |seen: &instrument_adapters::Observation| -> Option<Decimal> { seen.value.as_deref()?.parse().ok() };
        let positive = parsed.observations.iter().filter(usable).filter(|seen| value(seen) > Some(Decimal::ZERO));
        let chosen = if largest { positive.max_by_key(|seen| value(seen)) } else { { positive }.next() };
        let Some(chosen) = chosen else { continue };
        let alike =
            parsed.observations.iter().filter(|seen| seen.sample == chosen.sample && seen.quantity == *quantity);
        let before = alike.take_while(|seen| !std::ptr::eq(*seen, chosen)).count();
        return Some(Picked {
            file: file.clone(),
            sample_text: chosen.sample.clone(),
            unit: chosen.unit.clone().unwrap_or_default(),
            source: Box::new(InputSource {
                quantity: (*quantity).to_owned(),
                nth: i64::try_from(before).ok().map(|count| count + 1),
                ..InputSource::default()
            }),
        });
    }
    None
}
