//! Submitting an application: staff for an applicant, or an applicant for itself.

use serde::Deserialize;
use utoipa::ToSchema;

use super::application::{NewApplication, NewCase, Series, draft, file_of_known, numbered};
use super::load::CaseFile;
use super::taken::Taken;
use crate::action::{Action, Context, Facts};
use crate::business::Line;
use crate::refusal::Refusal;
use crate::store::Outcome;
use crate::vocabulary::Permission;

/// Stores an application as a draft, numbered.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct SubmitCase(pub NewApplication);

/// Stores an applicant's own application as a draft, numbered.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct SubmitOwnCase(pub NewApplication);

/// What a draft is read against.
pub struct Desk {
    file: CaseFile,
    line: &'static dyn Line,
}

/// A draft in order.
pub struct Submitted(NewCase);

fn keep(cx: &mut Context<'_>, name: &'static str, desk: &Desk, Submitted(draft): Submitted) -> Outcome<Taken> {
    let NewCase { mut case, batches } = draft;
    case.facts().number = numbered(cx, Series::Application, &desk.file.institute)?;
    Ok(Taken::of(&case.insert(cx, name, &batches)?))
}

/// The two actions differ by their name and who may do them.
macro_rules! submits {
    ($($action:ident = $name:literal, $permission:ident;)+) => {$(
        impl Action for $action {
            const NAME: &'static str = $name;
            const PERMISSION: Permission = Permission::$permission;
            type Prepared = ();
            type Loaded = Desk;
            type Plan = Submitted;
            type Done = Taken;

            fn load(&self, cx: &mut Context<'_>, (): &()) -> Outcome<Desk> {
                let today = cx.today();
                let file = file_of_known(cx.conn, cx.actor, &self.0, today)?;
                Ok(Desk { file, line: cx.services.lines.of(self.0.business)? })
            }

            fn decide(&self, facts: &Facts<'_>, desk: &Desk) -> Result<Submitted, Refusal> {
                draft(&self.0, &desk.file, desk.line, facts).map(Submitted)
            }

            fn keep(&self, cx: &mut Context<'_>, desk: Desk, plan: Submitted) -> Outcome<Taken> {
                keep(cx, Self::NAME, &desk, plan)
            }
        }
    )+};
}

submits! {
    SubmitCase = "case.submit", CaseCreate;
    SubmitOwnCase = "own_case.submit", OwnCaseSubmit;
}
