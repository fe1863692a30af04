//! Reading what is stored: what cannot be read is a failure that names its place, never something empty.

use serde::de::DeserializeOwned;

use super::StoreError;
use super::columns::Json;

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
            table,
            column,
            id: id.to_string(),
            text: error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_names_its_place() {
        let stored = Json::of(&"no list");
        let failed = stored.stored::<Vec<String>>("application_clock", "provisions", "a1").expect_err("text");
        let told = failed.to_string();
        assert!(told.contains("application_clock.provisions of a1"), "{told}");
        assert_eq!(stored.stored::<String>("application_clock", "provisions", "a1").ok().as_deref(), Some("no list"));
    }
}
