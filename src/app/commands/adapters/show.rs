//! Readings as text for a terminal.

use std::io::Write;

use instrument_adapters::{Explained, Locator, Observation, Parsed, Severity, Status};
use serde_json::{Value, json};

use super::CommandError;

/// Every line with what it became, then the values that are on none of the lines, by their places.
pub(super) fn lines(explained: &Explained) -> Vec<Value> {
    let lines = explained.lines.iter();
    let lines = lines.map(|(line, text, became)| json!({"line": line, "text": text, "became": became}));
    let off = off_the_lines(explained);
    lines.chain(off.map(|o| json!({"line": null, "text": place(&o.locator), "became": [row(o)]}))).collect()
}

/// The same as text, with the summary of the file at its end.
pub(super) fn explained(explained: &Explained, out: &mut dyn Write) -> Result<(), CommandError> {
    for (line, text, became) in &explained.lines {
        let shown: String = text.chars().take(200).collect();
        writeln!(out, "{line:>5} | {shown}")?;
        for part in became {
            writeln!(out, "      |   → {part}")?;
        }
    }
    for observation in off_the_lines(explained) {
        writeln!(out, "{}\n      |   → {}", place(&observation.locator), row(observation))?;
    }
    summary(&explained.parsed, out)
}

/// Values that are not on a line that is shown: those of a tree that its reader does not write out.
fn off_the_lines(explained: &Explained) -> impl Iterator<Item = &Observation> {
    explained.parsed.observations.iter().filter(|o| explained.line_of(&o.locator).is_none())
}

/// A place in words: line, cell or path.
pub(super) fn place(locator: &Locator) -> String {
    match (&locator.line, &locator.cell, &locator.path) {
        (Some(line), ..) => format!("line {line}"),
        (None, Some(cell), _) => format!("{}!{cell}", locator.sheet.as_deref().unwrap_or_default()),
        (None, None, Some(path)) => path.clone(),
        _ => locator.sheet.clone().unwrap_or_default(),
    }
}

/// Adapter, number of values, whether the file is whole, and its problems.
pub(super) fn summary(parsed: &Parsed, out: &mut dyn Write) -> Result<(), CommandError> {
    let complete = match parsed.complete {
        Some(true) => "complete",
        Some(false) => "NOT complete",
        None => "the format has no proof of completeness",
    };
    let (count, sha256) = (parsed.observations.len(), &parsed.file_sha256);
    writeln!(out, "{}: {count} values, {complete}; sha256 {sha256}", parsed.adapter)?;
    for problem in &parsed.problems {
        let severity = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let place = place(&problem.locator);
        let place = if place.is_empty() { place } else { format!(" ({place})") };
        writeln!(out, "{severity} {}{place}: {}", problem.code, problem.message)?;
    }
    Ok(())
}

/// The values, one a line.
pub(super) fn values(observations: &[Observation], out: &mut dyn Write) -> Result<(), CommandError> {
    for observation in observations {
        writeln!(out, "{}", row(observation))?;
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
