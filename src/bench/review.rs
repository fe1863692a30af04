//! Review (复核), by somebody who neither calculated the result nor entered a reading of it. The database
//! holds to that too.

use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;

use super::bench::{moved, task_of};
use super::entry::current;
use super::import_check::hold_approval;
use crate::action::Services;
use crate::record::{self, Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::store::columns::{Instant, ResultId, TestTaskId};
use crate::store::rows::ResultRow;
use crate::store::schema::{result, test_task};
use crate::store::{AnyConnection, Outcome};
use crate::text;
use crate::vocabulary::TaskState;
use crate::vocabulary::states::TaskEvent;

/// A reviewer's verdict.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// `approved` or `sent_back`
    pub outcome: String,
    /// Why it goes back; a remark otherwise
    #[serde(default)]
    pub note: String,
    /// The reviewer has compared the values that come from instrument files with these files. Needed to approve
    /// where no second person has checked the import yet; it is then recorded as that check
    #[serde(default)]
    pub import_checked: bool,
}

/// Reviews a result.
///
/// # Errors
/// Where the reviewer had a hand in it, it was reviewed before, or a newer version exists.
pub fn review(services: &Services, actor: &Actor, id: &ResultId, new: &Verdict) -> Outcome<TaskState> {
    let approved = match new.outcome.as_str() {
        "approved" => true,
        "sent_back" => false,
        _ => {
            return Err(
                Refusal::field("outcome", "应为 approved 或 sent_back", "expected approved or sent_back").into()
            );
        }
    };
    let note = if approved {
        text::optional("note", &new.note, text::REMARK)?
    } else {
        text::required("note", &new.note, text::REMARK)?
    };
    let (actor, now, id) = (actor.clone(), services.clock.now(), id.clone());
    let check = (services.site.reviewer_checks_import, new.import_checked);
    services.db.write(move |conn| {
        let row: Option<ResultRow> = result::table.find(&id).select(ResultRow::as_select()).first(conn).optional()?;
        let row = row.ok_or_else(|| Refusal::not_found("结果", "result", id.as_str()))?;
        let file = task_of(conn, &actor, &row.test_task_id)?;
        check_other(conn, &actor, &row)?;
        check_latest(conn, &row)?;
        let event = match (approved, row.verdict.as_str()) {
            (false, _) => TaskEvent::SendBack,
            (true, "pass") => TaskEvent::Approve,
            (true, _) => TaskEvent::FindOutOfLimit,
        };
        let state = moved(file.task.state, event)?;
        if approved {
            hold_approval(conn, &actor, now, &file.task.id, check)?;
        }
        diesel::update(result::table.find(&id))
            .set((
                result::reviewer_id.eq(&actor.account),
                result::reviewed_at.eq(Instant::from(now)),
                result::review_outcome.eq(if approved { "approved" } else { "sent_back" }),
                result::review_note.eq(&note),
            ))
            .execute(conn)?;
        diesel::update(test_task::table.find(&file.task.id)).set(test_task::state.eq(state)).execute(conn)?;
        let mut change =
            Change::field("result.review", "result", &id, "state", file.task.state.as_str(), state.as_str());
        change.reason = Some(note.clone()).filter(|note| !note.is_empty());
        record::record(conn, &actor, now, vec![change])?;
        crate::cases::all_tested_with(conn, &actor, now, &file.sample.application_id)?;
        Ok(state)
    })
}

pub(super) fn check_other(conn: &mut AnyConnection, actor: &Actor, row: &ResultRow) -> Outcome<()> {
    let readings = current(conn, &row.test_task_id)?;
    if row.analyst_id == actor.account || readings.iter().any(|reading| reading.entered_by == actor.account) {
        let refusal = Refusal::new(
            Code::SelfReview,
            "不得复核本人录入的结果",
            "a result is reviewed by somebody who did not enter it",
        );
        return Err(refusal.into());
    }
    Ok(())
}

fn check_latest(conn: &mut AnyConnection, row: &ResultRow) -> Outcome<()> {
    let latest: Option<i64> = result::table
        .filter(result::test_task_id.eq(&row.test_task_id))
        .select(diesel::dsl::max(result::version))
        .first(conn)?;
    if row.reviewer_id.is_some() || latest != Some(row.version) {
        let refusal = Refusal::new(
            Code::WrongState,
            "该结果已复核或已被新版本取代",
            "it was reviewed, or a newer version exists",
        );
        return Err(refusal.into());
    }
    Ok(())
}

/// The latest result of a task.
pub(crate) fn latest_result(conn: &mut AnyConnection, id: &TestTaskId) -> Outcome<Option<ResultRow>> {
    Ok(result::table
        .filter(result::test_task_id.eq(id))
        .order(result::version.desc())
        .select(ResultRow::as_select())
        .first(conn)
        .optional()?)
}
