//! The recalculation check: an evaluation is calculated again from the observations as they are in the record, and
//! compared with what was kept.

use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::combine::{assays, together};
use super::create::calculate;
use super::kept::{self, row_of};
use super::load::{self, InFiles};
use crate::action::Services;
use crate::calculation::CALCULATION_VERSION;
use crate::record::Actor;
use crate::store::columns::{EvaluationId, InstrumentFileId};
use crate::store::rows::EvaluationRow;
use crate::store::schema::evaluation_file;
use crate::store::{AnyConnection, Outcome, StoreError};
use crate::vocabulary::EvaluationKind;

/// The most differences that are listed.
const MOST: usize = 50;

/// What the check found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Verified {
    pub same: bool,
    /// The calculation's version that the evaluation was made with, and the program's
    pub calculation_version: String,
    pub calculation_version_now: String,
    pub differences: Vec<Difference>,
}

/// One place where the outcomes differ.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Difference {
    pub path: String,
    pub kept: Value,
    pub now: Value,
}

/// Calculates an evaluation again and compares.
///
/// # Errors
/// Where there is none, or what it rests on cannot be loaded.
pub fn verify(services: &Services, actor: &Actor, id: &EvaluationId) -> Outcome<Verified> {
    let institute = actor.institute()?;
    let files: Vec<InstrumentFileId> = services.db.read(|conn| {
        row_of(conn, actor, id)?;
        let of = evaluation_file::table.filter(evaluation_file::evaluation_id.eq(id)).order(evaluation_file::position);
        Ok(of.select(evaluation_file::instrument_file_id).load(conn)?)
    })?;
    let in_files = load::in_files(services, &institute, &files)?;
    services.db.read(|conn| {
        let row = row_of(conn, actor, id)?;
        let kept = kept::found_tree(&row)?;
        let now = again(conn, actor, &row, (&files, &in_files))?;
        let mut differences = Vec::new();
        // Decimals are exact; fits in f64 may differ in their last digits on another processor.
        compare("outcome", &kept, &now, row.kind == EvaluationKind::Sequence, &mut differences);
        Ok(Verified {
            same: differences.is_empty(),
            calculation_version: row.calculation_version.clone(),
            calculation_version_now: CALCULATION_VERSION.to_owned(),
            differences,
        })
    })
}

fn again(
    conn: &mut AnyConnection,
    actor: &Actor,
    row: &EvaluationRow,
    (files, in_files): (&[InstrumentFileId], &InFiles),
) -> Outcome<Value> {
    let (method, setup) = (kept::method(row)?, kept::setup(row)?);
    let found = if row.kind == EvaluationKind::Combination {
        let ids: Vec<EvaluationId> = setup.assays.iter().map(|id| EvaluationId::from(id.as_str())).collect();
        together(&assays(conn, actor, &ids)?)?.1
    } else {
        let standards = kept::standards(row)?;
        let loaded = load::files(conn, &actor.institute()?, files, in_files)?;
        calculate(&method, &setup, &standards, &loaded.seen)
    };
    Ok(serde_json::to_value(found).map_err(|error| StoreError::Other(error.to_string()))?)
}

fn compare(path: &str, kept: &Value, now: &Value, exact: bool, differences: &mut Vec<Difference>) {
    if differences.len() >= MOST {
        return;
    }
    match (kept, now) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                // The wording of steps repeats numbers that are compared where they are written.
                if key == "steps" && !exact {
                    continue;
                }
                let nothing = Value::Null;
                let (a, b) = (a.get(key).unwrap_or(&nothing), b.get(key).unwrap_or(&nothing));
                compare(&format!("{path}.{key}"), a, b, exact, differences);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{index}]"), a, b, exact, differences);
            }
        }
        (Value::String(a), Value::String(b)) if !exact && near(a, b) => {}
        _ if kept == now => {}
        _ => differences.push(Difference { path: path.to_owned(), kept: kept.clone(), now: now.clone() }),
    }
}

fn near(a: &str, b: &str) -> bool {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1e-9),
        _ => a == b,
    }
}
