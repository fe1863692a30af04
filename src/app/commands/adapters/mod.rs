//! `qianfa adapters list|detect|parse|explain|test|new|validate|diff|schema`

mod diff;
mod export;
mod show;
mod validate;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use clap::{Args, Subcommand, ValueEnum};
use instrument_adapters::embedded::ADAPTERS;
use instrument_adapters::fs::{self as files, FolderError, ReadError};
use instrument_adapters::isolated::worker::{Bounds, serve_with};
use instrument_adapters::isolated::{Adapters, Pool, PoolSettings, Program, WorkerFailure};
use instrument_adapters::{AdapterSet, AdapterStatus, DateOrder, NotRecognised, Options, TestReport, draft};

use self::show::{summary, values};
use super::{CommandError, CommandOutcome, write_json};
use crate::clock::Clock;

/// The words behind the program's name that make it read files for another process.
const WORKER: [&str; 2] = ["adapters", "worker"];

/// This program as one that reads files for itself in another process. Known where the program runs as such; the
/// library, as in its tests, does not know it and reads in its own process.
pub fn program() -> Option<Program> {
    PROGRAM.get().cloned()
}

/// Says that this process is the program.
pub fn this_is_the_program() {
    if let Ok(path) = std::env::current_exe() {
        let program = WORKER.iter().fold(Program::new(path), |program, word| program.arg(word));
        // Said once, by the program's beginning.
        let _ = PROGRAM.set(program);
    }
}

static PROGRAM: OnceLock<Program> = OnceLock::new();

/// Instrument adapters: which file is whose, what it says, and how to write a new one
#[derive(Clone, Debug, Args)]
pub struct AdaptersArgs {
    /// A laboratory's own adapters on top of those that ship
    #[arg(long, value_name = "DIR", global = true)]
    adapters: Option<PathBuf>,
    /// Read files in this process, not in one of its own with limits
    #[arg(long, global = true)]
    in_process: bool,
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
    /// Write a file's run as Allotrope Simple Model JSON or as CSV
    Export(export::ExportArgs),
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
    /// Record that somebody has checked an adapter, once all its samples and rejects pass
    Validate(validate::ValidateArgs),
    /// What two adapters make of the same files, or two files of the same kind, and where they differ (exit code 1)
    Diff(diff::DiffArgs),
    /// Print the JSON Schema of adapter.toml, for editors
    Schema,
    /// Read files for another process, over standard input and output
    #[command(hide = true)]
    Worker {
        #[arg(long, default_value_t = PoolSettings::default().memory_mb)]
        memory_mb: u64,
        #[arg(long, default_value_t = PoolSettings::default().seconds)]
        seconds: u64,
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
pub fn run(args: &AdaptersArgs, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    match &args.command {
        AdaptersCommand::List { json } => list(&adapters(args)?.set(), *json, out),
        AdaptersCommand::Detect { file, json } => detect(&adapters(args)?, file, *json, out),
        AdaptersCommand::Parse(read) => parse(&adapters(args)?, read, out),
        AdaptersCommand::Explain(read) => explain(&adapters(args)?, read, out),
        AdaptersCommand::Test { dir } => test(&plain(args), dir.as_deref().or(args.adapters.as_deref()), out),
        AdaptersCommand::Export(export) => export::run(&adapters(args)?, export, out),
        AdaptersCommand::New { from, id, into } => new(from, id.as_deref(), into, out),
        AdaptersCommand::Validate(validate) => {
            validate::run(validate, &plain(args), args.adapters.as_deref(), &Clock::system(), out)
        }
        AdaptersCommand::Diff(diff) => diff::run(diff, &adapters(args)?, out),
        AdaptersCommand::Schema => {
            write!(out, "{}", instrument_adapters::schema())?;
            Ok(CommandOutcome::Success)
        }
        AdaptersCommand::Worker { memory_mb, seconds } => work(*memory_mb, *seconds, out),
    }
}

fn work(memory_mb: u64, seconds: u64, mut out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    let bounds = Bounds { memory_mb, seconds };
    let served = serve_with(&mut std::io::stdin().lock(), &mut out, bounds, crate::certificates::read_in_worker);
    served.map_err(|error| CommandError::new("worker", error.to_string()))?;
    Ok(CommandOutcome::Success)
}

/// The adapters that ship.
fn plain(args: &AdaptersArgs) -> Adapters {
    match program().filter(|_| !args.in_process) {
        // One file after the other is read.
        Some(program) => {
            let settings = PoolSettings { workers: 1, ..PoolSettings::default() };
            Adapters::apart(Pool::new(program, settings, AdapterSet::embedded()))
        }
        None => Adapters::in_process(AdapterSet::embedded()),
    }
}

/// The adapters that ship with those of the folder on top. One that fails its own samples is an
/// error here: somebody who names a folder wants to know.
fn adapters(args: &AdaptersArgs) -> Result<Adapters, CommandError> {
    let Some(dir) = &args.adapters else { return Ok(plain(args)) };
    let adapters = plain(args).with_folder(dir).map_err(folder_error)?;
    for loaded in adapters.set().loaded() {
        if let Err(why) = &loaded.outcome {
            let folder = loaded.folder.display();
            return Err(CommandError::at("adapter_refused", "adapters", format!("{folder} is not loaded: {why}")));
        }
    }
    Ok(adapters)
}

fn list(set: &AdapterSet, json: bool, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    let list = set.list();
    if json {
        write_json(out, &list)?;
        return Ok(CommandOutcome::Success);
    }
    for adapter in list {
        let status = status_word(adapter.status);
        writeln!(out, "{:<28} {:<8} {status:<10} {}", adapter.id, adapter.version, adapter.product)?;
        if let (Some(by), Some(on)) = (&adapter.validated_by, &adapter.validated_on) {
            let against = adapter.validated_against.as_deref().map(|what| format!(": {what}")).unwrap_or_default();
            writeln!(out, "{:48}by {by} on {on}{against}", "")?;
        } else if let Some(why) = &adapter.draft_because {
            writeln!(out, "{:48}{why}", "")?;
        }
    }
    Ok(CommandOutcome::Success)
}

fn status_word(status: AdapterStatus) -> &'static str {
    match status {
        AdapterStatus::Draft => "draft",
        AdapterStatus::Validated => "validated",
    }
}

fn detect(adapters: &Adapters, file: &Path, json: bool, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    let bytes = files::read_file(file).map_err(folder_error)?;
    let detection = adapters.detect(&files::file_name(file), &bytes).map_err(failed)?;
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
        (1, false) => CommandOutcome::Success,
        _ => CommandOutcome::Refusal,
    })
}

fn options(args: &ReadArgs) -> Options {
    Options {
        curves: !args.no_curves,
        companions: Vec::new(),
        date_order: args.date_order.map(|order| match order {
            Order::Dmy => DateOrder::Dmy,
            Order::Mdy => DateOrder::Mdy,
        }),
        zone: args.zone.clone(),
    }
}

fn parse(adapters: &Adapters, args: &ReadArgs, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    let read = adapters.parse_file(&args.file, args.adapter.as_deref(), &options(args));
    let parsed = read.map_err(read_error)?;
    if args.json {
        write_json(out, &parsed)?;
    } else {
        summary(&parsed, out)?;
        values(&parsed.observations, out)?;
    }
    Ok(CommandOutcome::Success)
}

fn explain(adapters: &Adapters, args: &ReadArgs, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    let read = adapters.explain_file(&args.file, args.adapter.as_deref(), &options(args));
    let explained = read.map_err(read_error)?;
    if args.json {
        write_json(out, &show::lines(&explained))?;
    } else {
        show::explained(&explained, out)?;
    }
    Ok(CommandOutcome::Success)
}

/// A folder of an adapter, or one that ships, with what is to be said of it.
struct Tested {
    report: TestReport,
    status: AdapterStatus,
    why: Option<String>,
}

fn test(adapters: &Adapters, dir: Option<&Path>, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    let tested = match dir {
        None => ADAPTERS.iter().map(|files| tested_embedded(adapters, files.id)).collect(),
        Some(dir) => tested_folder(adapters, dir)?,
    };
    if tested.is_empty() {
        return Err(CommandError::at(
            "no_adapter",
            "dir",
            "the folder holds no adapter.toml, and none of its folders does",
        ));
    }
    for one in &tested {
        let failures = one.report.failures();
        let name = one.report.adapter.clone().unwrap_or_else(|_| "?".into());
        let word = if failures.is_empty() { "ok" } else { "FAILED" };
        writeln!(out, "{word:<7} {name} ({} cases, {})", one.report.cases.len(), status_word(one.status))?;
        for failure in failures {
            writeln!(out, "        {failure}")?;
        }
        if let Some(why) = &one.why {
            writeln!(out, "        {why}")?;
        }
    }
    Ok(if tested.iter().all(|one| one.report.passed()) { CommandOutcome::Success } else { CommandOutcome::Refusal })
}

fn tested_embedded(adapters: &Adapters, id: &str) -> Tested {
    let files = ADAPTERS.iter().find(|files| files.id == id);
    let report = files.map(|files| adapters.test(files.declaration, &files.cases()));
    let standing = adapters.set().get(id).map(instrument_adapters::Adapter::standing);
    Tested {
        report: report.unwrap_or(TestReport { adapter: Err(format!("there is no adapter {id}")), cases: Vec::new() }),
        status: standing.as_ref().map_or(AdapterStatus::Draft, |standing| standing.status),
        why: standing.and_then(|standing| standing.reason),
    }
}

fn tested_folder(adapters: &Adapters, dir: &Path) -> Result<Vec<Tested>, CommandError> {
    let mut tested = Vec::new();
    for folder in files::adapter_folders(dir).map_err(folder_error)? {
        let found = files::read_adapter(&folder).map_err(folder_error)?;
        let report = adapters.test(&found.declaration, &found.cases);
        let standing = found.standing().ok();
        tested.push(Tested {
            report,
            status: standing.as_ref().map_or(AdapterStatus::Draft, |standing| standing.status),
            why: standing.and_then(|standing| standing.reason),
        });
    }
    Ok(tested)
}

fn new(from: &Path, id: Option<&str>, into: &Path, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
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
    Ok(CommandOutcome::Success)
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

pub(super) fn folder_error(error: FolderError) -> CommandError {
    CommandError::at("unreadable", "file", error.to_string())
}

/// A reading that did not come to its end. Its codes are those of the crate's documentation.
fn failed(failure: WorkerFailure) -> CommandError {
    let code = match failure.code.as_str() {
        "reader_panicked" => "reader_panicked",
        "reader_timeout" => "reader_timeout",
        "reader_out_of_memory" => "reader_out_of_memory",
        "reader_killed" => "reader_killed",
        "reader_not_started" => "reader_not_started",
        _ => "reader_broken",
    };
    CommandError::at(code, "file", failure.message)
}

pub(super) fn read_error(error: ReadError) -> CommandError {
    match error {
        ReadError::Folder(error) => folder_error(error),
        ReadError::NotRecognised(error) => {
            let code = match &error {
                NotRecognised::Several(_) => "ambiguous",
                NotRecognised::NoSuchAdapter(_) => "no_such_adapter",
                NotRecognised::Failed(failure) => return failed(failure.clone()),
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
        assert_eq!(keys[..4], ["id", "version", "status", "product"]);
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

    /// A draft in a folder: the folder, and the file that it was made from.
    fn drafted(dir: &Path) -> (String, String) {
        let (file, own) = (dir.join("kf.csv"), dir.join("own"));
        fs::write(&file, "Sample;Water (%)\nA-1;0,312\nA-2;0,305\n").expect("a file");
        let (file, own) = (file.to_str().expect("a path").to_owned(), own.to_str().expect("a path").to_owned());
        testing::run(run, &["new", "--from", &file, "--into", &own]).expect("a draft");
        (own, file)
    }

    fn listed(own: &str, id: &str) -> serde_json::Value {
        let list = testing::json(run, &["list", "--json", "--adapters", own]);
        list.as_array().and_then(|all| all.iter().find(|one| one["id"] == id)).expect("it is listed").clone()
    }

    #[test]
    fn validated_until_something_changes() {
        let dir = tempfile::tempdir().expect("a folder");
        let (own, _) = drafted(dir.path());
        assert_eq!(listed(&own, "kf")["status"], "draft");
        let folder = format!("{own}/kf");
        let said = testing::run(run, &["validate", &folder, "--by", "李雷", "--on", "2026-03-02"]).expect("a record");
        assert!(said.contains("validated by 李雷 on 2026-03-02"), "{said}");
        let one = listed(&own, "kf");
        assert_eq!((&one["status"], &one["validated_by"]), (&"validated".into(), &"李雷".into()));
        // A reject more is a change; it passes its test, and nobody has looked at it.
        fs::write(dir.path().join("own/kf/rejects/cut.csv"), "Sample;Wat").expect("a file");
        let one = listed(&own, "kf");
        assert_eq!(one["draft_because"], "changed since it was validated by 李雷 on 2026-03-02");
        let said = testing::run(run, &["test", &own]).expect("passes");
        assert!(said.contains("changed since"), "{said}");
        // What is not a day is refused, and the record stays as it was.
        let wrong = testing::run(run, &["validate", &folder, "--by", "李雷", "--on", "2026-02-30"]);
        assert_eq!(wrong.expect_err("a refusal").code, "validation");
    }

    #[test]
    fn a_laboratory_validates_one_that_ships() {
        let dir = tempfile::tempdir().expect("a folder");
        let own = dir.path().to_str().expect("a path").to_owned();
        let words = ["validate", "tecan-magellan", "--by", "韩梅梅", "--on", "2026-03-02", "--adapters", &own];
        testing::run(run, &words).expect("a record");
        let one = listed(&own, "tecan-magellan");
        assert_eq!((&one["status"], &one["validated_by"]), (&"validated".into(), &"韩梅梅".into()));
        let bare = testing::run(run, &["validate", "tecan-magellan", "--by", "x", "--on", "2026-03-02"]);
        assert_eq!(bare.expect_err("a refusal").code, "no_folder");
        let none = testing::run(run, &["validate", "no-such-adapter", "--by", "x", "--on", "2026-03-02"]);
        assert_eq!(none.expect_err("a refusal").code, "no_adapter");
    }

    /// What a comparison wrote, with whether both sides are the same.
    fn compared(words: &[&str]) -> (bool, String) {
        let matches = AdaptersArgs::augment_args(clap::Command::new("test"))
            .try_get_matches_from([&["test", "diff"], words].concat())
            .expect("words");
        let args = <AdaptersArgs as clap::FromArgMatches>::from_arg_matches(&matches).expect("words");
        let mut out = Vec::new();
        let outcome = run(&args, &mut out).expect("a comparison");
        (outcome == CommandOutcome::Success, String::from_utf8(out).expect("text"))
    }

    #[test]
    fn two_versions_and_two_files_are_compared() {
        let dir = tempfile::tempdir().expect("a folder");
        let (own, file) = drafted(dir.path());
        let new = dir.path().join("kf2");
        let (old, new) = (format!("{own}/kf"), new.to_str().expect("a path").to_owned());
        assert!(compared(&[&old, &old]).0);
        fs::create_dir(&new).expect("a folder");
        let text = fs::read_to_string(format!("{old}/adapter.toml")).expect("text");
        let changed = text.replace("quantity = 'water'", "quantity = 'moisture'");
        assert_ne!(changed, text);
        fs::write(format!("{new}/adapter.toml"), changed).expect("a file");
        let (same, text) = compared(&[&old, &new, &file]);
        assert!(!same && text.contains("quantity: water → moisture"), "{text}");
        let other = dir.path().join("other.csv");
        fs::write(&other, "Sample;Water (%)\nA-1;0,312\nA-2;0,306\n").expect("a file");
        let other = other.to_str().expect("a path");
        let (same, text) = compared(&["--adapters", &own, &file, other, "--json"]);
        let told: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((same, &told["same"]), (false, &false.into()));
        let changes = &told["files"][0]["difference"]["observations"];
        assert!(changes.as_array().is_some_and(|all| all.iter().any(|one| one["new"] == "0.306")), "{changes}");
        let (same, _) = compared(&["--adapters", &own, &file, &file]);
        assert!(same);
    }
}
