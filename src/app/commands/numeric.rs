//! `qianfa numeric round|judge|content-uniformity|dissolution`

use std::io::Write;

use clap::{Args, Subcommand, ValueEnum};
use rust_decimal::Decimal;
use serde_json::json;

use super::{CommandError, CommandOutcome, write_json};
use crate::calculation::statistics;
use crate::regulation::numeric::{CompareBy, Limit, Measured, NumericError, RoundingStep, parse_decimal, round_to};

/// Rounding, limits and acceptance by sampling, in exact decimal arithmetic
#[derive(Clone, Debug, Args)]
pub struct NumericArgs {
    #[command(subcommand)]
    command: NumericCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum NumericCommand {
    /// Round a number by GB/T 8170
    #[command(allow_negative_numbers = true)]
    Round {
        /// The number as written; one with a minus sign follows `--`
        value: String,
        /// The rounding interval: 0.01, 1, 10, 0.5, 0.2, 20
        #[arg(long, value_name = "STEP")]
        to: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Compare a result with a limit
    Judge {
        /// The limit as on a report: ≥97.0, ≤0.5, <1.0, >2, ≤10³, 95.0~105.0, "10.0±0.1 (excl)"
        #[arg(long, allow_hyphen_values = true)]
        limit: String,
        /// The result: a number, <0.05, >100, 未检出 or ND
        #[arg(long, allow_hyphen_values = true)]
        value: String,
        /// As measured, or rounded to the limit's last digit
        #[arg(long, value_enum)]
        by: By,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Content uniformity (ChP 0941): 10 values, or all 30
    #[command(allow_negative_numbers = true)]
    ContentUniformity {
        /// L
        #[arg(long, default_value = "15.0")]
        limit: String,
        /// T, the middle of the content limits, where it exceeds 100
        #[arg(long, value_name = "T")]
        midpoint: Option<String>,
        /// Contents in per cent, separated by commas or blanks
        #[arg(required = true)]
        values: Vec<String>,
        /// Print JSON (as without it)
        #[arg(long)]
        json: bool,
    },
    /// Dissolution of ordinary forms (ChP 0931): 6 values, or all 12
    #[command(allow_negative_numbers = true)]
    Dissolution {
        /// Q in per cent
        #[arg(long)]
        q: String,
        /// Amounts in per cent, separated by commas or blanks
        #[arg(required = true)]
        values: Vec<String>,
        /// Print JSON (as without it)
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum By {
    Rounded,
    Full,
}

impl From<By> for CompareBy {
    fn from(by: By) -> Self {
        match by {
            By::Rounded => CompareBy::Rounded,
            By::Full => CompareBy::Full,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Text that is not a number, step, limit or result; another number of values than a stage has.
pub fn run(args: &NumericArgs, out: &mut dyn Write) -> Result<CommandOutcome, CommandError> {
    match &args.command {
        NumericCommand::Round { value, to, json } => round(value, to, *json, out)?,
        NumericCommand::Judge { limit, value, by, json } => {
            judge(limit, value, (*by).into(), *json, out)?;
        }
        NumericCommand::ContentUniformity { limit, midpoint, values, .. } => {
            let limit = parse_decimal(limit).map_err(at("limit"))?;
            let midpoint = midpoint.as_deref().map(parse_decimal).transpose().map_err(at("midpoint"))?;
            let found = statistics::content_uniformity(&numbers(values)?, limit, midpoint);
            write_json(out, &found.map_err(at("values"))?)?;
        }
        NumericCommand::Dissolution { q, values, .. } => {
            let q = parse_decimal(q).map_err(at("q"))?;
            let found = statistics::dissolution(&numbers(values)?, q).map_err(at("values"))?;
            write_json(out, &found)?;
        }
    }
    Ok(CommandOutcome::Success)
}

fn round(value: &str, step: &str, as_json: bool, out: &mut dyn Write) -> Result<(), CommandError> {
    let number = parse_decimal(value).map_err(at("value"))?;
    let interval = RoundingStep::parse(step).map_err(at("to"))?;
    let rounded = round_to(number, interval).map_err(at("value"))?.to_string();
    if as_json {
        return write_json(out, &json!({"value": value, "step": step, "rounded": rounded}));
    }
    writeln!(out, "{rounded}")?;
    Ok(())
}

fn judge(limit: &str, value: &str, by: CompareBy, as_json: bool, out: &mut dyn Write) -> Result<(), CommandError> {
    let limit = Limit::parse(limit).map_err(at("limit"))?;
    let value = Measured::parse(value).map_err(at("value"))?;
    let found = limit.judge(&value, by).map_err(at("value"))?;
    let (compared, verdict) = (found.compared.to_string(), found.verdict.as_str());
    if as_json {
        let reported = found.reported.to_string();
        return write_json(out, &json!({"compared": compared, "verdict": verdict, "reported": reported}));
    }
    writeln!(out, "{compared} {verdict}")?;
    Ok(())
}

/// The numbers of all arguments, each of which may hold several.
fn numbers(arguments: &[String]) -> Result<Vec<Decimal>, CommandError> {
    let separator = |letter: char| letter.is_whitespace() || matches!(letter, ',' | ';' | '，' | '、' | '；');
    arguments
        .iter()
        .flat_map(|argument| argument.split(separator))
        .filter(|word| !word.is_empty())
        .map(|word| parse_decimal(word).map_err(at("values")))
        .collect()
}

fn at(field: &'static str) -> impl Fn(NumericError) -> CommandError {
    move |error| CommandError::at(error.code(), field, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::commands::testing;

    fn error(words: &[&str]) -> (&'static str, Option<String>) {
        let error = testing::run(run, words).expect_err("an error");
        (error.code, error.field)
    }

    #[test]
    fn round_prints_plain_text_and_the_documented_object() {
        assert_eq!(
            testing::json(run, &["round", "60.25", "--to", "0.5", "--json"]),
            json!({"value": "60.25", "step": "0.5", "rounded": "60.0"})
        );
        assert_eq!(testing::run(run, &["round", "--to", "20", "--", "-930"]).as_deref(), Ok("-920\n"));
        assert_eq!(testing::run(run, &["round", "-930", "--to", "20"]).as_deref(), Ok("-920\n"));
        assert_eq!(error(&["round", "abc", "--to", "1"]), ("not_a_number", Some("value".into())));
        assert_eq!(error(&["round", "1", "--to", "0"]), ("not_a_step", Some("to".into())));
        assert_eq!(error(&["round", "1"]).0, "usage");
    }

    #[test]
    fn judge_prints_the_documented_object() {
        let judged = |limit: &str, value: &str, by: &str| {
            testing::json(run, &["judge", "--limit", limit, "--value", value, "--by", by, "--json"])
        };
        assert_eq!(
            judged("≥97.0", "96.96", "rounded"),
            json!({"compared": "97.0", "verdict": "pass", "reported": "97.0"})
        );
        assert_eq!(
            judged("≥97.0", "96.96", "full"),
            json!({"compared": "96.96", "verdict": "fail", "reported": "96.96"})
        );
        assert_eq!(
            judged("≤10³", "1500", "rounded"),
            json!({"compared": "1500", "verdict": "pass", "reported": "1500"})
        );
        assert_eq!(
            judged("≤0.02", "<0.05", "full"),
            json!({"compared": "<0.05", "verdict": "indeterminate", "reported": "<0.05"})
        );
        assert_eq!(judged("-5~5", "-4.9", "full"), json!({"compared": "-4.9", "verdict": "pass", "reported": "-5"}));
        let words = ["judge", "--limit", "≥97.0", "--value", "n/a", "--by", "full"];
        assert_eq!(error(&words), ("not_a_result", Some("value".into())));
        let words = ["judge", "--limit", "97", "--value", "97", "--by", "full"];
        assert_eq!(error(&words), ("not_a_limit", Some("limit".into())));
        assert_eq!(error(&["judge", "--limit", "≥97.0", "--value", "97", "--by", "eye"]).0, "usage");
    }

    #[test]
    fn stages_take_their_values_by_commas_or_blanks() {
        let found = testing::json(run, &["dissolution", "--q", "80", "69,85,88", "91", "84 86"]);
        assert_eq!((&found["verdict"], &found["n"]), (&json!("continue"), &json!(6)));
        let ten = "99.2 101.3 98.7 100.5 97.9 102.1 100.8 99.6 98.4 101.5";
        let found = testing::json(run, &["content-uniformity", ten]);
        assert_eq!((&found["verdict"], &found["s"]), (&json!("pass"), &json!("1.4414")));
        let found = testing::json(run, &["content-uniformity", "--limit", "3.1", ten, "--json"]);
        assert_eq!(found["verdict"], "continue");
        let one = &found["criteria"][0];
        assert_eq!((&one["value"], &one["compared"], &one["met"]), (&json!("3.1712"), &json!("3.2"), &json!(false)));
        // As `judge` does: both are compared at the limit's digits.
        let found = testing::json(run, &["dissolution", "--q", "80", "79.6 79.6 79.6 79.6 79.6 79.6"]);
        assert_eq!((&found["verdict"], &found["compared_mean"]), (&json!("pass"), &json!("80")));
        let judged = testing::json(run, &["judge", "--limit", "≥80", "--value", "79.6", "--by", "rounded", "--json"]);
        assert_eq!(judged["verdict"], "pass");
        assert_eq!(error(&["dissolution", "--q", "80", "1,2"]), ("wrong_count", Some("values".into())));
        assert_eq!(error(&["content-uniformity", "1,x"]), ("not_a_number", Some("values".into())));
    }
}
