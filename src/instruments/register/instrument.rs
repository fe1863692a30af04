//! Entering, changing and retiring an instrument.

use diesel::prelude::*;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::entry::{Around, InstrumentEntry, NewInstrument, checked};
use super::rows::row_of;
use super::view::{InstrumentView, view_of};
use crate::action::{Action, Context, Facts, Services, Subject, TakenBack};
use crate::instruments::refusals::InstrumentRefusal;
use crate::record::{Actor, Change};
use crate::refusal::{Code, Refusal};
use crate::store::columns::{AccountId, Instant, InstituteId, InstrumentId, Json};
use crate::store::revisions::Revised;
use crate::store::rows::{AccountRow, InstrumentRow};
use crate::store::schema::{account, institute, instrument};
use crate::store::{Failure, Invariant, Outcome, StoreError};
use crate::text;
use crate::vocabulary::instruments::{InstrumentEvent, InstrumentState};
use crate::vocabulary::{PasswordOrigin, Permission};

/// Enters an instrument.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct RegisterInstrument(pub NewInstrument);

/// Changes an instrument: all fields are given anew.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeInstrument {
    pub id: InstrumentId,
    pub reason: String,
    pub instrument: NewInstrument,
}

/// Takes an instrument out of use. Its files and records stay.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetireInstrument {
    pub id: InstrumentId,
    pub reason: String,
}

impl Action for RegisterInstrument {
    const NAME: &'static str = "instrument.register";
    const PERMISSION: Permission = Permission::InstrumentRegisterManage;
    const AS_FILED: &'static [&'static str] = &["folder", "folder_pattern"];
    type Prepared = Around;
    type Loaded = (InstituteId, String, Around);
    type Plan = InstrumentEntry;
    type Done = InstrumentView;

    fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<Around> {
        Around::look(services, actor, &self.0)
    }

    fn load(&self, cx: &mut Context<'_>, around: &Around) -> Outcome<Self::Loaded> {
        let own = cx.institute()?;
        let code = institute::table.find(&own).select(institute::code).first(cx.conn)?;
        Ok((own, code, around.clone()))
    }

    fn decide(&self, _: &Facts<'_>, (.., around): &Self::Loaded) -> Result<InstrumentEntry, Refusal> {
        checked(&self.0, around)
    }

    fn keep(
        &self,
        cx: &mut Context<'_>,
        (own, place, _): Self::Loaded,
        plan: InstrumentEntry,
    ) -> Outcome<InstrumentView> {
        let content = json!(plan);
        let row = plan.onto(fresh(own, cx.actor, cx.now.into()));
        // The machine has an account of its own, by the same code.
        diesel::insert_into(account::table).values(&machine(&row, &place)).execute(cx.conn).map_err(taken)?;
        diesel::insert_into(instrument::table).values(&row).execute(cx.conn).map_err(taken)?;
        cx.record(Change::created(Self::NAME, "instrument", &row.id, content));
        view_of(cx.conn, row, cx.today())
    }
}

/// A row in use that nothing is said of yet.
fn fresh(institute_id: InstituteId, actor: &Actor, at: Instant) -> InstrumentRow {
    InstrumentRow {
        id: InstrumentId::new(),
        institute_id,
        account_id: AccountId::new(),
        code: String::new(),
        name: String::new(),
        vendor: String::new(),
        model: String::new(),
        serial: String::new(),
        adapter: None,
        date_order: None,
        zone: None,
        matching: Json::of(&()),
        folder: None,
        folder_pattern: String::new(),
        listener_kind: None,
        listener_port: None,
        listener_idle_ms: 0,
        listener_peers: String::new(),
        state: InstrumentState::Active,
        state_reason: None,
        created_by: actor.account.clone(),
        created_at: at,
        changed_by: None,
        changed_at: None,
    }
}

/// The account under which an instrument's files come in: disabled, without roles, and with no password at all.
fn machine(row: &InstrumentRow, institute: &str) -> AccountRow {
    AccountRow {
        id: row.account_id.clone(),
        // No user name that a person can have contains a colon.
        username: format!("instrument:{}:{}", institute.to_lowercase(), row.code.to_lowercase()),
        display_name: format!("仪器 {}", row.code),
        password_hash: "!".into(),
        institute_id: Some(row.institute_id.clone()),
        applicant_id: None,
        disabled: true,
        failed_logins: 0,
        locked_until: None,
        created_at: row.created_at.clone(),
        password_origin: PasswordOrigin::Own,
    }
}

fn taken(error: diesel::result::Error) -> Failure {
    match StoreError::from(error) {
        StoreError::Unique { rule: Invariant::ListenerPortTaken, .. } => {
            Refusal::new(Code::Conflict, "该端口已由另一台仪器使用", "another instrument listens on this port")
                .at("listener_port")
                .into()
        }
        StoreError::Unique { .. } => {
            Refusal::new(Code::Conflict, "该仪器编号已登记", "an instrument of this code is registered already")
                .at("code")
                .into()
        }
        other => other.into(),
    }
}

impl Action for ChangeInstrument {
    const NAME: &'static str = "instrument.change";
    const PERMISSION: Permission = Permission::InstrumentRegisterManage;
    const AS_FILED: &'static [&'static str] =
        &["instrument.folder", "instrument.folder_pattern", "folder", "folder_pattern"];
    const REPLACES: bool = true;
    type Prepared = Around;
    type Loaded = (InstrumentRow, Around);
    type Plan = (InstrumentEntry, String);
    type Done = InstrumentView;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Instrument, &self.id))
    }

    fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<Around> {
        Around::look(services, actor, &self.instrument)
    }

    fn load(&self, cx: &mut Context<'_>, around: &Around) -> Outcome<Self::Loaded> {
        let own = cx.institute()?;
        Ok((row_of(cx.conn, &own, &self.id)?, around.clone()))
    }

    fn decide(&self, _: &Facts<'_>, (old, around): &Self::Loaded) -> Result<Self::Plan, Refusal> {
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        let around = &around.as_it_stands(old, &self.instrument);
        let entry = checked(&self.instrument, around)?;
        old.state.on(InstrumentEvent::Change).map_err(InstrumentRefusal::from)?;
        if old.code != entry.code {
            return Err(Refusal::field("code", "编号登记后不能更改", "the code stays as registered"));
        }
        Ok((entry, reason))
    }

    fn keep(
        &self,
        cx: &mut Context<'_>,
        (old, _): Self::Loaded,
        (entry, reason): Self::Plan,
    ) -> Outcome<InstrumentView> {
        let change = difference(&old, &entry)?.because(reason);
        let row = InstrumentRow {
            changed_by: Some(cx.actor.account.clone()),
            changed_at: Some(cx.now.into()),
            ..entry.onto(old)
        };
        diesel::update(instrument::table.find(&self.id)).set(&row).execute(cx.conn).map_err(taken)?;
        cx.record(change);
        view_of(cx.conn, row, cx.today())
    }
}

/// What a change changed, field by field.
fn difference(old: &InstrumentRow, new: &InstrumentEntry) -> Outcome<Change> {
    let (before, after) = (json!(InstrumentEntry::of(old)?), json!(new));
    let mut change = Change::created(ChangeInstrument::NAME, "instrument", &old.id, json!({}));
    for (field, value) in after.as_object().into_iter().flatten() {
        let was = &before[field];
        if was != value {
            change.add(field, was.clone(), value.clone());
        }
    }
    Ok(change)
}

impl Action for RetireInstrument {
    const NAME: &'static str = "instrument.retire";
    const PERMISSION: Permission = Permission::InstrumentRegisterManage;
    type Prepared = ();
    type Loaded = InstrumentRow;
    type Plan = (InstrumentState, String);
    type Done = ();

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Instrument, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<InstrumentRow> {
        let own = cx.institute()?;
        row_of(cx.conn, &own, &self.id)
    }

    fn decide(&self, _: &Facts<'_>, old: &InstrumentRow) -> Result<Self::Plan, Refusal> {
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        let state = old.state.on(InstrumentEvent::Retire).map_err(InstrumentRefusal::from)?;
        Ok((state, reason))
    }

    fn keep(&self, cx: &mut Context<'_>, old: InstrumentRow, (state, reason): Self::Plan) -> Outcome<()> {
        diesel::update(instrument::table.find(&self.id))
            .set((
                instrument::state.eq(state),
                instrument::state_reason.eq(&reason),
                instrument::changed_by.eq(&cx.actor.account),
                instrument::changed_at.eq(Instant::from(cx.now)),
            ))
            .execute(cx.conn)?;
        let change = Change::field(Self::NAME, "instrument", &self.id, "state", old.state.as_str(), state.as_str());
        cx.record(change.because(reason));
        Ok(())
    }
}

/// Takes back that an instrument was retired: that was a mistake, and it serves as before.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreInstrument {
    pub id: InstrumentId,
    pub reason: String,
}

impl Action for RestoreInstrument {
    const NAME: &'static str = "instrument.restore";
    const PERMISSION: Permission = Permission::InstrumentRegisterManage;
    type Prepared = ();
    type Loaded = InstrumentRow;
    type Plan = (InstrumentState, String);
    type Done = ();

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Instrument, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<InstrumentRow> {
        let own = cx.institute()?;
        row_of(cx.conn, &own, &self.id)
    }

    fn decide(&self, _: &Facts<'_>, old: &InstrumentRow) -> Result<Self::Plan, Refusal> {
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        let state = old.state.on(InstrumentEvent::Restore).map_err(InstrumentRefusal::from)?;
        Ok((state, reason))
    }

    fn keep(&self, cx: &mut Context<'_>, old: InstrumentRow, (state, reason): Self::Plan) -> Outcome<()> {
        let back = TakenBack {
            of: ("instrument", self.id.as_str()),
            was: old.state.as_str(),
            becomes: state.as_str(),
            was_because: old.state_reason.as_deref(),
            reason: &reason,
        };
        cx.take_back(Revised::Instrument, &back)?;
        diesel::update(instrument::table.find(&self.id))
            .set((
                instrument::state.eq(state),
                instrument::state_reason.eq(None::<String>),
                instrument::changed_by.eq(&cx.actor.account),
                instrument::changed_at.eq(Instant::from(cx.now)),
            ))
            .execute(cx.conn)
            .map_err(taken)?;
        let change = Change::field(Self::NAME, "instrument", &self.id, "state", old.state.as_str(), state.as_str());
        cx.record(change.because(reason));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor() -> Actor {
        Actor {
            account: "a".into(),
            username: "quality".into(),
            display_name: "质量".into(),
            institute: Some("i".into()),
            applicant: None,
            roles: Vec::new(),
            request_id: None,
            session: None,
        }
    }

    #[test]
    fn the_trail_says_what_changed_and_nothing_else() {
        let at = Instant::from(chrono::DateTime::UNIX_EPOCH);
        let new = NewInstrument { code: "A".into(), name: "天平".into(), ..NewInstrument::default() };
        let entry = checked(&new, &Around::default()).expect("in order");
        let row = entry.clone().onto(fresh("i".into(), &actor(), at));
        let after = InstrumentEntry { serial: "SN-2".into(), ..entry };
        let change = difference(&row, &after).expect("readable");
        assert_eq!(change.changes, json!({"serial": {"old": "", "new": "SN-2"}}));
    }
}
