//! A reading in the formats that others read: Allotrope Simple Model JSON and CSV.
//!
//! ```
//! use instrument_adapters::export::{self, CsvOptions, ExportedFile};
//! use instrument_adapters::{AdapterSet, Options};
//!
//! let file = b"Area  =1+1\n";
//! let set = AdapterSet::embedded();
//! if let Ok(parsed) = set.parse("run.txt", file, None, &Options::default()) {
//!     let json = export::asm(&parsed, &ExportedFile::default())?;
//!     let table = export::csv(&parsed, &CsvOptions::default())?;
//!     assert!(!json.is_empty() && !table.is_empty());
//! }
//! # Ok::<(), export::ExportError>(())
//! ```

mod asm;
mod cells;
mod names;
mod tree;

pub use asm::{ExportedFile, Technique, asm, asm_tree, technique};
pub use cells::{CsvOptions, csv, harmless};

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The table could not be written.
    #[error("CSV: {0}")]
    Csv(#[from] csv::Error),
    /// The document could not be written.
    #[error("JSON: {0}")]
    Json(#[from] serde_json::Error),
}
