//! Read models: what lists and pages show. One query a list, paged, bounded.

use super::columns::Json;

/// A place in a file in words: `line 12`, `Sheet1!B7`, `$.injections[0].area`.
#[must_use]
pub fn locator_text(locator: &Json) -> String {
    let tree = locator.tree();
    let text = |key: &str| tree.get(key).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    match (text("line"), text("sheet"), text("cell"), text("path")) {
        (Some(line), ..) => format!("第 {line} 行"),
        (_, Some(sheet), Some(cell), _) => format!("{sheet}!{cell}"),
        (.., Some(path)) => path,
        _ => String::new(),
    }
}
