//! One adapter: its declaration, whether a file is its own, and the reading of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::containers::Heads;
use crate::dates::DateReader;
use crate::embedded;
use crate::marks::Convention;
use crate::model::{Companion, Locator, Options, Parsed, Severity, Status};
use crate::readers::{self, Proof, ReaderInput};
use crate::set::NotRecognised;
use crate::sink::{self, Sink};
use crate::spec::{self, AdapterStatus, Limits, Spec};
use crate::text::Text;
use crate::validation::{self, AdapterStanding};

/// Lower-case hexadecimal SHA-256.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Why an `adapter.toml` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AdapterError {
    /// No TOML, an unknown field, a wrong pattern: the message names line and field.
    #[error("adapter.toml: {0}")]
    Declaration(#[from] toml::de::Error),
    /// A rule that the types cannot express.
    #[error("adapter.toml: {field}: {message}")]
    Rule {
        /// Field of the declaration.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
}

/// An adapter ready for use.
#[derive(Debug, Clone)]
pub struct Adapter {
    pub(crate) spec: Spec,
    pub(crate) origin: Origin,
}

/// Where an adapter comes from, which decides who vouches for it.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// From a text alone: nobody.
    Text,
    /// The crate, with its record.
    Embedded,
    /// A laboratory's folder.
    Own(AdapterStanding),
}

/// A reading with the account of every line, for `explain`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Explained {
    /// The reading itself.
    pub parsed: Parsed,
    /// Line number, its text, and what it became. A file that has no lines (a workbook, a tree, a binary
    /// file) is written out as lines.
    pub lines: Vec<(u32, String, Vec<String>)>,
    pub(crate) places: BTreeMap<String, u32>,
}

impl Explained {
    /// A reading of which there are no lines to show.
    pub(crate) fn without_lines(parsed: Parsed) -> Self {
        Self { parsed, lines: Vec::new(), places: BTreeMap::new() }
    }

    /// The line of [`Explained::lines`] that holds a place.
    pub fn line_of(&self, place: &Locator) -> Option<u32> {
        place.line.or_else(|| sink::line_of(&self.places, place))
    }
}

type Account = (Vec<(u32, String, Vec<String>)>, BTreeMap<String, u32>);

/// Every line with what it became.
fn account(sink: &mut Sink, decoded: &Text) -> Account {
    let mut trace = std::mem::take(&mut sink.trace);
    let mut lines = std::mem::take(&mut sink.rendering.lines);
    if lines.is_empty() {
        lines = decoded.lines.iter().map(|l| (l.number, l.text.clone())).collect();
    }
    let lines = lines
        .into_iter()
        .map(|(number, text)| {
            let became = trace.remove(&number).unwrap_or_default();
            (number, text, became)
        })
        .collect();
    (lines, std::mem::take(&mut sink.rendering.places))
}

impl Adapter {
    /// Reads a declaration.
    ///
    /// # Errors
    /// [`AdapterError`] where it is not TOML, or names a field, reader, pattern or format that does
    /// not exist.
    pub fn from_toml(text: &str) -> Result<Self, AdapterError> {
        let spec: Spec = toml::from_str(text)?;
        let rule = |field, message: &str| Err(AdapterError::Rule { field, message: message.to_owned() });
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if spec.id.is_empty() || !spec.id.chars().all(word) {
            return rule("id", "small letters, digits and '-' only");
        }
        let known = |label: &String| {
            label == "utf-16" || encoding_rs::Encoding::for_label_no_replacement(label.as_bytes()).is_some()
        };
        if spec.text.encodings.is_empty() || !spec.text.encodings.iter().all(known) {
            return rule("text.encodings", "at least one, by its WHATWG name");
        }
        if spec.text.decimal.is_empty() || spec.text.decimal.iter().any(|c| !matches!(c, '.' | ',')) {
            return rule("text.decimal", "\".\" or \",\" or both");
        }
        let d = &spec.detect;
        if d.head.is_empty() && d.head_any.is_empty() && d.every_line.is_empty() {
            return rule("detect", "one of head, head_any and every_line is needed");
        }
        for format in &spec.text.dates {
            let bad = chrono::format::StrftimeItems::new(format).any(|item| item == chrono::format::Item::Error);
            if bad {
                return rule("text.dates", &format!("{format} is no date format"));
            }
        }
        Ok(Self { spec, origin: Origin::Text })
    }

    /// Reads a declaration that has been read before: its patterns are compiled when they are asked.
    pub(crate) fn from_tested(text: &str, origin: Origin) -> Result<Self, AdapterError> {
        Ok(Self { spec: spec::trusting(|| toml::from_str(text))?, origin })
    }

    /// The adapter's name.
    pub fn id(&self) -> &str {
        &self.spec.id
    }

    /// Version of the declaration.
    pub fn version(&self) -> &str {
        &self.spec.version
    }

    /// Draft or validated: validated only where somebody's record of it still holds.
    pub fn status(&self) -> AdapterStatus {
        self.standing().status
    }

    /// Draft or validated, by whom and when, or why not.
    pub fn standing(&self) -> AdapterStanding {
        match &self.origin {
            Origin::Own(standing) => standing.clone(),
            Origin::Text => validation::standing(self.claims(), Ok(None), String::new),
            Origin::Embedded => match embedded::ADAPTERS.iter().find(|files| files.id == self.id()) {
                Some(files) => files.standing(self.claims(), self.reader()),
                None => validation::standing(self.claims(), Ok(None), String::new),
            },
        }
    }

    /// What its declaration says of it.
    pub(crate) fn claims(&self) -> AdapterStatus {
        self.spec.status
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.spec.limits
    }

    /// Instrument or software whose files it reads.
    pub fn product(&self) -> &str {
        &self.spec.product
    }

    /// One sentence on what is read.
    pub fn description(&self) -> &str {
        &self.spec.description
    }

    /// Name of the reader that it is built on.
    pub fn reader(&self) -> &'static str {
        self.spec.reader.kind()
    }

    pub(crate) fn priority(&self) -> i32 {
        self.spec.detect.priority
    }

    /// Names of the files that belong to `name`, in the same folder; compare them without case.
    pub fn companion_names(&self, name: &str) -> Vec<String> {
        self.spec
            .companions
            .iter()
            .filter_map(|c| {
                let found = c.main.0.captures(name)?;
                let mut file = String::new();
                let template = c.file.replace('{', "${");
                found.expand(&template, &mut file);
                // A companion is in the folder of its file, never elsewhere.
                (!file.contains(['/', '\\']) && file != "..").then_some(file)
            })
            .collect()
    }

    /// Says why the file is this adapter's, or why it is not.
    ///
    /// # Errors
    /// The first rule of detection that does not hold.
    pub fn recognises(&self, name: &str, bytes: &[u8]) -> Result<String, String> {
        self.recognises_by(name, &mut Heads::of(bytes))
    }

    /// Itself, where the file is its own.
    pub(crate) fn takes(&self, name: &str, bytes: &[u8]) -> Result<&Self, NotRecognised> {
        match self.recognises(name, bytes) {
            Ok(_) => Ok(self),
            Err(why) => Err(NotRecognised::Refused(self.id().to_owned(), why)),
        }
    }

    pub(crate) fn recognises_by(&self, name: &str, heads: &mut Heads) -> Result<String, String> {
        let d = &self.spec.detect;
        if heads.size() > self.spec.limits.bytes {
            let limit = self.spec.limits.bytes;
            return Err(format!("{} bytes, the limit is {limit}", heads.size()));
        }
        let lower = name.to_ascii_lowercase();
        let extension = lower.rsplit_once('.').map_or("", |(_, e)| e);
        if !d.extensions.is_empty() && !d.extensions.iter().any(|e| e == extension) {
            return Err(format!("extension \"{extension}\" is none of its own"));
        }
        if d.name.as_ref().is_some_and(|n| !n.is_match(name)) {
            return Err("the file name does not fit".into());
        }
        let head = heads.get(self.spec.reader.container(), &self.spec.text.encodings)?;
        let lines: Vec<_> = head.lines.iter().take(d.head_lines).collect();
        if lines.iter().all(|l| l.is_blank()) {
            return Err("empty".into());
        }
        let any = |p: &crate::spec::Pattern| lines.iter().any(|l| p.is_match(&l.text));
        if let Some(refuse) = d.refuse.iter().find(|r| any(&r.line)) {
            return Err(refuse.why.clone());
        }
        if let Some(missing) = d.head.iter().find(|p| !any(p)) {
            return Err(format!("no line of the head matches {}", missing.0));
        }
        if !d.head_any.is_empty() && !d.head_any.iter().any(any) {
            return Err("no line of the head matches one of its patterns".into());
        }
        if let Some(found) = d.not_head.iter().find(|p| any(p)) {
            return Err(format!("a line of the head matches {}", found.0));
        }
        let other =
            lines.iter().find(|l| l.terminated && !l.is_blank() && !d.every_line.iter().any(|p| p.is_match(&l.text)));
        if let Some(other) = other.filter(|_| !d.every_line.is_empty()) {
            return Err(format!("line {} is of another kind", other.number));
        }
        Ok(format!("{} in {}: the head fits the {} layout", self.product(), head.encoding, self.reader()))
    }

    /// Reads a file that is known to be the adapter's.
    pub(crate) fn read(&self, name: &str, bytes: &[u8], options: &Options) -> Parsed {
        self.account(name, bytes, options, false).parsed
    }

    /// Reads it and keeps account of every line.
    pub(crate) fn explain(&self, name: &str, bytes: &[u8], options: &Options) -> Explained {
        self.account(name, bytes, options, true)
    }

    fn account(&self, name: &str, bytes: &[u8], options: &Options, explaining: bool) -> Explained {
        let spec = &self.spec;
        let nothing = |broken_line| Text { encoding: "", lines: Vec::new(), broken_line, whole: String::new() };
        let container = spec.reader.container();
        let decoded =
            container.decode(bytes, &spec.text.encodings).unwrap_or_else(|| nothing(container.is_text().then_some(1)));
        let pass = |convention| self.pass((name, bytes), &decoded, options, explaining, convention);
        let named = decimal_mark(spec, &decoded);
        let (mut sink, mut proof) = pass(named.unwrap_or(Convention::FIRST_LOOK));
        if named.is_none()
            && let Some(convention) = sink.evidence.second_look()
        {
            (sink, proof) = pass(convention);
        }
        let companions = self.companions(name, options, &mut Vec::new());
        let complete = match proof {
            _ if sink.broken || sink.stopped => Some(false),
            Proof::Holds => Some(true),
            Proof::Fails => Some(false),
            Proof::None => None,
        };
        if complete == Some(false) {
            doubt_last_line(&mut sink, &decoded);
        }
        let account = if explaining { account(&mut sink, &decoded) } else { Account::default() };
        let mut run = sink.run;
        run.insert("adapter_version".into(), json!(self.version()));
        if !decoded.encoding.is_empty() {
            run.insert("encoding".into(), json!(decoded.encoding));
        }
        if !companions.is_empty() {
            let list: Vec<Value> =
                companions.iter().map(|c| json!({"name": c.name, "sha256": sha256(&c.bytes)})).collect();
            run.insert("companions".into(), Value::Array(list));
        }
        let (lines, places) = account;
        Explained {
            parsed: Parsed {
                adapter: self.id().to_owned(),
                file_sha256: sha256(bytes),
                run,
                observations: sink.observations,
                problems: sink.problems,
                complete,
            },
            lines,
            places,
        }
    }

    /// Reads the file once, its open marks as `convention` has them.
    fn pass(
        &self,
        (name, bytes): (&str, &[u8]),
        decoded: &Text,
        options: &Options,
        explaining: bool,
        convention: Convention,
    ) -> (Sink<'_>, Proof) {
        let spec = &self.spec;
        let dates = DateReader::new(&spec.text, options, &decoded.whole);
        let mut sink = Sink::new(spec, options.curves, explaining, dates, convention);
        let mut refused = Vec::new();
        let companions = self.companions(name, options, &mut refused);
        for (code, severity, message) in refused {
            sink.broken |= severity == Severity::Error;
            sink.problem(code, severity, message, Locator::default());
        }
        if let Some(line) = decoded.broken_line {
            sink.fault("broken_text", format!("a byte that {} does not have", decoded.encoding), Locator::line(line));
        }
        doubt_text(&mut sink, decoded);
        let input = ReaderInput { name, bytes, text: decoded, companions: &companions };
        let proof = match too_long(spec, decoded) {
            Some((message, at)) => {
                sink.fault("limit_lines", message, at);
                Proof::Fails
            }
            None => readers::read(&spec.reader, &input, &mut sink),
        };
        sink.finish();
        (sink, proof)
    }

    /// The declared ones of the files that came along; others are refused by name.
    fn companions(&self, name: &str, options: &Options, refused: &mut Vec<Refused>) -> Vec<Companion> {
        let wanted = self.companion_names(name);
        let mut taken = Vec::new();
        for companion in &options.companions {
            let declared = wanted.iter().any(|w| w.eq_ignore_ascii_case(&companion.name));
            let name = &companion.name;
            if !declared {
                let what = format!("{name} is no declared companion; not read");
                refused.push(("companion_undeclared", Severity::Warning, what));
            } else if companion.bytes.len() > self.spec.limits.bytes {
                refused.push(("companion_too_large", Severity::Error, format!("{name} is over the limit")));
            } else {
                taken.push(companion.clone());
            }
        }
        taken
    }
}

/// Why a companion was not taken.
type Refused = (&'static str, Severity, String);

/// The convention that a line of the file names.
fn decimal_mark(spec: &Spec, text: &Text) -> Option<Convention> {
    let pattern = spec.text.decimal_line.as_ref()?;
    let mark = text.lines.iter().find_map(|line| pattern.capture(&line.text, "mark"))?;
    let mark = match mark.to_lowercase().as_str() {
        "comma" | "逗号" => ',',
        "point" | "dot" | "period" | "点" | "小数点" => '.',
        other => other.chars().next()?,
    };
    Convention::of_decimal_mark(mark)
}

/// Tells what looks as if it was decoded in the wrong way.
pub(crate) fn doubt_text(sink: &mut Sink, text: &Text) {
    for doubt in crate::doubt::doubts(&text.whole, text.encoding) {
        let what = format!("read as {}: {}", text.encoding, doubt.what);
        sink.problem("doubtful_text", Severity::Error, what, Locator::line(doubt.line));
    }
}

/// The last line of a broken file may have lost the end of a number: `2.82` of `2.824`.
fn doubt_last_line(sink: &mut Sink, text: &Text) {
    let Some(last) = text.lines.iter().rfind(|l| !l.is_blank()) else {
        return;
    };
    if last.terminated {
        return;
    }
    for observation in &mut sink.observations {
        if observation.locator.line == Some(last.number) {
            observation.value = None;
            observation.bound = None;
            observation.readings.clear();
            observation.status = Status::Invalid;
            observation.flags.push("line_cut".into());
        }
    }
}

fn too_long(spec: &Spec, text: &Text) -> Option<(String, Locator)> {
    let limits = &spec.limits;
    if text.lines.len() > limits.lines {
        let message = format!("{} lines, the limit is {}", text.lines.len(), limits.lines);
        return Some((message, Locator::default()));
    }
    let long = text.lines.iter().find(|l| l.text.len() > limits.line_length)?;
    let message = format!("a line of more than {} bytes", limits.line_length);
    Some((message, Locator::line(long.number)))
}
