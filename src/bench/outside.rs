//! A value that lies outside what it can be, as it is asked about and recorded.

use serde_json::{Value, json};

use crate::regulation::numeric::Limit;

/// A value outside what it can be.
#[derive(Clone, Debug, PartialEq)]
pub struct Outside {
    /// The reading's name and position; none of the result.
    pub reading: Option<(String, i64)>,
    /// As it was typed or calculated.
    pub value: String,
    /// What it can be.
    pub range: Limit,
    /// Nothing in nature is so: it never complies.
    pub impossible: bool,
}

impl Outside {
    /// Both languages, as the record of a result has them.
    #[must_use]
    pub fn sentence(&self) -> String {
        let (zh, en) = self.words();
        format!("{zh} / {en}")
    }

    /// What is wrong, in Chinese and English.
    #[must_use]
    pub fn words(&self) -> (String, String) {
        let (value, range) = (&self.value, &self.range);
        let (zh, en) = match &self.reading {
            Some((name, position)) => (format!("读数 {name}[{position}]"), format!("the reading {name}[{position}]")),
            None => ("结果".to_owned(), "the result".to_owned()),
        };
        if self.impossible {
            (
                format!("{zh} {value} 超出可能的范围 {range}，不可能为真"),
                format!("{en} {value} lies outside {range} and cannot be"),
            )
        } else {
            (
                format!("{zh} {value} 超出合理范围 {range}"),
                format!("{en} {value} lies outside the plausible range {range}"),
            )
        }
    }

    /// The same for programs.
    #[must_use]
    pub fn details(&self) -> Value {
        let (zh, en) = self.words();
        let reading = self.reading.as_ref().map(|(name, position)| json!({"name": name, "position": position}));
        json!({"reading": reading, "value": self.value, "range": self.range.to_string(),
            "impossible": self.impossible, "message_zh": zh, "message_en": en})
    }
}
