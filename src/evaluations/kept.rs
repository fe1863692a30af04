//! What is kept of an evaluation, read back: whole or not at all.

use diesel::prelude::*;

use super::refusals::EvaluationRefusal;
use crate::calculation::method::Method;
use crate::calculation::outcome::Outcome as Found;
use crate::calculation::setup::{Setup, StandardFacts};
use crate::record::Actor;
use crate::refusal::Refusal;
use crate::store::columns::EvaluationId;
use crate::store::rows::EvaluationRow;
use crate::store::schema::evaluation;
use crate::store::stored::At;
use crate::store::{AnyConnection, Outcome};

/// An evaluation of the actor's institute.
///
/// # Errors
/// Where there is none of that id.
pub(super) fn row_of(conn: &mut AnyConnection, actor: &Actor, id: &EvaluationId) -> Outcome<EvaluationRow> {
    let found: Option<EvaluationRow> =
        evaluation::table.find(id).filter(evaluation::institute_id.eq(actor.institute()?)).first(conn).optional()?;
    Ok(found.ok_or_else(|| EvaluationRefusal::NoEvaluation(id.clone()))?)
}

/// The number of the newest version of its series.
pub(super) fn newest(conn: &mut AnyConnection, root: &EvaluationId) -> Outcome<i64> {
    let found: Option<i64> = evaluation::table
        .filter(evaluation::root_id.eq(root))
        .select(diesel::dsl::max(evaluation::version))
        .first(conn)?;
    Ok(found.unwrap_or(0))
}

fn at<'a>(row: &'a EvaluationRow, column: &'static str) -> At<'a> {
    At::new("evaluation", column, row.id.as_str())
}

/// The definition as it was.
pub(super) fn method(row: &EvaluationRow) -> Result<Method, Refusal> {
    at(row, "method").read(&row.method)
}

/// What a person said about the run.
pub(super) fn setup(row: &EvaluationRow) -> Result<Setup, Refusal> {
    at(row, "setup").read(&row.setup)
}

/// The lots as they were.
pub(super) fn standards(row: &EvaluationRow) -> Result<Vec<StandardFacts>, Refusal> {
    at(row, "standards").read(&row.standards)
}

/// Every number and step.
pub(super) fn found(row: &EvaluationRow) -> Result<Found, Refusal> {
    at(row, "outcome").read(&row.outcome)
}

/// The same as a tree, with whatever a later version added to it.
pub(super) fn found_tree(row: &EvaluationRow) -> Result<serde_json::Value, Refusal> {
    at(row, "outcome").tree(&row.outcome)
}
