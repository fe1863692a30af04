//! A use, a return or a destruction that was recorded by mistake: the containers never left. The entry stays, another one
//! leads back, and somebody else than who recorded it says so.

use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;

use super::amounts::There;
use super::entry;
use super::moves::{Moved, sample_of};
use super::refusals::CustodyRefusal;
use super::using::there;
use crate::action::{Action, Context, Facts, Subject, TakenBack};
use crate::record::Change;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::{CustodyEntryId, SampleId};
use crate::store::revisions::Revised;
use crate::store::rows::{CustodyEntryRow, SampleRow};
use crate::store::schema::{custody_entry, reversal};
use crate::text;
use crate::vocabulary::{Permission, Place};

/// Takes back a move that was recorded by mistake.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UndoMove {
    pub id: SampleId,
    /// The entry of the ledger
    pub entry_id: CustodyEntryId,
    /// What shows that it did not happen
    pub reason: String,
}

/// The entry with what it is decided from.
pub struct Recorded {
    sample: SampleRow,
    entry: Option<CustodyEntryRow>,
    undone: bool,
    /// What is where it led.
    there: There,
}

impl Action for UndoMove {
    const NAME: &'static str = "custody.undo";
    const PERMISSION: Permission = Permission::ReversalMake;
    type Prepared = ();
    type Loaded = Recorded;
    type Plan = (CustodyEntryRow, String);
    type Done = Moved;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Sample, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Recorded> {
        let sample = sample_of(cx.conn, cx.actor, &self.id)?;
        let entry: Option<CustodyEntryRow> = custody_entry::table
            .find(&self.entry_id)
            .filter(custody_entry::sample_id.eq(&self.id))
            .select(CustodyEntryRow::as_select())
            .first(cx.conn)
            .optional()?;
        let back = reversal::table.filter(reversal::custody_entry_id.eq(&self.entry_id));
        let undone = diesel::select(diesel::dsl::exists(back)).get_result(cx.conn)?;
        let there = match &entry {
            Some(entry) => there(cx.conn, &self.id, entry.to_place)?,
            None => There::default(),
        };
        Ok(Recorded { sample, entry, undone, there })
    }

    fn decide(&self, facts: &Facts<'_>, found: &Recorded) -> Result<Self::Plan, Refusal> {
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        let entry = found.entry.clone().ok_or_else(|| CustodyRefusal::NoEntry(self.entry_id.clone()))?;
        if found.undone {
            return Err(CustodyRefusal::UndoneAlready.into());
        }
        // What a receipt, a test or a re-test moved by itself is taken back where that is.
        let ended = [Place::Consumed, Place::Returned, Place::Destroyed].contains(&entry.to_place);
        if !ended || entry.test_task_id.is_some() || !entry.from_place.leads_to(entry.to_place) {
            return Err(CustodyRefusal::NotByHand.into());
        }
        if entry.moved_by == facts.actor.account {
            return Err(CustodyRefusal::OwnMove.into());
        }
        if found.there.containers < entry.quantity {
            let (at, available, asked) = (entry.to_place, found.there.containers, entry.quantity);
            return Err(CustodyRefusal::TooFew { at, available, asked }.into());
        }
        Ok((entry, reason))
    }

    fn keep(&self, cx: &mut Context<'_>, found: Recorded, (wrong, reason): Self::Plan) -> Outcome<Moved> {
        let (from, to, quantity) = (wrong.to_place, wrong.from_place, wrong.quantity);
        let taken = TakenBack {
            of: ("custody_entry", wrong.id.as_str()),
            was: from.as_str(),
            becomes: to.as_str(),
            was_because: Some(&wrong.reason),
            reason: &reason,
        };
        cx.take_back_at(&taken, None, Some(wrong.id.clone()))?;
        let why = format!("误记更正 recorded by mistake: {reason}");
        let mut row = entry(&found.sample, wrong.container_id.clone(), (from, to), quantity, &why, cx.actor, cx.now);
        // What was in the containers comes back with them.
        row.billionths = wrong.billionths;
        diesel::insert_into(custody_entry::table).values(&row).execute(cx.conn)?;
        let content = serde_json::json!({"entry": row.id, "takes_back": wrong.id, "from": from, "to": to,
            "quantity": quantity});
        cx.record(Change::created(Self::NAME, "sample", &found.sample.id, content).because(&reason));
        Ok(Moved { from, to, quantity, left: found.there.containers - quantity })
    }
}

#[cfg(test)]
mod tests {
    use super::super::specimens::{actor, facts_of, sample};
    use super::*;

    fn recorded(from: Place, to: Place) -> Recorded {
        let sample = sample();
        let at = chrono::DateTime::UNIX_EPOCH;
        let entry = entry(&sample, None, (from, to), 2, "销毁", &actor("quality"), at);
        Recorded { sample, entry: Some(entry), undone: false, there: There { containers: 2, billionths: None } }
    }

    fn decided(who: &str, reason: &str, found: &Recorded) -> Result<Place, Refusal> {
        let undo = UndoMove { id: "s".into(), entry_id: "e".into(), reason: reason.into() };
        facts_of(&actor(who), |facts| undo.decide(facts, found)).map(|(entry, _)| entry.from_place)
    }

    #[test]
    fn what_left_by_mistake_comes_back_as_somebody_else_says() {
        for to in [Place::Consumed, Place::Returned, Place::Destroyed] {
            let found = recorded(Place::TestPortion, to);
            assert_eq!(decided("second", "误点", &found), Ok(Place::TestPortion));
            assert_eq!(decided("quality", "误点", &found), Err(CustodyRefusal::OwnMove.into()));
        }
        let found = recorded(Place::Retention, Place::Destroyed);
        assert_eq!(decided("second", " ", &found).err().and_then(|refusal| refusal.field).as_deref(), Some("reason"));
        let twice = Recorded { undone: true, ..recorded(Place::Retention, Place::Destroyed) };
        assert_eq!(decided("second", "误点", &twice), Err(CustodyRefusal::UndoneAlready.into()));
        let gone = Recorded {
            there: There { containers: 1, billionths: None },
            ..recorded(Place::Retention, Place::Destroyed)
        };
        assert!(decided("second", "误点", &gone).is_err());
    }

    #[test]
    fn what_the_program_moved_is_not_taken_back_by_hand() {
        for (from, to) in [(Place::Received, Place::Returned), (Place::TestPortion, Place::Retention)] {
            assert_eq!(decided("second", "误点", &recorded(from, to)), Err(CustodyRefusal::NotByHand.into()));
        }
    }
}
