//! Quantities of an Allotrope Simple Model document, an independent conversion of the same file.

#![allow(dead_code)]

use rust_decimal::Decimal;
use serde_json::Value;

/// A number with its unit, and where it stands.
#[derive(Debug, Clone)]
pub struct Quantity {
    /// Names of the objects and places of the lists that lead to it.
    pub path: Vec<String>,
    pub value: Decimal,
    pub unit: String,
}

impl Quantity {
    /// The nearest name, such as `peak area`.
    pub fn name(&self) -> &str {
        self.path.iter().rev().find(|p| p.parse::<usize>().is_err()).map_or("", String::as_str)
    }
}

/// All `{"value": …, "unit": …}` of a document.
pub fn quantities(document: &Value) -> Vec<Quantity> {
    let mut found = Vec::new();
    walk(document, &mut Vec::new(), &mut found);
    found
}

fn walk(node: &Value, path: &mut Vec<String>, found: &mut Vec<Quantity>) {
    match node {
        Value::Object(object) => {
            if let (Some(value), Some(unit)) = (object.get("value"), object.get("unit").and_then(Value::as_str)) {
                if let Some(value) = super::support::decimal(value) {
                    found.push(Quantity { path: path.clone(), value, unit: unit.to_owned() });
                }
                return;
            }
            for (key, value) in object {
                path.push(key.clone());
                walk(value, path, found);
                path.pop();
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                path.push(index.to_string());
                walk(value, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}
