//! Files that say what was agreed. A change is written by `UPDATE_GOLDEN=1 cargo test`, and read in the diff.

use std::path::Path;

pub fn compare(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, found).expect("the file");
    }
    let agreed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(agreed == found, "tests/golden/{name} is not what was found:\n{found}");
}
