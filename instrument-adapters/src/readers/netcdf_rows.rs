//! netCDF-3 with a table and a curve: variables along one dimension are the columns of a table, one more is a
//! curve sampled in equal steps. ANDI chromatography (ASTM E1947) is written so.
//!
//! Columns and units are declared as for any table, headings being names of variables. A unit `{name}` is the
//! text of the file's attribute of that name. The file is whole where every byte that its header speaks of is
//! there.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Proof, ReaderInput};
use crate::containers::netcdf::{Extent, Netcdf, Scalar, Variable};
use crate::model::{Locator, Observation, Severity, Status};
use crate::sink::Sink;
use crate::spec::{ColumnSpec, Role, TableSpec};
use crate::tabular::{self, Base};

/// Layout of the file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Dimension along which the table's variables run.
    rows: String,
    /// Attribute whose text says that there is a table, and what it must match.
    rows_if: Option<String>,
    rows_if_is: Option<crate::spec::Pattern>,
    curve: Option<Curve>,
    /// Attributes of the file that go into the context of every value: attribute → name.
    #[serde(default)]
    context: std::collections::BTreeMap<String, String>,
    limits: Option<PeakLimits>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Curve {
    ordinates: String,
    /// Abscissas, where the steps are not equal.
    abscissas: Option<String>,
    /// Scalars: the step and the first abscissa.
    interval: String,
    delay: String,
    /// Scalar with the length of the run, which tells the unit of the step.
    length: Option<String>,
    unit: Option<String>,
    x_unit: Option<String>,
}

/// Columns whose values must enclose that of another: what does not is in another unit.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PeakLimits {
    start: String,
    apex: String,
    end: String,
    /// All columns written like them.
    alike: Vec<String>,
}

/// A table's column with its variable.
struct Column<'f, 's> {
    variable: &'f Variable,
    spec: &'s ColumnSpec,
    unit: (Option<String>, Option<String>),
}

pub(crate) fn read(settings: &Settings, input: &ReaderInput, sink: &mut Sink) -> Proof {
    let file = match Netcdf::parse(input.bytes) {
        Ok(file) => file,
        Err(why) => {
            sink.fault("not_netcdf", why, Locator::default());
            return Proof::Fails;
        }
    };
    let extent = file.extent();
    if extent == Extent::Cut {
        sink.fault("truncated", "the header speaks of values behind the end of the file", Locator::default());
    }
    let base = heads(settings, &file, sink);
    table(settings, &file, &base, sink);
    if let Some(curve) = &settings.curve {
        ordinates(curve, &file, &base, sink);
    }
    match extent {
        Extent::Whole => Proof::Holds,
        Extent::Unpadded => Proof::None,
        Extent::Cut => Proof::Fails,
    }
}

/// Attributes and scalars go to `run`; the sample and the date are found among them.
fn heads(settings: &Settings, file: &Netcdf, sink: &mut Sink) -> Base {
    let mut base = Base::default();
    for attribute in &file.attributes {
        let at = Locator::path(attribute.name.as_str());
        sink.rendering.line(&at, format!("{} = {}", attribute.name, attribute.text.replace(['\r', '\n'], " ")));
        sink.run_fact(&attribute.name, Value::String(attribute.text.clone()));
        if let Some(name) = settings.context.get(&attribute.name).filter(|_| !attribute.text.is_empty()) {
            base.context.insert(name.clone(), attribute.text.clone());
        }
    }
    let first =
        |names: &[String]| names.iter().filter_map(|n| file.attribute(n)).find(|t| !t.is_empty()).map(str::to_owned);
    base.sample = first(&sink.spec.run.sample);
    base.injection = first(&sink.spec.run.injection);
    if let Some(date) = first(&sink.spec.run.acquired_at) {
        let name = sink.spec.run.acquired_at.iter().find(|n| file.attribute(n).is_some());
        base.acquired_at = sink.date(&date, Locator::path(name.map_or("", String::as_str)));
    }
    for variable in file.variables.iter().filter(|v| v.dimensions.is_empty() && !v.is_text()) {
        if let Some(text) = file.number(variable, 0).and_then(Scalar::text) {
            sink.rendering.line(&Locator::path(variable.name.as_str()), format!("{} = {text}", variable.name));
            sink.run_fact(&variable.name, Value::String(text));
        }
    }
    for attribute in file.variables.iter().filter(|v| !v.dimensions.is_empty()).flat_map(|v| &v.attributes) {
        if let Some(name) = settings.context.get(&attribute.name).filter(|_| !attribute.text.is_empty()) {
            base.context.entry(name.clone()).or_insert_with(|| attribute.text.clone());
        }
    }
    if file.variables.iter().any(|v| v.is_single() && !v.dimensions.is_empty()) {
        sink.run_fact("number_precision", "binary32: about seven digits");
    }
    base
}

/// A declared unit: `{name}` is the attribute's text.
fn unit_text<'a>(file: &'a Netcdf, unit: Option<&'a str>) -> Option<&'a str> {
    let unit = unit?;
    match unit.strip_prefix('{').and_then(|u| u.strip_suffix('}')) {
        Some(name) => file.attribute(name).filter(|t| !t.is_empty()),
        None => Some(unit),
    }
}

fn table(settings: &Settings, file: &Netcdf, base: &Base, sink: &mut Sink) {
    let spec = sink.spec;
    let Some(table) = spec.tables.first() else { return };
    let count = file.dimensions.iter().find(|d| d.name == settings.rows).map(|d| d.size);
    let promised = settings
        .rows_if
        .as_ref()
        .zip(settings.rows_if_is.as_ref())
        .is_some_and(|(name, is)| file.attribute(name).is_some_and(|text| is.is_match(text)));
    let Some(count) = count else {
        if promised {
            let message = format!("results are announced, and there is no dimension {}", settings.rows);
            sink.fault("rows_missing", message, Locator::default());
        }
        return;
    };
    let mut columns = columns(settings, file, table, sink);
    if let Some(limits) = &settings.limits {
        beyond_the_run(limits, settings, file, count, sink);
        points_or_time(limits, settings, file, &mut columns, count, sink);
    }
    for row in 0..count {
        if !sink.spend(columns.len() + 1, Locator::path(format!("{}[{row}]", settings.rows))) {
            return;
        }
        // A count without bytes behind it ends here, however large it is.
        if columns.iter().all(|c| file.text(c.variable, row).is_none()) {
            return;
        }
        peak(file, &columns, row, base, sink);
    }
}

/// Joins variables and declarations; a variable without one is reported.
fn columns<'f, 's>(
    settings: &Settings,
    file: &'f Netcdf,
    table: &'s TableSpec,
    sink: &mut Sink,
) -> Vec<Column<'f, 's>> {
    let curve = settings.curve.as_ref();
    let known = |name: &str| curve.is_some_and(|c| c.ordinates == name || c.abscissas.as_deref() == Some(name));
    let mut columns = Vec::new();
    for variable in file.variables.iter().filter(|v| !v.dimensions.is_empty() && !known(&v.name)) {
        let spec = table.columns.iter().find(|c| c.heading.is_match(&variable.name));
        let in_rows = file.along(variable).is_some_and(|d| d.name == settings.rows);
        match spec {
            Some(spec) if in_rows && spec.role != Role::Ignore => {
                let unit = variable.attribute("units").or_else(|| unit_text(file, spec.unit.as_deref()));
                let unit = unit.map_or((None, None), |u| tabular::unit_of(sink.spec, u));
                columns.push(Column { variable, spec, unit });
            }
            Some(spec) if spec.role == Role::Ignore => {}
            _ => sink.warn_once(
                "unknown_column",
                format!("the adapter does not know the variable \"{}\"; its values are not read", variable.name),
                Locator::path(variable.name.as_str()),
            ),
        }
    }
    columns
}

/// A retention behind the end of the run shows that the file says the wrong unit.
fn beyond_the_run(limits: &PeakLimits, settings: &Settings, file: &Netcdf, count: usize, sink: &mut Sink) {
    let decimal = |name: &str, index: usize| -> Option<Decimal> {
        file.number(file.variable(name)?, index)?.text()?.parse().ok()
    };
    let length = settings.curve.as_ref().and_then(|c| decimal(c.length.as_deref()?, 0)).unwrap_or_default();
    let latest = (0..count).map_while(|i| decimal(&limits.apex, i)).max().unwrap_or_default();
    if !length.is_zero() && latest > length.saturating_mul(Decimal::new(105, 2)) {
        let message = format!("a peak at {latest} lies behind the end of the run at {length}: the unit is doubtful");
        sink.problem("beyond_the_run", Severity::Error, message, Locator::path(limits.apex.as_str()));
    }
}

/// Some data systems give the limits of a peak as numbers of points, though the format wants times.
fn points_or_time(
    limits: &PeakLimits,
    settings: &Settings,
    file: &Netcdf,
    columns: &mut [Column],
    count: usize,
    sink: &mut Sink,
) {
    let decimal = |name: &str, index: usize| -> Option<Decimal> {
        file.number(file.variable(name)?, index)?.text()?.parse().ok()
    };
    let curve = settings.curve.as_ref();
    let step = curve.and_then(|c| decimal(&c.interval, 0)).unwrap_or_default();
    let delay = curve.and_then(|c| decimal(&c.delay, 0)).unwrap_or_default();
    let rows: Vec<(Decimal, Decimal, Decimal)> = (0..count.min(10_000))
        .map_while(|i| Some((decimal(&limits.start, i)?, decimal(&limits.apex, i)?, decimal(&limits.end, i)?)))
        .filter(|(start, _, end)| !start.is_zero() || !end.is_zero())
        .collect();
    // Half a step is the rounding of times to points.
    let encloses = |factor: Decimal, shift: Decimal| {
        rows.iter().all(|(start, apex, end)| {
            let time = |n: &Decimal| n.checked_mul(factor).and_then(|t| t.checked_add(shift));
            let (Some(from), Some(to)) = (time(start), time(end)) else { return false };
            from <= apex.saturating_add(step) && to >= apex.saturating_sub(step)
        })
    };
    if encloses(Decimal::ONE, Decimal::ZERO) {
        return;
    }
    let at = Locator::path(limits.start.as_str());
    let in_points = !step.is_zero() && (encloses(step, delay) || encloses(step, Decimal::ZERO));
    if in_points {
        let message = format!("{} and the like are numbers of points, not times", limits.start);
        sink.warn("limits_in_points", message, at);
    } else {
        let message =
            format!("{} and {} do not enclose {}: their unit is unknown", limits.start, limits.end, limits.apex);
        sink.warn("limits_doubtful", message, at);
    }
    for column in columns.iter_mut().filter(|c| limits.alike.contains(&c.variable.name)) {
        column.unit = if in_points { (Some("{point}".into()), None) } else { (None, None) };
    }
}

/// One row: what names and marks it first, then its values.
fn peak(file: &Netcdf, columns: &[Column], row: usize, base: &Base, sink: &mut Sink) {
    let mut base = base.clone();
    let mut flags: Vec<String> = Vec::new();
    base.context.insert("peak".into(), (row + 1).to_string());
    for column in columns {
        let text = if column.variable.is_text() {
            file.text(column.variable, row)
        } else {
            file.number(column.variable, row).and_then(Scalar::text)
        };
        let Some(text) = text.filter(|t| !t.is_empty()) else { continue };
        let at = Locator::path(format!("{}[{row}]", column.variable.name));
        let name = column.spec.name.clone().unwrap_or_else(|| column.variable.name.clone());
        match column.spec.role {
            Role::Analyte => base.analyte = Some(text.clone()),
            Role::Sample => base.sample = Some(text.clone()),
            Role::Injection => base.injection = Some(text.clone()),
            Role::Context | Role::Number | Role::Unit => {
                base.context.insert(name, text.clone());
            }
            Role::Flag if !column.spec.flags.contains_key(&text) => {
                if text != "0" {
                    flags.push(name);
                }
            }
            _ => continue,
        }
        sink.rendering.line(&at, format!("{}[{row}] = {text}", column.variable.name));
    }
    for column in columns.iter().filter(|c| c.spec.role == Role::Value) {
        let Some(number) = file.number(column.variable, row) else { continue };
        let Some(text) = number.text() else { continue };
        let at = Locator::path(format!("{}[{row}]", column.variable.name));
        let quantity = column.spec.quantity.clone().unwrap_or_else(|| column.variable.name.clone());
        sink.rendering.line(&at, format!("{}[{row}] = {text}", column.variable.name));
        let mut observation = tabular::observation(&base, &quantity, &text, at);
        observation.flags.clone_from(&flags);
        (observation.unit, observation.unit_raw) = column.unit.clone();
        put(&mut observation, sink);
        sink.observe(observation);
    }
}

/// The text of a binary number becomes the value; infinity and the like give no value.
fn put(observation: &mut Observation, sink: &mut Sink) {
    match crate::numbers::parse(&observation.raw, &['.']) {
        Some(number) => observation.value = Some(number.value),
        None => {
            observation.status = Status::Invalid;
            let message = format!("{} is {}, which is no number", observation.quantity, observation.raw);
            sink.warn("not_finite", message, observation.locator.clone());
        }
    }
}

fn ordinates(curve: &Curve, file: &Netcdf, base: &Base, sink: &mut Sink) {
    let Some(variable) = file.variable(&curve.ordinates) else { return };
    let at = Locator::path(variable.name.as_str());
    let count = file.along(variable).map_or(0, |d| d.size);
    sink.rendering.line(&at, format!("{}: [{count} values]", variable.name));
    let scalar = |name: &str| -> Option<Decimal> { file.number(file.variable(name)?, 0)?.text()?.parse().ok() };
    let step = scalar(&curve.interval);
    let x_unit = unit_text(file, curve.x_unit.as_deref()).and_then(|u| tabular::unit_of(sink.spec, u).0);
    let x_unit = step_unit(curve, step, count, x_unit, file, sink);
    if !sink.curves {
        return;
    }
    let (unit, unit_raw) =
        unit_text(file, curve.unit.as_deref()).map_or((None, None), |u| tabular::unit_of(sink.spec, u));
    let own = |name: &str| variable.attribute(name).and_then(|t| t.parse::<Decimal>().ok());
    let (factor, offset) = (own("scale_factor").unwrap_or(Decimal::ONE), own("add_offset").unwrap_or_default());
    let scaled = factor != Decimal::ONE || !offset.is_zero();
    let delay = scalar(&curve.delay).unwrap_or_default();
    let uneven = variable.attribute("uniform_sampling_flag").is_some_and(|f| f.eq_ignore_ascii_case("n"));
    let abscissas = curve.abscissas.as_ref().and_then(|n| file.variable(n)).filter(|_| uneven || step.is_none());
    if abscissas.is_none() && (uneven || step.is_none()) {
        sink.problem("no_abscissas", Severity::Error, "the curve has neither a step nor abscissas; not read", at);
        return;
    }
    for index in 0..count {
        let Some(number) = file.number(variable, index) else { return };
        let at = Locator::path(format!("{}[{index}]", variable.name));
        if !sink.spend(1, at.clone()) {
            return;
        }
        let Some(text) = number.text() else { continue };
        let mut point = tabular::observation(base, "signal", &text, at);
        point.value = crate::numbers::parse(&text, &['.']).map(|n| n.value);
        if scaled {
            let value = point.value.as_deref().and_then(|v| v.parse::<Decimal>().ok());
            let value = value.and_then(|v| v.checked_mul(factor)?.checked_add(offset));
            point.value = value.map(|v| v.normalize().to_string());
        }
        if point.value.is_none() {
            point.status = Status::Invalid;
        }
        point.unit.clone_from(&unit);
        point.unit_raw.clone_from(&unit_raw);
        point.x = match abscissas {
            Some(xs) => file.number(xs, index).and_then(Scalar::text),
            None => {
                let x = step.and_then(|s| s.checked_mul(Decimal::from(index))?.checked_add(delay));
                x.map(|x| x.normalize().to_string())
            }
        };
        point.x_unit.clone_from(&x_unit);
        sink.point(point);
    }
}

/// Steps in seconds beside a retention in minutes, and the other way round, show in the length of the run.
fn step_unit(
    curve: &Curve,
    step: Option<Decimal>,
    count: usize,
    unit: Option<String>,
    file: &Netcdf,
    sink: &mut Sink,
) -> Option<String> {
    let length = curve.length.as_ref().and_then(|n| file.number(file.variable(n)?, 0)?.text()?.parse::<Decimal>().ok());
    let span = step.and_then(|s| s.checked_mul(Decimal::from(count)));
    let (Some(length), Some(span)) = (length.filter(|l| !l.is_zero()), span.filter(|s| !s.is_zero())) else {
        return unit;
    };
    let near = |a: Decimal, b: Decimal| {
        let allowed = b.abs().checked_div(Decimal::from(20)).unwrap_or_default();
        a.saturating_sub(b).abs() <= allowed
    };
    if near(span, length) {
        return unit;
    }
    let other = match unit.as_deref() {
        Some("min") if near(span, length.saturating_mul(Decimal::from(60))) => Some("s"),
        Some("s") if near(span.saturating_mul(Decimal::from(60)), length) => Some("min"),
        _ => None,
    };
    let message = match other {
        Some(other) => format!("{count} steps fit the length of the run only where they are in {other}"),
        None => {
            format!("{count} steps do not fit the length of the run, {length}: the unit of the abscissa is unknown")
        }
    };
    sink.warn("step_unit", message, Locator::path(curve.interval.as_str()));
    other.map(str::to_owned)
}
