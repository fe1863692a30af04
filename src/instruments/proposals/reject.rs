//! A person rejects a file. It is kept, and taken up again where that was a mistake: its content is taken in once only, so
//! there would be no other way to its values.

use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::action::{Action, Context, Facts, Subject};
use crate::instruments::reception::file_of;
use crate::instruments::refusals::InstrumentRefusal;
use crate::record::Change;
use crate::refusal::Refusal;
use crate::store::columns::{AccountId, Instant, InstrumentFileId};
use crate::store::revisions::Revised;
use crate::store::rows::InstrumentFileRow;
use crate::store::schema::instrument_file;
use crate::store::{AnyConnection, Outcome};
use crate::text;
use crate::vocabulary::Permission;
use crate::vocabulary::instruments::{FileEvent, FileState};

/// Rejects a file that nobody has decided about, with the reason.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RejectFile {
    pub id: InstrumentFileId,
    pub reason: String,
}

impl Action for RejectFile {
    const NAME: &'static str = "file.reject";
    const PERMISSION: Permission = Permission::InstrumentReject;
    type Prepared = ();
    type Loaded = InstrumentFileRow;
    type Plan = (FileState, String);
    type Done = ();

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::InstrumentFile, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<InstrumentFileRow> {
        let own = cx.institute()?;
        file_of(cx.conn, &own, &self.id)
    }

    fn decide(&self, _: &Facts<'_>, file: &InstrumentFileRow) -> Result<Self::Plan, Refusal> {
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        let state = file.state.on(FileEvent::Reject).map_err(InstrumentRefusal::from)?;
        Ok((state, reason))
    }

    fn keep(&self, cx: &mut Context<'_>, file: InstrumentFileRow, (state, reason): Self::Plan) -> Outcome<()> {
        let by = FileDecision { state, reason: Some(&reason), by: &cx.actor.account.clone(), at: cx.now.into() };
        decided(cx.conn, &self.id, &by)?;
        let (before, after) = (file.state.as_str(), state.as_str());
        let change = Change::field(Self::NAME, "instrument_file", &self.id, "state", before, after);
        cx.record(change.because(reason));
        Ok(())
    }
}

/// Takes a rejected file up again, with the reason: it waits for a decision as before.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReopenFile {
    pub id: InstrumentFileId,
    pub reason: String,
}

impl Action for ReopenFile {
    const NAME: &'static str = "file.reopen";
    const PERMISSION: Permission = Permission::InstrumentReject;
    type Prepared = ();
    type Loaded = InstrumentFileRow;
    type Plan = (FileState, String);
    type Done = ();

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::InstrumentFile, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<InstrumentFileRow> {
        let own = cx.institute()?;
        file_of(cx.conn, &own, &self.id)
    }

    fn decide(&self, _: &Facts<'_>, file: &InstrumentFileRow) -> Result<Self::Plan, Refusal> {
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        // What no adapter has read waits for one, as before.
        let event = if file.adapter.is_some() { FileEvent::Reopen } else { FileEvent::ReopenUnread };
        Ok((file.state.on(event).map_err(InstrumentRefusal::from)?, reason))
    }

    fn keep(&self, cx: &mut Context<'_>, file: InstrumentFileRow, (state, reason): Self::Plan) -> Outcome<()> {
        // Who had rejected it, and why, is on the trail.
        diesel::update(instrument_file::table.find(&self.id))
            .set((
                instrument_file::state.eq(state),
                instrument_file::state_reason.eq(None::<String>),
                instrument_file::decided_by.eq(None::<AccountId>),
                instrument_file::decided_at.eq(None::<Instant>),
            ))
            .execute(cx.conn)?;
        let (before, after) = (file.state.as_str(), state.as_str());
        let change = Change::field(Self::NAME, "instrument_file", &self.id, "state", before, after);
        cx.record(change.because(reason));
        Ok(())
    }
}

/// What was decided about a file.
pub(super) struct FileDecision<'a> {
    pub state: FileState,
    pub reason: Option<&'a str>,
    pub by: &'a AccountId,
    pub at: Instant,
}

/// Writes what was decided about a file.
pub(super) fn decided(conn: &mut AnyConnection, id: &InstrumentFileId, what: &FileDecision<'_>) -> Outcome<()> {
    diesel::update(instrument_file::table.find(id))
        .set((
            instrument_file::state.eq(what.state),
            instrument_file::state_reason.eq(what.reason),
            instrument_file::decided_by.eq(what.by),
            instrument_file::decided_at.eq(&what.at),
        ))
        .execute(conn)?;
    Ok(())
}
