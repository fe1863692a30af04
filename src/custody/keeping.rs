//! What becomes of a retained portion (留样): its use for a re-test is asked for and approved by somebody else, who signs;
//! its destruction is approved too, carried out by one and witnessed by another. One row for each step, only added.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::amounts::There;
use super::moves::{by_container, reported, sample_of};
use super::refusals::CustodyRefusal;
use super::{entry, there};
use crate::action::{Action, Context, Facts, Services, Subject};
use crate::people::{Grace, Reauthenticated, SignedContent};
use crate::record::{Actor, Change};
use crate::refusal::Refusal;
use crate::secrets::Password;
use crate::store::Outcome;
use crate::store::columns::{CustodyEntryId, KeepingRequestId, KeepingStepId, SampleId, SignatureId};
use crate::store::revisions::Revised;
use crate::store::rows::{CustodyEntryRow, KeepingRequestRow, KeepingStepRow, SampleRow};
use crate::store::schema::{custody_entry, keeping_request, keeping_step};
use crate::text;
use crate::vocabulary::{KeepingEvent, KeepingKind, KeepingState, Permission, Place, SignatureMeaning};

/// Asks for the use of retained containers, or for the destruction of containers.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskKeeping {
    pub id: SampleId,
    /// `use`: what is retained serves a re-test; `destroy`
    pub kind: KeepingKind,
    /// Where they are; `retention` for a use
    #[serde(default = "retention")]
    pub from: Place,
    /// Whole containers
    pub quantity: i64,
    pub reason: String,
}

fn retention() -> Place {
    Place::Retention
}

/// Approves a request; what is retained then moves to the re-test portion.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveKeeping {
    pub id: KeepingRequestId,
    #[serde(default)]
    pub note: String,
    /// To sign with; not needed shortly after the log-in or another signature of the same session
    #[serde(default)]
    pub password: Option<Password>,
    /// Of the second factor, where the account has one
    #[serde(default)]
    pub code: Option<String>,
}

/// Does not approve a request.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefuseKeeping {
    pub id: KeepingRequestId,
    pub reason: String,
}

/// Records that containers were destroyed as approved; a witness confirms it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CarryOutKeeping {
    pub id: KeepingRequestId,
    /// How and where they were destroyed
    pub record: String,
}

/// Confirms, as somebody else who saw it, that the containers were destroyed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WitnessKeeping {
    pub id: KeepingRequestId,
    #[serde(default)]
    pub note: String,
    /// To sign with; not needed shortly after the log-in or another signature of the same session
    #[serde(default)]
    pub password: Option<Password>,
    /// Of the second factor, where the account has one
    #[serde(default)]
    pub code: Option<String>,
}

/// How far a request is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct KeepingAnswer {
    pub id: KeepingRequestId,
    pub sample_id: SampleId,
    pub kind: KeepingKind,
    pub state: KeepingState,
    pub quantity: i64,
}

/// What a request is asked on.
pub struct Askable {
    sample: SampleRow,
    there: There,
    reported: bool,
}

impl Action for AskKeeping {
    const NAME: &'static str = "keeping.ask";
    const PERMISSION: Permission = Permission::KeepingAsk;
    type Prepared = ();
    type Loaded = Askable;
    type Plan = String;
    type Done = KeepingAnswer;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Sample, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Askable> {
        let sample = sample_of(cx.conn, cx.actor, &self.id)?;
        let there = there(cx.conn, &self.id, self.from)?;
        let reported = reported(cx.conn, &self.id)?;
        Ok(Askable { sample, there, reported })
    }

    fn decide(&self, _: &Facts<'_>, of: &Askable) -> Result<String, Refusal> {
        let to = if self.kind == KeepingKind::Use { Place::Retest } else { Place::Destroyed };
        let fits = match self.kind {
            KeepingKind::Use => self.from == Place::Retention,
            KeepingKind::Destroy => self.from.leads_to(Place::Destroyed),
        };
        if !fits {
            return Err(CustodyRefusal::NoWay { from: self.from, to }.into());
        }
        if self.quantity < 1 {
            return Err(CustodyRefusal::NotCountable.into());
        }
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        enough(self.kind, self.from, self.quantity, of)?;
        Ok(reason)
    }

    fn keep(&self, cx: &mut Context<'_>, of: Askable, reason: String) -> Outcome<KeepingAnswer> {
        let row = KeepingRequestRow {
            id: KeepingRequestId::new(),
            institute_id: of.sample.institute_id.clone(),
            sample_id: of.sample.id.clone(),
            kind: self.kind,
            from_place: self.from,
            quantity: self.quantity,
            reason,
            asked_by: cx.actor.account.clone(),
            asked_at: cx.now.into(),
        };
        diesel::insert_into(keeping_request::table).values(&row).execute(cx.conn)?;
        let said = json!({"request": row.id, "kind": row.kind, "from": row.from_place, "quantity": row.quantity});
        cx.record(Change::created(Self::NAME, "sample", &row.sample_id, said).because(&row.reason));
        Ok(KeepingAnswer::of(&row, KeepingState::Asked))
    }
}

/// There are so many containers, and what is retained stays for questions about a report that is still to come.
fn enough(kind: KeepingKind, from: Place, quantity: i64, of: &Askable) -> Result<(), CustodyRefusal> {
    if of.there.containers < quantity {
        return Err(CustodyRefusal::TooFew { at: from, available: of.there.containers, asked: quantity });
    }
    let open = of.sample.state == crate::vocabulary::SampleState::Received && !of.reported;
    if kind == KeepingKind::Destroy && from == Place::Retention && open {
        return Err(CustodyRefusal::ReportOpen);
    }
    Ok(())
}

impl KeepingAnswer {
    fn of(row: &KeepingRequestRow, state: KeepingState) -> Self {
        let (id, sample_id) = (row.id.clone(), row.sample_id.clone());
        Self { id, sample_id, kind: row.kind, state, quantity: row.quantity }
    }
}

/// A request with its steps, and what it is about.
pub struct Requested {
    row: KeepingRequestRow,
    steps: Vec<KeepingStepRow>,
    of: Askable,
    proof: Option<Reauthenticated>,
}

impl Requested {
    fn load(cx: &mut Context<'_>, id: &KeepingRequestId, proof: Option<Reauthenticated>) -> Outcome<Self> {
        let institute = cx.institute()?;
        let row: Option<KeepingRequestRow> = keeping_request::table
            .find(id)
            .filter(keeping_request::institute_id.eq(&institute))
            .select(KeepingRequestRow::as_select())
            .first(cx.conn)
            .optional()?;
        let row = row.ok_or_else(|| CustodyRefusal::NoRequest(id.clone()))?;
        let steps: Vec<KeepingStepRow> = keeping_step::table
            .filter(keeping_step::request_id.eq(id))
            .order(keeping_step::position)
            .select(KeepingStepRow::as_select())
            .load(cx.conn)?;
        let sample = sample_of(cx.conn, cx.actor, &row.sample_id)?;
        let there = there(cx.conn, &row.sample_id, row.from_place)?;
        let reported = reported(cx.conn, &row.sample_id)?;
        Ok(Self { row, steps, of: Askable { sample, there, reported }, proof })
    }

    /// The state that follows, where it is this person's to bring about.
    fn next(&self, event: KeepingEvent, actor: &Actor) -> Result<KeepingState, CustodyRefusal> {
        let now = self.steps.last().map_or(KeepingState::Asked, |step| step.state);
        let next = now.on(event).map_err(CustodyRefusal::State)?;
        if event == KeepingEvent::CarryOut && self.row.kind != KeepingKind::Destroy {
            return Err(CustodyRefusal::NothingToCarryOut);
        }
        let did =
            |event: KeepingEvent| self.steps.iter().any(|step| step.event == event && step.by_account == actor.account);
        let own = match event {
            KeepingEvent::Approve | KeepingEvent::Refuse => self.row.asked_by == actor.account,
            KeepingEvent::Witness => did(KeepingEvent::CarryOut),
            KeepingEvent::Ask | KeepingEvent::CarryOut => false,
        };
        if own {
            return Err(CustodyRefusal::OwnRequest(event));
        }
        if matches!(event, KeepingEvent::Approve | KeepingEvent::CarryOut | KeepingEvent::Witness) {
            enough(self.row.kind, self.row.from_place, self.row.quantity, &self.of)?;
        }
        Ok(next)
    }

    fn content(&self, event: KeepingEvent, note: &str) -> SignedContent {
        let steps: Vec<_> = self.steps.iter().map(|step| json!({"event": step.event, "note": step.note})).collect();
        SignedContent::of(&json!({"request": self.row.id, "sample": self.of.sample.number, "kind": self.row.kind,
            "from": self.row.from_place, "quantity": self.row.quantity, "reason": self.row.reason, "steps": steps,
            "event": event, "note": note}))
    }

    fn sign(
        &self,
        cx: &mut Context<'_>,
        meaning: SignatureMeaning,
        event: KeepingEvent,
        note: &str,
    ) -> Outcome<Option<SignatureId>> {
        let subject = ("sample", self.row.sample_id.as_str());
        cx.sign(self.proof.as_ref(), meaning, subject, &self.content(event, note)).map(Some)
    }

    /// The containers leave their place.
    fn moved(&self, cx: &mut Context<'_>, to: Place) -> Outcome<Option<CustodyEntryId>> {
        let (sample, places) = (&self.of.sample, (self.row.from_place, to));
        let reason = format!("{} {}：{}", self.row.kind.zh(), self.row.kind.en(), self.row.reason);
        let row = entry(sample, None, places, self.row.quantity, &reason, cx.actor, cx.now);
        let row: CustodyEntryRow = by_container(sample, self.of.there, row);
        diesel::insert_into(custody_entry::table).values(&row).execute(cx.conn)?;
        Ok(Some(row.id))
    }

    fn keep(&self, cx: &mut Context<'_>, name: &'static str, plan: KeepingMove) -> Outcome<KeepingAnswer> {
        let KeepingMove { event, state, note, signature_id, custody_entry_id } = plan;
        let position = i64::try_from(self.steps.len()).unwrap_or(i64::MAX - 1) + 1;
        let (at, by_account) = (cx.now.into(), cx.actor.account.clone());
        let (id, request_id) = (KeepingStepId::new(), self.row.id.clone());
        let row = KeepingStepRow {
            id,
            request_id,
            position,
            event,
            state,
            note,
            by_account,
            at,
            signature_id,
            custody_entry_id,
        };
        diesel::insert_into(keeping_step::table).values(&row).execute(cx.conn)?;
        let said = json!({"request": row.request_id, "state": row.state, "entry": row.custody_entry_id,
            "quantity": self.row.quantity, "from": self.row.from_place});
        let mut change = Change::created(name, "sample", &self.row.sample_id, said);
        change.reason = Some(row.note).filter(|note| !note.is_empty());
        cx.record(change);
        Ok(KeepingAnswer::of(&self.row, state))
    }
}

struct KeepingMove {
    event: KeepingEvent,
    state: KeepingState,
    note: String,
    signature_id: Option<SignatureId>,
    custody_entry_id: Option<CustodyEntryId>,
}

/// The next state and the note.
pub struct NextStep {
    state: KeepingState,
    note: String,
}

/// The four steps differ by who may do them, what they write and whether they are signed.
macro_rules! steps {
    ($($action:ident = $name:literal, $permission:ident, $event:ident, $prepared:ty, $prove:expr, $note:expr, $keep:expr;)+) => {$(
        impl Action for $action {
            const NAME: &'static str = $name;
            const PERMISSION: Permission = Permission::$permission;
            type Prepared = $prepared;
            type Loaded = Requested;
            type Plan = NextStep;
            type Done = KeepingAnswer;

            fn prepare(&self, services: &Services, actor: &Actor) -> Outcome<$prepared> {
                let prove: fn(&Self, &Services, &Actor) -> Outcome<$prepared> = $prove;
                prove(self, services, actor)
            }

            fn load(&self, cx: &mut Context<'_>, proof: &$prepared) -> Outcome<Requested> {
                Requested::load(cx, &self.id, proof.clone())
            }

            fn decide(&self, facts: &Facts<'_>, of: &Requested) -> Result<NextStep, Refusal> {
                let note: fn(&Self) -> Result<String, Refusal> = $note;
                let note = note(self)?;
                Ok(NextStep { state: of.next(KeepingEvent::$event, facts.actor)?, note })
            }

            fn keep(&self, cx: &mut Context<'_>, of: Requested, plan: NextStep) -> Outcome<KeepingAnswer> {
                let NextStep { state, note } = plan;
                let kept: fn(&mut Context<'_>, &Requested, &str) -> Outcome<(Option<SignatureId>, Option<CustodyEntryId>)> = $keep;
                let (signature_id, custody_entry_id) = kept(cx, &of, &note)?;
                of.keep(cx, Self::NAME, KeepingMove { event: KeepingEvent::$event, state, note, signature_id, custody_entry_id })
            }
        }
    )+};
}

type Proof = Option<Reauthenticated>;

steps! {
    ApproveKeeping = "keeping.approve", KeepingApprove, Approve, Proof,
        |own, services, actor| {
            services.identity.prove(actor, own.password.as_ref(), own.code.as_deref(), Grace::Counts).map(Some)
        },
        |own| text::optional("note", &own.note, text::REMARK),
        |cx, of, note| {
            let signed = of.sign(cx, SignatureMeaning::KeepingApproved, KeepingEvent::Approve, note)?;
            let used = of.row.kind == KeepingKind::Use;
            Ok((signed, if used { of.moved(cx, Place::Retest)? } else { None }))
        };
    RefuseKeeping = "keeping.refuse", KeepingApprove, Refuse, Proof,
        |_, _, _| Ok(None),
        |own| text::required("reason", &own.reason, text::REMARK),
        |_, _, _| Ok((None, None));
    CarryOutKeeping = "keeping.carry_out", KeepingCarryOut, CarryOut, Proof,
        |_, _, _| Ok(None),
        |own| text::required("record", &own.record, text::REMARK),
        |_, _, _| Ok((None, None));
    WitnessKeeping = "keeping.witness", KeepingCarryOut, Witness, Proof,
        |own, services, actor| {
            services.identity.prove(actor, own.password.as_ref(), own.code.as_deref(), Grace::Counts).map(Some)
        },
        |own| text::optional("note", &own.note, text::REMARK),
        |cx, of, note| {
            let signed = of.sign(cx, SignatureMeaning::DestructionWitnessed, KeepingEvent::Witness, note)?;
            Ok((signed, of.moved(cx, Place::Destroyed)?))
        };
}

#[cfg(test)]
mod tests {
    use super::super::specimens::sample;
    use super::*;
    use crate::store::columns::{AccountId, Instant};
    use crate::vocabulary::Role;

    fn actor(account: &str) -> Actor {
        Actor {
            account: account.into(),
            username: account.into(),
            display_name: account.into(),
            institute: Some("i".into()),
            applicant: None,
            roles: vec![Role::Quality],
            request_id: None,
            session: None,
        }
    }

    fn requested(kind: KeepingKind, steps: &[(KeepingEvent, &str)], there: i64) -> Requested {
        let at = Instant::from(chrono::DateTime::UNIX_EPOCH);
        let row = KeepingRequestRow {
            id: KeepingRequestId::new(),
            institute_id: "i".into(),
            sample_id: SampleId::new(),
            kind,
            from_place: Place::Retention,
            quantity: 2,
            reason: "到期".into(),
            asked_by: "asker".into(),
            asked_at: at.clone(),
        };
        let mut state = KeepingState::Asked;
        let mut rows = Vec::new();
        for (event, who) in steps {
            state = state.on(*event).expect("in order");
            rows.push(KeepingStepRow {
                id: KeepingStepId::new(),
                request_id: row.id.clone(),
                position: 1,
                event: *event,
                state,
                note: String::new(),
                by_account: AccountId::from(*who),
                at: at.clone(),
                signature_id: None,
                custody_entry_id: None,
            });
        }
        let there = There { containers: there, billionths: None };
        Requested { row, steps: rows, of: Askable { sample: sample(), there, reported: true }, proof: None }
    }

    #[test]
    fn who_asks_does_not_approve_and_who_destroys_is_not_the_witness() {
        use KeepingEvent::{Approve, CarryOut, Witness};
        let destroy = |steps: &[(KeepingEvent, &str)], event, who: &str| {
            requested(KeepingKind::Destroy, steps, 2).next(event, &actor(who))
        };
        assert_eq!(destroy(&[], Approve, "asker"), Err(CustodyRefusal::OwnRequest(Approve)));
        assert_eq!(destroy(&[], Approve, "quality"), Ok(KeepingState::Approved));
        let approved = [(Approve, "quality")];
        assert_eq!(destroy(&approved, CarryOut, "asker"), Ok(KeepingState::CarriedOut));
        let carried = [(Approve, "quality"), (CarryOut, "asker")];
        assert_eq!(destroy(&carried, Witness, "asker"), Err(CustodyRefusal::OwnRequest(Witness)));
        assert_eq!(destroy(&carried, Witness, "quality"), Ok(KeepingState::Done));
        assert!(destroy(&[], CarryOut, "quality").is_err(), "nothing is destroyed that nobody approved");
    }

    #[test]
    fn an_approval_looks_again_at_what_there_is() {
        let few = requested(KeepingKind::Use, &[], 1).next(KeepingEvent::Approve, &actor("quality"));
        assert_eq!(few, Err(CustodyRefusal::TooFew { at: Place::Retention, available: 1, asked: 2 }));
        let used = requested(KeepingKind::Use, &[(KeepingEvent::Approve, "quality")], 2);
        assert_eq!(used.next(KeepingEvent::CarryOut, &actor("b")), Err(CustodyRefusal::NothingToCarryOut));
    }
}
