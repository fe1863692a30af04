//! Every reader has its fuzz target. A new one needs a file in `fuzz/fuzz_targets/` and an entry in `fuzz/Cargo.toml`,
//! both like those of the others.

use std::path::Path;

use instrument_adapters::AdapterSet;

#[test]
fn every_reader_has_a_fuzz_target() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    let set = AdapterSet::embedded();
    for reader in set.iter().map(|adapter| adapter.reader()).chain(["detect", "declaration"]) {
        let target = format!("fuzz_targets/{reader}.rs");
        let text = std::fs::read_to_string(fuzz.join(&target));
        let call = text.unwrap_or_else(|_| panic!("{target} is missing: copy that of another reader"));
        assert!(call.contains(reader) && manifest.contains(&format!("\"{target}\"")), "{target} in fuzz/Cargo.toml");
    }
}
