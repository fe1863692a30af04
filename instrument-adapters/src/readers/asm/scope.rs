//! What the documents around a quantity say of it.

use serde_json::{Map, Value};

use super::{Settings, quantity};
use crate::model::Locator;
use crate::readers::json_tree::simple;
use crate::sink::{Sink, slug};
use crate::spec::Role;
use crate::tabular::Base;

/// A document's own words and those of the documents around it.
#[derive(Debug, Clone, Default)]
pub(super) struct DocumentScope {
    pub base: Base,
    /// Place in the list of roles of the key that gave sample, component and injection.
    best: [Option<usize>; 3],
    /// Names of quantities that have no number, and what the file says of it.
    errors: Vec<(String, String)>,
}

/// The date that converters write in the place of one that they do not have.
const NO_DATE: &str = "1970-01-01T00:00:00";
/// Deepest document within one that describes.
const MAX_DEPTH: usize = 6;

impl DocumentScope {
    /// Takes the simple values of a document, and the documents in it that describe.
    pub fn describe_by(
        &mut self,
        settings: &Settings,
        sink: &mut Sink,
        key: &str,
        node: &Map<String, Value>,
        path: &str,
    ) {
        if let Some(errors) = node.get("error aggregate document") {
            self.errors_of(errors);
        }
        self.simple_values(settings, sink, key, node, path);
        for (name, value) in node {
            if name == "custom information document" {
                if let Some(inner) = value.as_object() {
                    self.simple_values(settings, sink, name, inner, &format!("{path}.{name}"));
                }
            } else if settings.describing.iter().any(|p| p.is_match(name)) {
                self.flatten(settings, sink, name, value, &format!("{path}.{name}"), 0);
            }
        }
    }

    /// True for the parts of a document that [`DocumentScope::describe_by`] took; custom numbers are values.
    pub fn told(&self, settings: &Settings, name: &str) -> bool {
        name == "error aggregate document" || settings.describing.iter().any(|p| p.is_match(name))
    }

    pub fn error_of(&self, name: &str) -> Option<&str> {
        self.errors.iter().rev().find(|(feature, _)| feature == name).map(|(_, error)| error.as_str())
    }

    fn errors_of(&mut self, value: &Value) {
        let list = value.get("error document").and_then(Value::as_array);
        for entry in list.into_iter().flatten() {
            let text = |key: &str| entry.get(key).and_then(simple).unwrap_or_default();
            self.errors.push((text("error feature"), text("error")));
        }
    }

    fn simple_values(
        &mut self,
        settings: &Settings,
        sink: &mut Sink,
        key: &str,
        node: &Map<String, Value>,
        path: &str,
    ) {
        for (name, value) in node {
            // Numbers that name nothing are values.
            if value.is_number() && !is_role(settings, name) {
                continue;
            }
            if let Some(text) = simple(value).filter(|t| !t.is_empty() && t != "N/A") {
                self.take(settings, sink, key, name, text, &format!("{path}.{name}"));
            }
        }
    }

    /// Everything in a describing document, quantities with their units, goes into the context.
    fn flatten(&mut self, settings: &Settings, sink: &mut Sink, key: &str, value: &Value, path: &str, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        if let Some(list) = value.as_array() {
            for (index, entry) in list.iter().enumerate() {
                self.flatten(settings, sink, key, entry, &format!("{path}[{index}]"), depth + 1);
            }
        }
        let Some(node) = value.as_object() else { return };
        for (name, value) in node {
            let path = format!("{path}.{name}");
            if let Some((number, unit)) = quantity(value) {
                let unit = unit.filter(|u| !settings.unitless.iter().any(|none| none == u));
                if let Some(number) = simple(number) {
                    let text = unit.map_or_else(|| number.clone(), |unit| format!("{number} {unit}"));
                    self.take(settings, sink, key, name, text, &path);
                }
            } else if let Some(text) = simple(value) {
                if !text.is_empty() && text != "N/A" {
                    self.take(settings, sink, key, name, text, &path);
                }
            } else {
                self.flatten(settings, sink, name, value, &path, depth + 1);
            }
        }
    }

    fn take(&mut self, settings: &Settings, sink: &mut Sink, key: &str, name: &str, text: String, path: &str) {
        let found = settings
            .roles
            .iter()
            .enumerate()
            .find(|(_, role)| role.key.is_match(name) && role.within.as_ref().is_none_or(|w| w.is_match(key)));
        let Some((index, role)) = found else {
            self.base.context.insert(slug(name), text);
            return;
        };
        let named = role.name.clone().unwrap_or_else(|| slug(name));
        match role.role {
            Role::Sample if self.first(0, index) => self.base.sample = Some(text),
            Role::Analyte if self.first(1, index) => self.base.analyte = Some(text),
            Role::Injection if self.first(2, index) => self.base.injection = Some(text),
            Role::Datetime | Role::Date if text.starts_with(NO_DATE) || self.error_of(name).is_some() => {
                let message = format!("{name} is {text}: the file has no date");
                sink.warn_once("placeholder_date", message, Locator::path(path));
            }
            Role::Datetime | Role::Date => self.base.acquired_at = sink.date(&text, Locator::path(path)),
            Role::Ignore => {}
            _ => {
                self.base.context.insert(named, text);
            }
        }
    }

    /// The key of the weightier role gives the text, an inner document before an outer one.
    fn first(&mut self, role: usize, index: usize) -> bool {
        let Some(place) = self.best.get_mut(role) else { return false };
        let better = place.is_none_or(|known| index <= known);
        if better {
            *place = Some(index);
        }
        better
    }
}

/// True for keys that name something, whatever holds them.
pub(super) fn is_role(settings: &Settings, name: &str) -> bool {
    settings.roles.iter().any(|role| role.key.is_match(name))
}
