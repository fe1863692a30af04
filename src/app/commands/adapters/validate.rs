//! `qianfa adapters validate`: a person's word that an adapter reads right, kept beside it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use instrument_adapters::embedded::ADAPTERS;
use instrument_adapters::fs as files;
use instrument_adapters::isolated::Adapters;
use instrument_adapters::{Adapter, Validation, digest};

use super::{CommandError, CommandOutcome, folder_error};
use crate::clock::Clock;

#[derive(Clone, Debug, Args)]
pub(super) struct ValidateArgs {
    /// The adapter's folder; of an adapter that ships, its name within a folder of the laboratory's own (DIR/ID), or
    /// its id with --adapters DIR
    #[arg(value_name = "DIR/ID")]
    adapter: PathBuf,
    /// Who has checked it
    #[arg(long, value_name = "NAME")]
    by: String,
    /// When, as YYYY-MM-DD (today)
    #[arg(long, value_name = "DATE")]
    on: Option<String>,
    /// Against what, in words
    #[arg(long, value_name = "TEXT")]
    against: Option<String>,
}

/// Writes `validation.toml`, where every sample and reject passes.
pub(super) fn run(
    args: &ValidateArgs,
    adapters: &Adapters,
    own: Option<&Path>,
    clock: &Clock,
    out: &mut dyn Write,
) -> Result<CommandOutcome, CommandError> {
    let folder = folder(&args.adapter, own)?;
    if !folder.join("adapter.toml").is_file() {
        // A place for the record of one that ships, and for samples of the laboratory's own.
        fs::create_dir_all(folder.join("samples"))?;
    }
    let mut found = files::read_adapter(&folder).map_err(folder_error)?;
    let report = adapters.test(&found.declaration, &found.cases);
    if !report.passed() {
        for failure in report.failures() {
            writeln!(out, "{failure}")?;
        }
        return Ok(CommandOutcome::Refusal);
    }
    if !found.is_embedded {
        found.declaration = claimed(&found.declaration)?;
    }
    let adapter = Adapter::from_toml(&found.declaration)
        .map_err(|error| CommandError::at("adapter_refused", "adapter", error.to_string()))?;
    let record = Validation {
        by: args.by.trim().to_owned(),
        on: args.on.clone().unwrap_or_else(|| clock.today().to_string()),
        against: args.against.clone(),
        digest: digest(&found.declaration, &found.cases, adapter.reader()),
    };
    let text = record.to_toml();
    // What is written is what will be read: what is not a name, or not a day, is reported here.
    Validation::from_toml(&text).map_err(|why| CommandError::at("validation", "by", why))?;
    if !found.is_embedded {
        fs::write(folder.join("adapter.toml"), &found.declaration)?;
    }
    fs::write(folder.join("validation.toml"), text)?;
    let cases = report.cases.len();
    writeln!(
        out,
        "{} {}: validated by {} on {} ({cases} cases)",
        adapter.id(),
        adapter.version(),
        record.by,
        record.on
    )?;
    Ok(CommandOutcome::Success)
}

/// The folder meant: a path, or the id of one that ships or of one in the laboratory's folder.
fn folder(named: &Path, own: Option<&Path>) -> Result<PathBuf, CommandError> {
    let candidates = [Some(named.to_owned()), own.map(|own| own.join(named))];
    if let Some(found) = candidates.iter().flatten().find(|path| path.join("adapter.toml").is_file()) {
        return Ok(found.clone());
    }
    let ships = ADAPTERS.iter().any(|files| named.file_name().is_some_and(|name| name == files.id));
    let place = own.map(|own| own.join(named)).or_else(|| named.components().nth(1).map(|_| named.to_owned()));
    match place.filter(|_| ships) {
        Some(place) => Ok(place),
        None if ships => Err(CommandError::at(
            "no_folder",
            "adapter",
            "the record of an adapter that ships stands in a folder of yours: name it as DIR/ID, or add --adapters DIR",
        )),
        None => Err(CommandError::at("no_adapter", "adapter", format!("{} has no adapter.toml", named.display()))),
    }
}

/// The declaration with its status raised: `draft`, or none, becomes `validated`.
fn claimed(declaration: &str) -> Result<String, CommandError> {
    let mut text = String::with_capacity(declaration.len() + 24);
    let mut said = false;
    for line in declaration.split_inclusive('\n') {
        let head = line.trim_start();
        // The status comes before the first table.
        if !said && head.starts_with('[') {
            text.push_str("status = \"validated\"\n");
            said = true;
        }
        let is_status = head.strip_prefix("status").is_some_and(|rest| rest.trim_start().starts_with('='));
        if is_status && !said {
            let end = if line.ends_with("\r\n") { "\r\n" } else { "\n" };
            text.push_str("status = \"validated\"");
            text.push_str(end);
            said = true;
        } else {
            text.push_str(line);
        }
    }
    Adapter::from_toml(&text)
        .map(|_| text)
        .map_err(|error| CommandError::at("adapter_refused", "adapter", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::claimed;

    #[test]
    fn the_status_is_raised_where_it_stands() {
        let rest = "[detect]\nhead = ['a']\n[reader]\nkind = 'delimited'\ndelimiters = [',']\n";
        let head = "id = 'x'\nversion = '1'\nproduct = ''\n";
        for (status, line) in [("status = 'draft' # so far\n", ""), ("", ""), ("status='validated'\n", "")] {
            let text = claimed(&format!("{head}{status}{line}{rest}")).expect("a declaration");
            assert_eq!(text, format!("{head}status = \"validated\"\n{rest}"));
        }
    }
}
