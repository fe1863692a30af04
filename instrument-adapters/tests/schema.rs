//! `adapter.schema.json` is what the types say, and what every adapter that ships keeps.
//! `UPDATE_SCHEMA=1 cargo test -p instrument-adapters --test schema` writes it.

use std::path::Path;

use instrument_adapters::embedded::ADAPTERS;
use serde_json::Value;

fn file() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("adapter.schema.json")
}

#[test]
fn the_schema_is_what_the_types_say() {
    let made = instrument_adapters::schema();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(file(), &made).unwrap();
    }
    let kept = std::fs::read_to_string(file()).unwrap_or_default();
    assert!(kept == made, "adapter.schema.json: UPDATE_SCHEMA=1 cargo test -p instrument-adapters --test schema");
}

#[test]
fn it_takes_every_adapter_and_refuses_what_is_misspelt() {
    let schema: Value = serde_json::from_str(&instrument_adapters::schema()).unwrap();
    let check = jsonschema::validator_for(&schema).unwrap();
    let read = |text: &str| serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap();
    for files in ADAPTERS {
        let value = read(files.declaration);
        let wrong: Vec<String> = check.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path)).collect();
        assert!(wrong.is_empty(), "{}: {wrong:#?}", files.id);
    }
    let base = "id = 'x'\nversion = '1'\nproduct = ''\n[detect]\nhead = ['a']\n[reader]\nkind = 'delimited'\n";
    let good = format!("{base}delimiters = [',']\n");
    assert!(check.is_valid(&read(&good)));
    for wrong in [
        format!("{base}delimiters = [',']\nseparator = ','\n"),
        format!("{base}delimiters = ','\n"),
        good.replace("'delimited'", "'delimeted'"),
        good.replace("id = 'x'\n", ""),
        format!("{good}[tokens]\n'n/a' = 'missing'\n"),
        format!("{good}[[tables]]\nname = 't'\n[[tables.columns]]\nheading = 'a'\nrole = 'smple'\n"),
    ] {
        assert!(!check.is_valid(&read(&wrong)), "{wrong}");
    }
}

/// An editor shows what a field is for.
#[test]
fn fields_are_described() {
    let schema: Value = serde_json::from_str(&instrument_adapters::schema()).unwrap();
    let mut silent = Vec::new();
    for name in ["ColumnSpec", "TableSpec", "Detect", "TextSpec", "Limits", "TotalsSpec"] {
        let properties = schema["$defs"][name]["properties"].as_object().unwrap_or_else(|| panic!("{name}"));
        let without = properties.iter().filter(|(_, property)| property.get("description").is_none());
        silent.extend(without.map(|(field, _)| format!("{name}.{field}")));
    }
    assert!(silent.is_empty(), "{silent:?}");
}
