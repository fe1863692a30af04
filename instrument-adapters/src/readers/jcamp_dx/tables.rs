//! The tables of a block, and what it says of them.

use rust_decimal::Decimal;

use super::asdf::{self, AsdfForm, Decoder};
use super::{Block, Record};
use crate::model::{Locator, Observation, Status};
use crate::numbers::{self, Number};
use crate::sink::Sink;
use crate::tabular::{self, Base};

/// Decimal places of an abscissa that is reckoned by a division.
const PLACES: u32 = 6;
/// Of a table that does not say how many it has.
const MOST_POINTS: usize = 1 << 20;

/// How abscissas and ordinates become values.
struct Axes {
    x_factor: Decimal,
    y_factor: Decimal,
    x_unit: Option<String>,
    unit: (Option<String>, Option<String>),
}

pub(super) fn read(block: &Block, record: &Record, base: &Base, sink: &mut Sink) {
    let at = Locator::line(record.line);
    let Some((form, lines)) = form(record) else {
        sink.fault("form_unread", format!("##{}= does not say how its values stand", record.written), at);
        return;
    };
    let factor = |label: &str| match block.text(label) {
        Some(_) => block.decimal(label),
        None => Some(Decimal::ONE),
    };
    let (Some(x_factor), Some(y_factor)) = (factor("XFACTOR"), factor("YFACTOR")) else {
        sink.fault("factor", "XFACTOR and YFACTOR are numbers of at most 28 digits", at);
        return;
    };
    let written = |label: &str| block.text(label).map_or((None, None), |u| tabular::unit_of(sink.spec, &u));
    let axes = Axes { x_factor, y_factor, x_unit: written("XUNITS").0, unit: written("YUNITS") };
    let found = if form == "(X++(Y..Y))" {
        stepped(block, &axes, &lines, base, sink)
    } else if let Some(group) = form.strip_prefix('(').and_then(|f| f.split_once("..")).map(|(group, _)| group) {
        let peaks = record.label == "PEAKTABLE";
        groups(group, peaks, &axes, &lines, base, sink)
    } else {
        sink.fault("form_unread", format!("##{}={form} is a form that is not read", record.written), at);
        return;
    };
    let Some(found) = found else { return };
    let declared = block.text("NPOINTS").and_then(|t| t.parse::<usize>().ok());
    if declared.is_some_and(|n| n != found.count) {
        let message = format!("NPOINTS={}, {} found", declared.unwrap_or_default(), found.count);
        sink.fault("npoints", message, at);
    }
    extremes(block, &found, sink);
}

/// The form without blanks, and the lines below it.
fn form(record: &Record) -> Option<(String, Vec<(u32, &str)>)> {
    let mut lines = record.lines.iter().map(|(line, text)| (*line, text.as_str()));
    let (line, first) = lines.next()?;
    let mut depth = 0usize;
    let end = first.char_indices().find_map(|(at, c)| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => return None,
        }
        (depth == 0).then_some(at + 1)
    })?;
    let form: String = first.get(..end)?.chars().filter(|c| !c.is_whitespace()).collect();
    let rest = first.get(end..).filter(|r| !r.trim().is_empty()).map(|rest| (line, rest));
    Some((form.to_uppercase(), rest.into_iter().chain(lines).filter(|(_, t)| !t.trim().is_empty()).collect()))
}

/// What the checks need of a table that was read.
#[derive(Default)]
struct Found {
    count: usize,
    first: Option<Decimal>,
    largest: Option<Decimal>,
    smallest: Option<Decimal>,
    /// A line one step beside its abscissa has been reported.
    offset: bool,
}

impl Found {
    fn add(&mut self, value: Option<Decimal>) {
        if self.count == 0 {
            self.first = value;
        }
        self.count += 1;
        if let Some(value) = value {
            self.largest = Some(self.largest.map_or(value, |l| l.max(value)));
            self.smallest = Some(self.smallest.map_or(value, |s| s.min(value)));
        }
    }
}

/// First abscissa, step and the decimal places in which abscissas are written.
fn steps(block: &Block, axes: &Axes, first_line: Option<&Number>) -> Option<(Decimal, Decimal, u32)> {
    let of_line = || first_line?.decimal()?.checked_mul(axes.x_factor);
    let first = block.decimal("FIRSTX").or_else(of_line)?;
    let given = block.decimal("DELTAX");
    let count = block.text("NPOINTS").and_then(|t| t.parse::<u32>().ok()).unwrap_or_default();
    let last = block.decimal("LASTX");
    let exact =
        last.filter(|_| count > 1).and_then(|last| last.checked_sub(first)?.checked_div(Decimal::from(count - 1)));
    // The step is written with few digits; from both ends it is more exact.
    let step = exact.or(given)?;
    let places = [Some(first), last, given].into_iter().flatten().map(|d| d.scale()).max().unwrap_or_default();
    Some((first, step, if exact.is_some() { places.max(PLACES) } else { 28 }))
}

/// `(X++(Y..Y))`: a line has its first abscissa and ordinates in equal steps.
fn stepped(block: &Block, axes: &Axes, lines: &[(u32, &str)], base: &Base, sink: &mut Sink) -> Option<Found> {
    let declared = block.text("NPOINTS").and_then(|t| t.parse::<usize>().ok());
    // One more than announced is enough to say that there are too many.
    let mut decoder = Decoder::new(declared.unwrap_or(MOST_POINTS).saturating_add(1).min(sink.spec.limits.cells));
    let mut found = Found::default();
    let mut grid: Option<(Decimal, Decimal, u32)> = None;
    for (index, (number, text)) in lines.iter().enumerate() {
        let line = match decoder.line(text) {
            Ok(line) => line,
            Err((why, column)) => {
                sink.fault("asdf", why, Locator::at(*number, column));
                return None;
            }
        };
        let Some((x, column)) = &line.x else { continue };
        if index == 0 {
            grid = steps(block, axes, Some(x));
            if grid.is_none() {
                let message = "neither FIRSTX with DELTAX nor FIRSTX, LASTX and NPOINTS: abscissas are unknown";
                sink.fault("no_abscissas", message, Locator::line(*number));
            }
        }
        let (first, step, places) = grid?;
        let abscissa = |index: usize| {
            let x = step.checked_mul(Decimal::from(index))?.checked_add(first)?;
            Some(x.round_dp(places).normalize())
        };
        // The first ordinate of this line, or the last one of the line before, which it repeats.
        let place = if line.checked { found.count.saturating_sub(1) } else { found.count };
        match abscissa(place).and_then(|wanted| beside(x, wanted, step, axes)) {
            Some((why, false)) => sink.fault("x_check", why, Locator::at(*number, *column)),
            // Some writers are one step off through the whole file; how many points there are is counted.
            Some((why, true)) if !found.offset => {
                found.offset = true;
                sink.warn("x_offset", format!("{why}: about one step beside"), Locator::at(*number, *column));
            }
            _ => {}
        }
        if !sink.spend(line.ordinates.len() + 1, Locator::line(*number)) {
            return None;
        }
        let count = line.ordinates.len();
        for (ordinate, token) in line.ordinates {
            // Decimals keep 28 digits: more than any factor and ordinate have together.
            let value = ordinate.and_then(|y| y.checked_mul(axes.y_factor));
            if sink.curves {
                let mut point = tabular::observation(base, "signal", &token.text, Locator::at(*number, token.column));
                point.x = abscissa(found.count).map(|x| x.to_string());
                point.x_unit.clone_from(&axes.x_unit);
                put(&mut point, value, &axes.unit);
                sink.point(point);
            }
            found.add(value);
        }
        let check = if line.checked { ", the first value again as a check" } else { "" };
        sink.note(*number, format!("{count} points{check}"));
    }
    Some(found)
}

/// Says where a line's abscissa is not that of its first ordinate, and whether it is one step beside it.
fn beside(x: &Number, wanted: Decimal, step: Decimal, axes: &Axes) -> Option<(String, bool)> {
    let written = x.decimal()?.checked_mul(axes.x_factor)?;
    let unit = x.half_unit().saturating_mul(Decimal::TWO).saturating_mul(axes.x_factor.abs());
    let allowed = unit.max(step.abs().checked_div(Decimal::TWO)?);
    let difference = written.saturating_sub(wanted).abs();
    let one_step = step.abs().saturating_add(unit);
    (difference > allowed).then(|| {
        let why = format!("the line begins at {}, its first value stands at {wanted}", written.normalize());
        (why, difference <= one_step)
    })
}

fn put(observation: &mut Observation, value: Option<Decimal>, unit: &(Option<String>, Option<String>)) {
    observation.value = value.map(|v| v.normalize().to_string());
    if observation.value.is_none() {
        observation.status = Status::Invalid;
    }
    (observation.unit, observation.unit_raw) = unit.clone();
}

/// `(XY..XY)` and the like: groups of numbers.
fn groups(group: &str, peaks: bool, axes: &Axes, lines: &[(u32, &str)], base: &Base, sink: &mut Sink) -> Option<Found> {
    let letters: Vec<char> = group.chars().collect();
    let known = letters.first() == Some(&'X') && letters.get(1) == Some(&'Y');
    if !known || !letters.iter().skip(2).all(|c| *c == 'W') || letters.len() > 3 {
        let line = lines.first().map_or(1, |(line, _)| *line);
        sink.fault("form_unread", format!("groups of {group} are not read"), Locator::line(line));
        return None;
    }
    let mut found = Found::default();
    // A group may go on in the next line.
    let mut open: Vec<(Decimal, asdf::Token, u32)> = Vec::new();
    for (number, text) in lines {
        let tokens = match asdf::tokens(text) {
            Ok(tokens) => tokens,
            Err((why, column)) => {
                sink.fault("not_a_number", why, Locator::at(*number, column));
                return None;
            }
        };
        if !sink.spend(tokens.len(), Locator::line(*number)) {
            return None;
        }
        let before = found.count;
        for token in tokens {
            let value = match &token.form {
                AsdfForm::Value(text) if token.text.starts_with(|c: char| !c.is_ascii_alphabetic() && c != '@') => {
                    numbers::parse(text, &['.']).and_then(|n| n.decimal())
                }
                _ => None,
            };
            let Some(value) = value else {
                let message = format!("{} is no number", token.text);
                sink.fault("not_a_number", message, Locator::at(*number, token.column));
                return None;
            };
            open.push((value, token, *number));
            if open.len() == letters.len() {
                emit(&open, peaks, axes, base, &mut found, sink);
                open.clear();
            }
        }
        sink.note(*number, format!("{} {}", found.count - before, if peaks { "peaks" } else { "points" }));
    }
    if let Some((_, token, line)) = open.first() {
        sink.fault("group_cut", format!("a group of {group} is not complete"), Locator::at(*line, token.column));
    }
    Some(found)
}

fn emit(
    group: &[(Decimal, asdf::Token, u32)],
    peaks: bool,
    axes: &Axes,
    base: &Base,
    found: &mut Found,
    sink: &mut Sink,
) {
    let [(x, x_token, x_line), (y, y_token, y_line), rest @ ..] = group else { return };
    let x = x.checked_mul(axes.x_factor);
    let y = y.checked_mul(axes.y_factor);
    found.add(y);
    let x_unit = (axes.x_unit.clone(), None);
    if peaks {
        let mut base = base.clone();
        base.context.insert("peak".into(), found.count.to_string());
        let width =
            rest.first().map(|(w, token, line)| ("peak_width", w.checked_mul(axes.x_factor), token, line, &x_unit));
        let values =
            [("peak_position", x, x_token, x_line, &x_unit), ("peak_intensity", y, y_token, y_line, &axes.unit)];
        for (quantity, value, token, line, unit) in values.into_iter().chain(width) {
            let mut observation = tabular::observation(&base, quantity, &token.text, Locator::at(*line, token.column));
            put(&mut observation, value, unit);
            sink.point(observation);
        }
    } else if sink.curves {
        let mut point = tabular::observation(base, "signal", &y_token.text, Locator::at(*y_line, y_token.column));
        point.x = x.map(|x| x.normalize().to_string());
        point.x_unit.clone_from(&axes.x_unit);
        put(&mut point, y, &axes.unit);
        sink.point(point);
    }
}

/// Headers are wrong more often than tables: what they say of the extremes is a warning.
fn extremes(block: &Block, found: &Found, sink: &mut Sink) {
    for (label, value) in [("FIRSTY", found.first), ("MAXY", found.largest), ("MINY", found.smallest)] {
        let (Some(declared), Some(value)) = (block.number(label), value) else { continue };
        let Some(wanted) = declared.decimal() else { continue };
        // A written number is half a unit of its last digit off, and some programs print single precision.
        let share = wanted.abs().checked_mul(Decimal::new(1, 6)).unwrap_or_default();
        let allowed = declared.half_unit().saturating_add(share);
        if value.saturating_sub(wanted).abs() > allowed {
            let line = block.record(label).map_or(1, |r| r.line);
            let message = format!("{label}={wanted}, the table has {}", value.normalize());
            sink.warn("extreme_differs", message, Locator::line(line));
        }
    }
}
