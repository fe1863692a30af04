//! A sample that was refused, and a lot that was withdrawn, by mistake.

use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;

use super::acceptance::laboratory_due;
use super::case::{Case, determination_of};
use super::demand::{LotDemand, demand, usual_content};
use super::label_questions::expired;
use super::load::{CaseFile, batches_of, clocks_of, received_of};
use super::receipt;
use super::refusals::CasesRefusal;
use super::reinstate::ever_issued;
use super::taken::Taken;
use crate::action::{Action, Context, Facts, Subject, TakenBack};
use crate::custody::{self, CustodyRefusal};
use crate::insert_all;
use crate::record::Change;
use crate::refusal::Refusal;
use crate::regulation::practice::Practice;
use crate::regulation::quantities::Content;
use crate::store::Outcome;
use crate::store::columns::{ApplicationId, BatchId, Day, Instant, SampleId};
use crate::store::revisions::Revised;
use crate::store::rows::{BatchRow, ContainerRow, CustodyEntryRow, SampleRow};
use crate::store::schema::{batch, container, custody_entry, sample, test_task};
use crate::text;
use crate::vocabulary::samples::{PortionEvent, SampleEvent};
use crate::vocabulary::states::CaseEvent;
use crate::vocabulary::{CaseState, Permission, Place, Portion, SampleState};

/// Takes back that a sample was refused: its containers did not go, and it is tested as one that was received then.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReinstateSample {
    pub id: SampleId,
    /// What the mistake was
    pub reason: String,
}

/// A refused sample with its case and its lot.
pub struct RefusedSample {
    sample: SampleRow,
    case: Case,
    file: CaseFile,
    batch: Option<BatchRow>,
    /// Another sample of the lot was received
    other: bool,
    containers: Vec<ContainerRow>,
    /// The entry by which they were given back
    gone: Option<CustodyEntryRow>,
    due: Option<Day>,
    issued: bool,
}

/// The sample as one that was received.
pub struct Plan {
    case: Case,
    state: SampleState,
    gone: CustodyEntryRow,
    /// Where its containers go, as at a receipt
    places: Vec<(Place, i64)>,
    reason: String,
}

impl RefusedSample {
    /// What the regulation asks of it, by what its containers hold.
    fn need(&self, practice: &Practice) -> Result<LotDemand, Refusal> {
        let determination = determination_of(self.case.row()).map_err(|_| CasesRefusal::NotAccepted)?;
        let determination = determination.ok_or(CasesRefusal::NotAccepted)?;
        let content = match (&self.sample.content_amount, &self.sample.content_unit) {
            (Some(amount), Some(unit)) => Content { amount: amount.decimal(), unit: unit.clone() },
            _ => usual_content(&self.file),
        };
        Ok(demand(&self.file, &determination, &content, practice))
    }
}

impl Action for ReinstateSample {
    const NAME: &'static str = "sample.reinstate";
    const PERMISSION: Permission = Permission::ReversalMake;
    type Prepared = ();
    type Loaded = RefusedSample;
    type Plan = Plan;
    type Done = ();

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Sample, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<RefusedSample> {
        let sample = custody::sample_of(cx.conn, cx.actor, &self.id)?;
        let case = Case::of(cx, &sample.application_id)?;
        let id = &sample.application_id;
        let batch = batches_of(cx.conn, id)?.into_iter().find(|batch| batch.id == sample.batch_id);
        let other = received_of(cx.conn, id)?.contains(&sample.batch_id);
        let containers: Vec<ContainerRow> = container::table
            .filter(container::sample_id.eq(&self.id))
            .order(container::position)
            .select(ContainerRow::as_select())
            .load(cx.conn)?;
        let gone: Option<CustodyEntryRow> = custody_entry::table
            .filter(custody_entry::sample_id.eq(&self.id))
            .filter(custody_entry::from_place.eq(Place::Received))
            .filter(custody_entry::to_place.eq(Place::Returned))
            .order(custody_entry::moved_at.desc())
            .select(CustodyEntryRow::as_select())
            .first(cx.conn)
            .optional()?;
        let (file, due) = (CaseFile::of(cx.conn, case.row())?, laboratory_due(&clocks_of(cx.conn, id)?));
        let issued = ever_issued(cx, id)?;
        Ok(RefusedSample { sample, case, file, batch, other, containers, gone, due, issued })
    }

    fn decide(&self, facts: &Facts<'_>, found: &RefusedSample) -> Result<Plan, Refusal> {
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        if found.sample.state != SampleState::Refused {
            return Err(CasesRefusal::NotRefused.into());
        }
        let state = found.sample.state.on(SampleEvent::Reinstate).map_err(CasesRefusal::State)?;
        let mut case = found.case.clone();
        case.on(CaseEvent::Receive)?;
        if found.issued {
            return Err(CasesRefusal::CertificateIssued.into());
        }
        let Some(batch) = found.batch.as_ref().filter(|batch| batch.withdrawn_at.is_none()) else {
            return Err(CasesRefusal::LotGone.into());
        };
        if found.other {
            return Err(CasesRefusal::LotEnded(batch.lot_number.clone()).into());
        }
        if expired(batch.expires_on.as_deref(), facts.today()) {
            return Err(CasesRefusal::Expired { sample: 0 }.into());
        }
        let given = i64::try_from(found.containers.len()).unwrap_or(i64::MAX);
        if given < found.sample.required_containers {
            let (required, lot) = (found.sample.required_containers, batch.lot_number.clone());
            return Err(CasesRefusal::TooFewContainers { lot, required, given }.into());
        }
        let need = found.need(facts.regulation.practice())?;
        need.known(0)?;
        let gone = found.gone.clone().ok_or(CasesRefusal::NotRefused)?;
        if gone.moved_by == facts.actor.account {
            return Err(CustodyRefusal::OwnMove.into());
        }
        let places = need.places(gone.quantity);
        Ok(Plan { case, state, gone, places, reason })
    }

    fn keep(&self, cx: &mut Context<'_>, found: RefusedSample, plan: Plan) -> Outcome<()> {
        let Plan { case, state, gone, places, reason } = plan;
        let RefusedSample { sample, file, containers, due, .. } = found;
        let taken = |of, was, becomes, was_because| TakenBack { of, was, becomes, was_because, reason: &reason };
        let refused = taken(
            ("sample", sample.id.as_str()),
            sample.state.as_str(),
            state.as_str(),
            sample.state_reason.as_deref(),
        );
        cx.take_back(Revised::Sample, &refused)?;
        let (from, to) = (Place::Returned.as_str(), Place::Received.as_str());
        let moved = taken(("custody_entry", gone.id.as_str()), from, to, Some(&gone.reason));
        cx.take_back_at(&moved, None, Some(gone.id.clone()))?;
        diesel::update(sample::table.find(&sample.id))
            .set((sample::state.eq(state), sample::state_reason.eq(None::<String>)))
            .execute(cx.conn)?;
        let full_test = sample.full_test_containers;
        let entries = custody::reinstate(&sample, gone.quantity, &places, cx.actor, cx.now);
        insert_all!(cx.conn, custody_entry::table, &entries)?;
        for (event, these) in portions(&containers, full_test) {
            let portion = Portion::Returned
                .on(PortionEvent::ComeBack)
                .and_then(|portion| portion.on(event))
                .map_err(CasesRefusal::from)?;
            for part in these.chunks(500) {
                let ids: Vec<_> = part.iter().map(|one| &one.id).collect();
                diesel::update(container::table.filter(container::id.eq_any(ids)))
                    .set(container::portion.eq(portion))
                    .execute(cx.conn)?;
            }
        }
        let tasks = receipt::tasks(&sample, &file.items, case.row().lane_rank, due.as_ref(), cx.now);
        insert_all!(cx.conn, test_task::table, &tasks)?;
        let event = Change::field(Self::NAME, "sample", &sample.id, "state", sample.state.as_str(), state.as_str())
            .and("takes_back", (), gone.id.as_str())
            .and("tasks", (), tasks.len());
        cx.record(event.because(&reason));
        if case.row().state != found.case.row().state {
            case.keep(cx, "case.receive")?;
        }
        Ok(())
    }
}

/// The containers by what they are for, as at a receipt: as many as a full test needs, and the others.
fn portions(containers: &[ContainerRow], full_test: i64) -> [(PortionEvent, &[ContainerRow]); 2] {
    let for_test = usize::try_from(full_test).unwrap_or(0).min(containers.len());
    let (test, retained) = containers.split_at(for_test);
    [(PortionEvent::TakeForTesting, test), (PortionEvent::Retain, retained)]
}

/// Takes back that a lot was withdrawn: it comes after all.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReinstateBatch {
    pub id: ApplicationId,
    /// As in the application
    pub lot_number: String,
    /// What the mistake was
    pub reason: String,
}

/// The case with its lots.
pub struct WithdrawnLots {
    case: Case,
    batches: Vec<BatchRow>,
    issued: bool,
}

impl Action for ReinstateBatch {
    const NAME: &'static str = "batch.reinstate";
    const PERMISSION: Permission = Permission::ReversalMake;
    type Prepared = ();
    type Loaded = WithdrawnLots;
    type Plan = (Case, BatchRow, String);
    type Done = Taken;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Case, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<WithdrawnLots> {
        let case = Case::of(cx, &self.id)?;
        let issued = ever_issued(cx, &self.id)?;
        Ok(WithdrawnLots { batches: batches_of(cx.conn, &self.id)?, issued, case })
    }

    fn decide(&self, _: &Facts<'_>, found: &WithdrawnLots) -> Result<Self::Plan, Refusal> {
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        let lot = self.lot_number.trim();
        let batch = found.batches.iter().find(|batch| text::codes::same_code(&batch.lot_number, lot));
        let batch = batch.ok_or_else(|| CasesRefusal::NoLotToEnd(lot.to_owned()))?;
        if batch.withdrawn_at.is_none() {
            return Err(CasesRefusal::LotComes(batch.lot_number.clone()).into());
        }
        let mut case = found.case.clone();
        if found.issued {
            return Err(CasesRefusal::CertificateIssued.into());
        }
        // What was tested without the lot waits for it again.
        if case.row().state == CaseState::Tested {
            case.on(CaseEvent::Reopen)?;
        }
        if !CaseState::RECEIVING.contains(&case.row().state) {
            return Err(CasesRefusal::NotReceiving(case.row().state).into());
        }
        case.note("lot_reinstated", (), batch.lot_number.as_str());
        let kept = case.row().state_reason.clone();
        case.because(&reason);
        case.facts().state_reason = kept;
        Ok((case, batch.clone(), reason))
    }

    fn keep(&self, cx: &mut Context<'_>, _: WithdrawnLots, (case, lot, reason): Self::Plan) -> Outcome<Taken> {
        let id: &BatchId = &lot.id;
        let revision: i64 = batch::table.find(id).select(batch::revision).first(cx.conn)?;
        let taken = TakenBack {
            of: ("batch", id.as_str()),
            was: "withdrawn",
            becomes: "expected",
            was_because: lot.withdrawn_because.as_deref(),
            reason: &reason,
        };
        cx.take_back_at(&taken, Some(revision), None)?;
        diesel::update(batch::table.find(id))
            .set((batch::withdrawn_at.eq(None::<Instant>), batch::withdrawn_because.eq(None::<String>)))
            .execute(cx.conn)?;
        let row = case.keep(cx, Self::NAME)?;
        Ok(Taken::of(&row))
    }
}
