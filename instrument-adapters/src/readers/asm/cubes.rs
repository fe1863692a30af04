//! Data cubes: lists of abscissas (dimensions) and ordinates (measures) of one length.

use serde_json::{Map, Value};

use super::Settings;
use crate::model::{Locator, Severity, Status};
use crate::readers::json_tree::simple;
use crate::sink::{Sink, slug};
use crate::tabular::{self, Base};

/// A list of a cube with what the structure says of it.
struct Axis<'v> {
    concept: String,
    unit: Option<&'v str>,
    list: &'v [Value],
}

pub(super) fn read(
    settings: &Settings,
    sink: &mut Sink,
    key: &str,
    node: &Map<String, Value>,
    path: &str,
    base: &Base,
) {
    let axes = |part: &str| -> Option<Vec<Axis<'_>>> {
        let structure = node.get("cube-structure")?.get(part)?.as_array()?;
        let data = node.get("data")?.get(part)?.as_array()?;
        if structure.len() != data.len() {
            return None;
        }
        structure
            .iter()
            .zip(data)
            .map(|(is, list)| {
                let concept = is.get("concept").and_then(Value::as_str).unwrap_or_default().to_owned();
                Some(Axis { concept, unit: is.get("unit").and_then(Value::as_str), list: list.as_array()? })
            })
            .collect()
    };
    let at = Locator::path(path);
    let (Some(dimensions), Some(measures)) = (axes("dimensions"), axes("measures")) else {
        sink.problem("cube_unread", Severity::Error, format!("{key}: structure and data do not fit"), at);
        return;
    };
    let Some((x, others)) = dimensions.split_first() else {
        sink.problem("cube_unread", Severity::Error, format!("{key} has no dimension"), at);
        return;
    };
    if let Some(short) = others.iter().chain(&measures).find(|axis| axis.list.len() != x.list.len()) {
        let message =
            format!("{key}: {} values of {}, {} of {}", x.list.len(), x.concept, short.list.len(), short.concept);
        sink.fault("curve_lengths", message, at);
        return;
    }
    if !sink.curves {
        return;
    }
    let mut base = base.clone();
    base.context.retain(|name, _| settings.curve_context.contains(name));
    base.context.insert("curve".into(), slug(key.trim_end_matches(" data cube")));
    if let Some(label) = node.get("label").and_then(simple).filter(|l| !l.is_empty()) {
        base.context.insert("label".into(), label);
    }
    let x_unit = x.unit.and_then(|u| tabular::unit_of(sink.spec, u).0);
    for (number, measure) in measures.iter().enumerate() {
        let mut base = base.clone();
        base.context.insert("concept".into(), measure.concept.clone());
        let unitless = measure.unit.filter(|u| settings.unitless.iter().any(|none| none == u));
        let unit = match measure.unit.filter(|_| unitless.is_none()) {
            Some(unit) => tabular::unit_of(sink.spec, unit),
            None => (None, unitless.map(str::to_owned)),
        };
        for (index, (x, y)) in x.list.iter().zip(measure.list).enumerate() {
            let at = Locator::path(format!("{path}.data.measures[{number}][{index}]"));
            if !sink.spend(1, at.clone()) {
                return;
            }
            // Holes in a curve are nulls.
            let Some(raw) = simple(y) else { continue };
            let mut point = tabular::observation(&base, "signal", &raw, at.clone());
            for other in others {
                if let Some(text) = other.list.get(index).and_then(simple) {
                    point.context.insert(slug(&other.concept), text);
                }
            }
            point.value = sink.number(&raw, &at).map(|n| n.value);
            point.x = simple(x).and_then(|x| sink.number(&x, &at)).map(|n| n.value);
            point.x_unit.clone_from(&x_unit);
            (point.unit, point.unit_raw) = unit.clone();
            if point.value.is_none() || point.x.is_none() {
                point.status = Status::Invalid;
                sink.warn_once("curve_point", format!("a point of {key} is no number"), at);
            }
            sink.point(point);
        }
    }
}
