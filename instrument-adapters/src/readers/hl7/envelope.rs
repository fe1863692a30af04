//! What surrounds the messages: character set, headings and trailers of batches.

use super::{Settings, VT};
use crate::model::{Locator, Severity};
use crate::readers::ReaderInput;
use crate::sink::Sink;

#[derive(Default)]
pub(super) struct Counts {
    pub messages: usize,
    pub in_batch: usize,
    pub batches: usize,
    pub file_open: bool,
    pub batch_open: bool,
    /// A trailer was there and its count was right.
    pub counted: bool,
    pub frames: usize,
    /// Messages outside of a frame.
    pub bare: usize,
}

/// The encoding that MSH-18 names, where it is another one than was found.
pub(super) fn charset(settings: &Settings, input: &ReaderInput, sink: &mut Sink) -> Option<String> {
    let line = input.text.lines.iter().find(|l| l.text.trim_start_matches([VT, ' ']).starts_with("MSH"))?;
    let text = line.text.trim_start_matches([VT, ' ']);
    let mark = text.chars().nth(3)?;
    let component = text.chars().nth(4)?;
    let repeat = text.chars().nth(5)?;
    let named = text.split(mark).nth(17).unwrap_or_default();
    let named = named.split([repeat, component]).next().unwrap_or_default().trim();
    let at = Locator::line(line.number);
    if input.text.whole.is_ascii() {
        return None;
    }
    if named.is_empty() {
        let what = "MSH-18 names no character set, and the file holds more than ASCII";
        match input.text.encoding {
            "UTF-8" | "UTF-16LE" | "UTF-16BE" => sink.warn("charset_missing", what, at),
            _ => sink.problem("charset_missing", Severity::Error, what, at),
        }
        return None;
    }
    let found = settings.charsets.iter().find(|(name, _)| name.eq_ignore_ascii_case(named));
    let Some((_, label)) = found else {
        let what = format!("the adapter does not know the character set \"{named}\" of MSH-18");
        sink.problem("unknown_charset", Severity::Error, what, at);
        return None;
    };
    let wide = label == "utf-16" && input.text.encoding.starts_with("UTF-16");
    (!wide && !label.eq_ignore_ascii_case(input.text.encoding)).then(|| label.clone())
}

/// Headers and trailers of files and batches.
pub(super) fn batch(sink: &mut Sink, counts: &mut Counts, name: &str, text: &str, line: u32, terminated: bool) {
    let mark = text.chars().nth(3).unwrap_or('|');
    let said = text.split(mark).nth(1).unwrap_or_default().trim().to_owned();
    sink.note(line, if name.ends_with("HS") { "head of a batch" } else { "trailer of a batch" });
    let held = match name {
        "FHS" => {
            counts.file_open = true;
            return;
        }
        "BHS" => {
            counts.batch_open = true;
            counts.in_batch = 0;
            counts.batches += 1;
            return;
        }
        "BTS" => {
            counts.batch_open = false;
            counts.in_batch
        }
        _ => {
            counts.file_open = false;
            counts.batches
        }
    };
    match said.parse::<usize>() {
        Ok(count) if count == held => counts.counted = true,
        Ok(count) => {
            sink.fault("wrong_count", format!("{name} counts {count}, there are {held}"), Locator::line(line));
        }
        // Without a count an unfinished trailer may be a cut one.
        Err(_) if !terminated => sink.fault("batch_open", format!("{name} is cut"), Locator::line(line)),
        Err(_) => {}
    }
}
