//! `qianfa adapters list|detect|parse|explain|test|new`

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use instrument_adapters::fs::{self as files, FolderError, ReadError};
use instrument_adapters::{
    AdapterSet, DateOrder, Explained, NotRecognised, Observation, Options, Parsed, Severity, Status, TestReport, draft,
};

use super::{CommandError, Outcome, write_json};

/// Instrument adapters: which file is whose, what it says, and how to write a new one
#[derive(Clone, Debug, Args)]
pub struct AdaptersArgs {
    /// A laboratory's own adapters on top of those that ship
    #[arg(long, value_name = "DIR", global = true)]
    adapters: Option<PathBuf>,
    #[command(subcommand)]
    command: AdaptersCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum AdaptersCommand {
    /// Id, version, status and product of every adapter
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Which adapter takes a file for its own, and why the others do not
    Detect {
        file: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Read a file into observations
    Parse(ReadArgs),
    /// Print a file line by line with what each line became
    Explain(ReadArgs),
    /// Run samples and rejects: of the adapters that ship, or of those in DIR
    Test { dir: Option<PathBuf> },
    /// Write a draft adapter that reads the obvious table of a file
    New {
        /// The file to start from
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        /// Name of the adapter; made from the file's name where absent
        #[arg(long)]
        id: Option<String>,
        /// Folder in which the adapter's folder is made
        #[arg(long, value_name = "DIR", default_value = ".")]
        into: PathBuf,
    },
}

#[derive(Clone, Debug, Args)]
struct ReadArgs {
    file: PathBuf,
    /// Read with this adapter, if it recognises the file
    #[arg(long, value_name = "ID")]
    adapter: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Leave out the points of curves and spectra
    #[arg(long)]
    no_curves: bool,
    /// How dates are to be read that can be read two ways
    #[arg(long, value_enum)]
    date_order: Option<Order>,
    /// Offset of the instrument's clock, as +08:00
    #[arg(long, allow_hyphen_values = true)]
    zone: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Order {
    Dmy,
    Mdy,
}

/// Runs the command.
///
/// # Errors
/// A file or folder that cannot be read, or a file that no adapter recognises.
pub fn run(args: &AdaptersArgs, out: &mut dyn Write) -> Result<Outcome, CommandError> {
    match &args.command {
        AdaptersCommand::List { json } => list(&set(args)?, *json, out),
        AdaptersCommand::Detect { file, json } => detect(&set(args)?, file, *json, out),
        AdaptersCommand::Parse(read) => parse(&set(args)?, read, out),
        AdaptersCommand::Explain(read) => explain(&set(args)?, read, out),
        AdaptersCommand::Test { dir } => test(dir.as_deref().or(args.adapters.as_deref()), out),
        AdaptersCommand::New { from, id, into } => new(from, id.as_deref(), into, out),
    }
}

/// The adapters that ship with those of the folder on top. One that fails its own samples is an
/// error here: somebody who names a folder wants to know.
fn set(args: &AdaptersArgs) -> Result<AdapterSet, CommandError> {
    let Some(dir) = &args.adapters else {
        return Ok(AdapterSet::embedded());
    };
    let set = AdapterSet::with_folder(dir).map_err(folder_error)?;
    for loaded in set.loaded() {
        if let Err(why) = &loaded.outcome {
            let folder = loaded.folder.display();
            return Err(CommandError::at("adapter_refused", "adapters", format!("{folder} is not loaded: {why}")));
        }
    }
    Ok(set)
}

fn list(set: &AdapterSet, json: bool, out: &mut dyn Write) -> Result<Outcome, CommandError> {
    let list = set.list();
    if json {
        write_json(out, &list)?;
        return Ok(Outcome::Success);
    }
    for adapter in list {
        let status = format!("{:?}", adapter.status).to_lowercase();
        writeln!(out, "{:<28} {:<8} {status:<10} {}", adapter.id, adapter.version, adapter.product)?;
    }
    Ok(Outcome::Success)
}

fn detect(set: &AdapterSet, file: &Path, json: bool, out: &mut dyn Write) -> Result<Outcome, CommandError> {
    let bytes = files::read_file(file).map_err(folder_error)?;
    let detection = set.detect(&files::file_name(file), &bytes);
    if json {
        write_json(out, &detection)?;
    } else {
        for candidate in &detection.candidates {
            writeln!(out, "yes  {:<28} {}", candidate.adapter, candidate.reason)?;
        }
        for refused in &detection.refused {
            writeln!(out, "no   {:<28} {}", refused.adapter, refused.reason)?;
        }
        if detection.ambiguous {
            writeln!(out, "ambiguous: name one of them with --adapter")?;
        }
    }
    Ok(match (detection.candidates.len(), detection.ambiguous) {
        (1, false) => Outcome::Success,
        _ => Outcome::Refusal,
    })
}

fn read(set: &AdapterSet, args: &ReadArgs) -> Result<Explained, CommandError> {
    let options = Options {
        curves: !args.no_curves,
        companions: Vec::new(),
        date_order: args.date_order.map(|order| match order {
            Order::Dmy => DateOrder::Dmy,
            Order::Mdy => DateOrder::Mdy,
        }),
        zone: args.zone.clone(),
    };
    files::explain_file(set, &args.file, args.adapter.as_deref(), &options).map_err(read_error)
}

fn parse(set: &AdapterSet, args: &ReadArgs, out: &mut dyn Write) -> Result<Outcome, CommandError> {
    let parsed = read(set, args)?.parsed;
    if args.json {
        write_json(out, &parsed)?;
    } else {
        summary(&parsed, out)?;
        for observation in &parsed.observations {
            writeln!(out, "{}", row(observation))?;
        }
    }
    Ok(Outcome::Success)
}

fn explain(set: &AdapterSet, args: &ReadArgs, out: &mut dyn Write) -> Result<Outcome, CommandError> {
    let explained = read(set, args)?;
    if args.json {
        let lines: Vec<_> = explained
            .lines
            .iter()
            .map(|(line, text, became)| serde_json::json!({"line": line, "text": text, "became": became}))
            .collect();
        write_json(out, &lines)?;
        return Ok(Outcome::Success);
    }
    for (line, text, became) in &explained.lines {
        let shown: String = text.chars().take(200).collect();
        writeln!(out, "{line:>5} | {shown}")?;
        for part in became {
            writeln!(out, "      |   → {part}")?;
        }
    }
    // A tree has no lines to stand at: its values are given by their paths.
    for observation in &explained.parsed.observations {
        if let Some(path) = &observation.locator.path {
            writeln!(out, "{path}\n      |   → {}", row(observation))?;
        }
    }
    summary(&explained.parsed, out)?;
    Ok(Outcome::Success)
}

fn summary(parsed: &Parsed, out: &mut dyn Write) -> Result<(), CommandError> {
    let complete = match parsed.complete {
        Some(true) => "complete",
        Some(false) => "NOT complete",
        None => "the format has no proof of completeness",
    };
    writeln!(
        out,
        "{}: {} values, {complete}; sha256 {}",
        parsed.adapter,
        parsed.observations.len(),
        parsed.file_sha256
    )?;
    for problem in &parsed.problems {
        let severity = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let locator = &problem.locator;
        let place = match (&locator.line, &locator.path) {
            (Some(line), _) => format!(" (line {line})"),
            (None, Some(path)) => format!(" ({path})"),
            _ => String::new(),
        };
        writeln!(out, "{severity} {}{place}: {}", problem.code, problem.message)?;
    }
    Ok(())
}

/// One value on a line: sample, analyte, quantity, value, unit, and what is unusual about it.
fn row(o: &Observation) -> String {
    let mut parts = vec![
        o.sample.clone().unwrap_or_else(|| "—".into()),
        o.analyte.clone().unwrap_or_default(),
        o.quantity.clone(),
        o.value.clone().unwrap_or_else(|| o.raw.clone()),
        o.unit.clone().unwrap_or_default(),
    ];
    if o.status != Status::Ok {
        parts.push(format!("[{:?}]", o.status));
    }
    parts.extend(o.flags.iter().map(|f| format!("[{f}]")));
    parts.retain(|p| !p.is_empty());
    parts.join("  ")
}

fn test(dir: Option<&Path>, out: &mut dyn Write) -> Result<Outcome, CommandError> {
    let reports = AdapterSet::embedded().self_test(dir).map_err(folder_error)?;
    if reports.is_empty() {
        return Err(CommandError::at(
            "no_adapter",
            "dir",
            "the folder holds no adapter.toml, and none of its folders does",
        ));
    }
    for report in &reports {
        let failures = report.failures();
        let name = report.adapter.clone().unwrap_or_else(|_| "?".into());
        let word = if failures.is_empty() { "ok" } else { "FAILED" };
        writeln!(out, "{word:<7} {name} ({} cases)", report.cases.len())?;
        for failure in failures {
            writeln!(out, "        {failure}")?;
        }
    }
    Ok(if reports.iter().all(TestReport::passed) { Outcome::Success } else { Outcome::Refusal })
}

fn new(from: &Path, id: Option<&str>, into: &Path, out: &mut dyn Write) -> Result<Outcome, CommandError> {
    let bytes = files::read_file(from).map_err(folder_error)?;
    let name = files::file_name(from);
    let id = id.map_or_else(|| id_of(&name), str::to_owned);
    let draft =
        draft::declaration(&id, &name, &bytes).map_err(|why| CommandError::at("no_draft", "from", why.to_string()))?;
    let folder = into.join(&id);
    if folder.exists() {
        return Err(CommandError::at(
            "exists",
            "id",
            format!("{} exists already; nothing is overwritten", folder.display()),
        ));
    }
    let expected =
        serde_json::to_string_pretty(&draft.parsed).map_err(|why| CommandError::new("output", why.to_string()))?;
    for sub in ["samples", "expected", "rejects"] {
        fs::create_dir_all(folder.join(sub))?;
    }
    fs::write(folder.join("adapter.toml"), &draft.declaration)?;
    fs::write(folder.join("samples").join(&name), &bytes)?;
    fs::write(folder.join("expected").join(format!("{name}.json")), expected)?;
    // An empty file is the first that must not pass; cut and foreign ones follow.
    fs::write(folder.join("rejects").join(format!("empty-{name}")), b"")?;
    writeln!(out, "{}", folder.join("adapter.toml").display())?;
    summary(&draft.parsed, out)?;
    writeln!(
        out,
        "Say what each column means, check expected/{name}.json by eye, add rejects, then run: qianfa adapters test {}",
        folder.display()
    )?;
    Ok(Outcome::Success)
}

/// Small letters, digits and `-` from a file name without its extension.
fn id_of(name: &str) -> String {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let mut id = String::new();
    for c in stem.chars() {
        if c.is_ascii_alphanumeric() {
            id.push(c.to_ascii_lowercase());
        } else if !id.is_empty() && !id.ends_with('-') {
            id.push('-');
        }
    }
    let id = id.trim_end_matches('-');
    if id.is_empty() { "new-adapter".into() } else { id.into() }
}

fn folder_error(error: FolderError) -> CommandError {
    CommandError::at("unreadable", "file", error.to_string())
}

fn read_error(error: ReadError) -> CommandError {
    match error {
        ReadError::Folder(error) => folder_error(error),
        ReadError::NotRecognised(error) => {
            let code = match &error {
                NotRecognised::Several(_) => "ambiguous",
                NotRecognised::NoSuchAdapter(_) => "no_such_adapter",
                _ => "not_recognised",
            };
            CommandError::at(code, "file", error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::commands::testing;

    fn sample(dir: &Path, adapter: &str, name: &str) -> String {
        let bytes = instrument_adapters::embedded::sample(adapter, name).expect("a sample");
        let path = dir.join(name);
        fs::write(&path, bytes).expect("a file");
        path.to_str().expect("a path").to_owned()
    }

    #[test]
    fn list_has_the_four_fields() {
        let list = testing::json(run, &["list", "--json"]);
        let first = list[0].as_object().expect("an object");
        let keys: Vec<_> = first.keys().map(String::as_str).collect();
        assert_eq!(keys, ["id", "version", "status", "product"]);
    }

    #[test]
    fn parse_gives_the_object_and_refuses_strangers() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = sample(dir.path(), "sartorius-sbi", "SH20260002_LOD.txt");
        let parsed = testing::json(run, &["parse", &file, "--json"]);
        assert_eq!(parsed["complete"], true);
        assert_eq!(parsed["observations"][0]["value"], "25.10372");
        fs::write(&file, "no balance").expect("a file");
        let error = testing::run(run, &["parse", &file, "--json"]).expect_err("a refusal");
        assert_eq!(error.code, "not_recognised");
    }

    #[test]
    fn explain_accounts_for_the_lines() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = sample(dir.path(), "perkinelmer-totalchrom", "SH20260002_solvents.TX0");
        let text = testing::run(run, &["explain", &file]).expect("a text");
        assert!(text.contains("→ SH20260002 Methanol amount = 212.41 [ppm]"), "{text}");
        assert!(text.contains("→ end mark"));
    }

    #[test]
    fn a_new_adapter_passes_its_own_test_and_is_loaded() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("kf.csv");
        fs::write(&file, "Sample;Water (%)\nA-1;0,312\n").expect("a file");
        let own = dir.path().join("own");
        let (file, own) = (file.to_str().expect("a path"), own.to_str().expect("a path"));
        testing::run(run, &["new", "--from", file, "--into", own]).expect("a draft");
        testing::run(run, &["test", own]).expect("passes");
        let parsed = testing::json(run, &["parse", file, "--json", "--adapters", own]);
        assert_eq!(parsed["adapter"], "kf");
        assert_eq!(parsed["observations"][0]["value"], "0.312");
        assert_eq!(parsed["observations"][0]["unit"], "%");
        let again = testing::run(run, &["new", "--from", file, "--into", own]);
        assert_eq!(again.expect_err("a refusal").code, "exists");
    }
}
