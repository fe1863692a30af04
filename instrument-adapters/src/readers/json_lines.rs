//! A tree in JSON written out as lines, one a leaf, so that a path leads to a line.

use serde_json::Value;

use crate::model::Locator;
use crate::sink::Sink;

/// Beyond this nobody looks at lines.
const MAX_LINES: usize = 100_000;
/// Longest text of a leaf that is shown.
const MAX_TEXT: usize = 200;

/// Fills the rendering: `path: value`; a list of simple values is one line.
pub(crate) fn render(sink: &mut Sink, root: &Value) {
    if !sink.explaining {
        return;
    }
    let mut path = String::from("$");
    leaf(sink, root, &mut path, false);
}

/// The depth is limited by the parser of the tree.
fn leaf(sink: &mut Sink, node: &Value, path: &mut String, secret: bool) {
    if sink.rendering.lines.len() >= MAX_LINES {
        return;
    }
    let length = path.len();
    match node {
        Value::Object(object) if !object.is_empty() => {
            for (key, value) in object {
                path.push('.');
                path.push_str(key);
                leaf(sink, value, path, key.eq_ignore_ascii_case("password"));
                path.truncate(length);
            }
        }
        Value::Array(list) if list.iter().any(|v| v.is_object() || v.is_array()) => {
            for (index, value) in list.iter().enumerate() {
                path.push('[');
                path.push_str(&index.to_string());
                path.push(']');
                leaf(sink, value, path, secret);
                path.truncate(length);
            }
        }
        _ => {
            let text = match node {
                _ if secret => "…".to_owned(),
                Value::Array(list) if list.len() > 8 => format!("[{} values]", list.len()),
                other => shown(other),
            };
            sink.rendering.line(&Locator::path(path.as_str()), format!("{path}: {text}"));
        }
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.len() <= MAX_TEXT {
        return text;
    }
    let mut cut: String = text.chars().take(MAX_TEXT).collect();
    cut.push('…');
    cut
}
