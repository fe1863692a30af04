//! Plates: wells by row and column, or by time, for one or several wavelengths.

use super::{Block, Mode, Settings, Wells, cells};
use crate::model::{Locator, Severity, Status};
use crate::sink::{Sink, slug};
use crate::tabular::{self, Base, Cell};
use crate::text::Line;

/// What the plate's first line declares.
struct Head {
    name: String,
    time_format: bool,
    read_type: String,
    mode: String,
    quantity: String,
    unit: Option<String>,
    reduced_only: bool,
    points: usize,
    wavelengths: Vec<String>,
    columns: usize,
    /// Wells of the whole plate, of which a part may have been read.
    plate: Option<usize>,
    rows: Option<usize>,
    first_row: usize,
    x_unit: Option<String>,
}

/// A part of the plate under one line of headings.
#[derive(Default)]
struct Section {
    reduced: bool,
    /// What each cell from the third on stands for; `None` parts the wavelengths.
    labels: Vec<Option<Label>>,
    /// Readings of the plate (plate format) or of a wavelength (time format) so far.
    blocks: usize,
    /// Rows in the open block.
    rows: usize,
    /// Line of the open block.
    line: u32,
    x: String,
    temperature: String,
    started: bool,
}

#[derive(Clone)]
struct Label {
    wavelength: usize,
    text: String,
}

pub(super) fn read(settings: &Settings, sink: &mut Sink, block: &Block, wells: &Wells) {
    let Some(first) = block.lines.first() else {
        return;
    };
    let Some(head) = head(settings, sink, first) else {
        return;
    };
    sink.note(first.number, format!("plate {}", head.name));
    let mut section: Option<Section> = None;
    let mut sections = 0;
    let mut after_blank = true;
    for line in block.lines.iter().skip(1) {
        let row = cells(line);
        if !sink.spend(row.len(), Locator::line(line.number)) {
            return;
        }
        let labels = labels(&head, &row);
        let heading = labels.filter(|_| sections == 0 || after_blank);
        if let Some(labels) = heading.filter(|_| sections < 2) {
            close(sink, &head, section.take());
            sections += 1;
            check_labels(sink, &head, &labels, line.number);
            section = Some(Section {
                reduced: sections == 2 || head.reduced_only,
                labels,
                line: line.number,
                ..Section::default()
            });
            sink.note(line.number, "wells");
            after_blank = false;
            continue;
        }
        let unread_row = row.len() > head.columns + 1
            && section.as_ref().is_some_and(|s| s.started && s.rows < head.rows.unwrap_or(0));
        if line.is_blank() && (!unread_row || head.time_format) {
            if let Some(section) = &mut section {
                end_block(sink, &head, section);
            }
            after_blank = true;
            continue;
        }
        after_blank = false;
        match &mut section {
            Some(section) if head.time_format => {
                time_row(sink, &head, section, line, &row, wells);
            }
            Some(section) => plate_row(sink, &head, section, line, &row, wells),
            None => {
                sink.fault("wells_missing", "a plate without its line of wells", Locator::line(line.number));
                return;
            }
        }
    }
    close(sink, &head, section.take());
    if sections == 0 {
        let at = Locator::line(first.number);
        sink.fault("wells_missing", "a plate without its line of wells", at);
    }
}

fn head(settings: &Settings, sink: &mut Sink, line: &Line) -> Option<Head> {
    let found = cells(line);
    let text = |i: usize| found.get(i).map_or("", |c| c.raw.as_str());
    let at = Locator::line(line.number);
    let Some(base) = (6..=8).find(|i| matches!(text(*i), "Raw" | "Reduced" | "Both")) else {
        let message = "the plate does not say whether its data are raw or reduced; not read";
        sink.fault("plate_head", message, at);
        return None;
    };
    let time_format = match text(3) {
        "TimeFormat" => true,
        "PlateFormat" => false,
        other => {
            let message = format!("\"{other}\" is no known export format; the plate is not read");
            sink.fault("plate_head", message, at);
            return None;
        }
    };
    let number = |i: usize| text(i).parse::<usize>().ok();
    let mode = text(5).to_owned();
    let known = settings.modes.get(&mode);
    if known.is_none() {
        sink.warn_once("unknown_mode", format!("the adapter does not know the read mode \"{mode}\""), at.clone());
    }
    let rows_at = known.map_or(23, |m: &Mode| m.rows_at);
    let wavelengths: Vec<String> = text(base + 9).split_whitespace().map(String::from).collect();
    let declared = number(base + 8).unwrap_or(wavelengths.len());
    if !wavelengths.is_empty() && declared != wavelengths.len() {
        let message = format!("{declared} wavelengths declared, {} named", wavelengths.len());
        sink.fault("wavelength_count", message, at.clone());
    }
    let (Some(columns), Some(points)) = (number(base + 11), number(base + 2)) else {
        let message = "the plate does not declare its columns and readings; not read";
        sink.fault("plate_head", message, at);
        return None;
    };
    let read_type = text(4).to_owned();
    Some(Head {
        name: text(1).to_owned(),
        time_format,
        quantity: known.map_or_else(|| slug(&mode), |m| m.quantity.clone()),
        unit: known.and_then(|m| m.unit.clone()),
        x_unit: settings.curves.get(&read_type).cloned(),
        reduced_only: text(base) == "Reduced",
        points: points.max(1),
        wavelengths,
        columns,
        plate: number(base + 12),
        rows: number(base + rows_at),
        first_row: number(base + rows_at - 1).unwrap_or(1).max(1),
        read_type,
        mode,
    })
}

/// The wells or columns that a line names, if it is a line of headings.
fn labels(head: &Head, row: &[Cell]) -> Option<Vec<Option<Label>>> {
    let data = row.get(2..)?;
    let mut wavelength = 0;
    let mut expected: Option<u32> = None;
    let mut labels = Vec::new();
    for cell in data {
        if cell.raw.is_empty() {
            if expected.is_some() {
                wavelength += 1;
            }
            expected = None;
            labels.push(None);
            continue;
        }
        if head.time_format {
            if !is_well(&cell.raw) {
                return None;
            }
            expected = Some(0);
        } else {
            // Counts may look like headings; columns follow each other.
            let number: u32 = cell.raw.parse().ok()?;
            if expected.is_some_and(|e| e != number) || number == 0 {
                return None;
            }
            expected = Some(number + 1);
        }
        labels.push(Some(Label { wavelength, text: cell.raw.clone() }));
    }
    while labels.last().is_some_and(Option::is_none) {
        labels.pop();
    }
    let named = labels.iter().flatten().count();
    let enough = named >= head.columns.min(2);
    (enough && named > 0).then_some(labels)
}

fn is_well(text: &str) -> bool {
    let letters = text.chars().take_while(char::is_ascii_uppercase).count();
    let digits = text.get(letters..).unwrap_or_default();
    (1..=2).contains(&letters) && (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Columns of a plate of that many wells, which are always three to two rows.
fn columns_of(plate: usize) -> Option<usize> {
    let columns = (1..=48).find(|c| c * c * 2 == plate * 3)?;
    Some(columns)
}

fn check_labels(sink: &mut Sink, head: &Head, labels: &[Option<Label>], line: u32) {
    let named = labels.iter().flatten().count();
    // Where a part of the plate was read, the headings may name all of it.
    let fits = if head.time_format {
        head.rows.is_none_or(|r| r * head.columns == named) || head.plate == Some(named)
    } else {
        let whole = head.plate.and_then(columns_of);
        [Some(head.columns), whole].into_iter().flatten().any(|c| c > 0 && named.is_multiple_of(c))
    };
    if !fits {
        sink.fault(
            "wells_count",
            format!(
                "{named} headings where the plate declares {} columns and {} rows",
                head.columns,
                head.rows.unwrap_or(0)
            ),
            Locator::line(line),
        );
    }
}

fn plate_row(sink: &mut Sink, head: &Head, section: &mut Section, line: &Line, row: &[Cell], wells: &Wells) {
    let text = |i: usize| row.get(i).map_or("", |c| c.raw.as_str());
    let full = head.rows.is_some_and(|r| section.rows >= r);
    if !section.started || full || (!text(0).is_empty() && section.rows > 0) {
        end_block(sink, head, section);
        section.started = true;
        section.line = line.number;
        section.x = text(0).to_owned();
        section.temperature = text(1).to_owned();
    }
    let letter = row_name(head.first_row - 1 + section.rows);
    section.rows += 1;
    row_cells(sink, head, section, line, row, wells, &|label| format!("{letter}{}", label.text));
}

fn time_row(sink: &mut Sink, head: &Head, section: &mut Section, line: &Line, row: &[Cell], wells: &Wells) {
    let text = |i: usize| row.get(i).map_or("", |c| c.raw.as_str());
    section.started = true;
    section.rows += 1;
    section.line = line.number;
    section.x = text(0).to_owned();
    section.temperature = text(1).to_owned();
    row_cells(sink, head, section, line, row, wells, &|label| label.text.clone());
}

fn row_cells(
    sink: &mut Sink,
    head: &Head,
    section: &Section,
    line: &Line,
    row: &[Cell],
    wells: &Wells,
    well_of: &dyn Fn(&Label) -> String,
) {
    let data = row.get(2..).unwrap_or_default();
    if data.len() < section.labels.len() {
        sink.warn(
            "row_short",
            format!("{} cells under {} headings; the rest is taken as not read", data.len(), section.labels.len()),
            Locator::line(line.number),
        );
    }
    let curve = head.x_unit.is_some() && !section.reduced;
    for (index, cell) in data.iter().enumerate().filter(|(_, c)| !c.raw.is_empty()) {
        let Some(label) = section.labels.get(index).and_then(Option::as_ref) else {
            sink.problem(
                "row_width",
                Severity::Error,
                format!("\"{}\" stands under no well", cell.raw),
                Locator::at(line.number, cell.column),
            );
            continue;
        };
        if curve && !sink.curves {
            continue;
        }
        value(sink, head, section, line, cell, label, &well_of(label), wells);
    }
    sink.note(line.number, "wells");
}

#[allow(clippy::too_many_arguments)]
fn value(
    sink: &mut Sink,
    head: &Head,
    section: &Section,
    line: &Line,
    cell: &Cell,
    label: &Label,
    well: &str,
    wells: &Wells,
) {
    let at = Locator::at(line.number, cell.column);
    let mut base = Base::default();
    let owner = [head.name.as_str(), ""].iter().find_map(|plate| wells.get(&((*plate).to_owned(), well.to_owned())));
    if let Some(Some(owner)) = owner {
        base.sample = Some(owner.sample.clone());
        base.context.insert("group".into(), owner.group.clone());
    }
    let mut put = |key: &str, text: &str| {
        if !text.is_empty() {
            base.context.insert(key.to_owned(), text.to_owned());
        }
    };
    put("plate", &head.name);
    put("well", well);
    put("data", if section.reduced { "reduced" } else { "raw" });
    put("read_mode", &head.mode);
    put("read_type", &head.read_type);
    put("temperature", &section.temperature);
    let wavelength = if head.time_format { section.blocks } else { label.wavelength };
    if !section.reduced && head.wavelengths.len() > 1 {
        // One wavelength may be read several times.
        put("wavelength_number", &(wavelength + 1).to_string());
    }
    if !section.reduced {
        put("wavelength", head.wavelengths.get(wavelength).map_or("", String::as_str));
    }
    let read = tabular::reading(sink, &cell.raw, false, &at);
    let quantity = if section.reduced { format!("reduced_{}", head.quantity) } else { head.quantity.clone() };
    let mut observation = tabular::observation(&base, &quantity, &cell.raw, at.clone());
    if read.status == Status::Invalid && !sink.spec.tokens.contains_key(cell.raw.as_str()) {
        let message = format!("\"{}\" in well {well} is no number", cell.raw);
        sink.problem("not_a_number", Severity::Error, message, at.clone());
    }
    observation.status = read.status;
    observation.bound = read.bound;
    observation.value = read.number.map(|n| n.value);
    if !section.reduced {
        observation.unit = head.unit.clone();
    }
    if head.x_unit.is_some() && !section.reduced {
        observation.quantity = "signal".into();
        (observation.x, observation.x_unit) = abscissa(sink, head, &section.x, &at);
        sink.point(observation);
    } else {
        sink.observe(observation);
    }
}

/// Time as seconds, wavelength or place as written.
fn abscissa(sink: &mut Sink, head: &Head, x: &str, at: &Locator) -> (Option<String>, Option<String>) {
    let unit = head.x_unit.clone().filter(|u| !u.is_empty());
    if x.contains(':') {
        let mut seconds: u64 = 0;
        for part in x.split(':') {
            let Ok(part) = part.trim().parse::<u32>() else {
                sink.warn_once("abscissa", format!("\"{x}\" is no time"), at.clone());
                return (None, None);
            };
            seconds = seconds.saturating_mul(60).saturating_add(u64::from(part));
        }
        return (Some(seconds.to_string()), unit);
    }
    match sink.number(x, at) {
        Some(number) => (Some(number.value), unit),
        None => {
            let message = format!("\"{x}\" is no abscissa");
            sink.warn_once("abscissa", message, at.clone());
            (None, None)
        }
    }
}

/// The open block of rows is over: a plate has all its rows, a wavelength all its readings.
fn end_block(sink: &mut Sink, head: &Head, section: &mut Section) {
    if !section.started || section.rows == 0 {
        return;
    }
    let expected = if head.time_format { (!section.reduced).then_some(head.points) } else { head.rows };
    if let Some(expected) = expected.filter(|e| *e != section.rows) {
        sink.fault(
            "rows_missing",
            format!("{} rows where the plate declares {expected}", section.rows),
            Locator::line(section.line),
        );
    }
    section.blocks += 1;
    section.rows = 0;
    section.started = false;
}

fn close(sink: &mut Sink, head: &Head, section: Option<Section>) {
    let Some(mut section) = section else { return };
    end_block(sink, head, &mut section);
    let expected = match (section.reduced, head.time_format) {
        (true, _) => 1,
        (false, true) => head.wavelengths.len().max(1),
        (false, false) => head.points,
    };
    if section.blocks != expected && !(section.reduced && section.blocks > 1) {
        sink.fault(
            "readings_missing",
            format!("{} readings where the plate declares {expected}", section.blocks),
            Locator::line(section.line),
        );
    }
}

/// A, B, … Z, AA, AB, …
fn row_name(index: usize) -> String {
    let letter = |i: usize| char::from(b'A' + u8::try_from(i % 26).unwrap_or(0));
    match index / 26 {
        0 => letter(index).to_string(),
        more => format!("{}{}", letter(more - 1), letter(index)),
    }
}
