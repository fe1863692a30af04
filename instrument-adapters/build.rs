//! Lists the folders under `adapters/` and compiles their files in.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=adapters");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("adapters");
    let mut list = String::from("&[\n");
    for id in names(&root)? {
        let folder = root.join(&id);
        let declaration = folder.join("adapter.toml");
        if !declaration.is_file() {
            return Err(io::Error::other(format!("{} is missing", declaration.display())));
        }
        let _ = writeln!(list, "AdapterFiles {{ id: {id:?}, declaration: include_str!({declaration:?}),");
        let record = folder.join("validation.toml");
        let record = if record.is_file() { format!("Some(include_str!({record:?}))") } else { "None".to_owned() };
        let _ = writeln!(list, "validation: {record},");
        for part in ["samples", "expected", "rejects"] {
            let _ = writeln!(list, "{part}: &[");
            for name in names(&folder.join(part)).unwrap_or_default() {
                let path = folder.join(part).join(&name);
                // `expected/` is named as the samples are.
                let name = if part == "expected" { name.strip_suffix(".json").unwrap_or(&name) } else { &name };
                let _ = writeln!(list, "SampleFile {{ name: {name:?}, bytes: include_bytes!({path:?}) }},");
            }
            list.push_str("],\n");
        }
        list.push_str("},\n");
    }
    list.push(']');
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("embedded.rs"), list)
}

/// Names in a folder, sorted, so that every build lists them alike.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().into_string().map_err(|n| io::Error::other(format!("{n:?} is no Unicode")))?;
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
