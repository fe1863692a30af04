//! Which reading of which task a value would be: by the laboratory's mapping, or by what the specification's item
//! says itself. What is not clear is an open question; nothing is converted but by a declared factor.

use std::collections::BTreeSet;

use diesel::prelude::*;
use rust_decimal::Decimal;
use serde::Serialize;
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
    pub unit: Option<String>,
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
    for (seen, position) in found.iter().zip(1_i64..) {
        let times = factor_of(&source, input, seen).map_err(|why| format!("{name}：{why}"))?;
        readings.push(
            reading(name, position, seen, times, &source, mapping.clone()).map_err(|why| format!("{name}：{why}"))?,
        );
    }
    Ok(readings)
}

/// What a value is multiplied by: the declared dilution and, where the unit is another, its declared factor.
fn factor_of(source: &InputSource, input: &ReadingInput, seen: &ObservationRow) -> Result<Option<Decimal>, String> {
    let dilution = source.dilution.as_deref().map(|text| factor(text).ok_or("dilution")).transpose()?;
    let found = seen.unit.as_deref().map(str::trim).filter(|unit| !unit.is_empty());
    let numeric = seen.status != ObservationStatus::Text;
    let unit = match (&source.unit, found) {
        (Some(_), _) if !numeric => None,
        (Some(wanted), None) => {
            return Err(format!("文件未写单位，应为 {wanted} / the file gives no unit, expected {wanted}"));
        }
        (Some(wanted), Some(found)) if !same_unit(wanted, found) => {
            let declared = source.units.iter().find(|(unit, _)| same_unit(unit, found));
            let Some((_, text)) = declared else {
                return Err(format!(
                    "单位为 {found}，应为 {wanted}，未规定换算 / the unit is {found}, expected {wanted}; no factor is declared"
                ));
            };
            Some(factor(text).ok_or("units")?)
        }
        // Nothing was declared: two units that are both well known and differ are not taken for one another.
        (None, Some(found)) if numeric && known(found) && known(&input.unit) && !same_unit(found, &input.unit) => {
            return Err(format!(
                "单位为 {found}，项目的读数以 {} 计 / the unit is {found}, the item's reading is in {}",
                input.unit, input.unit
            ));
        }
        _ => None,
    };
    match (dilution, unit) {
        (None, other) | (other, None) => Ok(other),
        (Some(a), Some(b)) => a.checked_mul(b).map(Some).ok_or_else(|| "factor".to_owned()),
    }
}

/// A unit in one spelling: `μg/ml`, `ug/mL` and `µg/mL` are one.
fn plain_unit(unit: &str) -> String {
    let mut text: String = unit.chars().filter(|c| !c.is_whitespace() && !matches!(c, '[' | ']')).collect();
    text = text.replace(['μ', 'µ'], "u").replace("％", "%").replace("iU", "IU").replace("mcg", "ug");
    let parts: Vec<String> = text
        .split('/')
        .map(|part| match part {
            "l" | "ml" | "ul" | "nl" | "dl" => format!("{}L", part.trim_end_matches('l')),
            other => other.to_owned(),
        })
        .collect();
    parts.join("/")
}

fn same_unit(a: &str, b: &str) -> bool {
    plain_unit(a) == plain_unit(b)
}

fn known(unit: &str) -> bool {
    const KNOWN: [&str; 26] = [
        "kg", "g", "mg", "ug", "ng", "L", "mL", "uL", "g/L", "mg/L", "ug/L", "g/mL", "mg/mL", "ug/mL", "ng/mL",
        "mol/L", "mmol/L", "umol/L", "mg/g", "ug/g", "mg/kg", "%", "min", "s", "IU/mL", "nm",
    ];
    KNOWN.contains(&plain_unit(unit).as_str())
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
    times: Option<Decimal>,
    source: &InputSource,
    mapping: Option<String>,
) -> Result<ProposedReading, String> {
    let scaled = |text: &str| -> Result<String, String> {
        let Some(times) = times else { return Ok(text.to_owned()) };
        let value: Decimal =
            text.parse().map_err(|_| format!("“{text}”超过 28 位数字 / {text} has too many digits"))?;
        let product = value.checked_mul(times).ok_or_else(|| format!("{text} × {times}"))?;
        Ok(product.to_string())
    };
    // Where the instrument says "not found" in its own way (`-`, `0,00`), the reading says so in ours; the
    // observation keeps the text as written. A value that was multiplied says by what.
    let (status, number) = seen.counted();
    let raw = match (status, &seen.bound) {
        (ObservationStatus::NotDetected, _) => "未检出".to_owned(),
        (ObservationStatus::Below, Some(bound)) => format!("<{}", scaled(bound)?),
        (ObservationStatus::Above, Some(bound)) => format!(">{}", scaled(bound)?),
        (ObservationStatus::Ok, _) => match times {
            Some(times) => format!("{} ×{times}", seen.raw),
            None => seen.raw.clone(),
        },
        _ => seen.raw.clone(),
    };
    let value = match number.filter(|_| status == ObservationStatus::Ok) {
        Some(text) => Some(scaled(text)?),
        None => None,
    };
    Ok(ProposedReading {
        name: name.to_owned(),
        position,
        raw,
        value,
        unit: source.unit.clone().or_else(|| seen.unit.clone()),
        observation_id: seen.id.clone(),
        mapping,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_unit_has_many_spellings_and_two_units_stay_two() {
        for (a, b) in [("μg/ml", "ug/mL"), ("[iU]/mL", "IU/ml"), ("mg / L", "mg/l"), ("％", "%")] {
            assert!(same_unit(a, b), "{a} {b}");
        }
        for (a, b) in [("mg", "g"), ("mg/mL", "ug/mL"), ("%", "mg/g")] {
            assert!(!same_unit(a, b) && known(a) && known(b), "{a} {b}");
        }
        assert!(!known("mAU*s") && !known(""));
    }
}
