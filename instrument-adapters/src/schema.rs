//! The form of `adapter.toml` for editors, from the types that read it.

use schemars::generate::SchemaSettings;

use crate::spec::Spec;

/// JSON Schema (2020-12) of `adapter.toml`: fields with their meaning, kinds of readers, words of roles and statuses.
///
/// The committed `adapter.schema.json` is this text; a test compares them.
pub fn schema() -> String {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Spec>();
    schema.insert("title".into(), "adapter.toml".into());
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
