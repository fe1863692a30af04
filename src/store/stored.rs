//! Stored JSON is read whole or not at all: what cannot be read is an error that names table, column and row. A blank
//! in its place would look like evidence.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::StoreError;
use super::columns::{Json, Unreadable};
use crate::refusal::{Code, Refusal};

/// Where a stored document is kept.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row.
    pub id: &'a str,
}

impl<'a> At<'a> {
    /// That place.
    #[must_use]
    pub fn new(table: &'static str, column: &'static str, id: &'a str) -> Self {
        Self { table, column, id }
    }

    /// The refusal of what cannot be read there.
    #[must_use]
    pub fn unreadable(&self, problem: impl std::fmt::Display) -> Refusal {
        let Self { table, column, id } = self;
        Refusal::new(
            Code::RecordUnreadable,
            format!("已保存的内容无法读取（{table}.{column}，{id}）：{problem}"),
            format!("what is stored cannot be read ({table}.{column} of {id}): {problem}"),
        )
        .with(json!({"table": table, "column": column, "id": id}))
    }

    /// The document as a tree.
    ///
    /// # Errors
    /// [`Code::RecordUnreadable`] with the place, where the text is not JSON.
    pub fn tree(&self, stored: &Json) -> Result<Value, Refusal> {
        self.read(stored)
    }

    /// The document as `T`.
    ///
    /// # Errors
    /// [`Code::RecordUnreadable`] with the place, where the document has another shape.
    pub fn read<T: DeserializeOwned>(&self, stored: &Json) -> Result<T, Refusal> {
        stored.read().map_err(|error| self.unreadable(error))
    }
}

impl Json {
    /// Reads the document of a column as `T`.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] with table, column and id.
    pub fn stored<T: DeserializeOwned>(
        &self,
        table: &'static str,
        column: &'static str,
        id: impl ToString,
    ) -> Result<T, StoreError> {
        self.read().map_err(|error| StoreError::Unreadable {
            value: Unreadable { what: "the document of its column", text: error.to_string() },
            place: format!("{table}.{column}, id {}", id.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_names_its_place() {
        let refused = At::new("certificate", "data", "c-1").read::<u32>(&Json::of(&"text")).expect_err("a text");
        assert_eq!(refused.code, Code::RecordUnreadable);
        for word in ["certificate", "data", "c-1"] {
            assert!(refused.message_zh.contains(word) && refused.message_en.contains(word), "{refused}");
        }
    }
}
