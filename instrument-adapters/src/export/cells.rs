//! CSV (RFC 4180): one observation a row, with its place. What a spreadsheet would run is made text.

use super::ExportError;
use crate::model::{Observation, Parsed};

/// How the table is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CsvOptions {
    /// A byte order mark first: without it spreadsheets take UTF-8 for the code page of the country.
    pub bom: bool,
}

const HEAD: [&str; 22] = [
    "sample",
    "analyte",
    "quantity",
    "raw",
    "value",
    "unit",
    "status",
    "flags",
    "bound",
    "x",
    "x_unit",
    "injection",
    "acquired_at",
    "unit_raw",
    "context",
    "line",
    "column",
    "sheet",
    "cell",
    "path",
    "adapter",
    "file_sha256",
];

/// Writes every observation as a row, in the order of the file. A field that is absent is an empty cell.
///
/// # Errors
/// None for any reading there can be; the writer's failure is passed on.
pub fn csv(parsed: &Parsed, options: &CsvOptions) -> Result<Vec<u8>, ExportError> {
    let mut bytes: Vec<u8> = Vec::new();
    if options.bom {
        bytes.extend_from_slice("\u{feff}".as_bytes());
    }
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(bytes);
    writer.write_record(HEAD)?;
    for seen in &parsed.observations {
        let row = row(parsed, seen);
        writer.write_record(row.iter().map(|cell| harmless(cell).into_owned()))?;
    }
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()).into())
}

fn row(parsed: &Parsed, seen: &Observation) -> [String; 22] {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let number = |value: Option<u32>| value.map(|n| n.to_string()).unwrap_or_default();
    let context: Vec<String> = seen.context.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let status = serde_json::to_value(seen.status).ok();
    let at = &seen.locator;
    [
        text(&seen.sample),
        text(&seen.analyte),
        seen.quantity.clone(),
        seen.raw.clone(),
        text(&seen.value),
        text(&seen.unit),
        status.as_ref().and_then(|status| status.as_str()).unwrap_or_default().to_owned(),
        seen.flags.join("; "),
        text(&seen.bound),
        text(&seen.x),
        text(&seen.x_unit),
        text(&seen.injection),
        text(&seen.acquired_at),
        text(&seen.unit_raw),
        context.join("; "),
        number(at.line),
        number(at.column),
        text(&at.sheet),
        text(&at.cell),
        text(&at.path),
        parsed.adapter.clone(),
        parsed.file_sha256.clone(),
    ]
}

/// The text of a cell that no spreadsheet runs: one that begins like a formula gets an apostrophe before it, a
/// plain number such as `-1.5` stays as it is.
///
/// ```
/// use instrument_adapters::export::harmless;
/// assert_eq!(harmless("=1+1"), "'=1+1");
/// assert_eq!(harmless("-1.5e-3"), "-1.5e-3");
/// assert_eq!(harmless("-1+cmd|' /C calc'!A0"), "'-1+cmd|' /C calc'!A0");
/// ```
pub fn harmless(text: &str) -> std::borrow::Cow<'_, str> {
    // Spreadsheets of East Asian countries take the wide signs for the narrow ones; some skip blanks first.
    let first = text.trim_start_matches([' ', '\u{a0}', '\u{3000}', '\u{feff}']).chars().next();
    let runs = matches!(first, Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠'));
    if runs && !is_number(text) { format!("'{text}").into() } else { text.into() }
}

/// Digits with one sign, one mark and one power at most, and nothing else.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = |text: &str| text.strip_prefix(['+', '-']).map_or_else(|| text.to_owned(), str::to_owned);
    let (number, power) = match text.split_once(['e', 'E']) {
        Some((number, power)) => (unsigned(number), Some(unsigned(power))),
        None => (unsigned(text), None),
    };
    let whole = match number.split_once(['.', ',']) {
        Some((whole, rest)) => digits(whole) && digits(rest),
        None => digits(&number),
    };
    whole && power.is_none_or(|power| digits(&power))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Locator, Status};

    fn reading(texts: &[String]) -> Parsed {
        let at = |n: usize| texts[n % texts.len()].clone();
        let seen = Observation {
            sample: Some(at(0)),
            analyte: Some(at(1)),
            quantity: at(2),
            raw: at(3),
            value: Some("-1.50".into()),
            unit: Some(at(4)),
            status: Status::Ok,
            flags: vec![at(5)],
            locator: Locator { line: Some(7), column: Some(3), sheet: Some(at(6)), cell: None, path: Some(at(7)) },
            injection: Some(at(8)),
            acquired_at: None,
            x: None,
            x_unit: None,
            bound: None,
            unit_raw: None,
            readings: Vec::new(),
            context: std::collections::BTreeMap::from([(at(9), at(10))]).into(),
        };
        Parsed {
            adapter: "a".into(),
            file_sha256: "00".into(),
            run: serde_json::Map::default(),
            observations: vec![seen],
            problems: Vec::new(),
            complete: None,
        }
    }

    fn cells(bytes: &[u8]) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
        reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn values_stay_as_written_and_carry_their_place() {
        let texts: Vec<String> = ["S,1", "主\"峰", "area", "2.8240", "%"].map(str::to_owned).to_vec();
        let bytes = csv(&reading(&texts), &CsvOptions { bom: true }).expect("written");
        assert!(bytes.starts_with("\u{feff}sample,analyte".as_bytes()));
        let plain = csv(&reading(&texts), &CsvOptions::default()).expect("written");
        let rows = cells(&plain);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1][..6], ["S,1", "主\"峰", "area", "2.8240", "-1.50", "%"].map(str::to_owned));
        assert_eq!((rows[1][15].as_str(), rows[1][16].as_str()), ("7", "3"));
    }

    #[test]
    fn formulas_become_text_and_numbers_stay() {
        for number in ["-1.5", "+3", "-0,25", "-1.2E-10", "-7"] {
            assert_eq!(harmless(number), number);
        }
        for formula in
            ["=1", "+1+1", "-1-1", "-", "@SUM(A1)", "\t=1", "\r=1", "-1.5.2", "-e5", "＝1+1", " =1", "-1,5,2"]
        {
            assert_eq!(harmless(formula), format!("'{formula}"));
        }
        for text in ["", "S1", "'", "1-2", "<0.05", "未检出"] {
            assert_eq!(harmless(text), text);
        }
    }

    proptest! {
        #[test]
        fn no_cell_is_one_that_a_spreadsheet_would_run(
            texts in proptest::collection::vec("[-=+@\t\r\n ＝－0-9.,eE'\"a-c|!()]{0,12}", 11)
        ) {
            let bytes = csv(&reading(&texts), &CsvOptions::default()).expect("written");
            for row in cells(&bytes) {
                for cell in row {
                    let first = cell.trim_start().chars().next();
                    let danger = matches!(first, Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠'))
                        || cell.starts_with(['\t', '\r', '\n']);
                    let number = cell.replace(',', ".").parse::<f64>().is_ok();
                    prop_assert!(!danger || number, "{cell:?}");
                }
            }
        }

        #[test]
        fn what_is_made_harmless_keeps_its_text(text in any::<String>()) {
            let made = harmless(&text);
            prop_assert!(made == text.as_str() || made.strip_prefix('\'') == Some(text.as_str()));
        }
    }
}
