//! Where readers put what they find: limits are kept here, and every line is accounted for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::dates::{DateReader, Read};
use crate::marks::{Convention, Evidence, Marked};
use crate::model::{Locator, Observation, Problem, Severity, Status};
use crate::numbers::Number;
use crate::spec::{MessageSpec, Spec};

/// A file without lines, written out as lines: the rows of a workbook, the leaves of a tree.
///
/// Readers fill it as they go, with [`Rendering::line`] before the values of that line are observed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rendering {
    pub lines: Vec<(u32, String)>,
    /// [`place`] of a locator → number of the line.
    pub places: BTreeMap<String, u32>,
}

impl Rendering {
    /// Adds a line for the row or node that `at` names.
    pub fn line(&mut self, at: &Locator, text: impl Into<String>) -> u32 {
        let number = u32::try_from(self.lines.len()).unwrap_or(u32::MAX).saturating_add(1);
        self.lines.push((number, text.into()));
        if let Some(key) = place(at) {
            self.places.insert(key, number);
        }
        number
    }
}

impl Rendering {
    /// The line of a place, or of the nearest node above it that has one.
    pub fn line_of(&self, at: &Locator) -> Option<u32> {
        line_of(&self.places, at)
    }
}

/// As [`Rendering::line_of`], where only the places are left.
pub(crate) fn line_of(places: &BTreeMap<String, u32>, at: &Locator) -> Option<u32> {
    let key = place(at)?;
    let mut part = key.as_str();
    loop {
        if let Some(line) = places.get(part) {
            return Some(*line);
        }
        // Entries of a list of simple values share its line.
        at.path.as_ref()?;
        part = part.get(..part.rfind(['[', '.'])?)?;
    }
}

/// What tells places without a line apart: the path of a node, the sheet and row of a cell.
pub(crate) fn place(at: &Locator) -> Option<String> {
    if let Some(path) = &at.path {
        return Some(path.clone());
    }
    let cell = at.cell.as_deref()?;
    let row = cell.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    Some(format!("{}!{row}", at.sheet.as_deref().unwrap_or_default()))
}

/// A number that can be read in two ways.
struct OpenNumber {
    decimal: String,
    grouped: String,
    at: Locator,
    /// It is the value of an observation, whose status says so.
    told: bool,
}

/// Collects one file's reading.
pub(crate) struct Sink<'a> {
    pub spec: &'a Spec,
    pub curves: bool,
    /// Somebody wants to see what each line became; without that the account is not kept.
    pub explaining: bool,
    pub dates: DateReader<'a>,
    pub run: Map<String, Value>,
    pub observations: Vec<Observation>,
    pub problems: Vec<Problem>,
    /// What each line became, for `explain`.
    pub trace: BTreeMap<u32, Vec<String>>,
    /// Set by readers of files that have no lines of their own.
    pub rendering: Rendering,
    flags: Vec<(usize, String)>,
    once: BTreeSet<String>,
    marks: BTreeSet<char>,
    /// How a mark is read that may be either.
    convention: Convention,
    /// What the numbers show of their marks.
    pub evidence: Evidence,
    /// Numbers that can be read in two ways, as written.
    open: BTreeMap<String, OpenNumber>,
    /// Units as written → code and what is left of the text, for the points of long curves.
    units: BTreeMap<String, (Option<String>, Option<String>)>,
    cells: usize,
    unconsumed: usize,
    suppressed: usize,
    /// Set by the first limit that is reached: nothing more is read.
    pub stopped: bool,
    /// Set by any sign that a part of the file is missing.
    pub broken: bool,
}

impl<'a> Sink<'a> {
    pub fn new(spec: &'a Spec, curves: bool, explaining: bool, dates: DateReader<'a>, convention: Convention) -> Self {
        Self {
            spec,
            curves,
            explaining,
            dates,
            run: Map::new(),
            observations: Vec::new(),
            problems: Vec::new(),
            trace: BTreeMap::new(),
            rendering: Rendering::default(),
            flags: Vec::new(),
            once: BTreeSet::new(),
            marks: BTreeSet::new(),
            convention,
            evidence: Evidence::default(),
            open: BTreeMap::new(),
            units: BTreeMap::new(),
            cells: 0,
            unconsumed: 0,
            suppressed: 0,
            stopped: false,
            broken: false,
        }
    }

    /// Accounts for `count` cells; false once the adapter's limit is reached.
    pub fn spend(&mut self, count: usize, at: Locator) -> bool {
        self.cells = self.cells.saturating_add(count);
        if self.cells > self.spec.limits.cells && !self.stopped {
            self.stopped = true;
            let limit = self.spec.limits.cells;
            self.fault("limit_cells", format!("more than {limit} cells; reading stopped here"), at);
        }
        !self.stopped
    }

    pub fn note(&mut self, line: u32, became: impl Into<String>) {
        if self.explaining {
            self.trace.entry(line).or_default().push(became.into());
        }
    }

    fn line_of(&self, at: &Locator) -> Option<u32> {
        if !self.explaining {
            return None;
        }
        at.line.or_else(|| {
            if self.rendering.places.is_empty() {
                return None;
            }
            self.rendering.line_of(at)
        })
    }

    pub fn problem(&mut self, code: &str, severity: Severity, message: impl Into<String>, locator: Locator) {
        if self.problems.len() >= self.spec.limits.problems {
            self.suppressed += 1;
            self.broken |= severity == Severity::Error;
            return;
        }
        let message = message.into();
        if let Some(line) = self.line_of(&locator) {
            self.note(line, format!("problem {code}: {message}"));
        }
        self.problems.push(Problem { code: code.to_owned(), severity, message, locator });
    }

    pub fn warn(&mut self, code: &str, message: impl Into<String>, at: Locator) {
        self.problem(code, Severity::Warning, message, at);
    }

    /// A problem that also shows that the file is not whole.
    pub fn fault(&mut self, code: &str, message: impl Into<String>, at: Locator) {
        self.broken = true;
        self.problem(code, Severity::Error, message, at);
    }

    /// A warning that is given once however often its cause occurs.
    pub fn warn_once(&mut self, code: &str, message: impl Into<String>, at: Locator) {
        let message = message.into();
        if self.once.insert(format!("{code}\u{0}{message}")) {
            self.warn(code, message, at);
        }
    }

    /// UCUM code and the text as written, where they differ; each unit is looked up once.
    pub fn unit(&mut self, written: &str) -> (Option<String>, Option<String>) {
        if let Some(known) = self.units.get(written) {
            return known.clone();
        }
        let found = crate::tabular::unit_of(self.spec, written);
        self.units.insert(written.to_owned(), found.clone());
        found
    }

    /// Reads a number with the adapter's decimal marks, and says where a file mixes them.
    pub fn number(&mut self, raw: &str, at: &Locator) -> Option<Number> {
        let text = &self.spec.text;
        let either = text.thousands.is_none() && text.decimal.len() > 1;
        let number = if either {
            let marked = crate::marks::parse(raw, self.convention, &mut self.evidence)?;
            self.settled(raw, marked, at)
        } else {
            let grouped = text.thousands.and_then(|mark| crate::numbers::parse_grouped(raw, &text.decimal, mark));
            grouped.or_else(|| crate::numbers::parse(raw, &text.decimal))?
        };
        if let Some(mark) = number.mark
            && self.marks.insert(mark)
            && self.marks.len() == 2
        {
            self.warn(
                "mixed_decimal_marks",
                format!("{} has another decimal mark than the numbers before it", raw.trim()),
                at.clone(),
            );
        }
        Some(number)
    }

    /// The number that a file's marks make of it. One that stays open goes on as a decimal, and is taken back where it
    /// becomes a value.
    fn settled(&mut self, raw: &str, marked: Marked, at: &Locator) -> Number {
        match marked {
            Marked::Plain(number) => number,
            Marked::Grouped(number) => {
                self.warn_once(
                    "thousands",
                    "its other numbers show that a mark before three digits parts thousands in this file",
                    at.clone(),
                );
                number
            }
            Marked::Open { decimal, grouped } => {
                self.open.entry(raw.trim().to_owned()).or_insert_with(|| OpenNumber {
                    decimal: decimal.value.clone(),
                    grouped: grouped.value,
                    at: at.clone(),
                    told: false,
                });
                decimal
            }
        }
    }

    /// Takes a value back that can be read in two ways.
    fn reconsider(&mut self, observation: &mut Observation) {
        let digit = |c: char| c.is_ascii_digit();
        let parts = |text: &str, part: &str| {
            text.match_indices(part).any(|(at, _)| {
                let (before, behind) =
                    (text.get(..at).unwrap_or_default(), text.get(at + part.len()..).unwrap_or_default());
                !before.ends_with(digit) && !behind.starts_with(digit)
            })
        };
        let read = observation.value.is_some() || observation.bound.is_some();
        let found = self.open.iter_mut().find(|(raw, _)| read && parts(&observation.raw, raw));
        if let Some((raw, open)) = found {
            // One that was multiplied, or is the bound of another, has no two plain readings to choose from.
            let plain = observation.value.as_ref() == Some(&open.decimal);
            (observation.value, observation.bound) = (None, None);
            if plain {
                open.told = true;
                observation.status = Status::Ambiguous;
                observation.readings = vec![open.decimal.clone(), open.grouped.clone()];
                let what = format!("{raw} is {} or {}: nothing in the file says which", open.decimal, open.grouped);
                let at = observation.locator.clone();
                self.warn_once("ambiguous_number", what, at);
            } else {
                observation.status = Status::Invalid;
            }
        }
        // A place on an axis that may be another.
        if let Some(x) = &observation.x
            && self.open.values().any(|open| open.decimal == *x)
        {
            (observation.value, observation.status) = (None, Status::Invalid);
            observation.flags.push("ambiguous_x".into());
            let what = format!(
                "the value stands at {x} or at a place a thousand times as far: nothing in the file says which"
            );
            self.problem("ambiguous_number", Severity::Error, what, observation.locator.clone());
        }
    }

    /// A line that no rule of the adapter takes.
    pub fn not_consumed(&mut self, line: u32, text: &str) {
        self.unconsumed += 1;
        let shown: String = text.trim().chars().take(80).collect();
        if self.unconsumed <= 50 {
            self.warn("not_consumed", format!("no rule of the adapter takes this line: {shown}"), Locator::line(line));
        } else {
            self.note(line, "not consumed");
        }
    }

    pub fn observe(&mut self, mut observation: Observation) {
        if !self.open.is_empty() {
            self.reconsider(&mut observation);
        }
        if let Some(line) = self.line_of(&observation.locator) {
            self.note(line, describe(&observation));
        }
        self.observations.push(observation);
    }

    /// A point of a curve, which is accounted for with its curve.
    pub fn point(&mut self, mut observation: Observation) {
        if !self.open.is_empty() {
            self.reconsider(&mut observation);
        }
        self.observations.push(observation);
    }

    /// The message that the adapter declares for this line, put among the problems.
    pub fn message(&mut self, line: u32, text: &str) -> bool {
        let Some(found) = self.spec.messages.iter().find(|m| m.line.is_match(text)) else {
            return false;
        };
        let MessageSpec { code, severity, flag, .. } = found;
        self.problem(
            code,
            *severity,
            format!("the instrument says: {}", text.trim().trim_matches('"')),
            Locator::line(line),
        );
        if let Some(flag) = flag {
            self.flags.push((self.observations.len(), flag.clone()));
        }
        true
    }

    /// Puts the flags of run-wide messages on the values from `from` on.
    pub fn flag_since(&mut self, from: usize) {
        for (_, flag) in std::mem::take(&mut self.flags) {
            for observation in self.observations.iter_mut().skip(from) {
                if !observation.flags.contains(&flag) {
                    observation.flags.push(flag.clone());
                }
            }
        }
    }

    /// Reads a date; one that can be read two ways stays as written, with a problem.
    pub fn date(&mut self, written: &str, at: Locator) -> Option<String> {
        let written = written.trim();
        if written.is_empty() {
            return None;
        }
        match self.dates.read(written) {
            Read::Iso(iso) => Some(iso),
            Read::Ambiguous => {
                self.warn_once(
                    "ambiguous_date",
                    format!("{written} can be read as day-month or month-day; declare date_order for this instrument"),
                    at,
                );
                Some(written.to_owned())
            }
            Read::Unknown => {
                self.warn_once("unknown_date", format!("{written} fits no date format of the adapter"), at);
                Some(written.to_owned())
            }
        }
    }

    /// Puts a fact of the run under the adapter's name for it, or a name made from the key.
    pub fn run_fact(&mut self, key: &str, value: impl Into<Value>) {
        let name = self.spec.run.names.get(key).cloned().unwrap_or_else(|| slug(key));
        let value = value.into();
        if name.is_empty() || value.as_str().is_some_and(str::is_empty) {
            return;
        }
        self.run.entry(name).or_insert(value);
    }

    /// Closes the account: what was too much to list is said in a sentence.
    pub fn finish(&mut self) {
        // A number that is not a value, such as a total, or one that has no plain readings.
        for (raw, open) in std::mem::take(&mut self.open) {
            if !open.told {
                let what = format!("{raw} is {} or {}: nothing in the file says which", open.decimal, open.grouped);
                self.problem("ambiguous_number", Severity::Error, what, open.at);
            }
        }
        if self.unconsumed > 50 {
            let more = self.unconsumed - 50;
            self.problems.push(Problem {
                code: "not_consumed".into(),
                severity: Severity::Warning,
                message: format!("{more} further lines that no rule of the adapter takes"),
                locator: Locator::default(),
            });
        }
        if self.suppressed > 0 {
            let more = self.suppressed;
            self.problems.push(Problem {
                code: "more_problems".into(),
                severity: if self.broken { Severity::Error } else { Severity::Warning },
                message: format!("{more} further problems are not listed"),
                locator: Locator::default(),
            });
        }
    }
}

fn describe(o: &Observation) -> String {
    let mut text = String::new();
    for part in [&o.sample, &o.analyte].into_iter().flatten() {
        text.push_str(part);
        text.push(' ');
    }
    text.push_str(&o.quantity);
    text.push_str(" = ");
    text.push_str(o.value.as_deref().unwrap_or(&o.raw));
    if let Some(unit) = &o.unit {
        text.push(' ');
        text.push_str(unit);
    }
    if o.status != Status::Ok {
        text.push_str(&format!(" ({:?})", o.status));
    }
    text
}

/// A key of a file as a name: lower case, words joined by `_`.
pub(crate) fn slug(text: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    for c in text.trim().chars() {
        // A capital after a small letter starts a word: MeanResult.
        let word = c.is_uppercase() && before.is_lowercase();
        before = c;
        if c.is_alphanumeric() {
            if word {
                out.push('_');
            }
            out.extend(c.to_lowercase());
        } else if c == '%' && out.is_empty() {
            out.push_str("percent_");
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
    }
    out.trim_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn names_from_keys() {
        assert_eq!(slug("Acq. Operator"), "acq_operator");
        assert_eq!(slug("MeanResult"), "mean_result");
        assert_eq!(slug("%SpikeRecovery"), "percent_spike_recovery");
        assert_eq!(slug("CV_Result"), "cv_result");
        assert_eq!(slug("CVresult"), "cvresult");
    }
}
