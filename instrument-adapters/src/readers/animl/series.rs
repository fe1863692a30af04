//! Sets of series: values one by one, in equal steps, or as base64 of little-endian numbers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roxmltree::Node;
use rust_decimal::Decimal;

use super::{Reading, attribute, child, elements, text};
use crate::model::{Locator, Observation, Severity, Status};
use crate::numbers;
use crate::sink::{Sink, slug};
use crate::tabular::{self, Base};

/// Sets of values in equal steps that one series is put together from.
const MAX_PARTS: usize = 64;

/// True for the elements that hold one value.
pub(super) fn is_value(node: Node) -> bool {
    is_number(node) || matches!(node.tag_name().name(), "S" | "Boolean" | "DateTime" | "PNG" | "SVG" | "EmbeddedXML")
}

pub(super) fn is_number(node: Node) -> bool {
    matches!(node.tag_name().name(), "I" | "L" | "F" | "D")
}

/// One series with its values.
struct Series<'a> {
    name: &'a str,
    dependency: &'a str,
    unit: Option<&'a str>,
    numeric: bool,
    parts: Vec<Part>,
    at: Locator,
    /// Values could not be read: nothing is known of those that follow.
    broken: bool,
}

enum Part {
    Listed(Vec<(String, Locator)>),
    /// Start, step and number of values; the number is only what the file says.
    Steps(Decimal, Decimal, usize, Locator),
}

impl Series<'_> {
    /// How many values there are, and how many of them the file really holds.
    fn lengths(&self) -> (usize, usize) {
        self.parts.iter().fold((0, 0), |(all, real), part| match part {
            Part::Listed(list) => (all.saturating_add(list.len()), real.saturating_add(list.len())),
            Part::Steps(.., count, _) => (all.saturating_add(*count), real),
        })
    }

    fn get(&self, index: usize) -> Option<(String, &Locator)> {
        let mut left = index;
        for part in &self.parts {
            match part {
                Part::Listed(list) => match list.get(left) {
                    Some((text, at)) => return Some((text.clone(), at)),
                    None => left = left.checked_sub(list.len())?,
                },
                Part::Steps(start, step, count, at) if left < *count => {
                    let value = step.checked_mul(Decimal::from(left))?.checked_add(*start)?;
                    return Some((value.normalize().to_string(), at));
                }
                Part::Steps(_, _, count, _) => left = left.checked_sub(*count)?,
            }
        }
        None
    }
}

pub(super) fn set(reading: &Reading, sink: &mut Sink, node: Node, base: &Base) {
    let mut base = base.clone();
    if let Some(name) = attribute(node, "name") {
        base.context.insert("series_set".into(), name.to_owned());
    }
    let declared = attribute(node, "length").and_then(|l| l.parse::<usize>().ok());
    let mut all: Vec<Series> = Vec::new();
    for part in elements(node) {
        match part.tag_name().name() {
            "Series" => all.push(series(reading, sink, part, declared)),
            "TagSet" => {}
            _ => reading.unknown(sink, part),
        }
        if sink.stopped {
            return;
        }
    }
    for series in all.iter().filter(|s| !s.broken) {
        let (count, _) = series.lengths();
        if declared.is_some_and(|n| n != count) {
            let message =
                format!("the set has {} values, the series {} {count}", declared.unwrap_or_default(), series.name);
            sink.fault("series_length", message, series.at.clone());
        }
    }
    all.retain(|s| !s.broken);
    // Equal steps alone measure nothing, and their number is only what the file says.
    let rows = all.iter().map(|s| s.lengths().1).max().unwrap_or_default();
    let independent: Vec<usize> =
        all.iter().enumerate().filter(|(_, s)| s.dependency == "independent" && s.numeric).map(|(i, _)| i).collect();
    match independent.split_first() {
        Some((x, others)) if all.iter().all(|s| s.numeric) && all.len() > independent.len() => {
            if sink.curves {
                curve(sink, &all, *x, others, rows, &base);
            }
        }
        _ => table(reading, sink, &all, rows, &base),
    }
}

/// One numeric independent series: the dependent ones are curves over it.
fn curve(sink: &mut Sink, all: &[Series], x: usize, others: &[usize], rows: usize, base: &Base) {
    let Some(abscissa) = all.get(x) else { return };
    let x_unit = abscissa.unit.and_then(|u| tabular::unit_of(sink.spec, u).0);
    for (number, series) in all.iter().enumerate().filter(|(i, _)| *i != x && !others.contains(i)) {
        let mut base = base.clone();
        base.context.insert("signal".into(), series.name.to_owned());
        base.context.insert("abscissa".into(), abscissa.name.to_owned());
        for index in 0..rows {
            if !sink.spend(1, series.at.clone()) {
                return;
            }
            let Some((raw, at)) = series.get(index) else { break };
            let mut point = tabular::observation(&base, "signal", &raw, at.clone());
            for other in others.iter().filter(|o| **o != number).filter_map(|o| all.get(*o)) {
                if let Some((text, _)) = other.get(index) {
                    point.context.insert(slug(other.name), text);
                }
            }
            let x = abscissa.get(index).and_then(|(text, _)| numbers::parse(&text, &['.']));
            point.x = x.map(|n| n.value);
            point.x_unit.clone_from(&x_unit);
            number_of(sink, &mut point, series);
            sink.point(point);
        }
    }
}

/// Anything else is a table: a row of every index.
fn table(reading: &Reading, sink: &mut Sink, all: &[Series], rows: usize, base: &Base) {
    for row in 0..rows {
        let mut base = base.clone();
        base.context.insert("row".into(), (row + 1).to_string());
        for series in all.iter().filter(|s| !s.numeric) {
            let Some((text, _)) = series.get(row).filter(|(text, _)| !text.is_empty()) else { continue };
            if reading.settings.analyte.is_match(series.name) {
                base.analyte = Some(text);
            } else {
                base.context.insert(slug(series.name), text);
            }
        }
        for series in all.iter().filter(|s| s.numeric) {
            if !sink.spend(1, series.at.clone()) {
                return;
            }
            let Some((raw, at)) = series.get(row).filter(|(raw, _)| !raw.is_empty()) else { continue };
            let known = reading.settings.quantities.get(series.name);
            let quantity = known.cloned().unwrap_or_else(|| slug(series.name));
            let mut observation = tabular::observation(&base, &quantity, &raw, at.clone());
            number_of(sink, &mut observation, series);
            sink.observe(observation);
        }
    }
}

fn number_of(sink: &mut Sink, observation: &mut Observation, series: &Series) {
    if let Some(unit) = series.unit {
        (observation.unit, observation.unit_raw) = tabular::unit_of(sink.spec, unit);
    }
    match numbers::parse(&observation.raw, &['.']) {
        Some(number) => observation.value = Some(number.value),
        None => {
            observation.status = Status::Invalid;
            if sink.spec.tokens.contains_key(&observation.raw) {
                return;
            }
            let message = format!("\"{}\" in the series {} is no number", observation.raw, series.name);
            sink.fault("not_a_number", message, observation.locator.clone());
        }
    }
}

fn series<'a>(reading: &Reading, sink: &mut Sink, node: Node<'a, '_>, declared: Option<usize>) -> Series<'a> {
    let kind = attribute(node, "seriesType").unwrap_or_default();
    let name = attribute(node, "name").or_else(|| attribute(node, "seriesID")).unwrap_or("series");
    let dependency = attribute(node, "dependency").unwrap_or_default();
    let at = reading.at(node);
    if !matches!(dependency, "dependent" | "independent") {
        let message = format!("the series {name} is \"{dependency}\", neither dependent nor independent");
        sink.warn("dependency", message, at.clone());
    }
    let mut series = Series {
        name,
        dependency,
        unit: child(node, "Unit").and_then(|u| attribute(u, "label")),
        numeric: matches!(kind, "Int32" | "Int64" | "Float32" | "Float64"),
        parts: Vec::new(),
        at,
        broken: false,
    };
    for part in elements(node) {
        let range = ["startIndex", "endIndex"].map(|a| attribute(part, a).and_then(|t| t.parse::<usize>().ok()));
        let span = match range {
            [Some(start), Some(end)] => end.checked_sub(start).and_then(|n| n.checked_add(1)),
            _ => None,
        };
        let found = match part.tag_name().name() {
            "IndividualValueSet" => Ok(listed(reading, sink, part)),
            "EncodedValueSet" => encoded(reading, sink, part, kind),
            "AutoIncrementedValueSet" => steps(reading, part, span.or(declared)),
            "Unit" | "TagSet" => continue,
            _ => {
                reading.unknown(sink, part);
                continue;
            }
        };
        match found {
            Ok(Part::Listed(list)) => {
                if span.is_some_and(|n| n != list.len()) {
                    let message =
                        format!("{} values of {name} are announced, {} found", span.unwrap_or_default(), list.len());
                    sink.fault("series_length", message, reading.at(part));
                }
                match series.parts.last_mut() {
                    Some(Part::Listed(before)) => before.extend(list),
                    _ => series.parts.push(Part::Listed(list)),
                }
            }
            Ok(_) if series.parts.len() > MAX_PARTS => {
                series.broken = true;
                sink.fault("values_unread", format!("{name}: too many sets of values"), reading.at(part));
            }
            Ok(steps) => series.parts.push(steps),
            Err(why) => {
                series.broken = true;
                sink.problem("values_unread", Severity::Error, format!("{name}: {why}"), reading.at(part));
            }
        }
    }
    series
}

fn listed(reading: &Reading, sink: &mut Sink, node: Node) -> Part {
    let mut list = Vec::new();
    for value in elements(node) {
        if !is_value(value) {
            reading.unknown(sink, value);
            continue;
        }
        if !sink.spend(1, reading.at(value)) {
            break;
        }
        list.push((text(value), reading.at(value)));
    }
    Part::Listed(list)
}

fn steps(reading: &Reading, node: Node, count: Option<usize>) -> Result<Part, String> {
    let number = |name: &str| -> Option<Decimal> {
        let value = elements(child(node, name)?).find(|n| is_number(*n))?;
        numbers::parse(&text(value), &['.'])?.decimal()
    };
    let (Some(start), Some(step)) = (number("StartValue"), number("Increment")) else {
        return Err("StartValue and Increment are numbers of at most 28 digits".into());
    };
    let count = count.ok_or("neither the set nor the series says how many values there are")?;
    Ok(Part::Steps(start, step, count, reading.at(node)))
}

/// Little-endian numbers in base64; binary floats in their shortest decimal form.
fn encoded(reading: &Reading, sink: &mut Sink, node: Node, kind: &str) -> Result<Part, String> {
    let packed: String = node.text().unwrap_or_default().split_whitespace().collect();
    let bytes = STANDARD.decode(packed).map_err(|why| format!("no base64: {why}"))?;
    let size = match kind {
        "Int32" | "Float32" => 4,
        "Int64" | "Float64" => 8,
        other => return Err(format!("values of the type \"{other}\" cannot be packed")),
    };
    if bytes.len() % size != 0 {
        return Err(format!("{} bytes are no whole number of values of {size} bytes", bytes.len()));
    }
    let at = reading.at(node);
    if !sink.spend(bytes.len() / size, at.clone()) {
        return Err("too many values".into());
    }
    let list = bytes.chunks_exact(size).filter_map(|chunk| Some((scalar(kind, chunk)?, at.clone()))).collect();
    Ok(Part::Listed(list))
}

fn scalar(kind: &str, bytes: &[u8]) -> Option<String> {
    Some(match kind {
        "Int32" => i32::from_le_bytes(bytes.try_into().ok()?).to_string(),
        "Int64" => i64::from_le_bytes(bytes.try_into().ok()?).to_string(),
        "Float32" => f32::from_le_bytes(bytes.try_into().ok()?).to_string(),
        _ => f64::from_le_bytes(bytes.try_into().ok()?).to_string(),
    })
}
