//! Writing an evaluation with its files, lots and results.

use diesel::prelude::*;

use super::refusals::EvaluationRefusal;
use crate::action::Context;
use crate::calculation::CALCULATION_VERSION;
use crate::calculation::method::Method;
use crate::calculation::outcome::Outcome as Found;
use crate::calculation::setup::{Setup, StandardFacts};
use crate::insert_all;
use crate::store::Outcome;
use crate::store::columns::{
    Dec, EvaluationId, EvaluationResultId, InstrumentFileId, Json, ReferenceStandardId, SampleId,
};
use crate::store::rows::{EvaluationFileRow, EvaluationResultRow, EvaluationRow, EvaluationStandardRow};
use crate::store::schema::{evaluation, evaluation_file, evaluation_result, evaluation_standard};
use crate::vocabulary::{EvaluationKind, EvaluationVerdict, ResultPart};

/// An evaluation to be written, with everything that it rests on.
pub(super) struct EvaluationRecord {
    pub kind: EvaluationKind,
    pub title: String,
    pub reason: Option<String>,
    pub method: Method,
    pub setup: Setup,
    pub standards: Vec<StandardFacts>,
    pub found: Found,
    /// The series that it belongs to and its version there; none for a first one.
    pub series: Option<(EvaluationId, i64)>,
}

/// Writes it; its files in their order.
pub(super) fn write(
    cx: &mut Context<'_>,
    kept: &EvaluationRecord,
    files: &[InstrumentFileId],
) -> Outcome<EvaluationRow> {
    let id = EvaluationId::new();
    let (root_id, version) = kept.series.clone().unwrap_or_else(|| (id.clone(), 1));
    let row = EvaluationRow {
        id,
        root_id,
        version,
        institute_id: cx.institute()?,
        kind: kept.kind,
        title: kept.title.clone(),
        method_id: kept.method.id.clone(),
        method_version: kept.method.version.clone(),
        method: Json::of(&kept.method),
        calculation_version: CALCULATION_VERSION.into(),
        setup: Json::of(&kept.setup),
        standards: Json::of(&kept.standards),
        outcome: Json::of(&kept.found),
        verdict: EvaluationVerdict::of(kept.found.valid),
        reason: kept.reason.clone(),
        created_by: cx.actor.account.clone(),
        created_at: cx.now.into(),
    };
    let results = results(&row.id, &kept.found)?;
    diesel::insert_into(evaluation::table).values(&row).execute(cx.conn)?;
    let of_file = |(file, position): (&InstrumentFileId, i64)| EvaluationFileRow {
        evaluation_id: row.id.clone(),
        instrument_file_id: file.clone(),
        position,
    };
    let files: Vec<EvaluationFileRow> = files.iter().zip(1_i64..).map(of_file).collect();
    insert_all!(cx.conn, evaluation_file::table, &files)?;
    let of_lot = |facts: &StandardFacts| EvaluationStandardRow {
        evaluation_id: row.id.clone(),
        reference_standard_id: ReferenceStandardId::from(facts.id.as_str()),
    };
    let lots: Vec<EvaluationStandardRow> = kept.standards.iter().map(of_lot).collect();
    insert_all!(cx.conn, evaluation_standard::table, &lots)?;
    insert_all!(cx.conn, evaluation_result::table, &results)?;
    Ok(row)
}

/// The results of an outcome: each mean, and its replicates where there are several.
fn results(id: &EvaluationId, found: &Found) -> Result<Vec<EvaluationResultRow>, EvaluationRefusal> {
    let mut rows: Vec<EvaluationResultRow> = Vec::new();
    for result in &found.results {
        let replicates = if result.replicates.len() > 1 { result.replicates.as_slice() } else { &[] };
        let own = (ResultPart::Mean, result.sample_text.as_str(), result.value.as_deref(), result.raw.as_str());
        let each = replicates
            .iter()
            .map(|one| (ResultPart::Replicate, one.label.as_str(), one.value.as_deref(), one.raw.as_str()));
        for (part, label, value, raw) in std::iter::once(own).chain(each) {
            let position = i64::try_from(rows.len()).unwrap_or(i64::MAX).saturating_add(1);
            rows.push(EvaluationResultRow {
                id: EvaluationResultId::new(),
                evaluation_id: id.clone(),
                position,
                sample_id: result.sample_id.as_deref().map(SampleId::from),
                label: label.to_owned(),
                analyte: result.analyte.clone(),
                quantity: result.quantity.clone(),
                part,
                raw: raw.to_owned(),
                value: value.map(number).transpose()?,
                unit: result.unit.clone(),
                steps: Json::of(&result.steps),
            });
        }
    }
    Ok(rows)
}

/// A result as a decimal: one that has no decimal of 28 digits is refused, not cut.
fn number(text: &str) -> Result<Dec, EvaluationRefusal> {
    let found = rust_decimal::Decimal::from_str_exact(text);
    found.map(Dec::from).map_err(|_| EvaluationRefusal::TooManyDigits(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calculation::outcome::{Replicate, ResultLine};

    fn line(replicates: &[&str]) -> ResultLine {
        let one = |raw: &&str| Replicate { label: "P".into(), value: Some((*raw).into()), raw: (*raw).into() };
        let replicates = replicates.iter().map(one).collect();
        ResultLine { raw: "99.20".into(), value: Some("99.20".into()), replicates, ..ResultLine::default() }
    }

    #[test]
    fn single_values_stand_beside_their_mean_where_there_are_several() {
        let parts = |line| {
            let found = Found { results: vec![line], ..Found::default() };
            let rows = results(&EvaluationId::from("e"), &found).expect("rows");
            rows.iter().map(|row| (row.position, row.part, row.raw.clone())).collect::<Vec<_>>()
        };
        assert_eq!(parts(line(&["99.20"])), [(1, ResultPart::Mean, "99.20".into())]);
        assert_eq!(parts(line(&["99.1", "99.3"])).len(), 3);
    }

    #[test]
    fn a_result_keeps_its_digits_or_is_refused() {
        assert_eq!(number("99.20").map(|kept| kept.to_string()), Ok("99.20".into()));
        assert!(number("0.12345678901234567890123456789012").is_err());
    }
}
