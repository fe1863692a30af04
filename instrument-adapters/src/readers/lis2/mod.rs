//! Records of LIS2-A2 (the former ASTM E1394): files of received records, or of captured frames.
//!
//! `H` names the delimiters and the sender; `P`, `O` and `R` are nested, `C` belongs to the
//! record before it, `L` ends the message. A message without its `L`, or whose `L` says that the sender
//! broke off, is not whole. In captured frames every number and checksum must hold besides.

mod frames;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Proof, ReaderInput, versions};
use crate::model::{Locator, Severity, Status};
use crate::sink::Sink;
use crate::spec::Pattern;
use crate::tabular::{self, Base};
use frames::{Record, Records};

/// How analysers fill the records.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// What is measured, where the adapter does not say more.
    #[serde(default = "result")]
    quantity: String,
    /// Where the sample is: record, field and component, such as `O.3.1`; the first that is filled.
    sample: Vec<Place>,
    /// Where the test is; those that are filled are joined.
    analyte: Vec<Place>,
    /// Analysers that fill them otherwise.
    #[serde(default)]
    senders: Vec<Sender>,
    /// Mark in R-7 → what it makes of the value; marks that mean nothing are `ok`.
    #[serde(default)]
    marks: BTreeMap<String, Status>,
    /// State of a result in R-9 → what it makes of the value.
    #[serde(default)]
    states: BTreeMap<String, Status>,
    /// State of a result in R-9 → flag.
    #[serde(default)]
    state_flags: BTreeMap<String, String>,
    /// Comments of the instrument that are not warnings.
    #[serde(default)]
    harmless_comments: Vec<Pattern>,
}

fn result() -> String {
    "result".into()
}

/// One analyser's habits.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Sender {
    /// Pattern of H-5.
    name: Pattern,
    #[serde(default)]
    sample: Vec<Place>,
    #[serde(default)]
    analyte: Vec<Place>,
}

/// A component of a record: `O.3.1`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
struct Place {
    record: char,
    field: usize,
    component: usize,
}

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is no place such as O.3.1");
        let mut parts = text.split('.');
        let record = parts.next().and_then(|r| r.chars().next()).ok_or_else(wrong)?;
        let number = |p: Option<&str>| p.and_then(|n| n.parse::<usize>().ok()).filter(|n| *n > 0).ok_or_else(wrong);
        Ok(Self { record, field: number(parts.next())?, component: number(parts.next())? })
    }
}

/// Delimiters of the header in force.
#[derive(Debug, Clone, Copy)]
struct Delimiters {
    field: char,
    repeat: char,
    component: char,
    escape: char,
}

impl Delimiters {
    /// From a header: `H|\^&|`. A repeated character (an escaped backslash) counts once.
    fn of(text: &str) -> Option<Self> {
        let mut chars = text.chars().skip(1);
        let field = chars.next().filter(|c| !c.is_alphanumeric() && !c.is_whitespace())?;
        let mut marks: Vec<char> = Vec::new();
        for c in chars.take_while(|c| *c != field) {
            if c.is_alphanumeric() || c.is_whitespace() {
                return None;
            }
            if !marks.contains(&c) {
                marks.push(c);
            }
        }
        match marks.as_slice() {
            [repeat, component, escape] => {
                Some(Self { field, repeat: *repeat, component: *component, escape: *escape })
            }
            _ => None,
        }
    }

    /// Delimiters that were written with the escape character: `&F&`, `&S&`, `&R&`, `&E&`, `&X0D&`.
    fn unescape(&self, text: &str) -> String {
        if !text.contains(self.escape) {
            return text.to_owned();
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(self.escape) {
            out.push_str(before);
            let Some((code, next)) = after.split_once(self.escape) else {
                out.push(self.escape);
                rest = after;
                continue;
            };
            let one = match code {
                "F" => Some(self.field),
                "S" => Some(self.component),
                "R" => Some(self.repeat),
                "E" => Some(self.escape),
                _ => code
                    .strip_prefix('X')
                    .filter(|hex| hex.len() == 2)
                    .and_then(|hex| u8::from_str_radix(hex, 16).ok())
                    .map(char::from),
            };
            match one {
                Some(c) => {
                    out.push(c);
                    rest = next;
                }
                None => {
                    out.push(self.escape);
                    rest = after;
                }
            }
        }
        out.push_str(rest);
        out
    }
}

/// A record cut into fields.
struct Fields {
    all: Vec<String>,
    delimiters: Delimiters,
}

impl Fields {
    fn of(text: &str, delimiters: Delimiters) -> Self {
        Self { all: text.split(delimiters.field).map(str::to_owned).collect(), delimiters }
    }

    /// Field by its number, the record's letter being 1; as written but for blanks at its ends.
    fn raw(&self, field: usize) -> &str {
        self.all.get(field.wrapping_sub(1)).map_or("", |f| f.trim())
    }

    fn text(&self, field: usize) -> String {
        self.delimiters.unescape(self.raw(field))
    }

    fn components(&self, field: usize) -> Vec<String> {
        let d = self.delimiters;
        self.raw(field).split(d.component).map(|c| d.unescape(c.trim())).collect()
    }

    fn component(&self, field: usize, component: usize) -> Option<String> {
        self.components(field).into_iter().nth(component.wrapping_sub(1)).filter(|c| !c.is_empty())
    }
}

/// What the records so far say of those that follow.
struct State<'s> {
    settings: &'s Settings,
    delimiters: Option<Delimiters>,
    sender: Option<&'s Sender>,
    header: Option<Fields>,
    patient: Option<Fields>,
    order: Option<Fields>,
    base: Base,
    framed: bool,
    messages: usize,
    /// True between H and L.
    open: bool,
    orders: usize,
    last_result: usize,
    /// First observation of the order, and of the record that a comment belongs to.
    of_order: usize,
    of_record: usize,
    order_flags: Vec<String>,
    proven: bool,
}

pub(crate) fn read(settings: &Settings, input: &ReaderInput, sink: &mut Sink) -> Proof {
    let found = encoding_rs::Encoding::for_label(input.text.encoding.as_bytes()).unwrap_or(encoding_rs::UTF_8);
    // Records are taken apart by their bytes, which are those of ASCII in every other encoding.
    let wide = found.name().starts_with("UTF-16");
    let (bytes, encoding) = if wide { (input.text.whole.as_bytes(), encoding_rs::UTF_8) } else { (input.bytes, found) };
    let Records { records, framed } = frames::records(bytes, sink);
    let mut state = State {
        settings,
        delimiters: None,
        sender: None,
        header: None,
        patient: None,
        order: None,
        base: Base::default(),
        framed,
        messages: 0,
        open: false,
        orders: 0,
        last_result: 0,
        of_order: 0,
        of_record: 0,
        order_flags: Vec::new(),
        proven: true,
    };
    for record in &records {
        if !sink.spend(1, Locator::line(record.line)) {
            break;
        }
        let (text, _) = encoding.decode_without_bom_handling(&record.bytes);
        let line = input.text.lines.get(record.line.saturating_sub(1) as usize).map_or("", |l| l.text.as_str());
        state.record(sink, record, &text, line);
    }
    let last = records.last().map_or(1, |r| r.line);
    if state.open {
        sink.fault("message_open", "the message has no L record: it is cut", Locator::line(last));
    }
    if state.messages == 0 {
        sink.fault("no_message", "no H record begins a message", Locator::line(1));
    }
    versions::settle(sink, "record");
    if sink.broken || !state.proven { Proof::Fails } else { Proof::Holds }
}

impl<'s> State<'s> {
    fn record(&mut self, sink: &mut Sink, record: &Record, text: &str, line: &str) {
        let at = Locator::line(record.line);
        let text = text.trim_start();
        let kind = text.chars().next().unwrap_or(' ');
        if kind == 'H' {
            return self.head(sink, text, &at);
        }
        let Some(delimiters) = self.delimiters.filter(|d| text.chars().nth(1).is_none_or(|c| c == d.field)) else {
            let shown: String = text.chars().take(60).collect();
            sink.problem("not_consumed", Severity::Error, format!("no record of a message: {shown}"), at);
            return;
        };
        let fields = Fields::of(text, delimiters);
        if !sink.spend(fields.all.len(), at.clone()) {
            return;
        }
        match kind {
            'P' => {
                sink.note(record.line, "patient");
                self.patient = Some(fields);
                self.order = None;
                self.order_flags.clear();
                self.of_record = sink.observations.len();
            }
            'O' => self.order(sink, fields, record.line),
            'R' => {
                self.of_record = sink.observations.len();
                let start = line.find(text).map(|bytes| line.get(..bytes).unwrap_or_default().chars().count());
                self.result(sink, &fields, record, start);
            }
            'C' => self.comment(sink, &fields, record.line),
            'L' => self.end(sink, &fields, record),
            'Q' => sink.note(record.line, "request for orders; holds no result"),
            'M' | 'S' => {
                let what = format!("record {kind} (manufacturer's or scientific) is not read: {}", fields.text(3));
                sink.warn_once("record_not_read", what, at);
            }
            _ => {
                sink.problem("not_consumed", Severity::Error, format!("LIS2-A2 has no record \"{kind}\""), at);
            }
        }
    }

    fn head(&mut self, sink: &mut Sink, text: &str, at: &Locator) {
        if self.open {
            sink.fault("message_open", "a message begins before the last one has its L record", at.clone());
        }
        let Some(delimiters) = Delimiters::of(text) else {
            sink.fault("bad_header", "the H record does not name three delimiters", at.clone());
            self.delimiters = None;
            return;
        };
        let fields = Fields::of(text, delimiters);
        self.messages += 1;
        self.open = true;
        self.delimiters = Some(delimiters);
        self.patient = None;
        self.order = None;
        self.orders = 0;
        self.last_result = 0;
        self.order_flags.clear();
        self.of_order = sink.observations.len();
        self.of_record = self.of_order;
        let sender = fields.text(5);
        self.sender = self.settings.senders.iter().find(|s| s.name.is_match(&sender));
        for (key, field) in [("message_id", 3), ("sender", 5), ("receiver", 10), ("processing", 12), ("version", 13)] {
            sink.run_fact(key, fields.text(field));
        }
        if let Some(name) = fields.component(5, 1) {
            sink.run_fact("instrument", name);
        }
        if let Some(sent) = sink.date(&fields.text(14), at.clone()) {
            sink.run_fact("sent_at", sent);
        }
        let flag = match fields.raw(12) {
            "T" => Some("training"),
            "D" => Some("debugging"),
            _ => None,
        };
        if let Some(flag) = flag {
            sink.warn("no_production", format!("the sender marks the message as {flag}"), at.clone());
            self.order_flags.push(flag.into());
        }
        if let Some(line) = at.line {
            sink.note(line, format!("message {} from {sender}", self.messages));
        }
        self.base = Base::default();
        if fields.raw(12) == "Q" {
            self.base.context.insert("sample_type".into(), "control".into());
        }
        self.header = Some(fields);
    }

    fn order(&mut self, sink: &mut Sink, fields: Fields, line: u32) {
        self.orders += 1;
        self.last_result = 0;
        self.of_order = sink.observations.len();
        self.of_record = self.of_order;
        self.order_flags.retain(|f| f == "training" || f == "debugging");
        let specimen = fields.text(3);
        for (name, value) in [("specimen", specimen), ("specimen_id", fields.text(4)), ("action", fields.text(12))] {
            self.base.context.remove(name);
            if !value.trim_matches(|c: char| !c.is_alphanumeric()).is_empty() {
                self.base.context.insert(name.into(), value);
            }
        }
        if fields.raw(12) == "Q" {
            self.base.context.insert("sample_type".into(), "control".into());
        } else if self.header.as_ref().is_none_or(|h| h.raw(12) != "Q") {
            self.base.context.remove("sample_type");
        }
        self.order = Some(fields);
        self.base.sample = self.sample();
        sink.note(line, format!("order of {}", self.base.sample.as_deref().unwrap_or("no sample")));
    }

    /// The first filled place of the sender's, else of the adapter's: what the adapter takes for a sample
    /// may be a rack position of a sender that has places of its own.
    fn sample(&self) -> Option<String> {
        let own = self.sender.map(|s| &s.sample).filter(|s| !s.is_empty());
        own.unwrap_or(&self.settings.sample).iter().find_map(|p| self.at(p, None))
    }

    fn at(&self, place: &Place, result: Option<&Fields>) -> Option<String> {
        let record = match place.record {
            'H' => self.header.as_ref(),
            'P' => self.patient.as_ref(),
            'O' => self.order.as_ref(),
            'R' => result,
            _ => None,
        };
        record?.component(place.field, place.component)
    }

    fn analyte(&self, fields: &Fields) -> Option<String> {
        let own = self.sender.map(|s| s.analyte.as_slice()).filter(|a| !a.is_empty());
        let named: Vec<String> =
            own.unwrap_or(&self.settings.analyte).iter().filter_map(|p| self.at(p, Some(fields))).collect();
        let text = match named.is_empty() {
            true => fields.components(3).into_iter().find(|c| !c.is_empty())?,
            false => named.join(" "),
        };
        Some(text.trim_end_matches('/').to_owned())
    }

    fn result(&mut self, sink: &mut Sink, fields: &Fields, record: &Record, start: Option<usize>) {
        let line = record.line;
        let number: Option<usize> = fields.raw(2).parse().ok();
        if let Some(number) = number {
            // A new order begins anew or counts on; within an order a gap is a lost record.
            if self.last_result > 0 && number > self.last_result + 1 {
                let what = format!("result {number} follows result {}", self.last_result);
                match self.framed {
                    true => sink.warn("record_missing", what, Locator::line(line)),
                    false => sink.fault("record_missing", what, Locator::line(line)),
                }
            }
            self.last_result = number;
        }
        if fields.all.len() < 4 {
            sink.fault("record_cut", "the result record ends before its value", Locator::line(line));
            return;
        }
        if self.order.is_none() {
            sink.warn("sample_missing", "the result stands under no order", Locator::line(line));
        } else if self.base.sample.is_none() {
            sink.warn("sample_missing", "the order names no specimen", Locator::line(line));
        }
        let before: usize = fields.all.iter().take(3).map(|f| f.chars().count() + 1).sum();
        let lead = fields.all.get(3).map_or(0, |v| v.chars().take_while(|c| c.is_whitespace()).count());
        let column = start.and_then(|s| u32::try_from(s + before + lead + 1).ok());
        let at = Locator { column, ..Locator::line(line) };
        let raw = fields.text(4);
        let parts = fields.components(4);
        let value = parts.iter().find(|p| !p.is_empty()).cloned().unwrap_or_default();
        let mut observation = tabular::observation(&self.base, &self.settings.quantity, &value, at.clone());
        observation.analyte = self.analyte(fields);
        observation.flags = self.order_flags.clone();
        let read = tabular::reading(sink, &value, true, &at);
        (observation.status, observation.bound) = (read.status, read.bound);
        observation.value = read.number.map(|n| n.value);
        if value.is_empty() {
            observation.status = Status::Invalid;
            observation.flags.push("no_value".into());
        }
        if observation.status != Status::Text {
            let unit = fields.components(5).into_iter().find(|u| !u.is_empty()).unwrap_or_default();
            (observation.unit, observation.unit_raw) = tabular::unit_of(sink.spec, &unit);
        }
        if parts.iter().filter(|p| !p.is_empty()).count() > 1 {
            observation.context.insert("value_components".into(), raw);
        }
        let named = [("test_id", 3), ("range", 6), ("operator", 11), ("result_state", 9), ("instrument", 14)];
        for (name, field) in named {
            let text = fields.text(field);
            if !text.is_empty() {
                observation.context.insert(name.into(), text);
            }
        }
        let record = format!("{}.{}.{}", self.messages, self.orders, fields.raw(2));
        observation.context.insert("record".into(), record);
        let measured = [13, 12].into_iter().find(|f| !fields.raw(*f).is_empty());
        if let Some(field) = measured {
            observation.acquired_at = sink.date(&fields.text(field), Locator::line(line));
        }
        self.marks(sink, fields, &mut observation, line);
        sink.observe(observation);
    }

    /// marks of the instrument, and how far the result has come.
    fn marks(&self, sink: &mut Sink, fields: &Fields, o: &mut crate::model::Observation, line: u32) {
        let d = fields.delimiters;
        for mark in fields.raw(7).split([d.component, d.repeat]).map(|m| d.unescape(m.trim())) {
            if mark.is_empty() {
                continue;
            }
            let status = self.settings.marks.get(&mark).copied();
            if status == Some(Status::Ok) {
                continue;
            }
            if matches!(status, Some(Status::Below | Status::Above)) && o.status == Status::Ok {
                o.bound = o.value.take();
            }
            if let Some(status) = status.filter(|_| o.status == Status::Ok) {
                o.status = status;
            }
            if !o.flags.contains(&mark) {
                o.flags.push(mark);
            }
        }
        for state in fields.raw(9).split(d.repeat).map(str::trim).filter(|s| !s.is_empty()) {
            let status = self.settings.states.get(state).copied();
            let flag = self.settings.state_flags.get(state);
            if status.is_none() && flag.is_none() {
                let what = format!("the adapter does not know the result state \"{state}\"");
                sink.warn_once("unknown_state", what, Locator::line(line));
                o.flags.push(format!("state_{state}"));
            }
            if let Some(status) = status.filter(|s| *s != Status::Ok) {
                o.status = status;
                o.value = None;
            }
            if state == "C" {
                o.context.insert(versions::VERSION.into(), "correction".into());
            }
            o.flags.extend(flag.cloned());
        }
    }

    /// A comment belongs to the record above it; one of the instrument is a mark on the values.
    fn comment(&mut self, sink: &mut Sink, fields: &Fields, line: u32) {
        let text = fields.text(4);
        sink.note(line, "comment");
        if text.trim().is_empty() {
            return;
        }
        let flags = fields.raw(5) == "I" && !self.settings.harmless_comments.iter().any(|h| h.is_match(&text));
        if self.of_record == sink.observations.len() {
            sink.run_fact("comment", text.clone());
            if flags {
                self.order_flags.push(text);
            }
            return;
        }
        for o in sink.observations.iter_mut().skip(self.of_record) {
            let entry = o.context.entry("comment".into()).or_default();
            if !entry.is_empty() {
                entry.push_str("; ");
            }
            entry.push_str(&text);
            if flags && !o.flags.contains(&text) {
                o.flags.push(text.clone());
            }
        }
    }

    fn end(&mut self, sink: &mut Sink, fields: &Fields, record: &Record) {
        let at = Locator::line(record.line);
        if !self.open {
            sink.fault("record_missing", "an L record without a message", at.clone());
        }
        self.open = false;
        self.delimiters = None;
        let code = fields.raw(3);
        // Without its code an unfinished last line may be a cut one.
        if code.is_empty() && !record.terminated {
            self.proven = false;
            sink.fault("record_cut", "the L record is cut", at.clone());
        }
        match code {
            "" | "N" | "F" | "I" | "Q" => sink.note(record.line, "end of the message"),
            _ => sink.fault("broken_off", format!("the message was broken off: termination code {code}"), at),
        }
    }
}
