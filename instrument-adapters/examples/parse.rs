//! Prints what a file became: `cargo run -p instrument-adapters --example parse -- FILE`.

use std::path::Path;

use instrument_adapters::{AdapterSet, Options, fs};

fn main() {
    let set = AdapterSet::embedded();
    for name in std::env::args().skip(1) {
        match fs::parse_file(&set, Path::new(&name), None, &Options::default()) {
            Err(why) => println!("{name}: {why}"),
            Ok(read) => match serde_json::to_string_pretty(&read) {
                Ok(json) => println!("{json}"),
                Err(why) => println!("{name}: {why}"),
            },
        }
    }
}
