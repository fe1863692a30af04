//! Taking back what was done by mistake: what was stays on the record, and the database lets the way back pass by this
//! row alone.

use diesel::prelude::*;

use super::Context;
use crate::store::Outcome;
use crate::store::columns::{CustodyEntryId, InstituteId, ReversalId};
use crate::store::revisions::{Revised, current};
use crate::store::rows::ReversalRow;
use crate::store::schema::reversal;

/// What is taken back.
pub struct TakenBack<'a> {
    /// Of which thing: its kind in the trail, and its id.
    pub of: (&'a str, &'a str),
    /// The state that is left.
    pub was: &'a str,
    /// The state that follows.
    pub becomes: &'a str,
    /// Why it was done.
    pub was_because: Option<&'a str>,
    /// Why it is taken back.
    pub reason: &'a str,
}

impl Context<'_> {
    /// Records that what was done to a thing with revisions is taken back, before it is.
    ///
    /// # Errors
    /// The store's failure.
    pub fn take_back(&mut self, kind: Revised, taken: &TakenBack<'_>) -> Outcome<()> {
        let revision = current(self.conn, kind, taken.of.1)?;
        self.take_back_at(taken, revision, None)
    }

    /// The same of a thing whose revision is given, or of a move of containers.
    ///
    /// # Errors
    /// The store's failure.
    pub fn take_back_at(
        &mut self,
        taken: &TakenBack<'_>,
        revision: Option<i64>,
        custody_entry_id: Option<CustodyEntryId>,
    ) -> Outcome<()> {
        let institute_id: InstituteId = self.institute()?;
        let row = ReversalRow {
            id: ReversalId::new(),
            institute_id,
            subject_kind: taken.of.0.to_owned(),
            subject_id: taken.of.1.to_owned(),
            was: taken.was.to_owned(),
            becomes: taken.becomes.to_owned(),
            revision,
            custody_entry_id,
            was_because: taken.was_because.map(str::to_owned),
            reason: taken.reason.to_owned(),
            by_account: self.actor.account.clone(),
            at: self.now.into(),
        };
        diesel::insert_into(reversal::table).values(&row).execute(self.conn)?;
        Ok(())
    }
}
