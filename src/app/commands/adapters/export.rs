//! `qianfa adapters export FILE --format asm|csv`

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use instrument_adapters::Options;
use instrument_adapters::export::{self, CsvOptions, ExportedFile};
use instrument_adapters::fs::{self as files};
use instrument_adapters::isolated::Adapters;

use super::super::{CommandError, CommandOutcome};
use super::read_error;

/// What is written, and where.
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    file: PathBuf,
    /// Allotrope Simple Model JSON, or a table
    #[arg(long, value_enum)]
    format: Format,
    /// The file to write; standard output where absent
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
    /// Read with this adapter, if it recognises the file
    #[arg(long, value_name = "ID")]
    adapter: Option<String>,
    /// Leave out the points of curves and spectra
    #[arg(long)]
    no_curves: bool,
    /// A byte order mark before a table, for spreadsheets
    #[arg(long)]
    bom: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Asm,
    Csv,
}

/// Reads the file and writes it in the other format.
///
/// # Errors
/// A file that cannot be read or written, or that no adapter recognises.
pub fn run(adapters: &Adapters, args: &ExportArgs, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    let options = Options { curves: !args.no_curves, ..Options::default() };
    let parsed = adapters.parse_file(&args.file, args.adapter.as_deref(), &options).map_err(read_error)?;
    let made = match args.format {
        Format::Csv => export::csv(&parsed, &CsvOptions { bom: args.bom }),
        Format::Asm => {
            let product = adapters.set().list().into_iter().find(|one| one.id == parsed.adapter).map(|one| one.product);
            let file_name = files::file_name(&args.file);
            export::asm(&parsed, &ExportedFile { file_name, product: product.unwrap_or_default() })
        }
    };
    let bytes = made.map_err(|error| CommandError::at("export_failed", "export", error.to_string()))?;
    match &args.output {
        None => out.write_all(&bytes)?,
        Some(path) => std::fs::write(path, &bytes)
            .map_err(|error| CommandError::at("file_unwritable", "output", format!("{}: {error}", path.display())))?,
    }
    Ok(CommandOutcome::Success)
}
