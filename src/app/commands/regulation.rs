//! `qianfa regulation list|determine`

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use clap::{Args, Subcommand};

use super::{CommandError, CommandOutcome, date_argument, load_regulation, write_json};
use crate::regulation::{CaseError, CaseFacts, Jurisdiction, Provision};

/// A case is a few hundred bytes; what is longer than this is not a case.
const LONGEST_CASE: u64 = 1 << 20;

/// The provisions in force, and what they say of a case
#[derive(Clone, Debug, Args)]
pub struct RegulationArgs {
    #[command(subcommand)]
    command: RegulationCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum RegulationCommand {
    /// List provisions with clause and text
    List {
        /// Only those in force on this day (YYYY-MM-DD)
        #[arg(long, value_name = "DATE", value_parser = date_argument)]
        on: Option<NaiveDate>,
        /// Only those that reach this place: its own and the national ones (CN-SH)
        #[arg(long, value_name = "J", value_parser = jurisdiction_argument)]
        jurisdiction: Option<Jurisdiction>,
        #[command(flatten)]
        common: Common,
    },
    /// Decide a case: JSON in, determination out, as JSON
    Determine {
        /// A file with the case, or - for standard input
        #[arg(value_name = "FILE", default_value = "-")]
        file: PathBuf,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Clone, Debug, Args)]
struct Common {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// A folder with provisions and calendar years of the laboratory's own
    #[arg(long, value_name = "DIR")]
    regulation: Option<PathBuf>,
}

fn jurisdiction_argument(text: &str) -> Result<Jurisdiction, String> {
    Jurisdiction::parse(text).ok_or_else(|| "expected CN, or CN- and a letter code of ISO 3166-2 (CN-SH)".to_owned())
}

/// Runs the command.
///
/// # Errors
/// The case cannot be read or decided, or the laboratory's folder cannot be used.
pub fn run(args: &RegulationArgs, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    match &args.command {
        RegulationCommand::List { on, jurisdiction, common } => {
            list(*on, *jurisdiction, common, out)?;
        }
        RegulationCommand::Determine { file, common } => {
            let text = if file.as_os_str() == "-" {
                read_case(std::io::stdin().lock(), "standard input")?
            } else {
                read_file(file)?
            };
            determine(&text, common.regulation.as_deref(), out)?;
        }
    }
    Ok(CommandOutcome::Success)
}

fn list(
    on: Option<NaiveDate>,
    place: Option<Jurisdiction>,
    common: &Common,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let regulation = load_regulation(common.regulation.as_deref())?;
    let provisions = regulation.register().list(on, place);
    if common.json {
        return write_json(out, &provisions);
    }
    for one in provisions {
        write_provision(out, one)?;
    }
    Ok(())
}

fn write_provision(out: &mut dyn Write, one: &Provision) -> std::io::Result<()> {
    let from = match (one.effective_from, one.active) {
        (Some(day), _) => day.to_string(),
        (None, true) => "不限 always".to_owned(),
        (None, false) => "未定 not set".to_owned(),
    };
    let to = one.effective_to.map_or_else(String::new, |day| day.to_string());
    let marks = [(!one.active, " 未启用 inactive"), (one.changeable, " 可更改 changeable")];
    let marks: String = marks.iter().filter(|(set, _)| *set).map(|(_, mark)| *mark).collect();
    writeln!(out, "{}  {}  {}", one.id, one.jurisdiction, one.citation())?;
    writeln!(out, "    {} / {}", one.title_zh, one.title_en)?;
    writeln!(out, "    {from} – {to} [{}]{marks}", one.confidence)?;
    if !one.text.is_empty() {
        writeln!(out, "    「{}」", one.text)?;
    }
    writeln!(out)
}

fn read_file(path: &Path) -> Result<String, CommandError> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| CommandError::new("case_unreadable", format!("{name}: {error}")))?;
    read_case(file, &name)
}

fn read_case(input: impl Read, name: &str) -> Result<String, CommandError> {
    let mut text = String::new();
    let read = input.take(LONGEST_CASE + 1).read_to_string(&mut text);
    let read = read.map_err(|error| CommandError::new("case_unreadable", format!("{name}: {error}")))?;
    if read as u64 > LONGEST_CASE {
        return Err(CommandError::new("case_unreadable", format!("{name}: too long to be a case")));
    }
    Ok(text)
}

fn determine(text: &str, folder: Option<&Path>, out: &mut dyn Write) -> Result<(), CommandError> {
    // A byte order mark at the start is not part of the JSON.
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let wrong = |error: CaseError| CommandError {
        code: error.code(),
        message: error.to_string(),
        field: error.field().map(str::to_owned),
    };
    let case = CaseFacts::from_json(text).map_err(wrong)?;
    let regulation = load_regulation(folder)?;
    regulation.contradiction(&case).map_or(Ok(()), |error| Err(wrong(error)))?;
    let found =
        regulation.determine(&case).map_err(|error| CommandError::at(error.code(), "dates", error.to_string()))?;
    write_json(out, &found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::commands::testing;

    const CASE: &str = r#"{"business": "lot_release", "jurisdiction": "CN-SH",
        "dates": {"accepted": "2025-11-03"},
        "product": {"category": "vaccine", "traits": ["seasonal_influenza_vaccine"]}}"#;

    fn written(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("written");
        file
    }

    #[test]
    fn determine_reads_a_case_from_a_file() {
        let file = written(CASE);
        let path = file.path().to_str().expect("a path");
        let found = testing::json(run, &["determine", path]);
        assert_eq!(found["clocks"][0]["due"], "2025-12-15");
        assert_eq!(found["refusals"], serde_json::json!([]));
        let file = written(&format!(
            "\u{FEFF}{}",
            CASE.replace(r#""vaccine", "traits": ["seasonal_influenza_vaccine"]"#, r#""chemical""#)
        ));
        let path = file.path().to_str().expect("a path");
        let found = testing::json(run, &["determine", path, "--json"]);
        assert_eq!(found["refusals"][0]["code"], "product_outside_business");
    }

    #[test]
    fn a_wrong_case_names_its_field() {
        let file = written(&CASE.replace("category", "categry"));
        let path = file.path().to_str().expect("a path");
        let error = testing::run(run, &["determine", path]).expect_err("an error");
        assert_eq!((error.code, error.field.as_deref()), ("unknown_field", Some("product.categry")));
        let file = written(&CASE.replace(r#""vaccine","#, r#""vaccine", "device_class": "II","#));
        let path = file.path().to_str().expect("a path");
        let error = testing::run(run, &["determine", path]).expect_err("a class on a vaccine");
        assert_eq!((error.code, error.field.as_deref()), ("contradiction", Some("product.device_class")));
        let error = testing::run(run, &["determine", "no-such-file"]).expect_err("an error");
        assert_eq!(error.code, "case_unreadable");
        let json = serde_json::to_value(&error).expect("JSON");
        assert!(json["message"].as_str().is_some_and(|text| text.contains("no-such-file")));
        let long = read_case(std::io::repeat(b' '), "x").expect_err("endless");
        assert_eq!(long.code, "case_unreadable");
    }

    #[test]
    fn list_shows_what_is_in_force() {
        let words = ["list", "--on", "2026-01-05", "--jurisdiction", "CN-SH", "--json"];
        let found = testing::json(run, &words);
        let has = |id: &str| found.as_array().is_some_and(|list| list.iter().any(|one| one["id"] == id));
        assert!(has("SH-12") && has("N-12b") && !has("SX-12") && !has("NMPA-2026-3"));
        let text = testing::run(run, &["list"]).expect("a list");
        for part in ["SX-12  CN-SX", "未启用 inactive", "季节性流感疫苗", "不限 always"] {
            assert!(text.contains(part), "{part}");
        }
        let error = testing::run(run, &["list", "--jurisdiction", "CN-XX"]).expect_err("no place");
        assert_eq!(error.code, "usage");
    }
}
