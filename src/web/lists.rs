//! Helpers of lists and details: pages of a list, and stored documents unfolded for templates.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::outer::encoded;
use crate::refusal::{Code, Refusal};
use crate::store::views::Search;
use crate::store::views::keyset::Part;

/// Rows of one page of a list.
pub const ROWS: i64 = 50;

/// What is looked for in a register, as the address says.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct RegisterSearch {
    /// A part of a name or a code. A field that offers what is found sends its own name.
    #[serde(alias = "product_code", alias = "applicant_name")]
    pub q: String,
    /// Behind which row the part begins.
    pub after: String,
}

impl RegisterSearch {
    /// The part of a register that is looked for.
    #[must_use]
    pub fn search(&self, limit: i64) -> Search {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.trim().is_empty());
        Search { q: given(&self.q), limit: Some(limit), after: given(&self.after), offset: None }
    }
}

/// How to go on in a list by cursor.
#[derive(Debug, Serialize)]
pub struct Onward {
    total: i64,
    /// There are more than `total`.
    more: bool,
    shown: usize,
    first: Option<String>,
    later: Option<String>,
}

impl Onward {
    /// For a part of a list; `fields` are the filter that the links repeat, `after` is where the part began.
    #[must_use]
    pub fn new<T>(path: &str, fields: &[(&str, &str)], after: &str, part: &Part<T>) -> Self {
        let link = |after: &str| {
            let all = fields.iter().copied().chain([("after", after)]);
            let kept = all.filter(|(_, value)| !value.is_empty());
            let query: Vec<String> = kept.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
            if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
        };
        Self {
            total: part.total,
            more: part.total_at_least,
            shown: part.items.len(),
            first: (!after.is_empty()).then(|| link("")),
            later: part.next.as_deref().map(link),
        }
    }
}

/// A view as a template shows it.
///
/// # Errors
/// [`Code::Internal`], which no view of the program causes.
pub fn shown(view: &impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(view).map_err(|error| {
        tracing::error!(%error, "a view cannot be shown");
        Refusal::new(Code::Internal, "内部错误", "internal error")
    })
}

/// The number that a field of an address says, or zero.
#[must_use]
pub fn offset(text: &str) -> i64 {
    text.trim().parse().unwrap_or(0).max(0)
}

/// The JSON documents that rows keep as text.
const DOCUMENTS: &[&str] = &[
    "changes",
    "context",
    "data",
    "determination",
    "flags",
    "inputs",
    "locator",
    "particulars",
    "problems",
    "provisions",
    "run",
    "steps",
];

/// Serialises for a template, with stored JSON documents as trees.
///
/// # Errors
/// [`Code::Internal`], which no type of the program causes.
pub fn unfolded(value: impl Serialize) -> Result<Value, Refusal> {
    let mut tree = serde_json::to_value(value).map_err(|error| {
        tracing::error!(%error, "a row cannot be shown");
        Refusal::new(Code::Internal, "内部错误", "internal error")
    })?;
    unfold(&mut tree);
    Ok(tree)
}

fn unfold(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if let (true, Some(text)) = (DOCUMENTS.contains(&key.as_str()), value.as_str())
                    && let Ok(document) = serde_json::from_str::<Value>(text)
                {
                    *value = document;
                }
                unfold(value);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(unfold),
        _ => {}
    }
}
