//! What becomes of samples beside their tests: requests about what is retained, and hand-overs from person to person.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Reader, names};
use crate::store::columns::{AccountId, ContainerId, HandoverId, Instant, KeepingRequestId, SampleId};
use crate::store::rows::{HandoverRow, KeepingRequestRow, KeepingStepRow};
use crate::store::schema::{handover, keeping_request, keeping_step, sample};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::{KeepingEvent, KeepingKind, KeepingState, Place};

/// The most requests of a list.
const MOST: i64 = 500;

/// A request about containers of a sample, with its steps.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KeepingView {
    pub id: KeepingRequestId,
    pub sample_id: SampleId,
    pub sample_number: String,
    pub kind: KeepingKind,
    pub state: KeepingState,
    pub from_place: Place,
    pub quantity: i64,
    pub reason: String,
    pub asked_by: AccountId,
    pub asked_by_name: String,
    pub asked_at: Instant,
    pub steps: Vec<KeepingStepView>,
}

/// A step of a request.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KeepingStepView {
    pub event: KeepingEvent,
    pub state: KeepingState,
    pub note: String,
    pub by_account: AccountId,
    pub by_name: String,
    pub at: Instant,
}

/// From whom to whom a sample or a container went.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HandoverView {
    pub id: HandoverId,
    /// Null where the whole sample went
    pub container_id: Option<ContainerId>,
    pub scanned: String,
    pub from_account: AccountId,
    pub from_name: String,
    pub to_account: AccountId,
    pub to_name: String,
    pub note: String,
    pub at: Instant,
}

/// The requests of the reader's institute, the newest first; with `of`, those about that sample.
///
/// # Errors
/// The store's failure.
pub fn keeping(conn: &mut AnyConnection, reader: &Reader, of: Option<&SampleId>) -> Outcome<Vec<KeepingView>> {
    let Some(institute) = reader.institute() else { return Ok(Vec::new()) };
    let mut query = keeping_request::table
        .inner_join(sample::table)
        .filter(keeping_request::institute_id.eq(institute))
        .into_boxed();
    if let Some(id) = of {
        query = query.filter(keeping_request::sample_id.eq(id));
    }
    let rows: Vec<(KeepingRequestRow, String)> = query
        .order((keeping_request::asked_at.desc(), keeping_request::id.desc()))
        .limit(MOST)
        .select((KeepingRequestRow::as_select(), sample::number))
        .load(conn)?;
    let ids: Vec<&KeepingRequestId> = rows.iter().map(|(row, _)| &row.id).collect();
    let steps: Vec<KeepingStepRow> = keeping_step::table
        .filter(keeping_step::request_id.eq_any(ids))
        .order((keeping_step::request_id, keeping_step::position))
        .select(KeepingStepRow::as_select())
        .load(conn)?;
    let people: Vec<&AccountId> =
        rows.iter().map(|(row, _)| &row.asked_by).chain(steps.iter().map(|step| &step.by_account)).collect();
    let people = names(conn, &people)?;
    let name = |id: &AccountId| people.get(id.as_str()).cloned().unwrap_or_default();
    let each = rows.into_iter().map(|(row, sample_number)| {
        let own = steps.iter().filter(|step| step.request_id == row.id);
        let state = own.clone().next_back().map_or(KeepingState::Asked, |step| step.state);
        let steps = own.map(|step| KeepingStepView {
            event: step.event,
            state: step.state,
            note: step.note.clone(),
            by_account: step.by_account.clone(),
            by_name: name(&step.by_account),
            at: step.at.clone(),
        });
        KeepingView {
            steps: steps.collect(),
            state,
            sample_number,
            asked_by_name: name(&row.asked_by),
            id: row.id,
            sample_id: row.sample_id,
            kind: row.kind,
            from_place: row.from_place,
            quantity: row.quantity,
            reason: row.reason,
            asked_by: row.asked_by,
            asked_at: row.asked_at,
        }
    });
    Ok(each.collect())
}

/// The hand-overs of a sample of the reader's institute, the oldest first.
///
/// # Errors
/// The store's failure.
pub fn handovers(conn: &mut AnyConnection, reader: &Reader, of: &SampleId) -> Outcome<Vec<HandoverView>> {
    let Some(institute) = reader.institute() else { return Ok(Vec::new()) };
    let rows: Vec<HandoverRow> = handover::table
        .filter(handover::institute_id.eq(institute))
        .filter(handover::sample_id.eq(of))
        .order((handover::at, handover::id))
        .select(HandoverRow::as_select())
        .load(conn)?;
    let people: Vec<&AccountId> = rows.iter().flat_map(|row| [&row.from_account, &row.to_account]).collect();
    let people = names(conn, &people)?;
    let name = |id: &AccountId| people.get(id.as_str()).cloned().unwrap_or_default();
    let each = rows.into_iter().map(|row| HandoverView {
        from_name: name(&row.from_account),
        to_name: name(&row.to_account),
        id: row.id,
        container_id: row.container_id,
        scanned: row.scanned,
        from_account: row.from_account,
        to_account: row.to_account,
        note: row.note,
        at: row.at,
    });
    Ok(each.collect())
}
