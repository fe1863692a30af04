//! Files without lines of their own are written out as lines, and a value's place leads to its line.

use instrument_adapters::embedded::ADAPTERS;
use instrument_adapters::{AdapterSet, Options, fs};

/// Every value of a tree or a binary file has a line, and the line shows it.
#[test]
fn a_value_leads_to_its_line() {
    let set = AdapterSet::embedded();
    let (mut files, mut values) = (0, 0);
    for adapter in ADAPTERS {
        for sample in adapter.samples {
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join(sample.name);
            std::fs::write(&file, sample.bytes).unwrap();
            let read = fs::explain_file(&set, &file, Some(adapter.id), &Options::default()).unwrap();
            let mut placed = read.parsed.observations.iter().filter(|o| o.locator.path.is_some()).peekable();
            files += usize::from(placed.peek().is_some());
            for observation in placed {
                let line = read.line_of(&observation.locator).unwrap_or_else(|| panic!("{observation:?}"));
                let (number, text, _) = read.lines.iter().find(|(number, ..)| *number == line).unwrap();
                assert_eq!(*number, line);
                let path = observation.locator.path.as_deref().unwrap();
                // A list of simple values is one line.
                let list = text.contains(" values]") || text.contains(": [");
                assert!(list || text.contains(observation.raw.as_str()), "{path}: {text}: {observation:?}");
                values += 1;
            }
        }
    }
    assert!(files >= 2 && values > 100, "{files} {values}");
}
