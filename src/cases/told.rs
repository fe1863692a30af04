//! What other modules found out and tell a case, and what they ask it before they go on.

use diesel::prelude::*;

use super::case::Case;
use super::refusals::CasesRefusal;
use crate::action::Context;
use crate::record::Change;
use crate::store::columns::ApplicationId;
use crate::store::schema::{application, batch, certificate, sample, test_task};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::states::CaseEvent;
use crate::vocabulary::{CaseState, CertificateState, SampleState, TaskState};

/// A task of the case came to its end: once every lot has its sample, or is withdrawn, and every item of every sample its
/// final result, the case is tested.
///
/// # Errors
/// The store's failure.
pub fn all_tested(cx: &mut Context<'_>, id: &ApplicationId) -> Outcome<()> {
    let event = tested(cx.conn, id)?;
    event.into_iter().for_each(|event| cx.record(event));
    Ok(())
}

fn tested(conn: &mut AnyConnection, id: &ApplicationId) -> Outcome<Option<Change>> {
    let open = test_task::table
        .inner_join(sample::table)
        .filter(sample::application_id.eq(id))
        .filter(sample::state.eq(SampleState::Received))
        .filter(test_task::state.eq_any(TaskState::OPEN));
    if diesel::select(diesel::dsl::exists(open)).get_result(conn)? || awaited(conn, id)? {
        return Ok(None);
    }
    told(conn, id, CaseEvent::FinishTesting, "case.tested")
}

/// Whether a lot of the case is still to come: none of it was received, and nobody withdrew it.
fn awaited(conn: &mut AnyConnection, id: &ApplicationId) -> Outcome<bool> {
    let received = sample::table
        .filter(sample::application_id.eq(id))
        .filter(sample::state.eq(SampleState::Received))
        .select(sample::batch_id);
    let awaited = batch::table
        .filter(batch::application_id.eq(id))
        .filter(batch::withdrawn_at.is_null())
        .filter(batch::id.ne_all(received));
    Ok(diesel::select(diesel::dsl::exists(awaited)).get_result(conn)?)
}

/// A certificate of the case was issued: once every sample has its own, and no lot is still to come, the case is reported.
///
/// # Errors
/// The store's failure.
pub fn reported(cx: &mut Context<'_>, id: &ApplicationId) -> Outcome<()> {
    let event = issued(cx.conn, id)?;
    event.into_iter().for_each(|event| cx.record(event));
    Ok(())
}

fn issued(conn: &mut AnyConnection, id: &ApplicationId) -> Outcome<Option<Change>> {
    let issued = certificate::table
        .filter(certificate::application_id.eq(id))
        .filter(certificate::state.eq(CertificateState::Issued))
        .select(certificate::sample_id);
    let open = sample::table
        .filter(sample::application_id.eq(id))
        .filter(sample::state.eq(SampleState::Received))
        .filter(sample::id.ne_all(issued));
    if diesel::select(diesel::dsl::exists(open)).get_result(conn)? || awaited(conn, id)? {
        return Ok(None);
    }
    told(conn, id, CaseEvent::Report, "case.reported")
}

/// An approved result of the case is corrected: it is worked on again, also where it was tested or reported.
///
/// # Errors
/// Where the case has ended without a report.
pub fn reopened(cx: &mut Context<'_>, id: &ApplicationId) -> Outcome<()> {
    let mut case = Case::told(cx.conn, id)?;
    let before = case.row().state;
    if case.on(CaseEvent::Reopen)? != before {
        let event = case.write(cx.conn, "case.reopened")?;
        cx.record(event);
    }
    Ok(())
}

/// Whether a case in that state is worked on again for a correction.
///
/// # Errors
/// Where it has ended without a report.
pub fn reopenable(state: CaseState) -> Result<(), CasesRefusal> {
    state.on(CaseEvent::Reopen)?;
    Ok(())
}

/// The state of a case.
///
/// # Errors
/// The store's failure.
pub fn state_of(conn: &mut AnyConnection, id: &ApplicationId) -> Outcome<CaseState> {
    Ok(application::table.find(id).select(application::state).first(conn)?)
}

/// The case listens where its state has a way on with the event; else it stays as it is.
fn told(conn: &mut AnyConnection, id: &ApplicationId, event: CaseEvent, name: &'static str) -> Outcome<Option<Change>> {
    let mut case = Case::told(conn, id)?;
    match case.on(event) {
        Ok(_) => Ok(Some(case.write(conn, name)?)),
        Err(_) => Ok(None),
    }
}

/// Refuses work on a task whose case is not worked on any more.
///
/// # Errors
/// [`CasesRefusal::NotWorkedOn`].
pub fn still_open(conn: &mut AnyConnection, id: &ApplicationId) -> Outcome<()> {
    Ok(working(state_of(conn, id)?)?)
}

fn working(state: CaseState) -> Result<(), CasesRefusal> {
    if CaseState::WORKING.contains(&state) {
        return Ok(());
    }
    Err(CasesRefusal::NotWorkedOn(state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_decided_on_a_task_of_a_case_that_is_not_worked_on() {
        for state in CaseState::ALL {
            assert_eq!(working(*state).is_ok(), *state == CaseState::Testing, "{state}");
        }
    }
}
