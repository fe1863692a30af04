//! Writes the embedded samples and rejects as seeds, `corpus/<target>/`: run it in the fuzz folder before fuzzing.

use std::collections::BTreeSet;
use std::path::Path;

use instrument_adapters::embedded::{ADAPTERS, AdapterFiles};
use instrument_adapters::{AdapterSet, embedded::SampleFile};
use instrument_adapters_fuzz::MARK;

fn main() -> std::io::Result<()> {
    let set = AdapterSet::embedded();
    let readers: BTreeSet<&str> = set.iter().map(|adapter| adapter.reader()).collect();
    for files in ADAPTERS {
        let reader = set.get(files.id).map_or("", |adapter| adapter.reader());
        for file in files.samples.iter().chain(files.rejects) {
            let name = format!("{}-{}", files.id, file.name);
            write(reader, &name, file.bytes)?;
            write("detect", &name, file.bytes)?;
            for beside in companions(&set, files, file) {
                let bytes = [file.bytes, MARK, beside.bytes].concat();
                write(reader, &format!("{name}-{}", beside.name), &bytes)?;
            }
        }
        write("declaration", files.id, files.declaration.as_bytes())?;
    }
    println!("seeds for {} readers", readers.len());
    Ok(())
}

fn companions<'f>(set: &AdapterSet, files: &'f AdapterFiles, file: &SampleFile) -> Vec<&'f SampleFile> {
    let wanted = set.get(files.id).map(|adapter| adapter.companion_names(file.name)).unwrap_or_default();
    files.samples.iter().filter(|one| wanted.iter().any(|name| name.eq_ignore_ascii_case(one.name))).collect()
}

fn write(target: &str, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let folder = Path::new("corpus").join(target);
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join(name), bytes)
}
