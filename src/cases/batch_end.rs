//! A lot of a case that comes no more (撤回该批): the other lots go on, and the case ends without it.

use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;

use super::case::{Case, determination_of};
use super::load::{batches_of, received_of};
use super::refusals::CasesRefusal;
use super::taken::Taken;
use super::told::{all_tested, reported};
use crate::action::{Action, Context, Facts, Subject};
use crate::refusal::Refusal;
use crate::regulation::{Determination, Ruled};
use crate::store::Outcome;
use crate::store::columns::{ApplicationId, BatchId, Instant};
use crate::store::revisions::Revised;
use crate::store::rows::BatchRow;
use crate::store::schema::batch;
use crate::text;
use crate::vocabulary::{CaseState, Permission};

/// Ends a lot of which no sample was received: it is withdrawn, or what came of it was refused and nothing else comes.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawBatch {
    pub id: ApplicationId,
    /// As in the application
    pub lot_number: String,
    pub reason: String,
}

/// What it is decided from.
pub struct Loaded {
    case: Case,
    determination: Option<Determination>,
    batches: Vec<BatchRow>,
    received: Vec<BatchId>,
}

/// The lot that ends.
pub struct Plan {
    case: Case,
    batch: BatchId,
    reason: String,
}

impl Action for WithdrawBatch {
    const NAME: &'static str = "batch.withdraw";
    const PERMISSION: Permission = Permission::SampleReceive;
    type Prepared = ();
    type Loaded = Loaded;
    type Plan = Plan;
    type Done = Taken;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Case, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Loaded> {
        let case = Case::of(cx, &self.id)?;
        let (batches, received) = (batches_of(cx.conn, &self.id)?, received_of(cx.conn, &self.id)?);
        Ok(Loaded { determination: determination_of(case.row())?, batches, received, case })
    }

    fn decide(&self, _: &Facts<'_>, loaded: &Loaded) -> Result<Plan, Refusal> {
        let reason = text::required("reason", &self.reason, text::REMARK)?;
        let mut case = loaded.case.clone();
        if !CaseState::RECEIVING.contains(&case.row().state) {
            return Err(CasesRefusal::NotReceiving(case.row().state).into());
        }
        let lot = self.lot_number.trim();
        let found = loaded.batches.iter().find(|batch| text::codes::same_code(&batch.lot_number, lot));
        let found = found.ok_or_else(|| CasesRefusal::NoLotToEnd(lot.to_owned()))?;
        if loaded.received.contains(&found.id) || found.withdrawn_at.is_some() {
            return Err(CasesRefusal::LotEnded(found.lot_number.clone()).into());
        }
        let goes_on = |batch: &&BatchRow| batch.id != found.id && batch.withdrawn_at.is_none();
        let given = loaded.batches.iter().filter(goes_on).count();
        if given == 0 {
            return Err(CasesRefusal::LastLot.into());
        }
        // What was accepted as enough lots stays enough.
        let demanded = loaded.determination.as_ref().map(|accepted| &accepted.batches);
        if let Some(Ruled { value: Some(needed), provisions }) = demanded
            && given < *needed as usize
        {
            let (needed, provisions) = (*needed, provisions.clone());
            return Err(Refusal::from(CasesRefusal::BatchesMissing { needed, given, provisions }).at("lot_number"));
        }
        case.note("lot_withdrawn", (), found.lot_number.as_str());
        case.because(&reason);
        Ok(Plan { case, batch: found.id.clone(), reason })
    }

    fn keep(&self, cx: &mut Context<'_>, _: Loaded, plan: Plan) -> Outcome<Taken> {
        diesel::update(batch::table.find(&plan.batch))
            .set((batch::withdrawn_at.eq(Instant::from(cx.now)), batch::withdrawn_because.eq(&plan.reason)))
            .execute(cx.conn)?;
        let row = plan.case.keep(cx, Self::NAME)?;
        // What was waited for may have been this lot alone.
        all_tested(cx, &self.id)?;
        reported(cx, &self.id)?;
        Ok(Taken::of(&row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::specimens::{self, World};

    fn decide(state: CaseState, change: impl Fn(&mut Loaded), lot: &str) -> Result<Plan, Refusal> {
        let mut row = specimens::application();
        row.state = state;
        let first = specimens::batch(&row);
        let second = BatchRow { id: BatchId::new(), lot_number: "L-2".into(), position: 2, ..first.clone() };
        let (case, batches) = (Case::new(row), vec![first, second]);
        let mut loaded = Loaded { case, determination: None, batches, received: Vec::new() };
        change(&mut loaded);
        let action = WithdrawBatch { id: "c".into(), lot_number: lot.into(), reason: "申请人不再送样".into() };
        action.decide(&World::new().facts(), &loaded)
    }

    #[test]
    fn a_lot_that_did_not_arrive_ends_while_another_goes_on() {
        let nothing = |_: &mut Loaded| {};
        for state in CaseState::ALL {
            assert_eq!(decide(*state, nothing, "L-1").is_ok(), CaseState::RECEIVING.contains(state), "{state}");
        }
        let decide = |change: &dyn Fn(&mut Loaded), lot| decide(CaseState::Testing, change, lot).err();
        assert_eq!(decide(&nothing, "l－1").map(|_| ()), None, "the lot is found in another writing");
        assert_eq!(decide(&nothing, "L-3"), Some(CasesRefusal::NoLotToEnd("L-3".into()).into()));
        let received = |loaded: &mut Loaded| loaded.received = vec![loaded.batches[0].id.clone()];
        assert_eq!(decide(&received, "L-1"), Some(CasesRefusal::LotEnded("L-1".into()).into()));
        assert_eq!(decide(&received, "L-2").map(|_| ()), None);
        let other_ended = |loaded: &mut Loaded| loaded.batches[0].withdrawn_at = Some(specimens::at());
        assert_eq!(decide(&other_ended, "L-2"), Some(CasesRefusal::LastLot.into()));
        assert_eq!(decide(&other_ended, "L-1"), Some(CasesRefusal::LotEnded("L-1".into()).into()));
    }
}
