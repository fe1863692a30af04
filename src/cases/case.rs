//! The case: loaded once, moved by events only, written with what the trail says of it.

use diesel::prelude::*;
use serde_json::{Map, Value, json};

use super::duplicates;
use super::refusals::CasesRefusal;
use crate::action::Context;
use crate::business::{CaseDates, Particulars, StoredParticulars};
use crate::record::{Actor, Change};
use crate::regulation::Determination;
use crate::store::columns::{ApplicationId, Day};
use crate::store::rows::{ApplicationRow, BatchRow};
use crate::store::schema::{application, batch, lot_key};
use crate::store::{AnyConnection, Outcome};
use crate::vocabulary::CaseState;
use crate::vocabulary::states::CaseEvent;

/// A case, with what an action changed on it.
#[derive(Clone, Debug)]
pub struct Case {
    row: ApplicationRow,
    changes: Map<String, Value>,
    reason: Option<String>,
}

impl Case {
    /// The case of that id, where it is of the actor's institute.
    ///
    /// # Errors
    /// Where there is none.
    pub fn of(cx: &mut Context<'_>, id: &ApplicationId) -> Outcome<Self> {
        Self::of_institute(cx.conn, cx.actor, id)
    }

    /// The same outside of an action, to look at.
    pub(super) fn of_institute(conn: &mut AnyConnection, actor: &Actor, id: &ApplicationId) -> Outcome<Self> {
        let institute = actor.institute()?;
        Self::loaded(conn, id, |row| row.institute_id == institute)
    }

    /// The case of that id, where the actor's applicant applied for it.
    ///
    /// # Errors
    /// Where there is none.
    pub(super) fn of_applicant(cx: &mut Context<'_>, id: &ApplicationId) -> Outcome<Self> {
        let applicant = cx.actor.applicant.clone();
        Self::loaded(cx.conn, id, |row| applicant.as_ref() == Some(&row.applicant_id))
    }

    /// The case of that id, whoever asks: for what another module tells it of work that it checked by itself.
    pub(super) fn told(conn: &mut AnyConnection, id: &ApplicationId) -> Outcome<Self> {
        Self::loaded(conn, id, |_| true)
    }

    fn loaded(conn: &mut AnyConnection, id: &ApplicationId, own: impl Fn(&ApplicationRow) -> bool) -> Outcome<Self> {
        let found: Option<ApplicationRow> =
            application::table.find(id).select(ApplicationRow::as_select()).first(conn).optional()?;
        let row = found.filter(own).ok_or_else(|| CasesRefusal::NoCase(id.clone()))?;
        Ok(Self::new(row))
    }

    /// A case that is not stored yet.
    pub(super) fn new(row: ApplicationRow) -> Self {
        Self { row, changes: Map::new(), reason: None }
    }

    /// The row as it is to be.
    #[must_use]
    pub fn row(&self) -> &ApplicationRow {
        &self.row
    }

    /// The row, for the facts that an action records; its state is moved by [`Case::on`] alone.
    pub(super) fn facts(&mut self) -> &mut ApplicationRow {
        &mut self.row
    }

    /// The dates that its line reads.
    #[must_use]
    pub fn dates(&self) -> CaseDates {
        let day = |day: &Option<Day>| day.as_ref().map(Day::date);
        CaseDates {
            arrived_at_port: day(&self.row.arrived_at_port_on),
            notice_received: day(&self.row.notice_received_on),
            sampled: day(&self.row.sampled_on),
        }
    }

    /// Something happens to the case: the one way to a state.
    ///
    /// # Errors
    /// Where the event does not fit the state; the refusal names both.
    pub fn on(&mut self, event: CaseEvent) -> Result<CaseState, CasesRefusal> {
        let before = self.row.state;
        self.row.state = before.on(event)?;
        if self.row.state != before {
            self.note("state", before.as_str(), self.row.state.as_str());
        }
        Ok(self.row.state)
    }

    /// Adds a field to what the trail says of this change. A field that changes twice has its first old value.
    pub(super) fn note(&mut self, field: &str, old: impl Into<Value>, new: impl Into<Value>) {
        let old = self.changes.get(field).map_or_else(|| old.into(), |change| change["old"].clone());
        self.changes.insert(field.to_owned(), json!({"old": old, "new": new.into()}));
    }

    /// Adds why.
    pub(super) fn because(&mut self, reason: &str) {
        self.row.state_reason = Some(reason.to_owned());
        self.reason = Some(reason.to_owned());
    }

    fn event(&self, name: &'static str) -> Change {
        Change {
            action: name,
            version: 1,
            kind: "application",
            id: self.row.id.to_string(),
            changes: Value::Object(self.changes.clone()),
            institute: None,
            reason: self.reason.clone(),
        }
    }

    /// Writes a case that is stored, with the event of that name.
    ///
    /// # Errors
    /// The store's failure.
    pub fn keep(self, cx: &mut Context<'_>, name: &'static str) -> Outcome<ApplicationRow> {
        let event = self.write(cx.conn, name)?;
        cx.record(event);
        Ok(self.row)
    }

    /// As [`Case::keep`]; the caller records the event.
    pub(super) fn write(&self, conn: &mut AnyConnection, name: &'static str) -> Outcome<Change> {
        let row = &self.row;
        diesel::update(application::table.find(&row.id))
            .set((
                application::state.eq(row.state),
                application::state_reason.eq(&row.state_reason),
                application::specification_id.eq(&row.specification_id),
                application::accepted_on.eq(&row.accepted_on),
                application::arrived_at_port_on.eq(&row.arrived_at_port_on),
                application::notice_received_on.eq(&row.notice_received_on),
                application::sampled_on.eq(&row.sampled_on),
                application::received_on.eq(&row.received_on),
                application::lane.eq(row.lane),
                application::lane_rank.eq(row.lane_rank),
                application::determination.eq(&row.determination),
                application::acceptance_number.eq(&row.acceptance_number),
                application::particulars.eq(&row.particulars),
            ))
            .execute(conn)?;
        Ok(self.event(name))
    }

    /// Stores a new case with its batches and the event of that name, which says what was applied for.
    ///
    /// # Errors
    /// The store's failure.
    pub(super) fn insert(
        mut self,
        cx: &mut Context<'_>,
        name: &'static str,
        batches: &[BatchRow],
    ) -> Outcome<ApplicationRow> {
        diesel::insert_into(application::table).values(&self.row).execute(cx.conn)?;
        crate::insert_all!(cx.conn, batch::table, batches)?;
        crate::insert_all!(cx.conn, lot_key::table, duplicates::keys(batches))?;
        for (field, value) in entered(&self.row, batches)? {
            self.note(&field, (), value);
        }
        let event = self.event(name);
        cx.record(event);
        Ok(self.row)
    }
}

/// What the trail says of a new case, field by field; what was left empty is not said.
fn entered(row: &ApplicationRow, batches: &[BatchRow]) -> Outcome<Map<String, Value>> {
    let lots: Vec<Value> = batches
        .iter()
        .map(|batch| {
            json!({"lot_number": batch.lot_number, "produced_on": batch.produced_on,
                   "expires_on": batch.expires_on, "lot_size": batch.lot_size,
                   "despite_duplicate": batch.despite_duplicate})
        })
        .collect();
    let said = json!({
        "number": row.number,
        "business": row.business,
        "purpose": row.purpose,
        "pre_submission": row.pre_submission,
        "standard_verification": row.standard_verification,
        "institute_id": row.institute_id,
        "applicant_id": row.applicant_id,
        "product_id": row.product_id,
        "specification_id": row.specification_id,
        "state": row.state,
        "arrived_at_port_on": row.arrived_at_port_on,
        "notice_received_on": row.notice_received_on,
        "sampled_on": row.sampled_on,
        "acceptance_number": row.acceptance_number,
        "particulars": particulars_of(row)?,
        "batches": lots,
    });
    let Value::Object(fields) = said else { return Ok(Map::new()) };
    Ok(fields.into_iter().filter(|(_, value)| !value.is_null()).collect())
}

/// The particulars of a case.
///
/// # Errors
/// Where what is stored cannot be read.
pub fn particulars_of(row: &ApplicationRow) -> Outcome<Particulars> {
    let stored: StoredParticulars = row.particulars.stored("application", "particulars", &row.id)?;
    Ok(stored.into())
}

/// What the regulation asked of a case when it was accepted; none before.
///
/// # Errors
/// Where what is stored cannot be read.
pub fn determination_of(row: &ApplicationRow) -> Outcome<Option<Determination>> {
    let stored = row.determination.as_ref();
    Ok(stored.map(|stored| stored.stored("application", "determination", &row.id)).transpose()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::specimens;
    use crate::store::columns::Json;
    use crate::vocabulary::states::WrongState;

    #[test]
    fn a_case_moves_by_events_and_remembers_where_it_began() {
        let mut case = Case::new(specimens::application());
        assert_eq!(case.on(CaseEvent::Accept), Ok(CaseState::Accepted));
        assert_eq!(case.on(CaseEvent::Receive), Ok(CaseState::Testing));
        assert_eq!(case.changes["state"], json!({"old": "draft", "new": "testing"}));
        let refused = case.on(CaseEvent::Accept).expect_err("it is accepted");
        assert_eq!(refused, WrongState::Case(CaseState::Testing, CaseEvent::Accept).into());
        assert_eq!(case.row().state, CaseState::Testing);
    }

    #[test]
    fn what_is_stored_and_cannot_be_read_is_a_failure_that_names_its_place() {
        let mut row = specimens::application();
        row.determination = Some(Json::of(&json!({"lane": "fast"})));
        let told = determination_of(&row).expect_err("no determination").to_string();
        assert!(told.contains("application.determination, id ") && told.contains(row.id.as_str()), "{told}");
        row.particulars = Json::of(&json!({"supplier": 1}));
        assert!(particulars_of(&row).expect_err("no text").to_string().contains("application.particulars"));
        row.determination = None;
        assert!(determination_of(&row).is_ok_and(|found| found.is_none()));
    }
}
