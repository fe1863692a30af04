//! Accepting a draft (受理): the determination of that day is frozen with the case.

use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;

use super::acceptance::{Acceptance, Ground, accept};
use super::case::Case;
use super::load::{CaseFile, authorisations_of, batches_of};
use super::taken::Taken;
use crate::action::{Action, Context, Facts, Subject};
use crate::insert_all;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::columns::ApplicationId;
use crate::store::revisions::Revised;
use crate::store::schema::application_clock;
use crate::vocabulary::Permission;

/// Accepts a draft today.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptCase {
    pub id: ApplicationId,
}

/// What acceptance is decided from.
pub struct Loaded {
    case: Case,
    ground: Ground,
    batches: usize,
}

/// An accepted case.
pub struct Plan {
    case: Case,
    accepted: Acceptance,
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
        let batches = batches_of(cx.conn, &self.id)?.len();
        Ok(Loaded { case, ground: Ground { file, line, authorisations }, batches })
    }

    fn decide(&self, facts: &Facts<'_>, loaded: &Loaded) -> Result<Plan, Refusal> {
        let mut case = loaded.case.clone();
        let accepted = accept(facts, &mut case, &loaded.ground, loaded.batches)?;
        Ok(Plan { case, accepted })
    }

    fn keep(&self, cx: &mut Context<'_>, _: Loaded, plan: Plan) -> Outcome<Taken> {
        let row = plan.case.keep(cx, Self::NAME)?;
        insert_all!(cx.conn, application_clock::table, &plan.accepted.clocks)?;
        Ok(Taken::of(&row).determined(plan.accepted.determination, plan.accepted.need))
    }
}
