//! A first declaration for a table that nobody has described yet.
//!
//! It reads the obvious table: the first line of headings that is followed by rows of the same
//! width with numbers in them. What each column means is left to the person who writes the adapter.

use crate::model::Options;
use crate::readers::delimited::{split, squeeze};
use crate::sink::slug;
use crate::text::{self, Line};
use crate::{Adapter, Parsed, numbers};

/// Encodings that are tried for a draft, in this order.
const ENCODINGS: [&str; 3] = ["utf-16", "utf-8", "windows-1252"];

/// Why there is no draft.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// The text could not be decoded.
    #[error("the file is no text in UTF-16 with a mark, UTF-8 or Windows-1252")]
    NoText,
    /// No table stands out.
    #[error("no line of headings is followed by rows of the same width with numbers in them")]
    NoTable,
    /// The draft that was made could not be used; a fault of this crate.
    #[error("the draft cannot be used: {0}")]
    Unusable(String),
}

/// A draft, and what it makes of the file.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Text of the `adapter.toml`.
    pub declaration: String,
    /// The file as the draft reads it: to be checked by eye, then kept under `expected/`.
    pub parsed: Parsed,
}

struct Table<'t> {
    delimiter: char,
    headings: Vec<String>,
    rows: Vec<&'t Line>,
}

/// Writes a draft adapter `id` that reads the obvious delimited table of the file.
///
/// # Errors
/// [`DraftError`] where the file is no text or has no such table.
pub fn declaration(id: &str, name: &str, bytes: &[u8]) -> Result<Draft, DraftError> {
    let labels: Vec<String> = ENCODINGS.iter().map(|e| (*e).to_owned()).collect();
    let text = text::decode(bytes, &labels).ok_or(DraftError::NoText)?;
    if text.broken_line.is_some() {
        return Err(DraftError::NoText);
    }
    let table = ['\t', ';', ',', '|']
        .into_iter()
        .filter_map(|delimiter| table(&text.lines, delimiter))
        .max_by_key(|t| t.headings.len())
        .ok_or(DraftError::NoTable)?;
    let declaration = write(id, name, text.encoding, &table);
    let adapter = Adapter::from_toml(&declaration).map_err(|e| DraftError::Unusable(e.to_string()))?;
    adapter.recognises(name, bytes).map_err(DraftError::Unusable)?;
    let parsed = adapter.read(name, bytes, &Options::default());
    Ok(Draft { declaration, parsed })
}

fn table(lines: &[Line], delimiter: char) -> Option<Table<'_>> {
    lines.iter().enumerate().find_map(|(index, line)| {
        let headings: Vec<String> = split(&line.text, delimiter, true).iter().map(|c| squeeze(&c.raw)).collect();
        let named = headings.iter().filter(|h| !h.is_empty()).count();
        let words = headings.iter().filter(|h| number(h).is_none()).count();
        if named < 2 || words * 2 < headings.len() {
            return None;
        }
        let rows: Vec<&Line> = lines
            .get(index + 1..)
            .unwrap_or_default()
            .iter()
            .take_while(|l| split(&l.text, delimiter, true).len() >= headings.len())
            .collect();
        let has_number =
            rows.first().is_some_and(|l| split(&l.text, delimiter, true).iter().any(|c| number(&c.raw).is_some()));
        has_number.then_some(Table { delimiter, headings, rows })
    })
}

fn number(text: &str) -> Option<numbers::Number> {
    numbers::parse(text, &['.', ','])
}

fn write(id: &str, name: &str, encoding: &str, table: &Table) -> String {
    let cells: Vec<Vec<String>> = table
        .rows
        .iter()
        .take(200)
        .map(|l| split(&l.text, table.delimiter, true))
        .map(|row| row.into_iter().map(|c| c.raw).collect())
        .collect();
    let marks: Vec<char> = cells.iter().flatten().filter_map(|c| number(c)?.mark).collect();
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
    let heading = table
        .headings
        .iter()
        .map(|h| {
            let words: Vec<_> = h.split(' ').map(regex::escape).collect();
            format!("\"?\\s*{}\\s*\"?", words.join("\\s+"))
        })
        .collect::<Vec<_>>()
        .join(&regex::escape(&table.delimiter.to_string()));
    out += &format!(
        "# The line of headings; shorten it to what is never changed.\nhead = [{}]\n",
        quoted(&format!("^{heading}"))
    );
    out += &format!(
        "\n[text]\nencodings = [{}]\ndecimal = [{}]\n# chrono formats, and date_order = \"dmy\" or \"mdy\" where a date could be read both ways.\ndates = []\n",
        quoted(&encoding),
        quoted(decimal)
    );
    out += &format!(
        "\n[reader]\nkind = \"delimited\"\ndelimiters = [{}]\n\n[[tables]]\nname = \"table\"\n",
        quoted(&table.delimiter.to_string())
    );
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
    let numeric = !cells.is_empty() && cells.iter().all(|c| number(c).is_some());
    let names_sample = ["sample", "样品", "供试品", "probe", "specimen"].iter().any(|word| lower.contains(word));
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
