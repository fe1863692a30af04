//! Trees in JSON: lists within lists, whose entries hold the values.
//!
//! An entry's simple values are in itself (Chromeleon) or in an object of it (Empower: `fields`). What an
//! outer entry says holds for all entries below it. A cut tree does not close and is not read at all, so the
//! closing bracket is the end mark.

mod checks;
mod settings;

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::{Map, Value};

use self::checks::Version;
pub(crate) use self::settings::Settings;
use self::settings::{Curve, Level, TreeKey};
use super::{Proof, ReaderInput, json_lines};
use crate::model::{Locator, Severity, Status};
use crate::sink::{Sink, slug};
use crate::spec::{Pattern, Role};
use crate::tabular::{self, Base};
use crate::text::deepest_bracket;

/// One reading of a tree.
struct Walk<'s> {
    settings: &'s Settings,
    versions: Vec<Version>,
    /// Level and key → number of the field: entries have the same keys again and again.
    kinds: RefCell<HashMap<String, HashMap<String, Option<usize>>>>,
}

/// What the entries above one say of it.
#[derive(Debug, Clone, Default)]
struct Above {
    base: Base,
    flags: Vec<(String, Option<Status>)>,
}

pub(crate) fn read(settings: &Settings, input: &ReaderInput, sink: &mut Sink) -> Proof {
    let Some(root) = parse(&input.text.whole, sink) else { return Proof::Fails };
    let Some(object) = root.as_object() else {
        sink.fault("not_json", "the root is no object", Locator::path("$"));
        return Proof::Fails;
    };
    json_lines::render(sink, &root);
    account_for(settings, sink, object, "");
    let mut walk = Walk { settings, versions: Vec::new(), kinds: RefCell::default() };
    for level in settings.below(None) {
        walk.level(sink, level, object, "$", &Above::default());
    }
    checks::choose(sink, walk.versions);
    for name in &settings.wanted {
        let level = settings.levels.iter().find(|l| l.name() == name);
        let list = level.and_then(|l| at(object, l.at()).and_then(Value::as_array));
        if list.is_none_or(Vec::is_empty) {
            sink.warn("nothing_there", format!("the file has no {name}"), Locator::path("$"));
        }
    }
    if sink.broken { Proof::Fails } else { Proof::Holds }
}

/// Parses the text of a tree; a problem says where it does not close.
pub(super) fn parse(text: &str, sink: &mut Sink) -> Option<Value> {
    let (depth, limit) = (deepest_bracket(text), sink.spec.limits.depth);
    if depth > limit {
        sink.fault("limit_depth", format!("{depth} lists within lists, the limit is {limit}"), Locator::default());
        return None;
    }
    match serde_json::from_str(text) {
        Ok(root) => Some(root),
        Err(error) => {
            let place = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let at = Locator::at(place(error.line()), place(error.column()));
            sink.fault("not_json", format!("the tree does not close: {error}"), at);
            None
        }
    }
}

/// The node at a dotted path.
fn at<'v>(object: &'v Map<String, Value>, path: &str) -> Option<&'v Value> {
    let mut keys = path.split('.');
    let first = object.get(keys.next()?)?;
    keys.try_fold(first, |node, key| node.get(key))
}

/// Takes the facts of the run, and reports the parts that nothing is declared for.
fn account_for(settings: &Settings, sink: &mut Sink, object: &Map<String, Value>, prefix: &str) {
    let roots: Vec<&str> = settings.below(None).map(Level::at).collect();
    let is_level = |path: &str| roots.contains(&path);
    for (key, value) in object {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        let within = |known: &str| known.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('.'));
        let mut known = settings.run.iter().chain(&settings.counted).chain(&settings.skip).map(String::as_str);
        if settings.run.contains(&path) {
            run_facts(sink, &path, value);
        } else if settings.counted.contains(&path) {
            sink.run_fact(key, value.as_array().map_or(0, Vec::len).to_string());
        } else if settings.skip.contains(&path) || is_level(&path) {
        } else if let (Some(inner), true) = (value.as_object(), known.any(within) || roots.iter().any(|r| within(r))) {
            account_for(settings, sink, inner, &path);
        } else if !is_empty(value) {
            unknown(sink, key, &format!("$.{path}"));
        }
    }
}

fn run_facts(sink: &mut Sink, prefix: &str, value: &Value) {
    let Some(object) = value.as_object() else {
        return;
    };
    for (key, value) in object {
        if let Some(text) = simple(value) {
            sink.run_fact(key, text);
        } else if !is_empty(value) {
            unknown(sink, key, &format!("$.{prefix}.{key}"));
        }
    }
}

/// The object in which an entry has its simple values.
fn fields_of<'v>(settings: &Settings, node: &'v Map<String, Value>) -> Option<&'v Map<String, Value>> {
    match &settings.inner {
        // Entries without such an object have their values in themselves: the points of Empower's curves.
        Some(inner) => match node.get(inner) {
            Some(Value::Object(fields)) => Some(fields),
            Some(Value::Null) | None => Some(node),
            Some(_) => None,
        },
        None => Some(node),
    }
}

fn inner_path(settings: &Settings, path: &str) -> String {
    settings.inner.as_ref().map_or_else(|| path.to_owned(), |inner| format!("{path}.{inner}"))
}

impl Walk<'_> {
    fn level(&mut self, sink: &mut Sink, level: &Level, parent: &Map<String, Value>, path: &str, above: &Above) {
        let Some(list) = at(parent, level.at()).filter(|v| !v.is_null()) else {
            return;
        };
        let name = level.name();
        let list_path = format!("{path}.{}", level.at());
        let Some(list) = list.as_array() else {
            sink.fault("not_a_list", format!("{name} is no list"), Locator::path(list_path));
            return;
        };
        for (index, node) in list.iter().enumerate() {
            let path = format!("{list_path}[{index}]");
            let Some(node) = node.as_object() else {
                sink.fault("not_an_object", "an entry is no object", Locator::path(path));
                continue;
            };
            let Some(fields) = fields_of(self.settings, node) else {
                let inner = self.settings.inner.clone().unwrap_or_default();
                sink.fault("not_an_object", format!("{inner} is no object"), Locator::path(path));
                continue;
            };
            if !sink.spend(fields.len() + 1, Locator::path(path.as_str())) {
                return;
            }
            let own = if std::ptr::eq(fields, node) { path.clone() } else { inner_path(self.settings, &path) };
            let from = sink.observations.len();
            let mut above = above.clone();
            if let Some(number) = level.number() {
                above.base.context.insert(number.to_owned(), (index + 1).to_string());
            }
            let mut named = Named::default();
            for (key, value) in fields {
                self.take(sink, name, key, value, &own, &mut above, &mut named);
            }
            if self.settings.inner.is_some() && !std::ptr::eq(fields, node) {
                self.beside(sink, name, node, &path);
            }
            self.values(sink, name, fields, &own, &above);
            self.curves(sink, name, node, &path, &above.base);
            for level in self.settings.below(Some(name)) {
                self.level(sink, level, node, &path, &above);
            }
            checks::totals(self.settings, sink, name, node, &path);
            if let Some(spec) = self.settings.versions.as_ref().filter(|v| v.level == name) {
                self.versions.push(Version::of(spec, &above.base, from..sink.observations.len(), &path));
            }
        }
    }

    fn structural(&self, level: &str, key: &str) -> bool {
        let first = |path: &str| path.split('.').next() == Some(key);
        self.settings.below(Some(level)).any(|l| first(l.at()))
            || self.settings.curves.iter().any(|c| c.level == level && c.key == key)
    }

    /// Reports what is found beside the object of an entry's values.
    fn beside(&self, sink: &mut Sink, level: &str, node: &Map<String, Value>, path: &str) {
        for (key, value) in node {
            let known = self.settings.inner.as_ref() == Some(key) || self.structural(level, key);
            if !known && !is_empty(value) {
                unknown(sink, key, &format!("{path}.{key}"));
            }
        }
    }

    /// The first field declared for a key.
    fn field(&self, level: &str, key: &str) -> Option<(usize, &TreeKey)> {
        let mut kinds = self.kinds.borrow_mut();
        let known = kinds.get(level).and_then(|of_level| of_level.get(key)).copied();
        let index = known.unwrap_or_else(|| {
            let found = self.settings.fields.iter().position(|f| f.level == level && f.key.is_match(key));
            kinds.entry(level.to_owned()).or_default().insert(key.to_owned(), found);
            found
        })?;
        Some((index, self.settings.fields.get(index)?))
    }

    /// What a key says of its entry and of everything below it.
    #[allow(clippy::too_many_arguments)]
    fn take(
        &self,
        sink: &mut Sink,
        level: &str,
        key: &str,
        value: &Value,
        path: &str,
        above: &mut Above,
        named: &mut Named,
    ) {
        let Some((index, field)) = self.field(level, key) else {
            if !self.structural(level, key) && !is_empty(value) {
                unknown(sink, key, &format!("{path}.{key}"));
            }
            return;
        };
        if self.structural(level, key) {
            return;
        }
        let base = &mut above.base;
        let name = || field.name.clone().unwrap_or_else(|| slug(key));
        if let Some(object) = value.as_object() {
            for (inner, value) in object {
                if let Some(text) = simple(value).filter(|t| !t.is_empty()) {
                    base.context.insert(format!("{}.{inner}", name()), text);
                }
            }
            return;
        }
        let Some(text) = simple(value).filter(|t| !t.is_empty()) else {
            return;
        };
        let at = Locator::path(format!("{path}.{key}"));
        match field.role {
            Role::Sample if named.first(0, index) => base.sample = Some(text),
            Role::Analyte if named.first(1, index) => base.analyte = Some(text),
            Role::Injection if named.first(2, index) => base.injection = Some(text),
            Role::Datetime | Role::Date => {
                let date = sink.date(&text, at);
                match (&field.name, date) {
                    (Some(name), Some(date)) => {
                        base.context.insert(name.clone(), date);
                    }
                    (_, date) => base.acquired_at = date,
                }
            }
            Role::Context | Role::Unit => {
                base.context.insert(name(), text);
            }
            Role::Flag => {
                if let Some(name) = &field.name {
                    base.context.insert(name.clone(), text.clone());
                }
                if !field.expected.contains(&text) {
                    sink.warn("unusual_state", format!("{key} is \"{text}\""), at);
                    let flag = field.flag.clone().unwrap_or(text);
                    if !above.flags.iter().any(|(known, _)| *known == flag) {
                        above.flags.push((flag, field.status));
                    }
                }
            }
            _ => {}
        }
    }

    fn values(&self, sink: &mut Sink, level: &str, node: &Map<String, Value>, path: &str, above: &Above) {
        let base = &above.base;
        let field_of = |key: &str| {
            let field = self.field(level, key).map(|(_, f)| f).filter(|f| f.role == Role::Value)?;
            (!self.structural(level, key)).then_some(field)
        };
        let keys: Vec<(&String, &Value, &TreeKey)> =
            node.iter().filter_map(|(key, value)| Some((key, value, field_of(key)?))).collect();
        let mut deciding = keys.iter().filter(|(.., f)| f.decides).peekable();
        let no_number = deciding.peek().is_some() && deciding.all(|(_, v, _)| v.is_null());
        let said =
            self.settings.missing.as_ref().is_some_and(|m| {
                m.level == level && base.context.get(&m.context).is_some_and(|word| m.is.is_match(word))
            });
        let not_found = no_number || said;
        for (key, value, field) in keys {
            if field.x.is_some() && !sink.curves {
                continue;
            }
            let at = Locator::path(format!("{path}.{key}"));
            let quantity = field.quantity.clone().unwrap_or_else(|| slug(key));
            let raw = simple(value).unwrap_or_default();
            let mut observation = tabular::observation(base, &quantity, &raw, at.clone());
            observation.flags.extend(above.flags.iter().map(|(flag, _)| flag.clone()));
            if not_found && field.decides && (value.is_null() || quantity != "retention_time") {
                // A zero in the place of an area that was not found does not mean zero.
                observation.raw = if value.is_null() { value.to_string() } else { raw };
                observation.status = Status::NotDetected;
                observation.flags.push("component_not_found".into());
                sink.observe(observation);
                continue;
            }
            if raw.is_empty() || (not_found && quantity != "retention_time") {
                if !is_empty(value) && raw.is_empty() {
                    unknown(sink, key, &format!("{path}.{key}"));
                }
                continue;
            }
            if not_found {
                observation.quantity = "expected_retention_time".into();
            }
            let read = tabular::reading(sink, &raw, field.text, &at);
            if read.status == Status::Invalid && !sink.spec.tokens.contains_key(&raw) {
                sink.fault("not_a_number", format!("{key} is \"{raw}\", which is no number"), at);
            }
            observation.status = read.status;
            observation.bound = read.bound;
            observation.value = read.number.map(|n| n.value);
            if observation.status == Status::Ok {
                observation.status = above.flags.iter().find_map(|(_, status)| *status).unwrap_or(Status::Ok);
            }
            if let Some(x) = &field.x {
                let x = node.get(x).and_then(simple).unwrap_or_default();
                observation.x = sink.number(&x, &observation.locator).map(|n| n.value);
            }
            let held = unit_text(base, &field.unit, &field.unit_from, &field.unit_if, &field.unit_if_is);
            if let Some(unit) = held.filter(|_| observation.status != Status::Text) {
                (observation.unit, observation.unit_raw) = tabular::unit_of(sink.spec, unit);
            }
            sink.observe(observation);
        }
    }

    fn curves(&self, sink: &mut Sink, level: &str, node: &Map<String, Value>, path: &str, base: &Base) {
        for curve in self.settings.curves.iter().filter(|c| c.level == level) {
            let Some(value) = node.get(&curve.key).filter(|v| !v.is_null()) else {
                continue;
            };
            // An object of two lists, or a list of the two.
            let list =
                |name: &str, index: usize| value.get(name).or_else(|| value.get(index)).and_then(Value::as_array);
            let at = Locator::path(format!("{path}.{}", curve.key));
            let (Some(xs), Some(ys)) = (list(&curve.x, 0), list(&curve.y, 1)) else {
                if !is_empty(value) {
                    sink.problem("curve_unread", Severity::Error, "no lists of x and y", at);
                }
                continue;
            };
            if xs.len() != ys.len() {
                let message = format!("{} abscissas and {} ordinates", xs.len(), ys.len());
                sink.fault("curve_lengths", message, at);
            }
            if sink.curves {
                let ordinates = if value.is_object() { curve.y.as_str() } else { "1" };
                points(sink, curve, xs, ys, &format!("{path}.{}", curve.key), ordinates, base);
            }
        }
    }
}

fn points(sink: &mut Sink, curve: &Curve, xs: &[Value], ys: &[Value], path: &str, ordinates: &str, base: &Base) {
    let mut base = base.clone();
    let written = unit_text(&base, &curve.unit, &curve.unit_from, &curve.unit_if, &curve.unit_if_is);
    let (unit, unit_raw) = written.map_or((None, None), |unit| tabular::unit_of(sink.spec, unit));
    if let Some(kept) = &curve.context {
        base.context.retain(|name, _| kept.contains(name));
    }
    let place = if ordinates == "1" { format!("{path}[1]") } else { format!("{path}.{ordinates}") };
    for (index, (x, y)) in xs.iter().zip(ys).enumerate() {
        let at = Locator::path(format!("{place}[{index}]"));
        if !sink.spend(1, at.clone()) {
            return;
        }
        let raw = simple(y).unwrap_or_default();
        let mut point = tabular::observation(&base, "signal", &raw, at.clone());
        point.value = sink.number(&raw, &at).map(|n| n.value);
        point.x = simple(x).and_then(|x| sink.number(&x, &at)).map(|n| n.value);
        point.x_unit = curve.x_unit.clone();
        point.unit = unit.clone();
        point.unit_raw = unit_raw.clone();
        if point.value.is_none() || point.x.is_none() {
            point.status = Status::Invalid;
            sink.warn_once("curve_point", format!("a point of {ordinates} is no number"), at);
        }
        sink.point(point);
    }
}

/// Of several keys with one role the one declared first gives the text.
#[derive(Debug, Default)]
struct Named([Option<usize>; 3]);

impl Named {
    fn first(&mut self, role: usize, index: usize) -> bool {
        let Some(place) = self.0.get_mut(role) else { return false };
        let better = place.is_none_or(|known| index <= known);
        if better {
            *place = Some(index);
        }
        better
    }
}

/// The unit as written, from the adapter or from what the file says beside the value.
fn unit_text<'a>(
    base: &'a Base,
    unit: &'a Option<String>,
    from: &Option<String>,
    only_if: &Option<String>,
    is: &Option<Pattern>,
) -> Option<&'a str> {
    let holds = match (only_if, is) {
        (Some(name), Some(is)) => base.context.get(name).is_some_and(|t| is.is_match(t)),
        _ => true,
    };
    let text = match from {
        Some(name) => base.context.get(name),
        None => unit.as_ref(),
    };
    text.filter(|_| holds).map(String::as_str)
}

/// Text of a simple value; the digits of a number stay as they are written.
pub(super) fn simple(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}

fn unknown(sink: &mut Sink, key: &str, path: &str) {
    sink.warn_once(
        "unknown_field",
        format!("the adapter does not know the field \"{key}\"; it is not read"),
        Locator::path(path),
    );
}
