//! The Allotrope Simple Model: a tree of documents in JSON, alike for every technique.
//!
//! A quantity is `{value, unit}`; a document beside it (sample, device control, injection, data processing)
//! describes it and everything below; `… data cube` holds curves; `calculated data document` gives numbers
//! reckoned from others, which it names by their identifiers. Names of the technique play no part, so new
//! techniques and both generations of the model (2021, and 2023 on) are read alike.

mod cubes;
mod scope;

use std::collections::{BTreeMap, HashMap};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use self::scope::DocumentScope;
use super::json_tree::{is_empty, parse, simple};
use super::{Proof, ReaderInput, json_lines};
use crate::model::{Locator, Status};
use crate::sink::{Sink, slug};
use crate::spec::{Pattern, Role};
use crate::tabular::{self, Base};

/// The number that converters write in the place of one that they do not have.
const NOT_GIVEN: &str = "-0.0";

/// What the adapter adds to the shape.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Documents that describe their neighbours: their content goes into the context.
    describing: Vec<Pattern>,
    /// Documents that describe the run.
    run: Vec<Pattern>,
    /// Keys that name the sample, the component, …, the weightiest first.
    roles: Vec<Named>,
    /// Name there → quantity here; others are turned into names.
    #[serde(default)]
    quantities: BTreeMap<String, String>,
    /// Units that say that there is none.
    #[serde(default)]
    unitless: Vec<String>,
    /// Context entries that the points of curves keep.
    #[serde(default)]
    curve_context: Vec<String>,
}

/// A key with a part of its own.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Named {
    key: Pattern,
    /// Key of the object that holds it.
    within: Option<Pattern>,
    role: Role,
    /// Name in `context`.
    name: Option<String>,
}

/// One reading.
struct Walk<'s, 'v> {
    settings: &'s Settings,
    /// What an identifier stands for: calculated data name their sources by it.
    known: HashMap<String, Base>,
    /// Calculated data, to be read when every identifier is known.
    calculated: Vec<(&'v Map<String, Value>, String, DocumentScope)>,
}

pub(crate) fn read(settings: &Settings, input: &ReaderInput, sink: &mut Sink) -> Proof {
    let Some(root) = parse(&input.text.whole, sink) else { return Proof::Fails };
    let Some(object) = root.as_object() else {
        sink.fault("not_json", "the root is no object", Locator::path("$"));
        return Proof::Fails;
    };
    json_lines::render(sink, &root);
    let mut walk = Walk { settings, known: HashMap::new(), calculated: Vec::new() };
    for (key, value) in object {
        match value {
            Value::Object(node) => walk.document(sink, key, node, &format!("$.{key}"), &DocumentScope::default()),
            _ => match simple(value) {
                Some(text) => sink.run_fact(key, text),
                None if is_empty(value) => {}
                None => unknown(sink, key, &format!("$.{key}")),
            },
        }
    }
    walk.calculated(sink);
    if sink.observations.is_empty() {
        sink.warn("nothing_there", "the file has no quantity", Locator::path("$"));
    }
    if sink.broken { Proof::Fails } else { Proof::Holds }
}

/// `{value, unit}` and its relatives.
fn quantity(value: &Value) -> Option<(&Value, Option<&str>)> {
    let object = value.as_object()?;
    let number = object.get("value")?;
    (!number.is_object() && !number.is_array()).then(|| (number, object.get("unit").and_then(Value::as_str)))
}

impl<'v> Walk<'_, 'v> {
    fn document(
        &mut self,
        sink: &mut Sink,
        key: &str,
        node: &'v Map<String, Value>,
        path: &str,
        above: &DocumentScope,
    ) {
        if !sink.spend(node.len() + 1, Locator::path(path)) {
            return;
        }
        if self.settings.run.iter().any(|p| p.is_match(key)) {
            run(sink, node);
            return;
        }
        let mut scope = above.clone();
        scope.describe_by(self.settings, sink, key, node, path);
        if key == "calculated data document" {
            self.calculated.push((node, path.to_owned(), scope));
            return;
        }
        for (name, value) in node.iter().filter(|(name, _)| name.ends_with("identifier")) {
            if let Some(id) = simple(value).filter(|t| !t.is_empty()) {
                // An identifier that other documents share says nothing of one of them.
                let own =
                    name.starts_with("measurement") || name.as_str() == "identifier" || !self.known.contains_key(&id);
                if own {
                    self.known.insert(id, scope.base.clone());
                }
            }
        }
        if node.contains_key("cube-structure") {
            cubes::read(self.settings, sink, key, node, path, &scope.base);
            return;
        }
        for (name, value) in node {
            self.value(sink, name, value, path, &scope);
        }
        for (name, value) in node {
            if scope.told(self.settings, name) {
                continue;
            }
            self.below(sink, name, value, path, &scope);
        }
    }

    /// A quantity, or a bare number, directly in a document.
    fn value(&mut self, sink: &mut Sink, name: &str, value: &Value, path: &str, scope: &DocumentScope) {
        if let Some((number, unit)) = quantity(value) {
            observe(self.settings, sink, name, number, unit, &format!("{path}.{name}.value"), scope);
        } else if value.is_number() && !scope::is_role(self.settings, name) && name != "@index" {
            observe(self.settings, sink, name, value, None, &format!("{path}.{name}"), scope);
        }
    }

    fn below(&mut self, sink: &mut Sink, name: &str, value: &'v Value, path: &str, scope: &DocumentScope) {
        let path = format!("{path}.{name}");
        match value {
            Value::Object(node) if quantity(value).is_none() => self.document(sink, name, node, &path, scope),
            Value::Array(list) => {
                for (index, entry) in list.iter().enumerate() {
                    let path = format!("{path}[{index}]");
                    let mut scope = scope.clone();
                    if list.len() > 1 || name == "peak" {
                        let name = slug(name.trim_end_matches(" document"));
                        scope.base.context.insert(name, (index + 1).to_string());
                    }
                    match (entry, quantity(entry)) {
                        (_, Some((number, unit))) => {
                            observe(self.settings, sink, name, number, unit, &format!("{path}.value"), &scope);
                        }
                        (Value::Object(node), None) => self.document(sink, name, node, &path, &scope),
                        (entry, None) if is_empty(entry) => {}
                        _ => {
                            unknown(sink, name, &path);
                            break;
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// Numbers reckoned from others: the sample is that of the sources, where they agree.
    fn calculated(&mut self, sink: &mut Sink) {
        for (node, path, mut scope) in std::mem::take(&mut self.calculated) {
            let name = node.get("calculated data name").and_then(simple).unwrap_or_else(|| "calculated".into());
            let sources = node.get("data source aggregate document").and_then(|d| d.get("data source document"));
            let sources: Vec<&Value> = sources.and_then(Value::as_array).into_iter().flatten().collect();
            let text = |source: &Value, key: &str| source.get(key).and_then(simple);
            let mut bases: Vec<&Base> =
                sources.iter().filter_map(|s| self.known.get(&text(s, "data source identifier")?)).collect();
            bases.dedup_by(|a, b| a.sample == b.sample && a.analyte == b.analyte && a.injection == b.injection);
            if let [one] = bases.as_slice() {
                let mut base = (*one).clone();
                base.context.append(&mut scope.base.context);
                scope.base = base;
            } else if let Some((first, rest)) = bases.split_first()
                && rest.iter().all(|b| b.sample == first.sample)
            {
                scope.base.sample.clone_from(&first.sample);
            }
            let features: Vec<String> = sources.iter().filter_map(|s| text(s, "data source feature")).collect();
            if !features.is_empty() {
                scope.base.context.insert("data_source_feature".into(), features.join("; "));
            }
            scope.base.context.insert("calculated".into(), "true".into());
            for (key, value) in node {
                if let Some((number, unit)) = quantity(value) {
                    let named = if key == "calculated datum" { &name } else { key };
                    observe(self.settings, sink, named, number, unit, &format!("{path}.{key}.value"), &scope);
                    if let Some(id) = node.get("calculated data identifier").and_then(simple) {
                        self.known.insert(id, scope.base.clone());
                    }
                }
            }
        }
    }
}

/// Simple values of a document and those within it, as facts of the run.
fn run(sink: &mut Sink, node: &Map<String, Value>) {
    for (key, value) in node {
        match value {
            Value::Object(inner) => run(sink, inner),
            Value::Array(list) => list.iter().filter_map(Value::as_object).for_each(|inner| run(sink, inner)),
            _ => {
                if let Some(text) = simple(value).filter(|t| t != "N/A") {
                    sink.run_fact(key, text);
                }
            }
        }
    }
}

fn observe(
    settings: &Settings,
    sink: &mut Sink,
    name: &str,
    value: &Value,
    unit: Option<&str>,
    path: &str,
    scope: &DocumentScope,
) {
    let Some(raw) = simple(value) else { return };
    let at = Locator::path(path);
    let quantity = settings.quantities.get(name).cloned().unwrap_or_else(|| slug(name));
    let mut observation = tabular::observation(&scope.base, &quantity, &raw, at.clone());
    let read = tabular::reading(sink, &raw, false, &at);
    if read.status == Status::Invalid && !sink.spec.tokens.contains_key(&raw) {
        sink.fault("not_a_number", format!("{name} is \"{raw}\", which is no number"), at);
    }
    observation.status = read.status;
    observation.bound = read.bound;
    observation.value = read.number.map(|n| n.value);
    match unit {
        Some(unit) if settings.unitless.iter().any(|u| u == unit) => observation.unit_raw = Some(unit.to_owned()),
        Some(unit) => (observation.unit, observation.unit_raw) = tabular::unit_of(sink.spec, unit),
        None => {}
    }
    // Converters put a number where the model asks for one and the instrument gave none, and say so beside it.
    let placeholder = (raw == NOT_GIVEN).then_some("placeholder");
    if let Some(error) = scope.error_of(name).or(placeholder) {
        observation.value = None;
        observation.status = Status::Invalid;
        observation.flags.push(error.to_owned());
    }
    sink.observe(observation);
}

fn unknown(sink: &mut Sink, key: &str, path: &str) {
    sink.warn_once("unknown_field", format!("\"{key}\" is of a shape that is not read"), Locator::path(path));
}
