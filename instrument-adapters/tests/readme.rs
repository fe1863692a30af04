//! The README speaks of every field that a declaration may have, and of no adapter that is not there.

use instrument_adapters::embedded::ADAPTERS;

#[test]
fn the_readme_names_every_adapter_and_field() {
    let readme = include_str!("../README.md");
    for adapter in ADAPTERS {
        assert!(readme.contains(&format!("`{}`", adapter.id)), "{}", adapter.id);
    }
    // A wrong field's message lists the fields that there are.
    let base =
        "id = 'x'\nversion = '1'\nstatus = 'draft'\nproduct = ''\n[reader]\nkind = 'delimited'\ndelimiters = [',']\n";
    for section in ["[detect]", "[text]", "[limits]", "[run]", "[[tables]]", "[[tables.columns]]", "[tables.totals]"] {
        let parent = if section.contains("tables.") { "[[tables]]\nname = 't'\n" } else { "" };
        let detect = if section == "[detect]" { "" } else { "[detect]\nhead = ['a']\n" };
        let text = format!("{base}{detect}{parent}{section}\nno_such_field = 1\n");
        let message = instrument_adapters::Adapter::from_toml(&text).unwrap_err().to_string();
        let fields: Vec<_> = message
            .split_once("expected")
            .unwrap_or_else(|| panic!("{section}: {message}"))
            .1
            .split('`')
            .skip(1)
            .step_by(2)
            .collect();
        assert!(!fields.is_empty(), "{section}: {message}");
        for field in fields {
            let named = [format!("`{field}`"), format!("tables.{field}]"), format!("[run.{field}]")];
            assert!(named.iter().any(|n| readme.contains(n)), "{section} {field}");
        }
    }
}
