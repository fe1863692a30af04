//! Workbooks of Office Open XML (ECMA-376), read as streams.
//!
//! Numbers are taken as the text that the file stores: a reader that hands them over as binary floats
//! would lose it, and would not say what is hidden, formatted as percent or has no stored value.
//! Macros, drawings and external links are never opened.

use std::borrow::Cow;
use std::io::{BufRead, BufReader};

use quick_xml::escape::unescape as unescape_xml;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use super::archive::{Archive, ArchivePart};
use super::formats::{self, CellFormat};
use super::workbook::{Area, CellKind, SheetName, WorkbookCell, WorkbookRow, WorkbookSheet, column_of};
use crate::spec::Limits;

const LAST_ROW: u32 = 1_048_576;
const LAST_COLUMN: u32 = 16_384;

/// A workbook whose parts are known and not yet read.
pub(crate) struct Xlsx<'a> {
    archive: Archive<'a>,
    pub sheets: Vec<SheetName>,
    paths: Vec<String>,
    strings: Vec<String>,
    formats: Vec<CellFormat>,
    epoch_1904: bool,
    cells: usize,
}

impl<'a> Xlsx<'a> {
    pub fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, String> {
        let mut archive = Archive::open(bytes, limits)?;
        let relations = relations(&mut archive, "_rels/.rels", "")?;
        let book = relations
            .iter()
            .find(|r| r.kind.ends_with("/officeDocument"))
            .map_or_else(|| "xl/workbook.xml".to_owned(), |r| r.target.clone());
        if !archive.holds(&book) {
            return Err("the archive is no workbook of the xlsx kind".into());
        }
        if book.ends_with(".bin") {
            return Err("a binary workbook (xlsb); save it as xlsx".into());
        }
        let (folder, file) = book.rsplit_once('/').unwrap_or(("", &book));
        let parts = self::relations(&mut archive, &format!("{folder}/_rels/{file}.rels"), folder)?;
        let mut workbook = Self {
            archive,
            sheets: Vec::new(),
            paths: Vec::new(),
            strings: Vec::new(),
            formats: Vec::new(),
            epoch_1904: false,
            cells: limits.cells,
        };
        workbook.list(&book, &parts, limits.sheets)?;
        for part in &parts {
            if part.kind.ends_with("/sharedStrings") && workbook.archive.holds(&part.target) {
                workbook.strings = strings(&mut workbook.archive, &part.target)?;
            } else if part.kind.ends_with("/styles") && workbook.archive.holds(&part.target) {
                workbook.formats = styles(&mut workbook.archive, &part.target)?;
            }
        }
        Ok(workbook)
    }

    /// What the workbook holds beside its cells and is not read.
    pub fn not_followed(&self) -> Vec<&'static str> {
        let names = self.archive.names();
        let any = |part: &str| names.iter().any(|n| n.to_ascii_lowercase().contains(part));
        [("externallinks/", "external links"), ("vbaproject", "macros")]
            .into_iter()
            .filter_map(|(part, what)| any(part).then_some(what))
            .collect()
    }

    fn list(&mut self, book: &str, parts: &[Relation], most: usize) -> Result<(), String> {
        let mut xml = Xml::open(&mut self.archive, book)?;
        while let Some(event) = xml.next()? {
            let (Event::Start(e) | Event::Empty(e)) = event else { continue };
            match e.local_name().as_ref() {
                "workbookPr" => self.epoch_1904 = attribute(&e, "date1904").is_some_and(|v| is_true(&v)),
                "sheet" => {
                    let name = attribute(&e, "name").unwrap_or_default().into_owned();
                    let id = attribute(&e, "id").unwrap_or_default();
                    let part = parts.iter().find(|p| p.id == id);
                    let part = part.ok_or_else(|| format!("the workbook does not say where sheet \"{name}\" is"))?;
                    if !part.kind.ends_with("/worksheet") {
                        continue;
                    }
                    let hidden = attribute(&e, "state").is_some_and(|s| s != "visible");
                    self.sheets.push(SheetName { name, hidden });
                    self.paths.push(part.target.clone());
                    if self.sheets.len() > most {
                        return Err(format!("more than {most} sheets"));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Reads a sheet, or its first `most` rows with something in them.
    pub fn sheet(&mut self, index: usize, most: usize) -> Result<WorkbookSheet, String> {
        let (Some(known), Some(path)) = (self.sheets.get(index), self.paths.get(index)) else {
            return Err("there is no such sheet".into());
        };
        let mut sheet = WorkbookSheet { name: known.clone(), ..WorkbookSheet::default() };
        let context = Context { strings: &self.strings, formats: &self.formats, epoch_1904: self.epoch_1904 };
        let mut merged = Vec::new();
        let mut xml = Xml::open(&mut self.archive, path)?;
        let (mut row, mut column, mut hidden, mut open) = (0, 0, false, false);
        loop {
            let Some(event) = xml.next()? else {
                return Err(format!("sheet \"{}\" ends in the middle", known.name));
            };
            match event {
                Event::Start(e) | Event::Empty(e) if e.local_name().as_ref() == "row" => {
                    if sheet.rows.len() >= most {
                        break;
                    }
                    row = match attribute(&e, "r") {
                        Some(r) => {
                            r.parse().ok().filter(|r| (1..=LAST_ROW).contains(r)).ok_or("a row has no number")?
                        }
                        None => row + 1,
                    };
                    hidden = attribute(&e, "hidden").is_some_and(|v| is_true(&v));
                    (column, open) = (0, false);
                }
                Event::Start(e) if e.local_name().as_ref() == "c" => {
                    let (mut at, mut style, mut kind) = (None, 0, String::new());
                    for found in e.attributes().with_checks(false).flatten() {
                        match found.key.local_name().as_ref() {
                            "r" => at = Some(found.value.to_string()),
                            "s" => style = found.value.parse().unwrap_or(0),
                            "t" => kind = found.value.to_string(),
                            _ => {}
                        }
                    }
                    self.cells = self.cells.checked_sub(1).ok_or("more cells than the adapter's limit")?;
                    let stored = stored(&mut xml)?;
                    let known = at.map_or(Some(column + 1), |at| place(&at, row)).filter(|_| row > 0);
                    column = known.ok_or("a cell has no place")?;
                    let Some((text, kind)) = context.cell(stored, &kind, style)? else { continue };
                    if !open {
                        sheet.rows.push(WorkbookRow { number: row, hidden, cells: Vec::new() });
                        open = true;
                    }
                    if let Some(row) = sheet.rows.last_mut() {
                        row.cells.push(WorkbookCell { column, text, kind, spread: false });
                    }
                }
                Event::Empty(e) if e.local_name().as_ref() == "c" => {
                    self.cells = self.cells.checked_sub(1).ok_or("more cells than the adapter's limit")?;
                    column = attribute(&e, "r").map_or(Some(column + 1), |at| place(&at, row)).unwrap_or(column);
                }
                Event::Start(e) | Event::Empty(e)
                    if e.local_name().as_ref() == "col" && attribute(&e, "hidden").is_some_and(|v| is_true(&v)) =>
                {
                    let edge = |name| attribute(&e, name).and_then(|v| v.parse::<u32>().ok()).unwrap_or(0);
                    sheet.hidden_columns.push((edge("min"), edge("max")));
                }
                Event::Start(e) | Event::Empty(e) if e.local_name().as_ref() == "mergeCell" => {
                    merged.extend(attribute(&e, "ref").and_then(|r| Area::parse(&r)));
                }
                Event::End(e) if e.local_name().as_ref() == "worksheet" => {
                    // The checksum follows the last byte.
                    while xml.next()?.is_some() {}
                    break;
                }
                _ => {}
            }
        }
        sheet.put_in_order()?;
        sheet.spread(&merged, &mut self.cells)?;
        Ok(sheet)
    }
}

/// `B7` → 2, where the row is the one that the cell is in.
fn place(at: &str, row: u32) -> Option<u32> {
    let digits = at.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let column = column_of(at.get(..at.len() - digits.len())?)?;
    (digits.parse() == Ok(row) && column <= LAST_COLUMN).then_some(column)
}

/// What a cell's element holds.
#[derive(Default)]
struct Stored {
    value: Option<String>,
    inline: String,
    formula: bool,
}

fn stored(xml: &mut Xml) -> Result<Stored, String> {
    let mut found = Stored::default();
    // The element whose text is being read, and whether it is a phonetic aid.
    let (mut within, mut aid) = (Vec::<u8>::new(), false);
    loop {
        match xml.next()?.ok_or("a cell ends in the middle")? {
            Event::Start(e) => match e.local_name().as_ref() {
                "v" => {
                    found.value.get_or_insert_default();
                    within = b"v".to_vec();
                }
                "f" => {
                    found.formula = true;
                    within = b"f".to_vec();
                }
                "t" => within = b"t".to_vec(),
                "rPh" => aid = true,
                _ => {}
            },
            Event::Empty(e) => match e.local_name().as_ref() {
                "v" => {
                    found.value.get_or_insert_default();
                }
                "f" => found.formula = true,
                _ => {}
            },
            Event::End(e) => match e.local_name().as_ref() {
                "c" => return Ok(found),
                "rPh" => aid = false,
                _ => within.clear(),
            },
            other => {
                let target = match within.as_slice() {
                    b"v" => found.value.as_mut(),
                    b"t" if !aid => Some(&mut found.inline),
                    _ => None,
                };
                if let Some(target) = target {
                    append(target, &other)?;
                }
            }
        }
    }
}

/// What a cell's text means.
struct Context<'x> {
    strings: &'x [String],
    formats: &'x [CellFormat],
    epoch_1904: bool,
}

impl Context<'_> {
    fn cell(&self, stored: Stored, kind: &str, style: usize) -> Result<Option<(String, CellKind)>, String> {
        let value = stored.value.unwrap_or_default();
        let text = |text: String| (!text.trim().is_empty()).then_some((text, CellKind::Text));
        Ok(match kind {
            "s" if value.is_empty() => None,
            "s" => {
                let known = value.trim().parse().ok().and_then(|i: usize| self.strings.get(i));
                text(known.ok_or("a cell names a text that the workbook does not have")?.clone())
            }
            "str" => text(unescape(&value)),
            "inlineStr" => text(unescape(&stored.inline)),
            "b" if !value.is_empty() => {
                Some((if is_true(&value) { "TRUE" } else { "FALSE" }.to_owned(), CellKind::Text))
            }
            "e" => Some((value, CellKind::Error)),
            "d" => text(value),
            _ if value.trim().is_empty() => stored.formula.then(|| (String::new(), CellKind::NoValue)),
            _ => Some(match self.formats.get(style).copied().unwrap_or_default() {
                CellFormat::General => (value.trim().to_owned(), CellKind::Number),
                CellFormat::Percent => (value.trim().to_owned(), CellKind::Percent),
                format => match formats::moment(value.trim(), format, self.epoch_1904) {
                    Some(text) => (text, CellKind::Date { stored: value.trim().to_owned() }),
                    None => (value.trim().to_owned(), CellKind::Number),
                },
            }),
        })
    }
}

struct Relation {
    id: String,
    kind: String,
    target: String,
}

/// The parts that a part names, by their place in the archive; what lies outside of it is left out.
fn relations(archive: &mut Archive, path: &str, folder: &str) -> Result<Vec<Relation>, String> {
    let mut found = Vec::new();
    if !archive.holds(path) {
        return Ok(found);
    }
    let mut xml = Xml::open(archive, path)?;
    while let Some(event) = xml.next()? {
        let (Event::Start(e) | Event::Empty(e)) = event else { continue };
        if e.local_name().as_ref() != "Relationship" || attribute(&e, "TargetMode").is_some_and(|m| m == "External") {
            continue;
        }
        let text = |name| attribute(&e, name).unwrap_or_default().into_owned();
        let target = text("Target");
        let target = match target.strip_prefix('/') {
            Some(rooted) => rooted.to_owned(),
            None => join(folder, &target),
        };
        found.push(Relation { id: text("Id"), kind: text("Type"), target });
    }
    Ok(found)
}

fn join(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
    for part in target.split('/').filter(|p| !p.is_empty() && *p != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

/// The texts that cells share; aids to pronunciation do not belong to them.
fn strings(archive: &mut Archive, path: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let mut xml = Xml::open(archive, path)?;
    let (mut text, mut inside, mut aid) = (String::new(), false, false);
    while let Some(event) = xml.next()? {
        match event {
            Event::Start(e) => match e.local_name().as_ref() {
                "t" => inside = true,
                "rPh" => aid = true,
                _ => {}
            },
            Event::Empty(e) if e.local_name().as_ref() == "si" => found.push(String::new()),
            Event::End(e) => match e.local_name().as_ref() {
                "t" => inside = false,
                "rPh" => aid = false,
                "si" => {
                    found.push(unescape(&text));
                    text.clear();
                }
                _ => {}
            },
            other if inside && !aid => append(&mut text, &other)?,
            _ => {}
        }
    }
    Ok(found)
}

/// The number formats that cells refer to.
fn styles(archive: &mut Archive, path: &str) -> Result<Vec<CellFormat>, String> {
    let (mut codes, mut found, mut inside) = (Vec::new(), Vec::new(), false);
    let mut xml = Xml::open(archive, path)?;
    while let Some(event) = xml.next()? {
        match event {
            Event::Start(e) if e.local_name().as_ref() == "cellXfs" => inside = true,
            Event::End(e) if e.local_name().as_ref() == "cellXfs" => inside = false,
            Event::Start(e) | Event::Empty(e) => {
                let number = attribute(&e, "numFmtId").and_then(|v| v.parse::<u32>().ok());
                match (e.local_name().as_ref(), number) {
                    ("numFmt", Some(id)) => {
                        codes.push((id, formats::of_code(&attribute(&e, "formatCode").unwrap_or_default())));
                    }
                    ("xf", id) if inside => {
                        let id = id.unwrap_or(0);
                        let own = codes.iter().find(|(known, _)| *known == id).map(|(_, f)| *f);
                        found.push(own.unwrap_or_else(|| formats::built_in(id)));
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

/// A part of the archive as XML events, without entities of its own.
struct Xml<'z, 'a> {
    reader: Reader<BufReader<ArchivePart<'z, 'a>>>,
    buffer: Vec<u8>,
    path: String,
}

impl<'z, 'a> Xml<'z, 'a> {
    fn open(archive: &'z mut Archive<'a>, path: &str) -> Result<Self, String> {
        let reader = Reader::from_reader(BufReader::new(archive.part(path)?));
        Ok(Self { reader, buffer: Vec::new(), path: path.to_owned() })
    }

    /// The next event; `None` at the end of the part.
    fn next(&mut self) -> Result<Option<Event<'_>>, String> {
        self.buffer.clear();
        match self.reader.read_event_into(&mut self.buffer) {
            Ok(Event::Eof) => {
                // Nothing may be left unread: the checksum is looked at with the last byte.
                let rest = self.reader.get_mut();
                match rest.fill_buf() {
                    Ok([]) => Ok(None),
                    Ok(_) => Err(format!("{}: bytes behind the end", self.path)),
                    Err(e) => Err(format!("{}: {e}", self.path)),
                }
            }
            Ok(Event::DocType(_)) => Err(format!("{}: a document type, which no workbook has", self.path)),
            Ok(event) => Ok(Some(event)),
            Err(e) => Err(format!("{}: {e}", self.path)),
        }
    }
}

/// The value of an attribute, whatever its prefix.
fn attribute<'e>(element: &'e BytesStart, name: &str) -> Option<Cow<'e, str>> {
    let found = element.attributes().with_checks(false).flatten().find(|a| a.key.local_name().as_ref() == name)?;
    match found.value {
        Cow::Borrowed(raw) => unescape_xml(raw).ok(),
        Cow::Owned(raw) => unescape_xml(&raw).ok().map(|v| Cow::Owned(v.into_owned())),
    }
}

fn is_true(text: &str) -> bool {
    matches!(text.trim(), "1" | "true" | "TRUE" | "on")
}

fn append(text: &mut String, event: &Event) -> Result<(), String> {
    match event {
        Event::Text(t) => text.push_str(&t.xml10_content()),
        Event::CData(t) => text.push_str(&t.xml10_content()),
        Event::GeneralRef(r) => text.push(entity(r)?),
        _ => {}
    }
    Ok(())
}

fn entity(reference: &BytesRef) -> Result<char, String> {
    if let Some(c) = reference.resolve_char_ref().map_err(|e| e.to_string())? {
        return Ok(c);
    }
    match reference.xml10_content().as_ref() {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        other => Err(format!("the entity {other} is not known")),
    }
}

/// `_x000D_` stands for a character that XML cannot carry (ECMA-376 part 1, 22.9.2.19).
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let code = from.get(2..6).filter(|_| from.get(6..7) == Some("_"));
        let found = code.and_then(|c| u32::from_str_radix(c, 16).ok()).and_then(char::from_u32);
        let (found, length) = found.map_or(('_', 1), |c| (c, 7));
        out.push(found);
        rest = from.get(length..).unwrap_or_default();
    }
    out + rest
}
