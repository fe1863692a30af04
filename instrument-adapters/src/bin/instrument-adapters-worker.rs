//! Reads instrument files for a pool in another process, see `instrument_adapters::isolated`.

use std::io::{stdin, stdout};
use std::process::ExitCode;

use instrument_adapters::isolated::worker::{Bounds, serve};

fn main() -> ExitCode {
    let bounds = match Bounds::from_words(std::env::args().skip(1)) {
        Ok(bounds) => bounds,
        Err(why) => {
            eprintln!("instrument-adapters-worker: {why}");
            return ExitCode::from(2);
        }
    };
    match serve(&mut stdin().lock(), &mut stdout().lock(), bounds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("instrument-adapters-worker: {why}");
            ExitCode::FAILURE
        }
    }
}
