//! Which reading of which task a value would be: by the laboratory's mapping, or by what the specification's item
//! says itself. What is not clear is an open question. A value in another unit is converted by the laboratory's factor
//! or, where it says none, by UCUM, exactly and visibly; a unit that is not known, or that does not convert, is a
//! question that names both.

use std::collections::BTreeSet;

use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::Serialize;
use units::{Conversion, Unit};
use utoipa::ToSchema;

use crate::calculation::inputs::{InputSource, ReadingInput};
use crate::mapping::{Rule, Target, factor};
use crate::refusal::Refusal;
use crate::store::columns::{ObservationId, SampleId, TestTaskId};
use crate::store::rows::{InstrumentFileRow, InstrumentRow, ObservationRow, SampleRow, TestItemRow, TestTaskRow};
use crate::store::schema::{product, sample, specification, test_item, test_task};
use crate::store::stored::At;
use crate::store::views::context_of;
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::TaskState;
use crate::vocabulary::instruments::ObservationStatus;

/// Readings that a file would enter for one task.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Proposal {
    pub task_id: TestTaskId,
    pub sample_number: String,
    pub item_code: String,
    pub item_zh: String,
    pub item_en: String,
    pub readings: Vec<ProposedReading>,
    /// What a person has to decide before this can be entered, e.g. more values than the item asks for
    pub open_questions: Vec<String>,
}

/// One reading with the value that it comes from.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProposedReading {
    pub name: String,
    pub position: i64,
    /// As written in the file; where a factor was declared, with it: `0.4123 ×10`
    pub raw: String,
    pub value: Option<String>,
    /// The unit of the value as it would be entered
    pub unit: Option<String>,
    /// How it comes from the unit that the file gives: `0.0811 % = 811 ppm`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversion: Option<String>,
    pub observation_id: ObservationId,
    /// The mapping rule that it comes by, where it is not one of the specification's
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<String>,
}

type Joined = (TestTaskRow, TestItemRow, SampleRow, String, i64);

/// What the observations would enter, task by task.
pub(super) fn proposals(
    conn: &mut AnyConnection,
    file: &InstrumentFileRow,
    machine: Option<&InstrumentRow>,
    observations: &[ObservationRow],
    rules: &[Rule],
) -> Outcome<Vec<Proposal>> {
    let samples: BTreeSet<SampleId> = observations.iter().filter_map(|seen| seen.sample_id.clone()).collect();
    let samples: Vec<SampleId> = samples.into_iter().collect();
    let run: serde_json::Value = At::new("instrument_file", "run", file.id.as_str()).tree(&file.run)?;
    let method = ["method", "method_name", "analysis_method", "acquisition_method", "instrument_method"]
        .iter()
        .find_map(|key| run.get(*key).and_then(|value| value.as_str()));
    let of = File {
        adapter: file.adapter.as_deref().unwrap_or_default(),
        instrument: machine.map(|one| one.code.as_str()),
        method,
        rules,
    };
    let mut all = Vec::new();
    for part in samples.chunks(400) {
        let tasks: Vec<Joined> = test_task::table
            .inner_join(test_item::table.inner_join(specification::table.inner_join(product::table)))
            .inner_join(sample::table)
            .filter(test_task::sample_id.eq_any(part))
            .filter(test_task::state.eq_any([TaskState::Waiting, TaskState::InProgress]))
            .order((sample::number, test_item::position))
            .select((
                TestTaskRow::as_select(),
                TestItemRow::as_select(),
                SampleRow::as_select(),
                product::code,
                specification::version,
            ))
            .load(conn)?;
        for task in &tasks {
            all.extend(proposal(&of, task, observations)?);
        }
    }
    Ok(all)
}

/// What is known of the file as a whole.
struct File<'a> {
    adapter: &'a str,
    instrument: Option<&'a str>,
    method: Option<&'a str>,
    rules: &'a [Rule],
}

impl File<'_> {
    /// The source of an input: the laboratory's rule before the specification's own word. Two rules are a question.
    fn source(&self, task: &Joined, input: &ReadingInput) -> Result<Option<(InputSource, Option<String>)>, String> {
        let target = Target {
            product: &task.3,
            specification: task.4,
            item: &task.1.code,
            input: &input.name,
            adapter: self.adapter,
            instrument: self.instrument,
            method: self.method,
        };
        let fitting: Vec<&Rule> = self.rules.iter().filter(|rule| rule.fits(&target)).collect();
        match fitting.as_slice() {
            [] => Ok(input.source.clone().filter(|source| source.reads(self.adapter)).map(|source| (source, None))),
            [one] => Ok(Some((one.source.clone(), Some(format!("{}:{}", one.file, one.line))))),
            several => {
                let places: Vec<String> = several.iter().map(|rule| format!("{}:{}", rule.file, rule.line)).collect();
                let places = places.join(", ");
                Err(format!(
                    "{}：多条映射规则同时适用（{places}） / {}: several mapping rules fit ({places})",
                    input.name, input.name
                ))
            }
        }
    }
}

/// Why an input has no readings.
enum Without {
    /// A person has to answer a question first.
    Question(String),
    /// What is stored cannot be read.
    Unreadable(Refusal),
}

impl From<String> for Without {
    fn from(question: String) -> Self {
        Self::Question(question)
    }
}

impl From<Refusal> for Without {
    fn from(refusal: Refusal) -> Self {
        Self::Unreadable(refusal)
    }
}

fn proposal(of: &File<'_>, task: &Joined, observations: &[ObservationRow]) -> Result<Option<Proposal>, Refusal> {
    let (row, item, sample, ..) = task;
    let inputs: Vec<ReadingInput> = At::new("test_item", "inputs", item.id.as_str()).read(&item.inputs)?;
    let of_sample: Vec<&ObservationRow> =
        observations.iter().filter(|seen| seen.sample_id.as_ref() == Some(&sample.id)).collect();
    let mut readings = Vec::new();
    let mut open_questions = Vec::new();
    for input in &inputs {
        match from_source(of, task, input, &of_sample) {
            Ok(found) => readings.extend(found),
            Err(Without::Question(question)) => open_questions.push(question),
            Err(Without::Unreadable(refusal)) => return Err(refusal),
        }
    }
    if readings.is_empty() && open_questions.is_empty() {
        return Ok(None);
    }
    Ok(Some(Proposal {
        task_id: row.id.clone(),
        sample_number: sample.number.clone(),
        item_code: item.code.clone(),
        item_zh: item.name_zh.clone(),
        item_en: item.name_en.clone(),
        readings,
        open_questions,
    }))
}

/// The readings of one input, or the question that a person has to answer first.
fn from_source(
    of: &File<'_>,
    task: &Joined,
    input: &ReadingInput,
    of_sample: &[&ObservationRow],
) -> Result<Vec<ProposedReading>, Without> {
    let Some((source, mapping)) = of.source(task, input)? else { return Ok(Vec::new()) };
    let found = select(&source, of_sample)?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let name = &input.name;
    if let Some(open) = found.iter().find(|seen| seen.counted().0 == ObservationStatus::Ambiguous) {
        let readings: Vec<String> = At::new("observation", "readings", open.id.as_str()).read(&open.readings)?;
        let (raw, zh, en) = (&open.raw, readings.join(" 或 "), readings.join(" or "));
        return Err(format!("{name}：“{raw}”可读作 {zh}，须由人员认定 / {raw} is {en}: a person says which").into());
    }
    let unusable = found.iter().filter(|seen| !ObservationStatus::USABLE.contains(&seen.counted().0)).count();
    if unusable > 0 {
        return Err(format!(
            "{name}：{unusable} 个值带有仪器标记，不能直接采用 / {unusable} values carry an instrument's mark"
        )
        .into());
    }
    let count = found.len();
    let want = usize::try_from(input.count.saturating_mul(task.1.replicates)).unwrap_or(0);
    match source.replicates.and_then(|n| usize::try_from(n).ok()) {
        Some(declared) if count != declared => {
            return Err(format!(
                "{name}：文件有 {count} 个值，映射规定 {declared} 个 / the file has {count}, the mapping says {declared}"
            )
            .into());
        }
        None if input.count > 0 && count > want => {
            return Err(format!(
                "{name}：文件有 {count} 个值，项目需要 {want} 个 / the file has {count}, the item takes {want}"
            )
            .into());
        }
        _ => {}
    }
    let mut readings = Vec::with_capacity(count);
    // A reading without a unit of its own that is the result is in the result's.
    let own = if input.unit.trim().is_empty() && task.1.formula.is_none() { &task.1.unit } else { &input.unit };
    for (seen, position) in found.iter().zip(1_i64..) {
        let numeric = seen.status != ObservationStatus::Text;
        let change = change(&source, own, seen.unit.as_deref(), numeric).map_err(|why| format!("{name}：{why}"))?;
        readings.push(reading(name, position, seen, &change, mapping.clone()).map_err(|why| format!("{name}：{why}"))?);
    }
    Ok(readings)
}

/// What happens to a value on its way from the file to the reading.
#[derive(Default)]
struct Change {
    /// It is multiplied: by the declared dilution, and by the declared factor of another unit.
    times: Option<Decimal>,
    /// It is converted from the unit that the file gives.
    conversion: Option<(Conversion, String)>,
    /// The unit that it ends in.
    unit: Option<String>,
}

/// What happens to a value: the declared dilution and, where the unit is another, its declared factor or UCUM's.
/// `own` is the unit of the item's reading, `found` that of the file.
fn change(source: &InputSource, own: &str, found: Option<&str>, numeric: bool) -> Result<Change, String> {
    let dilution = source.dilution.as_deref().map(|text| factor(text).ok_or("dilution")).transpose()?;
    let found = found.map(str::trim).filter(|unit| !unit.is_empty());
    let own = Some(own.trim()).filter(|unit| !unit.is_empty());
    // Where nothing is converted, the reading keeps the unit as the file spells it.
    let kept = source.unit.as_deref().or(found).map(str::to_owned);
    let as_it_is = |times| Change { times, conversion: None, unit: kept.clone() };
    let Some(found) = found.filter(|_| numeric) else {
        return match source.unit.as_deref().filter(|_| numeric) {
            Some(wanted) => Err(format!("文件未写单位，应为 {wanted} / the file gives no unit, expected {wanted}")),
            None => Ok(as_it_is(dilution)),
        };
    };
    // What the mapping says that the file must give is asked for; its own factors lead there, and from there on it is
    // UCUM's.
    let (from, times) = match source.unit.as_deref() {
        None => (found, dilution),
        Some(wanted) if units::same(wanted, found) => (found, dilution),
        Some(wanted) => {
            let declared = source.units.iter().find(|(unit, _)| units::same(unit, found));
            let Some((_, text)) = declared else {
                return Err(format!(
                    "单位为 {found}，应为 {wanted}，未规定换算 / the unit is {found}, expected {wanted}; no factor is declared"
                ));
            };
            let factor = factor(text).ok_or("units")?;
            (wanted, Some(dilution.unwrap_or(Decimal::ONE).checked_mul(factor).ok_or("factor")?))
        }
    };
    let Some(to) = own.or(source.unit.as_deref()) else { return Ok(as_it_is(times)) };
    if units::same(from, to) {
        return Ok(as_it_is(times));
    }
    let conversion = Unit::read(from).and_then(|unit| unit.to(&Unit::read(to)?)).map_err(|why| {
        let why = why.to_string();
        let (zh, en) = why.split_once(" / ").unwrap_or((&why, &why));
        format!("文件的单位为 {found}，项目的读数以 {to} 计：{zh} / the file is in {found}, the item's reading in {to}: {en}")
    })?;
    Ok(Change { times, conversion: Some((conversion, from.to_owned())), unit: Some(to.to_owned()) })
}

fn select<'a>(source: &InputSource, observations: &[&'a ObservationRow]) -> Result<Vec<&'a ObservationRow>, Refusal> {
    let same = |a: &str, b: &str| a.trim().eq_ignore_ascii_case(b.trim());
    let named = |wanted: &str, found: &str| {
        same(wanted, found)
            || source.aliases.iter().any(|alias| alias.trim().to_lowercase() == found.trim().to_lowercase())
    };
    let fits = |seen: &ObservationRow| {
        let analyte = seen.analyte.as_deref().unwrap_or_default();
        same(&seen.quantity, &source.quantity)
            && source.analyte.as_deref().is_none_or(|wanted| named(wanted, analyte))
            && !source.except.iter().any(|left_out| same(left_out, analyte))
    };
    let in_context = |seen: &ObservationRow| -> Result<bool, Refusal> {
        if source.context.is_empty() {
            return Ok(true);
        }
        let told = context_of(seen)?;
        Ok(source.context.iter().all(|(key, wanted)| told.get(key).is_some_and(|text| same(wanted, text))))
    };
    let mut found: Vec<&ObservationRow> = Vec::new();
    for seen in observations.iter().copied().filter(|seen| fits(seen)) {
        if in_context(seen)? {
            found.push(seen);
        }
    }
    Ok(match source.nth.and_then(|nth| usize::try_from(nth).ok()) {
        Some(nth) => found.get(nth.wrapping_sub(1)).map(|one| vec![*one]).unwrap_or_default(),
        None => found,
    })
}

fn reading(
    name: &str,
    position: i64,
    seen: &ObservationRow,
    change: &Change,
    mapping: Option<String>,
) -> Result<ProposedReading, String> {
    let factor = change.conversion.as_ref().and_then(|(conversion, _)| conversion.factor());
    let times = match (change.times, factor) {
        (None, other) | (other, None) => other,
        (Some(a), Some(b)) => a.checked_mul(b).map(|both| both.normalize()),
    };
    // Where the instrument says "not found" in its own way (`-`, `0,00`), the reading says so in ours; the
    // observation keeps the text as written. A value that was multiplied says by what.
    let (status, number) = seen.counted();
    let (raw, counted) = match (status, &seen.bound) {
        (ObservationStatus::NotDetected, _) => ("未检出".to_owned(), None),
        (ObservationStatus::Below, Some(bound)) => (format!("<{}", change.of(bound)?), Some(("<", bound.as_str()))),
        (ObservationStatus::Above, Some(bound)) => (format!(">{}", change.of(bound)?), Some((">", bound.as_str()))),
        (ObservationStatus::Ok, _) => match times {
            Some(times) => (format!("{} ×{}", seen.raw, times), number.map(|value| ("", value))),
            None => (seen.raw.clone(), number.map(|value| ("", value))),
        },
        _ => (seen.raw.clone(), None),
    };
    let value = match number.filter(|_| status == ObservationStatus::Ok) {
        Some(text) => Some(change.of(text)?),
        None => None,
    };
    let conversion = counted.map(|(sign, text)| change.shown(sign, text)).transpose()?.flatten();
    Ok(ProposedReading {
        name: name.to_owned(),
        position,
        raw,
        value,
        unit: change.unit.clone(),
        conversion,
        observation_id: seen.id.clone(),
        mapping,
    })
}

impl Change {
    /// A number of the file as it would be entered: what nothing happens to stays as it is written.
    fn of(&self, text: &str) -> Result<String, String> {
        if self.times.is_none() && self.conversion.is_none() {
            return Ok(text.to_owned());
        }
        let (found, _) = self.changed(text)?;
        Ok(found.to_string())
    }

    fn changed(&self, text: &str) -> Result<(Decimal, bool), String> {
        let value: Decimal =
            text.parse().map_err(|_| format!("“{text}”超过 28 位数字 / {text} has too many digits"))?;
        let product = match self.times {
            Some(times) => value.checked_mul(times).ok_or_else(|| format!("{text} × {times}"))?,
            None => value,
        };
        match &self.conversion {
            Some((conversion, _)) => {
                let found = conversion.of(product).map_err(|why| why.to_string())?;
                Ok((found.value, found.exact))
            }
            None => Ok((product, true)),
        }
    }

    /// A conversion as a person reads it; none where nothing was converted.
    fn shown(&self, sign: &str, text: &str) -> Result<Option<String>, String> {
        let Some((_, from)) = &self.conversion else { return Ok(None) };
        let (found, exact) = self.changed(text)?;
        let dilution = self.times.map(|times| format!(" ×{times}")).unwrap_or_default();
        let equals = if exact { "=" } else { "≈" };
        let to = self.unit.as_deref().unwrap_or_default();
        Ok(Some(format!("{sign}{text}{dilution} {from} {equals} {sign}{found} {to}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(source: &InputSource, own: &str, found: &str, value: &str) -> Result<(String, Option<String>), String> {
        let change = change(source, own, Some(found), true)?;
        Ok((change.of(value)?, change.shown("", value)?))
    }

    #[test]
    fn a_value_in_another_unit_is_converted_visibly_or_asked_about() {
        let plain = InputSource::default();
        let same = |text: &str| Ok((text.to_owned(), None));
        let shown = |value: &str, how: &str| Ok((value.to_owned(), Some(how.to_owned())));
        assert_eq!(told(&plain, "%", "％", "0.0811"), same("0.0811"));
        assert_eq!(told(&plain, "quack", "quack", "5"), same("5"));
        assert_eq!(told(&plain, "", "quack", "5"), same("5"));
        assert_eq!(told(&plain, "ppm", "%", "0.0811"), shown("811", "0.0811 % = 811 ppm"));
        assert_eq!(told(&plain, "mg/mL", "μg/ml", "412.3"), shown("0.4123", "412.3 μg/ml = 0.4123 mg/mL"));
        assert_eq!(told(&plain, "℃", "K", "300"), shown("26.85", "300 K = 26.85 ℃"));
        let diluted = InputSource { dilution: Some("10".into()), ..InputSource::default() };
        assert_eq!(told(&diluted, "ppm", "%", "0.01"), shown("1000", "0.01 ×10 % = 1000 ppm"));
        for (own, found) in
            [("ppm", "quack"), ("quack", "%"), ("mg/L", "mmol/L"), ("%", "mg/g"), ("mg", "mL"), ("cfu/g", "cfu/mL")]
        {
            let question = told(&plain, own, found, "1").expect_err("a question");
            assert!(question.matches(own).count() >= 2 && question.matches(found).count() >= 2, "{question}");
            let (zh, en) = question.split_once(" / ").expect("two languages");
            assert!(zh.contains("单位") && en.contains("the item's reading"), "{question}");
        }
    }

    #[test]
    fn the_laboratorys_factor_comes_before_any_other() {
        let units = std::collections::BTreeMap::from([("mmol/L".to_owned(), "0.18016".to_owned())]);
        let glucose = InputSource { unit: Some("g/L".into()), units, ..InputSource::default() };
        assert_eq!(told(&glucose, "", "mmol/L", "5"), Ok(("0.90080".to_owned(), None)));
        let thousandth = told(&glucose, "mg/L", "mmol/L", "5");
        assert_eq!(
            thousandth,
            Ok(("900.8".to_owned(), Some("5 ×0.18016 g/L = 900.8 mg/L".to_owned()))),
            "the item's unit"
        );
        assert!(told(&glucose, "quack", "mmol/L", "5").is_err(), "the mapping's unit is not the item's");
        assert!(change(&glucose, "", None, true).is_err(), "the file says no unit");
        assert!(change(&glucose, "", Some("mol"), true).is_err());
        assert!(change(&glucose, "", None, false).is_ok(), "a text has none");
    }
}
