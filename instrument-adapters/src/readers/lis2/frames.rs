//! Frames of LIS01-A2 as they were captured from a line, taken off their records.
//!
//! A capture may hold the control characters themselves or their names (`<STX>`, `[STX]`), one direction
//! or both, with or without ENQ and EOT, frames that were refused and sent again, and frames that hold one
//! record, all records, or a part of one.

use crate::link::lis::{ACK, ENQ, EOT, ETB, ETX, NAK, STX, checksum};
use crate::model::Locator;
use crate::sink::Sink;

/// A record with the line where it begins.
pub(super) struct Record {
    pub line: u32,
    pub bytes: Vec<u8>,
    /// False for a last one that nothing ends.
    pub terminated: bool,
}

/// The records of a file.
pub(super) struct Records {
    pub records: Vec<Record>,
    /// True where checksums and numbers cover them.
    pub framed: bool,
}

type Byte = (u8, u32);

/// Takes the file apart; frames that do not hold are faults.
pub(super) fn records(bytes: &[u8], sink: &mut Sink) -> Records {
    let marks: [&[u8]; 2] = [b"\xef\xbb\xbf", &[0x84, 0x31, 0x95, 0x33]];
    let body = marks.iter().find_map(|mark| bytes.strip_prefix(*mark)).unwrap_or(bytes);
    let stream = spelled(numbered(body));
    if !stream.iter().any(|(b, _)| *b == STX) {
        return Records { records: split(&stream, false), framed: false };
    }
    Records { records: split(&unframed(&stream, sink), true), framed: true }
}

/// Each byte with its line, counted as the text's lines are.
fn numbered(bytes: &[u8]) -> Vec<Byte> {
    let mut line = 1u32;
    let mut out = Vec::with_capacity(bytes.len());
    for (place, byte) in bytes.iter().enumerate() {
        out.push((*byte, line));
        let pair = *byte == b'\r' && bytes.get(place + 1) == Some(&b'\n');
        if matches!(byte, b'\r' | b'\n') && !pair {
            line = line.saturating_add(1);
        }
    }
    out
}

/// Names of control characters become the characters; what breaks the log's own lines falls away.
fn spelled(stream: Vec<Byte>) -> Vec<Byte> {
    const NAMES: [(&[u8], u8); 9] = [
        (b"STX", STX),
        (b"ETX", ETX),
        (b"ETB", ETB),
        (b"ENQ", ENQ),
        (b"EOT", EOT),
        (b"ACK", ACK),
        (b"NAK", NAK),
        (b"CR", b'\r'),
        (b"LF", b'\n'),
    ];
    let named = |at: usize| -> Option<(u8, usize)> {
        let close = match stream.get(at)?.0 {
            b'<' => b'>',
            b'[' => b']',
            _ => return None,
        };
        let text: Vec<u8> = stream.get(at + 1..stream.len().min(at + 5))?.iter().map(|(b, _)| *b).collect();
        let (name, byte) = NAMES.iter().find(|(name, _)| text.starts_with(name))?;
        (text.get(name.len()) == Some(&close)).then_some((*byte, name.len() + 2))
    };
    if stream.iter().any(|(b, _)| *b == STX) || !(0..stream.len()).any(|at| named(at).is_some_and(|(b, _)| b == STX)) {
        return stream;
    }
    let spells_ends = (0..stream.len()).any(|at| named(at).is_some_and(|(b, _)| b == b'\r'));
    let mut out = Vec::with_capacity(stream.len());
    let mut at = 0;
    while let Some((byte, line)) = stream.get(at).copied() {
        match named(at) {
            Some((control, length)) => {
                out.push((control, line));
                at += length;
            }
            None => {
                if !(spells_ends && matches!(byte, b'\r' | b'\n')) {
                    out.push((byte, line));
                }
                at += 1;
            }
        }
    }
    out
}

/// The text between STX and ETB or ETX, with number and checksum checked.
struct Frame {
    body: Vec<Byte>,
    line: u32,
    holds: bool,
}

impl Frame {
    fn number(&self) -> u8 {
        self.body.first().map_or(b'?', |(b, _)| *b)
    }

    fn bytes(&self) -> Vec<u8> {
        self.body.iter().map(|(b, _)| *b).collect()
    }
}

fn unframed(stream: &[Byte], sink: &mut Sink) -> Vec<Byte> {
    let mut out: Vec<Byte> = Vec::new();
    let mut last: Option<Vec<u8>> = None;
    // A frame that does not hold is forgiven when the same number comes again and does.
    let mut owed: Option<(u8, u32, String)> = None;
    let (mut asked, mut ended, mut goes_on) = (false, false, false);
    let mut rest = stream;
    while let Some(((byte, line), tail)) = rest.split_first() {
        rest = tail;
        match *byte {
            STX => {
                let (frame, after, why) = frame(rest, *line);
                rest = after;
                let next =
                    last.as_ref().and_then(|l| l.first()).map_or(b'1', |n| if *n == b'7' { b'0' } else { n + 1 });
                if !frame.holds {
                    owed.get_or_insert((frame.number(), frame.line, why));
                    continue;
                }
                if owed.as_ref().is_some_and(|(number, ..)| *number == frame.number()) {
                    owed = None;
                }
                if last.as_ref() == Some(&frame.bytes()) {
                    sink.note(frame.line, "frame sent again");
                    continue;
                }
                if frame.number() != next {
                    sink.fault(
                        "frame_missing",
                        format!("frame {} where {} is due", char::from(frame.number()), char::from(next)),
                        Locator::line(frame.line),
                    );
                }
                last = Some(frame.bytes());
                goes_on = frame.body.last().is_some_and(|(b, _)| *b == ETB);
                let text = frame.body.get(1..frame.body.len().saturating_sub(1)).unwrap_or_default();
                out.extend_from_slice(text);
                if !goes_on && !out.last().is_none_or(|(b, _)| matches!(b, b'\r' | b'\n')) {
                    // Some devices leave out the record's end before ETX.
                    out.push((b'\r', frame.line));
                }
            }
            ENQ => {
                asked = true;
                ended = false;
                last = None;
            }
            EOT => ended = true,
            ACK | NAK | b'\r' | b'\n' | b' ' | b'\t' => {}
            other => sink.warn_once(
                "outside_frame",
                format!("a byte 0x{other:02x} outside of the frames is not read"),
                Locator::line(*line),
            ),
        }
    }
    let end = stream.last().map_or(1, |(_, line)| *line);
    if let Some((_, line, why)) = owed {
        sink.fault("frame_broken", why, Locator::line(line));
    }
    if goes_on {
        sink.fault("frame_missing", "the last frame says that its record goes on", Locator::line(end));
    }
    if asked && !ended {
        sink.fault("transmission_open", "the transmission has no EOT at its end", Locator::line(end));
    }
    out
}

/// One frame behind its STX, what follows it, and why it does not hold.
fn frame(rest: &[Byte], line: u32) -> (Frame, &[Byte], String) {
    let length = rest.iter().position(|(b, _)| matches!(*b, ETX | ETB | STX | EOT | ENQ)).unwrap_or(rest.len());
    let closed = rest.get(length).is_some_and(|(b, _)| matches!(*b, ETX | ETB));
    let (body, after) = rest.split_at_checked(length + usize::from(closed)).unwrap_or((rest, &[]));
    let mut frame = Frame { body: body.to_vec(), line, holds: false };
    if !closed {
        return (frame, after, "a frame without ETX or ETB".into());
    }
    let expected = checksum(&frame.bytes());
    // Captures by line have lost the line end before the sum, or have one there.
    let skip = after.iter().take_while(|(b, _)| matches!(*b, b'\r' | b'\n')).count();
    let (sum, left) = after.get(skip..).and_then(|a| a.split_at_checked(2)).unwrap_or((&[], after));
    let found: String = sum.iter().map(|(b, _)| char::from(*b)).collect();
    frame.holds = found.eq_ignore_ascii_case(&expected) && frame.number().is_ascii_digit();
    if found.len() == 2 && found.bytes().all(|b| b.is_ascii_hexdigit()) {
        let why = format!("checksum {found}, the bytes of the frame add up to {expected}");
        return (frame, left, why);
    }
    (frame, after, format!("the frame's checksum {expected} is missing or cut"))
}

/// Records end with CR; files keep them with LF or both.
fn split(stream: &[Byte], whole: bool) -> Vec<Record> {
    let ends = |byte: &Byte| matches!(byte.0, b'\r' | b'\n');
    let mut records = Vec::new();
    let mut rest = stream;
    while !rest.is_empty() {
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        let (record, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        if let Some((_, line)) = record.first() {
            let bytes = record.iter().map(|(b, _)| *b).collect();
            records.push(Record { line: *line, bytes, terminated: whole || !after.is_empty() });
        }
        rest = after.get(1..).unwrap_or_default();
    }
    records
}
