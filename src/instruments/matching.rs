//! Which sample a value belongs to, and which reading of which task it would be.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use crate::catalogue::{InputSource, ReadingInput};
use crate::regulation::TaskState;
use crate::store::columns::{InstituteId, SampleId};
use crate::store::rows::{ObservationRow, SampleRow, TestItemRow, TestTaskRow};
use crate::store::schema::{sample, test_item, test_task};
use crate::store::{AnyConnection, Outcome};

/// Readings that a file would enter for one task.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Proposal {
    pub task_id: String,
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
    pub raw: String,
    pub value: Option<String>,
    pub unit: Option<String>,
    pub observation_id: String,
}

/// Statuses whose value may become a reading; the others are shown and left to a person.
const USABLE: [&str; 5] = ["ok", "below", "above", "not_detected", "text"];

/// Gives every observation the sample that its text names: the whole text, or the one sample number among
/// its words. Two different numbers in one text are ambiguous and match nothing.
pub(super) fn match_samples(
    conn: &mut AnyConnection,
    institute: &InstituteId,
    observations: &mut [ObservationRow],
) -> Outcome<()> {
    let words = |text: &str| -> BTreeSet<String> {
        let parts = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        parts.map(str::to_owned).chain([text.trim().to_owned()]).collect()
    };
    let texts: BTreeSet<&str> = observations.iter().filter_map(|seen| seen.sample_text.as_deref()).collect();
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    for text in &texts {
        wanted.extend(words(text));
    }
    let wanted: Vec<String> = wanted.into_iter().collect();
    let mut known: BTreeMap<String, SampleId> = BTreeMap::new();
    for part in wanted.chunks(400) {
        known.extend(super::inbox::samples_by_number(conn, institute, part)?);
    }
    let mut matched: BTreeMap<String, Option<SampleId>> = BTreeMap::new();
    for text in texts {
        let found: BTreeSet<&SampleId> = words(text).iter().filter_map(|word| known.get(word)).collect();
        let one = if found.len() == 1 { found.first().map(|id| (*id).clone()) } else { None };
        matched.insert(text.to_owned(), one);
    }
    for seen in observations.iter_mut() {
        seen.sample_id = seen.sample_text.as_ref().and_then(|text| matched.get(text).cloned().flatten());
    }
    Ok(())
}

/// What the observations would enter, task by task.
pub(super) fn proposals(conn: &mut AnyConnection, observations: &[ObservationRow]) -> Outcome<Vec<Proposal>> {
    let samples: BTreeSet<SampleId> = observations.iter().filter_map(|seen| seen.sample_id.clone()).collect();
    let samples: Vec<SampleId> = samples.into_iter().collect();
    let mut all = Vec::new();
    for part in samples.chunks(400) {
        let tasks: Vec<(TestTaskRow, TestItemRow, SampleRow)> = test_task::table
            .inner_join(test_item::table)
            .inner_join(sample::table)
            .filter(test_task::sample_id.eq_any(part))
            .filter(test_task::state.eq_any([TaskState::Waiting, TaskState::InProgress]))
            .order((sample::number, test_item::position))
            .select((TestTaskRow::as_select(), TestItemRow::as_select(), SampleRow::as_select()))
            .load(conn)?;
        for (task, item, sample) in &tasks {
            all.extend(proposal(task, item, sample, observations));
        }
    }
    Ok(all)
}

fn proposal(
    task: &TestTaskRow,
    item: &TestItemRow,
    sample: &SampleRow,
    observations: &[ObservationRow],
) -> Option<Proposal> {
    let inputs: Vec<ReadingInput> = item.inputs.read().unwrap_or_default();
    let of_sample: Vec<&ObservationRow> =
        observations.iter().filter(|seen| seen.sample_id.as_ref() == Some(&sample.id)).collect();
    let mut readings = Vec::new();
    let mut open_questions = Vec::new();
    for input in &inputs {
        let Some(source) = &input.source else { continue };
        let found = select(source, &of_sample);
        let unusable = found.iter().filter(|seen| !USABLE.contains(&seen.status.as_str())).count();
        if unusable > 0 {
            open_questions.push(format!(
                "{}：{unusable} 个值带有仪器标记，不能直接采用 / {unusable} values carry an instrument's mark",
                input.name
            ));
            continue;
        }
        let want = usize::try_from(input.count.saturating_mul(item.replicates)).unwrap_or(0);
        if input.count > 0 && found.len() > want {
            open_questions.push(format!(
                "{}：文件有 {} 个值，项目需要 {want} 个 / the file has {}, the item takes {want}",
                input.name,
                found.len(),
                found.len()
            ));
            continue;
        }
        readings.extend(found.iter().zip(1_i64..).map(|(seen, position)| reading(&input.name, position, seen)));
    }
    if readings.is_empty() && open_questions.is_empty() {
        return None;
    }
    Some(Proposal {
        task_id: task.id.to_string(),
        sample_number: sample.number.clone(),
        item_code: item.code.clone(),
        item_zh: item.name_zh.clone(),
        item_en: item.name_en.clone(),
        readings,
        open_questions,
    })
}

fn select<'a>(source: &InputSource, observations: &[&'a ObservationRow]) -> Vec<&'a ObservationRow> {
    let same = |a: &str, b: &str| a.trim().eq_ignore_ascii_case(b.trim());
    let fits = |seen: &&&ObservationRow| {
        let analyte = seen.analyte.as_deref().unwrap_or_default();
        same(&seen.quantity, &source.quantity)
            && source.analyte.as_deref().is_none_or(|wanted| same(wanted, analyte))
            && !source.except.iter().any(|left_out| same(left_out, analyte))
            && (source.context.is_empty() || {
                let told = seen.context.tree();
                source.context.iter().all(|(key, wanted)| {
                    told.get(key).and_then(|value| value.as_str()).is_some_and(|text| same(wanted, text))
                })
            })
    };
    let found: Vec<&ObservationRow> = observations.iter().filter(fits).copied().collect();
    match source.nth.and_then(|nth| usize::try_from(nth).ok()) {
        Some(nth) => found.get(nth.wrapping_sub(1)).map(|one| vec![*one]).unwrap_or_default(),
        None => found,
    }
}

fn reading(name: &str, position: i64, seen: &ObservationRow) -> ProposedReading {
    // Where the instrument says "not found" in its own way (`-`, `0,00`), the reading says so in ours; the
    // observation keeps the text as written.
    let raw = match (seen.status.as_str(), &seen.bound) {
        ("not_detected", _) => "未检出".to_owned(),
        ("below", Some(bound)) => format!("<{bound}"),
        ("above", Some(bound)) => format!(">{bound}"),
        _ => seen.raw.clone(),
    };
    ProposedReading {
        name: name.to_owned(),
        position,
        raw,
        value: seen.value.clone().filter(|_| seen.status == "ok"),
        unit: seen.unit.clone(),
        observation_id: seen.id.to_string(),
    }
}
