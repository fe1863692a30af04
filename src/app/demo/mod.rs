//! The demonstration: a laboratory and three cases, through the same workflows as the API, on fixed dates in
//! 2026 so that every due date is final.

mod cases;
mod files;
mod laboratory;
mod tell;

use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeZone, Utc};
use chrono_tz::Asia::Shanghai;

use crate::action::Services;
use crate::clock::Clock;
use crate::store::{Failure, StoreError};

pub use files::DemoFiles;
pub use laboratory::{PASSWORD, is_set_up};

/// Why the demonstration cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A workflow refused or failed.
    #[error("{0}")]
    Workflow(#[from] Failure),
    /// A file cannot be read or written.
    #[error("{place}: {why}")]
    File {
        /// The file or folder.
        place: String,
        /// What the system says.
        why: String,
    },
    /// The folder of instrument files lacks one that the demonstration needs.
    #[error("{0}")]
    Missing(String),
    /// What is printed cannot be written.
    #[error("output: {0}")]
    Output(#[from] std::io::Error),
}

impl From<StoreError> for DemoError {
    fn from(error: StoreError) -> Self {
        Self::Workflow(error.into())
    }
}

/// Noon-ish in Shanghai on a day of 2026.
fn at(month: u32, day: u32, hour: u32) -> DateTime<Utc> {
    let local = Shanghai.with_ymd_and_hms(2026, month, day, hour, 0, 0).earliest();
    local.map(|time| time.to_utc()).unwrap_or_default()
}

/// Where the demonstration begins: before its first case.
#[must_use]
pub fn beginning() -> DateTime<Utc> {
    at(1, 5, 9)
}

/// Sets up the laboratory and takes the three cases through; tells every decision and the path of each PDF.
///
/// # Errors
/// [`DemoError`]; the first that occurs.
pub fn run(
    services: &Services,
    clock: &Clock,
    files: &DemoFiles,
    out: &mut dyn Write,
) -> Result<Vec<PathBuf>, DemoError> {
    let folder = services.site.data.join("certificates");
    std::fs::create_dir_all(&folder).map_err(|error| file_error(&folder, &error))?;
    let laboratory = laboratory::set_up(services, files)?;
    let mut story = cases::Story { services, clock, laboratory: &laboratory, files, folder: &folder, out };
    Ok(vec![story.registration()?, story.lot_release()?, story.port_entry()?])
}

fn file_error(place: &Path, error: &std::io::Error) -> DemoError {
    DemoError::File { place: place.display().to_string(), why: error.to_string() }
}
