//! Building JSON whose numbers keep the digits of the decimal text.

use std::str::FromStr;

use serde_json::{Map, Number, Value};

use super::names;
use crate::model::{Observation, Status};

/// A number of the same digits; `None` where the text is not a number of JSON.
pub(super) fn number(text: &str) -> Option<Value> {
    let text = text.trim();
    // The digits are kept as text: no binary float is made of them.
    Number::from_str(text).ok().map(Value::Number).or_else(|| {
        let plain: rust_decimal::Decimal = text.parse().ok()?;
        Number::from_str(&plain.to_string()).ok().map(Value::Number)
    })
}

/// `{"value": 2.824, "unit": "min"}`, where the observation has a number.
pub(super) fn quantity(seen: &Observation) -> Option<Value> {
    let usable = !matches!(seen.status, Status::Below | Status::Above | Status::NotDetected | Status::Text);
    let value = seen.value.as_deref().filter(|_| usable).and_then(number)?;
    let mut node = Map::new();
    node.insert("value".into(), value);
    node.insert("unit".into(), Value::String(names::unit(seen.unit.as_deref())));
    Some(Value::Object(node))
}

/// A map that is put into another only where it holds something.
pub(super) fn put_map(into: &mut Map<String, Value>, key: &str, map: Map<String, Value>) {
    if !map.is_empty() {
        into.insert(key.to_owned(), Value::Object(map));
    }
}

pub(super) fn put_text(into: &mut Map<String, Value>, key: &str, text: Option<&str>) {
    if let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) {
        into.insert(key.to_owned(), Value::String(text.to_owned()));
    }
}

/// Puts a value under a key that may be taken already: a second one gets a number.
pub(super) fn put_new(into: &mut Map<String, Value>, key: &str, value: Value) {
    if !into.contains_key(key) {
        into.insert(key.to_owned(), value);
        return;
    }
    let free = (2..).map(|n| format!("{key} ({n})")).find(|key| !into.contains_key(key));
    if let Some(key) = free {
        into.insert(key, value);
    }
}

/// `{"outer": {"inner": [..]}}`: the model's way to hold a list.
pub(super) fn put_list(into: &mut Map<String, Value>, (outer, inner): (&str, &str), list: Vec<Value>) {
    if !list.is_empty() {
        let mut held = Map::new();
        held.insert(inner.to_owned(), Value::Array(list));
        into.insert(outer.to_owned(), Value::Object(held));
    }
}
