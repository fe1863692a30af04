//! Application, acceptance and receipt in one step: the desk's one form.

use serde::Deserialize;
use utoipa::ToSchema;

use super::acceptance::{Acceptance, Ground, accept, laboratory_due};
use super::application::{NewApplication, NewCase, Series, draft, file_of_known, numbered};
use super::duplicates;
use super::label_questions::not_given;
use super::load::authorisations_of;
use super::receipt::{self, Receipt, Received, Receiving};
use super::taken::Taken;
use crate::action::{Action, Context, Facts};
use crate::insert_all;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::store::schema::application_clock;
use crate::vocabulary::Permission;
use crate::vocabulary::states::CaseEvent;
use diesel::prelude::*;

/// An application with what arrived for it: all of it, or nothing.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeIn {
    pub application: NewApplication,
    pub receipt: Receipt,
}

/// What the form is decided against.
pub struct Loaded(Ground);

/// A case that was accepted with what arrived.
pub struct Plan {
    draft: NewCase,
    accepted: Acceptance,
    arrived: Vec<Received>,
}

/// The parts of the form have their fields under their own names.
fn within(part: &'static str) -> impl Fn(Refusal) -> Refusal {
    move |mut refusal| {
        refusal.field = refusal.field.map(|field| format!("{part}.{field}"));
        refusal
    }
}

impl Action for TakeIn {
    const NAME: &'static str = "case.take_in";
    const PERMISSION: Permission = Permission::CaseTakeIn;
    type Prepared = ();
    type Loaded = Loaded;
    type Plan = Plan;
    type Done = Taken;

    fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Loaded> {
        let (new, today) = (&self.application, cx.today());
        let file = file_of_known(cx.conn, cx.actor, new, today).map_err(|failure| match failure {
            crate::store::Failure::Refused(refusal) => within("application")(*refusal).into(),
            store => store,
        })?;
        let line = cx.services.lines.of(new.business)?;
        let authorisations =
            if line.authorised() { authorisations_of(cx.conn, &file.institute.id)? } else { Vec::new() };
        let lots: Vec<String> = new.batches.iter().map(|batch| batch.lot_number.clone()).collect();
        let known = duplicates::known(cx.conn, &file.product, &file.institute.id, &lots, None)?;
        Ok(Loaded(Ground { file, line, authorisations, known }))
    }

    fn decide(&self, facts: &Facts<'_>, Loaded(ground): &Loaded) -> Result<Plan, Refusal> {
        let mut draft = draft(&self.application, &ground.file, ground.line, facts).map_err(within("application"))?;
        let accepted = accept(facts, &mut draft.case, ground, draft.batches.len()).map_err(within("application"))?;
        let (business, practice) = (draft.case.row().business, facts.regulation.practice());
        duplicates::check(&draft.batches, &ground.known, business, practice, None)
            .map_err(|why| within("application")(why.into()))?;
        let asked = not_given(ground.line, &draft.case.dates());
        let of = Receiving {
            application: draft.case.row(),
            file: &ground.file,
            determination: &accepted.determination,
            batches: &draft.batches,
            received: &[],
            asked: &asked,
        };
        let arrived = receipt::check_all(facts, &self.receipt.samples, &of).map_err(within("receipt"))?;
        if receipt::any_received(&arrived) {
            draft.case.on(CaseEvent::Receive)?;
        }
        draft.case.facts().received_on = Some(facts.today().into());
        Ok(Plan { draft, accepted, arrived })
    }

    fn keep(&self, cx: &mut Context<'_>, Loaded(ground): Loaded, plan: Plan) -> Outcome<Taken> {
        let Plan { draft: NewCase { mut case, batches }, accepted, mut arrived } = plan;
        case.facts().number = numbered(cx, Series::Application, &ground.file.institute)?;
        let row = case.insert(cx, Self::NAME, &batches)?;
        insert_all!(cx.conn, application_clock::table, &accepted.clocks)?;
        let due = laboratory_due(&accepted.clocks);
        receipt::store(cx, &row, &ground.file, due.as_ref(), &mut arrived)?;
        Ok(Taken::of(&row).determined(accepted.determination, accepted.need).with(&batches, &arrived))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::specimens::{self, World};
    use crate::vocabulary::{Business, CaseState};

    #[test]
    fn all_of_the_form_or_nothing() {
        let world = World::new();
        let loaded = Loaded(world.ground(Business::DrugRegistration));
        let mut form = TakeIn {
            application: specimens::new_application(),
            receipt: Receipt { samples: vec![specimens::arrived()] },
        };
        let plan = form.decide(&world.facts(), &loaded).err().map(|refusal| refusal.field);
        // Three batches are needed of an ordinary drug.
        assert_eq!(plan, Some(Some("application.batches".to_owned())));
        form.application = specimens::new_application_of(3);
        let plan = form.decide(&world.facts(), &loaded).expect("in order");
        assert_eq!(plan.draft.case.row().state, CaseState::Testing);
        form.receipt.samples[0].lot_number = "other".into();
        let refused = form.decide(&world.facts(), &loaded).err().expect("no such lot");
        assert_eq!(refused.field.as_deref(), Some("receipt.samples[0].lot_number"));
    }
}
