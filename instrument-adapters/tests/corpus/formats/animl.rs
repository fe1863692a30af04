//! AnIML. The folder has no truth files: the text of every numeric element of a sample or result is looked for.

use instrument_adapters::{AdapterSet, Options, Parsed};
use serde_json::Value;

use crate::support::{corpus, data_files};

pub fn check(_: &Parsed, _: &Value) -> usize {
    0
}

#[test]
fn every_value_is_found() {
    let Some(corpus) = corpus() else { return };
    let set = AdapterSet::embedded();
    let (mut files, mut values) = (0, 0);
    for path in data_files(&corpus.join("animl")) {
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        let document = roxmltree::Document::parse(&text).unwrap();
        let parsed = set.parse("a.xml", &bytes, None, &Options::default()).unwrap();
        assert_eq!(parsed.adapter, "animl");
        // A series that cannot be unpacked is an error, and nothing is missing.
        assert_ne!(parsed.complete, Some(false));
        for node in document.descendants().filter(|n| ["I", "L", "F", "D"].contains(&n.tag_name().name())) {
            let parent = node.parent().unwrap();
            let inside = |name: &str| node.ancestors().any(|a| a.tag_name().name() == name);
            // Settings, references and the ends of equal steps are no values.
            if inside("Method") || ["StartValue", "EndValue", "Increment"].contains(&parent.tag_name().name()) {
                continue;
            }
            let at = document.text_pos_at(node.range().start);
            let found: Vec<_> = parsed
                .observations
                .iter()
                .filter(|o| (o.locator.line, o.locator.column) == (Some(at.row), Some(at.col)))
                .collect();
            assert_eq!(found.len(), 1, "{at}");
            assert_eq!(Some(found[0].raw.as_str()), node.text().map(str::trim));
            assert_eq!(found[0].value.as_deref(), node.text().map(str::trim));
            values += 1;
        }
        files += 1;
    }
    assert!(files >= 2 && values >= 12, "{files} {values}");
}

/// Entities are never resolved, however they are dressed.
#[test]
fn hostile_documents_are_refused() {
    let Some(corpus) = corpus() else { return };
    let set = AdapterSet::embedded();
    for name in ["billion_laughs.xml", "xxe.xml"] {
        let bytes = std::fs::read(corpus.join("_hostile").join(name)).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        // As it is, with the root of a known format, and without the declaration that shows it.
        let dressed = text.replace("<r>", "<AnIML><SampleSet>").replace("</r>", "</SampleSet></AnIML>");
        let bare = dressed.replace("<!DOCTYPE r", "<!doctype r");
        for text in [text, dressed, bare] {
            for file in ["a.xml", "a.animl", "a.txt"] {
                let Ok(parsed) = set.parse(file, text.as_bytes(), None, &Options::default()) else { continue };
                assert!(parsed.is_blocked() && parsed.complete == Some(false) && parsed.observations.is_empty());
            }
        }
    }
}
