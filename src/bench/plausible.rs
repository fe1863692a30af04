//! What a value can be: outside, a person is asked, and the answer is recorded; the impossible complies with nothing.

use super::calculate::Calculation;
use super::outside::Outside;
use super::refusals::BenchRefusal;
use crate::calculation::inputs::ReadingInput;
use crate::refusal::Refusal;
use crate::regulation::numeric::{Limit, Measured};
use crate::regulation::ranges::{RangePlace, RangedValue, Ranges};
use crate::store::columns::Dec;
use crate::store::rows::{ReadingRow, TestItemRow};
use crate::text;
use crate::vocabulary::{ItemKind, Verdict};

/// What values are held against.
pub(super) struct Held<'a> {
    pub ranges: &'a Ranges,
    pub item: &'a TestItemRow,
    pub inputs: &'a [ReadingInput],
}

/// Holds the new readings, all that count, and the result against what they can be. `rows` are marked with the reason
/// where they lie outside, and the result says what does; it gives the reason that counts for the result.
///
/// # Errors
/// Something lies outside and nobody said why it counts.
pub(super) fn judged(
    seen: &Held<'_>,
    rows: &mut [ReadingRow],
    all: &[ReadingRow],
    calculation: Option<&mut Calculation>,
    despite: Option<&str>,
) -> Result<Option<String>, Refusal> {
    if seen.item.kind == ItemKind::Text {
        return Ok(None);
    }
    let despite = despite.map(str::trim).filter(|text| !text.is_empty());
    let reason = despite.map(|text| text::required("despite_range", text, text::REMARK)).transpose()?;
    let of_result = calculation.as_ref().and_then(|found| result(seen, found));
    let mut all_outside = Vec::new();
    // What was entered before was confirmed then; it is named again where a result rests on it.
    let mut former = None;
    for row in all {
        if let Some(outside) = reading(seen, row) {
            let new = rows.iter_mut().find(|new| new.id == row.id);
            let open = new.is_some() || row.despite_range.is_none();
            former = former.or_else(|| row.despite_range.clone());
            if let Some(new) = new {
                new.despite_range.clone_from(&reason);
            }
            all_outside.push((outside, open));
        }
    }
    let open: Vec<&Outside> =
        all_outside.iter().filter(|(_, open)| *open).map(|(outside, _)| outside).chain(&of_result).collect();
    if !open.is_empty() && reason.is_none() {
        let outside = open.into_iter().cloned().collect();
        return Err(BenchRefusal::OutsideRange(outside).into());
    }
    let Some(calculation) = calculation else { return Ok(reason) };
    calculation.outside =
        of_result.iter().chain(all_outside.iter().map(|(one, _)| one)).map(Outside::sentence).collect();
    if of_result.is_some_and(|outside| outside.impossible) && calculation.verdict == Verdict::Pass {
        calculation.verdict = Verdict::Indeterminate;
        calculation.steps.push(format!(
            "不可能的数值不判为符合规定 → {} {}",
            Verdict::Indeterminate.zh(),
            Verdict::Indeterminate.en()
        ));
    }
    Ok(if calculation.outside.is_empty() { None } else { reason.or(former) })
}

fn reading(seen: &Held<'_>, row: &ReadingRow) -> Option<Outside> {
    let input = seen.inputs.iter().find(|input| input.name == row.name)?;
    let value = match row.value.as_ref().map(Dec::decimal) {
        Some(number) => Measured::Number(number),
        None => Measured::parse(&row.raw).ok()?,
    };
    let quantity = input.source.as_ref().map_or("", |source| source.quantity.as_str());
    let words = [input.name.as_str(), &input.label_zh, &input.label_en, quantity];
    let own = input.range.as_deref().and_then(|text| Limit::parse(text).ok());
    let range = seen.ranges.of_reading(&RangedValue { words: &words, unit: &row.unit, limit: None }, own);
    outside(range.place(&value), Some((row.name.clone(), row.position)), value.to_string())
}

/// The result at the limit's digits: a loss of −0.02 % that is printed as 0.0 % is not negative.
fn result(seen: &Held<'_>, found: &Calculation) -> Option<Outside> {
    let item = seen.item;
    let (limit, value) = (Limit::parse(&item.limit_text).ok()?, Measured::parse(&found.reported).ok()?);
    let words = [item.code.as_str(), &item.name_zh, &item.name_en];
    let own = item.plausible.as_deref().and_then(|text| Limit::parse(text).ok());
    let range = seen.ranges.of_result(&RangedValue { words: &words, unit: &item.unit, limit: Some(&limit) }, own);
    outside(range.place(&value), None, found.reported.clone())
}

fn outside(place: RangePlace, reading: Option<(String, i64)>, value: String) -> Option<Outside> {
    match place {
        RangePlace::Within => None,
        RangePlace::Implausible(range) => Some(Outside { reading, value, range, impossible: false }),
        RangePlace::Impossible(range) => Some(Outside { reading, value, range, impossible: true }),
    }
}
