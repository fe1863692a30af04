//! Accepting a draft (受理): the determination of that day is frozen with the case.

use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;

use super::acceptance::{Acceptance, Ground, accept};
use super::application::reason;
use super::case::Case;
use super::duplicates;
use super::load::{CaseFile, authorisations_of, batches_of};
use super::refusals::CasesRefusal;
use super::taken::Taken;
use crate::action::{Action, Context, Facts, Subject};
use crate::insert_all;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::ApplicationId;
use crate::store::revisions::Revised;
use crate::store::rows::BatchRow;
use crate::store::schema::{application_clock, batch};
use crate::vocabulary::Permission;

/// Accepts a draft today.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptCase {
    pub id: ApplicationId,
    /// Why its lots are taken although there are cases of them, here or in another institute
    #[serde(default)]
    pub despite_duplicate: Option<String>,
}

/// What acceptance is decided from.
pub struct Loaded {
    case: Case,
    ground: Ground,
    batches: Vec<BatchRow>,
}

/// An accepted case.
pub struct Plan {
    case: Case,
    accepted: Acceptance,
    despite_duplicate: Option<String>,
}

impl Action for AcceptCase {
    const NAME: &'static str = "case.accept";
    const PERMISSION: Permission = Permission::CaseAccept;
    type Prepared = ();
    type Loaded = Loaded;
    type Plan = Plan;
    type Done = Taken;

    fn subject(&self) -> Option<Subject> {
        Some(Subject::new(Revised::Case, &self.id))
    }

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Loaded> {
        let (case, today) = (Case::of(cx, &self.id)?, cx.today());
        let file = CaseFile::on_acceptance(cx.conn, case.row(), today)?;
        let line = cx.services.lines.of(case.row().business)?;
        let authorisations =
            if line.authorised() { authorisations_of(cx.conn, &file.institute.id)? } else { Vec::new() };
        let batches = batches_of(cx.conn, &self.id)?;
        let lots: Vec<String> = batches.iter().map(|batch| batch.lot_number.clone()).collect();
        let known = duplicates::known(cx.conn, &file.product, &file.institute.id, &lots, Some(&self.id))?;
        Ok(Loaded { case, ground: Ground { file, line, authorisations, known }, batches })
    }

    fn decide(&self, facts: &Facts<'_>, loaded: &Loaded) -> Result<Plan, Refusal> {
        let mut case = loaded.case.clone();
        let accepted = accept(facts, &mut case, &loaded.ground, loaded.batches.len())?;
        let despite_duplicate = reason("despite_duplicate", self.despite_duplicate.as_deref())?;
        let (business, practice) = (case.row().business, facts.regulation.practice());
        let (known, said) = (&loaded.ground.known, despite_duplicate.as_deref());
        duplicates::check(&loaded.batches, known, business, practice, said).map_err(|why| match why {
            // One reason answers for the lots of a draft.
            CasesRefusal::LotKnown { .. } => Refusal::from(why).at("despite_duplicate"),
            other => other.into(),
        })?;
        Ok(Plan { case, accepted, despite_duplicate })
    }

    fn keep(&self, cx: &mut Context<'_>, loaded: Loaded, mut plan: Plan) -> Outcome<Taken> {
        if let Some(why) = plan.despite_duplicate.filter(|_| !loaded.ground.known.is_empty()) {
            let unsaid =
                batch::table.filter(batch::application_id.eq(&self.id)).filter(batch::despite_duplicate.is_null());
            diesel::update(unsaid).set(batch::despite_duplicate.eq(&why)).execute(cx.conn)?;
            plan.case.note("despite_duplicate", (), why);
        }
        let row = plan.case.keep(cx, Self::NAME)?;
        insert_all!(cx.conn, application_clock::table, &plan.accepted.clocks)?;
        Ok(Taken::of(&row).determined(plan.accepted.determination, plan.accepted.need))
    }
}
