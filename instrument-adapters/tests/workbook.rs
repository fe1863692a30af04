//! Workbooks made to hurt, and what cells become: written here part by part, since no software would.

use std::io::Write;
use std::time::Instant;

use instrument_adapters::{Adapter, AdapterSet, Options, Parsed, Severity, Status};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const MAIN: &str = "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"";
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// A workbook from its parts; `sheets` are name, attributes and content of each `sheetData`.
struct Book {
    sheets: Vec<(String, String, String)>,
    strings: String,
    styles: String,
    more: Vec<(String, Vec<u8>)>,
}

impl Book {
    fn of(rows: &str) -> Self {
        let sheet = ("Sheet1".to_owned(), String::new(), format!("<sheetData>{rows}</sheetData>"));
        Self { sheets: vec![sheet], strings: String::new(), styles: String::new(), more: Vec::new() }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        let mut put = |name: &str, bytes: &[u8]| {
            zip.start_file(name, options).unwrap();
            zip.write_all(bytes).unwrap();
        };
        let (mut list, mut relations) = (String::new(), String::new());
        for (index, (name, attributes, _)) in self.sheets.iter().enumerate() {
            list += &format!("<sheet name=\"{name}\" sheetId=\"{0}\" {attributes} r:id=\"rId{0}\"/>", index + 1);
            relations += &format!(
                "<Relationship Id=\"rId{0}\" Type=\"{RELATIONS}/worksheet\" Target=\"worksheets/sheet{0}.xml\"/>",
                index + 1
            );
        }
        relations += &format!("<Relationship Id=\"s\" Type=\"{RELATIONS}/sharedStrings\" Target=\"/xl/strings.xml\"/>");
        relations += &format!("<Relationship Id=\"t\" Type=\"{RELATIONS}/styles\" Target=\"styles.xml\"/>");
        let root = "http://schemas.openxmlformats.org/package/2006/relationships";
        let office = format!("<Relationship Id=\"a\" Type=\"{RELATIONS}/officeDocument\" Target=\"xl/workbook.xml\"/>");
        put("_rels/.rels", format!("<Relationships xmlns=\"{root}\">{office}</Relationships>").as_bytes());
        let relations = format!("<Relationships xmlns=\"{root}\">{relations}</Relationships>");
        put("xl/_rels/workbook.xml.rels", relations.as_bytes());
        let book = format!("<workbook {MAIN} xmlns:r=\"{RELATIONS}\"><sheets>{list}</sheets></workbook>");
        put("xl/workbook.xml", book.as_bytes());
        for (index, (_, _, content)) in self.sheets.iter().enumerate() {
            let sheet = format!("<?xml version=\"1.0\"?><worksheet {MAIN}>{content}</worksheet>");
            put(&format!("xl/worksheets/sheet{}.xml", index + 1), sheet.as_bytes());
        }
        let strings = if self.strings.is_empty() { format!("<sst {MAIN}/>") } else { self.strings.clone() };
        put("xl/strings.xml", strings.as_bytes());
        put("xl/styles.xml", format!("<styleSheet {MAIN}>{}</styleSheet>", self.styles).as_bytes());
        for (name, bytes) in &self.more {
            put(name, bytes);
        }
        zip.finish().unwrap().into_inner()
    }
}

fn text(cell: &str, text: &str) -> String {
    format!("<c r=\"{cell}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
}

/// Headings of a table that the adapter below reads, and a row of it.
fn table(row: &str) -> String {
    let headings = text("A1", "Sample") + &text("B1", "Water (%)") + &text("C1", "Mass");
    format!("<row r=\"1\">{headings}</row>{row}")
}

fn adapter() -> Adapter {
    Adapter::from_toml(
        r#"
id = "water"
version = "1"
status = "draft"
product = "Karl Fischer log"
[detect]
head = ['^Sample\tWater']
head_lines = 600
[reader]
kind = "workbook"
[[tables]]
name = "water"
requires = ['^Sample$', '^Water']
[[tables.columns]]
heading = '^Sample$'
role = "sample"
[[tables.columns]]
heading = '^Water \((?P<unit>.*)\)$'
quantity = "water_content"
[[tables.columns]]
heading = '^Mass$'
quantity = "mass"
unit = "g"
"#,
    )
    .unwrap()
}

fn read(bytes: &[u8]) -> Result<Parsed, String> {
    let adapter = adapter();
    adapter.recognises("log.xlsx", bytes)?;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.xlsx");
    std::fs::write(&path, bytes).unwrap();
    Ok(instrument_adapters::fs::explain_with(&adapter, &path, &Options::default()).unwrap().parsed)
}

fn codes(parsed: &Parsed) -> Vec<&str> {
    parsed.problems.iter().map(|p| p.code.as_str()).collect()
}

#[test]
fn cells_are_read_as_they_are_stored() {
    let mut book = Book::of(&table(
        "<row r=\"2\"><c r=\"A2\" t=\"s\"><v>0</v></c><c r=\"B2\"><v>5.8999999999999997E-2</v></c><c r=\"C2\"><v>10.50</v></c></row>\
         <row r=\"3\" hidden=\"1\"><c r=\"A3\"><v>17</v></c><c r=\"B3\" s=\"1\"><v>1.2999999999999999E-3</v></c><c r=\"C3\" t=\"str\"><f>A1</f><v>&lt;0.5</v></c></row>\
         <row r=\"4\"><c r=\"A4\" t=\"s\"><v>1</v></c><c r=\"B4\" t=\"e\"><v>#N/A</v></c><c r=\"C4\"><f>SUM(C2:C3)</f></c></row>",
    ));
    book.strings = format!(
        "<sst {MAIN}><si><r><t>SX</t></r><r><t xml:space=\"preserve\"> &amp; 1_x0009_</t></r><rPh><t>no</t></rPh></si><si><t>b&#x4e2d;</t></si></sst>"
    );
    book.styles = "<cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"10\"/></cellXfs>".into();
    let parsed = read(&book.bytes()).unwrap();
    let found: Vec<_> = parsed
        .observations
        .iter()
        .map(|o| (o.sample.as_deref().unwrap(), o.raw.as_str(), o.value.as_deref(), o.unit.as_deref(), o.status))
        .collect();
    assert_eq!(
        found,
        [
            ("SX & 1", "5.8999999999999997E-2", Some("0.059"), Some("%"), Status::Ok),
            ("SX & 1", "10.50", Some("10.5"), Some("g"), Status::Ok),
            // Shown as 0.13 %.
            ("17", "1.2999999999999999E-3", Some("0.13"), Some("%"), Status::Ok),
            ("17", "<0.5", None, Some("g"), Status::Below),
            ("b中", "#N/A", None, Some("%"), Status::Invalid),
        ]
    );
    assert!(parsed.observations[2].flags.contains(&"hidden_row".to_owned()));
    assert!(parsed.observations[0].flags.is_empty());
    assert_eq!(parsed.observations[0].locator.cell.as_deref(), Some("B2"));
    assert_eq!(codes(&parsed), ["formula_without_value", "not_a_number"]);
    assert_eq!(parsed.complete, None);
}

#[test]
fn dates_merged_cells_and_hidden_sheets() {
    let mut book = Book::of(&table(
        "<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>S1</t></is></c><c r=\"B2\"><v>1</v></c></row><row r=\"3\"><c r=\"B3\"><v>2</v></c></row>",
    ));
    book.sheets[0].2 += "<mergeCells><mergeCell ref=\"A2:A3\"/><mergeCell ref=\"A1:XFD1048576\"/></mergeCells>";
    book.sheets[0].1 = "state=\"hidden\"".into();
    let parsed = read(&book.bytes()).unwrap();
    let samples: Vec<_> = parsed.observations.iter().map(|o| o.sample.as_deref()).collect();
    assert_eq!(samples, [Some("S1"), Some("S1")]);
    assert!(parsed.observations.iter().all(|o| o.flags == ["hidden_sheet"]));
    assert_eq!(codes(&parsed), ["hidden_sheet"]);
    assert_eq!(parsed.complete, Some(true));
}

#[test]
fn a_far_cell_costs_nothing() {
    let far = "<row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>";
    let row = format!("<row r=\"2\">{}<c r=\"B2\"><v>0.31</v></c></row>{far}", text("A2", "S1"));
    let bytes = Book::of(&table(&row)).bytes();
    assert!(bytes.len() < 3000);
    let start = Instant::now();
    let parsed = read(&bytes).unwrap();
    assert!(start.elapsed().as_millis() < 1000);
    assert_eq!(parsed.observations.len(), 1);
    let lost = parsed.problems.iter().find(|p| p.code == "not_consumed").unwrap();
    assert_eq!(lost.locator.cell.as_deref(), Some("A1048576"));
    // A line of rendering is not as long as the sheet is wide.
    assert!(lost.message.len() < 1000);
}

#[test]
fn bombs_are_refused_before_they_go_off() {
    let row = format!("<row r=\"2\">{}<c r=\"B2\"><v>0.31</v></c></row>", text("A2", "S1"));
    let good = Book::of(&table(&row));
    assert_eq!(read(&good.bytes()).unwrap().complete, Some(true));

    // A sheet of blanks, packed a thousand times.
    let mut book = Book::of(&table(&format!("{row}{}", " ".repeat(8 << 20))));
    let bytes = book.bytes();
    assert!(bytes.len() < 1 << 18);
    let why = read(&bytes).unwrap_err();
    assert!(why.contains("packed more than"), "{why}");

    // The same, with a directory that lies about the size.
    let mut lying = bytes.clone();
    let size = (8u32 << 20).to_le_bytes();
    for at in 0..lying.len() - 4 {
        if lying[at + 2..at + 4] == size[2..] && lying[at..at + 46].len() == 46 {
            lying[at..at + 4].copy_from_slice(&2000u32.to_le_bytes());
        }
    }
    assert_ne!(lying, bytes);
    match read(&lying) {
        Err(_) => {}
        Ok(parsed) => assert_eq!(parsed.complete, Some(false)),
    }

    // Entities that multiply.
    book = Book::of(&table(&row));
    book.strings =
        "<!DOCTYPE s [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]><sst><si><t>&b;</t></si></sst>".into();
    let why = read(&book.bytes()).unwrap_err();
    assert!(why.contains("document type"), "{why}");

    // More parts than a workbook has.
    book = Book::of(&table(&row));
    book.more = (0..3000).map(|n| (format!("xl/media/{n}.bin"), Vec::new())).collect();
    let why = read(&book.bytes()).unwrap_err();
    assert!(why.contains("entries"), "{why}");

    // More sheets than anybody looks through.
    book = Book::of(&table(&row));
    let sheet = book.sheets[0].clone();
    book.sheets = (0..300).map(|n| (format!("S{n}"), sheet.1.clone(), sheet.2.clone())).collect();
    let why = read(&book.bytes()).unwrap_err();
    assert!(why.contains("sheets"), "{why}");
}

#[test]
fn links_and_macros_are_reported_and_not_followed() {
    let row = format!("<row r=\"2\">{}<c r=\"B2\"><f>[1]Sheet1!A1</f><v>0.31</v></c></row>", text("A2", "S1"));
    let mut book = Book::of(&table(&row));
    book.more.push((
        "xl/externalLinks/externalLink1.xml".into(),
        b"<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><x/>".to_vec(),
    ));
    book.more.push(("xl/vbaProject.bin".into(), vec![0xd0, 0xcf]));
    let parsed = read(&book.bytes()).unwrap();
    assert_eq!(codes(&parsed), ["not_followed", "not_followed"]);
    assert!(parsed.problems.iter().all(|p| p.severity == Severity::Warning));
    assert_eq!(parsed.observations[0].value.as_deref(), Some("0.31"));
}

#[test]
fn wrong_cells_and_cut_sheets_are_errors() {
    let row = |cells: &str| Book::of(&table(&format!("<row r=\"2\">{cells}</row>"))).bytes();
    for (cells, what) in [
        ("<c r=\"A2\" t=\"s\"><v>7</v></c>", "does not have"),
        ("<c r=\"A2\"><v>1</v></c><c r=\"A2\"><v>2</v></c>", "two cells"),
        ("<c r=\"A9\"><v>1</v></c>", "no place"),
        ("<c r=\"XFE2\"><v>1</v></c>", "no place"),
        ("<c r=\"A2\" t=\"str\"><v>&unknown;</v></c>", "not known"),
        ("<c r=\"A2\"><v>1</v>", "xl/worksheets"),
    ] {
        let why = read(&row(cells)).unwrap_err();
        assert!(why.contains(what), "{cells}: {why}");
    }
    let why = read(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1").unwrap_err();
    assert!(why.contains("xlsx"), "{why}");
    for extra in [&b"PK"[..], b"\0\0"] {
        let mut bytes = row("<c r=\"A2\"><v>1</v></c>");
        bytes.extend(extra);
        assert!(read(&bytes).is_err());
    }
}

/// A byte changed in a packed part is caught by its checksum.
#[test]
fn a_changed_byte_is_never_whole() {
    let set = AdapterSet::embedded();
    let bytes = instrument_adapters::embedded::sample("thermo-skanit", "SH20260003_reporter.xlsx").unwrap();
    let whole = set.parse("a.xlsx", bytes, None, &Options::default()).unwrap();
    assert_eq!(whole.complete, Some(true));
    for at in (0..bytes.len()).step_by(5) {
        let mut changed = bytes.to_vec();
        changed[at] ^= 0x20;
        let Ok(parsed) = set.parse("a.xlsx", &changed, Some("thermo-skanit"), &Options::default()) else { continue };
        if parsed.complete == Some(true) {
            assert_eq!(parsed.observations, whole.observations, "byte {at}");
        }
    }
}
