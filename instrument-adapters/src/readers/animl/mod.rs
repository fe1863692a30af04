//! AnIML core (ASTM E13.15): samples, experiment steps with method and result, parameters and series.
//!
//! Elements are recognised by their names, whatever the namespace says of the draft. A document type declaration is
//! refused, so no entity is ever resolved. A numeric parameter of a result or a sample is a value; those of a
//! method are settings. A set of series is a curve where it has one numeric independent series, else a table.
//! A cut document does not close, which is the proof that it is whole.

mod series;

use std::collections::BTreeMap;

use roxmltree::{Document, Node, ParsingOptions};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Proof, ReaderInput};
use crate::model::{Locator, Severity, Status};
use crate::sink::{Sink, slug};
use crate::spec::Pattern;
use crate::tabular::{self, Base};

/// Categories within categories.
const MAX_DEPTH: usize = 32;

/// What the adapter adds to the format.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Names of series and parameters that name the component.
    analyte: Pattern,
    /// Names of parameters → quantities.
    #[serde(default)]
    quantities: BTreeMap<String, String>,
}

/// One document on its way.
struct Reading<'s, 'd> {
    settings: &'s Settings,
    /// Byte at which every line begins.
    starts: &'d [usize],
    text: &'d str,
}

/// A sample as its reference finds it.
struct Sample {
    name: Option<String>,
    context: BTreeMap<String, String>,
}

pub(crate) fn read(settings: &Settings, input: &ReaderInput, sink: &mut Sink) -> Proof {
    let text = input.text.whole.as_str();
    let limit = u32::try_from(sink.spec.limits.cells).unwrap_or(u32::MAX);
    let options = ParsingOptions { allow_dtd: false, nodes_limit: limit, ..ParsingOptions::default() };
    let document = match Document::parse_with_options(text, options) {
        Ok(document) => document,
        Err(why) => {
            let at = why.pos();
            sink.fault("not_xml", format!("the document cannot be read: {why}"), Locator::at(at.row, at.col));
            return Proof::Fails;
        }
    };
    let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let reading = Reading { settings, starts: &starts, text };
    let root = document.root_element();
    if root.tag_name().name() != "AnIML" {
        sink.fault("not_animl", "the root is no AnIML element", reading.at(root));
        return Proof::Fails;
    }
    if let Some(version) = root.attribute("version") {
        sink.run_fact("animl version", version);
    }
    let mut samples: BTreeMap<String, Sample> = BTreeMap::new();
    for part in elements(root) {
        match part.tag_name().name() {
            "SampleSet" => elements(part).for_each(|node| reading.sample(sink, node, &mut samples)),
            "ExperimentStepSet" => {
                let steps: Vec<Node> = elements(part).filter(|n| is(*n, "ExperimentStep")).collect();
                for (index, step) in steps.iter().enumerate() {
                    reading.step(sink, *step, index, steps.len(), &samples);
                }
            }
            "AuditTrailEntrySet" => sink.run_fact("audit trail entries", elements(part).count().to_string()),
            "SignatureSet" => {
                sink.run_fact("signatures", elements(part).count().to_string());
                if elements(part).next().is_some() {
                    sink.warn("signature_unchecked", "the document's signatures are not verified", reading.at(part));
                }
            }
            _ => reading.unknown(sink, part),
        }
    }
    if sink.broken { Proof::Fails } else { Proof::Holds }
}

fn elements<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

fn is(node: Node, name: &str) -> bool {
    node.tag_name().name() == name
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    elements(node).find(|n| is(*n, name))
}

/// Text of an element, trimmed.
fn text(node: Node) -> String {
    node.text().unwrap_or_default().trim().to_owned()
}

/// An attribute, whatever the case of its first letter: drafts differ.
fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.attributes().find(|a| a.name().eq_ignore_ascii_case(name)).map(|a| a.value().trim()).filter(|v| !v.is_empty())
}

impl Reading<'_, '_> {
    /// Line and column of an element, without counting from the front each time.
    fn at(&self, node: Node) -> Locator {
        let byte = node.range().start;
        let line = self.starts.partition_point(|start| *start <= byte);
        let start = line.checked_sub(1).and_then(|l| self.starts.get(l)).copied().unwrap_or_default();
        let column = self.text.get(start..byte).map_or(0, |before| before.chars().count());
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Locator::at(number(line), number(column).saturating_add(1))
    }

    fn unknown(&self, sink: &mut Sink, node: Node) {
        let name = node.tag_name().name();
        sink.warn_once("unknown_element", format!("the element {name} is not read"), self.at(node));
    }

    fn sample(&self, sink: &mut Sink, node: Node, samples: &mut BTreeMap<String, Sample>) {
        if !is(node, "Sample") {
            self.unknown(sink, node);
            return;
        }
        let mut context = BTreeMap::new();
        for (name, ours) in [
            ("barcode", "barcode"),
            ("containerID", "plate"),
            ("locationInContainer", "well"),
            ("comment", "comment"),
            ("derived", "derived"),
        ] {
            if let Some(value) = attribute(node, name) {
                context.insert(ours.to_owned(), value.to_owned());
            }
        }
        let name = attribute(node, "name").or_else(|| attribute(node, "sampleID")).map(str::to_owned);
        let base = Base { sample: name.clone(), context: context.clone().into(), ..Base::default() };
        self.contents(sink, node, &base, 0);
        if let Some(id) = attribute(node, "sampleID") {
            samples.insert(id.to_owned(), Sample { name, context });
        }
    }

    fn step(&self, sink: &mut Sink, node: Node, index: usize, count: usize, samples: &BTreeMap<String, Sample>) {
        if !sink.spend(1, self.at(node)) {
            return;
        }
        let mut base = Base::default();
        if let Some(id) = attribute(node, "experimentStepID") {
            base.injection = Some(id.to_owned());
        }
        if let Some(name) = attribute(node, "name") {
            base.context.insert("step".into(), name.to_owned());
        }
        for part in elements(node) {
            match part.tag_name().name() {
                "Technique" => {
                    if let Some(name) = attribute(part, "name") {
                        base.context.insert("technique".into(), name.to_owned());
                    }
                }
                "Infrastructure" => self.infrastructure(sink, part, samples, &mut base),
                "Method" => self.method(sink, part, index, count, &mut base),
                "Result" | "TagSet" => {}
                _ => self.unknown(sink, part),
            }
        }
        for result in elements(node).filter(|n| is(*n, "Result")) {
            self.contents(sink, result, &base, 0);
        }
    }

    /// The sample that was measured, and when.
    fn infrastructure(&self, sink: &mut Sink, node: Node, samples: &BTreeMap<String, Sample>, base: &mut Base) {
        let mut measured: Vec<&str> = Vec::new();
        for part in elements(node) {
            match part.tag_name().name() {
                "Timestamp" => base.acquired_at = sink.date(&text(part), self.at(part)),
                "SampleReferenceSet" => {
                    for reference in elements(part).filter(|n| is(*n, "SampleReference")) {
                        // What a step produces is not what it measures.
                        let id = attribute(reference, "sampleID");
                        if let Some(id) = id.filter(|_| attribute(reference, "samplePurpose") != Some("produced")) {
                            if !samples.contains_key(id) {
                                let message = format!("there is no sample {id}");
                                sink.problem("unknown_sample", Severity::Error, message, self.at(reference));
                            }
                            measured.push(id);
                        }
                    }
                }
                "TagSet" | "ParentDataPointReferenceSet" | "ExperimentDataReferenceSet" => {}
                _ => self.unknown(sink, part),
            }
        }
        measured.dedup();
        match measured.as_slice() {
            [] => {}
            [one] => {
                let sample = samples.get(*one);
                base.sample = sample.and_then(|s| s.name.clone()).or_else(|| Some((*one).to_owned()));
                base.context.extend(sample.map(|s| s.context.clone()).unwrap_or_default());
            }
            several => {
                base.context.insert("samples".into(), several.join(", "));
                let message = format!("a step with {} samples: its values name none", several.len());
                sink.warn("several_samples", message, self.at(node));
            }
        }
    }

    /// Author, device and software; parameters of a method are settings.
    fn method(&self, sink: &mut Sink, node: Node, index: usize, count: usize, base: &mut Base) {
        if let Some(name) = attribute(node, "name") {
            base.context.insert("method".into(), name.to_owned());
        }
        for part in elements(node) {
            let kind = part.tag_name().name();
            match kind {
                "Author" | "Device" | "Software" => {
                    for fact in elements(part) {
                        let name = format!("{} {}", kind.to_lowercase(), slug(fact.tag_name().name()));
                        let value = text(fact);
                        if value.is_empty() {
                            continue;
                        }
                        base.context.insert(slug(&name), value.clone());
                        // Of several steps each has its own; the run tells those of the first.
                        if index == 0 || count == 1 {
                            sink.run_fact(&name, value);
                        }
                    }
                }
                "Category" | "Parameter" => self.settings(sink, part, &mut base.context, 0),
                "SeriesSet" => {
                    let message = "the series of a method is no result and is not read";
                    sink.warn_once("method_series", message, self.at(part));
                }
                "TagSet" => {}
                _ => self.unknown(sink, part),
            }
        }
    }

    fn settings(&self, sink: &mut Sink, node: Node, context: &mut BTreeMap<String, String>, depth: usize) {
        if depth > MAX_DEPTH || !sink.spend(1, self.at(node)) {
            return;
        }
        if is(node, "Parameter") {
            let name = slug(attribute(node, "name").unwrap_or("parameter"));
            let unit = child(node, "Unit").and_then(|u| attribute(u, "label"));
            let values: Vec<String> = elements(node).filter(|n| series::is_value(*n)).map(text).collect();
            let written = values.join(" ");
            if !written.is_empty() {
                context.insert(name, unit.map_or_else(|| written.clone(), |unit| format!("{written} {unit}")));
            }
            return;
        }
        for part in elements(node).filter(|n| is(*n, "Category") || is(*n, "Parameter")) {
            self.settings(sink, part, context, depth + 1);
        }
    }

    /// Parameters, series and categories of a sample or a result.
    fn contents(&self, sink: &mut Sink, node: Node, base: &Base, depth: usize) {
        if depth > MAX_DEPTH {
            sink.fault("depth", "categories within categories beyond reason", self.at(node));
            return;
        }
        let mut base = base.clone();
        // What names the component is found beside its values, before or after them.
        for part in elements(node).filter(|n| is(*n, "Parameter")) {
            let value = elements(part).find(|n| is(*n, "S")).map(text).filter(|t| !t.is_empty());
            if let Some(value) =
                value.filter(|_| attribute(part, "name").is_some_and(|n| self.settings.analyte.is_match(n)))
            {
                base.analyte = Some(value);
            }
        }
        for part in elements(node) {
            match part.tag_name().name() {
                "Parameter" => self.parameter(sink, part, &base),
                "SeriesSet" => series::set(self, sink, part, &base),
                "Category" => {
                    let mut inner = base.clone();
                    if let Some(name) = attribute(part, "name") {
                        let path = inner.context.entry("category".into()).or_default();
                        if !path.is_empty() {
                            path.push('/');
                        }
                        path.push_str(name);
                    }
                    self.contents(sink, part, &inner, depth + 1);
                }
                "TagSet" => {}
                _ => self.unknown(sink, part),
            }
        }
    }

    fn parameter(&self, sink: &mut Sink, node: Node, base: &Base) {
        let name = attribute(node, "name").unwrap_or("parameter");
        let unit = child(node, "Unit").and_then(|u| attribute(u, "label"));
        let values: Vec<Node> = elements(node).filter(|n| series::is_value(*n)).collect();
        for other in elements(node).filter(|n| !series::is_value(*n) && !is(*n, "Unit") && !is(*n, "TagSet")) {
            self.unknown(sink, other);
        }
        for (index, value) in values.iter().enumerate() {
            let mut base = base.clone();
            if values.len() > 1 {
                base.context.insert("index".into(), (index + 1).to_string());
            }
            self.value(sink, *value, name, unit, &base);
        }
    }

    /// One value, a number or a word by its element.
    fn value(&self, sink: &mut Sink, node: Node, name: &str, unit: Option<&str>, base: &Base) {
        if !sink.spend(1, self.at(node)) {
            return;
        }
        let raw = text(node);
        if raw.is_empty() {
            return;
        }
        let at = self.at(node);
        let quantity = self.settings.quantities.get(name).cloned().unwrap_or_else(|| slug(name));
        let mut observation = tabular::observation(base, &quantity, &raw, at.clone());
        if series::is_number(node) {
            let read = tabular::reading(sink, &raw, false, &at);
            if read.status == Status::Invalid && !sink.spec.tokens.contains_key(&raw) {
                sink.fault("not_a_number", format!("{name} is \"{raw}\", which is no number"), at);
            }
            observation.status = read.status;
            observation.bound = read.bound;
            observation.value = read.number.map(|n| n.value);
            if let Some(unit) = unit {
                (observation.unit, observation.unit_raw) = tabular::unit_of(sink.spec, unit);
            }
        } else {
            observation.status = Status::Text;
        }
        sink.observe(observation);
    }
}
