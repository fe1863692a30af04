//! `qianfa adapters diff`: what two adapters make of the same files, or what two files of one kind say.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use instrument_adapters::diff::{DiffLine, ReadingDiff, difference};
use instrument_adapters::isolated::Adapters;
use instrument_adapters::{Adapter, Companion, NotRecognised, Options, Parsed, TestedFile, embedded, fs as files};
use serde_json::{Value, json};

use super::{CommandError, CommandOutcome, folder_error, read_error, write_json};

#[derive(Clone, Debug, Args)]
pub(super) struct DiffArgs {
    /// An adapter's folder, the id of one in use, or a file
    old: PathBuf,
    /// The other one, of the same kind
    new: PathBuf,
    /// Files to read with both adapters; without any, the samples of both
    files: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Leave out the points of curves and spectra
    #[arg(long)]
    no_curves: bool,
}

/// One file as both sides have it; a sentence where a side does not read it.
struct Pair {
    name: String,
    old: Result<Parsed, String>,
    new: Result<Parsed, String>,
}

/// An adapter with its samples.
struct Side {
    declaration: String,
    cases: Vec<TestedFile>,
    id: String,
    version: String,
}

/// Compares, and ends with exit code 1 where something differs.
pub(super) fn run(args: &DiffArgs, adapters: &Adapters, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    let options = Options { curves: !args.no_curves, ..Options::default() };
    let sides = (side(&args.old)?, side(&args.new)?);
    let (title, pairs) = match sides {
        (Some(old), Some(new)) => {
            let title = format!("{} {} → {} {}", old.id, old.version, new.id, new.version);
            (title, by_adapters(adapters, &old, &new, &args.files, &options)?)
        }
        (None, None) if args.files.is_empty() => {
            let read = |path: &Path| adapters.parse_file(path, None, &options).map_err(read_error);
            let (old, new) = (read(&args.old)?, read(&args.new)?);
            let title = format!("{} → {}", files::file_name(&args.old), files::file_name(&args.new));
            (title, vec![Pair { name: files::file_name(&args.new), old: Ok(old), new: Ok(new) }])
        }
        _ => {
            let text = "both are adapters (a folder or an id), or both are files with no further ones";
            return Err(CommandError::at("usage", "new", text));
        }
    };
    let compared: Vec<(String, Result<ReadingDiff, [Option<String>; 2]>)> = pairs.into_iter().map(compared).collect();
    let same = compared.iter().all(|(_, found)| found.as_ref().is_ok_and(ReadingDiff::is_empty));
    if args.json {
        let list: Vec<Value> = compared.iter().map(|(name, found)| as_json(name, found)).collect();
        write_json(out, &json!({"compared": title, "same": same, "files": list}))?;
    } else {
        writeln!(out, "{title}")?;
        for (name, found) in &compared {
            as_text(name, found, out)?;
        }
    }
    Ok(if same { CommandOutcome::Success } else { CommandOutcome::Refusal })
}

/// The adapter that a path or an id stands for; `None` for a file.
fn side(named: &Path) -> Result<Option<Side>, CommandError> {
    let (declaration, cases) = if named.join("adapter.toml").is_file() {
        let found = files::read_adapter(named).map_err(folder_error)?;
        (found.declaration, found.cases)
    } else if named.is_file() {
        return Ok(None);
    } else {
        let shipped = embedded::ADAPTERS.iter().find(|one| Path::new(one.id) == named);
        let shipped = shipped.ok_or_else(|| {
            let text = format!("{} is no file, no adapter's folder and no adapter that ships", named.display());
            CommandError::at("no_such_adapter", "old", text)
        })?;
        (shipped.declaration.to_owned(), shipped.cases())
    };
    let adapter = Adapter::from_toml(&declaration)
        .map_err(|error| CommandError::at("adapter_refused", "old", format!("{}: {error}", named.display())))?;
    Ok(Some(Side {
        id: adapter.id().to_owned(),
        version: adapter.version().to_owned(),
        declaration,
        cases: cases.into_iter().filter(|case| !case.reject).collect(),
    }))
}

fn by_adapters(
    adapters: &Adapters,
    old: &Side,
    new: &Side,
    paths: &[PathBuf],
    options: &Options,
) -> Result<Vec<Pair>, CommandError> {
    let mut inputs: Vec<Companion> = Vec::new();
    let mut beside: Vec<Companion> = Vec::new();
    for path in paths {
        let bytes = files::read_file(path).map_err(folder_error)?;
        inputs.push(Companion { name: files::file_name(path), bytes });
        for side in [old, new] {
            if let Ok(adapter) = Adapter::from_toml(&side.declaration) {
                beside.extend(files::companions(&adapter, path).map_err(folder_error)?);
            }
        }
    }
    if paths.is_empty() {
        for case in old.cases.iter().chain(&new.cases) {
            if !inputs.iter().any(|input| input.name == case.name && input.bytes == case.bytes) {
                inputs.push(Companion { name: case.name.clone(), bytes: case.bytes.clone() });
            }
        }
        beside.clone_from(&inputs);
    }
    let read = |side: &Side, input: &Companion| {
        let adapter = Adapter::from_toml(&side.declaration).map_err(|error| error.to_string())?;
        let wanted = adapter.companion_names(&input.name);
        let is_wanted = |one: &&Companion| wanted.iter().any(|name| name.eq_ignore_ascii_case(&one.name));
        let companions = beside.iter().filter(is_wanted).cloned().collect();
        let options = Options { companions, ..options.clone() };
        adapters.parse_with(&side.declaration, &input.name, &input.bytes, &options).map_err(|why| match why {
            NotRecognised::Refused(_, why) => format!("not recognised: {why}"),
            other => other.to_string(),
        })
    };
    let pair = |input: &Companion| Pair { name: input.name.clone(), old: read(old, input), new: read(new, input) };
    Ok(inputs.iter().map(pair).collect())
}

fn compared(pair: Pair) -> (String, Result<ReadingDiff, [Option<String>; 2]>) {
    let found = match (pair.old, pair.new) {
        (Ok(old), Ok(new)) => Ok(difference(&old, &new)),
        // Neither reads it, whatever the reasons: a companion alone, say.
        (Err(_), Err(_)) => Ok(ReadingDiff::default()),
        (old, new) => Err([old.err(), new.err()]),
    };
    (pair.name, found)
}

fn as_json(name: &str, found: &Result<ReadingDiff, [Option<String>; 2]>) -> Value {
    match found {
        Ok(difference) => json!({"file": name, "same": difference.is_empty(), "difference": difference}),
        Err([old, new]) => json!({"file": name, "same": false, "not_read": {"old": old, "new": new}}),
    }
}

fn as_text(
    name: &str,
    found: &Result<ReadingDiff, [Option<String>; 2]>,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    match found {
        Ok(difference) if difference.is_empty() => writeln!(out, "same    {name}")?,
        Ok(difference) => {
            writeln!(out, "differs {name}: {} differences", difference.len())?;
            for (part, change) in difference.changes() {
                writeln!(out, "        {part} {}", sentence(change))?;
            }
        }
        Err([old, new]) => {
            writeln!(out, "differs {name}: read by one alone")?;
            for (side, why) in [("old", old), ("new", new)] {
                if let Some(why) = why {
                    writeln!(out, "        {side}: {why}")?;
                }
            }
        }
    }
    Ok(())
}

fn sentence(change: &DiffLine) -> String {
    let DiffLine { what, field, old, new } = change;
    let shown = |value: &Option<Value>| match value {
        None => "—".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Object(map)) => {
            let text = |name: &str| map.get(name).and_then(Value::as_str).map(str::to_owned);
            text("raw").or_else(|| text("message")).unwrap_or_else(|| Value::Object(map.clone()).to_string())
        }
        Some(other) => other.to_string(),
    };
    let field = field.as_deref().map(|field| format!(" {field}")).unwrap_or_default();
    format!("{what}{field}: {} → {}", shown(old), shown(new))
}
