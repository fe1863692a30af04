//! A file whose values count by way of an evaluation is decided about with it.

use diesel::prelude::*;
use serde_json::json;

use super::accept::{Accept, check_sound, decided};
use super::inbox::file_of;
use crate::audit::{self, Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::store::columns::{InstituteId, InstrumentFileId};
use crate::store::rows::{InstrumentFileRow, ObservationRow};
use crate::store::schema::observation;
use crate::store::{AnyConnection, Outcome};

/// A file that may be evaluated, with its observations.
///
/// # Errors
/// Where the institute has no such file, no adapter reads it, it was rejected, or it is incomplete.
pub fn evaluable(
    conn: &mut AnyConnection,
    institute: &InstituteId,
    id: &InstrumentFileId,
) -> Outcome<(InstrumentFileRow, Vec<ObservationRow>)> {
    let file = file_of(conn, institute, id)?;
    if !matches!(file.state.as_str(), "staged" | "accepted") {
        let refusal = Refusal::new(
            Code::WrongState,
            format!("文件 {} 未能识别或已被拒绝", file.name),
            format!("{} was not recognised, or was rejected", file.name),
        );
        return Err(refusal.into());
    }
    if file.complete == Some(false) {
        let refusal = Refusal::new(
            Code::FileIncomplete,
            format!("文件 {} 不完整，不能评价", file.name),
            format!("{} is incomplete and cannot be evaluated", file.name),
        );
        return Err(refusal.with(json!({"problems": file.problems.tree()})).into());
    }
    let observations: Vec<ObservationRow> =
        observation::table.filter(observation::instrument_file_id.eq(id)).order(observation::position).load(conn)?;
    Ok((file, observations))
}

/// Accepts a file together with the evaluation that rests on it; one that was accepted before stays so.
///
/// # Errors
/// As the acceptance of the file itself.
pub fn accept_with_evaluation(
    conn: &mut AnyConnection,
    actor: &Actor,
    now: chrono::DateTime<chrono::Utc>,
    file: &InstrumentFileRow,
    new: &Accept,
    evaluation: &str,
) -> Outcome<()> {
    if file.state == "accepted" {
        return Ok(());
    }
    let reason = check_sound(file, new)?;
    decided(conn, &file.id, actor, now, "accepted", reason.as_deref())?;
    let mut change =
        Change::field("instrument_file.accept", "instrument_file", &file.id, "state", file.state.clone(), "accepted")
            .and("confirmed_complete", (), new.confirm_complete)
            .and("evaluation", (), evaluation);
    change.reason = reason;
    audit::record(conn, actor, now, vec![change])
}
