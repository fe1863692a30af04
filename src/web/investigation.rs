//! 超标调查: the steps of an investigation, each a form on the page of its task.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use super::bench as desk;
use super::form::Form;
use super::page::{Page, send};
use crate::action::Services;
use crate::bench::{
    ApproveCause, ApprovePlan, CheckLaboratory, ConfirmFailure, PointAnswer, ProposePlan, RepeatUndecided,
    SendBackInvestigation,
};
use crate::http::{May, Problem, Table};
use crate::refusal::Refusal;
use crate::vocabulary::CheckFinding;

/// More points than any list has.
const POINTS: usize = 100;

/// The routes.
#[must_use]
pub fn table() -> Table {
    Table::default()
        .post("/tasks/{id}/investigation/check", check)
        .post("/tasks/{id}/investigation/cause-approval", approve_cause)
        .post("/tasks/{id}/investigation/plan", plan)
        .post("/tasks/{id}/investigation/plan-approval", approve_plan)
        .post("/tasks/{id}/investigation/send-back", send_back)
        .post("/tasks/{id}/investigation/confirmation", confirm)
        .post("/tasks/{id}/repetition", repeat)
}

fn answers(form: &Form) -> Result<Vec<PointAnswer>, Refusal> {
    let one = |index: usize| {
        let field = |name: &str| format!("answers[{index}].{name}");
        let finding = form.word(&field("finding"), CheckFinding::parse)?;
        Ok(PointAnswer { point: form.text(&field("point")), finding, note: form.text(&field("note")) })
    };
    (0..form.count("answers", POINTS)).map(one).collect()
}

/// Handlers that differ by the action that they make of the form.
macro_rules! handlers {
    ($($name:ident = $action:ty, |$id:ident, $form:ident| $made:expr;)+) => {$(
        async fn $name(
            may: May<$action>,
            page: Page,
            services: Data<Services>,
            id: Path<String>,
            form: Form,
        ) -> Result<HttpResponse, Problem> {
            let action = |$id: &str, $form: &Form| -> Result<$action, Refusal> { $made };
            let done = match action(&id, &form) {
                Ok(action) => send(&services, &may, &page, &form, action).await.map(|_| ()),
                Err(refusal) => Err(refusal.into()),
            };
            let onward = format!("/tasks/{id}");
            desk::answer(&page, &services, &may.actor, (&id, form), done, &onward).await
        }
    )+};
}

handlers! {
    check = CheckLaboratory, |id, form| Ok(CheckLaboratory {
        id: id.into(), answers: answers(form)?, cause: form.opt("cause"), evidence: form.text("evidence"),
        reason: form.text("reason"),
    });
    approve_cause = ApproveCause, |id, form| {
        let (password, code) = form.proof();
        Ok(ApproveCause { id: id.into(), reason: form.text("reason"), password, code })
    };
    plan = ProposePlan, |id, form| Ok(ProposePlan {
        id: id.into(), repetitions: form.whole("repetitions")?,
        second_analyst: form.text("second_analyst").as_str().into(), reason: form.text("reason"),
    });
    approve_plan = ApprovePlan, |id, form| {
        let (password, code) = form.proof();
        Ok(ApprovePlan { id: id.into(), reason: form.text("reason"), password, code })
    };
    send_back = SendBackInvestigation, |id, form| {
        Ok(SendBackInvestigation { id: id.into(), reason: form.text("reason") })
    };
    confirm = ConfirmFailure, |id, form| {
        let (password, code) = form.proof();
        Ok(ConfirmFailure { id: id.into(), reason: form.text("reason"), password, code })
    };
    repeat = RepeatUndecided, |_id, form| {
        let (password, code) = form.proof();
        Ok(RepeatUndecided {
            id: form.text("result_id").as_str().into(), method: form.text("method"), reason: form.text("reason"),
            password, code,
        })
    };
}
