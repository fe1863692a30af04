//! The pictures of an instrument file: its chromatograms and plates, drawn from the file itself, which is read
//! anew with its curves each time: imports do not keep the points.

use std::collections::BTreeMap;
use std::fmt::Write;

use instrument_adapters::{Observation, Options, Parsed, Status};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Serialize;
use utoipa::ToSchema;

use crate::action::Services;
use crate::documents::plot::{self, Chromatogram, DrawnWell, Peak, Plate, Trace, coordinate, with_unit};
use crate::instruments::reception::{file_of, options_of, read};
use crate::instruments::refusals::InstrumentRefusal;
use crate::store::Outcome;
use crate::store::columns::InstrumentFileId;
use crate::store::rows::InstrumentFileRow;
use crate::store::views::Reader;

/// The most pictures of one file.
const MOST: usize = 500;

/// A picture of a file.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Figure {
    /// Its name below `…/plots/`, without the ending: `chromatogram-1`
    pub name: String,
    /// `chromatogram` or `plate`
    pub kind: String,
    /// What it shows, as the file names it
    pub title: String,
    /// The sample as the file names it
    pub sample: Option<String>,
    /// The injection as the file names it
    pub injection: Option<String>,
    /// The signals of a chromatogram, the quantity of a plate
    pub signals: Vec<String>,
    #[serde(skip)]
    drawing: Drawing,
}

#[derive(Clone, Debug, PartialEq)]
enum Drawing {
    Chromatogram(Chromatogram),
    Plate(Plate),
}

impl Figure {
    /// The picture as SVG.
    #[must_use]
    pub fn svg(&self) -> String {
        match &self.drawing {
            Drawing::Chromatogram(data) => plot::chromatogram(data),
            Drawing::Plate(data) => plot::plate(data),
        }
    }
}

/// The pictures of a file.
///
/// # Errors
/// Where the reader's institute has no such file, or no adapter reads it.
pub fn figures(services: &Services, reader: &Reader, id: &InstrumentFileId) -> Outcome<Vec<Figure>> {
    let file = services.db.read(|conn| file_of(conn, reader.staff()?, id))?;
    Ok(figures_of(&whole(services, &file)?))
}

/// One picture of a file as SVG, by its name.
///
/// # Errors
/// As [`figures`], and where the file has no such picture.
pub fn figure(services: &Services, reader: &Reader, id: &InstrumentFileId, name: &str) -> Outcome<String> {
    let name = name.strip_suffix(".svg").unwrap_or(name);
    let found = figures(services, reader, id)?.into_iter().find(|figure| figure.name == name);
    found.map(|figure| figure.svg()).ok_or_else(|| InstrumentRefusal::NoFigure(name.to_owned()).into())
}

/// The file as it was taken in, read with its curves.
///
/// # Errors
/// Where its content is gone, or no adapter reads it any more.
pub(crate) fn whole(services: &Services, file: &InstrumentFileRow) -> Outcome<Parsed> {
    let bytes = services.files.get(&file.sha256)?;
    let options = Options { curves: true, ..options_of(services, file)? };
    let explained = read(services, &file.name, &bytes, file.adapter.as_deref(), &options)
        .map_err(|error| InstrumentRefusal::NotReadAgain(error.to_string()))?;
    Ok(explained.parsed)
}

/// The pictures that a reading gives, in the order of the file. Pure.
#[must_use]
pub fn figures_of(parsed: &Parsed) -> Vec<Figure> {
    let mut figures = chromatograms(&parsed.observations);
    figures.extend(plates(&parsed.observations));
    figures.truncate(MOST);
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for figure in &mut figures {
        let number = count.entry(figure.kind.clone()).or_default();
        *number += 1;
        figure.name = format!("{}-{number}", figure.kind);
    }
    figures
}

/// What of the context tells one curve of an injection from another; the rest may change from point to point.
const OF_A_CURVE: [&str; 9] =
    ["signal", "channel", "detector", "wavelength", "wavelength_number", "plate", "well", "trace", "curve"];
/// What tells one reading of a plate from another.
const OF_A_PLATE: [&str; 14] = [
    "plate",
    "data",
    "read_mode",
    "read_type",
    "wavelength",
    "wavelength_number",
    "channel",
    "filter",
    "target",
    "dye",
    "cycle",
    "read",
    "measurement",
    "step",
];
/// Where a file says what is in a well.
const OF_A_ROLE: [&str; 6] = ["role", "sample_role", "well_role", "sample_type", "well_type", "group"];

type Key<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>, Option<&'a str>);

fn chart_of(seen: &Observation) -> Key<'_> {
    (seen.sample.as_deref(), seen.injection.as_deref(), seen.unit.as_deref(), seen.x_unit.as_deref())
}

fn parts<'a>(seen: &'a Observation, keys: &[&str]) -> Vec<&'a str> {
    keys.iter().filter_map(|key| seen.context.get(*key)).map(String::as_str).collect()
}

/// Points that follow each other, gathered by injection and unit, then by curve.
fn chromatograms(observations: &[Observation]) -> Vec<Figure> {
    let mut charts: Vec<(Key<'_>, Vec<(Vec<&str>, Vec<&Observation>)>)> = Vec::new();
    for seen in observations.iter().filter(|seen| seen.x.is_some() && seen.quantity == "signal") {
        let (key, mut curve) = (chart_of(seen), parts(seen, &OF_A_CURVE));
        curve.extend(seen.analyte.as_deref());
        // Files give curves one after the other: the last chart and the last curve are nearly always the ones.
        let chart = match charts.iter().rposition(|(known, _)| *known == key) {
            Some(at) => at,
            None if charts.len() >= MOST => continue,
            None => {
                charts.push((key, Vec::new()));
                charts.len() - 1
            }
        };
        let Some((_, curves)) = charts.get_mut(chart) else { continue };
        match curves.iter_mut().rev().find(|(known, _)| *known == curve) {
            Some((_, points)) => points.push(seen),
            None => curves.push((curve, vec![seen])),
        }
    }
    charts.iter().filter_map(|(key, curves)| chromatogram(key, curves, observations)).collect()
}

fn chromatogram(
    key: &Key<'_>,
    curves: &[(Vec<&str>, Vec<&Observation>)],
    observations: &[Observation],
) -> Option<Figure> {
    let first = *curves.first()?.1.first()?;
    let traces: Vec<Trace> = curves
        .iter()
        .map(|(name, points)| Trace {
            name: name.join(" "),
            points: points.iter().filter_map(|seen| point(seen)).collect(),
        })
        .collect();
    let peaks = peaks(key, curves, observations);
    let run = first.context.get("injection_number").map(String::as_str).or(key.1);
    let title: Vec<String> = key
        .0
        .map(str::to_owned)
        .into_iter()
        .chain(run.map(|run| format!("进样 {run}")))
        .chain((traces.len() == 1).then(|| traces.first().map(|one| one.name.clone())).flatten())
        .filter(|part| !part.is_empty())
        .collect();
    let title = if title.is_empty() { "曲线 Curve".to_owned() } else { title.join(" · ") };
    let signals: Vec<String> = traces.iter().map(|trace| trace.name.clone()).collect();
    let count: usize = traces.iter().map(|trace| trace.points.len()).sum();
    let mut desc = format!("{} 条曲线，{count} 个点。{} curves, {count} points.", traces.len(), traces.len());
    for peak in &peaks {
        let _ = write!(desc, " {} {};", peak.name, peak.text);
    }
    let drawing = Drawing::Chromatogram(Chromatogram {
        title: title.clone(),
        desc,
        x_label: with_unit(abscissa(key.3), key.3),
        y_label: with_unit("信号 Signal", key.2),
        traces,
        peaks,
    });
    Some(Figure {
        name: String::new(),
        kind: "chromatogram".into(),
        title,
        sample: first.sample.clone(),
        injection: first.injection.clone(),
        signals,
        drawing,
    })
}

/// What an abscissa is, as far as its unit says it.
fn abscissa(unit: Option<&str>) -> &'static str {
    match unit {
        Some("min" | "s" | "h" | "ms") => "时间 Time",
        Some("nm") => "波长 Wavelength",
        Some("1/cm" | "cm-1") => "波数 Wavenumber",
        _ => "横坐标 x",
    }
}

/// Place of a point; one without a number lifts the pen.
fn point(seen: &Observation) -> Option<(f64, f64)> {
    let x = seen.x.as_deref().and_then(coordinate)?;
    Some((x, seen.value.as_deref().and_then(coordinate).unwrap_or(f64::NAN)))
}

fn peaks(key: &Key<'_>, curves: &[(Vec<&str>, Vec<&Observation>)], observations: &[Observation]) -> Vec<Peak> {
    let of_run = |seen: &&Observation| {
        seen.quantity == "retention_time"
            && seen.x.is_none()
            && seen.sample.as_deref() == key.0
            && seen.injection.as_deref() == key.1
    };
    observations
        .iter()
        .filter(of_run)
        .filter_map(|seen| {
            let signal = seen.context.get("signal");
            let own = |curve: &(Vec<&str>, Vec<&Observation>)| {
                curve.1.first().is_some_and(|first| first.context.get("signal") == signal)
            };
            let trace = curves.iter().position(own).or_else(|| (curves.len() == 1).then_some(0))?;
            // Minutes on an axis of seconds: for the place in the picture only.
            let scale = match (seen.unit.as_deref(), key.3) {
                (Some("min"), Some("s")) => 60.0,
                (Some("s"), Some("min")) => 1.0 / 60.0,
                (a, b) if a == b || a.is_none() => 1.0,
                _ => return None,
            };
            let at = seen.value.as_deref().and_then(coordinate)? * scale;
            Some(Peak { name: seen.analyte.clone().unwrap_or_default(), at, text: brief(seen), trace })
        })
        .collect()
}

/// A time as written; one with more digits than a label can hold is rounded and says so.
fn brief(seen: &Observation) -> String {
    let written = seen.raw.trim();
    let value = seen.value.as_deref().and_then(|text| text.parse::<Decimal>().ok());
    match value {
        Some(value) if written.chars().count() > 8 => {
            format!("≈{}", value.round_dp_with_strategy(3, RoundingStrategy::MidpointNearestEven))
        }
        _ => written.to_owned(),
    }
}

/// Values with a well, gathered by what was read. A well that is read again under the same words opens a further
/// plate: nothing is hidden behind another value.
fn plates(observations: &[Observation]) -> Vec<Figure> {
    type Key<'a> = (&'a str, Option<&'a str>, Option<&'a str>, Vec<&'a str>);
    let mut groups: Vec<(&str, Vec<&Observation>)> = Vec::new();
    // How often each well was seen under its words, and the plates that these opened.
    let mut often: BTreeMap<(Key<'_>, (usize, usize)), usize> = BTreeMap::new();
    let mut opened: BTreeMap<(Key<'_>, usize), usize> = BTreeMap::new();
    for seen in observations.iter().filter(|seen| seen.x.is_none() && seen.status != Status::Text) {
        let Some(place) = seen.context.get("well").and_then(|well| plot::well_at(well)) else { continue };
        let key = || (seen.quantity.as_str(), seen.analyte.as_deref(), seen.unit.as_deref(), parts(seen, &OF_A_PLATE));
        let nth = often.entry((key(), place)).or_default();
        let at = *opened.entry((key(), *nth)).or_insert(groups.len());
        *nth += 1;
        if at == groups.len() {
            groups.push((&seen.quantity, Vec::new()));
        }
        if let Some((_, wells)) = groups.get_mut(at) {
            wells.push(seen);
        }
    }
    groups.iter().filter(|(_, wells)| wells.len() > 1).map(|(quantity, wells)| plate(quantity, wells)).collect()
}

/// A quantity in Chinese with the adapter's own word, where we have one.
fn worded(quantity: &str) -> String {
    let zh = match quantity {
        "absorbance" => "吸光度",
        "reduced_absorbance" => "处理后吸光度",
        "fluorescence" => "荧光强度",
        "luminescence" => "发光强度",
        "concentration" => "浓度",
        "mean_concentration" => "平均浓度",
        "nominal_concentration" => "标示浓度",
        "response" => "响应值",
        "ct" | "cq" => "循环阈值",
        _ => return quantity.to_owned(),
    };
    format!("{zh} {quantity}")
}

fn plate(quantity: &str, seen: &[&Observation]) -> Figure {
    let first = seen.first();
    let words = first.map(|one| parts(one, &OF_A_PLATE)).unwrap_or_default();
    let analyte = first.and_then(|one| one.analyte.as_deref());
    let title: Vec<&str> = analyte.into_iter().chain([quantity]).chain(words).collect();
    let title = title.join(" · ");
    let unit = first.and_then(|one| one.unit.as_deref());
    let legend = with_unit(&worded(quantity), unit);
    let wells = seen
        .iter()
        .map(|one| DrawnWell {
            well: one.context.get("well").cloned().unwrap_or_default(),
            value: one.value.as_deref().filter(|_| one.status == Status::Ok).and_then(coordinate),
            text: one.raw.clone(),
            role: parts(one, &OF_A_ROLE).first().map(|role| (*role).to_owned()).unwrap_or_default(),
        })
        .collect();
    let desc = format!("{} 个孔的 {legend}。{} wells.", seen.len(), seen.len());
    let drawing = Drawing::Plate(Plate { title: title.clone(), desc, rows: 8, columns: 12, wells, legend });
    Figure {
        name: String::new(),
        kind: "plate".into(),
        title,
        sample: None,
        injection: None,
        signals: vec![quantity.to_owned()],
        drawing,
    }
}

#[cfg(test)]
mod tests {
    use instrument_adapters::Locator;

    use super::*;

    fn seen(quantity: &str, raw: &str, unit: Option<&str>, context: &[(&str, &str)]) -> Observation {
        Observation {
            sample: Some("S1".into()),
            analyte: None,
            quantity: quantity.into(),
            raw: raw.into(),
            value: coordinate(raw).map(|_| raw.to_owned()),
            unit: unit.map(str::to_owned),
            status: if coordinate(raw).is_some() { Status::Ok } else { Status::Invalid },
            flags: Vec::new(),
            locator: Locator::line(1),
            injection: Some("1".into()),
            acquired_at: None,
            x: None,
            x_unit: None,
            bound: None,
            unit_raw: None,
            readings: Vec::new(),
            context: context
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect::<BTreeMap<_, _>>()
                .into(),
        }
    }

    fn read_of(observations: Vec<Observation>) -> Vec<Figure> {
        figures_of(&Parsed {
            adapter: "a".into(),
            file_sha256: String::new(),
            run: serde_json::Map::default(),
            observations,
            problems: Vec::new(),
            complete: None,
        })
    }

    #[test]
    fn curves_of_one_injection_share_a_chart_and_carry_their_peaks() {
        let mut all = Vec::new();
        for signal in ["UV1", "UV2"] {
            for n in 0..50 {
                let temperature = n.to_string();
                let context = [("signal", signal), ("temperature", temperature.as_str())];
                let mut point = seen("signal", &format!("{n}.5"), Some("mAU"), &context);
                (point.x, point.x_unit) = (Some(format!("{n}")), Some("s".into()));
                all.push(point);
            }
        }
        let mut peak = seen("retention_time", "0.50000000001", Some("min"), &[("signal", "UV2")]);
        peak.analyte = Some("B".into());
        all.push(peak);
        let figures = read_of(all);
        let [one] = &figures[..] else { panic!("{figures:?}") };
        assert_eq!((one.name.as_str(), one.signals.len()), ("chromatogram-1", 2));
        let Drawing::Chromatogram(data) = &one.drawing else { panic!("{one:?}") };
        assert_eq!(data.peaks, [Peak { name: "B".into(), at: 30.0000000006, text: "≈0.500".into(), trace: 1 }]);
        assert_eq!((data.x_label.as_str(), data.y_label.as_str()), ("时间 Time (s)", "信号 Signal (mAU)"));
        assert!(one.svg().contains("B ≈0.500"));
    }

    #[test]
    fn an_axis_without_a_unit_in_the_file_gets_none() {
        let mut point = seen("signal", "1", None, &[]);
        point.x = Some("1".into());
        let figures = read_of(vec![point.clone(), point]);
        let Drawing::Chromatogram(data) = &figures[0].drawing else { panic!("{figures:?}") };
        assert_eq!((data.x_label.as_str(), data.y_label.as_str()), ("横坐标 x", "信号 Signal"));
    }

    #[test]
    fn a_well_that_is_read_twice_opens_a_second_plate() {
        let well = |name: &str, raw: &str| seen("absorbance", raw, Some("AU"), &[("well", name), ("plate", "P1")]);
        let figures = read_of(vec![
            well("A1", "0.1"),
            well("A2", "OVER"),
            well("A1", "0.3"),
            well("A2", "0.4"),
            seen("absorbance", "7", None, &[("well", "A1"), ("plate", "P2")]),
        ]);
        assert_eq!(figures.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["plate-1", "plate-2"]);
        let svg = figures[0].svg();
        assert!(svg.contains(">0.1<") && svg.contains(">OVER<") && !svg.contains(">0.3<") && svg.contains("(AU)"));
    }
}
