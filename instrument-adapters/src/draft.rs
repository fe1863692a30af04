//! A first declaration for a table that nobody has described yet.
//!
//! It reads the obvious table: the first line of headings that is followed by rows of the same
//! width with numbers in them. What each column means is left to the person who writes the adapter.

use std::cmp::Reverse;

use crate::containers::workbook::Workbook;
use crate::model::Options;
use crate::readers::delimited::{split, squeeze};
use crate::sink::slug;
use crate::spec::Limits;
use crate::text::{self, Line};
use crate::{Adapter, Parsed, numbers};

/// As much of a sheet is looked at for a draft.
const ROWS: usize = 500;
const COLUMNS: usize = 200;

/// Encodings that are tried for a draft, in this order.
const ENCODINGS: [&str; 3] = ["utf-16", "utf-8", "windows-1252"];

/// Why there is no draft.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// The text could not be decoded.
    #[error("the file is no text in UTF-16 with a mark, UTF-8 or Windows-1252")]
    NoText,
    /// A workbook that cannot be opened.
    #[error("the workbook cannot be read: {0}")]
    NoWorkbook(String),
    /// No table stands out.
    #[error("no line of headings is followed by rows of the same width with numbers in them")]
    NoTable,
    /// The draft that was made could not be used; a fault of this crate.
    #[error("the draft cannot be used: {0}")]
    Unusable(String),
}

/// A draft, and what it makes of the file.
#[derive(Debug, Clone)]
pub struct AdapterDraft {
    /// Text of the `adapter.toml`.
    pub declaration: String,
    /// The file as the draft reads it: to be checked by eye, then kept under `expected/`.
    pub parsed: Parsed,
}

struct Table {
    delimiter: char,
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Of a workbook.
    sheet: Option<String>,
}

/// Writes a draft adapter `id` that reads the obvious table of a delimited text or a workbook.
///
/// # Errors
/// [`DraftError`] where the file is neither text nor workbook, or has no such table.
pub fn declaration(id: &str, name: &str, bytes: &[u8]) -> Result<AdapterDraft, DraftError> {
    let (encoding, table) = if bytes.starts_with(b"PK\x03\x04") { ("", in_workbook(bytes)?) } else { in_text(bytes)? };
    let declaration = write(id, name, encoding, &table);
    let adapter = Adapter::from_toml(&declaration).map_err(|e| DraftError::Unusable(e.to_string()))?;
    adapter.recognises(name, bytes).map_err(DraftError::Unusable)?;
    let parsed = adapter.read(name, bytes, &Options::default());
    Ok(AdapterDraft { declaration, parsed })
}

fn in_text(bytes: &[u8]) -> Result<(&'static str, Table), DraftError> {
    let labels: Vec<String> = ENCODINGS.iter().map(|e| (*e).to_owned()).collect();
    let text = text::decode(bytes, &labels).ok_or(DraftError::NoText)?;
    if text.broken_line.is_some() {
        return Err(DraftError::NoText);
    }
    let table = ['\t', ';', ',', '|']
        .into_iter()
        .filter_map(|delimiter| {
            let cells = |l: &Line| split(&l.text, delimiter, true).into_iter().map(|c| c.raw).collect();
            table(&text.lines.iter().map(cells).collect::<Vec<_>>(), delimiter, None)
        })
        // A row with decimal commas falls apart into as many cells as its headings; numbers are not headings.
        .max_by_key(|t| (t.headings.len(), Reverse(t.headings.iter().filter(|h| number(h).is_some()).count())))
        .ok_or(DraftError::NoTable)?;
    Ok((text.encoding, table))
}

/// The first sheet with an obvious table.
fn in_workbook(bytes: &[u8]) -> Result<Table, DraftError> {
    let mut book = Workbook::open(bytes, &Limits::default()).map_err(DraftError::NoWorkbook)?;
    for index in 0..book.sheets().len() {
        let sheet = book.sheet(index).map_err(DraftError::NoWorkbook)?;
        let mut rows: Vec<Vec<String>> = Vec::new();
        for row in &sheet.rows {
            // A blank row ends a table; far cells belong to none.
            while rows.len() + 1 < row.number as usize && rows.len() < ROWS {
                rows.push(Vec::new());
            }
            let mut cells = vec![String::new(); row.cells.last().map_or(0, |c| c.column as usize).min(COLUMNS)];
            for cell in row.cells.iter().filter(|c| !c.spread) {
                if let Some(place) = cells.get_mut((cell.column as usize).saturating_sub(1)) {
                    place.clone_from(&cell.text);
                }
            }
            rows.push(cells);
            if rows.len() > ROWS {
                break;
            }
        }
        if let Some(found) = table(&rows, '\t', Some(&sheet.name.name)) {
            return Ok(found);
        }
    }
    Err(DraftError::NoTable)
}

fn table(lines: &[Vec<String>], delimiter: char, sheet: Option<&str>) -> Option<Table> {
    lines.iter().enumerate().find_map(|(index, line)| {
        let headings: Vec<String> = line.iter().map(|c| squeeze(c)).collect();
        let named = headings.iter().filter(|h| !h.is_empty()).count();
        let words = headings.iter().filter(|h| number(h).is_none()).count();
        if named < 2 || words * 2 < headings.len() {
            return None;
        }
        // Rows of a workbook end with their last cell that has something in it.
        let width = if sheet.is_some() { 1 } else { headings.len() };
        let rows: Vec<Vec<String>> = lines
            .get(index + 1..)
            .unwrap_or_default()
            .iter()
            .take_while(|l| l.len() >= width)
            .take(ROWS)
            .cloned()
            .collect();
        let has_number = rows.first().is_some_and(|l| l.iter().any(|c| number(c).is_some()));
        has_number.then(|| Table { delimiter, headings, rows, sheet: sheet.map(str::to_owned) })
    })
}

fn number(text: &str) -> Option<numbers::Number> {
    numbers::parse(text, &['.', ','])
}

fn write(id: &str, name: &str, encoding: &str, table: &Table) -> String {
    let cells: Vec<&Vec<String>> = table.rows.iter().take(200).collect();
    let marks: Vec<char> = cells.iter().flat_map(|row| row.iter()).filter_map(|c| number(c)?.mark).collect();
    let decimal = if marks.contains(&',') && !marks.contains(&'.') { "," } else { "." };
    let encoding = match encoding {
        "UTF-16LE" | "UTF-16BE" => "utf-16".to_owned(),
        other => other.to_ascii_lowercase(),
    };
    let extension = name.rsplit_once('.').map_or("", |(_, e)| e);
    let mut out = format!(
        "# A draft made from {name}. Say what each column means, then check expected/ by eye.\n\
         id = {}\nversion = \"0.1.0\"\nstatus = \"draft\"\nproduct = \"\"\n\n[detect]\n",
        quoted(id)
    );
    if !extension.is_empty() {
        out += &format!("extensions = [{}]\n", quoted(&extension.to_ascii_lowercase()));
    }
    let words = |h: &String| h.split(' ').map(regex::escape).collect::<Vec<_>>().join("\\s+");
    let heading = match &table.sheet {
        Some(_) => table.headings.iter().map(words).collect::<Vec<_>>().join("\\t"),
        None => {
            let quoted = table.headings.iter().map(|h| format!("\"?\\s*{}\\s*\"?", words(h)));
            quoted.collect::<Vec<_>>().join(&regex::escape(&table.delimiter.to_string()))
        }
    };
    out += &format!(
        "# The line of headings; shorten it to what is never changed.\nhead = [{}]\n",
        quoted(&format!("^{heading}"))
    );
    if table.sheet.is_some() {
        out += "# How much of the sheets is looked at.\nhead_lines = 1500\n";
    }
    let encodings = if encoding.is_empty() { String::new() } else { format!("encodings = [{}]\n", quoted(&encoding)) };
    out += &format!(
        "\n[text]\n{encodings}decimal = [{}]\n# chrono formats, and date_order = \"dmy\" or \"mdy\" where a date could be read both ways.\ndates = []\n",
        quoted(decimal)
    );
    match &table.sheet {
        Some(sheet) => {
            let sheet = quoted(&exact(sheet));
            out += "\n[reader]\nkind = \"workbook\"\n\n[[tables]]\nname = \"table\"\n";
            out += &format!("# Only on this sheet; without it on any that has the headings.\n# sheet = {sheet}\n");
        }
        None => {
            let delimiter = quoted(&table.delimiter.to_string());
            out += &format!("\n[reader]\nkind = \"delimited\"\ndelimiters = [{delimiter}]\n");
            out += "\n[[tables]]\nname = \"table\"\n";
        }
    }
    let requires: Vec<String> =
        table.headings.iter().filter(|h| !h.is_empty()).take(3).map(|h| quoted(&exact(h))).collect();
    out += &format!("requires = [{}]\n", requires.join(", "));
    let mut sample_found = false;
    for (index, heading) in table.headings.iter().enumerate() {
        if heading.is_empty() {
            continue;
        }
        let column: Vec<&str> =
            cells.iter().filter_map(|row| row.get(index)).map(String::as_str).filter(|c| !c.is_empty()).collect();
        out += &column_entry(heading, &column, &mut sample_found);
    }
    out
}

fn column_entry(heading: &str, cells: &[&str], sample_found: &mut bool) -> String {
    let lower = heading.to_lowercase();
    // A value below a limit is one too.
    let plain = |c: &&&str| number(c.trim_start_matches(['<', '>', '≤', '≥', '='])).is_some();
    let numeric = cells.iter().any(|c| number(c).is_some()) && cells.iter().all(|c| plain(&c));
    let day = |c: &&str| chrono::NaiveDate::parse_from_str(c.get(..10).unwrap_or_default(), "%Y-%m-%d").is_ok();
    let words = ["sample", "样品", "供试品", "编号", "probe", "specimen", "bottle", "vial"];
    let names_sample = words.iter().any(|word| lower.contains(word)) || lower == "id" || lower.ends_with(" id");
    let mut out = String::from("\n[[tables.columns]]\n");
    // A unit in brackets is the file's own word.
    let parts =
        heading.split_once(['(', '[']).and_then(|(name, unit)| Some((name.trim(), unit.strip_suffix([')', ']'])?)));
    match parts.filter(|_| numeric) {
        Some((name, _)) => {
            let name = regex::escape(name);
            out += &format!("heading = {}\n", quoted(&format!(r"^{name} ?[(\[](?P<unit>.*)[)\]]$")));
        }
        None => out += &format!("heading = {}\n", quoted(&exact(heading))),
    }
    if names_sample && !*sample_found {
        *sample_found = true;
        out += "role = \"sample\"\n";
    } else if numeric {
        let name = parts.map_or(heading, |(name, _)| name);
        out += &format!("quantity = {}\n", quoted(&slug(name)));
        if parts.is_none() {
            out += "# unit = \"\"\n";
        }
    } else if !cells.is_empty() && cells.iter().all(day) {
        out += "role = \"datetime\"\n";
    } else {
        out += &format!("role = \"context\"\nname = {}\n", quoted(&slug(heading)));
    }
    out
}

fn exact(heading: &str) -> String {
    format!("^{}$", regex::escape(heading))
}

/// A TOML string, literal where that is possible.
fn quoted(text: &str) -> String {
    if text.contains(['\'', '\t', '\n']) {
        toml::Value::String(text.to_owned()).to_string()
    } else {
        format!("'{text}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_obvious_table_is_read_at_once() {
        let file = "Instrument: KF-3\nOperator: li\n\nSample ID;Titrant (mL);Water [%];Remark\nA-1;2,415;0,312;ok\nA-2;2,398;0,309;\n";
        let draft = declaration("kf-3", "kf.csv", file.as_bytes()).unwrap();
        let values: Vec<_> = draft
            .parsed
            .observations
            .iter()
            .map(|o| (o.sample.as_deref(), o.quantity.as_str(), o.value.as_deref(), o.unit.as_deref()))
            .collect();
        assert_eq!(
            values,
            [
                (Some("A-1"), "titrant", Some("2.415"), Some("mL")),
                (Some("A-1"), "water", Some("0.312"), Some("%")),
                (Some("A-2"), "titrant", Some("2.398"), Some("mL")),
                (Some("A-2"), "water", Some("0.309"), Some("%")),
            ]
        );
        assert_eq!(draft.parsed.run["operator"], "li");
        assert!(draft.parsed.problems.is_empty(), "{:?}", draft.parsed.problems);
    }

    #[test]
    fn a_workbook_has_its_table_drafted() {
        let bytes = crate::embedded::sample("mettler-dl55-xlsx", "bottles_2026-03.xlsx").unwrap();
        let draft = declaration("bottles", "bottles.xlsx", bytes).unwrap();
        assert!(draft.declaration.contains("kind = \"workbook\""), "{}", draft.declaration);
        let values: Vec<_> =
            draft.parsed.observations.iter().map(|o| (o.quantity.as_str(), o.value.as_deref())).collect();
        assert!(values.contains(&("p_h", Some("7.02"))) || values.contains(&("ph", Some("7.02"))), "{values:?}");
        assert!(values.contains(&("talk", None)) && values.contains(&("ec", Some("0.059"))));
        assert_eq!(draft.parsed.complete, Some(true), "{:?}\n{}", draft.parsed.problems, draft.declaration);
        assert!(matches!(declaration("x", "x.xlsx", b"PK\x03\x04"), Err(DraftError::NoWorkbook(_))));
    }

    #[test]
    fn decimal_commas_are_no_columns() {
        let file = "Sample;Water (%)\nA-1;0,312\nA-2;0,305\n";
        let draft = declaration("kf", "kf.csv", file.as_bytes()).unwrap();
        let values: Vec<_> =
            draft.parsed.observations.iter().map(|o| (o.quantity.as_str(), o.value.as_deref())).collect();
        assert_eq!(values, [("water", Some("0.312")), ("water", Some("0.305"))]);
    }

    #[test]
    fn prose_has_no_table() {
        let error = declaration("x", "x.txt", b"Dear all,\nthe balance is broken.\n").unwrap_err();
        assert_eq!(error, DraftError::NoTable);
    }

    #[test]
    fn a_tab_and_quotes_are_written_as_toml() {
        let file = "\"Sample\tname\"\nName\tA260 'raw'\nx\t1.5\n";
        let draft = declaration("uv", "uv.txt", file.as_bytes()).unwrap();
        assert_eq!(draft.parsed.observations[0].value.as_deref(), Some("1.5"));
    }
}
