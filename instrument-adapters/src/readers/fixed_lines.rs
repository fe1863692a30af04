//! Lines of fixed width, one reading each, as balances print them.
//!
//! A line without an identifier is `sign blank value(8) blank unit(3)`; with one it has the
//! identifier's characters in front. A blank unit says that the balance was not at rest.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Proof, ReaderInput};
use crate::model::{Locator, Severity, Status};
use crate::sink::Sink;
use crate::spec::Pattern;
use crate::tabular::{self, Base};
use crate::text::Line;

/// Layout of the printout.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Characters of a line without the identifier.
    width: usize,
    /// Characters of the identifier in front.
    id_width: usize,
    /// Quantity of a line without an identifier.
    quantity: String,
    /// Identifier → quantity.
    ids: BTreeMap<String, String>,
    /// Identifier that announces a state instead of a value.
    state_id: String,
    /// Word in the place of a value → status.
    states: BTreeMap<String, Status>,
    /// A state that carries a number, such as `ERR 055`.
    state_pattern: Pattern,
    /// The line that frames a protocol.
    frame: Pattern,
    /// Date line; capture `date`.
    date: Pattern,
    /// Label → name in `run`.
    labels: BTreeMap<String, String>,
    /// Labels that name the sample of the readings below.
    sample_labels: Vec<String>,
    /// Label that names the sample when it comes among the readings.
    body_sample_label: String,
    /// Label of the signature, which comes above the last frame.
    signature: String,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Plain,
    Head,
    Body,
    Signed,
    Closed,
}

struct State<'s> {
    settings: &'s Settings,
    place: Place,
    base: Base,
    frame: usize,
    protocols: usize,
    readings: usize,
}

pub(crate) fn read(settings: &Settings, input: &ReaderInput, sink: &mut Sink) -> Proof {
    let mut state = State { settings, place: Place::Plain, base: Base::default(), frame: 0, protocols: 0, readings: 0 };
    for line in &input.text.lines {
        if !sink.spend(1, Locator::line(line.number)) {
            break;
        }
        state.line(sink, line);
    }
    let last = input.text.lines.last().map_or(0, |l| l.number);
    if matches!(state.place, Place::Head | Place::Body | Place::Signed) {
        sink.fault("frame_open", "the protocol has no closing frame: the printout is cut", Locator::line(last));
    }
    if state.readings == 0 {
        sink.fault("no_reading", "no line holds a reading", Locator::line(last));
    }
    match (sink.broken, state.place) {
        (true, _) => Proof::Fails,
        (false, Place::Closed) => Proof::Holds,
        (false, _) => Proof::None,
    }
}

impl State<'_> {
    fn line(&mut self, sink: &mut Sink, line: &Line) {
        let text = line.text.trim_matches(['\u{2}', '\u{3}', '\u{c}']);
        if text.trim().is_empty() {
            return;
        }
        let number = line.number;
        if self.settings.frame.is_match(text.trim_end()) {
            self.frame(sink, number, text.trim().len());
            return;
        }
        if self.place == Place::Closed {
            // A reading after a closed protocol is not covered by it.
            self.place = Place::Plain;
            self.protocols = 0;
        }
        if let Some(date) = self.settings.date.capture(text, "date") {
            let date = date.split_whitespace().collect::<Vec<_>>().join(" ");
            let read = sink.date(&date, Locator::line(number));
            if self.place == Place::Body {
                sink.run_fact("finished_at", read.clone().unwrap_or_default());
            } else {
                self.base.acquired_at = read;
                sink.run_fact("started_at", date);
            }
            sink.note(number, "date");
            return;
        }
        // A serial number of digits would pass for a reading: known labels come first.
        if self.labelled(sink, number, text) || self.reading(sink, line, text) {
            return;
        }
        sink.problem(
            "not_consumed",
            Severity::Error,
            format!(
                "no reading of {} or {} characters and no known label: {}",
                self.settings.width,
                self.settings.width + self.settings.id_width,
                text.trim()
            ),
            Locator::line(number),
        );
        if !line.terminated {
            sink.broken = true;
        }
    }

    fn frame(&mut self, sink: &mut Sink, line: u32, length: usize) {
        sink.note(line, "frame");
        self.place = match self.place {
            Place::Plain | Place::Closed => {
                self.frame = length;
                self.protocols += 1;
                Place::Head
            }
            Place::Head | Place::Body => Place::Body,
            // A shorter frame than the first one is a cut one.
            Place::Signed if length == self.frame => Place::Closed,
            Place::Signed => Place::Signed,
        };
    }

    fn reading(&mut self, sink: &mut Sink, line: &Line, text: &str) -> bool {
        let settings = self.settings;
        let chars: Vec<char> = text.trim_end().chars().collect();
        let full = text.chars().count();
        let wide = settings.width + settings.id_width;
        // Blanks at the end may have been stripped on the way, but then the line's end is there.
        let id_width = match (full, line.terminated) {
            (n, _) if n == settings.width => 0,
            (n, _) if n == wide => settings.id_width,
            (n, true) if n > settings.width && n < wide => settings.id_width,
            (n, true) if n + 2 >= settings.width && n < settings.width => 0,
            _ => return false,
        };
        let part = |from: usize, to: usize| -> String {
            chars.get(from.min(chars.len())..to.min(chars.len())).unwrap_or_default().iter().collect()
        };
        let id = part(0, id_width).trim().to_owned();
        let sign = part(id_width, id_width + 1);
        let value = part(id_width + 1, id_width + settings.width - 3);
        let unit = part(id_width + settings.width - 3, usize::MAX);
        if id == settings.state_id {
            let whole = part(id_width, usize::MAX);
            return self.state(sink, line.number, id_width, whole.trim());
        }
        let quantity = if id.is_empty() { Some(settings.quantity.clone()) } else { settings.ids.get(&id).cloned() };
        let whole = part(id_width, usize::MAX);
        if id.is_empty() && self.is_state(whole.trim()) {
            return self.state(sink, line.number, id_width, whole.trim());
        }
        if !matches!(sign.as_str(), "+" | "-" | " ") || !looks_like_value(&value) {
            return false;
        }
        let at = Locator::at(line.number, id_width as u32 + 1);
        let stripped = full < settings.width + id_width;
        if stripped && unit.trim().is_empty() {
            // Without its unit a short line cannot be distinguished from a cut one.
            sink.fault("line_cut", "the line ends before its unit", at);
            return true;
        }
        let quantity = quantity.unwrap_or_else(|| {
            sink.warn_once(
                "unknown_identifier",
                format!("the adapter does not know the identifier \"{id}\""),
                Locator::line(line.number),
            );
            "reading".into()
        });
        let raw = format!("{sign}{value}");
        let digits = raw.replace(['[', ']', ' '], "");
        let mut observation =
            tabular::observation(&self.base, &quantity, part(id_width, usize::MAX).trim(), at.clone());
        if !id.is_empty() {
            observation.context.insert("identifier".into(), id);
        }
        // Weighings are distinguished by their order alone.
        let order = (self.readings + 1).to_string();
        observation.context.insert("reading".into(), order);
        match sink.number(&digits, &at) {
            Some(number) => observation.value = Some(number.value),
            None => {
                observation.status = Status::Invalid;
                sink.fault("not_a_number", format!("\"{}\" is no number", raw.trim()), at.clone());
            }
        }
        if raw.contains('[') {
            observation.flags.push("digit_not_verified".into());
            sink.warn("digit_not_verified", "the digit in brackets is not verified", at.clone());
        }
        if unit.trim().is_empty() {
            observation.status = Status::Unstable;
            observation.flags.push("unstable".into());
            sink.problem("unstable", Severity::Error, "the balance printed no unit: it was not at rest", at);
        } else {
            (observation.unit, observation.unit_raw) = tabular::unit_of(sink.spec, &unit);
        }
        self.readings += 1;
        sink.observe(observation);
        true
    }

    fn is_state(&self, word: &str) -> bool {
        self.settings.states.contains_key(word) || self.settings.state_pattern.is_match(word)
    }

    /// A state in the place of a value: kept without a number.
    fn state(&mut self, sink: &mut Sink, line: u32, id_width: usize, word: &str) -> bool {
        let at = Locator::at(line, id_width as u32 + 1);
        let mut observation = tabular::observation(&self.base, &self.settings.quantity, word, at.clone());
        observation.status = self.settings.states.get(word).copied().unwrap_or(Status::Invalid);
        observation.flags.push(word.to_owned());
        let known = self.is_state(word);
        sink.problem(
            if known { "balance_state" } else { "unknown_state" },
            Severity::Error,
            format!("the balance gave no value: {word}"),
            at,
        );
        self.readings += 1;
        sink.observe(observation);
        true
    }

    fn labelled(&mut self, sink: &mut Sink, line: u32, text: &str) -> bool {
        let settings = self.settings;
        let known = settings
            .labels
            .keys()
            .chain(&settings.sample_labels)
            .chain([&settings.body_sample_label, &settings.signature])
            .filter(|label| {
                text.strip_prefix(label.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ':', '\t']))
            })
            .max_by_key(|label| label.len());
        let Some(plain) = known else { return false };
        let rest = text.get(plain.len()..).unwrap_or_default();
        let value = rest.trim_start_matches(':').trim();
        if *plain == settings.signature {
            if self.place == Place::Body {
                self.place = Place::Signed;
            }
            sink.run_fact("signature", value);
            sink.note(line, "signature");
            return true;
        }
        let in_body = matches!(self.place, Place::Body | Place::Plain);
        let names_sample = settings.sample_labels.contains(plain) || (in_body && *plain == settings.body_sample_label);
        if names_sample {
            self.base.sample = (!value.is_empty()).then(|| value.to_owned());
            sink.note(line, format!("sample {value}"));
            return true;
        }
        let Some(name) = settings.labels.get(plain) else {
            return false;
        };
        sink.run_fact(name, value);
        sink.note(line, format!("run: {plain}"));
        true
    }
}

/// Digits with one point, perhaps with the unverified digit in brackets.
fn looks_like_value(text: &str) -> bool {
    let text = text.trim();
    text.chars().any(|c| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '[' | ']' | ' '))
}
