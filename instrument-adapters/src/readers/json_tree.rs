//! Trees in JSON: lists within lists, of which the innermost holds the values.
//!
//! A cut tree does not close and is not read at all, so the closing bracket is the end mark.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Input, Proof};
use crate::model::{Locator, Severity, Status};
use crate::sink::{Sink, slug};
use crate::spec::{Pattern, Role};
use crate::tabular::{self, Base};
use crate::text::deepest_bracket;

/// Layout of the tree.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Objects below the root whose simple values describe the run.
    run: Vec<String>,
    /// The lists to walk down, outermost first.
    levels: Vec<String>,
    /// What the keys on each level are for.
    fields: Vec<Field>,
    /// Curves: lists of `x` and `y` below a level.
    #[serde(default)]
    curves: Vec<Curve>,
}

/// One kind of key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    level: String,
    key: Pattern,
    #[serde(default)]
    role: Role,
    quantity: Option<String>,
    unit: Option<String>,
    /// The unit holds only where this context entry …
    unit_if: Option<String>,
    /// … matches this.
    unit_if_is: Option<Pattern>,
    /// Name in `context`; a name is made from the key where none is given.
    name: Option<String>,
    /// The words that are as they should be; any other one is reported and flags the values.
    #[serde(default)]
    expected: Vec<String>,
    /// Without a number here the component was not found.
    #[serde(default)]
    decides: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Curve {
    level: String,
    key: String,
    x: String,
    y: String,
    x_unit: Option<String>,
    unit: Option<String>,
    unit_if: Option<String>,
    unit_if_is: Option<Pattern>,
}

pub(crate) fn read(settings: &Settings, input: &Input, sink: &mut Sink) -> Proof {
    let (depth, limit) = (deepest_bracket(&input.text.whole), sink.spec.limits.depth);
    if depth > limit {
        sink.fault("limit_depth", format!("{depth} lists within lists, the limit is {limit}"), Locator::default());
        return Proof::Fails;
    }
    let root: Value = match serde_json::from_str(&input.text.whole) {
        Ok(root) => root,
        Err(error) => {
            let at = Locator::at(
                u32::try_from(error.line()).unwrap_or(u32::MAX),
                u32::try_from(error.column()).unwrap_or(u32::MAX),
            );
            sink.fault("not_json", format!("the tree does not close: {error}"), at);
            return Proof::Fails;
        }
    };
    let Some(root) = root.as_object() else {
        sink.fault("not_json", "the root is no object", Locator::path("$"));
        return Proof::Fails;
    };
    let first = settings.levels.first().map(String::as_str);
    for (key, value) in root {
        if settings.run.contains(key) {
            run_facts(sink, key, value);
        } else if Some(key.as_str()) != first {
            unknown(sink, key, &format!("$.{key}"));
        }
    }
    walk(settings, sink, root, 0, "$", &Base::default(), &[]);
    if sink.broken { Proof::Fails } else { Proof::Holds }
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

fn walk(
    settings: &Settings,
    sink: &mut Sink,
    parent: &Map<String, Value>,
    depth: usize,
    path: &str,
    base: &Base,
    flags: &[(String, Status)],
) {
    let Some(level) = settings.levels.get(depth) else {
        return;
    };
    let innermost = depth + 1 == settings.levels.len();
    let Some(list) = parent.get(level).filter(|v| !v.is_null()) else {
        return;
    };
    let Some(list) = list.as_array() else {
        let at = Locator::path(format!("{path}.{level}"));
        sink.fault("not_a_list", format!("{level} is no list"), at);
        return;
    };
    for (index, node) in list.iter().enumerate() {
        let path = format!("{path}.{level}[{index}]");
        let Some(node) = node.as_object() else {
            sink.fault("not_an_object", "an entry is no object", Locator::path(path));
            continue;
        };
        if !sink.spend(node.len() + 1, Locator::path(path.clone())) {
            return;
        }
        let mut base = base.clone();
        let mut flags = flags.to_vec();
        for (key, value) in node {
            take(settings, sink, level, key, value, &path, &mut base, &mut flags);
        }
        if innermost {
            values(settings, sink, level, node, &path, &base, &flags);
        } else {
            curves(settings, sink, level, node, &path, &base);
            walk(settings, sink, node, depth + 1, &path, &base, &flags);
        }
    }
}

/// What a key says of everything below it.
#[allow(clippy::too_many_arguments)]
fn take(
    settings: &Settings,
    sink: &mut Sink,
    level: &str,
    key: &str,
    value: &Value,
    path: &str,
    base: &mut Base,
    flags: &mut Vec<(String, Status)>,
) {
    let structural =
        settings.levels.iter().any(|l| l == key) || settings.curves.iter().any(|c| c.level == level && c.key == key);
    let field = settings.fields.iter().find(|f| f.level == level && f.key.is_match(key));
    let Some(field) = field else {
        if !structural && !is_empty(value) {
            unknown(sink, key, &format!("{path}.{key}"));
        }
        return;
    };
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
        Role::Sample => base.sample = Some(text),
        Role::Analyte => base.analyte = Some(text),
        Role::Injection => base.injection = Some(text),
        Role::Datetime | Role::Date => base.acquired_at = sink.date(&text, at),
        Role::Context => {
            base.context.insert(name(), text);
        }
        Role::Flag => {
            if !field.expected.contains(&text) {
                sink.warn("unusual_state", format!("{key} is \"{text}\""), at);
                flags.push((text, Status::Ok));
            }
        }
        Role::Value | Role::Curve | Role::Ignore | Role::Unit | Role::Number | Role::Time => {}
    }
}

fn values(
    settings: &Settings,
    sink: &mut Sink,
    level: &str,
    node: &Map<String, Value>,
    path: &str,
    base: &Base,
    flags: &[(String, Status)],
) {
    let fields = || settings.fields.iter().filter(|f| f.level == level);
    let field_of = |key: &str| fields().find(|f| f.key.is_match(key));
    let deciding: Vec<&String> = node.keys().filter(|k| field_of(k).is_some_and(|f| f.decides)).collect();
    let missing = !deciding.is_empty() && deciding.iter().all(|k| node.get(*k).is_none_or(Value::is_null));
    for (key, value) in node {
        let Some(field) = field_of(key).filter(|f| f.role == Role::Value) else {
            continue;
        };
        let at = Locator::path(format!("{path}.{key}"));
        let quantity = field.quantity.clone().unwrap_or_else(|| slug(key));
        let raw = simple(value).unwrap_or_default();
        let mut observation = tabular::observation(base, &quantity, &raw, at.clone());
        observation.flags.extend(flags.iter().map(|(flag, _)| flag.clone()));
        if missing && field.decides {
            observation.raw = value.to_string();
            observation.status = Status::NotDetected;
            observation.flags.push("component_not_found".into());
            sink.observe(observation);
            continue;
        }
        if raw.is_empty() {
            if !is_empty(value) {
                unknown(sink, key, &format!("{path}.{key}"));
            }
            continue;
        }
        let read = tabular::reading(sink, &raw, false, &at);
        if read.status == Status::Invalid && !sink.spec.tokens.contains_key(&raw) {
            sink.problem("not_a_number", Severity::Error, format!("{key} is \"{raw}\", which is no number"), at);
        }
        observation.status = read.status;
        observation.bound = read.bound;
        observation.value = read.number.map(|n| n.value);
        let unit = field.unit.as_deref().filter(|_| holds(base, &field.unit_if, &field.unit_if_is));
        if let Some(unit) = unit {
            (observation.unit, observation.unit_raw) = tabular::unit_of(sink.spec, unit);
        }
        sink.observe(observation);
    }
}

fn holds(base: &Base, name: &Option<String>, is: &Option<Pattern>) -> bool {
    match (name, is) {
        (Some(name), Some(is)) => base.context.get(name).is_some_and(|t| is.is_match(t)),
        _ => true,
    }
}

fn curves(settings: &Settings, sink: &mut Sink, level: &str, node: &Map<String, Value>, path: &str, base: &Base) {
    for curve in settings.curves.iter().filter(|c| c.level == level) {
        let Some(value) = node.get(&curve.key).filter(|v| !v.is_null()) else {
            continue;
        };
        // An object of two lists, or a list of the two.
        let list = |name: &str, index: usize| value.get(name).or_else(|| value.get(index)).and_then(Value::as_array);
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
        if !sink.curves {
            continue;
        }
        let named = value.is_object();
        for (index, (x, y)) in xs.iter().zip(ys).enumerate() {
            let (step, place) = if named {
                (curve.y.as_str(), format!("{path}.{}.{}[{index}]", curve.key, curve.y))
            } else {
                ("1", format!("{path}.{}[1][{index}]", curve.key))
            };
            let at = Locator::path(place);
            if !sink.spend(1, at.clone()) {
                return;
            }
            let raw = simple(y).unwrap_or_default();
            let mut point = tabular::observation(base, "signal", &raw, at.clone());
            point.value = sink.number(&raw, &at).map(|n| n.value);
            point.x = simple(x).and_then(|x| sink.number(&x, &at)).map(|n| n.value);
            point.x_unit = curve.x_unit.clone();
            if holds(base, &curve.unit_if, &curve.unit_if_is) {
                point.unit = curve.unit.clone();
            }
            if point.value.is_none() {
                point.status = Status::Invalid;
                sink.warn_once("curve_point", format!("a point of {step} is no number"), at);
            }
            sink.observations.push(point);
        }
    }
}

/// Text of a simple value; the digits of a number stay as they are written.
fn simple(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn is_empty(value: &Value) -> bool {
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
