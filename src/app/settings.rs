//! What the configuration says, by field, as the trail has it. No secret is among it, only where secrets lie.

use toml::{Table, Value};

use crate::record::Settings;
use crate::store::copy;

/// The settings of a configuration as it was read.
#[must_use]
pub fn said(table: &Table) -> Settings {
    let mut settings = Settings::new();
    walk("", table, &mut settings);
    if let Some(url) = settings.get_mut("database.url") {
        *url = copy::without_password(url);
    }
    settings
}

fn walk(before: &str, table: &Table, settings: &mut Settings) {
    for (name, value) in table {
        let field = format!("{before}{name}");
        match value {
            Value::Table(inner) => walk(&format!("{field}."), inner, settings),
            Value::String(text) => {
                settings.insert(field, text.clone());
            }
            other => {
                settings.insert(field, other.to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Settings {
        said(&text.parse().expect("a configuration"))
    }

    #[test]
    fn settings_have_names_and_no_password() {
        let settings = of("listen = '127.0.0.1:1'\n[database]\nurl = 'postgres://q:secret@db/q'\n[session]\nhours = 8");
        let expected = [("database.url", "postgres://q@db/q"), ("listen", "127.0.0.1:1"), ("session.hours", "8")];
        let expected: Settings = expected.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(settings, expected);
    }
}
