//! Evaluating and keeping it: append-only, a re-evaluation is a new version.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::institute_of;
use super::load::{self, Loaded};
use super::methods::method;
use crate::action::Services;
use crate::calculation::injections::group;
use crate::calculation::method::{Kind, Method};
use crate::calculation::outcome::Outcome as Found;
use crate::calculation::setup::{Setup, StandardFacts};
use crate::calculation::{CALCULATION_VERSION, Seen, plate, sequence};
use crate::insert_all;
use crate::record::{self, Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::store::columns::{Dec, EvaluationId, EvaluationResultId, Json, ReferenceStandardId, SampleId};
use crate::store::rows::{EvaluationFileRow, EvaluationResultRow, EvaluationRow, EvaluationStandardRow};
use crate::store::schema::{evaluation, evaluation_file, evaluation_result, evaluation_standard};
use crate::store::{AnyConnection, Outcome};
use crate::text;

/// An evaluation to be made.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewEvaluation {
    pub title: String,
    pub method_id: String,
    pub file_ids: Vec<String>,
    pub setup: Setup,
    /// Why it is evaluated again; of new versions only
    pub reason: Option<String>,
}

/// An evaluation that is not kept.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = EvaluationPreview)]
pub struct Preview {
    pub calculation_version: String,
    pub outcome: Found,
}

/// Calculates by the kind of the method.
pub(super) fn calculate(method: &Method, setup: &Setup, standards: &[StandardFacts], seen: &[Seen]) -> Found {
    match method.kind {
        Kind::Sequence => sequence::evaluate(method, setup, standards, seen),
        Kind::Plate => plate::evaluate(method, setup, seen),
    }
}

/// Calculates without keeping anything.
///
/// # Errors
/// Where a file, a lot or a field is not as expected.
pub fn preview(services: &Services, actor: &Actor, new: &NewEvaluation) -> Outcome<Preview> {
    let (institute, method) = (institute_of(actor)?, method(services, &new.method_id)?);
    load::check_setup(&new.setup)?;
    let today = services.clock.today();
    let in_files = load::in_files(services, &institute, &new.file_ids)?;
    let (loaded, standards) = services.db.read(|conn| {
        let loaded = load::files(conn, &institute, &new.file_ids, &in_files)?;
        let standards = load::standards(conn, &institute, &new.setup, &loaded.seen, today)?;
        Ok((loaded, standards))
    })?;
    let outcome = calculate(&method, &new.setup, &standards, &loaded.seen);
    Ok(Preview { calculation_version: CALCULATION_VERSION.to_owned(), outcome })
}

/// Evaluates and keeps it as the first version.
///
/// # Errors
/// As [`preview`]; an evaluation that comes out invalid is kept too.
pub fn create(services: &Services, actor: &Actor, new: &NewEvaluation) -> Outcome<EvaluationRow> {
    keep(services, actor, new, None)
}

/// Evaluates again: a new version, which the earlier ones stay beside.
///
/// # Errors
/// As [`create`]; where there is no such evaluation, or the reason is missing.
pub fn version(services: &Services, actor: &Actor, of: &EvaluationId, new: &NewEvaluation) -> Outcome<EvaluationRow> {
    keep(services, actor, new, Some(of.clone()))
}

/// An evaluation of the institute.
pub(super) fn row_of(conn: &mut AnyConnection, actor: &Actor, id: &EvaluationId) -> Outcome<EvaluationRow> {
    let found: Option<EvaluationRow> = evaluation::table
        .find(id)
        .filter(evaluation::institute_id.nullable().eq(&actor.institute))
        .first(conn)
        .optional()?;
    Ok(found.ok_or_else(|| Refusal::not_found("评价", "evaluation", id.as_str()))?)
}

/// The number of the newest version of its series.
pub(super) fn newest(conn: &mut AnyConnection, root: &EvaluationId) -> Outcome<i64> {
    let found: Option<i64> = evaluation::table
        .filter(evaluation::root_id.eq(root))
        .select(diesel::dsl::max(evaluation::version))
        .first(conn)?;
    Ok(found.unwrap_or(0))
}

fn keep(services: &Services, actor: &Actor, new: &NewEvaluation, of: Option<EvaluationId>) -> Outcome<EvaluationRow> {
    let (institute, method) = (institute_of(actor)?, method(services, &new.method_id)?);
    let title = text::printed("title", &new.title, text::TEXT)?;
    load::check_setup(&new.setup)?;
    let reason = match &of {
        Some(_) => Some(text::required("reason", new.reason.as_deref().unwrap_or_default(), text::REMARK)?),
        None => None,
    };
    let in_files = load::in_files(services, &institute, &new.file_ids)?;
    let (actor, now, new, today) = (actor.clone(), services.clock.now(), new.clone(), services.clock.today());
    services.db.write(move |conn| {
        let id = EvaluationId::new();
        let (root_id, number) = match &of {
            None => (id.clone(), 1),
            Some(of) => {
                let before = row_of(conn, &actor, of)?;
                let last = newest(conn, &before.root_id)?;
                (before.root_id, last + 1)
            }
        };
        let loaded = load::files(conn, &institute, &new.file_ids, &in_files)?;
        let setup = assigned(&method, new.setup.clone(), &loaded.seen, &actor);
        let standards = load::standards(conn, &institute, &setup, &loaded.seen, today)?;
        let found = calculate(&method, &setup, &standards, &loaded.seen);
        let row = EvaluationRow {
            id,
            root_id,
            version: number,
            institute_id: institute.clone(),
            kind: if method.kind == Kind::Sequence { "sequence" } else { "plate" }.into(),
            title: title.clone(),
            method_id: method.id.clone(),
            method_version: method.version.clone(),
            method: Json::of(&method),
            calculation_version: CALCULATION_VERSION.into(),
            setup: Json::of(&setup),
            standards: Json::of(&standards),
            outcome: Json::of(&found),
            verdict: if found.valid { "valid" } else { "invalid" }.into(),
            reason: reason.clone(),
            created_by: actor.account.clone(),
            created_at: now.into(),
        };
        store(conn, &row, &found, &loaded, &standards)?;
        record::record(conn, &actor, now, vec![change(&row, &found, &loaded)])?;
        Ok(row)
    })
}

/// Who gave each injection its role, and what the patterns had proposed.
fn assigned(method: &Method, mut setup: Setup, seen: &[Seen], actor: &Actor) -> Setup {
    let injections = group(seen, &setup.signal, &mut Found::default());
    for role in &mut setup.injections {
        let of = injections.iter().find(|one| one.key == role.injection);
        role.proposed = of.map(|one| method.role_of(one.sample_text, one.sample_type));
        role.assigned_by = actor.display_name.clone();
    }
    setup
}

/// Writes an evaluation with its files, lots and results.
pub(super) fn store(
    conn: &mut AnyConnection,
    row: &EvaluationRow,
    found: &Found,
    loaded: &Loaded,
    standards: &[StandardFacts],
) -> Outcome<()> {
    diesel::insert_into(evaluation::table).values(row).execute(conn)?;
    let files: Vec<EvaluationFileRow> = loaded
        .files
        .iter()
        .zip(1_i64..)
        .map(|(file, position)| EvaluationFileRow {
            evaluation_id: row.id.clone(),
            instrument_file_id: file.id.clone(),
            position,
        })
        .collect();
    insert_all!(conn, evaluation_file::table, &files)?;
    let lots: Vec<EvaluationStandardRow> = standards
        .iter()
        .map(|facts| EvaluationStandardRow {
            evaluation_id: row.id.clone(),
            reference_standard_id: ReferenceStandardId::from(facts.id.as_str()),
        })
        .collect();
    insert_all!(conn, evaluation_standard::table, &lots)?;
    let results = results(row, found)?;
    insert_all!(conn, evaluation_result::table, &results)?;
    Ok(())
}

fn results(row: &EvaluationRow, found: &Found) -> Result<Vec<EvaluationResultRow>, Refusal> {
    let mut rows: Vec<EvaluationResultRow> = Vec::new();
    for result in &found.results {
        let replicates = if result.replicates.len() > 1 { result.replicates.as_slice() } else { &[] };
        let own = ("mean", result.sample_text.as_str(), result.value.as_deref(), result.raw.as_str());
        let each =
            replicates.iter().map(|one| ("replicate", one.label.as_str(), one.value.as_deref(), one.raw.as_str()));
        for (part, label, value, raw) in std::iter::once(own).chain(each) {
            let position = i64::try_from(rows.len()).unwrap_or(i64::MAX).saturating_add(1);
            rows.push(EvaluationResultRow {
                id: EvaluationResultId::new(),
                evaluation_id: row.id.clone(),
                position,
                sample_id: result.sample_id.as_deref().map(SampleId::from),
                label: label.to_owned(),
                analyte: result.analyte.clone(),
                quantity: result.quantity.clone(),
                part: part.into(),
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
fn number(text: &str) -> Result<Dec, Refusal> {
    let found = rust_decimal::Decimal::from_str_exact(text).map_err(|_| {
        Refusal::new(
            Code::Conflict,
            format!("结果 {text} 超过 28 位数字"),
            format!("the result {text} has more than 28 digits"),
        )
    })?;
    Ok(found.into())
}

fn change(row: &EvaluationRow, found: &Found, loaded: &Loaded) -> Change {
    let files: Vec<&str> = loaded.files.iter().map(|file| file.sha256.as_str()).collect();
    let results: Vec<_> =
        found.results.iter().map(|one| json!({"sample": one.sample_text, "raw": one.raw, "unit": one.unit})).collect();
    let content = json!({
        "title": row.title, "version": row.version, "root_id": row.root_id, "method": row.method_id,
        "method_version": row.method_version, "calculation_version": row.calculation_version,
        "verdict": row.verdict, "reasons": found.reasons.iter().map(|note| &note.code).collect::<Vec<_>>(),
        "files": files, "results": results,
    });
    let mut change = Change::created("evaluation.create", "evaluation", &row.id, content);
    change.reason.clone_from(&row.reason);
    change
}
