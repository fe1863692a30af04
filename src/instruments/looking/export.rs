//! A file as Allotrope Simple Model or CSV, from the file itself, read with its curves.

use instrument_adapters::export::{self, CsvOptions, ExportedFile};

use super::figures::whole;
use crate::action::Services;
use crate::instruments::reception::file_of;
use crate::instruments::refusals::InstrumentRefusal;
use crate::store::Outcome;
use crate::store::columns::InstrumentFileId;
use crate::store::views::Reader;

/// An export as it is sent.
#[derive(Clone, Debug)]
pub struct Export {
    /// The file's name with the format's ending.
    pub name: String,
    /// Its media type.
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
}

/// Writes a file of the reader's institute in another format: `asm` or `csv` (with a byte order mark, so that
/// spreadsheets read Chinese).
///
/// # Errors
/// Where there is no such file or format, or no adapter reads the file.
pub fn export(services: &Services, reader: &Reader, id: &InstrumentFileId, format: &str) -> Outcome<Export> {
    if !matches!(format, "asm" | "csv") {
        return Err(InstrumentRefusal::FormatUnknown.into());
    }
    let file = services.db.read(|conn| file_of(conn, reader.staff()?, id))?;
    let parsed = whole(services, &file)?;
    let failed = |error: export::ExportError| InstrumentRefusal::NotExported(error.to_string());
    if format == "csv" {
        let bytes = export::csv(&parsed, &CsvOptions { bom: true }).map_err(failed)?;
        return Ok(Export { name: format!("{}.csv", file.name), content_type: "text/csv; charset=utf-8", bytes });
    }
    let product =
        services.adapters.set().list().into_iter().find(|one| one.id == parsed.adapter).map(|one| one.product);
    let described = ExportedFile { file_name: file.name.clone(), product: product.unwrap_or_default() };
    let bytes = export::asm(&parsed, &described).map_err(failed)?;
    Ok(Export { name: format!("{}.asm.json", file.name), content_type: "application/json", bytes })
}
