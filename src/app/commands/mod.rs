//! The commands of the program: each reads its arguments, makes one call, and writes the answer.

pub mod adapters;
pub mod audit;
pub mod backup;
pub mod calendar;
pub mod certificate;
pub mod demo;
pub mod keeper;
pub mod numeric;
pub mod place;
pub mod regulation;
pub mod serve;
pub mod setup;

use std::io::Write;
use std::path::Path;

use serde::Serialize;
use thiserror::Error;

use crate::regulation::Regulation;

/// How a command ended that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandOutcome {
    /// Exit code 0.
    Success,
    /// A refusal or a failed check: exit code 1.
    Refusal,
}

/// Why a command could not do its work: exit code 1. With `--json` it is printed as this one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Error)]
#[error("{message}")]
pub struct CommandError {
    pub code: &'static str,
    pub message: String,
    pub field: Option<String>,
}

impl CommandError {
    /// An error that concerns no single field.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        CommandError { code, message: message.into(), field: None }
    }

    /// An error about one field or argument.
    pub fn at(code: &'static str, field: impl Into<String>, message: impl Into<String>) -> Self {
        CommandError { code, message: message.into(), field: Some(field.into()) }
    }
}

impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        CommandError::new("output", format!("the answer cannot be written: {error}"))
    }
}

/// Writes a value as JSON, indented, with a line end.
pub(crate) fn write_json(out: &mut dyn Write, value: &impl Serialize) -> Result<(), CommandError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| CommandError::new("output", error.to_string()))?;
    writeln!(out, "{text}")?;
    Ok(())
}

/// The shipped regulation, with a laboratory's folder on top where one is given.
pub(crate) fn load_regulation(folder: Option<&Path>) -> Result<Regulation, CommandError> {
    Regulation::load(folder).map_err(|error| CommandError::new(error.code(), error.to_string()))
}

/// Reads an argument that is a date.
pub(crate) fn date_argument(text: &str) -> Result<chrono::NaiveDate, String> {
    crate::regulation::parse_date(text).ok_or_else(|| "expected a date as YYYY-MM-DD".to_owned())
}

#[cfg(test)]
pub(crate) mod testing {
    //! Running a command as the program does, from its words to its text.

    use clap::Args;

    use super::{CommandError, CommandOutcome};

    /// What a command wrote, or why it could not.
    pub(crate) fn run<A: Args>(
        run: impl Fn(&A, &mut dyn std::io::Write) -> Result<CommandOutcome, CommandError>,
        words: &[&str],
    ) -> Result<String, CommandError> {
        let command = A::augment_args(clap::Command::new("test"));
        let matches = command
            .try_get_matches_from([&["test"], words].concat())
            .map_err(|error| CommandError::new("usage", error.to_string()))?;
        let args = A::from_arg_matches(&matches).map_err(|error| CommandError::new("usage", error.to_string()))?;
        let mut out = Vec::new();
        let outcome = run(&args, &mut out)?;
        assert_eq!(outcome, CommandOutcome::Success);
        Ok(String::from_utf8(out).expect("text"))
    }

    /// The same, read as JSON.
    pub(crate) fn json<A: Args>(
        run_command: impl Fn(&A, &mut dyn std::io::Write) -> Result<CommandOutcome, CommandError>,
        words: &[&str],
    ) -> serde_json::Value {
        let text = run(run_command, words).expect("a success");
        serde_json::from_str(&text).expect("JSON")
    }
}
