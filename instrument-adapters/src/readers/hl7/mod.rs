//! HL7 version 2 messages with results: files of segments, captures of MLLP, batches.
//!
//! `MSH` names the delimiters, `OBR` the order, each `OBX` is a value, `SPM` a specimen, `NTE` a remark.
//! A plain file has no end mark. One whose messages are in their MLLP frames (VT … FS) is whole, and so
//! is a batch whose trailer counts its messages right.
//!
//! The segments are taken apart by the crate `hl7_parser`. Escapes are undone here, as it reads only those
//! of ASCII text.

mod envelope;

use std::collections::BTreeMap;

use hl7_parser::Message;
use hl7_parser::message::{Segment, Separators};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Proof, ReaderInput, versions};
use crate::model::{Locator, Severity, Status};
use crate::sink::Sink;
use crate::spec::Pattern;
use crate::tabular::{self, Base};
use crate::text::{self, Text};
use envelope::Counts;

const VT: char = '\u{b}';
const FS: char = '\u{1c}';

/// How senders fill the segments.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// What is measured, where the adapter does not say more.
    quantity: String,
    /// MSH-9 of the messages that hold results.
    messages: Vec<Pattern>,
    /// Segments that say nothing of a result.
    silent: Vec<String>,
    /// Name in MSH-18 → encoding, one of `text.encodings`.
    charsets: BTreeMap<String, String>,
    /// Mark in OBX-8 → what it makes of the value; marks that mean nothing are `ok`.
    marks: BTreeMap<String, Status>,
    /// State in OBX-11 → what it makes of the value.
    states: BTreeMap<String, Status>,
    /// State in OBX-11 → flag.
    state_flags: BTreeMap<String, String>,
    /// States that take the place of an earlier result.
    corrections: Vec<String>,
}

/// One line that is a segment.
struct Row<'t> {
    line: u32,
    text: &'t str,
}

pub(crate) fn read(settings: &Settings, input: &ReaderInput, sink: &mut Sink) -> Proof {
    let charset = envelope::charset(settings, input, sink);
    let again = charset.and_then(|c| text::decode_named(input.bytes, &c));
    let text: &Text = again.as_ref().unwrap_or(input.text);
    if let (Some(line), true) = (text.broken_line, again.is_some()) {
        sink.fault("broken_text", "a byte that the message's own character set does not have", Locator::line(line));
    }
    if let Some(again) = &again {
        crate::adapter::doubt_text(sink, again);
    }
    let mut counts = Counts::default();
    let mut rows: Vec<Row> = Vec::new();
    let mut in_frame = false;
    for line in &text.lines {
        if !sink.spend(1, Locator::line(line.number)) {
            break;
        }
        let mut body = line.text.trim_end();
        if let Some(rest) = body.strip_prefix(VT) {
            if in_frame {
                sink.fault("frame_open", "a message begins within the frame of another", Locator::line(line.number));
            }
            finish(settings, sink, &mut rows, &mut counts, in_frame);
            in_frame = true;
            body = rest;
        }
        let closes = body.ends_with(FS);
        let body = body.trim_end_matches(FS);
        let name = body.get(..3).unwrap_or_default();
        if matches!(name, "MSH" | "FHS" | "BHS" | "BTS" | "FTS") {
            finish(settings, sink, &mut rows, &mut counts, in_frame);
        }
        match name {
            "FHS" | "BHS" | "BTS" | "FTS" => {
                envelope::batch(sink, &mut counts, name, body, line.number, line.terminated)
            }
            _ if body.trim().is_empty() => {}
            _ => rows.push(Row { line: line.number, text: body }),
        }
        if closes {
            finish(settings, sink, &mut rows, &mut counts, in_frame);
            counts.frames += usize::from(in_frame);
            in_frame = false;
        }
    }
    finish(settings, sink, &mut rows, &mut counts, in_frame);
    let end = Locator::line(text.lines.last().map_or(1, |l| l.number));
    if in_frame {
        sink.fault("frame_open", "the frame of the last message is not closed: it is cut", end.clone());
    }
    if counts.batch_open || counts.file_open {
        sink.fault("batch_open", "the batch has no trailer (BTS, FTS): it is cut", end.clone());
    }
    if counts.messages == 0 {
        sink.fault("no_message", "no message holds results", end);
    }
    versions::settle(sink, "record");
    match (sink.broken, counts.counted, counts.frames > 0 && counts.bare == 0) {
        (true, ..) => Proof::Fails,
        (false, true, _) | (false, _, true) => Proof::Holds,
        _ => Proof::None,
    }
}

/// Reads the message that has been gathered.
fn finish(settings: &Settings, sink: &mut Sink, rows: &mut Vec<Row>, counts: &mut Counts, framed: bool) {
    let rows = std::mem::take(rows);
    let Some(first) = rows.first() else { return };
    let at = Locator::line(first.line);
    if !first.text.starts_with("MSH") {
        let shown: String = first.text.chars().take(60).collect();
        let what = format!("a message begins with MSH, here stands: {shown}");
        sink.problem("not_consumed", Severity::Error, what, at);
        return;
    }
    counts.in_batch += 1;
    counts.bare += usize::from(!framed);
    let whole: String = rows.iter().map(|r| r.text).collect::<Vec<_>>().join("\r");
    let message = match Message::parse(&whole) {
        Ok(message) => message,
        Err(_) => {
            sink.fault("bad_message", "MSH does not name its delimiters", at);
            return;
        }
    };
    // The parser stops without a word where a line is not a segment.
    if let Some(row) = rows.get(message.segments.len()) {
        let shown: String = row.text.chars().take(60).collect();
        let what = format!("no segment, and what follows in this message is not read: {shown}");
        sink.fault("bad_segment", what, Locator::line(row.line));
    }
    let mut state = State {
        settings,
        separators: message.separators,
        base: Base::default(),
        number: counts.messages + 1,
        orders: 0,
        specimen: None,
        specimen_first: false,
        order: None,
        of_order: sink.observations.len(),
        of_value: None,
        last_set: 0,
        flags: Vec::new(),
    };
    for (segment, row) in message.segments.iter().zip(&rows) {
        if !sink.spend(segment.fields.len(), Locator::line(row.line)) {
            return;
        }
        if !state.segment(sink, segment, row) {
            return;
        }
    }
    state.settle_sample(sink);
    counts.messages += 1;
}

struct State<'s> {
    settings: &'s Settings,
    separators: Separators,
    base: Base,
    /// Number of the message in the file.
    number: usize,
    orders: usize,
    specimen: Option<String>,
    /// In OUL messages SPM comes before the orders, in ORU behind them.
    specimen_first: bool,
    /// Placer's or filler's number.
    order: Option<String>,
    of_order: usize,
    of_value: Option<usize>,
    last_set: usize,
    flags: Vec<String>,
}

impl State<'_> {
    /// False where the message is of no interest.
    fn segment(&mut self, sink: &mut Sink, segment: &Segment, row: &Row) -> bool {
        let line = row.line;
        match segment.name {
            "MSH" => return self.head(sink, segment, line),
            "OBR" => self.order(sink, segment, line),
            "OBX" => self.value(sink, segment, row),
            "SPM" => {
                let id = [(2, 1), (2, 2)].into_iter().find_map(|(f, c)| self.component(segment, f, c));
                sink.note(line, "specimen");
                let kind = self.component(segment, 4, 2).or_else(|| self.component(segment, 4, 1));
                if self.specimen_first {
                    self.settle_sample(sink);
                    self.order = None;
                    self.of_order = sink.observations.len();
                    self.specimen = id;
                } else if self.specimen.is_none() {
                    self.specimen = id;
                }
                if let Some(kind) = kind {
                    self.put_order(sink, "specimen_type", &kind);
                }
            }
            "NTE" => {
                let text = self.text(segment, 3);
                sink.note(line, "remark");
                match self.of_value.and_then(|i| sink.observations.get_mut(i)) {
                    Some(o) => append(&mut o.context, "comment", &text),
                    None => append(&mut self.base.context, "order_comment", &text),
                }
            }
            "DSC" => sink.fault("goes_on", "DSC says that the message goes on in another one", Locator::line(line)),
            name if self.settings.silent.iter().any(|s| s == name) => sink.note(line, "not read"),
            name => {
                let what = format!("the adapter does not know the segment {name}; it is not read");
                sink.warn_once("record_not_read", what, Locator::line(line));
            }
        }
        true
    }

    fn put_order(&mut self, sink: &mut Sink, name: &str, text: &str) {
        if self.specimen_first {
            self.base.context.insert(name.into(), text.into());
        } else {
            for o in sink.observations.iter_mut().skip(self.of_order) {
                o.context.insert(name.into(), text.into());
            }
        }
    }

    /// The SPM of an ORU comes after the values that it belongs to.
    fn settle_sample(&mut self, sink: &mut Sink) {
        let sample = self.specimen.clone().or_else(|| self.order.clone());
        let own = sink.observations.iter_mut().skip(self.of_order);
        let mut nameless = false;
        for o in own {
            o.sample = sample.clone();
            nameless |= sample.is_none();
        }
        let first = sink.observations.get(self.of_order).map(|o| o.locator.clone());
        if let Some(at) = first.filter(|_| nameless) {
            sink.warn("sample_missing", "neither SPM-2 nor OBR-2 nor OBR-3 names a sample", at);
        }
        if !self.specimen_first {
            self.specimen = None;
        }
    }

    fn head(&mut self, sink: &mut Sink, segment: &Segment, line: u32) -> bool {
        let kind = self.raw(segment, 9).to_owned();
        if !self.settings.messages.iter().any(|m| m.is_match(&kind)) {
            let what = format!("a message {kind} holds no results and is not read");
            sink.warn("other_message", what, Locator::line(line));
            return false;
        }
        self.specimen_first = kind.starts_with("OUL");
        let facts = [
            ("sender", 3),
            ("sender_facility", 4),
            ("receiver", 5),
            ("receiver_facility", 6),
            ("message_type", 9),
            ("message_id", 10),
            ("processing", 11),
            ("version", 12),
            ("charset", 18),
        ];
        for (key, field) in facts {
            sink.run_fact(key, self.text(segment, field));
        }
        if let Some(sent) = sink.date(self.raw(segment, 7), Locator::line(line)) {
            sink.run_fact("sent_at", sent);
        }
        let flag = match self.component(segment, 11, 1).as_deref() {
            Some("T") => Some("training"),
            Some("D") => Some("debugging"),
            _ => None,
        };
        if let Some(flag) = flag {
            sink.warn("no_production", format!("the sender marks the message as {flag}"), Locator::line(line));
            self.flags.push(flag.into());
        }
        sink.note(line, format!("message {} of type {kind}", self.number));
        true
    }

    fn order(&mut self, sink: &mut Sink, segment: &Segment, line: u32) {
        self.settle_sample(sink);
        self.orders += 1;
        self.of_order = sink.observations.len();
        self.of_value = None;
        self.last_set = 0;
        self.base.context.retain(|name, _| self.specimen_first && name == "specimen_type");
        let (placer, filler) = (self.component(segment, 2, 1), self.component(segment, 3, 1));
        self.order = placer.clone().or_else(|| filler.clone());
        let service = self.component(segment, 4, 2).or_else(|| self.component(segment, 4, 1));
        let action = self.component(segment, 11, 1);
        if action.as_deref() == Some("Q") {
            self.base.context.insert("sample_type".into(), "control".into());
        }
        for (name, value) in [("placer", placer), ("filler", filler), ("service", service), ("action", action)] {
            if let Some(value) = value {
                self.base.context.insert(name.into(), value);
            }
        }
        self.base.acquired_at = sink.date(self.raw(segment, 7), Locator::line(line));
        sink.note(line, format!("order {}", self.order.as_deref().unwrap_or("without a number")));
    }

    fn value(&mut self, sink: &mut Sink, segment: &Segment, row: &Row) {
        let line = row.line;
        if segment.fields.len() < 5 {
            sink.fault("record_cut", "OBX ends before its value", Locator::line(line));
            return;
        }
        if let Ok(set) = self.raw(segment, 1).parse::<usize>() {
            if self.last_set > 0 && set > self.last_set + 1 {
                let what = format!("OBX {set} follows OBX {}", self.last_set);
                sink.warn("record_missing", what, Locator::line(line));
            }
            self.last_set = set;
        }
        let kind = self.raw(segment, 2).to_owned();
        if matches!(kind.as_str(), "ED" | "RP" | "NA" | "MA" | "CD") {
            let what = format!("a value of type {kind} (data, picture, curve) is not read");
            sink.warn_once("record_not_read", what, Locator::line(line));
            self.of_value = None;
            return;
        }
        let from = sink.observations.len();
        let raw = self.raw(segment, 5).to_owned();
        // Segments hold their place in the message, the value's first character is wanted.
        let field = segment.field(5);
        let offset = field.zip(segment.field(1)).map_or(0, |(f, first)| f.range.start - first.range.start + 4);
        let column = row.text.get(..offset).map(|before| before.chars().count() as u32 + 1);
        let at = Locator { column, ..Locator::line(line) };
        for (repeat, part) in raw.split(self.separators.repetition).enumerate() {
            let mut o = tabular::observation(&self.base, &self.settings.quantity, part, at.clone());
            self.fill(sink, &mut o, segment, &kind, part);
            if raw.contains(self.separators.repetition) {
                let record = format!("{}.{}.{}.{}", self.number, self.orders, self.raw(segment, 1), repeat + 1);
                o.context.insert("record".into(), record);
            }
            self.marks(sink, &mut o, segment, line);
            sink.observe(o);
        }
        self.of_value = Some(from);
    }

    fn fill(&self, sink: &mut Sink, o: &mut crate::model::Observation, segment: &Segment, kind: &str, part: &str) {
        let at = o.locator.clone();
        o.flags = self.flags.clone();
        o.analyte = [(3, 2), (3, 1)].into_iter().find_map(|(f, c)| self.component(segment, f, c));
        let named = [("code", (3, 1)), ("code_system", (3, 3)), ("sub_id", (4, 1)), ("method", (17, 1))];
        for (name, (field, component)) in named {
            if let Some(text) = self.component(segment, field, component) {
                o.context.insert(name.into(), text);
            }
        }
        for (name, field) in [("range", 7), ("result_state", 11), ("instrument", 18)] {
            let text = self.text(segment, field);
            if !text.is_empty() {
                o.context.insert(name.into(), text);
            }
        }
        let test = format!("{} {}", self.text(segment, 3), self.text(segment, 4));
        o.context.insert("test_id".into(), test.trim().to_owned());
        o.context.insert("value_type".into(), kind.to_owned());
        let record = format!("{}.{}.{}", self.number, self.orders, self.raw(segment, 1));
        o.context.insert("record".into(), record);
        if !self.raw(segment, 14).is_empty() {
            o.acquired_at = sink.date(self.raw(segment, 14), Locator { column: None, ..at.clone() });
        }
        let parts: Vec<String> = part.split(self.separators.component).map(|p| self.unescape(p.trim())).collect();
        let first = |wanted: &[usize]| {
            wanted.iter().filter_map(|i| parts.get(*i)).find(|p| !p.is_empty()).cloned().unwrap_or_default()
        };
        let read = match kind {
            "SN" => structured(&parts),
            "NM" => Some((first(&[0]), false)),
            // A code or a date may look like a number without being one.
            "CE" | "CWE" | "CNE" | "CF" => {
                o.raw = first(&[1, 0]);
                None
            }
            "DT" | "TM" | "TS" | "DTM" | "ID" | "IS" => None,
            _ => Some((self.unescape(part.trim()), true)),
        };
        o.status = Status::Text;
        if let Some((text, words)) = read {
            let read = tabular::reading(sink, &text, words, &at);
            (o.status, o.bound) = (read.status, read.bound);
            o.value = read.number.map(|n| n.value);
            if kind != "SN" {
                o.raw = text;
            }
        }
        if o.raw.is_empty() {
            o.status = Status::Invalid;
            o.flags.push("no_value".into());
        } else if o.status == Status::Invalid && !sink.spec.tokens.contains_key(&o.raw) {
            sink.problem("not_a_number", Severity::Error, format!("\"{}\" is no number", o.raw), at);
        }
        if o.status != Status::Text
            && let Some(written) = self.component(segment, 6, 1)
        {
            // A sender that says UCUM gives the code itself.
            match self.component(segment, 6, 3).as_deref() {
                Some("UCUM") => o.unit = Some(written),
                _ => (o.unit, o.unit_raw) = tabular::unit_of(sink.spec, &written),
            }
        }
    }

    /// OBX-8 and OBX-11.
    fn marks(&self, sink: &mut Sink, o: &mut crate::model::Observation, segment: &Segment, line: u32) {
        let separators = self.separators;
        let marks = self.raw(segment, 8).split([separators.repetition, separators.component]).map(str::trim);
        for mark in marks.filter(|m| !m.is_empty()) {
            let status = self.settings.marks.get(mark).copied();
            if status == Some(Status::Ok) {
                continue;
            }
            if matches!(status, Some(Status::Below | Status::Above)) && o.status == Status::Ok {
                o.bound = o.value.take();
            }
            if let Some(status) = status.filter(|_| o.status == Status::Ok) {
                o.status = status;
            }
            o.flags.push(self.unescape(mark));
        }
        let state = self.raw(segment, 11);
        if state.is_empty() {
            return;
        }
        let status = self.settings.states.get(state).copied();
        let flag = self.settings.state_flags.get(state);
        if status.is_none() && flag.is_none() {
            let what = format!("the adapter does not know the result state \"{state}\" of OBX-11");
            sink.warn_once("unknown_state", what, Locator::line(line));
            o.flags.push(format!("state_{state}"));
        }
        if let Some(status) = status.filter(|s| *s != Status::Ok) {
            o.status = status;
            o.value = None;
            o.bound = None;
        }
        if self.settings.corrections.iter().any(|c| c == state) {
            o.context.insert(versions::VERSION.into(), "correction".into());
        }
        o.flags.extend(flag.cloned());
    }

    fn raw<'m>(&self, segment: &Segment<'m>, field: usize) -> &'m str {
        segment.field(field).map_or("", |f| f.raw_value().trim())
    }

    fn text(&self, segment: &Segment, field: usize) -> String {
        self.unescape(self.raw(segment, field))
    }

    /// A component of the field's first repetition.
    fn component(&self, segment: &Segment, field: usize, component: usize) -> Option<String> {
        let part = segment.field(field)?.repeat(1)?.component(component)?.raw_value();
        let first = part.split(self.separators.subcomponent).next().unwrap_or_default();
        Some(self.unescape(first.trim())).filter(|t| !t.is_empty())
    }

    /// `\F\`, `\S\`, `\R\`, `\T\`, `\E\`, `\X0D\`, `\.br\`; other sequences stay as written.
    fn unescape(&self, text: &str) -> String {
        let s = self.separators;
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(s.escape) {
            out.push_str(before);
            let code = after.split_once(s.escape);
            let one = code.and_then(|(code, _)| match code {
                "F" => Some(s.field),
                "S" => Some(s.component),
                "R" => Some(s.repetition),
                "T" => Some(s.subcomponent),
                "E" => Some(s.escape),
                ".br" => Some('\n'),
                _ => code
                    .strip_prefix('X')
                    .filter(|hex| hex.len() == 2)
                    .and_then(|hex| u8::from_str_radix(hex, 16).ok())
                    .filter(u8::is_ascii)
                    .map(char::from),
            });
            match (one, code) {
                (Some(c), Some((_, next))) => {
                    out.push(c);
                    rest = next;
                }
                _ => {
                    out.push(s.escape);
                    rest = after;
                }
            }
        }
        out.push_str(rest);
        out
    }
}

/// SN: `<^0.05`, `^10`, `^1^:^128`. A range or a ratio is a text.
fn structured(parts: &[String]) -> Option<(String, bool)> {
    let part = |n: usize| parts.get(n).map_or("", String::as_str);
    if !part(2).is_empty() || !part(3).is_empty() {
        return None;
    }
    match part(0) {
        "" | "=" => Some((part(1).to_owned(), false)),
        "<" | "<=" | ">" | ">=" => Some((format!("{}{}", part(0), part(1)), false)),
        _ => None,
    }
}

fn append(context: &mut BTreeMap<String, String>, name: &str, text: &str) {
    if text.is_empty() {
        return;
    }
    let entry = context.entry(name.into()).or_default();
    if !entry.is_empty() {
        entry.push_str("; ");
    }
    entry.push_str(text);
}
