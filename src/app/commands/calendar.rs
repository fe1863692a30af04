//! `qianfa calendar due|count`

use std::io::Write;
use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{CommandError, CommandOutcome, date_argument, load_regulation, write_json};

/// Working days of China: due dates and counts
#[derive(Clone, Debug, Args)]
pub struct CalendarArgs {
    #[command(subcommand)]
    command: CalendarCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum CalendarCommand {
    /// The last day of a period of working days; the first day is not counted
    Due {
        /// The day from which the period runs (YYYY-MM-DD)
        #[arg(long, value_name = "DATE", value_parser = date_argument)]
        from: NaiveDate,
        /// Length of the period in working days
        #[arg(long, value_name = "N")]
        working_days: u32,
        #[command(flatten)]
        common: Common,
    },
    /// The working days after one day, up to and including another
    Count {
        /// The day that is not counted (YYYY-MM-DD)
        #[arg(long, value_name = "DATE", value_parser = date_argument)]
        from: NaiveDate,
        /// The last day that is counted (YYYY-MM-DD)
        #[arg(long, value_name = "DATE", value_parser = date_argument)]
        to: NaiveDate,
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

#[derive(Serialize)]
struct Due {
    from: NaiveDate,
    working_days: u32,
    due: NaiveDate,
    provisional: bool,
}

#[derive(Serialize)]
struct Count {
    from: NaiveDate,
    to: NaiveDate,
    working_days: u32,
    provisional: bool,
}

/// Runs the command.
///
/// # Errors
/// The period cannot be counted, or the laboratory's folder cannot be used.
pub fn run(args: &CalendarArgs, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    match &args.command {
        CalendarCommand::Due { from, working_days, common } => {
            due(*from, *working_days, common, out)?;
        }
        CalendarCommand::Count { from, to, common } => count(*from, *to, common, out)?,
    }
    Ok(CommandOutcome::Success)
}

fn due(from: NaiveDate, n: u32, common: &Common, out: &mut dyn Write) -> Result<(), CommandError> {
    let regulation = load_regulation(common.regulation.as_deref())?;
    let found = regulation
        .calendar()
        .add_working_days(from, n)
        .map_err(|error| CommandError::at(error.code(), "working_days", error.to_string()))?;
    let answer = Due { from, working_days: n, due: found.date, provisional: found.provisional };
    if common.json {
        return write_json(out, &answer);
    }
    writeln!(out, "{}{}", answer.due, mark(answer.provisional))?;
    Ok(())
}

fn count(from: NaiveDate, to: NaiveDate, common: &Common, out: &mut dyn Write) -> Result<(), CommandError> {
    let regulation = load_regulation(common.regulation.as_deref())?;
    let found = regulation
        .calendar()
        .count(from, to)
        .map_err(|error| CommandError::at(error.code(), "to", error.to_string()))?;
    let answer = Count { from, to, working_days: found.working_days, provisional: found.provisional };
    if common.json {
        return write_json(out, &answer);
    }
    writeln!(out, "{}{}", answer.working_days, mark(answer.provisional))?;
    Ok(())
}

const fn mark(provisional: bool) -> &'static str {
    if provisional { " (暂定 provisional)" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::commands::testing;
    use serde_json::json;

    #[test]
    fn due_and_count_print_the_documented_objects() {
        assert_eq!(
            testing::json(run, &["due", "--from", "2026-01-05", "--working-days", "30", "--json"]),
            json!({"from": "2026-01-05", "working_days": 30, "due": "2026-02-14", "provisional": false})
        );
        assert_eq!(
            testing::json(run, &["count", "--from", "2026-01-05", "--to", "2026-02-14", "--json"]),
            json!({"from": "2026-01-05", "to": "2026-02-14", "working_days": 30, "provisional": false})
        );
        let text = testing::run(run, &["due", "--from", "2026-12-31", "--working-days", "1"]);
        assert_eq!(text.as_deref(), Ok("2027-01-04 (暂定 provisional)\n"));
    }

    #[test]
    fn what_cannot_be_counted_is_an_error() {
        let code = |words: &[&str]| testing::run(run, words).map_err(|error| error.code);
        assert_eq!(code(&["count", "--from", "2026-01-05", "--to", "2026-01-01"]), Err("period_backwards"));
        assert_eq!(code(&["due", "--from", "2026-01-05", "--working-days", "4000000000"]), Err("period_too_long"));
        assert_eq!(code(&["due", "--from", "2026-02-30", "--working-days", "1"]), Err("usage"));
        assert_eq!(code(&["due", "--from", "2026-01-05", "--working-days", "-1"]), Err("usage"));
        let missing = ["due", "--from", "2026-01-05", "--working-days", "1", "--regulation", "no-such-folder"];
        assert_eq!(code(&missing), Err("regulation_unreadable"));
    }
}
