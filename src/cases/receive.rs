//! Receiving samples of an accepted case (收样).

use serde::Deserialize;
use utoipa::ToSchema;

use super::acceptance::laboratory_due;
use super::case::{Case, determination_of};
use super::demand::{LotDemand, demand, usual_content};
use super::label_questions::not_given;
use super::load::{CaseFile, batches_of, clocks_of, received_of};
use super::receipt::{self, NewSample, Received, Receiving};
use super::refusals::CasesRefusal;
use super::taken::Taken;
use crate::action::{Action, Context, Facts, Subject};
use crate::business::Line;
use crate::refusal::Refusal;
use crate::regulation::Determination;
use crate::store::Outcome;
use crate::store::columns::{ApplicationId, BatchId, Day};
use crate::store::revisions::Revised;
use crate::store::rows::BatchRow;
use crate::vocabulary::Permission;
use crate::vocabulary::states::CaseEvent;

/// Receives samples: all of them, or none.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiveSamples {
    pub id: ApplicationId,
    /// One for each batch that arrived
    pub samples: Vec<NewSample>,
}

/// What a receipt is decided from.
pub struct Loaded {
    case: Case,
    file: CaseFile,
    line: &'static dyn Line,
    determination: Option<Determination>,
    batches: Vec<BatchRow>,
    received: Vec<BatchId>,
    due: Option<Day>,
}

/// What arrived and was found in order.
pub struct Plan {
    case: Case,
    determination: Determination,
    need: LotDemand,
    arrived: Vec<Received>,
}

impl Action for ReceiveSamples {
    const NAME: &'static str = "sample.receive";
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
        Ok(Loaded {
            file: CaseFile::of(cx.conn, case.row())?,
            line: cx.services.lines.of(case.row().business)?,
            determination: determination_of(case.row())?,
            batches: batches_of(cx.conn, &self.id)?,
            received: received_of(cx.conn, &self.id)?,
            due: laboratory_due(&clocks_of(cx.conn, &self.id)?),
            case,
        })
    }

    fn decide(&self, facts: &Facts<'_>, loaded: &Loaded) -> Result<Plan, Refusal> {
        let determination = loaded.determination.clone().ok_or(CasesRefusal::NotAccepted)?;
        let mut case = loaded.case.clone();
        // Also a receipt of refused samples only comes in a state in which samples may come.
        let mut receiving = case.clone();
        receiving.on(CaseEvent::Receive)?;
        let file = &loaded.file;
        let need = demand(file, &determination, &usual_content(file), facts.regulation.practice());
        let asked = not_given(loaded.line, &case.dates());
        let of = Receiving {
            application: case.row(),
            file,
            determination: &determination,
            batches: &loaded.batches,
            received: &loaded.received,
            asked: &asked,
        };
        let arrived = receipt::check_all(facts, &self.samples, &of)?;
        if receipt::any_received(&arrived) {
            case = receiving;
        }
        if case.row().received_on.is_none() {
            case.note("received_on", (), facts.today().to_string());
            case.facts().received_on = Some(facts.today().into());
        }
        Ok(Plan { case, determination, need, arrived })
    }

    fn keep(&self, cx: &mut Context<'_>, loaded: Loaded, plan: Plan) -> Outcome<Taken> {
        let Plan { case, determination, need, mut arrived } = plan;
        let row = case.keep(cx, "case.receive")?;
        receipt::store(cx, &row, &loaded.file, loaded.due.as_ref(), &mut arrived)?;
        Ok(Taken::of(&row).determined(determination, need).with(&loaded.batches, &arrived))
    }
}
